/* Constants: initializers in the type and order that an operator wants, and weights as integers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/format/onnx_write.h"

#define MAX_HOPS 64 /* from weights back to their constant */

int32_t nw_onnx_data_type(nw_dtype dtype)
{
    static const uint8_t types[NW_DTYPE_COUNT] = {
        [NW_DTYPE_FLOAT32] = 1,    [NW_DTYPE_UINT8] = 2,       [NW_DTYPE_INT8] = 3,
        [NW_DTYPE_UINT16] = 4,     [NW_DTYPE_INT16] = 5,       [NW_DTYPE_INT32] = 6,
        [NW_DTYPE_INT64] = 7,      [NW_DTYPE_BOOL] = 9,        [NW_DTYPE_FLOAT16] = 10,
        [NW_DTYPE_FLOAT64] = 11,   [NW_DTYPE_UINT32] = 12,     [NW_DTYPE_UINT64] = 13,
        [NW_DTYPE_COMPLEX64] = 14, [NW_DTYPE_COMPLEX128] = 15, [NW_DTYPE_BFLOAT16] = 16};
    return types[dtype];
}

bool nw_onnx_is_quantised(const nw_onnx_writer *w, nw_tensor_id id)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    bool has_scale = tensor->quant.n_channels > 0;
    /* weights that an edit made for a quantised network have none yet */
    bool is_made = tensor->edited && w->states[id].role != NW_ONNX_ROLE_ANY;
    return !w->is_explicit && (has_scale || is_made) && !nw_dtype_is_float(tensor->dtype) &&
           nw_dtype_bits(tensor->dtype) > 0 && tensor->dtype != NW_DTYPE_BOOL;
}

nw_dtype nw_onnx_wire_type(const nw_onnx_writer *w, nw_tensor_id id)
{
    return nw_onnx_is_quantised(w, id) ? NW_DTYPE_FLOAT32 : w->graph->tensors[id].dtype;
}

static bool is_stored(const nw_tensor *tensor)
{
    return tensor->is_stored || (tensor->is_const && tensor->producer == NW_NONE);
}

bool nw_onnx_has_constant(const nw_onnx_writer *w, nw_tensor_id id)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    if (!nw_shape_is_known(&tensor->shape))
        return false;
    return is_stored(tensor) ||
           ((tensor->ints || tensor->floats) && nw_dtype_bits(tensor->dtype) >= 8);
}

/* ---- orders ---- */

nw_onnx_order nw_onnx_as_it_is(const nw_shape *shape)
{
    nw_onnx_order order = {.shape = *shape};
    for (int i = 0; i < NW_MAX_RANK; i++)
        order.perm[i] = i;
    return order;
}

bool nw_onnx_is_moved(const nw_onnx_order *order)
{
    for (int i = 0; i < order->shape.rank; i++)
        if (order->perm[i] != i)
            return true;
    return false;
}

nw_shape nw_onnx_moved_shape(const nw_onnx_order *order)
{
    nw_shape shape = order->shape;
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = order->shape.dims[order->perm[i]];
    return shape;
}

/* ---- initializers ---- */

static Onnx__TensorProto *make_tensor(nw_onnx_writer *w, nw_dtype dtype, const nw_shape *shape,
                                      const void *bytes, size_t n_bytes)
{
    static char nameless[] = "";
    Onnx__TensorProto *proto = nw_arena_alloc(&w->arena, sizeof *proto);
    onnx__tensor_proto__init(proto);
    proto->name = nameless;
    proto->has_data_type = 1;
    proto->data_type = nw_onnx_data_type(dtype);
    proto->n_dims = (size_t)(shape->rank > 0 ? shape->rank : 0);
    proto->dims = nw_arena_copy(&w->arena, shape->dims, proto->n_dims * sizeof *proto->dims);
    proto->has_raw_data = 1;
    proto->raw_data.data = (uint8_t *)bytes; /* only packed, never written to */
    proto->raw_data.len = n_bytes;
    if (!proto->data_type)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "a constant is of type %s", nw_dtype_name(dtype));
    return proto;
}

