/* Edges of the graph's tensors: in which order of dimensions they are there, what is put behind an
 * operator's result, and the scales of quantised maps. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/format/onnx_write.h"

static const nw_onnx_edge broken = {.name = "", .dtype = NW_DTYPE_FLOAT32, .shape = {.rank = -1}};

/* ---- channels first ---- */

int nw_onnx_first_axis(int rank, int axis)
{
    axis += axis < 0 ? rank : 0;
    return axis == 0 ? 0 : axis == rank - 1 ? 1 : axis + 1;
}

const int *nw_onnx_first_perm(int rank, bool is_back)
{
    static const int to[2][4] = {{0, 2, 1}, {0, 3, 1, 2}}, back[2][4] = {{0, 2, 1}, {0, 2, 3, 1}};
    return (is_back ? back : to)[rank == 4];
}

static bool can_be_first(const nw_onnx_writer *w, const nw_shape *shape)
{
    return w->is_nhwc && (shape->rank == 4 || shape->rank == 3);
}

nw_shape nw_onnx_first_shape(const nw_shape *shape)
{
    const int *perm = nw_onnx_first_perm(shape->rank, false);
    nw_shape first = *shape;
    for (int i = 0; i < shape->rank; i++)
        first.dims[i] = shape->dims[perm[i]];
    return first;
}

bool nw_onnx_has_first(const nw_onnx_writer *w, nw_tensor_id id)
{
    return w->states[id].first != NULL;
}

/* The tensor's own name goes to its first edge, but that of an output to the plain one. */
static const char *edge_name(nw_onnx_writer *w, nw_tensor_id id, bool is_first)
{
    nw_onnx_state *state = &w->states[id];
    if (!state->is_name_used && !(is_first && w->graph->tensors[id].is_output)) {
        state->is_name_used = true;
        return state->name;
    }
    return nw_onnx_new_name(w, state->name, is_first ? "_nchw" : "_nhwc");
}

static nw_onnx_edge *tensor_edge(nw_onnx_writer *w, const char *name, nw_tensor_id id,
                                 bool is_first)
{
    const nw_shape *shape = &w->graph->tensors[id].shape;
    nw_onnx_edge *edge = nw_arena_alloc(&w->arena, sizeof *edge);
    *edge = (nw_onnx_edge){.name = name, .dtype = nw_onnx_wire_type(w, id), .shape = *shape};
    if (is_first)
        edge->shape = nw_onnx_first_shape(shape);
    if (!nw_shape_is_known(shape))
        edge->shape.rank = -1;
    return edge;
}

/* ---- scales of maps ---- */

static nw_onnx_scale scale_of_range(double low, double high)
{
    low = low > 0 ? 0 : low;
    high = high < 0 ? 0 : high;
    double scale = (high - low) / 255;
    if (!(scale > 0))
        scale = 1.0 / 255;
    return (nw_onnx_scale){.scale = (float)scale,
                           .zero_point = (int)lrint(-128 - low / scale),
                           .dtype = NW_DTYPE_INT8};
}

/* Values as they come out of the operator in a network of normalised maps; false: as they went in.
 */
static bool range_of_op(const nw_node *node, double *low, double *high)
{
    *low = 0;
    *high = 8;
    switch (node->op) {
    case NW_OP_RELU:
    case NW_OP_SWISH:
    case NW_OP_HARD_SWISH:
    case NW_OP_GELU:
        *low = node->op == NW_OP_RELU ? 0 : -0.375;
        return true;
    case NW_OP_RELU6:
        *high = 6;
        return true;
    case NW_OP_CLIP:
        *low = (double)node->attrs.alpha > -8 ? (double)node->attrs.alpha : -8;
        *high = (double)node->attrs.beta < 8 ? (double)node->attrs.beta : 8;
        return true;
    case NW_OP_SIGMOID:
    case NW_OP_HARD_SIGMOID:
    case NW_OP_SOFTMAX:
        *high = 1;
        return true;
    case NW_OP_TANH:
        *low = -1;
        *high = 1;
        return true;
    case NW_OP_MAX_POOL:
    case NW_OP_AVERAGE_POOL:
    case NW_OP_GLOBAL_POOL:
    case NW_OP_CONCAT:
    case NW_OP_SPLIT:
    case NW_OP_SLICE:
    case NW_OP_SLICE_SIZE:
    case NW_OP_STRIDED_SLICE:
    case NW_OP_GATHER:
    case NW_OP_PAD:
    case NW_OP_RESHAPE:
    case NW_OP_FLATTEN:
    case NW_OP_SQUEEZE:
    case NW_OP_UNSQUEEZE:
    case NW_OP_TRANSPOSE:
    case NW_OP_EXPAND:
    case NW_OP_TILE:
    case NW_OP_RESIZE:
    case NW_OP_DEPTH_TO_SPACE:
    case NW_OP_SPACE_TO_DEPTH:
    case NW_OP_CHANNEL_SHUFFLE:
    case NW_OP_IDENTITY:
        return false;
    default:
        *low = -4;
        *high = 4;
        return true;
    }
}

