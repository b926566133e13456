#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/format/onnx_import.h"

#define MAX_HOPS     64        /* from a value back to its constant */
#define MAX_CHANNELS (1 << 20) /* whose scales are kept, over all tensors */

const char *nw_onnx_node_label(const nw_onnx_import *in, int index, char *dst, size_t size)
{
    const Onnx__NodeProto *node = in->proto->node[index];
    if (nw_onnx_text(node->name)[0])
        snprintf(dst, size, "node '%.150s'", node->name);
    else
        snprintf(dst, size, "node %.120s #%d", nw_onnx_text(node->op_type), index);
    return dst;
}

void nw_onnx_draft_fail(nw_onnx_draft *d, const char *format, ...)
{
    char where[192], message[320];
    va_list args;
    if (d->status != NW_OK)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    nw_onnx_node_label(d->in, d->index, where, sizeof where);
    d->status = nw_fail(d->in->err, NW_INVALID, where, "%s", message);
}

/* ---- attributes ---- */

static const Onnx__AttributeProto *find_attribute(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (strcmp(nw_onnx_text(node->attribute[i]->name), name) == 0)
            return node->attribute[i];
    return NULL;
}

/* The same, remembering that it was looked at. */
static const Onnx__AttributeProto *read_attribute(const nw_onnx_draft *d, const char *name)
{
    const Onnx__NodeProto *node = d->proto;
    for (size_t i = 0; i < node->n_attribute; i++) {
        if (strcmp(nw_onnx_text(node->attribute[i]->name), name) != 0)
            continue;
        *d->read |= i < 64 ? (uint64_t)1 << i : 0;
        return node->attribute[i];
    }
    return NULL;
}

/* Whether an attribute changes nothing: it is about training or about speed, or at its default. */
static bool says_nothing(const Onnx__AttributeProto *a)
{
    static const char *const idle[] = {"momentum", "is_test", "consumed_inputs", "ratio",
                                       "seed",     "sorted",  "num_outputs"};
    static const char *const usually_one[] = {"spatial",  "largest",         "stash_type",
                                              "saturate", "detect_positive", "detect_negative"};
    const char *name = nw_onnx_text(a->name);
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
        if (strcmp(name, idle[i]) == 0)
            return true;
    int64_t usual = 0;
    for (size_t i = 0; i < sizeof usually_one / sizeof *usually_one; i++)
        usual += strcmp(name, usually_one[i]) == 0;
    if (a->t || a->g || a->sparse_tensor || a->n_floats || a->n_ints || a->n_strings ||
        a->n_tensors || a->n_graphs)
        return false;
    if (a->has_s && a->s.len) {
        bool is_none = a->s.len == 4 && memcmp(a->s.data, "none", 4) == 0;
        return is_none || (a->s.len == 6 && memcmp(a->s.data, "NOTSET", 6) == 0);
    }
    if (a->has_f)
        return a->f == 0;
    return a->i == usual;
}

bool nw_onnx_has_more(const nw_onnx_draft *d)
{
    for (size_t i = 0; i < d->proto->n_attribute; i++)
        if ((i >= 64 || !(*d->read >> i & 1)) && !says_nothing(d->proto->attribute[i]))
            return true;
    return false;
}

/* Files of the first version carry no type; the field in use says it. */
static const Onnx__AttributeProto *typed_attribute(nw_onnx_draft *d, const char *name, int type,
                                                   const char *what)
{
    const Onnx__AttributeProto *found = read_attribute(d, name);
    if (found && found->has_type && (int)found->type != type && (int)found->type != 0) {
        nw_onnx_draft_fail(d, "attribute '%s' is no %s", name, what);
        return NULL;
    }
    return found;
}

bool nw_onnx_has(const nw_onnx_draft *d, const char *name)
{
    return read_attribute(d, name) != NULL;
}

int64_t nw_onnx_int(nw_onnx_draft *d, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *found =
        typed_attribute(d, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT, "integer");
    return found ? found->i : otherwise;
}

