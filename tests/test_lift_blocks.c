/* Lifting: every kind of block, built by hand; parameters and MACs by hand. */
#include <check.h>
#include <stdlib.h>

#include "tests/support_lift.h"

/* ---- inverted bottlenecks ---- */

START_TEST(an_inverted_bottleneck_as_tflite_has_it)
{
    net n = net_begin(16, 16, 16, NW_DTYPE_FLOAT32);
    nw_tensor_id in = n.at;
    net_inverted_bottleneck(&n, 16, 6, 3, 1, 24);
    const nw_arch *arch = lift_net(&n);
    const nw_block *b = only_block(arch);
    check_block(b, "ibn k3 s1 e6 16->16 se24 res");
    ck_assert_int_eq(b->in, in);
    ck_assert_int_eq(b->out, n.at);
    ck_assert_int_eq(b->mid_c, 96);
    ck_assert_int_eq(b->groups, 96);
    ck_assert_double_eq(b->expansion, 6);
    ck_assert_int_eq(b->params, (16 * 96 + 96) + (9 * 96 + 96) + (96 * 24 + 24) + (24 * 96 + 96) +
                                    (96 * 16 + 16));
    ck_assert_int_eq(b->macs, 256 * (16 * 96 + 9 * 96 + 96 * 16) + 96 * 24 * 2);
    ck_assert_int_eq(b->parts[NW_PART_EXPAND].act, NW_OP_RELU6);
    ck_assert_int_eq(b->parts[NW_PART_EXPAND].act_node, NW_NONE);
    ck_assert_int_eq(b->parts[NW_PART_EXCITE].act, NW_OP_SIGMOID);
    ck_assert_int_eq(b->parts[NW_PART_PROJECT].act, NW_OP_IDENTITY);
    ck_assert_double_eq(nw_arch_recognised(arch), 1);
    nw_arch_release(arch);
}
END_TEST

START_TEST(an_inverted_bottleneck_as_onnx_has_it)
{
    for (int order = 0; order < 2; order++) {
        net n = net_begin_nchw(16, 16, 16, NW_DTYPE_FLOAT32);
        nw_tensor_id in = n.at;
        net_onnx_conv_norm(&n, 96, 1, 1, 1, NW_OP_RELU6);
        net_onnx_conv_norm(&n, 96, 5, 1, 96, NW_OP_RELU6);
        net_onnx_conv_norm(&n, 16, 1, 1, 1, NW_OP_IDENTITY);
        net_two(&n, NW_OP_ADD, order ? n.at : in, order ? in : n.at);
        const nw_arch *arch = lift_net(&n);
        const nw_block *b = only_block(arch);
        check_block(b, "ibn k5 s1 e6 16->16 res");
        /* a normalisation has two learned numbers a channel */
        ck_assert_int_eq(b->params, 16 * 96 + 25 * 96 + 96 * 16 + 2 * (96 + 96 + 16));
        const nw_block_part *expand = &b->parts[NW_PART_EXPAND];
        ck_assert_int_eq(expand->act, NW_OP_RELU6);
        ck_assert_int_eq(nw_arch_graph(arch)->nodes[expand->norm].op, NW_OP_BATCH_NORM);
        ck_assert_int_eq(nw_arch_graph(arch)->nodes[expand->act_node].op, NW_OP_CLIP);
        nw_arch_release(arch);
    }
}
END_TEST

/* SSDLite reads the expansion of an inverted bottleneck: the rest is separable. */
START_TEST(an_inverted_bottleneck_that_is_tapped_is_none)
{
    net n = net_begin(16, 16, 16, NW_DTYPE_FLOAT32);
    net_conv(&n, 96, 1, 1, 1, 1, NW_ACT_RELU6);
    net tap = n;
    net_depthwise(&n, 3, 2, NW_ACT_RELU6);
    net_conv(&n, 24, 1, 1, 1, 1, NW_ACT_NONE);
    nw_graph_add_output(n.graph, n.at);
    nw_tensor_id end = n.at;
    n.at = tap.at;
    net_one(&n, NW_OP_TANH);
    const nw_arch *arch = lift_net(&n);
    ck_assert_int_ne(end, NW_NONE);
    check_block(block_at(arch, 0), "conv k1 s1 16->96");
    int n_blocks, n_separable = 0;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    for (int i = 0; i < n_blocks; i++)
        n_separable += blocks[i].parts[NW_PART_PROJECT].conv != NW_NONE;
    ck_assert_int_eq(n_separable, 1);
    nw_arch_release(arch);
}
END_TEST

