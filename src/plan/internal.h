/* internal.h - private to src/plan: cells, what is seen of them, tables.
 *
 * Words. A mark is a block's output map, known by the name of its tensor; what is computed on the
 * way to it belongs to it. A cell is one mark or several that depend on the same genes. A map
 * crosses when kernels of several cells read or write it. A kernel overflows when more is live
 * while it runs than the SRAM holds; all maps that it touches spill then (kernel/place.c).
 */
#ifndef NW_PLAN_INTERNAL_H
#define NW_PLAN_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "src/base/arena.h"
#include "src/base/map.h"
#include "src/plan/plan.h"

/* What adds up over cells. */
typedef enum nw_sum {
    NW_SUM_LATENCY,
    NW_SUM_ENERGY,
    NW_SUM_MACS,
    NW_SUM_PARAMS,
    NW_SUM_WEIGHT_BYTES,
    NW_SUM_UNFUSED_MACS,
    NW_SUM_UNFUSED_PARAMS,
    NW_SUM_H,
    NW_SUM_UNFUSED_H,
    NW_SUM_COUNT
} nw_sum;

/* ---- cutting (cells.c) ---- */

#define NW_CROSSING_BITS 63 /* of a mask */
#define NW_MAX_ORDINALS  16 /* crossing maps that one mark makes and that get a bit */
#define NW_MAX_SLOTS     64 /* of storages that span cells */
#define NW_MAX_JOINS     64 /* sets of crossing maps that views of one cell tie together */

/* A crossing map is known by the mark that makes it and its number among those, 0 the mark's own
 * map; the network's inputs are made by the mark behind the last. It gets a bit when it is first
 * seen, as long as there are any; whether one without a bit spills is part of what its cells
 * depend on.
 *
 * A storage (of one or several maps, graph.h) spans a kernel when it lives then and no kernel of
 * the same mark touches it, such as a map that waits for a head. Its bytes are known to the cell
 * that makes it and counted on top of what the spanned cells know of themselves. It is known by the
 * mark that makes it and a number, and has a slot if it was seen to span while recording; what has
 * none is part of what the spanned cells depend on. */
typedef struct nw_cells {
    const nw_arch *base; /* borrowed */
    const nw_block *blocks;
    int n_marks; /* blocks, and one for the rest of the network */
    nw_map mark_of_name;
    int *before;  /* per mark: the mark of the map that it reads; -1: none */
    int *cell_of; /* per mark */
    int n_cells;
    bool is_recording;  /* no bits are given, but what spills is noted */
    atomic_schar *bits; /* per crossing map: -1 none yet, -2 none ever */
    uint8_t *is_seen;   /* while recording, per crossing map: 2 spills */
    int8_t *slots[2];   /* by layout, per storage: -1 none; recording: 1 spans */
    atomic_int n_bits;
    pthread_mutex_t lock; /* of giving bits */
} nw_cells;

void nw_cells_init(nw_cells *cells, const nw_space *space); /* a cell a mark; recording */
void nw_cells_fini(nw_cells *cells);
void nw_cells_give_bits(nw_cells *cells);        /* ends recording: first to what spills */
int nw_cells_bit(nw_cells *cells, int crossing); /* -1: none */

/* ---- seeing (look.c) ---- */

/* A kernel whose live bytes are not the cell's alone to know, or differ between the layouts of the
 * memory. */
typedef struct nw_rise {
    int64_t own[2];    /* live bytes without what spans, by layout */
    uint64_t spans[2]; /* slots of what does */
    uint64_t over;     /* crossing maps that spill if it overflows */
} nw_rise;

typedef struct nw_made {
    int slot;
    int64_t n_bytes;
} nw_made;

/* What of a cell few evaluations look at. */
typedef struct nw_aux {
    uint64_t sign;    /* of all that the cell's costs depend on */
    uint64_t pattern; /* with primary: which of the rises overflow where the entry's sums hold */
    int is_bad;       /* in the table of what makes no network */
    int n_unknown, n_joins, n_rises, n_made[2];
    const uint64_t *joins;
    const nw_rise *rises;
    const nw_made *made[2]; /* by layout: storages that span other cells */
} nw_aux;

