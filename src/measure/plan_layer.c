/* The layers of a drawn network, written the way its file writes things.
 */
#include <assert.h>

#include "src/measure/plan_draw.h"

static nw_tensor_id add_list(nw_draw *d, nw_dtype type, int n)
{
    return nw_draw_constant(d, type, 1, (const int64_t[]){n});
}

/* ---- activations ---- */

static nw_act inner_act(const nw_draw *d, nw_op act)
{
    if (d->style != NW_DRAW_NHWC)
        return NW_ACT_NONE;
    return act == NW_OP_RELU ? NW_ACT_RELU : act == NW_OP_RELU6 ? NW_ACT_RELU6 : NW_ACT_NONE;
}

/* x * gate(x) in two operators. */
static void add_gated(nw_draw *d, nw_op gate)
{
    nw_tensor_id x = d->at.id;
    nw_draw_unary(d, gate);
    nw_draw_settle(d);
    nw_tensor_id in[2] = {x, d->at.id};
    nw_draw_node(d, NW_OP_MUL, in, 2);
    nw_draw_settle(d);
}

void nw_draw_act(nw_draw *d, nw_op act)
{
    bool is_swish = act == NW_OP_SWISH || act == NW_OP_HARD_SWISH;
    if (act == NW_DRAW_LINEAR)
        return;
    if (is_swish && d->splits_swish) {
        add_gated(d, act == NW_OP_SWISH ? NW_OP_SIGMOID : NW_OP_HARD_SIGMOID);
        return;
    }
    if (act == NW_OP_PRELU) {
        bool is_last = d->style == NW_DRAW_NHWC;
        int64_t c = d->at.c, dims[3] = {is_last ? 1 : c, 1, is_last ? c : 1};
        nw_tensor_id in[2] = {d->at.id, nw_draw_constant(d, d->weight_type, 3, dims)};
        nw_draw_node(d, NW_OP_PRELU, in, 2);
    } else if (act == NW_OP_RELU6 && d->style != NW_DRAW_NHWC) {
        nw_node *node = nw_draw_unary(d, NW_OP_CLIP);
        node->attrs.beta = 6;
    } else {
        nw_draw_unary(d, act);
    }
    nw_draw_settle(d);
}

/* Behind a product: what the file does not write inside the operator. */
static void finish_product(nw_draw *d, nw_op act)
{
    bool is_clamp = act == NW_OP_RELU || act == NW_OP_RELU6;
    if (!is_clamp || inner_act(d, act) != NW_ACT_NONE) /* ONNX quantises behind a clamp, once */
        nw_draw_settle(d);
    if (act != NW_DRAW_LINEAR && inner_act(d, act) == NW_ACT_NONE)
        nw_draw_act(d, act);
}

/* ---- windows ---- */

static void turn(nw_draw *d, bool to_hwc)
{
    static const int64_t hwc[4] = {0, 2, 3, 1}, chw[4] = {0, 3, 1, 2};
    if (d->style == NW_DRAW_TURNED)
        nw_draw_transpose(d, to_hwc ? hwc : chw, 4);
}

/* Zeros before and behind each axis of the map; c: behind the channels. */
static void add_pad(nw_draw *d, int before_h, int behind_h, int before_w, int behind_w, int c)
{
    int64_t pads[8] = {0};
    int h = nw_draw_height_axis(d);
    pads[h] = before_h, pads[4 + h] = behind_h;
    pads[h + 1] = before_w, pads[5 + h] = behind_w;
    pads[4 + nw_draw_channel_axis(d)] = c;
    nw_draw_ints(d, nw_draw_unary(d, NW_OP_PAD), pads, 8);
    d->at.h += before_h + behind_h;
    d->at.w += before_w + behind_w;
    d->at.c += c;
    nw_draw_settle(d);
}

static int reach(int kernel, int dilation)
{
    return (kernel - 1) * dilation + 1;
}

