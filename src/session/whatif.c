/* whatif.c - what every edit one key away would give, computed in the background.
 *
 * Once a view has asked for it, the list follows what is open: a change cancels the old list and
 * begins a new one. A task evaluates for a moment and comes back, so that rows show up as they are
 * ready; the session lends it the point, which never changes.
 */
#include <stdlib.h>
#include <time.h>

#include "src/session/internal.h"

#define SLICE_MS 40

typedef struct whatif_task {
    nw_task task; /* first, so that the pool's pointer is this one */
    nw_cancel cancel;
    const nw_point *point;
    nw_whatif *list; /* NULL: not begun, or it cannot be made */
    bool is_failed;
} whatif_task;

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void run_whatif(nw_task *task)
{
    whatif_task *t = (whatif_task *)task;
    const nw_point *point = t->point;
    nw_subject subject = {point->arch, point->hw, point->estimate.estimator, point->precision};
    if (!t->list && nw_whatif_new(&subject, NULL, &t->list, NULL) != NW_OK) {
        t->list = NULL;
        t->is_failed = true;
        return;
    }
    double end_ms = now_ms() + SLICE_MS;
    while (!nw_cancel_is_set(&t->cancel) && now_ms() < end_ms && nw_whatif_step(t->list))
        continue;
}

bool nw_session_is_whatif(const nw_task *task)
{
    return task->run == run_whatif;
}

static void free_whatif(nw_session *s, whatif_task *t)
{
    if (s->whatif_task == &t->task)
        s->whatif_task = NULL;
    nw_whatif_release(t->list);
    nw_point_release(t->point);
    free(t);
}

void nw_session_drop_whatif(nw_session *s, nw_task *task)
{
    free_whatif(s, (whatif_task *)task);
}

/* What an old list still sends is dropped. */
void nw_session_take_whatif(nw_session *s, nw_task *task)
{
    whatif_task *t = (whatif_task *)task;
    bool is_of_now = s->whatif_task == task && t->point == s->state.current;
    if (is_of_now && t->list && !s->whatif)
        s->whatif = nw_whatif_retain(t->list);
    bool is_over = !t->list || nw_whatif_n_ready(t->list) == nw_whatif_n(t->list);
    if (!is_of_now || is_over)
        free_whatif(s, t);
    else
        nw_pool_submit(s->pool, task);
}

void nw_session_follow_whatif(nw_session *s)
{
    s->follows_whatif = true;
    nw_session_update_whatif(s);
}

void nw_session_update_whatif(nw_session *s)
{
    if (!s->follows_whatif || s->whatif_point == s->state.current)
        return;
    nw_session_forget_whatif(s);
    if (!s->state.current)
        return;
    whatif_task *t = nw_zalloc(sizeof *t);
    t->task.run = run_whatif;
    t->task.cancel = &t->cancel;
    t->point = nw_point_retain(s->state.current);
    s->whatif_point = nw_point_retain(s->state.current);
    s->whatif_task = &t->task;
    nw_pool_submit(s->pool, &t->task);
}

void nw_session_forget_whatif(nw_session *s)
{
    if (s->whatif_task)
        nw_cancel_set(&((whatif_task *)s->whatif_task)->cancel);
    s->whatif_task = NULL;
    nw_whatif_release(s->whatif);
    s->whatif = NULL;
    nw_point_release(s->whatif_point);
    s->whatif_point = NULL;
}

const nw_whatif *nw_session_whatif(const nw_session *s)
{
    return s->whatif_point == s->state.current ? s->whatif : NULL;
}
