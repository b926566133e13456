#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/report/report.h"
#include "ui/landscape.h"

static const char *const names[UI_N_PANELS] = {"A MACs", "B single", "C curated"};

/* ---- words and numbers ---- */

const char *ui_landscape_metric_word(nw_metric metric)
{
    switch (metric) {
    case NW_METRIC_LATENCY:
        return "latency";
    case NW_METRIC_ENERGY:
        return "energy";
    case NW_METRIC_PEAK_LIVE:
        return "peak memory";
    case NW_METRIC_WEIGHT_BYTES:
        return "weights";
    case NW_METRIC_MACS:
        return "MACs";
    default:
        return nw_metric_name(metric);
    }
}

static const char *format_value(nw_metric metric, double value, char *dst, size_t size)
{
    if (isnan(value)) {
        snprintf(dst, size, "?");
        return dst;
    }
    switch (metric) {
    case NW_METRIC_LATENCY:
        return nw_format_time((int64_t)llround(value * 1e6), dst, size);
    case NW_METRIC_ENERGY:
        return nw_format_energy((int64_t)llround(value * 1e9), dst, size);
    case NW_METRIC_PEAK_LIVE:
    case NW_METRIC_WEIGHT_BYTES:
        return nw_format_bytes((int64_t)llround(value), dst, size);
    case NW_METRIC_MACS:
    case NW_METRIC_PARAMS:
        return nw_format_count((int64_t)llround(value), dst, size);
    default:
        snprintf(dst, size, "%.3f", value);
        return dst;
    }
}

const char *ui_landscape_format(nw_metric metric, const nw_totals *totals,
                                const nw_objective *objective, char *dst, size_t size)
{
    return format_value(metric, nw_totals_metric(totals, metric, objective), dst, size);
}

/* "+3.1 %" beyond the best; "" where there is none. */
static const char *format_gap(double value, double best, char *dst, size_t size)
{
    dst[0] = '\0';
    if (!isnan(value) && !isnan(best) && best > 0)
        snprintf(dst, size, "%+.1f%%", 100 * (value / best - 1));
    return dst;
}

static void point_name(const nw_landscape *l, int x, int y, char *dst, size_t size)
{
    char a[48], b[48];
    nw_option_text(l->x->kind, &l->x->options[x], a, sizeof a);
    if (l->y)
        nw_option_text(l->y->kind, &l->y->options[y], b, sizeof b);
    if (l->y)
        snprintf(dst, size, "%.16s=%s %.16s=%s", l->x->name, a, l->y->name, b);
    else
        snprintf(dst, size, "%.16s=%s", l->x->name, a);
}

/* ---- the first row ---- */

/* What heights are, in as many columns as there are. */
static void format_objective(const nw_landscape *l, int columns, char *dst, size_t size)
{
    if (l->metric == NW_METRIC_OBJECTIVE && columns >= 100)
        snprintf(dst, size, "objective latency/base * exp(-%g (score - base))",
                 l->objective.weight);
    else if (l->metric == NW_METRIC_OBJECTIVE && columns >= 76)
        snprintf(dst, size, "latency/base * exp(-%g score gain)", l->objective.weight);
    else if (l->metric == NW_METRIC_LATENCY && columns >= 76)
        snprintf(dst, size, "latency alone: a staircase, no valley");
    else
        snprintf(dst, size, "%s", ui_landscape_metric_word(l->metric));
}

void ui_landscape_draw_head(ui_canvas *canvas, ui_rect rect, const nw_session *session)
{
    const nw_landscape *l = nw_session_landscape(session);
    char text[256], start[96], who[64];
    int column = rect.column, end = rect.column + rect.columns;
    if (!l->x) {
        ui_text_cut(canvas, rect.row, column, rect.columns, UI_ROLE_DIM, l->doing);
        return;
    }
    const nw_estimator *by = nw_plan_estimator(l->plan);
    const nw_estimate estimate = {.estimator = by};
    snprintf(who, sizeof who, "%s, %s", by->regression ? "regression" : "device",
             nw_report_is_calibrated(&estimate, nw_plan_hw(l->plan)) ? "calibrated"
                                                                     : "not calibrated");
    format_objective(l, rect.columns, text, sizeof text);
    column += ui_text_cut(canvas, rect.row, column, rect.columns, UI_ROLE_TITLE, text) + 2;
    column += ui_printf(canvas, rect.row, column, end - column, UI_ROLE_TEXT, "x %.12s  y %.12s",
                        l->x->name, l->y ? l->y->name : "-") +
              2;
    int room = end - column - ui_text_columns(who);
    if (room >= 0)
        ui_text_right(canvas, rect.row, end, UI_ROLE_DIM, who);
    point_name(l, l->start_x, l->start_y, start, sizeof start);
    if (ui_text_columns(start) + 8 <= room)
        column += ui_printf(canvas, rect.row, column, room, UI_ROLE_TEXT, "start %s", start) + 2;
    room = end - column - ui_text_columns(who) - 2;
    if (room > 8 && rect.columns < 76) /* else the legend says so */
        ui_printf(canvas, rect.row, column, room, UI_ROLE_TEXT, "of %s",
                  nw_space_name(nw_session_space(session)));
}

