/* ONNX written and read again: the graph that comes back is compared with the one that went in.
 * What the written models compute is checked by another runtime: make test-runtime. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_net.h"
#include "tests/support_onnx.h"

#define N_OF(list) ((int)(sizeof(list) / sizeof *(list)))

/* ---- there and back ---- */

static nw_graph *load(const char *model)
{
    char name[128];
    nw_graph *graph;
    nw_error err;
    snprintf(name, sizeof name, "models/%s", model);
    const char *path = shared_path(name);
    if (!path)
        return NULL;
    if (nw_model_load(path, NULL, 0, &graph, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return graph;
}

static nw_buf write_good(const nw_graph *graph, int bits)
{
    nw_buf out = {0};
    nw_error err;
    const nw_onnx_options options = {.bits = bits};
    if (nw_onnx_write(graph, &options, &out, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return out;
}

static nw_graph *read_bytes(const char *bytes, size_t n_bytes)
{
    nw_error err;
    nw_graph *graph;
    nw_file *file = nw_file_from_bytes("written.onnx", bytes, n_bytes);
    if (nw_onnx_read(file, &graph, &err) != NW_OK || nw_graph_seal(graph, NULL, 0, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_file_release(file);
    return graph;
}

static nw_graph *write_and_read(const nw_graph *graph, int bits)
{
    nw_buf out = write_good(graph, bits);
    nw_graph *again = read_bytes(out.text, out.length);
    nw_buf_fini(&out);
    return again;
}

/* Releases the graph. */
static nw_graph *read_model(nw_buf *graph, int opset)
{
    nw_buf model = onnx_model(graph, opset);
    nw_graph *read = read_bytes(model.text, model.length);
    nw_buf_fini(&model);
    return read;
}

static const nw_tensor *find(const nw_graph *graph, const char *name)
{
    for (int i = 0; i < graph->n_tensors; i++)
        if (strcmp(graph->tensors[i].name, name) == 0)
            return &graph->tensors[i];
    ck_abort_msg("there is no tensor %s", name);
}

static const nw_node *find_op(const nw_graph *graph, nw_op op)
{
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].op == op)
            return &graph->nodes[i];
    ck_abort_msg("there is no %s", nw_op_name(op));
}

static int count_op(const nw_graph *graph, nw_op op)
{
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].op == op;
    return n;
}

/* ---- what must be the same ---- */

static void check_attrs(const nw_node *a, const nw_node *b)
{
    const nw_attrs *x = &a->attrs, *y = &b->attrs;
    const int32_t pairs[][2] = {{x->kernel_h, y->kernel_h},
                                {x->kernel_w, y->kernel_w},
                                {x->stride_h, y->stride_h},
                                {x->stride_w, y->stride_w},
                                {x->dilation_h, y->dilation_h},
                                {x->dilation_w, y->dilation_w},
                                {x->pad_top, y->pad_top},
                                {x->pad_left, y->pad_left},
                                {x->pad_bottom, y->pad_bottom},
                                {x->pad_right, y->pad_right},
                                {x->groups, y->groups},
                                {x->axis, y->axis},
                                {x->block, y->block},
                                {x->weight_layout, y->weight_layout},
                                {x->reduce, y->reduce},
                                {x->unary, y->unary},
                                {x->compare, y->compare},
                                {x->resize_form, y->resize_form},
                                {x->resize_mode, y->resize_mode},
                                {x->rounding, y->rounding},
                                {x->fill, y->fill},
                                {x->ceil_mode, y->ceil_mode},
                                {x->transpose_a, y->transpose_a},
                                {x->transpose_b, y->transpose_b},
                                {x->keep_dims, y->keep_dims},
                                {x->counts_pads, y->counts_pads},
                                {x->is_crd, y->is_crd},
                                {x->one_from_zero, y->one_from_zero},
                                {x->half_pixel, y->half_pixel},
                                {x->align_corners, y->align_corners}};
    for (int i = 0; i < N_OF(pairs); i++)
        ck_assert_msg(pairs[i][0] == pairs[i][1], "attribute %d of %s: %d became %d", i, a->name,
                      (int)pairs[i][0], (int)pairs[i][1]);
    ck_assert_msg(x->alpha == y->alpha && x->beta == y->beta, "%s: %g %g became %g %g", a->name,
                  (double)x->alpha, (double)x->beta, (double)y->alpha, (double)y->beta);
}

static void check_node(const nw_graph *a, const nw_graph *b, int i)
{
    const nw_node *x = &a->nodes[a->order[i]], *y = &b->nodes[b->order[i]];
    ck_assert_str_eq(x->name, y->name);
    ck_assert_msg(x->op == y->op, "%s: %s became %s", x->name, nw_op_name(x->op),
                  nw_op_name(y->op));
    if (strcmp(x->file_type, "Dropout") != 0) /* does nothing: an Identity */
        ck_assert_str_eq(x->file_type, y->file_type);
    check_attrs(x, y);
    for (int k = 0; k < x->n_outputs && k < y->n_outputs; k++) {
        if (x->outputs[k] == NW_NONE || y->outputs[k] == NW_NONE)
            continue;
        const nw_tensor *s = &a->tensors[x->outputs[k]], *t = &b->tensors[y->outputs[k]];
        ck_assert_str_eq(s->name, t->name);
        ck_assert_msg(nw_shape_equal(&s->shape, &t->shape), "the shape of %s changed", s->name);
        ck_assert_int_eq(s->dtype, t->dtype);
    }
}

/* Stored constants that are used: the same bytes under the same name. */
static void check_constants(const nw_graph *a, const nw_graph *b)
{
    int n = 0;
    for (int i = 0; i < b->n_tensors; i++) {
        const nw_tensor *t = &b->tensors[i];
        if (!t->is_stored || nw_shape_elements(&t->shape) < 16)
            continue;
        const nw_tensor *s = find(a, t->name);
        ck_assert_int_eq(s->dtype, t->dtype);
        ck_assert_int_eq(s->n_bytes, t->n_bytes);
        ck_assert_mem_eq(s->data, t->data, t->n_bytes);
        n++;
    }
    ck_assert_int_gt(n, 0);
}

static void check_ends(const nw_graph *a, const nw_graph *b)
{
    ck_assert_int_eq(a->n_inputs, b->n_inputs);
    ck_assert_int_eq(a->n_outputs, b->n_outputs);
    for (int i = 0; i < a->n_inputs + a->n_outputs; i++) {
        bool is_input = i < a->n_inputs;
        const nw_tensor *s = &a->tensors[is_input ? a->inputs[i] : a->outputs[i - a->n_inputs]];
        const nw_tensor *t = &b->tensors[is_input ? b->inputs[i] : b->outputs[i - a->n_inputs]];
        ck_assert_str_eq(s->name, t->name);
        ck_assert_msg(nw_shape_equal(&s->shape, &t->shape), "the shape of %s changed", s->name);
    }
}

static void check_counts(const nw_graph *a, const nw_graph *b)
{
    nw_counts x, y;
    nw_graph_count(a, &x);
    nw_graph_count(b, &y);
    ck_assert_int_eq(x.macs, y.macs);
    ck_assert_int_eq(x.params, y.params);
    ck_assert_int_eq(x.weight_params, y.weight_params);
    ck_assert_int_eq(y.n_opaque, 0);
}

/* ---- whole files ---- */

static const char *const onnx_files[] = {"light_squeezenet.onnx",
                                         "mnist_cntk.onnx",
                                         "person_detect_rpi.onnx",
                                         "tv_lraspp_mobilenet_v3_small_256.onnx",
                                         "tv_mobilenet_v2_w035_224.onnx",
                                         "tv_mobilenet_v2_w035_224_qdq.onnx",
                                         "tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
                                         "ultraface_slim_320.onnx",
                                         "yunet_n_320.onnx"};

static const char *const tflite_files[] = {
    "blazeface_short_range.tflite",      "deeplabv3_mnv2_dm05_pascal_quant.tflite",
    "mcunet_person_det.tflite",          "mcunet_vww.tflite",
    "mlperf_tiny_resnet_int8.tflite",    "mlperf_tiny_vww_96_float.tflite",
    "mlperf_tiny_vww_96_int8.tflite",    "mobilenet_v1_0.25_128_quant.tflite",
    "mobilenet_v2_1.0_224_quant.tflite", "person_detect.tflite",
    "person_detect_rpi_fp16.tflite",     "selfie_segmentation_256.tflite",
    "ultraface_slim_320.tflite"};

START_TEST(an_onnx_file_comes_back_node_by_node)
{
    nw_graph *graph = load(onnx_files[_i]);
    if (!graph)
        return;
    nw_graph *again = write_and_read(graph, 0);
    ck_assert_str_eq(again->format, "onnx opset 13");
    ck_assert_str_eq(again->name, graph->name);
    ck_assert_int_eq(graph->n_nodes, again->n_nodes);
    for (int i = 0; i < graph->n_nodes; i++)
        check_node(graph, again, i);
    check_constants(graph, again);
    check_ends(graph, again);
    check_counts(graph, again);
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

START_TEST(the_bytes_follow_from_the_graph_alone)
{
    nw_graph *graph = load(onnx_files[_i]);
    if (!graph)
        return;
    nw_buf first = write_good(graph, 0), second = write_good(graph, 0);
    ck_assert_int_eq(first.length, second.length);
    ck_assert_mem_eq(first.text, second.text, first.length);
    nw_graph *again = read_bytes(first.text, first.length);
    nw_buf third = write_good(again, 0);
    ck_assert_int_eq(first.length, third.length);
    ck_assert_mem_eq(first.text, third.text, first.length);
    nw_buf_fini(&first);
    nw_buf_fini(&second);
    nw_buf_fini(&third);
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

/* In float, and with the file's own scales or plausible ones. */
START_TEST(a_tflite_file_is_turned_and_counts_the_same)
{
    nw_graph *graph = load(tflite_files[_i / 2]);
    if (!graph)
        return;
    nw_graph *again = write_and_read(graph, _i % 2 ? 8 : 0);
    check_ends(graph, again);
    check_counts(graph, again);
    ck_assert_int_eq(again->layout, NW_LAYOUT_NCHW);
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

/* A transpose at the input, and what the file itself has: none around each of 83 convolutions. */
START_TEST(transposes_of_a_file_that_turns_every_map_are_gone)
{
    nw_graph *graph = load("person_detect_rpi_fp16.tflite");
    if (!graph)
        return;
    nw_graph *again = write_and_read(graph, 0);
    ck_assert_int_eq(count_op(graph, NW_OP_TRANSPOSE), 215);
    ck_assert_int_lt(count_op(again, NW_OP_TRANSPOSE), 10);
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

static void check_refused(const nw_graph *graph, const nw_onnx_options *options, nw_status status,
                          const char *where, const char *part)
{
    nw_error err;
    nw_buf out = {0};
    ck_assert_int_eq(nw_onnx_write(graph, options, &out, &err), status);
    ck_assert_str_eq(err.where, where);
    ck_assert_msg(strstr(err.message, part) != NULL, "\"%s\" lacks \"%s\"", err.message, part);
    ck_assert_int_eq(out.length, 0);
    nw_buf_fini(&out);
}

START_TEST(an_opaque_operator_is_refused_by_name)
{
    nw_graph *graph = load("mobilenet_v1_0.25_128_quant_edgetpu.tflite");
    if (!graph)
        return;
    check_refused(graph, NULL, NW_UNSUPPORTED, "MobilenetV1/Predictions/Reshape_1",
                  "CUSTOM:edgetpu-custom-op cannot be written");
    nw_graph_free(graph);
}
END_TEST

/* ---- single operators ---- */

typedef struct lone {
    const char *type, *name;
    const char *text; /* attribute of that name */
    int64_t number;   /* or a number */
    float real;       /* or a real one */
    const char *inputs;
} lone;

/* Attributes that costs do not need and functions do. 1 x 3 x 8 x 8 in; constants c (3 values). */
static const lone lones[] = {
    {"BatchNormalization", "epsilon", NULL, 0, 0.125f, "x c c c c"},
    {"InstanceNormalization", "epsilon", NULL, 0, 0.25f, "x c c"},
    {"LeakyRelu", "alpha", NULL, 0, 0.3f, "x"},
    {"Elu", "alpha", NULL, 0, 0.7f, "x"},
    {"HardSigmoid", "alpha", NULL, 0, 0.7f, "x"},
    {"LpNormalization", "p", NULL, 1, 0, "x"},
    {"LRN", "size", NULL, 5, 0, "x"},
    {"Softmax", "axis", NULL, 1, 0, "x"},
    {"LogSoftmax", "axis", NULL, -2, 0, "x"},
    {"ArgMin", "axis", NULL, 2, 0, "x"},
    {"ReduceLogSumExp", "keepdims", NULL, 0, 0, "x"},
    {"Resize", "nearest_mode", "ceil", 0, 0, "x - s"},
    {"Resize", "nearest_mode", "floor", 0, 0, "x - s"},
    {"Resize", "coordinate_transformation_mode", "asymmetric", 0, 0, "x - s"},
    {"Resize", "coordinate_transformation_mode", "align_corners", 0, 0, "x - s"},
    {"Resize", "coordinate_transformation_mode", "pytorch_half_pixel", 0, 0, "x - s"},
    {"Resize", "mode", "linear", 0, 0, "x - s"},
    {"Resize", "mode", "cubic", 0, 0, "x - s"},
    {"Pad", "mode", "reflect", 0, 0, "x p"},
    {"Pad", "mode", "edge", 0, 0, "x p"},
    {"Mod", "fmod", NULL, 1, 0, "x x"},
};

static void add_attribute(nw_buf *node, const lone *op)
{
    nw_buf a = {0};
    onnx_put_text(&a, 1, op->name);
    if (op->text)
        onnx_put_text(&a, 4, op->text);
    else if (op->real != 0) {
        onnx_put_varint(&a, 2 << 3 | 5);
        nw_buf_add(&a, (const char *)&op->real, 4);
    } else
        onnx_put_int(&a, 3, op->number);
    onnx_put_int(&a, 20, op->text ? 3 : op->real != 0 ? 1 : 2);
    onnx_put_message(node, 5, &a);
}

static nw_graph *read_lone(const lone *op, int opset)
{
    const int64_t pads[8] = {0, 0, 1, 2, 0, 0, 2, 1};
    nw_buf g = onnx_graph_of_xy(), node = onnx_node(op->type, op->inputs, "y");
    nw_buf p = onnx_raw_tensor("p", ONNX_INT64, 8, pads, sizeof pads);
    onnx_add_weights(&g, "c", (const float[]){1, 2, 3}, 3);
    onnx_add_weights(&g, "s", (const float[]){1, 1, 2, 2}, 4);
    onnx_put_message(&g, 5, &p);
    add_attribute(&node, op);
    onnx_put_message(&g, 1, &node);
    return read_model(&g, opset);
}

START_TEST(attributes_come_back)
{
    nw_graph *graph = read_lone(&lones[_i], 13), *again = write_and_read(graph, 0);
    ck_assert_int_eq(again->n_nodes, 1);
    check_node(graph, again, 0);
    check_ends(graph, again);
    /* and the attribute made a difference in the first place */
    lone other = lones[_i];
    other.text = NULL;
    other.real = other.text || other.real == 0 ? 0 : 0.875f;
    other.number = lones[_i].number ? lones[_i].number - 1 : 1;
    other.name = lones[_i].text ? "ratio" : other.name; /* says nothing */
    nw_graph *plain = read_lone(&other, 13);
    const nw_attrs *x = &graph->nodes[0].attrs, *y = &plain->nodes[0].attrs;
    ck_assert(memcmp(x, y, offsetof(nw_attrs, ints)) != 0);
    nw_graph_free(plain);
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

/* Values that we have no place for: better none than another function. */
START_TEST(what_a_node_says_beyond_the_graph_is_refused)
{
    static const lone partial[] = {
        {"CumSum", "reverse", NULL, 1, 0, "x i"},
        {"TopK", "largest", NULL, 0, 0, "x i"},
        {"Selu", "gamma", NULL, 0, 1.5f, "x"},
        {"Resize", "coordinate_transformation_mode", "tf_crop_and_resize", 0, 0, "x - s"},
        {"ArgMax", "select_last_index", NULL, 1, 0, "x"}};
    for (int i = 0; i < N_OF(partial); i++) {
        const int64_t one = 1;
        nw_buf g = onnx_graph_of_xy(), node = onnx_node(partial[i].type, partial[i].inputs, "y");
        nw_buf index = onnx_raw_tensor("i", ONNX_INT64, 1, &one, sizeof one);
        onnx_put_message(&g, 5, &index);
        onnx_add_weights(&g, "s", (const float[]){1, 1, 2, 2}, 4);
        add_attribute(&node, &partial[i]);
        onnx_put_text(&node, 3, "the node");
        onnx_put_message(&g, 1, &node);
        nw_graph *graph = read_model(&g, 13);
        char part[64];
        snprintf(part, sizeof part, "%s cannot be written as ONNX opset 13: its file says more",
                 partial[i].type);
        check_refused(graph, NULL, NW_UNSUPPORTED, "the node", part);
        nw_graph_free(graph);
    }
}
END_TEST

/* Squeeze, Slice, Pad, Clip and sums had attributes that are inputs since; Softmax was over all
 * that follows (ONNX's changelog of operators). */
START_TEST(operators_of_older_opsets_become_those_of_13)
{
    nw_buf g = onnx_graph_of_xy(), slice = onnx_node("Slice", "x", "a"),
           sum = onnx_node("ReduceSum", "a", "b"), squeeze = onnx_node("Squeeze", "b", "c"),
           softmax = onnx_node("Softmax", "c", "y");
    onnx_add_ints(&slice, "starts", 1, (const int64_t[]){2});
    onnx_add_ints(&slice, "ends", 1, (const int64_t[]){7});
    onnx_add_ints(&slice, "axes", 1, (const int64_t[]){3});
    onnx_add_ints(&sum, "axes", 1, (const int64_t[]){2});
    onnx_add_ints(&squeeze, "axes", 1, (const int64_t[]){2});
    onnx_put_message(&g, 1, &slice);
    onnx_put_message(&g, 1, &sum);
    onnx_put_message(&g, 1, &squeeze);
    onnx_put_message(&g, 1, &softmax);
    nw_graph *graph = read_model(&g, 9), *again = write_and_read(graph, 0);
    check_ends(graph, again);
    ck_assert_int_eq(find_op(again, NW_OP_SLICE)->n_inputs, 4);
    ck_assert_int_eq(find_op(again, NW_OP_REDUCE)->n_inputs, 2);
    ck_assert_int_eq(find_op(again, NW_OP_SQUEEZE)->n_inputs, 2);
    /* 1 x 3 x 5 over axes 1 and 2: as rows of 15 */
    const nw_node *row = find_op(again, NW_OP_SOFTMAX);
    ck_assert(nw_shape_equal(&again->tensors[row->inputs[0]].shape,
                             &(nw_shape){.rank = 2, .dims = {1, 15}}));
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

/* hard-swish x is x * max(0, min(1, x / 6 + 1 / 2)): Howard et al. 2019. */
START_TEST(later_operators_become_what_they_are_made_of)
{
    nw_buf g = onnx_graph_of_xy();
    onnx_add_node(&g, "HardSwish", "x", "h");
    onnx_add_node(&g, "Gelu", "h", "y");
    nw_graph *graph = read_model(&g, 20), *again = write_and_read(graph, 0);
    check_ends(graph, again);
    const nw_node *gate = find_op(again, NW_OP_HARD_SIGMOID);
    ck_assert_float_eq(gate->attrs.alpha, 1.0f / 6);
    ck_assert_float_eq(gate->attrs.beta, 0.5f);
    ck_assert_int_eq(count_op(again, NW_OP_HARD_SWISH), 0);
    ck_assert_int_eq(find_op(again, NW_OP_UNARY)->attrs.unary, NW_UNARY_ERF);
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

/* ---- weights ---- */

static void set_values(net *n, nw_tensor_id id, const void *bytes, size_t n_bytes)
{
    void *copy = nw_graph_alloc(n->graph, n_bytes);
    memcpy(copy, bytes, n_bytes);
    nw_graph_set_data(n->graph, id, copy, n_bytes, -1);
}

/* O,H,W,I of 2 x 1 x 2 x 3 becomes O,I,H,W of 2 x 3 x 1 x 2: [o][i][0][w] = [o][0][w][i]. */
START_TEST(weights_are_turned_to_onnx_order)
{
    net n = net_begin(4, 4, 3, NW_DTYPE_FLOAT32);
    float values[12];
    for (int i = 0; i < 12; i++)
        values[i] = (float)i;
    nw_tensor_id w = net_constant(&n, NW_DTYPE_FLOAT32, 4, 2, 1, 2, 3);
    set_values(&n, w, values, sizeof values);
    nw_tensor_id in[2] = {n.at, w};
    nw_node *node = net_layer(&n, NW_OP_CONV2D, "CONV_2D", in, 2);
    node->attrs.weight_layout = NW_WEIGHTS_OHWI;
    node->attrs.pad_mode = NW_PAD_VALID;
    nw_graph *graph = net_end(&n), *again = write_and_read(graph, 0);
    const nw_node *conv = find_op(again, NW_OP_CONV2D);
    const nw_tensor *t = &again->tensors[conv->inputs[1]];
    ck_assert(nw_shape_equal(&t->shape, &(nw_shape){.rank = 4, .dims = {2, 3, 1, 2}}));
    const float wanted[12] = {0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11};
    ck_assert_mem_eq(t->data, wanted, sizeof wanted);
    ck_assert_int_eq(again->nodes[0].op, NW_OP_TRANSPOSE);
    ck_assert_int_eq(count_op(again, NW_OP_TRANSPOSE), 2);
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

static nw_graph *quantised_net(void)
{
    static const float scales[2] = {0.5f, 0.25f}, bias_scales[2] = {0.0625f, 0.03125f};
    static const int64_t points[2] = {1, -1};
    net n = net_begin(4, 4, 3, NW_DTYPE_INT8);
    nw_tensor_id w = net_constant(&n, NW_DTYPE_INT8, 4, 2, 1, 1, 3);
    nw_tensor_id b = net_constant(&n, NW_DTYPE_INT32, 1, 2, 0, 0, 0);
    set_values(&n, w, (const int8_t[]){1, 2, 3, -1, 0, 127}, 6);
    set_values(&n, b, (const int32_t[]){10, -20}, 8);
    n.graph->tensors[n.at].quant = (nw_quant){.n_channels = 1, .scale = 0.125, .zero_point = 4};
    n.graph->tensors[w].quant = (nw_quant){2, 0, 0.5, 1, scales, points};
    n.graph->tensors[b].quant = (nw_quant){2, 0, 0.0625, 0, bias_scales, NULL};
    nw_tensor_id in[3] = {n.at, w, b};
    nw_node *node = net_layer(&n, NW_OP_CONV2D, "CONV_2D", in, 3);
    node->attrs.weight_layout = NW_WEIGHTS_OHWI;
    n.graph->tensors[n.at].quant = (nw_quant){.n_channels = 1, .scale = 2, .zero_point = -7};
    return net_end(&n);
}

/* real = scale * (quantised - zero point), for each output channel. */
START_TEST(integer_graphs_are_written_dequantised)
{
    nw_graph *graph = quantised_net(), *again = write_and_read(graph, 0);
    const nw_node *conv = find_op(again, NW_OP_CONV2D);
    const float weights[6] = {0, 0.5f, 1, 0, 0.25f, 32}, bias[2] = {0.625f, -0.625f};
    ck_assert_mem_eq(again->tensors[conv->inputs[1]].data, weights, sizeof weights);
    ck_assert_mem_eq(again->tensors[conv->inputs[2]].data, bias, sizeof bias);
    ck_assert_int_eq(again->tensors[again->inputs[0]].dtype, NW_DTYPE_FLOAT32);
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

START_TEST(or_as_integers_with_their_scales)
{
    nw_graph *graph = quantised_net(), *again = write_and_read(graph, 8);
    const nw_node *conv = find_op(again, NW_OP_CONV2D);
    const nw_node *w = &again->nodes[again->tensors[conv->inputs[1]].producer];
    const nw_node *b = &again->nodes[again->tensors[conv->inputs[2]].producer];
    const nw_tensor *stored = &again->tensors[w->inputs[0]];
    ck_assert_int_eq(w->op, NW_OP_DEQUANTIZE);
    ck_assert_int_eq(stored->dtype, NW_DTYPE_INT8);
    ck_assert_mem_eq(stored->data, ((const int8_t[]){1, 2, 3, -1, 0, 127}), 6);
    ck_assert_int_eq(stored->quant.n_channels, 2);
    ck_assert_float_eq(stored->quant.scales[1], 0.25f);
    ck_assert_int_eq(stored->quant.zero_points[1], -1);
    ck_assert_mem_eq(again->tensors[b->inputs[0]].data, ((const int32_t[]){10, -20}), 8);
    const nw_node *q = &again->nodes[0];
    ck_assert_int_eq(q->op, NW_OP_QUANTIZE);
    ck_assert_double_eq(again->tensors[q->outputs[0]].quant.scale, 0.125);
    ck_assert_int_eq(again->tensors[q->outputs[0]].quant.zero_point, 4);
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

static bool holds(const nw_buf *bytes, const char *text)
{
    for (size_t i = 0; i + strlen(text) <= bytes->length; i++)
        if (memcmp(bytes->text + i, text, strlen(text)) == 0)
            return true;
    return false;
}

/* He et al. 2015: the variance of weights is 2 / fan in. */
START_TEST(weights_without_values_are_made_up)
{
    net n = net_begin(8, 8, 32, NW_DTYPE_FLOAT32);
    net_conv(&n, 64, 3, 3, 1, 1, NW_ACT_NONE);
    nw_graph *graph = net_end(&n), *again = write_and_read(graph, 0);
    const nw_tensor *w = &again->tensors[find_op(again, NW_OP_CONV2D)->inputs[1]];
    double sum = 0, squares = 0;
    size_t n_values = w->n_bytes / sizeof(float);
    for (size_t i = 0; i < n_values; i++) {
        float value;
        memcpy(&value, w->data + 4 * i, sizeof value);
        sum += (double)value;
        squares += (double)value * (double)value;
    }
    double mean = sum / (double)n_values, variance = squares / (double)n_values;
    ck_assert_int_eq(n_values, 64 * 32 * 9);
    ck_assert_double_lt(fabs(mean), 0.002);
    ck_assert_double_lt(fabs(variance * (32 * 9) / 2 - 1), 0.05);
    const nw_onnx_options other = {.seed = 7}, none = {.refuses_made_up = true};
    nw_buf first = write_good(graph, 0), second = {0};
    ck_assert_int_eq(nw_onnx_write(graph, &other, &second, NULL), NW_OK);
    ck_assert(first.length == second.length && memcmp(first.text, second.text, first.length) != 0);
    ck_assert(holds(&first, "nasw.made_up_constants"));
    check_refused(graph, &none, NW_UNSUPPORTED, "layer0", "values of constant 'w1' are not there");
    nw_buf_fini(&first);
    nw_buf_fini(&second);
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

/* ---- names and ends ---- */

START_TEST(names_are_kept_and_made_unique)
{
    nw_graph *graph = nw_graph_new("", NW_LAYOUT_NCHW);
    nw_shape shape = {.rank = 2, .dims = {1, 4}};
    static const char *const names[] = {"same", "same", "", "bad\xff", "same_2"};
    nw_tensor_id at = nw_graph_add_tensor(graph, "same", NW_DTYPE_FLOAT32, &shape);
    nw_graph_add_input(graph, at);
    for (int i = 0; i < N_OF(names); i++) {
        nw_tensor_id out = nw_graph_add_tensor(graph, names[i], NW_DTYPE_FLOAT32, NULL);
        nw_graph_add_node(graph, NW_OP_RELU, "relu", "Relu", &at, 1, &out, 1);
        at = out;
    }
    nw_graph_add_output(graph, at);
    ck_assert_int_eq(nw_graph_seal(graph, NULL, 0, NULL), NW_OK);
    nw_graph *again = write_and_read(graph, 0);
    static const char *const wanted[] = {"same_2", "same_3", "tensor_3", "bad\\xff", "same_2_2"};
    for (int i = 0; i < N_OF(wanted); i++)
        ck_assert_str_eq(again->tensors[again->nodes[i].outputs[0]].name, wanted[i]);
    ck_assert_str_eq(again->nodes[0].name, "relu");
    ck_assert_str_eq(again->nodes[1].name, "relu_2");
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

/* An output may be an input, a constant, or named twice. */
START_TEST(any_tensor_may_be_an_output)
{
    nw_buf g = {0};
    const int64_t dims[1] = {3};
    onnx_add_value(&g, 11, "x", 1, dims);
    onnx_add_weights(&g, "c", (const float[]){1, 2, 3}, 3);
    onnx_add_node(&g, "Relu", "x", "y");
    onnx_add_value(&g, 12, "y", 1, dims);
    onnx_add_value(&g, 12, "c", 1, dims);
    onnx_add_value(&g, 12, "x", 1, dims);
    onnx_add_value(&g, 12, "y", 1, dims);
    nw_graph *graph = read_model(&g, 13), *again = write_and_read(graph, 0);
    ck_assert_int_eq(again->n_outputs, 4);
    ck_assert_str_eq(again->tensors[again->outputs[0]].name, "y");
    ck_assert_str_eq(again->tensors[again->outputs[1]].name, "c");
    ck_assert_str_eq(again->tensors[again->outputs[2]].name, "x");
    ck_assert_str_eq(again->tensors[again->outputs[3]].name, "y_output");
    nw_graph_free(graph);
    nw_graph_free(again);
}
END_TEST

START_TEST(other_widths_are_refused)
{
    net n = net_begin(4, 4, 3, NW_DTYPE_FLOAT32);
    net_unary(&n, NW_OP_RELU);
    nw_graph *graph = net_end(&n);
    const nw_onnx_options four = {.bits = 4};
    check_refused(graph, &four, NW_INVALID, "bits", "4");
    nw_graph_free(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("onnx_write");
    TCase *files = tcase_create("files"), *parts = tcase_create("parts");
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, parts);
    tcase_set_timeout(files, 60);
    tcase_add_loop_test(files, an_onnx_file_comes_back_node_by_node, 0, N_OF(onnx_files));
    tcase_add_loop_test(files, the_bytes_follow_from_the_graph_alone, 0, N_OF(onnx_files));
    tcase_add_loop_test(files, a_tflite_file_is_turned_and_counts_the_same, 0,
                        2 * N_OF(tflite_files));
    tcase_add_test(files, transposes_of_a_file_that_turns_every_map_are_gone);
    tcase_add_test(files, an_opaque_operator_is_refused_by_name);
    tcase_add_loop_test(parts, attributes_come_back, 0, N_OF(lones));
    tcase_add_test(parts, what_a_node_says_beyond_the_graph_is_refused);
    tcase_add_test(parts, operators_of_older_opsets_become_those_of_13);
    tcase_add_test(parts, later_operators_become_what_they_are_made_of);
    tcase_add_test(parts, weights_are_turned_to_onnx_order);
    tcase_add_test(parts, integer_graphs_are_written_dequantised);
    tcase_add_test(parts, or_as_integers_with_their_scales);
    tcase_add_test(parts, weights_without_values_are_made_up);
    tcase_add_test(parts, names_are_kept_and_made_unique);
    tcase_add_test(parts, any_tensor_may_be_an_output);
    tcase_add_test(parts, other_widths_are_refused);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
