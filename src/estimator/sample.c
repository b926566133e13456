/* sample.c - measures the simulated device where real networks are, and then where the model at
 * hand errs most. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/rng.h"
#include "src/device/device.h"
#include "src/estimator/regression.h"
#include "src/measure/measure.h"
#include "src/measure/plan.h"

#define N_NETWORKS       210
#define N_SHAPE_NETWORKS 60
#define N_ROUNDS         1
#define QUICK_TREES      40
#define WORST_SHARE      0.15 /* of the rows, refined in a round */
#define N_NEIGHBOURS     3
#define N_KIN            3
#define CALIBRATION      3 /* every third network calibrates the bands */

/* A measured kernel; network -1: for training alone. */
typedef struct sample {
    nw_kernel_shape shape;
    int64_t latency_ps;
    int network;
} sample;

typedef struct samples {
    const nw_hw *hw;
    sample *list;
    int n, n_networks;
    size_t capacity;
    char (*networks)[48];
} samples;

static void add_sample(samples *s, const nw_kernel_shape *shape, int network)
{
    nw_device_cost cost;
    nw_device_estimate(s->hw, shape, &cost);
    if (!cost.is_known || cost.latency_ps <= 0)
        return;
    s->list = nw_grow(s->list, (size_t)s->n, &s->capacity, sizeof *s->list);
    s->list[s->n++] = (sample){*shape, cost.latency_ps, network};
}

/* Kernels of a network in training alone. */
static void add_kernels(samples *s, const nw_sampling *plan, int index)
{
    const nw_sampling_source *source = &plan->networks[index];
    for (int i = 0; i < source->n_rows; i++)
        if (plan->rows[source->first_row + i].first == source->first_row + i)
            add_sample(s, &plan->rows[source->first_row + i].shape, -1);
}

/* A network as it is, and kin of it: with some kernels edited, and with most. */
static void add_network(samples *s, const nw_sampling *plan, int index, nw_rng *rng)
{
    static const struct {
        const char *ending;
        double share; /* of the kernels that differ */
    } kin[] = {{"", 0}, {"/edited", 0.2}, {"/variant", 0.8}};
    const nw_sampling_source *source = &plan->networks[index];
    for (int v = 0; v < N_KIN; v++) {
        int network = s->n_networks++;
        snprintf(s->networks[network], sizeof *s->networks, "%s%s", source->name, kin[v].ending);
        for (int i = 0; i < source->n_rows; i++) {
            const nw_kernel_shape *old = &plan->rows[source->first_row + i].shape;
            nw_kernel_shape shape = *old;
            if (nw_rng_chance(rng, kin[v].share) && !nw_sampling_vary(old, s->hw, rng, &shape))
                shape = *old;
            add_sample(s, &shape, network);
        }
    }
}

static void write_samples(const samples *s, nw_buf *out)
{
    nw_measure_write_head(s->hw, out);
    for (int i = 0; i < s->n; i++) {
        const sample *at = &s->list[i];
        nw_measure_write_kernel(s->hw, at->network < 0 ? "" : s->networks[at->network], &at->shape,
                                at->latency_ps, out);
    }
}

typedef struct judged {
    double error;
    int index;
} judged;

