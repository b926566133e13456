/* What the Edit screen's table holds: a row a stage, its blocks where it is open. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/format/format.h"
#include "ui/edit.h"

/* ---- cells ---- */

int ui_editor_depth(const ui_editor *editor, int stage)
{
    int n, depth = 0;
    const nw_block *blocks = nw_arch_blocks(editor->current->arch, &n);
    for (int i = 0; i < n; i++)
        depth += blocks[i].stage == stage && nw_block_kind_is_main(blocks[i].kind);
    return depth;
}

/* Whether all blocks of a stage that count agree with its first one. */
typedef struct agreement {
    bool kind, kernel, expansion;
} agreement;

static agreement compare_stage(const nw_block *blocks, int n, const nw_block *first)
{
    agreement a = {true, true, true};
    for (int i = 0; i < n; i++) {
        const nw_block *b = &blocks[i];
        if (b->stage != first->stage || !nw_block_kind_is_main(b->kind))
            continue;
        a.kind &= b->kind == first->kind;
        a.kernel &= b->kernel == first->kernel;
        a.expansion &= fabs(b->expansion - first->expansion) < 1e-9;
    }
    return a;
}

/* The block that a stage's cells speak of: the first that counts, else the first. */
static const nw_block *first_of_stage(const nw_block *blocks, int n, int stage)
{
    const nw_block *first = NULL;
    for (int i = 0; i < n; i++) {
        if (blocks[i].stage != stage)
            continue;
        if (nw_block_kind_is_main(blocks[i].kind))
            return &blocks[i];
        first = first ? first : &blocks[i];
    }
    return first;
}

static int64_t channels_of_stage(const nw_block *blocks, int n, const nw_block *first)
{
    int64_t channels = first->out_c;
    for (int i = 0; i < n; i++)
        if (blocks[i].stage == first->stage && nw_block_kind_is_main(blocks[i].kind))
            channels = blocks[i].out_c;
    return channels;
}

static void set_cell(ui_editor_row *row, ui_editor_column column, bool is_there, const char *format,
                     ...) NW_PRINTF(4, 5);

static void set_cell(ui_editor_row *row, ui_editor_column column, bool is_there, const char *format,
                     ...)
{
    va_list args;
    va_start(args, format);
    if (is_there)
        vsnprintf(row->cells[column], sizeof row->cells[column], format, args);
    else
        snprintf(row->cells[column], sizeof row->cells[column], "-");
    va_end(args);
}

static void fill_cells(const ui_editor *editor, ui_editor_row *row)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(editor->current->arch, &n), *b = row->block;
    agreement all = {true, true, true};
    bool counts = nw_block_kind_is_main(b->kind);
    if (!row->is_block && counts)
        all = compare_stage(blocks, n, b);
    row->channels = row->is_block ? b->out_c : channels_of_stage(blocks, n, b);
    bool has_channels = row->channels > 0 && b->kind != NW_BLOCK_OP;
    row->idle = has_channels && b->kind != NW_BLOCK_POOL
                    ? nw_align_idle(editor->current->hw, row->channels)
                    : 0;
    set_cell(row, UI_EDITOR_TYPE, true, "%.12s%s", nw_block_kind_name(b->kind),
             all.kind ? "" : "+");
    set_cell(row, UI_EDITOR_REP, !row->is_block && counts, "%d",
             row->is_block ? 1 : ui_editor_depth(editor, row->stage));
    set_cell(row, UI_EDITOR_KERNEL, counts && b->kernel > 0, "%d%s", (int)b->kernel,
             all.kernel ? "" : "+");
    set_cell(row, UI_EDITOR_STRIDE, counts && b->stride > 0, "%d", (int)b->stride);
    set_cell(row, UI_EDITOR_EXP, nw_block_kind_expands(b->kind), "%.3g%s", b->expansion,
             all.expansion ? "" : "+");
    set_cell(row, UI_EDITOR_CHAN, has_channels, "%lld", (long long)row->channels);
}

/* ---- rows ---- */

