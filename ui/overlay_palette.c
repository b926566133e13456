/* overlay_palette.c - every action and command by name: fuzzy over names and help.
 *
 * "export out.csv" gives a value straight away: a name, a space, the value.
 */
#include <stdio.h>
#include <string.h>

#include "ui/keys.h"
#include "ui/view.h"
#include "ui/widget.h"

typedef struct palette_state {
    ui_edit edit;
    int cursor;
    const ui_view *below;
    const void *below_state;
    char value[UI_EDIT_BYTES];
} palette_state;

enum { BOX_ROWS = 20, BOX_COLUMNS = 100 };

/* ---- what matches ---- */

typedef struct match {
    ui_entry entry;
    int score; /* smaller is better */
    char why[160];
    bool is_possible;
} match;

typedef struct matches {
    match rows[UI_ENTRY_COUNT];
    int n;
} matches;

/* Letters of pattern in their order: how far apart they stand, or -1. */
static int spread(const char *text, const char *pattern)
{
    int gaps = 0, at = 0;
    for (; *pattern; pattern++) {
        char letter[2] = {*pattern, '\0'};
        int next = ui_find(text + at, letter);
        if (next < 0)
            return -1;
        gaps += next;
        at += next + 1;
    }
    return gaps;
}

static int score_of(ui_entry entry, const char *pattern)
{
    int in_name = ui_find(ui_entry_name(entry), pattern);
    int in_help = ui_find(ui_entry_help(entry), pattern);
    int letters = spread(ui_entry_name(entry), pattern);
    if (in_name >= 0)
        return in_name;
    if (letters >= 0)
        return 100 + letters;
    return in_help >= 0 ? 1000 + in_help : -1;
}

/* The name typed in front of a value, or UI_ENTRY_NONE; *value points behind it. */
static ui_entry entry_with_value(const char *text, const char **value)
{
    char name[32];
    size_t length = strcspn(text, " ");
    if (!text[length] || length >= sizeof name)
        return UI_ENTRY_NONE;
    memcpy(name, text, length);
    name[length] = '\0';
    *value = text + length + strspn(text + length, " ");
    ui_entry entry = ui_entry_find(name);
    bool takes = entry != UI_ENTRY_NONE && ui_entry_is_action(entry) &&
                 nw_action_def_of((nw_action_id)entry)->value != NW_VALUE_NONE;
    return takes ? entry : UI_ENTRY_NONE;
}

static void add_match(matches *out, ui_entry entry, int score, const palette_state *p,
                      const nw_session *session)
{
    match row = {.entry = entry, .score = score};
    row.is_possible =
        ui_entry_is_possible(entry, session, p->below, p->below_state, row.why, sizeof row.why);
    int at = out->n++;
    /* What cannot be done now stands behind the rest. */
    for (; at > 0 &&
           (out->rows[at - 1].is_possible < row.is_possible ||
            (out->rows[at - 1].is_possible == row.is_possible && out->rows[at - 1].score > score));
         at--)
        out->rows[at] = out->rows[at - 1];
    out->rows[at] = row;
}

static void find_matches(const palette_state *p, const nw_session *session, matches *out)
{
    const char *value;
    ui_entry only = entry_with_value(p->edit.text, &value);
    out->n = 0;
    for (ui_entry i = 0; i < UI_ENTRY_COUNT; i++) {
        int score = only != UI_ENTRY_NONE ? (i == only ? 0 : -1) : score_of(i, p->edit.text);
        if (score >= 0)
            add_match(out, i, score, p, session);
    }
}

/* ---- the view ---- */

static bool enter(const ui_context *context, const nw_session *session, void *state)
{
    palette_state *p = state;
    (void)session;
    p->below = context->below;
    p->below_state = context->below_state;
    return false;
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const palette_state *p = state;
    matches found;
    char keys[48];
    find_matches(p, session, &found);
    ui_rect in = ui_box(canvas, ui_box_rect(rect, BOX_ROWS, BOX_COLUMNS), "Commands");
    ui_text(canvas, in.row, in.column, 2, UI_ROLE_KEY, ":");
    ui_edit_draw(canvas, in.row, in.column + 2, in.columns - 2, &p->edit);
    int shown = in.rows - 2, cursor = ui_list_clamp(p->cursor, found.n);
    int top = ui_list_top(cursor, shown);
    for (int i = 0; i < shown && top + i < found.n; i++) {
        const match *row = &found.rows[top + i];
        int at = in.row + 2 + i;
        ui_role role = row->is_possible ? UI_ROLE_TEXT : UI_ROLE_DIM;
        ui_text(canvas, at, in.column, 14, row->is_possible ? UI_ROLE_KEY : UI_ROLE_DIM,
                ui_entry_keys(row->entry, keys, sizeof keys));
        ui_text(canvas, at, in.column + 15, 16, role, ui_entry_name(row->entry));
        ui_text_cut(canvas, at, in.column + 32, in.columns - 32, role,
                    row->is_possible ? ui_entry_help(row->entry) : row->why);
        if (top + i == cursor)
            ui_reverse_row(canvas, at, in.column, in.columns);
    }
    if (found.n == 0)
        ui_text(canvas, in.row + 2, in.column, in.columns, UI_ROLE_DIM,
                "nothing has such a name; Esc leaves, C-u clears");
}

