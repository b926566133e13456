/* Neighbours of a kernel's shape: one move, then whatever follows from it.
 */
#include <math.h>
#include <string.h>

#include "src/measure/plan.h"

#define MAX_TRIES    64
#define MAX_CHANNELS 8192
#define MAX_SIDE     2048
#define MAX_ELEMENTS ((int64_t)1 << 26) /* of a map, unless the shape had more */

typedef struct vary {
    const nw_kernel_shape *old;
    const nw_hw *hw;
    nw_rng *rng;
    nw_kernel_shape shape;
} vary;

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t pick(vary *v, int64_t low, int64_t high)
{
    return nw_rng_range(v->rng, low, high);
}

static bool chance(vary *v, double probability)
{
    return nw_rng_chance(v->rng, probability);
}

/* A size by a ratio, or up to `step` more or less; at least 1. */
static int64_t move_size(vary *v, int64_t size, int64_t step, int64_t most)
{
    int64_t moved;
    if (chance(v, 0.4))
        moved = (int64_t)llround((double)size * nw_rng_log_uniform(v->rng, 0.5, 2));
    else
        moved = size + (chance(v, 0.5) ? 1 : -1) * pick(v, 1, max64(step, 1));
    return max64(1, min64(moved, max64(most, size)));
}

/* ---- what kinds have in common ---- */

static bool has_weights(nw_kernel_kind kind)
{
    return kind == NW_KERNEL_CONV || kind == NW_KERNEL_DWCONV || kind == NW_KERNEL_CONV_TRANSPOSE ||
           kind == NW_KERNEL_FC;
}

static bool is_product(nw_kernel_kind kind)
{
    return has_weights(kind) || kind == NW_KERNEL_MATMUL;
}

static bool slides(nw_kernel_kind kind)
{
    return kind == NW_KERNEL_CONV || kind == NW_KERNEL_DWCONV || kind == NW_KERNEL_CONV_TRANSPOSE ||
           kind == NW_KERNEL_POOL;
}

static bool reads_second(const nw_kernel_shape *shape)
{
    nw_kernel_kind kind = shape->parts[0].kind;
    return shape->residual || kind == NW_KERNEL_ADD || kind == NW_KERNEL_MUL ||
           kind == NW_KERNEL_ELEMENTWISE || kind == NW_KERNEL_MATMUL;
}

static bool is_global(const nw_kernel_part *p)
{
    return p->kind == NW_KERNEL_POOL && p->kernel_h == p->in_h && p->kernel_w == p->in_w &&
           p->out_h == 1 && p->out_w == 1;
}

static int64_t part_weights(const nw_kernel_part *p)
{
    switch (p->kind) {
    case NW_KERNEL_CONV:
    case NW_KERNEL_DWCONV:
    case NW_KERNEL_CONV_TRANSPOSE:
        return (int64_t)p->kernel_h * p->kernel_w * (p->in_c / p->groups) * p->out_c;
    case NW_KERNEL_FC:
        return p->in_c * p->out_c;
    default:
        return 0;
    }
}

/* ---- what follows from a move ---- */

static int64_t reach(int64_t kernel, int64_t dilation)
{
    return (kernel - 1) * dilation + 1;
}

/* One axis of a window: SAME stays SAME, other padding stays as much around the window, at most
 * what lets every window touch the map. 0: the window does not fit. */
static int64_t slide_axis(int64_t in, int64_t out, int64_t window, int64_t stride, int64_t new_in,
                          int64_t new_window, int64_t new_stride)
{
    if (out == ceil_div(in, stride) && (window <= in || new_window > new_in))
        return ceil_div(new_in, new_stride);
    int64_t pad = (out - 1) * stride + window - in;
    pad = pad > 0 ? max64(0, min64(pad + new_window - window, 2 * (new_window - 1))) : 0;
    int64_t room = new_in + pad - new_window;
    return room < 0 ? 0 : room / new_stride + 1;
}

