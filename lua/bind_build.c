/* bind_build.c - nasw.build: networks layer by layer (src/layer).
 *
 * Every layer is a method that takes one table: maps by position, figures by name. A mistake raises
 * where the script made it, and the network is given up.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "lua/bind.h"
#include "src/layer/layer.h"

#define BYTES_PER_NODE 1536 /* with its tensors: what a graph takes, about */
#define UNITS_PER_NODE 300
#define TABLE          2 /* argument of a layer */

typedef struct builder {
    nw_layers *layers; /* NULL: finished */
    int64_t held_bytes;
    int n_charged; /* operators */
} builder;

typedef struct map {
    nw_tensor_id id;
    nw_hwc size;
} map; /* user value 1: its builder */

/* ---- objects ---- */

static builder *check_builder(lua_State *L)
{
    builder *b = bind_check(L, 1, &bind_builder_type);
    luaL_argcheck(L, b->layers, 1, "the network is finished");
    return b;
}

static int close_builder(lua_State *L)
{
    builder *b = bind_check(L, 1, &bind_builder_type);
    nw_layers_free(b->layers);
    bind_hold(L, -b->held_bytes);
    memset(b, 0, sizeof *b);
    return 0;
}

static int text_builder(lua_State *L)
{
    const builder *b = bind_check(L, 1, &bind_builder_type);
    if (b->layers)
        lua_pushfstring(L, "network being built: %d operators", nw_layers_n_nodes(b->layers));
    else
        lua_pushliteral(L, "network being built (finished)");
    return 1;
}

static int close_map(lua_State *L)
{
    bind_check(L, 1, &bind_map_type);
    return 0;
}

static int text_map(lua_State *L)
{
    const map *m = bind_check(L, 1, &bind_map_type);
    lua_pushfstring(L, "map %I x %I x %I", (LUAI_UACINT)m->size.h, (LUAI_UACINT)m->size.w,
                    (LUAI_UACINT)m->size.c);
    return 1;
}

static int field_map_h(lua_State *L)
{
    lua_pushinteger(L, ((const map *)bind_check(L, 1, &bind_map_type))->size.h);
    return 1;
}

static int field_map_w(lua_State *L)
{
    lua_pushinteger(L, ((const map *)bind_check(L, 1, &bind_map_type))->size.w);
    return 1;
}

static int field_map_c(lua_State *L)
{
    lua_pushinteger(L, ((const map *)bind_check(L, 1, &bind_map_type))->size.c);
    return 1;
}

/* ---- results ---- */

/* Raises what went wrong. */
static int refuse(lua_State *L, const builder *b)
{
    const nw_error *err = nw_layers_error(b->layers);
    return luaL_error(L, "%s: %s", err->where, err->message);
}

/* Pushes a tensor of the builder at index 1. */
static void push_map(lua_State *L, const builder *b, nw_tensor_id id)
{
    map *m = bind_new(L, &bind_map_type, sizeof *m, 1);
    m->id = id;
    m->size = nw_layers_map(b->layers, id);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
}

/* Pays for what a layer added and pushes its map, or raises. */
static int finish(lua_State *L, builder *b, nw_tensor_id id)
{
    if (nw_layers_error(b->layers))
        return refuse(L, b);
    int n_new = nw_layers_n_nodes(b->layers) - b->n_charged;
    b->n_charged += n_new;
    int64_t bytes = BYTES_PER_NODE * (int64_t)n_new;
    if (!bind_hold(L, bytes))
        return luaL_error(L, "too much memory in open networks; close some (network:close())");
    b->held_bytes += bytes;
    bind_charge(L, UNITS_PER_NODE * (int64_t)n_new);
    push_map(L, b, id);
    return 1;
}

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

/* The whole number at the top of the stack, at least 1. */
static int64_t check_whole(lua_State *L, const char *name)
{
    int is_int = 0;
    lua_Integer n = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &is_int) : 0;
    if (!is_int || n < 1)
        luaL_error(L, "%s is %s: wanted a whole number from 1", name, luaL_tolstring(L, -1, NULL));
    return n;
}

