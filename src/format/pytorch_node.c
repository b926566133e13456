#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/format/pytorch.h"

/* Calls of one input whose text needs nothing else. %s is the input. */
typedef struct call_row {
    nw_op op;
    const char *format;
} call_row;

static const call_row call_rows[] = {
    {NW_OP_RELU, "F.relu(%s)"},
    {NW_OP_RELU6, "F.relu6(%s)"},
    {NW_OP_HARD_SWISH, "F.hardswish(%s)"},
    {NW_OP_SIGMOID, "torch.sigmoid(%s)"},
    {NW_OP_SWISH, "F.silu(%s)"},
    {NW_OP_TANH, "torch.tanh(%s)"},
    {NW_OP_IDENTITY, "%s"},
};

static const call_row unary_rows[] = {
    {(nw_op)NW_UNARY_ABS, "torch.abs(%s)"},         {(nw_op)NW_UNARY_NEG, "-%s"},
    {(nw_op)NW_UNARY_FLOOR, "torch.floor(%s)"},     {(nw_op)NW_UNARY_CEIL, "torch.ceil(%s)"},
    {(nw_op)NW_UNARY_ROUND, "torch.round(%s)"},     {(nw_op)NW_UNARY_SQRT, "torch.sqrt(%s)"},
    {(nw_op)NW_UNARY_EXP, "torch.exp(%s)"},         {(nw_op)NW_UNARY_LOG, "torch.log(%s)"},
    {(nw_op)NW_UNARY_NOT, "torch.logical_not(%s)"}, {(nw_op)NW_UNARY_ERF, "torch.erf(%s)"},
    {(nw_op)NW_UNARY_SOFTPLUS, "F.softplus(%s)"},   {(nw_op)NW_UNARY_RSQRT, "torch.rsqrt(%s)"},
    {(nw_op)NW_UNARY_SQUARE, "torch.square(%s)"},   {(nw_op)NW_UNARY_RECIPROCAL, "1.0 / %s"},
};

/* Functions that the graph knows by the file's name alone. */
static const struct {
    const char *type, *format;
} named_rows[] = {
    {"Sin", "torch.sin(%s)"},       {"Cos", "torch.cos(%s)"},     {"Tan", "torch.tan(%s)"},
    {"Asin", "torch.asin(%s)"},     {"Acos", "torch.acos(%s)"},   {"Atan", "torch.atan(%s)"},
    {"Sinh", "torch.sinh(%s)"},     {"Cosh", "torch.cosh(%s)"},   {"Asinh", "torch.asinh(%s)"},
    {"Acosh", "torch.acosh(%s)"},   {"Atanh", "torch.atanh(%s)"}, {"Sign", "torch.sign(%s)"},
    {"Softsign", "F.softsign(%s)"}, {"IsNaN", "torch.isnan(%s)"},
};

static const nw_node *node_of(const nw_py_writer *w, nw_node_id id)
{
    return &w->graph->nodes[id];
}

static const nw_shape *shape_of(const nw_py_writer *w, nw_tensor_id id)
{
    return &w->graph->tensors[id].shape;
}

static int positive(int axis, int rank)
{
    return axis < 0 ? axis + rank : axis;
}

/* `NAME = EXPRESSION` for the only output. */
static void assign(nw_py_writer *w, nw_node_id id, const char *expression)
{
    nw_tensor_id out = node_of(w, id)->outputs[0];
    nw_py_line(w, id, "%s = %s", nw_py_name_value(w, out, NULL), expression);
}

static const char *input(nw_py_writer *w, nw_node_id id, int i)
{
    const nw_node *node = node_of(w, id);
    return i < node->n_inputs ? nw_py_value(w, node->inputs[i]) : "None";
}

static bool has_input(const nw_node *node, int i)
{
    return i < node->n_inputs && node->inputs[i] != NW_NONE;
}

/* The list of an operator, from its attribute or the input beside it. */
static bool list_of(nw_py_writer *w, nw_node_id id, int i, const int64_t **values, int *n)
{
    const nw_node *node = node_of(w, id);
    if (node->attrs.has_ints) {
        *values = node->attrs.ints;
        *n = node->attrs.n_ints;
        return true;
    }
    return has_input(node, i) && nw_py_ints(w, node->inputs[i], values, n);
}

