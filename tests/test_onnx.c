#include <check.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_onnx.h"

/* ---- reading ---- */

static nw_graph *read_bytes(const void *bytes, size_t n, nw_status *status, nw_error *err)
{
    nw_graph *graph = NULL;
    nw_file *file = nw_file_from_bytes("test.onnx", bytes, n);
    *status = nw_onnx_read(file, &graph, err);
    nw_file_release(file);
    return graph;
}

/* Releases graph_bytes; the model must be good. */
static nw_graph *read_graph(nw_buf *graph_bytes, int opset)
{
    nw_status status;
    nw_error err = {0};
    nw_buf bytes = onnx_model(graph_bytes, opset);
    nw_graph *graph = read_bytes(bytes.text, bytes.length, &status, &err);
    ck_assert_msg(status == NW_OK, "%s: %s", err.where, err.message);
    nw_buf_fini(&bytes);
    return graph;
}

static nw_status refuse_graph(nw_buf *graph_bytes, nw_error *err)
{
    nw_status status;
    nw_buf bytes = onnx_model(graph_bytes, 13);
    nw_graph *graph = read_bytes(bytes.text, bytes.length, &status, err);
    ck_assert_ptr_null(graph);
    nw_buf_fini(&bytes);
    return status;
}

static nw_tensor *find(const nw_graph *graph, const char *name)
{
    for (int i = 0; i < graph->n_tensors; i++)
        if (strcmp(graph->tensors[i].name, name) == 0)
            return &graph->tensors[i];
    ck_abort_msg("no tensor %s", name);
    return NULL;
}

static const char *input_name(const nw_graph *graph, int node_index, int i)
{
    nw_tensor_id id = graph->nodes[node_index].inputs[i];
    return id == NW_NONE ? "-" : graph->tensors[id].name;
}

/* ---- models that others made ---- */

static const char *const shared_models[] = {"light_squeezenet",
                                            "mnist_cntk",
                                            "person_detect_rpi",
                                            "tv_lraspp_mobilenet_v3_small_256",
                                            "tv_mobilenet_v2_w035_224",
                                            "tv_mobilenet_v2_w035_224_qdq",
                                            "tv_ssdlite320_mobilenet_v3_large_2cls",
                                            "ultraface_slim_320",
                                            "yunet_n_320"};

static void check_shape(const nw_shape *shape, const cJSON *truth, const char *name)
{
    ck_assert_msg(shape->rank == cJSON_GetArraySize(truth), "rank of %s", name);
    for (int i = 0; i < shape->rank; i++)
        ck_assert_msg((double)shape->dims[i] == cJSON_GetArrayItem(truth, i)->valuedouble,
                      "axis %d of %s", i, name);
}

static void check_values(const nw_graph *graph, const nw_tensor_id *ids, int n, const cJSON *truth)
{
    ck_assert_int_eq(n, cJSON_GetArraySize(truth));
    for (int i = 0; i < n; i++) {
        const nw_tensor *t = &graph->tensors[ids[i]];
        const cJSON *row = cJSON_GetArrayItem(truth, i);
        ck_assert_str_eq(t->name, cJSON_GetObjectItem(row, "name")->valuestring);
        ck_assert_int_eq(t->dtype, NW_DTYPE_FLOAT32);
        if (nw_shape_is_known(&t->stored_shape))
            check_shape(&t->stored_shape, cJSON_GetObjectItem(row, "shape"), t->name);
    }
}

static void check_initializers(const nw_graph *graph, const cJSON *truth)
{
    int n = 0;
    double elements = 0;
    for (int i = 0; i < graph->n_tensors; i++) {
        n += graph->tensors[i].is_stored;
        if (graph->tensors[i].is_stored)
            elements += (double)nw_shape_elements(&graph->tensors[i].shape);
    }
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].op == NW_OP_CONSTANT) {
            n--;
            elements -=
                (double)nw_shape_elements(&graph->tensors[graph->nodes[i].outputs[0]].shape);
        }
    ck_assert_int_eq(n, cJSON_GetObjectItem(truth, "initializer_count")->valueint);
    ck_assert_double_eq(elements, cJSON_GetObjectItem(truth, "initializer_elements")->valuedouble);
}

static void check_against_truth(const nw_graph *graph, const cJSON *truth)
{
    const cJSON *row;
    ck_assert_int_eq(graph->n_nodes, cJSON_GetObjectItem(truth, "node_count")->valueint);
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(truth, "nodes_by_op"))
    {
        int n = 0;
        for (int i = 0; i < graph->n_nodes; i++)
            n += strcmp(graph->nodes[i].file_type, row->string) == 0;
        ck_assert_msg(n == row->valueint, "%d %s", n, row->string);
    }
    for (int i = 0; i < graph->n_nodes; i++)
        ck_assert_msg(graph->nodes[i].op != NW_OP_OPAQUE, "%s", graph->nodes[i].file_type);
    check_values(graph, graph->inputs, graph->n_inputs, cJSON_GetObjectItem(truth, "inputs"));
    check_values(graph, graph->outputs, graph->n_outputs, cJSON_GetObjectItem(truth, "outputs"));
    check_initializers(graph, truth);
    char format[32];
    snprintf(format, sizeof format, "onnx opset %d",
             cJSON_GetObjectItem(cJSON_GetObjectItem(truth, "opset"), "ai.onnx")->valueint);
    ck_assert_str_eq(graph->format, format);
}

