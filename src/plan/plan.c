/* plan.c - a plan: made of what its cells depend on, asked what it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/plan/internal.h"

nw_plan_worker *nw_plan_take_worker(nw_plan *plan)
{
    pthread_mutex_lock(&plan->lock);
    nw_plan_worker *worker = plan->idle;
    if (worker)
        plan->idle = worker->next;
    pthread_mutex_unlock(&plan->lock);
    if (worker)
        return worker;
    worker = nw_zalloc(sizeof *worker);
    worker->realiser = nw_realiser_new(plan->space);
    return worker;
}

void nw_plan_give_back(nw_plan *plan, nw_plan_worker *worker)
{
    pthread_mutex_lock(&plan->lock);
    worker->next = plan->idle;
    plan->idle = worker;
    pthread_mutex_unlock(&plan->lock);
}

/* ---- making ---- */

static bool is_within(const uint8_t *part, const uint8_t *whole, int n)
{
    for (int d = 0; d < n; d++)
        if (part[d] && !whole[d])
            return false;
    return true;
}

static double product_of(const nw_plan *plan, const uint8_t *depends)
{
    int n;
    const nw_dim *dims = nw_space_dims(plan->space, &n);
    double product = 1;
    for (int d = 0; d < n; d++)
        product *= depends[d] ? dims[d].n_options : 1;
    return product;
}

#define MAX_HOST 262144.0 /* entries of a cell that takes in others */

/* Marks join the cell with the smallest table that depends on all that they depend on: fewer
 * look-ups for the same entries. The marks of the largest tables come first. Returns a row of
 * depends a cell. */
static uint8_t *merge_marks(nw_plan *plan, const uint8_t *depends)
{
    nw_cells *cells = &plan->cells;
    int n_marks = cells->n_marks, n_dims = plan->n_dims, n_cells = 0;
    double *size = nw_alloc((size_t)n_marks * sizeof *size);
    int *order = nw_alloc((size_t)n_marks * sizeof *order);
    uint8_t *rows = nw_zalloc(((size_t)n_marks + 1) * (size_t)n_dims + 1);
    for (int m = 0; m < n_marks; m++) {
        int at = m;
        size[m] = product_of(plan, depends + (size_t)m * (size_t)n_dims);
        for (; at > 0 && size[order[at - 1]] < size[m]; at--)
            order[at] = order[at - 1];
        order[at] = m;
    }
    for (int i = 0; i < n_marks; i++) {
        const uint8_t *own = depends + (size_t)order[i] * (size_t)n_dims;
        int best = -1;
        double best_size = 0;
        for (int c = 0; c < n_cells; c++) {
            const uint8_t *host = rows + (size_t)c * (size_t)n_dims;
            double host_size = product_of(plan, host);
            bool is_cheap = host_size <= MAX_HOST || memcmp(host, own, (size_t)n_dims) == 0;
            if (is_cheap && is_within(own, host, n_dims) && (best < 0 || host_size < best_size)) {
                best = c;
                best_size = host_size;
            }
        }
        if (best < 0) {
            best = n_cells++;
            memcpy(rows + (size_t)best * (size_t)n_dims, own, (size_t)n_dims);
        }
        cells->cell_of[order[i]] = best;
    }
    cells->n_cells = n_cells;
    free(size);
    free(order);
    return rows;
}

static void list_steps(nw_plan *plan)
{
    int n = 0;
    for (int t = 0; t < plan->n_tables; t++)
        n += plan->tables[t].n_dims;
    plan->steps_of = nw_zalloc(((size_t)plan->n_dims + 1) * sizeof *plan->steps_of);
    plan->steps = nw_zalloc(((size_t)n + 1) * sizeof *plan->steps);
    n = 0;
    for (int d = 0; d < plan->n_dims; d++) {
        plan->steps_of[d] = n;
        for (int t = 0; t < plan->n_tables; t++)
            for (int i = 0; i < plan->tables[t].n_dims; i++)
                if (plan->tables[t].dims[i] == d)
                    plan->steps[n++] = (nw_step_of){
                        t, {plan->tables[t].strides[0][i], plan->tables[t].strides[1][i]}};
    }
    plan->steps_of[plan->n_dims] = n;
}

