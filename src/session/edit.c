/* edit.c - what changes the network that is open.
 *
 * Whatever key it came from, an edit is logged as the line of nw_edit_write that it led to, several
 * of one key joined by "; ", so that a log means the same on another day.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/advise/advise.h"
#include "src/report/report.h"
#include "src/session/internal.h"

#define MAX_EDITS      1000 /* of one action */
#define MAX_NOTES_SAID 3

/* ---- reading ---- */

nw_status nw_session_read_edits(const char *line, nw_edit **out, int *n_out, nw_error *err)
{
    nw_edit *edits = NULL;
    size_t capacity = 0;
    nw_status status = NW_OK;
    int n = 0;
    while (status == NW_OK && *line) {
        size_t length = strcspn(line, ";\n");
        char *one = nw_alloc(length + 1);
        memcpy(one, line, length);
        one[length] = '\0';
        bool is_empty = strspn(one, " \t") == length;
        if (!is_empty && n == MAX_EDITS)
            status = nw_fail(err, NW_LIMIT, "", "more than %d edits in one action", MAX_EDITS);
        if (!is_empty && status == NW_OK) {
            edits = nw_grow(edits, (size_t)n, &capacity, sizeof *edits);
            status = nw_edit_read(one, &edits[n++], err);
        }
        free(one);
        line += length + (line[length] != '\0');
    }
    if (status == NW_OK && !n)
        status = nw_fail(err, NW_INVALID, "", "say which edit, as \"variant 2.1 fused\"");
    if (status != NW_OK) {
        free(edits);
        return status;
    }
    *out = edits;
    *n_out = n;
    return NW_OK;
}

static void write_edits(const nw_edit *edits, int n, nw_buf *out)
{
    for (int i = 0; i < n; i++) {
        if (i)
            nw_buf_puts(out, "; ");
        nw_edit_write(&edits[i], out);
    }
}

/* ---- which block ---- */

static const nw_block *block_of_kernel(const nw_point *point, int kernel)
{
    const nw_kernels *kernels = point->estimate.kernels;
    if (kernel < 0 || kernel >= kernels->n_kernels)
        return NULL;
    return nw_arch_block_of(point->arch, kernels->kernels[kernel].main);
}

static nw_selector select_block(const nw_block *block)
{
    return (nw_selector){-1, block->stage, block->stage, block->index};
}

/* What the keys work on: the label that word gives, else the block of the target. */
static nw_status find_block(const nw_session *s, const char *word, int target, const nw_block **out,
                            nw_error *err)
{
    const nw_point *point = s->state.current;
    *out = word && *word ? nw_arch_find_block(point->arch, word) : block_of_kernel(point, target);
    if (*out)
        return NW_OK;
    if (word && *word)
        return nw_fail(err, NW_INVALID, word, "%s has no such block", point->label);
    return nw_fail(err, NW_INVALID, "", "put the cursor on a block, or say which: 2.1");
}

char *nw_session_aim(const nw_session *s, const char *line, int target)
{
    nw_edit *edits;
    int n;
    const nw_block *block = s->state.current ? block_of_kernel(s->state.current, target) : NULL;
    if (!block || !line || nw_session_read_edits(line, &edits, &n, NULL) != NW_OK)
        return nw_copy_text(line);
    for (int i = 0; i < n; i++) {
        nw_selector *where = &edits[i].where;
        bool is_stage = where->first_stage >= 0 && where->first_stage == where->last_stage;
        if (!is_stage)
            continue;
        where->first_stage = where->last_stage = block->stage;
        if (where->index >= 0)
            where->index = block->index;
    }
    nw_buf text = {0};
    write_edits(edits, n, &text);
    free(edits);
    return text.text;
}

/* ---- doing it ---- */

/* "+104 M MACs" and its kin; nothing where nothing changed. */
static void add_delta(nw_buf *out, const char *name, int64_t before, int64_t after,
                      const char *(*format)(int64_t value, char *dst, size_t size))
{
    char text[32];
    int64_t delta = after - before;
    if (delta)
        nw_buf_printf(out, ", %s%s %s", delta < 0 ? "-" : "+",
                      format(delta < 0 ? -delta : delta, text, sizeof text), name);
}

