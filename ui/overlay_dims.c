/* overlay_dims.c - the dimensions of the space; Enter picks one for whoever asked.
 */
#include <stdio.h>
#include <string.h>

#include "src/session/explore.h"
#include "ui/view.h"
#include "ui/widget.h"

typedef struct dims_state {
    int cursor;
    nw_action_id asked;
    char error[600];
} dims_state;

enum { BOX_COLUMNS = 66, NAME_COLUMNS = 14, KIND_COLUMNS = 12 };

static const nw_dim *dims_of(const nw_session *session, int *n)
{
    const nw_space *space = nw_session_space(session);
    *n = 0;
    return space ? nw_space_dims(space, n) : NULL;
}

static bool enter(const ui_context *context, const nw_session *session, void *state)
{
    dims_state *d = state;
    const nw_landscape *l = nw_session_landscape(session);
    d->asked = context->asked;
    if (l)
        d->cursor = d->asked == NW_ACTION_LANDSCAPE_Y && l->y_dim >= 0 ? l->y_dim : l->x_dim;
    return false;
}

static ui_rect box_of(ui_rect rect, int n)
{
    return ui_box_rect(rect, n + 4, BOX_COLUMNS);
}

static int list_rows(ui_rect rect, int n)
{
    return box_of(rect, n).rows - 4;
}

/* "8 .. 256, 32 options", or all of a few. */
static void format_options(const nw_dim *dim, char *dst, size_t size)
{
    char text[64];
    size_t used = 0;
    dst[0] = '\0';
    if (dim->n_options > 6) {
        char last[64];
        nw_option_text(dim->kind, &dim->options[0], text, sizeof text);
        nw_option_text(dim->kind, &dim->options[dim->n_options - 1], last, sizeof last);
        snprintf(dst, size, "%s .. %s, %d options", text, last, dim->n_options);
        return;
    }
    for (int i = 0; i < dim->n_options && used < size; i++)
        used += (size_t)snprintf(dst + used, size - used, "%s%s", i ? " " : "",
                                 nw_option_text(dim->kind, &dim->options[i], text, sizeof text));
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const dims_state *d = state;
    int n;
    char options[160];
    const nw_dim *dims = dims_of(session, &n);
    const char *title = d->asked == NW_ACTION_LANDSCAPE_Y
                            ? "Upwards: Enter picks, Esc leaves it"
                            : "To the right: Enter picks, Esc leaves it";
    ui_rect in = ui_box(canvas, box_of(rect, n), title);
    int shown = list_rows(rect, n), top = ui_list_top(d->cursor, shown);
    for (int i = 0; i < shown && top + i < n; i++) {
        const nw_dim *dim = &dims[top + i];
        int row = in.row + i, column = in.column + NAME_COLUMNS + KIND_COLUMNS;
        format_options(dim, options, sizeof options);
        ui_text_cut(canvas, row, in.column, NAME_COLUMNS - 1, UI_ROLE_TEXT, dim->name);
        ui_text_cut(canvas, row, in.column + NAME_COLUMNS, KIND_COLUMNS - 1, UI_ROLE_DIM,
                    nw_dim_kind_name(dim->kind));
        ui_text_cut(canvas, row, column, in.column + in.columns - column, UI_ROLE_TEXT, options);
        if (top + i == d->cursor)
            ui_reverse_row(canvas, row, in.column, in.columns);
    }
    ui_text(canvas, in.row + in.rows - 1, in.column, in.columns, UI_ROLE_ERROR, d->error);
}

static ui_reply choose(const nw_session *session, const dims_state *d)
{
    int n;
    const nw_dim *dims = dims_of(session, &n);
    if (d->cursor >= n)
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    return (ui_reply){UI_REPLY_ACTION, {d->asked, -1, dims[d->cursor].name}, UI_COMMAND_NONE};
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    dims_state *d = state;
    int n;
    dims_of(session, &n);
    if (id == UI_COMMAND_BACK)
        return (ui_reply){.kind = UI_REPLY_CLOSE};
    if (id == UI_COMMAND_DRILL)
        return choose(session, d);
    d->error[0] = '\0';
    bool is_moved = ui_list_move(&d->cursor, n, list_rows(rect, n), id);
    return (ui_reply){.kind = is_moved ? UI_REPLY_DONE : UI_REPLY_IGNORED};
}

static ui_reply mouse(ui_mouse mouse, ui_rect rect, const nw_session *session, void *state)
{
    dims_state *d = state;
    int n;
    dims_of(session, &n);
    int shown = list_rows(rect, n), row = mouse.row - box_of(rect, n).row - 1;
    if (mouse.what == UI_MOUSE_WHEEL_UP || mouse.what == UI_MOUSE_WHEEL_DOWN) {
        d->cursor = ui_list_clamp(d->cursor + (mouse.what == UI_MOUSE_WHEEL_UP ? -1 : 1), n);
        return (ui_reply){.kind = UI_REPLY_DONE};
    }
    if (row < 0 || row >= shown || ui_list_top(d->cursor, shown) + row >= n)
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    d->cursor = ui_list_top(d->cursor, shown) + row;
    return mouse.what == UI_MOUSE_DOUBLE ? choose(session, d) : (ui_reply){.kind = UI_REPLY_DONE};
}

static void failed(const nw_error *err, void *state)
{
    dims_state *d = state;
    snprintf(d->error, sizeof d->error, "%s%s%s", err->where, err->where[0] ? ": " : "",
             err->message);
}

static bool answers(ui_command id, const void *state)
{
    (void)state;
    return id == UI_COMMAND_DOWN || id == UI_COMMAND_UP || id == UI_COMMAND_PAGE_DOWN ||
           id == UI_COMMAND_PAGE_UP || id == UI_COMMAND_TOP || id == UI_COMMAND_BOTTOM ||
           id == UI_COMMAND_BACK || id == UI_COMMAND_DRILL;
}

static const char *const footer[] = {"drill=pick", "down", "back", NULL};

const ui_view ui_view_dims = {
    .name = "Dimensions",
    .short_name = "Dims",
    .help = "the dimensions of the space; Enter picks one",
    .state_size = sizeof(dims_state),
    .draw = draw,
    .command = command,
    .mouse = mouse,
    .footer = footer,
    .enter = enter,
    .answers = answers,
    .failed = failed,
};
