/* Fitting, keeping and asking regressions: against laws that are known, and bad input. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/estimator/bands.h"
#include "src/estimator/booster.h"
#include "src/estimator/regression.h"
#include "src/estimator/scores.h"

#define HEADER "op,in_hw,cin,cout,kernel,stride,time_us\n"

static nw_table *read_good(const char *text)
{
    nw_table *table = NULL;
    nw_error err;
    nw_file *file = nw_file_from_bytes("m.csv", text, strlen(text));
    if (nw_table_read(file, &table, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_file_release(file);
    return table;
}

/* Convolutions of many sizes; time = 2 us + 1e-5 us a multiply-accumulate, exactly. */
static void write_law(nw_buf *text, int first, int last)
{
    for (int i = first; i < last; i++) {
        int map = 7 << (i % 4), in = 8 + 8 * (i % 9), out = 8 + 8 * (i % 7), k = i % 2 ? 3 : 1;
        double macs = (double)map * map * in * out * k * k;
        nw_buf_printf(text, "conv2d,%d,%d,%d,%d,1,%.17g\n", map, in, out, k, 2 + 1e-5 * macs);
    }
}

static nw_regression *fit_good(const char *text, const nw_fit_options *given)
{
    nw_fit_options options = given ? *given : (nw_fit_options){.group = "op"};
    nw_table *table = read_good(text);
    nw_regression *r = NULL;
    nw_error err;
    if (!options.target)
        options.target = "time_us";
    if (nw_fit(table, &options, &r, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_table_free(table);
    return r;
}

static nw_regression *fit_law(void)
{
    nw_buf text = {0};
    nw_buf_puts(&text, HEADER);
    write_law(&text, 0, 504);
    nw_regression *r = fit_good(nw_buf_text(&text), NULL);
    nw_buf_fini(&text);
    return r;
}

START_TEST(a_linear_law_is_found_and_goes_on_outside_the_range)
{
    nw_regression *r = fit_law();
    double predicted;
    nw_error err;
    ck_assert_double_lt(nw_regression_report(r)->all.mape, 0.1);
    /* 56 x 56 x 512 to 512 is a hundred times the largest of training */
    nw_table *t = read_good("op,in_hw,cin,cout,kernel,stride\nconv2d,56,512,512,1,1\n");
    ck_assert_int_eq(nw_regression_rows(r, t, &predicted, &err), NW_OK);
    ck_assert_double_eq_tol(predicted, 2 + 1e-5 * 56 * 56 * 512.0 * 512, 0.05 * predicted);
    nw_table_free(t);
    nw_regression_release(r);
}
END_TEST

START_TEST(a_prediction_keeps_the_rows_and_says_what_it_has_not_seen)
{
    nw_regression *r = fit_law();
    nw_buf out = {0};
    nw_prediction summary;
    nw_error err;
    nw_table *t = read_good("note,op,in_hw,cin,cout,kernel,stride\n\"a, b\",conv2d,14,16,16,1,1\n"
                            ",pool,14,16,16,2,2\n,conv2d,14,16,16,,1\n,conv2d,14,9999,16,1,1\n");
    ck_assert_int_eq(nw_regression_predict(r, t, NULL, &out, &summary, &err), NW_OK);
    ck_assert_int_eq(summary.n_rows, 4);
    ck_assert_int_eq(summary.n_unseen, 1);
    ck_assert_str_eq(summary.unseen, "pool");
    ck_assert_int_ge(summary.n_outside, 1);
    nw_table_free(t);
    t = read_good(nw_buf_text(&out));
    int column = nw_table_find(t, "predicted");
    double value;
    ck_assert_int_eq(column, 7);
    ck_assert_str_eq(nw_table_cell(t, 0, 0), "a, b");
    ck_assert_str_eq(nw_table_cell(t, 1, column), "");
    ck_assert_int_eq(nw_table_number(t, 0, column, &value, &err), NW_OK);
    ck_assert_double_eq_tol(value, 2 + 1e-5 * 14 * 14 * 16 * 16, 0.1);
    nw_table_free(t);
    nw_buf_fini(&out);
    nw_regression_release(r);
}
END_TEST

/* Networks measured whole take 1.5 times the sum of their rows and 7 us besides. */
START_TEST(the_affine_step_of_networks_is_learned)
{
    nw_buf text = {0}, totals = {0}, rows = {0};
    nw_buf_puts(&text, "net,op,in_hw,cin,cout,kernel,stride,time_us\n");
    nw_buf_puts(&totals, "net,total_us\n");
    for (int net = 0; net < 30; net++) {
        nw_buf_clear(&rows);
        write_law(&rows, 5 * net, 5 * net + 5 + net % 9);
        double sum = 0;
        for (const char *line = nw_buf_text(&rows); *line; line += strcspn(line, "\n") + 1) {
            int length = (int)strcspn(line, "\n");
            nw_buf_printf(&text, "n%d,%.*s\n", net, length, line);
            const char *last = line + length;
            while (last[-1] != ',')
                last--;
            sum += strtod(last, NULL);
        }
        nw_buf_printf(&totals, "n%d,%.17g\n", net, 1.5 * sum + 7);
    }
    nw_table *t = read_good(nw_buf_text(&totals));
    nw_fit_options options = {
        .group = "op", .network = "net", .totals = t, .total_target = "total_us"};
    nw_regression *r = fit_good(nw_buf_text(&text), &options);
    const nw_fit_report *p = nw_regression_report(r);
    ck_assert_int_eq(p->n_networks, 30);
    ck_assert_double_eq_tol(p->a, 1.5, 0.01);
    ck_assert_double_eq_tol(p->b, 7, 0.3);
    ck_assert_double_lt(p->networks.mape, 0.5);
    ck_assert_double_lt(p->measured_sums.mape, 1e-9);
    nw_table_free(t);

    nw_buf out = {0};
    nw_prediction summary;
    nw_error err;
    t = read_good("net,op,in_hw,cin,cout,kernel,stride\nx,conv2d,14,16,16,1,1\n"
                  "y,conv2d,28,16,16,1,1\nx,conv2d,28,16,16,1,1\n");
    ck_assert_int_eq(nw_regression_predict(r, t, "net", &out, &summary, &err), NW_OK);
    nw_table_free(t);
    t = read_good(nw_buf_text(&out));
    double x;
    ck_assert_int_eq(t->n_rows, 2);
    ck_assert_int_eq(t->n_columns, 2);
    ck_assert_str_eq(t->names[0], "net");
    ck_assert_int_eq(nw_table_number(t, 0, 1, &x, &err), NW_OK);
    double sum = 4 + 1e-5 * 256 * (196 + 784);
    ck_assert_double_eq_tol(x, 1.5 * sum + 7, 0.3);
    nw_table_free(t);
    nw_buf_fini(&out);
    nw_buf_fini(&text);
    nw_buf_fini(&totals);
    nw_buf_fini(&rows);
    nw_regression_release(r);
}
END_TEST

/* 100 and 120 for one shape: the mean is 110, off by 10 % of one and 8.33 % of the other. */
START_TEST(equal_shapes_that_disagree_are_the_noise_floor)
{
    nw_regression *r = fit_good(HEADER "conv2d,14,16,16,1,1,100\nconv2d,14,16,16,1,1,120\n"
                                       "conv2d,28,16,16,1,1,300\n",
                                NULL);
    const nw_fit_group *g = nw_regression_group_report(r, 0);
    ck_assert_int_eq(g->n_noisy, 2);
    ck_assert_double_eq_tol(g->noise_pct, (10 + 100.0 / 12) / 2, 1e-9);
    nw_regression_release(r);
}
END_TEST

START_TEST(one_row_and_constant_columns_are_a_fit)
{
    double predicted;
    nw_error err;
    nw_regression *r = fit_good(HEADER "conv2d,14,16,16,1,1,12.5\n", NULL);
    nw_table *t = read_good("op,in_hw,cin,cout,kernel,stride\nconv2d,14,16,16,1,1\n");
    ck_assert_int_eq(nw_regression_rows(r, t, &predicted, &err), NW_OK);
    ck_assert_double_eq_tol(predicted, 12.5, 1e-6);
    nw_regression_release(r);
    nw_buf text = {0};
    nw_buf_puts(&text, HEADER);
    for (int i = 0; i < 40; i++)
        nw_buf_puts(&text, "conv2d,14,16,16,1,1,3\n");
    r = fit_good(nw_buf_text(&text), NULL);
    ck_assert_int_eq(nw_regression_rows(r, t, &predicted, &err), NW_OK);
    ck_assert_double_eq_tol(predicted, 3, 1e-6);
    nw_buf_fini(&text);
    nw_table_free(t);
    nw_regression_release(r);
}
END_TEST

static const struct {
    const char *text, *target, *group, *features, *network, *where, *part;
} bad[] = {
    {HEADER "conv2d,14,16,16,1,1,0\n", "time_us", "op", NULL, NULL, "m.csv:2", "time_us is 0"},
    {HEADER "conv2d,14,16,16,1,1,-3\n", "time_us", "op", NULL, NULL, "m.csv:2", "positive"},
    {HEADER "conv2d,14,x,16,1,1,3\n", "time_us", "op", NULL, NULL, "m.csv:2", "cin is \"x\""},
    {HEADER "conv2d,14,16,16,1,1,fast\n", "time_us", "op", NULL, NULL, "m.csv:2", "not a number"},
    {HEADER "conv2d,14,-1,16,1,1,3\n", "time_us", "op", NULL, NULL, "m.csv:2", "not negative"},
    {HEADER "conv2d,14,16,16,1,1,\n", "time_us", "op", NULL, NULL, "m.csv", "no row has a value"},
    {HEADER, "time_us", "op", NULL, NULL, "m.csv", "no row has a value"},
    {HEADER, "time", "op", NULL, NULL, "m.csv", "no column time"},
    {HEADER, "time_us", "kind", NULL, NULL, "m.csv", "no column kind"},
    {HEADER "conv2d,14,16,16,1,1,3\n", "time_us", "op", "colour", NULL, "m.csv", "colour"},
    {HEADER "conv2d,14,16,16,1,1,3\n", "time_us", "op", NULL, "net", "m.csv", "no column net"},
};

START_TEST(bad_tables_are_refused_in_one_line)
{
    nw_error err;
    nw_regression *r = NULL;
    nw_table *table = read_good(bad[_i].text);
    nw_fit_options options = {.target = bad[_i].target,
                              .group = bad[_i].group,
                              .features = bad[_i].features,
                              .network = bad[_i].network};
    ck_assert_int_eq(nw_fit(table, &options, &r, &err), NW_INVALID);
    ck_assert_str_eq(err.where, bad[_i].where);
    ck_assert_msg(strstr(err.message, bad[_i].part) != NULL, "%s", err.message);
    nw_table_free(table);
}
END_TEST

START_TEST(the_same_table_gives_the_same_bytes)
{
    nw_regression *a = fit_law(), *b = fit_law();
    nw_buf x = {0}, y = {0};
    nw_regression_write(a, &x);
    nw_regression_write(b, &y);
    ck_assert_str_eq(nw_buf_text(&x), nw_buf_text(&y));
    nw_buf_fini(&x);
    nw_buf_fini(&y);
    nw_regression_release(a);
    nw_regression_release(b);
}
END_TEST

START_TEST(a_model_file_reads_back_to_the_same_bytes_and_predictions)
{
    nw_regression *a = fit_law(), *b = NULL;
    nw_buf x = {0}, y = {0}, rows = {0};
    nw_error err;
    double before[50], after[50];
    nw_regression_write(a, &x);
    if (nw_regression_parse(nw_buf_text(&x), x.length, "e.json", &b, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_regression_write(b, &y);
    ck_assert_str_eq(nw_buf_text(&x), nw_buf_text(&y));
    nw_buf_puts(&rows, HEADER);
    write_law(&rows, 1000, 1050);
    nw_table *t = read_good(nw_buf_text(&rows));
    ck_assert_int_eq(nw_regression_rows(a, t, before, &err), NW_OK);
    ck_assert_int_eq(nw_regression_rows(b, t, after, &err), NW_OK);
    ck_assert_mem_eq(before, after, sizeof before);
    nw_table_free(t);
    nw_buf_fini(&x);
    nw_buf_fini(&y);
    nw_buf_fini(&rows);
    nw_regression_release(a);
    nw_regression_release(b);
}
END_TEST

START_TEST(a_truncated_model_file_is_refused)
{
    nw_regression *a = fit_law(), *b = NULL;
    nw_buf x = {0};
    nw_error err;
    nw_regression_write(a, &x);
    for (size_t n = 0; n + 3 < x.length; n += 1 + x.length / 211) {
        char *cut = strndup(nw_buf_text(&x), n);
        ck_assert_msg(nw_regression_parse(cut, n, "e.json", &b, &err) != NW_OK,
                      "%zu of %zu bytes were taken for a model", n, x.length);
        ck_assert_str_eq(err.where, "e.json");
        ck_assert_int_gt(strlen(err.message), 10);
        free(cut);
    }
    nw_buf_fini(&x);
    nw_regression_release(a);
}
END_TEST

static const struct {
    const char *from, *to, *part;
} edits[] = {
    {"nasw.estimator/1", "nasw.estimator/9", "schema nasw.estimator/9"},
    {"\"schema\"", "\"scheme\"", "not a model file"},
    {"\"features\":[{\"name\":\"in_h\"", "\"features\":[{\"name\":\"moon\"", "feature moon"},
    {"\"value\":\"macs\"", "\"value\":\"moon\"", "moon"},
    {"\"least\":", "\"least\":-", "least"},
    {"\"low\":", "\"low\":9e9,\"was\":", "upside down"},
    {"\"left_children\":[", "\"left_children\":[999999,", "trees of group conv2d"},
    {"\"name\":\"reg:squarederror\"", "\"name\":\"multi:softmax\"", "multi:softmax"},
    {"\"name\":\"gbtree\"", "\"name\":\"dart\"", "dart"},
};

START_TEST(a_model_file_that_was_tampered_with_is_refused_by_name)
{
    nw_regression *a = fit_law(), *b = NULL;
    nw_buf x = {0}, y = {0};
    nw_error err;
    nw_regression_write(a, &x);
    const char *at = strstr(nw_buf_text(&x), edits[_i].from);
    ck_assert_ptr_nonnull(at);
    nw_buf_add(&y, x.text, (size_t)(at - x.text));
    nw_buf_puts(&y, edits[_i].to);
    nw_buf_puts(&y, at + strlen(edits[_i].from));
    ck_assert_int_ne(nw_regression_parse(nw_buf_text(&y), y.length, "e.json", &b, &err), NW_OK);
    ck_assert_msg(strstr(err.message, edits[_i].part) != NULL, "%s: %s", err.where, err.message);
    nw_buf_fini(&x);
    nw_buf_fini(&y);
    nw_regression_release(a);
}
END_TEST

/* ---- figures ---- */

START_TEST(scores_are_those_of_a_hand_count)
{
    const double measured[] = {100, 200, 400, 50}, predicted[] = {104, 190, 480, 50};
    nw_scores s;
    nw_scores_find(measured, predicted, 4, &s);
    ck_assert_double_eq_tol(s.mape, (4 + 5 + 20 + 0) / 4.0, 1e-9);
    ck_assert_double_eq_tol(s.rmspe, sqrt((16 + 25 + 400) / 4.0), 1e-9);
    ck_assert_double_eq_tol(s.within_5, 75, 1e-9); /* 5 % is within */
    ck_assert_double_eq_tol(s.within_10, 75, 1e-9);
    ck_assert_double_eq_tol(s.spearman, 1, 1e-12);
}
END_TEST

START_TEST(quantiles_and_ranks_are_those_of_a_hand_count)
{
    double values[] = {5, 1, 4, 2, 3};
    const double a[] = {1, 2, 2, 3}, b[] = {1, 3, 2, 4};
    ck_assert_double_eq(nw_quantile(values, 5, 0.5), 3);
    ck_assert_double_eq_tol(nw_quantile(values, 5, 0.9), 4.6, 1e-12);
    /* ranks of a 1, 2.5, 2.5, 4: covariance 4.5 over sqrt(4.5 x 5) */
    ck_assert_double_eq_tol(nw_spearman(a, b, 4), 4.5 / sqrt(22.5), 1e-12);
}
END_TEST

/* Least squares of relative errors by hand: y = 2 x + 3 is met exactly. */
START_TEST(the_affine_step_meets_a_line)
{
    const double x[] = {1, 2, 5, 9}, y[] = {5, 7, 13, 21};
    double a, b;
    nw_affine_fit(x, y, 4, &a, &b);
    ck_assert_double_eq_tol(a, 2, 1e-9);
    ck_assert_double_eq_tol(b, 3, 1e-9);
    nw_affine_fit(x, y, 1, &a, &b);
    ck_assert_double_eq_tol(a * x[0] + b, y[0], 1e-9);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fit");
    TCase *tc = tcase_create("fit");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_linear_law_is_found_and_goes_on_outside_the_range);
    tcase_add_test(tc, a_prediction_keeps_the_rows_and_says_what_it_has_not_seen);
    tcase_add_test(tc, the_affine_step_of_networks_is_learned);
    tcase_add_test(tc, equal_shapes_that_disagree_are_the_noise_floor);
    tcase_add_test(tc, one_row_and_constant_columns_are_a_fit);
    tcase_add_loop_test(tc, bad_tables_are_refused_in_one_line, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tc, the_same_table_gives_the_same_bytes);
    tcase_add_test(tc, a_model_file_reads_back_to_the_same_bytes_and_predictions);
    tcase_add_test(tc, a_truncated_model_file_is_refused);
    tcase_add_loop_test(tc, a_model_file_that_was_tampered_with_is_refused_by_name, 0,
                        sizeof edits / sizeof *edits);
    suite_add_tcase(suite, tc);
    tc = tcase_create("figures");
    tcase_add_test(tc, scores_are_those_of_a_hand_count);
    tcase_add_test(tc, quantiles_and_ranks_are_those_of_a_hand_count);
    tcase_add_test(tc, the_affine_step_meets_a_line);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
