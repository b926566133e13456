#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/format/format.h"
#include "src/format/timm.h"

#define MAX_MID ((int64_t)1 << 20) /* expanded channels */

static const nw_timm_kernels pointwise = {1, {1}};

void nw_timm_begin(nw_timm_builder *b, const char *format, int64_t input_c, int64_t image,
                   nw_error *err)
{
    *b = (nw_timm_builder){.graph = nw_graph_new("timm", NW_LAYOUT_NCHW), .c = input_c, .err = err};
    b->graph->format = format;
    nw_shape shape = {.rank = 4, .dims = {1, input_c, NW_DIM_FREE, NW_DIM_FREE}};
    b->at = nw_graph_add_tensor(b->graph, "image", NW_DTYPE_FLOAT32, &shape);
    nw_tensor *input = &b->graph->tensors[b->at];
    input->stored_shape = (nw_shape){.rank = 4, .dims = {1, input_c, image, image}};
    nw_graph_name_free_dim(b->graph, b->at, 2, "height");
    nw_graph_name_free_dim(b->graph, b->at, 3, "width");
    nw_graph_add_input(b->graph, b->at);
}

static bool is_failed(const nw_timm_builder *b)
{
    return b->status != NW_OK;
}

static void full_name(const nw_timm_builder *b, const char *name, const char *part, char *dst,
                      size_t size)
{
    snprintf(dst, size, "%s%s%s%s", b->prefix, name, *part ? "." : "", part);
}

nw_tensor_id nw_timm_add_weights(nw_timm_builder *b, const char *name, const char *part, int rank,
                                 const int64_t *dims)
{
    char full[96];
    nw_shape shape = {.rank = rank};
    memcpy(shape.dims, dims, (size_t)rank * sizeof *dims);
    full_name(b, name, part, full, sizeof full);
    nw_tensor_id id = nw_graph_add_tensor(b->graph, full, NW_DTYPE_FLOAT32, &shape);
    nw_graph_set_data(b->graph, id, NULL, 0, -1);
    return id;
}

static nw_node *add_node(nw_timm_builder *b, nw_op op, const char *name, const char *file_type,
                         const nw_tensor_id *inputs, int n_inputs)
{
    char full[96];
    full_name(b, name, "", full, sizeof full);
    nw_tensor_id out = nw_graph_add_tensor(b->graph, full, NW_DTYPE_FLOAT32, NULL);
    nw_node *node = nw_graph_add_node(b->graph, op, full, file_type, inputs, n_inputs, &out, 1);
    b->at = out;
    return node;
}

nw_node *nw_timm_add_node(nw_timm_builder *b, nw_op op, const char *name, const char *file_type)
{
    nw_tensor_id in[1] = {b->at};
    return add_node(b, op, name, file_type, in, 1);
}

static void add_pair(nw_timm_builder *b, nw_op op, const char *name, const char *file_type,
                     nw_tensor_id other)
{
    nw_tensor_id in[2] = {b->at, other};
    add_node(b, op, name, file_type, in, 2);
}

/* Mish: x tanh(ln(1 + e^x)) (Misra 2019). */
static void add_mish(nw_timm_builder *b, const char *name)
{
    char part[64];
    nw_tensor_id x = b->at;
    snprintf(part, sizeof part, "%s.softplus", name);
    nw_timm_add_node(b, NW_OP_UNARY, part, "Softplus")->attrs.unary = NW_UNARY_SOFTPLUS;
    snprintf(part, sizeof part, "%s.tanh", name);
    nw_timm_add_node(b, NW_OP_TANH, part, "Tanh");
    add_pair(b, NW_OP_MUL, name, "Mul", x);
}

void nw_timm_add_act(nw_timm_builder *b, const char *name)
{
    const nw_timm_act *act = &nw_timm_acts[b->act];
    if (act->op == NW_OP_COUNT)
        add_mish(b, name);
    else
        nw_timm_add_node(b, act->op, name, act->file_type);
}

