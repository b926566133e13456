/* engine.c - an engine and its runs: load, call, say what went wrong.
 */
#include "lua/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/bind.h"
#include "src/base/arena.h"
#include "src/base/file.h"

#define DEFAULT_MEMORY   ((int64_t)64 << 20)
#define DEFAULT_BUDGET   ((int64_t)1000000000)
#define DEFAULT_CPU_S    120.0
#define RESERVE_BYTES    ((int64_t)256 << 10)
#define MAX_SCRIPT_BYTES ((size_t)16 << 20)
#define TRACE_FIRST      6   /* lines of a traceback */
#define TRACE_LAST       5   /* levels, those of C among them */
#define MAX_MESSAGES     200 /* lines of a script that become messages */

/* ---- errors ---- */

/* Adds the line of a level if it is one of Lua; false: there is no such level. */
static bool add_level(lua_State *L, int level, nw_buf *out, int *n_lines)
{
    lua_Debug at;
    char line[256];
    if (!lua_getstack(L, level, &at))
        return false;
    lua_getinfo(L, "Sln", &at);
    if (at.currentline <= 0)
        return true;
    if (strcmp(at.what, "main") == 0)
        snprintf(line, sizeof line, "  %s:%d: in the main chunk\n", at.short_src, at.currentline);
    else
        snprintf(line, sizeof line, "  %s:%d: in %s%s%s\n", at.short_src, at.currentline,
                 at.name ? "'" : "a function", at.name ? at.name : "", at.name ? "'" : "");
    bind_add_visible(out, line, strlen(line));
    ++*n_lines;
    return true;
}

/* Asking for a level takes as long as the level is deep: search, do not walk. */
static int count_levels(lua_State *L)
{
    lua_Debug at;
    int low = 0, high = 1;
    while (lua_getstack(L, high, &at)) {
        low = high;
        high *= 2;
    }
    while (low + 1 < high) {
        int middle = low + (high - low) / 2;
        if (lua_getstack(L, middle, &at))
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* The lines of Lua among the first and the last few levels. */
static void add_traceback(lua_State *L, lua_engine *engine)
{
    nw_buf *out = &engine->traceback;
    int n_levels = count_levels(L), n_lines = 0, level = 1;
    nw_buf_clear(out);
    while (n_lines < TRACE_FIRST && level < n_levels)
        add_level(L, level++, out, &n_lines);
    if (level < n_levels - TRACE_LAST) {
        nw_buf_printf(out, "  ... %d levels\n", n_levels - TRACE_LAST - level);
        level = n_levels - TRACE_LAST;
    }
    while (level < n_levels)
        add_level(L, level++, out, &n_lines);
}

/* The message handler: notes where, and makes a text of any error object. */
static int on_error(lua_State *L)
{
    lua_engine *engine = bind_engine(L);
    lua_Debug at;
    engine->raised_at[0] = '\0';
    for (int level = 1; !engine->raised_at[0] && lua_getstack(L, level, &at); level++) {
        lua_getinfo(L, "Sl", &at);
        if (at.currentline > 0)
            snprintf(engine->raised_at, sizeof engine->raised_at, "%s:%d: ", at.short_src,
                     at.currentline);
    }
    add_traceback(L, engine);
    if (lua_type(L, 1) == LUA_TSTRING)
        return 1;
    if (lua_isnil(L, 1))
        lua_pushfstring(L, "%san error without a value", engine->raised_at);
    else if (luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL)
        lua_pushfstring(L, "%sthe error is a %s", engine->raised_at, luaL_typename(L, 1));
    else
        luaL_tolstring(L, 1, NULL);
    return 1;
}

static void add_problem(lua_engine *engine, int status, nw_buf *problem)
{
    lua_State *L = engine->state;
    size_t length = 0, start = problem->length;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (status == LUA_ERRMEM) {
        bind_add_visible(problem, engine->where, strlen(engine->where));
        nw_buf_puts(problem, "not enough memory");
        if (engine->max_bytes)
            nw_buf_printf(problem, ": the limit is %.0f MiB (--trust lifts it)",
                          (double)engine->max_bytes / 1048576);
        nw_buf_clear(&engine->traceback);
    } else if (text) {
        bind_add_visible(problem, text, length);
    } else {
        nw_buf_printf(problem, "%san error without a text", engine->raised_at);
    }
    for (size_t i = start; i < problem->length; i++) /* one line */
        if (problem->text[i] == '\n')
            problem->text[i] = ' ';
    nw_buf_puts(problem, "\n");
    nw_buf_puts(problem, nw_buf_text(&engine->traceback));
}

static nw_status status_of(const lua_engine *engine, int status)
{
    static const nw_status by_stop[] = {[BIND_STOP_BUDGET] = NW_LIMIT,
                                        [BIND_STOP_TIME] = NW_LIMIT,
                                        [BIND_STOP_INTERRUPT] = NW_CANCELLED,
                                        [BIND_STOP_OUTPUT] = NW_IO};
    if (engine->stop != BIND_RUNS)
        return by_stop[engine->stop];
    return status == LUA_ERRMEM ? NW_LIMIT : NW_INVALID;
}

/* A stop that the script caught in its last instruction is one all the same. */
static int call_and_check(lua_State *L)
{
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 1, 0);
    if (bind_engine(L)->stop != BIND_RUNS)
        bind_raise_stop(L, bind_engine(L)->stop);
    return 0;
}

nw_status bind_run(lua_engine *engine, lua_CFunction function, void *job, nw_buf *problem)
{
    lua_State *L = engine->state;
    int top = lua_gettop(L);
    if (engine->n_running++ == 0)
        bind_start_budget(engine);
    nw_buf_clear(&engine->traceback);
    engine->reserve_bytes = RESERVE_BYTES;
    /* None of these takes memory, so none raises here. */
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, call_and_check);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, job);
    int status = lua_pcall(L, 2, 0, top + 1);
    nw_status result = NW_OK;
    if (status != LUA_OK) {
        result = status_of(engine, status);
        add_problem(engine, status, problem);
    }
    lua_settop(L, top);
    if (--engine->n_running == 0)
        lua_sethook(L, NULL, 0, 0);
    return result;
}

