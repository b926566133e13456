/* The hardware pane of the Space screen while a figure of it is swept: a bar a value. */
#include <stdio.h>

#include "src/report/report.h"
#include "ui/space.h"

enum { MARK_COLUMNS = 2, VALUE_COLUMNS = 12, TIME_COLUMNS = 9 };

static int64_t find_slowest(const nw_sweep *sweep)
{
    int64_t slowest = 0;
    for (int i = 0; i < NW_SWEEP_ROWS; i++)
        slowest = sweep->rows[i].latency_ps > slowest ? sweep->rows[i].latency_ps : slowest;
    return slowest;
}

/* What is so now has a mark, the knee its word behind the bar. */
static void draw_row(ui_canvas *canvas, int row, ui_rect in, const nw_sweep *sweep, int i,
                     int64_t slowest)
{
    char text[32];
    const nw_sweep_row *r = &sweep->rows[i];
    bool is_now = i == NW_SWEEP_NOW;
    ui_role role = is_now ? UI_ROLE_MARK : UI_ROLE_TEXT;
    int column = in.column, end = in.column + in.columns;
    if (is_now)
        ui_put(canvas, row, column, role, '>');
    column += MARK_COLUMNS;
    ui_text(canvas, row, column, VALUE_COLUMNS, role, r->value);
    column += VALUE_COLUMNS;
    if (!r->latency_ps) {
        ui_text_cut(canvas, row, column, end - column, UI_ROLE_DIM, r->why);
        return;
    }
    ui_text_right(canvas, row, column + TIME_COLUMNS, role,
                  nw_format_time(r->latency_ps, text, sizeof text));
    column += TIME_COLUMNS + 1;
    const char *word = i == sweep->knee ? " knee" : is_now ? " now" : "";
    int columns = end - column - 5;
    double length = (double)r->latency_ps / (double)slowest;
    ui_bar(canvas, row, column, columns, length, UI_ROLE_BAR);
    ui_text(canvas, row, column + columns, 5, i == sweep->knee ? UI_ROLE_TITLE : UI_ROLE_DIM, word);
}

/* Behind the knee what there is room for: who says so, and what else moves. */
static void draw_below(ui_canvas *canvas, ui_rect in, const nw_sweep *sweep)
{
    char text[320];
    const char *note = nw_sweep_note(sweep->figure);
    int n = ui_text_wrapped(canvas, in, UI_ROLE_TITLE, nw_sweep_verdict(sweep, text, sizeof text));
    int used = snprintf(
        text, sizeof text,
        "%s%sby the simulated device: a regression serves only the figures it was trained for",
        note, *note ? "; " : "");
    if (sweep->n_unknown && used > 0)
        snprintf(text + used, sizeof text - (size_t)used, "; %d kernels without a cost left out",
                 sweep->n_unknown);
    in = (ui_rect){in.row + n, in.column, in.rows - n, in.columns};
    if (in.rows > 0)
        ui_text_wrapped(canvas, in, UI_ROLE_DIM, text);
}

void ui_space_draw_sweep(ui_canvas *canvas, ui_rect rect, const nw_session *session,
                         const ui_space *state)
{
    const char *why;
    char title[128];
    const nw_sweep *sweep = nw_session_sweep(session, &why);
    snprintf(title, sizeof title, "Sweep %s (S): latency by device",
             nw_sweep_name((nw_sweep_figure)(state->sweep - 1)));
    ui_rect in = ui_frame(canvas, rect, title);
    in = (ui_rect){in.row, in.column + 1, in.rows, in.columns - 2};
    if (!sweep) {
        ui_text_wrapped(canvas, in, *why ? UI_ROLE_WARNING : UI_ROLE_DIM,
                        *why ? why : "estimating ...");
        return;
    }
    /* The knee has the last row of a small pane. */
    int n = in.rows - 1 < NW_SWEEP_ROWS ? in.rows - 1 : NW_SWEEP_ROWS;
    int64_t slowest = find_slowest(sweep);
    for (int i = 0; i < n; i++)
        draw_row(canvas, in.row + i, in, sweep, i, slowest);
    int gap = in.rows > n + 4;
    ui_rect below = {in.row + n + gap, in.column, in.rows - n - gap, in.columns};
    draw_below(canvas, below, sweep);
}