static void fail(nw_timm_builder *b, const char *name, const char *why, int64_t a, int64_t c)
{
    char where[96], message[160];
    full_name(b, name, "", where, sizeof where);
    snprintf(message, sizeof message, why, (long long)a, (long long)c);
    b->status = nw_fail(b->err, NW_INVALID, where, "%s", message);
}

static void add_norm(nw_timm_builder *b, const char *name, int64_t c)
{
    nw_tensor_id in[5] = {b->at};
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    for (int i = 0; i < 4; i++)
        in[i + 1] = nw_timm_add_weights(b, name, parts[i], 1, &c);
    add_node(b, NW_OP_BATCH_NORM, name, "BatchNormalization", in, 5)->attrs.alpha = 1e-5f;
}

/* One convolution of the map at b->at; padded as PyTorch's users do: (k - 1) / 2 all round. */
static void add_plain_conv(nw_timm_builder *b, const char *name, int kernel, int stride,
                           int64_t in_c, int64_t out_c, int64_t groups, bool has_bias)
{
    int64_t dims[4] = {out_c, in_c / groups, kernel, kernel}, elements;
    if (out_c > MAX_MID || __builtin_mul_overflow(dims[0] * dims[1], kernel * kernel, &elements) ||
        elements > NW_MAX_ELEMENTS) {
        fail(b, name, "%lld channels to %lld: too large", in_c, out_c);
        return;
    }
    nw_tensor_id in[3] = {b->at, nw_timm_add_weights(b, name, "weight", 4, dims), NW_NONE};
    if (has_bias)
        in[2] = nw_timm_add_weights(b, name, "bias", 1, &out_c);
    nw_node *node = add_node(b, NW_OP_CONV2D, name, "Conv", in, has_bias ? 3 : 2);
    nw_attrs *attrs = &node->attrs;
    attrs->kernel_h = attrs->kernel_w = kernel;
    attrs->stride_h = attrs->stride_w = stride;
    attrs->pad_top = attrs->pad_left = attrs->pad_bottom = attrs->pad_right = (kernel - 1) / 2;
    attrs->groups = (int32_t)groups;
    attrs->weight_layout = NW_WEIGHTS_OIHW;
}

/* Channels dealt to n parts: equal, what is left over to the first. */
static int64_t deal(int64_t channels, int n, int i)
{
    return channels / n + (i ? 0 : channels % n);
}

/* Convolutions of several sizes side by side, each on its own share of the channels. */
static void add_mixed_conv(nw_timm_builder *b, const nw_timm_conv *conv, bool is_depthwise)
{
    int n = conv->kernel->n;
    int64_t sizes[NW_TIMM_MAX_KERNELS], in_c = b->c;
    nw_tensor_id parts[NW_TIMM_MAX_KERNELS], outs[NW_TIMM_MAX_KERNELS];
    char name[64];
    if (in_c < n || conv->out_c < n || (conv->groups > 1 && !is_depthwise)) {
        fail(b, conv->name, "%lld channels cannot be dealt to %lld kernels", in_c, n);
        return;
    }
    for (int i = 0; i < n; i++) {
        sizes[i] = deal(in_c, n, i);
        snprintf(name, sizeof name, "%s%s.part%d", b->prefix, conv->name, i);
        parts[i] = nw_graph_add_tensor(b->graph, name, NW_DTYPE_FLOAT32, NULL);
    }
    snprintf(name, sizeof name, "%s%s.sizes", b->prefix, conv->name);
    nw_tensor_id in[2] = {b->at, nw_graph_add_ints(b->graph, name, sizes, n)};
    snprintf(name, sizeof name, "%s%s.split", b->prefix, conv->name);
    nw_graph_add_node(b->graph, NW_OP_SPLIT, name, "Split", in, 2, parts, n)->attrs.axis = 1;
    for (int i = 0; i < n && !is_failed(b); i++) {
        snprintf(name, sizeof name, "%s.%d", conv->name, i);
        b->at = parts[i];
        add_plain_conv(b, name, conv->kernel->sizes[i], conv->stride, sizes[i],
                       deal(conv->out_c, n, i), is_depthwise ? sizes[i] : 1, false);
        outs[i] = b->at;
    }
    if (!is_failed(b))
        add_node(b, NW_OP_CONCAT, conv->name, "Concat", outs, n)->attrs.axis = 1;
}

