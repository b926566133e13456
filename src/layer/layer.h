/* layer.h - networks made in code, layer by layer.
 *
 * Layers read the map where the network is (nw_layers_at) and leave it at the one they make, whose
 * tensor they return; nw_layers_go moves it elsewhere. The first mistake stays: every call after it
 * adds nothing and returns NW_NONE, nw_layers_error says what it was, so that only the end needs a
 * check. What is made: N,H,W,C, float32, batch 1, SAME padding, a bias a convolution, relu and
 * relu6 inside the operator, other activations behind it, weights without values, operators under
 * TFLite's names.
 *
 * A layer's name is that of its operator or, of several, what theirs begin with: "NAME/expand".
 * Layers without one are called conv0, block0, block1, ...
 */
#ifndef NW_LAYER_H
#define NW_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "src/arch/arch.h"
#include "src/base/error.h"
#include "src/graph/graph.h"

#define NW_LAYERS_MAX_NODES    16384
#define NW_LAYERS_MAX_SIDE     16384
#define NW_LAYERS_MAX_CHANNELS 65536
#define NW_LAYERS_MAX_KERNEL   63
#define NW_LAYERS_MAX_STRIDE   16
#define NW_LAYERS_MAX_REPEATS  256
#define NW_LAYERS_MAX_MAPS     64 /* of one concatenation or detection head */
#define NW_LAYERS_MAX_NAME     48

/* What is asked of a layer; 0, NULL and NW_OP_OPAQUE: the default. */
typedef struct nw_layer {
    const char *name;  /* letters, digits and _ - . / :  */
    int64_t c;         /* output channels; of blocks that keep them: not needed */
    int64_t kernel;    /* 3; of pooling 2 */
    int64_t stride;    /* 1; of pooling: the kernel */
    int64_t dilation;  /* 1 */
    int64_t groups;    /* of a convolution: 1 */
    int64_t group_c;   /* of grouped blocks: expanded channels a group, 64 */
    double expansion;  /* expanded over input channels: 6; 1: the expansion is left out */
    int64_t mid_c;     /* expanded channels, instead */
    double squeeze;    /* squeeze-and-excite: inner over input channels; 0: none */
    int64_t squeeze_c; /* inner channels, instead */
    double rank_in;    /* tucker: 0.25 of the input channels, in multiples of 8 */
    double rank_out;   /* tucker: 0.75 of the output channels, likewise */
    int64_t rank_in_c, rank_out_c; /* ranks, instead */
    int64_t repeats;               /* 1; the stride is the first one's */
    nw_op act;                     /* the network's; NW_OP_IDENTITY: none */
    nw_op gate; /* of squeeze-and-excite: sigmoid; hard_sigmoid beside hard_swish */
    bool no_residual;
} nw_layer;

/* ---- a network ---- */

typedef struct nw_layers nw_layers;

/* Its input is h x w x c, called "image"; act: of layers that do not say (relu6 is usual). */
nw_layers *nw_layers_new(const char *name, int64_t h, int64_t w, int64_t c, nw_op act);
void nw_layers_free(nw_layers *layers); /* NULL is fine */

/* NULL: nothing was wrong so far. */
const nw_error *nw_layers_error(const nw_layers *layers);

nw_tensor_id nw_layers_input(const nw_layers *layers);
nw_tensor_id nw_layers_at(const nw_layers *layers);
void nw_layers_go(nw_layers *layers, nw_tensor_id map);
int nw_layers_n_nodes(const nw_layers *layers);

/* A tensor of the network as a map; behind a head or a fully connected layer h x 1 x values. */
nw_hwc nw_layers_map(const nw_layers *layers, nw_tensor_id tensor);
const char *nw_layers_name(const nw_layers *layers, nw_tensor_id tensor);

void nw_layers_add_output(nw_layers *layers, nw_tensor_id tensor);
/* Gives the graph, unsealed, and frees the rest, on failure too. Without an output, the last map is
 * one. NW_INVALID, NW_LIMIT: the first mistake; err->where is the layer. */
