/* Classifiers: from the image to classes.
 */
#include <math.h>

#include "src/measure/plan_family.h"

static double draw_width(nw_draw *d)
{
    return nw_rng_log_uniform(&d->rng, 0.2, 2);
}

static nw_op draw_clamp(nw_draw *d)
{
    return nw_draw_chance(d, 0.5) ? NW_OP_RELU : NW_OP_RELU6;
}

static nw_op draw_mobile_act(nw_draw *d)
{
    static const nw_op acts[] = {NW_OP_RELU6, NW_OP_RELU, NW_OP_HARD_SWISH, NW_OP_SWISH,
                                 NW_OP_LEAKY_RELU};
    return acts[nw_rng_pick(&d->rng, (const double[]){30, 15, 28, 24, 3}, 5)];
}

/* MobileNetV1; person_detect's stem is a depthwise convolution of a grey image. */
void nw_family_separable(nw_draw *d)
{
    nw_draw_taps taps;
    d->act = draw_clamp(d);
    if (nw_draw_chance(d, 0.15)) {
        int side = nw_draw_side(d, 32, 224);
        nw_draw_input(d, side, side, 1);
        nw_draw_depthwise(d, NW_DRAW_ONE_OF(d, 8, 4, 6, 16), nw_draw_square(3, 2), d->act);
    } else {
        nw_draw_image(d, 32, 416);
    }
    nw_draw_backbone(d, NW_BACKBONE_SEPARABLE, draw_width(d), 32, &taps);
    nw_draw_classifier(d);
}

/* MobileNetV2, V3, MnasNet, EfficientNet, MCUNet: a wide last convolution, mostly. */
void nw_family_ibn(nw_draw *d)
{
    nw_draw_taps taps;
    d->act = draw_mobile_act(d);
    nw_draw_image(d, 48, 448);
    nw_draw_backbone(d, NW_BACKBONE_IBN, draw_width(d), 32, &taps);
    if (nw_draw_chance(d, 0.7)) {
        double wide = nw_draw_chance(d, 0.3) ? 1280 : d->at.c * nw_rng_log_uniform(&d->rng, 2, 8);
        nw_draw_pointwise(d, nw_draw_channels(d, wide), d->act);
    }
    nw_draw_classifier(d);
}

/* EfficientNet-EdgeTPU, EfficientNetV2, MobileNetEdgeTPU, MobileDets' backbones. */
void nw_family_fused(nw_draw *d)
{
    nw_draw_taps taps;
    d->act = nw_draw_chance(d, 0.7) ? draw_clamp(d) : draw_mobile_act(d);
    nw_draw_image(d, 96, 320);
    nw_draw_backbone(d, NW_BACKBONE_FUSED, nw_rng_log_uniform(&d->rng, 0.3, 1.6), 32, &taps);
    if (nw_draw_chance(d, 0.5))
        nw_draw_pointwise(d, nw_draw_channels(d, 1280 * nw_rng_log_uniform(&d->rng, 0.4, 1)),
                          d->act);
    nw_draw_classifier(d);
}

/* ---- residual networks ---- */

typedef struct residual_style {
    bool is_bottleneck, is_preactivated;
    int groups;
    double squeeze, inner; /* bottleneck: inner channels over the outer ones */
} residual_style;

static void add_shortcut(nw_draw *d, nw_draw_map skip, int stride, nw_op act)
{
    nw_draw_map main = d->at;
    bool is_same = skip.c == main.c && skip.h == main.h && skip.w == main.w;
    if (!is_same) {
        d->at = skip;
        nw_draw_conv(d, main.c, nw_draw_square(1, stride), 1, NW_DRAW_LINEAR);
        skip = d->at;
        d->at = main;
    }
    nw_draw_binary(d, NW_OP_ADD, skip, act);
}

