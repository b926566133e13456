/* landscape.c - a scene's tasks, and what the main thread makes of what they bring.
 *
 * A ground is the grid and its plan; scenes that differ in the metric alone share it. PREPARE makes
 * them; several FILL then share the slice, a moment at a time, so that the picture shows up as it
 * comes; PANES finds what follows once the slice is full, anew when curation or start change. A
 * task writes only what the main thread does not read before it is back; counts of users change on
 * the main thread only.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/session/internal.h"

#define MOMENT_MS 40 /* of a FILL */
#define PORTION   16 /* points between looks at the clock */
#define MAX_FILL  8  /* tasks that fill at a time */
#define SEED      1  /* of restarts */

typedef struct ground {
    int n_users;
    const nw_space *grid;
    uint16_t genome[NW_MAX_DIMS]; /* of grid: its base */
    nw_plan *plan;
} ground;

/* What panes follow from, beside the slice. */
typedef struct frame {
    int *columns, *rows; /* NULL: not known */
    int n_columns, n_rows;
    int start_x, start_y; /* -1: by itself */
} frame;

typedef enum scene_work { PREPARE, FILL, PANES } scene_work;

typedef struct scene_task {
    nw_task task; /* first, so that the pool's pointer is this one */
    nw_scene *scene;
    scene_work work;
    bool is_over; /* FILL: every point is taken */
    frame frame;  /* PANES: what it works on, and what comes out */
    nw_panes *panes;
    nw_error err;
} scene_task;

struct nw_scene {
    int n_users;
    nw_cancel cancel;
    const nw_space *space;
    nw_shared_hw *hw;
    char precision[24], estimator[256];
    uint16_t others[NW_MAX_DIMS]; /* genes of space */
    uint8_t *kept[2]; /* options of x and y that curation had left when it began; NULL: not known */
    ground *ground;
    nw_slice *slice;
    nw_error err;
    /* the main thread's */
    bool is_ready, is_full, is_finding;
    int n_filling;
    frame wanted; /* by now */
    frame found;  /* of panes */
    nw_panes *panes;
    nw_landscape view;
};

/* ---- life ---- */

static void release_ground(ground *g)
{
    if (!g || --g->n_users)
        return;
    nw_plan_free(g->plan);
    nw_space_release(g->grid);
    free(g);
}

static void free_frame(frame *f)
{
    free(f->columns);
    free(f->rows);
    *f = (frame){0};
}

static void free_panes(nw_panes *panes)
{
    if (panes)
        nw_panes_fini(panes);
    free(panes);
}

static void release(nw_scene *c)
{
    if (!c || --c->n_users)
        return;
    free_panes(c->panes);
    free_frame(&c->wanted);
    free_frame(&c->found);
    nw_slice_free(c->slice);
    release_ground(c->ground);
    nw_space_release(c->space);
    nw_shared_hw_release(c->hw);
    free(c->kept[0]);
    free(c->kept[1]);
    free(c);
}

static void free_task(scene_task *t)
{
    free_panes(t->panes);
    free_frame(&t->frame);
    release(t->scene);
    free(t);
}

/* ---- on a worker ---- */

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static nw_status make_ground(nw_scene *c, nw_error *err)
{
    ground *g = nw_zalloc(sizeof *g);
    g->n_users = 1;
    nw_status status = nw_session_make_grid(c->space, c->view.x_dim, c->view.y_dim, c->others,
                                            (const uint8_t *const *)c->kept, &g->grid, err);
    if (status == NW_OK)
        status = nw_session_make_plan(g->grid, c->hw, c->estimator, c->precision, &c->cancel,
                                      &g->plan, err);
    if (status != NW_OK) {
        nw_space_release(g->grid);
        free(g);
        return status;
    }
    nw_space_base_genome(g->grid, g->genome);
    c->ground = g;
    return NW_OK;
}

