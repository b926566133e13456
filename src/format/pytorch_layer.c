#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/format/pytorch.h"

static void call(nw_py_writer *w, nw_node_id id, const char *expression)
{
    nw_tensor_id out = w->graph->nodes[id].outputs[0];
    nw_py_line(w, id, "%s = %s", nw_py_name_value(w, out, NULL), expression);
}

static const char *new_name(nw_py_writer *w, const char *kind)
{
    return nw_py_text(w, "%s%d", kind, w->n_modules++);
}

static const char *pair(nw_py_writer *w, int64_t h, int64_t v)
{
    return nw_py_tuple(w, (int64_t[2]){h, v}, 2);
}

static bool is_even(const nw_geometry *g)
{
    return g->pad_top == g->pad_bottom && g->pad_left == g->pad_right && g->pad_top >= 0 &&
           g->pad_left >= 0;
}

/* The input with what padding a module of its own cannot say. */
static const char *padded(nw_py_writer *w, const char *x, const nw_geometry *g, double value)
{
    const int64_t pads[4] = {g->pad_left, g->pad_right, g->pad_top, g->pad_bottom};
    return nw_py_text(w, "F.pad(%s, %s, value=%s)", x, nw_py_tuple(w, pads, 4),
                      nw_py_real(w, value));
}

static void enter(nw_py_writer *w, const char *name, nw_tensor_id weights, nw_tensor_id bias)
{
    nw_py_enter(w, weights, nw_py_text(w, "%s.weight", name));
    if (bias != NW_NONE)
        nw_py_enter(w, bias, nw_py_text(w, "%s.bias", name));
}

/* ---- convolutions ---- */

static void write_conv(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = &w->graph->nodes[id];
    nw_geometry g;
    int rank = w->graph->tensors[node->inputs[0]].shape.rank;
    if (!nw_node_geometry(w->graph, id, &g) || g.weights == NW_NONE) {
        nw_py_fail(w, id, "its weights are computed");
        return;
    }
    const char *name = new_name(w, "conv"), *x = nw_py_value(w, node->inputs[0]);
    bool has_pads = is_even(&g);
    int64_t pad_h = has_pads ? g.pad_top : 0, pad_w = has_pads ? g.pad_left : 0;
    bool is_row = rank == 3;
    nw_py_init(w,
               "self.%s = nn.%s(%lld, %lld, %s, stride=%s, padding=%s, dilation=%s, "
               "groups=%lld%s)",
               name, is_row ? "Conv1d" : "Conv2d", (long long)g.in_c, (long long)g.out_c,
               is_row ? nw_py_tuple(w, &g.kernel_w, 1) : pair(w, g.kernel_h, g.kernel_w),
               is_row ? nw_py_tuple(w, &g.stride_w, 1) : pair(w, g.stride_h, g.stride_w),
               is_row ? nw_py_tuple(w, &pad_w, 1) : pair(w, pad_h, pad_w),
               is_row ? nw_py_tuple(w, &g.dilation_w, 1) : pair(w, g.dilation_h, g.dilation_w),
               (long long)g.groups, g.has_bias ? "" : ", bias=False");
    enter(w, name, g.weights, g.has_bias ? g.bias : NW_NONE);
    if (is_row && !has_pads)
        x = nw_py_text(w, "F.pad(%s, %s)", x, pair(w, g.pad_left, g.pad_right));
    else if (!has_pads)
        x = padded(w, x, &g, 0);
    call(w, id, nw_py_text(w, "self.%s(%s)", name, x));
}

/* PyTorch crops both sides alike, so the whole is made and cut. */
static void write_conv_transpose(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = &w->graph->nodes[id];
    nw_geometry g;
    if (!nw_node_geometry(w->graph, id, &g) || g.weights == NW_NONE ||
        w->graph->tensors[node->inputs[0]].shape.rank != 4 || g.pad_top < 0 || g.pad_left < 0) {
        nw_py_fail(w, id, "it has weights that are computed, or no map");
        return;
    }
    int64_t whole_h = (g.in_h - 1) * g.stride_h + g.dilation_h * (g.kernel_h - 1) + 1;
    int64_t whole_w = (g.in_w - 1) * g.stride_w + g.dilation_w * (g.kernel_w - 1) + 1;
    int64_t more_h = g.pad_top + g.out_h - whole_h, more_w = g.pad_left + g.out_w - whole_w;
    more_h = more_h < 0 ? 0 : more_h;
    more_w = more_w < 0 ? 0 : more_w;
    if ((more_h && more_h >= g.stride_h) || (more_w && more_w >= g.stride_w)) {
        nw_py_fail(w, id, "its output is larger than PyTorch makes it");
        return;
    }
    const char *name = new_name(w, "conv"), *x = nw_py_value(w, node->inputs[0]);
    nw_py_init(w,
               "self.%s = nn.ConvTranspose2d(%lld, %lld, %s, stride=%s, output_padding=%s, "
               "groups=%lld, bias=%s, dilation=%s)",
               name, (long long)g.in_c, (long long)g.out_c, pair(w, g.kernel_h, g.kernel_w),
               pair(w, g.stride_h, g.stride_w), pair(w, more_h, more_w), (long long)g.groups,
               g.has_bias ? "True" : "False", pair(w, g.dilation_h, g.dilation_w));
    enter(w, name, g.weights, g.has_bias ? g.bias : NW_NONE);
    call(w, id,
         nw_py_text(w, "self.%s(%s)[:, :, %lld:%lld, %lld:%lld]", name, x, (long long)g.pad_top,
                    (long long)(g.pad_top + g.out_h), (long long)g.pad_left,
                    (long long)(g.pad_left + g.out_w)));
}

