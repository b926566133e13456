#include "src/graph/infer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- what the rules are made of ---- */

nw_status nw_infer_fail(const nw_infer *in, const char *format, ...)
{
    if (!in->err)
        return NW_INVALID;
    char message[384], label[128];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return nw_fail(in->err, NW_INVALID, nw_node_label(in->graph, in->id, label, sizeof label), "%s",
                   message);
}

nw_tensor *nw_infer_input(const nw_infer *in, int i)
{
    if (i >= in->node->n_inputs || in->node->inputs[i] < 0)
        return NULL;
    return &in->graph->tensors[in->node->inputs[i]];
}

nw_tensor *nw_infer_output(const nw_infer *in, int i)
{
    if (i >= in->node->n_outputs || in->node->outputs[i] < 0)
        return NULL;
    return &in->graph->tensors[in->node->outputs[i]];
}

const nw_shape *nw_infer_shape(const nw_infer *in, int i)
{
    return &nw_infer_input(in, i)->shape;
}

void nw_infer_set(const nw_infer *in, int output, const nw_shape *shape)
{
    nw_tensor *tensor = nw_infer_output(in, output);
    if (tensor)
        tensor->shape = *shape;
}

int64_t nw_bounded(int64_t value)
{
    const int64_t limit = NW_MAX_DIM + 1;
    return value > limit ? limit : value < -limit ? -limit : value;
}

nw_status nw_infer_axis(const nw_infer *in, int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank)
        return nw_infer_fail(in, "axis %" PRId64 " is outside the tensor's %d dimensions", axis,
                             rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return NW_OK;
}

nw_status nw_infer_axis_set(const nw_infer *in, const nw_list *axes, int rank, bool unique,
                            uint32_t *out)
{
    *out = 0;
    for (int64_t i = 0; i < axes->n; i++) {
        int axis = 0;
        nw_status status = nw_infer_axis(in, axes->values[i], rank, &axis);
        if (status != NW_OK)
            return status;
        if (unique && *out & 1u << axis)
            return nw_infer_fail(in, "axis %d is named twice among %" PRId64 " axes", axis,
                                 axes->n);
        *out |= 1u << axis;
    }
    return NW_OK;
}

nw_list_state nw_infer_values(const nw_infer *in, int input, nw_list *out)
{
    const nw_tensor *tensor = nw_infer_input(in, input);
    *out = (nw_list){NULL, 0};
    if (!tensor)
        return NW_LIST_ABSENT;
    if (!tensor->ints)
        return NW_LIST_UNKNOWN;
    *out = (nw_list){tensor->ints, nw_shape_elements(&tensor->shape)};
    return NW_LIST_KNOWN;
}

nw_list_state nw_infer_list(const nw_infer *in, int input, nw_list *out)
{
    const nw_attrs *attrs = &in->node->attrs;
    if (!attrs->has_ints)
        return nw_infer_values(in, input, out);
    *out = (nw_list){attrs->ints, attrs->n_ints};
    return NW_LIST_KNOWN;
}

nw_status nw_infer_broadcast(const nw_infer *in, nw_shape *shape, const nw_shape *other)
{
    nw_shape wide = {.rank = shape->rank > other->rank ? shape->rank : other->rank};
    for (int i = 1; i <= wide.rank; i++) {
        int64_t a = i <= shape->rank ? shape->dims[shape->rank - i] : 1;
        int64_t b = i <= other->rank ? other->dims[other->rank - i] : 1;
        if (a != b && a != 1 && b != 1)
            return nw_infer_fail(
                in, "sizes %" PRId64 " and %" PRId64 " do not broadcast, on axis %d from the end",
                a, b, i);
        wide.dims[wide.rank - i] = a == 1 ? b : a;
    }
    *shape = wide;
    return NW_OK;
}

