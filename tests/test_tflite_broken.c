/* The reader of TensorFlow Lite files against damaged and malicious ones: whatever the bytes, a
 * graph or one line that names the culprit. Meant for the sanitizers above all. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_tflite.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

static nw_status read_bytes(const void *bytes, size_t n_bytes, nw_graph **graph, nw_error *err)
{
    nw_file *file = nw_file_from_bytes("test.tflite", bytes, n_bytes);
    nw_status status = nw_tflite_read(file, graph, err);
    nw_file_release(file);
    return status;
}

static nw_status read_made(const made_model *model, nw_graph **graph, nw_error *err)
{
    size_t n_bytes;
    uint8_t *bytes = make_tflite(model, &n_bytes);
    nw_status status = read_bytes(bytes, n_bytes, graph, err);
    free(bytes);
    return status;
}

static void ck_fails(const made_model *model, const char *where, const char *message)
{
    nw_graph *graph = NULL;
    nw_error err = {0};
    nw_status status = read_made(model, &graph, &err);
    ck_assert_int_eq(status, NW_INVALID);
    ck_assert_ptr_null(graph);
    ck_assert_msg(strstr(err.where, where) != NULL, "where: %s", err.where);
    ck_assert_msg(strstr(err.message, message) != NULL, "message: %s", err.message);
}

START_TEST(errors_name_the_culprit)
{
    static const int32_t two[] = {1, 2};
    made_tensor tensors[] = {
        {"x", 0, 2, {1, 4}}, {"kern\033el", 2, 1, {3}, two, 8}, {"y", 0, 2, {1, 4}}};
    made_op op = {0, NULL, 2, {0, 1}, 1, {2}, 11, "1", {1}};
    made_model model = {tensors, &op, 3, 1, 1, {0}, 1, {2}};
    ck_fails(&model, "tensor 1 (kern\\x1bel)", "needs 12 bytes, its buffer has 8");
    tensors[1].dims[0] = 2;
    op.inputs[1] = 3;
    ck_fails(&model, "operator 0 (ADD)", "names tensor 3 of 3");
    op.inputs[1] = -1;
    ck_fails(&model, "operator 0 (ADD)", "lacks input 1");
    op.inputs[1] = -2;
    ck_fails(&model, "operator 0 (ADD)", "names tensor -2");
    op.inputs[1] = 1;
    op.options[0] = 6;
    ck_fails(&model, "operator 0 (ADD)", "activation 6");
    op.options[0] = 0;
    op.outputs[0] = 1;
    ck_fails(&model, "operator 0 (ADD)", "a constant");
    op.outputs[0] = 2;
    op.n_outputs = 2;
    ck_fails(&model, "operator 0 (ADD)", "2 outputs");
    op.n_outputs = 1;
    tensors[2].dims[0] = -2;
    ck_fails(&model, "tensor 2 (y)", "size -2");
    tensors[2].rank = 4; /* 2^124 */
    for (int i = 0; i < 4; i++)
        tensors[2].dims[i] = INT32_MAX;
    ck_fails(&model, "tensor 2 (y)", "2^40");
    tensors[2].rank = 0;
    tensors[2].n_scales = 2;
    ck_fails(&model, "tensor 2 (y)", "axis 0");
    tensors[2].n_scales = 0;
    model.outputs[0] = 9;
    ck_fails(&model, "outputs", "tensor 9 of 3");
    model.n_inputs = 2;
    ck_fails(&model, "inputs", "twice");
}
END_TEST

START_TEST(windows_and_strides_start_at_one)
{
    const made_tensor tensors[] = {{"x", 0, 4, {1, 8, 8, 8}}, {"y", 0, 4, {1, 8, 8, 8}}};
    made_op op = {1, NULL, 1, {0}, 1, {1}, 5, "14444", {1, 1, 0, 2, 2}};
    const made_model model = {tensors, &op, 2, 1, 1, {0}, 1, {1}};
    ck_fails(&model, "AVERAGE_POOL_2D", "stride 0 x 1");
    op.options[2] = 1;
    op.options[3] = -3;
    ck_fails(&model, "AVERAGE_POOL_2D", "window of 2 x -3");
    op.options[3] = 1;
    op.options[0] = 2;
    ck_fails(&model, "AVERAGE_POOL_2D", "padding");
    op.option_sizes = NULL;
    ck_fails(&model, "AVERAGE_POOL_2D", "no options");
}
END_TEST

START_TEST(the_identifier_decides)
{
    size_t n_bytes;
    uint8_t *bytes = make_tflite(&small_model, &n_bytes);
    nw_file *file = nw_file_from_bytes("m", bytes, n_bytes);
    ck_assert(nw_tflite_is(file));
    nw_file_release(file);
    bytes[7] = '2';
    file = nw_file_from_bytes("m", bytes, n_bytes);
    ck_assert(!nw_tflite_is(file));
    nw_graph *graph = NULL;
    nw_error err;
    ck_assert_int_eq(nw_tflite_read(file, &graph, &err), NW_INVALID);
    ck_assert_str_eq(err.where, "byte 4");
    nw_file_release(file);
    file = nw_file_from_bytes("m", bytes, 7);
    ck_assert(!nw_tflite_is(file));
    nw_file_release(file);
    free(bytes);
}
END_TEST

