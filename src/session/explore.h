/* explore.h - a session's search space: its plan on the hardware chosen, what curation says of its
 * options, and its landscape.
 *
 * The space, the expert's hand, axes, metric and start are what actions change and undo brings
 * back. All else is computed in the background from the moment that somebody follows it, and begun
 * anew when what it depends on changes. Pointers are valid until the session changes or polls.
 */
#ifndef NW_EXPLORE_H
#define NW_EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/curate/curate.h"
#include "src/landscape/landscape.h"
#include "src/session/session.h"
#include "src/space/space.h"

/* Reads spaces in the scripting language; copied. Without one (NULL) files of spaces are refused.
 */
void nw_session_set_space_loader(nw_session *session, const nw_space_loader *loader);

/* ---- the space ---- */

const nw_space *nw_session_space(const nw_session *session); /* NULL: none */
bool nw_session_is_curated(const nw_session *session);       /* the curated options are in force */

/* What the expert says of an option, whatever the figures say. */
typedef enum nw_hand { NW_HAND_FREE, NW_HAND_KEEP, NW_HAND_DROP } nw_hand;
nw_hand nw_session_hand(const nw_session *session, int dim, int option);
/* Whether an option is in the curated space: the hand, else curation; true where neither says. */
bool nw_session_keeps(const nw_session *session, int dim, int option);

typedef enum nw_phase { NW_PHASE_NONE, NW_PHASE_RUNNING, NW_PHASE_DONE, NW_PHASE_FAILED } nw_phase;

/* From now on the space is curated for the hardware chosen, in the background. */
void nw_session_follow_curation(nw_session *session);
nw_phase nw_session_curation_phase(const nw_session *session);
const char *nw_session_curation_doing(const nw_session *session);  /* or why it failed; "" */
const nw_curation *nw_session_curation(const nw_session *session); /* NULL: not yet */
/* The space as curation and hand leave it; NULL: not known yet, or nothing would be left. */
const nw_space *nw_session_curated(const nw_session *session);

/* ---- its landscape ---- */

/* The grid of two dimensions, channels in single steps or as fine as NW_LANDSCAPE_SIDE points a
 * side allow, all other genes the base network's; filled coarse to fine; nw_panes_find of it once
 * it is full. */
#define NW_LANDSCAPE_SIDE 128

typedef struct nw_landscape {
    nw_phase phase;
    const char *doing;      /* "compiling the plan", or why it failed; "" */
    double done;            /* share of the grid, 0 to 1 */
    int x_dim, y_dim;       /* of the session's space; y -1: a line */
    const nw_dim *x, *y;    /* the grid's axes; NULL: not there yet; y NULL: a line */
    int64_t step_x, step_y; /* channels between most neighbours; 0: the space's options */
    nw_metric metric;       /* of SINGLE and CURATED; lower is better */
    nw_objective objective;
    const nw_plan *plan;       /* of the grid; NULL: not there yet */
    int start_x, start_y;      /* where climbs begin, on the grid */
    const int *columns, *rows; /* where curation leaves options, on the grid; NULL: not known */
    int n_columns, n_rows;
    const nw_panes *panes; /* NULL: not yet */
    bool has_curated;      /* panes has what curation says now */
    uint64_t version;      /* of panes: another number, other climbs */
} nw_landscape;

/* From now on it follows space, hardware, axes, metric, start and curation. */
void nw_session_follow_landscape(nw_session *session);
/* NULL: there is no space, or nobody follows. */
const nw_landscape *nw_session_landscape(const nw_session *session);

/* A point of the grid as it is known by now, or the nearest coarser one; NAN: none, or no network.
 */
double nw_landscape_macs(const nw_landscape *landscape, int x, int y);
double nw_landscape_value(const nw_landscape *landscape, int x, int y);
/* A point at once, however much of the picture is known. NW_UNSUPPORTED: there is no plan yet. */
NW_CHECKED nw_status nw_landscape_probe(const nw_landscape *landscape, int x, int y, nw_totals *out,
                                        nw_error *err);
/* The value for SPACE_OPEN that opens a point. The caller frees it; NULL: there is none. */
char *nw_landscape_point_text(const nw_landscape *landscape, int x, int y);

/* Whether curation or landscape is computed now. */
bool nw_session_is_exploring(const nw_session *session);

#endif
