/* walker.c - one gene at a time: what it does not touch is not looked at.
 *
 * Kept are the entries of all cells and their rows in use. A gene changes those of the cells that
 * depend on it, and, where the maps that spill change, the rows of cells that touch these. The peak
 * is looked for again when the cell that had it has a lower one, and only when somebody asks.
 * Rises, what is unknown and maps that views tie together make everything be looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/plan/internal.h"

typedef struct place {
    const nw_entry *entry;
    const int64_t *row; /* in use; of no meaning while the walker is not simple */
    uint64_t key[2];
} place;

struct nw_walker {
    nw_plan *plan;
    uint16_t *genome;
    place *places;  /* a table each */
    uint64_t *over; /* of their entries */
    place *next;    /* those of the tables of one gene */
    const nw_entry **entries;
    uint64_t *patterns;
    int64_t sums[NW_SUM_COUNT], made;
    int64_t peak, spanned; /* of all entries; at most, unless is_peak_known */
    uint64_t spilled;
    int n_odd; /* entries with NW_ODD_BIT */
    bool is_peak_known, is_finished;
    bool is_simple; /* as above: rows follow from spilled alone */
    bool is_full;   /* the plan was caught: totals hold what the full path says */
    nw_whole whole;
    nw_totals totals;
};

static bool is_odd(const nw_entry *e)
{
    return e->touch & NW_ODD_BIT;
}

static const int64_t *find_row(const nw_walker *w, int table, const place *p, uint64_t spilled,
                               uint64_t pattern)
{
    uint64_t key[NW_KEY_WORDS] = {p->key[0], p->key[1], 0, 0};
    return nw_lookup_sums(&w->plan->tables[table], p->entry, key, spilled, pattern);
}

/* Whether rows follow from what spills alone. spilled: likewise of all entries. */
static bool can_be_simple(const nw_walker *w, int n_odd, uint64_t spilled)
{
    bool rises = w->spanned && w->spanned + w->made > w->plan->hw->sram.bytes;
    return !n_odd && !rises &&
           !(spilled && atomic_load_explicit(&w->plan->has_joins, memory_order_relaxed));
}

static void find_peak(nw_walker *w)
{
    w->peak = w->spanned = 0;
    for (int t = 0; t < w->plan->cells.n_cells; t++) {
        const nw_entry *e = w->places[t].entry;
        w->peak = e->peak > w->peak ? e->peak : w->peak;
        w->spanned = e->spanned > w->spanned ? e->spanned : w->spanned;
    }
    w->is_peak_known = true;
}

static void settle(nw_walker *w)
{
    for (int t = 0; t < w->plan->cells.n_cells; t++)
        w->entries[t] = w->places[t].entry;
    nw_plan_settle(w->plan, w->entries, &w->whole, w->patterns);
}

/* Everything anew from the entries. False: a row is missing. */
static bool pick_rows(nw_walker *w)
{
    const nw_plan *plan = w->plan;
    int64_t sums[NW_SUM_COUNT] = {0};
    settle(w);
    w->made = 0;
    for (int t = 0; t < plan->cells.n_cells; t++) {
        place *p = &w->places[t];
        p->row = find_row(w, t, p, w->whole.spilled, w->patterns[t]);
        if (!p->row)
            return false;
        nw_add_sums(sums, p->row);
        w->made += p->entry->made;
        w->over[t] = p->entry->over;
    }
    memcpy(w->sums, sums, sizeof sums);
    find_peak(w);
    w->spilled = w->whole.spilled;
    w->is_simple = can_be_simple(w, w->n_odd, w->spilled);
    w->is_finished = false;
    return true;
}

/* Everything anew from the genome. False: something is missing. */
static bool settle_all(nw_walker *w)
{
    const nw_plan *plan = w->plan;
    w->n_odd = 0;
    for (int t = 0; t < plan->n_tables; t++) {
        place *p = &w->places[t];
        uint64_t key[NW_KEY_WORDS];
        nw_lookup_key(&plan->tables[t], w->genome, key);
        memcpy(p->key, key, sizeof p->key);
        p->entry = nw_lookup_at(&plan->tables[t], key);
        if (!p->entry || nw_entry_aux(p->entry)->is_bad)
            return false;
        p->row = p->entry->sums; /* stays, of what makes no network */
        w->n_odd += is_odd(p->entry);
    }
    return pick_rows(w);
}

