/* nasw landscape as its user types it: the page, JSON, the picture, what is refused, Ctrl-C. */
#include <check.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support.h"
#include "tests/support_run.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

/* Small: 9 x 5 points. */
static const char small_space[] = "local s = nasw.space{name = 'a <small> & \"quoted\" space', "
                                  "network = 'demo'}\n"
                                  "s:channels{where = '3', options = {24, 32}}\n"
                                  "s:channels{where = '4', options = {60, 64}}\n"
                                  "return s\n";
#define SMALL "landscape %s --hw ne32 --estimator device --x c3 --y c4 "

static run_result run_small(const char *folder, const char *options)
{
    const char *path = folder_write(folder, "small.lua", small_space, strlen(small_space));
    return run_nasw(NULL, SMALL "%s", path, options);
}

static double number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    ck_assert_msg(cJSON_IsNumber(item), "%s is no number", key);
    return item->valuedouble;
}

START_TEST(the_page_has_panels_table_and_controls)
{
    static const char *const parts[] = {"A MACs, steps of 1",          "B objective, steps of 1",
                                        "C objective, curated",        "points ",
                                        "the descent ends at",         "  minima (plateaus)",
                                        "best of all points:",         "controls\n",
                                        "B with random restarts",      "MACs with the score",
                                        "latency alone is a staircase"};
    char *folder = folder_new();
    run_result r = run_small(folder, "");
    ck_run(run_flaw(&r), &r);
    ck_run(r.status ? "not done" : NULL, &r);
    for (int i = 0; i < N_OF(parts); i++)
        ck_run(strstr(r.out, parts[i]) ? NULL : parts[i], &r);
    for (const char *line = r.out; *line; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 80, "%.90s", line);
    run_free(&r);
    folder_free(folder);
}
END_TEST

/* Keys of src/DESIGN.md, section 4; the values against what the path says of itself. */
START_TEST(the_json_has_the_promised_keys)
{
    static const char *const keys[] = {"schema", "space", "hw",       "estimator", "precision",
                                       "metric", "x",     "y",        "objective", "complete",
                                       "start",  "best",  "restarts", "panels"};
    static const char *const panel_keys[] = {
        "name",        "metric", "columns",          "rows",   "values", "path",
        "evaluations", "end",    "from_every_point", "figures"};
    char *folder = folder_new();
    run_result r = run_small(folder, "--json");
    ck_run(run_flaw(&r), &r);
    cJSON *json = cJSON_Parse(r.out);
    ck_run(json ? NULL : "no JSON", &r);
    for (int i = 0; i < N_OF(keys); i++)
        ck_assert_msg(cJSON_HasObjectItem(json, keys[i]), "no %s", keys[i]);
    cJSON *panels = cJSON_GetObjectItem(json, "panels"), *panel;
    ck_assert_int_ge(cJSON_GetArraySize(panels), 4);
    double best = number(cJSON_GetObjectItem(json, "best"), "value");
    cJSON_ArrayForEach(panel, panels)
    {
        for (int i = 0; i < N_OF(panel_keys); i++)
            ck_assert_msg(cJSON_HasObjectItem(panel, panel_keys[i]), "no %s", panel_keys[i]);
        cJSON *path = cJSON_GetObjectItem(panel, "path"), *end = cJSON_GetObjectItem(panel, "end");
        cJSON *last = cJSON_GetArrayItem(path, cJSON_GetArraySize(path) - 1);
        ck_assert_double_eq(cJSON_GetArrayItem(last, 0)->valuedouble, number(end, "x"));
        ck_assert_double_eq(cJSON_GetArrayItem(last, 1)->valuedouble, number(end, "y"));
        ck_assert_double_eq_tol(number(end, "gap"), number(end, "value") / best - 1, 1e-9);
        ck_assert_double_eq(number(end, "value"), number(end, "objective"));
    }
    cJSON *values = cJSON_GetObjectItem(cJSON_GetArrayItem(panels, 0), "values");
    ck_assert_int_eq(cJSON_GetArraySize(values), 5);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetArrayItem(values, 0)), 9);
    cJSON_Delete(json);
    run_free(&r);
    folder_free(folder);
}
END_TEST

