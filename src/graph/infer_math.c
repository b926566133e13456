#include <inttypes.h>

#include "src/graph/infer.h"

nw_status nw_rule_same(const nw_infer *in)
{
    for (int i = 0; i < in->node->n_outputs; i++)
        nw_infer_set(in, i, nw_infer_shape(in, 0));
    return NW_OK;
}

nw_status nw_rule_same_axis(const nw_infer *in)
{
    const nw_shape *x = nw_infer_shape(in, 0);
    int axis;
    nw_status status = NW_OK;
    if (x->rank > 0)
        status = nw_infer_axis(in, in->node->attrs.axis, x->rank, &axis);
    return status == NW_OK ? nw_rule_same(in) : status;
}

nw_status nw_rule_broadcast(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    for (int i = 1; i < in->node->n_inputs; i++) {
        nw_status status = NW_OK;
        if (nw_infer_input(in, i))
            status = nw_infer_broadcast(in, &shape, nw_infer_shape(in, i));
        if (status != NW_OK)
            return status;
    }
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

static int channel_axis(const nw_infer *in, int rank)
{
    return in->graph->layout == NW_LAYOUT_NCHW && rank > 1 ? 1 : rank - 1;
}

nw_status nw_rule_prelu(const nw_infer *in)
{
    const nw_shape *x = nw_infer_shape(in, 0), *slope = nw_infer_shape(in, 1);
    int64_t n = nw_shape_elements(slope);
    int64_t channels = x->rank > 0 ? x->dims[channel_axis(in, x->rank)] : 1;
    nw_shape wide = *x;
    /* Before opset 7 a plain list means one slope a channel. */
    if (n != 1 && !(slope->rank == 1 && n == channels)) {
        nw_status status = nw_infer_broadcast(in, &wide, slope);
        if (status != NW_OK)
            return status;
    }
    if (!nw_shape_equal(&wide, x))
        return nw_infer_fail(in, "%" PRId64 " slopes do not fit %" PRId64 " elements", n,
                             nw_shape_elements(x));
    nw_infer_set(in, 0, x);
    return NW_OK;
}

nw_status nw_rule_batch_norm(const nw_infer *in)
{
    const nw_shape *x = nw_infer_shape(in, 0);
    int64_t channels = x->rank > 0 ? x->dims[channel_axis(in, x->rank)] : 1;
    nw_shape list = {.rank = 1, .dims = {channels}};
    for (int i = 1; i < in->node->n_inputs && i < 5; i++) {
        const nw_tensor *param = nw_infer_input(in, i);
        if (param && nw_shape_is_known(&param->shape) &&
            nw_shape_elements(&param->shape) != channels)
            return nw_infer_fail(in, "input %d has %" PRId64 " values for %" PRId64 " channels", i,
                                 nw_shape_elements(&param->shape), channels);
    }
    nw_infer_set(in, 0, x);
    for (int i = 1; i < in->node->n_outputs; i++) /* statistics, of training */
        nw_infer_set(in, i, &list);
    return NW_OK;
}

nw_status nw_rule_layer_norm(const nw_infer *in)
{
    const nw_shape *x = nw_infer_shape(in, 0);
    nw_shape rows = *x;
    int axis = 0;
    if (x->rank > 0) {
        nw_status status = nw_infer_axis(in, in->node->attrs.axis, x->rank, &axis);
        if (status != NW_OK)
            return status;
    }
    for (int i = axis; i < x->rank; i++)
        rows.dims[i] = 1;
    nw_infer_set(in, 0, x);
    for (int i = 1; i < in->node->n_outputs; i++) /* mean and deviation */
        nw_infer_set(in, i, &rows);
    return NW_OK;
}

nw_status nw_rule_quantize(const nw_infer *in)
{
    nw_infer_set(in, 0, nw_infer_shape(in, 0));
    for (int i = 1; i < in->node->n_outputs; i++) /* scale and zero point that it chose itself */
        nw_infer_set(in, i, &(nw_shape){.rank = 0});
    return NW_OK;
}

/* ---- products ---- */

/* A matrix operand: rows x columns as multiplied, and the batch axes in front. */
typedef struct operand {
    int64_t rows, columns;
    nw_shape batch;
    bool is_vector; /* its missing axis is left out of the product */
} operand;

static operand read_operand(const nw_shape *shape, bool is_transposed, bool is_left)
{
    operand m = {.is_vector = shape->rank == 1};
    if (m.is_vector) {
        m.rows = is_left ? 1 : shape->dims[0];
        m.columns = is_left ? shape->dims[0] : 1;
        return m;
    }
    int last = shape->rank - 1;
    m.rows = shape->dims[is_transposed ? last : last - 1];
    m.columns = shape->dims[is_transposed ? last - 1 : last];
    m.batch = *shape;
    m.batch.rank = shape->rank - 2;
    return m;
}

nw_status nw_rule_matmul(const nw_infer *in)
{
    const nw_shape *a = nw_infer_shape(in, 0), *b = nw_infer_shape(in, 1);
    const nw_attrs *attrs = &in->node->attrs;
    if (a->rank == 0 || b->rank == 0)
        return nw_infer_fail(in, "a scalar (ranks %d and %d) cannot be matrix-multiplied", a->rank,
                             b->rank);
    operand left = read_operand(a, attrs->transpose_a, true);
    operand right = read_operand(b, attrs->transpose_b, false);
    if (left.columns != right.rows)
        return nw_infer_fail(
            in, "the first matrix has %" PRId64 " columns, the second %" PRId64 " rows",
            left.columns, right.rows);
    nw_shape shape = left.batch;
    nw_status status = nw_infer_broadcast(in, &shape, &right.batch);
    if (status != NW_OK)
        return status;
    if (!left.is_vector)
        shape.dims[shape.rank++] = left.rows;
    if (!right.is_vector)
        shape.dims[shape.rank++] = right.columns;
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

/* A bias of one value an output column, or anything that broadcasts to the product. */
static nw_status check_bias(const nw_infer *in, const nw_shape *product)
{
    const nw_tensor *bias = nw_infer_input(in, 2);
    nw_shape wide = *product;
    int64_t columns = product->dims[product->rank - 1];
    if (!bias || !nw_shape_is_known(&bias->shape) || nw_shape_elements(&bias->shape) == columns)
        return NW_OK;
    nw_status status = nw_infer_broadcast(in, &wide, &bias->shape);
    if (status == NW_OK && !nw_shape_equal(&wide, product))
        return nw_infer_fail(in, "the bias has %" PRId64 " values for %" PRId64 " outputs",
                             nw_shape_elements(&bias->shape), columns);
    return status;
}

nw_status nw_rule_fully_connected(const nw_infer *in)
{
    const nw_shape *x = nw_infer_shape(in, 0), *w = nw_infer_shape(in, 1);
    const nw_attrs *attrs = &in->node->attrs;
    if (w->rank != 2)
        return nw_infer_fail(in, "the weights have %d dimensions, 2 expected", w->rank);
    bool inner_first = attrs->weight_layout == NW_WEIGHTS_IOHW;
    int64_t inner = w->dims[inner_first ? 0 : 1], outer = w->dims[inner_first ? 1 : 0];
    int64_t n = nw_shape_elements(x);
    nw_shape shape = {.rank = 2, .dims = {0, outer}};
    if (attrs->transpose_a && x->rank == 2) {
        shape.dims[0] = x->dims[1];
        n = x->dims[0];
    } else if (attrs->keep_dims && x->rank > 0) {
        shape = *x;
        n = x->dims[x->rank - 1];
        shape.dims[x->rank - 1] = outer;
    } else if (inner > 0 && n % inner == 0) {
        shape.dims[0] = n / inner;
        n = inner;
    }
    if (n != inner)
        return nw_infer_fail(
            in, "the input has %" PRId64 " values a row, the weights take %" PRId64, n, inner);
    nw_infer_set(in, 0, &shape);
    return check_bias(in, &shape);
}

/* ---- reductions ---- */

nw_status nw_infer_reduced(const nw_infer *in, uint32_t *axes, bool *is_known)
{
    int rank = nw_infer_shape(in, 0)->rank;
    nw_list list;
    nw_list_state state = nw_infer_list(in, 1, &list);
    *is_known = state != NW_LIST_UNKNOWN;
    if (!*is_known)
        return NW_OK;
    if (list.n == 0) {
        *axes = in->node->attrs.noop_empty ? 0 : (1u << rank) - 1;
        return NW_OK;
    }
    if (rank == 0) { /* TFLite's converter writes axis 0 or -1 even for scalars */
        *axes = 0;
        return NW_OK;
    }
    return nw_infer_axis_set(in, &list, rank, false, axes);
}

static nw_shape drop_axes(const nw_shape *x, uint32_t axes, bool keep)
{
    nw_shape shape = {.rank = 0};
    for (int i = 0; i < x->rank; i++) {
        bool is_dropped = axes & 1u << i;
        if (!is_dropped || keep)
            shape.dims[shape.rank++] = is_dropped ? 1 : x->dims[i];
    }
    return shape;
}

nw_status nw_rule_reduce(const nw_infer *in)
{
    uint32_t axes;
    bool is_known;
    nw_status status = nw_infer_reduced(in, &axes, &is_known);
    if (status != NW_OK || !is_known)
        return status;
    nw_shape shape = drop_axes(nw_infer_shape(in, 0), axes, in->node->attrs.keep_dims);
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

nw_status nw_rule_arg_max(const nw_infer *in)
{
    const nw_shape *x = nw_infer_shape(in, 0);
    nw_list list;
    int axis;
    nw_list_state state = nw_infer_values(in, 1, &list);
    if (state == NW_LIST_UNKNOWN)
        return NW_OK;
    bool is_input = state == NW_LIST_KNOWN && list.n > 0;
    nw_status status =
        nw_infer_axis(in, is_input ? list.values[0] : in->node->attrs.axis, x->rank, &axis);
    if (status != NW_OK)
        return status;
    nw_shape shape = drop_axes(x, 1u << axis, in->node->attrs.keep_dims);
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

nw_status nw_rule_top_k(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    nw_list list;
    int axis;
    if (nw_infer_list(in, 1, &list) != NW_LIST_KNOWN)
        return NW_OK;
    nw_status status = nw_infer_axis(in, in->node->attrs.axis, shape.rank, &axis);
    if (status != NW_OK)
        return status;
    if (list.n != 1 || list.values[0] < 0 || list.values[0] > shape.dims[axis])
        return nw_infer_fail(in, "the top %" PRId64 " of %" PRId64 " values do not exist",
                             list.n ? list.values[0] : -1, shape.dims[axis]);
    shape.dims[axis] = list.values[0];
    nw_infer_set(in, 0, &shape);
    nw_infer_set(in, 1, &shape);
    return NW_OK;
}