/* ---- one input ---- */

static void write_unary(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    const char *x = input(w, id, 0);
    for (size_t i = 0; i < sizeof unary_rows / sizeof *unary_rows; i++)
        if ((int)unary_rows[i].op == node->attrs.unary) {
            nw_buf text = {0};
            const char *at = strstr(unary_rows[i].format, "%s");
            nw_buf_printf(&text, "%.*s%s%s", (int)(at - unary_rows[i].format), unary_rows[i].format,
                          x, at + 2);
            assign(w, id, nw_buf_text(&text));
            nw_buf_fini(&text);
            return;
        }
    if (node->attrs.unary == NW_UNARY_ELU) {
        double alpha = node->attrs.alpha == 0 ? 1 : node->attrs.alpha;
        assign(w, id, nw_py_text(w, "F.elu(%s, %s)", x, nw_py_real(w, alpha)));
        return;
    }
    for (size_t i = 0; i < sizeof named_rows / sizeof *named_rows; i++)
        if (strcmp(named_rows[i].type, node->file_type) == 0) {
            const char *at = strstr(named_rows[i].format, "%s");
            assign(w, id,
                   nw_py_text(w, "%.*s%s%s", (int)(at - named_rows[i].format), named_rows[i].format,
                              x, at + 2));
            return;
        }
    nw_py_fail(w, id, "this function is not known here");
}

static void write_clip(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    double low = node->attrs.alpha, high = node->attrs.beta;
    const char *a = nw_py_real(w, low), *b = nw_py_real(w, high), *x = input(w, id, 0);
    if (node->n_inputs > 1) {
        a = has_input(node, 1) ? input(w, id, 1) : "None";
        b = has_input(node, 2) ? input(w, id, 2) : "None";
        if (nw_py_number(w, node->inputs[1], &low) && has_input(node, 2) &&
            nw_py_number(w, node->inputs[2], &high) && low == 0 && high == 6) {
            assign(w, id, nw_py_text(w, "F.relu6(%s)", x));
            return;
        }
    }
    assign(w, id, nw_py_text(w, "torch.clamp(%s, %s, %s)", x, a, b));
}

static void write_hard_sigmoid(nw_py_writer *w, nw_node_id id)
{
    const nw_attrs *attrs = &node_of(w, id)->attrs;
    const char *x = input(w, id, 0);
    if (fabs(attrs->alpha - 1.0 / 6) < 1e-6 && attrs->beta == 0.5f)
        assign(w, id, nw_py_text(w, "F.hardsigmoid(%s)", x));
    else
        assign(w, id,
               nw_py_text(w, "torch.clamp(%s * %s + %s, 0.0, 1.0)", x, nw_py_real(w, attrs->alpha),
                          nw_py_real(w, attrs->beta)));
}

static void write_softmax(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    const char *name = strcmp(node->file_type, "LogSoftmax") == 0 ? "F.log_softmax" : "F.softmax";
    int rank = shape_of(w, node->outputs[0])->rank;
    const char *x = input(w, id, 0);
    if (strcmp(node->file_type, "Hardmax") == 0) {
        nw_py_fail(w, id, "PyTorch has no hardmax");
        return;
    }
    if (node->attrs.to_end)
        assign(w, id,
               nw_py_text(w, "%s(%s.flatten(%d), dim=-1).reshape(%s)", name, x,
                          positive(node->attrs.axis, rank), nw_py_shape(w, node->outputs[0])));
    else
        assign(w, id, nw_py_text(w, "%s(%s, dim=%d)", name, x, node->attrs.axis));
}

