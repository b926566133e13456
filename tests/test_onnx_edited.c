/* Edited and quantised networks written as ONNX in float, with their weights, with others, or
 * without: the model that is read back is looked at. What such models compute is checked by another
 * runtime: make test-runtime. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/format/format.h"
#include "tests/support.h"

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

static void seal(nw_graph *graph)
{
    nw_error err;
    if (nw_graph_seal(graph, NULL, 0, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
}

static nw_graph *read_back(const nw_buf *bytes)
{
    nw_error err;
    nw_graph *graph;
    nw_file *file = nw_file_from_bytes("written.onnx", bytes->text, bytes->length);
    if (nw_onnx_read(file, &graph, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_file_release(file);
    seal(graph);
    return graph;
}

static nw_graph *write_and_read(const nw_graph *graph, nw_onnx_options options,
                                nw_onnx_report *report, size_t *n_bytes)
{
    nw_buf out = {0};
    nw_error err;
    options.report = report;
    if (nw_onnx_write(graph, &options, &out, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_graph *again = read_back(&out);
    if (n_bytes)
        *n_bytes = out.length;
    nw_buf_fini(&out);
    return again;
}

static int count_op(const nw_graph *graph, nw_op op)
{
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].op == op;
    return n;
}

static int64_t macs_of(const nw_graph *graph)
{
    nw_counts counts;
    nw_graph_count(graph, &counts);
    return counts.macs;
}

/* The convolution that reads no other one's channels on its way to the output: the last. */
static nw_node_id last_conv(const nw_graph *graph)
{
    nw_node_id last = NW_NONE;
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[graph->order[i]].op == NW_OP_CONV2D)
            last = graph->order[i];
    ck_assert_int_ne(last, NW_NONE);
    return last;
}

/* A kernel of one more tap on each side of the first convolution that has a bias and is no
 * depthwise one: no other tensor changes. */
static nw_graph *grow_kernel(const nw_graph *graph, nw_tensor_id *weights)
{
    nw_graph *copy = nw_graph_copy(graph);
    for (int i = 0; i < copy->n_nodes; i++) {
        nw_node *node = &copy->nodes[i];
        nw_geometry g;
        if (node->op != NW_OP_CONV2D || !nw_node_geometry(graph, i, &g) || g.groups != 1)
            continue;
        bool is_nhwc = node->attrs.weight_layout == NW_WEIGHTS_OHWI;
        *weights = nw_graph_stored_root(graph, node->inputs[1]);
        const nw_shape *shape = &copy->tensors[*weights].shape;
        for (int k = 0; k < 2; k++) {
            int axis = (is_nhwc ? 1 : 2) + k;
            int32_t map[64] = {-1};
            int n = (int)shape->dims[axis];
            for (int at = 0; at < n; at++)
                map[at + 1] = at;
            map[n + 1] = -1;
            nw_graph_map_axis(copy, *weights, axis, map, n + 2, true, NW_EDIT_FILL_HE, 1);
        }
        node->attrs.pad_top += node->attrs.dilation_h;
        node->attrs.pad_bottom += node->attrs.dilation_h;
        node->attrs.pad_left += node->attrs.dilation_w;
        node->attrs.pad_right += node->attrs.dilation_w;
        break;
    }
    seal(copy);
    return copy;
}

/* Half of the input channels of the last convolution, and as many new ones. */
static nw_graph *swap_channels(const nw_graph *graph, nw_tensor_id *weights)
{
    static int32_t map[4096];
    nw_graph *copy = nw_graph_copy(graph);
    nw_node_id id = last_conv(graph);
    nw_geometry g;
    ck_assert(nw_node_geometry(graph, id, &g));
    *weights = nw_graph_stored_root(graph, copy->nodes[id].inputs[1]);
    const nw_shape *shape = &copy->tensors[*weights].shape;
    int axis = copy->nodes[id].attrs.weight_layout == NW_WEIGHTS_OIHW   ? 0
               : copy->nodes[id].attrs.weight_layout == NW_WEIGHTS_OHWI ? 0
                                                                        : 3;
    int64_t n = shape->dims[axis];
    for (int64_t i = 0; i < n; i++)
        map[i] = (int32_t)(i < n / 2 ? i : -1);
    nw_graph_map_axis(copy, *weights, axis, map, n, false, NW_EDIT_FILL_HE, (int32_t)g.in_c);
    seal(copy);
    return copy;
}

static double largest(const nw_tensor *tensor)
{
    double most = 0;
    for (int64_t i = 0; i < nw_shape_elements(&tensor->shape); i++)
        most = fmax(most, fabs(nw_element_read(tensor->dtype, tensor->data, i)));
    return most;
}

