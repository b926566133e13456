/* reader.c - which nodes read each tensor. */
#include "src/arch/internal.h"

static bool is_folded(const nw_graph *graph, const nw_node *node)
{
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] == NW_NONE)
            continue;
        const nw_tensor *t = &graph->tensors[node->outputs[i]];
        if (!t->is_const && !t->ints && !t->floats)
            return false;
    }
    return node->n_outputs > 0;
}

void nw_readers_find(const nw_graph *graph, nw_arena *arena, nw_readers *out)
{
    size_t n_nodes = (size_t)graph->n_nodes, total = 0;
    out->is_folded = nw_arena_alloc(arena, n_nodes + 1);
    out->position = nw_arena_alloc(arena, (n_nodes + 1) * sizeof *out->position);
    out->start = nw_arena_alloc(arena, ((size_t)graph->n_tensors + 2) * sizeof *out->start);
    int *start = out->start + 1;
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_node *node = &graph->nodes[id];
        out->position[graph->order[id]] = id;
        out->is_folded[id] = is_folded(graph, node);
        for (int k = 0; !out->is_folded[id] && k < node->n_inputs; k++)
            if (node->inputs[k] != NW_NONE) {
                start[node->inputs[k] + 1]++;
                total++;
            }
    }
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
        start[id + 1] += start[id];
    out->nodes = nw_arena_alloc(arena, (total + 1) * sizeof *out->nodes);
    /* start[t] moves up to the beginning of t + 1 while filling, which leaves out->start right. */
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int k = 0; !out->is_folded[id] && k < graph->nodes[id].n_inputs; k++)
            if (graph->nodes[id].inputs[k] != NW_NONE)
                out->nodes[start[graph->nodes[id].inputs[k]]++] = id;
}

int nw_readers_count(const nw_readers *readers, nw_tensor_id tensor)
{
    return readers->start[tensor + 1] - readers->start[tensor];
}

nw_node_id nw_readers_sole(const nw_graph *graph, const nw_readers *readers, nw_tensor_id tensor)
{
    if (graph->tensors[tensor].is_output || nw_readers_count(readers, tensor) != 1)
        return NW_NONE;
    return readers->nodes[readers->start[tensor]];
}
