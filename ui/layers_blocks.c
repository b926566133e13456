/* Rows of blocks: sums over their kernels, what is to say of them, and whether fusing would help.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/layers.h"

#define MUCH_DEPTHWISE 50 /* per cent of a block's time from which it is said */
#define MUCH_HOST      50

bool ui_layers_by_blocks(const ui_layers *layers)
{
    return layers->is_by_blocks && layers->n_blocks > 0;
}

int ui_layers_first(const ui_layers *layers)
{
    return ui_layers_by_blocks(layers) ? layers->n_rows : 0;
}

int ui_layers_end(const ui_layers *layers)
{
    return ui_layers_by_blocks(layers) ? layers->n_rows + layers->n_blocks : layers->n_rows;
}

bool ui_layers_is_inside(const ui_layers *layers, const ui_layers_row *row)
{
    return !row->is_block && row->block >= 0 && ui_layers_by_blocks(layers);
}

const char *ui_layers_where(const ui_layers *layers, const ui_layers_row *row, int columns,
                            char *dst, size_t size)
{
    if (row->block < 0 || !ui_layers_by_blocks(layers))
        return ui_layers_fit_name(layers, row->brief, columns, dst, size);
    snprintf(dst, size, "%s", layers->blocks[row->block].label);
    return dst;
}

/* ---- text ---- */

/* "ibn k3 e6"; what no pattern claims by its slowest kernel: "op eltwise". */
static const char *kind_of(ui_layers *layers, const ui_layers_row *row)
{
    const nw_block *block = layers->blocks[row->block].block;
    char text[96];
    size_t used;
    if (!block || block->kind == NW_BLOCK_OP) {
        int slowest = layers->row_of_kernel[row->kernel];
        snprintf(text, sizeof text, "op %s", slowest < 0 ? "" : layers->rows[slowest].kind);
        return nw_arena_strdup(&layers->arena, text);
    }
    used = (size_t)snprintf(text, sizeof text, "%s", nw_block_kind_name(block->kind));
    if (block->kernel > 0 && block->kind != NW_BLOCK_FC)
        used += (size_t)snprintf(text + used, sizeof text - used, " k%d", (int)block->kernel);
    if (nw_block_kind_expands(block->kind))
        snprintf(text + used, sizeof text - used, " e%.3g", block->expansion);
    return nw_arena_strdup(&layers->arena, text);
}

static int percent(int64_t part, int64_t all)
{
    return all > 0 ? (int)(100 * (double)part / (double)all + 0.5) : 0;
}

static void add_word(char *text, size_t size, const char *word)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used ? " " : "", word);
}

/* The reasons, short, dearest first; then what can be done about it. */
static const char *note_of(ui_layers *layers, const ui_layers_block *block)
{
    char text[160] = "", word[48];
    int depthwise = percent(block->depthwise_ps, block->cost.latency_ps);
    int host = percent(block->host_ps, block->cost.latency_ps);
    if (block->n_spills)
        add_word(text, sizeof text, "spill");
    if (host >= MUCH_HOST) {
        snprintf(word, sizeof word, "host %d%%", host);
        add_word(text, sizeof text, word);
    }
    if (depthwise >= MUCH_DEPTHWISE) {
        snprintf(word, sizeof word, "dw %d%%", depthwise);
        add_word(text, sizeof text, word);
    }
    if (block->idle) {
        snprintf(word, sizeof word, "c%lld!", (long long)block->block->out_c);
        add_word(text, sizeof text, word);
    }
    if (block->n_fuses)
        add_word(text, sizeof text, "f?");
    if (block->n_outside)
        add_word(text, sizeof text, "extrapolated");
    return nw_arena_strdup(&layers->arena, text);
}

/* What the names of its kernels share, up to a separator; else the name of the slowest. */
static const char *name_of(ui_layers *layers, const ui_layers_row *row, bool is_brief)
{
    const char *first = NULL, *slowest = NULL;
    size_t n = 0;
    bool is_one = true;
    for (int r = 0; r < layers->n_rows; r++) {
        if (layers->rows[r].block != row->block)
            continue;
        const char *name = is_brief ? layers->rows[r].brief : layers->rows[r].name;
        slowest = layers->rows[r].kernel == row->kernel ? name : slowest;
        size_t i = 0;
        while (first && i < n && name[i] == first[i])
            i++;
        is_one = !first;
        n = first ? i : strlen(name);
        first = first ? first : name;
    }
    while (!is_one && n && !strchr("/._:;-", first[n - 1]))
        n--;
    if (!is_one && n)
        n--; /* the separator itself */
    return n ? nw_arena_strndup(&layers->arena, first, n) : slowest ? slowest : "";
}

/* ---- sums ---- */

