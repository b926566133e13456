/* bind_estimate.c - nasw.estimate and what it returns: totals, kernels, pages.
 */
#include <stdlib.h>
#include <string.h>

#include "lua/bind.h"
#include "src/base/arena.h"
#include "src/estimator/estimator.h"
#include "src/report/report.h"

#define UNITS_PER_KERNEL 200
#define BYTES_PER_KERNEL 1024 /* of memory, with its cost and the plan of tensors */

static bind_estimate *check_estimate(lua_State *L, int index)
{
    bind_estimate *object = bind_check(L, index, &bind_estimate_type);
    luaL_argcheck(L, object->estimate, index, "the estimate is closed");
    luaL_argcheck(L, object->network->graph, index, "the estimate's network is closed");
    luaL_argcheck(L, object->hw->hw, index, "the estimate's hardware is closed");
    return object;
}

static nw_breakdown breakdown_of(const bind_estimate *object)
{
    return (nw_breakdown){object->network->model, object->network->graph, object->hw->hw,
                          object->estimate};
}

static int close_estimate(lua_State *L)
{
    bind_estimate *object = bind_check(L, 1, &bind_estimate_type);
    if (object->estimate == &object->owned)
        nw_estimate_fini(&object->owned);
    nw_point_release(object->point);
    bind_hold(L, -object->held_bytes);
    memset(object, 0, sizeof *object);
    return 0;
}

static int text_estimate(lua_State *L)
{
    const bind_estimate *object = bind_check(L, 1, &bind_estimate_type);
    if (!object->estimate || !object->network->graph || !object->hw->hw) {
        lua_pushliteral(L, "estimate (closed)");
        return 1;
    }
    char time[32];
    bind_push_printable(L, object->network->model);
    bind_push_printable(L, object->hw->hw->name);
    lua_pushfstring(L, "estimate of %s on %s: %s%s", lua_tostring(L, -2), lua_tostring(L, -1),
                    nw_format_time(object->estimate->latency_ps, time, sizeof time),
                    object->estimate->fits ? "" : ", does not fit");
    return 1;
}

/* ---- making ---- */

const bind_estimator *bind_check_choice(lua_State *L, const char **choice)
{
    const bind_estimator *model = NULL;
    *choice = NULL;
    bind_push_option(L, 3, "estimator");
    int at = lua_gettop(L);
    if (luaL_testudata(L, at, bind_estimator_type.name)) {
        model = lua_touserdata(L, at);
        luaL_argcheck(L, model->regression, 3, "the estimator is closed");
    } else if (lua_type(L, at) == LUA_TSTRING) {
        *choice = lua_tostring(L, at);
        luaL_argcheck(L, **choice, 3, "option 'estimator' is empty");
    } else {
        luaL_argcheck(L, lua_isnil(L, at), 3,
                      "option 'estimator' must be a string or an estimator");
    }
    lua_pop(L, 1);
    return model;
}

int bind_push_estimator_error(lua_State *L, nw_error *err)
{
    static const char option[] = "--estimator";
    if (strcmp(err->where, option) == 0)
        return luaL_argerror(L, 3, err->message);
    if (strncmp(err->where, option, sizeof option - 1) == 0)
        return bind_push_failure(L, err->status, err->where + 2, err->message);
    if (!err->where[0])
        return bind_push_failure(L, err->status, "estimator", err->message);
    return bind_push_error(L, err);
}

int bind_estimate_run(lua_State *L)
{
    static const char *const options[] = {"estimator", "precision", NULL};
    const char *choice;
    bind_network *network = bind_check_network(L, 1);
    bind_check_options(L, 3, options);
    const bind_estimator *model = bind_check_choice(L, &choice);
    const char *precision = bind_option(L, 3, "precision", "file");
    if (!bind_take_hw(L, 2))
        return 3;
    const nw_hw *hw = bind_check_hw(L, 2);
    bind_charge(L, UNITS_PER_KERNEL * (int64_t)network->graph->n_nodes);

    bind_estimate *object = bind_new(L, &bind_estimate_type, sizeof *object, 2);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, 2);
    object->network = network;
    object->hw = lua_touserdata(L, 2);
    nw_error err;
    const nw_estimator *estimator;
    if (bind_open_estimator(L, 2, choice, model, network->graph->n_nodes, &estimator, &err) !=
        NW_OK)
        return bind_push_estimator_error(L, &err);
    nw_status status =
        nw_estimate_graph(estimator, network->graph, hw, precision, &object->owned, &err);
    nw_estimator_release(estimator);
    if (status != NW_OK)
        return bind_push_error(L, &err);
    object->estimate = &object->owned;
    int64_t held_bytes = BYTES_PER_KERNEL * (int64_t)object->owned.kernels->n_kernels;
    if (!bind_hold(L, held_bytes))
        return bind_push_failure(L, NW_LIMIT, "", "too much memory in open estimates; close some");
    object->held_bytes = held_bytes;
    return 1;
}

