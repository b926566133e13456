/* slice.c - part of a space as a grid that fills from coarse to fine.
 *
 * All points stand in one list in the order in which they are wanted; a cursor shared by the
 * workers deals it out. A point is free, taken, and then done for good: whoever sees it done sees
 * its totals.
 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/landscape/landscape.h"

enum { FREE, TAKEN, DONE, NO_NETWORK };

#define PORTION     64 /* points that a worker takes at a time */
#define FIRST_CELLS 8  /* at most twice as many a side in the first, coarsest picture */

struct nw_slice {
    nw_plan *plan;
    const nw_space *space;
    int n_dims, x_dim, y_dim; /* x_dim -1: a path */
    uint16_t *genome, *to;
    int *changes; /* of a path: the dimensions that change, in order */
    nw_metric metric;
    nw_objective objective;
    int width, height, coarsest; /* the first picture has every 2^coarsest-th point */
    int64_t n_points;
    int32_t *order;
    atomic_llong next, n_done;
    _Atomic uint8_t *states;
    nw_totals *totals;
    double *values; /* sign x metric, so that lower is better */
    double sign;
};

/* ---- making ---- */

static nw_status check_genes(const nw_slice *s, const uint16_t *genome, nw_error *err)
{
    int n;
    const nw_dim *dims = nw_space_dims(s->space, &n);
    for (int d = 0; d < n; d++)
        if (genome[d] >= dims[d].n_options)
            return nw_fail(err, NW_INVALID, dims[d].name, "option %d of %d", genome[d],
                           dims[d].n_options);
    return NW_OK;
}

static nw_status find_axes(nw_slice *s, const nw_slice_spec *spec, nw_error *err)
{
    const nw_dim *dims = nw_space_dims(s->space, &s->n_dims);
    const char *name = nw_space_name(s->space);
    if (spec->x_dim < 0 || spec->x_dim >= s->n_dims || spec->y_dim >= s->n_dims || spec->y_dim < -1)
        return nw_fail(err, NW_INVALID, name, "no such dimension: there are %d", s->n_dims);
    if (spec->x_dim == spec->y_dim)
        return nw_fail(err, NW_INVALID, dims[spec->x_dim].name,
                       "both axes are the same dimension; take two");
    s->x_dim = spec->x_dim;
    s->y_dim = spec->y_dim;
    s->width = dims[s->x_dim].n_options;
    s->height = s->y_dim < 0 ? 1 : dims[s->y_dim].n_options;
    return NW_OK;
}

static nw_status find_path(nw_slice *s, const nw_slice_spec *spec, nw_error *err)
{
    nw_space_dims(s->space, &s->n_dims);
    size_t n = (size_t)s->n_dims;
    nw_status status = check_genes(s, spec->to, err);
    if (status != NW_OK)
        return status;
    s->x_dim = s->y_dim = -1;
    s->to = nw_alloc((n + 1) * sizeof *s->to);
    memcpy(s->to, spec->to, n * sizeof *s->to);
    s->changes = nw_alloc((n + 1) * sizeof *s->changes);
    s->width = 1;
    s->height = 1;
    for (int d = 0; d < s->n_dims; d++)
        if (spec->to[d] != spec->genome[d])
            s->changes[s->width++ - 1] = d;
    if (s->width == 1)
        return nw_fail(err, NW_INVALID, nw_space_name(s->space),
                       "both ends of the path are the same genome");
    return NW_OK;
}

static void make_order(nw_slice *s)
{
    int side = s->width > s->height ? s->width : s->height;
    int64_t n = 0;
    while (side >> (s->coarsest + 1) >= FIRST_CELLS)
        s->coarsest++;
    for (int k = s->coarsest; k >= 0; k--) {
        int step = 1 << k, seen = k == s->coarsest ? 0 : 2 * step - 1;
        for (int y = 0; y < s->height; y += step)
            for (int x = 0; x < s->width; x += step)
                if (!seen || x & seen || y & seen)
                    s->order[n++] = (int32_t)((int64_t)y * s->width + x);
    }
}

