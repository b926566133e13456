/* edit.c - edits put to work: what they pick, one draft for many blocks, what is said of each. */
#include "src/arch/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a kind does ---- */

static const struct {
    nw_edit_block_fn block; /* of each block alone */
    nw_edit_net_fn net;     /* or of the network at once */
} doers[NW_EDIT_COUNT] = {
    [NW_EDIT_VARIANT] = {nw_edit_variant, NULL},
    [NW_EDIT_CHANNELS] = {NULL, nw_edit_channels},
    [NW_EDIT_EXPANSION] = {NULL, nw_edit_expansion},
    [NW_EDIT_KERNEL] = {nw_edit_kernel, NULL},
    [NW_EDIT_STRIDE] = {nw_edit_stride, NULL},
    [NW_EDIT_DEPTH] = {NULL, nw_edit_depth},
    [NW_EDIT_WIDTH] = {NULL, nw_edit_width},
    [NW_EDIT_RESOLUTION] = {NULL, nw_edit_resolution},
    [NW_EDIT_PRECISION] = {nw_edit_hint, NULL},
    [NW_EDIT_SQUEEZE] = {nw_edit_squeeze, NULL},
    [NW_EDIT_ACT] = {nw_edit_act, NULL},
    [NW_EDIT_RESIDUAL] = {nw_edit_residual, NULL},
    [NW_EDIT_JOIN] = {nw_edit_hint, NULL},
    [NW_EDIT_SPLIT] = {nw_edit_hint, NULL},
};

nw_edit_block_fn nw_edit_block_doer(nw_edit_kind kind)
{
    return doers[kind].block;
}

/* ---- selecting ---- */

bool nw_selector_matches(const nw_selector *where, const nw_block *block)
{
    return (where->kind < 0 || where->kind == (int)block->kind) &&
           (where->first_stage < 0 ||
            (block->stage >= where->first_stage && block->stage <= where->last_stage)) &&
           (where->index < 0 || where->index == block->index);
}

bool nw_edit_is_single(const nw_edit *edit)
{
    return edit->where.index >= 0 && edit->where.first_stage >= 0 &&
           edit->where.first_stage == edit->where.last_stage;
}

static void pick_blocks(nw_edit_work *work)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(work->arch, &n);
    work->picks = nw_alloc(((size_t)n + 1) * sizeof *work->picks);
    work->n_picks = 0;
    for (int i = 0; i < n; i++)
        if (nw_selector_matches(&work->edit->where, &blocks[i]))
            work->picks[work->n_picks++] = &blocks[i];
}

/* ---- notes ---- */

nw_edit_note *nw_edit_add_note(nw_edit_work *work, const char *where, bool is_done)
{
    nw_edit_report *report = work->report;
    size_t n = (size_t)report->n_notes + 1;
    if ((n & (n - 1)) == 0 || n == 1)
        report->notes = nw_realloc(report->notes, 2 * n * sizeof *report->notes);
    nw_edit_note *note = &report->notes[report->n_notes++];
    *note = (nw_edit_note){.is_done = is_done};
    snprintf(note->where, sizeof note->where, "%s", where);
    return note;
}

void nw_edit_report_fini(nw_edit_report *report)
{
    free(report->notes);
    *report = (nw_edit_report){0};
}

/* ---- sealing ---- */

static void shape_text(const nw_shape *shape, char *dst, size_t size)
{
    size_t used = 0;
    dst[0] = '\0';
    for (int i = 0; i < shape->rank && used < size; i++)
        used += (size_t)snprintf(dst + used, size - used, "%s%lld", i ? "x" : "",
                                 (long long)shape->dims[i]);
}

