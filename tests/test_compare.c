/* Networks beside each other. The regression is written by hand (support_regression.h), the
 * networks are a few convolutions, so that every difference can be worked out on paper. */
#include <check.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/table.h"
#include "src/report/report.h"
#include "tests/support_net.h"
#include "tests/support_regression.h"
#include "tests/support_run.h"

enum { MAX_NETWORKS = 3 };

typedef struct scene {
    char *folder;
    nw_hw *hw;
    const nw_estimator *estimator;
    const nw_arch *archs[MAX_NETWORKS];
    nw_estimate estimates[MAX_NETWORKS];
    nw_compared networks[MAX_NETWORKS];
    int n;
} scene;

static scene s;

static void set_up(void)
{
    nw_error err;
    char path[160];
    s = (scene){.folder = hand_folder_new("ne32")};
    ck_assert_int_eq(nw_hw_load("ne32", hand_folder_path(s.folder), &s.hw, &err), NW_OK);
    snprintf(path, sizeof path, "%s/mine.json", s.folder);
    write_hand_model(path, s.hw, "simulated");
    if (nw_estimator_open(path, s.hw, "", &s.estimator, NULL, 0, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
}

static void tear_down(void)
{
    for (int i = 0; i < s.n; i++) {
        nw_estimate_fini(&s.estimates[i]);
        nw_arch_release(s.archs[i]);
    }
    nw_estimator_release(s.estimator);
    nw_hw_free(s.hw);
    hand_folder_free(s.folder);
}

/* 32x32x8, a convolution to 16, one of stride 2 to out_c, n_more of 32 behind it. */
static void add_network(const char *name, const nw_estimator *estimator, int out_c, int n_more)
{
    nw_error err;
    net n = net_begin(32, 32, 8, NW_DTYPE_INT8);
    net_conv(&n, 16, 3, 3, 1, 1, NW_ACT_RELU);
    net_conv(&n, out_c, 3, 3, 2, 2, NW_ACT_RELU);
    for (int i = 0; i < n_more; i++)
        net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_RELU);
    int i = s.n++;
    s.archs[i] = nw_arch_lift(net_end(&n));
    if (nw_estimate_graph(estimator, nw_arch_graph(s.archs[i]), s.hw, "file", &s.estimates[i],
                          &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    s.networks[i] = (nw_compared){name, s.archs[i], &s.estimates[i]};
}

static nw_comparison *compare(void)
{
    nw_comparison *c;
    nw_error err;
    if (nw_comparison_new(s.hw, s.networks, s.n, &c, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return c;
}

static double us(int64_t ps)
{
    return (double)ps / 1e6;
}

START_TEST(differences_are_those_worked_out_by_hand)
{
    add_network("a", s.estimator, 32, 0);
    add_network("b", s.estimator, 48, 0);
    nw_comparison *c = compare();
    const nw_effect *e = &c->totals[1].effect;
    double a = HAND_CONV_US(16 * 16 * 32), b = HAND_CONV_US(16 * 16 * 48);
    /* the first convolution is in both and cancels */
    double unit =
        sqrt(pow(a * HAND_CONV_SPREAD, 2) + pow(b * HAND_CONV_SPREAD, 2) + pow((a + b) / 500, 2));
    ck_assert_double_eq_tol(us(e->latency.latency_ps), b - a, 1e-5);
    ck_assert(e->latency.has_band);
    ck_assert_double_eq_tol(us(e->latency.low_ps), b - a - HAND_DIFFERENCE * unit, 1e-4);
    ck_assert_double_eq_tol(us(e->latency.high_ps), b - a + HAND_DIFFERENCE * unit, 1e-4);
    ck_assert(!e->is_below);
    ck_assert_int_eq(e->macs, 16 * 16 * 9 * 16 * 16);
    ck_assert_int_eq(e->params, 9 * 16 * 16 + 16);
    ck_assert_int_eq(e->weight_bytes, 9 * 16 * 16 + 16 * 4);
    /* maps of 16 channels take 32; the network's output stays dense: 32*32*32 + 16*16*C */
    ck_assert_int_eq(e->peak_live_bytes, 16 * 16 * 16);
    ck_assert_int_eq(c->totals[0].effect.latency.latency_ps, 0);
    nw_comparison_free(c);
}
END_TEST

START_TEST(a_difference_within_its_band_is_below_what_can_be_told)
{
    add_network("a", s.estimator, 32, 0);
    add_network("b", s.estimator, 33, 0); /* 0.0768 us; the unit is sqrt(2) * 0.04 * 4.5 us */
    nw_comparison *c = compare();
    ck_assert_double_eq_tol(us(c->totals[1].effect.latency.latency_ps), 0.0003 * 256, 1e-5);
    ck_assert(c->totals[1].effect.is_below);
    nw_buf out = {0};
    nw_compare_text(c, 0, &out);
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&out), "below what this estimator can tell"));
    nw_buf_fini(&out);
    nw_comparison_free(c);
}
END_TEST

START_TEST(stages_and_blocks_add_up_to_the_total)
{
    add_network("a", s.estimator, 32, 2);
    add_network("b", s.estimator, 48, 1);
    nw_comparison *c = compare();
    for (int i = 0; i < c->n; i++) {
        int64_t by_stage = 0, by_block = 0;
        for (int at = 0; at < c->n_stages; at++)
            by_stage += c->stages[at].cells[i].cost.latency_ps;
        for (int at = 0; at < c->n_blocks; at++)
            by_block += c->blocks[at].cells[i].cost.latency_ps;
        ck_assert_int_eq(by_stage, c->networks[i].estimate->latency_ps);
        ck_assert_int_eq(by_block, c->networks[i].estimate->latency_ps);
    }
    nw_comparison_free(c);
}
END_TEST

START_TEST(the_same_network_twice_differs_in_nothing)
{
    add_network("a", s.estimator, 32, 2);
    add_network("a", s.estimator, 32, 2);
    nw_comparison *c = compare();
    for (int at = 0; at < c->n_blocks; at++)
        ck_assert(!c->blocks[at].cells[1].has_other_text && !c->blocks[at].cells[1].has_other_time);
    nw_buf out = {0};
    nw_compare_text(c, 0, &out);
    ck_assert_ptr_null(strstr(nw_buf_text(&out), " ≠\n"));
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&out), "none: the networks have the same blocks"));
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&out), "a (2)"));
    nw_buf_fini(&out);
    nw_comparison_free(c);
}
END_TEST

