/* thin.c - numbers: those above a line between two others, those too close to a neighbour, and what
 * is said of those that stay.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/curate/internal.h"

/* The ends of a line are at most this factor apart, and a gap that is larger is filled again. */
#define LINE_FACTOR 2.0
/* Of the contexts, for an option to lie above its lines; of the few that are swept first. */
#define MOST       0.75
#define MOST_SWEPT 0.75
/* Of the ratio, as a power: so close may numbers be after the sweep. */
#define FIRST_RATIO 0.6

static size_t at(const nw_samples *s, int context, int option)
{
    return (size_t)context * (size_t)s->n_options + (size_t)option;
}

static int list_kept(const nw_trial *trial, int *out)
{
    int n = 0;
    for (int i = 0; i < trial->samples->n_options; i++)
        if (trial->verdicts[i].verdict == NW_VERDICT_KEPT)
            out[n++] = i;
    return n;
}

/* ---- lines ---- */

typedef struct height {
    int n, n_above; /* contexts with a line; in which it is above by more than the tolerance */
    double mean;    /* relative, of the kernels concerned */
} height;

/* How far point i is above the lowest line between others, in one context; false: no line. */
static bool above_lines(const double *x, const double *logs, int n, int i, double *out)
{
    double lowest = INFINITY, most = log(LINE_FACTOR) + 1e-9;
    for (int a = i - 1; a >= 0 && x[i] - x[a] <= most && !isnan(logs[i]); a--)
        for (int b = i + 1; b < n && x[b] - x[a] <= most; b++) {
            double t = (x[i] - x[a]) / (x[b] - x[a]);
            double line = (1 - t) * logs[a] + t * logs[b]; /* not a number where one end is not */
            lowest = line < lowest ? line : lowest;
        }
    if (!isfinite(lowest))
        return false;
    *out = fmax(0, 1 - exp(lowest - logs[i]));
    return true;
}

static void find_heights(const nw_trial *trial, const int *options, int n, int n_contexts,
                         double tolerance, height *out)
{
    const nw_samples *s = trial->samples;
    double *logs = nw_alloc(((size_t)n + 1) * 2 * sizeof *logs), *x = logs + n + 1;
    for (int i = 0; i < n; i++)
        x[i] = log(trial->values[options[i]]);
    memset(out, 0, (size_t)n * sizeof *out);
    for (int k = 0; k < n_contexts; k++) {
        for (int i = 0; i < n; i++) {
            bool is_known = !isnan(s->latency_us[at(s, k, options[i])]);
            logs[i] = is_known ? log(nw_samples_concerned(s, k, options[i])) : NAN;
        }
        for (int i = 0; i < n; i++) {
            double above;
            if (!above_lines(x, logs, n, i, &above))
                continue;
            out[i].n++;
            out[i].n_above += above > tolerance;
            out[i].mean += above;
        }
    }
    for (int i = 0; i < n; i++)
        if (out[i].n > 0)
            out[i].mean /= out[i].n;
    free(logs);
}

/* Where more than LINE_FACTOR stays between two that are kept, the evenest between them comes
 * back. */
static void fill_gaps(const nw_trial *trial, const int *options, const height *heights, int n)
{
    for (int a = 0; a < n;) {
        int b = a + 1, best = -1;
        for (; b < n && trial->verdicts[options[b]].verdict != NW_VERDICT_KEPT; b++) {
            double up = trial->values[options[b]] / trial->values[options[a]];
            if (up >= trial->options->ratio && (best < 0 || heights[b].mean < heights[best].mean))
                best = b;
        }
        double gap = b < n ? trial->values[options[b]] / trial->values[options[a]] : 0;
        if (gap > LINE_FACTOR * 1.001 && best >= 0)
            trial->verdicts[options[best]] = (nw_option_verdict){.by = -1, .share = 1};
        else
            a = b;
    }
}

static int neighbour(const nw_trial *trial, int option, int direction)
{
    int i = option + direction;
    while (i >= 0 && i < trial->samples->n_options && trial->verdicts[i].verdict != NW_VERDICT_KEPT)
        i += direction;
    return i < trial->samples->n_options ? i : -1;
}

