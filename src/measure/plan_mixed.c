/* Networks of no family: any operator behind any other. Real networks hold a few kernels that no
 * family has many of; here they come in numbers and in sizes of their own.
 */
#include "src/measure/plan_family.h"

#define MAX_ELEMENTS (1 << 22) /* of a map */
#define N_KEPT       8

typedef struct past {
    nw_draw_map maps[N_KEPT]; /* earlier maps, at random */
    int n;
} past;

static void keep(nw_draw *d, past *p)
{
    int at = p->n < N_KEPT ? p->n++ : nw_draw_int(d, 0, N_KEPT - 1);
    p->maps[at] = d->at;
}

/* An earlier map as high and wide as the present one, as deep too if need be. */
static const nw_draw_map *find_like(nw_draw *d, const past *p, bool as_deep)
{
    int start = nw_draw_int(d, 0, N_KEPT - 1);
    for (int i = 0; i < p->n; i++) {
        const nw_draw_map *m = &p->maps[(start + i) % p->n];
        if (m->id != d->at.id && m->h == d->at.h && m->w == d->at.w &&
            (!as_deep || m->c == d->at.c))
            return m;
    }
    return NULL;
}

static int draw_width(nw_draw *d)
{
    return nw_draw_channels(d, nw_rng_log_uniform(&d->rng, 2, 400));
}

static nw_op draw_any_act(nw_draw *d)
{
    static const nw_op acts[] = {NW_OP_RELU,       NW_OP_RELU6, NW_OP_SIGMOID,     NW_OP_TANH,
                                 NW_OP_HARD_SWISH, NW_OP_SWISH, NW_OP_LEAKY_RELU,  NW_OP_PRELU,
                                 NW_OP_GELU,       NW_OP_UNARY, NW_OP_HARD_SIGMOID};
    return acts[nw_draw_int(d, 0, (int)(sizeof acts / sizeof *acts) - 1)];
}

/* ---- what goes on with the map ---- */

static void add_any_conv(nw_draw *d)
{
    nw_draw_window w = nw_draw_square(NW_DRAW_ONE_OF(d, 1, 1, 2, 3, 3, 4, 5, 7, 9), 1);
    w.stride = NW_DRAW_ONE_OF(d, 1, 1, 1, 2, 3);
    w.dilation = nw_draw_chance(d, 0.15) ? nw_draw_int(d, 2, 6) : 1;
    w.is_valid = nw_draw_chance(d, 0.3);
    if (nw_draw_chance(d, 0.15))
        w.kernel_w = NW_DRAW_ONE_OF(d, 1, 3, 5, 7);
    int groups = nw_draw_chance(d, 0.2) ? NW_DRAW_ONE_OF(d, 2, 3, 4, 8) : 1;
    groups = d->at.c % groups ? 1 : groups;
    int c_out = (draw_width(d) + groups - 1) / groups * groups;
    nw_draw_conv(d, c_out, w, groups, nw_draw_chance(d, 0.5) ? draw_any_act(d) : NW_DRAW_LINEAR);
}

static void add_any_depthwise(nw_draw *d)
{
    nw_draw_window w = nw_draw_square(NW_DRAW_ONE_OF(d, 2, 3, 3, 4, 5, 7, 9), 1);
    w.stride = NW_DRAW_ONE_OF(d, 1, 1, 2, 3);
    w.is_valid = nw_draw_chance(d, 0.3);
    int multiplier = d->at.c < 100 && nw_draw_chance(d, 0.25) ? nw_draw_int(d, 2, 8) : 1;
    nw_draw_depthwise(d, multiplier, w, nw_draw_chance(d, 0.5) ? draw_any_act(d) : NW_DRAW_LINEAR);
}

static void add_any_transposed(nw_draw *d)
{
    int stride = NW_DRAW_ONE_OF(d, 1, 2, 2, 2, 3, 4), c = draw_width(d);
    c = c > 128 ? c / 4 : c;
    if ((int64_t)d->at.h * d->at.w * stride * stride * c > MAX_ELEMENTS)
        return;
    nw_draw_conv_transpose(d, c, stride + nw_draw_int(d, 0, 3), stride,
                           nw_draw_chance(d, 0.5) ? draw_any_act(d) : NW_DRAW_LINEAR);
}

static void add_any_pool(nw_draw *d)
{
    nw_draw_window w = nw_draw_square(nw_draw_int(d, 2, 9), 1);
    w.stride = nw_draw_int(d, 1, w.kernel_h < 3 ? w.kernel_h : 3);
    w.is_valid = nw_draw_chance(d, 0.5);
    nw_draw_pool(d, nw_draw_chance(d, 0.5) ? NW_OP_MAX_POOL : NW_OP_AVERAGE_POOL, w);
    if (nw_draw_chance(d, 0.3))
        nw_draw_act(d, draw_any_act(d));
}