static void take_sums(ui_layers_block *block, const nw_block_cost *sum)
{
    nw_device_cost *cost = &block->cost;
    cost->latency_ps = sum->latency_ps;
    cost->energy_fj = sum->energy_fj;
    cost->macs = sum->macs;
    cost->dram_bytes = sum->dram_bytes;
    cost->sram_bytes = sum->sram_bytes;
    cost->weight_bytes = sum->weight_bytes;
    cost->utilisation = sum->utilisation;
    cost->is_known = !sum->n_unknown;
    block->host_ps = sum->host_ps;
    block->live_bytes = sum->live_bytes;
    block->n_kernels = sum->n_kernels;
    block->n_spills = sum->n_spills;
    block->n_outside = sum->n_outside;
}

static void add_kernel(ui_layers_block *block, const nw_kernel *kernel, const nw_device_cost *cost)
{
    nw_device_cost *sum = &block->cost;
    if (kernel->shape.parts[0].kind == NW_KERNEL_DWCONV)
        block->depthwise_ps += cost->latency_ps;
    for (int b = 0; b < NW_BOUND_COUNT; b++)
        sum->cycles[b] += cost->cycles[b];
    sum->total_cycles += cost->total_cycles;
}

static nw_bound largest(const int64_t *cycles)
{
    int most = 0;
    for (int b = 1; b < NW_BOUND_COUNT; b++)
        most = cycles[b] > cycles[most] ? b : most;
    return (nw_bound)most;
}

static int64_t idle_of(const nw_hw *hw, const nw_block *block)
{
    bool has_channels = block && block->macs > 0 && block->kind != NW_BLOCK_OP &&
                        block->kind != NW_BLOCK_HEAD && block->kind != NW_BLOCK_FC;
    return has_channels && block->out_c > 0 ? nw_align_idle(hw, block->out_c) : 0;
}

/* ---- against the baseline ---- */

/* Of every block of the baseline the one that makes the same map now, an index in the arch's
 * blocks, or -1: edits keep the names of the maps that blocks make. */
static void match_blocks(const nw_point *base, const nw_point *now, int *out)
{
    int n_base, n_now;
    const nw_block *from = nw_arch_blocks(base->arch, &n_base);
    const nw_block *to = nw_arch_blocks(now->arch, &n_now);
    nw_map of_tensor = {0};
    for (int i = n_now - 1; i >= 0; i--)
        if (to[i].out != NW_NONE && now->graph->tensors[to[i].out].name)
            nw_map_put(&of_tensor, now->graph->tensors[to[i].out].name, i);
    for (int i = 0; i < n_base; i++) {
        const char *name = from[i].out == NW_NONE ? NULL : base->graph->tensors[from[i].out].name;
        int32_t found = name && *name ? nw_map_get(&of_tensor, name) : NW_MAP_NONE;
        out[i] = base->graph == now->graph ? i : found == NW_MAP_NONE ? -1 : found;
    }
    nw_map_fini(&of_tensor);
}

static void compare_blocks(ui_layers *layers, const int *index_of)
{
    const nw_point *base = layers->baseline;
    int n;
    nw_arch_blocks(base->arch, &n);
    int *now_of = nw_alloc((size_t)(n + 1) * sizeof *now_of);
    nw_block_cost *costs = nw_alloc((size_t)(n + 1) * sizeof *costs);
    uint8_t *found = nw_zalloc((size_t)layers->n_blocks + 1); /* 1: a cost, 2: an unknown one */
    match_blocks(base, layers->current, now_of);
    nw_block_costs(base->arch, base->hw, &base->estimate, costs);
    for (int b = 0; b < layers->n_blocks; b++)
        layers->rows[layers->n_rows + b].delta_ps = layers->blocks[b].cost.latency_ps;
    for (int i = 0; i < n; i++) {
        int b = now_of[i] < 0 ? -1 : index_of[now_of[i]];
        if (b < 0) {
            layers->n_lost_blocks += costs[i].n_kernels > 0;
            continue;
        }
        found[b] |= costs[i].n_unknown ? 2 : costs[i].n_kernels ? 1 : 0;
        layers->rows[layers->n_rows + b].delta_ps -= costs[i].latency_ps;
    }
    for (int b = 0; b < layers->n_blocks; b++) {
        ui_layers_row *row = &layers->rows[layers->n_rows + b];
        row->is_new = !found[b];
        row->has_delta = layers->blocks[b].cost.is_known && !(found[b] & 2);
    }
    free(found);
    free(costs);
    free(now_of);
}

/* ---- building ---- */

/* Blocks that have kernels get the next index in layers->blocks, others -1. */
static void choose_blocks(ui_layers *layers, const nw_block *blocks, int n,
                          const nw_block_cost *costs, int *index_of)
{
    const nw_estimate *e = &layers->current->estimate;
    for (int i = 0; i <= n; i++) {
        index_of[i] = costs[i].n_kernels ? layers->n_blocks : -1;
        if (!costs[i].n_kernels)
            continue;
        ui_layers_block *block = &layers->blocks[layers->n_blocks++];
        *block = (ui_layers_block){.block = i < n ? &blocks[i] : NULL, .label = "-"};
        if (block->block)
            nw_block_label(block->block, block->label, sizeof block->label);
        take_sums(block, &costs[i]);
        if (i == n)
            block->cost.latency_ps -= e->overhead_ps;
        block->idle = idle_of(layers->current->hw, block->block);
    }
}

