/* compare.c - networks beside each other: which rows belong together and what differs in them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/internal.h"

#define MAX_PAIRS ((size_t)4 << 20) /* of blocks that are weighed against each other */

struct nw_comparison_store {
    nw_arena arena;
};

/* The blocks of one network and their costs, one more than blocks. */
typedef struct side {
    const nw_block *blocks;
    int n_blocks, n_stages;
    nw_block_cost *costs;
    int *by_stage, *first; /* indices of blocks; those of a stage begin at first[stage] */
} side;

/* Blocks that stand in one row: an index a network, -1 where it has none. */
typedef struct line {
    int *block;
} line;

typedef struct line_list {
    line *lines;
    int n;
} line_list;

/* ---- which block stands beside which ---- */

/* How much two blocks have in common; 0: they cannot stand beside each other. */
static int likeness(const nw_block *a, const nw_block *b)
{
    bool is_kind = a->kind == b->kind;
    bool is_map = a->out_h == b->out_h && a->out_w == b->out_w;
    bool is_plain = a->kind == NW_BLOCK_OP || b->kind == NW_BLOCK_OP;
    if (!is_kind && (!is_map || is_plain))
        return 0;
    return 4 * is_kind + 4 * is_map + 2 * (a->out_c == b->out_c) + (a->in_c == b->in_c) +
           (a->kernel == b->kernel) + 2 * (a->stride == b->stride) + (a->stage == b->stage);
}

/* The heaviest common subsequence of lines (through their first network) and blocks. */
static void match_by_shape(const nw_block *const *shown, int n, const nw_block *blocks, int m,
                           int *match)
{
    size_t width = (size_t)m + 1;
    int32_t *best = nw_zalloc(((size_t)n + 1) * width * sizeof *best);
    for (int i = n - 1; i >= 0; i--)
        for (int k = m - 1; k >= 0; k--) {
            int32_t *at = &best[(size_t)i * width + (size_t)k];
            int alike = likeness(shown[i], &blocks[k]);
            int32_t both = alike ? at[width + 1] + alike : 0;
            int32_t skip = at[1] > at[width] ? at[1] : at[width];
            *at = both > skip ? both : skip;
        }
    for (int i = 0, k = 0; i < n && k < m;) {
        const int32_t *at = &best[(size_t)i * width + (size_t)k];
        int alike = likeness(shown[i], &blocks[k]);
        if (alike && *at == at[width + 1] + alike)
            match[k++] = i++;
        else if (*at == at[width])
            i++;
        else
            k++;
    }
    free(best);
}

typedef struct place {
    int stage, index, line;
} place;

static int by_place(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return x->stage != y->stage ? (x->stage > y->stage) - (x->stage < y->stage)
                                : (x->index > y->index) - (x->index < y->index);
}

static void match_by_label(const nw_block *const *shown, int n, const nw_block *blocks, int m,
                           int *match)
{
    place *places = nw_alloc(((size_t)n + 1) * sizeof *places);
    int n_places = 0;
    for (int i = 0; i < n; i++)
        if (shown[i])
            places[n_places++] = (place){shown[i]->stage, shown[i]->index, i};
    qsort(places, (size_t)n_places, sizeof *places, by_place);
    for (int k = 0; k < m; k++) {
        place key = {blocks[k].stage, blocks[k].index, 0};
        const place *found = bsearch(&key, places, (size_t)n_places, sizeof *places, by_place);
        match[k] = found ? found->line : -1;
    }
    free(places);
}

typedef struct made {
    const char *name; /* of the map that a block makes */
    int line;
} made;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const made *)a)->name, ((const made *)b)->name);
}

static const char *output_name(const nw_graph *graph, const nw_block *block)
{
    return block->out == NW_NONE ? "" : graph->tensors[block->out].name;
}

/* An edit keeps the maps between blocks and their names, whatever becomes of stages. */
static void match_by_output(const nw_graph *kin, const nw_block *const *shown, int n,
                            const nw_graph *graph, const nw_block *blocks, int m, int *match)
{
    made *list = nw_alloc(((size_t)n + 1) * sizeof *list);
    int n_made = 0;
    for (int i = 0; i < n; i++)
        if (shown[i])
            list[n_made++] = (made){output_name(kin, shown[i]), i};
    qsort(list, (size_t)n_made, sizeof *list, by_name);
    for (int k = 0; k < m; k++) {
        made key = {output_name(graph, &blocks[k]), 0};
        const made *found =
            *key.name ? bsearch(&key, list, (size_t)n_made, sizeof *list, by_name) : NULL;
        match[k] = found ? found->line : -1;
    }
    free(list);
}

