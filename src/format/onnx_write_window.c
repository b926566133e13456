/* Convolutions, pooling and matrix products. */
#include <string.h>

#include "src/format/onnx_write.h"

/* Height and width, or the width alone for maps of three dimensions. */
static void put_pair(nw_onnx_writer *w, Onnx__NodeProto *proto, const char *name, int rank,
                     int64_t h, int64_t width)
{
    const int64_t pair[2] = {h, width};
    nw_onnx_put_ints(w, proto, name, rank == 3 ? pair + 1 : pair, rank == 3 ? 1 : 2);
}

static void put_window(nw_onnx_writer *w, Onnx__NodeProto *proto, const nw_attrs *a, int rank)
{
    const int64_t pads[4] = {a->pad_top, a->pad_left, a->pad_bottom, a->pad_right};
    const int64_t row[2] = {a->pad_left, a->pad_right};
    for (int i = 0; i < 4; i++)
        if (pads[i] < 0)
            nw_onnx_write_fail(w, NW_UNSUPPORTED, "its padding is negative (%lld)",
                               (long long)pads[i]);
    put_pair(w, proto, "kernel_shape", rank, a->kernel_h, a->kernel_w);
    put_pair(w, proto, "strides", rank, a->stride_h, a->stride_w);
    if (a->dilation_h != 1 || a->dilation_w != 1)
        put_pair(w, proto, "dilations", rank, a->dilation_h, a->dilation_w);
    nw_onnx_put_ints(w, proto, "pads", rank == 3 ? row : pads, rank == 3 ? 2 : 4);
}

/* The rank of input 0 where it is a map; 0 and a failure otherwise. */
static int map_rank(nw_onnx_writer *w)
{
    nw_tensor_id id = nw_onnx_id(w, 0);
    int rank = id == NW_NONE ? -1 : w->graph->tensors[id].shape.rank;
    if (rank == 3 || rank == 4)
        return rank;
    nw_onnx_write_fail(w, NW_UNSUPPORTED, "its input has %d dimensions, not 3 or 4", rank);
    return 0;
}

/* ---- convolutions ---- */

/* Where ONNX's order finds its axes in ours; for three dimensions without the height. */
static nw_onnx_order weight_order(const nw_shape *shape, int layout, bool is_transposed)
{
    static const int8_t conv[][4] = {[NW_WEIGHTS_OIHW] = {0, 1, 2, 3},
                                     [NW_WEIGHTS_IOHW] = {1, 0, 2, 3},
                                     [NW_WEIGHTS_OHWI] = {0, 3, 1, 2},
                                     [NW_WEIGHTS_HWIO] = {3, 0, 1, 2}};
    static const int8_t height[] = {
        [NW_WEIGHTS_OIHW] = 2, [NW_WEIGHTS_IOHW] = 2, [NW_WEIGHTS_OHWI] = 1, [NW_WEIGHTS_HWIO] = 1};
    nw_onnx_order order = nw_onnx_as_it_is(shape);
    int8_t perm[4];
    memcpy(perm, conv[layout], sizeof perm);
    if (is_transposed) { /* I, O, H, W */
        perm[0] = conv[layout][1];
        perm[1] = conv[layout][0];
    }
    for (int i = 0, n = 0; i < 4; i++) {
        int axis = perm[i];
        if (shape->rank == 3 && axis == height[layout])
            continue;
        order.perm[n++] = axis - (shape->rank == 3 && axis > height[layout]);
    }
    return order;
}