/* ---- the other blocks ---- */

START_TEST(separable_convolutions)
{
    net n = net_begin_nchw(16, 16, 8, NW_DTYPE_FLOAT32);
    net_onnx_conv_norm(&n, 8, 3, 2, 8, NW_OP_RELU);
    net_onnx_conv_norm(&n, 24, 1, 1, 1, NW_OP_RELU);
    net_global_pool(&n);
    const nw_arch *arch = lift_net(&n);
    check_kinds(arch, "dsep pool");
    check_block(block_at(arch, 0), "dsep k3 s2 8->24");
    ck_assert_int_eq(block_at(arch, 0)->params, 9 * 8 + 16 + 8 * 24 + 48);
    ck_assert_int_eq(block_at(arch, 0)->mid_c, 8);
    nw_arch_release(arch);
}
END_TEST

START_TEST(fused_and_grouped_inverted_bottlenecks)
{
    net n = net_begin_nchw(16, 16, 64, NW_DTYPE_FLOAT32);
    nw_tensor_id in = n.at;
    net_onnx_conv_norm(&n, 256, 3, 1, 1, NW_OP_RELU);
    net_onnx_conv_norm(&n, 64, 1, 1, 1, NW_OP_IDENTITY);
    net_two(&n, NW_OP_ADD, in, n.at);
    check_only(&n, "fused k3 s1 e4 64->64 res");

    n = net_begin_nchw(16, 16, 64, NW_DTYPE_FLOAT32);
    net_onnx_conv_norm(&n, 64, 3, 1, 1, NW_OP_RELU);
    net_onnx_conv_norm(&n, 256, 3, 2, 1, NW_OP_RELU);
    net_onnx_conv_norm(&n, 128, 1, 1, 1, NW_OP_IDENTITY);
    net_global_pool(&n);
    const nw_arch *arch = lift_net(&n);
    check_kinds(arch, "conv fused pool");
    check_block(block_at(arch, 1), "fused k3 s2 e4 64->128");
    ck_assert_int_eq(block_at(arch, 1)->params, 9 * 64 * 256 + 512 + 256 * 128 + 256);
    nw_arch_release(arch);

    n = net_begin_nchw(16, 16, 128, NW_DTYPE_FLOAT32);
    in = n.at;
    net_onnx_conv_norm(&n, 256, 3, 1, 2, NW_OP_RELU);
    net_onnx_conv_norm(&n, 128, 1, 1, 1, NW_OP_IDENTITY);
    net_two(&n, NW_OP_ADD, in, n.at);
    check_only(&n, "fused_grouped k3 s1 e2 g2 128->128 res");

    n = net_begin_nchw(16, 16, 32, NW_DTYPE_FLOAT32);
    net_onnx_conv_norm(&n, 128, 1, 1, 1, NW_OP_RELU);
    net_onnx_conv_norm(&n, 128, 3, 2, 2, NW_OP_RELU);
    net_onnx_conv_norm(&n, 48, 1, 1, 1, NW_OP_IDENTITY);
    check_only(&n, "grouped k3 s2 e4 g2 32->48");
}
END_TEST

/* Fusing MCUNet's blocks gives some that end wider than their expansion. */
START_TEST(a_fused_block_expands_whatever_it_ends_with)
{
    static const struct {
        int mid_c, out_c;
        const char *kinds;
    } cases[] = {{128, 192, "conv fused pool"}, {64, 192, "conv conv conv pool"}};
    for (int i = 0; i < 2; i++) {
        net n = net_begin_nchw(16, 16, 3, NW_DTYPE_FLOAT32);
        net_onnx_conv_norm(&n, 64, 3, 1, 1, NW_OP_RELU);
        net_onnx_conv_norm(&n, cases[i].mid_c, 3, 2, 1, NW_OP_RELU);
        net_onnx_conv_norm(&n, cases[i].out_c, 1, 1, 1, NW_OP_IDENTITY);
        net_global_pool(&n);
        const nw_arch *arch = lift_net(&n);
        check_kinds(arch, cases[i].kinds);
        nw_arch_release(arch);
    }
}
END_TEST