bool nw_infer_map_axes(const nw_infer *in, int rank, nw_map_axes *out)
{
    bool channels_first = in->graph->layout == NW_LAYOUT_NCHW;
    if (rank == 4)
        *out = channels_first ? (nw_map_axes){2, 3, 1} : (nw_map_axes){1, 2, 3};
    else if (rank == 3)
        *out = channels_first ? (nw_map_axes){-1, 2, 1} : (nw_map_axes){-1, 1, 2};
    return rank == 4 || rank == 3;
}

/* ---- the table ---- */

/* The type of an output that the reader left open. */
typedef enum type_rule {
    TYPE_OF_INPUT_0,
    TYPE_OF_INPUT_1,
    TYPE_OF_INPUT_2,
    TYPE_OPEN, /* only the reader can know */
    TYPE_BOOL,
    TYPE_INT64,
    TYPE_UINT8,
    TYPE_FLOAT32,
    TYPE_OF_VALUE, /* float32, or int64 if the attribute is a list of integers */
} type_rule;

#define ALL_INPUTS 127 /* at least one, and every one */

typedef struct rule_row {
    nw_infer_rule *run;      /* NULL: outputs as the file stores them */
    int8_t n_needed;         /* leading inputs that must be there, and of known shape for run */
    uint8_t type, type_rest; /* type_rule of the first output and of the others */
} rule_row;

#define SAME                                                                                       \
    {                                                                                              \
        nw_rule_same, 1, TYPE_OF_INPUT_0, TYPE_OF_INPUT_0                                          \
    }
#define VIEW                                                                                       \
    {                                                                                              \
        nw_rule_view, 1, TYPE_OF_INPUT_0, TYPE_OF_INPUT_0                                          \
    }
#define BINARY                                                                                     \
    {                                                                                              \
        nw_rule_broadcast, 2, TYPE_OF_INPUT_0, TYPE_OF_INPUT_0                                     \
    }
#define MANY                                                                                       \
    {                                                                                              \
        nw_rule_broadcast, ALL_INPUTS, TYPE_OF_INPUT_0, TYPE_OF_INPUT_0                            \
    }

