/* bind_space.c - search spaces: declaring, loading, reading them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lua/bind.h"
#include "src/base/arena.h"
#include "src/format/format.h"

#define UNITS_PER_NODE   1000 /* of an edit that is tried, or a network that is made */
#define UNITS_PER_DIM    20
#define BYTES_PER_NODE   1536
#define BYTES_PER_SPACE  16384
#define MAX_DRAWS        1000 /* of random genomes until one is allowed */
#define DEFAULT_STEP     8
#define UNITS_PER_OPTION 5

/* ---- objects ---- */

static void close_space(bind_holder *holder)
{
    bind_space *object = (bind_space *)holder;
    nw_space_release(object->space ? object->space : object->declared);
    free(object->name);
    object->space = NULL;
    object->declared = NULL;
    object->name = NULL;
}

static int close_object(lua_State *L)
{
    bind_space *object = bind_check(L, 1, &bind_space_type);
    bind_close_holder(&object->holder);
    return 0;
}

static char *copy_text(const char *text)
{
    size_t n_bytes = strlen(text) + 1;
    return memcpy(nw_alloc(n_bytes), text, n_bytes);
}

/* Memory that a space holds: the graph that it keeps, and lists. */
static int64_t held_by(const nw_arch *arch)
{
    const nw_graph *graph = nw_arch_graph(arch);
    const nw_file *file = nw_graph_file(graph);
    return BYTES_PER_SPACE + BYTES_PER_NODE * (int64_t)graph->n_nodes +
           (file ? (int64_t)file->n_bytes : 0);
}

bool bind_fill_space(lua_State *L, bind_space *object, const nw_space *space)
{
    object->space = space;
    object->name = copy_text(nw_space_name(space));
    if (bind_open_holder(L, &object->holder, close_space, held_by(nw_space_base(space))))
        return true;
    bind_push_failure(L, NW_LIMIT, "", "too much memory in open spaces; close some");
    return false;
}

bind_space *bind_check_open_space(lua_State *L, int index)
{
    bind_space *object = bind_check(L, index, &bind_space_type);
    luaL_argcheck(L, object->space || object->declared, index, "the space is closed");
    if (!object->declared)
        bind_refuse(L, "the space is in use since %s: declare before that, or restrict it",
                    object->sealed_at);
    return object;
}

/* A condition in Lua that fails says more than that nothing is allowed. */
static _Noreturn void raise_unsealed(lua_State *L, bind_space *object, const nw_buf *problem,
                                     const nw_error *err)
{
    bind_close_holder(&object->holder);
    if (!problem->length)
        bind_raise_here(L, err);
    lua_pushlstring(L, problem->text, problem->length);
    lua_error(L);
    abort(); /* it has jumped */
}

/* Every option is tried on the network, conditions in Lua on a few genomes. */
static void seal(lua_State *L, bind_space *object)
{
    nw_error err;
    const char *file;
    int top = lua_gettop(L), line = bind_caller(L, &file);
    const nw_graph *graph = nw_arch_graph(nw_space_base(object->declared));
    nw_buf *problem = bind_new_text(L);
    bind_charge(L, UNITS_PER_NODE * (int64_t)graph->n_nodes * (object->n_tries + 1));
    bind_watch_hooks(bind_engine(L));
    nw_status status = nw_space_seal(object->declared, &err);
    if (status == NW_OK)
        bind_try_hooks(object->declared);
    if (bind_find_hook_problem(bind_engine(L), problem) || status != NW_OK)
        raise_unsealed(L, object, problem, &err);
    object->space = object->declared;
    object->declared = NULL;
    snprintf(object->sealed_at, sizeof object->sealed_at, "%s:%d", file, line);
    lua_settop(L, top);
}

bind_space *bind_check_space(lua_State *L, int index)
{
    bind_space *object = bind_check(L, index, &bind_space_type);
    luaL_argcheck(L, object->space || object->declared, index, "the space is closed");
    if (object->declared)
        seal(L, object);
    return object;
}