NW_CHECKED nw_status nw_layers_end(nw_layers *layers, nw_graph **out, nw_error *err);

/* ---- layers ---- */

nw_tensor_id nw_layer_conv(nw_layers *layers, const nw_layer *layer); /* repeats too */
nw_tensor_id nw_layer_depthwise(nw_layers *layers, const nw_layer *layer);

/* IBN, FUSED, GROUPED, FUSED_GROUPED, TUCKER: the last 1x1 is linear, a residual add where size and
 * channels stay. DSEP: an activation behind the 1x1 too and no residual, as in MobileNetV1 and
 * SSDLite (the linear one is an IBN of expansion 1). Repeats. */
nw_tensor_id nw_layer_block(nw_layers *layers, nw_block_kind kind, const nw_layer *layer);

/* kernel, stride; NW_OP_MAX_POOL or NW_OP_AVERAGE_POOL. */
nw_tensor_id nw_layer_pool(nw_layers *layers, nw_op op, const nw_layer *layer);
nw_tensor_id nw_layer_global_pool(nw_layers *layers, const char *name); /* mean: 1 x 1 x c */
/* To h x w. */
nw_tensor_id nw_layer_resize(nw_layers *layers, int64_t h, int64_t w, nw_resize_mode mode,
                             const char *name);
nw_tensor_id nw_layer_act(nw_layers *layers, nw_op act, const char *name);
nw_tensor_id nw_layer_softmax(nw_layers *layers, const char *name);

/* NW_OP_ADD, NW_OP_MUL: two maps of the same channels, of one size or one of a single pixel. act:
 * behind it, NW_OP_OPAQUE: none. */
nw_tensor_id nw_layer_join(nw_layers *layers, nw_op op, nw_tensor_id a, nw_tensor_id b, nw_op act,
                           const char *name);
/* By channels; maps of one size. */
nw_tensor_id nw_layer_concat(nw_layers *layers, const nw_tensor_id *maps, int n, const char *name);

/* Fully connected to c values; act: none by default. */
nw_tensor_id nw_layer_fc(nw_layers *layers, const nw_layer *layer);

/* ---- heads ---- */

/* Global mean; mid_c: a fully connected layer of that many before the last (0: none), with act; c
 * classes. */
nw_tensor_id nw_layer_classifier(nw_layers *layers, const nw_layer *layer);

/* SSDLite's extra layer: 1x1 to mid_c (default c / 2), depthwise with stride (2), 1x1 to c. */
nw_tensor_id nw_layer_extra(nw_layers *layers, const nw_layer *layer);

/* A predictor: depthwise kernel x kernel, linear 1x1 to n_anchors * layer->c channels, a row a box:
 * rows x layer->c. */
nw_tensor_id nw_layer_predictor(nw_layers *layers, int64_t n_anchors, const nw_layer *layer);

/* SSDLite (Sandler et al. 2018): class and box predictors on each of n maps, n_anchors[i] boxes a
 * pixel; layer->c classes; outs: class scores (rows x classes) and boxes (rows x 4) of all maps.
 * They are called classes and boxes, or NAME/classes and NAME/boxes. */
bool nw_layer_ssd_head(nw_layers *layers, const nw_tensor_id *maps, const int64_t *n_anchors, int n,
                       const nw_layer *layer, nw_tensor_id outs[2]);

/* LR-ASPP (Howard et al. 2019, figure 10): the last map by a 1x1 to layer->mid_c (128) channels,
 * gated by its global mean (1x1, sigmoid), brought to the size of an earlier one, both to layer->c
 * classes and added. resizes: brought to the size of the input. */
nw_tensor_id nw_layer_lraspp(nw_layers *layers, nw_tensor_id high, nw_tensor_id low,
                             const nw_layer *layer, bool resizes);

/* "relu6", also aliases: h_swish, silu, linear. NW_OP_IDENTITY: "none"; NW_OP_COUNT: no activation
 * has that name. */
nw_op nw_layer_act_find(const char *name);

#endif
