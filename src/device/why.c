/* One sentence on why a kernel takes longer than its multiply-accumulates need.
 *
 * Each cause in the table says how many cycles it costs against an array that is always full; the
 * dearest speaks.
 */
#include "src/device/internal.h"

#include <stdio.h>

#define WELL_USED 0.8 /* of the peak: nothing worth complaining about */

typedef struct scene {
    const nw_hw *hw;
    const nw_kernel_shape *shape;
    const nw_work *work; /* of the part that takes longest; NULL: none on the array */
    const nw_compute *compute;
    const nw_traffic *traffic;
    const nw_device_cost *cost;
} scene;

typedef struct cause {
    double (*lost)(const scene *s); /* cycles */
    void (*say)(const scene *s, char *dst, size_t size);
} cause;

static const char *amount(double n_bytes, char *dst, size_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    while (n_bytes >= 1024 && unit < 4) {
        n_bytes /= 1024;
        unit++;
    }
    snprintf(dst, size, n_bytes < 10 && unit ? "%.1f %s" : "%.0f %s", n_bytes, units[unit]);
    return dst;
}

/* A memory that overlaps computing costs nothing while it is the shorter; the longer one costs
 * all that it takes beyond a full array. */
static double waiting(const scene *s, nw_bound bound)
{
    double memory = (double)s->cost->cycles[bound];
    double rate = s->work ? s->work->rate : 1, peak = (double)nw_hw_macs_per_cycle(s->hw);
    if (!s->hw->overlap_compute_dma)
        return memory;
    if (memory <= (double)s->cost->cycles[NW_BOUND_COMPUTE])
        return 0;
    return fmax(0, memory - (double)s->cost->macs / (peak * rate));
}

static double lost_dram(const scene *s)
{
    return waiting(s, NW_BOUND_DRAM);
}

static void say_dram(const scene *s, char *dst, size_t size)
{
    const nw_traffic *t = s->traffic;
    char bytes[32];
    double weights = t->weight_bytes * t->weight_passes;
    if (t->weight_passes > 1 && 2 * weights >= t->dram_read + t->dram_write) {
        snprintf(dst, size, "weights are re-read %.0f times: %s do not stay on chip",
                 t->weight_passes, amount(t->weight_bytes, bytes, sizeof bytes));
        return;
    }
    bool mostly_weights = 2 * weights >= t->dram_read + t->dram_write;
    snprintf(dst, size, "waits for %s: %s at %.3g B/cycle",
             mostly_weights ? "weights from DRAM" : "DRAM",
             amount(t->dram_read + t->dram_write, bytes, sizeof bytes),
             s->hw->dram.bytes_per_cycle);
}

static double lost_sram(const scene *s)
{
    return waiting(s, NW_BOUND_SRAM);
}

static void say_sram(const scene *s, char *dst, size_t size)
{
    char bytes[32];
    snprintf(dst, size, "waits for SRAM: %s read at %.3g, written at %.3g B/cycle",
             amount(s->traffic->sram_read + s->traffic->sram_write, bytes, sizeof bytes),
             s->hw->sram.read_bytes_per_cycle, s->hw->sram.write_bytes_per_cycle);
}

static double lost_overhead(const scene *s)
{
    return (double)s->cost->cycles[NW_BOUND_OVERHEAD];
}

static void say_overhead(const scene *s, char *dst, size_t size)
{
    snprintf(dst, size, "fixed cost of a kernel: %lld of %lld cycles",
             (long long)s->cost->cycles[NW_BOUND_OVERHEAD], (long long)s->cost->total_cycles);
}

static double lost_out_lanes(const scene *s)
{
    return s->work ? s->compute->array * (1 - s->compute->lanes_out) : 0;
}

static int64_t output_lanes(const nw_hw *hw)
{
    return hw->array.kind == NW_ARRAY_DOT ? hw->array.pf_out : hw->array.cols;
}

static void say_out_lanes(const scene *s, char *dst, size_t size)
{
    long long lanes = output_lanes(s->hw), c = s->work->out_c, last = c % lanes;
    long long depth = s->compute->tile.c;
    if (!last && depth > 0 && c % depth)
        snprintf(dst, size, "the last of %.0f tiles of %lld output channels holds %lld: c%lld",
                 s->compute->n_depth, depth, c % depth, c);
    else if (s->work->units > 1)
        snprintf(dst, size, "%lld of %lld output lanes idle: groups of %lld channels one by one",
                 lanes - last, lanes, c);
    else if (c > lanes && last)
        snprintf(dst, size, "%lld of %lld output lanes idle in the last step: c%lld = %lld + %lld",
                 lanes - last, lanes, c, c - last, last);
    else
        snprintf(dst, size, "%lld of %lld output lanes idle: c%lld", last ? lanes - last : 0, lanes,
                 c);
}

