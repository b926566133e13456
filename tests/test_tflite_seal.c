/* TensorFlow Lite files read and sealed: what the reader says of an operator and what inference
 * makes of it must together give TFLite's shapes. */
#include <check.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_tflite.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

/* ---- one operator at a time ---- */

/* Tensor 0 is the input (float32), 1 to 3 are constants (int32), 4 and 5 results. */
typedef struct shape_case {
    const char *name;
    int x_rank;
    int32_t x[5];
    struct {
        int n; /* elements; -1: a scalar; 0: none */
        int32_t values[8];
    } constants[3];
    made_op op;
    int rank;
    int64_t dims[5];
} shape_case;

/* Expected shapes are worked out by hand from TFLite's description of the operator. */
static const shape_case shape_cases[] = {
    {"transpose_conv takes the size it is told", /* 2 x 2 filter of 3 outputs, 5 inputs */
     4,
     {1, 8, 8, 5},
     {{4, {1, 15, 16, 3}}},
     {67, NULL, 3, {1, 5, 0}, 1, {4}, 49, "144", {0, 2, 2}},
     4,
     {1, 15, 16, 3}},
    {"split", 2, {3, 8}, {{-1, {1}}}, {49, NULL, 2, {1, 0}, 2, {4, 6}}, 2, {3, 4}},
    {"split_v",
     2,
     {3, 8},
     {{2, {2, 6}}, {-1, {-1}}},
     {102, NULL, 3, {0, 1, 2}, 2, {4, 6}},
     2,
     {3, 2}},
    {"slice to the end",
     2,
     {4, 8},
     {{2, {1, 3}}, {2, {2, -1}}},
     {65, NULL, 3, {0, 1, 2}, 1, {4}},
     2,
     {2, 5}},
    {"strided_slice drops a shrunk axis",
     3,
     {4, 8, 6},
     {{3, {1, 0, 0}}, {3, {2, 8, 6}}, {3, {1, 2, 4}}},
     {45, NULL, 4, {0, 1, 2, 3}, 1, {4}, 32, "44444", {0, 0, 0, 0, 1}},
     2,
     {4, 2}},
    {"strided_slice's end mask",
     2,
     {4, 9},
     {{2, {0, 3}}, {2, {2, 4}}, {2, {1, 2}}},
     {45, NULL, 4, {0, 1, 2, 3}, 1, {4}, 32, "44444", {0, 2, 0, 0, 0}},
     2,
     {2, 3}},
    {"pad", 3, {1, 8, 4}, {{6, {0, 0, 1, 2, 0, 3}}}, {34, NULL, 2, {0, 1}, 1, {4}}, 3, {1, 11, 7}},
    {"mirror_pad", 2, {4, 4}, {{4, {1, 1, 2, 2}}}, {100, NULL, 2, {0, 1}, 1, {4}}, 2, {6, 8}},
    {"reshape infers one size",
     3,
     {2, 3, 4},
     {{2, {-1, 8}}},
     {22, NULL, 2, {0, 1}, 1, {4}},
     2,
     {3, 8}},
    {"reshape by its options",
     3,
     {2, 3, 4},
     {{0}},
     {22, NULL, 1, {0}, 1, {4}, 17, "4", {0}, 2, {4, -1}},
     2,
     {4, 6}},
    {"squeeze named axes",
     4,
     {1, 3, 1, 4},
     {{0}},
     {43, NULL, 1, {0}, 1, {4}, 30, "4", {0}, 1, {2}},
     3,
     {1, 3, 4}},
    {"squeeze all", 4, {1, 3, 1, 4}, {{0}}, {43, NULL, 1, {0}, 1, {4}}, 2, {3, 4}},
    {"expand_dims", 2, {3, 4}, {{-1, {-1}}}, {70, NULL, 2, {0, 1}, 1, {4}}, 3, {3, 4, 1}},
    {"transpose", 3, {2, 3, 4}, {{3, {2, 0, 1}}}, {39, NULL, 2, {0, 1}, 1, {4}}, 3, {4, 2, 3}},
    {"broadcast_to", 2, {1, 4}, {{3, {2, 3, 4}}}, {130, NULL, 2, {0, 1}, 1, {4}}, 3, {2, 3, 4}},
    {"tile", 2, {2, 3}, {{2, {2, 3}}}, {69, NULL, 2, {0, 1}, 1, {4}}, 2, {4, 9}},
    {"resize_bilinear",
     4,
     {1, 4, 4, 3},
     {{2, {7, 9}}},
     {23, NULL, 2, {0, 1}, 1, {4}, 15, "0011"},
     4,
     {1, 7, 9, 3}},
    {"resize_nearest",
     4,
     {1, 4, 4, 3},
     {{2, {8, 2}}},
     {97, NULL, 2, {0, 1}, 1, {4}},
     4,
     {1, 8, 2, 3}},
    {"depth_to_space",
     4,
     {1, 4, 5, 8},
     {{0}},
     {5, NULL, 1, {0}, 1, {4}, 94, "4", {2}},
     4,
     {1, 8, 10, 2}},
    {"space_to_depth",
     4,
     {1, 4, 6, 2},
     {{0}},
     {26, NULL, 1, {0}, 1, {4}, 19, "4", {2}},
     4,
     {1, 2, 3, 8}},
    {"space_to_batch",
     4,
     {1, 5, 6, 3},
     {{2, {2, 3}}, {4, {0, 1, 0, 0}}},
     {38, NULL, 3, {0, 1, 2}, 1, {4}},
     4,
     {6, 3, 2, 3}},
    {"batch_to_space",
     4,
     {6, 3, 2, 3},
     {{2, {2, 3}}, {4, {0, 1, 0, 0}}},
     {37, NULL, 3, {0, 1, 2}, 1, {4}},
     4,
     {1, 5, 6, 3}},
    {"mean drops its axes",
     4,
     {1, 7, 7, 9},
     {{2, {1, 2}}},
     {40, NULL, 2, {0, 1}, 1, {4}},
     2,
     {1, 9}},
    {"sum keeps its axes",
     4,
     {1, 7, 7, 9},
     {{2, {1, 2}}},
     {74, NULL, 2, {0, 1}, 1, {4}, 27, "1", {1}},
     4,
     {1, 1, 1, 9}},
    {"arg_max", 3, {1, 5, 9}, {{-1, {-1}}}, {56, NULL, 2, {0, 1}, 1, {4}}, 2, {1, 5}},
    {"topk_v2", 2, {3, 9}, {{-1, {4}}}, {48, NULL, 2, {0, 1}, 2, {4, 6}}, 2, {3, 4}},
    {"pack", 2, {3, 4}, {{0}}, {83, NULL, 2, {0, 0}, 1, {4}, 59, "44", {2, 1}}, 3, {3, 2, 4}},
    {"unpack", 3, {3, 2, 4}, {{0}}, {88, NULL, 1, {0}, 2, {4, 6}, 64, "44", {2, 1}}, 2, {3, 4}},
    {"gather",
     3,
     {5, 6, 7},
     {{2, {0, 3}}},
     {36, NULL, 2, {0, 1}, 1, {4}, 23, "4", {1}},
     3,
     {5, 2, 7}},
    {"shape", 3, {5, 6, 7}, {{0}}, {77, NULL, 1, {0}, 1, {4}}, 1, {3}},
    {"concatenation",
     3,
     {5, 6, 7},
     {{0}},
     {2, NULL, 2, {0, 0}, 1, {4}, 10, "41", {-1}},
     3,
     {5, 6, 14}},
    {"cumsum", 2, {5, 6}, {{-1, {1}}}, {128, NULL, 2, {0, 1}, 1, {4}}, 2, {5, 6}},
    {"one_hot",
     2,
     {5, 6},
     {{-1, {9}}, {-1, {1}}, {-1, {0}}},
     {85, NULL, 4, {0, 1, 2, 3}, 1, {4}, 61, "4", {-1}},
     3,
     {5, 6, 9}},
    {"fill", 1, {4}, {{3, {2, 3, 4}}, {-1, {7}}}, {94, NULL, 2, {1, 2}, 1, {4}}, 3, {2, 3, 4}},
    {"range", 1, {4}, {{-1, {2}}, {-1, {11}}, {-1, {3}}}, {96, NULL, 3, {1, 2, 3}, 1, {4}}, 1, {3}},
    {"batch_matmul transposing its right",
     3,
     {2, 3, 4},
     {{0}},
     {126, NULL, 2, {0, 0}, 1, {4}, 101, "11", {0, 1}},
     3,
     {2, 3, 3}},
    {"average_pool SAME",
     4,
     {1, 7, 7, 3},
     {{0}},
     {1, NULL, 1, {0}, 1, {4}, 5, "14444", {0, 2, 2, 3, 3}},
     4,
     {1, 4, 4, 3}},
    {"max_pool VALID",
     4,
     {1, 7, 8, 3},
     {{0}},
     {17, NULL, 1, {0}, 1, {4}, 5, "14444", {1, 2, 2, 2, 3}},
     4,
     {1, 3, 4, 3}},
    {"select_v2", 2, {3, 4}, {{-1, {1}}}, {123, NULL, 3, {1, 0, 0}, 1, {4}}, 2, {3, 4}},
    {"squared_difference broadcasts",
     2,
     {3, 4},
     {{-1, {2}}},
     {99, NULL, 2, {0, 1}, 1, {4}},
     2,
     {3, 4}},
    {"dynamic_update_slice",
     2,
     {3, 4},
     {{-1, {2}}, {2, {0, 0}}},
     {151, NULL, 3, {0, 1, 2}, 1, {4}},
     2,
     {3, 4}},
    {"l2_normalization", 2, {3, 4}, {{0}}, {11, NULL, 1, {0}, 1, {4}}, 2, {3, 4}},
};

