/* grid.c - the space of a landscape's grid: two dimensions, as many options as can be seen.
 */
#include <stdlib.h>

#include "src/session/internal.h"

/* Which options of the grid's dimension stay where there are too many: multiples of 2, 4, ..., both
 * ends, the base, and those that curation left of the space's own. NULL: all. */
static uint8_t *choose_options(const nw_dim *grid, const nw_dim *own, const uint8_t *kept)
{
    bool is_counted = grid->kind == NW_DIM_CHANNELS || grid->kind == NW_DIM_EXPANDED;
    if (!is_counted || grid->n_options <= NW_LANDSCAPE_SIDE)
        return NULL;
    int64_t step = 2;
    while ((grid->options[grid->n_options - 1].n - grid->options[0].n) / step >= NW_LANDSCAPE_SIDE)
        step *= 2;
    uint8_t *keep = nw_zalloc((size_t)grid->n_options);
    for (int i = 0; i < grid->n_options; i++)
        keep[i] = grid->options[i].n % step == 0 || i == grid->base;
    keep[0] = keep[grid->n_options - 1] = 1;
    for (int i = 0, at = 0; kept && i < own->n_options; i++) {
        while (at < grid->n_options - 1 && grid->options[at].n < own->options[i].n)
            at++;
        keep[at] |= kept[i] && grid->options[at].n == own->options[i].n;
    }
    return keep;
}

/* A space may have many more options than can be seen. */
static nw_status thin(const nw_space *space, const int axes[2], const uint8_t *const kept[2],
                      const nw_space **grid, nw_error *err)
{
    int n;
    const nw_dim *dims = nw_space_dims(*grid, &n), *own = nw_space_dims(space, &n);
    uint8_t **keep = nw_zalloc(((size_t)n + 1) * sizeof *keep);
    const nw_space *thinned = NULL;
    bool is_large = false;
    for (int i = 0; i < 2; i++) {
        if (axes[i] >= 0)
            keep[axes[i]] = choose_options(&dims[axes[i]], &own[axes[i]], kept[i]);
        is_large |= axes[i] >= 0 && keep[axes[i]];
    }
    nw_status status = NW_OK;
    if (is_large)
        status = nw_space_restrict(*grid, (const uint8_t *const *)keep, nw_space_name(*grid),
                                   &thinned, err);
    for (int i = 0; i < 2; i++)
        if (axes[i] >= 0)
            free(keep[axes[i]]);
    free(keep);
    if (status == NW_OK && is_large) {
        nw_space_release(*grid);
        *grid = thinned;
    }
    return status;
}

nw_status nw_session_make_grid(const nw_space *space, int x, int y, const uint16_t *genome,
                               const uint8_t *const kept[2], const nw_space **out, nw_error *err)
{
    const int axes[2] = {x, y};
    const nw_space *grid = NULL;
    nw_status status = nw_grid_space(space, x, y, genome, NW_LANDSCAPE_SIDE, NULL, &grid, err);
    if (status == NW_OK)
        status = thin(space, axes, kept, &grid, err);
    if (status == NW_OK)
        *out = grid;
    else
        nw_space_release(grid);
    return status;
}