static nw_op check_act(lua_State *L, const char *name)
{
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
        return NW_OP_IDENTITY;
    nw_op act =
        lua_type(L, -1) == LUA_TSTRING ? nw_layer_act_find(lua_tostring(L, -1)) : NW_OP_COUNT;
    if (act == NW_OP_COUNT)
        luaL_error(L,
                   "%s is %s: wanted \"relu6\", \"relu\", \"hard_swish\", \"swish\", "
                   "\"sigmoid\", \"hard_sigmoid\", \"tanh\", \"gelu\" or \"none\"",
                   name, luaL_tolstring(L, -1, NULL));
    return act;
}

/* The value at the top of the stack into its place. */
static void read_option(lua_State *L, const struct option *option, nw_layer *out)
{
    char *place = (char *)out + option->offset;
    switch (option->type) {
    case WHOLE:
        *(int64_t *)place = check_whole(L, option->name);
        break;
    case NUMBER: {
        double n = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
        bool is_good = n > 0 || (n == 0 && option->offset == offsetof(nw_layer, squeeze));
        if (!is_good || !isfinite(n))
            luaL_error(L, "%s is %s: wanted a number above 0", option->name,
                       luaL_tolstring(L, -1, NULL));
        *(double *)place = n;
        break;
    }
    case ACT:
        *(nw_op *)place = check_act(L, option->name);
        break;
    case FLAG_OFF:
        if (!lua_isboolean(L, -1))
            luaL_error(L, "%s is %s: wanted true or false", option->name,
                       luaL_tolstring(L, -1, NULL));
        *(bool *)place = !lua_toboolean(L, -1);
        break;
    }
}

static nw_tensor_id check_map(lua_State *L, int index)
{
    const map *m = luaL_testudata(L, index, bind_map_type.name);
    if (!m)
        luaL_error(L, "wanted a map that a layer returned, not %s", luaL_tolstring(L, index, NULL));
    lua_getiuservalue(L, index, 1);
    if (!lua_rawequal(L, -1, 1))
        luaL_error(L, "the map is another network's");
    lua_pop(L, 1);
    return m->id;
}

/* Maps of a list: by position in the table at index. */
static int check_maps(lua_State *L, int index, nw_tensor_id *maps)
{
    lua_Unsigned n = lua_rawlen(L, index);
    if (n > NW_LAYERS_MAX_MAPS)
        luaL_error(L, "at most %d maps", NW_LAYERS_MAX_MAPS);
    for (lua_Unsigned i = 0; i < n; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        maps[i] = check_map(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    return (int)n;
}

/* What a layer is given. The strings live as long as the table. */
typedef struct arguments {
    builder *b;
    nw_layer layer;
    nw_tensor_id maps[NW_LAYERS_MAX_MAPS];
    int n_maps;
} arguments;

/* words: options of nw_layer that the layer has; others: further ones that it reads itself. */
static void check_words(lua_State *L, const char *what, const char *words, const char *others,
                        nw_layer *out)
{
    for (lua_pushnil(L); lua_next(L, TABLE); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 &&
            (lua_Unsigned)lua_tointeger(L, -2) <= lua_rawlen(L, TABLE))
            continue;
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strcmp(key, "name") == 0) {
            if (lua_type(L, -1) != LUA_TSTRING)
                luaL_error(L, "name is %s: wanted a text", luaL_tolstring(L, -1, NULL));
            out->name = lua_tostring(L, -1);
        } else if (has_word(words, key)) {
            read_option(L, find_option(key), out);
        } else if (!has_word(others, key)) {
            luaL_error(L, "%s has no '%s'; it takes name%s%s%s%s", what,
                       luaL_tolstring(L, -2, NULL), *words ? " " : "", words, *others ? " " : "",
                       others);
        }
    }
}

/* Reads a layer's arguments and goes to the map that it reads: the first by position, else the last
 * that was made. max_maps: by position. */
static void check_layer(lua_State *L, const char *what, const char *words, const char *others,
                        int max_maps, arguments *out)
{
    *out = (arguments){.b = check_builder(L)};
    lua_settop(L, TABLE);
    if (lua_isnil(L, TABLE)) {
        lua_newtable(L);
        lua_replace(L, TABLE);
    }
    if (!lua_istable(L, TABLE))
        luaL_error(L, "%s takes one table: %s{...}", what, what);
    check_words(L, what, words, others, &out->layer);
    out->n_maps = check_maps(L, TABLE, out->maps);
    if (out->n_maps > max_maps)
        luaL_error(L, "%s reads at most %d map%s, not %d", what, max_maps, max_maps == 1 ? "" : "s",
                   out->n_maps);
    if (out->n_maps)
        nw_layers_go(out->b->layers, out->maps[0]);
}

