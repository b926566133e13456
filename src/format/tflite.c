/* Reader of TensorFlow Lite files: tensors, constants and operators of subgraph 0. What the
 * operators mean is in tflite_ops.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/text.h"
#include "src/format/format.h"
#include "src/format/tflite.h"

#define SCHEMA_VERSION 3

/* What one operator or tensor takes in a file at least, without its lists and name: the reference,
 * the table and the lists' headers. Charged against the file's size, so that a file whose tables
 * share bytes cannot make us build more than it holds. */
#define TABLE_BYTES 32

typedef struct op_code {
    int32_t code;
    const char *file_type;
} op_code;

typedef struct reader {
    nw_flat flat;
    nw_graph *graph;
    nw_flat_vector buffers, codes, operators, tensors;
    nw_flat_table subgraph;
    op_code *op_codes;
    uint8_t *roles; /* per tensor */
    nw_tensor_id *ids;
    size_t id_capacity;
    size_t charged;
    int n_variables;
    const char *first_variable;
} reader;

enum { ROLE_INPUT = 1, ROLE_PRODUCED = 2, ROLE_USED = 4 };

static nw_status charge(reader *r, size_t n_bytes, nw_error *err)
{
    r->charged += n_bytes;
    if (r->charged <= 2 * r->flat.n_bytes)
        return NW_OK;
    return nw_fail(err, NW_LIMIT, "",
                   "its tables overlap and describe more than the file can hold; the file is "
                   "damaged or made to do harm");
}

static const char *tensor_where(size_t id, const char *name, char *dst, size_t size)
{
    char clean[96];
    nw_text_visible(name, clean, sizeof clean);
    snprintf(dst, size, "tensor %zu (%s)", id, clean);
    return dst;
}

/* ---- tensors ---- */

static nw_dtype find_dtype(int type)
{
    /* 13 resource, 14 variant, 19 int2 have no name here */
    static const nw_dtype dtypes[] = {
        [0] = NW_DTYPE_FLOAT32, [1] = NW_DTYPE_FLOAT16,   [2] = NW_DTYPE_INT32,
        [3] = NW_DTYPE_UINT8,   [4] = NW_DTYPE_INT64,     [5] = NW_DTYPE_STRING,
        [6] = NW_DTYPE_BOOL,    [7] = NW_DTYPE_INT16,     [8] = NW_DTYPE_COMPLEX64,
        [9] = NW_DTYPE_INT8,    [10] = NW_DTYPE_FLOAT64,  [11] = NW_DTYPE_COMPLEX128,
        [12] = NW_DTYPE_UINT64, [15] = NW_DTYPE_UINT32,   [16] = NW_DTYPE_UINT16,
        [17] = NW_DTYPE_INT4,   [18] = NW_DTYPE_BFLOAT16, [20] = NW_DTYPE_UINT4,
    };
    bool is_known = type >= 0 && (size_t)type < sizeof dtypes / sizeof *dtypes;
    return is_known ? dtypes[type] : NW_DTYPE_UNKNOWN;
}

/* One tensor of the file, before it is one of the graph. */
typedef struct file_tensor {
    nw_flat_table table;
    const char *name;
    const char *where;
    nw_dtype dtype;
    nw_shape shape;
    size_t data_at, n_data_bytes; /* 0: no constant */
    bool is_sparse, is_variable, is_input;
} file_tensor;

static nw_status read_shape(reader *r, file_tensor *tensor, nw_error *err)
{
    nw_flat_vector list = nw_flat_list(&r->flat, tensor->table, 0, 4);
    tensor->shape.rank = list.n <= NW_MAX_RANK ? (int)list.n : -1;
    int64_t elements = 1;
    for (int i = 0; i < tensor->shape.rank; i++) {
        int64_t size = nw_flat_i32_at(&r->flat, list, (size_t)i);
        if (size < NW_DIM_FREE)
            return nw_fail(err, NW_INVALID, tensor->where, "has size %lld on axis %d",
                           (long long)size, i);
        tensor->shape.dims[i] = size;
        if (size > 1 && elements > NW_MAX_ELEMENTS / size)
            return nw_fail(err, NW_INVALID, tensor->where, "has over 2^40 elements");
        elements *= size > 1 ? size : 1;
    }
    return NW_OK;
}