static const char *const quantised[] = {"mlperf_tiny_vww_96_int8.tflite",
                                        "mobilenet_v2_1.0_224_quant.tflite",
                                        "tv_mobilenet_v2_w035_224_qdq.onnx"};

START_TEST(edited_quantised_networks_are_written_in_float)
{
    for (size_t i = 0; i < sizeof quantised / sizeof *quantised; i++) {
        nw_graph *graph = load(quantised[i]);
        nw_tensor_id weights;
        nw_onnx_report report = {0};
        if (!graph)
            continue;
        nw_graph *copy = swap_channels(graph, &weights);
        nw_graph *again = write_and_read(copy, (nw_onnx_options){0}, &report, NULL);
        ck_assert(report.is_dequantised);
        ck_assert_int_eq(report.n_made_up, 0);
        ck_assert_int_eq(count_op(again, NW_OP_QUANTIZE) + count_op(again, NW_OP_DEQUANTIZE), 0);
        ck_assert_int_eq(macs_of(again), macs_of(graph));
        const nw_node *conv = &again->nodes[last_conv(again)];
        const nw_tensor *w = &again->tensors[nw_graph_stored_root(again, conv->inputs[1])];
        ck_assert_int_eq(w->dtype, NW_DTYPE_FLOAT32);
        /* real numbers, not the integers they were */
        ck_assert_double_lt(largest(w), 30);
        nw_graph_free(again);
        nw_graph_free(copy);
        nw_graph_free(graph);
    }
}
END_TEST

START_TEST(a_graph_that_quantises_by_nodes_loses_them_on_request)
{
    nw_graph *graph = load("tv_mobilenet_v2_w035_224_qdq.onnx");
    nw_onnx_report report;
    if (!graph)
        return;
    nw_graph *kept = write_and_read(graph, (nw_onnx_options){0}, &report, NULL);
    ck_assert(!report.is_dequantised);
    ck_assert_int_eq(count_op(kept, NW_OP_QUANTIZE), count_op(graph, NW_OP_QUANTIZE));
    nw_graph *real = write_and_read(graph, (nw_onnx_options){.to_float = true}, &report, NULL);
    ck_assert(report.is_dequantised);
    ck_assert_int_eq(count_op(real, NW_OP_QUANTIZE) + count_op(real, NW_OP_DEQUANTIZE), 0);
    ck_assert_int_le(count_op(real, NW_OP_IDENTITY), 1); /* the name of the output */
    ck_assert_int_eq(macs_of(real), macs_of(graph));
    nw_graph_free(kept);
    nw_graph_free(real);
    nw_graph_free(graph);
}
END_TEST

/* Zero taps around a kernel change nothing but the work: the weights are there, framed. */
START_TEST(a_grown_kernel_holds_the_old_one)
{
    nw_graph *graph = load("tv_mobilenet_v2_w035_224.onnx");
    nw_tensor_id id;
    if (!graph)
        return;
    nw_graph *copy = grow_kernel(graph, &id);
    nw_graph *again = write_and_read(copy, (nw_onnx_options){0}, NULL, NULL);
    const nw_tensor *old = &graph->tensors[id], *w = NULL;
    for (int i = 0; i < again->n_tensors; i++)
        if (strcmp(again->tensors[i].name, old->name) == 0)
            w = &again->tensors[i];
    ck_assert_ptr_nonnull(w);
    int64_t h = old->shape.dims[2], n = old->shape.dims[0] * old->shape.dims[1];
    ck_assert_int_eq(w->shape.dims[2], h + 2);
    for (int64_t k = 0; k < n; k++)
        for (int64_t y = 0; y < h + 2; y++)
            for (int64_t x = 0; x < h + 2; x++) {
                bool is_inside = x > 0 && x <= h && y > 0 && y <= h;
                double value = nw_element_read(w->dtype, w->data, (k * (h + 2) + y) * (h + 2) + x);
                double wanted =
                    is_inside ? nw_element_read(old->dtype, old->data, (k * h + y - 1) * h + x - 1)
                              : 0;
                ck_assert_double_eq(value, wanted);
            }
    nw_graph_free(again);
    nw_graph_free(copy);
    nw_graph_free(graph);
}
END_TEST

static void save_text(const char *path, const nw_buf *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text->text, 1, text->length, file), text->length);
    fclose(file);
}

