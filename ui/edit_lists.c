/* The lists of the Edit screen's second pane: what if, advice, history, the network in words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/units.h"
#include "ui/edit.h"
#include "ui/widget.h"

/* ---- what if ---- */

static void draw_whatif_row(ui_canvas *canvas, ui_rect rect, int line, const nw_whatif_row *row,
                            bool is_old, bool is_cursor)
{
    char time[40], macs[40];
    const nw_effect *e = &row->effect;
    int end = rect.column + rect.columns;
    bool has_macs = rect.columns >= 40;
    if (row->state != NW_WHATIF_DONE) {
        int used =
            ui_text_cut(canvas, line, rect.column, rect.columns / 2, UI_ROLE_DIM, row->label);
        ui_text_cut(canvas, line, rect.column + used + 2, rect.columns - used - 2, UI_ROLE_DIM,
                    row->state == NW_WHATIF_WAITING ? "not tried yet" : row->why);
    } else {
        bool is_less = e->latency.latency_ps < 0, is_same = !e->latency.latency_ps;
        ui_role role = e->is_below || is_same || is_old ? UI_ROLE_DIM
                       : is_less                        ? UI_ROLE_BETTER
                                                        : UI_ROLE_WORSE;
        int right = has_macs ? end - 9 : end;
        ui_text_cut(canvas, line, rect.column, right - 13 - rect.column,
                    is_old ? UI_ROLE_DIM : UI_ROLE_TEXT, row->label);
        ui_text_right(canvas, line, right - 2, role,
                      nw_format_signed(nw_format_time, e->latency.latency_ps, time, sizeof time));
        ui_text(canvas, line, right - 1, 1, role,
                is_same       ? ""
                : e->is_below ? "~"
                : is_less     ? "▼"
                              : "▲");
        if (has_macs)
            ui_text_right(canvas, line, end, is_old ? UI_ROLE_DIM : UI_ROLE_TEXT,
                          nw_format_signed(nw_format_count, e->macs, macs, sizeof macs));
    }
    if (is_cursor)
        ui_reverse_row(canvas, line, rect.column, rect.columns);
}

int ui_editor_draw_whatif(ui_canvas *canvas, ui_rect rect, const ui_editor *editor)
{
    int shown = rect.rows - 1;
    if (!canvas)
        return editor->n_whatif;
    if (!editor->n_whatif) {
        ui_text(canvas, rect.row, rect.column, rect.columns, UI_ROLE_DIM,
                "edits one key away are being tried");
        return 0;
    }
    int top = editor->is_pane_focused ? ui_list_top(editor->pane_cursor, shown) : 0;
    for (int i = 0; i < shown && top + i < editor->n_whatif; i++)
        draw_whatif_row(canvas, rect, rect.row + i, &editor->whatif[top + i], editor->is_whatif_old,
                        editor->is_pane_focused && top + i == editor->pane_cursor);
    int last = rect.row + rect.rows - 1;
    if (editor->is_whatif_old)
        ui_text(canvas, last, rect.column, rect.columns, UI_ROLE_DIM,
                "of the network before; being tried anew");
    else if (editor->n_ready < editor->n_whatif)
        ui_printf(canvas, last, rect.column, rect.columns, UI_ROLE_DIM, "%d of %d tried",
                  editor->n_ready, editor->n_whatif);
    else
        ui_printf(canvas, last, rect.column, rect.columns, UI_ROLE_DIM, "%d tried, %d impossible",
                  editor->n_whatif, editor->n_whatif - editor->n_done);
    return editor->n_whatif;
}

/* ---- advice ---- */

void ui_editor_seek_advice(ui_editor *editor)
{
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    const nw_point *point = editor->current;
    char label[16] = "";
    if (row && row->block)
        nw_block_label(row->block, label, sizeof label);
    if (editor->advice && strcmp(editor->advice->label, label) == 0)
        return;
    free(editor->advice);
    editor->advice = NULL;
    editor->pane_cursor = 0;
    if (!label[0])
        return;
    nw_subject subject = {point->arch, point->hw, point->estimate.estimator, point->precision};
    editor->advice = nw_alloc(sizeof *editor->advice);
    if (nw_advise_block(&subject, &point->estimate, row->block, NULL, editor->advice, NULL) !=
        NW_OK) {
        free(editor->advice);
        editor->advice = NULL;
    }
}

/* Text over as many lines as it takes; lines above skip and below rect are left out. Returns the
 * line behind it. */
static int flow_text(ui_canvas *canvas, ui_rect rect, int line, int skip, ui_role role,
                     const char *text)
{
    ui_rect whole = {rect.row + line - skip, rect.column, 1 << 16, rect.columns};
    if (canvas) {
        ui_rect clip = canvas->clip;
        ui_canvas_set_clip(canvas, rect);
        ui_text_wrapped(canvas, whole, role, text);
        ui_canvas_set_clip(canvas, clip);
    }
    return line + ui_text_wrapped(NULL, whole, role, text);
}

static ui_role role_of_item(const nw_advice_item *item)
{
    return item->verdict == NW_ADVICE_HELPS     ? UI_ROLE_BETTER
           : item->verdict == NW_ADVICE_REFUSED ? UI_ROLE_DIM
                                                : UI_ROLE_TEXT;
}