static nw_graph *seal_made(const made_model *model)
{
    size_t n_bytes;
    uint8_t *bytes = make_tflite(model, &n_bytes);
    nw_file *file = nw_file_from_bytes("made", bytes, n_bytes);
    nw_graph *graph = NULL;
    nw_error err = {0};
    nw_status status = nw_tflite_read(file, &graph, &err);
    if (status == NW_OK)
        status = nw_graph_seal(graph, NULL, 0, &err);
    ck_assert_msg(status == NW_OK, "%s: %s", err.where, err.message);
    nw_file_release(file);
    free(bytes);
    return graph;
}

static void check_shape(const nw_graph *graph, nw_tensor_id id, int rank, const int64_t *dims,
                        const char *what)
{
    const nw_shape *shape = &graph->tensors[id].shape;
    ck_assert_msg(shape->rank == rank, "%s: rank %d, not %d", what, shape->rank, rank);
    for (int i = 0; i < rank; i++)
        ck_assert_msg(shape->dims[i] == dims[i], "%s: axis %d is %lld, not %lld", what, i,
                      (long long)shape->dims[i], (long long)dims[i]);
}

START_TEST(shapes_follow_the_rules_of_tflite)
{
    const shape_case *row = &shape_cases[_i];
    static const float weights[3 * 2 * 2 * 5];
    made_tensor tensors[7] = {
        [0] = {"x", 0, row->x_rank},
        [4] = {"y", 0, 0},
        [5] = {"weights", 0, 4, {3, 2, 2, 5}, weights, sizeof weights},
        [6] = {"z", 0, 0},
    };
    memcpy(tensors[0].dims, row->x, sizeof row->x);
    for (int i = 0; i < 3; i++) {
        int n = row->constants[i].n;
        made_tensor *tensor = &tensors[1 + i];
        *tensor = (made_tensor){"constant", 2, n > 0, {n > 0 ? n : 0}};
        tensor->data = n ? row->constants[i].values : NULL;
        tensor->n_bytes = 4 * (size_t)(n < 0 ? 1 : n);
    }
    int pairs = row->op.code == 34 || row->op.code == 100  ? 1 /* paddings of PAD */
                : row->op.code == 37 || row->op.code == 38 ? 2 /* crops, paddings of blocks */
                                                           : 0;
    if (pairs) {
        tensors[pairs].rank = 2;
        tensors[pairs].dims[0] = row->constants[pairs - 1].n / 2;
        tensors[pairs].dims[1] = 2;
    }
    const made_model model = {tensors, &row->op, 7, 1, 1, {0}, 1, {4}};
    nw_graph *graph = seal_made(&model);
    ck_assert_int_ne(graph->nodes[0].op, NW_OP_OPAQUE);
    check_shape(graph, 4, row->rank, row->dims, row->name);
    nw_graph_free(graph);
}
END_TEST

