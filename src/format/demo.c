/* demo.c - the built-in network: a human-presence detector on inverted bottlenecks, 320x320.
 *
 * MobileNetV2's stages (Sandler et al. 2018, table 2) with SSDLite heads: a 1280-channel
 * convolution, four separable extra layers, and a class and a box head (depthwise 3x3, pointwise)
 * on each of six maps. Made in code, float, without weight values: its cost does not depend on
 * them.
 */
#include "src/format/demo.h"

#include <stdio.h>
#include <string.h>

#define N_CLASSES 2 /* background, person */

typedef struct builder {
    nw_graph *graph;
    nw_tensor_id cursor;
    int h, c;
} builder;

static nw_tensor_id add_weights(builder *b, const char *name, const char *part, const int64_t *dims,
                                int rank)
{
    char full[96];
    nw_shape shape = {.rank = rank};
    memcpy(shape.dims, dims, (size_t)rank * sizeof *dims);
    snprintf(full, sizeof full, "%s/%s", name, part);
    nw_tensor_id id = nw_graph_add_tensor(b->graph, full, NW_DTYPE_FLOAT32, &shape);
    nw_graph_set_data(b->graph, id, NULL, 0, -1);
    return id;
}

/* A convolution with bias; depthwise where c_out is 0. SAME padding. */
static void add_conv(builder *b, const char *name, int c_out, int kernel, int stride, nw_act act)
{
    bool is_depthwise = c_out == 0;
    int64_t dense[4] = {c_out, kernel, kernel, b->c}, deep[4] = {1, kernel, kernel, b->c};
    int64_t bias[1] = {is_depthwise ? b->c : c_out};
    nw_tensor_id inputs[3] = {b->cursor,
                              add_weights(b, name, "weights", is_depthwise ? deep : dense, 4),
                              add_weights(b, name, "bias", bias, 1)};
    nw_tensor_id out = nw_graph_add_tensor(b->graph, name, NW_DTYPE_FLOAT32, NULL);
    nw_node *node =
        nw_graph_add_node(b->graph, NW_OP_CONV2D, name,
                          is_depthwise ? "DEPTHWISE_CONV_2D" : "CONV_2D", inputs, 3, &out, 1);
    node->attrs.stride_h = node->attrs.stride_w = stride;
    node->attrs.pad_mode = NW_PAD_SAME_UPPER;
    node->attrs.weight_layout = is_depthwise ? NW_WEIGHTS_HWIO : NW_WEIGHTS_OHWI;
    node->attrs.groups = is_depthwise ? 0 : 1;
    node->act = act;
    b->cursor = out;
    b->h = (b->h + stride - 1) / stride;
    b->c = is_depthwise ? b->c : c_out;
}

static void add_sum(builder *b, const char *name, nw_tensor_id skip)
{
    nw_tensor_id inputs[2] = {skip, b->cursor};
    nw_tensor_id out = nw_graph_add_tensor(b->graph, name, NW_DTYPE_FLOAT32, NULL);
    nw_graph_add_node(b->graph, NW_OP_ADD, name, "ADD", inputs, 2, &out, 1);
    b->cursor = out;
}

static void add_bottleneck(builder *b, const char *name, int c_out, int expansion, int stride)
{
    char part[64];
    nw_tensor_id skip = b->cursor;
    int c_in = b->c;
    if (expansion > 1) {
        snprintf(part, sizeof part, "%s/expand", name);
        add_conv(b, part, c_in * expansion, 1, 1, NW_ACT_RELU6);
    }
    snprintf(part, sizeof part, "%s/depthwise", name);
    add_conv(b, part, 0, 3, stride, NW_ACT_RELU6);
    snprintf(part, sizeof part, "%s/project", name);
    add_conv(b, part, c_out, 1, 1, NW_ACT_NONE);
    if (stride == 1 && c_in == c_out) {
        snprintf(part, sizeof part, "%s/add", name);
        add_sum(b, part, skip);
    }
}

