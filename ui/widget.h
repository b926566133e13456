/* widget.h - what overlays and the console are made of: a line to type in, a box, a list.
 */
#ifndef UI_WIDGET_H
#define UI_WIDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/view.h"

enum { UI_EDIT_BYTES = 4096 };

/* A line being typed: UTF-8, caret at a character's border. Zero-initialise. */
typedef struct ui_edit {
    char text[UI_EDIT_BYTES];
    size_t length, caret;
    int history; /* how many lines back, 0: the line itself */
    char kept[UI_EDIT_BYTES];
} ui_edit;

void ui_edit_set(ui_edit *edit, const char *text); /* caret at the end */
/* Replaces the bytes from a position up to the caret. */
void ui_edit_replace(ui_edit *edit, size_t from, const char *text);
/* Characters, Left, Right, Home, End, Backspace, Delete, C-a C-e C-u C-k C-w. False: not its. */
bool ui_edit_key(ui_edit *edit, int key);
/* Up and Down through the lines remembered for a prompt. */
void ui_edit_history(ui_edit *edit, const nw_session *session, const char *prompt, int step);
/* One row with the caret in sight. */
void ui_edit_draw(ui_canvas *canvas, int row, int column, int columns, const ui_edit *edit);

/* A box of the wanted size in the middle of rect, never larger; cleared and framed. */
ui_rect ui_box_rect(ui_rect rect, int rows, int columns);
ui_rect ui_box(ui_canvas *canvas, ui_rect box, const char *title);

/* The first row of a list of which rows are seen, with the cursor among them. */
int ui_list_top(int cursor, int rows);
/* Moves a cursor for DOWN, UP, PAGE_*, TOP and BOTTOM; false: another command. */
bool ui_list_move(int *cursor, int n, int page, ui_command command);
int ui_list_clamp(int cursor, int n); /* into 0 to n - 1, or 0 */

/* Whether text holds pattern, small and capital letters alike; where, or -1. */
int ui_find(const char *text, const char *pattern);

#endif
