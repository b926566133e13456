/* build_layer.c - the layers of nasw.build.
 */
#include "lua/builder.h"

/* ---- layers ---- */

#define BLOCK_WORDS "c k s d n act residual"

static int build_conv(lua_State *L)
{
    build_arguments a;
    build_check_layer(L, "conv", "c k s d groups n act", "", 1, &a);
    return build_finish(L, a.b, nw_layer_conv(a.b->layers, &a.layer));
}

static int build_depthwise(lua_State *L)
{
    build_arguments a;
    build_check_layer(L, "depthwise", "k s d act", "", 1, &a);
    return build_finish(L, a.b, nw_layer_depthwise(a.b->layers, &a.layer));
}

static int build_block(lua_State *L, nw_block_kind kind, const char *words)
{
    build_arguments a;
    build_check_layer(L, nw_block_kind_name(kind), words, "", 1, &a);
    return build_finish(L, a.b, nw_layer_block(a.b->layers, kind, &a.layer));
}

static int build_ibn(lua_State *L)
{
    return build_block(L, NW_BLOCK_IBN, BLOCK_WORDS " e mid se se_c gate");
}

static int build_fused(lua_State *L)
{
    return build_block(L, NW_BLOCK_FUSED, BLOCK_WORDS " e mid se se_c gate");
}

static int build_grouped(lua_State *L)
{
    return build_block(L, NW_BLOCK_GROUPED, BLOCK_WORDS " e mid se se_c gate group_c");
}

static int build_fused_grouped(lua_State *L)
{
    return build_block(L, NW_BLOCK_FUSED_GROUPED, BLOCK_WORDS " e mid se se_c gate group_c");
}

static int build_tucker(lua_State *L)
{
    return build_block(L, NW_BLOCK_TUCKER, BLOCK_WORDS " rank_in rank_out rank_in_c rank_out_c");
}

static int build_dsep(lua_State *L)
{
    return build_block(L, NW_BLOCK_DSEP, "c k s d n act se se_c gate");
}

static int build_join(lua_State *L, nw_op op, const char *what)
{
    build_arguments a;
    build_check_layer(L, what, "act", "", 2, &a);
    if (a.n_maps != 2)
        return luaL_error(L, "%s takes two maps: %s{a, b}", what, what);
    return build_finish(
        L, a.b, nw_layer_join(a.b->layers, op, a.maps[0], a.maps[1], a.layer.act, a.layer.name));
}

static int build_add(lua_State *L)
{
    return build_join(L, NW_OP_ADD, "add");
}

static int build_mul(lua_State *L)
{
    return build_join(L, NW_OP_MUL, "mul");
}

static int build_concat(lua_State *L)
{
    build_arguments a;
    build_check_layer(L, "concat", "", "maps", NW_LAYERS_MAX_MAPS, &a);
    build_take_maps(L, "concat", &a);
    return build_finish(L, a.b, nw_layer_concat(a.b->layers, a.maps, a.n_maps, a.layer.name));
}

static int build_pool(lua_State *L)
{
    static const char *const kinds[] = {"max", "mean", "max or mean"};
    build_arguments a;
    build_check_layer(L, "pool", "k s", "kind", 1, &a);
    nw_op op = build_choice_option(L, "pool", "kind", kinds) ? NW_OP_AVERAGE_POOL : NW_OP_MAX_POOL;
    return build_finish(L, a.b, nw_layer_pool(a.b->layers, op, &a.layer));
}

static int build_global_pool(lua_State *L)
{
    build_arguments a;
    build_check_layer(L, "global_pool", "", "", 1, &a);
    return build_finish(L, a.b, nw_layer_global_pool(a.b->layers, a.layer.name));
}

