/* What each builtin operator of TensorFlow Lite is in our terms. Slots and tags of options follow
 * the order of tables and unions in the published schema, version 3. */
#include <math.h>
#include <string.h>

#include "src/format/tflite.h"

/* Tags of the union BuiltinOptions, those that are read. */
enum {
    CONV_2D_OPTIONS = 1,
    DEPTHWISE_CONV_2D_OPTIONS = 2,
    POOL_2D_OPTIONS = 5,
    FULLY_CONNECTED_OPTIONS = 8,
    SOFTMAX_OPTIONS = 9,
    CONCATENATION_OPTIONS = 10,
    ADD_OPTIONS = 11,
    L2_NORM_OPTIONS = 12,
    LOCAL_RESPONSE_OPTIONS = 13,
    RESIZE_BILINEAR_OPTIONS = 15,
    RESHAPE_OPTIONS = 17,
    SPACE_TO_DEPTH_OPTIONS = 19,
    MUL_OPTIONS = 21,
    GATHER_OPTIONS = 23,
    REDUCER_OPTIONS = 27,
    SUB_OPTIONS = 28,
    DIV_OPTIONS = 29,
    SQUEEZE_OPTIONS = 30,
    STRIDED_SLICE_OPTIONS = 32,
    TRANSPOSE_CONV_OPTIONS = 49,
    PACK_OPTIONS = 59,
    ONE_HOT_OPTIONS = 61,
    UNPACK_OPTIONS = 64,
    RESIZE_NEAREST_OPTIONS = 74,
    LEAKY_RELU_OPTIONS = 75,
    MIRROR_PAD_OPTIONS = 77,
    DEPTH_TO_SPACE_OPTIONS = 94,
    BATCH_MATMUL_OPTIONS = 101,
    CUMSUM_OPTIONS = 102,
    GELU_OPTIONS = 116,
};

#define ANY_OUTPUTS 0  /* one or more */
#define MAX_LIST    64 /* of a list in the options; longer ones make no sense at rank 8 */

typedef struct op_row op_row;
typedef nw_status (*setup)(nw_tflite_op *op, const op_row *row, nw_error *err);

struct op_row {
    const char *name;
    nw_op op;
    uint8_t min_inputs; /* that must be there */
    uint8_t n_outputs;
    uint8_t options;  /* tag; 0: none are read */
    uint8_t act_slot; /* of the fused activation, counted from 1; 0: none */
    uint8_t detail;   /* which function, comparison or reduction; or as setup says */
    setup setup;
};

static nw_status refuse(const nw_tflite_op *op, nw_error *err, const char *what)
{
    return nw_fail(err, NW_INVALID, op->where, "%s; the file is damaged or not a valid model",
                   what);
}

/* For options that our operators cannot express. Before any input is moved. */
static nw_status leave_opaque(nw_tflite_op *op)
{
    op->op = NW_OP_OPAQUE;
    nw_attrs_init(&op->attrs);
    return NW_OK;
}

