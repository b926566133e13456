/* lift.c - finding the blocks of a graph.
 *
 * Units first (lift_unit.c), then patterns of units (lift_block.c), then every unit, pooling and
 * resizing that is left; the last ones of the network become heads (lift_head.c). What is left is
 * `op`, a run of nodes that feed only each other being one block. Folded nodes go with the only
 * block that reads them. Everything is a walk over nodes or their edges.
 */
#include <stdlib.h>

#include "src/arch/lift.h"

/* ---- the graph, seen from here ---- */

void nw_found_add(nw_found *found, nw_node_id node)
{
    if (found->n == (int)(sizeof found->nodes / sizeof *found->nodes))
        found->is_full = true;
    else
        found->nodes[found->n++] = node;
}

bool nw_lift_is_free(const nw_lifter *l, nw_node_id node)
{
    return l->block_of[node] == LIFT_FREE && l->unit_of[node] == LIFT_FREE;
}

nw_node_id nw_lift_next(const nw_lifter *l, nw_tensor_id tensor)
{
    nw_node_id id = nw_readers_sole(l->graph, &l->readers, tensor);
    return id != NW_NONE && nw_lift_is_free(l, id) ? id : NW_NONE;
}

static bool is_renaming(nw_op op)
{
    return op == NW_OP_QUANTIZE || op == NW_OP_DEQUANTIZE || op == NW_OP_CAST ||
           op == NW_OP_IDENTITY;
}

bool nw_lift_turns(const nw_graph *graph, nw_node_id id)
{
    const nw_node *node = &graph->nodes[id];
    if (graph->layout != NW_LAYOUT_NHWC || node->op != NW_OP_TRANSPOSE)
        return false;
    const int64_t *perm = node->attrs.has_ints ? node->attrs.ints : NULL;
    int n = node->attrs.has_ints ? node->attrs.n_ints : 0;
    if (!perm && node->n_inputs > 1 && node->inputs[1] != NW_NONE) {
        const nw_tensor *list = &graph->tensors[node->inputs[1]];
        perm = list->ints;
        n = (int)nw_shape_elements(&list->shape);
    }
    return perm && n == 4 && perm[0] == 0 &&
           ((perm[1] == 2 && perm[2] == 3 && perm[3] == 1) ||
            (perm[1] == 3 && perm[2] == 1 && perm[3] == 2));
}

bool nw_lift_passes(const nw_graph *graph, nw_node_id id)
{
    return is_renaming(graph->nodes[id].op) || nw_lift_turns(graph, id);
}

bool nw_lift_is_view(nw_op op)
{
    return is_renaming(op) || op == NW_OP_RESHAPE || op == NW_OP_FLATTEN || op == NW_OP_SQUEEZE ||
           op == NW_OP_UNSQUEEZE || op == NW_OP_TRANSPOSE;
}

nw_tensor_id nw_lift_skip(const nw_lifter *l, nw_tensor_id tensor, bool views, nw_found *found)
{
    for (;;) {
        nw_node_id id = nw_lift_next(l, tensor);
        if (id == NW_NONE || found->is_full)
            return tensor;
        const nw_node *node = &l->graph->nodes[id];
        bool goes_on = views ? nw_lift_is_view(node->op) : nw_lift_passes(l->graph, id);
        if (!goes_on || node->inputs[0] != tensor || node->n_outputs != 1)
            return tensor;
        nw_found_add(found, id);
        tensor = node->outputs[0];
    }
}

bool nw_lift_number(const nw_lifter *l, nw_tensor_id id, double *value)
{
    const nw_tensor *tensor = &l->graph->tensors[id];
    if (!tensor->is_const || nw_shape_elements(&tensor->shape) != 1)
        return false;
    if (tensor->floats)
        *value = tensor->floats[0];
    else if (tensor->ints && tensor->quant.n_channels)
        *value = tensor->quant.scale * (double)(tensor->ints[0] - tensor->quant.zero_point);
    else if (tensor->ints)
        *value = (double)tensor->ints[0];
    return tensor->floats || tensor->ints;
}

