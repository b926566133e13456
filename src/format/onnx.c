#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/format/onnx_import.h"

/* Structures are larger than the bytes they come from; this much larger at most. */
#define UNPACK_BASE_BYTES ((size_t)64 << 20)
#define UNPACK_FACTOR     16
#define UNPACK_MAX_BYTES  ((size_t)768 << 20)
#define NEWEST_OPSET      23

const char *nw_onnx_text(const char *text)
{
    return text ? text : "";
}

uint64_t nw_onnx_side_value(const ProtobufCMessage *message)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *field = &message->unknown_fields[i];
        size_t at = 0;
        if (field->tag == NW_ONNX_SIDE_FIELD &&
            nw_onnx_varint(field->data, field->len, &at, &value))
            return value;
    }
    return 0;
}

const char *nw_onnx_file_type(nw_graph *graph, const char *domain, const char *op_type)
{
    domain = nw_onnx_text(domain);
    op_type = nw_onnx_text(op_type);
    if (!domain[0] || strcmp(domain, "ai.onnx") == 0)
        return nw_graph_strdup(graph, op_type);
    size_t size = strlen(domain) + strlen(op_type) + 3;
    char *text = nw_graph_alloc(graph, size);
    snprintf(text, size, "%s::%s", domain, op_type);
    return text;
}

/* ---- unpacking with a limit ---- */

typedef struct budget {
    size_t used, limit;
    bool is_exceeded;
} budget;

#define BLOCK_HEADER 16 /* keeps the size in front of each block, and the block aligned */

static void *take_memory(void *data, size_t size)
{
    budget *b = data;
    if (size > b->limit || b->used + BLOCK_HEADER > b->limit - size) {
        b->is_exceeded = true;
        return NULL;
    }
    b->used += size + BLOCK_HEADER;
    unsigned char *block = nw_alloc(size + BLOCK_HEADER);
    memcpy(block, &size, sizeof size);
    return block + BLOCK_HEADER;
}

static void give_memory(void *data, void *memory)
{
    budget *b = data;
    size_t size;
    if (!memory)
        return;
    memcpy(&size, (unsigned char *)memory - BLOCK_HEADER, sizeof size);
    b->used -= size + BLOCK_HEADER;
    free((unsigned char *)memory - BLOCK_HEADER);
}

static nw_status unpack(const nw_buf *copy, ProtobufCAllocator *allocator, Onnx__ModelProto **out,
                        nw_error *err)
{
    budget *b = allocator->allocator_data;
    size_t limit = UNPACK_BASE_BYTES + UNPACK_FACTOR * copy->length;
    b->limit = limit < UNPACK_MAX_BYTES ? limit : UNPACK_MAX_BYTES;
    *out = onnx__model_proto__unpack(allocator, copy->length, (const uint8_t *)nw_buf_text(copy));
    if (*out)
        return NW_OK;
    if (b->is_exceeded)
        return nw_fail(err, NW_LIMIT, "", "needs more than %zu MiB to unpack", b->limit >> 20);
    return nw_fail(err, NW_INVALID, "", "its fields contradict the ONNX format");
}

/* ---- tensors ---- */

static nw_status add_tensor(nw_onnx_import *in, const char *name, const char *where,
                            nw_tensor_id *out)
{
    if (nw_map_get(&in->tensors, name) != NW_MAP_NONE)
        return nw_fail(in->err, NW_INVALID, where,
                       "defines tensor '%s' a second time; every tensor has one source", name);
    *out = nw_graph_add_tensor(in->graph, name, NW_DTYPE_UNKNOWN, NULL);
    nw_map_put(&in->tensors, in->graph->tensors[*out].name, *out);
    return NW_OK;
}

static const char *tensor_where(const char *name, char *dst, size_t size)
{
    snprintf(dst, size, "tensor '%.150s'", name);
    return dst;
}

static nw_status add_initializers(nw_onnx_import *in)
{
    char where[192];
    const Onnx__GraphProto *proto = in->proto;
    nw_status status = NW_OK;
    for (size_t i = 0; i < proto->n_initializer && status == NW_OK; i++) {
        nw_tensor_id id;
        const char *name = nw_onnx_text(proto->initializer[i]->name);
        tensor_where(name, where, sizeof where);
        if ((status = add_tensor(in, name, where, &id)) == NW_OK)
            status = nw_onnx_load_tensor(in, proto->initializer[i], id, where);
    }
    for (size_t i = 0; i < proto->n_sparse_initializer && status == NW_OK; i++) {
        nw_tensor_id id;
        const Onnx__SparseTensorProto *sparse = proto->sparse_initializer[i];
        const char *name = sparse->values ? nw_onnx_text(sparse->values->name) : "";
        tensor_where(name, where, sizeof where);
        if ((status = add_tensor(in, name, where, &id)) == NW_OK)
            status = nw_onnx_load_sparse(in, sparse, id, where);
    }
    return status;
}

