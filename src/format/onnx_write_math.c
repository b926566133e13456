/* Operators element by element, reductions and normalisations. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "src/format/onnx_write.h"

static bool is_type(const nw_node *node, const char *type)
{
    return strcmp(node->file_type, type) == 0;
}

/* An operator of one input in the form that is there. */
static nw_onnx_edge *begin_one(nw_onnx_writer *w, const nw_onnx_edge **x)
{
    bool is_first = nw_onnx_in_any(w, x);
    return nw_onnx_result(w, 0, is_first);
}

static void put_two(nw_onnx_writer *w, const char *type, const nw_onnx_edge *out,
                    const nw_onnx_edge *a, const nw_onnx_edge *b)
{
    nw_onnx_put(w, type, out, 2, (const nw_onnx_edge *const[]){a, b});
}

static void put_clip(nw_onnx_writer *w, const nw_onnx_edge *out, const nw_onnx_edge *x, double low,
                     double high)
{
    const nw_onnx_edge *in[3] = {x, NULL, NULL};
    if (low > -(double)FLT_MAX)
        in[1] = nw_onnx_scalar(w, "/min", x->dtype, low);
    if (high < (double)FLT_MAX)
        in[2] = nw_onnx_scalar(w, "/max", x->dtype, high);
    nw_onnx_put(w, "Clip", out, 3, in);
}

/* ---- activations ---- */

/* Bounds are inputs, if they were in the file; constants of quantised maps go by their values. */
static void write_clip(nw_onnx_writer *w, const nw_node *node, const nw_onnx_edge *out,
                       const nw_onnx_edge *x)
{
    const nw_onnx_edge *in[3] = {x, NULL, NULL};
    bool has_inputs = nw_onnx_id(w, 1) != NW_NONE || nw_onnx_id(w, 2) != NW_NONE;
    if (!has_inputs) {
        put_clip(w, out, x, (double)node->attrs.alpha, (double)node->attrs.beta);
        return;
    }
    for (int i = 1; i < 3; i++)
        in[i] = nw_onnx_in_maybe(w, i);
    nw_onnx_put(w, "Clip", out, 3, in);
}

/* x / 2 * (1 + erf(x / sqrt 2)), or Hendrycks and Gimpel 2016's approximation of it. */
static void write_gelu(nw_onnx_writer *w, const nw_node *node, const nw_onnx_edge *out,
                       const nw_onnx_edge *x)
{
    const nw_onnx_edge *inner, *gate;
    if (nw_onnx_id(w, 1) != NW_NONE)
        x = nw_onnx_two(w, "Add", x, nw_onnx_in(w, 1));
    if (node->attrs.alpha != 0) {
        inner = nw_onnx_two(w, "Mul", nw_onnx_two(w, "Mul", x, x), x);
        inner = nw_onnx_two(w, "Mul", inner, nw_onnx_scalar(w, "/cubic", x->dtype, 0.044715));
        inner = nw_onnx_two(w, "Add", x, inner);
        inner = nw_onnx_two(w, "Mul", inner,
                            nw_onnx_scalar(w, "/factor", x->dtype, 0.7978845608028654));
        gate = nw_onnx_one(w, "Tanh", inner);
    } else {
        inner =
            nw_onnx_two(w, "Mul", x, nw_onnx_scalar(w, "/factor", x->dtype, 0.7071067811865476));
        gate = nw_onnx_one(w, "Erf", inner);
    }
    gate = nw_onnx_two(w, "Add", gate, nw_onnx_scalar(w, "/one", x->dtype, 1));
    gate = nw_onnx_two(w, "Mul", gate, nw_onnx_scalar(w, "/half", x->dtype, 0.5));
    put_two(w, "Mul", out, x, gate);
}