static void add_residual_block(nw_draw *d, const residual_style *style, int c, int stride)
{
    nw_draw_map skip = d->at;
    nw_op last = style->is_preactivated ? NW_DRAW_LINEAR : d->act;
    if (style->is_preactivated) {
        nw_draw_norm(d, NW_OP_BATCH_NORM);
        nw_draw_act(d, d->act);
    }
    if (style->is_bottleneck) {
        int groups = style->groups, inner = nw_draw_channels(d, c * style->inner);
        inner = (inner + groups - 1) / groups * groups;
        nw_draw_pointwise(d, inner, d->act);
        nw_draw_conv(d, inner, nw_draw_square(3, stride), groups, d->act);
        nw_draw_pointwise(d, c, NW_DRAW_LINEAR);
    } else {
        nw_draw_conv(d, c, nw_draw_square(3, stride), 1, d->act);
        nw_draw_conv(d, c, nw_draw_square(3, 1), 1, NW_DRAW_LINEAR);
    }
    if (style->squeeze > 0)
        nw_draw_squeeze_excite(d, nw_draw_channels(d, c * style->squeeze), d->act, NW_OP_SIGMOID);
    add_shortcut(d, skip, stride, last);
}

/* ResNet basic and bottleneck, pre-activated, ResNeXt, SE-ResNet, RegNet; small ones for CIFAR. */
void nw_family_resnet(nw_draw *d)
{
    bool is_small = nw_draw_chance(d, 0.35);
    residual_style style = {.is_bottleneck = !is_small && nw_draw_chance(d, 0.5),
                            .is_preactivated = nw_draw_chance(d, 0.15),
                            .groups = 1,
                            .squeeze = nw_draw_chance(d, 0.15) ? 0.0625 : 0,
                            .inner = nw_draw_chance(d, 0.7) ? 0.25 : 1};
    if (style.is_bottleneck && nw_draw_chance(d, 0.35))
        style.groups = NW_DRAW_ONE_OF(d, 2, 4, 8, 16, 32);
    d->act = nw_draw_chance(d, 0.9) ? NW_OP_RELU : NW_OP_LEAKY_RELU;
    nw_draw_image(d, 32, is_small ? 96 : 288);
    double c = (is_small ? 16 : 64) * nw_rng_log_uniform(&d->rng, 0.25, is_small ? 2 : 1.2);
    if (is_small) {
        nw_draw_conv(d, nw_draw_channels(d, c), nw_draw_square(3, 1), 1, d->act);
    } else {
        nw_draw_conv(d, nw_draw_channels(d, c), nw_draw_square(NW_DRAW_ONE_OF(d, 7, 7, 5, 3), 2), 1,
                     d->act);
        nw_draw_pool(d, NW_OP_MAX_POOL, nw_draw_square(NW_DRAW_ONE_OF(d, 3, 3, 2), 2));
    }
    c *= style.is_bottleneck && style.inner < 1 ? 4 : 1;
    int n_stages = nw_draw_int(d, is_small ? 2 : 3, 4);
    for (int i = 0; i < n_stages; i++) {
        int n = nw_draw_int(d, 1, 3), c_out = nw_draw_channels(d, c);
        for (int k = 0; k < n; k++)
            add_residual_block(d, &style, c_out, i > 0 && k == 0 ? 2 : 1);
        c *= nw_draw_chance(d, 0.7) ? 2 : nw_rng_log_uniform(&d->rng, 1.2, 2.5);
    }
    nw_draw_classifier(d);
}

/* ---- plain ones ---- */

/* VGG, and ConvNet-Quake-like stacks of single convolutions with pooling. */
void nw_family_vgg(nw_draw *d)
{
    d->act = nw_draw_chance(d, 0.85) ? NW_OP_RELU : NW_OP_PRELU;
    nw_draw_image(d, 32, 224);
    double c = nw_rng_log_uniform(&d->rng, 8, 64);
    int n_stages = nw_draw_int(d, 3, 5), kernel = nw_draw_chance(d, 0.85) ? 3 : 5;
    for (int i = 0; i < n_stages; i++) {
        int n = nw_draw_int(d, 1, 3);
        for (int k = 0; k < n; k++)
            nw_draw_conv(d, nw_draw_channels(d, c), nw_draw_square(kernel, 1), 1, d->act);
        nw_op pool = nw_draw_chance(d, 0.85) ? NW_OP_MAX_POOL : NW_OP_AVERAGE_POOL;
        nw_draw_pool(d, pool, nw_draw_square(NW_DRAW_ONE_OF(d, 2, 2, 2, 3), 2));
        c = fmin(c * 2, 512);
    }
    if (nw_draw_chance(d, 0.6)) {
        nw_draw_flatten(d);
        int n = nw_draw_int(d, 0, 2), wide = (int)nw_rng_log_uniform(&d->rng, 32, 2048);
        for (int i = 0; i < n; i++)
            nw_draw_fc(d, nw_draw_channels(d, wide), d->act);
        nw_draw_fc(d, NW_DRAW_ONE_OF(d, 2, 10, 100, 1000), NW_DRAW_LINEAR);
        nw_draw_softmax(d, -1);
        nw_draw_output(d);
        return;
    }
    nw_draw_classifier(d);
}

