/* judge.c - which options are superfluous: those that another makes so, and those that do not fit.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/arena.h"
#include "src/curate/internal.h"

/* The least share of the network that counts as the kernels concerned: below it relative
 * differences mean nothing. */
#define LEAST_CONCERNED 0.02
#define SAME_SCORE      1e-9
/* Where dropping costs something after all, the mean cost that is still given away: so many
 * tolerances. */
#define MEAN_REGRET 1.0
/* Of choices: what dropping may cost in the worst context. */
#define WORST_REGRET 5.0
/* The same as the mean where the next number is cheaper only in more contexts than nearly none. */
#define MEAN_REGRET_NEXT 20.0
/* Of numbers: what costs more than this part of growing in proportion is not given away, however
 * near the numbers are. */
#define PROPORTION 0.25

static size_t at(const nw_samples *s, int context, int option)
{
    return (size_t)context * (size_t)s->n_options + (size_t)option;
}

void nw_samples_init(nw_samples *samples, int n_options, int n_contexts, int n_swept)
{
    size_t n = (size_t)n_options * (size_t)n_contexts;
    *samples = (nw_samples){.n_options = n_options,
                            .n_contexts = n_contexts,
                            .n_swept = n_swept,
                            .latency_us = nw_alloc((n + 1) * sizeof(double)),
                            .score = nw_zalloc((n + 1) * sizeof(double)),
                            .bytes = nw_zalloc((n + 1) * sizeof(double)),
                            .is_unfit = nw_zalloc(n + 1),
                            .fixed_us = nw_zalloc(((size_t)n_contexts + 1) * sizeof(double))};
    for (size_t i = 0; i < n; i++)
        samples->latency_us[i] = NAN;
}

void nw_samples_fini(nw_samples *samples)
{
    free(samples->latency_us);
    free(samples->score);
    free(samples->bytes);
    free(samples->is_unfit);
    free(samples->fixed_us);
}

double nw_samples_concerned(const nw_samples *s, int context, int option)
{
    double all = s->latency_us[at(s, context, option)];
    return fmax(all - s->fixed_us[context], LEAST_CONCERNED * all);
}

static void drop(const nw_trial *trial, int option, nw_verdict verdict, int by, double share)
{
    nw_option_verdict *v = &trial->verdicts[option];
    v->verdict = verdict;
    v->by = by;
    v->share = share;
}

void nw_judge_unfit(const nw_trial *trial)
{
    const nw_samples *s = trial->samples;
    int n_fitting = 0;
    for (int i = 0; i < s->n_options; i++) {
        int n_unfit = 0, n = s->n_swept;
        for (int k = 0; k < n; k++)
            n_unfit += isnan(s->latency_us[at(s, k, i)]) || s->is_unfit[at(s, k, i)];
        if (n == 0 || n_unfit < trial->options->nearly_all * n) {
            n_fitting++;
            continue;
        }
        drop(trial, i, NW_VERDICT_UNFIT, -1, (double)n_unfit / n);
        snprintf(trial->verdicts[i].why, sizeof trial->verdicts[i].why,
                 "does not fit this hardware, or is no network, in %d of %d contexts", n_unfit, n);
    }
    for (int i = 0; i < s->n_options && n_fitting == 0; i++)
        trial->verdicts[i] = (nw_option_verdict){.by = -1, .share = 1};
}

/* ---- one option against another ---- */

typedef struct comparison {
    int n, n_hold;       /* contexts that know both; in which `by` makes `option` superfluous */
    int n_gain;          /* in which by's score is higher */
    int n_less;          /* in which by costs less */
    double cost, regret; /* means of what by costs more, relative; of that where it is positive */
    double worst;        /* the largest */
} comparison;

static comparison compare(const nw_trial *trial, int option, int by)
{
    const nw_samples *s = trial->samples;
    double tolerance = trial->options->tolerance;
    if (trial->values)
        tolerance = fmin(tolerance, PROPORTION * log(trial->values[by] / trial->values[option]));
    comparison c = {0};
    for (int k = 0; k < s->n_contexts; k++) {
        size_t a = at(s, k, option), b = at(s, k, by);
        if (isnan(s->latency_us[a]) || isnan(s->latency_us[b]))
            continue;
        double cost = (s->latency_us[b] - s->latency_us[a]) / nw_samples_concerned(s, k, option);
        double gain = s->score[b] - s->score[a];
        bool holds =
            gain > SAME_SCORE ? cost <= tolerance : gain >= -SAME_SCORE && cost < -tolerance;
        if (trial->counts_bytes && s->bytes[b] > s->bytes[a])
            holds = false;
        c.n++;
        c.n_hold += holds;
        c.n_gain += gain > SAME_SCORE;
        c.n_less += cost < 0;
        c.cost += cost;
        c.regret += fmax(cost, 0);
        c.worst = fmax(c.worst, cost);
    }
    if (c.n > 0) {
        c.cost /= c.n;
        c.regret /= c.n;
    }
    return c;
}

