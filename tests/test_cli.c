/* The commands of the program as their user types them: what goes to stdout, what to stderr, and
 * the exit status. Bad files are in test_cli_broken.c, unusual ones in test_cli_unusual.c. */
#include <check.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"
#include "tests/support_onnx.h"
#include "tests/support_run.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

static run_result done(const run_setup *setup, const char *words)
{
    run_result r = run_nasw(setup, "%s", words);
    ck_run(run_flaw(&r), &r);
    ck_run(r.status == 0 ? NULL : "not done", &r);
    return r;
}

static cJSON *done_json(const char *words)
{
    run_result r = done(NULL, words);
    cJSON *json = cJSON_Parse(r.out);
    ck_run(json ? NULL : "no JSON", &r);
    run_free(&r);
    return json;
}

static double number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    ck_assert_msg(cJSON_IsNumber(item), "%s is no number", key);
    return item->valuedouble;
}

/* ---- estimate ---- */

START_TEST(the_text_has_totals_and_kernels_sorted_by_time)
{
    run_result r = done(NULL, "estimate demo --hw ne32");
    static const char *const parts[] = {"demo on ne32",     "\n  latency ", "\n  energy ",
                                        "\n  MACs ",        "\n  memory ",  "precision",
                                        "\n   #    time us"};
    for (int i = 0; i < N_OF(parts); i++)
        ck_run(strstr(r.out, parts[i]) ? NULL : parts[i], &r);
    const char *line = strchr(strstr(r.out, "   #    time us"), '\n') + 1;
    double before = INFINITY;
    int n = 0;
    for (char *end; *line; line = strchr(line, '\n') + 1, n++) {
        strtol(line, &end, 10); /* the kernel's number, then its time */
        if (*line != ' ' || end == line)
            break;
        double time = strtod(end, &end);
        ck_assert_msg(time <= before, "%.60s", line);
        before = time;
    }
    ck_assert_int_gt(n, 50);
    ck_assert_str_eq(r.err, "");
    run_free(&r);
}
END_TEST

/* The keys are those of src/DESIGN.md, section 4. */
START_TEST(the_json_has_the_promised_keys)
{
    static const char *const keys[] = {"schema",       "model",
                                       "hw",           "estimator",
                                       "latency_us",   "overhead_us",
                                       "energy_uj",    "macs",
                                       "params",       "weight_params",
                                       "weight_bytes", "peak_live_bytes",
                                       "arena_bytes",  "peak_live_bytes_file_order",
                                       "precision",    "n_ops",
                                       "ops_by_type",  "inputs",
                                       "outputs",      "fits",
                                       "reason",       "warnings",
                                       "kernels"};
    static const char *const kernel_keys[] = {
        "name",        "type",      "ops",  "out_shape", "latency_us",   "bound",
        "utilisation", "placement", "bits", "macs",      "weight_bytes", "dram_bytes",
        "sram_bytes",  "cycles",    "tile", "why",       "warnings"};
    static const char *const cycles[] = {"compute", "sram", "dram", "weights", "overhead", "host"};
    cJSON *json = done_json("estimate demo --hw ne32 --json");
    for (int i = 0; i < N_OF(keys); i++)
        ck_assert_msg(cJSON_HasObjectItem(json, keys[i]), "%s", keys[i]);
    ck_assert_str_eq(cJSON_GetObjectItem(json, "schema")->valuestring, "nasw.estimate/1");
    const cJSON *kernel;
    cJSON_ArrayForEach(kernel, cJSON_GetObjectItem(json, "kernels"))
    {
        for (int i = 0; i < N_OF(kernel_keys); i++)
            ck_assert_msg(cJSON_HasObjectItem(kernel, kernel_keys[i]), "%s", kernel_keys[i]);
        const cJSON *parts = cJSON_GetObjectItem(kernel, "cycles");
        ck_assert_int_eq(cJSON_GetArraySize(parts), N_OF(cycles));
        for (int i = 0; i < N_OF(cycles); i++)
            ck_assert_msg(cJSON_HasObjectItem(parts, cycles[i]), "%s", cycles[i]);
        ck_assert(cJSON_HasObjectItem(parts, cJSON_GetObjectItem(kernel, "bound")->valuestring));
    }
    cJSON_Delete(json);
}
END_TEST

/* Totals are sums over kernels (section 6 of src/DESIGN.md); a kernel's latency has six decimals
 * of a microsecond, so n of them are off by n * 0.5e-6 at most. */