/* What a cell is: two lines of the processor's cache. The sums hold where, of the crossing maps in
 * touch, those in primary spill. */
typedef struct nw_entry {
    int64_t sums[NW_SUM_COUNT];
    int64_t made;    /* bytes of storages that span other cells, in the layout with more of them */
    int64_t peak;    /* live bytes, of kernels that are no rises */
    int64_t spanned; /* of rises, without what spans */
    uint64_t over;   /* crossing maps that kernels which are no rises make spill */
    uint64_t touch;  /* crossing maps that the sums depend on, and NW_ODD_BIT */
    uint64_t primary;
    _Atomic(const nw_aux *) aux; /* set last: NULL until the entry is filled */
} nw_entry;
_Static_assert(sizeof(nw_entry) == 128, "an entry is two lines");

#define NW_ODD_BIT                                                                                 \
    ((uint64_t)1 << NW_CROSSING_BITS) /* something is unknown, or the sums hold where              \
                                       * maps spill */

static inline const nw_aux *nw_entry_aux(const nw_entry *entry)
{
    return atomic_load_explicit(&entry->aux, memory_order_acquire);
}

/* One cell in one network: an entry and all that hangs on it. */
typedef struct nw_seen {
    nw_entry entry;
    nw_aux aux;
    uint64_t sign[2];
    uint64_t joins[NW_MAX_JOINS];
    nw_made made[2][NW_MAX_SLOTS];
} nw_seen;

/* All cells in one network. */
typedef struct nw_sight {
    nw_seen *cells;
    nw_rise *rises;   /* of all cells */
    int *kernel_cell; /* per kernel */
    size_t n_rises, kernel_capacity;
} nw_sight;

void nw_sight_fini(nw_sight *sight); /* begins as zeroes */

/* Fills *sight, anew every time, but for latency, energy and what is unknown; entries have primary
 * and pattern 0. False: more joins in a cell than there is room for. */
bool nw_look(nw_cells *cells, const nw_arch *arch, const nw_hw *hw, const nw_kernels *kernels,
             nw_sight *sight);

/* ---- a map that is read without locks (keyed.c) ---- */

#define NW_KEY_WORDS 4

/* Nodes begin with their key, are never moved, and live as long as the map. */
typedef struct nw_keyed {
    _Atomic(struct nw_keyed_slots *) slots;
    struct nw_keyed_chunk *chunks;
    size_t n_used, n_bytes, node_bytes; /* a multiple of 64 */
} nw_keyed;

void nw_keyed_init(nw_keyed *map, size_t node_bytes);
void nw_keyed_fini(nw_keyed *map);
const void *nw_keyed_find(const nw_keyed *map, const uint64_t *key); /* NULL: none */
/* Writers hold a lock of the owner's: a cleared node to fill, then to publish; its key is not in
 * the map yet. */
void *nw_keyed_make(nw_keyed *map);
void nw_keyed_publish(nw_keyed *map, void *node);

/* ---- tables (lookup.c) ---- */

/* Sums where other maps spill; keyed by the entry's key, the spilled ones that it touches, and
 * which of its rises overflow. */
typedef struct nw_spilled {
    uint64_t key[NW_KEY_WORDS];
    int64_t sums[NW_SUM_COUNT];
    uint64_t pad[3];
} nw_spilled;
_Static_assert(sizeof(nw_spilled) == 128, "whole lines");

typedef struct nw_keyed_entry {
    uint64_t key[NW_KEY_WORDS], pad[4];
    nw_entry entry;
} nw_keyed_entry;

/* The same beside an array of entries: a plane a combination of the first few crossing maps that
 * were seen to spill, as long as the array. */
typedef struct nw_row {
    int64_t sums[NW_SUM_COUNT];
    atomic_int is_filled;
} nw_row;

enum { NW_PLANE_BITS = 4 };

