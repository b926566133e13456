/* referee_self.h - self-consistency: regressions against the simulated device that they were
 * trained on, on shapes and networks that were not in training. Says nothing about any chip.
 */
#ifndef NW_TESTS_REFEREE_SELF_H
#define NW_TESTS_REFEREE_SELF_H

#include <stdbool.h>

#include "src/estimator/estimator.h"

/* Sums over networks; errors in percent of the device. */
typedef struct self_score {
    int n_networks, n_kernels, n_outside;
    double kernel_mape, network_mape, worst_network;
    int n_total_bands, n_total_inside; /* networks whose device total the band holds */
    int n_pairs, n_pairs_inside;       /* with edits of them: differences that their band holds */
} self_score;

/* A regression of a preset from build/estimators, NULL if it is not built. Release with
 * nw_estimator_release. */
const nw_estimator *self_estimator(const nw_hw *hw);

/* Adds a network to a score. False: it cannot be estimated here. */
bool self_add(const nw_estimator *estimator, const nw_graph *graph, const nw_hw *hw,
              self_score *score);
void self_finish(self_score *score); /* sums become means */

/* All models of ../shared/models. False: they are not there. */
bool self_score_models(const nw_estimator *estimator, const nw_hw *hw, self_score *out);

/* Random networks of the sampling plan's families under another seed than training's. */
void self_score_random(const nw_estimator *estimator, const nw_hw *hw, int n, self_score *out);

/* Variants of one detector on inverted bottlenecks: widths, kernels, fused blocks. */
typedef struct self_variants {
    int n;
    double spearman, macs_spearman;
    int n_pairs, n_inside; /* pairs of variants; their difference inside its band */
    double same_way;       /* percent of pairs over 1 % apart that are ordered alike */
} self_variants;
void self_score_variants(const nw_estimator *estimator, const nw_hw *hw, self_variants *out);

/* Sweeps of output and input channels, one by one, pointwise, 3x3 and depthwise: steps that move
 * the device by more than 5 %, percent of them where the regression moves the same way. */
typedef struct self_steps {
    int n;
    double same_way, macs_same_way;
} self_steps;
void self_score_steps(const nw_estimator *estimator, const nw_hw *hw, self_steps *out);

#endif