START_TEST(totals_are_the_sums_over_the_kernels)
{
    static const char *const hws[] = {"ne32", "systolic16-ws", "u65-512", "dpu-b4096"};
    char words[128];
    snprintf(words, sizeof words, "estimate demo --hw %s --json", hws[_i]);
    cJSON *json = done_json(words);
    double latency = number(json, "overhead_us"), macs = 0, energy = 0, dram = 0;
    int n_kernels = 0, n_ops = 0;
    const cJSON *kernel;
    cJSON_ArrayForEach(kernel, cJSON_GetObjectItem(json, "kernels"))
    {
        latency += number(kernel, "latency_us");
        macs += number(kernel, "macs");
        energy += number(kernel, "energy_fj") / 1e9;
        dram += number(kernel, "dram_bytes");
        n_ops += cJSON_GetArraySize(cJSON_GetObjectItem(kernel, "ops"));
        n_kernels++;
    }
    ck_assert_double_le(fabs(latency - number(json, "latency_us")), 1e-6 * n_kernels);
    ck_assert_double_le(fabs(energy - number(json, "energy_uj")), 1e-6 * n_kernels);
    ck_assert_double_eq(macs, number(json, "macs"));
    ck_assert_double_eq(dram, number(json, "dram_bytes"));
    ck_assert_int_eq(n_ops, (int)number(json, "n_ops"));
    const cJSON *type;
    cJSON_ArrayForEach(type, cJSON_GetObjectItem(json, "ops_by_type"))
    {
        n_ops -= type->valueint;
    }
    ck_assert_int_eq(n_ops, 0);
    cJSON_Delete(json);
}
END_TEST

START_TEST(the_csv_has_a_row_for_each_kernel)
{
    cJSON *json = done_json("estimate demo --hw ne32 --json");
    run_result r = done(NULL, "estimate demo --hw ne32 --csv");
    int n_lines = 0, n_columns = -1;
    for (const char *s = r.out; *s; s++) {
        int n = 1;
        bool is_quoted = false;
        for (; *s != '\n'; s++) {
            is_quoted ^= *s == '"';
            n += *s == ',' && !is_quoted;
        }
        n_columns = n_columns < 0 ? n : n_columns;
        ck_assert_int_eq(n, n_columns);
        n_lines++;
    }
    ck_assert_int_eq(n_lines - 1, cJSON_GetArraySize(cJSON_GetObjectItem(json, "kernels")));
    run_free(&r);
    cJSON_Delete(json);
}
END_TEST

START_TEST(a_precision_is_what_the_answer_says)
{
    cJSON *narrow = done_json("estimate demo --hw ne32 --json --precision int8");
    cJSON *wide = done_json("estimate demo --hw ne32 --json --precision=int16");
    ck_assert_ptr_nonnull(strstr(cJSON_GetObjectItem(wide, "precision")->valuestring, "int16"));
    ck_assert_double_gt(number(wide, "latency_us"), number(narrow, "latency_us"));
    ck_assert_double_eq(number(wide, "macs"), number(narrow, "macs"));
    cJSON_Delete(narrow);
    cJSON_Delete(wide);
}
END_TEST

/* ---- wrong usage ---- */

static const struct {
    const char *words, *said;
    int status;
} wrong[] = {
    {"", "no terminal: use --script", 2},
    {"frobnicate", "unknown command frobnicate", 2},
    {"estimate demo --hw ne32 --precision nonsense", "--precision|nonsense", 2},
    {"estimate demo --hw nowhere", "nowhere|no such hardware", 1},
    {"estimate demo --hw ne32 --frobnicate", "unknown option --frobnicate", 2},
    {"estimate demo --hw", "--hw needs a value", 2},
    {"estimate demo --hw=", "--hw needs a value", 2},
    {"estimate demo --hw --json", "--hw needs a value", 2},
    {"estimate demo --hw ne32 --precision=", "--precision needs a value", 2},
    {"estimate demo --hw ne32 --json=no", "--json takes no value", 2},
    {"estimate demo --hw ne32 --json --csv", "--json and --csv", 2},
    {"estimate demo --hw ne32 --estimator oracle", "--estimator|oracle|device", 2},
    {"estimate demo --hw ne32 -o x.csv", "estimate|-o", 2},
    {"estimate demo", "usage: nasw estimate", 2},
    {"estimate --hw ne32", "usage: nasw estimate", 2},
    {"estimate demo demo --hw ne32", "usage: nasw estimate", 2},
    {"estimate demo --hw ne32 --input", "--input needs a value", 2},
    {"estimate demo --hw ne32 --input wide", "--input wide|NAME=1x3x320x320", 2},
    {"estimate demo --hw ne32 --input image=1x0x3", "--input image=1x0x3", 2},
    {"estimate demo --hw ne32 --input image=1x-4x3", "--input image=1x-4x3", 2},
    {"estimate demo --hw ne32 --input image=1x99999999999x3", "--input image=", 2},
    {"estimate demo --hw ne32 --input 1x1x1x1x1x1x1x1x1", "--input 1x1", 2},
    {"estimate demo --hw ne32 --input other=1x320x320x3", "demo|other|image", 1},
    {"estimate demo --hw ne32 --input 1x224x224x3", "demo|image|axis 1|320", 1},
    {"estimate nowhere.onnx --hw ne32", "nowhere.onnx|No such file", 1},
    {"estimate hw --hw ne32", "hw|folder", 1},
    {"estimate demo --hw hw/", "hw/|folder", 1},
    {"hw nowhere", "nowhere", 1},
    {"hw nowhere.json", "nowhere.json", 1},
    {"hw ne32 ne64", "usage: nasw hw", 2},
    {"hw ne32 --precision int8", "hw|--precision", 2},
    {"measure", "usage: nasw measure", 2},
    {"measure --hw ne32 --shapes nowhere.csv -o -", "nowhere.csv|No such file", 1},
    {"measure --hw ne32 --shapes hw -o -", "hw|folder", 1},
};