static bool is_valid(const nw_draw *d, const nw_draw_window *w)
{
    return w->is_valid && d->at.h >= reach(w->kernel_h, w->dilation) &&
           d->at.w >= reach(w->kernel_w, w->dilation);
}

/* Pads in an operator of their own if the file does so; then the window takes no padding. */
static void prepare_window(nw_draw *d, nw_draw_window *w, bool may_pad)
{
    int more_h = reach(w->kernel_h, w->dilation) - 1, more_w = reach(w->kernel_w, w->dilation) - 1;
    bool is_usual = w->stride > 1 || d->style == NW_DRAW_TURNED;
    w->is_valid = is_valid(d, w);
    if (!w->is_valid && may_pad && d->pads_apart && is_usual && more_h + more_w > 0) {
        add_pad(d, more_h / 2, more_h - more_h / 2, more_w / 2, more_w - more_w / 2, 0);
        w->is_valid = true;
    }
}

static void set_window(nw_draw *d, nw_node *node, const nw_draw_window *w)
{
    nw_attrs *a = &node->attrs;
    int reach_h = reach(w->kernel_h, w->dilation), reach_w = reach(w->kernel_w, w->dilation);
    a->kernel_h = w->kernel_h;
    a->kernel_w = w->kernel_w;
    a->stride_h = a->stride_w = w->stride;
    a->dilation_h = a->dilation_w = w->dilation;
    a->pad_mode = w->is_valid ? NW_PAD_VALID : NW_PAD_SAME_UPPER;
    bool is_odd = reach_h % 2 && reach_w % 2;
    if (d->style == NW_DRAW_NCHW && !w->is_valid && is_odd) {
        a->pad_mode = NW_PAD_EXPLICIT;
        a->pad_top = a->pad_bottom = reach_h / 2;
        a->pad_left = a->pad_right = reach_w / 2;
    }
    d->at.h =
        w->is_valid ? (d->at.h - reach_h) / w->stride + 1 : (d->at.h + w->stride - 1) / w->stride;
    d->at.w =
        w->is_valid ? (d->at.w - reach_w) / w->stride + 1 : (d->at.w + w->stride - 1) / w->stride;
}

static nw_dtype bias_type(const nw_draw *d)
{
    return nw_dtype_is_float(d->type) ? d->type : NW_DTYPE_INT32;
}

/* ONNX's way: stored integers behind a dequantisation. */
static nw_tensor_id add_weights(nw_draw *d, int rank, const int64_t *dims)
{
    if (d->quantised == NW_DTYPE_UNKNOWN)
        return nw_draw_constant(d, d->weight_type, rank, dims);
    nw_tensor_id stored = nw_draw_constant(d, d->quantised, rank, dims);
    return nw_draw_convert(d, NW_OP_DEQUANTIZE, stored, NW_DTYPE_FLOAT32);
}

static nw_tensor_id add_kernel(nw_draw *d, const nw_draw_window *w, int c_out, int c_in,
                               bool is_depthwise)
{
    if (d->style == NW_DRAW_NCHW)
        return add_weights(d, 4, (const int64_t[]){c_out, c_in, w->kernel_h, w->kernel_w});
    if (is_depthwise)
        return add_weights(d, 4, (const int64_t[]){1, w->kernel_h, w->kernel_w, c_out});
    return add_weights(d, 4, (const int64_t[]){c_out, w->kernel_h, w->kernel_w, c_in});
}

