/* Names, nodes, attributes and edges of the model that is written. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/format/onnx_write.h"

void nw_onnx_write_fail(nw_onnx_writer *w, nw_status status, const char *format, ...)
{
    char where[128] = "", type[64] = "", message[300];
    va_list args;
    if (w->status != NW_OK)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (w->at != NW_NONE) {
        nw_node_label(w->graph, w->at, where, sizeof where);
        snprintf(type, sizeof type, "%.50s ", w->graph->nodes[w->at].file_type);
    }
    w->status = nw_fail(w->err, status, where, "%scannot be written as ONNX opset %d: %s", type,
                        NW_ONNX_OPSET, message);
}

/* ---- names ---- */

char *nw_onnx_clean_text(nw_onnx_writer *w, const char *text)
{
    size_t size = 4 * strlen(text) + 1;
    char *clean = nw_arena_alloc(&w->arena, size);
    return nw_text_visible(text, clean, size);
}

static const char *take_name(nw_onnx_writer *w, nw_map *taken, const char *base)
{
    int32_t next = nw_map_get(taken, base);
    if (next == NW_MAP_NONE) {
        nw_map_put(taken, base, 2);
        return base;
    }
    size_t size = strlen(base) + 16;
    char *name = nw_arena_alloc(&w->arena, size);
    do
        snprintf(name, size, "%s_%d", base, (int)next++);
    while (nw_map_get(taken, name) != NW_MAP_NONE);
    nw_map_put(taken, base, next);
    nw_map_put(taken, name, 2);
    return name;
}

const char *nw_onnx_new_name(nw_onnx_writer *w, const char *base, const char *suffix)
{
    char *clean = nw_onnx_clean_text(w, base);
    size_t size = strlen(clean) + strlen(suffix) + 1;
    char *name = nw_arena_alloc(&w->arena, size);
    snprintf(name, size, "%s%s", clean, suffix);
    return take_name(w, &w->names, name);
}

nw_onnx_edge *nw_onnx_new_edge(nw_onnx_writer *w, const char *base, const char *suffix,
                               nw_dtype dtype, const nw_shape *shape)
{
    nw_onnx_edge *edge = nw_arena_alloc(&w->arena, sizeof *edge);
    *edge = (nw_onnx_edge){
        .name = nw_onnx_new_name(w, base, suffix), .dtype = dtype, .shape = {.rank = -1}};
    if (shape)
        edge->shape = *shape;
    return edge;
}

/* ---- nodes ---- */

/* Whether the node being written only makes constants: it may go if nobody reads them. */
static bool makes_constants(const nw_onnx_writer *w)
{
    if (w->at == NW_NONE || !(w->is_nhwc || w->is_stripped || w->options.bits == 8))
        return false;
    const nw_node *node = &w->graph->nodes[w->at];
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] != NW_NONE && !w->graph->tensors[node->outputs[i]].is_const)
            return false;
    return true;
}

Onnx__NodeProto *nw_onnx_put(nw_onnx_writer *w, const char *type, const nw_onnx_edge *out,
                             int n_inputs, const nw_onnx_edge *const *inputs)
{
    Onnx__NodeProto *proto = nw_arena_alloc(&w->arena, sizeof *proto);
    onnx__node_proto__init(proto);
    proto->op_type = (char *)type; /* never written to */
    while (n_inputs > 0 && !inputs[n_inputs - 1])
        n_inputs--;
    proto->n_input = (size_t)n_inputs;
    proto->input = nw_arena_alloc(&w->arena, (size_t)n_inputs * sizeof *proto->input);
    for (int i = 0; i < n_inputs; i++)
        proto->input[i] = (char *)(inputs[i] ? inputs[i]->name : "");
    const char *name = out->name;
    if (out->is_main)
        name = nw_onnx_clean_text(w, w->graph->nodes[w->at].name);
    proto->name = (char *)(name[0] ? take_name(w, &w->node_names, name) : name);
    w->nodes = nw_grow(w->nodes, w->n_nodes, &w->node_capacity, sizeof *w->nodes);
    w->nodes[w->n_nodes++] = (nw_onnx_made){.proto = proto, .is_spare = makes_constants(w)};
    nw_onnx_put_output(w, out);
    return proto;
}

void nw_onnx_put_output(nw_onnx_writer *w, const nw_onnx_edge *out)
{
    static const nw_onnx_edge none = {.name = "", .shape = {.rank = -1}};
    nw_onnx_made *made = &w->nodes[w->n_nodes - 1];
    size_t n = made->proto->n_output++;
    if ((n & (n - 1)) == 0) { /* 0, 1, 2, 4, ...: full */
        char **names = nw_arena_alloc(&w->arena, (2 * n + 1) * sizeof *names);
        const nw_onnx_edge **edges = nw_arena_alloc(&w->arena, (2 * n + 1) * sizeof *edges);
        if (n) {
            memcpy(names, made->proto->output, n * sizeof *names);
            memcpy(edges, made->outputs, n * sizeof *edges);
        }
        made->proto->output = names;
        made->outputs = edges;
    }
    made->outputs[n] = out ? out : &none;
    made->proto->output[n] = (char *)made->outputs[n]->name;
}

/* ---- attributes ---- */

