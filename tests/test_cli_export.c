/* nasw export: a network written in another form is the same network, its input is never written
 * over, and what was made is said on stderr. */
#include <check.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_run.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

static char *folder;

static void set_up(void)
{
    folder = folder_new();
}

static void tear_down(void)
{
    folder_free(folder);
}

static const char *path_of(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* nasw export WHAT -o FOLDER/NAME OPTION VALUE, in words, since block strings may have blanks. */
static run_result export_to(const char *what, const char *name, const char *option,
                            const char *value)
{
    const char *words[] = {"export", what, "-o", path_of(name), option, value, NULL};
    return run_words(NULL, words);
}

static void export_done(const char *what, const char *name, const char *option, const char *value,
                        const char *said)
{
    run_result r = export_to(what, name, option, value);
    ck_run(run_flaw(&r), &r);
    ck_run(r.status == 0 && r.n_out == 0 && access(path_of(name), F_OK) == 0 ? NULL : "not done",
           &r);
    ck_run(strstr(r.err, said) ? NULL : said, &r);
    run_free(&r);
}

static nw_counts count(const char *path, char *outputs, size_t size)
{
    nw_graph *graph = NULL;
    nw_counts counts;
    nw_error err;
    if (nw_model_load(path, NULL, 0, &graph, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_graph_count(graph, &counts);
    snprintf(outputs, size, "%s", "");
    for (int i = 0; i < graph->n_outputs; i++)
        for (int k = 0; k < graph->tensors[graph->outputs[i]].shape.rank; k++) {
            size_t used = strlen(outputs);
            snprintf(outputs + used, size - used, "%lld ",
                     (long long)graph->tensors[graph->outputs[i]].shape.dims[k]);
        }
    nw_graph_free(graph);
    return counts;
}

static void check_same_counts(const char *source, const char *written)
{
    char in[256], out[256];
    nw_counts a = count(source, in, sizeof in), b = count(written, out, sizeof out);
    ck_assert_int_eq(a.macs, b.macs);
    ck_assert_int_eq(a.params, b.params);
    ck_assert_str_eq(in, out);
}

#define BLOCKS "cn_r1_k3_s2_c32 ir_r2_k3_s2_e6_c24_se0.25 er_r1_k3_s2_e4_c40"

START_TEST(what_is_written_is_the_same_network)
{
    static const char *const names[] = {"a.onnx", "a.json"};
    export_done(BLOCKS, names[_i], NULL, NULL, "params");
    check_same_counts(BLOCKS, path_of(names[_i]));
    export_done("demo", names[_i], NULL, NULL, "658936000 MACs");
    check_same_counts("demo", path_of(names[_i]));
}
END_TEST

START_TEST(block_strings_are_written_as_block_strings)
{
    size_t n_bytes;
    export_done("cn_r1_k3_s2_c32 ir_r2_k3_s2_e6_c24_se0.25 cn_r1_k1_s1_c40", "a.txt", NULL, NULL,
                "timm block strings");
    char *text = read_text(path_of("a.txt"), &n_bytes);
    ck_assert_str_eq(text, "cn_r1_k3_s2_c32\nir_r2_k3_s2_e6_c24_se0.25\ncn_r1_k1_s1_c40\n");
    free(text);
    export_done("demo", "b.txt", NULL, NULL, "not the whole network: ");
    export_done("demo", "b.py", NULL, NULL, "PyTorch module without weights");
}
END_TEST

START_TEST(stderr_says_what_became_of_the_weights)
{
    export_done(BLOCKS, "a.onnx", NULL, NULL, "made up after He et al. 2015: the file has no");
    export_done(path_of("a.onnx"), "b.onnx", NULL, NULL, "stored tensors: ");
    export_done(path_of("a.onnx"), "b.onnx", NULL, NULL, " kept");
    export_done(path_of("a.onnx"), "b.onnx", "--weights", "new", "made up after He et al. 2015");
    export_done(path_of("a.onnx"), "b.onnx", "--weights", "none", "weights left out");
    check_same_counts(path_of("a.onnx"), path_of("b.onnx"));
    const char *quantised = shared_path("models/person_detect.tflite");
    if (quantised)
        export_done(quantised, "c.onnx", NULL, NULL, "exported as float: a quantised network");
}
END_TEST

START_TEST(a_free_size_is_fixed_by_input)
{
    char shape[64];
    export_done("cn_r1_k3_s2_c32", "a.onnx", "--input", "1x3x64x96", "MACs");
    count(path_of("a.onnx"), shape, sizeof shape);
    ck_assert_str_eq(shape, "1 32 32 48 ");
}
END_TEST

START_TEST(the_input_is_never_written_over)
{
    char link_path[512];
    export_done(BLOCKS, "a.onnx", NULL, NULL, "MACs");
    run_result r = export_to(path_of("a.onnx"), "a.onnx", NULL, NULL);
    ck_run(run_not_refused(&r, "comes from|another"), &r);
    run_free(&r);
    snprintf(link_path, sizeof link_path, "%s", path_of("link.onnx"));
    ck_assert_int_eq(symlink(path_of("a.onnx"), link_path), 0);
    r = export_to(path_of("a.onnx"), "link.onnx", NULL, NULL);
    ck_run(run_not_refused(&r, "comes from"), &r);
    run_free(&r);
    /* the weights that a network JSON points to are input too */
    export_done(path_of("a.onnx"), "a.json", NULL, NULL, "network JSON");
    r = export_to(path_of("a.json"), "a.onnx", NULL, NULL);
    ck_run(run_not_refused(&r, "comes from"), &r);
    run_free(&r);
}
END_TEST

START_TEST(pipes_and_folders_are_not_written_over)
{
    struct stat info;
    ck_assert_int_eq(mkfifo(path_of("pipe.onnx"), 0600), 0);
    ck_assert_int_eq(mkdir(path_of("folder.onnx"), 0700), 0);
    run_result r = export_to(BLOCKS, "pipe.onnx", NULL, NULL);
    ck_run(run_not_refused(&r, "pipe.onnx|a pipe or a device"), &r);
    run_free(&r);
    ck_assert(stat(path_of("pipe.onnx"), &info) == 0 && S_ISFIFO(info.st_mode));
    r = export_to(BLOCKS, "folder.onnx", NULL, NULL);
    ck_run(run_not_refused(&r, "folder.onnx|a folder"), &r);
    run_free(&r);
}
END_TEST

START_TEST(standard_output_gets_the_network_as_json)
{
    const char *words[] = {"export", BLOCKS, "-o", "-", NULL};
    run_result r = run_words(NULL, words);
    ck_run(run_flaw(&r), &r);
    ck_run(r.status == 0 && strncmp(r.out, "{", 1) == 0 ? NULL : "no JSON", &r);
    const char *again[] = {"export", "-", "-o", path_of("a.onnx"), NULL};
    run_setup setup = {.input = r.out, .n_input = r.n_out};
    run_result other = run_words(&setup, again);
    ck_run(other.status == 0 ? NULL : "not read", &other);
    check_same_counts(BLOCKS, path_of("a.onnx"));
    run_free(&other);
    run_free(&r);
}
END_TEST

static double estimate_number(const char *const *words, const char *key)
{
    run_result r = run_words(NULL, words);
    ck_run(run_flaw(&r), &r);
    ck_run(r.status == 0 ? NULL : "not done", &r);
    cJSON *json = cJSON_Parse(r.out);
    const cJSON *item = cJSON_GetObjectItem(json, key);
    ck_run(cJSON_IsNumber(item) ? NULL : key, &r);
    double number = item->valuedouble;
    cJSON_Delete(json);
    run_free(&r);
    return number;
}

/* An inverted bottleneck 16-96-24 made fused: 9 * 16 * 96 weights in the place of 16 * 96 + 9 * 96
 * and one normalisation less (2 * 96). */
START_TEST(edits_are_made_before_a_network_is_written_or_estimated)
{
    static const char net[] = "cn_r1_k3_s2_c16 ir_r1_k3_s2_e6_c24 cn_r1_k1_s1_c40";
    static const char *const names[] = {"a.onnx", "a.json", "a.txt"};
    static const char file[] = "# the second block\n\n  variant ibn fused \r\n";
    char outputs[64];
    int64_t before = count(net, outputs, sizeof outputs).params;
    int64_t wanted = before + 9 * 16 * 96 - (16 * 96 + 9 * 96) - 2 * 96;
    const char *path = folder_write(folder, "edits.txt", file, sizeof file - 1);
    for (int i = 0; i < N_OF(names); i++) {
        export_done(net, names[i], "--edit", "variant ibn fused", "params");
        ck_assert_int_eq(count(path_of(names[i]), outputs, sizeof outputs).params, wanted);
        export_done(net, names[i], "--edits", path, "params");
        ck_assert_int_eq(count(path_of(names[i]), outputs, sizeof outputs).params, wanted);
    }
    const char *words[] = {"estimate",          net,      "--hw",   "ne32",
                           "--estimator",       "device", "--json", "--edit",
                           "variant ibn fused", NULL};
    const char *plain[] = {"estimate",    path_of("a.json"), "--hw",   "ne32",
                           "--estimator", "device",          "--json", NULL};
    ck_assert_double_eq(estimate_number(words, "params"), (double)wanted);
    ck_assert_double_eq(estimate_number(words, "latency_us"), estimate_number(plain, "latency_us"));
}
END_TEST

START_TEST(an_edited_quantised_network_says_that_it_is_float_now)
{
    const char *quantised = shared_path("models/person_detect.tflite");
    if (!quantised)
        return;
    export_done(quantised, "a.onnx", "--edit", "width 0.5 8",
                "exported as float: edited quantised network");
    export_done(quantised, "a.onnx", "--edit", "width 0.5 8", "sliced");
}
END_TEST

START_TEST(a_wrong_edit_is_refused_by_name)
{
    static const char file[] = "width 0.5 8\nwidth\n";
    static const char zero[] = "width 0.5 8\0 and more\n";
    const char *path = folder_write(folder, "edits.txt", file, sizeof file - 1);
    const char *zeros = folder_write(folder, "zero.txt", zero, sizeof zero - 1);
    const struct {
        const char *option, *value, *words;
    } rows[] = {
        {"--edit", "variant 2.1 fussed", "--edit|fussed"},
        {"--edit", "variant 99.1 fused", "99.1"},
        {"--edit", "variant 0.0 fused", "variant 0.0 fused"},
        {"--edits", path, "edits.txt line 2"},
        {"--edits", zeros, "zero.txt line 1|zero byte"},
        {"--edits", "missing.txt", "missing.txt"},
    };
    for (int i = 0; i < N_OF(rows); i++) {
        run_result r = export_to("demo", "a.onnx", rows[i].option, rows[i].value);
        ck_run(run_not_refused(&r, rows[i].words), &r);
        ck_assert_int_ne(access(path_of("a.onnx"), F_OK), 0);
        run_free(&r);
    }
}
END_TEST

START_TEST(what_cannot_be_done_is_said_in_one_line)
{
    static const struct {
        const char *what, *name, *option, *value, *words;
    } rows[] = {
        {"demo", "a.tflite", NULL, NULL, ".onnx|.json"},
        {"demo", "a", NULL, NULL, "end of the name"},
        {"demo", "none/a.onnx", NULL, NULL, "none/a.onnx"},
        {"demo", "a.onnx", "--weights", "all", "--weights all|keep"},
        {"missing.onnx", "a.onnx", NULL, NULL, "missing.onnx"},
        {"ir_r1_k3_s1_e6_c24_x5", "a.onnx", NULL, NULL, "x5"},
        {"demo", "a.onnx", "--hw", "ne32", "--hw"},
    };
    for (int i = 0; i < N_OF(rows); i++) {
        run_result r = export_to(rows[i].what, rows[i].name, rows[i].option, rows[i].value);
        ck_run(run_not_refused(&r, rows[i].words), &r);
        run_free(&r);
    }
}
END_TEST

static Suite *export_suite(void)
{
    Suite *suite = suite_create("export");
    TCase *test = tcase_create("export");
    tcase_add_checked_fixture(test, set_up, tear_down);
    tcase_set_timeout(test, 60);
    tcase_add_loop_test(test, what_is_written_is_the_same_network, 0, 2);
    tcase_add_test(test, block_strings_are_written_as_block_strings);
    tcase_add_test(test, stderr_says_what_became_of_the_weights);
    tcase_add_test(test, a_free_size_is_fixed_by_input);
    tcase_add_test(test, the_input_is_never_written_over);
    tcase_add_test(test, pipes_and_folders_are_not_written_over);
    tcase_add_test(test, standard_output_gets_the_network_as_json);
    tcase_add_test(test, edits_are_made_before_a_network_is_written_or_estimated);
    tcase_add_test(test, an_edited_quantised_network_says_that_it_is_float_now);
    tcase_add_test(test, a_wrong_edit_is_refused_by_name);
    tcase_add_test(test, what_cannot_be_done_is_said_in_one_line);
    suite_add_tcase(suite, test);
    return suite;
}

int main(void)
{
    run_prepare();
    SRunner *runner = srunner_create(export_suite());
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
