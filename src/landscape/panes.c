/* panes.c - the same grid as MACs, as the hardware has it, and where curation leaves it: one slice
 * is enough for all of them.
 */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/landscape/internal.h"

/* What all panes are made from. */
typedef struct work {
    const nw_slice *slice;
    int width, height;
    double *hardware; /* sign x the slice's metric, so that lower is better */
    double sign, best;
    nw_panes *out;
} work;

static int64_t on_slice(const work *w, const nw_pane *pane, int64_t point)
{
    int x = (int)(point % pane->width), y = (int)(point / pane->width);
    return (int64_t)pane->at_y[y] * w->width + pane->at_x[x];
}

/* ---- making a pane ---- */

static int *count_up(int n)
{
    int *list = nw_alloc(((size_t)n + 1) * sizeof *list);
    for (int i = 0; i < n; i++)
        list[i] = i;
    return list;
}

static int *copy_ints(const int *list, int n)
{
    int *copy = nw_alloc(((size_t)n + 1) * sizeof *copy);
    if (n > 0)
        memcpy(copy, list, (size_t)n * sizeof *copy);
    return copy;
}

/* Takes columns and rows; values: of the whole slice. */
static void make_pane(const work *w, nw_pane *pane, int *columns, int n_columns, int *rows,
                      int n_rows, const double *values)
{
    *pane = (nw_pane){
        .is_there = true, .width = n_columns, .height = n_rows, .at_x = columns, .at_y = rows};
    int64_t n = (int64_t)n_columns * n_rows;
    pane->values = nw_alloc(((size_t)n + 1) * sizeof *pane->values);
    for (int64_t i = 0; i < n; i++)
        pane->values[i] = values[on_slice(w, pane, i)];
    pane->terrain = nw_slice_terrain(w->slice);
    pane->terrain.sizes[0] = n_columns;
    pane->terrain.sizes[1] = n_rows;
    pane->terrain.n_points = n;
    pane->terrain.values = pane->values;
    pane->is_minimum = nw_alloc((size_t)n + 1);
    nw_terrain_minima(&pane->terrain, pane->is_minimum);
}

static void drop_pane(nw_pane *pane)
{
    free(pane->at_x);
    free(pane->at_y);
    free(pane->values);
    free(pane->is_minimum);
    nw_climb_fini(&pane->climb);
    *pane = (nw_pane){0};
}

static void make_whole(const work *w, nw_pane_id id, const double *values)
{
    make_pane(w, &w->out->panes[id], count_up(w->width), w->width, count_up(w->height), w->height,
              values);
}

/* The same spacing half a step further; what would leave the slice is left out. False: nothing can
 * be shifted. The result is to be freed either way. */
static bool shift(const int *list, int n, int size, int **out, int *n_out)
{
    *out = nw_alloc(((size_t)n + 1) * sizeof **out);
    *n_out = 0;
    bool has_moved = false;
    for (int i = 0; i < n; i++) {
        int gap = i + 1 < n ? list[i + 1] - list[i] : i > 0 ? list[i] - list[i - 1] : 0;
        int at = list[i] + gap / 2;
        if (at >= size)
            continue;
        has_moved |= gap / 2 > 0;
        (*out)[(*n_out)++] = at;
    }
    return has_moved && *n_out > 0;
}

static void make_shifted(const work *w, const nw_panes_spec *spec)
{
    int *columns, *rows, n_columns, n_rows;
    bool x_moves = shift(spec->columns, spec->n_columns, w->width, &columns, &n_columns);
    bool y_moves = shift(spec->rows, spec->n_rows, w->height, &rows, &n_rows);
    if ((x_moves || y_moves) && n_columns > 0 && n_rows > 0) {
        make_pane(w, &w->out->panes[NW_PANE_SHIFTED], columns, n_columns, rows, n_rows,
                  w->hardware);
        return;
    }
    free(columns);
    free(rows);
}

static void make_scored_macs(const work *w)
{
    size_t n = (size_t)w->width * (size_t)w->height;
    double *values = nw_alloc((n + 1) * sizeof *values);
    nw_slice_scored_macs(w->slice, values);
    make_whole(w, NW_PANE_SCORED_MACS, values);
    free(values);
}

/* ---- climbs ---- */

static int nearest(const int *list, int n, int at)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (abs(list[i] - at) < abs(list[best] - at))
            best = i;
    return best;
}

static double gap_of(const work *w, double value)
{
    return w->best == 0 ? value : (value - w->best) / fabs(w->best);
}

