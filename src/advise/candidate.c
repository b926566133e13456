/* candidate.c - the edits that are one key away from a network. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/advise/internal.h"
#include "src/base/arena.h"

nw_selector nw_select_block(const nw_block *block)
{
    return (nw_selector){-1, block->stage, block->stage, block->index};
}

nw_selector nw_select_stage(int stage, int kind)
{
    return (nw_selector){kind, stage, stage, -1};
}

bool nw_block_has_channels(const nw_block *block)
{
    return block->kind != NW_BLOCK_OP && block->kind != NW_BLOCK_POOL && block->out_c > 0;
}

bool nw_selects(const nw_selector *where, const nw_block *block)
{
    return (where->kind < 0 || where->kind == (int)block->kind) &&
           (where->first_stage < 0 || block->stage >= where->first_stage) &&
           (where->last_stage < 0 || block->stage <= where->last_stage) &&
           (where->index < 0 || where->index == block->index);
}

static nw_candidate *add(nw_candidate_list *list, const nw_edit *edit, const char *format, ...)
    NW_PRINTF(3, 4);

static nw_candidate *add(nw_candidate_list *list, const nw_edit *edit, const char *format, ...)
{
    list->items = nw_grow(list->items, list->n, &list->capacity, sizeof *list->items);
    nw_candidate *c = &list->items[list->n++];
    *c = (nw_candidate){.edit = *edit};
    va_list args;
    va_start(args, format);
    vsnprintf(c->label, sizeof c->label, format, args);
    va_end(args);
    return c;
}

/* "2.1", "stage 2". */
static const char *place(const nw_block *block, bool as_stage, char *dst, size_t size)
{
    if (!as_stage)
        return nw_block_label(block, dst, size);
    snprintf(dst, size, "stage %d", block->stage);
    return dst;
}

static nw_edit begin(nw_edit_kind kind, const nw_block *block, bool as_stage)
{
    nw_edit edit;
    nw_edit_init(&edit, kind);
    edit.where = as_stage ? nw_select_stage(block->stage, block->kind) : nw_select_block(block);
    return edit;
}

/* ---- variants ---- */

/* What each kind can become, nearest first; all alike: nothing. */
static const nw_block_kind variants[NW_BLOCK_COUNT][4] = {
    [NW_BLOCK_IBN] = {NW_BLOCK_FUSED, NW_BLOCK_GROUPED, NW_BLOCK_TUCKER, NW_BLOCK_COUNT},
    [NW_BLOCK_FUSED] = {NW_BLOCK_IBN, NW_BLOCK_FUSED_GROUPED, NW_BLOCK_TUCKER, NW_BLOCK_COUNT},
    [NW_BLOCK_TUCKER] = {NW_BLOCK_IBN, NW_BLOCK_FUSED, NW_BLOCK_COUNT},
    [NW_BLOCK_GROUPED] = {NW_BLOCK_IBN, NW_BLOCK_FUSED, NW_BLOCK_COUNT},
    [NW_BLOCK_FUSED_GROUPED] = {NW_BLOCK_FUSED, NW_BLOCK_IBN, NW_BLOCK_COUNT},
    [NW_BLOCK_DSEP] = {NW_BLOCK_CONV, NW_BLOCK_IBN, NW_BLOCK_COUNT},
    [NW_BLOCK_CONV] = {NW_BLOCK_DSEP, NW_BLOCK_COUNT},
};

static bool has_variants(const nw_block *block)
{
    bool is_plain_conv = block->kind == NW_BLOCK_CONV;
    return variants[block->kind][0] != variants[block->kind][1] &&
           (!is_plain_conv || (block->kernel > 1 && block->groups == 1));
}

static void add_variant(const nw_block *block, bool as_stage, nw_block_kind kind, double expansion,
                        nw_candidate_list *out)
{
    char at[24], own[24] = "";
    nw_edit edit = begin(NW_EDIT_VARIANT, block, as_stage);
    edit.block = kind;
    edit.number = expansion;
    place(block, as_stage, at, sizeof at);
    if (expansion > 0)
        snprintf(own, sizeof own, " e%g", expansion);
    if (block->kind == NW_BLOCK_IBN && kind == NW_BLOCK_FUSED)
        add(out, &edit, "fuse %s%s", at, own);
    else if (block->kind == NW_BLOCK_FUSED && kind == NW_BLOCK_IBN)
        add(out, &edit, "unfuse %s%s", at, own);
    else
        add(out, &edit, "%s %s -> %s%s", at, nw_block_kind_name(block->kind),
            nw_block_kind_name(kind), own);
}

/* Fused blocks are published with expansion 4 where their inverted bottlenecks have 6
 * (MobileNet-EdgeTPU, EfficientNetV2): offered beside the block's own. */