/* x, w and b of a convolution; false after a failure. */
static bool conv_inputs(nw_onnx_writer *w, const nw_node *node, const nw_onnx_edge **in)
{
    nw_tensor_id weights = nw_onnx_id(w, 1), bias = nw_onnx_id(w, 2);
    bool is_transposed = node->op == NW_OP_CONV_TRANSPOSE;
    if (!map_rank(w))
        return false;
    in[0] = nw_onnx_in_first(w, 0);
    in[2] = NULL;
    const nw_shape *shape = weights == NW_NONE ? NULL : &w->graph->tensors[weights].shape;
    if (!shape || !nw_shape_is_known(shape) || shape->rank != in[0]->shape.rank) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "the sizes of its weights are not known");
        return false;
    }
    if (!nw_dtype_is_float(in[0]->dtype) || node->n_inputs > 3) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it computes on %s with %d inputs",
                           nw_dtype_name(in[0]->dtype), node->n_inputs);
        return false;
    }
    nw_onnx_order order = weight_order(shape, node->attrs.weight_layout, is_transposed);
    bool has_groups = node->attrs.groups > 1;
    int axis = !is_transposed ? 0 : has_groups ? NW_ONNX_ONE_SCALE : 1;
    in[1] = nw_onnx_weights(w, weights, &order, axis);
    if (bias != NW_NONE)
        in[2] = nw_onnx_bias(w, bias, node->inputs[0], in[1]);
    return true;
}

void nw_onnx_write_conv(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *in[3];
    if (!conv_inputs(w, node, in))
        return;
    Onnx__NodeProto *proto = nw_onnx_put(w, "Conv", nw_onnx_result(w, 0, true), 3, in);
    put_window(w, proto, &node->attrs, in[0]->shape.rank);
    if (node->attrs.groups != 1)
        nw_onnx_put_int(w, proto, "group", node->attrs.groups);
}

/* What is missing at the end to make the output's size: see ConvTranspose in ONNX's list. */
static int64_t output_padding(const nw_attrs *a, bool is_height, int64_t in, int64_t out)
{
    int64_t stride = is_height ? a->stride_h : a->stride_w;
    int64_t kernel = is_height ? a->kernel_h : a->kernel_w;
    int64_t dilation = is_height ? a->dilation_h : a->dilation_w;
    int64_t pads =
        is_height ? (int64_t)a->pad_top + a->pad_bottom : (int64_t)a->pad_left + a->pad_right;
    return out - (stride * (in - 1) + (kernel - 1) * dilation + 1 - pads);
}

void nw_onnx_write_conv_transpose(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *in[3];
    const nw_attrs *a = &node->attrs;
    if (!conv_inputs(w, node, in))
        return;
    nw_onnx_edge *out = nw_onnx_result(w, 0, true);
    int rank = in[0]->shape.rank;
    Onnx__NodeProto *proto = nw_onnx_put(w, "ConvTranspose", out, 3, in);
    put_window(w, proto, a, rank);
    if (a->groups != 1)
        nw_onnx_put_int(w, proto, "group", a->groups);
    if (out->shape.rank != rank) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its sizes are not known");
        return;
    }
    int64_t extra_h =
        rank == 4 ? output_padding(a, true, in[0]->shape.dims[2], out->shape.dims[2]) : 0;
    int64_t extra_w =
        output_padding(a, false, in[0]->shape.dims[rank - 1], out->shape.dims[rank - 1]);
    if (extra_h < 0 || extra_w < 0)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its output is smaller than padding can make it");
    if (extra_h || extra_w)
        put_pair(w, proto, "output_padding", rank, extra_h, extra_w);
}

/* ---- pooling ---- */

void nw_onnx_write_pool(nw_onnx_writer *w, const nw_node *node)
{
    const nw_attrs *a = &node->attrs;
    int rank = map_rank(w);
    bool is_max = node->op == NW_OP_MAX_POOL;
    if (strcmp(node->file_type, "LpPool") == 0 || strcmp(node->file_type, "L2_POOL_2D") == 0)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its power is not kept");
    if (!is_max && (a->dilation_h != 1 || a->dilation_w != 1))
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "an average is not taken with holes");
    const nw_onnx_edge *x = nw_onnx_in_first(w, 0);
    Onnx__NodeProto *proto =
        nw_onnx_put(w, is_max ? "MaxPool" : "AveragePool", nw_onnx_result(w, 0, true), 1, &x);
    if (is_max && node->n_outputs > 1 && node->outputs[1] != NW_NONE) {
        if (w->is_nhwc)
            nw_onnx_write_fail(w, NW_UNSUPPORTED, "its indices are of another order");
        else
            nw_onnx_put_output(w, nw_onnx_result(w, 1, true));
    }
    put_window(w, proto, a, rank);
    if (a->ceil_mode)
        nw_onnx_put_int(w, proto, "ceil_mode", 1);
    if (!is_max && a->counts_pads)
        nw_onnx_put_int(w, proto, "count_include_pad", 1);
}

