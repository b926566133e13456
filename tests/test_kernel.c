/* What becomes one kernel, in which type it runs, and where. Expectations are counted by hand from
 * the fusion rules (DESIGN.md section 5): every test says which. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/device/device.h"
#include "tests/support.h"
#include "tests/support_split.h"

#define FREE_ALL(graph, hw, kernels)                                                               \
    (nw_kernels_free(kernels), nw_hw_free(hw), nw_graph_free(graph))

static nw_tensor_id layer1(net *n, nw_op op)
{
    nw_tensor_id in[1] = {n->at};
    net_layer(n, op, "One", in, 1);
    return n->at;
}

static nw_tensor_id layer2(net *n, nw_op op, nw_tensor_id a, nw_tensor_id b)
{
    nw_tensor_id in[2] = {a, b};
    net_layer(n, op, "Two", in, 2);
    return n->at;
}

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

static const nw_kernel *kernel_of_kind(const nw_kernels *kernels, nw_kernel_kind kind)
{
    for (int i = 0; i < kernels->n_kernels; i++)
        if (kernels->kernels[i].shape.parts[0].kind == kind)
            return &kernels->kernels[i];
    ck_abort_msg("no %s kernel", nw_kernel_kind_name(kind));
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
        layer2(&n, NW_OP_ADD, n.at, c);
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
    nw_tensor_id relu = layer1(&n, NW_OP_RELU);
    n.at = conv;
    nw_tensor_id tanh = layer1(&n, NW_OP_TANH);
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
        nw_tensor_id x = n.at, gate = layer1(&n, gates[i]);
        layer2(&n, NW_OP_MUL, x, gate);
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
    nw_tensor_id x = n.at, gate = layer1(&n, NW_OP_SIGMOID);
    layer2(&n, NW_OP_MUL, gate, x);
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
    layer2(&n, NW_OP_PRELU, conv, slope);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv conv pool act");
    FREE_ALL(graph, hw, kernels);
}
END_TEST

/* ---- what moves nothing ---- */

START_TEST(reshape_and_flatten_are_free)
{
    net n = net_begin(4, 4, 8, NW_DTYPE_INT8);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    net_reshape(&n, 2, 1, 128, 0, 0);
    net_fc(&n, 10, NW_ACT_NONE);
    expect(&n, "conv fc");
}
END_TEST

START_TEST(turning_an_onnx_map_to_height_width_channels_is_free)
{
    net n = net_begin_nchw(6, 5, 8, NW_DTYPE_FLOAT32);
    net_unary(&n, NW_OP_RELU);
    net_transpose(&n, 0, 2, 3, 1);
    expect(&n, "act");
}
END_TEST

START_TEST(turning_a_map_any_other_way_is_a_copy)
{
    net n = net_begin_nchw(6, 5, 8, NW_DTYPE_FLOAT32);
    net_unary(&n, NW_OP_RELU);
    net_transpose(&n, 0, 1, 3, 2);
    expect(&n, "act copy");
    net m = net_begin(6, 5, 8, NW_DTYPE_INT8);
    net_unary(&m, NW_OP_RELU);
    net_transpose(&m, 0, 2, 3, 1);
    expect(&m, "act copy");
}
END_TEST

START_TEST(a_transpose_that_only_moves_axes_of_size_one_is_free)
{
    net n = net_begin(1, 1, 8, NW_DTYPE_INT8);
    net_unary(&n, NW_OP_RELU);
    net_transpose(&n, 0, 3, 1, 2);
    expect(&n, "act");
}
END_TEST

