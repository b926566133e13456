/* look.c - one network, seen cell by cell.
 *
 * A node belongs to the first mark, in the order of the base, that is made of what it makes; a
 * kernel to the mark of its last node. What a cell costs depends on the shapes of its kernels, on
 * how they hang together, and on where their maps live: maps of its own by the live bytes while its
 * kernels run, maps that cross by those of others, too.
 */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/plan/internal.h"

enum { NOWHERE = -1, SEVERAL = -2 };

typedef struct looker {
    nw_cells *cells;
    const nw_graph *graph;
    const nw_hw *hw;
    const nw_kernels *kernels;
    int *node_mark, *kernel_mark, *kernel_cell;
    int *next_kernel;  /* of the same cell; -1: none */
    int *first_kernel; /* per cell */
    int *writer;       /* per tensor: mark of the kernel that writes it; inputs: n_marks */
    int *mark, *cell;  /* per tensor: of all kernels that touch it; NOWHERE, SEVERAL */
    int *name;         /* per tensor: crossing: mark x 2^12 + ordinal; else number in its cell */
    int8_t *bit;       /* per tensor: its bit, -1: none */
    uint8_t *spilled;  /* per tensor: really, in this network */
    uint64_t *mask;    /* per tensor, for one cell at a time: the crossing maps it is tied to */
    int64_t *own[2];   /* per kernel, by layout: live bytes without what spans it */
    uint64_t *spans[2];
    int *follower; /* per mark: a dropped mark that reads what it makes; -1: none */
    nw_sight *sight;
    bool is_crowded;
} looker;

/* ---- whose is what ---- */

static void find_node_marks(looker *l)
{
    const nw_graph *graph = l->graph;
    int rest = l->cells->n_marks - 1;
    int *wanted = nw_alloc((size_t)graph->n_tensors * sizeof *wanted);
    for (nw_tensor_id t = 0; t < graph->n_tensors; t++)
        wanted[t] = rest;
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const nw_node *node = &graph->nodes[graph->order[i]];
        int mark = rest;
        for (int k = 0; k < node->n_outputs; k++) {
            nw_tensor_id out = node->outputs[k];
            if (out == NW_NONE)
                continue;
            int own = nw_map_get(&l->cells->mark_of_name, graph->tensors[out].name);
            own = own == NW_MAP_NONE ? wanted[out] : own;
            mark = own < mark ? own : mark;
        }
        l->node_mark[graph->order[i]] = mark;
        for (int k = 0; k < node->n_inputs; k++)
            if (node->inputs[k] != NW_NONE && mark < wanted[node->inputs[k]])
                wanted[node->inputs[k]] = mark;
    }
    free(wanted);
}

static void find_kernel_marks(looker *l)
{
    for (int c = 0; c < l->cells->n_cells; c++)
        l->first_kernel[c] = -1;
    for (int i = l->kernels->n_kernels - 1; i >= 0; i--) {
        const nw_kernel *kernel = &l->kernels->kernels[i];
        l->kernel_mark[i] = l->node_mark[kernel->nodes[kernel->n_nodes - 1]];
        int cell = l->kernel_cell[i] = l->cells->cell_of[l->kernel_mark[i]];
        l->next_kernel[i] = l->first_kernel[cell];
        l->first_kernel[cell] = i;
    }
}

static int n_touched(const nw_kernel *kernel)
{
    return kernel->n_reads + kernel->n_writes;
}

static nw_tensor_id touched(const nw_kernel *kernel, int i)
{
    return i < kernel->n_reads ? kernel->reads[i] : kernel->writes[i - kernel->n_reads];
}

static void meet(int *whose, int who)
{
    *whose = *whose == NOWHERE || *whose == who ? who : SEVERAL;
}

