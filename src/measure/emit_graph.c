/* From a row of a table to a network of that kernel alone. */
#include <stdio.h>
#include <string.h>

#include "src/measure/emit.h"

/* ---- which operators ---- */

typedef struct function {
    const char *name;
    nw_op op;
    float alpha, beta;
} function;

static const function functions[] = {
    {"relu", NW_OP_RELU, 0, 0},
    {"relu6", NW_OP_RELU6, 0, 0},
    {"relu_n1_to_1", NW_OP_CLIP, -1, 1},
    {"sigmoid", NW_OP_SIGMOID, 0, 0},
    {"hard_sigmoid", NW_OP_HARD_SIGMOID, 1.0f / 6, 0.5f},
    {"swish", NW_OP_SWISH, 0, 0},
    {"hard_swish", NW_OP_HARD_SWISH, 0, 0},
    {"tanh", NW_OP_TANH, 0, 0},
    {"gelu", NW_OP_GELU, 0, 0},
    {"elu", NW_OP_UNARY, 1, 0},
    {"leaky_relu", NW_OP_LEAKY_RELU, 0.1f, 0},
    {"prelu", NW_OP_PRELU, 0, 0},
};

static const struct {
    const char *alias, *name;
} aliases[] = {{"act", "relu"},    {"1", "relu"},     {"clip", "relu6"},
               {"clamp", "relu6"}, {"silu", "swish"}, {"lut", "sigmoid"}};

static const function *find_function(const char *name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(aliases[i].alias, name) == 0)
            name = aliases[i].name;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

/* The function: what the column says, else what stands in the run, else one of its class. */
static const char *choose_act(const nw_shapes_reader *reader, const nw_shapes_row *row,
                              const char *joined)
{
    const function *f = find_function(nw_shapes_text(reader, NW_COL_ACT));
    if (!f && joined)
        f = find_function(joined);
    if (row->act == NW_KERNEL_ACT_NONE)
        return "none";
    if (!f)
        f = find_function(row->act == NW_KERNEL_ACT_CLAMP ? "relu" : "lut");
    return f->name;
}

static bool has_step(const nw_emit_kernel *kernel, nw_emit_step step)
{
    for (int i = 0; i < kernel->n_steps; i++)
        if (kernel->steps[i] == step)
            return true;
    return false;
}

static void add_step(nw_emit_kernel *kernel, int at, nw_emit_step step)
{
    for (int i = kernel->n_steps++; i > at; i--)
        kernel->steps[i] = kernel->steps[i - 1];
    kernel->steps[at] = step;
}

/* The run as it is written; what only columns say stands behind, an activation before a sum. */
static void order_steps(const nw_shapes_row *row, const char *text, const char **joined,
                        nw_emit_kernel *out)
{
    const nw_kernel_shape *s = &row->shape;
    static const char *const seconds[] = {"conv", "pool"};
    out->n_steps = 0;
    add_step(out, 0, NW_EMIT_MAIN);
    *joined = NULL;
    for (const char *word = strchr(text, '+'); word; word = strchr(word, '+')) {
        word++;
        bool is_second = false;
        for (int i = 0; i < 2; i++)
            is_second |= strncmp(word, seconds[i], 4) == 0 && (!word[4] || word[4] == '+');
        bool is_add = strncmp(word, "add", 3) == 0 && (!word[3] || word[3] == '+');
        if (!is_second && !is_add)
            *joined = word;
        if (out->n_steps < NW_EMIT_STEPS)
            add_step(out, out->n_steps,
                     is_second ? NW_EMIT_SECOND
                     : is_add  ? NW_EMIT_ADD
                               : NW_EMIT_ACT);
    }
    bool is_act = s->parts[0].kind == NW_KERNEL_ACT;
    int before_add = out->n_steps - (out->steps[out->n_steps - 1] == NW_EMIT_ADD ? 1 : 0);
    if (row->act != NW_KERNEL_ACT_NONE && !is_act && !has_step(out, NW_EMIT_ACT))
        add_step(out, before_add, NW_EMIT_ACT);
    if (s->residual && !has_step(out, NW_EMIT_ADD))
        add_step(out, out->n_steps, NW_EMIT_ADD);
}

