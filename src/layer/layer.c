#include "src/layer/layer.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/layer/internal.h"

/* ---- what is wrong ---- */

nw_tensor_id nw_layers_fail(nw_layers *b, nw_status status, const char *where, const char *format,
                            ...)
{
    char message[256];
    va_list args;
    if (b->is_failed)
        return NW_NONE;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    b->is_failed = true;
    nw_fail(&b->error, status, where, "%s", message);
    return NW_NONE;
}

const nw_error *nw_layers_error(const nw_layers *b)
{
    return b->is_failed ? &b->error : NULL;
}

int64_t nw_layers_count(nw_layers *b, const char *name, const char *what, int64_t value,
                        int64_t fallback, int64_t most)
{
    int64_t n = value ? value : fallback;
    if (n >= 1 && n <= most)
        return n;
    if (value)
        nw_layers_fail(b, NW_INVALID, name, "%s is %lld: wanted 1 to %lld", what, (long long)value,
                       (long long)most);
    else
        nw_layers_fail(b, NW_INVALID, name, "%s is missing: wanted 1 to %lld", what,
                       (long long)most);
    return 1;
}

int64_t nw_layers_scale(nw_layers *b, const char *name, const char *what, int64_t channels,
                        double factor, int64_t multiple)
{
    double n = floor((double)channels * factor / (double)multiple + 0.5) * (double)multiple;
    if (!(factor > 0) || !(n <= NW_LAYERS_MAX_CHANNELS)) {
        nw_layers_fail(b, NW_INVALID, name, "%s is %g: of %lld channels wanted 1 to %d", what,
                       factor, (long long)channels, NW_LAYERS_MAX_CHANNELS);
        return multiple;
    }
    return n < (double)multiple ? multiple : (int64_t)n;
}

/* ---- names ---- */

static bool is_name(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("_-./:", name[i]))
            return false;
    return length > 0 && length <= NW_LAYERS_MAX_NAME;
}

bool nw_layers_take_name(nw_layers *b, const char *name, const char *prefix, char *dst, size_t size)
{
    if (b->is_failed)
        return false;
    if (name) {
        if (!is_name(name)) {
            nw_layers_fail(b, NW_INVALID, name,
                           "a name is 1 to %d letters, digits and _ - . / : alone",
                           NW_LAYERS_MAX_NAME);
            return false;
        }
        snprintf(dst, size, "%s", name);
        return true;
    }
    int32_t n = nw_map_get(&b->counts, prefix);
    n = n == NW_MAP_NONE ? 0 : n;
    do
        snprintf(dst, size, "%s%d", prefix, n++);
    while (nw_map_get(&b->names, dst) != NW_MAP_NONE);
    nw_map_put(&b->counts, prefix, n);
    return true;
}

const char *nw_layers_part(const char *name, const char *part, char *dst)
{
    snprintf(dst, NW_LAYER_NAME_BYTES, "%.60s/%.32s", name, part);
    return dst;
}

/* ---- tensors and operators ---- */

static void note_made(nw_layers *b, nw_tensor_id tensor, nw_made made)
{
    while (b->n_made <= (size_t)tensor) {
        b->made = nw_grow(b->made, b->n_made, &b->made_capacity, sizeof *b->made);
        b->made[b->n_made++] = (nw_made){.rank = 0};
    }
    b->made[tensor] = made;
}

nw_tensor_id nw_layers_weights(nw_layers *b, const char *name, const char *part,
                               const int64_t *dims, int rank)
{
    char full[NW_LAYER_NAME_BYTES + 16];
    nw_shape shape = {.rank = rank};
    int64_t elements = 1;
    for (int i = 0; i < rank; i++) {
        shape.dims[i] = dims[i];
        if (__builtin_mul_overflow(elements, dims[i], &elements) || elements > NW_MAX_ELEMENTS)
            return nw_layers_fail(b, NW_LIMIT, name, "the weights are too many: over %lld",
                                  (long long)NW_MAX_ELEMENTS);
    }
    if (b->is_failed)
        return NW_NONE;
    snprintf(full, sizeof full, "%s/%s", name, part);
    nw_tensor_id id = nw_graph_add_tensor(b->graph, full, NW_DTYPE_FLOAT32, &shape);
    nw_graph_set_data(b->graph, id, NULL, 0, -1);
    return id;
}

