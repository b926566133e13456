/* support_net.h - small networks made in tests: NHWC, one input, layer after layer.
 */
#ifndef NW_TESTS_SUPPORT_NET_H
#define NW_TESTS_SUPPORT_NET_H

#include "src/graph/graph.h"

typedef struct net {
    nw_graph *graph;
    nw_tensor_id at; /* the last layer's output */
    int h, w, c;     /* its size */
    nw_dtype dtype;
    int n_layers;
} net;

net net_begin(int h, int w, int c, nw_dtype dtype);

/* The same as N,C,H,W, for what only files in that order say. */
net net_begin_nchw(int h, int w, int c, nw_dtype dtype);

/* Any operator on any tensors; its output is what comes next. The caller sets attributes and, where
 * the map changes, h, w, c. Valid until the next call. */
nw_node *net_layer(net *n, nw_op op, const char *type, const nw_tensor_id *inputs, int n_inputs);

/* An operator of one or two tensors as it comes; its output is returned too. */
nw_tensor_id net_one(net *n, nw_op op);
nw_tensor_id net_two(net *n, nw_op op, nw_tensor_id a, nw_tensor_id b);

/* A stored constant without values; unused sizes are 0. */
nw_tensor_id net_constant(net *n, nw_dtype dtype, int rank, int64_t a, int64_t b, int64_t c,
                          int64_t d);

/* Quantises the map, or takes it back to the type it had; one scale for all. */
void net_quantize(net *n, nw_dtype dtype, double scale, int64_t zero_point);
void net_dequantize(net *n, nw_dtype dtype);

/* As ONNX writes a quantised layer: the weights stand behind a dequantisation. */
void net_conv_quantized(net *n, nw_dtype weights, int c_out, int kernel, int stride);

/* SAME padding, OHWI weights, bias. */
void net_conv(net *n, int c_out, int kernel_h, int kernel_w, int stride_h, int stride_w,
              nw_act act);
void net_depthwise(net *n, int kernel, int stride, nw_act act);
void net_add(net *n, nw_tensor_id other, nw_act act);
void net_mul(net *n, nw_tensor_id other); /* other broadcasts */
void net_unary(net *n, nw_op op);
void net_global_pool(net *n); /* mean, keeps 1 x 1 x c */
void net_fc(net *n, int c_out, nw_act act);
void net_softmax(net *n);

/* Global mean, two 1x1 convolutions with relu and sigmoid between, times the map. */
void net_squeeze_excite(net *n, int c_reduced);

/* 1x1 up (left out at expansion 1), depthwise, squeeze-and-excite if se_channels, 1x1 down,
 * residual where stride and channels allow. */
void net_inverted_bottleneck(net *n, int c_out, int expansion, int kernel, int stride,
                             int se_channels);

/* The same with one k x k convolution in the place of the first two. */
void net_fused_bottleneck(net *n, int c_out, int expansion, int kernel, int stride);

/* Inputs that nobody but padding, slices and such sees: lists of numbers. */
void net_pad(net *n, int top, int left, int bottom, int right);
void net_transpose(net *n, int a, int b, int c, int d);
void net_reshape(net *n, int rank, int64_t a, int64_t b, int64_t c, int64_t d);
void net_concat(net *n, nw_tensor_id other, int axis);

/* Marks the output and seals; aborts the test program on failure. */
nw_graph *net_end(net *n);

#endif