static void say_uneven(const nw_trial *trial, int option, const height *h)
{
    nw_option_verdict *v = &trial->verdicts[option];
    int below = neighbour(trial, option, -1), above = neighbour(trial, option, 1);
    v->by = above;
    snprintf(v->why, sizeof v->why, "%.1f %% above the line of %s and %s, in %d of %d contexts",
             100 * h->mean, below < 0 ? "?" : trial->names[below],
             above < 0 ? "?" : trial->names[above], h->n_above, h->n);
}

void nw_judge_uneven(const nw_trial *trial, bool is_first)
{
    const nw_samples *s = trial->samples;
    int *options = nw_alloc(((size_t)s->n_options + 1) * sizeof *options);
    int n = list_kept(trial, options);
    height *heights = nw_alloc(((size_t)n + 1) * sizeof *heights);
    double tolerance = trial->options->tolerance * (is_first ? 2 : 1);
    find_heights(trial, options, n, is_first ? s->n_swept : s->n_contexts, tolerance, heights);
    for (int i = 0; i < n; i++) {
        double share = heights[i].n > 0 ? (double)heights[i].n_above / heights[i].n : 0;
        if (heights[i].n == 0 || share <= (is_first ? MOST_SWEPT : MOST))
            continue;
        trial->verdicts[options[i]].verdict = NW_VERDICT_UNEVEN;
        trial->verdicts[options[i]].share = share;
    }
    fill_gaps(trial, options, heights, n);
    for (int i = 0; i < n; i++)
        if (trial->verdicts[options[i]].verdict == NW_VERDICT_UNEVEN)
            say_uneven(trial, options[i], &heights[i]);
    free(heights);
    free(options);
}

/* ---- ratios ---- */

/* Mean of what the next option costs more, relative to the kernels concerned. */
static double step_behind(const nw_trial *trial, int option)
{
    const nw_samples *s = trial->samples;
    double sum = 0;
    int n = 0;
    if (option + 1 >= s->n_options)
        return INFINITY;
    for (int k = 0; k < s->n_swept; k++) {
        double here = s->latency_us[at(s, k, option)], next = s->latency_us[at(s, k, option + 1)];
        if (isnan(here) || isnan(next))
            continue;
        sum += (next - here) / nw_samples_concerned(s, k, option);
        n++;
    }
    return n > 0 ? sum / n : 0;
}

typedef struct step {
    double behind;
    int64_t worth, roundness;
    int option;
    bool is_end;
} step;

/* The largest power of two that divides a whole number; 0: it is none. */
static int64_t roundness_of(double value)
{
    int64_t n = (int64_t)value;
    return (double)n == value ? n & -n : 0;
}

static int by_step(const void *a, const void *b)
{
    const step *x = a, *y = b;
    if (x->is_end != y->is_end)
        return x->is_end ? -1 : 1;
    if (x->worth != y->worth)
        return x->worth > y->worth ? -1 : 1;
    if (x->roundness != y->roundness)
        return x->roundness > y->roundness ? -1 : 1;
    return y->option - x->option;
}

static void say_thinned(const nw_trial *trial, int option, const step *near, double behind,
                        double ratio)
{
    nw_option_verdict *v = &trial->verdicts[option];
    char other[48] = "is an end";
    if (!near->is_end)
        snprintf(other, sizeof other, "has a step of %+.1f %% behind it", 100 * near->behind);
    snprintf(v->why, sizeof v->why, "within a ratio of %.2f of %s, which %s, this one %+.1f %%",
             ratio, trial->names[near->option], other, 100 * behind);
}