/* The last convolution is the head of each; what is more stands before it. */
START_TEST(a_block_more_stands_in_a_row_of_its_own)
{
    add_network("a", s.estimator, 32, 1);
    add_network("b", s.estimator, 32, 2);
    add_network("c", s.estimator, 32, 2);
    nw_comparison *c = compare();
    ck_assert_int_eq(c->n_blocks, 5); /* four and the rest */
    int n_more = 0;
    for (int at = 0; at < c->n_blocks; at++) {
        const nw_compare_cell *cells = c->blocks[at].cells;
        if (cells[0].is_there) {
            ck_assert(!cells[1].has_other_text && !cells[2].has_other_text);
            continue;
        }
        n_more++;
        ck_assert(cells[1].is_there && cells[2].is_there);
        ck_assert(cells[1].has_other_text && cells[2].has_other_text);
        ck_assert_double_eq_tol(us(cells[1].cost.latency_ps), HAND_CONV_US(16 * 16 * 32), 1e-5);
    }
    ck_assert_int_eq(n_more, 1);
    nw_comparison_free(c);
}
END_TEST

START_TEST(another_width_is_marked_where_it_is)
{
    add_network("a", s.estimator, 32, 0);
    add_network("b", s.estimator, 48, 0);
    nw_comparison *c = compare();
    ck_assert(!c->blocks[0].cells[1].has_other_text && !c->blocks[0].cells[1].has_other_time);
    ck_assert(c->blocks[1].cells[1].has_other_text && c->blocks[1].cells[1].has_other_time);
    nw_comparison_free(c);
}
END_TEST

