/* curate.c - dimension by dimension: what is asked, by which rules it is judged, the expert's hand.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/advise/advise.h"
#include "src/base/arena.h"
#include "src/curate/internal.h"

/* Numbers of more options than these are swept in a few contexts first, then judged by lines. */
#define MANY_CHANNELS 4
#define MANY_OPTIONS  8
/* How many networks are asked for in sweeps, behind them, and for dimensions without a sweep; fewer
 * contexts where there are many options. */
#define SWEEP_BUDGET 8000
#define LATER_BUDGET 6000
#define PLAIN_BUDGET 3000
/* Contexts: of a sweep, least and most; at least so many behind it and without one. */
#define LEAST_SWEPT  4
#define MOST_SWEPT   8
#define LEAST_BEHIND 8
#define LEAST_PLAIN  16
/* Smaller divisors are chance. */
#define LEAST_STEP 4
/* Contexts in which it is looked whether costs rise along all that is kept. */
#define MOST_SETTLING 16

struct nw_curation {
    const nw_space *space;
    char hw_name[64];
    int64_t lanes, n_evaluations;
    int n_dims;
    nw_option_verdict **verdicts; /* [dimension][option] */
};

const char *nw_verdict_name(nw_verdict verdict)
{
    static const char *const names[NW_VERDICT_COUNT] = {
        "kept", "dominated", "slower", "uneven", "thinned", "unfit", "removed", "pinned"};
    return verdict >= 0 && verdict < NW_VERDICT_COUNT ? names[verdict] : "?";
}

static const nw_dim *dim_at(const nw_curation *curation, int dim)
{
    int n;
    const nw_dim *dims = nw_space_dims(curation->space, &n);
    return &dims[dim];
}

/* ---- judging ---- */

static bool is_number(const nw_dim *dim)
{
    return dim->kind == NW_DIM_CHANNELS || dim->kind == NW_DIM_WIDTH ||
           dim->kind == NW_DIM_EXPANSION || dim->kind == NW_DIM_EXPANDED;
}

static bool is_channels(const nw_dim *dim)
{
    return dim->kind == NW_DIM_CHANNELS || dim->kind == NW_DIM_EXPANDED;
}

static bool is_fine(const nw_dim *dim)
{
    return is_number(dim) && dim->n_options > (is_channels(dim) ? MANY_CHANNELS : MANY_OPTIONS);
}

typedef struct run {
    nw_curation *curation;
    nw_curate_options options;
    nw_sampler *sampler;
    uint8_t **keep;       /* a byte an option, as far as it is known */
    int n_swept, n_plain; /* contexts of a sweep, and without one */
    int n_fine;           /* dimensions that are swept, at least 1 */
} run;

static void fill_keep(run *r, int dim)
{
    for (int i = 0; i < dim_at(r->curation, dim)->n_options; i++)
        r->keep[dim][i] = nw_curation_has(r->curation, dim, i);
}

static nw_status sweep(run *r, int dim, nw_trial *trial, nw_samples *samples, nw_error *err)
{
    nw_status status = nw_sampler_ask(r->sampler, dim, r->keep, 0, samples->n_swept, samples, err);
    if (status != NW_OK)
        return status;
    samples->n_contexts = samples->n_swept; /* what is known so far */
    nw_judge_unfit(trial);
    nw_judge_dominated(trial);
    if (trial->values) {
        nw_judge_uneven(trial, true);
        nw_judge_thinned(trial, true);
    }
    fill_keep(r, dim);
    return NW_OK;
}

static int contexts_for(int64_t budget, int64_t n_options, int least, int most)
{
    int64_t n = budget / (n_options > 0 ? n_options : 1);
    n = n < least ? least : n;
    return n < most ? (int)n : most;
}

/* How many contexts what is left of a dimension is asked in, the swept ones among them. */
static int contexts_behind(const run *r, int dim)
{
    int64_t n_asked = (int64_t)r->n_fine * nw_curation_n_kept(r->curation, dim);
    int most = r->options.n_contexts - r->n_swept;
    return r->n_swept + contexts_for(LATER_BUDGET, n_asked, LEAST_BEHIND, most);
}