/* SqueezeNet: one squeezing convolution, two expanding ones side by side. */
void nw_family_fire(nw_draw *d)
{
    bool has_skips = nw_draw_chance(d, 0.3);
    nw_draw_image(d, 64, 288);
    nw_draw_window stem = nw_draw_square(NW_DRAW_ONE_OF(d, 3, 3, 7), 2);
    nw_draw_window pool = nw_draw_square(3, 2);
    stem.is_valid = pool.is_valid = nw_draw_chance(d, 0.7);
    double c = nw_rng_log_uniform(&d->rng, 32, 160);
    nw_draw_conv(d, nw_draw_channels(d, c / 2), stem, 1, d->act);
    nw_draw_pool(d, NW_OP_MAX_POOL, pool);
    for (int i = 0, n = nw_draw_int(d, 4, 9); i < n; i++) {
        nw_draw_map skip = d->at, sides[2];
        double ratio = nw_rng_log_uniform(&d->rng, 0.1, 0.3);
        nw_draw_pointwise(d, nw_draw_channels(d, c * ratio), d->act);
        nw_draw_map squeezed = d->at;
        nw_draw_pointwise(d, nw_draw_channels(d, c / 2), d->act);
        sides[0] = d->at;
        d->at = squeezed;
        nw_draw_conv(d, nw_draw_channels(d, c / 2), nw_draw_square(3, 1), 1, d->act);
        sides[1] = d->at;
        nw_draw_concat(d, sides, 2);
        if (has_skips && skip.c == d->at.c && skip.h == d->at.h)
            nw_draw_binary(d, NW_OP_ADD, skip, NW_DRAW_LINEAR);
        if (i % 3 == 2 && d->at.h > 4 && d->at.w > 4)
            nw_draw_pool(d, NW_OP_MAX_POOL, pool);
        c *= nw_rng_log_uniform(&d->rng, 1, 1.4);
    }
    nw_draw_classifier(d);
}

/* ---- channel shuffles ---- */

static void add_shuffle_v1(nw_draw *d, int groups, int c_out, int stride)
{
    nw_draw_map skip = d->at;
    int c = stride == 2 && c_out > skip.c ? c_out - skip.c : c_out;
    c = (c + groups - 1) / groups * groups;
    int inner = (c / 4 + groups - 1) / groups * groups, in_groups = skip.c % groups ? 1 : groups;
    nw_draw_conv(d, inner, nw_draw_square(1, 1), in_groups, d->act);
    nw_draw_shuffle(d, groups);
    nw_draw_depthwise(d, 1, nw_draw_square(3, stride), NW_DRAW_LINEAR);
    nw_draw_conv(d, c, nw_draw_square(1, 1), groups, NW_DRAW_LINEAR);
    nw_draw_map sides[2] = {skip, d->at};
    if (stride == 1 && skip.c == d->at.c) {
        nw_draw_binary(d, NW_OP_ADD, skip, d->act);
    } else if (stride == 2) {
        d->at = skip;
        nw_draw_pool(d, NW_OP_AVERAGE_POOL, nw_draw_square(3, 2));
        sides[0] = d->at;
        nw_draw_concat(d, sides, 2);
        nw_draw_act(d, d->act);
    }
}