START_TEST(a_concatenation_is_free_when_nobody_else_reads_its_inputs)
{
    net n = net_begin(8, 8, 8, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id left = n.at;
    n.at = input;
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    net_concat(&n, left, 3);
    expect(&n, "conv conv");
}
END_TEST

START_TEST(a_concatenation_of_a_network_input_is_a_copy)
{
    net n = net_begin(8, 8, 32, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_conv(&n, 64, 1, 1, 1, 1, NW_ACT_NONE);
    net_concat(&n, input, 3);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv copy");
    /* it moves all 32 + 64 channels in and out: 2 x 8*8*96 bytes */
    nw_device_cost cost;
    nw_device_estimate(hw, &kernel_of_kind(kernels, NW_KERNEL_COPY)->shape, &cost);
    ck_assert_int_eq(cost.sram_bytes, 2 * 8 * 8 * 96);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_split_writes_as_much_as_it_reads)
{
    net n = net_begin(8, 8, 64, NW_DTYPE_INT8);
    nw_tensor_id parts[2], in[1] = {n.at};
    for (int i = 0; i < 2; i++)
        parts[i] = nw_graph_add_tensor(n.graph, i ? "right" : "left", NW_DTYPE_INT8, NULL);
    nw_graph_add_node(n.graph, NW_OP_SPLIT, "split", "SPLIT", in, 1, parts, 2)->attrs.axis = 3;
    nw_graph_add_output(n.graph, parts[0]);
    n.at = parts[1];
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_device_cost cost;
    nw_device_estimate(hw, &kernels->kernels[0].shape, &cost);
    ck_assert_int_eq(cost.sram_bytes, 2 * 8 * 8 * 64);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_slice_reads_only_what_it_keeps)
{
    net n = net_begin(64, 8, 32, NW_DTYPE_INT8);
    int64_t ends[12] = {0, 0, 0, 0, 1, 16, 8, 32, 0, 1, 2, 3};
    nw_tensor_id in[1] = {n.at};
    nw_node *node = net_layer(&n, NW_OP_SLICE, "Slice", in, 1);
    int64_t *copy = nw_graph_alloc(n.graph, sizeof ends);
    memcpy(copy, ends, sizeof ends);
    node->attrs.has_ints = true;
    node->attrs.ints = copy;
    node->attrs.n_ints = 12;
    node->attrs.n_axes = 4;
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_device_cost cost;
    nw_device_estimate(hw, &kernel_of_kind(kernels, NW_KERNEL_COPY)->shape, &cost);
    ck_assert_int_eq(cost.sram_bytes, 2 * 16 * 8 * 32); /* 16 of 64 rows, in and out */
    FREE_ALL(graph, hw, kernels);
}
END_TEST

/* ---- quantised networks as ONNX writes them ---- */

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
        /* torch quantises networks with one bias an operator more or less */
        a->bias_elements = b->bias_elements = 0;
        ck_assert_msg(memcmp(a, b, sizeof *a) == 0, "product %d differs", i);
    }
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

/* ---- shapes ---- */

START_TEST(a_product_of_two_maps_is_sized_by_the_larger)
{
    /* squeeze-and-excite, with the gate as first or as second factor: one full map is read */
    for (int gate_first = 0; gate_first < 2; gate_first++) {
        net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
        nw_tensor_id map = n.at;
        net_global_pool(&n);
        nw_tensor_id gate = n.at;
        layer2(&n, NW_OP_MUL, gate_first ? gate : map, gate_first ? map : gate);
        nw_graph *graph = net_end(&n);
        nw_hw *hw = load_hw("ne32");
        nw_kernels *kernels = split_on(graph, hw, NULL);
        const nw_kernel_part *part = &kernel_of_kind(kernels, NW_KERNEL_MUL)->shape.parts[0];
        ck_assert(part->in_h == 16 && part->in_w == 16 && part->in_c == 32);
        ck_assert_int_eq(kernel_of_kind(kernels, NW_KERNEL_MUL)->shape.n_maps, 1);
        FREE_ALL(graph, hw, kernels);
    }
}
END_TEST

START_TEST(each_head_of_an_attention_has_operands_of_its_own)
{
    /* 4 heads of 10 x 16 times 16 x 10: 4 * 10*16*10 MACs, second operand 4 * 16*10 bytes */
    net n = net_begin_nchw(10, 16, 4, NW_DTYPE_FLOAT32);
    nw_tensor_id a = n.at;
    net_transpose(&n, 0, 1, 3, 2);
    layer2(&n, NW_OP_MATMUL, a, n.at);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    const nw_kernel_part *part = &kernel_of_kind(kernels, NW_KERNEL_MATMUL)->shape.parts[0];
    ck_assert(part->in_h == 4 && part->in_w == 10 && part->in_c == 16 && part->out_c == 10);
    ck_assert_int_eq(nw_kernel_shape_macs(&kernel_of_kind(kernels, NW_KERNEL_MATMUL)->shape),
                     4 * 10 * 16 * 10);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

static int64_t kernel_macs(const nw_kernels *kernels)
{
    int64_t sum = 0;
    for (int i = 0; i < kernels->n_kernels; i++)
        sum += nw_kernel_shape_macs(&kernels->kernels[i].shape);
    return sum;
}

/* A network of one product: input sizes, weight sizes (O,I,H,W; transposed I,O,H,W), MACs. */
static const struct {
    nw_op op;
    int x_rank;
    int64_t x[4];
    int w_rank;
    int64_t w[4];
    int groups, stride;
    int64_t macs;
} products[] = {
    /* batch 3: 3 * 8*8 pixels * 9 taps * 4*5 */
    {NW_OP_CONV2D, 4, {3, 4, 8, 8}, 4, {5, 4, 3, 3}, 1, 1, 3 * 64 * 9 * 20},
    /* 2 groups of 4 -> 6: 64 pixels * 9 taps * 12 outputs * 4 inputs */
    {NW_OP_CONV2D, 4, {1, 8, 8, 8}, 4, {12, 4, 3, 3}, 2, 1, 64 * 9 * 12 * 4},
    /* depthwise with multiplier 2: 64 * 9 * 16 */
    {NW_OP_CONV2D, 4, {1, 8, 8, 8}, 4, {16, 1, 3, 3}, 8, 1, 64 * 9 * 16},
    /* a row of 50 samples, 8 -> 12 channels, 5 taps */
    {NW_OP_CONV2D, 3, {1, 8, 50}, 3, {12, 8, 5}, 1, 1, 50 * 5 * 96},
    /* each of 8*8 inputs meets 16 taps and 6 outputs */
    {NW_OP_CONV_TRANSPOSE, 4, {1, 8, 8, 8}, 4, {8, 6, 4, 4}, 1, 2, 64 * 8 * 16 * 6},
    /* two groups of it */
    {NW_OP_CONV_TRANSPOSE, 4, {1, 8, 8, 8}, 4, {8, 3, 4, 4}, 2, 2, 64 * 8 * 16 * 3},
};

START_TEST(multiply_accumulates_of_unusual_products_add_up)
{
    net n = {.graph = nw_graph_new("test", NW_LAYOUT_NCHW), .dtype = NW_DTYPE_FLOAT32};
    nw_shape x = {.rank = products[_i].x_rank};
    memcpy(x.dims, products[_i].x, sizeof products[_i].x);
    n.at = nw_graph_add_tensor(n.graph, "input", NW_DTYPE_FLOAT32, &x);
    nw_graph_add_input(n.graph, n.at);
    const int64_t *w = products[_i].w;
    nw_tensor_id in[2] = {
        n.at, net_constant(&n, NW_DTYPE_FLOAT32, products[_i].w_rank, w[0], w[1], w[2], w[3])};
    nw_node *node = net_layer(&n, products[_i].op, "Conv", in, 2);
    node->attrs.groups = products[_i].groups;
    node->attrs.stride_h = node->attrs.stride_w = products[_i].stride;
    node->attrs.pad_mode = NW_PAD_SAME_UPPER;
    if (products[_i].op == NW_OP_CONV_TRANSPOSE)
        node->attrs.weight_layout = NW_WEIGHTS_IOHW;
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_counts counts;
    nw_graph_count(graph, &counts);
    ck_assert_int_eq(counts.macs, products[_i].macs);
    ck_assert_int_eq(kernel_macs(kernels), products[_i].macs);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

/* ---- properties ---- */

static void check_every_node_has_one_kernel(const nw_graph *graph, const nw_kernels *kernels)
{
    int *n_kernels = calloc((size_t)graph->n_nodes + 1, sizeof *n_kernels);
    for (int i = 0; i < kernels->n_kernels; i++)
        for (int k = 0; k < kernels->kernels[i].n_nodes; k++)
            n_kernels[kernels->kernels[i].nodes[k]]++;
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        bool is_known = true;
        for (int k = 0; k < graph->nodes[id].n_outputs; k++)
            if (graph->nodes[id].outputs[k] != NW_NONE) {
                const nw_tensor *t = &graph->tensors[graph->nodes[id].outputs[k]];
                is_known = is_known && (t->is_const || t->ints || t->floats);
            }
        ck_assert_msg(n_kernels[id] == !is_known, "%s: node %d is in %d kernels", graph->name,
                      (int)id, n_kernels[id]);
    }
    free(n_kernels);
}

static void check_reads_follow_writes(const nw_graph *graph, const nw_kernels *kernels)
{
    uint8_t *is_there = calloc((size_t)graph->n_tensors + 1, 1);
    for (int i = 0; i < graph->n_inputs; i++)
        is_there[graph->inputs[i]] = 1;
    for (int i = 0; i < kernels->n_kernels; i++) {
        const nw_kernel *kernel = &kernels->kernels[i];
        for (int k = 0; k < kernel->n_reads; k++)
            ck_assert_msg(is_there[kernel->reads[k]], "%s: kernel %d reads '%s' too early",
                          graph->name, i, graph->tensors[kernel->reads[k]].name);
        for (int k = 0; k < kernel->n_writes; k++) {
            ck_assert(!is_there[kernel->writes[k]]);
            is_there[kernel->writes[k]] = 1;
        }
    }
    for (int i = 0; i < graph->n_outputs; i++) {
        const nw_tensor *t = &graph->tensors[graph->outputs[i]];
        ck_assert(is_there[graph->outputs[i]] || t->is_const || t->ints || t->floats);
    }
    free(is_there);
}

static const char *const hw_names[] = {"ne16",          "ne32",         "ne64",     "u55-128",
                                       "u55-256",       "u65-512",      "u85-1024", "dpu-b4096",
                                       "systolic16-ws", "systolic16-os"};
#define N_HW ((int)(sizeof hw_names / sizeof *hw_names))

static void check_properties(const nw_graph *graph, const nw_hw *hw)
{
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_counts counts;
    int64_t host_macs = 0;
    check_every_node_has_one_kernel(graph, kernels);
    check_reads_follow_writes(graph, kernels);
    nw_graph_count(graph, &counts);
    for (int i = 0; i < kernels->n_kernels; i++) {
        nw_geometry g;
        for (int k = 0; k < kernels->kernels[i].n_nodes; k++)
            if (kernels->kernels[i].shape.parts[0].kind == NW_KERNEL_HOST &&
                nw_node_geometry(graph, kernels->kernels[i].nodes[k], &g))
                host_macs += g.macs;
    }
    ck_assert_int_eq(kernel_macs(kernels) + host_macs, counts.macs);
    nw_kernels_free(kernels);
}

START_TEST(kernels_cover_real_networks_exactly)
{
    nw_hw *hw = load_hw(hw_names[_i]);
    for (int i = 0; model_files[i]; i++) {
        nw_graph *graph = load_model(model_files[i]);
        if (!graph)
            continue;
        check_properties(graph, hw);
        nw_graph_free(graph);
    }
    nw_hw_free(hw);
}
END_TEST

START_TEST(kernels_cover_random_networks_exactly)
{
    nw_hw *hw = load_hw(hw_names[_i]);
    for (int rules = 0; rules < 4; rules++) {
        hw->fusion.dw_pw = rules & 1;
        hw->fusion.conv_add = rules & 2;
        hw->fusion.pool = rules & 1;
        for (unsigned seed = 0; seed < 150; seed++) {
            nw_graph *graph = random_net(seed, seed & 1 ? NW_DTYPE_INT8 : NW_DTYPE_FLOAT32);
            check_properties(graph, hw);
            nw_graph_free(graph);
        }
    }
    nw_hw_free(hw);
}
END_TEST

/* ---- where tensors live ---- */

START_TEST(what_does_not_fit_lives_in_dram_and_costs_traffic)
{
    /* 3 maps of 32*32*32 = 32 KiB: conv a -> b -> c. With room for two and the weights all stays on
     * chip; with room for one and a half everything spills; each byte then crosses once per reader,
     * writer */
    net n = net_begin(32, 32, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    for (int fits = 0; fits < 2; fits++) {
        hw->sram.bytes = fits ? 76 << 10 : 48 << 10;
        nw_kernels *kernels = split_on(graph, hw, NULL);
        for (int i = 0; i < 2; i++) {
            const nw_kernel *k = &kernels->kernels[i];
            ck_assert_int_eq(k->live_bytes, 64 << 10);
            ck_assert_int_eq(k->shape.in_place, fits ? NW_PLACE_SRAM : NW_PLACE_DRAM);
            ck_assert_int_eq(k->shape.out_place, fits ? NW_PLACE_SRAM : NW_PLACE_DRAM);
            nw_device_cost cost;
            nw_device_estimate(hw, &k->shape, &cost);
            /* weights 9*32*32 and 32 biases of 4 bytes, streamed once when they fit beside */
            if (fits)
                ck_assert_int_eq(cost.dram_bytes, 9 * 32 * 32 + 128);
            else
                ck_assert_int_ge(cost.dram_bytes, (64 << 10) + 9 * 32 * 32 + 128);
        }
        nw_kernels_free(kernels);
    }
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

static void check_spilled_operands(nw_op op, int64_t traffic)
{
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id left = n.at;
    n.at = input;
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    layer2(&n, op, left, n.at);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    hw->fusion.conv_add = false;
    hw->sram.bytes = 4096;
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_device_cost cost;
    nw_device_estimate(hw, &kernels->kernels[kernels->n_kernels - 1].shape, &cost);
    ck_assert_int_eq(cost.dram_bytes, traffic);
    FREE_ALL(graph, hw, kernels);
}

START_TEST(spilled_operands_are_all_fetched)
{
    /* maps of 16*16*32 = 8 KiB: two read, one written */
    check_spilled_operands(NW_OP_ADD, 3 * 8192);
    check_spilled_operands(NW_OP_MUL, 3 * 8192);
    check_spilled_operands(NW_OP_MAX, 3 * 8192);
}
END_TEST

START_TEST(both_operands_of_a_spilled_matrix_product_are_fetched)
{
    /* 16 rows * 64 by 64 * 16 columns, twice: 1 x 2 x 16 x 64 */
    net n = net_begin_nchw(64, 64, 2, NW_DTYPE_FLOAT32);
    nw_tensor_id a = n.at;
    net_unary(&n, NW_OP_RELU);
    layer2(&n, NW_OP_MATMUL, a, n.at);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    hw->sram.bytes = 4096;
    nw_kernels *kernels = split_on(graph, hw, NULL);
    const nw_kernel_shape *shape = &kernel_of_kind(kernels, NW_KERNEL_MATMUL)->shape;
    ck_assert_int_eq(shape->in_place, NW_PLACE_DRAM);
    ck_assert_int_eq(shape->residual_place, NW_PLACE_DRAM);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_residual_that_is_also_the_convolutions_input_is_not_overwritten)
{
    /* x + conv3x3(x): the convolution still reads rows of x below the one it writes, so input map
     * and result are both live: 2 x 16*16*32 at the convolution */
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id x = n.at;
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_add(&n, x, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv conv+add");
    ck_assert_int_eq(kernels->kernels[1].live_bytes, 2 * 16 * 16 * 32);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(only_what_reads_the_networks_input_is_first)
{
    /* the second convolution reads an output of the network, the third adds the input at its end:
     * neither reads the input as its map */
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    nw_graph_add_output(n.graph, n.at);
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    net_add(&n, input, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv conv conv+add");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(kernels->kernels[i].shape.is_first, i == 0);
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
        reshape_and_flatten_are_free,
        turning_an_onnx_map_to_height_width_channels_is_free,
        turning_a_map_any_other_way_is_a_copy,
        a_transpose_that_only_moves_axes_of_size_one_is_free,
        a_concatenation_is_free_when_nobody_else_reads_its_inputs,
        a_concatenation_of_a_network_input_is_a_copy,
        a_split_writes_as_much_as_it_reads,
        a_slice_reads_only_what_it_keeps,
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
        neighbouring_host_operators_are_one_run,
        what_exceeds_a_limit_goes_to_the_host_and_names_it,
        a_kernel_below_the_smallest_goes_to_the_host,
        a_slow_operator_is_its_own_kernel_at_its_own_rate,
        a_float_network_on_integer_hardware_is_assumed_to_be_int8,
        an_integer_network_keeps_its_type_unless_asked,
        a_product_of_two_maps_is_sized_by_the_larger,
        each_head_of_an_attention_has_operands_of_its_own,
        what_does_not_fit_lives_in_dram_and_costs_traffic,
        spilled_operands_are_all_fetched,
        both_operands_of_a_spilled_matrix_product_are_fetched,
        a_residual_that_is_also_the_convolutions_input_is_not_overwritten,
        only_what_reads_the_networks_input_is_first,
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        tcase_add_test(tests, list[i]);
    tcase_add_loop_test(tests, a_float_network_and_its_quantised_sibling_have_the_same_products, 0,
                        (int)(sizeof siblings / sizeof *siblings));
    tcase_add_loop_test(tests, multiply_accumulates_of_unusual_products_add_up, 0,
                        (int)(sizeof products / sizeof *products));
    tcase_add_loop_test(tests, kernels_cover_real_networks_exactly, 0, N_HW);
    tcase_add_loop_test(tests, kernels_cover_random_networks_exactly, 0, N_HW);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
