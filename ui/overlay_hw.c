/* overlay_hw.c - the hardware descriptions, with what is open estimated on each; Enter switches.
 */
#include <stdio.h>
#include <string.h>

#include "src/report/report.h"
#include "ui/view.h"
#include "ui/widget.h"

typedef struct hw_state {
    int cursor;
    char error[600];
} hw_state;

enum { BOX_COLUMNS = 76 };

static void init(const nw_session *session, void *state)
{
    int n;
    const char *const *names = nw_session_hw_names(session, &n);
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], nw_session_hw(session)->name) == 0)
            ((hw_state *)state)->cursor = i;
}

static bool enter(const ui_context *context, const nw_session *session, void *state)
{
    (void)context, (void)state;
    return nw_session_current(session) && !nw_session_hw_rows_are_of_current(session);
}

static void work(nw_session *session, void *state)
{
    nw_error err;
    hw_state *h = state;
    nw_action compare = {NW_ACTION_COMPARE_HW, -1, NULL};
    if (nw_session_act(session, &compare, &err) != NW_OK)
        snprintf(h->error, sizeof h->error, "%s", err.message);
}

static ui_rect box_of(ui_rect rect, int n)
{
    return ui_box_rect(rect, n + 5, BOX_COLUMNS);
}

static int list_rows(ui_rect rect, int n)
{
    return box_of(rect, n).rows - 5;
}

static const nw_hw_row *row_of(const nw_hw_row *rows, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].hw, name) == 0)
            return &rows[i];
    return NULL;
}

static void draw_row(ui_canvas *canvas, int at, ui_rect in, const nw_hw_row *row,
                     const nw_session *session)
{
    char text[64], delta[32] = "";
    if (!row)
        return;
    if (row->error[0]) {
        ui_text(canvas, at, in.column + 19, in.columns - 19, UI_ROLE_DIM, row->error);
        return;
    }
    if (!row->is_done) {
        ui_text(canvas, at, in.column + 19, in.columns - 19, UI_ROLE_DIM, "?");
        return;
    }
    const nw_point *now = nw_session_current(session);
    ui_text_right(canvas, at, in.column + 29, UI_ROLE_TEXT,
                  nw_format_time(row->latency_ps, text, sizeof text));
    if (now && now->estimate.latency_ps > 0 && strcmp(now->hw->name, row->hw) != 0) {
        double share = 100 * ((double)row->latency_ps / (double)now->estimate.latency_ps - 1);
        snprintf(delta, sizeof delta, "%+.1f%%", share);
        ui_text_right(canvas, at, in.column + 39, share < 0 ? UI_ROLE_BETTER : UI_ROLE_WORSE,
                      delta);
        ui_put(canvas, at, in.column + 40, share < 0 ? UI_ROLE_BETTER : UI_ROLE_WORSE,
               ui_glyph(canvas, share < 0 ? UI_GLYPH_BETTER : UI_GLYPH_WORSE));
    }
    ui_text_right(canvas, at, in.column + 50, UI_ROLE_TEXT,
                  nw_format_energy(row->energy_fj, text, sizeof text));
    ui_text(canvas, at, in.column + 51, 10, UI_ROLE_DIM, row->estimator);
    if (row->n_unknown || !row->fits)
        ui_text(canvas, at, in.column + 62, in.columns - 62, UI_ROLE_WARNING,
                row->fits ? "cost unknown" : "does not fit");
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const hw_state *h = state;
    int n, n_rows = 0;
    const char *const *names = nw_session_hw_names(session, &n);
    const nw_hw_row *rows =
        nw_session_hw_rows_are_of_current(session) ? nw_session_hw_rows(session, &n_rows) : NULL;
    ui_rect in = ui_box(canvas, box_of(rect, n), "Hardware: Enter switches, Esc leaves it");
    int shown = list_rows(rect, n), top = ui_list_top(h->cursor, shown);
    ui_text(canvas, in.row, in.column, in.columns, UI_ROLE_DIM,
            nw_session_current(session)
                ? "  description        latency against now     energy by"
                : "  description       open a model to see what it would take on each");
    for (int i = 0; i < shown && top + i < n; i++) {
        const char *name = names[top + i];
        int at = in.row + 1 + i;
        bool is_now = strcmp(name, nw_session_hw(session)->name) == 0;
        ui_text(canvas, at, in.column, 2, UI_ROLE_TITLE, is_now ? ">" : "");
        ui_text(canvas, at, in.column + 2, 16, is_now ? UI_ROLE_TITLE : UI_ROLE_TEXT, name);
        draw_row(canvas, at, in, row_of(rows, n_rows, name), session);
        if (top + i == h->cursor)
            ui_reverse_row(canvas, at, in.column, in.columns);
    }
    if (n == 0)
        ui_text(canvas, in.row + 1, in.column, in.columns, UI_ROLE_WARNING,
                "no descriptions were found; set NASW_DATA");
    ui_text(canvas, in.row + in.rows - 1, in.column, in.columns, UI_ROLE_ERROR, h->error);
}

