/* plan.c - a plan and whoever asks it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/plan/internal.h"

/* A realiser is of one thread: as many as there are threads that ask at a time. */
typedef struct worker {
    nw_realiser *realiser;
    struct worker *next;
} worker;

struct nw_plan {
    const nw_space *space;
    const nw_hw *hw;
    const nw_estimator *estimator;
    char *precision; /* NULL: the file's */
    int n_dims;
    nw_totals base;
    pthread_mutex_t lock; /* of idle */
    worker *idle;
    atomic_llong n_full;
};

static worker *take_worker(nw_plan *plan)
{
    pthread_mutex_lock(&plan->lock);
    worker *w = plan->idle;
    if (w)
        plan->idle = w->next;
    pthread_mutex_unlock(&plan->lock);
    if (w)
        return w;
    w = nw_zalloc(sizeof *w);
    w->realiser = nw_realiser_new(plan->space);
    return w;
}

static void give_back(nw_plan *plan, worker *w)
{
    pthread_mutex_lock(&plan->lock);
    w->next = plan->idle;
    plan->idle = w;
    pthread_mutex_unlock(&plan->lock);
}

static nw_status run_full(nw_plan *plan, const uint16_t *genome, nw_totals *out, nw_error *err)
{
    const nw_arch *arch;
    worker *w = take_worker(plan);
    nw_status status = nw_realiser_make(w->realiser, genome, &arch, err);
    if (status == NW_OK) {
        status = nw_totals_of(arch, plan->hw, plan->estimator, plan->precision, out, err);
        nw_arch_release(arch);
    }
    atomic_fetch_add(&plan->n_full, 1);
    give_back(plan, w);
    return status;
}

nw_status nw_plan_new(const nw_space *space, const nw_hw *hw, const nw_estimator *estimator,
                      const char *precision, const nw_cancel *cancel, nw_plan **out, nw_error *err)
{
    nw_plan *plan = nw_zalloc(sizeof *plan);
    plan->space = nw_space_retain(space);
    plan->hw = hw;
    plan->estimator = nw_estimator_retain(estimator);
    plan->n_dims = nw_space_n_dims(space);
    if (precision) {
        plan->precision = nw_alloc(strlen(precision) + 1);
        memcpy(plan->precision, precision, strlen(precision) + 1);
    }
    pthread_mutex_init(&plan->lock, NULL);
    atomic_init(&plan->n_full, 0);
    uint16_t *genome = nw_alloc(((size_t)plan->n_dims + 1) * sizeof *genome);
    nw_space_base_genome(space, genome);
    nw_status status = run_full(plan, genome, &plan->base, err);
    free(genome);
    if (status == NW_OK && nw_cancel_is_set(cancel))
        status = nw_fail(err, NW_CANCELLED, nw_space_name(space), "cancelled");
    if (status == NW_OK)
        *out = plan;
    else
        nw_plan_free(plan);
    return status;
}

void nw_plan_free(nw_plan *plan)
{
    if (!plan)
        return;
    while (plan->idle) {
        worker *w = plan->idle;
        plan->idle = w->next;
        nw_realiser_free(w->realiser);
        free(w);
    }
    pthread_mutex_destroy(&plan->lock);
    nw_estimator_release(plan->estimator);
    nw_space_release(plan->space);
    free(plan->precision);
    free(plan);
}

/* ---- what it is of ---- */

const nw_space *nw_plan_space(const nw_plan *plan)
{
    return plan->space;
}

const nw_hw *nw_plan_hw(const nw_plan *plan)
{
    return plan->hw;
}

const nw_estimator *nw_plan_estimator(const nw_plan *plan)
{
    return plan->estimator;
}

const char *nw_plan_precision(const nw_plan *plan)
{
    return plan->precision;
}

const nw_totals *nw_plan_base(const nw_plan *plan)
{
    return &plan->base;
}

nw_objective nw_plan_objective(const nw_plan *plan)
{
    return (nw_objective){.weight = NW_OBJECTIVE_WEIGHT,
                          .base_latency_ps = plan->base.latency_ps,
                          .base_score = nw_score_default(&plan->base.parts, 0)};
}

const nw_cell *nw_plan_cells(const nw_plan *plan, int *n)
{
    (void)plan;
    *n = 0;
    return NULL;
}

nw_plan_stats nw_plan_get_stats(const nw_plan *plan)
{
    return (nw_plan_stats){.n_full = atomic_load(&plan->n_full), .is_exact = true, .caught = ""};
}

bool nw_plan_within_limits(const nw_plan *plan, const nw_totals *totals, int *which)
{
    int n;
    const nw_limit *limits = nw_space_limits(plan->space, &n);
    nw_objective objective = nw_plan_objective(plan);
    for (int i = 0; i < n; i++) {
        double value = nw_totals_metric(totals, limits[i].metric, &objective);
        if (limits[i].is_least ? value >= limits[i].limit : value <= limits[i].limit)
            continue;
        if (which)
            *which = i;
        return false;
    }
    return true;
}

/* ---- asking ---- */

nw_status nw_plan_evaluate(nw_plan *plan, const uint16_t *genome, nw_totals *out, nw_error *err)
{
    return run_full(plan, genome, out, err);
}

int64_t nw_plan_evaluate_many(nw_plan *plan, const uint16_t *genomes, int64_t n, nw_totals *out,
                              uint8_t *is_bad, const nw_cancel *cancel)
{
    int64_t n_good = 0;
    for (int64_t i = 0; i < n; i++) {
        bool is_good = !nw_cancel_is_set(cancel) &&
                       nw_plan_evaluate(plan, genomes + i * plan->n_dims, &out[i], NULL) == NW_OK;
        if (!is_good)
            out[i] = (nw_totals){0};
        if (is_bad)
            is_bad[i] = !is_good;
        n_good += is_good;
    }
    return n_good;
}

nw_status nw_plan_warm(nw_plan *plan, int64_t max_entries, const nw_cancel *cancel, nw_error *err)
{
    (void)max_entries;
    if (nw_cancel_is_set(cancel))
        return nw_fail(err, NW_CANCELLED, nw_space_name(plan->space), "cancelled");
    return NW_OK;
}

/* ---- walking ---- */

struct nw_walker {
    nw_plan *plan;
    uint16_t *genome;
    nw_totals totals;
};

nw_status nw_walker_new(nw_plan *plan, const uint16_t *genome, nw_walker **out, nw_error *err)
{
    nw_totals totals;
    nw_status status = nw_plan_evaluate(plan, genome, &totals, err);
    if (status != NW_OK)
        return status;
    nw_walker *w = nw_alloc(sizeof *w);
    size_t n_bytes = (size_t)plan->n_dims * sizeof *genome;
    *w = (nw_walker){.plan = plan, .genome = nw_alloc(n_bytes + 1), .totals = totals};
    memcpy(w->genome, genome, n_bytes);
    *out = w;
    return NW_OK;
}

void nw_walker_free(nw_walker *walker)
{
    if (!walker)
        return;
    free(walker->genome);
    free(walker);
}

nw_status nw_walker_set(nw_walker *walker, int dim, int option, nw_error *err)
{
    uint16_t before = walker->genome[dim];
    walker->genome[dim] = (uint16_t)option;
    nw_status status = nw_plan_evaluate(walker->plan, walker->genome, &walker->totals, err);
    if (status != NW_OK)
        walker->genome[dim] = before;
    return status;
}

const uint16_t *nw_walker_genome(const nw_walker *walker)
{
    return walker->genome;
}

const nw_totals *nw_walker_totals(nw_walker *walker)
{
    return &walker->totals;
}
