/* bind_table.c - rows of values as an aligned table or as CSV.
 *
 * Rows are lists, or records by key. Columns name what to show and how: "key", or {key = ...,
 * title = ..., format = "%.1f", or a function; align = "left" or "right"}. Without columns a list's
 * places, or a record's keys sorted. What is nil shows as ?, never as blank or 0.
 */
#include <stdlib.h>
#include <string.h>

#include "lua/bind.h"

#define MAX_COLUMNS 64
#define MAX_WIDTH   200 /* of a cell; longer ones are cut */

typedef struct column {
    bool is_right, is_given; /* aligned as asked */
    size_t width;
} column;

typedef struct page {
    lua_State *L;
    int rows, columns, cells; /* places on the stack; cells: texts, row after row */
    lua_Integer n_rows;
    int n_columns;
    bool is_default; /* columns of our choice */
    bool has_titles, is_csv;
    column column[MAX_COLUMNS];
} page;

/* Columns on the screen of printable UTF-8. */
static size_t text_width(const char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

/* ---- columns ---- */

/* Pushes the columns of the first row: its keys. */
static void push_default_columns(page *p)
{
    lua_State *L = p->L;
    lua_Integer n = 0;
    lua_newtable(L);
    if (p->n_rows == 0)
        return;
    lua_rawgeti(L, p->rows, 1);
    luaL_argcheck(L, lua_istable(L, -1), p->rows, "row 1 is no table");
    lua_Integer n_places = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= n_places; i++) {
        lua_pushinteger(L, i);
        lua_rawseti(L, -3, i);
    }
    if (n_places) {
        lua_pop(L, 1);
        return;
    }
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_istable(L, -1))
            continue; /* nested values have no place in a cell */
        lua_pushvalue(L, -2);
        lua_rawseti(L, -5, ++n);
    }
    lua_pop(L, 1);
    bind_open_table(L);
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
}

/* Pushes column i's key, title and format (nil: none). */
static void push_column(page *p, int i)
{
    lua_State *L = p->L;
    lua_rawgeti(L, p->columns, i + 1);
    if (!lua_istable(L, -1)) {
        if (lua_type(L, -1) != LUA_TSTRING && !lua_isinteger(L, -1))
            luaL_error(L, "column %d: wanted a key or {key = ..., title = ...}", i + 1);
        luaL_tolstring(L, -1, NULL);
        lua_pushnil(L);
        return;
    }
    int at = lua_gettop(L);
    lua_getfield(L, at, "key");
    if (lua_isnil(L, -1)) { /* rows that are lists: by place */
        lua_pop(L, 1);
        lua_pushinteger(L, i + 1);
    }
    lua_getfield(L, at, "title");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        luaL_tolstring(L, -1, NULL);
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "column %d: title must be a string", i + 1);
    lua_getfield(L, at, "format");
    lua_getfield(L, at, "align");
    const char *align = lua_tostring(L, -1);
    if (align && strcmp(align, "left") != 0 && strcmp(align, "right") != 0)
        luaL_error(L, "column %d: align is \"left\" or \"right\"", i + 1);
    p->column[i].is_given = align != NULL;
    p->column[i].is_right = align && *align == 'r';
    lua_pop(L, 1);
    lua_remove(L, at);
}

/* ---- cells ---- */

/* Replaces the value at the top by its text, format below it. */
static void format_value(page *p, int row, int i)
{
    lua_State *L = p->L;
    int format = lua_gettop(L) - 1;
    if (lua_isnil(L, -1)) {
        lua_pushliteral(L, "?");
    } else if (lua_isfunction(L, format)) {
        lua_pushvalue(L, format);
        lua_pushvalue(L, -2);
        lua_call(L, 1, 1);
        luaL_tolstring(L, -1, NULL);
        lua_remove(L, -2);
    } else if (lua_isstring(L, format) && lua_isnumber(L, -1)) {
        lua_getfield(L, LUA_REGISTRYINDEX, "nasw.format");
        lua_pushvalue(L, format);
        lua_pushvalue(L, -3);
        lua_call(L, 2, 1);
    } else {
        if (lua_istable(L, -1) && !p->is_default)
            luaL_error(L, "row %d, column %d is a table; show its fields, or give a format", row,
                       i + 1);
        if (lua_istable(L, -1))
            lua_pushliteral(L, "{...}");
        else
            luaL_tolstring(L, -1, NULL);
    }
    lua_remove(L, -2);
}

/* Replaces the text at the top by a printable one; returns its columns. */
static size_t clean_text(lua_State *L)
{
    size_t length;
    const char *raw = lua_tolstring(L, -1, &length);
    nw_buf *clean = bind_new_text(L);
    bind_add_visible(clean, raw, length);
    lua_pushlstring(L, nw_buf_text(clean), clean->length);
    length = text_width(nw_buf_text(clean), clean->length);
    lua_replace(L, -3);
    lua_pop(L, 1);
    return length;
}

