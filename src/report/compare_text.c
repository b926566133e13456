/* compare_text.c - networks beside each other for people: the same tables as a page and as
 * Markdown. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/internal.h"

#define NAME_BYTES 41 /* of a network above its column */
#define CELL_BYTES 97 /* of what a block is */

/* A table: cells row by row, the first row is the header. */
typedef struct grid {
    nw_arena *arena;
    const char **cells;
    size_t n_cells, capacity;
    int n_columns;
} grid;

typedef void grid_writer(const grid *g, int width, nw_buf *out);

static void put(grid *g, const char *format, ...) NW_PRINTF(2, 3);

static void put(grid *g, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    g->cells = nw_grow(g->cells, g->n_cells, &g->capacity, sizeof *g->cells);
    g->cells[g->n_cells++] = nw_arena_strdup(g->arena, text);
}

/* ---- as a page ---- */

static size_t columns_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void write_page(const grid *g, int width, nw_buf *out)
{
    size_t n_columns = (size_t)g->n_columns;
    size_t *widths = nw_zalloc(n_columns * sizeof *widths);
    for (size_t i = 0; i < g->n_cells; i++) {
        size_t columns = columns_of(g->cells[i]);
        if (columns > widths[i % n_columns])
            widths[i % n_columns] = columns;
    }
    nw_buf line = {0};
    for (size_t i = 0; i < g->n_cells; i++) {
        size_t at = i % n_columns;
        nw_buf_puts(&line, g->cells[i]);
        if (at + 1 < n_columns) {
            nw_buf_printf(&line, "%*s", (int)(widths[at] - columns_of(g->cells[i]) + 2), "");
            continue;
        }
        nw_report_line(nw_buf_text(&line), width, out);
        nw_buf_clear(&line);
    }
    nw_buf_fini(&line);
    free(widths);
}

/* ---- as Markdown ---- */

/* Printable text in which nothing means anything to Markdown: its marks are escaped. */
static void write_escaped(nw_buf *out, const char *text)
{
    for (const char *s = text; *s; s++) {
        if (strchr("\\`*_[]<>|~&#!", *s))
            nw_buf_puts(out, "\\");
        nw_buf_add(out, s, 1);
    }
}

static void write_markdown(const grid *g, int width, nw_buf *out)
{
    size_t n_columns = (size_t)g->n_columns;
    (void)width;
    for (size_t i = 0; i < g->n_cells; i++) {
        nw_buf_puts(out, i % n_columns ? " " : "| ");
        write_escaped(out, g->cells[i]);
        nw_buf_puts(out, (i + 1) % n_columns ? " |" : " |\n");
        if (i + 1 == n_columns) {
            for (size_t k = 0; k < n_columns; k++)
                nw_buf_puts(out, k ? " --- |" : "| --- |");
            nw_buf_puts(out, "\n");
        }
    }
}

/* ---- cells ---- */

/* The file's name without folder and ending, numbered where it repeats. */
static void column_name(const nw_comparison *c, int index, char *dst, size_t size)
{
    char clean[256], fitted[NAME_BYTES - 14];
    const char *name = c->networks[index].name;
    const char *slash = strrchr(name, '/');
    nw_text_visible(slash && slash[1] ? slash + 1 : name, clean, sizeof clean);
    char *dot = strrchr(clean, '.');
    if (dot && dot != clean && strlen(dot) <= 7)
        *dot = '\0';
    nw_text_fit(clean, fitted, sizeof fitted);
    int n_before = 0;
    for (int i = 0; i < index; i++)
        n_before += strcmp(c->networks[i].name, name) == 0;
    if (n_before)
        snprintf(dst, size, "%s (%d)", fitted, n_before + 1);
    else
        snprintf(dst, size, "%s", fitted);
}