/* Finds the bytes of a constant: in its buffer, or, in files beyond 2 GB, behind the tables. */
static nw_status find_data(reader *r, file_tensor *tensor, nw_error *err)
{
    uint32_t index = nw_flat_u32(&r->flat, tensor->table, 2, 0);
    if (index == 0)
        return NW_OK;
    if (index >= r->buffers.n)
        return nw_fail(err, NW_INVALID, tensor->where, "refers to buffer %lu of %zu",
                       (unsigned long)index, r->buffers.n);
    nw_flat_table buffer = nw_flat_table_at(&r->flat, r->buffers, index);
    nw_flat_vector data = nw_flat_list(&r->flat, buffer, 0, 1);
    uint64_t offset = nw_flat_u64(&r->flat, buffer, 1, 0);
    uint64_t n_bytes = nw_flat_u64(&r->flat, buffer, 2, 0);
    if (data.n) {
        tensor->data_at = data.at;
        tensor->n_data_bytes = data.n;
    } else if (offset > 1) { /* 0 and 1: not used */
        if (offset > r->flat.n_bytes || n_bytes > r->flat.n_bytes - offset)
            return nw_fail(err, NW_INVALID, tensor->where,
                           "has its data at bytes %llu to %llu, the file ends at %zu",
                           (unsigned long long)offset, (unsigned long long)(offset + n_bytes),
                           r->flat.n_bytes);
        tensor->data_at = (size_t)offset;
        tensor->n_data_bytes = (size_t)n_bytes;
    }
    return NW_OK;
}

static nw_status check_data(const file_tensor *tensor, nw_error *err)
{
    if (!tensor->n_data_bytes || tensor->is_sparse)
        return NW_OK;
    if (!nw_shape_is_known(&tensor->shape))
        return tensor->shape.rank < 0
                   ? NW_OK
                   : nw_fail(err, NW_INVALID, tensor->where, "is a constant with an open size");
    int64_t bits = nw_shape_elements(&tensor->shape) * nw_dtype_bits(tensor->dtype);
    if ((uint64_t)((bits + 7) / 8) <= tensor->n_data_bytes)
        return NW_OK;
    return nw_fail(err, NW_INVALID, tensor->where, "needs %lld bytes, its buffer has %zu",
                   (long long)((bits + 7) / 8), tensor->n_data_bytes);
}

static nw_status read_quant(reader *r, const file_tensor *tensor, nw_quant *quant, nw_error *err)
{
    nw_flat_table table = nw_flat_child(&r->flat, tensor->table, 4);
    nw_flat_vector scales = nw_flat_list(&r->flat, table, 2, 4);
    nw_flat_vector zero_points = nw_flat_list(&r->flat, table, 3, 8);
    *quant = (nw_quant){0};
    if (!scales.n || nw_flat_i8(&r->flat, table, 4, 0) != 0) /* or a scheme of its own */
        return NW_OK;
    quant->n_channels = (int)(scales.n < INT32_MAX ? scales.n : INT32_MAX);
    quant->scale = nw_flat_f32_at(&r->flat, scales, 0);
    quant->zero_point = zero_points.n ? nw_flat_i64_at(&r->flat, zero_points, 0) : 0;
    quant->axis = nw_flat_i32(&r->flat, table, 6, 0);
    nw_status status = nw_flat_check(&r->flat, err); /* damage explains what is odd below */
    if (status != NW_OK)
        return status;
    if (!isfinite(quant->scale))
        return nw_fail(err, NW_INVALID, tensor->where,
                       "has a quantisation scale that is no number");
    int rank = tensor->shape.rank < 0 ? NW_MAX_RANK : tensor->shape.rank;
    if (quant->axis >= 0 && quant->axis < rank)
        return NW_OK;
    if (scales.n > 1 && rank != 1) /* real biases have one dimension and the axis of the weights */
        return nw_fail(err, NW_INVALID, tensor->where, "is quantised along axis %d of %d",
                       quant->axis, rank);
    quant->axis = 0;
    return NW_OK;
}

