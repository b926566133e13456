#include "src/arch/solve.h"

int nw_solve_own_axis(const nw_solver *s, int rank)
{
    int axis = s->node->attrs.axis;
    return axis < 0 ? axis + rank : axis;
}

void nw_solve_concat(nw_solver *s)
{
    nw_terms *t = &s->terms;
    nw_tensor_id out = nw_solve_output(s, 0);
    int rank = nw_solve_shape(s, out)->rank, axis = nw_solve_own_axis(s, rank);
    size_t mark = t->n_scratch;
    for (int i = 0; i < s->node->n_inputs; i++) {
        nw_tensor_id x = s->node->inputs[i];
        if (!nw_solve_is_known(s, x) || nw_solve_shape(s, x)->rank != rank)
            continue; /* an empty list */
        nw_term part = nw_solve_axis(s, x, axis);
        nw_term_push(t, part);
    }
    nw_term whole = nw_term_make(t, NW_TERM_CONCAT, mark);
    for (int i = 0; i < s->node->n_inputs; i++) {
        nw_tensor_id x = s->node->inputs[i];
        for (int k = 0; k < rank && nw_solve_is_known(s, x); k++)
            if (k != axis && nw_solve_shape(s, x)->rank == rank)
                nw_solve_carry(s, x, k, out, k);
    }
    nw_solve_set(s, out, axis, whole);
}

void nw_solve_stack(nw_solver *s)
{
    nw_tensor_id out = nw_solve_output(s, 0);
    int rank = nw_solve_shape(s, out)->rank, axis = nw_solve_own_axis(s, rank);
    for (int i = 0; i < s->node->n_inputs; i++)
        for (int k = 0; k < rank; k++)
            if (k != axis && nw_solve_is_known(s, s->node->inputs[i]))
                nw_solve_carry(s, s->node->inputs[i], k - (k > axis), out, k);
}

void nw_solve_unstack(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0);
    int rank = nw_solve_shape(s, x)->rank, axis = nw_solve_own_axis(s, rank);
    nw_solve_fix_axis(s, x, axis, NW_WHY_PICKS);
    for (int i = 0; i < s->node->n_outputs; i++)
        for (int k = 0; k < rank; k++)
            if (k != axis && nw_solve_is_known(s, s->node->outputs[i]))
                nw_solve_carry(s, x, k, s->node->outputs[i], k - (k > axis));
}

/* Equal parts are one variable, so that they stay equal. */
static void split_equally(nw_solver *s, nw_term term, int axis)
{
    int n = s->node->n_outputs;
    int64_t size = nw_term_size(&s->terms, term);
    if (size % n || size == 0) {
        nw_solve_fix(s, term, NW_WHY_PICKS);
        return;
    }
    nw_term part = nw_term_var(&s->terms, size / n);
    nw_term_equal(&s->terms, term, nw_term_product(&s->terms, n, part));
    for (int i = 0; i < n; i++)
        if (nw_solve_is_known(s, s->node->outputs[i]))
            nw_solve_set(s, s->node->outputs[i], axis, part);
}

static void split_by_list(nw_solver *s, nw_term term, int axis, const nw_int_list *sizes)
{
    nw_term rest = term, part;
    for (int i = 0; i < s->node->n_outputs; i++) {
        nw_tensor_id out = s->node->outputs[i];
        if (!nw_solve_is_known(s, out))
            break;
        int64_t size = nw_solve_shape(s, out)->dims[axis], left = nw_term_size(&s->terms, rest);
        if (size == 0)
            continue;
        if (size == left) {
            part = rest;
        } else if (size > left || !nw_term_cut(&s->terms, rest, size, &part, &rest)) {
            nw_solve_fix(s, term, NW_WHY_PICKS);
            return;
        }
        nw_solve_set(s, out, axis, part);
        if (sizes->values[i] > 0)
            nw_solve_site(s, sizes, i, part, 0);
    }
}

void nw_solve_split(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0);
    int rank = nw_solve_shape(s, x)->rank, axis = nw_solve_own_axis(s, rank);
    nw_int_list sizes = {NULL, 0, 0};
    for (int i = 0; i < s->node->n_outputs; i++)
        for (int k = 0; k < rank && nw_solve_is_known(s, s->node->outputs[i]); k++)
            if (k != axis)
                nw_solve_carry(s, x, k, s->node->outputs[i], k);
    nw_term term = nw_solve_axis(s, x, axis);
    if (nw_term_is_const(&s->terms, term))
        return;
    if (nw_solve_list(s, 1, &sizes) && sizes.n == s->node->n_outputs)
        split_by_list(s, term, axis, &sizes);
    else
        split_equally(s, term, axis);
}

/* ---- slices ---- */

typedef struct bound {
    nw_int_list list;
    int element; /* -1: none, the bound is open */
} bound;

/* A number of the file that means the end of `before` within `whole`, or its distance from the
 * end of it. */
static void mark_bound(nw_solver *s, const bound *b, nw_term before, nw_term whole)
{
    if (b->element < 0)
        return;
    int64_t value = b->list.values[b->element];
    int64_t size = nw_term_size(&s->terms, whole), n = nw_term_size(&s->terms, before);
    if (value < 0 && value == n - size)
        nw_solve_site(s, &b->list, b->element, before, whole);
    else if (value == n || (value > size && n == size && value < INT32_MAX))
        nw_solve_site(s, &b->list, b->element, before, 0);
}

static int64_t bound_value(const bound *b, int64_t size, int64_t otherwise)
{
    if (b->element < 0)
        return otherwise;
    int64_t value = b->list.values[b->element];
    value = value < 0 ? (value < -size ? 0 : value + size) : value;
    return value > size ? size : value;
}

