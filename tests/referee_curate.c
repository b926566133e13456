/* referee_curate.c - see referee_curate.h. */
#include "tests/referee_curate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/base/arena.h"
#include "tests/referee_self.h"

/* ---- sets of options ---- */

static const nw_dim *dims_of(const nw_space *space)
{
    int n;
    return nw_space_dims(space, &n);
}

static option_set empty_set(const nw_space *space)
{
    option_set set = {.n_dims = nw_space_n_dims(space)};
    set.keep = nw_zalloc(((size_t)set.n_dims + 1) * sizeof *set.keep);
    for (int d = 0; d < set.n_dims; d++)
        set.keep[d] = nw_zalloc((size_t)dims_of(space)[d].n_options + 1);
    return set;
}

void curate_set_free(option_set *set)
{
    for (int d = 0; d < set->n_dims; d++)
        free(set->keep[d]);
    free(set->keep);
    *set = (option_set){0};
}

option_set curate_kept(const nw_space *space, const nw_curation *curation)
{
    option_set set = empty_set(space);
    for (int d = 0; d < set.n_dims; d++)
        for (int i = 0; i < dims_of(space)[d].n_options; i++)
            set.keep[d][i] = !curation || nw_curation_has(curation, d, i);
    return set;
}

static int count_kept(const uint8_t *keep, int n)
{
    int n_kept = 0;
    for (int i = 0; i < n; i++)
        n_kept += keep[i] != 0;
    return n_kept;
}

option_set curate_random(const nw_space *space, const option_set *like, uint64_t seed)
{
    option_set set = empty_set(space);
    for (int d = 0; d < set.n_dims; d++) {
        int n = dims_of(space)[d].n_options, n_kept = count_kept(like->keep[d], n);
        nw_rng rng = nw_rng_make(seed, (uint64_t)d);
        for (int i = 0; i < n; i++) { /* Knuth's algorithm S */
            bool is_taken = nw_rng_range(&rng, 0, n - i - 1) < n_kept;
            set.keep[d][i] = is_taken;
            n_kept -= is_taken;
        }
    }
    return set;
}

static bool is_channels(const nw_dim *dim)
{
    return dim->kind == NW_DIM_CHANNELS || dim->kind == NW_DIM_EXPANDED;
}

option_set curate_misaligned(const nw_space *space, const option_set *like)
{
    option_set set = empty_set(space);
    for (int d = 0; d < set.n_dims; d++) {
        const nw_dim *dim = &dims_of(space)[d];
        memcpy(set.keep[d], like->keep[d], (size_t)dim->n_options);
        int last = -1;
        for (int i = 0; i < dim->n_options && is_channels(dim); i++) {
            if (!like->keep[d][i])
                continue;
            int to = (last + i + 1) / 2;
            if (last >= 0 && !like->keep[d][to])
                set.keep[d][i] = 0, set.keep[d][to] = 1;
            last = i;
        }
    }
    return set;
}

/* ---- the search ---- */

enum { WALKS = 3 };

typedef struct hunt {
    nw_plan *plan;
    const nw_space *space;
    const option_set *set;
    nw_rng rng;
    int n_dims, n_left;
    double least_score;
    uint16_t *best, *now, *next;
    double best_cost; /* ln us */
} hunt;

/* ln us, and how far the score is too low and limits are broken. */
typedef struct price {
    double cost, lack;
} price;

/* How far the limits of the space are broken, in ln. */
static double excess_of(const hunt *h, const nw_totals *t)
{
    int n;
    const nw_limit *limits = nw_space_limits(h->space, &n);
    nw_objective objective = nw_plan_objective(h->plan);
    double excess = 0;
    for (int i = 0; i < n; i++) {
        double value = nw_totals_metric(t, limits[i].metric, &objective), limit = limits[i].limit;
        if (limits[i].metric == NW_METRIC_SCORE)
            excess += fmax(0, limits[i].is_least ? limit - value : value - limit);
        else if (value > 0 && limit > 0)
            excess += fmax(0, limits[i].is_least ? log(limit / value) : log(value / limit));
    }
    return excess;
}

static price price_of(hunt *h, uint16_t *genome)
{
    nw_totals t;
    nw_space_canonical(h->space, genome);
    h->n_left--;
    if (!nw_space_allows(h->space, genome, NULL, 0) ||
        nw_plan_evaluate(h->plan, genome, &t, NULL) != NW_OK || !t.fits)
        return (price){INFINITY, 0};
    price p = {log((double)t.latency_ps / 1e6),
               fmax(0, h->least_score - nw_score_default(&t.parts, 0)) + excess_of(h, &t)};
    if (p.lack == 0 && p.cost < h->best_cost) {
        h->best_cost = p.cost;
        memcpy(h->best, genome, (size_t)h->n_dims * sizeof *genome);
    }
    return p;
}