/* ---- below the panels ---- */

static int draw_ramp(ui_canvas *canvas, int row, int column)
{
    int used = ui_text(canvas, row, column, -1, UI_ROLE_TEXT, "low ");
    int step = canvas->has_color ? 1 : 2;
    for (int i = 0; i < UI_RAMP_STEPS; i += step, used++) {
        if (canvas->has_color)
            ui_put_on(canvas, row, column + used, (ui_role)(UI_ROLE_RAMP + i),
                      (ui_role)(UI_ROLE_RAMP + i), ui_ramp_glyph(i));
        else
            ui_put(canvas, row, column + used, UI_ROLE_TEXT, ui_ramp_glyph(i));
    }
    return used + ui_text(canvas, row, column + used, -1, UI_ROLE_TEXT, " high cost");
}

/* While it comes, how far it is. */
static void draw_progress(ui_canvas *canvas, int row, int column, int columns,
                          const nw_landscape *l)
{
    if (l->done < 1)
        ui_printf(canvas, row, column, columns, UI_ROLE_WARNING, "%.0f%% %s", 100 * l->done,
                  l->doing);
    else
        ui_text_cut(canvas, row, column, columns, UI_ROLE_WARNING, l->doing);
}

void ui_landscape_draw_legend(ui_canvas *canvas, ui_rect rect, const nw_session *session)
{
    static const char how[] = ": steepest descent in every panel";
    const nw_landscape *l = nw_session_landscape(session);
    const struct {
        uint32_t glyph;
        const char *text;
    } marks[] = {{'o', " start  "},
                 {ui_arrow_glyph(canvas, 1, 0), " step  "},
                 {ui_glyph(canvas, UI_GLYPH_STAR), " end  "},
                 {ui_glyph(canvas, UI_GLYPH_DOT), " minimum"}};
    int column = rect.column, end = rect.column + rect.columns;
    column += draw_ramp(canvas, rect.row, column) + 3;
    if (l->phase != NW_PHASE_DONE) {
        draw_progress(canvas, rect.row, column, end - column, l);
        return;
    }
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (column + 1 + ui_text_columns(marks[i].text) > end)
            return;
        ui_put(canvas, rect.row, column, UI_ROLE_TEXT, marks[i].glyph);
        column += 1 + ui_text(canvas, rect.row, column + 1, end - column - 1, UI_ROLE_TEXT,
                              marks[i].text);
    }
    char of[96]; /* what is open may be another network by now */
    int used = snprintf(of, sizeof of, "of %.24s", nw_space_name(nw_session_space(session)));
    if (column + used + (int)sizeof how < end) {
        snprintf(of + used, sizeof of - (size_t)used, "%s", how);
        ui_text_right(canvas, rect.row, end, UI_ROLE_DIM, of);
    } else if (end - column > 8) {
        ui_text_cut(canvas, rect.row, column + 2, end - column - 2, UI_ROLE_DIM, of);
    }
}

/* ---- the table ---- */

typedef enum row_id { ENDS, EVALUATIONS, MINIMA, LATENCY, MACS, COST, N_ROWS } row_id;
typedef enum figure_id { CLIMBS, GAPS, MEAN_STEP, MONOTONE, R1, FDC, N_FIGURES } figure_id;

static double best_of(const nw_landscape *l)
{
    return l->panes ? l->panes->best_value : NAN;
}

static void format_row(const nw_landscape *l, nw_pane_id id, row_id row, char *dst, size_t size)
{
    const nw_pane *p = ui_landscape_pane(l, id);
    char value[64], gap[32];
    dst[0] = '\0';
    if (!p)
        return;
    switch (row) {
    case ENDS:
        point_name(l, p->end_x, p->end_y, dst, size);
        break;
    case EVALUATIONS:
        snprintf(dst, size, "%lld", (long long)p->climb.n_evaluations);
        break;
    case MINIMA:
        snprintf(dst, size, "%lld of %lld points", (long long)p->figures.n_minima,
                 (long long)p->figures.n_points);
        break;
    case LATENCY:
        nw_format_time(p->end.latency_ps, dst, size);
        break;
    case MACS:
        nw_format_count(p->end.parts.macs, dst, size);
        break;
    default:
        format_value(l->metric, p->end_value, value, sizeof value);
        snprintf(dst, size, "%s (%s)", value,
                 format_gap(p->end_value, best_of(l), gap, sizeof gap));
    }
}