typedef struct nw_lookup {
    nw_entry *entries; /* an array of n_dense, or none: a map */
    size_t n_dense;
    int n_dims;
    int *dims;
    uint64_t *strides[2]; /* key word w is the sum of stride x option; the second is 0 where the
                           * first alone is exact */
    double n_entries;
    _Atomic(nw_row *) planes[1 << NW_PLANE_BITS];
    _Atomic(uint64_t) plane_masks[NW_PLANE_BITS]; /* a bit each; 0: none yet */
    void *memory;
    nw_keyed map, spilled;
    atomic_llong n_filled;
    size_t n_plane_bytes;
    uint64_t touched; /* by any of its entries */
} nw_lookup;

void nw_lookup_init(nw_lookup *table, const nw_space *space, const uint8_t *depends);
void nw_lookup_fini(nw_lookup *table);
size_t nw_lookup_bytes(const nw_lookup *table);
void nw_lookup_key(const nw_lookup *table, const uint16_t *genome, uint64_t *key);

static inline const nw_entry *nw_lookup_at(const nw_lookup *table, const uint64_t *key)
{
    if (!table->n_dense) {
        const nw_keyed_entry *node = nw_keyed_find(&table->map, key);
        return node ? &node->entry : NULL;
    }
    const nw_entry *entry = &table->entries[key[0]];
    return nw_entry_aux(entry) ? entry : NULL;
}

static inline const nw_entry *nw_lookup_find(const nw_lookup *table, const uint16_t *genome)
{
    uint64_t key[NW_KEY_WORDS] = {0};
    for (int i = 0; i < table->n_dims; i++)
        key[0] += table->strides[0][i] * genome[table->dims[i]];
    if (!table->n_dense)
        for (int i = 0; i < table->n_dims; i++)
            key[1] += table->strides[1][i] * genome[table->dims[i]];
    return nw_lookup_at(table, key);
}

/* The sums of an entry where `spilled` of all crossing maps spill and pattern of its rises
 * overflow; NULL: not there yet. */
const int64_t *nw_lookup_sums(const nw_lookup *table, const nw_entry *entry, const uint64_t *key,
                              uint64_t spilled, uint64_t pattern);

/* Enters what was seen, or compares it with what is there: false: it is something else. Writers
 * hold the plan's lock; aux is from the arena. spilled, pattern: in the network at hand. */
bool nw_lookup_enter(nw_lookup *table, const uint16_t *genome, const nw_seen *seen,
                     uint64_t spilled, uint64_t pattern, nw_arena *arena);
void nw_lookup_enter_bad(nw_lookup *table, const uint16_t *genome, bool is_bad, nw_arena *arena);

/* ---- the plan (plan.c) ---- */

/* A realiser is of one thread: there are as many as threads that ask at a time. */
typedef struct nw_plan_worker {
    nw_realiser *realiser;
    struct nw_plan_worker *next;
} nw_plan_worker;

/* A table of few genes that is an array, in a line of the cache. */
enum { NW_HOT_DIMS = 8 };
#define NW_MAX_QUICK 256 /* cells; networks of more take the full path's time anyway */
typedef struct nw_hot {
    const nw_entry *entries; /* NULL: it is not */
    int32_t n_dims;
    uint16_t dims[NW_HOT_DIMS];
    uint32_t strides[NW_HOT_DIMS];
} nw_hot;

/* What a gene does to the key of a table that depends on it. */
typedef struct nw_step_of {
    int table;
    uint64_t strides[2];
} nw_step_of;

struct nw_plan {
    const nw_space *space;
    const nw_hw *hw;
    const nw_estimator *estimator, *asked; /* asked: the same, with a memory */
    char *precision;                       /* NULL: the file's */
    int n_dims;
    uint32_t *n_options; /* per dim */
    bool has_depths;     /* genes of dropped blocks do not count */
    nw_totals base;
    nw_cells cells;
    nw_lookup *tables; /* a cell each; the last may be that of what makes no network */
    int n_tables;
    bool has_bad_table;
    atomic_bool has_joins; /* an entry has */
    nw_hot *hot;           /* a table each */
    int *steps_of;         /* per dim: where its steps begin */
    nw_step_of *steps;
    bool is_plain_total; /* overhead is added as integers */
    int64_t overhead_ps, overhead_fj;
    int64_t max_peak; /* that fits */
    bool is_hot;      /* all tables are */
    nw_cell *shown;   /* of nw_plan_cells */
    char **shown_names;
    nw_arena arena;       /* of aux */
    pthread_mutex_t lock; /* of the tables' writers, arena, idle, caught */
    nw_plan_worker *idle;
    atomic_llong n_full, n_fills, n_bytes;
    atomic_bool is_exact;
    char caught[256];
};