static bool check_made(nw_layers *b, const char *name, const nw_made *made)
{
    int64_t elements;
    bool is_large = __builtin_mul_overflow(made->map.h, made->map.w, &elements) ||
                    __builtin_mul_overflow(elements, made->map.c, &elements) ||
                    elements > NW_MAX_ELEMENTS;
    if (is_large)
        nw_layers_fail(b, NW_LIMIT, name, "its map would have more than %lld elements",
                       (long long)NW_MAX_ELEMENTS);
    if (b->graph->n_nodes >= NW_LAYERS_MAX_NODES)
        nw_layers_fail(b, NW_LIMIT, name, "a network made in code has at most %d operators",
                       NW_LAYERS_MAX_NODES);
    if (!b->is_failed && nw_map_get(&b->names, name) != NW_MAP_NONE)
        nw_layers_fail(b, NW_INVALID, name, "another layer has that name");
    return !b->is_failed;
}

nw_node *nw_layers_add(nw_layers *b, nw_op op, const char *name, const char *file_type,
                       const nw_tensor_id *inputs, int n_inputs, nw_made made)
{
    if (b->is_failed || !check_made(b, name, &made))
        return NULL;
    nw_tensor_id out = nw_graph_add_tensor(b->graph, name, NW_DTYPE_FLOAT32, NULL);
    nw_node *node = nw_graph_add_node(b->graph, op, name, file_type, inputs, n_inputs, &out, 1);
    nw_map_put(&b->names, node->name, out); /* the graph's copy of the name lives as long */
    note_made(b, out, made);
    b->at = out;
    return node;
}

bool nw_layers_read(nw_layers *b, const char *name, nw_hwc *out)
{
    if (b->is_failed)
        return false;
    const nw_made *made = &b->made[b->at];
    *out = made->map;
    if (made->rank == 4)
        return true;
    nw_layers_fail(b, NW_INVALID, name, "'%s' is no map of height, width and channels",
                   b->graph->tensors[b->at].name);
    return false;
}

/* ---- activations ---- */

static const struct activation {
    const char *names[3];
    nw_op op;
    nw_act inside; /* NW_ACT_NONE: an operator of its own */
    const char *file_type;
} activations[] = {
    {{"none", "linear", "identity"}, NW_OP_IDENTITY, NW_ACT_NONE, ""},
    {{"relu"}, NW_OP_RELU, NW_ACT_RELU, "RELU"},
    {{"relu6"}, NW_OP_RELU6, NW_ACT_RELU6, "RELU6"},
    {{"hard_swish", "h_swish", "hswish"}, NW_OP_HARD_SWISH, NW_ACT_NONE, "HARD_SWISH"},
    {{"swish", "silu"}, NW_OP_SWISH, NW_ACT_NONE, "SWISH"},
    {{"sigmoid", "logistic"}, NW_OP_SIGMOID, NW_ACT_NONE, "LOGISTIC"},
    {{"hard_sigmoid", "h_sigmoid"}, NW_OP_HARD_SIGMOID, NW_ACT_NONE, "HARD_SIGMOID"},
    {{"tanh"}, NW_OP_TANH, NW_ACT_NONE, "TANH"},
    {{"gelu"}, NW_OP_GELU, NW_ACT_NONE, "GELU"},
};

nw_op nw_layer_act_find(const char *name)
{
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
        for (int k = 0; k < 3 && activations[i].names[k]; k++)
            if (strcmp(activations[i].names[k], name) == 0)
                return activations[i].op;
    return NW_OP_COUNT;
}

static const struct activation *find_activation(nw_op op)
{
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
        if (activations[i].op == op)
            return &activations[i];
    return NULL;
}

nw_op nw_layers_pick_act(const nw_layers *b, nw_op act)
{
    return act == NW_OP_OPAQUE ? b->act : act;
}

static void add_act(nw_layers *b, const char *name, nw_op act)
{
    const struct activation *row = find_activation(act);
    if (b->is_failed || act == NW_OP_IDENTITY)
        return;
    if (!row) {
        nw_layers_fail(b, NW_INVALID, name, "%s is no activation", nw_op_name(act));
        return;
    }
    nw_tensor_id in[1] = {b->at};
    nw_node *node = nw_layers_add(b, act, name, row->file_type, in, 1, b->made[b->at]);
    if (node && act == NW_OP_HARD_SIGMOID) {
        node->attrs.alpha = 1.0f / 6;
        node->attrs.beta = 0.5f;
    }
}