static void add_conv(nw_draw *d, int c_out, nw_draw_window w, int groups, bool is_depthwise,
                     nw_op act)
{
    prepare_window(d, &w, true);
    turn(d, true);
    bool has_norm = d->has_batch_norm && act != NW_DRAW_LINEAR;
    nw_tensor_id in[3] = {d->at.id, add_kernel(d, &w, c_out, d->at.c / groups, is_depthwise)};
    int n = has_norm || nw_draw_chance(d, 0.02) ? 2 : 3;
    if (n == 3)
        in[2] = add_list(d, bias_type(d), c_out);
    nw_node *node = nw_draw_node(d, NW_OP_CONV2D, in, n);
    set_window(d, node, &w);
    node->attrs.groups = groups;
    node->attrs.weight_layout = NW_WEIGHTS_OHWI;
    if (d->style == NW_DRAW_NCHW)
        node->attrs.weight_layout = NW_WEIGHTS_OIHW;
    else if (is_depthwise)
        node->attrs.weight_layout = NW_WEIGHTS_HWIO;
    node->act = inner_act(d, act);
    d->at.c = c_out;
    turn(d, false);
    if (has_norm)
        nw_draw_norm(d, NW_OP_BATCH_NORM);
    finish_product(d, act);
}

void nw_draw_conv(nw_draw *d, int c_out, nw_draw_window window, int groups, nw_op act)
{
    add_conv(d, c_out, window, groups, false, act);
}

void nw_draw_pointwise(nw_draw *d, int c_out, nw_op act)
{
    add_conv(d, c_out, nw_draw_square(1, 1), 1, false, act);
}

void nw_draw_depthwise(nw_draw *d, int multiplier, nw_draw_window window, nw_op act)
{
    add_conv(d, d->at.c * multiplier, window, d->at.c, true, act);
}

void nw_draw_conv_transpose(nw_draw *d, int c_out, int kernel, int stride, nw_op act)
{
    bool is_nchw = d->style == NW_DRAW_NCHW;
    turn(d, true);
    int64_t first = is_nchw ? d->at.c : c_out, second = is_nchw ? c_out : kernel;
    int64_t last = is_nchw ? kernel : d->at.c;
    nw_tensor_id in[3] = {d->at.id, add_weights(d, 4, (int64_t[]){first, second, kernel, last}),
                          add_list(d, bias_type(d), c_out)};
    nw_node *node = nw_draw_node(d, NW_OP_CONV_TRANSPOSE, in, 3);
    node->attrs.stride_h = node->attrs.stride_w = stride;
    node->attrs.pad_mode = NW_PAD_SAME_UPPER;
    node->attrs.weight_layout = is_nchw ? NW_WEIGHTS_IOHW : NW_WEIGHTS_OHWI;
    node->act = inner_act(d, act);
    d->at.h *= stride;
    d->at.w *= stride;
    d->at.c = c_out;
    turn(d, false);
    finish_product(d, act);
}

void nw_draw_pool(nw_draw *d, nw_op op, nw_draw_window w)
{
    prepare_window(d, &w, false);
    turn(d, true);
    set_window(d, nw_draw_unary(d, op), &w);
    turn(d, false);
    nw_draw_settle(d);
}

/* As a mean over two axes, a window over the whole map, an operator of its own, or axis by axis
 * behind a turn. */
void nw_draw_global_pool(nw_draw *d)
{
    int h = nw_draw_height_axis(d);
    double weights[4] = {d->style == NW_DRAW_NCHW ? 6 : 0, 5, d->style == NW_DRAW_TURNED ? 0 : 2,
                         d->style == NW_DRAW_NHWC ? 0.7 : 0};
    int form = nw_rng_pick(&d->rng, weights, 4);
    nw_node *node;
    if (form == 0) {
        nw_draw_unary(d, NW_OP_GLOBAL_POOL)->attrs.reduce = NW_REDUCE_MEAN;
    } else if (form == 1) {
        node = nw_draw_unary(d, NW_OP_REDUCE);
        node->attrs.reduce = NW_REDUCE_MEAN;
        nw_draw_ints(d, node, (const int64_t[]){h, h + 1}, 2);
    } else if (form == 2) {
        int stride = NW_DRAW_ONE_OF(d, 1, 2, 0); /* files differ on a stride that is never made */
        nw_draw_window w = {d->at.h, d->at.w, stride ? stride : d->at.h, 1, true};
        set_window(d, nw_draw_unary(d, NW_OP_AVERAGE_POOL), &w);
    } else {
        nw_draw_transpose(d, (const int64_t[]){0, 3, 1, 2}, 4);
        for (int i = 0; i < 2; i++) {
            node = nw_draw_unary(d, NW_OP_REDUCE);
            node->attrs.reduce = NW_REDUCE_MEAN;
            node->attrs.keep_dims = false;
            nw_draw_ints(d, node, (const int64_t[]){3 - i}, 1);
        }
        nw_draw_reshape(d, (const int64_t[]){1, 1, 1, d->at.c}, 4);
    }
    d->at.h = d->at.w = 1;
    nw_draw_settle(d);
}

