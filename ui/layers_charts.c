/* Roofline of the kernels and memory through the schedule. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/report.h"
#include "ui/layers.h"

/* ---- roofline: MACs a second against MACs per byte of DRAM traffic, both logarithmic ---- */

typedef struct roofline {
    double peak;              /* MAC/s of the array */
    double bytes_per_s;       /* of the DRAM; 0: unknown */
    double x0, x1, y0, y1;    /* powers of ten */
    int n_outside, n_no_dram; /* kernels without MACs; with MACs but without DRAM traffic */
} roofline;

static double rate_of(const ui_layers *layers)
{
    const nw_kernel_shape *most = NULL;
    int64_t macs = -1;
    for (int r = 0; r < layers->n_rows; r++) {
        const nw_device_cost *cost = ui_layers_cost(layers, &layers->rows[r]);
        if (cost->macs > macs) {
            macs = cost->macs;
            most = &ui_layers_kernel(layers, &layers->rows[r])->shape;
        }
    }
    double rate = most ? nw_hw_precision_rate(layers->current->hw, most->weight_bits, most->bits,
                                              most->is_float)
                       : 1;
    return rate > 0 ? rate : 1;
}

/* false: the kernel has no place in the picture. */
static bool point_of(const ui_layers *layers, const ui_layers_row *row, double *x, double *y)
{
    const nw_device_cost *cost = ui_layers_cost(layers, row);
    if (!cost->is_known || !cost->macs || !cost->latency_ps)
        return false;
    *y = log10((double)cost->macs / (double)cost->latency_ps * 1e12);
    *x = cost->dram_bytes ? log10((double)cost->macs / (double)cost->dram_bytes) : INFINITY;
    return true;
}

static roofline find_roofline(const ui_layers *layers)
{
    const nw_hw *hw = layers->current->hw;
    roofline roof = {.peak = (double)nw_hw_macs_per_cycle(hw) * hw->clock_hz * rate_of(layers),
                     .bytes_per_s = hw->dram.bytes_per_cycle * hw->clock_hz};
    double top = log10(roof.peak), x, y;
    double ridge = roof.bytes_per_s > 0 ? log10(roof.peak / roof.bytes_per_s) : 1;
    roof.y0 = top - 1;
    roof.y1 = top;
    roof.x0 = ridge - 1;
    roof.x1 = ridge + 1;
    for (int r = ui_layers_first(layers); r < ui_layers_end(layers); r++) {
        if (!point_of(layers, &layers->rows[r], &x, &y)) {
            roof.n_outside++;
            continue;
        }
        roof.y0 = fmin(roof.y0, y);
        roof.y1 = fmax(roof.y1, y);
        roof.n_no_dram += isinf(x);
        if (isinf(x))
            continue;
        roof.x0 = fmin(roof.x0, x);
        roof.x1 = fmax(roof.x1, x);
    }
    roof.x0 = floor(roof.x0);
    roof.x1 = ceil(roof.x1);
    roof.y0 = floor(roof.y0);
    roof.y1 += 0.15;
    return roof;
}

static int to_cell(double value, double low, double high, int cells)
{
    double share = (value - low) / (high - low);
    int cell = (int)floor(share * cells);
    return cell < 0 ? 0 : cell >= cells ? cells - 1 : cell;
}

static void draw_roofs(ui_canvas *canvas, ui_rect plot, const roofline *roof)
{
    int last_row = -1;
    for (int c = 0; c < plot.columns; c++) {
        double x = roof->x0 + (roof->x1 - roof->x0) * (c + 0.5) / plot.columns;
        double y = log10(roof->peak);
        bool is_slope = roof->bytes_per_s > 0 && x + log10(roof->bytes_per_s) < y;
        if (is_slope)
            y = x + log10(roof->bytes_per_s);
        if (y < roof->y0)
            continue;
        int row = plot.rows - 1 - to_cell(y, roof->y0, roof->y1, plot.rows);
        ui_put(canvas, plot.row + row, plot.column + c, UI_ROLE_DIM,
               ui_glyph(canvas, is_slope && row != last_row ? UI_GLYPH_SLOPE : UI_GLYPH_RULE));
        last_row = row;
    }
}

