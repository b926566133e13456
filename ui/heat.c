#include "ui/heat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"

/* ---- which point is where ---- */

/* The point in the middle of part i of n. */
static int point_of(int i, int n, int points)
{
    int at = (int)((2 * (int64_t)i + 1) * points / (2 * (int64_t)n));
    return at < 0 ? 0 : at >= points ? points - 1 : at;
}

/* The part that a point is in the middle of, or nearest to it. */
static int part_of(int point, int n, int points)
{
    int at = (int)((2 * (int64_t)point + 1) * n / (2 * (int64_t)points));
    return at < 0 ? 0 : at >= n ? n - 1 : at;
}

static bool is_drawable(const ui_heat *heat)
{
    return heat->width > 0 && heat->height > 0 && heat->rect.rows > 0 && heat->rect.columns > 0;
}

/* Two values a cell: where there are colours to tell them apart. */
static int rows_a_cell(const ui_canvas *canvas, const ui_heat *heat)
{
    return canvas->has_color && !canvas->ascii && heat->height > heat->rect.rows ? 2 : 1;
}

/* y of part i of n from the top. */
static int y_of(const ui_heat *heat, int i, int n)
{
    return heat->height - 1 - point_of(i, n, heat->height);
}

bool ui_heat_cell(const ui_heat *heat, int x, int y, int *row, int *column)
{
    if (!is_drawable(heat) || x < 0 || x >= heat->width || y < 0 || y >= heat->height)
        return false;
    *column = heat->rect.column + part_of(x, heat->rect.columns, heat->width);
    *row = heat->rect.row + part_of(heat->height - 1 - y, heat->rect.rows, heat->height);
    return true;
}

bool ui_heat_point(const ui_heat *heat, int row, int column, int *x, int *y)
{
    int i = row - heat->rect.row, j = column - heat->rect.column;
    if (!is_drawable(heat) || i < 0 || i >= heat->rect.rows || j < 0 || j >= heat->rect.columns)
        return false;
    *x = point_of(j, heat->rect.columns, heat->width);
    *y = y_of(heat, i, heat->rect.rows);
    return true;
}

/* ---- the scale ---- */

static void add_value(ui_scale *scale, double value)
{
    if (isnan(value))
        return;
    scale->values = nw_grow(scale->values, scale->n, &scale->capacity, sizeof *scale->values);
    scale->values[scale->n++] = value;
}

