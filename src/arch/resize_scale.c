#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/resize.h"
#include "src/base/text.h"

/* The node at hand, as it was and as it is. */
typedef struct visit {
    nw_scaler *sc;
    nw_graph *graph;
    const nw_node *was;
    nw_node *node;
    nw_node_id id;
    nw_error *err;
} visit;

static const nw_shape *shape_was(const visit *v, int i)
{
    bool is_there = i < v->was->n_inputs && v->was->inputs[i] != NW_NONE;
    const nw_shape *shape = is_there ? &v->sc->old->tensors[v->was->inputs[i]].shape : NULL;
    return shape && nw_shape_is_known(shape) ? shape : NULL;
}

static const nw_shape *shape_is(const visit *v, int i)
{
    bool is_there = i < v->node->n_inputs && v->node->inputs[i] != NW_NONE;
    const nw_shape *shape = is_there ? &v->graph->tensors[v->node->inputs[i]].shape : NULL;
    return shape && nw_shape_is_known(shape) ? shape : NULL;
}

static bool is_const(const visit *v, int i)
{
    return v->graph->tensors[v->node->inputs[i]].is_const;
}

static nw_status refuse_node(const visit *v, const char *why)
{
    v->sc->is_refused = true;
    char label[64];
    return nw_fail(v->err, NW_INVALID, nw_node_label(v->sc->old, v->id, label, sizeof label),
                   "fits the old input size alone: %s", why);
}

static nw_status refuse_constant(const visit *v, int i, int axis, int64_t size, int64_t needed)
{
    const nw_graph *old = v->sc->old;
    nw_tensor_id root = nw_graph_stored_root(old, v->was->inputs[i]);
    v->sc->is_refused = true;
    char clean[96], name[64], label[64];
    nw_text_visible(old->tensors[root == NW_NONE ? v->was->inputs[i] : root].name, clean,
                    sizeof clean);
    return nw_fail(v->err, NW_INVALID, nw_text_fit(clean, name, sizeof name),
                   "this constant fits the old input size alone: axis %d has %" PRId64
                   ", %s would need %" PRId64,
                   axis, size, nw_node_label(old, v->id, label, sizeof label), needed);
}

/* ---- which size became which ---- */

static nw_size_pair *find_pair(nw_scaler *sc, int rank, int axis, int64_t before)
{
    for (size_t i = 0; i < sc->n_pairs; i++)
        if (sc->pairs[i].rank == rank && sc->pairs[i].axis == axis && sc->pairs[i].before == before)
            return &sc->pairs[i];
    return NULL;
}

static void note_sizes(nw_scaler *sc, const nw_shape *was, const nw_shape *is)
{
    for (int axis = 0; axis < was->rank && sc->n_pairs < 512; axis++) {
        nw_size_pair *pair = find_pair(sc, was->rank, axis, was->dims[axis]);
        if (pair) {
            pair->after = pair->after == is->dims[axis] ? pair->after : -1;
            continue;
        }
        sc->pairs = nw_grow(sc->pairs, sc->n_pairs, &sc->capacity, sizeof *sc->pairs);
        sc->pairs[sc->n_pairs++] = (nw_size_pair){was->rank, axis, was->dims[axis], is->dims[axis]};
    }
}

static int64_t paired_size(nw_scaler *sc, int rank, int axis, int64_t before)
{
    const nw_size_pair *pair = find_pair(sc, rank, axis, before);
    return pair ? pair->after : -1;
}

/* ---- numbers in the file ---- */

typedef struct number_list {
    int input; /* NW_SITE_INTS: attrs.ints */
    int64_t *values;
    int n;
    bool is_changed;
} number_list;

/* A list as it is now, to be written to; false: there is none, or its values are not known. */
static bool take_list(const visit *v, int input, number_list *out)
{
    const nw_attrs *attrs = &v->node->attrs;
    const int64_t *values = NULL;
    *out = (number_list){.input = attrs->has_ints ? NW_SITE_INTS : input};
    if (attrs->has_ints) {
        values = attrs->ints;
        out->n = attrs->n_ints;
    } else if (shape_is(v, input)) {
        values = v->graph->tensors[v->node->inputs[input]].ints;
        out->n = (int)nw_shape_elements(shape_is(v, input));
    }
    if (!values)
        return false;
    out->values = nw_graph_alloc(v->graph, (size_t)(out->n + 1) * sizeof *out->values);
    memcpy(out->values, values, (size_t)out->n * sizeof *values);
    return true;
}

