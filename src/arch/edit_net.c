/* edit_net.c - edits that reach through the network: channels, expansion, width, resolution.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/arch/edit.h"
#include "src/arch/resize.h"

#define DEFAULT_DIVISOR 8 /* of the width multiplier, as MobileNet's */

/* ---- channels of picked blocks ---- */

/* What is resized for one block: a map, and how many channels it should have. */
typedef struct want {
    nw_tensor_id map;
    int64_t now, wanted;
} want;

static int64_t count_of(const nw_edit *edit, int64_t now)
{
    int64_t step = edit->count;
    int64_t down = now / step * step, up = (now + step - 1) / step * step;
    switch (edit->mode) {
    case NW_COUNT_SET:
        return edit->count;
    case NW_COUNT_DOWN:
        return down > 0 ? down : step;
    case NW_COUNT_UP:
        return up;
    case NW_COUNT_NEAREST:
        return down > 0 && now - down < up - now ? down : up;
    }
    return now;
}

static nw_status want_channels(const nw_block *block, const nw_edit *edit, want *out, nw_error *err)
{
    char where[16];
    if (!nw_block_kind_is_main(block->kind) && block->kind != NW_BLOCK_UPSAMPLE &&
        block->kind != NW_BLOCK_FC && block->kind != NW_BLOCK_HEAD)
        return nw_fail(err, NW_INVALID, nw_block_label(block, where, sizeof where),
                       "has no channels of its own: it is a block of kind %s",
                       nw_block_kind_name(block->kind));
    *out = (want){block->out, block->out_c, count_of(edit, block->out_c)};
    return NW_OK;
}

static nw_status want_expansion(const nw_block *block, const nw_edit *edit, want *out,
                                nw_error *err)
{
    char where[16];
    const nw_block_part *expand = &block->parts[NW_PART_EXPAND];
    bool is_fused = block->kind == NW_BLOCK_FUSED || block->kind == NW_BLOCK_FUSED_GROUPED;
    bool has_inner = expand->conv != NW_NONE || is_fused || block->kind == NW_BLOCK_BASIC;
    if (!has_inner)
        return nw_fail(err, NW_INVALID, nw_block_label(block, where, sizeof where),
                       "has no expansion to change: it is a block of kind %s",
                       nw_block_kind_name(block->kind));
    int64_t wanted = edit->number > 0 ? llround(edit->number * (double)block->in_c)
                                      : count_of(edit, block->mid_c);
    nw_tensor_id map = expand->conv != NW_NONE ? expand->out : block->parts[NW_PART_SPATIAL].out;
    *out = (want){map, block->mid_c, wanted < 1 ? 1 : wanted};
    return NW_OK;
}

/* A group's new number, with the notes of the blocks that asked for it. */
static nw_status find_resize(const nw_groups *groups, const nw_block *block, const want *w,
                             nw_resize *out, nw_error *err)
{
    char where[16], why[200] = "";
    nw_block_label(block, where, sizeof where);
    out->group = nw_groups_of(groups, w->map, why, sizeof why);
    if (out->group < 0)
        return nw_fail(err, NW_INVALID, where, "keeps its channels: %s", why);
    int n;
    const nw_channel_group *group = &nw_groups_list(groups, &n)[out->group];
    if (group->is_fixed)
        return nw_fail(err, NW_INVALID, where, "keeps its channels: %s", group->why);
    out->n = nw_groups_number(groups, out->group, w->map, w->wanted);
    if (out->n <= 0 || out->n % group->multiple)
        return nw_fail(err, NW_INVALID, where,
                       "cannot have %lld channels: they go in steps of %lld", (long long)w->wanted,
                       (long long)(group->multiple * w->now / group->n));
    return NW_OK;
}

typedef nw_status (*want_fn)(const nw_block *block, const nw_edit *edit, want *out, nw_error *err);

/* Adds a resize; false: another block of the group wants another number. */
static bool add_resize(nw_resize *resizes, int *n, nw_resize resize)
{
    for (int i = 0; i < *n; i++)
        if (resizes[i].group == resize.group)
            return resizes[i].n == resize.n;
    resizes[(*n)++] = resize;
    return true;
}

static void describe(nw_edit_work *work, const nw_block *block, const want *w)
{
    char where[16];
    nw_block_label(block, where, sizeof where);
    nw_edit_note *note = nw_edit_add_note(work, where, w->now != w->wanted);
    if (w->now == w->wanted)
        snprintf(note->text, sizeof note->text, "already %lld", (long long)w->now);
    else
        snprintf(note->text, sizeof note->text, "c%lld -> c%lld", (long long)w->now,
                 (long long)w->wanted);
}

