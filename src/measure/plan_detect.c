/* Detectors: a backbone, heads on maps of several sizes, their values side by side.
 */
#include <math.h>

#include "src/measure/plan_family.h"

/* ---- heads ---- */

/* How the values of a map become rows of n_values: through the file's order of dimensions. */
static nw_tensor_id make_rows(nw_draw *d, int n_values, bool is_torchvision)
{
    static const int64_t to_hwc[4] = {0, 2, 3, 1};
    nw_draw_map m = d->at;
    if (d->style == NW_DRAW_NCHW && is_torchvision) {
        nw_draw_reshape(d, (const int64_t[]){1, m.c / n_values, n_values, m.h, m.w}, 5);
        nw_draw_transpose(d, (const int64_t[]){0, 3, 4, 1, 2}, 5);
    } else if (d->style != NW_DRAW_NHWC) {
        nw_draw_transpose(d, to_hwc, 4);
    }
    nw_draw_reshape(d, (const int64_t[]){1, -1, n_values}, 3);
    return d->at.id;
}

typedef struct head_style {
    int n_values, n_anchors;
    bool is_separable, is_torchvision;
    int kernel;
} head_style;

static nw_tensor_id add_head(nw_draw *d, nw_draw_map from, const head_style *style)
{
    d->at = from;
    int c_out = style->n_anchors * style->n_values;
    if (style->is_separable)
        nw_draw_separable(d, c_out, nw_draw_square(3, 1), d->act, NW_DRAW_LINEAR);
    else
        nw_draw_conv(d, c_out, nw_draw_square(style->kernel, 1), 1, NW_DRAW_LINEAR);
    return make_rows(d, style->n_values, style->is_torchvision);
}

static int count_rows(const nw_draw_taps *taps, const head_style *styles)
{
    int n = 0;
    for (int i = 0; i < taps->n; i++)
        n += taps->maps[i].h * taps->maps[i].w * styles[i].n_anchors;
    return n;
}

/* Boxes from offsets to corners: exp of the sizes, products and sums with the anchors. */
static void decode_boxes(nw_draw *d, int n_rows)
{
    nw_tensor_id all = d->at.id, halves[2];
    for (int i = 0; i < 2; i++) {
        nw_node *node = nw_draw_node(d, NW_OP_SLICE, &all, 1);
        nw_draw_ints(d, node, (const int64_t[]){2 * i, 2 * i + 2, 2, 1}, 4);
        node->attrs.n_axes = 1;
        nw_draw_settle(d);
        if (i == 1)
            nw_draw_act(d, NW_OP_UNARY);
        nw_draw_scale(d, NW_OP_MUL, (const int64_t[]){1, n_rows, 2}, 3);
        if (i == 0)
            nw_draw_scale(d, NW_OP_ADD, (const int64_t[]){1, n_rows, 2}, 3);
        halves[i] = d->at.id;
    }
    nw_draw_join(d, halves, 2, 2);
}

/* Scores and boxes of all maps; each an output, or joined to one. */
static void add_heads(nw_draw *d, const nw_draw_taps *taps, int n_classes, bool is_separable)
{
    nw_tensor_id scores[NW_DRAW_MAX_TAPS], boxes[NW_DRAW_MAX_TAPS];
    head_style styles[NW_DRAW_MAX_TAPS];
    bool is_torchvision = nw_draw_chance(d, 0.4);
    int kernel = nw_draw_chance(d, 0.6) ? 3 : 1, n_anchors = nw_draw_int(d, 1, 6);
    for (int i = 0; i < taps->n; i++) {
        int n = nw_draw_chance(d, 0.7) ? n_anchors : nw_draw_int(d, 1, 6);
        styles[i] = (head_style){n_classes, n, is_separable, is_torchvision, kernel};
        scores[i] = add_head(d, taps->maps[i], &styles[i]);
        styles[i].n_values = 4;
        boxes[i] = add_head(d, taps->maps[i], &styles[i]);
    }
    nw_draw_join(d, scores, taps->n, 1);
    if (n_classes > 1 && nw_draw_chance(d, 0.6))
        nw_draw_softmax(d, 2);
    else if (nw_draw_chance(d, 0.6))
        nw_draw_act(d, NW_OP_SIGMOID);
    nw_draw_output(d);
    nw_draw_join(d, boxes, taps->n, 1);
    if (nw_draw_chance(d, 0.25))
        decode_boxes(d, count_rows(taps, styles));
    nw_draw_output(d);
}