static nw_status check_ends(const nw_graph *old, const nw_graph *graph, nw_error *err)
{
    for (int i = 0; i < old->n_outputs; i++) {
        const nw_tensor *was = &old->tensors[old->outputs[i]];
        const nw_tensor *is = &graph->tensors[graph->outputs[i]];
        char before[64], after[64];
        if (was->shape.rank < 0 || nw_shape_equal(&was->shape, &is->shape))
            continue;
        shape_text(&was->shape, before, sizeof before);
        shape_text(&is->shape, after, sizeof after);
        return nw_fail(err, NW_INVALID, was->name,
                       "is an output of the network: it would be %s instead of %s", after, before);
    }
    return NW_OK;
}

nw_status nw_edit_seal(nw_draft *draft, nw_graph **out, nw_error *err)
{
    nw_graph *graph;
    nw_status status = nw_draft_seal(draft, &graph, err);
    if (status != NW_OK)
        return status;
    status = check_ends(draft->old, graph, err);
    if (status != NW_OK) {
        nw_graph_free(graph);
        return status;
    }
    *out = graph;
    return NW_OK;
}

/* ---- edits of blocks ---- */

typedef struct outcome {
    nw_edit_note note;
    nw_error err;
    nw_status status;
} outcome;

static void do_block(nw_edit_work *work, nw_draft *draft, int pick, outcome *out)
{
    const nw_block *block = work->picks[pick];
    *out = (outcome){.note = {.is_done = true}};
    nw_block_label(block, out->note.where, sizeof out->note.where);
    out->status = doers[work->edit->kind].block(draft, block, work->edit, &out->note, &out->err);
}

/* All picks in one draft but those that failed before; how many were changed. */
static int do_blocks(nw_edit_work *work, nw_draft *draft, outcome *outcomes)
{
    int n_done = 0;
    for (int i = 0; i < work->n_picks; i++) {
        if (outcomes[i].status == NW_OK)
            do_block(work, draft, i, &outcomes[i]);
        n_done += outcomes[i].status == NW_OK && outcomes[i].note.is_done;
    }
    return n_done;
}

/* Finds the blocks whose change the rest of the network does not bear. */
static void try_alone(nw_edit_work *work, outcome *outcomes)
{
    for (int i = 0; i < work->n_picks; i++) {
        nw_draft draft;
        nw_graph *graph;
        nw_error err = {.message = ""};
        if (outcomes[i].status != NW_OK || !outcomes[i].note.is_done)
            continue;
        nw_draft_init(&draft, work->arch);
        do_block(work, &draft, i, &outcomes[i]);
        nw_status status = nw_edit_seal(&draft, &graph, &err);
        if (status == NW_OK)
            nw_graph_free(graph);
        else
            outcomes[i].status = nw_fail(&outcomes[i].err, status, outcomes[i].note.where,
                                         "does not fit the rest: %s: %s", err.where, err.message);
        nw_draft_fini(&draft);
    }
}

static void report_blocks(nw_edit_work *work, const outcome *outcomes)
{
    for (int i = 0; i < work->n_picks; i++) {
        const outcome *o = &outcomes[i];
        nw_edit_note *note =
            nw_edit_add_note(work, o->note.where, o->status == NW_OK && o->note.is_done);
        snprintf(note->text, sizeof note->text, "%.159s",
                 o->status == NW_OK ? o->note.text : o->err.message);
    }
}

/* Blocks that the selector picks whatever their number in the stage. */
static int count_of_stages(const nw_edit_work *work, nw_selector where)
{
    int n, n_picks = 0;
    const nw_block *blocks = nw_arch_blocks(work->arch, &n);
    where.index = -1;
    for (int i = 0; i < n; i++)
        n_picks += nw_selector_matches(&where, &blocks[i]);
    return n_picks;
}

