#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "src/base/arena.h"
#include "src/graph/infer.h"

nw_status nw_rule_view(const nw_infer *in)
{
    nw_view view;
    nw_status status = nw_infer_view(in, &view);
    if (status == NW_OK && view.shape.rank >= 0)
        nw_infer_set(in, 0, &view.shape);
    return status;
}

/* ---- joining and parting ---- */

/* PyTorch's exporter joins an empty list with real tensors; it adds nothing, whatever its rank. */
static bool is_empty_list(const nw_shape *shape)
{
    return shape->rank == 1 && shape->dims[0] == 0;
}

nw_status nw_rule_concat(const nw_infer *in)
{
    int first = 0, n = in->node->n_inputs, axis;
    while (first + 1 < n && is_empty_list(nw_infer_shape(in, first)))
        first++;
    nw_shape shape = *nw_infer_shape(in, first);
    nw_status status = nw_infer_axis(in, in->node->attrs.axis, shape.rank, &axis);
    if (status != NW_OK)
        return status;
    for (int i = first + 1; i < n; i++) {
        const nw_shape *x = nw_infer_shape(in, i);
        if (is_empty_list(x))
            continue;
        if (x->rank != shape.rank)
            return nw_infer_fail(in, "input %d has %d dimensions, input %d has %d", i, x->rank,
                                 first, shape.rank);
        for (int k = 0; k < shape.rank; k++)
            if (k != axis && x->dims[k] != shape.dims[k])
                return nw_infer_fail(in,
                                     "inputs %d and %d differ on axis %d: %" PRId64 " and %" PRId64,
                                     first, i, k, shape.dims[k], x->dims[k]);
        shape.dims[axis] = nw_bounded(shape.dims[axis] + x->dims[axis]);
    }
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

/* *shape with a new axis before axis `at`, which may be its rank. */
static nw_status insert_axis(const nw_infer *in, nw_shape *shape, int64_t at, int64_t size)
{
    int axis;
    if (shape->rank == NW_MAX_RANK)
        return nw_infer_fail(in, "the output would have %d dimensions, the limit is %d",
                             NW_MAX_RANK + 1, NW_MAX_RANK);
    nw_status status = nw_infer_axis(in, at, shape->rank + 1, &axis);
    if (status != NW_OK)
        return status;
    for (int i = shape->rank++; i > axis; i--)
        shape->dims[i] = shape->dims[i - 1];
    shape->dims[axis] = size;
    return NW_OK;
}

nw_status nw_rule_stack(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    for (int i = 1; i < in->node->n_inputs; i++) {
        const nw_shape *x = nw_infer_shape(in, i);
        if (x->rank != shape.rank)
            return nw_infer_fail(in, "input %d has %d dimensions, input 0 has %d", i, x->rank,
                                 shape.rank);
        for (int k = 0; k < shape.rank; k++)
            if (x->dims[k] != shape.dims[k])
                return nw_infer_fail(in,
                                     "inputs 0 and %d differ on axis %d: %" PRId64 " and %" PRId64,
                                     i, k, shape.dims[k], x->dims[k]);
    }
    nw_status status = insert_axis(in, &shape, in->node->attrs.axis, in->node->n_inputs);
    if (status == NW_OK)
        nw_infer_set(in, 0, &shape);
    return status;
}

nw_status nw_rule_unstack(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    int axis;
    nw_status status = nw_infer_axis(in, in->node->attrs.axis, shape.rank, &axis);
    if (status != NW_OK)
        return status;
    if (shape.dims[axis] != in->node->n_outputs)
        return nw_infer_fail(in, "axis %d has size %" PRId64 " but there are %d outputs", axis,
                             shape.dims[axis], in->node->n_outputs);
    shape.rank--;
    for (int i = axis; i < shape.rank; i++)
        shape.dims[i] = shape.dims[i + 1];
    for (int i = 0; i < in->node->n_outputs; i++)
        nw_infer_set(in, i, &shape);
    return NW_OK;
}

/* Equal parts; where they do not divide, the last is smaller (ONNX from opset 18 on). */
static nw_status split_equally(const nw_infer *in, int64_t size, int64_t *parts)
{
    int n = in->node->n_outputs;
    int64_t part = n ? (size + n - 1) / n : 0, rest = size - part * (n - 1);
    if (n == 0)
        return NW_OK;
    if (rest < 0 || (rest == 0 && size > 0))
        return nw_infer_fail(in, "size %" PRId64 " cannot be split into %d parts", size, n);
    for (int i = 0; i < n; i++)
        parts[i] = i == n - 1 ? rest : part;
    return NW_OK;
}

static nw_status split_by_list(const nw_infer *in, const nw_list *sizes, int64_t size,
                               int64_t *parts)
{
    int64_t sum = 0, open = -1;
    if (sizes->n != in->node->n_outputs)
        return nw_infer_fail(in, "%" PRId64 " sizes for %d outputs", sizes->n, in->node->n_outputs);
    for (int64_t i = 0; i < sizes->n; i++) {
        parts[i] = sizes->values[i];
        if (parts[i] == -1 && open < 0)
            open = i;
        else if (parts[i] < 0 || parts[i] > size)
            return nw_infer_fail(
                in, "part %" PRId64 " of size %" PRId64 " is out of range, of %" PRId64, i,
                parts[i], size);
        else
            sum += parts[i];
    }
    if (open >= 0 && sum <= size) {
        parts[open] = size - sum;
        sum = size;
    }
    if (sum != size)
        return nw_infer_fail(in, "the parts add up to %" PRId64 ", the axis has %" PRId64, sum,
                             size);
    return NW_OK;
}

nw_status nw_infer_split(const nw_infer *in, int *axis, int64_t *parts, bool *is_known)
{
    const nw_shape *x = nw_infer_shape(in, 0);
    nw_list sizes;
    nw_list_state state = nw_infer_list(in, 1, &sizes);
    *is_known = state != NW_LIST_UNKNOWN;
    if (!*is_known)
        return NW_OK;
    nw_status status = nw_infer_axis(in, in->node->attrs.axis, x->rank, axis);
    if (status != NW_OK)
        return status;
    if (state == NW_LIST_ABSENT || (sizes.n == 0 && in->node->n_outputs > 0))
        return split_equally(in, x->dims[*axis], parts);
    return split_by_list(in, &sizes, x->dims[*axis], parts);
}

nw_status nw_rule_split(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    int n = in->node->n_outputs, axis;
    int64_t *parts = nw_alloc((size_t)(n ? n : 1) * sizeof *parts);
    bool is_known;
    nw_status status = nw_infer_split(in, &axis, parts, &is_known);
    for (int i = 0; i < n && status == NW_OK && is_known; i++) {
        shape.dims[axis] = parts[i];
        nw_infer_set(in, i, &shape);
    }
    free(parts);
    return status;
}

/* ---- gathering ---- */

nw_status nw_rule_gather(const nw_infer *in)
{
    const nw_shape *x = nw_infer_shape(in, 0), *indices = nw_infer_shape(in, 1);
    nw_shape shape = {.rank = 0};
    nw_list values;
    int axis;
    nw_status status = nw_infer_axis(in, in->node->attrs.axis, x->rank, &axis);
    if (status != NW_OK)
        return status;
    if (x->rank + indices->rank - 1 > NW_MAX_RANK)
        return nw_infer_fail(in, "the output would have %d dimensions, the limit is %d",
                             x->rank + indices->rank - 1, NW_MAX_RANK);
    nw_infer_values(in, 1, &values);
    for (int64_t i = 0; i < values.n; i++)
        if (values.values[i] < -x->dims[axis] || values.values[i] >= x->dims[axis])
            return nw_infer_fail(in, "index %" PRId64 " is outside axis %d of size %" PRId64,
                                 values.values[i], axis, x->dims[axis]);
    for (int i = 0; i < axis; i++)
        shape.dims[shape.rank++] = x->dims[i];
    for (int i = 0; i < indices->rank; i++)
        shape.dims[shape.rank++] = indices->dims[i];
    for (int i = axis + 1; i < x->rank; i++)
        shape.dims[shape.rank++] = x->dims[i];
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

nw_status nw_rule_gather_nd(const nw_infer *in)
{
    const nw_shape *x = nw_infer_shape(in, 0), *indices = nw_infer_shape(in, 1);
    int batch = in->node->attrs.axis, last = indices->rank - 1;
    if (batch < 0 || batch > last || batch >= x->rank)
        return nw_infer_fail(in, "%d batch axes for tensors of %d and %d dimensions", batch,
                             x->rank, indices->rank);
    int64_t depth = indices->dims[last];
    if (depth > x->rank - batch)
        return nw_infer_fail(in, "indices of %" PRId64 " numbers for %d dimensions", depth,
                             x->rank - batch);
    for (int i = 0; i < batch; i++)
        if (x->dims[i] != indices->dims[i])
            return nw_infer_fail(in, "batch axis %d has sizes %" PRId64 " and %" PRId64, i,
                                 x->dims[i], indices->dims[i]);
    int rest = x->rank - batch - (int)depth;
    if (last + rest > NW_MAX_RANK)
        return nw_infer_fail(in, "the output would have %d dimensions, the limit is %d",
                             last + rest, NW_MAX_RANK);
    nw_shape shape = *indices;
    shape.rank = last;
    for (int i = 0; i < rest; i++)
        shape.dims[shape.rank++] = x->dims[x->rank - rest + i];
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

nw_status nw_rule_gather_elements(const nw_infer *in)
{
    const nw_shape *x = nw_infer_shape(in, 0), *indices = nw_infer_shape(in, 1);
    if (x->rank != indices->rank)
        return nw_infer_fail(in, "the input has %d dimensions, the indices have %d", x->rank,
                             indices->rank);
    nw_infer_set(in, 0, indices);
    return NW_OK;
}

/* ---- made from parameters ---- */

nw_status nw_rule_one_hot(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    const nw_tensor *depth = nw_infer_input(in, 1);
    if (!depth || nw_shape_elements(&depth->shape) != 1 || (!depth->ints && !depth->floats))
        return NW_OK;
    double size = depth->ints ? (double)depth->ints[0] : depth->floats[0];
    if (!(size >= 0 && size <= (double)NW_MAX_DIM))
        return nw_infer_fail(in, "depth %g is not within 0..%lld", size, (long long)NW_MAX_DIM);
    nw_status status = insert_axis(in, &shape, in->node->attrs.axis, (int64_t)size);
    if (status == NW_OK)
        nw_infer_set(in, 0, &shape);
    return status;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static nw_status count_ints(const nw_infer *in, int64_t start, int64_t limit, int64_t step,
                            int64_t *out)
{
    int64_t span;
    if (step == 0 || __builtin_sub_overflow(limit, start, &span))
        return nw_infer_fail(in,
                             "a range from %" PRId64 " to %" PRId64 " in steps of %" PRId64
                             " has no usable length",
                             start, limit, step);
    uint64_t way = magnitude(span), pace = magnitude(step), n = way / pace + (way % pace != 0);
    *out = (span > 0) != (step > 0) ? 0 : nw_bounded(n > INT64_MAX ? INT64_MAX : (int64_t)n);
    return NW_OK;
}

static nw_status count_floats(const nw_infer *in, double start, double limit, double step,
                              int64_t *out)
{
    bool is_single = nw_infer_input(in, 0)->dtype == NW_DTYPE_FLOAT32;
    double span = is_single ? (double)(float)(limit - start) : limit - start;
    double n = ceil(span / step);
    if (step == 0 || !(n <= (double)NW_MAX_DIM))
        return nw_infer_fail(in, "a range from %g to %g in steps of %g has no usable length", start,
                             limit, step);
    *out = n > 0 ? (int64_t)n : 0;
    return NW_OK;
}

nw_status nw_rule_range(const nw_infer *in)
{
    nw_shape shape = {.rank = 1};
    const nw_tensor *x[3];
    int n_ints = 0, n_floats = 0;
    for (int i = 0; i < 3; i++) {
        x[i] = nw_infer_input(in, i);
        if (nw_shape_elements(&x[i]->shape) != 1)
            return nw_infer_fail(in, "input %d has %" PRId64 " values, 1 expected", i,
                                 nw_shape_elements(&x[i]->shape));
        n_ints += x[i]->ints != NULL;
        n_floats += x[i]->floats != NULL;
    }
    nw_status status = NW_OK;
    if (n_ints == 3)
        status = count_ints(in, x[0]->ints[0], x[1]->ints[0], x[2]->ints[0], &shape.dims[0]);
    else if (n_floats == 3)
        status =
            count_floats(in, x[0]->floats[0], x[1]->floats[0], x[2]->floats[0], &shape.dims[0]);
    else
        return NW_OK;
    if (status == NW_OK)
        nw_infer_set(in, 0, &shape);
    return status;
}

nw_status nw_rule_constant_of_shape(const nw_infer *in)
{
    nw_shape shape = {.rank = 0};
    nw_list list;
    if (nw_infer_values(in, 0, &list) != NW_LIST_KNOWN)
        return NW_OK;
    if (list.n > NW_MAX_RANK)
        return nw_infer_fail(in, "the shape has %" PRId64 " dimensions, the limit is %d", list.n,
                             NW_MAX_RANK);
    for (int i = 0; i < list.n; i++)
        shape.dims[shape.rank++] = list.values[i];
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

void nw_infer_shape_range(const nw_infer *in, int *start, int *end)
{
    const nw_attrs *attrs = &in->node->attrs;
    int rank = nw_infer_shape(in, 0)->rank;
    int64_t bounds[2] = {0, rank};
    for (int i = 0; i < 2 && attrs->has_ints && i < attrs->n_ints; i++) {
        bounds[i] = nw_bounded(attrs->ints[i]) + (attrs->ints[i] < 0 ? rank : 0);
        bounds[i] = bounds[i] < 0 ? 0 : bounds[i] > rank ? rank : bounds[i];
    }
    *start = (int)bounds[0];
    *end = (int)(bounds[1] < bounds[0] ? bounds[0] : bounds[1]);
}

nw_status nw_rule_shape(const nw_infer *in)
{
    int start, end;
    nw_infer_shape_range(in, &start, &end);
    nw_infer_set(in, 0, &(nw_shape){.rank = 1, .dims = {end - start}});
    return NW_OK;
}

nw_status nw_rule_size(const nw_infer *in)
{
    nw_infer_set(in, 0, &(nw_shape){.rank = 0});
    return NW_OK;
}
