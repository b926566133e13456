#include <math.h>
#include <string.h>

#include "src/graph/fold.h"

/* ---- two integers, two floats ---- */

static int64_t negate(int64_t value)
{
    return (int64_t)(0 - (uint64_t)value);
}

/* Where signs differ and something is left over, DIV and FLOOR_DIV part, and so do ONNX's two kinds
 * of Mod; shapes never get there. */
static bool divide_ints(int64_t a, int64_t b, int64_t *quotient, int64_t *rest)
{
    if (b == 0)
        return false;
    *quotient = b == -1 ? negate(a) : a / b; /* INT64_MIN / -1 traps */
    *rest = b == -1 ? 0 : a % b;
    return *rest == 0 || (a < 0) == (b < 0);
}

static bool raise_ints(int64_t a, int64_t b, int64_t *out)
{
    uint64_t result = 1, factor = (uint64_t)a;
    if (b < 0)
        return false;
    for (; b; b >>= 1, factor *= factor)
        if (b & 1)
            result *= factor;
    *out = (int64_t)result;
    return true;
}

static bool combine_ints(nw_op op, int64_t a, int64_t b, int64_t *out)
{
    int64_t unused;
    switch (op) {
    case NW_OP_ADD:
        *out = (int64_t)((uint64_t)a + (uint64_t)b);
        return true;
    case NW_OP_SUB:
        *out = (int64_t)((uint64_t)a - (uint64_t)b);
        return true;
    case NW_OP_MUL:
        *out = (int64_t)((uint64_t)a * (uint64_t)b);
        return true;
    case NW_OP_DIV:
        return divide_ints(a, b, out, &unused);
    case NW_OP_MOD:
        return divide_ints(a, b, &unused, out);
    case NW_OP_POW:
        return raise_ints(a, b, out);
    case NW_OP_MIN:
        *out = a < b ? a : b;
        return true;
    case NW_OP_MAX:
        *out = a > b ? a : b;
        return true;
    default:
        return false;
    }
}

static bool combine_floats(nw_op op, double a, double b, double *out)
{
    switch (op) {
    case NW_OP_ADD:
        *out = a + b;
        return true;
    case NW_OP_SUB:
        *out = a - b;
        return true;
    case NW_OP_MUL:
        *out = a * b;
        return true;
    case NW_OP_DIV:
        *out = b != 0 ? a / b : 0;
        return b != 0;
    case NW_OP_MOD: /* formats differ where the signs do */
        *out = b != 0 ? fmod(a, b) : 0;
        return b != 0 && signbit(a) == signbit(b);
    case NW_OP_POW:
        *out = pow(a, b);
        return true;
    case NW_OP_MIN:
        *out = a < b || isnan(a) ? a : b;
        return true;
    case NW_OP_MAX:
        *out = a > b || isnan(a) ? a : b;
        return true;
    default:
        return false;
    }
}

/* Operators that a reader files under another one of the same cost but another meaning. */
static const struct {
    const char *file_type;
    bool ints_alike;
} pretenders[] = {{"Mean", false}, {"SQUARED_DIFFERENCE", false}, {"FLOOR_DIV", true}};

/* Whether the operator does to stored numbers just what its name says: no activation inside, no
 * scales to mind, no pretender. */
static bool is_plain(const nw_infer *in)
{
    const nw_tensor *out = nw_infer_output(in, 0), *first = nw_infer_input(in, 0);
    if (in->node->act != NW_ACT_NONE || !out || out->quant.n_channels || !first ||
        strstr(in->node->file_type, "QLinear"))
        return false;
    for (int i = 0; i < in->node->n_inputs; i++)
        if (nw_infer_input(in, i) && nw_infer_input(in, i)->quant.n_channels)
            return false;
    for (size_t i = 0; i < sizeof pretenders / sizeof pretenders[0]; i++)
        if (strcmp(in->node->file_type, pretenders[i].file_type) == 0)
            return pretenders[i].ints_alike && first->ints;
    return true;
}

/* All inputs known, and a plain operator. */
static bool can_compute(const nw_infer *in)
{
    for (int i = 0; i < in->node->n_inputs; i++)
        if (!nw_fold_has_value(nw_infer_input(in, i)))
            return false;
    return is_plain(in);
}

static void view_as_output(const nw_infer *in, int input, nw_view *out)
{
    nw_view_broadcast(nw_infer_shape(in, input), &nw_infer_output(in, 0)->shape, out);
}