static void find_touchers(looker *l)
{
    for (nw_tensor_id t = 0; t < l->graph->n_tensors; t++) {
        l->mark[t] = l->cell[t] = NOWHERE;
        l->writer[t] = l->cells->n_marks;
    }
    for (int i = 0; i < l->kernels->n_kernels; i++) {
        const nw_kernel *kernel = &l->kernels->kernels[i];
        for (int k = 0; k < kernel->n_writes; k++)
            l->writer[kernel->writes[k]] = l->kernel_mark[i];
        for (int k = 0; k < n_touched(kernel); k++) {
            meet(&l->mark[touched(kernel, k)], l->kernel_mark[i]);
            meet(&l->cell[touched(kernel, k)], l->kernel_cell[i]);
        }
    }
}

/* ---- names of maps ---- */

/* A block that a depth drops hands on the map before it: its readers know it by the last block that
 * was dropped, whatever the depth. */
static void find_followers(looker *l)
{
    const nw_cells *cells = l->cells;
    uint8_t *is_there = nw_zalloc((size_t)cells->n_marks);
    for (nw_node_id id = 0; id < l->graph->n_nodes; id++)
        is_there[l->node_mark[id]] = 1;
    for (int m = 0; m < cells->n_marks; m++)
        l->follower[m] = -1;
    for (int m = cells->n_marks - 2; m >= 0; m--)
        if (!is_there[m] && cells->before[m] >= 0)
            l->follower[cells->before[m]] = m;
    free(is_there);
}

/* Numbers of a mark's crossing maps go down: the last one, its own map mostly, is 0. */
static void name_crossing(looker *l)
{
    int n_marks = l->cells->n_marks + 1;
    int *n_made = nw_zalloc((size_t)n_marks * sizeof *n_made);
    for (int i = 0; i < l->kernels->n_kernels; i++) {
        const nw_kernel *kernel = &l->kernels->kernels[i];
        for (int k = 0; k < n_touched(kernel); k++) {
            nw_tensor_id t = touched(kernel, k);
            if (l->mark[t] == SEVERAL && l->name[t] < 0)
                l->name[t] = n_made[l->writer[t]]++;
        }
    }
    for (nw_tensor_id t = 0; t < l->graph->n_tensors; t++) {
        if (l->mark[t] != SEVERAL)
            continue;
        int m = l->writer[t], ordinal = n_made[m] - 1 - l->name[t];
        while (!ordinal && m < l->cells->n_marks && l->follower[m] >= 0)
            m = l->follower[m];
        l->name[t] = m << 12 | (ordinal & 0xfff);
        l->bit[t] = -1;
        if (ordinal < NW_MAX_ORDINALS)
            l->bit[t] = (int8_t)nw_cells_bit(l->cells, m * NW_MAX_ORDINALS + ordinal);
    }
    free(n_made);
}

static void name_own(looker *l)
{
    int *n_own = nw_zalloc((size_t)l->cells->n_cells * sizeof *n_own);
    for (int i = 0; i < l->kernels->n_kernels; i++) {
        const nw_kernel *kernel = &l->kernels->kernels[i];
        for (int k = 0; k < n_touched(kernel); k++) {
            nw_tensor_id t = touched(kernel, k);
            if (l->mark[t] != SEVERAL && l->name[t] < 0)
                l->name[t] = n_own[l->kernel_cell[i]]++;
        }
    }
    free(n_own);
}

static void name_maps(looker *l)
{
    for (nw_tensor_id t = 0; t < l->graph->n_tensors; t++) {
        l->name[t] = -1;
        l->bit[t] = -1;
    }
    find_followers(l);
    name_crossing(l);
    name_own(l);
}

/* ---- what spills ---- */

static bool is_view(const nw_kernel *kernel)
{
    return kernel->shape.parts[0].kind == NW_KERNEL_VIEW;
}

static bool crosses(const looker *l, nw_tensor_id t)
{
    return l->cell[t] == SEVERAL;
}

static uint64_t bit_of(const looker *l, nw_tensor_id t)
{
    return crosses(l, t) && l->bit[t] >= 0 ? (uint64_t)1 << l->bit[t] : 0;
}

