/* estimator.h - predicts what one network costs on one accelerator.
 *
 * A network's cost is the sum over its kernels of integers that are rounded once per kernel, plus
 * the fixed cost of an inference; a calibration, where the hardware has one, comes last, on the
 * total. Estimators keep no state: same graph and hardware, same answer, on any thread.
 */
#ifndef NW_ESTIMATOR_H
#define NW_ESTIMATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/device/device.h"
#include "src/graph/graph.h"
#include "src/hw/hw.h"
#include "src/kernel/kernel.h"

typedef struct nw_estimator {
    const char *name;   /* as typed on the command line: "device" */
    const char *source; /* where its numbers come from, for people */
    void (*estimate)(const nw_hw *hw, const nw_kernel_shape *shape, nw_device_cost *out);
} nw_estimator;

/* NULL if no estimator has that name. To add one, add its row in estimator.c. */
const nw_estimator *nw_estimator_find(const char *name);

/* One inference at batch 1. */
typedef struct nw_estimate {
    const nw_estimator *estimator;
    nw_kernels *kernels;   /* owned */
    nw_device_cost *costs; /* one a kernel, owned */
    int64_t latency_ps;    /* with calibration */
    int64_t energy_fj;
    int64_t overhead_ps; /* the part of latency_ps that belongs to no kernel */
    int64_t macs, dram_bytes, sram_bytes;
    int64_t peak_live_bytes, arena_bytes;
    int64_t host_ps;  /* the part of latency_ps spent in host runs */
    int n_unknown;    /* kernels without a cost, left out of the sums */
    bool fits;        /* false: too big for this hardware, see reason */
    char reason[160]; /* for people; empty when it fits */
} nw_estimate;

/* Splits and estimates a sealed graph; borrows graph and hw, which must outlive the result.
 * precision as in nw_kernels_split. Not fitting is an answer, not an error. Release with
 * nw_estimate_fini. */
NW_CHECKED nw_status nw_estimate_graph(const nw_estimator *estimator, const nw_graph *graph,
                                       const nw_hw *hw, const char *precision, nw_estimate *out,
                                       nw_error *err);
void nw_estimate_fini(nw_estimate *estimate);

#endif