/* ---- life ---- */

static int open_protected(lua_State *L)
{
    bind_open_library(L);
    bind_open(L);
    return 0;
}

void lua_engine_set_budget(lua_engine *engine, int64_t budget)
{
    engine->config.budget = budget ? budget : DEFAULT_BUDGET;
}

lua_engine *lua_engine_new(const lua_config *config)
{
    lua_engine *engine = nw_zalloc(sizeof *engine);
    engine->config = *config;
    lua_engine_set_budget(engine, config->budget);
    if (engine->config.cpu_s <= 0)
        engine->config.cpu_s = DEFAULT_CPU_S;
    int64_t memory = config->memory_bytes ? config->memory_bytes : DEFAULT_MEMORY;
    engine->budget = INT64_MAX; /* opening the library is not the script's work */
    if (config->folder)
        snprintf(engine->folder, sizeof engine->folder, "%s", config->folder);
    engine->state = lua_newstate(bind_allocate, engine);
    if (!engine->state)
        nw_die("out of memory");
    *(lua_engine **)lua_getextraspace(engine->state) = engine;
    nw_buf problem = {0};
    nw_status status = bind_run(engine, open_protected, NULL, &problem);
    if (status != NW_OK)
        nw_die("Lua does not start: %s", nw_buf_text(&problem));
    nw_buf_fini(&problem);
    engine->max_bytes = config->is_trusted ? 0 : engine->used_bytes + memory;
    return engine;
}

void lua_engine_free(lua_engine *engine)
{
    if (!engine)
        return;
    bind_close_holders(engine);
    bind_forget_hooks(engine);
    lua_close(engine->state);
    bind_forget_estimators(engine, NULL);
    nw_buf_fini(&engine->printed);
    nw_buf_fini(&engine->traceback);
    free(engine);
}

/* ---- scripts ---- */

typedef struct script {
    const char *name; /* in messages */
    const char *text;
    size_t length;
    const char *path; /* arg[0] */
    char *const *args;
    int n_args;
    void (*take)(lua_State *L, void *context); /* what it returned, at the top; NULL: nobody */
    void *context;
} script;

static void skip_first_line(script *s)
{
    if (s->length >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0) {
        s->text += 3;
        s->length -= 3;
    }
    if (s->length && *s->text == '#')
        while (s->length && *s->text != '\n') { /* the line feed stays: lines keep their numbers */
            s->text++;
            s->length--;
        }
}

static int run_script(lua_State *L)
{
    script *s = lua_touserdata(L, 1);
    lua_newtable(L);
    for (int i = 0; i <= s->n_args; i++) {
        lua_pushstring(L, i ? s->args[i - 1] : s->path);
        lua_rawseti(L, -2, i);
    }
    lua_setglobal(L, "arg");
    if (s->length && *s->text == LUA_SIGNATURE[0])
        return luaL_error(L, "%s: a compiled script; only text is run", s->name);
    const char *chunk = lua_pushfstring(L, strcmp(s->name, "stdin") == 0 ? "=%s" : "@%s", s->name);
    if (luaL_loadbufferx(L, s->text, s->length, chunk, "t") != LUA_OK)
        return lua_error(L);
    bind_engine(L)->reserve_bytes = 0;
    lua_call(L, 0, s->take ? 1 : 0);
    if (s->take)
        s->take(L, s->context);
    return 0;
}

static nw_status flush_output(const lua_engine *engine, nw_buf *problem)
{
    if (engine->config.is_captured || (fflush(stdout) == 0 && !ferror(stdout)))
        return NW_OK;
    nw_buf_printf(problem, "standard output: cannot write: %s\n", strerror(errno));
    return NW_IO;
}