/* 8 channels in 4 groups of 2: 16 outputs x 3 x 3 x 2 inputs x 6 x 6 pixels. */
START_TEST(grouped_convolution_macs_match_a_hand_count)
{
    static const int8_t w[16 * 3 * 3 * 2];
    const made_tensor tensors[] = {{"x", 9, 4, {1, 8, 8, 8}},
                                   {"w", 9, 4, {16, 3, 3, 2}, w, sizeof w},
                                   {"y", 9, 4, {1, 6, 6, 16}}};
    const made_op op = {3, NULL, 2, {0, 1}, 1, {2}, 1, "144", {1, 1, 1}};
    const made_model model = {tensors, &op, 3, 1, 1, {0}, 1, {2}};
    nw_graph *graph = seal_made(&model);
    nw_geometry geometry;
    ck_assert(nw_node_geometry(graph, 0, &geometry));
    ck_assert_int_eq(geometry.groups, 4);
    ck_assert_int_eq(geometry.macs, 16 * 3 * 3 * 2 * 6 * 6);
    nw_graph_free(graph);
}
END_TEST

START_TEST(an_open_height_and_width_can_be_given)
{
    made_tensor tensors[] = {{"x", 0, 4, {-1, -1, -1, 3}}, {"y", 0, 4, {1, 1, 1, 3}}};
    const made_op op = {19, NULL, 1, {0}, 1, {1}};
    const made_model model = {tensors, &op, 2, 1, 1, {0}, 1, {1}};
    size_t n_bytes;
    uint8_t *bytes = make_tflite(&model, &n_bytes);
    nw_file *file = nw_file_from_bytes("made", bytes, n_bytes);
    for (int i = 0; i < 2; i++) {
        nw_graph *graph = NULL;
        ck_assert_int_eq(nw_tflite_read(file, &graph, NULL), NW_OK);
        const nw_input_size size = {"x", {4, {1, 32, 48, 3}}};
        nw_status status = nw_graph_seal(graph, &size, i, NULL);
        ck_assert_int_eq(status, i ? NW_OK : NW_INVALID);
        if (i)
            check_shape(graph, 1, 4, (const int64_t[]){1, 32, 48, 3}, "relu");
        nw_graph_free(graph);
    }
    nw_file_release(file);
    free(bytes);
}
END_TEST

