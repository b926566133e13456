#include "src/graph/fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shapes, scales and scalars are small; larger constants are weights, and nobody asks for those. */
#define MAX_LOAD 1024
/* Elements folded in one graph: far beyond any real shape arithmetic, and 64 MiB at most. Large
 * results (weights made by operators) stop earlier, so that they leave room for shapes. */
#define MAX_WORK       ((int64_t)8 << 20)
#define MAX_LARGE_WORK ((int64_t)2 << 20)

/* ---- values ---- */

bool nw_fold_has_value(const nw_tensor *tensor)
{
    return tensor && (tensor->ints || tensor->floats);
}

/* Elements of a shape that may not have been checked; -1 if unknown or more than limit. */
static int64_t count_elements(const nw_shape *shape, int64_t limit)
{
    int64_t n = 1;
    if (!nw_shape_is_known(shape))
        return -1;
    for (int i = 0; i < shape->rank; i++)
        if (__builtin_mul_overflow(n, shape->dims[i], &n))
            return -1;
    return n <= limit ? n : -1;
}

static bool can_hold(nw_dtype dtype)
{
    switch (dtype) {
    case NW_DTYPE_UNKNOWN:
    case NW_DTYPE_STRING:
    case NW_DTYPE_COMPLEX64:
    case NW_DTYPE_COMPLEX128:
    case NW_DTYPE_FLOAT8:
    case NW_DTYPE_OPAQUE:
        return false;
    default:
        return true;
    }
}

static void allocate(nw_graph *graph, nw_dtype dtype, int64_t n, nw_values *out)
{
    *out = (nw_values){.n = n, .dtype = dtype};
    void *memory = nw_graph_alloc(graph, (size_t)(n ? n : 1) * sizeof(int64_t));
    if (nw_dtype_is_float(dtype))
        out->floats = memory;
    else
        out->ints = memory;
}

/* Elements of output i, or -1 if it is not to be folded. */
static int64_t admit(const nw_infer *in, int output, int64_t extra_work)
{
    const nw_tensor *tensor = nw_infer_output(in, output);
    int64_t *work = &in->graph->store->fold_work;
    int64_t n =
        tensor && can_hold(tensor->dtype) ? count_elements(&tensor->shape, NW_MAX_FOLD) : -1;
    if (n < 0 || *work + n + extra_work > (n + extra_work > MAX_LOAD ? MAX_LARGE_WORK : MAX_WORK))
        return -1;
    *work += n + extra_work + 1;
    return n;
}

bool nw_fold_begin(const nw_infer *in, int output, int64_t extra_work, nw_values *out)
{
    int64_t n = admit(in, output, extra_work);
    if (n >= 0)
        allocate(in->graph, nw_infer_output(in, output)->dtype, n, out);
    return n >= 0;
}

static bool holds_number(const nw_filled *fill, bool is_float, int64_t integer, double real)
{
    return is_float ? fill->floats && memcmp(fill->floats, &real, sizeof real) == 0
                    : fill->ints && fill->ints[0] == integer;
}

/* A fill of the number, at least n long. */
static const nw_filled *find_fill(nw_graph *graph, nw_dtype dtype, int64_t n, int64_t integer,
                                  double real)
{
    nw_graph_store *store = graph->store;
    bool is_float = nw_dtype_is_float(dtype);
    nw_filled *fill = NULL;
    for (int i = 0; i < store->n_fills && !fill; i++)
        if (holds_number(&store->fills[i], is_float, integer, real))
            fill = &store->fills[i];
    if (fill && fill->n >= n)
        return fill;
    if (!fill) /* the last one gives way */
        fill = &store->fills[store->n_fills < NW_MAX_FILLED ? store->n_fills++ : NW_MAX_FILLED - 1];
    nw_values values;
    allocate(graph, dtype, n ? n : 1, &values);
    for (int64_t i = 0; i < values.n; i++)
        if (is_float)
            values.floats[i] = real;
        else
            values.ints[i] = integer;
    *fill = (nw_filled){values.ints, values.floats, values.n};
    return fill;
}

void nw_fold_fill(const nw_infer *in, int output, int64_t integer, double real)
{
    int64_t n = admit(in, output, 0);
    if (n < 0)
        return;
    nw_tensor *tensor = nw_infer_output(in, output);
    const nw_filled *fill = find_fill(in->graph, tensor->dtype, n, integer, real);
    tensor->ints = fill->ints;
    tensor->floats = fill->floats;
}

bool nw_fold_is_filled(const nw_infer *in, const nw_tensor *x)
{
    const nw_graph_store *store = in->graph->store;
    for (int i = 0; i < store->n_fills; i++)
        if ((x->ints && x->ints == store->fills[i].ints) ||
            (x->floats && x->floats == store->fills[i].floats))
            return true;
    return false;
}

