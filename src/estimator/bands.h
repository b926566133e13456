/* bands.h - from kernels to networks: the affine step and the error bands.
 *
 * The unit of a sum is what independent errors would give it: with p the prediction of a kernel, s
 * the spread of its group (root mean square of ln(measured / predicted), out of fold) and m how
 * often it occurs,
 *     unit = sqrt(sum over distinct kernels of (m p s)^2 + (sum / 500)^2).
 * A difference takes m as the difference of the two counts, so shared kernels cancel, and its sum
 * over the same. A band is the 5 % and 95 % quantile of (measured - predicted) / unit over networks
 * whose kernels were predicted out of fold; over pairs of kin ("base/variant") for differences.
 */
#ifndef NW_ESTIMATOR_BANDS_H
#define NW_ESTIMATOR_BANDS_H

#include "src/estimator/dataset.h"

/* y = a x + b with the least sum of squared relative errors; b 0 where x does not vary. */
void nw_affine_fit(const double *x, const double *y, int n, double *a, double *b);

double nw_band_unit(double sum, double squares);

/* Fills the report's networks, a, b, bands from out-of-fold predictions, a row each. */
NW_CHECKED nw_status nw_fit_networks(nw_regression *r, const nw_dataset *data,
                                     const nw_fit_options *options, const double *oof,
                                     nw_error *err);

#endif
