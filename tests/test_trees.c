/* Running trees: bit for bit what XGBoost itself predicts in place, by every path. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/estimator/booster.h"
#include "src/estimator/trees.h"
#include "src/estimator/trees_layout.h"
#include "tests/support.h"

enum { MAX_ROWS = 1000, MAX_FEATURES = 80 };

typedef struct sample {
    int n_rows, n_features;
    float *x, *y;
    nw_buf model;
    nw_trees *trees;
    nw_booster *referee;
    uint32_t state;
} sample;

static uint32_t next_random(sample *s)
{
    s->state = s->state * 1664525u + 1013904223u;
    return s->state >> 8;
}

static float next_unit(sample *s)
{
    return (float)next_random(s) / (float)(1 << 24);
}

/* Features of few values, of many, of both signs, and missing with the given share; the target has
 * steps, products and noise, so that trees grow as deep as they may. */
static sample make_rows(int n_rows, int n_features, float missing, uint32_t seed)
{
    sample s = {.n_rows = n_rows, .n_features = n_features, .state = seed * 2654435761u + 1};
    s.x = malloc((size_t)n_rows * (size_t)n_features * sizeof(float));
    s.y = malloc((size_t)n_rows * sizeof(float));
    for (int i = 0; i < n_rows; i++) {
        float sum = 0;
        for (int k = 0; k < n_features; k++) {
            float value = next_unit(&s) * 4 - 2;
            value = k % 4 == 1 ? floorf(value * 3) : k % 4 == 2 ? expf(value * 5) : value;
            sum += k % 4 == 2 ? logf(value) : k % 4 == 3 && value > 0 ? 0.2f * sum : value;
            s.x[i * n_features + k] = next_unit(&s) < missing ? NAN : value;
        }
        s.y[i] = sum + next_unit(&s);
    }
    return s;
}

