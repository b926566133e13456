/* internal.h - between the parts of src/score. */
#ifndef NW_SCORE_INTERNAL_H
#define NW_SCORE_INTERNAL_H

#include "src/score/score.h"

/* 1/2 ln n in units of 1e-9, rounded; 0 on maps of one pixel. */
int64_t nw_score_log_nano(int64_t pixels, int64_t n);

/* H of a block's own convolutions, in units of 1e-9; n_convs (may be NULL): how many count. */
int64_t nw_score_block_h(const nw_graph *graph, const nw_block *block, int *n_convs);

/* The trunk at the end of a resolution. */
typedef struct nw_score_stage {
    int64_t h_nano, channels, pixels; /* channels 0: the network has no such map */
    int n_convs;
} nw_score_stage;

#define NW_SCORE_STAGES 6 /* strides 1 to 32 */

/* Returns the last resolution, -1: there is no convolution. */
int nw_score_find_stages(const nw_arch *arch, nw_score_stage stages[NW_SCORE_STAGES]);

/* What the unfused twin of a network has more (or less) than the network: adds to the unfused
 * fields of *total and of per_block, which hold the network's own before. per_block may be NULL. */
void nw_score_unfuse(const nw_arch *arch, nw_score_parts *total, nw_score_parts *per_block);

#endif
