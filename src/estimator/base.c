#include "src/estimator/base.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "src/estimator/features.h"

#define AT(feature)   ((int)NW_ROLE_COUNT + NW_FEATURE_##feature)
#define ROLE(feature) ((int)NW_ROLE_##feature)

/* The depth of a product stands for the serial part of a small problem, channels and taps for what
 * is set up per row. */
static const int candidates[] = {-1,
                                 AT(MACS),
                                 AT(WINDOW_OPS),
                                 AT(IN_ELEMENTS),
                                 AT(OUT_ELEMENTS),
                                 AT(WEIGHT_ELEMENTS),
                                 AT(DRAM_ELEMENTS),
                                 AT(DEPTH),
                                 AT(OUT_PIXELS),
                                 ROLE(IN_C),
                                 ROLE(OUT_C),
                                 AT(TAPS),
                                 AT(ROOFLINE_CYCLES),
                                 AT(WORK_CYCLES),
                                 AT(COMMAND_CYCLES),
                                 AT(ARRAY_CYCLES),
                                 AT(OUTPUT_CYCLES),
                                 AT(SRAM_CYCLES),
                                 AT(DRAM_CYCLES),
                                 AT(HOST_US)};

_Static_assert(sizeof candidates / sizeof *candidates <= NW_MAX_TERMS, "too many terms");

/* Few rows would bend many terms to fit: then only what any device has, its fixed cost and its
 * work. */
static const int few_with_hw[] = {-1, AT(ROOFLINE_CYCLES), AT(HOST_US)};
static const int few_without[] = {
    -1, AT(MACS), AT(WINDOW_OPS), AT(IN_ELEMENTS), AT(OUT_ELEMENTS), AT(WEIGHT_ELEMENTS)};

#define FEW_ROWS 60

static double term_of(int value, const float *row)
{
    return value < 0 ? 1 : row[value];
}

static bool is_usable(int value, const float *x, int stride, int n)
{
    bool is_any = false;
    for (int i = 0; i < n; i++) {
        double v = term_of(value, x + (size_t)i * (size_t)stride);
        if (!isfinite(v) || v < 0)
            return false;
        is_any |= v > 0;
    }
    return is_any;
}

/* Minimises sum_i (sum_j c_j t_ij / y_i - 1)^2 over c >= 0, columns scaled to unit length. */
static void solve(double gram[NW_MAX_TERMS][NW_MAX_TERMS], const double *right, int n, double *c)
{
    memset(c, 0, (size_t)n * sizeof *c);
    for (int round = 0; round < 3000; round++) {
        double moved = 0;
        for (int j = 0; j < n; j++) {
            double gradient = right[j];
            for (int k = 0; k < n; k++)
                gradient -= gram[j][k] * c[k];
            double next = fmax(0, c[j] + gradient / gram[j][j]);
            moved = fmax(moved, fabs(next - c[j]));
            c[j] = next;
        }
        if (moved < 1e-9)
            break;
    }
}

void nw_base_fit(const float *x, int stride, const double *y, int n, nw_base *out)
{
    double gram[NW_MAX_TERMS][NW_MAX_TERMS] = {{0}}, right[NW_MAX_TERMS] = {0};
    double scale[NW_MAX_TERMS] = {0}, c[NW_MAX_TERMS], least = INFINITY;
    *out = (nw_base){0};
    const int *terms = candidates;
    size_t n_terms = sizeof candidates / sizeof *candidates;
    if (n < FEW_ROWS && is_usable(AT(ROOFLINE_CYCLES), x, stride, n)) {
        terms = few_with_hw;
        n_terms = sizeof few_with_hw / sizeof *few_with_hw;
    } else if (n < FEW_ROWS) {
        terms = few_without;
        n_terms = sizeof few_without / sizeof *few_without;
    }
    for (size_t k = 0; k < n_terms; k++)
        if (is_usable(terms[k], x, stride, n))
            out->value[out->n_terms++] = terms[k];
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n; i++) {
            const float *row = x + (size_t)i * (size_t)stride;
            double t[NW_MAX_TERMS];
            least = fmin(least, y[i]);
            for (int j = 0; j < out->n_terms; j++) {
                t[j] = term_of(out->value[j], row) / y[i];
                if (pass == 0)
                    scale[j] += t[j] * t[j];
            }
            for (int j = 0; j < out->n_terms && pass == 1; j++) {
                right[j] += t[j] / sqrt(scale[j]);
                for (int k = 0; k < out->n_terms; k++)
                    gram[j][k] += t[j] * t[k] / sqrt(scale[j] * scale[k]);
            }
        }
    solve(gram, right, out->n_terms, c);
    int kept = 0;
    for (int j = 0; j < out->n_terms; j++)
        if (c[j] > 0) {
            out->value[kept] = out->value[j];
            out->coefficient[kept++] = c[j] / sqrt(scale[j]);
        }
    out->n_terms = kept;
    out->least = least / 10;
}

double nw_base_of(const nw_base *base, const float *row)
{
    double sum = 0;
    for (int j = 0; j < base->n_terms; j++)
        sum += base->coefficient[j] * term_of(base->value[j], row);
    return sum > base->least ? sum : base->least;
}