/* ---- layers ---- */

#define BLOCK_WORDS "c k s d n act residual"

static int build_conv(lua_State *L)
{
    arguments a;
    check_layer(L, "conv", "c k s d groups n act", "", 1, &a);
    return finish(L, a.b, nw_layer_conv(a.b->layers, &a.layer));
}

static int build_depthwise(lua_State *L)
{
    arguments a;
    check_layer(L, "depthwise", "k s d act", "", 1, &a);
    return finish(L, a.b, nw_layer_depthwise(a.b->layers, &a.layer));
}

static int build_block(lua_State *L, nw_block_kind kind, const char *words)
{
    arguments a;
    check_layer(L, nw_block_kind_name(kind), words, "", 1, &a);
    return finish(L, a.b, nw_layer_block(a.b->layers, kind, &a.layer));
}

static int build_ibn(lua_State *L)
{
    return build_block(L, NW_BLOCK_IBN, BLOCK_WORDS " e mid se se_c gate");
}

static int build_fused(lua_State *L)
{
    return build_block(L, NW_BLOCK_FUSED, BLOCK_WORDS " e mid se se_c gate");
}

static int build_grouped(lua_State *L)
{
    return build_block(L, NW_BLOCK_GROUPED, BLOCK_WORDS " e mid se se_c gate group_c");
}

static int build_fused_grouped(lua_State *L)
{
    return build_block(L, NW_BLOCK_FUSED_GROUPED, BLOCK_WORDS " e mid se se_c gate group_c");
}

static int build_tucker(lua_State *L)
{
    return build_block(L, NW_BLOCK_TUCKER, BLOCK_WORDS " rank_in rank_out rank_in_c rank_out_c");
}

static int build_dsep(lua_State *L)
{
    return build_block(L, NW_BLOCK_DSEP, "c k s d n act se se_c gate");
}

static int build_join(lua_State *L, nw_op op, const char *what)
{
    arguments a;
    check_layer(L, what, "act", "", 2, &a);
    if (a.n_maps != 2)
        return luaL_error(L, "%s takes two maps: %s{a, b}", what, what);
    return finish(L, a.b,
                  nw_layer_join(a.b->layers, op, a.maps[0], a.maps[1], a.layer.act, a.layer.name));
}

static int build_add(lua_State *L)
{
    return build_join(L, NW_OP_ADD, "add");
}

static int build_mul(lua_State *L)
{
    return build_join(L, NW_OP_MUL, "mul");
}

/* Maps of option `maps`, or by position. */
static void take_maps(lua_State *L, const char *what, arguments *a)
{
    bind_push_option(L, TABLE, "maps");
    if (!lua_isnil(L, -1)) {
        if (!lua_istable(L, -1) || a->n_maps)
            luaL_error(L, "%s takes its maps by position or as a list, maps = {...}", what);
        a->n_maps = check_maps(L, lua_gettop(L), a->maps);
    }
    lua_pop(L, 1);
    if (!a->n_maps)
        luaL_error(L, "%s takes maps: %s{a, b, ...}", what, what);
}

static int build_concat(lua_State *L)
{
    arguments a;
    check_layer(L, "concat", "", "maps", NW_LAYERS_MAX_MAPS, &a);
    take_maps(L, "concat", &a);
    return finish(L, a.b, nw_layer_concat(a.b->layers, a.maps, a.n_maps, a.layer.name));
}

/* The index of the option's text in names (NULL-terminated); the first: not given. */
static int check_choice(lua_State *L, const char *key, const char *const *names)
{
    bind_push_option(L, TABLE, key);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    int found = lua_isnil(L, -1) ? 0 : -1;
    for (int i = 0; found < 0 && names[i]; i++)
        if (strcmp(names[i], text) == 0)
            found = i;
    if (found < 0)
        luaL_error(L, "%s is %s: wanted \"%s\" or \"%s\"", key, luaL_tolstring(L, -1, NULL),
                   names[0], names[1]);
    lua_pop(L, 1);
    return found;
}

static int build_pool(lua_State *L)
{
    static const char *const kinds[] = {"max", "mean", NULL};
    arguments a;
    check_layer(L, "pool", "k s", "kind", 1, &a);
    nw_op op = check_choice(L, "kind", kinds) ? NW_OP_AVERAGE_POOL : NW_OP_MAX_POOL;
    return finish(L, a.b, nw_layer_pool(a.b->layers, op, &a.layer));
}