void nw_onnx_write_global_pool(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *x = w->is_nhwc ? nw_onnx_in_first(w, 0) : nw_onnx_in(w, 0);
    if (node->attrs.reduce != NW_REDUCE_MEAN && node->attrs.reduce != NW_REDUCE_MAX)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it is neither a mean nor a maximum");
    const char *name = node->attrs.reduce == NW_REDUCE_MAX ? "GlobalMaxPool" : "GlobalAveragePool";
    nw_onnx_put(w, name, nw_onnx_result(w, 0, true), 1, &x);
}

/* ---- products ---- */

/* x as rows of the weights' inner size. A map whose channels come first stands in the same order
 * where it has one pixel, or one channel. */
static const nw_onnx_edge *rows_of(nw_onnx_writer *w, int64_t inner)
{
    nw_tensor_id id = nw_onnx_id(w, 0);
    const nw_onnx_edge *x;
    if (id == NW_NONE)
        return nw_onnx_in(w, 0);
    const nw_shape *shape = &w->graph->tensors[id].shape;
    int64_t n = nw_shape_elements(shape);
    bool is_flat = shape->rank > 2 && (shape->dims[shape->rank - 1] == 1 ||
                                       n == shape->dims[0] * shape->dims[shape->rank - 1]);
    x = is_flat && nw_onnx_has_first(w, id) ? nw_onnx_first(w, id) : nw_onnx_plain(w, id);
    if (shape->rank == 2 && shape->dims[1] == inner)
        return x;
    nw_shape rows = {.rank = 2, .dims = {inner > 0 ? n / inner : 0, inner}};
    return nw_onnx_reshaped(w, x, &rows);
}

static void write_gemm(nw_onnx_writer *w, const nw_node *node, const nw_onnx_edge *x)
{
    const nw_attrs *a = &node->attrs;
    bool inner_first = a->weight_layout == NW_WEIGHTS_IOHW;
    bool has_factors = a->alpha != 0 || a->beta != 0;
    nw_tensor_id bias = nw_onnx_id(w, 2);
    nw_onnx_order order = nw_onnx_as_it_is(&w->graph->tensors[node->inputs[1]].shape);
    const nw_onnx_edge *in[3] = {x, NULL, NULL};
    in[1] = nw_onnx_weights(w, node->inputs[1], &order, inner_first ? 1 : 0);
    /* A list is one value a column; what else broadcasts stays as it is. */
    if (bias != NW_NONE && w->options.bits == 8 && w->graph->tensors[bias].shape.rank == 1)
        in[2] = nw_onnx_bias(w, bias, node->inputs[0], in[1]);
    else if (bias != NW_NONE)
        in[2] = nw_onnx_in(w, 2);
    Onnx__NodeProto *proto = nw_onnx_put(w, "Gemm", nw_onnx_result(w, 0, false), 3, in);
    if (has_factors && a->alpha != 1)
        nw_onnx_put_float(w, proto, "alpha", a->alpha);
    if (has_factors && a->beta != 1)
        nw_onnx_put_float(w, proto, "beta", a->beta);
    if (a->transpose_a)
        nw_onnx_put_int(w, proto, "transA", 1);
    if (!inner_first)
        nw_onnx_put_int(w, proto, "transB", 1);
}

