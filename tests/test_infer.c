/* Shapes and values of single operators, against numbers worked out by hand.
 *
 * A case is one line. Inputs, separated by ';':
 *     1,3,8,8   a graph input of that shape ("()" a scalar)     w8,3,3,3  a constant without values
 *     i1,-1     a list of int64        s5   one int64           f1,0.5    a list of float32
 *     g2.5      one float32            b1,0      a list of bools
 *     m1,2,3,4  a 2 x 2 matrix of int64, likewise with more rows; u3  int64 of unknown value
 *     ?         a tensor of unknown shape                       -         left out
 * Attributes: names of nw_attrs with a value; "stride" and the like set height and width alike;
 * "pad" sets all four. Expected: the outputs' shapes separated by ';' ("?" unknown), or "!" and
 * what the error must contain, separated by '|'; "=" and the first output's values, row-major
 * ("=?" no known value).
 */
#include <check.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/graph/graph.h"

enum { MAX_LIST = 16 };

/* ---- the little language ---- */

static int read_numbers(const char **text, double *values)
{
    int n = 0;
    for (char *end; n < MAX_LIST; *text = end + (*end == ',')) {
        values[n] = strtod(*text, &end);
        if (end == *text)
            break;
        n++;
    }
    return n;
}

static void read_shape(const char **text, nw_shape *out)
{
    double values[MAX_LIST];
    *out = (nw_shape){.rank = 0};
    if (strncmp(*text, "()", 2) == 0) {
        *text += 2;
        return;
    }
    int n = read_numbers(text, values);
    for (int i = 0; i < n && i < NW_MAX_RANK; i++)
        out->dims[out->rank++] = (int64_t)values[i];
}

static nw_tensor_id add_constant(nw_graph *graph, nw_dtype dtype, const double *values, int n,
                                 bool is_scalar)
{
    nw_shape shape = {.rank = is_scalar ? 0 : 1, .dims = {n}};
    nw_tensor_id id = nw_graph_add_tensor(graph, "constant", dtype, &shape);
    size_t each = (size_t)nw_dtype_bits(dtype) / 8;
    uint8_t *bytes = nw_graph_alloc(graph, (size_t)n * each);
    for (int i = 0; i < n; i++) {
        int64_t whole = (int64_t)values[i];
        float single = (float)values[i];
        uint32_t raw;
        memcpy(&raw, &single, sizeof raw);
        for (size_t k = 0; k < each; k++)
            bytes[(size_t)i * each + k] =
                (uint8_t)(dtype == NW_DTYPE_FLOAT32 ? raw >> (8 * k) : (uint64_t)whole >> (8 * k));
    }
    nw_graph_set_data(graph, id, bytes, (size_t)n * each, -1);
    return id;
}

static nw_tensor_id add_input(nw_graph *graph, nw_dtype dtype, const nw_shape *shape)
{
    char name[16];
    snprintf(name, sizeof name, "in%d", graph->n_tensors);
    nw_tensor_id id = nw_graph_add_tensor(graph, name, dtype, shape);
    nw_graph_add_input(graph, id);
    return id;
}

static nw_tensor_id add_unknown(nw_graph *graph)
{
    nw_tensor_id id = nw_graph_add_tensor(graph, "unknown", NW_DTYPE_FLOAT32, NULL);
    nw_graph_add_node(graph, NW_OP_OPAQUE, "riddle", "Riddle", NULL, 0, &id, 1);
    return id;
}

static nw_tensor_id add_operand(nw_graph *graph, const char **text)
{
    double values[MAX_LIST];
    nw_shape shape;
    nw_tensor_id id;
    char kind = **text;
    if (strchr("-?wismfgbu", kind))
        ++*text;
    switch (kind) {
    case '-':
        return NW_NONE;
    case '?':
        return add_unknown(graph);
    case 'i':
    case 's':
        return add_constant(graph, NW_DTYPE_INT64, values, read_numbers(text, values), kind == 's');
    case 'm':
        id = add_constant(graph, NW_DTYPE_INT64, values, read_numbers(text, values), false);
        graph->tensors[id].shape =
            (nw_shape){.rank = 2, .dims = {graph->tensors[id].shape.dims[0] / 2, 2}};
        return id;
    case 'f':
    case 'g':
        return add_constant(graph, NW_DTYPE_FLOAT32, values, read_numbers(text, values),
                            kind == 'g');
    case 'b':
        return add_constant(graph, NW_DTYPE_BOOL, values, read_numbers(text, values), false);
    case 'w':
        read_shape(text, &shape);
        id = nw_graph_add_tensor(graph, "weights", NW_DTYPE_FLOAT32, &shape);
        nw_graph_set_data(graph, id, NULL, 0, -1);
        return id;
    default:
        read_shape(text, &shape);
        return add_input(graph, kind == 'u' ? NW_DTYPE_INT64 : NW_DTYPE_FLOAT32, &shape);
    }
}

typedef struct attr_key {
    const char *name;
    size_t at, n_bytes;
    int n; /* so many fields in a row */
} attr_key;

#define FIELD(name, field, n)                                                                      \
    {                                                                                              \
        name, offsetof(nw_attrs, field), sizeof((nw_attrs){0}.field), n                            \
    }

static const attr_key keys[] = {
    FIELD("kernel", kernel_h, 2),
    FIELD("kernel_h", kernel_h, 1),
    FIELD("kernel_w", kernel_w, 1),
    FIELD("stride", stride_h, 2),
    FIELD("stride_h", stride_h, 1),
    FIELD("stride_w", stride_w, 1),
    FIELD("dilation", dilation_h, 2),
    FIELD("pad", pad_top, 4),
    FIELD("pad_top", pad_top, 1),
    FIELD("pad_left", pad_left, 1),
    FIELD("pad_bottom", pad_bottom, 1),
    FIELD("pad_right", pad_right, 1),
    FIELD("output_pad", output_pad_h, 2),
    FIELD("groups", groups, 1),
    FIELD("axis", axis, 1),
    FIELD("block", block, 1),
    FIELD("begin_mask", begin_mask, 1),
    FIELD("end_mask", end_mask, 1),
    FIELD("ellipsis_mask", ellipsis_mask, 1),
    FIELD("new_axis_mask", new_axis_mask, 1),
    FIELD("shrink_mask", shrink_mask, 1),
    FIELD("n_axes", n_axes, 1),
    FIELD("pad_mode", pad_mode, 1),
    FIELD("weight_layout", weight_layout, 1),
    FIELD("reduce", reduce, 1),
    FIELD("unary", unary, 1),
    FIELD("compare", compare, 1),
    FIELD("resize_form", resize_form, 1),
    FIELD("ceil_mode", ceil_mode, 1),
    FIELD("transpose_a", transpose_a, 1),
    FIELD("transpose_b", transpose_b, 1),
    FIELD("keep_dims", keep_dims, 1),
    FIELD("allow_zero", allow_zero, 1),
    FIELD("noop_empty", noop_empty, 1),
    FIELD("pads_paired", pads_paired, 1),
};

static const struct {
    const char *name;
    int value;
} words[] = {{"same_upper", NW_PAD_SAME_UPPER},
             {"same_lower", NW_PAD_SAME_LOWER},
             {"valid", NW_PAD_VALID},
             {"iohw", NW_WEIGHTS_IOHW},
             {"ohwi", NW_WEIGHTS_OHWI},
             {"hwio", NW_WEIGHTS_HWIO},
             {"sizes", NW_RESIZE_SIZES},
             {"size_hw", NW_RESIZE_SIZE_HW},
             {"sum", NW_REDUCE_SUM},
             {"prod", NW_REDUCE_PROD},
             {"max", NW_REDUCE_MAX},
             {"min", NW_REDUCE_MIN}};

static double read_value(const char **text)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncmp(*text, words[i].name, strlen(words[i].name)) == 0) {
            *text += strlen(words[i].name);
            return words[i].value;
        }
    char *end;
    double value = strtod(*text, &end);
    *text = end;
    return value;
}

static void read_list(nw_graph *graph, nw_attrs *attrs, const char **text, bool is_float)
{
    double values[MAX_LIST];
    int n = read_numbers(text, values);
    float *floats = nw_graph_alloc(graph, sizeof(float) * MAX_LIST);
    int64_t *ints = nw_graph_alloc(graph, sizeof(int64_t) * MAX_LIST);
    for (int i = 0; i < n; i++) {
        floats[i] = (float)values[i];
        ints[i] = (int64_t)values[i];
    }
    if (is_float) {
        attrs->floats = floats;
        attrs->n_floats = n;
    } else {
        attrs->ints = ints;
        attrs->n_ints = n;
        attrs->has_ints = true;
    }
}