static void price_all_climbs(const work *w, nw_pane *pane)
{
    int64_t n_climbs = 0, n_1 = 0, n_5 = 0, n = pane->terrain.n_points;
    int64_t *ends = nw_alloc(((size_t)n + 1) * sizeof *ends);
    double sum = 0;
    nw_terrain_ends(&pane->terrain, false, ends);
    for (int64_t i = 0; i < n; i++) {
        if (ends[i] < 0)
            continue;
        double value = w->hardware[on_slice(w, pane, ends[i])];
        n_climbs++;
        sum += gap_of(w, value);
        n_1 += value <= w->best + 0.01 * fabs(w->best);
        n_5 += value <= w->best + 0.05 * fabs(w->best);
    }
    pane->mean_gap = sum / (double)n_climbs;
    pane->near_1pct = (double)n_1 / (double)n_climbs;
    pane->near_5pct = (double)n_5 / (double)n_climbs;
    free(ends);
}

/* The point of the pane nearest to the start; of C and its kin the start may be no network. */
static int64_t find_start(const work *w, const nw_pane *pane)
{
    int x = nearest(pane->at_x, pane->width, w->out->start_x);
    int y = nearest(pane->at_y, pane->height, w->out->start_y);
    int64_t start = (int64_t)y * pane->width + x;
    for (int64_t i = 0; i < pane->terrain.n_points && isnan(pane->values[start]); i++)
        if (!isnan(pane->values[i]))
            start = i;
    return start;
}

/* A pane without a single network is none: the slice has one, what curation leaves of it may not.
 */
static void climb(const work *w, nw_pane *pane)
{
    if (!pane->is_there)
        return;
    int64_t start = find_start(w, pane);
    if (isnan(pane->values[start])) {
        drop_pane(pane);
        return;
    }
    nw_climb_run(&pane->terrain, start, false, &pane->climb);
    int64_t end = on_slice(w, pane, pane->climb.path[pane->climb.n_path - 1]);
    pane->end_x = (int)(end % w->width);
    pane->end_y = (int)(end / w->width);
    pane->end = *nw_slice_totals(w->slice, pane->end_x, pane->end_y);
    pane->end_value = w->sign * w->hardware[end];
    pane->gap = gap_of(w, w->hardware[end]);
    price_all_climbs(w, pane);
}

/* ---- restarts ---- */

/* One run: descents from random points until so many points were looked at, each counted once. The
 * lowest value that it has seen. */
static double run_restarts(const nw_pane *pane, nw_rng *rng, int64_t budget, uint8_t *is_seen)
{
    const nw_terrain *t = &pane->terrain;
    int64_t *list = nw_alloc(((size_t)nw_terrain_degree(t) + 1) * sizeof *list), n_looks = 0;
    double best = INFINITY;
    memset(is_seen, 0, (size_t)t->n_points);
    for (int64_t tries = 0; n_looks < budget && tries < 100 * budget; tries++) {
        int64_t at = nw_rng_range(rng, 0, t->n_points - 1);
        if (isnan(pane->values[at]))
            continue;
        n_looks += !is_seen[at];
        is_seen[at] = 1;
        best = fmin(best, pane->values[at]);
        for (int64_t next = at; next >= 0 && n_looks < budget; at = next) {
            int n = nw_terrain_neighbours(t, next, list);
            at = next;
            next = -1;
            for (int k = 0; k < n && n_looks < budget; k++) {
                n_looks += !is_seen[list[k]];
                is_seen[list[k]] = 1;
                best = fmin(best, pane->values[list[k]]);
                if (pane->values[list[k]] < pane->values[next < 0 ? at : next])
                    next = list[k];
            }
        }
    }
    free(list);
    return best;
}

static void restart(const work *w, uint64_t seed)
{
    enum { N_RUNS = 200 };
    const nw_pane *pane = &w->out->panes[NW_PANE_SINGLE];
    uint8_t *is_seen = nw_alloc((size_t)pane->terrain.n_points + 1);
    nw_restarts *out = &w->out->restarts;
    out->n_evaluations = w->out->panes[NW_PANE_CURATED].climb.n_evaluations;
    out->n_runs = N_RUNS;
    for (int i = 0; i < N_RUNS; i++) {
        nw_rng rng = nw_rng_make(seed, (uint64_t)i);
        double best = run_restarts(pane, &rng, out->n_evaluations, is_seen);
        out->mean_gap += gap_of(w, best) / N_RUNS;
        out->near_1pct += (best <= w->best + 0.01 * fabs(w->best)) / (double)N_RUNS;
        out->near_5pct += (best <= w->best + 0.05 * fabs(w->best)) / (double)N_RUNS;
    }
    free(is_seen);
}

