/* landscape.c - a landscape for people who have no screen: shades, tables.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/internal.h"

static const char ramp[] = " .:-=+*#";

enum { N_RAMP = sizeof ramp - 1, LABEL = 27, DEFAULT_WIDTH = 80, MAX_COLUMNS = 64 };

/* A panel in cells; y grows upwards. */
typedef struct drawing {
    const nw_landscape_page *page;
    nw_pane_id id;
    int width, height, cell_columns, cell_rows;
    char *cells;
} drawing;

/* ---- shades ---- */

/* Mean of the points that share a cell; where there are fewer points than cells, the point. */
static double cell_value(const drawing *d, int column, int row)
{
    int x0 = column * d->width / d->cell_columns, x1 = (column + 1) * d->width / d->cell_columns;
    int y0 = row * d->height / d->cell_rows, y1 = (row + 1) * d->height / d->cell_rows;
    double sum = 0;
    int n = 0;
    for (int y = y0; y < y1 || y == y0; y++)
        for (int x = x0; x < x1 || x == x0; x++) {
            double value = nw_landscape_at(d->page, d->id, x, y);
            sum += isnan(value) ? 0 : value;
            n += !isnan(value);
        }
    return n ? sum / n : NAN;
}

static void shade(drawing *d)
{
    nw_scale scale = nw_scale_make(d->page, d->id);
    for (int row = 0; row < d->cell_rows; row++)
        for (int column = 0; column < d->cell_columns; column++) {
            double rank = nw_scale_rank(&scale, cell_value(d, column, row));
            int level = isnan(rank) ? 0 : (int)(rank * N_RAMP);
            char *cell = &d->cells[row * d->cell_columns + column];
            *cell = isnan(rank) ? '?' : ramp[level < N_RAMP ? level : N_RAMP - 1];
        }
    nw_scale_fini(&scale);
}

/* A line as a profile: in each column everything up to its rank. */
static void shade_line(drawing *d)
{
    nw_scale scale = nw_scale_make(d->page, d->id);
    for (int column = 0; column < d->cell_columns; column++) {
        double low = nw_scale_value(&scale, 0), high = nw_scale_value(&scale, 1);
        double value = cell_value(d, column, 0);
        double share = high > low ? (value - low) / (high - low) : 0;
        for (int row = 0; row < d->cell_rows; row++)
            d->cells[row * d->cell_columns + column] = row == 0 ? (isnan(value) ? '?' : '#')
                                                       : row <= share * (d->cell_rows - 1) + 0.5
                                                           ? '#'
                                                           : ' ';
    }
    nw_scale_fini(&scale);
}

/* ---- the path ---- */

static char *cell_of(const drawing *d, int64_t point)
{
    int x = (int)(point % d->width), y = (int)(point / d->width);
    int column = (2 * x + 1) * d->cell_columns / (2 * d->width);
    int row = (2 * y + 1) * d->cell_rows / (2 * d->height);
    return &d->cells[row * d->cell_columns + column];
}

static void draw_path(drawing *d)
{
    const nw_climb *climb = &d->page->panes->panes[d->id].climb;
    for (int i = 1; i < climb->n_path; i++) {
        int64_t from = climb->path[i - 1], step = climb->path[i] - from;
        bool is_along_x = climb->path[i] / d->width == from / d->width;
        *cell_of(d, from) = is_along_x ? (step > 0 ? '>' : '<') : step > 0 ? '^' : 'v';
    }
    *cell_of(d, climb->path[climb->n_path - 1]) = '@';
    *cell_of(d, climb->path[0]) = climb->n_path > 1 ? 'o' : '@';
}

static drawing draw(const nw_landscape_page *page, nw_pane_id id, int columns, int rows)
{
    drawing d = {.page = page, .id = id, .cell_columns = columns, .cell_rows = rows};
    nw_landscape_size(page, id, &d.width, &d.height);
    d.cells = nw_alloc((size_t)columns * (size_t)rows + 1);
    if (d.height == 1)
        shade_line(&d);
    else
        shade(&d);
    if (page->panes && d.height > 1)
        draw_path(&d);
    return d;
}