/* values = values op input, element by element. */
static bool combine_input(const nw_infer *in, int input, const nw_values *values)
{
    const nw_tensor *x = nw_infer_input(in, input);
    nw_view view;
    bool is_fine = nw_fold_same_class(values, x);
    view_as_output(in, input, &view);
    for (int64_t i = 0; i < values->n && is_fine; i++) {
        int64_t from = nw_view_offset(&view, i);
        if (values->ints) {
            is_fine = combine_ints(in->node->op, values->ints[i], x->ints[from], &values->ints[i]);
            values->ints[i] = nw_fold_wrap(values->dtype, values->ints[i]);
        } else {
            is_fine = combine_floats(in->node->op, values->floats[i], x->floats[from],
                                     &values->floats[i]);
            values->floats[i] = nw_fold_round(values->dtype, values->floats[i]);
        }
    }
    return is_fine;
}

void nw_fold_arithmetic(const nw_infer *in)
{
    nw_values values;
    nw_view view;
    const nw_tensor *out = nw_infer_output(in, 0), *x = nw_infer_input(in, 0);
    if (!can_compute(in))
        return;
    int64_t work = in->node->n_inputs * nw_shape_elements(&out->shape);
    if (!nw_fold_begin(in, 0, work, &values) || !nw_fold_same_class(&values, x))
        return;
    view_as_output(in, 0, &view);
    for (int64_t i = 0; i < values.n; i++)
        nw_fold_copy(&values, i, x, nw_view_offset(&view, i));
    for (int i = 1; i < in->node->n_inputs; i++)
        if (!combine_input(in, i, &values))
            return;
    nw_fold_commit(in, 0, &values);
}

/* ---- compare, where ---- */

/* order: -1, 0 or 1 for a less than, equal to, greater than b; 2: not comparable. */
static bool compare_order(nw_compare compare, int order)
{
    switch (compare) {
    case NW_COMPARE_EQUAL:
        return order == 0;
    case NW_COMPARE_NOT_EQUAL:
        return order != 0;
    case NW_COMPARE_LESS:
        return order == -1;
    case NW_COMPARE_LESS_EQUAL:
        return order == -1 || order == 0;
    case NW_COMPARE_GREATER:
        return order == 1;
    case NW_COMPARE_GREATER_EQUAL:
        return order == 1 || order == 0;
    default:
        return false;
    }
}

static bool compare_elements(nw_compare compare, const nw_tensor *a, int64_t i, const nw_tensor *b,
                             int64_t k)
{
    if (a->floats) {
        double x = a->floats[i], y = b->floats[k];
        return compare_order(compare, isnan(x) || isnan(y) ? 2 : (x > y) - (x < y));
    }
    int64_t x = a->ints[i], y = b->ints[k];
    switch (compare) {
    case NW_COMPARE_AND:
        return x && y;
    case NW_COMPARE_OR:
        return x || y;
    case NW_COMPARE_XOR:
        return !x != !y;
    default:
        return compare_order(compare, (x > y) - (x < y));
    }
}

void nw_fold_compare(const nw_infer *in)
{
    const nw_tensor *a = nw_infer_input(in, 0), *b = nw_infer_input(in, 1);
    nw_values values;
    nw_view of_a, of_b;
    if (!can_compute(in) || !a->ints != !b->ints || !nw_fold_begin(in, 0, 0, &values) ||
        !values.ints)
        return;
    view_as_output(in, 0, &of_a);
    view_as_output(in, 1, &of_b);
    for (int64_t i = 0; i < values.n; i++)
        values.ints[i] = compare_elements((nw_compare)in->node->attrs.compare, a,
                                          nw_view_offset(&of_a, i), b, nw_view_offset(&of_b, i));
    nw_fold_commit(in, 0, &values);
}

void nw_fold_where(const nw_infer *in)
{
    const nw_tensor *condition = nw_infer_input(in, 0);
    nw_values values;
    nw_view of_condition, views[2];
    if (!can_compute(in) || !condition->ints || !nw_fold_begin(in, 0, 0, &values) ||
        !nw_fold_same_class(&values, nw_infer_input(in, 1)) ||
        !nw_fold_same_class(&values, nw_infer_input(in, 2)))
        return;
    view_as_output(in, 0, &of_condition);
    view_as_output(in, 1, &views[0]);
    view_as_output(in, 2, &views[1]);
    for (int64_t i = 0; i < values.n; i++) {
        int other = condition->ints[nw_view_offset(&of_condition, i)] == 0;
        nw_fold_copy(&values, i, nw_infer_input(in, 1 + other), nw_view_offset(&views[other], i));
    }
    nw_fold_commit(in, 0, &values);
}

