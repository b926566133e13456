/* site.c - the blocks of the base, by the maps they make, and picking them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/space/internal.h"

const char *nw_site_map(const nw_arch *arch, const nw_block *block)
{
    return block->out == NW_NONE ? "" : nw_arch_graph(arch)->tensors[block->out].name;
}

int nw_space_find_site(const nw_space *space, const char *map)
{
    for (int i = 0; i < space->n_sites; i++)
        if (strcmp(space->sites[i].map, map) == 0)
            return i;
    return -1;
}

int nw_space_stage_blocks(const nw_space *space, int stage, int *list)
{
    int n = 0;
    for (int i = 0; i < space->n_sites; i++)
        if (space->sites[i].stage == stage && nw_block_kind_is_main(space->sites[i].kind))
            list[n++] = i;
    return n;
}

static bool keeps_map(const nw_block *b)
{
    return b->in_h == b->out_h && b->in_w == b->out_w && b->in_c == b->out_c;
}

/* Blocks go from the end of the stage, those that make a map like the one they read. */
static void find_drops(nw_space *space, int dim)
{
    int n_blocks, *list = nw_alloc(((size_t)space->n_sites + 1) * sizeof *list);
    const nw_block *blocks = nw_arch_blocks(space->base, &n_blocks);
    int n = nw_space_stage_blocks(space, space->sites[space->dims[dim].blocks[0]].stage, list);
    int n_gone = 0;
    for (int i = n - 1; i > 0; i--)
        if (keeps_map(&blocks[list[i]])) {
            space->sites[list[i]].depth_dim = dim;
            space->sites[list[i]].depth_n = n - n_gone++;
        }
    free(list);
}

void nw_space_find_sites(nw_space *space)
{
    const nw_block *blocks = nw_arch_blocks(space->base, &space->n_sites);
    space->sites =
        nw_arena_alloc(&space->arena, ((size_t)space->n_sites + 1) * sizeof *space->sites);
    for (int i = 0; i < space->n_sites; i++)
        space->sites[i] = (nw_site){.map = nw_site_map(space->base, &blocks[i]),
                                    .stage = blocks[i].stage,
                                    .index = blocks[i].index,
                                    .kind = blocks[i].kind,
                                    .in_c = blocks[i].in_c,
                                    .mid_c = blocks[i].mid_c,
                                    .out_c = blocks[i].out_c,
                                    .squeeze_c = blocks[i].squeeze_c,
                                    .depth_dim = -1,
                                    .depth_n = 1};
    for (int d = 0; d < space->n_dims; d++)
        if (space->dims[d].kind == NW_DIM_DEPTH)
            find_drops(space, d);
}

/* ---- what blocks have ---- */

static bool has_group(const nw_space *space, nw_tensor_id map)
{
    int n, group = nw_arch_group_of(space->base, map, NULL, 0);
    const nw_channel_group *groups = nw_arch_groups(space->base, &n);
    return group >= 0 && !groups[group].is_fixed;
}

static bool can_resize_inner(const nw_space *space, const nw_block *block)
{
    const nw_block_part *expand = &block->parts[NW_PART_EXPAND];
    if (expand->conv != NW_NONE)
        return has_group(space, expand->out);
    return (nw_block_kind_expands(block->kind) || block->kind == NW_BLOCK_BASIC) &&
           has_group(space, block->parts[NW_PART_SPATIAL].out);
}

bool nw_site_has(const nw_space *space, int site, nw_dim_kind kind)
{
    int n;
    const nw_block *block = &nw_arch_blocks(space->base, &n)[site];
    switch (kind) {
    case NW_DIM_CHANNELS:
    case NW_DIM_WIDTH:
        return (nw_block_kind_is_main(block->kind) || block->kind == NW_BLOCK_UPSAMPLE ||
                block->kind == NW_BLOCK_FC) &&
               has_group(space, block->out);
    case NW_DIM_VARIANT:
        return nw_block_kind_is_main(block->kind) && block->kind != NW_BLOCK_BASIC &&
               block->kind != NW_BLOCK_BOTTLENECK;
    case NW_DIM_EXPANSION:
    case NW_DIM_EXPANDED:
        return can_resize_inner(space, block);
    case NW_DIM_KERNEL:
        return nw_block_kind_is_main(block->kind);
    case NW_DIM_SQUEEZE:
        return nw_block_kind_is_main(block->kind) && block->parts[NW_PART_PROJECT].conv != NW_NONE;
    case NW_DIM_DEPTH:
        return nw_block_kind_is_main(block->kind);
    case NW_DIM_PRECISION:
        return true;
    case NW_DIM_RESOLUTION:
    case NW_DIM_COUNT:
        break;
    }
    return false;
}

/* ---- picking ---- */

/* "2.1", "2", "1-3", "ibn", "ibn@1-3", "*": the grammar of edits, read by an edit. */
static nw_status read_selector(const char *text, nw_selector *out, nw_error *err)
{
    nw_buf line = {0};
    nw_edit edit;
    nw_error why = {.message = ""};
    char shown[64];
    nw_buf_printf(&line, "precision %s file", text);
    nw_status status = nw_edit_read(nw_buf_text(&line), &edit, &why);
    nw_buf_fini(&line);
    if (status != NW_OK || !text[0] || strchr(text, ' '))
        return nw_fail(err, NW_INVALID, "",
                       "'%s' names no blocks: write 2.1, 2, 1-3, ibn, ibn@1-3 or *",
                       nw_text_fit(text, shown, sizeof shown));
    *out = edit.where;
    return NW_OK;
}

static bool matches(const nw_selector *where, const nw_site *site)
{
    return (where->kind < 0 || where->kind == (int)site->kind) &&
           (where->first_stage < 0 ||
            (site->stage >= where->first_stage && site->stage <= where->last_stage)) &&
           (where->index < 0 || where->index == site->index);
}

static nw_status pick_nothing(const nw_space *space, const char *text, nw_error *err)
{
    int n_stages = nw_arch_n_stages(space->base);
    char shown[64];
    return nw_fail(err, NW_INVALID, "", "'%s' picks no block: the network has stages 0 to %d",
                   nw_text_fit(text, shown, sizeof shown), n_stages - 1);
}

nw_status nw_space_pick(const nw_space *space, const char *where, int *picks, int *n, nw_error *err)
{
    uint8_t *is_picked = nw_zalloc((size_t)space->n_sites + 1);
    nw_status status = NW_OK;
    for (const char *at = where; status == NW_OK;) {
        nw_selector selector = {0};
        char word[64];
        size_t length = strcspn(at, ",");
        snprintf(word, sizeof word, "%.*s", (int)(length < 63 ? length : 63), at);
        status = read_selector(word, &selector, err);
        int n_here = 0;
        for (int i = 0; status == NW_OK && i < space->n_sites; i++)
            if (matches(&selector, &space->sites[i])) {
                is_picked[i] = 1;
                n_here++;
            }
        if (status == NW_OK && !n_here)
            status = pick_nothing(space, word, err);
        if (!at[length])
            break;
        at += length + 1;
    }
    *n = 0;
    for (int i = 0; i < space->n_sites; i++)
        if (is_picked[i])
            picks[(*n)++] = i;
    free(is_picked);
    return status;
}
