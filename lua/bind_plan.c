/* bind_plan.c - what the networks of a space cost on a hardware.
 */
#include <string.h>

#include "lua/bind.h"

#define UNITS_PER_RUN   2000 /* of the full path */
#define UNITS_PER_LOOK  100  /* a genome whose tables are filled */
#define UNITS_PER_NODE  2000 /* of finding out what cells depend on */
#define BYTES_PER_PLAN  65536
#define UNITS_PER_ENTRY 10

static void close_plan(bind_holder *holder)
{
    bind_plan *object = (bind_plan *)holder;
    nw_plan_free(object->plan);
    object->plan = NULL;
}

static int close_object(lua_State *L)
{
    bind_plan *object = bind_check(L, 1, &bind_plan_type);
    bind_close_holder(&object->holder);
    return 0;
}

bind_plan *bind_check_plan(lua_State *L, int index)
{
    bind_plan *object = bind_check(L, index, &bind_plan_type);
    luaL_argcheck(L, object->plan, index, "the plan is closed");
    luaL_argcheck(L, object->space->space, index, "the plan's space is closed");
    lua_getiuservalue(L, index, 2);
    luaL_argcheck(L, ((bind_hw *)lua_touserdata(L, -1))->hw, index,
                  "the plan's hardware is closed");
    lua_pop(L, 1);
    return object;
}

static int text_plan(lua_State *L)
{
    const bind_plan *object = bind_check(L, 1, &bind_plan_type);
    if (!object->plan) {
        lua_pushliteral(L, "plan (closed)");
        return 1;
    }
    bind_push_printable(L, nw_space_name(nw_plan_space(object->plan)));
    bind_push_printable(L, nw_plan_hw(object->plan)->name);
    lua_pushfstring(L, "plan of %s on %s by %s", lua_tostring(L, -2), lua_tostring(L, -1),
                    nw_plan_estimator(object->plan)->name);
    return 1;
}

/* ---- making ---- */

bool bind_push_plan(lua_State *L)
{
    const char *choice;
    nw_error err;
    const nw_estimator *estimator;
    const bind_space *owner = bind_check_space(L, 1);
    const bind_estimator *model = bind_check_choice(L, &choice);
    const char *precision = bind_option(L, 3, "precision", "file");
    if (!bind_take_hw(L, 2))
        return false;
    const nw_hw *figures = bind_check_hw(L, 2);
    int n_nodes = nw_arch_graph(nw_space_base(owner->space))->n_nodes;
    bind_charge(L, UNITS_PER_NODE * (int64_t)n_nodes);
    bind_plan *object = bind_new(L, &bind_plan_type, sizeof *object, 2);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, 2);
    object->space = owner;
    if (bind_open_estimator(L, 2, choice, model, n_nodes, &estimator, &err) != NW_OK) {
        bind_push_estimator_error(L, &err);
        return false;
    }
    nw_plan *plan;
    nw_status status = nw_plan_new(owner->space, figures, estimator, precision, NULL, &plan, &err);
    nw_estimator_release(estimator);
    if (status != NW_OK) {
        bind_push_error(L, &err);
        return false;
    }
    object->plan = plan;
    nw_plan_stats stats = nw_plan_get_stats(plan);
    if (!bind_open_holder(L, &object->holder, close_plan, BYTES_PER_PLAN + stats.n_bytes)) {
        bind_push_failure(L, NW_LIMIT, "", "too much memory in open plans; close some");
        return false;
    }
    bind_charge(L, UNITS_PER_RUN * stats.n_full);
    return true;
}

/* space:plan(hw [, {estimator, precision}]) -> plan | nil, message, code */
int bind_space_plan(lua_State *L)
{
    static const char *const options[] = {"estimator", "precision", NULL};
    bind_check_space(L, 1);
    bind_check_options(L, 3, options);
    lua_settop(L, 3);
    return bind_push_plan(L) ? 1 : 3;
}

/* ---- costs ---- */

void bind_push_totals(lua_State *L, const nw_totals *totals, const nw_objective *objective)
{
    lua_createtable(L, 0, NW_METRIC_COUNT + 2);
    for (int m = 0; m < NW_METRIC_COUNT; m++) {
        double value = nw_totals_metric(totals, (nw_metric)m, objective);
        bool is_count = m == NW_METRIC_MACS || m == NW_METRIC_PARAMS ||
                        m == NW_METRIC_WEIGHT_BYTES || m == NW_METRIC_PEAK_LIVE;
        if (is_count)
            bind_set_int(L, nw_metric_name((nw_metric)m), (int64_t)value);
        else
            bind_set_number(L, nw_metric_name((nw_metric)m), value);
    }
    bind_set_int(L, "unknown_kernels", totals->n_unknown);
    lua_pushboolean(L, totals->fits);
    lua_setfield(L, -2, "fits");
}