static void slide(const nw_kernel_part *old, nw_kernel_part *p)
{
    if (p->kind == NW_KERNEL_CONV_TRANSPOSE) {
        p->out_h = p->in_h * p->stride_h + (old->out_h - old->in_h * old->stride_h);
        p->out_w = p->in_w * p->stride_w + (old->out_w - old->in_w * old->stride_w);
    } else if (is_global(old)) {
        bool steps_h = old->stride_h == old->kernel_h, steps_w = old->stride_w == old->kernel_w;
        p->out_h = p->out_w = 1;
        p->kernel_h = (int32_t)p->in_h;
        p->kernel_w = (int32_t)p->in_w;
        p->stride_h = steps_h ? p->kernel_h : p->stride_h;
        p->stride_w = steps_w ? p->kernel_w : p->stride_w;
    } else {
        p->out_h =
            slide_axis(old->in_h, old->out_h, reach(old->kernel_h, old->dilation_h), old->stride_h,
                       p->in_h, reach(p->kernel_h, p->dilation_h), p->stride_h);
        p->out_w =
            slide_axis(old->in_w, old->out_w, reach(old->kernel_w, old->dilation_w), old->stride_w,
                       p->in_w, reach(p->kernel_w, p->dilation_w), p->stride_w);
    }
    if (p->kind == NW_KERNEL_POOL)
        p->out_c = p->in_c;
}

/* The bias of each part, told apart by the counts of the old shape. */
static int64_t follow_bias(const nw_kernel_shape *old, const nw_kernel_shape *shape)
{
    int64_t first = old->parts[0].out_c, second = old->n_parts > 1 ? old->parts[1].out_c : 0;
    if (old->n_parts < 2 || !has_weights(old->parts[1].kind))
        return old->bias_elements ? shape->parts[0].out_c : 0;
    if (old->bias_elements == first + second)
        return shape->parts[0].out_c + shape->parts[1].out_c;
    if (old->bias_elements == second)
        return shape->parts[1].out_c;
    return old->bias_elements ? shape->parts[0].out_c : 0;
}

static void follow(vary *v)
{
    nw_kernel_shape *s = &v->shape;
    for (int i = 0; i < s->n_parts; i++) {
        nw_kernel_part *p = &s->parts[i];
        if (i > 0) {
            p->in_h = p[-1].out_h;
            p->in_w = p[-1].out_w;
            p->in_c = p[-1].out_c;
        }
        if (slides(p->kind))
            slide(&v->old->parts[i], p);
    }
    if (v->old->weight_elements) {
        s->weight_elements = 0;
        for (int i = 0; i < s->n_parts; i++)
            s->weight_elements += part_weights(&s->parts[i]);
    }
    if (is_product(s->parts[0].kind))
        s->bias_elements = follow_bias(v->old, s);
}

/* ---- what is possible ---- */

static double map_bytes(int64_t h, int64_t w, int64_t c, int bits)
{
    return (double)h * (double)w * (double)c * bits / 8;
}

/* The least that lives while the kernel runs: its maps, the second and the output one on top of
 * the other where a result may take an input's place. */
static double least_live_bytes(const nw_kernel_shape *s)
{
    const nw_kernel_part *p = &s->parts[0], *last = &s->parts[s->n_parts - 1];
    double in = map_bytes(p->in_h, p->in_w, p->in_c, s->bits);
    double out = map_bytes(last->out_h, last->out_w, last->out_c, s->bits);
    switch (p->kind) {
    case NW_KERNEL_HOST:
        return (double)s->host_bytes;
    case NW_KERNEL_MATMUL:
        return in + out + map_bytes(p->in_h, p->in_c, p->out_c, s->bits);
    case NW_KERNEL_ADD:
    case NW_KERNEL_MUL:
    case NW_KERNEL_ELEMENTWISE:
        return fmax(in, out) + (s->n_maps > 1 ? fmin(in, out) : 0);
    case NW_KERNEL_ACT:
    case NW_KERNEL_QUANTIZE:
    case NW_KERNEL_SOFTMAX:
    case NW_KERNEL_NORM:
        return fmax(in, out);
    default:
        return in + out;
    }
}