static void make_slice(nw_scene *c)
{
    const nw_slice_spec spec = {.x_dim = c->view.x_dim,
                                .y_dim = c->view.y_dim,
                                .genome = c->ground->genome,
                                .metric = c->view.metric,
                                .objective = nw_plan_objective(c->ground->plan)};
    if (nw_slice_new(c->ground->plan, &spec, &c->slice, &c->err) != NW_OK)
        c->slice = NULL;
}

/* Conditions in the host language are for the main thread: it makes the slice then. */
static void prepare(nw_scene *c)
{
    if (!c->ground && make_ground(c, &c->err) != NW_OK)
        return;
    if (!nw_space_n_predicates(c->space))
        make_slice(c);
}

static void fill(scene_task *t)
{
    nw_scene *c = t->scene;
    double end_ms = now_ms() + MOMENT_MS;
    bool has_more = true;
    while (has_more && !nw_cancel_is_set(&c->cancel) && now_ms() < end_ms)
        has_more = nw_slice_work(c->slice, PORTION, &c->cancel);
    t->is_over = !has_more;
}

static void find_panes(scene_task *t)
{
    const nw_panes_spec spec = {.start_x = t->frame.start_x,
                                .start_y = t->frame.start_y,
                                .columns = t->frame.columns,
                                .rows = t->frame.rows,
                                .n_columns = t->frame.n_columns,
                                .n_rows = t->frame.n_rows,
                                .seed = SEED};
    nw_panes *panes = nw_zalloc(sizeof *panes);
    if (nw_panes_find(t->scene->slice, &spec, panes, &t->err) == NW_OK)
        t->panes = panes;
    else
        free(panes);
}

static void run_scene(nw_task *task)
{
    scene_task *t = (scene_task *)task;
    if (t->work == PREPARE)
        prepare(t->scene);
    else if (t->work == FILL)
        fill(t);
    else
        find_panes(t);
}

bool nw_session_is_scene(const nw_task *task)
{
    return task->run == run_scene;
}

/* ---- giving work ---- */

static scene_task *new_task(nw_scene *c, scene_work work)
{
    scene_task *t = nw_zalloc(sizeof *t);
    t->task.run = run_scene;
    t->task.cancel = &c->cancel;
    t->scene = c;
    t->work = work;
    c->n_users++;
    return t;
}

static void begin_filling(nw_session *s, nw_scene *c)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    c->n_filling = n < 1 ? 1 : n > MAX_FILL ? MAX_FILL : (int)n;
    for (int i = 0; i < c->n_filling; i++)
        nw_pool_submit(s->pool, &new_task(c, FILL)->task);
}

/* ---- what panes follow from ---- */

static const nw_dim *axis_of(const nw_scene *c, bool is_y)
{
    int n, dim = is_y ? c->view.y_dim : c->view.x_dim;
    const nw_dim *dims = nw_space_dims(c->ground->grid, &n);
    return dim < 0 ? NULL : &dims[dim];
}

/* A byte an option of a dimension of the space. */
static uint8_t *list_kept(const nw_session *s, int dim)
{
    int n;
    const nw_dim *own = &nw_space_dims(s->state.quest.space, &n)[dim];
    uint8_t *keep = nw_alloc((size_t)own->n_options + 1);
    for (int i = 0; i < own->n_options; i++)
        keep[i] = nw_session_keeps(s, dim, i);
    return keep;
}

/* Whether curation left an option that is not on the grid, since it was not known then. */
static bool misses_kept(const nw_session *s, const nw_scene *c)
{
    int n, axes[2] = {c->view.x_dim, c->view.y_dim};
    int counts[2] = {c->wanted.n_columns, c->wanted.n_rows};
    const nw_dim *own = nw_space_dims(c->space, &n);
    bool misses = false;
    for (int i = 0; i < 2 && c->wanted.columns; i++) {
        int n_kept = 0;
        if (axes[i] < 0)
            continue;
        uint8_t *now = list_kept(s, axes[i]);
        size_t n_options = (size_t)own[axes[i]].n_options;
        for (size_t o = 0; o < n_options; o++)
            n_kept += now[o];
        bool is_news = !c->kept[i] || memcmp(c->kept[i], now, n_options) != 0;
        misses |= is_news && n_kept > counts[i];
        free(now);
    }
    return misses;
}

