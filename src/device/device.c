/* The simulated device: puts array, memories, fixed costs and energy of one kernel together.
 *
 * time = max(compute, SRAM, DRAM) where transfers overlap computing, else their sum, and the
 * fixed cost of a kernel on top. The array is in dot.c and systolic.c, tiles in tile.c, transfers
 * in memory.c, the sentence that explains the result in why.c.
 *
 * Sources: Arm Vela 3.10 (dot arrays, commands, output stage), SCALE-Sim v3 (systolic arrays).
 */
#include "src/device/internal.h"

#include <stdio.h>
#include <string.h>

const char *nw_bound_name(nw_bound bound)
{
    static const char *const names[NW_BOUND_COUNT] = {"compute", "sram",     "dram",
                                                      "weights", "overhead", "host"};
    return (unsigned)bound < NW_BOUND_COUNT ? names[bound] : "?";
}

static int64_t to_integer(double value)
{
    if (!(value > 0))
        return 0;
    return value >= (double)NW_DEVICE_MAX ? NW_DEVICE_MAX : (int64_t)value;
}

static int64_t cycles(double value)
{
    return to_integer(ceil(value));
}

static double elements(const nw_hw *hw, int64_t h, int64_t w, int64_t c)
{
    return nw_map_bytes(hw, h, w, c, 8);
}

/* Passes over a map by kernels without an array, by the unit that makes them. */
typedef struct passes {
    int out, add, mul, lut, requantise;
} passes;

static const passes kernel_passes[NW_KERNEL_COUNT] = {
    [NW_KERNEL_ADD] = {.add = 1},
    [NW_KERNEL_MUL] = {.mul = 1},
    [NW_KERNEL_ELEMENTWISE] = {.add = 1},
    [NW_KERNEL_ACT] = {.out = 1},
    [NW_KERNEL_QUANTIZE] = {.requantise = 1},
    [NW_KERNEL_SOFTMAX] = {.out = 1, .lut = 1, .add = 1, .mul = 1}, /* max, exp, sum, scale */
    [NW_KERNEL_NORM] = {.add = 2, .mul = 2}, /* mean, variance; scale and shift */
    [NW_KERNEL_REDUCE] = {.add = 1},
    [NW_KERNEL_RESIZE] = {.out = 1},
};

static double at_rate(double n, int n_passes, double rate)
{
    return n_passes ? n * n_passes / (rate > 0 ? rate : 1) : 0;
}

/* Kernels that only pass over maps: padded elements at the rate of their unit. */
static double pass_cycles(const nw_hw *hw, const nw_kernel_shape *shape)
{
    const nw_kernel_part *part = &shape->parts[0];
    passes p = kernel_passes[part->kind];
    if (part->kind == NW_KERNEL_ACT && shape->act == NW_KERNEL_ACT_LUT)
        p = (passes){.lut = 1};
    if (part->kind == NW_KERNEL_ELEMENTWISE && shape->n_maps > 2)
        p.add = shape->n_maps - 1;
    double n = fmax(elements(hw, part->out_h, part->out_w, part->out_c),
                    elements(hw, part->in_h, part->in_w, part->in_c));
    if (part->kind == NW_KERNEL_RESIZE || part->kind == NW_KERNEL_ADD ||
        part->kind == NW_KERNEL_MUL)
        n = elements(hw, part->out_h, part->out_w, part->out_c);
    double sum = at_rate(n, p.out, hw->out_elements_per_cycle) +
                 at_rate(n, p.add, hw->add_elements_per_cycle) +
                 at_rate(n, p.mul, hw->mul_elements_per_cycle) +
                 at_rate(n, p.lut, hw->lut_elements_per_cycle) +
                 at_rate(n, p.requantise, hw->requantise_elements_per_cycle);
    if (shape->act == NW_KERNEL_ACT_LUT && part->kind != NW_KERNEL_ACT) /* in the same pass */
        sum = fmax(sum, at_rate(n, 1, hw->lut_elements_per_cycle));
    return sum;
}

/* A systolic array does not pool: its columns of output lanes do, a tap at a time. */
static void pool_lanes(const nw_hw *hw, const nw_work *work, nw_compute *out)
{
    double taps = (double)work->kernel_h * (double)work->kernel_w;
    double rate = hw->pool_taps_per_cycle > 0 ? hw->pool_taps_per_cycle : 1;
    int64_t cores = nw_max64(hw->cores, 1), rows = work->out_h;
    int64_t slices = nw_ceil_div(work->out_c, nw_max64(hw->array.cols, 1));
    if (hw->core_split == NW_SPLIT_ROWS)
        rows = nw_ceil_div(rows, cores);
    else
        slices = nw_ceil_div(slices, cores);
    memset(out, 0, sizeof *out);
    out->array = fmax((double)hw->pool_min_cycles, ceil(taps / rate)) * (double)rows *
                 (double)work->out_w * (double)slices;
    out->output =
        ceil((double)work->out_h * (double)work->out_w * (double)work->out_c / work->out_rate);
    out->total = fmax(out->array, out->output);
    out->n_spatial = out->n_depth = 1;
    out->in_fetch = (double)work->in_h * (double)work->in_w * (double)work->in_c;
    out->lanes_in = out->lanes_out = out->lanes_pixels = out->diagonal = 1;
}

