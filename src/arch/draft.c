#include "src/arch/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"

void nw_draft_init(nw_draft *draft, const nw_arch *arch)
{
    const nw_graph *old = nw_arch_graph(arch);
    *draft = (nw_draft){.arch = arch, .old = old, .graph = nw_graph_copy(old)};
    draft->n_room = (size_t)old->n_nodes + 64;
    draft->is_gone = nw_zalloc(draft->n_room);
    draft->anchor = nw_alloc(draft->n_room * sizeof *draft->anchor);
    draft->writer_of = nw_alloc(draft->n_room * sizeof *draft->writer_of);
}

void nw_draft_fini(nw_draft *draft)
{
    nw_names_fini(&draft->names);
    nw_graph_free(draft->graph);
    free(draft->is_gone);
    free(draft->anchor);
    free(draft->writer_of);
    *draft = (nw_draft){0};
}

bool nw_draft_is_tflite(const nw_draft *draft)
{
    return draft->old->layout == NW_LAYOUT_NHWC;
}

bool nw_op_is_converter(nw_op op)
{
    return op == NW_OP_QUANTIZE || op == NW_OP_DEQUANTIZE || op == NW_OP_CAST ||
           op == NW_OP_IDENTITY;
}

/* ---- names ---- */

const char *nw_draft_name(nw_draft *draft, const char *base, const char *suffix)
{
    nw_graph *graph = draft->graph;
    nw_buf name = {0};
    if (!draft->names.heads)
        nw_names_find(&draft->names, graph, true);
    for (int i = 1;; i++) {
        nw_buf_clear(&name);
        nw_buf_printf(&name, "%s.%s", base, suffix);
        if (i > 1)
            nw_buf_printf(&name, "%d", i);
        int owner = nw_names_owner(&draft->names, nw_buf_text(&name));
        if (owner == NW_NAME_FREE)
            break;
        draft->is_mixed |= owner != draft->writer; /* its owner's node may be gone by then */
    }
    const char *kept = nw_graph_strdup(graph, nw_buf_text(&name));
    nw_buf_fini(&name);
    nw_names_take(&draft->names, kept, draft->writer);
    return kept;
}

/* ---- nodes and tensors ---- */

nw_tensor_id nw_draft_tensor(nw_draft *draft, nw_tensor_id like, const char *suffix)
{
    const char *name = nw_draft_name(draft, draft->graph->tensors[like].name, suffix);
    nw_dtype dtype = draft->graph->tensors[like].dtype;
    nw_quant quant = draft->graph->tensors[like].quant;
    nw_tensor_id id = nw_graph_add_tensor(draft->graph, name, dtype, NULL);
    draft->graph->tensors[id].quant = quant;
    return id;
}

/* Room for what is known of the node added last. */
static void follow_nodes(nw_draft *draft, nw_node_id anchor)
{
    size_t n = (size_t)draft->graph->n_nodes;
    if (n > draft->n_room) {
        draft->is_gone = nw_realloc(draft->is_gone, 2 * n);
        draft->anchor = nw_realloc(draft->anchor, 2 * n * sizeof *draft->anchor);
        draft->writer_of = nw_realloc(draft->writer_of, 2 * n * sizeof *draft->writer_of);
        memset(draft->is_gone + draft->n_room, 0, 2 * n - draft->n_room);
        draft->n_room = 2 * n;
    }
    draft->anchor[n - 1] = anchor;
    draft->writer_of[n - 1] = draft->writer;
}

nw_node *nw_draft_clone(nw_draft *draft, nw_node_id id, const char *suffix,
                        const nw_tensor_id *inputs, const nw_tensor_id *outputs)
{
    nw_node old = draft->old->nodes[id];
    const char *name = old.name[0] ? nw_draft_name(draft, old.name, suffix) : "";
    nw_node *node = nw_graph_add_node(draft->graph, old.op, name, old.file_type, inputs,
                                      old.n_inputs, outputs, old.n_outputs);
    follow_nodes(draft, id);
    node->attrs = draft->graph->nodes[id].attrs;
    node->act = old.act;
    node->hint = (nw_hint){.bits = old.hint.bits, .is_float = old.hint.is_float};
    return node;
}

