/* What becomes one kernel, in which type it runs, and where. Expectations are counted by hand from
 * the fusion rules (DESIGN.md section 5): every test says which. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/device/device.h"
#include "tests/support_split.h"

#define FREE_ALL(graph, hw, kernels)                                                               \
    (nw_kernels_free(kernels), nw_hw_free(hw), nw_graph_free(graph))

static nw_tensor_id batch_norm(net *n)
{
    nw_tensor_id in[5] = {n->at};
    for (int i = 1; i < 5; i++)
        in[i] = net_constant(n, NW_DTYPE_FLOAT32, 1, n->c, 0, 0, 0);
    net_layer(n, NW_OP_BATCH_NORM, "BatchNormalization", in, 5);
    return n->at;
}

/* Splits on ne32 (fusion conv+act, conv+add; int8) and compares the kernels. */
static void expect(net *n, const char *list)
{
    nw_graph *graph = net_end(n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), list);
    FREE_ALL(graph, hw, kernels);
}

/* ---- joining ---- */

START_TEST(a_convolution_takes_in_the_activation_behind_it)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_conv(&n, 16, 3, 3, 1, 1, NW_ACT_NONE);
    net_unary(&n, NW_OP_RELU);
    expect(&n, "conv+act");
}
END_TEST

START_TEST(without_the_rule_conv_act_the_activation_is_a_kernel)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_conv(&n, 16, 3, 3, 1, 1, NW_ACT_NONE);
    net_unary(&n, NW_OP_RELU);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    hw->fusion.conv_act = false;
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv act");
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(batch_norm_and_relu_of_an_onnx_file_join_the_convolution)
{
    net n = net_begin_nchw(16, 16, 8, NW_DTYPE_FLOAT32);
    nw_tensor_id in[2] = {n.at, net_constant(&n, NW_DTYPE_FLOAT32, 4, 8, 8, 1, 1)};
    net_layer(&n, NW_OP_CONV2D, "Conv", in, 2);
    batch_norm(&n);
    net_unary(&n, NW_OP_RELU);
    expect(&n, "conv+act");
}
END_TEST

START_TEST(a_constant_a_channel_joins_but_one_a_column_does_not)
{
    /* N,C,H,W = 1,8,6,8: a constant of shape [8] runs along W (numpy's rule), one of shape
     * [8,1,1] along C; only the latter goes into the bias */
    for (int per_channel = 0; per_channel < 2; per_channel++) {
        net n = net_begin_nchw(6, 8, 8, NW_DTYPE_FLOAT32);
        nw_tensor_id in[2] = {n.at, net_constant(&n, NW_DTYPE_FLOAT32, 4, 8, 8, 1, 1)};
        net_layer(&n, NW_OP_CONV2D, "Conv", in, 2);
        nw_tensor_id c = per_channel ? net_constant(&n, NW_DTYPE_FLOAT32, 3, 8, 1, 1, 0)
                                     : net_constant(&n, NW_DTYPE_FLOAT32, 1, 8, 0, 0, 0);
        net_two(&n, NW_OP_ADD, n.at, c);
        expect(&n, per_channel ? "conv" : "conv add");
    }
}
END_TEST

START_TEST(a_sum_joins_its_second_convolution_when_the_other_side_is_ready)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    nw_tensor_id left = n.at;
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    net_add(&n, left, NW_ACT_RELU);
    expect(&n, "conv conv+act+add");
}
END_TEST

START_TEST(a_sum_does_not_join_the_convolution_that_runs_before_the_other_side)
{
    /* both branches leave the input; the first convolution cannot wait for the second, so the sum
     * joins the second */
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    nw_tensor_id first = n.at;
    n.at = input;
    net_depthwise(&n, 3, 1, NW_ACT_NONE);
    net_add(&n, first, NW_ACT_NONE);
    expect(&n, "conv dwconv+add");
}
END_TEST

START_TEST(without_the_rule_conv_add_the_sum_is_a_kernel)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    net_add(&n, input, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    hw->fusion.conv_add = false;
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv add");
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_convolution_with_two_readers_is_joined_with_neither)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    nw_tensor_id conv = n.at;
    nw_tensor_id relu = net_one(&n, NW_OP_RELU);
    n.at = conv;
    nw_tensor_id tanh = net_one(&n, NW_OP_TANH);
    nw_graph_add_output(n.graph, relu);
    n.at = tanh;
    expect(&n, "conv act act");
}
END_TEST

