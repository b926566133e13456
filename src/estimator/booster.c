#include "src/estimator/booster.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xgboost/c_api.h>

#include "src/base/arena.h"

/* XGBoost counts the nodes of complete trees in an int; trees.h reads 64 levels. */
enum { MAX_TREES = 100000, MAX_DEPTH = 29, NO_DEPTH = 64, MAX_LEAVES = 1 << 20, MAX_BIN = 65536 };

nw_booster_params nw_booster_defaults(void)
{
    return (nw_booster_params){
        .n_trees = 300,
        .max_depth = 6,
        .max_bin = 256,
        .eta = 0.05,
        .min_child_weight = 1,
        .lambda = 1,
        .subsample = 1,
        .colsample = 1,
        .base_score = NAN,
    };
}

/* XGBoost's message is "[time] file:line: message\nStack trace: ...": the message is what helps. */
static nw_status fail_by_xgboost(nw_error *err, const char *what)
{
    char line[256];
    const char *text = XGBGetLastError();
    size_t length = strcspn(text, "\n");
    const char *place = *text == '[' ? strstr(text, "] ") : NULL;
    const char *message = place ? strstr(place, ": ") : NULL;
    if (message && message < text + length) {
        length -= (size_t)(message + 2 - text);
        text = message + 2;
    }
    snprintf(line, sizeof line, "%.*s", (int)(length < 250 ? length : 250), text);
    return nw_fail(err, NW_INVALID, "XGBoost", "%s: %s", what, line);
}

/* ---- training ---- */

static nw_status check_range(double value, double low, double high, const char *name, nw_error *err)
{
    if (value >= low && value <= high)
        return NW_OK;
    return nw_fail(err, NW_INVALID, name, "%g is out of range, give %g to %g", value, low, high);
}

static nw_status check_params(const nw_booster_params *p, int n_features, nw_error *err)
{
    const struct {
        const char *name;
        double value, low, high;
    } ranges[] = {
        {"n_trees", p->n_trees, 1, MAX_TREES},
        {"max_depth", p->max_depth, p->max_leaves > 0 ? 0 : 1, MAX_DEPTH},
        {"max_leaves", p->max_leaves, 0, MAX_LEAVES},
        {"max_bin", p->max_bin, 2, MAX_BIN},
        {"eta", p->eta, 1e-6, 1},
        {"min_child_weight", p->min_child_weight, 0, 1e30},
        {"lambda", p->lambda, 0, 1e30},
        {"alpha", p->alpha, 0, 1e30},
        {"gamma", p->gamma, 0, 1e30},
        {"subsample", p->subsample, 1e-6, 1},
        {"colsample", p->colsample, 1e-6, 1},
        {"base_score", isnan(p->base_score) ? 0 : p->base_score, -1e30, 1e30},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        nw_status status =
            check_range(ranges[i].value, ranges[i].low, ranges[i].high, ranges[i].name, err);
        if (status != NW_OK)
            return status;
    }
    for (int i = 0; p->monotone && i < n_features; i++)
        if (p->monotone[i] < -1 || p->monotone[i] > 1)
            return nw_fail(err, NW_INVALID, "monotone", "%d for feature %d is none of -1, 0, 1",
                           p->monotone[i], i);
    return NW_OK;
}

static nw_status check_data(const float *x, int n_rows, int n_features, const float *y,
                            const float *weights, nw_error *err)
{
    if (n_rows < 1 || n_features < 1)
        return nw_fail(err, NW_INVALID, "training", "%d rows of %d features: nothing to learn from",
                       n_rows, n_features);
    for (int i = 0; i < n_rows; i++) {
        if (!isfinite(y[i]))
            return nw_fail(err, NW_INVALID, "training", "the target of row %d is not finite", i);
        if (weights && !(isfinite(weights[i]) && weights[i] >= 0))
            return nw_fail(err, NW_INVALID, "training",
                           "the weight of row %d is negative or not finite", i);
        for (int k = 0; k < n_features; k++)
            if (isinf(x[(size_t)i * (size_t)n_features + (size_t)k]))
                return nw_fail(err, NW_INVALID, "training", "feature %d of row %d is infinite", k,
                               i);
    }
    return NW_OK;
}

static bool set_int(BoosterHandle booster, const char *name, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return XGBoosterSetParam(booster, name, text) == 0;
}

static bool set_number(BoosterHandle booster, const char *name, double value)
{
    nw_buf text = {0};
    nw_buf_double(&text, value);
    bool good = XGBoosterSetParam(booster, name, text.text) == 0;
    nw_buf_fini(&text);
    return good;
}

static bool set_monotone(BoosterHandle booster, const int8_t *monotone, int n_features)
{
    nw_buf text = {0};
    for (int i = 0; i < n_features; i++)
        nw_buf_printf(&text, "%c%d", i ? ',' : '(', monotone[i]);
    nw_buf_puts(&text, ")");
    bool good = XGBoosterSetParam(booster, "monotone_constraints", text.text) == 0;
    nw_buf_fini(&text);
    return good;
}

static bool set_params(BoosterHandle booster, const nw_booster_params *p, int n_features)
{
    return XGBoosterSetParam(booster, "booster", "gbtree") == 0 &&
           XGBoosterSetParam(booster, "objective", "reg:squarederror") == 0 &&
           XGBoosterSetParam(booster, "tree_method", "hist") == 0 &&
           XGBoosterSetParam(booster, "grow_policy",
                             p->max_leaves > 0 ? "lossguide" : "depthwise") == 0 &&
           set_int(booster, "nthread", 1) && set_int(booster, "seed", p->seed) &&
           set_int(booster, "max_depth", p->max_depth > 0 ? p->max_depth : NO_DEPTH) &&
           set_int(booster, "max_leaves", p->max_leaves) &&
           set_int(booster, "max_bin", p->max_bin) && set_number(booster, "eta", p->eta) &&
           set_number(booster, "min_child_weight", p->min_child_weight) &&
           set_number(booster, "lambda", p->lambda) && set_number(booster, "alpha", p->alpha) &&
           set_number(booster, "gamma", p->gamma) &&
           set_number(booster, "subsample", p->subsample) &&
           set_number(booster, "colsample_bytree", p->colsample) &&
           set_number(booster, "base_score", p->base_score) &&
           (!p->monotone || set_monotone(booster, p->monotone, n_features));
}

