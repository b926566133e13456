/* Features that need the hardware's description: what its figures say of the whole map as one
 * tile, each memory crossed once. Tiles, halos, re-reads, bubbles and the way that memories overlap
 * are what the regression learns. */
#include <math.h>

#include "src/estimator/features_internal.h"

static double ceil_div(double a, double b)
{
    return ceil(a / b);
}

static double positive(double value, double fallback)
{
    return value > 0 ? value : fallback;
}

/* Whether several taps share a visit: where that fills more of the lanes, and for shallow inputs.
 */
static bool takes_taps(const nw_hw *hw, double taps, double in_c)
{
    double group = hw->array.kernel_group, chunk = hw->array.in_chunk, part = chunk / group;
    if (group <= 1)
        return false;
    double by_depth = in_c / (chunk * ceil_div(in_c, chunk));
    double by_taps = in_c * taps / (part * ceil_div(in_c, part) * group * ceil_div(taps, group));
    return in_c <= part || by_taps > by_depth;
}

/* Dense or grouped product of out_c by K over `pixels` visits of the pixel lanes. */
static double dot_cycles(const nw_hw *hw, double visits_px, double taps, double in_c, double out_c,
                         double groups)
{
    double pf = hw->array.pf_out, dot = hw->array.pf_in, chunk = hw->array.in_chunk;
    double in = in_c / groups, out = out_c / groups;
    double packed = fmax(1, fmin(groups, floor(fmin(pf / out, chunk / in))));
    double rate = positive(hw->array.weight_rate, INFINITY), cycles;
    in *= packed;
    out *= packed;
    if (takes_taps(hw, taps, in)) {
        double visits =
            ceil_div(taps, hw->array.kernel_group) * ceil_div(in, chunk / hw->array.kernel_group);
        cycles = visits * fmax(pf * chunk / rate, chunk / dot * visits_px);
    } else {
        double chunks = ceil_div(in, chunk), step = positive(hw->array.in_round, 1);
        double rest = fmin(chunk, step * ceil_div(in - (chunks - 1) * chunk, step));
        cycles = taps * ((chunks - 1) * fmax(pf * chunk / rate, chunk / dot * visits_px) +
                         fmax(pf * rest / rate, ceil_div(rest, dot) * visits_px));
    }
    return cycles * ceil_div(out, pf) * ceil_div(groups, packed);
}

static double dot_depthwise(const nw_hw *hw, double visits_px, double pixels, double taps, double c)
{
    if (hw->depthwise.kind == NW_DEPTHWISE_UNIT)
        return ceil_div(pixels, positive(hw->depthwise.pixels, 1)) *
               ceil_div(taps, positive(hw->depthwise.taps_per_cycle, 1)) *
               ceil_div(c, positive(hw->depthwise.channels, 1));
    double s = (double)hw->array.in_chunk / hw->array.pf_in;
    return s * visits_px * ceil_div(taps, positive(hw->depthwise.taps_per_cycle, 1)) *
           ceil_div(c, hw->array.pf_out);
}

/* One product of M x K by K x N, SCALE-Sim v3's analytical model without stalls. */
static double systolic_gemm(const nw_hw *hw, double m, double k, double n)
{
    double rows = hw->array.rows, cols = hw->array.cols, fill = 2 * rows + cols - 2;
    switch (hw->array.dataflow) {
    case NW_DATAFLOW_OS:
        return ceil_div(m, rows) * ceil_div(n, cols) * (k + fill - rows) - 1;
    case NW_DATAFLOW_IS:
        return ceil_div(k, rows) * ceil_div(m, cols) * (n + fill) - 1;
    default:
        return ceil_div(k, rows) * ceil_div(n, cols) * (m + fill) - 1;
    }
}

static double systolic_depthwise(const nw_hw *hw, double m, double taps, double c)
{
    double rows = hw->array.rows, cols = hw->array.cols;
    double packed = fmax(1, fmin(cols, floor(rows / taps)));
    if (hw->depthwise.kind == NW_DEPTHWISE_ONE_FILTER)
        return systolic_gemm(hw, m, taps * c, 1);
    if (hw->depthwise.kind == NW_DEPTHWISE_DIAGONAL && hw->array.dataflow == NW_DATAFLOW_WS)
        return ceil_div(taps, rows) * ceil_div(c, packed) * (m + 2 * rows + cols - 2) - 1;
    return c * systolic_gemm(hw, m, taps, 1);
}

