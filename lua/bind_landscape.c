/* bind_landscape.c - landscapes of spaces, paths between genomes, figures of any terrain.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lua/bind_landscape.h"
#include "src/base/arena.h"
#include "src/report/report.h"

#define UNITS_PER_POINT 500 /* of a grid, a twentieth of what an edit and its estimate take */
#define UNITS_PER_VALUE 10
#define BYTES_PER_POINT 160
#define MAX_SIDE        1024

static const char *const pane_names[] = {"macs", "single", "curated", "shifted", "scored_macs"};

/* ---- objects ---- */

static void close_landscape(bind_holder *holder)
{
    bind_landscape *object = (bind_landscape *)holder;
    nw_survey_fini(&object->survey);
    nw_route_fini(&object->route);
    nw_estimator_release(object->estimator);
    free(object->name);
    free(object->precision);
    object->estimator = NULL;
    object->name = object->precision = NULL;
    object->is_open = false;
}

static int close_object(lua_State *L)
{
    bind_landscape *object = bind_check(L, 1, &bind_landscape_type);
    bind_close_holder(&object->holder);
    return 0;
}

bind_landscape *bind_check_landscape(lua_State *L, int index)
{
    bind_landscape *object = bind_check(L, index, &bind_landscape_type);
    luaL_argcheck(L, object->is_open, index, "the landscape is closed");
    return object;
}

static const nw_dim *axis_of(const bind_landscape *object, bool is_y)
{
    int n, dim = is_y ? object->survey.y_dim : object->survey.x_dim;
    const nw_dim *dims = nw_space_dims(object->survey.grid, &n);
    return dim < 0 ? NULL : &dims[dim];
}

static int text_landscape(lua_State *L)
{
    const bind_landscape *object = bind_check(L, 1, &bind_landscape_type);
    if (!object->is_open) {
        lua_pushliteral(L, "landscape (closed)");
        return 1;
    }
    bind_push_printable(L, object->name);
    lua_pushfstring(L, "landscape of %s: %d x %d points", lua_tostring(L, -1),
                    nw_slice_width(object->survey.slice), nw_slice_height(object->survey.slice));
    return 1;
}

/* ---- making ---- */

static int check_axis(lua_State *L, const nw_space *space, const char *key)
{
    const char *name = bind_option(L, 3, key, NULL);
    int dim = name ? nw_space_find_dim(space, name) : -1;
    if (name && dim < 0)
        bind_refuse(L, "landscape: the space has no dimension '%s'; space:dims() lists them", name);
    return dim;
}

nw_metric bind_check_metric(lua_State *L, const char *function)
{
    const char *name = bind_option(L, 3, "metric", "objective");
    nw_metric metric = nw_metric_find(name);
    if (metric == NW_METRIC_COUNT)
        bind_refuse(L, "%s: there is no metric '%s'", function, name);
    return metric;
}

/* Leaves "c3=156 c4=104" of a text or a table on the stack. */
static const char *check_start(lua_State *L)
{
    bind_push_option(L, 3, "start");
    if (lua_type(L, -1) != LUA_TTABLE) {
        luaL_argcheck(L, lua_isnil(L, -1) || lua_type(L, -1) == LUA_TSTRING, 3,
                      "option 'start': wanted a text or a table of options by name");
        return lua_tostring(L, -1);
    }
    nw_buf *text = bind_new_text(L);
    for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 3, "option 'start': wanted names");
        nw_buf_printf(text, "%s%s=", text->length ? " " : "", lua_tostring(L, -2));
        nw_buf_puts(text, luaL_tolstring(L, -1, NULL));
        lua_pop(L, 1);
        bind_text_limit(L, text);
    }
    return nw_buf_text(text);
}

/* A curation at the top of the stack becomes its space. */
static void take_curation(lua_State *L)
{
    nw_error err;
    const nw_space *part;
    if (!luaL_testudata(L, -1, bind_curation_type.name))
        return;
    bind_space *object = bind_new(L, &bind_space_type, sizeof *object, 0);
    if (bind_curated_space(L, lua_gettop(L) - 1, &part, &err) != NW_OK)
        bind_raise_here(L, &err);
    if (!bind_fill_space(L, object, part))
        luaL_error(L, "too much memory in open spaces; close some");
    lua_remove(L, -2);
}

