/* lift_head.c - predictors: the last convolutions of a detection or segmentation network.
 *
 * A convolution, separable or not, is a predictor where only rearranging and arithmetic without
 * weights follow: reshapes and concatenation of boxes, decoding, sigmoid or softmax, resizing of a
 * segmentation to the image. The one on a single pixel is a classifier's, unless its numbers are
 * put together with those of other maps.
 */
#include "src/arch/lift.h"

/* ---- what follows ---- */

static bool has_large_constant(const nw_graph *graph, const nw_node *node)
{
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] != NW_NONE && graph->tensors[node->inputs[i]].is_const &&
            graph->tensors[node->inputs[i]].shape.rank > 2)
            return true;
    return false;
}

/* Whether an operator works on features, not on predictions. */
static bool is_feature_op(const nw_graph *graph, const nw_node *node)
{
    switch (node->op) {
    case NW_OP_CONV2D:
    case NW_OP_CONV_TRANSPOSE:
    case NW_OP_MATMUL:
    case NW_OP_FULLY_CONNECTED:
    case NW_OP_GLOBAL_POOL:
    case NW_OP_AVERAGE_POOL:
    case NW_OP_BATCH_NORM:
    case NW_OP_LAYER_NORM:
    case NW_OP_INSTANCE_NORM:
        return true;
    case NW_OP_REDUCE:
        return node->attrs.reduce == NW_REDUCE_MEAN;
    case NW_OP_OPAQUE:
        return has_large_constant(graph, node);
    default:
        return false;
    }
}

/* Per tensor: 1 where features are still computed from it. */
static uint8_t *find_features(nw_lifter *l)
{
    const nw_graph *graph = l->graph;
    uint8_t *is_feature = nw_arena_alloc(&l->own, (size_t)graph->n_tensors + 1);
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        nw_node_id id = graph->order[i];
        const nw_node *node = &graph->nodes[id];
        if (l->readers.is_folded[id])
            continue;
        bool marks = is_feature_op(graph, node);
        for (int k = 0; k < node->n_outputs; k++)
            marks = marks || (node->outputs[k] != NW_NONE && is_feature[node->outputs[k]]);
        for (int k = 0; marks && k < node->n_inputs; k++)
            if (node->inputs[k] != NW_NONE)
                is_feature[node->inputs[k]] = 1;
    }
    return is_feature;
}

/* ---- what belongs to a head ---- */

static bool ends_head(nw_op op)
{
    return !nw_lift_is_view(op) && op != NW_OP_SIGMOID && op != NW_OP_HARD_SIGMOID &&
           op != NW_OP_SOFTMAX && op != NW_OP_RESIZE && op != NW_OP_ARG_MAX;
}

/* The chain of free sole readers behind a predictor. Returns its last tensor. */
static nw_tensor_id follow(const nw_lifter *l, nw_tensor_id at, nw_found *found)
{
    for (;;) {
        nw_node_id id = nw_lift_next(l, at);
        if (id == NW_NONE || found->is_full)
            return at;
        const nw_node *node = &l->graph->nodes[id];
        if (ends_head(node->op) || node->inputs[0] != at || node->n_outputs != 1)
            return at;
        nw_found_add(found, id);
        at = node->outputs[0];
    }
}

/* Features end in an activation that has no bound; what is predicted in none, or in a squashing
 * one.
 */
static bool predicts(const nw_block *block)
{
    const nw_block_part *last = &block->parts[NW_PART_PROJECT];
    if (last->conv == NW_NONE)
        last = &block->parts[NW_PART_SPATIAL];
    return last->act == NW_OP_IDENTITY || last->act == NW_OP_SIGMOID ||
           last->act == NW_OP_HARD_SIGMOID || last->act == NW_OP_TANH;
}

static bool joins_others(const nw_lifter *l, nw_tensor_id at)
{
    nw_node_id id = nw_readers_sole(l->graph, &l->readers, at);
    return id != NW_NONE && l->graph->nodes[id].op == NW_OP_CONCAT;
}

static void turn_into_head(nw_lifter *l, int index, const uint8_t *is_feature)
{
    nw_block *block = &l->blocks[index];
    bool is_kind = block->kind == NW_BLOCK_CONV || block->kind == NW_BLOCK_DSEP;
    if (!is_kind || block->has_residual || is_feature[block->out] || !predicts(block))
        return;
    nw_found found = {.n = 0};
    nw_tensor_id end = follow(l, block->out, &found);
    if (block->out_h * block->out_w <= 1 && !joins_others(l, end))
        return;
    bool is_read = l->graph->tensors[end].is_output || nw_readers_count(&l->readers, end) > 0;
    if (!is_read)
        return;
    block->kind = NW_BLOCK_HEAD;
    block->out = end;
    for (int i = 0; i < found.n; i++)
        l->block_of[found.nodes[i]] = index;
}

void nw_lift_heads(nw_lifter *l)
{
    const uint8_t *is_feature = find_features(l);
    for (int i = 0; i < l->n_blocks; i++)
        turn_into_head(l, i, is_feature);
}