/* Columns or rows of the grid that the curated space has. */
static int *find_kept(const nw_session *s, const nw_scene *c, bool is_y, int *n_out)
{
    int n, dim = is_y ? c->view.y_dim : c->view.x_dim;
    const nw_dim *axis = axis_of(c, is_y);
    int *out = nw_zalloc(((size_t)(axis ? axis->n_options : 0) + 1) * sizeof *out);
    *n_out = 1;
    if (!axis) /* a line has one row */
        return out;
    const nw_dim *own = &nw_space_dims(c->space, &n)[dim];
    uint8_t *keep = list_kept(s, dim);
    *n_out = nw_slice_find_options(c->slice, is_y, own, keep, out);
    free(keep);
    return out;
}

static int find_option(const nw_dim *dim, const nw_option *option)
{
    int best = 0;
    for (int i = 0; i < dim->n_options; i++) {
        const nw_option *o = &dim->options[i], *b = &dim->options[best];
        bool is_same = o->n == option->n && o->n2 == option->n2 && o->number == option->number &&
                       o->block == option->block;
        double distance = fabs((double)(o->n - option->n)) + fabs(o->number - option->number);
        double least = fabs((double)(b->n - option->n)) + fabs(b->number - option->number);
        if (is_same)
            return i;
        if (distance < least)
            best = i;
    }
    return best;
}

static frame find_frame(const nw_session *s, const nw_scene *c)
{
    const nw_quest *quest = &s->state.quest;
    const nw_dim *x = axis_of(c, false), *y = axis_of(c, true);
    frame f = {.start_x = -1, .start_y = -1};
    if (nw_session_curation(s)) {
        f.columns = find_kept(s, c, false, &f.n_columns);
        f.rows = find_kept(s, c, true, &f.n_rows);
    }
    if (quest->has_start) {
        f.start_x = find_option(x, &quest->start_x);
        f.start_y = y ? find_option(y, &quest->start_y) : 0;
    }
    return f;
}

static bool has_same_list(const int *a, int n_a, const int *b, int n_b)
{
    if (!a || !b)
        return !a && !b;
    return n_a == n_b && memcmp(a, b, (size_t)n_a * sizeof *a) == 0;
}

static bool is_same_frame(const frame *a, const frame *b)
{
    return a->start_x == b->start_x && a->start_y == b->start_y &&
           has_same_list(a->columns, a->n_columns, b->columns, b->n_columns) &&
           has_same_list(a->rows, a->n_rows, b->rows, b->n_rows);
}

static int *copy_list(const int *list, int n)
{
    if (!list)
        return NULL;
    int *copy = nw_alloc(((size_t)n + 1) * sizeof *copy);
    if (n)
        memcpy(copy, list, (size_t)n * sizeof *copy);
    return copy;
}

static void begin_panes(nw_session *s, nw_scene *c)
{
    if (!c->is_full || c->is_finding || (c->panes && is_same_frame(&c->wanted, &c->found)))
        return;
    scene_task *t = new_task(c, PANES);
    t->frame = c->wanted;
    t->frame.columns = copy_list(c->wanted.columns, c->wanted.n_columns);
    t->frame.rows = copy_list(c->wanted.rows, c->wanted.n_rows);
    c->is_finding = true;
    nw_pool_submit(s->pool, &t->task);
}

/* ---- the view ---- */

