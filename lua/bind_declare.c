/* bind_declare.c - what may vary in a space: its dimensions and conditions, as a file declares
 * them.
 *
 * A mistake is one line that begins with file and line of the declaration.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lua/bind.h"

#define SELF     1
#define SETTINGS 2 /* the table of a declaration */

/* ---- where, and what is wrong there ---- */

int bind_caller(lua_State *L, const char **file)
{
    lua_Debug at;
    *file = "";
    for (int level = 0; lua_getstack(L, level, &at); level++) {
        lua_getinfo(L, "Sl", &at);
        if (at.currentline <= 0)
            continue;
        bool is_named = *at.source == '@' || *at.source == '=';
        *file = is_named ? at.source + 1 : lua_pushstring(L, at.short_src); /* `at` ends here */
        return at.currentline;
    }
    return 0;
}

int bind_raise_here(lua_State *L, const nw_error *err)
{
    const char *file;
    int line = bind_caller(L, &file);
    size_t length = strlen(file);
    bool says_file = length && strncmp(err->where, file, length) == 0 && err->where[length] == ':';
    if (!says_file && line)
        lua_pushfstring(L, "%s:%d: ", file, line);
    else
        lua_pushliteral(L, "");
    lua_pushfstring(L, "%s%s%s%s", lua_tostring(L, -1), err->where, err->where[0] ? ": " : "",
                    err->message);
    return lua_error(L);
}

void bind_refuse(lua_State *L, const char *format, ...)
{
    va_list args;
    const char *file;
    int line = bind_caller(L, &file);
    if (line)
        lua_pushfstring(L, "%s:%d: ", file, line);
    else
        lua_pushliteral(L, "");
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    lua_concat(L, 2);
    lua_error(L);
    abort(); /* it has jumped */
}

/* ---- settings ---- */

/* The field of the settings under any of its names (NULL-terminated) at the top of the stack; the
 * name that was used, or NULL and nil. */
static const char *push_setting(lua_State *L, const char *const *names, const char *what)
{
    const char *used = NULL;
    for (; *names; names++) {
        lua_pushstring(L, *names);
        if (lua_rawget(L, SETTINGS) == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        if (used)
            bind_refuse(L, "%s: both %s and %s are given, which mean the same", what, used, *names);
        used = *names;
    }
    if (!used)
        lua_pushnil(L);
    return used;
}

static const char *const where_names[] = {"where", "stage", "stages", "block", "blocks", NULL};
static const char *const option_names[] = {"options", "choices", "values", NULL};
static const char *const other_names[] = {"range",   "multiples", "each", "ties",
                                          "factors", "divisor",   "name", NULL};

static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static void check_settings(lua_State *L, const char *what)
{
    for (lua_pushnil(L); lua_next(L, SETTINGS); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        if (key && (is_among(key, where_names) || is_among(key, option_names) ||
                    is_among(key, other_names)))
            continue;
        bind_refuse(L,
                    "%s: no setting '%s'; there are where, options, range, multiples, each, "
                    "ties, name, factors, divisor",
                    what, luaL_tolstring(L, -2, NULL));
    }
}

/* s:kernel{where = "3", options = {3, 5}} and s:kernel("3", {3, 5}): the settings at index 2. */
static void take_settings(lua_State *L, const char *what)
{
    if (lua_istable(L, 2) && lua_gettop(L) == 2) {
        check_settings(L, what);
        return;
    }
    bool has_options = lua_istable(L, 3) && lua_gettop(L) == 3;
    if (!has_options || lua_istable(L, 2))
        bind_refuse(L, "%s: wanted s:%s{where = \"3\", options = {...}} or s:%s(\"3\", {...})",
                    what, what, what);
    lua_createtable(L, 0, 2);
    lua_insert(L, 2);
    lua_setfield(L, 2, "options");
    lua_setfield(L, 2, "where");
}

/* The text of a setting that is a word or a number; it stays on the stack. */
static const char *check_word(lua_State *L, int index, const char *what, const char *setting)
{
    int type = lua_type(L, index);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        bind_refuse(L, "%s: %s must be a text, not a %s", what, setting, luaL_typename(L, index));
    size_t length;
    const char *text = luaL_tolstring(L, index, &length);
    if (strlen(text) != length || !length)
        bind_refuse(L, "%s: %s is empty or no plain text", what, setting);
    return text;
}

/* Blocks as the selectors of space.h: a text, a number, or a list of them at index. Pushes it. */
static const char *push_where(lua_State *L, int index, const char *what)
{
    if (!lua_istable(L, index))
        return check_word(L, index, what, "where");
    index = lua_absindex(L, index);
    lua_Integer n = (lua_Integer)lua_rawlen(L, index);
    if (!n)
        bind_refuse(L, "%s: where is an empty list: leave it out for all blocks", what);
    nw_buf *text = bind_new_text(L);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, index, i);
        nw_buf_printf(text, "%s%s", i > 1 ? "," : "", check_word(L, -1, what, "where"));
        lua_pop(L, 2);
    }
    lua_pushstring(L, nw_buf_text(text));
    lua_remove(L, -2);
    return lua_tostring(L, -1);
}

