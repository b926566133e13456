/* Boosted trees: our own inference against XGBoost's in-place prediction of the same rows, one
 * thread, processor time, the least of several rounds in turn. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "src/estimator/booster.h"
#include "src/estimator/trees.h"
#include "tests/bench.h"

enum { N_ROWS = 10000, ROUNDS = 7 };

typedef struct setup {
    int n_features, n_trees, max_depth;
    float *x, *y, *out;
    nw_buf model;
    nw_trees *trees;
    nw_booster *booster;
} setup;

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* A smooth function of some features with noise, so that trees grow to their full depth. */
static void fill(setup *s)
{
    uint32_t state = 1;
    size_t n = (size_t)N_ROWS * (size_t)s->n_features;
    s->x = malloc(n * sizeof *s->x);
    s->y = malloc(N_ROWS * sizeof *s->y);
    s->out = malloc(N_ROWS * sizeof *s->out);
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        s->x[i] = (float)(state >> 8) / (float)(1 << 24);
    }
    for (int i = 0; i < N_ROWS; i++) {
        const float *row = s->x + (size_t)i * (size_t)s->n_features;
        s->y[i] = sinf(5 * row[0]) * row[1] + row[2] * row[3] + row[4] + 0.1f * row[5] * row[6];
    }
}

static bool train(setup *s, double *train_us, nw_error *err)
{
    nw_booster_params params = nw_booster_defaults();
    params.n_trees = s->n_trees;
    params.max_depth = s->max_depth;
    double start = cpu_us();
    if (nw_booster_train(s->x, N_ROWS, s->n_features, s->y, NULL, &params, &s->model, err) != NW_OK)
        return false;
    *train_us = cpu_us() - start;
    return nw_booster_load(s->model.text, s->model.length, &s->booster, err) == NW_OK;
}

static bool bench_read(setup *s, nw_error *err)
{
    double ours = INFINITY, theirs = INFINITY;
    for (int i = 0; i < ROUNDS; i++) {
        nw_trees_free(s->trees);
        s->trees = NULL;
        double start = cpu_us();
        if (nw_trees_read(s->model.text, s->model.length, &s->trees, err) != NW_OK)
            return false;
        ours = fmin(ours, cpu_us() - start);
        start = cpu_us();
        cJSON *json = cJSON_ParseWithLength(s->model.text, s->model.length);
        theirs = fmin(theirs, cpu_us() - start);
        cJSON_Delete(json);
    }
    printf("  %-46s %7.2f ms, %.1f MB of text; cJSON alone %.1f ms (%.1f times)\n", "reading",
           ours / 1e3, (double)s->model.length / 1e6, theirs / 1e3, theirs / ours);
    return true;
}

/* Time a row when all rows go through in calls of n. */
static double row_us(const setup *s, nw_trees_path path, int n)
{
    int n_calls = N_ROWS / n;
    double start = cpu_us();
    for (int i = 0; i < n_calls; i++)
        nw_trees_run_with(s->trees, path, s->x + (size_t)i * (size_t)n * (size_t)s->n_features, n,
                          s->n_features, s->out + (size_t)i * (size_t)n);
    return (cpu_us() - start) / ((double)n_calls * n);
}

static bool bench_run(const setup *s, nw_error *err)
{
    static const int sizes[] = {1, 4, 8, 16, 64, 1000, N_ROWS};
    enum { N_SIZES = sizeof sizes / sizeof *sizes };
    double times[NW_TREES_N_PATHS][N_SIZES], xgboost = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_us();
        if (nw_booster_run(s->booster, s->x, N_ROWS, s->n_features, s->out, err) != NW_OK)
            return false;
        xgboost = fmin(xgboost, (cpu_us() - start) / N_ROWS);
        for (int path = 0; path < NW_TREES_N_PATHS; path++)
            for (int k = 0; k < N_SIZES && nw_trees_can(s->trees, (nw_trees_path)path); k++) {
                double us = row_us(s, (nw_trees_path)path, sizes[k]);
                times[path][k] = round == 0 ? us : fmin(times[path][k], us);
            }
    }
    printf("  %-46s %7.3f us a row, %d rows a call\n", "XGBoost in place", xgboost, N_ROWS);
    for (int path = 0; path < NW_TREES_N_PATHS; path++) {
        if (!nw_trees_can(s->trees, (nw_trees_path)path))
            continue;
        bool fastest =
            path + 1 == NW_TREES_N_PATHS || !nw_trees_can(s->trees, (nw_trees_path)(path + 1));
        printf("  %-46s %7.3f us a row, %.1f times as fast%s\n",
               nw_trees_path_name((nw_trees_path)path), times[path][N_SIZES - 1],
               xgboost / times[path][N_SIZES - 1], fastest ? ", goal 2.4" : "");
        printf("    us a row at rows a call");
        for (int k = 0; k < N_SIZES - 1; k++)
            printf("  %d: %.3f", sizes[k], times[path][k]);
        printf("\n");
    }
    return true;
}

static void bench_model(int n_features, int n_trees, int max_depth)
{
    setup s = {.n_features = n_features, .n_trees = n_trees, .max_depth = max_depth};
    nw_error err;
    double train_us = 0;
    fill(&s);
    printf("\nboosted trees, %d rows x %d features, %d trees of depth %d, one thread\n", N_ROWS,
           n_features, n_trees, max_depth);
    bool good = train(&s, &train_us, &err);
    if (good)
        printf("  %-46s %7.0f ms\n", "training, all of it XGBoost's", train_us / 1e3);
    if (!good || !bench_read(&s, &err) || !bench_run(&s, &err))
        printf("  %s: %s\n", err.where, err.message);
    free(s.x);
    free(s.y);
    free(s.out);
    nw_buf_fini(&s.model);
    nw_trees_free(s.trees);
    nw_booster_free(s.booster);
}

void bench_trees(void)
{
    bench_model(12, 300, 6);
    bench_model(20, 150, 6);
    bench_model(20, 60, 9);
}