/* As kernel/place.c does, over the whole network. */
static void find_spilled(looker *l)
{
    bool has_changed = true;
    for (int i = 0; i < l->kernels->n_kernels; i++) {
        const nw_kernel *kernel = &l->kernels->kernels[i];
        for (int k = 0; kernel->live_bytes > l->hw->sram.bytes && k < n_touched(kernel); k++)
            l->spilled[touched(kernel, k)] = 1;
    }
    while (has_changed) {
        has_changed = false;
        for (int i = 0; i < l->kernels->n_kernels; i++) {
            const nw_kernel *kernel = &l->kernels->kernels[i];
            bool any = false;
            for (int k = 0; is_view(kernel) && k < n_touched(kernel); k++)
                any |= l->spilled[touched(kernel, k)];
            for (int k = 0; any && k < n_touched(kernel); k++) {
                has_changed |= !l->spilled[touched(kernel, k)];
                l->spilled[touched(kernel, k)] = 1;
            }
        }
    }
}

static void record_spilled(looker *l)
{
    for (nw_tensor_id t = 0; t < l->graph->n_tensors; t++) {
        int ordinal = l->name[t] & 0xfff;
        if (l->mark[t] != SEVERAL || ordinal >= NW_MAX_ORDINALS)
            continue;
        uint8_t *seen =
            &l->cells->is_seen[(size_t)(l->name[t] >> 12) * NW_MAX_ORDINALS + (size_t)ordinal];
        *seen = l->spilled[t] ? 2 : *seen ? *seen : 1;
    }
}

/* ---- what lives ---- */

/* Storages of one layout that live beyond their mark. */
typedef struct spanner {
    looker *l;
    int layout;
    const nw_storages *storages;
    int *start, *kernels; /* per storage: the kernels that touch it */
    int *made_by; /* per storage: the last kernel that writes it; -1: it stays in its mark */
    int *stamp;   /* per mark: the storage looked at, where the mark touches it */
} spanner;

static void index_touchers(spanner *s)
{
    const nw_kernels *kernels = s->l->kernels;
    int n_tensors = s->l->graph->n_tensors;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < kernels->n_kernels; i++) {
            const nw_kernel *kernel = &kernels->kernels[i];
            for (int k = 0; k < n_touched(kernel); k++) {
                nw_tensor_id t = s->storages->storage[touched(kernel, k)];
                if (t == NW_NONE)
                    continue;
                if (pass)
                    s->kernels[--s->start[t]] = i;
                else
                    s->start[t]++;
            }
        }
        for (int t = 0; !pass && t < n_tensors; t++)
            s->start[t] += t ? s->start[t - 1] : 0;
        if (!pass) {
            s->start[n_tensors] = n_tensors ? s->start[n_tensors - 1] : 0;
            s->kernels = nw_alloc(((size_t)s->start[n_tensors] + 1) * sizeof *s->kernels);
        }
    }
}

/* Numbers of a mark's storages go down, as those of its maps do. The crossing index, -1: none. */
static int storage_name(const spanner *s, int mark, int ordinal)
{
    const looker *l = s->l;
    if (mark >= l->cells->n_marks || ordinal >= NW_MAX_ORDINALS)
        return -1;
    while (!ordinal && l->follower[mark] >= 0)
        mark = l->follower[mark];
    return mark * NW_MAX_ORDINALS + ordinal;
}

static void add_made(spanner *s, nw_seen *seen, int slot, int64_t n_bytes)
{
    seen->made[s->layout][seen->aux.n_made[s->layout]++] = (nw_made){slot, n_bytes};
}

