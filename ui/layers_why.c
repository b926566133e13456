/* Why the block or kernel under the cursor takes its time. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/report.h"
#include "ui/layers.h"

#define CAUSE_COLUMNS 39 /* "overhead ████████  1234567890 cyc  34%" */
#define MAX_FACTS     16

/* Where the next line goes; lines before and behind the window are only counted. */
typedef struct pager {
    ui_canvas *canvas; /* NULL: count only */
    ui_rect rect;
    int line, skip;
} pager;

static int place(const pager *p)
{
    int line = p->line - p->skip;
    return p->canvas && line >= 0 && line < p->rect.rows ? p->rect.row + line : -1;
}

static void put_line(pager *p, ui_role role, const char *text)
{
    int at = place(p);
    if (at >= 0)
        ui_text(p->canvas, at, p->rect.column, p->rect.columns, role, text);
    p->line++;
}

/* Over as many lines as it takes, broken at spaces. */
static void put_words(pager *p, ui_role role, const char *text)
{
    size_t columns = p->rect.columns > 1 ? (size_t)p->rect.columns : 1;
    while (*text) {
        size_t length = strlen(text), end = 0, n = 0, space = 0;
        for (; end < length && n < columns; n++) {
            if (text[end] == ' ')
                space = end;
            end++;
            while (((unsigned char)text[end] & 0xc0) == 0x80)
                end++;
        }
        if (end < length && text[end] != ' ' && space)
            end = space;
        char part[1024];
        snprintf(part, sizeof part, "%.*s", (int)end, text);
        put_line(p, role, part);
        text += end;
        text += strspn(text, " ");
    }
}

/* ---- cycles by cause ---- */

typedef struct cause {
    nw_bound bound;
    int64_t cycles;
} cause;

static int by_cycles(const void *a, const void *b)
{
    const cause *x = a, *y = b;
    if (x->cycles != y->cycles)
        return x->cycles < y->cycles ? 1 : -1;
    return (int)x->bound - (int)y->bound;
}

static void draw_cause(pager *p, int slot, const cause *c, const nw_device_cost *cost)
{
    int line = place(p), at = p->rect.column + slot * CAUSE_COLUMNS;
    if (line < 0)
        return;
    double share = cost->total_cycles ? (double)c->cycles / (double)cost->total_cycles : 0;
    bool is_bound = c->bound == cost->bound;
    ui_text(p->canvas, line, at, 8, is_bound ? UI_ROLE_TITLE : UI_ROLE_TEXT,
            nw_bound_name(c->bound));
    ui_bar(p->canvas, line, at + 9, 8, share, UI_ROLE_BAR);
    char number[40];
    snprintf(number, sizeof number, "%lld cyc %3.0f%%", (long long)c->cycles, 100 * share);
    ui_text_right(p->canvas, line, at + CAUSE_COLUMNS - 2, UI_ROLE_TEXT, number);
}

static void put_causes(pager *p, const nw_device_cost *cost)
{
    cause causes[NW_BOUND_COUNT];
    int per_line = p->rect.columns / CAUSE_COLUMNS;
    per_line = per_line < 1 ? 1 : per_line;
    for (int i = 0; i < NW_BOUND_COUNT; i++)
        causes[i] = (cause){(nw_bound)i, cost->cycles[i]};
    qsort(causes, NW_BOUND_COUNT, sizeof *causes, by_cycles);
    for (int i = 0; i < NW_BOUND_COUNT; i++) {
        if (i && i % per_line == 0)
            p->line++;
        draw_cause(p, i % per_line, &causes[i], cost);
    }
    p->line++;
}

/* ---- facts ---- */

typedef struct fact_list {
    ui_layers_item items[MAX_FACTS];
    int n;
} fact_list;

static void add(fact_list *list, ui_role role, const char *format, ...) NW_PRINTF(3, 4);

static void add(fact_list *list, ui_role role, const char *format, ...)
{
    if (list->n == MAX_FACTS)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(list->items[list->n].text, sizeof list->items[list->n].text, format, args);
    va_end(args);
    list->items[list->n++].role = role;
}

static void put_list(pager *p, const fact_list *list)
{
    int skip = p->line - p->skip;
    ui_rect rect = {p->rect.row + skip, p->rect.column, p->rect.rows - skip, p->rect.columns};
    if (p->canvas) {
        ui_canvas_set_clip(p->canvas, p->rect);
        rect.rows = 1000; /* the clip cuts at lines, the list stays whole */
        ui_layers_flow(p->canvas, rect, list->items, list->n);
        ui_canvas_no_clip(p->canvas);
    }
    p->line += ui_layers_flow(NULL, rect, list->items, list->n);
}

static const char *place_name(nw_place where)
{
    return where == NW_PLACE_SRAM ? "SRAM" : "DRAM";
}

