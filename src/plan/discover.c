/* discover.c - what cells depend on, found by looking.
 *
 * Everything that is looked at is kept: a genome and the sign of each cell in it. Genes that a cell
 * depends on must explain all of its signs: where two genomes agree in them and the signs differ, a
 * walk from the one to the other, a gene at a time, finds the gene that is missing. First genes are
 * changed alone in a few contexts, then, for every set of genes found, all others at once.
 */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/rng.h"
#include "src/plan/internal.h"

enum {
    MAX_LOOKS = 8000,
    MAX_FLIPS = 2400, /* looks at genes changed alone */
    TESTS = 8,        /* of a set of genes, a round */
    CLEAN_ROUNDS = 2, /* that find nothing new, at the end */
    MAX_ROUNDS = 12,
    RECORDED = 24, /* random genomes that say which maps spill */
    RETRIES = 8    /* of a walk that passes by what makes no network */
};

typedef struct explorer {
    nw_plan *plan;
    const nw_dim *dims;
    const nw_cancel *cancel;
    nw_plan_worker *worker;
    nw_rng rng;
    int n_dims, n_cells; /* n_cells: without that of what makes no network */
    uint8_t *depends;    /* n_cells + 1 rows */
    uint16_t *genomes;
    uint64_t *signs; /* 2 x (n_cells + 1) each */
    uint8_t *is_bad;
    int n_looks;
    size_t genome_capacity, sign_capacity, bad_capacity;
    int **index;  /* per cell: open addressing, look + 1 */
    int *n_slots; /* a power of two, or 0 */
    int *n_indexed;
    nw_sight sight;
} explorer;

static uint16_t *genome_of(const explorer *x, int look)
{
    return x->genomes + (size_t)look * (size_t)x->n_dims;
}

static const uint64_t *sign_of(const explorer *x, int look, int cell)
{
    return x->signs + ((size_t)look * (size_t)(x->n_cells + 1) + (size_t)cell) * 2;
}

static bool is_same_sign(const explorer *x, int a, int b, int cell)
{
    return memcmp(sign_of(x, a, cell), sign_of(x, b, cell), 2 * sizeof(uint64_t)) == 0;
}

static uint8_t *row_of(const explorer *x, int cell)
{
    return x->depends + (size_t)cell * (size_t)x->n_dims;
}

/* ---- looking ---- */

static bool see(explorer *x, const uint16_t *genome, nw_error *err)
{
    const nw_plan *plan = x->plan;
    const nw_arch *arch;
    nw_kernels *kernels;
    atomic_fetch_add(&x->plan->n_full, 1);
    if (nw_realiser_make(x->worker->realiser, genome, &arch, err) != NW_OK)
        return false;
    nw_status status =
        nw_kernels_split(nw_arch_graph(arch), plan->hw, plan->precision, &kernels, err);
    if (status == NW_OK) {
        (void)nw_look(/* crowded cells are caught when they are filled */
                      &x->plan->cells, arch, plan->hw, kernels, &x->sight);
        nw_kernels_free(kernels);
    }
    nw_arch_release(arch);
    return status == NW_OK;
}

static void *grow_to(void *array, size_t n, size_t *capacity, size_t size)
{
    if (n <= *capacity)
        return array;
    *capacity = n > 2 * *capacity ? n : 2 * *capacity;
    return nw_realloc(array, *capacity * size);
}

/* Adds a look at a genome; its number. */
static int look_at(explorer *x, const uint16_t *genome)
{
    size_t n = (size_t)x->n_looks + 1, n_dims = (size_t)x->n_dims;
    size_t n_signs = 2 * ((size_t)x->n_cells + 1);
    x->genomes = grow_to(x->genomes, n * n_dims + 1, &x->genome_capacity, sizeof *x->genomes);
    x->signs = grow_to(x->signs, n * n_signs, &x->sign_capacity, sizeof *x->signs);
    x->is_bad = grow_to(x->is_bad, n, &x->bad_capacity, 1);
    int look = x->n_looks++;
    memcpy(genome_of(x, look), genome, n_dims * sizeof *genome);
    bool is_good = see(x, genome_of(x, look), NULL);
    uint64_t *signs = x->signs + (size_t)look * n_signs;
    memset(signs, 0, n_signs * sizeof *signs);
    for (int c = 0; is_good && c < x->n_cells; c++)
        memcpy(signs + 2 * c, x->sight.cells[c].sign, sizeof x->sight.cells[c].sign);
    signs[2 * x->n_cells] = !is_good;
    x->is_bad[look] = !is_good;
    return look;
}

static bool is_over(const explorer *x)
{
    return x->n_looks >= MAX_LOOKS || nw_cancel_is_set(x->cancel);
}

/* ---- explaining ---- */

static uint64_t key_of(const explorer *x, int look, int cell)
{
    const uint8_t *depends = row_of(x, cell);
    const uint16_t *genome = genome_of(x, look);
    uint64_t key = 1;
    for (int d = 0; d < x->n_dims; d++)
        if (depends[d])
            key = (key ^ genome[d]) * 0x9e3779b97f4a7c15u + (key >> 31);
    return key ^ key >> 29;
}