static bool is_choice(const nw_dim *dim)
{
    return dim->kind == NW_DIM_VARIANT || dim->kind == NW_DIM_PRECISION;
}

static int n_steps(const nw_dim *dim, const uint8_t *keep, int from, int direction, int n)
{
    int at = from;
    for (int i = from + direction; i >= 0 && i < dim->n_options && n > 0; i += direction)
        if (keep[i]) {
            at = i;
            n--;
        }
    return at;
}

static int pick_kept(hunt *h, int d)
{
    int n = dims_of(h->space)[d].n_options;
    int64_t want = nw_rng_range(&h->rng, 0, count_kept(h->set->keep[d], n) - 1);
    for (int i = 0; i < n; i++)
        if (h->set->keep[d][i] && want-- == 0)
            return i;
    return 0;
}

static void move_gene(hunt *h, int d, uint16_t *genome)
{
    const nw_dim *dim = &dims_of(h->space)[d];
    if (is_choice(dim)) {
        genome[d] = (uint16_t)pick_kept(h, d);
        return;
    }
    int direction = nw_rng_chance(&h->rng, 0.5) ? 1 : -1;
    int n_kept = count_kept(h->set->keep[d], dim->n_options);
    int most = n_kept > 1 ? (int)log2(n_kept - 1) : 0;
    genome[d] = (uint16_t)n_steps(dim, h->set->keep[d], genome[d], direction,
                                  1 << nw_rng_range(&h->rng, 0, most));
}

/* The nearest options of the set. */
static void snap(const hunt *h, uint16_t *genome)
{
    for (int d = 0; d < h->n_dims; d++) {
        int n = dims_of(h->space)[d].n_options, g = genome[d];
        for (int away = 0; away < n; away++) {
            if (g - away >= 0 && h->set->keep[d][g - away])
                genome[d] = (uint16_t)(g - away);
            else if (g + away < n && h->set->keep[d][g + away])
                genome[d] = (uint16_t)(g + away);
            else
                continue;
            break;
        }
    }
}

/* Simulated annealing (Kirkpatrick et al. 1983) of n networks, from a temperature at which a tenth
 * of latency is often taken to one at which only what is better is; what lacks is cheap at first,
 * so that a walk crosses the border, and dear at the end. */
static void walk(hunt *h, int n)
{
    size_t n_bytes = (size_t)h->n_dims * sizeof *h->now;
    const double hot = 0.1, cold = 0.0003, cheap = 1.2, dear = 12;
    price now = price_of(h, h->now);
    for (int i = 0; i < n && h->n_left > 0; i++) {
        double t = (double)i / n, heat = hot * pow(cold / hot, t);
        double weight = cheap * pow(dear / cheap, t);
        memcpy(h->next, h->now, n_bytes);
        int n_moves = nw_rng_chance(&h->rng, 0.4) ? 2 : 1;
        for (int m = 0; m < n_moves; m++)
            move_gene(h, (int)nw_rng_range(&h->rng, 0, h->n_dims - 1), h->next);
        if (memcmp(h->next, h->now, n_bytes) == 0)
            continue;
        price next = price_of(h, h->next);
        double rise = next.cost + weight * next.lack - now.cost - weight * now.lack;
        if (isinf(now.cost) || rise <= 0 || nw_rng_chance(&h->rng, exp(-rise / heat))) {
            memcpy(h->now, h->next, n_bytes);
            now = next;
        }
    }
}

/* The first walk begins at the genome given, others at the best. */
curate_best curate_search(nw_plan *plan, const option_set *set, const uint16_t *from, int budget,
                          uint64_t seed)
{
    const nw_space *space = nw_plan_space(plan);
    hunt h = {.plan = plan,
              .space = space,
              .set = set,
              .rng = nw_rng_make(seed, 1),
              .n_dims = nw_space_n_dims(space),
              .n_left = budget,
              .least_score = nw_score_default(&nw_plan_base(plan)->parts, 0) - 0.01,
              .best_cost = INFINITY};
    size_t n_bytes = ((size_t)h.n_dims + 1) * sizeof *h.now;
    h.best = nw_zalloc(n_bytes);
    h.now = nw_zalloc(n_bytes);
    h.next = nw_zalloc(n_bytes);
    if (from)
        memcpy(h.now, from, (size_t)h.n_dims * sizeof *from);
    else
        nw_space_base_genome(space, h.now);
    while (h.n_left > 0) {
        snap(&h, h.now);
        walk(&h, budget / WALKS);
        if (isfinite(h.best_cost))
            memcpy(h.now, h.best, n_bytes);
        else
            for (int d = 0; d < h.n_dims; d++)
                h.now[d] = (uint16_t)pick_kept(&h, d);
    }
    free(h.now);
    free(h.next);
    return (curate_best){exp(h.best_cost), h.best};
}