static const struct {
    nw_op op;
    const char *onnx, *tflite;
} file_types[] = {
    {NW_OP_CONV2D, "Conv", "CONV_2D"},
    {NW_OP_ADD, "Add", "ADD"},
    {NW_OP_MUL, "Mul", "MUL"},
    {NW_OP_GLOBAL_POOL, "GlobalAveragePool", "MEAN"},
    {NW_OP_RELU, "Relu", "RELU"},
    {NW_OP_RELU6, "Clip", "RELU6"},
    {NW_OP_HARD_SWISH, "HardSwish", "HARD_SWISH"},
    {NW_OP_SWISH, "Swish", "SWISH"},
    {NW_OP_SIGMOID, "Sigmoid", "LOGISTIC"},
    {NW_OP_HARD_SIGMOID, "HardSigmoid", "HARD_SIGMOID"},
    {NW_OP_TANH, "Tanh", "TANH"},
    {NW_OP_LEAKY_RELU, "LeakyRelu", "LEAKY_RELU"},
    {NW_OP_GELU, "Gelu", "GELU"},
};

static const char *file_type_of(const nw_draft *draft, nw_op op)
{
    for (size_t i = 0; i < sizeof file_types / sizeof *file_types; i++)
        if (file_types[i].op == op)
            return nw_draft_is_tflite(draft) ? file_types[i].tflite : file_types[i].onnx;
    return nw_op_name(op);
}

nw_node *nw_draft_node(nw_draft *draft, nw_op op, const char *base, const char *suffix,
                       const nw_tensor_id *inputs, int n_inputs, nw_tensor_id output)
{
    nw_node *node = nw_graph_add_node(draft->graph, op, nw_draft_name(draft, base, suffix),
                                      file_type_of(draft, op), inputs, n_inputs, &output, 1);
    follow_nodes(draft, NW_NONE);
    if (op == NW_OP_HARD_SIGMOID) {
        node->attrs.alpha = 1.0f / 6; /* Howard et al. 2019: relu6(x + 3) / 6 */
        node->attrs.beta = 0.5f;
    }
    if (op == NW_OP_LEAKY_RELU)
        node->attrs.alpha = 0.1f;
    return node;
}

void nw_draft_drop(nw_draft *draft, nw_node_id node)
{
    draft->is_gone[node] = 1;
}

void nw_draft_reroute(nw_draft *draft, nw_tensor_id from, nw_tensor_id to, nw_node_id except)
{
    nw_graph *graph = draft->graph;
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int i = 0; id != except && i < graph->nodes[id].n_inputs; i++)
            if (graph->nodes[id].inputs[i] == from)
                graph->nodes[id].inputs[i] = to;
}

void nw_draft_merge(nw_draft *draft, nw_tensor_id from, nw_tensor_id to)
{
    nw_graph *graph = draft->graph;
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int i = 0; !draft->is_gone[id] && i < graph->nodes[id].n_outputs; i++) {
            if (graph->nodes[id].outputs[i] == to)
                nw_draft_drop(draft, id);
            else if (graph->nodes[id].outputs[i] == from)
                graph->nodes[id].outputs[i] = to;
        }
    nw_draft_reroute(draft, from, to, NW_NONE);
}

int nw_draft_n_readers(const nw_draft *draft, nw_tensor_id tensor)
{
    int n = 0;
    for (nw_node_id id = 0; id < draft->old->n_nodes; id++)
        for (int i = 0; i < draft->old->nodes[id].n_inputs; i++)
            n += draft->old->nodes[id].inputs[i] == tensor;
    for (int i = 0; i < draft->old->n_outputs; i++)
        n += draft->old->outputs[i] == tensor;
    return n;
}

/* ---- sealing ---- */

static int *count_readers(const nw_graph *graph, const uint8_t *is_gone)
{
    int *n = nw_zalloc(((size_t)graph->n_tensors + 1) * sizeof *n);
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int i = 0; !(is_gone && is_gone[id]) && i < graph->nodes[id].n_inputs; i++)
            if (graph->nodes[id].inputs[i] != NW_NONE)
                n[graph->nodes[id].inputs[i]]++;
    for (int i = 0; i < graph->n_outputs; i++)
        n[graph->outputs[i]]++;
    return n;
}

static bool is_read(const nw_node *node, const int *n_readers, int n_tensors)
{
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] != NW_NONE && node->outputs[i] < n_tensors &&
            n_readers[node->outputs[i]])
            return true;
    return false;
}

