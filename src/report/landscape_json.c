#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "src/report/internal.h"

static const char *const pane_names[] = {"macs", "single", "curated", "shifted", "scored_macs"};

static void put_name(nw_buf *out, const char *name, const char *text)
{
    char *clean = nw_printable(text);
    nw_buf_printf(out, "\"%s\":", name);
    nw_buf_json_string(out, clean);
    free(clean);
}

static void put_number(nw_buf *out, const char *name, double value)
{
    if (name)
        nw_buf_printf(out, "\"%s\":", name);
    if (isfinite(value))
        nw_buf_double(out, value);
    else
        nw_buf_puts(out, "null");
}

static void put_numbers(nw_buf *out, const char *const *names, const double *values, int n)
{
    for (int i = 0; i < n; i++) {
        nw_buf_puts(out, i ? "," : "");
        put_number(out, names[i], values[i]);
    }
}

static void put_axis(nw_buf *out, const char *name, const nw_dim *dim)
{
    if (!dim) {
        nw_buf_printf(out, "\"%s\":null", name);
        return;
    }
    nw_buf_printf(out, "\"%s\":{", name);
    put_name(out, "name", dim->name);
    nw_buf_printf(out, ",\"kind\":\"%s\",", nw_dim_kind_name(dim->kind));
    put_name(out, "where", dim->where);
    nw_buf_puts(out, ",\"options\":[");
    for (int i = 0; i < dim->n_options; i++) {
        char text[64];
        nw_buf_puts(out, i ? "," : "");
        nw_buf_json_string(out, nw_option_text(dim->kind, &dim->options[i], text, sizeof text));
    }
    nw_buf_puts(out, "]}");
}

static void put_objective(nw_buf *out, const nw_objective *o)
{
    static const char *const names[] = {"weight", "fusion_credit", "base_latency_us", "base_score"};
    const double values[] = {o->weight, o->fusion_credit, (double)o->base_latency_ps / 1e6,
                             o->base_score};
    nw_buf_puts(out, "\"objective\":{");
    put_numbers(out, names, values, 4);
    nw_buf_puts(out, "}");
}

/* A point of the slice and what its network costs. */
static void put_point(nw_buf *out, const nw_landscape_page *page, int x, int y, double value,
                      const nw_totals *totals)
{
    nw_buf_printf(out, "\"x\":%d,\"y\":%d,", x, y);
    put_number(out, "value", value);
    for (int m = 0; m < NW_METRIC_COUNT; m++) {
        nw_buf_puts(out, ",");
        put_number(out, nw_metric_name((nw_metric)m),
                   nw_totals_metric(totals, (nw_metric)m, &page->objective));
    }
}

static void put_figures(nw_buf *out, const nw_figures *f)
{
    static const char *const names[] = {
        "best",       "worst",      "mean",         "p5",           "median",
        "p95",        "mean_step",  "monotone",     "neutral",      "density",
        "share_1pct", "share_5pct", "walking_1pct", "walking_5pct", "mean_evaluations",
        "mean_moves", "r1",         "fdc"};
    const double values[] = {
        f->best,       f->worst,      f->mean,         f->p5,           f->median,
        f->p95,        f->mean_step,  f->monotone,     f->neutral,      f->density,
        f->share_1pct, f->share_5pct, f->walking_1pct, f->walking_5pct, f->mean_evaluations,
        f->mean_moves, f->r1,         f->fdc};
    nw_buf_printf(out,
                  "\"figures\":{\"points\":%" PRId64 ",\"edges\":%" PRId64 ",\"minima\":%" PRId64
                  ",\"plateaus\":%" PRId64 ",",
                  f->n_points, f->n_edges, f->n_minima, f->n_plateaus);
    put_numbers(out, names, values, sizeof values / sizeof *values);
    nw_buf_puts(out, "}");
}

static void put_list(nw_buf *out, const char *name, const int *list, int n)
{
    nw_buf_printf(out, "\"%s\":[", name);
    for (int i = 0; i < n; i++)
        nw_buf_printf(out, "%s%d", i ? "," : "", list ? list[i] : i);
    nw_buf_puts(out, "],");
}

static void put_values(nw_buf *out, const nw_landscape_page *page, nw_pane_id id)
{
    int width, height;
    nw_landscape_size(page, id, &width, &height);
    nw_buf_puts(out, "\"values\":[");
    for (int y = 0; y < height; y++) {
        nw_buf_puts(out, y ? ",\n[" : "[");
        for (int x = 0; x < width; x++) {
            nw_buf_puts(out, x ? "," : "");
            put_number(out, NULL, nw_landscape_at(page, id, x, y));
        }
        nw_buf_puts(out, "]");
    }
    nw_buf_puts(out, "]");
}