static void add_any_resize(nw_draw *d)
{
    double ratio = nw_draw_chance(d, 0.5) ? 2 : nw_rng_log_uniform(&d->rng, 0.3, 5);
    int h = (int)(d->at.h * ratio) + 1, w = (int)(d->at.w * ratio) + 1;
    h -= ratio == 2;
    w -= ratio == 2;
    if ((int64_t)h * w * d->at.c <= MAX_ELEMENTS && h <= 640 && w <= 640)
        nw_draw_resize(d, h, w);
}

static void add_any_binary(nw_draw *d, const past *p)
{
    static const nw_op ops[] = {NW_OP_ADD, NW_OP_SUB, NW_OP_MUL, NW_OP_MAX, NW_OP_MIN, NW_OP_DIV};
    nw_op op = ops[nw_rng_pick(&d->rng, (const double[]){4, 1, 3, 3, 2, 1}, 6)];
    const nw_draw_map *other = find_like(d, p, true);
    if (other) {
        nw_draw_binary(d, op, *other, nw_draw_chance(d, 0.3) ? NW_OP_RELU : NW_DRAW_LINEAR);
        return;
    }
    other = find_like(d, p, false);
    if (other) {
        nw_draw_map sides[2] = {*other, d->at};
        nw_draw_concat(d, sides, 2);
    }
}

/* Down, up again, and back to where it came from. */
static void add_hourglass(nw_draw *d)
{
    nw_draw_map map = d->at;
    if (nw_draw_chance(d, 0.5))
        nw_draw_pool(d, NW_OP_MAX_POOL, nw_draw_square(2, 2));
    else
        nw_draw_depthwise(d, 1, nw_draw_square(3, 2), NW_OP_RELU);
    if (nw_draw_chance(d, 0.5))
        nw_draw_pointwise(d, map.c, NW_OP_RELU);
    nw_draw_resize(d, map.h, map.w);
    nw_op op = (nw_op)NW_DRAW_ONE_OF(d, NW_OP_ADD, NW_OP_ADD, NW_OP_MUL, NW_OP_MAX, NW_OP_MIN);
    nw_draw_binary(d, op, map, NW_DRAW_LINEAR);
}

static void add_gate(nw_draw *d)
{
    nw_draw_map map = d->at;
    nw_draw_global_pool(d);
    if (nw_draw_chance(d, 0.5))
        nw_draw_pointwise(d, map.c, NW_DRAW_LINEAR);
    nw_draw_act(d, draw_any_act(d));
    nw_draw_binary(d, nw_draw_chance(d, 0.8) ? NW_OP_MUL : NW_OP_ADD, map, NW_DRAW_LINEAR);
}

static void add_move(nw_draw *d)
{
    int c = d->at.c;
    switch (nw_draw_int(d, 0, 3)) {
    case 0:
        nw_draw_pad_channels(d, c + nw_draw_int(d, 1, 16));
        break;
    case 1:
        nw_draw_slice_channels(d, c / 4, c - c / 4);
        break;
    case 2:
        nw_draw_shuffle(d, c % 4 == 0 ? 4 : c % 3 == 0 ? 3 : c % 2 == 0 ? 2 : 1);
        break;
    default:
        nw_draw_scale(d, nw_draw_chance(d, 0.4) ? NW_OP_MUL : NW_OP_POW, (const int64_t[]){1}, 1);
    }
}

static void add_norm(nw_draw *d)
{
    static const nw_op norms[] = {NW_OP_BATCH_NORM, NW_OP_INSTANCE_NORM, NW_OP_LAYER_NORM};
    nw_draw_norm(d, norms[nw_draw_int(d, 0, 2)]);
    if (nw_draw_chance(d, 0.5))
        nw_draw_act(d, draw_any_act(d));
}

/* ---- what branches off and ends ---- */

static int draw_axis(nw_draw *d)
{
    return nw_draw_int(d, 1, 3);
}

static void branch_reduce(nw_draw *d)
{
    static const nw_reduce reduces[] = {NW_REDUCE_MEAN, NW_REDUCE_SUM, NW_REDUCE_MAX};
    bool is_arg = nw_draw_chance(d, 0.4);
    nw_node *node = nw_draw_unary(d, is_arg ? NW_OP_ARG_MAX : NW_OP_REDUCE);
    node->attrs.axis = draw_axis(d);
    node->attrs.keep_dims = nw_draw_chance(d, 0.5);
    node->attrs.reduce = (uint8_t)reduces[nw_draw_int(d, 0, 2)];
    if (is_arg)
        d->graph->tensors[d->at.id].dtype = NW_DTYPE_INT64;
    else
        nw_draw_ints(d, node, (const int64_t[]){draw_axis(d)}, 1);
    if (!is_arg)
        nw_draw_settle(d);
}