/* Every opened element is closed in order, and text from files is escaped. */
static void check_well_formed(const char *text)
{
    char stack[16][16];
    int depth = 0;
    for (const char *at = strchr(text, '<'); at; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        ck_assert_ptr_nonnull(end);
        if (at[1] == '/') {
            size_t n = (size_t)(end - at) - 2;
            ck_assert_int_gt(depth, 0);
            ck_assert_msg(strlen(stack[--depth]) == n && strncmp(stack[depth], at + 2, n) == 0,
                          "%.40s closes %s", at, stack[depth]);
        } else if (end[-1] != '/') {
            ck_assert_int_lt(depth, 16);
            snprintf(stack[depth++], sizeof stack[0], "%.*s", (int)strcspn(at + 1, " >"), at + 1);
        }
    }
    ck_assert_int_eq(depth, 0);
    for (const char *at = strchr(text, '&'); at; at = strchr(at + 1, '&'))
        ck_assert_msg(strncmp(at, "&amp;", 5) == 0 || strncmp(at, "&lt;", 4) == 0 ||
                          strncmp(at, "&gt;", 4) == 0 || strncmp(at, "&quot;", 6) == 0,
                      "%.20s", at);
}

START_TEST(the_picture_is_well_formed_and_texts_are_escaped)
{
    char *folder = folder_new();
    run_result r = run_small(folder, "--svg -");
    ck_run(run_flaw(&r), &r);
    ck_run(r.status ? "not done" : NULL, &r);
    ck_run(strncmp(r.out, "<svg ", 5) == 0 ? NULL : "no SVG", &r);
    ck_run(strstr(r.out, "a &lt;small&gt; &amp; &quot;quoted&quot; space") ? NULL : "not escaped",
           &r);
    check_well_formed(r.out);
    run_free(&r);
    static const char wide[] = "local s = nasw.space{network = 'demo'}\n"
                               "s:channels{where = '3', range = {16, 60}}\n"
                               "s:channels{where = '4', range = {60, 64}}\nreturn s\n";
    r = run_nasw(NULL, SMALL "--metric macs --svg -",
                 folder_write(folder, "wide.lua", wide, strlen(wide)));
    ck_run(strstr(r.out, "data:image/png;base64,iVBORw0KGgo") ? NULL : "no PNG", &r);
    check_well_formed(r.out);
    run_free(&r);
    folder_free(folder);
}
END_TEST

/* Of scores more is better: 5 % of the points are above the best quantile. Nothing is cut at the
 * edge of its column: two variants with long names stand below each other. */
START_TEST(the_page_says_who_estimated_which_way_is_better_and_how_many)
{
    char *folder = folder_new();
    run_result r = run_small(folder, "--metric score");
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "on ne32, estimated by device\n") ? NULL : "no estimator", &r);
    ck_run(strstr(r.out, "precision int8 (assumed)") ? NULL : "no precision", &r);
    ck_run(strstr(r.out, "latency not calibrated against a chip") ? NULL : "no calibration", &r);
    ck_run(strstr(r.out, "  5 % of points are above") ? NULL : "above", &r);
    ck_run(strstr(r.out, "the ascent ends at") ? NULL : "ascent", &r);
    run_free(&r);
    r = run_nasw(NULL, "landscape demo --hw ne32 --estimator device --x v2.0 --y v2.1");
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "v2.0=fused        v2.0=fused\n") ? NULL : "columns run together", &r);
    ck_run(strstr(r.out, "until 1 point is looked at") ? NULL : "plural", &r);
    ck_run(strstr(r.out, "-0.0000") ? "minus nothing" : NULL, &r);
    run_free(&r);
    folder_free(folder);
}
END_TEST

/* 4 KiB of SRAM and weights alone in the other memory: no detector has room. */
START_TEST(the_page_says_what_does_not_fit_and_that_limits_are_not_looked_at)
{
    static const char text[] = "local s = nasw.space{network = 'demo'}\n"
                               "s:channels{where = '3', options = {24, 32}}\n"
                               "s:limit{macs = 1}\nreturn s\n";
    char *folder = folder_new(), *hw = read_text("hw/u55-128.json", NULL);
    cJSON *json = cJSON_Parse(hw);
    ck_assert_ptr_nonnull(json);
    cJSON_SetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "sram"), "bytes"), 4096);
    free(hw);
    hw = cJSON_PrintUnformatted(json);
    const char *path = folder_write(folder, "s.lua", text, strlen(text));
    const char *hw_path = folder_write(folder, "tiny.json", hw, strlen(hw));
    run_result r = run_nasw(NULL, "landscape %s --hw %s --estimator device --x c3", path, hw_path);
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "not fit)") ? NULL : "it fits", &r);
    ck_run(strstr(r.out, "limit is not looked at") ? NULL : "no limit", &r);
    run_free(&r);
    r = run_nasw(NULL, "landscape %s --hw %s --estimator device --to c3=24", path, hw_path);
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "not fit)") ? NULL : "it fits", &r);
    ck_run(strstr(r.out, "limit is not looked at") ? NULL : "no limit", &r);
    run_free(&r);
    cJSON_free(hw);
    cJSON_Delete(json);
    folder_free(folder);
}
END_TEST

