/* block.c - inverted bottlenecks and their kin. */
#include <math.h>
#include <stdio.h>

#include "src/layer/internal.h"

/* One block of a run: sizes are resolved, kernel and the like checked. */
typedef struct block {
    const nw_layer *layer;
    const char *name;
    nw_hwc in;
    int64_t c, mid_c, kernel, stride, dilation;
    nw_op act;
} block;

static void add_conv(nw_layers *b, const block *k, const char *part, int64_t c, int64_t groups,
                     nw_op act)
{
    char name[NW_LAYER_NAME_BYTES];
    nw_layers_conv(b, nw_layers_part(k->name, part, name), c, 1, 1, 1, groups, act);
}

/* The k x k; c 0: depthwise. */
static void add_spatial(nw_layers *b, const block *k, const char *part, int64_t c, int64_t groups,
                        nw_op act)
{
    char name[NW_LAYER_NAME_BYTES];
    nw_layers_conv(b, nw_layers_part(k->name, part, name), c, k->kernel, k->stride, k->dilation,
                   groups, act);
}

/* Channels a group of grouped blocks, as groups of the expanded channels. */
static int64_t count_groups(nw_layers *b, const block *k)
{
    int64_t group_c =
        nw_layers_count(b, k->name, "group_c", k->layer->group_c, 64, NW_LAYERS_MAX_CHANNELS);
    if (k->mid_c % group_c)
        nw_layers_fail(b, NW_INVALID, k->name,
                       "%lld expanded channels cannot be divided into groups of %lld",
                       (long long)k->mid_c, (long long)group_c);
    return b->is_failed ? 1 : k->mid_c / group_c;
}

/* Hu et al. 2018, as MobileNetV3 has it: mean, 1x1 down, 1x1 up, gate. */
static void add_squeeze(nw_layers *b, const block *k)
{
    const nw_layer *layer = k->layer;
    char name[NW_LAYER_NAME_BYTES];
    if (b->is_failed || (layer->squeeze == 0 && layer->squeeze_c == 0))
        return;
    nw_tensor_id map = b->at;
    int64_t c = b->made[map].map.c;
    int64_t inner =
        layer->squeeze_c
            ? nw_layers_count(b, k->name, "se_c", layer->squeeze_c, 0, NW_LAYERS_MAX_CHANNELS)
            : nw_layers_scale(b, k->name, "se", k->in.c, layer->squeeze, 1);
    bool is_hard = k->act == NW_OP_HARD_SWISH;
    nw_op gate = layer->gate != NW_OP_OPAQUE ? layer->gate
                 : is_hard                   ? NW_OP_HARD_SIGMOID
                                             : NW_OP_SIGMOID;
    if (gate != NW_OP_SIGMOID && gate != NW_OP_HARD_SIGMOID)
        nw_layers_fail(b, NW_INVALID, k->name, "gate: wanted sigmoid or hard_sigmoid");
    nw_layer_global_pool(b, nw_layers_part(k->name, "squeeze", name));
    add_conv(b, k, "reduce", inner, 1, k->act == NW_OP_SWISH ? NW_OP_SWISH : NW_OP_RELU);
    add_conv(b, k, "excite", c, 1, gate);
    nw_layer_join(b, NW_OP_MUL, map, b->at, NW_OP_OPAQUE, nw_layers_part(k->name, "scale", name));
}

static void add_ibn(nw_layers *b, const block *k)
{
    if (k->mid_c != k->in.c)
        add_conv(b, k, "expand", k->mid_c, 1, k->act);
    add_spatial(b, k, "depthwise", 0, 1, k->act);
    add_squeeze(b, k);
    add_conv(b, k, "project", k->c, 1, NW_OP_IDENTITY);
}

static void add_grouped(nw_layers *b, const block *k)
{
    add_conv(b, k, "expand", k->mid_c, 1, k->act);
    add_spatial(b, k, "grouped", k->mid_c, count_groups(b, k), k->act);
    add_squeeze(b, k);
    add_conv(b, k, "project", k->c, 1, NW_OP_IDENTITY);
}

/* groups: 1, or those of a grouped one, which the input channels too must be divisible into. */
static void add_fused(nw_layers *b, const block *k, int64_t groups)
{
    add_spatial(b, k, "expand", k->mid_c, groups, k->act);
    add_squeeze(b, k);
    add_conv(b, k, "project", k->c, 1, NW_OP_IDENTITY);
}

