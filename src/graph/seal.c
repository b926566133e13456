#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/text.h"
#include "src/graph/internal.h"

#define MAX_TOTAL_MACS  ((int64_t)1 << 60) /* beyond that the integer sums of costs overflow */
#define MAX_TOTAL_BYTES ((int64_t)1 << 60)

static const char *tensor_label(const nw_graph *graph, nw_tensor_id id, char *dst, size_t size)
{
    char clean[256];
    nw_text_visible(graph->tensors[id].name, clean, sizeof clean);
    return nw_text_fit(clean, dst, size);
}

static nw_status find_producers(nw_graph *graph, nw_error *err)
{
    char label[128], name[128];
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_node *node = &graph->nodes[id];
        for (int i = 0; i < node->n_outputs; i++) {
            if (node->outputs[i] == NW_NONE)
                continue;
            nw_tensor *tensor = &graph->tensors[node->outputs[i]];
            bool is_taken = tensor->is_input || (tensor->is_const && node->op != NW_OP_CONSTANT);
            if (tensor->producer != NW_NONE || is_taken)
                return nw_fail(err, NW_INVALID, nw_node_label(graph, id, label, sizeof label),
                               "writes tensor '%s' a second time; every tensor has one writer",
                               tensor_label(graph, node->outputs[i], name, sizeof name));
            tensor->producer = id;
        }
    }
    return NW_OK;
}

static bool has_source(const nw_tensor *tensor)
{
    return tensor->producer != NW_NONE || tensor->is_input || tensor->is_const;
}

static nw_status check_sources(const nw_graph *graph, nw_error *err)
{
    char label[128], name[128];
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_node *node = &graph->nodes[id];
        for (int i = 0; i < node->n_inputs; i++)
            if (node->inputs[i] != NW_NONE && !has_source(&graph->tensors[node->inputs[i]]))
                return nw_fail(err, NW_INVALID, nw_node_label(graph, id, label, sizeof label),
                               "reads tensor '%s', which nothing produces",
                               tensor_label(graph, node->inputs[i], name, sizeof name));
    }
    for (int i = 0; i < graph->n_outputs; i++)
        if (!has_source(&graph->tensors[graph->outputs[i]]))
            return nw_fail(err, NW_INVALID,
                           tensor_label(graph, graph->outputs[i], name, sizeof name),
                           "is an output of the network, but nothing produces it");
    if (!graph->n_outputs)
        return nw_fail(err, NW_INVALID, "", "the network has no outputs; is the file complete?");
    return NW_OK;
}

/* Depth first from every node in file order: a file that is sorted keeps its order. */
static nw_status order_nodes(nw_graph *graph, nw_error *err)
{
    enum { NEW, OPEN, DONE };
    size_t n = (size_t)graph->n_nodes;
    uint8_t *state = nw_zalloc(n);
    int *next_input = nw_zalloc(n * sizeof *next_input);
    nw_node_id *stack = nw_alloc((n + 1) * sizeof *stack);
    graph->order = nw_alloc(n * sizeof *graph->order);
    int n_ordered = 0;
    nw_status status = NW_OK;
    for (nw_node_id root = 0; root < graph->n_nodes && status == NW_OK; root++) {
        size_t depth = 0;
        if (state[root] == NEW) {
            stack[depth++] = root;
            state[root] = OPEN;
        }
        while (depth && status == NW_OK) {
            nw_node_id id = stack[depth - 1];
            const nw_node *node = &graph->nodes[id];
            if (next_input[id] == node->n_inputs) {
                state[id] = DONE;
                graph->order[n_ordered++] = id;
                depth--;
                continue;
            }
            nw_tensor_id input = node->inputs[next_input[id]++];
            nw_node_id producer = input == NW_NONE ? NW_NONE : graph->tensors[input].producer;
            if (producer == NW_NONE || state[producer] == DONE)
                continue;
            char label[128];
            if (state[producer] == OPEN)
                status = nw_fail(err, NW_INVALID, nw_node_label(graph, id, label, sizeof label),
                                 "is part of a cycle: its input depends on its own output");
            stack[depth++] = producer;
            state[producer] = OPEN;
        }
    }
    free(state);
    free(next_input);
    free(stack);
    return status;
}

static const char *free_dim_name(const nw_graph *graph, nw_tensor_id tensor, int axis)
{
    const nw_graph_store *store = graph->store;
    for (size_t i = 0; i < store->n_free_dims; i++)
        if (store->free_dims[i].tensor == tensor && store->free_dims[i].axis == axis)
            return store->free_dims[i].name;
    return "";
}