void nw_onnx_write_activation(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *x;
    nw_onnx_edge *out = begin_one(w, &x);
    Onnx__NodeProto *proto;
    switch (node->op) {
    case NW_OP_RELU:
        nw_onnx_put(w, "Relu", out, 1, &x);
        return;
    case NW_OP_RELU6: /* of ONNX: a Clip whose bounds are known */
        if (nw_onnx_id(w, 1) != NW_NONE || nw_onnx_id(w, 2) != NW_NONE)
            write_clip(w, node, out, x);
        else
            put_clip(w, out, x, 0, 6);
        return;
    case NW_OP_CLIP:
        write_clip(w, node, out, x);
        return;
    case NW_OP_HARD_SIGMOID:
        proto = nw_onnx_put(w, "HardSigmoid", out, 1, &x);
        nw_onnx_put_float(w, proto, "alpha", node->attrs.alpha);
        nw_onnx_put_float(w, proto, "beta", node->attrs.beta);
        return;
    case NW_OP_HARD_SWISH: /* ONNX's since opset 14: x * max(0, min(1, x / 6 + 1 / 2)) */
    {
        const nw_onnx_edge *gate = nw_onnx_one(w, "HardSigmoid", x);
        proto = w->nodes[w->n_nodes - 1].proto;
        nw_onnx_put_float(w, proto, "alpha", 1.0f / 6);
        nw_onnx_put_float(w, proto, "beta", 0.5f);
        put_two(w, "Mul", out, x, gate);
        return;
    }
    case NW_OP_SIGMOID:
        nw_onnx_put(w, "Sigmoid", out, 1, &x);
        return;
    case NW_OP_SWISH:
        put_two(w, "Mul", out, x, nw_onnx_one(w, "Sigmoid", x));
        return;
    case NW_OP_LEAKY_RELU:
        nw_onnx_put_float(w, nw_onnx_put(w, "LeakyRelu", out, 1, &x), "alpha", node->attrs.alpha);
        return;
    case NW_OP_TANH:
        nw_onnx_put(w, "Tanh", out, 1, &x);
        return;
    default:
        write_gelu(w, node, out, x);
    }
}

void nw_onnx_write_prelu(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *in[2];
    nw_tensor_id slope = nw_onnx_id(w, 1);
    const nw_shape *x = &w->graph->tensors[node->inputs[0]].shape;
    if (node->n_inputs != 2 || slope == NW_NONE) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it has no slopes");
        return;
    }
    bool is_first = nw_onnx_in_all(w, in);
    const nw_shape *list = &w->graph->tensors[slope].shape;
    /* Before opset 7 a plain list meant one slope a channel. */
    if (!w->is_nhwc && list->rank == 1 && list->dims[0] > 1 && x->rank > 2 &&
        (list->dims[0] != x->dims[x->rank - 1] || list->dims[0] == x->dims[1])) {
        nw_shape wide = {.rank = x->rank - 1, .dims = {list->dims[0]}};
        for (int i = 1; i < wide.rank; i++)
            wide.dims[i] = 1;
        nw_onnx_order order = nw_onnx_as_it_is(&wide);
        in[1] = nw_onnx_weights(w, slope, &order, NW_ONNX_NO_SCALE);
    }
    nw_onnx_put(w, "PRelu", nw_onnx_result(w, 0, is_first), 2, in);
}

/* ---- functions of one value ---- */