/* Of the baseline's cell where it was estimated otherwise; NULL: there is none. */
static const nw_compare_cell *cell_before(const ui_editor *editor, const nw_compare_row *row,
                                          int index, bool is_block)
{
    if (editor->is_alike)
        return &row->cells[0];
    if (!editor->before)
        return NULL;
    return is_block ? &editor->before->blocks[index].cells[0]
                    : &editor->before->stages[index].cells[0];
}

/* The longest kernel of the block that a stage's cells speak of, else of the stage. */
static int kernel_of_stage(const ui_editor *editor, const nw_block *blocks, const nw_block *block,
                           int slowest)
{
    const nw_comparison *cmp = editor->comparison;
    for (int i = 0; i < cmp->n_blocks; i++) {
        const nw_compare_cell *cell = &cmp->blocks[i].cells[1];
        if (cell->is_there && cell->block == (int)(block - blocks) && cell->cost.slowest >= 0)
            return cell->cost.slowest;
    }
    return slowest;
}

static void fill_row(const ui_editor *editor, const nw_compare_row *from, int index, bool is_block,
                     ui_editor_row *row)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(editor->current->arch, &n);
    const nw_compare_cell *now = &from->cells[1],
                          *then = cell_before(editor, from, index, is_block);
    *row = (ui_editor_row){.is_block = is_block, .stage = -1, .slowest = -1};
    snprintf(row->label, sizeof row->label, "%s", from->label);
    if (from->label[0] != 'r')
        row->stage = atoi(from->label);
    row->is_there = now->is_there;
    row->is_known = now->is_known;
    row->latency_ps = now->cost.latency_ps;
    row->utilisation = now->cost.utilisation;
    row->slowest = now->is_there ? now->cost.slowest : -1;
    row->is_edited = editor->is_alike && now->has_other_text;
    if (row->stage >= 0 && now->is_there)
        row->block = is_block ? &blocks[now->block] : first_of_stage(blocks, n, row->stage);
    if (row->block && !is_block)
        row->slowest = kernel_of_stage(editor, blocks, row->block, row->slowest);
    if (row->block)
        fill_cells(editor, row);
    if (!then || !editor->baseline)
        return;
    row->is_new = now->is_there && !then->is_there;
    row->has_delta = (!now->is_there || now->is_known) && (!then->is_there || then->is_known);
    row->delta_ps =
        (now->is_there ? now->cost.latency_ps : 0) - (then->is_there ? then->cost.latency_ps : 0);
}

static bool is_stage_open(const ui_editor *editor, int stage)
{
    return stage >= 0 && stage < editor->n_stages && editor->is_open[stage];
}

static bool is_empty_rest(const nw_compare_row *row)
{
    return row->label[0] == 'r' && row->cells[1].is_there && !row->cells[1].cost.latency_ps &&
           !row->cells[0].cost.latency_ps;
}

static void list_rows(ui_editor *editor)
{
    const nw_comparison *cmp = editor->comparison;
    free(editor->rows);
    editor->rows = NULL;
    editor->n_rows = 0;
    if (!cmp)
        return;
    editor->rows = nw_alloc((size_t)(cmp->n_stages + cmp->n_blocks + 1) * sizeof *editor->rows);
    for (int i = 0; i < cmp->n_stages; i++) {
        const nw_compare_row *stage = &cmp->stages[i];
        if (is_empty_rest(stage))
            continue;
        ui_editor_row *row = &editor->rows[editor->n_rows++];
        fill_row(editor, stage, i, false, row);
        int number = row->stage;
        for (int k = 0; is_stage_open(editor, number) && k < cmp->n_blocks; k++)
            if (cmp->blocks[k].label[0] != 'r' && atoi(cmp->blocks[k].label) == number)
                fill_row(editor, &cmp->blocks[k], k, true, &editor->rows[editor->n_rows++]);
    }
}

static int find_row(const ui_editor *editor, const char *label)
{
    for (int i = 0; i < editor->n_rows; i++)
        if (strcmp(editor->rows[i].label, label) == 0)
            return i;
    return -1;
}

/* The row of the wanted label, else of its stage, else where the cursor is. */
static void find_cursor(ui_editor *editor)
{
    char stage[24];
    int at = find_row(editor, editor->wanted);
    if (at < 0) {
        snprintf(stage, sizeof stage, "%.*s", (int)strcspn(editor->wanted, "."), editor->wanted);
        at = find_row(editor, stage);
    }
    if (at < 0)
        at = editor->cursor < editor->n_rows ? editor->cursor : editor->n_rows - 1;
    editor->cursor = at < 0 ? 0 : at;
}

