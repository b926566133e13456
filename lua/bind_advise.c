/* bind_advise.c - what to change about a network on a hardware: advice, what-ifs, recipes; exports.
 */
#include <stdlib.h>
#include <string.h>

#include "lua/bind.h"
#include "src/advise/advise.h"
#include "src/format/format.h"

#define UNITS_PER_TRY 4000 /* an edit and its estimate */
#define MAX_ROWS      100000

/* What is asked about, estimated: the object at the top of the stack keeps it. */
typedef struct question {
    const bind_estimate *object;
    nw_subject subject;
} question;

/* network, hw, options: estimates and pushes the estimate; false: nil, message, code. */
static bool ask(lua_State *L, question *out)
{
    const bind_network *network = bind_check_network(L, 1);
    lua_settop(L, 3);
    lua_pushcfunction(L, bind_estimate_run);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_createtable(L, 0, 2);
    bind_push_option(L, 3, "estimator");
    lua_setfield(L, -2, "estimator");
    bind_push_option(L, 3, "precision");
    lua_setfield(L, -2, "precision");
    lua_call(L, 3, 3);
    if (lua_isnil(L, -3))
        return false;
    lua_pop(L, 2);
    out->object = lua_touserdata(L, -1);
    out->subject =
        (nw_subject){network->arch, out->object->hw->hw, out->object->estimate->estimator,
                     bind_option(L, 3, "precision", "file")};
    return true;
}

static void set_edit(lua_State *L, const nw_edit *edit)
{
    nw_buf *line = bind_new_text(L);
    nw_edit_write(edit, line);
    lua_pushstring(L, nw_buf_text(line));
    lua_setfield(L, -3, "edit");
    lua_pop(L, 1);
}

/* Into the table at the top: differences, after - before. */
static void set_effect(lua_State *L, const nw_effect *effect)
{
    bind_set_number(L, "latency_us", (double)effect->latency.latency_ps / 1e6);
    if (effect->latency.has_band) {
        bind_set_number(L, "low_us", (double)effect->latency.low_ps / 1e6);
        bind_set_number(L, "high_us", (double)effect->latency.high_ps / 1e6);
    }
    lua_pushboolean(L, effect->is_below);
    lua_setfield(L, -2, "below_resolution");
    lua_pushboolean(L, effect->fits);
    lua_setfield(L, -2, "fits");
    bind_set_number(L, "after_us", (double)effect->latency_ps / 1e6);
    bind_set_int(L, "energy_fj", effect->energy_fj);
    bind_set_int(L, "macs", effect->macs);
    bind_set_int(L, "params", effect->params);
    bind_set_int(L, "weight_bytes", effect->weight_bytes);
    bind_set_int(L, "peak_live_bytes", effect->peak_live_bytes);
    bind_set_int(L, "arena_bytes", effect->arena_bytes);
    bind_set_int(L, "dram_bytes", effect->dram_bytes);
}

/* ---- advice ---- */

