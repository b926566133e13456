/* An array of dot products: pf_out products of pf_in input channels for px_h x px_w pixels a
 * cycle. The formulas are those that Vela 3.10 uses for Ethos-U (`npu_performance`), stated with
 * the array's sizes as parameters; where a description has no commands, nothing is raised to the
 * command limit and taps are packed whenever that takes fewer visits.
 *
 * A tile is worked off in steps: one visit of the weights of pf_out outputs for in_chunk inputs
 * (or in_chunk / kernel_group inputs of kernel_group taps). A step lasts as long as its pixels
 * need, S * u, or as its weights take to decode.
 */
#include "src/device/internal.h"

#include <string.h>

/* A window beyond 8x8 is cut into pieces of 8x8 by Ethos-U. */
#define SUB_KERNEL 8

typedef struct steps {
    double n;                           /* visits of a slice of output channels */
    double cycles;                      /* of them all, array or decoder, whichever is slower */
    double decoder;                     /* the decoder alone */
    double bubble_groups, bubble_steps; /* chunks, and steps in each, for the step bubble */
} steps;

/* Sum over the pieces of a window of ceil(taps / group), at least `least` each. */
static double tap_groups(const nw_hw *hw, const nw_work *work, double group, double least)
{
    if (!nw_has_command_rules(hw))
        return fmax(least, ceil((double)work->kernel_h * (double)work->kernel_w / group));
    double sum = 0;
    for (int i = 0; i < 4; i++) { /* whole pieces, right edge, bottom edge, corner */
        int64_t h = i & 2 ? work->kernel_h % SUB_KERNEL : SUB_KERNEL;
        int64_t w = i & 1 ? work->kernel_w % SUB_KERNEL : SUB_KERNEL;
        double n = (double)(i & 2 ? 1 : work->kernel_h / SUB_KERNEL) *
                   (double)(i & 1 ? 1 : work->kernel_w / SUB_KERNEL);
        if (h && w)
            sum += n * fmax(least, ceil((double)(h * w) / group));
    }
    return sum;
}

/* Chunks of input channels in part-kernel order. Ethos-U fetches two at a time, so beyond the
 * first pair an odd one counts as two. */
static int64_t part_kernel_chunks(const nw_hw *hw, int64_t in_c)
{
    int64_t chunk = nw_max64(1, hw->array.in_chunk / nw_max64(hw->array.kernel_group, 1));
    if (nw_has_command_rules(hw) && in_c > 2 * chunk)
        return 2 * nw_ceil_div(in_c, 2 * chunk);
    return nw_ceil_div(in_c, chunk);
}

/* Vela's choice of the order is by utilisation, not by cycles. */
static bool prefers_part_kernel(const nw_hw *hw, const nw_work *work, double taps)
{
    int64_t in_c = work->in_c, chunk = hw->array.in_chunk / hw->array.kernel_group;
    if (in_c <= chunk)
        return true;
    double depth = (double)in_c / (double)nw_round_up(in_c, hw->array.in_chunk);
    double part = (double)in_c * taps /
                  ((double)nw_round_up(in_c, chunk) *
                   (ceil(taps / hw->array.kernel_group) * hw->array.kernel_group));
    return part > depth;
}

bool nw_dot_takes_taps(const nw_hw *hw, const nw_work *work)
{
    if (work->kind == NW_WORK_DEPTHWISE)
        return true;
    if (work->kind != NW_WORK_DENSE || hw->array.kernel_group <= 1)
        return false;
    double taps = (double)work->kernel_h * (double)work->kernel_w;
    if (nw_has_command_rules(hw))
        return prefers_part_kernel(hw, work, taps);
    double by_depth = taps * (double)nw_ceil_div(work->in_c, hw->array.in_chunk);
    double by_taps =
        ceil(taps / hw->array.kernel_group) * (double)part_kernel_chunks(hw, work->in_c);
    return by_taps < by_depth;
}

/* Taps that share a visit of a network's first layer, which has few channels. */
static int64_t augmented_taps(const nw_hw *hw, const nw_work *work)
{
    if (work->kind != NW_WORK_DENSE || !work->is_first ||
        hw->array.first_layer != NW_FIRST_PART_KERNEL || work->in_c >= hw->array.pf_in)
        return 1;
    return hw->array.pf_in / work->in_c;
}