static nw_status apply_size(nw_graph *graph, const nw_input_size *size, nw_error *err)
{
    nw_tensor_id found = NW_NONE;
    for (int i = 0; i < graph->n_inputs; i++)
        if (strcmp(graph->tensors[graph->inputs[i]].name, size->name) == 0 ||
            (!size->name[0] && graph->n_inputs == 1))
            found = graph->inputs[i];
    char names[200] = "", one[64];
    for (int i = 0; found == NW_NONE && i < graph->n_inputs; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                 tensor_label(graph, graph->inputs[i], one, sizeof one));
    }
    if (found == NW_NONE)
        return nw_fail(err, NW_INVALID, size->name, "no such input; the network has %s", names);
    nw_shape *shape = &graph->tensors[found].shape;
    if (shape->rank < 0) {
        *shape = size->shape;
        return NW_OK;
    }
    if (shape->rank != size->shape.rank)
        return nw_fail(err, NW_INVALID, graph->tensors[found].name,
                       "the given size has %d dimensions, the file's has %d", size->shape.rank,
                       shape->rank);
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dims[i] >= 0 && shape->dims[i] != size->shape.dims[i])
            return nw_fail(err, NW_INVALID, graph->tensors[found].name,
                           "axis %d is fixed to %lld by the file, %lld was given", i,
                           (long long)shape->dims[i], (long long)size->shape.dims[i]);
        shape->dims[i] = size->shape.dims[i];
    }
    return NW_OK;
}

/* Names every open size of one input in the error, with the option that would close them. */
static nw_status ask_for_sizes(const nw_graph *graph, nw_tensor_id id, nw_error *err)
{
    const nw_shape *shape = &graph->tensors[id].shape;
    char name[64], open[160] = "", example[96] = "";
    tensor_label(graph, id, name, sizeof name);
    if (shape->rank < 0)
        return nw_fail(err, NW_INVALID, name,
                       "the file leaves this input's shape open; give it, for example --input "
                       "%s=1x3x224x224",
                       name);
    for (int i = 0; i < shape->rank; i++) {
        char clean[32];
        nw_text_visible(free_dim_name(graph, id, i), clean, sizeof clean);
        size_t used = strlen(open), at = strlen(example);
        if (shape->dims[i] == NW_DIM_FREE) {
            snprintf(open + used, sizeof open - used, "%saxis %d%s%s%s", used ? ", " : "", i,
                     clean[0] ? " ('" : "", clean, clean[0] ? "')" : "");
            snprintf(example + at, sizeof example - at, "%sN", i ? "x" : "");
        } else {
            snprintf(example + at, sizeof example - at, "%s%lld", i ? "x" : "",
                     (long long)shape->dims[i]);
        }
    }
    return nw_fail(err, NW_INVALID, name,
                   "the file leaves the size of %s open; give it: --input %s=%s", open, name,
                   example);
}

static nw_status fix_sizes(nw_graph *graph, const nw_input_size *sizes, int n_sizes, nw_error *err)
{
    for (int i = 0; i < n_sizes; i++) {
        nw_status status = apply_size(graph, &sizes[i], err);
        if (status != NW_OK)
            return status;
    }
    for (int i = 0; i < graph->n_inputs; i++) {
        nw_tensor *tensor = &graph->tensors[graph->inputs[i]];
        nw_shape *shape = &tensor->shape;
        if (tensor->dtype == NW_DTYPE_OPAQUE)
            continue;
        if (shape->rank > 0 && shape->dims[0] == NW_DIM_FREE)
            shape->dims[0] = 1;
        if (!nw_shape_is_known(shape))
            return ask_for_sizes(graph, graph->inputs[i], err);
        int64_t elements = 1;
        for (int k = 0; k < shape->rank; k++)
            if (shape->dims[k] > NW_MAX_DIM ||
                __builtin_mul_overflow(elements, shape->dims[k], &elements) ||
                elements > NW_MAX_ELEMENTS)
                return nw_fail(err, NW_INVALID, tensor->name, "the input is absurdly large");
    }
    return NW_OK;
}

static void mark_const(nw_graph *graph, const nw_node *node)
{
    if (node->op == NW_OP_OPAQUE)
        return;
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] != NW_NONE && !graph->tensors[node->inputs[i]].is_const)
            return;
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] != NW_NONE)
            graph->tensors[node->outputs[i]].is_const = true;
}

/* What visit did to the constants that a node reads has values from here on. */
static nw_status visit_node(nw_graph *graph, nw_node_id id, nw_seal_visit *visit, void *ctx,
                            nw_error *err)
{
    nw_status status = visit ? visit(ctx, graph, id, err) : NW_OK;
    const nw_node *node = &graph->nodes[id];
    for (int i = 0; visit && status == NW_OK && i < node->n_inputs; i++)
        if (node->inputs[i] != NW_NONE && graph->tensors[node->inputs[i]].is_const)
            nw_fold_load(graph, node->inputs[i]);
    return status;
}

