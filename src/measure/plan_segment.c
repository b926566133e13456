/* Networks whose output is a map, and those that look at everything from everywhere.
 */
#include <math.h>

#include "src/measure/plan_family.h"

/* The end of a segmentation: at full size, perhaps the best class or a distribution. */
static void end_map(nw_draw *d, nw_draw_map image)
{
    if (d->at.h != image.h || d->at.w != image.w)
        nw_draw_resize(d, image.h, image.w);
    double weights[4] = {4, d->at.c > 1 ? 4 : 0, d->at.c > 1 ? 2 : 0, d->at.c == 1 ? 6 : 1};
    switch (nw_rng_pick(&d->rng, weights, 4)) {
    case 1: {
        bool keeps = nw_draw_chance(d, 0.5);
        nw_node *node = nw_draw_unary(d, NW_OP_ARG_MAX);
        node->attrs.axis = nw_draw_channel_axis(d);
        node->attrs.keep_dims = keeps;
        d->graph->tensors[d->at.id].dtype = NW_DTYPE_INT64;
        break;
    }
    case 2:
        nw_draw_softmax(d, nw_draw_channel_axis(d));
        break;
    case 3:
        nw_draw_act(d, NW_OP_SIGMOID);
        break;
    default:
        break;
    }
    nw_draw_output(d);
}

static int draw_map_classes(nw_draw *d)
{
    return NW_DRAW_ONE_OF(d, 1, 2, 2, 19, 21, 21, 5, 32);
}

static nw_draw_map tap_at(const nw_draw_taps *taps, nw_draw_map image, int reduction)
{
    for (int i = taps->n - 1; i > 0; i--)
        if (taps->maps[i].h * reduction >= image.h)
            return taps->maps[i];
    return taps->maps[0];
}

static nw_op draw_act(nw_draw *d)
{
    static const nw_op acts[] = {NW_OP_HARD_SWISH, NW_OP_RELU6, NW_OP_RELU, NW_OP_SWISH};
    return acts[nw_rng_pick(&d->rng, (const double[]){4, 4, 2, 1}, 4)];
}

/* LR-ASPP: the deep map gated by its mean, and a shallow one, a class map each. */
void nw_family_lraspp(nw_draw *d)
{
    nw_draw_taps taps;
    d->act = draw_act(d);
    nw_draw_image(d, 128, 640);
    nw_draw_map image = d->at;
    nw_draw_backbone(d, NW_BACKBONE_IBN, nw_rng_log_uniform(&d->rng, 0.35, 1.3), 16, &taps);
    nw_draw_map deep = d->at, low = tap_at(&taps, image, 8);
    int c = nw_draw_channels(d, nw_rng_log_uniform(&d->rng, 48, 192)), n = draw_map_classes(d);
    nw_draw_global_pool(d);
    nw_draw_pointwise(d, c, NW_DRAW_LINEAR);
    nw_draw_act(d, NW_OP_SIGMOID);
    nw_draw_map gate = d->at;
    d->at = deep;
    nw_draw_pointwise(d, c, NW_OP_RELU);
    nw_draw_binary(d, NW_OP_MUL, gate, NW_DRAW_LINEAR);
    nw_draw_resize(d, low.h, low.w);
    nw_draw_pointwise(d, n, NW_DRAW_LINEAR);
    nw_draw_map first = d->at;
    d->at = low;
    nw_draw_pointwise(d, n, NW_DRAW_LINEAR);
    nw_draw_binary(d, NW_OP_ADD, first, NW_DRAW_LINEAR);
    end_map(d, image);
}