void bind_push_point(lua_State *L, const nw_point *point)
{
    bind_estimate *object = bind_new(L, &bind_estimate_type, sizeof *object, 2);
    bind_push_point_network(L, point);
    object->network = lua_touserdata(L, -1);
    lua_setiuservalue(L, -2, 1);
    bind_push_point_hw(L, point);
    object->hw = lua_touserdata(L, -1);
    lua_setiuservalue(L, -2, 2);
    object->point = nw_point_retain(point);
    object->estimate = &point->estimate;
}

/* ---- totals ---- */

/* As in the breakdown: without any kernel of known cost there is no latency. */
static bool has_cost(const nw_estimate *e)
{
    if (!e->n_unknown)
        return true;
    for (int i = 0; i < e->kernels->n_kernels; i++)
        if (e->costs[i].is_known && e->kernels->kernels[i].shape.parts[0].kind != NW_KERNEL_VIEW)
            return true;
    return false;
}

static void push_if(lua_State *L, bool is_known, double value)
{
    if (is_known)
        lua_pushnumber(L, value);
    else
        lua_pushnil(L);
}

#define FIELD(name, push)                                                                          \
    static int field_##name(lua_State *L)                                                          \
    {                                                                                              \
        const bind_estimate *object = check_estimate(L, 1);                                        \
        const nw_estimate *e = object->estimate;                                                   \
        (void)e;                                                                                   \
        push;                                                                                      \
        return 1;                                                                                  \
    }
#define INT_FIELD(name) FIELD(name, lua_pushinteger(L, e->name))

FIELD(latency_us, push_if(L, has_cost(e), (double)e->latency_ps / 1e6))
FIELD(energy_uj, push_if(L, has_cost(e), (double)e->energy_fj / 1e9))
FIELD(overhead_us, lua_pushnumber(L, (double)e->overhead_ps / 1e6))
FIELD(host_us, lua_pushnumber(L, (double)e->host_ps / 1e6))
FIELD(macs, lua_pushinteger(L, bind_network_counts(object->network)->macs))
INT_FIELD(peak_live_bytes)
INT_FIELD(arena_bytes)
INT_FIELD(dram_bytes)
INT_FIELD(sram_bytes)
INT_FIELD(n_unknown)
FIELD(n_kernels, lua_pushinteger(L, e->kernels->n_kernels))
FIELD(partitions, lua_pushinteger(L, e->kernels->n_partitions))
FIELD(host_switches, lua_pushinteger(L, e->kernels->n_switches))
FIELD(fits, lua_pushboolean(L, e->fits))
FIELD(reason, lua_pushstring(L, e->reason))
FIELD(precision, lua_pushstring(L, e->kernels->precision))
FIELD(estimator, lua_pushstring(L, e->estimator->name))
FIELD(estimator_source, bind_push_printable(L, e->estimator->source))
FIELD(latency_low_us, push_if(L, e->has_band &&has_cost(e), (double)e->low_ps / 1e6))
FIELD(latency_high_us, push_if(L, e->has_band &&has_cost(e), (double)e->high_ps / 1e6))
FIELD(extrapolated_kernels, lua_pushinteger(L, e->n_outside))
FIELD(calibrated, lua_pushboolean(L, nw_report_is_calibrated(e, object->hw->hw)))
FIELD(network, lua_getiuservalue(L, 1, 1))
FIELD(hw, lua_getiuservalue(L, 1, 2))

static int field_utilisation(lua_State *L)
{
    const bind_estimate *object = check_estimate(L, 1);
    const nw_estimate *e = object->estimate;
    const nw_hw *hw = object->hw->hw;
    double peak_macs =
        (double)nw_hw_macs_per_cycle(hw) * hw->clock_hz * (double)e->latency_ps / 1e12;
    push_if(L, has_cost(e) && peak_macs > 0, (double)e->macs / peak_macs);
    return 1;
}

/* ---- kernels: the fields of "kernels" in nasw.estimate/1 ---- */

static void push_ops(lua_State *L, const nw_graph *graph, const nw_kernel *kernel)
{
    char label[192];
    lua_createtable(L, kernel->n_nodes, 0);
    for (int i = 0; i < kernel->n_nodes; i++) {
        lua_pushstring(L, nw_node_label(graph, kernel->nodes[i], label, sizeof label));
        lua_rawseti(L, -2, i + 1);
    }
}

