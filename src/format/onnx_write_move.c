/* Operators that move, choose and name values, types, and constants. */
#include <string.h>

#include "src/format/onnx_write.h"

static const nw_shape *known_shape(nw_onnx_writer *w, int i)
{
    static const nw_shape unknown = {.rank = -1};
    nw_tensor_id id = nw_onnx_id(w, i);
    if (id != NW_NONE && nw_shape_is_known(&w->graph->tensors[id].shape))
        return &w->graph->tensors[id].shape;
    nw_onnx_write_fail(w, NW_UNSUPPORTED, "the sizes of input %d are not known", i);
    return &unknown;
}

static const nw_onnx_edge *as_int64(nw_onnx_writer *w, const nw_onnx_edge *x)
{
    return nw_onnx_cast(w, x, NW_DTYPE_INT64);
}

/* A list that is an attribute here and an input there. */
static const nw_onnx_edge *list_input(nw_onnx_writer *w, const nw_node *node, int i,
                                      const char *suffix)
{
    if (node->attrs.has_ints)
        return nw_onnx_list(w, suffix, node->attrs.ints, node->attrs.n_ints);
    const nw_onnx_edge *list = nw_onnx_in_maybe(w, i);
    return list ? as_int64(w, list) : NULL;
}

/* ---- joining and parting ---- */

void nw_onnx_write_concat(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge **in = nw_arena_alloc(&w->arena, (size_t)node->n_inputs * sizeof *in);
    int rank = w->graph->tensors[node->outputs[0]].shape.rank;
    bool is_first = false;
    for (int i = 0; i < node->n_inputs; i++) {
        nw_tensor_id id = node->inputs[i];
        is_first |=
            id != NW_NONE && nw_onnx_has_first(w, id) && w->graph->tensors[id].shape.rank == rank;
    }
    for (int i = 0; i < node->n_inputs; i++)
        in[i] = is_first ? nw_onnx_in_first(w, i) : nw_onnx_in(w, i);
    int axis = is_first ? nw_onnx_first_axis(rank, node->attrs.axis) : node->attrs.axis;
    Onnx__NodeProto *proto =
        nw_onnx_put(w, "Concat", nw_onnx_result(w, 0, is_first), node->n_inputs, in);
    nw_onnx_put_int(w, proto, "axis", axis);
}

void nw_onnx_write_stack(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge **in = nw_arena_alloc(&w->arena, (size_t)node->n_inputs * sizeof *in);
    nw_onnx_edge *out = nw_onnx_result(w, 0, false);
    int axis = node->attrs.axis + (node->attrs.axis < 0 ? out->shape.rank : 0);
    nw_shape shape = out->shape;
    if (shape.rank < 0) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its sizes are not known");
        return;
    }
    shape.dims[axis] = 1;
    for (int i = 0; i < node->n_inputs; i++)
        in[i] = nw_onnx_reshaped(w, nw_onnx_in(w, i), &shape);
    nw_onnx_put_int(w, nw_onnx_put(w, "Concat", out, node->n_inputs, in), "axis", axis);
}

static void put_split(nw_onnx_writer *w, const nw_onnx_edge *x, const nw_onnx_edge *sizes,
                      nw_onnx_edge *const *out, int n, int64_t axis)
{
    const nw_onnx_edge *in[2] = {x, sizes};
    Onnx__NodeProto *proto = nw_onnx_put(w, "Split", out[0], 2, in);
    for (int i = 1; i < n; i++)
        nw_onnx_put_output(w, out[i]);
    nw_onnx_put_int(w, proto, "axis", axis);
}

void nw_onnx_write_unstack(nw_onnx_writer *w, const nw_node *node)
{
    int n = node->n_outputs;
    const nw_shape *shape = known_shape(w, 0);
    int64_t *sizes = nw_arena_alloc(&w->arena, (size_t)n * sizeof *sizes);
    nw_onnx_edge **parts = nw_arena_alloc(&w->arena, (size_t)n * sizeof(nw_onnx_edge *));
    int axis = node->attrs.axis + (node->attrs.axis < 0 ? shape->rank : 0);
    nw_shape part = *shape;
    if (shape->rank < 1)
        return;
    part.dims[axis] = 1;
    const nw_onnx_edge *x = nw_onnx_in(w, 0);
    for (int i = 0; i < n; i++) {
        sizes[i] = 1;
        parts[i] = nw_onnx_new_edge(w, x->name, "/part", x->dtype, &part);
    }
    put_split(w, x, nw_onnx_list(w, "/sizes", sizes, n), parts, n, axis);
    for (int i = 0; i < n; i++) {
        nw_onnx_edge *out = nw_onnx_result(w, i, false);
        if (out)
            nw_onnx_put(w, "Reshape", out, 2,
                        (const nw_onnx_edge *const[]){
                            parts[i], nw_onnx_shape_list(w, "/shape", &out->shape)});
    }
}

