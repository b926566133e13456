/* safe_table.c - the table library without metamethods and with its work charged.
 *
 * Lua's own asks __len and __index from C: a length of 2^62 then is a loop that no hook stops. This
 * one takes tables as they are. The sort is a heap sort: as many comparisons for any comparator,
 * and never an index outside.
 */
#include "lua/bind.h"

#define UNITS       8       /* of work: moving an element */
#define MAX_RESULTS 1000000 /* of unpack; Lua's stack ends there */

static lua_Integer raw_length(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    return (lua_Integer)lua_rawlen(L, index);
}

static int table_insert(lua_State *L)
{
    lua_Integer n = raw_length(L, 1) + 1, at = n;
    if (lua_gettop(L) == 3) {
        at = luaL_checkinteger(L, 2);
        luaL_argcheck(L, at >= 1 && at <= n, 2, "position out of bounds");
    } else if (lua_gettop(L) != 2) {
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    bind_charge(L, UNITS * (n - at));
    for (lua_Integer i = n; i > at; i--) {
        lua_rawgeti(L, 1, i - 1);
        lua_rawseti(L, 1, i);
    }
    lua_rawseti(L, 1, at);
    return 0;
}

static int table_remove(lua_State *L)
{
    lua_Integer n = raw_length(L, 1), at = luaL_optinteger(L, 2, n);
    if (lua_gettop(L) > 1)
        luaL_argcheck(L, (n == 0 && at == 0) || (at >= 1 && at <= n + 1), 2,
                      "position out of bounds");
    if (at < n)
        bind_charge(L, UNITS * (n - at));
    lua_rawgeti(L, 1, at);
    for (; at < n; at++) {
        lua_rawgeti(L, 1, at + 1);
        lua_rawseti(L, 1, at);
    }
    lua_pushnil(L);
    lua_rawseti(L, 1, at);
    return 1;
}

static int table_concat(lua_State *L)
{
    lua_Integer n = raw_length(L, 1);
    size_t separator_length;
    const char *separator = luaL_optlstring(L, 2, "", &separator_length);
    lua_Integer from = luaL_optinteger(L, 3, 1), to = luaL_optinteger(L, 4, n);
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    for (lua_Integer i = from; i <= to; i++) {
        bind_charge(L, UNITS);
        lua_rawgeti(L, 1, i);
        if (!lua_isstring(L, -1))
            return luaL_error(L, "invalid value (a %s) at index %I in table for 'concat'",
                              luaL_typename(L, -1), (LUAI_UACINT)i);
        luaL_addvalue(&out);
        if (i == to)
            break; /* to may be the largest integer */
        luaL_addlstring(&out, separator, separator_length);
    }
    luaL_pushresult(&out);
    return 1;
}

static int table_pack(lua_State *L)
{
    int n = lua_gettop(L);
    lua_createtable(L, n, 1);
    lua_insert(L, 1);
    for (int i = n; i >= 1; i--)
        lua_rawseti(L, 1, i);
    lua_pushinteger(L, n);
    lua_setfield(L, 1, "n");
    return 1;
}

static int table_unpack(lua_State *L)
{
    lua_Integer n = raw_length(L, 1), from = luaL_optinteger(L, 2, 1);
    lua_Integer to = luaL_optinteger(L, 3, n);
    if (from > to)
        return 0;
    lua_Unsigned count = (lua_Unsigned)to - (lua_Unsigned)from;
    if (count >= MAX_RESULTS || !lua_checkstack(L, (int)count + 1))
        return luaL_error(L, "too many results to unpack");
    bind_charge(L, UNITS * (int64_t)count);
    for (lua_Integer i = from; i < to; i++)
        lua_rawgeti(L, 1, i);
    lua_rawgeti(L, 1, to);
    return (int)count + 1;
}

static int table_move(lua_State *L)
{
    lua_Integer from = luaL_checkinteger(L, 2), to = luaL_checkinteger(L, 3);
    lua_Integer at = luaL_checkinteger(L, 4);
    int target = lua_isnoneornil(L, 5) ? 1 : 5;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, target, LUA_TTABLE);
    if (to >= from) {
        luaL_argcheck(L, from > 0 || to < LUA_MAXINTEGER + from, 3, "too many elements to move");
        luaL_argcheck(L, at <= LUA_MAXINTEGER - (to - from + 1) + 1, 4, "destination wrap around");
        bool is_forward = at > to || at <= from || target != 1;
        for (lua_Integer i = 0; i <= to - from; i++) {
            lua_Integer k = is_forward ? i : to - from - i;
            bind_charge(L, UNITS);
            lua_rawgeti(L, 1, from + k);
            lua_rawseti(L, target, at + k);
        }
    }
    lua_pushvalue(L, target);
    return 1;
}

/* ---- sort: 1 is the table, 2 the comparator or nil ---- */

static bool is_less(lua_State *L, int a, int b)
{
    bind_charge(L, UNITS);
    if (lua_isnil(L, 2))
        return lua_compare(L, a, b, LUA_OPLT);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a - 1);
    lua_pushvalue(L, b - 2);
    lua_call(L, 2, 1);
    bool result = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return result;
}

/* Lets the element at root sink in the heap of n. */
static void sink(lua_State *L, lua_Integer root, lua_Integer n)
{
    lua_rawgeti(L, 1, root);
    for (lua_Integer child = 2 * root; child <= n; child = 2 * root) {
        lua_rawgeti(L, 1, child); /* element, child */
        if (child < n) {
            lua_rawgeti(L, 1, child + 1); /* element, child, other */
            if (is_less(L, -2, -1)) {
                lua_remove(L, -2);
                child++;
            } else {
                lua_pop(L, 1);
            }
        }
        if (!is_less(L, -2, -1)) {
            lua_pop(L, 1);
            break;
        }
        lua_rawseti(L, 1, root);
        root = child;
    }
    lua_rawseti(L, 1, root);
}

static int table_sort(lua_State *L)
{
    lua_Integer n = raw_length(L, 1);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    luaL_checkstack(L, 8, NULL);
    for (lua_Integer i = n / 2; i >= 1; i--)
        sink(L, i, n);
    for (lua_Integer last = n; last > 1; last--) {
        lua_rawgeti(L, 1, 1);
        lua_rawgeti(L, 1, last);
        lua_rawseti(L, 1, 1);
        lua_rawseti(L, 1, last);
        sink(L, 1, last - 1);
    }
    return 0;
}

void bind_open_table(lua_State *L)
{
    static const luaL_Reg functions[] = {{"concat", table_concat}, {"insert", table_insert},
                                         {"move", table_move},     {"pack", table_pack},
                                         {"remove", table_remove}, {"sort", table_sort},
                                         {"unpack", table_unpack}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