/* The quantisation of each channel; quant holds that of the first. */
static nw_status read_channels(reader *r, const file_tensor *tensor, nw_quant *quant, nw_error *err)
{
    nw_flat_table table = nw_flat_child(&r->flat, tensor->table, 4);
    nw_flat_vector scales = nw_flat_list(&r->flat, table, 2, 4);
    nw_flat_vector points = nw_flat_list(&r->flat, table, 3, 8);
    size_t n = scales.n;
    bool is_uneven = false;
    if (quant->n_channels < 2 || (size_t)quant->n_channels != n)
        return NW_OK;
    for (size_t i = 0; i < n && points.n == n; i++)
        is_uneven |= nw_flat_i64_at(&r->flat, points, i) != quant->zero_point;
    nw_status status = charge(r, n * (is_uneven ? 12 : 4), err);
    if (status != NW_OK)
        return status;
    float *all = nw_graph_alloc(r->graph, n * sizeof *all);
    int64_t *zeros = is_uneven ? nw_graph_alloc(r->graph, n * sizeof *zeros) : NULL;
    for (size_t i = 0; i < n; i++) {
        all[i] = nw_flat_f32_at(&r->flat, scales, i);
        if (zeros)
            zeros[i] = nw_flat_i64_at(&r->flat, points, i);
    }
    quant->scales = all;
    quant->zero_points = zeros;
    return NW_OK;
}

static void add_tensor(reader *r, const file_tensor *tensor, const nw_quant *quant)
{
    nw_graph *graph = r->graph;
    bool is_const = tensor->n_data_bytes || tensor->is_sparse;
    bool is_state = tensor->is_variable && !is_const && !tensor->is_input;
    bool is_fixed = tensor->is_input || is_const || is_state;
    nw_tensor_id id =
        nw_graph_add_tensor(graph, tensor->name, tensor->dtype, is_fixed ? &tensor->shape : NULL);
    graph->tensors[id].quant = *quant;
    graph->tensors[id].stored_shape = tensor->shape;
    if (is_const && !tensor->is_input && tensor->is_sparse) /* packed: no dense bytes to show */
        nw_graph_set_data(graph, id, NULL, tensor->n_data_bytes, -1);
    else if (is_const && !tensor->is_input)
        nw_graph_set_data(graph, id, r->flat.bytes + tensor->data_at, tensor->n_data_bytes,
                          (int64_t)tensor->data_at);
    if (!is_state)
        return;
    nw_graph_set_data(graph, id, NULL, 0, -1);
    if (!r->n_variables++)
        r->first_variable = tensor->name;
}

static nw_status read_tensor(reader *r, size_t i, nw_error *err)
{
    char where[160];
    file_tensor tensor = {.table = nw_flat_table_at(&r->flat, r->tensors, i)};
    tensor.name = nw_flat_text(&r->flat, tensor.table, 3);
    tensor.where = tensor_where(i, tensor.name, where, sizeof where);
    tensor.dtype = find_dtype(nw_flat_i8(&r->flat, tensor.table, 1, 0));
    tensor.is_variable = nw_flat_i8(&r->flat, tensor.table, 5, 0) != 0;
    tensor.is_sparse = nw_flat_has(&r->flat, tensor.table, 6);
    tensor.is_input = (r->roles[i] & ROLE_INPUT) != 0;
    bool has_rank = nw_flat_i8(&r->flat, tensor.table, 8, 0) != 0;

    nw_quant quant;
    nw_status status = read_shape(r, &tensor, err);
    if (status == NW_OK)
        status = find_data(r, &tensor, err);
    if (status == NW_OK)
        status = read_quant(r, &tensor, &quant, err);
    if (status == NW_OK)
        status = nw_flat_check(&r->flat, err);
    if (status == NW_OK)
        status = check_data(&tensor, err);
    if (status == NW_OK)
        status = charge(r, TABLE_BYTES + strlen(tensor.name), err);
    if (status == NW_OK)
        status = read_channels(r, &tensor, &quant, err);
    if (status != NW_OK)
        return status;
    for (int axis = 0; tensor.is_input && axis < tensor.shape.rank; axis++)
        if (tensor.shape.dims[axis] == 0)
            tensor.shape.dims[axis] = NW_DIM_FREE;
    /* An empty list is a scalar or an unknown shape; of a result, without a word, the latter. */
    if (tensor.shape.rank == 0 && !has_rank && !tensor.is_input && !tensor.n_data_bytes)
        tensor.shape.rank = -1;
    add_tensor(r, &tensor, &quant);
    return NW_OK;
}

