/* Rows from two points, and what the user did to them. */
#include "ui/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/report.h"

#define N(array) (int)(sizeof(array) / sizeof *(array))

void ui_layers_init(ui_layers *layers)
{
    layers->sort = UI_LAYERS_SHARE;
    layers->is_by_blocks = true;
    layers->wanted = (ui_layers_entry){-1, -1};
}

static void free_rows(ui_layers *layers)
{
    free(layers->rows);
    free(layers->blocks);
    free(layers->entries);
    free(layers->row_of_kernel);
    nw_map_fini(&layers->words);
    nw_arena_fini(&layers->arena);
    layers->rows = NULL;
    layers->blocks = NULL;
    layers->entries = NULL;
    layers->row_of_kernel = NULL;
    layers->words = (nw_map){0};
    layers->arena = (nw_arena){0};
    layers->n_rows = layers->n_entries = layers->n_shown = layers->n_views = layers->n_lost = 0;
    layers->n_blocks = layers->n_lost_blocks = layers->n_tried = 0;
}

void ui_layers_fini(ui_layers *layers)
{
    free_rows(layers);
    layers->current = layers->baseline = NULL;
}

const nw_kernel *ui_layers_kernel(const ui_layers *layers, const ui_layers_row *row)
{
    return &layers->current->estimate.kernels->kernels[row->kernel];
}

const nw_device_cost *ui_layers_cost(const ui_layers *layers, const ui_layers_row *row)
{
    return row->is_block ? &layers->blocks[row->block].cost
                         : &layers->current->estimate.costs[row->kernel];
}

bool ui_layers_spills(const ui_layers *layers, const ui_layers_row *row)
{
    if (row->is_block)
        return layers->blocks[row->block].n_spills > 0;
    return ui_layers_kernel(layers, row)->live_bytes > layers->current->hw->sram.bytes;
}

bool ui_layers_is_extrapolated(const ui_layers *layers, const ui_layers_row *row)
{
    if (row->is_block)
        return layers->blocks[row->block].n_outside > 0;
    return layers->current->estimate.latencies[row->kernel].is_outside;
}

/* ---- which operator of one graph is which of another ---- */

/* Names may repeat: the second of a name is its own key. */
static const char *unique_key(nw_arena *arena, nw_map *seen, const nw_graph *graph, nw_node_id node)
{
    char label[512], key[540];
    nw_node_label(graph, node, label, sizeof label);
    int32_t n = nw_map_get(seen, label);
    n = n == NW_MAP_NONE ? 0 : n + 1;
    nw_map_put(seen, nw_arena_strdup(arena, label), n);
    snprintf(key, sizeof key, "%s\x01%d", label, (int)n);
    return nw_arena_strdup(arena, key);
}

/* out[node of from] = node of to with the same name, or NW_NONE. */
static void match_nodes(const nw_graph *from, const nw_graph *to, nw_node_id *out)
{
    if (from == to) {
        for (int i = 0; i < from->n_nodes; i++)
            out[i] = i;
        return;
    }
    nw_arena arena = {0};
    nw_map ids = {0}, seen_to = {0}, seen_from = {0};
    for (int i = 0; i < to->n_nodes; i++)
        nw_map_put(&ids, unique_key(&arena, &seen_to, to, i), i);
    for (int i = 0; i < from->n_nodes; i++) {
        int32_t id = nw_map_get(&ids, unique_key(&arena, &seen_from, from, i));
        out[i] = id == NW_MAP_NONE ? NW_NONE : id;
    }
    nw_map_fini(&ids);
    nw_map_fini(&seen_to);
    nw_map_fini(&seen_from);
    nw_arena_fini(&arena);
}

/* Per node the kernel that runs it, -1: none. The caller frees it. */
static int *kernels_of_nodes(const nw_point *point)
{
    int n = point->graph->n_nodes;
    int *kernel_of = nw_alloc((size_t)(n + 1) * sizeof *kernel_of);
    for (int i = 0; i < n; i++)
        kernel_of[i] = -1;
    const nw_kernels *kernels = point->estimate.kernels;
    for (int k = 0; k < kernels->n_kernels; k++)
        for (int i = 0; i < kernels->kernels[k].n_nodes; i++)
            kernel_of[kernels->kernels[k].nodes[i]] = k;
    return kernel_of;
}