static void put_bar(int columns, nw_buf *out)
{
    nw_buf_puts(out, "+");
    for (int i = 0; i < columns; i++)
        nw_buf_puts(out, "-");
    nw_buf_puts(out, "+");
}

static void put_panels(const nw_landscape_page *page, int width, nw_buf *out)
{
    int columns = (width - 3 * page->n_shown) / page->n_shown, n = page->n_shown;
    char title[160];
    columns = columns > MAX_COLUMNS ? MAX_COLUMNS : columns < 8 ? 8 : columns;
    int rows = page->route ? columns / 4 : columns / 2;
    drawing drawings[3];
    for (int i = 0; i < n; i++) {
        drawings[i] = draw(page, page->shown[i], columns, rows);
        nw_landscape_title(page, page->shown[i], title, sizeof title);
        nw_buf_printf(out, "%-*.*s%s", i + 1 < n ? columns + 2 : 0, columns + 2, title,
                      i + 1 < n ? " " : "\n");
    }
    for (int row = rows; row >= -1; row--) {
        for (int i = 0; i < n; i++) {
            const char *gap = i + 1 < n ? " " : "\n";
            if (row == rows || row < 0)
                put_bar(columns, out);
            else
                nw_buf_printf(out, "|%.*s|", columns, drawings[i].cells + row * columns);
            nw_buf_puts(out, gap);
        }
    }
    for (int i = 0; i < n; i++)
        free(drawings[i].cells);
}

/* One panel of a metric of which more is better. */
static bool is_turned(const nw_landscape_page *page)
{
    return page->n_shown == 1 && page->shown[0] != NW_PANE_MACS &&
           nw_metric_sense(nw_slice_metric(page->slice)) > 0;
}

static void put_legend(const nw_landscape_page *page, nw_buf *out)
{
    char low[64], high[64], text[160];
    const nw_dim *axes[] = {page->x, page->y};
    for (int i = 0; i < 2 && axes[i]; i++)
        nw_buf_printf(out, "%s: %s, %s to %s\n", i ? "up" : "right",
                      nw_landscape_axis(axes[i], text, sizeof text),
                      nw_option_text(axes[i]->kind, &axes[i]->options[0], low, sizeof low),
                      nw_option_text(axes[i]->kind, &axes[i]->options[axes[i]->n_options - 1], high,
                                     sizeof high));
    if (page->y)
        nw_buf_printf(out, "shades by rank, low \"%s\" high%s\no start  <>^v %s  @ end\n", ramp,
                      page->n_shown > 1 ? ", the same in B and C" : "",
                      is_turned(page) ? "ascent" : "descent");
}

/* ---- the table ---- */

typedef void cell_writer(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size);

static const nw_pane *pane_of(const nw_landscape_page *page, nw_pane_id id)
{
    return &page->panes->panes[id];
}

static void write_size(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    const nw_pane *p = pane_of(page, id);
    snprintf(dst, size, "%d x %d", p->width, p->height);
}

static void write_end(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    const nw_pane *p = pane_of(page, id);
    nw_landscape_point(page, p->end_x, p->end_y, dst, size);
}

static void write_evaluations(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    snprintf(dst, size, "%" PRId64, pane_of(page, id)->climb.n_evaluations);
}

static void write_latency(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    char time[32];
    const nw_totals *end = &pane_of(page, id)->end;
    snprintf(dst, size, "%s%s", nw_format_time(end->latency_ps, time, sizeof time),
             end->fits ? "" : " (does not fit)");
}

static void write_macs(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    nw_format_count(pane_of(page, id)->end.parts.macs, dst, size);
}

static void write_score(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    snprintf(dst, size, "%.2f",
             nw_totals_metric(&pane_of(page, id)->end, NW_METRIC_SCORE, &page->objective));
}