static void write_reduce(nw_py_writer *w, nw_node_id id)
{
    static const struct {
        const char *type, *format;
    } rows[] = {
        {"ReduceMean", "torch.mean(%s, dim=%s, keepdim=%s)"},
        {"ReduceSum", "torch.sum(%s, dim=%s, keepdim=%s)"},
        {"ReduceMax", "torch.amax(%s, dim=%s, keepdim=%s)"},
        {"ReduceMin", "torch.amin(%s, dim=%s, keepdim=%s)"},
        {"ReduceL1", "torch.linalg.vector_norm(%s, ord=1, dim=%s, keepdim=%s)"},
        {"ReduceL2", "torch.linalg.vector_norm(%s, ord=2, dim=%s, keepdim=%s)"},
        {"ReduceSumSquare", "torch.sum(torch.square(%s), dim=%s, keepdim=%s)"},
        {"ReduceLogSum", "torch.log(torch.sum(%s, dim=%s, keepdim=%s))"},
        {"ReduceLogSumExp", "torch.logsumexp(%s, dim=%s, keepdim=%s)"},
    };
    const nw_node *node = node_of(w, id);
    const int64_t *axes;
    int64_t all[NW_MAX_RANK];
    int n;
    if (!list_of(w, id, 1, &axes, &n)) {
        for (n = 0; n < shape_of(w, node->inputs[0])->rank; n++)
            all[n] = n;
        axes = all;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].type, node->file_type) == 0) {
            /* the three parts of the row's text around x, the axes and the flag */
            const char *f = rows[i].format, *a = strstr(f, "%s"), *b = strstr(a + 2, "%s"),
                       *c = strstr(b + 2, "%s");
            assign(w, id,
                   nw_py_text(w, "%.*s%s%.*s%s%.*s%s%s", (int)(a - f), f, input(w, id, 0),
                              (int)(b - a - 2), a + 2, nw_py_tuple(w, axes, n), (int)(c - b - 2),
                              b + 2, node->attrs.keep_dims ? "True" : "False", c + 2));
            return;
        }
    nw_py_fail(w, id, "this reduction is not known here");
}

/* ---- two inputs and more ---- */

static void write_infix(nw_py_writer *w, nw_node_id id, const char *sign)
{
    const nw_node *node = node_of(w, id);
    nw_buf text = {0};
    for (int i = 0; i < node->n_inputs; i++)
        nw_buf_printf(&text, "%s%s%s%s", i ? " " : "", i ? sign : "", i ? " " : "",
                      input(w, id, i));
    if (strcmp(node->file_type, "Mean") == 0 && node->n_inputs > 1)
        assign(w, id, nw_py_text(w, "(%s) / %d", nw_buf_text(&text), node->n_inputs));
    else
        assign(w, id, nw_buf_text(&text));
    nw_buf_fini(&text);
}

/* A constant as a tensor, for functions that take no numbers. */
static const char *as_tensor(nw_py_writer *w, nw_node_id id, int i)
{
    nw_tensor_id in = node_of(w, id)->inputs[i];
    const char *x = input(w, id, i);
    return w->graph->tensors[in].is_const ? nw_py_text(w, "torch.as_tensor(%s)", x) : x;
}

static void write_chain(nw_py_writer *w, nw_node_id id, const char *function)
{
    const char *text = as_tensor(w, id, 0);
    for (int i = 1; i < node_of(w, id)->n_inputs; i++)
        text = nw_py_text(w, "%s(%s, %s)", function, text, as_tensor(w, id, i));
    assign(w, id, text);
}

static void write_compare(nw_py_writer *w, nw_node_id id)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">=", "&", "|", "^"};
    write_infix(w, id, signs[node_of(w, id)->attrs.compare]);
}

static void write_concat(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    nw_buf text = {0};
    for (int i = 0; i < node->n_inputs; i++)
        nw_buf_printf(&text, "%s%s", i ? ", " : "",
                      nw_shape_elements(shape_of(w, node->inputs[i])) == 1 &&
                              w->graph->tensors[node->inputs[i]].is_const
                          ? nw_py_text(w, "torch.as_tensor(%s).reshape(%s)", input(w, id, i),
                                       nw_py_shape(w, node->inputs[i]))
                          : input(w, id, i));
    assign(w, id, nw_py_text(w, "torch.cat((%s,), dim=%d)", nw_buf_text(&text), node->attrs.axis));
    nw_buf_fini(&text);
}

