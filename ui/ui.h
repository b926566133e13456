/* ui.h - the terminal workbench.
 */
#ifndef UI_UI_H
#define UI_UI_H

#include <stdbool.h>

#include "src/session/session.h"
#include "ui/view.h"

typedef enum ui_color { UI_COLOR_AUTO, UI_COLOR_ALWAYS, UI_COLOR_NEVER } ui_color;

typedef struct ui_options {
    ui_color color;
    bool ascii, no_mouse;
    const ui_evaluator *evaluator; /* NULL: no Lua screen */
    const char *first_screen;      /* "Layers" when a file was given; NULL: welcome */
} ui_options;

/* Rebinds a key ("f") to an action or command by name; for init.lua. NW_INVALID: no such name or
 * key, or a clash, which err names with both. */
NW_CHECKED nw_status ui_bind(const char *key, const char *name, nw_error *err);
/* A role's colour: "#00afff", a number of the 256, a name ("cyan"), "default"; for init.lua. */
NW_CHECKED nw_status ui_set_color(const char *role, const char *color, nw_error *err);

/* Whether standard input and output are a terminal that is not dumb. */
bool ui_has_terminal(void);

/* Runs until the user quits. Exit status of the program: 0; 1: the terminal went away; 2: no usable
 * terminal (one line on stderr); 128 + the signal that asked to leave. Restores the terminal on
 * every way out. */
int ui_run(nw_session *session, const ui_options *options);

/* Whether Ctrl-C was hit, or the program was told to leave, while something keeps the main thread
 * busy: whatever takes long asks now and then, and stops. */
bool ui_is_interrupted(void);

/* Every key with its action or command and help, a line each: nasw --keys. */
void ui_print_keys(nw_buf *out);

#endif