static int build_resize(lua_State *L)
{
    static const char *const modes[] = {"bilinear", "nearest", "bilinear or nearest"};
    build_arguments a;
    build_check_layer(L, "resize", "", "like factor h w mode", 1, &a);
    nw_tensor_id like = build_map_option(L, "resize", "like");
    int64_t factor = build_whole_option(L, "resize", "factor");
    int64_t h = build_whole_option(L, "resize", "h"), w = build_whole_option(L, "resize", "w");
    nw_resize_mode mode =
        build_choice_option(L, "resize", "mode", modes) ? NW_RESIZE_NEAREST : NW_RESIZE_LINEAR;
    nw_hwc size = {h, w, 0};
    if ((like != NW_NONE) + (factor > 0) + (h > 0 && w > 0) != 1 || (h > 0) != (w > 0))
        return luaL_error(L, "resize takes like = MAP, or factor = N, or h = N, w = N");
    if (like != NW_NONE)
        size = nw_layers_map(a.b->layers, like);
    if (factor > NW_LAYERS_MAX_SIDE)
        return luaL_error(L, "resize: factor is %I: wanted 1 to %d", (LUAI_UACINT)factor,
                          NW_LAYERS_MAX_SIDE);
    if (factor) {
        size = nw_layers_map(a.b->layers, nw_layers_at(a.b->layers));
        size = (nw_hwc){size.h * factor, size.w * factor, 0};
    }
    return build_finish(L, a.b, nw_layer_resize(a.b->layers, size.h, size.w, mode, a.layer.name));
}

static int build_act(lua_State *L)
{
    build_arguments a;
    build_check_layer(L, "act", "act", "", 1, &a);
    return build_finish(L, a.b, nw_layer_act(a.b->layers, a.layer.act, a.layer.name));
}

static int build_sigmoid(lua_State *L)
{
    build_arguments a;
    build_check_layer(L, "sigmoid", "", "", 1, &a);
    return build_finish(L, a.b, nw_layer_act(a.b->layers, NW_OP_SIGMOID, a.layer.name));
}

static int build_softmax(lua_State *L)
{
    build_arguments a;
    build_check_layer(L, "softmax", "", "", 1, &a);
    return build_finish(L, a.b, nw_layer_softmax(a.b->layers, a.layer.name));
}

static int build_fc(lua_State *L)
{
    build_arguments a;
    build_check_layer(L, "fc", "c act", "", 1, &a);
    return build_finish(L, a.b, nw_layer_fc(a.b->layers, &a.layer));
}

static int build_classifier(lua_State *L)
{
    build_arguments a;
    build_check_layer(L, "classifier", "classes hidden act", "", 1, &a);
    return build_finish(L, a.b, nw_layer_classifier(a.b->layers, &a.layer));
}

static int build_extra(lua_State *L)
{
    build_arguments a;
    build_check_layer(L, "extra", "c mid k s act", "", 1, &a);
    return build_finish(L, a.b, nw_layer_extra(a.b->layers, &a.layer));
}

static int build_ssd_head(lua_State *L)
{
    build_arguments a;
    int64_t anchors[NW_LAYERS_MAX_MAPS];
    nw_tensor_id outs[2] = {NW_NONE, NW_NONE};
    build_check_layer(L, "ssd_head", "classes k act", "maps anchors", NW_LAYERS_MAX_MAPS, &a);
    build_take_maps(L, "ssd_head", &a);
    build_check_anchors(L, a.n_maps, anchors);
    nw_layer_ssd_head(a.b->layers, a.maps, anchors, a.n_maps, &a.layer, outs);
    build_finish(L, a.b, outs[0]);
    build_push_map(L, a.b, outs[1]);
    return 2;
}

static int build_lraspp(lua_State *L)
{
    build_arguments a;
    build_check_layer(L, "lraspp", "classes mid act", "high low resize", 0, &a);
    nw_tensor_id high = build_map_option(L, "lraspp", "high"),
                 low = build_map_option(L, "lraspp", "low");
    if (high == NW_NONE || low == NW_NONE)
        return luaL_error(L, "lraspp takes two maps: high = the last one, low = an earlier one");
    bind_push_option(L, BUILD_TABLE, "resize");
    bool resizes = lua_isnil(L, -1) || lua_toboolean(L, -1);
    return build_finish(L, a.b, nw_layer_lraspp(a.b->layers, high, low, &a.layer, resizes));
}

