/* bind_route.c - the line between two genomes, a gene at a time.
 */
#include <math.h>

#include "lua/bind_landscape.h"

#define UNITS_PER_STEP 5000 /* about what an edit and its estimate take */
#define BYTES_PER_STEP 400

static void push_genome_text(lua_State *L, const nw_route *route, int step)
{
    const nw_space *space = nw_plan_space(route->plan);
    uint16_t genome[NW_MAX_DIMS];
    nw_buf *text = bind_new_text(L);
    nw_slice_genome(route->slice, step, 0, genome);
    nw_genome_write(space, genome, text);
    lua_pushlstring(L, nw_buf_text(text), text->length);
    lua_remove(L, -2);
}

/* Into the table at the top: what the step changes. */
static void set_gene(lua_State *L, const nw_route *route, int step)
{
    static const char *const keys[] = {"from", "to"};
    uint16_t genome[NW_MAX_DIMS];
    int n, d = route->changed[step];
    const nw_dim *dims = nw_space_dims(nw_plan_space(route->plan), &n);
    if (d < 0)
        return;
    bind_set_text(L, "dimension", dims[d].name);
    for (int i = 0; i < 2; i++) {
        nw_slice_genome(route->slice, step - 1 + i, 0, genome);
        bind_push_option_value(L, dims[d].kind, &dims[d].options[genome[d]]);
        lua_setfield(L, -2, keys[i]);
    }
}

static void push_step(lua_State *L, const nw_route *route, int step)
{
    const nw_totals *totals = nw_slice_totals(route->slice, step, 0);
    double value = route->values[step];
    double change = step > 0 ? value - route->values[step - 1] : NAN;
    lua_createtable(L, 0, 14);
    push_genome_text(L, route, step);
    lua_setfield(L, -2, "genome");
    set_gene(L, route, step);
    if (!isnan(value))
        bind_set_number(L, "value", value);
    if (!isnan(change))
        bind_set_number(L, "change", change);
    if (totals) {
        lua_pushboolean(L, totals->fits);
        lua_setfield(L, -2, "fits");
    }
    for (int m = 0; m < NW_METRIC_COUNT && totals; m++)
        bind_set_number(L, nw_metric_name((nw_metric)m),
                        nw_totals_metric(totals, (nw_metric)m, &route->objective));
}

static void push_route(lua_State *L, const nw_route *route)
{
    lua_createtable(L, 0, 3);
    bind_set_text(L, "metric", nw_metric_name(nw_slice_metric(route->slice)));
    lua_createtable(L, route->n_points, 0);
    for (int i = 0; i < route->n_points; i++) {
        push_step(L, route, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "path");
    bind_push_figures(L, &route->figures);
    lua_setfield(L, -2, "figures");
}

/* nasw.route(space, hw, {to = , from = , ...}) -> {metric, path, figures} | nil, message, code */
int bind_find_route(lua_State *L)
{
    static const char *const options[] = {"from", "to", "metric", "estimator", "precision", NULL};
    bind_space *owner = bind_check_space(L, 1);
    bind_check_options(L, 3, options);
    const char *choice;
    const bind_estimator *model = bind_check_choice(L, &choice);
    nw_route_spec spec = {.space = owner->space,
                          .metric = bind_check_metric(L, "route"),
                          .precision = bind_option(L, 3, "precision", "file")};
    if (!bind_take_hw(L, 2))
        return 3;
    spec.hw = bind_check_hw(L, 2);
    lua_settop(L, 3);
    bind_push_option(L, 3, "from");
    spec.from = bind_take_genome(L, 1, lua_gettop(L))->genes;
    bind_push_option(L, 3, "to");
    luaL_argcheck(L, !lua_isnil(L, -1), 3, "option 'to': wanted a genome");
    spec.to = bind_take_genome(L, 1, lua_gettop(L))->genes;

    nw_error err;
    int n_steps = nw_space_n_dims(owner->space) + 1;
    bind_landscape *object = bind_new_landscape(L, n_steps * BYTES_PER_STEP);
    if (!object)
        return bind_push_failure(L, NW_LIMIT, "", "too much memory in open landscapes; close some");
    bind_charge(L, UNITS_PER_STEP * (int64_t)n_steps);
    if (bind_open_estimator(L, 2, choice, model, n_steps, &object->estimator, &err) != NW_OK)
        return bind_push_estimator_error(L, &err);
    spec.estimator = object->estimator;
    bind_landscape_work work = bind_landscape_begin(L);
    spec.progress = bind_landscape_go_on;
    spec.progress_context = &work;
    nw_status status = nw_route_find(&spec, &object->route, &err);
    bind_landscape_end(L, &work);
    if (status != NW_OK) {
        bind_close_holder(&object->holder);
        return bind_push_error(L, &err);
    }
    push_route(L, &object->route);
    bind_close_holder(&object->holder);
    return 1;
}
