/* nasw space: the table of a space, its JSON, what curation says on a hardware, and bad input.
 * Expectations are the declarations themselves, counted by hand, and SEARCH's finding that a wide
 * engine fuses early blocks and not late ones. */
#include <check.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"
#include "tests/support_run.h"

static const char small[] =
    "local s = nasw.space{name = 'small one', network = 'demo'}\n"
    "s:channels{where = '3', range = {8, 64, 4}}\n"
    "s:variant{where = '2.1,6.1', each = true, options = {'ibn', 'fused'}}\n"
    "s:kernel('3', {3, 5})\n"
    "s:require('c3 >= 16')\n"
    "s:limit{macs = 1e9}\n"
    "return s\n";

typedef struct file {
    char *folder;
    const char *path;
} file;

static file write_space(const char *text)
{
    char *folder = folder_new();
    return (file){folder, folder_write(folder, "s.lua", text, strlen(text))};
}

static cJSON *parse(run_result *r)
{
    ck_run(run_flaw(r), r);
    ck_run(r->status == 0 ? NULL : "not done", r);
    cJSON *json = cJSON_Parse(r->out);
    ck_run(json ? NULL : "no JSON", r);
    run_free(r);
    return json;
}

static const char *text(const cJSON *object, const char *key)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return value ? value : "?";
}

static const cJSON *dim(const cJSON *json, const char *name)
{
    const cJSON *one = cJSON_GetObjectItem(json, "dimensions")->child;
    while (one && strcmp(text(one, "name"), name) != 0)
        one = one->next;
    ck_assert_msg(one != NULL, "no dimension %s", name);
    return one;
}

START_TEST(the_table_has_every_dimension_with_its_line_and_the_exact_size)
{
    file f = write_space(small);
    run_result r = run_nasw(NULL, "space %s", f.path);
    ck_run(run_flaw(&r), &r);
    /* 15 counts of channels, 2 x 2 kinds, 2 kernels */
    static const char *const parts[] = {
        "small one: 120 networks, 4 dimensions\n",
        "c3            channels  32       8..64 by 4 (15)  :2\n",
        "v2.1 .. v6.1  variant   ibn      ibn fused        :3\n",
        "k3            kernel    3        3 5              :4\n",
        "  requires    c3 >= 16   :5\n",
        "  limit       macs at most 1000000000   :6\n",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_run(strstr(r.out, parts[i]) ? NULL : parts[i], &r);
    run_free(&r);
    folder_free(f.folder);
}
END_TEST

/* The smallest network of the space has far more than one MAC. */
START_TEST(limits_that_nothing_keeps_are_told)
{
    file f = write_space("local s = nasw.space{name = 'tight', network = 'demo'}\n"
                         "s:channels{where = '3', options = {16, 32}}\n"
                         "s:limit{macs = 1, peak_live_bytes = 1e9}\nreturn s\n");
    run_result r = run_nasw(NULL, "space %s --hw ne32 --estimator device --no-curate", f.path);
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "kept by 0 of 256 random networks: the closest has ") ? NULL : "none", &r);
    ck_run(strstr(r.out, "kept by 256 of 256 random networks\n") ? NULL : "all", &r);
    ck_run(strstr(r.out, "all limits kept by 0 of 256") ? NULL : "together", &r);
    run_free(&r);
    folder_free(f.folder);
}
END_TEST

START_TEST(the_json_says_what_was_declared)
{
    file f = write_space(small);
    run_result r = run_nasw(NULL, "space %s --json", f.path);
    cJSON *json = parse(&r);
    ck_assert_str_eq(text(json, "schema"), "nasw.space/1");
    ck_assert_str_eq(text(json, "name"), "small one");
    ck_assert_str_eq(text(json, "size"), "120");
    const cJSON *c3 = dim(json, "c3");
    ck_assert_str_eq(text(c3, "kind"), "channels");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(c3, "options")), 15);
    ck_assert_int_eq(cJSON_GetObjectItem(c3, "base")->valueint, 32);
    ck_assert_int_eq(cJSON_GetObjectItem(c3, "line")->valueint, 2);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(c3, "blocks")), 3);
    ck_assert_ptr_null(cJSON_GetObjectItem(c3, "curated"));
    const cJSON *requirement = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "requirements"), 0);
    ck_assert_str_eq(text(requirement, "text"), "c3 >= 16");
    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(requirement, "in_lua")));
    const cJSON *limit = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "limits"), 0);
    ck_assert_str_eq(text(limit, "metric"), "macs");
    ck_assert_double_eq(cJSON_GetObjectItem(limit, "max")->valuedouble, 1e9);
    cJSON_Delete(json);
    folder_free(f.folder);
}
END_TEST