/* A node dies when its readers were taken out; what nobody read in the file stays. */
static void drop_unread(nw_draft *draft)
{
    nw_graph *graph = draft->graph;
    int *n_old = count_readers(draft->old, NULL), *n_now = count_readers(graph, draft->is_gone);
    nw_node_id *producer = nw_alloc(((size_t)graph->n_tensors + 1) * sizeof *producer);
    nw_node_id *stack = nw_alloc(((size_t)graph->n_nodes + 1) * sizeof *stack);
    int depth = 0;
    for (int i = 0; i < graph->n_tensors; i++)
        producer[i] = NW_NONE;
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_node *node = &graph->nodes[id];
        if (draft->is_gone[id])
            continue;
        for (int i = 0; i < node->n_outputs; i++)
            if (node->outputs[i] != NW_NONE)
                producer[node->outputs[i]] = id;
        if (!is_read(node, n_now, graph->n_tensors) &&
            (id >= draft->old->n_nodes ||
             is_read(&draft->old->nodes[id], n_old, draft->old->n_tensors))) {
            nw_draft_drop(draft, id);
            stack[depth++] = id;
        }
    }
    while (depth) {
        const nw_node *node = &graph->nodes[stack[--depth]];
        for (int i = 0; i < node->n_inputs; i++) {
            if (node->inputs[i] == NW_NONE || --n_now[node->inputs[i]] > 0)
                continue;
            nw_node_id id = producer[node->inputs[i]];
            if (id == NW_NONE || draft->is_gone[id] ||
                is_read(&graph->nodes[id], n_now, graph->n_tensors))
                continue;
            nw_draft_drop(draft, id);
            stack[depth++] = id;
        }
    }
    free(n_old);
    free(n_now);
    free(producer);
    free(stack);
}

/* A node's place: of new ones that of their anchor, but behind what they read; then as made. */
typedef struct node_place {
    nw_node_id at, id;
} node_place;

static int by_place(const void *a, const void *b)
{
    const node_place *x = a, *y = b;
    return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : (x->id > y->id) - (x->id < y->id);
}

/* Places of all nodes. New nodes were made in the order of the data, so that what one reads has its
 * place before it, or is an old node. */
static node_place *find_places(const nw_draft *draft)
{
    const nw_graph *graph = draft->graph;
    node_place *places = nw_alloc(((size_t)graph->n_nodes + 1) * sizeof *places);
    nw_node_id *producer_at = nw_alloc(((size_t)graph->n_tensors + 1) * sizeof *producer_at);
    for (int i = 0; i < graph->n_tensors; i++)
        producer_at[i] = NW_NONE;
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_node *node = &graph->nodes[id];
        nw_node_id at = id < draft->old->n_nodes ? id : draft->anchor[id];
        for (int i = 0; id >= draft->old->n_nodes && i < node->n_inputs; i++)
            if (node->inputs[i] != NW_NONE && producer_at[node->inputs[i]] > at)
                at = producer_at[node->inputs[i]];
        places[id] = (node_place){at, id};
        for (int i = 0; !draft->is_gone[id] && i < node->n_outputs; i++)
            if (node->outputs[i] != NW_NONE)
                producer_at[node->outputs[i]] = at;
    }
    free(producer_at);
    return places;
}

/* Of edits one upon the other, the later would put its nodes before those of the earlier. */
static bool has_mixed_places(const nw_draft *draft, const node_place *places)
{
    for (nw_node_id i = 1; i < draft->graph->n_nodes; i++) {
        nw_node_id a = places[i - 1].id, b = places[i].id;
        if (a >= draft->old->n_nodes && b >= draft->old->n_nodes &&
            draft->writer_of[a] != draft->writer_of[b])
            return true;
    }
    return false;
}

static void put_in_order(nw_draft *draft)
{
    nw_graph *graph = draft->graph;
    size_t n = (size_t)graph->n_nodes;
    if (graph->n_nodes == draft->old->n_nodes)
        return;
    node_place *places = find_places(draft);
    nw_node *nodes = nw_alloc(n * sizeof *nodes);
    uint8_t *is_gone = nw_alloc(n);
    qsort(places, n, sizeof *places, by_place);
    draft->is_mixed |= has_mixed_places(draft, places);
    for (size_t i = 0; i < n; i++) {
        nodes[i] = graph->nodes[places[i].id];
        is_gone[i] = draft->is_gone[places[i].id];
    }
    memcpy(graph->nodes, nodes, n * sizeof *nodes);
    memcpy(draft->is_gone, is_gone, n);
    free(places);
    free(nodes);
    free(is_gone);
}

nw_status nw_draft_seal(nw_draft *draft, nw_graph **out, nw_error *err)
{
    drop_unread(draft);
    put_in_order(draft);
    nw_graph_drop_nodes(draft->graph, draft->is_gone, NULL);
    nw_status status = nw_graph_seal(draft->graph, NULL, 0, err);
    if (status != NW_OK)
        return status;
    *out = draft->graph;
    draft->graph = NULL;
    return NW_OK;
}