static void say_edit(nw_session *s, const char *line, const nw_point *before)
{
    const nw_point *now = s->state.current;
    nw_difference d = nw_estimate_difference(&before->estimate, &now->estimate);
    nw_buf text = {0};
    char change[96];
    nw_buf_printf(&text, "%s: latency %s", line,
                  nw_format_change(before->estimate.latency_ps, now->estimate.latency_ps, change,
                                   sizeof change));
    if (d.has_band && d.low_ps <= 0 && d.high_ps >= 0 && d.latency_ps)
        nw_buf_puts(&text, ", below what this estimator can tell");
    add_delta(&text, "MACs", before->estimate.macs, now->estimate.macs, nw_format_count);
    add_delta(&text, "peak", before->estimate.peak_live_bytes, now->estimate.peak_live_bytes,
              nw_format_bytes);
    nw_buf_puts(&text, "; u undoes it");
    nw_session_say(s, NW_MESSAGE_INFO, "%s", nw_buf_text(&text));
    nw_buf_fini(&text);
}

static void say_notes(nw_session *s, const nw_edit_report *report)
{
    int n_left = 0;
    for (int i = 0; i < report->n_notes; i++) {
        const nw_edit_note *note = &report->notes[i];
        if (note->is_done)
            continue;
        if (n_left++ < MAX_NOTES_SAID)
            nw_session_say(s, NW_MESSAGE_INFO, "%s left as it is: %s", note->where, note->text);
    }
    if (n_left > MAX_NOTES_SAID)
        nw_session_say(s, NW_MESSAGE_INFO, "%d more blocks left as they are",
                       n_left - MAX_NOTES_SAID);
}

/* Joins and splits that this hardware cannot do leave everything as it was: no edit. */
static nw_status check_hints(const nw_point *before, const nw_point *now, const char *line,
                             nw_error *err)
{
    char why[192];
    if (!nw_kernels_stay(before->graph, before->estimate.kernels, now->graph, now->estimate.kernels,
                         now->hw, why, sizeof why))
        return NW_OK;
    return nw_fail(err, NW_UNSUPPORTED, line, "changes nothing on %s: %s", now->hw->name, why);
}

static bool is_hint(nw_edit_kind kind)
{
    return kind == NW_EDIT_JOIN || kind == NW_EDIT_SPLIT;
}

static nw_status change_arch(nw_session *s, const nw_arch *arch, const char *line, bool only_hints,
                             nw_error *err)
{
    nw_shared_model *model = nw_shared_model_edited(nw_point_model(s->state.current), arch);
    const nw_point *point;
    nw_status status =
        nw_point_new(model, s->state.hw, s->state.precision, s->state.estimator, &point, err);
    nw_shared_model_release(model);
    if (status != NW_OK)
        return status;
    status = only_hints ? check_hints(s->state.current, point, line, err) : NW_OK;
    if (status != NW_OK) {
        nw_point_release(point);
        return status;
    }
    const nw_point *before = nw_point_retain(s->state.current);
    nw_state next = nw_state_copy(&s->state);
    nw_point_release(next.current);
    next.current = point;
    if (!next.baseline)
        next.baseline = nw_point_retain(before);
    nw_session_change(s, NW_ACTION_EDIT, line, &next);
    say_edit(s, line, before);
    nw_point_release(before);
    return NW_OK;
}

/* "already without a residual": an edit that leaves everything as it was is none to undo. */
static nw_status refuse_no_change(const nw_edit_report *report, const char *line, nw_error *err)
{
    if (!report->n_notes)
        return nw_fail(err, NW_INVALID, line, "changes nothing");
    return nw_fail(err, NW_INVALID, line, "changes nothing: %s is %s%s", report->notes[0].where,
                   report->notes[0].text, report->n_notes > 1 ? " (and so on)" : "");
}

static nw_status apply_edits(nw_session *s, const nw_edit *edits, int n, nw_error *err)
{
    const nw_arch *arch;
    nw_edit_report report = {0};
    nw_buf line = {0};
    bool only_hints = true;
    for (int i = 0; i < n; i++)
        only_hints = only_hints && is_hint(edits[i].kind);
    nw_status status = nw_arch_apply(s->state.current->arch, edits, n, &arch, &report, err);
    if (status != NW_OK)
        return status;
    write_edits(edits, n, &line);
    if (arch == s->state.current->arch) {
        nw_arch_release(arch);
        status = refuse_no_change(&report, nw_buf_text(&line), err);
    } else {
        say_notes(s, &report);
        status = change_arch(s, arch, nw_buf_text(&line), only_hints, err);
    }
    nw_edit_report_fini(&report);
    nw_buf_fini(&line);
    return status;
}

