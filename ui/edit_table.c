/* The Edit screen's table: stages and blocks, the cell under the cursor. */
#include <stdio.h>
#include <string.h>

#include "ui/edit.h"

typedef struct column_def {
    const char *title;
    int width; /* the gap behind it included */
    bool is_right;
} column_def;

#define LABEL_COLUMNS 8
#define WIDE          100
#define TIGHT         70

static const column_def defs[UI_EDITOR_COLUMN_COUNT] = {
    [UI_EDITOR_TYPE] = {"type", 9, false},         [UI_EDITOR_REP] = {"rep", 4, false},
    [UI_EDITOR_KERNEL] = {"kern", 5, false},       [UI_EDITOR_STRIDE] = {"stride", 7, false},
    [UI_EDITOR_EXP] = {"exp", 6, false},           [UI_EDITOR_CHAN] = {"chan", 6, false},
    [UI_EDITOR_LATENCY] = {"latency us", 9, true}, [UI_EDITOR_DELTA] = {"Δ us", 11, true},
    [UI_EDITOR_UTIL] = {"util", 6, true},          [UI_EDITOR_IDLE] = {"idle", 8, false},
};

typedef struct layout {
    int at[UI_EDITOR_COLUMN_COUNT], width[UI_EDITOR_COLUMN_COUNT]; /* width 0: not shown */
} layout;

/* On a narrow screen the cells move together. */
static const int tight_widths[UI_EDITOR_N_CELLS] = {8, 4, 5, 4, 5, 5};

static bool is_tight(ui_rect rect)
{
    return rect.columns < TIGHT;
}

/* What goes when there is no room: first idle lanes, then utilisation. */
static layout lay_out(ui_rect rect)
{
    layout l;
    int used = LABEL_COLUMNS, end = rect.column + rect.columns;
    int at = rect.column + LABEL_COLUMNS;
    for (int i = 0; i < UI_EDITOR_COLUMN_COUNT; i++) {
        bool is_cell = i < UI_EDITOR_N_CELLS;
        int width = is_cell && is_tight(rect) ? tight_widths[i] : defs[i].width;
        bool fits = used + width <= rect.columns;
        l.width[i] = fits ? width : 0;
        l.at[i] = at;
        used += l.width[i];
        at += l.width[i];
        if (i == UI_EDITOR_UTIL || i == UI_EDITOR_LATENCY)
            at += 1 + (rect.columns >= WIDE);
    }
    if (l.width[UI_EDITOR_IDLE])
        l.width[UI_EDITOR_IDLE] = end - l.at[UI_EDITOR_IDLE];
    return l;
}

static void draw_titles(ui_canvas *canvas, ui_rect rect, const ui_editor *editor, const layout *l)
{
    ui_text(canvas, rect.row, rect.column + 1, LABEL_COLUMNS, UI_ROLE_TITLE, "stage");
    for (int i = 0; i < UI_EDITOR_COLUMN_COUNT; i++) {
        char title[32];
        const char *text = i == UI_EDITOR_STRIDE && is_tight(rect)    ? "str"
                           : i == UI_EDITOR_LATENCY && is_tight(rect) ? "us"
                                                                      : defs[i].title;
        if (!l->width[i])
            continue;
        if (i == UI_EDITOR_DELTA) {
            if (!editor->baseline)
                continue;
            snprintf(title, sizeof title, "%s us", canvas->ascii ? "d" : "Δ");
            text = title;
        }
        if (i == UI_EDITOR_IDLE && l->width[i] >= 20)
            text = "idle lanes";
        ui_role role = (int)editor->column == i ? UI_ROLE_KEY : UI_ROLE_TITLE;
        if (defs[i].is_right)
            ui_text_right(canvas, rect.row, l->at[i] + l->width[i] - (i == UI_EDITOR_DELTA ? 2 : 0),
                          role, text);
        else
            ui_text(canvas, rect.row, l->at[i], l->width[i], role, text);
    }
}

static void draw_time(ui_canvas *canvas, int line, const layout *l, const ui_editor_row *row,
                      ui_role base)
{
    char text[32];
    if (!row->is_there)
        snprintf(text, sizeof text, "-");
    else if (!row->is_known)
        snprintf(text, sizeof text, "?");
    else
        snprintf(text, sizeof text, "%.1f", (double)row->latency_ps / 1e6);
    ui_text_right(canvas, line, l->at[UI_EDITOR_LATENCY] + l->width[UI_EDITOR_LATENCY],
                  row->is_there && !row->is_known ? UI_ROLE_WARNING : base, text);
}

static void draw_delta(ui_canvas *canvas, int line, const layout *l, const ui_editor *editor,
                       const ui_editor_row *row, ui_role base)
{
    char text[32];
    int end = l->at[UI_EDITOR_DELTA] + l->width[UI_EDITOR_DELTA] - 2;
    if (!editor->baseline)
        return;
    if (!row->has_delta) {
        ui_text_right(canvas, line, end, base, "?");
        return;
    }
    if (!row->delta_ps) {
        ui_put(canvas, line, end - 1, base, ui_glyph(canvas, UI_GLYPH_DOT));
        return;
    }
    bool is_less = row->delta_ps < 0;
    ui_role role = editor->is_same_thing ? base : is_less ? UI_ROLE_BETTER : UI_ROLE_WORSE;
    snprintf(text, sizeof text, "%+.1f", (double)row->delta_ps / 1e6);
    ui_text_right(canvas, line, end, role, text);
    if (!editor->is_same_thing)
        ui_put(canvas, line, end, role,
               ui_glyph(canvas, is_less ? UI_GLYPH_BETTER : UI_GLYPH_WORSE));
}

