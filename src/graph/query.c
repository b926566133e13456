#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/map.h"
#include "src/graph/internal.h"

/* Sums and products of sizes stay far below this; sealing refuses what reaches it. */
#define SATURATED ((int64_t)1 << 61)

static int64_t times(int64_t a, int64_t b)
{
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) || product > SATURATED ? SATURATED : product;
}

static const nw_shape *input_shape(const nw_graph *graph, const nw_node *node, int i)
{
    if (i >= node->n_inputs || node->inputs[i] == NW_NONE)
        return NULL;
    const nw_shape *shape = &graph->tensors[node->inputs[i]].shape;
    return nw_shape_is_known(shape) ? shape : NULL;
}

static int64_t batch_of(const nw_shape *shape)
{
    return shape->rank == 4 || shape->rank == 3 ? shape->dims[0] : 1;
}

static void fill_window(const nw_graph *graph, const nw_node *node, nw_geometry *g)
{
    const nw_attrs *a = &node->attrs;
    nw_hwc in = nw_tensor_hwc(graph, node->inputs[0]), out = nw_tensor_hwc(graph, node->outputs[0]);
    *g = (nw_geometry){.batch = batch_of(&graph->tensors[node->outputs[0]].shape),
                       .in_h = in.h,
                       .in_w = in.w,
                       .in_c = in.c,
                       .out_h = out.h,
                       .out_w = out.w,
                       .out_c = out.c,
                       .kernel_h = a->kernel_h,
                       .kernel_w = a->kernel_w,
                       .stride_h = a->stride_h,
                       .stride_w = a->stride_w,
                       .dilation_h = a->dilation_h,
                       .dilation_w = a->dilation_w,
                       .pad_top = a->pad_top,
                       .pad_left = a->pad_left,
                       .pad_bottom = a->pad_bottom,
                       .pad_right = a->pad_right,
                       .groups = 1,
                       .weights = NW_NONE,
                       .bias = NW_NONE};
}

static void fill_weights(const nw_node *node, nw_geometry *g)
{
    g->weights = node->inputs[1];
    g->bias = node->n_inputs > 2 ? node->inputs[2] : NW_NONE;
    g->has_bias = g->bias != NW_NONE;
}

static void fill_conv(const nw_graph *graph, const nw_node *node, nw_geometry *g)
{
    fill_window(graph, node, g);
    fill_weights(node, g);
    g->groups = node->attrs.groups > 0 ? node->attrs.groups : g->in_c;
    g->is_depthwise =
        (g->groups > 1 && g->groups == g->in_c) || node->attrs.weight_layout == NW_WEIGHTS_HWIO;
    bool is_transposed = node->op == NW_OP_CONV_TRANSPOSE;
    int64_t pixels = is_transposed ? times(g->in_h, g->in_w) : times(g->out_h, g->out_w);
    int64_t taps = times(g->kernel_h, g->kernel_w);
    int64_t pairs = times(g->in_c / (g->groups ? g->groups : 1), g->out_c);
    g->macs = times(times(times(pixels, taps), pairs), g->batch);
}

static void fill_pool(const nw_graph *graph, const nw_node *node, nw_geometry *g)
{
    fill_window(graph, node, g);
    g->groups = g->in_c;
    if (node->op == NW_OP_GLOBAL_POOL) {
        g->kernel_h = g->in_h;
        g->kernel_w = g->in_w;
    }
}

/* A product of rows x inner by inner x columns, as a 1 x rows map. */
static void fill_product(nw_geometry *g, int64_t rows, int64_t inner, int64_t columns)
{
    *g = (nw_geometry){.batch = 1,
                       .in_h = 1,
                       .in_w = rows,
                       .in_c = inner,
                       .out_h = 1,
                       .out_w = rows,
                       .out_c = columns,
                       .kernel_h = 1,
                       .kernel_w = 1,
                       .stride_h = 1,
                       .stride_w = 1,
                       .dilation_h = 1,
                       .dilation_w = 1,
                       .groups = 1,
                       .macs = times(times(rows, inner), columns),
                       .weights = NW_NONE,
                       .bias = NW_NONE};
}

static bool fill_fully_connected(const nw_graph *graph, const nw_node *node, nw_geometry *g)
{
    const nw_shape *w = input_shape(graph, node, 1);
    const nw_shape *out = &graph->tensors[node->outputs[0]].shape;
    if (!w || w->rank != 2)
        return false;
    bool inner_first = node->attrs.weight_layout == NW_WEIGHTS_IOHW;
    int64_t inner = w->dims[inner_first ? 0 : 1], columns = w->dims[inner_first ? 1 : 0];
    fill_product(g, columns ? nw_shape_elements(out) / columns : 0, inner, columns);
    fill_weights(node, g);
    return true;
}