static void write_split(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    int axis = positive(node->attrs.axis, shape_of(w, node->inputs[0])->rank);
    int64_t sizes[256];
    nw_buf names = {0};
    if (node->n_outputs > 256) {
        nw_py_fail(w, id, "it has too many parts");
        return;
    }
    const char *x = input(w, id, 0);
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] == NW_NONE) {
            nw_py_fail(w, id, "one of its parts is left out");
            break;
        }
        sizes[i] = shape_of(w, node->outputs[i])->dims[axis];
        nw_buf_printf(&names, "%s%s", i ? ", " : "", nw_py_name_value(w, node->outputs[i], NULL));
    }
    if (w->status == NW_OK)
        nw_py_line(w, id, "%s%s = torch.split(%s, %s, dim=%d)", nw_buf_text(&names),
                   node->n_outputs == 1 ? "," : "", x, nw_py_tuple(w, sizes, node->n_outputs),
                   axis);
    nw_buf_fini(&names);
}

typedef struct slice_axis {
    int64_t start, step, n;
    bool is_cut;
} slice_axis;

static bool read_slice(const nw_py_writer *w, const nw_node *node, slice_axis *out)
{
    const nw_shape *in = shape_of(w, node->inputs[0]), *to = shape_of(w, node->outputs[0]);
    const int64_t *starts, *axes = NULL, *steps = NULL;
    int n, n_axes = 0, n_steps = 0;
    if (!has_input(node, 1) || !nw_py_ints(w, node->inputs[1], &starts, &n) ||
        (has_input(node, 3) && !nw_py_ints(w, node->inputs[3], &axes, &n_axes)) ||
        (has_input(node, 4) && !nw_py_ints(w, node->inputs[4], &steps, &n_steps)))
        return false;
    for (int i = 0; i < n && i < NW_MAX_RANK; i++) {
        int axis = positive(axes ? (int)axes[i] : i, in->rank);
        int64_t size = in->dims[axis], step = steps ? steps[i] : 1;
        int64_t start = starts[i] < 0 ? starts[i] + size : starts[i];
        int64_t most = step < 0 ? size - 1 : size;
        start = start < 0 ? 0 : start > most ? most : start;
        out[axis] = (slice_axis){start, step, to->dims[axis], true};
    }
    return true;
}

/* Every size is known, so a slice is written by what it takes. Python's slices go forwards only. */
static void write_slice(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    slice_axis axes[NW_MAX_RANK] = {{0}};
    nw_buf text = {0}, back = {0};
    if (!read_slice(w, node, axes)) {
        nw_py_fail(w, id, "where it starts is computed from the input");
        return;
    }
    for (int i = 0; i < shape_of(w, node->inputs[0])->rank; i++) {
        const slice_axis *a = &axes[i];
        nw_buf_puts(&text, i ? ", " : "");
        if (!a->is_cut || a->step < 0)
            nw_buf_puts(&text, ":");
        else
            nw_buf_printf(&text, "%lld:%lld", (long long)a->start,
                          (long long)(a->n ? a->start + a->step * (a->n - 1) + 1 : a->start));
        if (a->is_cut && a->step > 1)
            nw_buf_printf(&text, ":%lld", (long long)a->step);
        if (a->is_cut && a->step < 0)
            nw_buf_printf(&back, ".index_select(%d, torch.arange(%lld, %lld, %lld))", i,
                          (long long)a->start, (long long)(a->start + a->step * a->n),
                          (long long)a->step);
    }
    assign(w, id,
           nw_py_text(w, "%s[%s]%s", input(w, id, 0), nw_buf_text(&text), nw_buf_text(&back)));
    nw_buf_fini(&text);
    nw_buf_fini(&back);
}

static void write_gather(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    int axis = positive(node->attrs.axis, shape_of(w, node->inputs[0])->rank);
    assign(w, id,
           nw_py_text(w,
                      "torch.index_select(%s, %d, torch.as_tensor(%s).reshape(-1).long())"
                      ".reshape(%s)",
                      as_tensor(w, id, 0), axis, input(w, id, 1),
                      nw_py_shape(w, node->outputs[0])));
}

