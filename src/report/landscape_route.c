/* landscape_route.c - the line between two genomes, step by step.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/report/internal.h"

enum { LABEL = 40, VALUE = 14 };

static const nw_space *space_of(const nw_landscape_page *page)
{
    return nw_plan_space(page->route->plan);
}

static double change_at(const nw_landscape_page *page, int step)
{
    const nw_route *r = page->route;
    return step ? r->values[step] - r->values[step - 1] : NAN;
}

const char *nw_landscape_step(const nw_landscape_page *page, int step, char *dst, size_t size)
{
    const nw_route *r = page->route;
    uint16_t before[NW_MAX_DIMS], after[NW_MAX_DIMS];
    char a[64], b[64], name[96];
    int n, d = r->changed[step];
    if (d < 0) {
        snprintf(dst, size, "start");
        return dst;
    }
    const nw_dim *dim = &nw_space_dims(space_of(page), &n)[d];
    nw_slice_genome(r->slice, step - 1, 0, before);
    nw_slice_genome(r->slice, step, 0, after);
    snprintf(dst, size, "%s %s -> %s", nw_text_visible(dim->name, name, sizeof name),
             nw_option_text(dim->kind, &dim->options[before[d]], a, sizeof a),
             nw_option_text(dim->kind, &dim->options[after[d]], b, sizeof b));
    return dst;
}

const char *nw_landscape_change(const nw_landscape_page *page, double change, char *dst,
                                size_t size)
{
    char value[64];
    if (isnan(change))
        *dst = '\0';
    else if (change == 0)
        snprintf(dst, size, "+0");
    else
        snprintf(dst, size, "%c%s", change < 0 ? '-' : '+',
                 nw_format_metric(nw_slice_metric(page->slice), fabs(change), value, sizeof value));
    return dst;
}

void nw_landscape_step_value(const nw_landscape_page *page, int step, char *value, char *change,
                             size_t size)
{
    double x = page->route->values[step];
    if (isnan(x))
        snprintf(value, size, "no network");
    else
        nw_format_metric(nw_slice_metric(page->slice), x, value, size);
    nw_landscape_change(page, change_at(page, step), change, size);
    const nw_totals *totals = nw_slice_totals(page->slice, step, 0);
    size_t used = strlen(change);
    if (totals && !totals->fits)
        snprintf(change + used, size - used, "%s(does not fit)", used ? " " : "");
}

const char *nw_landscape_ends(const nw_landscape_page *page, char *dst, size_t size)
{
    const nw_route *r = page->route;
    char a[64], b[64], change[64];
    nw_metric metric = nw_slice_metric(page->slice);
    double from = r->values[0], to = r->values[r->n_points - 1];
    int used = snprintf(dst, size, "%s %s to %s", nw_metric_name(metric),
                        nw_format_metric(metric, from, a, sizeof a),
                        nw_format_metric(metric, to, b, sizeof b));
    if (isfinite(to - from) && used > 0 && (size_t)used < size)
        used += snprintf(dst + used, size - (size_t)used, ", %s",
                         nw_landscape_change(page, to - from, change, sizeof change));
    if (isfinite(to - from) && from != 0 && used > 0 && (size_t)used < size)
        snprintf(dst + used, size - (size_t)used, " (%+.1f %%)", 100 * (to - from) / fabs(from));
    return dst;
}

/* ---- the page ---- */

static void put_figure(nw_buf *out, const char *label, double value, int digits)
{
    if (isnan(value))
        nw_buf_printf(out, "%-*s-\n", LABEL, label);
    else
        nw_buf_printf(out, "%-*s%.*f\n", LABEL, label, digits,
                      fabs(value) < 0.5 * pow(10, -digits) ? 0 : value);
}