static void set_attr(nw_attrs *attrs, const char *name, size_t length, double value)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strlen(keys[i].name) != length || strncmp(keys[i].name, name, length) != 0)
            continue;
        for (int k = 0; k < keys[i].n; k++) {
            uint8_t *field = (uint8_t *)attrs + keys[i].at + (size_t)k * keys[i].n_bytes;
            if (keys[i].n_bytes == sizeof(int32_t))
                *(int32_t *)(void *)field = (int32_t)value;
            else
                *field = (uint8_t)value;
        }
        return;
    }
    ck_abort_msg("no attribute %.*s", (int)length, name);
}

static void read_attrs(nw_graph *graph, nw_attrs *attrs, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "=");
        const char *name = text;
        text += length + 1;
        if (strncmp(name, "ints", 4) == 0 || strncmp(name, "floats", 6) == 0)
            read_list(graph, attrs, &text, name[0] == 'f');
        else if (strncmp(name, "type", 4) == 0)
            text += strcspn(text, " ");
        else
            set_attr(attrs, name, length, read_value(&text));
        text += *text == ' ';
    }
}

typedef struct test_case {
    const char *op, *inputs, *attrs, *expected;
} test_case;

/* "type=int32" gives the outputs a type, as a reader would. */
static nw_dtype output_type(const char *attrs)
{
    const char *at = strstr(attrs, "type=");
    char name[16] = "unknown";
    if (at)
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 5, " "), at + 5);
    return nw_dtype_find(name);
}

static nw_graph *build(nw_layout layout, const test_case *test, int n_outputs)
{
    nw_graph *graph = nw_graph_new("test", layout);
    nw_tensor_id inputs[MAX_LIST], outputs[MAX_LIST];
    int n_inputs = 0;
    for (const char *text = test->inputs; *text; text += *text == ';')
        inputs[n_inputs++] = add_operand(graph, &text);
    for (int i = 0; i < n_outputs; i++) {
        outputs[i] = nw_graph_add_tensor(graph, "out", output_type(test->attrs), NULL);
        nw_graph_add_output(graph, outputs[i]);
    }
    nw_op op = nw_op_find(test->op);
    ck_assert_msg(op != NW_OP_COUNT, "no operator %s", test->op);
    nw_node *node =
        nw_graph_add_node(graph, op, "the node", "Type", inputs, n_inputs, outputs, n_outputs);
    read_attrs(graph, &node->attrs, test->attrs);
    return graph;
}

static void print_shape(const nw_shape *shape, char *dst, size_t size)
{
    snprintf(dst, size, "%s", shape->rank < 0 ? "?" : shape->rank == 0 ? "()" : "");
    for (int i = 0; i < shape->rank; i++) {
        size_t used = strlen(dst);
        snprintf(dst + used, size - used, "%s%" PRId64, i ? "," : "", shape->dims[i]);
    }
}

static int count_parts(const char *text)
{
    int n = 1;
    for (; *text; text++)
        n += *text == ';';
    return n;
}

static void check_error(const test_case *test, const nw_error *err, nw_status status)
{
    ck_assert_msg(status == NW_INVALID, "%s (%s; %s) was not refused", test->op, test->inputs,
                  test->attrs);
    ck_assert_str_eq(err->where, "the node");
    for (const char *part = test->expected + 1; *part;) {
        size_t length = strcspn(part, "|");
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)length, part);
        ck_assert_msg(strstr(err->message, word) != NULL, "%s (%s): '%s' is not in '%s'", test->op,
                      test->inputs, word, err->message);
        part += length + (part[length] == '|');
    }
}

static void check_values(const test_case *test, const nw_tensor *out)
{
    double expected[MAX_LIST];
    const char *text = test->expected + 1;
    bool is_known = out->ints || out->floats;
    ck_assert_msg(is_known == (*text != '?'), "%s (%s; %s): known: %d", test->op, test->inputs,
                  test->attrs, is_known);
    if (!is_known)
        return;
    int n = read_numbers(&text, expected);
    ck_assert_msg(nw_shape_elements(&out->shape) == n, "%s (%s; %s): %d values", test->op,
                  test->inputs, test->attrs, (int)nw_shape_elements(&out->shape));
    for (int i = 0; i < n; i++) {
        double value = out->ints ? (double)out->ints[i] : out->floats[i];
        ck_assert_msg(value == expected[i] || (isnan(value) && isnan(expected[i])),
                      "%s (%s; %s): element %d is %.17g", test->op, test->inputs, test->attrs, i,
                      value);
    }
}

static void check_case(nw_layout layout, const test_case *test)
{
    bool is_error = test->expected[0] == '!';
    int n_outputs = is_error ? 1 : count_parts(test->expected);
    nw_graph *graph = build(layout, test, n_outputs);
    nw_error err = {0};
    nw_status status = nw_graph_seal(graph, NULL, 0, &err);
    if (is_error) {
        check_error(test, &err, status);
    } else if (test->expected[0] == '=' && status == NW_OK) {
        check_values(test, &graph->tensors[graph->outputs[0]]);
    } else {
        char shapes[256] = "";
        ck_assert_msg(status == NW_OK, "%s (%s; %s): %s: %s", test->op, test->inputs, test->attrs,
                      err.where, err.message);
        for (int i = 0; i < n_outputs; i++) {
            size_t used = strlen(shapes);
            snprintf(shapes + used, sizeof shapes - used, "%s", i ? ";" : "");
            print_shape(&graph->tensors[graph->outputs[i]].shape, shapes + used + (i > 0),
                        sizeof shapes - used - 1);
        }
        ck_assert_msg(strcmp(shapes, test->expected) == 0, "%s (%s; %s): %s, expected %s", test->op,
                      test->inputs, test->attrs, shapes, test->expected);
    }
    nw_graph_free(graph);
}

#define CHECK_ALL(layout, ...)                                                                     \
    do {                                                                                           \
        static const test_case cases[] = {__VA_ARGS__};                                            \
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)                                \
            check_case(layout, &cases[i]);                                                         \
    } while (0)
#define NCHW NW_LAYOUT_NCHW
#define NHWC NW_LAYOUT_NHWC

/* ---- windows ---- */

/* floor((in + pads - ((k-1)*dilation + 1)) / stride) + 1, from ONNX's Conv. */
START_TEST(convolutions_follow_the_window_formula)
{
    CHECK_ALL(NCHW, /* (224 + 6 - 7) / 2 + 1 = 112: the first layer of ResNet */
              {"conv2d", "1,3,224,224;w64,3,7,7;w64", "stride=2 pad=3", "1,64,112,112"},
              {"conv2d", "2,3,10,9;w4,3,3,1", "", "2,4,8,9"},
              {"conv2d", "1,8,10,10;w8,1,3,3", "groups=8 pad=1", "1,8,10,10"},
              {"conv2d", "1,8,10,10;w16,1,3,3", "groups=0 pad=1", "1,16,10,10"},
              {"conv2d", "1,4,10,10;w6,2,3,3", "groups=2 dilation=2", "1,6,6,6"}, /* 10 - 5 + 1 */
              {"conv2d", "1,3,10,10;w4,3,3,3", "pad_top=-1 pad_right=2", "1,4,7,10"},
              {"conv2d", "1,3,10,10;w4,3,3,3", "stride=3 pad_mode=same_upper", "1,4,4,4"},
              {"conv2d", "1,3,10,10;w4,3,3,3", "stride=3 pad_mode=valid pad=5", "1,4,3,3"},
              {"conv2d", "1,3,16;w5,3,3", "stride_w=2 pad_left=1 pad_right=1", "1,5,8"},
              {"conv2d", "1,3,4,8,8;w5,3,3,3,3", "", "?"}, /* three-dimensional: not ours */
              {"conv2d", "?;w5,3,3,3", "", "?"});
    CHECK_ALL(NHWC, {"conv2d", "1,10,12,3;w4,3,5,3", "weight_layout=ohwi", "1,8,8,4"},
              /* TFLite's grouped convolution: 6 channels, weights for 3, so 2 groups */
              {"conv2d", "1,10,12,6;w4,3,3,3", "weight_layout=ohwi", "1,8,10,4"},
              {"conv2d", "1,10,12,6;w1,3,3,12",
               "weight_layout=hwio groups=0 stride=2 pad_mode=valid", "1,4,5,12"},
              {"conv2d", "1,9,3;w4,3,3", "weight_layout=ohwi", "1,7,4"});
}
END_TEST

