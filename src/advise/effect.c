/* effect.c - what one change costs: two estimates of whole networks, one from the other. */
#include "src/advise/internal.h"

static int count_spills(const nw_hw *hw, const nw_estimate *e)
{
    int n = 0;
    for (int i = 0; i < e->kernels->n_kernels; i++)
        n += e->kernels->kernels[i].shape.parts[0].kind != NW_KERNEL_VIEW &&
             e->kernels->kernels[i].live_bytes > hw->sram.bytes;
    return n;
}

static nw_effect between(const nw_hw *hw, const nw_counts *m, const nw_estimate *a,
                         const nw_arch *after, const nw_estimate *b)
{
    nw_counts n;
    nw_graph_count(nw_arch_graph(after), &n);
    nw_difference d = nw_estimate_difference(a, b);
    bool is_point = d.low_ps == 0 && d.high_ps == 0 && d.latency_ps == 0;
    return (nw_effect){
        .latency = d,
        .is_below = d.has_band && d.low_ps <= 0 && d.high_ps >= 0 && !is_point,
        .fits = b->fits,
        .latency_ps = b->latency_ps,
        .energy_fj = b->energy_fj - a->energy_fj,
        .macs = n.macs - m->macs,
        .params = n.params - m->params,
        .weight_bytes = n.weight_bytes - m->weight_bytes,
        .peak_live_bytes = b->peak_live_bytes - a->peak_live_bytes,
        .arena_bytes = b->arena_bytes - a->arena_bytes,
        .dram_bytes = b->dram_bytes - a->dram_bytes,
        .n_spills = count_spills(hw, b),
        .n_unknown = b->n_unknown,
        .n_outside = b->n_outside,
    };
}

nw_effect nw_effect_between(const nw_hw *hw, const nw_arch *before,
                            const nw_estimate *before_estimate, const nw_arch *after,
                            const nw_estimate *after_estimate)
{
    nw_counts counts;
    nw_graph_count(nw_arch_graph(before), &counts);
    return between(hw, &counts, before_estimate, after, after_estimate);
}

nw_status nw_effect_beside(const nw_subject *subject, const nw_estimate *estimate,
                           const nw_counts *counts, const nw_edit *edits, int n_edits,
                           nw_effect *out, const nw_arch **after, nw_error *err)
{
    const nw_arch *edited;
    nw_status status = nw_arch_apply(subject->arch, edits, n_edits, &edited, NULL, err);
    if (status != NW_OK)
        return status;
    nw_estimate then;
    status = nw_estimate_graph(subject->estimator, nw_arch_graph(edited), subject->hw,
                               subject->precision, &then, err);
    if (status == NW_OK) {
        *out = between(subject->hw, counts, estimate, edited, &then);
        nw_estimate_fini(&then);
    }
    if (status == NW_OK && after)
        *after = edited;
    else
        nw_arch_release(edited);
    return status;
}

nw_status nw_effect_of(const nw_subject *subject, const nw_estimate *estimate, const nw_edit *edits,
                       int n_edits, nw_effect *out, const nw_arch **after, nw_error *err)
{
    nw_counts counts;
    nw_graph_count(nw_arch_graph(subject->arch), &counts);
    return nw_effect_beside(subject, estimate, &counts, edits, n_edits, out, after, err);
}