/* What spans the kernels while a storage lives. */
static void span(spanner *s, nw_tensor_id t, int name, nw_seen *seen)
{
    looker *l = s->l;
    int slot = name < 0 || l->cells->is_recording ? -1 : l->cells->slots[s->layout][name];
    if (slot >= 0)
        add_made(s, &seen[l->kernel_cell[s->made_by[t]]], slot, s->storages->n_bytes[t]);
    for (int i = s->start[t]; i < s->start[t + 1]; i++)
        s->stamp[l->kernel_mark[s->kernels[i]]] = t + 1;
    for (int i = s->storages->first[t]; i <= s->storages->last[t]; i++) {
        if (s->stamp[l->kernel_mark[i]] == t + 1)
            continue;
        if (l->cells->is_recording && name >= 0)
            l->cells->slots[s->layout][name] = 1;
        if (slot < 0)
            continue;
        l->spans[s->layout][i] |= (uint64_t)1 << slot;
        l->own[s->layout][i] -= s->storages->n_bytes[t];
    }
}

static bool leaves_mark(const spanner *s, nw_tensor_id t)
{
    int mark = s->l->kernel_mark[s->storages->first[t]];
    for (int i = s->storages->first[t]; i <= s->storages->last[t]; i++)
        if (s->l->kernel_mark[i] != mark)
            return true;
    return false;
}

/* In-place results hand a storage on: the last of them knows as well as the first how large it is,
 * and is the same block whatever the depth. */
static void find_makers(spanner *s)
{
    const nw_kernels *kernels = s->l->kernels;
    for (nw_tensor_id t = 0; t < s->l->graph->n_tensors; t++)
        s->made_by[t] = -1;
    for (int i = 0; i < kernels->n_kernels; i++)
        for (int k = 0; k < kernels->kernels[i].n_writes; k++) {
            nw_tensor_id t = s->storages->storage[kernels->kernels[i].writes[k]];
            if (t != NW_NONE && leaves_mark(s, t))
                s->made_by[t] = i;
        }
}

static void find_spans(looker *l, int layout, nw_seen *seen)
{
    size_t n = (size_t)l->graph->n_tensors, n_marks = (size_t)l->cells->n_marks + 1;
    int *memory = nw_zalloc((2 * n + 2 + 2 * n_marks) * sizeof *memory);
    spanner s = {.l = l, .layout = layout, .storages = &l->kernels->memory.layouts[layout]};
    s.start = memory;
    s.made_by = memory + n + 1;
    s.stamp = s.made_by + n + 1;
    int *n_made = s.stamp + n_marks;
    for (int i = 0; i < l->kernels->n_kernels; i++)
        l->own[layout][i] = s.storages->live_bytes[i];
    index_touchers(&s);
    find_makers(&s);
    for (nw_tensor_id t = 0; t < l->graph->n_tensors; t++)
        n_made[s.made_by[t] < 0 ? n_marks - 1 : (size_t)l->kernel_mark[s.made_by[t]]]++;
    for (int i = 0; i < l->kernels->n_kernels; i++) {
        const nw_kernel *kernel = &l->kernels->kernels[i];
        for (int k = 0; k < kernel->n_writes; k++) {
            nw_tensor_id t = s.storages->storage[kernel->writes[k]];
            if (t == NW_NONE || s.made_by[t] != i)
                continue;
            int mark = l->kernel_mark[i];
            span(&s, t, storage_name(&s, mark, --n_made[mark]), seen);
            s.made_by[t] = -1;
        }
    }
    free(s.kernels);
    free(memory);
}

/* ---- what cells do to maps ---- */

static bool tie(looker *l, const nw_kernel *kernel)
{
    uint64_t mask = 0;
    bool has_changed = false;
    for (int k = 0; k < n_touched(kernel); k++)
        mask |= l->mask[touched(kernel, k)];
    for (int k = 0; k < n_touched(kernel); k++) {
        has_changed |= l->mask[touched(kernel, k)] != mask;
        l->mask[touched(kernel, k)] = mask;
    }
    return has_changed;
}