/* Adds the value of row (below the top three: key, title, format), as text, to the cells. */
static void add_cell(page *p, int row_index, lua_Integer row, int i)
{
    lua_State *L = p->L;
    bind_charge(L, 20);
    lua_pushvalue(L, -1); /* format */
    lua_pushvalue(L, -4); /* key */
    lua_rawget(L, row_index);
    if (lua_isnumber(L, -1) && lua_type(L, -1) == LUA_TNUMBER && !p->column[i].is_given)
        p->column[i].is_right = true;
    bool is_nil = lua_isnil(L, -1);
    bool is_float = lua_type(L, -1) == LUA_TNUMBER && !lua_isinteger(L, -1);
    if (p->is_csv && is_nil) {
        lua_pop(L, 1);
        lua_pushliteral(L, "");
    } else if (p->is_csv && is_float && lua_isnil(L, -2)) {
        nw_buf *exact = bind_new_text(L);
        nw_buf_double(exact, lua_tonumber(L, -2));
        lua_pushstring(L, nw_buf_text(exact));
        lua_replace(L, -3);
        lua_pop(L, 1);
    } else {
        format_value(p, (int)row, i);
    }
    size_t width = clean_text(L);
    if (width > p->column[i].width)
        p->column[i].width = width > MAX_WIDTH ? MAX_WIDTH : width;
    lua_rawseti(L, p->cells, row * p->n_columns + i + 1);
    lua_pop(L, 1); /* format */
}

/* Fills the cells: row 0 has the titles. */
static void fill_cells(page *p)
{
    lua_State *L = p->L;
    for (int i = 0; i < p->n_columns; i++) {
        push_column(p, i); /* key, title, format */
        lua_pushvalue(L, -2);
        p->column[i].width = clean_text(L);
        if (!p->has_titles)
            p->column[i].width = 0;
        lua_rawseti(L, p->cells, i + 1);
        for (lua_Integer row = 1; row <= p->n_rows; row++) {
            lua_rawgeti(L, p->rows, row);
            if (!lua_istable(L, -1))
                luaL_error(L, "row %d is a %s; wanted a table", (int)row, luaL_typename(L, -1));
            lua_insert(L, -4); /* row, key, title, format */
            add_cell(p, lua_gettop(L) - 3, row, i);
            lua_remove(L, -4);
        }
        lua_pop(L, 3);
    }
}

static void begin(page *p, lua_State *L, int rows, int columns)
{
    p->L = L;
    p->rows = rows;
    luaL_checktype(L, rows, LUA_TTABLE);
    luaL_checkstack(L, 24, NULL);
    p->n_rows = (lua_Integer)lua_rawlen(L, rows);
    luaL_argcheck(L, p->n_rows < 10000000, rows, "too many rows");
    if (columns && !lua_isnoneornil(L, columns)) {
        luaL_checktype(L, columns, LUA_TTABLE);
        lua_pushvalue(L, columns);
    } else {
        push_default_columns(p);
        p->is_default = true;
    }
    p->columns = lua_gettop(L);
    lua_Integer n = (lua_Integer)lua_rawlen(L, p->columns);
    if (n > MAX_COLUMNS)
        luaL_error(L, "too many columns: %d; at most %d", (int)n, MAX_COLUMNS);
    p->n_columns = (int)n;
    lua_newtable(L);
    p->cells = lua_gettop(L);
}

/* ---- pages ---- */

static void add_padded(const column *c, const char *text, size_t length, bool is_last, nw_buf *out)
{
    size_t width = text_width(text, length), pad = c->width > width ? c->width - width : 0;
    if (width > MAX_WIDTH) { /* bytes at most, cut at a character */
        for (length = MAX_WIDTH; ((unsigned char)text[length] & 0xc0) == 0x80; length--)
            ;
        width = text_width(text, length);
        pad = c->width > width ? c->width - width : 0;
    }
    if (c->is_right)
        nw_buf_printf(out, "%*s", (int)pad, "");
    for (size_t i = 0; i < length; i++) /* a cell is a line */
        nw_buf_add(out, text[i] == '\n' || text[i] == '\t' ? " " : text + i, 1);
    if (!c->is_right && !is_last)
        nw_buf_printf(out, "%*s", (int)pad, "");
}

static void add_quoted(const char *text, size_t length, nw_buf *out)
{
    if (strcspn(text, ",\"\n\r") >= length) {
        nw_buf_add(out, text, length);
        return;
    }
    nw_buf_puts(out, "\"");
    for (size_t i = 0; i < length; i++)
        nw_buf_add(out, text[i] == '"' ? "\"\"" : text + i, text[i] == '"' ? 2 : 1);
    nw_buf_puts(out, "\"");
}

static void add_page(page *p, nw_buf *out)
{
    lua_State *L = p->L;
    for (lua_Integer row = p->has_titles ? 0 : 1; row <= p->n_rows; row++) {
        for (int i = 0; i < p->n_columns; i++) {
            size_t length;
            lua_rawgeti(L, p->cells, row * p->n_columns + i + 1);
            const char *text = lua_tolstring(L, -1, &length);
            nw_buf_puts(out, i ? (p->is_csv ? "," : "  ") : "");
            if (p->is_csv)
                add_quoted(text, length, out);
            else
                add_padded(&p->column[i], text, length, i == p->n_columns - 1, out);
            lua_pop(L, 1);
        }
        nw_buf_puts(out, "\n");
        bind_text_limit(L, out);
    }
}

static void add_rows(page *p, lua_State *L, int rows, int columns, nw_buf *out)
{
    int top = lua_gettop(L);
    begin(p, L, rows, columns);
    if (p->n_columns) {
        fill_cells(p);
        add_page(p, out);
    }
    lua_settop(L, top);
}

void bind_add_table(lua_State *L, int rows, int columns, nw_buf *out)
{
    page p = {.has_titles = true};
    add_rows(&p, L, rows, columns, out);
}

void bind_add_pairs(lua_State *L, int rows, nw_buf *out)
{
    page p = {.has_titles = false};
    add_rows(&p, L, rows, 0, out);
}

void bind_add_csv(lua_State *L, int rows, int columns, nw_buf *out)
{
    page p = {.has_titles = true, .is_csv = true};
    add_rows(&p, L, rows, columns, out);
}