START_TEST(convolutions_that_do_not_fit_are_refused)
{
    CHECK_ALL(NCHW, {"conv2d", "1,3,8,8;w4,5,3,3", "", "!3 channels|5"},
              {"conv2d", "1,6,8,8;w4,2,3,3", "groups=2", "!6 channels|4 (2 groups)"},
              {"conv2d", "1,6,8,8;w4,2,3,3", "groups=3", "!4 channels|3 groups"},
              {"conv2d", "1,3,8,8;w4,3,3,3", "groups=-1", "!-1 groups"},
              {"conv2d", "1,3,2,8;w4,3,3,3", "", "!over 3|height is 2"},
              {"conv2d", "1,3,8,6;w4,3,3,3", "dilation=3", "!over 7|width is 6"},
              {"conv2d", "1,3,8,8;w4,3,3,3;w5", "", "!5 values|4 output"},
              {"conv2d", "1,3,8,8;w4,3,3,3", "stride=0", "!stride is 0"},
              {"conv2d", "1,3,8,8;w4,3,3,3", "dilation=0", "!dilation is 0"},
              {"conv2d", "1,3,8,8;w4,3,3", "", "!4 dimensions|have 3"},
              {"conv2d", "1,3,8,8", "", "!input 1 is missing"},
              {"conv2d", "1,3,8,8;w4,3,0,3", "", "!kernel is 0"});
}
END_TEST

static const nw_attrs *seal_attrs(nw_layout layout, const char *op, const char *inputs,
                                  const char *attrs, nw_graph **graph)
{
    nw_error err;
    *graph = build(layout, &(test_case){op, inputs, attrs, ""}, 1);
    ck_assert_int_eq(nw_graph_seal(*graph, NULL, 0, &err), NW_OK);
    return &(*graph)->nodes[0].attrs;
}

/* SAME: ceil(224 / 2) = 112 windows reach over 111*2 + 3 = 225, one more than there are; the odd
 * one goes behind (upper) or in front (lower). With dilation 2 a kernel of 3 reaches over 5:
 * 223 + 5 - 224 = 4 at stride 1. */
START_TEST(same_padding_is_resolved_and_so_are_kernels_and_groups)
{
    nw_graph *graph;
    const nw_attrs *a =
        seal_attrs(NHWC, "conv2d", "1,224,224,8;w1,3,3,8",
                   "stride=2 groups=0 weight_layout=hwio pad_mode=same_upper", &graph);
    ck_assert_int_eq(a->kernel_h, 3);
    ck_assert_int_eq(a->groups, 8);
    ck_assert_int_eq(a->pad_top, 0);
    ck_assert_int_eq(a->pad_bottom, 1);
    nw_graph_free(graph);
    a = seal_attrs(NCHW, "conv2d", "1,3,224,224;w8,3,3,3", "stride=2 pad_mode=same_lower", &graph);
    ck_assert_int_eq(a->pad_left, 1);
    ck_assert_int_eq(a->pad_right, 0);
    nw_graph_free(graph);
    a = seal_attrs(NCHW, "conv2d", "1,3,224,224;w8,3,3,3", "dilation=2 pad_mode=same_upper",
                   &graph);
    ck_assert_int_eq(a->pad_left, 2);
    ck_assert_int_eq(a->pad_right, 2);
    nw_graph_free(graph);
    a = seal_attrs(NHWC, "conv2d", "1,8,8,6;w4,3,3,3", "weight_layout=ohwi", &graph);
    ck_assert_int_eq(a->groups, 2);
    nw_graph_free(graph);
    /* transposed, SAME: 2*(8-1) + 3 = 17, one more than 8*2 */
    a = seal_attrs(NCHW, "conv_transpose2d", "1,4,8,8;w4,6,3,3",
                   "weight_layout=iohw stride=2 pad_mode=same_upper", &graph);
    ck_assert_int_eq(a->pad_top, 0);
    ck_assert_int_eq(a->pad_bottom, 1);
    nw_graph_free(graph);
}
END_TEST

/* stride*(in-1) + output_pad + ((k-1)*dilation + 1) - pads, from ONNX's ConvTranspose. */
START_TEST(transposed_convolutions_invert_the_window_formula)
{
    CHECK_ALL(
        NCHW, {"conv_transpose2d", "1,4,8,8;w4,6,3,3", "weight_layout=iohw", "1,6,10,10"},
        {"conv_transpose2d", "1,4,8,8;w4,6,4,4", "weight_layout=iohw stride=2 pad=1", "1,6,16,16"},
        {"conv_transpose2d", "1,4,8,8;w4,6,3,3", "weight_layout=iohw stride=2 pad=1 output_pad=1",
         "1,6,16,16"},
        {"conv_transpose2d", "1,4,8,8;w4,3,3,3;w6", "weight_layout=iohw groups=2 dilation=2",
         "1,6,12,12"},
        {"conv_transpose2d", "1,4,8,8;w4,6,3,3", "weight_layout=iohw stride=2 pad_mode=same_upper",
         "1,6,16,16"},
        {"conv_transpose2d", "1,4,8,8;w4,6,3,3", "weight_layout=iohw stride=2 ints=16,15",
         "1,6,16,15"},
        {"conv_transpose2d", "1,4,8;w4,6,3", "weight_layout=iohw stride_w=2", "1,6,17"},
        {"conv_transpose2d", "1,4,8,8;w5,6,3,3", "weight_layout=iohw", "!4 channels|5"},
        {"conv_transpose2d", "1,4,8,8;w4,6,3,3", "weight_layout=iohw groups=3", "!4|3 groups"},
        {"conv_transpose2d", "1,4,1,1;w4,6,3,3", "weight_layout=iohw pad=2", "!be -1|of 1"});
    CHECK_ALL(NHWC, {"conv_transpose2d", "1,8,8,4;w6,2,2,4",
                     "weight_layout=ohwi stride=2 pad_mode=same_upper ints=16,16", "1,16,16,6"});
}
END_TEST

/* Ceil mode: (6 - 3)/2 + 1 = 2.5, so 3; but (5 + 2 - 2)/3 + 1 = 2.67 windows where the third would
 * start at 6 = 5 + 1, behind the input and its padding in front: 2, as PyTorch's MaxPool2d has it.
 */
START_TEST(pooling_rounds_as_told)
{
    CHECK_ALL(NCHW, {"max_pool", "1,3,112,112", "kernel=3 stride=2 pad=1", "1,3,56,56"},
              {"max_pool", "1,3,6,6", "kernel=3 stride=2", "1,3,2,2"},
              {"max_pool", "1,3,6,6", "kernel=3 stride=2 ceil_mode=1", "1,3,3,3"},
              {"max_pool", "1,3,5,5", "kernel=2 stride=3 pad=1 ceil_mode=1", "1,3,2,2"},
              {"max_pool", "1,3,6,6", "kernel=2 stride=2", "1,3,3,3;1,3,3,3"},
              {"average_pool", "1,3,7,7", "kernel=7", "1,3,1,1"},
              {"average_pool", "1,3,9", "kernel_w=3 stride_w=3", "1,3,3"},
              {"average_pool", "1,3,6,6", "kernel=7", "!over 7|is 6"},
              {"average_pool", "1,3,6,6", "kernel=0", "!kernel is 0"},
              {"global_pool", "1,5,7,7", "", "1,5,1,1"}, {"global_pool", "1,5,7", "", "1,5,1"});
    CHECK_ALL(NHWC, {"max_pool", "1,7,9,3", "kernel=2 stride=2 pad_mode=same_upper", "1,4,5,3"},
              {"max_pool", "1,7,9,3", "kernel=2 stride=2 pad_mode=valid", "1,3,4,3"},
              {"global_pool", "1,7,6,5", "", "1,1,1,5"});
}
END_TEST

/* ---- products ---- */

/* NumPy's matmul on the same shapes. */
START_TEST(matrix_products_batch_as_numpy)
{
    CHECK_ALL(NCHW, {"matmul", "2,3;w3,4", "", "2,4"}, {"matmul", "5,2,3;3,4", "", "5,2,4"},
              {"matmul", "7,1,2,3;5,3,4", "", "7,5,2,4"}, {"matmul", "3;3,4", "", "4"},
              {"matmul", "5,2,3;3", "", "5,2"}, {"matmul", "3;3", "", "()"},
              {"matmul", "3,2;4,3", "transpose_a=1 transpose_b=1", "2,4"},
              {"matmul", "2,3;4,5", "", "!3 columns|4 rows"},
              {"matmul", "2,2,3;3,3,4", "", "!2 and 3"}, {"matmul", "();3,4", "", "!0 and 2"});
}
END_TEST