typedef struct part {
    nw_kernel_kind kind;
    double out_h, out_w, in_c, out_c, taps, groups, batch;
} part;

static double array_cycles(const nw_hw *hw, const part *p)
{
    double pixels = p->batch * p->out_h * p->out_w, cores = positive(hw->cores, 1);
    bool is_product = p->kind == NW_KERNEL_FC || p->kind == NW_KERNEL_MATMUL;
    if (hw->array.kind == NW_ARRAY_SYSTOLIC) {
        if (p->kind == NW_KERNEL_POOL)
            return fmax(hw->pool_min_cycles,
                        ceil_div(p->taps, positive(hw->pool_taps_per_cycle, 1))) *
                   pixels * ceil_div(p->out_c, hw->array.cols) / cores;
        if (p->kind == NW_KERNEL_DWCONV)
            return systolic_depthwise(hw, pixels, p->taps, p->out_c) / cores;
        return p->groups *
               systolic_gemm(hw, pixels, p->taps * p->in_c / p->groups, p->out_c / p->groups) /
               cores;
    }
    double visits =
        p->batch * ceil_div(p->out_h, hw->array.px_h) * ceil_div(p->out_w, hw->array.px_w);
    if (is_product) /* rows lie in a line */
        visits = ceil_div(pixels, (double)hw->array.px_w);
    if (p->kind == NW_KERNEL_POOL)
        return fmax(hw->pool_min_cycles, ceil_div(p->taps, positive(hw->pool_taps_per_cycle, 1))) *
               visits * ceil_div(p->out_c, hw->array.pf_out) / cores;
    if (p->kind == NW_KERNEL_DWCONV)
        return dot_depthwise(hw, visits, pixels, p->taps, p->out_c) / cores;
    return dot_cycles(hw, visits, p->taps, p->in_c, p->out_c, p->groups) / cores;
}

static bool is_on_array(nw_kernel_kind kind)
{
    return kind == NW_KERNEL_CONV || kind == NW_KERNEL_DWCONV || kind == NW_KERNEL_FC ||
           kind == NW_KERNEL_MATMUL || kind == NW_KERNEL_POOL || kind == NW_KERNEL_CONV_TRANSPOSE ||
           kind == NW_KERNEL_COUNT;
}

/* Both parts of a joined kernel on the array, at the rate of its types. */
static double compute_cycles(const nw_row *row, const nw_hw *hw, const nw_sizes *s)
{
    const double *r = row->role;
    bool is_transpose = row->kind == NW_KERNEL_CONV_TRANSPOSE;
    if (!is_on_array(row->kind))
        return 0;
    part first = {row->kind == NW_KERNEL_COUNT ? NW_KERNEL_CONV : row->kind,
                  r[NW_ROLE_OUT_H],
                  r[NW_ROLE_OUT_W],
                  s->in_c,
                  s->mid_c,
                  s->taps,
                  s->groups,
                  s->batch};
    if (is_transpose) { /* sub-pixel form: the phases of the stride are output channels */
        double sh = positive(r[NW_ROLE_STRIDE_H], 1), sw = positive(r[NW_ROLE_STRIDE_W], 1);
        first.out_h = ceil_div(first.out_h, sh);
        first.out_w = ceil_div(first.out_w, sw);
        first.out_c *= sh * sw;
        first.taps = ceil_div(r[NW_ROLE_KERNEL_H], sh) * ceil_div(r[NW_ROLE_KERNEL_W], sw);
    }
    if (row->second != NW_KERNEL_COUNT) {
        first.out_h = ceil_div(r[NW_ROLE_IN_H], positive(r[NW_ROLE_STRIDE_H], 1));
        first.out_w = ceil_div(r[NW_ROLE_IN_W], positive(r[NW_ROLE_STRIDE_W], 1));
    }
    double cycles = array_cycles(hw, &first);
    if (row->second != NW_KERNEL_COUNT) {
        double taps = row->second == NW_KERNEL_POOL ? s->mid_pixels / s->out_pixels : 1;
        part second = {row->second, r[NW_ROLE_OUT_H], r[NW_ROLE_OUT_W], s->mid_c, s->out_c, taps,
                       1,           s->batch};
        cycles += array_cycles(hw, &second);
    }
    double bits = positive(r[NW_ROLE_BITS], 8);
    double rate = nw_hw_precision_rate(hw, (int)positive(r[NW_ROLE_WEIGHT_BITS], bits), (int)bits,
                                       r[NW_ROLE_IS_FLOAT] > 0);
    return cycles / positive(rate, 1);
}

