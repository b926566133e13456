#include "src/graph/graph.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/text.h"
#include "src/graph/internal.h"

typedef struct dtype_row {
    const char *name;
    int bits;
    bool is_float;
} dtype_row;

static const dtype_row dtypes[NW_DTYPE_COUNT] = {
    [NW_DTYPE_UNKNOWN] = {"unknown", 0, false},
    [NW_DTYPE_FLOAT32] = {"float32", 32, true},
    [NW_DTYPE_FLOAT16] = {"float16", 16, true},
    [NW_DTYPE_BFLOAT16] = {"bfloat16", 16, true},
    [NW_DTYPE_FLOAT64] = {"float64", 64, true},
    [NW_DTYPE_INT4] = {"int4", 4, false},
    [NW_DTYPE_UINT4] = {"uint4", 4, false},
    [NW_DTYPE_INT8] = {"int8", 8, false},
    [NW_DTYPE_UINT8] = {"uint8", 8, false},
    [NW_DTYPE_INT16] = {"int16", 16, false},
    [NW_DTYPE_UINT16] = {"uint16", 16, false},
    [NW_DTYPE_INT32] = {"int32", 32, false},
    [NW_DTYPE_UINT32] = {"uint32", 32, false},
    [NW_DTYPE_INT64] = {"int64", 64, false},
    [NW_DTYPE_UINT64] = {"uint64", 64, false},
    [NW_DTYPE_BOOL] = {"bool", 8, false},
    [NW_DTYPE_STRING] = {"string", 0, false},
    [NW_DTYPE_COMPLEX64] = {"complex64", 64, true},
    [NW_DTYPE_COMPLEX128] = {"complex128", 128, true},
    [NW_DTYPE_FLOAT8] = {"float8", 8, true},
    [NW_DTYPE_OPAQUE] = {"opaque", 0, false},
};

const char *nw_dtype_name(nw_dtype dtype)
{
    return dtypes[dtype].name;
}