/* ---- moving and combining maps ---- */

void nw_draw_resize(nw_draw *d, int h, int w)
{
    turn(d, true);
    nw_node *node = nw_draw_unary(d, NW_OP_RESIZE);
    node->attrs.resize_form = NW_RESIZE_SIZE_HW;
    node->attrs.resize_mode = nw_draw_chance(d, 0.5) ? NW_RESIZE_NEAREST : NW_RESIZE_LINEAR;
    nw_draw_ints(d, node, (const int64_t[]){h, w}, 2);
    d->at.h = h;
    d->at.w = w;
    turn(d, false);
    nw_draw_settle(d);
}

void nw_draw_pad_channels(nw_draw *d, int c)
{
    add_pad(d, 0, 0, 0, 0, c - d->at.c);
}

void nw_draw_slice_channels(nw_draw *d, int first, int n)
{
    nw_node *node = nw_draw_unary(d, NW_OP_SLICE);
    nw_draw_ints(d, node, (const int64_t[]){first, first + n, nw_draw_channel_axis(d), 1}, 4);
    node->attrs.n_axes = 1;
    d->at.c = n;
    nw_draw_settle(d);
}

void nw_draw_join(nw_draw *d, const nw_tensor_id *parts, int n, int axis)
{
    nw_tensor_id in[64];
    bool requantises = !nw_dtype_is_float(d->type) && nw_draw_chance(d, 0.3);
    for (int i = 0; i < n; i++)
        in[i] = requantises && nw_draw_chance(d, 0.6)
                    ? nw_draw_convert(d, NW_OP_QUANTIZE, parts[i], d->type)
                    : parts[i];
    nw_draw_node(d, NW_OP_CONCAT, in, n)->attrs.axis = axis;
    nw_draw_settle(d);
}

void nw_draw_concat(nw_draw *d, const nw_draw_map *maps, int n)
{
    nw_tensor_id parts[64];
    assert(n > 0 && n <= 64);
    int c = 0;
    for (int i = 0; i < n; i++) {
        parts[i] = maps[i].id;
        c += maps[i].c;
    }
    d->at = maps[0];
    d->at.c = c;
    nw_draw_join(d, parts, n, nw_draw_channel_axis(d));
}

void nw_draw_split(nw_draw *d, nw_draw_map halves[2])
{
    nw_draw_map whole = d->at;
    int first = whole.c - whole.c / 2;
    nw_draw_slice_channels(d, 0, first);
    halves[0] = d->at;
    d->at = whole;
    nw_draw_slice_channels(d, first, whole.c - first);
    halves[1] = d->at;
}

void nw_draw_shuffle(nw_draw *d, int groups)
{
    nw_draw_map map = d->at;
    int each = map.c / groups;
    if (d->style != NW_DRAW_TURNED && nw_draw_chance(d, 0.3)) {
        nw_draw_unary(d, NW_OP_CHANNEL_SHUFFLE)->attrs.groups = groups;
        nw_draw_settle(d);
        return;
    }
    if (d->style == NW_DRAW_NHWC) {
        nw_draw_reshape(d, (const int64_t[]){1, map.h, map.w, groups, each}, 5);
        nw_draw_transpose(d, (const int64_t[]){0, 1, 2, 4, 3}, 5);
        nw_draw_reshape(d, (const int64_t[]){1, map.h, map.w, map.c}, 4);
    } else {
        nw_draw_reshape(d, (const int64_t[]){1, groups, each, map.h, map.w}, 5);
        nw_draw_transpose(d, (const int64_t[]){0, 2, 1, 3, 4}, 5);
        nw_draw_reshape(d, (const int64_t[]){1, map.c, map.h, map.w}, 4);
    }
}

