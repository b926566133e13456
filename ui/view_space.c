/* Space: dimensions and their options, and the hardware that they are curated for. */
#include <string.h>

#include "src/session/explore.h"
#include "ui/view.h"
#include "ui/widget.h"

typedef struct space_state {
    int cursor;
} space_state;

static void draw_dim(ui_canvas *canvas, int row, ui_rect rect, const nw_session *session, int dim)
{
    int n, column = rect.column + 24;
    const nw_dim *d = &nw_space_dims(nw_session_space(session), &n)[dim];
    ui_text_cut(canvas, row, rect.column, 11, UI_ROLE_TITLE, d->name);
    ui_text_cut(canvas, row, rect.column + 12, 11, UI_ROLE_DIM, nw_dim_kind_name(d->kind));
    for (int i = 0; i < d->n_options && column < rect.column + rect.columns; i++) {
        char text[64];
        bool is_kept = nw_session_keeps(session, dim, i);
        nw_option_text(d->kind, &d->options[i], text, sizeof text);
        column += ui_text(canvas, row, column, rect.column + rect.columns - column,
                          is_kept ? UI_ROLE_TEXT : UI_ROLE_DIM, text) +
                  1;
    }
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const space_state *s = state;
    const nw_space *space = nw_session_space(session);
    if (!space) {
        ui_text(canvas, rect.row + rect.rows / 2, rect.column + 2, -1, UI_ROLE_TEXT,
                "No space loaded. Enter: demo space   o: open");
        return;
    }
    int n = nw_space_n_dims(space), top = ui_list_top(s->cursor, rect.rows);
    for (int i = 0; i < rect.rows && top + i < n; i++) {
        draw_dim(canvas, rect.row + i, rect, session, top + i);
        if (top + i == s->cursor)
            ui_reverse_row(canvas, rect.row + i, rect.column, rect.columns);
    }
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    space_state *s = state;
    const nw_space *space = nw_session_space(session);
    const char *which = nw_session_current(session) ? "model" : "demo";
    if (!space && id == UI_COMMAND_DRILL)
        return (ui_reply){UI_REPLY_ACTION, {NW_ACTION_SPACE, -1, which}, UI_COMMAND_NONE};
    bool is_moved = space && ui_list_move(&s->cursor, nw_space_n_dims(space), rect.rows, id);
    return (ui_reply){.kind = is_moved ? UI_REPLY_DONE : UI_REPLY_IGNORED};
}

static ui_reply act(nw_action_id id, char *why, size_t size, void *state)
{
    (void)why, (void)size, (void)state;
    if (id == NW_ACTION_OPEN)
        return (ui_reply){UI_REPLY_ACTION, {NW_ACTION_SPACE, -1, NULL}, UI_COMMAND_NONE};
    return (ui_reply){.kind = UI_REPLY_IGNORED};
}

static void work(nw_session *session, void *state)
{
    (void)state;
    nw_session_follow_curation(session);
}

static const char *const footer[] = {"down",    "space.curate", "open", "undo",
                                     "palette", "help",         "quit", NULL};

const ui_view ui_view_space = {
    .name = "Space",
    .short_name = "Space",
    .help = "dimensions, options, which are worth having here",
    .state_size = sizeof(space_state),
    .draw = draw,
    .command = command,
    .act = act,
    .work = work,
    .works_when_shown = true,
    .footer = footer,
};
