/* How right, in numbers: a row a kernel type, the worst kernels, and where all of it comes from. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/report.h"
#include "ui/calibration.h"
#include "ui/widget.h"

#define N(array) (int)(sizeof(array) / sizeof *(array))

/* ---- what is counted ---- */

int ui_calibration_rows(const nw_regression *r)
{
    return nw_regression_n_groups(r) + 1;
}

const nw_fit_group *ui_calibration_group(const nw_regression *r, int row)
{
    return row > 0 ? nw_regression_group_report(r, row - 1) : NULL;
}

const char *ui_calibration_unit(const nw_regression *r)
{
    const char *end = strrchr(nw_regression_report(r)->target, '_');
    return end ? end + 1 : "";
}

/* ---- the table ---- */

typedef struct figure_def {
    const char *title;
    int width, narrow, decimals; /* narrow: columns where there is little room, then no decimals
                                  * for what has one and became narrower */
    bool is_late;                /* only where there is room */
} figure_def;

enum { TYPE_COLUMNS = 9, WIDE_TYPE_COLUMNS = 18, N_FIGURES = 11, NARROW = 68, ROOMY = 92 };

static const figure_def figures[N_FIGURES] = {
    {"rows", 7, 6, 0, false},  {"MAPE%", 6, 6, 1, false}, {"RMSPE%", 7, 7, 1, false},
    {"≤5%", 6, 5, 1, false},   {"≤10%", 6, 5, 1, false},  {"rho", 6, 6, 3, false},
    {"MACs%", 7, 6, 1, false}, {"rho", 6, 6, 3, true},    {"roof%", 6, 6, 1, false},
    {"rho", 6, 6, 3, true},    {"noise%", 7, 7, 1, true}};

static void find_figures(const nw_fit_report *p, const nw_fit_group *g, double *out)
{
    const nw_scores *s = g ? &g->scores : &p->all;
    const double all[N_FIGURES] = {g ? g->n_rows : p->n_rows,
                                   s->mape,
                                   s->rmspe,
                                   s->within_5,
                                   s->within_10,
                                   s->spearman,
                                   g ? g->macs.mape : NAN,
                                   g ? g->macs.spearman : NAN,
                                   g ? g->roofline.mape : NAN,
                                   g ? g->roofline.spearman : NAN,
                                   g && g->n_noisy ? g->noise_pct : NAN};
    memcpy(out, all, sizeof all);
}

static bool is_shown(int i, int columns)
{
    return !figures[i].is_late || columns >= ROOMY;
}

static int width_of(int i, int columns)
{
    return columns < NARROW ? figures[i].narrow : figures[i].width;
}

static int decimals_of(int i, int columns)
{
    bool is_cut = columns < NARROW && figures[i].narrow < figures[i].width;
    return is_cut && figures[i].decimals == 1 && i < 5 ? 0 : figures[i].decimals;
}

static int type_columns(int columns)
{
    int used = 0;
    for (int i = 0; i < N_FIGURES; i++)
        used += is_shown(i, columns) ? width_of(i, columns) : 0;
    int rest = columns - used;
    return rest < TYPE_COLUMNS ? TYPE_COLUMNS : rest > WIDE_TYPE_COLUMNS ? WIDE_TYPE_COLUMNS : rest;
}

static void draw_line(ui_canvas *canvas, int line, ui_rect rect, const nw_regression *r, int row)
{
    const nw_fit_group *g = ui_calibration_group(r, row);
    double values[N_FIGURES];
    int column = rect.column + type_columns(rect.columns);
    find_figures(nw_regression_report(r), g, values);
    ui_text_cut(canvas, line, rect.column, column - rect.column - 1,
                row == 0 ? UI_ROLE_TITLE : UI_ROLE_TEXT,
                !g         ? (column - rect.column > 9 ? "all types" : "all")
                : *g->name ? g->name
                           : "(all rows)");
    for (int i = 0; i < N_FIGURES; i++) {
        char text[32] = "·"; /* of all types together there is no baseline */
        if (!is_shown(i, rect.columns))
            continue;
        column += width_of(i, rect.columns);
        if (!isnan(values[i]))
            snprintf(text, sizeof text, "%.*f", decimals_of(i, rect.columns), values[i]);
        else if (g && i < N_FIGURES - 1)
            snprintf(text, sizeof text, "?");
        ui_text_right(canvas, line, column, i < 6 ? UI_ROLE_TEXT : UI_ROLE_DIM, text);
    }
}

