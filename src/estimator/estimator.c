#include "src/estimator/estimator.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"

static const nw_estimator estimators[] = {
    {"device", "the simulated device on the hardware description", nw_device_estimate},
};

const nw_estimator *nw_estimator_find(const char *name)
{
    for (size_t i = 0; i < sizeof estimators / sizeof *estimators; i++)
        if (strcmp(estimators[i].name, name) == 0)
            return &estimators[i];
    return NULL;
}

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

static void calibrate(const nw_hw *hw, nw_estimate *e)
{
    int64_t kernels_ps = e->latency_ps;
    e->overhead_ps = to_integer((double)hw->inference_overhead_cycles * 1e12 / hw->clock_hz);
    add_to(&e->latency_ps, e->overhead_ps);
    if (hw->calibration.present) {
        double us = (double)e->latency_ps / 1e6;
        e->latency_ps = to_integer((hw->calibration.a * us + hw->calibration.b) * 1e6);
        e->overhead_ps = e->latency_ps - kernels_ps;
    }
    /* The kernels hold the static energy of their own time; 1 W = 1e3 fJ/ps. */
    double rest = hw->energy.static_w * 1e3 * (double)e->overhead_ps;
    if (rest >= 0)
        add_to(&e->energy_fj, to_integer(rest));
    else
        e->energy_fj -= llround(fmin(-rest, (double)e->energy_fj));
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

nw_status nw_estimate_graph(const nw_estimator *estimator, const nw_graph *graph, const nw_hw *hw,
                            const char *precision, nw_estimate *out, nw_error *err)
{
    nw_estimate e = {.estimator = estimator};
    nw_status status = nw_kernels_split(graph, hw, precision, &e.kernels, err);
    if (status != NW_OK)
        return status;
    e.costs = nw_zalloc((size_t)e.kernels->n_kernels * sizeof *e.costs);
    for (int i = 0; i < e.kernels->n_kernels; i++)
        estimator->estimate(hw, &e.kernels->kernels[i].shape, &e.costs[i]);
    e.peak_live_bytes = e.kernels->memory.peak_live_bytes;
    e.arena_bytes = e.kernels->memory.arena_bytes;
    add_up(&e);
    calibrate(hw, &e);
    check_fit(hw, &e);
    *out = e;
    return NW_OK;
}

void nw_estimate_fini(nw_estimate *estimate)
{
    nw_kernels_free(estimate->kernels);
    free(estimate->costs);
    *estimate = (nw_estimate){0};
}