/* Expected: the truth files beside the models, made with the onnx package. */
START_TEST(real_models_have_the_nodes_and_tensors_of_their_truth_files)
{
    char relative[128];
    snprintf(relative, sizeof relative, "models/%s.onnx.truth.json", shared_models[_i]);
    const char *path = shared_path(relative);
    if (!path)
        return;
    char *text = read_text(path, NULL);
    cJSON *truth = cJSON_Parse(text);
    ck_assert_ptr_nonnull(truth);
    relative[strlen(relative) - strlen(".truth.json")] = '\0';
    nw_file *file;
    nw_graph *graph;
    nw_error err;
    ck_assert_int_eq(nw_file_read(shared_path(relative), NW_MAX_MODEL_BYTES, &file, &err), NW_OK);
    ck_assert(nw_onnx_is(file));
    ck_assert(!nw_tflite_is(file));
    ck_assert_msg(nw_onnx_read(file, &graph, &err) == NW_OK, "%s: %s", err.where, err.message);
    check_against_truth(graph, truth);
    for (int i = 0; i < graph->n_tensors; i++) {
        const nw_tensor *t = &graph->tensors[i];
        if (t->file_offset >= 0)
            ck_assert(t->data == file->bytes + t->file_offset);
    }
    nw_graph_free(graph);
    nw_file_release(file);
    cJSON_Delete(truth);
    free(text);
}
END_TEST

/* ---- tensors ---- */

START_TEST(weights_stay_in_the_file)
{
    const float w[300] = {1, 2, 3};
    nw_buf g = onnx_graph_of_xy();
    onnx_add_node(&g, "PRelu", "x w", "y");
    onnx_add_weights(&g, "w", w, 300);
    nw_graph *graph = read_graph(&g, 13);
    const nw_tensor *t = find(graph, "w");
    ck_assert(t->is_stored);
    ck_assert_int_gt(t->file_offset, 0);
    ck_assert_uint_eq(t->n_bytes, 1200);
    ck_assert_mem_eq(t->data, w, sizeof w);
    ck_assert_ptr_null(t->file_path);
    nw_graph_free(graph);
}
END_TEST

/* Packed: varints 1, 300, and -2 in ten bytes; loose: an element a field. Little-endian int64. */
START_TEST(integer_lists_are_unpacked_to_little_endian)
{
    const int64_t three = 3, expected[3] = {1, 300, -2};
    for (int packed = 0; packed < 2; packed++) {
        nw_buf g = onnx_graph_of_xy(), t = onnx_tensor("shape", ONNX_INT64, 1, &three), list = {0};
        for (int i = 0; i < 3; i++) {
            if (packed)
                onnx_put_varint(&list, (uint64_t)expected[i]);
            else
                onnx_put_int(&t, 7, expected[i]);
        }
        if (packed)
            onnx_put_message(&t, 7, &list);
        onnx_put_message(&g, 5, &t);
        onnx_add_node(&g, "Reshape", "x shape", "y");
        nw_graph *graph = read_graph(&g, 13);
        const nw_tensor *shape = find(graph, "shape");
        ck_assert_uint_eq(shape->n_bytes, 24);
        ck_assert_mem_eq(shape->data, expected, 24);
        ck_assert_int_eq(shape->file_offset, -1);
        nw_graph_free(graph);
    }
}
END_TEST

START_TEST(int8_values_come_out_of_int32_data)
{
    const int64_t two = 2;
    nw_buf g = onnx_graph_of_xy(), t = onnx_tensor("w", ONNX_INT8, 1, &two), list = {0};
    onnx_put_varint(&list, 5);
    onnx_put_varint(&list, (uint64_t)-3);
    onnx_put_message(&t, 5, &list);
    onnx_put_message(&g, 5, &t);
    onnx_add_node(&g, "Add", "x w", "y");
    nw_graph *graph = read_graph(&g, 13);
    ck_assert_uint_eq(find(graph, "w")->n_bytes, 2);
    ck_assert_mem_eq(find(graph, "w")->data, "\x05\xfd", 2);
    nw_graph_free(graph);
}
END_TEST

/* Four floats are 16 bytes. */
START_TEST(data_that_do_not_fit_their_shape_are_refused)
{
    static const struct {
        int64_t dim;
        size_t n_bytes;
        const char *says;
    } cases[] = {{4, 15, "needs 16"},
                 {4, 20, "needs 16"},
                 {4, 0, "needs 4"},
                 {-4, 16, "negative"},
                 {(int64_t)1 << 40, 16, "too large"},
                 {0, 4, "needs 0"}};
    char bytes[32] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_error err = {0};
        nw_buf g = onnx_graph_of_xy(), t = onnx_tensor("weight", ONNX_FLOAT, 1, &cases[i].dim);
        if (cases[i].n_bytes)
            onnx_put_bytes(&t, 9, bytes, cases[i].n_bytes);
        onnx_put_message(&g, 5, &t);
        onnx_add_node(&g, "Add", "x weight", "y");
        ck_assert_int_eq(refuse_graph(&g, &err), NW_INVALID);
        ck_assert_ptr_nonnull(strstr(err.where, "weight"));
        ck_assert_msg(strstr(err.message, cases[i].says), "%s", err.message);
    }
}
END_TEST