static bool makes_superfluous(const nw_trial *trial, const comparison *c)
{
    double tolerance = trial->options->tolerance + SAME_SCORE;
    return c->n > 0 && c->n_hold >= trial->options->nearly_all * c->n &&
           c->regret <= MEAN_REGRET * tolerance &&
           (trial->values || c->worst <= WORST_REGRET * tolerance);
}

typedef struct ranked {
    double score, latency;
    int option;
} ranked;

/* Highest score first, of equals the fastest. */
static int by_worth(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (fabs(x->score - y->score) > SAME_SCORE)
        return x->score > y->score ? -1 : 1;
    if (x->latency != y->latency)
        return x->latency < y->latency ? -1 : 1;
    return x->option - y->option;
}

static int rank_options(const nw_trial *trial, ranked *out)
{
    const nw_samples *s = trial->samples;
    int n = 0;
    for (int i = 0; i < s->n_options; i++) {
        if (trial->verdicts[i].verdict != NW_VERDICT_KEPT)
            continue;
        ranked r = {.option = i};
        int n_known = 0;
        for (int k = 0; k < s->n_swept; k++) {
            if (isnan(s->latency_us[at(s, k, i)]))
                continue;
            r.score += s->score[at(s, k, i)];
            r.latency += s->latency_us[at(s, k, i)];
            n_known++;
        }
        if (n_known > 0) {
            r.score /= n_known;
            r.latency /= n_known;
            out[n++] = r;
        }
    }
    qsort(out, (size_t)n, sizeof *out, by_worth);
    return n;
}

static void say_dominated(const nw_trial *trial, int option, int by, const comparison *c)
{
    nw_option_verdict *v = &trial->verdicts[option];
    const char *name = trial->names[by];
    if (c->n_gain * 2 > c->n)
        snprintf(v->why, sizeof v->why, "%s costs no more in %d of %d contexts (mean %+.1f %%)",
                 name, c->n_hold, c->n, 100 * c->cost);
    else
        snprintf(v->why, sizeof v->why,
                 "%s is faster at the same score in %d of %d contexts (mean %+.1f %%)", name,
                 c->n_hold, c->n, 100 * c->cost);
}

/* From the worthiest down, so that what makes an option superfluous is kept itself: a chain of
 * tolerances would give away any amount. Of several the nearest is named. */
void nw_judge_dominated(const nw_trial *trial)
{
    ranked *order = nw_alloc(((size_t)trial->samples->n_options + 1) * sizeof *order);
    int n = rank_options(trial, order), n_kept = 0;
    for (int i = 0; i < n; i++) {
        int option = order[i].option, by = -1;
        comparison c = {0};
        for (int j = n_kept - 1; j >= 0 && by < 0; j--) {
            c = compare(trial, option, order[j].option);
            if (makes_superfluous(trial, &c))
                by = order[j].option;
        }
        if (by < 0) {
            order[n_kept++] = order[i];
            continue;
        }
        bool gains = c.n_gain * 2 > c.n;
        drop(trial, option, gains ? NW_VERDICT_DOMINATED : NW_VERDICT_SLOWER, by,
             (double)c.n_hold / c.n);
        say_dominated(trial, option, by, &c);
    }
    free(order);
}

void nw_judge_monotone(const nw_trial *trial)
{
    int above = -1;
    for (int i = trial->samples->n_options - 1; i >= 0; i--) {
        nw_option_verdict *v = &trial->verdicts[i];
        if (v->verdict != NW_VERDICT_KEPT)
            continue;
        comparison c = above >= 0 ? compare(trial, i, above) : (comparison){0};
        bool falls = c.n_less > (1 - trial->options->nearly_all) * c.n;
        if (!falls || c.regret > MEAN_REGRET_NEXT * trial->options->tolerance) {
            above = i;
            continue;
        }
        drop(trial, i, NW_VERDICT_DOMINATED, above, (double)c.n_less / c.n);
        snprintf(v->why, sizeof v->why, "%s costs less in %d of %d contexts (mean %+.1f %%)",
                 trial->names[above], c.n_less, c.n, 100 * c.cost);
    }
}