/* ONNX's own functions without attributes, and those of TFLite, under ONNX's name. */
static const char *other_function(const nw_node *node)
{
    static const char *const names[][2] = {{"Acos", "Acos"},
                                           {"Acosh", "Acosh"},
                                           {"Asin", "Asin"},
                                           {"Asinh", "Asinh"},
                                           {"Atan", "Atan"},
                                           {"Atanh", "Atanh"},
                                           {"Celu", "Celu"},
                                           {"Cos", "Cos"},
                                           {"Cosh", "Cosh"},
                                           {"Selu", "Selu"},
                                           {"Sign", "Sign"},
                                           {"Sin", "Sin"},
                                           {"Sinh", "Sinh"},
                                           {"Shrink", "Shrink"},
                                           {"Softsign", "Softsign"},
                                           {"Tan", "Tan"},
                                           {"ThresholdedRelu", "ThresholdedRelu"},
                                           {"IsInf", "IsInf"},
                                           {"IsNaN", "IsNaN"},
                                           {"SIN", "Sin"},
                                           {"COS", "Cos"},
                                           {"SIGN", "Sign"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_type(node, names[i][0]))
            return names[i][1];
    return NULL;
}

void nw_onnx_write_unary(nw_onnx_writer *w, const nw_node *node)
{
    static const char *const names[] = {
        [NW_UNARY_ABS] = "Abs",           [NW_UNARY_NEG] = "Neg",
        [NW_UNARY_FLOOR] = "Floor",       [NW_UNARY_CEIL] = "Ceil",
        [NW_UNARY_ROUND] = "Round",       [NW_UNARY_SQRT] = "Sqrt",
        [NW_UNARY_EXP] = "Exp",           [NW_UNARY_LOG] = "Log",
        [NW_UNARY_NOT] = "Not",           [NW_UNARY_RECIPROCAL] = "Reciprocal",
        [NW_UNARY_ERF] = "Erf",           [NW_UNARY_ELU] = "Elu",
        [NW_UNARY_SOFTPLUS] = "Softplus", [NW_UNARY_SQUARE] = NULL};
    const nw_onnx_edge *x;
    nw_onnx_edge *out = begin_one(w, &x);
    const char *name =
        node->attrs.unary == NW_UNARY_OTHER ? other_function(node) : names[node->attrs.unary];
    if (node->attrs.unary == NW_UNARY_SQUARE)
        put_two(w, "Mul", out, x, x);
    else if (node->attrs.unary == NW_UNARY_RSQRT)
        nw_onnx_put(w, "Reciprocal", out, 1,
                    (const nw_onnx_edge *const[]){nw_onnx_one(w, "Sqrt", x)});
    else if (is_type(node, "Mish"))
        put_two(w, "Mul", out, x, nw_onnx_one(w, "Tanh", nw_onnx_one(w, "Softplus", x)));
    else if (is_type(node, "ZEROS_LIKE"))
        put_two(w, "Mul", out, x, nw_onnx_scalar(w, "/zero", x->dtype, 0));
    else if (!name || node->n_inputs != 1)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "there is no such function, or it is not kept");
    else if (node->attrs.unary == NW_UNARY_ELU && node->attrs.alpha != 0)
        nw_onnx_put_float(w, nw_onnx_put(w, name, out, 1, &x), "alpha", node->attrs.alpha);
    else
        nw_onnx_put(w, name, out, 1, &x);
}

/* ---- of two values and more ---- */

static bool check_two(nw_onnx_writer *w, const nw_node *node)
{
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] == NW_NONE) {
            nw_onnx_write_fail(w, NW_UNSUPPORTED, "input %d is missing", i);
            return false;
        }
    bool is_many = node->op == NW_OP_MIN || node->op == NW_OP_MAX ||
                   (node->op == NW_OP_ADD && !is_type(node, "Add") && !is_type(node, "ADD"));
    nw_dtype dtype = nw_onnx_wire_type(w, node->outputs[0]);
    bool is_arithmetic = node->op == NW_OP_ADD || node->op == NW_OP_SUB || node->op == NW_OP_MUL ||
                         node->op == NW_OP_DIV;
    if (is_arithmetic && nw_dtype_bits(dtype) < 32 && !nw_dtype_is_float(dtype)) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it computes on %s", nw_dtype_name(dtype));
        return false;
    }
    if (node->n_inputs == 2 || (is_many && node->n_inputs > 0))
        return true;
    nw_onnx_write_fail(w, NW_UNSUPPORTED, "it has %d inputs", node->n_inputs);
    return false;
}

/* a - floor(a / b) * b: the sign of b. ONNX has that for integers alone. */
static void write_mod(nw_onnx_writer *w, const nw_node *node, const nw_onnx_edge *out,
                      const nw_onnx_edge *const *in)
{
    bool is_float = nw_dtype_is_float(in[0]->dtype);
    if (!is_float || node->attrs.alpha != 0) {
        nw_onnx_put_int(w, nw_onnx_put(w, "Mod", out, 2, in), "fmod", node->attrs.alpha != 0);
        return;
    }
    const nw_onnx_edge *n = nw_onnx_one(w, "Floor", nw_onnx_two(w, "Div", in[0], in[1]));
    put_two(w, "Sub", out, in[0], nw_onnx_two(w, "Mul", n, in[1]));
}