/* An early block is fused on a 32-wide engine and a late one is not (SEARCH.md 1.2); steps of 4
 * channels are given away for larger ones. */
START_TEST(with_a_hardware_curation_says_what_is_kept_and_why)
{
    file f = write_space(small);
    run_result r = run_nasw(NULL, "space %s --hw ne32 --estimator device --json", f.path);
    cJSON *json = parse(&r);
    const cJSON *early = cJSON_GetObjectItem(dim(json, "v2.1"), "curated");
    const cJSON *late = cJSON_GetObjectItem(dim(json, "v6.1"), "curated");
    ck_assert_int_eq(cJSON_GetArraySize(early), 1);
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(early, 0)), "fused");
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(late, 0)), "ibn");
    const cJSON *c3 = dim(json, "c3"), *reason;
    int n = 0, n_kept = cJSON_GetArraySize(cJSON_GetObjectItem(c3, "curated"));
    ck_assert_int_lt(n_kept, 15);
    cJSON_ArrayForEach(reason, cJSON_GetObjectItem(c3, "reasons"))
    {
        ck_assert(strlen(text(reason, "why")) > 5);
        n += strcmp(text(reason, "verdict"), "kept") == 0;
    }
    ck_assert_int_eq(n, n_kept);
    ck_assert_int_eq(atoi(text(json, "curated_size")), n_kept * 2);
    ck_assert(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "base"), "latency_us")->valuedouble >
              0);
    cJSON_Delete(json);
    r = run_nasw(NULL, "space %s --hw ne32 --estimator device", f.path);
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "options earn their place on ne32; of the others:") ? NULL : "no reasons",
           &r);
    run_free(&r);
    r = run_nasw(NULL, "space %s --hw ne32 --estimator device --no-curate", f.path);
    ck_run(strstr(r.out, "curated") ? "curated all the same" : NULL, &r);
    ck_run(strstr(r.out, " ms on ne32 by device") ? NULL : "no latency", &r);
    run_free(&r);
    folder_free(f.folder);
}
END_TEST

START_TEST(any_model_is_a_space)
{
    run_result r = run_nasw(NULL, "space demo");
    ck_run(run_flaw(&r), &r);
    ck_run(r.status == 0 && strstr(r.out, "channels") ? NULL : "no space", &r);
    run_free(&r);
}
END_TEST

START_TEST(bad_spaces_are_refused_in_one_line)
{
    static const char *const files[][2] = {
        {"local s = nasw.space{network = 'demo'}\ns:kernel('3', {3, 5})\n", "returns nothing"},
        {"local s = nasw.space{network = 'demo'}\ns:kernel('99', {3, 5})\nreturn s",
         "s.lua:2: |picks no block"},
        {"return 5", "returns number"},
        {"error('\\27[31mred')", "s.lua:1: |\\x1b[31mred"},
        {"while true do end", "budget"},
        {"s = nasw.space{network = 'nosuch.onnx'}", "s.lua:1: nosuch.onnx"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        file f = write_space(files[i][0]);
        run_result r = run_nasw(NULL, "space %s", f.path);
        ck_run(run_not_refused(&r, files[i][1]), &r);
        run_free(&r);
        folder_free(f.folder);
    }
    static const char *const words[][2] = {
        {"space", "usage: nasw space"},
        {"space demo demo", "usage: nasw space"},
        {"space demo --estimator device", "usage: nasw space"},
        {"space nosuch.lua", "nosuch.lua"},
        {"space demo --hw nosuch", "nosuch"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        run_result r = run_nasw(NULL, "%s", words[i][0]);
        ck_run(run_not_refused(&r, words[i][1]), &r);
        run_free(&r);
    }
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("cli_space");
    TCase *tc = tcase_create("cli");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_table_has_every_dimension_with_its_line_and_the_exact_size);
    tcase_add_test(tc, limits_that_nothing_keeps_are_told);
    tcase_add_test(tc, the_json_says_what_was_declared);
    tcase_add_test(tc, with_a_hardware_curation_says_what_is_kept_and_why);
    tcase_add_test(tc, any_model_is_a_space);
    tcase_add_test(tc, bad_spaces_are_refused_in_one_line);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
