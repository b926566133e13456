/* landscape_svg.c - a landscape as one picture: panels with their descents, scales, the table.
 *
 * Terrains of many points are pictures in the picture, those of few are rectangles with their
 * values. Curated panels stand on the axes of the others, each value as wide as it is near.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/internal.h"

enum {
    PANEL = 330,  /* side of a panel, in pixels as all here */
    LEFT = 64,    /* of the first panel: its axis */
    BETWEEN = 66, /* panels */
    TOP = 96,
    BELOW = 62, /* the panel, down to the scale */
    TABLE = 44, /* the scale, down to the table */
    LINE = 18,  /* of text */
    N_COLOURS = 64,
    MOST_CELLS = 40, /* a side */
    MOST_MINIMA = 10000,
};

/* Ten samples of viridis (van der Walt and Smith, matplotlib; in the public domain). */
static const uint8_t viridis[][3] = {{68, 1, 84},    {72, 40, 120},  {62, 73, 137},  {49, 104, 142},
                                     {38, 130, 142}, {31, 158, 137}, {53, 183, 121}, {110, 206, 88},
                                     {181, 222, 43}, {253, 231, 37}};

typedef struct svg {
    const nw_landscape_page *page;
    nw_buf *out;
    nw_scale scale; /* of the panel being drawn */
    int x;          /* its left */
} svg;

/* ---- words ---- */

static void put_escaped(nw_buf *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            nw_buf_puts(out, "&amp;");
            break;
        case '<':
            nw_buf_puts(out, "&lt;");
            break;
        case '>':
            nw_buf_puts(out, "&gt;");
            break;
        case '"':
            nw_buf_puts(out, "&quot;");
            break;
        default:
            nw_buf_add(out, text, 1);
        }
}

static void put_text(svg *s, double x, double y, const char *style, const char *format, ...)
    NW_PRINTF(5, 6);

static void put_text(svg *s, double x, double y, const char *style, const char *format, ...)
{
    char raw[512], clean[768];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    nw_buf_printf(s->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" xml:space=\"preserve\">", x, y,
                  style);
    put_escaped(s->out, nw_text_visible(raw, clean, sizeof clean));
    nw_buf_puts(s->out, "</text>\n");
}

/* ---- colours ---- */

static void colour_of(double share, uint8_t rgb[3])
{
    enum { LAST = sizeof viridis / sizeof *viridis - 1 };
    double at = share * LAST;
    int low = at < 0 ? 0 : at >= LAST ? LAST - 1 : (int)at;
    for (int i = 0; i < 3; i++)
        rgb[i] =
            (uint8_t)(viridis[low][i] + (at - low) * (viridis[low + 1][i] - viridis[low][i]) + 0.5);
}

static int index_of(const svg *s, double value)
{
    double rank = nw_scale_rank(&s->scale, value);
    return isnan(rank) ? N_COLOURS : (int)(rank * (N_COLOURS - 1) + 0.5);
}

static void make_palette(uint8_t palette[][3])
{
    for (int i = 0; i < N_COLOURS; i++)
        colour_of((double)i / (N_COLOURS - 1), palette[i]);
    memset(palette[N_COLOURS], 0xcc, 3); /* no network */
}

/* ---- places ---- */

static double place_x(const svg *s, double column)
{
    return s->x + column * PANEL / nw_slice_width(s->page->slice);
}

static double place_y(const svg *s, double row)
{
    return TOP + PANEL - row * PANEL / nw_slice_height(s->page->slice);
}

/* ---- terrains ---- */

/* Few points are repeated, since not everybody who draws pictures keeps pixels square. */
static void put_picture(svg *s, nw_pane_id id, int width, int height)
{
    int times_x = width < PANEL ? PANEL / width : 1, times_y = height < PANEL ? PANEL / height : 1;
    int wide = width * times_x, high = height * times_y;
    uint8_t palette[N_COLOURS + 1][3], *pixels = nw_alloc((size_t)wide * (size_t)high + 1);
    make_palette(palette);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int colour = index_of(s, nw_landscape_at(s->page, id, x, y));
            for (int k = 0; k < times_y; k++)
                memset(pixels + (size_t)((height - 1 - y) * times_y + k) * (size_t)wide +
                           (size_t)(x * times_x),
                       colour, (size_t)times_x);
        }
    nw_buf_printf(s->out,
                  "<image x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
                  "preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" "
                  "xlink:href=\"data:image/png;base64,",
                  s->x, TOP, PANEL, PANEL);
    nw_png_base64(pixels, wide, high, palette[0], N_COLOURS + 1, s->out);
    nw_buf_puts(s->out, "\"/>\n");
    free(pixels);
}

