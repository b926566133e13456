/* Who estimated, on paper: names, bands, what is extrapolated, both estimators beside each other.
 * The regression is written by hand (support_regression.h); the network is the built-in one. */
#include <check.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "src/report/report.h"
#include "tests/support.h"
#include "tests/support_regression.h"
#include "tests/support_run.h"

#define SOURCE "XGBoost on 1200 measurements of ne32, simulated, 2026-11-25"

/* Kernels of the demo beyond the ranges of the model: depthwise over maps of 160 rows (80 is the
 * most that it knows), 1280 output channels (960). */
static const char *const outside[] = {"block0/depthwise", "block1/depthwise", "last"};
enum { N_OUTSIDE = sizeof outside / sizeof *outside };

typedef struct both {
    nw_hw *hw;
    nw_graph *graph;
    const nw_estimator *regression;
    nw_estimate by_regression, by_device;
} both;

static char *folder;

static void set_up(void)
{
    folder = hand_folder_new("ne32");
}

static void tear_down(void)
{
    hand_folder_free(folder);
}

static void estimate(const nw_estimator *estimator, const both *b, nw_estimate *out)
{
    nw_error err;
    if (nw_estimate_graph(estimator, b->graph, b->hw, "file", out, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
}

/* source: of the measurements; NULL: as in the folder, simulated. */
static both open_both(const char *source)
{
    both b;
    nw_error err;
    char path[160];
    ck_assert_int_eq(nw_hw_load("ne32", hand_folder_path(folder), &b.hw, &err), NW_OK);
    ck_assert_int_eq(nw_model_load("demo", NULL, 0, &b.graph, &err), NW_OK);
    snprintf(path, sizeof path, "%s/mine.json", folder);
    write_hand_model(path, b.hw, source ? source : "simulated");
    if (nw_estimator_open(path, b.hw, "", &b.regression, NULL, 0, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    estimate(b.regression, &b, &b.by_regression);
    estimate(nw_estimator_device(), &b, &b.by_device);
    return b;
}

static void close_both(both *b)
{
    nw_estimate_fini(&b->by_regression);
    nw_estimate_fini(&b->by_device);
    nw_estimator_release(b->regression);
    nw_graph_free(b->graph);
    nw_hw_free(b->hw);
}

static nw_breakdown page_of(const both *b, const nw_estimate *e)
{
    return (nw_breakdown){"demo", b->graph, b->hw, e};
}

static bool is_outside(const char *name)
{
    for (int i = 0; i < N_OUTSIDE; i++)
        if (strcmp(outside[i], name) == 0)
            return true;
    return false;
}

#define ck_holds(text, part)                                                                       \
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%.900s", part, text)

/* ---- words ---- */

START_TEST(a_band_is_as_fine_as_its_width_asks)
{
    static const struct {
        int64_t value, low, high;
        const char *text;
    } cases[] = {
        {6435000000, 6105000000, 6790000000, "6.1 to 6.8"},
        {6435000000, 6336000000, 6534000000, "6.34 to 6.53"},
        {6435000000, 6434000000, 6436000000, "6.4340 to 6.4360"},
        {17030000000, 14900000000, 21500000000, "14.9 to 21.5"},
        {820380000, 700000000, 900000000, "700 to 900"},
        {6435000000, 6435000000, 6435000000, "6.435 to 6.435"},
    };
    char text[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(
            nw_format_band(cases[i].value, cases[i].low, cases[i].high, text, sizeof text),
            cases[i].text);
}
END_TEST

START_TEST(measurements_of_a_chip_are_not_called_simulated)
{
    char text[192];
    both simulated = open_both(NULL), measured = open_both("board"), unknown = open_both("");
    ck_assert_str_eq(nw_format_estimator(nw_estimator_device(), text, sizeof text), "device");
    ck_assert_str_eq(nw_format_estimator(simulated.regression, text, sizeof text),
                     "regression on ne32, simulated");
    ck_assert_str_eq(nw_format_estimator(measured.regression, text, sizeof text),
                     "regression on ne32, board");
    ck_assert_str_eq(nw_format_estimator(unknown.regression, text, sizeof text),
                     "regression on ne32, source not given");
    ck_assert(nw_report_is_simulated(nw_estimator_device()));
    ck_assert(nw_report_is_simulated(simulated.regression));
    ck_assert(!nw_report_is_simulated(measured.regression));
    ck_assert_str_eq(
        nw_format_calibration(&simulated.by_regression, simulated.hw, text, sizeof text),
        "not calibrated against a chip");
    ck_assert_str_eq(nw_format_calibration(&measured.by_regression, measured.hw, text, sizeof text),
                     "kernels measured on ne32, their sum not calibrated");
    ck_assert(!nw_report_is_calibrated(&measured.by_regression, measured.hw));
    close_both(&simulated);
    close_both(&measured);
    close_both(&unknown);
}
END_TEST

START_TEST(escapes_from_a_table_are_shown_never_sent)
{
    both b = open_both("x\\u001b[31m");
    nw_buf text = {0};
    char name[192];
    nw_breakdown page = page_of(&b, &b.by_regression);
    ck_assert_str_eq(nw_format_estimator(b.regression, name, sizeof name),
                     "regression on ne32, x\\x1b[31m");
    nw_breakdown_text(&page, 0, &text);
    nw_verify_text(&page, &b.by_device, 0, &text);
    ck_assert_ptr_null(strchr(nw_buf_text(&text), '\033'));
    nw_buf_fini(&text);
    close_both(&b);
}
END_TEST

/* ---- the page ---- */

START_TEST(the_text_names_estimator_band_and_what_is_extrapolated)
{
    both b = open_both(NULL);
    nw_buf text = {0};
    char line[160], time[32], band[64];
    const nw_estimate *e = &b.by_regression;
    nw_breakdown page = page_of(&b, e);
    nw_breakdown_text(&page, 0, &text);
    const char *out = nw_buf_text(&text);
    ck_holds(out, "demo on ne32, estimated by regression (" SOURCE ")\n");
    snprintf(line, sizeof line, "  latency    %s (90 %%: %s)   (not calibrated against a chip)\n",
             nw_format_time(e->latency_ps, time, sizeof time),
             nw_format_band(e->latency_ps, e->low_ps, e->high_ps, band, sizeof band));
    ck_holds(out, line);
    double share = 0; /* by the model's rules */
    share += HAND_DWCONV_US(160 * 160 * 32) + HAND_DWCONV_US(80 * 80 * 96);
    share += HAND_CONV_US(10 * 10 * 1280);
    share *= 1e6 / (double)e->latency_ps;
    snprintf(line, sizeof line,
             "  outside    3 kernels extrapolated, marked ~: %.1f %% of the latency is outside the "
             "range of training, where the band says nothing\n",
             100 * share);
    ck_holds(out, line);
    ck_holds(out, "    ~820.20 "); /* 1 + 0.001 x 160 x 160 x 32 */
    ck_holds(out, "    ~615.40 ");
    ck_holds(out, "     ~40.40 ");
    int n_marks = 0;
    for (const char *at = strstr(out, "\n\n"); (at = strchr(at, '~')) != NULL; at++)
        n_marks++;
    ck_assert_int_eq(n_marks, N_OUTSIDE);
    nw_buf_fini(&text);
    close_both(&b);
}
END_TEST

/* A group that could not be judged has no spread: "null" in its file. */
START_TEST(what_has_no_model_says_so_and_an_unknown_spread_spoils_no_band)
{
    both b = open_both(NULL);
    char path[160], *text, *at;
    snprintf(path, sizeof path, "%s/mine.json", folder);
    size_t n;
    text = read_text(path, &n);
    at = strstr(text, "\"spread\":0.02");
    ck_assert_ptr_nonnull(at);
    memcpy(at, "\"spread\":null", 13);
    at = strstr(text, "\"name\":\"conv\"");
    ck_assert_ptr_nonnull(at);
    memcpy(at, "\"name\":\"xonv\"", 13);
    FILE *file = fopen(path, "w");
    ck_assert(file && fwrite(text, 1, n, file) == n);
    fclose(file);
    free(text);
    const nw_estimator *estimator;
    nw_estimate e;
    nw_error err;
    if (nw_estimator_open(path, b.hw, "", &estimator, NULL, 0, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    estimate(estimator, &b, &e);
    ck_assert_int_eq(e.n_unknown, 55);
    ck_assert(e.has_band && e.low_ps > e.latency_ps / 2 && e.high_ps < 2 * e.latency_ps);
    for (int i = 0; i < e.kernels->n_kernels; i++) {
        bool is_conv = e.kernels->kernels[i].shape.parts[0].kind == NW_KERNEL_CONV;
        ck_assert_str_eq(nw_report_why(&e, i),
                         is_conv ? "the regression has no model of this type" : e.costs[i].why);
    }
    nw_buf page = {0};
    nw_breakdown breakdown = page_of(&b, &e);
    nw_breakdown_text(&breakdown, 0, &page);
    ck_holds(nw_buf_text(&page), "the regression has no model of this type");
    nw_buf_fini(&page);
    nw_estimate_fini(&e);
    nw_estimator_release(estimator);
    close_both(&b);
}
END_TEST

START_TEST(the_device_has_no_band_and_extrapolates_nothing)
{
    both b = open_both(NULL);
    nw_buf text = {0};
    nw_breakdown page = page_of(&b, &b.by_device);
    nw_breakdown_text(&page, 0, &text);
    ck_holds(nw_buf_text(&text), "  latency    6.435 ms   (not calibrated against a chip)\n");
    ck_assert_ptr_null(strstr(nw_buf_text(&text), "extrapolated"));
    ck_assert_ptr_null(strchr(nw_buf_text(&text), '~'));
    nw_buf_fini(&text);
    close_both(&b);
}
END_TEST

/* ---- data ---- */

static cJSON *json_of(const both *b, const nw_estimate *e, const nw_estimate *other)
{
    nw_buf text = {0};
    nw_breakdown page = page_of(b, e);
    if (other)
        nw_verify_json(&page, other, &text);
    else
        nw_breakdown_json(&page, &text);
    cJSON *root = cJSON_Parse(nw_buf_text(&text));
    ck_assert_ptr_nonnull(root);
    nw_buf_fini(&text);
    return root;
}

static const cJSON *get(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    ck_assert_msg(item != NULL, "no %s", key);
    return item;
}

START_TEST(the_json_has_band_source_and_extrapolation)
{
    both b = open_both(NULL);
    cJSON *root = json_of(&b, &b.by_regression, NULL);
    const nw_estimate *e = &b.by_regression;
    const cJSON *kernel, *kernels = get(root, "kernels");
    ck_assert_str_eq(get(root, "estimator")->valuestring, "regression");
    ck_assert_str_eq(get(root, "estimator_source")->valuestring, SOURCE);
    ck_assert_double_eq(get(root, "latency_low_us")->valuedouble, (double)e->low_ps / 1e6);
    ck_assert_double_eq(get(root, "latency_high_us")->valuedouble, (double)e->high_ps / 1e6);
    ck_assert_double_eq(get(root, "extrapolated_kernels")->valuedouble, N_OUTSIDE);
    ck_assert(cJSON_IsFalse(get(root, "calibrated")));
    cJSON_ArrayForEach(kernel, kernels)
    {
        const char *type = get(kernel, "type")->valuestring;
        const cJSON *spread = get(kernel, "spread_pct");
        ck_assert_int_eq(cJSON_IsTrue(get(kernel, "extrapolated")),
                         is_outside(get(kernel, "name")->valuestring));
        if (strcmp(type, "view") == 0)
            ck_assert(cJSON_IsNull(spread));
        else
            ck_assert_double_eq_tol(spread->valuedouble,
                                    100 * (type[0] == 'd' ? HAND_DWCONV_SPREAD : HAND_CONV_SPREAD),
                                    1e-5);
    }
    cJSON_Delete(root);
    root = json_of(&b, &b.by_device, NULL);
    ck_assert(cJSON_IsNull(get(root, "latency_low_us")));
    ck_assert(cJSON_IsNull(get(root, "latency_high_us")));
    ck_assert_double_eq(get(root, "extrapolated_kernels")->valuedouble, 0);
    ck_assert(cJSON_IsNull(get(cJSON_GetArrayItem(get(root, "kernels"), 0), "spread_pct")));
    ck_assert_ptr_null(cJSON_GetObjectItem(root, "verify"));
    cJSON_Delete(root);
    close_both(&b);
}
END_TEST

START_TEST(the_csv_has_a_column_for_it)
{
    both b = open_both(NULL);
    nw_buf text = {0};
    nw_breakdown page = page_of(&b, &b.by_regression);
    nw_breakdown_csv(&page, &text);
    char *rest = text.text, *line = strsep(&rest, "\n");
    int n_outside = 0;
    ck_assert_str_eq(strrchr(line, ','), ",extrapolated");
    while ((line = strsep(&rest, "\n")) && *line) {
        char name[64] = "";
        snprintf(name, sizeof name, "%.*s", (int)strcspn(line + 1, "\""), line + 1);
        ck_assert_str_eq(strrchr(line, ','), is_outside(name) ? ",1" : ",0");
        n_outside += is_outside(name);
    }
    ck_assert_int_eq(n_outside, N_OUTSIDE);
    nw_buf_fini(&text);
    close_both(&b);
}
END_TEST

/* ---- both ---- */

static double kernel_us(const cJSON *root, int index)
{
    return get(cJSON_GetArrayItem(get(root, "kernels"), index), "latency_us")->valuedouble;
}

/* Either may be the estimate and either the other: the comparison is of the regression with the
 * device both times. */
START_TEST(verify_has_both_totals_and_the_ten_kernels_that_differ_most)
{
    both b = open_both(NULL);
    cJSON *ours = json_of(&b, &b.by_regression, NULL), *theirs = json_of(&b, &b.by_device, NULL);
    const nw_estimate *pairs[2][2] = {{&b.by_regression, &b.by_device},
                                      {&b.by_device, &b.by_regression}};
    double total = get(ours, "latency_us")->valuedouble;
    double device = get(theirs, "latency_us")->valuedouble;
    int n = cJSON_GetArraySize(get(ours, "kernels"));
    for (int k = 0; k < 2; k++) {
        cJSON *root = json_of(&b, pairs[k][0], pairs[k][1]);
        const cJSON *verify = get(root, "verify"), *worst = get(verify, "worst"), *item;
        ck_assert_str_eq(get(get(verify, "regression"), "source")->valuestring, SOURCE);
        ck_assert_double_eq(get(get(verify, "regression"), "latency_us")->valuedouble, total);
        ck_assert_double_eq(get(get(verify, "device"), "latency_us")->valuedouble, device);
        ck_assert(cJSON_IsNull(get(get(verify, "device"), "latency_low_us")));
        ck_assert_double_eq_tol(get(verify, "difference_pct")->valuedouble,
                                100 * (total / device - 1), 1e-9);
        bool is_inside = device >= (double)b.by_regression.low_ps / 1e6 &&
                         device <= (double)b.by_regression.high_ps / 1e6;
        ck_assert_int_eq(cJSON_IsTrue(get(verify, "inside_band")), is_inside);
        ck_assert(cJSON_IsTrue(get(verify, "self_consistency")));
        ck_assert_double_eq(get(verify, "n_kernels")->valuedouble, 88);
        ck_assert_int_eq(cJSON_GetArraySize(worst), 10);
        double least = INFINITY;
        cJSON_ArrayForEach(item, worst)
        {
            int index = (int)get(item, "kernel")->valuedouble;
            double difference = get(item, "difference_us")->valuedouble;
            ck_assert_double_eq_tol(difference, kernel_us(ours, index) - kernel_us(theirs, index),
                                    1e-6);
            ck_assert_int_eq(cJSON_IsTrue(get(item, "extrapolated")),
                             is_outside(get(item, "name")->valuestring));
            ck_assert(fabs(difference) <= least);
            least = fabs(difference);
        }
        int n_larger = 0;
        double sum = 0;
        for (int i = 0; i < n; i++) {
            double a = kernel_us(ours, i), d = kernel_us(theirs, i);
            n_larger += fabs(a - d) > least + 1e-6;
            sum += d > 0 ? fabs(a / d - 1) : 0;
        }
        ck_assert_int_eq(n_larger, 9);
        ck_assert_double_eq_tol(get(verify, "mape_pct")->valuedouble, 100 * sum / 88, 1e-6);
        cJSON_Delete(root);
    }
    cJSON_Delete(ours);
    cJSON_Delete(theirs);
    close_both(&b);
}
END_TEST

START_TEST(verify_says_what_its_answer_is_worth)
{
    both b = open_both(NULL), measured = open_both("board");
    nw_buf text = {0}, other = {0};
    nw_breakdown page = page_of(&b, &b.by_regression);
    nw_verify_text(&page, &b.by_device, 0, &text);
    ck_holds(nw_buf_text(&text), "\n  regression ");
    ck_holds(nw_buf_text(&text), "\n  device     6.435 ms   the simulated device");
    ck_holds(nw_buf_text(&text), "self-consistency");
    ck_holds(nw_buf_text(&text), "says nothing about a chip");
    page = page_of(&measured, &measured.by_device);
    nw_verify_text(&page, &measured.by_regression, 0, &other);
    ck_assert_ptr_null(strstr(nw_buf_text(&other), "self-consistency"));
    ck_holds(nw_buf_text(&other), "The regression has seen measurements");
    nw_buf_fini(&text);
    nw_buf_fini(&other);
    close_both(&b);
    close_both(&measured);
}
END_TEST

/* ---- the command ---- */

static run_result run_here(const char *words)
{
    char set[160];
    snprintf(set, sizeof set, "NASW_DATA=%s", folder);
    run_setup setup = {.set = set};
    return run_nasw(&setup, "%s", words);
}

START_TEST(the_command_verifies_whichever_estimator_was_asked)
{
    static const char *const commands[] = {
        "estimate demo --hw ne32 --verify", "estimate demo --hw ne32 --verify --estimator device",
        "estimate demo --hw ne32 --verify --estimator regression",
        "estimate demo --hw ne32 --verify --estimator auto"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        run_result r = run_here(commands[i]);
        ck_run(run_flaw(&r), &r);
        ck_assert_int_eq(r.status, 0);
        ck_run(strstr(r.out, i == 1 ? "estimated by device (" : "estimated by regression (")
                   ? NULL
                   : "another estimator",
               &r);
        ck_run(strstr(r.out, "\nVerified: the regression beside the device") ? NULL : "no verify",
               &r);
        run_free(&r);
    }
    run_result r = run_here("estimate demo --hw ne32 --verify --json");
    cJSON *root = cJSON_Parse(r.out);
    ck_run(root ? NULL : "no JSON", &r);
    get(root, "verify");
    cJSON_Delete(root);
    run_free(&r);
}
END_TEST

START_TEST(verify_is_refused_where_there_is_nothing_to_compare)
{
    run_result r = run_here("estimate demo --hw cpu-onednn --verify");
    ck_run(run_not_refused(&r,
                           "--verify: there is no regression for cpu-onednn|nasw measure|nasw fit"),
           &r);
    ck_assert_int_eq(r.status, 2);
    run_free(&r);
    r = run_here("estimate demo --hw ne32 --verify --csv");
    ck_run(run_not_refused(&r, "--verify and --csv: choose one"), &r);
    ck_assert_int_eq(r.status, 2);
    run_free(&r);
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("report_estimator");
    TCase *c = tcase_create("pages");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_band_is_as_fine_as_its_width_asks);
    tcase_add_test(c, measurements_of_a_chip_are_not_called_simulated);
    tcase_add_test(c, escapes_from_a_table_are_shown_never_sent);
    tcase_add_test(c, the_text_names_estimator_band_and_what_is_extrapolated);
    tcase_add_test(c, what_has_no_model_says_so_and_an_unknown_spread_spoils_no_band);
    tcase_add_test(c, the_device_has_no_band_and_extrapolates_nothing);
    tcase_add_test(c, the_json_has_band_source_and_extrapolation);
    tcase_add_test(c, the_csv_has_a_column_for_it);
    tcase_add_test(c, verify_has_both_totals_and_the_ten_kernels_that_differ_most);
    tcase_add_test(c, verify_says_what_its_answer_is_worth);
    tcase_add_test(c, the_command_verifies_whichever_estimator_was_asked);
    tcase_add_test(c, verify_is_refused_where_there_is_nothing_to_compare);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
