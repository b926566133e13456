#include <float.h>

#include "src/format/onnx_ops.h"

#define MS "com.microsoft::"

/* What a row's function reads of the node; arg is the row's. */
typedef void (*op_setter)(nw_onnx_draft *d, int arg);

typedef struct op_row {
    const char *type; /* as nw_onnx_file_type makes it */
    nw_op op;
    op_setter set; /* NULL: no attributes */
    int arg;
    nw_dtype out;      /* type of output 0 where the operator fixes it */
    const char *roles; /* of the inputs, where they are not all data: see nw_onnx_apply_roles */
} op_row;

/* ---- element by element ---- */

static void set_unary(nw_onnx_draft *d, int unary)
{
    d->attrs.unary = (uint8_t)unary;
    if (unary == NW_UNARY_ELU)
        d->attrs.alpha = nw_onnx_float(d, "alpha", 1);
}

static void set_gelu(nw_onnx_draft *d, int by_tanh)
{
    d->attrs.alpha = by_tanh || nw_onnx_is_text(d, "approximate", "tanh") ? 1 : 0;
}

/* Sigmoid stands for the error function in here. */
static void set_other_gelu(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.is_partial = true;
}

static void set_mod(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.alpha = nw_onnx_int(d, "fmod", 0) != 0 ? 1 : 0;
}

static void set_epsilon(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.alpha = nw_onnx_float(d, "epsilon", 1e-5f);
}

/* Before opset 7 the second operand lined up with the first from `axis` on. */
static void set_binary(nw_onnx_draft *d, int arg)
{
    (void)arg;
    if (d->in->opset >= 7 || !nw_onnx_int(d, "broadcast", 0) || !nw_onnx_has(d, "axis") ||
        d->n_inputs < 2 || d->inputs[0] == NW_NONE || d->inputs[1] == NW_NONE)
        return;
    int axis = nw_onnx_int32(d, "axis", -1);
    int rank_a = d->in->graph->tensors[d->inputs[0]].stored_shape.rank;
    int rank_b = d->in->graph->tensors[d->inputs[1]].stored_shape.rank;
    if (axis == -1 || (rank_a >= 0 && rank_b >= 0 && axis == rank_a - rank_b))
        return;
    char label[192];
    nw_graph_warn(d->in->graph, "%s: its second operand, broadcast along an axis, is left out",
                  nw_onnx_node_label(d->in, d->index, label, sizeof label));
    d->n_inputs = 1;
    d->attrs.is_partial = true;
}

static void set_compare(nw_onnx_draft *d, int compare)
{
    d->attrs.compare = (uint8_t)compare;
    set_binary(d, 0);
}

/* Bounds are attributes before opset 11, inputs since. */
static void set_clip(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.alpha = nw_onnx_float(d, "min", -FLT_MAX);
    d->attrs.beta = nw_onnx_float(d, "max", FLT_MAX);
    double low = (double)d->attrs.alpha, high = (double)d->attrs.beta;
    bool known = true;
    if (nw_onnx_input(d, 1) != NW_NONE)
        known = nw_onnx_value(d->in, d->inputs[1], 0, &low, NULL);
    if (nw_onnx_input(d, 2) != NW_NONE)
        known &= nw_onnx_value(d->in, d->inputs[2], 0, &high, NULL);
    if (known && low == 0 && high == 6)
        d->op = NW_OP_RELU6;
    d->attrs.alpha = (float)low;
    d->attrs.beta = (float)high;
}

static void set_slope(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.alpha = nw_onnx_float(d, "alpha", 0.01f);
}

static void set_hard_sigmoid(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.alpha = nw_onnx_float(d, "alpha", 0.2f);
    d->attrs.beta = nw_onnx_float(d, "beta", 0.5f);
}