void ui_calibration_draw_table(ui_canvas *canvas, ui_rect rect, const nw_regression *r, int cursor)
{
    int column = rect.column + type_columns(rect.columns), shown = rect.rows - 1;
    int n = ui_calibration_rows(r), top = ui_list_top(cursor, shown);
    ui_text(canvas, rect.row, rect.column, -1, UI_ROLE_DIM, "type");
    for (int i = 0; i < N_FIGURES; i++) {
        if (!is_shown(i, rect.columns))
            continue;
        column += width_of(i, rect.columns);
        ui_text_right(canvas, rect.row, column, UI_ROLE_DIM, figures[i].title);
    }
    for (int i = 0; i < shown && top + i < n; i++) {
        draw_line(canvas, rect.row + 1 + i, rect, r, top + i);
        if (top + i == cursor)
            ui_reverse_row(canvas, rect.row + 1 + i, rect.column, rect.columns);
    }
}

/* ---- the worst ---- */

typedef struct worst_row {
    const nw_worst *worst;
    const char *type;
} worst_row;

static double size_of(const worst_row *row)
{
    return fabs(row->worst->predicted / row->worst->measured - 1);
}

static int by_size(const void *a, const void *b)
{
    const worst_row *x = a, *y = b;
    if (size_of(x) != size_of(y))
        return size_of(x) < size_of(y) ? 1 : -1;
    return (x->worst->line > y->worst->line) - (x->worst->line < y->worst->line);
}

/* Of one type, or the worst of all. Returns how many; the caller frees the list. */
static int list_worst(const nw_regression *r, int row, worst_row **out)
{
    int n = 0, n_groups = nw_regression_n_groups(r);
    worst_row *list = nw_alloc(((size_t)n_groups * NW_N_WORST + 1) * sizeof *list);
    for (int g = 0; g < n_groups; g++) {
        const nw_fit_group *group = nw_regression_group_report(r, g);
        for (int i = 0; i < group->n_worst && (row == 0 || row == g + 1); i++)
            list[n++] = (worst_row){&group->worst[i], group->name};
    }
    if (n)
        qsort(list, (size_t)n, sizeof *list, by_size);
    *out = list;
    return n < NW_N_WORST ? n : NW_N_WORST;
}

/* The value of "name=value" among words. */
static bool find_word(const char *words, const char *name, char *dst, size_t size)
{
    size_t length = strlen(name);
    for (const char *at = words; at; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, name, length) != 0 || at[length] != '=')
            continue;
        snprintf(dst, size, "%.*s", (int)strcspn(at + length + 1, " "), at + length + 1);
        return true;
    }
    return false;
}

static int add_map(const char *h, const char *w, const char *c, bool ascii, char *dst, size_t size)
{
    if (ascii || strcmp(h, w) != 0)
        return snprintf(dst, size, "%sx%sx%s", h, w, c);
    return snprintf(dst, size, "%s²×%s", h, c);
}

/* "56²×320→28²×24 k3 s2": the sizes of a convolution in few columns; other words stay. */
static const char *shorten(const char *what, bool ascii, char *dst, size_t size)
{
    static const char *const sides[] = {"in_h", "in_w", "in_c", "out_h", "out_w", "out_c"};
    static const struct {
        const char *name, *letter;
        bool is_shown_when_one;
    } rest[] = {{"kernel_h", " k", true},
                {"stride_h", " s", false},
                {"dilation", " d", false},
                {"groups", " g", false}};
    char s[6][16], value[16];
    for (int i = 0; i < 6; i++)
        if (!find_word(what, sides[i], s[i], sizeof s[i]))
            return what;
    int used = add_map(s[0], s[1], s[2], ascii, dst, size);
    used += snprintf(dst + used, size - (size_t)used, "→");
    used += add_map(s[3], s[4], s[5], ascii, dst + used, size - (size_t)used);
    for (int i = 0; i < N(rest); i++)
        if (find_word(what, rest[i].name, value, sizeof value) &&
            (rest[i].is_shown_when_one || strcmp(value, "1") != 0) &&
            !(rest[i].letter[1] == 'g' && strcmp(value, s[2]) == 0)) /* depthwise */
            used += snprintf(dst + used, size - (size_t)used, "%s%s", rest[i].letter, value);
    return dst;
}

