/* bind_curation.c - which options of a space are worth having on a hardware, and the expert's hand.
 */
#include <math.h>
#include <string.h>

#include "lua/bind.h"
#include "src/curate/curate.h"

#define UNITS_PER_ESTIMATE 500
#define UNITS_PER_SPACE    50000
#define BYTES_PER_OPTION   256

/* User value 1: the space. */
typedef struct curation {
    bind_holder holder;
    nw_curation *curation; /* NULL: closed */
    const bind_space *space;
} curation;

static void close_curation(bind_holder *holder)
{
    curation *object = (curation *)holder;
    nw_curation_free(object->curation);
    object->curation = NULL;
}

static int close_object(lua_State *L)
{
    curation *object = bind_check(L, 1, &bind_curation_type);
    bind_close_holder(&object->holder);
    return 0;
}

static curation *check_curation(lua_State *L, int index)
{
    curation *object = bind_check(L, index, &bind_curation_type);
    luaL_argcheck(L, object->curation, index, "the curation is closed");
    luaL_argcheck(L, object->space->space, index, "the curation's space is closed");
    return object;
}

static void count_options(const curation *object, int *n_kept, int *n_options)
{
    int n;
    const nw_dim *dims = nw_space_dims(object->space->space, &n);
    *n_kept = *n_options = 0;
    for (int d = 0; d < n; d++) {
        *n_kept += nw_curation_n_kept(object->curation, d);
        *n_options += dims[d].n_options;
    }
}

static int text_curation(lua_State *L)
{
    const curation *object = bind_check(L, 1, &bind_curation_type);
    int n_kept, n_options;
    if (!object->curation || !object->space->space) {
        lua_pushliteral(L, "curation (closed)");
        return 1;
    }
    count_options(object, &n_kept, &n_options);
    bind_push_printable(L, object->space->name);
    lua_pushfstring(L, "curation of %s: %d of %d options", lua_tostring(L, -1), n_kept, n_options);
    return 1;
}

/* ---- making ---- */

static double number_option(lua_State *L, int index, const char *key, double fallback, double low,
                            double high)
{
    bind_push_option(L, index, key);
    double value = lua_isnil(L, -1) ? fallback : lua_tonumber(L, -1);
    bool is_good =
        lua_isnil(L, -1) || (lua_type(L, -1) == LUA_TNUMBER && value >= low && value <= high);
    lua_pop(L, 1);
    if (!is_good)
        luaL_argerror(
            L, index,
            lua_pushfstring(L, "option '%s' must be a number from %f to %f", key, low, high));
    return value;
}