/* The JSON names the file of the weights; it is found beside the JSON. */
START_TEST(an_edited_network_in_json_is_written_with_its_weights)
{
    nw_graph *graph = load("mlperf_tiny_vww_96_float.tflite"), *again;
    char folder[] = "/tmp/test_edited_XXXXXX", json[64], weights[64];
    nw_tensor_id id;
    nw_buf text = {0}, first = {0}, second = {0};
    if (!graph)
        return;
    const nw_file *file = nw_graph_file(graph);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(json, sizeof json, "%s/net.json", folder);
    snprintf(weights, sizeof weights, "%s/net.tflite", folder);
    const nw_buf bytes = {.text = (char *)file->bytes, .length = file->n_bytes};
    save_text(weights, &bytes);
    /* as if the model had been opened from its own folder */
    nw_file *local = nw_file_from_bytes("net.tflite", file->bytes, file->n_bytes);
    nw_graph_free(graph);
    ck_assert_int_eq(nw_tflite_read(local, &graph, NULL), NW_OK);
    seal(graph);
    nw_graph *copy = swap_channels(graph, &id);
    nw_network_json_write(copy, &text); /* the names are those from the model's folder */
    save_text(json, &text);
    ck_assert_int_eq(nw_model_load(json, NULL, 0, &again, NULL), NW_OK);
    ck_assert_int_eq(again->n_warnings, 0);
    ck_assert_int_eq(nw_onnx_write(copy, NULL, &first, NULL), NW_OK);
    ck_assert_int_eq(nw_onnx_write(again, NULL, &second, NULL), NW_OK);
    ck_assert_uint_eq(first.length, second.length);
    ck_assert_mem_eq(first.text, second.text, first.length);
    unlink(json);
    unlink(weights);
    rmdir(folder);
    nw_buf_fini(&text);
    nw_buf_fini(&first);
    nw_buf_fini(&second);
    nw_graph_free(again);
    nw_graph_free(copy);
    nw_graph_free(graph);
    nw_file_release(local);
}
END_TEST

/* What a saved network calls its weights, by where both are. */
START_TEST(weights_are_named_from_where_the_network_is_saved)
{
    static const struct {
        const char *model, *target, *file;
    } rows[] = {{"models/a.tflite", "models/a.json", "\"file\": \"a.tflite\""},
                {"models/a.tflite", "a.json", "\"file\": \"models/a.tflite\""},
                {"/x/models/a.tflite", "/x/b.json", "\"file\": \"models/a.tflite\""},
                {"/x/models/a.tflite", "/y/b.json", "\"file\": \"/x/models/a.tflite\""},
                {"models/a.tflite", NULL, "\"file\": \"models/a.tflite\""}};
    const char *path = shared_path("models/mlperf_tiny_vww_96_float.tflite");
    if (!path)
        return;
    size_t n_bytes;
    char *bytes = read_text(path, &n_bytes);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_file *file = nw_file_from_bytes(rows[i].model, bytes, n_bytes);
        nw_graph *graph;
        nw_buf text = {0};
        ck_assert_int_eq(nw_tflite_read(file, &graph, NULL), NW_OK);
        nw_network_json_write_to(graph, rows[i].target, NULL, 0, &text);
        ck_assert_ptr_nonnull(strstr(text.text, rows[i].file));
        nw_buf_fini(&text);
        nw_graph_free(graph);
        nw_file_release(file);
    }
    free(bytes);
}
END_TEST

/* Weights of a network that was read from JSON are in another file, not in memory: edits keep them
 * all the same. */
