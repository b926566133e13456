/* The totals above the table and the counts below it. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/report.h"
#include "ui/layers.h"

#define MAX_ITEMS 20
#define GAP       2

/* ---- lines of whole items ---- */

/* Where item i goes when those above rank are left out; returns the lines used. */
static int place_items(const ui_layers_item *items, int n, int columns, int rank, ui_canvas *canvas,
                       ui_rect rect)
{
    int line = 0, column = 0;
    for (int i = 0; i < n; i++) {
        int width = ui_text_columns(items[i].text);
        if (!width || items[i].rank > rank)
            continue;
        if (column && column + GAP + width > columns) {
            line++;
            column = 0;
        }
        column += column ? GAP : 0;
        if (canvas && line < rect.rows)
            ui_text(canvas, rect.row + line, rect.column + column, columns - column, items[i].role,
                    items[i].text);
        column += width;
    }
    return line + (column > 0);
}

int ui_layers_flow(ui_canvas *canvas, ui_rect rect, const ui_layers_item *items, int n)
{
    int rank = 0;
    for (int i = 0; i < n; i++)
        rank = items[i].rank > rank ? items[i].rank : rank;
    while (canvas && rank > 0 && place_items(items, n, rect.columns, rank, NULL, rect) > rect.rows)
        rank--;
    return place_items(items, n, rect.columns, rank, canvas, rect);
}

typedef struct item_list {
    ui_layers_item items[MAX_ITEMS];
    int n;
} item_list;

static void add(item_list *list, int rank, ui_role role, const char *format, ...) NW_PRINTF(4, 5);

static void add(item_list *list, int rank, ui_role role, const char *format, ...)
{
    if (list->n == MAX_ITEMS)
        return;
    ui_layers_item *item = &list->items[list->n++];
    va_list args;
    va_start(args, format);
    vsnprintf(item->text, sizeof item->text, format, args);
    va_end(args);
    item->role = role;
    item->rank = rank;
}

/* ---- totals ---- */

/* What goes when there is no room, the highest first. What stays: the network, its latency, the
 * change, and whose numbers these are. */
enum {
    RANK_SRAM = 1,
    RANK_OUTSIDE,
    RANK_PRECISION,
    RANK_BAND,
    RANK_SPILL,
    RANK_HOST,
    RANK_WEIGHTS,
    RANK_MACS
};

static const char *plural(int n)
{
    return n == 1 ? "" : "s";
}

/* What tells the baseline from what is open. */
static void name_baseline(const ui_layers *layers, char *dst, size_t size)
{
    const nw_point *now = layers->current, *base = layers->baseline;
    const nw_estimate *a = &now->estimate, *b = &base->estimate;
    const struct {
        const char *now, *base;
    } names[] = {{now->label, base->label},
                 {now->hw->name, base->hw->name},
                 {a->kernels->precision, b->kernels->precision},
                 {a->estimator->name, b->estimator->name}};
    size_t used = 0;
    dst[0] = '\0';
    for (int i = 0; i < 4 && used < size; i++)
        if (strcmp(names[i].now, names[i].base) != 0)
            used += (size_t)snprintf(dst + used, size - used, "%s%.40s", used ? " " : "",
                                     names[i].base);
    if (!used)
        snprintf(dst, size, "%.40s", base->label);
}

/* "-12.3% ±0.8": the change, and the farther end of its 90 % band where one is known. */
static const char *format_percent(const nw_difference *d, int64_t base_ps, bool ascii, char *dst,
                                  size_t size)
{
    double share = 100 / (double)base_ps, percent = (double)d->latency_ps * share;
    double half =
        share * fmax((double)(d->high_ps - d->latency_ps), (double)(d->latency_ps - d->low_ps));
    int decimals = d->has_band && half < 0.095 ? 2 : 1;
    if (d->has_band)
        snprintf(dst, size, "%+.*f%% %s%.*f", decimals, percent, ascii ? "+-" : "±", decimals,
                 half);
    else
        snprintf(dst, size, "%+.1f%%", percent);
    return dst;
}

