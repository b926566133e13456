/* Files that other programs accept: unusual is no reason to refuse. */
#include <check.h>
#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_onnx.h"
#include "tests/support_run.h"
#include "tests/support_tflite.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

static cJSON *estimate_bytes(const char *name, const void *bytes, size_t n, const char *options)
{
    char *folder = folder_new();
    const char *path = folder_write(folder, name, bytes, n);
    run_result r = run_nasw(NULL, "estimate %s --hw ne32 --json %s", path, options);
    ck_run(run_flaw(&r), &r);
    ck_run(r.status ? "refused" : NULL, &r);
    cJSON *json = cJSON_Parse(r.out);
    ck_run(json ? NULL : "no JSON", &r);
    run_free(&r);
    folder_free(folder);
    return json;
}

static cJSON *estimate(nw_buf *graph, int opset, const char *options)
{
    nw_buf bytes = onnx_model(graph, opset);
    cJSON *json = estimate_bytes("m.onnx", bytes.text, bytes.length, options);
    nw_buf_fini(&bytes);
    return json;
}

static void ck_number(cJSON *json, const char *key, double expected)
{
    ck_assert_double_eq(cJSON_GetObjectItem(json, key)->valuedouble, expected);
    if (strcmp(key, "unknown_kernels") == 0)
        cJSON_Delete(json);
}

/* Nothing in it is of unknown cost. Releases json. */
static void ck_known(cJSON *json, double macs)
{
    ck_number(json, "macs", macs);
    ck_number(json, "unknown_kernels", 0);
}

/* Weights of zeros, 4 bytes (2 for float16) an element. */
static void put_zeros(nw_buf *graph, const char *name, int type, int n, const int64_t *dims)
{
    static const float zeros[4096];
    int64_t elements = 1;
    for (int i = 0; i < n; i++)
        elements *= dims[i];
    nw_buf w = onnx_tensor(name, type, n, dims);
    onnx_put_bytes(&w, 9, zeros, (size_t)elements * (type == ONNX_FLOAT16 ? 2 : 4));
    onnx_put_message(graph, 5, &w);
}

/* A 1x1 convolution from 3 to 4 channels: 12 MACs a pixel, 768 over 8 x 8. */
static void put_conv(nw_buf *graph, const char *in, const char *out)
{
    char inputs[64];
    snprintf(inputs, sizeof inputs, "%s w", in);
    put_zeros(graph, "w", ONNX_FLOAT, 4, (const int64_t[]){4, 3, 1, 1});
    onnx_add_node(graph, "Conv", inputs, out);
}

#define CONV_MACS (8 * 8 * 12)

START_TEST(every_opset_of_the_last_years_is_read)
{
    nw_buf g = onnx_graph_of_xy();
    put_conv(&g, "x", "a");
    onnx_add_node(&g, "BatchNormalization", "a s s s s", "b");
    put_zeros(&g, "s", ONNX_FLOAT, 1, (const int64_t[]){4});
    onnx_add_node(&g, "Relu", "b", "c");
    onnx_add_node(&g, "GlobalAveragePool", "c", "d");
    onnx_add_node(&g, "Flatten", "d", "e");
    onnx_add_node(&g, "Softmax", "e", "y");
    cJSON *json = estimate(&g, _i, "");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(json, "warnings")), 0);
    ck_known(json, CONV_MACS);
}
END_TEST

START_TEST(empty_initializers_are_options_left_out)
{
    static const float scales[4] = {1, 1, 2, 2};
    nw_buf g = onnx_graph_of_xy();
    put_zeros(&g, "roi", ONNX_FLOAT, 1, (const int64_t[]){0});
    onnx_add_weights(&g, "scales", scales, 4);
    onnx_add_node(&g, "Resize", "x roi scales", "y");
    cJSON *json = estimate(&g, 11, "");
    const cJSON *out = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "outputs"), 0);
    const cJSON *shape = cJSON_GetObjectItem(out, "shape");
    ck_assert_int_eq(cJSON_GetArrayItem(shape, 3)->valueint, 16);
    ck_known(json, 0);
}
END_TEST