/* DeepLab V3 and V3+: the mean of the map spread over it, dilated windows, side by side. */
void nw_family_deeplab(nw_draw *d)
{
    nw_draw_taps taps;
    d->act = draw_act(d);
    nw_draw_image(d, 193, 640);
    nw_draw_map image = d->at, sides[5];
    nw_draw_backbone(d, nw_draw_chance(d, 0.8) ? NW_BACKBONE_IBN : NW_BACKBONE_SEPARABLE,
                     nw_rng_log_uniform(&d->rng, 0.3, 1.1), NW_DRAW_ONE_OF(d, 8, 16, 16), &taps);
    nw_draw_map deep = d->at, low = tap_at(&taps, image, 4);
    int c = nw_draw_channels(d, nw_rng_log_uniform(&d->rng, 64, 256)), n_sides = 0;
    nw_draw_global_pool(d);
    nw_draw_pointwise(d, c, NW_OP_RELU);
    nw_draw_resize(d, deep.h, deep.w);
    sides[n_sides++] = d->at;
    d->at = deep;
    nw_draw_pointwise(d, c, NW_OP_RELU);
    sides[n_sides++] = d->at;
    for (int i = 0, n = nw_draw_chance(d, 0.5) ? 3 : 0; i < n; i++) {
        nw_draw_window w = nw_draw_square(3, 1);
        w.dilation = 6 * (i + 1);
        d->at = deep;
        nw_draw_separable(d, c, w, NW_OP_RELU, NW_OP_RELU);
        sides[n_sides++] = d->at;
    }
    nw_draw_concat(d, sides, n_sides);
    nw_draw_pointwise(d, c, NW_OP_RELU);
    if (nw_draw_chance(d, 0.35)) { /* V3+: refined beside a shallow map */
        nw_draw_resize(d, low.h, low.w);
        sides[0] = d->at;
        d->at = low;
        nw_draw_pointwise(d, nw_draw_channels(d, 48), NW_OP_RELU);
        sides[1] = d->at;
        nw_draw_concat(d, sides, 2);
        nw_draw_separable(d, c, nw_draw_square(3, 1), NW_OP_RELU, NW_OP_RELU);
    }
    nw_draw_pointwise(d, draw_map_classes(d), NW_DRAW_LINEAR);
    if (nw_draw_chance(d, 0.3)) /* TensorFlow writes a resize that changes nothing */
        nw_draw_resize(d, d->at.h, d->at.w);
    end_map(d, image);
}

/* ---- down and up again ---- */

static void add_pair(nw_draw *d, int c, bool is_separable)
{
    for (int i = 0; i < 2; i++)
        if (is_separable)
            nw_draw_separable(d, c, nw_draw_square(3, 1), d->act, d->act);
        else
            nw_draw_conv(d, c, nw_draw_square(3, 1), 1, d->act);
}

static void go_up(nw_draw *d, nw_draw_map to, int c, bool transposes)
{
    if (transposes && d->at.h * 2 == to.h && d->at.w * 2 == to.w) {
        nw_draw_conv_transpose(d, c, NW_DRAW_ONE_OF(d, 2, 2, 3, 4), 2,
                               nw_draw_chance(d, 0.5) ? d->act : NW_DRAW_LINEAR);
        return;
    }
    nw_draw_resize(d, to.h, to.w);
    nw_draw_conv(d, c, nw_draw_square(NW_DRAW_ONE_OF(d, 1, 3), 1), 1, d->act);
}

/* U-Net: every map on the way up meets its like from the way down. */
void nw_family_unet(nw_draw *d)
{
    nw_draw_map levels[5];
    bool is_separable = nw_draw_chance(d, 0.3), transposes = nw_draw_chance(d, 0.6);
    bool joins = nw_draw_chance(d, 0.65);
    d->act = nw_draw_chance(d, 0.8) ? NW_OP_RELU : NW_OP_LEAKY_RELU;
    nw_draw_image(d, 64, 448);
    nw_draw_map image = d->at;
    double c = nw_rng_log_uniform(&d->rng, 6, 40);
    int n = nw_draw_int(d, 2, 4);
    for (int i = 0; i <= n; i++) {
        add_pair(d, nw_draw_channels(d, c * (1 << i)), is_separable && i > 0);
        levels[i] = d->at;
        if (i < n)
            nw_draw_pool(d, nw_draw_chance(d, 0.9) ? NW_OP_MAX_POOL : NW_OP_AVERAGE_POOL,
                         nw_draw_square(2, 2));
    }
    for (int i = n - 1; i >= 0; i--) {
        go_up(d, levels[i], levels[i].c, transposes);
        nw_draw_map sides[2] = {levels[i], d->at};
        if (joins)
            nw_draw_concat(d, sides, 2);
        else
            nw_draw_binary(d, NW_OP_ADD, levels[i], d->act);
        add_pair(d, levels[i].c, is_separable);
    }
    nw_draw_pointwise(d, draw_map_classes(d), NW_DRAW_LINEAR);
    end_map(d, image);
}

