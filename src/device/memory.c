/* What a kernel moves, and how long the memories take.
 *
 * A map that lives in DRAM crosses its bus; weights always do, unless pinned. What no room is
 * left for is read again: either the weights for every spatial tile, or, with the channels cut
 * into slices that fit twice, the input for every slice, whichever moves less.
 */
#include "src/device/internal.h"

#include <string.h>

static double map_bytes(int64_t align, int64_t h, int64_t w, int64_t c, int bits)
{
    if (h <= 0 || w <= 0 || c <= 0)
        return 0;
    c = nw_round_up(nw_min64(c, NW_SIZE_MAX), align);
    return ceil((double)nw_min64(h, NW_SIZE_MAX) * (double)nw_min64(w, NW_SIZE_MAX) * (double)c *
                nw_max64(bits, 1) / 8);
}

double nw_map_bytes(const nw_hw *hw, int64_t h, int64_t w, int64_t c, int bits)
{
    return map_bytes(nw_max64(hw->sram.align_channels, 1), h, w, c, bits);
}

/* Bytes as bursts carry them, runs of run_bytes each rounded up. */
static double in_bursts(double n_bytes, double run_bytes, int64_t burst)
{
    if (burst <= 1 || n_bytes <= 0)
        return n_bytes;
    run_bytes = fmax(1, fmin(run_bytes, n_bytes));
    return ceil(n_bytes / run_bytes) * ceil(run_bytes / (double)burst) * (double)burst;
}

static double over(double n_bytes, double bytes_per_cycle)
{
    return n_bytes / (bytes_per_cycle > 0 ? bytes_per_cycle : 1e-9);
}

/* Contiguous bytes of a tile's part of a map: rows join where the tile has the whole width,
 * pixels where it has all channels (or whole bricks). */
static double run_of(const nw_hw *hw, const nw_work *work, nw_tile tile, bool is_output)
{
    int64_t channels = is_output ? work->out_c : work->in_c;
    int64_t width = is_output ? work->out_w : work->in_w;
    int64_t cut = tile.w > 0 ? tile.w : width;
    if (!is_output && tile.w > 0)
        cut = nw_tile_input(tile.w, work->stride_w, work->extent_w);
    bool all_channels = !is_output || tile.c <= 0 || tile.c >= channels;
    bool whole_rows = cut >= width;
    double pixel = (double)(all_channels ? channels : tile.c) * work->element_bytes;
    if (!all_channels && hw->sram.align_channels <= 1)
        return pixel;
    if (!all_channels) /* bricks of a row lie side by side */
        return hw->sram.align_channels * work->element_bytes * (double)nw_min64(cut, width);
    double rows = whole_rows ? (double)(tile.h > 0 ? tile.h : work->out_h) : 1;
    return pixel * (double)nw_min64(cut, width) * rows;
}

typedef struct maps {
    double in, residual, out; /* bytes of the maps across the kernel's border */
    double operand;           /* matmul's second */
    double in_dram, out_dram; /* of them, over the DRAM bus, one pass */
    double beside;            /* of them, in the SRAM */
} maps;

static maps measure_maps(const nw_hw *hw, const nw_kernel_shape *shape)
{
    const nw_kernel_part *first = &shape->parts[0];
    const nw_kernel_part *last = &shape->parts[shape->n_parts > 1 ? 1 : 0];
    bool is_simple = first->kind == NW_KERNEL_ADD || first->kind == NW_KERNEL_MUL ||
                     first->kind == NW_KERNEL_ELEMENTWISE || first->kind == NW_KERNEL_COPY;
    maps m = {.in = nw_map_bytes(hw, first->in_h, first->in_w, first->in_c, shape->bits),
              .out = nw_map_bytes(hw, last->out_h, last->out_w, last->out_c, shape->bits)};
    if (shape->is_first)
        m.in = map_bytes(1, first->in_h, first->in_w, first->in_c, shape->bits);
    if (first->kind == NW_KERNEL_MATMUL)
        m.operand = nw_map_bytes(hw, first->in_h, first->in_c, first->out_c, shape->bits);
    if (shape->residual)
        m.residual = m.out;
    /* a copy's maps together are its output: joined on the way in or cut on the way out */
    if (is_simple && first->kind != NW_KERNEL_COPY && shape->n_maps > 1)
        m.residual = m.in * (shape->n_maps - 1);
    if (first->kind == NW_KERNEL_COPY && shape->n_maps > 1)
        m.in = m.out;
    m.residual += m.operand;
    m.in_dram = (shape->in_place == NW_PLACE_DRAM ? m.in : 0) +
                (shape->residual_place == NW_PLACE_DRAM ? m.residual : 0);
    m.out_dram = shape->out_place == NW_PLACE_DRAM ? m.out : 0;
    m.beside = m.in + m.residual + m.out - m.in_dram - m.out_dram;
    return m;
}

/* Passes of the weights over the DRAM bus, and of the input for them. */
static void find_passes(const nw_hw *hw, const nw_work *work, const nw_compute *compute,
                        const maps *m, double weight_bytes, double *weight_passes,
                        double *input_passes)
{
    *weight_passes = weight_bytes > 0 ? 1 : 0;
    *input_passes = 1;
    if (weight_bytes <= 0 ||
        (hw->weights.pinned && weight_bytes <= (double)hw->weights.pinned_bytes)) {
        *weight_passes = 0;
        return;
    }
    double room = hw->sram.weight_sram_bytes > 0 ? (double)hw->sram.weight_sram_bytes
                                                 : (double)hw->sram.bytes - m->beside;
    if (weight_bytes <= room || compute->n_spatial <= 1)
        return;
    double streamed = weight_bytes * compute->n_spatial + m->in_dram;
    double lanes = hw->array.kind == NW_ARRAY_DOT ? hw->array.pf_out : hw->array.cols;
    double most = ceil((double)work->out_c / lanes) * (double)work->units;
    double slices = room > 0 ? ceil(2 * weight_bytes / room) : INFINITY;
    if (slices <= most && weight_bytes + m->in_dram * slices <= streamed)
        *input_passes = slices;
    else
        *weight_passes = compute->n_spatial;
}

