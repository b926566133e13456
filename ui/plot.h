/* plot.h - dots on two axes, eight to a cell where glyphs allow.
 *
 * Zero a plot, say where it stands and what its axes span, add dots, draw. Dots outside the span
 * stay at its edge.
 */
#ifndef UI_PLOT_H
#define UI_PLOT_H

#include <stdbool.h>

#include "ui/canvas.h"

typedef struct ui_axis {
    double low, high;
    bool is_log; /* low and high positive */
} ui_axis;

typedef struct ui_plot {
    ui_rect rect; /* of the dots alone */
    ui_axis x, y;
    struct ui_plot_cell *cells; /* owned */
} ui_plot;

void ui_plot_begin(ui_plot *plot, ui_rect rect, ui_axis x, ui_axis y);
void ui_plot_fini(ui_plot *plot);

/* is_front: shown before those that are not, whatever the order. */
void ui_plot_dot(ui_plot *plot, double x, double y, bool is_front);

/* Front dots in braille, their number in ASCII (o, 8 for more); the others one mark a cell. Cells
 * without a dot stay as they are. */
void ui_plot_draw(const ui_plot *plot, ui_canvas *canvas);

/* The cell of a value along an axis of n cells, 0 at low; -1 or n: outside. */
int ui_axis_cell(const ui_axis *axis, double value, int n);

#endif
