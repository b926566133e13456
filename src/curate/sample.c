/* sample.c - contexts, and what the options of a dimension cost in them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/curate/internal.h"

/* Of a gene, to be drawn in every other context; the rest is the base's. */
#define CHANCE_NEAR 0.5
#define CHANCE_FAR  1.0
/* Contexts of choices in which all numbers are at their ends. */
enum { SMALLEST = 5, LARGEST = 8 };
/* Contexts in which the kernels concerned are told apart for dimensions that are no numbers. */
#define N_SHARES 4

struct nw_sampler {
    nw_plan *plan;
    const nw_space *space;
    const nw_curate_options *options;
    nw_realiser *realiser;
    int n_dims;
    int64_t n_evaluations;
};

nw_sampler *nw_sampler_new(nw_plan *plan, const nw_curate_options *options)
{
    nw_sampler *s = nw_zalloc(sizeof *s);
    s->plan = plan;
    s->space = nw_plan_space(plan);
    s->options = options;
    s->realiser = nw_realiser_new(s->space);
    s->n_dims = nw_space_n_dims(s->space);
    return s;
}

void nw_sampler_free(nw_sampler *sampler)
{
    if (!sampler)
        return;
    nw_realiser_free(sampler->realiser);
    free(sampler);
}

int64_t nw_sampler_n_evaluations(const nw_sampler *sampler)
{
    return sampler->n_evaluations;
}

/* ---- contexts ---- */

static bool is_number(nw_dim_kind kind)
{
    return kind == NW_DIM_CHANNELS || kind == NW_DIM_WIDTH || kind == NW_DIM_EXPANSION ||
           kind == NW_DIM_EXPANDED;
}

static double number_of(const nw_dim *dim, int option)
{
    bool is_real = dim->kind == NW_DIM_WIDTH || dim->kind == NW_DIM_EXPANSION;
    return is_real ? dim->options[option].number : (double)dim->options[option].n;
}

/* A kept option, numbers evenly per octave. */
static int draw_option(const nw_dim *dim, const uint8_t *keep, nw_rng *rng)
{
    int *kept = nw_alloc(((size_t)dim->n_options + 1) * sizeof *kept), n = 0;
    for (int i = 0; i < dim->n_options; i++)
        if (keep[i])
            kept[n++] = i;
    int option = kept[nw_rng_range(rng, 0, n - 1)];
    double low = number_of(dim, kept[0]), high = number_of(dim, kept[n - 1]);
    if (is_number(dim->kind) && low > 0 && high > low) {
        double want = nw_rng_log_uniform(rng, low, high * (1 + 1e-9));
        option = kept[n - 1];
        for (int i = n - 1; i >= 0 && number_of(dim, kept[i]) >= want; i--)
            option = kept[i];
    }
    free(kept);
    return option;
}

/* The judged dimension's block must be there: the deeper stages are among those drawn. */
static void make_deep(const nw_space *space, int dim, uint8_t *const *keep, nw_rng *rng,
                      uint16_t *genome)
{
    const nw_dim *dims = nw_space_dims(space, &(int){0});
    int depth = dims[dim].depth_dim;
    if (depth < 0 || dims[depth].options[genome[depth]].n >= dims[dim].depth_n)
        return;
    int deep[2] = {-1, 0}; /* any, counted */
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < dims[depth].n_options; i++) {
            if (dims[depth].options[i].n < dims[dim].depth_n || (!keep[depth][i] && pass == 0))
                continue;
            if (pass == 1 && deep[1] > 0)
                continue;
            if (nw_rng_range(rng, 0, deep[1]++) == 0)
                deep[0] = i;
        }
    if (deep[0] >= 0)
        genome[depth] = (uint16_t)deep[0];
}

/* Where choices are judged, two contexts are the ends of the space: all numbers the smallest, the
 * largest. */
