/* curate.h - which options of a space are worth having on one hardware, and why.
 *
 * Read off the estimator, not off a list of multiples. For a dimension of channels: over a seeded
 * sample of contexts (settings of all other dimensions), the latency of all kernels that depend on
 * it, as a function of c. Option c is dropped where a larger option costs no more, within a
 * tolerance, in nearly all contexts: it would be given away. What is left is thinned so that
 * neighbours differ by a ratio. Variants are judged per block and per context of channels; kernels
 * and expansions likewise.
 */
#ifndef NW_CURATE_H
#define NW_CURATE_H

#include "src/plan/plan.h"

typedef struct nw_curate_options {
    uint64_t seed;
    int n_contexts;    /* 0: 32 */
    double tolerance;  /* relative, of the latency of the kernels concerned; negative: 0.01 */
    double nearly_all; /* share of contexts; 0: 0.9 */
    double ratio;      /* least ratio of neighbouring numbers; 0: 1.15 */
    const nw_cancel *cancel;
} nw_curate_options;

typedef enum nw_verdict {
    NW_VERDICT_KEPT,
    NW_VERDICT_DOMINATED, /* a larger one costs no more nearly everywhere */
    NW_VERDICT_THINNED,   /* too close to a neighbour that is kept */
    NW_VERDICT_SLOWER,    /* a variant that is slower, for no more score, nearly everywhere */
    NW_VERDICT_REMOVED,   /* by the expert */
    NW_VERDICT_PINNED,    /* kept by the expert */
    NW_VERDICT_COUNT
} nw_verdict;
const char *nw_verdict_name(nw_verdict verdict);

/* Of one option of one dimension. */
typedef struct nw_option_verdict {
    nw_verdict verdict;
    int by;            /* the option that makes it superfluous; -1: none */
    double share;      /* of contexts in which that holds */
    double latency_us; /* mean over contexts of the whole network */
    double step_us;    /* mean difference to the option before it */
    char why[160];     /* one line with numbers */
} nw_option_verdict;

typedef struct nw_curation nw_curation;

/* Restricts every dimension of the plan's space. The plan is filled on the way. */
NW_CHECKED nw_status nw_curate(nw_plan *plan, const nw_curate_options *options, nw_curation **out,
                               nw_error *err);
void nw_curation_free(nw_curation *curation); /* NULL is fine */

/* One an option of the dimension. */
const nw_option_verdict *nw_curation_verdicts(const nw_curation *curation, int dim);
/* The expert's hand: keeps or removes one option whatever the figures say. NW_INVALID: it would
 * leave none. */
NW_CHECKED nw_status nw_curation_pin(nw_curation *curation, int dim, int option, nw_error *err);
NW_CHECKED nw_status nw_curation_remove(nw_curation *curation, int dim, int option, nw_error *err);
/* The step that the kept numbers of a channels dimension follow above their first: the greatest
 * common divisor of all; 1: none. */
int64_t nw_curation_step(const nw_curation *curation, int dim);
/* The restricted space; release it. */
NW_CHECKED nw_status nw_curation_space(const nw_curation *curation, const nw_space **out,
                                       nw_error *err);

#endif