static nw_status run(lua_engine *engine, script *s, nw_buf *problem)
{
    skip_first_line(s);
    nw_status status = bind_run(engine, run_script, s, problem);
    nw_buf ignored = {0};
    nw_status flushed = flush_output(engine, status == NW_OK ? problem : &ignored);
    nw_buf_fini(&ignored);
    return status == NW_OK ? flushed : status;
}

nw_status lua_engine_run_text(lua_engine *engine, const char *name, const char *text,
                              nw_buf *problem)
{
    script s = {.name = name, .text = text, .length = strlen(text), .path = name};
    return run(engine, &s, problem);
}

static void set_folder(lua_engine *engine, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (engine->config.folder)
        return;
    size_t length = slash ? (size_t)(slash - path) + (slash == path) : 0;
    if (length < sizeof engine->folder) {
        memcpy(engine->folder, path, length);
        engine->folder[length] = '\0';
    }
}

/* s: all but name and text, which are those of the file. */
static nw_status run_file(lua_engine *engine, script *s, nw_buf *problem)
{
    const char *path = s->path;
    nw_file *file;
    nw_error err;
    nw_status status = nw_file_read(path, MAX_SCRIPT_BYTES, &file, &err);
    if (status != NW_OK) {
        nw_buf_printf(problem, "%s: %s\n", err.where, err.message);
        return status;
    }
    bool is_stdin = strcmp(path, "-") == 0;
    char before[sizeof engine->folder]; /* init.lua does not move the console's folder */
    memcpy(before, engine->folder, sizeof before);
    if (!is_stdin)
        set_folder(engine, path);
    s->name = is_stdin ? "stdin" : path;
    s->text = (const char *)file->bytes;
    s->length = file->n_bytes;
    status = run(engine, s, problem);
    memcpy(engine->folder, before, sizeof before);
    nw_file_release(file);
    return status;
}

nw_status lua_engine_run_file(lua_engine *engine, const char *path, char *const *args, int n_args,
                              nw_buf *problem)
{
    script s = {.path = path, .args = args, .n_args = n_args};
    return run_file(engine, &s, problem);
}

nw_status bind_run_file(lua_engine *engine, const char *path,
                        void (*take)(lua_State *L, void *context), void *context, nw_buf *problem)
{
    script s = {.path = path, .take = take, .context = context};
    return run_file(engine, &s, problem);
}

/* ---- scripts run by an action ---- */

static void say_lines(nw_session *session, const char *text)
{
    int n = 0;
    for (const char *at = text; *at && n < MAX_MESSAGES; n++) {
        size_t length = strcspn(at, "\n");
        nw_session_say(session, NW_MESSAGE_INFO, "%.*s", (int)length, at);
        at += length;
        at += *at == '\n';
    }
    if (n == MAX_MESSAGES)
        nw_session_say(session, NW_MESSAGE_WARNING,
                       "the script printed more than %d lines; nasw --script shows all", n);
}

nw_status lua_engine_run_script(void *context, nw_session *session, const char *path, nw_error *err)
{
    lua_engine *outer = context;
    if (outer->depth == BIND_MAX_DEPTH)
        return nw_fail(err, NW_LIMIT, path, "scripts run each other more than %d deep",
                       BIND_MAX_DEPTH);
    lua_config config = outer->config;
    config.session = session;
    config.folder = NULL;
    if (outer->n_running)
        config.budget = outer->budget > 1 ? outer->budget : 1;
    lua_engine *engine = lua_engine_new(&config);
    engine->depth = outer->depth + 1;
    nw_session_set_script_runner(session, lua_engine_run_script, engine);
    nw_buf problem = {0};
    nw_status status = lua_engine_run_file(engine, path, NULL, 0, &problem);
    nw_session_set_script_runner(session, lua_engine_run_script, outer);
    if (outer->n_running)
        outer->budget -= config.budget - engine->budget;
    say_lines(session, nw_buf_text(&engine->printed));
    if (status != NW_OK) {
        nw_buf_add(&problem, "\n", 1);
        problem.text[strcspn(problem.text, "\n")] = '\0'; /* the traceback has no place here */
        nw_fail(err, status, "", "%s", problem.text);
    }
    nw_buf_fini(&problem);
    lua_engine_free(engine);
    return status;
}

/* ---- what is registered ---- */

static void each_row(const bind_row *rows, const char *prefix, char mark,
                     void (*call)(void *context, const char *name), void *context)
{
    char name[128];
    for (; rows->name; rows++) {
        if (!rows->hint)
            continue;
        snprintf(name, sizeof name, "%s%c%s", prefix, rows->is_field ? '.' : mark, rows->name);
        call(context, name);
    }
}

void lua_engine_each_name(const lua_engine *engine, void (*row)(void *context, const char *name),
                          void *context)
{
    for (const bind_row *const *rows = bind_modules; *rows; rows++)
        each_row(*rows, "nasw", '.', row, context);
    if (engine->config.face)
        each_row(bind_face_rows, "nasw", '.', row, context);
    for (const bind_type *const *type = bind_types; *type; type++)
        each_row((*type)->rows, strchr((*type)->name, '.') + 1, ':', row, context);
}