static nw_status infer_all(nw_graph *graph, nw_seal_visit *visit, void *ctx, nw_error *err)
{
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++) {
        nw_tensor *tensor = &graph->tensors[id];
        if (tensor->is_local || tensor->edited) /* what an edit put in place of the file's */
            tensor->ints = NULL, tensor->floats = NULL;
        if (tensor->is_const)
            nw_fold_load(graph, id);
        else if (!tensor->is_input)
            tensor->shape.rank = -1; /* what the file stores of it is a hint only */
    }
    int64_t total_macs = 0, total_bytes = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        nw_node_id id = graph->order[i];
        const nw_node *node = &graph->nodes[id];
        mark_const(graph, node);
        nw_status status = visit_node(graph, id, visit, ctx, err);
        if (status == NW_OK)
            status = nw_infer_node(graph, id, err);
        if (status != NW_OK)
            return status;
        nw_fold_node(graph, id);
        char label[128];
        nw_geometry geometry;
        if (nw_node_geometry(graph, id, &geometry))
            total_macs += geometry.macs;
        for (int k = 0; k < node->n_outputs; k++)
            if (node->outputs[k] != NW_NONE)
                total_bytes += nw_tensor_bytes(&graph->tensors[node->outputs[k]]);
        if (total_macs > MAX_TOTAL_MACS || total_bytes > MAX_TOTAL_BYTES)
            return nw_fail(err, NW_INVALID, nw_node_label(graph, id, label, sizeof label),
                           "the network is absurdly large up to here (%s)",
                           total_macs > MAX_TOTAL_MACS ? "over 2^60 MACs" : "over 2^60 bytes");
    }
    return NW_OK;
}

static void warn_of_opaque(nw_graph *graph)
{
    nw_counts counts;
    bool has_opaque = false;
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        has_opaque |= graph->nodes[id].op == NW_OP_OPAQUE;
    if (!has_opaque)
        return;
    nw_graph_count(graph, &counts);
    nw_buf types = {0};
    int n_named = 0, n_types;
    nw_op_count *rows = nw_graph_count_ops(graph, &n_types);
    for (int i = 0; i < n_types && n_named < 4; i++) {
        if (rows[i].n_opaque)
            nw_buf_printf(&types, "%s%.60s x%d", n_named++ ? ", " : "", rows[i].file_type,
                          rows[i].n_opaque);
    }
    free(rows);
    int percent = counts.constant_bytes
                      ? (int)(100.0 * (double)counts.opaque_bytes / (double)counts.constant_bytes)
                      : 0;
    nw_graph_warn(graph,
                  "%d of %d operators cannot be analysed (%s); they hold %d %% of the file's "
                  "constants (%lld of %lld bytes), their cost is unknown",
                  counts.n_opaque, counts.n_ops, nw_buf_text(&types), percent,
                  (long long)counts.opaque_bytes, (long long)counts.constant_bytes);
    nw_buf_fini(&types);
}

static void warn_of_unknown_shapes(nw_graph *graph)
{
    int n = 0;
    nw_node_id first = NW_NONE;
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_node *node = &graph->nodes[id];
        for (int k = 0; k < node->n_outputs; k++)
            if (node->op != NW_OP_OPAQUE && node->outputs[k] != NW_NONE &&
                !nw_shape_is_known(&graph->tensors[node->outputs[k]].shape)) {
                first = n++ ? first : id;
                break;
            }
    }
    char label[128];
    if (n)
        nw_graph_warn(graph,
                      "%d operators have sizes that cannot be known from the file (first: "
                      "%s); their cost is unknown",
                      n, nw_node_label(graph, first, label, sizeof label));
}

nw_status nw_graph_seal(nw_graph *graph, const nw_input_size *sizes, int n_sizes, nw_error *err)
{
    return nw_graph_seal_with(graph, sizes, n_sizes, NULL, NULL, err);
}

nw_status nw_graph_seal_with(nw_graph *graph, const nw_input_size *sizes, int n_sizes,
                             nw_seal_visit *visit, void *ctx, nw_error *err)
{
    nw_status status = find_producers(graph, err);
    if (status == NW_OK)
        status = check_sources(graph, err);
    if (status == NW_OK)
        status = fix_sizes(graph, sizes, n_sizes, err);
    if (status == NW_OK)
        status = order_nodes(graph, err);
    if (status == NW_OK)
        status = infer_all(graph, visit, ctx, err);
    if (status != NW_OK)
        return status;
    graph->is_sealed = true;
    graph->store->n_reader_warnings = graph->n_warnings;
    warn_of_opaque(graph);
    warn_of_unknown_shapes(graph);
    return NW_OK;
}