static void set_number(number_list *list, int element, int64_t value)
{
    if (element >= list->n || list->values[element] == value)
        return;
    list->values[element] = value;
    list->is_changed = true;
}

static void put_list(const visit *v, const number_list *list)
{
    if (!list->is_changed)
        return;
    if (list->input == NW_SITE_INTS) {
        v->node->attrs.ints = list->values;
        return;
    }
    nw_tensor_id id = v->node->inputs[list->input];
    const nw_tensor *tensor = &v->graph->tensors[id];
    bool is_own = tensor->data && v->sc->n_readers[v->was->inputs[list->input]] == 1;
    id = nw_resize_set_list(v->graph, &v->sc->names, v->id, list->input, is_own ? 1 : 2,
                            list->values, list->n);
    nw_tensor *fresh = &v->graph->tensors[id];
    fresh->is_const = fresh->is_stored = true;
    fresh->producer = NW_NONE;
}

/* ---- reshapes ---- */

/* One run of axes that becomes another run of as many elements. */
typedef struct run {
    int from, end, to_from, to_end;
} run;

/* New sizes of the axes that a run becomes; false: they do not follow. */
static bool scale_run(nw_scaler *sc, const nw_shape *was, const nw_shape *is, const nw_shape *to,
                      const run *r, nw_shape *out)
{
    int64_t before = 1, after = 1;
    int n_out = 0, last = -1, fitting = -1, n_fitting = 0;
    for (int i = r->from; i < r->end; i++) {
        before *= was->dims[i] == is->dims[i] ? 1 : was->dims[i];
        after *= was->dims[i] == is->dims[i] ? 1 : is->dims[i];
    }
    for (int k = r->to_from; k < r->to_end; k++) {
        if (to->dims[k] == 1)
            continue;
        n_out++;
        last = k;
        if (to->dims[k] % before == 0) {
            fitting = k;
            n_fitting++;
        }
    }
    if (before == 1 && after == 1)
        return true;
    if (n_out == 1)
        fitting = last;
    if (n_out == 1 || n_fitting == 1) {
        out->dims[fitting] = to->dims[fitting] / before * after;
        return to->dims[fitting] % before == 0;
    }
    int64_t whole = 1, product = 1;
    for (int i = r->from; i < r->end; i++)
        whole *= is->dims[i];
    for (int k = r->to_from; k < r->to_end; k++) {
        int64_t size = to->dims[k] == 1 ? 1 : paired_size(sc, to->rank, k, to->dims[k]);
        if (size < 1 || __builtin_mul_overflow(product, size, &product))
            return false;
        out->dims[k] = size;
    }
    return product == whole;
}

static bool scale_reshape(nw_scaler *sc, const nw_shape *was, const nw_shape *is,
                          const nw_shape *to, nw_shape *out)
{
    int i = 0, k = 0;
    *out = *to;
    if (nw_shape_elements(was) == 0)
        return false;
    while (i < was->rank || k < to->rank) {
        run r = {.from = i, .to_from = k};
        int64_t left = 1, right = 1;
        while (i < was->rank && was->dims[i] == 1) {
            if (is->dims[i] != 1)
                return false;
            i++;
        }
        if (i < was->rank)
            left = was->dims[i++];
        while (left != right || (k < to->rank && right == 1)) {
            if (left < right && i < was->rank)
                left *= was->dims[i++];
            else if (k < to->rank)
                right *= to->dims[k++];
            else
                return false;
        }
        r.end = i;
        r.to_end = k;
        if (!scale_run(sc, was, is, to, &r, out))
            return false;
    }
    return true;
}

static nw_status visit_reshape(const visit *v)
{
    const nw_shape *was = shape_was(v, 0), *is = shape_is(v, 0);
    const nw_shape *to = &v->sc->old->tensors[v->was->outputs[0]].shape;
    nw_shape sizes;
    number_list list;
    if (!was || !is || was->rank != is->rank || !nw_shape_is_known(to) || !take_list(v, 1, &list) ||
        list.n != to->rank)
        return NW_OK;
    if (!scale_reshape(v->sc, was, is, to, &sizes))
        return NW_OK; /* what does not fit, sealing refuses */
    for (int axis = 0; axis < to->rank; axis++)
        if (list.values[axis] > 0)
            set_number(&list, axis, sizes.dims[axis]);
    put_list(v, &list);
    return NW_OK;
}