static void add_join(looker *l, nw_seen *seen, uint64_t mask)
{
    if (!(mask & (mask - 1)))
        return;
    for (int i = 0; i < seen->aux.n_joins; i++)
        if (seen->joins[i] == mask)
            return;
    if (seen->aux.n_joins == NW_MAX_JOINS)
        l->is_crowded = true;
    else
        seen->joins[seen->aux.n_joins++] = mask;
}

/* What is tied to what, by the views of the cell. */
static void look_at_maps(looker *l, int cell, nw_seen *seen)
{
    const nw_kernel *kernels = l->kernels->kernels;
    bool has_changed = true;
    for (int i = l->first_kernel[cell]; i >= 0; i = l->next_kernel[i])
        for (int k = 0; k < n_touched(&kernels[i]); k++) {
            nw_tensor_id t = touched(&kernels[i], k);
            l->mask[t] = bit_of(l, t);
            seen->entry.touch |= l->mask[t];
        }
    while (has_changed) {
        has_changed = false;
        for (int i = l->first_kernel[cell]; i >= 0; i = l->next_kernel[i])
            if (is_view(&kernels[i]))
                has_changed |= tie(l, &kernels[i]);
    }
    for (int i = l->first_kernel[cell]; i >= 0; i = l->next_kernel[i])
        for (int k = 0; is_view(&kernels[i]) && k < n_touched(&kernels[i]); k++)
            add_join(l, seen, l->mask[touched(&kernels[i], k)]);
}

static void look_at_live_bytes(looker *l, int i, nw_seen *seen)
{
    const nw_kernel *kernel = &l->kernels->kernels[i];
    int64_t sram = l->hw->sram.bytes, own = l->own[0][i], other = l->own[1][i];
    bool rises = l->spans[0][i] || l->spans[1][i] || own != other;
    uint64_t reach = 0, anyway = 0;
    for (int k = 0; k < n_touched(kernel); k++) {
        nw_tensor_id t = touched(kernel, k);
        reach |= l->mask[t];
        /* What spills elsewhere and has no bit counts as if it did so here. */
        anyway |= crosses(l, t) && l->bit[t] < 0 && l->spilled[t] ? l->mask[t] : 0;
    }
    seen->entry.over |= anyway;
    if (!rises) {
        seen->entry.peak = own > seen->entry.peak ? own : seen->entry.peak;
        seen->entry.over |= own > sram ? reach : 0;
        return;
    }
    own = own > other ? own : other;
    own = own > 0 ? own : 1; /* 0 is for cells without rises */
    seen->entry.spanned = own > seen->entry.spanned ? own : seen->entry.spanned;
    seen->aux.n_rises++;
    l->sight->rises[l->sight->n_rises++] =
        (nw_rise){{l->own[0][i], l->own[1][i]}, {l->spans[0][i], l->spans[1][i]}, reach};
}

static void look_at_placement(looker *l, int cell, nw_seen *seen)
{
    look_at_maps(l, cell, seen);
    seen->aux.rises = l->sight->rises + l->sight->n_rises;
    for (int i = l->first_kernel[cell]; i >= 0; i = l->next_kernel[i])
        look_at_live_bytes(l, i, seen);
    int64_t made[2] = {0, 0};
    for (int w = 0; w < 2; w++)
        for (int i = 0; i < seen->aux.n_made[w]; i++)
            made[w] += seen->made[w][i].n_bytes;
    seen->entry.made = made[0] > made[1] ? made[0] : made[1];
    seen->aux.joins = seen->joins;
    seen->aux.made[0] = seen->made[0];
    seen->aux.made[1] = seen->made[1];
    atomic_init(&seen->entry.aux, &seen->aux);
}

/* ---- signs ---- */

static void stir(uint64_t *sign, uint64_t word)
{
    uint64_t a = (sign[0] ^ word) * 0x9e3779b97f4a7c15u;
    uint64_t b = (sign[1] + word) * 0xbf58476d1ce4e5b9u;
    sign[0] = a ^ (a >> 29) ^ (b << 17);
    sign[1] = b ^ (b >> 31);
}

