/* The table: which columns there is room for, and the rows in sight. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/report/report.h"
#include "ui/layers.h"

enum { BAR = UI_LAYERS_COLUMN_COUNT, N_SLOTS }; /* the bar is a column of the screen only */

#define MARGIN         2 /* the cursor, a mark */
#define INDENT         1 /* of kernels below their block */
#define MIN_NAME       7
#define GOOD_NAME      10
#define MAX_GOOD_NAME  18
#define MAX_NAME       48
#define GOOD_NOTE      14
#define MAX_NOTE       24
#define FINE_NOTE      20
#define MAX_KIND       10
#define MAX_BLOCK_KIND 14
#define MAX_BAR        12
#define MAX_WIDE_KIND  20
#define ROOMY          76
#define WIDE           130
#define NAMED_BLOCKS   110 /* columns from which blocks have names beside their labels */

typedef struct column_def {
    const char *title;
    int width; /* at least */
    bool is_right;
} column_def;

static const column_def defs[N_SLOTS] = {
    [UI_LAYERS_NUMBER] = {"#", 2, true},      [UI_LAYERS_KIND] = {"kernel", 7, false},
    [UI_LAYERS_OUTPUT] = {"output", 7, true}, [UI_LAYERS_NAME] = {"name", 5, false},
    [UI_LAYERS_TIME] = {"us", 7, true},       [UI_LAYERS_DELTA] = {"Δ us", 9, true},
    [UI_LAYERS_SHARE] = {"%", 5, true},       [BAR] = {"", 6, false},
    [UI_LAYERS_UTIL] = {"util", 5, true},     [UI_LAYERS_BOUND] = {"bound", 5, false},
    [UI_LAYERS_MACS] = {"MACs", 7, true},     [UI_LAYERS_SRAM] = {"SRAM KiB", 8, true},
    [UI_LAYERS_DRAM] = {"DRAM KiB", 8, true}, [UI_LAYERS_NOTE] = {"note", 5, false},
};

/* From left to right on the screen. */
static const int slots_in_order[N_SLOTS] = {
    UI_LAYERS_NUMBER, UI_LAYERS_KIND,  UI_LAYERS_OUTPUT, UI_LAYERS_NAME,
    UI_LAYERS_TIME,   UI_LAYERS_DELTA, UI_LAYERS_SHARE,  BAR,
    UI_LAYERS_UTIL,   UI_LAYERS_BOUND, UI_LAYERS_MACS,   UI_LAYERS_SRAM,
    UI_LAYERS_DRAM,   UI_LAYERS_NOTE};

typedef struct table_layout {
    int width[N_SLOTS]; /* 0: not shown */
    int at[N_SLOTS];    /* first column, on the canvas */
} table_layout;

/* ---- text of cells ---- */

static const char *write_map(int64_t h, int64_t w, int64_t c, bool ascii, char *dst, size_t size)
{
    if (ascii)
        snprintf(dst, size, "%lldx%lldx%lld", (long long)h, (long long)w, (long long)c);
    else if (h == w)
        snprintf(dst, size, "%lld²×%lld", (long long)h, (long long)c);
    else
        snprintf(dst, size, "%lldx%lld×%lld", (long long)h, (long long)w, (long long)c);
    return dst;
}

const char *ui_layers_map(const ui_layers *layers, const ui_layers_row *row, bool ascii, char *dst,
                          size_t size)
{
    const nw_kernel *kernel = ui_layers_kernel(layers, row);
    const nw_graph *graph = layers->current->graph;
    const nw_block *block = row->is_block ? layers->blocks[row->block].block : NULL;
    if (block && block->out_c > 0 && block->out_h > 0)
        return write_map(block->out_h, block->out_w, block->out_c, ascii, dst, size);
    const nw_tensor *t = kernel->n_writes ? &graph->tensors[kernel->writes[0]] : NULL;
    if (!t || t->shape.rank != 4 || !nw_shape_is_known(&t->shape))
        return nw_format_map(graph, kernel, dst, size);
    nw_hwc map = nw_tensor_hwc(graph, kernel->writes[0]);
    return write_map(map.h, map.w, map.c, ascii, dst, size);
}

static void fixed(double value, int decimals, char *dst, size_t size)
{
    double least = pow(10, -decimals);
    if (value > 0 && value < least / 2)
        snprintf(dst, size, "<%.*f", decimals, least); /* little is not nothing */
    else
        snprintf(dst, size, "%.*f", decimals, value);
}