static void go_to_end(const nw_sampler *s, int dim, bool is_largest, uint8_t *const *keep,
                      uint16_t *genome)
{
    const nw_dim *dims = nw_space_dims(s->space, &(int){0});
    for (int d = 0; d < s->n_dims; d++) {
        if (d == dim || !is_number(dims[d].kind))
            continue;
        for (int i = 0; i < dims[d].n_options; i++) {
            int option = is_largest ? i : dims[d].n_options - 1 - i;
            if (keep[d][option])
                genome[d] = (uint16_t)option;
        }
    }
}

/* Context 0 is the base; then near and far ones in turn, two far for a near one. The draws are the
 * same whatever dimension is judged, so that its contexts share what is costly to make. */
static void make_context(const nw_sampler *s, int dim, int context, uint8_t *const *keep,
                         uint16_t *genome)
{
    const nw_dim *dims = nw_space_dims(s->space, &(int){0});
    nw_space_base_genome(s->space, genome);
    double chance = context == 0 ? 0 : context % 3 == 1 ? CHANCE_NEAR : CHANCE_FAR;
    for (int d = 0; d < s->n_dims; d++) {
        nw_rng rng = nw_rng_make(s->options->seed, ((uint64_t)d << 20) + (uint64_t)context);
        if (d != dim && (nw_rng_chance(&rng, chance) || !keep[d][genome[d]]))
            genome[d] = (uint16_t)draw_option(&dims[d], keep[d], &rng);
    }
    if (!is_number(dims[dim].kind) && (context == SMALLEST || context == LARGEST))
        go_to_end(s, dim, context == LARGEST, keep, genome);
    nw_rng rng = nw_rng_make(s->options->seed, ((uint64_t)s->n_dims << 20) + (uint64_t)context);
    make_deep(s->space, dim, keep, &rng, genome);
}

/* ---- kernels concerned ---- */

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Latencies of the kernels of a genome's network, sorted; NULL: it cannot be estimated. */
static int64_t *list_kernels(nw_sampler *s, uint16_t *genome, int *n, double *total_us)
{
    const nw_arch *arch;
    nw_estimate e;
    nw_space_canonical(s->space, genome);
    if (nw_realiser_make(s->realiser, genome, &arch, NULL) != NW_OK)
        return NULL;
    s->n_evaluations++;
    nw_status status = nw_estimate_graph(nw_plan_estimator(s->plan), nw_arch_graph(arch),
                                         nw_plan_hw(s->plan), nw_plan_precision(s->plan), &e, NULL);
    int64_t *list = NULL;
    if (status == NW_OK) {
        *n = e.kernels->n_kernels;
        *total_us = (double)e.latency_ps / 1e6;
        list = nw_alloc(((size_t)*n + 1) * sizeof *list);
        for (int i = 0; i < *n; i++)
            list[i] = e.costs[i].latency_ps;
        qsort(list, (size_t)*n, sizeof *list, by_size);
        nw_estimate_fini(&e);
    }
    nw_arch_release(arch);
    return list;
}

/* Of the network at option b, the share of time in kernels that option a has not; NAN: unknown. */
static double concerned_share(nw_sampler *s, const uint16_t *context, int dim, int a, int b)
{
    uint16_t *genome = nw_alloc((size_t)s->n_dims * sizeof *genome);
    int64_t *lists[2] = {NULL, NULL}, alone = 0;
    int n[2] = {0, 0};
    double total = 0;
    for (int end = 0; end < 2; end++) {
        memcpy(genome, context, (size_t)s->n_dims * sizeof *genome);
        genome[dim] = (uint16_t)(end == 0 ? a : b);
        lists[end] = list_kernels(s, genome, &n[end], &total);
    }
    if (lists[0] && lists[1])
        for (int i = 0, j = 0; j < n[1];) {
            if (i < n[0] && lists[0][i] == lists[1][j])
                i++, j++;
            else if (i < n[0] && lists[0][i] < lists[1][j])
                i++;
            else
                alone += lists[1][j++];
        }
    bool is_known = lists[0] && lists[1] && total > 0;
    free(lists[0]);
    free(lists[1]);
    free(genome);
    return is_known ? fmin(1, (double)alone / 1e6 / total) : NAN;
}

/* ---- asking ---- */