/* The way up of selfie segmentation: sum, gate by the mean of both, a depthwise residual. */
static void add_gated_up(nw_draw *d, nw_draw_map skip)
{
    nw_draw_map up, gate;
    bool is_before = nw_draw_chance(d, 0.6);
    nw_op act = nw_draw_chance(d, 0.5) ? NW_OP_RELU : NW_DRAW_LINEAR;
    if (is_before)
        nw_draw_pointwise(d, skip.c, act);
    nw_draw_resize(d, skip.h, skip.w);
    if (!is_before)
        nw_draw_pointwise(d, skip.c, act);
    up = d->at;
    nw_draw_binary(d, NW_OP_ADD, skip, NW_DRAW_LINEAR);
    nw_draw_global_pool(d);
    nw_draw_pointwise(d, skip.c, NW_OP_RELU);
    nw_draw_pointwise(d, skip.c, NW_DRAW_LINEAR);
    nw_draw_act(d, NW_OP_SIGMOID);
    gate = d->at;
    d->at = skip;
    nw_draw_binary(d, NW_OP_MUL, gate, NW_DRAW_LINEAR);
    nw_draw_binary(d, NW_OP_ADD, up, NW_DRAW_LINEAR);
    nw_draw_pointwise(d, skip.c, NW_OP_RELU);
    up = d->at;
    nw_draw_depthwise(d, 1, nw_draw_square(3, 1), NW_OP_RELU);
    nw_draw_binary(d, NW_OP_ADD, up, NW_DRAW_LINEAR);
}

/* MediaPipe's selfie segmentation: MobileNetV3 down, gated sums up, a transposed convolution. */
void nw_family_selfie(nw_draw *d)
{
    nw_draw_taps taps;
    d->act = nw_draw_chance(d, 0.8) ? NW_OP_HARD_SWISH : NW_OP_RELU;
    nw_draw_image(d, 96, 448);
    nw_draw_map image = d->at;
    nw_draw_backbone(d, NW_BACKBONE_IBN, nw_rng_log_uniform(&d->rng, 0.5, 1.2), 16, &taps);
    nw_draw_map deep = d->at;
    int c = nw_draw_channels(d, 128);
    nw_draw_global_pool(d);
    nw_draw_pointwise(d, c, NW_DRAW_LINEAR);
    nw_draw_act(d, NW_OP_SIGMOID);
    nw_draw_map gate = d->at;
    d->at = deep;
    nw_draw_pointwise(d, c, NW_OP_RELU);
    nw_draw_binary(d, NW_OP_MUL, gate, NW_DRAW_LINEAR);
    for (int i = taps.n - 2; i >= 0; i--)
        add_gated_up(d, taps.maps[i]);
    if (d->at.h * 2 == image.h && d->at.w * 2 == image.w)
        nw_draw_conv_transpose(d, nw_draw_int(d, 1, 2), 2, 2, NW_DRAW_LINEAR);
    if (nw_draw_chance(d, 0.7))
        nw_draw_act(d, NW_OP_SIGMOID);
    nw_draw_output(d);
}

/* ---- pixels to pixels ---- */

static void add_pixel_block(nw_draw *d, int c, nw_op norm)
{
    nw_draw_map skip = d->at;
    nw_draw_conv(d, c, nw_draw_square(3, 1), 1, norm == NW_OP_OPAQUE ? d->act : NW_DRAW_LINEAR);
    if (norm != NW_OP_OPAQUE) {
        nw_draw_norm(d, norm);
        nw_draw_act(d, d->act);
    }
    nw_draw_conv(d, c, nw_draw_square(3, 1), 1, NW_DRAW_LINEAR);
    if (norm != NW_OP_OPAQUE)
        nw_draw_norm(d, norm);
    nw_draw_binary(d, NW_OP_ADD, skip, NW_DRAW_LINEAR);
}