int32_t nw_onnx_int32(nw_onnx_draft *d, const char *name, int32_t otherwise)
{
    int64_t value = nw_onnx_int(d, name, otherwise);
    if (value < INT32_MIN || value > INT32_MAX) {
        nw_onnx_draft_fail(d, "attribute '%s' is out of range (%lld)", name, (long long)value);
        return otherwise;
    }
    return (int32_t)value;
}

float nw_onnx_float(nw_onnx_draft *d, const char *name, float otherwise)
{
    const Onnx__AttributeProto *found =
        typed_attribute(d, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT, "number");
    return found ? found->f : otherwise;
}

const int64_t *nw_onnx_ints(nw_onnx_draft *d, const char *name, int *n)
{
    static const int64_t none[1];
    const Onnx__AttributeProto *found =
        typed_attribute(d, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, "list of integers");
    *n = 0;
    if (!found)
        return NULL;
    if (found->n_ints > INT32_MAX / 16) {
        nw_onnx_draft_fail(d, "attribute '%s' has too many values (%zu)", name, found->n_ints);
        return NULL;
    }
    *n = (int)found->n_ints;
    return *n ? found->ints : none;
}

const float *nw_onnx_floats(nw_onnx_draft *d, const char *name, int *n)
{
    const Onnx__AttributeProto *found =
        typed_attribute(d, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS, "list of numbers");
    *n = 0;
    if (!found || !found->n_floats)
        return NULL;
    if (found->n_floats > INT32_MAX / 16) {
        nw_onnx_draft_fail(d, "attribute '%s' has too many values (%zu)", name, found->n_floats);
        return NULL;
    }
    *n = (int)found->n_floats;
    return found->floats;
}

bool nw_onnx_is_text(const nw_onnx_draft *d, const char *name, const char *value)
{
    const Onnx__AttributeProto *found = read_attribute(d, name);
    size_t n = strlen(value);
    return found && found->has_s && found->s.len == n && memcmp(found->s.data, value, n) == 0;
}

const Onnx__TensorProto *nw_onnx_tensor(const nw_onnx_draft *d, const char *name)
{
    const Onnx__AttributeProto *found = read_attribute(d, name);
    return found ? found->t : NULL;
}

nw_tensor_id nw_onnx_input(const nw_onnx_draft *d, int i)
{
    return i < d->n_inputs ? d->inputs[i] : NW_NONE;
}

void nw_onnx_set_ints(nw_onnx_draft *d, const int64_t *values, int n)
{
    d->attrs.ints = nw_onnx_keep_bytes(d->in, values, (size_t)n * sizeof *values);
    d->attrs.n_ints = n;
    d->attrs.has_ints = true;
}

void nw_onnx_set_floats(nw_onnx_draft *d, const float *values, int n)
{
    d->attrs.floats = nw_onnx_keep_bytes(d->in, values, (size_t)n * sizeof *values);
    d->attrs.n_floats = n;
}

/* ---- constants ---- */

static nw_status load_numbers(nw_onnx_import *in, nw_tensor_id id, nw_dtype dtype,
                              const void *values, size_t n, int rank)
{
    nw_tensor *tensor = &in->graph->tensors[id];
    size_t n_bytes = n * (size_t)nw_dtype_bits(dtype) / 8;
    tensor->dtype = dtype;
    tensor->shape = (nw_shape){.rank = rank, .dims = {rank ? (int64_t)n : 0}};
    tensor->stored_shape = tensor->shape;
    nw_graph_set_data(in->graph, id, nw_onnx_keep_bytes(in, values, n_bytes), n_bytes, -1);
    return NW_OK;
}

