/* view.h - screens and overlays: they draw a session and turn keys into actions.
 *
 * A view knows no curses and no key codes beyond ui_key. It never changes the session itself: it
 * answers a command (moving, sorting, panes: the table below) or asks the frame to run an action.
 */
#ifndef UI_VIEW_H
#define UI_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "src/session/session.h"
#include "ui/canvas.h"

/* ---- keys ---- */
/* A Unicode character, or one of these; modifiers are or-ed in. "C-r" and "F2" are their names. */
enum {
    UI_KEY_NONE = 0,
    UI_KEY_TAB = '\t',
    UI_KEY_ENTER = '\r',
    UI_KEY_ESCAPE = 27,
    UI_KEY_BACKSPACE = 127,
    UI_KEY_UP = 0x110000,
    UI_KEY_DOWN,
    UI_KEY_LEFT,
    UI_KEY_RIGHT,
    UI_KEY_PAGE_UP,
    UI_KEY_PAGE_DOWN,
    UI_KEY_HOME,
    UI_KEY_END,
    UI_KEY_DELETE,
    UI_KEY_SHIFT_TAB,
    UI_KEY_F1, /* F1 to F12 follow each other */
    UI_KEY_F12 = UI_KEY_F1 + 11,
    UI_KEY_MOUSE, /* see ui_mouse */
    UI_KEY_RESIZE,
    UI_KEY_ALT = 0x1000000,
    UI_KEY_CTRL = 0x2000000
};

typedef struct ui_mouse {
    int row, column;
    enum { UI_MOUSE_CLICK, UI_MOUSE_DOUBLE, UI_MOUSE_WHEEL_UP, UI_MOUSE_WHEEL_DOWN } what;
} ui_mouse;

/* ---- commands of views ---- */
/* id, name, keys separated by spaces, help in one line */
#define UI_COMMANDS(X)                                                                             \
    X(DOWN, "down", "j Down", "next row")                                                          \
    X(UP, "up", "k Up", "previous row")                                                            \
    X(LEFT, "left", "h Left", "left")                                                              \
    X(RIGHT, "right", "l Right", "right")                                                          \
    X(TOP, "top", "g Home", "first row")                                                           \
    X(BOTTOM, "bottom", "G End", "last row")                                                       \
    X(PAGE_DOWN, "page.down", "PgDn", "a page down")                                               \
    X(PAGE_UP, "page.up", "PgUp", "a page up")                                                     \
    X(DRILL, "drill", "Enter", "open, expand or run what is under the cursor")                     \
    X(BACK, "back", "Esc Backspace", "cancel, back up")                                            \
    X(NEXT_PANE, "pane.next", "Tab", "next pane")                                                  \
    X(PREVIOUS_PANE, "pane.previous", "S-Tab", "previous pane")                                    \
    X(MARK, "mark", "Space", "mark the row")                                                       \
    X(FILTER, "filter", "/", "show only rows that match, as you type")                             \
    X(FIND_NEXT, "find.next", "n", "next match")                                                   \
    X(FIND_PREVIOUS, "find.previous", "N", "previous match")                                       \
    X(SORT_LEFT, "sort.left", "<", "sort by the column to the left")                               \
    X(SORT_RIGHT, "sort.right", ">", "sort by the column to the right")                            \
    X(SORT_FLIP, "sort.flip", "s", "turn the order around")                                        \
    X(PANE_VIEW, "view", "v", "what the second pane shows")                                        \
    X(SWEEP, "sweep", "S",                                                                         \
      "one figure of the hardware from a quarter to eight times, and the knee")                    \
    X(HELP, "help", "? F1", "help for this screen; type to filter, Enter runs")                    \
    X(PALETTE, "palette", ": C-p F2", "every action and command by name")                          \
    X(MESSAGES, "messages", "M", "all messages")                                                   \
    X(CALIBRATION, "calibration", "R", "how right the estimator is: its residuals, type by type")  \
    X(REDRAW, "redraw", "C-l", "draw everything again")                                            \
    X(SUSPEND, "suspend", "C-z", "stop until fg")                                                  \
    X(MOUSE, "mouse", "", "switch the mouse on or off")                                            \
    X(PANELS, "panels", "t", "one panel or all of them")                                           \
    X(SCREEN_LANDSCAPE, "screen.landscape", "1 A-1", "what a search walks over, on this hardware") \
    X(SCREEN_LAYERS, "screen.layers", "3 A-3", "where the time goes, block by block")              \
    X(SCREEN_EDIT, "screen.edit", "4 A-4", "stages and blocks: change them, see the effect")       \
    X(BLOCKS, "blocks", "B", "blocks, or every kernel by itself")                                  \
    X(DIFFERENCES, "differences", "d", "only what differs")                                        \
    X(SCREEN_SPACE, "screen.space", "6 A-6", "dimensions, options, which are worth having here")   \
    X(SCREEN_COMPARE, "screen.compare", "8 A-8", "networks beside each other")                     \
    X(SCREEN_LUA, "screen.lua", "7 A-7", "Lua console on this session")

typedef enum ui_command {
#define X(id, name, keys, help) UI_COMMAND_##id,
    UI_COMMANDS(X)
#undef X
        UI_COMMAND_COUNT,
    UI_COMMAND_NONE = UI_COMMAND_COUNT
} ui_command;

typedef struct ui_command_def {
    const char *name, *keys, *help;
} ui_command_def;
const ui_command_def *ui_command_def_of(ui_command id);

