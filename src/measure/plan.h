/* plan.h - which kernels to measure, so that a regression trained on them predicts any network.
 *
 * Random networks of the families that real ones come from are split into kernels for the given
 * hardware, so that sizes, joins, placement, host runs and types come together as they do in real
 * life. A network is a function of (hardware, seed, index) alone: a longer plan begins with the
 * shorter one.
 */
#ifndef NW_MEASURE_PLAN_H
#define NW_MEASURE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/rng.h"
#include "src/graph/graph.h"
#include "src/hw/hw.h"
#include "src/kernel/kernel.h"

typedef struct nw_sampling_options {
    uint64_t seed;
    int n_networks;        /* 0: NW_PLAN_NETWORKS */
    const char *precision; /* as in nw_kernels_split; NULL: drawn for each network among what this
                            * hardware runs, mostly the file's own */
} nw_sampling_options;

#define NW_PLAN_NETWORKS 400

/* One kernel of one network. */
typedef struct nw_sampling_row {
    nw_kernel_shape shape;
    int32_t network; /* index in networks */
    int32_t first;   /* the first row of this very shape: itself where the shape is new */
} nw_sampling_row;

typedef struct nw_sampling_source {
    char name[32]; /* "ibn-0012": family and index */
    int index;     /* for nw_sampling_network */
    /* given to nw_kernels_split: static, or borrowed from options; or NULL */
    const char *precision;
    int first_row, n_rows;
} nw_sampling_source;

/* All kernels of all networks, in order, but for views (which cost nothing). */
typedef struct nw_sampling {
    nw_sampling_row *rows;
    int n_rows, n_distinct; /* distinct shapes */
    nw_sampling_source *networks;
    int n_networks;
    int n_refused; /* networks that this hardware does not run at all, left out */
} nw_sampling;

/* options may be NULL. NW_INVALID, NW_UNSUPPORTED: of the precision, when no network remains. */
NW_CHECKED nw_status nw_sampling_make(const nw_hw *hw, const nw_sampling_options *options,
                                      nw_sampling **out, nw_error *err);
void nw_sampling_free(nw_sampling *plan);

/* The network of an index, 0 or more, sealed, without weight values; the caller frees it.
 * precision (may be NULL): what to split it with when the options name none. */
nw_graph *nw_sampling_network(const nw_hw *hw, uint64_t seed, int index, const char **precision);

/* A neighbour of a shape for refinement: one or two of its sizes, its window, its stride, its
 * activation, its residual or its placement differ, and everything that follows from them (output
 * sizes, weights, bias, groups, the joined part) follows. Channels move by a few lanes of the
 * array or by a ratio. What the hardware would not run as such a kernel is not made. False: out
 * is the shape itself (views, opaque operators, or nothing to vary). */
bool nw_sampling_vary(const nw_kernel_shape *shape, const nw_hw *hw, nw_rng *rng,
                      nw_kernel_shape *out);

#endif