/* Where the kernel's own maps do not fit, all of them are outside; else the neighbours decide. */
static void place(vary *v)
{
    nw_kernel_shape *s = &v->shape;
    if (!reads_second(s))
        s->residual_place = NW_PLACE_SRAM;
    if (least_live_bytes(s) <= (double)v->hw->sram.bytes)
        return;
    s->in_place = s->out_place = NW_PLACE_DRAM;
    if (reads_second(s))
        s->residual_place = NW_PLACE_DRAM;
}

/* The limits by which the splitter gives a kernel to the host. */
static bool keeps_limits(const nw_hw *hw, const nw_kernel_part *p)
{
    int32_t kernel = p->kernel_h > p->kernel_w ? p->kernel_h : p->kernel_w;
    int32_t least = p->kernel_h < p->kernel_w ? p->kernel_h : p->kernel_w;
    int32_t stride = p->stride_h > p->stride_w ? p->stride_h : p->stride_w;
    int64_t words =
        (int64_t)p->kernel_h * p->kernel_w * ceil_div(p->in_c, max64(1, hw->array.pf_in));
    if (!(is_product(p->kind) || p->kind == NW_KERNEL_POOL) || is_global(p))
        return true;
    return (!hw->limits.max_kernel || kernel <= hw->limits.max_kernel) &&
           (!slides(p->kind) || least >= hw->limits.min_kernel) &&
           (!hw->limits.max_stride || stride <= hw->limits.max_stride) &&
           (!hw->limits.max_channels || max64(p->in_c, p->out_c) <= hw->limits.max_channels) &&
           (!hw->limits.max_kernel_volume || p->kind != NW_KERNEL_CONV ||
            words <= hw->limits.max_kernel_volume);
}

static bool is_size(int64_t h, int64_t w, int64_t c, int64_t old_elements)
{
    return h >= 1 && w >= 1 && c >= 1 &&
           (double)h * (double)w * (double)c <= (double)max64(MAX_ELEMENTS, old_elements);
}

static bool is_possible(const vary *v)
{
    const nw_kernel_shape *s = &v->shape;
    if (memcmp(s, v->old, sizeof *s) == 0)
        return false;
    for (int i = 0; i < s->n_parts && s->parts[0].kind != NW_KERNEL_HOST; i++) {
        const nw_kernel_part *p = &s->parts[i], *o = &v->old->parts[i];
        if (!is_size(p->in_h, p->in_w, p->in_c, o->in_h * o->in_w * o->in_c) ||
            !is_size(p->out_h, p->out_w, p->out_c, o->out_h * o->out_w * o->out_c) ||
            (keeps_limits(v->hw, o) && !keeps_limits(v->hw, p)))
            return false;
        /* another kind of kernel, or a window that sees more padding than map */
        if (p->kind == NW_KERNEL_CONV && p->groups > 1 && p->groups == p->in_c &&
            o->groups != o->in_c)
            return false;
        if (slides(p->kind) && (p->kernel_h > 2 * p->in_h + 1 || p->kernel_w > 2 * p->in_w + 1) &&
            (p->kernel_h > o->kernel_h || p->kernel_w > o->kernel_w))
            return false;
        if (i > 0 && p->kind == NW_KERNEL_POOL && p->kernel_h >= p->in_h)
            return false;
    }
    return true;
}

/* ---- moves: each returns without a change where it does not apply ---- */

static int lanes_in(const nw_hw *hw)
{
    return hw->array.kind == NW_ARRAY_DOT ? hw->array.pf_in : hw->array.rows;
}

static int lanes_out(const nw_hw *hw)
{
    return hw->array.kind == NW_ARRAY_DOT ? hw->array.pf_out : hw->array.cols;
}

/* Every group gets or loses the same. */
static int64_t move_grouped(vary *v, int64_t c, int64_t groups, int64_t lanes)
{
    return groups * move_size(v, c / groups, max64(1, lanes / groups), MAX_CHANNELS);
}

static void move_depthwise(vary *v, nw_kernel_part *p)
{
    int64_t multiplier = p->out_c / p->in_c;
    if (chance(v, 0.1) && p->in_c <= 256)
        multiplier = multiplier == 1 ? pick(v, 2, 4) : 1;
    else
        p->in_c = move_size(v, p->in_c, lanes_out(v->hw), MAX_CHANNELS);
    p->out_c = p->in_c * multiplier;
    p->groups = (int32_t)p->in_c;
}