START_TEST(one_metric_or_the_curated_values_alone_are_one_panel)
{
    char *folder = folder_new();
    run_result r = run_small(folder, "--metric latency");
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "latency_us, steps of 1") ? NULL : "no panel", &r);
    ck_run(strstr(r.out, "controls") ? "controls" : NULL, &r);
    run_free(&r);
    r = run_small(folder, "--metric score --curated");
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "score, curated") ? NULL : "no panel", &r);
    run_free(&r);
    r = run_nasw(NULL, "landscape demo --hw ne32 --estimator device --x v3.1");
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "right: v3.1: variant, ibn to fused") ? NULL : "no line", &r);
    run_free(&r);
    folder_free(folder);
}
END_TEST

static const struct {
    const char *options, *words;
} refusals[] = {
    {"--x c99 --y c4", "--x|no dimension 'c99'|c3 c4"},
    {"--x c3 --y banana", "--y|no dimension 'banana'|c3 c4"},
    {"--y c4", "--x|names a dimension: c0|... (nasw space lists them)"},
    {"--x c3 --y c3", "--x and --y both name c3: a slice takes two"},
    {"--x c3 --y c4 --metric speed", "--metric|no 'speed'|latency_us"},
    {"--x c3 --y c4 --start c3=9999", "start|c3 has no option 9999"},
    {"--x c3 --y c4 --start nonsense", "start"},
    {"--x c3 --y c4 --estimator none", "estimator"},
    {"--x c3 --seed -1", "--seed"},
    {"--x c3 --seed many", "--seed many: wanted a whole number"},
    {"--x c3 --json --svg -", "--json and --svg - both want standard output"},
    {"--to c3=64 --y c3", "--to is a line between two genomes, --y a dimension"},
    {"--to c3=64 --x c3", "--to is a line between two genomes, --x a dimension"},
    {"--to c3=64 --curated", "--to knows no --curated"},
    {"--from c3=64", "it needs --to"},
    {"--to c3=65", "--to|c3 has no option 65"},
    {"--to c3=64 --from nonsense", "--from"},
    {"--to c3=64 --from c3=64", "both ends of the path are the same"},
    {"--x c3 --svg /nowhere/x.svg", "/nowhere/x.svg|cannot write"},
};

START_TEST(what_cannot_be_is_refused_in_one_line)
{
    run_result r =
        run_nasw(NULL, "landscape demo --hw ne32 --estimator device %s", refusals[_i].options);
    if (strstr(refusals[_i].options, "--y c3") && !strstr(refusals[_i].options, "--to"))
        ck_assert_int_eq(r.status, 2);
    if (strstr(refusals[_i].options, "/nowhere"))
        ck_assert_int_eq(r.status, 1);
    else
        ck_run(run_not_refused(&r, refusals[_i].words), &r);
    run_free(&r);
}
END_TEST

static const struct {
    const char *text, *options, *words;
} conditions[] = {
    /* An error that comes after the trials of loading is the script's, not the network's. */
    {"local n = 0\ns:require(function() n = n + 1; return n < 20 or nil + 1 end)", "",
     "s.lua:5: attempt to perform arithmetic on a nil value"},
    {"local n = 0\ns:require(function() n = n + 1; while n > 20 do end return true end)", "",
     "s.lua:5: the script's budget of work is used up"},
    {"s:require('c3 < c4')", "--start c3=64", "start|c3 < c4 does not hold"},
};

START_TEST(conditions_that_fail_or_forbid_the_start_are_named)
{
    char *folder = folder_new(), text[512];
    snprintf(text, sizeof text,
             "local s = nasw.space{network = 'demo'}\n"
             "s:channels{where = '3', options = {16, 64}}\n"
             "s:channels{where = '4', options = {24, 64}}\n%s\nreturn s\n",
             conditions[_i].text);
    const char *path = folder_write(folder, "s.lua", text, strlen(text));
    run_result r = run_nasw(NULL, SMALL "%s", path, conditions[_i].options);
    ck_run(run_not_refused(&r, conditions[_i].words), &r);
    run_free(&r);
    folder_free(folder);
}
END_TEST