/* Visits of one slice with u pixel steps. */
static steps dense_steps(const nw_hw *hw, const nw_work *work, double u, bool by_taps)
{
    const double decode = hw->array.weight_rate > 0 ? 1 / hw->array.weight_rate : 0;
    const int64_t chunk = hw->array.in_chunk;
    const double visit = (double)nw_ceil_div(chunk, hw->array.pf_in) * u;
    const double weights = (double)hw->array.pf_out * (double)chunk * decode;
    steps s = {0};
    if (by_taps) {
        s.bubble_groups = (double)part_kernel_chunks(hw, work->in_c);
        s.bubble_steps = tap_groups(hw, work, hw->array.kernel_group, 1);
        s.n = s.bubble_groups * s.bubble_steps;
        s.cycles = s.n * fmax(visit, weights);
        s.decoder = s.n * weights;
        return s;
    }
    double taps = tap_groups(hw, work, (double)augmented_taps(hw, work), 1);
    int64_t chunks = nw_ceil_div(work->in_c, chunk);
    int64_t rest = nw_min64(
        chunk, nw_round_up(work->in_c - (chunks - 1) * chunk, nw_max64(hw->array.in_round, 1)));
    double last_visit = (double)nw_ceil_div(rest, hw->array.pf_in) * u;
    double last_weights = (double)hw->array.pf_out * (double)rest * decode;
    s.bubble_groups = (double)chunks;
    s.bubble_steps = taps;
    s.n = taps * (double)chunks;
    s.cycles =
        taps * ((double)(chunks - 1) * fmax(visit, weights) + fmax(last_visit, last_weights));
    s.decoder = taps * ((double)(chunks - 1) * weights + last_weights);
    return s;
}

static steps depthwise_steps(const nw_hw *hw, const nw_work *work, double u)
{
    double decode = hw->array.weight_rate > 0 ? 1 / hw->array.weight_rate : 0;
    double weights = (double)hw->array.pf_out * (double)hw->array.in_chunk * decode;
    double visit = (double)nw_ceil_div(hw->array.in_chunk, hw->array.pf_in) * u;
    steps s = {.n = tap_groups(hw, work, nw_max64(hw->depthwise.taps_per_cycle, 1), 1)};
    s.bubble_groups = 1;
    s.bubble_steps = s.n;
    s.cycles = s.n * fmax(visit, weights);
    s.decoder = s.n * weights;
    return s;
}

/* A block of a single pixel step cannot hide the switch from one step to the next. */
static double bubble(const nw_hw *hw, const steps *s, double u, double slices)
{
    if (u > 1 || hw->array.step_bubble_cycles <= 0)
        return 0;
    double n = slices > 1 ? fmax(s->bubble_steps - 1, 0) * slices : s->bubble_steps;
    return hw->array.step_bubble_cycles * n * s->bubble_groups;
}

typedef struct block {
    int64_t h, w, c;    /* of output, cut to the map */
    int64_t px_h, px_w; /* pixels in parallel, as they lie for this map */
    double u, slices;   /* steps of one core: pixels, output channels */
    double u_all, slices_all;
    double n_spatial, n_depth;
} block;

static block cut_block(const nw_hw *hw, const nw_work *work, nw_tile tile)
{
    block b = {.h = nw_min64(tile.h, work->out_h),
               .w = nw_min64(tile.w, work->out_w),
               .c = nw_min64(tile.c, work->out_c),
               .px_h = hw->array.px_h,
               .px_w = hw->array.px_w};
    /* A map of one row: the pixels of the array lie in a line, if the row folds evenly. */
    if (work->out_h == 1 && work->kernel_h == 1 && work->kind != NW_WORK_POOL &&
        work->out_w % b.px_h == 0) {
        b.px_w *= b.px_h;
        b.px_h = 1;
    }
    int64_t rows = nw_ceil_div(b.h, b.px_h), columns = nw_ceil_div(b.w, b.px_w);
    int64_t slices = nw_ceil_div(b.c, hw->array.pf_out), cores = nw_max64(hw->cores, 1);
    b.u_all = (double)rows * (double)columns;
    b.slices_all = (double)slices;
    if (cores > 1 && hw->core_split == NW_SPLIT_ROWS)
        rows = nw_ceil_div(rows, cores);
    b.u = (double)rows * (double)columns;
    b.slices = (double)slices;
    if (cores > 1 && hw->core_split == NW_SPLIT_OUT_CHANNELS) /* Vela halves odd counts too */
        b.slices = nw_has_command_rules(hw) ? b.slices / (double)cores
                                            : (double)nw_ceil_div(slices, cores);
    b.n_spatial = (double)nw_ceil_div(work->out_h, b.h) * (double)nw_ceil_div(work->out_w, b.w);
    b.n_depth = (double)nw_ceil_div(work->out_c, b.c);
    return b;
}