static void move_channels(vary *v)
{
    nw_kernel_shape *s = &v->shape;
    nw_kernel_part *p = &s->parts[0], *last = &s->parts[s->n_parts - 1];
    bool moves_in = chance(v, 0.5);
    if (p->kind == NW_KERNEL_DWCONV && (s->n_parts == 1 || moves_in)) {
        move_depthwise(v, p);
    } else if (is_product(p->kind)) {
        if (!moves_in && last->kind != NW_KERNEL_POOL)
            last->out_c = move_grouped(v, last->out_c, last->groups, lanes_out(v->hw));
        else if (!moves_in)
            p->out_c = move_grouped(v, p->out_c, p->groups, lanes_out(v->hw));
        else if (s->is_first) /* images have few channels */
            p->in_c = p->groups == 1 && p->in_c <= 4 ? pick(v, 1, 4) : p->in_c;
        else
            p->in_c = move_grouped(v, p->in_c, p->groups, lanes_in(v->hw));
    } else if (p->in_c == p->out_c) {
        p->in_c = p->out_c = move_size(v, p->in_c, lanes_out(v->hw), MAX_CHANNELS);
    }
}

static void move_side(vary *v, int64_t *in, int64_t *out, double ratio)
{
    int64_t old_in = *in, old_out = *out;
    *in = ratio > 0
              ? max64(1, min64((int64_t)llround((double)old_in * ratio), max64(MAX_SIDE, old_in)))
              : move_size(v, old_in, 4, MAX_SIDE);
    if (old_out == old_in)
        *out = *in;
    else if (v->shape.parts[0].kind == NW_KERNEL_RESIZE)
        *out = max64(1, (int64_t)llround((double)*in * (double)old_out / (double)old_in));
}

/* Mostly both sides by one ratio. A product's rows lie in its width. */
static void move_map(vary *v)
{
    nw_kernel_part *p = &v->shape.parts[0];
    double ratio = chance(v, 0.6) ? nw_rng_log_uniform(v->rng, 0.5, 2) : 0;
    bool both = ratio > 0 || chance(v, 0.5), is_h = chance(v, 0.5);
    if (p->kind == NW_KERNEL_FC) {
        p->in_w = p->out_w = p->in_w == 1 ? pick(v, 2, 64) : move_size(v, p->in_w, 8, MAX_SIDE);
        return;
    }
    if (both || is_h)
        move_side(v, &p->in_h, &p->out_h, ratio);
    if (both || !is_h)
        move_side(v, &p->in_w, &p->out_w, ratio);
}

static void move_window(vary *v)
{
    nw_kernel_part *p = &v->shape.parts[0];
    int32_t by = (int32_t)pick(v, 1, 2) * (chance(v, 0.5) ? 1 : -1);
    if (!slides(p->kind) || is_global(p))
        return;
    if (p->kind != NW_KERNEL_CONV_TRANSPOSE && p->stride_h == 1 && p->kernel_h > 1 &&
        chance(v, 0.2)) {
        p->dilation_h = p->dilation_w = p->dilation_h == 1 ? (int32_t)pick(v, 2, 4) : 1;
        return;
    }
    bool is_square = p->kernel_h == p->kernel_w;
    p->kernel_h = (int32_t)max64(1, p->kernel_h + by);
    p->kernel_w = is_square ? p->kernel_h : (int32_t)max64(1, p->kernel_w + by);
    if (p->kernel_h == 1 && p->kernel_w == 1)
        p->dilation_h = p->dilation_w = 1;
}

static void move_stride(vary *v)
{
    nw_kernel_part *p = &v->shape.parts[0];
    int32_t most = p->kind == NW_KERNEL_POOL ? p->kernel_h : 3;
    if (!slides(p->kind) || is_global(p) || p->dilation_h > 1)
        return;
    int32_t stride = (int32_t)pick(v, 1, max64(1, min64(most, 4)));
    /* A transposed window that steps over its own width leaves holes. */
    if (p->kind == NW_KERNEL_CONV_TRANSPOSE && stride > p->kernel_h)
        return;
    p->stride_h = p->stride_w = stride;
}

