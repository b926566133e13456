/* rewrite.c - every block written anew from its parameters: the proof that they say enough.
 *
 * The convolutions of a block get their channels, groups, kernel, stride and dilation from the
 * block, not from the nodes that it was lifted from; weights, padding, normalisation, activation,
 * and what stands between convolutions (gates, residual adds, quantisers, reshapes) are taken over.
 */
#include <stdio.h>

#include "src/arch/edit.h"

/* Channels between the parts of a block: what each reads and makes. */
typedef struct channels {
    int64_t in, out, groups;
    bool is_spatial;
} channels;

static channels spatial_of(const nw_block *b)
{
    bool has_expand = b->parts[NW_PART_EXPAND].conv != NW_NONE;
    bool has_project = b->parts[NW_PART_PROJECT].conv != NW_NONE;
    int64_t in = has_expand ? b->mid_c : b->in_c;
    int64_t out = b->kind == NW_BLOCK_TUCKER                 ? b->rank_out
                  : b->kind == NW_BLOCK_BASIC || has_project ? b->mid_c
                                                             : b->out_c;
    return (channels){in, out, b->groups, true};
}

static channels channels_of(const nw_block *b, nw_part_role role)
{
    channels spatial = spatial_of(b);
    switch (role) {
    case NW_PART_EXPAND:
        return (channels){b->in_c, b->mid_c, 1, false};
    case NW_PART_SPATIAL:
        return spatial;
    case NW_PART_SPATIAL_2:
        return (channels){b->mid_c, b->out_c, 1, true};
    case NW_PART_PROJECT:
        return (channels){spatial.out, b->out_c, 1, false};
    case NW_PART_SQUEEZE:
        return (channels){spatial.out, b->squeeze_c, 1, false};
    case NW_PART_EXCITE:
        return (channels){b->squeeze_c, spatial.out, 1, false};
    default:
        return (channels){b->in_c, b->out_c, 1, false};
    }
}

/* What the parameters of the block say of one of its convolutions. */
static nw_piece_form form_of(const nw_draft *draft, const nw_block *block, nw_part_role role,
                             const nw_piece *piece)
{
    nw_piece_form form = nw_piece_form_of(draft->old, piece);
    channels c = channels_of(block, role);
    form.in_c = c.in;
    form.out_c = c.out;
    form.groups = c.groups;
    if (role == NW_PART_SPATIAL || role == NW_PART_SPATIAL_2) {
        form.window.kernel = block->kernel;
        form.window.dilation = block->dilation;
    }
    if (role == NW_PART_SPATIAL)
        form.window.stride = block->stride;
    return form;
}

static bool is_same_form(const nw_piece_form *a, const nw_piece_form *b)
{
    return a->in_c == b->in_c && a->out_c == b->out_c && a->groups == b->groups &&
           a->window.kernel == b->window.kernel && a->window.stride == b->window.stride &&
           a->window.dilation == b->window.dilation;
}

static nw_status rewrite_block(nw_draft *draft, const nw_block *block, nw_error *err)
{
    char where[16];
    for (int role = 0; role < NW_PART_COUNT; role++) {
        nw_piece piece;
        if (block->parts[role].conv == NW_NONE ||
            nw_piece_find(draft->arch, block, (nw_part_role)role, &piece, NULL) != NW_OK)
            continue;
        nw_piece_form is = nw_piece_form_of(draft->old, &piece);
        nw_piece_form form = form_of(draft, block, (nw_part_role)role, &piece);
        if (!is_same_form(&is, &form))
            return nw_fail(err, NW_INVALID, nw_block_label(block, where, sizeof where),
                           "its parameters say %lld -> %lld k%d s%d g%lld of part %d, the nodes "
                           "%lld -> %lld k%d s%d g%lld",
                           (long long)form.in_c, (long long)form.out_c, form.window.kernel,
                           form.window.stride, (long long)form.groups, role, (long long)is.in_c,
                           (long long)is.out_c, is.window.kernel, is.window.stride,
                           (long long)is.groups);
        nw_piece_emit(draft, &piece, &form, true, "anew", piece.in, piece.out);
    }
    return NW_OK;
}

nw_status nw_arch_rewrite(const nw_arch *arch, const nw_arch **out, nw_error *err)
{
    int n;
    nw_draft draft;
    nw_graph *graph;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    nw_status status = NW_OK;
    nw_draft_init(&draft, arch);
    for (int i = 0; i < n && status == NW_OK; i++)
        if (nw_block_kind_is_main(blocks[i].kind))
            status = rewrite_block(&draft, &blocks[i], err);
    if (status == NW_OK)
        status = nw_edit_seal(&draft, &graph, err);
    nw_draft_fini(&draft);
    if (status == NW_OK)
        *out = nw_arch_derive(arch, graph, NULL, 0);
    return status;
}