/* The type was a name in opset 1. */
static nw_dtype type_named(const nw_onnx_draft *d, const char *attribute)
{
    static const char *const names[] = {"FLOAT",  "UINT8",  "INT8",   "UINT16", "INT16",
                                        "INT32",  "INT64",  "STRING", "BOOL",   "FLOAT16",
                                        "DOUBLE", "UINT32", "UINT64"};
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        if (nw_onnx_is_text(d, attribute, names[i]))
            return nw_onnx_dtype(i + 1);
    return NW_DTYPE_UNKNOWN;
}

static void set_cast(nw_onnx_draft *d, int arg)
{
    (void)arg;
    nw_dtype dtype = type_named(d, "to");
    if (dtype == NW_DTYPE_UNKNOWN)
        dtype = nw_onnx_dtype(nw_onnx_int32(d, "to", 0));
    if (dtype == NW_DTYPE_UNKNOWN)
        nw_onnx_draft_fail(d, "casts to an unknown element type");
    nw_onnx_set_type(d, 0, dtype);
}

static void set_cast_like(nw_onnx_draft *d, int arg)
{
    (void)arg;
    if (nw_onnx_input(d, 1) != NW_NONE)
        nw_onnx_set_type(d, 0, d->in->graph->tensors[d->inputs[1]].dtype);
}

static void set_like(nw_onnx_draft *d, int arg)
{
    (void)arg;
    if (nw_onnx_has(d, "dtype"))
        nw_onnx_set_type(d, 0, nw_onnx_dtype(nw_onnx_int32(d, "dtype", 0)));
}

static void set_dropout(nw_onnx_draft *d, int arg)
{
    (void)arg;
    nw_onnx_set_type(d, 1, d->in->opset >= 10 ? NW_DTYPE_BOOL : NW_DTYPE_UNKNOWN);
}

/* ---- axes and lists ---- */

static void set_axis(nw_onnx_draft *d, int otherwise)
{
    d->attrs.axis = nw_onnx_int32(d, "axis", otherwise);
}

static void set_concat(nw_onnx_draft *d, int arg)
{
    (void)arg;
    if (d->in->opset >= 4 && !nw_onnx_has(d, "axis"))
        nw_onnx_draft_fail(d, "has no attribute 'axis'");
    set_axis(d, 1);
}

static void set_softmax(nw_onnx_draft *d, int arg)
{
    (void)arg;
    set_axis(d, d->in->opset < 13 ? 1 : -1);
    d->attrs.to_end = d->in->opset < 13;
}

/* Copies an attribute list of older opsets, which is an input since. */
static void take_list(nw_onnx_draft *d, const char *name)
{
    int n;
    const int64_t *values = nw_onnx_ints(d, name, &n);
    if (values)
        nw_onnx_set_ints(d, values, n);
}

static void set_axes(nw_onnx_draft *d, int arg)
{
    (void)arg;
    take_list(d, "axes");
}

static void set_reduce(nw_onnx_draft *d, int reduce)
{
    int n;
    const int64_t *axes = nw_onnx_ints(d, "axes", &n);
    if (axes && n)
        nw_onnx_set_ints(d, axes, n);
    d->attrs.reduce = (uint8_t)reduce;
    d->attrs.keep_dims = nw_onnx_int(d, "keepdims", 1) != 0;
    d->attrs.noop_empty = nw_onnx_int(d, "noop_with_empty_axes", 0) != 0;
}

static void set_arg(nw_onnx_draft *d, int arg)
{
    (void)arg;
    set_axis(d, 0);
    d->attrs.keep_dims = nw_onnx_int(d, "keepdims", 1) != 0;
}

static void set_top_k(nw_onnx_draft *d, int arg)
{
    (void)arg;
    set_axis(d, -1);
    if (nw_onnx_has(d, "k")) {
        int64_t k = nw_onnx_int(d, "k", 0);
        nw_onnx_set_ints(d, &k, 1);
    }
    nw_onnx_set_type(d, 1, NW_DTYPE_INT64);
}

