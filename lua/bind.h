/* bind.h - what the files of this folder share; private to it.
 *
 * A binding checks its arguments (may raise), calls the core (no Lua), pushes (may raise). Raising
 * is a long jump, so text that grows lives in a bind_text on the Lua stack.
 */
#ifndef LUA_BIND_H
#define LUA_BIND_H

#include <lauxlib.h>
#include <lua.h>

#include "lua/engine.h"
#include "src/arch/arch.h"
#include "src/base/file.h"
#include "src/base/table.h"
#include "src/estimator/estimator.h"
#include "src/graph/graph.h"
#include "src/hw/hw.h"
#include "src/plan/plan.h"
#include "src/space/space.h"

typedef enum bind_stop {
    BIND_RUNS,
    BIND_STOP_BUDGET,
    BIND_STOP_TIME,
    BIND_STOP_INTERRUPT,
    BIND_STOP_OUTPUT /* standard output is gone */
} bind_stop;

#define BIND_MAX_DEPTH 4 /* of scripts that run scripts */

struct lua_engine {
    lua_config config;
    lua_State *state;
    int64_t reserve_bytes; /* beyond max_bytes while a script is compiled: "t = nil" must work */
    int64_t used_bytes, max_bytes;   /* of Lua itself */
    int64_t held_bytes, swept_bytes; /* of networks and estimates; after the last collection */
    int64_t budget;                  /* units left */
    double cpu_start_s, cpu_checked_s;
    bind_stop stop;     /* why nothing runs any more; raised again until the run has ended */
    char where[96];     /* "F.lua:12: " of the stop, or where memory ran out */
    char folder[512];   /* of require */
    nw_buf printed;     /* when captured */
    nw_buf traceback;   /* of the error under way */
    char raised_at[96]; /* "F.lua:12: ", for errors that are no texts */
    int output_errno;   /* of BIND_STOP_OUTPUT */
    int n_running;      /* calls under way */
    struct bind_opened *opened;  /* estimators in use; choice.c */
    int depth;                   /* of scripts that run scripts, 0: the first */
    struct bind_holder *holders; /* objects that keep a space; holder.c */
    struct bind_hook *hooks;     /* functions that spaces call; hook.c */
    bool lives_with_hooks;       /* freed with the last of them */
};

/* The first member of an object that keeps a space alive. A space keeps its hooks, those their
 * engine, and an engine its objects: what ends first is said here, not found out by counting. */
typedef struct bind_holder {
    struct bind_holder *previous, *next;
    void (*close)(struct bind_holder *holder); /* NULL: closed */
    lua_engine *engine;
    int64_t held_bytes;
} bind_holder;

lua_engine *bind_engine(lua_State *L);

/* ---- sandbox.c ---- */
void *bind_allocate(void *engine, void *old, size_t old_bytes, size_t new_bytes);
void bind_start_budget(lua_engine *engine);
/* Takes units of work (about an instruction each) from the budget; raises once it is gone. */
void bind_charge(lua_State *L, int64_t units);
/* Accounts for memory outside Lua that an object holds; collects garbage when much has come
 * together. False: over the limit, nothing is accounted. Negative: given back. */
bool bind_hold(lua_State *L, int64_t n_bytes);
_Noreturn void bind_raise_stop(lua_State *L, bind_stop stop);
/* For long work in C, which cannot be left by raising: why to end it, for bind_raise_stop then. */
bind_stop bind_must_stop(lua_engine *engine);
/* Opens the library of the engine: the safe part, or all of it. May raise. */
void bind_open_library(lua_State *L);
void bind_open_patterns(lua_State *L); /* pattern.c: into the table at the top */
void bind_open_table(lua_State *L);    /* safe_table.c: pushes it */
void bind_open_require(lua_State *L);  /* require.c: a global */

/* ---- rows: what is registered ---- */
typedef struct bind_row {
    const char *name;
    lua_CFunction function;
    bool is_field;    /* read as object.name, without a call */
    const char *hint; /* "nasw.load(path [, options]) -> network": what the console shows; NULL: an
                       * alias of the row above it */
} bind_row;

typedef struct bind_type {
    const char *name;     /* "nasw.Network" */
    const bind_row *rows; /* ends with a NULL name */
    lua_CFunction close;  /* NULL: it holds nothing outside Lua */
    lua_CFunction text;
    lua_CFunction length; /* of #object; NULL: none */
} bind_type;

extern const bind_type bind_network_type, bind_hw_type, bind_estimate_type;
extern const bind_type bind_builder_type, bind_map_type;
extern const bind_type bind_measurements_type, bind_estimator_type, bind_session_type;
extern const bind_type bind_space_type, bind_genome_type, bind_landscape_type;
extern const bind_type bind_plan_type, bind_curation_type;
extern const bind_type *const bind_types[]; /* NULL-terminated */

