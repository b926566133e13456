/* Landscapes: figures of a grid with climbs from every point. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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
}