/* By the full path, which fills what is missing. */
static nw_status settle_by_full(nw_walker *w, nw_error *err)
{
    nw_totals totals;
    nw_status status = nw_plan_fill(w->plan, w->genome, &totals, err);
    if (status != NW_OK)
        return status;
    w->is_full = !atomic_load(&w->plan->is_exact) || !settle_all(w);
    if (w->is_full) {
        w->totals = totals;
        w->is_finished = true;
        w->is_simple = false;
    }
    return NW_OK;
}

nw_status nw_walker_new(nw_plan *plan, const uint16_t *genome, nw_walker **out, nw_error *err)
{
    nw_walker *w = nw_zalloc(sizeof *w);
    size_t n = (size_t)plan->n_tables + 1, n_bytes = (size_t)plan->n_dims * sizeof *genome;
    w->plan = plan;
    w->genome = nw_alloc(n_bytes + 1);
    memcpy(w->genome, genome, n_bytes);
    w->places = nw_zalloc(n * sizeof *w->places);
    w->over = nw_zalloc(n * sizeof *w->over);
    w->next = nw_zalloc(n * sizeof *w->next);
    w->entries = nw_zalloc(n * sizeof *w->entries);
    w->patterns = nw_zalloc(n * sizeof *w->patterns);
    nw_status status = NW_OK;
    if (!atomic_load(&plan->is_exact) || !settle_all(w))
        status = settle_by_full(w, err);
    if (status == NW_OK)
        *out = w;
    else
        nw_walker_free(w);
    return status;
}

void nw_walker_free(nw_walker *walker)
{
    if (!walker)
        return;
    free(walker->genome);
    free(walker->places);
    free(walker->over);
    free(walker->next);
    free(walker->entries);
    free(walker->patterns);
    free(walker);
}

/* What the tables of a gene change in the whole. */
typedef struct change {
    int n_odd;
    uint64_t over; /* bits that come or go */
} change;

/* Where the tables of a gene come to stand. False: an entry is missing. */
static bool find_next(nw_walker *w, const nw_step_of *steps, int n, int64_t by, change *out)
{
    const nw_plan *plan = w->plan;
    *out = (change){0};
    for (int i = 0; i < n; i++) {
        int t = steps[i].table;
        const place *from = &w->places[t];
        place *to = &w->next[i];
        const nw_entry *e;
        to->key[0] = from->key[0] + steps[i].strides[0] * (uint64_t)by;
        to->key[1] = from->key[1] + steps[i].strides[1] * (uint64_t)by;
        if (plan->hot[t].entries) {
            e = &plan->hot[t].entries[to->key[0]];
        } else {
            uint64_t key[NW_KEY_WORDS] = {to->key[0], to->key[1], 0, 0};
            e = nw_lookup_at(&plan->tables[t], key);
        }
        const nw_aux *aux = e ? nw_entry_aux(e) : NULL;
        if (!aux || (t >= plan->cells.n_cells && aux->is_bad))
            return false;
        to->entry = e;
        out->n_odd += is_odd(e) - is_odd(from->entry);
        out->over |= e->over ^ from->entry->over;
    }
    return true;
}

static void move_row(nw_walker *w, place *p, const int64_t *row)
{
    nw_move_sums(w->sums, p->row, row);
    p->row = row;
}

static void move_bytes(nw_walker *w, const nw_entry *from, const nw_entry *to)
{
    w->made += to->made - from->made;
    bool may_fall = from->peak == w->peak || (from->spanned && from->spanned == w->spanned);
    w->is_peak_known = w->is_peak_known && !may_fall;
    w->peak = to->peak > w->peak ? to->peak : w->peak;
    w->spanned = to->spanned > w->spanned ? to->spanned : w->spanned;
}

/* Other cells that touch maps that spill now and did not, or the other way round. */
static bool move_neighbours(nw_walker *w, uint64_t spilled)
{
    uint64_t changed = spilled ^ w->spilled;
    for (int t = 0; changed && t < w->plan->cells.n_cells; t++) {
        if (!(w->places[t].entry->touch & changed))
            continue;
        const int64_t *row = find_row(w, t, &w->places[t], spilled, 0);
        if (!row)
            return false;
        move_row(w, &w->places[t], row);
    }
    w->spilled = spilled;
    return true;
}

static uint64_t all_over(const nw_walker *w)
{
    uint64_t over = 0;
    for (int t = 0; t < w->plan->cells.n_cells; t++)
        over |= w->over[t];
    return over;
}