static void format_share(double value, char *dst, size_t size)
{
    if (isnan(value))
        snprintf(dst, size, "-");
    else
        snprintf(dst, size, "%.0f%%", 100 * value);
}

static void format_number(double value, const char *format, char *dst, size_t size)
{
    if (isnan(value))
        snprintf(dst, size, "-");
    else
        snprintf(dst, size, format, value);
}

static void format_figure(const nw_landscape *l, nw_pane_id id, figure_id row, char *dst,
                          size_t size)
{
    const nw_pane *p = ui_landscape_pane(l, id);
    char a[24], b[24];
    dst[0] = '\0';
    if (!p)
        return;
    switch (row) {
    case CLIMBS:
        format_share(p->near_1pct, a, sizeof a);
        format_share(p->near_5pct, b, sizeof b);
        snprintf(dst, size, "%s, %s", a, b);
        break;
    case GAPS:
        format_number(100 * p->mean_gap, "%+.1f%%", dst, size);
        break;
    case MEAN_STEP:
        format_number(p->figures.mean_step, "%.4f", dst, size);
        break;
    case MONOTONE:
        format_share(p->figures.monotone, dst, size);
        break;
    case R1:
        format_number(p->figures.r1, "%.4f", dst, size);
        break;
    default:
        format_number(p->figures.fdc, "%+.2f", dst, size);
    }
}

static const char *row_name(const nw_landscape *l, int row, bool is_figure)
{
    static const char *const figures[N_FIGURES] = {"ends in 1%", "mean gap", "step/range",
                                                   "monotone",   "r(1)",     "fit-dist"};
    static const char *const rows[N_ROWS] = {"ends at", "points", "minima",
                                             "latency", "MACs",   NULL};
    if (is_figure)
        return figures[row];
    return rows[row] ? rows[row] : ui_landscape_metric_word(l->metric);
}

/* The same where there is room to say it. */
static const char *long_name(const nw_landscape *l, int row, bool is_figure)
{
    static const char *const figures[N_FIGURES] = {
        "all, in 1%, 5%", "all, mean gap", "mean step/range",
        "monotone",       "r(1)",          "fitness-distance"};
    static const char *const rows[N_ROWS] = {
        "search ends at", "points looked at", "local minima", NULL, NULL, NULL};
    const char *name = is_figure ? figures[row] : rows[row];
    return name ? name : row_name(l, row, is_figure);
}

static void format_cell(const nw_landscape *l, nw_pane_id id, int row, bool is_figure, char *dst,
                        size_t size)
{
    if (is_figure)
        format_figure(l, id, (figure_id)row, dst, size);
    else
        format_row(l, id, (row_id)row, dst, size);
}

/* What the same climb does with the same spacing off the steps, with MACs that know the score, and
 * with restarts over single steps. */
static void format_controls(const nw_landscape *l, char *dst, size_t size)
{
    const nw_pane *shifted = ui_landscape_pane(l, NW_PANE_SHIFTED);
    const nw_pane *scored = ui_landscape_pane(l, NW_PANE_SCORED_MACS);
    dst[0] = '\0';
    if (!l->panes)
        return;
    size_t n = (size_t)snprintf(dst, size, "controls, gaps to the best:");
    if (scored)
        n += (size_t)snprintf(dst + n, size - n, " MACs with the score %+.1f%%", 100 * scored->gap);
    if (shifted)
        n += (size_t)snprintf(dst + n, size - n, ", C half a step off %+.1f%%", 100 * shifted->gap);
    if (l->panes->restarts.n_runs)
        n += (size_t)snprintf(dst + n, size - n, ", B restarted within %lld points %+.1f%%",
                              (long long)l->panes->restarts.n_evaluations,
                              100 * l->panes->restarts.mean_gap);
}

/* "C ends 0.6 % from the best of 4096 points, after 12 evaluations" */
static void format_sentence(const nw_landscape *l, char *dst, size_t size)
{
    const nw_pane *c = ui_landscape_pane(l, NW_PANE_CURATED);
    const nw_pane *b = ui_landscape_pane(l, NW_PANE_SINGLE);
    dst[0] = '\0';
    if (c && b)
        snprintf(dst, size,
                 "C ends within %.1f%% of the best of %lld points after %lld evaluations; over all "
                 "starts B %+.1f%%, C %+.1f%%",
                 100 * c->gap, (long long)b->figures.n_points, (long long)c->climb.n_evaluations,
                 100 * b->mean_gap, 100 * c->mean_gap);
}