START_TEST(node_names_may_be_empty_or_repeated)
{
    nw_buf g = onnx_graph_of_xy();
    static const char *const names[] = {"same", "same", "", NULL};
    char from[4] = "x", to[4];
    for (int i = 0; i < 4; i++) {
        snprintf(to, sizeof to, i < 3 ? "t%d" : "y", i);
        nw_buf n = onnx_node("Relu", from, to);
        if (names[i])
            onnx_put_text(&n, 3, names[i]);
        onnx_put_message(&g, 1, &n);
        memcpy(from, to, sizeof from);
    }
    ck_known(estimate(&g, 13, ""), 0);
}
END_TEST

START_TEST(nodes_need_no_order)
{
    nw_buf g = onnx_graph_of_xy();
    onnx_add_node(&g, "Relu", "b", "y");
    onnx_add_node(&g, "Sigmoid", "a", "b");
    put_conv(&g, "x", "a");
    ck_known(estimate(&g, 13, ""), CONV_MACS);
}
END_TEST

START_TEST(what_nothing_uses_does_not_matter)
{
    static const int64_t odd[6] = {1, 2, 3, 4, 5, 6};
    nw_buf g = onnx_graph_of_xy(), entry = {0};
    put_conv(&g, "x", "y");
    put_zeros(&g, "unused", ONNX_FLOAT, 6, odd);
    onnx_add_value(&g, 11, "idle", 6, odd);
    onnx_add_value(&g, 13, "nowhere", 6, odd);
    onnx_add_node(&g, "Sqrt", "idle", "dangling");
    onnx_put_text(&g, 10, "a remark");
    nw_buf bytes = onnx_model(&g, 13);
    onnx_put_text(&bytes, 2, "some exporter");
    onnx_put_text(&bytes, 3, "1.0");
    onnx_put_text(&entry, 1, "author");
    onnx_put_text(&entry, 2, "somebody");
    onnx_put_message(&bytes, 14, &entry);
    onnx_put_int(&bytes, 99, 7); /* of a later version of the format */
    cJSON *json = estimate_bytes("m.onnx", bytes.text, bytes.length, "");
    nw_buf_fini(&bytes);
    ck_known(json, CONV_MACS);
}
END_TEST

START_TEST(a_fixed_batch_counts_every_picture)
{
    static const int64_t four[4] = {4, 3, 8, 8};
    nw_buf g = {0};
    onnx_add_value(&g, 11, "x", 4, four);
    onnx_add_value(&g, 12, "y", 4, four);
    put_conv(&g, "x", "y");
    ck_known(estimate(&g, 13, ""), 4 * CONV_MACS);
}
END_TEST

START_TEST(an_open_batch_is_one_or_what_is_given)
{
    static const int64_t open[4] = {0, 3, 8, 8};
    static const char *const options[] = {"", "--input x=2x3x8x8"};
    for (int i = 0; i < 2; i++) {
        nw_buf g = {0};
        onnx_add_value(&g, 11, "x", 4, open);
        onnx_add_value(&g, 12, "y", 4, open);
        put_conv(&g, "x", "y");
        ck_known(estimate(&g, 13, options[i]), (i + 1) * CONV_MACS);
    }
}
END_TEST

static nw_buf typed_value(const char *name, int type, int n, const int64_t *dims)
{
    nw_buf shape = {0}, tensor = {0}, outer = {0}, b = {0};
    for (int i = 0; i < n; i++) {
        nw_buf dim = {0};
        onnx_put_int(&dim, 1, dims[i]);
        onnx_put_message(&shape, 1, &dim);
    }
    onnx_put_int(&tensor, 1, type);
    onnx_put_message(&tensor, 2, &shape);
    onnx_put_message(&outer, 1, &tensor);
    onnx_put_text(&b, 1, name);
    onnx_put_message(&b, 2, &outer);
    return b;
}

