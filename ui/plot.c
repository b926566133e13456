#include "ui/plot.h"

#include <math.h>
#include <stdlib.h>

#include "src/base/arena.h"

enum { BRAILLE = 0x2800, DOTS_X = 2, DOTS_Y = 4 };

typedef struct ui_plot_cell {
    uint8_t dots; /* in front, as bits of a braille glyph */
    uint8_t n_front;
    bool has_behind;
} ui_plot_cell;

/* ---- axes ---- */

/* 0 at low, 1 at high. */
static double share_of(const ui_axis *axis, double value)
{
    if (!axis->is_log)
        return (value - axis->low) / (axis->high - axis->low);
    return value > 0 ? log(value / axis->low) / log(axis->high / axis->low) : -INFINITY;
}

int ui_axis_cell(const ui_axis *axis, double value, int n)
{
    double share = share_of(axis, value);
    if (!(share >= 0)) /* NaN too */
        return -1;
    return share > 1 ? n : share == 1 ? n - 1 : (int)(share * n);
}

static int clamped_cell(const ui_axis *axis, double value, int n)
{
    int cell = ui_axis_cell(axis, value, n);
    return cell < 0 ? 0 : cell >= n ? n - 1 : cell;
}

/* ---- dots ---- */

void ui_plot_begin(ui_plot *plot, ui_rect rect, ui_axis x, ui_axis y)
{
    rect.rows = rect.rows < 0 ? 0 : rect.rows;
    rect.columns = rect.columns < 0 ? 0 : rect.columns;
    size_t n = (size_t)rect.rows * (size_t)rect.columns;
    *plot = (ui_plot){rect, x, y, nw_zalloc((n + 1) * sizeof *plot->cells)};
}

void ui_plot_fini(ui_plot *plot)
{
    free(plot->cells);
    plot->cells = NULL;
}

void ui_plot_dot(ui_plot *plot, double x, double y, bool is_front)
{
    /* Unicode numbers the dots of a cell down the left, down the right, then the last row. */
    static const uint8_t bits[DOTS_Y][DOTS_X] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    const ui_rect *r = &plot->rect;
    if (r->rows < 1 || r->columns < 1 || isnan(x) || isnan(y))
        return;
    int column = clamped_cell(&plot->x, x, r->columns * DOTS_X);
    int row = r->rows * DOTS_Y - 1 - clamped_cell(&plot->y, y, r->rows * DOTS_Y);
    ui_plot_cell *cell = &plot->cells[row / DOTS_Y * r->columns + column / DOTS_X];
    if (!is_front) {
        cell->has_behind = true;
        return;
    }
    cell->dots |= bits[row % DOTS_Y][column % DOTS_X];
    cell->n_front = cell->n_front < 255 ? cell->n_front + 1 : 255;
}

void ui_plot_draw(const ui_plot *plot, ui_canvas *canvas)
{
    for (int row = 0; row < plot->rect.rows; row++)
        for (int column = 0; column < plot->rect.columns; column++) {
            const ui_plot_cell *cell = &plot->cells[row * plot->rect.columns + column];
            int at_row = plot->rect.row + row, at = plot->rect.column + column;
            if (cell->n_front)
                ui_put(canvas, at_row, at, UI_ROLE_BAR,
                       !canvas->ascii      ? (uint32_t)(BRAILLE + cell->dots)
                       : cell->n_front > 1 ? '8'
                                           : 'o');
            else if (cell->has_behind)
                ui_put(canvas, at_row, at, UI_ROLE_DIM, ui_glyph(canvas, UI_GLYPH_DOT));
        }
}
