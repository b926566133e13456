/* stage.c - stages: a block that changes the map and its repeats. */
#include <stdlib.h>

#include "src/arch/internal.h"

static bool keeps_map(const nw_block *block)
{
    return block->in_h == block->out_h && block->in_w == block->out_w &&
           block->in_c == block->out_c;
}

void nw_lifting_number(const nw_graph *graph, nw_lifting *lifting)
{
    int n_stages = 0;
    int *last = nw_alloc(((size_t)lifting->n_blocks + 1) * sizeof *last); /* of each stage */
    for (int i = 0; i < lifting->n_blocks; i++) {
        nw_block *block = &lifting->blocks[i];
        nw_node_id producer = block->in == NW_NONE ? NW_NONE : graph->tensors[block->in].producer;
        int before = producer == NW_NONE ? -1 : lifting->block_of[producer];
        bool joins = before >= 0 && before < i && (block->kind == NW_BLOCK_OP || keeps_map(block));
        if (joins && last[lifting->blocks[before].stage] == before) {
            block->stage = lifting->blocks[before].stage;
            block->index = lifting->blocks[before].index + 1;
        } else {
            block->stage = n_stages++;
            block->index = 0;
        }
        last[block->stage] = i;
    }
    lifting->n_stages = n_stages;
    free(last);
}