nw_status nw_edit_refuse_nothing(const nw_edit_work *work, nw_error *err)
{
    const nw_selector *where = &work->edit->where;
    int n_stages = nw_arch_n_stages(work->arch);
    if (!n_stages)
        return nw_fail(err, NW_INVALID, "", "picks no block: the network has none");
    if (where->first_stage >= n_stages)
        return nw_fail(err, NW_INVALID, "", "picks no block: the network has stages 0 to %d",
                       n_stages - 1);
    if (where->kind >= 0 && !count_of_stages(work, *where))
        return nw_fail(err, NW_INVALID, "", "picks no block: %s none of kind %s",
                       where->first_stage < 0 ? "the network has" : "these stages have",
                       nw_block_kind_name((nw_block_kind)where->kind));
    if (where->first_stage >= 0 && where->first_stage == where->last_stage && where->kind < 0)
        return nw_fail(err, NW_INVALID, "", "picks no block: stage %d has blocks %d.0 to %d.%d",
                       where->first_stage, where->first_stage, where->first_stage,
                       count_of_stages(work, *where) - 1);
    return nw_fail(err, NW_INVALID, "", "picks no block: none of them is number %d of its stage",
                   where->index);
}

/* The reason, where every pick was refused. */
static nw_status refuse_all(const nw_edit_work *work, const outcome *outcomes, nw_error *err)
{
    int n = work->n_picks;
    for (int i = 0; i < n; i++)
        if (outcomes[i].status == NW_OK)
            return NW_OK;
    if (n)
        return nw_fail(err, outcomes[0].status, outcomes[0].note.where, "%s%s",
                       outcomes[0].err.message, n > 1 ? " (and so on)" : "");
    return nw_edit_refuse_nothing(work, err);
}

static nw_status edit_blocks(nw_edit_work *work, nw_graph **out, nw_error *err)
{
    outcome *outcomes = nw_zalloc(((size_t)work->n_picks + 1) * sizeof *outcomes);
    nw_status status = NW_OK, sealed = NW_INVALID;
    *out = NULL;
    for (int round = 0; round < 2 && status == NW_OK && sealed != NW_OK; round++) {
        nw_draft draft;
        nw_draft_init(&draft, work->arch);
        int n_done = do_blocks(work, &draft, outcomes);
        status = refuse_all(work, outcomes, err);
        sealed = status == NW_OK && n_done ? nw_edit_seal(&draft, out, err) : NW_OK;
        nw_draft_fini(&draft);
        if (sealed != NW_OK && round == 0)
            try_alone(work, outcomes);
    }
    if (status == NW_OK && sealed == NW_OK)
        report_blocks(work, outcomes);
    free(outcomes);
    return status == NW_OK ? sealed : status;
}

/* ---- all edits ---- */

/* The graph says what made it, for whoever writes it to a file: the lines of those edits that
 * changed something. */
static void sign(nw_graph *graph, const nw_edit *edits, const uint8_t *is_done, int n)
{
    nw_buf line = {0};
    int n_lines = graph->n_edits;
    const char **lines = nw_alloc(((size_t)n_lines + (size_t)n) * sizeof *lines);
    for (int i = 0; i < n_lines; i++)
        lines[i] = graph->edits[i];
    for (int i = 0; i < n; i++) {
        if (!is_done[i])
            continue;
        nw_buf_clear(&line);
        nw_edit_write(&edits[i], &line);
        lines[n_lines++] = nw_graph_strdup(graph, nw_buf_text(&line));
    }
    nw_graph_set_edits(graph, lines, n_lines);
    free(lines);
    nw_buf_fini(&line);
}

static nw_status apply_one(const nw_arch *arch, const nw_edit *edit, const nw_arch **out,
                           nw_edit_report *report, nw_error *err)
{
    nw_edit_work work = {.arch = arch, .edit = edit, .report = report};
    nw_graph *graph = NULL;
    pick_blocks(&work);
    nw_status status = doers[edit->kind].net ? doers[edit->kind].net(&work, &graph, err)
                                             : edit_blocks(&work, &graph, err);
    free(work.picks);
    if (status != NW_OK)
        return status;
    if (graph)
        sign(graph, edit, &(uint8_t){1}, 1);
    *out = graph ? nw_arch_derive(arch, graph, edit, 1) : nw_arch_retain(arch);
    return NW_OK;
}

