/* landscape.c - a scene's tasks, and what the main thread makes of what they bring.
 *
 * A ground is the grid and its plan; scenes that differ in the metric alone share it. PREPARE makes
 * them; several FILL then share the slice, a moment at a time, so that the picture shows up as it
 * comes; PANES finds what follows once the slice is full, anew when curation or start change. A
 * task writes only what the main thread does not read before it is back; counts of users change on
 * the main thread only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/session/scene.h"

#define MOMENT_MS 40 /* of a FILL */
#define PORTION   16 /* points between looks at the clock */
#define MAX_FILL  8  /* tasks that fill at a time */
#define SEED      1  /* of restarts */

typedef enum scene_work { PREPARE, FILL, PANES } scene_work;

typedef struct scene_task {
    nw_task task; /* first, so that the pool's pointer is this one */
    nw_scene *scene;
    scene_work work;
    bool is_over;   /* FILL: every point is taken */
    nw_frame frame; /* PANES: what it works on, and what comes out */
    nw_panes *panes;
    nw_error err;
} scene_task;

/* ---- life ---- */

static void release_ground(nw_ground *g)
{
    if (!g || --g->n_users)
        return;
    nw_plan_free(g->plan);
    nw_space_release(g->grid);
    free(g);
}

static void free_frame(nw_frame *f)
{
    free(f->columns);
    free(f->rows);
    *f = (nw_frame){0};
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
    nw_ground *g = nw_zalloc(sizeof *g);
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

static void begin_panes(nw_session *s, nw_scene *c)
{
    if (!c->is_full || c->is_finding || (c->panes && nw_scene_is_same_frame(&c->wanted, &c->found)))
        return;
    scene_task *t = new_task(c, PANES);
    t->frame = c->wanted;
    t->frame.columns = nw_scene_copy_list(c->wanted.columns, c->wanted.n_columns);
    t->frame.rows = nw_scene_copy_list(c->wanted.rows, c->wanted.n_rows);
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
        nw_scene_is_same_list(c->found.columns, c->found.n_columns, v->columns, v->n_columns) &&
        nw_scene_is_same_list(c->found.rows, c->found.n_rows, v->rows, v->n_rows);
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
    c->view.x = nw_scene_axis(c, false);
    c->view.y = nw_scene_axis(c, true);
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
    t->frame = (nw_frame){0};
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
        c->kept[0] = nw_scene_list_kept(s, c->view.x_dim);
        c->kept[1] = c->view.y_dim >= 0 ? nw_scene_list_kept(s, c->view.y_dim) : NULL;
    }
    c->wanted.start_x = c->wanted.start_y = -1;
    return c;
}

/* Another metric keeps the grid and what its plan has learnt. */
static void begin_scene(nw_session *s)
{
    nw_scene *c = new_scene(s), *old = s->scene;
    if (old && old->is_ready && is_ground_of_now(s, old) && !nw_scene_misses_kept(s, old)) {
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
    nw_frame now = nw_scene_find_frame(s, c);
    if (nw_scene_is_same_frame(&now, &c->wanted)) {
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
    if (nw_scene_misses_kept(s, s->scene)) /* once more, with all of them */
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