/* ---- building ---- */

static const char *kind_of(nw_arena *arena, const nw_kernel *kernel)
{
    char text[64];
    if (kernel->shape.parts[0].kind == NW_KERNEL_HOST)
        snprintf(text, sizeof text, "host x%d", kernel->n_nodes);
    else
        nw_kernel_shape_name(&kernel->shape, text, sizeof text);
    return nw_arena_strdup(arena, text);
}

/* "1 of 32" becomes "1/32". */
static void write_fractions(char *text)
{
    for (char *at = text; (at = strstr(at, " of ")); at++)
        if (at > text && at[-1] >= '0' && at[-1] <= '9' && at[4] >= '0' && at[4] <= '9') {
            at[0] = '/';
            memmove(at + 1, at + 4, strlen(at + 4) + 1);
        }
}

/* Sentences begin alike; a narrow column needs what differs. */
static const char *shorten(const char *why, bool is_spill, char *dst, size_t size)
{
    static const char *const starts[][2] = {{"waits for weights from DRAM: ", "weights "},
                                            {"depthwise: ", "dw "},
                                            {"output stage: ", "output "},
                                            {"fixed cost of a kernel: ", "fixed "},
                                            {"the regression has ", ""}};
    static const char dram[] = "waits for DRAM: ";
    snprintf(dst, size, "%s%s", is_spill ? "spill; " : "", why);
    if (strncmp(why, dram, sizeof dram - 1) == 0)
        snprintf(dst, size, "%s%s", is_spill ? "spill " : "DRAM ", why + sizeof dram - 1);
    for (int i = 0; i < N(starts); i++)
        if (strncmp(why, starts[i][0], strlen(starts[i][0])) == 0)
            snprintf(dst, size, "%s%s%s", is_spill ? "spill; " : "", starts[i][1],
                     why + strlen(starts[i][0]));
    write_fractions(dst);
    return dst;
}

/* A note of the kernel's own comes first: it says what is unusual. */
static const char *note_of(ui_layers *layers, const ui_layers_row *row)
{
    const nw_kernel *kernel = ui_layers_kernel(layers, row);
    char why[200], text[320];
    shorten(nw_report_why(&layers->current->estimate, row->kernel), ui_layers_spills(layers, row),
            why, sizeof why);
    bool is_outside = ui_layers_is_extrapolated(layers, row);
    snprintf(text, sizeof text, "%s%s%s%s", kernel->note, kernel->note[0] && why[0] ? "; " : "",
             why, is_outside ? "; extrapolated" : "");
    return ui_layers_printable(&layers->arena, text);
}

static int64_t output_elements(const nw_graph *graph, const nw_kernel *kernel)
{
    return kernel->n_writes ? nw_shape_elements(&graph->tensors[kernel->writes[0]].shape) : 0;
}

static void add_row(ui_layers *layers, int kernel_index)
{
    const nw_graph *graph = layers->current->graph;
    ui_layers_row *row = &layers->rows[layers->n_rows];
    *row = (ui_layers_row){.kernel = kernel_index, .block = -1};
    const nw_kernel *kernel = ui_layers_kernel(layers, row);
    char label[512];
    row->name = ui_layers_printable(&layers->arena,
                                    nw_node_label(graph, kernel->main, label, sizeof label));
    row->kind = kind_of(&layers->arena, kernel);
    row->note = note_of(layers, row);
    row->output_elements = output_elements(graph, kernel);
    layers->has_cost = layers->has_cost || ui_layers_cost(layers, row)->is_known;
    layers->row_of_kernel[kernel_index] = layers->n_rows++;
}

static void build_rows(ui_layers *layers)
{
    const nw_kernels *kernels = layers->current->estimate.kernels;
    size_t n = (size_t)kernels->n_kernels + 1;
    layers->rows = nw_alloc(n * sizeof *layers->rows);
    layers->row_of_kernel = nw_alloc(n * sizeof *layers->row_of_kernel);
    layers->has_cost = false;
    for (int i = 0; i < kernels->n_kernels; i++) {
        layers->row_of_kernel[i] = -1;
        if (kernels->kernels[i].shape.parts[0].kind == NW_KERNEL_VIEW)
            layers->n_views++;
        else
            add_row(layers, i);
    }
    if (!layers->n_rows)
        layers->has_cost = true;
    ui_layers_name_rows(layers);
    nw_graph_count(layers->current->graph, &layers->counts);
}

