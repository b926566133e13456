/* head.c - what networks end in: classifiers, detection and segmentation heads. */
#include <stdio.h>

#include "src/layer/internal.h"

nw_tensor_id nw_layer_classifier(nw_layers *b, const nw_layer *layer)
{
    char name[NW_LAYER_NAME_BYTES], part[NW_LAYER_NAME_BYTES];
    if (!nw_layers_take_name(b, layer->name, "classifier", name, sizeof name))
        return NW_NONE;
    nw_layer hidden = {.name = nw_layers_part(name, "hidden", part),
                       .c = layer->mid_c,
                       .act = nw_layers_pick_act(b, layer->act)};
    nw_layer last = {.name = name, .c = layer->c};
    char pool[NW_LAYER_NAME_BYTES];
    nw_layer_global_pool(b, nw_layers_part(name, "pool", pool));
    if (layer->mid_c)
        nw_layer_fc(b, &hidden);
    return nw_layer_fc(b, &last);
}

nw_tensor_id nw_layer_extra(nw_layers *b, const nw_layer *layer)
{
    char name[NW_LAYER_NAME_BYTES], part[NW_LAYER_NAME_BYTES];
    if (!nw_layers_take_name(b, layer->name, "extra", name, sizeof name))
        return NW_NONE;
    int64_t c = nw_layers_count(b, name, "c", layer->c, 0, NW_LAYERS_MAX_CHANNELS);
    int64_t mid_c =
        nw_layers_count(b, name, "mid", layer->mid_c, c > 1 ? c / 2 : 1, NW_LAYERS_MAX_CHANNELS);
    int64_t kernel = nw_layers_count(b, name, "kernel", layer->kernel, 3, NW_LAYERS_MAX_KERNEL);
    int64_t stride = nw_layers_count(b, name, "stride", layer->stride, 2, NW_LAYERS_MAX_STRIDE);
    nw_op act = nw_layers_pick_act(b, layer->act);
    nw_layers_conv(b, nw_layers_part(name, "reduce", part), mid_c, 1, 1, 1, 1, act);
    nw_layers_conv(b, nw_layers_part(name, "depthwise", part), 0, kernel, stride, 1, 1, act);
    nw_layers_conv(b, nw_layers_part(name, "expand", part), c, 1, 1, 1, 1, act);
    return b->is_failed ? NW_NONE : b->at;
}

nw_tensor_id nw_layer_predictor(nw_layers *b, int64_t n_anchors, const nw_layer *layer)
{
    char name[NW_LAYER_NAME_BYTES], part[NW_LAYER_NAME_BYTES];
    if (!nw_layers_take_name(b, layer->name, "predictor", name, sizeof name))
        return NW_NONE;
    int64_t kernel = nw_layers_count(b, name, "kernel", layer->kernel, 3, NW_LAYERS_MAX_KERNEL);
    n_anchors = nw_layers_count(b, name, "anchors", n_anchors, 0, NW_LAYERS_MAX_CHANNELS);
    int64_t c = nw_layers_count(b, name, "values", layer->c, 0, NW_LAYERS_MAX_CHANNELS);
    if (c > NW_LAYERS_MAX_CHANNELS / n_anchors)
        nw_layers_fail(b, NW_INVALID, name, "%lld anchors of %lld values: over %d channels",
                       (long long)n_anchors, (long long)c, NW_LAYERS_MAX_CHANNELS);
    nw_layers_conv(b, nw_layers_part(name, "depthwise", part), 0, kernel, 1, 1, 1,
                   nw_layers_pick_act(b, layer->act));
    nw_layers_conv(b, nw_layers_part(name, "predict", part), n_anchors * c, 1, 1, 1, 1,
                   NW_OP_IDENTITY);
    if (b->is_failed)
        return NW_NONE;
    nw_hwc map = b->made[b->at].map;
    int64_t target[3] = {1, -1, c};
    nw_tensor_id in[2] = {b->at, nw_graph_add_ints(b->graph, name, target, 3)};
    nw_made made = {{map.h * map.w * n_anchors, 1, c}, 3};
    nw_layers_add(b, NW_OP_RESHAPE, name, "RESHAPE", in, 2, made);
    return b->is_failed ? NW_NONE : b->at;
}

/* Rows of several maps below each other. */
static nw_tensor_id add_rows(nw_layers *b, const char *name, const nw_tensor_id *parts, int n)
{
    int64_t rows = 0;
    for (int i = 0; i < n && !b->is_failed; i++)
        rows += b->made[parts[i]].map.h;
    if (b->is_failed)
        return NW_NONE;
    nw_made made = {{rows, 1, b->made[parts[0]].map.c}, 3};
    nw_node *node = nw_layers_add(b, NW_OP_CONCAT, name, "CONCATENATION", parts, n, made);
    if (!node)
        return NW_NONE;
    node->attrs.axis = 1;
    return b->at;
}

