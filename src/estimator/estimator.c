#include "src/estimator/regression.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"

/* Costs are not negative; a sum that does not fit stays at the largest number. */
static void add_to(int64_t *sum, int64_t value)
{
    if (__builtin_add_overflow(*sum, value, sum))
        *sum = INT64_MAX;
}

static void add_up(nw_estimate *e)
{
    for (int i = 0; i < e->kernels->n_kernels; i++) {
        const nw_device_cost *cost = &e->costs[i];
        e->n_unknown += !cost->is_known;
        e->n_outside += e->latencies[i].is_outside;
        add_to(&e->latency_ps, cost->latency_ps);
        add_to(&e->energy_fj, cost->energy_fj);
        add_to(&e->macs, cost->macs);
        add_to(&e->dram_bytes, cost->dram_bytes);
        add_to(&e->sram_bytes, cost->sram_bytes);
        if (e->kernels->kernels[i].shape.parts[0].kind == NW_KERNEL_HOST)
            add_to(&e->host_ps, cost->latency_ps);
    }
}

/* Rounded, at least 0; what leaves 64 bits stays at the largest number. */
static int64_t to_integer(double value)
{
    if (!(value > 0))
        return 0;
    return value >= 0x1p63 ? INT64_MAX : llround(value);
}

/* What comes on top of the kernels: the regression's own affine step where it learned one on
 * networks, else the hardware's fixed cost and its calibration. */
static double calibrated_us(const nw_hw *hw, const nw_estimator *estimator, double sum_us,
                            double overhead_us)
{
    const nw_fit_report *p =
        estimator->regression ? nw_regression_report(estimator->regression) : NULL;
    if (p && p->has_totals)
        return p->a * sum_us + p->b * nw_regression_unit_us(estimator->regression);
    if (hw->calibration.present)
        return hw->calibration.a * (sum_us + overhead_us) + hw->calibration.b;
    return sum_us + overhead_us;
}

int64_t nw_estimate_total(const nw_estimator *estimator, const nw_hw *hw, int64_t *latency_ps,
                          int64_t *energy_fj)
{
    int64_t kernels_ps = *latency_ps;
    int64_t fixed_ps = to_integer((double)hw->inference_overhead_cycles * 1e12 / hw->clock_hz);
    double sum = (double)kernels_ps / 1e6, overhead = (double)fixed_ps / 1e6;
    double total = calibrated_us(hw, estimator, sum, overhead);
    if (total == sum + overhead)
        add_to(latency_ps, fixed_ps);
    else
        *latency_ps = to_integer(total * 1e6);
    int64_t overhead_ps = *latency_ps - kernels_ps;
    /* The kernels hold the static energy of their own time; 1 W = 1e3 fJ/ps. */
    double rest = hw->energy.static_w * 1e3 * (double)overhead_ps;
    if (rest >= 0)
        add_to(energy_fj, to_integer(rest));
    else
        *energy_fj -= llround(fmin(-rest, (double)*energy_fj));
    return overhead_ps;
}

static void check_fit(const nw_hw *hw, nw_estimate *e)
{
    e->fits = true;
    if (!hw->dram.weights_only || e->peak_live_bytes <= hw->sram.bytes)
        return;
    e->fits = false;
    snprintf(e->reason, sizeof e->reason,
             "feature maps need %.1f KiB at their peak, the SRAM holds %.1f KiB and the external "
             "memory holds only weights",
             (double)e->peak_live_bytes / 1024, (double)hw->sram.bytes / 1024);
}

/* The description's costs, with the estimator's latency in the place of the device's; static energy
 * follows it. */
void nw_estimator_cost(const nw_estimator *estimator, const nw_hw *hw,
                       const nw_kernel_shape *const *shapes, int n, nw_device_cost *costs,
                       nw_kernel_latency *latencies)
{
    nw_estimator_costs(estimator, hw, shapes, n, costs);
    if (!estimator->regression) /* the same figures */
        for (int i = 0; i < n; i++)
            latencies[i] = (nw_kernel_latency){.latency_ps = costs[i].latency_ps,
                                               .is_known = costs[i].is_known};
    else
        nw_estimator_latencies(estimator, hw, shapes, n, latencies);
    for (int i = 0; i < n && estimator->regression; i++) {
        nw_device_cost *cost = &costs[i];
        double longer_ps = (double)(latencies[i].latency_ps - cost->latency_ps);
        double energy = (double)cost->energy_fj + hw->energy.static_w * 1e3 * longer_ps;
        if (cost->latency_ps > 0 && cost->is_known)
            cost->utilisation *=
                (double)cost->latency_ps / fmax((double)latencies[i].latency_ps, 1);
        cost->energy_fj = cost->is_known ? to_integer(energy) : 0;
        cost->latency_ps = latencies[i].latency_ps;
        cost->is_known = cost->is_known && latencies[i].is_known;
    }
}

static void cost_kernels(const nw_hw *hw, nw_estimate *e)
{
    int n = e->kernels->n_kernels;
    const nw_kernel_shape **shapes = nw_alloc(((size_t)n + 1) * sizeof *shapes);
    for (int i = 0; i < n; i++)
        shapes[i] = &e->kernels->kernels[i].shape;
    nw_estimator_cost(e->estimator, hw, shapes, n, e->costs, e->latencies);
    free(shapes);
}

nw_status nw_estimate_graph(const nw_estimator *estimator, const nw_graph *graph, const nw_hw *hw,
                            const char *precision, nw_estimate *out, nw_error *err)
{
    nw_estimate e = {.estimator = estimator};
    nw_status status = nw_kernels_split(graph, hw, precision, &e.kernels, err);
    if (status != NW_OK)
        return status;
    nw_estimator_retain(estimator);
    e.costs = nw_zalloc((size_t)e.kernels->n_kernels * sizeof *e.costs + 1);
    e.latencies = nw_zalloc((size_t)e.kernels->n_kernels * sizeof *e.latencies + 1);
    cost_kernels(hw, &e);
    e.peak_live_bytes = e.kernels->memory.peak_live_bytes;
    e.arena_bytes = e.kernels->memory.arena_bytes;
    add_up(&e);
    e.overhead_ps = nw_estimate_total(estimator, hw, &e.latency_ps, &e.energy_fj);
    nw_estimate_find_band(&e);
    check_fit(hw, &e);
    *out = e;
    return NW_OK;
}

void nw_estimate_fini(nw_estimate *estimate)
{
    nw_estimator_release(estimate->estimator);
    nw_kernels_free(estimate->kernels);
    free(estimate->costs);
    free(estimate->latencies);
    *estimate = (nw_estimate){0};
}