/* Of the operator just added: inside it, or behind it as "NAME/act". */
static void put_act(nw_layers *b, nw_node *node, const char *name, nw_op act)
{
    const struct activation *row = find_activation(act);
    char part[NW_LAYER_NAME_BYTES];
    if (node && row && row->inside != NW_ACT_NONE)
        node->act = row->inside;
    else if (node)
        add_act(b, nw_layers_part(name, "act", part), act);
}

nw_tensor_id nw_layer_act(nw_layers *b, nw_op act, const char *name)
{
    char own[NW_LAYER_NAME_BYTES];
    if (!nw_layers_take_name(b, name, "act", own, sizeof own))
        return NW_NONE;
    if (nw_layers_pick_act(b, act) == NW_OP_IDENTITY)
        return nw_layers_fail(b, NW_INVALID, own, "says no activation");
    add_act(b, own, nw_layers_pick_act(b, act));
    return b->is_failed ? NW_NONE : b->at;
}

/* ---- convolutions ---- */

void nw_layers_conv(nw_layers *b, const char *name, int64_t c, int64_t kernel, int64_t stride,
                    int64_t dilation, int64_t groups, nw_op act)
{
    nw_hwc map;
    bool is_depthwise = c == 0;
    if (!nw_layers_read(b, name, &map))
        return;
    if (!is_depthwise && (map.c % groups || c % groups)) {
        nw_layers_fail(b, NW_INVALID, name, "%lld channels cannot be divided into %lld groups",
                       (long long)(map.c % groups ? map.c : c), (long long)groups);
        return;
    }
    int64_t dense[4] = {c, kernel, kernel, map.c / groups}, deep[4] = {1, kernel, kernel, map.c};
    int64_t bias[1] = {is_depthwise ? map.c : c};
    nw_tensor_id inputs[3] = {b->at};
    inputs[1] = nw_layers_weights(b, name, "weights", is_depthwise ? deep : dense, 4);
    inputs[2] = nw_layers_weights(b, name, "bias", bias, 1);
    nw_made made = {{(map.h + stride - 1) / stride, (map.w + stride - 1) / stride, bias[0]}, 4};
    nw_node *node = nw_layers_add(b, NW_OP_CONV2D, name,
                                  is_depthwise ? "DEPTHWISE_CONV_2D" : "CONV_2D", inputs, 3, made);
    if (!node)
        return;
    node->attrs.stride_h = node->attrs.stride_w = (int32_t)stride;
    node->attrs.dilation_h = node->attrs.dilation_w = (int32_t)dilation;
    node->attrs.pad_mode = NW_PAD_SAME_UPPER;
    node->attrs.weight_layout = is_depthwise ? NW_WEIGHTS_HWIO : NW_WEIGHTS_OHWI;
    node->attrs.groups = is_depthwise ? 0 : (int32_t)groups;
    put_act(b, node, name, act);
}

/* One convolution as the layer says; c 0: depthwise. */
static void add_window(nw_layers *b, const nw_layer *layer, const char *name, int64_t c,
                       int64_t stride)
{
    int64_t kernel = nw_layers_count(b, name, "kernel", layer->kernel, 3, NW_LAYERS_MAX_KERNEL);
    int64_t dilation =
        nw_layers_count(b, name, "dilation", layer->dilation, 1, NW_LAYERS_MAX_KERNEL);
    int64_t groups = nw_layers_count(b, name, "groups", layer->groups, 1, NW_LAYERS_MAX_CHANNELS);
    nw_layers_conv(b, name, c, kernel, stride, dilation, groups, nw_layers_pick_act(b, layer->act));
}