nw_dtype nw_dtype_find(const char *name)
{
    for (int i = 0; i < NW_DTYPE_COUNT; i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return (nw_dtype)i;
    return NW_DTYPE_UNKNOWN;
}

int nw_dtype_bits(nw_dtype dtype)
{
    return dtypes[dtype].bits;
}

bool nw_dtype_is_float(nw_dtype dtype)
{
    return dtypes[dtype].is_float;
}

static const char *const op_names[NW_OP_COUNT] = {
#define X(op, name) [NW_OP_##op] = name,
    NW_OPS(X)
#undef X
};

const char *nw_op_name(nw_op op)
{
    return op_names[op];
}

nw_op nw_op_find(const char *name)
{
    for (int i = 0; i < NW_OP_COUNT; i++)
        if (strcmp(op_names[i], name) == 0)
            return (nw_op)i;
    return NW_OP_COUNT;
}

void nw_attrs_init(nw_attrs *attrs)
{
    *attrs = (nw_attrs){.kernel_h = 1,
                        .kernel_w = 1,
                        .stride_h = 1,
                        .stride_w = 1,
                        .dilation_h = 1,
                        .dilation_w = 1,
                        .groups = 1,
                        .keep_dims = true};
}

int64_t nw_shape_elements(const nw_shape *shape)
{
    if (!nw_shape_is_known(shape))
        return 0;
    int64_t n = 1;
    for (int i = 0; i < shape->rank; i++)
        n *= shape->dims[i];
    return n;
}

bool nw_shape_equal(const nw_shape *a, const nw_shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

nw_graph *nw_graph_new(const char *name, nw_layout layout)
{
    nw_graph *graph = nw_zalloc(sizeof *graph);
    graph->store = nw_zalloc(sizeof *graph->store);
    atomic_init(&graph->store->n_users, 1);
    graph->layout = layout;
    graph->name = nw_graph_strdup(graph, name);
    graph->format = "";
    graph->folder = "";
    return graph;
}

void nw_graph_free(nw_graph *graph)
{
    if (!graph || atomic_fetch_sub(&graph->store->n_users, 1) != 1)
        return;
    nw_graph_store *store = graph->store;
    const nw_graph *root = store->root;
    for (size_t i = 0; i < store->n_files; i++)
        nw_file_release(store->files[i]);
    free(store->files);
    nw_arena_fini(&store->arena);
    free(store->free_dims);
    free(store);
    free(graph->nodes);
    free(graph->tensors);
    free(graph->inputs);
    free(graph->outputs);
    free(graph->order);
    free(graph->warnings);
    free(graph);
    nw_graph_free((nw_graph *)root);
}

void nw_graph_keep_file(nw_graph *graph, const nw_file *file)
{
    nw_graph_store *store = graph->store;
    store->files =
        nw_grow(store->files, store->n_files, &store->file_capacity, sizeof *store->files);
    store->files[store->n_files++] = nw_file_retain(file);
}

const nw_file *nw_graph_file(const nw_graph *graph)
{
    const nw_graph_store *store = graph->store->root ? graph->store->root->store : graph->store;
    return store->n_files ? store->files[0] : NULL;
}

void *nw_graph_alloc(nw_graph *graph, size_t n_bytes)
{
    return nw_arena_alloc(&graph->store->arena, n_bytes);
}

char *nw_graph_strdup(nw_graph *graph, const char *text)
{
    return nw_arena_strdup(&graph->store->arena, text);
}

nw_tensor_id nw_graph_add_tensor(nw_graph *graph, const char *name, nw_dtype dtype,
                                 const nw_shape *shape)
{
    assert(!graph->is_sealed);
    nw_graph_store *store = graph->store;
    graph->tensors = nw_grow(graph->tensors, (size_t)graph->n_tensors, &store->tensor_capacity,
                             sizeof *graph->tensors);
    nw_tensor *tensor = &graph->tensors[graph->n_tensors];
    *tensor = (nw_tensor){.name = nw_graph_strdup(graph, name),
                          .dtype = dtype,
                          .shape = {.rank = -1},
                          .stored_shape = {.rank = -1},
                          .producer = NW_NONE,
                          .file_offset = -1};
    if (shape) {
        tensor->shape = *shape;
        tensor->stored_shape = *shape;
    }
    return graph->n_tensors++;
}

void nw_graph_set_data(nw_graph *graph, nw_tensor_id id, const void *bytes, size_t n_bytes,
                       int64_t file_offset)
{
    nw_tensor *tensor = &graph->tensors[id];
    tensor->data = bytes;
    tensor->n_bytes = n_bytes;
    tensor->file_offset = file_offset;
    tensor->is_stored = true;
    tensor->is_const = true;
}

nw_tensor_id nw_graph_add_ints(nw_graph *graph, const char *name, const int64_t *values, int n)
{
    nw_shape shape = {.rank = 1, .dims = {n}};
    nw_tensor_id id = nw_graph_add_tensor(graph, name, NW_DTYPE_INT64, &shape);
    nw_graph_set_data(graph, id,
                      nw_arena_copy(&graph->store->arena, values, (size_t)n * sizeof *values),
                      (size_t)n * sizeof *values, -1);
    graph->tensors[id].is_stored = false;
    return id;
}

void nw_graph_add_input(nw_graph *graph, nw_tensor_id tensor)
{
    graph->inputs = nw_grow(graph->inputs, (size_t)graph->n_inputs, &graph->store->input_capacity,
                            sizeof *graph->inputs);
    graph->inputs[graph->n_inputs++] = tensor;
    graph->tensors[tensor].is_input = true;
}

void nw_graph_add_output(nw_graph *graph, nw_tensor_id tensor)
{
    graph->outputs = nw_grow(graph->outputs, (size_t)graph->n_outputs,
                             &graph->store->output_capacity, sizeof *graph->outputs);
    graph->outputs[graph->n_outputs++] = tensor;
    graph->tensors[tensor].is_output = true;
}

nw_node *nw_graph_add_node(nw_graph *graph, nw_op op, const char *name, const char *file_type,
                           const nw_tensor_id *inputs, int n_inputs, const nw_tensor_id *outputs,
                           int n_outputs)
{
    assert(!graph->is_sealed);
    nw_graph_store *store = graph->store;
    graph->nodes =
        nw_grow(graph->nodes, (size_t)graph->n_nodes, &store->node_capacity, sizeof *graph->nodes);
    nw_node *node = &graph->nodes[graph->n_nodes++];
    *node = (nw_node){
        .op = op,
        .name = nw_graph_strdup(graph, name),
        .file_type = nw_graph_strdup(graph, file_type),
        .n_inputs = n_inputs,
        .n_outputs = n_outputs,
        .inputs = nw_arena_copy(&store->arena, inputs, (size_t)n_inputs * sizeof *inputs),
        .outputs = nw_arena_copy(&store->arena, outputs, (size_t)n_outputs * sizeof *outputs)};
    nw_attrs_init(&node->attrs);
    return node;
}

void nw_graph_name_free_dim(nw_graph *graph, nw_tensor_id tensor, int axis, const char *name)
{
    nw_graph_store *store = graph->store;
    store->free_dims = nw_grow(store->free_dims, store->n_free_dims, &store->free_dim_capacity,
                               sizeof *store->free_dims);
    store->free_dims[store->n_free_dims++] =
        (nw_free_dim){.tensor = tensor, .axis = axis, .name = nw_graph_strdup(graph, name)};
}

void nw_graph_warn(nw_graph *graph, const char *format, ...)
{
    char raw[512], clean[512];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    nw_text_visible(raw, clean, sizeof clean);
    graph->warnings = nw_grow(graph->warnings, (size_t)graph->n_warnings,
                              &graph->store->warning_capacity, sizeof *graph->warnings);
    graph->warnings[graph->n_warnings++] = nw_graph_strdup(graph, clean);
}

const char *nw_node_label(const nw_graph *graph, nw_node_id id, char *dst, size_t size)
{
    const nw_node *node = &graph->nodes[id];
    char clean[256];
    if (node->name[0]) {
        nw_text_visible(node->name, clean, sizeof clean);
    } else {
        char type[200];
        nw_text_visible(node->file_type, type, sizeof type);
        snprintf(clean, sizeof clean, "%s #%d", type, (int)id);
    }
    return nw_text_fit(clean, dst, size);
}

int64_t nw_tensor_bytes(const nw_tensor *tensor)
{
    return (nw_shape_elements(&tensor->shape) * nw_dtype_bits(tensor->dtype) + 7) / 8;
}

nw_hwc nw_tensor_hwc(const nw_graph *graph, nw_tensor_id id)
{
    const nw_shape *shape = &graph->tensors[id].shape;
    const int64_t *d = shape->dims;
    bool channels_first = graph->layout == NW_LAYOUT_NCHW, is_known = nw_shape_is_known(shape);
    if (is_known && shape->rank == 4)
        return channels_first ? (nw_hwc){d[2], d[3], d[1]} : (nw_hwc){d[1], d[2], d[3]};
    if (is_known && shape->rank == 3)
        return channels_first ? (nw_hwc){1, d[2], d[1]} : (nw_hwc){1, d[1], d[2]};
    return (nw_hwc){1, 1, nw_shape_elements(shape)};
}
