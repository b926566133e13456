/* sandbox.c - what a script may use: memory, work, and the safe part of Lua's library.
 *
 * Work is counted in units of about one instruction. A hook counts those of Lua's machine; library
 * functions whose work grows with their arguments charge for it, and so does the allocator. Once
 * the budget is gone the hook runs at every instruction and raises each time, so a script cannot
 * catch its way out. What no count reaches (comparing very long texts) meets the limit of processor
 * time. Finalisers run without hooks in Lua, and so would a message handler that the hook's own
 * error calls; so tables get no __gc and xpcall calls its handler after unwinding.
 */
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lua/bind.h"

#define HOOK_INSTRUCTIONS 1000
#define BYTES_PER_UNIT    32 /* of a large allocation, which is cleared, copied or moved */
#define SMALL_BYTES       1024
#define MAX_HELD_BYTES    ((int64_t)1 << 30)
#define SWEEP_BYTES       ((int64_t)64 << 20)
#define CPU_CHECK_S       0.25

static double clock_s(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the budget ---- */

/* "F.lua:12: " of the innermost function with a line; none is left after unwinding, where Lua may
 * run out of memory once more: then the place noted before stands. */
static void note_where(lua_engine *engine)
{
    lua_Debug at;
    for (int level = 0; lua_getstack(engine->state, level, &at); level++) {
        lua_getinfo(engine->state, "Sl", &at);
        if (at.currentline <= 0)
            continue;
        snprintf(engine->where, sizeof engine->where, "%s:%d: ", at.short_src, at.currentline);
        return;
    }
}

_Noreturn void bind_raise_stop(lua_State *L, bind_stop stop)
{
    static const char *const texts[] = {
        [BIND_STOP_BUDGET] = "the script's budget of work is used up (--trust lifts it)",
        [BIND_STOP_TIME] = "the script's processor time is used up (--trust lifts the limit)",
        [BIND_STOP_INTERRUPT] = "interrupted",
        [BIND_STOP_OUTPUT] = "standard output: cannot write",
    };
    lua_engine *engine = bind_engine(L);
    if (engine->stop == BIND_RUNS) {
        engine->stop = stop;
        engine->where[0] = '\0';
        note_where(engine);
    }
    const char *why = engine->stop == BIND_STOP_OUTPUT ? strerror(engine->output_errno) : "";
    lua_pushfstring(L, "%s%s%s%s", engine->where, texts[engine->stop], *why ? ": " : "", why);
    lua_error(L);
    abort();
}

bind_stop bind_must_stop(lua_engine *engine)
{
    if (engine->config.is_interrupted &&
        engine->config.is_interrupted(engine->config.interrupt_context))
        return BIND_STOP_INTERRUPT;
    if (engine->budget < 0 && !engine->config.is_trusted)
        return BIND_STOP_BUDGET;
    double now_s = clock_s(CLOCK_MONOTONIC);
    if (now_s - engine->cpu_checked_s <= CPU_CHECK_S)
        return BIND_RUNS;
    engine->cpu_checked_s = now_s;
    bool is_late = clock_s(CLOCK_THREAD_CPUTIME_ID) - engine->cpu_start_s > engine->config.cpu_s;
    return is_late && !engine->config.is_trusted ? BIND_STOP_TIME : BIND_RUNS;
}

static void on_count(lua_State *L, lua_Debug *at)
{
    (void)at;
    lua_engine *engine = bind_engine(L);
    if (engine->stop != BIND_RUNS)
        bind_raise_stop(L, engine->stop);
    engine->budget -= HOOK_INSTRUCTIONS;
    bind_stop stop = bind_must_stop(engine);
    if (stop == BIND_RUNS)
        return;
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
    bind_raise_stop(L, stop);
}

void bind_start_budget(lua_engine *engine)
{
    engine->stop = BIND_RUNS;
    engine->where[0] = '\0';
    engine->budget = engine->config.budget;
    engine->cpu_start_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
    engine->cpu_checked_s = clock_s(CLOCK_MONOTONIC);
    lua_sethook(engine->state, on_count, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
}

/* Where nothing may be raised: the next instruction's hook will. */
static void spend(lua_engine *engine, int64_t units)
{
    if (engine->config.is_trusted)
        return;
    bool is_first = engine->budget >= 0;
    engine->budget -= units;
    if (engine->budget < 0 && is_first && engine->state)
        lua_sethook(engine->state, on_count, LUA_MASKCOUNT, 1);
}

void bind_charge(lua_State *L, int64_t units)
{
    lua_engine *engine = bind_engine(L);
    spend(engine, units);
    if (engine->stop != BIND_RUNS)
        bind_raise_stop(L, engine->stop);
    if (engine->budget < 0 && !engine->config.is_trusted)
        bind_raise_stop(L, BIND_STOP_BUDGET);
}

/* ---- memory ---- */

void *bind_allocate(void *context, void *old, size_t old_bytes, size_t new_bytes)
{
    lua_engine *engine = context;
    if (!old)
        old_bytes = 0; /* it says what kind of object is wanted */
    if (new_bytes == 0) {
        engine->used_bytes -= (int64_t)old_bytes;
        free(old);
        return NULL;
    }
    int64_t wanted = engine->used_bytes - (int64_t)old_bytes;
    if (new_bytes > (size_t)INT64_MAX / 2 ||
        (engine->max_bytes && new_bytes > old_bytes &&
         wanted + (int64_t)new_bytes > engine->max_bytes + engine->reserve_bytes)) {
        /* Lua collects all garbage now and tries again: that is work, and a script could ask for
         * it with every instruction. */
        spend(engine, engine->used_bytes / 8);
        if (engine->state)
            note_where(engine);
        return NULL;
    }
    void *block = realloc(old, new_bytes);
    if (!block)
        return NULL;
    engine->used_bytes = wanted + (int64_t)new_bytes;
    if (new_bytes > SMALL_BYTES)
        spend(engine, (int64_t)new_bytes / BYTES_PER_UNIT);
    return block;
}

bool bind_hold(lua_State *L, int64_t n_bytes)
{
    lua_engine *engine = bind_engine(L);
    if (n_bytes > 0 && engine->held_bytes + n_bytes > engine->swept_bytes + SWEEP_BYTES) {
        lua_gc(L, LUA_GCCOLLECT);
        engine->swept_bytes = engine->held_bytes;
    }
    if (n_bytes > 0 && !engine->config.is_trusted && engine->held_bytes + n_bytes > MAX_HELD_BYTES)
        return false;
    engine->held_bytes += n_bytes;
    if (engine->swept_bytes > engine->held_bytes)
        engine->swept_bytes = engine->held_bytes;
    return true;
}

/* ---- the base library ---- */

static int safe_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_type(L, 2) == LUA_TNIL || lua_istable(L, 2), 2, "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "setmetatable: no finalisers (__gc) here; use __close");
        lua_pop(L, 1);
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

/* Catching an error walks all calls under way, once for the stack and once for us. */
static void charge_for_catching(lua_State *L)
{
    lua_Debug at;
    int depth = 64;
    while (lua_getstack(L, depth, &at))
        depth *= 2;
    bind_charge(L, 100 + depth);
}

static int safe_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    if (lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0) == LUA_OK)
        return lua_gettop(L);
    charge_for_catching(L);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

/* The handler runs after unwinding: see the top of this file. */
static int safe_xpcall(lua_State *L)
{
    int n = lua_gettop(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2); /* f, handler, true, f, arguments */
    if (lua_pcall(L, n - 2, LUA_MULTRET, 0) == LUA_OK)
        return lua_gettop(L) - 2;
    charge_for_catching(L);
    lua_pushvalue(L, 2);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int safe_collectgarbage(lua_State *L)
{
    static const char *const names[] = {"collect", "count", NULL};
    if (luaL_checkoption(L, 1, "collect", names) == 1) {
        lua_pushnumber(L, (double)bind_engine(L)->used_bytes / 1024);
        return 1;
    }
    bind_charge(L, 1000 + bind_engine(L)->used_bytes / 16);
    lua_gc(L, LUA_GCCOLLECT);
    lua_pushinteger(L, 0);
    return 1;
}

static int safe_tonumber(lua_State *L)
{
    size_t length = 0;
    if (lua_type(L, 1) == LUA_TSTRING)
        lua_tolstring(L, 1, &length);
    bind_charge(L, (int64_t)length);
    int n = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, n, 1);
    return 1;
}

static void keep_only(lua_State *L, const char *const *names)
{
    lua_newtable(L);
    for (; *names; names++) {
        lua_getfield(L, -2, *names);
        lua_setfield(L, -2, *names);
    }
    lua_remove(L, -2);
}

static void open_base(lua_State *L)
{
    static const char *const names[] = {
        "assert", "error",  "getmetatable", "ipairs",   "next",     "pairs", "rawequal", "rawget",
        "rawlen", "rawset", "select",       "tostring", "tonumber", "type",  "_VERSION", NULL};
    static const luaL_Reg safe[] = {{"setmetatable", safe_setmetatable},
                                    {"pcall", safe_pcall},
                                    {"xpcall", safe_xpcall},
                                    {"collectgarbage", safe_collectgarbage},
                                    {NULL, NULL}};
    luaL_requiref(L, LUA_GNAME, luaopen_base, 0); /* fills the table of globals */
    keep_only(L, names);
    luaL_setfuncs(L, safe, 0);
    lua_getfield(L, -1, "tonumber");
    lua_pushcclosure(L, safe_tonumber, 1);
    lua_setfield(L, -2, "tonumber");
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, LUA_GNAME);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}