nw_tensor_id nw_layer_conv(nw_layers *b, const nw_layer *layer)
{
    char name[NW_LAYER_NAME_BYTES], part[NW_LAYER_NAME_BYTES];
    if (!nw_layers_take_name(b, layer->name, "conv", name, sizeof name))
        return NW_NONE;
    int64_t c = nw_layers_count(b, name, "c", layer->c, 0, NW_LAYERS_MAX_CHANNELS);
    int64_t n = nw_layers_count(b, name, "n", layer->repeats, 1, NW_LAYERS_MAX_REPEATS);
    int64_t stride = nw_layers_count(b, name, "stride", layer->stride, 1, NW_LAYERS_MAX_STRIDE);
    for (int64_t i = 0; i < n && !b->is_failed; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", (int)i);
        add_window(b, layer, i ? nw_layers_part(name, number, part) : name, c, i ? 1 : stride);
    }
    return b->is_failed ? NW_NONE : b->at;
}

nw_tensor_id nw_layer_depthwise(nw_layers *b, const nw_layer *layer)
{
    char name[NW_LAYER_NAME_BYTES];
    if (!nw_layers_take_name(b, layer->name, "depthwise", name, sizeof name))
        return NW_NONE;
    int64_t stride = nw_layers_count(b, name, "stride", layer->stride, 1, NW_LAYERS_MAX_STRIDE);
    add_window(b, layer, name, 0, stride);
    return b->is_failed ? NW_NONE : b->at;
}

/* ---- pooling, resizing ---- */

nw_tensor_id nw_layer_pool(nw_layers *b, nw_op op, const nw_layer *layer)
{
    char name[NW_LAYER_NAME_BYTES];
    nw_hwc map;
    if (!nw_layers_take_name(b, layer->name, "pool", name, sizeof name) ||
        !nw_layers_read(b, name, &map))
        return NW_NONE;
    int64_t kernel = nw_layers_count(b, name, "kernel", layer->kernel, 2, NW_LAYERS_MAX_KERNEL);
    int64_t stride =
        nw_layers_count(b, name, "stride", layer->stride, kernel, NW_LAYERS_MAX_KERNEL);
    nw_tensor_id in[1] = {b->at};
    nw_made made = {{(map.h + stride - 1) / stride, (map.w + stride - 1) / stride, map.c}, 4};
    nw_node *node = nw_layers_add(
        b, op, name, op == NW_OP_MAX_POOL ? "MAX_POOL_2D" : "AVERAGE_POOL_2D", in, 1, made);
    if (!node)
        return NW_NONE;
    node->attrs.kernel_h = node->attrs.kernel_w = (int32_t)kernel;
    node->attrs.stride_h = node->attrs.stride_w = (int32_t)stride;
    node->attrs.pad_mode = NW_PAD_SAME_UPPER;
    return b->at;
}

nw_tensor_id nw_layer_global_pool(nw_layers *b, const char *name)
{
    char own[NW_LAYER_NAME_BYTES];
    nw_hwc map;
    if (!nw_layers_take_name(b, name, "pool", own, sizeof own) || !nw_layers_read(b, own, &map))
        return NW_NONE;
    nw_tensor_id in[1] = {b->at};
    nw_node *node =
        nw_layers_add(b, NW_OP_GLOBAL_POOL, own, "MEAN", in, 1, (nw_made){{1, 1, map.c}, 4});
    if (!node)
        return NW_NONE;
    node->attrs.reduce = NW_REDUCE_MEAN;
    return b->at;
}

nw_tensor_id nw_layer_resize(nw_layers *b, int64_t h, int64_t w, nw_resize_mode mode,
                             const char *name)
{
    char own[NW_LAYER_NAME_BYTES], part[NW_LAYER_NAME_BYTES];
    nw_hwc map;
    if (!nw_layers_take_name(b, name, "resize", own, sizeof own) || !nw_layers_read(b, own, &map))
        return NW_NONE;
    int64_t size[2] = {nw_layers_count(b, own, "height", h, 0, NW_LAYERS_MAX_SIDE),
                       nw_layers_count(b, own, "width", w, 0, NW_LAYERS_MAX_SIDE)};
    if (b->is_failed)
        return NW_NONE;
    nw_tensor_id in[2] = {b->at,
                          nw_graph_add_ints(b->graph, nw_layers_part(own, "size", part), size, 2)};
    bool is_linear = mode == NW_RESIZE_LINEAR;
    nw_node *node = nw_layers_add(b, NW_OP_RESIZE, own,
                                  is_linear ? "RESIZE_BILINEAR" : "RESIZE_NEAREST_NEIGHBOR", in, 2,
                                  (nw_made){{size[0], size[1], map.c}, 4});
    if (!node)
        return NW_NONE;
    node->attrs.resize_form = NW_RESIZE_SIZE_HW;
    node->attrs.resize_mode = mode;
    node->attrs.half_pixel = true;
    node->attrs.rounding = NW_ROUND_HALF_UP;
    return b->at;
}

