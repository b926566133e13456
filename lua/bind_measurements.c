/* bind_measurements.c - tables of measurements, and whatever scripts give in their place.
 *
 * A table is a CSV whatever it was given as, so a script's rows and a file's lines go one way
 * through the core. Rows of a list are written under the name "rows of NAME"; messages count them
 * from 1, without the header line.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lua/bind.h"

#define MAX_FILE_BYTES ((size_t)64 << 20)
#define ROWS_OF        "rows of "

#define UNITS_PER_CELL 8

static bind_measurements *check_measurements(lua_State *L, int index)
{
    bind_measurements *object = bind_check(L, index, &bind_measurements_type);
    luaL_argcheck(L, object->file, index, "the measurements are closed");
    return object;
}

static int close_measurements(lua_State *L)
{
    bind_measurements *object = bind_check(L, 1, &bind_measurements_type);
    nw_table_free(object->table);
    nw_file_release(object->file);
    bind_hold(L, -object->held_bytes);
    memset(object, 0, sizeof *object);
    return 0;
}

static int text_measurements(lua_State *L)
{
    const bind_measurements *object = bind_check(L, 1, &bind_measurements_type);
    if (!object->file)
        lua_pushliteral(L, "measurements (closed)");
    else
        lua_pushfstring(L, "measurements: %d rows, %d columns", object->table->n_rows,
                        object->table->n_columns);
    return 1;
}

static int count_measurements(lua_State *L)
{
    lua_pushinteger(L, check_measurements(L, 1)->table->n_rows);
    return 1;
}

/* ---- a list of records as CSV ---- */

/* Adds the record's keys to the list of names (at stack index names, a set behind it). */
static void add_names(lua_State *L, const char *what, lua_Integer row, int names)
{
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "%s: row %I has the key %s; wanted names of columns", what,
                       (LUAI_UACINT)row, luaL_tolstring(L, -2, NULL));
        lua_pushvalue(L, -2);
        bool is_new = lua_rawget(L, names + 1) == LUA_TNIL;
        lua_pop(L, 1);
        if (!is_new)
            continue;
        lua_Unsigned n = lua_rawlen(L, names);
        if (n == NW_TABLE_MAX_COLUMNS)
            luaL_error(L, "%s: the rows have more than %d columns together", what,
                       NW_TABLE_MAX_COLUMNS);
        lua_pushvalue(L, -2);
        lua_rawseti(L, names, (lua_Integer)n + 1);
        lua_pushvalue(L, -2);
        lua_pushboolean(L, 1);
        lua_rawset(L, names + 1);
    }
}

/* Pushes the sorted list of the columns of all rows. */
static void push_names(lua_State *L, int list, const char *what)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, list);
    int names = lua_gettop(L) + 1;
    lua_newtable(L);
    lua_newtable(L);
    for (lua_Integer row = 1; row <= n; row++) {
        if (lua_rawgeti(L, list, row) != LUA_TTABLE)
            luaL_error(L, "%s: row %I is a %s; wanted a table of columns", what, (LUAI_UACINT)row,
                       luaL_typename(L, -1));
        bind_charge(L, UNITS_PER_CELL);
        add_names(L, what, row, names);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    bind_open_table(L);
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, names);
    lua_call(L, 1, 0);
    lua_settop(L, names);
}

/* The value at the top; raises for one that has no place in a cell. */
static void add_cell(lua_State *L, const char *what, lua_Integer row, const char *column,
                     nw_buf *out)
{
    size_t length;
    const char *text;
    switch (lua_type(L, -1)) {
    case LUA_TNIL:
        return;
    case LUA_TBOOLEAN:
        nw_buf_puts(out, lua_toboolean(L, -1) ? "1" : "0");
        return;
    case LUA_TNUMBER:
        if (lua_isinteger(L, -1))
            nw_buf_printf(out, "%lld", (long long)lua_tointeger(L, -1));
        else if (isfinite(lua_tonumber(L, -1)))
            nw_buf_double(out, lua_tonumber(L, -1));
        else
            luaL_error(L, "%s: row %I: %s is not a finite number; leave out what is not known",
                       what, (LUAI_UACINT)row, column);
        return;
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &length);
        if (strlen(text) != length)
            luaL_error(L, "%s: row %I: %s holds a zero byte", what, (LUAI_UACINT)row, column);
        nw_table_write_cell(out, text);
        return;
    default:
        luaL_error(L, "%s: row %I: %s is a %s; wanted a number or a text", what, (LUAI_UACINT)row,
                   column, luaL_typename(L, -1));
    }
}