/* "class3", or "NAME/class3". */
static const char *head_name(const nw_layer *layer, const char *part, int i, char *dst)
{
    char text[16];
    snprintf(text, sizeof text, i < 0 ? "%s" : "%s%d", part, i);
    if (layer->name)
        return nw_layers_part(layer->name, text, dst);
    snprintf(dst, NW_LAYER_NAME_BYTES, "%s", text);
    return dst;
}

bool nw_layer_ssd_head(nw_layers *b, const nw_tensor_id *maps, const int64_t *n_anchors, int n,
                       const nw_layer *layer, nw_tensor_id outs[2])
{
    nw_tensor_id classes[NW_LAYERS_MAX_MAPS], boxes[NW_LAYERS_MAX_MAPS];
    char name[NW_LAYER_NAME_BYTES];
    nw_layer class_layer = *layer, box_layer = *layer;
    const char *where = layer->name ? layer->name : "ssd_head";
    class_layer.c = nw_layers_count(b, where, "classes", layer->c, 0, NW_LAYERS_MAX_CHANNELS);
    box_layer.c = 4;
    class_layer.name = box_layer.name = name;
    if (n < 1 || n > NW_LAYERS_MAX_MAPS)
        nw_layers_fail(b, NW_INVALID, where, "wanted 1 to %d maps", NW_LAYERS_MAX_MAPS);
    for (int i = 0; i < n && !b->is_failed; i++) {
        nw_layers_go(b, maps[i]);
        head_name(layer, "class", i, name);
        classes[i] = nw_layer_predictor(b, n_anchors[i], &class_layer);
        nw_layers_go(b, maps[i]);
        head_name(layer, "box", i, name);
        boxes[i] = nw_layer_predictor(b, n_anchors[i], &box_layer);
    }
    if (b->is_failed)
        return false;
    outs[0] = add_rows(b, head_name(layer, "classes", -1, name), classes, n);
    outs[1] = add_rows(b, head_name(layer, "boxes", -1, name), boxes, n);
    return !b->is_failed;
}

nw_tensor_id nw_layer_lraspp(nw_layers *b, nw_tensor_id high, nw_tensor_id low,
                             const nw_layer *layer, bool resizes)
{
    char name[NW_LAYER_NAME_BYTES], part[NW_LAYER_NAME_BYTES];
    nw_hwc map;
    if (!nw_layers_take_name(b, layer->name, "lraspp", name, sizeof name))
        return NW_NONE;
    int64_t c = nw_layers_count(b, name, "classes", layer->c, 0, NW_LAYERS_MAX_CHANNELS);
    int64_t mid_c = nw_layers_count(b, name, "c", layer->mid_c, 128, NW_LAYERS_MAX_CHANNELS);
    nw_op act = nw_layers_pick_act(b, layer->act);
    b->at = low;
    if (!nw_layers_read(b, name, &map))
        return NW_NONE;
    b->at = high;
    nw_layers_conv(b, nw_layers_part(name, "high", part), mid_c, 1, 1, 1, 1, act);
    nw_tensor_id features = b->at;
    nw_layers_go(b, high);
    nw_layer_global_pool(b, nw_layers_part(name, "pool", part));
    nw_layers_conv(b, nw_layers_part(name, "gate", part), mid_c, 1, 1, 1, 1, NW_OP_SIGMOID);
    nw_layer_join(b, NW_OP_MUL, features, b->at, NW_OP_OPAQUE, nw_layers_part(name, "mul", part));
    nw_layer_resize(b, map.h, map.w, NW_RESIZE_LINEAR, nw_layers_part(name, "up", part));
    nw_layers_conv(b, nw_layers_part(name, "high_classes", part), c, 1, 1, 1, 1, NW_OP_IDENTITY);
    nw_tensor_id coarse = b->at;
    nw_layers_go(b, low);
    nw_layers_conv(b, nw_layers_part(name, "low_classes", part), c, 1, 1, 1, 1, NW_OP_IDENTITY);
    nw_tensor_id fine = b->at;
    if (!resizes)
        return nw_layer_join(b, NW_OP_ADD, coarse, fine, NW_OP_OPAQUE, name);
    nw_layer_join(b, NW_OP_ADD, coarse, fine, NW_OP_OPAQUE, nw_layers_part(name, "add", part));
    nw_hwc image = b->made[b->input].map;
    return nw_layer_resize(b, image.h, image.w, NW_RESIZE_LINEAR, name);
}
