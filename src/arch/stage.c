/* stage.c - stages: a block that changes the map and its repeats. */
#include <stdlib.h>

#include "src/arch/internal.h"

typedef enum family { FAMILY_OP, FAMILY_CONV, FAMILY_BLOCK, FAMILY_ALONE, FAMILY_HEAD } family;

typedef struct stage {
    int last; /* block */
    int n_blocks;
    family family; /* of its first block that is no op */
} stage;

static family family_of(nw_block_kind kind)
{
    switch (kind) {
    case NW_BLOCK_OP:
        return FAMILY_OP;
    case NW_BLOCK_CONV:
        return FAMILY_CONV;
    case NW_BLOCK_HEAD:
        return FAMILY_HEAD;
    case NW_BLOCK_POOL:
    case NW_BLOCK_UPSAMPLE:
    case NW_BLOCK_FC:
        return FAMILY_ALONE;
    default:
        return FAMILY_BLOCK;
    }
}

static bool keeps_map(const nw_block *block)
{
    return block->in_h == block->out_h && block->in_w == block->out_w &&
           block->in_c == block->out_c;
}

/* Numbers are no map any more: boxes, classes. */
static bool is_map(const nw_graph *graph, nw_tensor_id tensor)
{
    return tensor != NW_NONE && graph->tensors[tensor].shape.rank == 4;
}

/* Whether a block goes on the stage of the one before it. */
static bool joins(const nw_graph *graph, const stage *s, int before, const nw_block *block)
{
    family own = family_of(block->kind);
    if (own == FAMILY_OP && !is_map(graph, block->out))
        return true;
    if (s->last != before || !keeps_map(block))
        return false;
    return own == FAMILY_OP || ((own == FAMILY_CONV || own == FAMILY_BLOCK) &&
                                (s->family == own || s->family == FAMILY_OP));
}

/* The stage of the block; n_stages: a new one. */
static int stage_of(const nw_graph *graph, const nw_lifting *lifting, const stage *stages,
                    int n_stages, int *head_stage, int index)
{
    const nw_block *block = &lifting->blocks[index];
    if (block->in == NW_NONE)
        return n_stages;
    if (block->kind == NW_BLOCK_HEAD) {
        if (!head_stage[block->in])
            head_stage[block->in] = n_stages + 1;
        return head_stage[block->in] - 1;
    }
    nw_node_id producer = graph->tensors[block->in].producer;
    int before = producer == NW_NONE ? -1 : lifting->block_of[producer];
    if (before < 0 || before >= index)
        return n_stages;
    int own = lifting->blocks[before].stage;
    return joins(graph, &stages[own], before, block) ? own : n_stages;
}

void nw_lifting_number(const nw_graph *graph, nw_lifting *lifting)
{
    int n_stages = 0;
    size_t n = (size_t)lifting->n_blocks + 1;
    stage *stages = nw_zalloc(n * sizeof *stages);
    int *head_stage = nw_zalloc(((size_t)graph->n_tensors + 1) * sizeof *head_stage);
    for (int i = 0; i < lifting->n_blocks; i++) {
        nw_block *block = &lifting->blocks[i];
        block->stage = stage_of(graph, lifting, stages, n_stages, head_stage, i);
        if (block->stage == n_stages)
            n_stages++;
        stage *own = &stages[block->stage];
        block->index = own->n_blocks++;
        own->last = i;
        if (own->family == FAMILY_OP)
            own->family = family_of(block->kind);
    }
    lifting->n_stages = n_stages;
    free(head_stage);
    free(stages);
}
