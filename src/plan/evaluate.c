/* evaluate.c - genomes to totals: by tables, and by the full path where an entry is missing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/plan/internal.h"

#define MAX_BYTES ((int64_t)1 << 30) /* of tables; what comes later is not kept */

/* ---- the whole, of its entries ---- */

/* Views tie maps of several cells together: they spill together. */
static uint64_t spread(uint64_t spilled, const nw_entry *const *entries, int n)
{
    uint64_t before;
    do {
        before = spilled;
        for (int t = 0; t < n; t++) {
            const nw_aux *aux = nw_entry_aux(entries[t]);
            for (int i = 0; i < aux->n_joins; i++)
                if (spilled & aux->joins[i])
                    spilled |= aux->joins[i];
        }
    } while (spilled != before);
    return spilled;
}

/* Live bytes of one layout: what spans is added to what cells know of themselves. */
typedef struct spans {
    int64_t bytes[NW_MAX_SLOTS]; /* per slot */
    int layout;
} spans;

static void find_made(const nw_entry *const *entries, int n, spans *s)
{
    memset(s->bytes, 0, sizeof s->bytes);
    for (int t = 0; t < n; t++) {
        const nw_aux *aux = nw_entry_aux(entries[t]);
        for (int i = 0; i < aux->n_made[s->layout]; i++)
            s->bytes[aux->made[s->layout][i].slot] += aux->made[s->layout][i].n_bytes;
    }
}

static int64_t live_in(const spans *s, const nw_rise *rise)
{
    int64_t live = rise->own[s->layout];
    for (uint64_t left = rise->spans[s->layout]; left; left &= left - 1)
        live += s->bytes[__builtin_ctzll(left)];
    return live;
}

static int64_t find_peak(const nw_entry *const *entries, int n, const spans *s)
{
    int64_t peak = 0;
    for (int t = 0; t < n; t++) {
        const nw_aux *aux = nw_entry_aux(entries[t]);
        peak = entries[t]->peak > peak ? entries[t]->peak : peak;
        for (int i = 0; i < aux->n_rises; i++) {
            int64_t live = live_in(s, &aux->rises[i]);
            peak = live > peak ? live : peak;
        }
    }
    return peak;
}

static uint64_t find_over(const nw_entry *entry, const spans *s, int64_t room, uint64_t *pattern)
{
    const nw_aux *aux = nw_entry_aux(entry);
    uint64_t over = entry->over;
    *pattern = 0;
    for (int i = 0; i < aux->n_rises; i++)
        if (live_in(s, &aux->rises[i]) > room) {
            *pattern ^=
                i < 63 ? (uint64_t)1 << i : (uint64_t)1 << 63 | (uint64_t)i * 0x9e3779b97f4a7c15u;
            over |= aux->rises[i].over;
        }
    return over;
}

void nw_plan_settle(const nw_plan *plan, const nw_entry *const *entries, nw_whole *out,
                    uint64_t *patterns)
{
    int n = plan->cells.n_cells;
    spans by_layout[2] = {{.layout = 0}, {.layout = 1}};
    int64_t peak[2];
    *out = (nw_whole){0};
    for (int w = 0; w < 2; w++) {
        find_made(entries, n, &by_layout[w]);
        peak[w] = find_peak(entries, n, &by_layout[w]);
    }
    out->layout = peak[1] < peak[0]; /* as nw_memory_plan chooses */
    out->peak = peak[out->layout];
    for (int t = 0; t < n; t++) {
        out->spilled |=
            find_over(entries[t], &by_layout[out->layout], plan->hw->sram.bytes, &patterns[t]);
        out->n_unknown += nw_entry_aux(entries[t])->n_unknown;
    }
    if (out->spilled)
        out->spilled = spread(out->spilled, entries, n);
}

/* ---- the full path ---- */

static void catch_it(nw_plan *plan, const char *what, const char *where)
{
    if (!atomic_load(&plan->is_exact))
        return;
    snprintf(plan->caught, sizeof plan->caught, "%s: %s", where, what);
    atomic_store(&plan->is_exact, false);
}

/* One network on its way into the tables. */
typedef struct filling {
    nw_plan *plan;
    const uint16_t *genome;
    nw_kernels *kernels;
    nw_sight sight;
    const nw_entry **entries; /* of sight */
    uint64_t *patterns;
    nw_whole whole;
    uint8_t *is_there; /* per cell: its row is in the table already */
    bool is_fine;
} filling;

