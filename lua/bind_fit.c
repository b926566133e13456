/* bind_fit.c - regressions: nasw.fit, nasw.estimator and what they return.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/bind.h"
#include "src/base/arena.h"
#include "src/report/report.h"

/* A fit trains each group six times (five folds, then all): rows x trees is known before it begins,
 * what a tree costs whatever its rows when it is done. Both are charged at about a twentieth of the
 * time they take, so that the plan of a preset can be measured and fitted within the budget. */
#define UNITS_PER_ROW_AND_TREE 60
#define UNITS_PER_TREE         40000
#define DEFAULT_TREES          300
#define MAX_TREES              10000
#define UNITS_PER_PREDICTION   1000 /* features and trees of a row, about */
#define UNITS_PER_LOAD         20000
#define UNITS_PER_REPORTED     300 /* a group of the report */
#define MAX_MODEL_BYTES        ((size_t)64 << 20)
#define MAX_TRUSTED_BYTES      ((size_t)512 << 20)

bind_estimator *bind_check_estimator(lua_State *L, int index)
{
    bind_estimator *object = bind_check(L, index, &bind_estimator_type);
    luaL_argcheck(L, object->regression, index, "the estimator is closed");
    return object;
}

static int close_estimator(lua_State *L)
{
    bind_estimator *object = bind_check(L, 1, &bind_estimator_type);
    if (object->regression)
        bind_forget_estimators(bind_engine(L), object->regression);
    nw_regression_release(object->regression);
    free(object->path);
    bind_hold(L, -object->held_bytes);
    memset(object, 0, sizeof *object);
    return 0;
}

static int text_estimator(lua_State *L)
{
    const bind_estimator *object = bind_check(L, 1, &bind_estimator_type);
    if (!object->regression) {
        lua_pushliteral(L, "estimator (closed)");
        return 1;
    }
    const nw_fit_report *p = nw_regression_report(object->regression);
    bind_push_printable(L, p->target);
    lua_pushfstring(L, "estimator of %s: %d rows, %d types", lua_tostring(L, -1), p->n_rows,
                    nw_regression_n_groups(object->regression));
    return 1;
}

/* Gives the object its regression; false: nil, message, code were pushed. */
static bool fill(lua_State *L, bind_estimator *object, nw_regression *regression, const char *path)
{
    int64_t held_bytes = (int64_t)nw_regression_n_bytes(regression);
    size_t n_path = strlen(path) + 1;
    object->regression = regression;
    object->path = memcpy(nw_alloc(n_path), path, n_path);
    if (!bind_hold(L, held_bytes)) {
        bind_push_failure(L, NW_LIMIT, path,
                          "too much memory in open estimators; close some (estimator:close())");
        return false;
    }
    object->held_bytes = held_bytes;
    return true;
}

/* ---- fitting ---- */

/* A fit cannot be left by raising: it is told to stop, and the reason is raised behind it. */
typedef struct progress {
    lua_engine *engine;
    bind_stop stop;
} progress;

static bool go_on(void *context, const char *what, double done)
{
    progress *p = context;
    (void)what, (void)done;
    p->stop = bind_must_stop(p->engine);
    return p->stop == BIND_RUNS;
}

/* Where the options stand on the stack. */
enum { DATA = 2, TOTALS, TEST, HW, FEATURES };

/* Replaces a list of names by one text of them. */
static void join_features(lua_State *L, int index)
{
    if (lua_isnil(L, index) || lua_type(L, index) == LUA_TSTRING)
        return;
    luaL_argcheck(L, lua_istable(L, index), 1, "option 'features': wanted a list of names");
    nw_buf *text = bind_new_text(L);
    lua_Integer n = (lua_Integer)lua_rawlen(L, index);
    for (lua_Integer i = 1; i <= n; i++) {
        luaL_argcheck(L, lua_rawgeti(L, index, i) == LUA_TSTRING, 1,
                      "option 'features': wanted a list of names");
        nw_buf_puts(text, i > 1 ? "," : "");
        nw_buf_puts(text, lua_tostring(L, -1));
        bind_charge(L, 8);
        bind_text_limit(L, text);
        lua_pop(L, 1);
    }
    lua_pushstring(L, nw_buf_text(text));
    lua_replace(L, index);
    lua_pop(L, 1);
}

