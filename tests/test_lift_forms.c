/* Lifting: the forms that files give to the same block: quantised, padded, turned, activations and
 * gates written out. */
#include <check.h>
#include <stdlib.h>

#include "tests/support_lift.h"

static void quantised_conv(net *n, int c_out, int kernel, int groups, bool relu)
{
    nw_tensor_id map = n->at;
    n->at = net_constant(n, NW_DTYPE_INT8, 4, c_out, n->c / groups, kernel, kernel);
    net_dequantize(n, NW_DTYPE_FLOAT32);
    nw_tensor_id in[3] = {map, n->at, net_constant(n, NW_DTYPE_FLOAT32, 1, c_out, 0, 0, 0)};
    nw_node *node = net_layer(n, NW_OP_CONV2D, "Conv", in, 3);
    node->attrs.pad_mode = NW_PAD_SAME_UPPER;
    node->attrs.groups = groups;
    n->c = c_out;
    if (relu)
        net_one(n, NW_OP_RELU);
}

/* Q and DQ around every map, weights behind a DQ of their own; shares: one DQ of the input feeds
 * both the block and its add, or each has its own. */
START_TEST(quantisers_belong_to_the_block)
{
    for (int shares = 0; shares < 2; shares++) {
        net n = net_begin_nchw(8, 8, 16, NW_DTYPE_FLOAT32);
        net_quantize(&n, NW_DTYPE_INT8, 0.1, 0);
        nw_tensor_id stored = n.at;
        net_dequantize(&n, NW_DTYPE_FLOAT32);
        nw_tensor_id in = n.at;
        quantised_conv(&n, 64, 1, 1, true);
        net_requantize(&n);
        quantised_conv(&n, 64, 3, 64, true);
        net_requantize(&n);
        quantised_conv(&n, 16, 1, 1, false);
        net_requantize(&n);
        nw_tensor_id out = n.at;
        n.at = stored;
        if (shares)
            n.at = in;
        else
            net_dequantize(&n, NW_DTYPE_FLOAT32);
        net_two(&n, NW_OP_ADD, n.at, out);
        net_requantize(&n);
        const nw_arch *arch = lift_net(&n);
        int n_blocks;
        nw_arch_blocks(arch, &n_blocks);
        /* what quantises the network's input stands before the fork */
        check_kinds(arch, "op ibn");
        const nw_block *b = block_at(arch, 1);
        check_block(b, "ibn k3 s1 e4 16->16 res");
        ck_assert_int_eq(b->params, 16 * 64 + 64 + 9 * 64 + 64 + 64 * 16 + 16);
        ck_assert_int_eq(b->out, n.at);
        nw_arch_release(arch);
    }
}
END_TEST

START_TEST(half_precision_weights_and_padding_belong_to_their_convolution)
{
    net n = net_begin(15, 15, 8, NW_DTYPE_FLOAT32);
    net_pad(&n, 0, 0, 1, 1);
    nw_tensor_id map = n.at;
    n.at = net_constant(&n, NW_DTYPE_FLOAT16, 4, 1, 3, 3, 8);
    net_dequantize(&n, NW_DTYPE_FLOAT32);
    nw_tensor_id in[2] = {map, n.at};
    nw_node *node = net_layer(&n, NW_OP_CONV2D, "DEPTHWISE_CONV_2D", in, 2);
    node->attrs = (nw_attrs){.stride_h = 2,
                             .stride_w = 2,
                             .dilation_h = 1,
                             .dilation_w = 1,
                             .pad_mode = NW_PAD_VALID,
                             .weight_layout = NW_WEIGHTS_HWIO};
    node->act = NW_ACT_RELU;
    n.h = n.w = 7;
    net_conv(&n, 12, 1, 1, 1, 1, NW_ACT_RELU);
    const nw_arch *arch = lift_net(&n);
    const nw_block *b = only_block(arch);
    check_block(b, "dsep k3 s2 8->12");
    ck_assert_int_eq(b->in_h, 15);
    ck_assert_int_eq(b->out_h, 7);
    ck_assert_int_eq(b->params, 9 * 8 + 8 * 12 + 12);
    nw_arch_release(arch);
}
END_TEST