static void add_shuffle_v2(nw_draw *d, int c_out, int stride)
{
    nw_draw_map halves[2] = {d->at, d->at};
    int c = c_out / 2;
    if (stride == 1) {
        nw_draw_split(d, halves);
        c = halves[1].c;
    } else {
        nw_draw_depthwise(d, 1, nw_draw_square(3, 2), NW_DRAW_LINEAR);
        nw_draw_pointwise(d, c, d->act);
        halves[0] = d->at;
    }
    d->at = halves[1];
    nw_draw_pointwise(d, c, d->act);
    nw_draw_depthwise(d, 1, nw_draw_square(3, stride), NW_DRAW_LINEAR);
    nw_draw_pointwise(d, c, d->act);
    halves[1] = d->at;
    nw_draw_concat(d, halves, 2);
    if (d->at.c % 2 == 0)
        nw_draw_shuffle(d, 2);
}

/* ShuffleNet V1 and V2. */
void nw_family_shuffle(nw_draw *d)
{
    bool is_second = nw_draw_chance(d, 0.6);
    int groups = NW_DRAW_ONE_OF(d, 2, 3, 4, 8);
    nw_draw_image(d, 64, 320);
    nw_draw_conv(d, nw_draw_channels(d, 24), nw_draw_square(3, 2), 1, d->act);
    nw_draw_pool(d, NW_OP_MAX_POOL, nw_draw_square(3, 2));
    double c = nw_rng_log_uniform(&d->rng, 32, 240);
    for (int i = 0; i < 3; i++) {
        int c_out = nw_draw_channels(d, c);
        for (int k = 0, n = nw_draw_int(d, 2, 4); k < n; k++)
            if (is_second)
                add_shuffle_v2(d, c_out + c_out % 2, k ? 1 : 2);
            else
                add_shuffle_v1(d, groups, k ? d->at.c : c_out, k ? 1 : 2);
        c *= 2;
    }
    if (nw_draw_chance(d, 0.5))
        nw_draw_pointwise(d, nw_draw_channels(d, d->at.c * 2), d->act);
    nw_draw_classifier(d);
}

/* ---- branches and dense connections ---- */

static void add_inception(nw_draw *d, double c)
{
    nw_draw_map in = d->at, sides[4];
    for (int i = 0; i < 4; i++) {
        int c_out = nw_draw_channels(d, c * nw_rng_log_uniform(&d->rng, 0.1, 0.6));
        d->at = in;
        if (i == 3)
            nw_draw_pool(d, nw_draw_chance(d, 0.5) ? NW_OP_MAX_POOL : NW_OP_AVERAGE_POOL,
                         nw_draw_square(3, 1));
        if (i == 1 || i == 2)
            nw_draw_pointwise(d, nw_draw_channels(d, c_out * 0.6), d->act);
        if (i == 2 && nw_draw_chance(d, 0.3)) { /* a long window in two */
            nw_draw_conv(d, c_out, (nw_draw_window){1, 7, 1, 1, false}, 1, d->act);
            nw_draw_conv(d, c_out, (nw_draw_window){7, 1, 1, 1, false}, 1, d->act);
        } else {
            int kernel = i == 1 ? 3 : i == 2 ? 5 : 1;
            nw_draw_conv(d, c_out, nw_draw_square(kernel, 1), 1, d->act);
        }
        sides[i] = d->at;
    }
    nw_draw_concat(d, sides, 4);
}

/* DenseNet's layer: normalised, 1x1, 3x3, and its input kept beside it. */
static void add_dense(nw_draw *d, int growth)
{
    nw_draw_map sides[2] = {d->at, d->at};
    if (nw_draw_chance(d, 0.8))
        nw_draw_norm(d, NW_OP_BATCH_NORM);
    nw_draw_act(d, d->act);
    nw_draw_pointwise(d, 4 * growth, d->act);
    nw_draw_conv(d, growth, nw_draw_square(3, 1), 1, NW_DRAW_LINEAR);
    sides[1] = d->at;
    nw_draw_concat(d, sides, 2);
}