static void range_of_act(nw_act act, double *low, double *high)
{
    static const double ranges[][2] = {[NW_ACT_RELU] = {0, 8},
                                       [NW_ACT_RELU_N1_TO_1] = {-1, 1},
                                       [NW_ACT_RELU6] = {0, 6},
                                       [NW_ACT_TANH] = {-1, 1},
                                       [NW_ACT_SIGN_BIT] = {0, 1}};
    if (act != NW_ACT_NONE) {
        *low = ranges[act][0];
        *high = ranges[act][1];
    }
}

/* A map that only a clamp reads is quantised behind the clamp. */
static bool is_clamped(const nw_onnx_writer *w, nw_tensor_id id)
{
    const nw_onnx_state *state = &w->states[id];
    if (state->n_uses != 1 || w->graph->tensors[id].is_output || w->graph->tensors[id].is_input)
        return false;
    nw_op op = w->graph->nodes[state->user].op;
    return op == NW_OP_RELU || op == NW_OP_RELU6 || op == NW_OP_CLIP;
}

/* Of a map that the graph has quantised. */
static nw_onnx_scale own_scale(const nw_tensor *tensor)
{
    float scale = (float)tensor->quant.scale;
    int64_t zero = tensor->quant.zero_point, least = tensor->dtype == NW_DTYPE_INT8 ? -128 : 0;
    bool is_byte = tensor->dtype == NW_DTYPE_INT8 || tensor->dtype == NW_DTYPE_UINT8;
    if (!is_byte || tensor->quant.n_channels != 1 || !(scale > 0) || scale > FLT_MAX ||
        zero < least || zero > least + 255)
        return (nw_onnx_scale){0};
    return (nw_onnx_scale){.scale = scale, .zero_point = (int)zero, .dtype = tensor->dtype};
}

static nw_onnx_scale choose_scale(const nw_onnx_writer *w, nw_tensor_id id)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    double low = -4, high = 4;
    if (w->options.bits != 8 || tensor->is_const)
        return (nw_onnx_scale){0};
    if (w->has_scales)
        return own_scale(tensor);
    if (tensor->dtype != NW_DTYPE_FLOAT32 || is_clamped(w, id))
        return (nw_onnx_scale){0};
    if (tensor->producer == NW_NONE)
        return scale_of_range(low, high);
    const nw_node *node = &w->graph->nodes[tensor->producer];
    if (!range_of_op(node, &low, &high) && node->act == NW_ACT_NONE && node->n_inputs > 0 &&
        node->inputs[0] != NW_NONE && w->states[node->inputs[0]].scale.scale > 0)
        return w->states[node->inputs[0]].scale;
    range_of_act(node->act, &low, &high);
    return scale_of_range(low, high);
}