/* ---- string and utf8 ---- */

/* An empty text repeated 2^60 times would loop in C. */
static int safe_rep(lua_State *L)
{
    size_t length, separator;
    luaL_checklstring(L, 1, &length);
    lua_Integer n = luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &separator);
    if (n <= 0 || length + separator == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    size_t max = (size_t)(bind_engine(L)->max_bytes);
    if (max && (size_t)n > max / (length + separator))
        return luaL_error(L, "string.rep: the text would take more than the memory limit");
    bind_charge(L, n); /* short pieces take longer than their bytes */
    int top = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, top, 1);
    return 1;
}

/* Charges for the length of the first argument, then calls the original. */
static int charged_by_length(lua_State *L)
{
    size_t length;
    luaL_checklstring(L, 1, &length);
    bind_charge(L, (int64_t)length);
    int top = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, top, LUA_MULTRET);
    return lua_gettop(L);
}

/* A step of utf8.codes may pass over any number of continuation bytes. */
static int step_codes(lua_State *L)
{
    size_t length;
    luaL_checklstring(L, 1, &length);
    lua_Integer from = luaL_checkinteger(L, 2);
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, LUA_MULTRET);
    lua_Integer to = lua_isinteger(L, 1) ? lua_tointeger(L, 1) : (lua_Integer)length;
    if (to > from && from >= 0)
        bind_charge(L, to - from);
    return lua_gettop(L);
}