/* ---- all of it ---- */

static nw_status find_best(work *w, nw_error *err)
{
    int64_t best = -1, n = (int64_t)w->width * w->height;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(w->hardware[i]) && (best < 0 || w->hardware[i] < w->hardware[best]))
            best = i;
    if (best < 0)
        return nw_fail(err, NW_INVALID, "landscape", "no point of the slice is a network");
    w->best = w->hardware[best];
    w->out->best_value = w->sign * w->best;
    w->out->best_x = (int)(best % w->width);
    w->out->best_y = (int)(best / w->width);
    w->out->best = *nw_slice_totals(w->slice, w->out->best_x, w->out->best_y);
    return NW_OK;
}

static void find_figures(nw_panes *out)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = NW_PANE_SINGLE; i <= NW_PANE_SHIFTED; i++)
        for (int64_t k = 0; k < out->panes[i].terrain.n_points; k++) {
            low = fmin(low, out->panes[i].values[k]);
            high = fmax(high, out->panes[i].values[k]);
        }
    for (int i = 0; i < NW_PANE_COUNT; i++) {
        nw_pane *pane = &out->panes[i];
        bool is_pooled = i >= NW_PANE_SINGLE && i <= NW_PANE_SHIFTED;
        if (pane->is_there)
            nw_figures_find(&pane->terrain, is_pooled ? high - low : 0, &pane->figures);
    }
}

static void make_all(work *w, const nw_panes_spec *spec)
{
    double *macs = nw_alloc(((size_t)w->width * (size_t)w->height + 1) * sizeof *macs);
    nw_slice_values(w->slice, NW_METRIC_MACS, macs);
    make_whole(w, NW_PANE_MACS, macs);
    free(macs);
    make_whole(w, NW_PANE_SINGLE, w->hardware);
    make_scored_macs(w);
    if (spec->columns && spec->n_columns > 0 && spec->n_rows > 0) {
        make_pane(w, &w->out->panes[NW_PANE_CURATED], copy_ints(spec->columns, spec->n_columns),
                  spec->n_columns, copy_ints(spec->rows, spec->n_rows), spec->n_rows, w->hardware);
        make_shifted(w, spec);
    }
    for (int i = 0; i < NW_PANE_COUNT; i++)
        climb(w, &w->out->panes[i]);
    find_figures(w->out);
    if (w->out->panes[NW_PANE_CURATED].is_there)
        restart(w, spec->seed);
}

/* The point nearest to where a descent starts by default that is a network; there is one. */
static void find_default_start(const work *w)
{
    int x0 = 3 * (w->width - 1) / 4, y0 = 3 * (w->height - 1) / 4, nearest = INT_MAX;
    for (int y = 0; y < w->height; y++)
        for (int x = 0; x < w->width; x++) {
            int distance = abs(x - x0) + abs(y - y0);
            if (distance >= nearest || isnan(w->hardware[y * w->width + x]))
                continue;
            nearest = distance;
            w->out->start_x = x;
            w->out->start_y = y;
        }
}

nw_status nw_panes_find(const nw_slice *slice, const nw_panes_spec *spec, nw_panes *out,
                        nw_error *err)
{
    nw_panes *panes = nw_zalloc(sizeof *panes);
    work w = {.slice = slice,
              .width = nw_slice_width(slice),
              .height = nw_slice_height(slice),
              .out = panes};
    panes->start_x = spec->start_x;
    panes->start_y = spec->start_y;
    w.sign = nw_metric_sense(nw_slice_metric(slice)) > 0 ? -1 : 1;
    nw_terrain terrain = nw_slice_terrain(slice);
    w.hardware = nw_alloc(((size_t)terrain.n_points + 1) * sizeof *w.hardware);
    memcpy(w.hardware, terrain.values, (size_t)terrain.n_points * sizeof *w.hardware);
    nw_status status = find_best(&w, err);
    if (status == NW_OK && spec->start_x < 0)
        find_default_start(&w);
    if (status == NW_OK && isnan(w.hardware[panes->start_y * w.width + panes->start_x]))
        status = nw_fail(err, NW_INVALID, "landscape", "the start is no network");
    if (status == NW_OK)
        make_all(&w, spec);
    free(w.hardware);
    if (status == NW_OK)
        *out = *panes;
    else
        nw_panes_fini(panes);
    free(panes);
    return status;
}

void nw_panes_fini(nw_panes *panes)
{
    for (int i = 0; i < NW_PANE_COUNT; i++)
        drop_pane(&panes->panes[i]);
    *panes = (nw_panes){0};
}