static bool is_running_sum(const nw_kernel_part *p)
{
    return p->kind == NW_KERNEL_REDUCE && p->in_h == p->out_h && p->in_w == p->out_w &&
           p->in_c == p->out_c;
}

nw_status nw_emit_read(nw_shapes_reader *reader, const nw_shapes_row *row, nw_emit_kernel *out)
{
    char bits[24], word[32] = "";
    const char *joined;
    const nw_kernel_shape *s = &row->shape;
    snprintf(bits, sizeof bits, "%d", (int)s->bits);
    if (s->bits != 8 && s->bits != 16 && s->bits != 32)
        return nw_shapes_fail(reader, NW_UNSUPPORTED,
                              "bits is %s; models are made of 8 (int8), 16 or 32 (float)", bits);
    if (s->parts[0].kind == NW_KERNEL_HOST)
        return nw_shapes_fail(reader, NW_UNSUPPORTED,
                              "a %s kernel is a run of any operators; leave the row out", "host");
    out->shape = *s;
    if (s->parts[0].kind == NW_KERNEL_QUANTIZE && (s->residual || row->act != NW_KERNEL_ACT_NONE))
        return nw_shapes_fail(reader, NW_UNSUPPORTED, "nothing is joined to %s", "quantize");
    if (is_running_sum(&s->parts[0]) && s->bits == 16)
        return nw_shapes_fail(reader, NW_UNSUPPORTED,
                              "a %s that keeps its size is a running sum, which float16 lacks",
                              "reduce");
    order_steps(row, nw_shapes_text(reader, NW_COL_KERNEL), &joined, out);
    if (joined)
        snprintf(word, sizeof word, "%.*s", (int)(strcspn(joined, "+") & 31), joined);
    out->act = choose_act(reader, row, joined ? word : NULL);
    return NW_OK;
}

const char *nw_emit_name(const nw_emit_kernel *kernel, char *dst, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < kernel->n_steps && used < size; i++) {
        nw_emit_step step = kernel->steps[i];
        const char *word = step == NW_EMIT_ACT ? "act"
                           : step == NW_EMIT_ADD
                               ? "add"
                               : nw_kernel_kind_name(kernel->shape.parts[step].kind);
        used += (size_t)snprintf(dst + used, size - used, "%s%s", i ? "+" : "", word);
    }
    return dst;
}

/* ---- tensors and nodes ---- */

typedef struct builder {
    nw_graph *graph;
    nw_tensor_id at; /* the last operator's output */
    nw_dtype dtype;
    bool has_second; /* input y is there */
    int n_names;
} builder;

static nw_shape map_shape(int64_t c, int64_t h, int64_t w)
{
    return (nw_shape){.rank = 4, .dims = {1, c, h, w}};
}

static void add_input(builder *b, const char *name, const nw_shape *shape)
{
    b->at = nw_graph_add_tensor(b->graph, name, b->dtype, shape);
    nw_graph_add_input(b->graph, b->at);
}

static nw_tensor_id add_second_input(builder *b, const nw_shape *shape)
{
    nw_tensor_id id = nw_graph_add_tensor(b->graph, b->has_second ? "z" : "y", b->dtype, shape);
    nw_graph_add_input(b->graph, id);
    b->has_second = true;
    return id;
}

/* A constant without values: the writer makes them up. */
static nw_tensor_id add_constant(builder *b, const char *name, int rank, const int64_t *dims)
{
    char full[48];
    nw_shape shape = {.rank = rank};
    memcpy(shape.dims, dims, (size_t)rank * sizeof *dims);
    snprintf(full, sizeof full, "%s%s", name, b->n_names ? "_2" : "");
    nw_tensor_id id = nw_graph_add_tensor(b->graph, full, b->dtype, &shape);
    nw_graph_set_data(b->graph, id, NULL, 0, -1);
    return id;
}