START_TEST(dimensions_that_overflow_together_are_refused)
{
    const int64_t dims[5] = {1 << 30, 1 << 30, 1 << 30, 1 << 30, 1 << 30};
    nw_error err;
    nw_buf g = onnx_graph_of_xy(), t = onnx_tensor("w", ONNX_FLOAT, 5, dims);
    onnx_put_message(&g, 5, &t);
    onnx_add_node(&g, "Add", "x w", "y");
    ck_assert_int_eq(refuse_graph(&g, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "too large"));
}
END_TEST

START_TEST(more_than_eight_dimensions_leave_a_shape_unknown)
{
    const int64_t ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    nw_buf g = onnx_graph_of_xy(), t = onnx_tensor("w", ONNX_FLOAT, 9, ones);
    onnx_put_bytes(&t, 9, "\0\0\0\0", 4);
    onnx_put_message(&g, 5, &t);
    onnx_add_node(&g, "Add", "x w", "y");
    nw_graph *graph = read_graph(&g, 13);
    ck_assert_int_eq(find(graph, "w")->shape.rank, -1);
    nw_graph_free(graph);
}
END_TEST

/* ---- inputs, names ---- */

START_TEST(open_sizes_of_inputs_are_free_and_named)
{
    const int64_t dims[4] = {0, 3, -1, 8};
    nw_buf g = {0};
    onnx_add_value(&g, 11, "x", 4, dims);
    onnx_add_value(&g, 12, "y", 4, dims);
    onnx_add_node(&g, "Relu", "x", "y");
    nw_graph *graph = read_graph(&g, 13);
    const nw_tensor *x = find(graph, "x");
    ck_assert_int_eq(x->shape.dims[0], NW_DIM_FREE);
    ck_assert_int_eq(x->shape.dims[1], 3);
    ck_assert_int_eq(x->shape.dims[2], NW_DIM_FREE);
    ck_assert_int_eq(graph->layout, NW_LAYOUT_NCHW);
    nw_graph_free(graph);
}
END_TEST

START_TEST(initializers_listed_as_inputs_are_no_inputs)
{
    const float w[2] = {0, 6};
    nw_buf g = onnx_graph_of_xy();
    onnx_add_value(&g, 11, "w", 1, (const int64_t[]){2});
    onnx_add_weights(&g, "w", w, 2);
    onnx_add_node(&g, "Add", "x w", "y");
    nw_graph *graph = read_graph(&g, 7);
    ck_assert_int_eq(graph->n_inputs, 1);
    ck_assert_str_eq(graph->tensors[graph->inputs[0]].name, "x");
    nw_graph_free(graph);
}
END_TEST

START_TEST(undefined_and_doubly_defined_tensors_name_node_and_tensor)
{
    nw_error err;
    nw_buf g = onnx_graph_of_xy();
    onnx_add_node(&g, "Add", "x lost", "y");
    ck_assert_int_eq(refuse_graph(&g, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.where, "Add #0"));
    ck_assert_ptr_nonnull(strstr(err.message, "'lost'"));
    g = onnx_graph_of_xy();
    onnx_add_node(&g, "Relu", "x", "y");
    onnx_add_node(&g, "Abs", "x", "y");
    ck_assert_int_eq(refuse_graph(&g, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.where, "Abs #1"));
    ck_assert_ptr_nonnull(strstr(err.message, "'y'"));
    g = onnx_graph_of_xy();
    ck_assert_int_eq(refuse_graph(&g, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "'y'"));
}
END_TEST

START_TEST(inputs_left_out_keep_their_place)
{
    nw_buf g = onnx_graph_of_xy(), six = onnx_float_scalar("six", 6);
    onnx_put_message(&g, 5, &six);
    onnx_add_node(&g, "Clip", "x - six", "y");
    nw_graph *graph = read_graph(&g, 13);
    ck_assert_int_eq(graph->nodes[0].n_inputs, 3);
    ck_assert_int_eq(graph->nodes[0].inputs[1], NW_NONE);
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_CLIP);
    nw_graph_free(graph);
}
END_TEST

/* ---- operators ---- */

START_TEST(clip_between_constants_0_and_6_is_relu6)
{
    nw_buf g = onnx_graph_of_xy(), six = onnx_float_scalar("six", 6),
           zero = onnx_float_scalar("", 0);
    onnx_put_message(&g, 5, &six);
    nw_buf constant = onnx_node("Constant", "", "zero");
    onnx_add_message(&constant, "value", 4, 5, &zero);
    onnx_add_node(&g, "Clip", "x low six", "y"); /* before its bounds in the file */
    onnx_add_node(&g, "Identity", "zero", "low");
    onnx_put_message(&g, 1, &constant);
    nw_graph *graph = read_graph(&g, 13);
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_RELU6);
    ck_assert_int_eq(graph->nodes[2].op, NW_OP_CONSTANT);
    ck_assert(find(graph, "zero")->is_stored);
    nw_graph_free(graph);
}
END_TEST