/* Operators that leave out what patterns look at, or make several things: whatever a file says, no
 * pattern needs to ask whether an input is there. */
static bool is_odd(const nw_node *node)
{
    if (node->n_inputs < 1 || node->inputs[0] == NW_NONE || node->n_outputs < 1 ||
        node->outputs[0] == NW_NONE || (node->n_inputs == 2 && node->inputs[1] == NW_NONE))
        return true;
    for (int i = 1; i < node->n_outputs; i++)
        if (node->outputs[i] != NW_NONE)
            return true;
    return false;
}

static void find_odd(nw_lifter *l)
{
    size_t n = (size_t)l->graph->n_nodes + 1;
    l->unit_of = nw_arena_alloc(&l->own, n * sizeof *l->unit_of);
    for (nw_node_id id = 0; id < l->graph->n_nodes; id++)
        l->unit_of[id] = is_odd(&l->graph->nodes[id]) ? LIFT_ODD : LIFT_FREE;
}

static void find_same(nw_lifter *l)
{
    const nw_graph *graph = l->graph;
    l->same = nw_arena_alloc(&l->own, ((size_t)graph->n_tensors + 1) * sizeof *l->same);
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
        l->same[id] = id;
    for (int i = 0; i < graph->n_nodes; i++) {
        const nw_node *node = &graph->nodes[graph->order[i]];
        if (l->unit_of[graph->order[i]] != LIFT_ODD && nw_lift_passes(graph, graph->order[i]) &&
            node->inputs[0] != NW_NONE && node->n_outputs == 1 && node->outputs[0] != NW_NONE)
            l->same[node->outputs[0]] = l->same[node->inputs[0]];
    }
}

/* ---- blocks ---- */

nw_block *nw_lift_block(nw_lifter *l, nw_block_kind kind)
{
    l->blocks = nw_grow(l->blocks, (size_t)l->n_blocks, &l->block_capacity, sizeof *l->blocks);
    nw_block *block = &l->blocks[l->n_blocks++];
    *block = (nw_block){.kind = kind,
                        .in = NW_NONE,
                        .out = NW_NONE,
                        .add = NW_NONE,
                        .act = NW_OP_IDENTITY,
                        .act_node = NW_NONE,
                        .kernel = 1,
                        .stride = 1,
                        .dilation = 1,
                        .groups = 1,
                        .expansion = 1};
    for (int i = 0; i < NW_PART_COUNT; i++)
        block->parts[i] = (nw_block_part){.conv = NW_NONE,
                                          .norm = NW_NONE,
                                          .act = NW_OP_IDENTITY,
                                          .act_node = NW_NONE,
                                          .out = NW_NONE};
    return block;
}

void nw_lift_claim(nw_lifter *l, nw_node_id node)
{
    l->block_of[node] = l->n_blocks - 1;
}

void nw_lift_claim_found(nw_lifter *l, const nw_found *found)
{
    for (int i = 0; i < found->n; i++)
        nw_lift_claim(l, found->nodes[i]);
}

void nw_lift_claim_unit(nw_lifter *l, nw_unit *unit, nw_part_role role)
{
    unit->block = l->n_blocks - 1;
    l->blocks[unit->block].parts[role] = unit->part;
    for (int i = 0; i < unit->n_nodes; i++)
        nw_lift_claim(l, l->unit_nodes[unit->first + i]);
}

/* ---- what is left ---- */

static nw_tensor_id first_map_input(const nw_graph *graph, const nw_node *node)
{
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] != NW_NONE && !graph->tensors[node->inputs[i]].is_const)
            return node->inputs[i];
    return NW_NONE;
}

static nw_tensor_id first_output(const nw_node *node)
{
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] != NW_NONE)
            return node->outputs[i];
    return NW_NONE;
}

/* The `op` block that a node goes on: the one that ends with the only tensor it reads. */
static int run_before(const nw_lifter *l, nw_node_id id)
{
    nw_tensor_id in = first_map_input(l->graph, &l->graph->nodes[id]);
    if (in == NW_NONE || nw_readers_sole(l->graph, &l->readers, in) != id)
        return LIFT_FREE;
    nw_node_id producer = l->graph->tensors[in].producer;
    int index = producer == NW_NONE ? LIFT_FREE : l->block_of[producer];
    bool goes_on = index >= 0 && l->blocks[index].kind == NW_BLOCK_OP && l->blocks[index].out == in;
    return goes_on ? index : LIFT_FREE;
}