static void draw_dot(ui_canvas *canvas, ui_rect plot, const roofline *roof, const ui_layers *layers,
                     const ui_layers_row *row, bool is_cursor)
{
    double x, y;
    if (!point_of(layers, row, &x, &y))
        return;
    int c = isinf(x) ? plot.columns - 1 : to_cell(x, roof->x0, roof->x1, plot.columns);
    int line = plot.rows - 1 - to_cell(y, roof->y0, roof->y1, plot.rows);
    ui_role role = is_cursor ? UI_ROLE_TITLE : row->is_marked ? UI_ROLE_MARK : UI_ROLE_TEXT;
    ui_put(canvas, plot.row + line, plot.column + c, role,
           ui_glyph(canvas, is_cursor ? UI_GLYPH_BULLET : UI_GLYPH_DOT));
}

static const char *plain(double value, char *dst, size_t size)
{
    snprintf(dst, size, "%.*g", value >= 1000 ? 6 : 3, value);
    return dst;
}

/* Ends of both axes with their units, and what is not in the picture. */
static void draw_axes(ui_canvas *canvas, ui_rect rect, const roofline *roof)
{
    char low[32], high[32], count[32], text[96];
    int right = rect.column + rect.columns, bottom = rect.row + rect.rows - 1;
    snprintf(text, sizeof text, "array %sMAC/s", nw_format_count((int64_t)roof->peak, count, 32));
    ui_text(canvas, rect.row, rect.column, rect.columns, UI_ROLE_DIM, text);
    if (rect.rows > 6) {
        char note[64] = "";
        if (roof->n_outside)
            snprintf(note, sizeof note, "%d without MACs left out", roof->n_outside);
        else if (roof->n_no_dram)
            snprintf(note, sizeof note, "%d at the right edge: no DRAM", roof->n_no_dram);
        int used = ui_text_columns(text) + 2;
        if (used + ui_text_columns(note) <= rect.columns)
            ui_text_right(canvas, rect.row, right, UI_ROLE_DIM, note);
    }
    nw_format_count((int64_t)pow(10, roof->y0), count, sizeof count);
    snprintf(text, sizeof text, "%sMAC/s", count);
    ui_text(canvas, bottom, rect.column, rect.columns, UI_ROLE_DIM, text);
    int used = ui_text_columns(text);
    snprintf(text, sizeof text, "%s to %s MAC/B", plain(pow(10, roof->x0), low, sizeof low),
             plain(pow(10, roof->x1), high, sizeof high));
    if (used + 2 + ui_text_columns(text) <= rect.columns)
        ui_text_right(canvas, bottom, right, UI_ROLE_DIM, text);
}

void ui_layers_draw_roofline(ui_canvas *canvas, ui_rect rect, const ui_layers *layers)
{
    if (rect.rows < 3 || rect.columns < 10 || !layers->n_rows)
        return;
    roofline roof = find_roofline(layers);
    if (roof.n_outside == ui_layers_end(layers) - ui_layers_first(layers)) {
        ui_text(canvas, rect.row, rect.column, rect.columns, UI_ROLE_DIM,
                "no kernel with MACs of known cost");
        return;
    }
    ui_rect plot = {rect.row + 1, rect.column, rect.rows - 2, rect.columns};
    draw_axes(canvas, rect, &roof);
    draw_roofs(canvas, plot, &roof);
    for (int r = ui_layers_first(layers); r < ui_layers_end(layers); r++)
        draw_dot(canvas, plot, &roof, layers, &layers->rows[r], false);
    const ui_layers_row *cursor = ui_layers_cursor_row(layers);
    if (cursor)
        draw_dot(canvas, plot, &roof, layers, cursor, true);
}

/* ---- memory ---- */

/* Largest value among the steps that column c of n stands for. */
static int64_t largest_in(const nw_memory *memory, int c, int n, int *first, int *last)
{
    *first = (int)((int64_t)c * memory->n_steps / n);
    *last = (int)((int64_t)(c + 1) * memory->n_steps / n);
    if (*last <= *first)
        *last = *first + 1;
    int64_t most = 0;
    for (int i = *first; i < *last; i++)
        most = memory->live_bytes[i] > most ? memory->live_bytes[i] : most;
    return most;
}

static void draw_column(ui_canvas *canvas, ui_rect plot, int c, double share, ui_role role)
{
    int eighths = (int)lround(share * plot.rows * 8);
    if (eighths == 0 && share > 0)
        eighths = 1;
    for (int row = 0; row * 8 < eighths; row++) {
        int level = eighths - row * 8;
        ui_put(canvas, plot.row + plot.rows - 1 - row, plot.column + c, role,
               ui_level_glyph(canvas, level > 8 ? 8 : level));
    }
}