/* The edited network as one more. */
static void add_edited(const char *name, int from, const char *line)
{
    nw_error err;
    nw_edit edit;
    int i = s.n++;
    if (nw_edit_read(line, &edit, &err) != NW_OK ||
        nw_arch_apply(s.archs[from], &edit, 1, &s.archs[i], NULL, &err) != NW_OK ||
        nw_estimate_graph(s.estimator, nw_arch_graph(s.archs[i]), s.hw, "file", &s.estimates[i],
                          &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    s.networks[i] = (nw_compared){name, s.archs[i], &s.estimates[i]};
}

START_TEST(an_edited_block_stands_beside_what_it_was)
{
    add_network("a", s.estimator, 32, 1);
    add_edited("b", 0, "variant 1.0 dsep");
    add_edited("c", 1, "resolution 64 64");
    nw_comparison *c = compare();
    ck_assert_int_eq(c->n_blocks, 4); /* three and the rest */
    for (int at = 0; at < 3; at++)
        for (int i = 0; i < 3; i++)
            ck_assert(c->blocks[at].cells[i].is_there);
    ck_assert(!c->blocks[0].cells[1].has_other_text);
    ck_assert(c->blocks[1].cells[1].has_other_text && c->blocks[1].cells[1].has_other_time);
    nw_buf out = {0};
    nw_compare_json(c, &out);
    ck_assert_ptr_nonnull(
        strstr(nw_buf_text(&out), "[\"variant 1.0 dsep\", \"resolution 64 64\"]"));
    nw_buf_fini(&out);
    nw_comparison_free(c);
}
END_TEST

START_TEST(two_estimators_are_not_compared)
{
    nw_comparison *c;
    nw_error err;
    add_network("a", s.estimator, 32, 0);
    add_network("b", nw_estimator_device(), 32, 0);
    ck_assert_int_eq(nw_comparison_new(s.hw, s.networks, s.n, &c, &err), NW_INVALID);
    ck_assert_str_eq(err.where, "b");
    ck_assert_ptr_nonnull(strstr(err.message, "device"));
    ck_assert_int_eq(nw_comparison_new(s.hw, s.networks, 1, &c, &err), NW_INVALID);
}
END_TEST

/* Cells of a line of a Markdown table: pipes that are not escaped, less one. */
static int cells_of(const char *line, size_t length)
{
    int n = -1;
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\\')
            i++;
        else
            n += line[i] == '|';
    }
    return n;
}

START_TEST(markdown_is_well_formed_whatever_the_names_are)
{
    static const char *const wild = "a|b\n| c |\x1b[2J`<script>`\\|\xe2\x80\xae*.onnx";
    add_network(wild, s.estimator, 32, 1);
    add_network("b|", s.estimator, 48, 0);
    nw_comparison *c = compare();
    nw_buf out = {0};
    nw_compare_md(c, &out);
    int n_lines = 0, n_rules = 0;
    for (const char *line = nw_buf_text(&out); *line; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n");
        for (size_t i = 0; i < length; i++)
            ck_assert((unsigned char)line[i] >= 0x20);
        if (*line != '|')
            continue;
        n_lines++;
        n_rules += strncmp(line, "| ---", 5) == 0;
        ck_assert_msg(cells_of(line, length) == 3, "%.*s", (int)length, line);
    }
    ck_assert_int_gt(n_lines, 20);
    ck_assert_int_eq(n_rules, 4); /* totals, stages, blocks, what differs */
    ck_assert_ptr_null(strstr(nw_buf_text(&out), "<script>"));
    ck_assert_ptr_null(strstr(nw_buf_text(&out), "\xe2\x80\xae"));
    nw_buf_fini(&out);
    nw_comparison_free(c);
}
END_TEST

START_TEST(json_and_csv_hold_what_the_page_says)
{
    add_network("a\"\n", s.estimator, 32, 1);
    add_network("b", s.estimator, 48, 0);
    nw_comparison *c = compare();
    nw_buf out = {0};
    nw_compare_json(c, &out);
    cJSON *json = cJSON_Parse(nw_buf_text(&out));
    ck_assert_ptr_nonnull(json);
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(json, "schema")), "nasw.compare/1");
    const cJSON *networks = cJSON_GetObjectItem(json, "networks");
    ck_assert_int_eq(cJSON_GetArraySize(networks), 2);
    const cJSON *second = cJSON_GetArrayItem(networks, 1);
    const cJSON *difference = cJSON_GetObjectItem(second, "difference");
    ck_assert(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetArrayItem(networks, 0), "difference")));
    ck_assert_double_eq(cJSON_GetObjectItem(difference, "latency_us")->valuedouble,
                        us(c->totals[1].effect.latency.latency_ps));
    ck_assert_double_eq(cJSON_GetObjectItem(second, "latency_us")->valuedouble,
                        us(s.estimates[1].latency_ps));
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(json, "blocks")), c->n_blocks);
    cJSON_Delete(json);
    nw_buf_clear(&out);
    nw_compare_csv(c, &out);
    const char *path = folder_write(s.folder, "out.csv", nw_buf_text(&out), out.length);
    nw_table *table;
    nw_error err;
    double value;
    if (nw_table_load(path, &table, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    ck_assert_int_eq(table->n_rows, 2 * (1 + c->n_stages + c->n_blocks));
    int column = nw_table_find(table, "difference_us");
    ck_assert_int_eq(nw_table_number(table, 1, column, &value, &err), NW_OK);
    ck_assert_double_eq(value, us(c->totals[1].effect.latency.latency_ps));
    nw_table_free(table);
    nw_buf_fini(&out);
    nw_comparison_free(c);
}
END_TEST

/* ---- as a command ---- */

START_TEST(the_command_prints_each_form)
{
    static const char *const forms[][2] = {{"", "baseline demo"},
                                           {"--md", "| latency |"},
                                           {"--csv", "section,row,network"},
                                           {"--json", "nasw.compare/1"}};
    for (int i = 0; i < 4; i++) {
        run_result r =
            run_nasw(NULL, "compare demo demo --hw ne32 --estimator device %s", forms[i][0]);
        ck_run(run_flaw(&r), &r);
        ck_run(r.status == 0 && strstr(r.out, forms[i][1]) ? NULL : forms[i][1], &r);
        run_free(&r);
    }
}
END_TEST

START_TEST(the_command_refuses_what_makes_no_comparison)
{
    static const char *const wrong[][2] = {
        {"compare demo --hw ne32", "usage"},
        {"compare demo demo", "usage"},
        {"compare demo demo --hw ne32 --md --json", "choose one"},
        {"compare demo nowhere.onnx --hw ne32", "nowhere.onnx"},
        {"compare demo demo --hw ne32 --precision int3", "--precision"},
        {"estimate demo --hw ne32 --md", "--md"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        run_result r = run_nasw(NULL, "%s", wrong[i][0]);
        ck_run(run_not_refused(&r, wrong[i][1]), &r);
        run_free(&r);
    }
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("compare");
    TCase *core = tcase_create("core");
    tcase_add_checked_fixture(core, set_up, tear_down);
    tcase_add_test(core, differences_are_those_worked_out_by_hand);
    tcase_add_test(core, a_difference_within_its_band_is_below_what_can_be_told);
    tcase_add_test(core, stages_and_blocks_add_up_to_the_total);
    tcase_add_test(core, the_same_network_twice_differs_in_nothing);
    tcase_add_test(core, a_block_more_stands_in_a_row_of_its_own);
    tcase_add_test(core, another_width_is_marked_where_it_is);
    tcase_add_test(core, an_edited_block_stands_beside_what_it_was);
    tcase_add_test(core, two_estimators_are_not_compared);
    tcase_add_test(core, markdown_is_well_formed_whatever_the_names_are);
    tcase_add_test(core, json_and_csv_hold_what_the_page_says);
    suite_add_tcase(suite, core);
    TCase *command = tcase_create("command");
    tcase_set_timeout(command, 60);
    tcase_add_test(command, the_command_prints_each_form);
    tcase_add_test(command, the_command_refuses_what_makes_no_comparison);
    suite_add_tcase(suite, command);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