void nw_onnx_write_split(nw_onnx_writer *w, const nw_node *node)
{
    int n = node->n_outputs;
    const nw_onnx_edge *x, *sizes = NULL;
    bool is_first = nw_onnx_in_any(w, &x);
    const nw_shape *shape = known_shape(w, 0);
    if (shape->rank < 1)
        return;
    int axis = node->attrs.axis + (node->attrs.axis < 0 ? shape->rank : 0);
    nw_onnx_edge **out = nw_arena_alloc(&w->arena, (size_t)n * sizeof(nw_onnx_edge *));
    int64_t *parts = nw_arena_alloc(&w->arena, (size_t)n * sizeof *parts);
    bool is_known = true, is_equal = true;
    for (int i = 0; i < n; i++) {
        nw_tensor_id id = node->outputs[i];
        out[i] = nw_onnx_result(w, i, is_first);
        is_known &= id != NW_NONE && nw_shape_is_known(&w->graph->tensors[id].shape);
        parts[i] = is_known ? w->graph->tensors[id].shape.dims[axis] : 0;
        is_equal &= parts[i] == parts[0];
    }
    if (!w->is_nhwc && (node->attrs.has_ints || nw_onnx_id(w, 1) != NW_NONE))
        sizes = list_input(w, node, 1, "/sizes");
    else if (is_known && !is_equal)
        sizes = nw_onnx_list(w, "/sizes", parts, n);
    else if (!is_known)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "the sizes of its parts are not known");
    put_split(w, x, sizes, out, n, is_first ? nw_onnx_first_axis(shape->rank, axis) : axis);
}

/* ---- slices ---- */

/* Starts, ends, steps of every axis of the input. */
typedef struct cut {
    int64_t starts[NW_MAX_RANK], ends[NW_MAX_RANK], steps[NW_MAX_RANK];
    int rank;
    bool changes_rank; /* axes go or are new: the result is reshaped */
} cut;

static bool value_of(const nw_onnx_writer *w, int i, const int64_t **values, int64_t *n)
{
    nw_tensor_id id = nw_onnx_id(w, i);
    *values = id == NW_NONE ? NULL : w->graph->tensors[id].ints;
    *n = *values ? nw_shape_elements(&w->graph->tensors[id].shape) : 0;
    return *values != NULL;
}

/* ONNX's own form: some axes, with starts, ends, axes and steps as inputs or in one list. */
static bool cut_slice(const nw_onnx_writer *w, const nw_node *node, cut *out)
{
    const int64_t *lists[4] = {NULL, NULL, NULL, NULL};
    int64_t n = node->attrs.n_axes, n_values;
    for (int i = 0; i < 4; i++) {
        if (node->attrs.has_ints)
            lists[i] = (i + 1) * n <= node->attrs.n_ints ? node->attrs.ints + i * n : NULL;
        else if (value_of(w, i + 1, &lists[i], &n_values))
            n = i ? (n < n_values ? n : n_values) : n_values;
        else if (i < 2 || nw_onnx_id(w, i + 1) != NW_NONE)
            return false;
    }
    if (!lists[0] || !lists[1])
        return false;
    for (int64_t i = 0; i < n; i++) {
        int64_t axis = lists[2] ? lists[2][i] : i;
        axis += axis < 0 ? out->rank : 0;
        if (axis < 0 || axis >= out->rank)
            return false;
        out->starts[axis] = lists[0][i];
        out->ends[axis] = lists[1][i];
        out->steps[axis] = lists[3] ? lists[3][i] : 1;
    }
    return true;
}

static bool cut_slice_size(const nw_onnx_writer *w, cut *out)
{
    const int64_t *begin, *size;
    int64_t n_begin, n_size;
    if (!value_of(w, 1, &begin, &n_begin) || !value_of(w, 2, &size, &n_size) ||
        n_begin != out->rank || n_size != out->rank)
        return false;
    for (int i = 0; i < out->rank; i++) {
        out->starts[i] = begin[i];
        out->ends[i] = size[i] == -1 ? INT64_MAX : begin[i] + size[i];
    }
    return true;
}

