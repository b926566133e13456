#include "tests/support_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

net net_begin(int h, int w, int c, nw_dtype dtype)
{
    net n = {.graph = nw_graph_new("test", NW_LAYOUT_NHWC), .h = h, .w = w, .c = c, .dtype = dtype};
    nw_shape shape = {.rank = 4, .dims = {1, h, w, c}};
    n.at = nw_graph_add_tensor(n.graph, "input", dtype, &shape);
    nw_graph_add_input(n.graph, n.at);
    return n;
}

net net_begin_nchw(int h, int w, int c, nw_dtype dtype)
{
    net n = {.graph = nw_graph_new("test", NW_LAYOUT_NCHW), .h = h, .w = w, .c = c, .dtype = dtype};
    nw_shape shape = {.rank = 4, .dims = {1, c, h, w}};
    n.at = nw_graph_add_tensor(n.graph, "input", dtype, &shape);
    nw_graph_add_input(n.graph, n.at);
    return n;
}

nw_tensor_id net_constant(net *n, nw_dtype dtype, int rank, int64_t a, int64_t b, int64_t c,
                          int64_t d)
{
    nw_shape shape = {.rank = rank, .dims = {a, b, c, d}};
    char name[32];
    snprintf(name, sizeof name, "w%d", n->graph->n_tensors);
    nw_tensor_id id = nw_graph_add_tensor(n->graph, name, dtype, &shape);
    nw_graph_set_data(n->graph, id, NULL, 0, -1);
    return id;
}

static nw_dtype bias_type(const net *n)
{
    return nw_dtype_is_float(n->dtype) ? n->dtype : NW_DTYPE_INT32;
}

nw_node *net_layer(net *n, nw_op op, const char *type, const nw_tensor_id *inputs, int n_inputs)
{
    char name[32];
    snprintf(name, sizeof name, "layer%d", n->n_layers++);
    nw_tensor_id out = nw_graph_add_tensor(n->graph, name, n->dtype, NULL);
    nw_node *node = nw_graph_add_node(n->graph, op, name, type, inputs, n_inputs, &out, 1);
    n->at = out;
    return node;
}

nw_tensor_id net_one(net *n, nw_op op)
{
    nw_tensor_id in[1] = {n->at};
    net_layer(n, op, "One", in, 1);
    return n->at;
}

nw_tensor_id net_two(net *n, nw_op op, nw_tensor_id a, nw_tensor_id b)
{
    nw_tensor_id in[2] = {a, b};
    net_layer(n, op, "Two", in, 2);
    return n->at;
}

static void set_window(nw_node *node, int stride_h, int stride_w, nw_act act)
{
    node->attrs.stride_h = stride_h;
    node->attrs.stride_w = stride_w;
    node->attrs.pad_mode = NW_PAD_SAME_UPPER;
    node->act = act;
}

void net_conv(net *n, int c_out, int kernel_h, int kernel_w, int stride_h, int stride_w, nw_act act)
{
    nw_tensor_id in[3] = {n->at, net_constant(n, n->dtype, 4, c_out, kernel_h, kernel_w, n->c),
                          net_constant(n, bias_type(n), 1, c_out, 0, 0, 0)};
    nw_node *node = net_layer(n, NW_OP_CONV2D, "CONV_2D", in, 3);
    set_window(node, stride_h, stride_w, act);
    node->attrs.weight_layout = NW_WEIGHTS_OHWI;
    n->h = (n->h + stride_h - 1) / stride_h;
    n->w = (n->w + stride_w - 1) / stride_w;
    n->c = c_out;
}

void net_depthwise(net *n, int kernel, int stride, nw_act act)
{
    nw_tensor_id in[3] = {n->at, net_constant(n, n->dtype, 4, 1, kernel, kernel, n->c),
                          net_constant(n, bias_type(n), 1, n->c, 0, 0, 0)};
    nw_node *node = net_layer(n, NW_OP_CONV2D, "DEPTHWISE_CONV_2D", in, 3);
    set_window(node, stride, stride, act);
    node->attrs.weight_layout = NW_WEIGHTS_HWIO;
    node->attrs.groups = 0;
    n->h = (n->h + stride - 1) / stride;
    n->w = (n->w + stride - 1) / stride;
}

void net_add(net *n, nw_tensor_id other, nw_act act)
{
    nw_tensor_id in[2] = {other, n->at};
    net_layer(n, NW_OP_ADD, "ADD", in, 2)->act = act;
}

void net_mul(net *n, nw_tensor_id other)
{
    nw_tensor_id in[2] = {other, n->at};
    net_layer(n, NW_OP_MUL, "MUL", in, 2);
}

void net_unary(net *n, nw_op op)
{
    nw_tensor_id in[1] = {n->at};
    net_layer(n, op, "UNARY", in, 1);
}

void net_global_pool(net *n)
{
    nw_tensor_id in[1] = {n->at};
    net_layer(n, NW_OP_GLOBAL_POOL, "MEAN", in, 1)->attrs.reduce = NW_REDUCE_MEAN;
    n->h = n->w = 1;
}

void net_fc(net *n, int c_out, nw_act act)
{
    int inner = n->h * n->w * n->c;
    nw_tensor_id in[3] = {n->at, net_constant(n, n->dtype, 2, c_out, inner, 0, 0),
                          net_constant(n, bias_type(n), 1, c_out, 0, 0, 0)};
    net_layer(n, NW_OP_FULLY_CONNECTED, "FULLY_CONNECTED", in, 3)->act = act;
    n->h = n->w = 1;
    n->c = c_out;
}

