/* lookup.c - the entries of a cell, by the options of the genes that it depends on.
 */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/rng.h"
#include "src/plan/internal.h"

#define MAX_DENSE 262144.0 /* entries of an array; more are a map */
#define MAX_EXACT 9e18     /* beyond, a key is a hash of 128 bits */

/* Mixed radix where that fits 64 bits. Beyond, both words are linear in the options with fixed odd
 * factors: keys of different options differ but with odds of 2^-128. */
static void find_strides(nw_lookup *table, const nw_dim *dims)
{
    uint64_t stride = 1, seed = 0x706c616e;
    bool is_exact = table->n_entries < MAX_EXACT;
    for (int i = 0; i < table->n_dims; i++) {
        table->strides[0][i] = is_exact ? stride : nw_rng_splitmix(&seed) | 1;
        table->strides[1][i] = is_exact ? 0 : nw_rng_splitmix(&seed) | 1;
        stride *= (uint64_t)dims[table->dims[i]].n_options;
    }
}

void nw_lookup_init(nw_lookup *table, const nw_space *space, const uint8_t *depends)
{
    int n_dims;
    const nw_dim *dims = nw_space_dims(space, &n_dims);
    *table = (nw_lookup){.n_entries = 1};
    table->dims = nw_alloc(((size_t)n_dims + 1) * sizeof *table->dims);
    for (int w = 0; w < 2; w++)
        table->strides[w] = nw_zalloc(((size_t)n_dims + 1) * sizeof *table->strides[w]);
    for (int d = 0; d < n_dims; d++)
        if (depends[d]) {
            table->dims[table->n_dims++] = d;
            table->n_entries *= dims[d].n_options;
        }
    find_strides(table, dims);
    atomic_init(&table->n_filled, 0);
    nw_keyed_init(&table->map, sizeof(nw_keyed_entry));
    nw_keyed_init(&table->spilled, sizeof(nw_spilled));
    if (table->n_entries > MAX_DENSE)
        return;
    table->n_dense = (size_t)table->n_entries;
    table->memory = nw_zalloc((table->n_dense + 1) * sizeof *table->entries);
    table->entries = (nw_entry *)(((uintptr_t)table->memory + 127) / 128 * 128);
}

void nw_lookup_fini(nw_lookup *table)
{
    free(table->dims);
    free(table->strides[0]);
    free(table->strides[1]);
    free(table->memory);
    for (int i = 0; i < 1 << NW_PLANE_BITS; i++)
        free(atomic_load(&table->planes[i]));
    nw_keyed_fini(&table->map);
    nw_keyed_fini(&table->spilled);
}

size_t nw_lookup_bytes(const nw_lookup *table)
{
    return (size_t)atomic_load(&table->n_filled) * (table->n_dense ? sizeof(nw_entry) : 0) +
           table->map.n_bytes + table->spilled.n_bytes + table->n_plane_bytes;
}

void nw_lookup_key(const nw_lookup *table, const uint16_t *genome, uint64_t *key)
{
    memset(key, 0, NW_KEY_WORDS * sizeof *key);
    for (int i = 0; i < table->n_dims; i++) {
        key[0] += table->strides[0][i] * genome[table->dims[i]];
        key[1] += table->strides[1][i] * genome[table->dims[i]];
    }
}

/* Which plane has the rows where `touched` spill; -1: none. */
static int plane_of(const nw_lookup *table, uint64_t touched)
{
    int plane = 0;
    for (int i = 0; i < NW_PLANE_BITS; i++) {
        uint64_t mask = atomic_load_explicit(&table->plane_masks[i], memory_order_relaxed);
        plane |= (int)((touched & mask) != 0) << i;
        touched &= ~mask;
    }
    return touched ? -1 : plane;
}

const int64_t *nw_lookup_sums(const nw_lookup *table, const nw_entry *entry, const uint64_t *key,
                              uint64_t spilled, uint64_t pattern)
{
    uint64_t touched = entry->touch & ~NW_ODD_BIT & spilled;
    if (touched == entry->primary &&
        (!(entry->touch & NW_ODD_BIT) ? !pattern : pattern == nw_entry_aux(entry)->pattern))
        return entry->sums;
    int plane = table->n_dense && !pattern ? plane_of(table, touched) : -1;
    if (plane >= 0) {
        const nw_row *rows = atomic_load_explicit(&table->planes[plane], memory_order_acquire);
        if (rows && atomic_load_explicit(&rows[key[0]].is_filled, memory_order_acquire))
            return rows[key[0]].sums;
    }
    uint64_t wanted[NW_KEY_WORDS] = {key[0], key[1], touched, pattern};
    const nw_spilled *node = nw_keyed_find(&table->spilled, wanted);
    return node ? node->sums : NULL;
}

/* ---- writing ---- */

static void *keep(nw_arena *arena, const void *list, int n, size_t size)
{
    return n ? nw_arena_copy(arena, list, (size_t)n * size) : NULL;
}

static nw_aux *keep_aux(nw_arena *arena, const nw_seen *seen)
{
    nw_aux *aux = nw_arena_copy(arena, &seen->aux, sizeof seen->aux);
    aux->joins = keep(arena, seen->joins, aux->n_joins, sizeof *aux->joins);
    aux->rises = keep(arena, seen->aux.rises, aux->n_rises, sizeof *aux->rises);
    for (int w = 0; w < 2; w++)
        aux->made[w] = keep(arena, seen->made[w], aux->n_made[w], sizeof *aux->made[w]);
    return aux;
}