static void set_split(nw_onnx_draft *d, int arg)
{
    (void)arg;
    set_axis(d, 0);
    take_list(d, "split");
}

static void set_slice(nw_onnx_draft *d, int arg)
{
    int n, n_ends, n_axes;
    (void)arg;
    const int64_t *starts = nw_onnx_ints(d, "starts", &n), *ends = nw_onnx_ints(d, "ends", &n_ends);
    const int64_t *axes = nw_onnx_ints(d, "axes", &n_axes);
    if (!starts && !ends)
        return;
    if (!starts || !ends || n != n_ends || (axes && n_axes && n_axes != n)) {
        nw_onnx_draft_fail(d, "attributes 'starts', 'ends' and 'axes' differ in length");
        return;
    }
    if (n > NW_MAX_RANK) {
        nw_onnx_draft_fail(d, "slices %d axes; tensors have %d at most", n, NW_MAX_RANK);
        return;
    }
    int64_t values[3 * NW_MAX_RANK];
    for (int i = 0; i < n; i++) {
        values[i] = starts[i];
        values[n + i] = ends[i];
        values[2 * n + i] = axes && n_axes ? axes[i] : i;
    }
    nw_onnx_set_ints(d, values, 3 * n);
    d->attrs.n_axes = n;
}

static void set_pad(nw_onnx_draft *d, int arg)
{
    (void)arg;
    take_list(d, nw_onnx_has(d, "pads") ? "pads" : "paddings");
    d->attrs.fill = nw_onnx_is_text(d, "mode", "edge")      ? NW_FILL_EDGE
                    : nw_onnx_is_text(d, "mode", "reflect") ? NW_FILL_REFLECT
                                                            : NW_FILL_CONSTANT;
    d->attrs.is_partial = nw_onnx_is_text(d, "mode", "wrap");
    d->attrs.alpha = nw_onnx_float(d, "value", 0);
}

static void set_reshape(nw_onnx_draft *d, int arg)
{
    (void)arg;
    take_list(d, "shape");
    d->attrs.allow_zero = nw_onnx_int(d, "allowzero", 0) != 0;
}

static void set_transpose(nw_onnx_draft *d, int arg)
{
    int n;
    (void)arg;
    const int64_t *perm = nw_onnx_ints(d, "perm", &n);
    if (perm && n)
        nw_onnx_set_ints(d, perm, n);
}

static void set_block(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.block = nw_onnx_int32(d, "blocksize", 0);
    d->attrs.is_crd = nw_onnx_is_text(d, "mode", "CRD");
    if (d->attrs.block < 1)
        nw_onnx_draft_fail(d, "attribute 'blocksize' is %d", (int)d->attrs.block);
}

static void set_shape(nw_onnx_draft *d, int arg)
{
    (void)arg;
    const int64_t range[2] = {nw_onnx_int(d, "start", 0), nw_onnx_int(d, "end", 0)};
    if (nw_onnx_has(d, "start") || nw_onnx_has(d, "end"))
        nw_onnx_set_ints(d, range, nw_onnx_has(d, "end") ? 2 : 1);
}

static void set_fill(nw_onnx_draft *d, int arg)
{
    (void)arg;
    const Onnx__TensorProto *fill = nw_onnx_tensor(d, "value");
    nw_dtype dtype = fill ? nw_onnx_dtype(fill->data_type) : NW_DTYPE_FLOAT32;
    double value = 0;
    nw_onnx_set_type(d, 0, dtype);
    if (fill && !nw_onnx_first_value(d->in, fill, &value))
        return; /* the shape is what counts */
    float real = value > (double)FLT_MAX    ? FLT_MAX
                 : value < -(double)FLT_MAX ? -FLT_MAX
                                            : (float)value;
    int64_t whole = value > -9e18 && value < 9e18 ? (int64_t)value : 0;
    if (nw_dtype_is_float(dtype))
        nw_onnx_set_floats(d, &real, 1);
    else
        nw_onnx_set_ints(d, &whole, 1);
}