static int time_decimals(const ui_layers *layers)
{
    return layers->max_us < 1000 ? 2 : 1;
}

static void delta_text(const ui_layers *layers, const ui_layers_row *row, char *dst, size_t size)
{
    if (!row->has_delta)
        snprintf(dst, size, "?");
    else if (row->is_new)
        snprintf(dst, size, "new");
    else if (!row->delta_ps)
        snprintf(dst, size, "·");
    else
        snprintf(dst, size, "%+.*f%s", time_decimals(layers), (double)row->delta_ps / 1e6,
                 layers->is_same_thing ? ""
                 : row->delta_ps < 0   ? "▼"
                                       : "▲");
}

static void cell_text(const ui_layers *layers, const ui_layers_row *row, ui_layers_column column,
                      bool ascii, char *dst, size_t size)
{
    double value;
    ui_layers_value known = ui_layers_number(layers, row, column, &value);
    dst[0] = '\0';
    if (ui_layers_is_text(column)) {
        snprintf(dst, size, "%s", ui_layers_text(layers, row, column));
    } else if (column == UI_LAYERS_OUTPUT) {
        ui_layers_map(layers, row, ascii, dst, size);
    } else if (column == UI_LAYERS_DELTA) {
        delta_text(layers, row, dst, size);
    } else if (known != UI_LAYERS_KNOWN) {
        snprintf(dst, size, "%s", known == UI_LAYERS_UNKNOWN ? "?" : "·");
    } else if (column == UI_LAYERS_NUMBER && row->is_block) {
        snprintf(dst, size, "%s", layers->blocks[row->block].label);
    } else if (column == UI_LAYERS_NUMBER) {
        snprintf(dst, size, "%.0f", value);
    } else if (column == UI_LAYERS_TIME) {
        bool is_outside = ui_layers_is_extrapolated(layers, row);
        snprintf(dst, size, "%s", is_outside ? "~" : "");
        fixed(value, time_decimals(layers), dst + is_outside, size - is_outside);
    } else if (column == UI_LAYERS_SHARE) {
        fixed(value, 1, dst, size);
    } else if (column == UI_LAYERS_UTIL) {
        fixed(value, value < 9.95 ? 1 : 0, dst, size);
        strncat(dst, "%", size - strlen(dst) - 1);
    } else if (column == UI_LAYERS_MACS) {
        nw_format_count(ui_layers_cost(layers, row)->macs, dst, size);
    } else {
        fixed(value, value < 1000 ? 1 : 0, dst, size);
    }
}

/* ---- columns ---- */

static void find_maxima(ui_layers *layers)
{
    layers->max_us = layers->max_share = 0;
    layers->shortest_name = 0;
    for (int r = ui_layers_first(layers); r < ui_layers_end(layers); r++) {
        const ui_layers_row *row = &layers->rows[r];
        double us, share;
        ui_layers_number(layers, row, UI_LAYERS_TIME, &us);
        ui_layers_number(layers, row, UI_LAYERS_SHARE, &share);
        layers->max_us = fmax(layers->max_us, us);
        layers->max_share = fmax(layers->max_share, share);
        int name = ui_layers_shortest_name(layers, row->brief);
        layers->shortest_name = name > layers->shortest_name ? name : layers->shortest_name;
    }
}

/* Formats only what can be wider than what was seen: of numbers, the larger ones. */
static int column_width(const ui_layers *layers, ui_layers_column column)
{
    double largest = -1, value;
    int widest = 0;
    for (int r = ui_layers_first(layers); r < ui_layers_end(layers); r++) {
        const ui_layers_row *row = &layers->rows[r];
        char text[320];
        bool is_number = !ui_layers_is_text(column) && column != UI_LAYERS_OUTPUT;
        ui_layers_number(layers, row, column, &value);
        if (is_number && fabs(value) <= largest)
            continue;
        largest = fabs(value);
        if (column == UI_LAYERS_NAME)
            snprintf(text, sizeof text, "%.300s", row->brief);
        else
            cell_text(layers, row, column, true, text, sizeof text);
        int width = ui_text_columns(text);
        widest = width > widest ? width : widest;
    }
    if (column == UI_LAYERS_TIME && layers->current->estimate.n_outside)
        widest++; /* a mark before one that is not the largest */
    return widest;
}