void nw_candidates_variant(const nw_arch *arch, const nw_block *block, bool as_stage,
                           nw_candidate_list *out)
{
    (void)arch;
    if (!has_variants(block))
        return;
    for (int i = 0; i < 4 && variants[block->kind][i] != NW_BLOCK_COUNT; i++) {
        nw_block_kind kind = variants[block->kind][i];
        add_variant(block, as_stage, kind, 0, out);
        if (block->kind == NW_BLOCK_IBN && kind == NW_BLOCK_FUSED && block->expansion > 4)
            add_variant(block, as_stage, kind, 4, out);
        if (as_stage)
            return; /* one key fuses a stage, the rest is chosen block by block */
    }
}

/* ---- channels ---- */

void nw_candidates_channels(const nw_arch *arch, const nw_hw *hw, const nw_block *block,
                            nw_candidate_list *out)
{
    int64_t step = nw_align_step(hw), now = block->out_c;
    int64_t up = (now / step + 1) * step, down = (now + step - 1) / step * step - step;
    int n_groups;
    char at[24], why[160] = "";
    const nw_channel_group *groups = nw_arch_groups(arch, &n_groups);
    int group = nw_arch_group_of(arch, block->out, why, sizeof why);
    if (group >= 0 && groups[group].is_fixed)
        snprintf(why, sizeof why, "%s", groups[group].why);
    bool is_free = group >= 0 && !groups[group].is_fixed;
    int64_t wanted[] = {down, up};
    for (int i = 0; i < 2; i++) {
        nw_edit edit = begin(NW_EDIT_CHANNELS, block, false);
        edit.mode = NW_COUNT_SET;
        edit.count = wanted[i];
        if (wanted[i] <= 0)
            continue;
        nw_candidate *c = add(out, &edit, "%s c%lld -> %lld", place(block, false, at, sizeof at),
                              (long long)now, (long long)wanted[i]);
        if (!is_free)
            snprintf(c->why, sizeof c->why, "%s", why);
    }
}

/* ---- expansion ---- */

bool nw_block_expands(const nw_block *block)
{
    return nw_block_kind_expands(block->kind) && block->in_c > 0 && block->mid_c != block->in_c;
}

/* The next of the expansions that blocks are published with; and the expanded channels on the
 * lanes, where they are not. */
void nw_candidates_expansion(const nw_hw *hw, const nw_block *block, bool as_stage,
                             nw_candidate_list *out)
{
    static const double published[] = {1, 2, 3, 4, 6, 8};
    enum { N = sizeof published / sizeof *published };
    double less = 0, more = 0, now = block->expansion;
    char at[24];
    if (!nw_block_expands(block))
        return;
    for (int i = 0; i < N; i++)
        if (published[i] < now - 1e-6)
            less = published[i];
    for (int i = N - 1; i >= 0; i--)
        if (published[i] > now + 1e-6)
            more = published[i];
    double wanted[] = {less, more};
    for (int i = 0; i < 2; i++) {
        nw_edit edit = begin(NW_EDIT_EXPANSION, block, as_stage);
        edit.number = wanted[i];
        if (wanted[i] > 0)
            add(out, &edit, "%s e%.3g -> %g", place(block, as_stage, at, sizeof at), now,
                wanted[i]);
    }
    if (!as_stage)
        nw_candidates_alignment(hw, block, out);
}

void nw_candidates_alignment(const nw_hw *hw, const nw_block *block, nw_candidate_list *out)
{
    int64_t step = nw_align_step(hw), rest = block->mid_c % step;
    char at[24];
    for (int i = 0; i < 2 && rest; i++) {
        nw_edit edit = begin(NW_EDIT_EXPANSION, block, false);
        edit.mode = NW_COUNT_SET;
        edit.count = block->mid_c - rest + i * step;
        if (edit.count > 0)
            add(out, &edit, "%s expanded c%lld -> %lld", place(block, false, at, sizeof at),
                (long long)block->mid_c, (long long)edit.count);
    }
}

/* ---- kernel, squeeze, activation, residual ---- */

static bool has_window(const nw_block *block)
{
    switch (block->kind) {
    case NW_BLOCK_CONV:
    case NW_BLOCK_DSEP:
    case NW_BLOCK_IBN:
    case NW_BLOCK_FUSED:
    case NW_BLOCK_TUCKER:
    case NW_BLOCK_GROUPED:
    case NW_BLOCK_FUSED_GROUPED:
    case NW_BLOCK_BASIC:
    case NW_BLOCK_BOTTLENECK:
        return block->kernel > 1;
    default:
        return false;
    }
}

