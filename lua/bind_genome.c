/* bind_genome.c - one point of a space: an option a dimension.
 */
#include <stdio.h>
#include <string.h>

#include "lua/bind.h"

/* ---- values ---- */

void bind_push_option_value(lua_State *L, nw_dim_kind kind, const nw_option *option)
{
    char text[64];
    switch (kind) {
    case NW_DIM_CHANNELS:
    case NW_DIM_EXPANDED:
    case NW_DIM_KERNEL:
    case NW_DIM_DEPTH:
        lua_pushinteger(L, option->n);
        break;
    case NW_DIM_EXPANSION:
    case NW_DIM_SQUEEZE:
    case NW_DIM_WIDTH:
        lua_pushnumber(L, option->number);
        break;
    default:
        lua_pushstring(L, nw_option_text(kind, option, text, sizeof text));
    }
}

/* The value at index as an option's text; NULL: it is no text and no size. */
static const char *word_at(lua_State *L, int index, nw_dim_kind kind, char *dst, size_t size)
{
    if (lua_type(L, index) == LUA_TSTRING)
        return lua_tostring(L, index);
    bool is_size = kind == NW_DIM_RESOLUTION || kind == NW_DIM_PRECISION;
    if (!is_size || !lua_isinteger(L, index))
        return NULL;
    snprintf(dst, size, "%s%lld", kind == NW_DIM_PRECISION ? "int" : "",
             (long long)lua_tointeger(L, index));
    return dst;
}

/* A number that a text says, or the number at index. */
static bool is_number(lua_State *L, int index, double *out)
{
    int is_one;
    *out = lua_tonumberx(L, index, &is_one);
    return is_one;
}

int bind_find_option(lua_State *L, int index, const nw_dim *dim)
{
    char text[64], given[32];
    double number, own;
    index = lua_absindex(L, index);
    bool has_number = is_number(L, index, &number);
    const char *word = word_at(L, index, dim->kind, given, sizeof given);
    nw_option option;
    bool is_read = word && nw_option_read(dim->kind, word, &option, NULL) == NW_OK;
    if (is_read) /* aliases: mbconv */
        word = nw_option_text(dim->kind, &option, text, sizeof text);
    for (int i = 0; i < dim->n_options; i++) {
        char name[64];
        nw_option_text(dim->kind, &dim->options[i], name, sizeof name);
        bind_push_option_value(L, dim->kind, &dim->options[i]);
        bool is_equal = (has_number && lua_type(L, -1) == LUA_TNUMBER && is_number(L, -1, &own) &&
                         own == number) ||
                        (word && strcmp(word, name) == 0);
        lua_pop(L, 1);
        if (is_equal)
            return i;
    }
    return -1;
}

/* ---- making ---- */

bind_genome *bind_new_genome(lua_State *L, int space)
{
    space = lua_absindex(L, space);
    const bind_space *owner = lua_touserdata(L, space);
    int n = nw_space_n_dims(owner->space);
    bind_genome *genome =
        bind_new(L, &bind_genome_type, sizeof *genome + (size_t)n * sizeof *genome->genes, 1);
    lua_pushvalue(L, space);
    lua_setiuservalue(L, -2, 1);
    genome->owner = owner;
    genome->n_dims = n;
    return genome;
}

/* Sets genes from the table at index, by names of dimensions. */
static void set_genes(lua_State *L, int index, bind_genome *genome)
{
    int n;
    const nw_dim *dims = nw_space_dims(genome->owner->space, &n);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        int dim = nw_space_find_dim(genome->owner->space, name);
        if (dim < 0)
            bind_refuse(L, "the space has no dimension '%s'; space:dims() lists them",
                        luaL_tolstring(L, -2, NULL));
        int option = bind_find_option(L, -1, &dims[dim]);
        if (option < 0)
            bind_refuse(L, "%s has no option %s", name, luaL_tolstring(L, -1, NULL));
        genome->genes[dim] = (uint16_t)option;
    }
    nw_space_canonical(genome->owner->space, genome->genes);
}

static void read_genome(lua_State *L, int index, bind_genome *genome)
{
    size_t length;
    nw_error err;
    const char *text = lua_tolstring(L, index, &length);
    if (strlen(text) != length)
        bind_refuse(L, "a genome is plain text, without zero bytes");
    if (nw_genome_read(genome->owner->space, text, genome->genes, &err) != NW_OK)
        bind_raise_here(L, &err);
}