/* 1x1 down, 3x3 depthwise with stride 2, 1x1 up: SSDLite's extra layers. */
static void add_extra(builder *b, const char *name, int c_out)
{
    char part[64];
    snprintf(part, sizeof part, "%s/reduce", name);
    add_conv(b, part, c_out / 2, 1, 1, NW_ACT_RELU6);
    snprintf(part, sizeof part, "%s/depthwise", name);
    add_conv(b, part, 0, 3, 2, NW_ACT_RELU6);
    snprintf(part, sizeof part, "%s/expand", name);
    add_conv(b, part, c_out, 1, 1, NW_ACT_RELU6);
}

static nw_tensor_id add_head(const builder *from, const char *name, int n_anchors, int n_values)
{
    builder b = *from;
    char part[64];
    snprintf(part, sizeof part, "%s/depthwise", name);
    add_conv(&b, part, 0, 3, 1, NW_ACT_RELU6);
    snprintf(part, sizeof part, "%s/predict", name);
    add_conv(&b, part, n_anchors * n_values, 1, 1, NW_ACT_NONE);
    int64_t target[3] = {1, -1, n_values};
    nw_tensor_id inputs[2] = {b.cursor, nw_graph_add_ints(b.graph, name, target, 3)};
    nw_tensor_id out = nw_graph_add_tensor(b.graph, name, NW_DTYPE_FLOAT32, NULL);
    nw_graph_add_node(b.graph, NW_OP_RESHAPE, name, "RESHAPE", inputs, 2, &out, 1);
    return out;
}

static void add_output(nw_graph *graph, const char *name, const nw_tensor_id *maps, int n_maps)
{
    nw_tensor_id out = nw_graph_add_tensor(graph, name, NW_DTYPE_FLOAT32, NULL);
    nw_node *node =
        nw_graph_add_node(graph, NW_OP_CONCAT, name, "CONCATENATION", maps, n_maps, &out, 1);
    node->attrs.axis = 1;
    nw_graph_add_output(graph, out);
}

nw_graph *nw_demo_build(void)
{
    static const struct {
        int expansion, c, n, stride;
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    static const int extras[] = {512, 256, 256, 128};
    enum { TAP_STAGE = 4, N_MAPS = 6 };
    nw_tensor_id classes[N_MAPS], boxes[N_MAPS];
    builder taps[N_MAPS];
    int n_taps = 0;
    nw_shape input = {.rank = 4, .dims = {1, 320, 320, 3}};
    builder b = {.graph = nw_graph_new("demo", NW_LAYOUT_NHWC), .h = 320, .c = 3};
    b.graph->format = "built in";
    b.cursor = nw_graph_add_tensor(b.graph, "image", NW_DTYPE_FLOAT32, &input);
    nw_graph_add_input(b.graph, b.cursor);
    add_conv(&b, "stem", 32, 3, 2, NW_ACT_RELU6);
    for (int stage = 0, block = 0; stage < (int)(sizeof stages / sizeof *stages); stage++) {
        for (int i = 0; i < stages[stage].n; i++) {
            char name[32];
            snprintf(name, sizeof name, "block%d", block++);
            add_bottleneck(&b, name, stages[stage].c, stages[stage].expansion,
                           i ? 1 : stages[stage].stride);
        }
        if (stage == TAP_STAGE)
            taps[n_taps++] = b;
    }
    add_conv(&b, "last", 1280, 1, 1, NW_ACT_RELU6);
    taps[n_taps++] = b;
    for (int i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "extra%d", i);
        add_extra(&b, name, extras[i]);
        taps[n_taps++] = b;
    }
    for (int i = 0; i < N_MAPS; i++) {
        char name[32];
        int n_anchors = i ? 6 : 3;
        snprintf(name, sizeof name, "class%d", i);
        classes[i] = add_head(&taps[i], name, n_anchors, N_CLASSES);
        snprintf(name, sizeof name, "box%d", i);
        boxes[i] = add_head(&taps[i], name, n_anchors, 4);
    }
    add_output(b.graph, "classes", classes, N_MAPS);
    add_output(b.graph, "boxes", boxes, N_MAPS);
    return b.graph;
}