START_TEST(a_convolution_that_is_an_output_keeps_its_result)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    nw_graph_add_output(n.graph, n.at);
    net_unary(&n, NW_OP_RELU);
    expect(&n, "conv act");
}
END_TEST

START_TEST(swish_written_as_two_operators_is_one_table)
{
    static const nw_op gates[] = {NW_OP_SIGMOID, NW_OP_HARD_SIGMOID}; /* swish, hard-swish */
    for (int i = 0; i < 2; i++) {
        net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
        net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
        nw_tensor_id x = n.at, gate = net_one(&n, gates[i]);
        net_two(&n, NW_OP_MUL, x, gate);
        nw_graph *graph = net_end(&n);
        nw_hw *hw = load_hw("ne32");
        nw_kernels *kernels = split_on(graph, hw, NULL);
        ck_assert_int_eq(kernels->n_kernels, 1);
        ck_assert_int_eq(kernels->kernels[0].n_nodes, 3);
        ck_assert_int_eq(kernels->kernels[0].shape.act, NW_KERNEL_ACT_LUT);
        FREE_ALL(graph, hw, kernels);
    }
}
END_TEST

START_TEST(swish_on_its_own_is_one_kernel)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_global_pool(&n);
    nw_tensor_id x = n.at, gate = net_one(&n, NW_OP_SIGMOID);
    net_two(&n, NW_OP_MUL, gate, x);
    expect(&n, "pool act");
}
END_TEST

START_TEST(activations_inside_tflite_operators_are_part_of_the_kernel)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_RELU6);
    net_depthwise(&n, 3, 1, NW_ACT_TANH);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_int_eq(kernels->n_kernels, 2);
    ck_assert_int_eq(kernels->kernels[0].shape.act, NW_KERNEL_ACT_CLAMP);
    ck_assert_int_eq(kernels->kernels[1].shape.act, NW_KERNEL_ACT_LUT); /* tanh is a table */
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(padding_in_front_of_a_convolution_is_absorbed)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_pad(&n, 0, 0, 1, 1);
    net_conv(&n, 8, 3, 3, 2, 2, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_int_eq(kernels->n_kernels, 1);
    ck_assert_int_eq(kernels->kernels[0].n_nodes, 2);
    ck_assert_int_eq(kernels->kernels[0].n_reads, 1);
    ck_assert_int_eq(kernels->kernels[0].reads[0], input);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(padding_that_two_read_is_a_copy)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_pad(&n, 1, 1, 1, 1);
    nw_tensor_id padded = n.at;
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    nw_graph_add_output(n.graph, n.at);
    n.at = padded;
    net_depthwise(&n, 3, 1, NW_ACT_NONE);
    expect(&n, "copy conv dwconv");
}
END_TEST

START_TEST(pointwise_joins_depthwise_only_where_the_rule_is)
{
    for (int with_rule = 0; with_rule < 2; with_rule++) {
        net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
        net_depthwise(&n, 3, 1, NW_ACT_RELU6);
        net_conv(&n, 16, 1, 1, 1, 1, NW_ACT_RELU6);
        nw_graph *graph = net_end(&n);
        nw_hw *hw = load_hw("ne32");
        hw->fusion.dw_pw = with_rule;
        nw_kernels *kernels = split_on(graph, hw, NULL);
        ck_assert_str_eq(kernel_list(kernels),
                         with_rule ? "dwconv+conv+act" : "dwconv+act conv+act");
        if (with_rule) /* 3*3*8 and 8*16 weights, 8 and 16 biases */
            ck_assert_int_eq(kernels->kernels[0].shape.weight_elements, 72 + 128);
        if (with_rule)
            ck_assert_int_eq(kernels->kernels[0].shape.bias_elements, 24);
        FREE_ALL(graph, hw, kernels);
    }
}
END_TEST

START_TEST(batch_norm_behind_a_joined_pointwise_keeps_both_biases)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_FLOAT32);
    net_depthwise(&n, 3, 1, NW_ACT_NONE);
    net_conv(&n, 16, 1, 1, 1, 1, NW_ACT_NONE);
    batch_norm(&n);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    hw->fusion.dw_pw = true;
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "dwconv+conv");
    ck_assert_int_eq(kernels->kernels[0].shape.bias_elements, 8 + 16);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

static void add_max_pool(net *n)
{
    nw_tensor_id in[1] = {n->at};
    nw_node *node = net_layer(n, NW_OP_MAX_POOL, "MAX_POOL_2D", in, 1);
    node->attrs.kernel_h = node->attrs.kernel_w = 2;
    node->attrs.stride_h = node->attrs.stride_w = 2;
    n->h /= 2;
    n->w /= 2;
}

