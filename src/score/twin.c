/* twin.c - the unfused twin: every fused or grouped inverted bottleneck and every Tucker block
 * counted as the inverted bottleneck that the edit `variant BLOCK ibn` makes of it.
 *
 * The twin's k x k is depthwise over the expanded channels. A fused block gets a 1x1 in front of
 * it, with a bias, a normalisation and slopes where the k x k has them. A Tucker block is expanded
 * to its input rank: what reads its output rank has that many channels.
 *
 * Two things beyond the edit, so that no way of writing a network changes its twin. A k x k that
 * does not expand and the linear 1x1 that alone reads it are a fused block too, although lifting
 * leaves them two convolutions. And exporters store equal vectors (biases, scales) once: the twin
 * has them wherever they are read. Weights that are shared are counted once.
 */
#include <stdlib.h>

#include "src/base/arena.h"
#include "src/score/internal.h"

/* A block in its twin's form. */
typedef struct twin {
    const nw_graph *graph;
    const nw_block *block;
    nw_geometry spatial;
    int64_t mid_c;
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
    return t->spatial.out_c != t->mid_c;
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
    int64_t mid = t->mid_c, rank = t->spatial.out_c;
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
        return times(macs / ((g->in_c / g->groups) * g->out_c), t->mid_c);
    bool reads_rank = role == NW_PART_SQUEEZE || role == NW_PART_EXCITE || role == NW_PART_PROJECT;
    return reads_rank && is_resized(t) ? times(macs / g->out_c, t->mid_c) : macs;
}

/* The 1x1 in front of a fused block's k x k, and what stands behind it as behind the k x k. */
static void count_expand(twin *t, const nw_node *node, int role)
{
    const nw_block *b = t->block;
    if (role == NW_PART_SPATIAL) {
        t->counts.params += b->in_c * t->mid_c + (t->spatial.has_bias ? t->mid_c : 0);
        t->counts.macs +=
            times(times(times(b->in_h * b->in_w, t->spatial.batch), b->in_c), t->mid_c);
        return;
    }
    for (int i = 0; role < 0 && t->zone == NW_PART_SPATIAL && i < node->n_inputs; i++)
        if (is_a_channel(t, node, i))
            t->counts.params += t->mid_c;
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

/* ---- which blocks ---- */

static bool is_read_once(const nw_graph *graph, nw_tensor_id tensor)
{
    int n = graph->tensors[tensor].is_output;
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int i = 0; i < graph->nodes[id].n_inputs; i++)
            n += graph->nodes[id].inputs[i] == tensor;
    return n == 1;
}

static bool is_linear_point(const nw_block *block)
{
    return block->kind == NW_BLOCK_CONV && block->kernel == 1 && block->stride == 1 &&
           block->groups == 1 && !block->has_residual &&
           block->parts[NW_PART_SPATIAL].act == NW_OP_IDENTITY;
}

/* A k x k that does not expand, with a linear 1x1 behind it. */
static bool is_open_fused(const nw_graph *graph, const nw_block *blocks, int n,
                          const nw_block *block)
{
    if (block->kind != NW_BLOCK_CONV || block->kernel < 2 || block->has_residual ||
        block->out_c > block->in_c || block->groups == block->in_c)
        return false;
    for (int i = 0; i < n; i++)
        if (blocks[i].in == block->out && is_linear_point(&blocks[i]))
            return is_read_once(graph, block->out);
    return false;
}

static bool is_unfused_kind(nw_block_kind kind)
{
    return kind == NW_BLOCK_FUSED || kind == NW_BLOCK_FUSED_GROUPED || kind == NW_BLOCK_GROUPED ||
           kind == NW_BLOCK_TUCKER;
}

/* Whether a block of the network is another one in its twin. */
static bool find_twin(twin *t, const nw_block *blocks, int n, const nw_block *block)
{
    bool is_open = is_open_fused(t->graph, blocks, n, block);
    if (!is_open && !is_unfused_kind(block->kind))
        return false;
    t->block = block;
    t->mid_c = is_open ? block->out_c : block->mid_c;
    t->zone = NW_PART_COUNT;
    t->adds_expand = block->parts[NW_PART_EXPAND].conv == NW_NONE;
    return nw_node_geometry(t->graph, block->parts[NW_PART_SPATIAL].conv, &t->spatial) &&
           t->spatial.out_c > 0 && t->spatial.groups > 0 && t->spatial.in_c >= t->spatial.groups;
}

static int64_t twin_h(const twin *t)
{
    const nw_block *b = t->block;
    const nw_geometry *g = &t->spatial;
    nw_geometry last;
    int64_t h = nw_score_log_nano(b->in_h * b->in_w, b->in_c) +
                nw_score_log_nano(g->in_h * g->in_w, g->kernel_h * g->kernel_w);
    nw_node_id project = b->parts[NW_PART_PROJECT].conv;
    if (project != NW_NONE && nw_node_geometry(t->graph, project, &last))
        h += nw_score_log_nano(last.in_h * last.in_w, t->mid_c);
    return h;
}

static bool is_product(nw_op op)
{
    return op == NW_OP_CONV2D || op == NW_OP_CONV_TRANSPOSE || op == NW_OP_FULLY_CONNECTED ||
           op == NW_OP_MATMUL;
}

/* The vectors that a node reads count again. */
static void forget_vectors(const nw_graph *graph, const nw_node *node, uint8_t *seen)
{
    if (node->op == NW_OP_MATMUL || node->op == NW_OP_GATHER)
        return;
    for (int i = is_product(node->op) ? 2 : 0; i < node->n_inputs; i++) {
        nw_tensor_id tensor = node->inputs[i];
        if (tensor == NW_NONE || !graph->tensors[tensor].is_const)
            continue;
        nw_tensor_id root = nw_graph_stored_root(graph, tensor);
        if (root != NW_NONE && !(seen[root] & 2))
            seen[root] = 0;
    }
}

/* Counts nodes as the network has them and as its twin does. */
static void count_nodes(twin *own, twin *other, bool differs, const nw_node_id *nodes, int n)
{
    const nw_graph *graph = own->graph;
    own->counts = other->counts = (nw_counts){0};
    for (int i = 0; i < n; i++) {
        nw_graph_count_node(graph, nodes[i], own->seen, &own->counts);
        forget_vectors(graph, &graph->nodes[nodes[i]], other->seen);
        if (differs)
            count_node(other, nodes[i]);
        else
            nw_graph_count_node(graph, nodes[i], other->seen, &other->counts);
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
        bool differs = find_twin(&other, blocks, n, block);
        int64_t h = differs ? twin_h(&other) - nw_score_block_h(graph, block, NULL) : 0;
        count_nodes(&own, &other, differs, block->nodes, block->n_nodes);
        add_difference(&own, &other, h, total);
        if (per_block)
            add_difference(&own, &other, h, &per_block[i]);
    }
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        if (nw_arch_block_of(arch, id))
            continue;
        count_nodes(&own, &other, false, &id, 1);
        add_difference(&own, &other, 0, total);
    }
    free(seen);
}