/* A kernel of the baseline counts for the kernel that now runs its main operator, so that the
 * differences add up to the network's. */
static void compare(ui_layers *layers)
{
    const nw_point *base = layers->baseline, *now = layers->current;
    int n_kernels = now->estimate.kernels->n_kernels;
    int *kernel_of = kernels_of_nodes(now);
    nw_node_id *node_of = nw_alloc((size_t)(base->graph->n_nodes + 1) * sizeof *node_of);
    int64_t *before = nw_zalloc((size_t)(n_kernels + 1) * sizeof *before);
    uint8_t *found = nw_zalloc((size_t)(n_kernels + 1)); /* 1: a cost, 2: an unknown one */
    match_nodes(base->graph, now->graph, node_of);
    for (int i = 0; i < base->estimate.kernels->n_kernels; i++) {
        const nw_kernel *kernel = &base->estimate.kernels->kernels[i];
        nw_node_id node = node_of[kernel->main];
        int k = node == NW_NONE ? -1 : kernel_of[node];
        if (k < 0) {
            layers->n_lost += kernel->shape.parts[0].kind != NW_KERNEL_VIEW;
            continue;
        }
        const nw_device_cost *cost = &base->estimate.costs[i];
        found[k] |= cost->is_known ? 1 : 2;
        if (__builtin_add_overflow(before[k], cost->latency_ps, &before[k]))
            before[k] = INT64_MAX; /* as the estimate's own totals */
    }
    for (int r = 0; r < layers->n_rows; r++) {
        ui_layers_row *row = &layers->rows[r];
        const nw_device_cost *cost = ui_layers_cost(layers, row);
        row->is_new = !found[row->kernel];
        row->has_delta = cost->is_known && !(found[row->kernel] & 2);
        row->delta_ps = cost->latency_ps - before[row->kernel];
    }
    free(found);
    free(before);
    free(node_of);
    free(kernel_of);
}

/* ---- what the user did, carried over ---- */

typedef struct memento {
    nw_node_id *nodes; /* main operators of the old rows; of a block's its last */
    uint8_t *flags;    /* 1 open, 2 marked, 4 a block */
    int n;
    nw_node_id cursor;
    bool is_block; /* the cursor's */
} memento;

static nw_node_id node_of_row(const ui_layers *layers, const ui_layers_row *row)
{
    const nw_block *block = row->is_block ? layers->blocks[row->block].block : NULL;
    return block && block->n_nodes ? block->nodes[block->n_nodes - 1]
                                   : ui_layers_kernel(layers, row)->main;
}

static memento remember(const ui_layers *layers)
{
    memento m = {.cursor = NW_NONE};
    if (!layers->current)
        return m;
    int n_rows = layers->n_rows + layers->n_blocks;
    m.nodes = nw_alloc((size_t)(n_rows + 1) * sizeof *m.nodes);
    m.flags = nw_zalloc((size_t)(n_rows + 1));
    for (int r = 0; r < n_rows; r++) {
        const ui_layers_row *row = &layers->rows[r];
        if (!row->is_open && !row->is_marked)
            continue;
        m.nodes[m.n] = node_of_row(layers, row);
        m.flags[m.n++] = (uint8_t)(row->is_open | row->is_marked << 1 | row->is_block << 2);
    }
    if (layers->wanted.row >= 0) {
        const ui_layers_row *row = &layers->rows[layers->wanted.row];
        m.cursor = node_of_row(layers, row);
        m.is_block = row->is_block;
    }
    return m;
}

static int row_of_block(const ui_layers *layers, const nw_block *block)
{
    for (int b = 0; b < layers->n_blocks && block; b++)
        if (layers->blocks[b].block == block)
            return layers->n_rows + b;
    return -1;
}

/* The row that now runs the operator, or of the block that it is in; a kernel that became a view
 * has none. */
static int row_of_node(const ui_layers *layers, const nw_node_id *node_of, const int *kernel_of,
                       nw_node_id old, bool is_block)
{
    nw_node_id node = old == NW_NONE ? NW_NONE : node_of[old];
    if (is_block && layers->current->arch && node != NW_NONE)
        return row_of_block(layers, nw_arch_block_of(layers->current->arch, node));
    int kernel = node == NW_NONE ? -1 : kernel_of[node];
    return kernel < 0 ? -1 : layers->row_of_kernel[kernel];
}