static int text_space(lua_State *L)
{
    const bind_space *object = bind_check(L, 1, &bind_space_type);
    if (!object->space && !object->declared) {
        lua_pushliteral(L, "space (closed)");
        return 1;
    }
    bind_push_printable(L, object->name);
    if (object->declared) {
        lua_pushfstring(L, "space %s, being declared", lua_tostring(L, -1));
        return 1;
    }
    nw_buf *size = bind_new_text(L);
    nw_space_size(object->space, size);
    lua_pushfstring(L, "space %s: %d dimensions, %s networks", lua_tostring(L, -2),
                    nw_space_n_dims(object->space), nw_buf_text(size));
    return 1;
}

/* ---- making ---- */

/* A file beside the script comes before one of the working folder, so that a space means the same
 * wherever it is loaded from. */
static const char *find_file(lua_State *L, const char *path)
{
    const char *folder = bind_engine(L)->folder;
    if (*path == '/' || strcmp(path, "demo") == 0 || strcmp(path, "-") == 0 || !*folder)
        return path;
    const char *beside = lua_pushfstring(L, "%s/%s", folder, path);
    return access(beside, R_OK) == 0 ? beside : path;
}

/* The path of the network at index, raising where there is none. */
static const char *check_model(lua_State *L, int index)
{
    const bind_network *network = luaL_testudata(L, index, bind_network_type.name);
    if (network)
        luaL_argcheck(L, network->graph, index, "the network is closed");
    return network ? network->model : luaL_checkstring(L, index);
}

/* The network itself; release it. NULL: err says why. */
static const nw_arch *take_arch(lua_State *L, int index, nw_error *err)
{
    const bind_network *network = luaL_testudata(L, index, bind_network_type.name);
    if (network)
        return nw_arch_retain(network->arch);
    nw_graph *graph;
    const char *path = find_file(L, lua_tostring(L, index));
    if (nw_model_load(path, NULL, 0, &graph, err) != NW_OK)
        return NULL;
    return nw_arch_lift(graph);
}