static const nw_onnx_edge *add_constant(nw_onnx_writer *w, nw_onnx_edge *edge, const void *bytes,
                                        size_t n_bytes)
{
    Onnx__TensorProto *proto = make_tensor(w, edge->dtype, &edge->shape, bytes, n_bytes);
    proto->name = (char *)edge->name;
    w->constants =
        nw_grow(w->constants, w->n_constants, &w->constant_capacity, sizeof(Onnx__TensorProto *));
    w->constant_edges =
        nw_grow(w->constant_edges, w->n_constants, &w->edge_capacity, sizeof(const nw_onnx_edge *));
    w->constants[w->n_constants] = proto;
    w->constant_edges[w->n_constants++] = edge;
    return edge;
}

/* Values in their final type and order; NULL after a failure. */
static const uint8_t *ordered_bytes(nw_onnx_writer *w, nw_tensor_id id, const nw_onnx_order *order,
                                    size_t *n_bytes)
{
    nw_dtype dtype = nw_onnx_wire_type(w, id);
    size_t width = (size_t)nw_dtype_bits(dtype) / 8;
    int64_t n = nw_shape_elements(&order->shape);
    *n_bytes = (size_t)n * width;
    if (!width || !nw_onnx_data_type(dtype)) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "constant '%.80s' is of type %s", w->states[id].name,
                           nw_dtype_name(dtype));
        return NULL;
    }
    const uint8_t *bytes = nw_onnx_is_quantised(w, id) ? (const uint8_t *)nw_onnx_find_floats(w, id)
                                                       : nw_onnx_find_bytes(w, id);
    if (!bytes || !nw_onnx_is_moved(order))
        return bytes;
    uint8_t *moved = nw_onnx_take_bytes(w, n, width);
    if (moved)
        nw_onnx_move_elements(order, bytes, width, moved);
    return moved;
}

Onnx__TensorProto *nw_onnx_tensor_of(nw_onnx_writer *w, nw_tensor_id id)
{
    const nw_shape *shape = &w->graph->tensors[id].shape;
    nw_onnx_order order = nw_onnx_as_it_is(shape);
    size_t n_bytes;
    const uint8_t *bytes = ordered_bytes(w, id, &order, &n_bytes);
    return make_tensor(w, nw_onnx_wire_type(w, id), shape, bytes, bytes ? n_bytes : 0);
}

/* A name for the request, so that it is made once. */
static const char *request_key(nw_onnx_writer *w, nw_tensor_id id, const nw_onnx_order *order,
                               const char *what)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%s %d", what, (int)id);
    for (int i = 0; i < order->shape.rank; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %lld:%d",
                      (long long)order->shape.dims[i], order->perm[i]);
    return nw_arena_strdup(&w->arena, text);
}

/* The tensor's own name for the first edge of it that is made, but for outputs of the network,
 * whose name is for their plain edge. */
static const char *constant_name(nw_onnx_writer *w, nw_tensor_id id)
{
    nw_onnx_state *state = &w->states[id];
    if (state->is_name_used || w->graph->tensors[id].is_output)
        return nw_onnx_new_name(w, state->name, "_value");
    state->is_name_used = true;
    return state->name;
}

static bool is_left_out(const nw_onnx_writer *w, nw_tensor_id id, const nw_onnx_edge *edge)
{
    return w->options.weights == NW_ONNX_WEIGHTS_LEFT_OUT &&
           w->states[id].role != NW_ONNX_ROLE_ANY && nw_dtype_is_float(edge->dtype) &&
           nw_shape_elements(&edge->shape) > 1;
}

/* In place of weights: one value all over, made by a node. */
static const nw_onnx_edge *put_empty(nw_onnx_writer *w, nw_tensor_id id, nw_onnx_edge *edge,
                                     const char *key)
{
    nw_onnx_role role = w->states[id].role;
    double value = role == NW_ONNX_ROLE_FACTOR ? 1 : role == NW_ONNX_ROLE_SLOPE ? 0.25 : 0;
    nw_shape list = {.rank = 1, .dims = {edge->shape.rank}};
    size_t n_bytes = (size_t)edge->shape.rank * sizeof *edge->shape.dims;
    nw_onnx_edge *size = nw_onnx_new_edge(w, edge->name, "/shape", NW_DTYPE_INT64, &list);
    nw_map_put(&w->made_constants, key, (int32_t)w->n_constants);
    const nw_onnx_edge *in =
        add_constant(w, size, nw_arena_copy(&w->arena, edge->shape.dims, n_bytes), n_bytes);
    w->constant_edges[w->n_constants - 1] = edge; /* what the request is answered with */
    nw_onnx_put_tensor(w, nw_onnx_put(w, "ConstantOfShape", edge, 1, &in), "value",
                       nw_onnx_one_value(w, edge->dtype, value));
    return edge;
}