static double lost_in_lanes(const scene *s)
{
    return s->work ? s->compute->array * (1 - s->compute->lanes_in) : 0;
}

static void say_in_lanes(const scene *s, char *dst, size_t size)
{
    const nw_work *w = s->work;
    bool dot = s->hw->array.kind == NW_ARRAY_DOT;
    long long lanes = dot ? s->hw->array.in_chunk : s->hw->array.rows, c = w->in_c;
    double filled = 100 * s->compute->lanes_in;
    if (!dot) {
        snprintf(dst, size, "%lldx%lld taps by c%lld fill %.0f %% of the %lld rows",
                 (long long)w->kernel_h, (long long)w->kernel_w, c, filled, lanes);
        return;
    }
    if (w->kind == NW_WORK_DEPTHWISE) {
        snprintf(dst, size, "%lldx%lld taps, %d at a time: %.0f %% of the lanes work",
                 (long long)w->kernel_h, (long long)w->kernel_w, s->hw->depthwise.taps_per_cycle,
                 filled);
        return;
    }
    if (s->compute->is_part_kernel) {
        int group = s->hw->array.kernel_group;
        snprintf(dst, size,
                 "%lldx%lld taps in groups of %d, c%lld in groups of %lld: %.0f %% of "
                 "the input lanes work",
                 (long long)w->kernel_h, (long long)w->kernel_w, group, c, lanes / group, filled);
        return;
    }
    long long last = c % lanes;
    if (c > lanes && last)
        snprintf(dst, size, "%lld of %lld input lanes idle in the last visit: c%lld = %lld + %lld",
                 lanes - last, lanes, c, c - last, last);
    else
        snprintf(dst, size, "%lld of %lld input lanes idle: c%lld", last ? lanes - last : 0, lanes,
                 c);
}

static double lost_diagonal(const scene *s)
{
    return s->work ? s->compute->array * (1 - s->compute->diagonal) : 0;
}

static void say_diagonal(const scene *s, char *dst, size_t size)
{
    const nw_hw *hw = s->hw;
    bool dot = hw->array.kind == NW_ARRAY_DOT;
    if (dot && hw->depthwise.kind == NW_DEPTHWISE_UNIT)
        snprintf(dst, size, "depthwise: its unit does %d of the array's %lld products a cycle",
                 hw->depthwise.channels * hw->depthwise.pixels * hw->depthwise.taps_per_cycle,
                 (long long)nw_hw_macs_per_cycle(hw));
    else {
        int lanes = dot ? hw->array.pf_in : hw->array.cols;
        double busy = lanes * s->compute->diagonal;
        snprintf(dst, size, "depthwise: %.3g of %d %s %s", busy, lanes, dot ? "rows" : "columns",
                 busy > 1 ? "work" : "works");
    }
}

static double lost_pixels(const scene *s)
{
    return s->work ? s->compute->array * (1 - s->compute->lanes_pixels) : 0;
}

static void say_pixels(const scene *s, char *dst, size_t size)
{
    const nw_work *w = s->work;
    if (s->hw->array.kind == NW_ARRAY_SYSTOLIC)
        snprintf(dst, size, "filling and draining a %dx%d array: %.0f %% of the cycles stream",
                 s->hw->array.rows, s->hw->array.cols, 100 * s->compute->lanes_pixels);
    else
        snprintf(dst, size, "a %lldx%lld map fills %.0f %% of the pixels of its %dx%d tiles",
                 (long long)w->out_h, (long long)w->out_w, 100 * s->compute->lanes_pixels,
                 (int)s->compute->tile.h, (int)s->compute->tile.w);
}

/* With the decoder in the way, steps are longer than their pixels need. */
static double lost_decoder(const scene *s)
{
    if (!s->work || !s->compute->is_decoder_bound)
        return 0;
    double peak = (double)nw_hw_macs_per_cycle(s->hw) * s->work->rate;
    double filled = s->compute->lanes_in * s->compute->lanes_out * s->compute->lanes_pixels *
                    s->compute->diagonal;
    double needed = (double)s->cost->macs / (peak * fmax(filled, 1e-9));
    return fmax(0, s->compute->array - needed);
}

