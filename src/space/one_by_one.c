/* one_by_one.c - a genome's edits as a list that can be done again, one upon the other.
 *
 * Edits name blocks by labels, and other channels move the borders of stages and even of blocks: so
 * each is aimed anew at the map that it means.
 */
#include <stdlib.h>
#include <string.h>

#include "src/space/internal.h"

void nw_edit_list_fini(nw_edit_list *list)
{
    free(list->edits);
    free(list->sites);
}

void nw_space_locate(const nw_space *space, const nw_arch *arch, int *block_of)
{
    int n, next = 0;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < space->n_sites; i++)
        block_of[i] = -1;
    for (int b = 0; b < n; b++) { /* both lists are in the order of the schedule */
        const char *map = nw_site_map(arch, &blocks[b]);
        int found = -1;
        for (int k = 0; k < space->n_sites && found < 0; k++) {
            int i = (next + k) % space->n_sites;
            if (strcmp(space->sites[i].map, map) == 0)
                found = i;
        }
        if (found >= 0) {
            block_of[found] = b;
            next = found + 1;
        }
    }
}

void nw_space_relabel(const nw_space *space, const nw_arch *arch, nw_edit_list *list, int first)
{
    int n, *block_of = nw_alloc(((size_t)space->n_sites + 1) * sizeof *block_of);
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    nw_space_locate(space, arch, block_of);
    for (int i = first; i < list->n; i++) {
        nw_selector *where = &list->edits[i].where;
        int b = list->sites[i] < 0 ? -1 : block_of[list->sites[i]];
        if (b < 0)
            continue;
        where->first_stage = where->last_stage = blocks[b].stage;
        where->index = blocks[b].index;
    }
    free(block_of);
}

/* Done one by one, what grows inside a block comes before channels and what shrinks behind them: a
 * block that does not expand for a while would be taken for convolutions. */
static int turn_of(const nw_edit *edit, const nw_block *blocks, int n)
{
    for (int i = 0; edit->kind == NW_EDIT_EXPANSION && i < n; i++)
        if (blocks[i].stage == edit->where.first_stage && blocks[i].index == edit->where.index)
            return edit->count > blocks[i].mid_c ? 0 : 2;
    return 1;
}

static void order_resizes(const nw_arch *arch, nw_edit_list *list)
{
    int n_blocks, n = 0;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    nw_edit_list ordered = {nw_alloc((size_t)list->n * sizeof *list->edits),
                            nw_alloc((size_t)list->n * sizeof *list->sites), list->n,
                            (size_t)list->n, (size_t)list->n};
    for (int turn = 0; turn < 3; turn++)
        for (int i = 0; i < list->n; i++)
            if (turn_of(&list->edits[i], blocks, n_blocks) == turn) {
                ordered.edits[n] = list->edits[i];
                ordered.sites[n++] = list->sites[i];
            }
    nw_edit_list_fini(list);
    *list = ordered;
}

/* The map inside a block that its expansion makes; NULL: none. */
static const char *inner_map(const nw_arch *arch, const nw_block *block)
{
    const nw_block_part *expand = &block->parts[NW_PART_EXPAND];
    const nw_block_part *wide = expand->conv != NW_NONE ? expand : &block->parts[NW_PART_SPATIAL];
    return wide->conv == NW_NONE ? NULL : nw_arch_graph(arch)->tensors[wide->out].name;
}

/* The map whose channels an edit sets; NULL: it sets none. */
static const char *resized_map(const nw_arch *arch, const nw_edit *edit)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < n; i++) {
        if (blocks[i].stage != edit->where.first_stage || blocks[i].index != edit->where.index)
            continue;
        if (edit->kind == NW_EDIT_CHANNELS)
            return nw_site_map(arch, &blocks[i]);
        return edit->kind == NW_EDIT_EXPANSION ? inner_map(arch, &blocks[i]) : NULL;
    }
    return NULL;
}

/* With other channels around it, what was a block's end may be inside one, and the other way. */
static void aim(const nw_arch *arch, const char *map, nw_edit *edit)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < n; i++) {
        const char *inner = inner_map(arch, &blocks[i]);
        bool is_end = strcmp(nw_site_map(arch, &blocks[i]), map) == 0;
        if (!is_end && (!inner || strcmp(inner, map) != 0))
            continue;
        edit->kind = is_end ? NW_EDIT_CHANNELS : NW_EDIT_EXPANSION;
        edit->where.first_stage = edit->where.last_stage = blocks[i].stage;
        edit->where.index = blocks[i].index;
        return;
    }
}

nw_status nw_space_apply_signed(const nw_space *space, const nw_arch **at, nw_edit_list *list,
                                nw_error *err)
{
    nw_status status = NW_OK;
    order_resizes(*at, list);
    const nw_arch *start = nw_arch_retain(*at);
    const char **maps = nw_alloc(((size_t)list->n + 1) * sizeof *maps);
    for (int i = 0; i < list->n; i++)
        maps[i] = resized_map(start, &list->edits[i]);
    for (int i = 0; i < list->n && status == NW_OK; i++) {
        const nw_arch *next;
        if (maps[i])
            aim(*at, maps[i], &list->edits[i]);
        else
            nw_space_relabel(space, *at, list, i);
        status = nw_arch_apply(*at, &list->edits[i], 1, &next, NULL, err);
        if (status != NW_OK)
            break;
        nw_arch_release(*at);
        *at = next;
    }
    free(maps);
    nw_arch_release(start);
    return status;
}