static bool has_bit(int32_t mask, int64_t i)
{
    return i < 32 && (uint32_t)mask >> i & 1u;
}

static bool cut_strided(const nw_onnx_writer *w, const nw_attrs *a, cut *out)
{
    const int64_t *begin, *end, *strides;
    int64_t n, n_end, n_strides, n_used = 0;
    if (!value_of(w, 1, &begin, &n) || !value_of(w, 2, &end, &n_end) ||
        !value_of(w, 3, &strides, &n_strides) || n_end != n || n_strides != n)
        return false;
    for (int64_t i = 0; i < n; i++)
        n_used += !has_bit(a->ellipsis_mask, i) && !has_bit(a->new_axis_mask, i);
    int axis = 0;
    for (int64_t i = 0; i < n; i++) {
        if (has_bit(a->ellipsis_mask, i)) {
            axis += out->rank - (int)n_used;
            continue;
        }
        out->changes_rank |= has_bit(a->new_axis_mask, i) || has_bit(a->shrink_mask, i);
        if (has_bit(a->new_axis_mask, i))
            continue;
        if (axis < 0 || axis >= out->rank)
            return false;
        bool is_one = has_bit(a->shrink_mask, i), is_back = strides[i] < 0 && !is_one;
        out->steps[axis] = is_one ? 1 : strides[i];
        out->starts[axis] = is_one || !has_bit(a->begin_mask, i) ? begin[i]
                            : is_back                            ? INT64_MAX
                                                                 : 0;
        if (is_one)
            out->ends[axis] = begin[i] == -1 ? INT64_MAX : begin[i] + 1;
        else if (!has_bit(a->end_mask, i))
            out->ends[axis] = end[i];
        else
            out->ends[axis] = is_back ? INT64_MIN : INT64_MAX;
        axis++;
    }
    return true;
}

static bool find_cut(nw_onnx_writer *w, const nw_node *node, cut *out)
{
    nw_tensor_id id = nw_onnx_id(w, 0);
    if (id == NW_NONE || !nw_shape_is_known(&w->graph->tensors[id].shape))
        return false;
    *out = (cut){.rank = w->graph->tensors[id].shape.rank};
    for (int i = 0; i < out->rank; i++) {
        out->steps[i] = 1;
        out->ends[i] = INT64_MAX;
    }
    return node->op == NW_OP_SLICE        ? cut_slice(w, node, out)
           : node->op == NW_OP_SLICE_SIZE ? cut_slice_size(w, out)
                                          : cut_strided(w, &node->attrs, out);
}

static void put_cut(nw_onnx_writer *w, const cut *c, const nw_onnx_edge *x, bool is_first,
                    const nw_onnx_edge *out)
{
    int64_t lists[4][NW_MAX_RANK];
    int n = 0;
    bool has_steps = false;
    for (int i = 0; i < c->rank; i++) {
        if (c->starts[i] == 0 && c->ends[i] == INT64_MAX && c->steps[i] == 1)
            continue;
        has_steps |= c->steps[i] != 1;
        lists[0][n] = c->starts[i];
        lists[1][n] = c->ends[i];
        lists[2][n] = is_first ? nw_onnx_first_axis(c->rank, i) : i;
        lists[3][n++] = c->steps[i];
    }
    if (n == 0) {
        nw_onnx_put(w, "Identity", out, 1, &x);
        return;
    }
    const nw_onnx_edge *in[5] = {x, nw_onnx_list(w, "/starts", lists[0], n),
                                 nw_onnx_list(w, "/ends", lists[1], n),
                                 nw_onnx_list(w, "/axes", lists[2], n),
                                 has_steps ? nw_onnx_list(w, "/steps", lists[3], n) : NULL};
    nw_onnx_put(w, "Slice", out, 5, in);
}