extern const bind_row bind_network_rows[], bind_hw_rows[], bind_estimate_rows[];
extern const bind_row bind_network_module[], bind_hw_module[], bind_estimate_module[];
extern const bind_row bind_measure_module[], bind_fit_module[], bind_build_module[],
    bind_space_module[], bind_landscape_module[];
extern const bind_row bind_output_rows[], bind_session_rows[], bind_face_rows[];
extern const bind_row *const bind_modules[]; /* of nasw, NULL-terminated */

void bind_open(lua_State *L); /* makes the types and the global nasw */

/* ---- arguments and results (bind.c) ---- */

/* Pushes a zeroed object of the type with room for n_values user values. */
void *bind_new(lua_State *L, const bind_type *type, size_t n_bytes, int n_values);
/* Raises unless the argument is an object of the type. */
void *bind_check(lua_State *L, int index, const bind_type *type);

/* Pushes nil, message, code ("invalid", "unsupported", "io", "limit", "cancelled"); returns 3. */
int bind_push_error(lua_State *L, const nw_error *err);
int bind_push_failure(lua_State *L, nw_status status, const char *where, const char *message);

void bind_push_printable(lua_State *L, const char *name);  /* text from a file */
void bind_push_shape(lua_State *L, const nw_shape *shape); /* a list, or nil */
void bind_set_int(lua_State *L, const char *key, int64_t value);
void bind_set_number(lua_State *L, const char *key, double value);
void bind_set_text(lua_State *L, const char *key, const char *value);
/* The option of the table at index, or fallback; raises for another type. Index may hold none. */
const char *bind_option(lua_State *L, int index, const char *key, const char *fallback);
/* Pushes the option, whatever it is; nil: not given. */
void bind_push_option(lua_State *L, int index, const char *key);
/* The whole number from low to high; 0: not given. Raises for others. */
int64_t bind_int_option(lua_State *L, int index, const char *key, int64_t low, int64_t high);
/* Raises for a key that is not in names (NULL-terminated). */
void bind_check_options(lua_State *L, int index, const char *const *names);

/* Pushes a buffer that the collector frees; it lives while it is on the stack. */
nw_buf *bind_new_text(lua_State *L);
void bind_text_limit(lua_State *L, const nw_buf *text); /* raises beyond the memory limit */
/* Adds text made printable, keeping line feeds and tabs. */
void bind_add_visible(nw_buf *out, const char *text, size_t length);

/* ---- what ends with a space (holder.c) ---- */
/* A new object joins those of its engine, with that much memory outside Lua. Close it with
 * bind_close_holder, in its close function too. False: over the limit, it has been closed. */
bool bind_open_holder(lua_State *L, bind_holder *holder, void (*close)(bind_holder *holder),
                      int64_t held_bytes);
void bind_close_holder(bind_holder *holder); /* closed already is fine */
void bind_close_holders(lua_engine *engine);

/* ---- functions that spaces call (hook.c) ---- */
/* Adds the function at index as a predicate of a space that is being declared. */
void bind_add_hook(lua_State *L, int index, nw_space *space, const char *name, const char *file,
                   int line);
/* Calls the hooks of a space on a few genomes. */
void bind_try_hooks(const nw_space *space);
/* From here on; then whether one of those that were called since failed: problem says how and
 * where.
 */
void bind_watch_hooks(lua_engine *engine);
bool bind_find_hook_problem(const lua_engine *engine, nw_buf *problem);
void bind_forget_hooks(lua_engine *engine); /* those left refuse everything from now on */

/* ---- objects ---- */
typedef struct bind_space {
    bind_holder holder;
    nw_space *declared;    /* NULL: sealed or closed */
    const nw_space *space; /* sealed; NULL: not yet, or closed */
    char *name;            /* as given */
    char sealed_at[128];   /* "F.lua:12" */
    int64_t n_tries;       /* options that sealing tries */
} bind_space;

/* User value 1 keeps the space. */
typedef struct bind_genome {
    const bind_space *owner;
    int n_dims;
    uint16_t genes[];
} bind_genome;

/* User values: 1 the space, 2 the hardware. */
typedef struct bind_plan {
    bind_holder holder;
    nw_plan *plan; /* NULL: closed */
    const bind_space *space;
} bind_plan;

typedef struct bind_network {
    const nw_graph *graph; /* of arch; NULL: closed */
    const nw_arch *arch;   /* retained */
    char *model;           /* the path as given */
    int64_t held_bytes;
    bool has_counts;
    nw_counts counts;
} bind_network;