static void train(sample *s, const nw_booster_params *params)
{
    nw_error err;
    if (nw_booster_train(s->x, s->n_rows, s->n_features, s->y, NULL, params, &s->model, &err) !=
            NW_OK ||
        nw_trees_read(s->model.text, s->model.length, &s->trees, &err) != NW_OK ||
        nw_booster_load(s->model.text, s->model.length, &s->referee, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
}

static void sample_fini(sample *s)
{
    free(s->x);
    free(s->y);
    nw_buf_fini(&s->model);
    nw_trees_free(s->trees);
    nw_booster_free(s->referee);
}

/* Every path that this processor has, in one call and row by row, against XGBoost. */
static void expect_xgboost(const sample *s, const float *x, int n_rows)
{
    float theirs[MAX_ROWS], ours[MAX_ROWS], one;
    nw_error err;
    ck_assert_int_le(n_rows, MAX_ROWS);
    if (nw_booster_run(s->referee, x, n_rows, s->n_features, theirs, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    for (int path = 0; path < NW_TREES_N_PATHS; path++) {
        if (!nw_trees_can(s->trees, (nw_trees_path)path))
            continue;
        nw_trees_run_with(s->trees, (nw_trees_path)path, x, n_rows, s->n_features, ours);
        for (int i = 0; i < n_rows; i++) {
            nw_trees_run_with(s->trees, (nw_trees_path)path, x + i * s->n_features, 1,
                              s->n_features, &one);
            ck_assert_msg(memcmp(&ours[i], &theirs[i], sizeof one) == 0 &&
                              memcmp(&one, &theirs[i], sizeof one) == 0,
                          "%s, row %d of %d: %a, alone %a, XGBoost %a",
                          nw_trees_path_name((nw_trees_path)path), i, n_rows, (double)ours[i],
                          (double)one, (double)theirs[i]);
        }
    }
    nw_trees_run(s->trees, x, n_rows, s->n_features, ours);
    ck_assert_mem_eq(ours, theirs, (size_t)n_rows * sizeof *ours);
}

static nw_booster_params params_of(int n_trees, int max_depth)
{
    nw_booster_params params = nw_booster_defaults();
    params.n_trees = n_trees;
    params.max_depth = max_depth;
    params.eta = 0.3;
    return params;
}

/* Numbers of trees on both sides of 32 and 64, depths on both sides of 6. */
START_TEST(models_of_all_depths)
{
    static const int n_trees[] = {1, 31, 32, 33, 63, 64, 65, 130};
    for (int depth = 1; depth <= 10; depth++) {
        sample s = make_rows(MAX_ROWS, 1 + depth * 2, depth % 3 ? 0.1f : 0, (uint32_t)depth);
        nw_booster_params params = params_of(n_trees[depth % 8], depth);
        params.seed = (uint32_t)depth;
        params.subsample = depth % 2 ? 0.6 : 1;
        params.colsample = depth % 4 ? 0.5 : 1;
        train(&s, &params);
        ck_assert_int_eq(nw_trees_n_trees(s.trees), n_trees[depth % 8]);
        ck_assert_int_eq(nw_trees_n_features(s.trees), s.n_features);
        expect_xgboost(&s, s.x, s.n_rows);
        sample_fini(&s);
    }
}
END_TEST

START_TEST(any_number_of_rows)
{
    sample s = make_rows(500, 12, 0.05f, 77);
    nw_booster_params params = params_of(70, 6);
    train(&s, &params);
    for (int n = 0; n <= 33; n++)
        expect_xgboost(&s, s.x + n * s.n_features, n);
    sample_fini(&s);
}
END_TEST

/* Rows whose values are thresholds, their neighbours, zeros of both signs, infinities, nothing. */
static void fill_with_borders(sample *s, float *x, int n_rows)
{
    for (int i = 0; i < n_rows * s->n_features; i++)
        x[i] = next_unit(s) * 4 - 2;
    for (int i = 0; i < n_rows; i++)
        for (int c = 0; c < s->trees->n_columns; c++) {
            const nw_trees_column *column = &s->trees->columns[c];
            float *at = &x[i * s->n_features + column->feature];
            float t = s->trees->thresholds[column->first + next_random(s) % column->n];
            const float choices[] = {t,
                                     nextafterf(t, -INFINITY),
                                     nextafterf(t, INFINITY),
                                     0.0f,
                                     -0.0f,
                                     INFINITY,
                                     -INFINITY,
                                     NAN,
                                     t};
            *at = choices[next_random(s) % 9];
        }
}

START_TEST(values_at_and_beside_thresholds)
{
    static float x[MAX_ROWS * MAX_FEATURES];
    for (int round = 0; round < 12; round++) {
        sample s = make_rows(600, 4 + 5 * (round % 6), round % 2 ? 0.2f : 0, (uint32_t)round + 50);
        nw_booster_params params = params_of(40, 3 + round % 5);
        train(&s, &params);
        fill_with_borders(&s, x, MAX_ROWS);
        expect_xgboost(&s, x, MAX_ROWS);
        sample_fini(&s);
    }
}
END_TEST

/* Integers around zero make XGBoost split at values that rows take, zero among them. */
START_TEST(zero_has_no_sign)
{
    sample s = make_rows(400, 3, 0, 9);
    for (int i = 0; i < s.n_rows * s.n_features; i++)
        s.x[i] = (float)((int)(next_random(&s) % 5) - 2);
    for (int i = 0; i < s.n_rows; i++)
        s.y[i] = s.x[i * 3] >= 0 ? 3 : s.x[i * 3 + 1];
    nw_booster_params params = params_of(20, 4);
    train(&s, &params);
    for (int i = 0; i < s.n_rows * s.n_features; i++)
        if (s.x[i] == 0)
            s.x[i] = i % 2 ? -0.0f : 0.0f;
    expect_xgboost(&s, s.x, s.n_rows);
    sample_fini(&s);
}
END_TEST

START_TEST(trees_that_are_one_leaf)
{
    sample s = make_rows(300, 5, 0.1f, 4);
    nw_booster_params params = params_of(70, 6);
    params.gamma = 1e9;
    train(&s, &params);
    ck_assert_int_eq(s.trees->n_levels, 0);
    expect_xgboost(&s, s.x, s.n_rows);
    sample_fini(&s);
    s = make_rows(300, 5, 0.1f, 4); /* the first trees split, the last do not */
    params.gamma = 200;
    train(&s, &params);
    ck_assert_int_gt(s.trees->depths[0], 0);
    ck_assert_int_eq(s.trees->depths[69], 0);
    expect_xgboost(&s, s.x, s.n_rows);
    sample_fini(&s);
}
END_TEST

START_TEST(lopsided_trees)
{
    sample s = make_rows(MAX_ROWS, 9, 0.1f, 14);
    nw_booster_params params = params_of(100, 0);
    params.max_leaves = 24;
    train(&s, &params);
    ck_assert_ptr_nonnull(s.trees->exits); /* some are deeper than the vectors */
    expect_xgboost(&s, s.x, s.n_rows);
    sample_fini(&s);
}
END_TEST

/* More thresholds than a byte counts, more columns than a vector has bytes, and 17 to 64. */
START_TEST(many_thresholds_and_many_features)
{
    static const struct {
        int n_features, max_bin, at_least, at_most;
    } cases[] = {{3, 1024, 4, 64},
                 {30, 256, 17, 64},
                 {60, 64, 33, 64},
                 {80, 64, 65, 8192},
                 {80, 1024, 65, 8192}};
    static float x[MAX_ROWS * MAX_FEATURES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sample s = make_rows(MAX_ROWS, cases[i].n_features, i % 2 ? 0.1f : 0, (uint32_t)i + 30);
        nw_booster_params params = params_of(40, cases[i].max_bin > 256 ? 8 : 6);
        params.max_bin = cases[i].max_bin;
        params.colsample = 0.3;
        train(&s, &params);
        ck_assert_int_ge(s.trees->n_columns, cases[i].at_least);
        ck_assert_int_le(s.trees->n_columns, cases[i].at_most);
        ck_assert(nw_trees_can(s.trees, NW_TREES_PORTABLE));
        ck_assert(cases[i].at_most <= 64 || !nw_trees_can(s.trees, NW_TREES_AVX2));
        expect_xgboost(&s, s.x, s.n_rows);
        fill_with_borders(&s, x, MAX_ROWS);
        expect_xgboost(&s, x, MAX_ROWS);
        sample_fini(&s);
    }
}
END_TEST

START_TEST(base_scores_of_any_size)
{
    static const double scores[] = {0, -0.1, 1e-30, 123456.789, -3.4e10, 0.3333333333333, 1e22};
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
        sample s = make_rows(200, 4, 0, (uint32_t)i);
        nw_booster_params params = params_of(5, 3);
        params.base_score = scores[i];
        train(&s, &params);
        expect_xgboost(&s, s.x, s.n_rows);
        sample_fini(&s);
    }
}
END_TEST

START_TEST(rows_may_lie_apart)
{
    sample s = make_rows(100, 6, 0.1f, 3);
    nw_booster_params params = params_of(10, 4);
    train(&s, &params);
    float wide[100 * 9], near[100], far[100];
    for (int i = 0; i < 100; i++)
        for (int k = 0; k < 9; k++)
            wide[i * 9 + k] = k < 6 ? s.x[i * 6 + k] : 1e30f;
    nw_trees_run(s.trees, s.x, 100, 6, near);
    nw_trees_run(s.trees, wide, 100, 9, far);
    ck_assert_mem_eq(near, far, sizeof near);
    sample_fini(&s);
}
END_TEST

/* ---- reading ---- */

/* Two trees of two features. First: x0 < 2 ? (x1 < 0.5 ? 1 : 10, missing left) : 100, missing
 * right. Node 5 and 6 are deleted ones. Second: a leaf, 0.25. Base score 0.5. */
#define TREE_1                                                                                     \
    "{\"base_weights\":[0,0,0,0,0,0,0],\"categories\":[],\"categories_nodes\":[],"                 \
    "\"categories_segments\":[],\"categories_sizes\":[],\"default_left\":[0,1,0,0,0,0,0],"         \
    "\"id\":0,\"left_children\":[1,3,-1,-1,-1,-1,-1],\"loss_changes\":[1,1,0,0,0,0,0],"            \
    "\"parents\":[2147483647,0,0,1,1,2,2],\"right_children\":[2,4,-1,-1,-1,-1,-1],"                \
    "\"split_conditions\":[2E0,5E-1,1E2,1E0,1E1,0E0,0E0],\"split_indices\":[0,1,0,0,0,7,7],"       \
    "\"split_type\":[0,0,0,0,0,0,0],\"sum_hessian\":[4E0,2E0,2E0,1E0,1E0,0E0,0E0],"                \
    "\"tree_param\":{\"num_deleted\":\"2\",\"num_feature\":\"2\",\"num_nodes\":\"7\","             \
    "\"size_leaf_vector\":\"0\"}}"
#define TREE_2                                                                                     \
    "{\"base_weights\":[0],\"categories\":[],\"categories_nodes\":[],\"categories_segments\":[],"  \
    "\"categories_sizes\":[],\"default_left\":[0],\"id\":1,\"left_children\":[-1],"                \
    "\"loss_changes\":[0],\"parents\":[2147483647],\"right_children\":[-1],"                       \
    "\"split_conditions\":[2.5E-1],\"split_indices\":[0],\"split_type\":[0],"                      \
    "\"sum_hessian\":[4E0],\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"2\","           \
    "\"num_nodes\":\"1\",\"size_leaf_vector\":\"0\"}}"
static const char by_hand[] =
    "{\"learner\":{\"attributes\":{},\"feature_names\":[],\"feature_types\":[],"
    "\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{\"num_parallel_tree\":\"1\","
    "\"num_trees\":\"2\",\"size_leaf_vector\":\"0\"},\"tree_info\":[0,0],\"trees\":[" TREE_1
    "," TREE_2 "]},\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":\"5E-1\","
    "\"boost_from_average\":\"1\",\"num_class\":\"0\",\"num_feature\":\"2\",\"num_target\":\"1\"},"
    "\"objective\":{\"name\":\"reg:squarederror\",\"reg_loss_param\":{\"scale_pos_weight\":\"1\"}}"
    "},\"version\":[1,7,4]}";

START_TEST(a_model_written_by_hand)
{
    static const struct {
        float x[2], y;
    } rows[] = {{{1, 0}, 1.75f},      {{1, 0.5f}, 10.75f}, {{2, 0}, 100.75f},
                {{1, NAN}, 1.75f},    {{NAN, 0}, 100.75f}, {{-INFINITY, INFINITY}, 10.75f},
                {{NAN, NAN}, 100.75f}};
    nw_trees *trees = NULL;
    nw_error err;
    if (nw_trees_read(by_hand, sizeof by_hand - 1, &trees, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int path = 0; path < NW_TREES_N_PATHS; path++) {
            float out = 0;
            if (!nw_trees_can(trees, (nw_trees_path)path))
                continue;
            nw_trees_run_with(trees, (nw_trees_path)path, rows[i].x, 1, 2, &out);
            ck_assert_float_eq(out, rows[i].y);
        }
    nw_trees_free(trees);
}
END_TEST

/* Reads the text with the first `old` at or after `from` replaced by `new`. */
static nw_status read_edited(const char *from, const char *old, const char *new, nw_error *err)
{
    const char *start = strstr(by_hand, from);
    const char *at = start ? strstr(start, old) : NULL;
    nw_trees *trees = NULL;
    nw_buf text = {0};
    ck_assert_msg(at != NULL, "no %s after %s", old, from);
    nw_buf_add(&text, by_hand, (size_t)(at - by_hand));
    nw_buf_puts(&text, new);
    nw_buf_puts(&text, at + strlen(old));
    nw_status status = nw_trees_read(text.text, text.length, &trees, err);
    ck_assert_int_eq(trees == NULL, status != NW_OK);
    nw_trees_free(trees);
    nw_buf_fini(&text);
    return status;
}

typedef struct refusal {
    const char *from, *old, *new;
    nw_status status;
    const char *where, *part;
} refusal;

static void expect_refusals(const refusal *refusals, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const refusal *r = &refusals[i];
        nw_error err = {0};
        nw_status status = read_edited(r->from, r->old, r->new, &err);
        ck_assert_msg(status == r->status && strcmp(err.where, r->where) == 0 &&
                          strstr(err.message, r->part) != NULL,
                      "%s -> %s: %d, %s: %s", r->old, r->new, status, err.where, err.message);
    }
}

START_TEST(other_kinds_of_model_are_refused_by_name)
{
    static const refusal refusals[] = {
        {"", "\"name\":\"gbtree\"", "\"name\":\"dart\"", NW_UNSUPPORTED, "model", "dart"},
        {"", "\"name\":\"gbtree\"", "\"name\":\"gblinear\"", NW_UNSUPPORTED, "model", "gblinear"},
        {"", "reg:squarederror", "reg:gamma", NW_UNSUPPORTED, "model", "reg:gamma"},
        {"", "reg:squarederror", "multi:softprob", NW_UNSUPPORTED, "model", "multi:softprob"},
        {"", "\"num_class\":\"0\"", "\"num_class\":\"3\"", NW_UNSUPPORTED, "model", "3 outputs"},
        {"", "\"num_target\":\"1\"", "\"num_target\":\"2\"", NW_UNSUPPORTED, "model", "2 outputs"},
        {"", "tree_info\":[0,0]", "tree_info\":[0,1]", NW_UNSUPPORTED, "model", "output"},
        {"tree_param", "vector\":\"0\"", "vector\":\"2\"", NW_UNSUPPORTED, "tree 0", "vectors"},
        {"gbtree_m", "vector\":\"0\"", "vector\":\"2\"", NW_UNSUPPORTED, "model", "vectors"},
        {"", "split_type\":[0", "split_type\":[1", NW_UNSUPPORTED, "tree 0", "categorical"},
        {"\"id\":0", "\"categories\":[]", "\"categories\":[3]", NW_UNSUPPORTED, "tree 1",
         "categorical"},
    };
    expect_refusals(refusals, sizeof refusals / sizeof *refusals);
}
END_TEST

/* As XGBoost 1.7.4 wrote them. */
START_TEST(models_of_xgboost_that_are_refused)
{
    static const struct {
        const char *file, *where, *part;
    } cases[] = {{"dart", "model", "booster is dart"},
                 {"linear", "model", "booster is gblinear"},
                 {"classes", "model", "objective is multi:softprob"},
                 {"categorical", "tree 0", "categorical splits"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[64];
        size_t n_bytes;
        nw_error err;
        nw_trees *trees = NULL;
        snprintf(path, sizeof path, "tests/corpus/trees/%s.json", cases[i].file);
        char *text = read_text(path, &n_bytes);
        ck_assert_ptr_nonnull(text);
        ck_assert_int_eq(nw_trees_read(text, n_bytes, &trees, &err), NW_UNSUPPORTED);
        ck_assert_str_eq(err.where, cases[i].where);
        ck_assert_msg(strstr(err.message, cases[i].part) != NULL, "%s", err.message);
        free(text);
    }
}
END_TEST

START_TEST(broken_trees_are_refused_by_number)
{
    static const refusal refusals[] = {
        {"", "left_children\":[1,3", "left_children\":[1,7", NW_INVALID, "tree 0",
         "node 1: its left child is 7, the tree has 7 nodes"},
        {"", "right_children\":[2,4", "right_children\":[2,-2", NW_INVALID, "tree 0",
         "right child is -2"},
        {"", "right_children\":[2,4,-1", "right_children\":[2,4,5", NW_INVALID, "tree 0",
         "node 2: its left child is -1"},
        {"", "left_children\":[1,3", "left_children\":[1,0", NW_INVALID, "tree 0",
         "child 0 is reached twice"},
        {"", "left_children\":[1,3", "left_children\":[1,2", NW_INVALID, "tree 0",
         "child 2 is reached twice"},
        {"", "left_children\":[1,3", "left_children\":[1,4", NW_INVALID, "tree 0",
         "child 4 is reached twice"},
        {"", "left_children\":[1,3", "left_children\":[2147483648,3", NW_INVALID, "tree 0",
         "2147483648"},
        {"", "split_indices\":[0,1", "split_indices\":[0,2", NW_INVALID, "model",
         "tree 0 asks for feature 2, num_feature is 2"},
        {"", "split_indices\":[0,1", "split_indices\":[0,-1", NW_INVALID, "tree 0", "feature -1"},
        {"", "default_left\":[0,1", "default_left\":[0,2", NW_INVALID, "tree 0", "default_left"},
        {"", "split_conditions\":[2E0", "split_conditions\":[NaN", NW_INVALID, "tree 0",
         "node 0: its threshold is not a finite number"},
        {"", "[2.5E-1]", "[Infinity]", NW_INVALID, "tree 1", "its leaf is not a finite"},
        {"", "[2.5E-1]", "[2.5E39]", NW_INVALID, "tree 1", "its leaf is not a finite"},
        {"", "[2.5E-1]", "[]", NW_INVALID, "tree 1", "split_conditions has 0 entries"},
        {"", "[2E0,5E-1", "[2E0,1,5E-1", NW_INVALID, "tree 0",
         "split_conditions has 8 entries, num_nodes is 7"},
        {"", "sum_hessian\":[4E0,", "sum_hessian\":[", NW_INVALID, "tree 0", "sum_hessian has 6"},
        {"", "\"left_children\"", "\"left_child\"", NW_INVALID, "tree 0", "left_children is miss"},
        {"", "\"id\":0", "\"left_children\":[]", NW_INVALID, "tree 0", "stands twice"},
        {"", "num_nodes\":\"7", "num_nodes\":\"-7", NW_INVALID, "tree 0", "no count"},
        {"", "num_nodes\":\"7", "num_nodes\":\"70000000000", NW_INVALID, "tree 0", "no count"},
        {"", "num_nodes\":\"7", "num_nodes\":\"700000000", NW_INVALID, "tree 0", "num_nodes is 7"},
        {"", "num_nodes\"", "num\"", NW_INVALID, "tree 0", "num_nodes is missing"},
        {"", "num_deleted\":\"2", "num_deleted\":\"1", NW_INVALID, "tree 0",
         "5 of 7 nodes are reached"},
    };
    expect_refusals(refusals, sizeof refusals / sizeof *refusals);
}
END_TEST

START_TEST(broken_models_are_refused)
{
    static const refusal refusals[] = {
        {"", "\"learner\"", "\"teacher\"", NW_INVALID, "model", "not a model of XGBoost"},
        {"", "\"trees\"", "\"bushes\"", NW_INVALID, "model", "no trees"},
        {"", "\"tree_info\"", "\"info\"", NW_INVALID, "model", "no tree_info"},
        {"", "num_trees\":\"2", "num_trees\":\"3", NW_INVALID, "model", "has 2 trees"},
        {"", "tree_info\":[0,0]", "tree_info\":[0]", NW_INVALID, "model", "tree_info has 1"},
        {"", "tree_info\":[0,0]", "trees\":[]", NW_INVALID, "model", "twice"},
        {"", "base_score\":\"5E-1", "base_score\":\"[5E-1]", NW_INVALID, "model", "base_score"},
        {"", "base_score\":\"5E-1", "base_score\":\"NaN", NW_INVALID, "model", "base_score"},
        {"", "\"base_score\":\"5E-1\",", "", NW_INVALID, "model", "no base_score"},
        {"learner_model", "num_feature\":\"2", "num_feature\":\"2000000000", NW_INVALID, "model",
         "no count"},
        {"learner_model", "num_feature\":\"2", "num_feature\":\"20000000", NW_LIMIT, "model",
         "features"},
        {"", "},\"version\":[1,7,4]}", "},\"version\":[1,7,4]}}", NW_INVALID, "byte 1382", "end"},
    };
    expect_refusals(refusals, sizeof refusals / sizeof *refusals);
}
END_TEST

START_TEST(text_cut_anywhere_names_its_byte)
{
    for (size_t n = 0; n < sizeof by_hand - 1; n++) {
        nw_trees *trees = NULL;
        nw_error err;
        char where[40], *exact = malloc(n ? n : 1); /* a byte read past the end is seen */
        memcpy(exact, by_hand, n);
        ck_assert_int_eq(nw_trees_read(exact, n, &trees, &err), NW_INVALID);
        free(exact);
        snprintf(where, sizeof where, "byte %zu", n);
        ck_assert_str_eq(err.where, where);
        ck_assert_ptr_null(trees);
    }
}
END_TEST

/* A chain of n nodes that split, the left child of each a leaf. */
static nw_status read_chain(int n, nw_error *err)
{
    nw_buf left = {0}, right = {0}, zeros = {0}, tree = {0};
    for (int i = 0; i < n; i++) {
        nw_buf_printf(&left, "%d,-1,", 2 * i + 1);
        nw_buf_printf(&right, "%d,-1,", 2 * i + 2);
        nw_buf_puts(&zeros, "0,0,");
    }
    nw_buf_printf(&tree,
                  "{\"left_children\":[%s-1],\"right_children\":[%s-1],\"split_indices\":[%s0],"
                  "\"default_left\":[%s0],\"split_conditions\":[%s0],\"tree_param\":{"
                  "\"num_nodes\":\"%d\"}}",
                  left.text, right.text, zeros.text, zeros.text, zeros.text, 2 * n + 1);
    nw_buf_fini(&left);
    nw_buf_fini(&right);
    nw_buf_fini(&zeros);
    nw_status status = read_edited("", TREE_1, tree.text, err);
    nw_buf_fini(&tree);
    return status;
}

START_TEST(depth_has_a_limit)
{
    nw_error err;
    ck_assert_int_eq(read_chain(64, &err), NW_OK);
    ck_assert_int_eq(read_chain(65, &err), NW_LIMIT);
    ck_assert_str_eq(err.where, "tree 0");
    ck_assert_ptr_nonnull(strstr(err.message, "deeper than 64"));
}
END_TEST

START_TEST(a_model_without_trees_is_its_base_score)
{
    nw_trees *trees = NULL;
    nw_error err;
    const char *text = "{\"learner\":{\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{"
                       "\"num_trees\":\"0\"},\"tree_info\":[],\"trees\":[]},\"name\":\"gbtree\"},"
                       "\"learner_model_param\":{\"base_score\":\"7\",\"num_feature\":\"1\"},"
                       "\"objective\":{\"name\":\"reg:squarederror\"}}}";
    if (nw_trees_read(text, strlen(text), &trees, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    for (int path = 0; path < NW_TREES_N_PATHS; path++) {
        float x[3] = {1, NAN, 3}, out[3] = {0};
        if (!nw_trees_can(trees, (nw_trees_path)path))
            continue;
        nw_trees_run_with(trees, (nw_trees_path)path, x, 3, 1, out);
        for (int i = 0; i < 3; i++)
            ck_assert_float_eq(out[i], 7);
    }
    nw_trees_free(trees);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trees");
    TCase *tc = tcase_create("trees");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, models_of_all_depths);
    tcase_add_test(tc, any_number_of_rows);
    tcase_add_test(tc, values_at_and_beside_thresholds);
    tcase_add_test(tc, zero_has_no_sign);
    tcase_add_test(tc, trees_that_are_one_leaf);
    tcase_add_test(tc, lopsided_trees);
    tcase_add_test(tc, many_thresholds_and_many_features);
    tcase_add_test(tc, base_scores_of_any_size);
    tcase_add_test(tc, rows_may_lie_apart);
    tcase_add_test(tc, a_model_written_by_hand);
    tcase_add_test(tc, other_kinds_of_model_are_refused_by_name);
    tcase_add_test(tc, models_of_xgboost_that_are_refused);
    tcase_add_test(tc, broken_trees_are_refused_by_number);
    tcase_add_test(tc, broken_models_are_refused);
    tcase_add_test(tc, text_cut_anywhere_names_its_byte);
    tcase_add_test(tc, depth_has_a_limit);
    tcase_add_test(tc, a_model_without_trees_is_its_base_score);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