/* The name of a space that has none: "ssd" of "models/ssd.onnx". */
static const char *push_short_name(lua_State *L, const char *model)
{
    const char *slash = strrchr(model, '/'), *name = slash ? slash + 1 : model;
    const char *dot = strrchr(name, '.');
    return lua_pushlstring(L, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

/* Leaves the value of the first of these keys at the top; what it was called, or NULL. */
static const char *push_any(lua_State *L, int index, const char *const *keys)
{
    for (; *keys; keys++) {
        if (lua_getfield(L, index, *keys) != LUA_TNIL)
            return *keys;
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    return NULL;
}

static void check_space_settings(lua_State *L, const char *what, const char *const *names)
{
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        const char *const *name = names;
        while (*name && strcmp(*name, key) != 0)
            name++;
        if (!*name)
            bind_refuse(L, "%s: no setting '%s'; there are name and network", what,
                        luaL_tolstring(L, -2, NULL));
    }
}

/* nasw.space{name = "presence detector", network = "demo"} -> space */
static int new_space(lua_State *L)
{
    static const char *const networks[] = {"network", "base", "model", NULL};
    static const char *const names[] = {"name", "network", "base", "model", NULL};
    nw_error err;
    if (!lua_istable(L, 1) || lua_gettop(L) != 1)
        bind_refuse(L, "space: wanted nasw.space{name = \"...\", network = \"demo\"}");
    check_space_settings(L, "space", names);
    if (!push_any(L, 1, networks))
        bind_refuse(L, "space: no network: say network = \"demo\", a file or a nasw.Network");
    if (lua_type(L, 2) != LUA_TSTRING && !luaL_testudata(L, 2, bind_network_type.name))
        bind_refuse(L, "space: network must be a file's name or a nasw.Network, not a %s",
                    luaL_typename(L, 2));
    const char *given = lua_getfield(L, 1, "name") == LUA_TSTRING ? lua_tostring(L, 3) : NULL;
    const char *name = given && *given ? given : push_short_name(L, check_model(L, 2));
    const char *file;
    bind_caller(L, &file);
    bind_space *object = bind_new(L, &bind_space_type, sizeof *object, 0);
    const nw_arch *arch = take_arch(L, 2, &err);
    if (!arch)
        bind_raise_here(L, &err);
    object->declared = nw_space_new(name, arch);
    nw_space_set_source(object->declared, file);
    object->name = copy_text(name);
    int64_t held_bytes = held_by(arch), n_nodes = nw_arch_graph(arch)->n_nodes;
    nw_arch_release(arch);
    if (!bind_open_holder(L, &object->holder, close_space, held_bytes))
        bind_refuse(L, "space: too much memory in open spaces; close some");
    bind_charge(L, UNITS_PER_NODE * n_nodes);
    return 1;
}

/* nasw.space.from_model(network [, {step = 8}]) -> space | nil, message, code */
static int space_from_model(lua_State *L)
{
    static const char *const options[] = {"step", NULL};
    nw_error err;
    nw_space *space;
    bind_check_options(L, 2, options);
    int64_t step = bind_int_option(L, 2, "step", 1, 4096);
    const char *model = check_model(L, 1);
    bind_space *object = bind_new(L, &bind_space_type, sizeof *object, 0);
    const nw_arch *arch = take_arch(L, 1, &err);
    if (!arch)
        return bind_push_error(L, &err);
    int64_t n_nodes = nw_arch_graph(arch)->n_nodes;
    nw_status status = nw_space_of_model(arch, step ? step : DEFAULT_STEP, &space, &err);
    nw_arch_release(arch);
    if (status != NW_OK)
        return bind_push_error(L, &err);
    nw_space_set_source(space, model);
    if (nw_space_seal(space, &err) != NW_OK) {
        nw_space_release(space);
        return bind_push_error(L, &err);
    }
    if (!bind_fill_space(L, object, space))
        return 3;
    bind_charge(L, UNITS_PER_NODE * n_nodes * 3 * nw_space_n_dims(space));
    return 1;
}

/* nasw.load_space(path) -> space | nil, message, code */
static int load_space(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    lua_engine *engine = bind_engine(L);
    bind_space *object = bind_new(L, &bind_space_type, sizeof *object, 0);
    const nw_space *space;
    nw_error err;
    if (bind_load_space(&engine->config, engine, path, &space, &err) != NW_OK)
        return bind_push_error(L, &err);
    return bind_fill_space(L, object, space) ? 1 : 3;
}

/* ---- declaring ---- */

#define DECLARE(name, kind)                                                                        \
    static int declare_##name(lua_State *L)                                                        \
    {                                                                                              \
        return bind_space_declare(L, NW_DIM_##kind);                                               \
    }
DECLARE(channels, CHANNELS)
DECLARE(width, WIDTH)
DECLARE(variant, VARIANT)
DECLARE(expansion, EXPANSION)
DECLARE(expanded, EXPANDED)
DECLARE(kernel, KERNEL)
DECLARE(depth, DEPTH)
DECLARE(resolution, RESOLUTION)
DECLARE(precision, PRECISION)
DECLARE(squeeze, SQUEEZE)

static int space_seal(lua_State *L)
{
    bind_check_space(L, 1);
    lua_settop(L, 1);
    return 1;
}

/* ---- reading ---- */

static void set_list_of_blocks(lua_State *L, const nw_space *space, const nw_dim *dim)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(nw_space_base(space), &n);
    char label[32];
    lua_createtable(L, dim->n_blocks, 0);
    for (int i = 0; i < dim->n_blocks; i++) {
        lua_pushstring(L, nw_block_label(&blocks[dim->blocks[i]], label, sizeof label));
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "blocks");
}

static void push_dim(lua_State *L, const nw_space *space, const nw_dim *dim)
{
    lua_createtable(L, 0, 8);
    bind_set_text(L, "name", dim->name);
    bind_set_text(L, "kind", nw_dim_kind_name(dim->kind));
    bind_set_text(L, "where", dim->where);
    bind_push_printable(L, dim->file);
    lua_setfield(L, -2, "file");
    bind_set_int(L, "line", dim->line);
    lua_createtable(L, dim->n_options, 0);
    for (int i = 0; i < dim->n_options; i++) {
        bind_push_option_value(L, dim->kind, &dim->options[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "options");
    if (dim->base >= 0) {
        bind_push_option_value(L, dim->kind, &dim->options[dim->base]);
        lua_setfield(L, -2, "base");
    }
    set_list_of_blocks(L, space, dim);
}

static int space_dims(lua_State *L)
{
    const nw_space *space = bind_check_space(L, 1)->space;
    int n;
    const nw_dim *dims = nw_space_dims(space, &n);
    lua_createtable(L, n, 0);
    for (int d = 0; d < n; d++) {
        bind_charge(L, UNITS_PER_OPTION * (int64_t)dims[d].n_options);
        push_dim(L, space, &dims[d]);
        lua_rawseti(L, -2, d + 1);
    }
    return 1;
}

static int space_limits(lua_State *L)
{
    int n;
    const nw_limit *limits = nw_space_limits(bind_check_space(L, 1)->space, &n);
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_createtable(L, 0, 4);
        bind_set_text(L, "metric", nw_metric_name(limits[i].metric));
        bind_set_number(L, limits[i].is_least ? "min" : "max", limits[i].limit);
        bind_push_printable(L, limits[i].file);
        lua_setfield(L, -2, "file");
        bind_set_int(L, "line", limits[i].line);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int space_size(lua_State *L)
{
    const nw_space *space = bind_check_space(L, 1)->space;
    nw_buf *size = bind_new_text(L);
    nw_space_size(space, size);
    lua_pushstring(L, nw_buf_text(size));
    return 1;
}

static int space_size_approx(lua_State *L)
{
    lua_pushnumber(L, nw_space_size_approx(bind_check_space(L, 1)->space));
    return 1;
}

static int field_name(lua_State *L)
{
    const bind_space *object = bind_check(L, 1, &bind_space_type);
    luaL_argcheck(L, object->name, 1, "the space is closed");
    bind_push_printable(L, object->name);
    return 1;
}

static int field_source(lua_State *L)
{
    bind_push_printable(L, nw_space_source(bind_check_space(L, 1)->space));
    return 1;
}

static int field_hooks(lua_State *L)
{
    lua_pushinteger(L, nw_space_n_predicates(bind_check_space(L, 1)->space));
    return 1;
}

/* ---- genomes and networks ---- */

static int space_genome(lua_State *L)
{
    bind_check_space(L, 1);
    lua_settop(L, 2);
    bind_take_genome(L, 1, 2);
    return 1;
}

/* space:random(seed) -> a genome that is allowed | nil, message, code */
static int space_random(lua_State *L)
{
    const nw_space *space = bind_check_space(L, 1)->space;
    char why[160] = "";
    nw_rng rng = nw_rng_make((uint64_t)luaL_checkinteger(L, 2), 0);
    bind_genome *genome = bind_new_genome(L, 1);
    for (int i = 0; i < MAX_DRAWS; i++) {
        bind_charge(L, UNITS_PER_DIM * (int64_t)genome->n_dims);
        nw_space_random(space, &rng, genome->genes);
        if (nw_space_allows(space, genome->genes, why, sizeof why))
            return 1;
    }
    lua_pushfstring(L, "none of %d random genomes is allowed: %s", MAX_DRAWS, why);
    return bind_push_failure(L, NW_INVALID, "", lua_tostring(L, -1));
}

static int space_allows(lua_State *L)
{
    const nw_space *space = bind_check_space(L, 1)->space;
    char why[160] = "";
    const bind_genome *genome = bind_take_genome(L, 1, 2);
    bool is_allowed = nw_space_allows(space, genome->genes, why, sizeof why);
    lua_pushboolean(L, is_allowed);
    if (is_allowed)
        return 1;
    bind_push_printable(L, why);
    return 2;
}

static int space_network(lua_State *L)
{
    const bind_space *owner = bind_check_space(L, 1);
    lua_settop(L, 2);
    const bind_genome *genome = bind_take_genome(L, 1, 2);
    bind_network *object = bind_new(L, &bind_network_type, sizeof *object, 0);
    const nw_arch *arch;
    nw_error err;
    bind_charge(L,
                UNITS_PER_NODE * 4 * (int64_t)nw_arch_graph(nw_space_base(owner->space))->n_nodes);
    if (nw_space_arch(owner->space, genome->genes, &arch, &err) != NW_OK)
        return bind_push_error(L, &err);
    return bind_fill_network(L, object, arch, owner->name) ? 1 : 3;
}

static int space_base(lua_State *L)
{
    const bind_space *owner = bind_check_space(L, 1);
    bind_network *object = bind_new(L, &bind_network_type, sizeof *object, 0);
    const nw_arch *arch = nw_arch_retain(nw_space_base(owner->space));
    return bind_fill_network(L, object, arch, owner->name) ? 1 : 3;
}

/* ---- parts ---- */

/* Marks the options of the dimension that the value at the top names: one, or a list. */
static void mark_options(lua_State *L, const nw_dim *dim, uint8_t *keep)
{
    bool is_list = lua_istable(L, -1);
    lua_Integer n = is_list ? (lua_Integer)lua_rawlen(L, -1) : 1;
    for (lua_Integer i = 1; i <= n; i++) {
        if (is_list)
            lua_rawgeti(L, -1, i);
        else
            lua_pushvalue(L, -1);
        int option = bind_find_option(L, -1, dim);
        if (option < 0)
            bind_refuse(L, "restrict: %s has no option %s", dim->name, luaL_tolstring(L, -1, NULL));
        keep[option] = 1;
        lua_pop(L, 1);
    }
}

static int space_restrict(lua_State *L)
{
    const bind_space *owner = bind_check_space(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    int n;
    const nw_dim *dims = nw_space_dims(owner->space, &n);
    const uint8_t **keep = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *keep, 0);
    memset(keep, 0, ((size_t)n + 1) * sizeof *keep);
    luaL_checkstack(L, n + 20, "too many dimensions");
    for (lua_pushnil(L); lua_next(L, 2);) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        int d = nw_space_find_dim(owner->space, name);
        if (d < 0)
            bind_refuse(L, "restrict: the space has no dimension '%s'; space:dims() lists them",
                        luaL_tolstring(L, -2, NULL));
        uint8_t *bytes = lua_newuserdatauv(L, (size_t)dims[d].n_options, 0);
        memset(bytes, 0, (size_t)dims[d].n_options);
        keep[d] = bytes;
        lua_insert(L, -3); /* stays below the key */
        mark_options(L, &dims[d], bytes);
        lua_pop(L, 1);
    }
    const nw_space *part;
    nw_error err;
    bind_charge(L, UNITS_PER_NODE * (int64_t)n);
    bind_space *object = bind_new(L, &bind_space_type, sizeof *object, 0);
    if (nw_space_restrict(owner->space, keep, owner->name, &part, &err) != NW_OK)
        bind_raise_here(L, &err);
    return bind_fill_space(L, object, part) ? 1 : 3;
}

const bind_row bind_space_rows[] = {
    {"name", field_name, true, "space.name"},
    {"source", field_source, true, "space.source: the file that declares it"},
    {"hooks", field_hooks, true, "space.hooks: conditions in Lua; with any, searches are slow"},
    {"channels", declare_channels, false,
     "space:channels{where = \"3\", options = {16, 32} | range = {8, 256, 8} | multiples = {of = "
     "32, "
     "to = 256}, each, ties, name, factors}"},
    {"filters", declare_channels, false, NULL},
    {"width", declare_width, false,
     "space:width{options = {0.5, 0.75, 1}, where, divisor = 8}: multiplies channels"},
    {"width_multiplier", declare_width, false, NULL},
    {"variant", declare_variant, false,
     "space:variant{where = \"ibn\", each = true, options = {\"ibn\", \"fused\"}}"},
    {"expansion", declare_expansion, false,
     "space:expansion{where = \"ibn@2-6\", each = true, options = {3, 4, 6}}"},
    {"expand_ratio", declare_expansion, false, NULL},
    {"expanded", declare_expanded, false,
     "space:expanded{where = \"3.0\", range = {32, 384, 32}}: expanded channels themselves"},
    {"kernel", declare_kernel, false,
     "space:kernel{where = \"ibn\", each = true, options = {3, 5}}"},
    {"kernel_size", declare_kernel, false, NULL},
    {"depth", declare_depth, false,
     "space:depth{where = \"4\", options = {1, 2, 3, 4}}: blocks of the stage"},
    {"repeats", declare_depth, false, NULL},
    {"resolution", declare_resolution, false,
     "space:resolution{options = {\"224x224\", {160, 320}, 320}}"},
    {"precision", declare_precision, false,
     "space:precision{where = \"*\", options = {\"int8\", \"int16\"}}"},
    {"squeeze", declare_squeeze, false,
     "space:squeeze{where = \"ibn\", each = true, options = {0, 0.25}}: squeeze-and-excite"},
    {"require", bind_space_require, false,
     "space:require(\"c2 <= c3\" | function(genes) return genes.c2 <= genes.c3 end)"},
    {"limit", bind_space_limit, false,
     "space:limit{latency_us = 2000, peak_live_bytes = 262144, score = {min = 21}}"},
    {"seal", space_seal, false, "space:seal() -> space: checks everything; nothing is added later"},
    {"dims", space_dims, false,
     "space:dims() -> list of {name, kind, where, options, base, blocks, file, line}"},
    {"limits", space_limits, false, "space:limits() -> list of {metric, max or min, file, line}"},
    {"size", space_size, false, "space:size() -> \"152587890625\": exact, before constraints"},
    {"size_approx", space_size_approx, false, "space:size_approx() -> the same as a number"},
    {"genome", space_genome, false,
     "space:genome([text | {c3 = 32}]) -> genome; the base's where nothing is said"},
    {"random", space_random, false, "space:random(seed) -> genome that its conditions allow"},
    {"allows", space_allows, false, "space:allows(genome) -> true | false, why"},
    {"network", space_network, false, "space:network([genome]) -> network | nil, message, code"},
    {"base", space_base, false, "space:base() -> the network, every stage as deep as it can be"},
    {"restrict", space_restrict, false,
     "space:restrict{c3 = {32, 64}, [\"v2.1\"] = \"fused\"} -> space"},
    {"plan", bind_space_plan, false,
     "space:plan(hw [, {estimator, precision}]) -> plan | nil, message, code"},
    {"curate", bind_space_curate, false,
     "space:curate(hw | plan [, {estimator, precision, seed, contexts, tolerance, ...}]) -> "
     "curation"},
    {"close", close_object, false, "space:close(): gives its memory back at once"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_space_type = {"nasw.Space", bind_space_rows, close_object, text_space, NULL};

const bind_row bind_space_module[] = {
    {"space", new_space, false,
     "nasw.space{name = \"...\", network = \"demo\" | file | network} -> space to declare"},
    {"space.from_model", space_from_model, false,
     "nasw.space.from_model(file | network [, {step = 8}]) -> space of its usual dimensions"},
    {"load_space", load_space, false,
     "nasw.load_space(\"F.lua\" | model) -> space | nil, message, code"},
    {NULL, NULL, false, NULL},
};