static void add_depth_to_space(nw_draw *d, int block)
{
    if (d->style == NW_DRAW_TURNED)
        nw_draw_transpose(d, (const int64_t[]){0, 2, 3, 1}, 4);
    nw_draw_unary(d, NW_OP_DEPTH_TO_SPACE)->attrs.block = block;
    if (d->style == NW_DRAW_TURNED)
        nw_draw_transpose(d, (const int64_t[]){0, 3, 1, 2}, 4);
    d->at.h *= block;
    d->at.w *= block;
    d->at.c /= block * block;
    nw_draw_settle(d);
}

/* Super-resolution (FSRCNN, ESPCN, EDSR), style transfer, denoising. */
void nw_family_pixels(nw_draw *d)
{
    static const nw_op acts[] = {NW_OP_RELU, NW_OP_PRELU, NW_OP_LEAKY_RELU, NW_OP_TANH, NW_OP_GELU};
    nw_op norm = nw_draw_chance(d, 0.3) ? NW_OP_INSTANCE_NORM : NW_OP_OPAQUE;
    int scale = NW_DRAW_ONE_OF(d, 1, 2, 2, 3, 4);
    d->act = acts[nw_rng_pick(&d->rng, (const double[]){5, 4, 2, 1, 1}, 5)];
    nw_draw_image(d, 32, scale > 1 ? 160 : 320);
    int c_image = d->at.c, c = nw_draw_channels(d, nw_rng_log_uniform(&d->rng, 8, 64));
    nw_draw_conv(d, c, nw_draw_square(NW_DRAW_ONE_OF(d, 3, 5, 5, 9), 1), 1, d->act);
    nw_draw_map shallow = d->at;
    for (int i = nw_draw_int(d, 1, 4); i > 0; i--)
        add_pixel_block(d, c, norm);
    if (nw_draw_chance(d, 0.3))
        nw_draw_binary(d, nw_draw_chance(d, 0.5) ? NW_OP_MAX : NW_OP_ADD, shallow, NW_DRAW_LINEAR);
    if (scale > 1 && nw_draw_chance(d, 0.6)) {
        nw_draw_conv(d, c_image * scale * scale, nw_draw_square(3, 1), 1, NW_DRAW_LINEAR);
        add_depth_to_space(d, scale);
    } else if (scale > 1) {
        nw_draw_conv_transpose(d, c_image, NW_DRAW_ONE_OF(d, 9, 4, 3), scale, NW_DRAW_LINEAR);
    } else {
        nw_draw_conv(d, c_image, nw_draw_square(3, 1), 1, NW_DRAW_LINEAR);
    }
    if (nw_draw_chance(d, 0.4))
        nw_draw_act(d, nw_draw_chance(d, 0.5) ? NW_OP_TANH : NW_OP_CLIP);
    nw_draw_output(d);
}

/* ---- attention ---- */

/* 1 x rows x c, from a map; its channels last. */
static void make_tokens(nw_draw *d)
{
    nw_draw_map m = d->at;
    if (d->style == NW_DRAW_NHWC) {
        nw_draw_reshape(d, (const int64_t[]){1, m.h * m.w, m.c}, 3);
    } else {
        nw_draw_reshape(d, (const int64_t[]){1, m.c, m.h * m.w}, 3);
        nw_draw_transpose(d, (const int64_t[]){0, 2, 1}, 3);
    }
    d->at = (nw_draw_map){d->at.id, 1, m.h * m.w, m.c};
}

static nw_tensor_id add_heads(nw_draw *d, nw_draw_map from, int n_heads, int each)
{
    d->at = from;
    nw_draw_fc(d, n_heads * each, NW_DRAW_LINEAR);
    nw_draw_reshape(d, (const int64_t[]){1, from.w, n_heads, each}, 4);
    nw_draw_transpose(d, (const int64_t[]){0, 2, 1, 3}, 4);
    return d->at.id;
}