/* Axis of x from begin to end in steps becomes an axis of the output. */
static void slice_axis(nw_solver *s, int axis, const bound *begin, const bound *end, int64_t step,
                       int to_axis)
{
    nw_terms *t = &s->terms;
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    nw_term term = nw_solve_axis(s, x, axis), before = 0, part = term, behind = 0;
    int64_t size = nw_term_size(t, term), n = nw_solve_shape(s, out)->dims[to_axis];
    if (nw_term_is_const(t, term))
        return;
    int64_t first = bound_value(begin, size, 0), last = bound_value(end, size, size);
    if (step != 1 || n != last - first || n == 0) {
        nw_solve_fix(s, term, step == -1 && n == size ? NW_WHY_ORDER : NW_WHY_PICKS);
        return;
    }
    bool is_cut = (first == 0 || nw_term_cut(t, part, first, &before, &part)) &&
                  (last == size || nw_term_cut(t, part, n, &part, &behind));
    if (!is_cut) {
        nw_solve_fix(s, term, NW_WHY_PICKS);
        return;
    }
    nw_solve_set(s, out, to_axis, part);
    mark_bound(s, begin, before, term);
    mark_bound(s, end, first ? nw_term_concat(t, before, part) : part, term);
}

bool nw_solve_slice(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    int rank = nw_solve_shape(s, x)->rank, n;
    const nw_attrs *attrs = &s->node->attrs;
    nw_int_list lists[4] = {{NULL, 0, 0}, {NULL, 0, 0}, {NULL, 0, 0}, {NULL, 0, 0}};
    bool is_cut[NW_MAX_RANK] = {false};
    for (int i = 0; i < 4; i++)
        if (!nw_solve_list(s, i + 1, &lists[i]) && i < 2)
            return false;
    n = attrs->has_ints ? attrs->n_axes : lists[0].n;
    for (int i = 0; i < n; i++) {
        int at[4];
        for (int k = 0; k < 4; k++)
            at[k] = attrs->has_ints ? k * n + i : i;
        int64_t axis = at[2] < lists[2].n ? lists[2].values[at[2]] : i;
        int64_t step = at[3] < lists[3].n ? lists[3].values[at[3]] : 1;
        axis += axis < 0 ? rank : 0;
        if (axis < 0 || axis >= rank || at[0] >= lists[0].n || at[1] >= lists[1].n)
            return false;
        bound begin = {lists[0], at[0]}, end = {lists[1], at[1]};
        slice_axis(s, (int)axis, &begin, &end, step, (int)axis);
        is_cut[axis] = true;
    }
    for (int axis = 0; axis < rank; axis++)
        if (!is_cut[axis])
            nw_solve_carry(s, x, axis, out, axis);
    return true;
}

bool nw_solve_slice_size(nw_solver *s)
{
    nw_terms *t = &s->terms;
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    int rank = nw_solve_shape(s, x)->rank;
    nw_int_list begin, size;
    if (!nw_solve_list(s, 1, &begin) || !nw_solve_list(s, 2, &size) || begin.n != rank ||
        size.n != rank)
        return false;
    for (int axis = 0; axis < rank; axis++) {
        nw_term term = nw_solve_axis(s, x, axis), before = 0, part = term, behind;
        int64_t n = nw_solve_shape(s, out)->dims[axis], first = begin.values[axis];
        if (nw_term_is_const(t, term))
            continue;
        bool is_cut = n > 0 && (first == 0 || nw_term_cut(t, part, first, &before, &part)) &&
                      (n == nw_term_size(t, part) || nw_term_cut(t, part, n, &part, &behind));
        if (!is_cut) {
            nw_solve_fix(s, term, NW_WHY_PICKS);
            continue;
        }
        nw_solve_set(s, out, axis, part);
        nw_solve_site(s, &begin, axis, before, 0);
        if (size.values[axis] > 0)
            nw_solve_site(s, &size, axis, part, 0);
    }
    return true;
}

static bool has_bit(int32_t mask, int i)
{
    return i < 32 && (uint32_t)mask >> i & 1u;
}

bool nw_solve_strided_slice(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), out = nw_solve_output(s, 0);
    const nw_attrs *attrs = &s->node->attrs;
    int rank = nw_solve_shape(s, x)->rank, axis = 0, to_axis = 0, n_used = 0;
    nw_int_list begin, end, step;
    if (!nw_solve_list(s, 1, &begin) || !nw_solve_list(s, 2, &end) || !nw_solve_list(s, 3, &step))
        return false;
    for (int i = 0; i < begin.n; i++)
        n_used += !has_bit(attrs->ellipsis_mask, i) && !has_bit(attrs->new_axis_mask, i);
    for (int i = 0; i < begin.n; i++) {
        if (has_bit(attrs->ellipsis_mask, i)) {
            for (int k = 0; k < rank - n_used; k++)
                nw_solve_carry(s, x, axis++, out, to_axis++);
        } else if (has_bit(attrs->new_axis_mask, i)) {
            to_axis++;
        } else if (has_bit(attrs->shrink_mask, i)) {
            nw_solve_fix_axis(s, x, axis++, NW_WHY_PICKS);
        } else {
            bound first = {begin, has_bit(attrs->begin_mask, i) ? -1 : i};
            bound last = {end, has_bit(attrs->end_mask, i) ? -1 : i};
            slice_axis(s, axis++, &first, &last, step.values[i], to_axis++);
        }
    }
    while (axis < rank)
        nw_solve_carry(s, x, axis++, out, to_axis++);
    return true;
}