static void write_transpose(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    const int64_t *order;
    int64_t reversed[NW_MAX_RANK];
    int n;
    if (!list_of(w, id, 1, &order, &n)) {
        n = shape_of(w, node->inputs[0])->rank;
        for (int i = 0; i < n; i++)
            reversed[i] = n - 1 - i;
        order = reversed;
    }
    assign(w, id, nw_py_text(w, "%s.permute%s", input(w, id, 0), nw_py_tuple(w, order, n)));
}

/* Begins and ends of each axis; false: not known. */
static bool read_pads(const nw_py_writer *w, const nw_node *node, int64_t *begin, int64_t *end)
{
    const int64_t *pads = node->attrs.ints;
    int n = node->attrs.n_ints, rank = shape_of(w, node->inputs[0])->rank;
    if (!node->attrs.has_ints &&
        (!has_input(node, 1) || !nw_py_ints(w, node->inputs[1], &pads, &n)))
        return false;
    if (n != 2 * rank || node->attrs.pads_paired || has_input(node, 3))
        return false;
    for (int i = 0; i < rank; i++) {
        begin[i] = pads[i];
        end[i] = pads[rank + i];
    }
    return true;
}

/* The value of a pad; false: not known. */
static bool read_fill(const nw_py_writer *w, const nw_node *node, double *value)
{
    *value = node->attrs.alpha;
    return !has_input(node, 2) || nw_py_number(w, node->inputs[2], value);
}

bool nw_py_zero_pads(const nw_py_writer *w, nw_node_id id, int64_t *pads)
{
    const nw_node *node = node_of(w, id);
    int64_t begin[NW_MAX_RANK], end[NW_MAX_RANK];
    double value;
    if (node->op != NW_OP_PAD || node->attrs.fill != NW_FILL_CONSTANT ||
        shape_of(w, node->inputs[0])->rank != 4 || !read_fill(w, node, &value) || value != 0 ||
        !read_pads(w, node, begin, end) || begin[0] || begin[1] || end[0] || end[1])
        return false;
    memcpy(pads, (int64_t[4]){begin[3], end[3], begin[2], end[2]}, 4 * sizeof *pads);
    return true;
}

static void write_pad(nw_py_writer *w, nw_node_id id)
{
    static const char *const modes[] = {"constant", "replicate", "reflect", NULL};
    const nw_node *node = node_of(w, id);
    int64_t begin[NW_MAX_RANK], end[NW_MAX_RANK], pads[2 * NW_MAX_RANK];
    int rank = shape_of(w, node->inputs[0])->rank, n = 0;
    double value;
    if (!read_pads(w, node, begin, end) || !modes[node->attrs.fill] ||
        !read_fill(w, node, &value)) {
        nw_py_fail(w, id, "PyTorch has no such padding");
        return;
    }
    for (int i = rank - 1; i >= 0; i--) { /* F.pad begins with the last axis */
        bool is_map = node->attrs.fill == NW_FILL_CONSTANT || i >= 2;
        if (!is_map && (begin[i] || end[i])) {
            nw_py_fail(w, id, "PyTorch pads maps only");
            return;
        }
        if (!is_map)
            continue;
        pads[n++] = begin[i];
        pads[n++] = end[i];
    }
    const char *how = node->attrs.fill == NW_FILL_CONSTANT
                          ? nw_py_text(w, "value=%s", nw_py_real(w, value))
                          : nw_py_text(w, "mode=\"%s\"", modes[node->attrs.fill]);
    assign(w, id,
           nw_py_text(w, "F.pad(%s, %s, %s)", input(w, id, 0), nw_py_tuple(w, pads, n), how));
}

static void write_resize(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    const nw_attrs *a = &node->attrs;
    const nw_shape *in = shape_of(w, node->inputs[0]), *out = shape_of(w, node->outputs[0]);
    if (in->rank != 4 || in->dims[1] != out->dims[1] || in->dims[0] != out->dims[0]) {
        nw_py_fail(w, id, "PyTorch resizes maps only");
        return;
    }
    const char *mode = a->half_pixel ? "\"nearest-exact\"" : "\"nearest\"";
    if (a->resize_mode != NW_RESIZE_NEAREST)
        mode = nw_py_text(w, "\"%s\", align_corners=%s",
                          a->resize_mode == NW_RESIZE_LINEAR ? "bilinear" : "bicubic",
                          a->align_corners ? "True" : "False");
    assign(w, id,
           nw_py_text(w, "F.interpolate(%s, size=%s, mode=%s)", input(w, id, 0),
                      nw_py_tuple(w, out->dims + 2, 2), mode));
}