void nw_timm_add_conv(nw_timm_builder *b, const nw_timm_conv *conv)
{
    const nw_timm_kernels *kernel = conv->kernel ? conv->kernel : &pointwise;
    bool is_depthwise = conv->groups == 0;
    int64_t groups = is_depthwise ? b->c : conv->groups;
    if (is_failed(b))
        return;
    if (b->c % groups || conv->out_c % groups)
        fail(b, conv->name, "%lld channels cannot be divided into %lld groups",
             b->c % groups ? b->c : conv->out_c, groups);
    else if (kernel->n > 1)
        add_mixed_conv(b, conv, is_depthwise);
    else
        add_plain_conv(b, conv->name, kernel->sizes[0], conv->stride, b->c, conv->out_c, groups,
                       !conv->norm);
    if (is_failed(b))
        return;
    b->c = conv->out_c;
    if (conv->norm && *conv->norm)
        add_norm(b, conv->norm, b->c);
    if (conv->acts) {
        char name[64];
        snprintf(name, sizeof name, "%s.act", conv->norm && *conv->norm ? conv->norm : conv->name);
        nw_timm_add_act(b, name);
    }
}

/* ---- parts of blocks ---- */

/* A grouped or depthwise convolution of the map's own channels; group_size as in the string. */
static void add_spatial(nw_timm_builder *b, const char *name, const char *norm,
                        const nw_timm_kernels *kernel, int stride, int64_t group_size, bool acts)
{
    int64_t groups = group_size == 1 ? 0 : 1;
    if (is_failed(b))
        return;
    if (group_size > 1 && b->c % group_size)
        fail(b, name, "gs%lld: %lld channels cannot be divided into groups of that size",
             group_size, b->c);
    else if (group_size > 1)
        groups = b->c / group_size;
    nw_timm_add_conv(b, &(nw_timm_conv){name, norm, kernel, b->c, groups, stride, acts});
}

static void add_squeeze(nw_timm_builder *b, const nw_timm_block *block, int64_t in_c)
{
    /* over the block's input in the string, over the expanded channels in timm's module */
    double expansion =
        block->type == NW_TIMM_DS || block->type == NW_TIMM_DSA ? 1 : block->expansion;
    int64_t inner = block->squeeze_c;
    if (!inner && block->squeeze > 0)
        inner = block->is_exact ? (int64_t)((double)in_c * block->squeeze)
                                : (int64_t)rint((double)b->c * (block->squeeze / expansion));
    if (is_failed(b) || (block->squeeze <= 0 && !block->squeeze_c))
        return;
    if (block->is_exact && inner < 1)
        inner = 1;
    if (inner < 1) {
        fail(b, "se", "se: nothing is left of %lld channels", b->c, 0);
        return;
    }
    nw_tensor_id map = b->at;
    int64_t c = b->c;
    nw_timm_add_node(b, NW_OP_GLOBAL_POOL, "se.pool", "GlobalAveragePool");
    nw_timm_add_conv(b, &(nw_timm_conv){"se.conv_reduce", NULL, NULL, inner, 1, 1, false});
    if (!is_failed(b))
        nw_timm_add_act(b, "se.act1");
    nw_timm_add_conv(b, &(nw_timm_conv){"se.conv_expand", NULL, NULL, c, 1, 1, false});
    if (is_failed(b))
        return;
    if (block->is_hard_gate) {
        nw_node *gate = nw_timm_add_node(b, NW_OP_HARD_SIGMOID, "se.gate", "HardSigmoid");
        gate->attrs.alpha = 1.0f / 6;
        gate->attrs.beta = 0.5f;
    } else {
        nw_timm_add_node(b, NW_OP_SIGMOID, "se.gate", "Sigmoid");
    }
    nw_tensor_id in[2] = {map, b->at};
    add_node(b, NW_OP_MUL, "se.mul", "Mul", in, 2);
}