/* Puts what the options name at its place on the stack, and all that is text into o. */
static void check_fit_options(lua_State *L, nw_fit_options *o)
{
    static const char *const names[] = {"data",     "totals", "test",         "hw",
                                        "features", "target", "group",        "network",
                                        "seed",     "trees",  "total_target", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    bind_check_options(L, 1, names);
    lua_settop(L, 1);
    for (int i = DATA; i <= FEATURES; i++)
        bind_push_option(L, 1, names[i - DATA]);
    luaL_argcheck(L, !lua_isnil(L, DATA), 1, "option 'data' is missing: the measurements");
    join_features(L, FEATURES);
    *o = (nw_fit_options){.target = bind_option(L, 1, "target", NULL),
                          .group = bind_option(L, 1, "group", NULL),
                          .features = lua_tostring(L, FEATURES),
                          .network = bind_option(L, 1, "network", NULL),
                          .total_target = bind_option(L, 1, "total_target", NULL),
                          .seed = (uint32_t)bind_int_option(L, 1, "seed", 0, UINT32_MAX),
                          .n_trees = (int)bind_int_option(L, 1, "trees", 1, MAX_TREES)};
    luaL_argcheck(L, o->target, 1, "option 'target' is missing: the column to predict");
    bool has_totals = !lua_isnil(L, TOTALS);
    luaL_argcheck(L, has_totals == (o->total_target != NULL) && (!has_totals || o->network), 1,
                  "options 'totals', 'total_target' and 'network' belong together");
}

/* The tables and the hardware; false: nil, message, code were pushed. */
static bool take_inputs(lua_State *L, nw_fit_options *o, const nw_table **data)
{
    static const char *const names[] = {[DATA] = "data", [TOTALS] = "totals", [TEST] = "test"};
    const nw_table *tables[TEST + 1] = {NULL};
    for (int i = DATA; i <= TEST; i++) {
        if (lua_isnil(L, i))
            continue;
        const bind_measurements *taken = bind_take_table(L, i, names[i]);
        if (!taken)
            return false;
        tables[i] = taken->table;
        int64_t n_rows = taken->table->n_rows, n_trees = o->n_trees ? o->n_trees : DEFAULT_TREES;
        bind_charge(L, i == DATA ? UNITS_PER_ROW_AND_TREE * n_rows * n_trees
                                 : UNITS_PER_PREDICTION * n_rows);
    }
    if (!lua_isnil(L, HW)) {
        if (!bind_take_hw(L, HW))
            return false;
        o->hw = bind_check_hw(L, HW);
    }
    *data = tables[DATA];
    o->totals = tables[TOTALS];
    o->test = tables[TEST];
    return true;
}

static int64_t count_trees(const nw_regression *regression)
{
    int64_t n_trees = 0;
    for (int i = 0; i < nw_regression_n_groups(regression); i++)
        n_trees += nw_regression_group_report(regression, i)->n_trees;
    return n_trees;
}

static int bind_fit(lua_State *L)
{
    nw_fit_options o;
    const nw_table *data;
    check_fit_options(L, &o);
    if (!take_inputs(L, &o, &data))
        return 3;
    bind_estimator *object = bind_new(L, &bind_estimator_type, sizeof *object, 0);
    progress p = {bind_engine(L), BIND_RUNS};
    o.progress = go_on;
    o.progress_context = &p;
    nw_regression *regression;
    nw_error err;
    if (nw_fit(data, &o, &regression, &err) != NW_OK) {
        if (p.stop != BIND_RUNS)
            bind_raise_stop(L, p.stop);
        return bind_push_table_error(L, &err);
    }
    if (!fill(L, object, regression, ""))
        return 3;
    bind_charge(L, UNITS_PER_TREE * count_trees(regression));
    return 1;
}

static int bind_estimator_load(lua_State *L)
{
    size_t length,
        max_bytes = bind_engine(L)->config.is_trusted ? MAX_TRUSTED_BYTES : MAX_MODEL_BYTES;
    const char *path = luaL_checklstring(L, 1, &length);
    luaL_argcheck(L, strlen(path) == length, 1, "a zero byte in the path");
    bind_charge(L, UNITS_PER_LOAD);
    bind_estimator *object = bind_new(L, &bind_estimator_type, sizeof *object, 0);
    nw_file *file;
    nw_error err;
    if (nw_file_read(path, max_bytes, &file, &err) != NW_OK)
        return bind_push_error(L, &err);
    nw_regression *regression;
    int64_t n_bytes = (int64_t)file->n_bytes;
    nw_status status =
        nw_regression_parse((const char *)file->bytes, file->n_bytes, path, &regression, &err);
    nw_file_release(file);
    if (status != NW_OK)
        return bind_push_error(L, &err);
    if (!fill(L, object, regression, path))
        return 3;
    bind_charge(L, n_bytes);
    return 1;
}

/* ---- predicting ---- */

static void set_figure(lua_State *L, const char *key, double value)
{
    if (isfinite(value))
        bind_set_number(L, key, value);
}

static void push_scores(lua_State *L, const nw_scores *s)
{
    lua_createtable(L, 0, 6);
    bind_set_int(L, "n", s->n);
    set_figure(L, "mape_pct", s->mape);
    set_figure(L, "rmspe_pct", s->rmspe);
    set_figure(L, "within_5_pct", s->within_5);
    set_figure(L, "within_10_pct", s->within_10);
    set_figure(L, "spearman", s->spearman);
}

static bool is_empty_list(lua_State *L, int index)
{
    if (!lua_istable(L, index))
        return false;
    lua_pushnil(L);
    if (!lua_next(L, index))
        return true;
    lua_pop(L, 2);
    return false;
}

static int estimator_predict(lua_State *L)
{
    bind_estimator *object = bind_check_estimator(L, 1);
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    if (is_empty_list(L, 2)) {
        lua_newtable(L);
        return 1;
    }
    const bind_measurements *data = bind_take_table(L, 2, "rows");
    if (!data)
        return 3;
    int n = data->table->n_rows;
    bind_charge(L, UNITS_PER_PREDICTION * (int64_t)n);
    lua_createtable(L, n, 0);
    double *values = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *values, 0);
    nw_error err;
    if (nw_regression_rows(object->regression, data->table, values, &err) != NW_OK)
        return bind_push_table_error(L, &err);
    for (int i = 0; i < n; i++) {
        if (isnan(values[i]))
            continue;
        lua_pushnumber(L, values[i]);
        lua_rawseti(L, -3, i + 1);
    }
    lua_pop(L, 1);
    return 1;
}