void nw_fold_commit(const nw_infer *in, int output, const nw_values *values)
{
    nw_tensor *tensor = nw_infer_output(in, output);
    tensor->ints = values->ints;
    tensor->floats = values->floats;
}

void nw_fold_copy(const nw_values *values, int64_t to, const nw_tensor *x, int64_t from)
{
    if (values->ints)
        values->ints[to] = x->ints[from];
    else
        values->floats[to] = x->floats[from];
}

bool nw_fold_same_class(const nw_values *values, const nw_tensor *x)
{
    return values->ints ? x->ints != NULL : x->floats != NULL;
}

int64_t nw_fold_wrap(nw_dtype dtype, int64_t value)
{
    int bits = nw_dtype_bits(dtype);
    if (dtype == NW_DTYPE_BOOL)
        return value != 0;
    if (bits <= 0 || bits >= 64)
        return value;
    uint64_t mask = ((uint64_t)1 << bits) - 1, low = (uint64_t)value & mask;
    bool is_unsigned = dtype == NW_DTYPE_UINT4 || dtype == NW_DTYPE_UINT8 ||
                       dtype == NW_DTYPE_UINT16 || dtype == NW_DTYPE_UINT32;
    if (is_unsigned || !(low >> (bits - 1)))
        return (int64_t)low;
    return (int64_t)low - (int64_t)mask - 1;
}

/* To so many significant bits, halves to even. */
static double round_bits(double value, int n_bits)
{
    int exponent;
    double fraction = frexp(value, &exponent);
    return isfinite(value) ? ldexp(nearbyint(ldexp(fraction, n_bits)), exponent - n_bits) : value;
}

double nw_fold_round(nw_dtype dtype, double value)
{
    switch (dtype) {
    case NW_DTYPE_FLOAT32:
        return (double)(float)value;
    case NW_DTYPE_FLOAT16:
        return round_bits(value, 11);
    case NW_DTYPE_BFLOAT16:
        return round_bits(value, 8);
    default:
        return value;
    }
}

/* ---- loading ---- */

void nw_fold_load(nw_graph *graph, nw_tensor_id id)
{
    nw_tensor *tensor = &graph->tensors[id];
    int64_t n = can_hold(tensor->dtype) ? count_elements(&tensor->shape, MAX_LOAD) : -1;
    int bits = nw_dtype_bits(tensor->dtype);
    int64_t *work = &graph->store->fold_work;
    if (n < 0 || nw_fold_has_value(tensor) || *work + n > MAX_WORK)
        return;
    if (n > 0 && (!tensor->data || tensor->n_bytes < (size_t)(n * bits + 7) / 8))
        return;
    nw_values values;
    allocate(graph, tensor->dtype, n, &values);
    *work += n + 1;
    for (int64_t i = 0; i < n; i++)
        if (values.ints)
            values.ints[i] =
                nw_fold_wrap(tensor->dtype, nw_element_read_int(tensor->dtype, tensor->data, i));
        else
            values.floats[i] = nw_element_read(tensor->dtype, tensor->data, i);
    tensor->ints = values.ints;
    tensor->floats = values.floats;
}

/* ---- moving values ---- */

static void copy_view(const nw_infer *in, int output, const nw_view *view)
{
    const nw_tensor *x = nw_infer_input(in, 0);
    nw_values values;
    if (!nw_fold_begin(in, output, 0, &values) || !nw_fold_same_class(&values, x))
        return;
    for (int64_t i = 0; i < values.n; i++)
        nw_fold_copy(&values, i, x, nw_view_offset(view, i));
    nw_fold_commit(in, output, &values);
}

static void fold_view(const nw_infer *in)
{
    const nw_tensor *x = nw_infer_input(in, 0);
    nw_tensor *out = nw_infer_output(in, 0);
    nw_view view;
    if (!out || !nw_fold_has_value(x) || nw_infer_view(in, &view) != NW_OK || view.shape.rank < 0)
        return;
    switch (in->node->op) {
    case NW_OP_RESHAPE:
    case NW_OP_FLATTEN:
    case NW_OP_SQUEEZE:
    case NW_OP_UNSQUEEZE:
    case NW_OP_IDENTITY: /* the same elements in the same order: shared */
        if (out->dtype == x->dtype) {
            out->ints = x->ints;
            out->floats = x->floats;
        }
        return;
    default:
        copy_view(in, 0, &view);
    }
}

/* The view of input 0 that begins at `start` on an axis and is as large as output i. */
static void fold_part(const nw_infer *in, int i, int axis, int64_t start)
{
    const nw_tensor *out = nw_infer_output(in, i);
    nw_view view;
    if (!out)
        return;
    nw_view_dense(nw_infer_shape(in, 0), &view);
    view.start = start * view.strides[axis];
    if (in->node->op == NW_OP_UNSTACK)
        for (int k = axis; k + 1 < view.shape.rank; k++)
            view.strides[k] = view.strides[k + 1];
    view.shape = out->shape;
    copy_view(in, i, &view);
}

