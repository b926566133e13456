#include <inttypes.h>

#include "src/graph/infer.h"

/* A window's reach, strides and the like beyond this are a broken file. */
#define MAX_WINDOW ((int64_t)1 << 20)

/* One spatial axis of a convolution or pooling. */
typedef struct window {
    const char *axis; /* for people */
    int64_t in, kernel, stride, dilation, output_pad;
    int64_t pad_begin, pad_end;
    int64_t reach; /* input elements from the first to the last tap */
    int64_t asked; /* transposed: the output size that the file demands; -1: none */
} window;

static nw_status get_window(const nw_infer *in, bool is_height, int64_t size, window *out)
{
    const nw_attrs *a = &in->node->attrs;
    window w = {.axis = is_height ? "height" : "width",
                .in = size,
                .kernel = is_height ? a->kernel_h : a->kernel_w,
                .stride = is_height ? a->stride_h : a->stride_w,
                .dilation = is_height ? a->dilation_h : a->dilation_w,
                .output_pad = is_height ? a->output_pad_h : a->output_pad_w,
                .pad_begin = is_height ? a->pad_top : a->pad_left,
                .pad_end = is_height ? a->pad_bottom : a->pad_right,
                .asked = -1};
    const struct {
        const char *name;
        int64_t value, least;
    } limits[] = {{"kernel", w.kernel, 1},
                  {"stride", w.stride, 1},
                  {"dilation", w.dilation, 1},
                  {"output padding", w.output_pad, 0},
                  {"padding", w.pad_begin, -MAX_WINDOW},
                  {"padding", w.pad_end, -MAX_WINDOW},
                  {"reach", (w.kernel - 1) * w.dilation + 1, 1}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (limits[i].value < limits[i].least || limits[i].value > MAX_WINDOW)
            return nw_infer_fail(in, "%s %s is %" PRId64 ", not within %" PRId64 "..%" PRId64,
                                 w.axis, limits[i].name, limits[i].value, limits[i].least,
                                 MAX_WINDOW);
    w.reach = (w.kernel - 1) * w.dilation + 1;
    *out = w;
    return NW_OK;
}

static void put_pads(nw_attrs *attrs, bool is_height, const window *w)
{
    *(is_height ? &attrs->pad_top : &attrs->pad_left) = (int32_t)w->pad_begin;
    *(is_height ? &attrs->pad_bottom : &attrs->pad_right) = (int32_t)w->pad_end;
}

/* The odd element goes behind for SAME_UPPER, in front otherwise. */
static void share_pads(window *w, int64_t total, bool is_upper)
{
    total = total > 0 ? total : 0;
    w->pad_begin = is_upper ? total / 2 : total - total / 2;
    w->pad_end = total - w->pad_begin;
}

static nw_status slide(const nw_infer *in, window *w, int64_t *out)
{
    const nw_attrs *attrs = &in->node->attrs;
    if (attrs->pad_mode == NW_PAD_SAME_UPPER || attrs->pad_mode == NW_PAD_SAME_LOWER) {
        *out = (w->in + w->stride - 1) / w->stride;
        share_pads(w, (*out - 1) * w->stride + w->reach - w->in,
                   attrs->pad_mode == NW_PAD_SAME_UPPER);
        return NW_OK;
    }
    if (attrs->pad_mode == NW_PAD_VALID)
        w->pad_begin = w->pad_end = 0;
    int64_t padded = w->in + w->pad_begin + w->pad_end;
    if (w->reach > padded)
        return nw_infer_fail(in, "kernel reaches over %" PRId64 " but the padded %s is %" PRId64,
                             w->reach, w->axis, padded);
    int64_t room = padded - w->reach;
    *out = room / w->stride + 1;
    /* A last, partial window counts if it starts inside the input or its padding in front. */
    if (attrs->ceil_mode && room % w->stride && *out * w->stride < w->in + w->pad_begin)
        *out += 1;
    return NW_OK;
}

/* The size whose convolution gives w->in; see ConvTranspose in ONNX's operator list. */
static nw_status slide_back(const nw_infer *in, window *w, int64_t *out)
{
    const nw_attrs *attrs = &in->node->attrs;
    int64_t full = w->stride * (w->in - 1) + w->output_pad + w->reach;
    bool is_same = attrs->pad_mode == NW_PAD_SAME_UPPER || attrs->pad_mode == NW_PAD_SAME_LOWER;
    if (attrs->pad_mode == NW_PAD_VALID)
        w->pad_begin = w->pad_end = 0;
    if (w->asked >= 0 || is_same) {
        *out = w->asked >= 0 ? w->asked : w->in * w->stride;
        if (attrs->pad_mode != NW_PAD_VALID)
            share_pads(w, full - *out, attrs->pad_mode == NW_PAD_SAME_UPPER);
    } else {
        *out = full - w->pad_begin - w->pad_end;
    }
    if (*out < 1)
        return nw_infer_fail(in, "the output's %s would be %" PRId64 " for an input of %" PRId64,
                             w->axis, *out, w->in);
    if (w->pad_begin + w->pad_end > MAX_WINDOW)
        return nw_infer_fail(in,
                             "cutting %" PRId64 " down to the output's %s %" PRId64
                             " is more padding than we handle",
                             full, w->axis, *out);
    return NW_OK;
}

/* Replaces the spatial sizes of *shape by what the window makes of them and resolves the pads. */
static nw_status slide_axes(const nw_infer *in, const nw_map_axes *axes, nw_shape *shape)
{
    bool is_back = in->node->op == NW_OP_CONV_TRANSPOSE;
    nw_list asked = {NULL, 0};
    if (is_back && in->node->attrs.has_ints)
        nw_infer_list(in, 0, &asked);
    if (asked.n > 2)
        return nw_infer_fail(in, "the output size has %" PRId64 " numbers, 2 expected", asked.n);
    for (int i = 0; i < 2; i++) {
        bool is_height = i == 0;
        int axis = is_height ? axes->h : axes->w;
        if (axis < 0)
            continue;
        window w;
        nw_status status = get_window(in, is_height, shape->dims[axis], &w);
        if (status != NW_OK)
            return status;
        if (asked.n) /* one number: the width of a row */
            w.asked = nw_bounded(asked.values[is_height ? 0 : asked.n - 1]);
        status = (is_back ? slide_back : slide)(in, &w, &shape->dims[axis]);
        if (status != NW_OK)
            return status;
        put_pads(&in->node->attrs, is_height, &w);
    }
    return NW_OK;
}

/* Where a rank-4 weight tensor has its dimensions; rank 3 lacks the height. */
static const struct {
    int8_t o, i, h, w;
} weight_axes[] = {
    [NW_WEIGHTS_OIHW] = {0, 1, 2, 3},
    [NW_WEIGHTS_IOHW] = {1, 0, 2, 3},
    [NW_WEIGHTS_OHWI] = {0, 3, 1, 2},
    [NW_WEIGHTS_HWIO] = {3, 0, 1, 2}, /* 1,H,W,O: the 1 is the input channel of a group */
};

static int64_t weight_size(const nw_shape *weights, const nw_attrs *attrs, int axis)
{
    int height = weight_axes[attrs->weight_layout].h;
    if (weights->rank == 4)
        return weights->dims[axis];
    return axis == height ? 1 : weights->dims[axis - (axis > height)];
}

static nw_status resolve_kernel(const nw_infer *in, const nw_shape *weights)
{
    nw_attrs *attrs = &in->node->attrs;
    int64_t h = weight_size(weights, attrs, weight_axes[attrs->weight_layout].h);
    int64_t w = weight_size(weights, attrs, weight_axes[attrs->weight_layout].w);
    if (h > MAX_WINDOW || w > MAX_WINDOW)
        return nw_infer_fail(in, "the kernel is %" PRId64 " x %" PRId64 ", the limit is %" PRId64,
                             h, w, MAX_WINDOW);
    attrs->kernel_h = (int32_t)h;
    attrs->kernel_w = (int32_t)w;
    return NW_OK;
}

/* Checks weights against the input's channels, resolves groups, gives the output's channels. */
static nw_status resolve_groups(const nw_infer *in, const nw_shape *weights, int64_t channels,
                                int64_t *out_channels)
{
    nw_attrs *attrs = &in->node->attrs;
    int64_t o = weight_size(weights, attrs, weight_axes[attrs->weight_layout].o);
    int64_t i = weight_size(weights, attrs, weight_axes[attrs->weight_layout].i);
    if (attrs->groups == 0 && channels <= INT32_MAX)
        attrs->groups = (int32_t)channels;
    /* TFLite has no group count: its runtime takes the quotient of the channels. */
    if (attrs->groups == 1 && attrs->weight_layout == NW_WEIGHTS_OHWI && i > 0 &&
        in->node->op == NW_OP_CONV2D && channels % i == 0 && channels / i <= INT32_MAX)
        attrs->groups = channels > i ? (int32_t)(channels / i) : 1;
    int64_t groups = attrs->groups;
    if (groups < 1)
        return nw_infer_fail(in, "%" PRId64 " groups for %" PRId64 " channels", groups, channels);
    bool is_whole = attrs->weight_layout == NW_WEIGHTS_IOHW;
    if ((is_whole ? i : i * groups) != channels)
        return nw_infer_fail(in,
                             "the input has %" PRId64 " channels, the weights take %" PRId64
                             " (%" PRId64 " groups)",
                             channels, is_whole ? i : i * groups, groups);
    if ((is_whole ? channels : o) % groups)
        return nw_infer_fail(in, "%" PRId64 " channels do not divide into %" PRId64 " groups",
                             is_whole ? channels : o, groups);
    *out_channels = is_whole ? o * groups : o;
    return NW_OK;
}

static nw_status check_bias(const nw_infer *in, int64_t channels)
{
    const nw_tensor *bias = nw_infer_input(in, 2);
    if (!bias || !nw_shape_is_known(&bias->shape) || nw_shape_elements(&bias->shape) == channels)
        return NW_OK;
    return nw_infer_fail(in, "the bias has %" PRId64 " values for %" PRId64 " output channels",
                         nw_shape_elements(&bias->shape), channels);
}

nw_status nw_rule_conv(const nw_infer *in)
{
    const nw_shape *x = nw_infer_shape(in, 0), *weights = nw_infer_shape(in, 1);
    nw_map_axes axes;
    if (x->rank != weights->rank)
        return nw_infer_fail(in, "the input has %d dimensions, the weights have %d", x->rank,
                             weights->rank);
    if (!nw_infer_map_axes(in, x->rank, &axes))
        return NW_OK;
    nw_shape shape = *x;
    nw_status status = resolve_kernel(in, weights);
    if (status == NW_OK)
        status = resolve_groups(in, weights, x->dims[axes.c], &shape.dims[axes.c]);
    if (status == NW_OK)
        status = check_bias(in, shape.dims[axes.c]);
    if (status == NW_OK)
        status = slide_axes(in, &axes, &shape);
    if (status == NW_OK)
        nw_infer_set(in, 0, &shape);
    return status;
}

nw_status nw_rule_pool(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    nw_map_axes axes;
    if (!nw_infer_map_axes(in, shape.rank, &axes))
        return NW_OK;
    nw_status status = slide_axes(in, &axes, &shape);
    if (status != NW_OK)
        return status;
    for (int i = 0; i < in->node->n_outputs; i++) /* the second: where each maximum was */
        nw_infer_set(in, i, &shape);
    return NW_OK;
}

nw_status nw_rule_global_pool(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    int first = in->graph->layout == NW_LAYOUT_NCHW ? 2 : 1;
    for (int i = 0; i + 2 < shape.rank; i++)
        shape.dims[first + i] = 1;
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}
