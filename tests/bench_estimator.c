/* Estimates by a regression: a network of 150 kernels from scratch and with its kernels remembered,
 * beside the simulated device on the same kernels; training beside XGBoost's own share. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "src/estimator/booster.h"
#include "src/estimator/dataset.h"
#include "src/estimator/estimator.h"
#include "src/measure/measure.h"
#include "tests/bench.h"

enum { N_KERNELS = 150, ROUNDS = 31 };

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The first networks of a plan, end to end, until there are enough kernels: repetitions in it are
 * those of real networks. */
static int take_kernels(const nw_hw *hw, nw_kernel_shape *shapes, const nw_kernel_shape **list)
{
    nw_sampling_options options = {.seed = 7, .n_networks = 12};
    nw_sampling *plan;
    int n = 0;
    if (nw_sampling_make(hw, &options, &plan, NULL) != NW_OK)
        return 0;
    for (int i = 0; i < plan->n_rows && n < N_KERNELS; i++) {
        shapes[n] = plan->rows[i].shape;
        list[n] = &shapes[n];
        n++;
    }
    nw_sampling_free(plan);
    return n;
}

static void bench_hw(const char *name)
{
    static nw_kernel_shape shapes[N_KERNELS];
    const nw_kernel_shape *list[N_KERNELS];
    nw_kernel_latency out[N_KERNELS];
    const nw_estimator *estimator;
    nw_error err;
    nw_hw *hw;
    double scratch = INFINITY, remembered = INFINITY, device = INFINITY;
    if (nw_hw_load(name, "hw", &hw, &err) != NW_OK)
        return;
    if (nw_estimator_open("regression", hw, "build/hw", &estimator, NULL, 0, &err) != NW_OK) {
        printf("  %s: %s\n", name, err.message);
        nw_hw_free(hw);
        return;
    }
    int n = take_kernels(hw, shapes, list);
    for (int round = 0; round < ROUNDS; round++) {
        nw_estimator_forget(estimator);
        double start = cpu_us();
        nw_estimator_latencies(estimator, hw, list, n, out);
        scratch = fmin(scratch, cpu_us() - start);
        start = cpu_us();
        for (int k = 0; k < 10; k++)
            nw_estimator_latencies(estimator, hw, list, n, out);
        remembered = fmin(remembered, (cpu_us() - start) / 10);
        start = cpu_us();
        nw_estimator_latencies(nw_estimator_device(), hw, list, n, out);
        device = fmin(device, cpu_us() - start);
    }
    printf("  %-14s %3d kernels: from scratch %6.1f us, goal 100; remembered %5.2f us, goal 5; the "
           "simulated device %6.1f us (%.1f times)\n",
           name, n, scratch, remembered, device, device / scratch);
    nw_estimator_release(estimator);
    nw_hw_free(hw);
}

static nw_table *make_table(int n_rows)
{
    nw_buf text = {0};
    uint32_t state = 1;
    nw_table *table = NULL;
    nw_buf_puts(&text, "kernel,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,"
                       "stride_w,latency_us\n");
    for (int i = 0; i < n_rows; i++) {
        int sizes[4];
        for (int k = 0; k < 4; k++) {
            state = state * 1664525u + 1013904223u;
            sizes[k] = (int)(state >> 23);
        }
        int map = 7 + sizes[0] / 4, in = 1 + sizes[1], out = 1 + sizes[2], k = 1 + sizes[3] % 2 * 2;
        double us = 5 + 1e-4 * map * map * ceil(in / 16.0) * ceil(out / 16.0) * k * k;
        nw_buf_printf(&text, "conv,%d,%d,%d,%d,%d,%d,%d,%d,1,1,%.6f\n", map, map, in, map, map, out,
                      k, k, us);
    }
    nw_file *file = nw_file_from_bytes("bench", text.text, text.length);
    if (nw_table_read(file, &table, NULL) != NW_OK)
        table = NULL;
    nw_file_release(file);
    nw_buf_fini(&text);
    return table;
}

/* XGBoost alone on the matrix and with the parameters of the fit: the final model, and five folds
 * of four fifths. */
static double xgboost_us(const nw_table *table, const nw_regression *r)
{
    const nw_group *g = &r->groups[0];
    nw_columns columns;
    nw_dataset d;
    nw_dataset_options options = {.target = "latency_us"};
    if (nw_columns_bind(table, NULL, NULL, 0, &columns, NULL) != NW_OK ||
        nw_dataset_read(table, &columns, &options, &d, NULL) != NW_OK)
        return NAN;
    size_t width = (size_t)g->n_features;
    float *x = malloc((size_t)d.n_rows * width * sizeof *x),
          *y = malloc((size_t)d.n_rows * sizeof *y);
    for (int i = 0; i < d.n_rows; i++) {
        const float *row = d.values + (size_t)i * (size_t)d.stride;
        for (size_t f = 0; f < width; f++)
            x[(size_t)i * width + f] = row[g->feature[f]];
        y[i] = (float)log(d.target[i] / nw_base_of(&g->base, row));
    }
    double start = cpu_us();
    for (int fold = 0; fold < 6; fold++) {
        nw_buf model = {0};
        nw_booster_params params = nw_fit_params(d.n_rows, g->report.n_trees, 0);
        int n = fold ? d.n_rows * 4 / 5 : d.n_rows;
        if (nw_booster_train(x, n, g->n_features, y, NULL, &params, &model, NULL) != NW_OK)
            start = NAN;
        nw_buf_fini(&model);
    }
    double us = cpu_us() - start;
    free(x);
    free(y);
    nw_dataset_fini(&d);
    return us;
}

static void bench_training(void)
{
    enum { ROWS = 10000 };
    nw_table *table = make_table(ROWS);
    nw_regression *r;
    nw_error err;
    nw_fit_options o = {.target = "latency_us"};
    double start = cpu_us();
    if (!table || nw_fit(table, &o, &r, &err) != NW_OK)
        return;
    double whole = cpu_us() - start, theirs = xgboost_us(table, r);
    printf(
        "  nasw fit of %d rows, %d trees, five folds and the model: %.0f ms, XGBoost's own share "
        "%.0f ms (%.2f times)\n",
        ROWS, nw_regression_group_report(r, 0)->n_trees, whole / 1e3, theirs / 1e3, whole / theirs);
    nw_regression_release(r);
    nw_table_free(table);
}

void bench_estimator(void)
{
    static const char *const names[] = {"ne32", "u55-256", "systolic16-ws"};
    printf("\nregressions: latencies of a network, one thread, processor time, least of %d\n",
           ROUNDS);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        bench_hw(names[i]);
    bench_training();
}
