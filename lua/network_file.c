/* network_file.c - networks from files of Lua; a space's is the one that it varies.
 */
#include "lua/bind.h"

typedef struct result {
    const char *path;
    const nw_arch *arch;
} result;

static void take_result(lua_State *L, void *context)
{
    result *r = context;
    int index = lua_gettop(L);
    if (luaL_testudata(L, index, bind_space_type.name)) {
        r->arch = nw_arch_retain(nw_space_network(bind_check_space(L, index)->space));
        return;
    }
    if (!luaL_testudata(L, index, bind_network_type.name))
        luaL_error(L, "%s: returns %s, not a network: end it with `return nasw.build(...)`",
                   r->path, lua_isnil(L, index) ? "nothing" : luaL_typename(L, index));
    r->arch = nw_arch_retain(bind_check_network(L, index)->arch);
}

nw_status bind_load_network(const lua_config *config, lua_engine *outer, const char *path,
                            const nw_arch **out, nw_error *err)
{
    result r = {path, NULL};
    nw_status status = bind_load_file(config, outer, path, take_result, &r, NULL, err);
    if (status == NW_OK)
        *out = r.arch;
    else
        nw_arch_release(r.arch);
    return status;
}

nw_status lua_engine_load_network(void *context, const char *path, const nw_arch **out,
                                  nw_error *err)
{
    return bind_load_network(context, NULL, path, out, err);
}
