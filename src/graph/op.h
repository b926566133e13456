/* op.h - the operators and what their attributes mean, whatever file they came from.
 *
 * To add one: its row in NW_OPS, its rule in infer.c, its value in fold.c if shape arithmetic uses
 * it, its names in the readers' tables, and its cost in the kernel module's table.
 */
#ifndef NW_OP_H
#define NW_OP_H

#include <stdbool.h>
#include <stdint.h>

/* op, name in our network JSON and on screens. In brackets: inputs, then attributes. A list named
 * "ints" is read from attrs.ints if attrs.has_ints, else from the input named beside it.
 *
 * Negative axes count from the end everywhere. */
#define NW_OPS(X)                                                                                  \
    X(OPAQUE, "opaque") /* shapes only as the file stores them; cost unknown */                    \
    X(CONV2D, "conv2d") /* x, w, b?; window, pads, groups, weights; rank 3: one row */             \
    X(CONV_TRANSPOSE,                                                                              \
      "conv_transpose2d") /* x, w, b?; the same, output_pad, or ints: output h, w */               \
    X(MATMUL, "matmul")   /* a, b; transpose_a, transpose_b; numpy batching */                     \
    X(FULLY_CONNECTED,                                                                             \
      "fully_connected") /* x, w, b?; weights; flattens x to rows of w's inner size; keep_dims */  \
    X(MAX_POOL, "max_pool")         /* x; window, pads, ceil_mode */                               \
    X(AVERAGE_POOL, "average_pool") /* x; the same, counts_pads */                                 \
    X(GLOBAL_POOL, "global_pool")   /* x; reduce: mean or max; all spatial axes kept as 1 */       \
    X(RELU, "relu")                                                                                \
    X(RELU6, "relu6")                                                                              \
    X(CLIP, "clip") /* x, min?, max?; alpha, beta: bounds if no inputs */                          \
    X(HARD_SWISH, "hard_swish")                                                                    \
    X(HARD_SIGMOID, "hard_sigmoid") /* x; alpha, beta */                                           \
    X(SIGMOID, "sigmoid")                                                                          \
    X(SWISH, "swish")                                                                              \
    X(LEAKY_RELU, "leaky_relu") /* x; alpha */                                                     \
    X(PRELU, "prelu")           /* x, slope */                                                     \
    X(TANH, "tanh")                                                                                \
    X(GELU, "gelu")   /* x, bias?; alpha: 1: by tanh, 0: exact */                                  \
    X(UNARY, "unary") /* x; unary: which function; alpha: of elu, 0: 1 */                          \
    X(ADD, "add")     /* a, b (or more, ONNX Sum); broadcasting */                                 \
    X(SUB, "sub")                                                                                  \
    X(MUL, "mul")                                                                                  \
    X(DIV, "div")                                                                                  \
    X(POW, "pow")                                                                                  \
    X(MIN, "min")         /* one input or more */                                                  \
    X(MAX, "max")         /* one input or more */                                                  \
    X(MOD, "mod")         /* a, b; alpha: 1: the sign of the dividend, 0: of the divisor */        \
    X(COMPARE, "compare") /* a, b; compare: which; bool out */                                     \
    X(WHERE, "where")     /* condition, a, b */                                                    \
    X(CONCAT, "concat")   /* any number; axis */                                                   \
    X(STACK, "stack")     /* any number; axis (a new one) */                                       \
    X(UNSTACK, "unstack") /* x; axis (removed) */                                                  \
    X(SPLIT, "split")     /* x, sizes?; axis; ints: sizes; neither: equal parts */                 \
    X(SLICE, "slice")     /* x, starts?, ends?, axes?, steps?; or ints: starts.., ends.., axes..   \
                             (attrs.n_axes each) */                                                \
    X(SLICE_SIZE, "slice_size")       /* x, begin, size: TFLite SLICE; size -1: to the end */      \
    X(STRIDED_SLICE, "strided_slice") /* x, begin, end, strides; masks */                          \
    X(GATHER, "gather")               /* x, indices; axis */                                       \
    X(PAD, "pad") /* x, pads?, value?; ints: pads; pads_paired: [rank][2], else all begins, all    \
                     ends; axes in inputs[3]?; fill; alpha: the value without an input */          \
    X(RESHAPE, "reshape") /* x, shape?; ints: shape; 0 copies (unless allow_zero), -1 infers */    \
    X(FLATTEN, "flatten") /* x; axis */                                                            \
    X(SQUEEZE, "squeeze") /* x, axes?; ints: axes; neither: all of size 1 */                       \
    X(UNSQUEEZE, "unsqueeze") /* x, axes?; ints: axes */                                           \
    X(TRANSPOSE, "transpose") /* x, perm?; ints: perm; neither: reversed */                        \
    X(EXPAND, "expand")       /* x, shape; broadcasts */                                           \
    X(TILE, "tile")           /* x, repeats */                                                     \
    X(RESIZE, "resize") /* x, param; resize_form says what param is; floats or ints as attributes; \
                           rounding; alpha: cubic coefficient, 0: -0.75 */                         \
    X(DEPTH_TO_SPACE, "depth_to_space")   /* x; block, is_crd */                                   \
    X(SPACE_TO_DEPTH, "space_to_depth")   /* x; block */                                           \
    X(SPACE_TO_BATCH, "space_to_batch")   /* x, block shape, paddings [2][2] */                    \
    X(BATCH_TO_SPACE, "batch_to_space")   /* x, block shape, crops [2][2] */                       \
    X(CHANNEL_SHUFFLE, "channel_shuffle") /* x; groups */                                          \
    X(REDUCE,                                                                                      \
      "reduce") /* x, axes?; ints: axes; neither: all (none if noop_empty); keep_dims; reduce */   \
    X(ARG_MAX, "arg_max")       /* x, axis?; axis; keep_dims; also arg min */                      \
    X(TOP_K, "top_k")           /* x, k?; ints: k; axis; two outputs */                            \
    X(SOFTMAX, "softmax")       /* x; axis, to_end; beta: factor, 0: 1; also log softmax */        \
    X(BATCH_NORM, "batch_norm") /* x, scale, bias, mean, variance; alpha: epsilon */               \
    X(LAYER_NORM, "layer_norm") /* x, scale?, bias?; axis; alpha: epsilon, 0: 1e-5 */              \
    X(INSTANCE_NORM,                                                                               \
      "instance_norm") /* x, scale?, bias?; alpha: epsilon; also group norm, LRN (block: size;     \
                          alpha, beta; floats[0]: bias), Lp norm (axis; block: p) */               \
    X(QUANTIZE, "quantize")                   /* x (float: quantise; quantised: requantise) */     \
    X(DEQUANTIZE, "dequantize")               /* x */                                              \
    X(CAST, "cast")                           /* x; type of the output tensor */                   \
    X(IDENTITY, "identity")                   /* x; also dropout, densify: output as input */      \
    X(CONSTANT, "constant")                   /* none; the output tensor is a stored constant */   \
    X(CONSTANT_OF_SHAPE, "constant_of_shape") /* shape; floats[0] or ints[0]: the value */         \
    X(SHAPE, "shape")                         /* x; ints: start, end? */                           \
    X(SIZE, "size")                           /* x */                                              \
    X(RANGE, "range")                         /* start, limit, delta */                            \
    X(GATHER_ND, "gather_nd")                 /* x, indices; axis: batch dims */                   \
    X(GATHER_ELEMENTS, "gather_elements")     /* x, indices; output shape of indices */            \
    X(SCATTER, "scatter")                     /* x, indices, updates: output shape of x */         \
    X(ONE_HOT, "one_hot")                     /* indices, depth, values; axis */                   \
    X(CUM_SUM, "cum_sum")                     /* x, axis */