static bool get_flag(lua_State *L, const char *key, const char *what)
{
    lua_getfield(L, SETTINGS, key);
    if (!lua_isnil(L, -1) && !lua_isboolean(L, -1))
        bind_refuse(L, "%s: %s must be true or false", what, key);
    bool flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

/* ---- options ---- */

/* Options that have been collected: the userdata at the index, room for all. */
typedef struct option_list {
    nw_dim_kind kind;
    int n;
    nw_option options[NW_MAX_OPTIONS];
} option_list;

static bool is_counted(nw_dim_kind kind)
{
    return kind == NW_DIM_CHANNELS || kind == NW_DIM_EXPANDED || kind == NW_DIM_KERNEL ||
           kind == NW_DIM_DEPTH || kind == NW_DIM_RESOLUTION;
}

static void add_option(lua_State *L, option_list *list, const nw_option *option)
{
    if (list->n == NW_MAX_OPTIONS)
        bind_refuse(L, "%s: more than %d options; take a larger step", nw_dim_kind_name(list->kind),
                    NW_MAX_OPTIONS);
    list->options[list->n++] = *option;
}

/* {160, 320}: height and width, as a text. */
static const char *push_size(lua_State *L, int index, const char *what)
{
    lua_rawgeti(L, index, 1);
    lua_rawgeti(L, index, 2);
    if (!lua_isinteger(L, -1) || !lua_isinteger(L, -2) || lua_rawlen(L, index) != 2)
        bind_refuse(L, "%s: a size is {height, width}, or \"160x320\"", what);
    lua_pushfstring(L, "%Ix%I", (LUAI_UACINT)lua_tointeger(L, -2),
                    (LUAI_UACINT)lua_tointeger(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
    return lua_tostring(L, -1);
}

/* The option that the value at index says. */
static void read_value(lua_State *L, int index, nw_dim_kind kind, int64_t divisor, nw_option *out)
{
    const char *what = nw_dim_kind_name(kind), *text;
    nw_error err;
    index = lua_absindex(L, index);
    if (lua_istable(L, index) && kind == NW_DIM_RESOLUTION) {
        text = push_size(L, index, what);
    } else if (lua_isboolean(L, index) && !lua_toboolean(L, index) && kind == NW_DIM_SQUEEZE) {
        text = lua_pushliteral(L, "0");
    } else if (kind == NW_DIM_PRECISION && lua_isinteger(L, index)) {
        text = lua_pushfstring(L, "int%I", (LUAI_UACINT)lua_tointeger(L, index));
    } else if (is_counted(kind) && lua_type(L, index) == LUA_TNUMBER) {
        int is_int;
        lua_Integer n = lua_tointegerx(L, index, &is_int);
        if (!is_int)
            bind_refuse(L, "%s: %f is no whole number", what, lua_tonumber(L, index));
        text = lua_pushfstring(L, "%I", (LUAI_UACINT)n);
    } else {
        text = check_word(L, index, what, "an option");
    }
    if (nw_option_read(kind, text, out, &err) != NW_OK)
        bind_refuse(L, "%s: %s %s", what, err.where, err.message);
    if (kind == NW_DIM_WIDTH && !out->n)
        out->n = divisor;
    lua_pop(L, 1);
}

static void add_listed(lua_State *L, option_list *list, int64_t divisor)
{
    const char *what = nw_dim_kind_name(list->kind);
    const char *used = push_setting(L, option_names, what);
    if (used && !lua_istable(L, -1))
        bind_refuse(L, "%s: %s must be a list, as {3, 5}", what, used);
    lua_Integer n = used ? (lua_Integer)lua_rawlen(L, -1) : 0;
    if (used && !n)
        bind_refuse(L, "%s: no options: list what it may be, as %s = {...}", what, used);
    for (lua_Integer i = 1; i <= n; i++) {
        nw_option option = {0};
        lua_rawgeti(L, -1, i);
        read_value(L, -1, list->kind, divisor, &option);
        lua_pop(L, 1);
        add_option(L, list, &option);
    }
    lua_pop(L, 1);
}

/* A whole number from the table at the top: t[key], else t[place], else fallback. */
static int64_t get_part(lua_State *L, const char *key, int place, int64_t fallback,
                        const char *what)
{
    lua_getfield(L, -1, key);
    if (lua_isnil(L, -1) && place) {
        lua_pop(L, 1);
        lua_rawgeti(L, -1, place);
    }
    int is_int = 1;
    lua_Integer value = lua_isnil(L, -1) ? fallback : lua_tointegerx(L, -1, &is_int);
    lua_pop(L, 1);
    if (!is_int || value < 1 || value > INT32_MAX)
        bind_refuse(L, "%s: '%s' must be a whole number from 1", what, key);
    return value;
}

/* range = {8, 256, 8}, {from = 8, to = 256, step = 8}; multiples = {of = 32, to = 256}. */
static void add_range(lua_State *L, option_list *list, const char *key)
{
    const char *what = nw_dim_kind_name(list->kind);
    bool is_multiples = strcmp(key, "multiples") == 0;
    lua_getfield(L, SETTINGS, key);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    if (!is_counted(list->kind))
        bind_refuse(L, "%s: %s is for whole numbers; list the options", what, key);
    if (!lua_istable(L, -1))
        bind_refuse(L, "%s: wanted %s", what,
                    is_multiples ? "multiples = {of = 32, from = 32, to = 256}"
                                 : "range = {from, to, step}");
    int64_t step = is_multiples ? get_part(L, "of", 1, 0, what) : get_part(L, "step", 3, 1, what);
    int64_t from = get_part(L, "from", is_multiples ? 2 : 1, is_multiples ? step : 0, what);
    int64_t to = get_part(L, "to", is_multiples ? 3 : 2, 0, what);
    int64_t first = is_multiples ? (from + step - 1) / step * step : from;
    if (first > to)
        bind_refuse(L, "%s: nothing is in the %s from %I to %I", what, key, (LUAI_UACINT)from,
                    (LUAI_UACINT)to);
    int n_listed = list->n;
    for (int64_t n = first; n <= to; n += step) {
        nw_option option = {.n = n, .n2 = list->kind == NW_DIM_RESOLUTION ? n : 0};
        bool is_there = false;
        for (int i = 0; i < n_listed; i++)
            is_there |= list->options[i].n == n;
        if (!is_there)
            add_option(L, list, &option);
    }
    lua_pop(L, 1);
}

static int compare_numbers(const void *a, const void *b)
{
    const nw_option *x = a, *y = b;
    double p = x->number != y->number ? x->number : (double)x->n;
    double q = x->number != y->number ? y->number : (double)y->n;
    return (p > q) - (p < q);
}

static void sort_options(option_list *list)
{
    if (list->kind != NW_DIM_VARIANT && list->kind != NW_DIM_PRECISION)
        qsort(list->options, (size_t)list->n, sizeof *list->options, compare_numbers);
}

/* ---- dimensions ---- */

/* factors = {1, 2}: pushes a list of numbers; NULL: not given. */
static const double *push_factors(lua_State *L, nw_dim_kind kind)
{
    const char *what = nw_dim_kind_name(kind);
    lua_getfield(L, SETTINGS, "factors");
    if (lua_isnil(L, -1))
        return NULL;
    if (kind != NW_DIM_CHANNELS || !lua_istable(L, -1))
        bind_refuse(L, "%s: factors is a list for channels of several stages, as {1, 2}", what);
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    double *factors = lua_newuserdatauv(L, ((size_t)n + NW_MAX_DIMS) * sizeof *factors, 0);
    for (lua_Integer i = 0; i < n + NW_MAX_DIMS; i++) /* those not given are 1 */
        factors[i] = 1;
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, -2, i);
        if (lua_type(L, -1) != LUA_TNUMBER || !(lua_tonumber(L, -1) > 0))
            bind_refuse(L, "%s: factor %d is no number above 0", what, (int)i);
        factors[i - 1] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    return factors;
}

static void add_dimension(lua_State *L, bind_space *object, nw_dim_spec *spec)
{
    nw_error err;
    bind_charge(L, spec->n_options);
    if (nw_space_add(object->declared, spec, &err) != NW_OK)
        bind_raise_here(L, &err);
    bool is_range = spec->kind == NW_DIM_CHANNELS || spec->kind == NW_DIM_EXPANDED;
    object->n_tries += is_range && spec->n_options > 3 ? 3 : spec->n_options;
}

/* ties = {"1-2", {"3.0", "3.1"}}: a dimension for each entry of the list at the top. */
static void add_tied(lua_State *L, bind_space *object, nw_dim_spec *spec)
{
    const char *what = nw_dim_kind_name(spec->kind), *name = spec->name;
    int ties = lua_gettop(L);
    lua_Integer n = lua_istable(L, ties) ? (lua_Integer)lua_rawlen(L, ties) : 0;
    if (!n || spec->where || spec->each)
        bind_refuse(L, "%s: ties is a list with an entry a dimension, in place of where and each",
                    what);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, ties, i);
        spec->where = push_where(L, -1, what);
        if (name)
            spec->name = lua_pushfstring(L, "%s%d", name, (int)i);
        add_dimension(L, object, spec);
        lua_settop(L, ties);
    }
}