/* ---- sizes of maps ---- */

/* The size after of an axis whose output had `to`: that of maps like it, else in proportion. */
static int64_t scale_size(nw_scaler *sc, int rank, int axis, int64_t was, int64_t is, int64_t to)
{
    int64_t paired = to == 1 ? 1 : paired_size(sc, rank, axis, to);
    if (paired > 0)
        return paired;
    if (was == is)
        return to;
    int64_t scaled = (2 * to * is + was) / (2 * was);
    return scaled < 1 ? 1 : scaled;
}

static nw_status visit_resize(const visit *v)
{
    const nw_shape *was = shape_was(v, 0), *is = shape_is(v, 0);
    const nw_shape *to = &v->sc->old->tensors[v->was->outputs[0]].shape;
    number_list list;
    bool only_hw = v->node->attrs.resize_form == NW_RESIZE_SIZE_HW;
    if (v->node->attrs.resize_form == NW_RESIZE_SCALES || !was || !is || to->rank != was->rank ||
        !take_list(v, 1, &list))
        return NW_OK;
    int first = v->graph->layout == NW_LAYOUT_NCHW ? 2 : 1;
    for (int i = 0; i < list.n; i++) {
        int axis = only_hw ? first + i : i;
        if (axis < was->rank && to->dims[axis] != was->dims[axis])
            set_number(
                &list, i,
                scale_size(v->sc, to->rank, axis, was->dims[axis], is->dims[axis], to->dims[axis]));
        else if (axis < was->rank)
            set_number(&list, i, is->dims[axis]);
    }
    put_list(v, &list);
    return NW_OK;
}

/* Transposed convolutions whose file says the output's size. */
static nw_status visit_conv_transpose(const visit *v)
{
    const nw_shape *was = shape_was(v, 0), *is = shape_is(v, 0);
    const nw_shape *to = &v->sc->old->tensors[v->was->outputs[0]].shape;
    number_list list;
    if (!v->node->attrs.has_ints || !was || !is || !take_list(v, 0, &list))
        return NW_OK;
    int first = (v->graph->layout == NW_LAYOUT_NCHW ? 2 : 1);
    for (int i = 0; i < list.n && first + i < to->rank; i++) {
        int64_t stride = i ? v->node->attrs.stride_w : v->node->attrs.stride_h;
        int64_t paired = paired_size(v->sc, to->rank, first + i, to->dims[first + i]);
        int64_t more = (is->dims[first + i] - was->dims[first + i]) * stride;
        set_number(&list, i, paired > 0 ? paired : to->dims[first + i] + more);
    }
    put_list(v, &list);
    return NW_OK;
}

/* A window over the whole map stays one over the whole map. */
static nw_status visit_pool(const visit *v)
{
    const nw_shape *was = shape_was(v, 0), *is = shape_is(v, 0);
    int h = v->graph->layout == NW_LAYOUT_NCHW ? 2 : 1;
    if (!was || !is || was->rank != 4)
        return NW_OK;
    nw_attrs *attrs = &v->node->attrs;
    const nw_shape *to = &v->sc->old->tensors[v->was->outputs[0]].shape;
    bool is_global = to->rank == 4 && to->dims[h] == 1 && to->dims[h + 1] == 1 &&
                     attrs->kernel_h == was->dims[h] && attrs->kernel_w == was->dims[h + 1];
    if (is_global) {
        attrs->kernel_h = (int32_t)is->dims[h];
        attrs->kernel_w = (int32_t)is->dims[h + 1];
    }
    return NW_OK;
}