static const rule_row rules[NW_OP_COUNT] = {
    [NW_OP_OPAQUE] = {NULL, 0, TYPE_OPEN, TYPE_OPEN},
    [NW_OP_CONV2D] = {nw_rule_conv, 2, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_CONV_TRANSPOSE] = {nw_rule_conv, 2, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_MATMUL] = {nw_rule_matmul, 2, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_FULLY_CONNECTED] = {nw_rule_fully_connected, 2, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_MAX_POOL] = {nw_rule_pool, 1, TYPE_OF_INPUT_0, TYPE_INT64},
    [NW_OP_AVERAGE_POOL] = {nw_rule_pool, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_GLOBAL_POOL] = {nw_rule_global_pool, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_RELU] = SAME,
    [NW_OP_RELU6] = SAME,
    [NW_OP_CLIP] = SAME,
    [NW_OP_HARD_SWISH] = SAME,
    [NW_OP_HARD_SIGMOID] = SAME,
    [NW_OP_SIGMOID] = SAME,
    [NW_OP_SWISH] = SAME,
    [NW_OP_LEAKY_RELU] = SAME,
    [NW_OP_PRELU] = {nw_rule_prelu, 2, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_TANH] = SAME,
    [NW_OP_GELU] = SAME,
    [NW_OP_UNARY] = SAME,
    [NW_OP_ADD] = MANY,
    [NW_OP_SUB] = BINARY,
    [NW_OP_MUL] = BINARY,
    [NW_OP_DIV] = BINARY,
    [NW_OP_POW] = BINARY,
    [NW_OP_MIN] = MANY,
    [NW_OP_MAX] = MANY,
    [NW_OP_MOD] = BINARY,
    [NW_OP_COMPARE] = {nw_rule_broadcast, 2, TYPE_BOOL, TYPE_OPEN},
    [NW_OP_WHERE] = {nw_rule_broadcast, 3, TYPE_OF_INPUT_1, TYPE_OPEN},
    [NW_OP_CONCAT] = {nw_rule_concat, ALL_INPUTS, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_STACK] = {nw_rule_stack, ALL_INPUTS, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_UNSTACK] = {nw_rule_unstack, 1, TYPE_OF_INPUT_0, TYPE_OF_INPUT_0},
    [NW_OP_SPLIT] = {nw_rule_split, 1, TYPE_OF_INPUT_0, TYPE_OF_INPUT_0},
    [NW_OP_SLICE] = VIEW,
    [NW_OP_SLICE_SIZE] = VIEW,
    [NW_OP_STRIDED_SLICE] = VIEW,
    [NW_OP_GATHER] = {nw_rule_gather, 2, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_PAD] = {nw_rule_pad, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_RESHAPE] = VIEW,
    [NW_OP_FLATTEN] = VIEW,
    [NW_OP_SQUEEZE] = VIEW,
    [NW_OP_UNSQUEEZE] = VIEW,
    [NW_OP_TRANSPOSE] = VIEW,
    [NW_OP_EXPAND] = VIEW,
    [NW_OP_TILE] = {nw_rule_tile, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_RESIZE] = {nw_rule_resize, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_DEPTH_TO_SPACE] = {nw_rule_depth_to_space, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_SPACE_TO_DEPTH] = {nw_rule_space_to_depth, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_SPACE_TO_BATCH] = {nw_rule_space_to_batch, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_BATCH_TO_SPACE] = {nw_rule_batch_to_space, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_CHANNEL_SHUFFLE] = {nw_rule_channel_shuffle, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_REDUCE] = {nw_rule_reduce, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_ARG_MAX] = {nw_rule_arg_max, 1, TYPE_INT64, TYPE_OPEN},
    [NW_OP_TOP_K] = {nw_rule_top_k, 1, TYPE_OF_INPUT_0, TYPE_INT64},
    [NW_OP_SOFTMAX] = {nw_rule_same_axis, 1, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_BATCH_NORM] = {nw_rule_batch_norm, 1, TYPE_OF_INPUT_0, TYPE_OF_INPUT_0},
    [NW_OP_LAYER_NORM] = {nw_rule_layer_norm, 1, TYPE_OF_INPUT_0, TYPE_OF_INPUT_0},
    [NW_OP_INSTANCE_NORM] = SAME,
    [NW_OP_QUANTIZE] = {nw_rule_quantize, 1, TYPE_UINT8, TYPE_OPEN}, /* ONNX without a zero point */
    [NW_OP_DEQUANTIZE] = {nw_rule_same, 1, TYPE_FLOAT32, TYPE_OPEN},
    [NW_OP_CAST] = {nw_rule_same, 1, TYPE_OPEN, TYPE_OPEN},
    [NW_OP_IDENTITY] = {nw_rule_same, 1, TYPE_OF_INPUT_0, TYPE_BOOL}, /* the mask of a dropout */
    [NW_OP_CONSTANT] = {NULL, 0, TYPE_OPEN, TYPE_OPEN},
    [NW_OP_CONSTANT_OF_SHAPE] = {nw_rule_constant_of_shape, 1, TYPE_OF_VALUE, TYPE_OPEN},
    [NW_OP_SHAPE] = {nw_rule_shape, 1, TYPE_INT64, TYPE_OPEN},
    [NW_OP_SIZE] = {nw_rule_size, 0, TYPE_INT64, TYPE_OPEN},
    [NW_OP_RANGE] = {nw_rule_range, 3, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_GATHER_ND] = {nw_rule_gather_nd, 2, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_GATHER_ELEMENTS] = {nw_rule_gather_elements, 2, TYPE_OF_INPUT_0, TYPE_OPEN},
    [NW_OP_SCATTER] = SAME,
    [NW_OP_ONE_HOT] = {nw_rule_one_hot, 1, TYPE_OF_INPUT_2, TYPE_OPEN},
    [NW_OP_CUM_SUM] = SAME,
};

/* ---- one node ---- */