int bind_space_declare(lua_State *L, nw_dim_kind kind)
{
    const char *what = nw_dim_kind_name(kind);
    bind_space *object = bind_check_open_space(L, SELF);
    nw_dim_spec spec = {.kind = kind};
    take_settings(L, what);
    spec.line = bind_caller(L, &spec.file);
    spec.each = get_flag(L, "each", what);
    lua_getfield(L, SETTINGS, "divisor");
    int64_t divisor = lua_isnil(L, -1) ? 0 : lua_tointeger(L, -1);
    if (!lua_isnil(L, -1) && (divisor < 1 || kind != NW_DIM_WIDTH))
        bind_refuse(L, "%s: divisor is what width rounds to, a whole number from 1", what);
    lua_getfield(L, SETTINGS, "name");
    spec.name = lua_isnil(L, -1) ? NULL : check_word(L, -1, what, "name");
    spec.where = push_setting(L, where_names, what) ? push_where(L, -1, what) : NULL;
    spec.factors = push_factors(L, kind);
    option_list *list = lua_newuserdatauv(L, sizeof *list, 0);
    list->kind = kind;
    list->n = 0;
    add_listed(L, list, divisor);
    add_range(L, list, "range");
    add_range(L, list, "multiples");
    if (!list->n)
        bind_refuse(L, "%s: no options: say options = {...}%s", what,
                    is_counted(kind)
                        ? ", range = {from, to, step} or multiples = {of = 32, to = 256}"
                        : "");
    sort_options(list);
    spec.options = list->options;
    spec.n_options = list->n;
    lua_getfield(L, SETTINGS, "ties");
    if (lua_isnil(L, -1))
        add_dimension(L, object, &spec);
    else
        add_tied(L, object, &spec);
    lua_settop(L, SELF);
    return 1;
}

