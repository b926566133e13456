/* bind_terrain.c - figures of any terrain, and functions of the script as a landscape's heights.
 */
#include <math.h>

#include "lua/bind_landscape.h"

#define UNITS_PER_VALUE 10
#define UNITS_PER_CALL  50 /* with the table of totals */
#define MAX_VALUES      (1 << 20)

static void set_if(lua_State *L, const char *key, double value)
{
    if (!isnan(value))
        bind_set_number(L, key, value);
}

void bind_push_figures(lua_State *L, const nw_figures *f)
{
    lua_createtable(L, 0, 24);
    bind_set_int(L, "points", f->n_points);
    bind_set_int(L, "edges", f->n_edges);
    bind_set_int(L, "minima", f->n_minima);
    bind_set_int(L, "plateaus", f->n_plateaus);
    set_if(L, "best", f->best);
    set_if(L, "worst", f->worst);
    set_if(L, "mean", f->mean);
    set_if(L, "p5", f->p5);
    set_if(L, "median", f->median);
    set_if(L, "p95", f->p95);
    set_if(L, "mean_step", f->mean_step);
    set_if(L, "monotone", f->monotone);
    set_if(L, "neutral", f->neutral);
    set_if(L, "density", f->density);
    set_if(L, "share_1pct", f->share_1pct);
    set_if(L, "share_5pct", f->share_5pct);
    set_if(L, "walking_1pct", f->walking_1pct);
    set_if(L, "walking_5pct", f->walking_5pct);
    set_if(L, "mean_evaluations", f->mean_evaluations);
    set_if(L, "mean_moves", f->mean_moves);
    set_if(L, "r1", f->r1);
    set_if(L, "fdc", f->fdc);
}

/* ---- figures of any terrain ---- */

/* Reads row y, the value at the top, into values. */
static void read_row(lua_State *L, int width, double *values)
{
    luaL_argcheck(L, lua_istable(L, -1) && (int)lua_rawlen(L, -1) == width, 1,
                  "wanted rows of one length: {{1, 2}, {3, 4}}");
    for (int x = 0; x < width; x++) {
        lua_rawgeti(L, -1, x + 1);
        bool is_none = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
        luaL_argcheck(L, is_none || lua_type(L, -1) == LUA_TNUMBER, 1,
                      "wanted numbers; false: no such point");
        values[x] = is_none ? NAN : lua_tonumber(L, -1);
        luaL_argcheck(L, is_none || isfinite(values[x]), 1, "wanted finite numbers");
        lua_pop(L, 1);
    }
}

/* nasw.figures(rows [, {range = 0, choices = false}]) -> figures */
int bind_find_figures(lua_State *L)
{
    static const char *const options[] = {"range", "choices", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    bind_check_options(L, 2, options);
    bind_push_option(L, 2, "range");
    double range = luaL_optnumber(L, -1, 0);
    bind_push_option(L, 2, "choices");
    nw_axis_kind kind = lua_toboolean(L, -1) ? NW_AXIS_CHOICES : NW_AXIS_STEPS;
    lua_Integer height = (lua_Integer)lua_rawlen(L, 1);
    luaL_argcheck(L, height > 0 && lua_rawgeti(L, 1, 1) == LUA_TTABLE, 1, "wanted rows of numbers");
    lua_Integer width = (lua_Integer)lua_rawlen(L, -1);
    luaL_argcheck(L, width > 0 && height <= MAX_VALUES && width <= MAX_VALUES / height, 1,
                  "from 1 to a million numbers");
    int64_t degree = kind == NW_AXIS_CHOICES ? width + height : 4;
    bind_charge(L, UNITS_PER_VALUE * width * height * degree);
    double *values = lua_newuserdatauv(L, (size_t)(width * height) * sizeof *values, 0);
    for (lua_Integer y = 0; y < height; y++) {
        lua_rawgeti(L, 1, y + 1);
        read_row(L, (int)width, values + y * width);
        lua_pop(L, 1);
    }
    nw_terrain terrain = {.n_axes = 2,
                          .sizes = {(int)width, (int)height},
                          .kinds = {kind, kind},
                          .n_points = width * height,
                          .values = values};
    nw_figures figures;
    nw_figures_find(&terrain, range, &figures);
    bind_push_figures(L, &figures);
    return 1;
}

/* ---- a function as the metric ---- */

/* What the function at index 2 says of a point: the slow path. NAN: no network, or nil. */
static double ask(lua_State *L, const bind_landscape *object, int x, int y)
{
    const nw_totals *totals = nw_slice_totals(object->survey.slice, x, y);
    if (!totals)
        return NAN;
    bind_charge(L, UNITS_PER_CALL);
    lua_pushvalue(L, 2);
    bind_push_totals(L, totals, &object->survey.objective);
    bind_push_landscape_point(L, object, x, y);
    lua_call(L, 2, 1);
    if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TNUMBER)
        bind_refuse(L, "map: the function returned a %s, not a number", luaL_typename(L, -1));
    double value = lua_isnil(L, -1) ? NAN : lua_tonumber(L, -1);
    lua_pop(L, 1);
    return isfinite(value) ? value : NAN;
}