static void restore(ui_layers *layers, const memento *m, const nw_graph *old_graph)
{
    nw_node_id *node_of = nw_alloc((size_t)(old_graph->n_nodes + 1) * sizeof *node_of);
    int *kernel_of = kernels_of_nodes(layers->current);
    match_nodes(old_graph, layers->current->graph, node_of);
    for (int i = 0; i < m->n; i++) {
        int r = row_of_node(layers, node_of, kernel_of, m->nodes[i], m->flags[i] >> 2);
        if (r < 0)
            continue;
        layers->rows[r].is_open |= m->flags[i] & 1;
        layers->rows[r].is_marked |= m->flags[i] >> 1 & 1;
    }
    layers->wanted.row = row_of_node(layers, node_of, kernel_of, m->cursor, m->is_block);
    if (layers->wanted.row < 0)
        layers->wanted.op = -1;
    free(kernel_of);
    free(node_of);
}

/* One network on one hardware, estimated by two. */
static bool is_same_thing(const nw_point *a, const nw_point *b)
{
    return a->graph == b->graph && a->hw == b->hw && strcmp(a->precision, b->precision) == 0 &&
           !nw_estimator_is_same(a->estimate.estimator, b->estimate.estimator);
}

void ui_layers_set(ui_layers *layers, const nw_point *current, const nw_point *baseline)
{
    const nw_graph *old_graph = layers->current ? layers->current->graph : NULL;
    memento m = remember(layers);
    free_rows(layers);
    layers->current = current;
    layers->baseline = current ? baseline : NULL;
    layers->is_same_thing = false;
    if (current)
        build_rows(layers);
    if (layers->baseline) {
        compare(layers);
        layers->is_same_thing = is_same_thing(current, baseline);
        layers->difference = nw_estimate_difference(&baseline->estimate, &current->estimate);
    } else if (layers->sort == UI_LAYERS_DELTA) {
        layers->sort = UI_LAYERS_SHARE;
    }
    if (current)
        ui_layers_build_blocks(layers);
    if (current)
        ui_layers_measure(layers);
    if (current && old_graph)
        restore(layers, &m, old_graph);
    else
        layers->wanted = (ui_layers_entry){-1, -1};
    if (layers->wanted.row < 0)
        layers->cursor = layers->top = 0; /* another network: the worst row first */
    free(m.nodes);
    free(m.flags);
    ui_layers_refresh(layers);
}

/* ---- the list ---- */

static void add_entry(ui_layers *layers, int row, int op)
{
    layers->entries[layers->n_entries++] = (ui_layers_entry){row, op};
}

static void list_kernel(ui_layers *layers, int row)
{
    const ui_layers_row *kernel = &layers->rows[row];
    add_entry(layers, row, -1);
    int n_ops = kernel->is_open ? ui_layers_kernel(layers, kernel)->n_nodes : 0;
    for (int op = 0; op < n_ops; op++)
        add_entry(layers, row, op);
}

/* Its kernels in the order of the schedule, whatever the sort: they are read one after another. */
static void list_block(ui_layers *layers, int row)
{
    const ui_layers_row *block = &layers->rows[row];
    add_entry(layers, row, -1);
    int left = block->is_open ? layers->blocks[block->block].n_kernels : 0;
    for (int r = 0; r < layers->n_rows && left; r++)
        if (layers->rows[r].block == block->block) {
            list_kernel(layers, r);
            left--;
        }
}

/* As many as all rows and all operators can take. */
static size_t most_lines(const ui_layers *layers)
{
    size_t lines = (size_t)(layers->n_rows + layers->n_blocks);
    for (int r = 0; r < layers->n_rows; r++)
        if (layers->rows[r].is_open)
            lines += (size_t)ui_layers_kernel(layers, &layers->rows[r])->n_nodes;
    return lines;
}

/* The row that stands for another where that has no line: the block of a kernel, or the slowest
 * kernel of a block. */
static int stand_in(const ui_layers *layers, int row)
{
    const ui_layers_row *r = &layers->rows[row];
    if (r->is_block && !ui_layers_by_blocks(layers))
        return layers->row_of_kernel[r->kernel];
    return !r->is_block && ui_layers_by_blocks(layers) && r->block >= 0 ? layers->n_rows + r->block
                                                                        : row;
}