/* From where to where the cell of the i-th of n chosen columns reaches, on an axis of size of them:
 * half the way to its neighbours where numbers stand, choices keep to themselves. */
typedef struct span {
    double from, to;
} span;

static span find_span(const int *at, int i, int n, int size, bool is_choice)
{
    if (!at || is_choice)
        return (span){at ? at[i] : i, (at ? at[i] : i) + 1};
    return (span){i == 0 ? 0 : (at[i - 1] + at[i] + 1) / 2.0,
                  i + 1 == n ? size : (at[i] + at[i + 1] + 1) / 2.0};
}

static void put_cell(svg *s, double value, double x0, double x1, double y0, double y1)
{
    uint8_t rgb[N_COLOURS + 1][3];
    make_palette(rgb);
    const uint8_t *c = rgb[index_of(s, value)];
    nw_buf_printf(s->out,
                  "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" "
                  "fill=\"#%02x%02x%02x\" class=\"cell\"/>\n",
                  x0, y1, x1 - x0, y0 - y1, c[0], c[1], c[2]);
    if (isnan(value) || nw_slice_metric(s->page->slice) != NW_METRIC_OBJECTIVE || x1 - x0 < 26 ||
        y0 - y1 < 12)
        return;
    bool is_dark = 0.3 * c[0] + 0.6 * c[1] + 0.1 * c[2] < 130;
    put_text(s, (x0 + x1) / 2, (y0 + y1) / 2 + 3.5, is_dark ? "value light" : "value", "%.2f",
             value);
}

static void put_cells(svg *s, nw_pane_id id, int width, int height)
{
    const nw_pane *p = s->page->panes ? &s->page->panes->panes[id] : NULL;
    int w = nw_slice_width(s->page->slice), h = nw_slice_height(s->page->slice);
    const int *at_x = p ? p->at_x : NULL, *at_y = p ? p->at_y : NULL;
    nw_terrain terrain = nw_slice_terrain(s->page->slice);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            span across = find_span(at_x, x, width, w, terrain.kinds[0] == NW_AXIS_CHOICES);
            span up = find_span(at_y, y, height, h, terrain.kinds[1] == NW_AXIS_CHOICES);
            put_cell(s, nw_landscape_at(s->page, id, x, y), place_x(s, across.from),
                     place_x(s, across.to), place_y(s, up.from), place_y(s, up.to));
        }
}

/* Dots that grow smaller where there are many. */
static void put_minima(svg *s, const nw_pane *p)
{
    double r = PANEL / (4 * sqrt((double)p->figures.n_minima));
    r = r > 2.2 ? 2.2 : r;
    if (p->figures.n_minima > MOST_MINIMA)
        return;
    for (int64_t i = 0; i < p->terrain.n_points; i++)
        if (p->is_minimum[i])
            nw_buf_printf(s->out, "<circle cx=\"%.2f\" cy=\"%.2f\" r=\"%.2f\" class=\"%s\"/>\n",
                          place_x(s, p->at_x[i % p->width] + 0.5),
                          place_y(s, p->at_y[i / p->width] + 0.5), r,
                          r > 1.5 ? "minimum" : "speck");
}

/* A line: its value over the axis, from the least to the greatest. */
static double place_value(const svg *s, double value)
{
    double low = nw_scale_value(&s->scale, 0), high = nw_scale_value(&s->scale, 1);
    double share = high > low ? (value - low) / (high - low) : 0.5;
    return TOP + PANEL - 8 - share * (PANEL - 16);
}

static nw_metric metric_of(const svg *s, nw_pane_id id)
{
    return id == NW_PANE_MACS ? NW_METRIC_MACS : nw_slice_metric(s->page->slice);
}

