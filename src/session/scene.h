/* scene.h - private to src/session: a landscape that is being computed.
 *
 * A ground is the grid and its plan; scenes that differ in the metric alone share it. landscape.c:
 * tasks, and what the main thread makes of them. scene.c: what panes follow from, and what is
 * known of a point.
 */
#ifndef NW_SCENE_H
#define NW_SCENE_H

#include "src/session/internal.h"

typedef struct nw_ground {
    int n_users;
    const nw_space *grid;
    uint16_t genome[NW_MAX_DIMS]; /* of grid: its base */
    nw_plan *plan;
} nw_ground;

/* What panes follow from, beside the slice. */
typedef struct nw_frame {
    int *columns, *rows; /* NULL: not known */
    int n_columns, n_rows;
    int start_x, start_y; /* -1: by itself */
} nw_frame;

struct nw_scene {
    int n_users;
    nw_cancel cancel;
    const nw_space *space;
    nw_shared_hw *hw;
    char precision[24], estimator[256];
    uint16_t others[NW_MAX_DIMS]; /* genes of space */
    uint8_t *kept[2]; /* options of x and y that curation had left when it began; NULL: not known */
    nw_ground *ground;
    nw_slice *slice;
    nw_error err;
    /* the main thread's */
    bool is_ready, is_full, is_finding;
    int n_filling;
    nw_frame wanted; /* by now */
    nw_frame found;  /* of panes */
    nw_panes *panes;
    nw_landscape view;
};

/* Axis of the grid; NULL: a line has no y. */
const nw_dim *nw_scene_axis(const nw_scene *scene, bool is_y);
/* A byte an option of a dimension of the session's space; the caller frees it. */
uint8_t *nw_scene_list_kept(const nw_session *s, int dim);
/* Whether curation left an option that is not on the grid, since it was not known then. */
bool nw_scene_misses_kept(const nw_session *s, const nw_scene *scene);
/* What is chosen by now; the caller frees its lists. */
nw_frame nw_scene_find_frame(const nw_session *s, const nw_scene *scene);
bool nw_scene_is_same_frame(const nw_frame *a, const nw_frame *b);
bool nw_scene_is_same_list(const int *a, int n_a, const int *b, int n_b);
int *nw_scene_copy_list(const int *list, int n); /* NULL stays NULL */

#endif