static void set_layer_norm(nw_onnx_draft *d, int arg)
{
    set_axis(d, -1);
    set_epsilon(d, arg);
}

static void set_local_response(nw_onnx_draft *d, int arg)
{
    (void)arg;
    const float bias = nw_onnx_float(d, "bias", 1);
    nw_onnx_set_floats(d, &bias, 1);
    d->attrs.block = nw_onnx_int32(d, "size", 1);
    d->attrs.alpha = nw_onnx_float(d, "alpha", 1e-4f);
    d->attrs.beta = nw_onnx_float(d, "beta", 0.75f);
}

static void set_lp_norm(nw_onnx_draft *d, int arg)
{
    (void)arg;
    set_axis(d, -1);
    d->attrs.block = nw_onnx_int32(d, "p", 2);
}

static void set_gather_nd(nw_onnx_draft *d, int arg)
{
    (void)arg;
    d->attrs.axis = nw_onnx_int32(d, "batch_dims", 0);
}

static void set_range_of_old(nw_onnx_draft *d, int first_opset)
{
    if (d->in->opset < first_opset) /* other inputs then */
        d->op = NW_OP_OPAQUE;
}

/* ---- the table ---- */

#define F32  NW_DTYPE_FLOAT32
#define I32  NW_DTYPE_INT32
#define I64  NW_DTYPE_INT64
#define BOOL NW_DTYPE_BOOL
#define ANY  NW_DTYPE_UNKNOWN

#define PLAIN(type, op)                                                                            \
    {                                                                                              \
        type, NW_OP_##op, NULL, 0, ANY, NULL                                                       \
    }
#define WITH(type, op, set, arg)                                                                   \
    {                                                                                              \
        type, NW_OP_##op, set, arg, ANY, NULL                                                      \
    }
#define UNARY(type, f)                                                                             \
    {                                                                                              \
        type, NW_OP_UNARY, set_unary, NW_UNARY_##f, ANY, NULL                                      \
    }
#define BINARY(type, op)                                                                           \
    {                                                                                              \
        type, NW_OP_##op, set_binary, 0, ANY, NULL                                                 \
    }
#define COMPARE(type, c)                                                                           \
    {                                                                                              \
        type, NW_OP_COMPARE, set_compare, NW_COMPARE_##c, BOOL, NULL                               \
    }
#define REDUCE(type, r)                                                                            \
    {                                                                                              \
        type, NW_OP_REDUCE, set_reduce, NW_REDUCE_##r, ANY, NULL                                   \
    }
#define ROLES(type, op, set, arg, out, roles)                                                      \
    {                                                                                              \
        type, NW_OP_##op, set, arg, out, roles                                                     \
    }

