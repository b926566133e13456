#include <inttypes.h>

#include "src/graph/infer.h"

void nw_view_dense(const nw_shape *shape, nw_view *out)
{
    *out = (nw_view){.shape = *shape};
    int64_t stride = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        out->strides[i] = stride;
        /* Sizes that a file only asks for may wrap here; they are refused later. */
        (void)__builtin_mul_overflow(stride, shape->dims[i], &stride);
    }
}

void nw_view_broadcast(const nw_shape *shape, const nw_shape *to, nw_view *out)
{
    nw_view dense;
    nw_view_dense(shape, &dense);
    *out = (nw_view){.shape = *to};
    for (int i = 1; i <= shape->rank; i++)
        if (shape->dims[shape->rank - i] != 1)
            out->strides[to->rank - i] = dense.strides[shape->rank - i];
}

int64_t nw_view_offset(const nw_view *view, int64_t i)
{
    int64_t offset = view->start;
    for (int axis = view->shape.rank - 1; axis >= 0; axis--) {
        offset += i % view->shape.dims[axis] * view->strides[axis];
        i /= view->shape.dims[axis];
    }
    return offset;
}

static void make_unknown(nw_view *view)
{
    view->shape.rank = -1;
}

/* The view's axis restricted to the range from start to end: a negative bound counts from the end,
 * then bounds are moved inside. Backwards, ONNX's Slice moves a start before the first element to
 * it, while NumPy and TensorFlow then take nothing. */
static nw_status cut_axis(const nw_infer *in, nw_view *view, int axis, int64_t start, int64_t end,
                          int64_t step)
{
    int64_t size = view->shape.dims[axis];
    if (step == 0)
        return nw_infer_fail(in, "the step of axis %d (size %" PRId64 ") is 0", axis, size);
    step = nw_bounded(step);
    start = nw_bounded(start) + (start < 0 ? size : 0);
    end = nw_bounded(end) + (end < 0 ? size : 0);
    int64_t low = step < 0 ? -1 : 0, high = step < 0 ? size - 1 : size;
    int64_t least = in->node->op == NW_OP_SLICE ? 0 : low;
    start = start < least ? least : start > high ? high : start;
    end = end < low ? low : end > high ? high : end;
    int64_t span = step < 0 ? start - end : end - start, pace = step < 0 ? -step : step;
    view->shape.dims[axis] = size > 0 && span > 0 ? (span - 1) / pace + 1 : 0;
    if (view->shape.dims[axis] > 0) /* else start may lie behind the end */
        view->start += start * view->strides[axis];
    /* An axis of one step or none is never walked along, and its stride could overflow. */
    view->strides[axis] = view->shape.dims[axis] > 1 ? view->strides[axis] * step : 0;
    return NW_OK;
}

/* starts, ends, axes, steps: four inputs, or packed one behind the other in attrs.ints. */
static bool read_slice(const nw_infer *in, nw_list lists[4], bool given[4])
{
    const nw_attrs *attrs = &in->node->attrs;
    for (int i = 0; i < 4; i++) {
        if (attrs->has_ints) {
            int64_t n = attrs->n_axes;
            given[i] = n >= 0 && (i + 1) * n <= attrs->n_ints;
            lists[i] = given[i] && n ? (nw_list){attrs->ints + i * n, n} : (nw_list){NULL, 0};
        } else {
            nw_list_state state = nw_infer_values(in, i + 1, &lists[i]);
            given[i] = state == NW_LIST_KNOWN;
            if (state == NW_LIST_UNKNOWN || (state == NW_LIST_ABSENT && i < 2))
                return false;
        }
    }
    return true;
}

static nw_status view_slice(const nw_infer *in, nw_view *view)
{
    nw_list lists[4];
    bool given[4];
    uint32_t seen = 0;
    if (!read_slice(in, lists, given)) {
        make_unknown(view);
        return NW_OK;
    }
    for (int i = 1; i < 4; i++)
        if (given[i] ? lists[i].n != lists[0].n : i == 1)
            return nw_infer_fail(in, "%" PRId64 " starts but %" PRId64 " ends, axes or steps",
                                 lists[0].n, lists[i].n);
    for (int64_t i = 0; i < lists[0].n; i++) {
        int axis;
        nw_status status =
            nw_infer_axis(in, given[2] ? lists[2].values[i] : i, view->shape.rank, &axis);
        if (status == NW_OK && seen & 1u << axis)
            return nw_infer_fail(in, "axis %d is sliced twice by %" PRId64 " starts", axis,
                                 lists[0].n);
        if (status == NW_OK)
            status = cut_axis(in, view, axis, lists[0].values[i], lists[1].values[i],
                              given[3] ? lists[3].values[i] : 1);
        if (status != NW_OK)
            return status;
        seen |= 1u << axis;
    }
    return NW_OK;
}

