/* script_file.c - files of Lua that return something, each run in an engine of its own.
 */
#include <stdio.h>
#include <string.h>

#include "lua/bind.h"

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

nw_status bind_load_file(const lua_config *config, lua_engine *outer, const char *path,
                         void (*take)(lua_State *L, void *context), void *context, lua_engine **out,
                         nw_error *err)
{
    if (outer && outer->depth == BIND_MAX_DEPTH)
        return nw_fail(err, NW_LIMIT, path, "files load each other more than %d deep",
                       BIND_MAX_DEPTH);
    char folder[512]; /* of require, from the start: a trusted engine asks for it then */
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + (slash == path) : 1,
             slash ? path : ".");
    lua_config own = *config;
    own.session = NULL;
    own.folder = folder;
    own.face = NULL;
    own.is_captured = true; /* a declaration has nothing to print */
    if (outer)
        own.budget = outer->budget > 1 ? outer->budget : 1;
    lua_engine *engine = lua_engine_new(&own);
    engine->config.folder = engine->folder; /* a copy */
    engine->depth = outer ? outer->depth + 1 : 0;
    nw_buf problem = {0};
    nw_status status = bind_run_file(engine, path, take, context, &problem);
    if (status != NW_OK)
        (void)fail_at_line(path, nw_buf_text(&problem), status, err);
    nw_buf_fini(&problem);
    if (outer)
        outer->budget -= own.budget - engine->budget;
    if (status == NW_OK && out)
        *out = engine;
    else
        lua_engine_free(engine);
    return status;
}