static bool is_same_key(const explorer *x, int a, int b, int cell)
{
    const uint8_t *depends = row_of(x, cell);
    for (int d = 0; d < x->n_dims; d++)
        if (depends[d] && genome_of(x, a)[d] != genome_of(x, b)[d])
            return false;
    return true;
}

static void forget_index(explorer *x, int cell)
{
    x->n_indexed[cell] = 0;
    memset(x->index[cell], 0, (size_t)x->n_slots[cell] * sizeof **x->index);
}

/* The look with the same key, or its free slot. */
static int *slot_of(const explorer *x, int look, int cell)
{
    size_t mask = (size_t)x->n_slots[cell] - 1, at = (size_t)key_of(x, look, cell) & mask;
    while (x->index[cell][at] && !is_same_key(x, x->index[cell][at] - 1, look, cell))
        at = (at + 1) & mask;
    return &x->index[cell][at];
}

static void shuffle(explorer *x, int *list, int n)
{
    for (int i = n - 1; i > 0; i--) {
        int k = (int)nw_rng_range(&x->rng, 0, i), kept = list[i];
        list[i] = list[k];
        list[k] = kept;
    }
}

/* Halves the genes in which two looks differ until one is left that changes the sign; -1: what lies
 * between makes no network. */
static int halve(explorer *x, int a, int b, int cell, int *genes, int n)
{
    uint16_t *middle = nw_alloc(((size_t)x->n_dims + 1) * sizeof *middle);
    while (n > 1) {
        int half = n / 2;
        memcpy(middle, genome_of(x, a), (size_t)x->n_dims * sizeof *middle);
        for (int i = 0; i < half; i++)
            middle[genes[i]] = genome_of(x, b)[genes[i]];
        int look = look_at(x, middle);
        if (x->is_bad[look] && cell < x->n_cells) {
            n = -1;
        } else if (!is_same_sign(x, look, a, cell)) {
            b = look;
            n = half;
        } else {
            a = look;
            genes += half;
            n -= half;
        }
    }
    free(middle);
    return n == 1 ? genes[0] : -1;
}

/* Two looks agree in all that a cell is known to depend on, and yet it differs. */
static void extend(explorer *x, int a, int b, int cell)
{
    uint8_t *depends = row_of(x, cell);
    int *genes = nw_alloc(((size_t)x->n_dims + 1) * sizeof *genes), n = 0, found = -1;
    for (int d = 0; d < x->n_dims; d++)
        if (!depends[d] && genome_of(x, a)[d] != genome_of(x, b)[d])
            genes[n++] = d;
    for (int i = 0; n && found < 0 && i < RETRIES && !is_over(x); i++) {
        shuffle(x, genes, n);
        int *copy = nw_alloc((size_t)n * sizeof *copy);
        memcpy(copy, genes, (size_t)n * sizeof *copy);
        found = halve(x, a, b, cell, copy, n);
        free(copy);
    }
    for (int i = 0; i < n; i++)
        if (found < 0 || genes[i] == found)
            depends[genes[i]] = 1;
    free(genes);
    forget_index(x, cell);
}

static void explain_cell(explorer *x, int cell)
{
    while (x->n_indexed[cell] < x->n_looks) {
        int look = x->n_indexed[cell]++;
        if (x->is_bad[look] && cell < x->n_cells)
            continue;
        if (2 * x->n_indexed[cell] >= x->n_slots[cell]) {
            x->n_slots[cell] = x->n_slots[cell] ? 4 * x->n_slots[cell] : 256;
            x->index[cell] =
                nw_realloc(x->index[cell], (size_t)x->n_slots[cell] * sizeof **x->index);
            forget_index(x, cell);
            continue;
        }
        int *slot = slot_of(x, look, cell);
        if (!*slot)
            *slot = look + 1;
        else if (!is_same_sign(x, *slot - 1, look, cell))
            extend(x, *slot - 1, look, cell);
    }
}

/* Until the genes found explain every look. */
static void explain(explorer *x)
{
    int n_before;
    do {
        n_before = x->n_looks;
        for (int c = 0; c <= x->n_cells; c++)
            explain_cell(x, c);
    } while (x->n_looks > n_before);
}

/* ---- where to look ---- */

enum { CONTEXT_BASE, CONTEXT_LAST, CONTEXT_FIRST, CONTEXT_RANDOM };

static void make_context(explorer *x, int kind, uint16_t *genome)
{
    for (int d = 0; d < x->n_dims; d++)
        genome[d] = kind == CONTEXT_LAST ? (uint16_t)(x->dims[d].n_options - 1) : 0;
    if (kind == CONTEXT_BASE)
        nw_space_base_genome(x->plan->space, genome);
    if (kind >= CONTEXT_RANDOM)
        nw_space_random(x->plan->space, &x->rng, genome);
}

