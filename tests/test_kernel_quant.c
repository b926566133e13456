/* Quantised networks as ONNX writes them, float operators between dequantisation and quantisation:
 * what runs on integers, what is joined, what is the host's. Expectations by hand, as beside. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/device/device.h"
#include "tests/support_split.h"

#define FREE_ALL(graph, hw, kernels)                                                               \
    (nw_kernels_free(kernels), nw_hw_free(hw), nw_graph_free(graph))

/* Splits on ne32 (fusion conv+act, conv+add; int8) and compares the kernels. */
static void expect(net *n, const char *list)
{
    nw_graph *graph = net_end(n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), list);
    FREE_ALL(graph, hw, kernels);
}

static net begin_quantized(void)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_UINT8);
    net_dequantize(&n, NW_DTYPE_FLOAT32);
    return n;
}

START_TEST(dequantise_convolution_relu_quantise_is_one_int8_kernel)
{
    net n = begin_quantized();
    net_conv_quantized(&n, NW_DTYPE_INT8, 16, 3, 1);
    net_unary(&n, NW_OP_RELU);
    net_quantize(&n, NW_DTYPE_UINT8, 0.5, 0);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv+act");
    ck_assert_int_eq(kernels->n_kernels, 1);
    const nw_kernel *k = &kernels->kernels[0];
    ck_assert_int_eq(k->n_nodes, 4); /* the weights' dequantisation is folded */
    ck_assert(k->shape.bits == 8 && k->shape.weight_bits == 8 && !k->shape.is_float);
    ck_assert(k->n_reads == 1 && k->n_writes == 1);
    ck_assert_int_eq(k->reads[0], graph->inputs[0]);
    ck_assert_int_eq(k->writes[0], graph->outputs[0]);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(weights_have_the_bits_of_the_stored_tensor)
{
    net n = begin_quantized();
    net_conv_quantized(&n, NW_DTYPE_INT4, 16, 3, 1);
    net_quantize(&n, NW_DTYPE_UINT8, 0.5, 0);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_int_eq(kernels->kernels[0].shape.weight_bits, 4);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_dequantisation_that_two_integer_kernels_read_costs_nothing)
{
    net n = begin_quantized();
    nw_tensor_id shared = n.at;
    net_conv_quantized(&n, NW_DTYPE_INT8, 8, 3, 1);
    net_quantize(&n, NW_DTYPE_UINT8, 0.5, 0);
    nw_graph_add_output(n.graph, n.at);
    n.at = shared;
    n.dtype = NW_DTYPE_FLOAT32;
    net_conv_quantized(&n, NW_DTYPE_INT8, 8, 1, 1);
    net_quantize(&n, NW_DTYPE_UINT8, 0.25, 0);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv conv");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(kernels->kernels[i].reads[0], graph->inputs[0]);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_float_reader_beside_does_not_turn_an_integer_kernel_to_float)
{
    /* the convolution is quantised, the softmax beside it stays in float: only the softmax and
     * the dequantisation that feeds it are the host's */
    net n = begin_quantized();
    nw_tensor_id shared = n.at;
    net_conv_quantized(&n, NW_DTYPE_INT8, 8, 3, 1);
    net_quantize(&n, NW_DTYPE_UINT8, 0.5, 0);
    nw_graph_add_output(n.graph, n.at);
    n.at = shared;
    n.dtype = NW_DTYPE_FLOAT32;
    net_softmax(&n);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    const nw_kernel *conv = kernel_of_kind(kernels, NW_KERNEL_CONV);
    ck_assert(conv->shape.bits == 8 && !conv->shape.is_float);
    ck_assert_int_eq(conv->reads[0], graph->inputs[0]);
    ck_assert_int_ge(kernels->n_switches, 1);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

static void expect_requantise(double scale, const char *list, bool in_tflite)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    net_global_pool(&n); /* takes no quantisation in */
    n.graph->tensors[n.at].quant = (nw_quant){.n_channels = 1, .scale = 0.5, .zero_point = 3};
    if (!in_tflite)
        net_dequantize(&n, NW_DTYPE_FLOAT32);
    net_quantize(&n, NW_DTYPE_INT8, scale, 3);
    expect(&n, list);
}

START_TEST(a_change_of_scale_is_a_requantisation)
{
    expect_requantise(0.25, "conv pool quantize", false);
    expect_requantise(0.25, "conv pool quantize", true);
}
END_TEST

START_TEST(quantising_to_the_same_scale_and_zero_point_costs_nothing)
{
    expect_requantise(0.5, "conv pool", false);
    expect_requantise(0.5, "conv pool", true);
}
END_TEST

START_TEST(a_reshape_between_dequantise_and_quantise_costs_nothing)
{
    net n = net_begin(4, 4, 8, NW_DTYPE_INT8);
    n.graph->tensors[n.at].quant = (nw_quant){.n_channels = 1, .scale = 0.5, .zero_point = 3};
    net_dequantize(&n, NW_DTYPE_FLOAT32);
    net_reshape(&n, 2, 1, 128, 0, 0);
    net_quantize(&n, NW_DTYPE_INT8, 0.5, 3);
    expect(&n, "");
}
END_TEST

START_TEST(a_sum_joins_a_convolution_across_its_quantisation)
{
    /* TFLite writes conv, add on integers and they join; ONNX writes the same arithmetic with a
     * quantisation and a dequantisation between them */
    net n = begin_quantized();
    nw_tensor_id skip = n.at;
    net_conv_quantized(&n, NW_DTYPE_INT8, 8, 3, 1);
    net_quantize(&n, NW_DTYPE_UINT8, 0.5, 0);
    net_dequantize(&n, NW_DTYPE_FLOAT32);
    net_add(&n, skip, NW_ACT_NONE);
    net_quantize(&n, NW_DTYPE_UINT8, 0.25, 0);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv+add");
    ck_assert_int_eq(kernels->kernels[0].n_nodes, 6);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_concatenation_between_dequantise_and_quantise_is_free)
{
    net n = begin_quantized();
    nw_tensor_id input = n.at;
    net_conv_quantized(&n, NW_DTYPE_INT8, 8, 3, 1);
    net_quantize(&n, NW_DTYPE_UINT8, 0.5, 0);
    net_dequantize(&n, NW_DTYPE_FLOAT32);
    nw_tensor_id left = n.at;
    n.at = input;
    net_conv_quantized(&n, NW_DTYPE_INT8, 8, 1, 1);
    net_quantize(&n, NW_DTYPE_UINT8, 0.25, 0);
    net_dequantize(&n, NW_DTYPE_FLOAT32);
    net_concat(&n, left, 3);
    net_quantize(&n, NW_DTYPE_UINT8, 0.5, 0);
    expect(&n, "conv conv");
}
END_TEST

START_TEST(a_float_island_goes_to_the_host_and_says_so)
{
    net n = begin_quantized();
    net_conv_quantized(&n, NW_DTYPE_INT8, 8, 3, 1);
    net_quantize(&n, NW_DTYPE_UINT8, 0.5, 0);
    net_dequantize(&n, NW_DTYPE_FLOAT32);
    net_softmax(&n); /* nothing quantises it: float to the end */
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv host");
    ck_assert_int_eq(kernels->n_switches, 1);
    ck_assert_int_eq(kernels->n_partitions, 2);
    const nw_kernel *host = kernel_of_kind(kernels, NW_KERNEL_HOST);
    ck_assert_ptr_nonnull(strstr(host->note, "float island"));
    ck_assert_int_eq(host->n_nodes, 2); /* the dequantisation and the softmax */
    /* 8-bit in, 32-bit out, 16*16*8 elements */
    ck_assert_int_eq(host->shape.host_bytes, 16 * 16 * 8 * (1 + 4));
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_float_output_behind_the_last_dequantisation_is_the_hosts)
{
    net n = begin_quantized();
    net_conv_quantized(&n, NW_DTYPE_INT8, 8, 3, 1);
    net_quantize(&n, NW_DTYPE_UINT8, 0.5, 0);
    net_dequantize(&n, NW_DTYPE_FLOAT32);
    expect(&n, "conv host");
}
END_TEST

static int list_products(const nw_kernels *kernels, nw_kernel_shape *out, int capacity)
{
    int n = 0;
    for (int i = 0; i < kernels->n_kernels; i++) {
        nw_kernel_kind kind = kernels->kernels[i].shape.parts[0].kind;
        if (kind <= NW_KERNEL_MATMUL && n < capacity)
            out[n++] = kernels->kernels[i].shape;
    }
    return n;
}

static const char *const siblings[][2] = {
    {"tv_mobilenet_v2_w035_224.onnx", "tv_mobilenet_v2_w035_224_qdq.onnx"},
    {"mlperf_tiny_vww_96_float.tflite", "mlperf_tiny_vww_96_int8.tflite"},
};

START_TEST(a_float_network_and_its_quantised_sibling_have_the_same_products)
{
    nw_hw *hw = load_hw("ne32");
    nw_kernel_shape shapes[2][128];
    int n[2] = {0};
    for (int i = 0; i < 2; i++) {
        nw_graph *graph = load_model(siblings[_i][i]);
        if (!graph)
            continue;
        nw_kernels *kernels = split_on(graph, hw, NULL);
        n[i] = list_products(kernels, shapes[i], 128);
        nw_kernels_free(kernels);
        nw_graph_free(graph);
    }
    nw_hw_free(hw);
    if (!n[0] || !n[1])
        return;
    ck_assert_int_eq(n[0], n[1]);
    for (int i = 0; i < n[0]; i++) {
        nw_kernel_shape *a = &shapes[0][i], *b = &shapes[1][i];
        ck_assert_msg(memcmp(a, b, sizeof *a) == 0, "product %d differs", i);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel_quant");
    TCase *tests = tcase_create("kernel_quant");
    tcase_set_timeout(tests, 300);
    const TTest *const list[] = {
        dequantise_convolution_relu_quantise_is_one_int8_kernel,
        weights_have_the_bits_of_the_stored_tensor,
        a_dequantisation_that_two_integer_kernels_read_costs_nothing,
        a_float_reader_beside_does_not_turn_an_integer_kernel_to_float,
        a_change_of_scale_is_a_requantisation,
        quantising_to_the_same_scale_and_zero_point_costs_nothing,
        a_reshape_between_dequantise_and_quantise_costs_nothing,
        a_sum_joins_a_convolution_across_its_quantisation,
        a_concatenation_between_dequantise_and_quantise_is_free,
        a_float_island_goes_to_the_host_and_says_so,
        a_float_output_behind_the_last_dequantisation_is_the_hosts,
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        tcase_add_test(tests, list[i]);
    tcase_add_loop_test(tests, a_float_network_and_its_quantised_sibling_have_the_same_products, 0,
                        (int)(sizeof siblings / sizeof *siblings));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