nw_status nw_onnx_load_constant(nw_onnx_import *in, int index, nw_tensor_id output)
{
    char label[192];
    const Onnx__NodeProto *node = in->proto->node[index];
    const Onnx__AttributeProto *a;
    nw_onnx_node_label(in, index, label, sizeof label);
    if ((a = find_attribute(node, "value")) && a->t)
        return nw_onnx_load_tensor(in, a->t, output, label);
    if ((a = find_attribute(node, "sparse_value")) && a->sparse_tensor)
        return nw_onnx_load_sparse(in, a->sparse_tensor, output, label);
    if ((a = find_attribute(node, "value_float")))
        return load_numbers(in, output, NW_DTYPE_FLOAT32, &a->f, 1, 0);
    if ((a = find_attribute(node, "value_int")))
        return load_numbers(in, output, NW_DTYPE_INT64, &a->i, 1, 0);
    if ((a = find_attribute(node, "value_floats")))
        return load_numbers(in, output, NW_DTYPE_FLOAT32, a->floats, a->n_floats, 1);
    if ((a = find_attribute(node, "value_ints")))
        return load_numbers(in, output, NW_DTYPE_INT64, a->ints, a->n_ints, 1);
    if (find_attribute(node, "value_string"))
        return load_numbers(in, output, NW_DTYPE_STRING, NULL, 1, 0);
    if ((a = find_attribute(node, "value_strings")))
        return load_numbers(in, output, NW_DTYPE_STRING, NULL, a->n_strings, 1);
    return nw_fail(in->err, NW_INVALID, label, "a Constant without a value");
}

static bool is_type(const Onnx__NodeProto *node, const char *op_type)
{
    return strcmp(nw_onnx_text(node->op_type), op_type) == 0;
}

bool nw_onnx_value(const nw_onnx_import *in, nw_tensor_id id, int64_t i, double *value,
                   int64_t *n_elements)
{
    for (int hops = 0; id != NW_NONE && hops < MAX_HOPS; hops++) {
        const nw_tensor *tensor = &in->graph->tensors[id];
        if (tensor->is_stored) {
            if (n_elements)
                *n_elements = tensor->shape.rank < 0 ? -1 : nw_shape_elements(&tensor->shape);
            return nw_onnx_element(tensor, i, value);
        }
        if (in->makers[id] == NW_NONE)
            return false;
        const Onnx__NodeProto *node = in->proto->node[in->makers[id]];
        if (is_type(node, "ConstantOfShape")) {
            if (n_elements)
                *n_elements = -1;
            *value = 0; /* unless given */
            const Onnx__AttributeProto *fill = find_attribute(node, "value");
            return !fill || !fill->t || nw_onnx_first_value(in, fill->t, value);
        }
        if (!node->n_input || (!is_type(node, "Identity") && !is_type(node, "Cast")))
            return false;
        id = nw_map_get(&in->tensors, node->input[0]);
        if (id == NW_MAP_NONE)
            return false;
    }
    return false;
}

/* Scales and zero points of all channels; quant holds those of the first. */
static void keep_channels(nw_onnx_import *in, nw_quant *quant, nw_tensor_id scale,
                          nw_tensor_id zero_point)
{
    size_t n = (size_t)quant->n_channels;
    double value;
    bool is_uneven = false;
    float *scales = nw_graph_alloc(in->graph, n * sizeof *scales);
    for (size_t i = 0; i < n; i++) {
        if (!nw_onnx_value(in, scale, (int64_t)i, &value, NULL))
            return;
        scales[i] = (float)value;
    }
    quant->scales = scales;
    for (size_t i = 0; i < n; i++)
        is_uneven |= nw_onnx_value(in, zero_point, (int64_t)i, &value, NULL) &&
                     value != (double)quant->zero_point;
    if (!is_uneven)
        return;
    int64_t *points = nw_graph_alloc(in->graph, n * sizeof *points);
    for (size_t i = 0; i < n; i++)
        points[i] = nw_onnx_value(in, zero_point, (int64_t)i, &value, NULL) && fabs(value) < 9e15
                        ? (int64_t)value
                        : 0;
    quant->zero_points = points;
}