static ui_reply run(ui_entry entry, const char *value)
{
    if (!ui_entry_is_action(entry))
        return (ui_reply){.kind = UI_REPLY_COMMAND,
                          .command = (ui_command)(entry - NW_ACTION_COUNT)};
    return (ui_reply){UI_REPLY_ACTION, {(nw_action_id)entry, -1, value}, UI_COMMAND_NONE};
}

static ui_reply choose(palette_state *p, const nw_session *session)
{
    matches found;
    const char *value = "";
    find_matches(p, session, &found);
    if (found.n == 0)
        return (ui_reply){.kind = UI_REPLY_DONE};
    if (entry_with_value(p->edit.text, &value) != UI_ENTRY_NONE)
        snprintf(p->value, sizeof p->value, "%s", value);
    return run(found.rows[ui_list_clamp(p->cursor, found.n)].entry, p->value[0] ? p->value : NULL);
}

/* Tab writes the name out, ready for a value. */
static void complete(palette_state *p, const nw_session *session)
{
    matches found;
    char line[64];
    find_matches(p, session, &found);
    if (found.n == 0 || strchr(p->edit.text, ' '))
        return;
    snprintf(line, sizeof line, "%s ",
             ui_entry_name(found.rows[ui_list_clamp(p->cursor, found.n)].entry));
    ui_edit_set(&p->edit, line);
    p->cursor = 0;
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    palette_state *p = state;
    matches found;
    if (id == UI_COMMAND_BACK || id == UI_COMMAND_PALETTE)
        return (ui_reply){.kind = UI_REPLY_CLOSE};
    if (id == UI_COMMAND_DRILL)
        return choose(p, session);
    if (id == UI_COMMAND_NEXT_PANE) {
        complete(p, session);
        return (ui_reply){.kind = UI_REPLY_DONE};
    }
    find_matches(p, session, &found);
    bool is_moved = ui_list_move(&p->cursor, found.n, ui_box_rect(rect, BOX_ROWS, 0).rows - 4, id);
    return (ui_reply){.kind = is_moved ? UI_REPLY_DONE : UI_REPLY_IGNORED};
}

static bool takes_text(const void *state)
{
    (void)state;
    return true;
}

static ui_reply key(int pressed, ui_rect rect, const nw_session *session, void *state)
{
    palette_state *p = state;
    (void)rect, (void)session;
    if (!ui_edit_key(&p->edit, pressed))
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    p->cursor = 0;
    return (ui_reply){.kind = UI_REPLY_DONE};
}

static ui_reply mouse(ui_mouse event, ui_rect rect, const nw_session *session, void *state)
{
    palette_state *p = state;
    matches found;
    find_matches(p, session, &found);
    ui_rect box = ui_box_rect(rect, BOX_ROWS, BOX_COLUMNS);
    int cursor = ui_list_clamp(p->cursor, found.n);
    int row = ui_list_top(cursor, box.rows - 4) + event.row - box.row - 3;
    if (event.what == UI_MOUSE_WHEEL_UP || event.what == UI_MOUSE_WHEEL_DOWN)
        row = cursor + (event.what == UI_MOUSE_WHEEL_UP ? -1 : 1);
    else if (event.row < box.row + 3 || event.row >= box.row + box.rows - 1 || row >= found.n)
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    p->cursor = ui_list_clamp(row, found.n);
    return event.what == UI_MOUSE_DOUBLE ? choose(p, session) : (ui_reply){.kind = UI_REPLY_DONE};
}

static bool answers(ui_command id, const void *state)
{
    (void)state;
    return id == UI_COMMAND_BACK || id == UI_COMMAND_DRILL || id == UI_COMMAND_NEXT_PANE ||
           id <= UI_COMMAND_PAGE_UP;
}

static const char *const footer[] = {"drill=run", "pane.next=complete", "back", NULL};

const ui_view ui_view_palette = {
    .name = "Commands",
    .short_name = "Commands",
    .help = "type a part of a name, Enter runs; Tab completes, then give a value",
    .state_size = sizeof(palette_state),
    .draw = draw,
    .command = command,
    .takes_text = takes_text,
    .key = key,
    .mouse = mouse,
    .footer = footer,
    .enter = enter,
    .answers = answers,
};
