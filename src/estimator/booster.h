/* booster.h - trains gradient-boosted regression trees with XGBoost.
 *
 * The only file that knows XGBoost, here for training: what is trained is XGBoost's own JSON model,
 * which trees.h reads and runs without the library. Squared error, histograms, one thread, so the
 * same inputs give the same bytes of model. Matrices are row-major float32, rows x features, NAN
 * where a value is missing. Keeps no state; may be called on any thread.
 */
#ifndef NW_ESTIMATOR_BOOSTER_H
#define NW_ESTIMATOR_BOOSTER_H

#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/text.h"

/* XGBoost's parameters under its own names; what they mean is in its manual. */
typedef struct nw_booster_params {
    int n_trees;
    int max_depth;  /* at most 29; 0: only the 64 that trees.h reads, then max_leaves must be set */
    int max_leaves; /* 0: no limit; otherwise leaves are split best first (grow_policy lossguide) */
    int max_bin;
    double eta, min_child_weight, lambda, alpha, gamma;
    double subsample, colsample; /* of rows a tree, of features a tree, in (0, 1] */
    double base_score;           /* where the sum begins; NAN: at the weighted mean of y */
    uint32_t seed;
    const int8_t *monotone; /* one a feature: 1 rising, -1 falling, 0 free; NULL: all free */
} nw_booster_params;

/* 300 trees of depth 6, eta 0.05 and for the rest XGBoost's defaults; seed 0, base_score NAN. */
nw_booster_params nw_booster_defaults(void);

/* Trains on n_rows rows and appends the JSON model to json_model. weights may be NULL (all 1).
 * NW_INVALID: no rows, infinite values, targets or weights that are not finite, negative weights,
 * parameters out of range (err says which). */
NW_CHECKED nw_status nw_booster_train(const float *x, int n_rows, int n_features, const float *y,
                                      const float *weights, const nw_booster_params *params,
                                      nw_buf *json_model, nw_error *err);

/* ---- what XGBoost itself predicts, for tests and the bench ---- */

typedef struct nw_booster nw_booster;

/* Loads a JSON model. It must be one that XGBoost wrote: the library trusts it. */
NW_CHECKED nw_status nw_booster_load(const char *json, size_t n_bytes, nw_booster **out,
                                     nw_error *err);
void nw_booster_free(nw_booster *booster);

/* In-place prediction of the raw margin on one thread, out[n_rows]. Not on one booster from two
 * threads at once. */
NW_CHECKED nw_status nw_booster_run(nw_booster *booster, const float *x, int n_rows, int n_features,
                                    float *out, nw_error *err);

/* All three: load, run, free. */
NW_CHECKED nw_status nw_booster_predict(const char *json, size_t n_bytes, const float *x,
                                        int n_rows, int n_features, float *out, nw_error *err);

#endif