/* ---- what a view answers ---- */
typedef enum ui_reply_kind {
    UI_REPLY_IGNORED, /* not mine: the frame looks further */
    UI_REPLY_DONE,    /* state changed, draw again */
    UI_REPLY_ACTION,  /* run reply.action on the session */
    UI_REPLY_COMMAND, /* run reply.command (palette, help) */
    UI_REPLY_WORK,    /* call the view's work with the session to change */
    UI_REPLY_REFUSED, /* of act: it cannot be done, and why */
    UI_REPLY_CLOSE    /* take this overlay away; from a screen: the screen before it */
} ui_reply_kind;

typedef struct ui_reply {
    ui_reply_kind kind;
    nw_action action; /* value must live until the view's next call */
    ui_command command;
} ui_reply;

typedef struct ui_view ui_view;
typedef struct ui_evaluator ui_evaluator;

/* What an overlay or a screen finds when it comes up. */
typedef struct ui_context {
    const ui_view *below; /* the view it covers, or NULL */
    const void *below_state;
    nw_action_id asked; /* the action that wants a value, for prompts */
    int target;         /* of that action */
    const ui_evaluator *evaluator;
} ui_context;

struct ui_view {
    const char *name;                                     /* "Layers" */
    const char *short_name;                               /* for 80 columns: "Layers" */
    const char *help;                                     /* one line */
    size_t state_size;                                    /* zeroed at the start */
    void (*init)(const nw_session *session, void *state); /* may be NULL */
    void (*fini)(void *state);                            /* may be NULL */
    /* Called before draw and before keys whenever the session's version moved: caches of what is
     * shown. */
    void (*update)(const nw_session *session, void *state); /* may be NULL */
    /* rect is the view's part of the canvas: below the header, above message and footer. */
    void (*draw)(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state);
    ui_reply (*command)(ui_command command, ui_rect rect, const nw_session *session, void *state);
    /* Keys while the view takes text (filter, prompt, console); NULL: never takes text. */
    bool (*takes_text)(const void *state);
    ui_reply (*key)(int key, ui_rect rect, const nw_session *session, void *state);
    ui_reply (*mouse)(ui_mouse mouse, ui_rect rect, const nw_session *session, void *state);
    /* The kernel under the cursor for actions with a target, or -1; may be NULL. */
    int (*target)(const void *state);
    /* Actions and commands worth a place in the footer, most useful first, by name, or "name=label"
     * where the name says too little; NULL-terminated. */
    const char *const *footer;
    /* Text of the row under the cursor for COPY; the caller frees it; may be NULL. */
    char *(*copy)(const nw_session *session, const void *state);

    /* ---- all of these may be NULL ---- */
    /* Once, behind init. True: work is called at once. */
    bool (*enter)(const ui_context *context, const nw_session *session, void *state);
    /* Whether the view answers a command at all, for help and palette; NULL: it answers any. */
    bool (*answers)(ui_command command, const void *state);
    /* After UI_REPLY_WORK: the one place where a view changes the session. */
    void (*work)(nw_session *session, void *state);
    /* An overlay's reply.action failed; the overlay stays. NULL: it closes either way. */
    void (*failed)(const nw_error *err, void *state);
    /* An action without a value, by key, footer or palette: what a screen makes of it, IGNORED: as
     * it stands. REFUSED: why (size bytes) says it in words. */
    ui_reply (*act)(nw_action_id id, char *why, size_t size, void *state);
    bool acts_alone; /* act is asked about actions that are not possible, too: it has others */
    /* What the prompt for an action begins with; "" is fine. */
    void (*suggest)(nw_action_id asked, const void *state, char *dst, size_t size);
    bool works_when_shown; /* a screen: work is called whenever it comes up */
    /* A key before anything else sees it; true: that was it. */
    bool (*takes_key)(int key, void *state);
    /* What moves by itself: milliseconds until tick is called; -1: nothing does. */
    int (*pause_ms)(const void *state);
    void (*tick)(void *state);
};

extern const ui_view ui_view_landscape; /* view_landscape.c */
extern const ui_view ui_view_space;     /* view_space.c */
extern const ui_view ui_view_layers;    /* view_layers.c */
extern const ui_view ui_view_edit;      /* view_edit.c */
extern const ui_view ui_view_compare;   /* view_compare.c */
extern const ui_view ui_view_welcome;   /* view_welcome.c */
extern const ui_view ui_view_help;      /* overlay_help.c */
extern const ui_view ui_view_palette;   /* overlay_palette.c */
extern const ui_view ui_view_messages;  /* overlay_messages.c */
extern const ui_view ui_view_open;      /* overlay_open.c: a path with completion and history */
extern const ui_view ui_view_hw;     /* overlay_hw.c: descriptions, with latencies once compared */
extern const ui_view ui_view_dims;   /* overlay_dims.c: the dimensions of the space; Enter picks */
extern const ui_view ui_view_recipe; /* overlay_recipe.c: fuse.all and align.all, before they run */
extern const ui_view ui_view_calibration; /* overlay_calibration.c: how right the estimator is */
extern const ui_view ui_view_console; /* view_console.c: evaluates through ui_options.evaluator */

/* ---- the Lua console's engine, given by main.c, so that ui and lua never meet ---- */
struct ui_evaluator {
    void *context;
    /* Evaluates a line on the session; out gets lines to show (printable), is_error whether it is
     * an error text. is_incomplete: more input is needed (an open block). */
    void (*evaluate)(void *context, nw_session *session, const char *line, nw_buf *out,
                     bool *is_error, bool *is_incomplete);
    /* Candidates that complete the end of line, one a line in out; *replace_from: byte index. */
    void (*complete)(void *context, const char *line, nw_buf *out, size_t *replace_from);
    /* One line of help for the call that line is in, or empty. */
    void (*hint)(void *context, const char *line, nw_buf *out);
};

#endif