START_TEST(convolution_attributes_are_read)
{
    nw_buf g = onnx_graph_of_xy(), conv = onnx_node("Conv", "x w", "y");
    onnx_add_ints(&conv, "kernel_shape", 2, (const int64_t[]){3, 5});
    onnx_add_ints(&conv, "strides", 2, (const int64_t[]){1, 2});
    onnx_add_ints(&conv, "dilations", 2, (const int64_t[]){2, 1});
    onnx_add_ints(&conv, "pads", 4, (const int64_t[]){1, 2, 3, 4}); /* all begins, then all ends */
    onnx_add_int(&conv, "group", 3);
    onnx_put_message(&g, 1, &conv);
    onnx_add_weights(&g, "w", (const float[]){0}, 1);
    nw_graph *graph = read_graph(&g, 13);
    const nw_attrs *a = &graph->nodes[0].attrs;
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_CONV2D);
    ck_assert(a->kernel_h == 3 && a->kernel_w == 5 && a->stride_h == 1 && a->stride_w == 2);
    ck_assert(a->dilation_h == 2 && a->dilation_w == 1 && a->groups == 3);
    ck_assert(a->pad_top == 1 && a->pad_left == 2 && a->pad_bottom == 3 && a->pad_right == 4);
    ck_assert_int_eq(a->weight_layout, NW_WEIGHTS_OIHW);
    nw_graph_free(graph);
}
END_TEST

START_TEST(impossible_convolution_attributes_are_refused)
{
    static const struct {
        const char *name;
        int64_t value;
    } cases[] = {{"strides", 0}, {"dilations", -1}, {"kernel_shape", 0}, {"strides", 1LL << 40}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_error err;
        nw_buf g = onnx_graph_of_xy(), conv = onnx_node("Conv", "x x", "y");
        onnx_add_ints(&conv, cases[i].name, 2, (const int64_t[]){1, cases[i].value});
        onnx_put_message(&g, 1, &conv);
        ck_assert_int_eq(refuse_graph(&g, &err), NW_INVALID);
        ck_assert_ptr_nonnull(strstr(err.message, cases[i].name));
    }
}
END_TEST

START_TEST(lists_of_one_window_are_for_the_same_axes)
{
    nw_error err;
    nw_buf g = onnx_graph_of_xy(), pool = onnx_node("MaxPool", "x", "y");
    onnx_add_ints(&pool, "kernel_shape", 2, (const int64_t[]){2, 2});
    onnx_add_ints(&pool, "pads", 2, (const int64_t[]){1, 1});
    onnx_put_message(&g, 1, &pool);
    ck_assert_int_eq(refuse_graph(&g, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "pads"));
}
END_TEST

START_TEST(windows_over_three_axes_are_opaque)
{
    nw_buf g = onnx_graph_of_xy(), pool = onnx_node("MaxPool", "x", "y");
    onnx_add_ints(&pool, "kernel_shape", 3, (const int64_t[]){2, 2, 2});
    onnx_put_message(&g, 1, &pool);
    nw_graph *graph = read_graph(&g, 13);
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_OPAQUE);
    nw_graph_free(graph);
}
END_TEST

/* Slice of opset 1: attributes; axes default to 0, 1, ... */
START_TEST(attributes_of_older_opsets_become_lists)
{
    nw_buf g = onnx_graph_of_xy(), slice = onnx_node("Slice", "x", "a"),
           squeeze = onnx_node("Squeeze", "a", "b");
    onnx_add_ints(&slice, "starts", 2, (const int64_t[]){0, 1});
    onnx_add_ints(&slice, "ends", 2, (const int64_t[]){1, -1});
    onnx_add_ints(&squeeze, "axes", 1, (const int64_t[]){0});
    onnx_put_message(&g, 1, &slice);
    onnx_put_message(&g, 1, &squeeze);
    onnx_add_node(&g, "Relu", "b", "y");
    nw_graph *graph = read_graph(&g, 9);
    const nw_attrs *a = &graph->nodes[0].attrs;
    const int64_t expected[6] = {0, 1, 1, -1, 0, 1};
    ck_assert(a->has_ints && a->n_axes == 2 && a->n_ints == 6);
    ck_assert_mem_eq(a->ints, expected, sizeof expected);
    ck_assert(graph->nodes[1].attrs.has_ints && graph->nodes[1].attrs.ints[0] == 0);
    nw_graph_free(graph);
}
END_TEST

/* A linear quantisation: real = scale (q - zero point). */
START_TEST(quantised_convolution_keeps_data_inputs_and_moves_scales)
{
    static const char *const scales[] = {"xs", "ys"};
    nw_buf g = onnx_graph_of_xy();
    for (int i = 0; i < 2; i++) {
        nw_buf s = onnx_float_scalar(scales[i], i ? 0.5f : 0.25f);
        onnx_put_message(&g, 5, &s);
    }
    onnx_add_weights(&g, "ws", (const float[]){1, 2, 3}, 3);
    nw_buf zero = onnx_tensor("z", ONNX_INT8, 0, NULL),
           w = onnx_raw_tensor("w", ONNX_INT8, 3, "abc", 3);
    onnx_put_bytes(&zero, 9, "\xfe", 1);
    onnx_put_message(&g, 5, &zero);
    onnx_put_message(&g, 5, &w);
    onnx_add_weights(&g, "b", (const float[]){0}, 1);
    onnx_add_node(&g, "QLinearConv", "x xs z w ws z ys z b", "q");
    onnx_add_node(&g, "DequantizeLinear", "q ys z", "y");
    nw_graph *graph = read_graph(&g, 13);
    const nw_node *conv = &graph->nodes[0];
    ck_assert_int_eq(conv->op, NW_OP_CONV2D);
    ck_assert_int_eq(conv->n_inputs, 3);
    ck_assert_str_eq(input_name(graph, 0, 0), "x");
    ck_assert_str_eq(input_name(graph, 0, 1), "w");
    ck_assert_str_eq(input_name(graph, 0, 2), "b");
    ck_assert_double_eq(find(graph, "x")->quant.scale, 0.25);
    ck_assert_int_eq(find(graph, "x")->quant.zero_point, -2);
    ck_assert_int_eq(find(graph, "w")->quant.n_channels, 3);
    ck_assert_int_eq(find(graph, "w")->quant.axis, 0);
    ck_assert_double_eq(find(graph, "q")->quant.scale, 0.5);
    ck_assert_int_eq(find(graph, "q")->dtype, NW_DTYPE_INT8);
    ck_assert_int_eq(graph->nodes[1].op, NW_OP_DEQUANTIZE);
    ck_assert_int_eq(graph->nodes[1].n_inputs, 3);
    nw_graph_free(graph);
}
END_TEST

