/* bind_arch.c - a network's blocks, channel groups and edits.
 */
#include <stdarg.h>
#include <string.h>

#include "lua/bind.h"
#include "src/base/arena.h"

#define MAX_EDITS      100000
#define UNITS_PER_NODE 1000 /* of an edit: copy, seal, find the blocks again */

/* ---- blocks ---- */

static void push_block(lua_State *L, const nw_block *block)
{
    char text[160];
    lua_createtable(L, 0, 24);
    bind_set_text(L, "label", nw_block_label(block, text, sizeof text));
    bind_set_text(L, "text", nw_block_text(block, text, sizeof text));
    bind_set_text(L, "type", nw_block_kind_name(block->kind));
    bind_set_int(L, "stage", block->stage);
    bind_set_int(L, "index", block->index);
    bind_set_int(L, "n_ops", block->n_nodes);
    bind_set_int(L, "in_h", block->in_h);
    bind_set_int(L, "in_w", block->in_w);
    bind_set_int(L, "in_c", block->in_c);
    bind_set_int(L, "mid_c", block->mid_c);
    bind_set_int(L, "out_h", block->out_h);
    bind_set_int(L, "out_w", block->out_w);
    bind_set_int(L, "out_c", block->out_c);
    bind_set_int(L, "squeeze_c", block->squeeze_c);
    bind_set_int(L, "kernel", block->kernel);
    bind_set_int(L, "stride", block->stride);
    bind_set_int(L, "dilation", block->dilation);
    bind_set_int(L, "groups", block->groups);
    bind_set_number(L, "expansion", block->expansion);
    lua_pushboolean(L, block->has_residual);
    lua_setfield(L, -2, "residual");
    bind_set_int(L, "macs", block->macs);
    bind_set_int(L, "params", block->params);
}

/* The kind that option `type` names, or -1: any. */
static int check_kind(lua_State *L, int index)
{
    const char *name = bind_option(L, index, "type", NULL);
    nw_block_kind kind = name ? nw_block_kind_find(name) : NW_BLOCK_COUNT;
    if (name && kind == NW_BLOCK_COUNT)
        luaL_argerror(L, index, lua_pushfstring(L, "no block type '%s'", name));
    return name ? (int)kind : -1;
}

int bind_network_blocks(lua_State *L)
{
    static const char *const options[] = {"type", "stage", NULL};
    const bind_network *network = bind_check_network(L, 1);
    bind_check_options(L, 2, options);
    int kind = check_kind(L, 2);
    bind_push_option(L, 2, "stage");
    bool has_stage = !lua_isnil(L, -1);
    lua_pop(L, 1);
    int64_t stage = bind_int_option(L, 2, "stage", 0, INT32_MAX);
    bind_charge(L, UNITS_PER_NODE * (int64_t)network->graph->n_nodes);
    int n, n_out = 0;
    const nw_block *blocks = nw_arch_blocks(network->arch, &n);
    lua_newtable(L);
    for (int i = 0; i < n; i++) {
        if ((kind >= 0 && (int)blocks[i].kind != kind) || (has_stage && blocks[i].stage != stage))
            continue;
        push_block(L, &blocks[i]);
        lua_rawseti(L, -2, ++n_out);
    }
    return 1;
}

int bind_network_recognised(lua_State *L)
{
    const bind_network *network = bind_check_network(L, 1);
    bind_charge(L, UNITS_PER_NODE * (int64_t)network->graph->n_nodes);
    lua_pushnumber(L, nw_arch_recognised(network->arch));
    return 1;
}

static void push_members(lua_State *L, const nw_graph *graph, const nw_channel_group *group)
{
    lua_createtable(L, group->n_members, 0);
    for (int i = 0; i < group->n_members; i++) {
        lua_createtable(L, 0, 4);
        bind_push_printable(L, graph->tensors[group->members[i].tensor].name);
        lua_setfield(L, -2, "tensor");
        bind_set_int(L, "axis", group->members[i].axis);
        bind_set_int(L, "factor", group->members[i].factor);
        lua_pushboolean(L, group->members[i].is_part);
        lua_setfield(L, -2, "part");
        lua_rawseti(L, -2, i + 1);
    }
}