void ui_layers_measure(ui_layers *layers)
{
    find_maxima(layers);                          /* the decimals depend on them */
    bool has_notes = ui_layers_by_blocks(layers); /* short ones: sentences take what is left */
    for (int c = 0; c < UI_LAYERS_COLUMN_COUNT; c++)
        layers->widths[c] = c == UI_LAYERS_BOUND || (c == UI_LAYERS_NOTE && !has_notes)
                                ? 0
                                : column_width(layers, (ui_layers_column)c);
    if (has_notes)
        layers->widths[UI_LAYERS_NOTE] += (int)sizeof " f?" - 1; /* may come later */
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static int wanted_width(const ui_layers *layers, int slot, int columns)
{
    int content = slot < UI_LAYERS_COLUMN_COUNT ? layers->widths[slot] : 0;
    int max_kind = ui_layers_by_blocks(layers) && columns >= ROOMY ? MAX_BLOCK_KIND : MAX_KIND;
    switch (slot) {
    case UI_LAYERS_DELTA:
        if (!layers->baseline)
            return 0;
        break;
    case UI_LAYERS_NAME:
        if (ui_layers_by_blocks(layers) && columns < NAMED_BLOCKS)
            return 0; /* the label says which */
        return clamp(content, defs[slot].width,
                     clamp(layers->shortest_name, GOOD_NAME, MAX_GOOD_NAME));
    case UI_LAYERS_KIND:
        return clamp(content, defs[slot].width, columns < WIDE ? max_kind : MAX_WIDE_KIND);
    case UI_LAYERS_NOTE:
        return clamp(content, GOOD_NOTE, MAX_NOTE);
    default:
        break;
    }
    return content > defs[slot].width ? content : defs[slot].width;
}

static int total_width(const table_layout *layout)
{
    int total = MARGIN - 1;
    for (int i = 0; i < N_SLOTS; i++)
        total += layout->width[i] ? layout->width[i] + 1 : 0;
    return total;
}

/* What is left goes first where it tells most. */
static void share_rest(const ui_layers *layers, int columns, table_layout *layout)
{
    const struct {
        int slot, most;
    } takers[] = {{UI_LAYERS_NAME, layers->shortest_name},
                  {UI_LAYERS_NOTE, FINE_NOTE},
                  {UI_LAYERS_NAME, layers->widths[UI_LAYERS_NAME]},
                  {BAR, MAX_BAR},
                  {UI_LAYERS_NOTE, columns}};
    int rest = columns - total_width(layout);
    for (size_t i = 0; i < sizeof takers / sizeof *takers; i++) {
        int *width = &layout->width[takers[i].slot];
        int most =
            takers[i].slot == UI_LAYERS_NAME ? clamp(takers[i].most, 0, MAX_NAME) : takers[i].most;
        if (!*width || rest <= 0 || most <= *width)
            continue;
        int more = clamp(most - *width, 0, rest);
        *width += more;
        rest -= more;
    }
}

static void shrink(table_layout *layout, int slot, int least, int columns)
{
    int *width = &layout->width[slot], excess = total_width(layout) - columns;
    if (excess > 0 && *width > least)
        *width = clamp(*width - excess, least, *width);
}

static table_layout lay_out(const ui_layers *layers, ui_rect rect)
{
    static const int first_to_go[] = {UI_LAYERS_SRAM, UI_LAYERS_DRAM, UI_LAYERS_MACS};
    static const int last_to_go[] = {UI_LAYERS_NOTE, UI_LAYERS_OUTPUT, UI_LAYERS_NAME,
                                     UI_LAYERS_UTIL, UI_LAYERS_BOUND};
    table_layout layout;
    for (int i = 0; i < N_SLOTS; i++)
        layout.width[i] = wanted_width(layers, i, rect.columns);
    for (size_t i = 0; i < sizeof first_to_go / sizeof *first_to_go; i++)
        if (total_width(&layout) > rect.columns)
            layout.width[first_to_go[i]] = 0;
    shrink(&layout, UI_LAYERS_NOTE, GOOD_NOTE, rect.columns);
    if (total_width(&layout) > rect.columns)
        layout.width[BAR] = 0;
    shrink(&layout, UI_LAYERS_NAME, MIN_NAME, rect.columns);
    for (size_t i = 0; i < sizeof last_to_go / sizeof *last_to_go; i++)
        if (total_width(&layout) > rect.columns)
            layout.width[last_to_go[i]] = 0;
    share_rest(layers, rect.columns, &layout);
    int at = rect.column + MARGIN;
    for (int i = 0; i < N_SLOTS; i++) {
        int slot = slots_in_order[i];
        layout.at[slot] = at;
        at += layout.width[slot] ? layout.width[slot] + 1 : 0;
    }
    return layout;
}

ui_layers_column ui_layers_column_at(const ui_layers *layers, ui_rect rect, int column)
{
    table_layout layout = lay_out(layers, rect);
    for (int slot = 0; slot < N_SLOTS; slot++)
        if (layout.width[slot] && column >= layout.at[slot] &&
            column < layout.at[slot] + layout.width[slot])
            return slot == BAR ? UI_LAYERS_SHARE : (ui_layers_column)slot;
    return UI_LAYERS_COLUMN_COUNT;
}

/* ---- painting ---- */

static void draw_titles(ui_canvas *canvas, ui_rect rect, const ui_layers *layers,
                        const table_layout *layout)
{
    for (int slot = 0; slot < N_SLOTS; slot++) {
        if (!layout->width[slot] || slot == BAR)
            continue;
        bool is_sort = slot == (int)layers->sort;
        char title[32];
        bool is_block = slot == UI_LAYERS_KIND && ui_layers_by_blocks(layers);
        snprintf(title, sizeof title, "%s%s", is_block ? "block" : defs[slot].title,
                 !is_sort                         ? ""
                 : ui_layers_is_ascending(layers) ? "▲"
                                                  : "▼");
        ui_role role = is_sort ? UI_ROLE_TITLE : UI_ROLE_DIM;
        if (defs[slot].is_right)
            ui_text_right(canvas, rect.row, layout->at[slot] + layout->width[slot], role, title);
        else
            ui_text(canvas, rect.row, layout->at[slot], layout->width[slot] + 1, role, title);
    }
}

static int columns_before(const char *text, const char *at)
{
    char head[320];
    snprintf(head, sizeof head, "%.*s", (int)(at - text), text);
    return ui_text_columns(head);
}

/* Paints what the filter matched once more. */
static void show_matches(ui_canvas *canvas, int line, int at, ui_layers_column column,
                         const ui_layers *layers, const char *text)
{
    for (int i = 0; i < layers->filter.n_terms; i++) {
        const ui_layers_term *term = &layers->filter.terms[i];
        bool is_kind = column == UI_LAYERS_KIND && term->test == UI_LAYERS_HAS;
        if ((term->column != column && !is_kind) || term->test == UI_LAYERS_UNEQUAL)
            continue;
        const char *found = term->is_number ? text : ui_layers_find(text, term->text);
        if (!found)
            continue;
        int n = (int)strlen(term->is_number ? text : term->text);
        char part[320];
        snprintf(part, sizeof part, "%.*s", n, found);
        ui_text(canvas, line, at + columns_before(text, found), -1, UI_ROLE_MATCH, part);
    }
}

static ui_role role_of(const ui_layers *layers, const ui_layers_row *row, ui_layers_column column,
                       ui_role base)
{
    bool is_known = ui_layers_cost(layers, row)->is_known;
    if (column == UI_LAYERS_DELTA && row->has_delta && row->delta_ps && !row->is_new &&
        !layers->is_same_thing)
        return row->delta_ps < 0 ? UI_ROLE_BETTER : UI_ROLE_WORSE;
    if (!is_known && (column == UI_LAYERS_TIME || column == UI_LAYERS_SHARE))
        return UI_ROLE_WARNING;
    if (column == UI_LAYERS_TIME && ui_layers_is_extrapolated(layers, row))
        return UI_ROLE_WARNING;
    if (column == UI_LAYERS_NOTE && ui_layers_spills(layers, row))
        return UI_ROLE_WARNING;
    return base;
}

static void draw_cell(ui_canvas *canvas, int line, int slot, const table_layout *layout,
                      const ui_layers *layers, const ui_layers_row *row, ui_role base)
{
    char whole[320], text[320];
    int width = layout->width[slot], at = layout->at[slot];
    ui_layers_column column = (ui_layers_column)slot;
    if (column == UI_LAYERS_NUMBER && ui_layers_is_inside(layers, row))
        return; /* the column holds labels of blocks */
    cell_text(layers, row, column, canvas->ascii, whole, sizeof whole);
    if (column == UI_LAYERS_KIND && ui_layers_is_inside(layers, row)) {
        at += INDENT;
        width -= INDENT;
    }
    if (column == UI_LAYERS_NAME || column == UI_LAYERS_KIND)
        ui_layers_fit_name(layers, column == UI_LAYERS_NAME ? row->brief : whole, width, text,
                           sizeof text);
    else if (column == UI_LAYERS_NOTE)
        ui_layers_fit_words(whole, width, text, sizeof text);
    else if (column == UI_LAYERS_BOUND)
        snprintf(text, sizeof text, "%.4s", whole);
    else
        snprintf(text, sizeof text, "%s", whole);
    if (defs[slot].is_right)
        at += width - ui_text_columns(text);
    ui_text(canvas, line, at, -1, role_of(layers, row, column, base), text);
    show_matches(canvas, line, at, column, layers, text);
}

static void draw_row(ui_canvas *canvas, int line, const table_layout *layout,
                     const ui_layers *layers, const ui_layers_row *row, ui_role base)
{
    for (int slot = 0; slot < UI_LAYERS_COLUMN_COUNT; slot++)
        if (layout->width[slot])
            draw_cell(canvas, line, slot, layout, layers, row, base);
    double share;
    if (layout->width[BAR] && layers->max_share > 0 &&
        ui_layers_number(layers, row, UI_LAYERS_SHARE, &share) == UI_LAYERS_KNOWN)
        ui_bar(canvas, line, layout->at[BAR], layout->width[BAR], share / layers->max_share,
               UI_ROLE_BAR);
}

/* An operator inside an open kernel. What it costs by itself nobody knows: it has no cost cells. */
static void draw_op(ui_canvas *canvas, int line, ui_rect rect, const ui_layers *layers,
                    const ui_layers_entry *entry, ui_role base)
{
    const ui_layers_row *row = &layers->rows[entry->row];
    const nw_graph *graph = layers->current->graph;
    const nw_kernel *kernel = ui_layers_kernel(layers, row);
    nw_node_id id = kernel->nodes[entry->op];
    const nw_node *node = &graph->nodes[id];
    nw_arena arena = {0};
    char label[512], shape[96] = "?", name[320], macs[40] = "";
    const char *type = ui_layers_printable(&arena, node->file_type);
    const char *clean = ui_layers_printable(&arena, nw_node_label(graph, id, label, sizeof label));
    nw_kernel one = {.writes = node->outputs, .n_writes = node->n_outputs};
    nw_format_map(graph, &one, shape, sizeof shape);
    nw_geometry geometry;
    if (nw_node_geometry(graph, id, &geometry) && geometry.macs) {
        snprintf(macs, sizeof macs, "  ");
        nw_format_count(geometry.macs, macs + 2, sizeof macs - 8);
        strncat(macs, "MAC", sizeof macs - strlen(macs) - 1);
    }
    char head[160];
    snprintf(head, sizeof head, "   %s %.40s  %s%s  ", id == kernel->main ? "*" : "·", type, shape,
             macs);
    int at = rect.column + MARGIN;
    at += ui_text(canvas, line, at, rect.columns - MARGIN, base, head);
    int room = rect.column + rect.columns - at;
    ui_text(canvas, line, at, room, base,
            ui_layers_fit_name(layers, clean, room, name, sizeof name));
    nw_arena_fini(&arena);
}

void ui_layers_draw_table(ui_canvas *canvas, ui_rect rect, const ui_layers *layers)
{
    table_layout layout = lay_out(layers, rect);
    draw_titles(canvas, rect, layers, &layout);
    int n = rect.rows - 1, top = ui_layers_top(layers, n);
    for (int i = 0; i < n && top + i < layers->n_entries; i++) {
        const ui_layers_entry *entry = &layers->entries[top + i];
        const ui_layers_row *row = &layers->rows[entry->row];
        bool is_cursor = top + i == layers->cursor;
        int line = rect.row + 1 + i;
        ui_role base = is_cursor        ? UI_ROLE_CURSOR
                       : row->is_marked ? UI_ROLE_MARK
                       : entry->op >= 0 ? UI_ROLE_DIM
                                        : UI_ROLE_TEXT;
        if (is_cursor)
            ui_fill(canvas, (ui_rect){line, rect.column, 1, rect.columns}, base, ' ');
        if (is_cursor)
            ui_put(canvas, line, rect.column, base, '>');
        if (row->is_marked && entry->op < 0)
            ui_put(canvas, line, rect.column + 1, UI_ROLE_MARK, '*');
        if (entry->op < 0)
            draw_row(canvas, line, &layout, layers, row, base);
        else
            draw_op(canvas, line, rect, layers, entry, base);
    }
}
