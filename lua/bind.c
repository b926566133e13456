/* bind.c - what the bindings share: types, arguments, errors, text on the Lua stack.
 */
#include "lua/bind.h"

#include <stdlib.h>
#include <string.h>

#include "src/report/report.h"

const bind_type *const bind_types[] = {&bind_network_type,   &bind_hw_type,
                                       &bind_estimate_type,  &bind_measurements_type,
                                       &bind_estimator_type, &bind_session_type,
                                       &bind_builder_type,   &bind_map_type,
                                       &bind_space_type,     &bind_genome_type,
                                       &bind_landscape_type, &bind_plan_type,
                                       &bind_curation_type,  NULL};
const bind_row *const bind_modules[] = {bind_network_module,
                                        bind_hw_module,
                                        bind_estimate_module,
                                        bind_measure_module,
                                        bind_fit_module,
                                        bind_build_module,
                                        bind_space_module,
                                        bind_landscape_module,
                                        bind_output_rows,
                                        bind_session_rows,
                                        NULL};

lua_engine *bind_engine(lua_State *L)
{
    return *(lua_engine **)lua_getextraspace(L);
}

/* ---- types ---- */

static const char *short_name(const bind_type *type)
{
    return strchr(type->name, '.') + 1;
}

/* object.key: a method, or the result of a field's function. Upvalues: rows by name, the type. */
static int index_object(lua_State *L)
{
    const bind_type *type = lua_touserdata(L, lua_upvalueindex(2));
    luaL_checkudata(L, 1, type->name);
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    const bind_row *row = lua_touserdata(L, -1);
    if (!row) {
        const char *key = luaL_tolstring(L, 2, NULL);
        return luaL_error(L, "%s has no '%s'; the console completes the names it has",
                          short_name(type), key);
    }
    lua_pushcfunction(L, row->function);
    if (!row->is_field)
        return 1;
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int refuse_change(lua_State *L)
{
    const bind_type *type = lua_touserdata(L, lua_upvalueindex(1));
    return luaL_error(L, "%s cannot be changed by assignment", short_name(type));
}

static void open_type(lua_State *L, const bind_type *type)
{
    luaL_newmetatable(L, type->name);
    lua_newtable(L);
    for (const bind_row *row = type->rows; row->name; row++) {
        lua_pushlightuserdata(L, (void *)row);
        lua_setfield(L, -2, row->name);
    }
    lua_pushlightuserdata(L, (void *)type);
    lua_pushcclosure(L, index_object, 2);
    lua_setfield(L, -2, "__index");
    lua_pushlightuserdata(L, (void *)type);
    lua_pushcclosure(L, refuse_change, 1);
    lua_setfield(L, -2, "__newindex");
    if (type->close) {
        lua_pushcfunction(L, type->close);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, type->close);
        lua_setfield(L, -2, "__close");
    }
    lua_pushcfunction(L, type->text);
    lua_setfield(L, -2, "__tostring");
    if (type->length) {
        lua_pushcfunction(L, type->length);
        lua_setfield(L, -2, "__len");
    }
    lua_pushstring(L, type->name);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

static int call_table(lua_State *L)
{
    lua_remove(L, 1);
    int n = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, n, LUA_MULTRET);
    return lua_gettop(L);
}

/* Pushes the table of that name in the table at the top; a function there becomes a table that can
 * be called. */
static void push_namespace(lua_State *L, const char *name, size_t length)
{
    lua_pushlstring(L, name, length);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TTABLE) {
        lua_remove(L, -2);
        return;
    }
    lua_newtable(L); /* name, function, table */
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, call_table, 1);
    lua_setfield(L, -2, "__call");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_replace(L, -2);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
    lua_remove(L, -2);
}

/* "space.from_model" stands in what "space" is, which stands before it. */
static void add_rows(lua_State *L, const bind_row *rows)
{
    for (; rows->name; rows++) {
        const char *dot = strchr(rows->name, '.');
        if (dot)
            push_namespace(L, rows->name, (size_t)(dot - rows->name));
        lua_pushcfunction(L, rows->function);
        lua_setfield(L, -2, dot ? dot + 1 : rows->name);
        if (dot)
            lua_pop(L, 1);
    }
}

void bind_open(lua_State *L)
{
    for (const bind_type *const *type = bind_types; *type; type++)
        open_type(L, *type);
    lua_getglobal(L, "string"); /* tables format with it, whatever a script puts in its place */
    lua_getfield(L, -1, "format");
    lua_setfield(L, LUA_REGISTRYINDEX, "nasw.format");
    lua_pop(L, 1);
    lua_newtable(L);
    for (const bind_row *const *rows = bind_modules; *rows; rows++)
        add_rows(L, *rows);
    if (bind_engine(L)->config.face)
        add_rows(L, bind_face_rows);
    bind_new(L, &bind_session_type, 1, 0);
    lua_setfield(L, -2, "session");
    lua_getfield(L, -1, "print");
    lua_setglobal(L, "print");
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "nasw");
    lua_pop(L, 1);
    lua_setglobal(L, "nasw");
}

void *bind_new(lua_State *L, const bind_type *type, size_t n_bytes, int n_values)
{
    void *object = lua_newuserdatauv(L, n_bytes, n_values);
    memset(object, 0, n_bytes);
    luaL_setmetatable(L, type->name);
    return object;
}