static void put_climb(nw_buf *out, const nw_landscape_page *page, const nw_pane *p)
{
    static const char *const names[] = {"mean_gap", "near_1pct", "near_5pct"};
    const double values[] = {p->mean_gap, p->near_1pct, p->near_5pct};
    nw_buf_puts(out, ",\"path\":[");
    for (int i = 0; i < p->climb.n_path; i++)
        nw_buf_printf(out, "%s[%d,%d]", i ? "," : "", p->at_x[p->climb.path[i] % p->width],
                      p->at_y[p->climb.path[i] / p->width]);
    nw_buf_printf(out, "],\"evaluations\":%" PRId64 ",\"end\":{", p->climb.n_evaluations);
    put_point(out, page, p->end_x, p->end_y, p->end_value, &p->end);
    nw_buf_puts(out, ",");
    put_number(out, "gap", p->gap);
    nw_buf_puts(out, "},\"from_every_point\":{");
    put_numbers(out, names, values, 3);
    nw_buf_puts(out, "},");
    put_figures(out, &p->figures);
}

static void put_panel(nw_buf *out, const nw_landscape_page *page, nw_pane_id id)
{
    const nw_pane *p = page->panes ? &page->panes->panes[id] : NULL;
    int width, height;
    nw_landscape_size(page, id, &width, &height);
    nw_metric metric = nw_slice_metric(page->slice);
    nw_buf_printf(out, "{\"name\":\"%s\",\"metric\":\"%s\",", pane_names[id],
                  id == NW_PANE_MACS          ? "macs"
                  : id == NW_PANE_SCORED_MACS ? "objective_macs"
                                              : nw_metric_name(metric));
    put_list(out, "columns", p ? p->at_x : NULL, width);
    put_list(out, "rows", p ? p->at_y : NULL, height);
    put_values(out, page, id);
    if (p)
        put_climb(out, page, p);
    nw_buf_puts(out, "}");
}

static void put_restarts(nw_buf *out, const nw_restarts *r)
{
    static const char *const names[] = {"mean_gap", "near_1pct", "near_5pct"};
    const double values[] = {r->mean_gap, r->near_1pct, r->near_5pct};
    if (!r->n_runs) {
        nw_buf_puts(out, "\"restarts\":null");
        return;
    }
    nw_buf_printf(out, "\"restarts\":{\"evaluations\":%" PRId64 ",\"runs\":%d,", r->n_evaluations,
                  r->n_runs);
    put_numbers(out, names, values, 3);
    nw_buf_puts(out, "}");
}

static void put_panes(nw_buf *out, const nw_landscape_page *page)
{
    nw_buf_puts(out, "\"panels\":[\n");
    for (int i = 0; i < page->n_shown; i++) {
        nw_buf_puts(out, i ? ",\n" : "");
        put_panel(out, page, page->shown[i]);
    }
    for (int id = NW_PANE_SHIFTED; id < NW_PANE_COUNT && page->n_shown > 1; id++)
        if (page->panes && page->panes->panes[id].is_there) {
            nw_buf_puts(out, ",\n");
            put_panel(out, page, (nw_pane_id)id);
        }
    nw_buf_puts(out, "]");
}

void nw_landscape_json(const nw_landscape_page *page, nw_buf *out)
{
    nw_metric metric = nw_slice_metric(page->slice);
    nw_buf_puts(out, "{\"schema\":\"nasw.landscape/1\",");
    put_name(out, "space", page->space);
    nw_buf_puts(out, ",");
    put_name(out, "hw", page->hw->name);
    nw_buf_puts(out, ",");
    put_name(out, "estimator", page->estimator->name);
    nw_buf_puts(out, ",");
    put_name(out, "precision", page->precision ? page->precision : "file");
    nw_buf_printf(out, ",\"metric\":\"%s\",\"complete\":%s,\n", nw_metric_name(metric),
                  page->panes || page->route ? "true" : "false");
    put_axis(out, "x", page->x);
    nw_buf_puts(out, ",\n");
    put_axis(out, "y", page->y);
    nw_buf_puts(out, ",\n");
    put_objective(out, &page->objective);
    if (page->panes) {
        const nw_panes *p = page->panes;
        nw_buf_printf(out, ",\n\"start\":[%d,%d],\"best\":{", p->start_x, p->start_y);
        put_point(out, page, p->best_x, p->best_y, p->best_value, &p->best);
        nw_buf_puts(out, "},");
        put_restarts(out, &p->restarts);
    }
    nw_buf_puts(out, ",\n");
    if (page->route) {
        nw_landscape_route_json(page, out);
        nw_buf_puts(out, ",\n");
        put_figures(out, &page->route->figures);
    } else {
        put_panes(out, page);
    }
    nw_buf_puts(out, "}\n");
}
