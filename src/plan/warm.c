/* warm.c - filling tables before anybody asks.
 *
 * Genes that change the structure of the network change slowest: structures are kept while genomes
 * are realised.
 */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/plan/internal.h"

static bool is_structural(nw_dim_kind kind)
{
    return kind != NW_DIM_CHANNELS && kind != NW_DIM_EXPANDED && kind != NW_DIM_WIDTH &&
           kind != NW_DIM_EXPANSION;
}

/* The dims of a table, those that change slowest last. */
static int *order_dims(const nw_plan *plan, const nw_lookup *table)
{
    int n, n_ordered = 0;
    const nw_dim *dims = nw_space_dims(plan->space, &n);
    int *order = nw_alloc(((size_t)table->n_dims + 1) * sizeof *order);
    for (int last = 0; last < 2; last++)
        for (int i = 0; i < table->n_dims; i++)
            if (is_structural(dims[table->dims[i]].kind) == (bool)last)
                order[n_ordered++] = table->dims[i];
    return order;
}

/* The next combination of some genes; false: it was the last. */
static bool advance(const nw_dim *dims, const int *order, int n, uint16_t *genome)
{
    for (int i = 0; i < n; i++) {
        if (++genome[order[i]] < dims[order[i]].n_options)
            return true;
        genome[order[i]] = 0;
    }
    return false;
}

static nw_status warm_table(nw_plan *plan, const nw_lookup *table, const nw_cancel *cancel,
                            nw_error *err)
{
    int n;
    const nw_dim *dims = nw_space_dims(plan->space, &n);
    int *order = order_dims(plan, table);
    uint16_t *genome = nw_alloc(((size_t)n + 1) * sizeof *genome);
    nw_totals totals; /* of no interest, nor whether there is a network */
    nw_status status = NW_OK;
    nw_space_base_genome(plan->space, genome);
    for (int i = 0; i < table->n_dims; i++)
        genome[table->dims[i]] = 0;
    do {
        if (nw_cancel_is_set(cancel))
            status = nw_fail(err, NW_CANCELLED, nw_space_name(plan->space), "cancelled");
        else if (!nw_lookup_find(table, genome))
            (void)nw_plan_evaluate_many(plan, genome, 1, &totals, NULL, NULL);
    } while (status == NW_OK && atomic_load(&plan->is_exact) &&
             advance(dims, order, table->n_dims, genome));
    free(genome);
    free(order);
    return status;
}

nw_status nw_plan_warm(nw_plan *plan, int64_t max_entries, const nw_cancel *cancel, nw_error *err)
{
    nw_status status = NW_OK;
    for (int t = 0; t < plan->cells.n_cells && status == NW_OK; t++)
        if (plan->tables[t].n_entries < (double)max_entries && atomic_load(&plan->is_exact))
            status = warm_table(plan, &plan->tables[t], cancel, err);
    return status;
}