int bind_network_groups(lua_State *L)
{
    const bind_network *network = bind_check_network(L, 1);
    bind_charge(L, UNITS_PER_NODE * (int64_t)network->graph->n_nodes);
    int n;
    const nw_channel_group *groups = nw_arch_groups(network->arch, &n);
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_createtable(L, 0, 6);
        bind_set_text(L, "name", groups[i].name);
        bind_set_int(L, "n", groups[i].n);
        bind_set_int(L, "multiple", groups[i].multiple);
        lua_pushboolean(L, groups[i].is_fixed);
        lua_setfield(L, -2, "fixed");
        bind_set_text(L, "why", groups[i].why);
        push_members(L, network->graph, &groups[i]);
        lua_setfield(L, -2, "members");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ---- edits: a line each, or a table that says the same ---- */

/* Of network:edit and network:apply. */
#define EDITS_ARGUMENT 2

/* Raises. */
static int refuse_edit(lua_State *L, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = lua_pushvfstring(L, format, args);
    va_end(args);
    return luaL_argerror(L, EDITS_ARGUMENT, text);
}

/* The value at the index as it stands in a line. */
static const char *check_text(lua_State *L, int index)
{
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    if (strlen(text) != length)
        refuse_edit(L, "an edit is plain text, without zero bytes");
    return text;
}

/* Adds the value at the top of the stack, which it takes, as a word of a line. */
static void add_word(lua_State *L, nw_buf *line, const char *before)
{
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        nw_buf_printf(line, "%s%s", before, lua_toboolean(L, -1) ? "on" : "off");
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, -1))
            nw_buf_printf(line, "%s%lld", before, (long long)lua_tointeger(L, -1));
        else
            nw_buf_printf(line, "%s%.17g", before, lua_tonumber(L, -1));
        break;
    case LUA_TSTRING:
        nw_buf_printf(line, "%s%s", before, check_text(L, -1));
        break;
    default:
        refuse_edit(L, "an edit's value must be a number, a text or a boolean");
    }
    lua_pop(L, 1);
}

/* Adds the field of the table at index, if it is there, as a word. */
static bool add_field(lua_State *L, int index, const char *key, nw_buf *line, const char *before)
{
    bind_push_option(L, index, key);
    bool is_there = !lua_isnil(L, -1);
    if (is_there)
        add_word(L, line, before);
    else
        lua_pop(L, 1);
    return is_there;
}

static void check_keys(lua_State *L, int index, const char *const *names)
{
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        bool is_known = false;
        for (const char *const *name = names; lua_type(L, -2) == LUA_TSTRING && *name; name++)
            is_known |= strcmp(lua_tostring(L, -2), *name) == 0;
        if (!is_known)
            refuse_edit(L, "an edit has no '%s'", luaL_tolstring(L, -2, NULL));
    }
}

/* What the table at index does; beside a variant, an expansion is the variant's own. */
static nw_edit_kind check_edit_kind(lua_State *L, int index)
{
    const char *names[NW_EDIT_COUNT + 5] = {"where", "mode", "divisor"};
    nw_edit_kind found = NW_EDIT_COUNT;
    for (int kind = 0; kind < NW_EDIT_COUNT; kind++) {
        names[3 + kind] = nw_edit_kind_name((nw_edit_kind)kind);
        bind_push_option(L, index, names[3 + kind]);
        bool is_there = !lua_isnil(L, -1);
        lua_pop(L, 1);
        if (!is_there || (kind == NW_EDIT_EXPANSION && found == NW_EDIT_VARIANT))
            continue;
        if (found != NW_EDIT_COUNT)
            refuse_edit(L, "one edit a table, not %s and %s", nw_edit_kind_name(found),
                        names[3 + kind]);
        found = (nw_edit_kind)kind;
    }
    check_keys(L, index, names);
    if (found == NW_EDIT_COUNT)
        refuse_edit(L, "an edit says what it does: {variant = \"fused\", where = \"2.1\"}");
    return found;
}

/* {variant = "fused", where = "ibn@1-3", expansion = 4}, {channels = 32, where = "3", mode =
 * "nearest"}, {resolution = {256, 256}}: as a line. */
static void write_table_edit(lua_State *L, int index, nw_buf *line)
{
    nw_edit_kind kind = check_edit_kind(L, index);
    const char *name = nw_edit_kind_name(kind);
    nw_buf_puts(line, name);
    if (!add_field(L, index, "where", line, " ") && kind != NW_EDIT_WIDTH &&
        kind != NW_EDIT_RESOLUTION)
        nw_buf_puts(line, " *");
    add_field(L, index, "mode", line, " ");
    bind_push_option(L, index, name);
    if (kind == NW_EDIT_RESOLUTION && lua_istable(L, -1)) {
        if (lua_rawlen(L, -1) != 2)
            refuse_edit(L, "a resolution is {height, width}");
        for (int i = 1; i <= 2; i++) {
            lua_rawgeti(L, -1, i);
            add_word(L, line, " ");
        }
        lua_pop(L, 1);
    } else {
        add_word(L, line, " ");
    }
    add_field(L, index, "divisor", line, " ");
    if (kind == NW_EDIT_VARIANT)
        add_field(L, index, "expansion", line, " e=");
}

/* The edit that the line or table at index stands for. */
static void check_edit(lua_State *L, int index, nw_edit *out)
{
    nw_error err;
    index = lua_absindex(L, index);
    nw_buf *line = bind_new_text(L);
    if (lua_type(L, index) == LUA_TSTRING)
        nw_buf_puts(line, check_text(L, index));
    else if (lua_istable(L, index))
        write_table_edit(L, index, line);
    else
        refuse_edit(L, "an edit is a line as \"variant 2.1 fused\" or a table as {variant = "
                       "\"fused\", where = \"2.1\"}");
    if (nw_edit_read(nw_buf_text(line), out, &err) != NW_OK)
        refuse_edit(L, "%s%s%s", err.where, err.where[0] ? ": " : "", err.message);
    lua_pop(L, 1);
}

