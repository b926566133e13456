/* Real models of other people against their truth files (NASW_SHARED/models, *.truth.json), which
 * were written with other tools: onnx 1.12's shape inference, a flatc-generated reader,
 * onnxruntime. What each figure means is in models/README.md there. */
#include <check.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "tests/support.h"

static const char *const models[] = {
    "blazeface_short_range.tflite",
    "deeplabv3_mnv2_dm05_pascal_quant.tflite",
    "light_squeezenet.onnx",
    "mcunet_person_det.tflite",
    "mcunet_vww.tflite",
    "mlperf_tiny_resnet_int8.tflite",
    "mlperf_tiny_vww_96_float.tflite",
    "mlperf_tiny_vww_96_int8.tflite",
    "mnist_cntk.onnx",
    "mobilenet_v1_0.25_128_quant.tflite",
    "mobilenet_v1_0.25_128_quant_edgetpu.tflite",
    "mobilenet_v2_1.0_224_quant.tflite",
    "person_detect.tflite",
    "person_detect_rpi.onnx",
    "person_detect_rpi_fp16.tflite",
    "selfie_segmentation_256.tflite",
    "tv_lraspp_mobilenet_v3_small_256.onnx",
    "tv_mobilenet_v2_w035_224.onnx",
    "tv_mobilenet_v2_w035_224_qdq.onnx",
    "tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
    "ultraface_slim_320.onnx",
    "ultraface_slim_320.tflite",
    "yunet_n_320.onnx",
};

enum { N_MODELS = sizeof models / sizeof *models };

typedef struct pair {
    nw_graph *graph;
    cJSON *truth;
} pair;

static bool load(const char *model, pair *out)
{
    char name[128];
    nw_error err;
    snprintf(name, sizeof name, "models/%s.truth.json", model);
    const char *path = shared_path(name);
    if (!path)
        return false;
    char *text = read_text(path, NULL);
    out->truth = cJSON_Parse(text);
    free(text);
    ck_assert_ptr_nonnull(out->truth);
    snprintf(name, sizeof name, "models/%s", model);
    path = shared_path(name);
    ck_assert_ptr_nonnull(path);
    if (nw_model_load(path, NULL, 0, &out->graph, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return true;
}

static void unload(pair *p)
{
    nw_graph_free(p->graph);
    cJSON_Delete(p->truth);
}

static int64_t number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    ck_assert_msg(cJSON_IsNumber(item), "the truth file has no number %s", key);
    return (int64_t)item->valuedouble;
}

START_TEST(operators_are_those_of_the_truth_file)
{
    pair p;
    if (!load(models[_i], &p))
        return;
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(p.truth, "nodes_by_op");
    int n_types;
    nw_op_count *rows = nw_graph_count_ops(p.graph, &n_types);
    ck_assert_int_eq(p.graph->n_nodes, number(p.truth, "node_count"));
    ck_assert_int_eq(n_types, cJSON_GetArraySize(wanted));
    for (int i = 0; i < n_types; i++)
        ck_assert_int_eq(rows[i].n, number(wanted, rows[i].file_type));
    free(rows);
    unload(&p);
}
END_TEST

START_TEST(macs_and_weights_are_those_of_the_truth_file)
{
    pair p;
    if (!load(models[_i], &p))
        return;
    nw_counts counts;
    nw_graph_count(p.graph, &counts);
    ck_assert_int_eq(counts.macs, number(p.truth, "macs_total"));
    ck_assert_int_eq(counts.weight_params, number(p.truth, "weight_params"));
    unload(&p);
}
END_TEST

START_TEST(peak_in_file_order_is_that_of_the_truth_file)
{
    pair p;
    if (!load(models[_i], &p))
        return;
    ck_assert_int_eq(nw_graph_peak_live_bytes_file_order(p.graph, NULL),
                     number(p.truth, "peak_live_activation_bytes_file_order"));
    unload(&p);
}
END_TEST

static void check_shape(const nw_shape *ours, const cJSON *truth, const char *what)
{
    ck_assert_msg(ours->rank == cJSON_GetArraySize(truth), "%s: rank %d", what, ours->rank);
    int i = 0;
    const cJSON *dim;
    cJSON_ArrayForEach(dim, truth)
    {
        ck_assert_msg(ours->dims[i] == (int64_t)dim->valuedouble, "%s: axis %d is %lld, not %.0f",
                      what, i, (long long)ours->dims[i], dim->valuedouble);
        i++;
    }
}

static bool is_counted(const nw_node *node)
{
    return node->op == NW_OP_CONV2D || node->op == NW_OP_CONV_TRANSPOSE ||
           node->op == NW_OP_FULLY_CONNECTED || node->op == NW_OP_MATMUL;
}

/* Every layer that computes, in file order: its operator, output shape and MACs. */
START_TEST(layers_have_the_shapes_and_macs_of_the_truth_file)
{
    pair p;
    if (!load(models[_i], &p))
        return;
    const cJSON *layer = cJSON_GetObjectItemCaseSensitive(p.truth, "layers")->child;
    for (nw_node_id id = 0; id < p.graph->n_nodes; id++) {
        const nw_node *node = &p.graph->nodes[id];
        if (!is_counted(node))
            continue;
        char label[128];
        nw_geometry geometry;
        nw_node_label(p.graph, id, label, sizeof label);
        ck_assert_msg(layer != NULL, "more layers than in the truth file, at %s", label);
        ck_assert_str_eq(cJSON_GetObjectItemCaseSensitive(layer, "op")->valuestring,
                         node->file_type);
        ck_assert_msg(nw_node_geometry(p.graph, id, &geometry), "%s has no geometry", label);
        ck_assert_int_eq(geometry.macs, number(layer, "macs"));
        check_shape(&p.graph->tensors[node->outputs[0]].shape,
                    cJSON_GetObjectItemCaseSensitive(layer, "output"), label);
        layer = layer->next;
    }
    ck_assert_msg(!layer, "fewer layers than in the truth file");
    unload(&p);
}
END_TEST

/* ultraface_slim_320.tflite stores placeholders for its outputs; the runtime's own are in
 * golden_tflite. */
static const cJSON *true_outputs(const pair *p, const char *model)
{
    if (strcmp(model, "ultraface_slim_320.tflite") != 0)
        return cJSON_GetObjectItemCaseSensitive(p->truth, "outputs");
    const cJSON *golden = cJSON_GetObjectItemCaseSensitive(p->truth, "golden_tflite");
    return cJSON_GetObjectItemCaseSensitive(golden, "outputs");
}

static const cJSON *find_name(const cJSON *list, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (strcmp(cJSON_GetObjectItemCaseSensitive(item, "name")->valuestring, name) == 0)
            return item;
    }
    return NULL;
}

