#include "tests/support_lift.h"

#include <check.h>
#include <stdio.h>

nw_tensor_id net_number(net *n, float value)
{
    nw_shape shape = {.rank = 0};
    float *bytes = nw_graph_alloc(n->graph, sizeof *bytes);
    *bytes = value;
    nw_tensor_id id = nw_graph_add_tensor(n->graph, "number", NW_DTYPE_FLOAT32, &shape);
    nw_graph_set_data(n->graph, id, bytes, sizeof *bytes, -1);
    return id;
}

void net_onnx_conv(net *n, int c_out, int kernel, int stride, int groups)
{
    nw_tensor_id in[2] = {
        n->at, net_constant(n, NW_DTYPE_FLOAT32, 4, c_out, n->c / groups, kernel, kernel)};
    nw_node *node = net_layer(n, NW_OP_CONV2D, "Conv", in, 2);
    node->attrs.stride_h = node->attrs.stride_w = stride;
    node->attrs.pad_mode = NW_PAD_SAME_UPPER;
    node->attrs.weight_layout = NW_WEIGHTS_OIHW;
    node->attrs.groups = groups;
    n->h = (n->h + stride - 1) / stride;
    n->w = (n->w + stride - 1) / stride;
    n->c = c_out;
}

void net_onnx_norm(net *n)
{
    nw_tensor_id in[5] = {n->at};
    for (int i = 1; i < 5; i++)
        in[i] = net_constant(n, NW_DTYPE_FLOAT32, 1, n->c, 0, 0, 0);
    net_layer(n, NW_OP_BATCH_NORM, "BatchNormalization", in, 5);
}

void net_clip6(net *n)
{
    nw_tensor_id in[3] = {n->at, net_number(n, 0), net_number(n, 6)};
    net_layer(n, NW_OP_CLIP, "Clip", in, 3);
}

void net_onnx_conv_norm(net *n, int c_out, int kernel, int stride, int groups, nw_op act)
{
    net_onnx_conv(n, c_out, kernel, stride, groups);
    net_onnx_norm(n);
    if (act == NW_OP_RELU6)
        net_clip6(n);
    else if (act != NW_OP_IDENTITY)
        net_one(n, act);
}

const nw_arch *lift_net(net *n)
{
    return nw_arch_lift(net_end(n));
}

const nw_block *block_at(const nw_arch *arch, int index)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    ck_assert_int_lt(index, n);
    return &blocks[index];
}

const nw_block *only_block(const nw_arch *arch)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; n != 1 && i < n; i++) {
        char text[128];
        printf("  %s\n", nw_block_text(&blocks[i], text, sizeof text));
    }
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(blocks->n_nodes, nw_arch_graph(arch)->n_nodes);
    return blocks;
}

void check_block(const nw_block *block, const char *expected)
{
    char text[128];
    ck_assert_str_eq(nw_block_text(block, text, sizeof text), expected);
}

void check_only(net *n, const char *expected)
{
    const nw_arch *arch = lift_net(n);
    check_block(only_block(arch), expected);
    nw_arch_release(arch);
}

void check_kinds(const nw_arch *arch, const char *expected)
{
    nw_buf text = {0};
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < n; i++)
        nw_buf_printf(&text, "%s%s", i ? " " : "", nw_block_kind_name(blocks[i].kind));
    ck_assert_str_eq(nw_buf_text(&text), expected);
    nw_buf_fini(&text);
}

void net_requantize(net *n)
{
    net_quantize(n, NW_DTYPE_INT8, 0.1, 0);
    net_dequantize(n, NW_DTYPE_FLOAT32);
}