/* ---- inputs and outputs of the network ---- */

static nw_status read_ends(reader *r, bool is_input, nw_error *err)
{
    const char *what = is_input ? "inputs" : "outputs";
    nw_flat_vector list = nw_flat_list(&r->flat, r->subgraph, is_input ? 1 : 2, 4);
    nw_status status = nw_flat_check(&r->flat, err);
    if (status == NW_OK)
        status = charge(r, 4 * list.n, err);
    for (size_t i = 0; i < list.n && status == NW_OK; i++) {
        int32_t id = nw_flat_i32_at(&r->flat, list, i);
        if (id < 0 || (size_t)id >= r->tensors.n)
            return nw_fail(err, NW_INVALID, what, "entry %zu names tensor %d of %zu", i, (int)id,
                           r->tensors.n);
        if (!is_input) {
            nw_graph_add_output(r->graph, id);
            continue;
        }
        if (r->roles[id] & ROLE_INPUT)
            return nw_fail(err, NW_INVALID, what, "tensor %d is listed twice", (int)id);
        r->roles[id] |= ROLE_INPUT;
    }
    return status;
}

static nw_status read_tensors(reader *r, nw_error *err)
{
    r->roles = nw_zalloc(r->tensors.n);
    nw_status status = read_ends(r, true, err);
    for (size_t i = 0; i < r->tensors.n && status == NW_OK; i++)
        status = read_tensor(r, i, err);
    if (status != NW_OK)
        return status;
    nw_flat_vector inputs = nw_flat_list(&r->flat, r->subgraph, 1, 4);
    for (size_t i = 0; i < inputs.n; i++)
        nw_graph_add_input(r->graph, nw_flat_i32_at(&r->flat, inputs, i));
    return read_ends(r, false, err);
}

/* ---- operators ---- */

static nw_status read_op_codes(reader *r, nw_error *err)
{
    nw_status status = charge(r, 16 * r->codes.n, err);
    if (status != NW_OK)
        return status;
    r->op_codes = nw_alloc(r->codes.n * sizeof *r->op_codes);
    for (size_t i = 0; i < r->codes.n; i++) {
        nw_flat_table table = nw_flat_table_at(&r->flat, r->codes, i);
        int32_t old = nw_flat_i8(&r->flat, table, 0, 0), wide = nw_flat_i32(&r->flat, table, 3, 0);
        int32_t code = old > wide ? old : wide;
        const char *custom = nw_flat_text(&r->flat, table, 1);
        const char *name = nw_tflite_builtin_name(code);
        nw_buf type = {0};
        if (code == NW_TFLITE_CUSTOM)
            nw_buf_printf(&type, "CUSTOM:%s", custom);
        else if (!name)
            nw_buf_printf(&type, "BUILTIN_%d", (int)code);
        status = charge(r, type.length, err);
        r->op_codes[i].code = code;
        r->op_codes[i].file_type =
            name && code != NW_TFLITE_CUSTOM ? name : nw_graph_strdup(r->graph, nw_buf_text(&type));
        nw_buf_fini(&type);
        if (status == NW_OK && code < 0)
            status = nw_fail(err, NW_INVALID, "operator codes", "entry %zu is %d", i, (int)code);
        if (status != NW_OK)
            return status;
    }
    return nw_flat_check(&r->flat, err);
}

/* Appends a list of tensors to r->ids, from index *n_ids on. */
static nw_status read_ids(reader *r, nw_flat_vector list, size_t *n_ids, const char *where,
                          nw_error *err)
{
    for (size_t i = 0; i < list.n; i++) {
        int32_t id = nw_flat_i32_at(&r->flat, list, i);
        if (id < NW_NONE || (id != NW_NONE && (size_t)id >= r->tensors.n))
            return nw_fail(err, NW_INVALID, where, "names tensor %d of %zu", (int)id, r->tensors.n);
        r->ids = nw_grow(r->ids, *n_ids, &r->id_capacity, sizeof *r->ids);
        r->ids[(*n_ids)++] = id;
    }
    return NW_OK;
}

/* Bytes that a custom operator carries: in its table or, in files beyond 2 GB, behind the tables.
 */