static void check_border(const pair *p, const nw_tensor_id *ids, int n, const cJSON *wanted)
{
    ck_assert_int_eq(n, cJSON_GetArraySize(wanted));
    for (int i = 0; i < n; i++) {
        const nw_tensor *tensor = &p->graph->tensors[ids[i]];
        const cJSON *item = find_name(wanted, tensor->name);
        ck_assert_msg(item != NULL, "%s is not in the truth file", tensor->name);
        check_shape(&tensor->shape, cJSON_GetObjectItemCaseSensitive(item, "shape"), tensor->name);
    }
}

START_TEST(inputs_and_outputs_are_those_of_the_truth_file)
{
    pair p;
    if (!load(models[_i], &p))
        return;
    check_border(&p, p.graph->inputs, p.graph->n_inputs,
                 cJSON_GetObjectItemCaseSensitive(p.truth, "inputs"));
    check_border(&p, p.graph->outputs, p.graph->n_outputs, true_outputs(&p, models[_i]));
    unload(&p);
}
END_TEST

/* The same networks, float and quantised: the same convolutions, shapes, MACs and weights. */
START_TEST(quantised_siblings_have_the_same_convolutions)
{
    static const char *const siblings[][2] = {
        {"tv_mobilenet_v2_w035_224.onnx", "tv_mobilenet_v2_w035_224_qdq.onnx"},
        {"mlperf_tiny_vww_96_float.tflite", "mlperf_tiny_vww_96_int8.tflite"},
    };
    pair a, b;
    if (!load(siblings[_i][0], &a) || !load(siblings[_i][1], &b))
        return;
    nw_node_id other = 0;
    for (nw_node_id id = 0; id < a.graph->n_nodes; id++) {
        if (!is_counted(&a.graph->nodes[id]))
            continue;
        while (other < b.graph->n_nodes && !is_counted(&b.graph->nodes[other]))
            other++;
        ck_assert_int_lt(other, b.graph->n_nodes);
        nw_geometry x, y;
        ck_assert(nw_node_geometry(a.graph, id, &x) && nw_node_geometry(b.graph, other, &y));
        nw_tensor_id wx = nw_graph_stored_root(a.graph, x.weights);
        nw_tensor_id wy = nw_graph_stored_root(b.graph, y.weights);
        ck_assert_int_eq(nw_shape_elements(&a.graph->tensors[wx].shape),
                         nw_shape_elements(&b.graph->tensors[wy].shape));
        x.weights = y.weights = x.bias = y.bias = NW_NONE;
        ck_assert_int_eq(x.macs, y.macs);
        ck_assert(x.in_h == y.in_h && x.in_w == y.in_w && x.in_c == y.in_c && x.out_h == y.out_h &&
                  x.out_w == y.out_w && x.out_c == y.out_c && x.kernel_h == y.kernel_h &&
                  x.kernel_w == y.kernel_w && x.stride_h == y.stride_h && x.groups == y.groups);
        other++;
    }
    unload(&a);
    unload(&b);
}
END_TEST

START_TEST(a_compiled_blob_says_what_it_hides)
{
    pair p;
    if (!load("mobilenet_v1_0.25_128_quant_edgetpu.tflite", &p))
        return;
    ck_assert_int_eq(p.graph->n_warnings, 1);
    ck_assert_ptr_nonnull(strstr(p.graph->warnings[0], "1 of 1 operators cannot be analysed"));
    ck_assert_ptr_nonnull(strstr(p.graph->warnings[0], "edgetpu-custom-op"));
    ck_assert_ptr_nonnull(strstr(p.graph->warnings[0], "100 %"));
    unload(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("truth");
    TCase *tests = tcase_create("models");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, operators_are_those_of_the_truth_file, 0, N_MODELS);
    tcase_add_loop_test(tests, macs_and_weights_are_those_of_the_truth_file, 0, N_MODELS);
    tcase_add_loop_test(tests, peak_in_file_order_is_that_of_the_truth_file, 0, N_MODELS);
    tcase_add_loop_test(tests, layers_have_the_shapes_and_macs_of_the_truth_file, 0, N_MODELS);
    tcase_add_loop_test(tests, inputs_and_outputs_are_those_of_the_truth_file, 0, N_MODELS);
    tcase_add_loop_test(tests, quantised_siblings_have_the_same_convolutions, 0, 2);
    tcase_add_test(tests, a_compiled_blob_says_what_it_hides);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
