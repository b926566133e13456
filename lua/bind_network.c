/* bind_network.c - nasw.load and what it returns.
 */
#include <stdlib.h>
#include <string.h>

#include "lua/bind.h"
#include "src/base/arena.h"
#include "src/format/format.h"
#include "src/report/report.h"

#define MAX_INPUTS     64
#define BYTES_PER_NODE 1536 /* with its tensors: what a graph takes, about */
#define BYTES_PER_UNIT 32   /* of a file read */
#define UNITS_PER_NODE 300

bind_network *bind_check_network(lua_State *L, int index)
{
    bind_network *network = bind_check(L, index, &bind_network_type);
    luaL_argcheck(L, network->graph, index, "the network is closed");
    return network;
}

const nw_counts *bind_network_counts(bind_network *network)
{
    if (!network->has_counts)
        nw_graph_count(network->graph, &network->counts);
    network->has_counts = true;
    return &network->counts;
}

static int close_network(lua_State *L)
{
    bind_network *network = bind_check(L, 1, &bind_network_type);
    nw_arch_release(network->arch);
    free(network->model);
    bind_hold(L, -network->held_bytes);
    memset(network, 0, sizeof *network);
    return 0;
}

static int text_network(lua_State *L)
{
    const bind_network *network = bind_check(L, 1, &bind_network_type);
    if (!network->graph) {
        lua_pushliteral(L, "network (closed)");
        return 1;
    }
    bind_push_printable(L, network->model);
    lua_pushfstring(L, "network %s: %d operators", lua_tostring(L, -1), network->graph->n_nodes);
    return 1;
}

/* ---- loading ---- */

/* The shape at the top of the stack. */
static void check_shape(lua_State *L, const char *name, nw_shape *out)
{
    lua_Integer rank = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : 0;
    if (rank < 1 || rank > NW_MAX_RANK)
        luaL_error(L, "input '%s': wanted a list of 1 to %d sizes, as {1, 3, 320, 320}", name,
                   NW_MAX_RANK);
    out->rank = (int)rank;
    for (int i = 0; i < out->rank; i++) {
        lua_rawgeti(L, -1, i + 1);
        int is_int;
        out->dims[i] = lua_tointegerx(L, -1, &is_int);
        if (!is_int || out->dims[i] < 1 || out->dims[i] > NW_MAX_DIM)
            luaL_error(L, "input '%s': size %d is no whole number from 1", name, i + 1);
        lua_pop(L, 1);
    }
}

/* Names stay alive in the table at the index. */
static int check_sizes(lua_State *L, int index, nw_input_size *sizes)
{
    static const char *const options[] = {"inputs", NULL};
    int n = 0;
    bind_check_options(L, index, options);
    if (lua_isnoneornil(L, index))
        return 0;
    lua_pushliteral(L, "inputs");
    if (lua_rawget(L, index) == LUA_TNIL)
        return 0;
    luaL_argcheck(L, lua_istable(L, -1), index, "option 'inputs' must be a table: NAME = {sizes}");
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        luaL_argcheck(L, n < MAX_INPUTS, index, "too many inputs");
        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, index, "inputs are given by name");
        sizes[n].name = lua_tostring(L, -2);
        check_shape(L, sizes[n].name, &sizes[n].shape);
        n++;
    }
    lua_pop(L, 1);
    return n;
}

static char *copy_text(const char *text)
{
    size_t n_bytes = strlen(text) + 1;
    return memcpy(nw_alloc(n_bytes), text, n_bytes);
}

/* For a script; context: its lua_State. */
static nw_status load_script(void *context, const char *path, const nw_arch **out, nw_error *err)
{
    lua_engine *engine = bind_engine(context);
    return bind_load_network(&engine->config, engine, path, out, err);
}

static int bind_load(lua_State *L)
{
    nw_input_size sizes[MAX_INPUTS];
    const char *path = luaL_checkstring(L, 1);
    int n_sizes = check_sizes(L, 2, sizes);
    bind_network *network = bind_new(L, &bind_network_type, sizeof *network, 0);
    const nw_model_loader loader = {L, load_script};
    const nw_arch *arch;
    nw_error err;
    nw_status status = nw_model_load_arch(path, sizes, n_sizes, &loader, &arch, &err);
    if (status != NW_OK)
        return bind_push_error(L, &err);
    const nw_graph *graph = nw_arch_graph(arch);
    const nw_file *file = nw_graph_file(graph);
    int64_t file_bytes = file ? (int64_t)file->n_bytes : 0;
    if (!bind_fill_network(L, network, arch, path))
        return 3;
    bind_charge(L, file_bytes / BYTES_PER_UNIT + UNITS_PER_NODE * (int64_t)graph->n_nodes);
    return 1;
}