static void push_items(lua_State *L, const nw_advice *advice)
{
    static const char *const verdicts[] = {[NW_ADVICE_HELPS] = "helps",
                                           [NW_ADVICE_UNSURE] = "unsure",
                                           [NW_ADVICE_NO_GAIN] = "no gain",
                                           [NW_ADVICE_REFUSED] = "refused"};
    lua_createtable(L, advice->n_items, 0);
    for (int i = 0; i < advice->n_items; i++) {
        const nw_advice_item *item = &advice->items[i];
        lua_createtable(L, 0, 16);
        set_edit(L, &item->edit);
        bind_set_text(L, "label", item->label);
        bind_set_text(L, "verdict", verdicts[item->verdict]);
        bind_set_text(L, "text", item->text);
        if (item->verdict != NW_ADVICE_REFUSED)
            set_effect(L, &item->effect);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_advice(lua_State *L, const nw_advice *advice)
{
    lua_createtable(L, 0, 8);
    bind_set_text(L, "label", advice->label);
    bind_set_text(L, "block", advice->block);
    bind_set_number(L, "latency_us", (double)advice->cost.latency_ps / 1e6);
    bind_set_number(L, "share", advice->share);
    bind_set_number(L, "utilisation", advice->cost.utilisation);
    lua_createtable(L, advice->n_facts, 0);
    for (int i = 0; i < advice->n_facts; i++) {
        lua_pushstring(L, advice->facts[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "facts");
    push_items(L, advice);
    lua_setfield(L, -2, "edits");
}

int bind_network_advise(lua_State *L)
{
    static const char *const options[] = {"estimator", "precision", "block", NULL};
    question q;
    bind_check_options(L, 3, options);
    const char *label = bind_option(L, 3, "block", NULL);
    if (!ask(L, &q))
        return 3;
    const nw_arch *arch = q.subject.arch;
    int n, n_out = 0;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    const nw_block *only = label ? nw_arch_find_block(arch, label) : NULL;
    luaL_argcheck(L, !label || only, 3, "there is no such block");
    nw_advice *advice = lua_newuserdatauv(L, sizeof *advice, 0);
    lua_newtable(L);
    for (int i = 0; i < n; i++) {
        nw_error err;
        if (only && only != &blocks[i])
            continue;
        bind_charge(L, UNITS_PER_TRY * (int64_t)q.object->estimate->kernels->n_kernels);
        if (nw_advise_block(&q.subject, q.object->estimate, &blocks[i], NULL, advice, &err) !=
            NW_OK)
            return bind_push_error(L, &err);
        push_advice(L, advice);
        lua_rawseti(L, -2, ++n_out);
    }
    return 1;
}

/* ---- prices of alignment ---- */

static void set_price(lua_State *L, const char *key, const nw_align_price *price)
{
    lua_createtable(L, 0, 16);
    bind_set_int(L, "n", price->n);
    if (price->is_possible) {
        set_edit(L, &price->edit);
        set_effect(L, &price->effect);
    } else {
        bind_set_text(L, "why", price->why);
    }
    lua_setfield(L, -2, key);
}

int bind_network_align(lua_State *L)
{
    static const char *const kinds[] = {"channels", "expansion", NULL};
    static const char *const options[] = {"estimator", "precision", "of", NULL};
    const bind_network *network = bind_check_network(L, 1);
    const nw_block *block = nw_arch_find_block(network->arch, luaL_checkstring(L, 2));
    luaL_argcheck(L, block, 2, "there is no such block");
    lua_remove(L, 2);
    bind_check_options(L, 3, options);
    const char *of = bind_option(L, 3, "of", "channels");
    bool is_inner = strcmp(of, kinds[1]) == 0;
    luaL_argcheck(L, is_inner || strcmp(of, kinds[0]) == 0, 3,
                  "option 'of' must be \"channels\" or \"expansion\"");
    question q;
    nw_error err;
    if (!ask(L, &q))
        return 3;
    bind_charge(L, 2 * UNITS_PER_TRY);
    nw_align *prices = lua_newuserdatauv(L, sizeof *prices, 0);
    if (nw_align_find(&q.subject, q.object->estimate, block,
                      is_inner ? NW_EDIT_EXPANSION : NW_EDIT_CHANNELS, prices, &err) != NW_OK)
        return bind_push_error(L, &err);
    lua_createtable(L, 0, 8);
    bind_set_int(L, "n", prices->n);
    bind_set_int(L, "step", prices->step);
    bind_set_int(L, "idle", prices->idle);
    bind_set_text(L, "members", prices->members);
    bind_set_text(L, "nearest", prices->nearest_is_up ? "up" : "down");
    set_price(L, "down", &prices->down);
    set_price(L, "up", &prices->up);
    return 1;
}

/* ---- every edit one key away ---- */

static int free_list(lua_State *L)
{
    nw_whatif_release(*(nw_whatif **)lua_touserdata(L, 1));
    return 0;
}

/* Pushes a place for a list that the collector frees. */
static nw_whatif **new_list(lua_State *L)
{
    nw_whatif **list = lua_newuserdatauv(L, sizeof(nw_whatif *), 0);
    *list = NULL;
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, free_list);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return list;
}

static void push_rows(lua_State *L, const nw_whatif_row *rows, int n)
{
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_createtable(L, 0, 16);
        set_edit(L, &rows[i].edit);
        bind_set_text(L, "label", rows[i].label);
        if (rows[i].state == NW_WHATIF_DONE)
            set_effect(L, &rows[i].effect);
        else
            bind_set_text(L, "why", rows[i].why);
        lua_rawseti(L, -2, i + 1);
    }
}

int bind_network_whatif(lua_State *L)
{
    static const char *const options[] = {"estimator", "precision", NULL};
    question q;
    nw_error err;
    bind_check_options(L, 3, options);
    if (!ask(L, &q))
        return 3;
    nw_whatif **list = new_list(L);
    if (nw_whatif_new(&q.subject, NULL, list, &err) != NW_OK) {
        *list = NULL;
        return bind_push_error(L, &err);
    }
    do
        bind_charge(L, UNITS_PER_TRY);
    while (nw_whatif_step(*list));
    int n = nw_whatif_n(*list);
    nw_whatif_row *rows = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *rows, 0);
    push_rows(L, rows, nw_whatif_rows(*list, rows, n));
    return 1;
}

/* ---- recipes ---- */

static int free_recipe(lua_State *L)
{
    nw_recipe_fini(lua_touserdata(L, 1));
    return 0;
}

static nw_recipe *new_recipe(lua_State *L)
{
    nw_recipe *recipe = lua_newuserdatauv(L, sizeof *recipe, 0);
    *recipe = (nw_recipe){0};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, free_recipe);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return recipe;
}

