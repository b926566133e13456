/* classify.c - an operator as a kernel of its own.
 */
#include <string.h>

#include "src/kernel/internal.h"

#define NONE  NW_KERNEL_ACT_NONE
#define CLAMP NW_KERNEL_ACT_CLAMP
#define LUT   NW_KERNEL_ACT_LUT

static const nw_op_rule rules[NW_OP_COUNT] = {
    [NW_OP_OPAQUE] = {NW_KERNEL_OPAQUE, NONE, false},
    [NW_OP_CONV2D] = {NW_KERNEL_CONV, NONE, false},
    [NW_OP_CONV_TRANSPOSE] = {NW_KERNEL_CONV_TRANSPOSE, NONE, false},
    [NW_OP_MATMUL] = {NW_KERNEL_MATMUL, NONE, false},
    [NW_OP_FULLY_CONNECTED] = {NW_KERNEL_FC, NONE, false},
    [NW_OP_MAX_POOL] = {NW_KERNEL_POOL, NONE, false},
    [NW_OP_AVERAGE_POOL] = {NW_KERNEL_POOL, NONE, false},
    [NW_OP_GLOBAL_POOL] = {NW_KERNEL_POOL, NONE, false},
    [NW_OP_RELU] = {NW_KERNEL_ACT, CLAMP, true},
    [NW_OP_RELU6] = {NW_KERNEL_ACT, CLAMP, true},
    [NW_OP_CLIP] = {NW_KERNEL_ACT, CLAMP, true},
    [NW_OP_HARD_SWISH] = {NW_KERNEL_ACT, LUT, true},
    [NW_OP_HARD_SIGMOID] = {NW_KERNEL_ACT, LUT, true},
    [NW_OP_SIGMOID] = {NW_KERNEL_ACT, LUT, true},
    [NW_OP_SWISH] = {NW_KERNEL_ACT, LUT, true},
    [NW_OP_LEAKY_RELU] = {NW_KERNEL_ACT, LUT, true},
    [NW_OP_PRELU] = {NW_KERNEL_ACT, LUT, true},
    [NW_OP_TANH] = {NW_KERNEL_ACT, LUT, true},
    [NW_OP_GELU] = {NW_KERNEL_ACT, LUT, true},
    [NW_OP_UNARY] = {NW_KERNEL_ACT, LUT, true},
    [NW_OP_ADD] = {NW_KERNEL_ADD, NONE, true},
    [NW_OP_SUB] = {NW_KERNEL_ADD, NONE, true},
    [NW_OP_MUL] = {NW_KERNEL_MUL, NONE, true},
    [NW_OP_DIV] = {NW_KERNEL_MUL, NONE, true},
    [NW_OP_POW] = {NW_KERNEL_ELEMENTWISE, NONE, true},
    [NW_OP_MIN] = {NW_KERNEL_ELEMENTWISE, NONE, true},
    [NW_OP_MAX] = {NW_KERNEL_ELEMENTWISE, NONE, true},
    [NW_OP_MOD] = {NW_KERNEL_ELEMENTWISE, NONE, true},
    [NW_OP_COMPARE] = {NW_KERNEL_ELEMENTWISE, NONE, false},
    [NW_OP_WHERE] = {NW_KERNEL_ELEMENTWISE, NONE, false},
    [NW_OP_CONCAT] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_STACK] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_UNSTACK] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_SPLIT] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_SLICE] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_SLICE_SIZE] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_STRIDED_SLICE] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_GATHER] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_PAD] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_RESHAPE] = {NW_KERNEL_VIEW, NONE, true},
    [NW_OP_FLATTEN] = {NW_KERNEL_VIEW, NONE, true},
    [NW_OP_SQUEEZE] = {NW_KERNEL_VIEW, NONE, true},
    [NW_OP_UNSQUEEZE] = {NW_KERNEL_VIEW, NONE, true},
    [NW_OP_TRANSPOSE] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_EXPAND] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_TILE] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_RESIZE] = {NW_KERNEL_RESIZE, NONE, false},
    [NW_OP_DEPTH_TO_SPACE] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_SPACE_TO_DEPTH] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_SPACE_TO_BATCH] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_BATCH_TO_SPACE] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_CHANNEL_SHUFFLE] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_REDUCE] = {NW_KERNEL_REDUCE, NONE, false},
    [NW_OP_ARG_MAX] = {NW_KERNEL_REDUCE, NONE, false},
    [NW_OP_TOP_K] = {NW_KERNEL_REDUCE, NONE, false},
    [NW_OP_SOFTMAX] = {NW_KERNEL_SOFTMAX, NONE, true},
    [NW_OP_BATCH_NORM] = {NW_KERNEL_NORM, NONE, true},
    [NW_OP_LAYER_NORM] = {NW_KERNEL_NORM, NONE, true},
    [NW_OP_INSTANCE_NORM] = {NW_KERNEL_NORM, NONE, true},
    [NW_OP_QUANTIZE] = {NW_KERNEL_QUANTIZE, NONE, true},
    [NW_OP_DEQUANTIZE] = {NW_KERNEL_QUANTIZE, NONE, true},
    [NW_OP_CAST] = {NW_KERNEL_QUANTIZE, NONE, true},
    [NW_OP_IDENTITY] = {NW_KERNEL_VIEW, NONE, true},
    [NW_OP_CONSTANT] = {NW_KERNEL_VIEW, NONE, false},
    [NW_OP_CONSTANT_OF_SHAPE] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_SHAPE] = {NW_KERNEL_VIEW, NONE, false},
    [NW_OP_SIZE] = {NW_KERNEL_VIEW, NONE, false},
    [NW_OP_RANGE] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_GATHER_ND] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_GATHER_ELEMENTS] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_SCATTER] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_ONE_HOT] = {NW_KERNEL_COPY, NONE, false},
    [NW_OP_CUM_SUM] = {NW_KERNEL_REDUCE, NONE, false},
};