/* Curation sees one dimension at a time and keeps 32 and 48, but nothing between. */
START_TEST(where_conditions_forbid_what_curation_keeps_there_is_no_panel_c)
{
    static const char text[] = "local s = nasw.space{network = 'demo'}\n"
                               "s:channels{where = '3', options = {8, 40, 64}}\n"
                               "s:channels{where = '4', options = {60, 64}}\n"
                               "s:require('c3 > 33')\ns:require('c3 < 47')\nreturn s\n";
    char *folder = folder_new();
    const char *path = folder_write(folder, "s.lua", text, strlen(text));
    run_result r = run_nasw(NULL, SMALL, path);
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "B objective") && !strstr(r.out, "C objective") ? NULL : "panels", &r);
    run_free(&r);
    r = run_nasw(NULL, SMALL "--curated", path);
    ck_run(run_not_refused(&r, "--curated|allow nothing that curation keeps"), &r);
    run_free(&r);
    folder_free(folder);
}
END_TEST

START_TEST(a_descent_starts_near_three_quarters_where_conditions_forbid_that)
{
    static const char text[] = "local s = nasw.space{network = 'demo'}\n"
                               "s:channels{where = '3', options = {24, 32}}\n"
                               "s:channels{where = '4', options = {60, 64}}\n"
                               "s:require('c3 <= 28')\nreturn s\n";
    char *folder = folder_new();
    const char *path = folder_write(folder, "s.lua", text, strlen(text));
    run_result r = run_nasw(NULL, SMALL "--json", path);
    ck_run(run_flaw(&r), &r);
    cJSON *json = cJSON_Parse(r.out);
    ck_run(json ? NULL : "no JSON", &r);
    const cJSON *start = cJSON_GetObjectItem(json, "start");
    ck_assert_double_eq(cJSON_GetArrayItem(start, 0)->valuedouble, 28 - 24);
    ck_assert_double_eq(cJSON_GetArrayItem(start, 1)->valuedouble, 63 - 60);
    cJSON_Delete(json);
    run_free(&r);
    folder_free(folder);
}
END_TEST

/* Of the built-in detector after edits, as nasw estimate has it. */
static double estimate_edited(const char *const *edits, int n)
{
    const char *words[16] = {"estimate", "demo", "--hw", "ne32", "--estimator", "device", "--json"};
    int used = 7;
    for (int i = 0; i < n; i++) {
        words[used++] = "--edit";
        words[used++] = edits[i];
    }
    run_result r = run_words(NULL, words);
    cJSON *json = cJSON_Parse(r.out);
    ck_run(json ? NULL : "no JSON", &r);
    double latency = number(json, "latency_us");
    cJSON_Delete(json);
    run_free(&r);
    return latency;
}

static run_result run_route(const char *option)
{
    const char *const words[] = {
        "landscape", "demo",     "--hw",    "ne32", "--estimator",
        "device",    "--metric", "latency", "--to", "v2.1=fused c4=96 c3=40",
        option,      NULL};
    return run_words(NULL, words);
}

START_TEST(the_line_between_genomes_changes_a_gene_at_a_time)
{
    static const char *const edits[] = {"variant 2.1 fused", "channels 3 40", "channels 4 96",
                                        "expansion 3-5 6"};
    static const char *const names[] = {"c3", "c4", "v2.1"};
    run_result r = run_route("--json");
    ck_run(run_flaw(&r), &r);
    cJSON *json = cJSON_Parse(r.out), *path = cJSON_GetObjectItem(json, "path");
    ck_run(path ? NULL : "no path", &r);
    ck_assert_int_eq(cJSON_GetArraySize(path), 4);
    ck_assert(cJSON_IsNull(cJSON_GetObjectItem(json, "x")));
    ck_assert_double_eq(number(cJSON_GetObjectItem(json, "figures"), "points"), 4);
    double before = number(cJSON_GetArrayItem(path, 0), "value");
    ck_assert_double_eq(before, estimate_edited(NULL, 0));
    ck_assert(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetArrayItem(path, 0), "change")));
    for (int i = 1; i < 4; i++) {
        const cJSON *step = cJSON_GetArrayItem(path, i);
        ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(step, "dimension")),
                         names[i - 1]);
        ck_assert_double_eq_tol(number(step, "change"), number(step, "latency_us") - before, 1e-9);
        before = number(step, "value");
    }
    ck_assert_double_eq(before, estimate_edited(edits, 4));
    ck_assert_double_eq(number(cJSON_GetArrayItem(path, 2), "value"),
                        estimate_edited(edits + 1, 3));
    cJSON_Delete(json);
    run_free(&r);
}
END_TEST