START_TEST(fully_connected_layers_flatten_or_keep)
{
    CHECK_ALL(NCHW, {"fully_connected", "1,1280;w1000,1280;w1000", "", "1,1000"},
              {"fully_connected", "1,1280;w1280,10;w1,10", "weight_layout=iohw", "1,10"},
              {"fully_connected", "8,3;w8,5", "weight_layout=iohw transpose_a=1", "3,5"},
              {"fully_connected", "8,3;w4,3;w8,1", "", "8,4"},
              {"fully_connected", "1,1280;w1000,1279", "", "!1280|1279"},
              {"fully_connected", "1,4;w3,4;w7", "", "!3 and 7"},
              {"fully_connected", "1,4;w3,4,1", "", "!3 dimensions|2 expected"});
    CHECK_ALL(NHWC, {"fully_connected", "1,7,7,8;w10,392", "keep_dims=0", "1,10"},
              {"fully_connected", "2,6,8;w10,8", "keep_dims=0", "12,10"},
              {"fully_connected", "2,6,8;w10,8", "keep_dims=1", "2,6,10"},
              {"fully_connected", "2,6,8;w10,7", "keep_dims=0", "!96|7"});
}
END_TEST

/* ---- element by element ---- */

START_TEST(elementwise_operators_broadcast)
{
    CHECK_ALL(NCHW, {"relu", "1,3,8,8", "", "1,3,8,8"}, {"hard_swish", "?", "", "?"},
              {"clip", "1,3;-;g6", "", "1,3"}, {"cast", "4", "", "4"},
              {"identity", "1,5", "", "1,5;1,5"}, {"quantize", "1,5", "", "1,5"},
              {"quantize", "1,5", "", "1,5;();()"}, /* DynamicQuantizeLinear */
              {"dequantize", "1,5", "", "1,5"}, {"cum_sum", "1,5;s1", "", "1,5"},
              {"scatter", "4,5;u1;w1", "", "4,5"},
              {"instance_norm", "1,5,4,4;w5;w5", "", "1,5,4,4"},
              {"add", "1,8,4,4;8,1,1", "", "1,8,4,4"}, {"add", "2,1;1,3;4,1,1", "", "4,2,3"},
              {"mul", "();2,3", "", "2,3"}, {"sub", "0;1", "", "0"}, {"max", "3,4", "", "3,4"},
              {"div", "1,8;1,7", "", "!8 and 7"}, {"compare", "2,3;3", "", "2,3"},
              {"where", "2,1;1,3;()", "", "2,3"}, {"where", "2;3;()", "", "!2 and 3"},
              {"add", "?;2,3", "", "?"}, {"add", "", "", "!input 0 is missing"});
}
END_TEST

START_TEST(normalisations_check_their_channels)
{
    CHECK_ALL(NCHW, {"batch_norm", "1,8,4,4;w8;w8;w8;w8", "", "1,8,4,4"},
              {"batch_norm", "1,8,4,4;w8;w8;w8;w4", "", "!4 values|8 channels"},
              {"prelu", "1,8,4,4;w8,1,1", "", "1,8,4,4"}, {"prelu", "1,8,4,4;w8", "", "1,8,4,4"},
              {"prelu", "1,8,4,4;w7,1,1", "", "!8 and 7"}, {"prelu", "8;w2,8", "", "!16|8"},
              {"softmax", "1,8", "axis=-1", "1,8"}, {"softmax", "1,8", "axis=2", "!axis 2|2 dim"},
              {"layer_norm", "1,4,8;w8;w8", "axis=-1", "1,4,8;1,4,1;1,4,1"});
    CHECK_ALL(NHWC, {"batch_norm", "1,4,4,8;w8;w8;w8;w8", "", "1,4,4,8"},
              {"prelu", "1,4,4,8;w1,1,8", "", "1,4,4,8"});
}
END_TEST

START_TEST(reductions_drop_or_keep_their_axes)
{
    CHECK_ALL(
        NCHW, {"reduce", "2,3,4,5", "ints=2,3", "2,3,1,1"},
        {"reduce", "2,3,4,5;i-1,1", "keep_dims=0", "2,4"}, {"reduce", "2,3", "", "1,1"},
        {"reduce", "2,3", "keep_dims=0", "()"}, {"reduce", "2,3", "noop_empty=1", "2,3"},
        {"reduce", "2,3;u1", "", "?"}, {"reduce", "2,3", "ints=2", "!axis 2|2 dim"},
        {"arg_max", "2,3,4", "axis=1", "2,1,4"}, {"arg_max", "2,3,4;s-1", "keep_dims=0", "2,3"},
        {"arg_max", "2,3,4", "axis=3", "!axis 3|3 dim"}, {"top_k", "2,10;i4", "axis=-1", "2,4;2,4"},
        {"top_k", "2,10", "ints=3 axis=1", "2,3;2,3"}, {"top_k", "2,10;u1", "axis=1", "?;?"},
        {"top_k", "2,10;i11", "axis=1", "!top 11|of 10"});
}
END_TEST

/* ---- space, channels, batch ---- */

/* Scales: floor of the float32 product; 5 * 2.6 is 13 in float32 and 12.99.. in exact numbers of
 * the float32 scale (2.5999999046), so ONNX Runtime gives 13. */
START_TEST(resizes_take_scales_or_sizes)
{
    CHECK_ALL(NCHW, {"resize", "1,3,8,9;f1,1,2,2", "", "1,3,16,18"},
              {"resize", "1,3,5,5;f1,1,2.6,0.5", "", "1,3,13,2"},
              {"resize", "1,3,8,9", "floats=1,1,2,3", "1,3,16,27"},
              {"resize", "1,3,8,9;i1,3,20,21", "resize_form=sizes", "1,3,20,21"},
              {"resize", "1,3,8,9;i20,21", "resize_form=size_hw", "1,3,20,21"},
              {"resize", "1,3,8,9;u4", "resize_form=sizes", "?"}, {"resize", "1,3,8,9", "", "?"},
              {"resize", "1,3,8,9;f2,2", "", "!2 scales|4 dim"},
              {"resize", "1,3,8,9;f1,1,0,1", "", "!size 8|by 0"},
              {"resize", "1,3,8,9;f1,1,1e30,1", "", "!size 8|1e+30"},
              {"resize", "1,3,8,9;i1,3,20", "resize_form=sizes", "!3 sizes|4 expected"},
              {"resize", "1,3,8,9;i1,3,-20,2", "resize_form=sizes", "!-20"});
    CHECK_ALL(NHWC, {"resize", "1,8,9,3;i16,18", "resize_form=size_hw", "1,16,18,3"},
              {"resize", "1,8,9,3", "resize_form=size_hw ints=4,5", "1,4,5,3"});
}
END_TEST

START_TEST(space_moves_into_channels_and_batch)
{
    CHECK_ALL(NCHW, {"depth_to_space", "1,12,4,5", "block=2", "1,3,8,10"},
              {"depth_to_space", "1,10,4,5", "block=2", "!10|4"},
              {"space_to_depth", "1,3,8,10", "block=2", "1,12,4,5"},
              {"space_to_depth", "1,3,8,9", "block=2", "!9|2"},
              {"space_to_depth", "1,3,8,9", "block=0", "!8|0"},
              {"channel_shuffle", "1,12,4,4", "groups=3", "1,12,4,4"},
              {"channel_shuffle", "1,12,4,4", "groups=5", "!12|5"});
    CHECK_ALL(NHWC, {"depth_to_space", "1,4,5,12", "block=2", "1,8,10,3"},
              {"space_to_depth", "1,8,10,3", "block=2", "1,4,5,12"},
              /* (7 + 1)/2, (10 + 2)/3, batch 2*3 */
              {"space_to_batch", "1,7,10,3;i2,3;i0,1,1,1", "", "6,4,4,3"},
              {"space_to_batch", "1,7,10,3;i2,3;i0,0,1,1", "", "!7|2"},
              {"batch_to_space", "6,4,4,3;i2,3;i0,1,1,1", "", "1,7,10,3"},
              {"batch_to_space", "5,4,4,3;i2,3;i0,1,1,1", "", "!5|2"},
              {"batch_to_space", "6,4,4,3;u2;i0,1,1,1", "", "?"});
}
END_TEST

START_TEST(pads_and_tiles_change_every_axis_told)
{
    CHECK_ALL(NCHW, {"pad", "1,3,4,4;i0,0,1,2,0,0,3,4", "", "1,3,8,10"},
              {"pad", "1,3,4,4", "ints=0,0,1,1,0,0,-2,1", "1,3,3,6"},
              {"pad", "1,4,4,3;i0,0,1,2,3,4,0,0", "pads_paired=1", "1,7,11,3"},
              {"pad", "1,3,4,4;i1,2,3,4;-;i2,-1", "", "1,3,8,10"}, {"pad", "1,3;u4", "", "?"},
              {"pad", "1,3;i1,1", "", "!2 paddings|2 axes"}, {"pad", "1,3;i0,-4,0,0", "", "!-1"},
              {"tile", "2,3;i2,1", "", "4,3"}, {"tile", "2,3;i2", "", "!1 repeats|2 dim"},
              {"tile", "2,3;u2", "", "?"}, {"tile", "2,3;i0,1", "", "0,3"});
}
END_TEST

/* ---- joining, parting, gathering ---- */