typedef enum nw_op {
#define X(op, name) NW_OP_##op,
    NW_OPS(X)
#undef X
        NW_OP_COUNT
} nw_op;

const char *nw_op_name(nw_op op);
nw_op nw_op_find(const char *name); /* NW_OP_COUNT if there is none */

/* Activations that a format fuses into an operator. */
typedef enum nw_act {
    NW_ACT_NONE,
    NW_ACT_RELU,
    NW_ACT_RELU_N1_TO_1,
    NW_ACT_RELU6,
    NW_ACT_TANH,
    NW_ACT_SIGN_BIT
} nw_act;

typedef enum nw_pad_mode {
    NW_PAD_EXPLICIT,
    NW_PAD_SAME_UPPER,
    NW_PAD_SAME_LOWER,
    NW_PAD_VALID
} nw_pad_mode;

/* Order of the dimensions of a weight tensor. O: output channels, I: input channels of one group.
 */
typedef enum nw_weight_layout {
    NW_WEIGHTS_OIHW, /* ONNX Conv; fully connected: O, I */
    NW_WEIGHTS_IOHW, /* ONNX ConvTranspose (I of the whole operator, O of one group); Gemm: I, O */
    NW_WEIGHTS_OHWI, /* TFLite CONV_2D and TRANSPOSE_CONV */
    NW_WEIGHTS_HWIO, /* TFLite DEPTHWISE_CONV_2D: 1,H,W,O */
} nw_weight_layout;