nw_op_rule nw_op_rule_of(nw_op op)
{
    return rules[op];
}

static const nw_shape *known_shape(const nw_graph *graph, const nw_tensor_id *ids, int n, int i)
{
    if (i >= n || ids[i] == NW_NONE || !nw_shape_is_known(&graph->tensors[ids[i]].shape))
        return NULL;
    return &graph->tensors[ids[i]].shape;
}

static bool is_permutation(const nw_graph *graph, const nw_node *node, const int *perm)
{
    const int64_t *given = node->attrs.has_ints ? node->attrs.ints : NULL;
    if (!given && node->n_inputs > 1 && node->inputs[1] != NW_NONE)
        given = graph->tensors[node->inputs[1]].ints;
    for (int i = 0; given && i < 4; i++)
        if (given[i] != perm[i])
            return false;
    return given != NULL;
}

/* Axes of size one have no place in memory: moving them alone moves nothing. */
static bool keeps_order(const nw_graph *graph, const nw_node *node)
{
    const nw_shape *x = known_shape(graph, node->inputs, node->n_inputs, 0);
    const int64_t *perm = node->attrs.has_ints ? node->attrs.ints : NULL;
    if (!perm && node->n_inputs > 1 && node->inputs[1] != NW_NONE)
        perm = graph->tensors[node->inputs[1]].ints;
    int64_t last = -1;
    for (int i = 0; x && perm && i < x->rank; i++) {
        int64_t axis = perm[i] < 0 ? perm[i] + x->rank : perm[i];
        if (x->dims[axis] == 1)
            continue;
        if (axis < last)
            return false;
        last = axis;
    }
    return x && perm;
}

/* A device keeps maps as H, W, C. For a file that keeps them as C, H, W, turning them to H, W, C
 * is therefore no work, and neither is turning the network's input the other way. */