/* Whatever is not here is opaque. */
static const op_row op_rows[] = {
    /* windows and products */
    WITH("Conv", CONV2D, nw_onnx_read_conv, NW_WEIGHTS_OIHW),
    WITH(MS "FusedConv", CONV2D, nw_onnx_read_conv, NW_WEIGHTS_OIHW),
    ROLES("ConvInteger", CONV2D, nw_onnx_read_conv, NW_WEIGHTS_OIHW, I32, "dd--"),
    ROLES("QLinearConv", CONV2D, nw_onnx_read_conv, NW_WEIGHTS_OIHW, ANY, "dszdszSZd"),
    WITH("ConvTranspose", CONV_TRANSPOSE, nw_onnx_read_conv_transpose, NW_WEIGHTS_IOHW),
    WITH("MaxPool", MAX_POOL, nw_onnx_read_pool, 0),
    WITH("AveragePool", AVERAGE_POOL, nw_onnx_read_pool, 0),
    WITH("LpPool", AVERAGE_POOL, nw_onnx_read_pool, 0),
    ROLES(MS "QLinearAveragePool", AVERAGE_POOL, nw_onnx_read_pool, 0, ANY, "dszSZ"),
    WITH("GlobalAveragePool", GLOBAL_POOL, nw_onnx_read_global_pool, NW_REDUCE_MEAN),
    WITH("GlobalMaxPool", GLOBAL_POOL, nw_onnx_read_global_pool, NW_REDUCE_MAX),
    WITH("GlobalLpPool", GLOBAL_POOL, nw_onnx_read_global_pool, NW_REDUCE_OTHER),
    ROLES(MS "QLinearGlobalAveragePool", GLOBAL_POOL, nw_onnx_read_global_pool, NW_REDUCE_MEAN, ANY,
          "dszSZ"),
    WITH("Gemm", FULLY_CONNECTED, nw_onnx_read_gemm, 0),
    WITH(MS "FusedGemm", FULLY_CONNECTED, nw_onnx_read_gemm, 0),
    ROLES(MS "QGemm", FULLY_CONNECTED, nw_onnx_read_gemm, 0, ANY, "dszdszdSZ"),
    PLAIN("MatMul", MATMUL),
    WITH(MS "FusedMatMul", MATMUL, nw_onnx_read_matmul, 0),
    WITH(MS "TransposeMatMul", MATMUL, nw_onnx_read_matmul, 0),
    ROLES("MatMulInteger", MATMUL, NULL, 0, I32, "dd--"),
    ROLES(MS "MatMulIntegerToFloat", MATMUL, NULL, 0, F32, "dd-----"),
    ROLES("QLinearMatMul", MATMUL, NULL, 0, ANY, "dszdszSZ"),
    /* activations */
    PLAIN("Relu", RELU),
    WITH("Clip", CLIP, set_clip, 0),
    PLAIN("HardSwish", HARD_SWISH),
    WITH("HardSigmoid", HARD_SIGMOID, set_hard_sigmoid, 0),
    PLAIN("Sigmoid", SIGMOID),
    ROLES(MS "QLinearSigmoid", SIGMOID, NULL, 0, ANY, "dszSZ"),
    PLAIN("Swish", SWISH),
    WITH("LeakyRelu", LEAKY_RELU, set_slope, 0),
    ROLES(MS "QLinearLeakyRelu", LEAKY_RELU, set_slope, 0, ANY, "dszSZ"),
    PLAIN("PRelu", PRELU),
    PLAIN("Tanh", TANH),
    WITH("Gelu", GELU, set_gelu, 0),
    WITH(MS "Gelu", GELU, set_gelu, 0),
    WITH(MS "FastGelu", GELU, set_gelu, 1),
    WITH(MS "BiasGelu", GELU, set_gelu, 0),
    WITH(MS "QuickGelu", GELU, set_other_gelu, 0),
    UNARY("Abs", ABS),
    UNARY("Neg", NEG),
    UNARY("Floor", FLOOR),
    UNARY("Ceil", CEIL),
    UNARY("Round", ROUND),
    UNARY("Sqrt", SQRT),
    UNARY("Exp", EXP),
    UNARY("Log", LOG),
    UNARY("Reciprocal", RECIPROCAL),
    {"Not", NW_OP_UNARY, set_unary, NW_UNARY_NOT, BOOL, NULL},
    UNARY("Erf", ERF),
    UNARY("Elu", ELU),
    UNARY("Softplus", SOFTPLUS),
    UNARY("Acos", OTHER),
    UNARY("Acosh", OTHER),
    UNARY("Asin", OTHER),
    UNARY("Asinh", OTHER),
    UNARY("Atan", OTHER),
    UNARY("Atanh", OTHER),
    UNARY("BitwiseNot", OTHER),
    UNARY("Celu", OTHER),
    UNARY("Cos", OTHER),
    UNARY("Cosh", OTHER),
    UNARY("Mish", OTHER),
    UNARY("Selu", OTHER),
    UNARY("Shrink", OTHER),
    UNARY("Sign", OTHER),
    UNARY("Sin", OTHER),
    UNARY("Sinh", OTHER),
    UNARY("Softsign", OTHER),
    UNARY("Tan", OTHER),
    UNARY("ThresholdedRelu", OTHER),
    {"IsInf", NW_OP_UNARY, set_unary, NW_UNARY_OTHER, BOOL, NULL},
    {"IsNaN", NW_OP_UNARY, set_unary, NW_UNARY_OTHER, BOOL, NULL},
    /* shape of the first input; the values matter to nobody here */
    UNARY("ReverseSequence", OTHER),
    UNARY("Trilu", OTHER),
    WITH("Bernoulli", UNARY, set_like, 0),
    WITH("EyeLike", UNARY, set_like, 0),
    WITH("RandomNormalLike", UNARY, set_like, 0),
    WITH("RandomUniformLike", UNARY, set_like, 0),
    /* two operands and more */
    BINARY("Add", ADD),
    PLAIN("Sum", ADD),
    PLAIN("Mean", ADD),
    ROLES(MS "QLinearAdd", ADD, NULL, 0, ANY, "dszdszSZ"),
    BINARY("Sub", SUB),
    BINARY("Mul", MUL),
    ROLES(MS "QLinearMul", MUL, NULL, 0, ANY, "dszdszSZ"),
    BINARY("Div", DIV),
    BINARY("Pow", POW),
    PLAIN("Min", MIN),
    PLAIN("Max", MAX),
    WITH("Mod", MOD, set_mod, 0),
    COMPARE("Equal", EQUAL),
    COMPARE("Less", LESS),
    COMPARE("LessOrEqual", LESS_EQUAL),
    COMPARE("Greater", GREATER),
    COMPARE("GreaterOrEqual", GREATER_EQUAL),
    COMPARE("And", AND),
    COMPARE("Or", OR),
    COMPARE("Xor", XOR),
    PLAIN("Where", WHERE),
    ROLES(MS "QLinearWhere", WHERE, NULL, 0, ANY, "ddszdszSZ"),
    /* moving data */
    WITH("Concat", CONCAT, set_concat, 0),
    ROLES(MS "QLinearConcat", CONCAT, set_concat, 0, ANY, "SZ(dsz"),
    WITH("Split", SPLIT, set_split, 0),
    WITH("Slice", SLICE, set_slice, 0),
    WITH("Gather", GATHER, set_axis, 0),
    WITH("GatherElements", GATHER_ELEMENTS, set_axis, 0),
    WITH("GatherND", GATHER_ND, set_gather_nd, 0),
    WITH("Scatter", SCATTER, set_axis, 0),
    WITH("ScatterElements", SCATTER, set_axis, 0),
    PLAIN("ScatterND", SCATTER),
    WITH("Pad", PAD, set_pad, 0),
    WITH("Reshape", RESHAPE, set_reshape, 0),
    WITH("Flatten", FLATTEN, set_axis, 1),
    WITH("Squeeze", SQUEEZE, set_axes, 0),
    WITH("Unsqueeze", UNSQUEEZE, set_axes, 0),
    WITH("Transpose", TRANSPOSE, set_transpose, 0),
    PLAIN("Expand", EXPAND),
    WITH("Tile", TILE, set_range_of_old, 6),
    WITH("Resize", RESIZE, nw_onnx_read_resize, 0),
    WITH("Upsample", RESIZE, nw_onnx_read_upsample, 0),
    WITH("DepthToSpace", DEPTH_TO_SPACE, set_block, 0),
    WITH("SpaceToDepth", SPACE_TO_DEPTH, set_block, 0),
    /* reductions and normalisations */
    REDUCE("ReduceMean", MEAN),
    REDUCE("ReduceSum", SUM),
    REDUCE("ReduceMax", MAX),
    REDUCE("ReduceMin", MIN),
    REDUCE("ReduceProd", PROD),
    REDUCE("ReduceL1", OTHER),
    REDUCE("ReduceL2", OTHER),
    REDUCE("ReduceLogSum", OTHER),
    REDUCE("ReduceLogSumExp", OTHER),
    REDUCE("ReduceSumSquare", OTHER),
    {"ArgMax", NW_OP_ARG_MAX, set_arg, 0, I64, NULL},
    {"ArgMin", NW_OP_ARG_MAX, set_arg, 0, I64, NULL},
    WITH("TopK", TOP_K, set_top_k, 0),
    WITH("Softmax", SOFTMAX, set_softmax, 0),
    WITH("LogSoftmax", SOFTMAX, set_softmax, 0),
    WITH("Hardmax", SOFTMAX, set_softmax, 0),
    ROLES(MS "QLinearSoftmax", SOFTMAX, set_softmax, 0, ANY, "dszSZ"),
    WITH("BatchNormalization", BATCH_NORM, set_epsilon, 0),
    WITH("LayerNormalization", LAYER_NORM, set_layer_norm, 0),
    WITH("RMSNormalization", LAYER_NORM, set_layer_norm, 0),
    WITH("SimplifiedLayerNormalization", LAYER_NORM, set_layer_norm, 0),
    WITH("InstanceNormalization", INSTANCE_NORM, set_epsilon, 0),
    PLAIN("GroupNormalization", INSTANCE_NORM),
    WITH("LRN", INSTANCE_NORM, set_local_response, 0),
    WITH("LpNormalization", INSTANCE_NORM, set_lp_norm, 0),
    PLAIN("MeanVarianceNormalization", INSTANCE_NORM),
    /* types and constants */
    WITH("QuantizeLinear", QUANTIZE, nw_onnx_read_quantise, 0),
    WITH(MS "QuantizeLinear", QUANTIZE, nw_onnx_read_quantise, 0),
    {"DynamicQuantizeLinear", NW_OP_QUANTIZE, nw_onnx_read_dynamic_quantise, 0, NW_DTYPE_UINT8,
     NULL},
    WITH("DequantizeLinear", DEQUANTIZE, nw_onnx_read_dequantise, 0),
    WITH(MS "DequantizeLinear", DEQUANTIZE, nw_onnx_read_dequantise, 0),
    WITH("Cast", CAST, set_cast, 0),
    WITH("CastLike", CAST, set_cast_like, 0),
    PLAIN("Identity", IDENTITY),
    WITH("Dropout", IDENTITY, set_dropout, 0),
    PLAIN("Constant", CONSTANT),
    WITH("ConstantOfShape", CONSTANT_OF_SHAPE, set_fill, 0),
    {"Shape", NW_OP_SHAPE, set_shape, 0, I64, NULL},
    {"Size", NW_OP_SIZE, NULL, 0, I64, NULL},
    PLAIN("Range", RANGE),
    WITH("OneHot", ONE_HOT, set_axis, -1),
    PLAIN("CumSum", CUM_SUM),
};

void nw_onnx_list_ops(nw_onnx_import *in)
{
    for (int i = 0; i < (int)(sizeof op_rows / sizeof *op_rows); i++)
        nw_map_put(&in->ops, op_rows[i].type, i);
}

void nw_onnx_apply_op(nw_onnx_draft *d, const char *file_type)
{
    int32_t index = nw_map_get(&d->in->ops, file_type);
    d->op = NW_OP_OPAQUE;
    if (index == NW_MAP_NONE || nw_map_get(&d->in->functions, file_type) != NW_MAP_NONE)
        return;
    const op_row *row = &op_rows[index];
    d->op = row->op;
    if (row->roles)
        nw_onnx_apply_roles(d, row->roles);
    if (row->set)
        row->set(d, row->arg);
    if (d->op != NW_OP_OPAQUE && d->op != NW_OP_CONSTANT)
        d->attrs.is_partial |= nw_onnx_has_more(d);
    nw_onnx_set_type(d, 0, row->out);
}