static void stir_kernel(const looker *l, int index, uint64_t *sign)
{
    const nw_kernel *kernel = &l->kernels->kernels[index];
    uint64_t words[sizeof(nw_kernel_shape) / 8];
    nw_kernel_shape shape = kernel->shape;
    shape.in_place = shape.residual_place = shape.out_place = NW_PLACE_SRAM;
    memcpy(words, &shape, sizeof words);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        stir(sign, words[i]);
    for (int w = 0; w < 2; w++) {
        stir(sign, (uint64_t)l->own[w][index]);
        stir(sign, l->spans[w][index]);
    }
    stir(sign, (uint64_t)kernel->n_reads << 32 | (uint64_t)kernel->n_writes);
    for (int k = 0; k < n_touched(kernel); k++) {
        nw_tensor_id t = touched(kernel, k);
        bool is_crossing = l->mark[t] == SEVERAL;
        bool has_bit = !crosses(l, t) || l->bit[t] >= 0 || l->cells->is_recording;
        stir(sign, (uint64_t)l->name[t] << 3 | (uint64_t)is_crossing << 2 |
                       (uint64_t)!has_bit << 1 | (!has_bit && l->spilled[t]));
        stir(sign, (uint64_t)nw_shape_elements(&l->graph->tensors[t].shape));
    }
}

static void stir_cell(const looker *l, int cell, nw_seen *seen)
{
    for (int i = l->first_kernel[cell]; i >= 0; i = l->next_kernel[i])
        stir_kernel(l, i, seen->sign);
    for (int w = 0; w < 2; w++)
        for (int i = 0; i < seen->aux.n_made[w]; i++) {
            stir(seen->sign, (uint64_t)seen->made[w][i].slot << 1 | (uint64_t)w);
            stir(seen->sign, (uint64_t)seen->made[w][i].n_bytes);
        }
    for (int s = NW_SUM_MACS; s < NW_SUM_COUNT; s++)
        stir(seen->sign, (uint64_t)seen->entry.sums[s]);
}

/* ---- sums ---- */

static nw_seen *cell_of_node(const looker *l, nw_seen *seen, nw_node_id id)
{
    return &seen[l->cells->cell_of[l->node_mark[id]]];
}

static void add_counts(const looker *l, nw_seen *seen)
{
    uint8_t *marks = nw_zalloc((size_t)l->graph->n_tensors);
    for (nw_node_id id = 0; id < l->graph->n_nodes; id++) {
        nw_counts counts = {0};
        nw_graph_count_node(l->graph, id, marks, &counts);
        int64_t *sums = cell_of_node(l, seen, id)->entry.sums;
        sums[NW_SUM_MACS] += counts.macs;
        sums[NW_SUM_PARAMS] += counts.params;
        sums[NW_SUM_WEIGHT_BYTES] += counts.weight_bytes;
    }
    free(marks);
}

static void add_parts(int64_t *sums, const nw_score_parts *parts, int sign)
{
    sums[NW_SUM_UNFUSED_MACS] += sign * parts->unfused_macs;
    sums[NW_SUM_UNFUSED_PARAMS] += sign * parts->unfused_params;
    sums[NW_SUM_H] += sign * parts->h_nano;
    sums[NW_SUM_UNFUSED_H] += sign * parts->unfused_h_nano;
}

/* What the parts have that is no block's goes to the rest. */
static void add_scores(const looker *l, const nw_arch *arch, nw_seen *seen)
{
    int n_blocks;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    nw_score_parts total, *parts = nw_zalloc(((size_t)n_blocks + 1) * sizeof *parts);
    nw_score_find_parts(arch, &total, parts);
    int64_t *rest = seen[l->cells->cell_of[l->cells->n_marks - 1]].entry.sums;
    add_parts(rest, &total, 1);
    for (int i = 0; i < n_blocks; i++) {
        nw_node_id last = blocks[i].nodes[blocks[i].n_nodes - 1];
        add_parts(cell_of_node(l, seen, last)->entry.sums, &parts[i], 1);
        add_parts(rest, &parts[i], -1);
    }
    free(parts);
}