/* The row of a cell that is there already gives its latency and energy. */
static void take_what_is_there(filling *f)
{
    const nw_plan *plan = f->plan;
    for (int c = 0; c < plan->cells.n_cells; c++) {
        uint64_t key[NW_KEY_WORDS];
        nw_seen *seen = &f->sight.cells[c];
        nw_lookup_key(&plan->tables[c], f->genome, key);
        const nw_entry *entry = nw_lookup_at(&plan->tables[c], key);
        const int64_t *sums = NULL;
        if (entry && nw_entry_aux(entry)->sign == seen->sign[0])
            sums = nw_lookup_sums(&plan->tables[c], entry, key, f->whole.spilled, f->patterns[c]);
        f->is_there[c] = sums != NULL;
        if (!sums)
            continue;
        seen->entry.sums[NW_SUM_LATENCY] = sums[NW_SUM_LATENCY];
        seen->entry.sums[NW_SUM_ENERGY] = sums[NW_SUM_ENERGY];
        seen->aux.n_unknown = nw_entry_aux(entry)->n_unknown;
    }
}

/* What is not there is estimated. */
static void estimate_rest(filling *f)
{
    const nw_plan *plan = f->plan;
    int n = 0, n_kernels = f->kernels->n_kernels;
    size_t room = (size_t)n_kernels + 1;
    int *cell = nw_alloc(room * sizeof *cell);
    const nw_kernel_shape **shapes = nw_alloc(room * sizeof *shapes);
    nw_device_cost *costs = nw_alloc(room * sizeof *costs);
    nw_kernel_latency *latencies = nw_alloc(room * sizeof *latencies);
    for (int i = 0; i < n_kernels; i++)
        if (!f->is_there[f->sight.kernel_cell[i]]) {
            cell[n] = f->sight.kernel_cell[i];
            shapes[n++] = &f->kernels->kernels[i].shape;
        }
    nw_estimator_cost(plan->estimator, plan->hw, shapes, n, costs, latencies);
    for (int i = 0; i < n; i++) {
        nw_seen *seen = &f->sight.cells[cell[i]];
        int64_t *sums = seen->entry.sums;
        f->is_fine = !__builtin_add_overflow(sums[NW_SUM_LATENCY], costs[i].latency_ps,
                                             &sums[NW_SUM_LATENCY]) &&
                     !__builtin_add_overflow(sums[NW_SUM_ENERGY], costs[i].energy_fj,
                                             &sums[NW_SUM_ENERGY]) &&
                     f->is_fine;
        seen->aux.n_unknown += !costs[i].is_known;
    }
    free(cell);
    free(shapes);
    free(costs);
    free(latencies);
}

/* False: the largest numbers, where sums of the full path stop. */
static bool add_up(filling *f, nw_totals *out)
{
    int n = f->plan->cells.n_cells;
    int64_t sums[NW_SUM_COUNT] = {0};
    f->whole.n_unknown = 0;
    for (int c = 0; c < n; c++) {
        for (int s = 0; s < NW_SUM_COUNT; s++)
            if (llabs(f->sight.cells[c].entry.sums[s]) > INT64_MAX / (n + 1))
                return false;
        nw_add_sums(sums, f->sight.cells[c].entry.sums);
        f->whole.n_unknown += f->sight.cells[c].aux.n_unknown;
    }
    nw_plan_finish(f->plan, sums, &f->whole, out);
    return f->whole.layout == f->kernels->memory.takes_parts &&
           f->whole.peak == f->kernels->memory.peak_live_bytes;
}

static int64_t count_bytes(const nw_plan *plan)
{
    size_t n_bytes = 0;
    for (int t = 0; t < plan->n_tables; t++)
        n_bytes += nw_lookup_bytes(&plan->tables[t]);
    return (int64_t)n_bytes;
}

static void enter(filling *f)
{
    nw_plan *plan = f->plan;
    int n = plan->cells.n_cells;
    for (int c = 0; c < n; c++)
        if (f->sight.cells[c].aux.n_joins)
            atomic_store(&plan->has_joins, true); /* before anybody can see it */
    for (int c = 0; c < n && atomic_load(&plan->is_exact); c++)
        if (!nw_lookup_enter(&plan->tables[c], f->genome, &f->sight.cells[c], f->whole.spilled,
                             f->patterns[c], &plan->arena))
            catch_it(plan, "depends on more than was found", plan->shown_names[c]);
    if (plan->has_bad_table)
        nw_lookup_enter_bad(&plan->tables[plan->n_tables - 1], f->genome, false, &plan->arena);
    atomic_store(&plan->n_bytes, count_bytes(plan));
}

