/* base.h - the part of a regression that is a formula: a non-negative sum of a few features.
 *
 * latency = c0 + sum of c_i x feature_i, c >= 0, the sum of squared relative errors least
 * (non-negative least squares by coordinate descent). The trees learn the factor that is left, so
 * a prediction grows with the work also outside the range that was measured.
 */
#ifndef NW_ESTIMATOR_BASE_H
#define NW_ESTIMATOR_BASE_H

#define NW_MAX_TERMS 20

typedef struct nw_base {
    int n_terms;
    int value[NW_MAX_TERMS]; /* index of a value (features.h); -1: the constant */
    double coefficient[NW_MAX_TERMS];
    double least; /* a prediction is never below: a tenth of the least that was measured */
} nw_base;

/* x: n rows of `stride` values, y: positive targets. Terms are chosen from the values that are
 * known in all rows. */
void nw_base_fit(const float *x, int stride, const double *y, int n, nw_base *out);

double nw_base_of(const nw_base *base, const float *row);

#endif
