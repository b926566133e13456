#include "src/arch/solve.h"

/* ---- the same elements in another shape ---- */

typedef struct factor {
    nw_term term;
    int64_t size;
} factor;

#define MAX_FACTORS 64

/* The axes of x as factors, compound ones as their own; those of size 1 tell nothing. */
static int list_factors(nw_solver *s, nw_tensor_id x, factor *out)
{
    nw_terms *t = &s->terms;
    int n = 0;
    for (int axis = 0; axis < nw_solve_shape(s, x)->rank; axis++) {
        nw_term term = nw_solve_axis(s, x, axis);
        if (nw_term_size(t, term) == 1) {
            nw_solve_fix(s, term, NW_WHY_MIXES);
            continue;
        }
        size_t mark = t->n_scratch;
        nw_term_push_parts(t, term, NW_TERM_PRODUCT);
        bool has_room = (int)(t->n_scratch - mark) <= MAX_FACTORS - NW_MAX_RANK - n;
        for (size_t i = mark; has_room && i < t->n_scratch; i++) {
            int64_t size = nw_term_size(t, t->scratch[i]);
            if (size != 1)
                out[n++] = (factor){t->scratch[i], size};
        }
        if (!has_room)
            out[n++] = (factor){term, nw_term_size(t, term)};
        t->n_scratch = mark;
    }
    return n;
}

/* Which of several axes that one term is split into varies: the one that the file leaves open, or
 * computes; else the largest, as groups and heads are few. */
static int pick_variable(const nw_solver *s, const nw_shape *to, int from, int end,
                         const nw_int_list *list)
{
    int best = -1, best_rank = -1;
    for (int axis = from; axis < end; axis++) {
        int rank = 0;
        if (to->dims[axis] == 1)
            continue;
        if (list && list->values[axis] == -1)
            rank = 2;
        else if (list && !nw_solve_is_open(s, list, axis))
            rank = 1;
        if (rank > best_rank || (rank == best_rank && to->dims[axis] > to->dims[best])) {
            best = axis;
            best_rank = rank;
        }
    }
    return best;
}

/* One term becomes the axes from..end-1. */
static void split_term(nw_solver *s, nw_term term, const nw_shape *to, int from, int end,
                       const nw_int_list *list, nw_term *out)
{
    nw_terms *t = &s->terms;
    if (nw_term_is_const(t, term))
        return;
    int open = pick_variable(s, to, from, end, list);
    if (open < 0) {
        nw_solve_fix(s, term, NW_WHY_MIXES);
        return;
    }
    out[open] = nw_term_var(t, to->dims[open]);
    size_t mark = t->n_scratch;
    for (int axis = from; axis < end; axis++)
        nw_term_push(t, out[axis]);
    nw_term_equal(t, term, nw_term_make(t, NW_TERM_PRODUCT, mark));
}

static nw_term product_of(nw_solver *s, const factor *factors, int n)
{
    size_t mark = s->terms.n_scratch;
    for (int i = 0; i < n; i++)
        nw_term_push(&s->terms, factors[i].term);
    return nw_term_make(&s->terms, NW_TERM_PRODUCT, mark);
}

static int count_large(const nw_shape *to, int from, int end)
{
    int n = 0;
    for (int axis = from; axis < end; axis++)
        n += to->dims[axis] != 1;
    return n;
}

/* Channels split into groups, the rest of them merged with the positions behind (as group norm
 * does): the first axis takes a number out of the first factor. */
static bool split_groups(nw_solver *s, const factor *in, int n_in, const nw_shape *to, int from,
                         int end, nw_term *out)
{
    int axes[2], n = 0;
    for (int axis = from; axis < end; axis++)
        if (to->dims[axis] != 1 && n < 2)
            axes[n++] = axis;
    int64_t groups = to->dims[axes[0]];
    if (count_large(to, from, end) != 2 || in[0].size <= groups || in[0].size % groups)
        return false;
    factor left[MAX_FACTORS];
    left[0] = (factor){nw_term_var(&s->terms, in[0].size / groups), in[0].size / groups};
    for (int i = 1; i < n_in; i++)
        left[i] = in[i];
    nw_term_equal(&s->terms, in[0].term, nw_term_product(&s->terms, groups, left[0].term));
    out[axes[1]] = product_of(s, left, n_in);
    return true;
}

