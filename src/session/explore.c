/* explore.c - a plan of the space, and its curation, computed in the background.
 *
 * A prospect is what is known of one space on one hardware. Its task makes the plan, comes back so
 * that somebody may use it, then curates. The count of its users changes on the main thread only:
 * the session, and the task while it is out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/session/internal.h"

struct nw_prospect {
    nw_task task; /* first, so that the pool's pointer is this one */
    nw_cancel cancel;
    int n_users;
    const nw_space *space;
    nw_shared_hw *hw;
    char precision[24], estimator[256];
    nw_plan *plan; /* written by the task, read by the main thread when it is back */
    nw_curation *curation;
    nw_error err;
    nw_phase phase; /* the main thread's */
    bool has_plan;
};

static void release(nw_prospect *p)
{
    if (!p || --p->n_users)
        return;
    nw_curation_free(p->curation);
    nw_plan_free(p->plan);
    nw_space_release(p->space);
    nw_shared_hw_release(p->hw);
    free(p);
}

/* ---- on a worker ---- */

nw_status nw_session_make_plan(const nw_space *space, nw_shared_hw *hw, const char *choice,
                               const char *precision, const nw_cancel *cancel, nw_plan **out,
                               nw_error *err)
{
    const nw_estimator *estimator;
    nw_status status = nw_shared_hw_estimator(hw, choice, &estimator, err);
    if (status != NW_OK)
        return status;
    status = nw_plan_new(space, hw->hw, estimator, precision, cancel, out, err);
    nw_estimator_release(estimator);
    return status;
}

static void run_prospect(nw_task *task)
{
    nw_prospect *p = (nw_prospect *)task;
    const nw_curate_options options = {.tolerance = -1, .cancel = &p->cancel};
    if (!p->plan) {
        if (nw_session_make_plan(p->space, p->hw, p->estimator, p->precision, &p->cancel, &p->plan,
                                 &p->err) != NW_OK)
            p->plan = NULL;
    } else if (nw_curate(p->plan, &options, &p->curation, &p->err) != NW_OK) {
        p->curation = NULL;
    }
}

bool nw_session_is_curating(const nw_task *task)
{
    return task->run == run_prospect;
}

/* ---- on the main thread ---- */

static void fail(nw_session *s, nw_prospect *p)
{
    p->phase = NW_PHASE_FAILED;
    nw_session_say(s, NW_MESSAGE_ERROR, "curation: %s%s%s", p->err.where,
                   p->err.where[0] ? ": " : "", p->err.message);
}

void nw_session_take_curating(nw_session *s, nw_task *task, bool is_over)
{
    nw_prospect *p = (nw_prospect *)task;
    if (is_over || p != s->prospect || nw_cancel_is_set(&p->cancel)) {
        release(p);
        return;
    }
    bool is_planned = p->plan && !p->has_plan;
    p->has_plan = p->plan != NULL;
    if (is_planned) {
        nw_pool_submit(s->pool, task);
        return;
    }
    if (p->curation)
        p->phase = NW_PHASE_DONE;
    else
        fail(s, p);
    release(p);
}

static bool is_of_now(const nw_session *s, const nw_prospect *p)
{
    return p->space == s->state.quest.space && p->hw == s->state.hw &&
           strcmp(p->precision, s->state.precision) == 0 &&
           strcmp(p->estimator, s->state.estimator) == 0;
}

static void begin_prospect(nw_session *s)
{
    nw_prospect *p = nw_zalloc(sizeof *p);
    p->n_users = 2;
    p->space = nw_space_retain(s->state.quest.space);
    p->hw = nw_shared_hw_retain(s->state.hw);
    memcpy(p->precision, s->state.precision, sizeof p->precision);
    memcpy(p->estimator, s->state.estimator, sizeof p->estimator);
    p->phase = NW_PHASE_RUNNING;
    p->task.run = run_prospect;
    p->task.cancel = &p->cancel;
    s->prospect = p;
    nw_pool_submit(s->pool, &p->task);
}

void nw_session_follow_curation(nw_session *s)
{
    s->follows_curation = true;
    nw_session_update_curation(s);
}

/* ---- the restricted space ---- */