static void put_line(svg *s, nw_pane_id id, int width)
{
    const nw_pane *p = s->page->panes ? &s->page->panes->panes[id] : NULL;
    bool is_down = false;
    nw_buf_puts(s->out, "<path class=\"line\" d=\"");
    for (int x = 0; x < width; x++) {
        double value = nw_landscape_at(s->page, id, x, 0);
        if (!isnan(value))
            nw_buf_printf(s->out, "%c%.2f %.2f ", is_down ? 'L' : 'M',
                          place_x(s, (p ? p->at_x[x] : x) + 0.5), place_value(s, value));
        is_down = !isnan(value);
    }
    nw_buf_puts(s->out, "\"/>\n");
    for (int i = 0; i <= 4; i++) {
        char text[64];
        double value = nw_scale_value(&s->scale, 0) +
                       i / 4.0 * (nw_scale_value(&s->scale, 1) - nw_scale_value(&s->scale, 0));
        put_text(s, s->x - 6, place_value(s, value) + 4, "tick right", "%s",
                 nw_format_metric(metric_of(s, id), value, text, sizeof text));
    }
}

static void put_terrain(svg *s, nw_pane_id id)
{
    int width, height;
    nw_landscape_size(s->page, id, &width, &height);
    if (nw_slice_height(s->page->slice) == 1)
        put_line(s, id, width);
    else if (id == NW_PANE_CURATED || (width <= MOST_CELLS && height <= MOST_CELLS))
        put_cells(s, id, width, height);
    else
        put_picture(s, id, width, height);
    if (s->page->panes && nw_slice_height(s->page->slice) > 1)
        put_minima(s, &s->page->panes->panes[id]);
    nw_buf_printf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"frame\"/>\n",
                  s->x, TOP, PANEL, PANEL);
}

/* ---- descents ---- */

static void put_star(svg *s, double x, double y)
{
    nw_buf_puts(s->out, "<polygon class=\"mark\" points=\"");
    for (int i = 0; i < 10; i++) {
        double r = i % 2 ? 3.6 : 8.5, angle = 3.14159265358979 * (i / 5.0 - 0.5);
        nw_buf_printf(s->out, "%.2f,%.2f ", x + r * cos(angle), y + r * sin(angle));
    }
    nw_buf_puts(s->out, "\"/>\n");
}

static double path_y(const svg *s, nw_pane_id id, const nw_pane *p, int64_t point)
{
    if (nw_slice_height(s->page->slice) == 1)
        return place_value(s, nw_landscape_at(s->page, id, (int)point, 0));
    return place_y(s, p->at_y[point / p->width] + 0.5);
}

static void put_descent(svg *s, nw_pane_id id)
{
    const nw_pane *p = &s->page->panes->panes[id];
    static const char *const classes[] = {"under", "over"};
    const int64_t *path = p->climb.path;
    int n = p->climb.n_path;
    for (int pass = 0; pass < 2; pass++) {
        nw_buf_printf(s->out, "<polyline class=\"%s\" points=\"", classes[pass]);
        for (int i = 0; i < n; i++)
            nw_buf_printf(s->out, "%.2f,%.2f ", place_x(s, p->at_x[path[i] % p->width] + 0.5),
                          path_y(s, id, p, path[i]));
        nw_buf_puts(s->out, "\"/>\n");
    }
    double end_x = place_x(s, p->at_x[path[n - 1] % p->width] + 0.5);
    double start_x = place_x(s, p->at_x[path[0] % p->width] + 0.5);
    if (nw_slice_height(s->page->slice) > 1)
        nw_buf_printf(s->out, "<circle class=\"best\" cx=\"%.2f\" cy=\"%.2f\" r=\"11\"/>\n",
                      place_x(s, s->page->panes->best_x + 0.5),
                      place_y(s, s->page->panes->best_y + 0.5));
    put_star(s, end_x, path_y(s, id, p, path[n - 1]));
    nw_buf_printf(s->out, "<circle class=\"mark\" cx=\"%.2f\" cy=\"%.2f\" r=\"4.5\"/>\n", start_x,
                  path_y(s, id, p, path[0]));
}