static void draw_idle(ui_canvas *canvas, int line, const layout *l, const ui_editor *editor,
                      const ui_editor_row *row, ui_role base)
{
    int width = l->width[UI_EDITOR_IDLE], at = l->at[UI_EDITOR_IDLE];
    if (!row->is_there) {
        ui_text_cut(canvas, line, at, width, UI_ROLE_DIM, "only in the baseline");
        return;
    }
    if (!row->idle) {
        if (row->is_new && width >= 6)
            ui_text(canvas, line, at, width, base, "new");
        return;
    }
    long long idle = (long long)row->idle, c = (long long)row->channels;
    long long lanes = c + idle;
    if (width >= 34)
        ui_printf(canvas, line, at, width, base, "c%lld wastes %lld of %lld lanes", c, idle, lanes);
    else
        ui_printf(canvas, line, at, width, base, "-%lld!", idle);
    (void)editor;
}

static void draw_cells(ui_canvas *canvas, int line, const layout *l, const ui_editor *editor,
                       const ui_editor_row *row, bool is_cursor, ui_role base)
{
    for (int i = 0; i < UI_EDITOR_N_CELLS; i++) {
        char text[40];
        bool is_cell = is_cursor && (int)editor->column == i;
        const char *cell = row->cells[i][0] ? row->cells[i] : "-";
        bool is_dot = strcmp(cell, "-") == 0;
        if (!l->width[i])
            continue;
        if (is_cell) {
            snprintf(text, sizeof text, "[%s]", is_dot ? " " : cell);
            int used = ui_text(canvas, line, l->at[i] - 1, l->width[i] + 1, UI_ROLE_KEY, text);
            ui_reverse_row(canvas, line, l->at[i] - 1, used);
        } else if (is_dot) {
            ui_put(canvas, line, l->at[i], UI_ROLE_DIM, ui_glyph(canvas, UI_GLYPH_DOT));
        } else {
            ui_text_cut(canvas, line, l->at[i], l->width[i] - 1, base, cell);
        }
    }
}

static void draw_row(ui_canvas *canvas, ui_rect rect, int line, const layout *l,
                     const ui_editor *editor, int index)
{
    const ui_editor_row *row = &editor->rows[index];
    bool is_cursor = index == editor->cursor;
    ui_role base = is_cursor        ? UI_ROLE_TITLE
                   : !row->is_there ? UI_ROLE_DIM
                   : row->is_block  ? UI_ROLE_TEXT
                                    : UI_ROLE_TEXT;
    if (is_cursor)
        ui_put(canvas, line, rect.column, UI_ROLE_CURSOR, '>');
    ui_printf(canvas, line, rect.column + 1, LABEL_COLUMNS - 1, base, "%s%s%s",
              row->is_block ? "  " : "", row->label, row->is_edited ? "*" : "");
    if (row->block)
        draw_cells(canvas, line, l, editor, row, is_cursor, base);
    if (l->width[UI_EDITOR_LATENCY])
        draw_time(canvas, line, l, row, base);
    if (l->width[UI_EDITOR_DELTA])
        draw_delta(canvas, line, l, editor, row, base);
    if (l->width[UI_EDITOR_UTIL] && row->is_there && row->stage >= 0) {
        char text[16];
        double percent = 100 * row->utilisation;
        snprintf(text, sizeof text, "%.*f%%", percent < 9.95 ? 1 : 0, percent);
        ui_text_right(canvas, line, l->at[UI_EDITOR_UTIL] + l->width[UI_EDITOR_UTIL], base,
                      row->is_known ? text : "?");
    }
    if (l->width[UI_EDITOR_IDLE])
        draw_idle(canvas, line, l, editor, row, base);
}

void ui_editor_draw_table(ui_canvas *canvas, ui_rect rect, const ui_editor *editor)
{
    layout l = lay_out(rect);
    draw_titles(canvas, rect, editor, &l);
    int n = rect.rows - 1, top = ui_editor_top(editor, n);
    for (int i = 0; i < n && top + i < editor->n_rows; i++)
        draw_row(canvas, rect, rect.row + 1 + i, &l, editor, top + i);
}

ui_editor_column ui_editor_column_at(const ui_editor *editor, ui_rect rect, int column)
{
    layout l = lay_out(rect);
    (void)editor;
    for (int i = 0; i < UI_EDITOR_N_CELLS; i++)
        if (l.width[i] && column >= l.at[i] - 1 && column < l.at[i] + l.width[i] - 1)
            return (ui_editor_column)i;
    return UI_EDITOR_COLUMN_COUNT;
}