static bool boost(BoosterHandle booster, DMatrixHandle data, const nw_booster_params *params,
                  int n_features, nw_buf *json_model)
{
    bst_ulong length = 0;
    const char *bytes = NULL;
    if (!set_params(booster, params, n_features))
        return false;
    for (int i = 0; i < params->n_trees; i++)
        if (XGBoosterUpdateOneIter(booster, i, data) != 0)
            return false;
    if (XGBoosterSaveModelToBuffer(booster, "{\"format\": \"json\"}", &length, &bytes) != 0)
        return false;
    nw_buf_add(json_model, bytes, (size_t)length);
    return true;
}

/* The library's setting for this thread: what goes wrong is returned, not printed. */
static bool be_quiet(void)
{
    return XGBSetGlobalConfig("{\"verbosity\": 0}") == 0;
}

static double mean_target(const float *y, const float *weights, int n_rows)
{
    double sum = 0, weight = 0;
    for (int i = 0; i < n_rows; i++) {
        sum += (double)y[i] * (weights ? (double)weights[i] : 1);
        weight += weights ? (double)weights[i] : 1;
    }
    return weight > 0 ? sum / weight : 0;
}

nw_status nw_booster_train(const float *x, int n_rows, int n_features, const float *y,
                           const float *weights, const nw_booster_params *params,
                           nw_buf *json_model, nw_error *err)
{
    nw_status status = check_params(params, n_features, err);
    if (status == NW_OK)
        status = check_data(x, n_rows, n_features, y, weights, err);
    if (status != NW_OK)
        return status;
    nw_booster_params p = *params;
    if (isnan(p.base_score))
        p.base_score = mean_target(y, weights, n_rows);
    DMatrixHandle data = NULL;
    BoosterHandle booster = NULL;
    bst_ulong rows = (bst_ulong)n_rows;
    bool good = be_quiet() &&
                XGDMatrixCreateFromMat(x, rows, (bst_ulong)n_features, NAN, &data) == 0 &&
                XGDMatrixSetFloatInfo(data, "label", y, rows) == 0 &&
                (!weights || XGDMatrixSetFloatInfo(data, "weight", weights, rows) == 0) &&
                XGBoosterCreate(&data, 1, &booster) == 0 &&
                boost(booster, data, &p, n_features, json_model);
    if (!good)
        status = fail_by_xgboost(err, "cannot train");
    if (booster)
        XGBoosterFree(booster);
    if (data)
        XGDMatrixFree(data);
    return status;
}

/* ---- prediction by XGBoost ---- */

struct nw_booster {
    BoosterHandle handle;
};

nw_status nw_booster_load(const char *json, size_t n_bytes, nw_booster **out, nw_error *err)
{
    BoosterHandle handle = NULL;
    if (be_quiet() && XGBoosterCreate(NULL, 0, &handle) == 0 && set_int(handle, "nthread", 1) &&
        XGBoosterLoadModelFromBuffer(handle, json, (bst_ulong)n_bytes) == 0) {
        *out = nw_zalloc(sizeof **out);
        (*out)->handle = handle;
        return NW_OK;
    }
    nw_status status = fail_by_xgboost(err, "cannot load the model");
    if (handle)
        XGBoosterFree(handle);
    return status;
}

void nw_booster_free(nw_booster *booster)
{
    if (!booster)
        return;
    XGBoosterFree(booster->handle);
    free(booster);
}

nw_status nw_booster_run(nw_booster *booster, const float *x, int n_rows, int n_features,
                         float *out, nw_error *err)
{
    static const char margin[] =
        "{\"type\": 1, \"training\": false, \"iteration_begin\": 0, "
        "\"iteration_end\": 0, \"strict_shape\": false, \"cache_id\": 0, \"missing\": NaN}";
    char matrix[160];
    const bst_ulong *shape = NULL;
    bst_ulong n_dims = 0, n_values = 1;
    const float *values = NULL;
    if (n_rows == 0)
        return NW_OK;
    snprintf(matrix, sizeof matrix,
             "{\"data\": [%llu, true], \"shape\": [%d, %d], \"typestr\": \"<f4\", \"version\": 3}",
             (unsigned long long)(uintptr_t)x, n_rows, n_features);
    if (XGBoosterPredictFromDense(booster->handle, matrix, margin, NULL, &shape, &n_dims,
                                  &values) != 0)
        return fail_by_xgboost(err, "cannot predict");
    for (bst_ulong i = 0; i < n_dims; i++)
        n_values *= shape[i];
    if (n_values != (bst_ulong)n_rows)
        return nw_fail(err, NW_UNSUPPORTED, "XGBoost", "the model has more than one output");
    memcpy(out, values, (size_t)n_rows * sizeof *out);
    return NW_OK;
}

nw_status nw_booster_predict(const char *json, size_t n_bytes, const float *x, int n_rows,
                             int n_features, float *out, nw_error *err)
{
    nw_booster *booster = NULL;
    nw_status status = nw_booster_load(json, n_bytes, &booster, err);
    if (status == NW_OK)
        status = nw_booster_run(booster, x, n_rows, n_features, out, err);
    nw_booster_free(booster);
    return status;
}