static void keep_last(nw_draw_taps *taps, int n)
{
    if (taps->n <= n)
        return;
    for (int i = 0; i < n; i++)
        taps->maps[i] = taps->maps[taps->n - n + i];
    taps->n = n;
}

/* SSD and SSDLite on mobile backbones, with extra layers below. */
void nw_family_ssd(nw_draw *d)
{
    static const nw_op acts[] = {NW_OP_RELU6, NW_OP_RELU, NW_OP_HARD_SWISH};
    nw_draw_taps taps;
    d->act = acts[nw_rng_pick(&d->rng, (const double[]){5, 3, 4}, 3)];
    nw_draw_image(d, 128, 640);
    nw_backbone kind = (nw_backbone)nw_rng_pick(&d->rng, (const double[]){3, 5, 2}, 3);
    nw_draw_backbone(d, kind, nw_rng_log_uniform(&d->rng, 0.25, 1.4), 32, &taps);
    if (nw_draw_chance(d, 0.4)) {
        nw_draw_pointwise(d, nw_draw_channels(d, nw_rng_log_uniform(&d->rng, 128, 1280)), d->act);
        taps.maps[taps.n - 1] = d->at;
    }
    keep_last(&taps, nw_draw_int(d, 1, 3));
    double c = nw_rng_log_uniform(&d->rng, 64, 512);
    for (int i = nw_draw_int(d, 0, 4); i > 0 && taps.n < NW_DRAW_MAX_TAPS && d->at.h > 1; i--) {
        nw_draw_pointwise(d, nw_draw_channels(d, c / 2), d->act);
        if (nw_draw_chance(d, 0.7))
            nw_draw_separable(d, nw_draw_channels(d, c), nw_draw_square(3, 2), d->act, d->act);
        else
            nw_draw_conv(d, nw_draw_channels(d, c), nw_draw_square(3, 2), 1, d->act);
        taps.maps[taps.n++] = d->at;
        c *= 0.7;
    }
    int n_classes = NW_DRAW_ONE_OF(d, 2, 2, 3, 21, 91, 1, 5, 10);
    add_heads(d, &taps, n_classes, nw_draw_chance(d, 0.7));
}

/* ---- face detectors ---- */

/* RFB: branches whose windows reach further and further, joined, on top of a shortcut. */
static void add_reach(nw_draw *d)
{
    nw_draw_map in = d->at, sides[3];
    int c = nw_draw_channels(d, in.c / 8.0), n = nw_draw_int(d, 2, 3);
    for (int i = 0; i < n; i++) {
        d->at = in;
        nw_draw_pointwise(d, c, NW_DRAW_LINEAR);
        nw_draw_conv(d, 2 * c, nw_draw_square(3, 1), 1, d->act);
        if (i == 2)
            nw_draw_conv(d, 2 * c, nw_draw_square(3, 1), 1, d->act);
        nw_draw_window w = nw_draw_square(3, 1);
        w.dilation = i == 0 ? 2 : i == 1 ? 3 : 5;
        nw_draw_conv(d, 2 * c, w, 1, NW_DRAW_LINEAR);
        sides[i] = d->at;
    }
    nw_draw_concat(d, sides, n);
    nw_draw_pointwise(d, in.c, NW_DRAW_LINEAR);
    nw_draw_binary(d, NW_OP_ADD, in, d->act);
}

/* UltraFace, slim and RFB. */
void nw_family_face(nw_draw *d)
{
    nw_draw_taps taps = {.n = 0};
    bool reaches = nw_draw_chance(d, 0.5);
    nw_draw_image(d, 120, 640);
    double c = nw_rng_log_uniform(&d->rng, 8, 32);
    nw_draw_conv(d, nw_draw_channels(d, c), nw_draw_square(3, 2), 1, d->act);
    for (int i = 0; i < 4; i++) {
        c *= i < 3 ? 2 : nw_rng_log_uniform(&d->rng, 1, 2);
        int c_out = nw_draw_channels(d, c);
        for (int k = 0, n = nw_draw_int(d, 2, 4); k < n; k++)
            nw_draw_separable(d, c_out, nw_draw_square(3, k || d->at.h < 4 ? 1 : 2), d->act,
                              d->act);
        if (i == 1 && reaches)
            add_reach(d);
        taps.maps[taps.n++] = d->at;
    }
    keep_last(&taps, nw_draw_int(d, 3, 4));
    add_heads(d, &taps, 2, nw_draw_chance(d, 0.8));
}