static bool has_same_hands(const nw_session *s)
{
    const nw_quest *quest = &s->state.quest;
    return quest->n_hands == s->n_curated_with &&
           (!quest->n_hands || memcmp(quest->hands, s->curated_with,
                                      (size_t)quest->n_hands * sizeof *quest->hands) == 0);
}

static void forget_curated(nw_session *s)
{
    nw_space_release(s->curated);
    free(s->curated_with);
    s->curated = NULL;
    s->curated_with = NULL;
    s->n_curated_with = 0;
}

static const nw_space *restrict_space(const nw_session *s)
{
    int n;
    char name[160];
    const nw_space *space = s->state.quest.space, *out = NULL;
    const nw_dim *dims = nw_space_dims(space, &n);
    uint8_t **keep = nw_alloc(((size_t)n + 1) * sizeof *keep);
    for (int d = 0; d < n; d++) {
        keep[d] = nw_alloc((size_t)dims[d].n_options + 1);
        for (int o = 0; o < dims[d].n_options; o++)
            keep[d][o] = nw_session_keeps(s, d, o);
    }
    snprintf(name, sizeof name, "%.100s curated for %.40s", nw_space_name(space),
             nw_session_hw(s)->name);
    if (nw_space_restrict(space, (const uint8_t *const *)keep, name, &out, NULL) != NW_OK)
        out = NULL;
    for (int d = 0; d < n; d++)
        free(keep[d]);
    free(keep);
    return out;
}

static void update_curated(nw_session *s)
{
    const nw_quest *quest = &s->state.quest;
    size_t size = (size_t)quest->n_hands * sizeof *quest->hands;
    if (!nw_session_curation(s)) {
        forget_curated(s);
        return;
    }
    if (s->curated_with && has_same_hands(s))
        return;
    forget_curated(s);
    s->curated = restrict_space(s);
    s->curated_with = nw_alloc(size + 1);
    s->n_curated_with = quest->n_hands;
    if (size)
        memcpy(s->curated_with, quest->hands, size);
    s->version++;
}

void nw_session_update_curation(nw_session *s)
{
    if (s->prospect && !is_of_now(s, s->prospect)) {
        nw_session_forget_curation(s);
        s->version++;
    }
    if (s->follows_curation && s->state.quest.space && !s->prospect &&
        !nw_session_is_filling(s)) /* the picture first: workers are few */
        begin_prospect(s);
    update_curated(s);
}

void nw_session_forget_curation(nw_session *s)
{
    forget_curated(s);
    if (!s->prospect)
        return;
    nw_cancel_set(&s->prospect->cancel);
    release(s->prospect);
    s->prospect = NULL;
}

void nw_session_stop_curation(nw_session *s)
{
    nw_prospect *p = s->prospect;
    s->follows_curation &= p != NULL; /* it need not have begun */
    if (!p || p->phase != NW_PHASE_RUNNING)
        return;
    nw_cancel_set(&p->cancel);
    p->phase = NW_PHASE_FAILED;
    s->version++;
}

/* ---- what is known ---- */

nw_phase nw_session_curation_phase(const nw_session *s)
{
    return s->prospect ? s->prospect->phase : NW_PHASE_NONE;
}

const char *nw_session_curation_doing(const nw_session *s)
{
    const nw_prospect *p = s->prospect;
    if (!p || p->phase == NW_PHASE_DONE)
        return "";
    if (nw_cancel_is_set(&p->cancel)) /* its error is the task's still */
        return "stopped; C begins it anew";
    return p->phase == NW_PHASE_FAILED ? p->err.message
           : p->has_plan               ? "looking at every option"
                                       : "compiling the plan";
}

const nw_curation *nw_session_curation(const nw_session *s)
{
    return s->prospect && s->prospect->phase == NW_PHASE_DONE ? s->prospect->curation : NULL;
}

const nw_space *nw_session_curated(const nw_session *s)
{
    return s->curated;
}

bool nw_session_keeps(const nw_session *s, int dim, int option)
{
    nw_hand hand = nw_session_hand(s, dim, option);
    const nw_curation *curation = nw_session_curation(s);
    if (hand != NW_HAND_FREE || !curation)
        return hand != NW_HAND_DROP;
    nw_verdict verdict = nw_curation_verdicts(curation, dim)[option].verdict;
    return verdict == NW_VERDICT_KEPT || verdict == NW_VERDICT_PINNED;
}