/* What a requirement rules out is done before the work begins: predicates belong to this thread. */
static nw_status rule_out(nw_slice *s, nw_error *err)
{
    uint16_t *genome = nw_alloc(((size_t)s->n_dims + 1) * sizeof *genome);
    for (int64_t i = 0; i < s->n_points; i++) {
        s->values[i] = NAN;
        nw_slice_genome(s, (int)(i % s->width), (int)(i / s->width), genome);
        bool is_allowed = nw_space_allows(s->space, genome, NULL, 0);
        atomic_init(&s->states[i], is_allowed ? FREE : NO_NETWORK);
        atomic_fetch_add(&s->n_done, !is_allowed);
    }
    free(genome);
    const char *problem = nw_space_problem(s->space);
    return problem ? nw_fail(err, NW_INVALID, nw_space_name(s->space), "%s", problem) : NW_OK;
}

static nw_status make(nw_slice *s, const nw_slice_spec *spec, nw_error *err)
{
    nw_status status = spec->to ? find_path(s, spec, err) : find_axes(s, spec, err);
    if (status == NW_OK)
        status = check_genes(s, spec->genome, err);
    if (status != NW_OK)
        return status;
    s->n_points = (int64_t)s->width * s->height;
    if (s->n_points > NW_MAX_SLICE_POINTS)
        return nw_fail(err, NW_LIMIT, nw_space_name(s->space),
                       "%d x %d points are more than %d: take dimensions with fewer options",
                       s->width, s->height, NW_MAX_SLICE_POINTS);
    size_t n = (size_t)s->n_points;
    s->genome = nw_alloc(((size_t)s->n_dims + 1) * sizeof *s->genome);
    memcpy(s->genome, spec->genome, (size_t)s->n_dims * sizeof *s->genome);
    s->order = nw_alloc(n * sizeof *s->order);
    s->states = nw_alloc(n * sizeof *s->states);
    s->totals = nw_zalloc(n * sizeof *s->totals);
    s->values = nw_alloc(n * sizeof *s->values);
    make_order(s);
    return rule_out(s, err);
}

nw_status nw_slice_new(nw_plan *plan, const nw_slice_spec *spec, nw_slice **out, nw_error *err)
{
    nw_slice *s = nw_zalloc(sizeof *s);
    s->plan = plan;
    s->space = nw_plan_space(plan);
    s->metric = spec->metric;
    s->objective = spec->objective;
    s->sign = nw_metric_sense(spec->metric) > 0 ? -1 : 1;
    atomic_init(&s->next, 0);
    atomic_init(&s->n_done, 0);
    nw_status status = make(s, spec, err);
    if (status == NW_OK)
        *out = s;
    else
        nw_slice_free(s);
    return status;
}

void nw_slice_free(nw_slice *slice)
{
    if (!slice)
        return;
    free(slice->genome);
    free(slice->to);
    free(slice->changes);
    free(slice->order);
    free(slice->states);
    free(slice->totals);
    free(slice->values);
    free(slice);
}

/* ---- points ---- */

nw_metric nw_slice_metric(const nw_slice *slice)
{
    return slice->metric;
}

int nw_slice_width(const nw_slice *slice)
{
    return slice->width;
}

int nw_slice_height(const nw_slice *slice)
{
    return slice->height;
}

void nw_slice_genome(const nw_slice *slice, int x, int y, uint16_t *out)
{
    memcpy(out, slice->genome, (size_t)slice->n_dims * sizeof *out);
    for (int i = 0; i < x && slice->to; i++)
        out[slice->changes[i]] = slice->to[slice->changes[i]];
    if (slice->x_dim >= 0)
        out[slice->x_dim] = (uint16_t)x;
    if (slice->y_dim >= 0)
        out[slice->y_dim] = (uint16_t)y;
}

static int state_of(const nw_slice *s, int64_t point)
{
    return atomic_load_explicit(&s->states[point], memory_order_acquire);
}

double nw_slice_value(const nw_slice *slice, int x, int y, bool *is_exact)
{
    for (int k = 0; k <= slice->coarsest; k++) {
        int64_t point = (int64_t)(y >> k << k) * slice->width + (x >> k << k);
        int state = state_of(slice, point);
        if (is_exact)
            *is_exact = k == 0 && state >= DONE;
        if (state == DONE || (k == 0 && state == NO_NETWORK))
            return state == DONE ? slice->sign * slice->values[point] : NAN;
    }
    return NAN;
}