/* ---- conditions ---- */

int bind_space_require(lua_State *L)
{
    bind_space *object = bind_check_open_space(L, SELF);
    const char *file;
    int line = bind_caller(L, &file);
    nw_error err;
    if (lua_isfunction(L, 2)) {
        lua_pushfstring(L, "condition of line %d", line);
        const char *name = luaL_optstring(L, 3, lua_tostring(L, -1));
        bind_add_hook(L, 2, object->declared, name, file, line);
    } else if (lua_type(L, 2) == LUA_TSTRING) {
        const char *text = check_word(L, 2, "require", "a condition");
        if (nw_space_require(object->declared, text, file, line, &err) != NW_OK)
            bind_raise_here(L, &err);
    } else {
        bind_refuse(L, "require: wanted a text as \"c2 <= c3\", or a function of the genes");
    }
    lua_settop(L, SELF);
    return 1;
}

/* What limits are given by; in this order whatever the table's. */
static const struct limit_key {
    const char *name;
    nw_metric metric;
    double factor; /* from its unit to that of the metric's name */
} limit_keys[] = {
    {"latency_us", NW_METRIC_LATENCY, 1},
    {"latency_ms", NW_METRIC_LATENCY, 1000},
    {"energy_uj", NW_METRIC_ENERGY, 1},
    {"macs", NW_METRIC_MACS, 1},
    {"params", NW_METRIC_PARAMS, 1},
    {"weight_bytes", NW_METRIC_WEIGHT_BYTES, 1},
    {"peak_live_bytes", NW_METRIC_PEAK_LIVE, 1},
    {"score", NW_METRIC_SCORE, 1},
    {"objective", NW_METRIC_OBJECTIVE, 1},
};