static void put_header(grid *g, const nw_comparison *c, const char *first)
{
    put(g, "%s", first);
    for (int i = 0; i < c->n; i++) {
        char name[NAME_BYTES];
        column_name(c, i, name, sizeof name);
        put(g, "%s", name);
    }
}

/* "1.460 ms  -8.7 % ▼": the value, and what it is against the baseline's. */
static void put_value(grid *g, nw_formatter *format, int64_t value, int64_t base, bool is_base)
{
    char text[32], delta[32];
    format(value, text, sizeof text);
    if (is_base || value == base)
        put(g, "%s%s", text, is_base ? "" : "  =");
    else if (base > 0)
        put(g, "%s  %+.1f %% %s", text, 100 * ((double)value / (double)base - 1),
            value < base ? "▼" : "▲");
    else
        put(g, "%s  %s %s", text, nw_format_signed(format, value - base, delta, sizeof delta),
            value < base ? "▼" : "▲");
}

static void put_latency(grid *g, const nw_comparison *c, int index)
{
    const nw_estimate *e = c->networks[index].estimate, *base = c->networks[0].estimate;
    char text[32];
    if (!c->totals[index].has_cost)
        put(g, "?");
    else if (e->n_unknown || base->n_unknown || !c->totals[0].has_cost)
        put(g, "%s%s", nw_format_time(e->latency_ps, text, sizeof text),
            e->n_unknown ? " without what has no cost" : "");
    else
        put_value(g, nw_format_time, e->latency_ps, base->latency_ps, index == 0);
}

static void put_band(grid *g, const nw_comparison *c, int index)
{
    const nw_estimate *e = c->networks[index].estimate;
    char band[64];
    bool is_known = e->has_band && c->totals[index].has_cost;
    put(g, "%s",
        is_known ? nw_format_band(e->latency_ps, e->low_ps, e->high_ps, band, sizeof band) : "?");
}

static void put_difference(grid *g, const nw_comparison *c, int index)
{
    const nw_effect *effect = &c->totals[index].effect;
    const nw_difference *d = &effect->latency;
    char t[3][40];
    if (index == 0)
        put(g, "baseline");
    else if (!c->totals[index].has_cost || !c->totals[0].has_cost)
        put(g, "?");
    else if (c->networks[index].estimate->n_unknown || c->networks[0].estimate->n_unknown)
        put(g, "? costs are unknown");
    else if (d->latency_ps == 0 && d->low_ps == 0 && d->high_ps == 0)
        put(g, "none");
    else if (d->has_band)
        put(g, "%s (90 %%: %s to %s)%s",
            nw_format_signed(nw_format_time, d->latency_ps, t[0], sizeof t[0]),
            nw_format_signed(nw_format_time, d->low_ps, t[1], sizeof t[1]),
            nw_format_signed(nw_format_time, d->high_ps, t[2], sizeof t[2]),
            effect->is_below ? ": below what this estimator can tell" : "");
    else
        put(g, "%s", nw_format_signed(nw_format_time, d->latency_ps, t[0], sizeof t[0]));
}

/* ---- tables ---- */

typedef struct quantity {
    const char *name;
    nw_formatter *format;
    int64_t (*value)(const nw_comparison *c, int index);
} quantity;

static int64_t macs_of(const nw_comparison *c, int i)
{
    return c->totals[i].counts.macs;
}

static int64_t params_of(const nw_comparison *c, int i)
{
    return c->totals[i].counts.params;
}

static int64_t weights_of(const nw_comparison *c, int i)
{
    return c->totals[i].counts.weight_bytes;
}

static int64_t peak_of(const nw_comparison *c, int i)
{
    return c->networks[i].estimate->peak_live_bytes;
}

static int64_t arena_of(const nw_comparison *c, int i)
{
    return c->networks[i].estimate->arena_bytes;
}

static int64_t spill_of(const nw_comparison *c, int i)
{
    return c->totals[i].spill_bytes;
}

static int64_t traffic_of(const nw_comparison *c, int i)
{
    return c->networks[i].estimate->dram_bytes;
}