static void add_comparison(const ui_layers *layers, const ui_layers_row *row, fact_list *list)
{
    const nw_device_cost *cost = ui_layers_cost(layers, row);
    if (!layers->baseline)
        return;
    if (row->is_new)
        add(list, UI_ROLE_TEXT, "%s",
            row->is_block ? "the baseline has no such block" : "the baseline has no such kernel");
    else if (!row->has_delta)
        add(list, UI_ROLE_WARNING, "change ? (a cost is unknown)");
    else
        add(list,
            layers->is_same_thing ? UI_ROLE_TEXT
            : row->delta_ps < 0   ? UI_ROLE_BETTER
            : row->delta_ps > 0   ? UI_ROLE_WORSE
                                  : UI_ROLE_DIM,
            "baseline %.2f us, now %.2f us", (double)(cost->latency_ps - row->delta_ps) / 1e6,
            (double)cost->latency_ps / 1e6);
}

static void put_facts(pager *p, const ui_layers *layers, const ui_layers_row *row)
{
    const nw_device_cost *cost = ui_layers_cost(layers, row);
    const nw_kernel *kernel = ui_layers_kernel(layers, row);
    const nw_kernel_shape *shape = &kernel->shape;
    fact_list list = {.n = 0};
    char a[32], b[32];
    add_comparison(layers, row, &list);
    if (cost->macs)
        add(&list, UI_ROLE_TEXT, "%sMAC, util %.1f%%", nw_format_count(cost->macs, a, sizeof a),
            100 * cost->utilisation);
    add(&list, UI_ROLE_TEXT, "in %s, out %s%s%s", place_name(shape->in_place),
        place_name(shape->out_place), shape->residual || shape->n_maps > 1 ? ", second in " : "",
        shape->residual || shape->n_maps > 1 ? place_name(shape->residual_place) : "");
    add(&list, ui_layers_spills(layers, row) ? UI_ROLE_WARNING : UI_ROLE_TEXT, "live %s of %s SRAM",
        nw_format_bytes(kernel->live_bytes, a, sizeof a),
        nw_format_bytes(layers->current->hw->sram.bytes, b, sizeof b));
    if (cost->is_known) {
        add(&list, UI_ROLE_TEXT, "moved DRAM %s, SRAM %s",
            nw_format_bytes(cost->dram_bytes, a, sizeof a),
            nw_format_bytes(cost->sram_bytes, b, sizeof b));
        if (cost->tile.h)
            add(&list, UI_ROLE_TEXT, "tile %dx%dx%d", (int)cost->tile.h, (int)cost->tile.w,
                (int)cost->tile.c);
        if (cost->weight_bytes)
            add(&list, UI_ROLE_TEXT, "weights %s",
                nw_format_bytes(cost->weight_bytes, a, sizeof a));
        add(&list, UI_ROLE_TEXT, "energy %s", nw_format_energy(cost->energy_fj, a, sizeof a));
    }
    if (shape->bits)
        add(&list, UI_ROLE_TEXT, "%d-bit %s", (int)shape->bits,
            shape->is_float ? "float" : "integer");
    if (shape->parts[0].kernel_h > 0)
        add(&list, UI_ROLE_TEXT, "window %dx%d stride %dx%d", (int)shape->parts[0].kernel_h,
            (int)shape->parts[0].kernel_w, (int)shape->parts[0].stride_h,
            (int)shape->parts[0].stride_w);
    put_list(p, &list);
}

static void put_block_facts(pager *p, const ui_layers *layers, const ui_layers_row *row)
{
    const ui_layers_block *block = &layers->blocks[row->block];
    const nw_device_cost *cost = &block->cost;
    fact_list list = {.n = 0};
    char a[32], b[32];
    add_comparison(layers, row, &list);
    if (cost->macs)
        add(&list, UI_ROLE_TEXT, "%sMAC, util %.1f%%", nw_format_count(cost->macs, a, sizeof a),
            100 * cost->utilisation);
    if (block->idle)
        add(&list, UI_ROLE_WARNING, "%lld of %lld output lanes idle at %lld channels",
            (long long)block->idle, (long long)(block->idle + block->block->out_c),
            (long long)block->block->out_c);
    add(&list, block->n_spills ? UI_ROLE_WARNING : UI_ROLE_TEXT, "live %s of %s SRAM",
        nw_format_bytes(block->live_bytes, a, sizeof a),
        nw_format_bytes(layers->current->hw->sram.bytes, b, sizeof b));
    if (cost->is_known) {
        add(&list, UI_ROLE_TEXT, "moved DRAM %s, SRAM %s",
            nw_format_bytes(cost->dram_bytes, a, sizeof a),
            nw_format_bytes(cost->sram_bytes, b, sizeof b));
        if (cost->weight_bytes)
            add(&list, UI_ROLE_TEXT, "weights %s",
                nw_format_bytes(cost->weight_bytes, a, sizeof a));
        add(&list, UI_ROLE_TEXT, "energy %s", nw_format_energy(cost->energy_fj, a, sizeof a));
    }
    put_list(p, &list);
}