static int estimator_evaluate(lua_State *L)
{
    bind_estimator *object = bind_check_estimator(L, 1);
    luaL_checkany(L, 2);
    lua_settop(L, 3);
    const char *target = luaL_optstring(L, 3, nw_regression_report(object->regression)->target);
    const bind_measurements *data = bind_take_table(L, 2, "data");
    if (!data)
        return 3;
    bind_charge(L, UNITS_PER_PREDICTION * (int64_t)data->table->n_rows);
    nw_scores scores;
    nw_error err;
    if (nw_regression_evaluate(object->regression, data->table, target, &scores, &err) != NW_OK)
        return bind_push_table_error(L, &err);
    push_scores(L, &scores);
    return 1;
}

/* ---- what a fit says ---- */

static void set_scores(lua_State *L, const char *key, const nw_scores *s)
{
    push_scores(L, s);
    lua_setfield(L, -2, key);
}

static void set_band(lua_State *L, const char *key, const nw_band *band)
{
    if (!band->n)
        return;
    lua_createtable(L, 0, 4);
    bind_set_number(L, "low", band->low);
    bind_set_number(L, "high", band->high);
    bind_set_int(L, "n", band->n);
    bind_set_text(L, "from", band->is_from_networks ? "networks" : "rows");
    lua_setfield(L, -2, key);
}

static void push_group(lua_State *L, const nw_fit_group *g)
{
    lua_createtable(L, 0, 11);
    bind_set_text(L, "name", g->name);
    bind_set_int(L, "rows", g->n_rows);
    bind_set_int(L, "shapes", g->n_distinct);
    bind_set_int(L, "trees", g->n_trees);
    set_scores(L, "out_of_fold", &g->scores);
    set_scores(L, "macs_alone", &g->macs);
    set_scores(L, "roofline", &g->roofline);
    set_figure(L, "noise_pct", g->n_noisy ? g->noise_pct : NAN);
    bind_set_int(L, "noisy_rows", g->n_noisy);
    set_figure(L, "spread", g->spread);
    lua_createtable(L, g->n_worst, 0);
    for (int i = 0; i < g->n_worst; i++) {
        lua_createtable(L, 0, 4);
        bind_set_int(L, "line", g->worst[i].line);
        bind_set_number(L, "measured", g->worst[i].measured);
        bind_set_number(L, "predicted", g->worst[i].predicted);
        bind_set_text(L, "what", g->worst[i].what);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "worst");
}

static void set_networks(lua_State *L, const nw_fit_report *p)
{
    if (!p->has_networks)
        return;
    lua_createtable(L, 0, 5);
    bind_set_int(L, "n", p->n_networks);
    bind_set_number(L, "a", p->a);
    bind_set_number(L, "b", p->b);
    set_scores(L, "out_of_fold", &p->networks);
    if (p->measured_sums.n)
        set_scores(L, "measured_sums", &p->measured_sums);
    lua_setfield(L, -2, "networks");
}