static int field_input(lua_State *L)
{
    const build_builder *b = build_check_builder(L);
    build_push_map(L, b, nw_layers_input(b->layers));
    return 1;
}

static int field_at(lua_State *L)
{
    const build_builder *b = build_check_builder(L);
    build_push_map(L, b, nw_layers_at(b->layers));
    return 1;
}

const bind_row bind_builder_rows[] = {
    {"input", field_input, true, "b.input: the network's input"},
    {"at", field_at, true, "b.at: the last map, which the next layer reads"},
    {"conv", build_conv, false, "b:conv{[map,] c = 32, k = 3, s = 1, d, groups, n, act} -> map"},
    {"depthwise", build_depthwise, false, "b:depthwise{[map,] k = 3, s = 1, d, act} -> map"},
    {"ibn", build_ibn, false,
     "b:ibn{[map,] c = 24, e = 6, k = 3, s = 1, n = 1, se, act, mid, residual} -> map"},
    {"fused", build_fused, false,
     "b:fused{[map,] c = 24, e = 6, k = 3, s = 1, n = 1, se, act, mid, residual} -> map"},
    {"grouped", build_grouped, false,
     "b:grouped{[map,] c = 64, e = 6, k = 3, s = 1, n = 1, group_c = 64, ...} -> map"},
    {"fused_grouped", build_fused_grouped, false,
     "b:fused_grouped{[map,] c = 64, e = 6, k = 3, s = 1, n = 1, group_c = 64, ...} -> map"},
    {"tucker", build_tucker, false,
     "b:tucker{[map,] c = 40, k = 3, s = 1, n = 1, rank_in = 0.25, rank_out = 0.75} -> map"},
    {"dsep", build_dsep, false, "b:dsep{[map,] c = 64, k = 3, s = 1, n = 1, se, act} -> map"},
    {"add", build_add, false, "b:add{a, b, act} -> map"},
    {"mul", build_mul, false, "b:mul{a, b, act} -> map; b may be 1 x 1 x channels"},
    {"concat", build_concat, false, "b:concat{a, b, ...} -> map, by channels"},
    {"pool", build_pool, false, "b:pool{[map,] kind = \"max\" | \"mean\", k = 2, s = k} -> map"},
    {"global_pool", build_global_pool, false, "b:global_pool{[map]} -> map of 1 x 1 (mean)"},
    {"resize", build_resize, false,
     "b:resize{[map,] like = map | factor = 2 | h = 64, w = 64, mode = \"bilinear\"} -> map"},
    {"act", build_act, false, "b:act{[map,] act = \"hard_swish\"} -> map"},
    {"sigmoid", build_sigmoid, false, "b:sigmoid{[map]} -> map"},
    {"softmax", build_softmax, false, "b:softmax{[map]} -> map"},
    {"fc", build_fc, false, "b:fc{[map,] c = 1280, act = \"none\"} -> map"},
    {"classifier", build_classifier, false,
     "b:classifier{[map,] classes = 1001, hidden, act} -> map"},
    {"extra", build_extra, false, "b:extra{[map,] c = 512, mid = c // 2, k = 3, s = 2} -> map"},
    {"ssd_head", build_ssd_head, false,
     "b:ssd_head{map, map, ..., classes = 2, anchors = 6 | {3, 6, ...}, k = 3, act} -> classes, "
     "boxes"},
    {"lraspp", build_lraspp, false,
     "b:lraspp{high = map, low = map, classes = 21, mid = 128, resize = true} -> map"},
    {NULL, NULL, false, NULL},
};