static nw_status view_slice_size(const nw_infer *in, nw_view *view)
{
    nw_list begin, size;
    if (nw_infer_values(in, 1, &begin) != NW_LIST_KNOWN ||
        nw_infer_values(in, 2, &size) != NW_LIST_KNOWN) {
        make_unknown(view);
        return NW_OK;
    }
    if (begin.n != view->shape.rank || size.n != view->shape.rank)
        return nw_infer_fail(in, "%" PRId64 " begins and %" PRId64 " sizes for %d dimensions",
                             begin.n, size.n, view->shape.rank);
    for (int i = 0; i < view->shape.rank; i++) {
        int64_t whole = view->shape.dims[i], first = nw_bounded(begin.values[i]);
        int64_t n = size.values[i] == -1 ? whole - first : nw_bounded(size.values[i]);
        if (first < 0 || n < 0 || first + n > whole)
            return nw_infer_fail(in,
                                 "%" PRId64 " elements from %" PRId64 " on are outside axis %d of "
                                 "size %" PRId64,
                                 n, first, i, whole);
        nw_status status = cut_axis(in, view, i, first, first + n, 1);
        if (status != NW_OK)
            return status;
    }
    return NW_OK;
}

/* ---- strided slice ---- */

typedef struct strided {
    nw_list begin, end, strides;
    const nw_attrs *attrs;
} strided;

static bool has_bit(int32_t mask, int64_t i)
{
    return i < 32 && (uint32_t)mask >> i & 1u;
}

/* One index of a single element: the axis goes. */
static nw_status pick_element(const nw_infer *in, nw_view *view, int axis, int64_t index)
{
    int64_t size = view->shape.dims[axis];
    int64_t at = index < 0 ? nw_bounded(index) + size : index;
    if (at < 0 || at >= size)
        return nw_infer_fail(in, "index %" PRId64 " is outside axis %d of size %" PRId64, index,
                             axis, size);
    view->start += at * view->strides[axis];
    return NW_OK;
}

static nw_status push_axis(const nw_infer *in, nw_view *view, int64_t size, int64_t stride)
{
    if (view->shape.rank == NW_MAX_RANK)
        return nw_infer_fail(in, "the output would have %d dimensions, the limit is %d",
                             NW_MAX_RANK + 1, NW_MAX_RANK);
    view->shape.dims[view->shape.rank] = size;
    view->strides[view->shape.rank++] = stride;
    return NW_OK;
}

/* Entry i of the lists works on axis *axis of x; the result's axes are gathered in view. */
static nw_status apply_entry(const nw_infer *in, const strided *s, int64_t i, int n_ellipsis,
                             nw_view *x, int *axis, nw_view *view)
{
    const nw_attrs *attrs = s->attrs;
    nw_status status = NW_OK;
    if (has_bit(attrs->ellipsis_mask, i)) {
        for (int k = 0; k < n_ellipsis && status == NW_OK; k++, ++*axis)
            status = push_axis(in, view, x->shape.dims[*axis], x->strides[*axis]);
        return status;
    }
    if (has_bit(attrs->new_axis_mask, i))
        return push_axis(in, view, 1, 0);
    int at = (*axis)++;
    if (has_bit(attrs->shrink_mask, i))
        return pick_element(in, x, at, s->begin.values[i]);
    int64_t step = s->strides.values[i];
    int64_t begin = step < 0 ? INT64_MAX : 0, end = step < 0 ? INT64_MIN : INT64_MAX;
    if (!has_bit(attrs->begin_mask, i))
        begin = s->begin.values[i];
    if (!has_bit(attrs->end_mask, i))
        end = s->end.values[i];
    status = cut_axis(in, x, at, begin, end, step);
    return status == NW_OK ? push_axis(in, view, x->shape.dims[at], x->strides[at]) : status;
}