static int64_t width(const nw_timm_block *block, double channels)
{
    return block->is_exact ? (int64_t)channels : nw_timm_divisible(channels);
}

static int64_t middle(const nw_timm_builder *b, const nw_timm_block *block)
{
    return width(block, (double)(block->forced_c ? block->forced_c : b->c) * block->expansion);
}

/* ---- blocks ---- */

static void add_ir(nw_timm_builder *b, const nw_timm_block *block, int stride, int64_t out_c)
{
    int64_t in_c = b->c;
    nw_timm_add_conv(
        b, &(nw_timm_conv){"conv_pw", "bn1", &block->start, middle(b, block), 1, 1, true});
    add_spatial(b, "conv_dw", "bn2", &block->kernel, stride, block->group_size, true);
    add_squeeze(b, block, in_c);
    nw_timm_add_conv(b, &(nw_timm_conv){"conv_pwl", "bn3", &block->end, out_c, 1, 1, false});
}

static void add_ds(nw_timm_builder *b, const nw_timm_block *block, int stride, int64_t out_c)
{
    int64_t in_c = b->c;
    add_spatial(b, "conv_dw", "bn1", &block->kernel, stride, block->group_size, true);
    add_squeeze(b, block, in_c);
    nw_timm_add_conv(
        b, &(nw_timm_conv){"conv_pw", "bn2", &block->end, out_c, 1, 1, block->type == NW_TIMM_DSA});
}

static void add_er(nw_timm_builder *b, const nw_timm_block *block, int stride, int64_t out_c)
{
    int64_t in_c = b->c, mid_c = middle(b, block), groups = 1;
    if (block->group_size) {
        groups = mid_c / block->group_size;
        if (mid_c % block->group_size)
            fail(b, "conv_exp", "gs%lld: %lld channels cannot be divided into groups of that size",
                 block->group_size, mid_c);
    }
    nw_timm_add_conv(
        b, &(nw_timm_conv){"conv_exp", "bn1", &block->kernel, mid_c, groups, stride, true});
    add_squeeze(b, block, in_c);
    nw_timm_add_conv(b, &(nw_timm_conv){"conv_pwl", "bn2", &block->end, out_c, 1, 1, false});
}

static void add_cn(nw_timm_builder *b, const nw_timm_block *block, int stride, int64_t out_c)
{
    int64_t groups = block->group_size ? b->c / block->group_size : 1;
    if (block->group_size && b->c % block->group_size)
        fail(b, "conv", "gs%lld: %lld channels cannot be divided into groups of that size",
             block->group_size, b->c);
    nw_timm_add_conv(b,
                     &(nw_timm_conv){"conv", "bn1", &block->kernel, out_c, groups, stride, true});
}

/* Tucker (MobileDets, Xiong et al. 2020): 1x1 to the input rank, k x k to the output rank, 1x1. */
static void add_tu(nw_timm_builder *b, const nw_timm_block *block, int stride, int64_t out_c)
{
    int64_t rank_in = width(block, (double)b->c * block->rank_in);
    int64_t rank_out = width(block, (double)out_c * block->rank_out);
    nw_timm_add_conv(b, &(nw_timm_conv){"conv_pw", "bn1", NULL, rank_in, 1, 1, true});
    nw_timm_add_conv(b, &(nw_timm_conv){"conv", "bn2", &block->kernel, rank_out, 1, stride, true});
    nw_timm_add_conv(b, &(nw_timm_conv){"conv_pwl", "bn3", NULL, out_c, 1, 1, false});
}

/* The universal inverted bottleneck of MobileNetV4: depthwise convolutions before, inside and
 * behind, each of which may be missing; the stride goes to the middle one, else the first, else
 * the last. */