/* ---- one input ---- */

static bool apply_to_int(nw_unary unary, int64_t x, int64_t *out)
{
    switch (unary) {
    case NW_UNARY_FLOOR:
    case NW_UNARY_CEIL:
    case NW_UNARY_ROUND:
        *out = x;
        return true;
    case NW_UNARY_ABS:
        *out = x < 0 ? negate(x) : x;
        return true;
    case NW_UNARY_NEG:
        *out = negate(x);
        return true;
    case NW_UNARY_NOT:
        *out = !x;
        return true;
    case NW_UNARY_SQUARE:
        *out = (int64_t)((uint64_t)x * (uint64_t)x);
        return true;
    default:
        return false;
    }
}

static bool apply_to_float(nw_unary unary, double x, double *out)
{
    switch (unary) {
    case NW_UNARY_ABS:
        *out = fabs(x);
        return true;
    case NW_UNARY_NEG:
        *out = -x;
        return true;
    case NW_UNARY_FLOOR:
        *out = floor(x);
        return true;
    case NW_UNARY_CEIL:
        *out = ceil(x);
        return true;
    case NW_UNARY_ROUND: /* halves to even, as ONNX and TFLite do */
        *out = nearbyint(x);
        return true;
    case NW_UNARY_SQRT:
        *out = sqrt(x);
        return true;
    case NW_UNARY_EXP:
        *out = exp(x);
        return true;
    case NW_UNARY_LOG:
        *out = log(x);
        return true;
    case NW_UNARY_RECIPROCAL:
        *out = x != 0 ? 1 / x : 0;
        return x != 0;
    case NW_UNARY_RSQRT:
        *out = x > 0 ? 1 / sqrt(x) : 0;
        return x > 0;
    case NW_UNARY_SQUARE:
        *out = x * x;
        return true;
    case NW_UNARY_ERF:
        *out = erf(x);
        return true;
    case NW_UNARY_SOFTPLUS:
        *out = x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
        return true;
    default:
        return false;
    }
}

void nw_fold_unary(const nw_infer *in)
{
    const nw_tensor *x = nw_infer_input(in, 0);
    nw_unary unary = (nw_unary)in->node->attrs.unary;
    nw_values values;
    if (!can_compute(in) || !nw_fold_begin(in, 0, 0, &values) || !nw_fold_same_class(&values, x))
        return;
    bool is_fine = true;
    for (int64_t i = 0; i < values.n && is_fine; i++) {
        if (values.ints) {
            is_fine = apply_to_int(unary, x->ints[i], &values.ints[i]);
            values.ints[i] = nw_fold_wrap(values.dtype, values.ints[i]);
        } else {
            is_fine = apply_to_float(unary, x->floats[i], &values.floats[i]);
            values.floats[i] = nw_fold_round(values.dtype, values.floats[i]);
        }
    }
    if (is_fine)
        nw_fold_commit(in, 0, &values);
}

/* ---- cast ---- */

/* Towards zero; false where the type cannot hold the number and formats differ in what they do. */
static bool cut_to_int(nw_dtype dtype, double x, int64_t *out)
{
    if (dtype == NW_DTYPE_BOOL) {
        *out = x != 0;
        return true;
    }
    if (!(x > -9.2233720368547758e18 && x < 9.2233720368547758e18)) /* 2^63 */
        return false;
    *out = (int64_t)x;
    return nw_fold_wrap(dtype, *out) == *out;
}

static double int_to_float(nw_dtype dtype, int64_t x)
{
    return dtype == NW_DTYPE_FLOAT32 ? (double)(float)x : nw_fold_round(dtype, (double)x);
}

static bool cast_one(nw_dtype dtype, const nw_tensor *x, int64_t i, int64_t *integer, double *real)
{
    if (nw_dtype_is_float(dtype))
        *real = x->ints ? int_to_float(dtype, x->ints[i]) : nw_fold_round(dtype, x->floats[i]);
    else if (x->ints)
        *integer = nw_fold_wrap(dtype, x->ints[i]);
    else
        return cut_to_int(dtype, x->floats[i], integer);
    return true;
}

