/* block.c - what belongs to a block of the kernels' costs, and what alignment a hardware wants. */
#include <string.h>

#include "src/advise/internal.h"

static int index_of(const nw_arch *arch, const nw_block *blocks, int n_blocks, nw_node_id node)
{
    const nw_block *block = node >= 0 ? nw_arch_block_of(arch, node) : NULL;
    return block ? (int)(block - blocks) : n_blocks;
}

static void add_kernel(const nw_hw *hw, const nw_estimate *e, int index, nw_block_cost *sum)
{
    const nw_kernel *kernel = &e->kernels->kernels[index];
    const nw_device_cost *cost = &e->costs[index];
    nw_kernel_kind kind = kernel->shape.parts[0].kind;
    if (kind == NW_KERNEL_VIEW)
        return;
    sum->n_kernels++;
    sum->n_unknown += !cost->is_known;
    sum->n_outside += e->latencies[index].is_outside;
    sum->n_spills += kernel->live_bytes > hw->sram.bytes;
    if (kernel->live_bytes > sum->live_bytes)
        sum->live_bytes = kernel->live_bytes;
    if (sum->slowest < 0 || cost->latency_ps > e->costs[sum->slowest].latency_ps)
        sum->slowest = index;
    sum->latency_ps += cost->latency_ps;
    sum->energy_fj += cost->energy_fj;
    sum->macs += cost->macs;
    sum->dram_bytes += cost->dram_bytes;
    sum->sram_bytes += cost->sram_bytes;
    sum->weight_bytes += cost->weight_bytes;
    sum->utilisation += cost->utilisation * (double)cost->latency_ps;
    if (kind == NW_KERNEL_HOST)
        sum->host_ps += cost->latency_ps;
}

int nw_dearest_first(const void *a, const void *b)
{
    const nw_ranked *x = a, *y = b;
    if (x->cost_ps != y->cost_ps)
        return x->cost_ps < y->cost_ps ? 1 : -1;
    return x->index - y->index;
}

void nw_block_costs(const nw_arch *arch, const nw_hw *hw, const nw_estimate *estimate,
                    nw_block_cost *out)
{
    int n_blocks;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    memset(out, 0, ((size_t)n_blocks + 1) * sizeof *out);
    for (int i = 0; i <= n_blocks; i++)
        out[i].slowest = -1;
    for (int i = 0; i < estimate->kernels->n_kernels; i++) {
        nw_node_id main = estimate->kernels->kernels[i].main;
        add_kernel(hw, estimate, i, &out[index_of(arch, blocks, n_blocks, main)]);
    }
    for (int i = 0; i <= n_blocks; i++)
        if (out[i].latency_ps > 0)
            out[i].utilisation /= (double)out[i].latency_ps;
    out[n_blocks].latency_ps += estimate->overhead_ps;
}

static int64_t output_lanes(const nw_hw *hw)
{
    int64_t lanes = hw->array.kind == NW_ARRAY_DOT ? hw->array.pf_out : hw->array.cols;
    return lanes > 0 ? lanes : 1;
}

int64_t nw_align_step(const nw_hw *hw)
{
    int64_t lanes = output_lanes(hw);
    int64_t bricks = hw->sram.align_channels > 0 ? hw->sram.align_channels : 1;
    int64_t a = lanes, b = bricks;
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return lanes / a * bricks;
}

int64_t nw_align_idle(const nw_hw *hw, int64_t c)
{
    int64_t lanes = output_lanes(hw), last = c % lanes;
    return last ? lanes - last : 0;
}