static nw_node *add_node(builder *b, nw_op op, const char *type, const nw_tensor_id *inputs, int n)
{
    char name[48];
    snprintf(name, sizeof name, "%s%s", type, b->n_names ? "_2" : "");
    nw_tensor_id out = nw_graph_add_tensor(b->graph, name, NW_DTYPE_UNKNOWN, NULL);
    nw_node *node = nw_graph_add_node(b->graph, op, name, type, inputs, n, &out, 1);
    b->at = out;
    return node;
}

static nw_node *add_one(builder *b, nw_op op, const char *type)
{
    nw_tensor_id in[1] = {b->at};
    return add_node(b, op, type, in, 1);
}

static void set_ints(builder *b, nw_node *node, const int64_t *values, int n)
{
    int64_t *copy = nw_graph_alloc(b->graph, (size_t)n * sizeof *copy);
    memcpy(copy, values, (size_t)n * sizeof *copy);
    node->attrs.ints = copy;
    node->attrs.n_ints = n;
    node->attrs.has_ints = true;
}

static void set_floats(builder *b, nw_node *node, const float *values, int n)
{
    float *copy = nw_graph_alloc(b->graph, (size_t)n * sizeof *copy);
    memcpy(copy, values, (size_t)n * sizeof *copy);
    node->attrs.floats = copy;
    node->attrs.n_floats = n;
}

/* ---- windows ---- */

static int32_t clamp_pad(int64_t pad)
{
    return pad < 0 ? 0 : pad > INT32_MAX ? INT32_MAX : (int32_t)pad;
}

/* Padding that makes the output's size, the odd element behind. */
static void set_window(nw_node *node, const nw_kernel_part *p)
{
    nw_attrs *a = &node->attrs;
    int64_t h =
        (p->out_h - 1) * p->stride_h + (int64_t)(p->kernel_h - 1) * p->dilation_h + 1 - p->in_h;
    int64_t w =
        (p->out_w - 1) * p->stride_w + (int64_t)(p->kernel_w - 1) * p->dilation_w + 1 - p->in_w;
    a->kernel_h = p->kernel_h;
    a->kernel_w = p->kernel_w;
    a->stride_h = p->stride_h;
    a->stride_w = p->stride_w;
    a->dilation_h = p->dilation_h;
    a->dilation_w = p->dilation_w;
    a->pad_top = clamp_pad(h / 2);
    a->pad_bottom = clamp_pad(h - h / 2);
    a->pad_left = clamp_pad(w / 2);
    a->pad_right = clamp_pad(w - w / 2);
}

static void add_conv(builder *b, const nw_kernel_part *p)
{
    const int64_t groups = p->kind == NW_KERNEL_DWCONV ? p->in_c : p->groups;
    const int64_t dims[4] = {p->out_c, p->in_c / groups, p->kernel_h, p->kernel_w};
    nw_tensor_id in[3] = {b->at, add_constant(b, "weights", 4, dims),
                          add_constant(b, "bias", 1, &p->out_c)};
    nw_node *node = add_node(b, NW_OP_CONV2D, "Conv", in, 3);
    set_window(node, p);
    node->attrs.groups = (int32_t)groups;
}

static void add_conv_transpose(builder *b, const nw_kernel_part *p)
{
    const int64_t dims[4] = {p->in_c, p->out_c / p->groups, p->kernel_h, p->kernel_w};
    const int64_t size[2] = {p->out_h, p->out_w};
    nw_tensor_id in[3] = {b->at, add_constant(b, "weights", 4, dims),
                          add_constant(b, "bias", 1, &p->out_c)};
    nw_node *node = add_node(b, NW_OP_CONV_TRANSPOSE, "ConvTranspose", in, 3);
    set_window(node, p);
    node->attrs.pad_mode = NW_PAD_SAME_UPPER; /* shares out what the size asks for */
    node->attrs.weight_layout = NW_WEIGHTS_IOHW;
    node->attrs.groups = p->groups;
    set_ints(b, node, size, 2);
}