void nw_draw_norm(nw_draw *d, nw_op op)
{
    bool is_batch = op == NW_OP_BATCH_NORM;
    nw_tensor_id in[5] = {d->at.id};
    if (d->style == NW_DRAW_TURNED) /* its channels are not where a normalisation looks for them */
        return;
    for (int i = 1; i < 5; i++)
        in[i] = i < 3 || is_batch ? add_list(d, d->weight_type, d->at.c) : NW_NONE;
    nw_draw_node(d, op, in, is_batch ? 5 : 3)->attrs.axis = -1;
    nw_draw_settle(d);
}

void nw_draw_binary(nw_draw *d, nw_op op, nw_draw_map other, nw_op act)
{
    nw_tensor_id in[2] = {d->at.id, other.id};
    nw_draw_node(d, op, in, 2)->act = inner_act(d, act);
    d->at.h = other.h > d->at.h ? other.h : d->at.h;
    d->at.w = other.w > d->at.w ? other.w : d->at.w;
    d->at.c = other.c > d->at.c ? other.c : d->at.c;
    finish_product(d, act);
}

/* ---- beyond maps ---- */

void nw_draw_reshape(nw_draw *d, const int64_t *dims, int rank)
{
    nw_draw_ints(d, nw_draw_unary(d, NW_OP_RESHAPE), dims, rank);
    nw_draw_settle(d);
}

void nw_draw_transpose(nw_draw *d, const int64_t *perm, int rank)
{
    nw_draw_ints(d, nw_draw_unary(d, NW_OP_TRANSPOSE), perm, rank);
    nw_draw_settle(d);
}

void nw_draw_flatten(nw_draw *d)
{
    d->at = (nw_draw_map){d->at.id, 1, 1, d->at.h * d->at.w * d->at.c};
    nw_draw_reshape(d, (const int64_t[]){1, d->at.c}, 2);
}

void nw_draw_fc(nw_draw *d, int c_out, nw_op act)
{
    act = act == NW_OP_PRELU ? NW_OP_RELU : act; /* its slopes are a map's */
    nw_tensor_id in[3] = {d->at.id, add_weights(d, 2, (const int64_t[]){c_out, d->at.c}),
                          add_list(d, bias_type(d), c_out)};
    nw_node *node = nw_draw_node(d, NW_OP_FULLY_CONNECTED, in, 3);
    node->attrs.keep_dims = true;
    node->act = inner_act(d, act);
    d->at.c = c_out;
    finish_product(d, act);
}

void nw_draw_softmax(nw_draw *d, int axis)
{
    if (d->has_float_ends && nw_draw_chance(d, 0.2)) { /* beyond the integers */
        nw_dtype type = d->type;
        d->at.id = nw_draw_convert(d, NW_OP_DEQUANTIZE, d->at.id, NW_DTYPE_FLOAT32);
        d->type = NW_DTYPE_FLOAT32;
        nw_draw_unary(d, NW_OP_SOFTMAX)->attrs.axis = axis;
        d->type = type;
        return;
    }
    nw_draw_unary(d, NW_OP_SOFTMAX)->attrs.axis = axis;
    nw_draw_settle(d);
}

void nw_draw_scale(nw_draw *d, nw_op op, const int64_t *dims, int rank)
{
    nw_tensor_id in[2] = {d->at.id, nw_draw_constant(d, d->type, rank, dims)};
    nw_draw_node(d, op, in, 2);
    nw_draw_settle(d);
}