const nw_onnx_edge *nw_onnx_constant(nw_onnx_writer *w, nw_tensor_id id, const nw_onnx_order *order)
{
    const char *key = request_key(w, id, order, "plain");
    int32_t known = nw_map_get(&w->made_constants, key);
    if (known != NW_MAP_NONE)
        return w->constant_edges[known];
    size_t n_bytes;
    nw_onnx_edge *edge = nw_arena_alloc(&w->arena, sizeof *edge);
    *edge = (nw_onnx_edge){.name = constant_name(w, id),
                           .dtype = nw_onnx_wire_type(w, id),
                           .shape = nw_onnx_moved_shape(order)};
    if (is_left_out(w, id, edge))
        return put_empty(w, id, edge, key);
    const uint8_t *bytes = ordered_bytes(w, id, order, &n_bytes);
    nw_map_put(&w->made_constants, key, (int32_t)w->n_constants);
    return add_constant(w, edge, bytes, bytes ? n_bytes : 0);
}

/* ---- initializers that are no tensors of the graph ---- */

static const char *after_node(const nw_onnx_writer *w)
{
    const nw_node *node = w->at == NW_NONE ? NULL : &w->graph->nodes[w->at];
    return node && node->n_outputs && node->outputs[0] != NW_NONE ? w->states[node->outputs[0]].name
                                                                  : "value";
}

const nw_onnx_edge *nw_onnx_raw(nw_onnx_writer *w, const char *suffix, nw_dtype dtype,
                                const nw_shape *shape, const void *bytes, size_t n_bytes)
{
    nw_onnx_edge *edge = nw_onnx_new_edge(w, after_node(w), suffix, dtype, shape);
    return add_constant(w, edge, nw_arena_copy(&w->arena, bytes, n_bytes), n_bytes);
}

const nw_onnx_edge *nw_onnx_list(nw_onnx_writer *w, const char *suffix, const int64_t *values,
                                 int n)
{
    nw_shape shape = {.rank = 1, .dims = {n}};
    return nw_onnx_raw(w, suffix, NW_DTYPE_INT64, &shape, values, (size_t)n * sizeof *values);
}

const nw_onnx_edge *nw_onnx_shape_list(nw_onnx_writer *w, const char *suffix, const nw_shape *shape)
{
    if (!nw_shape_is_known(shape))
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "sizes are not known");
    return nw_onnx_list(w, suffix, shape->dims, shape->rank > 0 ? shape->rank : 0);
}

const nw_onnx_edge *nw_onnx_floats_list(nw_onnx_writer *w, const char *suffix, const float *values,
                                        int n)
{
    nw_shape shape = {.rank = 1, .dims = {n}};
    return nw_onnx_raw(w, suffix, NW_DTYPE_FLOAT32, &shape, values, (size_t)n * sizeof *values);
}

/* Returns how many bytes it takes. */
static size_t put_value(nw_onnx_writer *w, nw_dtype dtype, double value, uint8_t bytes[8])
{
    int bits = nw_dtype_bits(dtype);
    memset(bytes, 0, 8);
    if (bits < 8 || bits > 64 || !nw_onnx_data_type(dtype)) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it works on values of type %s",
                           nw_dtype_name(dtype));
        return 4;
    }
    nw_element_write(dtype, bytes, 0, value);
    return (size_t)bits / 8;
}

const nw_onnx_edge *nw_onnx_scalar(nw_onnx_writer *w, const char *suffix, nw_dtype dtype,
                                   double value)
{
    uint8_t bytes[8];
    nw_shape scalar = {.rank = 0};
    size_t n_bytes = put_value(w, dtype, value, bytes);
    return nw_onnx_raw(w, suffix, dtype, &scalar, bytes, n_bytes);
}