START_TEST(wrong_usage_is_one_line_and_a_status)
{
    run_result r = run_nasw(NULL, "%s", wrong[_i].words);
    ck_run(run_not_refused(&r, wrong[_i].said), &r);
    ck_run(r.status == wrong[_i].status ? NULL : "another status", &r);
    run_free(&r);
}
END_TEST

START_TEST(words_typed_by_the_user_are_shown_safely)
{
    static const char *const bad = "a\033]0;x\007\xe2\x80\xae\xc2\x9b\xff";
    const char *const words[][8] = {{bad},
                                    {"estimate", bad, "--hw", "ne32"},
                                    {"estimate", "demo", "--hw", bad},
                                    {"hw", bad},
                                    {"estimate", "demo", "--hw", "ne32", "--precision", bad},
                                    {"measure", "--hw", bad, "--shapes", bad, NULL}};
    for (int i = 0; i < N_OF(words); i++) {
        run_result r = run_words(NULL, words[i]);
        ck_run(run_not_refused(&r, i < 5 ? "\\x1b" : ""), &r);
        run_free(&r);
    }
}
END_TEST

START_TEST(help_and_version_are_results)
{
    static const char *const asks[] = {"--help", "-h", "estimate --help", "hw -h",
                                       "measure --help"};
    for (int i = 0; i < N_OF(asks); i++) {
        run_result r = done(NULL, asks[i]);
        ck_run(strstr(r.out, "nasw estimate FILE --hw NAME") ? NULL : "no usage", &r);
        ck_assert_str_eq(r.err, "");
        run_free(&r);
    }
    run_result r = done(NULL, "--version");
    ck_assert_int_eq(strncmp(r.out, "nasw ", 5), 0);
    ck_assert_ptr_eq(strchr(r.out, '\n'), r.out + r.n_out - 1);
    run_free(&r);
}
END_TEST

/* ---- standard streams ---- */

START_TEST(a_result_that_cannot_be_written_is_an_error)
{
    static const char *const words[] = {"estimate demo --hw ne32",
                                        "estimate demo --hw ne32 --json",
                                        "estimate demo --hw ne32 --csv",
                                        "hw",
                                        "hw ne32",
                                        "--help",
                                        "--version"};
    const run_setup setup = {.to = (run_stdout)_i};
    for (int i = 0; i < N_OF(words); i++) {
        run_result r = run_nasw(&setup, "%s", words[i]);
        ck_run(run_not_refused(&r, "standard output|cannot write"), &r);
        ck_run(r.status == 1 ? NULL : "another status", &r);
        run_free(&r);
    }
}
END_TEST

START_TEST(closed_streams_are_never_mistaken_for_files)
{
    const run_setup closed = {.is_stdin_closed = true};
    run_result r = run_nasw(&closed, "estimate - --hw ne32");
    ck_run(run_not_refused(&r, "-: "), &r);
    run_free(&r);
    r = done(&closed, "estimate demo --hw ne32 --csv");
    run_free(&r);
}
END_TEST

/* ---- input ---- */

/* x [1,3,h,w], open h and w, through a 1x1 convolution with 4 filters: 12 MACs a pixel. */
static nw_buf open_model(void)
{
    static const int64_t in[4] = {1, 3, 0, 0}, w[4] = {4, 3, 1, 1};
    static const float zeros[12];
    nw_buf g = {0}, weights = onnx_tensor("w", ONNX_FLOAT, 4, w);
    onnx_put_bytes(&weights, 9, zeros, sizeof zeros);
    onnx_add_value(&g, 11, "x", 4, in);
    onnx_put_message(&g, 5, &weights);
    onnx_add_node(&g, "Conv", "x w", "y");
    onnx_add_value(&g, 12, "y", 4, in);
    return onnx_model(&g, 13);
}