void nw_onnx_write_binary(nw_onnx_writer *w, const nw_node *node)
{
    static const char *const names[NW_OP_COUNT] = {
        [NW_OP_ADD] = "Add", [NW_OP_SUB] = "Sub", [NW_OP_MUL] = "Mul", [NW_OP_DIV] = "Div",
        [NW_OP_POW] = "Pow", [NW_OP_MIN] = "Min", [NW_OP_MAX] = "Max", [NW_OP_MOD] = "Mod"};
    if (!check_two(w, node))
        return;
    const nw_onnx_edge **in = nw_arena_alloc(&w->arena, (size_t)node->n_inputs * sizeof *in);
    bool is_first = nw_onnx_in_all(w, in);
    nw_onnx_edge *out = nw_onnx_result(w, 0, is_first);
    const nw_onnx_edge *middle;
    if (is_type(node, "SQUARED_DIFFERENCE")) {
        middle = nw_onnx_two(w, "Sub", in[0], in[1]);
        put_two(w, "Mul", out, middle, middle);
    } else if (is_type(node, "FLOOR_DIV")) {
        if (!nw_dtype_is_float(in[0]->dtype))
            nw_onnx_write_fail(w, NW_UNSUPPORTED, "it divides integers and rounds down");
        middle = nw_onnx_two(w, "Div", in[0], in[1]);
        nw_onnx_put(w, "Floor", out, 1, &middle);
    } else if (node->op == NW_OP_MOD) {
        write_mod(w, node, out, in);
    } else if (is_type(node, "Mean")) {
        nw_onnx_put(w, "Mean", out, node->n_inputs, in);
    } else {
        bool is_sum = node->op == NW_OP_ADD && (node->n_inputs != 2 || is_type(node, "Sum"));
        nw_onnx_put(w, is_sum ? "Sum" : names[node->op], out, node->n_inputs, in);
    }
}

void nw_onnx_write_compare(nw_onnx_writer *w, const nw_node *node)
{
    static const char *const names[] = {
        [NW_COMPARE_EQUAL] = "Equal",     [NW_COMPARE_NOT_EQUAL] = "Equal",
        [NW_COMPARE_LESS] = "Less",       [NW_COMPARE_LESS_EQUAL] = "LessOrEqual",
        [NW_COMPARE_GREATER] = "Greater", [NW_COMPARE_GREATER_EQUAL] = "GreaterOrEqual",
        [NW_COMPARE_AND] = "And",         [NW_COMPARE_OR] = "Or",
        [NW_COMPARE_XOR] = "Xor"};
    const nw_onnx_edge *in[2];
    if (node->n_inputs != 2 || !check_two(w, node)) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it has %d inputs", node->n_inputs);
        return;
    }
    bool is_first = nw_onnx_in_all(w, in);
    nw_onnx_edge *out = nw_onnx_result(w, 0, is_first);
    if (node->attrs.compare == NW_COMPARE_NOT_EQUAL) {
        nw_onnx_edge *equal = nw_onnx_new_edge(w, out->name, "/Equal", NW_DTYPE_BOOL, &out->shape);
        put_two(w, "Equal", equal, in[0], in[1]);
        nw_onnx_put(w, "Not", out, 1, (const nw_onnx_edge *const[]){equal});
    } else {
        nw_onnx_put(w, names[node->attrs.compare], out, 2, in);
    }
}

void nw_onnx_write_where(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *in[3];
    if (node->n_inputs != 3) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it has %d inputs", node->n_inputs);
        return;
    }
    bool is_first = nw_onnx_in_all(w, in);
    nw_onnx_put(w, "Where", nw_onnx_result(w, 0, is_first), 3, in);
}

/* ---- reductions ---- */

/* The axes, in file order and counted from the front; false: not known. */
static bool find_axes(nw_onnx_writer *w, const nw_node *node, int rank, bool *axes, bool *is_none)
{
    const int64_t *values;
    int64_t n;
    *is_none = false;
    memset(axes, 0, NW_MAX_RANK * sizeof *axes);
    bool is_given = node->attrs.has_ints || nw_onnx_id(w, 1) != NW_NONE;
    if (is_given && !nw_onnx_known(w, 1, &values, &n))
        return false;
    if (!is_given || n == 0) {
        *is_none = node->attrs.noop_empty;
        for (int i = 0; i < rank; i++)
            axes[i] = !*is_none;
        return true;
    }
    for (int64_t i = 0; i < n && rank > 0; i++) {
        int64_t axis = values[i] + (values[i] < 0 ? rank : 0);
        if (axis >= 0 && axis < rank)
            axes[axis] = true;
    }
    return true;
}

/* Without the axes it runs over, a map has the same order in both forms if its channels go, or if
 * they are all that stays of it. */
static bool keeps_order(const nw_node *node, const bool *axes, int rank)
{
    bool is_all = true;
    for (int i = 1; i < rank - 1; i++)
        is_all &= axes[i];
    return node->attrs.keep_dims || axes[rank - 1] || is_all;
}