static void write_value(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    const nw_pane *p = pane_of(page, id);
    char value[64];
    nw_format_metric(nw_slice_metric(page->slice), p->end_value, value, sizeof value);
    snprintf(dst, size, "%s (+%.1f %%)", value, 100 * p->gap);
}

static void write_near(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    const nw_pane *p = pane_of(page, id);
    snprintf(dst, size, "%.1f %%, %.1f %%", 100 * p->near_1pct, 100 * p->near_5pct);
}

static void write_mean_gap(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    snprintf(dst, size, "+%.1f %%", 100 * pane_of(page, id)->mean_gap);
}

static void write_mean_climb(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    const nw_figures *f = &pane_of(page, id)->figures;
    snprintf(dst, size, "%.1f, %.1f", f->mean_evaluations, f->mean_moves);
}

static void write_minima(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    const nw_figures *f = &pane_of(page, id)->figures;
    snprintf(dst, size, "%" PRId64 " (%" PRId64 ")", f->n_minima, f->n_plateaus);
}

static void write_figure(double value, int digits, char *dst, size_t size)
{
    if (isnan(value))
        snprintf(dst, size, "-");
    else
        snprintf(dst, size, "%.*f", digits, fabs(value) < 0.5 * pow(10, -digits) ? 0 : value);
}

static void write_density(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    write_figure(pane_of(page, id)->figures.density, 5, dst, size);
}

static void write_step(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    write_figure(pane_of(page, id)->figures.mean_step, 4, dst, size);
}

static void write_monotone(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    write_figure(pane_of(page, id)->figures.monotone, 3, dst, size);
}

static void write_neutral(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    write_figure(pane_of(page, id)->figures.neutral, 3, dst, size);
}

static void write_r1(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    write_figure(pane_of(page, id)->figures.r1, 4, dst, size);
}

static void write_fdc(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    write_figure(pane_of(page, id)->figures.fdc, 3, dst, size);
}

static nw_metric metric_of(const nw_landscape_page *page, nw_pane_id id)
{
    return id == NW_PANE_MACS ? NW_METRIC_MACS : nw_slice_metric(page->slice);
}

static void write_quantile(const nw_landscape_page *page, nw_pane_id id, double value, char *dst,
                           size_t size)
{
    nw_metric metric = metric_of(page, id);
    nw_format_metric(metric, nw_metric_sense(metric) > 0 ? -value : value, dst, size);
}

static void write_p5(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    write_quantile(page, id, pane_of(page, id)->figures.p5, dst, size);
}

static void write_median(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    write_quantile(page, id, pane_of(page, id)->figures.median, dst, size);
}

static void write_p95(const nw_landscape_page *page, nw_pane_id id, char *dst, size_t size)
{
    write_quantile(page, id, pane_of(page, id)->figures.p95, dst, size);
}

static const struct {
    const char *label;
    cell_writer *write; /* NULL: a heading */
    const char *turned; /* the label where more is better; NULL: the same */
} table_rows[] = {
    {"points", write_size, NULL},
    {"the descent ends at", write_end, "the ascent ends at"},
    {"  points looked at", write_evaluations, NULL},
    {"  hardware latency", write_latency, NULL},
    {"  MACs", write_macs, NULL},
    {"  score", write_score, NULL},
    {"  priced there (to best)", write_value, NULL},
    {"climbs from every point", NULL, NULL},
    {"  within 1 %, 5 % of best", write_near, NULL},
    {"  mean to best", write_mean_gap, NULL},
    {"  mean looks, moves", write_mean_climb, NULL},
    {"the terrain", NULL, NULL},
    {"  minima (plateaus)", write_minima, "  maxima (plateaus)"},
    {"  minima per point", write_density, "  maxima per point"},
    {"  mean step / range", write_step, NULL},
    {"  monotone", write_monotone, NULL},
    {"  without a difference", write_neutral, NULL},
    {"  r(1)", write_r1, NULL},
    {"  fitness-distance", write_fdc, NULL},
    {"  5 % of points are below", write_p5, "  5 % of points are above"},
    {"  median", write_median, NULL},
    {"  95 % of points are below", write_p95, "  95 % of points are above"},
};

