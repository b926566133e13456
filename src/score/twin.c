/* twin.c - the unfused twin: every fused or grouped inverted bottleneck and every Tucker block
 * counted as the inverted bottleneck that the edit `variant BLOCK ibn` makes of it.
 *
 * The twin's k x k is depthwise over the expanded channels. A fused block gets a 1x1 in front of
 * it, with a bias, a normalisation and slopes where the k x k has them. A Tucker block is expanded
 * to its input rank: what reads its output rank has that many channels.
 */
#include <stdlib.h>

#include "src/base/arena.h"
#include "src/score/internal.h"

bool nw_score_is_unfused(nw_block_kind kind)
{
    return kind == NW_BLOCK_FUSED || kind == NW_BLOCK_FUSED_GROUPED || kind == NW_BLOCK_GROUPED ||
           kind == NW_BLOCK_TUCKER;
}

/* A block in its twin's form. */
typedef struct twin {
    const nw_graph *graph;
    const nw_block *block;
    nw_geometry spatial;
    nw_part_role zone; /* the convolution before the node that is counted */
    bool adds_expand;
    uint8_t *seen; /* of nw_graph_count_node */
    nw_counts counts;
} twin;

/* Stays below what adding a few of them can bear. */
static int64_t times(int64_t a, int64_t b)
{
    const int64_t most = (int64_t)1 << 61; /* as the counts of graph.h */
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) || product > most ? most : product;
}

static bool is_resized(const twin *t)
{
    return t->spatial.out_c != t->block->mid_c;
}

static int role_of(const nw_block *block, nw_node_id node)
{
    for (int role = 0; role < NW_PART_COUNT; role++)
        if (block->parts[role].conv == node)
            return role;
    return -1;
}

static int64_t elements_of(const twin *t, nw_tensor_id tensor)
{
    return nw_shape_elements(&t->graph->tensors[tensor].shape);
}

/* Whether input i of a node behind a convolution holds a parameter a channel. */
static bool is_a_channel(const twin *t, const nw_node *node, int i)
{
    bool is_parameter = false;
    switch (node->op) {
    case NW_OP_BATCH_NORM:
        is_parameter = i == 1 || i == 2;
        break;
    case NW_OP_PRELU:
        is_parameter = i == 1;
        break;
    case NW_OP_ADD:
    case NW_OP_SUB:
    case NW_OP_MUL:
    case NW_OP_DIV:
        is_parameter = true;
        break;
    default:
        break;
    }
    nw_tensor_id tensor = node->inputs[i];
    return is_parameter && tensor != NW_NONE && t->graph->tensors[tensor].is_const &&
           t->spatial.out_c > 1 && elements_of(t, tensor) == t->spatial.out_c;
}

/* Elements of input i of a node in the twin, where the edit makes another constant; -1: as it is.
 * role: of the node, -1: it is no convolution of the block. */
static int64_t new_elements(const twin *t, const nw_node *node, int role, int i)
{
    int64_t mid = t->block->mid_c, rank = t->spatial.out_c;
    if (role == NW_PART_SPATIAL && i == 1)
        return t->spatial.kernel_h * t->spatial.kernel_w * mid;
    if (!is_resized(t) || node->inputs[i] == NW_NONE)
        return -1;
    bool is_behind = t->zone == NW_PART_SPATIAL || t->zone == NW_PART_EXCITE;
    if (role < 0)
        return is_behind && is_a_channel(t, node, i) ? mid : -1;
    if (i == 1 && (role == NW_PART_SQUEEZE || role == NW_PART_EXCITE || role == NW_PART_PROJECT))
        return elements_of(t, node->inputs[1]) / rank * mid;
    return i == 2 && is_behind ? mid : -1;
}

static int64_t new_macs(const twin *t, int role, int64_t macs)
{
    const nw_geometry *g = &t->spatial;
    if (role == NW_PART_SPATIAL)
        return macs / ((g->in_c / g->groups) * g->out_c) * t->block->mid_c;
    bool reads_rank = role == NW_PART_SQUEEZE || role == NW_PART_EXCITE || role == NW_PART_PROJECT;
    return reads_rank && is_resized(t) ? macs / g->out_c * t->block->mid_c : macs;
}

