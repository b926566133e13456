/* sample.c - from single visits to the figures of a kernel.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/exec/internal.h"

#define SHORT_US    20  /* shorter visits are averaged */
#define LONG_US     3e5 /* in all, for a kernel in a process */
#define MIN_SAMPLES 5

double nw_exec_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

int nw_exec_visits_per_sample(double visit_us)
{
    if (visit_us >= SHORT_US)
        return 1;
    int n = visit_us > 0 ? (int)(SHORT_US / visit_us) + 1 : NW_EXEC_MAX_VISITS_PER_SAMPLE;
    return n < NW_EXEC_MAX_VISITS_PER_SAMPLE ? n : NW_EXEC_MAX_VISITS_PER_SAMPLE;
}

int nw_exec_sample_count(double visit_us, int repeats)
{
    int least = repeats < MIN_SAMPLES ? repeats : MIN_SAMPLES;
    double n = visit_us > 0 ? LONG_US / visit_us : repeats;
    return n >= repeats ? repeats : n <= least ? least : (int)n;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts values. */
static double median_of(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double nw_exec_least(const double *visits, int n)
{
    double least = visits[0];
    for (int i = 1; i < n; i++)
        least = visits[i] < least ? visits[i] : least;
    return least;
}

void nw_exec_read_visits(double *visits, int n_visits, int n_mean, nw_exec_reading *out)
{
    int n = n_visits / n_mean;
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int k = 0; k < n_mean; k++)
            sum += visits[i * n_mean + k];
        visits[i] = sum / n_mean;
    }
    out->median_us = median_of(visits, n);
    out->min_us = visits[0];
    out->is_timed = true;
}

void nw_exec_sum_up(const nw_exec_reading *readings, int stride, int n_processes,
                    nw_exec_timing *out)
{
    double minima[NW_EXEC_MAX_PROCESSES], medians[NW_EXEC_MAX_PROCESSES];
    const nw_exec_reading *first = &readings[0];
    memset(out, 0, sizeof *out);
    memcpy(out->reason, first->reason, sizeof out->reason);
    memcpy(out->impl, first->impl, sizeof out->impl);
    if (!first->is_timed)
        return;
    for (int p = 0; p < n_processes; p++) {
        minima[p] = readings[p * stride].min_us;
        medians[p] = readings[p * stride].median_us;
    }
    out->is_timed = true;
    out->median_us = median_of(medians, n_processes);
    double middle = median_of(minima, n_processes);
    out->min_us = minima[0];
    out->spread = middle > 0 ? (minima[n_processes - 1] - minima[0]) / middle : 0;
}

nw_exec_options nw_exec_options_used(const nw_exec_options *options)
{
    nw_exec_options o = options ? *options : (nw_exec_options){0};
    o.repeats = o.repeats > 0 ? o.repeats : 25;
    o.repeats = o.repeats < NW_EXEC_MAX_REPEATS ? o.repeats : NW_EXEC_MAX_REPEATS;
    o.processes = o.processes > 0 ? o.processes : 5;
    o.processes = o.processes < NW_EXEC_MAX_PROCESSES ? o.processes : NW_EXEC_MAX_PROCESSES;
    return o;
}