/* IEEE 754: half 0x3400 is 0.25, bfloat16 0x3e80 is 0.25; int4 0xe is -2. */
START_TEST(scales_of_every_float_type_are_read)
{
    static const struct {
        int type;
        const char *bytes;
        size_t n;
    } scales[] = {{10, "\x00\x34", 2}, {16, "\x80\x3e", 2}, {1, "\0\0\x80\x3e", 4}};
    for (size_t i = 0; i < 3; i++) {
        nw_buf g = onnx_graph_of_xy(), s = onnx_tensor("s", scales[i].type, 0, NULL);
        nw_buf z = onnx_tensor("z", 22, 0, NULL);
        onnx_put_bytes(&s, 9, scales[i].bytes, scales[i].n);
        onnx_put_bytes(&z, 9, "\xee", 1);
        onnx_put_message(&g, 5, &s);
        onnx_put_message(&g, 5, &z);
        onnx_add_node(&g, "QuantizeLinear", "x s z", "q");
        onnx_add_node(&g, "DequantizeLinear", "q s z", "y");
        nw_graph *graph = read_graph(&g, 21);
        ck_assert_double_eq(find(graph, "q")->quant.scale, 0.25);
        ck_assert_int_eq(find(graph, "q")->quant.zero_point, -2);
        ck_assert_int_eq(find(graph, "q")->quant.n_channels, 1);
        ck_assert_int_eq(find(graph, "q")->dtype, NW_DTYPE_INT4);
        nw_graph_free(graph);
    }
}
END_TEST

START_TEST(quantised_concatenation_keeps_every_third_input)
{
    nw_buf g = onnx_graph_of_xy(), s = onnx_float_scalar("s", 2),
           z = onnx_tensor("z", ONNX_INT8, 0, NULL);
    nw_buf cat = onnx_node("QLinearConcat", "s z x s z x s z", "y");
    onnx_put_bytes(&z, 9, "\1", 1);
    onnx_put_message(&g, 5, &s);
    onnx_put_message(&g, 5, &z);
    onnx_put_text(&cat, 7, "com.microsoft");
    onnx_add_int(&cat, "axis", 1);
    onnx_put_message(&g, 1, &cat);
    nw_graph *graph = read_graph(&g, 13);
    ck_assert_str_eq(graph->nodes[0].file_type, "com.microsoft::QLinearConcat");
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_CONCAT);
    ck_assert_int_eq(graph->nodes[0].n_inputs, 2);
    ck_assert_str_eq(input_name(graph, 0, 1), "x");
    ck_assert_double_eq(find(graph, "y")->quant.scale, 2);
    nw_graph_free(graph);
}
END_TEST

/* Resize 11: x, roi, scales, sizes; an empty tensor stands for "not given". */
START_TEST(resize_takes_the_list_that_is_given)
{
    const int64_t sizes[4] = {1, 3, 16, 16};
    nw_buf g = onnx_graph_of_xy(), t = onnx_raw_tensor("sizes", ONNX_INT64, 4, sizes, sizeof sizes);
    onnx_put_message(&g, 5, &t);
    onnx_add_weights(&g, "scales", (const float[]){1, 1, 2, 2}, 4);
    onnx_add_weights(&g, "none", NULL, 0);
    onnx_add_node(&g, "Resize", "x none scales", "a");
    onnx_add_node(&g, "Resize", "x none none sizes", "b");
    onnx_add_node(&g, "Resize", "x - scales none", "y");
    nw_graph *graph = read_graph(&g, 11);
    ck_assert_str_eq(input_name(graph, 0, 1), "scales");
    ck_assert_int_eq(graph->nodes[0].attrs.resize_form, NW_RESIZE_SCALES);
    ck_assert_str_eq(input_name(graph, 1, 1), "sizes");
    ck_assert_int_eq(graph->nodes[1].attrs.resize_form, NW_RESIZE_SIZES);
    ck_assert_str_eq(input_name(graph, 2, 1), "scales");
    ck_assert_int_eq(graph->nodes[2].n_inputs, 2);
    nw_graph_free(graph);
}
END_TEST

START_TEST(calls_of_model_functions_and_foreign_domains_are_opaque)
{
    nw_buf g = onnx_graph_of_xy(), foreign = onnx_node("Relu", "x", "a"), function = {0};
    onnx_put_text(&foreign, 7, "my.domain");
    onnx_put_message(&g, 1, &foreign);
    onnx_add_node(&g, "Swish", "a", "y");
    nw_buf bytes = onnx_model(&g, 13);
    onnx_put_text(&function, 1, "Swish");
    onnx_put_message(&bytes, 25, &function);
    nw_status status;
    nw_graph *graph = read_bytes(bytes.text, bytes.length, &status, NULL);
    ck_assert_int_eq(status, NW_OK);
    ck_assert_str_eq(graph->nodes[0].file_type, "my.domain::Relu");
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_OPAQUE);
    ck_assert_int_eq(graph->nodes[1].op, NW_OP_OPAQUE);
    nw_graph_free(graph);
    nw_buf_fini(&bytes);
}
END_TEST

