/* The choice of the output tile.
 *
 * Two searches, both deterministic. With a buffer and commands (Ethos-U) it is Vela's: every
 * height and width in steps of the pixels in parallel and every depth in steps of a brick, the
 * first with the strictly least fetched per output, halved where the whole input fits twice.
 * Elsewhere: equal tiles for each number of cuts, as high as fits; the least bytes moved (input
 * with its halo once a depth tile, weights once a spatial tile), ties to the larger tile.
 */
#include "src/device/internal.h"

#define BANK_BYTES    1024 /* of the operand buffer of Ethos-U */
#define LANE_BYTES    16   /* width of a bank */
#define SUB_KERNEL    8
#define SMALL_TILE    4  /* Vela: equal costs go to the better cover, for tiles up to 4x4 */
#define MAX_CUTS      24 /* beyond them the number of cuts doubles */
#define ACCUMULATOR_B 4
#define MAX_INPUT     (1 << 20) /* fits no buffer: keeps products in 64 bits */
#define MAX_SPANS     128       /* sizes along an axis, in steps of the pixels in parallel */

int64_t nw_tile_input(int64_t out, int64_t stride, int64_t extent)
{
    return (out - 1) * stride + extent;
}

static bool same_depth(const nw_work *work)
{
    return work->kind == NW_WORK_DEPTHWISE || work->kind == NW_WORK_POOL;
}

int64_t nw_tile_input_depth(const nw_hw *hw, const nw_work *work, int64_t depth)
{
    int64_t chunk = hw->array.in_chunk;
    if (same_depth(work))
        return depth;
    if (work->kind == NW_WORK_DENSE && nw_has_command_rules(hw) && nw_dot_takes_taps(hw, work))
        chunk = nw_max64(1, 2 * chunk / nw_max64(hw->array.kernel_group, 1));
    return nw_round_up(nw_min64(work->in_c, chunk), nw_max64(hw->array.pf_in, 1));
}

/* Maps lie in bricks of align_channels, side by side along a row; what a network reads lies
 * channel by channel, and so does everything where nothing is aligned. */
double nw_run_bytes(const nw_hw *hw, const nw_work *work, bool is_input, int64_t width,
                    int64_t depth)
{
    bool is_plain = hw->sram.align_channels <= 1 || (is_input && work->is_first);
    if (is_plain)
        return (double)depth * work->element_bytes;
    return (double)hw->sram.align_channels * (double)width * work->element_bytes;
}

static int64_t limit(int64_t size, int max)
{
    return max > 0 ? nw_min64(size, max) : size;
}

/* ---- Vela's search ---- */

/* The buffer's sizes: two of everything, in banks, rounded to what the pixels in parallel read
 * or write at once. */
typedef struct banks {
    int64_t all, input_granule, sum_granule, sums; /* sums: 0, they share `all` */
} banks;

static banks count_banks(const nw_hw *hw)
{
    int64_t pixels = (int64_t)hw->array.px_h * hw->array.px_w;
    int64_t sum_lanes = nw_ceil_div((int64_t)hw->array.pf_out * ACCUMULATOR_B, LANE_BYTES);
    return (banks){.all = hw->tile.buffer_bytes / BANK_BYTES,
                   .input_granule = 2 * pixels,
                   .sum_granule = 2 * pixels * sum_lanes,
                   .sums = hw->sram.accumulator_bytes / BANK_BYTES};
}

static int64_t banks_for(int64_t n_bytes, int64_t granule)
{
    uint32_t banks_used = (uint32_t)nw_min64(2 * nw_ceil_div(n_bytes, BANK_BYTES), INT32_MAX);
    uint32_t step = (uint32_t)granule; /* 32 bits divide faster, and this is asked often */
    return (int64_t)((banks_used + step - 1) / step) * step;
}

static bool fits_banks(const banks *b, int64_t input_bytes, int64_t sum_bytes)
{
    if (b->sums > 0)
        return 2 * nw_ceil_div(input_bytes, BANK_BYTES) <= b->all &&
               2 * nw_ceil_div(sum_bytes, BANK_BYTES) <= b->sums;
    return banks_for(input_bytes, b->input_granule) + banks_for(sum_bytes, b->sum_granule) <=
           b->all;
}

/* A tile's size along one axis, and what follows from it alone. */
typedef struct span {
    int64_t out, in, kept; /* kept: as the accumulators see it */
    double full, ratio;    /* tiles along the axis: whole, fractional */
} span;

typedef struct search {
    const nw_hw *hw;
    const nw_work *work;
    banks banks;
    double input_once, taps, outputs; /* input channels over all pieces of the window */
    double input_size;
    span rows[MAX_SPANS], columns[MAX_SPANS];
    int n_rows, n_columns;
    double best_cost, best_cover;
    nw_tile best;
} search;