/* Steps that differ by less than the tolerance are alike: of them the rounder number stays. */
void nw_judge_thinned(const nw_trial *trial, bool is_first)
{
    double ratio = is_first ? pow(trial->options->ratio, FIRST_RATIO) : trial->options->ratio;
    int n_options = trial->samples->n_options;
    int *options = nw_alloc(((size_t)n_options + 1) * sizeof *options);
    int n = list_kept(trial, options), n_taken = 0;
    step *steps = nw_alloc(((size_t)n + 1) * sizeof *steps);
    height *heights = nw_alloc(((size_t)n + 1) * sizeof *heights);
    double tolerance = trial->options->tolerance;
    find_heights(trial, options, n, trial->samples->n_contexts, tolerance, heights);
    for (int i = 0; i < n; i++) {
        double behind = step_behind(trial, options[i]);
        double worth = fmin(1, behind - heights[i].mean) / fmax(tolerance, 1e-6);
        steps[i] = (step){behind, (int64_t)floor(worth), roundness_of(trial->values[options[i]]),
                          options[i], i == 0 || i == n - 1};
    }
    qsort(steps, (size_t)n, sizeof *steps, by_step);
    for (int i = 0; i < n; i++) {
        int near = -1;
        double value = trial->values[steps[i].option];
        for (int j = 0; j < n_taken && near < 0; j++) {
            double other = trial->values[steps[j].option];
            if (fmax(value, other) < fmin(value, other) * ratio * (1 - 1e-9))
                near = j;
        }
        if (near < 0) {
            steps[n_taken++] = steps[i];
            continue;
        }
        nw_option_verdict *v = &trial->verdicts[steps[i].option];
        v->verdict = NW_VERDICT_THINNED;
        v->by = steps[near].option;
        say_thinned(trial, steps[i].option, &steps[near], steps[i].behind, ratio);
    }
    free(heights);
    free(steps);
    free(options);
}

/* ---- what is said of the rest ---- */

/* Mean over the contexts that know all of the options asked for. */
static double mean_latency(const nw_samples *s, int option)
{
    double sum = 0;
    int n = 0;
    for (int k = 0; k < s->n_swept; k++) {
        double us = s->latency_us[at(s, k, option)];
        if (!isnan(us)) {
            sum += us;
            n++;
        }
    }
    return n > 0 ? sum / n : NAN;
}

/* In how many contexts nothing that is kept scores as much and is faster. */
static int count_best(const nw_trial *trial, int option, int *n)
{
    const nw_samples *s = trial->samples;
    int n_best = 0;
    *n = 0;
    for (int k = 0; k < s->n_contexts; k++) {
        size_t here = at(s, k, option);
        bool is_best = true;
        for (int i = 0; i < s->n_options; i++) {
            size_t there = at(s, k, i);
            if (trial->verdicts[i].verdict == NW_VERDICT_KEPT &&
                s->score[there] >= s->score[here] && s->latency_us[there] < s->latency_us[here])
                is_best = false;
        }
        *n += !isnan(s->latency_us[here]);
        n_best += is_best && !isnan(s->latency_us[here]);
    }
    return n_best;
}

static void say_kept(const nw_trial *trial, int option, int before, int64_t lanes)
{
    nw_option_verdict *v = &trial->verdicts[option];
    char up[64] = "", fills[64] = "", behind[64] = "the largest";
    if (before >= 0 && !isnan(v->latency_us) && !isnan(trial->verdicts[before].latency_us)) {
        double last = trial->verdicts[before].latency_us;
        snprintf(up, sizeof up, "%+.2f us (%+.1f %%) over %s; ", v->latency_us - last,
                 100 * (v->latency_us / last - 1), trial->names[before]);
    }
    double after = step_behind(trial, option);
    int n = 0, n_best = trial->values ? 0 : count_best(trial, option, &n);
    if (!trial->values)
        snprintf(behind, sizeof behind, "nothing as good is faster in %d of %d contexts", n_best,
                 n);
    else if (isfinite(after))
        snprintf(behind, sizeof behind, "the next option is %+.1f %% of its kernels", 100 * after);
    int64_t number = trial->values ? (int64_t)trial->values[option] : 0;
    if (lanes > 1 && number > 0 && number % lanes == 0)
        snprintf(fills, sizeof fills, "; fills %lld x %lld lanes", (long long)(number / lanes),
                 (long long)lanes);
    snprintf(v->why, sizeof v->why, "%s%s%s", up, behind, fills);
}

void nw_judge_finish(const nw_trial *trial, int64_t lanes)
{
    const nw_samples *s = trial->samples;
    for (int i = 0; i < s->n_options; i++) {
        nw_option_verdict *v = &trial->verdicts[i];
        v->latency_us = mean_latency(s, i);
        v->step_us = i > 0 ? v->latency_us - trial->verdicts[i - 1].latency_us : NAN;
    }
    int before = -1;
    for (int i = 0; i < s->n_options; i++) {
        if (trial->verdicts[i].verdict != NW_VERDICT_KEPT)
            continue;
        say_kept(trial, i, before, lanes);
        before = i;
    }
}