/* Lines with the blocks of one more network: matched ones where they belong, others behind the
 * block before them. */
static line_list add_network(nw_arena *arena, line_list old, int n_networks, int network,
                             const int *match, int m)
{
    line_list list = {nw_arena_alloc(arena, ((size_t)old.n + (size_t)m + 1) * sizeof(line)), 0};
    int *anchor = nw_alloc(((size_t)m + 1) * sizeof *anchor);
    for (int k = 0, last = -1; k < m; k++)
        anchor[k] = match[k] >= 0 ? (last = match[k], -2) : last;
    for (int k = 0; k < m; k++)
        if (match[k] >= 0)
            old.lines[match[k]].block[network] = k;
    int *first = nw_alloc(((size_t)old.n + 1) * sizeof *first); /* by anchor, shifted by one */
    int *next = nw_alloc(((size_t)m + 1) * sizeof *next);
    memset(first, -1, ((size_t)old.n + 1) * sizeof *first);
    for (int k = m - 1; k >= 0; k--)
        if (anchor[k] > -2) {
            next[k] = first[anchor[k] + 1];
            first[anchor[k] + 1] = k;
        }
    for (int i = -1; i < old.n; i++) {
        if (i >= 0)
            list.lines[list.n++] = old.lines[i];
        for (int k = first[i + 1]; k >= 0; k = next[k]) {
            line one = {nw_arena_alloc(arena, (size_t)n_networks * sizeof *one.block)};
            memset(one.block, -1, (size_t)n_networks * sizeof *one.block);
            one.block[network] = k;
            list.lines[list.n++] = one;
        }
    }
    free(anchor);
    free(first);
    free(next);
    return list;
}

/* An earlier network that comes from the same file by edits; -1: none. */
static int find_kin(const nw_comparison *c, int network)
{
    const nw_arch *origin = nw_arch_origin(c->networks[network].arch);
    for (int i = 0; i < network; i++)
        if (nw_arch_origin(c->networks[i].arch) == origin)
            return i;
    return -1;
}

static line_list make_lines(nw_comparison *c, const side *sides)
{
    nw_arena *arena = &c->store->arena;
    line_list list = {NULL, 0};
    for (int network = 0; network < c->n; network++) {
        int m = sides[network].n_blocks, kin = find_kin(c, network);
        int *match = nw_alloc(((size_t)m + 1) * sizeof *match);
        const nw_block **shown = nw_zalloc(((size_t)list.n + 1) * sizeof *shown);
        memset(match, -1, ((size_t)m + 1) * sizeof *match);
        bool is_large = (size_t)list.n * (size_t)m > MAX_PAIRS;
        for (int i = 0; i < list.n; i++)
            for (int k = 0; k < network && !shown[i]; k++)
                if ((kin < 0 || k == kin) && list.lines[i].block[k] >= 0)
                    shown[i] = &sides[k].blocks[list.lines[i].block[k]];
        if (kin >= 0)
            match_by_output(nw_arch_graph(c->networks[kin].arch), shown, list.n,
                            nw_arch_graph(c->networks[network].arch), sides[network].blocks, m,
                            match);
        else if (is_large)
            match_by_label(shown, list.n, sides[network].blocks, m, match);
        else
            match_by_shape(shown, list.n, sides[network].blocks, m, match);
        list = add_network(arena, list, c->n, network, match, m);
        free(shown);
        free(match);
    }
    return list;
}

/* ---- rows ---- */

static void add_cost(nw_block_cost *sum, const nw_block_cost *cost)
{
    double time = (double)sum->latency_ps + (double)cost->latency_ps;
    sum->utilisation = time > 0 ? (sum->utilisation * (double)sum->latency_ps +
                                   cost->utilisation * (double)cost->latency_ps) /
                                      time
                                : 0;
    sum->latency_ps += cost->latency_ps;
    sum->energy_fj += cost->energy_fj;
    sum->macs += cost->macs;
    sum->dram_bytes += cost->dram_bytes;
    sum->sram_bytes += cost->sram_bytes;
    sum->weight_bytes += cost->weight_bytes;
    sum->host_ps += cost->host_ps;
    sum->n_kernels += cost->n_kernels;
    sum->n_spills += cost->n_spills;
    sum->n_unknown += cost->n_unknown;
    sum->n_outside += cost->n_outside;
    if (cost->live_bytes > sum->live_bytes)
        sum->live_bytes = cost->live_bytes;
}