static nw_status visit_expand(const visit *v)
{
    const nw_shape *to = &v->sc->old->tensors[v->was->outputs[0]].shape;
    const nw_shape *was = shape_was(v, 0), *is = shape_is(v, 0);
    number_list list;
    if (!was || !is || !take_list(v, 1, &list) || list.n != to->rank)
        return NW_OK;
    for (int axis = 0; axis < to->rank; axis++) {
        int at = axis - (to->rank - was->rank);
        if (list.values[axis] <= 0)
            continue;
        if (at >= 0 && was->dims[at] == to->dims[axis])
            set_number(&list, axis, is->dims[at]);
        else if (paired_size(v->sc, to->rank, axis, to->dims[axis]) > 0)
            set_number(&list, axis, paired_size(v->sc, to->rank, axis, to->dims[axis]));
    }
    put_list(v, &list);
    return NW_OK;
}

/* ---- slices ---- */

/* An end that was the size is the size; within the map it says nothing of another size. */
static nw_status scale_end(const visit *v, number_list *ends, int i, int64_t was, int64_t is)
{
    int64_t end = ends->values[i];
    if (was == is || end < 0 || end > was)
        return NW_OK;
    if (end < was)
        return refuse_node(v, "it takes positions up to a fixed one");
    set_number(ends, i, is);
    return NW_OK;
}

static nw_status visit_slice(const visit *v)
{
    const nw_shape *was = shape_was(v, 0), *is = shape_is(v, 0);
    const nw_attrs *attrs = &v->node->attrs;
    bool is_onnx = v->node->op == NW_OP_SLICE;
    number_list ends, axes = {.n = 0};
    if (!was || !is || !take_list(v, 2, &ends))
        return NW_OK;
    if (is_onnx && !attrs->has_ints && !take_list(v, 3, &axes))
        axes.n = 0;
    int n = attrs->has_ints ? attrs->n_axes : ends.n;
    for (int i = 0; i < n; i++) {
        int at = attrs->has_ints ? n + i : i;
        int64_t axis = i;
        if (is_onnx && attrs->has_ints && 2 * n + i < ends.n)
            axis = ends.values[2 * n + i];
        else if (i < axes.n)
            axis = axes.values[i];
        axis += axis < 0 ? was->rank : 0;
        bool is_masked = !is_onnx && ((attrs->end_mask | attrs->shrink_mask) >> (i & 31) & 1);
        if (axis < 0 || axis >= was->rank || at >= ends.n || is_masked)
            continue;
        nw_status status = scale_end(v, &ends, at, was->dims[axis], is->dims[axis]);
        if (status != NW_OK)
            return status;
    }
    put_list(v, &ends);
    return NW_OK;
}

static nw_status visit_slice_size(const visit *v)
{
    const nw_shape *was = shape_was(v, 0), *is = shape_is(v, 0);
    number_list begins, sizes;
    if (!was || !is || !take_list(v, 1, &begins) || !take_list(v, 2, &sizes))
        return NW_OK;
    for (int axis = 0; axis < was->rank && axis < sizes.n && axis < begins.n; axis++) {
        if (was->dims[axis] == is->dims[axis] || sizes.values[axis] < 0)
            continue;
        if (sizes.values[axis] + begins.values[axis] != was->dims[axis])
            return refuse_node(v, "it takes positions up to a fixed one");
        set_number(&sizes, axis, is->dims[axis] - begins.values[axis]);
    }
    put_list(v, &sizes);
    return NW_OK;
}

/* ---- constants that stand beside maps ---- */

/* Constants aligned from the last axis on must fit what they are combined with. */
static nw_status check_beside(const visit *v)
{
    for (int i = 0; i < v->node->n_inputs; i++) {
        const nw_shape *list = shape_is(v, i);
        if (!list || !is_const(v, i))
            continue;
        for (int k = 0; k < v->node->n_inputs; k++) {
            const nw_shape *map = shape_is(v, k);
            if (!map || is_const(v, k))
                continue;
            for (int a = 1; a <= list->rank && a <= map->rank; a++) {
                int64_t mine = list->dims[list->rank - a], other = map->dims[map->rank - a];
                if (mine != 1 && other != 1 && mine != other)
                    return refuse_constant(v, i, list->rank - a, mine, other);
            }
        }
    }
    return NW_OK;
}