/* ---- axes and scales ---- */

/* Ticks at multiples of a power of two where options are numbers, else at up to eight of them. */
static bool is_tick(const nw_dim *dim, int i)
{
    bool is_counted = dim->kind == NW_DIM_CHANNELS || dim->kind == NW_DIM_EXPANDED;
    int64_t step = 1, range = dim->options[dim->n_options - 1].n - dim->options[0].n;
    if (!is_counted || dim->n_options <= 8)
        return i % ((dim->n_options + 7) / 8) == 0;
    while (range / step > 6)
        step *= 2;
    return dim->options[i].n % step == 0;
}

static void put_ticks(svg *s, const nw_dim *dim, bool is_y)
{
    for (int i = 0; i < dim->n_options; i++) {
        char text[64];
        if (!is_tick(dim, i))
            continue;
        double x = is_y ? s->x : place_x(s, i + 0.5), y = is_y ? place_y(s, i + 0.5) : TOP + PANEL;
        nw_buf_printf(s->out, "<path class=\"tick\" d=\"M%.2f %.2f%s\"/>\n", x, y,
                      is_y ? "h-5" : "v5");
        put_text(s, is_y ? x - 8 : x, is_y ? y + 4 : y + 17, is_y ? "tick right" : "tick middle",
                 "%s", nw_option_text(dim->kind, &dim->options[i], text, sizeof text));
    }
}

/* A route's points are its steps, by their numbers. */
static void put_steps_axis(svg *s)
{
    int n = s->page->route->n_points;
    for (int i = 0; i < n; i += (n + 15) / 16)
        put_text(s, place_x(s, i + 0.5), TOP + PANEL + 17, "tick middle", "%d", i);
    put_text(s, s->x + PANEL / 2.0, TOP + PANEL + 34, "label middle", "genes changed");
    for (int i = 0; i < n; i++)
        if (!isnan(s->page->route->values[i]))
            nw_buf_printf(s->out, "<circle cx=\"%.2f\" cy=\"%.2f\" r=\"2.2\" class=\"minimum\"/>\n",
                          place_x(s, i + 0.5), place_value(s, s->page->route->values[i]));
}

static void put_axes(svg *s)
{
    const nw_dim *x = s->page->x, *y = s->page->y;
    if (s->page->route) {
        put_steps_axis(s);
        return;
    }
    put_ticks(s, x, false);
    char text[160];
    put_text(s, s->x + PANEL / 2.0, TOP + PANEL + 34, "label middle", "%s",
             nw_landscape_axis(x, text, sizeof text));
    if (!y)
        return;
    put_ticks(s, y, true);
    nw_buf_printf(s->out, "<g transform=\"translate(%d %d) rotate(-90)\">", s->x - 42,
                  TOP + PANEL / 2);
    put_text(s, 0, 0, "label middle", "%s", nw_landscape_axis(y, text, sizeof text));
    nw_buf_puts(s->out, "</g>\n");
}

/* Colours by rank, with the values that stand there. */
static void put_scale(svg *s, nw_pane_id id)
{
    double top = TOP + PANEL + BELOW - 16;
    nw_metric metric = metric_of(s, id);
    uint8_t palette[N_COLOURS + 1][3];
    make_palette(palette);
    for (int i = 0; i < N_COLOURS; i++)
        nw_buf_printf(s->out,
                      "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"10\" "
                      "fill=\"#%02x%02x%02x\"/>\n",
                      s->x + (double)i * PANEL / N_COLOURS, top, (double)PANEL / N_COLOURS + 0.4,
                      palette[i][0], palette[i][1], palette[i][2]);
    for (int i = 0; i <= 4; i++) {
        char text[64];
        double value = nw_scale_value(&s->scale, i / 4.0);
        if (metric == NW_METRIC_OBJECTIVE && !isnan(value))
            snprintf(text, sizeof text, "%.2f", value);
        else
            nw_format_metric(metric, value, text, sizeof text);
        put_text(s, s->x + i * PANEL / 4.0, top + 22,
                 i == 0   ? "tick"
                 : i == 4 ? "tick right"
                          : "tick middle",
                 "%s", text);
    }
}