static int64_t read_int(const uint8_t *bytes, nw_dtype dtype)
{
    int n_bytes = nw_dtype_bits(dtype) / 8;
    uint64_t value = 0;
    for (int i = n_bytes; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    int shift = 64 - 8 * n_bytes;
    bool is_signed = dtype == NW_DTYPE_INT8 || dtype == NW_DTYPE_INT16 || dtype == NW_DTYPE_INT32 ||
                     dtype == NW_DTYPE_INT64;
    return is_signed ? (int64_t)(value << shift) >> shift : (int64_t)value;
}

/* The values of a constant integer tensor of up to max elements; -1 if it is no such tensor. */
static int read_ints(const nw_graph *graph, nw_tensor_id id, int64_t *values, int max)
{
    if (id == NW_NONE)
        return -1;
    const nw_tensor *tensor = &graph->tensors[id];
    bool is_int = tensor->dtype == NW_DTYPE_INT32 || tensor->dtype == NW_DTYPE_INT64 ||
                  tensor->dtype == NW_DTYPE_INT16 || tensor->dtype == NW_DTYPE_INT8 ||
                  tensor->dtype == NW_DTYPE_UINT8;
    int64_t n = nw_shape_elements(&tensor->shape);
    if (!tensor->data || !is_int || !nw_shape_is_known(&tensor->shape) || n > max)
        return -1;
    size_t element_bytes = (size_t)nw_dtype_bits(tensor->dtype) / 8;
    if ((size_t)n * element_bytes > tensor->n_bytes)
        return -1;
    for (int64_t i = 0; i < n; i++)
        values[i] = read_int(tensor->data + (size_t)i * element_bytes, tensor->dtype);
    return (int)n;
}

static void set_ints(nw_tflite_op *op, const int64_t *values, int n)
{
    int64_t *copy = nw_graph_alloc(op->graph, (size_t)n * sizeof *copy);
    if (n)
        memcpy(copy, values, (size_t)n * sizeof *copy);
    op->attrs.ints = copy;
    op->attrs.n_ints = n;
    op->attrs.has_ints = true;
}

/* A list of int32 from the options; -1 and an error if it is absurdly long. */
static int read_option_ints(nw_tflite_op *op, int slot, int64_t *values, nw_error *err)
{
    nw_flat_vector list = nw_flat_list(op->flat, op->options, slot, 4);
    if (list.n > MAX_LIST) {
        (void)refuse(op, err, "a list among its options is too long");
        return -1;
    }
    for (size_t i = 0; i < list.n; i++)
        values[i] = nw_flat_i32_at(op->flat, list, i);
    return (int)list.n;
}

/* The axis that TFLite keeps in a constant tensor and we keep as an attribute. */
static bool read_axis(nw_tflite_op *op, int input)
{
    int64_t axis;
    if (read_ints(op->graph, op->inputs[input], &axis, 1) != 1 || axis < -NW_MAX_RANK ||
        axis > NW_MAX_RANK)
        return false;
    op->attrs.axis = (int32_t)axis;
    return true;
}

static nw_status read_window(nw_tflite_op *op, nw_error *err)
{
    nw_attrs *attrs = &op->attrs;
    if (!op->options.at)
        return refuse(op, err, "has no options, so no stride and no padding");
    int padding = nw_flat_i8(op->flat, op->options, 0, 0);
    if (padding != 0 && padding != 1)
        return refuse(op, err, "has a padding that is neither SAME nor VALID");
    attrs->pad_mode = padding == 0 ? NW_PAD_SAME_UPPER : NW_PAD_VALID;
    attrs->stride_w = nw_flat_i32(op->flat, op->options, 1, 0);
    attrs->stride_h = nw_flat_i32(op->flat, op->options, 2, 0);
    if (attrs->stride_h < 1 || attrs->stride_w < 1)
        return nw_fail(err, NW_INVALID, op->where, "has stride %d x %d; strides start at 1",
                       (int)attrs->stride_h, (int)attrs->stride_w);
    return NW_OK;
}

/* What is known of a tensor's shape before shapes are inferred. */
static const nw_shape *shape_hint(const nw_graph *graph, nw_tensor_id id)
{
    const nw_tensor *tensor = &graph->tensors[id];
    return tensor->shape.rank >= 0 ? &tensor->shape : &tensor->stored_shape;
}

/* CONV_2D has no number of groups: it follows from the channels of input and filter. */
static int32_t find_groups(const nw_tflite_op *op)
{
    const nw_shape *x = shape_hint(op->graph, op->inputs[0]);
    const nw_shape *w = shape_hint(op->graph, op->inputs[1]);
    if (x->rank != 4 || w->rank != 4 || w->dims[3] < 1 || x->dims[3] <= w->dims[3] ||
        x->dims[3] % w->dims[3] != 0)
        return 1;
    int64_t groups = x->dims[3] / w->dims[3];
    return w->dims[0] % groups == 0 ? (int32_t)groups : 1;
}

/* detail: slot of dilation_w, followed by dilation_h. */
static nw_status set_conv(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    nw_attrs *attrs = &op->attrs;
    nw_status status = read_window(op, err);
    if (status != NW_OK)
        return status;
    attrs->dilation_w = nw_flat_i32(op->flat, op->options, row->detail, 1);
    attrs->dilation_h = nw_flat_i32(op->flat, op->options, row->detail + 1, 1);
    if (attrs->dilation_h < 1 || attrs->dilation_w < 1)
        return nw_fail(err, NW_INVALID, op->where, "has dilation %d x %d; dilations start at 1",
                       (int)attrs->dilation_h, (int)attrs->dilation_w);
    bool is_depthwise = row->options == DEPTHWISE_CONV_2D_OPTIONS;
    attrs->weight_layout = is_depthwise ? NW_WEIGHTS_HWIO : NW_WEIGHTS_OHWI;
    attrs->groups = is_depthwise ? 0 : find_groups(op);
    return NW_OK;
}

/* output shape, weights, x, bias? become x, weights, bias?. */
static nw_status set_transpose_conv(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    nw_status status = read_window(op, err);
    if (status != NW_OK)
        return status;
    op->attrs.weight_layout = NW_WEIGHTS_OHWI;
    int64_t shape[4];
    if (read_ints(op->graph, op->inputs[0], shape, 4) == 4)
        set_ints(op, shape + 1, 2);
    op->inputs[0] = op->inputs[2];
    for (int i = 3; i < op->n_inputs; i++)
        op->inputs[i - 1] = op->inputs[i];
    op->n_inputs--;
    return NW_OK;
}

static nw_status set_pool(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    nw_attrs *attrs = &op->attrs;
    nw_status status = read_window(op, err);
    if (status != NW_OK)
        return status;
    attrs->kernel_w = nw_flat_i32(op->flat, op->options, 3, 0);
    attrs->kernel_h = nw_flat_i32(op->flat, op->options, 4, 0);
    if (attrs->kernel_h < 1 || attrs->kernel_w < 1)
        return nw_fail(err, NW_INVALID, op->where, "has a window of %d x %d; windows start at 1",
                       (int)attrs->kernel_h, (int)attrs->kernel_w);
    return NW_OK;
}

static nw_status set_fully_connected(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    if (nw_flat_i8(op->flat, op->options, 1, 0) != 0) /* shuffled weights */
        return leave_opaque(op);
    op->attrs.weight_layout = NW_WEIGHTS_OIHW;
    op->attrs.keep_dims = nw_flat_i8(op->flat, op->options, 2, 0) != 0;
    return NW_OK;
}

static nw_status set_matmul(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    op->attrs.transpose_a = nw_flat_i8(op->flat, op->options, 0, 0) != 0;
    op->attrs.transpose_b = nw_flat_i8(op->flat, op->options, 1, 0) != 0;
    return NW_OK;
}

/* detail: slot of the axis. */
static nw_status set_axis(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    int32_t axis = nw_flat_i32(op->flat, op->options, row->detail, 0);
    if (axis < -NW_MAX_RANK || axis > NW_MAX_RANK)
        return nw_fail(err, NW_INVALID, op->where, "has axis %d", (int)axis);
    op->attrs.axis = axis;
    return NW_OK;
}

static nw_status set_gather(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    if (nw_flat_i32(op->flat, op->options, 1, 0) != 0) /* batch dimensions */
        return leave_opaque(op);
    return set_axis(op, row, err);
}

/* axis, x become x. */
static nw_status set_split(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    if (!read_axis(op, 0))
        return leave_opaque(op);
    op->inputs[0] = op->inputs[1];
    op->n_inputs = 1;
    return NW_OK;
}

/* x, sizes, axis become x, sizes. */
static nw_status set_split_v(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    if (!read_axis(op, 2))
        return leave_opaque(op);
    op->n_inputs = 2;
    return NW_OK;
}

static nw_status set_strided_slice(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    if (nw_flat_i8(op->flat, op->options, 5, 0) != 0) /* ends count from begins */
        return leave_opaque(op);
    nw_attrs *attrs = &op->attrs;
    int32_t *const masks[] = {&attrs->begin_mask, &attrs->end_mask, &attrs->ellipsis_mask,
                              &attrs->new_axis_mask, &attrs->shrink_mask};
    for (int slot = 0; slot < 5; slot++)
        *masks[slot] = nw_flat_i32(op->flat, op->options, slot, 0);
    return NW_OK;
}

static nw_status set_pad(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)err;
    op->attrs.pads_paired = true;
    if (row->options == MIRROR_PAD_OPTIONS)
        op->attrs.fill =
            nw_flat_i8(op->flat, op->options, 0, 0) == 1 ? NW_FILL_SYMMETRIC : NW_FILL_REFLECT;
    return NW_OK;
}