static void write_depth_to_space(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    int64_t b = node->attrs.block;
    const nw_shape *in = shape_of(w, node->inputs[0]);
    int64_t c = in->dims[1] / (b * b), h = in->dims[2], v = in->dims[3];
    if (node->attrs.is_crd)
        assign(w, id, nw_py_text(w, "F.pixel_shuffle(%s, %lld)", input(w, id, 0), (long long)b));
    else
        assign(w, id,
               nw_py_text(w, "%s.reshape%s.permute(0, 3, 4, 1, 5, 2).reshape(%s)", input(w, id, 0),
                          nw_py_tuple(w, (int64_t[6]){in->dims[0], b, b, c, h, v}, 6),
                          nw_py_shape(w, node->outputs[0])));
}

static void write_space_to_depth(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    int64_t b = node->attrs.block;
    const nw_shape *in = shape_of(w, node->inputs[0]);
    assign(w, id,
           nw_py_text(w, "%s.reshape%s.permute(0, 3, 5, 1, 2, 4).reshape(%s)", input(w, id, 0),
                      nw_py_tuple(w,
                                  (int64_t[6]){in->dims[0], in->dims[1], in->dims[2] / b, b,
                                               in->dims[3] / b, b},
                                  6),
                      nw_py_shape(w, node->outputs[0])));
}

static const char *python_type(nw_dtype dtype)
{
    switch (dtype) {
    case NW_DTYPE_BOOL:
        return "torch.bool";
    case NW_DTYPE_INT64:
        return "torch.int64";
    case NW_DTYPE_INT32:
        return "torch.int32";
    case NW_DTYPE_INT8:
        return "torch.int8";
    case NW_DTYPE_UINT8:
        return "torch.uint8";
    case NW_DTYPE_FLOAT32:
    case NW_DTYPE_FLOAT16:
        return "torch.float32";
    default:
        return NULL;
    }
}

static void write_cast(nw_py_writer *w, nw_node_id id)
{
    const char *type = python_type(w->graph->tensors[node_of(w, id)->outputs[0]].dtype);
    if (type)
        assign(w, id, nw_py_text(w, "%s.to(%s)", input(w, id, 0), type));
    else
        nw_py_fail(w, id, "PyTorch has no such type");
}

static void write_top_k(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    int axis = positive(node->attrs.axis, shape_of(w, node->inputs[0])->rank);
    long long k = (long long)shape_of(w, node->outputs[0])->dims[axis];
    if (node->n_outputs != 2 || node->outputs[0] == NW_NONE || node->outputs[1] == NW_NONE) {
        nw_py_fail(w, id, "one of its outputs is left out");
        return;
    }
    const char *x = input(w, id, 0), *values = nw_py_name_value(w, node->outputs[0], NULL);
    nw_py_line(w, id, "%s, %s = torch.topk(%s, %lld, dim=%d)", values,
               nw_py_name_value(w, node->outputs[1], NULL), x, k, axis);
}

static void write_arg_max(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    assign(w, id,
           nw_py_text(w, "torch.arg%s(%s, dim=%d, keepdim=%s)",
                      strcmp(node->file_type, "ArgMin") == 0 ? "min" : "max", input(w, id, 0),
                      node->attrs.axis, node->attrs.keep_dims ? "True" : "False"));
}

/* Whatever keeps the elements in their order, and broadcasting: the shape is known. */
static void write_reshape(nw_py_writer *w, nw_node_id id, const char *method)
{
    assign(w, id,
           nw_py_text(w, "%s.%s(%s)", as_tensor(w, id, 0), method,
                      nw_py_shape(w, node_of(w, id)->outputs[0])));
}

static void write_tile(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    const nw_shape *in = shape_of(w, node->inputs[0]), *out = shape_of(w, node->outputs[0]);
    int64_t repeats[NW_MAX_RANK];
    for (int i = 0; i < in->rank; i++)
        repeats[i] = in->dims[i] ? out->dims[i] / in->dims[i] : 1;
    assign(w, id,
           nw_py_text(w, "%s.repeat(%s)", as_tensor(w, id, 0), nw_py_tuple(w, repeats, in->rank)));
}