static double score_of(const nw_dim *dim, int option, const nw_totals *totals)
{
    if (dim->kind != NW_DIM_PRECISION)
        return nw_score_default(&totals->parts, 0);
    return 2 * (double)dim->options[option].n + dim->options[option].number;
}

static nw_status ask_context(nw_sampler *s, int dim, const uint16_t *context, const uint8_t *keep,
                             int k, nw_samples *samples, nw_error *err)
{
    const nw_dim *d = &nw_space_dims(s->space, &(int){0})[dim];
    size_t n_dims = (size_t)s->n_dims;
    uint16_t *genomes = nw_alloc((size_t)d->n_options * n_dims * sizeof *genomes);
    nw_totals *totals = nw_zalloc(((size_t)d->n_options + 1) * sizeof *totals);
    uint8_t *is_bad = nw_zalloc((size_t)d->n_options + 1);
    int n = 0;
    for (int i = 0; i < d->n_options; i++) {
        if (!keep[i])
            continue;
        uint16_t *genome = genomes + (size_t)n++ * n_dims;
        memcpy(genome, context, n_dims * sizeof *genome);
        genome[dim] = (uint16_t)i;
        nw_space_canonical(s->space, genome);
    }
    (void)nw_plan_evaluate_many(s->plan, genomes, n, totals, is_bad, s->options->cancel);
    s->n_evaluations += n;
    for (int i = 0, j = 0; i < d->n_options; i++) {
        if (!keep[i] || is_bad[j++])
            continue;
        size_t at = (size_t)k * (size_t)d->n_options + (size_t)i;
        const nw_totals *t = &totals[j - 1];
        samples->latency_us[at] = (double)t->latency_ps / 1e6;
        samples->score[at] = score_of(d, i, t);
        samples->bytes[at] = (double)t->weight_bytes + (double)t->peak_live_bytes;
        samples->is_unfit[at] = !t->fits;
    }
    free(genomes);
    free(totals);
    free(is_bad);
    if (nw_cancel_is_set(s->options->cancel))
        return nw_fail(err, NW_CANCELLED, nw_space_name(s->space), "curation was cancelled");
    return NW_OK;
}

/* The time of kernels that the dimension does not touch. Of numbers it is one figure a context,
 * measured at the largest option; of others, whose options have little in common, a share of the
 * fastest. */
static void find_fixed(nw_sampler *s, int dim, const uint16_t *context, const uint8_t *keep, int k,
                       double *share, nw_samples *samples)
{
    const nw_dim *d = &nw_space_dims(s->space, &(int){0})[dim];
    int ends[2] = {-1, -1};
    double least = INFINITY;
    for (int i = 0; i < d->n_options; i++) {
        double us = samples->latency_us[(size_t)k * (size_t)d->n_options + (size_t)i];
        if (!keep[i] || isnan(us))
            continue;
        least = fmin(least, us);
        ends[ends[0] < 0 ? 0 : 1] = i;
    }
    if (ends[1] < 0)
        return;
    bool is_fine = is_number(d->kind);
    double here =
        is_fine || k < N_SHARES ? concerned_share(s, context, dim, ends[0], ends[1]) : NAN;
    if (!isnan(here))
        *share = is_fine || k == 0 ? here : *share + (here - *share) / (k + 1);
    double last = samples->latency_us[(size_t)k * (size_t)d->n_options + (size_t)ends[1]];
    samples->fixed_us[k] = (1 - *share) * (is_fine ? last : least);
}

nw_status nw_sampler_ask(nw_sampler *sampler, int dim, uint8_t *const *keep, int from, int to,
                         nw_samples *samples, nw_error *err)
{
    uint16_t *context = nw_alloc(((size_t)sampler->n_dims + 1) * sizeof *context);
    nw_status status = NW_OK;
    double share = 1;
    for (int k = from; k < to && status == NW_OK; k++) {
        make_context(sampler, dim, k, keep, context);
        status = ask_context(sampler, dim, context, keep[dim], k, samples, err);
        if (status == NW_OK)
            find_fixed(sampler, dim, context, keep[dim], k, &share, samples);
    }
    free(context);
    return status;
}