void nw_onnx_quantise(nw_onnx_import *in, nw_tensor_id id, nw_tensor_id scale,
                      nw_tensor_id zero_point, int axis)
{
    double s, z;
    int64_t n = 1;
    if (id == NW_NONE || !nw_onnx_value(in, scale, 0, &s, &n))
        return;
    nw_tensor *tensor = &in->graph->tensors[id];
    int rank = tensor->shape.rank;
    bool has_zero = nw_onnx_value(in, zero_point, 0, &z, NULL) && z > -9e15 && z < 9e15;
    tensor->quant = (nw_quant){.n_channels = n > 1 && n <= INT32_MAX ? (int)n : 1,
                               .axis = n <= 1                 ? 0
                                       : axis < 0 && rank > 0 ? axis + rank
                                                              : axis,
                               .scale = s,
                               .zero_point = has_zero ? (int64_t)z : 0};
    in->n_scales += n > 1 ? (size_t)n : 0;
    if (n > 1 && in->n_scales <= MAX_CHANNELS)
        keep_channels(in, &tensor->quant, scale, has_zero ? zero_point : NW_NONE);
}

/* ---- what nested graphs read from outside ---- */

typedef struct capture {
    nw_map defined, taken;
    nw_onnx_draft *draft;
    size_t capacity;
} capture;

typedef void (*graph_visitor)(capture *c, const Onnx__GraphProto *graph);

static void visit_graphs(capture *c, const Onnx__NodeProto *node, graph_visitor visit)
{
    for (size_t i = 0; i < node->n_attribute; i++) {
        const Onnx__AttributeProto *a = node->attribute[i];
        if (a->g)
            visit(c, a->g);
        for (size_t k = 0; k < a->n_graphs; k++)
            visit(c, a->graphs[k]);
    }
}

static void define(capture *c, const char *name)
{
    nw_map_put(&c->defined, nw_onnx_text(name), 1);
}

static void visit_definitions(capture *c, const Onnx__GraphProto *graph)
{
    for (size_t i = 0; i < graph->n_input; i++)
        define(c, graph->input[i]->name);
    for (size_t i = 0; i < graph->n_initializer; i++)
        define(c, graph->initializer[i]->name);
    for (size_t i = 0; i < graph->n_sparse_initializer; i++)
        if (graph->sparse_initializer[i]->values)
            define(c, graph->sparse_initializer[i]->values->name);
    for (size_t i = 0; i < graph->n_node; i++) {
        for (size_t k = 0; k < graph->node[i]->n_output; k++)
            define(c, graph->node[i]->output[k]);
        visit_graphs(c, graph->node[i], visit_definitions);
    }
}

static void take_use(capture *c, const char *name)
{
    nw_onnx_draft *d = c->draft;
    name = nw_onnx_text(name);
    if (!name[0] || nw_map_get(&c->defined, name) != NW_MAP_NONE)
        return;
    nw_tensor_id id = nw_map_get(&d->in->tensors, name);
    if (id == NW_MAP_NONE || nw_map_put(&c->taken, name, 1) != NW_MAP_NONE)
        return;
    d->inputs = nw_grow(d->inputs, (size_t)d->n_inputs, &c->capacity, sizeof *d->inputs);
    d->inputs[d->n_inputs++] = id;
}

static void visit_uses(capture *c, const Onnx__GraphProto *graph)
{
    for (size_t i = 0; i < graph->n_output; i++)
        take_use(c, graph->output[i]->name);
    for (size_t i = 0; i < graph->n_node; i++) {
        for (size_t k = 0; k < graph->node[i]->n_input; k++)
            take_use(c, graph->node[i]->input[k]);
        visit_graphs(c, graph->node[i], visit_uses);
    }
}