static void move_residual(vary *v)
{
    nw_kernel_shape *s = &v->shape;
    const nw_hw *hw = v->hw;
    if (!is_product(s->parts[0].kind) || !hw->fusion.conv_add ||
        hw->ops[NW_OP_ADD].support != NW_OP_NATIVE)
        return;
    s->residual = !s->residual;
    s->residual_place = s->residual && chance(v, 0.3) ? NW_PLACE_DRAM : NW_PLACE_SRAM;
}

static bool has_native(const nw_hw *hw, nw_kernel_act act)
{
    static const nw_op clamps[] = {NW_OP_RELU, NW_OP_RELU6, NW_OP_CLIP};
    static const nw_op tables[] = {NW_OP_SIGMOID, NW_OP_SWISH, NW_OP_HARD_SWISH, NW_OP_HARD_SIGMOID,
                                   NW_OP_TANH,    NW_OP_GELU,  NW_OP_LEAKY_RELU, NW_OP_PRELU};
    const nw_op *ops = act == NW_KERNEL_ACT_LUT ? tables : clamps;
    int n = act == NW_KERNEL_ACT_LUT ? (int)(sizeof tables / sizeof *tables) : 3;
    for (int i = 0; i < n; i++)
        if (hw->ops[ops[i]].support == NW_OP_NATIVE)
            return true;
    return false;
}

/* Clamps may stand inside a file's operators; tables are joined by the hardware's rule. */
static void move_act(vary *v)
{
    nw_kernel_shape *s = &v->shape;
    nw_kernel_kind kind = s->parts[0].kind;
    nw_kernel_act act = (nw_kernel_act)pick(v, NW_KERNEL_ACT_NONE, NW_KERNEL_ACT_LUT);
    bool joins = is_product(kind) || kind == NW_KERNEL_ADD || kind == NW_KERNEL_MUL;
    bool is_lut = act == NW_KERNEL_ACT_LUT;
    if (!(joins || kind == NW_KERNEL_ACT) || s->slow_op >= 0 ||
        (kind == NW_KERNEL_ACT && act == NW_KERNEL_ACT_NONE) ||
        (act != NW_KERNEL_ACT_NONE && !has_native(v->hw, act)) ||
        (joins && is_lut && !v->hw->fusion.conv_act))
        return;
    s->act = act;
}

static void move_place(vary *v)
{
    nw_kernel_shape *s = &v->shape;
    s->in_place = chance(v, 0.5) ? NW_PLACE_DRAM : NW_PLACE_SRAM;
    s->out_place = chance(v, 0.5) ? NW_PLACE_DRAM : NW_PLACE_SRAM;
    s->residual_place = chance(v, 0.5) ? NW_PLACE_DRAM : NW_PLACE_SRAM;
}

static void move_count(vary *v)
{
    nw_kernel_shape *s = &v->shape;
    nw_kernel_kind kind = s->parts[0].kind;
    if (kind == NW_KERNEL_ADD || kind == NW_KERNEL_MUL)
        s->n_maps = s->n_maps == 1 ? 2 : 1;
    else if (kind == NW_KERNEL_ELEMENTWISE)
        s->n_maps = (int32_t)pick(v, 1, 3);
}

static void move_ratio(vary *v)
{
    nw_kernel_part *p = &v->shape.parts[0];
    double ratio = chance(v, 0.5) ? 2 : nw_rng_log_uniform(v->rng, 0.4, 4);
    if (p->kind != NW_KERNEL_RESIZE)
        return;
    p->out_h = max64(1, min64(MAX_SIDE, (int64_t)llround((double)p->in_h * ratio)));
    p->out_w = max64(1, min64(MAX_SIDE, (int64_t)llround((double)p->in_w * ratio)));
}

/* ---- moves of kernels whose sizes go crosswise ---- */