static int list_spans(int64_t size, int max, int64_t px, int64_t stride, int64_t extent,
                      bool is_one_row, span *out)
{
    int64_t n = nw_min64(nw_ceil_div(limit(size, max), px), MAX_SPANS);
    for (int64_t i = 0; i < n; i++) {
        span *s = &out[i];
        s->out = (i + 1) * px;
        s->in = nw_round_up(nw_tile_input(s->out, stride, nw_min64(extent, SUB_KERNEL)), px);
        s->in = nw_min64(s->in, MAX_INPUT);
        s->kept = is_one_row ? nw_min64(s->out, size) : s->out;
        s->full = (double)nw_ceil_div(size, s->kept);
        s->ratio = (double)size / (double)s->kept;
    }
    return (int)n;
}

/* What a tile fetches for an output, in Vela's own order of operations: its ties are decided by
 * the last digit. */
static double fetched(const search *s, const span *row, const span *column, int64_t depth)
{
    const nw_work *work = s->work;
    double weights = 0;
    if (work->kind == NW_WORK_DENSE || work->kind == NW_WORK_DEPTHWISE)
        weights = s->taps * (double)work->in_c * (row->full * column->full);
    if (work->kind != NW_WORK_DEPTHWISE)
        weights *= (double)depth * ((double)work->out_c / (double)depth);
    double input = (double)(row->in * column->in) * s->input_once * (column->ratio * row->ratio);
    if (!same_depth(work))
        input *= (double)nw_ceil_div(work->out_c, depth);
    return (input + weights) / s->outputs;
}

/* False if the tile does not fit. */
static bool try_tile(search *s, const span *row, const span *column, int64_t depth,
                     int64_t in_depth, int64_t in_pixel_bytes)
{
    const nw_work *work = s->work;
    int64_t in_pixels = row->in * column->in;
    if (!fits_banks(&s->banks, in_pixels * in_pixel_bytes,
                    row->kept * column->out * nw_round_up(depth, 8) * ACCUMULATOR_B))
        return false;
    double cost = fetched(s, row, column, depth);
    if (s->input_size < 2 * (double)in_pixels * (double)in_depth)
        cost /= 2;
    if (cost > s->best_cost)
        return true;
    if (cost == s->best_cost) {
        double cover =
            (double)work->in_h * (double)work->in_w /
            ((double)nw_min64(work->in_h, row->in) * (double)nw_min64(work->in_w, column->in));
        if (cover > s->best_cover || row->out > SMALL_TILE || column->out > SMALL_TILE)
            return true;
        s->best_cover = cover;
    } else {
        s->best_cover = INFINITY;
    }
    s->best_cost = cost;
    s->best = (nw_tile){(int32_t)row->out, (int32_t)column->out, (int32_t)depth};
    return true;
}

/* What does not fit at one width does not fit at larger ones, nor at larger heights. */
static void search_depth(search *s, int64_t depth)
{
    int64_t in_depth = nw_tile_input_depth(s->hw, s->work, depth);
    int64_t pixel = nw_round_up((int64_t)ceil((double)in_depth * s->work->element_bytes), 8);
    pixel = nw_min64(pixel, MAX_INPUT);
    int n = s->n_columns;
    for (int row = 0; row < s->n_rows && n > 0; row++) {
        int column = 0;
        while (column < n &&
               try_tile(s, &s->rows[row], &s->columns[column], depth, in_depth, pixel))
            column++;
        n = column;
    }
}

static nw_tile search_commands(const nw_hw *hw, const nw_work *work)
{
    const int64_t px_h = hw->array.px_h, px_w = hw->array.px_w, pf = hw->array.pf_out;
    search s;
    s.hw = hw;
    s.work = work;
    s.banks = count_banks(hw);
    s.input_once = (double)work->in_c * (double)(nw_ceil_div(work->extent_h, SUB_KERNEL) *
                                                 nw_ceil_div(work->extent_w, SUB_KERNEL));
    s.taps = (double)work->extent_h * (double)work->extent_w;
    s.outputs = (double)work->out_h * (double)work->out_w * (double)work->out_c;
    s.input_size = (double)work->in_h * (double)work->in_w * (double)work->in_c;
    s.best_cost = s.best_cover = INFINITY;
    s.best = (nw_tile){(int32_t)px_h, (int32_t)px_w, (int32_t)pf};
    /* Vela: on a map of one row, a tile of two rows counts as one */
    bool is_one_row = work->out_h == 1 && work->kernel_h == 1 && px_h == 2;
    s.n_rows = list_spans(work->out_h, hw->tile.max_h, px_h, work->stride_h, work->extent_h,
                          is_one_row, s.rows);
    s.n_columns = list_spans(work->out_w, hw->tile.max_w, px_w, work->stride_w, work->extent_w,
                             false, s.columns);
    int64_t max_c = nw_round_up(limit(work->out_c, hw->tile.max_c), pf);
    int64_t brick = nw_max64(hw->sram.align_channels, 1);
    int64_t depth = nw_max64(pf, nw_min64(max_c, brick));
    for (;;) {
        if (depth < work->out_c)
            depth = nw_round_up(depth, brick);
        if (depth > max_c)
            return s.best;
        search_depth(&s, depth);
        depth += pf;
    }
}

