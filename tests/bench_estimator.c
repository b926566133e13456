/* Estimates by a regression: a network of 150 kernels from scratch and with its kernels remembered,
 * beside the simulated device on the same kernels; training beside XGBoost's own share. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "src/estimator/booster.h"
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
    nw_plan_options options = {.seed = 7, .n_networks = 12};
    nw_plan *plan;
    int n = 0;
    if (nw_plan_make(hw, &options, &plan, NULL) != NW_OK)
        return 0;
    for (int i = 0; i < plan->n_rows && n < N_KERNELS; i++) {
        shapes[n] = plan->rows[i].shape;
        list[n] = &shapes[n];
        n++;
    }
    nw_plan_free(plan);
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

/* A table of 10,000 rows fitted as nasw fit does, against XGBoost alone on the same matrix as
 * often. */
static void bench_training(void)
{
    enum { ROWS = 10000, FEATURES = 40 };
    nw_buf text = {0}, model = {0};
    nw_error err;
    uint32_t state = 1;
    nw_buf_puts(&text, "kernel,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,"
                       "stride_w,latency_us\n");
    for (int i = 0; i < ROWS; i++) {
        int map, in, out, k;
        state = state * 1664525u + 1013904223u;
        map = 7 + (int)(state >> 25);
        state = state * 1664525u + 1013904223u;
        in = 1 + (int)(state >> 23);
        state = state * 1664525u + 1013904223u;
        out = 1 + (int)(state >> 23);
        k = 1 + 2 * (int)(state >> 20 & 1);
        double us = 5 + 1e-4 * map * map * ceil(in / 16.0) * ceil(out / 16.0) * k * k;
        nw_buf_printf(&text, "conv,%d,%d,%d,%d,%d,%d,%d,%d,1,1,%.6f\n", map, map, in, map, map, out,
                      k, k, us);
    }
    nw_table *table;
    nw_regression *r;
    nw_file *file = nw_file_from_bytes("bench", text.text, text.length);
    nw_fit_options o = {.target = "latency_us"};
    double start = cpu_us();
    if (nw_table_read(file, &table, &err) != NW_OK || nw_fit(table, &o, &r, &err) != NW_OK) {
        printf("  %s: %s\n", err.where, err.message);
        return;
    }
    double whole = cpu_us() - start;
    float *x = malloc(sizeof *x * ROWS * FEATURES), *y = malloc(sizeof *y * ROWS);
    for (int i = 0; i < ROWS * FEATURES; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8);
    }
    for (int i = 0; i < ROWS; i++)
        y[i] = sinf(x[i * FEATURES]) + x[i * FEATURES + 1] * 1e-7f;
    nw_booster_params params = nw_booster_defaults();
    params.max_depth = 8;
    params.subsample = 0.8;
    params.colsample = 0.5;
    start = cpu_us();
    if (nw_booster_train(x, ROWS, FEATURES, y, NULL, &params, &model, &err) != NW_OK)
        printf("  %s\n", err.message);
    double one = cpu_us() - start;
    printf("  training on %d rows, six models of 300 trees, read, scored: %.0f ms; XGBoost alone "
           "on %d features, six times: %.0f ms (%.2f times)\n",
           ROWS, whole / 1e3, FEATURES, 6 * one / 1e3, whole / (6 * one));
    nw_regression_release(r);
    nw_table_free(table);
    nw_file_release(file);
    nw_buf_fini(&text);
    nw_buf_fini(&model);
    free(x);
    free(y);
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