/* ---- products ---- */

static void write_linear(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = &w->graph->nodes[id];
    nw_geometry g;
    if (!nw_node_geometry(w->graph, id, &g) || g.weights == NW_NONE) {
        nw_py_fail(w, id, "its weights are computed");
        return;
    }
    const char *name = new_name(w, "linear"), *x = nw_py_value(w, node->inputs[0]);
    nw_py_init(w, "self.%s = nn.Linear(%lld, %lld%s)", name, (long long)g.in_c, (long long)g.out_c,
               g.has_bias ? "" : ", bias=False");
    enter(w, name, g.weights, g.has_bias ? g.bias : NW_NONE);
    call(w, id,
         nw_py_text(w, "self.%s(%s.reshape(-1, %lld)).reshape(%s)", name, x, (long long)g.in_c,
                    nw_py_shape(w, node->outputs[0])));
}

static void write_matmul(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = &w->graph->nodes[id];
    const nw_tensor *b = &w->graph->tensors[node->inputs[1]];
    nw_tensor_id root = b->is_const ? nw_graph_stored_root(w->graph, node->inputs[1]) : NW_NONE;
    const nw_attrs *attrs = &node->attrs;
    if (root != NW_NONE && b->shape.rank == 2 && !attrs->transpose_a &&
        w->graph->tensors[node->inputs[0]].shape.rank >= 2) {
        long long in_c = (long long)b->shape.dims[attrs->transpose_b ? 1 : 0];
        long long out_c = (long long)b->shape.dims[attrs->transpose_b ? 0 : 1];
        const char *name = new_name(w, "linear"), *x = nw_py_value(w, node->inputs[0]);
        nw_py_init(w, "self.%s = nn.Linear(%lld, %lld, bias=False)", name, in_c, out_c);
        enter(w, name, node->inputs[1], NW_NONE);
        call(w, id, nw_py_text(w, "self.%s(%s)", name, x));
        return;
    }
    const char *x = nw_py_value(w, node->inputs[0]), *y = nw_py_value(w, node->inputs[1]);
    call(w, id,
         nw_py_text(w, "torch.matmul(%s%s, %s%s)", x,
                    attrs->transpose_a ? ".transpose(-1, -2)" : "", y,
                    attrs->transpose_b ? ".transpose(-1, -2)" : ""));
}

/* ---- normalisation ---- */

static void write_norm(nw_py_writer *w, nw_node_id id, const char *kind)
{
    const nw_node *node = &w->graph->nodes[id];
    const nw_shape *in = &w->graph->tensors[node->inputs[0]].shape;
    if (in->rank < 2 || in->rank > 4 || node->n_inputs < 3) {
        nw_py_fail(w, id, "it is of no map");
        return;
    }
    const char *name = new_name(w, "norm"), *x = nw_py_value(w, node->inputs[0]);
    nw_py_init(w, "self.%s = nn.%s%s(%lld, eps=%s%s)", name, kind, in->rank == 4 ? "2d" : "1d",
               (long long)in->dims[1], nw_py_real(w, node->attrs.alpha),
               kind[0] == 'I' ? ", affine=True" : "");
    enter(w, name, node->inputs[1], node->inputs[2]);
    call(w, id, nw_py_text(w, "self.%s(%s)", name, x));
}

static void write_prelu(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = &w->graph->nodes[id];
    const nw_shape *in = &w->graph->tensors[node->inputs[0]].shape;
    const nw_shape *slope = &w->graph->tensors[node->inputs[1]].shape;
    const char *x = nw_py_value(w, node->inputs[0]);
    int64_t n = nw_shape_elements(slope);
    bool is_per_channel =
        in->rank >= 2 && n == in->dims[1] &&
        (slope->rank < in->rank - 1 || slope->dims[slope->rank - in->rank + 1] == n);
    if (w->graph->tensors[node->inputs[1]].is_const && (n == 1 || is_per_channel)) {
        const char *name = new_name(w, "prelu");
        nw_py_init(w, "self.%s = nn.PReLU(%lld)", name, (long long)n);
        enter(w, name, node->inputs[1], NW_NONE);
        call(w, id, nw_py_text(w, "self.%s(%s)", name, x));
        return;
    }
    const char *s = nw_py_value(w, node->inputs[1]);
    call(w, id, nw_py_text(w, "torch.where(%s < 0, %s * %s, %s)", x, x, s, x));
}