static int compare_judged(const void *a, const void *b)
{
    const judged *x = a, *y = b;
    if (x->error != y->error)
        return x->error < y->error ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Neighbours of the rows that a quick model, out of fold, is furthest from. */
static void refine(samples *s, const double *predicted, nw_rng *rng)
{
    int n = 0;
    judged *order = nw_alloc(((size_t)s->n + 1) * sizeof *order);
    for (int i = 0; i < s->n; i++) {
        if (s->list[i].network >= 0)
            continue; /* what calibrates the bands must not be what training turns to */
        double error = fabs(log((double)s->list[i].latency_ps / 1e6 / predicted[i]));
        order[n++] = (judged){isnan(error) ? 0 : error, i};
    }
    qsort(order, (size_t)n, sizeof *order, compare_judged);
    int n_worst = (int)(WORST_SHARE * n);
    for (int i = 0; i < n_worst; i++)
        for (int k = 0; k < N_NEIGHBOURS; k++) {
            nw_kernel_shape old = s->list[order[i].index].shape, shape;
            if (nw_sampling_vary(&old, s->hw, rng, &shape))
                add_sample(s, &shape, -1);
        }
    free(order);
}

static nw_status run_round(samples *s, const nw_sample_options *o, nw_rng *rng, nw_error *err)
{
    nw_buf text = {0};
    nw_table *table = NULL;
    nw_regression *quick = NULL;
    write_samples(s, &text);
    nw_file *file = nw_file_from_bytes("the plan", text.text, text.length);
    nw_status status = nw_table_read(file, &table, err);
    nw_file_release(file);
    nw_buf_fini(&text);
    double *predicted = nw_alloc(((size_t)s->n + 1) * sizeof *predicted);
    nw_fit_options fit = {.target = "latency_us",
                          .hw = s->hw,
                          .seed = o->seed,
                          .n_folds = 2,
                          .n_trees = QUICK_TREES,
                          .progress = o->progress,
                          .progress_context = o->progress_context};
    if (status == NW_OK)
        status = nw_fit_keeping(table, &fit, predicted, &quick, err);
    if (status == NW_OK)
        refine(s, predicted, rng);
    free(predicted);
    nw_regression_release(quick);
    nw_table_free(table);
    return status;
}

nw_status nw_sample_device(const nw_hw *hw, const nw_sample_options *o, nw_buf *out, nw_error *err)
{
    nw_sampling *plan;
    nw_sampling_options options = {.seed = o->seed,
                                   .n_networks = o->n_networks ? o->n_networks : N_NETWORKS};
    nw_status status = nw_sampling_make(hw, &options, &plan, err);
    if (status != NW_OK)
        return status;
    samples s = {.hw = hw};
    nw_rng rng = nw_rng_make(o->seed, 0x5a3);
    s.networks = nw_alloc((N_KIN * (size_t)plan->n_networks + 1) * sizeof *s.networks);
    for (int i = 0; i < plan->n_networks; i++) {
        if (i % CALIBRATION == 0)
            add_network(&s, plan, i, &rng);
        else
            add_kernels(&s, plan, i);
    }
    for (int round = 0; round < N_ROUNDS && status == NW_OK; round++)
        status = run_round(&s, o, &rng, err);
    if (status == NW_OK)
        write_samples(&s, out);
    nw_sampling_free(plan);
    free(s.networks);
    free(s.list);
    return status;
}

/* What can be measured as a kernel of its own on a chip. */
static bool is_single(const nw_kernel_shape *s)
{
    nw_kernel_kind kind = s->parts[0].kind;
    return kind == NW_KERNEL_CONV || kind == NW_KERNEL_DWCONV || kind == NW_KERNEL_FC ||
           kind == NW_KERNEL_POOL || kind == NW_KERNEL_ADD || kind == NW_KERNEL_MUL ||
           kind == NW_KERNEL_ACT || kind == NW_KERNEL_RESIZE || kind == NW_KERNEL_SOFTMAX;
}

nw_status nw_sample_shapes(const nw_hw *hw, const nw_sample_options *o, nw_buf *out, nw_error *err)
{
    nw_sampling *plan;
    nw_sampling_options options = {.seed = o->seed,
                                   .n_networks = o->n_networks ? o->n_networks : N_SHAPE_NETWORKS};
    nw_status status = nw_sampling_make(hw, &options, &plan, err);
    if (status != NW_OK)
        return status;
    nw_measure_write_head(hw, out);
    for (int i = 0; i < plan->n_rows; i++)
        if (plan->rows[i].first == i && is_single(&plan->rows[i].shape))
            nw_measure_write_kernel(hw, "", &plan->rows[i].shape, -1, out);
    nw_sampling_free(plan);
    return NW_OK;
}
