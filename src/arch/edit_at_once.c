/* edit_at_once.c - edits of different blocks of one network in one go. */
#include <stdio.h>
#include <stdlib.h>

#include "src/arch/edit.h"

static const nw_block *find_block(const nw_arch *arch, const nw_selector *where)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < n; i++)
        if (blocks[i].stage == where->first_stage && blocks[i].index == where->index)
            return &blocks[i];
    return NULL;
}

static bool is_resize(nw_edit_kind kind)
{
    return kind == NW_EDIT_CHANNELS || kind == NW_EDIT_EXPANSION;
}

static nw_status find_blocks(const nw_arch *arch, const nw_edit *edits, int n,
                             const nw_block **blocks, nw_error *err)
{
    for (int i = 0; i < n; i++) {
        bool is_alike = is_resize(edits[0].kind)
                            ? is_resize(edits[i].kind)
                            : edits[i].kind == edits[0].kind && nw_edit_block_doer(edits[i].kind);
        blocks[i] = nw_edit_is_single(&edits[i]) ? find_block(arch, &edits[i].where) : NULL;
        if (!is_alike)
            return nw_fail(err, NW_INVALID, nw_edit_kind_name(edits[i].kind),
                           "does not go at once with %s", nw_edit_kind_name(edits[0].kind));
        if (!blocks[i])
            return nw_fail(err, NW_INVALID, nw_edit_kind_name(edits[i].kind),
                           "names no block of the network");
    }
    return NW_OK;
}

static nw_status edit_blocks(const nw_arch *arch, const nw_edit *edits,
                             const nw_block *const *blocks, int n, nw_graph **out, nw_error *err)
{
    nw_edit_block_fn edit_block = nw_edit_block_doer(edits[0].kind);
    nw_status status = NW_OK;
    nw_draft draft;
    int n_done = 0;
    nw_draft_init(&draft, arch);
    for (int i = 0; i < n && status == NW_OK; i++) {
        nw_edit_note note = {.is_done = true};
        status = edit_block(&draft, blocks[i], &edits[i], &note, err);
        n_done += note.is_done;
    }
    *out = NULL;
    if (status == NW_OK && n_done)
        status = nw_edit_seal(&draft, out, err);
    nw_draft_fini(&draft);
    return status;
}

nw_status nw_arch_apply_at_once(const nw_arch *arch, const nw_edit *edits, int n_edits,
                                const nw_arch **out, nw_error *err)
{
    nw_graph *graph = NULL;
    if (!n_edits) {
        *out = nw_arch_retain(arch);
        return NW_OK;
    }
    const nw_block **blocks = nw_alloc((size_t)n_edits * sizeof *blocks);
    nw_status status = find_blocks(arch, edits, n_edits, blocks, err);
    if (status == NW_OK)
        status = is_resize(edits[0].kind)
                     ? nw_edit_resize_at_once(arch, edits, blocks, n_edits, &graph, err)
                     : edit_blocks(arch, edits, blocks, n_edits, &graph, err);
    free(blocks);
    if (status == NW_OK)
        *out = graph ? nw_arch_derive(arch, graph, NULL, 0) : nw_arch_retain(arch);
    return status;
}
