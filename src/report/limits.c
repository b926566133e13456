/* limits.c - whether networks of a space keep its limits at all. */
#include <math.h>

#include "src/report/report.h"

static bool is_kept(const nw_limit *limit, double value)
{
    return limit->is_least ? value >= limit->limit : value <= limit->limit;
}

static void count(const nw_plan *plan, const nw_totals *totals, nw_limits_kept *out)
{
    int n;
    const nw_limit *limits = nw_space_limits(nw_plan_space(plan), &n);
    out->n_networks++;
    out->n_within += nw_plan_within_limits(plan, totals, NULL);
    for (int i = 0; i < n && i < NW_MAX_KEPT_LIMITS; i++) {
        double value = nw_totals_metric(totals, limits[i].metric, NULL);
        bool is_closer = limits[i].is_least ? value > out->closest[i] : value < out->closest[i];
        out->n_keep[i] += is_kept(&limits[i], value);
        if (out->n_networks == 1 || is_closer)
            out->closest[i] = value;
    }
}

void nw_limits_try(nw_plan *plan, int n, nw_limits_kept *out)
{
    const nw_space *space = nw_plan_space(plan);
    nw_rng rng = nw_rng_make(1, 0);
    uint16_t genome[NW_MAX_DIMS];
    nw_totals totals;
    *out = (nw_limits_kept){0};
    count(plan, nw_plan_base(plan), out);
    for (int i = 1; i < n; i++) {
        nw_error err;
        nw_space_random(space, &rng, genome);
        if (nw_space_allows(space, genome, NULL, 0) &&
            nw_plan_evaluate(plan, genome, &totals, &err) == NW_OK)
            count(plan, &totals, out);
    }
}