static int build_global_pool(lua_State *L)
{
    arguments a;
    check_layer(L, "global_pool", "", "", 1, &a);
    return finish(L, a.b, nw_layer_global_pool(a.b->layers, a.layer.name));
}

static int64_t whole_option(lua_State *L, const char *key)
{
    bind_push_option(L, TABLE, key);
    int64_t n = lua_isnil(L, -1) ? 0 : check_whole(L, key);
    lua_pop(L, 1);
    return n;
}

/* The map of the option; NW_NONE: not given. */
static nw_tensor_id map_option(lua_State *L, const char *key)
{
    bind_push_option(L, TABLE, key);
    nw_tensor_id id = lua_isnil(L, -1) ? NW_NONE : check_map(L, lua_gettop(L));
    lua_pop(L, 1);
    return id;
}

static int build_resize(lua_State *L)
{
    static const char *const modes[] = {"bilinear", "nearest", NULL};
    arguments a;
    check_layer(L, "resize", "", "like factor h w mode", 1, &a);
    nw_tensor_id like = map_option(L, "like");
    int64_t factor = whole_option(L, "factor"), h = whole_option(L, "h"), w = whole_option(L, "w");
    nw_resize_mode mode = check_choice(L, "mode", modes) ? NW_RESIZE_NEAREST : NW_RESIZE_LINEAR;
    nw_hwc size = {h, w, 0};
    if ((like != NW_NONE) + (factor > 0) + (h > 0 && w > 0) != 1 || (h > 0) != (w > 0))
        return luaL_error(L, "resize takes like = MAP, or factor = N, or h = N, w = N");
    if (like != NW_NONE)
        size = nw_layers_map(a.b->layers, like);
    if (factor > NW_LAYERS_MAX_SIDE)
        return luaL_error(L, "factor is %I: wanted 1 to %d", (LUAI_UACINT)factor,
                          NW_LAYERS_MAX_SIDE);
    if (factor) {
        size = nw_layers_map(a.b->layers, nw_layers_at(a.b->layers));
        size = (nw_hwc){size.h * factor, size.w * factor, 0};
    }
    return finish(L, a.b, nw_layer_resize(a.b->layers, size.h, size.w, mode, a.layer.name));
}

static int build_act(lua_State *L)
{
    arguments a;
    check_layer(L, "act", "act", "", 1, &a);
    return finish(L, a.b, nw_layer_act(a.b->layers, a.layer.act, a.layer.name));
}

static int build_sigmoid(lua_State *L)
{
    arguments a;
    check_layer(L, "sigmoid", "", "", 1, &a);
    return finish(L, a.b, nw_layer_act(a.b->layers, NW_OP_SIGMOID, a.layer.name));
}

static int build_softmax(lua_State *L)
{
    arguments a;
    check_layer(L, "softmax", "", "", 1, &a);
    return finish(L, a.b, nw_layer_softmax(a.b->layers, a.layer.name));
}

static int build_fc(lua_State *L)
{
    arguments a;
    check_layer(L, "fc", "c act", "", 1, &a);
    return finish(L, a.b, nw_layer_fc(a.b->layers, &a.layer));
}

static int build_classifier(lua_State *L)
{
    arguments a;
    check_layer(L, "classifier", "classes hidden act", "", 1, &a);
    return finish(L, a.b, nw_layer_classifier(a.b->layers, &a.layer));
}

static int build_extra(lua_State *L)
{
    arguments a;
    check_layer(L, "extra", "c mid k s act", "", 1, &a);
    return finish(L, a.b, nw_layer_extra(a.b->layers, &a.layer));
}

