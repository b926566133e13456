/* The lists of the Edit screen's second pane: what if, advice, history, the network in words. */
#include <stdio.h>
#include <string.h>

#include "src/base/units.h"
#include "ui/edit.h"
#include "ui/widget.h"

/* ---- what if ---- */

static void draw_whatif_row(ui_canvas *canvas, ui_rect rect, int line, const nw_whatif_row *row,
                            bool is_cursor)
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
        ui_role role = e->is_below || is_same ? UI_ROLE_DIM
                       : is_less              ? UI_ROLE_BETTER
                                              : UI_ROLE_WORSE;
        int right = has_macs ? end - 9 : end;
        ui_text_cut(canvas, line, rect.column, right - 13 - rect.column, UI_ROLE_TEXT, row->label);
        ui_text_right(canvas, line, right - 2, role,
                      nw_format_signed(nw_format_time, e->latency.latency_ps, time, sizeof time));
        ui_text(canvas, line, right - 1, 1, role,
                is_same       ? ""
                : e->is_below ? "~"
                : is_less     ? "▼"
                              : "▲");
        if (has_macs)
            ui_text_right(canvas, line, end, UI_ROLE_TEXT,
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
        draw_whatif_row(canvas, rect, rect.row + i, &editor->whatif[top + i],
                        editor->is_pane_focused && top + i == editor->pane_cursor);
    int last = rect.row + rect.rows - 1;
    if (editor->n_ready < editor->n_whatif)
        ui_printf(canvas, last, rect.column, rect.columns, UI_ROLE_DIM, "%d of %d tried",
                  editor->n_ready, editor->n_whatif);
    else
        ui_printf(canvas, last, rect.column, rect.columns, UI_ROLE_DIM, "%d tried, %d impossible",
                  editor->n_whatif, editor->n_whatif - editor->n_done);
    return editor->n_whatif;
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