START_TEST(half_precision_is_read)
{
    nw_buf g = {0}, x = typed_value("x", ONNX_FLOAT16, 4, onnx_image);
    nw_buf y = typed_value("y", ONNX_FLOAT16, 4, (const int64_t[]){1, 4, 8, 8});
    onnx_put_message(&g, 11, &x);
    onnx_put_message(&g, 12, &y);
    put_zeros(&g, "w", ONNX_FLOAT16, 4, (const int64_t[]){4, 3, 1, 1});
    onnx_add_node(&g, "Conv", "x w", "y");
    cJSON *json = estimate(&g, 13, "");
    ck_number(json, "weight_bytes", 2 * 12);
    ck_known(json, CONV_MACS);
}
END_TEST

/* A channel shuffle as exporters write it: 4 channels as 2 groups of 2, swapped. */
START_TEST(tensors_of_five_dimensions_pass_through)
{
    static const int64_t apart[5] = {1, 2, 2, 8, 8}, together[4] = {1, 4, 8, 8};
    nw_buf g = onnx_graph_of_xy(), n = onnx_node("Transpose", "b", "c");
    put_conv(&g, "x", "a");
    nw_buf s = onnx_raw_tensor("apart", ONNX_INT64, 5, apart, sizeof apart);
    nw_buf t = onnx_raw_tensor("together", ONNX_INT64, 4, together, sizeof together);
    onnx_put_message(&g, 5, &s);
    onnx_put_message(&g, 5, &t);
    onnx_add_node(&g, "Reshape", "a apart", "b");
    onnx_add_ints(&n, "perm", 5, (const int64_t[]){0, 2, 1, 3, 4});
    onnx_put_message(&g, 1, &n);
    onnx_add_node(&g, "Reshape", "c together", "y");
    ck_known(estimate(&g, 13, ""), CONV_MACS);
}
END_TEST

/* 3 taps over 3 channels to 4, 30 places: 3 * 3 * 4 * 30. */
START_TEST(convolutions_over_one_axis_are_counted)
{
    static const int64_t in[3] = {1, 3, 32}, w[3] = {4, 3, 3};
    nw_buf g = {0};
    onnx_add_value(&g, 11, "x", 3, in);
    onnx_add_value(&g, 12, "y", 3, in);
    put_zeros(&g, "w", ONNX_FLOAT, 3, w);
    onnx_add_node(&g, "Conv", "x w", "y");
    ck_known(estimate(&g, 13, ""), 3 * 3 * 4 * 30);
}
END_TEST

START_TEST(scalars_are_tensors)
{
    nw_buf g = onnx_graph_of_xy(), s = typed_value("gain", ONNX_FLOAT, 0, NULL);
    onnx_put_message(&g, 11, &s);
    onnx_add_node(&g, "Mul", "x gain", "y");
    ck_known(estimate(&g, 13, ""), 0);
}
END_TEST

static nw_buf branch(const char *type)
{
    nw_buf g = {0};
    onnx_add_node(&g, type, "x", "inner");
    onnx_add_value(&g, 12, "inner", 4, onnx_image);
    return g;
}

START_TEST(control_flow_is_of_unknown_cost_and_the_rest_is_known)
{
    nw_buf g = onnx_graph_of_xy(), n = onnx_node("If", "which", "a");
    nw_buf yes = branch("Relu"), no = branch("Sigmoid"), which = typed_value("which", 9, 0, NULL);
    onnx_put_message(&g, 11, &which);
    onnx_add_message(&n, "then_branch", 5, 6, &yes);
    onnx_add_message(&n, "else_branch", 5, 6, &no);
    onnx_put_message(&g, 1, &n);
    put_conv(&g, "x", "y");
    onnx_add_value(&g, 12, "a", 4, onnx_image);
    cJSON *json = estimate(&g, 13, "");
    ck_number(json, "macs", CONV_MACS);
    ck_assert_ptr_nonnull(
        strstr(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "warnings"), 0)->valuestring, "If"));
    ck_number(json, "unknown_kernels", 1);
}
END_TEST