static void add_attention(nw_draw *d, int n_heads, int each)
{
    nw_draw_map in = d->at;
    nw_draw_norm(d, NW_OP_LAYER_NORM);
    nw_draw_map normed = d->at;
    nw_tensor_id pair[2];
    pair[0] = add_heads(d, normed, n_heads, each);
    pair[1] = add_heads(d, normed, n_heads, each);
    nw_draw_node(d, NW_OP_MATMUL, pair, 2)->attrs.transpose_b = true;
    nw_draw_settle(d);
    nw_draw_scale(d, NW_OP_MUL, (const int64_t[]){1}, 1);
    nw_draw_softmax(d, -1);
    pair[0] = d->at.id;
    pair[1] = add_heads(d, normed, n_heads, each);
    nw_draw_node(d, NW_OP_MATMUL, pair, 2);
    nw_draw_settle(d);
    nw_draw_transpose(d, (const int64_t[]){0, 2, 1, 3}, 4);
    nw_draw_reshape(d, (const int64_t[]){1, in.w, n_heads * each}, 3);
    d->at.c = n_heads * each;
    nw_draw_fc(d, in.c, NW_DRAW_LINEAR);
    nw_draw_binary(d, NW_OP_ADD, in, NW_DRAW_LINEAR);
    in = d->at;
    nw_draw_norm(d, NW_OP_LAYER_NORM);
    nw_draw_fc(d, NW_DRAW_ONE_OF(d, 2, 4, 4) * in.c, NW_DRAW_LINEAR);
    nw_draw_act(d, nw_draw_chance(d, 0.7) ? NW_OP_GELU : NW_OP_RELU);
    nw_draw_fc(d, in.c, NW_DRAW_LINEAR);
    nw_draw_binary(d, NW_OP_ADD, in, NW_DRAW_LINEAR);
}

/* Vision transformers, plain or behind convolutions. */
void nw_family_attention(nw_draw *d)
{
    bool is_plain = nw_draw_chance(d, 0.5);
    int n_heads = NW_DRAW_ONE_OF(d, 1, 2, 3, 4, 6), each = NW_DRAW_ONE_OF(d, 16, 32, 32, 64, 24);
    d->act = nw_draw_chance(d, 0.5) ? NW_OP_SWISH : NW_OP_RELU;
    nw_draw_image(d, 64, 256);
    int c = is_plain ? n_heads * each : nw_draw_channels(d, nw_rng_log_uniform(&d->rng, 48, 192));
    if (is_plain) {
        int patch = NW_DRAW_ONE_OF(d, 8, 16, 16);
        nw_draw_window w = nw_draw_square(patch, patch);
        w.is_valid = true;
        nw_draw_conv(d, c, w, 1, NW_DRAW_LINEAR);
    } else {
        for (int i = 4; i >= 0; i--)
            if (i == 4)
                nw_draw_conv(d, nw_draw_channels(d, c / 8.0), nw_draw_square(3, 2), 1, d->act);
            else
                nw_draw_separable(d, i ? nw_draw_channels(d, c / (double)(1 << (i - 1))) : c,
                                  nw_draw_square(3, i % 2 ? 1 : 2), d->act, d->act);
    }
    make_tokens(d);
    for (int i = nw_draw_int(d, 1, 4); i > 0; i--)
        add_attention(d, n_heads, each);
    nw_draw_norm(d, NW_OP_LAYER_NORM);
    nw_node *node = nw_draw_unary(d, NW_OP_REDUCE);
    node->attrs.reduce = NW_REDUCE_MEAN;
    node->attrs.keep_dims = false;
    nw_draw_ints(d, node, (const int64_t[]){1}, 1);
    nw_draw_settle(d);
    d->at.h = d->at.w = 1;
    nw_draw_fc(d, NW_DRAW_ONE_OF(d, 2, 10, 100, 1000), NW_DRAW_LINEAR);
    nw_draw_output(d);
}