static void say_decoder(const scene *s, char *dst, size_t size)
{
    const nw_work *w = s->work;
    if (w->kind == NW_WORK_VECTOR || w->out_h * w->out_w <= 1)
        snprintf(dst, size, "each weight is used %s: they decode at %.3g a cycle",
                 w->out_w <= 1 ? "once" : "a few times", s->hw->array.weight_rate);
    else
        snprintf(dst, size, "weights decode at %.3g a cycle: tiles of %dx%d pixels are too small",
                 s->hw->array.weight_rate, (int)s->compute->tile.h, (int)s->compute->tile.w);
}

static double lost_output(const scene *s)
{
    return s->work ? fmax(0, s->compute->output - s->compute->array) : 0;
}

static void say_output(const scene *s, char *dst, size_t size)
{
    snprintf(dst, size, "output stage: %.0f elements at %.3g a cycle",
             (double)s->work->out_h * (double)s->work->out_w * (double)s->work->out_c *
                 (double)s->work->units,
             s->work->out_rate);
}

static double lost_command(const scene *s)
{
    return s->work ? s->compute->command : 0;
}

static void say_command(const scene *s, char *dst, size_t size)
{
    const nw_tile *t = &s->compute->tile;
    snprintf(dst, size, "commands: tiles of %dx%dx%d do not hide the memory's latency", (int)t->h,
             (int)t->w, (int)t->c);
}

static double lost_tail(const scene *s)
{
    return s->work ? s->compute->tail : 0;
}

static void say_tail(const scene *s, char *dst, size_t size)
{
    double n = s->compute->n_spatial * s->compute->n_depth;
    if (n <= 1)
        snprintf(dst, size, "a single tile: %.0f cycles of output hide behind nothing",
                 s->compute->tail);
    else
        snprintf(dst, size, "%.0f cycles of output behind the last of %.0f tiles", s->compute->tail,
                 n);
}

static const cause causes[] = {
    {lost_dram, say_dram},         {lost_sram, say_sram},           {lost_overhead, say_overhead},
    {lost_diagonal, say_diagonal}, {lost_decoder, say_decoder},     {lost_output, say_output},
    {lost_command, say_command},   {lost_out_lanes, say_out_lanes}, {lost_in_lanes, say_in_lanes},
    {lost_pixels, say_pixels},     {lost_tail, say_tail},
};

/* Kernels without multiply-accumulates: what they wait for is all there is to say. */
static void explain_pass(const scene *s, char *dst, size_t size)
{
    switch (s->cost->bound) {
    case NW_BOUND_SRAM:
        say_sram(s, dst, size);
        return;
    case NW_BOUND_DRAM:
    case NW_BOUND_WEIGHTS:
        say_dram(s, dst, size);
        return;
    case NW_BOUND_OVERHEAD:
        say_overhead(s, dst, size);
        return;
    default:
        break;
    }
    const nw_kernel_part *part = &s->shape->parts[0];
    double n = fmax(1, (double)nw_max64(part->out_h, 1) * (double)nw_max64(part->out_w, 1) *
                           (double)nw_max64(part->out_c, 1));
    snprintf(dst, size, "%.0f elements at %.3g a cycle", n,
             n / fmax(1, (double)s->cost->cycles[NW_BOUND_COMPUTE]));
}

void nw_device_explain(const nw_hw *hw, const nw_kernel_shape *shape, const nw_work *works,
                       const nw_compute *computes, int n_works, const nw_traffic *traffic,
                       nw_device_cost *cost)
{
    int longest = n_works > 1 && computes[1].total > computes[0].total ? 1 : 0;
    scene s = {.hw = hw,
               .shape = shape,
               .work = n_works > 0 ? &works[longest] : NULL,
               .compute = n_works > 0 ? &computes[longest] : NULL,
               .traffic = traffic,
               .cost = cost};
    if (cost->macs == 0 || !s.work) {
        explain_pass(&s, cost->why, sizeof cost->why);
        return;
    }
    if (cost->utilisation >= WELL_USED) {
        snprintf(cost->why, sizeof cost->why, "array %.0f %% busy", 100 * cost->utilisation);
        return;
    }
    const cause *worst = &causes[0];
    double most = -1;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        double lost = causes[i].lost(&s);
        if (lost > most) {
            most = lost;
            worst = &causes[i];
        }
    }
    if (most > 0)
        worst->say(&s, cost->why, sizeof cost->why);
    else
        snprintf(cost->why, sizeof cost->why, "array %.0f %% busy", 100 * cost->utilisation);
}