void nw_candidates_kernel(const nw_block *block, bool as_stage, nw_candidate_list *out)
{
    int now = block->kernel, less = now > 7 ? 7 : now > 5 ? 5 : now > 3 ? 3 : 0;
    int more = now < 3 ? 3 : now < 5 ? 5 : now < 7 ? 7 : 0;
    int wanted[] = {less, more};
    char at[24];
    if (!has_window(block))
        return;
    for (int i = 0; i < 2; i++) {
        nw_edit edit = begin(NW_EDIT_KERNEL, block, as_stage);
        edit.count = wanted[i];
        if (wanted[i])
            add(out, &edit, "%s k%d -> %d", place(block, as_stage, at, sizeof at), now, wanted[i]);
    }
}

/* 0.25 of the block's input channels, as in EfficientNet. */
void nw_candidates_squeeze(const nw_block *block, nw_candidate_list *out)
{
    char at[24];
    nw_edit edit = begin(NW_EDIT_SQUEEZE, block, false);
    place(block, false, at, sizeof at);
    if (block->squeeze_c > 0) {
        add(out, &edit, "%s without squeeze", at);
    } else if (block->kind == NW_BLOCK_IBN) {
        edit.number = 0.25;
        add(out, &edit, "%s squeeze 0.25", at);
    }
}

nw_act_cost nw_act_cost_of(const nw_hw *hw, nw_op act)
{
    if (act == NW_OP_IDENTITY)
        return NW_ACT_FREE;
    if (hw->ops[act].support == NW_OP_HOST)
        return NW_ACT_HOST;
    if (hw->ops[act].support == NW_OP_SLOW)
        return NW_ACT_SLOW;
    return act == NW_OP_RELU || act == NW_OP_RELU6 || act == NW_OP_CLIP ? NW_ACT_FREE
                                                                        : NW_ACT_TABLE;
}

nw_op nw_block_dear_act(const nw_hw *hw, const nw_block *block)
{
    static const nw_part_role roles[] = {NW_PART_EXPAND, NW_PART_SPATIAL, NW_PART_SPATIAL_2,
                                         NW_PART_PROJECT};
    nw_op worst = NW_OP_IDENTITY;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        const nw_block_part *part = &block->parts[roles[i]];
        if (part->conv != NW_NONE && nw_act_cost_of(hw, part->act) > nw_act_cost_of(hw, worst))
            worst = part->act;
    }
    return worst;
}

nw_op nw_act_replacement(const nw_hw *hw, nw_op act)
{
    static const nw_op replacements[] = {NW_OP_RELU, NW_OP_RELU6};
    nw_act_cost now = nw_act_cost_of(hw, act);
    /* the nearest function first: it costs the training least */
    if (act == NW_OP_SWISH && nw_act_cost_of(hw, NW_OP_HARD_SWISH) < now)
        return NW_OP_HARD_SWISH;
    for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++)
        if (nw_act_cost_of(hw, replacements[i]) < now)
            return replacements[i];
    return NW_OP_IDENTITY;
}

void nw_candidates_act(const nw_hw *hw, const nw_block *block, nw_candidate_list *out)
{
    nw_op act = nw_block_dear_act(hw, block), by = nw_act_replacement(hw, act);
    char at[24];
    if (act == NW_OP_IDENTITY || by == NW_OP_IDENTITY)
        return;
    nw_edit edit = begin(NW_EDIT_ACT, block, false);
    edit.act = by;
    add(out, &edit, "%s %s -> %s", place(block, false, at, sizeof at), nw_op_name(act),
        nw_op_name(by));
}

void nw_candidates_residual(const nw_block *block, nw_candidate_list *out)
{
    char at[24];
    if (!block->has_residual)
        return;
    nw_edit edit = begin(NW_EDIT_RESIDUAL, block, false);
    add(out, &edit, "%s without residual", place(block, false, at, sizeof at));
}

/* ---- depth ---- */

/* A single convolution is no stage to make deeper: stems and classifiers. */
void nw_candidates_depth(const nw_arch *arch, int stage, nw_candidate_list *out)
{
    int n_blocks, depth = 0;
    bool is_plain = true;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    for (int i = 0; i < n_blocks; i++) {
        if (blocks[i].stage != stage || !nw_block_kind_is_main(blocks[i].kind))
            continue;
        depth++;
        is_plain &= blocks[i].kind == NW_BLOCK_CONV;
    }
    for (int change = -1; change <= 1; change += 2) {
        nw_edit edit;
        nw_edit_init(&edit, NW_EDIT_DEPTH);
        edit.where = nw_select_stage(stage, -1);
        edit.count = depth + change;
        if (edit.count > 0 && (depth > 1 || !is_plain))
            add(out, &edit, "stage %d depth %d -> %d", stage, depth, depth + change);
    }
}