/* ---- together ---- */

static void *room(char **at, size_t n, size_t size)
{
    char *start = *at;
    *at += (n * size + 15) / 16 * 16;
    return start;
}

static char *looker_init(looker *l)
{
    size_t n_nodes = (size_t)l->graph->n_nodes, n_tensors = (size_t)l->graph->n_tensors;
    size_t n_kernels = (size_t)l->kernels->n_kernels, n_marks = (size_t)l->cells->n_marks + 1;
    char *memory = nw_zalloc(n_nodes * 4 + n_kernels * 44 + n_marks * 8 + n_tensors * 26 + 512),
         *at = memory;
    l->node_mark = room(&at, n_nodes, sizeof(int));
    l->kernel_mark = room(&at, n_kernels, sizeof(int));
    l->kernel_cell = room(&at, n_kernels, sizeof(int));
    l->next_kernel = room(&at, n_kernels, sizeof(int));
    l->first_kernel = room(&at, n_marks, sizeof(int));
    l->follower = room(&at, n_marks, sizeof(int));
    l->writer = room(&at, n_tensors, sizeof(int));
    l->mark = room(&at, n_tensors, sizeof(int));
    l->cell = room(&at, n_tensors, sizeof(int));
    l->name = room(&at, n_tensors, sizeof(int));
    l->mask = room(&at, n_tensors, sizeof(uint64_t));
    l->bit = room(&at, n_tensors, 1);
    l->spilled = room(&at, n_tensors, 1);
    for (int w = 0; w < 2; w++) {
        l->own[w] = room(&at, n_kernels, sizeof(int64_t));
        l->spans[w] = room(&at, n_kernels, sizeof(uint64_t));
    }
    return memory;
}

void nw_sight_fini(nw_sight *sight)
{
    free(sight->cells);
    free(sight->rises);
    free(sight->kernel_cell);
    *sight = (nw_sight){0};
}

static void clear(nw_sight *sight, const nw_cells *cells, const nw_kernels *kernels)
{
    size_t n_kernels = (size_t)kernels->n_kernels + 1;
    if (sight->kernel_capacity < n_kernels) {
        sight->rises = nw_realloc(sight->rises, n_kernels * sizeof *sight->rises);
        sight->kernel_cell = nw_realloc(sight->kernel_cell, n_kernels * sizeof(int));
        sight->kernel_capacity = n_kernels;
    }
    if (!sight->cells)
        sight->cells = nw_alloc((size_t)cells->n_cells * sizeof *sight->cells);
    memset(sight->cells, 0, (size_t)cells->n_cells * sizeof *sight->cells);
    sight->n_rises = 0;
}

bool nw_look(nw_cells *cells, const nw_arch *arch, const nw_hw *hw, const nw_kernels *kernels,
             nw_sight *sight)
{
    looker l = {
        .cells = cells, .graph = nw_arch_graph(arch), .hw = hw, .kernels = kernels, .sight = sight};
    char *memory = looker_init(&l);
    clear(sight, cells, kernels);
    find_node_marks(&l);
    find_kernel_marks(&l);
    find_touchers(&l);
    name_maps(&l);
    find_spilled(&l);
    if (cells->is_recording)
        record_spilled(&l);
    find_spans(&l, 0, sight->cells);
    find_spans(&l, 1, sight->cells);
    add_counts(&l, sight->cells);
    add_scores(&l, arch, sight->cells);
    for (int c = 0; c < cells->n_cells; c++) {
        look_at_placement(&l, c, &sight->cells[c]);
        stir_cell(&l, c, &sight->cells[c]);
    }
    memcpy(sight->kernel_cell, l.kernel_cell, (size_t)kernels->n_kernels * sizeof(int));
    free(memory);
    return !l.is_crowded;
}