/* Type and shape of a value; open and placeholder sizes become NW_DIM_FREE. False if one size
 * or all together are beyond what a tensor may have. */
static bool read_type(const Onnx__ValueInfoProto *value, nw_dtype *dtype, nw_shape *shape)
{
    *dtype = NW_DTYPE_UNKNOWN;
    *shape = (nw_shape){.rank = -1};
    if (!value->type || value->type->value_case == ONNX__TYPE_PROTO__VALUE__NOT_SET)
        return true;
    if (value->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) {
        *dtype = NW_DTYPE_OPAQUE;
        return true;
    }
    const Onnx__TypeProto__Tensor *type = value->type->tensor_type;
    *dtype = nw_onnx_dtype(type->elem_type);
    if (!type->shape || type->shape->n_dim > NW_MAX_RANK)
        return true;
    int64_t elements = 1;
    shape->rank = (int)type->shape->n_dim;
    for (int i = 0; i < shape->rank; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = type->shape->dim[i];
        bool is_fixed = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE &&
                        dim->dim_value > 0;
        shape->dims[i] = is_fixed ? dim->dim_value : NW_DIM_FREE;
        if (is_fixed && (dim->dim_value > NW_MAX_DIM ||
                         __builtin_mul_overflow(elements, dim->dim_value, &elements) ||
                         elements > NW_MAX_ELEMENTS))
            return false;
    }
    return true;
}

static void name_free_dims(nw_onnx_import *in, const Onnx__ValueInfoProto *value, nw_tensor_id id)
{
    const nw_shape shape = in->graph->tensors[id].shape;
    for (int i = 0; i < shape.rank; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = value->type->tensor_type->shape->dim[i];
        if (shape.dims[i] == NW_DIM_FREE &&
            dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM &&
            nw_onnx_text(dim->dim_param)[0])
            nw_graph_name_free_dim(in->graph, id, i, dim->dim_param);
    }
}

/* Initializers may be listed as inputs too (they had to be before IR 4): those are no inputs. */
static nw_status add_inputs(nw_onnx_import *in)
{
    char where[192];
    for (size_t i = 0; i < in->proto->n_input; i++) {
        const Onnx__ValueInfoProto *value = in->proto->input[i];
        const char *name = nw_onnx_text(value->name);
        nw_tensor_id id = nw_map_get(&in->tensors, name);
        if (id != NW_MAP_NONE && in->graph->tensors[id].is_stored)
            continue;
        nw_dtype dtype;
        nw_shape shape;
        snprintf(where, sizeof where, "input '%.150s'", name);
        if (!name[0])
            return nw_fail(in->err, NW_INVALID, "", "input %zu of the graph has no name", i);
        if (!read_type(value, &dtype, &shape))
            return nw_fail(in->err, NW_INVALID, where, "its dimensions are too large");
        nw_status status = add_tensor(in, name, where, &id);
        if (status != NW_OK)
            return status;
        nw_tensor *tensor = &in->graph->tensors[id];
        tensor->dtype = dtype;
        tensor->shape = tensor->stored_shape = shape;
        nw_graph_add_input(in->graph, id);
        name_free_dims(in, value, id);
    }
    return NW_OK;
}

static nw_status add_node_outputs(nw_onnx_import *in)
{
    char where[192];
    for (size_t i = 0; i < in->proto->n_node; i++) {
        const Onnx__NodeProto *node = in->proto->node[i];
        for (size_t k = 0; k < node->n_output; k++) {
            nw_tensor_id id;
            if (!node->output[k][0])
                continue;
            nw_onnx_node_label(in, (int)i, where, sizeof where);
            nw_status status = add_tensor(in, node->output[k], where, &id);
            if (status != NW_OK)
                return status;
        }
    }
    return NW_OK;
}

/* What the file claims about the results of nodes: a type where we have none, and a hint. */
static void add_hints(nw_onnx_import *in, Onnx__ValueInfoProto *const *values, size_t n_values)
{
    for (size_t i = 0; i < n_values; i++) {
        nw_dtype dtype;
        nw_shape shape;
        nw_tensor_id id = nw_map_get(&in->tensors, nw_onnx_text(values[i]->name));
        if (id == NW_MAP_NONE)
            continue;
        nw_tensor *tensor = &in->graph->tensors[id];
        if (tensor->is_input || tensor->is_stored || !read_type(values[i], &dtype, &shape))
            continue;
        if (shape.rank >= 0)
            tensor->stored_shape = shape;
        if (dtype != NW_DTYPE_UNKNOWN)
            tensor->dtype = dtype;
    }
}

static nw_status add_outputs(nw_onnx_import *in)
{
    for (size_t i = 0; i < in->proto->n_output; i++) {
        const char *name = nw_onnx_text(in->proto->output[i]->name);
        nw_tensor_id id = nw_map_get(&in->tensors, name);
        if (id == NW_MAP_NONE)
            return nw_fail(in->err, NW_INVALID, "",
                           "output '%.150s' of the graph is not produced by any node", name);
        nw_graph_add_output(in->graph, id);
    }
    return NW_OK;
}