/* ---- real files ---- */

static const char *const real_files[] = {
    "blazeface_short_range",
    "deeplabv3_mnv2_dm05_pascal_quant",
    "mcunet_person_det",
    "mcunet_vww",
    "mlperf_tiny_resnet_int8",
    "mlperf_tiny_vww_96_float",
    "mlperf_tiny_vww_96_int8",
    "mobilenet_v1_0.25_128_quant",
    "mobilenet_v1_0.25_128_quant_edgetpu",
    "mobilenet_v2_1.0_224_quant",
    "person_detect",
    "person_detect_rpi_fp16",
    "selfie_segmentation_256",
    "ultraface_slim_320",
};

static cJSON *load_truth(const char *name)
{
    char relative[128];
    snprintf(relative, sizeof relative, "models/%s.tflite.truth.json", name);
    const char *path = shared_path(relative);
    if (!path)
        return NULL;
    char *text = read_text(path, NULL);
    cJSON *truth = cJSON_Parse(text);
    free(text);
    ck_assert_ptr_nonnull(truth);
    return truth;
}

static nw_graph *seal_real(const char *name)
{
    char relative[128];
    snprintf(relative, sizeof relative, "models/%s.tflite", name);
    const char *path = shared_path(relative);
    ck_assert_ptr_nonnull(path);
    nw_file *file = NULL;
    ck_assert_int_eq(nw_file_read(path, NW_MAX_MODEL_BYTES, &file, NULL), NW_OK);
    nw_graph *graph = NULL;
    nw_error err = {0};
    nw_status status = nw_tflite_read(file, &graph, &err);
    if (status == NW_OK)
        status = nw_graph_seal(graph, NULL, 0, &err);
    ck_assert_msg(status == NW_OK, "%s: %s: %s", name, err.where, err.message);
    nw_file_release(file);
    return graph;
}

static void check_truth_shape(const nw_graph *graph, nw_tensor_id id, const cJSON *list,
                              const char *what)
{
    int64_t dims[NW_MAX_RANK] = {0};
    int rank = cJSON_GetArraySize(list);
    ck_assert_int_le(rank, NW_MAX_RANK);
    for (int i = 0; i < rank; i++)
        dims[i] = cJSON_GetArrayItem(list, i)->valueint;
    check_shape(graph, id, rank, dims, what);
}

/* Input, output and MACs of every layer, and their sum. The one custom operator is in the truth
 * file's sum (it is a transposed convolution in disguise), but nothing says so in the file. */
