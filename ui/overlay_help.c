/* overlay_help.c - what can be done on this screen now; typing filters, Enter runs.
 */
#include <stdio.h>
#include <string.h>

#include "ui/keys.h"
#include "ui/view.h"
#include "ui/widget.h"

typedef struct help_state {
    ui_edit edit;
    int cursor;
    const ui_view *below;
    const void *below_state;
} help_state;

enum { BOX_COLUMNS = 100, LIST_FROM = 3 /* rows above the list: filter, screen, rule */ };

/* The entries possible here that match, those of the screen's footer first. */
typedef struct listed {
    ui_entry rows[UI_ENTRY_COUNT];
    int n, n_own;
} listed;

static void add(listed *out, ui_entry entry, const help_state *h, const nw_session *session)
{
    char keys[48];
    for (int i = 0; i < out->n; i++)
        if (out->rows[i] == entry)
            return;
    if (entry == UI_ENTRY_NONE ||
        !ui_entry_is_possible(entry, session, h->below, h->below_state, NULL, 0))
        return;
    const char *pattern = h->edit.text;
    if (ui_find(ui_entry_name(entry), pattern) >= 0 ||
        ui_find(ui_entry_help(entry), pattern) >= 0 ||
        ui_find(ui_entry_keys(entry, keys, sizeof keys), pattern) >= 0)
        out->rows[out->n++] = entry;
}

static void list_entries(const help_state *h, const nw_session *session, listed *out)
{
    out->n = 0;
    const char *const *own = h->below ? h->below->footer : NULL;
    for (int i = 0; own && own[i]; i++)
        add(out, ui_entry_find(own[i]), h, session);
    out->n_own = out->n;
    for (ui_entry i = 0; i < UI_ENTRY_COUNT; i++)
        add(out, i, h, session);
}

static bool enter(const ui_context *context, const nw_session *session, void *state)
{
    help_state *h = state;
    (void)session;
    h->below = context->below;
    h->below_state = context->below_state;
    return false;
}

static ui_rect box_of(ui_rect rect)
{
    return ui_box_rect(rect, rect.rows, BOX_COLUMNS);
}

static void draw_entry(ui_canvas *canvas, int row, ui_rect in, ui_entry entry, bool is_own)
{
    char keys[48];
    const char *text = ui_entry_keys(entry, keys, sizeof keys);
    char typed[48];
    if (!*text) {
        snprintf(typed, sizeof typed, ":%s", ui_entry_name(entry));
        text = typed;
    }
    ui_text(canvas, row, in.column, 15, UI_ROLE_KEY, text);
    ui_text(canvas, row, in.column + 16, 16, is_own ? UI_ROLE_TITLE : UI_ROLE_TEXT,
            ui_entry_name(entry));
    ui_text_cut(canvas, row, in.column + 33, in.columns - 33, UI_ROLE_TEXT, ui_entry_help(entry));
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const help_state *h = state;
    listed found;
    char title[96];
    list_entries(h, session, &found);
    snprintf(title, sizeof title, "Help: %s - type to filter, Enter runs",
             h->below ? h->below->name : "");
    ui_rect in = ui_box(canvas, box_of(rect), title);
    ui_text(canvas, in.row, in.column, 2, UI_ROLE_KEY, ">");
    ui_edit_draw(canvas, in.row, in.column + 2, in.columns - 2, &h->edit);
    if (h->below)
        ui_text(canvas, in.row + 1, in.column, in.columns, UI_ROLE_DIM, h->below->help);
    ui_rule(canvas, in.row + 2, in.column, in.columns);
    int shown = in.rows - LIST_FROM - 1, cursor = ui_list_clamp(h->cursor, found.n);
    int top = ui_list_top(cursor, shown);
    for (int i = 0; i < shown && top + i < found.n; i++) {
        draw_entry(canvas, in.row + LIST_FROM + i, in, found.rows[top + i], top + i < found.n_own);
        if (top + i == cursor)
            ui_reverse_row(canvas, in.row + LIST_FROM + i, in.column, in.columns);
    }
    if (found.n == 0)
        ui_printf(canvas, in.row + LIST_FROM, in.column, in.columns, UI_ROLE_DIM,
                  "nothing here matches; Esc leaves, C-u clears");
    ui_printf(canvas, in.row + in.rows - 1, in.column, in.columns, UI_ROLE_DIM,
              "%d possible here   mouse: click, wheel; :mouse switches it   as text: nasw --keys",
              found.n);
}