/* The sum of squares over 2 radius + 1 channels; the other formats divide it by their number. */
static nw_status set_local_response(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    int32_t radius = nw_flat_i32(op->flat, op->options, 0, 5);
    if (radius < 0 || radius > INT16_MAX)
        return nw_fail(err, NW_INVALID, op->where, "has radius %d", (int)radius);
    float *bias = nw_graph_alloc(op->graph, sizeof *bias);
    *bias = nw_flat_f32(op->flat, op->options, 1, 1);
    op->attrs.floats = bias;
    op->attrs.n_floats = 1;
    op->attrs.block = 2 * radius + 1;
    op->attrs.alpha = nw_flat_f32(op->flat, op->options, 2, 1) * (float)op->attrs.block;
    op->attrs.beta = nw_flat_f32(op->flat, op->options, 3, 0.5f);
    return NW_OK;
}

static nw_status set_l2_norm(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    op->attrs.axis = -1;
    op->attrs.block = 2;
    return NW_OK;
}

static nw_status set_gelu(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    op->attrs.alpha = nw_flat_i8(op->flat, op->options, 0, 0) != 0 ? 1 : 0;
    return NW_OK;
}

/* Sums without the element itself, or from the end. */
static nw_status set_cum_sum(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    op->attrs.is_partial = nw_flat_i8(op->flat, op->options, 0, 0) != 0 ||
                           nw_flat_i8(op->flat, op->options, 1, 0) != 0;
    return NW_OK;
}

/* The shape is the second input; files of old converters have it in the options only. */
static nw_status set_reshape(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    op->attrs.allow_zero = true;
    if (op->n_inputs > 1 && op->inputs[1] != NW_NONE)
        return NW_OK;
    if (!op->options.at)
        return refuse(op, err, "says nowhere what shape to make");
    int64_t shape[MAX_LIST];
    int n = read_option_ints(op, 0, shape, err);
    if (n < 0)
        return NW_INVALID;
    if (n == 1 && shape[0] == 0) /* how old files spell a scalar */
        n = 0;
    set_ints(op, shape, n);
    return NW_OK;
}

static nw_status set_squeeze(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    int64_t axes[MAX_LIST];
    int n = read_option_ints(op, 0, axes, err);
    if (n < 0)
        return NW_INVALID;
    if (n)
        set_ints(op, axes, n);
    return NW_OK;
}

