/* engine.h - Lua 5.4 on a session: scripts, lines of the console, init.lua.
 *
 * A script is untrusted unless the user says otherwise: no io, os, debug, load, coroutines or
 * bytecode; a limit of memory; a budget of work that holds inside long library calls too; files are
 * written below the working folder alone. sandbox.c says what the budget counts. An engine belongs
 * to the main thread.
 */
#ifndef LUA_ENGINE_H
#define LUA_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/text.h"
#include "src/session/session.h"
#include "src/space/space.h"

typedef struct lua_engine lua_engine;

/* What only a workbench has: given, scripts see nasw.bind and nasw.theme. */
typedef struct lua_face {
    void *context;
    nw_status (*bind)(void *context, const char *key, const char *name, nw_error *err);
    nw_status (*set_color)(void *context, const char *role, const char *color, nw_error *err);
} lua_face;

typedef struct lua_config {
    nw_session *session;   /* borrowed; NULL: nasw.act and its relatives fail */
    const char *data_path; /* hardware descriptions, colon-separated folders */
    const char *folder;    /* of require; NULL: that of the script, else the working folder */
    bool is_trusted;       /* everything of Lua, no limits */
    bool is_captured;      /* print goes to the session or the console, not to stdout */
    int64_t memory_bytes;  /* of Lua itself; 0: 64 MiB */
    int64_t budget;        /* units of work a run or a console line; 0: 1e9, some seconds */
    double cpu_s;          /* processor time a run; 0: 120 */
    const lua_face *face;  /* NULL: none */
    /* Asked every few thousand instructions; true stops the script. NULL: never. */
    bool (*is_interrupted)(void *context);
    void *interrupt_context;
} lua_config;

/* Copies the config; the strings and the face must outlive the engine. */
lua_engine *lua_engine_new(const lua_config *config);
void lua_engine_free(lua_engine *engine); /* NULL is fine */

/* Of every run from here on, in units of work; 0: the default. */
void lua_engine_set_budget(lua_engine *engine, int64_t budget);

/* Runs a script, "-" from standard input; args become arg[1], arg[2], ... On failure `problem`
 * gets "F.lua:12: what" and below it the lines of a short traceback, all printable.
 * NW_INVALID: the script's error; NW_LIMIT: memory or budget gone; NW_CANCELLED: interrupted;
 * NW_IO: not readable, or standard output cannot be written. */
NW_CHECKED nw_status lua_engine_run_file(lua_engine *engine, const char *path, char *const *args,
                                         int n_args, nw_buf *problem);

/* The same for a text; name is for messages. */
NW_CHECKED nw_status lua_engine_run_text(lua_engine *engine, const char *name, const char *text,
                                         nw_buf *problem);

/* ---- the console; in the shape of ui_evaluator, context is the engine ---- */

/* An expression or statements; globals stay. out gets what was printed and the results, tables as
 * tables, or the error: its first line says what, those behind it are the traceback. An open block
 * or bracket is incomplete: come back with that text and the next line behind it. */
void lua_engine_evaluate(void *context, nw_session *session, const char *text, nw_buf *out,
                         bool *is_error, bool *is_incomplete);
/* Names that complete the end of line, one a line; *replace_from: the byte they begin at. */
void lua_engine_complete(void *context, const char *line, nw_buf *out, size_t *replace_from);
/* Signature and help of the call that the end of line stands in, or nothing. */
void lua_engine_hint(void *context, const char *line, nw_buf *out);

/* An nw_script_runner, context is the engine: runs path in a fresh engine of the same config;
 * what it prints become messages of the session. */
nw_status lua_engine_run_script(void *context, nw_session *session, const char *path,
                                nw_error *err);

/* The load of an nw_model_loader; context is a lua_config. Runs path in an engine of its own, in
 * the sandbox unless the config says otherwise, and takes the network that the file returns.
 * err->where: its line where there is one. */
nw_status lua_engine_load_network(void *context, const char *path, const nw_arch **out,
                                  nw_error *err);

/* The load of an nw_space_loader; context is a lua_config, which outlives what is loaded. Runs path
 * in an engine of its own, in the sandbox unless the config says otherwise, and seals the space
 * that the file returns; a network returned becomes the usual space of it (nw_space_of_model). The
 * engine lives as long as conditions in Lua (nw_space_n_predicates) of the space do. err->message:
 * what is wrong, err->where: "F.lua:12", the declaration or the line of the script. */
nw_status lua_engine_load_space(void *context, const char *path, const nw_space **out,
                                nw_error *err);

/* Calls row for each function and field registered: "nasw.load", "Network:ops", "Network.macs".
 * For the test that compares them with nasw.d.lua. */
void lua_engine_each_name(const lua_engine *engine, void (*row)(void *context, const char *name),
                          void *context);

#endif