nw_status nw_session_edit(nw_session *s, const nw_action *action, nw_error *err)
{
    nw_edit *edits;
    int n;
    nw_status status = nw_session_read_edits(action->value, &edits, &n, err);
    if (status != NW_OK)
        return status;
    status = apply_edits(s, edits, n, err);
    free(edits);
    return status;
}

/* ---- one key ---- */

nw_status nw_session_fuse(nw_session *s, const nw_action *action, nw_error *err)
{
    static const nw_block_kind other[NW_BLOCK_COUNT] = {
        [NW_BLOCK_IBN] = NW_BLOCK_FUSED,
        [NW_BLOCK_FUSED] = NW_BLOCK_IBN,
        [NW_BLOCK_GROUPED] = NW_BLOCK_FUSED_GROUPED,
        [NW_BLOCK_FUSED_GROUPED] = NW_BLOCK_GROUPED,
        [NW_BLOCK_DSEP] = NW_BLOCK_CONV,
    };
    const nw_block *block;
    char label[16];
    nw_status status = find_block(s, action->value, action->target, &block, err);
    if (status != NW_OK)
        return status;
    if (!other[block->kind]) /* conv is 0: what it was fused from is not known */
        if (block->kind != NW_BLOCK_DSEP)
            return nw_fail(err, NW_INVALID, nw_block_label(block, label, sizeof label),
                           "a block of type %s has nothing to fuse or unfuse",
                           nw_block_kind_name(block->kind));
    nw_edit edit;
    nw_edit_init(&edit, NW_EDIT_VARIANT);
    edit.where = select_block(block);
    edit.block = other[block->kind];
    return apply_edits(s, &edit, 1, err);
}

/* "[MODE] [WHERE]": a word that names a mode, then a label. */
nw_status nw_session_align(nw_session *s, const nw_action *action, nw_error *err)
{
    static const char *const modes[] = {[NW_COUNT_SET] = "",
                                        [NW_COUNT_DOWN] = "down",
                                        [NW_COUNT_UP] = "up",
                                        [NW_COUNT_NEAREST] = "nearest"};
    const char *word = action->value ? action->value : "";
    const nw_block *block;
    nw_edit edit;
    nw_edit_init(&edit, NW_EDIT_CHANNELS);
    edit.mode = NW_COUNT_NEAREST;
    for (int i = NW_COUNT_DOWN; i <= NW_COUNT_NEAREST; i++) {
        size_t n = strlen(modes[i]);
        if (strncmp(word, modes[i], n) == 0 && (word[n] == ' ' || !word[n])) {
            edit.mode = (nw_count_mode)i;
            word += n + (word[n] == ' ');
            break;
        }
    }
    nw_status status = find_block(s, word, action->target, &block, err);
    if (status != NW_OK)
        return status;
    edit.where = select_block(block);
    edit.count = nw_align_step(nw_session_hw(s));
    return apply_edits(s, &edit, 1, err);
}

/* Those that edits of depth count: convolutions, not what stands between them. */
static int count_stage(const nw_arch *arch, int stage)
{
    int n, n_in_stage = 0;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < n; i++)
        n_in_stage += blocks[i].stage == stage && nw_block_kind_is_main(blocks[i].kind);
    return n_in_stage;
}

/* The next value of c on the grid of step, in the direction. */
static int64_t step_count(int64_t c, int64_t step, int direction)
{
    int64_t down = (c - 1) / step * step, up = c / step * step + step;
    return direction > 0 ? up : down > 0 ? down : c;
}

static nw_status step_stage(const nw_session *s, const nw_block *block, int direction, nw_edit *out,
                            nw_error *err)
{
    char where[32];
    int depth = count_stage(s->state.current->arch, block->stage);
    snprintf(where, sizeof where, "stage %d", block->stage);
    if (!depth)
        return nw_fail(err, NW_INVALID, where, "has no block that could be repeated");
    if (depth + direction < 1)
        return nw_fail(err, NW_INVALID, where, "has one block, which stays");
    out->where.index = -1;
    out->count = depth + direction;
    return NW_OK;
}