static bool fill_matmul(const nw_graph *graph, const nw_node *node, nw_geometry *g)
{
    const nw_shape *a = input_shape(graph, node, 0), *b = input_shape(graph, node, 1);
    const nw_shape *out = &graph->tensors[node->outputs[0]].shape;
    if (!a || !b || a->rank < 1 || b->rank < 1)
        return false;
    bool first = node->attrs.transpose_a && a->rank > 1;
    int64_t inner = a->dims[first ? a->rank - 2 : a->rank - 1];
    int64_t columns =
        b->rank == 1 ? 1 : b->dims[node->attrs.transpose_b ? b->rank - 2 : b->rank - 1];
    fill_product(g, columns ? nw_shape_elements(out) / columns : 0, inner, columns);
    for (int i = 1; i >= 0 && g->weights == NW_NONE; i--)
        if (graph->tensors[node->inputs[i]].is_const)
            g->weights = node->inputs[i];
    return true;
}

bool nw_node_geometry(const nw_graph *graph, nw_node_id id, nw_geometry *out)
{
    const nw_node *node = &graph->nodes[id];
    if (node->n_outputs < 1 || node->outputs[0] == NW_NONE || !input_shape(graph, node, 0) ||
        !nw_shape_is_known(&graph->tensors[node->outputs[0]].shape))
        return false;
    const nw_shape *x = input_shape(graph, node, 0);
    switch (node->op) {
    case NW_OP_CONV2D:
    case NW_OP_CONV_TRANSPOSE:
        if ((x->rank != 4 && x->rank != 3) || !input_shape(graph, node, 1))
            return false;
        fill_conv(graph, node, out);
        return true;
    case NW_OP_MAX_POOL:
    case NW_OP_AVERAGE_POOL:
    case NW_OP_GLOBAL_POOL:
        if (x->rank != 4 && x->rank != 3)
            return false;
        fill_pool(graph, node, out);
        return true;
    case NW_OP_FULLY_CONNECTED:
        return fill_fully_connected(graph, node, out);
    case NW_OP_MATMUL:
        return fill_matmul(graph, node, out);
    default:
        return false;
    }
}

nw_tensor_id nw_graph_stored_root(const nw_graph *graph, nw_tensor_id id)
{
    for (int steps = 0; id != NW_NONE && steps <= graph->n_nodes; steps++) {
        const nw_tensor *tensor = &graph->tensors[id];
        if (tensor->is_stored)
            return id;
        if (!tensor->is_const || tensor->producer == NW_NONE)
            return NW_NONE;
        const nw_node *node = &graph->nodes[tensor->producer];
        if (node->op == NW_OP_CONSTANT_OF_SHAPE || node->op == NW_OP_CONSTANT)
            return id; /* published without weights: the filled tensor stands for them */
        /* The data input is the largest one; scales, shapes and permutations are small. */
        nw_tensor_id largest = NW_NONE;
        for (int i = 0; i < node->n_inputs; i++)
            if (node->inputs[i] != NW_NONE &&
                (largest == NW_NONE || nw_shape_elements(&graph->tensors[node->inputs[i]].shape) >
                                           nw_shape_elements(&graph->tensors[largest].shape)))
                largest = node->inputs[i];
        id = largest;
    }
    return NW_NONE;
}

static bool is_mac_op(nw_op op)
{
    return op == NW_OP_CONV2D || op == NW_OP_CONV_TRANSPOSE || op == NW_OP_MATMUL ||
           op == NW_OP_FULLY_CONNECTED;
}

/* Whether input i of an operator holds learned parameters when it is constant, and not a shape, a
 * scale of a quantisation, or a bound. */
static bool is_parameter_input(nw_op op, int i)
{
    switch (op) {
    case NW_OP_CONV2D:
    case NW_OP_CONV_TRANSPOSE:
    case NW_OP_FULLY_CONNECTED:
    case NW_OP_LAYER_NORM:
    case NW_OP_INSTANCE_NORM:
    case NW_OP_PRELU:
        return i >= 1;
    case NW_OP_BATCH_NORM:
        return i == 1 || i == 2; /* mean and variance are statistics */
    case NW_OP_MATMUL:
    case NW_OP_ADD:
    case NW_OP_SUB:
    case NW_OP_MUL:
    case NW_OP_DIV:
        return true;
    case NW_OP_GATHER:
        return i == 0;
    default:
        return false;
    }
}