/* Row 0 holds the names. A line of one empty cell would be none: it gets quotes. */
static void add_row(lua_State *L, int list, int names, lua_Integer row, const char *what,
                    nw_buf *out)
{
    int n = (int)lua_rawlen(L, names);
    size_t begin = out->length;
    bind_charge(L, UNITS_PER_CELL * (int64_t)n);
    if (row)
        lua_rawgeti(L, list, row);
    for (int i = 1; i <= n; i++) {
        nw_buf_puts(out, i > 1 ? "," : "");
        lua_rawgeti(L, names, i);
        const char *column = lua_tostring(L, -1);
        if (row) {
            lua_pushvalue(L, -1);
            lua_rawget(L, -3);
            add_cell(L, what, row, column, out);
            lua_pop(L, 1);
        } else {
            add_cell(L, what, row, "the name of a column", out);
        }
        lua_pop(L, 1);
    }
    if (out->length == begin)
        nw_buf_puts(out, "\"\"");
    nw_buf_puts(out, "\n");
    if (row)
        lua_pop(L, 1);
    bind_text_limit(L, out);
}

/* False: the rows have no columns. */
static bool add_records(lua_State *L, int list, const char *what, nw_buf *out)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, list);
    luaL_checkstack(L, 16, NULL);
    push_names(L, list, what);
    int names = lua_gettop(L);
    bool has_columns = lua_rawlen(L, names) > 0;
    for (lua_Integer row = 0; row <= n && has_columns; row++)
        add_row(L, list, names, row, what, out);
    lua_pop(L, 1);
    return has_columns;
}

/* ---- making ---- */

bool bind_fill_table(lua_State *L, bind_measurements *object, nw_file *file)
{
    nw_error err;
    object->file = file;
    bind_charge(L, (int64_t)file->n_bytes);
    if (nw_table_read(file, &object->table, &err) != NW_OK) {
        nw_file_release(file);
        object->file = NULL;
        bind_push_table_error(L, &err);
        return false;
    }
    int64_t n_rows = object->table->n_rows, n_cells = n_rows * object->table->n_columns;
    int64_t held_bytes = 2 * (int64_t)file->n_bytes + 8 * n_cells + 4 * n_rows;
    if (!bind_hold(L, held_bytes)) {
        bind_push_failure(L, NW_LIMIT, file->path,
                          "too much memory in open tables; close some (measurements:close())");
        return false;
    }
    object->held_bytes = held_bytes;
    return true;
}

bool bind_read_table(lua_State *L, bind_measurements *object, const char *path)
{
    nw_file *file;
    nw_error err;
    size_t max_bytes = bind_engine(L)->config.is_trusted ? NW_TABLE_MAX_BYTES : MAX_FILE_BYTES;
    if (strcmp(path, "-") == 0 && isatty(STDIN_FILENO)) {
        bind_push_failure(L, NW_INVALID, path, "standard input is the terminal; give a file");
        return false;
    }
    if (nw_file_read(path, max_bytes, &file, &err) != NW_OK) {
        bind_push_error(L, &err);
        return false;
    }
    return bind_fill_table(L, object, file);
}

static bool read_value(lua_State *L, bind_measurements *object, int index, const char *name)
{
    size_t length;
    char label[64];
    if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &length);
        if (strpbrk(text, "\n\r")) {
            snprintf(label, sizeof label, "text of %s", name);
            return bind_fill_table(L, object, nw_file_from_bytes(label, text, length));
        }
        if (strlen(text) != length)
            luaL_error(L, "%s: a zero byte in the path", name);
        return bind_read_table(L, object, text);
    }
    nw_buf *text = bind_new_text(L);
    if (!add_records(L, index, name, text)) {
        bind_push_failure(L, NW_INVALID, name, "the rows have no columns");
        return false;
    }
    snprintf(label, sizeof label, ROWS_OF "%s", name);
    return bind_fill_table(L, object, nw_file_from_bytes(label, nw_buf_text(text), text->length));
}

bind_measurements *bind_take_table(lua_State *L, int index, const char *name)
{
    if (luaL_testudata(L, index, bind_measurements_type.name))
        return check_measurements(L, index);
    int type = lua_type(L, index);
    if (type != LUA_TSTRING && type != LUA_TTABLE)
        luaL_error(L, "%s is a %s; wanted measurements, a CSV's path or text, or a list of rows",
                   name, luaL_typename(L, index));
    if (type == LUA_TTABLE && lua_rawlen(L, index) == 0) {
        lua_pushnil(L);
        if (lua_next(L, index))
            luaL_error(L, "%s is one table; wanted a list of rows, each a table of columns", name);
        bind_push_failure(L, NW_INVALID, name, "holds no rows");
        return NULL;
    }
    bind_measurements *object = bind_new(L, &bind_measurements_type, sizeof *object, 0);
    int at = lua_gettop(L);
    if (!read_value(L, object, index, name))
        return NULL;
    lua_pushvalue(L, at);
    lua_replace(L, index);
    lua_settop(L, at - 1);
    return object;
}

