/* grid.c - two dimensions of a space as a space of its own, finely divided.
 */
#include <stdlib.h>

#include "src/base/arena.h"
#include "src/landscape/landscape.h"

static bool is_counted(const nw_dim *dim)
{
    return dim->kind == NW_DIM_CHANNELS || dim->kind == NW_DIM_EXPANDED;
}

/* Which of the dimension's own options stay where they alone are too many. */
static bool stays(const nw_dim *dim, int i, int64_t step, const uint8_t *kept)
{
    return dim->options[i].n % step == 0 || i == 0 || i == dim->n_options - 1 || i == dim->base ||
           (kept && kept[i]);
}

/* Multiples of the step between the ends and the dimension's own options, ascending. The caller
 * frees the result. */
static nw_option *divide(const nw_dim *dim, int max_side, const uint8_t *const *kept, int *n)
{
    int64_t low = dim->options[0].n, high = dim->options[dim->n_options - 1].n, step = 1;
    bool is_many = kept && dim->n_options > max_side / 2;
    int n_own = is_many ? 0 : dim->n_options, own = 0;
    while ((high - low) / step + n_own >= max_side && step < high - low)
        step *= 2;
    nw_option *options =
        nw_zalloc(((size_t)((high - low) / step) + (size_t)dim->n_options + 3) * sizeof *options);
    *n = 0;
    for (int64_t c = (low + step - 1) / step * step; c <= high + step; c += step) {
        for (; own < dim->n_options && dim->options[own].n <= c; own++)
            if (!is_many || stays(dim, own, step, *kept))
                options[(*n)++] = dim->options[own];
        if (c <= high && (*n == 0 || options[*n - 1].n < c))
            options[(*n)++].n = c;
    }
    return options;
}

/* The options of one dimension of the grid; *made is to be freed. */
static const nw_option *find_options(const nw_dim *dim, bool is_axis, int gene, int max_side,
                                     const uint8_t *const *kept, nw_option **made, int *n)
{
    if (!is_axis) {
        *n = 1;
        return &dim->options[gene];
    }
    if (!is_counted(dim)) {
        *n = dim->n_options;
        return dim->options;
    }
    return *made = divide(dim, max_side, kept, n);
}

nw_status nw_grid_space(const nw_space *space, int x_dim, int y_dim, const uint16_t *genome,
                        int max_side, const uint8_t *const kept[2], const nw_space **out,
                        nw_error *err)
{
    int n;
    const nw_dim *dims = nw_space_dims(space, &n);
    if (x_dim < 0 || x_dim >= n || y_dim < -1 || y_dim >= n || x_dim == y_dim)
        return nw_fail(err, NW_INVALID, nw_space_name(space),
                       "a grid takes two different dimensions of %d", n);
    for (int d = 0; d < n; d++)
        if (genome[d] >= dims[d].n_options)
            return nw_fail(err, NW_INVALID, dims[d].name, "option %d of %d", genome[d],
                           dims[d].n_options);
    const nw_option **options = nw_zalloc((size_t)n * sizeof *options);
    int *n_options = nw_zalloc((size_t)n * sizeof *n_options);
    nw_option *made[2] = {NULL, NULL};
    for (int d = 0; d < n; d++)
        options[d] =
            find_options(&dims[d], d == x_dim || d == y_dim, genome[d], max_side,
                         kept ? &kept[d == y_dim] : NULL, &made[d == y_dim], &n_options[d]);
    nw_status status = nw_space_replace(space, options, n_options, nw_space_name(space), out, err);
    free(made[0]);
    free(made[1]);
    free(options);
    free(n_options);
    return status;
}