START_TEST(input_sizes_are_given_in_several_ways)
{
    static const char *const forms[] = {"--input x=1x3x16x20", "--input=x=1x3x16x20",
                                        "--input 1x3x16x20", "--input x=1,3,16,20"};
    char *folder = folder_new(), words[600];
    nw_buf bytes = open_model();
    const char *path = folder_write(folder, "open.onnx", bytes.text, bytes.length);
    for (int i = 0; i < N_OF(forms); i++) {
        snprintf(words, sizeof words, "estimate %s --hw ne32 --json %s", path, forms[i]);
        cJSON *json = done_json(words);
        ck_assert_double_eq(number(json, "macs"), 16 * 20 * 12);
        cJSON_Delete(json);
    }
    run_result r = run_nasw(NULL, "estimate %s --hw ne32", path);
    ck_run(run_not_refused(&r, "open.onnx|x|axis 2|axis 3|--input x="), &r);
    run_free(&r);
    nw_buf_fini(&bytes);
    folder_free(folder);
}
END_TEST

START_TEST(standard_input_is_a_file)
{
    nw_buf bytes = open_model();
    const run_setup setup = {.input = bytes.text, .n_input = bytes.length};
    run_result r = done(&setup, "estimate - --hw ne32 --input 1x3x4x4 --csv");
    run_free(&r);
    const run_setup empty = {.input = "", .n_input = 0};
    r = run_nasw(&empty, "estimate - --hw ne32");
    ck_run(run_not_refused(&r, "-: |empty"), &r);
    run_free(&r);
    nw_buf_fini(&bytes);
}
END_TEST

START_TEST(a_path_behind_two_dashes_may_begin_with_one)
{
    char *folder = folder_new();
    nw_buf bytes = open_model();
    folder_write(folder, "--open.onnx", bytes.text, bytes.length);
    const run_setup setup = {.folder = folder};
    run_result r = done(&setup, "estimate --hw ne32 --input 1x3x4x4 -- --open.onnx");
    run_free(&r);
    nw_buf_fini(&bytes);
    folder_free(folder);
}
END_TEST

/* ---- hw ---- */

START_TEST(descriptions_are_listed_one_a_line)
{
    run_result r = done(NULL, "hw");
    static const char *const names[] = {"\nne32 ", "\nsystolic16-ws ", "\nu55-128 ", "\nu65-512 ",
                                        "as Vela 3.10 models it"};
    for (int i = 0; i < N_OF(names); i++)
        ck_run(strstr(r.out, names[i]) ? NULL : names[i], &r);
    ck_assert_str_eq(r.err, "");
    run_free(&r);
}
END_TEST

START_TEST(a_shown_description_estimates_the_same)
{
    static const char *const names[] = {"ne32",    "ne16",     "systolic16-ws", "u55-128",
                                        "u65-512", "u85-1024", "dpu-b4096"};
    char *folder = folder_new(), words[600];
    for (int i = 0; i < N_OF(names); i++) {
        run_result shown = run_nasw(NULL, "hw %s", names[i]);
        ck_run(run_flaw(&shown), &shown);
        ck_run(strstr(shown.err, "valid") ? NULL : "not called valid", &shown);
        const char *path = folder_write(folder, "x.json", shown.out, shown.n_out);
        snprintf(words, sizeof words, "estimate demo --hw %s --json", path);
        cJSON *copy = done_json(words);
        snprintf(words, sizeof words, "estimate demo --hw %s --json", names[i]);
        cJSON *original = done_json(words);
        ck_assert_double_eq(number(copy, "latency_us"), number(original, "latency_us"));
        ck_assert_double_eq(number(copy, "energy_uj"), number(original, "energy_uj"));
        run_result again = run_nasw(NULL, "hw %s", path);
        ck_assert_str_eq(again.out, shown.out);
        cJSON_Delete(copy);
        cJSON_Delete(original);
        run_free(&shown);
        run_free(&again);
    }
    folder_free(folder);
}
END_TEST

