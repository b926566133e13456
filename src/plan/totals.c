/* totals.c - the full path: one network on one hardware, everything that is added up.
 */
#include <math.h>

#include "src/plan/internal.h"

static nw_totals totals_make(const nw_arch *arch, const nw_estimate *e)
{
    nw_counts counts;
    nw_totals totals = {.latency_ps = e->latency_ps,
                        .energy_fj = e->energy_fj,
                        .peak_live_bytes = e->peak_live_bytes,
                        .n_unknown = e->n_unknown,
                        .fits = e->fits};
    nw_graph_count(nw_arch_graph(arch), &counts);
    nw_score_find_parts(arch, &totals.parts, NULL);
    totals.weight_bytes = counts.weight_bytes;
    return totals;
}

nw_status nw_totals_of(const nw_arch *arch, const nw_hw *hw, const nw_estimator *estimator,
                       const char *precision, nw_totals *out, nw_error *err)
{
    nw_estimate e;
    nw_status status = nw_estimate_graph(estimator, nw_arch_graph(arch), hw, precision, &e, err);
    if (status != NW_OK)
        return status;
    *out = totals_make(arch, &e);
    nw_estimate_fini(&e);
    return NW_OK;
}

double nw_totals_metric(const nw_totals *totals, nw_metric metric, const nw_objective *objective)
{
    switch (metric) {
    case NW_METRIC_LATENCY:
        return (double)totals->latency_ps / 1e6;
    case NW_METRIC_ENERGY:
        return (double)totals->energy_fj / 1e9;
    case NW_METRIC_MACS:
        return (double)totals->parts.macs;
    case NW_METRIC_PARAMS:
        return (double)totals->parts.params;
    case NW_METRIC_WEIGHT_BYTES:
        return (double)totals->weight_bytes;
    case NW_METRIC_PEAK_LIVE:
        return (double)totals->peak_live_bytes;
    case NW_METRIC_SCORE:
        return nw_score_default(&totals->parts, objective ? objective->fusion_credit : 0);
    case NW_METRIC_OBJECTIVE: {
        if (!objective)
            return NAN;
        double relative = (double)totals->latency_ps / (double)objective->base_latency_ps;
        double gain =
            nw_score_default(&totals->parts, objective->fusion_credit) - objective->base_score;
        return objective->weight == 0 ? relative : relative * exp(-objective->weight * gain);
    }
    default:
        return NAN;
    }
}
