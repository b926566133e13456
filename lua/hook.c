/* hook.c - conditions of a space that are functions of Lua.
 *
 * A hook gets the genome as a table, option by name of the dimension, and says whether it is
 * allowed. Each call is protected and has a budget of its own where no script runs around it; a
 * hook that fails once refuses everything from then on, so that none can hang a search.
 */
#include <stdlib.h>
#include <string.h>

#include "lua/bind.h"
#include "src/base/arena.h"

#define N_TRIED 8 /* genomes on which hooks are tried */

typedef struct bind_hook {
    struct bind_hook *previous, *next;
    lua_engine *engine; /* NULL: it is gone */
    int function;       /* reference in the registry */
    char *place;        /* "F.lua:12" */
    nw_buf problem;     /* why it refuses everything; empty: it works */
    bool was_called;
} bind_hook;

/* ---- calling ---- */

typedef struct call {
    const bind_hook *hook;
    const nw_space *space;
    const uint16_t *genome;
    bool is_allowed;
} call;

static int run_call(lua_State *L)
{
    call *c = lua_touserdata(L, 1);
    int n;
    const nw_dim *dims = nw_space_dims(c->space, &n);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->hook->function);
    lua_createtable(L, 0, n);
    for (int d = 0; d < n; d++) {
        bind_push_option_value(L, dims[d].kind, &dims[d].options[c->genome[d]]);
        lua_setfield(L, -2, dims[d].name);
    }
    lua_call(L, 1, 1);
    c->is_allowed = lua_toboolean(L, -1);
    return 0;
}

static bool test(void *context, const nw_space *space, const uint16_t *genome)
{
    bind_hook *hook = context;
    hook->was_called = true;
    if (!hook->engine || hook->problem.length)
        return false;
    call c = {hook, space, genome, false};
    nw_buf problem = {0};
    if (bind_run(hook->engine, run_call, &c, &problem) != NW_OK) {
        nw_buf_add(&hook->problem, nw_buf_text(&problem), strcspn(nw_buf_text(&problem), "\n"));
        nw_buf_printf(&hook->problem, " (in the condition of %s)", hook->place);
    }
    nw_buf_fini(&problem);
    return c.is_allowed;
}

static const char *find_problem(void *context)
{
    const bind_hook *hook = context;
    if (!hook->engine)
        return "its conditions in Lua are gone with their script";
    return hook->problem.length ? nw_buf_text(&hook->problem) : NULL;
}

/* ---- life ---- */

static void leave_engine(bind_hook *hook)
{
    lua_engine *engine = hook->engine;
    if (hook->previous)
        hook->previous->next = hook->next;
    else
        engine->hooks = hook->next;
    if (hook->next)
        hook->next->previous = hook->previous;
    hook->engine = NULL;
}

static void free_hook(void *context)
{
    bind_hook *hook = context;
    lua_engine *engine = hook->engine;
    if (engine) {
        luaL_unref(engine->state, LUA_REGISTRYINDEX, hook->function);
        leave_engine(hook);
        if (engine->lives_with_hooks && !engine->hooks)
            lua_engine_free(engine);
    }
    nw_buf_fini(&hook->problem);
    free(hook->place);
    free(hook);
}

void bind_add_hook(lua_State *L, int index, nw_space *space, const char *name, const char *file,
                   int line)
{
    lua_engine *engine = bind_engine(L);
    nw_buf place = {0};
    lua_pushvalue(L, index);
    int function = luaL_ref(L, LUA_REGISTRYINDEX);
    bind_hook *hook = nw_zalloc(sizeof *hook);
    hook->engine = engine;
    hook->function = function;
    nw_buf_printf(&place, "%s:%d", file, line);
    hook->place = place.text;
    hook->next = engine->hooks;
    if (hook->next)
        hook->next->previous = hook;
    engine->hooks = hook;
    nw_space_add_predicate(space, name, test, find_problem, hook, free_hook, file, line);
}

void bind_forget_hooks(lua_engine *engine)
{
    while (engine->hooks)
        leave_engine(engine->hooks);
}

/* ---- trying ---- */

void bind_watch_hooks(lua_engine *engine)
{
    for (bind_hook *hook = engine->hooks; hook; hook = hook->next)
        hook->was_called = false;
}

bool bind_find_hook_problem(const lua_engine *engine, nw_buf *problem)
{
    for (const bind_hook *hook = engine->hooks; hook; hook = hook->next)
        if (hook->was_called && hook->problem.length) {
            nw_buf_puts(problem, nw_buf_text(&hook->problem));
            return true;
        }
    return false;
}

void bind_try_hooks(const nw_space *space)
{
    if (!nw_space_n_predicates(space))
        return;
    nw_rng rng = nw_rng_make(0, 0);
    uint16_t *genome = nw_zalloc(((size_t)nw_space_n_dims(space) + 1) * sizeof *genome);
    nw_space_base_genome(space, genome);
    for (int i = 0; i < N_TRIED; i++) {
        (void)nw_space_allows(space, genome, NULL, 0);
        nw_space_random(space, &rng, genome);
    }
    free(genome);
}