START_TEST(pooling_joins_a_convolution_only_where_the_rule_is)
{
    for (int with_rule = 0; with_rule < 2; with_rule++) {
        net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
        net_conv(&n, 16, 3, 3, 1, 1, NW_ACT_RELU);
        add_max_pool(&n);
        nw_graph *graph = net_end(&n);
        nw_hw *hw = load_hw("ne32");
        hw->fusion.pool = with_rule;
        nw_kernels *kernels = split_on(graph, hw, NULL);
        ck_assert_str_eq(kernel_list(kernels), with_rule ? "conv+pool+act" : "conv+act pool");
        FREE_ALL(graph, hw, kernels);
    }
}
END_TEST

START_TEST(an_operator_waits_for_all_that_it_reads)
{
    /* clip(conv(x), max = reduce(y)) where y comes later: the bound is not there yet when the
     * convolution runs, so the clip cannot join it */
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    nw_tensor_id conv = n.at;
    n.at = input;
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    net_global_pool(&n);
    nw_tensor_id slope = n.at;
    n.h = n.w = 16;
    net_two(&n, NW_OP_PRELU, conv, slope);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv conv pool act");
    FREE_ALL(graph, hw, kernels);
}
END_TEST

/* ---- the host ---- */

START_TEST(neighbouring_host_operators_are_one_run)
{
    /* dpu-b4096 runs tanh and softmax on the host; the reshape between costs nothing */
    net n = net_begin(4, 4, 16, NW_DTYPE_INT8);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    net_unary(&n, NW_OP_TANH);
    net_reshape(&n, 2, 1, 512, 0, 0);
    net_unary(&n, NW_OP_SOFTMAX);
    n.h = n.w = 1;
    n.c = 512;
    net_fc(&n, 10, NW_ACT_NONE);
    net_softmax(&n);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("dpu-b4096");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv host fc host");
    ck_assert_int_eq(kernels->n_switches, 2);
    ck_assert_int_eq(kernels->n_partitions, 4);
    const nw_kernel *run = kernel_of_kind(kernels, NW_KERNEL_HOST);
    ck_assert_int_eq(run->n_nodes, 3);
    ck_assert_int_eq(run->shape.host_elements, 512);
    ck_assert_int_eq(run->shape.host_bytes, 2 * 512);
    nw_device_cost cost;
    nw_device_estimate(hw, &run->shape, &cost);
    /* 50 us + 512 / 4e8 s + 1024 / 4e9 s = 51.536 us, in cycles of 281 MHz rounded up: 14482 */
    ck_assert_int_eq(cost.total_cycles, 14482);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(what_exceeds_a_limit_goes_to_the_host_and_names_it)
{
    static const struct {
        int kernel, stride, c_in, c_out;
        const char *note;
    } rows[] = {
        {17, 1, 8, 8, "kernel 17 exceeds"},
        {3, 9, 8, 8, "stride 9 exceeds"},
        {1, 1, 8, 4097, "4097 channels"},
        {12, 1, 256, 8, "weights of one output"},
        {3, 1, 8, 8, NULL}, /* 12*12*16 = 2304 > 2048 above; this one fits */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        net n = net_begin(18, 18, rows[i].c_in, NW_DTYPE_INT8);
        net_conv(&n, rows[i].c_out, rows[i].kernel, rows[i].kernel, rows[i].stride, rows[i].stride,
                 NW_ACT_NONE);
        nw_graph *graph = net_end(&n);
        nw_hw *hw = load_hw("dpu-b4096");
        nw_kernels *kernels = split_on(graph, hw, NULL);
        ck_assert_str_eq(kernel_list(kernels), rows[i].note ? "host" : "conv");
        if (rows[i].note)
            ck_assert_ptr_nonnull(strstr(kernels->kernels[0].note, rows[i].note));
        FREE_ALL(graph, hw, kernels);
    }
}
END_TEST

/* 18x18x8 by 17x17 to 8 channels: 2,592 elements, 18*18*17*17*8*8 = 5,992,704 MACs. */
START_TEST(a_convolution_on_the_host_costs_its_products)
{
    net n = net_begin(18, 18, 8, NW_DTYPE_INT8);
    net_conv(&n, 8, 17, 17, 1, 1, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("dpu-b4096");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_int_eq(kernels->kernels[0].shape.host_elements, 2592 + 5992704);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_kernel_below_the_smallest_goes_to_the_host)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("dpu-b4096");
    hw->limits.min_kernel = 2;
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "host");
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_slow_operator_is_its_own_kernel_at_its_own_rate)
{
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    net_unary(&n, NW_OP_TANH);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    hw->ops[NW_OP_TANH] = (nw_hw_op){NW_OP_SLOW, 0.5};
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv act");
    nw_device_cost cost;
    nw_device_estimate(hw, &kernels->kernels[1].shape, &cost);
    ck_assert_int_eq(cost.cycles[NW_BOUND_COMPUTE], 16 * 16 * 32 * 2);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

/* ---- precision ---- */

START_TEST(a_float_network_on_integer_hardware_is_assumed_to_be_int8)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_FLOAT32);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    static const struct {
        const char *asked, *name;
        int bits;
    } rows[] = {{NULL, "int8 (assumed)", 8},
                {"file", "int8 (assumed)", 8},
                {"int8", "int8 (assumed)", 8},
                {"int16", "int16 (assumed)", 16}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_kernels *kernels = split_on(graph, hw, rows[i].asked);
        ck_assert_str_eq(kernels->precision, rows[i].name);
        ck_assert_int_eq(kernels->kernels[0].shape.bits, rows[i].bits);
        ck_assert(kernels->is_assumed);
        nw_kernels_free(kernels);
    }
    nw_kernels *kernels;
    nw_error err;
    ck_assert_int_eq(nw_kernels_split(graph, hw, "float16", &kernels, &err), NW_UNSUPPORTED);
    ck_assert_int_eq(nw_kernels_split(graph, hw, "int9", &kernels, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "int9"));
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