/* N, H, W, C for maps whatever the file's order; other tensors as they are. */
static void push_out_shape(lua_State *L, const nw_graph *graph, const nw_kernel *kernel)
{
    if (!kernel->n_writes) {
        lua_pushnil(L);
        return;
    }
    nw_shape shape = graph->tensors[kernel->writes[0]].shape;
    if (nw_shape_is_known(&shape) && shape.rank == 4) {
        nw_hwc map = nw_tensor_hwc(graph, kernel->writes[0]);
        shape.dims[1] = map.h;
        shape.dims[2] = map.w;
        shape.dims[3] = map.c;
    }
    bind_push_shape(L, &shape);
}

static const char *place_name(nw_place place)
{
    return place == NW_PLACE_SRAM ? "sram" : "dram";
}

static void push_placement(lua_State *L, const nw_kernel_shape *shape)
{
    lua_createtable(L, 0, 3);
    bind_set_text(L, "in", place_name(shape->in_place));
    if (shape->residual || shape->n_maps > 1)
        bind_set_text(L, "second", place_name(shape->residual_place));
    bind_set_text(L, "out", place_name(shape->out_place));
}

static void push_cycles(lua_State *L, const nw_device_cost *cost)
{
    lua_createtable(L, 0, NW_BOUND_COUNT);
    for (int i = 0; cost->is_known && i < NW_BOUND_COUNT; i++)
        bind_set_int(L, nw_bound_name((nw_bound)i), cost->cycles[i]);
}

static void set_cost(lua_State *L, const nw_device_cost *cost)
{
    if (cost->is_known) {
        bind_set_number(L, "latency_us", (double)cost->latency_ps / 1e6);
        bind_set_int(L, "energy_fj", cost->energy_fj);
        bind_set_int(L, "total_cycles", cost->total_cycles);
    }
    bind_set_text(L, "bound", cost->is_known ? nw_bound_name(cost->bound) : "unknown");
    bind_set_number(L, "utilisation", cost->utilisation);
    bind_set_int(L, "macs", cost->macs);
    bind_set_int(L, "weight_bytes", cost->weight_bytes);
    bind_set_int(L, "dram_bytes", cost->dram_bytes);
    bind_set_int(L, "sram_bytes", cost->sram_bytes);
    push_cycles(L, cost);
    lua_setfield(L, -2, "cycles");
    char tile[64] = "";
    if (cost->tile.h)
        snprintf(tile, sizeof tile, "%dx%dx%d", (int)cost->tile.h, (int)cost->tile.w,
                 (int)cost->tile.c);
    bind_set_text(L, "tile", tile);
}

static void push_kernel(lua_State *L, const bind_estimate *object, int index)
{
    const nw_graph *graph = object->network->graph;
    const nw_kernel *kernel = &object->estimate->kernels->kernels[index];
    char text[192];
    lua_createtable(L, 0, 24);
    bind_set_int(L, "index", index + 1);
    bind_set_text(L, "name", nw_node_label(graph, kernel->main, text, sizeof text));
    bind_set_text(L, "type", nw_kernel_shape_name(&kernel->shape, text, sizeof text));
    push_ops(L, graph, kernel);
    lua_setfield(L, -2, "ops");
    push_out_shape(L, graph, kernel);
    lua_setfield(L, -2, "out_shape");
    push_placement(L, &kernel->shape);
    lua_setfield(L, -2, "placement");
    bind_set_int(L, "partition", kernel->partition);
    bind_set_int(L, "bits", kernel->shape.bits);
    bind_set_int(L, "live_bytes", kernel->live_bytes);
    set_cost(L, &object->estimate->costs[index]);
    bind_set_text(L, "why", nw_report_why(object->estimate, index));
    const nw_kernel_latency *latency = &object->estimate->latencies[index];
    lua_pushboolean(L, latency->is_outside);
    lua_setfield(L, -2, "extrapolated");
    if (object->estimate->costs[index].is_known && latency->spread > 0)
        bind_set_number(L, "spread_pct", 100 * (double)latency->spread);
    lua_createtable(L, 1, 0);
    if (kernel->note[0]) {
        lua_pushstring(L, kernel->note);
        lua_rawseti(L, -2, 1);
    }
    lua_setfield(L, -2, "warnings");
}

