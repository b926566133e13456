/* term.h - the terminal: cells out, keys in. Behind it stands curses, nowhere else.
 *
 * A process has one terminal, so there is no object here.
 */
#ifndef UI_TERM_H
#define UI_TERM_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/canvas.h"
#include "ui/input.h"
#include "ui/ui.h"

/* Takes the terminal over. False: there is none that we can use, why says it in one line. */
bool ui_term_open(const ui_options *options, char *why, size_t size);
/* Gives it back as it was; safe to call at any time, twice, or without open. */
void ui_term_close(void);

bool ui_term_is_ascii(void);
bool ui_term_has_color(void);
void ui_term_size(int *rows, int *columns);
void ui_term_resize(void); /* looks at the size again */

/* Sends what changed since the last time. */
void ui_term_paint(const ui_canvas *canvas);
void ui_term_redraw(void); /* the next paint sends everything */

/* Reads what is there. False: the terminal is gone. */
bool ui_term_read(void);
bool ui_term_next(bool is_late, ui_event *out); /* as ui_input_next */
bool ui_term_has_partial(void); /* a part of a key is there: the rest comes soon or never */

void ui_term_suspend(void); /* stops the process group, comes back on SIGCONT */
bool ui_term_has_mouse(void);
void ui_term_set_mouse(bool is_on);
void ui_term_copy(const char *text); /* to the clipboard, where the terminal lets us */

#endif