/* Of a regression and the device. */
static const char *compare_to_band(const nw_estimate *a, const nw_estimate *b)
{
    const nw_estimate *with = a->has_band ? a : b, *other = with == a ? b : a;
    if (!with->has_band || other->estimator->regression)
        return "";
    return other->latency_ps >= with->low_ps && other->latency_ps <= with->high_ps
               ? ", inside the 90% band"
               : ", outside the 90% band";
}

static void add_delta(const ui_layers *layers, bool ascii, item_list *list)
{
    const nw_estimate *now = &layers->current->estimate, *base = &layers->baseline->estimate;
    const nw_difference *d = &layers->difference;
    char name[180], time[32], percent[64] = "";
    name_baseline(layers, name, sizeof name);
    if (!layers->has_cost || now->n_unknown || base->n_unknown) {
        add(list, 0, UI_ROLE_WARNING, "? against %.100s: costs are unknown", name);
        return;
    }
    if (!d->latency_ps) {
        add(list, 0, UI_ROLE_DIM, "the same as %.100s", name);
        return;
    }
    if (base->latency_ps)
        format_percent(d, base->latency_ps, ascii, percent, sizeof percent);
    if (d->has_band && d->low_ps <= 0 && d->high_ps >= 0) {
        add(list, 0, UI_ROLE_DIM, "%s against %.90s", percent, name);
        add(list, 0, UI_ROLE_DIM, "below what this estimator can tell");
        return;
    }
    nw_format_time(d->latency_ps < 0 ? -d->latency_ps : d->latency_ps, time, sizeof time);
    bool is_less = d->latency_ps < 0;
    ui_role role = layers->is_same_thing ? UI_ROLE_TEXT : is_less ? UI_ROLE_BETTER : UI_ROLE_WORSE;
    add(list, 0, role, "%s%s%s%s%s%s against %.60s%s", is_less ? "-" : "+", time,
        *percent ? " (" : "", percent, *percent ? ")" : "",
        layers->is_same_thing ? ""
        : is_less             ? " ▼"
                              : " ▲",
        name, layers->is_same_thing ? compare_to_band(now, base) : "");
}

static void add_memory(const ui_layers *layers, int columns, item_list *list)
{
    const nw_estimate *e = &layers->current->estimate;
    int64_t size = layers->current->hw->sram.bytes;
    bool is_over = e->peak_live_bytes > size;
    int peak = e->kernels->memory.peak_step;
    ui_role role = is_over || !e->fits ? UI_ROLE_WARNING : UI_ROLE_TEXT;
    add(list, RANK_SRAM, role, "SRAM peak %.0f/%.0f KiB%s", ceil((double)e->peak_live_bytes / 1024),
        (double)size / 1024, e->fits ? "" : " DOES NOT FIT");
    if (!is_over || peak < 0 || peak >= e->kernels->n_kernels)
        return;
    int row = layers->row_of_kernel[peak];
    char name[80] = "a view";
    if (row >= 0)
        ui_layers_where(layers, &layers->rows[row], columns < 80 ? 14 : 24, name, sizeof name);
    add(list, RANK_SPILL, role, "! spills in %s", name);
}

static void add_band(const nw_estimate *e, item_list *list)
{
    char text[64];
    if (e->has_band)
        add(list, RANK_BAND, UI_ROLE_TEXT, "(90%%: %s)",
            nw_format_band(e->latency_ps, e->low_ps, e->high_ps, text, sizeof text));
}

/* Whose numbers these are, and what there is to say against them. */
static void add_estimator(const nw_point *point, item_list *list)
{
    const nw_estimate *e = &point->estimate;
    char name[128];
    bool is_measured = !nw_report_is_simulated(e->estimator);
    if (e->n_outside)
        add(list, RANK_OUTSIDE, UI_ROLE_WARNING, "~%d extrapolated (%.1f%%)", e->n_outside,
            100 * nw_report_outside_share(e));
    add(list, 0, UI_ROLE_DIM, "%s%s %s", nw_format_estimator(e->estimator, name, sizeof name),
        e->estimator->regression ? ";" : ",",
        nw_report_is_calibrated(e, point->hw) ? "calibrated"
        : is_measured                         ? "sum not calibrated"
                                              : "not calibrated");
}

