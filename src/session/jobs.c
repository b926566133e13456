/* jobs.c - background work: the same network on every description.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/report.h"
#include "src/session/internal.h"

/* One description: all it needs, and what came out. */
typedef struct estimate_task {
    nw_task task; /* first, so that the pool's pointer is this one */
    nw_job *job;
    int row;
    nw_shared_model *model;
    nw_shared_hw *hw;
    char precision[24];
    char estimator[256];
    nw_hw_row result;
    nw_error err;
} estimate_task;

static void run_estimate(nw_task *task)
{
    estimate_task *t = (estimate_task *)task;
    nw_estimate e;
    const nw_estimator *estimator;
    if (nw_shared_hw_estimator(t->hw, t->estimator, &estimator, &t->err) != NW_OK)
        return;
    nw_status status =
        nw_estimate_graph(estimator, t->model->graph, t->hw->hw, t->precision, &e, &t->err);
    nw_estimator_release(estimator);
    if (status != NW_OK)
        return;
    t->result.estimator = e.estimator->regression ? "regression" : "device";
    t->result.latency_ps = e.latency_ps;
    t->result.energy_fj = e.energy_fj;
    t->result.peak_live_bytes = e.peak_live_bytes;
    t->result.n_unknown = e.n_unknown;
    t->result.fits = e.fits;
    nw_estimate_fini(&e);
}

static void free_task(estimate_task *t)
{
    nw_shared_model_release(t->model);
    nw_shared_hw_release(t->hw);
    free(t);
}

/* ---- the list of jobs ---- */

static void free_job(nw_job *job)
{
    free(job->name);
    free(job->message);
    free(job);
}

/* The oldest goes when its tasks are back, since they point to it. */
static void shorten_list(nw_session *s)
{
    for (int i = 0; i < s->n_jobs && s->n_jobs >= NW_MAX_JOBS;) {
        nw_job *job = s->jobs[i];
        if (job->is_running || job->n_taken < job->n_tasks) {
            i++;
            continue;
        }
        free_job(job);
        s->n_jobs--;
        memmove(s->jobs + i, s->jobs + i + 1, (size_t)(s->n_jobs - i) * sizeof *s->jobs);
    }
}

static nw_job *add_job(nw_session *s, const char *name)
{
    shorten_list(s);
    nw_job *job = nw_zalloc(sizeof *job);
    job->name = nw_copy_text(name);
    job->message = nw_copy_text("");
    job->is_running = true;
    s->jobs = nw_grow(s->jobs, (size_t)s->n_jobs, &s->job_capacity, sizeof *s->jobs);
    s->jobs[s->n_jobs++] = job;
    return job;
}

static void end_job(nw_session *s, nw_job *job, bool is_failed, const char *message)
{
    job->is_running = false;
    job->is_failed = is_failed;
    free(job->message);
    job->message = nw_copy_text(message);
    if (s->rows_job == job)
        s->rows_job = NULL;
    nw_session_say(s, is_failed ? NW_MESSAGE_ERROR : NW_MESSAGE_INFO, "%s: %s", job->name, message);
}

int nw_session_n_jobs(const nw_session *s)
{
    return s->n_jobs;
}

nw_job_view nw_session_job(const nw_session *s, int index)
{
    const nw_job *job = s->jobs[index];
    return (nw_job_view){.name = job->name,
                         .progress = job->n_tasks ? (double)job->n_taken / job->n_tasks : 1,
                         .is_running = job->is_running,
                         .is_failed = job->is_failed,
                         .message = job->message};
}

/* ---- every description ---- */

const nw_hw_row *nw_session_hw_rows(const nw_session *s, int *n)
{
    *n = s->n_rows;
    return s->rows;
}

const nw_point *nw_session_hw_rows_point(const nw_session *s)
{
    return s->rows_point;
}

bool nw_session_hw_rows_are_of_current(const nw_session *s)
{
    const nw_point *now = s->state.current, *then = s->rows_point;
    return now && then && now->graph == then->graph &&
           strcmp(now->precision, then->precision) == 0 &&
           strcmp(s->state.estimator, s->rows_estimator) == 0;
}

static int count_done(const nw_session *s)
{
    int n = 0;
    for (int i = 0; i < s->n_rows; i++)
        n += s->rows[i].is_done;
    return n;
}

static void set_error(nw_session *s, nw_hw_row *row, const nw_error *err)
{
    nw_buf text = {0};
    nw_buf_printf(&text, "%s%s%s", err->where, err->where[0] ? ": " : "", err->message);
    row->error = nw_arena_strdup(&s->rows_text, nw_buf_text(&text));
    nw_buf_fini(&text);
}

static void begin_rows(nw_session *s)
{
    free(s->rows);
    nw_arena_fini(&s->rows_text);
    nw_point_release(s->rows_point);
    s->rows_text = (nw_arena){0};
    s->rows_point = nw_point_retain(s->state.current);
    memcpy(s->rows_estimator, s->state.estimator, sizeof s->rows_estimator);
    s->n_rows = s->n_hw_names;
    s->rows = nw_zalloc((size_t)s->n_rows * sizeof *s->rows);
    for (int i = 0; i < s->n_rows; i++)
        s->rows[i] = (nw_hw_row){.hw = s->hw_names[i], .estimator = "", .error = ""};
}

/* Descriptions are read here, by the main thread: the JSON library keeps its last error in a
 * global. The estimates take the time. */