static int64_t custom_bytes(reader *r, nw_flat_table table)
{
    nw_flat_vector options = nw_flat_list(&r->flat, table, 5, 1);
    uint64_t offset = nw_flat_u64(&r->flat, table, 9, 0);
    uint64_t n_bytes = nw_flat_u64(&r->flat, table, 10, 0);
    if (options.n || offset <= 1 || offset > r->flat.n_bytes || n_bytes > r->flat.n_bytes - offset)
        return (int64_t)options.n;
    return (int64_t)n_bytes;
}

static nw_status mark_roles(reader *r, const nw_tflite_op *op, const nw_tensor_id *outputs,
                            nw_error *err)
{
    for (int i = 0; i < op->n_inputs; i++)
        if (op->inputs[i] != NW_NONE)
            r->roles[op->inputs[i]] |= ROLE_USED;
    for (int i = 0; i < op->n_outputs; i++) {
        if (outputs[i] == NW_NONE && op->op != NW_OP_OPAQUE)
            return nw_fail(err, NW_INVALID, op->where, "lacks output %d", i);
        if (outputs[i] == NW_NONE)
            continue;
        if (r->graph->tensors[outputs[i]].is_const)
            return nw_fail(err, NW_INVALID, op->where, "writes tensor %d, a constant",
                           (int)outputs[i]);
        r->roles[outputs[i]] |= ROLE_PRODUCED;
    }
    return NW_OK;
}

static nw_status add_node(reader *r, nw_flat_table table, nw_tflite_op *op, const op_code *code,
                          nw_error *err)
{
    nw_flat_vector inputs = nw_flat_list(&r->flat, table, 1, 4);
    nw_flat_vector outputs = nw_flat_list(&r->flat, table, 2, 4);
    op->options = nw_flat_child(&r->flat, table, 4);
    size_t n_ids = 0;
    nw_status status = charge(r, TABLE_BYTES + 4 * (inputs.n + outputs.n), err);
    if (status == NW_OK)
        status = read_ids(r, inputs, &n_ids, op->where, err);
    if (status == NW_OK)
        status = read_ids(r, outputs, &n_ids, op->where, err);
    if (status != NW_OK)
        return status;
    op->inputs = r->ids;
    op->n_inputs = (int)inputs.n;
    op->n_outputs = (int)outputs.n;
    const nw_tensor_id *out_ids = op->n_outputs ? r->ids + inputs.n : NULL;
    status = nw_tflite_translate(op, code->code, nw_flat_i8(&r->flat, table, 3, 0), err);
    if (status == NW_OK && code->code == NW_TFLITE_CUSTOM)
        nw_tflite_translate_custom(op, code->file_type, nw_flat_list(&r->flat, table, 5, 1));
    if (status == NW_OK)
        status = nw_flat_check(&r->flat, err);
    if (status == NW_OK)
        status = mark_roles(r, op, out_ids, err);
    if (status != NW_OK)
        return status;
    /* Operators have no names here: they go by what they make. */
    const char *name =
        op->n_outputs && out_ids[0] != NW_NONE ? r->graph->tensors[out_ids[0]].name : "";
    status = charge(r, strlen(name) + strlen(code->file_type), err);
    if (status != NW_OK)
        return status;
    nw_node *node = nw_graph_add_node(r->graph, op->op, name, code->file_type, op->inputs,
                                      op->n_inputs, out_ids, op->n_outputs);
    node->attrs = op->attrs;
    node->act = op->act;
    if (op->op == NW_OP_OPAQUE)
        node->opaque_bytes = custom_bytes(r, table);
    return NW_OK;
}

static nw_status read_operator(reader *r, size_t i, nw_error *err)
{
    nw_flat_table table = nw_flat_table_at(&r->flat, r->operators, i);
    uint32_t index = nw_flat_u32(&r->flat, table, 0, 0);
    nw_status status = nw_flat_check(&r->flat, err);
    if (status != NW_OK)
        return status;
    char where[160], clean[96];
    snprintf(where, sizeof where, "operator %zu", i);
    if (index >= r->codes.n)
        return nw_fail(err, NW_INVALID, where, "has operator code %lu of %zu", (unsigned long)index,
                       r->codes.n);
    const op_code *code = &r->op_codes[index];
    nw_text_visible(code->file_type, clean, sizeof clean);
    snprintf(where, sizeof where, "operator %zu (%s)", i, clean);
    nw_tflite_op op = {.graph = r->graph, .flat = &r->flat, .where = where};
    return add_node(r, table, &op, code, err);
}

