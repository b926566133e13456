/* curate.h - which options of a space are worth having on one hardware, and why.
 *
 * Read off the estimator, not off a list of multiples: over a seeded sample of contexts (settings
 * of all other dimensions), what each option of a dimension costs. Costs are relative to the
 * latency of the kernels concerned: those that differ between the dimension's ends.
 *
 * 1. An option is dropped where another costs no more, within the tolerance, in nearly all contexts
 *    and has the higher score: it would be given away. At equal scores (variants: the default score
 *    is of the unfused twin) it is dropped where another is faster by more than the tolerance; the
 *    contexts of choices include the ends of the space, and none of them may lose much. The
 *    score does not see element types: there more bits count as the higher score, and only where
 *    they take no more memory.
 * 2. Of numbers (channels, widths, expansions; more than 8 options) an option is dropped where it
 *    lies above the line between two others at most a factor 2 apart, in ln latency over ln number,
 *    by more than the tolerance in most contexts. What is left lies on local lower hulls. Above
 *    them nothing is gained: two dimensions mixed from the ends of a line are faster at the same
 *    score, and below them no line of options has a local minimum of latency x number^-w in its
 *    middle, whatever w is.
 * 3. Numbers closer than a ratio are thinned: those stay behind which the larger step comes. Where
 *    the next one that is kept is cheaper in some contexts, only it stays.
 *
 * Variants and the like are judged first, and contexts for numbers hold only what they left.
 * A third of the contexts stays near the base; numbers are drawn evenly per octave.
 */
#ifndef NW_CURATE_H
#define NW_CURATE_H

#include "src/plan/plan.h"

typedef struct nw_curate_options {
    uint64_t seed;
    int n_contexts;    /* 0: 32; at most 1024; fewer are asked where a space has many options */
    double tolerance;  /* relative, of the latency of the kernels concerned; negative: 0.01 */
    double nearly_all; /* share of contexts; 0: 0.9 */
    double ratio; /* least ratio of neighbouring numbers; 0: 1.14, so that 7 and 8 steps stay */
    const nw_cancel *cancel;
} nw_curate_options;

typedef enum nw_verdict {
    NW_VERDICT_KEPT,
    NW_VERDICT_DOMINATED, /* one of higher score costs no more nearly everywhere */
    NW_VERDICT_SLOWER,    /* another is faster nearly everywhere, at the same score */
    NW_VERDICT_UNEVEN,    /* above the line between two others */
    NW_VERDICT_THINNED,   /* too close to a neighbour that is kept */
    NW_VERDICT_UNFIT,     /* too big for this hardware, or no network, nearly everywhere */
    NW_VERDICT_REMOVED,   /* by the expert */
    NW_VERDICT_PINNED,    /* kept by the expert */
    NW_VERDICT_COUNT
} nw_verdict;
const char *nw_verdict_name(nw_verdict verdict);

/* Of one option of one dimension. */
typedef struct nw_option_verdict {
    nw_verdict verdict;
    int by;            /* the option that makes it superfluous; -1: none */
    double share;      /* of contexts in which that holds; kept: 1 */
    double latency_us; /* mean over contexts of the whole network; NAN: of none */
    double step_us;    /* mean difference to the option before it; NAN: none */
    char why[160];     /* one line with numbers */
} nw_option_verdict;

typedef struct nw_curation nw_curation;

/* Restricts every dimension of the plan's space. The plan is filled on the way; the space is
 * retained, the plan is not needed afterwards. Numbers of many options are asked coarse to fine:
 * all options in a few contexts, what is left in all. NW_CANCELLED. */
NW_CHECKED nw_status nw_curate(nw_plan *plan, const nw_curate_options *options, nw_curation **out,
                               nw_error *err);
void nw_curation_free(nw_curation *curation); /* NULL is fine */

/* One an option of the dimension. */
const nw_option_verdict *nw_curation_verdicts(const nw_curation *curation, int dim);
/* Whether the restricted space has the option: kept or pinned. */
bool nw_curation_has(const nw_curation *curation, int dim, int option);
int nw_curation_n_kept(const nw_curation *curation, int dim);
int64_t nw_curation_n_evaluations(const nw_curation *curation);

/* The expert's hand: keeps or removes one option whatever the figures say. NW_INVALID: there is no
 * such option, or it would leave none. */
NW_CHECKED nw_status nw_curation_pin(nw_curation *curation, int dim, int option, nw_error *err);
NW_CHECKED nw_status nw_curation_remove(nw_curation *curation, int dim, int option, nw_error *err);

/* The step that the kept numbers of a channels dimension follow above the first ones: the greatest
 * common divisor of their upper half; 1: none (less than 4), or fewer than five are kept. */
int64_t nw_curation_step(const nw_curation *curation, int dim);
/* The restricted space; release it. */
NW_CHECKED nw_status nw_curation_space(const nw_curation *curation, const nw_space **out,
                                       nw_error *err);

/* A table for people: a line a dimension with what is kept, and the sizes before and after;
 * with_why: also a line for every option. */
void nw_curation_write(const nw_curation *curation, bool with_why, nw_buf *out);

#endif