typedef enum nw_reduce {
    NW_REDUCE_MEAN,
    NW_REDUCE_SUM,
    NW_REDUCE_MAX,
    NW_REDUCE_MIN,
    NW_REDUCE_PROD,
    NW_REDUCE_OTHER
} nw_reduce;

typedef enum nw_unary {
    NW_UNARY_OTHER,
    NW_UNARY_ABS,
    NW_UNARY_NEG,
    NW_UNARY_FLOOR,
    NW_UNARY_CEIL,
    NW_UNARY_ROUND,
    NW_UNARY_SQRT,
    NW_UNARY_EXP,
    NW_UNARY_LOG,
    NW_UNARY_RECIPROCAL,
    NW_UNARY_NOT,
    NW_UNARY_ERF,
    NW_UNARY_ELU,
    NW_UNARY_SOFTPLUS,
    NW_UNARY_RSQRT,
    NW_UNARY_SQUARE
} nw_unary;

typedef enum nw_compare {
    NW_COMPARE_EQUAL,
    NW_COMPARE_NOT_EQUAL,
    NW_COMPARE_LESS,
    NW_COMPARE_LESS_EQUAL,
    NW_COMPARE_GREATER,
    NW_COMPARE_GREATER_EQUAL,
    NW_COMPARE_AND,
    NW_COMPARE_OR,
    NW_COMPARE_XOR
} nw_compare;

typedef enum nw_resize_form {
    NW_RESIZE_SCALES,  /* a factor for every dimension */
    NW_RESIZE_SIZES,   /* a size for every dimension */
    NW_RESIZE_SIZE_HW, /* height and width */
} nw_resize_form;

typedef enum nw_resize_mode { NW_RESIZE_NEAREST, NW_RESIZE_LINEAR, NW_RESIZE_CUBIC } nw_resize_mode;

/* What padding holds: a value, the nearest element, the map mirrored at or behind its last one. */
typedef enum nw_fill { NW_FILL_CONSTANT, NW_FILL_EDGE, NW_FILL_REFLECT, NW_FILL_SYMMETRIC } nw_fill;

/* Of a coordinate between two elements, where a resize takes the nearest. */
typedef enum nw_rounding {
    NW_ROUND_HALF_DOWN,
    NW_ROUND_HALF_UP,
    NW_ROUND_FLOOR,
    NW_ROUND_CEIL
} nw_rounding;

typedef struct nw_attrs {
    int32_t kernel_h, kernel_w; /* pooling; convolutions: from the weight's shape when sealed */
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left, pad_bottom, pad_right; /* resolved when sealed; may be negative */
    int32_t output_pad_h, output_pad_w;
    int32_t groups; /* convolutions; depthwise from a format of its own: 0 = as many as channels */
    int32_t axis;
    int32_t block;
    int32_t begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_mask;
    int32_t n_axes;
    uint8_t pad_mode;      /* nw_pad_mode */
    uint8_t weight_layout; /* nw_weight_layout */
    uint8_t reduce;        /* nw_reduce */
    uint8_t unary;         /* nw_unary */
    uint8_t compare;       /* nw_compare */
    uint8_t resize_form;   /* nw_resize_form */
    uint8_t resize_mode;   /* nw_resize_mode */
    uint8_t rounding;      /* nw_rounding */
    uint8_t fill;          /* nw_fill */
    bool ceil_mode, transpose_a, transpose_b, keep_dims, allow_zero, noop_empty, pads_paired;
    bool counts_pads;   /* the mean is over the whole window, what hangs over included */
    bool is_crd;        /* channels are C, block, block; else block, block, C */
    bool to_end;        /* over all axes from axis on together (ONNX before opset 13) */
    bool one_from_zero; /* half_pixel, but an output of one element samples element 0 */
    bool is_partial; /* the file's node says more than is kept here: sizes and costs are right, the
                      * function is not known */
    bool has_ints;
    bool half_pixel, align_corners;
    float alpha, beta;
    const int64_t *ints;
    const float *floats;
    int32_t n_ints, n_floats;
} nw_attrs;

/* Strides, dilations and groups 1, keep_dims true, the rest zero. */
void nw_attrs_init(nw_attrs *attrs);

#endif
