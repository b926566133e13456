/* plan_family.h - the kinds of networks that random networks are of, and the blocks that they are
 * made of; private to src/measure.
 *
 * A family draws a network from its input to its outputs; what it is modelled on stands with it.
 * To add one: its function, and its row in plan.c.
 */
#ifndef NW_MEASURE_PLAN_FAMILY_H
#define NW_MEASURE_PLAN_FAMILY_H

#include "src/measure/plan_draw.h"

/* plan_classify.c */
void nw_family_separable(nw_draw *d);
void nw_family_ibn(nw_draw *d);
void nw_family_fused(nw_draw *d);
void nw_family_resnet(nw_draw *d);
void nw_family_vgg(nw_draw *d);
void nw_family_fire(nw_draw *d);
void nw_family_shuffle(nw_draw *d);
void nw_family_branch(nw_draw *d);
void nw_family_tiny(nw_draw *d);

/* plan_detect.c */
void nw_family_ssd(nw_draw *d);
void nw_family_face(nw_draw *d);
void nw_family_blaze(nw_draw *d);
void nw_family_yunet(nw_draw *d);
void nw_family_yolo(nw_draw *d);

/* plan_segment.c */
void nw_family_lraspp(nw_draw *d);
void nw_family_deeplab(nw_draw *d);
void nw_family_unet(nw_draw *d);
void nw_family_selfie(nw_draw *d);
void nw_family_pixels(nw_draw *d);
void nw_family_attention(nw_draw *d);

/* plan_mixed.c */
void nw_family_mixed(nw_draw *d);

/* ---- blocks (plan_block.c): read d->at and leave their result there ---- */

/* Global mean, two pointwise convolutions, a gate, times the map. */
void nw_draw_squeeze_excite(nw_draw *d, int c_reduced, nw_op act, nw_op gate);

typedef struct nw_draw_block {
    int c_out;
    double expansion;      /* of the inner channels over the input's; 1: no expanding convolution */
    nw_draw_window window; /* of the depthwise or the fused convolution */
    double squeeze;        /* squeeze-and-excite channels over the inner ones; 0: none */
    nw_op act;
    int groups; /* fused: channels a group, 0: dense */
} nw_draw_block;

/* Inverted bottleneck; residual where stride and channels allow. */
void nw_draw_ibn(nw_draw *d, const nw_draw_block *block);

/* The same with one dense or grouped convolution in place of the expanding and the depthwise one.
 */
void nw_draw_fused(nw_draw *d, const nw_draw_block *block);

/* MobileDets' compression: 1x1 down, kxk, 1x1 up. */
void nw_draw_tucker(nw_draw *d, int c_out, double squeeze_in, double squeeze_out,
                    nw_draw_window window, nw_op act);

/* Depthwise, then pointwise. */
void nw_draw_separable(nw_draw *d, int c_out, nw_draw_window window, nw_op middle, nw_op act);

/* The end of a classifier: pooling, fully connected or pointwise, often a softmax; an output. */
void nw_draw_classifier(nw_draw *d);

/* ---- backbones (plan_block.c) ---- */

typedef enum nw_backbone { NW_BACKBONE_SEPARABLE, NW_BACKBONE_IBN, NW_BACKBONE_FUSED } nw_backbone;

#define NW_DRAW_MAX_TAPS 8

/* Maps by the size they have: the last map of each resolution, the largest first. */
typedef struct nw_draw_taps {
    nw_draw_map maps[NW_DRAW_MAX_TAPS];
    int n;
} nw_draw_taps;

/* From the image down to 1/32 of its sides, or to 1/max_reduction, where dilated convolutions take
 * the place of further strides. d->act and d->at follow. width: 1 is that of MobileNet. */
void nw_draw_backbone(nw_draw *d, nw_backbone kind, double width, int max_reduction,
                      nw_draw_taps *taps);

#endif