START_TEST(the_line_between_genomes_is_a_page_and_a_picture)
{
    static const char *const parts[] = {"latency_us, a gene at a time",
                                        "  0  start",
                                        "  1  c3 32 -> 40",
                                        "  3  v2.1 ibn -> fused",
                                        "latency_us 6.435 ms to ",
                                        "best at step",
                                        "minima (plateaus)"};
    run_result r = run_route("--progress=auto");
    ck_run(run_flaw(&r), &r);
    ck_run(r.status ? "not done" : NULL, &r);
    for (int i = 0; i < N_OF(parts); i++)
        ck_run(strstr(r.out, parts[i]) ? NULL : parts[i], &r);
    for (const char *line = r.out; *line; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 80, "%.90s", line);
    run_free(&r);
    r = run_route("--svg=-");
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "c3 32 -&gt; 40") ? NULL : "no step", &r);
    check_well_formed(r.out);
    run_free(&r);
}
END_TEST

/* Starts it with --progress=json and stops it once points are being looked at. */
START_TEST(ctrl_c_stops_with_what_is_there)
{
    static const char large[] = "local s = nasw.space{network = 'demo'}\n"
                                "s:channels{where = '3', range = {8, 256}}\n"
                                "s:channels{where = '4', range = {8, 256}}\nreturn s\n";
    const char *program = getenv("NASW_BIN") ? getenv("NASW_BIN") : "build/nasw";
    char *folder = folder_new(), out_path[256], line[4096];
    const char *path = folder_write(folder, "large.lua", large, strlen(large));
    int to_err[2], status;
    snprintf(out_path, sizeof out_path, "%s/out.txt", folder);
    ck_assert_int_eq(pipe(to_err), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(to_err[1], STDERR_FILENO);
        close(to_err[0]);
        if (!freopen(out_path, "w", stdout))
            _exit(127);
        execl(program, program, "landscape", path, "--hw", "ne32", "--estimator", "device", "--x",
              "c3", "--y", "c4", "--progress=json", (char *)NULL);
        _exit(127);
    }
    close(to_err[1]);
    FILE *err = fdopen(to_err[0], "r");
    bool has_begun = false;
    while (fgets(line, sizeof line, err))
        if (!has_begun && strstr(line, "looking at points")) {
            has_begun = true;
            kill(child, SIGINT);
        }
    fclose(err);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(has_begun);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 130);
    char *text = read_text(out_path, NULL);
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, "stopped: "));
    ck_assert_ptr_nonnull(strstr(text, " of 62001 points are known"));
    free(text);
    folder_free(folder);
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("cli_landscape");
    TCase *c = tcase_create("landscape");
    tcase_set_timeout(c, 300);
    tcase_add_test(c, the_page_has_panels_table_and_controls);
    tcase_add_test(c, the_json_has_the_promised_keys);
    tcase_add_test(c, the_picture_is_well_formed_and_texts_are_escaped);
    tcase_add_test(c, the_page_says_who_estimated_which_way_is_better_and_how_many);
    tcase_add_test(c, the_page_says_what_does_not_fit_and_that_limits_are_not_looked_at);
    tcase_add_test(c, one_metric_or_the_curated_values_alone_are_one_panel);
    tcase_add_loop_test(c, what_cannot_be_is_refused_in_one_line, 0, N_OF(refusals));
    tcase_add_loop_test(c, conditions_that_fail_or_forbid_the_start_are_named, 0, N_OF(conditions));
    tcase_add_test(c, where_conditions_forbid_what_curation_keeps_there_is_no_panel_c);
    tcase_add_test(c, a_descent_starts_near_three_quarters_where_conditions_forbid_that);
    tcase_add_test(c, the_line_between_genomes_changes_a_gene_at_a_time);
    tcase_add_test(c, the_line_between_genomes_is_a_page_and_a_picture);
    tcase_add_test(c, ctrl_c_stops_with_what_is_there);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