/* ---- edges ---- */

curate_edges curate_count_edges(nw_plan *plan, const option_set *set, int n_networks, uint64_t seed)
{
    const nw_space *space = nw_plan_space(plan);
    hunt h = {.space = space, .set = set, .n_dims = nw_space_n_dims(space)};
    curate_edges edges = {0};
    uint16_t *genome = nw_alloc(((size_t)h.n_dims + 1) * 2 * sizeof *genome);
    uint16_t *moved = genome + h.n_dims + 1;
    for (int k = 0; k < n_networks; k++) {
        h.rng = nw_rng_make(seed, (uint64_t)k);
        for (int d = 0; d < h.n_dims; d++)
            genome[d] = (uint16_t)pick_kept(&h, d);
        for (int d = 0; d < h.n_dims; d++) {
            const nw_dim *dim = &dims_of(space)[d];
            double last = NAN;
            for (int i = 0; i < dim->n_options && !is_choice(dim); i++) {
                nw_totals t;
                if (!set->keep[d][i])
                    continue;
                memcpy(moved, genome, (size_t)h.n_dims * sizeof *genome);
                moved[d] = (uint16_t)i;
                nw_space_canonical(space, moved);
                if (nw_plan_evaluate(plan, moved, &t, NULL) != NW_OK)
                    continue;
                edges.n += !isnan(last);
                edges.n_monotone += (double)t.latency_ps >= last;
                last = (double)t.latency_ps;
            }
        }
    }
    free(genome);
    return edges;
}

/* ---- rows ---- */

/* The better of two; the other is freed. */
static curate_best better_of(curate_best a, curate_best b)
{
    bool is_a = a.latency_us <= b.latency_us;
    free(is_a ? b.genome : a.genome);
    return is_a ? a : b;
}

static double search_mean(nw_plan *plan, const option_set *like, bool is_random, int budget,
                          curate_best *whole)
{
    const nw_space *space = nw_plan_space(plan);
    double sum = 0;
    for (int i = 0; i < CURATE_SUBSETS; i++) {
        option_set set = is_random ? curate_random(space, like, 100 + (uint64_t)i)
                                   : curate_misaligned(space, like);
        curate_best best = curate_search(plan, &set, NULL, budget, 1 + (uint64_t)i);
        sum += best.latency_us / CURATE_SUBSETS;
        *whole = better_of(*whole, best);
        curate_set_free(&set);
    }
    return sum;
}

static void search_all(nw_plan *plan, const nw_curation *curation, int budget, curate_row *out)
{
    const nw_space *space = nw_plan_space(plan);
    option_set kept = curate_kept(space, curation), all = curate_kept(space, NULL);
    curate_best curated = curate_search(plan, &kept, NULL, budget, 1);
    curate_best whole = curate_search(plan, &all, NULL, budget, 1);
    out->first_us = curated.latency_us;
    out->plain_us = whole.latency_us;
    out->random_us = search_mean(plan, &kept, true, budget, &whole);
    out->misaligned_us = search_mean(plan, &kept, false, budget, &whole);
    /* on from where the other ended */
    curate_best inside = curate_search(plan, &kept, whole.genome, budget, 2);
    whole = better_of(whole, curate_search(plan, &all, curated.genome, budget, 2));
    curated = better_of(curated, inside);
    curated = better_of(curated, curate_search(plan, &kept, curated.genome, budget, 3));
    whole = better_of(whole, curate_search(plan, &all, whole.genome, budget, 3));
    out->curated_us = curated.latency_us;
    out->whole_us = fmin(whole.latency_us, curated.latency_us);
    free(curated.genome);
    free(whole.genome);
    curate_set_free(&kept);
    curate_set_free(&all);
}