/* ---- operators ---- */

static void put_ops(pager *p, const ui_layers *layers, const ui_layers_row *row)
{
    const nw_kernel *kernel = ui_layers_kernel(layers, row);
    const nw_graph *graph = layers->current->graph;
    for (int i = 0; i < kernel->n_nodes; i++) {
        if (place(p) < 0) {
            p->line++; /* hundreds in a host run: text for those in sight only */
            continue;
        }
        const nw_node *node = &graph->nodes[kernel->nodes[i]];
        nw_arena arena = {0};
        char label[512], shape[96], name[320], head[200];
        nw_kernel one = {.writes = node->outputs, .n_writes = node->n_outputs};
        snprintf(head, sizeof head, "%s %.60s  %s  ", i ? "     " : "runs ",
                 ui_layers_printable(&arena, node->file_type),
                 nw_format_map(graph, &one, shape, sizeof shape));
        const char *clean = ui_layers_printable(
            &arena, nw_node_label(graph, kernel->nodes[i], label, sizeof label));
        int at = place(p), column = p->rect.column;
        column += ui_text(p->canvas, at, column, p->rect.columns, UI_ROLE_DIM, head);
        int room = p->rect.column + p->rect.columns - column;
        ui_text(p->canvas, at, column, room, UI_ROLE_DIM,
                ui_layers_fit_name(layers, clean, room, name, sizeof name));
        nw_arena_fini(&arena);
        p->line++;
    }
}

/* ---- the first lines ---- */

/* What the device says beside a prediction; what follows on the page is of the device. */
static void put_prediction(pager *p, const ui_layers *layers, const ui_layers_row *row)
{
    const nw_kernel_latency *latency = &layers->current->estimate.latencies[row->kernel];
    nw_device_cost device;
    char text[400], spread[48] = "";
    nw_device_estimate(layers->current->hw, &ui_layers_kernel(layers, row)->shape, &device);
    double us = (double)latency->latency_ps / 1e6, device_us = (double)device.latency_ps / 1e6;
    if (latency->spread > 0)
        snprintf(spread, sizeof spread, ", spread %.1f%%", 100 * (double)latency->spread);
    if (latency->is_known)
        snprintf(text, sizeof text, "predicted %.2f us%s, %s", us, spread,
                 !latency->is_outside   ? "not extrapolated"
                 : p->rect.columns < 76 ? "extrapolated"
                                        : "extrapolated: outside the range of training");
    else
        snprintf(text, sizeof text, "? us: %s",
                 nw_report_why(&layers->current->estimate, row->kernel));
    bool is_fine = latency->is_known && !latency->is_outside;
    put_words(p, is_fine ? UI_ROLE_TEXT : UI_ROLE_WARNING, text);
    if (!device.is_known)
        snprintf(text, sizeof text, "device ? us: %s", device.why);
    else if (device_us > 0 && latency->is_known)
        snprintf(text, sizeof text, "device %.2f us (predicted %+.1f%%): %s", device_us,
                 100 * (us / device_us - 1), device.why);
    else
        snprintf(text, sizeof text, "device %.2f us: %s", device_us, device.why);
    nw_arena arena = {0};
    put_words(p, UI_ROLE_TEXT, ui_layers_printable(&arena, text));
    nw_arena_fini(&arena);
}

static void put_cost(pager *p, const nw_device_cost *cost)
{
    char text[360];
    if (cost->is_known)
        snprintf(text, sizeof text, "%.2f us, %lld cycles: %s", (double)cost->latency_ps / 1e6,
                 (long long)cost->total_cycles, cost->why);
    else
        snprintf(text, sizeof text, "? us: %s", cost->why);
    nw_arena arena = {0};
    put_words(p, cost->is_known ? UI_ROLE_TEXT : UI_ROLE_WARNING,
              ui_layers_printable(&arena, text));
    nw_arena_fini(&arena);
}

/* ---- a block ---- */