static void draw_side_table(ui_canvas *canvas, ui_rect rect, const nw_landscape *l,
                            const ui_landscape *state)
{
    char text[200];
    int row = rect.row, name_columns = rect.columns >= 40 ? 18 : 0;
    ui_printf(canvas, row++, rect.column, rect.columns, UI_ROLE_TITLE, "%s", names[state->pane]);
    for (int i = 0; i < N_ROWS && row < rect.row + rect.rows; i++) {
        bool is_figure = state->shows_figures;
        const char *name = name_columns ? long_name(l, i, is_figure) : row_name(l, i, is_figure);
        format_cell(l, state->pane, i, is_figure, text, sizeof text);
        if (name_columns) {
            ui_text(canvas, row, rect.column, name_columns, UI_ROLE_DIM, name);
            ui_text_cut(canvas, row++, rect.column + name_columns, rect.columns - name_columns,
                        UI_ROLE_TEXT, text);
            continue;
        }
        ui_text(canvas, row, rect.column, 10, UI_ROLE_DIM, name);
        ui_text_cut(canvas, row++, rect.column + 11, rect.columns - 11, UI_ROLE_TEXT, text);
    }
    format_controls(l, text, sizeof text);
    if (row + 1 < rect.row + rect.rows)
        ui_text_wrapped(
            canvas, (ui_rect){row + 1, rect.column, rect.row + rect.rows - row - 1, rect.columns},
            UI_ROLE_DIM, text);
}

void ui_landscape_draw_table(ui_canvas *canvas, ui_rect rect, const nw_session *session,
                             const ui_landscape *state)
{
    const nw_landscape *l = nw_session_landscape(session);
    char text[320];
    if (rect.columns < 60) {
        draw_side_table(canvas, rect, l, state);
        return;
    }
    int name_columns = rect.columns >= 100 ? 22 : 17, row = rect.row;
    int columns = (rect.columns - name_columns) / UI_N_PANELS;
    bool has_title = rect.rows > N_ROWS;
    for (int id = 0; has_title && id < UI_N_PANELS; id++)
        ui_text(canvas, row, rect.column + name_columns + id * columns, columns - 1, UI_ROLE_TITLE,
                names[id]);
    row += has_title;
    for (int i = 0; i < N_ROWS && row < rect.row + rect.rows; i++, row++) {
        ui_text(canvas, row, rect.column, name_columns - 1, UI_ROLE_DIM,
                long_name(l, i, state->shows_figures));
        for (int id = 0; id < UI_N_PANELS; id++) {
            format_cell(l, (nw_pane_id)id, i, state->shows_figures, text, sizeof text);
            ui_text_cut(canvas, row, rect.column + name_columns + id * columns, columns - 1,
                        UI_ROLE_TEXT, text);
        }
    }
    if (row >= rect.row + rect.rows)
        return;
    if (state->shows_figures)
        format_controls(l, text, sizeof text);
    else
        format_sentence(l, text, sizeof text);
    ui_text_cut(canvas, row, rect.column, rect.columns, UI_ROLE_TEXT, text);
}

/* ---- the last row ---- */

void ui_landscape_draw_probe(ui_canvas *canvas, ui_rect rect, const nw_session *session,
                             const ui_landscape *state)
{
    const nw_landscape *l = nw_session_landscape(session);
    char name[96], text[64], gap[32];
    int column = rect.column, end = rect.column + rect.columns;
    if (!l->x)
        return;
    point_name(l, state->x, state->y, name, sizeof name);
    column += ui_printf(canvas, rect.row, column, end - column, UI_ROLE_TITLE, "+ %s", name) + 2;
    if (!state->has_probe) {
        ui_text_cut(canvas, rect.row, column, end - column, UI_ROLE_WARNING, state->trouble);
        return;
    }
    double cost = nw_totals_metric(&state->probe, l->metric, &l->objective);
    format_value(l->metric, cost, text, sizeof text);
    format_gap(cost, best_of(l), gap, sizeof gap);
    column += ui_printf(canvas, rect.row, column, end - column, UI_ROLE_TEXT, "%s %s %s",
                        ui_landscape_metric_word(l->metric), text, gap) +
              2;
    static const nw_metric shown[] = {NW_METRIC_LATENCY, NW_METRIC_MACS, NW_METRIC_SCORE,
                                      NW_METRIC_PEAK_LIVE, NW_METRIC_ENERGY};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        char item[120];
        if (shown[i] == l->metric)
            continue;
        ui_landscape_format(shown[i], &state->probe, &l->objective, text, sizeof text);
        snprintf(item, sizeof item, "%s %s", ui_landscape_metric_word(shown[i]), text);
        if (column + ui_text_columns(item) > end)
            break;
        column += ui_text(canvas, rect.row, column, end - column, UI_ROLE_TEXT, item) + 2;
    }
    if (state->probe.n_unknown && column + 15 < end)
        ui_text(canvas, rect.row, column, end - column, UI_ROLE_WARNING, "costs unknown ?");
    else if (!state->probe.fits && column + 13 < end)
        ui_text(canvas, rect.row, column, end - column, UI_ROLE_WARNING, "does not fit");
}