static void set_origin(lua_State *L, const nw_fit_report *p)
{
    lua_createtable(L, 0, 6);
    bind_set_text(L, "file", p->file);
    bind_set_text(L, "device", p->device);
    bind_set_text(L, "source", p->source);
    bind_set_text(L, "date", p->date);
    bind_set_text(L, "measured_with", p->measured_with);
    bind_set_text(L, "fitted_with", p->tool);
    char hash[24];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)p->data_hash);
    bind_set_text(L, "data_hash", hash);
    lua_setfield(L, -2, "provenance");
}

static int estimator_report(lua_State *L)
{
    const nw_regression *r = bind_check_estimator(L, 1)->regression;
    const nw_fit_report *p = nw_regression_report(r);
    int n_groups = nw_regression_n_groups(r);
    bind_charge(L, UNITS_PER_REPORTED * (int64_t)(n_groups + 1));
    lua_createtable(L, 0, 12);
    bind_set_text(L, "target", p->target);
    bind_set_int(L, "rows", p->n_rows);
    bind_set_int(L, "skipped", p->n_skipped);
    bind_set_int(L, "folds", p->n_folds);
    bind_set_int(L, "seed", p->seed);
    set_origin(L, p);
    set_scores(L, "out_of_fold", &p->all);
    if (p->test.n)
        set_scores(L, "test", &p->test);
    set_networks(L, p);
    lua_createtable(L, 0, 2);
    set_band(L, "total", &p->total);
    set_band(L, "difference", &p->difference);
    lua_setfield(L, -2, "bands");
    lua_createtable(L, n_groups, 0);
    for (int i = 0; i < n_groups; i++) {
        push_group(L, nw_regression_group_report(r, i));
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "groups");
    return 1;
}

/* ---- pages and files ---- */

static int push_page(lua_State *L, const nw_buf *out)
{
    bind_charge(L, (int64_t)out->length);
    bind_text_limit(L, out);
    lua_pushlstring(L, nw_buf_text(out), out->length);
    return 1;
}

static const char *name_of(const bind_estimator *object)
{
    return *object->path ? object->path : "estimator";
}

static int estimator_text(lua_State *L)
{
    const bind_estimator *object = bind_check_estimator(L, 1);
    nw_buf *out = bind_new_text(L);
    nw_report_fit_text(object->regression, name_of(object), out);
    return push_page(L, out);
}

static int estimator_json(lua_State *L)
{
    const bind_estimator *object = bind_check_estimator(L, 1);
    nw_buf *out = bind_new_text(L);
    nw_report_fit_json(object->regression, name_of(object), out);
    return push_page(L, out);
}

static int estimator_write(lua_State *L)
{
    const bind_estimator *object = bind_check_estimator(L, 1);
    luaL_checkstring(L, 2);
    nw_buf *out = bind_new_text(L);
    nw_regression_write(object->regression, out);
    return bind_write_text(L, 2, nw_buf_text(out), out->length);
}

static int field_target(lua_State *L)
{
    bind_push_printable(L, nw_regression_report(bind_check_estimator(L, 1)->regression)->target);
    return 1;
}

static int field_path(lua_State *L)
{
    bind_push_printable(L, bind_check_estimator(L, 1)->path);
    return 1;
}

static const bind_row rows[] = {
    {"target", field_target, true, "estimator.target: the column it predicts"},
    {"path", field_path, true, "estimator.path: the file it was read from; empty: fitted here"},
    {"predict", estimator_predict, false,
     "estimator:predict(rows) -> list of numbers, nil for a type that training has not seen"},
    {"evaluate", estimator_evaluate, false,
     "estimator:evaluate(data [, target]) -> {n, mape_pct, rmspe_pct, within_5_pct, ...}"},
    {"report", estimator_report, false, "estimator:report() -> table: how right it is, and whence"},
    {"text", estimator_text, false, "estimator:text() -> the page nasw fit prints"},
    {"json", estimator_json, false, "estimator:json() -> text, schema nasw.fit/1"},
    {"write", estimator_write, false,
     "estimator:write(path) -> true | nil, message, code: the model file nasw fit writes"},
    {"close", close_estimator, false, "estimator:close(): gives its memory back at once"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_estimator_type = {"nasw.Estimator", rows, close_estimator, text_estimator,
                                       NULL};

const bind_row bind_fit_module[] = {
    {"fit", bind_fit, false,
     "nasw.fit{data = measurements or CSV, target = \"latency_us\", hw = \"ne32\"} -> estimator | "
     "nil, message, code"},
    {"estimator", bind_estimator_load, false,
     "nasw.estimator(path) -> estimator | nil, message, code: a model file of nasw fit"},
    {NULL, NULL, false, NULL},
};