/* x, quantised and dequantised; the result is called name. */
static const nw_onnx_edge *put_quantised(nw_onnx_writer *w, const nw_onnx_edge *x,
                                         const nw_onnx_scale *scale, const char *name)
{
    nw_shape scalar = {.rank = 0};
    uint8_t zero = (uint8_t)scale->zero_point;
    const nw_onnx_edge *s =
        nw_onnx_raw(w, "_scale", NW_DTYPE_FLOAT32, &scalar, &scale->scale, sizeof scale->scale);
    const nw_onnx_edge *z = nw_onnx_raw(w, "_zero_point", scale->dtype, &scalar, &zero, 1);
    nw_onnx_edge *q = nw_onnx_new_edge(w, name, "_quantized", scale->dtype, &x->shape);
    nw_onnx_edge *out = nw_arena_alloc(&w->arena, sizeof *out);
    *out = (nw_onnx_edge){.name = name, .dtype = x->dtype, .shape = x->shape};
    nw_onnx_put(w, "QuantizeLinear", q, 3, (const nw_onnx_edge *const[]){x, s, z});
    nw_onnx_put(w, "DequantizeLinear", out, 3, (const nw_onnx_edge *const[]){q, s, z});
    return out;
}

/* ---- the two forms ---- */

static const nw_onnx_edge *convert(nw_onnx_writer *w, nw_tensor_id id, const nw_onnx_edge *from,
                                   bool is_first)
{
    const nw_onnx_scale *scale = &w->states[id].scale;
    int rank = w->graph->tensors[id].shape.rank;
    const int *perm = nw_onnx_first_perm(rank, !is_first);
    const char *name = edge_name(w, id, is_first);
    int64_t axes[4];
    for (int i = 0; i < rank; i++)
        axes[i] = perm[i];
    nw_onnx_edge *out = tensor_edge(w, name, id, is_first);
    if (scale->scale > 0)
        out->name = nw_onnx_new_name(w, name, "_transposed");
    nw_onnx_put_ints(w, nw_onnx_put(w, "Transpose", out, 1, &from), "perm", axes, rank);
    return scale->scale > 0 ? put_quantised(w, out, scale, name) : out;
}

const nw_onnx_edge *nw_onnx_plain(nw_onnx_writer *w, nw_tensor_id id)
{
    nw_onnx_state *state = &w->states[id];
    if (state->plain)
        return state->plain;
    if (state->first) {
        state->plain = convert(w, id, state->first, false);
    } else if (nw_onnx_has_constant(w, id)) {
        nw_onnx_order order = nw_onnx_as_it_is(&w->graph->tensors[id].shape);
        state->plain = nw_onnx_constant(w, id, &order);
    } else {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "tensor '%.80s' has no value to be had", state->name);
        return &broken;
    }
    return state->plain;
}

const nw_onnx_edge *nw_onnx_first(nw_onnx_writer *w, nw_tensor_id id)
{
    nw_onnx_state *state = &w->states[id];
    const nw_shape *shape = &w->graph->tensors[id].shape;
    if (!w->is_nhwc)
        return nw_onnx_plain(w, id);
    if (state->first)
        return state->first;
    if (!can_be_first(w, shape)) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "tensor '%.80s' has %d dimensions, not 3 or 4",
                           state->name, shape->rank);
        return &broken;
    }
    if (!state->plain && nw_onnx_has_constant(w, id)) {
        nw_onnx_order order = nw_onnx_as_it_is(shape);
        memcpy(order.perm, nw_onnx_first_perm(shape->rank, false),
               (size_t)shape->rank * sizeof *order.perm);
        state->first = nw_onnx_constant(w, id, &order);
    } else {
        state->first = convert(w, id, nw_onnx_plain(w, id), true);
    }
    return state->first;
}

/* ---- inputs ---- */

nw_tensor_id nw_onnx_id(const nw_onnx_writer *w, int i)
{
    const nw_node *node = &w->graph->nodes[w->at];
    return i < node->n_inputs ? node->inputs[i] : NW_NONE;
}

static const nw_onnx_edge *missing(nw_onnx_writer *w, int i)
{
    nw_onnx_write_fail(w, NW_UNSUPPORTED, "input %d is missing", i);
    return &broken;
}

const nw_onnx_edge *nw_onnx_in(nw_onnx_writer *w, int i)
{
    nw_tensor_id id = nw_onnx_id(w, i);
    return id == NW_NONE ? missing(w, i) : nw_onnx_plain(w, id);
}

