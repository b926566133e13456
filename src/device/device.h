/* device.h - the simulated accelerator: what one kernel costs.
 *
 * Deterministic, closed form per tile, integers; the formulas and their sources are in device.c.
 * The same kernel on the same hardware costs the same to the bit, on any thread.
 */
#ifndef NW_DEVICE_H
#define NW_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/hw/hw.h"
#include "src/kernel/kernel.h"

typedef enum nw_bound {
    NW_BOUND_COMPUTE, /* array and output stage */
    NW_BOUND_SRAM,
    NW_BOUND_DRAM,
    NW_BOUND_WEIGHTS, /* their decoder or their transfer */
    NW_BOUND_OVERHEAD,
    NW_BOUND_HOST,
    NW_BOUND_COUNT
} nw_bound;

const char *nw_bound_name(nw_bound bound);

typedef struct nw_tile {
    int32_t h, w, c; /* of the output; 0: not tiled */
} nw_tile;

typedef struct nw_device_cost {
    int64_t latency_ps, energy_fj;
    int64_t cycles[NW_BOUND_COUNT];      /* each cause alone; they overlap, so they do not add up */
    int64_t array_cycles, output_cycles; /* the two parts of compute, each alone */
    int64_t total_cycles;
    nw_bound bound;     /* the largest of cycles */
    double utilisation; /* MACs / (peak MACs a cycle x total cycles), the peak that of these types
                         * and this sparsity; 0 without MACs */
    int64_t macs;
    int64_t sram_bytes, dram_bytes; /* moved, both ways */
    int64_t weight_bytes;           /* as stored on this hardware */
    nw_tile tile;
    bool is_known; /* false: an opaque kernel, everything else is 0 */
    char why[160]; /* why it is slow, in words with numbers */
} nw_device_cost;

/* Costs one kernel. Cannot fail: what has no rule is not is_known. */
void nw_device_estimate(const nw_hw *hw, const nw_kernel_shape *shape, nw_device_cost *out);

/* The same with the output tile given (Vela's own, in tests), and a tile's cost by itself. */
void nw_device_estimate_tiled(const nw_hw *hw, const nw_kernel_shape *shape, nw_tile tile,
                              nw_device_cost *out);

#endif
