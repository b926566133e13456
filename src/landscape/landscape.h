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
#include "src/curate/curate.h"
#include "src/plan/plan.h"

#define NW_MAX_AXES 16

typedef enum nw_axis_kind { NW_AXIS_STEPS, NW_AXIS_CHOICES } nw_axis_kind;

/* Point i has coordinate (i / product of the sizes before it) % size on each axis: axis 0 runs
 * fastest. */
typedef struct nw_terrain {
    int n_axes;
    int sizes[NW_MAX_AXES];
    nw_axis_kind kinds[NW_MAX_AXES];
    int64_t n_points;     /* product of the sizes */
    const double *values; /* borrowed; NAN: no such point, its edges do not exist */
} nw_terrain;

/* The neighbours of a point that exist, axis by axis, lower coordinates first; room for the sum of
 * sizes. Returns how many. */
int nw_terrain_neighbours(const nw_terrain *terrain, int64_t point, int64_t *out);

/* is_minimum[i] is 1 for the points of every minimum as nw_figures counts them, else 0. */
void nw_terrain_minima(const nw_terrain *terrain, uint8_t *is_minimum);

/* ends[i]: where the climb from point i ends; -1: no such point. */
void nw_terrain_ends(const nw_terrain *terrain, bool walks_plateaus, int64_t *ends);

/* The values below which these shares (0 to 1) of the points lie, between two values as far as the
 * share is between theirs: shares 0.05, 0.1 ... draw the distribution. NAN without points. */
void nw_terrain_quantiles(const nw_terrain *terrain, const double *shares, int n, double *out);

/* Of the points that exist. Steps from a point to a neighbour are edges, each counted once.
 *
 * mean_step  mean |f(x) - f(y)| over edges / (pooled range, or worst - best)
 * monotone   of the edges on axes of steps along which f changes, the share that goes the way that
 *            most of those in its line do (a line: all coordinates but one fixed). 1: f never turns
 *            back along a line, as MACs do not; plateaus do not count against it, see neutral
 * n_minima   connected points of one value, none of which has a lower neighbour: a lone point is a
 *            strict minimum, several are a plateau, which counts once
 * r1         exact autocorrelation at distance 1: correlation of f(x) and f(y) over all edges, both
 *            ways (Weinberger 1990 estimates it by random walks); the length is -1 / ln r1
 * fdc        fitness-distance correlation (Jones and Forrest 1995): of fitness -f(x) and the
 *            distance to the nearest best point (places of choices that differ, plus steps).
 *            Turned so that it reads as published for fitness that is maximised: -1 points to the
 *            best everywhere (OneMax), above 0 misleads (traps)
 * Climbs are those of nw_climb_run from every point. `strict` ones stop on the first plateau. */
typedef struct nw_figures {
    int64_t n_points, n_edges;
    double best, worst, mean, p5, median, p95; /* of values; p5: 5 % are lower */
    int64_t best_point;                        /* the first; -1: no points */
    double mean_step, monotone;                /* NAN: no such edges */
    double neutral;                            /* share of edges without a difference */
    int64_t n_minima;
    int64_t n_plateaus;                /* minima of several points */
    double density;                    /* n_minima / n_points */
    double share_1pct, share_5pct;     /* of strict climbs: end at best + 1 % of |best| or below */
    double walking_1pct, walking_5pct; /* of climbs that walk plateaus */
    double mean_evaluations;           /* of a strict climb: distinct points looked at */
    double mean_moves;
    double r1, fdc; /* NAN: nothing varies */
} nw_figures;

/* pooled_range: of several terrains that are compared (1: mean_step in the unit of the values); 0:
 * this one's. Time grows with points x neighbours^2, memory is 60 bytes a point. */
void nw_figures_find(const nw_terrain *terrain, double pooled_range, nw_figures *out);

/* Steepest descent from a point that exists; of equally good neighbours the first; stops where no
 * neighbour is lower. With walks_plateaus it goes on through points of equal value, the shortest
 * way (of several the one whose first step is the first neighbour) to a point that has a lower
 * neighbour, if there is one. The caller frees with nw_climb_fini. */
typedef struct nw_climb {
    int64_t *path; /* from start to end */
    int n_path;
    int64_t n_evaluations; /* distinct points looked at, the start included */
} nw_climb;
void nw_climb_run(const nw_terrain *terrain, int64_t start, bool walks_plateaus, nw_climb *out);
void nw_climb_fini(nw_climb *climb);

/* ---- slices of a space ---- */

#define NW_MAX_SLICE_POINTS (1 << 20)

/* A grid over two dimensions (or one: y_dim -1, or a path between two genomes), all others fixed.
 */
typedef struct nw_slice_spec {
    int x_dim, y_dim;       /* y_dim -1: a line */
    const uint16_t *genome; /* the other genes */
    const uint16_t *to;     /* not NULL: the path to this genome, a gene at a time in the order of
                             * dimensions; x_dim, y_dim are ignored */
    nw_metric metric;       /* of nw_slice_value and nw_slice_terrain */
    nw_objective objective; /* for the metric objective, and the score */
} nw_slice_spec;

