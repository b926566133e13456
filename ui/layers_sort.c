/* What the columns hold, and rows in the order of one. */
#include "ui/layers.h"

#include <stdlib.h>
#include <string.h>

#define KIB 1024.0

bool ui_layers_is_text(ui_layers_column column)
{
    return column == UI_LAYERS_KIND || column == UI_LAYERS_NAME || column == UI_LAYERS_BOUND ||
           column == UI_LAYERS_NOTE;
}

ui_layers_value ui_layers_number(const ui_layers *layers, const ui_layers_row *row,
                                 ui_layers_column column, double *out)
{
    const nw_device_cost *cost = ui_layers_cost(layers, row);
    const nw_kernel *kernel = ui_layers_kernel(layers, row);
    int64_t total = layers->current->estimate.latency_ps;
    *out = 0;
    switch (column) {
    case UI_LAYERS_NUMBER:
        *out = row->is_block ? row->block : row->kernel;
        return UI_LAYERS_KNOWN;
    case UI_LAYERS_OUTPUT:
        *out = (double)row->output_elements;
        return row->output_elements ? UI_LAYERS_KNOWN : UI_LAYERS_UNKNOWN;
    case UI_LAYERS_SRAM:
        *out =
            (double)(row->is_block ? layers->blocks[row->block].live_bytes : kernel->live_bytes) /
            KIB;
        return UI_LAYERS_KNOWN;
    case UI_LAYERS_DELTA:
        *out = (double)row->delta_ps / 1e6;
        return row->has_delta     ? UI_LAYERS_KNOWN
               : layers->baseline ? UI_LAYERS_UNKNOWN
                                  : UI_LAYERS_NO_VALUE;
    default:
        break;
    }
    if (!cost->is_known)
        return UI_LAYERS_UNKNOWN;
    switch (column) {
    case UI_LAYERS_TIME:
        *out = (double)cost->latency_ps / 1e6;
        return UI_LAYERS_KNOWN;
    case UI_LAYERS_SHARE:
        *out = total ? 100 * (double)cost->latency_ps / (double)total : 0;
        return UI_LAYERS_KNOWN;
    case UI_LAYERS_UTIL:
        *out = 100 * cost->utilisation;
        return cost->macs ? UI_LAYERS_KNOWN : UI_LAYERS_NO_VALUE;
    case UI_LAYERS_MACS:
        *out = (double)cost->macs;
        return UI_LAYERS_KNOWN;
    case UI_LAYERS_DRAM:
        *out = (double)cost->dram_bytes / KIB;
        return UI_LAYERS_KNOWN;
    default:
        return UI_LAYERS_NO_VALUE;
    }
}

const char *ui_layers_text(const ui_layers *layers, const ui_layers_row *row,
                           ui_layers_column column)
{
    const nw_device_cost *cost = ui_layers_cost(layers, row);
    switch (column) {
    case UI_LAYERS_KIND:
        return row->kind;
    case UI_LAYERS_NAME:
        return row->name;
    case UI_LAYERS_NOTE:
        return row->note;
    case UI_LAYERS_BOUND:
        return cost->is_known ? nw_bound_name(cost->bound) : "?";
    default:
        return "";
    }
}

static bool starts_ascending(ui_layers_column column)
{
    return ui_layers_is_text(column) || column == UI_LAYERS_NUMBER;
}

bool ui_layers_is_ascending(const ui_layers *layers)
{
    return starts_ascending(layers->sort) != layers->is_flipped;
}

/* As on the screen, but for the number, which stands before the share: the network's own order is
 * one key from the start. */
static const ui_layers_column ring[UI_LAYERS_COLUMN_COUNT] = {
    UI_LAYERS_KIND,   UI_LAYERS_OUTPUT, UI_LAYERS_NAME, UI_LAYERS_TIME,  UI_LAYERS_DELTA,
    UI_LAYERS_NUMBER, UI_LAYERS_SHARE,  UI_LAYERS_UTIL, UI_LAYERS_BOUND, UI_LAYERS_MACS,
    UI_LAYERS_SRAM,   UI_LAYERS_DRAM,   UI_LAYERS_NOTE};

ui_layers_column ui_layers_next_sort(const ui_layers *layers, int direction)
{
    int at = 0;
    while (ring[at] != layers->sort)
        at++;
    do
        at = (at + direction + UI_LAYERS_COLUMN_COUNT) % UI_LAYERS_COLUMN_COUNT;
    while (ring[at] == UI_LAYERS_DELTA && !layers->baseline);
    return ring[at];
}

typedef struct sort_key {
    const char *text; /* NULL: by number */
    double number;    /* negated when it goes down */
    int rank, row;
    bool is_down;
} sort_key;

static int compare_keys(const void *a, const void *b)
{
    const sort_key *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank - y->rank;
    if (x->text) {
        int order = strcmp(x->text, y->text);
        if (order)
            return x->is_down ? -order : order;
    } else if (x->number != y->number) {
        return x->number < y->number ? -1 : 1;
    }
    return x->row - y->row; /* equals stay in the network's order, up or down */
}

void ui_layers_sort(const ui_layers *layers, int *rows, int n)
{
    if (n < 2)
        return;
    bool is_down = !ui_layers_is_ascending(layers), is_text = ui_layers_is_text(layers->sort);
    sort_key *keys = nw_alloc((size_t)n * sizeof *keys);
    for (int i = 0; i < n; i++) {
        const ui_layers_row *row = &layers->rows[rows[i]];
        double number = 0;
        int rank = UI_LAYERS_KNOWN;
        if (!is_text)
            rank = (int)ui_layers_number(layers, row, layers->sort, &number);
        else if (layers->sort == UI_LAYERS_BOUND && !ui_layers_cost(layers, row)->is_known)
            rank = UI_LAYERS_UNKNOWN;
        keys[i] = (sort_key){is_text ? ui_layers_text(layers, row, layers->sort) : NULL,
                             is_down ? -number : number, rank, rows[i], is_down};
    }
    qsort(keys, (size_t)n, sizeof *keys, compare_keys);
    for (int i = 0; i < n; i++)
        rows[i] = keys[i].row;
    free(keys);
}