START_TEST(edits_of_a_saved_network_keep_its_weights)
{
    nw_graph *graph = load("tv_mobilenet_v2_w035_224.onnx");
    const nw_arch *arch, *edited, *other;
    nw_error err;
    nw_edit edits[3];
    nw_buf text = {0}, first = {0}, second = {0};
    if (!graph)
        return;
    nw_network_json_write(graph, &text);
    nw_file *file = nw_file_from_bytes("net.json", text.text, text.length);
    nw_graph *again;
    ck_assert_int_eq(nw_network_json_read(file, &again, &err), NW_OK);
    seal(again);
    ck_assert_int_eq(nw_edit_read("kernel ibn 5", &edits[0], &err), NW_OK);
    ck_assert_int_eq(nw_edit_read("width 0.75 8", &edits[1], &err), NW_OK);
    ck_assert_int_eq(nw_edit_read("width 1.5 8", &edits[2], &err), NW_OK);
    arch = nw_arch_lift(graph);
    if (nw_arch_apply(arch, edits, 3, &edited, NULL, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_arch_release(arch);
    arch = nw_arch_lift(again);
    ck_assert_int_eq(nw_arch_apply(arch, edits, 3, &other, NULL, &err), NW_OK);
    nw_arch_release(arch);
    ck_assert_int_eq(nw_onnx_write(nw_arch_graph(edited), NULL, &first, &err), NW_OK);
    ck_assert_int_eq(nw_onnx_write(nw_arch_graph(other), NULL, &second, &err), NW_OK);
    ck_assert_uint_eq(first.length, second.length);
    ck_assert_mem_eq(first.text, second.text, first.length);
    nw_buf_clear(&text);
    nw_network_json_write(nw_arch_graph(other), &text);
    ck_assert_ptr_nonnull(
        strstr(text.text, "\"edits\": [\n    \"kernel ibn 5\",\n    \"width 0.75 8\""));
    nw_arch_release(edited);
    nw_arch_release(other);
    nw_buf_fini(&text);
    nw_buf_fini(&first);
    nw_buf_fini(&second);
    nw_file_release(file);
}
END_TEST

START_TEST(the_list_of_constants_tells_what_is_new)
{
    nw_graph *graph = load("mlperf_tiny_vww_96_float.tflite");
    nw_tensor_id sliced, mixed;
    int n, n_old, seen = 0;
    if (!graph)
        return;
    nw_graph *grown = grow_kernel(graph, &sliced), *copy = swap_channels(grown, &mixed);
    nw_constant_row *rows = nw_graph_list_constants(copy, &n);
    free(nw_graph_list_constants(graph, &n_old));
    ck_assert_int_eq(n, n_old);
    for (int i = 0; i < n; i++) {
        nw_constant_origin wanted = rows[i].tensor == sliced || rows[i].tensor == mixed
                                        ? NW_CONSTANT_EXTENDED
                                        : NW_CONSTANT_KEPT;
        ck_assert_int_eq(rows[i].origin, wanted);
        ck_assert_int_eq(rows[i].n_elements,
                         nw_shape_elements(&copy->tensors[rows[i].tensor].shape));
        seen += wanted == NW_CONSTANT_EXTENDED;
        if (rows[i].tensor == mixed)
            ck_assert_int_eq(rows[i].n_new, rows[i].n_elements / 2);
    }
    ck_assert_int_eq(seen, 2);
    ck_assert_str_eq(nw_constant_origin_name(NW_CONSTANT_EXTENDED), "extended");
    free(rows);
    nw_graph_free(copy);
    nw_graph_free(grown);
    nw_graph_free(graph);
}
END_TEST

START_TEST(weights_can_be_left_out_or_made_up)
{
    static const char *const models[] = {"tv_mobilenet_v2_w035_224.onnx",
                                         "tv_mobilenet_v2_w035_224_qdq.onnx",
                                         "mlperf_tiny_vww_96_float.tflite", "mcunet_vww.tflite"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        nw_graph *graph = load(models[i]);
        size_t n_kept, n_left;
        nw_onnx_report report;
        if (!graph)
            continue;
        nw_onnx_options options = {.weights = NW_ONNX_WEIGHTS_MADE_UP, .seed = 5};
        nw_graph *other = write_and_read(graph, options, &report, &n_kept);
        ck_assert_int_gt(report.n_made_up, 20);
        options.weights = NW_ONNX_WEIGHTS_LEFT_OUT;
        nw_graph *none = write_and_read(graph, options, &report, &n_left);
        ck_assert_int_eq(report.n_made_up, 0);
        ck_assert_uint_lt(n_left * 4, n_kept);
        nw_counts a, b, c;
        nw_graph_count(graph, &a);
        nw_graph_count(other, &b);
        nw_graph_count(none, &c);
        ck_assert_int_eq(a.macs, b.macs);
        ck_assert_int_eq(a.macs, c.macs);
        ck_assert_int_eq(a.weight_params, b.weight_params);
        ck_assert_int_eq(a.weight_params, c.weight_params);
        nw_graph_free(none);
        nw_graph_free(other);
        nw_graph_free(graph);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("onnx_edited");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, edited_quantised_networks_are_written_in_float);
    tcase_add_test(tests, a_graph_that_quantises_by_nodes_loses_them_on_request);
    tcase_add_test(tests, a_grown_kernel_holds_the_old_one);
    tcase_add_test(tests, an_edited_network_in_json_is_written_with_its_weights);
    tcase_add_test(tests, weights_are_named_from_where_the_network_is_saved);
    tcase_add_test(tests, edits_of_a_saved_network_keep_its_weights);
    tcase_add_test(tests, the_list_of_constants_tells_what_is_new);
    tcase_add_test(tests, weights_can_be_left_out_or_made_up);
    Suite *suite = suite_create("onnx_edited");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
