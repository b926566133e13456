/* space_file.c - spaces from files of Lua.
 */
#include <stdio.h>
#include <string.h>

#include "lua/bind.h"

#define UNITS_PER_NODE 1000 /* of a network that is tried */
#define TRIES_PER_DIM  3
#define HOOK_BUDGET    ((int64_t)5000000) /* units a call of a condition in Lua: some milliseconds */

static bool is_script(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".lua") == 0;
}

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

/* ---- errors ---- */

/* "F.lua:12: what" in two; what says no line, of the file. */
static nw_status fail_at_line(const char *path, const char *problem, nw_status status,
                              nw_error *err)
{
    char line[512];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(problem, "\n"), problem);
    for (char *at = strchr(line, ':'); at; at = strchr(at + 1, ':')) {
        size_t n_digits = strspn(at + 1, "0123456789");
        if (n_digits && strncmp(at + 1 + n_digits, ": ", 2) == 0) {
            at[1 + n_digits] = '\0';
            return nw_fail(err, status, line, "%s", at + n_digits + 3);
        }
    }
    bool says_path = strncmp(line, path, strlen(path)) == 0;
    return nw_fail(err, status, says_path ? "" : path, "%s", line);
}

/* ---- loading ---- */

static nw_status run(lua_engine *engine, const char *path, const nw_space **out, nw_error *err)
{
    result r = {path, NULL};
    nw_buf problem = {0};
    nw_status status = bind_run_file(engine, path, take_result, &r, &problem);
    if (status != NW_OK) {
        nw_space_release(r.space);
        (void)fail_at_line(path, nw_buf_text(&problem), status, err);
    } else {
        *out = r.space;
    }
    nw_buf_fini(&problem);
    return status;
}

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
    if (!is_script(path))
        return load_model(outer, path, out, err);
    if (outer && outer->depth == BIND_MAX_DEPTH)
        return nw_fail(err, NW_LIMIT, path, "files load each other more than %d deep",
                       BIND_MAX_DEPTH);
    lua_config own = *config;
    own.session = NULL;
    own.folder = NULL;
    own.face = NULL;
    own.is_captured = true; /* a declaration has nothing to print */
    if (outer)
        own.budget = outer->budget > 1 ? outer->budget : 1;
    lua_engine *engine = lua_engine_new(&own);
    engine->depth = outer ? outer->depth + 1 : 0;
    nw_status status = run(engine, path, out, err);
    if (outer)
        outer->budget -= own.budget - engine->budget;
    bind_close_holders(engine);
    if (status == NW_OK && engine->hooks) {
        engine->lives_with_hooks = true;
        engine->config.is_interrupted = NULL;
        lua_engine_set_budget(engine, HOOK_BUDGET);
    } else {
        lua_engine_free(engine);
    }
    return status;
}

nw_status lua_engine_load_space(void *context, const char *path, const nw_space **out,
                                nw_error *err)
{
    return bind_load_space(context, NULL, path, out, err);
}