/* detail: slot of align_corners, followed by half_pixel_centers. */
static nw_status set_resize(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)err;
    nw_attrs *attrs = &op->attrs;
    attrs->resize_form = NW_RESIZE_SIZE_HW;
    attrs->resize_mode =
        row->options == RESIZE_BILINEAR_OPTIONS ? NW_RESIZE_LINEAR : NW_RESIZE_NEAREST;
    attrs->align_corners = nw_flat_i8(op->flat, op->options, row->detail, 0) != 0;
    attrs->half_pixel = nw_flat_i8(op->flat, op->options, row->detail + 1, 0) != 0;
    if (attrs->resize_mode == NW_RESIZE_NEAREST)
        attrs->rounding =
            attrs->align_corners || attrs->half_pixel ? NW_ROUND_HALF_UP : NW_ROUND_FLOOR;
    return NW_OK;
}

static nw_status set_block(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    op->attrs.block = nw_flat_i32(op->flat, op->options, 0, 0);
    if (op->attrs.block < 1)
        return nw_fail(err, NW_INVALID, op->where, "has block size %d; it starts at 1",
                       (int)op->attrs.block);
    return NW_OK;
}

static nw_status set_reduce(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)err;
    op->attrs.reduce = row->detail;
    op->attrs.keep_dims = nw_flat_i8(op->flat, op->options, 0, 0) != 0;
    op->attrs.noop_empty = true;
    return NW_OK;
}

static nw_status set_arg_max(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    op->attrs.keep_dims = false;
    return NW_OK;
}

static nw_status set_last_axis(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)err;
    op->attrs.axis = -1;
    if (row->options == SOFTMAX_OPTIONS)
        op->attrs.beta = nw_flat_f32(op->flat, op->options, 0, 1);
    return NW_OK;
}

static nw_status set_leaky_relu(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    op->attrs.alpha = nw_flat_f32(op->flat, op->options, 0, 0);
    return NW_OK;
}

/* detail: 1 for -1 to 1, 0 for 0 to 1. */
static nw_status set_clip(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)err;
    op->attrs.alpha = -(float)row->detail;
    op->attrs.beta = 1;
    return NW_OK;
}

/* shape, value become shape and an attribute. */
static nw_status set_fill(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    int64_t value;
    const nw_tensor *tensor = &op->graph->tensors[op->inputs[1]];
    if (read_ints(op->graph, op->inputs[1], &value, 1) == 1) {
        set_ints(op, &value, 1);
    } else if (tensor->dtype == NW_DTYPE_FLOAT32 && tensor->data && tensor->n_bytes >= 4 &&
               nw_shape_elements(&tensor->shape) == 1) {
        float *copy = nw_graph_alloc(op->graph, sizeof *copy);
        uint32_t bits = (uint32_t)read_int(tensor->data, NW_DTYPE_UINT32);
        memcpy(copy, &bits, sizeof *copy);
        op->attrs.floats = copy;
        op->attrs.n_floats = 1;
    } else {
        return leave_opaque(op);
    }
    op->n_inputs = 1;
    return NW_OK;
}

/* x, updates, start become x, start, updates. */
static nw_status set_update_slice(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)row;
    (void)err;
    nw_tensor_id updates = op->inputs[1];
    op->inputs[1] = op->inputs[2];
    op->inputs[2] = updates;
    return NW_OK;
}

static nw_status set_unary(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)err;
    op->attrs.unary = row->detail;
    return NW_OK;
}

static nw_status set_compare(nw_tflite_op *op, const op_row *row, nw_error *err)
{
    (void)err;
    op->attrs.compare = row->detail;
    return NW_OK;
}

#define OPAQUE(text)                                                                               \
    {                                                                                              \
        .name = text                                                                               \
    }
#define PLAIN(text, op, n)                                                                         \
    {                                                                                              \
        text, NW_OP_##op, n, 1, 0, 0, 0, NULL                                                      \
    }
#define BINARY(text, op, tag)                                                                      \
    {                                                                                              \
        text, NW_OP_##op, 2, 1, tag, (tag) ? 1 : 0, 0, NULL                                        \
    }
#define UNARY(text, which)                                                                         \
    {                                                                                              \
        text, NW_OP_UNARY, 1, 1, 0, 0, NW_UNARY_##which, set_unary                                 \
    }
#define COMPARE(text, which)                                                                       \
    {                                                                                              \
        text, NW_OP_COMPARE, 2, 1, 0, 0, NW_COMPARE_##which, set_compare                           \
    }
#define REDUCE(text, which)                                                                        \
    {                                                                                              \
        text, NW_OP_REDUCE, 2, 1, REDUCER_OPTIONS, 0, NW_REDUCE_##which, set_reduce                \
    }
#define POOL(text, op)                                                                             \
    {                                                                                              \
        text, NW_OP_##op, 1, 1, POOL_2D_OPTIONS, 6, 0, set_pool                                    \
    }

