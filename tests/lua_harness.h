/* lua_harness.h - engines for the suites test_lua*.c; inline, since other suites have no Lua.
 */
#ifndef NW_TESTS_LUA_HARNESS_H
#define NW_TESTS_LUA_HARNESS_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lua/engine.h"

#define PRESETS "hw"

/* What the last run left; a test runs in a process of its own. */
typedef struct lua_run {
    nw_session *session;
    nw_status status;
    nw_buf problem;
    nw_buf out;
} lua_run;

static inline lua_run *last_run(void)
{
    static lua_run last;
    return &last;
}

static inline void begin_session(void)
{
    nw_session_config config = {.data_path = PRESETS, .n_workers = 1};
    nw_error err;
    ck_assert_msg(nw_session_new(&config, &last_run()->session, &err) == NW_OK, "%s", err.message);
}

static inline void end_session(void)
{
    nw_session_free(last_run()->session);
    nw_buf_fini(&last_run()->problem);
    nw_buf_fini(&last_run()->out);
}

/* On the session; limits not given are small. */
static inline lua_engine *start(lua_config config)
{
    config.session = last_run()->session;
    config.data_path = PRESETS;
    if (!config.memory_bytes)
        config.memory_bytes = 16 << 20;
    if (!config.budget)
        config.budget = 20000000;
    return lua_engine_new(&config);
}

static inline nw_status run_in(lua_engine *engine, const char *text)
{
    lua_run *last = last_run();
    nw_buf_clear(&last->problem);
    last->status = lua_engine_run_text(engine, "t.lua", text, &last->problem);
    return last->status;
}

/* A fresh sandbox that must succeed. */
static inline void ok(const char *text)
{
    lua_engine *engine = start((lua_config){0});
    ck_assert_msg(run_in(engine, text) == NW_OK, "%s\nin: %s", nw_buf_text(&last_run()->problem),
                  text);
    lua_engine_free(engine);
}

/* A fresh sandbox that must fail; returns the problem, until the next run. */
static inline const char *problem_of(const char *text)
{
    lua_engine *engine = start((lua_config){0});
    ck_assert_msg(run_in(engine, text) != NW_OK, "nothing was wrong with: %s", text);
    lua_engine_free(engine);
    return nw_buf_text(&last_run()->problem);
}

static inline void fails_with(const char *text, const char *words)
{
    const char *problem = problem_of(text);
    ck_assert_msg(strstr(problem, words) != NULL, "'%s' is not in: %s\nof: %s", words, problem,
                  text);
}

/* Evaluates a line as the console does; returns what it shows. */
static inline const char *console(lua_engine *engine, const char *line, bool *is_error,
                                  bool *is_incomplete)
{
    lua_run *last = last_run();
    nw_buf_clear(&last->out);
    lua_engine_evaluate(engine, last->session, line, &last->out, is_error, is_incomplete);
    return nw_buf_text(&last->out);
}

#endif