typedef struct nw_slice nw_slice;

/* plan must outlive it. Points that break a requirement or predicate of the space are no points;
 * limits are not looked at. Asks predicates, so call it on their thread. NW_INVALID: no such
 * dimensions, or twice the same, genes that are no options, a path from a genome to itself,
 * a predicate that failed (nw_space_problem); NW_LIMIT: more than NW_MAX_SLICE_POINTS. */
NW_CHECKED nw_status nw_slice_new(nw_plan *plan, const nw_slice_spec *spec, nw_slice **out,
                                  nw_error *err);
void nw_slice_free(nw_slice *slice); /* NULL is fine */
nw_metric nw_slice_metric(const nw_slice *slice);
int nw_slice_width(const nw_slice *slice);  /* options of x; genomes of the path */
int nw_slice_height(const nw_slice *slice); /* options of y, 1 */
/* Fills points coarse to fine: every 2^k-th in both directions first, then those between. Workers
 * may share one slice: each call takes the next portion of at most max_points. False: all points
 * are taken. Points that a cancelled call did not finish are free again. */
bool nw_slice_work(nw_slice *slice, int max_points, const nw_cancel *cancel);
/* The same on all processors, until every point is done, cancel is set or progress says so; both
 * may be NULL. */
void nw_slice_fill(nw_slice *slice, nw_progress progress, void *context, const nw_cancel *cancel);
int64_t nw_slice_n_done(const nw_slice *slice); /* points that are no points included */
bool nw_slice_is_done(const nw_slice *slice);
/* The value at x, y, or of the nearest coarser point that is done; NAN: none, or no network.
 * *is_exact (may be NULL): the point itself. Any thread. */
double nw_slice_value(const nw_slice *slice, int x, int y, bool *is_exact);
/* A point at once, whatever is done: all totals. NW_INVALID: it is no network. */
NW_CHECKED nw_status nw_slice_probe(nw_slice *slice, int x, int y, nw_totals *out, nw_error *err);
void nw_slice_genome(const nw_slice *slice, int x, int y, uint16_t *out);
/* Any metric of all points that are done, else NAN; x runs fastest. */
void nw_slice_values(const nw_slice *slice, nw_metric metric, double *out);
/* The same for the objective with MACs over the plan's base's in the place of latency. */
void nw_slice_scored_macs(const nw_slice *slice, double *out);
/* NULL: not done, or no network. Lives with the slice. */
const nw_totals *nw_slice_totals(const nw_slice *slice, int x, int y);
/* The finished grid as a terrain of steps (variants, squeeze-and-excite, element types: choices);
 * of metrics of which more is better the negative. Borrows the slice. */
nw_terrain nw_slice_terrain(const nw_slice *slice);

/* ---- three panels ---- */

/* The space of a grid: all genes but two as they are, channels and expanded channels in single
 * steps from their least to their greatest option (where a side would have more than max_side, in
 * multiples of 2, 4, ...), other dimensions with the options that they have. The space's own
 * options are among them: all where kept is NULL; else where they are more than half of max_side
 * only the ends, the base's, and those that kept (a byte an option of x and y; NULL: none) says so
 * of. Its dimensions are the space's, in the same order. y_dim -1: a line. NW_INVALID: no such
 * dimensions. Release it. */
NW_CHECKED nw_status nw_grid_space(const nw_space *space, int x_dim, int y_dim,
                                   const uint16_t *genome, int max_side,
                                   const uint8_t *const kept[2], const nw_space **out,
                                   nw_error *err);
#define NW_GRID_SIDE 512

/* The same terrain three times: MACs (A) and the slice's metric on the hardware (B), in the steps
 * of the slice, and the metric where curation leaves columns and rows (C); the same steepest
 * descent from the same start on each. Then controls: C's columns and rows half a step further, so
 * with the same spacing off the alignment; the objective with MACs in latency's place, for a
 * descent that knows the score; B with random restarts until it has looked at as many points as C's
 * climb. A pane of which no point is a network is not there.
 */
typedef enum nw_pane_id {
    NW_PANE_MACS,
    NW_PANE_SINGLE,
    NW_PANE_CURATED,
    NW_PANE_SHIFTED,
    NW_PANE_SCORED_MACS,
    NW_PANE_COUNT
} nw_pane_id;

typedef struct nw_pane {
    bool is_there;
    int width, height;
    int *at_x, *at_y;    /* its columns and rows on the slice; they ascend */
    nw_terrain terrain;  /* of values */
    double *values;      /* x fastest; lower is better, as nw_slice_terrain has them */
    uint8_t *is_minimum; /* as nw_terrain_minima */
    nw_figures figures;  /* mean_step over the range of all panes of the same metric */
    nw_climb climb;      /* from the start, or the column and row nearest to it */
    int end_x, end_y;    /* where it ends, on the slice */
    nw_totals end;       /* there, on the hardware */
    double end_value;    /* the slice's metric there */
    double gap;          /* (end_value - the best of all points of the slice) / |best|, above 0 */
    /* Over climbs from every point of the pane, priced by the slice's metric: */
    double mean_gap, near_1pct, near_5pct; /* shares that end within that of the best */
} nw_pane;