typedef struct bind_hw {
    const nw_hw *hw; /* NULL: closed */
    nw_hw *owned;
    const nw_point *point;
    char *figures; /* what estimates depend on, as a text; NULL: not needed yet */
} bind_hw;

typedef struct bind_estimate {
    const nw_estimate *estimate; /* NULL: closed */
    nw_estimate owned;
    const nw_point *point;
    /* The objects it was made from; user values 1 and 2 keep them. */
    bind_network *network;
    bind_hw *hw;
    int64_t held_bytes;
} bind_estimate;

/* A CSV, as text and as a table. */
typedef struct bind_measurements {
    nw_file *file; /* NULL: closed */
    nw_table *table;
    int64_t held_bytes;
} bind_measurements;

typedef struct bind_estimator {
    nw_regression *regression; /* NULL: closed */
    char *path;                /* of its file; "": fitted here */
    int64_t held_bytes;
} bind_estimator;

bind_network *bind_check_network(lua_State *L, int index); /* open, or raises */
/* Gives a new object its arch, which it takes, and accounts for it. False: nil, message, code were
 * pushed. */
bool bind_fill_network(lua_State *L, bind_network *object, const nw_arch *arch, const char *model);
void bind_replace_arch(bind_network *object, const nw_arch *arch); /* takes it */
/* Rows of networks (bind_arch.c). */
int bind_network_apply(lua_State *L);
int bind_network_blocks(lua_State *L);
int bind_network_edit(lua_State *L);
int bind_network_edits(lua_State *L);
int bind_network_groups(lua_State *L);
int bind_network_origin(lua_State *L);
int bind_network_recognised(lua_State *L);
/* Rows of networks (bind_advise.c). */
int bind_network_advise(lua_State *L);
int bind_network_align(lua_State *L);
int bind_network_export(lua_State *L);
int bind_network_recipe(lua_State *L);
int bind_network_timm(lua_State *L);
int bind_network_whatif(lua_State *L);
int bind_estimate_run(lua_State *L); /* nasw.estimate */
const nw_counts *bind_network_counts(bind_network *network);
const nw_hw *bind_check_hw(lua_State *L, int index);
/* Objects on what the session shows; they keep it. */
void bind_push_point_network(lua_State *L, const nw_point *point);
void bind_push_point_hw(lua_State *L, const nw_point *point);
void bind_push_point(lua_State *L, const nw_point *point);
/* Pushes a description by name and returns true, or pushes nil, message, code. */
bool bind_load_hw(lua_State *L, const char *name);
/* The description or the name of one at index becomes a description; false: as bind_load_hw. */
bool bind_take_hw(lua_State *L, int index);
/* Name and figures of the description: equal texts, equal estimates. */
const char *bind_hw_figures(bind_hw *object);
bind_estimator *bind_check_estimator(lua_State *L, int index);

/* What stands at index becomes measurements: such an object, the path of a CSV, its text (with a
 * line break), or a list of records. name: of the argument, for messages. Raises for other types
 * and for values that have no place in a cell. NULL: nil, message, code were pushed. */
bind_measurements *bind_take_table(lua_State *L, int index, const char *name);
/* Give a new object its table and account for it; false: nil, message, code were pushed. The first
 * takes the file. */
bool bind_fill_table(lua_State *L, bind_measurements *object, nw_file *file);
bool bind_read_table(lua_State *L, bind_measurements *object, const char *path);
/* As bind_push_error, for what the core says of such a table: rows of lists by their number. */
int bind_push_table_error(lua_State *L, nw_error *err);

/* ---- spaces (bind_space.c, bind_declare.c, bind_genome.c) ---- */
/* "F.lua:12" of the script's line that called; file gets its path. Returns the line, 0: none. */
int bind_caller(lua_State *L, const char **file);
/* Raises "F.lua:12: message"; where err says no file, that of the caller. */
int bind_raise_here(lua_State *L, const nw_error *err);
_Noreturn void bind_refuse(lua_State *L, const char *format, ...); /* the same of a message */
bind_space *bind_check_open_space(lua_State *L, int index); /* still to be declared, or raises */
bind_space *bind_check_space(lua_State *L, int index);      /* seals it if need be, or raises */
/* Gives a new object its sealed space, which it takes. False: nil, message, code were pushed. */
bool bind_fill_space(lua_State *L, bind_space *object, const nw_space *space);
/* Declarations. */
int bind_space_declare(lua_State *L, nw_dim_kind kind);
int bind_space_require(lua_State *L);
int bind_space_limit(lua_State *L);
/* What stands at index as a genome of the space at index space: an object, a text, a table of
 * options by name; none: the base. Raises for what is none. Pushes the object. */