static const char *reduce_name(const nw_node *node)
{
    static const char *const names[] = {
        [NW_REDUCE_MEAN] = "ReduceMean", [NW_REDUCE_SUM] = "ReduceSum",
        [NW_REDUCE_MAX] = "ReduceMax",   [NW_REDUCE_MIN] = "ReduceMin",
        [NW_REDUCE_PROD] = "ReduceProd", [NW_REDUCE_OTHER] = NULL};
    static const char *const others[] = {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
                                         "ReduceSumSquare"};
    if (names[node->attrs.reduce])
        return names[node->attrs.reduce];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_type(node, others[i]))
            return others[i];
    return NULL;
}

/* With axes that are only known when the model runs: sums alone take those. */
static void reduce_by_input(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *in[2] = {nw_onnx_in(w, 0),
                                 nw_onnx_cast(w, nw_onnx_in(w, 1), NW_DTYPE_INT64)};
    if (node->attrs.reduce != NW_REDUCE_SUM) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its axes are not known");
        return;
    }
    Onnx__NodeProto *proto = nw_onnx_put(w, "ReduceSum", nw_onnx_result(w, 0, false), 2, in);
    nw_onnx_put_int(w, proto, "keepdims", node->attrs.keep_dims);
    nw_onnx_put_int(w, proto, "noop_with_empty_axes", node->attrs.noop_empty);
}

static void put_reduce(nw_onnx_writer *w, const char *name, const nw_onnx_edge *out,
                       const nw_onnx_edge *x, const int64_t *axes, int n, bool keep)
{
    const nw_onnx_edge *in[2] = {x, NULL};
    bool is_sum = strcmp(name, "ReduceSum") == 0;
    if (is_sum)
        in[1] = nw_onnx_list(w, "/axes", axes, n);
    Onnx__NodeProto *proto = nw_onnx_put(w, name, out, 2, in);
    if (!is_sum)
        nw_onnx_put_ints(w, proto, "axes", axes, n);
    nw_onnx_put_int(w, proto, "keepdims", keep);
}

/* TFLite's any and all: of truth values. */
static void put_truth(nw_onnx_writer *w, const nw_node *node, const nw_onnx_edge *out,
                      const nw_onnx_edge *x, const int64_t *axes, int n)
{
    nw_onnx_edge *reduced = nw_onnx_new_edge(w, out->name, "/reduced", NW_DTYPE_INT32, &out->shape);
    put_reduce(w, is_type(node, "REDUCE_ANY") ? "ReduceMax" : "ReduceMin", reduced,
               nw_onnx_cast(w, x, NW_DTYPE_INT32), axes, n, node->attrs.keep_dims);
    Onnx__NodeProto *proto = nw_onnx_put(w, "Cast", out, 1, (const nw_onnx_edge *const[]){reduced});
    nw_onnx_put_int(w, proto, "to", nw_onnx_data_type(NW_DTYPE_BOOL));
}

void nw_onnx_write_reduce(nw_onnx_writer *w, const nw_node *node)
{
    bool axes[NW_MAX_RANK], is_none;
    nw_tensor_id id = nw_onnx_id(w, 0);
    const nw_shape *shape = id == NW_NONE ? NULL : &w->graph->tensors[id].shape;
    if (!shape || !nw_shape_is_known(shape) || !find_axes(w, node, shape->rank, axes, &is_none)) {
        reduce_by_input(w, node);
        return;
    }
    bool is_first = nw_onnx_has_first(w, id) && keeps_order(node, axes, shape->rank);
    const nw_onnx_edge *x = is_first ? nw_onnx_first(w, id) : nw_onnx_in(w, 0);
    nw_onnx_edge *out = nw_onnx_result(w, 0, is_first && node->attrs.keep_dims);
    const char *name = reduce_name(node);
    int64_t list[NW_MAX_RANK];
    int n = 0;
    for (int i = 0; i < shape->rank; i++) { /* ascending in the form at hand */
        int at = is_first ? nw_onnx_first_perm(shape->rank, false)[i] : i;
        if (axes[at])
            list[n++] = i;
    }
    if (is_type(node, "REDUCE_ANY") || is_type(node, "REDUCE_ALL"))
        put_truth(w, node, out, x, list, n);
    else if (!name)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "there is no such reduction");
    else if (n == 0)
        nw_onnx_put(w, "Identity", out, 1, &x);
    else
        put_reduce(w, name, out, x, list, n, node->attrs.keep_dims);
}