/* "2.1 has no expansion", behind the edit that asked for it. */
static nw_status blame_edit(const nw_edit *edit, nw_status status, nw_error *err)
{
    if (!err)
        return status;
    nw_buf text = {0};
    nw_error cause = *err;
    nw_edit_write(edit, &text);
    nw_fail(err, status, nw_buf_text(&text), "%s%s%s", cause.where, cause.where[0] ? " " : "",
            cause.message);
    nw_buf_fini(&text);
    return status;
}

/* Upon *at, which is replaced. */
static nw_status step_one(const nw_arch **at, const nw_edit *edit, nw_edit_report *report,
                          nw_error *err)
{
    const nw_arch *next = NULL;
    nw_status status = nw_edit_check(edit, err);
    if (status != NW_OK)
        return status;
    status = apply_one(*at, edit, &next, report, err);
    if (status != NW_OK)
        return blame_edit(edit, status, err);
    nw_arch_release(*at);
    *at = next;
    return NW_OK;
}

/* The edits that changed something, in the arch too. */
static const nw_arch *derive_run(const nw_edit_run *run, nw_graph *graph)
{
    nw_edit *done = nw_alloc(((size_t)run->n + 1) * sizeof *done);
    int n = 0;
    for (int i = 0; i < run->n; i++)
        if (run->is_done[i])
            done[n++] = run->edits[i];
    sign(graph, run->edits, run->is_done, run->n);
    const nw_arch *arch = nw_arch_derive(run->arch, graph, done, n);
    free(done);
    return arch;
}

/* Upon *at, which is replaced. How many edits were done at once; 0: *n_alone are to be done one by
 * one. */
static int step_run(const nw_arch **at, const nw_edit *edits, int n, nw_edit_report *report,
                    int *n_alone)
{
    int n_notes = report ? report->n_notes : 0;
    nw_edit_run run = {.arch = *at, .edits = edits, .n = n, .report = report};
    run.is_done = nw_zalloc((size_t)n);
    bool is_net = edits[0].kind == NW_EDIT_CHANNELS || edits[0].kind == NW_EDIT_EXPANSION;
    nw_graph *graph = is_net ? nw_edit_run_net(&run) : nw_edit_run_blocks(&run);
    const nw_arch *next = graph ? derive_run(&run, graph) : NULL;
    bool is_hint = doers[edits[0].kind].block == nw_edit_hint; /* lifting does not read hints */
    if (next && !is_net && !is_hint && run.n > 1 &&
        !nw_edit_keeps_labels(*at, next, edits, run.n)) {
        nw_arch_release(next);
        next = NULL;
        run.n_alone = run.n;
        run.n = 0;
        if (report)
            report->n_notes = n_notes;
    }
    free(run.is_done);
    *n_alone = run.n_alone;
    if (next) {
        nw_arch_release(*at);
        *at = next;
    }
    return run.n;
}

nw_status nw_arch_apply(const nw_arch *arch, const nw_edit *edits, int n_edits, const nw_arch **out,
                        nw_edit_report *report, nw_error *err)
{
    nw_edit_report notes = {0};
    const nw_arch *at = nw_arch_retain(arch);
    nw_status status = NW_OK;
    int n_alone = 0; /* from here on */
    for (int i = 0, n; i < n_edits && status == NW_OK; i += n) {
        int length = n_alone > 0 ? 1 : nw_edit_run_length(&edits[i], n_edits - i);
        n = length > 1 ? step_run(&at, &edits[i], length, &notes, &n_alone) : 0;
        if (n > 0)
            continue;
        status = step_one(&at, &edits[i], &notes, err);
        n_alone -= n_alone > 0;
        n = 1;
    }
    if (status == NW_OK && report) {
        *report = notes;
        notes = (nw_edit_report){0};
    }
    nw_edit_report_fini(&notes);
    if (status == NW_OK)
        *out = at;
    else
        nw_arch_release(at);
    return status;
}