static void list_hot(nw_plan *plan)
{
    plan->hot = nw_zalloc(((size_t)plan->n_tables + 1) * sizeof *plan->hot);
    plan->is_hot = plan->n_tables <= NW_MAX_QUICK && !plan->has_bad_table;
    for (int t = 0; t < plan->n_tables; t++) {
        const nw_lookup *table = &plan->tables[t];
        nw_hot *hot = &plan->hot[t];
        if (!table->n_dense || table->n_dims > NW_HOT_DIMS) {
            plan->is_hot = false;
            continue;
        }
        hot->entries = table->entries;
        hot->n_dims = table->n_dims;
        for (int i = 0; i < table->n_dims; i++) {
            hot->dims[i] = (uint16_t)table->dims[i];
            hot->strides[i] = (uint32_t)table->strides[0][i];
        }
    }
}

static char *name_cell(const nw_plan *plan, int cell)
{
    enum { NAMED = 3 };
    nw_buf text = {0};
    char label[32];
    int n = 0;
    for (int m = 0; m < plan->cells.n_marks; m++) {
        if (plan->cells.cell_of[m] != cell)
            continue;
        bool is_rest = m == plan->cells.n_marks - 1;
        if (n < NAMED)
            nw_buf_printf(&text, "%s%s", n ? "+" : "",
                          is_rest ? "rest"
                                  : nw_block_label(&plan->cells.blocks[m], label, sizeof label));
        n++;
    }
    if (n > NAMED)
        nw_buf_printf(&text, "+%d more", n - NAMED);
    char *name = nw_alloc(text.length + 1);
    memcpy(name, nw_buf_text(&text), text.length + 1);
    nw_buf_fini(&text);
    return name;
}

static void show_cells(nw_plan *plan)
{
    int n_cells = plan->cells.n_cells;
    plan->shown = nw_zalloc(((size_t)n_cells + 1) * sizeof *plan->shown);
    plan->shown_names = nw_zalloc(((size_t)n_cells + 1) * sizeof *plan->shown_names);
    for (int c = 0; c < n_cells; c++) {
        plan->shown_names[c] = name_cell(plan, c);
        plan->shown[c] = (nw_cell){.name = plan->shown_names[c],
                                   .dims = plan->tables[c].dims,
                                   .n_dims = plan->tables[c].n_dims,
                                   .n_entries = plan->tables[c].n_entries};
    }
}

static void make_tables(nw_plan *plan, const uint8_t *depends)
{
    size_t n_dims = (size_t)plan->n_dims;
    const uint8_t *of_bad = depends + (size_t)plan->cells.n_marks * n_dims;
    uint8_t *rows = merge_marks(plan, depends);
    plan->n_tables = plan->cells.n_cells;
    plan->has_bad_table = memchr(of_bad, 1, n_dims) != NULL;
    plan->tables = nw_zalloc(((size_t)plan->n_tables + 1) * sizeof *plan->tables);
    for (int t = 0; t < plan->n_tables; t++)
        nw_lookup_init(&plan->tables[t], plan->space, rows + (size_t)t * n_dims);
    if (plan->has_bad_table)
        nw_lookup_init(&plan->tables[plan->n_tables++], plan->space, of_bad);
    free(rows);
    list_steps(plan);
    list_hot(plan);
    show_cells(plan);
}

static void list_options(nw_plan *plan)
{
    const nw_dim *dims = nw_space_dims(plan->space, &plan->n_dims);
    plan->n_options = nw_zalloc(((size_t)plan->n_dims + 1) * sizeof *plan->n_options);
    for (int d = 0; d < plan->n_dims; d++) {
        plan->n_options[d] = (uint32_t)dims[d].n_options;
        plan->has_depths |= dims[d].depth_dim >= 0;
    }
}

