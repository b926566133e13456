/* plan_draw.h - drawing one random network, layer after layer; private to src/measure.
 *
 * A drawing has a place, `at`, the map that the next layer reads; branches save it and come back.
 * How the file writes things is drawn once a network: the order of dimensions, activations inside
 * operators or behind them, batch normalisation, padding, the kind of integers. Layers follow that
 * by themselves, so a family of networks says only what it computes.
 *
 * Weights have shapes and no values.
 */
#ifndef NW_MEASURE_PLAN_DRAW_H
#define NW_MEASURE_PLAN_DRAW_H

#include "src/base/rng.h"
#include "src/graph/graph.h"
#include "src/hw/hw.h"

typedef struct nw_draw_map {
    nw_tensor_id id;
    int h, w, c;
} nw_draw_map;

typedef enum nw_draw_style {
    NW_DRAW_NHWC,  /* as TFLite: relu and relu6 inside operators, SAME padding */
    NW_DRAW_NCHW,  /* as ONNX: activations apart, padding in numbers */
    NW_DRAW_TURNED /* NHWC, converted from NCHW: maps are C,H,W, turned around every window */
} nw_draw_style;

#define NW_DRAW_LINEAR NW_OP_IDENTITY /* as an activation: none */

typedef struct nw_draw {
    nw_rng rng;
    nw_graph *graph;
    nw_draw_map at;
    nw_op act;   /* the family's main activation, NW_DRAW_LINEAR for none */
    int granule; /* channels are rounded to multiples of this, mostly */
    double sram_bytes;
    nw_draw_style style;
    nw_dtype type, weight_type; /* of maps and weights as operators read them */
    nw_dtype quantised;         /* ONNX's way: maps are stored so between float operators; else
                                 * NW_DTYPE_UNKNOWN */
    bool has_float_ends;        /* integers inside, inputs and outputs float */
    bool splits_swish;          /* swish as a gate and a product */
    bool has_batch_norm;        /* not folded into the convolution before it */
    bool pads_apart;            /* zeros by an operator of their own */
    int n_layers;
    nw_tensor_id *dequantised; /* per tensor: its float twin, or NW_NONE */
    size_t n_dequantised, dequantised_capacity;
} nw_draw;

typedef struct nw_draw_window {
    int kernel_h, kernel_w, stride, dilation;
    bool is_valid; /* no padding, where the map is large enough */
} nw_draw_window;

static inline nw_draw_window nw_draw_square(int kernel, int stride)
{
    return (nw_draw_window){kernel, kernel, stride, 1, false};
}

/* Starts a drawing: the style, the element types (those that hw runs) and the granule are drawn
 * from rng. nw_draw_seal ends it. */
void nw_draw_begin(nw_draw *d, const nw_hw *hw, nw_rng rng, const char *name);
nw_graph *nw_draw_seal(nw_draw *d); /* at least one output must be marked */

/* ---- sizes ---- */

/* A channel count near wanted, at least 1. */
int nw_draw_channels(nw_draw *d, double wanted);

/* A side of the input, low..high: a multiple of 32, 16, 8 or any, equally likely per octave. */
int nw_draw_side(nw_draw *d, int low, int high);

/* The network's image, mostly square, its sides within low..high; one in four so large that the
 * first maps about fill the hardware's memory, where placement is decided. */
void nw_draw_image(nw_draw *d, int low, int high);
void nw_draw_input(nw_draw *d, int h, int w, int c);

/* Short forms over d->rng: ends included, and values out of a list. */
int nw_draw_int(nw_draw *d, int low, int high);
bool nw_draw_chance(nw_draw *d, double probability);
int nw_draw_one_of(nw_draw *d, const int *values, int n);
#define NW_DRAW_ONE_OF(d, ...)                                                                     \
    nw_draw_one_of(d, (const int[]){__VA_ARGS__}, (int)(sizeof(int[]){__VA_ARGS__} / sizeof(int)))

/* ---- layers: read d->at and leave their result there ---- */

void nw_draw_conv(nw_draw *d, int c_out, nw_draw_window window, int groups, nw_op act);
void nw_draw_pointwise(nw_draw *d, int c_out, nw_op act);
void nw_draw_depthwise(nw_draw *d, int multiplier, nw_draw_window window, nw_op act);
void nw_draw_conv_transpose(nw_draw *d, int c_out, int kernel, int stride, nw_op act);
void nw_draw_act(nw_draw *d, nw_op act);
void nw_draw_pool(nw_draw *d, nw_op op, nw_draw_window window);
void nw_draw_global_pool(nw_draw *d);
void nw_draw_resize(nw_draw *d, int h, int w);
void nw_draw_pad_channels(nw_draw *d, int c);
void nw_draw_slice_channels(nw_draw *d, int first, int n);
void nw_draw_concat(nw_draw *d, const nw_draw_map *maps, int n); /* by channels; n <= 64 */
void nw_draw_split(nw_draw *d, nw_draw_map halves[2]);           /* by channels; the first larger */
void nw_draw_shuffle(nw_draw *d, int groups);                    /* groups divide the channels */
void nw_draw_norm(nw_draw *d, nw_op op);                         /* batch, layer, instance */

/* d->at with another map: of its size, or one value a channel. */
void nw_draw_binary(nw_draw *d, nw_op op, nw_draw_map other, nw_op act);

/* ---- what is no map any more: sizes are the caller's affair ---- */

void nw_draw_reshape(nw_draw *d, const int64_t *dims, int rank);
void nw_draw_transpose(nw_draw *d, const int64_t *perm, int rank);
void nw_draw_flatten(nw_draw *d);                  /* to 1 x elements */
void nw_draw_fc(nw_draw *d, int c_out, nw_op act); /* rank 2 or 3: the last dimension is d->at.c */
void nw_draw_softmax(nw_draw *d, int axis);
void nw_draw_scale(nw_draw *d, nw_op op, const int64_t *dims, int rank); /* with a constant */
void nw_draw_join(nw_draw *d, const nw_tensor_id *parts, int n, int axis);
void nw_draw_output(nw_draw *d);

/* ---- what layers are made of (plan_draw.c) ---- */

/* Any operator on any tensors; the result is at d->at.id. Valid until the next call. Behind it,
 * once attributes are set, nw_draw_settle brings the result to the file's integers. */
nw_node *nw_draw_node(nw_draw *d, nw_op op, const nw_tensor_id *inputs, int n); /* n <= 64 */
nw_node *nw_draw_unary(nw_draw *d, nw_op op);                                   /* of d->at */
void nw_draw_settle(nw_draw *d);
void nw_draw_ints(nw_draw *d, nw_node *node, const int64_t *values, int n); /* attrs.ints */
nw_tensor_id nw_draw_constant(nw_draw *d, nw_dtype type, int rank, const int64_t *dims);

/* A quantisation or dequantisation; d->at stays. */
nw_tensor_id nw_draw_convert(nw_draw *d, nw_op op, nw_tensor_id id, nw_dtype type);

/* Where the dimensions of a map stand in its tensor; the width is behind the height. */
int nw_draw_channel_axis(const nw_draw *d);
int nw_draw_height_axis(const nw_draw *d);

#endif
