/* keys.h - keys by name, and what they run.
 *
 * An entry is an action of the session or a command of the views: the two tables as one list.
 */
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include <stdbool.h>

#include "ui/view.h"

/* ---- entries: 0 to NW_ACTION_COUNT - 1 are actions, the commands follow ---- */
typedef int ui_entry;
enum { UI_ENTRY_COUNT = NW_ACTION_COUNT + UI_COMMAND_COUNT, UI_ENTRY_NONE = -1 };

static inline bool ui_entry_is_action(ui_entry entry)
{
    return entry < NW_ACTION_COUNT;
}
static inline ui_entry ui_entry_of_command(ui_command command)
{
    return (ui_entry)NW_ACTION_COUNT + (ui_entry)command;
}
const char *ui_entry_name(ui_entry entry);
const char *ui_entry_help(ui_entry entry);
ui_entry ui_entry_find(const char *name); /* up to an equals sign; UI_ENTRY_NONE */

/* Whether the entry does something now on this view; else why not, in words. */
bool ui_entry_is_possible(ui_entry entry, const nw_session *session, const ui_view *view,
                          const void *state, char *why, size_t size);

/* ---- keys ---- */
/* "j", "Down", "C-r", "A-3", "S-Tab": UI_KEY_NONE if that is no key. */
int ui_key_parse(const char *name);
/* The name of a key; returns dst. */
char *ui_key_name(int key, char *dst, size_t size);

/* What a key runs, and the keys of an entry as text: "j Down"; returns dst. */
ui_entry ui_key_entry(int key);
char *ui_entry_keys(ui_entry entry, char *dst, size_t size);
int ui_entry_first_key(ui_entry entry); /* UI_KEY_NONE if it has none */
/* The first that is not text, for where text is typed. */
int ui_entry_key_beside_text(ui_entry entry);
bool ui_key_is_text(int key);

/* ---- the last row ---- */
typedef struct ui_footer_item {
    ui_entry entry;
    int column, columns;
    char key[16], label[24];
} ui_footer_item;

/* The footer of a view, which takes text now or not, cut to whole entries that fit into columns.
 * Help is always there. Returns how many. */
int ui_footer(const ui_view *view, bool is_typing, int columns, ui_footer_item *items,
              int max_items);

#endif