START_TEST(joins_and_splits_add_up)
{
    CHECK_ALL(NCHW, {"concat", "1,3,4;1,5,4", "axis=1", "1,8,4"},
              {"concat", "1,3,4;1,5,4;1,1,4", "axis=-2", "1,9,4"},
              {"concat", "0;1,5", "axis=1", "1,5"}, /* PyTorch's empty list */
              {"concat", "0;2", "axis=0", "2"}, {"concat", "1,3;1,4", "axis=0", "!axis 1|3 and 4"},
              {"concat", "1,3;1,4,5", "axis=0", "!3 dim|2"}, {"concat", "1,3;-", "", "!input 1"},
              {"concat", "1,3;1,4", "axis=2", "!axis 2|2 dim"}, {"concat", "?;1,4", "", "?"},
              {"stack", "2,3;2,3", "axis=0", "2,2,3"}, {"stack", "2,3;2,3;2,3", "axis=-1", "2,3,3"},
              {"stack", "2,3;2,4", "", "!3 and 4"}, {"unstack", "2,3", "axis=0", "3;3"},
              {"unstack", "2,3", "axis=1", "!3|1 outputs"}, {"split", "1,6", "axis=1", "1,3;1,3"},
              {"split", "1,7", "axis=1", "1,3;1,3;1,1"}, /* ceil(7/3), the rest last */
              {"split", "1,6;i2,4", "axis=1", "1,2;1,4"}, {"split", "6", "ints=1,-1,2", "1;3;2"},
              {"split", "6;u2", "", "?;?"}, {"split", "6;i2", "", "!up to 2|has 6"},
              {"split", "6;i2,4", "", "!2 sizes|1 outputs"});
}
END_TEST

START_TEST(gathers_take_the_shape_of_their_indices)
{
    CHECK_ALL(NCHW, {"gather", "5,4;u2,3", "axis=0", "2,3,4"}, {"gather", "5,4;s1", "axis=1", "5"},
              {"gather", "5;s5", "", "!index 5|size 5"}, {"gather", "5;i-5", "", "1"},
              {"gather", "5;i-6", "", "!index -6|size 5"},
              {"gather", "5;s0", "axis=1", "!axis 1|1 dim"},
              /* ONNX's GatherND examples 1 and 4, and with a batch axis example 5 */
              {"gather_nd", "2,2;u2,2", "", "2"}, {"gather_nd", "2,2,2;u2,1,2", "", "2,1,2"},
              {"gather_nd", "2,2,2;u2,1", "axis=1", "2,2"},
              {"gather_nd", "2,2;u2,3", "", "!3 numbers|2 dim"},
              {"gather_elements", "3,3;u2,3", "axis=0", "2,3"},
              {"gather_elements", "3,3;u2", "axis=0", "!2 dim|1"},
              {"one_hot", "2,3;s10;f0,1", "axis=-1", "2,3,10"},
              {"one_hot", "2,3;s10;f0,1", "axis=1", "2,10,3"}, {"one_hot", "2,3;u1;f0,1", "", "?"});
}
END_TEST

/* ---- slices ---- */

/* NumPy: len(range(n)[start:end:step]). INT64_MAX as "to the end" is what exporters write; 1e18
 * stands for it here. */
START_TEST(slices_clamp_as_onnx_says)
{
    CHECK_ALL(NCHW, {"slice", "10;i2;i8", "", "6"}, {"slice", "10;i2;i1e18", "", "8"},
              {"slice", "10;i-3;i1e18", "", "3"}, {"slice", "10;i0;i-1", "", "9"},
              {"slice", "10;i0;i10;i0;i3", "", "4"}, {"slice", "10;i-1;i-1e18;i0;i-1", "", "10"},
              {"slice", "10;i8;i2;i0;i-2", "", "3"}, {"slice", "10;i8;i2", "", "0"},
              {"slice", "10;i100;i200", "", "0"}, {"slice", "2,3,4;i1;i1e18;i-1", "", "2,3,3"},
              {"slice", "2,3,4;i0,1;i1,3", "", "1,2,4"},
              {"slice", "2,3,4", "ints=1,0,4,2,2,0 n_axes=2", "2,3,3"},
              {"slice", "2,3,4", "ints=1,0,2,2,1,2 n_axes=2", "2,1,2"},
              {"slice", "4;i0;u1", "", "?"}, {"slice", "4;i0;i2;i0;u1", "", "?"},
              {"slice", "0;i0;i9", "", "0"}, {"slice", "10;i0;i4;i0;i0", "", "!step|size 10"},
              {"slice", "10;i0,1;i4", "", "!2 starts|1 ends"},
              {"slice", "10;i0;i4;i1", "", "!axis 1|1 dim"},
              {"slice", "10,4;i0,0;i4,4;i0,0", "", "!axis 0|2 starts"});
}
END_TEST

START_TEST(sized_and_strided_slices_follow_tensorflow)
{
    CHECK_ALL(NHWC, {"slice_size", "4,5;i1,0;i2,-1", "", "2,5"},
              {"slice_size", "4,5;u2;i2,-1", "", "?"},
              {"slice_size", "4,5;i3,0;i2,5", "", "!2 elements from 3|size 4"},
              {"slice_size", "4,5;i3;i1", "", "!1 begins|2 dim"},
              {"strided_slice", "4,5;i1,0;i3,5;i1,2", "", "2,3"},
              /* x[:, 2, ...]: both masks on axis 0, a shrunk axis 1, an ellipsis */
              {"strided_slice", "4,5,6,7;i0,2,0;i0,3,0;i1,1,1",
               "begin_mask=1 end_mask=1 shrink_mask=2 ellipsis_mask=4", "4,6,7"},
              /* x[..., newaxis, 0] */
              {"strided_slice", "4,5;i0,0,0;i0,0,1;i1,1,1",
               "ellipsis_mask=1 new_axis_mask=2 shrink_mask=4", "4,1"},
              {"strided_slice", "4,5;i-1;i0;i1", "shrink_mask=1", "5"},
              {"strided_slice", "6;i0;i0;i-1", "begin_mask=1 end_mask=1", "6"},
              {"strided_slice", "4;i-9;i9;i1", "", "4"},
              {"strided_slice", "4;i4;i5;i1", "shrink_mask=1", "!index 4|size 4"},
              {"strided_slice", "4;i0,0;i1,1;i1,1", "", "!2 indices|1 dim"},
              {"strided_slice", "4;i0;i1;i1,1", "", "!1 begins|2 strides"},
              {"strided_slice", "4;i0;u1;i1", "", "?"});
}
END_TEST

/* ---- the same elements in another shape ---- */

START_TEST(reshapes_keep_their_elements)
{
    CHECK_ALL(NCHW, {"reshape", "2,3,4;i6,4", "", "6,4"}, {"reshape", "2,3,4;i0,-1", "", "2,12"},
              {"reshape", "2,3,4", "ints=-1", "24"}, {"reshape", "1,1", "ints=", "()"},
              {"reshape", "0,3;i3,0", "allow_zero=1", "3,0"}, {"reshape", "0,3;i3,-1", "", "3,0"},
              {"reshape", "2,3;u2", "", "?"}, {"reshape", "2,3;i4,2", "", "!6 elements|8"},
              {"reshape", "2,3;i-1,4", "", "!6 elements|4"}, {"reshape", "2,3;i-2,3", "", "!-2"},
              {"reshape", "2,3;i-1,-1", "", "!-1"}, {"reshape", "2;i2,0", "", "!axis 1|1 dim"},
              {"reshape", "2,3;i1,1,1,1,1,1,1,1,6", "", "!9 dim|8"},
              {"reshape", "2,3;i4294967296,4294967296", "", "!6 elements"},
              {"flatten", "2,3,4", "axis=1", "2,12"}, {"flatten", "2,3,4", "axis=0", "1,24"},
              {"flatten", "2,3,4", "axis=-1", "6,4"}, {"flatten", "2,3,4", "axis=3", "24,1"},
              {"flatten", "2,3,4", "axis=4", "!axis 4|3 dim"}, {"squeeze", "1,3,1", "", "3"},
              {"squeeze", "1,3,1;i-1", "", "1,3"}, {"squeeze", "1,3,1", "ints=1", "!axis 1|size 3"},
              {"squeeze", "1,3;u1", "", "?"}, {"unsqueeze", "3,4;i0,-1", "", "1,3,4,1"},
              {"unsqueeze", "3;u1", "", "?"}, {"unsqueeze", "()", "ints=0", "1"},
              {"unsqueeze", "3", "ints=0,0", "!axis 0|2 axes"}, {"transpose", "2,3,4", "", "4,3,2"},
              {"transpose", "2,3,4;i0,2,1", "", "2,4,3"},
              {"transpose", "2,3,4", "ints=1,0", "!2 axes|3"},
              {"transpose", "2,3", "ints=1,1", "!axis 1|2"}, {"transpose", "2,3;u2", "", "?"},
              {"expand", "3,1;i2,1,6", "", "2,3,6"}, {"expand", "3,1;i1,1", "", "3,1"},
              {"expand", "3;i2", "", "!2 and 3"}, {"expand", "3;u1", "", "?"});
}
END_TEST