/* A constant without elements has an empty buffer, like any computed tensor: it is the one that
 * operators read and none writes. */
static void find_empty_constants(reader *r)
{
    for (nw_tensor_id id = 0; id < r->graph->n_tensors; id++) {
        nw_tensor *tensor = &r->graph->tensors[id];
        if (r->roles[id] != ROLE_USED || tensor->is_const ||
            !nw_shape_is_known(&tensor->stored_shape) ||
            nw_shape_elements(&tensor->stored_shape) != 0)
            continue;
        tensor->shape = tensor->stored_shape;
        nw_graph_set_data(r->graph, id, r->flat.bytes, 0, -1);
    }
}

/* ---- the file ---- */

static nw_status open_model(reader *r, size_t *n_subgraphs, nw_error *err)
{
    nw_flat_table model = nw_flat_root(&r->flat);
    uint32_t version = nw_flat_u32(&r->flat, model, 0, 0);
    nw_status status = nw_flat_check(&r->flat, err);
    if (status != NW_OK)
        return status;
    if (version != SCHEMA_VERSION)
        return nw_fail(err, NW_UNSUPPORTED, "",
                       "has TFLite schema version %lu, only 3 can be read; convert it again",
                       (unsigned long)version);
    r->codes = nw_flat_list(&r->flat, model, 1, 4);
    r->buffers = nw_flat_list(&r->flat, model, 4, 4);
    nw_flat_vector subgraphs = nw_flat_list(&r->flat, model, 2, 4);
    *n_subgraphs = subgraphs.n;
    if (subgraphs.n)
        r->subgraph = nw_flat_table_at(&r->flat, subgraphs, 0);
    r->tensors = nw_flat_list(&r->flat, r->subgraph, 0, 4);
    r->operators = nw_flat_list(&r->flat, r->subgraph, 3, 4);
    status = nw_flat_check(&r->flat, err);
    if (status == NW_OK && !subgraphs.n)
        status = nw_fail(err, NW_INVALID, "", "holds no network (no subgraph)");
    return status;
}

static void warn_of_rest(reader *r, size_t n_subgraphs)
{
    if (n_subgraphs > 1)
        nw_graph_warn(r->graph,
                      "%zu more subgraphs (bodies of control flow, other signatures) are left out; "
                      "the first is the network",
                      n_subgraphs - 1);
    if (r->n_variables)
        nw_graph_warn(r->graph,
                      "%d tensors keep state from one inference to the next (first: %.80s); they "
                      "count as constants without data",
                      r->n_variables, r->first_variable);
}

static nw_status read_model(reader *r, const nw_file *file, nw_error *err)
{
    size_t n_subgraphs;
    nw_status status = open_model(r, &n_subgraphs, err);
    if (status != NW_OK)
        return status;
    const char *name = nw_flat_text(&r->flat, r->subgraph, 4);
    r->graph = nw_graph_new(name, NW_LAYOUT_NHWC);
    r->graph->format = "tflite 3";
    nw_graph_keep_file(r->graph, file);
    status = read_op_codes(r, err);
    if (status == NW_OK)
        status = read_tensors(r, err);
    for (size_t i = 0; i < r->operators.n && status == NW_OK; i++)
        status = read_operator(r, i, err);
    if (status != NW_OK)
        return status;
    find_empty_constants(r);
    warn_of_rest(r, n_subgraphs);
    return NW_OK;
}

bool nw_tflite_is(const nw_file *file)
{
    return file->n_bytes >= 8 && memcmp(file->bytes + 4, "TFL3", 4) == 0;
}

nw_status nw_tflite_read(const nw_file *file, nw_graph **out, nw_error *err)
{
    if (!nw_tflite_is(file))
        return nw_fail(err, NW_INVALID, "byte 4", "is no TFLite file: \"TFL3\" is missing");
    reader r = {.flat = {.bytes = file->bytes, .n_bytes = file->n_bytes}};
    nw_status status = read_model(&r, file, err);
    free(r.op_codes);
    free(r.roles);
    free(r.ids);
    if (status == NW_OK)
        *out = r.graph;
    else
        nw_graph_free(r.graph);
    return status;
}
