/* score.h - zero-cost scores: what a network could learn, judged by its form alone.
 *
 * A score is a function of one network, never of the company it is listed in, and never called an
 * accuracy. All are closed forms of the lifted blocks; larger is meant to be better.
 *
 * Parts that add up over the network are integers, so that any order of adding gives the same
 * score. `unfused` parts are those of the unfused twin: the same network with every fused or
 * grouped inverted bottleneck, and every Tucker block, counted as the inverted bottleneck
 * (1x1, depthwise k x k, 1x1) between the same channels (Tucker: expanded to the input rank), so
 * that choosing a variant of a block changes latency and never the score by itself. What the twin
 * has is what the edit `variant BLOCK ibn` gives (with e = the ratio of the input rank for Tucker).
 * A k x k that does not expand counts as fused where a linear 1x1 alone reads it, and equal biases
 * or scales that an exporter stored once count wherever the twin reads them.
 *
 * default   ln(unfused params) + 0.5 ln(unfused MACs) + 0.02 (unfused H)
 * h         sum over convolutions of 1/2 ln(in_c k_h k_w / groups): the entropy core of MAE-DET
 *           (Sun et al. 2021, arXiv 2111.13336). As in the authors' own code (alibaba,
 *           lightweight-neural-architecture-search) the trunk counts and not what hangs on it:
 *           neither matrix products and convolutions of maps of one pixel (classifiers, gates),
 *           nor squeeze-and-excite, convolutions on the way round (shortcuts), predictors (blocks
 *           of kind head). MobileNetV2: 104.355
 * mae_det   sum over the maps' resolutions s of w_s (H_s + ln C_s), w = 0 0 1 1 6 for strides
 *           2 4 8 16 32; H_s: H up to the end of s, C_s: its last channels
 * (scores/compute_madnas.py) deepmad   sum over s of w_s H_s ln(C_s r_s^2), w = 1 1 1 1 8, r_s^2:
 * pixels of its map; with the cap on effectiveness (Shen et al. 2023, arXiv 2303.02165;
 * scores/compute_deepmad.py) macs, params   logarithms of the counts of graph.h, as baselines
 *
 * A resolution ends before the first convolution that makes a smaller map; the trunk alone counts,
 * so convolutions that make larger maps than came before (decoders) do not, nor do those on maps
 * smaller than 1/32. A network whose smallest map is larger than that (CIFAR) has the weights
 * shifted: the last resolution has the last weight.
 */
#ifndef NW_SCORE_H
#define NW_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/arch/arch.h"

/* kind, name everywhere */
#define NW_SCORES(X)                                                                               \
    X(DEFAULT, "default")                                                                          \
    X(ENTROPY, "h")                                                                                \
    X(MAE_DET, "mae_det")                                                                          \
    X(DEEPMAD, "deepmad")                                                                          \
    X(MACS, "macs")                                                                                \
    X(PARAMS, "params")

typedef enum nw_score_kind {
#define X(kind, name) NW_SCORE_##kind,
    NW_SCORES(X)
#undef X
        NW_SCORE_COUNT
} nw_score_kind;

const char *nw_score_name(nw_score_kind kind);
nw_score_kind nw_score_find(const char *name); /* NW_SCORE_COUNT: none */

/* Additive over blocks, exact. */
typedef struct nw_score_parts {
    int64_t macs, params;                 /* the network's own */
    int64_t unfused_macs, unfused_params; /* of its unfused twin */
    int64_t h_nano;         /* H in units of 1e-9; channels and kernel of a convolution are rounded
                             * once each, so that fusing changes no bit of it */
    int64_t unfused_h_nano; /* its twin's; differs for grouped and Tucker blocks */
} nw_score_parts;

/* The parts of a network; per_block (may be NULL): room for one a block of nw_arch_blocks. What
 * belongs to no block (folded nodes) is in the total alone. The total's macs and params are those
 * of nw_graph_count. */
void nw_score_find_parts(const nw_arch *arch, nw_score_parts *total, nw_score_parts *per_block);

/* The default from parts. fusion_credit 0 to 1: how much of what fusing adds in MACs, params and
 * H counts (0: none, the default; see README on how scores are gamed). -INFINITY without MACs or
 * params. */
double nw_score_default(const nw_score_parts *parts, double fusion_credit);

typedef struct nw_score {
    nw_score_parts parts;
    double values[NW_SCORE_COUNT]; /* NAN: not defined for this network */
    /* DeepMAD's: depth over the geometric mean of the widths (in_c k_h k_w / groups of each
     * convolution), the largest over the ends of resolutions; NAN: none. */
    double effectiveness;
    bool is_capped; /* it is beyond the cap: DeepMAD would not have the network. The value is what
                     * the formula gives all the same */
} nw_score;

/* On effectiveness: 0.3 to 0.5 in the authors' configurations for ImageNet. A depthwise 3x3 is 9
 * wide, so thin mobile networks are beyond it: MobileNetV2 has 0.94. */
#define NW_DEEPMAD_CAP 0.5

void nw_score_of(const nw_arch *arch, nw_score *out);

#endif