static nw_status view_strided_slice(const nw_infer *in, nw_view *view)
{
    strided s = {.attrs = &in->node->attrs};
    if (nw_infer_values(in, 1, &s.begin) != NW_LIST_KNOWN ||
        nw_infer_values(in, 2, &s.end) != NW_LIST_KNOWN ||
        nw_infer_values(in, 3, &s.strides) != NW_LIST_KNOWN) {
        make_unknown(view);
        return NW_OK;
    }
    int64_t n = s.begin.n;
    if (s.end.n != n || s.strides.n != n)
        return nw_infer_fail(in, "%" PRId64 " begins, %" PRId64 " ends, %" PRId64 " strides", n,
                             s.end.n, s.strides.n);
    int n_ellipses = 0;
    int64_t n_used = 0;
    for (int64_t i = 0; i < n; i++) {
        bool is_ellipsis = has_bit(s.attrs->ellipsis_mask, i);
        n_ellipses += is_ellipsis;
        n_used += !is_ellipsis && !has_bit(s.attrs->new_axis_mask, i);
    }
    if (n_ellipses > 1 || n_used > view->shape.rank)
        return nw_infer_fail(in, "%" PRId64 " indices and %d ellipses for %d dimensions", n_used,
                             n_ellipses, view->shape.rank);
    nw_view x = *view, cut = {.shape = {.rank = 0}};
    int axis = 0;
    nw_status status = NW_OK;
    for (int64_t i = 0; i < n && status == NW_OK; i++)
        status = apply_entry(in, &s, i, x.shape.rank - (int)n_used, &x, &axis, &cut);
    for (; axis < x.shape.rank && status == NW_OK; axis++)
        status = push_axis(in, &cut, x.shape.dims[axis], x.strides[axis]);
    cut.start = x.start;
    *view = cut;
    return status;
}

/* ---- the same elements in another shape ---- */

/* Puts a size in the place of the -1, if there is one; n elements in all. */
static nw_status resolve_target(const nw_infer *in, nw_shape *target, int64_t n)
{
    int64_t product = 1;
    int open = -1;
    for (int i = 0; i < target->rank; i++) {
        int64_t size = target->dims[i];
        if (size == -1 && open < 0)
            open = i;
        else if (size < 0)
            return nw_infer_fail(in, "target size %" PRId64 " on axis %d makes no sense", size, i);
        else if (__builtin_mul_overflow(product, size, &product))
            product = -1; /* matches nothing */
        if (product < 0)
            break;
    }
    if (open >= 0 && product > 0 && n % product == 0) {
        target->dims[open] = n / product;
        product = n;
    } else if (open >= 0 && product == 0 && n == 0) {
        target->dims[open] = 0;
    }
    if (product != n)
        return nw_infer_fail(in, "%" PRId64 " elements cannot take a shape of %" PRId64, n,
                             product);
    return NW_OK;
}

static nw_status view_reshape(const nw_infer *in, nw_view *view)
{
    nw_list list;
    if (nw_infer_list(in, 1, &list) != NW_LIST_KNOWN) {
        make_unknown(view);
        return NW_OK;
    }
    const nw_shape *x = &view->shape;
    nw_shape target = {.rank = (int)list.n};
    if (list.n > NW_MAX_RANK)
        return nw_infer_fail(in, "the target has %" PRId64 " dimensions, the limit is %d", list.n,
                             NW_MAX_RANK);
    for (int i = 0; i < target.rank; i++) {
        target.dims[i] = list.values[i];
        if (list.values[i] != 0 || in->node->attrs.allow_zero)
            continue;
        if (i >= x->rank)
            return nw_infer_fail(in, "target axis %d copies a size, the input has %d dimensions", i,
                                 x->rank);
        target.dims[i] = x->dims[i];
    }
    nw_status status = resolve_target(in, &target, nw_shape_elements(x));
    nw_view_dense(&target, view);
    return status;
}

static nw_status view_flatten(const nw_infer *in, nw_view *view)
{
    const nw_shape *x = &view->shape;
    int64_t axis = in->node->attrs.axis;
    nw_shape flat = {.rank = 2, .dims = {1, 1}};
    if (axis < -x->rank || axis > x->rank)
        return nw_infer_fail(in, "axis %" PRId64 " is outside the tensor's %d dimensions", axis,
                             x->rank);
    if (axis < 0)
        axis += x->rank;
    for (int i = 0; i < x->rank; i++)
        flat.dims[i >= axis] *= x->dims[i];
    nw_view_dense(&flat, view);
    return NW_OK;
}