Onnx__TensorProto *nw_onnx_one_value(nw_onnx_writer *w, nw_dtype dtype, double value)
{
    uint8_t bytes[8];
    nw_shape one = {.rank = 1, .dims = {1}};
    size_t n_bytes = put_value(w, dtype, value, bytes);
    return make_tensor(w, dtype, &one, nw_arena_copy(&w->arena, bytes, n_bytes), n_bytes);
}

/* ---- weights ---- */

/* The constant behind a tensor, through what leaves its values alone. */
static nw_tensor_id find_root(const nw_onnx_writer *w, nw_tensor_id id)
{
    for (int hops = 0; hops < MAX_HOPS; hops++) {
        const nw_tensor *tensor = &w->graph->tensors[id];
        if (is_stored(tensor))
            return nw_shape_is_known(&tensor->shape) ? id : NW_NONE;
        if (!tensor->is_const || tensor->producer == NW_NONE)
            return NW_NONE;
        const nw_node *node = &w->graph->nodes[tensor->producer];
        bool is_same =
            node->op == NW_OP_IDENTITY || node->op == NW_OP_CAST ||
            (!w->is_explicit && (node->op == NW_OP_DEQUANTIZE || node->op == NW_OP_QUANTIZE));
        if (!is_same || node->n_inputs < 1 || node->inputs[0] == NW_NONE)
            return NW_NONE;
        nw_tensor_id next = node->inputs[0];
        if (!nw_shape_equal(&w->graph->tensors[next].shape, &tensor->shape) ||
            (!nw_dtype_is_float(w->graph->tensors[next].dtype) && !nw_onnx_is_quantised(w, next)))
            return NW_NONE;
        id = next;
    }
    return NW_NONE;
}

/* The largest magnitude of each channel, or of all. */
static float *find_scales(nw_onnx_writer *w, const float *values, const nw_shape *shape, int axis,
                          int *n_scales)
{
    int64_t n = nw_shape_elements(shape), inner = 1, channels = 1;
    if (axis >= 0 && axis < shape->rank) {
        channels = shape->dims[axis];
        for (int i = axis + 1; i < shape->rank; i++)
            inner *= shape->dims[i];
    }
    float *scales = nw_onnx_take_bytes(w, channels, sizeof *scales);
    *n_scales = scales ? (int)channels : 0;
    for (int64_t i = 0; scales && i < n; i++) {
        float *scale = &scales[i / inner % channels];
        float magnitude = fabsf(values[i]);
        *scale = magnitude > *scale && isfinite(magnitude) ? magnitude : *scale;
    }
    for (int64_t c = 0; scales && c < channels; c++)
        scales[c] = scales[c] > 0x1p-100f ? scales[c] / 127 : 1.0f / 127;
    return scales;
}

/* To even, from -limit to limit; what is no number is 0. */
static double round_within(double value, double limit)
{
    if (!(fabs(value) <= limit))
        return value > limit ? limit : value < -limit ? -limit : 0;
    return nearbyint(value);
}

/* What turns integers of the model into floats; zeros NULL: all 0. */
typedef struct integers {
    nw_dtype dtype;
    const void *bytes;
    const float *scales;
    const int64_t *zeros;
    int n_scales, axis;
} integers;

/* An initializer of that shape and the DequantizeLinear behind it. */
static const nw_onnx_edge *put_integers(nw_onnx_writer *w, nw_tensor_id root, const nw_shape *shape,
                                        const integers *q)
{
    size_t width = (size_t)nw_dtype_bits(q->dtype) / 8, n = (size_t)q->n_scales;
    nw_shape list = {.rank = n > 1, .dims = {q->n_scales}};
    uint8_t *zeros = nw_arena_alloc(&w->arena, n * width);
    for (size_t i = 0; i < n && q->zeros; i++)
        nw_element_write_int(q->dtype, zeros, (int64_t)i, q->zeros[i]);
    nw_onnx_edge *edge = nw_arena_alloc(&w->arena, sizeof *edge);
    *edge = (nw_onnx_edge){.name = constant_name(w, root), .dtype = q->dtype, .shape = *shape};
    const nw_onnx_edge *in[3] = {
        add_constant(w, edge, q->bytes, (size_t)nw_shape_elements(shape) * width),
        add_constant(w, nw_onnx_new_edge(w, edge->name, "_scale", NW_DTYPE_FLOAT32, &list),
                     q->scales, n * sizeof *q->scales),
        add_constant(w, nw_onnx_new_edge(w, edge->name, "_zero_point", q->dtype, &list), zeros,
                     n * width)};
    nw_onnx_edge *out = nw_onnx_new_edge(w, edge->name, "_dequantized", NW_DTYPE_FLOAT32, shape);
    out->scales = q->scales;
    out->n_scales = q->n_scales;
    Onnx__NodeProto *node = nw_onnx_put(w, "DequantizeLinear", out, 3, in);
    if (n > 1)
        nw_onnx_put_int(w, node, "axis", q->axis);
    return out;
}