/* "fuse 2.1: -139.0 us (-8.7%), +104.0M MAC, SRAM peak 784.0 KiB  [f] try it" */
static void put_fuse(pager *p, const ui_layers *layers, const nw_whatif_row *row)
{
    const nw_effect *effect = &row->effect;
    int64_t base_ps = layers->current->estimate.latency_ps, macs = effect->macs;
    int64_t peak_bytes = layers->current->estimate.peak_live_bytes + effect->peak_live_bytes;
    char text[400], time[32], count[32], peak[32];
    nw_buf edit = {0};
    nw_edit_write(&row->edit, &edit);
    bool is_key = row->edit.number == 0; /* what the key does: its own expansion */
    snprintf(text, sizeof text, "%s: -%s (%.1f%%), %s%sMAC, SRAM peak %s  %s%s", row->label,
             nw_format_time(-effect->latency.latency_ps, time, sizeof time),
             base_ps ? 100 * (double)effect->latency.latency_ps / (double)base_ps : 0.0,
             macs < 0 ? "-" : "+", nw_format_count(macs < 0 ? -macs : macs, count, sizeof count),
             nw_format_bytes(peak_bytes, peak, sizeof peak), is_key ? "[f] try it" : "[=] ",
             is_key ? "" : nw_buf_text(&edit));
    put_words(p, UI_ROLE_BETTER, text);
    nw_buf_fini(&edit);
}

/* One line a kernel: its time, its part of the block, and why. */
static void put_kernel(pager *p, const ui_layers *layers, const ui_layers_block *block,
                       const ui_layers_row *row)
{
    const nw_device_cost *cost = ui_layers_cost(layers, row);
    const nw_kernel *kernel = ui_layers_kernel(layers, row);
    if (place(p) < 0) {
        p->line++;
        return;
    }
    char text[400], map[96], us[48] = "? us", kind[32];
    bool is_wide = p->rect.columns >= 76;
    if (cost->is_known && block->cost.latency_ps > 0)
        snprintf(us, sizeof us, "%s%.1f us %3.0f%%",
                 ui_layers_is_extrapolated(layers, row) ? "~" : "", (double)cost->latency_ps / 1e6,
                 100 * (double)cost->latency_ps / (double)block->cost.latency_ps);
    nw_arena arena = {0};
    snprintf(text, sizeof text, "%-10s %11s  %15s  %s%s%s",
             ui_layers_fit_name(layers, row->kind, 10, kind, sizeof kind),
             is_wide ? ui_layers_map(layers, row, true, map, sizeof map) : "", us, kernel->note,
             kernel->note[0] ? "; " : "", nw_report_why(&layers->current->estimate, row->kernel));
    put_line(p, cost->is_known ? UI_ROLE_TEXT : UI_ROLE_WARNING, ui_layers_printable(&arena, text));
    nw_arena_fini(&arena);
}

static void put_block(pager *p, const ui_layers *layers, const ui_layers_row *row)
{
    const ui_layers_block *block = &layers->blocks[row->block];
    for (int i = 0; i < block->n_fuses; i++)
        put_fuse(p, layers, &block->fuses[i]);
    for (int r = 0; r < layers->n_rows; r++)
        if (layers->rows[r].block == row->block)
            put_kernel(p, layers, block, &layers->rows[r]);
    if (block->cost.is_known && layers->current->estimate.estimator->regression)
        put_line(p, UI_ROLE_DIM, "the device's own cycles and traffic:");
    if (block->cost.is_known)
        put_causes(p, &block->cost);
    put_block_facts(p, layers, row);
}

/* ---- the pane ---- */

const char *ui_layers_why_title(const ui_layers *layers, bool ascii, char *dst, size_t size)
{
    const ui_layers_row *row = ui_layers_cursor_row(layers);
    char map[96], name[96];
    const nw_block *block = row && row->is_block ? layers->blocks[row->block].block : NULL;
    if (!row)
        snprintf(dst, size, "why");
    else if (block)
        snprintf(dst, size, "why %s %s", layers->blocks[row->block].label,
                 nw_block_text(block, name, sizeof name));
    else
        snprintf(dst, size, "why %d %s %s %s", row->kernel, row->kind,
                 ui_layers_map(layers, row, ascii, map, sizeof map),
                 ui_layers_fit_name(layers, row->brief, 40, name, sizeof name));
    return dst;
}

int ui_layers_draw_why(ui_canvas *canvas, ui_rect rect, const ui_layers *layers)
{
    const ui_layers_row *row = ui_layers_cursor_row(layers);
    pager p = {.canvas = canvas, .rect = rect, .skip = layers->pane_scroll};
    if (!row)
        return 0;
    if (row->is_block) {
        put_block(&p, layers, row);
        return p.line;
    }
    const nw_device_cost *cost = ui_layers_cost(layers, row);
    const nw_kernel *kernel = ui_layers_kernel(layers, row);
    if (layers->current->estimate.estimator->regression)
        put_prediction(&p, layers, row);
    else
        put_cost(&p, cost);
    nw_arena arena = {0};
    if (kernel->note[0])
        put_words(&p, UI_ROLE_WARNING, ui_layers_printable(&arena, kernel->note));
    nw_arena_fini(&arena);
    if (cost->is_known)
        put_causes(&p, cost);
    put_facts(&p, layers, row);
    put_ops(&p, layers, row);
    return p.line;
}