/* Elements of maps, channels padded as they lie in memory. */
static double padded(const nw_hw *hw, double pixels, double c)
{
    double align = positive(hw->sram.align_channels, 1);
    return pixels * align * ceil(c / align);
}

static double output_rate(const nw_row *row, const nw_hw *hw)
{
    double rate = hw->out_elements_per_cycle;
    if (row->kind == NW_KERNEL_ADD)
        rate = hw->add_elements_per_cycle;
    if (row->kind == NW_KERNEL_MUL)
        rate = hw->mul_elements_per_cycle;
    if (row->kind == NW_KERNEL_QUANTIZE)
        rate = hw->requantise_elements_per_cycle;
    if (row->role[NW_ROLE_ACT] > 1 || row->kind == NW_KERNEL_SOFTMAX)
        rate = fmin(rate, hw->lut_elements_per_cycle);
    return positive(rate, 1);
}

typedef struct traffic {
    double in, second, out; /* bytes, padded */
    double dram, sram;
} traffic;

static traffic find_traffic(const nw_row *row, const nw_hw *hw, const nw_sizes *s)
{
    const double *r = row->role;
    double in_pixels = s->batch * s->in_pixels;
    traffic t = {.in =
                     (r[NW_ROLE_IS_FIRST] > 0 ? in_pixels * s->in_c /* a network's input is dense */
                                              : padded(hw, in_pixels, s->in_c)) *
                     s->element_bytes,
                 .out = padded(hw, s->batch * s->out_pixels, s->out_c) * s->element_bytes};
    if (r[NW_ROLE_RESIDUAL] > 0)
        t.second = t.out;
    else if (!is_on_array(row->kind) && r[NW_ROLE_MAPS] > 1)
        t.second = t.in * (r[NW_ROLE_MAPS] - 1);
    t.dram = (r[NW_ROLE_IN_DRAM] > 0 ? t.in : 0) + (r[NW_ROLE_SECOND_DRAM] > 0 ? t.second : 0) +
             (r[NW_ROLE_OUT_DRAM] > 0 ? t.out : 0);
    t.sram = t.in + t.second + t.out;
    return t;
}

/* Tiles at least: the limits of a tile, and accumulators of four bytes that must fit twice. */
static double count_tiles(const nw_row *row, const nw_hw *hw, const nw_sizes *s)
{
    const double *r = row->role;
    double cuts = 1, sums = (double)hw->sram.bytes;
    if (!is_on_array(row->kind) || hw->array.kind != NW_ARRAY_DOT)
        return 1;
    if (hw->tile.max_h > 0)
        cuts *= ceil_div(r[NW_ROLE_OUT_H], hw->tile.max_h);
    if (hw->tile.max_w > 0)
        cuts *= ceil_div(r[NW_ROLE_OUT_W], hw->tile.max_w);
    if (hw->tile.max_c > 0)
        cuts *= ceil_div(s->out_c, hw->tile.max_c);
    if (hw->tile.max_pixels > 0)
        cuts = fmax(cuts, ceil_div(s->out_pixels, hw->tile.max_pixels));
    if (hw->tile.buffer_bytes > 0)
        sums = (double)hw->tile.buffer_bytes;
    if (hw->sram.accumulator_bytes > 0)
        sums = (double)hw->sram.accumulator_bytes;
    return fmax(cuts, ceil_div(8 * s->batch * s->out_pixels * s->out_c, sums));
}

/* How much longer a transfer is whose runs are shorter than a burst. */
static double burst_waste(const nw_hw *hw, const nw_row *row, const nw_sizes *s, bool is_dram)
{
    double burst = (double)(is_dram ? hw->dram.burst_bytes : hw->sram.burst_bytes);
    bool is_plain = hw->sram.align_channels <= 1 || row->role[NW_ROLE_IS_FIRST] > 0;
    double run = is_plain ? s->in_c : hw->sram.align_channels * row->role[NW_ROLE_IN_W];
    return burst > 1 ? burst / fmin(burst, fmax(run * s->element_bytes, 1)) : 1;
}