/* Ethos-U multiplies 16-bit activations by 8-bit weights (Vela 3.10, accelerator options) and not
 * by 16-bit ones. */
START_TEST(wide_activations_keep_narrow_weights_where_the_hardware_asks_for_it)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id skip = n.at;
    net_depthwise(&n, 3, 1, NW_ACT_NONE);
    net_add(&n, skip, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("u55-256");
    nw_kernels *kernels = split_on(graph, hw, "int16");
    ck_assert_str_eq(kernel_list(kernels), "conv dwconv add");
    ck_assert_str_eq(kernels->precision, "int16 with int8 weights (assumed)");
    ck_assert_int_eq(kernels->kernels[0].shape.bits, 16);
    ck_assert_int_eq(kernels->kernels[0].shape.weight_bits, 8);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(an_integer_network_keeps_its_type_unless_asked)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernels->precision, "int8");
    ck_assert(!kernels->is_assumed);
    nw_kernels_free(kernels);
    kernels = split_on(graph, hw, "int16");
    ck_assert_str_eq(kernels->precision, "int16 (assumed)");
    FREE_ALL(graph, hw, kernels);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel");
    TCase *tests = tcase_create("kernel");
    tcase_set_timeout(tests, 300);
    const TTest *const list[] = {
        a_convolution_takes_in_the_activation_behind_it,
        without_the_rule_conv_act_the_activation_is_a_kernel,
        batch_norm_and_relu_of_an_onnx_file_join_the_convolution,
        a_constant_a_channel_joins_but_one_a_column_does_not,
        a_sum_joins_its_second_convolution_when_the_other_side_is_ready,
        a_sum_does_not_join_the_convolution_that_runs_before_the_other_side,
        without_the_rule_conv_add_the_sum_is_a_kernel,
        a_convolution_with_two_readers_is_joined_with_neither,
        a_convolution_that_is_an_output_keeps_its_result,
        swish_written_as_two_operators_is_one_table,
        swish_on_its_own_is_one_kernel,
        activations_inside_tflite_operators_are_part_of_the_kernel,
        padding_in_front_of_a_convolution_is_absorbed,
        padding_that_two_read_is_a_copy,
        pointwise_joins_depthwise_only_where_the_rule_is,
        batch_norm_behind_a_joined_pointwise_keeps_both_biases,
        pooling_joins_a_convolution_only_where_the_rule_is,
        an_operator_waits_for_all_that_it_reads,
        neighbouring_host_operators_are_one_run,
        what_exceeds_a_limit_goes_to_the_host_and_names_it,
        a_convolution_on_the_host_costs_its_products,
        a_kernel_below_the_smallest_goes_to_the_host,
        a_slow_operator_is_its_own_kernel_at_its_own_rate,
        a_float_network_on_integer_hardware_is_assumed_to_be_int8,
        an_integer_network_keeps_its_type_unless_asked,
        wide_activations_keep_narrow_weights_where_the_hardware_asks_for_it,
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        tcase_add_test(tests, list[i]);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