void nw_py_write_node(nw_py_writer *w, nw_node_id id)
{
    const nw_node *node = node_of(w, id);
    if (!node->n_outputs || node->outputs[0] == NW_NONE) {
        nw_py_fail(w, id, "its output is left out");
        return;
    }
    for (size_t i = 0; i < sizeof call_rows / sizeof *call_rows; i++)
        if (call_rows[i].op == node->op) {
            const char *format = call_rows[i].format, *at = strstr(format, "%s");
            assign(w, id,
                   nw_py_text(w, "%.*s%s%s", (int)(at - format), format, input(w, id, 0), at + 2));
            return;
        }
    switch (node->op) {
    case NW_OP_UNARY:
        write_unary(w, id);
        break;
    case NW_OP_CLIP:
        write_clip(w, id);
        break;
    case NW_OP_HARD_SIGMOID:
        write_hard_sigmoid(w, id);
        break;
    case NW_OP_LEAKY_RELU:
        assign(w, id,
               nw_py_text(w, "F.leaky_relu(%s, %s)", input(w, id, 0),
                          nw_py_real(w, node->attrs.alpha)));
        break;
    case NW_OP_SOFTMAX:
        write_softmax(w, id);
        break;
    case NW_OP_REDUCE:
        write_reduce(w, id);
        break;
    case NW_OP_GLOBAL_POOL:
        assign(w, id,
               nw_py_text(w,
                          node->attrs.reduce == NW_REDUCE_MAX ? "%s.amax((2, 3), keepdim=True)"
                                                              : "%s.mean((2, 3), keepdim=True)",
                          input(w, id, 0)));
        break;
    case NW_OP_ADD:
        write_infix(w, id, "+");
        break;
    case NW_OP_SUB:
        write_infix(w, id, "-");
        break;
    case NW_OP_MUL:
        write_infix(w, id, "*");
        break;
    case NW_OP_DIV:
        write_infix(w, id, "/");
        break;
    case NW_OP_POW:
        write_infix(w, id, "**");
        break;
    case NW_OP_MIN:
        write_chain(w, id, "torch.minimum");
        break;
    case NW_OP_MAX:
        write_chain(w, id, "torch.maximum");
        break;
    case NW_OP_COMPARE:
        write_compare(w, id);
        break;
    case NW_OP_WHERE:
        assign(w, id,
               nw_py_text(w, "torch.where(%s, %s, %s)", as_tensor(w, id, 0), as_tensor(w, id, 1),
                          as_tensor(w, id, 2)));
        break;
    case NW_OP_CONCAT:
        write_concat(w, id);
        break;
    case NW_OP_SPLIT:
        write_split(w, id);
        break;
    case NW_OP_SLICE:
        write_slice(w, id);
        break;
    case NW_OP_GATHER:
        write_gather(w, id);
        break;
    case NW_OP_TRANSPOSE:
        write_transpose(w, id);
        break;
    case NW_OP_PAD:
        write_pad(w, id);
        break;
    case NW_OP_RESIZE:
        write_resize(w, id);
        break;
    case NW_OP_DEPTH_TO_SPACE:
        write_depth_to_space(w, id);
        break;
    case NW_OP_SPACE_TO_DEPTH:
        write_space_to_depth(w, id);
        break;
    case NW_OP_CAST:
        write_cast(w, id);
        break;
    case NW_OP_TOP_K:
        write_top_k(w, id);
        break;
    case NW_OP_ARG_MAX:
        write_arg_max(w, id);
        break;
    case NW_OP_RESHAPE:
    case NW_OP_FLATTEN:
    case NW_OP_SQUEEZE:
    case NW_OP_UNSQUEEZE:
        write_reshape(w, id, "reshape");
        break;
    case NW_OP_EXPAND:
        write_reshape(w, id, "expand");
        break;
    case NW_OP_TILE:
        write_tile(w, id);
        break;
    default:
        nw_py_write_layer(w, id);
    }
}