/* Few points: each once. Many: those that are seen. */
void ui_scale_add(ui_scale *scale, const ui_canvas *canvas, const ui_heat *heat)
{
    if (!is_drawable(heat))
        return;
    int rows = heat->rect.rows * rows_a_cell(canvas, heat), columns = heat->rect.columns;
    rows = rows > heat->height ? heat->height : rows;
    columns = columns > heat->width ? heat->width : columns;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            add_value(scale, heat->value(heat->context, point_of(j, columns, heat->width),
                                         y_of(heat, i, rows)));
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

void ui_scale_end(ui_scale *scale)
{
    if (scale->n)
        qsort(scale->values, scale->n, sizeof *scale->values, compare);
}

void ui_scale_fini(ui_scale *scale)
{
    free(scale->values);
    *scale = (ui_scale){0};
}

/* How many are below, or not above. */
static size_t count(const ui_scale *scale, double value, bool with_equal)
{
    size_t low = 0, high = scale->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        double at = scale->values[middle];
        if (at < value || (with_equal && at == value))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Equal values have the rank in their middle. */
int ui_scale_level(const ui_scale *scale, double value)
{
    if (!scale->n || isnan(value))
        return 0;
    size_t twice = count(scale, value, false) + count(scale, value, true);
    size_t level = twice * UI_RAMP_STEPS / (2 * scale->n);
    return level >= UI_RAMP_STEPS ? UI_RAMP_STEPS - 1 : (int)level;
}

bool ui_scale_is_flat(const ui_scale *scale)
{
    return scale->n > 1 && scale->values[0] == scale->values[scale->n - 1];
}

/* ---- cells ---- */

static ui_role role_of(int level)
{
    return (ui_role)(UI_ROLE_RAMP + level);
}

void ui_heat_put(ui_canvas *canvas, int row, int column, int level, uint32_t glyph)
{
    bool is_dark = level < UI_RAMP_STEPS * 5 / 8;
    if (canvas->has_color)
        ui_put_on(canvas, row, column, role_of(is_dark ? UI_RAMP_STEPS - 1 : 0), role_of(level),
                  glyph);
    else
        ui_put(canvas, row, column, UI_ROLE_TEXT, glyph);
}

static void put_level(ui_canvas *canvas, int row, int column, int level)
{
    if (canvas->has_color)
        ui_put_on(canvas, row, column, role_of(level), role_of(level), ui_ramp_glyph(level));
    else
        ui_put(canvas, row, column, UI_ROLE_TEXT, ui_ramp_glyph(level));
}

static bool has_minimum(const ui_heat *heat, int i, int j)
{
    int rows = heat->rect.rows, columns = heat->rect.columns;
    if (!heat->is_minimum)
        return false;
    if (heat->width <= columns || heat->height <= rows)
        return false; /* marked in the middle of their blocks */
    int x = j * heat->width / columns, end_x = (j + 1) * heat->width / columns;
    int top = i * heat->height / rows, bottom = (i + 1) * heat->height / rows;
    for (int y = heat->height - bottom; y < heat->height - top; y++)
        for (int at = x; at < end_x; at++)
            if (heat->is_minimum[(int64_t)y * heat->width + at])
                return true;
    return false;
}

static void draw_cell(ui_canvas *canvas, const ui_heat *heat, const ui_scale *scale, int i, int j)
{
    int row = heat->rect.row + i, column = heat->rect.column + j;
    int parts = rows_a_cell(canvas, heat), rows = heat->rect.rows * parts;
    int x = point_of(j, heat->rect.columns, heat->width);
    double upper = heat->value(heat->context, x, y_of(heat, i * parts, rows)), lower = upper;
    if (parts == 2)
        lower = heat->value(heat->context, x, y_of(heat, i * parts + 1, rows));
    if (isnan(upper) || isnan(lower)) {
        ui_put(canvas, row, column, UI_ROLE_DIM, isnan(upper) && isnan(lower) ? ' ' : '.');
        return;
    }
    int level = ui_scale_level(scale, upper), below = ui_scale_level(scale, lower);
    if (has_minimum(heat, i, j))
        ui_heat_put(canvas, row, column, (level + below) / 2, ui_glyph(canvas, UI_GLYPH_DOT));
    else if (level == below)
        put_level(canvas, row, column, level);
    else
        ui_put_on(canvas, row, column, role_of(level), role_of(below),
                  ui_glyph(canvas, UI_GLYPH_HALF));
}

/* Where blocks are larger than cells their minima are marked in the middle. */
static void mark_blocks(ui_canvas *canvas, const ui_heat *heat, const ui_scale *scale)
{
    int row, column;
    if (!heat->is_minimum || (heat->width > heat->rect.columns && heat->height > heat->rect.rows))
        return;
    for (int y = 0; y < heat->height; y++)
        for (int x = 0; x < heat->width; x++)
            if (heat->is_minimum[(int64_t)y * heat->width + x] &&
                ui_heat_cell(heat, x, y, &row, &column))
                ui_heat_put(canvas, row, column,
                            ui_scale_level(scale, heat->value(heat->context, x, y)),
                            ui_glyph(canvas, UI_GLYPH_DOT));
}

void ui_heat_draw(ui_canvas *canvas, const ui_heat *heat, const ui_scale *scale)
{
    if (!is_drawable(heat))
        return;
    for (int i = 0; i < heat->rect.rows; i++)
        for (int j = 0; j < heat->rect.columns; j++)
            draw_cell(canvas, heat, scale, i, j);
    mark_blocks(canvas, heat, scale);
}

void ui_heat_values(ui_canvas *canvas, const ui_heat *heat, const ui_scale *scale, int decimals)
{
    char text[32];
    int row, column, left;
    if (!is_drawable(heat) || heat->height > heat->rect.rows)
        return;
    int room = heat->rect.columns / heat->width;
    if (decimals > 2 && room < decimals + 3)
        decimals = 2;
    for (int y = 0; y < heat->height; y++) {
        for (int x = 0; x < heat->width; x++) {
            double value = heat->value(heat->context, x, y);
            int n = snprintf(text, sizeof text, "%.*f", decimals, value);
            if (isnan(value) || n + 1 > room || !ui_heat_cell(heat, x, y, &row, &column))
                continue;
            left = column - n / 2;
            for (int i = 0; i < n; i++)
                ui_heat_put(canvas, row, left + i, ui_scale_level(scale, value),
                            (uint32_t)(unsigned char)text[i]);
        }
    }
}

/* ---- ways ---- */

static void put_mark(ui_canvas *canvas, int row, int column, uint32_t glyph)
{
    ui_put(canvas, row, column, UI_ROLE_TEXT, glyph);
    ui_reverse_row(canvas, row, column, 1);
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

/* Arrows from one cell to another, the other left out. */
static void draw_leg(ui_canvas *canvas, int row, int column, int to_row, int to_column)
{
    int right = to_column - column, down = to_row - row;
    int n = abs(right) > abs(down) ? abs(right) : abs(down);
    for (int i = 1; i < n; i++)
        put_mark(canvas, row + (int)lround((double)down * i / n),
                 column + (int)lround((double)right * i / n),
                 ui_arrow_glyph(canvas, abs(right) * 2 >= abs(down) ? sign(right) : 0,
                                abs(down) * 2 >= abs(right) ? sign(down) : 0));
}

void ui_heat_path(ui_canvas *canvas, const ui_heat *heat, const int64_t *points, int n,
                  bool is_whole)
{
    int row = 0, column = 0, next_row, next_column;
    if (n < 1 || !is_drawable(heat))
        return;
    int first_row = -1, first_column = -1;
    for (int i = 0; i < n; i++) {
        if (!ui_heat_cell(heat, (int)(points[i] % heat->width), (int)(points[i] / heat->width),
                          &next_row, &next_column))
            continue;
        if (first_row < 0) {
            first_row = row = next_row;
            first_column = column = next_column;
        } else if (next_row != row || next_column != column) {
            put_mark(canvas, row, column,
                     ui_arrow_glyph(canvas, sign(next_column - column), sign(next_row - row)));
            draw_leg(canvas, row, column, next_row, next_column);
            row = next_row;
            column = next_column;
        }
    }
    put_mark(canvas, first_row, first_column, 'o');
    if (is_whole)
        put_mark(canvas, row, column, ui_glyph(canvas, UI_GLYPH_STAR));
    else if (row != first_row || column != first_column)
        put_mark(canvas, row, column, ui_glyph(canvas, UI_GLYPH_BULLET));
}