/* The next value of the kind of edit for a block. */
static nw_status step_edit(const nw_session *s, const nw_block *block, nw_edit_kind kind,
                           int direction, nw_edit *out, nw_error *err)
{
    nw_edit_init(out, kind);
    out->where = select_block(block);
    switch (kind) {
    case NW_EDIT_CHANNELS:
        out->count = step_count(block->out_c, nw_align_step(nw_session_hw(s)), direction);
        return NW_OK;
    case NW_EDIT_EXPANSION:
        out->number = direction > 0 ? floor(block->expansion) + 1 : ceil(block->expansion) - 1;
        return NW_OK;
    case NW_EDIT_KERNEL:
        out->count = block->kernel + 2 * direction;
        return NW_OK;
    case NW_EDIT_STRIDE:
        out->count = block->stride + direction;
        return NW_OK;
    case NW_EDIT_DEPTH:
        return step_stage(s, block, direction, out, err);
    case NW_EDIT_RESIDUAL:
        out->count = direction > 0;
        return NW_OK;
    case NW_EDIT_SQUEEZE:
        out->number = direction > 0 ? 0.25 : 0;
        return NW_OK;
    default:
        return nw_fail(err, NW_INVALID, nw_edit_kind_name(kind), "has no next value; type one");
    }
}

/* "[KIND] [WHERE]", by default channels. */
static nw_status step_value(nw_session *s, const nw_action *action, int direction, nw_error *err)
{
    const char *word = action->value ? action->value : "";
    size_t length = strcspn(word, " ");
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)length, word);
    nw_edit_kind kind = nw_edit_kind_find(name);
    if (kind == NW_EDIT_COUNT)
        kind = NW_EDIT_CHANNELS;
    else
        word += length + (word[length] == ' ');
    const nw_block *block;
    nw_edit edit;
    nw_status status = find_block(s, word, action->target, &block, err);
    if (status == NW_OK)
        status = step_edit(s, block, kind, direction, &edit, err);
    return status == NW_OK ? apply_edits(s, &edit, 1, err) : status;
}

nw_status nw_session_more(nw_session *s, const nw_action *action, nw_error *err)
{
    return step_value(s, action, 1, err);
}

nw_status nw_session_less(nw_session *s, const nw_action *action, nw_error *err)
{
    return step_value(s, action, -1, err);
}

static nw_status step_depth(nw_session *s, const nw_action *action, int direction, nw_error *err)
{
    const nw_block *block;
    nw_edit edit;
    nw_status status = find_block(s, action->value, action->target, &block, err);
    if (status == NW_OK)
        status = step_edit(s, block, NW_EDIT_DEPTH, direction, &edit, err);
    return status == NW_OK ? apply_edits(s, &edit, 1, err) : status;
}

nw_status nw_session_insert(nw_session *s, const nw_action *action, nw_error *err)
{
    return step_depth(s, action, 1, err);
}

nw_status nw_session_drop(nw_session *s, const nw_action *action, nw_error *err)
{
    return step_depth(s, action, -1, err);
}

/* ---- many at once ---- */

static nw_status follow_recipe(nw_session *s, nw_recipe_kind kind, const char *none, nw_error *err)
{
    const nw_point *point = s->state.current;
    nw_subject subject = {point->arch, point->hw, point->estimate.estimator, point->precision};
    nw_recipe recipe;
    nw_status status = nw_recipe_make(kind, &subject, &point->estimate, NULL, &recipe, err);
    if (status != NW_OK)
        return status;
    if (recipe.n_edits)
        status = apply_edits(s, recipe.edits, recipe.n_edits, err);
    else
        status = nw_fail(err, NW_INVALID, "", "%s", none);
    nw_recipe_fini(&recipe);
    return status;
}

nw_status nw_session_fuse_all(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action;
    return follow_recipe(s, NW_RECIPE_FUSE, "no block is faster fused on this hardware", err);
}

nw_status nw_session_align_all(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action;
    return follow_recipe(s, NW_RECIPE_ALIGN,
                         "no group of channels is faster at a multiple of this hardware's step",
                         err);
}