/* Factors in[0..n_in) become the axes from..end-1, and fill them evenly. */
static void solve_block(nw_solver *s, const factor *in, int n_in, const nw_shape *to, int from,
                        int end, const nw_int_list *list, nw_term *out)
{
    int n_out = count_large(to, from, end);
    bool is_const = true;
    for (int i = 0; i < n_in; i++)
        is_const &= nw_term_is_const(&s->terms, in[i].term);
    if (is_const)
        return;
    if (n_out == 1) {
        for (int axis = from; axis < end; axis++)
            if (to->dims[axis] != 1)
                out[axis] = product_of(s, in, n_in);
    } else if (n_in == 1) {
        split_term(s, in[0].term, to, from, end, list, out);
    } else if (!split_groups(s, in, n_in, to, from, end, out)) {
        for (int i = 0; i < n_in; i++)
            nw_solve_fix(s, in[i].term, NW_WHY_MIXES);
    }
}

void nw_solve_reshape(nw_solver *s, nw_tensor_id x, const nw_shape *to, const nw_int_list *list,
                      nw_term *out)
{
    factor in[MAX_FACTORS];
    int n_in = list_factors(s, x, in), i = 0, axis = 0;
    bool is_empty = nw_shape_elements(to) == 0;
    for (int k = 0; k < to->rank; k++)
        out[k] = to->dims[k];
    for (int k = 0; is_empty && k < n_in; k++)
        nw_solve_fix(s, in[k].term, NW_WHY_MIXES);
    while (i < n_in && !is_empty) {
        int i_begin = i, from = axis;
        int64_t left = in[i++].size, right = 1;
        while (left != right || right == 1) {
            if (left < right && i < n_in)
                left *= in[i++].size;
            else if (axis < to->rank)
                right *= to->dims[axis++];
            else
                break;
        }
        if (left != right) { /* sealing would have refused it */
            for (int k = i_begin; k < n_in; k++)
                nw_solve_fix(s, in[k].term, NW_WHY_MIXES);
            return;
        }
        solve_block(s, in + i_begin, i - i_begin, to, from, axis, list, out);
    }
}

/* Target numbers of a reshape or expansion follow the terms of the axes they stand for. */
static void mark_targets(nw_solver *s, const nw_int_list *list, const nw_shape *to,
                         const nw_term *terms)
{
    for (int axis = 0; axis < to->rank && axis < list->n; axis++)
        if (list->values[axis] == to->dims[axis] && list->values[axis] > 0)
            nw_solve_site(s, list, axis, terms[axis], 0);
}

/* Input i is left out or its values are known: the output's shape is not only claimed. */
static bool knows_param(const nw_solver *s, int i)
{
    nw_tensor_id x = nw_solve_input(s, i);
    return x == NW_NONE || s->node->attrs.has_ints || s->graph->tensors[x].ints ||
           s->graph->tensors[x].floats;
}

static void reshape(nw_solver *s, bool has_target)
{
    nw_tensor_id out = nw_solve_output(s, 0);
    const nw_shape *to = nw_solve_shape(s, out);
    nw_term terms[NW_MAX_RANK];
    nw_int_list list;
    bool is_listed = has_target && nw_solve_list(s, 1, &list) && list.n == to->rank;
    nw_solve_reshape(s, nw_solve_input(s, 0), to, is_listed ? &list : NULL, terms);
    for (int axis = 0; axis < to->rank; axis++)
        nw_solve_set(s, out, axis, terms[axis]);
    if (is_listed)
        mark_targets(s, &list, to, terms);
}

static void transpose(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    int rank = nw_solve_shape(s, x)->rank;
    nw_int_list perm = {NULL, 0, 0};
    bool is_listed = nw_solve_list(s, 1, &perm) && perm.n == rank;
    for (int axis = 0; axis < rank; axis++) {
        int64_t from = is_listed ? perm.values[axis] : rank - 1 - axis;
        nw_solve_carry(s, x, (int)(from < 0 ? from + rank : from), out, axis);
    }
}