START_TEST(shapes_are_made_from_parameters)
{
    CHECK_ALL(NCHW, {"shape", "2,3,4", "", "3"}, {"shape", "2,3,4", "ints=1", "2"},
              {"shape", "2,3,4", "ints=-2,-1", "1"}, {"shape", "()", "", "0"},
              {"size", "2,3", "", "()"}, {"range", "s2;s11;s3", "", "3"}, /* 2, 5, 8 */
              {"range", "s10;s4;s-2", "", "3"}, {"range", "s1;s1;s1", "", "0"},
              {"range", "g0;g1;g0.25", "", "4"}, {"range", "s1;u1;s1", "", "?"},
              {"range", "s1;s2;s0", "", "!1 to 2|steps of 0"},
              {"constant_of_shape", "i2,3", "", "2,3"}, {"constant_of_shape", "u2", "", "?"},
              {"constant_of_shape", "i2,-3", "", "!-3"},
              {"constant_of_shape", "i65536,65536,65536", "", "!too large"},
              {"constant_of_shape", "i4294967296", "", "!size"}, {"opaque", "1,2", "", "?"});
}
END_TEST

/* ---- hints and types ---- */

START_TEST(stored_shapes_help_only_where_nothing_can_be_inferred)
{
    static const struct {
        const char *op, *inputs, *stored, *expected;
    } cases[] = {{"relu", "?", "1,7", "1,7"},
                 {"relu", "1,3", "1,7", "1,3"}, /* a placeholder of a converted dynamic model */
                 {"reshape", "2,3;u2", "3,2", "3,2"},
                 {"reshape", "i1,2;u2", "2,1", "2,1"},
                 {"expand", "i1,2;u2", "2,2", "2,2"},
                 {"tile", "i1,2;u1", "3", "3"},
                 {"slice", "i1,2;u1;u1", "1", "1"},
                 {"split", "i1,2;u1", "2", "2"},
                 {"reduce", "i1,2;u1", "1", "1"},
                 {"reshape", "2,3;u2", "-1,2", "?"},
                 {"opaque", "2,3", "9,9", "9,9"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nw_graph *graph = build(NCHW, &(test_case){cases[i].op, cases[i].inputs, "", ""}, 1);
        nw_tensor *out = &graph->tensors[graph->outputs[0]];
        const char *text = cases[i].stored;
        char shape[64];
        nw_error err;
        read_shape(&text, &out->stored_shape);
        out->shape = out->stored_shape;
        ck_assert_int_eq(nw_graph_seal(graph, NULL, 0, &err), NW_OK);
        print_shape(&out->shape, shape, sizeof shape);
        ck_assert_str_eq(shape, cases[i].expected);
        ck_assert_msg(!out->ints, "%s: a claimed shape makes no value", cases[i].op);
        nw_graph_free(graph);
    }
}
END_TEST

/* ONNX's operator list: the type constraints of each. */
START_TEST(open_types_follow_the_operator)
{
    static const struct {
        const char *op, *inputs, *attrs;
        nw_dtype expected;
    } cases[] = {{"relu", "1,3", "", NW_DTYPE_FLOAT32},
                 {"shape", "1,3", "", NW_DTYPE_INT64},
                 {"size", "1,3", "", NW_DTYPE_INT64},
                 {"arg_max", "1,3", "", NW_DTYPE_INT64},
                 {"compare", "1;1", "", NW_DTYPE_BOOL},
                 {"where", "b1;i1;i2", "", NW_DTYPE_INT64},
                 {"gather", "4;s1", "", NW_DTYPE_FLOAT32},
                 {"one_hot", "u3;s4;f0,1", "", NW_DTYPE_FLOAT32},
                 {"constant_of_shape", "i2", "", NW_DTYPE_FLOAT32},
                 {"constant_of_shape", "i2", "ints=1", NW_DTYPE_INT64},
                 {"quantize", "1,3", "", NW_DTYPE_UINT8},
                 {"dequantize", "u3", "", NW_DTYPE_FLOAT32},
                 {"cast", "1,3", "", NW_DTYPE_UNKNOWN}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nw_error err;
        test_case test = {cases[i].op, cases[i].inputs, cases[i].attrs, ""};
        nw_graph *graph = build(NCHW, &test, 1);
        ck_assert_int_eq(nw_graph_seal(graph, NULL, 0, &err), NW_OK);
        ck_assert_msg(graph->tensors[graph->outputs[0]].dtype == cases[i].expected, "%s: %s",
                      cases[i].op, nw_dtype_name(graph->tensors[graph->outputs[0]].dtype));
        nw_graph_free(graph);
    }
}
END_TEST

START_TEST(absurd_sizes_are_refused_without_overflow)
{
    CHECK_ALL(NCHW, {"matmul", "1048576,2;2,1048577", "", "!output 0 is too large"},
              {"concat", "2147483648;2147483648", "", "!axis 0"},
              {"tile", "2147483648;i9e18", "", "!axis 0"}, {"pad", "4;i9e18,9e18", "", "!axis 0"},
              {"pad", "4;i-9e18,-9e18", "", "!axis 0"}, {"expand", "1;i9e18", "", "!axis 0"},
              {"conv2d", "1,1,8,8;w1,1,2097152,1", "", "!2097152|1048576"},
              {"conv2d", "1,1,8,8;w1,1,3,3", "dilation=2147483647", "!dilation is 2147483647"},
              {"depth_to_space", "1,0,2147483648,1", "block=2147483647", "!axis 2"},
              {"stack", "1,1,1,1,1,1,1,1;1,1,1,1,1,1,1,1", "", "!9 dim|8"});
}
END_TEST

/* ---- values ---- */

START_TEST(shape_arithmetic_is_folded)
{
    CHECK_ALL(
        NCHW, {"shape", "2,3,4", "", "=2,3,4"}, {"shape", "2,3,4", "ints=1,2", "=3"},
        {"shape", "?", "", "=?"}, {"size", "2,3,4", "", "=24"}, {"identity", "i4,5", "", "=4,5"},
        {"gather", "i7,8,9;s-1", "", "=9"}, {"gather", "m1,2,3,4;i1,0", "axis=1", "=2,1,4,3"},
        {"gather", "m1,2,3,4;i1", "axis=0", "=3,4"}, {"gather", "i7,8;u1", "", "=?"},
        {"slice", "i1,2,3,4,5;i1;i4", "", "=2,3,4"},
        {"slice", "i1,2,3,4,5;i-1;i-1e18;i0;i-2", "", "=5,3,1"},
        {"slice_size", "m1,2,3,4;i0,1;i2,1", "", "=2,4"},
        {"strided_slice", "i7,8,9;i1;i2;i1", "shrink_mask=1", "=8"},
        {"strided_slice", "m1,2,3,4;i0,1;i0,2;i1,1", "begin_mask=1 end_mask=1 shrink_mask=2",
         "=2,4"},
        {"concat", "i1,2;i3;i4", "axis=0", "=1,2,3,4"},
        {"concat", "m1,2,3,4;m5,6,7,8", "axis=1", "=1,2,5,6,3,4,7,8"},
        {"concat", "i1,2;u1", "axis=0", "=?"}, {"stack", "s1;s2;s3", "axis=0", "=1,2,3"},
        {"stack", "i1,2;i3,4", "axis=1", "=1,3,2,4"}, {"unstack", "i5", "axis=0", "=5"},
        {"split", "m1,2,3,4", "axis=0", "=1,2,3,4"}, {"squeeze", "i5", "", "=5"},
        {"unsqueeze", "s5", "ints=0", "=5"}, {"reshape", "i1,2,3,4;i2,2", "", "=1,2,3,4"},
        {"flatten", "i1,2", "axis=0", "=1,2"}, {"transpose", "m1,2,3,4", "", "=1,3,2,4"},
        {"expand", "i1,2;i2,2", "", "=1,2,1,2"}, {"expand", "s7;i3", "", "=7,7,7"},
        {"tile", "i1,2;i2", "", "=1,2,1,2"}, {"tile", "m1,2,3,4;i1,2", "", "=1,2,1,2,3,4,3,4"},
        {"where", "b1,0;i1,2;i3,4", "", "=1,4"}, {"where", "b1,0;s5;i3,4", "", "=5,4"},
        {"constant_of_shape", "i3", "ints=-1", "=-1,-1,-1"},
        {"constant_of_shape", "i2", "", "=0,0"},
        {"constant_of_shape", "i2", "floats=0.5", "=0.5,0.5"}, {"range", "s2;s11;s3", "", "=2,5,8"},
        {"range", "g0;g1;g0.25", "", "=0,0.25,0.5,0.75"}, {"relu", "i1", "", "=?"});
}
END_TEST

/* C and NumPy on the same numbers. Formats differ in quotients and rests of mixed signs. */
START_TEST(arithmetic_on_values_neither_overflows_nor_guesses)
{
    CHECK_ALL(
        NCHW, {"add", "i1,2;s10", "", "=11,12"}, {"add", "s1;s2;s3", "", "=6"},
        {"add", "m1,2,3,4;i10,20", "", "=11,22,13,24"}, {"sub", "i5;i7", "", "=-2"},
        {"mul", "i3;i4", "", "=12"}, {"div", "i7,-6;i2", "", "=3,-3"}, {"div", "i7;i0", "", "=?"},
        {"mod", "i7,-6;i3", "", "=1,0"}, {"mod", "i-7;i-3", "", "=-1"}, {"mod", "i-7;i3", "", "=?"},
        {"div", "i7;i-3", "", "=?"}, {"mod", "i7;i0", "", "=?"},
        {"pow", "i2,3;i10", "", "=1024,59049"}, {"pow", "i2;i-1", "", "=?"},
        {"min", "i1,5;i3", "", "=1,3"}, {"max", "i1,5;i3;i4", "", "=4,5"},
        /* 2^62 + 2^62 = 2^63, which wraps to -2^63; its negation and quotient by -1 too */
        {"add", "i4611686018427387904;i4611686018427387904", "", "=-9223372036854775808"},
        {"div", "i-9223372036854775808;i-1", "", "=-9223372036854775808"},
        {"mod", "i-9223372036854775808;i-1", "", "=0"},
        {"unary", "i-9223372036854775808", "unary=2", "=-9223372036854775808"},
        {"div", "g1;g3", "", "=0.3333333432674407959"}, /* the float32 nearest to 1/3 */
        {"div", "g1;g0", "", "=?"}, {"add", "g1;i1", "", "=?"}, {"mod", "g-7;g3", "", "=?"},
        {"mod", "g7;g4", "", "=3"}, {"min", "g1;g2", "", "=1"},
        {"pow", "g2;g0.5", "", "=1.41421353816986083984"}, /* sqrt(2) as float32 */
        {"unary", "i-3", "unary=1", "=3"}, {"unary", "b1,0", "unary=10", "=0,1"},
        {"unary", "f-1.5,2.5", "unary=3", "=-2,2"}, {"unary", "f-1.5,2.5", "unary=4", "=-1,3"},
        {"unary", "f1.5,2.5", "unary=5", "=2,2"}, {"unary", "g9", "unary=6", "=3"},
        {"unary", "g4", "unary=9", "=0.25"}, {"unary", "g0", "unary=9", "=?"},
        {"unary", "g4", "unary=14", "=0.5"}, {"unary", "g1", "unary=0", "=?"});
}
END_TEST

START_TEST(comparisons_and_reductions_are_folded)
{
    CHECK_ALL(NCHW, {"compare", "i1,2,3;i2", "compare=0", "=0,1,0"},
              {"compare", "i1,2,3;i2", "compare=1", "=1,0,1"},
              {"compare", "i1,2,3;i2", "compare=2", "=1,0,0"},
              {"compare", "i1,2,3;i2", "compare=3", "=1,1,0"},
              {"compare", "f1,2,3;f2", "compare=4", "=0,0,1"},
              {"compare", "f1,2,3;f2", "compare=5", "=0,1,1"},
              {"compare", "b1,1,0;b1,0,0", "compare=6", "=1,0,0"},
              {"compare", "b1,1,0;b1,0,0", "compare=7", "=1,1,0"},
              {"compare", "b1,1,0;b1,0,0", "compare=8", "=0,1,0"},
              {"compare", "fnan;fnan", "compare=0", "=0"},
              {"compare", "fnan;fnan", "compare=1", "=1"},
              {"reduce", "m1,2,3,4", "reduce=sum ints=0", "=4,6"},
              {"reduce", "m1,2,3,4", "reduce=sum ints=1 keep_dims=0", "=3,7"},
              {"reduce", "m1,2,3,4", "reduce=prod", "=24"},
              {"reduce", "i3,9,5", "reduce=max", "=9"}, {"reduce", "i3,9,5", "reduce=min", "=3"},
              {"reduce", "f1,2", "ints=0", "=1.5"}, {"reduce", "i1,2", "reduce=5", "=?"});
}
END_TEST

/* C's own conversions where they are defined; where they are not, no value. */
START_TEST(casts_cut_wrap_or_leave_unknown)
{
    CHECK_ALL(
        NCHW, {"cast", "f1.9,-1.9", "type=int64", "=1,-1"}, {"cast", "f3e9", "type=int32", "=?"},
        {"cast", "f1e30", "type=int64", "=?"}, {"cast", "fnan", "type=int64", "=?"},
        {"cast", "i300", "type=uint8", "=44"}, {"cast", "i200", "type=int8", "=-56"},
        {"cast", "i16777217", "type=float32", "=16777216"},
        {"cast", "i16777217", "type=float64", "=16777217"},
        {"cast", "i2049", "type=float16", "=2048"}, /* 11 bits, a half goes to even */
        {"cast", "i0,7", "type=bool", "=0,1"}, {"cast", "f0.5", "type=bool", "=1"},
        {"cast", "f0.1", "type=float64", "=0.10000000149011611938"}, {"cast", "i1", "", "=?"});
}
END_TEST

/* Bit patterns from IEEE 754 (1.5 is sign 0, exponent bias, fraction 1000...), two's complement. */
START_TEST(small_constants_of_every_type_are_read)
{
    static const struct {
        nw_dtype dtype;
        int n;
        uint8_t bytes[16];
        size_t n_bytes;
        double expected[3];
    } cases[] = {
        {NW_DTYPE_FLOAT32, 2, {0, 0, 0xC0, 0x3F, 0, 0, 0x80, 0xFF}, 8, {1.5, -INFINITY}},
        {NW_DTYPE_FLOAT16, 3, {0x00, 0x3E, 0x01, 0x00, 0x00, 0xFC}, 6, {1.5, 0x1p-24, -INFINITY}},
        {NW_DTYPE_BFLOAT16, 2, {0xC0, 0x3F, 0x00, 0xC0}, 4, {1.5, -2}},
        {NW_DTYPE_FLOAT64, 1, {0, 0, 0, 0, 0, 0, 0xF8, 0x3F}, 8, {1.5}},
        {NW_DTYPE_INT4, 3, {0x8F, 0x07}, 2, {-1, -8, 7}},
        {NW_DTYPE_UINT4, 3, {0x8F, 0x07}, 2, {15, 8, 7}},
        {NW_DTYPE_INT8, 2, {0xFF, 0x7F}, 2, {-1, 127}},
        {NW_DTYPE_UINT8, 2, {0xFF, 0x7F}, 2, {255, 127}},
        {NW_DTYPE_INT16, 1, {0xFE, 0xFF}, 2, {-2}},
        {NW_DTYPE_UINT16, 1, {0xFE, 0xFF}, 2, {65534}},
        {NW_DTYPE_INT32, 1, {0, 0, 0, 0x80}, 4, {-2147483648.0}},
        {NW_DTYPE_UINT32, 1, {0, 0, 0, 0x80}, 4, {2147483648.0}},
        {NW_DTYPE_INT64, 1, {0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, 8, {-2}},
        {NW_DTYPE_BOOL, 2, {1, 0}, 2, {1, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int is_short = 0; is_short < 2; is_short++) {
            nw_graph *graph = nw_graph_new("test", NCHW);
            nw_shape shape = {.rank = 1, .dims = {cases[i].n}};
            nw_tensor_id id = nw_graph_add_tensor(graph, "constant", cases[i].dtype, &shape);
            nw_error err;
            nw_graph_set_data(graph, id, cases[i].bytes, cases[i].n_bytes - (size_t)is_short, 0);
            nw_graph_add_node(graph, NW_OP_CONSTANT, "c", "Constant", NULL, 0, &id, 1);
            nw_graph_add_output(graph, id);
            ck_assert_int_eq(nw_graph_seal(graph, NULL, 0, &err), NW_OK);
            const nw_tensor *tensor = &graph->tensors[id];
            ck_assert_int_eq(tensor->ints != NULL || tensor->floats != NULL, !is_short);
            ck_assert_int_eq(tensor->floats != NULL,
                             nw_dtype_is_float(cases[i].dtype) && !is_short);
            for (int k = 0; k < cases[i].n && !is_short; k++)
                ck_assert_double_eq(tensor->ints ? (double)tensor->ints[k] : tensor->floats[k],
                                    cases[i].expected[k]);
            nw_graph_free(graph);
        }
}
END_TEST

/* The network means scale * (stored - zero point) or an activation on top: not the stored sum. */
START_TEST(quantised_or_activated_arithmetic_is_not_folded)
{
    for (int i = 0; i < 4; i++) {
        nw_error err;
        nw_graph *graph = build(NHWC, &(test_case){"add", "i1,2;i3,4", "", ""}, 1);
        if (i == 1)
            graph->tensors[graph->nodes[0].inputs[1]].quant =
                (nw_quant){.n_channels = 1, .scale = 0.5};
        if (i == 2)
            graph->nodes[0].act = NW_ACT_RELU6;
        if (i == 3)
            graph->nodes[0].file_type = "Mean";
        ck_assert_int_eq(nw_graph_seal(graph, NULL, 0, &err), NW_OK);
        ck_assert_int_eq(graph->tensors[graph->outputs[0]].ints != NULL, i == 0);
        nw_graph_free(graph);
    }
}
END_TEST

/* 2000 results of 65536 elements would take a gigabyte; shapes must still be folded behind them. */
START_TEST(folding_stops_before_it_fills_the_memory)
{
    nw_graph *graph = nw_graph_new("test", NCHW);
    const int64_t sizes[] = {256, 256};
    nw_tensor_id shape = nw_graph_add_ints(graph, "sizes", sizes, 2), last = NW_NONE;
    int64_t n_folded = 0;
    nw_error err;
    for (int i = 0; i < 2000; i++) {
        last = nw_graph_add_tensor(graph, "large", NW_DTYPE_UNKNOWN, NULL);
        nw_graph_add_node(graph, NW_OP_CONSTANT_OF_SHAPE, "", "ConstantOfShape", &shape, 1, &last,
                          1);
    }
    nw_tensor_id out = nw_graph_add_tensor(graph, "out", NW_DTYPE_UNKNOWN, NULL);
    nw_graph_add_node(graph, NW_OP_SHAPE, "", "Shape", &last, 1, &out, 1);
    nw_graph_add_output(graph, out);
    ck_assert_int_eq(nw_graph_seal(graph, NULL, 0, &err), NW_OK);
    for (int i = 0; i < graph->n_tensors; i++)
        n_folded += graph->tensors[i].floats ? nw_shape_elements(&graph->tensors[i].shape) : 0;
    ck_assert_int_gt(n_folded, 0);
    ck_assert_int_lt(n_folded, 16 << 20);
    ck_assert_ptr_nonnull(graph->tensors[out].ints);
    ck_assert_int_eq(graph->tensors[out].ints[1], 256);
    nw_graph_free(graph);
}
END_TEST

/* Four fills of 1.5 of growing length, as floats and cast to int8 (1); their memory is shared. */
START_TEST(tensors_full_of_one_number_have_it_everywhere)
{
    enum { N = 4, FIRST = 500 };
    nw_graph *graph = nw_graph_new("test", NCHW);
    nw_tensor_id fills[N], casts[N];
    nw_error err;
    for (int i = 0; i < N; i++) {
        nw_tensor_id size = nw_graph_add_ints(graph, "size", &(int64_t){FIRST << i}, 1);
        fills[i] = nw_graph_add_tensor(graph, "full", NW_DTYPE_FLOAT32, NULL);
        casts[i] = nw_graph_add_tensor(graph, "cast", NW_DTYPE_INT8, NULL);
        nw_node *node = nw_graph_add_node(graph, NW_OP_CONSTANT_OF_SHAPE, "", "ConstantOfShape",
                                          &size, 1, &fills[i], 1);
        float *value = nw_graph_alloc(graph, sizeof *value);
        *value = 1.5f;
        node->attrs.floats = value;
        node->attrs.n_floats = 1;
        nw_graph_add_node(graph, NW_OP_CAST, "", "Cast", &fills[i], 1, &casts[i], 1);
        nw_graph_add_output(graph, casts[i]);
    }
    ck_assert_int_eq(nw_graph_seal(graph, NULL, 0, &err), NW_OK);
    for (int i = 0; i < N; i++) {
        const nw_tensor *full = &graph->tensors[fills[i]], *cast = &graph->tensors[casts[i]];
        ck_assert_int_eq(nw_shape_elements(&full->shape), FIRST << i);
        for (int k = 0; k < FIRST << i; k++)
            ck_assert(full->floats[k] == 1.5 && cast->ints[k] == 1);
    }
    nw_graph_free(graph);
}
END_TEST

/* The usual export of a flatten: reshape(x, concat(gather(shape(x), 0), -1)). */
START_TEST(a_computed_reshape_target_is_known)
{
    nw_graph *graph = nw_graph_new("test", NCHW);
    nw_shape shape = {.rank = 4, .dims = {NW_DIM_FREE, 8, 7, 7}};
    nw_tensor_id x = add_input(graph, NW_DTYPE_FLOAT32, &shape), t[5];
    nw_tensor_id zero = nw_graph_add_ints(graph, "zero", &(int64_t){0}, 1);
    nw_tensor_id rest = nw_graph_add_ints(graph, "rest", &(int64_t){-1}, 1);
    nw_error err;
    for (int i = 0; i < 4; i++)
        t[i] = nw_graph_add_tensor(graph, "t", NW_DTYPE_UNKNOWN, NULL);
    nw_graph_add_node(graph, NW_OP_SHAPE, "", "Shape", &x, 1, &t[0], 1);
    nw_graph_add_node(graph, NW_OP_GATHER, "", "Gather", (nw_tensor_id[]){t[0], zero}, 2, &t[1], 1);
    nw_graph_add_node(graph, NW_OP_CONCAT, "", "Concat", (nw_tensor_id[]){t[1], rest}, 2, &t[2], 1);
    nw_graph_add_node(graph, NW_OP_RESHAPE, "", "Reshape", (nw_tensor_id[]){x, t[2]}, 2, &t[3], 1);
    nw_graph_add_output(graph, t[3]);
    ck_assert_int_eq(nw_graph_seal(graph, NULL, 0, &err), NW_OK);
    ck_assert_int_eq(graph->tensors[t[3]].shape.rank, 2);
    ck_assert_int_eq(graph->tensors[t[3]].shape.dims[0], 1);
    ck_assert_int_eq(graph->tensors[t[3]].shape.dims[1], 8 * 7 * 7);
    nw_graph_free(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("infer");
    TCase *tests = tcase_create("shapes");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, convolutions_follow_the_window_formula);
    tcase_add_test(tests, convolutions_that_do_not_fit_are_refused);
    tcase_add_test(tests, same_padding_is_resolved_and_so_are_kernels_and_groups);
    tcase_add_test(tests, transposed_convolutions_invert_the_window_formula);
    tcase_add_test(tests, pooling_rounds_as_told);
    tcase_add_test(tests, matrix_products_batch_as_numpy);
    tcase_add_test(tests, fully_connected_layers_flatten_or_keep);
    tcase_add_test(tests, elementwise_operators_broadcast);
    tcase_add_test(tests, normalisations_check_their_channels);
    tcase_add_test(tests, reductions_drop_or_keep_their_axes);
    tcase_add_test(tests, resizes_take_scales_or_sizes);
    tcase_add_test(tests, space_moves_into_channels_and_batch);
    tcase_add_test(tests, pads_and_tiles_change_every_axis_told);
    tcase_add_test(tests, joins_and_splits_add_up);
    tcase_add_test(tests, gathers_take_the_shape_of_their_indices);
    tcase_add_test(tests, slices_clamp_as_onnx_says);
    tcase_add_test(tests, sized_and_strided_slices_follow_tensorflow);
    tcase_add_test(tests, reshapes_keep_their_elements);
    tcase_add_test(tests, shapes_are_made_from_parameters);
    tcase_add_test(tests, stored_shapes_help_only_where_nothing_can_be_inferred);
    tcase_add_test(tests, open_types_follow_the_operator);
    tcase_add_test(tests, absurd_sizes_are_refused_without_overflow);
    tcase_add_test(tests, shape_arithmetic_is_folded);
    tcase_add_test(tests, arithmetic_on_values_neither_overflows_nor_guesses);
    tcase_add_test(tests, comparisons_and_reductions_are_folded);
    tcase_add_test(tests, casts_cut_wrap_or_leave_unknown);
    tcase_add_test(tests, small_constants_of_every_type_are_read);
    tcase_add_test(tests, quantised_or_activated_arithmetic_is_not_folded);
    tcase_add_test(tests, folding_stops_before_it_fills_the_memory);
    tcase_add_test(tests, tensors_full_of_one_number_have_it_everywhere);
    tcase_add_test(tests, a_computed_reshape_target_is_known);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
