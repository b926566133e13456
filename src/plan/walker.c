/* walker.c - one gene at a time: what it does not touch is not looked at.
 *
 * Kept are the entries of all cells and the sums of the rows in use. While no map spills, only
 * cells of the gene change; else every row is looked at. The peak is looked for again when the cell
 * that had it has a lower one, and only when somebody asks.
 */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/plan/internal.h"

typedef struct place {
    const nw_entry *entry;
    uint64_t key[NW_KEY_WORDS];
} place;

struct nw_walker {
    nw_plan *plan;
    uint16_t *genome;
    place *places; /* a table each */
    place *next;   /* those of the tables of one gene */
    const nw_entry **entries;
    uint64_t *patterns;
    int64_t sums[NW_SUM_COUNT], made;
    int64_t peak, spanned; /* of all entries; at most, unless is_peak_known */
    int n_odd;             /* entries that make maps spill, or whose sums hold where some do */
    bool is_peak_known, is_finished;
    bool is_full; /* the plan was caught: totals hold what the full path says */
    nw_whole whole;
    nw_totals totals;
};

static bool is_odd(const nw_entry *e)
{
    return e->over || e->touch & NW_ODD_BIT;
}

/* Nothing spills, so the sums of all entries hold. */
static bool is_plain(const nw_walker *w)
{
    return !w->n_odd && (!w->spanned || w->spanned + w->made <= w->plan->hw->sram.bytes);
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

/* The rows in use, all anew. False: one is missing. */
static bool pick_rows(nw_walker *w)
{
    const nw_plan *plan = w->plan;
    int64_t sums[NW_SUM_COUNT] = {0};
    settle(w);
    w->made = 0;
    for (int t = 0; t < plan->cells.n_cells; t++) {
        const int64_t *row = nw_lookup_sums(&plan->tables[t], w->entries[t], w->places[t].key,
                                            w->whole.spilled, w->patterns[t]);
        if (!row)
            return false;
        for (int s = 0; s < NW_SUM_COUNT; s++)
            sums[s] += row[s];
        w->made += w->entries[t]->made;
    }
    memcpy(w->sums, sums, sizeof sums);
    find_peak(w);
    w->is_finished = false;
    return true;
}

/* Everything anew. False: something is missing. */
static bool settle_all(nw_walker *w)
{
    const nw_plan *plan = w->plan;
    w->n_odd = 0;
    for (int t = 0; t < plan->n_tables; t++) {
        place *p = &w->places[t];
        nw_lookup_key(&plan->tables[t], w->genome, p->key);
        p->entry = nw_lookup_at(&plan->tables[t], p->key);
        if (!p->entry || nw_entry_aux(p->entry)->is_bad)
            return false;
        w->n_odd += t < plan->cells.n_cells && is_odd(p->entry);
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
    free(walker->next);
    free(walker->entries);
    free(walker->patterns);
    free(walker);
}

/* Where the tables of a gene come to stand. False: an entry is missing. */
static bool find_next(nw_walker *w, int dim, int step, int *n_odd)
{
    const nw_plan *plan = w->plan;
    int first = plan->steps_of[dim], n = plan->steps_of[dim + 1] - first;
    for (int i = 0; i < n; i++) {
        const nw_step_of *s = &plan->steps[first + i];
        const place *from = &w->places[s->table];
        place *to = &w->next[i];
        to->key[0] = from->key[0] + s->strides[0] * (uint64_t)(int64_t)step;
        to->key[1] = from->key[1] + s->strides[1] * (uint64_t)(int64_t)step;
        to->entry = nw_lookup_at(&plan->tables[s->table], to->key);
        if (!to->entry || nw_entry_aux(to->entry)->is_bad)
            return false;
        *n_odd += is_odd(to->entry) - is_odd(from->entry);
    }
    return true;
}

static void move_entry(nw_walker *w, const nw_entry *from, const nw_entry *to)
{
    for (int s = 0; s < NW_SUM_COUNT; s++)
        w->sums[s] += to->sums[s] - from->sums[s];
    w->made += to->made - from->made;
    bool may_fall = from->peak == w->peak || (from->spanned && from->spanned == w->spanned);
    w->is_peak_known = w->is_peak_known && !may_fall;
    w->peak = to->peak > w->peak ? to->peak : w->peak;
    w->spanned = to->spanned > w->spanned ? to->spanned : w->spanned;
}

/* False: some row is missing. */
static bool move(nw_walker *w, int dim, int n_odd)
{
    const nw_plan *plan = w->plan;
    int first = plan->steps_of[dim], n = plan->steps_of[dim + 1] - first;
    bool was_plain = is_plain(w);
    w->n_odd = n_odd;
    w->is_finished = false;
    for (int i = 0; i < n; i++) {
        place *p = &w->places[plan->steps[first + i].table];
        if (was_plain)
            move_entry(w, p->entry, w->next[i].entry);
        *p = w->next[i];
    }
    if (was_plain && !w->is_peak_known && !is_plain(w))
        find_peak(w);
    return (was_plain && is_plain(w)) || pick_rows(w);
}

nw_status nw_walker_set(nw_walker *w, int dim, int option, nw_error *err)
{
    int before = w->genome[dim], n_odd = w->n_odd;
    w->genome[dim] = (uint16_t)option;
    if (!w->is_full && find_next(w, dim, option - before, &n_odd) && move(w, dim, n_odd))
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
    if (is_plain(w)) {
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