static void expand(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    const nw_shape *from = nw_solve_shape(s, x), *to = nw_solve_shape(s, out);
    nw_term terms[NW_MAX_RANK];
    nw_int_list list;
    bool is_listed = nw_solve_list(s, 1, &list) && list.n == to->rank;
    for (int axis = 0; axis < to->rank; axis++) {
        int at = axis - (to->rank - from->rank);
        bool is_told = is_listed && list.values[axis] == to->dims[axis];
        terms[axis] = is_told ? nw_solve_number(s, &list, axis) : to->dims[axis];
        if (at < 0)
            continue;
        if (from->dims[at] == to->dims[axis])
            terms[axis] = nw_solve_axis(s, x, at);
        else
            nw_solve_fix_axis(s, x, at, NW_WHY_BROADCAST);
    }
    for (int axis = 0; axis < to->rank; axis++)
        nw_solve_set(s, out, axis, terms[axis]);
    if (is_listed)
        mark_targets(s, &list, to, terms);
}

static void tile(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    const nw_shape *from = nw_solve_shape(s, x), *to = nw_solve_shape(s, out);
    for (int axis = 0; axis < from->rank; axis++) {
        int64_t size = from->dims[axis], times = size ? to->dims[axis] / size : 0;
        nw_term term = nw_solve_axis(s, x, axis);
        nw_solve_set(s, out, axis, nw_term_product(&s->terms, times, term));
    }
}

/* ---- gathering, padding, sizes ---- */

static void gather(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), indices = nw_solve_input(s, 1);
    nw_tensor_id out = nw_solve_output(s, 0);
    int rank = nw_solve_shape(s, x)->rank, axis = nw_solve_own_axis(s, rank);
    int n_new = nw_solve_is_known(s, indices) ? nw_solve_shape(s, indices)->rank : 0;
    nw_solve_fix_axis(s, x, axis, NW_WHY_PICKS);
    for (int k = 0; k < rank; k++)
        if (k != axis)
            nw_solve_carry(s, x, k, out, k < axis ? k : k + n_new - 1);
    for (int k = 0; k < n_new && !s->graph->tensors[indices].is_const; k++)
        nw_solve_carry(s, indices, k, out, axis + k);
}

/* A padding of channels is a variable: its number is in the file. */
static nw_term pad_term(nw_solver *s, const nw_int_list *pads, int element)
{
    int64_t n = pads->values[element];
    if (n == 0 || !nw_solve_is_open(s, pads, element))
        return n;
    nw_term term = nw_term_var(&s->terms, n);
    nw_solve_site(s, pads, element, term, 0);
    return term;
}

static bool pad(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    int rank = nw_solve_shape(s, x)->rank;
    bool is_paired = s->node->attrs.pads_paired;
    nw_int_list pads;
    if (nw_solve_input(s, 3) != NW_NONE || !nw_solve_list(s, 1, &pads) || pads.n != 2 * rank)
        return false;
    for (int axis = 0; axis < rank; axis++) {
        int begin = is_paired ? 2 * axis : axis, end = is_paired ? 2 * axis + 1 : rank + axis;
        nw_term term = nw_solve_axis(s, x, axis);
        if (nw_term_is_const(&s->terms, term))
            continue;
        if (pads.values[begin] < 0 || pads.values[end] < 0) {
            nw_solve_fix(s, term, NW_WHY_PICKS);
            continue;
        }
        size_t mark = s->terms.n_scratch;
        nw_term behind = pad_term(s, &pads, end);
        nw_term_push(&s->terms, pad_term(s, &pads, begin));
        nw_term_push(&s->terms, term);
        nw_term_push(&s->terms, behind);
        nw_solve_set(s, out, axis, nw_term_make(&s->terms, NW_TERM_CONCAT, mark));
    }
    return true;
}