static const char *keep_text(nw_arena *arena, const char *text)
{
    char *clean = nw_printable(text);
    const char *kept = nw_arena_strdup(arena, clean);
    free(clean);
    return kept;
}

/* The blocks of a stage in words, those that repeat counted. */
static void write_run(nw_buf *out, const char *text, int n)
{
    if (!n)
        return;
    if (out->length)
        nw_buf_puts(out, ", ");
    if (n > 1)
        nw_buf_printf(out, "%d x ", n);
    nw_buf_puts(out, text);
}

static void fill_stage(nw_comparison *c, const nw_compared *network, const side *s, int stage,
                       nw_compare_cell *cell)
{
    nw_buf text = {0};
    char one[192], last[192] = "";
    int n_alike = 0, slowest = -1;
    for (int at = s->first[stage]; at < s->first[stage + 1]; at++) {
        int i = s->by_stage[at];
        const nw_block_cost *cost = &s->costs[i];
        const nw_device_cost *kernels = network->estimate->costs;
        if (cost->slowest >= 0 &&
            (slowest < 0 || kernels[cost->slowest].latency_ps > kernels[slowest].latency_ps))
            slowest = cost->slowest;
        add_cost(&cell->cost, cost);
        cell->n_blocks++;
        nw_block_text(&s->blocks[i], one, sizeof one);
        if (strcmp(one, last) != 0) {
            write_run(&text, last, n_alike);
            n_alike = 0;
            memcpy(last, one, sizeof last);
        }
        n_alike++;
    }
    write_run(&text, last, n_alike);
    cell->is_there = cell->n_blocks > 0;
    cell->cost.slowest = slowest;
    cell->text = keep_text(&c->store->arena, nw_buf_text(&text));
    nw_buf_fini(&text);
}

static void mark(nw_compare_row *row, int n)
{
    const nw_compare_cell *base = &row->cells[0];
    for (int i = 0; i < n; i++) {
        nw_compare_cell *cell = &row->cells[i];
        bool is_alike = cell->is_there == base->is_there;
        cell->is_known = cell->is_there && !cell->cost.n_unknown;
        cell->has_other_text = !is_alike || strcmp(cell->text, base->text) != 0;
        cell->has_other_time = !is_alike || cell->cost.latency_ps != base->cost.latency_ps ||
                               cell->cost.n_unknown != base->cost.n_unknown;
    }
}

static nw_compare_row *new_row(nw_comparison *c, nw_compare_row *row, const char *label)
{
    snprintf(row->label, sizeof row->label, "%s", label);
    row->cells = nw_arena_alloc(&c->store->arena, (size_t)c->n * sizeof *row->cells);
    for (int i = 0; i < c->n; i++) {
        row->cells[i].block = -1;
        row->cells[i].cost.slowest = -1;
        row->cells[i].text = "";
    }
    return row;
}

static void add_rest(nw_comparison *c, const side *sides, nw_compare_row *row)
{
    new_row(c, row, "rest");
    for (int i = 0; i < c->n; i++) {
        row->cells[i].is_there = true;
        row->cells[i].cost = sides[i].costs[sides[i].n_blocks];
    }
    mark(row, c->n);
}

static void make_stages(nw_comparison *c, const side *sides)
{
    int n = 0;
    for (int i = 0; i < c->n; i++)
        if (sides[i].n_stages > n)
            n = sides[i].n_stages;
    c->stages = nw_arena_alloc(&c->store->arena, ((size_t)n + 1) * sizeof *c->stages);
    for (int stage = 0; stage < n; stage++) {
        char label[24];
        snprintf(label, sizeof label, "%d", stage);
        nw_compare_row *row = new_row(c, &c->stages[c->n_stages++], label);
        for (int i = 0; i < c->n; i++)
            if (stage < sides[i].n_stages)
                fill_stage(c, &c->networks[i], &sides[i], stage, &row->cells[i]);
        mark(row, c->n);
    }
    add_rest(c, sides, &c->stages[c->n_stages++]);
}

static void make_blocks(nw_comparison *c, const side *sides)
{
    line_list list = make_lines(c, sides);
    c->blocks = nw_arena_alloc(&c->store->arena, ((size_t)list.n + 1) * sizeof *c->blocks);
    for (int at = 0; at < list.n; at++) {
        nw_compare_row *row = new_row(c, &c->blocks[c->n_blocks++], "");
        for (int i = 0; i < c->n; i++) {
            int index = list.lines[at].block[i];
            nw_compare_cell *cell = &row->cells[i];
            if (index < 0)
                continue;
            char text[192];
            const nw_block *block = &sides[i].blocks[index];
            if (!*row->label)
                nw_block_label(block, row->label, sizeof row->label);
            cell->is_there = true;
            cell->block = index;
            cell->n_blocks = 1;
            cell->cost = sides[i].costs[index];
            cell->text = keep_text(&c->store->arena, nw_block_text(block, text, sizeof text));
        }
        mark(row, c->n);
    }
    add_rest(c, sides, &c->blocks[c->n_blocks++]);
}

