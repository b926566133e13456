/* route.c - the line between two genomes, a gene at a time.
 */
#include <stdlib.h>

#include "src/base/arena.h"
#include "src/landscape/landscape.h"

/* Which dimension is another one than at the point before. */
static void find_changes(nw_route *r)
{
    uint16_t before[NW_MAX_DIMS], genome[NW_MAX_DIMS];
    int n_dims = nw_space_n_dims(nw_plan_space(r->plan));
    nw_slice_genome(r->slice, 0, 0, before);
    r->changed[0] = -1;
    for (int i = 1; i < r->n_points; i++) {
        nw_slice_genome(r->slice, i, 0, genome);
        for (int d = 0; d < n_dims; d++) {
            if (genome[d] != before[d])
                r->changed[i] = d;
            before[d] = genome[d];
        }
    }
}

static nw_status check_end(const nw_route *r, int point, const char *name, nw_error *err)
{
    nw_totals totals;
    nw_status status = nw_slice_probe(r->slice, point, 0, &totals, err);
    if (status != NW_OK)
        nw_error_prefix(err, name);
    return status;
}

static nw_status make_slice(const nw_route_spec *spec, nw_route *r, nw_error *err)
{
    uint16_t base[NW_MAX_DIMS];
    nw_space_base_genome(spec->space, base);
    nw_status status = nw_plan_new(spec->space, spec->hw, spec->estimator, spec->precision,
                                   spec->cancel, &r->plan, err);
    if (status != NW_OK)
        return status;
    r->objective = nw_plan_objective(r->plan);
    nw_slice_spec slice = {.genome = spec->from ? spec->from : base,
                           .to = spec->to,
                           .metric = spec->metric,
                           .objective = r->objective};
    return nw_slice_new(r->plan, &slice, &r->slice, err);
}

static nw_status find(const nw_route_spec *spec, nw_route *r, nw_error *err)
{
    nw_status status = make_slice(spec, r, err);
    if (status != NW_OK)
        return status;
    r->n_points = nw_slice_width(r->slice);
    if ((status = check_end(r, 0, "from", err)) != NW_OK ||
        (status = check_end(r, r->n_points - 1, "to", err)) != NW_OK)
        return status;
    nw_slice_fill(r->slice, spec->progress, spec->progress_context, spec->cancel);
    if (!nw_slice_is_done(r->slice))
        return nw_fail(err, NW_CANCELLED, nw_space_name(spec->space), "stopped");
    size_t n = (size_t)r->n_points;
    r->changed = nw_zalloc(n * sizeof *r->changed);
    r->values = nw_alloc(n * sizeof *r->values);
    find_changes(r);
    nw_slice_values(r->slice, spec->metric, r->values);
    nw_terrain terrain = nw_slice_terrain(r->slice);
    nw_figures_find(&terrain, 0, &r->figures);
    return NW_OK;
}

nw_status nw_route_find(const nw_route_spec *spec, nw_route *out, nw_error *err)
{
    nw_route r = {0};
    nw_status status = find(spec, &r, err);
    if (status == NW_OK)
        *out = r;
    else
        nw_route_fini(&r);
    return status;
}

void nw_route_fini(nw_route *route)
{
    free(route->changed);
    free(route->values);
    nw_slice_free(route->slice);
    nw_plan_free(route->plan);
    *route = (nw_route){0};
}