static double dma_cycles(const nw_hw *hw, double read, double written)
{
    double cycles = over(read + written, hw->dram.bytes_per_cycle);
    if (read > 0)
        cycles += (double)hw->dram.read_latency_cycles;
    if (written > 0)
        cycles += (double)hw->dram.write_latency_cycles;
    return cycles;
}

static void find_dram(const nw_hw *hw, const nw_kernel_shape *shape, const nw_work *works,
                      const nw_compute *computes, int n_works, const maps *m, nw_traffic *t)
{
    double weight_passes = 0, input_passes = 1, in_run = m->in, out_run = m->out;
    if (n_works > 0) {
        find_passes(hw, &works[0], &computes[0], m, t->weight_bytes, &weight_passes, &input_passes);
        in_run = run_of(hw, &works[0], computes[0].tile, false);
        out_run = run_of(hw, &works[n_works - 1], computes[n_works - 1].tile, true);
    } else if (t->weight_bytes > 0) {
        weight_passes = 1;
    }
    double in = shape->in_place == NW_PLACE_DRAM ? m->in * input_passes : 0;
    double residual = shape->residual_place == NW_PLACE_DRAM ? m->residual : 0;
    double weights = t->weight_bytes * weight_passes;
    int64_t burst = hw->dram.burst_bytes;
    double read = in_bursts(in, in_run, burst) + in_bursts(residual, out_run, burst);
    double weights_read = in_bursts(weights, t->weight_bytes, burst);
    double written = in_bursts(m->out_dram, out_run, burst);
    t->weight_passes = weight_passes;
    t->dram_read = in + residual + weights;
    t->dram_write = m->out_dram;
    t->weight_cycles = dma_cycles(hw, weights_read, 0);
    t->dram_cycles = dma_cycles(hw, read + weights_read, written);
}

/* Input bytes that the tiles read, re-reads and padded channels included; *wasted: what short
 * runs leave unused of the port's bursts. */
static double tiled_input(const nw_hw *hw, const nw_work *work, const nw_compute *compute,
                          double *wasted)
{
    double plain = (double)work->in_c * (double)work->units, padded = plain;
    if (!work->is_first) /* a network's input lies channel by channel, without padding */
        padded =
            (double)nw_round_up((int64_t)fmin(plain, 0x1p40), nw_max64(hw->sram.align_channels, 1));
    double in = compute->in_fetch * work->element_bytes * (padded / plain);
    double burst = (double)hw->sram.burst_bytes;
    *wasted = 0;
    if (compute->tile.w > 0 && burst > 1 && !work->in_dram) {
        int64_t depth = nw_tile_input_depth(hw, work, compute->tile.c);
        double run = nw_run_bytes(hw, work, true, compute->tile.w, depth);
        *wasted = in * (burst / fmin(burst, fmax(run, 1)) - 1);
    }
    return in;
}

static void find_sram(const nw_hw *hw, const nw_kernel_shape *shape, const nw_work *works,
                      const nw_compute *computes, int n_works, const maps *m, nw_traffic *t)
{
    const bool direct = nw_has_buffer(hw); /* maps in DRAM never touch the SRAM */
    double in = m->in, wasted = 0;
    if (n_works > 0)
        in = tiled_input(hw, &works[0], &computes[0], &wasted);
    bool in_dram = shape->in_place == NW_PLACE_DRAM, out_dram = shape->out_place == NW_PLACE_DRAM;
    bool residual_dram = shape->residual_place == NW_PLACE_DRAM;
    if (!(direct && in_dram))
        t->sram_read += in;
    if (!(direct && residual_dram))
        t->sram_read += m->residual;
    if (!(direct && out_dram))
        t->sram_write += m->out;
    if (!direct) { /* staged: what DRAM sends or takes passes through */
        t->sram_write += m->in_dram;
        t->sram_read += m->out_dram;
    }
    double read = t->sram_read, written = t->sram_write;
    /* Weights that are used once, or stream for every tile, go past the SRAM; others are kept in it
     * and read for each tile. */
    bool is_kept =
        n_works > 0 && t->weight_passes <= 1 && (t->weight_passes < 1 || computes[0].n_spatial > 1);
    if (is_kept) {
        t->sram_read += t->weight_bytes * fmax(computes[0].n_spatial, 1);
        t->sram_write += t->weight_bytes * t->weight_passes;
        if (hw->sram.shared_port && hw->sram.weight_sram_bytes == 0) {
            read = t->sram_read;
            written = t->sram_write;
        }
    }
    t->sram_cycles = over(read + wasted, hw->sram.read_bytes_per_cycle) +
                     over(written, hw->sram.write_bytes_per_cycle);
    if (read + written > 0)
        t->sram_cycles += (double)hw->sram.latency_cycles;
}

void nw_traffic_find(const nw_hw *hw, const nw_kernel_shape *shape, const nw_work *works,
                     const nw_compute *computes, int n_works, nw_traffic *out)
{
    memset(out, 0, sizeof *out);
    const maps m = measure_maps(hw, shape);
    if (n_works > 0)
        out->weight_bytes = works[0].weight_bytes;
    else
        out->weight_bytes =
            ceil((double)nw_max64(shape->weight_elements, 0) * shape->weight_bits / 8);
    find_dram(hw, shape, works, computes, n_works, &m, out);
    find_sram(hw, shape, works, computes, n_works, &m, out);
}