bool bind_fill_network(lua_State *L, bind_network *object, const nw_arch *arch, const char *model)
{
    object->arch = arch; /* from here on the collector releases it */
    object->graph = nw_arch_graph(arch);
    object->model = copy_text(model);
    const nw_file *file = nw_graph_file(object->graph);
    int64_t held_bytes =
        (file ? (int64_t)file->n_bytes : 0) + BYTES_PER_NODE * (int64_t)object->graph->n_nodes;
    if (!bind_hold(L, held_bytes)) {
        bind_push_failure(L, NW_LIMIT, model,
                          "too much memory in open networks; close some (network:close())");
        return false;
    }
    object->held_bytes = held_bytes;
    return true;
}

void bind_replace_arch(bind_network *object, const nw_arch *arch)
{
    nw_arch_release(object->arch);
    object->arch = arch;
    object->graph = nw_arch_graph(arch);
    object->has_counts = false;
}

void bind_push_point_network(lua_State *L, const nw_point *point)
{
    bind_network *network = bind_new(L, &bind_network_type, sizeof *network, 0);
    network->arch = nw_arch_retain(point->arch);
    network->graph = point->graph;
    network->model = copy_text(point->model);
}

/* ---- fields ---- */

static int field_name(lua_State *L)
{
    bind_push_printable(L, bind_check_network(L, 1)->graph->name);
    return 1;
}

static int field_model(lua_State *L)
{
    bind_push_printable(L, bind_check_network(L, 1)->model);
    return 1;
}

static int field_format(lua_State *L)
{
    bind_push_printable(L, bind_check_network(L, 1)->graph->format);
    return 1;
}

static int field_n_ops(lua_State *L)
{
    lua_pushinteger(L, bind_check_network(L, 1)->graph->n_nodes);
    return 1;
}

#define COUNT_FIELD(field)                                                                         \
    static int field_##field(lua_State *L)                                                         \
    {                                                                                              \
        lua_pushinteger(L, bind_network_counts(bind_check_network(L, 1))->field);                  \
        return 1;                                                                                  \
    }
COUNT_FIELD(macs)
COUNT_FIELD(params)
COUNT_FIELD(weight_params)
COUNT_FIELD(weight_bytes)

static int field_peak(lua_State *L)
{
    const nw_graph *graph = bind_check_network(L, 1)->graph;
    bind_charge(L, UNITS_PER_NODE * (int64_t)graph->n_nodes);
    lua_pushinteger(L, nw_graph_peak_live_bytes_file_order(graph, NULL));
    return 1;
}

/* ---- methods ---- */

static int network_ops_by_type(lua_State *L)
{
    const nw_graph *graph = bind_check_network(L, 1)->graph;
    bind_charge(L, UNITS_PER_NODE * (int64_t)graph->n_nodes);
    lua_newtable(L);
    for (int i = 0; i < graph->n_nodes; i++) {
        bind_push_printable(L, graph->nodes[i].file_type);
        lua_pushvalue(L, -1);
        lua_rawget(L, -3);
        lua_Integer n = lua_tointeger(L, -1);
        lua_pop(L, 1);
        lua_pushinteger(L, n + 1);
        lua_rawset(L, -3);
    }
    return 1;
}