static nw_status check_sizes(const nw_infer *in, const nw_tensor *tensor, const char *role, int i)
{
    const nw_shape *shape = &tensor->shape;
    int64_t n = 1;
    for (int axis = 0; axis < shape->rank; axis++) {
        int64_t size = shape->dims[axis];
        if (size < 0 || size > NW_MAX_DIM)
            return nw_infer_fail(in,
                                 "%s %d has size %" PRId64 " on axis %d; sizes go from 0 to %lld",
                                 role, i, size, axis, (long long)NW_MAX_DIM);
        if (__builtin_mul_overflow(n, size, &n) || n > NW_MAX_ELEMENTS)
            return nw_infer_fail(in,
                                 "%s %d is too large: its first %d sizes alone make more than "
                                 "%lld elements",
                                 role, i, axis + 1, (long long)NW_MAX_ELEMENTS);
    }
    return NW_OK;
}

static nw_status check_inputs(const nw_infer *in, int n_needed, bool *is_known)
{
    if (n_needed == ALL_INPUTS)
        n_needed = in->node->n_inputs ? in->node->n_inputs : 1;
    *is_known = true;
    for (int i = 0; i < n_needed || i < in->node->n_inputs; i++) {
        const nw_tensor *tensor = nw_infer_input(in, i);
        if (!tensor && i < n_needed)
            return nw_infer_fail(in, "input %d is missing; %s needs %d", i,
                                 nw_op_name(in->node->op), n_needed);
        if (tensor && nw_shape_is_known(&tensor->shape)) {
            nw_status status = check_sizes(in, tensor, "input", i);
            if (status != NW_OK)
                return status;
        } else if (i < n_needed) {
            *is_known = false;
        }
    }
    return NW_OK;
}

static void take_stored_shapes(const nw_infer *in)
{
    for (int i = 0; i < in->node->n_outputs; i++) {
        nw_tensor *tensor = nw_infer_output(in, i);
        if (!tensor || tensor->is_stored) /* a Constant's output */
            continue;
        if (nw_shape_is_known(&tensor->stored_shape))
            tensor->shape = tensor->stored_shape;
        else
            tensor->shape = (nw_shape){.rank = -1};
    }
}

static nw_dtype find_type(const nw_infer *in, type_rule rule)
{
    const nw_tensor *input;
    switch (rule) {
    case TYPE_OF_INPUT_0:
    case TYPE_OF_INPUT_1:
    case TYPE_OF_INPUT_2:
        input = nw_infer_input(in, (int)rule);
        return input ? input->dtype : NW_DTYPE_UNKNOWN;
    case TYPE_BOOL:
        return NW_DTYPE_BOOL;
    case TYPE_INT64:
        return NW_DTYPE_INT64;
    case TYPE_UINT8:
        return NW_DTYPE_UINT8;
    case TYPE_FLOAT32:
        return NW_DTYPE_FLOAT32;
    case TYPE_OF_VALUE:
        return in->node->attrs.has_ints ? NW_DTYPE_INT64 : NW_DTYPE_FLOAT32;
    case TYPE_OPEN:
        break;
    }
    return NW_DTYPE_UNKNOWN;
}

nw_status nw_infer_node(nw_graph *graph, nw_node_id node, nw_error *err)
{
    nw_infer in = {.graph = graph, .node = &graph->nodes[node], .id = node, .err = err};
    const rule_row *row = &rules[in.node->op];
    bool is_known;
    take_stored_shapes(&in);
    nw_status status = check_inputs(&in, row->n_needed, &is_known);
    if (status == NW_OK && is_known && row->run)
        status = row->run(&in);
    for (int i = 0; i < in.node->n_outputs && status == NW_OK; i++) {
        nw_tensor *tensor = nw_infer_output(&in, i);
        if (tensor && tensor->dtype == NW_DTYPE_UNKNOWN)
            tensor->dtype = find_type(&in, i ? row->type_rest : row->type);
        if (tensor)
            status = check_sizes(&in, tensor, "output", i);
    }
    return status;
}