static Onnx__AttributeProto *add_attribute(nw_onnx_writer *w, Onnx__NodeProto *node,
                                           const char *name,
                                           Onnx__AttributeProto__AttributeType type)
{
    Onnx__AttributeProto *a = nw_arena_alloc(&w->arena, sizeof *a);
    onnx__attribute_proto__init(a);
    a->name = (char *)name;
    a->has_type = 1;
    a->type = type;
    Onnx__AttributeProto **list =
        nw_arena_alloc(&w->arena, (node->n_attribute + 1) * sizeof(Onnx__AttributeProto *));
    if (node->n_attribute)
        memcpy(list, node->attribute, node->n_attribute * sizeof *list);
    list[node->n_attribute++] = a;
    node->attribute = list;
    return a;
}

void nw_onnx_put_int(nw_onnx_writer *w, Onnx__NodeProto *node, const char *name, int64_t value)
{
    Onnx__AttributeProto *a =
        add_attribute(w, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = 1;
    a->i = value;
}

void nw_onnx_put_float(nw_onnx_writer *w, Onnx__NodeProto *node, const char *name, float value)
{
    Onnx__AttributeProto *a =
        add_attribute(w, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = 1;
    a->f = value;
}

void nw_onnx_put_text(nw_onnx_writer *w, Onnx__NodeProto *node, const char *name, const char *value)
{
    Onnx__AttributeProto *a =
        add_attribute(w, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    a->has_s = 1;
    a->s.len = strlen(value);
    a->s.data = (uint8_t *)value;
}

void nw_onnx_put_ints(nw_onnx_writer *w, Onnx__NodeProto *node, const char *name,
                      const int64_t *values, int n)
{
    Onnx__AttributeProto *a =
        add_attribute(w, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    a->n_ints = (size_t)n;
    a->ints = nw_arena_copy(&w->arena, values, (size_t)n * sizeof *values);
}

void nw_onnx_put_tensor(nw_onnx_writer *w, Onnx__NodeProto *node, const char *name,
                        Onnx__TensorProto *tensor)
{
    add_attribute(w, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)->t = tensor;
}

/* ---- nodes in the middle of an operator ---- */

/* What to name them after: the first output of the graph's node. */
static const char *base_name(const nw_onnx_writer *w)
{
    const nw_node *node = w->at == NW_NONE ? NULL : &w->graph->nodes[w->at];
    for (int i = 0; node && i < node->n_outputs; i++)
        if (node->outputs[i] != NW_NONE)
            return w->states[node->outputs[i]].name;
    return "value";
}

static nw_onnx_edge *middle_edge(nw_onnx_writer *w, const char *type, nw_dtype dtype,
                                 const nw_shape *shape)
{
    char suffix[64];
    snprintf(suffix, sizeof suffix, "/%s", type);
    return nw_onnx_new_edge(w, base_name(w), suffix, dtype, shape);
}

const nw_onnx_edge *nw_onnx_one(nw_onnx_writer *w, const char *type, const nw_onnx_edge *x)
{
    nw_onnx_edge *out = middle_edge(w, type, x->dtype, &x->shape);
    nw_onnx_put(w, type, out, 1, &x);
    return out;
}

/* Whether y broadcasts to x. */
static bool fits_into(const nw_shape *y, const nw_shape *x)
{
    bool fits = y->rank >= 0 && y->rank <= x->rank;
    for (int i = 1; fits && i <= y->rank; i++)
        fits = y->dims[y->rank - i] == 1 || y->dims[y->rank - i] == x->dims[x->rank - i];
    return fits;
}

const nw_onnx_edge *nw_onnx_two(nw_onnx_writer *w, const char *type, const nw_onnx_edge *x,
                                const nw_onnx_edge *y)
{
    const nw_onnx_edge *in[2] = {x, y};
    bool is_like_x = fits_into(&y->shape, &x->shape);
    nw_onnx_edge *out = middle_edge(w, type, x->dtype, is_like_x ? &x->shape : NULL);
    nw_onnx_put(w, type, out, 2, in);
    return out;
}

const nw_onnx_edge *nw_onnx_reshaped(nw_onnx_writer *w, const nw_onnx_edge *x,
                                     const nw_shape *shape)
{
    const nw_onnx_edge *in[2] = {x, nw_onnx_shape_list(w, "/shape", shape)};
    nw_onnx_edge *out = middle_edge(w, "Reshape", x->dtype, shape);
    nw_onnx_put(w, "Reshape", out, 2, in);
    return out;
}

const nw_onnx_edge *nw_onnx_transposed(nw_onnx_writer *w, const nw_onnx_edge *x, const int *perm)
{
    int64_t axes[NW_MAX_RANK];
    nw_shape shape = x->shape;
    for (int i = 0; i < x->shape.rank; i++) {
        axes[i] = perm[i];
        shape.dims[i] = x->shape.dims[perm[i]];
    }
    nw_onnx_edge *out = middle_edge(w, "Transpose", x->dtype, &shape);
    nw_onnx_put_ints(w, nw_onnx_put(w, "Transpose", out, 1, &x), "perm", axes,
                     shape.rank > 0 ? shape.rank : 0);
    return out;
}

const nw_onnx_edge *nw_onnx_cast(nw_onnx_writer *w, const nw_onnx_edge *x, nw_dtype dtype)
{
    if (x->dtype == dtype)
        return x;
    nw_onnx_edge *out = middle_edge(w, "Cast", dtype, &x->shape);
    nw_onnx_put_int(w, nw_onnx_put(w, "Cast", out, 1, &x), "to", nw_onnx_data_type(dtype));
    return out;
}