/* Bytes of code and weights inside the node: nested graphs and tensors of its attributes. */
static int64_t inner_bytes(const nw_onnx_draft *d)
{
    const nw_onnx_scan *scan = d->in->scan;
    uint64_t n_bytes = 0;
    for (size_t i = 0; i < d->proto->n_attribute; i++) {
        const Onnx__AttributeProto *a = d->proto->attribute[i];
        uint64_t payload = a->t ? nw_onnx_side_value(&a->t->base) : 0;
        n_bytes += payload ? scan->payloads[payload - 1].n_bytes : 0;
        n_bytes += a->g ? nw_onnx_side_value(&a->g->base) : 0;
        for (size_t k = 0; k < a->n_graphs; k++)
            n_bytes += nw_onnx_side_value(&a->graphs[k]->base);
        for (size_t k = 0; k < a->n_tensors; k++)
            if ((payload = nw_onnx_side_value(&a->tensors[k]->base)))
                n_bytes += scan->payloads[payload - 1].n_bytes;
    }
    return (int64_t)n_bytes;
}

/* An opaque node reads what its nested graphs read, so that those tensors stay alive for it. */
static void add_captured_inputs(nw_onnx_draft *d)
{
    capture c = {.draft = d, .capacity = (size_t)d->n_inputs};
    for (size_t i = 0; i < d->proto->n_input; i++)
        nw_map_put(&c.taken, d->proto->input[i], 1);
    visit_graphs(&c, d->proto, visit_definitions);
    visit_graphs(&c, d->proto, visit_uses);
    nw_map_fini(&c.defined);
    nw_map_fini(&c.taken);
}

/* ---- nodes ---- */

static void find_tensors(nw_onnx_draft *d)
{
    const Onnx__NodeProto *proto = d->proto;
    d->inputs = nw_alloc((proto->n_input + 1) * sizeof *d->inputs);
    d->outputs = nw_alloc((proto->n_output + 1) * sizeof *d->outputs);
    for (size_t i = 0; i < proto->n_input; i++) {
        nw_tensor_id id =
            proto->input[i][0] ? nw_map_get(&d->in->tensors, proto->input[i]) : NW_NONE;
        if (id == NW_MAP_NONE)
            nw_onnx_draft_fail(d, "reads tensor '%.150s', which nothing produces", proto->input[i]);
        d->inputs[d->n_inputs++] = id;
    }
    for (size_t i = 0; i < proto->n_output; i++)
        d->outputs[d->n_outputs++] =
            proto->output[i][0] ? nw_map_get(&d->in->tensors, proto->output[i]) : NW_NONE;
    while (d->n_inputs && d->inputs[d->n_inputs - 1] == NW_NONE)
        d->n_inputs--;
    while (d->n_outputs && d->outputs[d->n_outputs - 1] == NW_NONE)
        d->n_outputs--;
}

nw_status nw_onnx_add_node(nw_onnx_import *in, int index)
{
    const Onnx__NodeProto *proto = in->proto->node[index];
    uint64_t read = 0;
    nw_onnx_draft d = {.in = in, .proto = proto, .index = index, .read = &read};
    nw_attrs_init(&d.attrs);
    const char *type = nw_onnx_file_type(in->graph, proto->domain, proto->op_type);
    if (!nw_onnx_text(proto->op_type)[0])
        nw_onnx_draft_fail(&d, "has no operator type");
    find_tensors(&d);
    if (d.status == NW_OK)
        nw_onnx_apply_op(&d, type);
    if (d.status == NW_OK && d.op == NW_OP_OPAQUE)
        add_captured_inputs(&d);
    if (d.status == NW_OK) {
        nw_node *node = nw_graph_add_node(in->graph, d.op, nw_onnx_text(proto->name), type,
                                          d.inputs, d.n_inputs, d.outputs, d.n_outputs);
        node->attrs = d.attrs;
        node->act = d.act;
        node->opaque_bytes = d.op == NW_OP_OPAQUE ? inner_bytes(&d) : 0;
    }
    free(d.inputs);
    free(d.outputs);
    return d.status;
}