/* By all rules. */
static nw_status judge(run *r, int dim, nw_trial *trial, nw_samples *samples, nw_error *err)
{
    int n_contexts = samples->n_contexts;
    nw_status status = sweep(r, dim, trial, samples, err);
    if (status != NW_OK || !trial->values)
        return status;
    if (samples->n_swept < n_contexts)
        samples->n_contexts = contexts_behind(r, dim);
    status = nw_sampler_ask(r->sampler, dim, r->keep, samples->n_swept, samples->n_contexts,
                            samples, err);
    if (status != NW_OK)
        return status;
    nw_judge_dominated(trial);
    nw_judge_uneven(trial, false);
    nw_judge_thinned(trial, false);
    nw_judge_monotone(trial);
    return NW_OK;
}

/* Whether costs rise along what is kept, in contexts of what is kept of all other dimensions. */
static nw_status settle(run *r, int dim, nw_trial *trial, nw_samples *samples, nw_error *err)
{
    nw_status status =
        nw_sampler_ask(r->sampler, dim, r->keep, 0, samples->n_contexts, samples, err);
    if (status == NW_OK)
        nw_judge_monotone(trial);
    return status;
}

typedef nw_status judgement(run *r, int dim, nw_trial *trial, nw_samples *samples, nw_error *err);

static nw_status judge_dim(run *r, int dim, judgement *by, int n_contexts, nw_error *err)
{
    const nw_dim *d = dim_at(r->curation, dim);
    int n = d->n_options;
    char(*names)[32] = nw_alloc(((size_t)n + 1) * sizeof *names);
    double *values = nw_alloc(((size_t)n + 1) * sizeof *values);
    for (int i = 0; i < n; i++) {
        nw_option_text(d->kind, &d->options[i], names[i], sizeof names[i]);
        values[i] = is_channels(d) ? (double)d->options[i].n : d->options[i].number;
    }
    nw_samples samples;
    nw_samples_init(&samples, n, n_contexts, is_fine(d) ? r->n_swept : n_contexts);
    nw_trial trial = {.samples = &samples,
                      .options = &r->options,
                      .values = is_fine(d) ? values : NULL,
                      .names = (const char(*)[32])names,
                      .counts_bytes = d->kind == NW_DIM_PRECISION,
                      .verdicts = r->curation->verdicts[dim]};
    nw_status status = by(r, dim, &trial, &samples, err);
    if (status == NW_OK) {
        if (by == judge)
            nw_judge_finish(&trial, is_channels(d) ? r->curation->lanes : 0);
        fill_keep(r, dim);
    }
    nw_samples_fini(&samples);
    free(values);
    free(names);
    return status;
}

static nw_status judge_all(run *r, nw_error *err)
{
    const nw_curation *c = r->curation;
    nw_status status = NW_OK;
    for (int pass = 0; pass < 2; pass++)
        for (int d = 0; d < c->n_dims && status == NW_OK; d++)
            if (is_number(dim_at(c, d)) == (pass == 1))
                status = judge_dim(r, d, judge,
                                   is_fine(dim_at(c, d)) ? r->options.n_contexts : r->n_plain, err);
    int n_settling = r->options.n_contexts < MOST_SETTLING ? r->options.n_contexts : MOST_SETTLING;
    for (int d = 0; d < c->n_dims && status == NW_OK; d++)
        if (is_fine(dim_at(c, d)))
            status = judge_dim(r, d, settle, n_settling, err);
    return status;
}

static nw_curate_options with_defaults(const nw_curate_options *options)
{
    nw_curate_options o = options ? *options : (nw_curate_options){.tolerance = -1};
    o.n_contexts = o.n_contexts <= 0 ? 32 : o.n_contexts > 1024 ? 1024 : o.n_contexts;
    o.tolerance = o.tolerance >= 0 ? o.tolerance : 0.01;
    o.nearly_all = o.nearly_all > 0 ? fmin(o.nearly_all, 1) : 0.9;
    o.ratio = o.ratio > 0 ? fmax(o.ratio, 1) : 1.14;
    return o;
}

static void share_budget(run *r)
{
    const nw_curation *c = r->curation;
    int64_t n_swept = 0, n_plain = 0;
    for (int d = 0; d < c->n_dims; d++) {
        bool fine = is_fine(dim_at(c, d));
        r->n_fine += fine;
        *(fine ? &n_swept : &n_plain) += dim_at(c, d)->n_options;
    }
    int most = r->options.n_contexts;
    r->n_swept =
        contexts_for(SWEEP_BUDGET, n_swept, LEAST_SWEPT, most < MOST_SWEPT ? most : MOST_SWEPT);
    r->n_plain = contexts_for(PLAIN_BUDGET, n_plain, LEAST_PLAIN, most);
    r->n_fine += r->n_fine == 0;
}

