/* referee_silicon.h - latencies measured on a DPU (ZCU102) against the device on dpu-b4096.
 *
 * data/accel_nasbench: 3,925 MBConv networks, measured by others (Accel-NASBench, Apache-2.0).
 */
#ifndef NW_TESTS_REFEREE_SILICON_H
#define NW_TESTS_REFEREE_SILICON_H

#include "src/hw/hw.h"
#include "tests/support.h"
#include "tests/support_net.h"

typedef struct silicon_score {
    int n;
    double spearman, mape;    /* ours, raw */
    double mape_affine;       /* ours after an affine fit on the rows themselves */
    double macs_spearman;     /* the trivial answer */
    double streamed_spearman; /* max(compute, bytes / 16) a kernel, every map through DRAM */
} silicon_score;

/* The network of a row, int8. */
nw_graph *silicon_network(const csv *table, int row);

/* with_se: all rows, else those without squeeze-and-excite. False: no data. */
bool silicon_score_rows(const nw_hw *hw, bool with_se, silicon_score *out);

/* The same networks after a calibration that is learned on a random tenth of them: non-negative
 * factors for the device's array cycles by kind of kernel (convolutions, depthwise, additions), for
 * the elements of host runs, and a time an inference (relative least squares). Means over splits.
 */
typedef struct silicon_calibrated {
    int n_train, n_test, n_splits;
    double mape, worst_mape, spearman;
    double affine_mape; /* the two numbers of an affine step instead */
    double macs_mape;   /* MACs after an affine step */
} silicon_calibrated;
bool silicon_score_calibrated(const nw_hw *hw, bool with_se, silicon_calibrated *out);

#endif