static void submit_row(nw_session *s, nw_job *job, int row)
{
    nw_error err;
    nw_shared_hw *hw;
    if (nw_shared_hw_load(s->hw_names[row], s->data_path, &hw, &err) != NW_OK) {
        s->rows[row].is_done = true;
        set_error(s, &s->rows[row], &err);
        return;
    }
    estimate_task *t = nw_zalloc(sizeof *t);
    t->task.run = run_estimate;
    t->task.cancel = &job->cancel;
    t->job = job;
    t->row = row;
    t->model = nw_shared_model_retain(nw_point_model(s->rows_point));
    t->hw = hw;
    memcpy(t->precision, s->state.precision, sizeof t->precision);
    memcpy(t->estimator, s->state.estimator, sizeof t->estimator);
    job->n_tasks++;
    nw_pool_submit(s->pool, &t->task);
}

static void finish_rows(nw_session *s)
{
    const nw_hw_row *best = NULL;
    int n_good = 0;
    for (int i = 0; i < s->n_rows; i++) {
        const nw_hw_row *row = &s->rows[i];
        n_good += !row->error[0];
        if (!row->error[0] && row->fits && !row->n_unknown &&
            (!best || row->latency_ps < best->latency_ps))
            best = row;
    }
    char message[256], time[32];
    int n =
        snprintf(message, sizeof message, "%d estimated, %d failed", n_good, s->n_rows - n_good);
    if (best && n > 0)
        snprintf(message + n, sizeof message - (size_t)n, "; fastest is %.60s with %s", best->hw,
                 nw_format_time(best->latency_ps, time, sizeof time));
    end_job(s, s->rows_job, !n_good, message);
}

void nw_session_compare_hw(nw_session *s)
{
    char name[128];
    if (s->rows_job) {
        nw_cancel_set(&s->rows_job->cancel);
        end_job(s, s->rows_job, false, "stopped: a new comparison begins");
    }
    begin_rows(s);
    snprintf(name, sizeof name, "%.60s on %d descriptions", s->rows_point->label, s->n_rows);
    nw_job *job = s->rows_job = add_job(s, name);
    nw_session_say(s, NW_MESSAGE_INFO, "estimating %s", job->name);
    for (int i = 0; i < s->n_rows; i++)
        submit_row(s, job, i);
    if (!job->n_tasks)
        finish_rows(s);
}

void nw_session_stop_newest(nw_session *s)
{
    int newest = s->n_jobs - 1;
    while (!s->jobs[newest]->is_running)
        newest--;
    char message[64];
    nw_cancel_set(&s->jobs[newest]->cancel);
    snprintf(message, sizeof message, "stopped after %d of %d", count_done(s), s->n_rows);
    end_job(s, s->jobs[newest], false, message);
}

/* What a stopped job still sends is dropped. */
static void take_in(nw_session *s, estimate_task *t)
{
    nw_job *job = t->job;
    job->n_taken++;
    if (job == s->rows_job) {
        nw_hw_row *row = &s->rows[t->row];
        const char *hw = row->hw;
        *row = t->result;
        row->hw = hw;
        row->is_done = true;
        row->error = "";
        if (t->err.status != NW_OK)
            set_error(s, row, &t->err);
        if (job->n_taken == job->n_tasks)
            finish_rows(s);
    }
    free_task(t);
}

int nw_session_wake_fd(const nw_session *s)
{
    return nw_pool_wake_fd(s->pool);
}

bool nw_session_poll(nw_session *s)
{
    uint64_t before = s->version;
    for (nw_task *task; (task = nw_pool_take(s->pool));) {
        if (nw_session_is_whatif(task))
            nw_session_take_whatif(s, task);
        else if (nw_session_is_sweeping(task))
            nw_session_take_sweeping(s, task);
        else if (nw_session_is_curating(task))
            nw_session_take_curating(s, task, false);
        else if (nw_session_is_scene(task))
            nw_session_take_scene(s, task, false);
        else
            take_in(s, (estimate_task *)task);
        s->version++;
    }
    nw_session_update_whatif(s);
    nw_session_update_sweep(s);
    nw_session_update_landscape(s);
    nw_session_update_curation(s);
    nw_session_autosave(s, false);
    return s->version != before;
}

void nw_session_end_jobs(nw_session *s)
{
    for (int i = 0; i < s->n_jobs; i++)
        nw_cancel_set(&s->jobs[i]->cancel);
    nw_session_forget_whatif(s);
    nw_session_forget_sweep(s);
    nw_session_forget_landscape(s);
    nw_session_forget_curation(s);
    if (s->pool)
        nw_pool_stop(s->pool);
    for (nw_task *task; s->pool && (task = nw_pool_take(s->pool));) {
        if (nw_session_is_whatif(task))
            nw_session_drop_whatif(s, task);
        else if (nw_session_is_sweeping(task))
            nw_session_take_sweeping(s, task);
        else if (nw_session_is_curating(task))
            nw_session_take_curating(s, task, true);
        else if (nw_session_is_scene(task))
            nw_session_take_scene(s, task, true);
        else
            free_task((estimate_task *)task);
    }
    nw_pool_free(s->pool);
    for (int i = 0; i < s->n_jobs; i++)
        free_job(s->jobs[i]);
    free(s->jobs);
    free(s->rows);
    nw_arena_fini(&s->rows_text);
    nw_point_release(s->rows_point);
}