/* The totals of the genome at index 2; false: nil, message, code were pushed. */
static bool evaluate(lua_State *L, const bind_plan *object, nw_totals *totals)
{
    nw_error err;
    lua_settop(L, 2);
    lua_getiuservalue(L, 1, 1);
    const bind_genome *genome = bind_take_genome(L, 3, 2);
    int64_t before = nw_plan_get_stats(object->plan).n_full;
    if (nw_plan_evaluate(object->plan, genome->genes, totals, &err) != NW_OK) {
        bind_push_error(L, &err);
        return false;
    }
    bind_charge(L,
                UNITS_PER_LOOK + UNITS_PER_RUN * (nw_plan_get_stats(object->plan).n_full - before));
    return true;
}

static int plan_evaluate(lua_State *L)
{
    const bind_plan *object = bind_check_plan(L, 1);
    nw_totals totals;
    int which;
    if (!evaluate(L, object, &totals))
        return 3;
    nw_objective objective = nw_plan_objective(object->plan);
    bind_push_totals(L, &totals, &objective);
    lua_pushboolean(L, nw_plan_within_limits(object->plan, &totals, &which));
    lua_setfield(L, -2, "within_limits");
    return 1;
}

static int plan_base(lua_State *L)
{
    const bind_plan *object = bind_check_plan(L, 1);
    nw_objective objective = nw_plan_objective(object->plan);
    bind_push_totals(L, nw_plan_base(object->plan), &objective);
    return 1;
}

/* ---- what it is made of ---- */

static int plan_cells(lua_State *L)
{
    const bind_plan *object = bind_check_plan(L, 1);
    int n, n_dims;
    const nw_cell *cells = nw_plan_cells(object->plan, &n);
    const nw_dim *dims = nw_space_dims(nw_plan_space(object->plan), &n_dims);
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        bind_charge(L, UNITS_PER_ENTRY * (int64_t)(cells[i].n_dims + 1));
        lua_createtable(L, 0, 5);
        bind_set_text(L, "name", cells[i].name);
        lua_createtable(L, cells[i].n_dims, 0);
        for (int d = 0; d < cells[i].n_dims; d++) {
            lua_pushstring(L, dims[cells[i].dims[d]].name);
            lua_rawseti(L, -2, d + 1);
        }
        lua_setfield(L, -2, "dims");
        bind_set_number(L, "entries", cells[i].n_entries);
        bind_set_int(L, "filled", cells[i].n_filled);
        bind_set_int(L, "maps", cells[i].n_maps);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int plan_stats(lua_State *L)
{
    nw_plan_stats stats = nw_plan_get_stats(bind_check_plan(L, 1)->plan);
    lua_createtable(L, 0, 4);
    bind_set_int(L, "full_runs", stats.n_full);
    bind_set_int(L, "bytes", stats.n_bytes);
    lua_pushboolean(L, stats.is_exact);
    lua_setfield(L, -2, "exact");
    bind_set_text(L, "caught", stats.caught ? stats.caught : "");
    return 1;
}

static int field_space(lua_State *L)
{
    bind_check_plan(L, 1);
    lua_getiuservalue(L, 1, 1);
    return 1;
}

static int field_hw(lua_State *L)
{
    bind_check_plan(L, 1);
    lua_getiuservalue(L, 1, 2);
    return 1;
}

static int field_estimator(lua_State *L)
{
    lua_pushstring(L, nw_plan_estimator(bind_check_plan(L, 1)->plan)->name);
    return 1;
}

const bind_row bind_plan_rows[] = {
    {"space", field_space, true, "plan.space"},
    {"hw", field_hw, true, "plan.hw"},
    {"estimator", field_estimator, true, "plan.estimator: \"device\" or \"regression\""},
    {"evaluate", plan_evaluate, false,
     "plan:evaluate([genome]) -> {latency_us, energy_uj, macs, params, weight_bytes, "
     "peak_live_bytes, score, objective, fits, within_limits} | nil, message, code"},
    {"base", plan_base, false, "plan:base() -> the same of the network as it is"},
    {"cells", plan_cells, false, "plan:cells() -> list of {name, dims, entries, filled, maps}"},
    {"stats", plan_stats, false, "plan:stats() -> {full_runs, bytes, exact, caught}"},
    {"close", close_object, false, "plan:close(): gives its memory back at once"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_plan_type = {"nasw.Plan", bind_plan_rows, close_object, text_plan, NULL};