static void set_map_in(const nw_graph *graph, nw_block *block)
{
    if (block->in == NW_NONE)
        return;
    nw_hwc in = nw_tensor_hwc(graph, block->in);
    block->in_h = in.h;
    block->in_w = in.w;
    block->in_c = block->mid_c = in.c;
}

static void set_map_out(const nw_graph *graph, nw_block *block)
{
    if (block->out == NW_NONE)
        return;
    nw_hwc out = nw_tensor_hwc(graph, block->out);
    block->out_h = out.h;
    block->out_w = out.w;
    block->out_c = out.c;
}

static void claim_rest(nw_lifter *l)
{
    const nw_graph *graph = l->graph;
    for (int i = 0; i < graph->n_nodes; i++) {
        nw_node_id id = graph->order[i];
        if (l->block_of[id] != LIFT_FREE)
            continue;
        int index = run_before(l, id);
        if (index == LIFT_FREE) {
            nw_block *block = nw_lift_block(l, NW_BLOCK_OP);
            block->in = first_map_input(graph, &graph->nodes[id]);
            set_map_in(graph, block);
            index = l->n_blocks - 1;
        }
        l->block_of[id] = index;
        l->blocks[index].out = first_output(&graph->nodes[id]);
        set_map_out(graph, &l->blocks[index]);
    }
}

/* ---- folded nodes ---- */

enum { SHARED = -3 };

/* The first block that reads what a folded node makes (owner: for counting), and the only one
 * (block_of): its readers come later in the schedule, so they are known already. */
static void place_folded(nw_lifter *l, int *owner)
{
    const nw_graph *graph = l->graph;
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        owner[id] = l->block_of[id];
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const nw_node *node = &graph->nodes[graph->order[i]];
        int reader = l->block_of[graph->order[i]], reader_owner = owner[graph->order[i]];
        for (int k = 0; k < node->n_inputs; k++) {
            nw_node_id id =
                node->inputs[k] == NW_NONE ? NW_NONE : graph->tensors[node->inputs[k]].producer;
            if (id == NW_NONE || !l->readers.is_folded[id])
                continue;
            if (l->block_of[id] == LIFT_FOLDED)
                l->block_of[id] = reader;
            else if (l->block_of[id] != reader)
                l->block_of[id] = SHARED;
            owner[id] = reader_owner;
        }
    }
}

/* Nodes that nobody reads and that sealing folded would be in no block. */
static void free_unread(nw_lifter *l)
{
    const nw_graph *graph = l->graph;
    uint8_t *is_read = nw_arena_alloc(&l->own, (size_t)graph->n_nodes + 1);
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int k = 0; k < graph->nodes[id].n_inputs; k++) {
            nw_tensor_id in = graph->nodes[id].inputs[k];
            if (in != NW_NONE && graph->tensors[in].producer != NW_NONE)
                is_read[graph->tensors[in].producer] = 1;
        }
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        l->block_of[id] = l->readers.is_folded[id] && is_read[id] ? LIFT_FOLDED : LIFT_FREE;
}

/* ---- the result ---- */

/* Blocks in schedule order of their last node: rank[i] is the place of draft i. */
static void order_blocks(const nw_lifter *l, int *rank)
{
    const nw_graph *graph = l->graph;
    int n = 0;
    for (int i = 0; i < l->n_blocks; i++)
        rank[i] = -1;
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        nw_node_id id = graph->order[i];
        int block = l->block_of[id];
        if (block >= 0 && !l->readers.is_folded[id] && rank[block] < 0)
            rank[block] = l->n_blocks - 1 - n++;
    }
    /* what is folded altogether comes first */
    for (int i = 0; i < l->n_blocks; i++)
        if (rank[i] < 0)
            rank[i] = l->n_blocks - 1 - n++;
}