static bool is_layout_change(const nw_graph *graph, const nw_node *node)
{
    static const int to_hwc[4] = {0, 2, 3, 1}, to_chw[4] = {0, 3, 1, 2};
    const nw_shape *x = known_shape(graph, node->inputs, node->n_inputs, 0);
    if (graph->layout != NW_LAYOUT_NCHW || !x || x->rank != 4)
        return false;
    return is_permutation(graph, node, to_hwc) ||
           (graph->tensors[node->inputs[0]].is_input && is_permutation(graph, node, to_chw));
}

#define MAX_VIEWS_BEHIND 16 /* between a dequantisation and the quantisation that undoes it */

/* Quantising what was quantised just so before: the integers stay as they are. */
static bool quantises_nothing(const nw_graph *graph, const nw_node *node)
{
    const nw_tensor *y = &graph->tensors[node->outputs[0]];
    nw_tensor_id id = node->inputs[0];
    for (int i = 0; i < MAX_VIEWS_BEHIND && id != NW_NONE; i++) {
        const nw_tensor *x = &graph->tensors[id];
        if (x->quant.n_channels && !nw_dtype_is_float(x->dtype))
            return x->dtype == y->dtype && x->quant.n_channels == 1 && y->quant.n_channels == 1 &&
                   x->quant.scale == y->quant.scale && x->quant.zero_point == y->quant.zero_point;
        const nw_node *producer = x->producer == NW_NONE ? NULL : &graph->nodes[x->producer];
        if (!producer || producer->n_inputs < 1 ||
            (producer->op != NW_OP_DEQUANTIZE && rules[producer->op].kind != NW_KERNEL_VIEW))
            return false;
        id = producer->inputs[0];
    }
    return false;
}

bool nw_node_is_view(const nw_graph *graph, const nw_node *node)
{
    if (rules[node->op].kind == NW_KERNEL_VIEW)
        return true;
    if (node->op == NW_OP_TRANSPOSE)
        return is_layout_change(graph, node) || keeps_order(graph, node);
    if (node->op == NW_OP_QUANTIZE)
        return quantises_nothing(graph, node);
    if (node->op == NW_OP_CAST)
        return graph->tensors[node->inputs[0]].dtype == graph->tensors[node->outputs[0]].dtype;
    /* Copies that turn out to move nothing: the result is the input. */
    const nw_shape *x = known_shape(graph, node->inputs, node->n_inputs, 0);
    const nw_shape *y = known_shape(graph, node->outputs, node->n_outputs, 0);
    bool may_be_identity = node->op == NW_OP_EXPAND || node->op == NW_OP_TILE ||
                           node->op == NW_OP_SLICE || node->op == NW_OP_PAD ||
                           (node->op == NW_OP_CONCAT && node->n_inputs == 1);
    return may_be_identity && x && y && nw_shape_equal(x, y);
}

nw_kernel_part nw_kernel_part_of(const nw_geometry *g, nw_kernel_kind kind)
{
    bool is_dense =
        kind == NW_KERNEL_CONV || kind == NW_KERNEL_CONV_TRANSPOSE || kind == NW_KERNEL_DWCONV;
    return (nw_kernel_part){.kind = kind,
                            .in_h = g->in_h * g->batch,
                            .in_w = g->in_w,
                            .in_c = g->in_c,
                            .out_h = g->out_h * g->batch,
                            .out_w = g->out_w,
                            .out_c = g->out_c,
                            .kernel_h = (int32_t)g->kernel_h,
                            .kernel_w = (int32_t)g->kernel_w,
                            .stride_h = (int32_t)g->stride_h,
                            .stride_w = (int32_t)g->stride_w,
                            .dilation_h = (int32_t)g->dilation_h,
                            .dilation_w = (int32_t)g->dilation_w,
                            .groups = is_dense ? (int32_t)g->groups : 1};
}