void *bind_check(lua_State *L, int index, const bind_type *type)
{
    void *object = luaL_testudata(L, index, type->name);
    if (!object)
        luaL_typeerror(L, index, short_name(type));
    return object;
}

/* ---- errors ---- */

static const char *code_name(nw_status status)
{
    static const char *const names[] = {
        [NW_OK] = "ok", [NW_INVALID] = "invalid", [NW_UNSUPPORTED] = "unsupported",
        [NW_IO] = "io", [NW_LIMIT] = "limit",     [NW_CANCELLED] = "cancelled",
    };
    return names[status];
}

int bind_push_failure(lua_State *L, nw_status status, const char *where, const char *message)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s%s%s", where, *where ? ": " : "", message);
    lua_pushstring(L, code_name(status));
    return 3;
}

int bind_push_error(lua_State *L, const nw_error *err)
{
    return bind_push_failure(L, err->status, err->where, err->message);
}

/* ---- values ---- */

void bind_push_printable(lua_State *L, const char *name)
{
    char clean[512];
    if (strlen(name) < sizeof clean / 4) {
        lua_pushstring(L, nw_text_visible(name, clean, sizeof clean));
        return;
    }
    nw_buf *text = bind_new_text(L);
    bind_add_visible(text, name, strlen(name));
    lua_pushstring(L, nw_buf_text(text));
    lua_remove(L, -2);
}

void bind_push_shape(lua_State *L, const nw_shape *shape)
{
    if (!nw_shape_is_known(shape)) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, shape->rank, 0);
    for (int i = 0; i < shape->rank; i++) {
        lua_pushinteger(L, shape->dims[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

void bind_set_int(lua_State *L, const char *key, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

void bind_set_number(lua_State *L, const char *key, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

void bind_set_text(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

void bind_check_options(lua_State *L, int index, const char *const *names)
{
    if (lua_isnoneornil(L, index))
        return;
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        bool is_known = false;
        for (const char *const *name = names; lua_type(L, -2) == LUA_TSTRING && *name; name++)
            is_known |= strcmp(lua_tostring(L, -2), *name) == 0;
        if (!is_known)
            luaL_argerror(L, index,
                          lua_pushfstring(L, "no option '%s'", luaL_tolstring(L, -2, NULL)));
    }
}

const char *bind_option(lua_State *L, int index, const char *key, const char *fallback)
{
    if (lua_isnoneornil(L, index))
        return fallback;
    lua_pushstring(L, key);
    int type = lua_rawget(L, index);
    if (type == LUA_TSTRING) { /* the table keeps it */
        const char *text = lua_tostring(L, -1);
        lua_pop(L, 1);
        return text;
    }
    if (type != LUA_TNIL)
        luaL_argerror(L, index, lua_pushfstring(L, "option '%s' must be a string", key));
    lua_pop(L, 1);
    return fallback;
}

void bind_push_option(lua_State *L, int index, const char *key)
{
    if (lua_isnoneornil(L, index)) {
        lua_pushnil(L);
        return;
    }
    lua_pushstring(L, key);
    lua_rawget(L, index);
}

int64_t bind_int_option(lua_State *L, int index, const char *key, int64_t low, int64_t high)
{
    bind_push_option(L, index, key);
    int is_int = 1;
    bool is_given = !lua_isnil(L, -1);
    lua_Integer value = is_given ? lua_tointegerx(L, -1, &is_int) : 0;
    if (is_given && (!is_int || value < low || value > high))
        luaL_argerror(L, index,
                      lua_pushfstring(L, "option '%s' must be a whole number from %I to %I", key,
                                      (LUAI_UACINT)low, (LUAI_UACINT)high));
    lua_pop(L, 1);
    return value;
}

/* ---- text ---- */

#define TEXT_TYPE "nasw.text"

static int free_text(lua_State *L)
{
    nw_buf_fini(luaL_checkudata(L, 1, TEXT_TYPE));
    return 0;
}

nw_buf *bind_new_text(lua_State *L)
{
    nw_buf *text = lua_newuserdatauv(L, sizeof *text, 0);
    *text = (nw_buf){0};
    if (luaL_newmetatable(L, TEXT_TYPE)) {
        lua_pushcfunction(L, free_text);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return text;
}

void bind_text_limit(lua_State *L, const nw_buf *text)
{
    const lua_engine *engine = bind_engine(L);
    if (engine->max_bytes && (int64_t)text->length > engine->max_bytes / 2)
        luaL_error(L, "the text is larger than half the memory limit");
}

void bind_add_visible(nw_buf *out, const char *text, size_t length)
{
    char clean[512];
    for (size_t i = 0; i < length;) {
        const char *piece = text + i;
        if (*piece == '\n' || *piece == '\t' || *piece == '\0') {
            nw_buf_puts(out, *piece ? (*piece == '\n' ? "\n" : "\t") : "\\x00");
            i++;
            continue;
        }
        /* A piece of at most 120 bytes, which become at most 480, ending at a character. */
        char part[128];
        size_t n = 0;
        while (n < 120 && i + n < length && piece[n] && piece[n] != '\n' && piece[n] != '\t')
            n++;
        if (n == 120 && i + n < length)
            for (int back = 0; back < 3 && ((unsigned char)piece[n] & 0xc0) == 0x80; back++)
                n--;
        memcpy(part, piece, n);
        part[n] = '\0';
        nw_buf_puts(out, nw_text_visible(part, clean, sizeof clean));
        i += n;
    }
}
