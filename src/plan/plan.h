/* plan.h - what the networks of a space cost: tables, sums, and the full path they must equal.
 *
 * The full path makes the network of a genome, splits it into kernels, estimates each, and adds up
 * integers. A plan cuts the network into cells and keeps, per cell, a table over the genes that its
 * kernels and live memory depend on. A cell is a block of the base, known by the map that it makes,
 * or several blocks that depend on the same genes. What a cell depends on is observed: networks are
 * looked at in which genes differ one at a time and all but a few, and everything that a cost
 * depends on is compared. Entries are filled on demand from the network of the genome at hand.
 *
 * Three things are not a cell's alone. Which crossing maps spill: every entry says which of them it
 * makes spill, and has its sums per set of those that do. Live bytes of maps that wait for somebody
 * behind the cell: who makes such a map says how large it is. Which layout of the memory is taken
 * (nw_memory): entries know their live bytes in both.
 *
 * Every filling compares the entries that are there, a hash of all that their costs depend on, with
 * the network at hand, and every 64th estimates all of it; a plan that is caught takes the full
 * path from then on and says so. It cannot see that a combination makes no network where all of its
 * cells have been part of some that did, unless such combinations turn up while it is made.
 *
 * Sums are integers, so any order of additions, incremental or not, on any number of threads, gives
 * the full path's numbers to the last bit.
 */
#ifndef NW_PLAN_H
#define NW_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/pool.h"
#include "src/estimator/estimator.h"
#include "src/hw/hw.h"
#include "src/score/score.h"
#include "src/space/space.h"

/* One network on one hardware. */
typedef struct nw_totals {
    int64_t latency_ps; /* with overhead and calibration */
    int64_t energy_fj;
    int64_t weight_bytes; /* as nw_counts has them */
    int64_t peak_live_bytes;
    nw_score_parts parts; /* macs and params among them */
    int32_t n_unknown;    /* kernels without a cost, left out of the sums */
    int32_t fits;         /* 0: too big for this hardware */
} nw_totals;

/* The full path. precision as in nw_kernels_split. */
NW_CHECKED nw_status nw_totals_of(const nw_arch *arch, const nw_hw *hw,
                                  const nw_estimator *estimator, const char *precision,
                                  nw_totals *out, nw_error *err);

/* latency over the base's x exp(-weight x (score - the base's)): 1 at the base. At weight 0 it is
 * latency alone. */
typedef struct nw_objective {
    double weight;        /* per unit of the default score */
    double fusion_credit; /* of the score, 0 by default */
    int64_t base_latency_ps;
    double base_score;
} nw_objective;

/* Where the built-in detector's objective has its valley inside a slice (channels of stages 3 and
 * 4, 8 to 256 in single steps) on ne32 (best at 16, 192), ne64 (10, 192) and ne16 (16, 48) alike,
 * by the device and the regression: at 0.20 ne16 has its best on the lower edge, at 0.24 ne64 on
 * the upper. */
#define NW_OBJECTIVE_WEIGHT 0.22

/* In the unit of the metric's name. objective may be NULL for the others. */
double nw_totals_metric(const nw_totals *totals, nw_metric metric, const nw_objective *objective);

typedef struct nw_plan nw_plan;

/* Retains space, hw is borrowed and must outlive it, estimator is retained. Finds what each cell
 * depends on (some thousand runs of the full path at most); progress and cancel may be NULL.
 * NW_CANCELLED; NW_INVALID: the base cannot be estimated. */
NW_CHECKED nw_status nw_plan_new(const nw_space *space, const nw_hw *hw,
                                 const nw_estimator *estimator, const char *precision,
                                 const nw_cancel *cancel, nw_plan **out, nw_error *err);
void nw_plan_free(nw_plan *plan); /* NULL is fine */

const nw_space *nw_plan_space(const nw_plan *plan);
const nw_hw *nw_plan_hw(const nw_plan *plan);
const nw_estimator *nw_plan_estimator(const nw_plan *plan);
const char *nw_plan_precision(const nw_plan *plan);
/* The objective relative to the base genome. */
nw_objective nw_plan_objective(const nw_plan *plan);
const nw_totals *nw_plan_base(const nw_plan *plan); /* of the base genome */

/* Thread-safe; fills what is missing. NW_INVALID: the combination makes no network. */
NW_CHECKED nw_status nw_plan_evaluate(nw_plan *plan, const uint16_t *genome, nw_totals *out,
                                      nw_error *err);
/* n genomes of nw_space_n_dims genes each, one after the other. is_bad (may be NULL): a byte each,
 * set where the combination makes no network (its totals are zeroes). Returns how many were good.
 * Stops early when cancelled: those after are marked bad. */
int64_t nw_plan_evaluate_many(nw_plan *plan, const uint16_t *genomes, int64_t n, nw_totals *out,
                              uint8_t *is_bad, const nw_cancel *cancel);
/* The same for n genomes drawn at random, distributed as nw_space_random's, into genomes. */
int64_t nw_plan_sample(nw_plan *plan, nw_rng *rng, int64_t n, uint16_t *genomes, nw_totals *out,
                       uint8_t *is_bad, const nw_cancel *cancel);
/* The limits of the space: whether the totals keep all of them; which (may be NULL): the first that
 * is broken. */
bool nw_plan_within_limits(const nw_plan *plan, const nw_totals *totals, int *which);

/* Fills every entry of the tables that has fewer than max_entries of them. */
NW_CHECKED nw_status nw_plan_warm(nw_plan *plan, int64_t max_entries, const nw_cancel *cancel,
                                  nw_error *err);

/* A genome that moves one gene at a time; of one thread. */
typedef struct nw_walker nw_walker;
NW_CHECKED nw_status nw_walker_new(nw_plan *plan, const uint16_t *genome, nw_walker **out,
                                   nw_error *err);
void nw_walker_free(nw_walker *walker);
/* NW_INVALID: it makes no network; the walker stays where it was. */
NW_CHECKED nw_status nw_walker_set(nw_walker *walker, int dim, int option, nw_error *err);
const uint16_t *nw_walker_genome(const nw_walker *walker);
const nw_totals *nw_walker_totals(nw_walker *walker);

/* What a plan is made of, for people and for proofs. */
typedef struct nw_cell {
    const char *name; /* of the block: "2.1" */
    const int *dims;  /* what it depends on */
    int n_dims;
    double n_entries; /* product of their options */
    int64_t n_filled;
    int n_maps; /* maps crossing into other cells whose placement it depends on */
} nw_cell;
/* As they are now; the list changes with the next call, so it is of one thread. */
const nw_cell *nw_plan_cells(const nw_plan *plan, int *n);

typedef struct nw_plan_stats {
    int64_t n_full;     /* runs of the full path so far */
    int64_t n_bytes;    /* of tables */
    bool is_exact;      /* false: an entry was caught, everything takes the full path */
    const char *caught; /* what and where; "" */
} nw_plan_stats;
nw_plan_stats nw_plan_get_stats(const nw_plan *plan);

#endif