/* Pushes an object that holds the edits at index: one of them, or a list. */
static nw_edit *check_edits(lua_State *L, int index, int *n)
{
    bool is_list = lua_istable(L, index) && lua_rawgeti(L, index, 1) != LUA_TNIL;
    lua_settop(L, index);
    lua_Unsigned length = is_list ? lua_rawlen(L, index) : 1;
    luaL_argcheck(L, length <= MAX_EDITS, index, "too many edits");
    if (lua_istable(L, index) && !is_list && (lua_pushnil(L), !lua_next(L, index)))
        length = 0; /* an empty list */
    lua_settop(L, index);
    nw_edit *edits = lua_newuserdatauv(L, (length + 1) * sizeof *edits, 0);
    for (lua_Unsigned i = 0; i < length; i++) {
        if (is_list)
            lua_rawgeti(L, index, (lua_Integer)i + 1);
        else
            lua_pushvalue(L, index);
        check_edit(L, -1, &edits[i]);
        lua_pop(L, 1);
    }
    *n = (int)length;
    return edits;
}

static void push_note(lua_State *L, const char *where, bool is_done, const char *text)
{
    lua_createtable(L, 0, 3);
    bind_push_printable(L, where);
    lua_setfield(L, -2, "where");
    lua_pushboolean(L, is_done);
    lua_setfield(L, -2, "done");
    bind_push_printable(L, text);
    lua_setfield(L, -2, "text");
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* Adds the notes to the list at the top of the stack and frees them. */
static void add_notes(lua_State *L, nw_edit_report *report)
{
    /* A note is small and of known length, so that little can raise in between. */
    for (int i = 0; i < report->n_notes; i++)
        push_note(L, report->notes[i].where, report->notes[i].is_done, report->notes[i].text);
    nw_edit_report_fini(report);
}

/* network:edit(edits) -> network, notes | nil, message, code. All or nothing. */
int bind_network_edit(lua_State *L)
{
    int n;
    const bind_network *network = bind_check_network(L, 1);
    lua_settop(L, 2);
    const nw_edit *edits = check_edits(L, 2, &n);
    bind_charge(L, UNITS_PER_NODE * (int64_t)network->graph->n_nodes * (n + 1));
    bind_network *object = bind_new(L, &bind_network_type, sizeof *object, 0);
    lua_newtable(L);
    nw_edit_report report = {0};
    const nw_arch *arch;
    nw_error err;
    nw_status status = nw_arch_apply(network->arch, edits, n, &arch, &report, &err);
    if (status != NW_OK)
        return bind_push_error(L, &err);
    if (!bind_fill_network(L, object, arch, network->model)) {
        nw_edit_report_fini(&report);
        return 3;
    }
    add_notes(L, &report);
    return 2;
}

/* network:apply(edits) -> network, notes: what can be done of another network's edits. */
int bind_network_apply(lua_State *L)
{
    int n;
    const bind_network *network = bind_check_network(L, 1);
    lua_settop(L, 2);
    const nw_edit *edits = check_edits(L, 2, &n);
    bind_network *object = bind_new(L, &bind_network_type, sizeof *object, 0);
    lua_newtable(L);
    if (!bind_fill_network(L, object, nw_arch_retain(network->arch), network->model))
        return 3;
    for (int i = 0; i < n; i++) {
        nw_edit_report report = {0};
        const nw_arch *next;
        nw_error err;
        bind_charge(L, UNITS_PER_NODE * (int64_t)network->graph->n_nodes);
        if (nw_arch_apply(object->arch, &edits[i], 1, &next, &report, &err) != NW_OK) {
            push_note(L, err.where, false, err.message);
            continue;
        }
        bind_replace_arch(object, next);
        add_notes(L, &report);
    }
    return 2;
}

/* The edits that led here, a line each. */
int bind_network_edits(lua_State *L)
{
    const bind_network *network = bind_check_network(L, 1);
    int n;
    const nw_edit *edits = nw_arch_edits(network->arch, &n);
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        nw_buf *line = bind_new_text(L);
        nw_edit_write(&edits[i], line);
        lua_pushstring(L, nw_buf_text(line));
        lua_rawseti(L, -3, i + 1);
        lua_pop(L, 1);
    }
    return 1;
}

int bind_network_origin(lua_State *L)
{
    const bind_network *network = bind_check_network(L, 1);
    bind_network *object = bind_new(L, &bind_network_type, sizeof *object, 0);
    const nw_arch *origin = nw_arch_retain(nw_arch_origin(network->arch));
    return bind_fill_network(L, object, origin, network->model) ? 1 : 3;
}