/* ---- totals ---- */

static bool has_cost(const nw_estimate *e)
{
    int n_known = 0;
    for (int i = 0; i < e->kernels->n_kernels; i++)
        n_known +=
            e->costs[i].is_known && e->kernels->kernels[i].shape.parts[0].kind != NW_KERNEL_VIEW;
    return n_known || !e->n_unknown;
}

static void make_totals(nw_comparison *c)
{
    const nw_compared *base = &c->networks[0];
    c->totals = nw_arena_alloc(&c->store->arena, (size_t)c->n * sizeof *c->totals);
    for (int i = 0; i < c->n; i++) {
        const nw_compared *network = &c->networks[i];
        nw_compare_total *total = &c->totals[i];
        int64_t beyond = network->estimate->peak_live_bytes - c->hw->sram.bytes;
        nw_graph_count(nw_arch_graph(network->arch), &total->counts);
        total->effect =
            nw_effect_between(c->hw, base->arch, base->estimate, network->arch, network->estimate);
        total->spill_bytes = beyond > 0 ? beyond : 0;
        total->recognised = nw_arch_recognised(network->arch);
        total->has_cost = has_cost(network->estimate);
    }
}

static void open_side(const nw_hw *hw, const nw_compared *network, nw_arena *arena, side *s)
{
    s->blocks = nw_arch_blocks(network->arch, &s->n_blocks);
    s->n_stages = nw_arch_n_stages(network->arch);
    s->costs = nw_arena_alloc(arena, ((size_t)s->n_blocks + 1) * sizeof *s->costs);
    s->by_stage = nw_arena_alloc(arena, ((size_t)s->n_blocks + 1) * sizeof *s->by_stage);
    s->first = nw_arena_alloc(arena, ((size_t)s->n_stages + 3) * sizeof *s->first);
    nw_block_costs(network->arch, hw, network->estimate, s->costs);
    for (int i = 0; i < s->n_blocks; i++)
        s->first[s->blocks[i].stage + 2]++;
    for (int i = 0; i < s->n_stages; i++)
        s->first[i + 2] += s->first[i + 1];
    for (int i = 0; i < s->n_blocks; i++)
        s->by_stage[s->first[s->blocks[i].stage + 1]++] = i;
}

static nw_status check(const nw_compared *networks, int n, nw_error *err)
{
    if (n < 2)
        return nw_fail(err, NW_INVALID, "compare", "takes 2 networks or more");
    for (int i = 1; i < n; i++) {
        const nw_estimator *a = networks[0].estimate->estimator,
                           *b = networks[i].estimate->estimator;
        if (a == b || (!a->regression && !b->regression))
            continue;
        if (a->regression && a->regression == b->regression)
            continue;
        char name[128], first[128], other[128];
        return nw_fail(err, NW_INVALID, nw_text_visible(networks[i].name, name, sizeof name),
                       "is estimated by %s, the baseline by %s; estimate both by the same",
                       nw_format_estimator(b, other, sizeof other),
                       nw_format_estimator(a, first, sizeof first));
    }
    return NW_OK;
}

nw_status nw_comparison_new(const nw_hw *hw, const nw_compared *networks, int n,
                            nw_comparison **out, nw_error *err)
{
    nw_status status = check(networks, n, err);
    if (status != NW_OK)
        return status;
    struct nw_comparison_store *store = nw_zalloc(sizeof *store);
    nw_comparison *c = nw_arena_alloc(&store->arena, sizeof *c);
    *c = (nw_comparison){.hw = hw, .n = n, .store = store};
    c->networks = nw_arena_copy(&store->arena, networks, (size_t)n * sizeof *networks);
    side *sides = nw_arena_alloc(&store->arena, (size_t)n * sizeof *sides);
    for (int i = 0; i < n; i++)
        open_side(hw, &networks[i], &store->arena, &sides[i]);
    make_totals(c);
    make_stages(c, sides);
    make_blocks(c, sides);
    *out = c;
    return NW_OK;
}

void nw_comparison_free(nw_comparison *comparison)
{
    if (!comparison)
        return;
    struct nw_comparison_store *store = comparison->store;
    nw_arena_fini(&store->arena);
    free(store);
}