/* ---- words below ---- */

static int put_row(svg *s, int y, const char *label, const char *format, ...) NW_PRINTF(4, 5);

static int put_row(svg *s, int y, const char *label, const char *format, ...)
{
    char value[256];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    put_text(s, s->x, y, "dim", "%s", label);
    put_text(s, s->x + PANEL, y, "right", "%s", value);
    return y + LINE;
}

static int put_table(svg *s, nw_pane_id id, int y)
{
    const nw_pane *p = &s->page->panes->panes[id];
    const nw_figures *f = &p->figures;
    nw_metric metric = nw_slice_metric(s->page->slice);
    char a[160], b[64];
    y = put_row(s, y, "the descent ends at", "%s",
                nw_landscape_point(s->page, p->end_x, p->end_y, a, sizeof a));
    y = put_row(s, y, "points looked at", "%" PRId64, p->climb.n_evaluations);
    nw_format_metric(metric, p->end_value, a, sizeof a);
    y = put_row(s, y, "priced there", "%s, +%.1f %% to the best", a, 100 * p->gap);
    y = put_row(s, y, "", "%s, %s MACs", nw_format_time(p->end.latency_ps, a, sizeof a),
                nw_format_count(p->end.parts.macs, b, sizeof b));
    y = put_row(s, y, "from every point: within 1 %", "%.1f %%, mean +%.1f %%", 100 * p->near_1pct,
                100 * p->mean_gap);
    y = put_row(s, y, "local minima", "%" PRId64 " of %" PRId64 " points", f->n_minima,
                f->n_points);
    y = put_row(s, y, "mean step / range", "%.4f", f->mean_step);
    return put_row(s, y, "r(1), fitness-distance", "%.3f, %.3f", f->r1, f->fdc);
}

static int put_steps(svg *s, int y)
{
    char step[256], value[64], change[64];
    for (int i = 0; i < s->page->route->n_points; i++) {
        nw_landscape_step_value(s->page, i, value, change, sizeof value);
        put_text(s, s->x, y, "dim", "%d  %s", i, nw_landscape_step(s->page, i, step, sizeof step));
        put_text(s, s->x + PANEL + BETWEEN, y, "right", "%s", value);
        put_text(s, s->x + PANEL + 3 * BETWEEN, y, "right", "%s", change);
        y += LINE;
    }
    return y;
}

static void put_controls(svg *s, int y)
{
    const nw_panes *panes = s->page->panes;
    const nw_pane *shifted = &panes->panes[NW_PANE_SHIFTED];
    const nw_pane *scored = &panes->panes[NW_PANE_SCORED_MACS];
    char point[160];
    if (shifted->is_there) {
        put_text(s, LEFT, y, "",
                 "Control, C half a step off the alignment: ends at %s, +%.1f %%; from every point "
                 "%.1f %% within 1 %%, mean +%.1f %%",
                 nw_landscape_point(s->page, shifted->end_x, shifted->end_y, point, sizeof point),
                 100 * shifted->gap, 100 * shifted->near_1pct, 100 * shifted->mean_gap);
        y += LINE;
    }
    if (panes->restarts.n_runs) {
        put_text(s, LEFT, y, "",
                 "Control, B with random restarts at C's %" PRId64
                 " points looked at: %.1f %% of %d runs within 1 %%, mean +%.1f %%",
                 panes->restarts.n_evaluations, 100 * panes->restarts.near_1pct,
                 panes->restarts.n_runs, 100 * panes->restarts.mean_gap);
        y += LINE;
    }
    put_text(s, LEFT, y, "",
             "Control, MACs with the score in the same formula: ends at %s, +%.1f %% on the "
             "hardware",
             nw_landscape_point(s->page, scored->end_x, scored->end_y, point, sizeof point),
             100 * scored->gap);
}

