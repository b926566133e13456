/* variant.c - one kind of block becomes another between the same two maps.
 *
 * A kind is a row of convolutions; those that two kinds share in kind and size stay as they are,
 * weights included. Nodes that stay keep their names.
 */
#include <math.h>
#include <stdio.h>

#include "src/arch/edit.h"

#define GROUP_SIZE 64 /* channels a group of grouped blocks (MobileNetEdgeTPUv2) */
/* Where a block without expansion gets one that nobody named: Sandler et al. 2018. */
#define USUAL_EXPANSION 6.0
/* Ranks of a Tucker block over its ends that nobody named: the wider of Xiong et al. 2021. */
#define USUAL_RANK 0.75

typedef struct plan {
    bool has_expand, has_project;
    int64_t in_c, mid_c, rank_c, out_c; /* rank_c: what the spatial convolution makes */
    int64_t groups;
} plan;

typedef struct parts {
    bool has_expand, has_project, has_squeeze;
    nw_piece expand, spatial, project, squeeze[2];
} parts;

static bool can_become(nw_block_kind from, nw_block_kind to)
{
    if (from == NW_BLOCK_CONV)
        return to == NW_BLOCK_DSEP;
    if (from == NW_BLOCK_DSEP && to == NW_BLOCK_CONV)
        return true;
    return (nw_block_kind_expands(from) || from == NW_BLOCK_DSEP || from == NW_BLOCK_TUCKER) &&
           (nw_block_kind_expands(to) || to == NW_BLOCK_DSEP || to == NW_BLOCK_TUCKER);
}

static int64_t times(int64_t channels, double factor)
{
    int64_t n = llround((double)channels * factor);
    return n < 1 ? 1 : n;
}

/* Ranks are multiples of 8, where there are as many channels. */
static int64_t rank_of(int64_t channels, double factor)
{
    int64_t n = times(channels, factor);
    return n < 8 ? n : (n + 4) / 8 * 8;
}

static int64_t expanded(const nw_block *block, const nw_edit *edit)
{
    if (edit->number > 0)
        return times(block->in_c, edit->number);
    return nw_block_kind_expands(block->kind) ? block->mid_c : times(block->in_c, USUAL_EXPANSION);
}

static nw_status plan_groups(const nw_block *block, const char *where, plan *out, nw_error *err)
{
    int64_t in = out->has_expand ? out->mid_c : out->in_c;
    (void)block;
    if (out->mid_c % GROUP_SIZE)
        return nw_fail(err, NW_INVALID, where,
                       "cannot be grouped: %d channels a group do not "
                       "divide %lld",
                       GROUP_SIZE, (long long)out->mid_c);
    out->groups = out->mid_c / GROUP_SIZE;
    if (out->groups == 1)
        return nw_fail(err, NW_INVALID, where,
                       "cannot be grouped: %d channels a group make one group of %lld", GROUP_SIZE,
                       (long long)out->mid_c);
    if (in % out->groups)
        return nw_fail(err, NW_INVALID, where,
                       "cannot be grouped: %lld input channels are no multiple of %lld groups",
                       (long long)in, (long long)out->groups);
    return NW_OK;
}

static nw_status plan_kind(const nw_block *block, const nw_edit *edit, const char *where, plan *out,
                           nw_error *err)
{
    *out = (plan){.in_c = block->in_c, .mid_c = block->in_c, .out_c = block->out_c, .groups = 1};
    out->has_project = edit->block != NW_BLOCK_CONV;
    out->has_expand = edit->block == NW_BLOCK_IBN || edit->block == NW_BLOCK_GROUPED ||
                      edit->block == NW_BLOCK_TUCKER;
    if (nw_block_kind_expands(edit->block))
        out->mid_c = expanded(block, edit);
    out->rank_c = out->mid_c;
    switch (edit->block) {
    case NW_BLOCK_CONV:
        out->rank_c = block->out_c;
        return NW_OK;
    case NW_BLOCK_DSEP:
    case NW_BLOCK_IBN:
        out->groups = out->mid_c;
        if (out->mid_c < 2)
            return nw_fail(err, NW_INVALID, where, "has one channel: that is no depthwise map");
        return NW_OK;
    case NW_BLOCK_TUCKER: {
        double ratio = edit->number > 0 ? edit->number : USUAL_RANK;
        out->mid_c = rank_of(block->in_c, ratio);
        out->rank_c = rank_of(block->out_c, ratio);
        return NW_OK;
    }
    case NW_BLOCK_GROUPED:
    case NW_BLOCK_FUSED_GROUPED:
        return plan_groups(block, where, out, err);
    default:
        return NW_OK;
    }
}