/* Sequences (field 4), maps (5) and optional values (9) are no tensors. */
START_TEST(inputs_that_are_no_tensors_stay_unknown)
{
    static const int fields[] = {4, 5, 9};
    for (int i = 0; i < N_OF(fields); i++) {
        nw_buf g = onnx_graph_of_xy(), type = {0}, inner = {0}, input = {0};
        onnx_put_text(&inner, 1, ""); /* any message */
        onnx_put_message(&type, fields[i], &inner);
        onnx_put_text(&input, 1, "list");
        onnx_put_message(&input, 2, &type);
        onnx_put_message(&g, 11, &input);
        onnx_add_node(&g, "SequenceLength", "list", "n");
        put_conv(&g, "x", "y");
        cJSON *json = estimate(&g, 13, "");
        ck_number(json, "macs", CONV_MACS);
        const cJSON *list = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "inputs"), 1);
        ck_assert(cJSON_IsNull(cJSON_GetObjectItem(list, "shape")));
        ck_assert_str_eq(cJSON_GetObjectItem(list, "dtype")->valuestring, "opaque");
        ck_number(json, "unknown_kernels", 1);
    }
}
END_TEST

/* The operator's definition: y is as large as x, its scale and zero point are scalars. */
START_TEST(a_scale_found_at_run_time_is_a_scalar)
{
    nw_buf g = onnx_graph_of_xy();
    onnx_add_node(&g, "DynamicQuantizeLinear", "x", "y scale zero");
    onnx_add_value(&g, 12, "scale", 0, NULL);
    onnx_add_value(&g, 12, "zero", 0, NULL);
    cJSON *json = estimate(&g, 13, ""), *outputs = cJSON_GetObjectItem(json, "outputs");
    for (int i = 0; i < 3; i++) {
        const cJSON *shape = cJSON_GetObjectItem(cJSON_GetArrayItem(outputs, i), "shape");
        ck_assert_int_eq(cJSON_GetArraySize(shape), i ? 0 : 4);
    }
    cJSON_Delete(json);
}
END_TEST

START_TEST(borders_may_coincide)
{
    nw_buf g = onnx_graph_of_xy(), copy = {0};
    onnx_add_value(&g, 12, "x", 4, onnx_image); /* an input is an output */
    onnx_add_value(&g, 12, "y", 4, onnx_image); /* twice */
    put_conv(&g, "x", "y");
    onnx_add_value(&g, 12, "w", 0, NULL); /* an initializer is an output */
    ck_known(estimate(&g, 13, ""), CONV_MACS);
    onnx_add_value(&copy, 11, "x", 4, onnx_image); /* no node at all */
    onnx_add_value(&copy, 12, "x", 4, onnx_image);
    ck_known(estimate(&copy, 13, ""), 0);
}
END_TEST

START_TEST(a_network_without_inputs_is_constant)
{
    nw_buf g = {0};
    put_zeros(&g, "a", ONNX_FLOAT, 4, (const int64_t[]){1, 3, 8, 8});
    put_conv(&g, "a", "y");
    onnx_add_value(&g, 12, "y", 4, onnx_image);
    cJSON *json = estimate(&g, 13, "");
    ck_assert_ptr_nonnull(json);
    cJSON_Delete(json);
}
END_TEST

START_TEST(repeated_names_in_tflite_files_are_read)
{
    const made_tensor tensors[] = {{"same", 9, 4, {1, 8, 8, 2}, .n_scales = 1},
                                   {"same", 9, 4, {1, 8, 8, 2}, .n_scales = 1},
                                   {"", 9, 4, {1, 8, 8, 2}, .n_scales = 1}};
    const made_op ops[] = {{0, NULL, 2, {0, 0}, 1, {1}, 11, "1", {0}},
                           {0, NULL, 2, {1, 0}, 1, {2}, 11, "1", {0}}};
    const made_model model = {tensors, ops, 3, 2, 1, {0}, 1, {2}};
    size_t n;
    uint8_t *bytes = make_tflite(&model, &n);
    ck_known(estimate_bytes("m.tflite", bytes, n, ""), 0);
    free(bytes);
}
END_TEST

/* ---- the models that ONNX tests its own back ends with, from Debian's libonnx-testdata ---- */

#define TESTDATA "/usr/share/libonnx-testdata/data"