/* The first output as int64, and the cast to what it is in the file. */
static nw_onnx_edge *index_edge(nw_onnx_writer *w, nw_onnx_edge *out)
{
    if (out->dtype == NW_DTYPE_INT64)
        return out;
    return nw_onnx_new_edge(w, out->name, "/index", NW_DTYPE_INT64, &out->shape);
}

static void cast_index(nw_onnx_writer *w, const nw_onnx_edge *index, const nw_onnx_edge *out)
{
    if (index != out)
        nw_onnx_put_int(w, nw_onnx_put(w, "Cast", out, 1, &index), "to",
                        nw_onnx_data_type(out->dtype));
}

void nw_onnx_write_arg_max(nw_onnx_writer *w, const nw_node *node)
{
    nw_tensor_id id = nw_onnx_id(w, 0), given = nw_onnx_id(w, 1);
    const nw_shape *shape = id == NW_NONE ? NULL : &w->graph->tensors[id].shape;
    int64_t axis = node->attrs.axis;
    if (given != NW_NONE && w->graph->tensors[given].ints)
        axis = w->graph->tensors[given].ints[0];
    if (!shape || shape->rank < 1 || (given != NW_NONE && !w->graph->tensors[given].ints)) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its axis is not known");
        return;
    }
    axis += axis < 0 ? shape->rank : 0;
    bool axes[NW_MAX_RANK] = {false};
    axes[axis] = true;
    bool is_first = nw_onnx_has_first(w, id) && keeps_order(node, axes, shape->rank);
    const nw_onnx_edge *x = is_first ? nw_onnx_first(w, id) : nw_onnx_in(w, 0);
    nw_onnx_edge *out = nw_onnx_result(w, 0, is_first && node->attrs.keep_dims);
    nw_onnx_edge *index = index_edge(w, out);
    bool is_min = is_type(node, "ArgMin") || is_type(node, "ARG_MIN");
    Onnx__NodeProto *proto = nw_onnx_put(w, is_min ? "ArgMin" : "ArgMax", index, 1, &x);
    nw_onnx_put_int(w, proto, "axis", is_first ? nw_onnx_first_axis(shape->rank, (int)axis) : axis);
    nw_onnx_put_int(w, proto, "keepdims", node->attrs.keep_dims);
    cast_index(w, index, out);
}

void nw_onnx_write_top_k(nw_onnx_writer *w, const nw_node *node)
{
    const int64_t *k;
    int64_t n;
    const nw_onnx_edge *in[2] = {nw_onnx_in(w, 0), NULL};
    if (nw_onnx_known(w, 1, &k, &n) && n == 1) {
        in[1] = nw_onnx_list(w, "/k", k, 1);
    } else {
        static const nw_shape one = {.rank = 1, .dims = {1}};
        in[1] = nw_onnx_cast(w, nw_onnx_reshaped(w, nw_onnx_in(w, 1), &one), NW_DTYPE_INT64);
    }
    nw_onnx_edge *out = nw_onnx_result(w, 0, false), *index = nw_onnx_result(w, 1, false);
    nw_onnx_edge *wide = index ? index_edge(w, index) : NULL;
    nw_shape unknown = {.rank = -1};
    if (!wide) /* the operator has two outputs, whoever reads them */
        wide = nw_onnx_new_edge(w, out->name, "/index", NW_DTYPE_INT64, &unknown);
    Onnx__NodeProto *proto = nw_onnx_put(w, "TopK", out, 2, in);
    nw_onnx_put_output(w, wide);
    nw_onnx_put_int(w, proto, "axis", node->attrs.axis);
    if (index)
        cast_index(w, wide, index);
}

void nw_onnx_write_cum_sum(nw_onnx_writer *w, const nw_node *node)
{
    (void)node;
    const nw_onnx_edge *in[2] = {nw_onnx_in(w, 0), nw_onnx_in(w, 1)};
    static const nw_shape scalar = {.rank = 0};
    if (in[0]->dtype == NW_DTYPE_FLOAT16 || in[0]->dtype == NW_DTYPE_BFLOAT16)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it sums %s", nw_dtype_name(in[0]->dtype));
    if (in[1]->shape.rank != 0)
        in[1] = nw_onnx_reshaped(w, in[1], &scalar);
    nw_onnx_put(w, "CumSum", nw_onnx_result(w, 0, false), 2, in);
}