void nw_fold_cast(const nw_infer *in)
{
    const nw_tensor *x = nw_infer_input(in, 0), *out = nw_infer_output(in, 0);
    int64_t integer = 0;
    double real = 0;
    nw_values values;
    if (!nw_fold_has_value(x) || !is_plain(in))
        return;
    if (nw_fold_is_filled(in, x) && nw_shape_elements(&x->shape) > 0) {
        if (cast_one(out->dtype, x, 0, &integer, &real))
            nw_fold_fill(in, 0, integer, real);
        return;
    }
    if (!nw_fold_begin(in, 0, 0, &values))
        return;
    bool is_fine = true;
    for (int64_t i = 0; i < values.n && is_fine; i++) {
        is_fine = cast_one(values.dtype, x, i, &integer, &real);
        if (values.ints)
            values.ints[i] = integer;
        else
            values.floats[i] = real;
    }
    if (is_fine)
        nw_fold_commit(in, 0, &values);
}

/* ---- reduce ---- */

static nw_op reduce_op(nw_reduce reduce)
{
    switch (reduce) {
    case NW_REDUCE_MEAN:
    case NW_REDUCE_SUM:
        return NW_OP_ADD;
    case NW_REDUCE_PROD:
        return NW_OP_MUL;
    case NW_REDUCE_MAX:
        return NW_OP_MAX;
    case NW_REDUCE_MIN:
        return NW_OP_MIN;
    case NW_REDUCE_OTHER:
        break;
    }
    return NW_OP_OPAQUE;
}

/* The input seen with kept axes in front and reduced ones behind: each output element is then a
 * run of n_each elements. */
static int64_t view_runs(const nw_shape *x, uint32_t axes, nw_view *out)
{
    nw_view dense;
    int64_t n_each = 1;
    nw_view_dense(x, &dense);
    *out = (nw_view){.shape = {.rank = 0}};
    for (int reduced = 0; reduced < 2; reduced++)
        for (int i = 0; i < x->rank; i++) {
            if ((int)(axes >> i & 1u) != reduced)
                continue;
            out->shape.dims[out->shape.rank] = x->dims[i];
            out->strides[out->shape.rank++] = dense.strides[i];
            n_each *= reduced ? x->dims[i] : 1;
        }
    return n_each;
}

static bool reduce_run(const nw_infer *in, const nw_tensor *x, const nw_view *view, int64_t n_each,
                       const nw_values *values, int64_t to)
{
    nw_reduce reduce = (nw_reduce)in->node->attrs.reduce;
    nw_op op = reduce_op(reduce);
    bool is_fine = true;
    nw_fold_copy(values, to, x, nw_view_offset(view, to * n_each));
    for (int64_t k = 1; k < n_each && is_fine; k++) {
        int64_t from = nw_view_offset(view, to * n_each + k);
        if (values->ints)
            is_fine = combine_ints(op, values->ints[to], x->ints[from], &values->ints[to]);
        else
            is_fine = combine_floats(op, values->floats[to], x->floats[from], &values->floats[to]);
    }
    if (values->ints) {
        int64_t mean = values->ints[to] / n_each;
        values->ints[to] =
            nw_fold_wrap(values->dtype, reduce == NW_REDUCE_MEAN ? mean : values->ints[to]);
    } else {
        double mean = values->floats[to] / (double)n_each;
        values->floats[to] =
            nw_fold_round(values->dtype, reduce == NW_REDUCE_MEAN ? mean : values->floats[to]);
    }
    return is_fine;
}

void nw_fold_reduce(const nw_infer *in)
{
    const nw_tensor *x = nw_infer_input(in, 0);
    nw_reduce reduce = (nw_reduce)in->node->attrs.reduce;
    nw_values values;
    nw_view view;
    uint32_t axes;
    bool is_known;
    if (!nw_fold_has_value(x) || !is_plain(in) || reduce == NW_REDUCE_OTHER ||
        nw_infer_reduced(in, &axes, &is_known) != NW_OK || !is_known ||
        !nw_fold_begin(in, 0, nw_shape_elements(&x->shape), &values) ||
        !nw_fold_same_class(&values, x))
        return;
    int64_t n_each = view_runs(&x->shape, axes, &view);
    if (n_each == 0 && reduce != NW_REDUCE_SUM && reduce != NW_REDUCE_PROD)
        return; /* nothing has no mean and no maximum */
    for (int64_t i = 0; i < values.n; i++) {
        if (n_each == 0 && values.ints)
            values.ints[i] = reduce == NW_REDUCE_PROD;
        else if (n_each == 0)
            values.floats[i] = reduce == NW_REDUCE_PROD;
        else if (!reduce_run(in, x, &view, n_each, &values, i))
            return;
    }
    nw_fold_commit(in, 0, &values);
}
