/* landscape.h - the state of the Landscape screen, and what its files do for each other.
 *
 * view_landscape.c: places, keys. landscape_panels.c: the panels. landscape_table.c: what stands
 * around them.
 */
#ifndef UI_LANDSCAPE_H
#define UI_LANDSCAPE_H

#include "src/session/explore.h"
#include "ui/heat.h"
#include "ui/view.h"

enum { UI_N_PANELS = NW_PANE_CURATED + 1 }; /* MACS, SINGLE, CURATED are shown */

/* How much of a climb is shown: points of n. */
typedef struct ui_landscape_climb {
    int64_t start, end;
    int n, shown;
} ui_landscape_climb;

typedef struct ui_landscape {
    /* the grid that the probe is on */
    const nw_space *space;
    int x_dim, y_dim;
    bool is_placed;
    int x, y;
    const nw_dim *axis; /* x of the grid that they are on; only compared */
    nw_option at_x, at_y;
    bool has_probe;
    nw_totals probe;
    char trouble[600]; /* why there is no probe */
    nw_pane_id pane;
    bool is_one, shows_figures;
    bool has_model;
    ui_landscape_climb climbs[UI_N_PANELS];
    char value[160];
    char *text; /* of the last reply; owned */
} ui_landscape;

/* Whether panels stand alone in a rectangle. */
bool ui_landscape_is_one(const ui_landscape *state, ui_rect rect);

/* Where panels are; those that are not shown have no rows. */
typedef struct ui_landscape_places {
    ui_rect head, panels[UI_N_PANELS], legend, table, probe;
} ui_landscape_places;
ui_landscape_places ui_landscape_find_places(const ui_landscape *state, ui_rect rect);

void ui_landscape_draw_panels(ui_canvas *canvas, const ui_landscape_places *places,
                              const nw_session *session, const ui_landscape *state);
/* The point of the grid under a cell of a panel. */
bool ui_landscape_point_at(const ui_landscape_places *places, const nw_session *session, int row,
                           int column, nw_pane_id *panel, int *x, int *y);

void ui_landscape_draw_head(ui_canvas *canvas, ui_rect rect, const nw_session *session);
void ui_landscape_draw_legend(ui_canvas *canvas, ui_rect rect, const nw_session *session);
void ui_landscape_draw_table(ui_canvas *canvas, ui_rect rect, const nw_session *session,
                             const ui_landscape *state);
void ui_landscape_draw_probe(ui_canvas *canvas, ui_rect rect, const nw_session *session,
                             const ui_landscape *state);

/* The pane of a panel that is found and of what is shown now; NULL: none. */
const nw_pane *ui_landscape_pane(const nw_landscape *landscape, nw_pane_id id);
/* A value of a metric with its unit; dst is returned. */
const char *ui_landscape_format(nw_metric metric, const nw_totals *totals,
                                const nw_objective *objective, char *dst, size_t size);
const char *ui_landscape_metric_word(nw_metric metric); /* "objective", "latency" */

#endif