/* ---- graphs inside nodes ---- */

/* depth Ifs inside each other; the innermost graph reads `w` of the outermost. */
static nw_buf nested_graph(int depth)
{
    nw_buf inner = {0};
    onnx_add_node(&inner, "Relu", "w", "in");
    for (int i = 0; i < depth; i++) {
        nw_buf outer = {0}, branch = onnx_node("If", "c", i == depth - 1 ? "y" : "in");
        onnx_add_message(&branch, "then_branch", 5, 6, &inner);
        onnx_put_message(&outer, 1, &branch);
        inner = outer;
    }
    onnx_add_value(&inner, 11, "x", 4, onnx_image);
    onnx_add_value(&inner, 12, "y", 4, onnx_image);
    onnx_add_weights(&inner, "w", (const float[]){0}, 1);
    onnx_add_weights(&inner, "c", (const float[]){0}, 1);
    return inner;
}

START_TEST(nested_graphs_are_opaque_and_read_what_they_capture)
{
    nw_buf g = nested_graph(3);
    nw_graph *graph = read_graph(&g, 13);
    ck_assert_int_eq(graph->n_nodes, 1);
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_OPAQUE);
    ck_assert_int_eq(graph->nodes[0].n_inputs, 2);
    ck_assert_str_eq(input_name(graph, 0, 0), "c");
    ck_assert_str_eq(input_name(graph, 0, 1), "w");
    ck_assert_int_gt(graph->nodes[0].opaque_bytes, 40);
    nw_graph_free(graph);
}
END_TEST

START_TEST(sixty_four_nested_graphs_are_read_and_more_refused)
{
    nw_error err;
    nw_buf g = nested_graph(64);
    nw_graph_free(read_graph(&g, 13));
    for (int depth = 65; depth < 3000; depth *= 6) {
        g = nested_graph(depth);
        ck_assert_int_eq(refuse_graph(&g, &err), NW_LIMIT);
        ck_assert_ptr_nonnull(strstr(err.message, "nested"));
    }
}
END_TEST

/* ---- size ---- */

START_TEST(a_chain_of_20000_nodes_is_read)
{
    nw_buf g = {0};
    char from[16] = "x", to[16];
    onnx_add_value(&g, 11, "x", 4, onnx_image);
    for (int i = 0; i < 20000; i++) {
        snprintf(to, sizeof to, "t%d", i);
        onnx_add_node(&g, "Relu", from, to);
        memcpy(from, to, sizeof from);
    }
    onnx_add_value(&g, 12, to, 4, onnx_image);
    nw_graph *graph = read_graph(&g, 13);
    ck_assert_int_eq(graph->n_nodes, 20000);
    nw_graph_free(graph);
}
END_TEST

/* Two bytes of file for each attribute, over 200 bytes in memory. */
START_TEST(a_file_that_swells_in_memory_is_refused)
{
    nw_error err;
    nw_buf g = onnx_graph_of_xy(), n = onnx_node("Relu", "x", "y"), empty = {0};
    for (int i = 0; i < 1000000; i++)
        onnx_put_message(&n, 5, &empty);
    onnx_put_message(&g, 1, &n);
    ck_assert_int_eq(refuse_graph(&g, &err), NW_LIMIT);
}
END_TEST

/* ---- damage ---- */

/* A small model with a bit of everything that the scan treats specially. */
static nw_buf small_model(void)
{
    nw_buf g = onnx_graph_of_xy(), conv = onnx_node("Conv", "x w", "a");
    onnx_add_ints(&conv, "pads", 4, (const int64_t[]){1, 1, 1, 1});
    onnx_put_message(&g, 1, &conv);
    onnx_add_weights(&g, "w", (const float[]){1, 2, 3}, 3);
    nw_buf inner = {0}, loop = onnx_node("Loop", "a", "b"), one = onnx_float_scalar("", 1);
    nw_buf constant = onnx_node("Constant", "", "k");
    onnx_add_node(&inner, "Add", "w b", "c");
    onnx_add_message(&loop, "body", 5, 6, &inner);
    onnx_add_message(&constant, "value", 4, 5, &one);
    onnx_put_message(&g, 1, &loop);
    onnx_put_message(&g, 1, &constant);
    onnx_add_node(&g, "Mul", "b k", "y");
    return onnx_model(&g, 13);
}

static void read_and_forget(const char *bytes, size_t n)
{
    nw_status status;
    nw_error err = {0};
    nw_graph *graph = read_bytes(bytes, n, &status, &err);
    if (status == NW_OK)
        nw_graph_free(graph);
    else
        ck_assert(err.message[0] != '\0');
}

/* Nothing is asserted but that every answer is an answer; sanitizers see the rest. */
START_TEST(a_model_cut_anywhere_is_refused_without_harm)
{
    nw_buf bytes = small_model();
    for (size_t n = 0; n < bytes.length; n++) {
        nw_status status;
        nw_graph *graph = read_bytes(bytes.text, n, &status, NULL);
        ck_assert_msg(status == NW_INVALID, "cut at %zu", n);
        ck_assert_ptr_null(graph);
    }
    read_and_forget(bytes.text, bytes.length);
    nw_buf_fini(&bytes);
}
END_TEST

