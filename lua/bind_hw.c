/* bind_hw.c - hardware descriptions: nasw.hw, nasw.hw_names and what they return.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "lua/bind.h"
#include "src/base/guard.h"

#define UNITS_PER_LOAD 20000 /* reading and checking a description, about */

const nw_hw *bind_check_hw(lua_State *L, int index)
{
    const bind_hw *object = bind_check(L, index, &bind_hw_type);
    luaL_argcheck(L, object->hw, index, "the hardware is closed");
    return object->hw;
}

static int close_hw(lua_State *L)
{
    bind_hw *object = bind_check(L, 1, &bind_hw_type);
    nw_hw_free(object->owned);
    nw_point_release(object->point);
    free(object->figures);
    memset(object, 0, sizeof *object);
    return 0;
}

static int text_hw(lua_State *L)
{
    const bind_hw *object = bind_check(L, 1, &bind_hw_type);
    if (!object->hw) {
        lua_pushliteral(L, "hw (closed)");
        return 1;
    }
    bind_push_printable(L, object->hw->name);
    lua_pushfstring(L, "hw %s", lua_tostring(L, -1));
    return 1;
}

/* ---- making ---- */

bool bind_load_hw(lua_State *L, const char *name)
{
    bind_charge(L, UNITS_PER_LOAD);
    bind_hw *object = bind_new(L, &bind_hw_type, sizeof *object, 1);
    const char *data_path = bind_engine(L)->config.data_path;
    nw_error err;
    nw_hw *hw;
    if (nw_hw_load(name, data_path ? data_path : "", &hw, &err) != NW_OK) {
        bind_push_error(L, &err);
        return false;
    }
    object->hw = object->owned = hw;
    return true;
}

bool bind_take_hw(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TSTRING) {
        bind_check_hw(L, index);
        return true;
    }
    if (!bind_load_hw(L, lua_tostring(L, index)))
        return false;
    lua_replace(L, index);
    return true;
}

const char *bind_hw_figures(bind_hw *object)
{
    if (object->figures)
        return object->figures;
    nw_buf text = {0};
    char *figures = nw_hw_figures(object->hw);
    nw_buf_printf(&text, "%s\n%s", object->hw->name, figures);
    free(figures);
    return object->figures = text.text;
}

void bind_push_point_hw(lua_State *L, const nw_point *point)
{
    bind_hw *object = bind_new(L, &bind_hw_type, sizeof *object, 1);
    object->point = nw_point_retain(point);
    object->hw = point->hw;
}

static int bind_hw_open(lua_State *L)
{
    return bind_load_hw(L, luaL_checkstring(L, 1)) ? 1 : 3;
}