/* ---- softmax ---- */

static const char *softmax_name(const nw_node *node)
{
    return is_type(node, "LogSoftmax") || is_type(node, "LOG_SOFTMAX") ? "LogSoftmax"
           : is_type(node, "Hardmax")                                  ? "Hardmax"
                                                                       : "Softmax";
}

/* Whether the axes behind it are of one element, so that it works on its axis alone. */
static bool is_last(const nw_shape *shape, int axis)
{
    for (int i = axis + 1; i < shape->rank; i++)
        if (shape->dims[i] != 1)
            return false;
    return true;
}

void nw_onnx_write_softmax(nw_onnx_writer *w, const nw_node *node)
{
    nw_tensor_id id = nw_onnx_id(w, 0);
    const nw_shape *shape = id == NW_NONE ? NULL : &w->graph->tensors[id].shape;
    const nw_onnx_edge *x;
    bool is_first = nw_onnx_in_any(w, &x);
    int axis = node->attrs.axis;
    bool is_flat = node->attrs.to_end && shape && nw_shape_is_known(shape) &&
                   !is_last(shape, axis < 0 ? axis + shape->rank : axis);
    if (!shape || (node->attrs.to_end && !nw_shape_is_known(shape))) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its sizes are not known");
        return;
    }
    if (node->attrs.beta != 0 && node->attrs.beta != 1)
        x = nw_onnx_two(w, "Mul", x,
                        nw_onnx_scalar(w, "/beta", x->dtype, (double)node->attrs.beta));
    if (is_flat) { /* rows of all that follows */
        nw_shape flat = {.rank = 2, .dims = {1, 1}};
        x = is_first ? nw_onnx_plain(w, id) : x;
        for (int i = 0; i < shape->rank; i++)
            flat.dims[i >= (axis < 0 ? axis + shape->rank : axis)] *= shape->dims[i];
        x = nw_onnx_one(w, softmax_name(node), nw_onnx_reshaped(w, x, &flat));
        nw_onnx_put_int(w, w->nodes[w->n_nodes - 1].proto, "axis", 1);
        put_two(w, "Reshape", nw_onnx_result(w, 0, false), x,
                nw_onnx_shape_list(w, "/shape", shape));
        return;
    }
    Onnx__NodeProto *proto =
        nw_onnx_put(w, softmax_name(node), nw_onnx_result(w, 0, is_first), 1, &x);
    nw_onnx_put_int(w, proto, "axis", is_first ? nw_onnx_first_axis(shape->rank, axis) : axis);
}

/* ---- normalisations ---- */

static float epsilon(const nw_node *node)
{
    return node->attrs.alpha != 0 ? node->attrs.alpha : 1e-5f;
}

void nw_onnx_write_batch_norm(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *in[5];
    nw_tensor_id id = nw_onnx_id(w, 0);
    bool is_map = id != NW_NONE && w->graph->tensors[id].shape.rank > 2;
    in[0] = is_map ? nw_onnx_in_first(w, 0) : nw_onnx_in(w, 0);
    for (int i = 1; i < 5; i++)
        in[i] = nw_onnx_in(w, i);
    for (int i = 1; i < node->n_outputs; i++)
        if (node->outputs[i] != NW_NONE &&
            (w->states[node->outputs[i]].n_uses || w->graph->tensors[node->outputs[i]].is_output))
            nw_onnx_write_fail(w, NW_UNSUPPORTED, "its statistics are read: that is training");
    nw_onnx_put_float(w, nw_onnx_put(w, "BatchNormalization", nw_onnx_result(w, 0, is_map), 5, in),
                      "epsilon", epsilon(node));
}

/* The second output and the third: the mean, and one by the deviation. */
static void put_moments(nw_onnx_writer *w, const nw_node *node, const nw_onnx_edge *mean,
                        const nw_onnx_edge *spread)
{
    nw_onnx_edge *first = nw_onnx_result(w, 1, false), *second = nw_onnx_result(w, 2, false);
    if (first && !mean)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it has no mean, but %d outputs", node->n_outputs);
    else if (first)
        nw_onnx_put(w, "Identity", first, 1, &mean);
    if (second)
        nw_onnx_put(w, "Reciprocal", second, 1, &spread);
}