/* "rows of data:5" is row 4. */
int bind_push_table_error(lua_State *L, nw_error *err)
{
    char name[32];
    int line = 1;
    if (sscanf(err->where, ROWS_OF "%31[a-z]:%d", name, &line) >= 1)
        snprintf(err->where, sizeof err->where, line > 1 ? "%s, row %d" : "%s", name, line - 1);
    return bind_push_error(L, err);
}

/* ---- reading ---- */

/* A number where the cell is one, else its text; nil: empty. */
static void push_cell(lua_State *L, const nw_table *table, int row, int column)
{
    const char *text = nw_table_cell(table, row, column);
    double value;
    if (!*text)
        lua_pushnil(L);
    else if (nw_table_number(table, row, column, &value, NULL) != NW_OK)
        lua_pushstring(L, text);
    else if (!strpbrk(text, ".eE") && fabs(value) < 0x1p53)
        lua_pushinteger(L, (lua_Integer)value);
    else
        lua_pushnumber(L, value);
}

static void push_row(lua_State *L, const nw_table *table, int row)
{
    bind_charge(L, UNITS_PER_CELL * (int64_t)table->n_columns);
    lua_createtable(L, 0, table->n_columns);
    for (int i = 0; i < table->n_columns; i++) {
        push_cell(L, table, row, i);
        lua_setfield(L, -2, table->names[i]);
    }
}

static int measurements_row(lua_State *L)
{
    const bind_measurements *object = check_measurements(L, 1);
    lua_Integer row = luaL_checkinteger(L, 2);
    luaL_argcheck(L, row >= 1 && row <= object->table->n_rows, 2, "no such row");
    push_row(L, object->table, (int)row - 1);
    return 1;
}

static int measurements_rows(lua_State *L)
{
    const nw_table *table = check_measurements(L, 1)->table;
    lua_createtable(L, table->n_rows, 0);
    for (int i = 0; i < table->n_rows; i++) {
        push_row(L, table, i);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int measurements_columns(lua_State *L)
{
    const nw_table *table = check_measurements(L, 1)->table;
    lua_createtable(L, table->n_columns, 0);
    for (int i = 0; i < table->n_columns; i++) {
        lua_pushstring(L, table->names[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int measurements_csv(lua_State *L)
{
    const nw_file *file = check_measurements(L, 1)->file;
    bind_charge(L, (int64_t)file->n_bytes);
    lua_pushlstring(L, (const char *)file->bytes, file->n_bytes);
    return 1;
}

static int measurements_write(lua_State *L)
{
    const nw_file *file = check_measurements(L, 1)->file;
    return bind_write_text(L, 2, (const char *)file->bytes, file->n_bytes);
}

static int push_origin(lua_State *L, const char *key)
{
    char text[256];
    bind_push_printable(
        L, nw_table_comment_value(check_measurements(L, 1)->table, key, text, sizeof text));
    return 1;
}

#define ORIGIN(name)                                                                               \
    static int field_##name(lua_State *L)                                                          \
    {                                                                                              \
        return push_origin(L, #name);                                                              \
    }

ORIGIN(device)
ORIGIN(source)
ORIGIN(date)
ORIGIN(tool)

static const bind_row rows[] = {
    {"device", field_device, true, "measurements.device: what was measured; empty: not said"},
    {"source", field_source, true, "measurements.source: who measured; empty: not said"},
    {"date", field_date, true, "measurements.date: \"2025-07-01\"; empty: not said"},
    {"tool", field_tool, true, "measurements.tool: with what; empty: not said"},
    {"columns", measurements_columns, false, "measurements:columns() -> list of names"},
    {"row", measurements_row, false, "measurements:row(i) -> table of row i, from 1, by column"},
    {"rows", measurements_rows, false, "measurements:rows() -> list of all rows"},
    {"csv", measurements_csv, false, "measurements:csv() -> the text nasw measure writes"},
    {"write", measurements_write, false,
     "measurements:write(path) -> true | nil, message, code: below the working folder"},
    {"close", close_measurements, false, "measurements:close(): gives its memory back at once"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_measurements_type = {"nasw.Measurements", rows, close_measurements,
                                          text_measurements, count_measurements};
