/* build_args.c - what a layer of nasw.build is given.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "lua/builder.h"

/* ---- figures by name ---- */

typedef enum option_type { WHOLE, NUMBER, ACT, FLAG_OFF } option_type;

static const struct option {
    const char *name;
    option_type type;
    size_t offset; /* in nw_layer */
} options[] = {
    {"c", WHOLE, offsetof(nw_layer, c)},
    {"classes", WHOLE, offsetof(nw_layer, c)},
    {"k", WHOLE, offsetof(nw_layer, kernel)},
    {"s", WHOLE, offsetof(nw_layer, stride)},
    {"d", WHOLE, offsetof(nw_layer, dilation)},
    {"groups", WHOLE, offsetof(nw_layer, groups)},
    {"group_c", WHOLE, offsetof(nw_layer, group_c)},
    {"e", NUMBER, offsetof(nw_layer, expansion)},
    {"mid", WHOLE, offsetof(nw_layer, mid_c)},
    {"hidden", WHOLE, offsetof(nw_layer, mid_c)},
    {"se", NUMBER, offsetof(nw_layer, squeeze)},
    {"se_c", WHOLE, offsetof(nw_layer, squeeze_c)},
    {"rank_in", NUMBER, offsetof(nw_layer, rank_in)},
    {"rank_out", NUMBER, offsetof(nw_layer, rank_out)},
    {"rank_in_c", WHOLE, offsetof(nw_layer, rank_in_c)},
    {"rank_out_c", WHOLE, offsetof(nw_layer, rank_out_c)},
    {"n", WHOLE, offsetof(nw_layer, repeats)},
    {"act", ACT, offsetof(nw_layer, act)},
    {"gate", ACT, offsetof(nw_layer, gate)},
    {"residual", FLAG_OFF, offsetof(nw_layer, no_residual)},
};

static const struct option *find_option(const char *name)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

/* Whether the word is among those of list, which blanks divide. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; length && (at = strstr(at, word)); at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

/* Raises "LAYER: NAME is VALUE: wanted ...", of the value at the top of the stack. */
static int refuse_value(lua_State *L, const char *what, const char *name, const char *wanted)
{
    int type = lua_type(L, -1);
    const char *value = type == LUA_TNUMBER || type == LUA_TBOOLEAN ? luaL_tolstring(L, -1, NULL)
                        : type == LUA_TSTRING ? lua_pushfstring(L, "'%s'", lua_tostring(L, -1))
                                              : lua_pushfstring(L, "a %s", luaL_typename(L, -1));
    return luaL_error(L, "%s: %s is %s: wanted %s", what, name, value, wanted);
}

/* The whole number at the top of the stack, at least 1. */
int64_t build_check_whole(lua_State *L, const char *what, const char *name)
{
    int is_int = 0;
    lua_Integer n = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &is_int) : 0;
    if (!is_int || n < 1)
        refuse_value(L, what, name, "a whole number from 1");
    return n;
}

nw_op build_check_act(lua_State *L, const char *what, const char *name)
{
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
        return NW_OP_IDENTITY;
    nw_op act =
        lua_type(L, -1) == LUA_TSTRING ? nw_layer_act_find(lua_tostring(L, -1)) : NW_OP_COUNT;
    if (act == NW_OP_COUNT)
        refuse_value(L, what, name,
                     "relu6, relu, hard_swish, swish, sigmoid, hard_sigmoid, tanh, gelu or none");
    return act;
}

static double check_number(lua_State *L, const char *what, const struct option *option)
{
    double n = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    bool may_be_0 = option->offset == offsetof(nw_layer, squeeze);
    if (!isfinite(n) || n < 0 || (n == 0 && !may_be_0))
        refuse_value(L, what, option->name, may_be_0 ? "a number from 0" : "a number above 0");
    return n;
}

/* The value at the top of the stack into its place. */
static void read_option(lua_State *L, const char *what, const struct option *option, nw_layer *out)
{
    char *place = (char *)out + option->offset;
    switch (option->type) {
    case WHOLE:
        *(int64_t *)place = build_check_whole(L, what, option->name);
        break;
    case NUMBER:
        *(double *)place = check_number(L, what, option);
        break;
    case ACT:
        *(nw_op *)place = build_check_act(L, what, option->name);
        break;
    case FLAG_OFF:
        if (!lua_isboolean(L, -1))
            refuse_value(L, what, option->name, "true or false");
        *(bool *)place = !lua_toboolean(L, -1);
        break;
    }
}

nw_tensor_id build_check_map(lua_State *L, const char *what, int index)
{
    const build_map *m = luaL_testudata(L, index, bind_map_type.name);
    if (!m)
        luaL_error(L, "%s: wanted a map that a layer returned, not a %s", what,
                   luaL_typename(L, index));
    lua_getiuservalue(L, index, 1);
    if (!lua_rawequal(L, -1, 1))
        luaL_error(L, "%s: the map is another network's", what);
    lua_pop(L, 1);
    return m->id;
}

