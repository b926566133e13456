/* scores.h - how right predictions are: the figures that every page of the program prints.
 */
#ifndef NW_ESTIMATOR_SCORES_H
#define NW_ESTIMATOR_SCORES_H

#include "src/estimator/fit.h"

/* measured and predicted, all positive. Rows whose prediction is NAN are left out. */
void nw_scores_find(const double *measured, const double *predicted, int n, nw_scores *out);

/* Rank correlation with mean ranks for ties; NAN below two rows or without variation. */
double nw_spearman(const double *a, const double *b, int n);

/* The q-quantile (0 to 1) of n values by linear interpolation; sorts them in place. */
double nw_quantile(double *values, int n, double q);

#endif