/* The gap that most neighbours have. */
static int64_t step_of(const nw_dim *dim)
{
    if (!dim || (dim->kind != NW_DIM_CHANNELS && dim->kind != NW_DIM_EXPANDED))
        return 0;
    int middle = dim->n_options / 2;
    return middle ? dim->options[middle].n - dim->options[middle - 1].n : 0;
}

static const char *doing(const nw_session *s, const nw_scene *c)
{
    bool is_judging = s->follows_curation && nw_session_curation_phase(s) != NW_PHASE_DONE &&
                      nw_session_curation_phase(s) != NW_PHASE_FAILED;
    if (nw_cancel_is_set(&c->cancel)) /* its error is the task's still */
        return "stopped; r begins anew";
    if (c->view.phase == NW_PHASE_FAILED)
        return c->err.message;
    return !c->is_ready    ? "compiling the plan"
           : !c->is_full   ? "looking at points"
           : c->is_finding ? "climbing"
           : is_judging    ? "curating"
                           : "";
}

/* What it is at, which others decide, too. */
static void update_phase(nw_session *s, nw_scene *c)
{
    const char *now = doing(s, c);
    if (c->view.doing && strcmp(c->view.doing, now) == 0)
        return;
    c->view.doing = now;
    if (c->view.phase != NW_PHASE_FAILED)
        c->view.phase = *now ? NW_PHASE_RUNNING : NW_PHASE_DONE;
    s->version++;
}

static void describe(nw_session *s, nw_scene *c)
{
    nw_landscape *v = &c->view;
    int64_t n = c->is_ready ? (int64_t)nw_slice_width(c->slice) * nw_slice_height(c->slice) : 0;
    v->done = n ? (double)nw_slice_n_done(c->slice) / (double)n : 0;
    update_phase(s, c);
    v->columns = c->wanted.columns;
    v->rows = c->wanted.rows;
    v->n_columns = c->wanted.n_columns;
    v->n_rows = c->wanted.n_rows;
    v->panes = c->panes;
    v->has_curated =
        c->panes && c->found.columns &&
        has_same_list(c->found.columns, c->found.n_columns, v->columns, v->n_columns) &&
        has_same_list(c->found.rows, c->found.n_rows, v->rows, v->n_rows);
    if (c->is_ready) {
        v->start_x =
            c->wanted.start_x < 0 ? 3 * (nw_slice_width(c->slice) - 1) / 4 : c->wanted.start_x;
        v->start_y =
            c->wanted.start_y < 0 ? 3 * (nw_slice_height(c->slice) - 1) / 4 : c->wanted.start_y;
    }
    s->version++;
}

/* ---- taking it back ---- */

static void fail(nw_session *s, nw_scene *c, const nw_error *err)
{
    c->err = *err;
    c->view.phase = NW_PHASE_FAILED;
    nw_session_say(s, NW_MESSAGE_ERROR, "landscape: %s%s%s", err->where, err->where[0] ? ": " : "",
                   err->message);
}

static void take_prepared(nw_session *s, nw_scene *c)
{
    if (!c->slice && c->ground && nw_space_n_predicates(c->space))
        make_slice(c);
    if (!c->slice) {
        fail(s, c, &c->err);
        return;
    }
    c->is_ready = true;
    c->view.x = axis_of(c, false);
    c->view.y = axis_of(c, true);
    c->view.step_x = step_of(c->view.x);
    c->view.step_y = step_of(c->view.y);
    c->view.objective = nw_plan_objective(c->ground->plan);
    c->view.plan = c->ground->plan;
    begin_filling(s, c);
}

/* A start that is no network, told once; what was found before stays. */
static void take_panes(nw_session *s, nw_scene *c, scene_task *t)
{
    c->is_finding = false;
    if (!t->panes) {
        fail(s, c, &t->err);
        return;
    }
    free_panes(c->panes);
    free_frame(&c->found);
    c->panes = t->panes;
    c->found = t->frame;
    c->view.version++;
    t->panes = NULL;
    t->frame = (frame){0};
}

