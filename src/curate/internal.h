/* internal.h - private to src/curate.
 */
#ifndef NW_CURATE_INTERNAL_H
#define NW_CURATE_INTERNAL_H

#include "src/curate/curate.h"

/* What the options of one dimension cost in a sample of contexts: [context * n_options + option].
 * The first n_swept contexts know every option, the others those that were left. */
typedef struct nw_samples {
    int n_options, n_contexts, n_swept;
    double *latency_us; /* NAN: not asked, or no network */
    double *score;      /* of element types their order */
    double *bytes;      /* live at the peak, and weights */
    uint8_t *is_unfit;
    double *fixed_us; /* one a context: kernels that do not depend on the dimension */
} nw_samples;

/* sample.c */
typedef struct nw_sampler nw_sampler;
nw_sampler *nw_sampler_new(nw_plan *plan, const nw_curate_options *options);
void nw_sampler_free(nw_sampler *sampler);
int64_t nw_sampler_n_evaluations(const nw_sampler *sampler);
/* Asks the options of dim that are kept (a byte each) in contexts from..to-1, drawn from the kept
 * options of the other dimensions. What was asked in earlier calls for the same samples stays. */
NW_CHECKED nw_status nw_sampler_ask(nw_sampler *sampler, int dim, uint8_t *const *keep, int from,
                                    int to, nw_samples *samples, nw_error *err);

/* judge.c: rules over samples. verdicts: one an option; only those that are kept are judged.
 * values: the number of each option, ascending; NULL: choices, not numbers. names: how options are
 * called. */
typedef struct nw_trial {
    const nw_samples *samples;
    const nw_curate_options *options; /* defaults filled in */
    const double *values;
    const char (*names)[32];
    bool counts_bytes; /* a better option must also take no more memory */
    nw_option_verdict *verdicts;
} nw_trial;

void nw_samples_init(nw_samples *samples, int n_options, int n_contexts, int n_swept);
void nw_samples_fini(nw_samples *samples);
/* Latency of the kernels concerned at an option. */
double nw_samples_concerned(const nw_samples *samples, int context, int option);

void nw_judge_unfit(const nw_trial *trial);
void nw_judge_dominated(const nw_trial *trial);
/* is_first: after the sweep, more carefully: twice the tolerance, in more of the contexts; less of
 * the ratio. */
void nw_judge_uneven(const nw_trial *trial, bool is_first);
void nw_judge_thinned(const nw_trial *trial, bool is_first);
/* Of neighbours that are kept the lower is dropped where the higher costs less in more contexts
 * than nearly none, so that costs rise along what is left. */
void nw_judge_monotone(const nw_trial *trial);
/* Means, steps, and a line for what is kept; lanes: the array's, 0 unknown. */
void nw_judge_finish(const nw_trial *trial, int64_t lanes);

#endif