/* The same convolutions with and without an activation of the sum; ranks need not be equal. */
START_TEST(tucker_is_linear_where_a_bottleneck_has_an_activation)
{
    net n = net_begin_nchw(16, 16, 64, NW_DTYPE_FLOAT32);
    nw_tensor_id in = n.at;
    net_onnx_conv_norm(&n, 16, 1, 1, 1, NW_OP_RELU);
    net_onnx_conv_norm(&n, 48, 3, 1, 1, NW_OP_RELU);
    net_onnx_conv_norm(&n, 64, 1, 1, 1, NW_OP_IDENTITY);
    net_two(&n, NW_OP_ADD, in, n.at);
    const nw_arch *arch = lift_net(&n);
    const nw_block *b = only_block(arch);
    check_block(b, "tucker k3 s1 e0.25 64->64 res");
    ck_assert_int_eq(b->mid_c, 16);
    ck_assert_int_eq(b->rank_out, 48);
    nw_arch_release(arch);

    for (int has_act = 0; has_act < 2; has_act++) {
        n = net_begin_nchw(16, 16, 64, NW_DTYPE_FLOAT32);
        in = n.at;
        net_onnx_conv_norm(&n, 16, 1, 1, 1, NW_OP_RELU);
        net_onnx_conv_norm(&n, 16, 3, 1, 1, NW_OP_RELU);
        net_onnx_conv_norm(&n, 64, 1, 1, 1, NW_OP_IDENTITY);
        net_two(&n, NW_OP_ADD, in, n.at);
        if (has_act)
            net_one(&n, NW_OP_RELU);
        check_only(&n, has_act ? "bottleneck k3 s1 64->64 res" : "tucker k3 s1 e0.25 64->64 res");
    }
}
END_TEST

/* around: 0 nothing, 1 a 1x1, 2 a mean over 2x2 and a 1x1 (ResNet-D) */
static void way_round(net *n, int c_out, int stride, int around, nw_tensor_id in, int c_in)
{
    net main = *n;
    if (!around)
        return;
    n->at = in;
    n->c = c_in;
    n->h *= stride;
    n->w *= stride;
    if (around == 2) {
        nw_tensor_id pooled[1] = {n->at};
        nw_node *pool = net_layer(n, NW_OP_AVERAGE_POOL, "AveragePool", pooled, 1);
        pool->attrs.kernel_h = pool->attrs.kernel_w = stride;
        pool->attrs.stride_h = pool->attrs.stride_w = stride;
        n->h /= stride;
        n->w /= stride;
    }
    net_onnx_conv_norm(n, c_out, 1, around == 2 ? 1 : stride, 1, NW_OP_IDENTITY);
    nw_tensor_id other = n->at;
    *n = (net){n->graph, main.at, main.h, main.w, main.c, main.dtype, n->n_layers};
    net_two(n, NW_OP_ADD, n->at, other);
}

START_TEST(residual_blocks_of_resnet)
{
    static const char *const basic[] = {"basic k3 s1 64->64 res", "basic k3 s2 64->128 res",
                                        "basic k3 s2 64->128 res"};
    static const char *const bottleneck[] = {"bottleneck k3 s1 64->64 res",
                                             "bottleneck k3 s2 64->128 res",
                                             "bottleneck k3 s2 64->128 res"};
    for (int i = 0; i < 6; i++) {
        int around = i % 3, c_out = around ? 128 : 64, stride = around ? 2 : 1;
        net n = net_begin_nchw(16, 16, 64, NW_DTYPE_FLOAT32);
        nw_tensor_id in = n.at;
        if (i < 3) {
            net_onnx_conv_norm(&n, c_out, 3, stride, 1, NW_OP_RELU);
        } else {
            net_onnx_conv_norm(&n, 32, 1, 1, 1, NW_OP_RELU);
            net_onnx_conv_norm(&n, 32, 3, stride, 1, NW_OP_RELU);
        }
        net_onnx_conv_norm(&n, c_out, i < 3 ? 3 : 1, 1, 1, NW_OP_IDENTITY);
        way_round(&n, c_out, stride, around, in, 64);
        if (!around)
            net_two(&n, NW_OP_ADD, n.at, in);
        net_one(&n, NW_OP_RELU);
        const nw_arch *arch = lift_net(&n);
        const nw_block *b = only_block(arch);
        check_block(b, i < 3 ? basic[around] : bottleneck[around]);
        ck_assert_int_eq(b->act, NW_OP_RELU);
        ck_assert_int_eq(b->parts[NW_PART_SHORTCUT].conv != NW_NONE, around > 0);
        int64_t first = i < 3 ? 9 * 64 * c_out + 2 * c_out + 9 * c_out * c_out + 2 * c_out
                              : 64 * 32 + 64 + 9 * 32 * 32 + 64 + 32 * c_out + 2 * c_out;
        ck_assert_int_eq(b->params, first + (around ? 64 * c_out + 2 * c_out : 0));
        nw_arch_release(arch);
    }
}
END_TEST

