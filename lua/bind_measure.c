/* bind_measure.c - nasw.measure: kernels on the simulated device, on this CPU, or written as models
 * for a real chip.
 */
#include <math.h>
#include <string.h>

#include "lua/bind.h"
#include "src/measure/measure.h"

#define UNITS_PER_ROW       4000    /* the simulated device on a kernel, about */
#define UNITS_PER_TIMED_ROW 1000000 /* a kernel timed on this CPU: some tenths of a second */
#define UNITS_PER_NETWORK   500000  /* of a plan, with the quick models that refine it */
#define UNITS_PER_MODEL     100000  /* written, beside its weights */
#define DEFAULT_NETWORKS    240

/* Where the options stand on the stack. */
enum { HW = 2, SHAPES, CPU, PATH, EMIT };

/* Measuring cannot be left by raising: it is told to stop, and the reason is raised behind it. */
typedef struct progress {
    lua_engine *engine;
    int64_t n_done; /* rows that are paid for; -1: none was counted yet */
    bind_stop stop;
} progress;

static bool go_on(void *context, const char *what, double done)
{
    progress *p = context;
    (void)what, (void)done;
    p->stop = bind_must_stop(p->engine);
    return p->stop == BIND_RUNS;
}

/* Rows that were there from before are no work. */
static bool go_on_with_rows(void *context, int64_t n_done, int64_t n_total, double seconds_left)
{
    progress *p = context;
    (void)seconds_left;
    if (p->n_done >= 0)
        p->engine->budget -= UNITS_PER_TIMED_ROW * (n_done - p->n_done);
    p->n_done = n_done;
    return go_on(p, "", (double)n_done / (double)n_total);
}

/* Raises if the work was told to stop; else pushes nil, message, code. False. */
static bool fail(lua_State *L, const progress *p, nw_error *err)
{
    if (p->stop != BIND_RUNS)
        bind_raise_stop(L, p->stop);
    bind_push_table_error(L, err);
    return false;
}

static nw_sample_options check_sample(lua_State *L, progress *p)
{
    nw_sample_options o = {.seed = (uint32_t)bind_int_option(L, 1, "seed", 0, UINT32_MAX),
                           .n_networks = (int)bind_int_option(L, 1, "networks", 10, 100000),
                           .progress = go_on,
                           .progress_context = p};
    bind_charge(L, UNITS_PER_NETWORK * (o.n_networks ? o.n_networks : DEFAULT_NETWORKS));
    return o;
}

/* The shapes that the options list, or those of a plan for the hardware. NULL: nil, message, code
 * were pushed. */
static const bind_measurements *take_shapes(lua_State *L)
{
    if (!lua_isnil(L, SHAPES))
        return bind_take_table(L, SHAPES, "shapes");
    progress p = {bind_engine(L), -1, BIND_RUNS};
    nw_sample_options options = check_sample(L, &p);
    bind_measurements *object = bind_new(L, &bind_measurements_type, sizeof *object, 0);
    nw_buf *text = bind_new_text(L);
    nw_error err;
    if (nw_sample_shapes(bind_check_hw(L, HW), &options, text, &err) != NW_OK) {
        fail(L, &p, &err);
        return NULL;
    }
    if (!bind_fill_table(L, object,
                         nw_file_from_bytes("the plan", nw_buf_text(text), text->length)))
        return NULL;
    lua_pop(L, 1);
    lua_replace(L, SHAPES);
    return object;
}

/* Fills object; false: nil, message, code were pushed. */
static bool measure_on_device(lua_State *L, bind_measurements *object)
{
    const nw_hw *hw = bind_check_hw(L, HW);
    progress p = {bind_engine(L), -1, BIND_RUNS};
    nw_buf *out = bind_new_text(L);
    nw_error err;
    nw_status status;
    if (lua_isnil(L, SHAPES)) {
        nw_sample_options options = check_sample(L, &p);
        status = nw_sample_device(hw, &options, out, &err);
    } else {
        const bind_measurements *shapes = bind_take_table(L, SHAPES, "shapes");
        if (!shapes)
            return false;
        bind_charge(L, UNITS_PER_ROW * (int64_t)shapes->table->n_rows);
        status = nw_measure_shapes(shapes->file, hw, out, &err);
    }
    if (status != NW_OK)
        return fail(L, &p, &err);
    return bind_fill_table(L, object,
                           nw_file_from_bytes("measurements", nw_buf_text(out), out->length));
}

static bool measure_on_cpu(lua_State *L, bind_measurements *object)
{
    const char *path = lua_tostring(L, PATH);
    const bind_measurements *shapes = take_shapes(L);
    if (!shapes)
        return false;
    progress p = {bind_engine(L), -1, BIND_RUNS};
    nw_exec_watch watch = {.progress = go_on_with_rows, .context = &p};
    nw_error err;
    nw_status status = NW_OK;
    if (!p.engine->config.is_trusted)
        status = bind_check_write_path(path, &err);
    if (status == NW_OK)
        status = nw_measure_cpu(shapes->file, path, NULL, &watch, NULL, &err);
    return status == NW_OK ? bind_read_table(L, object, path) : fail(L, &p, &err);
}

/* ---- models for a real chip ---- */