static void list_nodes(const nw_lifter *l, const int *rank, nw_lifting *out)
{
    const nw_graph *graph = l->graph;
    nw_node_id *nodes = nw_arena_alloc(&out->arena, ((size_t)graph->n_nodes + 1) * sizeof *nodes);
    out->block_of = nw_arena_alloc(&out->arena, ((size_t)graph->n_nodes + 1) * sizeof(int));
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        out->block_of[id] = l->block_of[id] < 0 ? -1 : rank[l->block_of[id]];
        if (out->block_of[id] >= 0)
            out->blocks[out->block_of[id]].n_nodes++;
    }
    for (int i = 0; i < out->n_blocks; i++) {
        out->blocks[i].nodes = nodes;
        nodes += out->blocks[i].n_nodes;
        out->blocks[i].n_nodes = 0;
    }
    for (int i = 0; i < graph->n_nodes; i++) {
        nw_node_id id = graph->order[i];
        if (out->block_of[id] < 0)
            continue;
        nw_block *block = &out->blocks[out->block_of[id]];
        ((nw_node_id *)block->nodes)[block->n_nodes++] = id;
    }
}

static void count_blocks(nw_lifter *l, const int *owner, const int *rank, nw_lifting *out)
{
    const nw_graph *graph = l->graph;
    uint8_t *seen = nw_arena_alloc(&l->own, (size_t)graph->n_tensors + 1);
    int64_t macs = 0, recognised = 0;
    int *first = nw_arena_alloc(&l->own, ((size_t)out->n_blocks + 1) * sizeof *first);
    int *next = nw_arena_alloc(&l->own, ((size_t)graph->n_nodes + 1) * sizeof *next);
    for (int i = 0; i < out->n_blocks; i++)
        first[i] = NW_NONE;
    for (nw_node_id id = graph->n_nodes - 1; id >= 0; id--)
        if (owner[id] >= 0) {
            next[id] = first[rank[owner[id]]];
            first[rank[owner[id]]] = id;
        }
    for (int i = 0; i < out->n_blocks; i++) {
        nw_counts counts = {0};
        for (nw_node_id id = first[i]; id != NW_NONE; id = next[id])
            nw_graph_count_node(graph, id, seen, &counts);
        out->blocks[i].macs = counts.macs;
        out->blocks[i].params = counts.params;
        macs += counts.macs;
        recognised += out->blocks[i].kind == NW_BLOCK_OP ? 0 : counts.macs;
    }
    out->recognised = macs ? (double)recognised / (double)macs : 0;
}

static void publish(nw_lifter *l, nw_lifting *out)
{
    size_t n = (size_t)l->n_blocks, n_nodes = (size_t)l->graph->n_nodes;
    int *rank = nw_arena_alloc(&l->own, (n + 1) * sizeof *rank);
    int *owner = nw_arena_alloc(&l->own, (n_nodes + 1) * sizeof *owner);
    place_folded(l, owner);
    order_blocks(l, rank);
    out->n_blocks = l->n_blocks;
    out->blocks = nw_arena_alloc(&out->arena, (n + 1) * sizeof *out->blocks);
    for (int i = 0; i < l->n_blocks; i++)
        out->blocks[rank[i]] = l->blocks[i];
    list_nodes(l, rank, out);
    count_blocks(l, owner, rank, out);
    nw_lifting_number(l->graph, out);
}

nw_lifting *nw_lifting_find(const nw_graph *graph)
{
    nw_lifting *out = nw_zalloc(sizeof *out);
    nw_lifter l = {.graph = graph};
    size_t n = (size_t)graph->n_nodes + 1;
    nw_readers_find(graph, &l.own, &l.readers);
    l.block_of = nw_arena_alloc(&l.own, n * sizeof *l.block_of);
    find_odd(&l);
    free_unread(&l);
    find_same(&l);
    nw_lift_units(&l);
    nw_lift_blocks(&l);
    nw_lift_singles(&l);
    nw_lift_heads(&l);
    nw_lift_windows(&l);
    claim_rest(&l);
    publish(&l, out);
    free(l.blocks);
    nw_arena_fini(&l.own);
    return out;
}