/* ---- several maps ---- */

static bool is_pixel(nw_hwc map)
{
    return map.h == 1 && map.w == 1;
}

nw_tensor_id nw_layer_join(nw_layers *b, nw_op op, nw_tensor_id first, nw_tensor_id second,
                           nw_op act, const char *name)
{
    char own[NW_LAYER_NAME_BYTES];
    bool is_add = op == NW_OP_ADD;
    nw_hwc x, y;
    if (!nw_layers_take_name(b, name, is_add ? "add" : "mul", own, sizeof own))
        return NW_NONE;
    b->at = first;
    bool is_map = nw_layers_read(b, own, &x);
    b->at = second;
    if (!is_map || !nw_layers_read(b, own, &y))
        return NW_NONE;
    bool is_equal = x.h == y.h && x.w == y.w;
    if (x.c != y.c || (!is_equal && !is_pixel(x) && !is_pixel(y)))
        return nw_layers_fail(b, NW_INVALID, own,
                              "%lld x %lld x %lld and %lld x %lld x %lld do not fit together",
                              (long long)x.h, (long long)x.w, (long long)x.c, (long long)y.h,
                              (long long)y.w, (long long)y.c);
    nw_tensor_id in[2] = {first, second};
    nw_node *node =
        nw_layers_add(b, op, own, is_add ? "ADD" : "MUL", in, 2, (nw_made){is_pixel(x) ? y : x, 4});
    put_act(b, node, own, act == NW_OP_OPAQUE ? NW_OP_IDENTITY : act);
    return b->is_failed ? NW_NONE : b->at;
}

nw_tensor_id nw_layer_concat(nw_layers *b, const nw_tensor_id *maps, int n, const char *name)
{
    char own[NW_LAYER_NAME_BYTES];
    nw_hwc sum = {0, 0, 0}, map;
    if (!nw_layers_take_name(b, name, "concat", own, sizeof own))
        return NW_NONE;
    if (n < 1 || n > NW_LAYERS_MAX_MAPS)
        return nw_layers_fail(b, NW_INVALID, own, "wanted 1 to %d maps", NW_LAYERS_MAX_MAPS);
    for (int i = 0; i < n; i++) {
        b->at = maps[i];
        if (!nw_layers_read(b, own, &map))
            return NW_NONE;
        if (i && (map.h != sum.h || map.w != sum.w))
            return nw_layers_fail(
                b, NW_INVALID, own, "map %d is %lld x %lld, the first one %lld x %lld", i + 1,
                (long long)map.h, (long long)map.w, (long long)sum.h, (long long)sum.w);
        sum = (nw_hwc){map.h, map.w, sum.c + map.c};
    }
    nw_node *node =
        nw_layers_add(b, NW_OP_CONCAT, own, "CONCATENATION", maps, n, (nw_made){sum, 4});
    if (!node)
        return NW_NONE;
    node->attrs.axis = 3;
    return b->at;
}

/* ---- values ---- */

nw_tensor_id nw_layer_fc(nw_layers *b, const nw_layer *layer)
{
    char name[NW_LAYER_NAME_BYTES];
    if (!nw_layers_take_name(b, layer->name, "fc", name, sizeof name))
        return NW_NONE;
    nw_hwc map = b->made[b->at].map;
    int64_t c = nw_layers_count(b, name, "c", layer->c, 0, NW_LAYERS_MAX_CHANNELS);
    int64_t dims[2] = {c, map.h * map.w * map.c};
    if (b->made[b->at].rank == 3)
        return nw_layers_fail(b, NW_INVALID, name, "'%s' is rows of predictions, no map",
                              b->graph->tensors[b->at].name);
    nw_tensor_id in[3] = {b->at};
    in[1] = nw_layers_weights(b, name, "weights", dims, 2);
    in[2] = nw_layers_weights(b, name, "bias", dims, 1);
    nw_node *node = nw_layers_add(b, NW_OP_FULLY_CONNECTED, name, "FULLY_CONNECTED", in, 3,
                                  (nw_made){{1, 1, c}, 2});
    if (!node)
        return NW_NONE;
    node->attrs.keep_dims = false;
    put_act(b, node, name, layer->act == NW_OP_OPAQUE ? NW_OP_IDENTITY : layer->act);
    return b->is_failed ? NW_NONE : b->at;
}