static void add_blaze(nw_draw *d, int c_out, int kernel, int stride, bool is_double)
{
    nw_draw_map skip = d->at;
    if (is_double) {
        int c_between = nw_draw_channels(d, c_out / 4.0);
        nw_draw_separable(d, c_between, nw_draw_square(kernel, stride), NW_DRAW_LINEAR, d->act);
        stride = 1;
    } else {
        c_out = c_out < skip.c ? skip.c : c_out; /* the shortcut grows by zeros only */
    }
    nw_draw_separable(d, c_out, nw_draw_square(kernel, stride), NW_DRAW_LINEAR, NW_DRAW_LINEAR);
    nw_draw_map main = d->at;
    d->at = skip;
    if (skip.h != main.h || skip.w != main.w)
        nw_draw_pool(d, NW_OP_MAX_POOL, nw_draw_square(2, 2));
    if (skip.c < main.c)
        nw_draw_pad_channels(d, main.c);
    skip = d->at;
    d->at = main;
    if (skip.c == main.c)
        nw_draw_binary(d, NW_OP_ADD, skip, d->act);
    else
        nw_draw_act(d, d->act);
}

/* BlazeFace, BlazePalm: wide depthwise windows, shortcuts through pooling and zeros. */
void nw_family_blaze(nw_draw *d)
{
    nw_draw_taps taps = {.n = 0};
    int kernel = nw_draw_chance(d, 0.5) ? 5 : 3;
    bool is_double = nw_draw_chance(d, 0.3);
    d->act = nw_draw_chance(d, 0.8) ? NW_OP_RELU : NW_OP_PRELU;
    nw_draw_image(d, 96, 320);
    double c = nw_rng_log_uniform(&d->rng, 16, 40);
    nw_draw_conv(d, nw_draw_channels(d, c), nw_draw_square(NW_DRAW_ONE_OF(d, 5, 3), 2), 1, d->act);
    for (int i = 0; i < 4; i++) {
        for (int k = 0, n = nw_draw_int(d, 2, 4); k < n; k++) {
            add_blaze(d, nw_draw_channels(d, c), kernel, i && k == 0 ? 2 : 1, is_double && i > 1);
            c += nw_rng_log_uniform(&d->rng, 1, 12);
        }
        if (i > 1)
            taps.maps[taps.n++] = d->at;
    }
    add_heads(d, &taps, 1, false);
}

/* ---- feature pyramids ---- */

static nw_draw_map add_above(nw_draw *d, nw_draw_map low, nw_draw_map high, bool joins)
{
    nw_draw_map sides[2];
    d->at = low;
    nw_draw_resize(d, high.h, high.w);
    sides[0] = d->at;
    sides[1] = high;
    if (joins || low.c != high.c)
        nw_draw_concat(d, sides, 2);
    else
        nw_draw_binary(d, NW_OP_ADD, high, NW_DRAW_LINEAR);
    return d->at;
}

/* Pointwise without activation, then depthwise with one. */
static void add_unit(nw_draw *d, int c_out)
{
    nw_draw_pointwise(d, c_out, NW_DRAW_LINEAR);
    nw_draw_depthwise(d, 1, nw_draw_square(3, 1), d->act);
}

static void add_yunet_head(nw_draw *d, nw_draw_map from, int n_values)
{
    d->at = from;
    nw_draw_pointwise(d, n_values, NW_DRAW_LINEAR);
    nw_draw_depthwise(d, 1, nw_draw_square(3, 1), NW_DRAW_LINEAR);
    make_rows(d, n_values, false);
    if (n_values <= 2)
        nw_draw_act(d, NW_OP_SIGMOID);
    nw_draw_output(d);
}