/* The graph's own integers with their own scales. */
static bool own_integers(nw_onnx_writer *w, nw_tensor_id root, const nw_onnx_order *order,
                         integers *q)
{
    const nw_tensor *tensor = &w->graph->tensors[root];
    const nw_quant *quant = &tensor->quant;
    int64_t n = nw_shape_elements(&order->shape);
    *q = (integers){.dtype = tensor->dtype, .n_scales = quant->n_channels, .axis = 0};
    float *scales = nw_onnx_take_bytes(w, quant->n_channels, sizeof *scales);
    int64_t *zeros = nw_onnx_take_bytes(w, quant->n_channels, sizeof *zeros);
    q->bytes = scales && zeros ? nw_onnx_find_bytes(w, root) : NULL;
    for (int c = 0; q->bytes && c < quant->n_channels; c++) {
        scales[c] = quant->scales ? quant->scales[c] : (float)quant->scale;
        zeros[c] = quant->zero_points ? quant->zero_points[c] : quant->zero_point;
    }
    q->scales = scales;
    q->zeros = zeros;
    for (int i = 0; i < order->shape.rank && quant->n_channels > 1; i++)
        q->axis = order->perm[i] == quant->axis ? i : q->axis;
    if (!q->bytes || !nw_onnx_is_moved(order))
        return q->bytes != NULL;
    uint8_t *moved = nw_onnx_take_bytes(w, n, 1);
    if (moved)
        nw_onnx_move_elements(order, q->bytes, 1, moved);
    q->bytes = moved;
    return moved != NULL;
}

/* Floats as int8, symmetric. */
static bool make_integers(nw_onnx_writer *w, nw_tensor_id root, const nw_onnx_order *order,
                          int axis, integers *q)
{
    nw_shape shape = nw_onnx_moved_shape(order);
    int64_t n = nw_shape_elements(&shape), inner = 1;
    float *floats = nw_onnx_find_floats(w, root);
    float *moved =
        floats && nw_onnx_is_moved(order) ? nw_onnx_take_bytes(w, n, sizeof *moved) : floats;
    if (moved && moved != floats)
        nw_onnx_move_elements(order, (const uint8_t *)floats, sizeof *floats, (uint8_t *)moved);
    *q = (integers){.dtype = NW_DTYPE_INT8, .axis = axis};
    q->scales = moved ? find_scales(w, moved, &shape, axis, &q->n_scales) : NULL;
    int8_t *bytes = q->scales ? nw_onnx_take_bytes(w, n, 1) : NULL;
    for (int i = axis + 1; axis >= 0 && i < shape.rank; i++)
        inner *= shape.dims[i];
    for (int64_t i = 0; bytes && i < n; i++) {
        double value = (double)moved[i] / (double)q->scales[i / inner % q->n_scales];
        bytes[i] = (int8_t)round_within(value, 127);
    }
    q->bytes = bytes;
    return bytes != NULL;
}

static const nw_onnx_edge *quantised_weights(nw_onnx_writer *w, nw_tensor_id root,
                                             const nw_onnx_order *order, int axis)
{
    static const nw_onnx_edge broken = {.name = "", .shape = {.rank = -1}};
    const nw_tensor *tensor = &w->graph->tensors[root];
    integers q;
    nw_shape shape = nw_onnx_moved_shape(order);
    bool has_own = nw_onnx_is_quantised(w, root) && tensor->data &&
                   (tensor->dtype == NW_DTYPE_INT8 || tensor->dtype == NW_DTYPE_UINT8) &&
                   (tensor->quant.n_channels == 1 || nw_shape_equal(&tensor->shape, &order->shape));
    bool is_made = has_own ? nw_onnx_check_channels(w, root) && own_integers(w, root, order, &q)
                           : make_integers(w, root, order, axis, &q);
    return is_made ? put_integers(w, root, &shape, &q) : &broken;
}

