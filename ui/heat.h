/* heat.h - a grid of values as colours, two points a cell where the terminal can.
 *
 * x runs to the right, y upwards. A grid larger than its rectangle is sampled, a smaller one is
 * drawn as blocks. Colours go by rank: a linear scale would hide the valley's floor.
 */
#ifndef UI_HEAT_H
#define UI_HEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/canvas.h"

typedef struct ui_heat {
    ui_rect rect;
    int width, height;                                  /* points; 0: nothing to draw */
    double (*value)(const void *context, int x, int y); /* NAN: not known */
    const void *context;
    const uint8_t *is_minimum; /* by point, x fastest; NULL: not known */
} ui_heat;

/* Values drawn, sorted; several grids may share one. Zero-initialise. */
typedef struct ui_scale {
    double *values;
    size_t n, capacity;
} ui_scale;

void ui_scale_add(ui_scale *scale, const ui_canvas *canvas, const ui_heat *heat);
void ui_scale_end(ui_scale *scale); /* behind the last add */
void ui_scale_fini(ui_scale *scale);
int ui_scale_level(const ui_scale *scale, double value); /* 0 to UI_RAMP_STEPS - 1 */
bool ui_scale_is_flat(const ui_scale *scale);            /* one value everywhere */

void ui_heat_draw(ui_canvas *canvas, const ui_heat *heat, const ui_scale *scale);
/* Values in the middle of blocks with room for them, by a format of one double. */
void ui_heat_values(ui_canvas *canvas, const ui_heat *heat, const ui_scale *scale, int decimals);
/* A way over the grid, reversed: o at its start, arrows, a star at its end if it is whole. */
void ui_heat_path(ui_canvas *canvas, const ui_heat *heat, const int64_t *points, int n,
                  bool is_whole);
/* The cell of a point; false: it is not on the canvas. */
bool ui_heat_cell(const ui_heat *heat, int x, int y, int *row, int *column);
/* The point in the middle of a cell; false: outside. */
bool ui_heat_point(const ui_heat *heat, int row, int column, int *x, int *y);

/* A glyph on a step of the ramp, in whichever end of the ramp is seen on it. */
void ui_heat_put(ui_canvas *canvas, int row, int column, int level, uint32_t glyph);

#endif