static ui_reply choose(const nw_session *session, const hw_state *h)
{
    int n;
    const char *const *names = nw_session_hw_names(session, &n);
    if (h->cursor >= n)
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    return (ui_reply){UI_REPLY_ACTION, {NW_ACTION_HW, -1, names[h->cursor]}, UI_COMMAND_NONE};
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    hw_state *h = state;
    int n;
    nw_session_hw_names(session, &n);
    if (id == UI_COMMAND_BACK)
        return (ui_reply){.kind = UI_REPLY_CLOSE};
    if (id == UI_COMMAND_DRILL)
        return choose(session, h);
    h->error[0] = '\0';
    bool is_moved = ui_list_move(&h->cursor, n, list_rows(rect, n), id);
    return (ui_reply){.kind = is_moved ? UI_REPLY_DONE : UI_REPLY_IGNORED};
}

static ui_reply mouse(ui_mouse mouse, ui_rect rect, const nw_session *session, void *state)
{
    hw_state *h = state;
    int n;
    nw_session_hw_names(session, &n);
    int shown = list_rows(rect, n);
    if (mouse.what == UI_MOUSE_WHEEL_UP || mouse.what == UI_MOUSE_WHEEL_DOWN) {
        h->cursor = ui_list_clamp(h->cursor + (mouse.what == UI_MOUSE_WHEEL_UP ? -1 : 1), n);
        return (ui_reply){.kind = UI_REPLY_DONE};
    }
    int row = mouse.row - box_of(rect, n).row - 2;
    if (row < 0 || row >= shown || ui_list_top(h->cursor, shown) + row >= n)
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    h->cursor = ui_list_top(h->cursor, shown) + row;
    return mouse.what == UI_MOUSE_DOUBLE ? choose(session, h) : (ui_reply){.kind = UI_REPLY_DONE};
}

static void failed(const nw_error *err, void *state)
{
    hw_state *h = state;
    snprintf(h->error, sizeof h->error, "%s%s%s", err->where, err->where[0] ? ": " : "",
             err->message);
}

static bool answers(ui_command id, const void *state)
{
    (void)state;
    return id == UI_COMMAND_DOWN || id == UI_COMMAND_UP || id == UI_COMMAND_PAGE_DOWN ||
           id == UI_COMMAND_PAGE_UP || id == UI_COMMAND_TOP || id == UI_COMMAND_BOTTOM ||
           id == UI_COMMAND_BACK || id == UI_COMMAND_DRILL;
}

static const char *const footer[] = {"drill=switch", "down", "back", "undo", NULL};

const ui_view ui_view_hw = {
    .name = "Hardware",
    .short_name = "Hardware",
    .help = "hardware descriptions; Enter switches",
    .state_size = sizeof(hw_state),
    .init = init,
    .draw = draw,
    .command = command,
    .mouse = mouse,
    .footer = footer,
    .enter = enter,
    .answers = answers,
    .work = work,
    .failed = failed,
};