static nw_status check_concat(const visit *v)
{
    int axis = v->node->attrs.axis;
    const nw_shape *map = NULL;
    for (int i = 0; i < v->node->n_inputs && !map; i++)
        map = shape_is(v, i) && !is_const(v, i) ? shape_is(v, i) : NULL;
    for (int i = 0; i < v->node->n_inputs && map; i++) {
        const nw_shape *list = shape_is(v, i);
        if (!list || !is_const(v, i) || list->rank != map->rank)
            continue;
        for (int k = 0; k < list->rank; k++)
            if (k != (axis < 0 ? axis + list->rank : axis) && list->dims[k] != map->dims[k])
                return refuse_constant(v, i, k, list->dims[k], map->dims[k]);
    }
    return NW_OK;
}

/* Weights of a matrix product take as many values as before. */
static nw_status check_product(const visit *v)
{
    const nw_shape *was = shape_was(v, 0), *is = shape_is(v, 0), *w = shape_is(v, 1);
    if (!was || !is || !w || was->rank != is->rank || w->rank < 1 || !is_const(v, 1))
        return NW_OK;
    const nw_attrs *attrs = &v->node->attrs;
    bool is_fc = v->node->op == NW_OP_FULLY_CONNECTED;
    int inner = is_fc          ? (attrs->weight_layout == NW_WEIGHTS_IOHW ? 0 : 1)
                : w->rank == 1 ? 0
                               : w->rank - 2 + attrs->transpose_b;
    int64_t n_was = nw_shape_elements(was), n_is = nw_shape_elements(is);
    bool is_flat = is_fc && !attrs->keep_dims && n_was == w->dims[inner];
    if (is_flat && n_is != n_was)
        return refuse_constant(v, 1, inner, w->dims[inner], n_is);
    int last = was->rank - 1 - (attrs->transpose_a && was->rank > 1);
    if (!is_flat && last >= 0 && was->dims[last] == w->dims[inner] &&
        is->dims[last] != was->dims[last])
        return refuse_constant(v, 1, inner, w->dims[inner], is->dims[last]);
    return NW_OK;
}

/* ---- all nodes ---- */

static nw_status visit_changed(const visit *v)
{
    switch (v->node->op) {
    case NW_OP_OPAQUE:
        return refuse_node(v, "this operator is not understood");
    case NW_OP_RESHAPE:
        return visit_reshape(v);
    case NW_OP_RESIZE:
        return visit_resize(v);
    case NW_OP_CONV_TRANSPOSE:
        return visit_conv_transpose(v);
    case NW_OP_MAX_POOL:
    case NW_OP_AVERAGE_POOL:
        return visit_pool(v);
    case NW_OP_EXPAND:
        return visit_expand(v);
    case NW_OP_SLICE:
    case NW_OP_STRIDED_SLICE:
        return visit_slice(v);
    case NW_OP_SLICE_SIZE:
        return visit_slice_size(v);
    case NW_OP_CONCAT:
        return check_concat(v);
    case NW_OP_MATMUL:
    case NW_OP_FULLY_CONNECTED:
        return check_product(v);
    case NW_OP_ADD:
    case NW_OP_SUB:
    case NW_OP_MUL:
    case NW_OP_DIV:
    case NW_OP_POW:
    case NW_OP_MIN:
    case NW_OP_MAX:
    case NW_OP_MOD:
    case NW_OP_COMPARE:
    case NW_OP_WHERE:
    case NW_OP_LAYER_NORM:
        return check_beside(v);
    case NW_OP_PRELU:
        return shape_is(v, 1) && shape_is(v, 1)->rank == 1 ? NW_OK : check_beside(v);
    default:
        return NW_OK;
    }
}

nw_status nw_scale_node(void *ctx, nw_graph *graph, nw_node_id id, nw_error *err)
{
    nw_scaler *sc = ctx;
    visit v = {sc, graph, &sc->old->nodes[id], &graph->nodes[id], id, err};
    bool changes = false;
    for (int i = 0; i < v.node->n_inputs; i++) {
        const nw_shape *was = shape_was(&v, i), *is = shape_is(&v, i);
        if (!was || !is || is_const(&v, i) || was->rank != is->rank)
            continue;
        if (!nw_shape_equal(was, is))
            changes = true;
        note_sizes(sc, was, is);
    }
    /* These may bring one value, a mean for instance, back to the size of a map. */
    changes |= v.node->op == NW_OP_RESIZE || v.node->op == NW_OP_EXPAND;
    return changes ? visit_changed(&v) : NW_OK;
}