/* RegNet and ResNeXt: grouped k x k; without an activation of the sum an inverted one. */
START_TEST(a_bottleneck_may_be_grouped)
{
    net n = net_begin_nchw(16, 16, 64, NW_DTYPE_FLOAT32);
    nw_tensor_id in = n.at;
    net_onnx_conv_norm(&n, 64, 1, 1, 1, NW_OP_RELU);
    net_onnx_conv_norm(&n, 64, 3, 1, 4, NW_OP_RELU);
    net_onnx_conv_norm(&n, 64, 1, 1, 1, NW_OP_IDENTITY);
    net_two(&n, NW_OP_ADD, in, n.at);
    net_one(&n, NW_OP_RELU);
    check_only(&n, "bottleneck k3 s1 g4 64->64 res");
}
END_TEST

START_TEST(convolutions_pooling_and_products)
{
    net n = net_begin(32, 32, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 16, 3, 3, 2, 2, NW_ACT_RELU);
    nw_tensor_id pooled[1] = {n.at};
    nw_node *pool = net_layer(&n, NW_OP_MAX_POOL, "MAX_POOL_2D", pooled, 1);
    pool->attrs.kernel_h = pool->attrs.kernel_w = pool->attrs.stride_h = pool->attrs.stride_w = 2;
    n.h = n.w = 8;
    nw_tensor_id in = n.at;
    net_conv(&n, 16, 3, 3, 1, 1, NW_ACT_NONE);
    net_add(&n, in, NW_ACT_RELU); /* EfficientNetV2's cn */
    net_global_pool(&n);
    net_reshape(&n, 2, 1, 16, 0, 0);
    net_fc(&n, 10, NW_ACT_RELU);
    net_softmax(&n);
    const nw_arch *arch = lift_net(&n);
    check_kinds(arch, "conv pool conv pool fc op");
    check_block(block_at(arch, 0), "conv k3 s2 3->16");
    check_block(block_at(arch, 1), "pool k2 s2 16->16");
    check_block(block_at(arch, 2), "conv k3 s1 16->16 res");
    ck_assert_int_eq(block_at(arch, 2)->act, NW_OP_RELU);
    check_block(block_at(arch, 3), "pool k8 s1 16->16");
    check_block(block_at(arch, 4), "fc 16->10");
    ck_assert_int_eq(block_at(arch, 4)->params, 16 * 10 + 10);
    ck_assert_int_eq(block_at(arch, 4)->parts[NW_PART_SPATIAL].act, NW_OP_RELU);
    nw_arch_release(arch);
}
END_TEST

START_TEST(a_product_and_a_sum_are_fully_connected)
{
    net n = net_begin(1, 1, 32, NW_DTYPE_FLOAT32);
    net_reshape(&n, 2, 1, 32, 0, 0);
    net_two(&n, NW_OP_MATMUL, n.at, net_constant(&n, NW_DTYPE_FLOAT32, 2, 32, 10, 0, 0));
    net_two(&n, NW_OP_ADD, net_constant(&n, NW_DTYPE_FLOAT32, 1, 10, 0, 0, 0), n.at);
    net_one(&n, NW_OP_RELU);
    const nw_arch *arch = lift_net(&n);
    const nw_block *b = only_block(arch);
    check_block(b, "fc 32->10");
    ck_assert_int_eq(b->params, 330);
    ck_assert_int_eq(b->parts[NW_PART_SPATIAL].act, NW_OP_RELU);
    nw_arch_release(arch);
}
END_TEST