static void put_line(nw_buf *out, nw_buf *line)
{
    size_t n = line->length;
    while (n > 0 && line->text[n - 1] == ' ')
        n--;
    nw_buf_add(out, nw_buf_text(line), n);
    nw_buf_puts(out, "\n");
    nw_buf_clear(line);
}

/* How much of a cell stands in a column: all of it, or up to the last blank that fits. */
static size_t fit_cell(const char *cell, size_t room)
{
    size_t n = strlen(cell);
    if (n <= room)
        return n;
    for (size_t i = room; i > 0; i--)
        if (cell[i] == ' ')
            return i;
    return n;
}

/* What a cell has no room for stands below it. */
static void put_row(const nw_landscape_page *page, const char *label, cell_writer *write,
                    int column, nw_buf *line, nw_buf *out)
{
    char cells[NW_PANE_COUNT][160];
    const char *rest[NW_PANE_COUNT];
    bool has_more = true;
    for (int i = 0; i < page->n_shown; i++) {
        write(page, page->shown[i], cells[i], sizeof cells[i]);
        rest[i] = cells[i];
    }
    for (; has_more; label = "") {
        has_more = false;
        nw_buf_printf(line, "%-*s", LABEL, label);
        for (int i = 0; i < page->n_shown; i++) {
            size_t n = fit_cell(rest[i], (size_t)column - 1);
            nw_buf_printf(line, "%-*.*s ", column - 1, (int)n, rest[i]);
            rest[i] += n + strspn(rest[i] + n, " ");
            has_more |= *rest[i] != '\0';
        }
        put_line(out, line);
    }
}

static void put_table(const nw_landscape_page *page, int width, nw_buf *out)
{
    int column = (width - LABEL) / page->n_shown;
    nw_buf line = {0};
    column = column < 18 ? 18 : column > 30 ? 30 : column;
    nw_buf_printf(&line, "\n%-*s", LABEL, "");
    for (int i = 0; i < page->n_shown; i++) {
        char title[96];
        nw_pane_id id = page->shown[i];
        const char *name = id == NW_PANE_CURATED && page->n_shown > 1
                               ? "curated"
                               : nw_metric_name(metric_of(page, id));
        if (page->n_shown > 1)
            snprintf(title, sizeof title, "%c %s", 'A' + (int)id, name);
        else
            snprintf(title, sizeof title, "%s", name);
        nw_buf_printf(&line, "%-*.*s ", column - 1, column - 1, title);
    }
    put_line(out, &line);
    for (size_t r = 0; r < sizeof table_rows / sizeof *table_rows; r++) {
        const char *label =
            is_turned(page) && table_rows[r].turned ? table_rows[r].turned : table_rows[r].label;
        if (table_rows[r].write)
            put_row(page, label, table_rows[r].write, column, &line, out);
        else
            nw_buf_printf(out, "%s\n", label);
    }
    nw_buf_fini(&line);
}

/* ---- what stands below ---- */

static void put_control(const nw_landscape_page *page, const char *what, nw_pane_id id, nw_buf *out)
{
    const nw_pane *p = pane_of(page, id);
    char point[160], value[64];
    if (!p->is_there)
        return;
    nw_format_metric(nw_slice_metric(page->slice), p->end_value, value, sizeof value);
    nw_buf_printf(out,
                  "  %s, %d x %d:\n    ends at %s, %s (+%.1f %%), %" PRId64
                  " looked at;\n    from every point mean +%.1f %%, %.1f %% within 1 %%\n",
                  what, p->width, p->height,
                  nw_landscape_point(page, p->end_x, p->end_y, point, sizeof point), value,
                  100 * p->gap, p->climb.n_evaluations, 100 * p->mean_gap, 100 * p->near_1pct);
}