typedef struct nw_restarts {
    int64_t n_evaluations; /* points looked at in each run, those seen before not counted */
    int n_runs;            /* seeded, each from random starts */
    double mean_gap, near_1pct, near_5pct; /* of the best that each run has seen */
} nw_restarts;

typedef struct nw_panes_spec {
    int start_x, start_y;      /* on the slice; -1: three quarters of the way up, or near it */
    const int *columns, *rows; /* of C, ascending; columns NULL: there is no C */
    int n_columns, n_rows;     /* rows of a line: one, 0 */
    uint64_t seed;             /* of restarts */
} nw_panes_spec;

typedef struct nw_panes {
    nw_pane panes[NW_PANE_COUNT];
    int start_x, start_y;
    int best_x, best_y;
    nw_totals best; /* of all points of the slice, by its metric */
    double best_value;
    nw_restarts restarts; /* n_runs 0: there is no C */
} nw_panes;

/* Of a slice that is done; it may be freed afterwards. NW_INVALID: no point of it is a network, or
 * the start is none. Release with nw_panes_fini. */
NW_CHECKED nw_status nw_panes_find(const nw_slice *slice, const nw_panes_spec *spec, nw_panes *out,
                                   nw_error *err);
void nw_panes_fini(nw_panes *panes);

/* The options of the slice's x (or y) that a dimension of another space has, ascending, where keep
 * (a byte an option of it; NULL: all) says so: columns or rows for nw_panes_spec. Returns how many;
 * out has room for them. */
int nw_slice_find_options(const nw_slice *slice, bool is_y, const nw_dim *dim, const uint8_t *keep,
                          int *out);

/* ---- all of it ---- */

typedef struct nw_survey_spec {
    const nw_space *space;
    const nw_hw *hw;
    const nw_estimator *estimator;
    const char *precision;  /* as in nw_kernels_split */
    int x_dim, y_dim;       /* of the space; y_dim -1: a line */
    const uint16_t *genome; /* the other genes; NULL: the base's */
    nw_metric metric;
    int max_side;            /* as in nw_grid_space; 0: NW_GRID_SIDE */
    const char *start;       /* "c3=156 c4=104", as nw_genome_read has it; NULL: as nw_panes_spec */
    bool has_curated;        /* whether there is to be a panel C */
    const nw_space *curated; /* the space restricted, whose options C has; NULL: what nw_curate
                              * keeps of the grid, so for the other genes as they are here */
    uint64_t seed;
    nw_progress progress; /* may be NULL, like cancel */
    void *progress_context;
    const nw_cancel *cancel;
} nw_survey_spec;

typedef struct nw_survey {
    const nw_space *grid; /* nw_grid_space */
    nw_plan *plan;        /* of the grid */
    int x_dim, y_dim;     /* of the grid */
    nw_slice *slice;
    nw_objective objective;
    bool has_panes; /* false: stopped before all points were known */
    nw_panes panes;
} nw_survey;

/* Makes the grid, its plan and slice, fills and curates it and finds the panels, on all processors.
 * Stopped while the slice fills: NW_OK without panels; before that: NW_CANCELLED. hw must outlive
 * it; release with nw_survey_fini. */
NW_CHECKED nw_status nw_survey_run(const nw_survey_spec *spec, nw_survey *out, nw_error *err);
void nw_survey_fini(nw_survey *survey);

/* ---- the line between two genomes ---- */

typedef struct nw_route_spec {
    const nw_space *space;
    const nw_hw *hw;
    const nw_estimator *estimator;
    const char *precision;     /* as in nw_kernels_split */
    const uint16_t *from, *to; /* from NULL: the base's */
    nw_metric metric;
    nw_progress progress; /* may be NULL, like cancel */
    void *progress_context;
    const nw_cancel *cancel;
} nw_route_spec;

/* Point 0 is `from`; each of the others changes one gene more, in the order of dimensions. */
typedef struct nw_route {
    nw_plan *plan;
    nw_slice *slice; /* of n_points x 1 */
    nw_objective objective;
    int n_points;
    int *changed;       /* the dimension that point i has another option of than i - 1; [0]: -1 */
    double *values;     /* the metric as it is; NAN: no network */
    nw_figures figures; /* of nw_slice_terrain */
} nw_route;

/* On all processors. NW_INVALID: an end is no network (where: "from", "to"), both are the same, a
 * predicate that failed; NW_CANCELLED. hw must outlive it; release with nw_route_fini. */
NW_CHECKED nw_status nw_route_find(const nw_route_spec *spec, nw_route *out, nw_error *err);
void nw_route_fini(nw_route *route);

#endif