void nw_session_take_scene(nw_session *s, nw_task *task, bool is_over)
{
    scene_task *t = (scene_task *)task;
    nw_scene *c = t->scene;
    if (is_over || c != s->scene || nw_cancel_is_set(&c->cancel)) {
        free_task(t);
        return;
    }
    if (t->work == FILL && !t->is_over) {
        nw_pool_submit(s->pool, task);
        describe(s, c);
        return;
    }
    if (t->work == PREPARE)
        take_prepared(s, c);
    else if (t->work == FILL)
        c->is_full = --c->n_filling == 0;
    else
        take_panes(s, c, t);
    free_task(t);
    nw_session_update_landscape(s);
    if (s->scene)
        describe(s, s->scene);
}

/* ---- following ---- */

static bool is_ground_of_now(const nw_session *s, const nw_scene *c)
{
    int x, y;
    nw_session_axes(s, &x, &y);
    return c->space == s->state.quest.space && c->hw == s->state.hw && c->view.x_dim == x &&
           c->view.y_dim == y && strcmp(c->precision, s->state.precision) == 0 &&
           strcmp(c->estimator, s->state.estimator) == 0;
}

static nw_scene *new_scene(const nw_session *s)
{
    nw_scene *c = nw_zalloc(sizeof *c);
    const nw_quest *quest = &s->state.quest;
    c->n_users = 1;
    c->space = nw_space_retain(quest->space);
    c->hw = nw_shared_hw_retain(s->state.hw);
    memcpy(c->precision, s->state.precision, sizeof c->precision);
    memcpy(c->estimator, s->state.estimator, sizeof c->estimator);
    nw_space_base_genome(c->space, c->others);
    c->view.metric = quest->metric;
    nw_session_axes(s, &c->view.x_dim, &c->view.y_dim);
    if (nw_session_curation(s)) {
        c->kept[0] = list_kept(s, c->view.x_dim);
        c->kept[1] = c->view.y_dim >= 0 ? list_kept(s, c->view.y_dim) : NULL;
    }
    c->wanted.start_x = c->wanted.start_y = -1;
    return c;
}

/* Another metric keeps the grid and what its plan has learnt. */
static void begin_scene(nw_session *s)
{
    nw_scene *c = new_scene(s), *old = s->scene;
    if (old && old->is_ready && is_ground_of_now(s, old) && !misses_kept(s, old)) {
        c->ground = old->ground;
        c->ground->n_users++;
    }
    nw_session_forget_landscape(s);
    s->scene = c;
    nw_pool_submit(s->pool, &new_task(c, PREPARE)->task);
    describe(s, c);
}

static void update_frame(nw_session *s, nw_scene *c)
{
    if (!c->is_ready || c->view.phase == NW_PHASE_FAILED)
        return;
    frame now = find_frame(s, c);
    if (is_same_frame(&now, &c->wanted)) {
        free_frame(&now);
    } else {
        free_frame(&c->wanted);
        c->wanted = now;
        describe(s, c);
    }
    begin_panes(s, c);
}

void nw_session_update_landscape(nw_session *s)
{
    int x = -1, y;
    if (!s->follows_landscape)
        return;
    if (s->state.quest.space)
        nw_session_axes(s, &x, &y);
    if (x < 0) {
        nw_session_forget_landscape(s);
        return;
    }
    if (!s->scene || s->scene->view.metric != s->state.quest.metric ||
        !is_ground_of_now(s, s->scene))
        begin_scene(s);
    update_frame(s, s->scene);
    if (misses_kept(s, s->scene)) /* once more, with all of them */
        begin_scene(s);
    update_phase(s, s->scene);
}

void nw_session_forget_landscape(nw_session *s)
{
    if (!s->scene)
        return;
    nw_cancel_set(&s->scene->cancel);
    release(s->scene);
    s->scene = NULL;
}