/* ---- windows ---- */

bool nw_py_is_global_mean(const nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = &w->graph->nodes[id];
    const nw_shape *out = &w->graph->tensors[node->outputs[0]].shape;
    nw_geometry g;
    if (out->rank != 4 || out->dims[2] != 1 || out->dims[3] != 1)
        return false;
    if (node->op == NW_OP_AVERAGE_POOL)
        return nw_node_geometry(w->graph, id, &g) && g.kernel_h == g.in_h && g.kernel_w == g.in_w &&
               !g.pad_top && !g.pad_left && !g.pad_bottom && !g.pad_right;
    return (node->op == NW_OP_GLOBAL_POOL || node->op == NW_OP_REDUCE) &&
           node->attrs.reduce == NW_REDUCE_MEAN &&
           out->dims[1] == w->graph->tensors[node->inputs[0]].shape.dims[1];
}

static void write_pool(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = &w->graph->nodes[id];
    bool is_max = node->op == NW_OP_MAX_POOL;
    nw_geometry g;
    if (!nw_node_geometry(w->graph, id, &g) || node->n_outputs > 1 ||
        w->graph->tensors[node->inputs[0]].shape.rank != 4 ||
        (!is_max && (g.dilation_h > 1 || g.dilation_w > 1)) ||
        strcmp(node->file_type, "LpPool") == 0) {
        nw_py_fail(w, id, "PyTorch has no such pooling");
        return;
    }
    const char *x = nw_py_value(w, node->inputs[0]),
               *ceil = node->attrs.ceil_mode ? ", ceil_mode=True" : "";
    const char *window = nw_py_text(w, "%s, stride=%s", pair(w, g.kernel_h, g.kernel_w),
                                    pair(w, g.stride_h, g.stride_w));
    bool fits = is_even(&g) && 2 * g.pad_top <= g.kernel_h && 2 * g.pad_left <= g.kernel_w;
    if (fits)
        window = nw_py_text(w, "%s, padding=%s", window, pair(w, g.pad_top, g.pad_left));
    if (is_max)
        call(w, id,
             nw_py_text(w, "F.max_pool2d(%s, %s, dilation=%s%s)",
                        fits ? x : padded(w, x, &g, -INFINITY), window,
                        pair(w, g.dilation_h, g.dilation_w), ceil));
    else if (fits)
        call(w, id,
             nw_py_text(w, "F.avg_pool2d(%s, %s%s, count_include_pad=%s)", x, window, ceil,
                        node->attrs.counts_pads ? "True" : "False"));
    else if (node->attrs.counts_pads)
        call(w, id, nw_py_text(w, "F.avg_pool2d(%s, %s)", padded(w, x, &g, 0), window));
    else
        call(w, id,
             nw_py_text(w, "F.avg_pool2d(%s, %s) / F.avg_pool2d(%s, %s)", padded(w, x, &g, 0),
                        window, padded(w, nw_py_text(w, "torch.ones_like(%s)", x), &g, 0), window));
}

static void write_local_response(nw_py_writer *w, nw_node_id id)
{
    const nw_attrs *a = &w->graph->nodes[id].attrs;
    call(w, id,
         nw_py_text(w, "F.local_response_norm(%s, %d, alpha=%s, beta=%s, k=%s)",
                    nw_py_value(w, w->graph->nodes[id].inputs[0]), a->block,
                    nw_py_real(w, a->alpha), nw_py_real(w, a->beta),
                    nw_py_real(w, a->n_floats ? a->floats[0] : 1)));
}

void nw_py_write_layer(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = &w->graph->nodes[id];
    switch (node->op) {
    case NW_OP_CONV2D:
        write_conv(w, id);
        break;
    case NW_OP_CONV_TRANSPOSE:
        write_conv_transpose(w, id);
        break;
    case NW_OP_FULLY_CONNECTED:
        write_linear(w, id);
        break;
    case NW_OP_MATMUL:
        write_matmul(w, id);
        break;
    case NW_OP_BATCH_NORM:
        write_norm(w, id, "BatchNorm");
        break;
    case NW_OP_INSTANCE_NORM:
        if (strcmp(node->file_type, "LRN") == 0)
            write_local_response(w, id);
        else if (strcmp(node->file_type, "InstanceNormalization") == 0)
            write_norm(w, id, "InstanceNorm");
        else
            nw_py_fail(w, id, "this normalisation is not known here");
        break;
    case NW_OP_PRELU:
        write_prelu(w, id);
        break;
    case NW_OP_MAX_POOL:
    case NW_OP_AVERAGE_POOL:
        write_pool(w, id);
        break;
    default:
        nw_py_fail(w, id, "there is no rule for it");
    }
}