static int safe_codes(lua_State *L)
{
    luaL_checkstring(L, 1);
    int top = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, top, 3);
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, step_codes, 1);
    lua_replace(L, -4);
    return 3;
}

static void wrap(lua_State *L, const char *name, lua_CFunction by)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, by, 1);
    lua_setfield(L, -2, name);
}

static void open_string(lua_State *L)
{
    static const char *const names[] = {"byte", "char",    "format", "len",   "lower",
                                        "rep",  "reverse", "sub",    "upper", NULL};
    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 0);
    keep_only(L, names);
    wrap(L, "rep", safe_rep);
    bind_open_patterns(L);
    lua_pushliteral(L, ""); /* the metatable of texts */
    lua_getmetatable(L, -1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "string");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
    lua_setglobal(L, LUA_STRLIBNAME);
}

static void open_utf8(lua_State *L)
{
    static const char *const names[] = {"char", "charpattern", "codes", "codepoint",
                                        "len",  "offset",      NULL};
    luaL_requiref(L, LUA_UTF8LIBNAME, luaopen_utf8, 0);
    keep_only(L, names);
    wrap(L, "len", charged_by_length);
    wrap(L, "offset", charged_by_length);
    wrap(L, "codepoint", charged_by_length);
    wrap(L, "codes", safe_codes);
    lua_setglobal(L, LUA_UTF8LIBNAME);
}

static void open_safe(lua_State *L)
{
    open_base(L);
    open_string(L);
    open_utf8(L);
    bind_open_table(L);
    lua_setglobal(L, LUA_TABLIBNAME);
    luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 0);
    lua_pushvalue(L, -1);
    lua_setglobal(L, LUA_MATHLIBNAME);
    lua_getfield(L, -1, "randomseed"); /* the same script, the same numbers */
    lua_pushinteger(L, 0);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
    bind_open_require(L);
    lua_newtable(L); /* forgets the whole libraries; names in messages come from here */
    lua_pushglobaltable(L);
    lua_setfield(L, -2, LUA_GNAME);
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
}

void bind_open_library(lua_State *L)
{
    if (!bind_engine(L)->config.is_trusted) {
        open_safe(L);
        return;
    }
    luaL_openlibs(L);
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "path");
    const char *path = lua_tostring(L, -1);
    const char *folder = bind_engine(L)->folder;
    lua_pushfstring(L, "%s/?.lua;%s", *folder ? folder : ".", path ? path : "");
    lua_setfield(L, -3, "path");
    lua_pop(L, 2);
}