/* space:curate(hw | plan [, options]) -> curation | nil, message, code */
int bind_space_curate(lua_State *L)
{
    static const char *const names[] = {"estimator", "precision", "seed",  "contexts",
                                        "tolerance", "share",     "ratio", NULL};
    nw_error err;
    const bind_space *space = bind_check_space(L, 1);
    bind_check_options(L, 3, names);
    lua_settop(L, 3);
    nw_curate_options options = {.seed = (uint64_t)bind_int_option(L, 3, "seed", 0, INT64_MAX),
                                 .n_contexts = (int)bind_int_option(L, 3, "contexts", 1, 1024),
                                 .tolerance = number_option(L, 3, "tolerance", -1, 0, 1),
                                 .nearly_all = number_option(L, 3, "share", 0, 0.01, 1),
                                 .ratio = number_option(L, 3, "ratio", 0, 1, 4)};
    if (luaL_testudata(L, 2, bind_plan_type.name))
        lua_pushvalue(L, 2);
    else if (!bind_push_plan(L))
        return 3;
    const bind_plan *plan = bind_check_plan(L, -1);
    luaL_argcheck(L, plan->space == space, 2, "the plan is of another space");
    curation *object = bind_new(L, &bind_curation_type, sizeof *object, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    object->space = space;
    nw_curation *made;
    if (nw_curate(plan->plan, &options, &made, &err) != NW_OK)
        return bind_push_error(L, &err);
    object->curation = made;
    int n_kept, n_options;
    count_options(object, &n_kept, &n_options);
    if (!bind_open_holder(L, &object->holder, close_curation, BYTES_PER_OPTION * n_options))
        return bind_push_failure(L, NW_LIMIT, "", "too much memory in open curations; close some");
    bind_charge(L, UNITS_PER_ESTIMATE * nw_curation_n_evaluations(made));
    return 1;
}

nw_status bind_curated_space(lua_State *L, int index, const nw_space **out, nw_error *err)
{
    return nw_curation_space(check_curation(L, index)->curation, out, err);
}

/* ---- verdicts ---- */

int bind_check_dim(lua_State *L, int index, const nw_space *space)
{
    const char *name = luaL_checkstring(L, index);
    int dim = nw_space_find_dim(space, name);
    if (dim < 0)
        luaL_argerror(
            L, index,
            lua_pushfstring(L, "there is no dimension '%s'; space:dims() lists them", name));
    return dim;
}

static const nw_dim *dim_at(const curation *object, int dim)
{
    int n;
    return &nw_space_dims(object->space->space, &n)[dim];
}

static void set_if_known(lua_State *L, const char *key, double value)
{
    if (!isnan(value))
        bind_set_number(L, key, value);
}

static int curation_verdicts(lua_State *L)
{
    const curation *object = check_curation(L, 1);
    int d = bind_check_dim(L, 2, object->space->space);
    const nw_dim *dim = dim_at(object, d);
    const nw_option_verdict *verdicts = nw_curation_verdicts(object->curation, d);
    lua_createtable(L, dim->n_options, 0);
    for (int i = 0; i < dim->n_options; i++) {
        lua_createtable(L, 0, 7);
        bind_push_option_value(L, dim->kind, &dim->options[i]);
        lua_setfield(L, -2, "option");
        bind_set_text(L, "verdict", nw_verdict_name(verdicts[i].verdict));
        lua_pushboolean(L, nw_curation_has(object->curation, d, i));
        lua_setfield(L, -2, "kept");
        if (verdicts[i].by >= 0) {
            bind_push_option_value(L, dim->kind, &dim->options[verdicts[i].by]);
            lua_setfield(L, -2, "by");
        }
        set_if_known(L, "share", verdicts[i].share);
        set_if_known(L, "latency_us", verdicts[i].latency_us);
        set_if_known(L, "step_us", verdicts[i].step_us);
        bind_set_text(L, "why", verdicts[i].why);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int curation_kept(lua_State *L)
{
    const curation *object = check_curation(L, 1);
    int d = bind_check_dim(L, 2, object->space->space), n = 0;
    const nw_dim *dim = dim_at(object, d);
    lua_newtable(L);
    for (int i = 0; i < dim->n_options; i++)
        if (nw_curation_has(object->curation, d, i)) {
            bind_push_option_value(L, dim->kind, &dim->options[i]);
            lua_rawseti(L, -2, ++n);
        }
    return 1;
}

static int curation_step(lua_State *L)
{
    const curation *object = check_curation(L, 1);
    int d = bind_check_dim(L, 2, object->space->space);
    lua_pushinteger(L, nw_curation_step(object->curation, d));
    return 1;
}

/* ---- the expert's hand ---- */

typedef nw_status verb(nw_curation *curation, int dim, int option, nw_error *err);

static int by_hand(lua_State *L, verb *act)
{
    const curation *object = check_curation(L, 1);
    int d = bind_check_dim(L, 2, object->space->space);
    luaL_checkany(L, 3);
    int option = bind_find_option(L, 3, dim_at(object, d));
    nw_error err;
    if (option < 0)
        luaL_argerror(L, 3,
                      lua_pushfstring(L, "%s has no option %s", dim_at(object, d)->name,
                                      luaL_tolstring(L, 3, NULL)));
    if (act(object->curation, d, option, &err) != NW_OK)
        bind_raise_here(L, &err);
    lua_settop(L, 1);
    return 1;
}

static int curation_pin(lua_State *L)
{
    return by_hand(L, nw_curation_pin);
}

static int curation_remove(lua_State *L)
{
    return by_hand(L, nw_curation_remove);
}

/* ---- what comes of it ---- */

static int curation_space(lua_State *L)
{
    const curation *object = check_curation(L, 1);
    bind_charge(L, UNITS_PER_SPACE);
    bind_space *part = bind_new(L, &bind_space_type, sizeof *part, 0);
    const nw_space *space;
    nw_error err;
    if (nw_curation_space(object->curation, &space, &err) != NW_OK)
        return bind_push_error(L, &err);
    return bind_fill_space(L, part, space) ? 1 : 3;
}

static int curation_report(lua_State *L)
{
    const curation *object = check_curation(L, 1);
    bool with_why = lua_toboolean(L, 2);
    nw_buf *text = bind_new_text(L);
    nw_curation_write(object->curation, with_why, text);
    bind_charge(L, (int64_t)text->length);
    bind_text_limit(L, text);
    lua_pushlstring(L, nw_buf_text(text), text->length);
    return 1;
}

static int field_evaluations(lua_State *L)
{
    lua_pushinteger(L, nw_curation_n_evaluations(check_curation(L, 1)->curation));
    return 1;
}

const bind_row bind_curation_rows[] = {
    {"evaluations", field_evaluations, true, "curation.evaluations: estimates that it looked at"},
    {"verdicts", curation_verdicts, false,
     "curation:verdicts(\"c3\") -> list of {option, verdict, kept, by, share, latency_us, step_us, "
     "why}"},
    {"kept", curation_kept, false, "curation:kept(\"c3\") -> list of options"},
    {"step", curation_step, false, "curation:step(\"c3\") -> 32; 1: none"},
    {"pin", curation_pin, false, "curation:pin(\"c3\", 24) -> curation: keeps it all the same"},
    {"remove", curation_remove, false, "curation:remove(\"c3\", 24) -> curation"},
    {"space", curation_space, false, "curation:space() -> the space of what is kept"},
    {"report", curation_report, false, "curation:report([with_why]) -> text"},
    {"close", close_object, false, "curation:close(): gives its memory back at once"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_curation_type = {"nasw.Curation", bind_curation_rows, close_object,
                                      text_curation, NULL};