/* By builtin code. */
static const op_row rows[] = {
    [0] = BINARY("ADD", ADD, ADD_OPTIONS),
    [1] = POOL("AVERAGE_POOL_2D", AVERAGE_POOL),
    [2] = {"CONCATENATION", NW_OP_CONCAT, 1, 1, CONCATENATION_OPTIONS, 2, 0, set_axis},
    [3] = {"CONV_2D", NW_OP_CONV2D, 2, 1, CONV_2D_OPTIONS, 4, 4, set_conv},
    [4] = {"DEPTHWISE_CONV_2D", NW_OP_CONV2D, 2, 1, DEPTHWISE_CONV_2D_OPTIONS, 5, 5, set_conv},
    [5] = {"DEPTH_TO_SPACE", NW_OP_DEPTH_TO_SPACE, 1, 1, DEPTH_TO_SPACE_OPTIONS, 0, 0, set_block},
    [6] = PLAIN("DEQUANTIZE", DEQUANTIZE, 1),
    [7] = OPAQUE("EMBEDDING_LOOKUP"),
    [8] = UNARY("FLOOR", FLOOR),
    [9] = {"FULLY_CONNECTED", NW_OP_FULLY_CONNECTED, 2, 1, FULLY_CONNECTED_OPTIONS, 1, 0,
           set_fully_connected},
    [10] = OPAQUE("HASHTABLE_LOOKUP"),
    [11] = {"L2_NORMALIZATION", NW_OP_INSTANCE_NORM, 1, 1, L2_NORM_OPTIONS, 1, 0, set_l2_norm},
    [12] = POOL("L2_POOL_2D", AVERAGE_POOL),
    [13] = {"LOCAL_RESPONSE_NORMALIZATION", NW_OP_INSTANCE_NORM, 1, 1, LOCAL_RESPONSE_OPTIONS, 0, 0,
            set_local_response},
    [14] = PLAIN("LOGISTIC", SIGMOID, 1),
    [15] = OPAQUE("LSH_PROJECTION"),
    [16] = OPAQUE("LSTM"),
    [17] = POOL("MAX_POOL_2D", MAX_POOL),
    [18] = BINARY("MUL", MUL, MUL_OPTIONS),
    [19] = PLAIN("RELU", RELU, 1),
    [20] = {"RELU_N1_TO_1", NW_OP_CLIP, 1, 1, 0, 0, 1, set_clip},
    [21] = PLAIN("RELU6", RELU6, 1),
    [22] = {"RESHAPE", NW_OP_RESHAPE, 1, 1, RESHAPE_OPTIONS, 0, 0, set_reshape},
    [23] = {"RESIZE_BILINEAR", NW_OP_RESIZE, 2, 1, RESIZE_BILINEAR_OPTIONS, 0, 2, set_resize},
    [24] = OPAQUE("RNN"),
    [25] = {"SOFTMAX", NW_OP_SOFTMAX, 1, 1, SOFTMAX_OPTIONS, 0, 0, set_last_axis},
    [26] = {"SPACE_TO_DEPTH", NW_OP_SPACE_TO_DEPTH, 1, 1, SPACE_TO_DEPTH_OPTIONS, 0, 0, set_block},
    [27] = OPAQUE("SVDF"),
    [28] = PLAIN("TANH", TANH, 1),
    [29] = OPAQUE("CONCAT_EMBEDDINGS"),
    [30] = OPAQUE("SKIP_GRAM"),
    [31] = OPAQUE("CALL"),
    [32] = OPAQUE("CUSTOM"),
    [33] = OPAQUE("EMBEDDING_LOOKUP_SPARSE"),
    [34] = {"PAD", NW_OP_PAD, 2, 1, 0, 0, 0, set_pad},
    [35] = OPAQUE("UNIDIRECTIONAL_SEQUENCE_RNN"),
    [36] = {"GATHER", NW_OP_GATHER, 2, 1, GATHER_OPTIONS, 0, 0, set_gather},
    [37] = PLAIN("BATCH_TO_SPACE_ND", BATCH_TO_SPACE, 3),
    [38] = PLAIN("SPACE_TO_BATCH_ND", SPACE_TO_BATCH, 3),
    [39] = PLAIN("TRANSPOSE", TRANSPOSE, 2),
    [40] = REDUCE("MEAN", MEAN),
    [41] = BINARY("SUB", SUB, SUB_OPTIONS),
    [42] = BINARY("DIV", DIV, DIV_OPTIONS),
    [43] = {"SQUEEZE", NW_OP_SQUEEZE, 1, 1, SQUEEZE_OPTIONS, 0, 0, set_squeeze},
    [44] = OPAQUE("UNIDIRECTIONAL_SEQUENCE_LSTM"),
    [45] = {"STRIDED_SLICE", NW_OP_STRIDED_SLICE, 4, 1, STRIDED_SLICE_OPTIONS, 0, 0,
            set_strided_slice},
    [46] = OPAQUE("BIDIRECTIONAL_SEQUENCE_RNN"),
    [47] = UNARY("EXP", EXP),
    [48] = {"TOPK_V2", NW_OP_TOP_K, 2, 2, 0, 0, 0, set_last_axis},
    [49] = {"SPLIT", NW_OP_SPLIT, 2, ANY_OUTPUTS, 0, 0, 0, set_split},
    [50] = {"LOG_SOFTMAX", NW_OP_SOFTMAX, 1, 1, 0, 0, 0, set_last_axis},
    [51] = OPAQUE("DELEGATE"),
    [52] = OPAQUE("BIDIRECTIONAL_SEQUENCE_LSTM"),
    [53] = PLAIN("CAST", CAST, 1),
    [54] = PLAIN("PRELU", PRELU, 2),
    [55] = BINARY("MAXIMUM", MAX, 0),
    [56] = {"ARG_MAX", NW_OP_ARG_MAX, 2, 1, 0, 0, 0, set_arg_max},
    [57] = BINARY("MINIMUM", MIN, 0),
    [58] = COMPARE("LESS", LESS),
    [59] = UNARY("NEG", NEG),
    [60] = {"PADV2", NW_OP_PAD, 3, 1, 0, 0, 0, set_pad},
    [61] = COMPARE("GREATER", GREATER),
    [62] = COMPARE("GREATER_EQUAL", GREATER_EQUAL),
    [63] = COMPARE("LESS_EQUAL", LESS_EQUAL),
    [64] = PLAIN("SELECT", WHERE, 3),
    [65] = PLAIN("SLICE", SLICE_SIZE, 3),
    [66] = UNARY("SIN", OTHER),
    [67] = {"TRANSPOSE_CONV", NW_OP_CONV_TRANSPOSE, 3, 1, TRANSPOSE_CONV_OPTIONS, 4, 0,
            set_transpose_conv},
    [68] = OPAQUE("SPARSE_TO_DENSE"),
    [69] = PLAIN("TILE", TILE, 2),
    [70] = PLAIN("EXPAND_DIMS", UNSQUEEZE, 2),
    [71] = COMPARE("EQUAL", EQUAL),
    [72] = COMPARE("NOT_EQUAL", NOT_EQUAL),
    [73] = UNARY("LOG", LOG),
    [74] = REDUCE("SUM", SUM),
    [75] = UNARY("SQRT", SQRT),
    [76] = UNARY("RSQRT", RSQRT),
    [77] = PLAIN("SHAPE", SHAPE, 1),
    [78] = BINARY("POW", POW, 0),
    [79] = {"ARG_MIN", NW_OP_ARG_MAX, 2, 1, 0, 0, 0, set_arg_max},
    [80] = PLAIN("FAKE_QUANT", IDENTITY, 1),
    [81] = REDUCE("REDUCE_PROD", PROD),
    [82] = REDUCE("REDUCE_MAX", MAX),
    [83] = {"PACK", NW_OP_STACK, 1, 1, PACK_OPTIONS, 0, 1, set_axis},
    [84] = COMPARE("LOGICAL_OR", OR),
    [85] = {"ONE_HOT", NW_OP_ONE_HOT, 4, 1, ONE_HOT_OPTIONS, 0, 0, set_axis},
    [86] = COMPARE("LOGICAL_AND", AND),
    [87] = UNARY("LOGICAL_NOT", NOT),
    [88] = {"UNPACK", NW_OP_UNSTACK, 1, ANY_OUTPUTS, UNPACK_OPTIONS, 0, 1, set_axis},
    [89] = REDUCE("REDUCE_MIN", MIN),
    [90] = BINARY("FLOOR_DIV", DIV, 0),
    [91] = REDUCE("REDUCE_ANY", OTHER),
    [92] = UNARY("SQUARE", SQUARE),
    [93] = UNARY("ZEROS_LIKE", OTHER),
    [94] = {"FILL", NW_OP_CONSTANT_OF_SHAPE, 2, 1, 0, 0, 0, set_fill},
    [95] = BINARY("FLOOR_MOD", MOD, 0),
    [96] = PLAIN("RANGE", RANGE, 3),
    [97] = {"RESIZE_NEAREST_NEIGHBOR", NW_OP_RESIZE, 2, 1, RESIZE_NEAREST_OPTIONS, 0, 0,
            set_resize},
    [98] = {"LEAKY_RELU", NW_OP_LEAKY_RELU, 1, 1, LEAKY_RELU_OPTIONS, 0, 0, set_leaky_relu},
    [99] = BINARY("SQUARED_DIFFERENCE", SUB, 0),
    [100] = {"MIRROR_PAD", NW_OP_PAD, 2, 1, MIRROR_PAD_OPTIONS, 0, 0, set_pad},
    [101] = UNARY("ABS", ABS),
    [102] = {"SPLIT_V", NW_OP_SPLIT, 3, ANY_OUTPUTS, 0, 0, 0, set_split_v},
    [103] = OPAQUE("UNIQUE"),
    [104] = UNARY("CEIL", CEIL),
    [105] = OPAQUE("REVERSE_V2"),
    [106] = PLAIN("ADD_N", ADD, 1),
    [107] = PLAIN("GATHER_ND", GATHER_ND, 2),
    [108] = UNARY("COS", OTHER),
    [109] = OPAQUE("WHERE"),
    [110] = OPAQUE("RANK"),
    [111] = UNARY("ELU", ELU),
    [112] = OPAQUE("REVERSE_SEQUENCE"),
    [113] = OPAQUE("MATRIX_DIAG"),
    [114] = PLAIN("QUANTIZE", QUANTIZE, 1),
    [115] = OPAQUE("MATRIX_SET_DIAG"),
    [116] = UNARY("ROUND", ROUND),
    [117] = PLAIN("HARD_SWISH", HARD_SWISH, 1),
    [118] = OPAQUE("IF"),
    [119] = OPAQUE("WHILE"),
    [120] = OPAQUE("NON_MAX_SUPPRESSION_V4"),
    [121] = OPAQUE("NON_MAX_SUPPRESSION_V5"),
    [122] = OPAQUE("SCATTER_ND"),
    [123] = PLAIN("SELECT_V2", WHERE, 3),
    [124] = PLAIN("DENSIFY", IDENTITY, 1),
    [125] = OPAQUE("SEGMENT_SUM"),
    [126] = {"BATCH_MATMUL", NW_OP_MATMUL, 2, 1, BATCH_MATMUL_OPTIONS, 0, 0, set_matmul},
    [127] = OPAQUE("PLACEHOLDER_FOR_GREATER_OP_CODES"),
    [128] = {"CUMSUM", NW_OP_CUM_SUM, 2, 1, CUMSUM_OPTIONS, 0, 0, set_cum_sum},
    [129] = OPAQUE("CALL_ONCE"),
    [130] = PLAIN("BROADCAST_TO", EXPAND, 2),
    [131] = OPAQUE("RFFT2D"),
    [132] = OPAQUE("CONV_3D"),
    [133] = OPAQUE("IMAG"),
    [134] = OPAQUE("REAL"),
    [135] = OPAQUE("COMPLEX_ABS"),
    [136] = OPAQUE("HASHTABLE"),
    [137] = OPAQUE("HASHTABLE_FIND"),
    [138] = OPAQUE("HASHTABLE_IMPORT"),
    [139] = OPAQUE("HASHTABLE_SIZE"),
    [140] = REDUCE("REDUCE_ALL", OTHER),
    [141] = OPAQUE("CONV_3D_TRANSPOSE"),
    [142] = OPAQUE("VAR_HANDLE"),
    [143] = OPAQUE("READ_VARIABLE"),
    [144] = OPAQUE("ASSIGN_VARIABLE"),
    [145] = OPAQUE("BROADCAST_ARGS"),
    [146] = OPAQUE("RANDOM_STANDARD_NORMAL"),
    [147] = OPAQUE("BUCKETIZE"),
    [148] = OPAQUE("RANDOM_UNIFORM"),
    [149] = OPAQUE("MULTINOMIAL"),
    [150] = {"GELU", NW_OP_GELU, 1, 1, GELU_OPTIONS, 0, 0, set_gelu},
    [151] = {"DYNAMIC_UPDATE_SLICE", NW_OP_SCATTER, 3, 1, 0, 0, 0, set_update_slice},
    [152] = {"RELU_0_TO_1", NW_OP_CLIP, 1, 1, 0, 0, 0, set_clip},
    [153] = OPAQUE("UNSORTED_SEGMENT_PROD"),
    [154] = OPAQUE("UNSORTED_SEGMENT_MAX"),
    [155] = OPAQUE("UNSORTED_SEGMENT_SUM"),
    [156] = OPAQUE("ATAN2"),
    [157] = OPAQUE("UNSORTED_SEGMENT_MIN"),
    [158] = UNARY("SIGN", OTHER),
    [159] = OPAQUE("BITCAST"),
    [160] = OPAQUE("BITWISE_XOR"),
    [161] = OPAQUE("RIGHT_SHIFT"),
    [162] = OPAQUE("STABLEHLO_LOGISTIC"),
    [163] = OPAQUE("STABLEHLO_ADD"),
    [164] = OPAQUE("STABLEHLO_DIVIDE"),
    [165] = OPAQUE("STABLEHLO_MULTIPLY"),
    [166] = OPAQUE("STABLEHLO_MAXIMUM"),
    [167] = OPAQUE("STABLEHLO_RESHAPE"),
    [168] = OPAQUE("STABLEHLO_CLAMP"),
    [169] = OPAQUE("STABLEHLO_CONCATENATE"),
    [170] = OPAQUE("STABLEHLO_BROADCAST_IN_DIM"),
    [171] = OPAQUE("STABLEHLO_CONVOLUTION"),
    [172] = OPAQUE("STABLEHLO_SLICE"),
    [173] = OPAQUE("STABLEHLO_CUSTOM_CALL"),
    [174] = OPAQUE("STABLEHLO_REDUCE"),
    [175] = OPAQUE("STABLEHLO_ABS"),
    [176] = OPAQUE("STABLEHLO_AND"),
    [177] = OPAQUE("STABLEHLO_COSINE"),
    [178] = OPAQUE("STABLEHLO_EXPONENTIAL"),
    [179] = OPAQUE("STABLEHLO_FLOOR"),
    [180] = OPAQUE("STABLEHLO_LOG"),
    [181] = OPAQUE("STABLEHLO_MINIMUM"),
    [182] = OPAQUE("STABLEHLO_NEGATE"),
    [183] = OPAQUE("STABLEHLO_OR"),
    [184] = OPAQUE("STABLEHLO_POWER"),
    [185] = OPAQUE("STABLEHLO_REMAINDER"),
    [186] = OPAQUE("STABLEHLO_RSQRT"),
    [187] = OPAQUE("STABLEHLO_SELECT"),
    [188] = OPAQUE("STABLEHLO_SUBTRACT"),
    [189] = OPAQUE("STABLEHLO_TANH"),
    [190] = OPAQUE("STABLEHLO_SCATTER"),
    [191] = OPAQUE("STABLEHLO_COMPARE"),
    [192] = OPAQUE("STABLEHLO_CONVERT"),
    [193] = OPAQUE("STABLEHLO_DYNAMIC_SLICE"),
    [194] = OPAQUE("STABLEHLO_DYNAMIC_UPDATE_SLICE"),
    [195] = OPAQUE("STABLEHLO_PAD"),
    [196] = OPAQUE("STABLEHLO_IOTA"),
    [197] = OPAQUE("STABLEHLO_DOT_GENERAL"),
    [198] = OPAQUE("STABLEHLO_REDUCE_WINDOW"),
    [199] = OPAQUE("STABLEHLO_SORT"),
    [200] = OPAQUE("STABLEHLO_WHILE"),
    [201] = OPAQUE("STABLEHLO_GATHER"),
    [202] = OPAQUE("STABLEHLO_TRANSPOSE"),
    [203] = OPAQUE("DILATE"),
    [204] = OPAQUE("STABLEHLO_RNG_BIT_GENERATOR"),
    [205] = OPAQUE("REDUCE_WINDOW"),
    [206] = OPAQUE("STABLEHLO_COMPOSITE"),
    [207] = OPAQUE("STABLEHLO_SHIFT_LEFT"),
    [208] = OPAQUE("STABLEHLO_CBRT"),
    [209] = OPAQUE("STABLEHLO_CASE"),
};