/* The dimensions in front stay: a product and a sum. */
static void write_rows(nw_onnx_writer *w, const nw_node *node)
{
    const nw_shape *shape = &w->graph->tensors[node->inputs[1]].shape;
    nw_onnx_order order = nw_onnx_as_it_is(shape);
    bool has_bias = nw_onnx_id(w, 2) != NW_NONE;
    if (node->attrs.weight_layout != NW_WEIGHTS_IOHW) {
        order.perm[0] = 1;
        order.perm[1] = 0;
    }
    const nw_onnx_edge *in[2] = {nw_onnx_in(w, 0), nw_onnx_weights(w, node->inputs[1], &order, 1)};
    nw_onnx_edge *out = nw_onnx_result(w, 0, false);
    nw_onnx_edge *product =
        has_bias ? nw_onnx_new_edge(w, out->name, "/MatMul", out->dtype, &out->shape) : out;
    nw_onnx_put(w, "MatMul", product, 2, in);
    if (has_bias)
        nw_onnx_put(w, "Add", out, 2, (const nw_onnx_edge *const[]){product, nw_onnx_in(w, 2)});
}

void nw_onnx_write_fully_connected(nw_onnx_writer *w, const nw_node *node)
{
    nw_tensor_id x = nw_onnx_id(w, 0), weights = nw_onnx_id(w, 1);
    if (x == NW_NONE || weights == NW_NONE || node->n_inputs > 3 ||
        w->graph->tensors[weights].shape.rank != 2 ||
        !nw_shape_is_known(&w->graph->tensors[weights].shape) ||
        !nw_shape_is_known(&w->graph->tensors[x].shape)) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its sizes are not known");
        return;
    }
    const nw_shape *shape = &w->graph->tensors[x].shape;
    const int64_t *sizes = w->graph->tensors[weights].shape.dims;
    int64_t inner = sizes[node->attrs.weight_layout == NW_WEIGHTS_IOHW ? 0 : 1];
    if (!nw_dtype_is_float(nw_onnx_wire_type(w, x)))
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it computes on %s",
                           nw_dtype_name(w->graph->tensors[x].dtype));
    if (node->attrs.transpose_a && shape->rank == 2)
        write_gemm(w, node, nw_onnx_in(w, 0));
    else if (node->attrs.keep_dims && shape->rank != 2)
        write_rows(w, node);
    else
        write_gemm(w, node, rows_of(w, inner));
}

/* A matrix with its last two axes exchanged where the operator wants it so. */
static const nw_onnx_edge *matrix(nw_onnx_writer *w, int i, bool is_transposed)
{
    nw_tensor_id id = nw_onnx_id(w, i);
    if (id == NW_NONE)
        return nw_onnx_in(w, i);
    const nw_tensor *tensor = &w->graph->tensors[id];
    nw_onnx_order order = nw_onnx_as_it_is(&tensor->shape);
    int rank = tensor->shape.rank;
    is_transposed &= rank >= 2;
    if (is_transposed) {
        order.perm[rank - 1] = rank - 2;
        order.perm[rank - 2] = rank - 1;
    }
    if (tensor->is_const && nw_shape_is_known(&tensor->shape))
        return nw_onnx_weights(w, id, &order, rank == 2 && i == 1 ? 1 : NW_ONNX_ONE_SCALE);
    const nw_onnx_edge *x = nw_onnx_plain(w, id);
    return is_transposed ? nw_onnx_transposed(w, x, order.perm) : x;
}

void nw_onnx_write_matmul(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *in[2] = {matrix(w, 0, node->attrs.transpose_a),
                                 matrix(w, 1, node->attrs.transpose_b)};
    if (node->n_inputs != 2 || !nw_dtype_is_float(in[0]->dtype))
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it computes on %s with %d inputs",
                           nw_dtype_name(in[0]->dtype), node->n_inputs);
    nw_onnx_put(w, "MatMul", nw_onnx_result(w, 0, false), 2, in);
}
