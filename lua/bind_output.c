/* bind_output.c - what scripts print and write: texts, tables, JSON, CSV, files.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lua/bind.h"

#define UNITS_PER_BYTE     4 /* written to a file or printed: a full disk is work too */
#define MAX_CAPTURED_BYTES ((size_t)1 << 20)

/* The arguments as print shows them, on the stack's top. */
static nw_buf *join_arguments(lua_State *L)
{
    int n = lua_gettop(L);
    nw_buf *line = bind_new_text(L);
    for (int i = 1; i <= n; i++) {
        size_t length;
        const char *text = luaL_tolstring(L, i, &length);
        nw_buf_add(line, text, length);
        nw_buf_puts(line, i < n ? "\t" : "");
        bind_text_limit(L, line);
        lua_pop(L, 1);
    }
    nw_buf_puts(line, "\n");
    bind_charge(L, UNITS_PER_BYTE * (int64_t)line->length);
    return line;
}

/* A script from elsewhere sends no commands to the terminal. */
static nw_buf *safe_for(lua_State *L, nw_buf *line, bool is_terminal)
{
    if (!is_terminal || bind_engine(L)->config.is_trusted)
        return line;
    nw_buf *clean = bind_new_text(L);
    bind_add_visible(clean, nw_buf_text(line), line->length);
    return clean;
}

static void capture(lua_State *L, const nw_buf *line)
{
    nw_buf *printed = &bind_engine(L)->printed;
    if (printed->length + line->length > MAX_CAPTURED_BYTES)
        luaL_error(L, "print: more than a MiB of text; write a file");
    bind_add_visible(printed, nw_buf_text(line), line->length);
}

static int bind_print(lua_State *L)
{
    nw_buf *line = join_arguments(L);
    if (bind_engine(L)->config.is_captured) {
        capture(L, line);
        return 0;
    }
    line = safe_for(L, line, isatty(STDOUT_FILENO));
    if (fwrite(nw_buf_text(line), 1, line->length, stdout) != line->length) {
        bind_engine(L)->output_errno = errno;
        bind_raise_stop(L, BIND_STOP_OUTPUT);
    }
    return 0;
}

static int bind_log(lua_State *L)
{
    nw_buf *line = join_arguments(L);
    if (bind_engine(L)->config.is_captured) {
        capture(L, line);
        return 0;
    }
    line = safe_for(L, line, isatty(STDERR_FILENO));
    fflush(stdout); /* in order, where both go to one place */
    fwrite(nw_buf_text(line), 1, line->length, stderr);
    return 0;
}

static int push_text(lua_State *L, const nw_buf *out)
{
    bind_text_limit(L, out);
    lua_pushlstring(L, nw_buf_text(out), out->length);
    return 1;
}

static int bind_table(lua_State *L)
{
    lua_settop(L, 2);
    nw_buf *out = bind_new_text(L);
    bind_add_table(L, 1, 2, out);
    return push_text(L, out);
}

static int bind_csv(lua_State *L)
{
    lua_settop(L, 2);
    nw_buf *out = bind_new_text(L);
    bind_add_csv(L, 1, 2, out);
    return push_text(L, out);
}

static int bind_json(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    nw_buf *out = bind_new_text(L);
    bind_add_json(L, 1, true, out);
    nw_buf_puts(out, "\n");
    return push_text(L, out);
}

int bind_write_text(lua_State *L, int index, const char *text, size_t length)
{
    size_t path_length;
    const char *path = luaL_checklstring(L, index, &path_length);
    luaL_argcheck(L, strlen(path) == path_length, index, "a zero byte in the name");
    bind_charge(L, 10000 + UNITS_PER_BYTE * (int64_t)length);
    nw_error err;
    if (bind_write_file(path, text, length, bind_engine(L)->config.is_trusted, &err) != NW_OK)
        return bind_push_error(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int bind_write(lua_State *L)
{
    size_t length;
    luaL_checkstring(L, 1);
    const char *text = luaL_checklstring(L, 2, &length);
    return bind_write_text(L, 1, text, length);
}

static int bind_clock(lua_State *L)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    lua_pushnumber(L, (double)t.tv_sec + (double)t.tv_nsec / 1e9);
    return 1;
}

const bind_row bind_output_rows[] = {
    {"print", bind_print, false, "nasw.print(...): to standard output; print is the same"},
    {"log", bind_log, false, "nasw.log(...): to standard error, away from results"},
    {"table", bind_table, false,
     "nasw.table(rows [, columns]) -> aligned text; column: \"key\" or {key, title, format, "
     "align}"},
    {"csv", bind_csv, false, "nasw.csv(rows [, columns]) -> text, a header line first"},
    {"json", bind_json, false, "nasw.json(value) -> text, keys sorted"},
    {"write", bind_write, false,
     "nasw.write(path, text) -> true | nil, message, code: a file below the working folder"},
    {"clock", bind_clock, false, "nasw.clock() -> seconds of a clock that only runs forward"},
    {NULL, NULL, false, NULL},
};