static nw_status find_parts(const nw_draft *draft, const nw_block *block, parts *out, nw_error *err)
{
    const nw_arch *arch = draft->arch;
    *out = (parts){.has_expand = block->parts[NW_PART_EXPAND].conv != NW_NONE,
                   .has_project = block->parts[NW_PART_PROJECT].conv != NW_NONE,
                   .has_squeeze = block->squeeze_c > 0};
    nw_status status = nw_piece_find(arch, block, NW_PART_SPATIAL, &out->spatial, err);
    if (status == NW_OK && out->has_expand)
        status = nw_piece_find(arch, block, NW_PART_EXPAND, &out->expand, err);
    if (status == NW_OK && out->has_project)
        status = nw_piece_find(arch, block, NW_PART_PROJECT, &out->project, err);
    if (status == NW_OK && out->has_squeeze)
        status = nw_squeeze_check(draft, block, out->squeeze, err);
    return status;
}

/* Without expansion, the spatial convolution reads what the expansion read. */
static nw_status check_expand(const nw_draft *draft, const parts *p, const char *where,
                              nw_error *err)
{
    if (nw_glue_begin(draft->old, p->spatial.in) != p->expand.out)
        return nw_fail(err, NW_INVALID, where,
                       "has other operators between its expansion and its k x k (space to batch?)");
    if (!nw_glue_is_private(draft, p->expand.out))
        return nw_fail(err, NW_INVALID, where,
                       "cannot lose its expansion: its expanded map is read elsewhere too");
    return NW_OK;
}

static void set_spatial(nw_draft *draft, const parts *p, const plan *to)
{
    nw_piece_form form = nw_piece_form_of(draft->old, &p->spatial);
    form.in_c = to->has_expand ? to->mid_c : to->in_c;
    form.out_c = to->rank_c;
    form.groups = to->groups;
    nw_node_id first = p->spatial.nodes[0];
    if (to->has_expand && !p->has_expand) {
        nw_piece_form point = form;
        point.window = nw_window_point(&form.window);
        point.in_c = to->in_c;
        point.out_c = to->mid_c;
        point.groups = 1;
        point.is_new = true;
        nw_tensor_id map =
            nw_piece_emit(draft, &p->spatial, &point, false, "expand", p->spatial.in, NW_NONE);
        map = nw_glue_emit(draft, p->spatial.out, map, "expand");
        draft->graph->nodes[first].inputs[0] = map;
    }
    if (!to->has_expand && p->has_expand)
        draft->graph->nodes[first].inputs[0] = p->expand.in;
    nw_piece_set(draft, &p->spatial, p->spatial.nodes, &form);
}

static void set_project(nw_draft *draft, const parts *p, const plan *to)
{
    nw_piece_form form = nw_piece_form_of(draft->old, p->has_project ? &p->project : &p->spatial);
    form.in_c = to->rank_c;
    form.out_c = to->out_c;
    if (p->has_project && to->has_project) {
        nw_piece_set(draft, &p->project, p->project.nodes, &form);
    } else if (p->has_project) {
        nw_draft_merge(draft, nw_glue_begin(draft->old, p->project.in), p->project.out);
    } else if (to->has_project) {
        nw_tensor_id out = p->spatial.out;
        nw_tensor_id map = nw_draft_tensor(draft, out, "depthwise");
        nw_node_id last = p->spatial.nodes[p->spatial.n_nodes - 1];
        draft->graph->nodes[last].outputs[0] = map;
        map = nw_glue_emit(draft, out, map, "depthwise");
        form.window = nw_window_point(&form.window);
        form.groups = 1;
        form.is_new = true;
        nw_piece_emit(draft, &p->spatial, &form, false, "pointwise", map, out);
    }
}