/* Now and then, and at first, everything is estimated, whatever is there. */
static bool is_checked_whole(const nw_plan *plan)
{
    enum { AT_FIRST = 64, EVERY = 64 };
    long long n = atomic_load(&plan->n_fills);
    return n < AT_FIRST || n % EVERY == 0;
}

static void fill(filling *f, const nw_arch *arch, nw_totals *out)
{
    nw_plan *plan = f->plan;
    size_t n = (size_t)plan->cells.n_cells;
    f->is_fine = nw_look(&plan->cells, arch, plan->hw, f->kernels, &f->sight);
    f->entries = nw_alloc(n * sizeof *f->entries);
    f->patterns = nw_alloc(n * sizeof *f->patterns);
    f->is_there = nw_zalloc(n);
    for (size_t c = 0; c < n; c++)
        f->entries[c] = &f->sight.cells[c].entry;
    nw_plan_settle(plan, f->entries, &f->whole, f->patterns);
    if (!is_checked_whole(plan))
        take_what_is_there(f);
    estimate_rest(f);
    f->is_fine = f->is_fine && add_up(f, out);
    free(f->entries);
}

/* *is_fine false: cells do not add up to the network; *out is not set. */
static nw_status fill_and_enter(nw_plan *plan, const uint16_t *genome, const nw_arch *arch,
                                bool *is_fine, nw_totals *out, nw_error *err)
{
    filling f = {.plan = plan, .genome = genome};
    nw_status status =
        nw_kernels_split(nw_arch_graph(arch), plan->hw, plan->precision, &f.kernels, err);
    if (status != NW_OK)
        return status;
    fill(&f, arch, out);
    *is_fine = f.is_fine;
    pthread_mutex_lock(&plan->lock);
    if (!f.is_fine)
        catch_it(plan, "its cells do not add up to the network", nw_space_name(plan->space));
    else if (atomic_load(&plan->n_bytes) < MAX_BYTES)
        enter(&f);
    pthread_mutex_unlock(&plan->lock);
    atomic_fetch_add(&plan->n_fills, 1);
    free(f.patterns);
    free(f.is_there);
    nw_sight_fini(&f.sight);
    nw_kernels_free(f.kernels);
    return NW_OK;
}

static nw_status run(nw_plan *plan, const uint16_t *genome, bool enters, nw_totals *out,
                     nw_error *err)
{
    const nw_arch *arch;
    nw_plan_worker *worker = nw_plan_take_worker(plan);
    nw_status status = nw_realiser_make(worker->realiser, genome, &arch, err);
    if (status == NW_OK) {
        bool is_filled = false;
        if (enters)
            status = fill_and_enter(plan, genome, arch, &is_filled, out, err);
        if (status == NW_OK && !is_filled)
            status = nw_totals_of(arch, plan->hw, plan->estimator, plan->precision, out, err);
        nw_arch_release(arch);
    }
    atomic_fetch_add(&plan->n_full, 1);
    nw_plan_give_back(plan, worker);
    if (status != NW_OK && enters && plan->has_bad_table) {
        pthread_mutex_lock(&plan->lock);
        nw_lookup_enter_bad(&plan->tables[plan->n_tables - 1], genome, true, &plan->arena);
        pthread_mutex_unlock(&plan->lock);
    }
    return status;
}

nw_status nw_plan_run(nw_plan *plan, const uint16_t *genome, nw_totals *out, nw_error *err)
{
    return run(plan, genome, false, out, err);
}

nw_status nw_plan_fill(nw_plan *plan, const uint16_t *genome, nw_totals *out, nw_error *err)
{
    return run(plan, genome, atomic_load(&plan->is_exact), out, err);
}

/* ---- by tables ---- */

_Static_assert(offsetof(nw_entry, made) == NW_SUM_COUNT * sizeof(int64_t),
               "what an entry makes follows its sums");

static inline const nw_entry *hot_entry(const nw_hot *hot, const uint16_t *genome)
{
    uint32_t at = 0;
    for (int i = 0; i < hot->n_dims; i++)
        at += hot->strides[i] * genome[hot->dims[i]];
    return &hot->entries[at];
}