/* One gene after the other in one context. */
static void flip_each(explorer *x, int kind)
{
    uint16_t *genome = nw_alloc(((size_t)x->n_dims + 1) * sizeof *genome);
    make_context(x, kind, genome);
    look_at(x, genome);
    for (int d = 0; d < x->n_dims && !is_over(x); d++) {
        int n = x->dims[d].n_options, kept = genome[d];
        int tried[] = {0, n - 1, kept ? kept - 1 : kept + 1, (int)nw_rng_range(&x->rng, 0, n - 1)};
        for (int i = 0; i < 4; i++) {
            bool is_new = tried[i] < n && tried[i] != kept;
            for (int k = 0; k < i; k++)
                is_new = is_new && tried[k] != tried[i];
            if (!is_new)
                continue;
            genome[d] = (uint16_t)tried[i];
            look_at(x, genome);
        }
        genome[d] = (uint16_t)kept;
    }
    free(genome);
}

/* A look that agrees with an earlier one in the genes of a cell and in no others. */
static void test_cell(explorer *x, int cell, int kind)
{
    uint16_t *genome = nw_alloc(((size_t)x->n_dims + 1) * sizeof *genome);
    int like = (int)nw_rng_range(&x->rng, 0, x->n_looks - 1);
    make_context(x, kind, genome);
    for (int d = 0; d < x->n_dims; d++)
        if (row_of(x, cell)[d])
            genome[d] = genome_of(x, like)[d];
    look_at(x, genome);
    free(genome);
}

static bool is_repeat(const explorer *x, int cell)
{
    for (int c = 0; c < cell; c++)
        if (memcmp(row_of(x, c), row_of(x, cell), (size_t)x->n_dims) == 0)
            return true;
    return false;
}

static int n_found(const explorer *x)
{
    int n = 0;
    for (int i = 0; i < (x->n_cells + 1) * x->n_dims; i++)
        n += x->depends[i];
    return n;
}

static void test_all(explorer *x)
{
    static const int kinds[TESTS] = {CONTEXT_RANDOM, CONTEXT_LAST,   CONTEXT_RANDOM, CONTEXT_RANDOM,
                                     CONTEXT_FIRST,  CONTEXT_RANDOM, CONTEXT_RANDOM, CONTEXT_BASE};
    int n_clean = 0;
    for (int round = 0; round < MAX_ROUNDS && n_clean < CLEAN_ROUNDS && !is_over(x); round++) {
        int n_before = n_found(x);
        for (int c = 0; c < x->n_cells; c++)
            for (int i = 0; !is_repeat(x, c) && i < TESTS && !is_over(x); i++)
                test_cell(x, c, kinds[i]);
        explain(x);
        n_clean = n_found(x) == n_before ? n_clean + 1 : 0;
    }
}

/* Bits for the maps that cross, first for those that are seen to spill. */
static void record(explorer *x)
{
    uint16_t *genome = nw_alloc(((size_t)x->n_dims + 1) * sizeof *genome);
    for (int i = 0; i < RECORDED && !is_over(x); i++) {
        make_context(x, i, genome);
        (void)see(x, genome, NULL);
    }
    free(genome);
    nw_cells_give_bits(&x->plan->cells);
}

static void explorer_fini(explorer *x)
{
    for (int c = 0; c <= x->n_cells; c++)
        free(x->index[c]);
    free(x->index);
    free(x->n_slots);
    free(x->n_indexed);
    free(x->genomes);
    free(x->signs);
    free(x->is_bad);
    nw_sight_fini(&x->sight);
    nw_plan_give_back(x->plan, x->worker);
}

nw_status nw_plan_discover(nw_plan *plan, const nw_cancel *cancel, uint8_t **depends, nw_error *err)
{
    int n_cells = plan->cells.n_cells;
    size_t n = (size_t)n_cells + 1;
    explorer x = {.plan = plan,
                  .cancel = cancel,
                  .worker = nw_plan_take_worker(plan),
                  .rng = nw_rng_make(nw_space_hash(plan->space), 1),
                  .n_cells = n_cells,
                  .index = nw_zalloc(n * sizeof *x.index),
                  .n_slots = nw_zalloc(n * sizeof *x.n_slots),
                  .n_indexed = nw_zalloc(n * sizeof *x.n_indexed)};
    x.dims = nw_space_dims(plan->space, &x.n_dims);
    x.depends = nw_zalloc(n * (size_t)x.n_dims + 1);
    record(&x);
    for (int kind = CONTEXT_BASE; kind < CONTEXT_RANDOM + 2 && !is_over(&x); kind++) {
        if (kind && x.n_looks + 4 * x.n_dims > MAX_FLIPS)
            break;
        flip_each(&x, kind);
    }
    explain(&x);
    test_all(&x);
    nw_status status = NW_OK;
    if (nw_cancel_is_set(cancel))
        status = nw_fail(err, NW_CANCELLED, nw_space_name(plan->space), "cancelled");
    if (status == NW_OK)
        *depends = x.depends;
    else
        free(x.depends);
    explorer_fini(&x);
    return status;
}