static void add_fc(builder *b, const nw_kernel_part *p)
{
    const int64_t dims[2] = {p->out_c, p->in_c};
    nw_tensor_id in[3] = {b->at, add_constant(b, "weights", 2, dims),
                          add_constant(b, "bias", 1, &p->out_c)};
    add_node(b, NW_OP_FULLY_CONNECTED, "Gemm", in, 3)->attrs.keep_dims = false;
}

static void add_pool(builder *b, const nw_kernel_part *p)
{
    bool is_global = p->out_h == 1 && p->out_w == 1 && p->kernel_h == p->in_h &&
                     p->kernel_w == p->in_w && p->dilation_h == 1 && p->dilation_w == 1;
    if (is_global)
        add_one(b, NW_OP_GLOBAL_POOL, "GlobalAveragePool")->attrs.reduce = NW_REDUCE_MEAN;
    else
        set_window(add_one(b, NW_OP_MAX_POOL, "MaxPool"), p);
}

/* ---- maps ---- */

static void add_two(builder *b, nw_op op, const char *type, const nw_shape *second)
{
    nw_tensor_id in[2] = {b->at, add_second_input(b, second)};
    add_node(b, op, type, in, 2);
}

static void add_activation(builder *b, const char *name, int64_t channels)
{
    const function *f = find_function(name);
    const int64_t slopes[3] = {channels, 1, 1};
    nw_tensor_id in[2] = {b->at, NW_NONE};
    if (f->op == NW_OP_PRELU)
        in[1] = add_constant(b, "slopes", 3, slopes);
    nw_node *node = add_node(b, f->op, name, in, f->op == NW_OP_PRELU ? 2 : 1);
    node->attrs.alpha = f->alpha;
    node->attrs.beta = f->beta;
    if (f->op == NW_OP_UNARY)
        node->attrs.unary = NW_UNARY_ELU;
}

static void add_elementwise(builder *b, const nw_kernel_part *p)
{
    const int64_t dims[4] = {1, p->in_c, 1, 1};
    nw_tensor_id in[2] = {b->at, add_constant(b, "least", 4, dims)};
    add_node(b, NW_OP_MAX, "Max", in, 2);
}

static void add_norm(builder *b, const nw_kernel_part *p)
{
    static const char *const names[] = {"scale", "shift", "mean", "variance"};
    nw_tensor_id in[5] = {b->at};
    for (int i = 0; i < 4; i++)
        in[i + 1] = add_constant(b, names[i], 1, &p->in_c);
    add_node(b, NW_OP_BATCH_NORM, "BatchNormalization", in, 5);
}

static nw_tensor_id add_scalar(builder *b, const char *name, nw_dtype dtype, const void *bytes,
                               size_t n_bytes)
{
    nw_shape scalar = {.rank = 0};
    nw_tensor_id id = nw_graph_add_tensor(b->graph, name, dtype, &scalar);
    void *copy = nw_graph_alloc(b->graph, n_bytes);
    memcpy(copy, bytes, n_bytes);
    nw_graph_set_data(b->graph, id, copy, n_bytes, -1);
    return id;
}

static void add_quantize(builder *b, int bits)
{
    const float scale = 8.0f / 255;
    const int8_t zero = 0;
    nw_dtype to = bits == 8 ? NW_DTYPE_INT8 : bits == 16 ? NW_DTYPE_FLOAT16 : NW_DTYPE_FLOAT32;
    if (bits == 8) {
        nw_tensor_id in[3] = {b->at, add_scalar(b, "scale", NW_DTYPE_FLOAT32, &scale, sizeof scale),
                              add_scalar(b, "zero_point", NW_DTYPE_INT8, &zero, sizeof zero)};
        add_node(b, NW_OP_QUANTIZE, "QuantizeLinear", in, 3);
    } else {
        add_one(b, NW_OP_CAST, "Cast");
    }
    b->graph->tensors[b->at].dtype = to;
}