/* The 1x1 in front of a fused block's k x k, and what stands behind it as behind the k x k. */
static void count_expand(twin *t, const nw_node *node, int role)
{
    const nw_block *b = t->block;
    if (role == NW_PART_SPATIAL) {
        t->counts.params += b->in_c * b->mid_c + (t->spatial.has_bias ? b->mid_c : 0);
        t->counts.macs += times(times(t->spatial.batch * b->in_h * b->in_w, b->in_c), b->mid_c);
        return;
    }
    for (int i = 0; role < 0 && t->zone == NW_PART_SPATIAL && i < node->n_inputs; i++)
        if (is_a_channel(t, node, i))
            t->counts.params += b->mid_c;
}

/* Counts a node with constants of other sizes: those in the graph count as seen meanwhile. */
static void count_node(twin *t, nw_node_id id)
{
    const nw_node *node = &t->graph->nodes[id];
    nw_tensor_id roots[4];
    uint8_t before[4];
    int n = 0, role = role_of(t->block, id);
    nw_counts counts = {0};
    if (role >= 0)
        t->zone = (nw_part_role)role;
    for (int i = 0; i < node->n_inputs && n < 4; i++) {
        int64_t elements = new_elements(t, node, role, i);
        if (elements < 0)
            continue;
        t->counts.params += elements;
        nw_tensor_id root = nw_graph_stored_root(t->graph, node->inputs[i]);
        if (root == NW_NONE)
            continue;
        roots[n] = root;
        before[n++] = t->seen[root];
        t->seen[root] |= 3;
    }
    nw_graph_count_node(t->graph, id, t->seen, &counts);
    while (n--)
        t->seen[roots[n]] = before[n];
    t->counts.params += counts.params;
    t->counts.macs += new_macs(t, role, counts.macs);
    if (t->adds_expand)
        count_expand(t, node, role);
}

static bool find_twin(twin *t, const nw_block *block)
{
    t->block = block;
    t->zone = NW_PART_COUNT;
    t->adds_expand = block->parts[NW_PART_EXPAND].conv == NW_NONE;
    return nw_score_is_unfused(block->kind) &&
           nw_node_geometry(t->graph, block->parts[NW_PART_SPATIAL].conv, &t->spatial) &&
           t->spatial.out_c > 0 && t->spatial.groups > 0 && t->spatial.in_c >= t->spatial.groups;
}

static int64_t twin_h(const twin *t)
{
    const nw_block *b = t->block;
    const nw_geometry *g = &t->spatial;
    nw_geometry last;
    int64_t h = nw_score_log_nano(b->in_h * b->in_w, b->in_c) +
                nw_score_log_nano(g->in_h * g->in_w, g->kernel_h * g->kernel_w);
    if (nw_node_geometry(t->graph, b->parts[NW_PART_PROJECT].conv, &last))
        h += nw_score_log_nano(last.in_h * last.in_w, b->mid_c);
    return h;
}

/* Counts the nodes of a block (NULL: one node, of no block) as the network has them and as the twin
 * does, each with what it has seen. */
static void count_block(twin *own, twin *other, const nw_block *block, const nw_node_id *nodes,
                        int n_nodes)
{
    bool differs = block && find_twin(other, block);
    own->counts = other->counts = (nw_counts){0};
    for (int i = 0; i < n_nodes; i++) {
        nw_graph_count_node(own->graph, nodes[i], own->seen, &own->counts);
        if (differs)
            count_node(other, nodes[i]);
        else
            nw_graph_count_node(other->graph, nodes[i], other->seen, &other->counts);
    }
}

static void add_difference(const twin *own, const twin *other, int64_t h, nw_score_parts *parts)
{
    parts->unfused_macs += other->counts.macs - own->counts.macs;
    parts->unfused_params += other->counts.params - own->counts.params;
    parts->unfused_h_nano += h;
}

void nw_score_unfuse(const nw_arch *arch, nw_score_parts *total, nw_score_parts *per_block)
{
    const nw_graph *graph = nw_arch_graph(arch);
    size_t n_tensors = (size_t)graph->n_tensors;
    uint8_t *seen = nw_zalloc(2 * n_tensors + 1);
    twin own = {.graph = graph, .seen = seen}, other = {.graph = graph, .seen = seen + n_tensors};
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < n; i++) {
        const nw_block *block = &blocks[i];
        count_block(&own, &other, block, block->nodes, block->n_nodes);
        int64_t h = nw_score_is_unfused(block->kind)
                        ? twin_h(&other) - nw_score_block_h(graph, block, NULL)
                        : 0;
        add_difference(&own, &other, h, total);
        if (per_block)
            add_difference(&own, &other, h, &per_block[i]);
    }
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        if (nw_arch_block_of(arch, id))
            continue;
        count_block(&own, &other, NULL, &id, 1);
        add_difference(&own, &other, 0, total);
    }
    free(seen);
}