/* Space to batch, a valid convolution, batch to space: one that dilates (TensorFlow). */
START_TEST(a_convolution_on_batches_of_pixels_dilates)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_FLOAT32);
    nw_tensor_id block = net_constant(&n, NW_DTYPE_INT32, 1, 2, 0, 0, 0);
    nw_tensor_id pads = net_constant(&n, NW_DTYPE_INT32, 2, 2, 2, 0, 0);
    nw_tensor_id crops = net_constant(&n, NW_DTYPE_INT32, 2, 2, 2, 0, 0);
    static const int32_t two[2] = {2, 2}, around[4] = {2, 2, 2, 2}, none[4] = {0};
    nw_graph_set_data(n.graph, block, two, sizeof two, -1);
    nw_graph_set_data(n.graph, pads, around, sizeof around, -1);
    nw_graph_set_data(n.graph, crops, none, sizeof none, -1);
    nw_tensor_id before[3] = {n.at, block, pads};
    net_layer(&n, NW_OP_SPACE_TO_BATCH, "SPACE_TO_BATCH_ND", before, 3);
    net_depthwise(&n, 3, 1, NW_ACT_NONE);
    n.graph->nodes[n.graph->n_nodes - 1].attrs.pad_mode = NW_PAD_VALID;
    nw_tensor_id behind[3] = {n.at, block, crops};
    net_layer(&n, NW_OP_BATCH_TO_SPACE, "BATCH_TO_SPACE_ND", behind, 3);
    net_one(&n, NW_OP_RELU6);
    net_conv(&n, 24, 1, 1, 1, 1, NW_ACT_RELU);
    const nw_arch *arch = lift_net(&n);
    const nw_block *b = only_block(arch);
    check_block(b, "dsep k3 s1 d2 8->24");
    ck_assert_int_eq(b->in_h, 16);
    ck_assert_int_eq(b->out_h, 16);
    ck_assert_int_eq(b->parts[NW_PART_SPATIAL].act, NW_OP_RELU6);
    nw_arch_release(arch);
}
END_TEST

/* N,C,H,W inside a graph of N,H,W,C: a transpose before and behind each convolution. */
START_TEST(transposes_around_operators_are_passed_over)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_FLOAT32);
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_RELU);
    net_transpose(&n, 0, 3, 1, 2);
    nw_tensor_id in = n.at;
    net_transpose(&n, 0, 2, 3, 1);
    net_conv(&n, 48, 1, 1, 1, 1, NW_ACT_NONE);
    net_transpose(&n, 0, 3, 1, 2);
    net_one(&n, NW_OP_RELU);
    net_transpose(&n, 0, 2, 3, 1);
    net_depthwise(&n, 3, 1, NW_ACT_NONE);
    net_transpose(&n, 0, 3, 1, 2);
    net_one(&n, NW_OP_RELU);
    net_transpose(&n, 0, 2, 3, 1);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    net_transpose(&n, 0, 3, 1, 2);
    net_two(&n, NW_OP_ADD, in, n.at);
    const nw_arch *arch = lift_net(&n);
    check_kinds(arch, "conv ibn");
    check_block(block_at(arch, 1), "ibn k3 s1 e6 8->8 res");
    ck_assert_int_eq(block_at(arch, 1)->in_h, 16);
    nw_arch_release(arch);
}
END_TEST

/* ---- activations ---- */

static void swish(net *n)
{
    nw_tensor_id x = n->at;
    net_two(n, NW_OP_MUL, net_one(n, NW_OP_SIGMOID), x);
}

static void hard_swish_by_gate(net *n)
{
    nw_tensor_id x = n->at;
    net_one(n, NW_OP_HARD_SIGMOID);
    n->graph->nodes[n->graph->n_nodes - 1].attrs.alpha = 1.0f / 6;
    n->graph->nodes[n->graph->n_nodes - 1].attrs.beta = 0.5f;
    net_two(n, NW_OP_MUL, x, n->at);
}