void nw_onnx_write_slice(nw_onnx_writer *w, const nw_node *node)
{
    cut c;
    const nw_onnx_edge *in[5];
    bool passes_inputs = node->op == NW_OP_SLICE && !w->is_nhwc && !node->attrs.has_ints;
    if (passes_inputs) {
        for (int i = 0; i < 5; i++)
            in[i] = nw_onnx_in_maybe(w, i);
        nw_onnx_put(w, "Slice", nw_onnx_result(w, 0, false), 5, in);
        return;
    }
    if (!find_cut(w, node, &c)) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its begin and end are not known");
        return;
    }
    bool is_first = nw_onnx_has_first(w, nw_onnx_id(w, 0)) && !c.changes_rank;
    const nw_onnx_edge *x = is_first ? nw_onnx_in_first(w, 0) : nw_onnx_in(w, 0);
    nw_onnx_edge *out = nw_onnx_result(w, 0, is_first);
    if (!c.changes_rank) {
        put_cut(w, &c, x, is_first, out);
        return;
    }
    nw_onnx_edge *piece = nw_onnx_new_edge(w, out->name, "/Slice", x->dtype, NULL);
    put_cut(w, &c, x, false, piece);
    nw_onnx_put(w, "Reshape", out, 2,
                (const nw_onnx_edge *const[]){piece, nw_onnx_shape_list(w, "/shape", &out->shape)});
}

/* ---- gathering ---- */

void nw_onnx_write_gather(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *in[2] = {nw_onnx_in(w, 0), nw_onnx_in(w, 1)};
    if (node->op == NW_OP_GATHER_ND || (in[1]->dtype != NW_DTYPE_INT32))
        in[1] = as_int64(w, in[1]);
    const char *name = node->op == NW_OP_GATHER      ? "Gather"
                       : node->op == NW_OP_GATHER_ND ? "GatherND"
                                                     : "GatherElements";
    Onnx__NodeProto *proto = nw_onnx_put(w, name, nw_onnx_result(w, 0, false), 2, in);
    if (node->op != NW_OP_GATHER_ND)
        nw_onnx_put_int(w, proto, "axis", node->attrs.axis);
    else if (node->attrs.axis)
        nw_onnx_put_int(w, proto, "batch_dims", node->attrs.axis);
}

void nw_onnx_write_scatter(nw_onnx_writer *w, const nw_node *node)
{
    bool is_nd = strcmp(node->file_type, "ScatterND") == 0;
    if (!is_nd && strcmp(node->file_type, "Scatter") != 0 &&
        strcmp(node->file_type, "ScatterElements") != 0) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it writes a slice whose place is computed");
        return;
    }
    const nw_onnx_edge *in[3] = {nw_onnx_in(w, 0), as_int64(w, nw_onnx_in(w, 1)), nw_onnx_in(w, 2)};
    Onnx__NodeProto *proto =
        nw_onnx_put(w, is_nd ? "ScatterND" : "ScatterElements", nw_onnx_result(w, 0, false), 3, in);
    if (!is_nd)
        nw_onnx_put_int(w, proto, "axis", node->attrs.axis);
}

/* ONNX has the two values in one tensor, off and on; TFLite has on and off. */
void nw_onnx_write_one_hot(nw_onnx_writer *w, const nw_node *node)
{
    static const nw_shape one = {.rank = 1, .dims = {1}}, two = {.rank = 1, .dims = {2}};
    const nw_onnx_edge *in[3] = {nw_onnx_in(w, 0), nw_onnx_in(w, 1), nw_onnx_in(w, 2)};
    nw_onnx_edge *out = nw_onnx_result(w, 0, false);
    if (node->n_inputs == 4) {
        const nw_onnx_edge *values[2] = {nw_onnx_reshaped(w, nw_onnx_in(w, 3), &one),
                                         nw_onnx_reshaped(w, in[2], &one)};
        nw_onnx_edge *both = nw_onnx_new_edge(w, out->name, "/values", in[2]->dtype, &two);
        nw_onnx_put_int(w, nw_onnx_put(w, "Concat", both, 2, values), "axis", 0);
        in[2] = both;
    }
    nw_onnx_put_int(w, nw_onnx_put(w, "OneHot", out, 3, in), "axis", node->attrs.axis);
}

/* ---- the same values in another shape ---- */

/* In a graph that keeps N,H,W,C: to the known shape, whatever operator says so. A map of one pixel
 * or of one channel has the same order in both forms. */