static void fold_unstack(const nw_infer *in)
{
    int axis;
    if (!nw_fold_has_value(nw_infer_input(in, 0)) ||
        nw_infer_axis(in, in->node->attrs.axis, nw_infer_shape(in, 0)->rank, &axis) != NW_OK)
        return;
    for (int i = 0; i < in->node->n_outputs; i++)
        fold_part(in, i, axis, i);
}

static void fold_split(const nw_infer *in)
{
    int n = in->node->n_outputs, axis;
    bool is_known;
    if (!nw_fold_has_value(nw_infer_input(in, 0)))
        return;
    int64_t *parts = nw_alloc((size_t)(n ? n : 1) * sizeof *parts), start = 0;
    if (nw_infer_split(in, &axis, parts, &is_known) == NW_OK && is_known)
        for (int i = 0; i < n; i++) {
            fold_part(in, i, axis, start);
            start += parts[i];
        }
    free(parts);
}

/* Concat and Stack: of every input in turn, a run for each step of the axes in front. */
static void fold_join(const nw_infer *in)
{
    nw_values values;
    const nw_tensor *out = nw_infer_output(in, 0);
    int axis;
    int64_t run = 1, start = 0;
    for (int i = 0; i < in->node->n_inputs; i++)
        if (!nw_fold_has_value(nw_infer_input(in, i)))
            return;
    if (!out || nw_infer_axis(in, in->node->attrs.axis, out->shape.rank, &axis) != NW_OK ||
        !nw_fold_begin(in, 0, in->node->n_inputs, &values))
        return;
    for (int i = axis; i < out->shape.rank; i++)
        run *= out->shape.dims[i];
    int64_t n_runs = run ? values.n / run : 0;
    for (int i = 0; i < in->node->n_inputs && n_runs; i++) {
        const nw_tensor *x = nw_infer_input(in, i);
        int64_t length = nw_shape_elements(&x->shape) / n_runs;
        if (!nw_fold_same_class(&values, x))
            return;
        for (int64_t k = 0; k < n_runs * length; k++)
            nw_fold_copy(&values, k / length * run + start + k % length, x, k);
        start += length;
    }
    nw_fold_commit(in, 0, &values);
}

static void fold_gather(const nw_infer *in)
{
    const nw_tensor *x = nw_infer_input(in, 0), *indices = nw_infer_input(in, 1);
    nw_values values;
    int axis;
    if (!nw_fold_has_value(x) || !nw_fold_has_value(indices) || !indices->ints ||
        nw_infer_axis(in, in->node->attrs.axis, x->shape.rank, &axis) != NW_OK ||
        !nw_fold_begin(in, 0, 0, &values) || !nw_fold_same_class(&values, x))
        return;
    int64_t inner = 1, n = nw_shape_elements(&indices->shape), size = x->shape.dims[axis];
    for (int i = axis + 1; i < x->shape.rank; i++)
        inner *= x->shape.dims[i];
    for (int64_t i = 0; i < values.n; i++) { /* inner and n are not 0, or there is no element */
        int64_t index = indices->ints[i / inner % n]; /* checked when the shape was inferred */
        index += index < 0 ? size : 0;
        nw_fold_copy(&values, i, x, (i / inner / n * size + index) * inner + i % inner);
    }
    nw_fold_commit(in, 0, &values);
}

static void fold_tile(const nw_infer *in)
{
    const nw_tensor *x = nw_infer_input(in, 0);
    nw_values values;
    nw_view view;
    nw_list repeats; /* unknown: the output's shape is only what the file claims */
    if (!nw_fold_has_value(x) || nw_infer_list(in, 1, &repeats) != NW_LIST_KNOWN ||
        !nw_fold_begin(in, 0, 0, &values) || !nw_fold_same_class(&values, x))
        return;
    nw_view_dense(&x->shape, &view);
    const nw_shape *shape = &nw_infer_output(in, 0)->shape;
    for (int64_t i = 0; i < values.n; i++) {
        int64_t rest = i, from = 0;
        for (int axis = shape->rank - 1; axis >= 0; axis--) {
            from += rest % shape->dims[axis] % x->shape.dims[axis] * view.strides[axis];
            rest /= shape->dims[axis];
        }
        nw_fold_copy(&values, i, x, from);
    }
    nw_fold_commit(in, 0, &values);
}

/* ---- making values ---- */

static void fold_constant(const nw_infer *in)
{
    for (int i = 0; i < in->node->n_outputs; i++)
        if (nw_infer_output(in, i))
            nw_fold_load(in->graph, in->node->outputs[i]);
}

