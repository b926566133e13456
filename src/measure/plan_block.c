/* Blocks and backbones of mobile networks: MobileNetV1 to V3, EfficientNet, MnasNet, MCUNet,
 * EfficientNet-EdgeTPU, MobileNetEdgeTPU, MobileDets.
 */
#include <math.h>

#include "src/measure/plan_family.h"

void nw_draw_squeeze_excite(nw_draw *d, int c_reduced, nw_op act, nw_op gate)
{
    nw_draw_map map = d->at;
    nw_draw_global_pool(d);
    nw_draw_pointwise(d, c_reduced, act);
    nw_draw_pointwise(d, map.c, NW_DRAW_LINEAR);
    nw_draw_act(d, gate);
    nw_draw_binary(d, NW_OP_MUL, map, NW_DRAW_LINEAR);
}

static void add_squeeze(nw_draw *d, const nw_draw_block *b)
{
    nw_op gate = b->act == NW_OP_HARD_SWISH ? NW_OP_HARD_SIGMOID : NW_OP_SIGMOID;
    nw_op inner = b->act == NW_OP_SWISH ? NW_OP_SWISH : NW_OP_RELU;
    if (b->squeeze > 0)
        nw_draw_squeeze_excite(d, nw_draw_channels(d, b->squeeze * d->at.c), inner, gate);
}

static void add_residual(nw_draw *d, nw_draw_map skip)
{
    if (skip.h == d->at.h && skip.w == d->at.w && skip.c == d->at.c)
        nw_draw_binary(d, NW_OP_ADD, skip, NW_DRAW_LINEAR);
}

void nw_draw_ibn(nw_draw *d, const nw_draw_block *b)
{
    nw_draw_map skip = d->at;
    if (b->expansion > 1)
        nw_draw_pointwise(d, nw_draw_channels(d, b->expansion * skip.c), b->act);
    nw_draw_depthwise(d, 1, b->window, b->act);
    add_squeeze(d, b);
    nw_draw_pointwise(d, b->c_out, NW_DRAW_LINEAR);
    add_residual(d, skip);
}

void nw_draw_fused(nw_draw *d, const nw_draw_block *b)
{
    nw_draw_map skip = d->at;
    int inner = nw_draw_channels(d, b->expansion * skip.c), groups = 1;
    if (b->groups > 0 && skip.c % b->groups == 0) {
        groups = skip.c / b->groups;
        inner = (inner + groups - 1) / groups * groups;
    }
    nw_draw_conv(d, inner, b->window, groups, b->act);
    add_squeeze(d, b);
    nw_draw_pointwise(d, b->c_out, NW_DRAW_LINEAR);
    add_residual(d, skip);
}

void nw_draw_tucker(nw_draw *d, int c_out, double squeeze_in, double squeeze_out,
                    nw_draw_window window, nw_op act)
{
    nw_draw_map skip = d->at;
    nw_draw_pointwise(d, nw_draw_channels(d, squeeze_in * skip.c), act);
    nw_draw_conv(d, nw_draw_channels(d, squeeze_out * c_out), window, 1, act);
    nw_draw_pointwise(d, c_out, NW_DRAW_LINEAR);
    add_residual(d, skip);
}

void nw_draw_separable(nw_draw *d, int c_out, nw_draw_window window, nw_op middle, nw_op act)
{
    nw_draw_depthwise(d, 1, window, middle);
    nw_draw_pointwise(d, c_out, act);
}

/* ---- classifier heads ---- */

static int draw_classes(nw_draw *d)
{
    int n = NW_DRAW_ONE_OF(d, 2, 2, 10, 12, 100, 1000, 1000, 1001, 0);
    return n ? n : (int)nw_rng_log_uniform(&d->rng, 2, 1500);
}

static void end_scores(nw_draw *d, int n_classes)
{
    if (nw_draw_chance(d, 0.65))
        nw_draw_softmax(d, -1);
    else if (n_classes < 20 && nw_draw_chance(d, 0.2))
        nw_draw_act(d, NW_OP_SIGMOID);
    nw_draw_output(d);
}

void nw_draw_classifier(nw_draw *d)
{
    int n_classes = draw_classes(d);
    switch (nw_draw_int(d, 0, 4)) {
    case 0: /* pointwise behind the pooling, often behind a wide layer (MobileNetV2) */
        if (nw_draw_chance(d, 0.6))
            nw_draw_pointwise(
                d, nw_draw_channels(d, fmin(d->at.c * nw_rng_log_uniform(&d->rng, 1, 5), 2048)),
                d->act);
        nw_draw_global_pool(d);
        nw_draw_pointwise(d, n_classes, NW_DRAW_LINEAR);
        nw_draw_flatten(d);
        break;
    case 1: /* MobileNetV3: a wide layer behind the pooling */
        nw_draw_global_pool(d);
        nw_draw_flatten(d);
        nw_draw_fc(d, nw_draw_channels(d, d->at.c * nw_rng_log_uniform(&d->rng, 0.5, 3)), d->act);
        nw_draw_fc(d, n_classes, NW_DRAW_LINEAR);
        break;
    case 2: /* SqueezeNet: classes, then the pooling */
        nw_draw_pointwise(d, n_classes, d->act);
        nw_draw_global_pool(d);
        nw_draw_flatten(d);
        break;
    default:
        nw_draw_global_pool(d);
        nw_draw_flatten(d);
        nw_draw_fc(d, n_classes, NW_DRAW_LINEAR);
    }
    end_scores(d, n_classes);
}

/* ---- backbones ---- */

typedef struct stage {
    double c; /* channels wanted */
    int n_blocks, stride, kernel, dilation;
    double expansion;
    bool has_squeeze, is_late;
} stage;

