/* Predicted against measured, as pictures of the rows that the model file keeps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/arena.h"
#include "ui/calibration.h"
#include "ui/plot.h"

enum { LABEL_COLUMNS = 6, LEAST_ROWS = 3, LEAST_COLUMNS = 24 };

static bool is_in_row(const nw_fit_point *point, int row)
{
    return row == 0 || point->group == row - 1;
}

/* Both axes of the scatter and the residuals' lower one: what all types span, so that the picture
 * keeps its place while the cursor moves. */
static ui_axis find_span(const nw_fit_report *p)
{
    ui_axis axis = {INFINITY, 0, true};
    for (int i = 0; i < p->n_sample; i++) {
        axis.low = fmin(axis.low, fmin(p->sample[i].measured, p->sample[i].predicted));
        axis.high = fmax(axis.high, fmax(p->sample[i].measured, p->sample[i].predicted));
    }
    axis.low /= 1.1;
    axis.high *= 1.1;
    return axis;
}

/* "0.01", "1", "100", "10k", "1M". */
static void format_power(int power, char *dst, size_t size)
{
    if (power >= 6)
        snprintf(dst, size, "%.0fM", pow(10, power - 6));
    else if (power >= 4)
        snprintf(dst, size, "%.0fk", pow(10, power - 3));
    else
        snprintf(dst, size, "%.*f", power < 0 ? -power : 0, pow(10, power));
}

/* Powers of ten below the dots; the unit stands at the end. */
static void draw_lower_axis(ui_canvas *canvas, ui_rect plot, const ui_axis *axis, const char *unit)
{
    char text[32];
    int row = plot.row + plot.rows, end = plot.column + plot.columns, last = plot.column - 1;
    snprintf(text, sizeof text, "measured %s", unit);
    int room = end - ui_text_columns(text) - 1;
    ui_text_right(canvas, row, end, UI_ROLE_DIM, text);
    for (int power = (int)ceil(log10(axis->low)); power <= (int)floor(log10(axis->high)); power++) {
        int cell = ui_axis_cell(axis, pow(10, power), plot.columns);
        format_power(power, text, sizeof text);
        int at = plot.column + cell;
        if (cell < 0 || at <= last || at + ui_text_columns(text) > room)
            continue;
        ui_text(canvas, row, at, -1, UI_ROLE_DIM, text);
        last = at + ui_text_columns(text);
    }
}

static void draw_left_axis(ui_canvas *canvas, ui_rect plot, const ui_axis *axis)
{
    char text[32];
    for (int power = (int)ceil(log10(axis->low)); power <= (int)floor(log10(axis->high)); power++) {
        int cell = ui_axis_cell(axis, pow(10, power), plot.rows);
        format_power(power, text, sizeof text);
        if (cell >= 0 && cell < plot.rows)
            ui_text_right(canvas, plot.row + plot.rows - 1 - cell, plot.column - 1, UI_ROLE_DIM,
                          text);
    }
}

/* Where predicted and measured are equal. */
static void draw_diagonal(ui_canvas *canvas, ui_rect plot)
{
    int last = -1;
    for (int c = 0; c < plot.columns; c++) {
        int row = plot.rows - 1 - (int)((c + 0.5) * plot.rows / plot.columns);
        ui_put(canvas, plot.row + row, plot.column + c, UI_ROLE_DIM,
               ui_glyph(canvas, row != last ? UI_GLYPH_SLOPE : UI_GLYPH_RULE));
        last = row;
    }
}

/* False: there is nothing to draw, or no room. */
static bool begin(ui_canvas *canvas, ui_rect rect, const nw_fit_report *p, ui_rect *plot)
{
    *plot = (ui_rect){rect.row, rect.column + LABEL_COLUMNS, rect.rows - 1,
                      rect.columns - LABEL_COLUMNS};
    if (rect.rows < LEAST_ROWS || rect.columns < LEAST_COLUMNS)
        return false;
    if (!p->n_sample)
        ui_text(canvas, rect.row, rect.column, rect.columns, UI_ROLE_DIM,
                "the model file keeps no rows to draw; fit it again");
    return p->n_sample > 0;
}