static void resize(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    const nw_shape *from = nw_solve_shape(s, x), *to = nw_solve_shape(s, out);
    nw_int_list sizes = {NULL, 0, 0};
    bool is_listed = s->node->attrs.resize_form == NW_RESIZE_SIZES && nw_solve_list(s, 1, &sizes);
    for (int axis = 0; axis < from->rank; axis++) {
        if (from->dims[axis] != to->dims[axis]) {
            nw_solve_fix_axis(s, x, axis, NW_WHY_MIXES);
            continue;
        }
        nw_term term = nw_solve_axis(s, x, axis);
        nw_solve_set(s, out, axis, term);
        if (is_listed && axis < sizes.n)
            nw_solve_site(s, &sizes, axis, term, 0);
    }
}

/* Channels that blocks of positions are made of, or made into. */
static void trade_space(nw_solver *s)
{
    nw_terms *t = &s->terms;
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    bool gives = s->node->op == NW_OP_DEPTH_TO_SPACE;
    int rank = nw_solve_shape(s, x)->rank, c = nw_channel_axis(s->graph, rank);
    int64_t taps = (int64_t)s->node->attrs.block * s->node->attrs.block;
    nw_tensor_id few = gives ? out : x, many = gives ? x : out;
    int64_t n = nw_solve_shape(s, few)->dims[c];
    for (int axis = 1; axis < rank; axis++)
        if (axis != c)
            nw_solve_fix_axis(s, x, axis, NW_WHY_MIXES);
    if (rank != 4 || taps < 1 || n < 1) {
        nw_solve_fix_axis(s, x, c, NW_WHY_OPAQUE);
        return;
    }
    nw_term channels = gives ? nw_term_var(t, n) : nw_solve_axis(s, x, c);
    bool channels_outside = gives && s->node->attrs.is_crd;
    nw_term both =
        channels_outside ? nw_term_product(t, channels, taps) : nw_term_product(t, taps, channels);
    nw_solve_axis(s, x, c);
    nw_solve_set(s, many, c, both);
    if (gives)
        nw_solve_set(s, out, c, channels);
}

static void shuffle(nw_solver *s)
{
    nw_terms *t = &s->terms;
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    int rank = nw_solve_shape(s, x)->rank, c = nw_channel_axis(s->graph, rank);
    int64_t groups = s->node->attrs.groups, n = nw_solve_shape(s, x)->dims[c];
    for (int axis = 0; axis < rank; axis++)
        if (axis != c)
            nw_solve_carry(s, x, axis, out, axis);
    if (groups < 1 || n % groups || n == 0)
        return;
    nw_term wide = nw_term_var(t, n / groups);
    nw_term_equal(t, nw_solve_axis(s, x, c), nw_term_product(t, groups, wide));
    nw_solve_set(s, out, c, nw_term_product(t, wide, groups));
}

static void space_batch(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    int rank = nw_solve_shape(s, x)->rank, c = nw_channel_axis(s->graph, rank);
    for (int axis = 0; axis < rank; axis++)
        if (axis != c)
            nw_solve_fix_axis(s, x, axis, NW_WHY_MIXES);
    if (nw_solve_shape(s, x)->dims[c] == nw_solve_shape(s, out)->dims[c])
        nw_solve_carry(s, x, c, out, c);
}

static bool reduce(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    int rank = nw_solve_shape(s, x)->rank, to_axis = 0;
    uint32_t axes = 0;
    nw_int_list list = {NULL, 0, 0};
    bool is_listed = nw_solve_list(s, 1, &list);
    if (!is_listed && nw_solve_input(s, 1) != NW_NONE)
        return false;
    for (int i = 0; i < list.n; i++) {
        int64_t axis = list.values[i] < 0 ? list.values[i] + rank : list.values[i];
        if (axis >= 0 && axis < rank)
            axes |= 1u << axis;
    }
    if (list.n == 0 && !s->node->attrs.noop_empty)
        axes = (1u << rank) - 1;
    for (int axis = 0; axis < rank; axis++) {
        bool is_gone = axes & 1u << axis;
        if (!is_gone)
            nw_solve_carry(s, x, axis, out, to_axis);
        to_axis += !is_gone || s->node->attrs.keep_dims;
    }
    return true;
}

