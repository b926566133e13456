/* estimator.h - predicts what one network costs on one accelerator.
 *
 * A network's cost is the sum over its kernels of integers that are rounded once per kernel, plus
 * the fixed cost of an inference; a calibration, where there is one, comes last, on the total.
 * Two estimators: `device` asks the simulated device for every kernel; `regression` predicts each
 * kernel's latency with models trained on measurements (fit.h) and takes everything else (energy,
 * bytes, bounds, tiles) from the description. The answer depends on graph, hardware and estimator
 * alone, on any thread.
 */
#ifndef NW_ESTIMATOR_H
#define NW_ESTIMATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/device/device.h"
#include "src/estimator/fit.h"
#include "src/graph/graph.h"
#include "src/hw/hw.h"
#include "src/kernel/kernel.h"

/* Counted and shared; what it remembers of kernels changes no answer. */
typedef struct nw_estimator {
    const char *name;          /* as typed on the command line: "device", "regression" */
    const char *source;        /* where its numbers come from, for people */
    const char *path;          /* of the model file; "" for the device */
    nw_regression *regression; /* NULL for the device */
    struct nw_memo *memo;      /* distinct kernels seen so far; private */
} nw_estimator;

/* The simulated device; needs no release, and remembers nothing: nw_estimator_open makes one that
 * does.
 */
const nw_estimator *nw_estimator_device(void);

/* name: "device", "regression" (the model of this hardware, found beside the descriptions:
 * .../estimators/NAME.json for a folder .../hw of search_path), a model file (has a slash or ends
 * in .json), or NULL: the regression if there is one for exactly these figures, else the device;
 * note (size bytes, may be NULL) says why a model that is there was not taken. NW_INVALID: no such
 * estimator, a model of another hardware, one that does not predict kernels in a unit of time.
 * Release with nw_estimator_release.
 */
NW_CHECKED nw_status nw_estimator_open(const char *name, const nw_hw *hw, const char *search_path,
                                       const nw_estimator **out, char *note, size_t size,
                                       nw_error *err);
/* Adds the path of the model file that a choice means; nothing: none is there, or it has none. */
void nw_estimator_find_file(const char *name, const nw_hw *hw, const char *search_path,
                            nw_buf *out);

/* A fitted model at hand as an estimator for hw; path: of its file, "" for none. Errors as above.
 */
NW_CHECKED nw_status nw_estimator_of(const nw_regression *regression, const char *path,
                                     const nw_hw *hw, const nw_estimator **out, nw_error *err);
const nw_estimator *nw_estimator_retain(const nw_estimator *estimator);
/* The same estimator, for whoever asks for many networks on one hardware: what kernels cost is
 * remembered as the regression does anyway. It has the same name and source, and the same answers.
 * Release it. */
const nw_estimator *nw_estimator_remembering(const nw_estimator *estimator);
/* Whether both give the same answers: the device, opened as often as it may be, or one model. */
bool nw_estimator_is_same(const nw_estimator *a, const nw_estimator *b);
void nw_estimator_release(const nw_estimator *estimator); /* NULL and the device are fine */

/* What an estimator says of one kernel. */
typedef struct nw_kernel_latency {
    int64_t latency_ps;
    float spread;    /* relative error to expect (root mean square of ln); 0: none is known */
    bool is_known;   /* false: no rule, or no model of this type; latency 0 */
    bool is_outside; /* extrapolated: outside the range of training */
} nw_kernel_latency;

/* The latency of kernels alone, n shapes; distinct ones are computed once and remembered. */
void nw_estimator_latencies(const nw_estimator *estimator, const nw_hw *hw,
                            const nw_kernel_shape *const *shapes, int n, nw_kernel_latency *out);

/* What n kernels cost: what nw_estimate has of each. */
void nw_estimator_cost(const nw_estimator *estimator, const nw_hw *hw,
                       const nw_kernel_shape *const *shapes, int n, nw_device_cost *costs,
                       nw_kernel_latency *latencies);

/* Forgets the kernels it has seen; for the bench. */
void nw_estimator_forget(const nw_estimator *estimator);

/* One inference at batch 1. */
typedef struct nw_estimate {
    const nw_estimator *estimator; /* retained */
    nw_kernels *kernels;           /* owned */
    nw_device_cost *costs;         /* one a kernel, owned; latency_ps is the estimator's */
    nw_kernel_latency *latencies;  /* one a kernel, owned */
    int64_t latency_ps;            /* with calibration */
    int64_t energy_fj;
    int64_t overhead_ps; /* the part of latency_ps that belongs to no kernel */
    int64_t macs, dram_bytes, sram_bytes;
    int64_t peak_live_bytes, arena_bytes;
    int64_t host_ps; /* the part of latency_ps spent in host runs */
    bool has_band;   /* a 90 % band of latency_ps is known: low_ps to high_ps */
    int64_t low_ps, high_ps;
    int n_outside;    /* kernels that are extrapolated */
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

/* The last step, which needs the sums over the kernels alone: puts the fixed cost of an inference
 * and the calibration on *latency_ps, the static energy of what that adds on *energy_fj. Returns
 * what it added to the latency, nw_estimate's overhead_ps. */
int64_t nw_estimate_total(const nw_estimator *estimator, const nw_hw *hw, int64_t *latency_ps,
                          int64_t *energy_fj);

/* b - a in latency, with a 90 % band of its own: kernels that both have cancel. Both by the same
 * estimator. has_band false: the difference alone. */
typedef struct nw_difference {
    int64_t latency_ps, low_ps, high_ps;
    bool has_band;
} nw_difference;
nw_difference nw_estimate_difference(const nw_estimate *a, const nw_estimate *b);

#endif