static void draw_capacity(ui_canvas *canvas, ui_rect plot, double share)
{
    int row = (int)floor(share * plot.rows);
    row = row >= plot.rows ? plot.rows - 1 : row;
    for (int c = 0; c < plot.columns; c++) {
        int line = plot.row + plot.rows - 1 - row;
        const ui_cell *cell =
            &canvas->cells[(size_t)line * (size_t)canvas->columns + (size_t)(plot.column + c)];
        if (!cell->glyph || cell->glyph == ' ')
            ui_put(canvas, line, plot.column + c, UI_ROLE_FRAME, ui_glyph(canvas, UI_GLYPH_RULE));
    }
}

static void add_limits(const ui_layers *layers, bool is_limit_shown, ui_canvas *canvas,
                       ui_rect rect)
{
    const nw_memory *memory = &layers->current->estimate.kernels->memory;
    ui_layers_item items[4] = {{.text = ""}};
    const ui_layers_row *cursor = ui_layers_cursor_row(layers);
    int row = memory->peak_step < layers->current->estimate.kernels->n_kernels
                  ? layers->row_of_kernel[memory->peak_step]
                  : -1;
    char name[64] = "a view";
    if (row >= 0)
        ui_layers_where(layers, &layers->rows[row], rect.columns / 2, name, sizeof name);
    bool is_over = memory->peak_live_bytes > layers->current->hw->sram.bytes;
    snprintf(items[0].text, sizeof items[0].text, "limit %.0f KiB%s",
             (double)layers->current->hw->sram.bytes / 1024,
             is_limit_shown ? "" : " (above the picture)");
    items[0].role = UI_ROLE_DIM;
    snprintf(items[1].text, sizeof items[1].text, "peak %.0f KiB",
             ceil((double)memory->peak_live_bytes / 1024));
    items[1].role = is_over ? UI_ROLE_WARNING : UI_ROLE_TEXT;
    snprintf(items[2].text, sizeof items[2].text, "in %s", name);
    items[2].role = items[1].role;
    items[2].rank = 2;
    double here_kib = 0;
    if (cursor)
        ui_layers_number(layers, cursor, UI_LAYERS_SRAM, &here_kib);
    if (cursor)
        snprintf(items[3].text, sizeof items[3].text, "here %.1f KiB", here_kib);
    items[3].rank = 1;
    ui_layers_flow(canvas, rect, items, 4);
}

/* Whether the row's kernel, or one of the block's, is among these steps. */
static bool runs_in(const ui_layers *layers, const ui_layers_row *row, int first, int last)
{
    if (!row->is_block)
        return row->kernel >= first && row->kernel < last;
    for (int k = first; k < last && k < layers->current->estimate.kernels->n_kernels; k++) {
        int r = layers->row_of_kernel[k];
        if (r >= 0 && layers->rows[r].block == row->block)
            return true;
    }
    return false;
}

void ui_layers_draw_memory(ui_canvas *canvas, ui_rect rect, const ui_layers *layers)
{
    const nw_memory *memory = &layers->current->estimate.kernels->memory;
    if (rect.rows < 3 || rect.columns < 10 || !memory->n_steps)
        return;
    int n_text = rect.rows > 4 && rect.columns < 70 ? 2 : 1; /* a wide line holds all */
    ui_rect plot = {rect.row, rect.column, rect.rows - n_text, rect.columns};
    double capacity = (double)layers->current->hw->sram.bytes;
    double peak = fmax(1, (double)memory->peak_live_bytes);
    bool is_limit_shown = capacity <= 4 * peak; /* else nothing could be told apart */
    double scale = is_limit_shown ? fmax(capacity * 1.05, peak) : peak;
    if (memory->n_steps < plot.columns) /* whole columns a step */
        plot.columns -= plot.columns % memory->n_steps;
    const ui_layers_row *cursor = ui_layers_cursor_row(layers);
    for (int c = 0; c < plot.columns; c++) {
        int first, last;
        double value = (double)largest_in(memory, c, plot.columns, &first, &last);
        bool is_here = cursor && runs_in(layers, cursor, first, last);
        draw_column(canvas, plot, c, value / scale,
                    is_here            ? UI_ROLE_CURSOR
                    : value > capacity ? UI_ROLE_WARNING
                                       : UI_ROLE_BAR);
    }
    if (is_limit_shown)
        draw_capacity(canvas, plot, capacity / scale);
    add_limits(layers, is_limit_shown, canvas,
               (ui_rect){rect.row + rect.rows - n_text, rect.column, n_text, rect.columns});
}