static void put_head(svg *s)
{
    char text[256], estimator[160], best[160], value[64];
    nw_metric metric = nw_slice_metric(s->page->slice);
    put_text(s, LEFT, 28, "title", "%s on %s", s->page->space, s->page->hw->name);
    if (metric == NW_METRIC_OBJECTIVE)
        put_text(s, LEFT, 48, "dim", "objective: %s. Estimated by %s",
                 nw_landscape_formula(s->page, text, sizeof text),
                 nw_format_estimator(s->page->estimator, estimator, sizeof estimator));
    else
        put_text(s, LEFT, 48, "dim", "%s, estimated by %s", nw_metric_name(metric),
                 nw_format_estimator(s->page->estimator, estimator, sizeof estimator));
    if (s->page->route) {
        put_text(s, LEFT, 66, "dim", "a gene at a time: %s",
                 nw_landscape_ends(s->page, text, sizeof text));
        return;
    }
    if (!s->page->panes) {
        put_text(s, LEFT, 66, "dim", "stopped: %" PRId64 " points are known",
                 nw_slice_n_done(s->page->slice));
        return;
    }
    put_text(s, LEFT, 66, "dim",
             "\xe2\x97\x8f start   \xe2\x98\x85 end of steepest descent   %sbest of all "
             "points: %s, %s%s",
             s->page->y ? "\xe2\x97\xaf " : "",
             nw_landscape_point(s->page, s->page->panes->best_x, s->page->panes->best_y, best,
                                sizeof best),
             nw_format_metric(metric, s->page->panes->best_value, value, sizeof value),
             s->page->y ? "   small dots local minima   colours by rank" : "");
}

/* ---- the picture ---- */

static const char style[] =
    "<style>text{font:12px sans-serif;fill:#222}.title{font-size:17px;font-weight:bold}"
    ".panel{font-size:13px;font-weight:bold}.dim{fill:#555}.right{text-anchor:end}"
    ".middle{text-anchor:middle}.tick{font-size:11px;fill:#444;stroke:none}"
    ".label{font-size:12px}.value{font-size:9.5px;text-anchor:middle}.light{fill:#fff}"
    "path.tick{stroke:#444;fill:none}.frame{fill:none;stroke:#222}"
    ".cell{stroke:#fff;stroke-width:0.6}.minimum{fill:#fff;stroke:#222;stroke-width:0.8}"
    ".speck{fill:#fff}.under{fill:none;stroke:#000;stroke-width:4.5;stroke-linejoin:round}"
    ".over{fill:none;stroke:#fff;stroke-width:2.2;stroke-linejoin:round}"
    ".mark{fill:#fff;stroke:#000;stroke-width:1.3}"
    ".best{fill:none;stroke:#ff8700;stroke-width:2.4}"
    ".line{fill:none;stroke:#31688e;stroke-width:1.6}</style>\n";

static int put_panel(svg *s, int i, int table_y)
{
    nw_pane_id id = s->page->shown[i];
    char title[160];
    s->x = LEFT + i * (PANEL + BETWEEN);
    s->scale = nw_scale_make(s->page, id);
    put_text(s, s->x, TOP - 8, "panel", "%s", nw_landscape_title(s->page, id, title, sizeof title));
    put_terrain(s, id);
    put_axes(s);
    if (s->page->y)
        put_scale(s, id);
    int end = table_y;
    if (s->page->panes) {
        put_descent(s, id);
        end = put_table(s, id, table_y);
    }
    if (s->page->route)
        end = put_steps(s, table_y - TABLE + 8);
    nw_scale_fini(&s->scale);
    return end;
}

void nw_landscape_svg(const nw_landscape_page *page, nw_buf *out)
{
    svg s = {.page = page, .out = out};
    int n = page->n_shown, table_y = TOP + PANEL + BELOW + TABLE, end = table_y;
    int width = LEFT + n * PANEL + (n - 1) * BETWEEN + 24,
        height = table_y + (page->route ? page->route->n_points : 12) * LINE;
    width = width < 820 ? 820 : width;
    nw_buf_printf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" "
                  "xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%d\" height=\"%d\" "
                  "viewBox=\"0 0 %d %d\">\n",
                  width, height, width, height);
    nw_buf_puts(out, style);
    nw_buf_printf(out, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, height);
    put_head(&s);
    for (int i = 0; i < n; i++)
        end = put_panel(&s, i, table_y);
    if (page->panes && n > 1)
        put_controls(&s, end + LINE / 2);
    nw_buf_puts(out, "</svg>\n");
}