/* ---- nodes ---- */

/* Constants first: other nodes may stand before them in the file. */
static nw_status find_makers(nw_onnx_import *in)
{
    in->makers = nw_alloc((size_t)in->graph->n_tensors * sizeof *in->makers);
    for (int i = 0; i < in->graph->n_tensors; i++)
        in->makers[i] = NW_NONE;
    for (size_t i = 0; i < in->proto->n_node; i++) {
        const Onnx__NodeProto *node = in->proto->node[i];
        for (size_t k = 0; k < node->n_output; k++)
            if (node->output[k][0])
                in->makers[nw_map_get(&in->tensors, node->output[k])] = (nw_node_id)i;
        bool is_ours = !nw_onnx_text(node->domain)[0] || strcmp(node->domain, "ai.onnx") == 0;
        if (!is_ours || strcmp(nw_onnx_text(node->op_type), "Constant") != 0 || !node->n_output ||
            !node->output[0][0])
            continue;
        nw_tensor_id output = nw_map_get(&in->tensors, node->output[0]);
        nw_status status = nw_onnx_load_constant(in, (int)i, output);
        if (status != NW_OK)
            return status;
    }
    return NW_OK;
}

static void list_functions(nw_onnx_import *in, const Onnx__ModelProto *model)
{
    for (size_t i = 0; i < model->n_functions; i++)
        nw_map_put(
            &in->functions,
            nw_onnx_file_type(in->graph, model->functions[i]->domain, model->functions[i]->name),
            1);
}

static void read_opset(nw_onnx_import *in, const Onnx__ModelProto *model)
{
    in->opset = 1;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const char *domain = nw_onnx_text(model->opset_import[i]->domain);
        if (!domain[0] || strcmp(domain, "ai.onnx") == 0)
            in->opset = model->opset_import[i]->version;
    }
    char format[48];
    snprintf(format, sizeof format, "onnx opset %lld", (long long)in->opset);
    in->graph->format = nw_graph_strdup(in->graph, format);
    if (in->opset > NEWEST_OPSET)
        nw_graph_warn(in->graph, "opset %lld is newer than %d; operators may have changed",
                      (long long)in->opset, NEWEST_OPSET);
}

static nw_status build(nw_onnx_import *in, const Onnx__ModelProto *model)
{
    read_opset(in, model);
    list_functions(in, model);
    nw_onnx_list_ops(in);
    nw_status status = add_initializers(in);
    if (status == NW_OK)
        status = add_inputs(in);
    if (status == NW_OK)
        status = add_node_outputs(in);
    if (status != NW_OK)
        return status;
    add_hints(in, in->proto->value_info, in->proto->n_value_info);
    add_hints(in, in->proto->output, in->proto->n_output);
    status = find_makers(in);
    for (size_t i = 0; i < in->proto->n_node && status == NW_OK; i++)
        status = nw_onnx_add_node(in, (int)i);
    return status == NW_OK ? add_outputs(in) : status;
}

static nw_status import(const nw_file *file, const nw_onnx_scan *scan,
                        const Onnx__ModelProto *model, nw_graph **out, nw_error *err)
{
    if (!model->graph)
        return nw_fail(err, NW_INVALID, "", "holds no graph; it is no ONNX model");
    nw_onnx_import in = {.file = file, .scan = scan, .proto = model->graph, .err = err};
    in.graph = nw_graph_new(nw_onnx_text(model->graph->name), NW_LAYOUT_NCHW);
    nw_graph_keep_file(in.graph, file);
    nw_status status = build(&in, model);
    nw_map_fini(&in.tensors);
    nw_map_fini(&in.functions);
    nw_map_fini(&in.ops);
    nw_map_fini(&in.side_file_index);
    free(in.side_files);
    free(in.makers);
    if (status == NW_OK)
        *out = in.graph;
    else
        nw_graph_free(in.graph);
    return status;
}

nw_status nw_onnx_read(const nw_file *file, nw_graph **out, nw_error *err)
{
    if (!file->n_bytes)
        return nw_fail(err, NW_INVALID, "", "the file is empty");
    nw_onnx_scan scan;
    Onnx__ModelProto *model = NULL;
    budget memory = {0};
    ProtobufCAllocator allocator = {
        .alloc = take_memory, .free = give_memory, .allocator_data = &memory};
    nw_status status = nw_onnx_scan_file(file, &scan, err);
    if (status == NW_OK)
        status = unpack(&scan.copy, &allocator, &model, err);
    if (status == NW_OK)
        status = import(file, &scan, model, out, err);
    if (model)
        onnx__model_proto__free_unpacked(model, &allocator);
    nw_onnx_scan_fini(&scan);
    return status;
}