bind_genome *bind_take_genome(lua_State *L, int space, int index);
bind_genome *bind_new_genome(lua_State *L, int space); /* zeroes, or those of nothing */
void bind_push_option_value(lua_State *L, nw_dim_kind kind, const nw_option *option);
/* The option of the dimension that the value at index names; -1: none. */
int bind_find_option(lua_State *L, int index, const nw_dim *dim);

/* ---- plans and curation (bind_plan.c, bind_curation.c) ---- */
int bind_space_plan(lua_State *L);
int bind_space_curate(lua_State *L);
bind_plan *bind_check_plan(lua_State *L, int index);
/* Pushes the plan of the space at index 1 on the hardware (object or name) at index 2, by the
 * options estimator and precision of the table at index 3; false: nil, message, code. */
bool bind_push_plan(lua_State *L);
/* Pushes all metrics by name, with fits and unknown_kernels. */
void bind_push_totals(lua_State *L, const nw_totals *totals, const nw_objective *objective);
/* The restricted space of the curation at index; release it. */
NW_CHECKED nw_status bind_curated_space(lua_State *L, int index, const nw_space **out,
                                        nw_error *err);
/* The dimension that the name at index says; raises where there is none. */
int bind_check_dim(lua_State *L, int index, const nw_space *space);

/* ---- who estimates (choice.c) ---- */
/* An estimator for the hardware object at index hw: the model, or NULL: by choice (NULL: the
 * default), opened once and kept. n_kernels: to be estimated at most. Raises nothing. Release it.
 */
NW_CHECKED nw_status bind_open_estimator(lua_State *L, int hw, const char *choice,
                                         const bind_estimator *model, int n_kernels,
                                         const nw_estimator **out, nw_error *err);
/* The option `estimator` of the table at index 3: a fitted model, which the table keeps, or a
 * choice (NULL: the default). Raises for others. */
const bind_estimator *bind_check_choice(lua_State *L, const char **choice);
/* What bind_open_estimator says of it: a name that is none is the script's mistake and raises, what
 * is wrong with a model is the world's. */
int bind_push_estimator_error(lua_State *L, nw_error *err);
void bind_forget_estimators(lua_engine *engine, const nw_regression *regression); /* NULL: all */

/* ---- text (bind_table.c, bind_json.c) ---- */
/* Adds the value at index as JSON; an empty table is {} or []. Raises for what has no JSON. */
void bind_add_json(lua_State *L, int index, bool empty_is_list, nw_buf *out);
/* Adds an aligned table of the rows at index; columns at index, or 0: all keys. */
void bind_add_table(lua_State *L, int rows, int columns, nw_buf *out);
/* The same without titles. */
void bind_add_pairs(lua_State *L, int rows, nw_buf *out);
void bind_add_csv(lua_State *L, int rows, int columns, nw_buf *out);

/* ---- files (write.c) ---- */
/* Writes a file below the working folder, or anywhere if trusted. */
NW_CHECKED nw_status bind_write_file(const char *path, const char *text, size_t length,
                                     bool is_trusted, nw_error *err);
/* Writes text to the path at index: true, or nil, message, code. Returns how many it pushed. */
int bind_write_text(lua_State *L, int index, const char *text, size_t length);
/* Why a path is not one that an untrusted script may write, or NULL. */
const char *bind_path_problem(const char *path);
/* As bind_path_problem, and no component that exists is a symbolic link. */
NW_CHECKED nw_status bind_check_write_path(const char *path, nw_error *err);

/* ---- running (engine.c) ---- */
/* Calls function(L) with job as its light userdata, protected, with a fresh budget. On failure
 * fills problem: what, and a traceback below. */
NW_CHECKED nw_status bind_run(lua_engine *engine, lua_CFunction function, void *job,
                              nw_buf *problem);
/* lua_engine_run_file; then takes what the file returns, its first value at the top of the stack,
 * in the same protected call. */
NW_CHECKED nw_status bind_run_file(lua_engine *engine, const char *path,
                                   void (*take)(lua_State *L, void *context), void *context,
                                   nw_buf *problem);
/* Runs path in an engine of its own, without a session, and takes what it returns; outer: the
 * script that asks, whose budget it uses; NULL: nobody. The engine goes to out (NULL: it is freed).
 */
NW_CHECKED nw_status bind_load_file(const lua_config *config, lua_engine *outer, const char *path,
                                    void (*take)(lua_State *L, void *context), void *context,
                                    lua_engine **out, nw_error *err);
/* lua_engine_load_network, lua_engine_load_space for a script that runs in outer; NULL: nobody. */
NW_CHECKED nw_status bind_load_network(const lua_config *config, lua_engine *outer,
                                       const char *path, const nw_arch **out, nw_error *err);
NW_CHECKED nw_status bind_load_space(const lua_config *config, lua_engine *outer, const char *path,
                                     const nw_space **out, nw_error *err);

#endif