START_TEST(any_flipped_bit_is_survived)
{
    nw_buf bytes = small_model();
    for (size_t i = 0; i < 8 * bytes.length; i++) {
        bytes.text[i / 8] ^= (char)(1 << i % 8);
        read_and_forget(bytes.text, bytes.length);
        bytes.text[i / 8] ^= (char)(1 << i % 8);
    }
    nw_buf_fini(&bytes);
}
END_TEST

START_TEST(broken_wire_formats_are_refused_with_their_byte)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *says;
    } cases[] = {
        {"\x3a\x80\x80\x80\x80\x80\x20", 7, "length"}, /* a graph of 2^40 bytes */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "number"}, /* eleven bytes */
        {"\x08", 1, "number"},
        {"\x3d\x01\x02", 3, "past the end"},
        {"\x3b", 1, "no field"},            /* a group that never ends */
        {"\x53\x08\x01\x5c", 4, "overlap"}, /* group 10 ends as group 11 */
        {"\x0c", 1, "never began"},
        {"\x0f", 1, "wire type"},
        {"\x00", 1, "no field"},
        {"\x38\x01", 2, "ModelProto"}, /* a graph that is a number */
        {"\x3a\x00\x3a\x00", 4, "twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_status status;
        nw_error err = {0};
        read_bytes(cases[i].bytes, cases[i].n, &status, &err);
        ck_assert_int_eq(status, NW_INVALID);
        ck_assert_msg(strstr(err.message, cases[i].says), "%zu: %s", i, err.message);
        ck_assert_int_eq(strncmp(err.where, "byte ", 5), 0);
    }
}
END_TEST

START_TEST(unknown_fields_and_groups_are_skipped)
{
    nw_buf g = onnx_graph_of_xy();
    onnx_add_node(&g, "Relu", "x", "y");
    nw_buf bytes = {0}, rest = onnx_model(&g, 13);
    nw_buf_add(&bytes, "\xa3\x06\xa3\x06\x08\x07\xa4\x06\xa4\x06", 10); /* group 100, twice */
    onnx_put_text(&bytes, 1000, "what the reader's own field says in a file");
    onnx_put_int(&bytes, 200, 1);
    nw_buf_add(&bytes, rest.text, rest.length);
    nw_status status;
    nw_graph *graph = read_bytes(bytes.text, bytes.length, &status, NULL);
    ck_assert_int_eq(status, NW_OK);
    ck_assert_int_eq(graph->n_nodes, 1);
    nw_graph_free(graph);
    nw_buf_fini(&bytes);
    nw_buf_fini(&rest);
}
END_TEST

START_TEST(groups_nested_without_end_are_refused)
{
    char bytes[100000];
    nw_status status;
    memset(bytes, 0x53, sizeof bytes);
    read_bytes(bytes, sizeof bytes, &status, NULL);
    ck_assert_int_eq(status, NW_INVALID);
}
END_TEST

START_TEST(only_models_are_recognised)
{
    static const struct {
        const char *bytes;
        size_t n;
    } others[] = {{"", 0},
                  {"{\"schema\": \"nasw.network/1\"}", 28},
                  {"\x1c\0\0\0TFL3\0\0\0\0", 12},
                  {"\x20\0\0\0TFL3\0\0\0\0", 12},
                  {"hello, this is text", 19},
                  {"\x08\x07", 2},
                  {"\0\0\0\0\0\0\0\0", 8}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        nw_status status;
        nw_error err = {0};
        nw_file *file = nw_file_from_bytes("other", others[i].bytes, others[i].n);
        ck_assert_msg(!nw_onnx_is(file), "%zu", i);
        nw_file_release(file);
        read_bytes(others[i].bytes, others[i].n, &status, &err);
        ck_assert_int_eq(status, NW_INVALID);
        ck_assert(err.message[0]);
    }
    nw_buf bytes = small_model();
    nw_file *file = nw_file_from_bytes("m", bytes.text, bytes.length);
    ck_assert(nw_onnx_is(file));
    nw_file_release(file);
    nw_buf_fini(&bytes);
}
END_TEST

/* ---- external data ---- */

typedef struct folder {
    char path[64], model[96];
} folder;

/* A folder with data.bin (16 bytes), and a link that leads out of it. */
static folder make_folder(void)
{
    folder f = {.path = "/tmp/nw_onnx_XXXXXX"};
    char name[96];
    ck_assert_ptr_nonnull(mkdtemp(f.path));
    snprintf(f.model, sizeof f.model, "%s/m.onnx", f.path);
    snprintf(name, sizeof name, "%s/data.bin", f.path);
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite("0123456789abcdef", 1, 16, file), 16);
    fclose(file);
    snprintf(name, sizeof name, "%s/out.bin", f.path);
    ck_assert_int_eq(symlink("/etc/passwd", name), 0);
    return f;
}

static void remove_folder(const folder *f)
{
    static const char *const names[] = {"data.bin", "out.bin"};
    char name[96];
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s/%s", f->path, names[i]);
        unlink(name);
    }
    rmdir(f->path);
}