static void push_steps(lua_State *L, const nw_recipe *recipe)
{
    lua_createtable(L, recipe->n_steps, 0);
    for (int i = 0; i < recipe->n_steps; i++) {
        const nw_recipe_step *step = &recipe->steps[i];
        lua_createtable(L, 0, 18);
        set_edit(L, &step->edit);
        bind_set_text(L, "label", step->label);
        lua_pushboolean(L, step->is_taken);
        lua_setfield(L, -2, "taken");
        bind_set_text(L, "why", step->why);
        set_effect(L, &step->effect);
        lua_rawseti(L, -2, i + 1);
    }
}

int bind_network_recipe(lua_State *L)
{
    static const char *const kinds[] = {"fuse", "align", "native", NULL};
    static const char *const options[] = {"estimator", "precision", NULL};
    bind_network *network = bind_check_network(L, 1);
    nw_recipe_kind kind = (nw_recipe_kind)luaL_checkoption(L, 2, NULL, kinds);
    lua_remove(L, 2);
    bind_check_options(L, 3, options);
    question q;
    nw_error err;
    if (!ask(L, &q))
        return 3;
    int n;
    nw_arch_blocks(network->arch, &n);
    bind_charge(L, UNITS_PER_TRY * (int64_t)n * 8);
    bind_network *object = bind_new(L, &bind_network_type, sizeof *object, 0);
    nw_recipe *recipe = new_recipe(L), made;
    if (nw_recipe_make(kind, &q.subject, q.object->estimate, NULL, &made, &err) != NW_OK)
        return bind_push_error(L, &err);
    *recipe = made;
    if (!bind_fill_network(L, object, nw_arch_retain(recipe->arch), network->model))
        return 3;
    lua_pushvalue(L, -2);
    push_steps(L, recipe);
    return 2;
}

/* ---- texts and files ---- */

int bind_network_timm(lua_State *L)
{
    const bind_network *network = bind_check_network(L, 1);
    nw_error err;
    int n_left_out;
    nw_buf *text = bind_new_text(L);
    bind_charge(L, UNITS_PER_TRY);
    if (nw_timm_write(network->arch, text, &n_left_out, &err) != NW_OK)
        return bind_push_error(L, &err);
    lua_pushlstring(L, nw_buf_text(text), text->length);
    lua_pushinteger(L, n_left_out);
    return 2;
}

static nw_status write_as(const bind_network *network, const char *path, nw_buf *out, nw_error *err)
{
    const char *dot = strrchr(path, '.');
    int n_left_out;
    nw_onnx_options options = {0}; /* float where constants were edited, as the command */
    if (dot && strcmp(dot, ".onnx") == 0)
        return nw_onnx_write(network->graph, &options, out, err);
    if (dot && strcmp(dot, ".py") == 0)
        return nw_pytorch_write(network->graph, out, err);
    if (dot && strcmp(dot, ".txt") == 0)
        return nw_timm_write(network->arch, out, &n_left_out, err);
    if (!dot || strcmp(dot, ".json") != 0)
        return nw_fail(err, NW_INVALID, path,
                       "the ending says what to write: .onnx, .json, .py or .txt");
    nw_network_json_write(network->graph, out);
    return NW_OK;
}

int bind_network_export(lua_State *L)
{
    const bind_network *network = bind_check_network(L, 1);
    const char *path = luaL_checkstring(L, 2);
    nw_error err;
    nw_buf *text = bind_new_text(L);
    bind_charge(L, UNITS_PER_TRY * 10);
    if (write_as(network, path, text, &err) != NW_OK)
        return bind_push_error(L, &err);
    bind_charge(L, (int64_t)text->length / 16);
    return bind_write_text(L, 2, nw_buf_text(text), text->length);
}