/* Without a constant behind them: computed. */
static const nw_onnx_edge *computed_weights(nw_onnx_writer *w, nw_tensor_id id,
                                            const nw_onnx_order *order)
{
    const nw_onnx_edge *edge = nw_onnx_plain(w, id);
    if (!nw_shape_equal(&edge->shape, &order->shape))
        edge = nw_onnx_reshaped(w, edge, &order->shape);
    return nw_onnx_is_moved(order) ? nw_onnx_transposed(w, edge, order->perm) : edge;
}

const nw_onnx_edge *nw_onnx_weights(nw_onnx_writer *w, nw_tensor_id id, const nw_onnx_order *order,
                                    int axis)
{
    nw_tensor_id root = find_root(w, id);
    bool is_float = nw_onnx_wire_type(w, id) == NW_DTYPE_FLOAT32;
    bool is_reshaped = !nw_shape_equal(&w->graph->tensors[id].shape, &order->shape);
    if (root == NW_NONE && w->is_nhwc && nw_onnx_has_constant(w, id))
        root = id;
    if (root == NW_NONE)
        return computed_weights(w, id, order);
    if (w->options.bits == 8 && is_float && axis != NW_ONNX_NO_SCALE) {
        char what[32];
        snprintf(what, sizeof what, "int8 %d", axis);
        const char *key = request_key(w, root, order, what);
        int32_t known = nw_map_get(&w->made_weights, key);
        if (known != NW_MAP_NONE)
            return w->weight_edges[known];
        const nw_onnx_edge *edge = quantised_weights(w, root, order, axis);
        w->weight_edges = nw_grow(w->weight_edges, w->n_weights, &w->weight_capacity,
                                  sizeof(const nw_onnx_edge *));
        nw_map_put(&w->made_weights, key, (int32_t)w->n_weights);
        w->weight_edges[w->n_weights++] = edge;
        return edge;
    }
    if (!w->is_nhwc && !nw_onnx_is_moved(order) && !is_reshaped)
        return nw_onnx_plain(w, id);
    return nw_onnx_cast(w, nw_onnx_constant(w, root, order), nw_onnx_wire_type(w, id));
}

const nw_onnx_edge *nw_onnx_bias(nw_onnx_writer *w, nw_tensor_id id, nw_tensor_id x,
                                 const nw_onnx_edge *weights)
{
    nw_tensor_id root = find_root(w, id);
    const nw_onnx_scale *in = &w->states[x].scale;
    nw_shape list = {.rank = 1, .dims = {nw_shape_elements(&w->graph->tensors[id].shape)}};
    nw_onnx_order order = nw_onnx_as_it_is(&list);
    int64_t n = list.dims[0];
    if (root == NW_NONE || w->options.bits != 8 || in->scale == 0 || !weights->n_scales ||
        (weights->n_scales > 1 && weights->n_scales != n))
        return nw_onnx_weights(w, id, &order, NW_ONNX_NO_SCALE);
    float *floats = nw_onnx_find_floats(w, root);
    int32_t *bytes = floats ? nw_onnx_take_bytes(w, n, sizeof *bytes) : NULL;
    float *scales = bytes ? nw_onnx_take_bytes(w, weights->n_scales, sizeof *scales) : NULL;
    if (!scales)
        return weights;
    for (int c = 0; c < weights->n_scales; c++)
        scales[c] = in->scale * weights->scales[c];
    for (int64_t i = 0; i < n; i++) {
        double value = (double)floats[i] / (double)scales[weights->n_scales > 1 ? i : 0];
        bytes[i] = (int32_t)round_within(value, INT32_MAX);
    }
    const integers q = {
        .dtype = NW_DTYPE_INT32, .bytes = bytes, .scales = scales, .n_scales = weights->n_scales};
    return put_integers(w, root, &list, &q);
}
