#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/graph/internal.h"

/* What a copy takes over. Pointers into the memory of the root (the graph that was read) stay as
 * they are, the root outlives its copies; what lies in the arena of a copy is copied again. */
typedef struct takeover {
    const nw_arena *old; /* of the graph that is copied; NULL: it is the root */
    nw_arena *fresh;
} takeover;

static bool must_copy(const takeover *t, const void *memory)
{
    return t->old && nw_arena_holds(t->old, memory);
}

static const void *take(const takeover *t, const void *memory, size_t n_bytes)
{
    return must_copy(t, memory) ? nw_arena_copy(t->fresh, memory, n_bytes) : memory;
}

static const char *take_text(const takeover *t, const char *text)
{
    return must_copy(t, text) ? nw_arena_strdup(t->fresh, text) : text;
}

static void take_quant(const takeover *t, nw_quant *quant)
{
    size_t n = (size_t)(quant->n_channels > 0 ? quant->n_channels : 0);
    quant->scales = take(t, quant->scales, n * sizeof *quant->scales);
    quant->zero_points = take(t, quant->zero_points, n * sizeof *quant->zero_points);
}

static const nw_edited *take_edited(const takeover *t, const nw_edited *old, const nw_shape *shape)
{
    if (!must_copy(t, old))
        return old;
    nw_edited *edited = nw_arena_copy(t->fresh, old, sizeof *old);
    edited->data = take(t, old->data, old->n_bytes);
    edited->file_path = take_text(t, old->file_path);
    take_quant(t, &edited->quant);
    for (int i = 0; i < shape->rank; i++)
        edited->maps[i] = take(t, old->maps[i], (size_t)shape->dims[i] * sizeof *edited->maps[i]);
    return edited;
}

static bool is_own_constant(const nw_tensor *tensor)
{
    return tensor->is_stored || (tensor->is_const && tensor->producer == NW_NONE);
}

/* Values that were loaded in the root are as good here; others are loaded again. */
static void take_values(const takeover *t, nw_tensor *tensor, int64_t *fold_work)
{
    if (!is_own_constant(tensor) || must_copy(t, tensor->ints) || must_copy(t, tensor->floats)) {
        tensor->ints = NULL;
        tensor->floats = NULL;
    } else if (tensor->ints || tensor->floats) {
        *fold_work += nw_shape_elements(&tensor->shape) + 1;
    }
}

static void copy_tensors(const takeover *t, const nw_graph *from, nw_graph *to)
{
    size_t n = (size_t)from->n_tensors;
    to->n_tensors = from->n_tensors;
    to->store->tensor_capacity = n + n / 8 + 16;
    to->tensors = nw_alloc(to->store->tensor_capacity * sizeof *to->tensors);
    if (n)
        memcpy(to->tensors, from->tensors, n * sizeof *to->tensors);
    for (int i = 0; i < to->n_tensors; i++) {
        nw_tensor *tensor = &to->tensors[i];
        take_values(t, tensor, &to->store->fold_work);
        tensor->is_const = is_own_constant(tensor);
        tensor->producer = NW_NONE;
        if (!tensor->is_const && !tensor->is_input)
            tensor->shape.rank = -1;
        if (!t->old)
            continue;
        tensor->name = take_text(t, tensor->name);
        tensor->data = take(t, tensor->data, tensor->n_bytes);
        tensor->file_path = take_text(t, tensor->file_path);
        take_quant(t, &tensor->quant);
        tensor->edited = take_edited(t, tensor->edited, &tensor->shape);
    }
}

/* TFLite's depthwise operators have no number of groups: sealing put the channels in its place. */
static void open_groups(const nw_graph *from, const nw_node *old, nw_node *node)
{
    if (old->op == NW_OP_CONV2D && old->attrs.weight_layout == NW_WEIGHTS_HWIO &&
        old->inputs[0] != NW_NONE && old->attrs.groups == nw_tensor_hwc(from, old->inputs[0]).c)
        node->attrs.groups = 0;
}

static void copy_nodes(const takeover *t, const nw_graph *from, nw_graph *to)
{
    size_t n = (size_t)from->n_nodes, n_ids = 0;
    to->n_nodes = from->n_nodes;
    to->store->node_capacity = n + n / 8 + 16;
    to->nodes = nw_alloc(to->store->node_capacity * sizeof *to->nodes);
    if (n)
        memcpy(to->nodes, from->nodes, n * sizeof *to->nodes);
    for (int i = 0; i < to->n_nodes; i++)
        n_ids += (size_t)from->nodes[i].n_inputs + (size_t)from->nodes[i].n_outputs;
    nw_tensor_id *ids = nw_arena_alloc(t->fresh, n_ids * sizeof *ids);
    for (int i = 0; i < to->n_nodes; i++) {
        nw_node *node = &to->nodes[i];
        const nw_node *old = &from->nodes[i];
        size_t n_in = (size_t)old->n_inputs, n_out = (size_t)old->n_outputs;
        node->inputs = ids;
        node->outputs = ids + n_in;
        if (n_in)
            memcpy(node->inputs, old->inputs, n_in * sizeof *ids);
        if (n_out)
            memcpy(node->outputs, old->outputs, n_out * sizeof *ids);
        ids += n_in + n_out;
        open_groups(from, old, node);
        if (!t->old)
            continue;
        node->name = take_text(t, node->name);
        node->file_type = take_text(t, node->file_type);
        node->attrs.ints =
            take(t, node->attrs.ints, (size_t)node->attrs.n_ints * sizeof *node->attrs.ints);
        node->attrs.floats =
            take(t, node->attrs.floats, (size_t)node->attrs.n_floats * sizeof *node->attrs.floats);
    }
}