/* False: something is missing. */
static bool find_entries(const nw_plan *plan, const uint16_t *genome, const nw_entry **entries)
{
    for (int t = 0; t < plan->cells.n_cells; t++) {
        const nw_hot *hot = &plan->hot[t];
        if (hot->entries) {
            entries[t] = hot_entry(hot, genome);
        } else {
            entries[t] = nw_lookup_find(&plan->tables[t], genome);
            if (!entries[t])
                return false;
        }
    }
    return true;
}

/* Some map spills: rows are picked. */
static bool pick_rows(const nw_plan *plan, const uint16_t *genome, const nw_entry *const *entries,
                      const nw_whole *whole, const uint64_t *patterns, nw_totals *out)
{
    int64_t sums[NW_SUM_COUNT] = {0};
    for (int t = 0; t < plan->cells.n_cells; t++) {
        const nw_entry *e = entries[t];
        uint64_t key[NW_KEY_WORDS] = {0};
        const int64_t *row = e->sums;
        bool is_usual = !(e->touch & NW_ODD_BIT) && !(patterns && patterns[t]);
        if (!is_usual || (e->touch & whole->spilled) != e->primary) {
            if (plan->hot[t].entries)
                key[0] = (uint64_t)(e - plan->hot[t].entries);
            else
                nw_lookup_key(&plan->tables[t], genome, key);
            row = nw_lookup_sums(&plan->tables[t], e, key, whole->spilled,
                                 patterns ? patterns[t] : 0);
        }
        if (!row)
            return false;
        nw_add_sums(sums, row);
    }
    nw_plan_finish(plan, sums, whole, out);
    return true;
}

/* Rises may overflow or have the peak, something is unknown, views tie maps together. */
static bool settle_and_pick(const nw_plan *plan, const uint16_t *genome,
                            const nw_entry *const *entries, nw_totals *out)
{
    uint64_t patterns[NW_MAX_QUICK];
    nw_whole whole;
    nw_plan_settle(plan, entries, &whole, patterns);
    return pick_rows(plan, genome, entries, &whole, patterns, out);
}

/* The row of an entry where other maps spill than those of its own sums. */
static const int64_t *other_row(const nw_plan *plan, const uint16_t *genome, int table,
                                const nw_entry *entry, uint64_t spilled)
{
    uint64_t key[NW_KEY_WORDS] = {0};
    if (plan->hot[table].entries)
        key[0] = (uint64_t)(entry - plan->hot[table].entries);
    else
        nw_lookup_key(&plan->tables[table], genome, key);
    return nw_lookup_sums(&plan->tables[table], entry, key, spilled, 0);
}

/* Rows follow from what spills alone. */
static bool pick_plain_rows(const nw_plan *plan, const uint16_t *genome,
                            const nw_entry *const *entries, const nw_whole *whole, nw_totals *out)
{
    nw_pair a = {0}, b = {0}, c = {0}, d = {0};
    int64_t last = 0;
    for (int t = 0; t < plan->cells.n_cells; t++) {
        const int64_t *row = entries[t]->sums;
        if ((entries[t]->touch & whole->spilled) != entries[t]->primary) {
            row = other_row(plan, genome, t, entries[t], whole->spilled);
            if (!row)
                return false;
        }
        const nw_pair *pairs = (const nw_pair *)row;
        a += pairs[0];
        b += pairs[1];
        c += pairs[2];
        d += pairs[3];
        last += row[8];
    }
    int64_t sums[NW_SUM_COUNT] = {a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1], last};
    nw_plan_finish(plan, sums, whole, out);
    return true;
}

static bool is_good(const nw_plan *plan, const uint16_t *genome, bool *is_bad)
{
    const nw_entry *e = nw_lookup_find(&plan->tables[plan->n_tables - 1], genome);
    *is_bad = e && nw_entry_aux(e)->is_bad;
    return e && !*is_bad;
}

/* False: something is missing. is_bad: the combination makes no network.
 *
 * Where a kernel that nothing spans has the peak whatever spans the others, and nothing overflows,
 * the sums are all there is. */
