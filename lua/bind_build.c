/* bind_build.c - nasw.build: networks layer by layer (src/layer).
 */
#include <string.h>

#include "lua/builder.h"

#define BYTES_PER_NODE 1536 /* with its tensors: what a graph takes, about */
#define UNITS_PER_NODE 300

/* ---- objects ---- */

build_builder *build_check_builder(lua_State *L)
{
    build_builder *b = bind_check(L, 1, &bind_builder_type);
    luaL_argcheck(L, b->layers, 1, "the network is finished");
    return b;
}

static int close_builder(lua_State *L)
{
    build_builder *b = bind_check(L, 1, &bind_builder_type);
    nw_layers_free(b->layers);
    bind_hold(L, -b->held_bytes);
    memset(b, 0, sizeof *b);
    return 0;
}

static int text_builder(lua_State *L)
{
    const build_builder *b = bind_check(L, 1, &bind_builder_type);
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
    const build_map *m = bind_check(L, 1, &bind_map_type);
    lua_pushfstring(L, "map %I x %I x %I", (LUAI_UACINT)m->size.h, (LUAI_UACINT)m->size.w,
                    (LUAI_UACINT)m->size.c);
    return 1;
}

static int field_map_h(lua_State *L)
{
    lua_pushinteger(L, ((const build_map *)bind_check(L, 1, &bind_map_type))->size.h);
    return 1;
}

static int field_map_w(lua_State *L)
{
    lua_pushinteger(L, ((const build_map *)bind_check(L, 1, &bind_map_type))->size.w);
    return 1;
}

static int field_map_c(lua_State *L)
{
    lua_pushinteger(L, ((const build_map *)bind_check(L, 1, &bind_map_type))->size.c);
    return 1;
}

/* ---- results ---- */

/* Raises what went wrong. */
static int refuse(lua_State *L, const build_builder *b)
{
    const nw_error *err = nw_layers_error(b->layers);
    return luaL_error(L, "%s: %s", err->where, err->message);
}

/* Pushes a tensor of the builder at index 1. */
void build_push_map(lua_State *L, const build_builder *b, nw_tensor_id id)
{
    build_map *m = bind_new(L, &bind_map_type, sizeof *m, 1);
    m->id = id;
    m->size = nw_layers_map(b->layers, id);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
}

int build_finish(lua_State *L, build_builder *b, nw_tensor_id id)
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
    build_push_map(L, b, id);
    return 1;
}

/* ---- nasw.build ---- */

static nw_op check_default_act(lua_State *L, int index)
{
    bind_push_option(L, index, "act");
    nw_op act = lua_isnil(L, -1) ? NW_OP_OPAQUE : build_check_act(L, "build", "act");
    lua_pop(L, 1);
    return act;
}

static void check_input(lua_State *L, int index, int64_t size[3])
{
    bind_push_option(L, index, "input");
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) != 3)
        luaL_error(L, "build: input: wanted {height, width, channels}, as {320, 320, 3}");
    for (int i = 0; i < 3; i++) {
        lua_rawgeti(L, -1, i + 1);
        size[i] = build_check_whole(L, "build", "input");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The results of the script's function, from first on, are the outputs. The builder is at 1. */
static void take_outputs(lua_State *L, const build_builder *b, int first)
{
    int top = lua_gettop(L);
    for (int i = first; i <= top; i++)
        nw_layers_add_output(b->layers, build_check_map(L, "build", i));
    if (nw_layers_error(b->layers))
        refuse(L, b);
}

/* Ends the building: the network into the object. */
static int seal_network(lua_State *L, build_builder *b, bind_network *object, const char *name)
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
    build_builder *b = bind_new(L, &bind_builder_type, sizeof *b, 0);
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

const bind_type bind_builder_type = {"nasw.Builder", bind_builder_rows, close_builder, text_builder,
                                     NULL};

const bind_row bind_build_module[] = {
    {"build", bind_build, false,
     "nasw.build(name, {input = {320, 320, 3}, act = \"relu6\"}, function(b) ... end) -> network"},
    {NULL, NULL, false, NULL},
};