static nw_tensor_id *copy_ids(const nw_tensor_id *ids, int n, size_t *capacity)
{
    *capacity = (size_t)n + 4;
    nw_tensor_id *copy = nw_alloc(*capacity * sizeof *copy);
    if (n)
        memcpy(copy, ids, (size_t)n * sizeof *copy);
    return copy;
}

static const char **take_lines(const takeover *t, const char *const *lines, int n)
{
    const char **copy = nw_arena_alloc(t->fresh, (size_t)n * sizeof *copy);
    for (int i = 0; i < n; i++)
        copy[i] = take_text(t, lines[i]);
    return copy;
}

nw_graph *nw_graph_copy(const nw_graph *graph)
{
    assert(graph->is_sealed);
    nw_graph_store *store = nw_zalloc(sizeof *store);
    nw_graph *copy = nw_zalloc(sizeof *copy);
    copy->store = store;
    store->root = graph->store->root ? graph->store->root : graph;
    atomic_init(&store->n_users, 1);
    atomic_fetch_add(&store->root->store->n_users, 1);
    const nw_graph_store *shared = store->root->store;
    memcpy(store->fills, shared->fills, sizeof store->fills);
    store->n_fills = shared->n_fills;
    takeover t = {graph->store->root ? &graph->store->arena : NULL, &store->arena};
    for (size_t i = 0; t.old && i < graph->store->n_files; i++)
        nw_graph_keep_file(copy, graph->store->files[i]);
    copy->name = take_text(&t, graph->name);
    copy->format = take_text(&t, graph->format);
    copy->folder = take_text(&t, graph->folder);
    copy->layout = graph->layout;
    copy_tensors(&t, graph, copy);
    copy_nodes(&t, graph, copy);
    copy->n_inputs = graph->n_inputs;
    copy->n_outputs = graph->n_outputs;
    copy->inputs = copy_ids(graph->inputs, graph->n_inputs, &store->input_capacity);
    copy->outputs = copy_ids(graph->outputs, graph->n_outputs, &store->output_capacity);
    copy->n_edits = graph->n_edits;
    copy->edits = take_lines(&t, graph->edits, graph->n_edits);
    copy->n_warnings = graph->store->n_reader_warnings;
    store->warning_capacity = (size_t)copy->n_warnings + 4;
    copy->warnings = nw_alloc(store->warning_capacity * sizeof *copy->warnings);
    for (int i = 0; i < copy->n_warnings; i++)
        copy->warnings[i] = take_text(&t, graph->warnings[i]);
    return copy;
}

void nw_graph_set_edits(nw_graph *graph, const char *const *edits, int n)
{
    const char **lines = nw_graph_alloc(graph, (size_t)n * sizeof *lines);
    for (int i = 0; i < n; i++)
        lines[i] = nw_graph_strdup(graph, edits[i]);
    graph->edits = lines;
    graph->n_edits = n;
}

/* ---- taking out ---- */

static void mark_ids(const nw_tensor_id *ids, int n, nw_tensor_id *marks)
{
    for (int i = 0; i < n; i++)
        if (ids[i] != NW_NONE)
            marks[ids[i]] = 0;
}

static void rename_ids(nw_tensor_id *ids, int n, const nw_tensor_id *new_ids)
{
    for (int i = 0; i < n; i++)
        if (ids[i] != NW_NONE)
            ids[i] = new_ids[ids[i]];
}

static void move_tensors(nw_graph *graph, nw_tensor_id *new_ids)
{
    int n = 0;
    for (int i = 0; i < graph->n_tensors; i++) {
        if (new_ids[i] == NW_NONE)
            continue;
        if (n != i)
            graph->tensors[n] = graph->tensors[i];
        new_ids[i] = n++;
    }
    graph->n_tensors = n;
    rename_ids(graph->inputs, graph->n_inputs, new_ids);
    rename_ids(graph->outputs, graph->n_outputs, new_ids);
    for (int i = 0; i < graph->n_nodes; i++) {
        rename_ids(graph->nodes[i].inputs, graph->nodes[i].n_inputs, new_ids);
        rename_ids(graph->nodes[i].outputs, graph->nodes[i].n_outputs, new_ids);
    }
    nw_graph_store *store = graph->store;
    size_t n_dims = 0;
    for (size_t i = 0; i < store->n_free_dims; i++) {
        nw_free_dim dim = store->free_dims[i];
        dim.tensor = new_ids[dim.tensor];
        if (dim.tensor != NW_NONE)
            store->free_dims[n_dims++] = dim;
    }
    store->n_free_dims = n_dims;
}

void nw_graph_drop_nodes(nw_graph *graph, const uint8_t *is_gone, nw_tensor_id *new_tensor_ids)
{
    assert(!graph->is_sealed);
    size_t n_tensors = (size_t)graph->n_tensors;
    nw_tensor_id *new_ids = new_tensor_ids ? new_tensor_ids : nw_alloc(n_tensors * sizeof *new_ids);
    for (size_t i = 0; i < n_tensors; i++)
        new_ids[i] = NW_NONE;
    mark_ids(graph->inputs, graph->n_inputs, new_ids);
    mark_ids(graph->outputs, graph->n_outputs, new_ids);
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        if (is_gone && is_gone[i])
            continue;
        if (n != i)
            graph->nodes[n] = graph->nodes[i];
        mark_ids(graph->nodes[n].inputs, graph->nodes[n].n_inputs, new_ids);
        mark_ids(graph->nodes[n].outputs, graph->nodes[n].n_outputs, new_ids);
        n++;
    }
    graph->n_nodes = n;
    move_tensors(graph, new_ids);
    if (!new_tensor_ids)
        free(new_ids);
}