/* ONNX's since opset 17: (x - mean) / sqrt(variance + epsilon) * scale + bias over the last axes.
 */
void nw_onnx_write_layer_norm(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *x = nw_onnx_in(w, 0);
    const nw_onnx_edge *scale = nw_onnx_in_maybe(w, 1), *bias = nw_onnx_in_maybe(w, 2);
    bool is_rms = strstr(node->file_type, "RMS") || strstr(node->file_type, "Simplified");
    int rank = x->shape.rank, axis = node->attrs.axis + (node->attrs.axis < 0 ? rank : 0), n = 0;
    int64_t axes[NW_MAX_RANK];
    nw_shape row = x->shape;
    nw_onnx_edge *mean = NULL;
    for (int i = axis; i >= 0 && i < rank; i++) {
        axes[n++] = i;
        row.dims[i] = 1;
    }
    if (!is_rms) {
        mean = nw_onnx_new_edge(w, x->name, "/mean", x->dtype, &row);
        put_reduce(w, "ReduceMean", mean, x, axes, n, true);
        x = nw_onnx_two(w, "Sub", x, mean);
    }
    nw_onnx_edge *variance = nw_onnx_new_edge(w, x->name, "/variance", x->dtype, &row);
    put_reduce(w, "ReduceMean", variance, nw_onnx_two(w, "Mul", x, x), axes, n, true);
    const nw_onnx_edge *spread = nw_onnx_two(
        w, "Add", variance, nw_onnx_scalar(w, "/epsilon", x->dtype, (double)epsilon(node)));
    spread = nw_onnx_one(w, "Sqrt", spread);
    put_moments(w, node, mean, spread);
    nw_onnx_edge *out = nw_onnx_result(w, 0, false);
    if (!scale && !bias) {
        put_two(w, "Div", out, x, spread);
        return;
    }
    x = nw_onnx_two(w, "Div", x, spread);
    if (scale && bias)
        x = nw_onnx_two(w, "Mul", x, scale);
    put_two(w, bias ? "Add" : "Mul", out, x, bias ? bias : scale);
}

void nw_onnx_write_instance_norm(nw_onnx_writer *w, const nw_node *node)
{
    const nw_attrs *a = &node->attrs;
    Onnx__NodeProto *proto;
    const nw_onnx_edge *in[3];
    if (is_type(node, "LRN") || is_type(node, "LOCAL_RESPONSE_NORMALIZATION")) {
        in[0] = nw_onnx_in_first(w, 0);
        proto = nw_onnx_put(w, "LRN", nw_onnx_result(w, 0, true), 1, in);
        nw_onnx_put_float(w, proto, "alpha", a->alpha);
        nw_onnx_put_float(w, proto, "beta", a->beta);
        nw_onnx_put_float(w, proto, "bias", a->n_floats ? a->floats[0] : 1);
        nw_onnx_put_int(w, proto, "size", a->block);
    } else if (is_type(node, "LpNormalization") || is_type(node, "L2_NORMALIZATION")) {
        bool is_first = nw_onnx_in_any(w, in);
        nw_onnx_edge *out = nw_onnx_result(w, 0, is_first);
        proto = nw_onnx_put(w, "LpNormalization", out, 1, in);
        nw_onnx_put_int(w, proto, "axis",
                        is_first ? nw_onnx_first_axis(in[0]->shape.rank, a->axis) : a->axis);
        nw_onnx_put_int(w, proto, "p", a->block);
    } else if (is_type(node, "MeanVarianceNormalization")) {
        in[0] = nw_onnx_in_first(w, 0);
        nw_onnx_put(w, "MeanVarianceNormalization", nw_onnx_result(w, 0, true), 1, in);
    } else if (is_type(node, "GroupNormalization") || node->n_inputs != 3) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "the number of groups is not kept");
    } else {
        in[0] = nw_onnx_in_first(w, 0);
        in[1] = nw_onnx_in(w, 1);
        in[2] = nw_onnx_in(w, 2);
        proto = nw_onnx_put(w, "InstanceNormalization", nw_onnx_result(w, 0, true), 3, in);
        nw_onnx_put_float(w, proto, "epsilon", epsilon(node));
    }
}