static int push_border(lua_State *L, const nw_graph *graph, const nw_tensor_id *ids, int n)
{
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        const nw_tensor *tensor = &graph->tensors[ids[i]];
        lua_createtable(L, 0, 3);
        bind_push_printable(L, tensor->name);
        lua_setfield(L, -2, "name");
        bind_push_shape(L, &tensor->shape);
        lua_setfield(L, -2, "shape");
        bind_set_text(L, "dtype", nw_dtype_name(tensor->dtype));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int network_inputs(lua_State *L)
{
    const nw_graph *graph = bind_check_network(L, 1)->graph;
    return push_border(L, graph, graph->inputs, graph->n_inputs);
}

static int network_outputs(lua_State *L)
{
    const nw_graph *graph = bind_check_network(L, 1)->graph;
    return push_border(L, graph, graph->outputs, graph->n_outputs);
}

/* Upvalues: the network, the index of the next operator. */
static int next_op(lua_State *L)
{
    const bind_network *network = bind_check(L, lua_upvalueindex(1), &bind_network_type);
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
    if (!network->graph)
        return luaL_error(L, "the network was closed inside its loop");
    const nw_graph *graph = network->graph;
    if (i >= graph->n_nodes)
        return 0;
    const nw_node *node = &graph->nodes[i];
    nw_geometry geometry;
    char label[192];
    lua_createtable(L, 0, 6);
    bind_set_int(L, "index", i + 1);
    bind_set_text(L, "name", nw_node_label(graph, (nw_node_id)i, label, sizeof label));
    bind_push_printable(L, node->file_type);
    lua_setfield(L, -2, "type");
    bind_set_text(L, "op", nw_op_name(node->op));
    if (node->n_outputs && node->outputs[0] != NW_NONE)
        bind_push_shape(L, &graph->tensors[node->outputs[0]].shape);
    else
        lua_pushnil(L);
    lua_setfield(L, -2, "out_shape");
    bool has_geometry = nw_node_geometry(graph, (nw_node_id)i, &geometry);
    bind_set_int(L, "macs", has_geometry ? geometry.macs : 0);
    lua_pushinteger(L, i + 1);
    lua_replace(L, lua_upvalueindex(2));
    return 1;
}

static int network_ops(lua_State *L)
{
    bind_check_network(L, 1);
    lua_settop(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_op, 2);
    return 1;
}

static int network_warnings(lua_State *L)
{
    const nw_graph *graph = bind_check_network(L, 1)->graph;
    lua_createtable(L, graph->n_warnings, 0);
    for (int i = 0; i < graph->n_warnings; i++) {
        lua_pushstring(L, graph->warnings[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int network_json(lua_State *L)
{
    const nw_graph *graph = bind_check_network(L, 1)->graph;
    nw_buf *out = bind_new_text(L);
    nw_network_json_write(graph, out);
    bind_charge(L, (int64_t)out->length);
    bind_text_limit(L, out);
    lua_pushlstring(L, nw_buf_text(out), out->length);
    return 1;
}

const bind_row bind_network_rows[] = {
    {"name", field_name, true, "network.name: the name inside the file, may be empty"},
    {"model", field_model, true, "network.model: the path it was loaded from"},
    {"format", field_format, true, "network.format: \"onnx opset 13\", \"tflite 3\""},
    {"macs", field_macs, true, "network.macs: multiply-accumulates of one inference"},
    {"params", field_params, true, "network.params: stored weights and biases"},
    {"weight_params", field_weight_params, true, "network.weight_params: stored weights alone"},
    {"weight_bytes", field_weight_bytes, true, "network.weight_bytes: params in the file's types"},
    {"n_ops", field_n_ops, true, "network.n_ops: operators in the file"},
    {"peak_live_bytes_file_order", field_peak, true,
     "network.peak_live_bytes_file_order: largest sum of live tensors, file's order and types"},
    {"recognised", bind_network_recognised, true,
     "network.recognised: MACs in recognised blocks over all, 0 to 1"},
    {"blocks", bind_network_blocks, false,
     "network:blocks([{type = \"ibn\", stage = 2}]) -> list of blocks"},
    {"groups", bind_network_groups, false,
     "network:groups() -> list of {name, n, multiple, fixed, why, members}"},
    {"edit", bind_network_edit, false,
     "network:edit(\"variant 2.1 fused\" | {variant = \"fused\", where = \"2.1\"} | list) -> "
     "network, notes | nil, message, code"},
    {"apply", bind_network_apply, false,
     "network:apply(edits) -> network, notes: what of another network's edits can be done here"},
    {"edits", bind_network_edits, false, "network:edits() -> list of lines"},
    {"origin", bind_network_origin, false, "network:origin() -> the network before its edits"},
    {"advise", bind_network_advise, false,
     "network:advise(hw [, {block = \"2.1\", estimator, precision}]) -> list of {label, block, "
     "facts, edits, ...}"},
    {"align", bind_network_align, false,
     "network:align(\"2.1\", hw [, {of = \"expansion\"}]) -> {n, step, idle, members, nearest, "
     "down, up}: what each costs"},
    {"whatif", bind_network_whatif, false,
     "network:whatif(hw [, {estimator, precision}]) -> every single edit, what saves most first"},
    {"recipe", bind_network_recipe, false,
     "network:recipe(\"fuse\" | \"align\" | \"native\", hw [, options]) -> network, steps"},
    {"timm", bind_network_timm, false,
     "network:timm() -> block strings, how many blocks they leave out | nil, message, code"},
    {"export", bind_network_export, false,
     "network:export(\"F.onnx\" | \".json\" | \".py\" | \".txt\") -> true | nil, message, code"},
    {"ops_by_type", network_ops_by_type, false, "network:ops_by_type() -> {Conv = 52, ...}"},
    {"inputs", network_inputs, false, "network:inputs() -> list of {name, shape, dtype}"},
    {"outputs", network_outputs, false, "network:outputs() -> list of {name, shape, dtype}"},
    {"ops", network_ops, false,
     "for op in network:ops() do: {index, name, type, op, out_shape, macs}"},
    {"warnings", network_warnings, false, "network:warnings() -> list of texts"},
    {"json", network_json, false, "network:json() -> text, schema nasw.network/1"},
    {"close", close_network, false, "network:close(): gives its memory back at once"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_network_type = {"nasw.Network", bind_network_rows, close_network, text_network,
                                     NULL};

const bind_row bind_network_module[] = {
    {"load", bind_load, false,
     "nasw.load(path [, {inputs = {NAME = {1, 3, 320, 320}}}]) -> network | nil, message, code"},
    {NULL, NULL, false, NULL},
};