/* The line of the wanted entry; of its kernel or block if that is folded; -1 if it is hidden. */
static int line_of_wanted(const ui_layers *layers)
{
    int line = -1, other = -1;
    if (layers->wanted.row < 0)
        return -1;
    int other_row = stand_in(layers, layers->wanted.row);
    for (int i = 0; i < layers->n_entries; i++) {
        const ui_layers_entry *entry = &layers->entries[i];
        if (entry->row == other_row && entry->op < 0)
            other = i;
        if (entry->row != layers->wanted.row)
            continue;
        if (entry->op == layers->wanted.op)
            return i;
        line = entry->op < 0 ? i : line;
    }
    return line < 0 ? other : line;
}

/* The cursor keeps its kernel and its height on the screen. */
static void place_cursor(ui_layers *layers)
{
    int height = layers->cursor - layers->top;
    int line = line_of_wanted(layers);
    bool is_found = line >= 0;
    if (!is_found)
        line = layers->cursor;
    if (line >= layers->n_entries)
        line = layers->n_entries - 1;
    layers->cursor = line < 0 ? 0 : line;
    layers->top = layers->cursor - height;
    if (layers->top < 0)
        layers->top = 0;
    if (layers->wanted.row < 0 && layers->n_entries)
        layers->wanted = layers->entries[layers->cursor];
}

void ui_layers_refresh(ui_layers *layers)
{
    int first = ui_layers_first(layers), end = ui_layers_end(layers);
    int *order = nw_alloc((size_t)(end - first + 1) * sizeof *order);
    layers->n_shown = 0;
    for (int r = first; r < end; r++)
        if (ui_layers_matches(layers, &layers->rows[r]))
            order[layers->n_shown++] = r;
    ui_layers_sort(layers, order, layers->n_shown);
    free(layers->entries);
    layers->entries = nw_alloc((most_lines(layers) + 1) * sizeof *layers->entries);
    layers->n_entries = 0;
    for (int i = 0; i < layers->n_shown; i++)
        if (layers->rows[order[i]].is_block)
            list_block(layers, order[i]);
        else
            list_kernel(layers, order[i]);
    free(order);
    place_cursor(layers);
}

void ui_layers_switch(ui_layers *layers, bool by_blocks)
{
    layers->is_by_blocks = by_blocks;
    if (!layers->current)
        return;
    ui_layers_measure(layers);
    ui_layers_refresh(layers);
}

void ui_layers_set_filter(ui_layers *layers, const char *text)
{
    snprintf(layers->filter_text, sizeof layers->filter_text, "%s", text);
    ui_layers_parse_filter(layers->filter_text, &layers->filter);
    ui_layers_refresh(layers);
}

void ui_layers_move_to(ui_layers *layers, int line)
{
    if (line >= layers->n_entries)
        line = layers->n_entries - 1;
    layers->cursor = line < 0 ? 0 : line;
    if (layers->n_entries)
        layers->wanted = layers->entries[layers->cursor];
    layers->pane_scroll = 0;
}

void ui_layers_open(ui_layers *layers, bool open)
{
    if (!layers->n_entries)
        return;
    ui_layers_entry *wanted = &layers->wanted;
    *wanted = layers->entries[layers->cursor];
    const ui_layers_row *row = &layers->rows[wanted->row];
    if (!open)
        wanted->op = -1;
    if (!open && !row->is_open && ui_layers_is_inside(layers, row))
        wanted->row = layers->n_rows + row->block; /* nothing of its own to fold: the block */
    layers->rows[wanted->row].is_open = open;
    ui_layers_refresh(layers);
}

int ui_layers_top(const ui_layers *layers, int n)
{
    int last = layers->n_entries - n, top = layers->top;
    top = top > last ? last : top;
    if (n > 0 && layers->cursor >= top + n)
        top = layers->cursor - n + 1;
    if (layers->cursor < top)
        top = layers->cursor;
    return top < 0 ? 0 : top;
}

const ui_layers_row *ui_layers_cursor_row(const ui_layers *layers)
{
    return layers->n_entries ? &layers->rows[layers->entries[layers->cursor].row] : NULL;
}
