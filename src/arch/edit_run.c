/* edit_run.c - edits of single blocks or stages at once, and which neighbours may be a run.
 *
 * Edits that keep the maps of their block work on what is the block's own: of two blocks (of two
 * stages, where their depth changes), one edit does not see whether the other was done. What it may
 * see all the same ends the run: labels that move (nw_edit_keeps_labels), names and places of new
 * nodes (nw_draft.is_mixed), which gate the network has (squeeze-and-excite).
 */
#include <stdlib.h>
#include <string.h>

#include "src/arch/edit.h"

/* Stride is not among them: it changes the maps of all that follows. */
static bool works_block_by_block(nw_edit_kind kind)
{
    return nw_edit_block_doer(kind) != NULL && kind != NW_EDIT_STRIDE;
}

static bool is_resize(nw_edit_kind kind)
{
    return kind == NW_EDIT_CHANNELS || kind == NW_EDIT_EXPANSION;
}

static bool is_of_stage(const nw_edit *edit)
{
    const nw_selector *where = &edit->where;
    return where->kind < 0 && where->first_stage >= 0 && where->first_stage == where->last_stage &&
           where->index < 0;
}

int nw_edit_run_length(const nw_edit *edits, int n)
{
    int length = 0;
    if (is_resize(edits[0].kind))
        while (length < n && is_resize(edits[length].kind))
            length++;
    else if (edits[0].kind == NW_EDIT_DEPTH)
        while (length < n && edits[length].kind == NW_EDIT_DEPTH && is_of_stage(&edits[length]))
            length++;
    else if (edits[0].kind < NW_EDIT_COUNT && works_block_by_block(edits[0].kind))
        while (length < n && edits[length].kind == edits[0].kind &&
               nw_edit_is_single(&edits[length]))
            length++;
    return length;
}

/* ---- blocks ---- */

/* The block that a selector of one names, the last one of a stage; -1: there is none. */
static int find_block(const nw_lifting *lifting, const nw_selector *where)
{
    for (int i = lifting->n_blocks - 1; i >= 0; i--)
        if (nw_selector_matches(where, &lifting->blocks[i]))
            return i;
    return -1;
}

/* Patterns of several convolutions match or not by what is theirs alone. A convolution that stands
 * alone may become part of one by what its neighbour is, which another edit may change. */
static bool may_join(const nw_edit *edit, const nw_block *block)
{
    bool is_alone = block->kind == NW_BLOCK_CONV || block->kind == NW_BLOCK_HEAD;
    switch (edit->kind) {
    case NW_EDIT_VARIANT:
        return is_alone || edit->block == NW_BLOCK_CONV;
    case NW_EDIT_KERNEL:
        return is_alone && (edit->count == 1) != (block->kernel == 1);
    case NW_EDIT_ACT:
    case NW_EDIT_RESIDUAL:
    case NW_EDIT_DEPTH:
        return is_alone;
    default:
        return false;
    }
}

/* A gate is chosen after those that the network has, and one of them went before. */
static bool misses_gate(const nw_edit *edit, bool has_dropped)
{
    return edit->kind == NW_EDIT_SQUEEZE && edit->number > 0 && has_dropped;
}

typedef struct block_run {
    nw_edit_run *run;
    nw_draft draft;
    const nw_lifting *lifting;
    uint8_t *is_picked; /* per block, or stage */
    bool has_dropped;   /* a squeeze-and-excite */
    int n_changes;
} block_run;

static void add_note(nw_edit_run *run, const nw_edit_note *note)
{
    nw_edit_work work = {.report = run->report};
    if (run->report)
        *nw_edit_add_note(&work, note->where, note->is_done) = *note;
}

/* False: the run ends before edit i. A function that refuses has changed nothing. */
static bool do_edit(block_run *b, int i)
{
    const nw_edit *edit = &b->run->edits[i];
    bool is_depth = edit->kind == NW_EDIT_DEPTH;
    int index = find_block(b->lifting, &edit->where);
    if (index < 0 || nw_edit_check(edit, NULL) != NW_OK)
        return false;
    const nw_block *block = &b->lifting->blocks[index];
    uint8_t *is_picked = &b->is_picked[is_depth ? block->stage : index];
    if (*is_picked || may_join(edit, block) || misses_gate(edit, b->has_dropped))
        return false;
    nw_edit_note note = {.is_done = true};
    nw_block_label(block, note.where, sizeof note.where);
    b->draft.writer = (int16_t)i;
    nw_status status = is_depth
                           ? nw_edit_depth_of_stage(&b->draft, block->stage, edit, &note, NULL)
                           : nw_edit_block_doer(edit->kind)(&b->draft, block, edit, &note, NULL);
    if (status != NW_OK)
        return false;
    *is_picked = 1;
    b->run->is_done[i] = note.is_done;
    b->n_changes += note.is_done;
    b->has_dropped |= edit->kind == NW_EDIT_SQUEEZE && edit->number <= 0 && note.is_done;
    add_note(b->run, &note);
    return true;
}