/* What one pick asks for; a refusal is noted, or returned where one block alone is meant. */
static nw_status ask_pick(nw_edit_work *work, const nw_groups *groups, const nw_block *block,
                          want_fn find, nw_resize *resizes, int *n_resizes, nw_error *err)
{
    char where[16];
    want w;
    nw_resize resize = {0, 0};
    nw_error why = {.message = ""};
    nw_block_label(block, where, sizeof where);
    nw_status status = find(block, work->edit, &w, &why);
    if (status == NW_OK && w.now != w.wanted)
        status = find_resize(groups, block, &w, &resize, &why);
    if (status == NW_OK && w.now != w.wanted && !add_resize(resizes, n_resizes, resize))
        status = nw_fail(&why, NW_INVALID, where,
                         "shares its channels with a block that would have another number");
    if (status != NW_OK) {
        if (err)
            *err = why;
        nw_edit_note *note = nw_edit_add_note(work, where, false);
        snprintf(note->text, sizeof note->text, "%.159s", why.message);
        return status;
    }
    describe(work, block, &w);
    return NW_OK;
}

static nw_status resize_picks(nw_edit_work *work, want_fn find, nw_graph **out, nw_error *err)
{
    const nw_groups *groups = nw_arch_group_table(work->arch);
    nw_resize *resizes = nw_alloc(((size_t)work->n_picks + 1) * sizeof *resizes);
    nw_error first = {.message = ""}, why = {.message = ""};
    int n_resizes = 0, n_good = 0;
    nw_status status = NW_OK;
    *out = NULL;
    for (int i = 0; i < work->n_picks; i++) {
        nw_status one = ask_pick(work, groups, work->picks[i], find, resizes, &n_resizes, &why);
        n_good += one == NW_OK;
        if (one != NW_OK && !first.message[0])
            first = why;
    }
    if (!work->n_picks)
        status = nw_edit_refuse_nothing(work, err);
    else if (!n_good)
        status = nw_fail(err, NW_INVALID, first.where, "%s", first.message);
    else if (n_resizes)
        status = nw_resize_groups(groups, resizes, n_resizes, out, err);
    free(resizes);
    return status;
}

nw_status nw_edit_channels(nw_edit_work *work, nw_graph **out, nw_error *err)
{
    return resize_picks(work, want_channels, out, err);
}

nw_status nw_edit_expansion(nw_edit_work *work, nw_graph **out, nw_error *err)
{
    return resize_picks(work, want_expansion, out, err);
}

nw_status nw_edit_resize_at_once(const nw_arch *arch, const nw_edit *edits,
                                 const nw_block *const *blocks, int n, nw_graph **out,
                                 nw_error *err)
{
    const nw_groups *groups = nw_arch_group_table(arch);
    nw_resize *resizes = nw_alloc(((size_t)n + 1) * sizeof *resizes);
    int n_resizes = 0;
    nw_status status = NW_OK;
    *out = NULL;
    for (int i = 0; i < n && status == NW_OK; i++) {
        bool is_channels = edits[i].kind == NW_EDIT_CHANNELS;
        want w;
        nw_resize resize = {0, 0};
        status = (is_channels ? want_channels : want_expansion)(blocks[i], &edits[i], &w, err);
        if (status != NW_OK || w.now == w.wanted)
            continue;
        status = find_resize(groups, blocks[i], &w, &resize, err);
        if (status == NW_OK && !add_resize(resizes, &n_resizes, resize))
            status = nw_fail(err, NW_INVALID, "",
                             "shares its channels with a block that would have another number");
    }
    if (status == NW_OK && n_resizes)
        status = nw_resize_groups(groups, resizes, n_resizes, out, err);
    free(resizes);
    return status;
}

/* ---- runs ---- */

typedef struct net_run {
    nw_edit_run *run;
    const nw_groups *groups;
    const nw_lifting *lifting;
    nw_steady *steady;
    nw_resize *resizes;
    int n_resizes;
    size_t capacity;
    bool ends; /* nothing can follow the edit done last */
} net_run;

/* What an edit asks of one block, as a resize of the edit's own (from `first` on), with its note;
 * false: it is refused, or sees what edits before it did. */