nw_status nw_slice_probe(nw_slice *slice, int x, int y, nw_totals *out, nw_error *err)
{
    int64_t point = (int64_t)y * slice->width + x;
    char why[192];
    if (state_of(slice, point) == DONE) {
        *out = slice->totals[point];
        return NW_OK;
    }
    uint16_t *genome = nw_alloc(((size_t)slice->n_dims + 1) * sizeof *genome);
    nw_slice_genome(slice, x, y, genome);
    nw_status status = NW_OK;
    if (state_of(slice, point) == NO_NETWORK &&
        !nw_space_allows(slice->space, genome, why, sizeof why))
        status = nw_fail(err, NW_INVALID, nw_space_name(slice->space), "%s", why);
    if (status == NW_OK)
        status = nw_plan_evaluate(slice->plan, genome, out, err);
    free(genome);
    return status;
}

void nw_slice_values(const nw_slice *slice, nw_metric metric, double *out)
{
    for (int64_t i = 0; i < slice->n_points; i++) {
        double value = NAN;
        if (state_of(slice, i) == DONE)
            value = metric == slice->metric
                        ? slice->sign * slice->values[i]
                        : nw_totals_metric(&slice->totals[i], metric, &slice->objective);
        out[i] = isfinite(value) ? value : NAN;
    }
}

void nw_slice_scored_macs(const nw_slice *slice, double *out)
{
    int64_t base_macs = nw_plan_base(slice->plan)->parts.macs;
    nw_objective objective = slice->objective;
    objective.base_latency_ps = base_macs > 0 ? base_macs : 1;
    for (int64_t i = 0; i < slice->n_points; i++) {
        const nw_totals *totals =
            nw_slice_totals(slice, (int)(i % slice->width), (int)(i / slice->width));
        out[i] = NAN;
        if (totals) {
            nw_totals macs = *totals;
            macs.latency_ps = macs.parts.macs;
            double value = nw_totals_metric(&macs, NW_METRIC_OBJECTIVE, &objective);
            out[i] = isfinite(value) ? value : NAN;
        }
    }
}

const nw_totals *nw_slice_totals(const nw_slice *slice, int x, int y)
{
    int64_t point = (int64_t)y * slice->width + x;
    return state_of(slice, point) == DONE ? &slice->totals[point] : NULL;
}

static const nw_dim *axis_dim(const nw_slice *slice, bool is_y)
{
    int n, dim = is_y ? slice->y_dim : slice->x_dim;
    const nw_dim *dims = nw_space_dims(slice->space, &n);
    return dim < 0 ? NULL : &dims[dim];
}

static bool is_same_option(const nw_option *a, const nw_option *b)
{
    return a->n == b->n && a->n2 == b->n2 && a->number == b->number && a->block == b->block;
}

int nw_slice_find_options(const nw_slice *slice, bool is_y, const nw_dim *dim, const uint8_t *keep,
                          int *out)
{
    const nw_dim *axis = axis_dim(slice, is_y);
    int n = 0;
    for (int i = 0; axis && i < axis->n_options; i++)
        for (int k = 0; k < dim->n_options; k++)
            if ((!keep || keep[k]) && is_same_option(&axis->options[i], &dim->options[k]))
                out[n++] = i;
    return n;
}

static nw_axis_kind axis_kind(const nw_slice *s, int dim)
{
    int n;
    const nw_dim *dims = nw_space_dims(s->space, &n);
    bool is_choice =
        dim >= 0 && (dims[dim].kind == NW_DIM_VARIANT || dims[dim].kind == NW_DIM_PRECISION ||
                     dims[dim].kind == NW_DIM_SQUEEZE);
    return is_choice ? NW_AXIS_CHOICES : NW_AXIS_STEPS;
}

nw_terrain nw_slice_terrain(const nw_slice *slice)
{
    return (nw_terrain){
        .n_axes = 2,
        .sizes = {slice->width, slice->height},
        .kinds = {axis_kind(slice, slice->x_dim), axis_kind(slice, slice->y_dim)},
        .n_points = slice->n_points,
        .values = slice->values,
    };
}

/* ---- work ---- */

int64_t nw_slice_n_done(const nw_slice *slice)
{
    return atomic_load(&slice->n_done);
}

bool nw_slice_is_done(const nw_slice *slice)
{
    return nw_slice_n_done(slice) == slice->n_points;
}

