#include "src/arch/solve.h"

/* The axes of output and input channels in a weight tensor. */
static void find_weight_axes(const nw_attrs *attrs, int rank, int *o, int *i)
{
    static const int8_t axes[][2] = {[NW_WEIGHTS_OIHW] = {0, 1},
                                     [NW_WEIGHTS_IOHW] = {1, 0},
                                     [NW_WEIGHTS_OHWI] = {0, 3},
                                     [NW_WEIGHTS_HWIO] = {3, 0}};
    *o = axes[attrs->weight_layout][0];
    *i = axes[attrs->weight_layout][1];
    *o -= rank == 3 && *o == 3;
    *i -= rank == 3 && *i == 3;
}

static nw_term times(nw_solver *s, int64_t outer, nw_term inner)
{
    return nw_term_product(&s->terms, outer, inner);
}

/* One filter or more for each channel: as many groups as channels. */
static nw_term solve_depthwise(nw_solver *s, nw_term in, nw_term filters)
{
    int64_t c = nw_term_size(&s->terms, in), n = nw_term_size(&s->terms, filters);
    nw_term out = in;
    if (c && n != c)
        out = nw_term_product(&s->terms, in, nw_term_var(&s->terms, n / c));
    nw_term_equal(&s->terms, filters, out);
    nw_solve_site(s, &(nw_int_list){.input = NW_SITE_GROUPS}, 0, in, 0);
    return out;
}

/* Groups of 64 channels stay so wide (accelerators like them so); others keep their number. */
static nw_term solve_grouped(nw_solver *s, nw_term in, nw_tensor_id w, int o, int i)
{
    nw_terms *t = &s->terms;
    int64_t groups = s->node->attrs.groups;
    int64_t wide = nw_term_size(t, in) / groups;
    nw_term filters = nw_solve_axis(s, w, o);
    int64_t n_filters = nw_term_size(t, filters);
    if (s->node->attrs.weight_layout == NW_WEIGHTS_IOHW) { /* I of all, O of one group */
        nw_term_equal(t, in, nw_solve_axis(s, w, i));
        nw_term_equal(t, in, times(s, groups, nw_term_var(t, wide)));
        return times(s, groups, filters);
    }
    if (wide == 64) {
        nw_term n = nw_term_var(t, groups);
        nw_term_equal(t, in, nw_term_product(t, n, 64));
        nw_term_equal(t, filters, nw_term_product(t, n, n_filters / groups));
        nw_solve_fix_axis(s, w, i, NW_WHY_NEEDS);
        nw_solve_site(s, &(nw_int_list){.input = NW_SITE_GROUPS}, 0, n, 0);
        return filters;
    }
    nw_term_equal(t, in, times(s, groups, nw_solve_axis(s, w, i)));
    nw_term_equal(t, filters, times(s, groups, nw_term_var(t, n_filters / groups)));
    return filters;
}

void nw_solve_conv(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), w = nw_solve_input(s, 1), out = nw_solve_output(s, 0);
    int rank = nw_solve_shape(s, x)->rank, o, i;
    const nw_attrs *attrs = &s->node->attrs;
    if ((rank != 3 && rank != 4) || !nw_solve_is_known(s, w) ||
        nw_solve_shape(s, w)->rank != rank || attrs->groups < 1) {
        nw_solve_fix_inputs(s, NW_WHY_OPAQUE);
        return;
    }
    find_weight_axes(attrs, rank, &o, &i);
    int c = nw_channel_axis(s->graph, rank);
    nw_term in = nw_solve_axis(s, x, c), result;
    int64_t n = nw_term_size(&s->terms, in);
    bool is_whole = attrs->weight_layout == NW_WEIGHTS_IOHW;
    bool is_depthwise = attrs->groups == n && (n > 1 || attrs->weight_layout == NW_WEIGHTS_HWIO);
    if (is_depthwise && !is_whole) {
        result = solve_depthwise(s, in, nw_solve_axis(s, w, o));
    } else if (is_depthwise && nw_solve_shape(s, w)->dims[o] == 1) {
        nw_term_equal(&s->terms, in, nw_solve_axis(s, w, i));
        nw_solve_site(s, &(nw_int_list){.input = NW_SITE_GROUPS}, 0, in, 0);
        result = in;
    } else if (attrs->groups == 1) {
        nw_term_equal(&s->terms, in, nw_solve_axis(s, w, i));
        result = nw_solve_axis(s, w, o);
    } else {
        result = solve_grouped(s, in, w, o, i);
    }
    for (int axis = 1; axis < rank; axis++)
        if (axis != c)
            nw_solve_fix_axis(s, x, axis, NW_WHY_MIXES);
    nw_solve_follow(s, 2, result);
    nw_solve_set(s, out, c, result);
}