void nw_landscape_route_text(const nw_landscape_page *page, nw_buf *out)
{
    const nw_route *r = page->route;
    const nw_figures *f = &r->figures;
    nw_metric metric = nw_slice_metric(page->slice);
    char step[256], value[64], change[64], ends[256], label[280];
    bool is_turned = nw_metric_sense(metric) > 0;
    nw_buf_printf(out, "right: one gene more each; up: from the least to the greatest value\n\n");
    nw_buf_printf(out, "%-*s%-*s%s\n", LABEL, "step", VALUE, nw_metric_name(metric), "change");
    for (int i = 0; i < r->n_points; i++) {
        snprintf(label, sizeof label, "%3d  %s", i, nw_landscape_step(page, i, step, sizeof step));
        nw_landscape_step_value(page, i, value, change, sizeof value);
        nw_buf_printf(out, "%-*s", LABEL, label);
        if (strlen(label) >= LABEL)
            nw_buf_printf(out, "\n%*s", LABEL, "");
        nw_buf_printf(out, "%-*s%s\n", *change ? VALUE : 0, value, change);
    }
    nw_buf_printf(out, "\n%s\n", nw_landscape_ends(page, ends, sizeof ends));
    nw_buf_printf(out, "%-*s%d, %s\n", LABEL, "best at step", (int)f->best_point,
                  nw_format_metric(metric, r->values[f->best_point], value, sizeof value));
    nw_buf_printf(out, "%-*s%" PRId64 " (%" PRId64 ")\n", LABEL,
                  is_turned ? "maxima (plateaus)" : "minima (plateaus)", f->n_minima,
                  f->n_plateaus);
    put_figure(out, "mean step / range", f->mean_step, 4);
    put_figure(out, "monotone", f->monotone, 3);
    put_figure(out, "without a difference", f->neutral, 3);
    put_figure(out, "r(1)", f->r1, 4);
}

/* ---- JSON ---- */

static void put_genome(nw_buf *out, const nw_landscape_page *page, int step)
{
    uint16_t genome[NW_MAX_DIMS];
    nw_buf text = {0};
    nw_slice_genome(page->slice, step, 0, genome);
    nw_genome_write(space_of(page), genome, &text);
    nw_buf_puts(out, "\"genome\":");
    nw_buf_json_string(out, nw_buf_text(&text));
    nw_buf_fini(&text);
}

static void put_dimension(nw_buf *out, const nw_landscape_page *page, int step)
{
    int n, d = page->route->changed[step];
    const nw_dim *dims = nw_space_dims(space_of(page), &n);
    nw_buf_puts(out, ",\"dimension\":");
    if (d < 0)
        nw_buf_puts(out, "null,\"from\":null,\"to\":null");
    else
        nw_buf_json_string(out, dims[d].name);
    for (int i = 0; i < 2 && d >= 0; i++) {
        uint16_t genome[NW_MAX_DIMS];
        char text[64];
        nw_slice_genome(page->slice, step - 1 + i, 0, genome);
        nw_buf_puts(out, i ? ",\"to\":" : ",\"from\":");
        nw_buf_json_string(
            out, nw_option_text(dims[d].kind, &dims[d].options[genome[d]], text, sizeof text));
    }
}

static void put_number(nw_buf *out, const char *name, double value)
{
    nw_buf_printf(out, ",\"%s\":", name);
    if (isfinite(value))
        nw_buf_double(out, value);
    else
        nw_buf_puts(out, "null");
}

void nw_landscape_route_json(const nw_landscape_page *page, nw_buf *out)
{
    const nw_route *r = page->route;
    nw_buf_puts(out, "\"path\":[");
    for (int i = 0; i < r->n_points; i++) {
        const nw_totals *totals = nw_slice_totals(page->slice, i, 0);
        nw_buf_puts(out, i ? ",\n{" : "\n{");
        put_genome(out, page, i);
        put_dimension(out, page, i);
        put_number(out, "value", r->values[i]);
        put_number(out, "change", change_at(page, i));
        nw_buf_printf(out, ",\"fits\":%s", !totals ? "null" : totals->fits ? "true" : "false");
        for (int m = 0; m < NW_METRIC_COUNT; m++)
            put_number(out, nw_metric_name((nw_metric)m),
                       totals ? nw_totals_metric(totals, (nw_metric)m, &page->objective) : NAN);
        nw_buf_puts(out, "}");
    }
    nw_buf_puts(out, "]");
}