/* A reduction over exactly the two spatial axes is a global pooling. */
static bool is_spatial_reduce(const nw_graph *graph, const nw_node *node)
{
    const nw_shape *x = known_shape(graph, node->inputs, node->n_inputs, 0);
    bool pools = node->attrs.reduce == NW_REDUCE_MEAN || node->attrs.reduce == NW_REDUCE_MAX;
    if (node->op != NW_OP_REDUCE || !pools || !x || x->rank != 4)
        return false;
    nw_hwc in = nw_tensor_hwc(graph, node->inputs[0]);
    const nw_shape *y = known_shape(graph, node->outputs, node->n_outputs, 0);
    return y && nw_shape_elements(y) == in.c * x->dims[0] && in.h * in.w > 1;
}

/* Elementwise operators are sized by their largest computed operand, which may be the second. */
static nw_tensor_id largest_map(const nw_graph *graph, const nw_node *node)
{
    nw_tensor_id best = node->inputs[0];
    for (int i = 1; i < node->n_inputs; i++) {
        nw_tensor_id id = node->inputs[i];
        if (id == NW_NONE || graph->tensors[id].is_const)
            continue;
        if (graph->tensors[best].is_const || nw_shape_elements(&graph->tensors[id].shape) >
                                                 nw_shape_elements(&graph->tensors[best].shape))
            best = id;
    }
    return best;
}

static nw_kernel_part plain_part(const nw_graph *graph, const nw_node *node, nw_kernel_kind kind)
{
    bool is_elementwise =
        kind == NW_KERNEL_ADD || kind == NW_KERNEL_MUL || kind == NW_KERNEL_ELEMENTWISE;
    nw_tensor_id map = is_elementwise ? largest_map(graph, node) : node->inputs[0];
    nw_hwc in = nw_tensor_hwc(graph, map);
    nw_hwc out = nw_tensor_hwc(graph, node->outputs[0]);
    const nw_shape *x = &graph->tensors[map].shape;
    const nw_shape *y = &graph->tensors[node->outputs[0]].shape;
    int64_t in_batch = x->rank == 4 ? x->dims[0] : 1, out_batch = y->rank == 4 ? y->dims[0] : 1;
    nw_kernel_part part = {.kind = kind,
                           .in_h = in.h * in_batch,
                           .in_w = in.w,
                           .in_c = in.c,
                           .out_h = out.h * out_batch,
                           .out_w = out.w,
                           .out_c = out.c,
                           .kernel_h = 1,
                           .kernel_w = 1,
                           .stride_h = 1,
                           .stride_w = 1,
                           .dilation_h = 1,
                           .dilation_w = 1,
                           .groups = 1};
    if (kind == NW_KERNEL_POOL) {
        part.kernel_h = (int32_t)in.h;
        part.kernel_w = (int32_t)in.w;
        part.out_h = in_batch;
        part.out_w = 1;
        part.out_c = in.c;
    }
    return part;
}

/* Copies move what they keep: joining and cutting, in and out are the same bytes in all. */
static void size_copy(nw_op op, nw_kernel_part *part)
{
    nw_kernel_part whole = *part;
    switch (op) {
    case NW_OP_SPLIT:
    case NW_OP_UNSTACK:
        part->out_h = whole.in_h;
        part->out_w = whole.in_w;
        part->out_c = whole.in_c;
        break;
    case NW_OP_CONCAT:
    case NW_OP_STACK:
    case NW_OP_SLICE:
    case NW_OP_SLICE_SIZE:
    case NW_OP_STRIDED_SLICE:
    case NW_OP_GATHER:
        part->in_h = whole.out_h;
        part->in_w = whole.out_w;
        part->in_c = whole.out_c;
        break;
    default: /* padding, repeating: as they are */
        break;
    }
}

/* A matrix product of two maps whose second operand has a matrix for each of a batch. */
static void split_batch(const nw_graph *graph, const nw_node *node, nw_kernel_part *part)
{
    int64_t n = nw_shape_elements(&graph->tensors[node->inputs[1]].shape);
    int64_t one = part->in_c * part->out_c, batch = one ? n / one : 0;
    if (batch <= 1 || part->in_h != 1 || part->in_w % batch)
        return;
    part->in_h = part->out_h = batch;
    part->in_w = part->out_w = part->in_w / batch;
}