void nw_solve_fully_connected(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), w = nw_solve_input(s, 1), out = nw_solve_output(s, 0);
    const nw_shape *shape = nw_solve_shape(s, x), *to = nw_solve_shape(s, out);
    const nw_attrs *attrs = &s->node->attrs;
    if (!nw_solve_is_known(s, w) || nw_solve_shape(s, w)->rank != 2 || to->rank < 1) {
        nw_solve_fix_inputs(s, NW_WHY_OPAQUE);
        return;
    }
    int i = attrs->weight_layout == NW_WEIGHTS_IOHW ? 0 : 1, rank = shape->rank;
    nw_term inner, columns = nw_solve_axis(s, w, 1 - i);
    if (attrs->transpose_a && rank == 2) {
        inner = nw_solve_axis(s, x, 0);
        nw_solve_carry(s, x, 1, out, 0);
    } else if (attrs->keep_dims && rank > 0) {
        inner = nw_solve_axis(s, x, rank - 1);
        for (int axis = 0; axis < rank - 1 && axis < to->rank - 1; axis++)
            nw_solve_carry(s, x, axis, out, axis);
    } else {
        nw_shape rows = {.rank = 2, .dims = {to->dims[0], nw_solve_shape(s, w)->dims[i]}};
        nw_term terms[NW_MAX_RANK];
        nw_solve_reshape(s, x, &rows, NULL, terms);
        nw_solve_set(s, out, 0, terms[0]);
        inner = terms[1];
    }
    nw_term_equal(&s->terms, inner, nw_solve_axis(s, w, i));
    nw_solve_follow(s, 2, columns);
    nw_solve_set(s, out, to->rank - 1, columns);
}

void nw_solve_matmul(nw_solver *s)
{
    nw_tensor_id a = nw_solve_input(s, 0), b = nw_solve_input(s, 1), out = nw_solve_output(s, 0);
    if (!nw_solve_is_known(s, b)) {
        nw_solve_fix_inputs(s, NW_WHY_OPAQUE);
        return;
    }
    int a_rank = nw_solve_shape(s, a)->rank, b_rank = nw_solve_shape(s, b)->rank;
    int out_rank = nw_solve_shape(s, out)->rank;
    bool a_turns = s->node->attrs.transpose_a && a_rank > 1;
    bool b_turns = s->node->attrs.transpose_b && b_rank > 1;
    int inner_a = a_rank - 1 - a_turns, rows = a_rank - 2 + a_turns;
    int inner_b = b_rank == 1 ? 0 : b_rank - 2 + b_turns, columns = b_rank - 1 - b_turns;
    nw_term_equal(&s->terms, nw_solve_axis(s, a, inner_a), nw_solve_axis(s, b, inner_b));
    int end = out_rank;
    if (b_rank > 1 && end > 0)
        nw_solve_carry(s, b, columns, out, --end);
    if (a_rank > 1 && end > 0)
        nw_solve_carry(s, a, rows, out, --end);
    for (int k = 1; k <= end; k++) { /* batches, from the last on */
        nw_tensor_id operands[2] = {a, b};
        int ranks[2] = {a_rank, b_rank};
        for (int m = 0; m < 2; m++) {
            int at = ranks[m] - 2 - k;
            if (at < 0)
                continue;
            if (nw_solve_shape(s, operands[m])->dims[at] == nw_solve_shape(s, out)->dims[end - k])
                nw_solve_carry(s, operands[m], at, out, end - k);
            else
                nw_solve_fix_axis(s, operands[m], at, NW_WHY_BROADCAST);
        }
    }
}