static bool look_up(const nw_plan *plan, const uint16_t *genome, nw_totals *out, bool *is_bad)
{
    const nw_entry *entries[NW_MAX_QUICK];
    uint64_t over = 0, odd = 0;
    int64_t spanned = 0, made = 0;
    nw_whole whole = {0};
    int n = plan->cells.n_cells;
    bool is_hot = plan->is_hot;
    *is_bad = false;
    if (!is_hot && (n > NW_MAX_QUICK || (plan->has_bad_table && !is_good(plan, genome, is_bad)) ||
                    !find_entries(plan, genome, entries)))
        return false;
    for (int t = 0; t < n; t++) {
        const nw_entry *e = entries[t] = is_hot ? hot_entry(&plan->hot[t], genome) : entries[t];
        if (!nw_entry_aux(e))
            return false;
        over |= e->over;
        odd |= e->touch;
        made += e->made;
        spanned = e->spanned > spanned ? e->spanned : spanned;
        whole.peak = e->peak > whole.peak ? e->peak : whole.peak;
    }
    int64_t risen = spanned ? spanned + made : 0;
    if ((odd & NW_ODD_BIT) || risen > whole.peak || risen > plan->hw->sram.bytes ||
        (over && atomic_load_explicit(&plan->has_joins, memory_order_relaxed)))
        return settle_and_pick(plan, genome, entries, out);
    whole.spilled = over;
    return pick_plain_rows(plan, genome, entries, &whole, out);
}

nw_status nw_plan_evaluate(nw_plan *plan, const uint16_t *genome, nw_totals *out, nw_error *err)
{
    bool is_bad;
    if (atomic_load_explicit(&plan->is_exact, memory_order_acquire) &&
        look_up(plan, genome, out, &is_bad))
        return NW_OK;
    nw_totals totals;
    nw_status status = nw_plan_fill(plan, genome, &totals, err);
    if (status == NW_OK)
        *out = totals;
    return status;
}

int64_t nw_plan_evaluate_many(nw_plan *plan, const uint16_t *genomes, int64_t n, nw_totals *out,
                              uint8_t *is_bad, const nw_cancel *cancel)
{
    int64_t n_good = 0;
    for (int64_t i = 0; i < n; i++) {
        const uint16_t *genome = genomes + i * plan->n_dims;
        bool has_failed = false;
        bool is_done = atomic_load_explicit(&plan->is_exact, memory_order_acquire) &&
                       look_up(plan, genome, &out[i], &has_failed);
        if (!is_done && !has_failed)
            is_done =
                !nw_cancel_is_set(cancel) && nw_plan_fill(plan, genome, &out[i], NULL) == NW_OK;
        if (!is_done)
            out[i] = (nw_totals){0};
        if (is_bad)
            is_bad[i] = !is_done;
        n_good += is_done;
    }
    return n_good;
}

/* ---- sampling ---- */

/* A number of a mixed counter (Wang Yi's wyrand). */
static inline uint64_t mix(uint64_t x)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)x * (x ^ 0xe7037ed1a0b428dbu);
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static void draw(const nw_plan *plan, uint64_t seed, uint16_t *genome)
{
    int n = plan->n_dims;
    for (int d = 0; d + 1 < n; d += 2) {
        uint64_t x = mix(seed += 0xa0761d6478bd642fu);
        genome[d] = (uint16_t)((x >> 32) * plan->n_options[d] >> 32);
        genome[d + 1] = (uint16_t)((x & 0xffffffffu) * plan->n_options[d + 1] >> 32);
    }
    if (n & 1)
        genome[n - 1] =
            (uint16_t)((mix(seed + 0xa0761d6478bd642fu) >> 32) * plan->n_options[n - 1] >> 32);
    if (plan->has_depths)
        nw_space_canonical(plan->space, genome);
}

int64_t nw_plan_sample(nw_plan *plan, nw_rng *rng, int64_t n, uint16_t *genomes, nw_totals *out,
                       uint8_t *is_bad, const nw_cancel *cancel)
{
    enum { BATCH = 64 };
    int64_t n_good = 0;
    for (int64_t done = 0; done < n; done += BATCH) {
        int64_t n_here = n - done < BATCH ? n - done : BATCH;
        uint16_t *first = genomes + done * plan->n_dims;
        for (int64_t i = 0; i < n_here; i++)
            draw(plan, nw_rng_next(rng), first + i * plan->n_dims);
        n_good += nw_plan_evaluate_many(plan, first, n_here, out + done,
                                        is_bad ? is_bad + done : NULL, cancel);
    }
    return n_good;
}