/* One axis is searched for its largest element or elements. */
static void search_axis(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0);
    int rank = nw_solve_shape(s, x)->rank;
    bool is_arg = s->node->op == NW_OP_ARG_MAX;
    nw_int_list list = {NULL, 0, 0};
    int64_t axis = s->node->attrs.axis;
    if (is_arg && nw_solve_input(s, 1) != NW_NONE && nw_solve_list(s, 1, &list) && list.n)
        axis = list.values[0];
    axis += axis < 0 ? rank : 0;
    bool is_gone = is_arg && !s->node->attrs.keep_dims;
    for (int k = 0; k < rank; k++) {
        if (k == axis) {
            nw_solve_fix_axis(s, x, k, NW_WHY_PICKS);
            continue;
        }
        for (int i = 0; i < s->node->n_outputs; i++)
            if (nw_solve_is_known(s, s->node->outputs[i]))
                nw_solve_carry(s, x, k, s->node->outputs[i], k - (is_gone && k > axis));
    }
}

/* A constant whose sizes are numbers in the file. */
static void constant_of_shape(nw_solver *s)
{
    nw_tensor_id out = nw_solve_output(s, 0);
    const nw_tensor *shape = &s->graph->tensors[nw_solve_input(s, 0)];
    nw_int_list list = {shape->ints, nw_solve_shape(s, out)->rank, 0};
    for (int axis = 0; axis < list.n && list.values; axis++) {
        int64_t size = list.values[axis];
        if (size < 1)
            continue;
        if (!nw_solve_is_open(s, &list, axis)) {
            nw_solve_set(s, out, axis, nw_solve_number(s, &list, axis));
            continue;
        }
        nw_term term = nw_term_var(&s->terms, size);
        nw_solve_set(s, out, axis, term);
        nw_solve_site(s, &list, axis, term, 0);
    }
}

bool nw_solve_move(nw_solver *s)
{
    switch (s->node->op) {
    case NW_OP_RESHAPE:
        reshape(s, true);
        return knows_param(s, 1);
    case NW_OP_FLATTEN:
    case NW_OP_SQUEEZE:
    case NW_OP_UNSQUEEZE:
        reshape(s, false);
        return true;
    case NW_OP_TRANSPOSE:
        transpose(s);
        return true;
    case NW_OP_EXPAND:
        expand(s);
        return knows_param(s, 1);
    case NW_OP_TILE:
        tile(s);
        return knows_param(s, 1);
    case NW_OP_CONCAT:
        nw_solve_concat(s);
        return true;
    case NW_OP_STACK:
        nw_solve_stack(s);
        return true;
    case NW_OP_UNSTACK:
        nw_solve_unstack(s);
        return true;
    case NW_OP_SPLIT:
        nw_solve_split(s);
        return true;
    case NW_OP_SLICE:
        return nw_solve_slice(s);
    case NW_OP_SLICE_SIZE:
        return nw_solve_slice_size(s);
    case NW_OP_STRIDED_SLICE:
        return nw_solve_strided_slice(s);
    case NW_OP_GATHER:
        gather(s);
        return true;
    case NW_OP_PAD:
        return pad(s);
    case NW_OP_RESIZE:
        resize(s);
        return s->node->attrs.n_floats > 0 || knows_param(s, 1);
    case NW_OP_DEPTH_TO_SPACE:
    case NW_OP_SPACE_TO_DEPTH:
        trade_space(s);
        return true;
    case NW_OP_CHANNEL_SHUFFLE:
        shuffle(s);
        return true;
    case NW_OP_SPACE_TO_BATCH:
    case NW_OP_BATCH_TO_SPACE:
        space_batch(s);
        return true;
    case NW_OP_REDUCE:
        return reduce(s);
    case NW_OP_ARG_MAX:
    case NW_OP_TOP_K:
        search_axis(s);
        return true;
    case NW_OP_CONSTANT_OF_SHAPE:
        constant_of_shape(s);
        return true;
    default:
        return false;
    }
}