/* GoogLeNet and DenseNet. */
void nw_family_branch(nw_draw *d)
{
    bool is_dense = nw_draw_chance(d, 0.5);
    int growth = nw_draw_channels(d, nw_rng_log_uniform(&d->rng, 8, 32));
    double c = nw_rng_log_uniform(&d->rng, 64, 256);
    nw_draw_image(d, 64, 256);
    nw_draw_conv(d, nw_draw_channels(d, c / 4), nw_draw_square(NW_DRAW_ONE_OF(d, 7, 3), 2), 1,
                 d->act);
    nw_draw_pool(d, NW_OP_MAX_POOL, nw_draw_square(3, 2));
    for (int i = 0; i < 3; i++) {
        for (int k = 0, n = nw_draw_int(d, 1, is_dense ? 4 : 2); k < n; k++)
            if (is_dense)
                add_dense(d, growth);
            else
                add_inception(d, c);
        if (i < 2 && is_dense) {
            nw_draw_pointwise(d, nw_draw_channels(d, d->at.c / 2.0), d->act);
            nw_draw_pool(d, NW_OP_AVERAGE_POOL, nw_draw_square(2, 2));
        } else if (i < 2) {
            nw_draw_pool(d, NW_OP_MAX_POOL, nw_draw_square(3, 2));
        }
        c *= 1.5;
    }
    nw_draw_classifier(d);
}

/* ---- microcontrollers ---- */

static void draw_keywords(nw_draw *d)
{
    int c = nw_draw_channels(d, nw_rng_log_uniform(&d->rng, 16, 300));
    nw_draw_input(d, nw_draw_int(d, 25, 101), NW_DRAW_ONE_OF(d, 10, 10, 13, 40), 1);
    nw_draw_conv(d, c, (nw_draw_window){NW_DRAW_ONE_OF(d, 10, 8), 4, 2, 1, false}, 1, d->act);
    for (int i = 0, n = nw_draw_int(d, 3, 6); i < n; i++)
        nw_draw_separable(d, c, nw_draw_square(3, 1), d->act, d->act);
    nw_draw_classifier(d);
}

static void draw_autoencoder(nw_draw *d)
{
    int in = nw_draw_int(d, 64, 800), wide = nw_draw_channels(d, nw_draw_int(d, 32, 256));
    nw_draw_input(d, 1, 1, in);
    nw_draw_flatten(d);
    for (int i = 0, n = nw_draw_int(d, 4, 9); i < n; i++)
        nw_draw_fc(d, i == n / 2 ? NW_DRAW_ONE_OF(d, 4, 8, 16) : wide, NW_OP_RELU);
    nw_draw_fc(d, in, NW_DRAW_LINEAR);
    nw_draw_output(d);
}

static void draw_digits(nw_draw *d)
{
    int side = NW_DRAW_ONE_OF(d, 28, 28, 32, 24);
    nw_draw_input(d, side, side, NW_DRAW_ONE_OF(d, 1, 1, 3));
    nw_draw_window w = nw_draw_square(NW_DRAW_ONE_OF(d, 5, 3), 1);
    w.is_valid = nw_draw_chance(d, 0.4);
    for (int i = 0; i < 2; i++) {
        int c = nw_draw_channels(d, nw_rng_log_uniform(&d->rng, 4, 48));
        nw_draw_conv(d, c, w, 1, d->act);
        nw_draw_window pool = nw_draw_square(NW_DRAW_ONE_OF(d, 2, 2, 3), 2);
        pool.is_valid = true;
        pool.stride = pool.kernel_h;
        nw_draw_pool(d, NW_OP_MAX_POOL, pool);
    }
    nw_draw_flatten(d);
    if (nw_draw_chance(d, 0.6))
        nw_draw_fc(d, nw_draw_int(d, 16, 128), NW_OP_RELU);
    nw_draw_fc(d, 10, NW_DRAW_LINEAR);
    if (nw_draw_chance(d, 0.5))
        nw_draw_softmax(d, -1);
    nw_draw_output(d);
}

/* MLPerf Tiny's keyword spotting and anomaly detection, LeNet. */
void nw_family_tiny(nw_draw *d)
{
    switch (nw_draw_int(d, 0, 3)) {
    case 0:
        draw_autoencoder(d);
        break;
    case 1:
        draw_digits(d);
        break;
    default:
        draw_keywords(d);
    }
}