const char *ui_calibration_scatter_title(const nw_regression *r, int row, int columns, char *dst,
                                         size_t size)
{
    const nw_fit_report *p = nw_regression_report(r);
    const nw_fit_group *group = ui_calibration_group(r, row);
    int n = 0;
    for (int i = 0; i < p->n_sample; i++)
        n += is_in_row(&p->sample[i], row);
    snprintf(dst, size, "predicted%s: %d of %d rows", columns < 70 ? "" : " against measured", n,
             group ? group->n_rows : p->n_rows);
    return dst;
}

void ui_calibration_draw_scatter(ui_canvas *canvas, ui_rect rect, const nw_regression *r, int row)
{
    const nw_fit_report *p = nw_regression_report(r);
    ui_rect place;
    ui_plot plot;
    if (!begin(canvas, rect, p, &place))
        return;
    ui_axis span = find_span(p);
    draw_lower_axis(canvas, place, &span, ui_calibration_unit(r));
    draw_left_axis(canvas, place, &span);
    draw_diagonal(canvas, place);
    ui_plot_begin(&plot, place, span, span);
    for (int i = 0; i < p->n_sample; i++)
        ui_plot_dot(&plot, p->sample[i].measured, p->sample[i].predicted,
                    is_in_row(&p->sample[i], row));
    ui_plot_draw(&plot, canvas);
    ui_plot_fini(&plot);
}

/* ---- residuals ---- */

static double error_of(const nw_fit_point *point)
{
    return 100 * (point->predicted / point->measured - 1);
}

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The first of 5, 10, 20, 50, 100 percent that holds nine of ten errors. */
static double find_limit(const nw_fit_report *p)
{
    static const double steps[] = {5, 10, 20, 50, 100};
    double errors[NW_N_SAMPLE];
    int i = 0;
    for (int k = 0; k < p->n_sample; k++)
        errors[k] = fabs(error_of(&p->sample[k]));
    qsort(errors, (size_t)p->n_sample, sizeof *errors, compare_doubles);
    double most = errors[(p->n_sample - 1) * 9 / 10];
    while (i < 4 && steps[i] < most)
        i++;
    return steps[i];
}

const char *ui_calibration_residuals_title(const nw_regression *r, int row, char *dst, size_t size)
{
    const nw_fit_report *p = nw_regression_report(r);
    double limit = p->n_sample ? find_limit(p) : 0;
    int n = 0;
    for (int i = 0; i < p->n_sample; i++)
        n += is_in_row(&p->sample[i], row) && fabs(error_of(&p->sample[i])) > limit;
    snprintf(dst, size, n ? "errors: %d beyond %.0f%% at the edges" : "errors of the predictions",
             n, limit);
    return dst;
}

static void draw_level(ui_canvas *canvas, ui_rect plot, const ui_axis *y, double percent)
{
    char text[16];
    int cell = ui_axis_cell(y, percent, plot.rows);
    int row = plot.row + plot.rows - 1 - (cell < plot.rows ? cell : plot.rows - 1);
    snprintf(text, sizeof text, percent == 0 ? "0%%" : "%+.0f%%", percent);
    ui_text_right(canvas, row, plot.column - 1, UI_ROLE_DIM, text);
    for (int c = 0; c < plot.columns && percent == 0; c++)
        ui_put(canvas, row, plot.column + c, UI_ROLE_DIM, ui_glyph(canvas, UI_GLYPH_RULE));
}

void ui_calibration_draw_residuals(ui_canvas *canvas, ui_rect rect, const nw_regression *r, int row)
{
    const nw_fit_report *p = nw_regression_report(r);
    ui_rect place;
    ui_plot plot;
    if (!begin(canvas, rect, p, &place))
        return;
    double limit = find_limit(p);
    ui_axis x = find_span(p), y = {-limit, limit, false};
    draw_lower_axis(canvas, place, &x, ui_calibration_unit(r));
    draw_level(canvas, place, &y, 0);
    draw_level(canvas, place, &y, limit);
    draw_level(canvas, place, &y, -limit);
    ui_plot_begin(&plot, place, x, y);
    for (int i = 0; i < p->n_sample; i++)
        ui_plot_dot(&plot, p->sample[i].measured, error_of(&p->sample[i]),
                    is_in_row(&p->sample[i], row));
    ui_plot_draw(&plot, canvas);
    ui_plot_fini(&plot);
}