static void add_totals(const ui_layers *layers, int columns, bool ascii, item_list *list)
{
    const nw_point *point = layers->current;
    const nw_estimate *e = &point->estimate;
    char text[96], bytes[32];
    nw_arena arena = {0};
    const char *label = ui_layers_printable(&arena, point->label);
    add(list, 0, UI_ROLE_TITLE, "%s", ui_layers_fit_middle(label, columns / 2, text, sizeof text));
    nw_arena_fini(&arena);
    add(list, 0, UI_ROLE_TITLE, "%s",
        layers->has_cost ? nw_format_time(e->latency_ps, text, sizeof text) : "latency ?");
    if (layers->has_cost)
        add_band(e, list);
    if (layers->baseline)
        add_delta(layers, ascii, list);
    if (e->n_unknown)
        add(list, 0, UI_ROLE_WARNING, "! %d kernel%s of unknown cost left out", e->n_unknown,
            plural(e->n_unknown));
    add(list, RANK_MACS, UI_ROLE_TEXT, "%.1f MMAC", (double)layers->counts.macs / 1e6);
    add(list, RANK_WEIGHTS, UI_ROLE_TEXT, "weights %s",
        nw_format_bytes(layers->counts.weight_bytes, bytes, sizeof bytes));
    add_memory(layers, columns, list);
    add(list, RANK_PRECISION, UI_ROLE_TEXT, "%s", e->kernels->precision);
    add_estimator(point, list);
    if (e->kernels->n_switches)
        add(list, RANK_HOST, UI_ROLE_WARNING, "%d host switch%s, %s", e->kernels->n_switches,
            e->kernels->n_switches == 1 ? "" : "es", nw_format_time(e->host_ps, text, sizeof text));
}

void ui_layers_draw_head(ui_canvas *canvas, ui_rect rect, const ui_layers *layers)
{
    item_list list = {.n = 0};
    add_totals(layers, rect.columns, canvas->ascii, &list);
    ui_layers_flow(canvas, rect, list.items, list.n);
}

/* ---- counts ---- */

static const char *const sort_names[UI_LAYERS_COLUMN_COUNT] = {
    "network order", "kernel type", "output size", "name", "us",   "change", "%",
    "util",          "bound",       "MACs",        "SRAM", "DRAM", "note"};

/* A marked kernel of a marked block is in it; where rows are kernels, blocks have no place. */
static bool counts(const ui_layers *layers, const ui_layers_row *row)
{
    if (!ui_layers_by_blocks(layers))
        return !row->is_block;
    return row->is_block || row->block < 0 || !layers->rows[layers->n_rows + row->block].is_marked;
}

static void add_marked(const ui_layers *layers, item_list *list)
{
    int n = 0, n_unknown = 0;
    double ps = 0, macs = 0, delta = 0;
    for (int r = 0; r < layers->n_rows + layers->n_blocks; r++) {
        const ui_layers_row *row = &layers->rows[r];
        if (!row->is_marked || !counts(layers, row))
            continue;
        const nw_device_cost *cost = ui_layers_cost(layers, row);
        n++;
        n_unknown += !cost->is_known;
        ps += (double)cost->latency_ps;
        macs += (double)cost->macs;
        delta += (double)row->delta_ps;
    }
    if (!n)
        return;
    int64_t total = layers->current->estimate.latency_ps;
    char text[96] = "";
    if (n_unknown)
        snprintf(text, sizeof text, " and %d unknown", n_unknown);
    else if (layers->baseline)
        snprintf(text, sizeof text, ", %+.1f us", delta / 1e6);
    add(list, 1, UI_ROLE_MARK, "%d marked: %.1f us (%.1f%%), %.1f MMAC%s", n, ps / 1e6,
        total ? 100 * ps / (double)total : 0, macs / 1e6, text);
}