static void compute_part(const nw_hw *hw, const nw_work *work, const nw_tile *tile, nw_compute *out)
{
    if (hw->array.kind == NW_ARRAY_DOT)
        nw_dot_compute(hw, work, tile ? *tile : nw_tile_search(hw, work), out);
    else if (work->kind == NW_WORK_POOL)
        pool_lanes(hw, work, out);
    else
        nw_systolic_compute(hw, work, out);
}

static bool is_slow(const nw_hw *hw, const nw_kernel_shape *shape)
{
    int op = shape->slow_op;
    return op >= 0 && op < NW_OP_COUNT && hw->ops[op].support == NW_OP_SLOW && hw->ops[op].rate > 0;
}

static void slow_compute(const nw_hw *hw, const nw_kernel_shape *shape, nw_device_cost *cost)
{
    const nw_kernel_part *part = &shape->parts[0];
    double n = fmax(elements(hw, part->out_h, part->out_w, part->out_c),
                    elements(hw, part->in_h, part->in_w, part->in_c));
    cost->cycles[NW_BOUND_COMPUTE] = cycles(n / hw->ops[shape->slow_op].rate);
    cost->output_cycles = cost->cycles[NW_BOUND_COMPUTE];
}

/* Fills the cycles of array and output stage. Returns the number of parts that ran on the array,
 * or -1 for a precision that this hardware lacks. */
static int compute_all(const nw_hw *hw, const nw_kernel_shape *shape, const nw_tile *tile,
                       nw_work *works, nw_compute *computes, nw_device_cost *cost)
{
    int n_works = 0;
    if (is_slow(hw, shape)) {
        slow_compute(hw, shape, cost);
        return 0;
    }
    double sum = 0, array = 0, output = 0, decoder = 0;
    for (int i = 0; i < shape->n_parts && i < NW_KERNEL_PARTS; i++) {
        if (!nw_work_make(hw, shape, i, &works[n_works]))
            continue;
        if (!(works[n_works].rate > 0))
            return -1;
        compute_part(hw, &works[n_works], i == 0 ? tile : NULL, &computes[n_works]);
        sum += computes[n_works].total;
        array += computes[n_works].array;
        output += computes[n_works].output;
        decoder += computes[n_works].decoder;
        n_works++;
    }
    if (n_works == 0 && shape->n_parts > 0)
        sum = output = pass_cycles(hw, shape);
    else
        cost->tile = computes[0].tile;
    cost->cycles[NW_BOUND_COMPUTE] = cycles(sum);
    cost->cycles[NW_BOUND_WEIGHTS] = cycles(decoder);
    cost->array_cycles = cycles(array);
    cost->output_cycles = cycles(output);
    return n_works;
}

/* On a tie the narrower cause is named: weights before DRAM, both before compute. */
static nw_bound largest(const int64_t *by_cause)
{
    static const nw_bound order[NW_BOUND_COUNT] = {NW_BOUND_HOST, NW_BOUND_WEIGHTS,
                                                   NW_BOUND_DRAM, NW_BOUND_COMPUTE,
                                                   NW_BOUND_SRAM, NW_BOUND_OVERHEAD};
    nw_bound best = order[0];
    for (int i = 1; i < NW_BOUND_COUNT; i++)
        if (by_cause[order[i]] > by_cause[best])
            best = order[i];
    return by_cause[best] > 0 ? best : NW_BOUND_COMPUTE;
}

static void put_together(const nw_hw *hw, const nw_traffic *t, nw_device_cost *cost)
{
    int64_t compute = cost->cycles[NW_BOUND_COMPUTE];
    int64_t sram = cost->cycles[NW_BOUND_SRAM] = cycles(t->sram_cycles);
    int64_t dram = cost->cycles[NW_BOUND_DRAM] = cycles(t->dram_cycles);
    int64_t weights = cycles(t->weight_cycles);
    int64_t overhead = hw->kernel_overhead_cycles + (hw->cores > 1 ? hw->sync_cycles : 0);
    cost->cycles[NW_BOUND_OVERHEAD] = overhead = nw_min64(nw_max64(overhead, 0), NW_DEVICE_MAX);
    cost->cycles[NW_BOUND_WEIGHTS] = nw_max64(cost->cycles[NW_BOUND_WEIGHTS], weights);

    /* Each is at most 2^59: the sum of all fits. */
    int64_t before = hw->prefetch_weights ? 0 : weights;
    int64_t beside = nw_max64(dram - before, 0);
    int64_t total = hw->overlap_compute_dma ? nw_max64(compute, nw_max64(sram, beside))
                                            : compute + sram + beside;
    cost->total_cycles = nw_min64(before + total + overhead, NW_DEVICE_MAX);
    cost->sram_bytes = to_integer(t->sram_read + t->sram_write);
    cost->dram_bytes = to_integer(t->dram_read + t->dram_write);
    cost->weight_bytes = to_integer(t->weight_bytes);
}