/* Rows of values: many classes for each of a few, few classes for each of many. */
static void branch_softmax(nw_draw *d)
{
    if (nw_draw_chance(d, 0.5)) {
        nw_draw_pointwise(d, NW_DRAW_ONE_OF(d, 2, 2, 4, 21, 91), NW_DRAW_LINEAR);
        nw_draw_reshape(d, (const int64_t[]){1, (int64_t)d->at.h * d->at.w, d->at.c}, 3);
        nw_draw_softmax(d, nw_draw_int(d, 1, 2));
    } else if (nw_draw_chance(d, 0.5)) {
        nw_draw_softmax(d, draw_axis(d));
    } else {
        nw_draw_global_pool(d);
        nw_draw_flatten(d);
        nw_draw_fc(d, (int)nw_rng_log_uniform(&d->rng, 2, 2000), NW_DRAW_LINEAR);
        nw_draw_softmax(d, -1);
    }
}

static void branch_fc(nw_draw *d)
{
    if ((int64_t)d->at.h * d->at.w * d->at.c > 30000)
        nw_draw_global_pool(d);
    nw_draw_flatten(d);
    for (int i = nw_draw_int(d, 0, 2); i >= 0; i--)
        nw_draw_fc(d, (int)nw_rng_log_uniform(&d->rng, 2, i ? 1000 : 1500),
                   nw_draw_chance(d, 0.5) ? NW_OP_RELU : NW_DRAW_LINEAR);
}

/* Every place with every other, or every channel with every other; in some heads. */
static void branch_product(nw_draw *d)
{
    int64_t n = (int64_t)d->at.h * d->at.w, c = d->at.c;
    int64_t heads = NW_DRAW_ONE_OF(d, 1, 2, 3, 4, 8);
    bool of_channels = n > 1600 || nw_draw_chance(d, 0.3), is_last = d->style == NW_DRAW_NHWC;
    heads = c % heads ? 1 : heads;
    nw_draw_reshape(d, (const int64_t[]){1, is_last ? n : c, is_last ? c : n}, 3);
    if (heads > 1 && !is_last)
        nw_draw_reshape(d, (const int64_t[]){1, heads, c / heads, n}, 4);
    nw_tensor_id pair[2] = {d->at.id, d->at.id};
    nw_node *node = nw_draw_node(d, NW_OP_MATMUL, pair, 2);
    node->attrs.transpose_a = is_last == of_channels;
    node->attrs.transpose_b = is_last != of_channels;
    nw_draw_settle(d);
    if (nw_draw_chance(d, 0.5))
        nw_draw_softmax(d, -1);
}

static void add_branch(nw_draw *d)
{
    nw_draw_map map = d->at;
    switch (nw_draw_int(d, 0, 6)) {
    case 0:
    case 1:
        branch_reduce(d);
        break;
    case 2:
    case 3:
        branch_softmax(d);
        break;
    case 4:
        branch_fc(d);
        break;
    default:
        branch_product(d);
    }
    if (d->at.id != map.id)
        nw_draw_output(d);
    d->at = map;
}

static void add_any(nw_draw *d, past *p)
{
    static const double weights[] = {4, 2.5, 4, 3, 2, 4, 1, 2.5, 2, 1.5, 3, 6};
    switch (nw_rng_pick(&d->rng, weights, (int)(sizeof weights / sizeof *weights))) {
    case 0:
        add_any_conv(d);
        break;
    case 1:
        add_any_depthwise(d);
        break;
    case 2:
        add_any_transposed(d);
        break;
    case 3:
        add_any_pool(d);
        break;
    case 4:
        add_any_resize(d);
        break;
    case 5:
        add_any_binary(d, p);
        break;
    case 6:
        add_gate(d);
        break;
    case 7:
        add_move(d);
        break;
    case 8:
        add_norm(d);
        break;
    case 9:
        nw_draw_act(d, draw_any_act(d));
        break;
    case 10:
        add_hourglass(d);
        break;
    default:
        add_branch(d);
    }
}

void nw_family_mixed(nw_draw *d)
{
    past p = {.n = 0};
    nw_draw_image(d, 16, 256);
    add_any_conv(d);
    for (int i = nw_draw_int(d, 15, 50); i > 0; i--) {
        keep(d, &p);
        add_any(d, &p);
        if ((int64_t)d->at.h * d->at.w * d->at.c > MAX_ELEMENTS / 4)
            nw_draw_conv(d, draw_width(d) % 64 + 1, nw_draw_square(3, 2), 1, NW_OP_RELU);
    }
    nw_draw_output(d);
}
