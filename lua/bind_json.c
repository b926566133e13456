/* bind_json.c - Lua values as JSON: keys sorted, numbers that read back exactly.
 */
#include <math.h>
#include <string.h>

#include "lua/bind.h"

#define MAX_DEPTH 32

static void add_value(lua_State *L, bool empty_is_list, int depth, nw_buf *out);

static void add_indent(nw_buf *out, int depth)
{
    nw_buf_puts(out, "\n");
    for (int i = 0; i < depth; i++)
        nw_buf_puts(out, "  ");
}

/* Length of the UTF-8 character at s, 0 if it is none. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
    size_t n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : (*s & 0xf0) == 0xe0 ? 3 : 4;
    if (n > left || (*s >= 0x80 && *s < 0xc2) || *s > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool is_bad = (*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) ||
                  (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] >= 0x90);
    return is_bad ? 0 : n;
}

/* Every text survives but for bytes that are not UTF-8, which show as \xNN. */
static void add_string(lua_State *L, int index, nw_buf *out)
{
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    nw_buf_puts(out, "\"");
    for (size_t i = 0; i < length;) {
        unsigned char c = (unsigned char)text[i];
        size_t n = utf8_length((const unsigned char *)text + i, length - i);
        if (n == 0)
            nw_buf_printf(out, "\\\\x%02x", c);
        else if (c == '"' || c == '\\')
            nw_buf_printf(out, "\\%c", c);
        else if (c == '\n')
            nw_buf_puts(out, "\\n");
        else if (c < 0x20 || c == 0x7f)
            nw_buf_printf(out, "\\u%04x", c);
        else
            nw_buf_add(out, text + i, n);
        i += n ? n : 1;
    }
    nw_buf_puts(out, "\"");
    bind_charge(L, (int64_t)length);
}

static void add_number(lua_State *L, nw_buf *out)
{
    if (lua_isinteger(L, -1))
        nw_buf_printf(out, "%lld", (long long)lua_tointeger(L, -1));
    else if (isfinite(lua_tonumber(L, -1)))
        nw_buf_double(out, lua_tonumber(L, -1));
    else
        nw_buf_puts(out, "null");
}

static void add_list(lua_State *L, lua_Integer n, bool empty_is_list, int depth, nw_buf *out)
{
    nw_buf_puts(out, "[");
    for (lua_Integer i = 1; i <= n; i++) {
        if (i > 1)
            nw_buf_puts(out, ",");
        add_indent(out, depth + 1);
        lua_rawgeti(L, -1, i);
        add_value(L, empty_is_list, depth + 1, out);
        lua_pop(L, 1);
    }
    add_indent(out, depth);
    nw_buf_puts(out, "]");
}

/* Pushes the list of the table's keys, sorted as texts. */
static lua_Integer push_keys(lua_State *L)
{
    lua_Integer n = 0;
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
        int type = lua_type(L, -2);
        if (type != LUA_TSTRING && !lua_isinteger(L, -2))
            luaL_error(L, "JSON: a key is a %s; wanted a string", lua_typename(L, type));
        lua_pushvalue(L, -2);
        lua_rawseti(L, -4, ++n);
    }
    for (lua_Integer i = 1; i <= n; i++) { /* integers as texts, so that all compare */
        lua_rawgeti(L, -1, i);
        if (lua_isinteger(L, -1))
            luaL_error(L, "JSON: a table has both names and numbers, or holes; keys are one kind");
        lua_pop(L, 1);
    }
    bind_open_table(L);
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
    return n;
}

static void add_object(lua_State *L, bool empty_is_list, int depth, nw_buf *out)
{
    lua_Integer n = push_keys(L); /* table, keys */
    nw_buf_puts(out, "{");
    for (lua_Integer i = 1; i <= n; i++) {
        if (i > 1)
            nw_buf_puts(out, ",");
        add_indent(out, depth + 1);
        lua_rawgeti(L, -1, i);
        add_string(L, -1, out);
        nw_buf_puts(out, ": ");
        lua_rawget(L, -3);
        add_value(L, empty_is_list, depth + 1, out);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    add_indent(out, depth);
    nw_buf_puts(out, "}");
}

static void add_table(lua_State *L, bool empty_is_list, int depth, nw_buf *out)
{
    if (depth == MAX_DEPTH)
        luaL_error(L, "JSON: tables nested more than %d deep, or in a circle", MAX_DEPTH);
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1), n_keys = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        n_keys++;
    bind_charge(L, n_keys);
    if (n_keys == 0)
        nw_buf_puts(out, empty_is_list ? "[]" : "{}");
    else if (n == n_keys)
        add_list(L, n, empty_is_list, depth, out);
    else
        add_object(L, empty_is_list, depth, out);
}

/* The value at the top stays there. */
static void add_value(lua_State *L, bool empty_is_list, int depth, nw_buf *out)
{
    luaL_checkstack(L, 8, "nested too deeply");
    bind_charge(L, 8);
    bind_text_limit(L, out);
    switch (lua_type(L, -1)) {
    case LUA_TNIL:
        nw_buf_puts(out, "null");
        break;
    case LUA_TBOOLEAN:
        nw_buf_puts(out, lua_toboolean(L, -1) ? "true" : "false");
        break;
    case LUA_TNUMBER:
        add_number(L, out);
        break;
    case LUA_TSTRING:
        add_string(L, -1, out);
        break;
    case LUA_TTABLE:
        add_table(L, empty_is_list, depth, out);
        break;
    default:
        luaL_error(L, "JSON has no %s; take its fields", luaL_typename(L, -1));
    }
}

void bind_add_json(lua_State *L, int index, bool empty_is_list, nw_buf *out)
{
    lua_pushvalue(L, index);
    add_value(L, empty_is_list, 0, out);
    lua_pop(L, 1);
}