/* rate: of multiply-accumulates against dense int8, which the array's peak is stated for. */
static void finish(const nw_hw *hw, const nw_traffic *t, double rate, nw_device_cost *cost)
{
    const double peak = (double)nw_hw_macs_per_cycle(hw) * rate, clock = hw->clock_hz;
    cost->bound = largest(cost->cycles);
    cost->latency_ps = to_integer(floor((double)cost->total_cycles * (1e12 / clock) + 0.5));
    double energy = (double)cost->macs * hw->energy.mac + t->sram_read * hw->energy.sram_read_byte +
                    t->sram_write * hw->energy.sram_write_byte +
                    t->dram_read * hw->energy.dram_read_byte +
                    t->dram_write * hw->energy.dram_write_byte +
                    hw->energy.static_w * (double)cost->latency_ps * 1e3; /* 1 W = 1e3 fJ/ps */
    cost->energy_fj = to_integer(floor(energy + 0.5));
    if (cost->total_cycles > 0 && peak > 0)
        cost->utilisation = (double)cost->macs / (peak * (double)cost->total_cycles);
    cost->is_known = true;
}

/* A run of operators on the host: its elements, the bytes across, one switch. */
static void estimate_host(const nw_hw *hw, const nw_kernel_shape *shape, nw_device_cost *cost)
{
    double n = (double)nw_max64(shape->host_elements, 0);
    double bytes = (double)nw_max64(shape->host_bytes, 0), seconds = hw->host.switch_s;
    if (hw->host.elements_per_s > 0)
        seconds += n / hw->host.elements_per_s;
    if (hw->host.bytes_per_s > 0)
        seconds += bytes / hw->host.bytes_per_s;
    cost->cycles[NW_BOUND_HOST] = cost->total_cycles = cycles(seconds * hw->clock_hz);
    cost->dram_bytes = to_integer(bytes);
    nw_traffic traffic = {.dram_read = bytes};
    finish(hw, &traffic, 1, cost);
    snprintf(cost->why, sizeof cost->why,
             "on the host: %.0f elements, %.0f bytes across, %.3g us for the switch", n, bytes,
             hw->host.switch_s * 1e6);
}

static void estimate(const nw_hw *hw, const nw_kernel_shape *shape, const nw_tile *tile,
                     nw_device_cost *cost)
{
    nw_work works[NW_KERNEL_PARTS];
    nw_compute computes[NW_KERNEL_PARTS];
    nw_traffic traffic;
    memset(cost, 0, sizeof *cost);
    nw_kernel_kind kind = shape->n_parts > 0 ? shape->parts[0].kind : NW_KERNEL_OPAQUE;
    if (kind == NW_KERNEL_OPAQUE) {
        snprintf(cost->why, sizeof cost->why, "no cost rule for this operator");
        return;
    }
    if (kind == NW_KERNEL_VIEW) {
        cost->is_known = true;
        snprintf(cost->why, sizeof cost->why, "costs nothing: the same bytes under another shape");
        return;
    }
    cost->macs = nw_min64(nw_kernel_shape_macs(shape), NW_DEVICE_MAX);
    if (kind == NW_KERNEL_HOST) {
        estimate_host(hw, shape, cost);
        return;
    }
    int n_works = compute_all(hw, shape, tile, works, computes, cost);
    if (n_works < 0) {
        memset(cost, 0, sizeof *cost);
        snprintf(cost->why, sizeof cost->why,
                 "%d-bit weights by %d-bit activations%s: not native here", (int)shape->weight_bits,
                 (int)shape->bits, shape->is_float ? " (float)" : "");
        return;
    }
    nw_traffic_find(hw, shape, works, computes, n_works, &traffic);
    put_together(hw, &traffic, cost);
    finish(hw, &traffic, n_works > 0 ? works[0].rate : 1, cost);
    nw_device_explain(hw, shape, works, computes, n_works, &traffic, cost);
}

void nw_device_estimate(const nw_hw *hw, const nw_kernel_shape *shape, nw_device_cost *out)
{
    estimate(hw, shape, NULL, out);
}

void nw_device_estimate_tiled(const nw_hw *hw, const nw_kernel_shape *shape, nw_tile tile,
                              nw_device_cost *out)
{
    if (tile.h < 1)
        tile.h = 1;
    if (tile.w < 1)
        tile.w = 1;
    if (tile.c < 1)
        tile.c = 1;
    estimate(hw, shape, &tile, out);
}