/* Time until the commands of all tiles are through, four in flight. */
static double command_cycles(const nw_row *row, const nw_hw *hw, const nw_sizes *s,
                             const traffic *t, double tiles, double busy)
{
    const double *r = row->role;
    bool in_dram = r[NW_ROLE_IN_DRAM] > 0, out_dram = r[NW_ROLE_OUT_DRAM] > 0;
    if (!hw->tile.command_limit || !is_on_array(row->kind))
        return 0;
    double read = in_dram ? hw->dram.bytes_per_cycle : hw->sram.read_bytes_per_cycle;
    double written = out_dram ? hw->dram.bytes_per_cycle : hw->sram.write_bytes_per_cycle;
    double latency = (double)(in_dram ? hw->dram.read_latency_cycles : hw->sram.latency_cycles) +
                     (double)(out_dram ? hw->dram.write_latency_cycles : hw->sram.latency_cycles);
    return (tiles * latency + t->in * burst_waste(hw, row, s, in_dram) / positive(read, 1) +
            t->out / positive(written, 1) + busy) /
           4;
}

static void fill_shares(const nw_row *row, const nw_hw *hw, const nw_sizes *s, const traffic *t,
                        double *f)
{
    double roofline = f[NW_FEATURE_ROOFLINE_CYCLES];
    double lanes = hw->array.kind == NW_ARRAY_DOT ? hw->array.pf_out : hw->array.cols;
    double depth = hw->array.kind == NW_ARRAY_DOT ? hw->array.in_chunk : hw->array.rows;
    double per_group = s->in_c / s->groups;
    f[NW_FEATURE_ARRAY_FILL] =
        s->macs / ((double)nw_hw_macs_per_cycle(hw) * positive(f[NW_FEATURE_ARRAY_CYCLES], 1));
    f[NW_FEATURE_IN_LEFT] = per_group - depth * (ceil(per_group / depth) - 1);
    f[NW_FEATURE_OUT_LEFT] = s->out_c - lanes * (ceil(s->out_c / lanes) - 1);
    f[NW_FEATURE_PIXEL_FILL] = 1;
    if (hw->array.kind == NW_ARRAY_DOT)
        f[NW_FEATURE_PIXEL_FILL] =
            s->out_pixels / (hw->array.px_h * ceil_div(row->role[NW_ROLE_OUT_H], hw->array.px_h) *
                             hw->array.px_w * ceil_div(row->role[NW_ROLE_OUT_W], hw->array.px_w));
    f[NW_FEATURE_COMPUTE_SHARE] = f[NW_FEATURE_ARRAY_CYCLES] / roofline;
    f[NW_FEATURE_DRAM_SHARE] = f[NW_FEATURE_DRAM_CYCLES] / roofline;
    f[NW_FEATURE_ON_CHIP] = (t->sram - t->dram + s->weight_bytes) / (double)hw->sram.bytes;
    double buffer =
        hw->tile.buffer_bytes > 0 ? (double)hw->tile.buffer_bytes : (double)hw->sram.bytes;
    f[NW_FEATURE_TILE_PRESSURE] = (t->in + s->batch * s->out_pixels * s->out_c * 4) / buffer;
}

