/* align.c - what it costs to bring channels to the lanes of a hardware, before anybody does it. */
#include <stdio.h>
#include <string.h>

#include "src/advise/internal.h"

/* Labels of the blocks whose output has these channels; "..." when there are more than fit. */
static void list_members(const nw_arch *arch, const nw_block *block, char *dst, size_t size)
{
    int n_blocks, group = nw_arch_group_of(arch, block->out, NULL, 0);
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    size_t used = 0;
    dst[0] = '\0';
    for (int i = 0; i < n_blocks; i++) {
        char label[24];
        bool is_member = group < 0 ? &blocks[i] == block
                                   : nw_arch_group_of(arch, blocks[i].out, NULL, 0) == group;
        if (!is_member)
            continue;
        nw_block_label(&blocks[i], label, sizeof label);
        if (used + strlen(label) + 7 > size) { /* room for ", ..." */
            snprintf(dst + used, size - used, "%s...", used ? ", " : "");
            return;
        }
        used += (size_t)snprintf(dst + used, size - used, "%s%s", used ? ", " : "", label);
    }
}

static void find_price(const nw_subject *subject, const nw_estimate *estimate,
                       const nw_counts *counts, const nw_block *block, nw_edit_kind kind, int64_t n,
                       nw_align_price *out)
{
    nw_error err;
    memset(out, 0, sizeof *out);
    nw_edit_init(&out->edit, kind);
    out->n = n;
    out->edit.where = nw_select_block(block);
    out->edit.mode = NW_COUNT_SET;
    out->edit.count = n;
    if (n <= 0) {
        snprintf(out->why, sizeof out->why, "there are fewer channels than one step");
        return;
    }
    out->is_possible = nw_effect_beside(subject, estimate, counts, &out->edit, 1, &out->effect,
                                        NULL, &err) == NW_OK;
    if (!out->is_possible)
        snprintf(out->why, sizeof out->why, "%.*s", (int)sizeof out->why - 1, err.message);
}

nw_status nw_align_find(const nw_subject *subject, const nw_estimate *estimate,
                        const nw_block *block, nw_edit_kind kind, nw_align *out, nw_error *err)
{
    char label[24];
    bool is_channels = kind == NW_EDIT_CHANNELS;
    nw_block_label(block, label, sizeof label);
    if (!is_channels && (kind != NW_EDIT_EXPANSION || !nw_block_expands(block)))
        return nw_fail(err, NW_UNSUPPORTED, label, "a block %s has no expanded channels",
                       nw_block_kind_name(block->kind));
    int64_t n = is_channels ? block->out_c : block->mid_c, step = nw_align_step(subject->hw);
    if (n <= 0 || block->kind == NW_BLOCK_OP || block->kind == NW_BLOCK_POOL)
        return nw_fail(err, NW_UNSUPPORTED, label, "a block %s has no channels of its own",
                       nw_block_kind_name(block->kind));
    nw_align a = {.n = n, .step = step, .idle = nw_align_idle(subject->hw, n)};
    nw_counts counts;
    nw_graph_count(nw_arch_graph(subject->arch), &counts);
    a.is_aligned = n % step == 0;
    a.nearest_is_up = 2 * (n % step) >= step;
    find_price(subject, estimate, &counts, block, kind, (n - 1) / step * step, &a.down);
    find_price(subject, estimate, &counts, block, kind, (n / step + 1) * step, &a.up);
    if (is_channels)
        list_members(subject->arch, block, a.members, sizeof a.members);
    else
        snprintf(a.members, sizeof a.members, "%s", label);
    *out = a;
    return NW_OK;
}