void ui_calibration_draw_worst(ui_canvas *canvas, ui_rect rect, const nw_regression *r, int row)
{
    worst_row *list;
    int n = list_worst(r, row, &list), type = row == 0 ? TYPE_COLUMNS : 0; /* said in the title */
    char text[320], sizes[192], measured[24];
    snprintf(measured, sizeof measured, "meas. %.3s", ui_calibration_unit(r));
    snprintf(text, sizeof text, " error%% %9s predicted  line %-*.*s sizes", measured, type, type,
             "type");
    ui_text(canvas, rect.row, rect.column, rect.columns, UI_ROLE_DIM, text);
    for (int i = 0; i < n && i < rect.rows - 1; i++) {
        const nw_worst *w = list[i].worst;
        snprintf(text, sizeof text, "%+7.1f %9.5g %9.5g %5d %-*.*s %.180s",
                 100 * (w->predicted / w->measured - 1), w->measured, w->predicted, w->line, type,
                 type, list[i].type, shorten(w->what, canvas->ascii, sizes, sizeof sizes));
        ui_text_cut(canvas, rect.row + 1 + i, rect.column, rect.columns, UI_ROLE_TEXT, text);
    }
    if (!n)
        ui_text(canvas, rect.row + 1, rect.column, rect.columns, UI_ROLE_DIM,
                "no row was held out: there are too few shapes");
    free(list);
}

/* ---- words ---- */

typedef struct writer {
    ui_canvas *canvas; /* NULL: counts */
    ui_rect rect;
    int line, skip;
} writer;

static void say(writer *w, ui_role role, const char *format, ...) NW_PRINTF(3, 4);

static void say(writer *w, ui_role role, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int at = w->line - w->skip, rows = ui_text_wrapped(NULL, w->rect, role, text);
    ui_rect rest = {w->rect.row + at, w->rect.column, w->rect.rows - at, w->rect.columns};
    if (w->canvas && at + rows > 0) {
        ui_canvas_set_clip(w->canvas, w->rect);
        rest.rows = rest.rows > rows ? rows : rest.rows;
        ui_text_wrapped(w->canvas, rest, role, text);
        ui_canvas_no_clip(w->canvas);
    }
    w->line += rows;
}

static const char *or_unknown(const char *text)
{
    return *text ? text : "?";
}

/* "-1.50 to +1.80 (40 networks)". */
static const char *format_multiples(const nw_band *band, bool is_pairs, char *dst, size_t size)
{
    if (band->is_from_networks)
        snprintf(dst, size, "%+.2f to %+.2f (%d %s)", band->low, band->high,
                 is_pairs ? band->n / 2 : band->n, is_pairs ? "pairs of kin" : "networks");
    else
        snprintf(dst, size, "%+.2f to %+.2f (%d sums of rows drawn at random)", band->low,
                 band->high, band->n);
    return dst;
}

static void say_bands(writer *w, const nw_fit_report *p, const nw_point *point)
{
    char total[96], difference[96], time[32];
    const nw_band *d = &p->difference;
    if (!p->total.n) {
        say(w, UI_ROLE_WARNING, "No bands: no row was held out.");
        return;
    }
    bool is_own = d->n != p->total.n || d->low != p->total.low || d->high != p->total.high;
    say(w, p->total.is_from_networks ? UI_ROLE_TEXT : UI_ROLE_WARNING,
        "90%% bands, in units of what independent errors of the kernels add up to: totals %s, "
        "differences %s.",
        format_multiples(&p->total, false, total, sizeof total),
        is_own ? format_multiples(d, true, difference, sizeof difference)
               : "the same: too few pairs of kin");
    if (!point || !point->estimate.has_band)
        return;
    const nw_estimate *e = &point->estimate;
    say(w, UI_ROLE_TEXT, "%.60s: %s (%s).", point->label,
        nw_format_time(e->latency_ps, time, sizeof time),
        nw_format_band(e->latency_ps, e->low_ps, e->high_ps, total, sizeof total));
}

static void say_outside(writer *w, const nw_point *point)
{
    if (!point || !point->estimate.estimator->regression)
        return;
    const nw_estimate *e = &point->estimate;
    if (e->n_outside)
        say(w, UI_ROLE_WARNING,
            "%d kernel%s of %.60s lie outside the range of training, %.1f%% of its latency: no "
            "figure here speaks of them.",
            e->n_outside, e->n_outside == 1 ? "" : "s", point->label,
            100 * nw_report_outside_share(e));
    else
        say(w, UI_ROLE_TEXT, "No kernel of %.60s lies outside the range of training.",
            point->label);
}