/* YuNet: separable units, pooling, a pyramid of sums, four values a map. */
void nw_family_yunet(nw_draw *d)
{
    nw_draw_map levels[3];
    int n_levels = 0;
    nw_draw_image(d, 96, 640);
    double c = nw_rng_log_uniform(&d->rng, 8, 24);
    nw_draw_conv(d, nw_draw_channels(d, c), nw_draw_square(3, 2), 1, d->act);
    add_unit(d, nw_draw_channels(d, c));
    int wide = nw_draw_channels(d, c * nw_rng_log_uniform(&d->rng, 2, 5));
    for (int i = 0; i < 4; i++) {
        nw_draw_window pool = nw_draw_square(2, 2);
        pool.is_valid = true;
        nw_draw_pool(d, NW_OP_MAX_POOL, pool);
        for (int k = 0, n = nw_draw_int(d, 1, 3); k < n; k++)
            add_unit(d, wide);
        if (i > 0)
            levels[n_levels++] = d->at;
    }
    for (int i = 2; i >= 0; i--) {
        if (i < 2)
            d->at = add_above(d, levels[i + 1], levels[i], false);
        add_unit(d, wide);
        levels[i] = d->at;
    }
    int n_landmarks = 2 * nw_draw_int(d, 1, 6);
    for (int i = 0; i < 3; i++) {
        add_yunet_head(d, levels[i], 1);
        add_yunet_head(d, levels[i], 1);
        add_yunet_head(d, levels[i], 4);
        add_yunet_head(d, levels[i], n_landmarks);
    }
}

/* ---- YOLO ---- */

typedef struct yolo_style {
    bool is_separable; /* depthwise in place of dense 3x3 convolutions */
    bool is_decoupled; /* heads of their own for scores and boxes */
    int n_classes;
} yolo_style;

static void add_spatial(nw_draw *d, const yolo_style *style, int c_out, int stride)
{
    if (style->is_separable)
        nw_draw_separable(d, c_out, nw_draw_square(3, stride), d->act, d->act);
    else
        nw_draw_conv(d, c_out, nw_draw_square(3, stride), 1, d->act);
}

/* Two halves by pointwise convolutions, one through bottlenecks, joined. */
static void add_csp(nw_draw *d, const yolo_style *style, int c_out, int n, bool has_skips)
{
    nw_draw_map in = d->at, sides[2];
    int half = (c_out + 1) / 2;
    nw_draw_pointwise(d, half, d->act);
    sides[1] = d->at;
    d->at = in;
    nw_draw_pointwise(d, half, d->act);
    for (int i = 0; i < n; i++) {
        nw_draw_map skip = d->at;
        nw_draw_pointwise(d, half, d->act);
        add_spatial(d, style, half, 1);
        if (has_skips)
            nw_draw_binary(d, NW_OP_ADD, skip, NW_DRAW_LINEAR);
    }
    sides[0] = d->at;
    nw_draw_concat(d, sides, 2);
    nw_draw_pointwise(d, c_out, d->act);
}

/* Every second row and column, four times, side by side. */
static void add_focus(nw_draw *d)
{
    nw_draw_map in = d->at, parts[4];
    int h = nw_draw_height_axis(d);
    for (int i = 0; i < 4; i++) {
        nw_node *node = nw_draw_node(d, NW_OP_SLICE, &in.id, 1);
        nw_draw_ints(d, node, (const int64_t[]){i % 2, in.h, h, 2}, 4);
        node->attrs.n_axes = 1;
        nw_draw_settle(d);
        node = nw_draw_unary(d, NW_OP_SLICE);
        nw_draw_ints(d, node, (const int64_t[]){i / 2, in.w, h + 1, 2}, 4);
        node->attrs.n_axes = 1;
        nw_draw_settle(d);
        parts[i] = (nw_draw_map){d->at.id, in.h / 2, in.w / 2, in.c};
    }
    nw_draw_concat(d, parts, 4);
}

/* Pooling over windows of several sizes around every place, beside the map itself. */
static void add_pyramid_pooling(nw_draw *d, int c_out)
{
    nw_draw_map sides[4];
    bool is_chain = nw_draw_chance(d, 0.3);
    nw_draw_pointwise(d, nw_draw_channels(d, d->at.c / 2.0), d->act);
    sides[0] = d->at;
    for (int i = 1; i < 4; i++) {
        d->at = is_chain ? d->at : sides[0];
        nw_draw_pool(d, NW_OP_MAX_POOL, nw_draw_square(is_chain ? 5 : 1 + 4 * i, 1));
        sides[i] = d->at;
    }
    nw_draw_concat(d, sides, 4);
    nw_draw_pointwise(d, c_out, d->act);
}

