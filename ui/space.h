/* space.h - the state of the Space screen, and what its files do for each other.
 *
 * view_space.c: places, keys. space_panes.c, space_sweep.c: what is drawn.
 */
#ifndef UI_SPACE_H
#define UI_SPACE_H

#include "src/session/explore.h"
#include "src/session/sweep.h"
#include "ui/view.h"

typedef struct ui_space {
    const nw_space *space; /* that the cursors are in; NULL: none */
    int dim, option;
    int sweep;     /* 0: none, else the figure + 1 */
    bool shows_hw; /* where there is room for one of the lower panes */
    bool has_model, has_curation;
    nw_hand hand; /* of the option under the cursor */
    bool is_kept;
    char value[200]; /* "c3=48" */
} ui_space;

typedef struct ui_space_places {
    ui_rect head, list, options, hw; /* rows 0: not there */
} ui_space_places;

void ui_space_draw_head(ui_canvas *canvas, ui_rect rect, const nw_session *session);
void ui_space_draw_list(ui_canvas *canvas, ui_rect rect, const nw_session *session,
                        const ui_space *state);
void ui_space_draw_options(ui_canvas *canvas, ui_rect rect, const nw_session *session,
                           const ui_space *state);
int ui_space_option_lines(ui_rect rect); /* options that a pane of this size shows at a time */
void ui_space_draw_hw(ui_canvas *canvas, ui_rect rect, const nw_session *session);
void ui_space_draw_sweep(ui_canvas *canvas, ui_rect rect, const nw_session *session,
                         const ui_space *state);

#endif