bool curate_row_find(nw_plan *plan, int budget, int n_networks, curate_row *out, nw_buf *report)
{
    const nw_space *space = nw_plan_space(plan), *part;
    nw_curation *curation;
    nw_error err;
    clock_t start = clock();
    if (nw_curate(plan, NULL, &curation, &err) != NW_OK) {
        printf("%s: %s\n", err.where, err.message);
        return false;
    }
    *out = (curate_row){.size = nw_space_size_approx(space),
                        .n_evaluations = nw_curation_n_evaluations(curation),
                        .seconds = (double)(clock() - start) / CLOCKS_PER_SEC};
    if (nw_curation_space(curation, &part, &err) == NW_OK) {
        out->curated_size = nw_space_size_approx(part);
        nw_space_release(part);
    }
    if (report)
        nw_curation_write(curation, false, report);
    option_set kept = curate_kept(space, curation);
    out->edges = curate_count_edges(plan, &kept, n_networks, 7);
    curate_set_free(&kept);
    search_all(plan, curation, budget, out);
    nw_curation_free(curation);
    return true;
}

/* ---- the page ---- */

enum { SEARCH_NETWORKS = 3000, EDGE_NETWORKS = 10 };

static double percent_above(double us, double best_us)
{
    return 100 * (us / best_us - 1);
}

static void print_row(const char *path, const nw_hw *hw, const nw_estimator *estimator,
                      const nw_space_loader *loader)
{
    const nw_space *space;
    nw_plan *plan = NULL;
    nw_error err;
    curate_row r;
    if (nw_space_load(path, loader, &space, &err) != NW_OK) {
        printf("  %s: %s\n", err.where, err.message);
        return;
    }
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    int n_name = (int)strcspn(name, ".");
    if (nw_plan_new(space, hw, estimator, NULL, NULL, &plan, &err) != NW_OK)
        printf("  %.*s: %s: %s\n", n_name, name, err.where, err.message);
    else if (curate_row_find(plan, SEARCH_NETWORKS, EDGE_NETWORKS, &r, NULL))
        printf("  %-29.*s %-10s %-10s %7.1e %7.1e %5.1f   %6.2f   %5.2f %6.2f %8.2f %8.2f\n",
               n_name, name, hw->name, estimator->name, r.size, r.curated_size, r.seconds,
               100.0 * (double)r.edges.n_monotone / (double)(r.edges.n ? r.edges.n : 1),
               percent_above(r.curated_us, r.whole_us), percent_above(r.plain_us, r.whole_us),
               percent_above(r.random_us, r.whole_us), percent_above(r.misaligned_us, r.whole_us));
    fflush(stdout);
    nw_plan_free(plan);
    nw_space_release(space);
}

void curate_print(const nw_space_loader *loader)
{
    static const char *const files[] = {"camera_classifier", "edge_tpu", "mobiledet",
                                        "presence_detector", "robot_segmentation"};
    static const char *const chips[] = {"ne32", "u55-256", "dpu-b4096"};
    printf("\n\nCURATION: the least latency at the base's score and within the space's limits that "
           "annealing finds in %d networks,\n"
           "percent above the best known: in the curated space (thrice as many; goal 2), in the "
           "whole one, in %d random and %d misaligned\n"
           "sets of the same sizes; costs that rise along the curated dimensions, percent of edges "
           "(goal 99)\n\n",
           SEARCH_NETWORKS, CURATE_SUBSETS, CURATE_SUBSETS);
    printf("  %-29s %-10s %-10s %7s %7s %5s   %6s   %5s %6s %8s %8s\n", "space", "chip",
           "estimator", "size", "curated", "s", "rising", "loss", "whole", "random", "misalig.");
    for (size_t c = 0; c < sizeof chips / sizeof *chips; c++)
        for (size_t i = 0; i < (c == 0 ? 3 : 2) * sizeof files / sizeof *files; i++) {
            char path[96];
            size_t kind = i / (sizeof files / sizeof *files); /* curated by hand, not, regression */
            nw_hw *hw;
            nw_error err;
            if (nw_hw_load(chips[c], "hw", &hw, &err) != NW_OK)
                return;
            snprintf(path, sizeof path, "spaces/%s%s.lua",
                     files[i % (sizeof files / sizeof *files)], kind == 0 ? "" : "_uncurated");
            const nw_estimator *estimator = kind < 2 ? nw_estimator_device() : self_estimator(hw);
            if (estimator)
                print_row(path, hw, estimator, loader);
            nw_estimator_release(estimator);
            nw_hw_free(hw);
        }
}