static const op_row *find_row(int32_t code)
{
    return code >= 0 && (size_t)code < sizeof rows / sizeof *rows ? &rows[code] : NULL;
}

const char *nw_tflite_builtin_name(int32_t code)
{
    const op_row *row = find_row(code);
    return row ? row->name : NULL;
}

static nw_status check_counts(const nw_tflite_op *op, const op_row *row, nw_error *err)
{
    for (int i = 0; i < row->min_inputs; i++)
        if (i >= op->n_inputs || op->inputs[i] == NW_NONE)
            return nw_fail(err, NW_INVALID, op->where, "lacks input %d of the %d it needs", i,
                           row->min_inputs);
    int wanted = row->n_outputs == ANY_OUTPUTS ? 1 : row->n_outputs;
    if (op->n_outputs < wanted || (row->n_outputs != ANY_OUTPUTS && op->n_outputs > wanted))
        return nw_fail(err, NW_INVALID, op->where, "has %d outputs, %s%d are expected",
                       op->n_outputs, row->n_outputs == ANY_OUTPUTS ? "at least " : "", wanted);
    return NW_OK;
}

nw_status nw_tflite_translate(nw_tflite_op *op, int32_t code, int32_t options_type, nw_error *err)
{
    const op_row *row = find_row(code);
    nw_attrs_init(&op->attrs);
    op->op = NW_OP_OPAQUE;
    op->act = NW_ACT_NONE;
    if (!row || row->op == NW_OP_OPAQUE)
        return NW_OK;
    op->op = row->op;
    if (options_type != row->options)
        op->options = (nw_flat_table){0};
    nw_status status = check_counts(op, row, err);
    if (status == NW_OK && row->setup)
        status = row->setup(op, row, err);
    if (status != NW_OK || op->op == NW_OP_OPAQUE)
        return status;
    if (!isfinite(op->attrs.alpha) || !isfinite(op->attrs.beta))
        return refuse(op, err, "has an option that is no number");
    if (row->act_slot) {
        int act = nw_flat_i8(op->flat, op->options, row->act_slot - 1, 0);
        if (act < NW_ACT_NONE || act > NW_ACT_SIGN_BIT)
            return nw_fail(err, NW_INVALID, op->where, "has the unknown fused activation %d", act);
        op->act = (nw_act)act;
    }
    return NW_OK;
}

