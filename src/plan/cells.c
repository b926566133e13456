/* cells.c - how the networks of a space are cut: the marks of its base, and the bits of the maps
 * that cross.
 */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/plan/internal.h"

static int mark_of_tensor(const nw_cells *cells, nw_tensor_id tensor)
{
    for (int m = 0; m < cells->n_marks - 1; m++)
        if (cells->blocks[m].out == tensor)
            return m;
    return -1;
}

void nw_cells_init(nw_cells *cells, const nw_space *space)
{
    int n_blocks;
    *cells = (nw_cells){.base = nw_space_base(space), .is_recording = true};
    cells->blocks = nw_arch_blocks(cells->base, &n_blocks);
    cells->n_cells = cells->n_marks = n_blocks + 1;
    cells->before = nw_alloc((size_t)cells->n_marks * sizeof *cells->before);
    cells->cell_of = nw_alloc((size_t)cells->n_marks * sizeof *cells->cell_of);
    const nw_graph *graph = nw_arch_graph(cells->base);
    for (int m = 0; m < cells->n_marks; m++) {
        cells->cell_of[m] = m;
        cells->before[m] = m < n_blocks ? mark_of_tensor(cells, cells->blocks[m].in) : -1;
        const char *name = m < n_blocks && cells->blocks[m].out != NW_NONE
                               ? graph->tensors[cells->blocks[m].out].name
                               : "";
        if (*name && nw_map_get(&cells->mark_of_name, name) == NW_MAP_NONE)
            nw_map_put(&cells->mark_of_name, name, m);
    }
    size_t n_crossing = (size_t)(cells->n_marks + 1) * NW_MAX_ORDINALS;
    cells->bits = nw_alloc(n_crossing * sizeof *cells->bits);
    cells->is_seen = nw_zalloc(n_crossing);
    for (int w = 0; w < 2; w++)
        cells->slots[w] = nw_zalloc(n_crossing);
    for (size_t i = 0; i < n_crossing; i++)
        atomic_init(&cells->bits[i], -1);
    atomic_init(&cells->n_bits, 0);
    pthread_mutex_init(&cells->lock, NULL);
}

void nw_cells_fini(nw_cells *cells)
{
    nw_map_fini(&cells->mark_of_name);
    free(cells->before);
    free(cells->cell_of);
    free(cells->bits);
    free(cells->is_seen);
    free(cells->slots[0]);
    free(cells->slots[1]);
    pthread_mutex_destroy(&cells->lock);
}

static void give_bit(nw_cells *cells, int crossing)
{
    int bit = atomic_load(&cells->n_bits);
    if (bit < NW_CROSSING_BITS)
        atomic_store(&cells->n_bits, bit + 1);
    atomic_store(&cells->bits[crossing], (signed char)(bit < NW_CROSSING_BITS ? bit : -2));
}

void nw_cells_give_bits(nw_cells *cells)
{
    cells->is_recording = false;
    for (int level = 2; level > 0; level--)
        for (int i = 0; i < (cells->n_marks + 1) * NW_MAX_ORDINALS; i++)
            if (cells->is_seen[i] == level)
                give_bit(cells, i);
    for (int w = 0; w < 2; w++) {
        int n = 0;
        for (int i = 0; i < (cells->n_marks + 1) * NW_MAX_ORDINALS; i++)
            cells->slots[w][i] = (int8_t)(cells->slots[w][i] && n < NW_MAX_SLOTS ? n++ : -1);
    }
}

int nw_cells_bit(nw_cells *cells, int crossing)
{
    if (cells->is_recording)
        return -1;
    int bit = atomic_load_explicit(&cells->bits[crossing], memory_order_acquire);
    if (bit == -1) {
        pthread_mutex_lock(&cells->lock);
        if (atomic_load(&cells->bits[crossing]) == -1)
            give_bit(cells, crossing);
        bit = atomic_load(&cells->bits[crossing]);
        pthread_mutex_unlock(&cells->lock);
    }
    return bit < 0 ? -1 : bit;
}