static void fill_row(ui_layers *layers, int b, int slowest)
{
    ui_layers_block *block = &layers->blocks[b];
    ui_layers_row *row = &layers->rows[layers->n_rows + b];
    *row = (ui_layers_row){.kernel = slowest, .block = b, .is_block = true};
    block->cost.bound = largest(block->cost.cycles);
    row->kind = kind_of(layers, row);
    row->name = name_of(layers, row, false);
    row->brief = name_of(layers, row, true);
    row->note = note_of(layers, block);
    const nw_block *b_ = block->block;
    int of_kernel = layers->row_of_kernel[slowest];
    row->output_elements = b_ && b_->out_h > 0 && b_->out_c > 0 ? b_->out_h * b_->out_w * b_->out_c
                           : of_kernel >= 0 ? layers->rows[of_kernel].output_elements
                                            : 0;
}

void ui_layers_build_blocks(ui_layers *layers)
{
    const nw_point *point = layers->current;
    const nw_estimate *e = &point->estimate;
    if (!point->arch || !layers->n_rows)
        return;
    int n;
    const nw_block *blocks = nw_arch_blocks(point->arch, &n);
    nw_block_cost *costs = nw_alloc((size_t)(n + 1) * sizeof *costs);
    int *index_of = nw_alloc((size_t)(n + 1) * sizeof *index_of);
    nw_block_costs(point->arch, point->hw, e, costs);
    layers->blocks = nw_alloc((size_t)(n + 1) * sizeof *layers->blocks);
    choose_blocks(layers, blocks, n, costs, index_of);
    layers->rows = nw_realloc(layers->rows, (size_t)(layers->n_rows + layers->n_blocks + 1) *
                                                sizeof *layers->rows);
    for (int r = 0; r < layers->n_rows; r++) {
        const nw_kernel *kernel = ui_layers_kernel(layers, &layers->rows[r]);
        const nw_block *block = nw_arch_block_of(point->arch, kernel->main);
        layers->rows[r].block = index_of[block ? block - blocks : n];
        add_kernel(&layers->blocks[layers->rows[r].block], kernel,
                   ui_layers_cost(layers, &layers->rows[r]));
    }
    for (int i = 0; i <= n; i++)
        if (index_of[i] >= 0)
            fill_row(layers, index_of[i], costs[i].slowest);
    if (layers->baseline && layers->baseline->arch)
        compare_blocks(layers, index_of);
    free(index_of);
    free(costs);
}

/* ---- what if ---- */

static bool is_fusing(const nw_whatif_row *row, const nw_block *block)
{
    const nw_selector *where = &row->edit.where;
    nw_block_kind to = row->edit.block;
    bool is_fused = to == NW_BLOCK_FUSED || to == NW_BLOCK_FUSED_GROUPED ||
                    (to == NW_BLOCK_CONV && block->kind == NW_BLOCK_DSEP);
    return row->edit.kind == NW_EDIT_VARIANT && is_fused && to != block->kind &&
           where->index == block->index && where->first_stage == block->stage &&
           where->last_stage == block->stage && row->effect.latency.latency_ps < 0 &&
           !row->effect.is_below && row->effect.fits;
}

/* Rows are done ones by what they save, then others. */
static void find_fuses(const nw_whatif_row *rows, int n, ui_layers_block *block)
{
    block->n_fuses = 0;
    const nw_whatif_row *own = NULL, *best = NULL;
    for (int i = 0; i < n && rows[i].state == NW_WHATIF_DONE && !own && block->block; i++) {
        if (!is_fusing(&rows[i], block->block))
            continue;
        best = best ? best : &rows[i];
        own = rows[i].edit.number == 0 ? &rows[i] : NULL;
    }
    if (own)
        block->fuses[block->n_fuses++] = *own;
    if (best && best != own)
        block->fuses[block->n_fuses++] = *best;
}

bool ui_layers_set_whatif(ui_layers *layers, const nw_whatif *list)
{
    if (list && (!layers->current || nw_whatif_arch(list) != layers->current->arch))
        list = NULL;
    int n_ready = list ? nw_whatif_n_ready(list) : 0;
    if (!layers->n_blocks || n_ready == layers->n_tried)
        return false;
    layers->n_tried = n_ready;
    int n = list ? nw_whatif_n(list) : 0;
    nw_whatif_row *rows = nw_alloc(((size_t)n + 1) * sizeof *rows);
    n = list ? nw_whatif_rows(list, rows, n) : 0;
    bool has_changed = false;
    for (int b = 0; b < layers->n_blocks; b++) {
        ui_layers_block *block = &layers->blocks[b];
        bool was_better = block->n_fuses > 0;
        find_fuses(rows, n, block);
        if (was_better == (block->n_fuses > 0))
            continue;
        layers->rows[layers->n_rows + b].note = note_of(layers, block);
        has_changed = true;
    }
    free(rows);
    return has_changed;
}