static int hw_with(lua_State *L)
{
    const nw_hw *base = bind_check_hw(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    bind_charge(L, UNITS_PER_LOAD);
    nw_buf *patch = bind_new_text(L);
    bind_add_json(L, 2, false, patch);
    bind_hw *object = bind_new(L, &bind_hw_type, sizeof *object, 1);
    const char *data_path = bind_engine(L)->config.data_path;
    nw_error err;
    nw_hw *hw;
    if (nw_hw_derive(base, nw_buf_text(patch), data_path ? data_path : "", &hw, &err) != NW_OK)
        return bind_push_error(L, &err);
    object->hw = object->owned = hw;
    return 1;
}

static int bind_hw_names(lua_State *L)
{
    const char *data_path = bind_engine(L)->config.data_path;
    nw_buf *lines = bind_new_text(L);
    int n = 0;
    char **names = nw_hw_names(data_path ? data_path : "", &n);
    for (int i = 0; i < n; i++)
        nw_buf_printf(lines, "%s\n", names[i]);
    nw_hw_names_free(names, n);
    bind_charge(L, UNITS_PER_LOAD);
    lua_createtable(L, n, 0);
    const char *at = nw_buf_text(lines);
    for (int i = 0; i < n; i++) {
        size_t length = strcspn(at, "\n");
        lua_pushlstring(L, at, length);
        lua_rawseti(L, -2, i + 1);
        at += length + 1;
    }
    return 1;
}

/* ---- reading ---- */

/* Adds what item holds, and what is below it; raises only for lack of memory. */
static void push_json(lua_State *L, const cJSON *item)
{
    luaL_checkstack(L, 4, "nested too deeply");
    if (cJSON_IsNumber(item)) {
        double value = item->valuedouble;
        if (value == (double)(int64_t)value && value > -9e15 && value < 9e15)
            lua_pushinteger(L, (int64_t)value);
        else
            lua_pushnumber(L, value);
    } else if (cJSON_IsString(item)) {
        lua_pushstring(L, item->valuestring);
    } else if (cJSON_IsBool(item)) {
        lua_pushboolean(L, cJSON_IsTrue(item));
    } else if (cJSON_IsArray(item) || cJSON_IsObject(item)) {
        lua_newtable(L);
        lua_Integer n = 0;
        const cJSON *child;
        cJSON_ArrayForEach(child, item)
        {
            push_json(L, child);
            if (child->string)
                lua_setfield(L, -2, child->string);
            else
                lua_rawseti(L, -2, ++n);
        }
    } else {
        lua_pushnil(L);
    }
}

static int push_parsed(lua_State *L)
{
    push_json(L, lua_touserdata(L, 1));
    return 1;
}

/* Pushes the whole description as a table; made once, kept as the object's user value. */
static void push_description(lua_State *L, int index)
{
    if (lua_getiuservalue(L, index, 1) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    bind_charge(L, UNITS_PER_LOAD);
    lua_pushcfunction(L, push_parsed);
    char *text = nw_hw_describe(bind_check_hw(L, index));
    nw_json_lock();
    cJSON *parsed = cJSON_Parse(text);
    nw_json_unlock();
    free(text);
    lua_pushlightuserdata(L, parsed); /* no memory is taken here, so nothing is raised */
    int status = lua_pcall(L, 1, 1, 0);
    cJSON_Delete(parsed);
    if (status != LUA_OK)
        lua_error(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, index, 1);
}

/* A copy of the table at the top, so that the kept one stays as it is. */
static void copy_value(lua_State *L)
{
    if (!lua_istable(L, -1))
        return;
    luaL_checkstack(L, 8, "nested too deeply");
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        copy_value(L);
        lua_rawset(L, -5);
    }
    lua_remove(L, -2);
}

static int hw_get(lua_State *L)
{
    bind_check_hw(L, 1);
    const char *key = luaL_optstring(L, 2, "");
    push_description(L, 1);
    for (const char *at = key; *at;) {
        size_t length = strcspn(at, ".");
        if (!lua_istable(L, -1))
            return luaL_error(L, "hw has no '%s'; hw:describe() shows the keys", key);
        lua_pushlstring(L, at, length);
        lua_rawget(L, -2);
        at += length;
        at += *at == '.';
    }
    if (lua_isnil(L, -1)) {
        bool is_known = false;
        for (int i = 0; nw_hw_key(i); i++)
            is_known |= strcmp(nw_hw_key(i), key) == 0;
        if (!is_known)
            return luaL_error(L, "hw has no '%s'; hw:describe() shows the keys", key);
    }
    copy_value(L);
    return 1;
}

static int hw_source(lua_State *L)
{
    const nw_hw *hw = bind_check_hw(L, 1);
    const char *source = nw_hw_source(hw, luaL_checkstring(L, 2));
    if (source)
        bind_push_printable(L, source);
    else
        lua_pushnil(L);
    return 1;
}

static int hw_describe(lua_State *L)
{
    const nw_hw *hw = bind_check_hw(L, 1);
    bind_charge(L, UNITS_PER_LOAD);
    nw_buf *out = bind_new_text(L);
    char *text = nw_hw_describe(hw);
    nw_buf_puts(out, text);
    free(text);
    lua_pushlstring(L, nw_buf_text(out), out->length);
    return 1;
}

static int field_name(lua_State *L)
{
    bind_push_printable(L, bind_check_hw(L, 1)->name);
    return 1;
}

static int field_macs_per_cycle(lua_State *L)
{
    lua_pushinteger(L, nw_hw_macs_per_cycle(bind_check_hw(L, 1)));
    return 1;
}

static int field_calibrated(lua_State *L)
{
    lua_pushboolean(L, bind_check_hw(L, 1)->calibration.present);
    return 1;
}

const bind_row bind_hw_rows[] = {
    {"name", field_name, true, "hw.name: as in nasw.hw_names()"},
    {"macs_per_cycle", field_macs_per_cycle, true,
     "hw.macs_per_cycle: peak multiply-accumulates a cycle, all cores"},
    {"calibrated", field_calibrated, true, "hw.calibrated: whether a chip's figures are behind it"},
    {"get", hw_get, false, "hw:get(\"sram.bytes\") -> number, string, boolean, table or nil"},
    {"with", hw_with, false,
     "hw:with{sram = {bytes = 2^20}, array = {pf_out = 64}} -> hw | nil, message, code"},
    {"source", hw_source, false, "hw:source(\"sram.bytes\") -> where the figure is from, or nil"},
    {"describe", hw_describe, false, "hw:describe() -> the whole description as JSON"},
    {"close", close_hw, false, "hw:close(): gives its memory back at once"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_hw_type = {"nasw.Hw", bind_hw_rows, close_hw, text_hw, NULL};

const bind_row bind_hw_module[] = {
    {"hw", bind_hw_open, false,
     "nasw.hw(\"ne32\") -> hw | nil, message, code: by name or path of a description"},
    {"hw_names", bind_hw_names, false, "nasw.hw_names() -> sorted list of names"},
    {NULL, NULL, false, NULL},
};