void ui_editor_refresh(ui_editor *editor)
{
    list_rows(editor);
    find_cursor(editor);
}

void ui_editor_move_to(ui_editor *editor, int row)
{
    row = row >= editor->n_rows ? editor->n_rows - 1 : row;
    editor->cursor = row < 0 ? 0 : row;
    if (editor->n_rows)
        snprintf(editor->wanted, sizeof editor->wanted, "%s", editor->rows[editor->cursor].label);
}

const ui_editor_row *ui_editor_row_at_cursor(const ui_editor *editor)
{
    return editor->cursor < editor->n_rows ? &editor->rows[editor->cursor] : NULL;
}

int ui_editor_top(const ui_editor *editor, int n)
{
    int top = editor->top, last = editor->n_rows - n;
    if (editor->cursor < top)
        top = editor->cursor;
    if (editor->cursor >= top + n)
        top = editor->cursor - n + 1;
    top = top > last ? last : top;
    return top < 0 ? 0 : top;
}

/* ---- points ---- */

static bool are_alike(const nw_point *a, const nw_point *b)
{
    return a->hw == b->hw && nw_estimator_is_same(a->estimate.estimator, b->estimate.estimator) &&
           strcmp(a->estimate.kernels->precision, b->estimate.kernels->precision) == 0;
}

static nw_comparison *compare(const nw_point *a, const nw_point *b)
{
    nw_comparison *comparison;
    const nw_compared networks[] = {{a->label, a->arch, &a->estimate},
                                    {b->label, b->arch, &b->estimate}};
    return nw_comparison_new(b->hw, networks, 2, &comparison, NULL) == NW_OK ? comparison : NULL;
}

static void drop_comparisons(ui_editor *editor)
{
    nw_comparison_free(editor->comparison);
    nw_comparison_free(editor->before);
    editor->comparison = editor->before = NULL;
}

static void compare_points(ui_editor *editor)
{
    const nw_point *now = editor->current, *base = editor->baseline;
    editor->is_alike = base && are_alike(base, now);
    editor->comparison = compare(editor->is_alike ? base : now, now);
    if (base && !editor->is_alike && base->arch == now->arch)
        editor->before = compare(base, base);
}

static ui_editor_total pair(int64_t before, int64_t after)
{
    return (ui_editor_total){before, after};
}

static void count_totals(ui_editor *editor)
{
    const nw_point *now = editor->current, *base = editor->baseline ? editor->baseline : now;
    nw_counts before, after;
    nw_graph_count(base->graph, &before);
    nw_graph_count(now->graph, &after);
    editor->totals[UI_EDITOR_MACS] = pair(before.macs, after.macs);
    editor->totals[UI_EDITOR_WEIGHTS] = pair(before.weight_bytes, after.weight_bytes);
    editor->totals[UI_EDITOR_PEAK] =
        pair(base->estimate.peak_live_bytes, now->estimate.peak_live_bytes);
    editor->spilled = base->estimate.peak_live_bytes > base->hw->sram.bytes;
    editor->spills = now->estimate.peak_live_bytes > now->hw->sram.bytes;
    editor->has_difference =
        editor->baseline && !base->estimate.n_unknown && !now->estimate.n_unknown;
    editor->is_same_thing =
        base->graph == now->graph && base->hw == now->hw &&
        !nw_estimator_is_same(base->estimate.estimator, now->estimate.estimator);
    editor->difference =
        editor->is_alike
            ? nw_estimate_difference(&base->estimate, &now->estimate)
            : (nw_difference){.latency_ps = now->estimate.latency_ps - base->estimate.latency_ps};
}

/* ---- words and history ---- */

static void drop_strings(ui_editor *editor)
{
    for (int i = 0; i < editor->n_strings; i++)
        free(editor->strings[i]);
    free(editor->strings);
    editor->strings = NULL;
    editor->n_strings = 0;
}