static nw_curation *begin(nw_plan *plan)
{
    nw_curation *c = nw_zalloc(sizeof *c);
    c->space = nw_space_retain(nw_plan_space(plan));
    c->n_dims = nw_space_n_dims(c->space);
    c->lanes = nw_align_step(nw_plan_hw(plan));
    snprintf(c->hw_name, sizeof c->hw_name, "%s", nw_plan_hw(plan)->name);
    c->verdicts = nw_zalloc(((size_t)c->n_dims + 1) * sizeof *c->verdicts);
    for (int d = 0; d < c->n_dims; d++) {
        int n = dim_at(c, d)->n_options;
        c->verdicts[d] = nw_zalloc(((size_t)n + 1) * sizeof **c->verdicts);
        for (int i = 0; i < n; i++)
            c->verdicts[d][i] = (nw_option_verdict){.by = -1, .share = 1};
    }
    return c;
}

nw_status nw_curate(nw_plan *plan, const nw_curate_options *options, nw_curation **out,
                    nw_error *err)
{
    nw_curation *c = begin(plan);
    run r = {.curation = c, .options = with_defaults(options)};
    r.sampler = nw_sampler_new(plan, &r.options);
    share_budget(&r);
    r.keep = nw_zalloc(((size_t)c->n_dims + 1) * sizeof *r.keep);
    for (int d = 0; d < c->n_dims; d++) {
        r.keep[d] = nw_zalloc((size_t)dim_at(c, d)->n_options + 1);
        fill_keep(&r, d);
    }
    nw_status status = judge_all(&r, err);
    c->n_evaluations = nw_sampler_n_evaluations(r.sampler);
    nw_sampler_free(r.sampler);
    for (int d = 0; d < c->n_dims; d++)
        free(r.keep[d]);
    free(r.keep);
    if (status == NW_OK)
        *out = c;
    else
        nw_curation_free(c);
    return status;
}

void nw_curation_free(nw_curation *curation)
{
    if (!curation)
        return;
    for (int d = 0; d < curation->n_dims; d++)
        free(curation->verdicts[d]);
    free(curation->verdicts);
    nw_space_release(curation->space);
    free(curation);
}

/* ---- reading ---- */

const nw_option_verdict *nw_curation_verdicts(const nw_curation *curation, int dim)
{
    return curation->verdicts[dim];
}

bool nw_curation_has(const nw_curation *curation, int dim, int option)
{
    nw_verdict verdict = curation->verdicts[dim][option].verdict;
    return verdict == NW_VERDICT_KEPT || verdict == NW_VERDICT_PINNED;
}

int nw_curation_n_kept(const nw_curation *curation, int dim)
{
    int n = 0;
    for (int i = 0; i < dim_at(curation, dim)->n_options; i++)
        n += nw_curation_has(curation, dim, i);
    return n;
}

int64_t nw_curation_n_evaluations(const nw_curation *curation)
{
    return curation->n_evaluations;
}