static void set_expand(nw_draft *draft, const parts *p, const plan *to)
{
    if (!p->has_expand || !to->has_expand)
        return;
    nw_piece_form form = nw_piece_form_of(draft->old, &p->expand);
    form.out_c = to->mid_c;
    nw_piece_set(draft, &p->expand, p->expand.nodes, &form);
}

static bool is_same(const nw_block *block, const nw_edit *edit, const plan *to)
{
    return block->kind == edit->block && block->groups == to->groups &&
           (!nw_block_kind_expands(block->kind) || block->mid_c == to->mid_c) &&
           (block->kind != NW_BLOCK_TUCKER || edit->number == 0 ||
            (block->mid_c == to->mid_c && block->rank_out == to->rank_c));
}

static void describe(const nw_block *block, const nw_edit *edit, const plan *to, nw_edit_note *note)
{
    char before[32] = "", after[32] = "";
    if (nw_block_kind_expands(block->kind))
        snprintf(before, sizeof before, " e%.3g", block->expansion);
    if (nw_block_kind_expands(edit->block) || edit->block == NW_BLOCK_TUCKER)
        snprintf(after, sizeof after, " e%.3g", (double)to->mid_c / (double)to->in_c);
    if (note->is_done)
        snprintf(note->text, sizeof note->text, "%s%s -> %s%s", nw_block_kind_name(block->kind),
                 before, nw_block_kind_name(edit->block), after);
    else
        snprintf(note->text, sizeof note->text, "already %s%s", nw_block_kind_name(block->kind),
                 before);
}

nw_status nw_edit_variant(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                          nw_edit_note *note, nw_error *err)
{
    char where[16];
    parts p;
    plan to;
    nw_block_label(block, where, sizeof where);
    if (edit->block != block->kind && !can_become(block->kind, edit->block)) {
        bool wants_expansion = block->kind == NW_BLOCK_CONV && nw_block_kind_expands(edit->block);
        return nw_fail(err, NW_INVALID, where,
                       wants_expansion ? "has no expansion for kind %s: it is a block of kind %s"
                                       : "cannot become kind %s: it is a block of kind %s",
                       nw_block_kind_name(edit->block), nw_block_kind_name(block->kind));
    }
    if (edit->block == block->kind && !can_become(block->kind, NW_BLOCK_DSEP) &&
        block->kind != NW_BLOCK_DSEP) {
        note->is_done = false;
        snprintf(note->text, sizeof note->text, "already %s", nw_block_kind_name(block->kind));
        return NW_OK;
    }
    nw_status status = plan_kind(block, edit, where, &to, err);
    if (status == NW_OK && (edit->block == block->kind) && is_same(block, edit, &to)) {
        note->is_done = false;
        describe(block, edit, &to, note);
        return NW_OK;
    }
    if (status == NW_OK)
        status = find_parts(draft, block, &p, err);
    if (status == NW_OK && p.has_expand && !to.has_expand)
        status = check_expand(draft, &p, where, err);
    if (status != NW_OK)
        return status;
    bool is_squashed = p.has_project && block->parts[NW_PART_PROJECT].act != NW_OP_IDENTITY;
    set_expand(draft, &p, &to);
    set_spatial(draft, &p, &to);
    set_project(draft, &p, &to);
    if (p.has_squeeze && to.has_project)
        nw_squeeze_set(draft, p.squeeze, to.rank_c, p.squeeze[0].geometry.out_c);
    if (is_squashed && edit->block != NW_BLOCK_DSEP && to.has_project)
        nw_piece_set_act(draft, &p.project, NW_OP_IDENTITY);
    describe(block, edit, &to, note);
    return NW_OK;
}
