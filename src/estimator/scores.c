#include "src/estimator/scores.h"

#include <math.h>
#include <stdlib.h>

#include "src/base/arena.h"

typedef struct ranked {
    double value;
    int index;
} ranked;

static int compare_ranked(const void *a, const void *b)
{
    double x = ((const ranked *)a)->value, y = ((const ranked *)b)->value;
    return (x > y) - (x < y);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double *find_ranks(const double *values, int n)
{
    ranked *order = nw_alloc((size_t)n * sizeof *order);
    double *ranks = nw_alloc((size_t)n * sizeof *ranks);
    for (int i = 0; i < n; i++)
        order[i] = (ranked){values[i], i};
    qsort(order, (size_t)n, sizeof *order, compare_ranked);
    for (int i = 0; i < n;) {
        int end = i + 1;
        while (end < n && order[end].value == order[i].value)
            end++;
        for (int k = i; k < end; k++)
            ranks[order[k].index] = 0.5 * (double)(i + end - 1);
        i = end;
    }
    free(order);
    return ranks;
}

static double correlation(const double *a, const double *b, int n)
{
    double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < n; i++) {
        mean_a += a[i] / n;
        mean_b += b[i] / n;
    }
    for (int i = 0; i < n; i++) {
        ab += (a[i] - mean_a) * (b[i] - mean_b);
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : NAN;
}

double nw_spearman(const double *a, const double *b, int n)
{
    if (n < 2)
        return NAN;
    double *ranks_a = find_ranks(a, n), *ranks_b = find_ranks(b, n);
    double rho = correlation(ranks_a, ranks_b, n);
    free(ranks_a);
    free(ranks_b);
    return rho;
}

double nw_quantile(double *values, int n, double q)
{
    if (n < 1)
        return NAN;
    qsort(values, (size_t)n, sizeof *values, compare_doubles);
    double at = q * (n - 1);
    int low = (int)floor(at);
    if (low >= n - 1)
        return values[n - 1];
    return values[low] + (at - low) * (values[low + 1] - values[low]);
}

void nw_scores_find(const double *measured, const double *predicted, int n, nw_scores *out)
{
    *out = (nw_scores){0};
    double *a = nw_alloc((size_t)n * sizeof *a + 1), *b = nw_alloc((size_t)n * sizeof *b + 1);
    double squares = 0;
    for (int i = 0; i < n; i++) {
        if (isnan(predicted[i]))
            continue;
        double error = fabs(predicted[i] / measured[i] - 1);
        a[out->n] = measured[i];
        b[out->n++] = predicted[i];
        out->mape += error;
        squares += error * error;
        out->within_5 += error <= 0.05 + 1e-12;
        out->within_10 += error <= 0.10 + 1e-12;
    }
    double share = out->n ? 100.0 / out->n : NAN;
    out->mape *= share;
    out->within_5 *= share;
    out->within_10 *= share;
    out->rmspe = out->n ? 100 * sqrt(squares / out->n) : NAN;
    out->spearman = nw_spearman(a, b, out->n);
    free(a);
    free(b);
}