static bool ask_block(net_run *b, nw_edit_work *work, const nw_block *block, int first)
{
    const nw_edit *edit = work->edit;
    bool is_expansion = edit->kind == NW_EDIT_EXPANSION;
    want w;
    nw_resize resize;
    nw_status status =
        is_expansion ? want_expansion(block, edit, &w, NULL) : want_channels(block, edit, &w, NULL);
    if (status != NW_OK || nw_steady_changes(b->steady, w.map) ||
        (is_expansion && edit->number > 0 && nw_steady_changes(b->steady, block->in)))
        return false;
    if (w.now != w.wanted) {
        int n_own = b->n_resizes - first;
        if (find_resize(b->groups, block, &w, &resize, NULL) != NW_OK)
            return false;
        b->resizes = nw_grow(b->resizes, (size_t)b->n_resizes, &b->capacity, sizeof *b->resizes);
        if (!add_resize(&b->resizes[first], &n_own, resize))
            return false;
        b->n_resizes = first + n_own;
    }
    if (work->report)
        describe(work, block, &w);
    return true;
}

/* Where groups follow each other in any order, their numbers go on; else this edit is the only one,
 * or the run ends before it. */
static bool take_resizes(net_run *b, int first)
{
    for (int i = first; i < b->n_resizes && !b->ends; i++)
        b->ends = !nw_steady_takes(b->steady, b->resizes[i]);
    if (b->ends && first)
        return false;
    for (int i = first; i < b->n_resizes; i++)
        b->ends |= !nw_steady_set(b->steady, b->resizes[i]);
    return true;
}

/* False: the run ends before edit i. */
static bool add_edit(net_run *b, int i)
{
    const nw_edit *edit = &b->run->edits[i];
    nw_edit_work work = {.arch = b->run->arch, .edit = edit, .report = b->run->report};
    int first = b->n_resizes, n_picks = 0, n_notes = work.report ? work.report->n_notes : 0;
    bool is_good = nw_edit_check(edit, NULL) == NW_OK;
    for (int k = 0; k < b->lifting->n_blocks && is_good; k++) {
        const nw_block *block = &b->lifting->blocks[k];
        if (!nw_selector_matches(&edit->where, block))
            continue;
        is_good = ask_block(b, &work, block, first);
        n_picks++;
    }
    if (is_good && n_picks && take_resizes(b, first)) {
        b->run->is_done[i] = b->n_resizes > first;
        return true;
    }
    b->n_resizes = first;
    if (work.report)
        work.report->n_notes = n_notes;
    return false;
}

nw_graph *nw_edit_run_net(nw_edit_run *run)
{
    net_run b = {.run = run,
                 .groups = nw_arch_group_table(run->arch),
                 .lifting = nw_arch_lifting(run->arch),
                 .steady = nw_steady_new(run->arch)};
    nw_graph *graph = NULL;
    int n = 0, n_notes = run->report ? run->report->n_notes : 0;
    while (n < run->n && !b.ends && add_edit(&b, n))
        n++;
    run->n_alone = n ? 0 : 1;
    if (b.n_resizes && nw_resize_groups(b.groups, b.resizes, b.n_resizes, &graph, NULL) != NW_OK) {
        run->n_alone = n;
        n = 0;
        graph = NULL;
        if (run->report)
            run->report->n_notes = n_notes;
    }
    run->n = n;
    free(b.resizes);
    nw_steady_free(b.steady);
    return graph;
}

/* ---- the whole network ---- */

nw_status nw_edit_width(nw_edit_work *work, nw_graph **out, nw_error *err)
{
    const nw_edit *edit = work->edit;
    int64_t divisor = edit->count > 0 ? edit->count : DEFAULT_DIVISOR;
    nw_status status =
        nw_resize_width(nw_arch_group_table(work->arch), edit->number, divisor, out, err);
    if (status == NW_OK)
        snprintf(nw_edit_add_note(work, "*", true)->text, 160,
                 "every free group of channels times %g, in multiples of %lld", edit->number,
                 (long long)divisor);
    return status;
}

nw_status nw_edit_resolution(nw_edit_work *work, nw_graph **out, nw_error *err)
{
    const nw_edit *edit = work->edit;
    nw_status status =
        nw_resize_resolution(nw_arch_graph(work->arch), edit->count, edit->count2, out, err);
    if (status == NW_OK)
        snprintf(nw_edit_add_note(work, "*", true)->text, 160, "input %lld x %lld",
                 (long long)edit->count, (long long)edit->count2);
    return status;
}