static void fold_shape(const nw_infer *in)
{
    const nw_tensor *x = nw_infer_input(in, 0);
    nw_values values;
    int start, end;
    if (!x || !nw_shape_is_known(&x->shape))
        return;
    nw_infer_shape_range(in, &start, &end);
    if (!nw_fold_begin(in, 0, 0, &values) || !values.ints || values.n != end - start)
        return;
    for (int i = start; i < end; i++)
        values.ints[i - start] = x->shape.dims[i];
    nw_fold_commit(in, 0, &values);
}

static void fold_size(const nw_infer *in)
{
    const nw_tensor *x = nw_infer_input(in, 0);
    nw_values values;
    if (!x || !nw_shape_is_known(&x->shape) || !nw_fold_begin(in, 0, 0, &values) || !values.ints)
        return;
    values.ints[0] = nw_shape_elements(&x->shape);
    nw_fold_commit(in, 0, &values);
}

static void fold_constant_of_shape(const nw_infer *in)
{
    const nw_attrs *attrs = &in->node->attrs;
    const nw_tensor *out = nw_infer_output(in, 0);
    bool is_int = attrs->has_ints && attrs->n_ints > 0;
    if (nw_infer_input(in, 0) == NULL || !nw_infer_input(in, 0)->ints || !out)
        return;
    double real = is_int ? (double)attrs->ints[0] : attrs->n_floats > 0 ? attrs->floats[0] : 0;
    if (!nw_dtype_is_float(out->dtype) && !is_int && real != 0)
        return;
    nw_fold_fill(in, 0, nw_fold_wrap(out->dtype, is_int ? attrs->ints[0] : 0),
                 nw_fold_round(out->dtype, real));
}

static void fold_range(const nw_infer *in)
{
    const nw_tensor *x[3];
    nw_values values;
    if (!nw_fold_begin(in, 0, 0, &values))
        return;
    for (int i = 0; i < 3; i++) {
        x[i] = nw_infer_input(in, i);
        if (!nw_fold_has_value(x[i]) || !nw_fold_same_class(&values, x[i]))
            return;
    }
    for (int64_t i = 0; i < values.n; i++)
        if (values.ints)
            values.ints[i] =
                nw_fold_wrap(values.dtype, (int64_t)((uint64_t)x[0]->ints[0] +
                                                     (uint64_t)i * (uint64_t)x[2]->ints[0]));
        else
            values.floats[i] =
                nw_fold_round(values.dtype, x[0]->floats[0] + (double)i * x[2]->floats[0]);
    nw_fold_commit(in, 0, &values);
}

/* ---- the table ---- */

static nw_fold_rule *const rules[NW_OP_COUNT] = {
    [NW_OP_UNARY] = nw_fold_unary,
    [NW_OP_ADD] = nw_fold_arithmetic,
    [NW_OP_SUB] = nw_fold_arithmetic,
    [NW_OP_MUL] = nw_fold_arithmetic,
    [NW_OP_DIV] = nw_fold_arithmetic,
    [NW_OP_POW] = nw_fold_arithmetic,
    [NW_OP_MIN] = nw_fold_arithmetic,
    [NW_OP_MAX] = nw_fold_arithmetic,
    [NW_OP_MOD] = nw_fold_arithmetic,
    [NW_OP_COMPARE] = nw_fold_compare,
    [NW_OP_WHERE] = nw_fold_where,
    [NW_OP_CONCAT] = fold_join,
    [NW_OP_STACK] = fold_join,
    [NW_OP_UNSTACK] = fold_unstack,
    [NW_OP_SPLIT] = fold_split,
    [NW_OP_SLICE] = fold_view,
    [NW_OP_SLICE_SIZE] = fold_view,
    [NW_OP_STRIDED_SLICE] = fold_view,
    [NW_OP_GATHER] = fold_gather,
    [NW_OP_RESHAPE] = fold_view,
    [NW_OP_FLATTEN] = fold_view,
    [NW_OP_SQUEEZE] = fold_view,
    [NW_OP_UNSQUEEZE] = fold_view,
    [NW_OP_TRANSPOSE] = fold_view,
    [NW_OP_EXPAND] = fold_view,
    [NW_OP_TILE] = fold_tile,
    [NW_OP_REDUCE] = nw_fold_reduce,
    [NW_OP_CAST] = nw_fold_cast,
    [NW_OP_IDENTITY] = fold_view,
    [NW_OP_CONSTANT] = fold_constant,
    [NW_OP_CONSTANT_OF_SHAPE] = fold_constant_of_shape,
    [NW_OP_SHAPE] = fold_shape,
    [NW_OP_SIZE] = fold_size,
    [NW_OP_RANGE] = fold_range,
};

void nw_fold_node(nw_graph *graph, nw_node_id node)
{
    nw_infer in = {.graph = graph, .node = &graph->nodes[node], .id = node};
    if (rules[in.node->op])
        rules[in.node->op](&in);
}