/* Depthwise lanes of their own: channels x pixels, all taps of a pixel in turn. */
static double unit_cycles(const nw_hw *hw, const nw_work *work, const block *b)
{
    double pixels = ceil((double)b->h * (double)b->w / nw_max64(hw->depthwise.pixels, 1));
    double taps = ceil((double)work->kernel_h * (double)work->kernel_w /
                       nw_max64(hw->depthwise.taps_per_cycle, 1));
    double channels = ceil((double)b->c / nw_max64(hw->depthwise.channels, 1));
    return pixels * taps * ceil(channels / nw_max64(hw->cores, 1));
}

/* Cycles of a transfer whose bytes lie in runs: short runs waste the rest of their bursts. */
static double transfer(const nw_hw *hw, bool is_dram, bool is_read, double n_bytes, double run)
{
    double burst = (double)(is_dram ? hw->dram.burst_bytes : hw->sram.burst_bytes);
    double rate = is_dram   ? hw->dram.bytes_per_cycle
                  : is_read ? hw->sram.read_bytes_per_cycle
                            : hw->sram.write_bytes_per_cycle;
    int64_t latency = !is_dram  ? hw->sram.latency_cycles
                      : is_read ? hw->dram.read_latency_cycles
                                : hw->dram.write_latency_cycles;
    double wasted = burst > 1 ? burst / fmin(burst, fmax(run, 1)) : 1;
    return (double)latency + n_bytes * wasted / rate;
}

/* Time until a tile's commands are through: input and output of the block at the memories'
 * rates, a quarter of it all since four blocks are in flight. */
static double command_cycles(const nw_hw *hw, const nw_work *work, nw_tile tile, const block *b,
                             double busy)
{
    int64_t depth = nw_tile_input_depth(hw, work, tile.c);
    int64_t h = nw_tile_input(tile.h, work->stride_h, nw_min64(work->extent_h, SUB_KERNEL));
    int64_t w = nw_tile_input(tile.w, work->stride_w, nw_min64(work->extent_w, SUB_KERNEL));
    h = nw_round_up(h, hw->array.px_h);
    w = nw_round_up(w, hw->array.px_w);
    double in = (double)nw_min64(h, work->in_h) * (double)nw_min64(w, work->in_w) *
                (double)nw_min64(depth, work->in_c) * work->element_bytes;
    double out = (double)b->h * (double)b->w * (double)b->c * work->element_bytes;
    double out_run = nw_run_bytes(hw, work, false, tile.w, tile.c) * (double)nw_max64(hw->cores, 1);
    return (transfer(hw, work->in_dram, true, in, nw_run_bytes(hw, work, true, w, depth)) +
            transfer(hw, work->out_dram, false, out, out_run) + busy) /
           4;
}

/* Vela: 10 bytes of bias and scale a channel, one latency for each 256 of them; from the SRAM
 * where the weights are fetched ahead, that is for all but products of matrices. */
static double bias_cycles(const nw_hw *hw, const nw_work *work, const block *b)
{
    if (!hw->tile.bias_fetch || !work->has_weights)
        return 0;
    bool is_ahead = hw->prefetch_weights && work->kind != NW_WORK_VECTOR;
    int64_t latency = is_ahead ? hw->sram.latency_cycles : hw->dram.read_latency_cycles;
    return 10.0 * (double)b->c * (double)latency / 256;
}