const nw_onnx_edge *nw_onnx_in_maybe(nw_onnx_writer *w, int i)
{
    nw_tensor_id id = nw_onnx_id(w, i);
    return id == NW_NONE ? NULL : nw_onnx_plain(w, id);
}

const nw_onnx_edge *nw_onnx_in_first(nw_onnx_writer *w, int i)
{
    nw_tensor_id id = nw_onnx_id(w, i);
    return id == NW_NONE ? missing(w, i) : nw_onnx_first(w, id);
}

bool nw_onnx_in_any(nw_onnx_writer *w, const nw_onnx_edge **x)
{
    nw_tensor_id id = nw_onnx_id(w, 0);
    bool is_first = id != NW_NONE && nw_onnx_has_first(w, id);
    *x = is_first ? w->states[id].first : nw_onnx_in(w, 0);
    return is_first;
}

/* Whether a constant operand is written as int8 where the model quantises. */
static bool is_weight(const nw_onnx_writer *w, nw_tensor_id id)
{
    nw_op op = w->graph->nodes[w->at].op;
    const nw_tensor *tensor = &w->graph->tensors[id];
    return w->options.bits == 8 && tensor->is_const && nw_shape_is_known(&tensor->shape) &&
           (op == NW_OP_ADD || op == NW_OP_SUB || op == NW_OP_MUL || op == NW_OP_MIN ||
            op == NW_OP_MAX);
}

/* As it broadcasts to a map of that rank whose channels come first. */
static const nw_onnx_edge *first_operand(nw_onnx_writer *w, nw_tensor_id id, int rank)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    const nw_shape *shape = &tensor->shape;
    if (!nw_shape_is_known(shape) || shape->rank > rank) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "the shape of '%.80s' is not known",
                           w->states[id].name);
        return &broken;
    }
    if (shape->rank == rank && !tensor->is_const)
        return nw_onnx_first(w, id);
    nw_shape wide = {.rank = rank};
    for (int i = 0; i < rank; i++)
        wide.dims[i] = i < rank - shape->rank ? 1 : shape->dims[i - rank + shape->rank];
    nw_onnx_order order = nw_onnx_as_it_is(nw_shape_elements(shape) == 1 ? shape : &wide);
    if (nw_shape_elements(shape) != 1)
        memcpy(order.perm, nw_onnx_first_perm(rank, false), (size_t)rank * sizeof *order.perm);
    return nw_onnx_weights(w, id, &order, is_weight(w, id) ? NW_ONNX_ONE_SCALE : NW_ONNX_NO_SCALE);
}

bool nw_onnx_in_all(nw_onnx_writer *w, const nw_onnx_edge **edges)
{
    const nw_node *node = &w->graph->nodes[w->at];
    const nw_shape *out = &w->graph->tensors[node->outputs[0]].shape;
    bool is_first = false;
    for (int i = 0; i < node->n_inputs && can_be_first(w, out); i++)
        is_first |= node->inputs[i] != NW_NONE &&
                    w->graph->tensors[node->inputs[i]].shape.rank == out->rank &&
                    nw_onnx_has_first(w, node->inputs[i]);
    for (int i = 0; i < node->n_inputs; i++) {
        nw_tensor_id id = node->inputs[i];
        const nw_tensor *tensor = id == NW_NONE ? NULL : &w->graph->tensors[id];
        nw_onnx_order order;
        edges[i] = NULL;
        if (!tensor)
            continue;
        order = nw_onnx_as_it_is(&tensor->shape);
        edges[i] = is_first           ? first_operand(w, id, out->rank)
                   : is_weight(w, id) ? nw_onnx_weights(w, id, &order, NW_ONNX_ONE_SCALE)
                                      : nw_onnx_plain(w, id);
    }
    return is_first;
}

bool nw_onnx_known(const nw_onnx_writer *w, int i, const int64_t **values, int64_t *n)
{
    const nw_node *node = &w->graph->nodes[w->at];
    if (node->attrs.has_ints) {
        *values = node->attrs.ints;
        *n = node->attrs.n_ints;
        return true;
    }
    nw_tensor_id id = nw_onnx_id(w, i);
    if (id == NW_NONE || !w->graph->tensors[id].ints)
        return false;
    *values = w->graph->tensors[id].ints;
    *n = nw_shape_elements(&w->graph->tensors[id].shape);
    return true;
}