static char *copy_text(const char *text, size_t length)
{
    char *copy = nw_alloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static void split_lines(ui_editor *editor, const char *text)
{
    size_t capacity = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (length && *text != '#') {
            editor->strings = nw_grow(editor->strings, (size_t)editor->n_strings, &capacity,
                                      sizeof *editor->strings);
            editor->strings[editor->n_strings++] = copy_text(text, length);
        }
        text += length + (text[length] == '\n');
    }
}

static void write_strings(ui_editor *editor)
{
    nw_buf text = {0};
    drop_strings(editor);
    if (nw_timm_write(editor->current->arch, &text, NULL, NULL) == NW_OK)
        split_lines(editor, nw_buf_text(&text));
    nw_buf_fini(&text);
}

static void drop_steps(ui_editor *editor, int from)
{
    for (int i = from; i < editor->n_steps; i++)
        free(editor->steps[i].line);
    editor->n_steps = editor->n_steps < from ? editor->n_steps : from;
}

/* The edits that led here, keeping the latencies that were seen on the way. */
static void follow_history(ui_editor *editor)
{
    int n;
    const nw_edit *edits = nw_arch_edits(editor->current->arch, &n);
    ui_editor_past *steps = nw_zalloc(((size_t)n + 1) * sizeof *steps);
    bool is_same = true;
    for (int i = 0; i <= n; i++) {
        nw_buf line = {0};
        if (i)
            nw_edit_write(&edits[i - 1], &line);
        steps[i].line = copy_text(nw_buf_text(&line), strlen(nw_buf_text(&line)));
        nw_buf_fini(&line);
        is_same =
            is_same && i < editor->n_steps && strcmp(editor->steps[i].line, steps[i].line) == 0;
        steps[i].latency_ps = is_same ? editor->steps[i].latency_ps : -1;
    }
    if (editor->is_alike && editor->baseline->arch == nw_arch_origin(editor->current->arch))
        steps[0].latency_ps = editor->baseline->estimate.latency_ps;
    steps[n].latency_ps = editor->current->estimate.latency_ps;
    drop_steps(editor, 0);
    free(editor->steps);
    editor->steps = steps;
    editor->n_steps = n + 1;
    editor->n_edits = n;
}

/* ---- all of it ---- */

static void keep_open_stages(ui_editor *editor, bool is_other_network)
{
    int n = nw_arch_n_stages(editor->current->arch), old = is_other_network ? 0 : editor->n_stages;
    bool *is_open = nw_zalloc(((size_t)n + 1) * sizeof *is_open);
    for (int i = 0; i < n && i < old; i++)
        is_open[i] = editor->is_open[i];
    free(editor->is_open);
    editor->is_open = is_open;
    editor->n_stages = n;
}

void ui_editor_set(ui_editor *editor, const nw_point *current, const nw_point *baseline)
{
    const nw_point *old = editor->current, *old_baseline = editor->baseline;
    bool is_other_network =
        !old || !current || nw_arch_origin(old->arch) != nw_arch_origin(current->arch);
    bool is_other_subject = !old || !current || !are_alike(old, current);
    drop_comparisons(editor);
    editor->current = current ? nw_point_retain(current) : NULL;
    editor->baseline = current && baseline ? nw_point_retain(baseline) : NULL;
    editor->is_pricing = false;
    free(editor->advice);
    editor->advice = NULL;
    if (is_other_network) {
        editor->cursor = editor->top = 0;
        editor->wanted[0] = '\0';
    }
    if (is_other_network || is_other_subject) {
        drop_steps(editor, 0);
        editor->n_whatif = editor->n_done = editor->n_ready = 0;
    }
    if (current) {
        keep_open_stages(editor, is_other_network);
        compare_points(editor);
        count_totals(editor);
        write_strings(editor);
        follow_history(editor);
        editor->step = nw_align_step(current->hw);
    }
    ui_editor_refresh(editor);
    nw_point_release(old);
    nw_point_release(old_baseline);
}

void ui_editor_fini(ui_editor *editor)
{
    drop_comparisons(editor);
    drop_strings(editor);
    drop_steps(editor, 0);
    free(editor->steps);
    free(editor->rows);
    free(editor->is_open);
    free(editor->whatif);
    free(editor->advice);
    nw_point_release(editor->current);
    nw_point_release(editor->baseline);
}