/* Maps of a list: by position in the table at index. */
static int check_maps(lua_State *L, const char *what, int index, nw_tensor_id *maps)
{
    lua_Unsigned n = lua_rawlen(L, index);
    if (n > NW_LAYERS_MAX_MAPS)
        luaL_error(L, "%s reads at most %d maps", what, NW_LAYERS_MAX_MAPS);
    for (lua_Unsigned i = 0; i < n; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        maps[i] = build_check_map(L, what, lua_gettop(L));
        lua_pop(L, 1);
    }
    return (int)n;
}

/* words: options of nw_layer that the layer has; others: further ones that it reads itself. */
static void check_words(lua_State *L, const char *what, const char *words, const char *others,
                        nw_layer *out)
{
    for (lua_pushnil(L); lua_next(L, BUILD_TABLE); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 &&
            (lua_Unsigned)lua_tointeger(L, -2) <= lua_rawlen(L, BUILD_TABLE))
            continue;
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strcmp(key, "name") == 0) {
            if (lua_type(L, -1) != LUA_TSTRING)
                refuse_value(L, what, key, "a text");
            out->name = lua_tostring(L, -1);
        } else if (has_word(words, key)) {
            read_option(L, what, find_option(key), out);
        } else if (!has_word(others, key)) {
            luaL_error(L, "%s has no '%s'; it takes name%s%s%s%s", what,
                       luaL_tolstring(L, -2, NULL), *words ? " " : "", words, *others ? " " : "",
                       others);
        }
    }
}

void build_check_layer(lua_State *L, const char *what, const char *words, const char *others,
                       int max_maps, build_arguments *out)
{
    *out = (build_arguments){.b = build_check_builder(L)};
    lua_settop(L, BUILD_TABLE);
    if (lua_isnil(L, BUILD_TABLE)) {
        lua_newtable(L);
        lua_replace(L, BUILD_TABLE);
    }
    if (!lua_istable(L, BUILD_TABLE))
        luaL_error(L, "%s takes one table: %s{...}", what, what);
    check_words(L, what, words, others, &out->layer);
    out->n_maps = check_maps(L, what, BUILD_TABLE, out->maps);
    if (out->n_maps > max_maps)
        luaL_error(L, "%s reads at most %d map%s, not %d", what, max_maps, max_maps == 1 ? "" : "s",
                   out->n_maps);
    if (out->n_maps)
        nw_layers_go(out->b->layers, out->maps[0]);
}

/* ---- what a layer reads itself ---- */

void build_take_maps(lua_State *L, const char *what, build_arguments *a)
{
    bind_push_option(L, BUILD_TABLE, "maps");
    if (!lua_isnil(L, -1)) {
        if (!lua_istable(L, -1) || a->n_maps)
            luaL_error(L, "%s takes its maps by position or as a list, maps = {...}", what);
        a->n_maps = check_maps(L, what, lua_gettop(L), a->maps);
    }
    lua_pop(L, 1);
    if (!a->n_maps)
        luaL_error(L, "%s takes maps: %s{a, b, ...}", what, what);
}

int build_choice_option(lua_State *L, const char *what, const char *key, const char *const *names)
{
    bind_push_option(L, BUILD_TABLE, key);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    int found = lua_isnil(L, -1) ? 0 : -1;
    for (int i = 0; found < 0 && i < 2; i++)
        if (strcmp(names[i], text) == 0)
            found = i;
    if (found < 0)
        refuse_value(L, what, key, names[2]);
    lua_pop(L, 1);
    return found;
}

int64_t build_whole_option(lua_State *L, const char *what, const char *key)
{
    bind_push_option(L, BUILD_TABLE, key);
    int64_t n = lua_isnil(L, -1) ? 0 : build_check_whole(L, what, key);
    lua_pop(L, 1);
    return n;
}

/* The map of the option; NW_NONE: not given. */
nw_tensor_id build_map_option(lua_State *L, const char *what, const char *key)
{
    bind_push_option(L, BUILD_TABLE, key);
    nw_tensor_id id = lua_isnil(L, -1) ? NW_NONE : build_check_map(L, what, lua_gettop(L));
    lua_pop(L, 1);
    return id;
}

void build_check_anchors(lua_State *L, int n_maps, int64_t *anchors)
{
    bind_push_option(L, BUILD_TABLE, "anchors");
    bool is_list = lua_istable(L, -1);
    if (is_list && lua_rawlen(L, -1) != (lua_Unsigned)n_maps)
        luaL_error(L, "ssd_head: anchors is a list of %d numbers, there are %d maps",
                   (int)lua_rawlen(L, -1), n_maps);
    if (lua_isnil(L, -1))
        luaL_error(L,
                   "ssd_head: anchors is missing: a number for all maps, or a list of one a map");
    for (int i = 0; i < n_maps; i++) {
        if (is_list)
            lua_rawgeti(L, -1, i + 1);
        anchors[i] = build_check_whole(L, "ssd_head", "anchors");
        if (is_list)
            lua_pop(L, 1);
    }
    lua_pop(L, 1);
}