/* MobileDets (Xiong et al. 2021), equation 2. */
static void add_tucker(nw_layers *b, const block *k)
{
    const nw_layer *layer = k->layer;
    int64_t in = layer->rank_in_c, out = layer->rank_out_c;
    in = in ? nw_layers_count(b, k->name, "rank_in_c", in, 0, NW_LAYERS_MAX_CHANNELS)
            : nw_layers_scale(b, k->name, "rank_in", k->in.c,
                              layer->rank_in != 0 ? layer->rank_in : 0.25, 8);
    out = out ? nw_layers_count(b, k->name, "rank_out_c", out, 0, NW_LAYERS_MAX_CHANNELS)
              : nw_layers_scale(b, k->name, "rank_out", k->c,
                                layer->rank_out != 0 ? layer->rank_out : 0.75, 8);
    add_conv(b, k, "expand", in, 1, k->act);
    add_spatial(b, k, "spatial", out, 1, k->act);
    add_conv(b, k, "project", k->c, 1, NW_OP_IDENTITY);
}

static void add_dsep(nw_layers *b, const block *k)
{
    add_spatial(b, k, "depthwise", 0, 1, k->act);
    add_squeeze(b, k);
    add_conv(b, k, "project", k->c, 1, k->act);
}

static void add_layers(nw_layers *b, nw_block_kind kind, const block *k)
{
    switch (kind) {
    case NW_BLOCK_IBN:
        add_ibn(b, k);
        break;
    case NW_BLOCK_FUSED:
        add_fused(b, k, 1);
        break;
    case NW_BLOCK_GROUPED:
        add_grouped(b, k);
        break;
    case NW_BLOCK_FUSED_GROUPED:
        add_fused(b, k, count_groups(b, k));
        break;
    case NW_BLOCK_TUCKER:
        add_tucker(b, k);
        break;
    case NW_BLOCK_DSEP:
        add_dsep(b, k);
        break;
    default:
        nw_layers_fail(b, NW_UNSUPPORTED, k->name, "blocks of kind %s are not built",
                       nw_block_kind_name(kind));
    }
}

static int64_t count_expanded(nw_layers *b, const block *k)
{
    const nw_layer *layer = k->layer;
    if (layer->mid_c)
        return nw_layers_count(b, k->name, "mid", layer->mid_c, 0, NW_LAYERS_MAX_CHANNELS);
    return nw_layers_scale(b, k->name, "e", k->in.c, layer->expansion != 0 ? layer->expansion : 6,
                           1);
}

static void add_block(nw_layers *b, nw_block_kind kind, const nw_layer *layer, const char *name,
                      int64_t stride)
{
    block k = {.layer = layer, .name = name, .stride = stride};
    char part[NW_LAYER_NAME_BYTES];
    nw_tensor_id skip = b->at;
    if (!nw_layers_read(b, name, &k.in))
        return;
    k.c = nw_layers_count(b, name, "c", layer->c, 0, NW_LAYERS_MAX_CHANNELS);
    k.kernel = nw_layers_count(b, name, "kernel", layer->kernel, 3, NW_LAYERS_MAX_KERNEL);
    k.dilation = nw_layers_count(b, name, "dilation", layer->dilation, 1, NW_LAYERS_MAX_KERNEL);
    k.act = nw_layers_pick_act(b, layer->act);
    if (nw_block_kind_expands(kind))
        k.mid_c = count_expanded(b, &k);
    if (b->is_failed)
        return;
    add_layers(b, kind, &k);
    if (stride == 1 && k.in.c == k.c && kind != NW_BLOCK_DSEP && !layer->no_residual)
        nw_layer_join(b, NW_OP_ADD, skip, b->at, NW_OP_OPAQUE, nw_layers_part(name, "add", part));
}

nw_tensor_id nw_layer_block(nw_layers *b, nw_block_kind kind, const nw_layer *layer)
{
    char name[NW_LAYER_NAME_BYTES], part[NW_LAYER_NAME_BYTES];
    if (b->is_failed)
        return NW_NONE;
    int64_t n = nw_layers_count(b, layer->name ? layer->name : nw_block_kind_name(kind), "n",
                                layer->repeats, 1, NW_LAYERS_MAX_REPEATS);
    for (int64_t i = 0; i < n && !b->is_failed; i++) {
        char number[16];
        if (!nw_layers_take_name(b, layer->name, "block", name, sizeof name))
            return NW_NONE;
        int64_t stride = nw_layers_count(b, name, "stride", layer->stride, 1, NW_LAYERS_MAX_STRIDE);
        snprintf(number, sizeof number, "%d", (int)i);
        add_block(b, kind, layer, layer->name && n > 1 ? nw_layers_part(name, number, part) : name,
                  i ? 1 : stride);
    }
    return b->is_failed ? NW_NONE : b->at;
}
