/* Networks as JSON: what is written reads back the same, and is then written the same. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/format/format.h"
#include "tests/support.h"

static nw_status read_json(const char *json, size_t n_bytes, nw_graph **out, nw_error *err)
{
    nw_file *file = nw_file_from_bytes("net.json", json, n_bytes);
    nw_status status = nw_network_json_read(file, out, err);
    nw_file_release(file);
    return status;
}

static nw_graph *read_good(const nw_buf *json)
{
    nw_error err;
    nw_graph *graph = NULL;
    if (read_json(json->text, json->length, &graph, &err) != NW_OK)
        ck_abort_msg("%s: %s\n%.2000s", err.where, err.message, json->text);
    return graph;
}

/* Bit for bit, so that NaN equals itself and -0 is not 0. */
static bool same_real(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static void check_attrs(const nw_attrs *a, const nw_attrs *b, int node)
{
    nw_attrs x = *a, y = *b;
    ck_assert_int_eq(a->n_ints, b->n_ints);
    ck_assert_int_eq(a->n_floats, b->n_floats);
    for (int i = 0; i < a->n_ints; i++)
        ck_assert_int_eq(a->ints[i], b->ints[i]);
    for (int i = 0; i < a->n_floats; i++)
        ck_assert(same_real(a->floats[i], b->floats[i]));
    ck_assert(same_real(a->alpha, b->alpha) && same_real(a->beta, b->beta));
    x.ints = y.ints = NULL;
    x.floats = y.floats = NULL;
    x.alpha = y.alpha = x.beta = y.beta = 0;
    /* up to the floats nw_attrs has no padding but behind its flags: compare what is named */
    ck_assert_msg(memcmp(&x, &y, offsetof(nw_attrs, align_corners) + 1) == 0, "attrs of node %d",
                  node);
}

/* References keep their offsets; their bytes are left out, so only inline data are compared. */
static void check_tensor(const nw_graph *one, const nw_graph *other, int id)
{
    const nw_tensor *a = &one->tensors[id], *b = &other->tensors[id];
    ck_assert_str_eq(a->name, b->name);
    ck_assert_int_eq(a->dtype, b->dtype);
    ck_assert(nw_shape_equal(&a->shape, &b->shape));
    ck_assert(nw_shape_equal(&a->stored_shape, &b->stored_shape));
    ck_assert_int_eq(a->quant.n_channels, b->quant.n_channels);
    ck_assert_int_eq(a->quant.axis, b->quant.axis);
    ck_assert_int_eq(a->quant.zero_point, b->quant.zero_point);
    ck_assert(same_real(a->quant.scale, b->quant.scale));
    ck_assert_int_eq(a->quant.scales != NULL, b->quant.scales != NULL);
    ck_assert_int_eq(a->quant.zero_points != NULL, b->quant.zero_points != NULL);
    for (int i = 0; a->quant.scales && i < a->quant.n_channels; i++)
        ck_assert(same_real(a->quant.scales[i], b->quant.scales[i]));
    for (int i = 0; a->quant.zero_points && i < a->quant.n_channels; i++)
        ck_assert_int_eq(a->quant.zero_points[i], b->quant.zero_points[i]);
    ck_assert_int_eq(a->n_bytes, b->n_bytes);
    ck_assert_int_eq(a->file_offset, b->file_offset);
    ck_assert_int_eq(a->is_input, b->is_input);
    ck_assert_int_eq(a->is_output, b->is_output);
    ck_assert_int_eq(a->is_stored, b->is_stored);
    if (one->is_sealed == other->is_sealed) {
        ck_assert_int_eq(a->is_const, b->is_const);
        ck_assert_int_eq(a->producer, b->producer);
    }
    if (a->data && b->data)
        ck_assert_mem_eq(a->data, b->data, a->n_bytes);
    if (a->data && !b->data)
        ck_assert(a->file_offset >= 0 && a->n_bytes > 1024);
}

static void check_same(const nw_graph *a, const nw_graph *b)
{
    ck_assert_str_eq(a->name, b->name);
    ck_assert_str_eq(a->format, b->format);
    ck_assert_int_eq(a->layout, b->layout);
    ck_assert_int_eq(a->n_tensors, b->n_tensors);
    ck_assert_int_eq(a->n_nodes, b->n_nodes);
    ck_assert_int_eq(a->n_inputs, b->n_inputs);
    ck_assert_int_eq(a->n_outputs, b->n_outputs);
    ck_assert_mem_eq(a->inputs, b->inputs, (size_t)a->n_inputs * sizeof *a->inputs);
    ck_assert_mem_eq(a->outputs, b->outputs, (size_t)a->n_outputs * sizeof *a->outputs);
    for (int i = 0; i < a->n_tensors; i++)
        check_tensor(a, b, i);
    for (int i = 0; i < a->n_nodes; i++) {
        const nw_node *x = &a->nodes[i], *y = &b->nodes[i];
        ck_assert_int_eq(x->op, y->op);
        ck_assert_str_eq(x->name, y->name);
        ck_assert_str_eq(x->file_type, y->file_type);
        ck_assert_int_eq(x->act, y->act);
        ck_assert_int_eq(x->opaque_bytes, y->opaque_bytes);
        ck_assert_int_eq(x->n_inputs, y->n_inputs);
        ck_assert_int_eq(x->n_outputs, y->n_outputs);
        for (int k = 0; k < x->n_inputs; k++)
            ck_assert_int_eq(x->inputs[k], y->inputs[k]);
        for (int k = 0; k < x->n_outputs; k++)
            ck_assert_int_eq(x->outputs[k], y->outputs[k]);
        check_attrs(&x->attrs, &y->attrs, i);
    }
}

/* Writes, reads, compares, writes again; returns what was read. */
static nw_graph *check_round_trip(const nw_graph *graph)
{
    nw_buf first = {0}, second = {0};
    nw_network_json_write(graph, &first);
    nw_graph *again = read_good(&first);
    check_same(graph, again);
    nw_network_json_write(again, &second);
    ck_assert_str_eq(nw_buf_text(&first), nw_buf_text(&second));
    nw_buf_fini(&first);
    nw_buf_fini(&second);
    return again;
}

static nw_tensor_id add_tensor(nw_graph *graph, const char *name, nw_dtype dtype, int rank,
                               const int64_t *dims)
{
    nw_shape shape = {.rank = rank};
    for (int i = 0; i < rank; i++)
        shape.dims[i] = dims[i];
    return nw_graph_add_tensor(graph, name, dtype, rank < 0 ? NULL : &shape);
}

/* Every form that a field can take, by hand. */
static nw_graph *make_sample(const nw_file *file)
{
    nw_graph *graph = nw_graph_new("a \"name\" \xff\x01 of any bytes", NW_LAYOUT_NCHW);
    graph->format = nw_graph_strdup(graph, "onnx opset 13");
    nw_graph_keep_file(graph, file);
    nw_tensor_id x =
        add_tensor(graph, "base64:AAAA", NW_DTYPE_FLOAT32, 4, (int64_t[]){-1, 3, 8, 8});
    nw_tensor_id w = add_tensor(graph, "weight", NW_DTYPE_INT8, 4, (int64_t[]){16, 3, 5, 5});
    nw_graph_set_data(graph, w, file->bytes + 100, 1200, 100);
    static const float scales[16] = {0.1f, 1e-45f, 3.4e38f, 1.0f / 3};
    static const int64_t points[16] = {-128, INT64_MAX, INT64_MIN, 7};
    graph->tensors[w].quant = (nw_quant){16, 0, 0.1, -128, scales, points};
    nw_tensor_id big = add_tensor(graph, "big", NW_DTYPE_FLOAT32, 2, (int64_t[]){40, 50});
    nw_graph_set_data(graph, big, NULL, 8000, 5000);
    graph->tensors[big].file_path = nw_graph_strdup(graph, "weights/\xc3\xa9.bin");
    nw_tensor_id bias = add_tensor(graph, "bias\n", NW_DTYPE_FLOAT32, 1, (int64_t[]){2});
    nw_graph_set_data(graph, bias, file->bytes + 8, 8, 8);
    nw_tensor_id made = add_tensor(graph, "made", NW_DTYPE_FLOAT32, 1, (int64_t[]){1500});
    nw_graph_set_data(graph, made, memset(nw_graph_alloc(graph, 6000), 0x5a, 6000), 6000, -1);
    nw_tensor_id list = nw_graph_add_ints(
        graph, "list", (int64_t[]){INT64_MIN, -1, 0, 9007199254740993, INT64_MAX}, 5);
    nw_tensor_id gone = add_tensor(graph, "", NW_DTYPE_UINT4, 0, NULL);
    nw_graph_set_data(graph, gone, NULL, 0, -1);
    nw_tensor_id y = add_tensor(graph, "y", NW_DTYPE_UNKNOWN, -1, NULL);
    graph->tensors[y].stored_shape = (nw_shape){.rank = 2, .dims = {0, 7}};
    graph->tensors[y].quant.scale = INFINITY;
    nw_tensor_id z = add_tensor(graph, "z", NW_DTYPE_FLOAT16, 1, (int64_t[]){4});
    graph->tensors[z].stored_shape.rank = -1;

    nw_node *node = nw_graph_add_node(graph, NW_OP_CONV2D, "conv", "Conv",
                                      (nw_tensor_id[]){x, w, NW_NONE, bias}, 4, &y, 1);
    node->attrs.stride_h = 2;
    node->attrs.pad_left = -3;
    node->attrs.groups = 0;
    node->attrs.pad_mode = NW_PAD_SAME_LOWER;
    node->attrs.weight_layout = NW_WEIGHTS_HWIO;
    node->attrs.keep_dims = false;
    node->attrs.alpha = 0.1f;
    node->attrs.beta = NAN;
    node->act = NW_ACT_RELU_N1_TO_1;
    node = nw_graph_add_node(graph, NW_OP_OPAQUE, "", "CUSTOM:\x1b[31mX", NULL, 0,
                             (nw_tensor_id[]){NW_NONE, z}, 2);
    node->opaque_bytes = 123456789;
    int64_t *ints = nw_graph_alloc(graph, 6 * sizeof *ints);
    memcpy(ints, (int64_t[]){0, 1, INT64_MAX, -5, INT64_MIN, 3}, 6 * sizeof *ints);
    float *floats = nw_graph_alloc(graph, 4 * sizeof *floats);
    memcpy(floats, (float[]){-0.0f, 1e-45f, INFINITY, 16777217.0f / 3}, 4 * sizeof *floats);
    node->attrs.ints = ints;
    node->attrs.n_ints = 6;
    node->attrs.n_axes = 2;
    node->attrs.has_ints = true;
    node->attrs.floats = floats;
    node->attrs.n_floats = 4;
    node->attrs.unary = NW_UNARY_SQUARE;
    node->attrs.compare = NW_COMPARE_XOR;
    node->attrs.resize_form = NW_RESIZE_SIZE_HW;
    node->attrs.resize_mode = NW_RESIZE_CUBIC;
    node->attrs.reduce = NW_REDUCE_OTHER;
    node->attrs.rounding = NW_ROUND_CEIL;
    node->attrs.fill = NW_FILL_SYMMETRIC;
    node->attrs.counts_pads = node->attrs.is_crd = node->attrs.to_end = true;
    node->attrs.one_from_zero = node->attrs.is_partial = true;
    nw_graph_add_node(graph, NW_OP_ADD, "sum", "Sum", (nw_tensor_id[]){made, list, gone, big}, 4,
                      NULL, 0);
    nw_graph_add_input(graph, x);
    nw_graph_add_output(graph, z);
    nw_graph_add_output(graph, y);
    return graph;
}

static nw_file *make_bytes(void)
{
    uint8_t bytes[2000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    return nw_file_from_bytes("models/\xfe.onnx", bytes, sizeof bytes);
}

START_TEST(every_field_survives)
{
    nw_file *file = make_bytes();
    nw_graph *graph = make_sample(file);
    nw_graph *again = check_round_trip(graph);
    ck_assert_str_eq(again->tensors[0].name, "base64:AAAA");
    ck_assert_str_eq(again->nodes[1].file_type, "CUSTOM:\x1b[31mX");
    ck_assert_ptr_null(again->tensors[1].data);                /* 1,200 elements: by reference */
    ck_assert_str_eq(again->tensors[1].file_path, file->path); /* the model's own file */
    ck_assert_str_eq(again->tensors[2].file_path, "weights/\xc3\xa9.bin");
    ck_assert_mem_eq(again->tensors[3].data, file->bytes + 8, 8); /* small: its bytes too */
    ck_assert_int_eq(again->tensors[4].data[5999], 0x5a);         /* made: nowhere else */
    ck_assert(isnan(again->nodes[0].attrs.beta));
    ck_assert(signbit(again->nodes[1].attrs.floats[0]));
    ck_assert_int_eq(again->n_warnings, 2); /* neither file is there */
    ck_assert_ptr_nonnull(strstr(again->warnings[0], "is not there"));
    nw_graph_free(again);
    nw_graph_free(graph);
    nw_file_release(file);
}
END_TEST

START_TEST(what_is_written_is_printable)
{
    nw_file *file = make_bytes();
    nw_graph *graph = make_sample(file);
    nw_buf json = {0};
    nw_network_json_write(graph, &json);
    for (size_t i = 0; i < json.length; i++) {
        unsigned char c = (unsigned char)json.text[i];
        ck_assert_msg((c >= 0x20 && c != 0x7f) || c == '\n', "byte %zu is %d", i, c);
    }
    nw_buf_fini(&json);
    nw_graph_free(graph);
    nw_file_release(file);
}
END_TEST

/* 40 MiB of unpacked values have no place in a file to refer to; 32 MiB of them are carried. */
START_TEST(too_much_unpacked_data_is_left_out_but_counted)
{
    nw_graph *graph = nw_graph_new("large", NW_LAYOUT_NHWC);
    size_t n = (size_t)20 << 20;
    uint8_t *bytes = calloc(1, n);
    for (int i = 0; i < 2; i++) {
        nw_tensor_id id = add_tensor(graph, "t", NW_DTYPE_INT8, 1, (int64_t[]){(int64_t)n});
        nw_graph_set_data(graph, id, bytes, n, -1);
    }
    nw_buf json = {0}, second = {0};
    nw_network_json_write(graph, &json);
    nw_graph *again = read_good(&json);
    ck_assert_ptr_nonnull(again->tensors[0].data);
    ck_assert_ptr_null(again->tensors[1].data);
    ck_assert_int_eq(again->tensors[1].n_bytes, (int64_t)n);
    nw_network_json_write(again, &second);
    ck_assert(json.length == second.length && memcmp(json.text, second.text, json.length) == 0);
    nw_buf_fini(&json);
    nw_buf_fini(&second);
    nw_graph_free(again);
    nw_graph_free(graph);
    free(bytes);
}
END_TEST

/* A file of 1,000 bytes cannot hold bytes 900 to 1,900. */
START_TEST(a_weight_file_of_another_size_is_a_warning)
{
    char folder[] = "/tmp/test_network_XXXXXX", path[64], json[400];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/w.bin", folder);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    for (int i = 0; i < 1000; i++)
        fputc(i, out);
    fclose(out);
    static const struct {
        int offset, n_warnings;
    } rows[] = {{0, 0}, {900, 1}};
    for (int i = 0; i < 2; i++) {
        nw_error err;
        nw_graph *graph = NULL;
        snprintf(json, sizeof json,
                 "{\"schema\": \"nasw.network/1\", \"layout\": \"nhwc\", \"nodes\": [],"
                 "\"file\": \"w.bin\", \"tensors\": [{\"dtype\": \"int8\", \"shape\": [1000],"
                 "\"const\": {\"offset\": %d, \"bytes\": 1000}}]}",
                 rows[i].offset);
        snprintf(path, sizeof path, "%s/net.json", folder);
        nw_file *file = nw_file_from_bytes(path, json, strlen(json));
        ck_assert_int_eq(nw_network_json_read(file, &graph, &err), NW_OK);
        ck_assert_int_eq(graph->n_warnings, rows[i].n_warnings);
        if (graph->n_warnings)
            ck_assert_ptr_nonnull(strstr(graph->warnings[0], "1000 bytes where 1900 are needed"));
        ck_assert_ptr_null(graph->tensors[0].data);
        nw_graph_free(graph);
        nw_file_release(file);
    }
    snprintf(path, sizeof path, "%s/w.bin", folder);
    unlink(path);
    rmdir(folder);
}
END_TEST

#define NET(rest)                                                                                  \
    "{\"schema\": \"nasw.network/1\", \"layout\": \"nhwc\", \"tensors\": [{\"dtype\": \"int8\","   \
    " \"shape\": [2]}, {\"dtype\": \"int64\", \"shape\": [2]}], " rest "}"
#define NODE(rest) NET("\"nodes\": [{\"op\": \"add\"}, {\"op\": \"add\", " rest "}]")
#define TENSOR(rest)                                                                               \
    "{\"schema\": \"nasw.network/1\", \"layout\": \"nhwc\", \"nodes\": [], \"tensors\": [" rest "]}"
#define EDITED(rest) CONST("\"bytes\": 0, \"edited\": {" rest "}")
#define CONST(rest)  TENSOR("{\"dtype\": \"int16\", \"shape\": [2], \"const\": {" rest "}}")

START_TEST(errors_name_the_place_in_the_json)
{
    static const struct {
        const char *json, *where, *message;
    } rows[] = {
        {NODE("\"inputs\": [0, 2]"), "nodes[1].inputs[1]", "from 0 to 1, not 2"},
        {NODE("\"inputs\": [-1]"), "nodes[1].inputs[0]", "from 0 to 1"},
        {NODE("\"inputs\": [0.5]"), "nodes[1].inputs[0]", "whole number"},
        {NODE("\"inputs\": [1e999]"), "nodes[1].inputs[0]", "whole number"},
        {NODE("\"inputs\": [true]"), "nodes[1].inputs[0]", "not true or false"},
        {NODE("\"inputs\": 0"), "nodes[1].inputs", "must be a list"},
        {NODE("\"outputs\": [\"9999999999999999999999\"]"), "nodes[1].outputs[0]", "whole"},
        {NODE("\"id\": 0"), "nodes[1].id", "from 1 to 1"},
        {NODE("\"attrs\": {\"stride_h\": 3000000000}"), "nodes[1].attrs.stride_h", "from -2147"},
        {NODE("\"attrs\": {\"stride\": 3}"), "nodes[1].attrs.stride", "unknown key"},
        {NODE("\"attrs\": {\"pad_mode\": \"same\"}"), "nodes[1].attrs.pad_mode", "\"same\""},
        {NODE("\"attrs\": {\"pad_mode\": 1}"), "nodes[1].attrs.pad_mode", "must be a name"},
        {NODE("\"attrs\": {\"keep_dims\": 1}"), "nodes[1].attrs.keep_dims", "true or false"},
        {NODE("\"attrs\": {\"alpha\": 1e39}"), "nodes[1].attrs.alpha", "within"},
        {NODE("\"attrs\": {\"alpha\": \"NaN\"}"), "nodes[1].attrs.alpha", "\"nan\""},
        {NODE("\"attrs\": {\"ints\": [1, null]}"), "nodes[1].attrs.ints[1]", "not null"},
        {NODE("\"attrs\": {\"n_axes\": 1, \"ints\": [1, 2]}"), "nodes[1].attrs.n_axes", "three"},
        {NODE("\"attrs\": {\"n_axes\": -1}"), "nodes[1].attrs.n_axes", "three"},
        {NODE("\"attrs\": []"), "nodes[1].attrs", "must be an object"},
        {NODE("\"act\": \"gelu\""), "nodes[1].act", "not known"},
        {NODE("\"opaque_bytes\": -1"), "nodes[1].opaque_bytes", "from 0"},
        {NODE("\"op\": \"sub\""), "nodes[1].op", "given twice"},
        {NODE("\"name\": \"base64:A\""), "nodes[1].name", "not base64"},
        {NODE("\"name\": \"base64:AAAA\""), "nodes[1].name", "zero byte"},
        {NODE("\"name\": 7"), "nodes[1].name", "must be a string"},
        {NODE("\"shape\": 7"), "nodes[1].shape", "unknown key"},
        {NET("\"nodes\": [{}]"), "nodes[0].op", "is missing"},
        {NET("\"nodes\": [{\"op\": \"conv\"}]"), "nodes[0].op", "no operator"},
        {NET("\"nodes\": [3]"), "nodes[0]", "must be an object"},
        {NET("\"nodes\": {}"), "nodes", "must be a list"},
        {NET("\"inputs\": [0]"), "nodes", "is missing"},
        {NET("\"nodes\": [], \"inputs\": [null]"), "inputs[0]", "not null"},
        {NET("\"nodes\": [], \"outputs\": [7]"), "outputs[0]", "from 0 to 1"},
        {NET("\"nodes\": [], \"outputs\": {}"), "outputs", "must be a list"},
        {NET("\"nodes\": [], \"extra\": 1"), "extra", "unknown key"},
        {NET("\"nodes\": [], \"nodes\": []"), "nodes", "given twice"},
        {NET("\"nodes\": [], \"name\": null"), "name", "must be a string"},
        {TENSOR("{}"), "tensors[0].dtype", "is missing"},
        {TENSOR("{\"dtype\": \"int9\"}"), "tensors[0].dtype", "\"int9\""},
        {TENSOR("{\"id\": 1, \"dtype\": \"int8\"}"), "tensors[0].id", "from 0 to 0"},
        {TENSOR("{\"dtype\": \"int8\", \"shape\": [-2]}"), "tensors[0].shape[0]", "from -1"},
        {TENSOR("{\"dtype\": \"int8\", \"shape\": [4294967296]}"), "tensors[0].shape[0]", "from"},
        {TENSOR("{\"dtype\": \"int8\", \"shape\": [2147483648, 2147483648]}"),
         "tensors[0].shape[1]", "2^40"},
        {TENSOR("{\"dtype\": \"int8\", \"shape\": [1,1,1,1,1,1,1,1,1]}"), "tensors[0].shape[8]",
         "more than 8"},
        {TENSOR("{\"dtype\": \"int8\", \"shape\": 3}"), "tensors[0].shape", "a list of sizes"},
        {TENSOR("{\"dtype\": \"int8\", \"quant\": {\"scale\": []}}"), "tensors[0].quant.scale",
         "a number"},
        {TENSOR("{\"dtype\": \"int8\", \"quant\": {\"channels\": -1}}"),
         "tensors[0].quant.channels", "from 0"},
        {TENSOR("{\"dtype\": \"int8\", \"quant\": {\"channels\": 2, \"scales\": [1]}}"),
         "tensors[0].quant.scales", "1 values for 2 channels"},
        {TENSOR("{\"dtype\": \"int8\", \"quant\": {\"channels\": 2, \"zero_points\": [1, 0.5]}}"),
         "tensors[0].quant.zero_points[1]", "whole number"},
        {TENSOR("{\"dtype\": \"int8\", \"quant\": {\"scales\": {}}}"), "tensors[0].quant.scales",
         "a list"},
        {CONST(""), "tensors[0].const", "needs one of"},
        {CONST("\"bytes\": 4, \"values\": [1, 2]"), "tensors[0].const", "needs one of"},
        {CONST("\"bytes\": -4"), "tensors[0].const.bytes", "from 0"},
        {CONST("\"bytes\": 1e18"), "tensors[0].const.bytes", "whole number"},
        {CONST("\"bytes\": 4, \"file\": \"x\""), "tensors[0].const.file", "offset"},
        {CONST("\"bytes\": 4, \"offset\": -1"), "tensors[0].const.offset", "from 0"},
        {CONST("\"bytes\": 4, \"stored\": 0"), "tensors[0].const.stored", "true or false"},
        {CONST("\"values\": [1]"), "tensors[0].const.values", "are 1, the shape has 2"},
        {CONST("\"values\": [1, 32768]"), "tensors[0].const.values[1]", "from -32768 to 32767"},
        {CONST("\"base64\": \"AAAA\""), "tensors[0].const.base64", "3 bytes, the tensor needs 4"},
        {CONST("\"base64\": \"A*==\""), "tensors[0].const.base64", "not base64"},
        {CONST("\"base64\": 4"), "tensors[0].const.base64", "must be a string"},
        {EDITED("\"dtype\": \"int16\", \"shape\": [3]"), "tensors[0].edited", "needs dtype"},
        {EDITED("\"dtype\": \"int16\", \"shape\": [3, 1], \"maps\": [null]"),
         "tensors[0].edited.shape", "as many axes"},
        {EDITED("\"dtype\": \"int16\", \"shape\": [3], \"maps\": []"), "tensors[0].edited.maps",
         "for each axis"},
        {EDITED("\"dtype\": \"int16\", \"shape\": [3], \"maps\": [[[0, 3]]]"),
         "tensors[0].edited.maps[0]", "from 1 to 2"},
        {EDITED("\"dtype\": \"int16\", \"shape\": [3], \"maps\": [[[0, 1]]]"),
         "tensors[0].edited.maps[0]", "has 1 elements, the axis 2"},
        {EDITED("\"dtype\": \"int16\", \"shape\": [3], \"maps\": [[[2, 2]]]"),
         "tensors[0].edited.maps[0]", "names element 3 of 3"},
        {EDITED("\"dtype\": \"int16\", \"shape\": [3], \"maps\": [[[-2, 2]]]"),
         "tensors[0].edited.maps[0]", "from -1"},
        {EDITED("\"dtype\": \"int16\", \"shape\": [3], \"maps\": [[[2, 1]]], \"fill\": \"he\""),
         "tensors[0].edited.maps[0]", "has 1"},
        {EDITED("\"dtype\": \"int16\", \"shape\": [3], \"maps\": [[[-1, 2]]], \"fill\": 1"),
         "tensors[0].edited.fill", "a name"},
        {EDITED("\"dtype\": \"int16\", \"shape\": [3], \"maps\": [[[-1, 2]]], \"spatial\": [1]"),
         "tensors[0].edited.spatial", "from 0 to 0"},
        {EDITED("\"dtype\": \"int16\", \"shape\": [1], \"maps\": [null]"),
         "tensors[0].edited.maps[0]", "has 1 elements, the axis 2"},
        {NODE("\"hint\": {\"bits\": 7}"), "nodes[1].hint.bits", "must be 0, 4, 8, 16 or 32"},
        {NODE("\"hint\": {\"joins\": 1}"), "nodes[1].hint.joins", "true or false"},
        {NET("\"nodes\": [], \"edits\": [1]"), "edits[0]", "must be a string"},
        {NET("\"nodes\": [], \"edits\": \"width 1\""), "edits", "a list of lines"},
        {"{\"schema\": \"nasw.network/2\", \"new\": 1}", "schema", "nasw.network/1"},
        {"{}", "schema", "nasw.network/1"},
        {"[]", "", "must be an object"},
        {"", "", "not JSON"},
        {"{\"schema\": NaN}", "", "not JSON"},
        {TENSOR("") " x", "", "not JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_error err = {0};
        nw_graph *graph = NULL;
        nw_status status = read_json(rows[i].json, strlen(rows[i].json), &graph, &err);
        ck_assert_msg(status != NW_OK, "accepted: %s", rows[i].json);
        ck_assert_msg(strcmp(err.where, rows[i].where) == 0, "%s: %s: %s", rows[i].json, err.where,
                      err.message);
        ck_assert_msg(strstr(err.message, rows[i].message), "%s: %s: %s", rows[i].json, err.where,
                      err.message);
    }
}
END_TEST

START_TEST(hostile_sizes_are_refused_before_they_cost)
{
    nw_error err;
    nw_graph *graph = NULL;
    size_t n = ((size_t)64 << 20) + 1;
    char *text = malloc(n);
    memset(text, ' ', n);
    ck_assert_int_eq(read_json(text, n, &graph, &err), NW_LIMIT);
    memset(text, '[', 200000); /* nesting */
    ck_assert_int_eq(read_json(text, 200000, &graph, &err), NW_INVALID);
    text[0] = '[';
    for (size_t i = 1; i + 1 < 8000000; i += 2) /* four million values */
        memcpy(text + i, "0,", 2);
    ck_assert_int_eq(read_json(text, 8000000, &graph, &err), NW_LIMIT);
    ck_assert_int_eq(read_json("{}\0", 3, &graph, &err), NW_INVALID); /* a zero byte */
    free(text);
}
END_TEST

/* Quadratic walking of lists would take minutes here; a timeout of libcheck is 4 s by default. */
START_TEST(twenty_thousand_nodes_take_no_time)
{
    nw_graph *graph = nw_graph_new("long", NW_LAYOUT_NHWC);
    nw_tensor_id last = add_tensor(graph, "x", NW_DTYPE_INT8, 4, (int64_t[]){1, 8, 8, 16});
    nw_graph_add_input(graph, last);
    for (int i = 0; i < 20000; i++) {
        char name[32];
        snprintf(name, sizeof name, "node %d", i);
        nw_tensor_id next = add_tensor(graph, name, NW_DTYPE_INT8, 4, (int64_t[]){1, 8, 8, 16});
        nw_graph_add_node(graph, NW_OP_RELU, name, "RELU", &last, 1, &next, 1);
        last = next;
    }
    nw_graph_add_output(graph, last);
    nw_graph_free(check_round_trip(graph));
    nw_graph_free(graph);
}
END_TEST

START_TEST(the_format_is_recognised_by_content)
{
    static const struct {
        const char *text;
        bool is;
    } rows[] = {{"{\"schema\": \"nasw.network/1\"}", true},
                {"\xef\xbb\xbf \n{ \"name\": \"x\", \"schema\":\"nasw.network/9\"}", true},
                {"{\"schema\": \"nasw.hw/1\"}", false},
                {"\"nasw.network/1\"", false},
                {"", false},
                {"{", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_file *file = nw_file_from_bytes("x", rows[i].text, strlen(rows[i].text));
        ck_assert_msg(nw_network_json_is(file) == rows[i].is, "%s", rows[i].text);
        nw_file_release(file);
    }
}
END_TEST

/* Models that nobody here made: sealed, written, read, sealed again, they count the same. */
START_TEST(real_models_survive)
{
    static const char *const models[] = {"models/mlperf_tiny_vww_96_int8.tflite",
                                         "models/mobilenet_v2_1.0_224_quant.tflite",
                                         "models/selfie_segmentation_256.tflite",
                                         "models/mobilenet_v1_0.25_128_quant_edgetpu.tflite",
                                         "models/tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
                                         "models/light_squeezenet.onnx",
                                         "models/tv_mobilenet_v2_w035_224_qdq.onnx",
                                         "models/mnist_cntk.onnx"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const char *path = shared_path(models[i]);
        nw_error err;
        nw_graph *graph;
        if (!path)
            continue;
        if (nw_model_load(path, NULL, 0, &graph, &err) != NW_OK)
            ck_abort_msg("%s: %s", err.where, err.message);
        nw_graph *again = check_round_trip(graph);
        ck_assert_int_eq(again->n_warnings, 0); /* the model is where the JSON says */
        if (nw_graph_seal(again, NULL, 0, &err) != NW_OK)
            ck_abort_msg("%s again: %s: %s", models[i], err.where, err.message);
        check_same(graph, again);
        nw_counts one, other;
        nw_graph_count(graph, &one);
        nw_graph_count(again, &other);
        ck_assert_msg(memcmp(&one, &other, sizeof one) == 0, "%s", models[i]);
        nw_graph_free(again);
        nw_graph_free(graph);
    }
}
END_TEST

/* ---- what edits leave ---- */

static void check_edited(const nw_tensor *a, const nw_tensor *b)
{
    const nw_edited *x = a->edited, *y = b->edited;
    ck_assert_int_eq(x != NULL, y != NULL);
    if (!x)
        return;
    ck_assert_int_eq(x->dtype, y->dtype);
    ck_assert(nw_shape_equal(&x->shape, &y->shape));
    ck_assert_int_eq(x->n_bytes, y->n_bytes);
    ck_assert_int_eq(x->file_offset, y->file_offset);
    ck_assert_int_eq(x->fill, y->fill);
    ck_assert_int_eq(x->fan_in, y->fan_in);
    ck_assert_int_eq(x->quant.n_channels, y->quant.n_channels);
    for (int axis = 0; axis < a->shape.rank; axis++) {
        ck_assert_int_eq(x->maps[axis] != NULL, y->maps[axis] != NULL);
        ck_assert_int_eq(x->is_spatial[axis], y->is_spatial[axis]);
        if (x->maps[axis])
            ck_assert_mem_eq(x->maps[axis], y->maps[axis],
                             (size_t)a->shape.dims[axis] * sizeof *x->maps[axis]);
    }
}

/* Every third element, backwards, two new ones, then the first half. */
static int64_t make_map(int64_t size, int32_t *map)
{
    int64_t n = 0;
    for (int64_t i = size - 1; i >= 0; i -= 3)
        map[n++] = (int32_t)i;
    map[n++] = -1;
    map[n++] = -1;
    for (int64_t i = 0; i < size / 2; i++)
        map[n++] = (int32_t)i;
    return n;
}

static void edit_constants(nw_graph *graph)
{
    static int32_t map[8192];
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++) {
        const nw_tensor *tensor = &graph->tensors[id];
        int rank = tensor->shape.rank;
        if (!tensor->is_stored || rank < 1 || tensor->shape.dims[0] > 4096)
            continue;
        nw_graph_map_axis(graph, id, 0, map, make_map(tensor->shape.dims[0], map), false,
                          NW_EDIT_FILL_HE, 27);
        if (rank == 4 && graph->tensors[id].shape.dims[3] < 4096)
            nw_graph_map_axis(graph, id, 3, map, make_map(tensor->shape.dims[3], map), true,
                              NW_EDIT_FILL_ONE, 0);
    }
    for (nw_node_id id = 0; id < graph->n_nodes; id += 3)
        graph->nodes[id].hint =
            (nw_hint){.bits = id % 2 ? 16 : 0, .is_float = id % 2, .joins = true};
}

static void check_values(const nw_tensor *a, const nw_tensor *b)
{
    void *x, *y;
    size_t n, m;
    nw_dtype p, q;
    if (!a->edited || !b->edited->data)
        return;
    ck_assert_int_eq(nw_tensor_values(a, 1, &x, &n, &p, NULL), NW_OK);
    ck_assert_int_eq(nw_tensor_values(b, 1, &y, &m, &q, NULL), NW_OK);
    ck_assert_uint_eq(n, m);
    ck_assert_int_eq(p, q);
    ck_assert_mem_eq(x, y, n);
    free(x);
    free(y);
}

START_TEST(constants_of_edits_hints_and_lines_survive)
{
    static const char *const models[] = {"models/mlperf_tiny_vww_96_int8.tflite",
                                         "models/person_detect_rpi_fp16.tflite",
                                         "models/tv_mobilenet_v2_w035_224.onnx"};
    static const char *const lines[] = {"kernel 2.1 5", "act * \"relu\"\n"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const char *path = shared_path(models[i]);
        nw_graph *graph;
        if (!path)
            continue;
        ck_assert_int_eq(nw_model_load(path, NULL, 0, &graph, NULL), NW_OK);
        nw_graph *copy = nw_graph_copy(graph);
        edit_constants(copy);
        nw_graph_set_edits(copy, lines, 2);
        nw_graph *again = check_round_trip(copy);
        for (nw_tensor_id id = 0; id < copy->n_tensors; id++) {
            check_edited(&copy->tensors[id], &again->tensors[id]);
            check_values(&copy->tensors[id], &again->tensors[id]);
        }
        for (nw_node_id id = 0; id < copy->n_nodes; id++)
            ck_assert_mem_eq(&copy->nodes[id].hint, &again->nodes[id].hint, sizeof(nw_hint));
        ck_assert_int_eq(again->n_edits, 2);
        ck_assert_str_eq(again->edits[0], lines[0]);
        ck_assert_str_eq(again->edits[1], lines[1]);
        nw_graph_free(again);
        nw_graph_free(copy);
        nw_graph_free(graph);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("network_json");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_field_survives);
    tcase_add_test(tests, what_is_written_is_printable);
    tcase_add_test(tests, too_much_unpacked_data_is_left_out_but_counted);
    tcase_add_test(tests, a_weight_file_of_another_size_is_a_warning);
    tcase_add_test(tests, errors_name_the_place_in_the_json);
    tcase_add_test(tests, hostile_sizes_are_refused_before_they_cost);
    tcase_add_test(tests, twenty_thousand_nodes_take_no_time);
    tcase_add_test(tests, the_format_is_recognised_by_content);
    tcase_add_test(tests, real_models_survive);
    tcase_add_test(tests, constants_of_edits_hints_and_lines_survive);
    Suite *suite = suite_create("network_json");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