static ui_reply choose(const help_state *h, const nw_session *session)
{
    listed found;
    list_entries(h, session, &found);
    if (found.n == 0)
        return (ui_reply){.kind = UI_REPLY_DONE};
    ui_entry entry = found.rows[ui_list_clamp(h->cursor, found.n)];
    if (!ui_entry_is_action(entry))
        return (ui_reply){.kind = UI_REPLY_COMMAND,
                          .command = (ui_command)(entry - NW_ACTION_COUNT)};
    return (ui_reply){UI_REPLY_ACTION, {(nw_action_id)entry, -1, NULL}, UI_COMMAND_NONE};
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    help_state *h = state;
    listed found;
    if (id == UI_COMMAND_BACK || id == UI_COMMAND_HELP)
        return (ui_reply){.kind = UI_REPLY_CLOSE};
    if (id == UI_COMMAND_DRILL)
        return choose(h, session);
    list_entries(h, session, &found);
    bool is_moved = ui_list_move(&h->cursor, found.n, box_of(rect).rows - 6, id);
    return (ui_reply){.kind = is_moved ? UI_REPLY_DONE : UI_REPLY_IGNORED};
}

static bool takes_text(const void *state)
{
    (void)state;
    return true;
}

static ui_reply key(int pressed, ui_rect rect, const nw_session *session, void *state)
{
    help_state *h = state;
    (void)rect, (void)session;
    if (pressed == '?' && h->edit.length == 0) /* the key that opened it closes it */
        return (ui_reply){.kind = UI_REPLY_CLOSE};
    if (!ui_edit_key(&h->edit, pressed))
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    h->cursor = 0;
    return (ui_reply){.kind = UI_REPLY_DONE};
}

static ui_reply mouse(ui_mouse event, ui_rect rect, const nw_session *session, void *state)
{
    help_state *h = state;
    listed found;
    list_entries(h, session, &found);
    ui_rect box = box_of(rect);
    int cursor = ui_list_clamp(h->cursor, found.n), shown = box.rows - 2 - LIST_FROM - 1;
    int from = box.row + 1 + LIST_FROM;
    int row = ui_list_top(cursor, shown) + event.row - from;
    if (event.what == UI_MOUSE_WHEEL_UP || event.what == UI_MOUSE_WHEEL_DOWN)
        row = cursor + (event.what == UI_MOUSE_WHEEL_UP ? -1 : 1);
    else if (event.row < from || event.row >= from + shown || row >= found.n)
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    h->cursor = ui_list_clamp(row, found.n);
    return event.what == UI_MOUSE_DOUBLE ? choose(h, session) : (ui_reply){.kind = UI_REPLY_DONE};
}

static bool answers(ui_command id, const void *state)
{
    (void)state;
    return id == UI_COMMAND_BACK || id == UI_COMMAND_DRILL || id <= UI_COMMAND_PAGE_UP;
}

static const char *const footer[] = {"drill=run", "back", NULL};

const ui_view ui_view_help = {
    .name = "Help",
    .short_name = "Help",
    .help = "what can be done here",
    .state_size = sizeof(help_state),
    .draw = draw,
    .command = command,
    .takes_text = takes_text,
    .key = key,
    .mouse = mouse,
    .footer = footer,
    .enter = enter,
    .answers = answers,
};