static int count_full_maps(const nw_graph *graph, const nw_node *node)
{
    int64_t full = nw_shape_elements(&graph->tensors[node->outputs[0]].shape);
    int n = 0;
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] != NW_NONE && !graph->tensors[node->inputs[i]].is_const)
            n += nw_shape_elements(&graph->tensors[node->inputs[i]].shape) == full;
    return n ? n : 1;
}

static nw_kernel_kind product_kind(const nw_geometry *g, nw_kernel_kind kind)
{
    if (kind == NW_KERNEL_CONV && g->is_depthwise && g->in_c > 1)
        return NW_KERNEL_DWCONV;
    if (kind == NW_KERNEL_MATMUL && g->weights != NW_NONE)
        return NW_KERNEL_FC;
    return kind;
}

static void fill_weights(const nw_graph *graph, const nw_types *types, const nw_geometry *g,
                         nw_kernel_shape *out)
{
    if (g->weights != NW_NONE) {
        nw_tensor_id root = nw_graph_stored_root(graph, g->weights);
        out->weight_elements = nw_shape_elements(&graph->tensors[g->weights].shape);
        out->weight_bits = types->bits[g->weights];
        /* Weights of an integer operator may stand behind a dequantisation in the file. */
        if (!out->is_float && root != NW_NONE && types->is_float[g->weights])
            out->weight_bits = types->is_float[root] ? out->bits : types->bits[root];
    }
    if (g->bias != NW_NONE)
        out->bias_elements = nw_shape_elements(&graph->tensors[g->bias].shape);
}

void nw_kernel_shape_of_node(const nw_graph *graph, const nw_types *types, nw_node_id id,
                             nw_kernel_shape *out)
{
    const nw_node *node = &graph->nodes[id];
    nw_op_rule rule = rules[node->op];
    memset(out, 0, sizeof *out);
    out->n_parts = 1;
    out->slow_op = -1;
    out->parts[0].kind = NW_KERNEL_OPAQUE;
    if (!known_shape(graph, node->outputs, node->n_outputs, 0) || node->op == NW_OP_OPAQUE)
        return;
    if (!known_shape(graph, node->inputs, node->n_inputs, 0)) {
        if (node->n_inputs && node->inputs[0] != NW_NONE)
            return; /* sizes unknown */
        out->parts[0].kind = NW_KERNEL_VIEW;
        return;
    }
    nw_tensor_id in = node->inputs[0];
    for (int i = 1; i < node->n_inputs && graph->tensors[in].is_const; i++)
        if (node->inputs[i] != NW_NONE && !graph->tensors[node->inputs[i]].is_const)
            in = node->inputs[i];
    in = nw_types_source(graph, types, id, in);
    out->bits = types->bits[in];
    out->weight_bits = out->bits;
    out->is_float = types->is_float[in];
    out->act = rule.act;
    nw_geometry g;
    if (nw_node_geometry(graph, id, &g)) {
        out->parts[0] = nw_kernel_part_of(&g, product_kind(&g, rule.kind));
        if (out->parts[0].kind == NW_KERNEL_MATMUL)
            split_batch(graph, node, &out->parts[0]);
        fill_weights(graph, types, &g, out);
    } else if (nw_node_is_view(graph, node)) {
        out->parts[0] = plain_part(graph, node, NW_KERNEL_VIEW);
    } else if (is_spatial_reduce(graph, node)) {
        out->parts[0] = plain_part(graph, node, NW_KERNEL_POOL);
    } else {
        out->parts[0] = plain_part(graph, node, rule.kind);
        if (rule.kind == NW_KERNEL_COPY)
            size_copy(node->op, &out->parts[0]);
    }
    out->n_maps = count_full_maps(graph, node);
    if (types->is_hinted)
        nw_types_settle(graph, types, id, out);
    switch (node->act) {
    case NW_ACT_NONE:
        break;
    case NW_ACT_TANH:
    case NW_ACT_SIGN_BIT:
        out->act = LUT;
        break;
    default:
        out->act = CLAMP;
    }
}