/* anchors = 6, or a number a map. */
static void check_anchors(lua_State *L, int n_maps, int64_t *anchors)
{
    bind_push_option(L, TABLE, "anchors");
    bool is_list = lua_istable(L, -1);
    if (is_list && lua_rawlen(L, -1) != (lua_Unsigned)n_maps)
        luaL_error(L, "anchors is a list of %d numbers, there are %d maps", (int)lua_rawlen(L, -1),
                   n_maps);
    if (lua_isnil(L, -1))
        luaL_error(L, "anchors is missing: a number for all maps, or a list of one a map");
    for (int i = 0; i < n_maps; i++) {
        if (is_list)
            lua_rawgeti(L, -1, i + 1);
        anchors[i] = check_whole(L, "anchors");
        if (is_list)
            lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int build_ssd_head(lua_State *L)
{
    arguments a;
    int64_t anchors[NW_LAYERS_MAX_MAPS];
    nw_tensor_id outs[2] = {NW_NONE, NW_NONE};
    check_layer(L, "ssd_head", "classes k act", "maps anchors", NW_LAYERS_MAX_MAPS, &a);
    take_maps(L, "ssd_head", &a);
    check_anchors(L, a.n_maps, anchors);
    nw_layer_ssd_head(a.b->layers, a.maps, anchors, a.n_maps, &a.layer, outs);
    finish(L, a.b, outs[0]);
    push_map(L, a.b, outs[1]);
    return 2;
}

static int build_lraspp(lua_State *L)
{
    arguments a;
    check_layer(L, "lraspp", "classes mid act", "high low resize", 0, &a);
    nw_tensor_id high = map_option(L, "high"), low = map_option(L, "low");
    if (high == NW_NONE || low == NW_NONE)
        return luaL_error(L, "lraspp takes two maps: high = the last one, low = an earlier one");
    bind_push_option(L, TABLE, "resize");
    bool resizes = lua_isnil(L, -1) || lua_toboolean(L, -1);
    return finish(L, a.b, nw_layer_lraspp(a.b->layers, high, low, &a.layer, resizes));
}

static int field_input(lua_State *L)
{
    const builder *b = check_builder(L);
    push_map(L, b, nw_layers_input(b->layers));
    return 1;
}

static int field_at(lua_State *L)
{
    const builder *b = check_builder(L);
    push_map(L, b, nw_layers_at(b->layers));
    return 1;
}

/* ---- nasw.build ---- */

static nw_op check_default_act(lua_State *L, int index)
{
    bind_push_option(L, index, "act");
    nw_op act = lua_isnil(L, -1) ? NW_OP_OPAQUE : check_act(L, "act");
    lua_pop(L, 1);
    return act;
}

static void check_input(lua_State *L, int index, int64_t size[3])
{
    bind_push_option(L, index, "input");
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) != 3)
        luaL_error(L, "input: wanted {height, width, channels}, as {320, 320, 3}");
    for (int i = 0; i < 3; i++) {
        lua_rawgeti(L, -1, i + 1);
        size[i] = check_whole(L, "input");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The results of the script's function, from first on, are the outputs. The builder is at 1. */
static void take_outputs(lua_State *L, const builder *b, int first)
{
    int top = lua_gettop(L);
    for (int i = first; i <= top; i++)
        nw_layers_add_output(b->layers, check_map(L, i));
    if (nw_layers_error(b->layers))
        refuse(L, b);
}

/* Ends the building: the network into the object. */
static int seal_network(lua_State *L, builder *b, bind_network *object, const char *name)
{
    nw_graph *graph;
    nw_error err;
    nw_layers *layers = b->layers;
    b->layers = NULL;
    bind_hold(L, -b->held_bytes);
    b->held_bytes = 0;
    nw_status status = nw_layers_end(layers, &graph, &err);
    if (status == NW_OK) {
        graph->format = "built by a script";
        status = nw_graph_seal(graph, NULL, 0, &err);
        if (status != NW_OK)
            nw_graph_free(graph);
    }
    if (status != NW_OK)
        return luaL_error(L, "%s: %s", err.where, err.message);
    bind_charge(L, UNITS_PER_NODE * (int64_t)graph->n_nodes);
    if (!bind_fill_network(L, object, nw_arch_lift(graph), name))
        return luaL_error(L, "%s", lua_tostring(L, -2));
    return 1;
}

/* nasw.build(name, {input = {h, w, c}, act = "relu6"}, function(b) ... return maps end) */
static int bind_build(lua_State *L)
{
    static const char *const names[] = {"input", "act", NULL};
    int64_t size[3];
    size_t length;
    const char *name = luaL_checklstring(L, 1, &length);
    luaL_argcheck(L, length >= 1 && length <= 64 && strlen(name) == length, 1,
                  "a network's name is a text of 1 to 64 bytes");
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    bind_check_options(L, 2, names);
    check_input(L, 2, size);
    nw_op act = check_default_act(L, 2);
    lua_settop(L, 3);
    builder *b = bind_new(L, &bind_builder_type, sizeof *b, 0);
    lua_insert(L, 1); /* where the layers have it: builder, name, options, function */
    b->layers = nw_layers_new(name, size[0], size[1], size[2], act);
    if (nw_layers_error(b->layers))
        return refuse(L, b);
    lua_pushvalue(L, 4);
    lua_pushvalue(L, 1);
    lua_call(L, 1, LUA_MULTRET);
    luaL_argcheck(L, b->layers, 1, "the network was closed while it was built");
    take_outputs(L, b, 5);
    bind_network *object = bind_new(L, &bind_network_type, sizeof *object, 0);
    return seal_network(L, b, object, name);
}

const bind_row bind_map_rows[] = {
    {"h", field_map_h, true, "map.h: rows"},
    {"w", field_map_w, true, "map.w: columns"},
    {"c", field_map_c, true, "map.c: channels"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_map_type = {"nasw.Map", bind_map_rows, close_map, text_map, NULL};

const bind_row bind_builder_rows[] = {
    {"input", field_input, true, "b.input: the network's input"},
    {"at", field_at, true, "b.at: the last map, which the next layer reads"},
    {"conv", build_conv, false, "b:conv{[map,] c = 32, k = 3, s = 1, d, groups, n, act} -> map"},
    {"depthwise", build_depthwise, false, "b:depthwise{[map,] k = 3, s = 1, d, act} -> map"},
    {"ibn", build_ibn, false,
     "b:ibn{[map,] c = 24, e = 6, k = 3, s = 1, n = 1, se, act, mid, residual} -> map"},
    {"fused", build_fused, false,
     "b:fused{[map,] c = 24, e = 6, k = 3, s = 1, n = 1, se, act, mid, residual} -> map"},
    {"grouped", build_grouped, false,
     "b:grouped{[map,] c = 64, e = 6, k = 3, s = 1, n = 1, group_c = 64, ...} -> map"},
    {"fused_grouped", build_fused_grouped, false,
     "b:fused_grouped{[map,] c = 64, e = 6, k = 3, s = 1, n = 1, group_c = 64, ...} -> map"},
    {"tucker", build_tucker, false,
     "b:tucker{[map,] c = 40, k = 3, s = 1, n = 1, rank_in = 0.25, rank_out = 0.75} -> map"},
    {"dsep", build_dsep, false, "b:dsep{[map,] c = 64, k = 3, s = 1, n = 1, se, act} -> map"},
    {"add", build_add, false, "b:add{a, b, act} -> map"},
    {"mul", build_mul, false, "b:mul{a, b, act} -> map; b may be 1 x 1 x channels"},
    {"concat", build_concat, false, "b:concat{a, b, ...} -> map, by channels"},
    {"pool", build_pool, false, "b:pool{[map,] kind = \"max\" | \"mean\", k = 2, s = k} -> map"},
    {"global_pool", build_global_pool, false, "b:global_pool{[map]} -> map of 1 x 1 (mean)"},
    {"resize", build_resize, false,
     "b:resize{[map,] like = map | factor = 2 | h = 64, w = 64, mode = \"bilinear\"} -> map"},
    {"act", build_act, false, "b:act{[map,] act = \"hard_swish\"} -> map"},
    {"sigmoid", build_sigmoid, false, "b:sigmoid{[map]} -> map"},
    {"softmax", build_softmax, false, "b:softmax{[map]} -> map"},
    {"fc", build_fc, false, "b:fc{[map,] c = 1280, act = \"none\"} -> map"},
    {"classifier", build_classifier, false,
     "b:classifier{[map,] classes = 1001, hidden, act} -> map"},
    {"extra", build_extra, false, "b:extra{[map,] c = 512, mid = c // 2, k = 3, s = 2} -> map"},
    {"ssd_head", build_ssd_head, false,
     "b:ssd_head{map, map, ..., classes = 2, anchors = 6 | {3, 6, ...}, k = 3, act} -> classes, "
     "boxes"},
    {"lraspp", build_lraspp, false,
     "b:lraspp{high = map, low = map, classes = 21, mid = 128, resize = true} -> map"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_builder_type = {"nasw.Builder", bind_builder_rows, close_builder, text_builder,
                                     NULL};

const bind_row bind_build_module[] = {
    {"build", bind_build, false,
     "nasw.build(name, {input = {320, 320, 3}, act = \"relu6\"}, function(b) ... end) -> network"},
    {NULL, NULL, false, NULL},
};
