/* estimator.c - who estimated, how sure that is, and both estimators beside each other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/internal.h"

/* ---- in words ---- */

static const nw_fit_report *report_of(const nw_estimator *estimator)
{
    return estimator->regression ? nw_regression_report(estimator->regression) : NULL;
}

bool nw_report_is_simulated(const nw_estimator *estimator)
{
    const nw_fit_report *p = report_of(estimator);
    return !p || strcmp(p->source, "simulated") == 0;
}

const char *nw_format_estimator(const nw_estimator *estimator, char *dst, size_t size)
{
    const nw_fit_report *p = report_of(estimator);
    char text[128];
    if (p)
        snprintf(text, sizeof text, "%s on %.48s, %.48s", estimator->name,
                 *p->device ? p->device : p->file, *p->source ? p->source : "source not given");
    return nw_text_visible(p ? text : estimator->name, dst, size);
}

const char *nw_format_types(const nw_graph *graph, const nw_hw *hw, const char *precision,
                            char *dst, size_t size)
{
    nw_kernels *kernels;
    if (nw_kernels_split(graph, hw, precision, &kernels, NULL) != NW_OK) {
        snprintf(dst, size, "%.40s", precision ? precision : "file");
        return dst;
    }
    snprintf(dst, size, "%s%s", kernels->precision,
             kernels->is_assumed ? ": not the file's own type" : "");
    nw_kernels_free(kernels);
    return dst;
}

bool nw_report_is_calibrated(const nw_estimate *e, const nw_hw *hw)
{
    const nw_fit_report *p = report_of(e->estimator);
    return p && p->has_totals ? !nw_report_is_simulated(e->estimator) : hw->calibration.present;
}

const char *nw_format_calibration(const nw_estimate *e, const nw_hw *hw, char *dst, size_t size)
{
    const nw_fit_report *p = report_of(e->estimator);
    char clean[96];
    if (!nw_report_is_calibrated(e, hw) && !nw_report_is_simulated(e->estimator))
        snprintf(dst, size, "kernels measured on %s, their sum not calibrated",
                 nw_text_visible(*p->device ? p->device : "?", clean, sizeof clean));
    else if (!nw_report_is_calibrated(e, hw))
        snprintf(dst, size, "not calibrated against a chip");
    else if (p && p->has_totals)
        snprintf(dst, size, "calibrated on %d networks measured whole, their error %.3g %%",
                 p->n_networks, p->networks.mape);
    else
        snprintf(dst, size, "calibrated, residual %.3g %%: %s", hw->calibration.residual_pct,
                 nw_text_visible(hw->calibration.provenance ? hw->calibration.provenance : "?",
                                 clean, sizeof clean));
    return dst;
}

/* A third of the narrower side is still told apart. */
const char *nw_format_band(int64_t value_ps, int64_t low_ps, int64_t high_ps, char *dst,
                           size_t size)
{
    double unit = value_ps >= 1000000000000 ? 1e12
                  : value_ps >= 1000000000  ? 1e9
                  : value_ps >= 1000000     ? 1e6
                                            : 1e3;
    double below = (double)(value_ps - low_ps), above = (double)(high_ps - value_ps);
    double narrow = below > 0 && (above <= 0 || below < above) ? below : above;
    double digits = narrow > 0 ? ceil(-log10(narrow / unit / 3)) : 3;
    int decimals = digits < 0 ? 0 : digits > 4 ? 4 : (int)digits;
    snprintf(dst, size, "%.*f to %.*f", decimals, (double)low_ps / unit, decimals,
             (double)high_ps / unit);
    return dst;
}

const char *nw_report_why(const nw_estimate *e, int kernel)
{
    nw_kernel_kind kind = e->kernels->kernels[kernel].shape.parts[0].kind;
    bool has_no_model = e->estimator->regression && !e->latencies[kernel].is_known;
    return has_no_model && kind != NW_KERNEL_OPAQUE ? "the regression has no model of this type"
                                                    : e->costs[kernel].why;
}

double nw_report_outside_share(const nw_estimate *e)
{
    double outside_ps = 0;
    for (int i = 0; i < e->kernels->n_kernels; i++)
        if (e->latencies[i].is_outside)
            outside_ps += (double)e->costs[i].latency_ps;
    return e->latency_ps > 0 ? outside_ps / (double)e->latency_ps : 0;
}

/* ---- both ---- */

typedef struct ranked {
    double distance_ps;
    int index;
} ranked;

static int by_distance(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->distance_ps != y->distance_ps)
        return x->distance_ps < y->distance_ps ? 1 : -1;
    return x->index - y->index;
}