static const quantity quantities[] = {
    {"MACs", nw_format_count, macs_of},
    {"params", nw_format_count, params_of},
    {"weights in the file", nw_format_bytes, weights_of},
    {"memory at the peak", nw_format_bytes, peak_of},
    {"arena", nw_format_bytes, arena_of},
    {"beyond the SRAM", nw_format_bytes, spill_of},
    {"DRAM traffic", nw_format_bytes, traffic_of},
};

static void fill_energy(grid *g, const nw_comparison *c)
{
    bool has_energy = c->hw->energy.mac > 0 || c->hw->energy.dram_read_byte > 0;
    put(g, "energy");
    for (int i = 0; i < c->n; i++)
        if (has_energy && c->totals[i].has_cost && c->totals[0].has_cost)
            put_value(g, nw_format_energy, c->networks[i].estimate->energy_fj,
                      c->networks[0].estimate->energy_fj, i == 0);
        else
            put(g, "?");
}

static void fill_totals(grid *g, const nw_comparison *c)
{
    static const struct {
        const char *name;
        void (*put_cell)(grid *g, const nw_comparison *c, int index);
    } latencies[] = {{"latency", put_latency}, {"90 %", put_band}, {"difference", put_difference}};
    put_header(g, c, "");
    for (int row = 0; row < 3; row++) {
        put(g, "%s", latencies[row].name);
        for (int i = 0; i < c->n; i++)
            latencies[row].put_cell(g, c, i);
    }
    fill_energy(g, c);
    for (size_t row = 0; row < sizeof quantities / sizeof *quantities; row++) {
        put(g, "%s", quantities[row].name);
        for (int i = 0; i < c->n; i++)
            put_value(g, quantities[row].format, quantities[row].value(c, i),
                      quantities[row].value(c, 0), i == 0);
    }
    put(g, "precision");
    for (int i = 0; i < c->n; i++)
        put(g, "%s", c->networks[i].estimate->kernels->precision);
    put(g, "edits");
    for (int i = 0; i < c->n; i++) {
        int n_edits;
        nw_arch_edits(c->networks[i].arch, &n_edits);
        put(g, "%d", n_edits);
    }
}

static bool is_shown(const nw_comparison *c, const nw_compare_row *row)
{
    for (int i = 0; i < c->n; i++)
        if (row->cells[i].cost.n_kernels || row->cells[i].cost.latency_ps)
            return true;
    return false;
}

static void fill_times(grid *g, const nw_comparison *c, const nw_compare_row *rows, int n,
                       const char *first)
{
    put_header(g, c, first);
    for (int at = 0; at < n; at++) {
        const nw_compare_row *row = &rows[at];
        if (!is_shown(c, row))
            continue;
        put(g, "%s", row->label);
        for (int i = 0; i < c->n; i++) {
            const nw_compare_cell *cell = &row->cells[i];
            const char *mark = cell->has_other_time ? " ≠" : "";
            if (!cell->is_there)
                put(g, "-%s", mark);
            else if (!cell->is_known)
                put(g, "?%s", mark);
            else
                put(g, "%s%.2f%s", cell->cost.n_outside ? NW_OUTSIDE_MARK : "",
                    (double)cell->cost.latency_ps / 1e6, mark);
        }
    }
}

static bool differs(const nw_comparison *c, const nw_compare_row *row)
{
    for (int i = 1; i < c->n; i++)
        if (row->cells[i].has_other_text)
            return true;
    return false;
}

/* Every network's cell reads as in the row before, in the same stage. */
static bool goes_on(const nw_comparison *c, const nw_compare_row *row, const nw_compare_row *before)
{
    size_t stage = strcspn(row->label, ".");
    if (stage != strcspn(before->label, ".") || strncmp(row->label, before->label, stage) != 0)
        return false;
    for (int i = 0; i < c->n; i++)
        if (row->cells[i].is_there != before->cells[i].is_there ||
            strcmp(row->cells[i].text, before->cells[i].text) != 0)
            return false;
    return true;
}