/* Pushes the values as rows; false: no such point. */
static void push_rows(lua_State *L, const double *values, int width, int height)
{
    lua_createtable(L, height, 0);
    for (int y = 0; y < height; y++) {
        lua_createtable(L, width, 0);
        for (int x = 0; x < width; x++) {
            double value = values[(int64_t)y * width + x];
            if (isnan(value))
                lua_pushboolean(L, false);
            else
                lua_pushnumber(L, value);
            lua_rawseti(L, -2, x + 1);
        }
        lua_rawseti(L, -2, y + 1);
    }
}

static void push_at(lua_State *L, const bind_landscape *object, const nw_pane *p, int64_t point)
{
    bind_push_landscape_point(L, object, p->at_x[point % p->width], p->at_y[point / p->width]);
}

/* Into the table at the top: the descent from where the panel's own begins. */
static void set_climb(lua_State *L, const bind_landscape *object, const nw_pane *p,
                      const nw_terrain *terrain)
{
    nw_climb climb;
    nw_buf *kept = bind_new_text(L); /* the path, where the collector finds it */
    if (!p->climb.n_path || isnan(terrain->values[p->climb.path[0]])) {
        lua_pop(L, 1);
        return;
    }
    nw_climb_run(terrain, p->climb.path[0], false, &climb);
    int n = climb.n_path;
    int64_t n_evaluations = climb.n_evaluations;
    nw_buf_add(kept, (const char *)climb.path, (size_t)n * sizeof *climb.path);
    nw_climb_fini(&climb);
    const int64_t *path = (const int64_t *)(const void *)kept->text;
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        push_at(L, object, p, path[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -3, "path");
    lua_pop(L, 1);
    bind_set_int(L, "evaluations", n_evaluations);
}

/* landscape:map(function(totals, point) ... end [, panel]) */
int bind_landscape_map(lua_State *L)
{
    const bind_landscape *object = bind_check_landscape(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 3);
    if (lua_isnil(L, 3)) {
        lua_pushliteral(L, "single");
        lua_replace(L, 3);
    }
    const nw_pane *p = &object->survey.panes.panes[bind_check_pane(L, object, 3)];
    double *values = lua_newuserdatauv(L, (size_t)p->terrain.n_points * sizeof *values, 0);
    for (int64_t i = 0; i < p->terrain.n_points; i++) {
        values[i] = ask(L, object, p->at_x[i % p->width], p->at_y[i / p->width]);
        luaL_argcheck(L, object->is_open, 1, "the function closed the landscape");
    }
    nw_terrain terrain = p->terrain;
    terrain.values = values;
    nw_figures figures;
    bind_charge(L, UNITS_PER_VALUE * terrain.n_points);
    nw_figures_find(&terrain, 0, &figures);
    lua_createtable(L, 0, 6);
    push_rows(L, values, p->width, p->height);
    lua_setfield(L, -2, "values");
    bind_push_figures(L, &figures);
    lua_setfield(L, -2, "figures");
    set_climb(L, object, p, &terrain);
    if (figures.best_point >= 0) {
        push_at(L, object, p, figures.best_point);
        lua_setfield(L, -2, "best");
    }
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "slow");
    return 1;
}
