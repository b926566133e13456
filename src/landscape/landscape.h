/* landscape.h - the terrain that a search walks over, and figures of how rough it is.
 *
 * A terrain is a value for every point of a small grid; lower is better. Its axes are either steps
 * (neighbours: one step up or down) or choices (neighbours: any other value). The figures are those
 * of the fitness-landscape literature with formulas beside them; never one number alone.
 */
#ifndef NW_LANDSCAPE_H
#define NW_LANDSCAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/pool.h"
#include "src/base/rng.h"
#include "src/plan/plan.h"

#define NW_MAX_AXES 16

typedef enum nw_axis_kind { NW_AXIS_STEPS, NW_AXIS_CHOICES } nw_axis_kind;

/* Point i has coordinate (i / product of the sizes before it) % size on each axis: axis 0 runs
 * fastest. */
typedef struct nw_terrain {
    int n_axes;
    int sizes[NW_MAX_AXES];
    nw_axis_kind kinds[NW_MAX_AXES];
    int64_t n_points;
    const double *values; /* borrowed; NAN: no such point, its edges do not exist */
} nw_terrain;

/* The neighbours of a point that exist, axis by axis, lower coordinates first; room for the sum of
 * sizes. Returns how many. */
int nw_terrain_neighbours(const nw_terrain *terrain, int64_t point, int64_t *out);

typedef struct nw_figures {
    int64_t n_points, n_edges;
    double best, worst, mean, p5, median, p95; /* of values; p5: 5 % are better */
    int64_t best_point;
    double mean_step;   /* mean |difference| over edges / (pooled range, or best to worst) */
    double monotone;    /* share of edges along which the value changes in the direction that most
                         * edges of that line (all coordinates but one fixed) change: 1 is smooth */
    double neutral;     /* share of edges without a difference */
    int64_t n_minima;   /* strict ones and plateaus, a plateau (connected points of one value, no
                         * lower neighbour) counted once */
    int64_t n_plateaus; /* those of several points among them */
    double density;     /* n_minima / n_points */
    double share_1pct, share_5pct; /* of climbs from every point that end within that of the best */
    double mean_evaluations;       /* of a climb: points looked at, each once */
    double mean_moves;
    double r1;  /* correlation of values along an edge, over all edges both ways: exact r(1) */
    double fdc; /* correlation of value and distance to the best (Hamming over choices, steps over
                 * steps) */
} nw_figures;

/* pooled_range: of several terrains that are compared; 0: this one's. */
void nw_figures_find(const nw_terrain *terrain, double pooled_range, nw_figures *out);

/* Steepest descent; of equally good neighbours the first; stops where no neighbour is lower. With
 * walks_plateaus it crosses points of equal value once each. The caller frees *path. */
typedef struct nw_climb {
    int64_t *path; /* from start to end */
    int n_path;
    int64_t n_evaluations; /* distinct points looked at */
} nw_climb;
void nw_climb_run(const nw_terrain *terrain, int64_t start, bool walks_plateaus, nw_climb *out);
void nw_climb_fini(nw_climb *climb);

/* ---- slices of a space ---- */

/* A grid over two dimensions (or one: y_dim -1, or a path between two genomes), all others fixed.
 */
typedef struct nw_slice_spec {
    int x_dim, y_dim;       /* y_dim -1: a line */
    const uint16_t *genome; /* the other genes */
    const uint16_t *to;     /* not NULL: the path to this genome, a gene at a time; x_dim, y_dim
                             * are ignored */
    nw_metric metric;
    nw_objective objective;
} nw_slice_spec;

typedef struct nw_slice nw_slice;

/* plan must outlive it. NW_INVALID: no such dimensions, or twice the same. */
NW_CHECKED nw_status nw_slice_new(nw_plan *plan, const nw_slice_spec *spec, nw_slice **out,
                                  nw_error *err);
void nw_slice_free(nw_slice *slice);
int nw_slice_width(const nw_slice *slice);  /* options of x */
int nw_slice_height(const nw_slice *slice); /* options of y, 1 */
/* Fills points coarse to fine: every 2^k-th in both directions first, then those between. Workers
 * may share one slice: each call takes the next portion. False: all points are taken. */
bool nw_slice_work(nw_slice *slice, int max_points, const nw_cancel *cancel);
int64_t nw_slice_n_done(const nw_slice *slice);
bool nw_slice_is_done(const nw_slice *slice);
/* The value at x, y, or of the nearest coarser point that is done; NAN: none, or no network.
 * *is_exact (may be NULL): the point itself. Any thread. */
double nw_slice_value(const nw_slice *slice, int x, int y, bool *is_exact);
/* A point at once, whatever is done: all totals. */
NW_CHECKED nw_status nw_slice_probe(nw_slice *slice, int x, int y, nw_totals *out, nw_error *err);
void nw_slice_genome(const nw_slice *slice, int x, int y, uint16_t *out);
/* The finished grid as a terrain of steps (variants: choices); borrows the slice. */
nw_terrain nw_slice_terrain(const nw_slice *slice);

#endif