/* The blocks that are not the same everywhere; false: all are. */
static bool fill_arch(grid *g, const nw_comparison *c)
{
    bool is_any = false;
    put_header(g, c, "block");
    for (int at = 0; at < c->n_blocks; at++) {
        const nw_compare_row *row = &c->blocks[at];
        if (!differs(c, row))
            continue;
        int last = at;
        while (last + 1 < c->n_blocks && goes_on(c, &c->blocks[last + 1], row))
            last++;
        is_any = true;
        put(g, "%s%s%s", row->label, last > at ? " to " : "",
            last > at ? c->blocks[last].label : "");
        for (int i = 0; i < c->n; i++) {
            char text[CELL_BYTES];
            const nw_compare_cell *cell = &row->cells[i];
            put(g, "%s%s", cell->is_there ? nw_text_fit(cell->text, text, sizeof text) : "-",
                cell->has_other_text ? " ≠" : "");
        }
        at = last;
    }
    return is_any;
}

/* ---- both forms ---- */

static void write_grid(grid_writer *write, grid *g, int width, nw_buf *out)
{
    write(g, width, out);
    g->n_cells = 0;
}

static void write_all(const nw_comparison *c, grid_writer *write, const char *heading, int width,
                      nw_buf *out)
{
    nw_arena arena = {0};
    grid g = {.arena = &arena, .n_columns = c->n + 1};
    const char *gap = *heading ? "\n" : "";
    fill_totals(&g, c);
    write_grid(write, &g, width, out);
    nw_buf_printf(out, "\n%sLatency by stage, us; ≠: other than the baseline's\n%s", heading, gap);
    fill_times(&g, c, c->stages, c->n_stages, "stage");
    write_grid(write, &g, width, out);
    nw_buf_printf(out, "\n%sLatency by block, us\n%s", heading, gap);
    fill_times(&g, c, c->blocks, c->n_blocks, "block");
    write_grid(write, &g, width, out);
    nw_buf_printf(out, "\n%sBlocks that differ\n%s", heading, gap);
    if (fill_arch(&g, c))
        write_grid(write, &g, width, out);
    else
        nw_buf_puts(out, "none: the networks have the same blocks\n");
    free(g.cells);
    nw_arena_fini(&arena);
}

static void say_who(const nw_comparison *c, char *estimator, size_t size, char *calibration,
                    size_t calibration_size)
{
    nw_format_estimator(c->networks[0].estimate->estimator, estimator, size);
    nw_format_calibration(c->networks[0].estimate, c->hw, calibration, calibration_size);
}

void nw_compare_text(const nw_comparison *c, int width, nw_buf *out)
{
    char estimator[160], calibration[256], name[NAME_BYTES], hw[64];
    say_who(c, estimator, sizeof estimator, calibration, sizeof calibration);
    column_name(c, 0, name, sizeof name);
    nw_buf_printf(out, "%d networks on %s, estimated by %s (%s); baseline %s\n\n", c->n,
                  nw_text_visible(c->hw->name, hw, sizeof hw), estimator, calibration, name);
    write_all(c, write_page, "", width, out);
}

void nw_compare_md(const nw_comparison *c, nw_buf *out)
{
    char estimator[160], calibration[256], name[NAME_BYTES], hw[64], text[640];
    say_who(c, estimator, sizeof estimator, calibration, sizeof calibration);
    column_name(c, 0, name, sizeof name);
    snprintf(text, sizeof text, "%d networks on %s, estimated by %s (%s); baseline %s", c->n,
             nw_text_visible(c->hw->name, hw, sizeof hw), estimator, calibration, name);
    write_escaped(out, text);
    nw_buf_puts(out, "\n\n");
    write_all(c, write_markdown, "### ", 0, out);
}