/* `curated`: false, a curation, a space with fewer options, or nothing: what curation keeps of the
 * grid. Stays on the stack. */
static void check_curated(lua_State *L, const bind_space *owner, nw_survey_spec *spec)
{
    bind_push_option(L, 3, "curated");
    take_curation(L);
    spec->has_curated = lua_isnil(L, -1) || lua_toboolean(L, -1);
    if (luaL_testudata(L, -1, bind_space_type.name)) {
        const bind_space *part = bind_check_space(L, -1);
        spec->curated = part->space;
        luaL_argcheck(L, nw_space_n_dims(part->space) == nw_space_n_dims(owner->space), 3,
                      "option 'curated' is a part of another space");
        return;
    }
    luaL_argcheck(L, lua_isnil(L, -1) || lua_isboolean(L, -1), 3,
                  "option 'curated': wanted true, false, a curation or a space with fewer options");
}

static int64_t side_of(const nw_dim *dim, int64_t most)
{
    bool is_counted = dim->kind == NW_DIM_CHANNELS || dim->kind == NW_DIM_EXPANDED;
    int64_t range = dim->options[dim->n_options - 1].n - dim->options[0].n + 1;
    return !is_counted ? dim->n_options : range < most ? range : most + dim->n_options;
}

static int64_t count_points(const nw_survey_spec *spec)
{
    int n;
    const nw_dim *dims = nw_space_dims(spec->space, &n);
    return side_of(&dims[spec->x_dim], spec->max_side) *
           (spec->y_dim < 0 ? 1 : side_of(&dims[spec->y_dim], spec->max_side));
}

bind_landscape_work bind_landscape_begin(lua_State *L)
{
    bind_landscape_work work = {bind_engine(L), BIND_RUNS, bind_new_text(L)};
    bind_watch_hooks(work.engine);
    return work;
}

bool bind_landscape_go_on(void *context, const char *what, double done)
{
    bind_landscape_work *work = context;
    (void)what, (void)done;
    work->stop = bind_must_stop(work->engine);
    return work->stop == BIND_RUNS;
}

void bind_landscape_end(lua_State *L, const bind_landscape_work *work)
{
    if (work->stop != BIND_RUNS)
        bind_raise_stop(L, work->stop);
    if (bind_find_hook_problem(work->engine, work->problem)) {
        lua_pushlstring(L, nw_buf_text(work->problem), work->problem->length);
        lua_error(L);
    }
    lua_pop(L, 1);
}

/* Runs the survey into the object, which is a holder already. */
static nw_status run(lua_State *L, bind_landscape *object, nw_survey_spec *spec, nw_error *err)
{
    bind_landscape_work work = bind_landscape_begin(L);
    spec->progress = bind_landscape_go_on;
    spec->progress_context = &work;
    nw_status status = nw_survey_run(spec, &object->survey, err);
    bind_landscape_end(L, &work);
    return status;
}

bind_landscape *bind_new_landscape(lua_State *L, int64_t n_bytes)
{
    bind_landscape *object = bind_new(L, &bind_landscape_type, sizeof *object, 1);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, 1);
    object->hw = lua_touserdata(L, 2);
    return bind_open_holder(L, &object->holder, close_landscape, n_bytes) ? object : NULL;
}

static char *copy_text(const char *text)
{
    size_t n_bytes = text ? strlen(text) + 1 : 0;
    return text ? memcpy(nw_alloc(n_bytes), text, n_bytes) : NULL;
}