static void add_counts(const ui_layers *layers, item_list *list)
{
    int64_t overhead = layers->current->estimate.overhead_ps;
    int n = ui_layers_end(layers) - ui_layers_first(layers);
    if (layers->filter_text[0])
        add(list, 0, UI_ROLE_TEXT, "%d of %d match", layers->n_shown, n);
    else if (ui_layers_by_blocks(layers))
        add(list, 0, UI_ROLE_TEXT, "%d block%s of %d kernel%s", n, plural(n), layers->n_rows,
            plural(layers->n_rows));
    else
        add(list, 0, UI_ROLE_TEXT, "%d kernel%s", layers->n_rows, plural(layers->n_rows));
    add_marked(layers, list);
    if (layers->sort == UI_LAYERS_NUMBER && ui_layers_is_ascending(layers))
        add(list, 2, UI_ROLE_TEXT, "in network order");
    else
        add(list, 2, UI_ROLE_TEXT, "sorted by %s %s",
            layers->sort == UI_LAYERS_KIND && ui_layers_by_blocks(layers)
                ? "kind of block"
                : sort_names[layers->sort],
            ui_layers_is_ascending(layers) ? "ascending" : "descending");
    if (layers->n_views)
        add(list, 3, UI_ROLE_DIM, "%d free view%s hidden", layers->n_views,
            plural(layers->n_views));
    if (overhead)
        add(list, 4, UI_ROLE_DIM, "%+.2f us belong to no kernel", (double)overhead / 1e6);
    bool is_by_blocks = ui_layers_by_blocks(layers);
    int n_lost = is_by_blocks ? layers->n_lost_blocks : layers->n_lost;
    if (n_lost)
        add(list, 4, UI_ROLE_DIM, "%d %s%s only in the baseline", n_lost,
            is_by_blocks ? "block" : "kernel", plural(n_lost));
}

/* What is wrong with the filter or, before it is typed, what it can say. */
static const char *about_filter(const ui_layers *layers, char *dst, size_t size)
{
    char columns[128];
    if (layers->filter.problem[0])
        return layers->filter.problem;
    if (!layers->is_typing || layers->filter_text[0])
        return NULL;
    snprintf(dst, size, "%s  us>10 kernel=dw", ui_layers_filter_columns(columns, sizeof columns));
    return dst;
}

void ui_layers_draw_status(ui_canvas *canvas, ui_rect rect, const ui_layers *layers)
{
    item_list list = {.n = 0};
    char text[300], hint[160];
    if (layers->filter_text[0] || layers->is_typing) {
        const char *shown = layers->filter_text;
        int room = rect.columns / 2, excess = ui_text_columns(shown) - room;
        if (excess > 0 && excess < (int)strlen(shown))
            shown += excess; /* the end is where typing goes on */
        while (((unsigned char)*shown & 0xc0) == 0x80)
            shown++;
        add(&list, 0, layers->is_typing ? UI_ROLE_TITLE : UI_ROLE_TEXT, "/%s%s", shown,
            layers->is_typing ? "_" : "");
    }
    const char *about = about_filter(layers, hint, sizeof hint);
    if (about) {
        int used = list.n ? ui_text_columns(list.items[0].text) + GAP : 0;
        ui_layers_flow(canvas, rect, list.items, list.n);
        ui_text(canvas, rect.row, rect.column + used, rect.columns - used,
                about == hint ? UI_ROLE_DIM : UI_ROLE_ERROR,
                ui_layers_fit_words(about, rect.columns - used, text, sizeof text));
        return;
    }
    if (layers->n_rows && !layers->n_shown) {
        ui_layers_no_match(layers, text, sizeof text);
        ui_text(canvas, rect.row, rect.column, rect.columns, UI_ROLE_WARNING, text);
        return;
    }
    add_counts(layers, &list);
    ui_layers_flow(canvas, rect, list.items, list.n);
}