static void add_uir(nw_timm_builder *b, const nw_timm_block *block, int stride, int64_t out_c)
{
    int64_t in_c = b->c, mid_c = middle(b, block);
    if (stride > 1 && !block->start.n && !block->kernel.n && !block->end.n)
        fail(b, "pw_exp", "s%lld: there is no depthwise convolution to take it", stride, 0);
    if (block->start.n)
        add_spatial(b, "dw_start.conv", "dw_start.bn", &block->start, block->kernel.n ? 1 : stride,
                    block->group_size, false);
    nw_timm_add_conv(b, &(nw_timm_conv){"pw_exp.conv", "pw_exp.bn", NULL, mid_c, 1, 1, true});
    if (block->kernel.n)
        add_spatial(b, "dw_mid.conv", "dw_mid.bn", &block->kernel, stride, block->group_size, true);
    add_squeeze(b, block, in_c);
    nw_timm_add_conv(b, &(nw_timm_conv){"pw_proj.conv", "pw_proj.bn", NULL, out_c, 1, 1, false});
    if (block->end.n)
        add_spatial(b, "dw_end.conv", "dw_end.bn", &block->end,
                    block->start.n || block->kernel.n ? 1 : stride, block->group_size, false);
}

static bool has_skip(const nw_timm_block *block)
{
    if (block->type == NW_TIMM_CN)
        return block->skips;
    return block->type != NW_TIMM_DSA && !block->no_skip;
}

void nw_timm_add_block(nw_timm_builder *b, const nw_timm_block *block, int stage, int *index)
{
    static void (*const builders[NW_TIMM_TYPES])(nw_timm_builder *, const nw_timm_block *, int,
                                                 int64_t) = {add_ir, add_ds, add_ds, add_er,
                                                             add_cn, add_tu, add_uir};
    nw_timm_block one = *block;
    int64_t out_c = width(block, (double)block->out_c);
    b->act = block->act;
    for (int i = 0; i < block->n_repeats && !is_failed(b); i++) {
        nw_tensor_id skip = b->at;
        int64_t in_c = b->c;
        int stride = i ? 1 : block->stride;
        snprintf(b->prefix, sizeof b->prefix, "blocks.%d.%d.", stage, (*index)++);
        if (i && block->is_exact)
            one.forced_c = 0; /* i of the older grammar is the first block's */
        builders[block->type](b, &one, stride, out_c);
        if (!is_failed(b) && has_skip(block) && stride == 1 && in_c == out_c)
            add_pair(b, NW_OP_ADD, "add", "Add", skip);
    }
    if (is_failed(b)) {
        char line[160];
        snprintf(line, sizeof line, "line %d, %s", block->line, block->text);
        nw_error_prefix(b->err, line);
    }
}

static void build(const nw_timm_net *net, nw_timm_builder *b)
{
    int stage = -1, index = 0;
    for (int i = 0; i < net->n_blocks && !is_failed(b); i++) {
        if (net->blocks[i].starts_stage) {
            stage++;
            index = 0;
        }
        nw_timm_add_block(b, &net->blocks[i], stage, &index);
    }
    for (int i = 0; i < net->n_warnings; i++)
        nw_graph_warn(b->graph, "%s", net->warnings[i]);
    nw_graph_add_output(b->graph, b->at);
}

nw_status nw_timm_read(const nw_file *file, nw_graph **out, nw_error *err)
{
    nw_timm_net net;
    nw_timm_builder b = {.graph = NULL};
    nw_status status = nw_timm_parse(file, &net, err);
    if (status == NW_OK) {
        nw_timm_begin(&b, net.is_old ? "MnasNet block strings" : "timm block strings", net.input_c,
                      NW_TIMM_INPUT_SIZE, err);
        build(&net, &b);
        status = b.status;
    }
    nw_timm_fini(&net);
    if (status == NW_OK)
        *out = b.graph;
    else
        nw_graph_free(b.graph);
    return status;
}