/* x * clip(x + 3, 0, 6) / 6 */
static void hard_swish_by_clip(net *n)
{
    nw_tensor_id x = n->at;
    net_two(n, NW_OP_ADD, x, net_number(n, 3));
    net_clip6(n);
    net_two(n, NW_OP_MUL, x, n->at);
    net_two(n, NW_OP_DIV, n->at, net_number(n, 6));
}

/* x * (relu6(x + 3) * (1 / 6)), the relu6 inside the addition (TFLite) */
static void hard_swish_by_sixth(net *n)
{
    nw_tensor_id x = n->at;
    net_two(n, NW_OP_ADD, net_number(n, 3), x);
    n->graph->nodes[n->graph->n_nodes - 1].act = NW_ACT_RELU6;
    net_two(n, NW_OP_MUL, n->at, net_number(n, 1.0f / 6));
    net_two(n, NW_OP_MUL, n->at, x);
}

static void hard_sigmoid_by_clip(net *n)
{
    net_two(n, NW_OP_ADD, n->at, net_number(n, 3));
    net_clip6(n);
    net_two(n, NW_OP_DIV, n->at, net_number(n, 6));
}

static void prelu(net *n)
{
    nw_tensor_id in[2] = {n->at, net_constant(n, NW_DTYPE_FLOAT32, 1, n->c, 0, 0, 0)};
    net_layer(n, NW_OP_PRELU, "PRelu", in, 2);
}

static void relu_by_clip(net *n)
{
    nw_tensor_id in[2] = {n->at, net_number(n, 0)};
    net_layer(n, NW_OP_CLIP, "Clip", in, 2);
}

static void quantised_hard_swish(net *n)
{
    net_requantize(n);
    nw_tensor_id x = n->at;
    net_one(n, NW_OP_HARD_SIGMOID);
    n->graph->nodes[n->graph->n_nodes - 1].attrs.alpha = 1.0f / 6;
    net_requantize(n);
    net_two(n, NW_OP_MUL, x, n->at);
    net_requantize(n);
}

START_TEST(activations_are_recognised_in_all_their_forms)
{
    static const struct {
        void (*build)(net *n);
        nw_op act;
    } forms[] = {{net_clip6, NW_OP_RELU6},
                 {relu_by_clip, NW_OP_RELU},
                 {swish, NW_OP_SWISH},
                 {hard_swish_by_gate, NW_OP_HARD_SWISH},
                 {hard_swish_by_clip, NW_OP_HARD_SWISH},
                 {hard_swish_by_sixth, NW_OP_HARD_SWISH},
                 {quantised_hard_swish, NW_OP_HARD_SWISH},
                 {hard_sigmoid_by_clip, NW_OP_HARD_SIGMOID},
                 {prelu, NW_OP_PRELU}};
    static const nw_op ops[] = {NW_OP_RELU,  NW_OP_RELU6,      NW_OP_HARD_SWISH,
                                NW_OP_SWISH, NW_OP_LEAKY_RELU, NW_OP_GELU};
    for (size_t i = 0; i < 9 + sizeof ops / sizeof *ops; i++) {
        net n = net_begin(16, 16, 8, NW_DTYPE_FLOAT32);
        net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
        if (i < 9)
            forms[i].build(&n);
        else
            net_one(&n, ops[i - 9]);
        net_global_pool(&n);
        const nw_arch *arch = lift_net(&n);
        check_kinds(arch, "conv pool");
        const nw_block_part *part = &block_at(arch, 0)->parts[NW_PART_SPATIAL];
        ck_assert_int_eq(part->act, i < 9 ? forms[i].act : ops[i - 9]);
        ck_assert_ptr_eq(nw_arch_block_of(arch, part->act_node), block_at(arch, 0));
        ck_assert_int_eq(part->out, block_at(arch, 1)->in);
        nw_arch_release(arch);
    }
}
END_TEST

START_TEST(x_times_another_sigmoid_is_no_swish)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_FLOAT32);
    nw_tensor_id in = n.at;
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    nw_tensor_id x = n.at;
    n.at = in;
    net_one(&n, NW_OP_SIGMOID);
    net_two(&n, NW_OP_MUL, x, n.at);
    net_global_pool(&n);
    const nw_arch *arch = lift_net(&n);
    int n_blocks;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    for (int i = 0; i < n_blocks; i++)
        ck_assert_int_eq(blocks[i].parts[NW_PART_SPATIAL].act, NW_OP_IDENTITY);
    nw_arch_release(arch);
}
END_TEST