static void reshape_to_known(nw_onnx_writer *w)
{
    nw_tensor_id id = nw_onnx_id(w, 0);
    const nw_shape *shape = known_shape(w, 0);
    if (id == NW_NONE || shape->rank < 0)
        return;
    bool is_same = shape->rank > 2 &&
                   (shape->dims[shape->rank - 1] == 1 ||
                    nw_shape_elements(shape) == shape->dims[0] * shape->dims[shape->rank - 1]);
    const nw_onnx_edge *in[2] = {NULL, NULL};
    in[0] = is_same && nw_onnx_has_first(w, id) ? nw_onnx_first(w, id) : nw_onnx_plain(w, id);
    nw_onnx_edge *out = nw_onnx_result(w, 0, false);
    in[1] = nw_onnx_shape_list(w, "/shape", &out->shape);
    nw_onnx_put(w, "Reshape", out, 2, in);
}

static bool has_zero(const nw_onnx_writer *w)
{
    const int64_t *values;
    int64_t n;
    if (!nw_onnx_known(w, 1, &values, &n))
        return false;
    for (int64_t i = 0; i < n; i++)
        if (values[i] == 0)
            return true;
    return false;
}

void nw_onnx_write_reshape(nw_onnx_writer *w, const nw_node *node)
{
    static const char *const names[NW_OP_COUNT] = {
        [NW_OP_RESHAPE] = "Reshape", [NW_OP_SQUEEZE] = "Squeeze", [NW_OP_UNSQUEEZE] = "Unsqueeze"};
    if (w->is_nhwc) {
        reshape_to_known(w);
        return;
    }
    const nw_onnx_edge *in[2] = {nw_onnx_in(w, 0), NULL};
    nw_onnx_edge *out = nw_onnx_result(w, 0, false);
    if (node->op == NW_OP_FLATTEN) {
        nw_onnx_put_int(w, nw_onnx_put(w, "Flatten", out, 1, in), "axis", node->attrs.axis);
        return;
    }
    /* A zero that is meant is ONNX's since opset 14. */
    if (node->op == NW_OP_RESHAPE && node->attrs.allow_zero && has_zero(w))
        in[1] = nw_onnx_shape_list(w, "/shape", &out->shape);
    else
        in[1] = list_input(w, node, 1, node->op == NW_OP_RESHAPE ? "/shape" : "/axes");
    if (!in[1] && node->op != NW_OP_SQUEEZE)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its shape is not known");
    nw_onnx_put(w, names[node->op], out, 2, in);
}

static bool is_identity(const int *perm, int rank)
{
    for (int i = 0; i < rank; i++)
        if (perm[i] != i)
            return false;
    return true;
}

/* What makes form `to_first` of the result from form `from_first` of the input. */
static void compose(const int *perm, int rank, bool from_first, bool to_first, int *out)
{
    int in_place[NW_MAX_RANK]; /* of each axis of the input, in the form that it has */
    for (int i = 0; i < rank; i++)
        in_place[from_first ? nw_onnx_first_perm(rank, false)[i] : i] = i;
    for (int i = 0; i < rank; i++)
        out[i] = in_place[perm[to_first ? nw_onnx_first_perm(rank, false)[i] : i]];
}

/* Where a form of the result is a form of the input, nothing moves. */
static bool transpose_for_nothing(nw_onnx_writer *w, const nw_node *node, const int *perm, int rank)
{
    nw_tensor_id in = node->inputs[0], out = node->outputs[0];
    const nw_onnx_edge *forms[2] = {w->states[in].plain, w->states[in].first};
    if (w->graph->tensors[out].is_output || w->options.bits == 8 || (rank != 3 && rank != 4))
        return false;
    for (int from = 0; from < 2; from++)
        for (int to = 0; to < 2 && forms[from]; to++) {
            int move[NW_MAX_RANK];
            compose(perm, rank, from, to, move);
            if (!is_identity(move, rank))
                continue;
            nw_onnx_alias(w, out, forms[from], to);
            return true;
        }
    return false;
}