nw_plan_worker *nw_plan_take_worker(nw_plan *plan);
void nw_plan_give_back(nw_plan *plan, nw_plan_worker *worker);

/* One network by the full path; fill: its cells into the tables, too. */
NW_CHECKED nw_status nw_plan_run(nw_plan *plan, const uint16_t *genome, nw_totals *out,
                                 nw_error *err);
NW_CHECKED nw_status nw_plan_fill(nw_plan *plan, const uint16_t *genome, nw_totals *out,
                                  nw_error *err);

/* What of the whole network follows from its entries. */
typedef struct nw_whole {
    int64_t peak;
    uint64_t spilled; /* crossing maps */
    int n_unknown;
    int layout;
} nw_whole;
/* patterns: room for one an entry: which of its rises overflow. */
void nw_plan_settle(const nw_plan *plan, const nw_entry *const *entries, nw_whole *out,
                    uint64_t *patterns);
static inline void nw_plan_finish(const nw_plan *plan, const int64_t *sums, const nw_whole *whole,
                                  nw_totals *out)
{
    out->latency_ps = sums[NW_SUM_LATENCY];
    out->energy_fj = sums[NW_SUM_ENERGY];
    out->weight_bytes = sums[NW_SUM_WEIGHT_BYTES];
    out->peak_live_bytes = whole->peak;
    out->parts.macs = sums[NW_SUM_MACS];
    out->parts.params = sums[NW_SUM_PARAMS];
    out->parts.unfused_macs = sums[NW_SUM_UNFUSED_MACS];
    out->parts.unfused_params = sums[NW_SUM_UNFUSED_PARAMS];
    out->parts.h_nano = sums[NW_SUM_H];
    out->parts.unfused_h_nano = sums[NW_SUM_UNFUSED_H];
    out->n_unknown = whole->n_unknown;
    out->fits = whole->peak <= plan->max_peak;
    if (plan->is_plain_total) {
        out->latency_ps += plan->overhead_ps;
        out->energy_fj += plan->overhead_fj;
    } else {
        (void)nw_estimate_total(plan->estimator, plan->hw, &out->latency_ps, &out->energy_fj);
    }
}

/* Sums two at a time: what a processor of any kind does at once. */
typedef int64_t nw_pair __attribute__((vector_size(16), aligned(8), may_alias));
_Static_assert(NW_SUM_COUNT == 9, "sums are four pairs and one");

static inline void nw_add_sums(int64_t *sums, const int64_t *more)
{
    nw_pair *to = (nw_pair *)sums;
    const nw_pair *from = (const nw_pair *)more;
    to[0] += from[0];
    to[1] += from[1];
    to[2] += from[2];
    to[3] += from[3];
    sums[8] += more[8];
}

static inline void nw_move_sums(int64_t *sums, const int64_t *less, const int64_t *more)
{
    nw_pair *to = (nw_pair *)sums;
    const nw_pair *a = (const nw_pair *)less, *b = (const nw_pair *)more;
    to[0] += b[0] - a[0];
    to[1] += b[1] - a[1];
    to[2] += b[2] - a[2];
    to[3] += b[3] - a[3];
    sums[8] += more[8] - less[8];
}

/* ---- finding what cells depend on (discover.c) ---- */

/* depends: n_cells + 1 rows of n_dims bytes, the last for whether there is a network at all; the
 * caller frees it. */
NW_CHECKED nw_status nw_plan_discover(nw_plan *plan, const nw_cancel *cancel, uint8_t **depends,
                                      nw_error *err);

#endif