/* The values of one map as C x (H W), in the file's order. */
static nw_tensor_id add_yolo_head(nw_draw *d, const yolo_style *style, nw_draw_map from, int c)
{
    nw_draw_map stem, parts[3], m;
    int n = 5 + style->n_classes;
    d->at = from;
    if (style->is_decoupled) {
        nw_draw_pointwise(d, c, d->act);
        stem = d->at;
        for (int i = 0; i < 2; i++) {
            d->at = stem;
            add_spatial(d, style, c, 1);
            add_spatial(d, style, c, 1);
            m = d->at;
            nw_draw_pointwise(d, i ? style->n_classes : 4, NW_DRAW_LINEAR);
            if (i)
                nw_draw_act(d, NW_OP_SIGMOID);
            parts[2 * i] = d->at;
            if (i)
                continue;
            d->at = m;
            nw_draw_pointwise(d, 1, NW_DRAW_LINEAR);
            nw_draw_act(d, NW_OP_SIGMOID);
            parts[1] = d->at;
        }
        nw_draw_concat(d, parts, 3);
    } else {
        nw_draw_pointwise(d, n, NW_DRAW_LINEAR);
    }
    m = d->at;
    if (d->style == NW_DRAW_NHWC)
        nw_draw_reshape(d, (const int64_t[]){1, m.h * m.w, n}, 3);
    else
        nw_draw_reshape(d, (const int64_t[]){1, n, m.h * m.w}, 3);
    return d->at.id;
}

static void add_yolo_neck(nw_draw *d, const yolo_style *style, nw_draw_map levels[3], double c)
{
    int widths[3];
    for (int i = 0; i < 3; i++)
        widths[i] = nw_draw_channels(d, c * (1 << i));
    for (int i = 1; i >= 0; i--) {
        d->at = levels[i + 1];
        nw_draw_pointwise(d, widths[i], d->act);
        levels[i + 1] = d->at;
        d->at = add_above(d, d->at, levels[i], true);
        add_csp(d, style, widths[i], 1, false);
        levels[i] = d->at;
    }
    for (int i = 1; i < 3; i++) {
        d->at = levels[i - 1];
        add_spatial(d, style, widths[i - 1], 2);
        nw_draw_map sides[2] = {d->at, levels[i]};
        if (sides[0].h != levels[i].h || sides[0].w != levels[i].w)
            sides[0] = levels[i];
        nw_draw_concat(d, sides, 2);
        add_csp(d, style, widths[i], 1, false);
        levels[i] = d->at;
    }
}

/* YOLOX, YOLOv5 and their nano versions: focus, CSP, pyramid pooling, both ways through the
 * pyramid. */
void nw_family_yolo(nw_draw *d)
{
    static const nw_op acts[] = {NW_OP_SWISH, NW_OP_LEAKY_RELU, NW_OP_RELU, NW_OP_HARD_SWISH};
    yolo_style style = {nw_draw_chance(d, 0.6), nw_draw_chance(d, 0.6),
                        NW_DRAW_ONE_OF(d, 1, 1, 2, 20, 80)};
    nw_draw_map levels[3];
    double c = nw_rng_log_uniform(&d->rng, 8, 32), base = c;
    d->act = acts[nw_rng_pick(&d->rng, (const double[]){6, 1, 2, 1}, 4)];
    nw_draw_input(d, 32 * nw_draw_int(d, 3, 13), 32 * nw_draw_int(d, 3, 13), 3);
    if (nw_draw_chance(d, 0.5))
        add_focus(d);
    else
        nw_draw_conv(d, nw_draw_channels(d, c / 2), nw_draw_square(3, 2), 1, d->act);
    nw_draw_conv(d, nw_draw_channels(d, c), nw_draw_square(3, 1), 1, d->act);
    for (int i = 0; i < 4; i++) {
        c *= 2;
        add_spatial(d, &style, nw_draw_channels(d, c), 2);
        if (i == 3)
            add_pyramid_pooling(d, nw_draw_channels(d, c));
        add_csp(d, &style, nw_draw_channels(d, c), nw_draw_int(d, 1, 3), i < 3);
        if (i > 0)
            levels[i - 1] = d->at;
    }
    add_yolo_neck(d, &style, levels, 4 * base);
    nw_tensor_id rows[3];
    int wide = nw_draw_channels(d, 4 * base);
    for (int i = 0; i < 3; i++)
        rows[i] = add_yolo_head(d, &style, levels[i], wide);
    nw_draw_join(d, rows, 3, d->style == NW_DRAW_NHWC ? 1 : 2);
    if (d->style != NW_DRAW_NHWC)
        nw_draw_transpose(d, (const int64_t[]){0, 2, 1}, 3);
    nw_draw_output(d);
}