START_TEST(layers_of_sealed_files_match_the_truth_file)
{
    cJSON *truth = load_truth(real_files[_i]);
    if (!truth)
        return;
    nw_graph *graph = seal_real(real_files[_i]);
    int64_t total = 0, opaque = 0;
    const cJSON *layer;
    cJSON_ArrayForEach(layer, cJSON_GetObjectItem(truth, "layers"))
    {
        nw_node_id id = cJSON_GetObjectItem(layer, "index")->valueint;
        const nw_node *node = &graph->nodes[id];
        int64_t macs = (int64_t)cJSON_GetObjectItem(layer, "macs")->valuedouble;
        total += macs;
        check_truth_shape(graph, node->inputs[0], cJSON_GetObjectItem(layer, "input"), node->name);
        check_truth_shape(graph, node->outputs[0], cJSON_GetObjectItem(layer, "output"),
                          node->name);
        if (node->op == NW_OP_OPAQUE) {
            opaque += macs;
            continue;
        }
        nw_geometry geometry;
        ck_assert_msg(nw_node_geometry(graph, id, &geometry), "%s", node->name);
        ck_assert_msg(geometry.macs == macs, "%s: %lld MACs, not %lld", node->name,
                      (long long)geometry.macs, (long long)macs);
        const cJSON *bias = cJSON_GetObjectItem(layer, "bias");
        if (bias)
            ck_assert_int_eq(geometry.has_bias, cJSON_IsTrue(bias));
    }
    ck_assert_int_eq(total, (int64_t)cJSON_GetObjectItem(truth, "macs_total")->valuedouble);
    nw_counts counts;
    nw_graph_count(graph, &counts);
    ck_assert_int_eq(counts.macs, total - opaque);
    nw_graph_free(graph);
    cJSON_Delete(truth);
}
END_TEST

/* Converters store the shapes they inferred; ultraface is the one file with placeholders. */
START_TEST(inferred_shapes_are_the_stored_ones)
{
    const char *name = real_files[_i];
    cJSON *truth = load_truth(name);
    if (!truth)
        return;
    cJSON_Delete(truth);
    nw_graph *graph = seal_real(name);
    bool has_placeholders = strncmp(name, "ultraface", 9) == 0;
    for (nw_tensor_id id = 0; id < graph->n_tensors && !has_placeholders; id++) {
        const nw_tensor *tensor = &graph->tensors[id];
        if (tensor->stored_shape.rank >= 0 && tensor->producer != NW_NONE)
            check_shape(graph, id, tensor->stored_shape.rank, tensor->stored_shape.dims,
                        tensor->name);
    }
    nw_graph_free(graph);
}
END_TEST

/* golden_tflite of the truth file: what TensorFlow Lite itself put out. */
START_TEST(placeholders_give_way_to_the_shapes_of_the_runtime)
{
    cJSON *truth = load_truth("ultraface_slim_320");
    if (!truth)
        return;
    nw_graph *graph = seal_real("ultraface_slim_320");
    const cJSON *golden = cJSON_GetObjectItem(truth, "golden_tflite");
    const cJSON *outputs = cJSON_GetObjectItem(golden, "outputs"), *output;
    ck_assert_int_eq(cJSON_GetArraySize(outputs), graph->n_outputs);
    int n_found = 0;
    cJSON_ArrayForEach(output, outputs)
    {
        const char *name = cJSON_GetObjectItem(output, "name")->valuestring;
        for (int i = 0; i < graph->n_outputs; i++)
            if (strcmp(graph->tensors[graph->outputs[i]].name, name) == 0) {
                check_truth_shape(graph, graph->outputs[i], cJSON_GetObjectItem(output, "shape"),
                                  name);
                n_found++;
            }
    }
    ck_assert_int_eq(n_found, graph->n_outputs);
    nw_graph_free(graph);
    cJSON_Delete(truth);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tflite_seal");
    TCase *made = tcase_create("made");
    tcase_add_loop_test(made, shapes_follow_the_rules_of_tflite, 0, N_OF(shape_cases));
    tcase_add_test(made, grouped_convolution_macs_match_a_hand_count);
    tcase_add_test(made, an_open_height_and_width_can_be_given);
    suite_add_tcase(suite, made);
    TCase *real = tcase_create("real");
    tcase_set_timeout(real, 60);
    tcase_add_loop_test(real, layers_of_sealed_files_match_the_truth_file, 0, N_OF(real_files));
    tcase_add_loop_test(real, inferred_shapes_are_the_stored_ones, 0, N_OF(real_files));
    tcase_add_test(real, placeholders_give_way_to_the_shapes_of_the_runtime);
    suite_add_tcase(suite, real);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? 1 : 0;
}
