/* space_file.c - spaces from files of Lua.
 */
#include "lua/bind.h"
#include "src/format/format.h"

#define UNITS_PER_NODE 1000 /* of a network that is tried */
#define TRIES_PER_DIM  3
#define HOOK_BUDGET    ((int64_t)5000000) /* units a call of a condition in Lua: some milliseconds */

/* ---- what a file returns ---- */

typedef struct result {
    const char *path;
    const nw_space *space;
} result;

static void take_result(lua_State *L, void *context)
{
    result *r = context;
    int index = lua_gettop(L);
    if (luaL_testudata(L, index, bind_network_type.name)) {
        lua_getglobal(L, "nasw"); /* the script may have changed it: then it fails, here */
        lua_getfield(L, -1, "space");
        lua_getfield(L, -1, "from_model");
        lua_pushvalue(L, index);
        lua_call(L, 1, 2);
        if (lua_isnil(L, -2))
            luaL_error(L, "%s: %s", r->path, lua_tostring(L, -1));
        index = lua_absindex(L, -2);
    }
    if (!luaL_testudata(L, index, bind_space_type.name))
        luaL_error(L, "%s: returns %s, not a space: end it with `return space`", r->path,
                   lua_isnil(L, index) ? "nothing" : luaL_typename(L, index));
    r->space = nw_space_retain(bind_check_space(L, index)->space);
}

/* ---- loading ---- */

/* What a model costs is known once it is there: the budget may be gone then. */
static nw_status load_model(lua_engine *outer, const char *path, const nw_space **out,
                            nw_error *err)
{
    nw_status status = nw_space_load(path, NULL, out, err);
    if (status == NW_OK && outer)
        outer->budget -= UNITS_PER_NODE * (int64_t)nw_arch_graph(nw_space_base(*out))->n_nodes *
                         TRIES_PER_DIM * nw_space_n_dims(*out);
    return status;
}

nw_status bind_load_space(const lua_config *config, lua_engine *outer, const char *path,
                          const nw_space **out, nw_error *err)
{
    result r = {path, NULL};
    lua_engine *engine;
    if (!nw_model_is_script(path))
        return load_model(outer, path, out, err);
    nw_status status = bind_load_file(config, outer, path, take_result, &r, &engine, err);
    if (status != NW_OK) {
        nw_space_release(r.space);
        return status;
    }
    *out = r.space;
    bind_close_holders(engine);
    if (engine->hooks) {
        engine->lives_with_hooks = true;
        engine->config.is_interrupted = NULL;
        lua_engine_set_budget(engine, HOOK_BUDGET);
    } else {
        lua_engine_free(engine);
    }
    return NW_OK;
}

nw_status lua_engine_load_space(void *context, const char *path, const nw_space **out,
                                nw_error *err)
{
    return bind_load_space(context, NULL, path, out, err);
}