typedef struct param_marks {
    uint8_t *seen; /* per tensor: 1 counted as a parameter, 2 as a weight, 4 as used by an
                    * operator that is not opaque */
    nw_counts *counts;
} param_marks;

static void count_parameter(const nw_graph *graph, param_marks *marks, nw_tensor_id id,
                            bool is_weight, bool allow_scalar)
{
    nw_tensor_id root = nw_graph_stored_root(graph, id);
    if (root == NW_NONE)
        return;
    const nw_tensor *tensor = &graph->tensors[root];
    int64_t elements = nw_shape_elements(&tensor->shape);
    if (elements <= 1 && !allow_scalar)
        return; /* a constant of a formula (x + 3), not a parameter */
    if (!(marks->seen[root] & 1)) {
        marks->counts->params += elements;
        marks->counts->weight_bytes += nw_tensor_bytes(tensor);
    }
    if (is_weight && !(marks->seen[root] & 2))
        marks->counts->weight_params += elements;
    marks->seen[root] |= is_weight ? 3 : 1;
}

static void count_marked(const nw_graph *graph, nw_node_id id, param_marks *marks)
{
    const nw_node *node = &graph->nodes[id];
    nw_geometry geometry;
    bool counts_macs = is_mac_op(node->op);
    if (counts_macs && nw_node_geometry(graph, id, &geometry))
        marks->counts->macs += geometry.macs;
    marks->counts->n_opaque += node->op == NW_OP_OPAQUE;
    for (int i = 0; i < node->n_inputs; i++) {
        if (node->inputs[i] == NW_NONE || !graph->tensors[node->inputs[i]].is_const)
            continue;
        bool is_weight = counts_macs && (i == 1 || node->op == NW_OP_MATMUL);
        if (is_parameter_input(node->op, i))
            count_parameter(graph, marks, node->inputs[i], is_weight,
                            counts_macs || node->op == NW_OP_PRELU);
        if (node->op != NW_OP_OPAQUE)
            marks->seen[node->inputs[i]] |= 4;
    }
}

void nw_graph_count_node(const nw_graph *graph, nw_node_id node, uint8_t *seen, nw_counts *counts)
{
    param_marks marks = {seen, counts};
    count_marked(graph, node, &marks);
}

static int64_t stored_bytes(const nw_tensor *tensor)
{
    bool is_as_stored = tensor->n_bytes && !tensor->edited;
    return is_as_stored ? (int64_t)tensor->n_bytes : nw_tensor_bytes(tensor);
}

void nw_graph_count(const nw_graph *graph, nw_counts *out)
{
    nw_counts counts = {.n_ops = graph->n_nodes};
    param_marks marks = {nw_zalloc((size_t)graph->n_tensors), &counts};
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        count_marked(graph, id, &marks);
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++) {
        if (!graph->tensors[id].is_stored)
            continue;
        counts.constant_bytes += stored_bytes(&graph->tensors[id]);
        if (!(marks.seen[id] & 4))
            counts.opaque_bytes += stored_bytes(&graph->tensors[id]);
    }
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        counts.constant_bytes += graph->nodes[id].opaque_bytes;
        counts.opaque_bytes += graph->nodes[id].opaque_bytes;
    }
    if (!counts.n_opaque)
        counts.opaque_bytes = 0; /* constants that nobody reads hide nothing */
    free(marks.seen);
    *out = counts;
}

static int compare_op_counts(const void *a, const void *b)
{
    const nw_op_count *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->file_type, y->file_type);
}

nw_op_count *nw_graph_count_ops(const nw_graph *graph, int *n_types)
{
    nw_op_count *rows = NULL;
    size_t capacity = 0;
    nw_map index = {0};
    int n = 0;
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const char *type = graph->nodes[id].file_type;
        int32_t at = nw_map_get(&index, type);
        if (at == NW_MAP_NONE) {
            rows = nw_grow(rows, (size_t)n, &capacity, sizeof *rows);
            rows[n] = (nw_op_count){.file_type = type, .n = 0};
            at = n++;
            nw_map_put(&index, type, at);
        }
        rows[at].n++;
        rows[at].n_opaque += graph->nodes[id].op == NW_OP_OPAQUE;
    }
    nw_map_fini(&index);
    if (n)
        qsort(rows, (size_t)n, sizeof *rows, compare_op_counts);
    *n_types = n;
    return rows;
}