START_TEST(descriptions_are_found_in_the_data_folder)
{
    static const char text[] = "{\"extends\": \"ne32\", \"clock_hz\": 500000000}";
    char *folder = folder_new(), set[600];
    folder_write(folder, "half.json", text, strlen(text));
    snprintf(set, sizeof set, "NASW_DATA=%s", folder);
    const run_setup setup = {.set = set};
    run_result r = done(&setup, "estimate demo --hw half");
    run_free(&r);
    r = done(&setup, "hw");
    ck_run(strstr(r.out, "\nhalf ") ? NULL : "not listed", &r);
    run_free(&r);
    folder_free(folder);
}
END_TEST

/* ---- measure ---- */

/* 101823: SCALE-Sim v3 for this layer on this array (S1 of the golden checks). */
START_TEST(listed_shapes_are_measured)
{
    static const char text[] = "kernel,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,"
                               "stride_w\nconv,56,56,64,56,56,128,1,1,1,1\n";
    char *folder = folder_new(), out[512];
    const char *path = folder_write(folder, "shapes.csv", text, strlen(text));
    snprintf(out, sizeof out, "%s/out.csv", folder);
    run_result r = run_nasw(NULL, "measure --hw systolic16-ws --shapes %s -o %s", path, out);
    ck_run(run_flaw(&r), &r);
    ck_run(r.status == 0 && !r.n_out && !r.n_err ? NULL : "not quietly done", &r);
    csv table;
    ck_assert(csv_load(&table, out));
    ck_assert_int_eq(table.n_rows, 1);
    ck_assert_str_eq(csv_text(&table, 0, "compute_cycles"), "101823");
    char *written = read_text(out, NULL);
    run_free(&r);
    r = run_nasw(NULL, "measure --hw systolic16-ws --shapes %s -o -", path);
    ck_assert_str_eq(r.out, written);
    run_free(&r);
    /* what was measured is a table of shapes again */
    r = run_nasw(NULL, "measure --hw systolic16-ws --shapes %s -o -", out);
    ck_assert_str_eq(r.out, written);
    run_free(&r);
    free(written);
    csv_free(&table);
    folder_free(folder);
}
END_TEST

START_TEST(a_table_that_cannot_be_written_is_an_error)
{
    static const char text[] = "kernel,in_h,in_w,in_c,out_h,out_w,out_c\nfc,1,1,8,1,1,8\n";
    char *folder = folder_new();
    const char *path = folder_write(folder, "shapes.csv", text, strlen(text));
    static const char *const outs[] = {"/dev/full", "hw", "nowhere/out.csv"};
    for (int i = 0; i < N_OF(outs); i++) {
        run_result r = run_nasw(NULL, "measure --hw ne32 --shapes %s -o %s", path, outs[i]);
        ck_run(run_not_refused(&r, outs[i]), &r);
        ck_run(strstr(r.err, "cannot write") ? NULL : "no reason", &r);
        run_free(&r);
    }
    folder_free(folder);
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("cli");
    TCase *estimate = tcase_create("estimate"), *usage = tcase_create("usage");
    TCase *files = tcase_create("files");
    tcase_set_timeout(estimate, 120);
    tcase_add_test(estimate, the_text_has_totals_and_kernels_sorted_by_time);
    tcase_add_test(estimate, the_json_has_the_promised_keys);
    tcase_add_loop_test(estimate, totals_are_the_sums_over_the_kernels, 0, 4);
    tcase_add_test(estimate, the_csv_has_a_row_for_each_kernel);
    tcase_add_test(estimate, a_precision_is_what_the_answer_says);
    suite_add_tcase(suite, estimate);
    tcase_set_timeout(usage, 120);
    tcase_add_loop_test(usage, wrong_usage_is_one_line_and_a_status, 0, N_OF(wrong));
    tcase_add_test(usage, words_typed_by_the_user_are_shown_safely);
    tcase_add_test(usage, help_and_version_are_results);
    tcase_add_loop_test(usage, a_result_that_cannot_be_written_is_an_error, RUN_FULL,
                        RUN_BROKEN_PIPE + 1);
    tcase_add_test(usage, closed_streams_are_never_mistaken_for_files);
    suite_add_tcase(suite, usage);
    tcase_set_timeout(files, 120);
    tcase_add_test(files, input_sizes_are_given_in_several_ways);
    tcase_add_test(files, standard_input_is_a_file);
    tcase_add_test(files, a_path_behind_two_dashes_may_begin_with_one);
    tcase_add_test(files, descriptions_are_listed_one_a_line);
    tcase_add_test(files, a_shown_description_estimates_the_same);
    tcase_add_test(files, descriptions_are_found_in_the_data_folder);
    tcase_add_test(files, listed_shapes_are_measured);
    tcase_add_test(files, a_table_that_cannot_be_written_is_an_error);
    suite_add_tcase(suite, files);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? 1 : 0;
}