static void add_reduce(builder *b, const nw_kernel_part *p)
{
    const int64_t in[3] = {p->in_c, p->in_h, p->in_w}, out[3] = {p->out_c, p->out_h, p->out_w};
    int64_t axes[3], axis = 1;
    int n = 0;
    for (int i = 0; i < 3; i++)
        if (in[i] != out[i])
            axes[n++] = i + 1;
    if (is_running_sum(p)) {
        nw_tensor_id inputs[2] = {b->at, add_scalar(b, "axis", NW_DTYPE_INT64, &axis, 8)};
        add_node(b, NW_OP_CUM_SUM, "CumSum", inputs, 2);
        return;
    }
    nw_node *node = add_one(b, NW_OP_REDUCE, "ReduceMean");
    node->attrs.reduce = NW_REDUCE_MEAN;
    set_ints(b, node, axes, n);
}

static void add_resize(builder *b, const nw_kernel_part *p)
{
    bool is_whole = p->out_h % p->in_h == 0 && p->out_w % p->in_w == 0;
    const float scales[4] = {1, 1, (float)p->out_h / (float)p->in_h,
                             (float)p->out_w / (float)p->in_w};
    const int64_t sizes[4] = {1, p->in_c, p->out_h, p->out_w};
    nw_node *node = add_one(b, NW_OP_RESIZE, "Resize");
    node->attrs.resize_form = is_whole ? NW_RESIZE_SCALES : NW_RESIZE_SIZES;
    node->attrs.resize_mode = is_whole ? NW_RESIZE_NEAREST : NW_RESIZE_LINEAR;
    node->attrs.half_pixel = !is_whole;
    node->attrs.rounding = NW_ROUND_FLOOR;
    if (is_whole)
        set_floats(b, node, scales, 4);
    else
        set_ints(b, node, sizes, 4);
}

/* ---- copies ---- */

static void add_slice(builder *b, const nw_kernel_part *p)
{
    const int64_t values[9] = {0, 0, 0, p->out_c, p->out_h, p->out_w, 1, 2, 3};
    nw_node *node = add_one(b, NW_OP_SLICE, "Slice");
    node->attrs.n_axes = 3;
    set_ints(b, node, values, 9);
}

/* The same size: two maps are joined along the first axis that can be parted. The first of them is
 * input x, made smaller. */
static void add_join(builder *b, const nw_kernel_part *p)
{
    nw_shape first = map_shape(p->in_c, p->in_h, p->in_w), second = first;
    int axis = 1;
    while (axis < 3 && first.dims[axis] < 2)
        axis++;
    if (axis == 3 && first.dims[axis] < 2) {
        add_slice(b, p);
        return;
    }
    second.dims[axis] = first.dims[axis] / 2;
    first.dims[axis] -= second.dims[axis];
    b->graph->tensors[b->at].shape = b->graph->tensors[b->at].stored_shape = first;
    nw_tensor_id in[2] = {b->at, add_second_input(b, &second)};
    add_node(b, NW_OP_CONCAT, "Concat", in, 2)->attrs.axis = axis;
}

static void add_padding(builder *b, const nw_kernel_part *p)
{
    const int64_t h = p->out_h - p->in_h, w = p->out_w - p->in_w;
    const int64_t pads[8] = {0, 0, h / 2, w / 2, 0, p->out_c - p->in_c, h - h / 2, w - w / 2};
    set_ints(b, add_one(b, NW_OP_PAD, "Pad"), pads, 8);
}