static void note_lanes(const nw_hw *hw, const nw_work *work, const block *b, const steps *s,
                       nw_compute *out)
{
    double outputs = (double)work->out_c, taps = (double)work->kernel_h * (double)work->kernel_w;
    out->lanes_out = outputs / (b->n_depth * b->slices_all * hw->array.pf_out);
    out->lanes_pixels = (double)work->out_h * (double)work->out_w /
                        (b->n_spatial * b->u_all * (double)(b->px_h * b->px_w));
    out->diagonal = 1;
    out->lanes_in = 1;
    if (work->kind == NW_WORK_DEPTHWISE && hw->depthwise.kind == NW_DEPTHWISE_UNIT) {
        double peak = (double)hw->array.pf_out * hw->array.pf_in * hw->array.px_h * hw->array.px_w;
        out->diagonal = (double)hw->depthwise.channels * hw->depthwise.pixels *
                        hw->depthwise.taps_per_cycle / peak;
    } else if (work->kind == NW_WORK_DEPTHWISE) {
        double visit = (double)nw_ceil_div(hw->array.in_chunk, hw->array.pf_in);
        out->diagonal =
            fmin(1, nw_max64(hw->depthwise.taps_per_cycle, 1) / (visit * (double)hw->array.pf_in));
        out->lanes_in = taps / (s->n * nw_max64(hw->depthwise.taps_per_cycle, 1));
    } else if (work->kind != NW_WORK_POOL) {
        double lanes = s->n * hw->array.in_chunk;
        out->lanes_in = lanes > 0 ? fmin(1, (double)work->in_c * taps / lanes) : 1;
    }
}

static double input_fetch(const nw_work *work, nw_tile tile, const block *b)
{
    bool same_depth = work->kind == NW_WORK_DEPTHWISE || work->kind == NW_WORK_POOL;
    double h = (double)nw_min64(work->in_h, nw_tile_input(tile.h, work->stride_h, work->extent_h));
    double w = (double)nw_min64(work->in_w, nw_tile_input(tile.w, work->stride_w, work->extent_w));
    return h * w * (double)work->in_c * b->n_spatial * (same_depth ? 1 : b->n_depth) *
           (double)work->units;
}

/* The other stage of the last tile has nothing to hide behind. */
static double over_tiles(double mac, double output, double n)
{
    return fmax(mac, output) * n + fmin(mac, output);
}

void nw_dot_compute(const nw_hw *hw, const nw_work *work, nw_tile tile, nw_compute *out)
{
    memset(out, 0, sizeof *out);
    const block b = cut_block(hw, work, tile);
    const bool by_taps = nw_dot_takes_taps(hw, work);
    const double n = b.n_spatial * b.n_depth * (double)work->units;
    steps s = {.n = 1};
    double mac, decoder = 0;
    if (work->kind == NW_WORK_POOL) {
        double rate = hw->pool_taps_per_cycle > 0 ? hw->pool_taps_per_cycle : 1;
        mac = tap_groups(hw, work, rate, (double)hw->pool_min_cycles) * b.u * b.slices;
        mac *= work->element_bytes > 1 ? work->element_bytes : 1;
    } else if (work->kind == NW_WORK_DEPTHWISE && hw->depthwise.kind == NW_DEPTHWISE_UNIT) {
        mac = unit_cycles(hw, work, &b);
    } else {
        s = work->kind == NW_WORK_DEPTHWISE ? depthwise_steps(hw, work, b.u)
                                            : dense_steps(hw, work, b.u, by_taps);
        mac = s.cycles * b.slices + bubble(hw, &s, b.u, b.slices);
        decoder = s.decoder * b.slices;
    }
    mac /= work->rate;
    decoder /= work->rate;
    double output = ceil((double)b.h * (double)b.w * (double)b.c / work->out_rate);
    output = fmax(output, bias_cycles(hw, work, &b));
    double raised_mac = mac, raised_output = output;
    if (hw->tile.command_limit) {
        double command = command_cycles(hw, work, tile, &b, mac + output);
        raised_mac = fmax(mac, command);
        raised_output = fmax(output, command);
    }
    out->total = floor(over_tiles(raised_mac, raised_output, n));
    out->array = floor(mac * n);
    out->output = floor(output * n);
    out->command = fmax(0, out->total - over_tiles(mac, output, n));
    out->tail = fmin(mac, output);
    out->is_decoder_bound = decoder > 0 && decoder >= 0.999 * mac && mac >= output;
    out->decoder = out->is_decoder_bound ? out->total : floor(decoder * n);
    out->is_part_kernel = by_taps;
    out->tile =
        (nw_tile){(int32_t)nw_min64(tile.h, INT32_MAX), (int32_t)nw_min64(tile.w, INT32_MAX),
                  (int32_t)nw_min64(tile.c, INT32_MAX)};
    out->n_spatial = b.n_spatial;
    out->n_depth = b.n_depth;
    out->in_fetch = input_fetch(work, tile, &b);
    note_lanes(hw, work, &b, &s, out);
}