void nw_onnx_write_transpose(nw_onnx_writer *w, const nw_node *node)
{
    const int64_t *given;
    int64_t n = 0, axes[NW_MAX_RANK];
    int perm[NW_MAX_RANK], rank = known_shape(w, 0)->rank;
    bool is_given = node->attrs.has_ints || nw_onnx_id(w, 1) != NW_NONE;
    if (is_given && (!nw_onnx_known(w, 1, &given, &n) || n != rank)) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its permutation is not known");
        return;
    }
    for (int i = 0; i < rank; i++)
        perm[i] = is_given ? (int)(given[i] + (given[i] < 0 ? rank : 0)) : rank - 1 - i;
    nw_tensor_id id = node->inputs[0];
    bool from_first = w->is_nhwc && !w->states[id].plain && nw_onnx_has_first(w, id);
    if (w->is_nhwc && transpose_for_nothing(w, node, perm, rank))
        return;
    int move[NW_MAX_RANK];
    compose(perm, rank, from_first, false, move);
    for (int i = 0; i < rank; i++)
        axes[i] = move[i];
    const nw_onnx_edge *x = from_first ? nw_onnx_first(w, id) : nw_onnx_plain(w, id);
    nw_onnx_put_ints(w, nw_onnx_put(w, "Transpose", nw_onnx_result(w, 0, false), 1, &x), "perm",
                     axes, rank > 0 ? rank : 0);
}

/* Expand and Tile: a shape, or how often. */
void nw_onnx_write_expand(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *in[2] = {nw_onnx_in(w, 0), as_int64(w, nw_onnx_in(w, 1))};
    nw_onnx_put(w, node->op == NW_OP_TILE ? "Tile" : "Expand", nw_onnx_result(w, 0, false), 2, in);
}

/* ---- types ---- */

/* In any form: y is x. */
static void put_same(nw_onnx_writer *w, const char *name)
{
    const nw_onnx_edge *x;
    bool is_first = nw_onnx_in_any(w, &x);
    nw_onnx_edge *out = nw_onnx_result(w, 0, is_first);
    bool is_cast = x->dtype != out->dtype;
    if (!is_cast && strcmp(name, "Cast") != 0)
        nw_onnx_put(w, "Identity", out, 1, &x);
    else
        nw_onnx_put_int(w, nw_onnx_put(w, "Cast", out, 1, &x), "to", nw_onnx_data_type(out->dtype));
}

/* Between a map and its integers, where both are written as real numbers. */
static void put_real(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *x;
    bool is_first = nw_onnx_in_any(w, &x);
    if (w->options.bits == 0 && x->dtype == nw_onnx_wire_type(w, node->outputs[0]))
        nw_onnx_alias(w, node->outputs[0], x, is_first);
    else
        put_same(w, "Identity");
}

void nw_onnx_write_quantize(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *in[3] = {NULL, NULL, NULL};
    if (!w->is_explicit) { /* the values are real numbers all the way */
        if (!nw_dtype_is_float(nw_onnx_wire_type(w, node->outputs[0])))
            nw_onnx_write_fail(w, NW_UNSUPPORTED, "the scale of its result is not known");
        put_real(w, node);
        return;
    }
    in[0] = nw_onnx_in(w, 0);
    if (strcmp(node->file_type, "DynamicQuantizeLinear") == 0) {
        nw_onnx_put(w, "DynamicQuantizeLinear", nw_onnx_result(w, 0, false), 1, in);
        for (int i = 1; i < node->n_outputs; i++)
            nw_onnx_put_output(w, nw_onnx_result(w, i, false));
        return;
    }
    in[1] = nw_onnx_in(w, 1);
    in[2] = nw_onnx_in_maybe(w, 2);
    nw_onnx_edge *out = nw_onnx_result(w, 0, false);
    if (out->dtype != NW_DTYPE_INT8 && out->dtype != NW_DTYPE_UINT8)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it quantises to %s", nw_dtype_name(out->dtype));
    nw_onnx_put_int(w, nw_onnx_put(w, "QuantizeLinear", out, 3, in), "axis", node->attrs.axis);
}

void nw_onnx_write_dequantize(nw_onnx_writer *w, const nw_node *node)
{
    if (!w->is_explicit) {
        nw_tensor_id id = nw_onnx_id(w, 0);
        if (id == NW_NONE || !nw_dtype_is_float(nw_onnx_wire_type(w, id)))
            nw_onnx_write_fail(w, NW_UNSUPPORTED, "the scale of its input is not known");
        put_real(w, node);
        return;
    }
    const nw_onnx_edge *in[3] = {nw_onnx_in(w, 0), nw_onnx_in(w, 1), nw_onnx_in_maybe(w, 2)};
    nw_onnx_put_int(w, nw_onnx_put(w, "DequantizeLinear", nw_onnx_result(w, 0, false), 3, in),
                    "axis", node->attrs.axis);
}