/* MediaPipe's transposed convolution with a bias. Its options are the bytes of TensorFlow Lite's
 * own structure of a transposed convolution: padding (1 SAME, 2 VALID), stride_width,
 * stride_height, each an int32. */
static void set_transpose_bias(nw_tflite_op *op, nw_flat_vector options)
{
    nw_flat_vector words = {.at = options.at, .n = options.n / 4, .element_bytes = 4};
    if (words.n < 3 || op->n_inputs < 2 || op->n_outputs != 1)
        return;
    int32_t padding = nw_flat_i32_at(op->flat, words, 0);
    int32_t stride_w = nw_flat_i32_at(op->flat, words, 1);
    int32_t stride_h = nw_flat_i32_at(op->flat, words, 2);
    if ((padding != 1 && padding != 2) || stride_w < 1 || stride_h < 1)
        return;
    op->op = NW_OP_CONV_TRANSPOSE;
    op->attrs.pad_mode = padding == 1 ? NW_PAD_SAME_UPPER : NW_PAD_VALID;
    op->attrs.stride_h = stride_h;
    op->attrs.stride_w = stride_w;
    op->attrs.weight_layout = NW_WEIGHTS_OHWI;
}

void nw_tflite_translate_custom(nw_tflite_op *op, const char *file_type, nw_flat_vector options)
{
    if (strcmp(file_type, "CUSTOM:Convolution2DTransposeBias") == 0)
        set_transpose_bias(op, options);
}
