/* builder.h - what nasw.build is made of; private to lua/.
 *
 * Every layer is a method that takes one table: maps by position, figures by name. A mistake raises
 * where the script made it, with the layer's word in front ("conv: c is 0"), and the network is
 * given up.
 */
#ifndef LUA_BUILDER_H
#define LUA_BUILDER_H

#include "lua/bind.h"
#include "src/layer/layer.h"

#define BUILD_TABLE 2 /* argument of a layer; its builder is 1 */

typedef struct build_builder {
    nw_layers *layers; /* NULL: finished */
    int64_t held_bytes;
    int n_charged; /* operators */
} build_builder;

typedef struct build_map {
    nw_tensor_id id;
    nw_hwc size;
} build_map; /* user value 1: its builder */

/* What a layer is given. The strings live as long as the table. */
typedef struct build_arguments {
    build_builder *b;
    nw_layer layer;
    nw_tensor_id maps[NW_LAYERS_MAX_MAPS];
    int n_maps;
} build_arguments;

/* ---- bind_build.c ---- */
build_builder *build_check_builder(lua_State *L);
void build_push_map(lua_State *L, const build_builder *b, nw_tensor_id id);
/* Pays for what a layer added and pushes its map, or raises what was wrong. */
int build_finish(lua_State *L, build_builder *b, nw_tensor_id id);

/* ---- build_args.c ---- */

/* Reads a layer's arguments and goes to the map that it reads: the first by position, else the last
 * that was made. what: the layer's word; words: figures of nw_layer that it has; others: what it
 * reads itself; max_maps: by position. */
void build_check_layer(lua_State *L, const char *what, const char *words, const char *others,
                       int max_maps, build_arguments *out);
/* Maps of option `maps`, or by position; at least one. */
void build_take_maps(lua_State *L, const char *what, build_arguments *a);
/* What stands at the index, or at the top of the stack. */
nw_tensor_id build_check_map(lua_State *L, const char *what, int index);
int64_t build_check_whole(lua_State *L, const char *what, const char *name);
nw_op build_check_act(lua_State *L, const char *what, const char *name);
/* Options of the table; not given: 0, NW_NONE, the first name. names: two, and both in words. */
int64_t build_whole_option(lua_State *L, const char *what, const char *key);
nw_tensor_id build_map_option(lua_State *L, const char *what, const char *key);
int build_choice_option(lua_State *L, const char *what, const char *key, const char *const *names);
/* anchors = 6, or a number a map. */
void build_check_anchors(lua_State *L, int n_maps, int64_t *anchors);

/* ---- build_layer.c ---- */
extern const bind_row bind_builder_rows[];

#endif