void nw_verified_find(const nw_breakdown *b, const nw_estimate *other, nw_verified *v)
{
    bool is_first = b->estimate->estimator->regression != NULL;
    *v = (nw_verified){.regression = is_first ? b->estimate : other,
                       .device = is_first ? other : b->estimate};
    const nw_estimate *r = v->regression, *d = v->device;
    int n = r->kernels->n_kernels;
    ranked *list = nw_alloc(((size_t)n + 1) * sizeof *list);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double ours = (double)r->costs[i].latency_ps, theirs = (double)d->costs[i].latency_ps;
        if (r->kernels->kernels[i].shape.parts[0].kind == NW_KERNEL_VIEW)
            continue;
        if (!r->costs[i].is_known || !d->costs[i].is_known || theirs <= 0) {
            v->n_unknown++;
            continue;
        }
        double error = fabs(ours / theirs - 1);
        sum += error;
        v->n_within_5 += error <= 0.05;
        v->n_within_10 += error <= 0.1;
        list[v->n_kernels++] = (ranked){fabs(ours - theirs), i};
    }
    v->mape = v->n_kernels ? 100 * sum / v->n_kernels : NAN;
    if (v->n_kernels)
        qsort(list, (size_t)v->n_kernels, sizeof *list, by_distance);
    for (int i = 0; i < v->n_kernels && v->n_worst < NW_N_VERIFIED_WORST; i++)
        v->worst[v->n_worst++] = list[i].index;
    free(list);
    bool is_known = !r->n_unknown && !d->n_unknown && d->latency_ps > 0;
    v->difference_pct = is_known ? 100 * ((double)r->latency_ps / (double)d->latency_ps - 1) : NAN;
    v->is_inside = d->latency_ps >= r->low_ps && d->latency_ps <= r->high_ps;
}

static void add_total(const nw_estimate *e, nw_buf *out)
{
    char time[32], band[64] = "";
    char *source = nw_printable(e->estimator->source);
    if (e->has_band)
        nw_format_band(e->latency_ps, e->low_ps, e->high_ps, band, sizeof band);
    nw_buf_printf(out, "  %-10s %s%s%s%s   %s\n", e->estimator->name,
                  nw_format_time(e->latency_ps, time, sizeof time), *band ? " (90 %: " : "", band,
                  *band ? ")" : "", source);
    free(source);
}

static void add_difference(const nw_verified *v, nw_buf *out)
{
    if (isnan(v->difference_pct)) {
        nw_buf_puts(out, "  difference ?: costs are unknown\n");
        return;
    }
    nw_buf_printf(out, "  difference %+.1f %% against the device", v->difference_pct);
    if (v->regression->has_band)
        nw_buf_printf(out, ", which is %s the regression's 90 %% band",
                      v->is_inside ? "inside" : "outside");
    nw_buf_puts(out, "\n");
}

static void add_worst(const nw_breakdown *b, const nw_verified *v, int index, int width,
                      nw_buf *out)
{
    const nw_kernel *kernel = &v->regression->kernels->kernels[index];
    double ours = (double)v->regression->costs[index].latency_ps / 1e6;
    double theirs = (double)v->device->costs[index].latency_ps / 1e6;
    char type[32], map[48], label[45], line[320], time[24];
    snprintf(time, sizeof time, "%s%.2f",
             v->regression->latencies[index].is_outside ? NW_OUTSIDE_MARK : "", ours);
    snprintf(line, sizeof line, "%4d %13s %10.2f %+13.2f %+8.1f  %-16s %-14s %s", index, time,
             theirs, ours - theirs, 100 * (ours / theirs - 1),
             nw_kernel_shape_name(&kernel->shape, type, sizeof type),
             nw_format_map(b->graph, kernel, map, sizeof map),
             nw_report_label(b->graph, kernel->main, label, sizeof label));
    nw_report_line(line, width, out);
}

void nw_verify_text(const nw_breakdown *b, const nw_estimate *other, int width, nw_buf *out)
{
    nw_verified v;
    nw_verified_find(b, other, &v);
    nw_buf_puts(out, "\nVerified: the regression beside the device, kernel by kernel\n");
    add_total(v.regression, out);
    add_total(v.device, out);
    add_difference(&v, out);
    if (v.n_kernels)
        nw_buf_printf(out, "  kernels    mean error %.1f %%, within 5 %%: %d of %d, 10 %%: %d\n",
                      v.mape, v.n_within_5, v.n_kernels, v.n_within_10);
    if (v.n_unknown)
        nw_buf_printf(out, "  unknown    %d kernels that one of them cannot cost are left out\n",
                      v.n_unknown);
    nw_buf_puts(out, nw_report_is_simulated(v.regression->estimator)
                         ? "  This is self-consistency: whether the regression repeats the "
                           "simulated device that it was\n  trained on. It says nothing about a "
                           "chip.\n"
                         : "  The regression has seen measurements, the device only the "
                           "description.\n");
    if (!v.n_worst)
        return;
    nw_buf_printf(out, "\n%4s %13s %10s %13s %8s  %-16s %-14s %s\n", "#", "regression us",
                  "device us", "difference us", "%", "kernel", "output HxWxC",
                  "name: those that differ most");
    for (int i = 0; i < v.n_worst; i++)
        add_worst(b, &v, v.worst[i], width, out);
}