static void put_controls(const nw_landscape_page *page, nw_buf *out)
{
    const nw_restarts *r = &page->panes->restarts;
    nw_buf_puts(out, "\ncontrols\n");
    put_control(page, "C half a step off the alignment", NW_PANE_SHIFTED, out);
    if (r->n_runs)
        nw_buf_printf(out,
                      "  B with random restarts until %" PRId64
                      " point%s looked at, as in C, %d runs:\n    mean +%.1f %%, %.1f %% "
                      "within 1 %%\n",
                      r->n_evaluations, r->n_evaluations == 1 ? " is" : "s are", r->n_runs,
                      100 * r->mean_gap, 100 * r->near_1pct);
    put_control(page, "MACs with the score, in the objective's formula", NW_PANE_SCORED_MACS, out);
}

static void put_curated(const nw_landscape_page *page, nw_buf *out)
{
    const nw_pane *c = pane_of(page, NW_PANE_CURATED);
    if (!c->is_there)
        return;
    for (int axis = 0; axis < 2; axis++) {
        const nw_dim *dim = axis ? page->y : page->x;
        const int *at = axis ? c->at_y : c->at_x;
        if (!dim)
            break;
        nw_buf_printf(out, "curated %s:", dim->name);
        for (int i = 0; i < (axis ? c->height : c->width); i++) {
            char text[64];
            nw_buf_printf(out, " %s",
                          nw_option_text(dim->kind, &dim->options[at[i]], text, sizeof text));
        }
        nw_buf_puts(out, "\n");
    }
}

static void put_head(const nw_landscape_page *page, nw_buf *out)
{
    char text[160], estimator[160], types[80], calibration[256];
    nw_buf_printf(out, "%s on %s, estimated by %s\n",
                  nw_text_visible(page->space, text, sizeof text), page->hw->name,
                  nw_format_estimator(page->estimator, estimator, sizeof estimator));
    nw_buf_printf(
        out, "precision %s\nlatency %s\n",
        nw_format_types(nw_arch_graph(page->base), page->hw, page->precision, types, sizeof types),
        nw_format_calibration(&(nw_estimate){.estimator = page->estimator}, page->hw, calibration,
                              sizeof calibration));
    if (nw_slice_metric(page->slice) == NW_METRIC_OBJECTIVE)
        nw_buf_printf(out,
                      "objective: %s\n(latency alone is a staircase; with its score it is what a "
                      "search walks over)\n",
                      nw_landscape_formula(page, text, sizeof text));
    if (page->n_limits)
        nw_buf_printf(out, "(the space's limit%s not looked at: points beyond %s are shown)\n",
                      page->n_limits == 1 ? " is" : "s are", page->n_limits == 1 ? "it" : "them");
    nw_buf_puts(out, "\n");
}

void nw_landscape_text(const nw_landscape_page *page, int width, nw_buf *out)
{
    char point[160], value[64];
    nw_metric metric = nw_slice_metric(page->slice);
    width = width <= 0 ? DEFAULT_WIDTH : width;
    put_head(page, out);
    put_panels(page, width, out);
    put_legend(page, out);
    if (page->route) {
        nw_landscape_route_text(page, out);
        return;
    }
    if (!page->panes) {
        int64_t n = (int64_t)nw_slice_width(page->slice) * nw_slice_height(page->slice);
        nw_buf_printf(out, "stopped: %" PRId64 " of %" PRId64 " points are known\n",
                      nw_slice_n_done(page->slice), n);
        return;
    }
    put_table(page, width, out);
    nw_buf_printf(
        out, "\nbest of all points: %s, %s %s\n",
        nw_landscape_point(page, page->panes->best_x, page->panes->best_y, point, sizeof point),
        nw_metric_name(metric),
        nw_format_metric(metric, page->panes->best_value, value, sizeof value));
    put_curated(page, out);
    if (page->n_shown > 1)
        put_controls(page, out);
}