static void say_regression(writer *w, const nw_estimator *estimator, const nw_point *point)
{
    const nw_fit_report *p = nw_regression_report(estimator->regression);
    char seen[64];
    say(w, UI_ROLE_TEXT, "%s from %d rows of %s: device %s, source %s, date %s, with %s.",
        p->target, p->n_rows, or_unknown(p->file), or_unknown(p->device), or_unknown(p->source),
        or_unknown(p->date), or_unknown(p->measured_with));
    snprintf(seen, sizeof seen, "%016llx", (unsigned long long)p->data_hash);
    say(w, UI_ROLE_TEXT, "Fitted with %s, seed %u, %d folds, data %s: %s", or_unknown(p->tool),
        (unsigned)p->seed, p->n_folds, seen, estimator->path);
    say(w, UI_ROLE_TEXT,
        "Every figure is out of fold: no row is predicted by a model that has seen its shape. "
        "MACs, roof: the MAPE of MACs or a roofline alone, with their best factor and constant; "
        "rho: Spearman.");
    if (nw_report_is_simulated(estimator))
        say(w, UI_ROLE_WARNING,
            "Self-consistency: the rows are of the simulated device, not of a chip. This is how "
            "well the regression repeats it, not how right it is.");
    else
        say(w, UI_ROLE_TEXT, "The rows are said to be measurements: %s of %s.",
            *p->source ? p->source : "source not given", or_unknown(p->device));
    if (p->has_networks && p->networks.n > 0)
        say(w, UI_ROLE_TEXT, "%d networks, summed%s: MAPE %.1f%%, Spearman %.3f.", p->n_networks,
            p->has_totals ? " and corrected" : "", p->networks.mape, p->networks.spearman);
    say_bands(w, p, point);
    say_outside(w, point);
}

/* The descriptions that somebody else's figures exist for, as README has it under "How right it
 * is". */
static const struct {
    const char *names; /* NULL: every systolic array */
    const char *what;
} checks[] = {
    {NULL, "systolic arrays: compute cycles of SCALE-Sim v3 without stalls, equal on every row"},
    {" u55-128 u55-256 ", "u55-128, u55-256: compute cycles of Arm's Vela 3.10 within 2%; network "
                          "totals ranked at 0.97 (Spearman) or above"},
    {" dpu-b4096 ", "dpu-b4096: measured latencies of 3,923 networks on a ZCU102, ranked at 0.97 "
                    "(Spearman)"},
};

static bool is_checked_by(int i, const nw_hw *hw)
{
    char word[80];
    snprintf(word, sizeof word, " %.70s ", hw->name);
    return checks[i].names ? strstr(checks[i].names, word) != NULL
                           : hw->array.kind == NW_ARRAY_SYSTOLIC;
}

static void say_device(writer *w, const nw_hw *hw)
{
    bool is_checked = false;
    say(w, UI_ROLE_TEXT,
        "These are numbers of the simulated device, a model of %.60s. Nothing was fitted, so there "
        "are no residuals, and it knows no band.",
        hw->name);
    say(w, UI_ROLE_TEXT, "What it was checked against, and on which descriptions:");
    for (int i = 0; i < N(checks); i++) {
        bool is_this = is_checked_by(i, hw);
        is_checked |= is_this;
        say(w, is_this ? UI_ROLE_TITLE : UI_ROLE_TEXT, "%s %s", is_this ? ">" : "-",
            checks[i].what);
    }
    if (!is_checked)
        say(w, UI_ROLE_WARNING,
            "%.60s is none of these: the same rules, with nothing of its own to check them "
            "against.",
            hw->name);
    if (hw->calibration.present)
        say(w, UI_ROLE_TEXT, "Totals are calibrated: %.4g x latency %+.4g us, residual %.3g%%: %s",
            hw->calibration.a, hw->calibration.b, hw->calibration.residual_pct,
            hw->calibration.provenance ? hw->calibration.provenance : "?");
    else
        say(w, UI_ROLE_WARNING, "Not calibrated against a chip.");
    say(w, UI_ROLE_DIM, "The figures: README, How right it is; make accuracy prints them.");
}

int ui_calibration_draw_words(ui_canvas *canvas, ui_rect rect, const nw_estimator *estimator,
                              const nw_session *session, int skip)
{
    writer w = {.canvas = canvas, .rect = rect, .skip = skip};
    if (estimator->regression)
        say_regression(&w, estimator, nw_session_current(session));
    else
        say_device(&w, nw_session_hw(session));
    return w.line;
}