/* Sizes of a TensorProto: field 1, packed or not. It comes before all others of two bytes' key. */
static nw_shape stored_sizes(const uint8_t *bytes, size_t n)
{
    nw_shape shape = {0};
    size_t at = 0;
    while (at < n && (bytes[at] == 0x08 || bytes[at] == 0x0a)) {
        bool is_packed = bytes[at++] == 0x0a;
        size_t end = is_packed ? at + 1 + bytes[at] : at + 1;
        at += is_packed;
        while (at < end && shape.rank < NW_MAX_RANK) {
            int64_t value = 0;
            for (int shift = 0;; shift += 7) {
                value |= (int64_t)(bytes[at] & 0x7f) << shift;
                if (!(bytes[at++] & 0x80))
                    break;
            }
            shape.dims[shape.rank++] = value;
        }
    }
    return shape;
}

/* Sizes of 0 in the declaration of an input mean "open" to us, as exporters use them. */
static bool has_zero_sized_input(const char *name)
{
    return strcmp(name, "test_tril_zero") == 0 || strcmp(name, "test_triu_zero") == 0;
}

static void check_outputs(const nw_graph *graph, const char *folder, int *n_compared)
{
    for (int i = 0; i < graph->n_outputs; i++) {
        char path[1200];
        size_t n;
        const nw_tensor *tensor = &graph->tensors[graph->outputs[i]];
        snprintf(path, sizeof path, "%s/test_data_set_0/output_%d.pb", folder, i);
        char *bytes = read_text(path, &n);
        if (bytes && nw_shape_is_known(&tensor->shape)) {
            nw_shape truth = stored_sizes((const uint8_t *)bytes, n);
            ck_assert_msg(nw_shape_equal(&truth, &tensor->shape), "%s: output %d", folder, i);
            ++*n_compared;
        }
        free(bytes);
    }
}

static int check_group(const char *group, int *n_compared)
{
    char folder[256], path[1024];
    int n = 0;
    snprintf(folder, sizeof folder, "%s/%s", TESTDATA, group);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        nw_graph *graph = NULL;
        nw_error err = {0};
        if (entry->d_name[0] == '.' || has_zero_sized_input(entry->d_name))
            continue;
        snprintf(path, sizeof path, "%s/%s/model.onnx", folder, entry->d_name);
        FILE *file = fopen(path, "rb");
        if (!file)
            continue;
        fclose(file);
        nw_status status = nw_model_load(path, NULL, 0, &graph, &err);
        ck_assert_msg(status == NW_OK, "%s: %s", err.where, err.message);
        *strrchr(path, '/') = '\0';
        check_outputs(graph, path, n_compared);
        nw_graph_free(graph);
        n++;
    }
    if (dir)
        closedir(dir);
    return n;
}

/* The files output_N.pb beside each model are what the reference implementation computed. */
START_TEST(models_of_the_onnx_project_have_the_shapes_of_their_outputs)
{
    static const char *const groups[] = {"node", "pytorch-converted", "pytorch-operator", "simple"};
    int n = 0, n_compared = 0;
    for (int i = 0; i < N_OF(groups); i++)
        n += check_group(groups[i], &n_compared);
    if (!n)
        printf("skipped: the package libonnx-testdata is not there\n");
    else
        ck_assert_int_gt(n_compared, n);
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("cli_unusual");
    TCase *tcase = tcase_create("unusual");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, every_opset_of_the_last_years_is_read, 7, 22);
    const TTest *const tests[] = {
        empty_initializers_are_options_left_out,
        node_names_may_be_empty_or_repeated,
        nodes_need_no_order,
        what_nothing_uses_does_not_matter,
        a_fixed_batch_counts_every_picture,
        an_open_batch_is_one_or_what_is_given,
        half_precision_is_read,
        tensors_of_five_dimensions_pass_through,
        convolutions_over_one_axis_are_counted,
        scalars_are_tensors,
        control_flow_is_of_unknown_cost_and_the_rest_is_known,
        inputs_that_are_no_tensors_stay_unknown,
        a_scale_found_at_run_time_is_a_scalar,
        borders_may_coincide,
        a_network_without_inputs_is_constant,
        repeated_names_in_tflite_files_are_read,
        models_of_the_onnx_project_have_the_shapes_of_their_outputs,
    };
    for (int i = 0; i < N_OF(tests); i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? 1 : 0;
}