bind_genome *bind_take_genome(lua_State *L, int space, int index)
{
    space = lua_absindex(L, space);
    const bind_space *owner = lua_touserdata(L, space);
    bind_genome *given = luaL_testudata(L, index, bind_genome_type.name);
    int type = lua_type(L, index);
    if (given) {
        luaL_argcheck(L, given->owner->space, index, "the genome's space is closed");
        if (given->owner->space == owner->space ||
            nw_space_hash(given->owner->space) == nw_space_hash(owner->space)) {
            lua_pushvalue(L, index);
            return given;
        }
        luaL_argerror(L, index, "the genome is one of another space; take its values()");
    }
    if (type != LUA_TNONE && type != LUA_TNIL && type != LUA_TSTRING && type != LUA_TTABLE)
        luaL_typeerror(L, index, "genome, text or table");
    bind_genome *genome = bind_new_genome(L, space);
    nw_space_base_genome(owner->space, genome->genes);
    if (type == LUA_TSTRING)
        read_genome(L, index, genome);
    else if (type == LUA_TTABLE)
        set_genes(L, index, genome);
    return genome;
}

/* ---- reading ---- */

static bind_genome *check_genome(lua_State *L, int index)
{
    bind_genome *genome = bind_check(L, index, &bind_genome_type);
    luaL_argcheck(L, genome->owner->space, index, "the genome's space is closed");
    return genome;
}

static int push_text(lua_State *L, const bind_genome *genome)
{
    nw_buf *text = bind_new_text(L);
    nw_genome_write(genome->owner->space, genome->genes, text);
    lua_pushstring(L, nw_buf_text(text));
    return 1;
}

static int text_genome(lua_State *L)
{
    const bind_genome *genome = bind_check(L, 1, &bind_genome_type);
    if (genome->owner->space)
        return push_text(L, genome);
    lua_pushliteral(L, "genome (closed)");
    return 1;
}

static int field_text(lua_State *L)
{
    return push_text(L, check_genome(L, 1));
}

static int field_space(lua_State *L)
{
    check_genome(L, 1);
    lua_getiuservalue(L, 1, 1);
    return 1;
}

static int genome_values(lua_State *L)
{
    const bind_genome *genome = check_genome(L, 1);
    int n;
    const nw_dim *dims = nw_space_dims(genome->owner->space, &n);
    lua_createtable(L, 0, n);
    for (int d = 0; d < n; d++) {
        bind_push_option_value(L, dims[d].kind, &dims[d].options[genome->genes[d]]);
        lua_setfield(L, -2, dims[d].name);
    }
    return 1;
}

static int genome_get(lua_State *L)
{
    const bind_genome *genome = check_genome(L, 1);
    const char *name = luaL_checkstring(L, 2);
    int n, d = nw_space_find_dim(genome->owner->space, name);
    const nw_dim *dims = nw_space_dims(genome->owner->space, &n);
    if (d < 0)
        bind_refuse(L, "the space has no dimension '%s'; space:dims() lists them", name);
    bind_push_option_value(L, dims[d].kind, &dims[d].options[genome->genes[d]]);
    return 1;
}

static int genome_with(lua_State *L)
{
    const bind_genome *genome = check_genome(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_getiuservalue(L, 1, 1);
    bind_genome *changed = bind_new_genome(L, 3);
    memcpy(changed->genes, genome->genes, (size_t)genome->n_dims * sizeof *genome->genes);
    set_genes(L, 2, changed);
    return 1;
}

const bind_row bind_genome_rows[] = {
    {"text", field_text, true, "genome.text: \"NAME@HASH c3=32 ...\", which reads back"},
    {"space", field_space, true, "genome.space"},
    {"values", genome_values, false, "genome:values() -> {c3 = 32, [\"v2.1\"] = \"fused\", ...}"},
    {"get", genome_get, false, "genome:get(\"c3\") -> 32"},
    {"with", genome_with, false, "genome:with{c3 = 48} -> genome"},
    {NULL, NULL, false, NULL},
};

const bind_type bind_genome_type = {"nasw.Genome", bind_genome_rows, NULL, text_genome, NULL};