static double number_in(const nw_table *table, int row, const char *column)
{
    int index = nw_table_find(table, column);
    double value = NAN;
    if (index < 0 || nw_table_number(table, row, index, &value, NULL) != NW_OK || !(value >= 1))
        return 1;
    return value;
}

/* What writing the models costs: their weights, before any is made. */
static void charge_models(lua_State *L, const nw_table *table)
{
    int kernel = nw_table_find(table, "kernel");
    for (int row = 0; row < table->n_rows; row++) {
        bool is_depthwise =
            kernel >= 0 && strncmp(nw_table_cell(table, row, kernel), "dwconv", 6) == 0;
        double weights = number_in(table, row, "out_c") * number_in(table, row, "kernel_h") *
                         number_in(table, row, "kernel_w");
        if (!is_depthwise)
            weights *= number_in(table, row, "in_c") / number_in(table, row, "groups");
        bind_charge(L, UNITS_PER_MODEL + (int64_t)fmin(weights, 0x1p40));
    }
}

/* A new folder, or one of ours. */
static nw_status check_folder(const char *dir, const char *manifest, nw_error *err)
{
    if (bind_check_write_path(manifest, NULL) == NW_OK)
        return NW_OK;
    return bind_check_write_path(dir, err);
}

static bool emit_models(lua_State *L, bind_measurements *object)
{
    const char *dir = lua_tostring(L, EMIT);
    const bind_measurements *shapes = take_shapes(L);
    if (!shapes)
        return false;
    charge_models(L, shapes->table);
    progress p = {bind_engine(L), -1, BIND_RUNS};
    const nw_hw *hw = lua_isnil(L, HW) ? NULL : bind_check_hw(L, HW);
    const char *manifest = lua_pushfstring(L, "%s/manifest.csv", dir);
    nw_error err;
    nw_status status = NW_OK;
    if (!p.engine->config.is_trusted)
        status = check_folder(dir, manifest, &err);
    if (status == NW_OK)
        status = nw_measure_emit(shapes->file, dir, hw, NULL, &err);
    return status == NW_OK ? bind_read_table(L, object, manifest) : fail(L, &p, &err);
}

/* ---- what is to be done ---- */

static void check_text_option(lua_State *L, int index, const char *what)
{
    if (!lua_isnil(L, index) && lua_type(L, index) != LUA_TSTRING)
        luaL_argerror(L, 1, lua_pushfstring(L, "option '%s' must be a string", what));
}

static void check_measure_options(lua_State *L)
{
    static const char *const names[] = {"hw",   "shapes",   "cpu",  "path",
                                        "emit", "networks", "seed", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    bind_check_options(L, 1, names);
    lua_settop(L, 1);
    for (int i = HW; i <= EMIT; i++)
        bind_push_option(L, 1, names[i - HW]);
    check_text_option(L, PATH, "path");
    check_text_option(L, EMIT, "emit");
    luaL_argcheck(L, lua_isnil(L, CPU) || lua_isboolean(L, CPU), 1,
                  "option 'cpu' must be true or false");
    bool is_cpu = lua_toboolean(L, CPU), has_hw = !lua_isnil(L, HW), has_path = !lua_isnil(L, PATH);
    bool has_shapes = !lua_isnil(L, SHAPES), is_emitted = !lua_isnil(L, EMIT);
    luaL_argcheck(L, !is_cpu || !has_hw, 1, "options 'cpu' and 'hw' exclude each other");
    luaL_argcheck(L, !is_cpu || !is_emitted, 1, "options 'cpu' and 'emit' exclude each other");
    luaL_argcheck(L, !is_cpu || has_path, 1,
                  "option 'path' is missing: the CSV that cpu = true writes");
    luaL_argcheck(L, is_cpu || !has_path, 1,
                  "option 'path' belongs to cpu = true; measurements:write(path) writes others");
    luaL_argcheck(L, is_cpu || has_hw || (is_emitted && has_shapes), 1,
                  "option 'hw' is missing: a description or its name; or cpu = true");
}

static int bind_measure(lua_State *L)
{
    check_measure_options(L);
    bool is_cpu = lua_toboolean(L, CPU), is_emitted = !lua_isnil(L, EMIT), is_done;
    if (is_cpu) { /* whose rules say what is joined in a plan */
        lua_pushliteral(L, "cpu-onednn");
        lua_replace(L, HW);
    }
    bool needs_hw = !lua_isnil(L, HW) && (!is_cpu || lua_isnil(L, SHAPES));
    if (needs_hw && !bind_take_hw(L, HW))
        return 3;
    bind_measurements *object = bind_new(L, &bind_measurements_type, sizeof *object, 0);
    int at = lua_gettop(L);
    if (is_emitted)
        is_done = emit_models(L, object);
    else
        is_done = is_cpu ? measure_on_cpu(L, object) : measure_on_device(L, object);
    if (!is_done)
        return 3;
    lua_settop(L, at);
    return 1;
}

const bind_row bind_measure_module[] = {
    {"measure", bind_measure, false,
     "nasw.measure{hw = \"ne32\", shapes = rows or CSV}; without shapes a plan; {cpu = true, path "
     "= "
     "\"cpu.csv\"}; {emit = \"folder\", hw = ...} -> measurements | nil, message, code"},
    {NULL, NULL, false, NULL},
};