static int draw_kernel(nw_draw *d)
{
    return (const int[]){3, 5, 7}[nw_rng_pick(&d->rng, (const double[]){65, 27, 8}, 3)];
}

static double draw_expansion(nw_draw *d)
{
    static const int usual[] = {1, 3, 4, 6, 6, 6, 8, 2};
    return nw_draw_chance(d, 0.75) ? usual[nw_draw_int(d, 0, 7)]
                                   : nw_rng_log_uniform(&d->rng, 1.5, 8);
}

static void block_separable(nw_draw *d, const stage *s, nw_draw_window w)
{
    nw_draw_separable(d, nw_draw_channels(d, s->c), w, d->act, d->act);
}

static void block_ibn(nw_draw *d, const stage *s, nw_draw_window w, nw_op act)
{
    double squeeze = s->has_squeeze ? nw_rng_log_uniform(&d->rng, 0.03, 0.3) : 0;
    nw_draw_block b = {nw_draw_channels(d, s->c), s->expansion, w, squeeze, act, 0};
    if (w.stride == 1 && w.dilation == 1 && nw_draw_chance(d, 0.8) && d->at.c > 1)
        b.c_out = fabs(d->at.c - s->c) < 0.2 * s->c ? d->at.c : b.c_out;
    nw_draw_ibn(d, &b);
}

/* Early blocks are fused, late ones are not, as EfficientNet-EdgeTPU and MobileDets found. */
static void block_fused(nw_draw *d, const stage *s, nw_draw_window w, nw_op act)
{
    double p_fused = s->is_late ? 0.25 : 0.7;
    if (!nw_draw_chance(d, p_fused)) {
        block_ibn(d, s, w, act);
        return;
    }
    int c_out = nw_draw_channels(d, s->c);
    if (w.stride == 1 && fabs(d->at.c - s->c) < 0.2 * s->c)
        c_out = d->at.c;
    if (nw_draw_chance(d, 0.25)) {
        double in = nw_draw_chance(d, 0.5) ? 0.25 : 0.75,
               out = nw_draw_chance(d, 0.5) ? 0.25 : 0.75;
        nw_draw_tucker(d, c_out, in, out, w, act);
        return;
    }
    int each = nw_draw_chance(d, 0.3) ? NW_DRAW_ONE_OF(d, 64, 32, 16, 8) : 0;
    double expansion = s->is_late ? fmin(s->expansion, 4) : s->expansion;
    nw_draw_block b = {c_out, fmax(expansion, 1), w, 0, act, each};
    nw_draw_fused(d, &b);
}

static void add_stage(nw_draw *d, nw_backbone kind, stage *s, nw_op act)
{
    for (int i = 0; i < s->n_blocks; i++) {
        int kernel = nw_draw_chance(d, 0.85) ? s->kernel : draw_kernel(d);
        nw_draw_window w = nw_draw_square(kernel, i ? 1 : s->stride);
        w.dilation = s->dilation;
        if (kind == NW_BACKBONE_SEPARABLE)
            block_separable(d, s, w);
        else if (kind == NW_BACKBONE_IBN)
            block_ibn(d, s, w, act);
        else
            block_fused(d, s, w, act);
    }
}

static void tap(nw_draw *d, nw_draw_taps *taps)
{
    bool is_same =
        taps->n && taps->maps[taps->n - 1].h == d->at.h && taps->maps[taps->n - 1].w == d->at.w;
    if (is_same)
        taps->n--;
    if (taps->n < NW_DRAW_MAX_TAPS)
        taps->maps[taps->n++] = d->at;
}

/* MobileNetV3 keeps relu in its early half and swishes in the late one. */
static nw_op stage_act(nw_op act, bool is_late)
{
    return act == NW_OP_HARD_SWISH && !is_late ? NW_OP_RELU : act;
}

void nw_draw_backbone(nw_draw *d, nw_backbone kind, double width, int max_reduction,
                      nw_draw_taps *taps)
{
    int n_stages = nw_draw_int(d, 4, 7), reduction = 1, dilation = 1;
    double p_squeeze = kind == NW_BACKBONE_SEPARABLE || nw_draw_chance(d, 0.5) ? 0 : 0.6;
    double c = 16 * width;
    taps->n = 0;
    int stem = d->at.h < 56 ? 1 : 2;
    int kernel = nw_draw_chance(d, 0.85) ? 3 : NW_DRAW_ONE_OF(d, 5, 7);
    nw_draw_conv(d, nw_draw_channels(d, c * NW_DRAW_ONE_OF(d, 1, 2)), nw_draw_square(kernel, stem),
                 1, d->act);
    reduction *= stem;
    tap(d, taps);
    for (int i = 0; i < n_stages; i++) {
        bool is_late = 2 * i > n_stages, strides = i > 0 && nw_draw_chance(d, 0.75);
        strides = strides && d->at.h > 3 && d->at.w > 3;
        bool may_stride = reduction * 2 <= max_reduction;
        if (strides && !may_stride)
            dilation = dilation < 4 && max_reduction < 32 ? dilation * 2 : dilation;
        stage s = {.c = c,
                   .n_blocks = nw_draw_int(d, 1, i ? 4 : 2),
                   .stride = strides && may_stride ? 2 : 1,
                   .kernel = draw_kernel(d),
                   .dilation = dilation,
                   .expansion = i ? draw_expansion(d) : 1,
                   .has_squeeze = nw_draw_chance(d, p_squeeze),
                   .is_late = is_late};
        reduction *= s.stride;
        add_stage(d, kind, &s, stage_act(d->act, is_late));
        tap(d, taps);
        c *= nw_rng_log_uniform(&d->rng, 1.15, i ? 1.9 : 2.1);
    }
}