/* nasw.landscape(space, hw, {x = , y = , ...}) -> landscape | nil, message, code */
static int new_landscape(lua_State *L)
{
    static const char *const options[] = {"x",         "y",    "metric",  "start",
                                          "genome",    "side", "curated", "estimator",
                                          "precision", "seed", NULL};
    bind_space *owner = bind_check_space(L, 1);
    bind_check_options(L, 3, options);
    const char *choice;
    const bind_estimator *model = bind_check_choice(L, &choice);
    nw_survey_spec spec = {.space = owner->space,
                           .x_dim = check_axis(L, owner->space, "x"),
                           .y_dim = check_axis(L, owner->space, "y"),
                           .metric = bind_check_metric(L, "landscape"),
                           .precision = bind_option(L, 3, "precision", "file"),
                           .seed = (uint64_t)bind_int_option(L, 3, "seed", 1, 0xffffffff),
                           .max_side = (int)bind_int_option(L, 3, "side", 2, MAX_SIDE)};
    if (spec.x_dim < 0)
        bind_refuse(L, "landscape: option 'x' names a dimension; space:dims() lists them");
    spec.max_side = spec.max_side ? spec.max_side : NW_GRID_SIDE;
    if (!bind_take_hw(L, 2))
        return 3;
    spec.hw = bind_check_hw(L, 2);
    lua_settop(L, 3);
    check_curated(L, owner, &spec);
    spec.start = check_start(L);
    bind_push_option(L, 3, "genome");
    spec.genome = bind_take_genome(L, 1, lua_gettop(L))->genes;

    nw_error err;
    int64_t n_points = count_points(&spec);
    bind_charge(L, UNITS_PER_POINT * n_points);
    bind_landscape *object = bind_new_landscape(L, BYTES_PER_POINT * n_points);
    if (!object)
        return bind_push_failure(L, NW_LIMIT, "",
                                 "too much memory in open landscapes; close some, or take a "
                                 "smaller `side`");
    object->name = copy_text(nw_space_name(owner->space));
    object->precision = copy_text(spec.precision);
    if (bind_open_estimator(L, 2, choice, model, (int)n_points, &object->estimator, &err) != NW_OK)
        return bind_push_estimator_error(L, &err);
    spec.estimator = object->estimator;
    if (run(L, object, &spec, &err) != NW_OK) {
        bind_close_holder(&object->holder);
        return bind_push_error(L, &err);
    }
    object->is_open = true;
    return 1;
}

/* ---- reading ---- */

void bind_push_landscape_point(lua_State *L, const bind_landscape *object, int x, int y)
{
    const nw_dim *dim_x = axis_of(object, false), *dim_y = axis_of(object, true);
    lua_createtable(L, 0, 2);
    bind_push_option_value(L, dim_x->kind, &dim_x->options[x]);
    lua_setfield(L, -2, dim_x->name);
    if (!dim_y)
        return;
    bind_push_option_value(L, dim_y->kind, &dim_y->options[y]);
    lua_setfield(L, -2, dim_y->name);
}

/* Into the table at the top. */
static void set_totals(lua_State *L, const bind_landscape *object, const nw_totals *totals)
{
    for (int m = 0; m < NW_METRIC_COUNT; m++)
        bind_set_number(L, nw_metric_name((nw_metric)m),
                        nw_totals_metric(totals, (nw_metric)m, &object->survey.objective));
}