void net_softmax(net *n)
{
    nw_tensor_id in[1] = {n->at};
    net_layer(n, NW_OP_SOFTMAX, "SOFTMAX", in, 1)->attrs.axis = -1;
}

void net_squeeze_excite(net *n, int c_reduced)
{
    net map = *n;
    net_global_pool(n);
    net_conv(n, c_reduced, 1, 1, 1, 1, NW_ACT_RELU);
    net_conv(n, map.c, 1, 1, 1, 1, NW_ACT_NONE);
    net_unary(n, NW_OP_SIGMOID);
    net_mul(n, map.at);
    n->h = map.h;
    n->w = map.w;
}

void net_inverted_bottleneck(net *n, int c_out, int expansion, int kernel, int stride,
                             int se_channels)
{
    nw_tensor_id skip = n->at;
    int c_in = n->c;
    if (expansion > 1)
        net_conv(n, c_in * expansion, 1, 1, 1, 1, NW_ACT_RELU6);
    net_depthwise(n, kernel, stride, NW_ACT_RELU6);
    if (se_channels)
        net_squeeze_excite(n, se_channels);
    net_conv(n, c_out, 1, 1, 1, 1, NW_ACT_NONE);
    if (stride == 1 && c_in == c_out)
        net_add(n, skip, NW_ACT_NONE);
}

void net_fused_bottleneck(net *n, int c_out, int expansion, int kernel, int stride)
{
    nw_tensor_id skip = n->at;
    int c_in = n->c;
    net_conv(n, c_in * expansion, kernel, kernel, stride, stride, NW_ACT_RELU6);
    net_conv(n, c_out, 1, 1, 1, 1, NW_ACT_NONE);
    if (stride == 1 && c_in == c_out)
        net_add(n, skip, NW_ACT_NONE);
}

void net_quantize(net *n, nw_dtype dtype, double scale, int64_t zero_point)
{
    nw_tensor_id in[1] = {n->at};
    n->dtype = dtype;
    net_layer(n, NW_OP_QUANTIZE, "QuantizeLinear", in, 1);
    n->graph->tensors[n->at].quant =
        (nw_quant){.n_channels = 1, .scale = scale, .zero_point = zero_point};
}

void net_dequantize(net *n, nw_dtype dtype)
{
    nw_tensor_id in[1] = {n->at};
    n->dtype = dtype;
    net_layer(n, NW_OP_DEQUANTIZE, "DequantizeLinear", in, 1);
}

void net_conv_quantized(net *n, nw_dtype weights, int c_out, int kernel, int stride)
{
    nw_tensor_id map = n->at;
    n->at = net_constant(n, weights, 4, c_out, kernel, kernel, n->c);
    net_dequantize(n, n->dtype);
    nw_tensor_id in[3] = {map, n->at, net_constant(n, n->dtype, 1, c_out, 0, 0, 0)};
    nw_node *node = net_layer(n, NW_OP_CONV2D, "Conv", in, 3);
    set_window(node, stride, stride, NW_ACT_NONE);
    node->attrs.weight_layout = NW_WEIGHTS_OHWI;
    n->h = (n->h + stride - 1) / stride;
    n->w = (n->w + stride - 1) / stride;
    n->c = c_out;
}

static void set_ints(net *n, nw_node *node, const int64_t *values, int n_values)
{
    int64_t *copy = nw_graph_alloc(n->graph, (size_t)n_values * sizeof *copy);
    memcpy(copy, values, (size_t)n_values * sizeof *copy);
    node->attrs.has_ints = true;
    node->attrs.ints = copy;
    node->attrs.n_ints = n_values;
}

void net_pad(net *n, int top, int left, int bottom, int right)
{
    nw_tensor_id in[1] = {n->at};
    bool is_nchw = n->graph->layout == NW_LAYOUT_NCHW;
    int64_t pads[8] = {0, is_nchw ? 0 : top,    is_nchw ? top : left,     is_nchw ? left : 0,
                       0, is_nchw ? 0 : bottom, is_nchw ? bottom : right, is_nchw ? right : 0};
    set_ints(n, net_layer(n, NW_OP_PAD, "Pad", in, 1), pads, 8);
    n->h += top + bottom;
    n->w += left + right;
}

void net_transpose(net *n, int a, int b, int c, int d)
{
    nw_tensor_id in[1] = {n->at};
    int64_t perm[4] = {a, b, c, d};
    set_ints(n, net_layer(n, NW_OP_TRANSPOSE, "Transpose", in, 1), perm, 4);
}

void net_reshape(net *n, int rank, int64_t a, int64_t b, int64_t c, int64_t d)
{
    nw_tensor_id in[1] = {n->at};
    int64_t dims[4] = {a, b, c, d};
    set_ints(n, net_layer(n, NW_OP_RESHAPE, "Reshape", in, 1), dims, rank);
}

void net_concat(net *n, nw_tensor_id other, int axis)
{
    nw_tensor_id in[2] = {other, n->at};
    net_layer(n, NW_OP_CONCAT, "Concat", in, 2)->attrs.axis = axis;
}

nw_graph *net_end(net *n)
{
    nw_error err;
    nw_graph_add_output(n->graph, n->at);
    if (nw_graph_seal(n->graph, NULL, 0, &err) != NW_OK) {
        fprintf(stderr, "%s: %s\n", err.where, err.message);
        abort();
    }
    return n->graph;
}