/* ---- the plain search ---- */

/* Numbers of cuts worth trying: each gives another size. Returns 0 behind the last. */
static int64_t next_cuts(int64_t steps, int64_t cuts)
{
    int64_t size = nw_ceil_div(steps, cuts);
    if (size <= 1)
        return 0;
    if (cuts >= MAX_CUTS)
        return nw_min64(2 * cuts, steps);
    return nw_ceil_div(steps, size - 1);
}

/* The highest tile of this width and depth that fits, 0: none. */
static int64_t highest(const nw_hw *hw, const nw_work *work, int64_t w, int64_t depth)
{
    double id = (double)nw_tile_input_depth(hw, work, depth) * work->element_bytes;
    double in_row = 2 * id * (double)nw_tile_input(w, work->stride_w, work->extent_w);
    double sum_row = 2.0 * ACCUMULATOR_B * (double)w * (double)depth;
    double buffer = (double)(hw->tile.buffer_bytes > 0 ? hw->tile.buffer_bytes : hw->sram.bytes);
    double halo = (double)(work->extent_h - work->stride_h) * in_row;
    double rows = (double)limit(work->out_h, hw->tile.max_h);
    if (hw->sram.accumulator_bytes > 0) {
        rows = fmin(rows, floor((buffer - halo) / (in_row * (double)work->stride_h)));
        rows = fmin(rows, floor((double)hw->sram.accumulator_bytes / sum_row));
    } else {
        rows = fmin(rows, floor((buffer - halo) / (in_row * (double)work->stride_h + sum_row)));
    }
    if (hw->tile.max_pixels > 0)
        rows = fmin(rows, floor((double)hw->tile.max_pixels / (double)w));
    if (!(rows >= 1))
        return 0;
    int64_t px = hw->array.px_h, h = (int64_t)rows;
    return h >= work->out_h ? nw_round_up(work->out_h, px) : h / px * px;
}

/* Bytes that a tile moves, all of its copies together. */
static double moved(const nw_work *work, int64_t h, int64_t w, int64_t depth)
{
    double n = (double)nw_ceil_div(work->out_h, h) * (double)nw_ceil_div(work->out_w, w);
    double input = (double)nw_min64(work->in_h, nw_tile_input(h, work->stride_h, work->extent_h)) *
                   (double)nw_min64(work->in_w, nw_tile_input(w, work->stride_w, work->extent_w)) *
                   (double)work->in_c * work->element_bytes * n;
    if (!same_depth(work))
        input *= (double)nw_ceil_div(work->out_c, depth);
    double weights = 0;
    if (work->has_weights) {
        weights = (double)work->kernel_h * (double)work->kernel_w * (double)work->out_c * n;
        if (work->kind != NW_WORK_DEPTHWISE)
            weights *= (double)work->in_c;
    }
    return input + weights;
}

static nw_tile search_plain(const nw_hw *hw, const nw_work *work)
{
    const int64_t px_h = hw->array.px_h, px_w = hw->array.px_w, pf = hw->array.pf_out;
    const int64_t slices = nw_ceil_div(work->out_c, pf), columns = nw_ceil_div(work->out_w, px_w);
    nw_tile best = {(int32_t)px_h, (int32_t)px_w, (int32_t)pf};
    double best_cost = INFINITY, best_size = 0;
    for (int64_t cuts_c = 1; cuts_c > 0; cuts_c = next_cuts(slices, cuts_c)) {
        int64_t depth = nw_ceil_div(slices, cuts_c) * pf;
        if (hw->tile.max_c > 0 && depth > hw->tile.max_c && depth > pf)
            continue;
        for (int64_t cuts_w = 1; cuts_w > 0; cuts_w = next_cuts(columns, cuts_w)) {
            int64_t w = nw_ceil_div(columns, cuts_w) * px_w;
            if (hw->tile.max_w > 0 && w > hw->tile.max_w && w > px_w)
                continue;
            int64_t h = highest(hw, work, w, depth);
            if (h <= 0)
                continue;
            int64_t cuts_h = nw_ceil_div(work->out_h, h); /* equal heights, no ragged edge */
            h = nw_round_up(nw_ceil_div(work->out_h, cuts_h), px_h);
            double cost = moved(work, h, w, depth);
            double area = (double)h * (double)w * (double)depth;
            if (cost < best_cost || (cost == best_cost && area > best_size)) {
                best_cost = cost;
                best_size = area;
                best = (nw_tile){(int32_t)nw_min64(h, INT32_MAX), (int32_t)nw_min64(w, INT32_MAX),
                                 (int32_t)nw_min64(depth, INT32_MAX)};
            }
        }
    }
    return best;
}

nw_tile nw_tile_search(const nw_hw *hw, const nw_work *work)
{
    return nw_has_command_rules(hw) ? search_commands(hw, work) : search_plain(hw, work);
}