static nw_status view_squeeze(const nw_infer *in, nw_view *view)
{
    nw_list list;
    nw_list_state state = nw_infer_list(in, 1, &list);
    const nw_shape *x = &view->shape;
    uint32_t axes;
    if (state == NW_LIST_UNKNOWN) {
        make_unknown(view);
        return NW_OK;
    }
    nw_status status = nw_infer_axis_set(in, &list, x->rank, false, &axes);
    if (status != NW_OK)
        return status;
    nw_shape shape = {.rank = 0};
    for (int i = 0; i < x->rank; i++) {
        bool is_named = axes & 1u << i;
        if (is_named && x->dims[i] != 1)
            return nw_infer_fail(in, "axis %d has size %" PRId64 ", only 1 can be squeezed", i,
                                 x->dims[i]);
        if (!is_named && !(list.n == 0 && x->dims[i] == 1))
            shape.dims[shape.rank++] = x->dims[i];
    }
    nw_view_dense(&shape, view);
    return NW_OK;
}

static nw_status view_unsqueeze(const nw_infer *in, nw_view *view)
{
    nw_list list;
    const nw_shape *x = &view->shape;
    uint32_t axes;
    if (nw_infer_list(in, 1, &list) != NW_LIST_KNOWN) {
        make_unknown(view);
        return NW_OK;
    }
    if (list.n > NW_MAX_RANK - x->rank)
        return nw_infer_fail(in, "%d dimensions and %" PRId64 " new ones are more than %d", x->rank,
                             list.n, NW_MAX_RANK);
    nw_shape shape = {.rank = x->rank + (int)list.n};
    nw_status status = nw_infer_axis_set(in, &list, shape.rank, true, &axes);
    if (status != NW_OK)
        return status;
    for (int i = 0, from = 0; i < shape.rank; i++)
        shape.dims[i] = axes & 1u << i ? 1 : x->dims[from++];
    nw_view_dense(&shape, view);
    return NW_OK;
}

static nw_status view_transpose(const nw_infer *in, nw_view *view)
{
    nw_list perm;
    nw_list_state state = nw_infer_list(in, 1, &perm);
    nw_view x = *view;
    uint32_t seen;
    if (state == NW_LIST_UNKNOWN) {
        make_unknown(view);
        return NW_OK;
    }
    bool is_reversed = state == NW_LIST_ABSENT;
    if (!is_reversed && perm.n != x.shape.rank)
        return nw_infer_fail(in, "the permutation has %" PRId64 " axes, the tensor %d", perm.n,
                             x.shape.rank);
    nw_status status = nw_infer_axis_set(in, &perm, x.shape.rank, true, &seen);
    if (status != NW_OK)
        return status;
    for (int i = 0; i < x.shape.rank; i++) {
        int64_t from = is_reversed ? x.shape.rank - 1 - i : perm.values[i];
        from += from < 0 ? x.shape.rank : 0;
        view->shape.dims[i] = x.shape.dims[from];
        view->strides[i] = x.strides[from];
    }
    return NW_OK;
}

static nw_status view_expand(const nw_infer *in, nw_view *view)
{
    nw_list list;
    nw_shape x = view->shape, to = {.rank = 0};
    if (nw_infer_list(in, 1, &list) != NW_LIST_KNOWN) {
        make_unknown(view);
        return NW_OK;
    }
    if (list.n > NW_MAX_RANK)
        return nw_infer_fail(in, "the target has %" PRId64 " dimensions, the limit is %d", list.n,
                             NW_MAX_RANK);
    for (int i = 0; i < list.n; i++)
        to.dims[to.rank++] = list.values[i];
    nw_status status = nw_infer_broadcast(in, &to, &x);
    if (status == NW_OK)
        nw_view_broadcast(&x, &to, view);
    return status;
}

nw_status nw_infer_view(const nw_infer *in, nw_view *out)
{
    nw_view_dense(nw_infer_shape(in, 0), out);
    switch (in->node->op) {
    case NW_OP_SLICE:
        return view_slice(in, out);
    case NW_OP_SLICE_SIZE:
        return view_slice_size(in, out);
    case NW_OP_STRIDED_SLICE:
        return view_strided_slice(in, out);
    case NW_OP_RESHAPE:
        return view_reshape(in, out);
    case NW_OP_FLATTEN:
        return view_flatten(in, out);
    case NW_OP_SQUEEZE:
        return view_squeeze(in, out);
    case NW_OP_UNSQUEEZE:
        return view_unsqueeze(in, out);
    case NW_OP_TRANSPOSE:
        return view_transpose(in, out);
    case NW_OP_EXPAND:
        return view_expand(in, out);
    default: /* the tensor itself */
        return NW_OK;
    }
}