static nw_entry *room_for(nw_lookup *table, const uint64_t *key, nw_keyed_entry **node)
{
    *node = NULL;
    if (table->n_dense)
        return &table->entries[key[0]];
    *node = nw_keyed_make(&table->map);
    memcpy((*node)->key, key, sizeof(*node)->key);
    return &(*node)->entry;
}

static void publish(nw_lookup *table, nw_entry *entry, const nw_aux *aux, nw_keyed_entry *node)
{
    atomic_store_explicit(&entry->aux, aux, memory_order_release);
    if (node)
        nw_keyed_publish(&table->map, node);
    atomic_fetch_add(&table->n_filled, 1);
}

static bool is_same(const nw_entry *entry, const nw_seen *seen)
{
    const nw_entry *other = &seen->entry;
    const nw_aux *aux = nw_entry_aux(entry);
    return aux->sign == seen->sign[0] && aux->n_unknown == seen->aux.n_unknown &&
           entry->made == other->made && entry->peak == other->peak &&
           entry->spanned == other->spanned && entry->over == other->over &&
           ((entry->touch ^ other->touch) & ~NW_ODD_BIT) == 0;
}

static void enter_new(nw_lookup *table, const uint64_t *key, const nw_seen *seen, uint64_t spilled,
                      uint64_t pattern, nw_arena *arena)
{
    nw_keyed_entry *node;
    nw_entry *entry = room_for(table, key, &node);
    const nw_entry *from = &seen->entry;
    nw_aux *aux = keep_aux(arena, seen);
    memcpy(entry->sums, from->sums, sizeof entry->sums);
    entry->made = from->made;
    entry->peak = from->peak;
    entry->spanned = from->spanned;
    entry->over = from->over;
    entry->primary = from->touch & spilled;
    bool is_odd = pattern || aux->n_unknown;
    entry->touch = from->touch | (is_odd ? NW_ODD_BIT : 0);
    aux->sign = seen->sign[0];
    aux->pattern = pattern;
    publish(table, entry, aux, node);
}

#define MAX_PLANE 16384 /* entries of a table that has planes */

/* False: there is no plane for it. */
static bool enter_in_plane(nw_lookup *table, const uint64_t *key, const int64_t *sums)
{
    uint64_t left = key[2];
    if (!table->n_dense || table->n_dense > MAX_PLANE || key[3])
        return false;
    for (int i = 0; i < NW_PLANE_BITS; i++) {
        uint64_t mask = atomic_load(&table->plane_masks[i]);
        if (!mask && left)
            atomic_store(&table->plane_masks[i], mask = left & -left);
        left &= ~mask;
    }
    int plane = left ? -1 : plane_of(table, key[2]);
    if (plane < 0)
        return false;
    nw_row *rows = atomic_load(&table->planes[plane]);
    if (!rows) {
        rows = nw_zalloc(table->n_dense * sizeof *rows);
        table->n_plane_bytes += table->n_dense * sizeof *rows;
        atomic_store_explicit(&table->planes[plane], rows, memory_order_release);
    }
    memcpy(rows[key[0]].sums, sums, sizeof rows->sums);
    atomic_store_explicit(&rows[key[0]].is_filled, 1, memory_order_release);
    return true;
}

static void enter_in_map(nw_lookup *table, const uint64_t *key, const int64_t *sums)
{
    nw_spilled *node = nw_keyed_make(&table->spilled);
    memcpy(node->key, key, sizeof node->key);
    memcpy(node->sums, sums, sizeof node->sums);
    nw_keyed_publish(&table->spilled, node);
}

bool nw_lookup_enter(nw_lookup *table, const uint16_t *genome, const nw_seen *seen,
                     uint64_t spilled, uint64_t pattern, nw_arena *arena)
{
    uint64_t key[NW_KEY_WORDS];
    nw_lookup_key(table, genome, key);
    table->touched |= seen->entry.touch;
    const nw_entry *there = nw_lookup_at(table, key);
    if (!there) {
        enter_new(table, key, seen, spilled, pattern, arena);
        return true;
    }
    if (!is_same(there, seen))
        return false;
    const int64_t *sums = nw_lookup_sums(table, there, key, spilled, pattern);
    if (sums)
        return memcmp(sums, seen->entry.sums, sizeof seen->entry.sums) == 0;
    key[2] = there->touch & ~NW_ODD_BIT & spilled;
    key[3] = pattern;
    if (!enter_in_plane(table, key, seen->entry.sums))
        enter_in_map(table, key, seen->entry.sums);
    return true;
}

void nw_lookup_enter_bad(nw_lookup *table, const uint16_t *genome, bool is_bad, nw_arena *arena)
{
    uint64_t key[NW_KEY_WORDS];
    nw_keyed_entry *node;
    nw_lookup_key(table, genome, key);
    if (nw_lookup_at(table, key))
        return;
    nw_entry *entry = room_for(table, key, &node);
    nw_aux *aux = nw_arena_alloc(arena, sizeof *aux);
    aux->is_bad = is_bad;
    publish(table, entry, aux, node);
}