static int estimate_kernels(lua_State *L)
{
    const bind_estimate *object = check_estimate(L, 1);
    int n = object->estimate->kernels->n_kernels;
    bind_charge(L, UNITS_PER_KERNEL * (int64_t)n);
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        push_kernel(L, object, i);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ---- two estimates ---- */

static int estimate_difference(lua_State *L)
{
    const nw_estimate *a = check_estimate(L, 1)->estimate, *b = check_estimate(L, 2)->estimate;
    bind_charge(L, UNITS_PER_KERNEL * (int64_t)(a->kernels->n_kernels + b->kernels->n_kernels));
    nw_difference d = nw_estimate_difference(a, b);
    lua_createtable(L, 0, 3);
    if (!has_cost(a) || !has_cost(b))
        return 1;
    bind_set_number(L, "latency_us", (double)d.latency_ps / 1e6);
    if (d.has_band) {
        bind_set_number(L, "low_us", (double)d.low_ps / 1e6);
        bind_set_number(L, "high_us", (double)d.high_ps / 1e6);
    }
    return 1;
}

/* ---- pages ---- */

static int push_page(lua_State *L, nw_buf *out)
{
    bind_charge(L, (int64_t)out->length);
    bind_text_limit(L, out);
    lua_pushlstring(L, nw_buf_text(out), out->length);
    return 1;
}

static int estimate_json(lua_State *L)
{
    nw_breakdown breakdown = breakdown_of(check_estimate(L, 1));
    nw_buf *out = bind_new_text(L);
    nw_breakdown_json(&breakdown, out);
    return push_page(L, out);
}

static int estimate_csv(lua_State *L)
{
    nw_breakdown breakdown = breakdown_of(check_estimate(L, 1));
    nw_buf *out = bind_new_text(L);
    nw_breakdown_csv(&breakdown, out);
    return push_page(L, out);
}

static int estimate_text(lua_State *L)
{
    nw_breakdown breakdown = breakdown_of(check_estimate(L, 1));
    lua_Integer width = luaL_optinteger(L, 2, 0);
    luaL_argcheck(L, width >= 0 && width <= 10000, 2, "width is 0 (whole lines) to 10000 columns");
    nw_buf *out = bind_new_text(L);
    nw_breakdown_text(&breakdown, (int)width, out);
    return push_page(L, out);
}

#define ROW(name, hint)                                                                            \
    {                                                                                              \
#name, field_##name, true, "estimate." #name ": " hint                                     \
    }

const bind_row bind_estimate_rows[] = {
    ROW(latency_us, "of one inference; nil if no kernel's cost is known"),
    ROW(energy_uj, "of one inference; nil if no kernel's cost is known"),
    ROW(utilisation, "macs / (peak macs in that time), 0 to 1; nil without latency"),
    ROW(macs, "multiply-accumulates of one inference"),
    ROW(peak_live_bytes, "largest sum of live tensors on this hardware"),
    ROW(arena_bytes, "what the allocator needs for them"),
    ROW(dram_bytes, "moved to and from external memory"),
    ROW(sram_bytes, "moved at the SRAM port"),
    ROW(overhead_us, "the part of latency_us that belongs to no kernel"),
    ROW(host_us, "the part of latency_us spent on the host"),
    ROW(host_switches, "runs of operators on the host"),
    ROW(partitions, "runs of neighbours on device and host"),
    ROW(n_kernels, "kernels the network was split into"),
    ROW(n_unknown, "kernels without a cost, left out of the sums"),
    ROW(fits, "false: too big for this hardware, see reason"),
    ROW(reason, "why it does not fit; empty if it does"),
    ROW(precision, "\"int8\", \"int8 (assumed)\", ..."),
    ROW(latency_low_us, "a 90 % band begins here; nil: none is known"),
    ROW(latency_high_us, "a 90 % band ends here; nil: none is known"),
    ROW(extrapolated_kernels, "kernels outside the range of training"),
    ROW(estimator, "who estimated: \"device\" or \"regression\""),
    ROW(estimator_source, "where its numbers come from"),
    ROW(calibrated, "whether a chip's figures are behind the latency"),
    ROW(network, "what was estimated"),
    ROW(hw, "on what"),
    {"kernels", estimate_kernels, false,
     "estimate:kernels() -> list in schedule order; fields as in nasw estimate --json"},
    {"difference", estimate_difference, false,
     "a:difference(b) -> {latency_us, low_us, high_us}: b - a, with a band of its own"},
    {"json", estimate_json, false, "estimate:json() -> text, schema nasw.estimate/1"},
    {"csv", estimate_csv, false, "estimate:csv() -> text, a row a kernel"},
    {"text", estimate_text, false, "estimate:text([width]) -> the page nasw estimate prints"},
    {"close", close_estimate, false, "estimate:close(): gives its memory back at once"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_estimate_type = {"nasw.Estimate", bind_estimate_rows, close_estimate,
                                      text_estimate, NULL};

const bind_row bind_estimate_module[] = {
    {"estimate", bind_estimate_run, false,
     "nasw.estimate(network, hw [, {precision = \"file\", estimator = \"device\", \"regression\", "
     "path or object}]) -> estimate | nil, message, code"},
    {NULL, NULL, false, NULL},
};