void nw_session_stop_landscape(nw_session *s)
{
    nw_scene *c = s->scene;
    if (!c || c->view.phase != NW_PHASE_RUNNING || (c->is_full && !c->is_finding))
        return;
    nw_cancel_set(&c->cancel);
    c->view.phase = NW_PHASE_FAILED;
    update_phase(s, c);
    s->version++;
}

void nw_session_follow_landscape(nw_session *s)
{
    s->follows_landscape = s->follows_curation = true;
    nw_session_update_landscape(s);
    nw_session_update_curation(s);
}

bool nw_session_is_filling(const nw_session *s)
{
    return s->scene && !s->scene->is_full && s->scene->view.phase != NW_PHASE_FAILED;
}

bool nw_session_is_exploring(const nw_session *s)
{
    return nw_session_curation_phase(s) == NW_PHASE_RUNNING ||
           (s->scene && s->scene->view.phase == NW_PHASE_RUNNING);
}

/* ---- what is known ---- */

const nw_landscape *nw_session_landscape(const nw_session *s)
{
    return s->scene ? &s->scene->view : NULL;
}

static const nw_scene *scene_of(const nw_landscape *landscape)
{
    return (const nw_scene *)(const void *)((const char *)landscape - offsetof(nw_scene, view));
}

double nw_landscape_value(const nw_landscape *landscape, int x, int y)
{
    return landscape->x ? nw_slice_value(scene_of(landscape)->slice, x, y, NULL) : NAN;
}

/* The points of coarser grids are those that are multiples of 2, 4, ... */
double nw_landscape_macs(const nw_landscape *landscape, int x, int y)
{
    const nw_slice *slice = scene_of(landscape)->slice;
    for (int k = 0; landscape->x && k < 16; k++) {
        const nw_totals *totals = nw_slice_totals(slice, x >> k << k, y >> k << k);
        if (totals)
            return (double)totals->parts.macs;
    }
    return NAN;
}

nw_status nw_landscape_probe(const nw_landscape *landscape, int x, int y, nw_totals *out,
                             nw_error *err)
{
    if (!landscape->x)
        return nw_fail(err, NW_UNSUPPORTED, "", "%s", landscape->doing);
    return nw_slice_probe(scene_of(landscape)->slice, x, y, out, err);
}

/* The point as a genome of the whole space; false: it has no such options. */
static bool is_in_space(const nw_scene *c, const uint16_t *on_grid, uint16_t *genome)
{
    int n;
    const nw_dim *whole = nw_space_dims(c->space, &n), *grid = nw_space_dims(c->ground->grid, &n);
    memcpy(genome, c->others, sizeof c->others);
    for (int d = 0; d < n; d++) {
        if (d != c->view.x_dim && d != c->view.y_dim)
            continue;
        const nw_option *wanted = &grid[d].options[on_grid[d]];
        int at = find_option(&whole[d], wanted);
        if (memcmp(&whole[d].options[at], wanted, sizeof *wanted) != 0)
            return false;
        genome[d] = (uint16_t)at;
    }
    return true;
}

char *nw_landscape_point_text(const nw_landscape *landscape, int x, int y)
{
    const nw_scene *c = scene_of(landscape);
    uint16_t on_grid[NW_MAX_DIMS], genome[NW_MAX_DIMS];
    nw_edit *edits = NULL;
    nw_buf text = {0};
    int n = 0;
    if (!landscape->x)
        return NULL;
    nw_slice_genome(c->slice, x, y, on_grid);
    if (is_in_space(c, on_grid, genome)) {
        nw_genome_write(c->space, genome, &text);
        return text.text;
    }
    if (nw_space_edits(c->ground->grid, on_grid, &edits, &n, NULL) != NW_OK)
        return NULL;
    for (int i = 0; i < n; i++) {
        nw_buf_puts(&text, "; ");
        nw_edit_write(&edits[i], &text);
    }
    free(edits);
    return text.text;
}