/* ---- squeeze-and-excite ---- */

/* A mean over the axes, fully connected layers, a hard sigmoid written out, a reshape. */
static void squeeze_by_products(net *n, int inner)
{
    net map = *n;
    nw_tensor_id in[1] = {n->at};
    nw_node *mean = net_layer(n, NW_OP_REDUCE, "ReduceMean", in, 1);
    int64_t *axes = nw_graph_alloc(n->graph, 2 * sizeof *axes);
    axes[0] = n->graph->layout == NW_LAYOUT_NCHW ? 2 : 1;
    axes[1] = axes[0] + 1;
    mean->attrs.has_ints = true;
    mean->attrs.ints = axes;
    mean->attrs.n_ints = 2;
    mean->attrs.keep_dims = false;
    mean->attrs.reduce = NW_REDUCE_MEAN;
    n->h = n->w = 1;
    net_fc(n, inner, NW_ACT_RELU);
    net_fc(n, map.c, NW_ACT_NONE);
    hard_sigmoid_by_clip(n);
    if (n->graph->layout == NW_LAYOUT_NCHW)
        net_reshape(n, 4, 1, map.c, 1, 1);
    else
        net_reshape(n, 4, 1, 1, 1, map.c);
    net_two(n, NW_OP_MUL, n->at, map.at);
    n->h = map.h;
    n->w = map.w;
}

START_TEST(squeeze_and_excite_is_recognised_in_all_its_forms)
{
    for (int form = 0; form < 4; form++) {
        net n = net_begin_nchw(16, 16, 8, NW_DTYPE_FLOAT32);
        net_onnx_conv_norm(&n, 48, 1, 1, 1, NW_OP_RELU);
        net_onnx_conv_norm(&n, 48, 3, 2, 48, form == 2 ? NW_OP_IDENTITY : NW_OP_RELU);
        nw_tensor_id x = n.at;
        net map = n;
        if (form == 0) {
            squeeze_by_products(&n, 12);
        } else {
            net_global_pool(&n);
            net_onnx_conv(&n, 12, 1, 1, 1);
            swish(&n);
            net_onnx_conv(&n, 48, 1, 1, 1);
            net_one(&n, form == 1 ? NW_OP_HARD_SIGMOID : NW_OP_SIGMOID);
            if (form == 3)
                net_requantize(&n);
            net_two(&n, NW_OP_MUL, x, n.at);
        }
        n.h = map.h;
        n.w = map.w;
        if (form == 2)
            net_one(&n, NW_OP_RELU); /* behind the product */
        net_onnx_conv_norm(&n, 16, 1, 1, 1, NW_OP_IDENTITY);
        const nw_arch *arch = lift_net(&n);
        const nw_block *b = only_block(arch);
        check_block(b, "ibn k3 s2 e6 8->16 se12");
        ck_assert_int_eq(b->parts[NW_PART_SPATIAL].act, NW_OP_RELU);
        ck_assert_int_eq(b->parts[NW_PART_SQUEEZE].act, form ? NW_OP_SWISH : NW_OP_RELU);
        ck_assert_int_ne(b->parts[NW_PART_EXCITE].conv, NW_NONE);
        nw_arch_release(arch);
    }
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, quantisers_belong_to_the_block);
    tcase_add_test(tests, half_precision_weights_and_padding_belong_to_their_convolution);
    tcase_add_test(tests, a_convolution_on_batches_of_pixels_dilates);
    tcase_add_test(tests, transposes_around_operators_are_passed_over);
    tcase_add_test(tests, activations_are_recognised_in_all_their_forms);
    tcase_add_test(tests, x_times_another_sigmoid_is_no_swish);
    tcase_add_test(tests, squeeze_and_excite_is_recognised_in_all_its_forms);
}

int main(void)
{
    Suite *suite = suite_create("lift_forms");
    TCase *tests = tcase_create("lift_forms");
    add_tests(tests);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