static int64_t divide(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

int64_t nw_curation_step(const nw_curation *curation, int dim)
{
    const nw_dim *d = dim_at(curation, dim);
    int n = nw_curation_n_kept(curation, dim), seen = 0;
    int64_t step = 0;
    if (!is_channels(d) || n < 5)
        return 1;
    for (int i = 0; i < d->n_options; i++)
        if (nw_curation_has(curation, dim, i) && seen++ >= n / 2)
            step = divide(step, d->options[i].n);
    return step < LEAST_STEP ? 1 : step;
}

/* ---- the expert's hand ---- */

static nw_status check_option(const nw_curation *curation, int dim, int option, nw_error *err)
{
    if (dim < 0 || dim >= curation->n_dims)
        return nw_fail(err, NW_INVALID, nw_space_name(curation->space),
                       "there is no dimension %d, it has %d", dim, curation->n_dims);
    const nw_dim *d = dim_at(curation, dim);
    if (option < 0 || option >= d->n_options)
        return nw_fail(err, NW_INVALID, d->name, "there is no option %d, it has %d", option,
                       d->n_options);
    return NW_OK;
}

static void set_verdict(nw_curation *curation, int dim, int option, nw_verdict verdict)
{
    nw_option_verdict *v = &curation->verdicts[dim][option];
    char before[sizeof v->why];
    snprintf(before, sizeof before, "%s", v->why);
    const char *was = nw_verdict_name(v->verdict);
    if (v->verdict == NW_VERDICT_PINNED || v->verdict == NW_VERDICT_REMOVED)
        snprintf(v->why, sizeof v->why, "%.150s", before);
    else
        snprintf(v->why, sizeof v->why, "by hand; it was %s: %.120s", was, before);
    v->verdict = verdict;
}

nw_status nw_curation_pin(nw_curation *curation, int dim, int option, nw_error *err)
{
    nw_status status = check_option(curation, dim, option, err);
    if (status == NW_OK)
        set_verdict(curation, dim, option, NW_VERDICT_PINNED);
    return status;
}

nw_status nw_curation_remove(nw_curation *curation, int dim, int option, nw_error *err)
{
    nw_status status = check_option(curation, dim, option, err);
    if (status != NW_OK)
        return status;
    if (nw_curation_has(curation, dim, option) && nw_curation_n_kept(curation, dim) == 1)
        return nw_fail(err, NW_INVALID, dim_at(curation, dim)->name,
                       "it is the last option that is kept; pin another one first");
    set_verdict(curation, dim, option, NW_VERDICT_REMOVED);
    return NW_OK;
}

nw_status nw_curation_space(const nw_curation *curation, const nw_space **out, nw_error *err)
{
    uint8_t **keep = nw_zalloc(((size_t)curation->n_dims + 1) * sizeof *keep);
    for (int d = 0; d < curation->n_dims; d++) {
        keep[d] = nw_zalloc((size_t)dim_at(curation, d)->n_options + 1);
        for (int i = 0; i < dim_at(curation, d)->n_options; i++)
            keep[d][i] = nw_curation_has(curation, d, i);
    }
    char name[256];
    snprintf(name, sizeof name, "%.160s, curated for %s", nw_space_name(curation->space),
             curation->hw_name);
    nw_status status =
        nw_space_restrict(curation->space, (const uint8_t *const *)keep, name, out, err);
    for (int d = 0; d < curation->n_dims; d++)
        free(keep[d]);
    free(keep);
    return status;
}

/* ---- for people ---- */

static void write_kept(const nw_curation *curation, int dim, nw_buf *out)
{
    const nw_dim *d = dim_at(curation, dim);
    char text[32];
    nw_buf_printf(out, "%-10s %-10s %4d -> %3d ", d->name, nw_dim_kind_name(d->kind), d->n_options,
                  nw_curation_n_kept(curation, dim));
    for (int i = 0; i < d->n_options; i++)
        if (nw_curation_has(curation, dim, i))
            nw_buf_printf(out, " %s%s", nw_option_text(d->kind, &d->options[i], text, sizeof text),
                          curation->verdicts[dim][i].verdict == NW_VERDICT_PINNED ? "!" : "");
    int64_t step = nw_curation_step(curation, dim);
    if (step > 1)
        nw_buf_printf(out, "  (step %lld)", (long long)step);
    nw_buf_puts(out, "\n");
}

static void write_reasons(const nw_curation *curation, int dim, nw_buf *out)
{
    const nw_dim *d = dim_at(curation, dim);
    char text[32];
    for (int i = 0; i < d->n_options; i++) {
        const nw_option_verdict *v = &curation->verdicts[dim][i];
        nw_buf_printf(out, "  %8s %-9s %s\n",
                      nw_option_text(d->kind, &d->options[i], text, sizeof text),
                      nw_verdict_name(v->verdict), v->why);
    }
}

void nw_curation_write(const nw_curation *curation, bool with_why, nw_buf *out)
{
    for (int d = 0; d < curation->n_dims; d++) {
        write_kept(curation, d, out);
        if (with_why)
            write_reasons(curation, d, out);
    }
    const nw_space *part;
    nw_error err;
    nw_buf_puts(out, "size       ");
    nw_space_size(curation->space, out);
    nw_buf_puts(out, " -> ");
    if (nw_curation_space(curation, &part, &err) == NW_OK) {
        nw_space_size(part, out);
        nw_space_release(part);
    } else {
        nw_buf_printf(out, "? (%s)", err.message);
    }
    nw_buf_puts(out, "\n");
}