static void resize(net *n, int h, int w)
{
    int64_t *size = nw_graph_alloc(n->graph, 2 * sizeof *size);
    size[0] = h;
    size[1] = w;
    nw_shape shape = {.rank = 1, .dims = {2}};
    nw_tensor_id list = nw_graph_add_tensor(n->graph, "size", NW_DTYPE_INT64, &shape);
    nw_graph_set_data(n->graph, list, size, 2 * sizeof *size, -1);
    nw_tensor_id in[2] = {n->at, list};
    net_layer(n, NW_OP_RESIZE, "RESIZE_BILINEAR", in, 2)->attrs.resize_form = NW_RESIZE_SIZE_HW;
    n->h = h;
    n->w = w;
}

START_TEST(growing_maps_and_the_head_of_a_segmentation)
{
    net n = net_begin(8, 8, 16, NW_DTYPE_FLOAT32);
    resize(&n, 16, 16);
    net_depthwise(&n, 3, 1, NW_ACT_RELU6);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_RELU6);
    net_conv(&n, 5, 1, 1, 1, 1, NW_ACT_NONE);
    resize(&n, 64, 64);
    net_softmax(&n);
    const nw_arch *arch = lift_net(&n);
    check_kinds(arch, "upsample dsep head");
    check_block(block_at(arch, 0), "upsample x2 16->16");
    check_block(block_at(arch, 2), "head k1 s1 32->5");
    ck_assert_int_eq(block_at(arch, 2)->out, n.at);
    ck_assert_int_eq(block_at(arch, 2)->n_nodes, 3);
    nw_arch_release(arch);
}
END_TEST

/* Two maps, boxes of 4 and 2 classes for each pixel: reshapes to one list of each. */
START_TEST(heads_of_a_detector_share_the_stage_of_their_map)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_FLOAT32);
    nw_tensor_id lists[2][2];
    for (int map = 0; map < 2; map++) {
        net_conv(&n, 16, 3, 3, 2, 2, NW_ACT_RELU);
        net here = n;
        for (int k = 0; k < 2; k++) {
            n.at = here.at;
            n.c = here.c;
            if (k)
                net_depthwise(&n, 3, 1, NW_ACT_RELU);
            net_conv(&n, k ? 2 : 4, 1, 1, 1, 1, NW_ACT_NONE);
            net_reshape(&n, 3, 1, n.h * n.w, k ? 2 : 4, 0);
            lists[k][map] = n.at;
        }
        n.at = here.at;
        n.c = here.c;
    }
    n.at = lists[0][1];
    net_concat(&n, lists[0][0], 1);
    nw_graph_add_output(n.graph, n.at);
    n.at = lists[1][1];
    net_concat(&n, lists[1][0], 1);
    net_one(&n, NW_OP_SIGMOID);
    const nw_arch *arch = lift_net(&n);
    check_kinds(arch, "conv head head conv head head op op");
    const nw_block *boxes = block_at(arch, 1), *classes = block_at(arch, 2);
    check_block(boxes, "head k1 s1 16->4");
    check_block(classes, "head k3 s1 16->2");
    ck_assert_int_eq(boxes->n_nodes, 2);
    ck_assert_int_eq(classes->n_nodes, 3);
    ck_assert_int_ne(classes->parts[NW_PART_PROJECT].conv, NW_NONE);
    ck_assert_int_eq(boxes->stage, classes->stage);
    ck_assert_int_eq(block_at(arch, 4)->stage, block_at(arch, 5)->stage);
    ck_assert_int_ne(boxes->stage, block_at(arch, 4)->stage);
    nw_arch_release(arch);
}
END_TEST