static void set_options(lua_State *L, const char *key, const nw_dim *dim, const int *at, int n)
{
    lua_createtable(L, n, 0);
    for (int i = 0; dim && i < n; i++) {
        bind_push_option_value(L, dim->kind, &dim->options[at[i]]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, key);
}

static void set_path(lua_State *L, const bind_landscape *object, const nw_pane *p)
{
    lua_createtable(L, p->climb.n_path, 0);
    for (int i = 0; i < p->climb.n_path; i++) {
        int64_t at = p->climb.path[i];
        bind_push_landscape_point(L, object, p->at_x[at % p->width], p->at_y[at / p->width]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "path");
}

static void push_pane(lua_State *L, const bind_landscape *object, int id)
{
    const nw_pane *p = &object->survey.panes.panes[id];
    lua_createtable(L, 0, 16);
    bind_set_text(L, "name", pane_names[id]);
    bind_set_int(L, "width", p->width);
    bind_set_int(L, "height", p->height);
    set_options(L, "columns", axis_of(object, false), p->at_x, p->width);
    set_options(L, "rows", axis_of(object, true), p->at_y, p->height);
    set_path(L, object, p);
    bind_set_int(L, "evaluations", p->climb.n_evaluations);
    lua_createtable(L, 0, 10);
    bind_push_landscape_point(L, object, p->end_x, p->end_y);
    lua_setfield(L, -2, "point");
    set_totals(L, object, &p->end);
    bind_set_number(L, "value", p->end_value);
    lua_setfield(L, -2, "ends");
    bind_set_number(L, "gap", p->gap);
    bind_set_number(L, "mean_gap", p->mean_gap);
    bind_set_number(L, "near_1pct", p->near_1pct);
    bind_set_number(L, "near_5pct", p->near_5pct);
    bind_push_figures(L, &p->figures);
    lua_setfield(L, -2, "figures");
}

/* The panel that the text at index names; raises where there is none. */
int bind_check_pane(lua_State *L, const bind_landscape *object, int index)
{
    const char *name = luaL_checkstring(L, index);
    for (int id = 0; id < NW_PANE_COUNT; id++)
        if (strcmp(name, pane_names[id]) == 0 && object->survey.panes.panes[id].is_there)
            return id;
    return luaL_argerror(L, index,
                         "there is no such panel here: macs, single, curated, shifted, "
                         "scored_macs");
}

static int landscape_panel(lua_State *L)
{
    const bind_landscape *object = bind_check_landscape(L, 1);
    int id = bind_check_pane(L, object, 2);
    const nw_pane *p = &object->survey.panes.panes[id];
    bind_charge(L, UNITS_PER_VALUE * (int64_t)(p->width + p->height + p->climb.n_path));
    push_pane(L, object, id);
    return 1;
}

static int landscape_panels(lua_State *L)
{
    const bind_landscape *object = bind_check_landscape(L, 1);
    int n = 0;
    lua_createtable(L, NW_PANE_COUNT, 0);
    for (int id = 0; id < NW_PANE_COUNT; id++)
        if (object->survey.panes.panes[id].is_there) {
            lua_pushstring(L, pane_names[id]);
            lua_rawseti(L, -2, ++n);
        }
    return 1;
}

static int landscape_values(lua_State *L)
{
    const bind_landscape *object = bind_check_landscape(L, 1);
    int id = bind_check_pane(L, object, 2);
    const nw_pane *p = &object->survey.panes.panes[id];
    bool is_turned =
        id != NW_PANE_MACS && nw_metric_sense(nw_slice_metric(object->survey.slice)) > 0;
    bind_charge(L, UNITS_PER_VALUE * p->terrain.n_points);
    lua_createtable(L, p->height, 0);
    for (int y = 0; y < p->height; y++) {
        lua_createtable(L, p->width, 0);
        for (int x = 0; x < p->width; x++) {
            double value = p->values[(int64_t)y * p->width + x];
            if (isnan(value))
                lua_pushboolean(L, false);
            else
                lua_pushnumber(L, is_turned ? -value : value);
            lua_rawseti(L, -2, x + 1);
        }
        lua_rawseti(L, -2, y + 1);
    }
    return 1;
}

static int field_best(lua_State *L)
{
    const bind_landscape *object = bind_check_landscape(L, 1);
    const nw_panes *panes = &object->survey.panes;
    lua_createtable(L, 0, 10);
    bind_push_landscape_point(L, object, panes->best_x, panes->best_y);
    lua_setfield(L, -2, "point");
    set_totals(L, object, &panes->best);
    bind_set_number(L, "value", panes->best_value);
    return 1;
}

static int field_start(lua_State *L)
{
    const bind_landscape *object = bind_check_landscape(L, 1);
    bind_push_landscape_point(L, object, object->survey.panes.start_x,
                              object->survey.panes.start_y);
    return 1;
}

static int field_restarts(lua_State *L)
{
    const nw_restarts *r = &bind_check_landscape(L, 1)->survey.panes.restarts;
    if (!r->n_runs)
        return 0;
    lua_createtable(L, 0, 5);
    bind_set_int(L, "evaluations", r->n_evaluations);
    bind_set_int(L, "runs", r->n_runs);
    bind_set_number(L, "mean_gap", r->mean_gap);
    bind_set_number(L, "near_1pct", r->near_1pct);
    bind_set_number(L, "near_5pct", r->near_5pct);
    return 1;
}

static int field_metric(lua_State *L)
{
    const bind_landscape *object = bind_check_landscape(L, 1);
    lua_pushstring(L, nw_metric_name(nw_slice_metric(object->survey.slice)));
    return 1;
}

static int push_axis(lua_State *L, bool is_y)
{
    const nw_dim *dim = axis_of(bind_check_landscape(L, 1), is_y);
    if (!dim)
        return 0;
    lua_pushstring(L, dim->name);
    return 1;
}

static int field_x(lua_State *L)
{
    return push_axis(L, false);
}

static int field_y(lua_State *L)
{
    return push_axis(L, true);
}

/* ---- pages ---- */

static nw_landscape_page page_of(lua_State *L, const bind_landscape *object)
{
    luaL_argcheck(L, object->hw->hw, 1, "the landscape's hardware is closed");
    nw_landscape_page page = {.space = object->name,
                              .hw = object->hw->hw,
                              .estimator = object->estimator,
                              .precision = object->precision,
                              .x = axis_of(object, false),
                              .y = axis_of(object, true),
                              .slice = object->survey.slice,
                              .base = nw_space_base(object->survey.grid),
                              .panes = &object->survey.panes,
                              .objective = object->survey.objective};
    for (int id = 0; id <= NW_PANE_CURATED; id++)
        if (page.panes->panes[id].is_there)
            page.shown[page.n_shown++] = (nw_pane_id)id;
    return page;
}

static int push_page(lua_State *L, void (*write)(const nw_landscape_page *page, nw_buf *out))
{
    const bind_landscape *object = bind_check_landscape(L, 1);
    nw_landscape_page page = page_of(L, object);
    bind_charge(L, UNITS_PER_VALUE * 8 * object->survey.panes.panes[0].terrain.n_points);
    nw_buf *out = bind_new_text(L);
    write(&page, out);
    bind_text_limit(L, out);
    lua_pushlstring(L, nw_buf_text(out), out->length);
    return 1;
}

static int landscape_json(lua_State *L)
{
    return push_page(L, nw_landscape_json);
}

static int landscape_svg(lua_State *L)
{
    return push_page(L, nw_landscape_svg);
}

static int landscape_text(lua_State *L)
{
    const bind_landscape *object = bind_check_landscape(L, 1);
    lua_Integer width = luaL_optinteger(L, 2, 0);
    luaL_argcheck(L, width >= 0 && width <= 10000, 2, "width is 0 (80 columns) to 10000");
    nw_landscape_page page = page_of(L, object);
    bind_charge(L, UNITS_PER_VALUE * 8 * object->survey.panes.panes[0].terrain.n_points);
    nw_buf *out = bind_new_text(L);
    nw_landscape_text(&page, (int)width, out);
    bind_text_limit(L, out);
    lua_pushlstring(L, nw_buf_text(out), out->length);
    return 1;
}

const bind_row bind_landscape_rows[] = {
    {"x", field_x, true, "landscape.x: name of the dimension"},
    {"y", field_y, true, "landscape.y: name of the dimension; nil: a line"},
    {"metric", field_metric, true, "landscape.metric: of panels single and curated"},
    {"start", field_start, true, "landscape.start: {c3 = 242, c4 = 242}"},
    {"best", field_best, true,
     "landscape.best: {point, value, latency_us, macs, ...} of all points in single steps"},
    {"restarts", field_restarts, true,
     "landscape.restarts: {evaluations, runs, mean_gap, near_1pct, near_5pct}; nil: not curated"},
    {"panels", landscape_panels, false, "landscape:panels() -> names: macs, single, curated, ..."},
    {"panel", landscape_panel, false,
     "landscape:panel(\"curated\") -> {columns, rows, path, evaluations, ends, gap, figures, ...}"},
    {"values", landscape_values, false, "landscape:values(\"single\") -> rows of numbers"},
    {"map", bind_landscape_map, false,
     "landscape:map(function(totals) return number end [, panel]) -> {values, figures, path, "
     "evaluations, best, slow = true}"},
    {"json", landscape_json, false, "landscape:json() -> text, schema nasw.landscape/1"},
    {"svg", landscape_svg, false, "landscape:svg() -> text, a picture of the panels"},
    {"text", landscape_text, false, "landscape:text([width]) -> the page nasw landscape prints"},
    {"close", close_object, false, "landscape:close(): gives its memory back at once"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_landscape_type = {"nasw.Landscape", bind_landscape_rows, close_object,
                                       text_landscape, NULL};

const bind_row bind_landscape_module[] = {
    {"landscape", new_landscape, false,
     "nasw.landscape(space, hw, {x = \"c3\", y = \"c4\", metric, start, genome, side, curated, "
     "estimator, precision, seed}) -> landscape"},
    {"route", bind_find_route, false,
     "nasw.route(space, hw, {to = \"c3=64 v2.0=fused\", from, metric, estimator, precision}) -> "
     "{metric, path, figures}"},
    {"figures", bind_find_figures, false,
     "nasw.figures({{1, 2}, {3, 4}} [, {range, choices}]) -> {minima, mean_step, r1, fdc, ...}"},
    {NULL, NULL, false, NULL},
};