void nw_fill_hw_features(const nw_row *row, const nw_hw *hw, const nw_sizes *s, double *f)
{
    traffic t = find_traffic(row, hw, s);
    const double *r = row->role;
    double outputs =
        fmax(padded(hw, s->batch * s->out_pixels, s->out_c),
             is_on_array(row->kind) ? 0 : padded(hw, s->batch * s->in_pixels, s->in_c));
    bool is_stored = !isnan(r[NW_ROLE_WEIGHT_BYTES]);
    double stored = s->weight_bytes * (is_stored ? 1 : positive(hw->weights.compression, 1));
    double bus = positive(hw->dram.bytes_per_cycle, 1e-9);
    bool is_pinned = hw->weights.pinned && stored <= (double)hw->weights.pinned_bytes;
    f[NW_FEATURE_ARRAY_CYCLES] = compute_cycles(row, hw, s);
    double passes = row->kind == NW_KERNEL_SOFTMAX || row->kind == NW_KERNEL_NORM ? 4 : 1;
    f[NW_FEATURE_OUTPUT_CYCLES] = passes * outputs / output_rate(row, hw);
    if (r[NW_ROLE_SLOW_RATE] > 0)
        f[NW_FEATURE_OUTPUT_CYCLES] = outputs / r[NW_ROLE_SLOW_RATE];
    f[NW_FEATURE_WEIGHT_CYCLES] = is_pinned ? 0 : stored / bus;
    f[NW_FEATURE_DECODE_CYCLES] = hw->array.kind == NW_ARRAY_DOT && hw->array.weight_rate > 0
                                      ? s->weights / hw->array.weight_rate / positive(hw->cores, 1)
                                      : 0;
    f[NW_FEATURE_DRAM_CYCLES] = t.dram / bus + f[NW_FEATURE_WEIGHT_CYCLES];
    f[NW_FEATURE_SRAM_CYCLES] = (t.in + t.second) / positive(hw->sram.read_bytes_per_cycle, 1e9) +
                                t.out / positive(hw->sram.write_bytes_per_cycle, 1e9);
    double host_s = hw->host.switch_s + r[NW_ROLE_HOST_ELEMENTS] / hw->host.elements_per_s +
                    r[NW_ROLE_HOST_BYTES] / hw->host.bytes_per_s;
    bool is_host = row->kind == NW_KERNEL_HOST;
    f[NW_FEATURE_HOST_US] = is_host ? host_s * 1e6 : 0;
    double array = fmax(f[NW_FEATURE_ARRAY_CYCLES], f[NW_FEATURE_DECODE_CYCLES]);
    double output = f[NW_FEATURE_OUTPUT_CYCLES], tiles = count_tiles(row, hw, s);
    f[NW_FEATURE_TILES] = tiles;
    f[NW_FEATURE_COMMAND_CYCLES] = command_cycles(row, hw, s, &t, tiles, array + output);
    /* the shorter stage of the last tile hides behind nothing */
    f[NW_FEATURE_WORK_CYCLES] = fmax(fmax(array, output), f[NW_FEATURE_COMMAND_CYCLES]) +
                                fmax(fmin(array, output), f[NW_FEATURE_COMMAND_CYCLES]) / tiles;
    double most =
        fmax(f[NW_FEATURE_WORK_CYCLES], fmax(f[NW_FEATURE_DRAM_CYCLES], f[NW_FEATURE_SRAM_CYCLES]));
    f[NW_FEATURE_ROOFLINE_CYCLES] = is_host ? host_s * hw->clock_hz
                                            : most + (double)hw->kernel_overhead_cycles +
                                                  (hw->cores > 1 ? (double)hw->sync_cycles : 0);
    fill_shares(row, hw, s, &t, f);
}

void nw_row_place(nw_row *row, const nw_hw *hw)
{
    static const nw_role places[] = {NW_ROLE_IN_DRAM, NW_ROLE_SECOND_DRAM, NW_ROLE_OUT_DRAM};
    double *r = row->role, used = 0, room = INFINITY, bytes = r[NW_ROLE_BITS] / 8;
    double sizes[3] = {0, 0, 0};
    if (hw && !hw->dram.weights_only) {
        room = (double)hw->sram.bytes;
        sizes[0] = padded(hw, r[NW_ROLE_IN_H] * r[NW_ROLE_IN_W], r[NW_ROLE_IN_C]) * bytes;
        sizes[2] = padded(hw, r[NW_ROLE_OUT_H] * r[NW_ROLE_OUT_W], r[NW_ROLE_OUT_C]) * bytes;
        sizes[1] = r[NW_ROLE_RESIDUAL] > 0 ? sizes[2] : r[NW_ROLE_MAPS] > 1 ? sizes[0] : 0;
        if (row->kind == NW_KERNEL_MATMUL)
            sizes[1] = padded(hw, r[NW_ROLE_IN_H] * r[NW_ROLE_IN_C], r[NW_ROLE_OUT_C]) * bytes;
    }
    bool is_told = !isnan(r[NW_ROLE_IN_DRAM]) && !isnan(r[NW_ROLE_OUT_DRAM]);
    for (int i = 0; i < 3; i++) {
        bool fits = !(used + sizes[i] > room);
        if (isnan(r[places[i]]))
            r[places[i]] = !is_told && !fits;
        used += fits ? sizes[i] : 0;
    }
}