/* The first order of the axes that makes the output's sizes; where none does, sealing says so. */
static void add_transpose(builder *b, const nw_kernel_part *p)
{
    static const int orders[5][3] = {{1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {1, 0, 2}, {2, 1, 0}};
    const int64_t in[3] = {p->in_c, p->in_h, p->in_w}, out[3] = {p->out_c, p->out_h, p->out_w};
    const int *order = orders[0];
    for (int i = 4; i >= 0; i--)
        if (in[orders[i][0]] == out[0] && in[orders[i][1]] == out[1] && in[orders[i][2]] == out[2])
            order = orders[i];
    const int64_t perm[4] = {0, 1 + order[0], 1 + order[1], 1 + order[2]};
    set_ints(b, add_one(b, NW_OP_TRANSPOSE, "Transpose"), perm, 4);
}

static void add_copy(builder *b, const nw_kernel_part *p)
{
    bool is_smaller = p->out_h <= p->in_h && p->out_w <= p->in_w && p->out_c <= p->in_c;
    bool is_larger = p->out_h >= p->in_h && p->out_w >= p->in_w && p->out_c >= p->in_c;
    if (is_smaller && is_larger)
        add_join(b, p);
    else if (is_smaller)
        add_slice(b, p);
    else if (is_larger)
        add_padding(b, p);
    else
        add_transpose(b, p);
}

static void add_view(builder *b, const nw_kernel_part *p)
{
    const int64_t dims[4] = {1, p->out_c, p->out_h, p->out_w};
    set_ints(b, add_one(b, NW_OP_RESHAPE, "Reshape"), dims, 4);
}

/* ---- the kernel ---- */

static nw_shape input_shape(const nw_kernel_part *p)
{
    if (p->kind == NW_KERNEL_FC)
        return (nw_shape){.rank = 2, .dims = {p->in_w, p->in_c}};
    if (p->kind == NW_KERNEL_MATMUL)
        return (nw_shape){.rank = 3, .dims = {p->in_h, p->in_w, p->in_c}};
    return map_shape(p->in_c, p->in_h, p->in_w);
}

static nw_shape output_shape(const nw_kernel_part *p)
{
    if (p->kind == NW_KERNEL_FC)
        return (nw_shape){.rank = 2, .dims = {p->out_w, p->out_c}};
    if (p->kind == NW_KERNEL_MATMUL)
        return (nw_shape){.rank = 3, .dims = {p->out_h, p->out_w, p->out_c}};
    return map_shape(p->out_c, p->out_h, p->out_w);
}

static void add_part(builder *b, const nw_emit_kernel *kernel, const nw_kernel_part *p)
{
    nw_shape in = input_shape(p), second;
    switch (p->kind) {
    case NW_KERNEL_CONV:
    case NW_KERNEL_DWCONV:
        add_conv(b, p);
        return;
    case NW_KERNEL_CONV_TRANSPOSE:
        add_conv_transpose(b, p);
        return;
    case NW_KERNEL_FC:
        add_fc(b, p);
        return;
    case NW_KERNEL_MATMUL:
        second = (nw_shape){.rank = 3, .dims = {p->in_h, p->in_c, p->out_c}};
        add_two(b, NW_OP_MATMUL, "MatMul", &second);
        return;
    case NW_KERNEL_POOL:
        add_pool(b, p);
        return;
    case NW_KERNEL_ADD:
    case NW_KERNEL_MUL:
        add_two(b, p->kind == NW_KERNEL_ADD ? NW_OP_ADD : NW_OP_MUL,
                p->kind == NW_KERNEL_ADD ? "Add" : "Mul", &in);
        return;
    case NW_KERNEL_ELEMENTWISE:
        add_elementwise(b, p);
        return;
    case NW_KERNEL_ACT:
        add_activation(b, kernel->act, p->in_c);
        return;
    case NW_KERNEL_QUANTIZE:
        add_quantize(b, kernel->shape.bits);
        return;
    case NW_KERNEL_SOFTMAX:
        add_one(b, NW_OP_SOFTMAX, "Softmax")->attrs.axis = 1;
        return;
    case NW_KERNEL_NORM:
        add_norm(b, p);
        return;
    case NW_KERNEL_REDUCE:
        add_reduce(b, p);
        return;
    case NW_KERNEL_RESIZE:
        add_resize(b, p);
        return;
    case NW_KERNEL_COPY:
        add_copy(b, p);
        return;
    default:
        add_view(b, p);
    }
}

static void add_steps(builder *b, const nw_emit_kernel *kernel)
{
    const nw_kernel_part *parts = kernel->shape.parts, *last = parts;
    for (int i = 0; i < kernel->n_steps; i++) {
        nw_emit_step step = kernel->steps[i];
        nw_shape shape = output_shape(last);
        if (step == NW_EMIT_ACT) {
            add_activation(b, kernel->act, last->out_c);
        } else if (step == NW_EMIT_ADD) {
            add_two(b, NW_OP_ADD, "Add", &shape);
        } else {
            b->n_names = step == NW_EMIT_SECOND;
            last = &parts[step];
            add_part(b, kernel, last);
        }
    }
}

/* A transposed convolution makes less than a stride more than its windows cover. */
static bool is_reached(const nw_kernel_part *p)
{
    int64_t h = (p->in_h - 1) * p->stride_h + (int64_t)(p->kernel_h - 1) * p->dilation_h + 1;
    int64_t w = (p->in_w - 1) * p->stride_w + (int64_t)(p->kernel_w - 1) * p->dilation_w + 1;
    return p->kind != NW_KERNEL_CONV_TRANSPOSE ||
           (p->out_h - h < p->stride_h && p->out_w - w < p->stride_w);
}

static nw_status check_output(const nw_emit_kernel *kernel, const nw_graph *graph, nw_error *err)
{
    const nw_kernel_part *last = &kernel->shape.parts[kernel->shape.n_parts - 1];
    nw_shape wanted = output_shape(last);
    if (!is_reached(last))
        return nw_fail(err, NW_UNSUPPORTED, "", "%s of this input does not reach %lldx%lld",
                       nw_kernel_kind_name(last->kind), (long long)last->out_h,
                       (long long)last->out_w);
    if (nw_shape_equal(&wanted, &graph->tensors[graph->outputs[0]].shape))
        return NW_OK;
    nw_hwc size = nw_tensor_hwc(graph, graph->outputs[0]);
    return nw_fail(
        err, NW_UNSUPPORTED, "", "%s of this input gives %lldx%lldx%lld, not %lldx%lldx%lld",
        nw_kernel_kind_name(last->kind), (long long)size.h, (long long)size.w, (long long)size.c,
        (long long)last->out_h, (long long)last->out_w, (long long)last->out_c);
}

nw_status nw_emit_build(const nw_emit_kernel *kernel, const char *name, nw_graph **out,
                        nw_error *err)
{
    const nw_kernel_shape *s = &kernel->shape;
    builder b = {.graph = nw_graph_new(name, NW_LAYOUT_NCHW)};
    nw_shape in = input_shape(&s->parts[0]);
    bool is_cast = s->parts[0].kind == NW_KERNEL_QUANTIZE; /* from the other kind of float */
    b.dtype = (s->bits == 16) != is_cast && s->bits != 8 ? NW_DTYPE_FLOAT16 : NW_DTYPE_FLOAT32;
    b.graph->format = "made";
    add_input(&b, "x", &in);
    add_steps(&b, kernel);
    nw_graph_add_output(b.graph, b.at);
    nw_status status = nw_graph_seal(b.graph, NULL, 0, err);
    if (status == NW_OK)
        status = check_output(kernel, b.graph, err);
    if (status == NW_OK)
        *out = b.graph;
    else
        nw_graph_free(b.graph);
    return status;
}