static void write_item(const nw_advice_item *item, char *dst, size_t size)
{
    static const char *const marks[] = {[NW_ADVICE_HELPS] = "+",
                                        [NW_ADVICE_UNSURE] = "~",
                                        [NW_ADVICE_NO_GAIN] = "-",
                                        [NW_ADVICE_REFUSED] = "x"};
    snprintf(dst, size, "%s %s: %s", marks[item->verdict], item->label, item->text);
}

/* Item i; the line behind it. */
static int flow_item(ui_canvas *canvas, ui_rect rect, int line, int skip, const ui_editor *editor,
                     int i)
{
    const nw_advice_item *item = &editor->advice->items[i];
    bool is_cursor = editor->is_pane_focused && i == editor->pane_cursor;
    char text[512];
    write_item(item, text, sizeof text);
    int end = flow_text(canvas, rect, line, skip, role_of_item(item), text);
    for (int at = line; canvas && is_cursor && at < end; at++)
        if (at >= skip && at - skip < rect.rows)
            ui_reverse_row(canvas, rect.row + at - skip, rect.column, rect.columns);
    return end;
}

/* What helps, why the block takes its time, and what else was tried. chosen (may be NULL) gets
 * where the item under the pane's cursor begins. */
static int flow_advice(ui_canvas *canvas, ui_rect rect, const ui_editor *editor, int skip,
                       int *chosen)
{
    const nw_advice *a = editor->advice;
    char text[256], time[32];
    int line, i = 0;
    snprintf(text, sizeof text, "%s %s: %s, %.1f %%", a->label, a->block,
             nw_format_time(a->cost.latency_ps, time, sizeof time), 100 * a->share);
    line = flow_text(canvas, rect, 0, skip, UI_ROLE_TITLE, text);
    for (int part = 0; part < 2; part++) {
        for (; i < a->n_items && (part || a->items[i].verdict == NW_ADVICE_HELPS); i++) {
            if (chosen && i == editor->pane_cursor)
                *chosen = line;
            line = flow_item(canvas, rect, line, skip, editor, i);
        }
        for (int k = 0; !part && k < a->n_facts; k++)
            line = flow_text(canvas, rect, line, skip, UI_ROLE_DIM, a->facts[k]);
    }
    return line;
}

int ui_editor_draw_advice(ui_canvas *canvas, ui_rect rect, const ui_editor *editor)
{
    int chosen = 0;
    if (!editor->advice) {
        if (canvas)
            ui_text_cut(canvas, rect.row, rect.column, rect.columns, UI_ROLE_DIM,
                        "there is no block under the cursor");
        return 0;
    }
    int n = flow_advice(NULL, rect, editor, 0, &chosen);
    int skip = editor->is_pane_focused && chosen > rect.rows - 4 ? chosen - rect.rows + 4 : 0;
    if (canvas)
        flow_advice(canvas, rect, editor, skip < 0 ? 0 : skip, NULL);
    return n;
}

/* ---- history ---- */

int ui_editor_draw_history(ui_canvas *canvas, ui_rect rect, const ui_editor *editor)
{
    int n = editor->n_steps;
    for (int i = 0; canvas && i < rect.rows; i++) {
        int at = n - 1 - i - editor->pane_scroll;
        char before[32], after[32], change[96] = "";
        if (at < 0)
            break;
        const ui_editor_past *step = &editor->steps[at];
        int64_t was = at ? editor->steps[at - 1].latency_ps : -1;
        if (step->latency_ps >= 0)
            nw_format_time(step->latency_ps, after, sizeof after);
        if (step->latency_ps >= 0 && was >= 0)
            snprintf(change, sizeof change, "%s %s %s", nw_format_time(was, before, sizeof before),
                     canvas->ascii ? "->" : "→", after);
        else if (step->latency_ps >= 0)
            snprintf(change, sizeof change, "%s", after);
        int columns = ui_text_columns(change);
        ui_printf(canvas, rect.row + i, rect.column, rect.columns - columns - 2,
                  i + editor->pane_scroll ? UI_ROLE_TEXT : UI_ROLE_TITLE, "%3d  %s", at,
                  at ? step->line : "as opened");
        ui_text_right(canvas, rect.row + i, rect.column + rect.columns, UI_ROLE_TEXT, change);
    }
    return n;
}

/* ---- the network in words ---- */

int ui_editor_draw_strings(ui_canvas *canvas, ui_rect rect, const ui_editor *editor)
{
    if (canvas && !editor->n_strings)
        ui_text_cut(canvas, rect.row, rect.column, rect.columns, UI_ROLE_DIM,
                    "no block of this network has a word in timm's strings");
    int line = 0, column = 0;
    for (int i = 0; i < editor->n_strings; i++) {
        int columns = ui_text_columns(editor->strings[i]);
        if (column && column + 2 + columns > rect.columns) {
            line++;
            column = 0;
        }
        if (canvas && line >= rect.rows)
            break;
        column += column ? 2 : 0;
        bool is_last =
            canvas && line == rect.rows - 1 && i + 1 < editor->n_strings &&
            column + columns + 2 + ui_text_columns(editor->strings[i + 1]) > rect.columns;
        if (canvas)
            ui_text_cut(canvas, rect.row + line, rect.column + column, rect.columns - column,
                        UI_ROLE_TEXT, editor->strings[i]);
        if (is_last && column + columns + 2 < rect.columns)
            ui_put(canvas, rect.row + line, rect.column + column + columns + 1, UI_ROLE_DIM,
                   ui_glyph(canvas, UI_GLYPH_ELLIPSIS));
        column += columns;
    }
    return line + (column > 0);
}
