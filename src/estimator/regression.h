/* regression.h - the inside of a fitted estimator; private to src/estimator.
 */
#ifndef NW_ESTIMATOR_REGRESSION_H
#define NW_ESTIMATOR_REGRESSION_H

#include <stdatomic.h>

#include "src/base/arena.h"
#include "src/estimator/base.h"
#include "src/estimator/booster.h"
#include "src/estimator/columns.h"
#include "src/estimator/estimator.h"
#include "src/estimator/trees.h"

#define NW_N_QUANTILES 19 /* 5 %, 10 %, ... 95 % of ln(measured / predicted), out of fold */
#define NW_MAX_VALUES  (NW_VALUE_COUNT + NW_MAX_EXTRAS)

/* One model: a kernel type. latency = base x exp(trees). */
typedef struct nw_group {
    char *name; /* "" when the table has no groups */
    nw_fit_group report;
    nw_base base;
    int n_features;
    int *feature;      /* index of a value; NW_VALUE_COUNT + i: the i-th extra */
    float *low, *high; /* of each feature in training; NAN: always missing */
    double quantile[NW_N_QUANTILES];
    nw_trees *trees; /* NULL: the base alone */
    char *booster;   /* XGBoost's JSON of them */
    size_t n_booster_bytes;
} nw_group;

struct nw_regression {
    atomic_int n_users;
    nw_group *groups;
    int n_groups;
    char *extras[NW_MAX_EXTRAS]; /* columns taken as they are */
    int n_extras;
    char *group_column; /* NULL: none */
    nw_fit_report report;
    nw_hw *hw;     /* features were made with it; NULL: without */
    nw_arena text; /* of the report */
};

/* How n rows are trained; n_trees 0: as many as they ask for. */
nw_booster_params nw_fit_params(int n, int n_trees, uint32_t seed);

/* nw_fit that hands out what it predicted out of fold: a number a row of the table, NAN where there
 * is none; room for all of them. */
NW_CHECKED nw_status nw_fit_keeping(const nw_table *table, const nw_fit_options *options,
                                    double *out_of_fold, nw_regression **out, nw_error *err);

const nw_group *nw_regression_group(const nw_regression *r, const char *name); /* NULL: none */

/* Predictions of n rows of values (stride of them each) by one group, in its target's unit;
 * is_outside (may be NULL): a feature is outside the range of training by more than a twentieth. */
void nw_group_predict(const nw_group *group, const float *values, int stride, int n, double *out,
                      bool *is_outside);
/* What the description says of n shapes; an estimator with a memory computes distinct ones once. */
void nw_estimator_costs(const nw_estimator *estimator, const nw_hw *hw,
                        const nw_kernel_shape *const *shapes, int n, nw_device_cost *out);

/* The 90 % band of a network's estimate (latencies, kernels in place). */
void nw_estimate_find_band(nw_estimate *estimate);

#endif