/* The file under test must be read or refused with one printable line; under the sanitizers every
 * access counts. */
static void read_hostile(const uint8_t *bytes, size_t n_bytes)
{
    nw_graph *graph = NULL;
    nw_error err = {0};
    nw_status status = read_bytes(bytes, n_bytes, &graph, &err);
    if (status != NW_OK) {
        ck_assert_ptr_null(graph);
        ck_assert(err.message[0] != 0);
        return;
    }
    for (int i = 0; i < graph->n_tensors; i++) { /* all data lie inside the file */
        const nw_tensor *tensor = &graph->tensors[i];
        if (tensor->data && tensor->n_bytes)
            ck_assert_uint_le((uint64_t)tensor->file_offset + tensor->n_bytes, n_bytes);
    }
    nw_graph_free(graph);
}

START_TEST(a_file_cut_short_anywhere_is_refused)
{
    size_t n_bytes;
    uint8_t *bytes = make_tflite(&small_model, &n_bytes);
    for (size_t n = 0; n < n_bytes; n++) {
        nw_graph *graph = NULL;
        nw_error err = {0};
        /* the last bytes are the bias: without them its list leads out of the file */
        ck_assert_int_eq(read_bytes(bytes, n, &graph, &err), NW_INVALID);
        ck_assert_msg(strncmp(err.where, "byte ", 5) == 0 || err.where[0] == 0, "%s: %s", err.where,
                      err.message);
    }
    free(bytes);
}
END_TEST

START_TEST(every_32_bit_word_may_be_anything)
{
    static const uint32_t values[] = {0, 1, 4, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc};
    size_t n_bytes;
    uint8_t *bytes = make_tflite(&small_model, &n_bytes);
    for (size_t at = 0; at + 4 <= n_bytes; at += 2) {
        uint8_t kept[4];
        memcpy(kept, bytes + at, 4);
        for (int i = 0; i < N_OF(values); i++) {
            memcpy(bytes + at, &values[i], 4);
            read_hostile(bytes, n_bytes);
        }
        memcpy(bytes + at, kept, 4);
    }
    free(bytes);
}
END_TEST

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static void flip_bytes(uint8_t *bytes, size_t n_bytes, size_t first_kept, int n_runs)
{
    uint8_t *copy = malloc(n_bytes);
    uint64_t state = 42;
    for (int run = 0; run < n_runs; run++) {
        memcpy(copy, bytes, n_bytes);
        int n_flips = 1 + (int)(next_random(&state) % 8);
        for (int i = 0; i < n_flips; i++)
            copy[first_kept + next_random(&state) % (n_bytes - first_kept)] =
                (uint8_t)next_random(&state);
        read_hostile(copy, n_bytes);
    }
    free(copy);
}

START_TEST(any_bytes_may_be_flipped)
{
    size_t n_bytes;
    uint8_t *bytes = make_tflite(&small_model, &n_bytes);
    flip_bytes(bytes, n_bytes, 8, 20000);
    free(bytes);
}
END_TEST

/* A real file with all the tables that a converter writes. */
START_TEST(a_damaged_real_file_is_survived)
{
    const char *path = shared_path("models/mlperf_tiny_resnet_int8.tflite");
    if (!path)
        return;
    size_t n_bytes;
    uint8_t *bytes = (uint8_t *)read_text(path, &n_bytes);
    for (size_t n = 0; n < n_bytes; n += n < 4096 ? 13 : 997)
        read_hostile(bytes, n);
    flip_bytes(bytes, n_bytes, 8, 300);
    free(bytes);
}
END_TEST

/* 4000 operators with 4000 inputs each would be 64 MB of lists, in a file of 40 KB. */
START_TEST(overlapping_tables_do_not_multiply)
{
    const made_tensor tensors[] = {{"x", 0, 1, {4}}};
    const made_op op = {32, "op"};
    const made_model model = {tensors, &op, 1, 1, 1, {0}, 1, {0}, .n_shared = 4000};
    nw_graph *graph = NULL;
    nw_error err = {0};
    ck_assert_int_eq(read_made(&model, &graph, &err), NW_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "overlap"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tflite_broken");
    TCase *broken = tcase_create("broken");
    tcase_set_timeout(broken, 120);
    tcase_add_test(broken, errors_name_the_culprit);
    tcase_add_test(broken, windows_and_strides_start_at_one);
    tcase_add_test(broken, the_identifier_decides);
    tcase_add_test(broken, a_file_cut_short_anywhere_is_refused);
    tcase_add_test(broken, every_32_bit_word_may_be_anything);
    tcase_add_test(broken, any_bytes_may_be_flipped);
    tcase_add_test(broken, a_damaged_real_file_is_survived);
    tcase_add_test(broken, overlapping_tables_do_not_multiply);
    suite_add_tcase(suite, broken);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? 1 : 0;
}