nw_graph *nw_edit_run_blocks(nw_edit_run *run)
{
    block_run b = {.run = run, .lifting = nw_arch_lifting(run->arch)};
    nw_graph *graph = NULL;
    int n_notes = run->report ? run->report->n_notes : 0, n = 0;
    b.is_picked = nw_zalloc((size_t)b.lifting->n_blocks + 1);
    nw_draft_init(&b.draft, run->arch);
    while (n < run->n && n < INT16_MAX && do_edit(&b, n))
        n++;
    run->n_alone = n ? 0 : 1;
    bool fits = !b.n_changes || nw_edit_seal(&b.draft, &graph, NULL) == NW_OK;
    if (!fits || (b.draft.is_mixed && b.n_changes > 1)) {
        nw_graph_free(graph);
        graph = NULL;
        run->n_alone = n;
        n = 0;
        if (run->report)
            run->report->n_notes = n_notes;
    }
    run->n = n;
    nw_draft_fini(&b.draft);
    free(b.is_picked);
    return graph;
}

/* ---- labels ---- */

static bool is_same_place(const nw_block *a, const nw_block *b)
{
    return a->stage == b->stage && a->index == b->index && a->in_h == b->in_h &&
           a->in_w == b->in_w && a->in_c == b->in_c && a->out_h == b->out_h &&
           a->out_w == b->out_w && a->out_c == b->out_c;
}

static bool is_same_tensor(const nw_arch *before, nw_tensor_id a, const nw_arch *after,
                           nw_tensor_id b)
{
    if (a == NW_NONE || b == NW_NONE)
        return a == b;
    const char *x = before->graph->tensors[a].name, *y = after->graph->tensors[b].name;
    return x == y || strcmp(x, y) == 0;
}

static nw_block_kind kind_after(const nw_block *block, const nw_edit *edits, int n)
{
    for (int i = 0; i < n; i++)
        if (edits[i].kind == NW_EDIT_VARIANT && nw_selector_matches(&edits[i].where, block))
            return edits[i].block;
    return block->kind;
}

/* Where a stage is as it was, but for how many of its blocks an edit asked for. */
static bool keeps_stage(const nw_arch *before, const nw_arch *after, int stage, int64_t depth)
{
    const nw_lifting *a = nw_arch_lifting(before), *b = nw_arch_lifting(after);
    int64_t n_main = 0;
    int i = 0, k = 0;
    for (; i < a->n_blocks || k < b->n_blocks; i++, k++) {
        while (i < a->n_blocks && a->blocks[i].stage != stage)
            i++;
        while (k < b->n_blocks && b->blocks[k].stage != stage)
            k++;
        bool is_alike = i < a->n_blocks && k < b->n_blocks &&
                        is_same_place(&a->blocks[i], &b->blocks[k]) &&
                        a->blocks[i].kind == b->blocks[k].kind;
        if (depth < 0 && !is_alike && (i < a->n_blocks || k < b->n_blocks))
            return false;
        n_main += k < b->n_blocks && nw_block_kind_is_main(b->blocks[k].kind);
    }
    return depth < 0 || n_main == depth;
}

static bool keeps_stages(const nw_arch *before, const nw_arch *after, const nw_edit *edits, int n)
{
    int n_stages = nw_arch_n_stages(before);
    if (n_stages != nw_arch_n_stages(after))
        return false;
    for (int stage = 0; stage < n_stages; stage++) {
        int64_t depth = -1;
        for (int i = 0; i < n; i++)
            if (edits[i].where.first_stage == stage)
                depth = edits[i].count;
        if (!keeps_stage(before, after, stage, depth))
            return false;
    }
    return true;
}

/* Whether a block is in a stage follows from its own kind and map and from those of the block
 * before it (stage.c). Where all of them are in their places after all edits, they were after each.
 */
bool nw_edit_keeps_labels(const nw_arch *before, const nw_arch *after, const nw_edit *edits, int n)
{
    const nw_lifting *a = nw_arch_lifting(before), *b = nw_arch_lifting(after);
    if (edits[0].kind == NW_EDIT_DEPTH)
        return keeps_stages(before, after, edits, n);
    if (a->n_blocks != b->n_blocks || a->n_stages != b->n_stages)
        return false;
    for (int i = 0; i < a->n_blocks; i++) {
        const nw_block *x = &a->blocks[i], *y = &b->blocks[i];
        if (!is_same_place(x, y) || !is_same_tensor(before, x->out, after, y->out) ||
            kind_after(x, edits, n) != y->kind)
            return false;
    }
    return true;
}