static nw_buf external_model(const char *location, const char *offset, const char *length)
{
    const char *const keys[] = {"location", "offset", "length"};
    const char *const values[] = {location, offset, length};
    nw_buf g = onnx_graph_of_xy(), t = onnx_tensor("weight", ONNX_FLOAT, 1, (const int64_t[]){2});
    for (int i = 0; i < 3; i++) {
        nw_buf entry = {0};
        if (!values[i])
            continue;
        onnx_put_text(&entry, 1, keys[i]);
        onnx_put_text(&entry, 2, values[i]);
        onnx_put_message(&t, 13, &entry);
    }
    onnx_put_int(&t, 14, 1);
    onnx_put_message(&g, 5, &t);
    onnx_add_node(&g, "Add", "x weight", "y");
    return onnx_model(&g, 13);
}

/* Two floats are 8 bytes. status, whether the data were found, warnings */
static const struct {
    const char *location, *offset, *length;
    nw_status status;
    bool is_found;
} external_cases[] = {
    {"data.bin", "8", "8", NW_OK, true},
    {"data.bin", NULL, NULL, NW_OK, true},
    {"./data.bin", "0", "8", NW_OK, true},
    {"data.bin", "12", "8", NW_OK, false}, /* too short: a warning */
    {"none.bin", "0", "8", NW_OK, false},
    {"data.bin", "0", "4", NW_INVALID, false},
    {"data.bin", "-1", "8", NW_INVALID, false},
    {"data.bin", "9999999999999999999999", "8", NW_INVALID, false},
    {"data.bin", "x", "8", NW_INVALID, false},
    {NULL, "0", "8", NW_INVALID, false},
    {"", "0", "8", NW_INVALID, false},
    {"/etc/passwd", "0", "8", NW_INVALID, false},
    {"../../etc/passwd", "0", "8", NW_INVALID, false},
    {"a/../../data.bin", "0", "8", NW_INVALID, false},
    {"..", "0", "8", NW_INVALID, false},
    {"a\\..\\b", "0", "8", NW_INVALID, false},
    {"C:\\data.bin", "0", "8", NW_INVALID, false},
    {"out.bin", "0", "8", NW_INVALID, false}, /* a link out of the folder */
};

START_TEST(external_data_stay_inside_the_models_folder)
{
    folder f = make_folder();
    nw_error err = {0};
    nw_graph *graph = NULL;
    nw_buf bytes = external_model(external_cases[_i].location, external_cases[_i].offset,
                                  external_cases[_i].length);
    nw_file *file = nw_file_from_bytes(f.model, bytes.text, bytes.length);
    nw_status status = nw_onnx_read(file, &graph, &err);
    ck_assert_msg(status == external_cases[_i].status, "%s", err.message);
    if (status == NW_OK) {
        const nw_tensor *t = find(graph, "weight");
        ck_assert(t->is_stored && !t->data && t->n_bytes == 8);
        ck_assert_int_eq(t->shape.dims[0], 2);
        ck_assert_int_eq(t->file_path != NULL, external_cases[_i].is_found);
        ck_assert_int_eq(graph->n_warnings, !external_cases[_i].is_found);
        const char *offset = external_cases[_i].offset;
        if (external_cases[_i].is_found)
            ck_assert_int_eq(t->file_offset, offset ? atoi(offset) : 0);
    } else {
        ck_assert_ptr_nonnull(strstr(err.where, "weight"));
    }
    nw_graph_free(graph);
    nw_file_release(file);
    nw_buf_fini(&bytes);
    remove_folder(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("onnx");
    TCase *tcase = tcase_create("onnx");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, real_models_have_the_nodes_and_tensors_of_their_truth_files, 0,
                        (int)(sizeof shared_models / sizeof *shared_models));
    tcase_add_loop_test(tcase, external_data_stay_inside_the_models_folder, 0,
                        (int)(sizeof external_cases / sizeof *external_cases));
    const TTest *const tests[] = {
        weights_stay_in_the_file,
        integer_lists_are_unpacked_to_little_endian,
        int8_values_come_out_of_int32_data,
        data_that_do_not_fit_their_shape_are_refused,
        dimensions_that_overflow_together_are_refused,
        more_than_eight_dimensions_leave_a_shape_unknown,
        open_sizes_of_inputs_are_free_and_named,
        initializers_listed_as_inputs_are_no_inputs,
        undefined_and_doubly_defined_tensors_name_node_and_tensor,
        inputs_left_out_keep_their_place,
        clip_between_constants_0_and_6_is_relu6,
        convolution_attributes_are_read,
        impossible_convolution_attributes_are_refused,
        lists_of_one_window_are_for_the_same_axes,
        windows_over_three_axes_are_opaque,
        attributes_of_older_opsets_become_lists,
        quantised_convolution_keeps_data_inputs_and_moves_scales,
        scales_of_every_float_type_are_read,
        quantised_concatenation_keeps_every_third_input,
        resize_takes_the_list_that_is_given,
        calls_of_model_functions_and_foreign_domains_are_opaque,
        nested_graphs_are_opaque_and_read_what_they_capture,
        sixty_four_nested_graphs_are_read_and_more_refused,
        a_chain_of_20000_nodes_is_read,
        a_file_that_swells_in_memory_is_refused,
        a_model_cut_anywhere_is_refused_without_harm,
        any_flipped_bit_is_survived,
        broken_wire_formats_are_refused_with_their_byte,
        unknown_fields_and_groups_are_skipped,
        groups_nested_without_end_are_refused,
        only_models_are_recognised,
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