static bool is_crosswise(const nw_kernel_part *p)
{
    return (p->kind == NW_KERNEL_COPY || p->kind == NW_KERNEL_REDUCE) &&
           (p->in_h != p->out_h || p->in_w != p->out_w || p->in_c != p->out_c);
}

static int64_t elements(const int64_t *dims)
{
    return dims[0] * dims[1] * dims[2];
}

/* A size of the input changes, and with it every size that is the same; sizes that differ by
 * padding go on differing by it. Else an input's and an output's size double or halve. */
static void move_crosswise(vary *v)
{
    nw_kernel_part *p = &v->shape.parts[0];
    int64_t in[3] = {p->in_h, p->in_w, p->in_c}, out[3] = {p->out_h, p->out_w, p->out_c};
    int64_t old[3] = {p->in_h, p->in_w, p->in_c};
    bool keeps = elements(in) == elements(out), grows = elements(out) > elements(in);
    int at = (int)pick(v, 0, 2), to = (int)pick(v, 0, 2);
    if (chance(v, 0.7)) {
        int64_t from = in[at], moved = move_size(v, from, 8, MAX_CHANNELS);
        for (int i = 0; i < 3; i++) {
            bool is_padded = !keeps && grows && in[i] == from && out[i] > in[i];
            out[i] = is_padded ? out[i] + moved - from : out[i] == from ? moved : out[i];
            in[i] = in[i] == from ? moved : in[i];
        }
    } else if (chance(v, 0.5)) {
        in[at] *= 2;
        out[to] *= 2;
    } else if (in[at] % 2 == 0 && out[to] % 2 == 0) {
        in[at] /= 2;
        out[to] /= 2;
    }
    bool fits = memcmp(in, old, sizeof in) != 0 && keeps == (elements(in) == elements(out)) &&
                grows == (elements(out) > elements(in));
    if (!fits)
        return;
    p->in_h = in[0], p->in_w = in[1], p->in_c = in[2];
    p->out_h = out[0], p->out_w = out[1], p->out_c = out[2];
}

/* A host run: its largest map, its products and what crosses grow together. */
static void move_host(vary *v)
{
    nw_kernel_shape *s = &v->shape;
    double ratio = nw_rng_log_uniform(v->rng, 0.5, 2), part = (double)s->parts[0].out_c;
    double products = (double)(s->host_elements - s->parts[0].out_c);
    s->parts[0].out_c = max64(1, (int64_t)llround(part * ratio));
    s->host_elements = s->parts[0].out_c + (int64_t)llround(products * ratio);
    s->host_bytes = max64(1, (int64_t)llround((double)s->host_bytes * ratio));
}

static void move_any(vary *v)
{
    static void (*const moves[])(vary *) = {move_channels, move_map,   move_window,
                                            move_stride,   move_place, move_residual,
                                            move_act,      move_count, move_ratio};
    static const double weights[] = {6, 3, 1.5, 0.8, 1.2, 0.6, 0.6, 0.3, 0.6};
    nw_kernel_kind kind = v->shape.parts[0].kind;
    int move = nw_rng_pick(v->rng, weights, (int)(sizeof weights / sizeof *weights));
    if (moves[move] == move_place)
        move_place(v);
    else if (kind == NW_KERNEL_HOST)
        move_host(v);
    else if (is_crosswise(&v->shape.parts[0]))
        move_crosswise(v);
    else
        moves[move](v);
}

bool nw_sampling_vary(const nw_kernel_shape *shape, const nw_hw *hw, nw_rng *rng,
                      nw_kernel_shape *out)
{
    vary v = {.old = shape, .hw = hw, .rng = rng};
    nw_kernel_kind kind = shape->parts[0].kind;
    *out = *shape;
    if (kind == NW_KERNEL_VIEW || kind == NW_KERNEL_OPAQUE)
        return false;
    for (int i = 0; i < MAX_TRIES; i++) {
        v.shape = *shape;
        for (int n = nw_rng_chance(rng, 0.25) ? 2 : 1; n > 0; n--)
            move_any(&v);
        follow(&v);
        place(&v);
        if (is_possible(&v)) {
            *out = v.shape;
            return true;
        }
    }
    return false;
}