/* False: everything must be looked at; sums are void then. */
static bool move_simply(nw_walker *w, const nw_step_of *steps, int n, const change *c)
{
    uint64_t spilled = c->over ? all_over(w) : w->spilled;
    if (!can_be_simple(w, w->n_odd, spilled))
        return false;
    for (int i = 0; i < n; i++) {
        place *p = &w->places[steps[i].table];
        const int64_t *row = p->entry->sums;
        if ((p->entry->touch & spilled) != p->entry->primary)
            row = find_row(w, steps[i].table, p, spilled, 0);
        if (!row)
            return false;
        move_row(w, p, row);
    }
    return spilled == w->spilled || move_neighbours(w, spilled);
}

/* False: a row is missing. */
static bool move(nw_walker *w, const nw_step_of *steps, int n, const change *c)
{
    w->n_odd += c->n_odd;
    w->is_finished = false;
    for (int i = 0; i < n; i++) {
        int t = steps[i].table;
        place *p = &w->places[t];
        const nw_entry *to = w->next[i].entry;
        move_bytes(w, p->entry, to);
        w->over[t] = to->over;
        p->entry = to;
        p->key[0] = w->next[i].key[0];
        p->key[1] = w->next[i].key[1];
    }
    return (w->is_simple && move_simply(w, steps, n, c)) || pick_rows(w);
}

enum { QUICK_TABLES = 8 };

/* Where the tables of the gene are arrays with entries of the same kind: nothing rises, the same
 * maps spill, rows are the entries' own. False: it is not so, and nothing was done. */
static inline bool move_quickly(nw_walker *w, const nw_step_of *steps, int n, int64_t by)
{
    const nw_entry *to[QUICK_TABLES];
    const nw_hot *hot = w->plan->hot;
    uint64_t spilled = w->spilled, differ = 0;
    if (n > QUICK_TABLES || !w->is_simple || !w->plan->is_hot)
        return false;
    for (int i = 0; i < n; i++) {
        const place *p = &w->places[steps[i].table];
        const nw_entry *from = p->entry;
        const nw_entry *e =
            &hot[steps[i].table].entries[p->key[0] + steps[i].strides[0] * (uint64_t)by];
        if (!nw_entry_aux(e))
            return false;
        differ |= (e->over ^ from->over) | (e->touch & NW_ODD_BIT) |
                  ((e->touch & spilled) ^ e->primary) | (uint64_t)(e->spanned | from->spanned) |
                  (uint64_t)(e->made ^ from->made);
        to[i] = e;
    }
    if (differ)
        return false;
    for (int i = 0; i < n; i++) {
        place *p = &w->places[steps[i].table];
        int64_t peak = to[i]->peak;
        w->is_peak_known = (w->is_peak_known && p->entry->peak != w->peak) || peak >= w->peak;
        w->peak = peak > w->peak ? peak : w->peak;
        move_row(w, p, to[i]->sums);
        p->entry = to[i];
        p->key[0] += steps[i].strides[0] * (uint64_t)by;
    }
    w->is_finished = false;
    return true;
}

nw_status nw_walker_set(nw_walker *w, int dim, int option, nw_error *err)
{
    const nw_plan *plan = w->plan;
    const nw_step_of *steps = plan->steps + plan->steps_of[dim];
    int before = w->genome[dim], n = plan->steps_of[dim + 1] - plan->steps_of[dim];
    change c;
    w->genome[dim] = (uint16_t)option;
    if (!atomic_load_explicit(&plan->is_exact, memory_order_relaxed)) {
        w->is_full = true;
        w->is_simple = false;
    }
    if (move_quickly(w, steps, n, option - before))
        return NW_OK;
    if (!w->is_full && find_next(w, steps, n, option - before, &c) && move(w, steps, n, &c))
        return NW_OK;
    nw_status status = settle_by_full(w, err);
    if (status == NW_OK)
        return NW_OK;
    w->genome[dim] = (uint16_t)before;
    if (!w->is_full)
        (void)settle_all(w); /* as it was: its rows are there */
    return status;
}

const uint16_t *nw_walker_genome(const nw_walker *walker)
{
    return walker->genome;
}

/* Sums first; whose peak it is may take a closer look. */
static void finish(nw_walker *w)
{
    if (w->is_simple) {
        if (!w->is_peak_known)
            find_peak(w);
        w->whole = (nw_whole){.peak = w->peak};
        if (w->spanned && w->spanned + w->made > w->peak)
            settle(w);
    }
    nw_plan_finish(w->plan, w->sums, &w->whole, &w->totals);
    w->is_finished = true;
}

const nw_totals *nw_walker_totals(nw_walker *w)
{
    if (!w->is_finished)
        finish(w);
    return &w->totals;
}
