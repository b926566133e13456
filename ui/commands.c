#include <stdio.h>
#include <string.h>

#include "ui/keys.h"

static const ui_command_def command_defs[] = {
#define X(id, name, keys, help) {name, keys, help},
    UI_COMMANDS(X)
#undef X
};

const ui_command_def *ui_command_def_of(ui_command id)
{
    return &command_defs[id];
}

const char *ui_entry_name(ui_entry entry)
{
    return ui_entry_is_action(entry) ? nw_action_def_of((nw_action_id)entry)->name
                                     : command_defs[entry - NW_ACTION_COUNT].name;
}

const char *ui_entry_help(ui_entry entry)
{
    return ui_entry_is_action(entry) ? nw_action_def_of((nw_action_id)entry)->help
                                     : command_defs[entry - NW_ACTION_COUNT].help;
}

ui_entry ui_entry_find(const char *name)
{
    size_t length = strcspn(name, "=");
    for (ui_entry i = 0; i < UI_ENTRY_COUNT; i++)
        if (strlen(ui_entry_name(i)) == length && strncmp(ui_entry_name(i), name, length) == 0)
            return i;
    return UI_ENTRY_NONE;
}

/* Commands that the frame answers whatever is on the screen. */
static bool is_frames(ui_command command)
{
    switch (command) {
    case UI_COMMAND_HELP:
    case UI_COMMAND_PALETTE:
    case UI_COMMAND_MESSAGES:
    case UI_COMMAND_CALIBRATION:
    case UI_COMMAND_REDRAW:
    case UI_COMMAND_SUSPEND:
    case UI_COMMAND_MOUSE:
    case UI_COMMAND_SCREEN_LANDSCAPE:
    case UI_COMMAND_SCREEN_SPACE:
    case UI_COMMAND_SCREEN_LAYERS:
    case UI_COMMAND_SCREEN_EDIT:
    case UI_COMMAND_SCREEN_COMPARE:
    case UI_COMMAND_SCREEN_LUA:
        return true;
    default:
        return false;
    }
}

bool ui_entry_is_possible(ui_entry entry, const nw_session *session, const ui_view *view,
                          const void *state, char *why, size_t size)
{
    if (ui_entry_is_action(entry))
        return nw_action_is_possible(session, (nw_action_id)entry, why, size);
    ui_command command = (ui_command)(entry - NW_ACTION_COUNT);
    if (is_frames(command) || !view)
        return true;
    if (view->command && (!view->answers || view->answers(command, state)))
        return true;
    if (why)
        snprintf(why, size, "%s has no %s", view->name, ui_entry_name(entry));
    return false;
}

/* ---- the last row ---- */

/* What stands in the footer; a second entry shares the place: "j/k move". */
static const struct {
    const char *first, *second, *label;
} labels[] = {
    {"down", "up", "move"},
    {"left", "right", "column"},
    {"more", "less", "step"},
    {"sort.left", "sort.right", "sort"},
    {"find.next", "find.previous", "next"},
    {"hw.previous", "hw.next", "switch hw"},
    {"drill", NULL, "expand"},
    {"sort.flip", NULL, "flip"},
    {"pane.next", NULL, "pane"},
    {"hw.compare", NULL, "compare hw"},
    {"estimator.next", NULL, "estimator"},
    {"palette", NULL, "commands"},
    {"back", NULL, "back"},
    {"screen.landscape", NULL, "landscape"},
    {"screen.space", NULL, "space"},
    {"landscape.x", "landscape.y", "axes"},
    {"landscape.metric", NULL, "metric"},
    {"landscape.start", NULL, "run"},
    {"space.curate", NULL, "curate"},
    {"screen.layers", NULL, "layers"},
    {"screen.edit", NULL, "edit"},
    {"screen.compare", NULL, "compare"},
    {"screen.lua", NULL, "Lua"},
};
enum { N_LABELS = sizeof labels / sizeof *labels };

static int label_of(const char *name)
{
    for (int i = 0; i < N_LABELS; i++)
        if (strcmp(labels[i].first, name) == 0 ||
            (labels[i].second && strcmp(labels[i].second, name) == 0))
            return i;
    return -1;
}

/* Where text is typed, only a key that is none. */
static int key_of(ui_entry entry, bool is_typing)
{
    return is_typing ? ui_entry_key_beside_text(entry) : ui_entry_first_key(entry);
}

/* False if the entry has no key. text is "name" or "name=label". */
static bool make_item(const char *text, bool is_typing, ui_footer_item *item)
{
    char first[8], second[8];
    const char *own = strchr(text, '=');
    int row = own ? -1 : label_of(text);
    const char *other_name = row >= 0 ? labels[row].second : NULL;
    item->entry = ui_entry_find(row >= 0 ? labels[row].first : text);
    if (item->entry == UI_ENTRY_NONE)
        return false;
    int key = key_of(item->entry, is_typing);
    int other = other_name ? key_of(ui_entry_find(other_name), is_typing) : UI_KEY_NONE;
    if (key == UI_KEY_NONE)
        return false;
    ui_key_name(key, first, sizeof first);
    snprintf(item->key, sizeof item->key, "%s%s%s", first, other ? "/" : "",
             other ? ui_key_name(other, second, sizeof second) : "");
    snprintf(item->label, sizeof item->label, "%s",
             own        ? own + 1
             : row >= 0 ? labels[row].label
                        : ui_entry_name(item->entry));
    item->columns = ui_text_columns(item->key) + 1 + ui_text_columns(item->label);
    return true;
}

static bool has_item(const ui_footer_item *items, int n, ui_entry entry)
{
    for (int i = 0; i < n; i++)
        if (items[i].entry == entry)
            return true;
    return false;
}

int ui_footer(const ui_view *view, bool is_typing, int columns, ui_footer_item *items,
              int max_items)
{
    static const char *const always[] = {"palette", "quit", NULL};
    const char *const *lists[] = {view->footer, always};
    const int gap = columns >= 100 ? 2 : 1;
    ui_footer_item help;
    int n = 0, column = 0;
    bool has_help = make_item("help", is_typing, &help) && help.columns <= columns;
    int room = has_help ? columns - help.columns : columns;
    bool is_full = false;
    for (int list = 0; list < 2; list++)
        for (int i = 0; lists[list] && lists[list][i] && !is_full && n < max_items - 1; i++) {
            ui_footer_item *item = &items[n];
            if (!make_item(lists[list][i], is_typing, item) || has_item(items, n, item->entry) ||
                (has_help && item->entry == help.entry))
                continue;
            is_full = column + item->columns + gap > room;
            if (is_full)
                break;
            item->column = column;
            column += item->columns + gap;
            n++;
        }
    if (has_help) {
        help.column = column;
        items[n++] = help;
    }
    return n;
}