START_TEST(stages_begin_where_the_map_changes)
{
    static const int rows[][3] = {/* channels, stride, stage */ {16, 1, 1},
                                  {24, 2, 2},
                                  {24, 1, 2},
                                  {24, 1, 2},
                                  {32, 1, 3},
                                  {32, 1, 3},
                                  {32, 2, 4}};
    net n = net_begin(64, 64, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 16, 3, 3, 2, 2, NW_ACT_RELU);
    for (int i = 0; i < 7; i++)
        net_inverted_bottleneck(&n, rows[i][0], i ? 4 : 1, 3, rows[i][1], 0);
    net_global_pool(&n);
    const nw_arch *arch = lift_net(&n);
    for (int i = 0; i < 7; i++)
        ck_assert_int_eq(block_at(arch, i + 1)->stage, rows[i][2]);
    ck_assert_ptr_eq(nw_arch_find_block(arch, "2.2"), block_at(arch, 4));
    ck_assert_int_eq(nw_arch_n_stages(arch), 6);
    nw_arch_release(arch);
}
END_TEST

/* ---- what is in no pattern ---- */

START_TEST(neighbours_that_no_pattern_claims_are_a_run)
{
    net n = net_begin(8, 8, 16, NW_DTYPE_FLOAT32);
    net_one(&n, NW_OP_TANH);
    net_one(&n, NW_OP_SIGMOID);
    nw_tensor_id fork = n.at;
    net_one(&n, NW_OP_TANH);
    nw_tensor_id left = n.at;
    n.at = fork;
    net_one(&n, NW_OP_GELU);
    net_two(&n, NW_OP_ADD, left, n.at);
    const nw_arch *arch = lift_net(&n);
    int n_blocks, n_nodes = 0;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    for (int i = 0; i < n_blocks; i++) {
        ck_assert_int_eq(blocks[i].kind, NW_BLOCK_OP);
        n_nodes += blocks[i].n_nodes;
    }
    ck_assert_int_eq(n_blocks, 3);
    ck_assert_int_eq(n_nodes, 5);
    ck_assert_double_eq(nw_arch_recognised(arch), 0);
    nw_arch_release(arch);
}
END_TEST

START_TEST(a_weight_that_two_blocks_share_is_counted_in_the_first)
{
    net n = net_begin(8, 8, 16, NW_DTYPE_FLOAT32);
    nw_tensor_id weight = net_constant(&n, NW_DTYPE_FLOAT32, 4, 16, 3, 3, 16);
    for (int i = 0; i < 2; i++) {
        nw_tensor_id in[2] = {n.at, weight};
        nw_node *node = net_layer(&n, NW_OP_CONV2D, "CONV_2D", in, 2);
        node->attrs.weight_layout = NW_WEIGHTS_OHWI;
        node->attrs.pad_mode = NW_PAD_SAME_UPPER;
        node->act = NW_ACT_RELU;
    }
    net_global_pool(&n);
    const nw_arch *arch = lift_net(&n);
    check_kinds(arch, "conv conv pool");
    ck_assert_int_eq(block_at(arch, 0)->params, 9 * 16 * 16);
    ck_assert_int_eq(block_at(arch, 1)->params, 0);
    ck_assert_int_eq(block_at(arch, 1)->macs, 64 * 9 * 16 * 16);
    nw_arch_release(arch);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, an_inverted_bottleneck_as_tflite_has_it);
    tcase_add_test(tests, an_inverted_bottleneck_as_onnx_has_it);
    tcase_add_test(tests, an_inverted_bottleneck_that_is_tapped_is_none);
    tcase_add_test(tests, separable_convolutions);
    tcase_add_test(tests, fused_and_grouped_inverted_bottlenecks);
    tcase_add_test(tests, a_fused_block_expands_whatever_it_ends_with);
    tcase_add_test(tests, tucker_is_linear_where_a_bottleneck_has_an_activation);
    tcase_add_test(tests, residual_blocks_of_resnet);
    tcase_add_test(tests, a_bottleneck_may_be_grouped);
    tcase_add_test(tests, convolutions_pooling_and_products);
    tcase_add_test(tests, a_product_and_a_sum_are_fully_connected);
    tcase_add_test(tests, growing_maps_and_the_head_of_a_segmentation);
    tcase_add_test(tests, heads_of_a_detector_share_the_stage_of_their_map);
    tcase_add_test(tests, stages_begin_where_the_map_changes);
    tcase_add_test(tests, neighbours_that_no_pattern_claims_are_a_run);
    tcase_add_test(tests, a_weight_that_two_blocks_share_is_counted_in_the_first);
}

int main(void)
{
    Suite *suite = suite_create("lift_blocks");
    TCase *tests = tcase_create("lift_blocks");
    add_tests(tests);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
