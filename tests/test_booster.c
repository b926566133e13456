/* Training with XGBoost: the same bytes again, what it learns, what it refuses. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/estimator/booster.h"

enum { N_ROWS = 500, N_FEATURES = 3 };

typedef struct table {
    float x[N_ROWS * N_FEATURES], y[N_ROWS];
} table;

/* y = 3 x0 + step of x1; x2 is noise, and every seventh value is missing. */
static void fill(table *t)
{
    uint32_t state = 7;
    for (int i = 0; i < N_ROWS; i++) {
        float *row = t->x + i * N_FEATURES;
        for (int k = 0; k < N_FEATURES; k++) {
            state = state * 1664525u + 1013904223u;
            row[k] = (float)(state >> 8) / (float)(1 << 24);
        }
        t->y[i] = 3 * row[0] + (row[1] > 0.5f ? 2.0f : 0.0f);
        if (i % 7 == 0)
            row[2] = NAN;
    }
}

static nw_booster_params small(void)
{
    nw_booster_params params = nw_booster_defaults();
    params.n_trees = 60;
    params.eta = 0.2;
    params.seed = 11;
    return params;
}

static nw_buf train(const table *t, const float *weights, const nw_booster_params *params)
{
    nw_buf model = {0};
    nw_error err;
    if (nw_booster_train(t->x, N_ROWS, N_FEATURES, t->y, weights, params, &model, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return model;
}

static void predict(const nw_buf *model, const float *x, int n_rows, float *out)
{
    nw_error err;
    if (nw_booster_predict(model->text, model->length, x, n_rows, N_FEATURES, out, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
}

START_TEST(the_same_inputs_give_the_same_bytes)
{
    static table t;
    fill(&t);
    nw_booster_params params = small();
    params.subsample = 0.7;
    params.colsample = 0.7;
    nw_buf first = train(&t, NULL, &params), second = train(&t, NULL, &params);
    ck_assert_uint_eq(first.length, second.length);
    ck_assert_mem_eq(first.text, second.text, first.length);
    params.seed++;
    nw_buf other = train(&t, NULL, &params);
    ck_assert(other.length != first.length || memcmp(other.text, first.text, first.length) != 0);
    nw_buf_fini(&first);
    nw_buf_fini(&second);
    nw_buf_fini(&other);
}
END_TEST

START_TEST(a_rule_is_learned)
{
    static table t;
    static float out[N_ROWS];
    fill(&t);
    nw_booster_params params = small();
    nw_buf model = train(&t, NULL, &params);
    predict(&model, t.x, N_ROWS, out);
    for (int i = 0; i < N_ROWS; i++)
        ck_assert_float_eq_tol(out[i], t.y[i], 0.15f);
    nw_buf_fini(&model);
}
END_TEST

/* Two halves with different targets for equal features: the mean follows the weights. */
START_TEST(weights_weigh)
{
    static table t;
    static float weights[N_ROWS], out[N_ROWS];
    for (int i = 0; i < N_ROWS; i++) {
        t.y[i] = i % 2 ? 1.0f : 5.0f;
        weights[i] = i % 2 ? 3.0f : 1.0f;
    }
    memset(t.x, 0, sizeof t.x);
    nw_booster_params params = small();
    params.base_score = 0;
    params.lambda = 0;
    params.eta = 1;
    nw_buf model = train(&t, weights, &params);
    predict(&model, t.x, 1, out);
    ck_assert_float_eq_tol(out[0], 2, 1e-5f);
    nw_buf_fini(&model);
    params.base_score = NAN; /* the mean itself: nothing is left to learn */
    params.n_trees = 1;
    params.eta = 1e-6;
    model = train(&t, weights, &params);
    predict(&model, t.x, 1, out);
    ck_assert_float_eq_tol(out[0], 2, 1e-5f);
    nw_buf_fini(&model);
}
END_TEST

START_TEST(a_monotone_feature_never_falls)
{
    static table t;
    fill(&t);
    for (int i = 0; i < N_ROWS; i++)
        t.y[i] = sinf(6 * t.x[i * N_FEATURES]) + 2 * t.x[i * N_FEATURES];
    static const int8_t rising[N_FEATURES] = {1, 0, 0};
    nw_booster_params params = small();
    params.monotone = rising;
    nw_buf model = train(&t, NULL, &params);
    float x[101 * N_FEATURES], out[101];
    for (int i = 0; i <= 100; i++)
        for (int k = 0; k < N_FEATURES; k++)
            x[i * N_FEATURES + k] = k == 0 ? (float)i / 100 : 0.5f;
    predict(&model, x, 101, out);
    for (int i = 1; i <= 100; i++)
        ck_assert_float_ge(out[i], out[i - 1]);
    ck_assert_float_gt(out[100], out[0] + 1);
    nw_buf_fini(&model);
}
END_TEST

static void expect_refusal(const table *t, int n_rows, const nw_booster_params *params,
                           const float *weights, const char *where, const char *part)
{
    nw_buf model = {0};
    nw_error err;
    nw_buf_puts(&model, "before");
    ck_assert_int_eq(
        nw_booster_train(t->x, n_rows, N_FEATURES, t->y, weights, params, &model, &err),
        NW_INVALID);
    ck_assert_str_eq(err.where, where);
    ck_assert_msg(strstr(err.message, part) != NULL, "\"%s\" lacks \"%s\"", err.message, part);
    ck_assert_str_eq(nw_buf_text(&model), "before");
    nw_buf_fini(&model);
}

START_TEST(bad_input_is_refused_in_a_line)
{
    static table t;
    static float weights[N_ROWS];
    nw_booster_params good = small(), params = good;
    fill(&t);
    expect_refusal(&t, 0, &good, NULL, "training", "0 rows");
    expect_refusal(&t, N_ROWS, &good, (weights[3] = -1, weights), "training", "weight of row 3");
    params.eta = NAN;
    expect_refusal(&t, N_ROWS, &params, NULL, "eta", "out of range");
    params = good;
    params.max_depth = 0;
    expect_refusal(&t, N_ROWS, &params, NULL, "max_depth", "out of range");
    static const int8_t monotone[N_FEATURES] = {0, 2, 0};
    params = good;
    params.monotone = monotone;
    expect_refusal(&t, N_ROWS, &params, NULL, "monotone", "2 for feature 1");
    t.x[4 * N_FEATURES + 1] = INFINITY;
    expect_refusal(&t, N_ROWS, &good, NULL, "training", "feature 1 of row 4 is infinite");
    t.y[2] = NAN;
    expect_refusal(&t, N_ROWS, &good, NULL, "training", "target of row 2");
}
END_TEST

START_TEST(an_error_of_xgboost_is_one_line)
{
    static table t;
    float out[1];
    nw_error err;
    nw_booster *booster = NULL;
    fill(&t);
    ck_assert_int_eq(nw_booster_load("{\"a\":1}", 7, &booster, &err), NW_INVALID);
    ck_assert_ptr_null(booster);
    nw_booster_params params = small();
    nw_buf model = train(&t, NULL, &params);
    ck_assert_int_eq(nw_booster_predict(model.text, model.length, t.x, 1, 2, out, &err),
                     NW_INVALID);
    ck_assert_str_eq(err.where, "XGBoost");
    ck_assert_ptr_null(strstr(err.message, "Stack trace"));
    ck_assert_ptr_null(strchr(err.message, '\n'));
    nw_buf_fini(&model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("booster");
    TCase *tcase = tcase_create("booster");
    tcase_add_test(tcase, the_same_inputs_give_the_same_bytes);
    tcase_add_test(tcase, a_rule_is_learned);
    tcase_add_test(tcase, weights_weigh);
    tcase_add_test(tcase, a_monotone_feature_never_falls);
    tcase_add_test(tcase, bad_input_is_refused_in_a_line);
    tcase_add_test(tcase, an_error_of_xgboost_is_one_line);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