/* Whether two maps of integers stand for the same real numbers. */
static bool keeps_meaning(const nw_onnx_writer *w, nw_tensor_id a, nw_tensor_id b)
{
    const nw_quant *x = &w->graph->tensors[a].quant, *y = &w->graph->tensors[b].quant;
    return nw_onnx_is_quantised(w, a) && nw_onnx_is_quantised(w, b) && x->n_channels == 1 &&
           y->n_channels == 1 && x->scale == y->scale && x->zero_point == y->zero_point;
}

void nw_onnx_write_cast(nw_onnx_writer *w, const nw_node *node)
{
    nw_tensor_id id = nw_onnx_id(w, 0);
    if (id != NW_NONE && keeps_meaning(w, id, node->outputs[0])) {
        put_real(w, node);
        return;
    }
    if (id != NW_NONE && (nw_onnx_is_quantised(w, id) || nw_onnx_is_quantised(w, node->outputs[0])))
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it reads the integers of a quantised map");
    put_same(w, "Cast");
}

void nw_onnx_write_identity(nw_onnx_writer *w, const nw_node *node)
{
    for (int i = 1; i < node->n_outputs; i++)
        if (node->outputs[i] != NW_NONE &&
            (w->states[node->outputs[i]].n_uses || w->graph->tensors[node->outputs[i]].is_output))
            nw_onnx_write_fail(w, NW_UNSUPPORTED, "its mask is read: that is training");
    nw_tensor_id training = nw_onnx_id(w, 2);
    if (training != NW_NONE &&
        !(w->graph->tensors[training].ints && !w->graph->tensors[training].ints[0]))
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it may be training");
    put_same(w, "Identity");
}

/* ---- constants ---- */

void nw_onnx_write_constant(nw_onnx_writer *w, const nw_node *node)
{
    nw_onnx_edge *out = nw_onnx_result(w, 0, false);
    if (!nw_shape_is_known(&out->shape)) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its value is not known");
        return;
    }
    nw_onnx_put_tensor(w, nw_onnx_put(w, "Constant", out, 0, NULL), "value",
                       nw_onnx_tensor_of(w, node->outputs[0]));
}

void nw_onnx_write_fill(nw_onnx_writer *w, const nw_node *node)
{
    const nw_attrs *a = &node->attrs;
    const nw_onnx_edge *shape = as_int64(w, nw_onnx_in(w, 0));
    nw_onnx_edge *out = nw_onnx_result(w, 0, false);
    double value = a->n_floats ? (double)a->floats[0] : a->n_ints ? (double)a->ints[0] : 0;
    Onnx__NodeProto *proto = nw_onnx_put(w, "ConstantOfShape", out, 1, &shape);
    nw_onnx_put_tensor(w, proto, "value", nw_onnx_one_value(w, out->dtype, value));
}

void nw_onnx_write_shape(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *x = nw_onnx_in(w, 0);
    nw_onnx_edge *out = nw_onnx_result(w, 0, false);
    const nw_attrs *a = &node->attrs;
    if (out->dtype != NW_DTYPE_INT64) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it gives %s", nw_dtype_name(out->dtype));
        return;
    }
    if (node->op == NW_OP_SIZE || !a->has_ints) {
        nw_onnx_put(w, node->op == NW_OP_SIZE ? "Size" : "Shape", out, 1, &x);
        return;
    }
    /* A part of the shape is ONNX's since opset 15. */
    const int64_t end = a->n_ints > 1 ? a->ints[1] : INT64_MAX, axis = 0;
    nw_onnx_edge *all = nw_onnx_new_edge(w, out->name, "/Shape", NW_DTYPE_INT64, NULL);
    nw_onnx_put(w, "Shape", all, 1, &x);
    nw_onnx_put(w, "Slice", out, 4,
                (const nw_onnx_edge *const[]){all, nw_onnx_list(w, "/starts", a->ints, 1),
                                              nw_onnx_list(w, "/ends", &end, 1),
                                              nw_onnx_list(w, "/axes", &axis, 1)});
}

void nw_onnx_write_range(nw_onnx_writer *w, const nw_node *node)
{
    static const nw_shape scalar = {.rank = 0};
    const nw_onnx_edge *in[3];
    (void)node;
    for (int i = 0; i < 3; i++) {
        in[i] = nw_onnx_in(w, i);
        if (in[i]->shape.rank > 0)
            in[i] = nw_onnx_reshaped(w, in[i], &scalar);
    }
    nw_onnx_put(w, "Range", nw_onnx_result(w, 0, false), 3, in);
}