/* ---- results ---- */

nw_onnx_edge *nw_onnx_result(nw_onnx_writer *w, int k, bool is_first)
{
    const nw_node *node = &w->graph->nodes[w->at];
    nw_tensor_id id = k < node->n_outputs ? node->outputs[k] : NW_NONE;
    if (id == NW_NONE)
        return NULL;
    nw_onnx_state *state = &w->states[id];
    const nw_tensor *tensor = &w->graph->tensors[id];
    is_first &= can_be_first(w, &tensor->shape);
    state->scale = choose_scale(w, id);
    bool is_direct = (k > 0 || node->act == NW_ACT_NONE) && !(state->scale.scale > 0);
    const char *name =
        is_direct ? edge_name(w, id, is_first) : nw_onnx_new_name(w, state->name, "_linear");
    nw_onnx_edge *edge = tensor_edge(w, name, id, is_first);
    edge->is_main = k == 0;
    if (!nw_onnx_data_type(edge->dtype))
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its result is of type %s",
                           nw_dtype_name(edge->dtype));
    w->pending[k] = (nw_onnx_pending){edge, is_first};
    return edge;
}

void nw_onnx_alias(nw_onnx_writer *w, nw_tensor_id id, const nw_onnx_edge *edge, bool is_first)
{
    w->states[id].scale = choose_scale(w, id);
    if (is_first)
        w->states[id].first = edge;
    else
        w->states[id].plain = edge;
}

static void put_act(nw_onnx_writer *w, nw_act act, const nw_onnx_edge *x, const nw_onnx_edge *out)
{
    const nw_onnx_edge *in[3] = {x, NULL, NULL};
    switch (act) {
    case NW_ACT_RELU:
        nw_onnx_put(w, "Relu", out, 1, in);
        return;
    case NW_ACT_TANH:
        nw_onnx_put(w, "Tanh", out, 1, in);
        return;
    case NW_ACT_RELU6:
    case NW_ACT_RELU_N1_TO_1:
        in[1] = nw_onnx_scalar(w, "/min", x->dtype, act == NW_ACT_RELU6 ? 0 : -1);
        in[2] = nw_onnx_scalar(w, "/max", x->dtype, act == NW_ACT_RELU6 ? 6 : 1);
        nw_onnx_put(w, "Clip", out, 3, in);
        return;
    default:
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its activation has no operator");
    }
}

static void finish_output(nw_onnx_writer *w, int k)
{
    const nw_node *node = &w->graph->nodes[w->at];
    const nw_onnx_edge *edge = w->pending[k].edge;
    bool is_first = w->pending[k].is_first;
    nw_tensor_id id = node->outputs[k];
    nw_onnx_state *state = &w->states[id];
    bool is_quantised = state->scale.scale > 0;
    if (k == 0 && node->act != NW_ACT_NONE) {
        const char *name =
            is_quantised ? nw_onnx_new_name(w, state->name, "_float") : edge_name(w, id, is_first);
        const nw_onnx_edge *out = tensor_edge(w, name, id, is_first);
        put_act(w, node->act, edge, out);
        edge = out;
    }
    if (is_quantised)
        edge = put_quantised(w, edge, &state->scale, edge_name(w, id, is_first));
    nw_onnx_alias(w, id, edge, is_first);
}

void nw_onnx_finish_node(nw_onnx_writer *w)
{
    const nw_node *node = &w->graph->nodes[w->at];
    for (int k = 0; k < node->n_outputs; k++)
        if (w->pending[k].edge)
            finish_output(w, k);
}

void nw_onnx_put_input(nw_onnx_writer *w, nw_tensor_id id, nw_onnx_edge *edge)
{
    nw_onnx_state *state = &w->states[id];
    state->scale = choose_scale(w, id);
    state->plain = edge;
    if (state->scale.scale > 0)
        state->plain =
            put_quantised(w, edge, &state->scale, nw_onnx_new_name(w, state->name, "_dequantized"));
}
