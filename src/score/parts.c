/* parts.c - the additive parts of the scores, block by block. */
#include <math.h>

#include "src/score/internal.h"

static bool is_counted(nw_op op)
{
    switch (op) {
    case NW_OP_CONV2D:
    case NW_OP_CONV_TRANSPOSE:
    case NW_OP_FULLY_CONNECTED:
    case NW_OP_MATMUL:
    case NW_OP_BATCH_NORM:
    case NW_OP_LAYER_NORM:
    case NW_OP_INSTANCE_NORM:
    case NW_OP_PRELU:
    case NW_OP_ADD:
    case NW_OP_SUB:
    case NW_OP_MUL:
    case NW_OP_DIV:
    case NW_OP_GATHER:
        return true;
    default:
        return false;
    }
}

/* Whether all that counts is in a block: folded nodes mostly make shapes. */
static bool is_all_in_blocks(const nw_arch *arch, const nw_graph *graph)
{
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        if (is_counted(graph->nodes[id].op) && !nw_arch_block_of(arch, id))
            return false;
    return true;
}

int64_t nw_score_log_nano(int64_t pixels, int64_t n)
{
    return pixels > 1 && n > 1 ? llround(0.5e9 * log((double)n)) : 0;
}

static bool is_conv(nw_op op)
{
    return op == NW_OP_CONV2D || op == NW_OP_CONV_TRANSPOSE;
}

int64_t nw_score_block_h(const nw_graph *graph, const nw_block *block, int *n_convs)
{
    static const nw_part_role roles[] = {NW_PART_EXPAND, NW_PART_SPATIAL, NW_PART_SPATIAL_2,
                                         NW_PART_PROJECT};
    int64_t h = 0;
    int n = 0;
    for (int i = 0; block->kind != NW_BLOCK_HEAD && i < 4; i++) {
        nw_geometry g;
        nw_node_id conv = block->parts[roles[i]].conv;
        if (conv == NW_NONE || !is_conv(graph->nodes[conv].op) ||
            !nw_node_geometry(graph, conv, &g) || g.in_h * g.in_w < 2)
            continue;
        int64_t groups = g.is_depthwise ? g.in_c : g.groups;
        h += nw_score_log_nano(2, g.in_c / (groups > 0 ? groups : 1)) +
             nw_score_log_nano(2, g.kernel_h * g.kernel_w);
        n++;
    }
    if (n_convs)
        *n_convs = n;
    return h;
}

void nw_score_find_parts(const nw_arch *arch, nw_score_parts *total, nw_score_parts *per_block)
{
    const nw_graph *graph = nw_arch_graph(arch);
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    nw_score_parts sum = {0};
    for (int i = 0; i < n; i++) {
        const nw_block *block = &blocks[i];
        int64_t h = nw_score_block_h(graph, block, NULL);
        sum.macs += block->macs;
        sum.params += block->params;
        sum.h_nano += h;
        if (per_block)
            per_block[i] =
                (nw_score_parts){block->macs, block->params, block->macs, block->params, h, h};
    }
    if (!is_all_in_blocks(arch, graph)) {
        nw_counts counts;
        nw_graph_count(graph, &counts);
        sum.macs = counts.macs;
        sum.params = counts.params;
    }
    sum.unfused_macs = sum.macs;
    sum.unfused_params = sum.params;
    sum.unfused_h_nano = sum.h_nano;
    nw_score_unfuse(arch, &sum, per_block);
    *total = sum;
}
