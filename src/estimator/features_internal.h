/* features_internal.h - between features.c and features_hw.c.
 */
#ifndef NW_ESTIMATOR_FEATURES_INTERNAL_H
#define NW_ESTIMATOR_FEATURES_INTERNAL_H

#include "src/estimator/features.h"

/* The sizes as every formula needs them; NAN where a role is missing. */
typedef struct nw_sizes {
    double batch, in_pixels, out_pixels, in_c, out_c, taps, groups;
    double mid_c, mid_pixels; /* between two joined parts; the output's without */
    double depth;             /* K of the first part */
    double weights, macs;     /* of both parts */
    double element_bytes, weight_bytes;
} nw_sizes;

/* The features of NW_FEATURES_HW; f is indexed by nw_feature. */
void nw_fill_hw_features(const nw_row *row, const nw_hw *hw, const nw_sizes *s, double *f);

#endif