/* Points first, first + 1, ... of the order that are free, now taken; returns how many. */
static int take_points(nw_slice *s, int64_t first, int n, int32_t *points)
{
    int n_taken = 0;
    for (int64_t i = first; i < first + n && i < s->n_points; i++) {
        uint8_t expected = FREE;
        if (atomic_compare_exchange_strong(&s->states[s->order[i]], &expected, TAKEN))
            points[n_taken++] = s->order[i];
    }
    return n_taken;
}

static void finish_point(nw_slice *s, int32_t point, const nw_totals *totals, bool is_bad)
{
    if (!is_bad) {
        double value = s->sign * nw_totals_metric(totals, s->metric, &s->objective);
        s->totals[point] = *totals;
        s->values[point] = isfinite(value) ? value : NAN;
    }
    atomic_store_explicit(&s->states[point], is_bad ? NO_NETWORK : DONE, memory_order_release);
    atomic_fetch_add(&s->n_done, 1);
}

/* Lets the cursor go back to what was given up. */
static void deal_again(nw_slice *s, int64_t first)
{
    long long next = atomic_load(&s->next);
    while (next > first && !atomic_compare_exchange_weak(&s->next, &next, first))
        ;
}

static void work_portion(nw_slice *s, int64_t first, int n, const nw_cancel *cancel)
{
    int32_t points[PORTION];
    nw_totals totals[PORTION];
    uint8_t is_bad[PORTION];
    int n_taken = take_points(s, first, n, points);
    uint16_t *genomes = nw_alloc(((size_t)n_taken * (size_t)s->n_dims + 1) * sizeof *genomes);
    for (int i = 0; i < n_taken; i++)
        nw_slice_genome(s, points[i] % s->width, points[i] / s->width,
                        genomes + (size_t)i * (size_t)s->n_dims);
    if (n_taken > 0)
        nw_plan_evaluate_many(s->plan, genomes, n_taken, totals, is_bad, cancel);
    bool is_cancelled = nw_cancel_is_set(cancel), gave_up = false;
    for (int i = 0; i < n_taken; i++)
        if (is_bad[i] && is_cancelled) {
            atomic_store(&s->states[points[i]], FREE);
            gave_up = true;
        } else {
            finish_point(s, points[i], &totals[i], is_bad[i]);
        }
    if (gave_up)
        deal_again(s, first);
    free(genomes);
}

bool nw_slice_work(nw_slice *slice, int max_points, const nw_cancel *cancel)
{
    while (max_points > 0 && !nw_cancel_is_set(cancel)) {
        int n = max_points < PORTION ? max_points : PORTION;
        int64_t first = atomic_fetch_add(&slice->next, n);
        if (first >= slice->n_points)
            return false;
        work_portion(slice, first, n, cancel);
        max_points -= n;
    }
    return atomic_load(&slice->next) < slice->n_points;
}

typedef struct helper {
    nw_slice *slice;
    nw_cancel stop;
} helper;

static void *help(void *context)
{
    helper *h = context;
    while (nw_slice_work(h->slice, PORTION, &h->stop) && !nw_cancel_is_set(&h->stop))
        ;
    return NULL;
}

/* The thread that called works, too, and looks up after every portion. */
static void lead(helper *h, nw_progress progress, void *context, const nw_cancel *cancel)
{
    bool has_more = true;
    while (has_more && !nw_cancel_is_set(&h->stop)) {
        has_more = nw_slice_work(h->slice, PORTION, &h->stop);
        double done = (double)nw_slice_n_done(h->slice) / (double)h->slice->n_points;
        if (nw_cancel_is_set(cancel) || (progress && !progress(context, "looking at points", done)))
            nw_cancel_set(&h->stop);
    }
}

void nw_slice_fill(nw_slice *slice, nw_progress progress, void *context, const nw_cancel *cancel)
{
    enum { MOST = 64 };
    pthread_t threads[MOST];
    helper h = {.slice = slice};
    long n_processors = sysconf(_SC_NPROCESSORS_ONLN);
    int n = 0;
    while (n < MOST && n + 1 < n_processors && pthread_create(&threads[n], NULL, help, &h) == 0)
        n++;
    lead(&h, progress, context, cancel);
    while (n > 0)
        pthread_join(threads[--n], NULL);
}