/* Without a calibration what comes on top is the same for every network. */
static void find_overhead(nw_plan *plan)
{
    int64_t ps = 0, fj = 0, far_ps = (int64_t)1 << 50, far_fj = 0;
    plan->max_peak = plan->hw->dram.weights_only ? plan->hw->sram.bytes : INT64_MAX;
    plan->overhead_ps = nw_estimate_total(plan->estimator, plan->hw, &ps, &fj);
    int64_t there = nw_estimate_total(plan->estimator, plan->hw, &far_ps, &far_fj);
    plan->overhead_fj = fj;
    plan->is_plain_total = !plan->hw->calibration.present && !plan->estimator->regression &&
                           there == plan->overhead_ps && far_fj == fj;
}

nw_status nw_plan_new(const nw_space *space, const nw_hw *hw, const nw_estimator *estimator,
                      const char *precision, const nw_cancel *cancel, nw_plan **out, nw_error *err)
{
    nw_plan *plan = nw_zalloc(sizeof *plan);
    uint8_t *depends = NULL;
    plan->space = nw_space_retain(space);
    plan->hw = hw;
    plan->estimator = nw_estimator_retain(estimator);
    plan->asked = nw_estimator_remembering(estimator);
    list_options(plan);
    if (precision) {
        plan->precision = nw_alloc(strlen(precision) + 1);
        memcpy(plan->precision, precision, strlen(precision) + 1);
    }
    pthread_mutex_init(&plan->lock, NULL);
    atomic_init(&plan->n_full, 0);
    atomic_init(&plan->n_fills, 0);
    atomic_init(&plan->n_bytes, 0);
    atomic_init(&plan->is_exact, true);
    atomic_init(&plan->has_joins, false);
    nw_cells_init(&plan->cells, space);
    find_overhead(plan);
    uint16_t *genome = nw_alloc(((size_t)plan->n_dims + 1) * sizeof *genome);
    nw_space_base_genome(space, genome);
    nw_status status = nw_plan_run(plan, genome, &plan->base, err);
    if (status == NW_OK)
        status = nw_plan_discover(plan, cancel, &depends, err);
    if (status == NW_OK) {
        make_tables(plan, depends);
        status = nw_plan_fill(plan, genome, &plan->base, err);
    }
    free(depends);
    free(genome);
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
        nw_plan_worker *worker = plan->idle;
        plan->idle = worker->next;
        nw_realiser_free(worker->realiser);
        free(worker);
    }
    for (int t = 0; t < plan->n_tables; t++)
        nw_lookup_fini(&plan->tables[t]);
    for (int c = 0; plan->shown && c < plan->cells.n_cells; c++)
        free(plan->shown_names[c]);
    nw_arena_fini(&plan->arena);
    free(plan->tables);
    free(plan->n_options);
    free(plan->hot);
    free(plan->steps_of);
    free(plan->steps);
    free(plan->shown);
    free(plan->shown_names);
    nw_cells_fini(&plan->cells);
    pthread_mutex_destroy(&plan->lock);
    nw_estimator_release(plan->estimator);
    nw_estimator_release(plan->asked);
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

/* ---- what it is made of ---- */

const nw_cell *nw_plan_cells(const nw_plan *shared, int *n)
{
    nw_plan *plan = (nw_plan *)(uintptr_t)shared; /* only what is shown of it changes */
    pthread_mutex_lock(&plan->lock);
    for (int c = 0; c < plan->cells.n_cells; c++) {
        plan->shown[c].n_filled = atomic_load(&plan->tables[c].n_filled);
        plan->shown[c].n_maps = __builtin_popcountll(plan->tables[c].touched);
    }
    pthread_mutex_unlock(&plan->lock);
    *n = plan->cells.n_cells;
    return plan->shown;
}

nw_plan_stats nw_plan_get_stats(const nw_plan *plan)
{
    bool is_exact = atomic_load(&plan->is_exact);
    return (nw_plan_stats){.n_full = atomic_load(&plan->n_full),
                           .n_bytes = atomic_load(&plan->n_bytes),
                           .is_exact = is_exact,
                           .caught = is_exact ? "" : plan->caught};
}