#define N_LIMIT_KEYS (sizeof limit_keys / sizeof *limit_keys)

static void check_limit_keys(lua_State *L)
{
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        size_t i = 0;
        while (i < N_LIMIT_KEYS && strcmp(limit_keys[i].name, key) != 0)
            i++;
        if (i == N_LIMIT_KEYS)
            bind_refuse(L,
                        "limit: no metric '%s'; there are latency_us, latency_ms, energy_uj, macs, "
                        "params, weight_bytes, peak_live_bytes, score, objective",
                        key);
    }
}

/* The number at the top is the limit of the metric. */
static void add_limit(lua_State *L, bind_space *object, const struct limit_key *key, bool is_least)
{
    nw_error err;
    const char *file;
    int line = bind_caller(L, &file);
    if (lua_type(L, -1) != LUA_TNUMBER)
        bind_refuse(L, "limit: %s must be a number, or {min = ..., max = ...}", key->name);
    if (nw_space_limit(object->declared, key->metric, is_least, lua_tonumber(L, -1) * key->factor,
                       file, line, &err) != NW_OK)
        bind_raise_here(L, &err);
}

/* s:limit{latency_us = 2000, score = {min = 21.5}}: at most, at least for a score. */
int bind_space_limit(lua_State *L)
{
    static const char *const ends[] = {"max", "min"};
    bind_space *object = bind_check_open_space(L, SELF);
    if (!lua_istable(L, 2))
        bind_refuse(L, "limit: wanted a table, as {latency_us = 2000, peak_live_bytes = 262144}");
    check_limit_keys(L);
    for (const struct limit_key *key = limit_keys; key < limit_keys + N_LIMIT_KEYS; key++) {
        int n = 0;
        if (lua_getfield(L, 2, key->name) == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        for (int i = 0; lua_istable(L, -1) && i < 2; i++) {
            if (lua_getfield(L, -1, ends[i]) != LUA_TNIL && ++n)
                add_limit(L, object, key, i == 1);
            lua_pop(L, 1);
        }
        if (!n)
            add_limit(L, object, key, key->metric == NW_METRIC_SCORE);
        lua_pop(L, 1);
    }
    lua_settop(L, SELF);
    return 1;
}