nw_tensor_id nw_layer_softmax(nw_layers *b, const char *name)
{
    char own[NW_LAYER_NAME_BYTES];
    if (!nw_layers_take_name(b, name, "softmax", own, sizeof own))
        return NW_NONE;
    nw_tensor_id in[1] = {b->at};
    nw_node *node = nw_layers_add(b, NW_OP_SOFTMAX, own, "SOFTMAX", in, 1, b->made[b->at]);
    if (!node)
        return NW_NONE;
    node->attrs.axis = -1;
    return b->at;
}

/* ---- life ---- */

nw_layers *nw_layers_new(const char *name, int64_t h, int64_t w, int64_t c, nw_op act)
{
    nw_layers *b = nw_zalloc(sizeof *b);
    b->graph = nw_graph_new(name, NW_LAYOUT_NHWC);
    b->graph->format = "built in";
    b->act = act == NW_OP_OPAQUE ? NW_OP_RELU6 : act;
    h = nw_layers_count(b, "image", "height", h, 0, NW_LAYERS_MAX_SIDE);
    w = nw_layers_count(b, "image", "width", w, 0, NW_LAYERS_MAX_SIDE);
    c = nw_layers_count(b, "image", "channels", c, 0, NW_LAYERS_MAX_CHANNELS);
    nw_shape shape = {.rank = 4, .dims = {1, h, w, c}};
    b->input = b->at = nw_graph_add_tensor(b->graph, "image", NW_DTYPE_FLOAT32, &shape);
    nw_graph_add_input(b->graph, b->input);
    note_made(b, b->input, (nw_made){{h, w, c}, 4});
    nw_map_put(&b->names, "image", b->input);
    return b;
}

/* All but the graph. */
static void fini(nw_layers *b)
{
    nw_map_fini(&b->names);
    nw_map_fini(&b->counts);
    free(b->made);
    free(b);
}

void nw_layers_free(nw_layers *b)
{
    if (!b)
        return;
    nw_graph_free(b->graph);
    fini(b);
}

nw_status nw_layers_end(nw_layers *b, nw_graph **out, nw_error *err)
{
    if (!b->n_outputs)
        nw_layers_add_output(b, b->at);
    if (b->is_failed) {
        nw_status status = b->error.status;
        if (err)
            *err = b->error;
        nw_layers_free(b);
        return status;
    }
    *out = b->graph;
    fini(b);
    return NW_OK;
}

void nw_layers_add_output(nw_layers *b, nw_tensor_id tensor)
{
    if (b->is_failed)
        return;
    if (tensor == b->input) {
        nw_layers_fail(b, NW_INVALID, "image", "the network's input is no output of it");
        return;
    }
    for (int i = 0; i < b->graph->n_outputs; i++)
        if (b->graph->outputs[i] == tensor) {
            nw_layers_fail(b, NW_INVALID, b->graph->tensors[tensor].name, "is an output twice");
            return;
        }
    nw_graph_add_output(b->graph, tensor);
    b->n_outputs++;
}

nw_tensor_id nw_layers_input(const nw_layers *b)
{
    return b->input;
}

nw_tensor_id nw_layers_at(const nw_layers *b)
{
    return b->at;
}

void nw_layers_go(nw_layers *b, nw_tensor_id map)
{
    if (!b->is_failed)
        b->at = map;
}

int nw_layers_n_nodes(const nw_layers *b)
{
    return b->graph->n_nodes;
}

nw_hwc nw_layers_map(const nw_layers *b, nw_tensor_id tensor)
{
    return b->made[tensor].map;
}

const char *nw_layers_name(const nw_layers *b, nw_tensor_id tensor)
{
    return b->graph->tensors[tensor].name;
}
