/* edit.h - the state behind the Edit screen: stages and blocks with a cell cursor, and what is said
 * of them beside the table.
 *
 * Private to view_edit.c, edit_*.c and their tests. Everything drawn is a function of this state,
 * which ui_editor_set and its kin fill when the session changed. A row is known by its label, so
 * the cursor stays where it is whatever an edit does elsewhere.
 */
#ifndef UI_EDIT_H
#define UI_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/report/report.h"
#include "src/session/session.h"
#include "ui/canvas.h"

/* Those before LATENCY are cells that can be edited. */
typedef enum ui_editor_column {
    UI_EDITOR_TYPE,
    UI_EDITOR_REP,
    UI_EDITOR_KERNEL,
    UI_EDITOR_STRIDE,
    UI_EDITOR_EXP,
    UI_EDITOR_CHAN,
    UI_EDITOR_LATENCY,
    UI_EDITOR_DELTA,
    UI_EDITOR_UTIL,
    UI_EDITOR_IDLE,
    UI_EDITOR_COLUMN_COUNT
} ui_editor_column;
#define UI_EDITOR_N_CELLS UI_EDITOR_LATENCY

typedef struct ui_editor_row {
    char label[24]; /* "2": a stage; "2.1": a block; "rest" */
    int stage;      /* -1: the rest */
    bool is_block;
    bool is_there;          /* false: only the baseline has it */
    bool is_known;          /* its latency */
    bool is_edited;         /* written otherwise than in the baseline */
    bool has_delta, is_new; /* against the baseline; is_new: it has no such row */
    int64_t latency_ps, delta_ps;
    double utilisation;
    int slowest;                       /* the longest kernel of the block; -1 */
    const nw_block *block;             /* itself, or the first of the stage that counts; NULL */
    int64_t channels, idle;            /* of the map it makes; output lanes idle in the last step */
    char cells[UI_EDITOR_N_CELLS][16]; /* as shown */
} ui_editor_row;

/* ---- panes ---- */
typedef enum ui_editor_pane {
    UI_EDITOR_WHATIF, /* beside the difference on a wide screen, in its place on a narrow one */
    UI_EDITOR_ADVICE,
    UI_EDITOR_HISTORY,
    UI_EDITOR_DIFFERENCE, /* narrow screens only */
    UI_EDITOR_N_PANES
} ui_editor_pane;

/* A figure of the network against the baseline's. */
typedef struct ui_editor_total {
    int64_t before, after;
} ui_editor_total;

enum { UI_EDITOR_MACS, UI_EDITOR_WEIGHTS, UI_EDITOR_PEAK, UI_EDITOR_N_TOTALS };

/* An edit that led here, and the latency with it where the screen has seen that. */
typedef struct ui_editor_past {
    char *line;
    int64_t latency_ps; /* -1: not known */
} ui_editor_past;

typedef struct ui_editor {
    const nw_point *current, *baseline; /* retained; NULL: nothing is open, no baseline */
    nw_comparison *comparison;          /* of the baseline, or itself, and what is open */
    nw_comparison *before;              /* the baseline alone, where it was estimated otherwise */
    bool is_alike;                      /* estimated as the baseline was */
    bool is_same_thing; /* the baseline differs by who estimated: nothing got better or worse */
    nw_difference difference;
    bool has_difference;
    ui_editor_total totals[UI_EDITOR_N_TOTALS];
    bool spilled, spills;
    int64_t step; /* nw_align_step */
    int n_edits;

    ui_editor_row *rows; /* what the table shows */
    int n_rows;
    bool *is_open; /* by stage */
    int n_stages;

    int cursor, top;
    char wanted[24]; /* the label of the cursor's row */
    ui_editor_column column;
    ui_editor_pane pane;
    bool is_pane_focused;
    int pane_cursor, pane_scroll;

    nw_whatif_row *whatif; /* done ones first */
    int n_whatif, n_done, n_ready;
    bool is_whatif_old; /* of the network before the last edit, until those of this one come in */
    bool follows;       /* what-ifs are asked for */

    nw_advice *advice; /* on the block under the cursor, while its pane is seen; NULL: none */

    nw_align align; /* prices, while is_pricing */
    char priced[24];
    bool is_pricing, takes_up;

    char **strings; /* the network in words, a stage a line */
    int n_strings;
    ui_editor_past *steps; /* oldest first; steps[0] is what was opened, without a line */
    int n_steps;

    char value[1024]; /* of the action that was answered last */
} ui_editor;

/* ---- rows (edit_rows.c) ---- */
/* Takes new points, which it retains; either may be NULL. */
void ui_editor_set(ui_editor *editor, const nw_point *current, const nw_point *baseline);
void ui_editor_fini(ui_editor *editor);
/* Rows anew after stages were opened or closed; the cursor stays on its label. */
void ui_editor_refresh(ui_editor *editor);
void ui_editor_move_to(ui_editor *editor, int row);                    /* clamped */
const ui_editor_row *ui_editor_row_at_cursor(const ui_editor *editor); /* NULL: none */
/* First row shown in a window of n. */
int ui_editor_top(const ui_editor *editor, int n);
int ui_editor_depth(const ui_editor *editor, int stage);

/* ---- what keys mean here (edit_keys.c) ---- */
/* The cell under the cursor one value on (1) or back (-1). False: there is none, why says so. */
bool ui_editor_change(ui_editor *editor, int direction, nw_action *out, char *why, size_t size);
/* What a prompt for an edit begins with; dst is returned. */
const char *ui_editor_suggest(const ui_editor *editor, char *dst, size_t size);
/* Fuse or unfuse, one block more or less, for the row under the cursor. */
bool ui_editor_fuse(ui_editor *editor, nw_action *out);
bool ui_editor_repeat_block(ui_editor *editor, nw_action_id id, nw_action *out);
/* Prices of the cell's channels; false: it has none, why says so. */
bool ui_editor_price(ui_editor *editor, char *why, size_t size);
/* The edit that the price under the cursor is for. */
void ui_editor_take_price(ui_editor *editor, nw_action *out);

/* ---- drawing ---- */
/* edit_table.c */
void ui_editor_draw_table(ui_canvas *canvas, ui_rect rect, const ui_editor *editor);
/* The cell under a canvas column; COLUMN_COUNT: none. */
ui_editor_column ui_editor_column_at(const ui_editor *editor, ui_rect rect, int column);
/* edit_panels.c */
void ui_editor_draw_head(ui_canvas *canvas, ui_rect rect, const ui_editor *editor,
                         const nw_session *session);
void ui_editor_draw_difference(ui_canvas *canvas, ui_rect rect, const ui_editor *editor);
void ui_editor_draw_prices(ui_canvas *canvas, ui_rect rect, const ui_editor *editor);
void ui_editor_draw_best(ui_canvas *canvas, ui_rect rect, const ui_editor *editor);
/* edit_lists.c: return how many lines there are; canvas NULL only counts. */
int ui_editor_draw_whatif(ui_canvas *canvas, ui_rect rect, const ui_editor *editor);
int ui_editor_draw_advice(ui_canvas *canvas, ui_rect rect, const ui_editor *editor);
/* Asks for advice on the block under the cursor, unless it is there; a millisecond or some. */
void ui_editor_seek_advice(ui_editor *editor);
int ui_editor_draw_history(ui_canvas *canvas, ui_rect rect, const ui_editor *editor);
int ui_editor_draw_strings(ui_canvas *canvas, ui_rect rect, const ui_editor *editor);

#endif
