/* landscape_data.c - what the pages of a landscape share.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/internal.h"

static const char *const pane_letters = "ABC";

static bool is_macs(nw_pane_id id)
{
    return id == NW_PANE_MACS;
}

void nw_landscape_size(const nw_landscape_page *page, nw_pane_id id, int *width, int *height)
{
    *width = nw_slice_width(page->slice);
    *height = nw_slice_height(page->slice);
    if (page->panes) {
        *width = page->panes->panes[id].width;
        *height = page->panes->panes[id].height;
    }
}

double nw_landscape_at(const nw_landscape_page *page, nw_pane_id id, int x, int y)
{
    if (page->panes) {
        const nw_pane *pane = &page->panes->panes[id];
        bool is_turned = !is_macs(id) && nw_metric_sense(nw_slice_metric(page->slice)) > 0;
        double value = pane->values[(int64_t)y * pane->width + x];
        return is_turned ? -value : value;
    }
    if (!is_macs(id))
        return nw_slice_value(page->slice, x, y, NULL);
    const nw_totals *totals = nw_slice_totals(page->slice, x, y);
    return totals ? (double)totals->parts.macs : NAN;
}

/* ---- scales ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

nw_scale nw_scale_make(const nw_landscape_page *page, nw_pane_id id)
{
    nw_pane_id whole = is_macs(id) ? NW_PANE_MACS : NW_PANE_SINGLE;
    int width, height;
    nw_scale scale = {0};
    nw_landscape_size(page, whole, &width, &height);
    scale.sorted = nw_alloc(((size_t)width * (size_t)height + 1) * sizeof *scale.sorted);
    for (int64_t i = 0; i < (int64_t)width * height; i++) {
        double value = nw_landscape_at(page, whole, (int)(i % width), (int)(i / width));
        if (!isnan(value))
            scale.sorted[scale.n++] = value;
    }
    qsort(scale.sorted, (size_t)scale.n, sizeof *scale.sorted, by_value);
    return scale;
}

void nw_scale_fini(nw_scale *scale)
{
    free(scale->sorted);
    *scale = (nw_scale){0};
}

double nw_scale_rank(const nw_scale *scale, double value)
{
    if (isnan(value) || scale->n == 0)
        return NAN;
    int64_t low = 0, high = scale->n;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (scale->sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return scale->n == 1 ? 0 : fmin(1, (double)low / (double)(scale->n - 1));
}

double nw_scale_value(const nw_scale *scale, double share)
{
    return scale->n ? scale->sorted[(int64_t)(share * (double)(scale->n - 1) + 0.5)] : NAN;
}

/* ---- words ---- */

const char *nw_landscape_point(const nw_landscape_page *page, int x, int y, char *dst, size_t size)
{
    char a[64], b[64];
    nw_option_text(page->x->kind, &page->x->options[x], a, sizeof a);
    if (!page->y) {
        snprintf(dst, size, "%s=%s", page->x->name, a);
        return dst;
    }
    nw_option_text(page->y->kind, &page->y->options[y], b, sizeof b);
    snprintf(dst, size, "%s=%s %s=%s", page->x->name, a, page->y->name, b);
    return dst;
}

static bool is_single(const nw_dim *dim)
{
    bool is_counted = dim->kind == NW_DIM_CHANNELS || dim->kind == NW_DIM_EXPANDED;
    return is_counted &&
           dim->options[dim->n_options - 1].n - dim->options[0].n == dim->n_options - 1;
}

const char *nw_landscape_title(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    const char *metric =
        nw_metric_name(is_macs(id) ? NW_METRIC_MACS : nw_slice_metric(page->slice));
    bool is_all_single = page->x && is_single(page->x) && (!page->y || is_single(page->y));
    char letter[8] = "";
    if (page->n_shown > 1 && id <= NW_PANE_CURATED)
        snprintf(letter, sizeof letter, "%c ", pane_letters[id]);
    snprintf(dst, size, "%s%s, %s", letter, is_macs(id) ? "MACs" : metric,
             id == NW_PANE_CURATED ? "curated"
             : page->route         ? "a gene at a time"
             : is_all_single       ? "steps of 1"
                                   : "all steps");
    return dst;
}

const char *nw_landscape_axis(const nw_dim *dim, char *dst, size_t size)
{
    size_t n = strspn(dim->where, "0123456789");
    const char *kind = nw_dim_kind_name(dim->kind);
    if (n > 0 && !dim->where[n])
        snprintf(dst, size, "%s: %s of stage %s", dim->name, kind, dim->where);
    else if (n > 0 && dim->where[n] == '.')
        snprintf(dst, size, "%s: %s of block %s", dim->name, kind, dim->where);
    else
        snprintf(dst, size, "%s: %s", dim->name, kind);
    return dst;
}

const char *nw_format_metric(nw_metric metric, double value, char *dst, size_t size)
{
    if (isnan(value))
        snprintf(dst, size, "?");
    else if (metric == NW_METRIC_LATENCY)
        nw_format_time((int64_t)(value * 1e6), dst, size);
    else if (metric == NW_METRIC_ENERGY)
        nw_format_energy((int64_t)(value * 1e9), dst, size);
    else if (metric == NW_METRIC_WEIGHT_BYTES || metric == NW_METRIC_PEAK_LIVE)
        nw_format_bytes((int64_t)value, dst, size);
    else if (metric == NW_METRIC_MACS || metric == NW_METRIC_PARAMS)
        nw_format_count((int64_t)value, dst, size);
    else
        snprintf(dst, size, metric == NW_METRIC_SCORE ? "%.2f" : "%.4f", value);
    return dst;
}

const char *nw_landscape_formula(const nw_landscape_page *page, char *dst, size_t size)
{
    char time[32];
    const nw_objective *o = &page->objective;
    snprintf(dst, size, "latency / %s x exp(-%.3g x (score - %.2f))",
             nw_format_time(o->base_latency_ps, time, sizeof time), o->weight, o->base_score);
    return dst;
}
