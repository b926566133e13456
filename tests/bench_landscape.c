/* Landscapes: figures of a grid with climbs from every point; points of a slice of the built-in
 * detector, from nothing and from a plan that knows every entry. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "src/base/arena.h"
#include "src/format/format.h"
#include "src/landscape/landscape.h"
#include "tests/bench.h"

enum { SIZE = 256, ROUNDS = 7 };

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void bench_figures(const char *name, const double *values)
{
    nw_terrain terrain = {2, {SIZE, SIZE}, {NW_AXIS_STEPS}, (int64_t)SIZE * SIZE, values};
    nw_figures figures;
    double least = INFINITY;
    for (int i = 0; i < ROUNDS; i++) {
        double start = cpu_ms();
        nw_figures_find(&terrain, 0, &figures);
        least = fmin(least, cpu_ms() - start);
    }
    printf("  %-46s %7.1f ms, goal 50; %lld minima, climbs of %.0f evaluations\n", name, least,
           (long long)figures.n_minima, figures.mean_evaluations);
}

/* ---- slices ---- */

static double wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Channels of stages 3 and 4, 1 to SIZE. */
static nw_status make_space(const nw_space **out, nw_error *err)
{
    nw_graph *graph;
    nw_option *options = nw_zalloc(SIZE * sizeof *options);
    nw_status status = nw_model_load("demo", NULL, 0, &graph, err);
    if (status != NW_OK)
        return status;
    const nw_arch *arch = nw_arch_lift(graph);
    nw_space *space = nw_space_new("bench", arch);
    nw_arch_release(arch);
    for (int i = 0; i < SIZE; i++)
        options[i].n = 1 + i;
    for (int k = 0; k < 2 && status == NW_OK; k++) {
        nw_dim_spec spec = {
            .kind = NW_DIM_CHANNELS, .where = k ? "4" : "3", .options = options, .n_options = SIZE};
        status = nw_space_add(space, &spec, err);
    }
    if (status == NW_OK)
        status = nw_space_seal(space, err);
    free(options);
    *out = space;
    return status;
}

/* A new slice each time: the plan alone remembers. */
static nw_status fill(nw_plan *plan, double *ms, nw_error *err)
{
    uint16_t genome[NW_MAX_DIMS];
    nw_slice *slice;
    nw_space_base_genome(nw_plan_space(plan), genome);
    nw_slice_spec spec = {.x_dim = 0,
                          .y_dim = 1,
                          .genome = genome,
                          .metric = NW_METRIC_OBJECTIVE,
                          .objective = nw_plan_objective(plan)};
    double start = wall_ms();
    nw_status status = nw_slice_new(plan, &spec, &slice, err);
    if (status != NW_OK)
        return status;
    nw_slice_fill(slice, NULL, NULL, NULL);
    *ms = wall_ms() - start;
    nw_slice_free(slice);
    return NW_OK;
}

static nw_status bench_slice(nw_error *err)
{
    const nw_space *space = NULL;
    nw_hw *hw = NULL;
    nw_plan *plan = NULL;
    double cold_ms = 0, ms = 0, warm_ms = INFINITY, n = (double)SIZE * SIZE;
    nw_status status = make_space(&space, err);
    if (status == NW_OK)
        status = nw_hw_load("ne32", "hw", &hw, err);
    if (status == NW_OK)
        status = nw_plan_new(space, hw, nw_estimator_device(), NULL, NULL, &plan, err);
    if (status == NW_OK)
        status = fill(plan, &cold_ms, err);
    for (int i = 0; i < ROUNDS && status == NW_OK; i++) {
        status = fill(plan, &ms, err);
        warm_ms = fmin(warm_ms, ms);
    }
    if (status == NW_OK) {
        printf("\n%d x %d points of the detector's slice, ne32 by the device, all processors\n",
               SIZE, SIZE);
        printf("  %-46s %7.0f ms, %.0f points a second\n", "a plan that knows nothing", cold_ms,
               n / cold_ms * 1e3);
        printf("  %-46s %7.1f ms, goal 100; %.2f million points a second\n",
               "a plan that knows every entry", warm_ms, n / warm_ms / 1e3);
    }
    nw_plan_free(plan);
    nw_hw_free(hw);
    nw_space_release(space);
    return status;
}

void bench_landscape(void)
{
    double *values = malloc((size_t)SIZE * SIZE * sizeof *values);
    printf("\nfigures of %d x %d points, climbs from every one, one thread\n", SIZE, SIZE);
    for (int i = 0; i < SIZE * SIZE; i++)
        values[i] = i % SIZE + 1.5 * (i / SIZE);
    bench_figures("a ramp", values);
    for (int i = 0; i < SIZE * SIZE; i++)
        values[i] = i % SIZE / 32 + i / SIZE / 32;
    bench_figures("a staircase", values);
    for (int i = 0; i < SIZE * SIZE; i++)
        values[i] = sin(i % SIZE / 20.0) + cos(i / SIZE / 30.0) + i * 2654435761u % 1024 / 4096.0;
    bench_figures("hills with noise", values);
    free(values);
    nw_error err;
    if (bench_slice(&err) != NW_OK)
        printf("  %s: %s\n", err.where, err.message);
}
