/* The rows that a model file keeps for pictures. Tables are measured on the simulated device. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support_regression.h"

static nw_hw *load(const char *name)
{
    nw_error err;
    nw_hw *hw = NULL;
    if (nw_hw_load(name, "hw", &hw, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return hw;
}

/* How many rows of the table have this kernel and this latency. */
static int count_rows(const nw_table *table, const char *kernel, double measured)
{
    int n = 0, name = nw_table_find(table, "kernel"), latency = nw_table_find(table, "latency_us");
    for (int i = 0; i < table->n_rows; i++)
        n += strcmp(nw_table_cell(table, i, name), kernel) == 0 &&
             strtod(nw_table_cell(table, i, latency), NULL) == measured;
    return n;
}

static int count_points(const nw_fit_report *p, const nw_fit_point *point)
{
    int n = 0;
    for (int i = 0; i < p->n_sample; i++)
        n += p->sample[i].group == point->group && p->sample[i].measured == point->measured;
    return n;
}

START_TEST(a_small_table_is_kept_whole_a_large_one_in_part)
{
    static const int sizes[] = {30, 150};
    nw_hw *hw = load("ne32");
    for (int k = 0; k < 2; k++) {
        nw_table *table = measured_table(hw, sizes[k]);
        nw_regression *r = fitted_regression(hw, table, 1);
        const nw_fit_report *p = nw_regression_report(r);
        ck_assert_int_eq(table->n_rows, 3 * sizes[k]);
        ck_assert_int_eq(p->n_sample, table->n_rows < NW_N_SAMPLE ? table->n_rows : NW_N_SAMPLE);
        for (int i = 0; i < p->n_sample; i++) {
            const nw_fit_point *point = &p->sample[i];
            ck_assert(point->group >= 0 && point->group < nw_regression_n_groups(r));
            ck_assert(point->predicted > 0);
            const char *kernel = nw_regression_group_report(r, point->group)->name;
            int n_rows = count_rows(table, kernel, point->measured);
            ck_assert_int_gt(n_rows, 0);
            ck_assert_int_le(count_points(p, point), n_rows); /* none twice */
        }
        nw_regression_release(r);
        nw_table_free(table);
    }
    nw_hw_free(hw);
}
END_TEST

/* The group's MAPE is of the same predictions, so that of a whole sample is equal. */
START_TEST(the_points_are_those_that_the_scores_are_of)
{
    nw_hw *hw = load("ne32");
    nw_table *table = measured_table(hw, 40);
    nw_regression *r = fitted_regression(hw, table, 1);
    const nw_fit_report *p = nw_regression_report(r);
    double sum = 0;
    for (int i = 0; i < p->n_sample; i++)
        sum += fabs(p->sample[i].predicted / p->sample[i].measured - 1);
    ck_assert_int_eq(p->n_sample, p->all.n);
    ck_assert_double_eq_tol(100 * sum / p->n_sample, p->all.mape, 1e-9);
    nw_regression_release(r);
    nw_table_free(table);
    nw_hw_free(hw);
}
END_TEST

START_TEST(the_seed_alone_decides_which)
{
    nw_hw *hw = load("ne32");
    nw_table *table = measured_table(hw, 100);
    nw_regression *r[3] = {fitted_regression(hw, table, 1), fitted_regression(hw, table, 1),
                           fitted_regression(hw, table, 2)};
    const nw_fit_report *p[3];
    for (int i = 0; i < 3; i++)
        p[i] = nw_regression_report(r[i]);
    ck_assert_mem_eq(p[0]->sample, p[1]->sample, NW_N_SAMPLE * sizeof *p[0]->sample);
    int n_same = 0;
    for (int i = 0; i < NW_N_SAMPLE; i++)
        n_same += p[0]->sample[i].measured == p[2]->sample[i].measured;
    ck_assert_int_lt(n_same, NW_N_SAMPLE);
    for (int i = 0; i < 3; i++)
        nw_regression_release(r[i]);
    nw_table_free(table);
    nw_hw_free(hw);
}
END_TEST

START_TEST(a_file_gives_them_back)
{
    nw_hw *hw = load("ne32");
    nw_table *table = measured_table(hw, 100);
    nw_regression *r = fitted_regression(hw, table, 3), *again;
    nw_error err;
    nw_buf text = {0};
    nw_regression_write(r, &text);
    if (nw_regression_parse(nw_buf_text(&text), text.length, "E.json", &again, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    const nw_fit_report *p = nw_regression_report(r), *q = nw_regression_report(again);
    ck_assert_int_eq(p->n_sample, q->n_sample);
    for (int i = 0; i < p->n_sample; i++) {
        ck_assert_int_eq(p->sample[i].group, q->sample[i].group);
        ck_assert_double_eq(p->sample[i].measured, q->sample[i].measured);
        ck_assert_double_eq(p->sample[i].predicted, q->sample[i].predicted);
    }
    nw_buf_fini(&text);
    nw_regression_release(r);
    nw_regression_release(again);
    nw_table_free(table);
    nw_hw_free(hw);
}
END_TEST

/* text with the first `from` in it replaced. The caller frees. */
static char *replaced(const char *text, const char *from, const char *to)
{
    nw_buf out = {0};
    const char *at = strstr(text, from);
    ck_assert_ptr_nonnull(at);
    nw_buf_add(&out, text, (size_t)(at - text));
    nw_buf_puts(&out, to);
    nw_buf_puts(&out, at + strlen(from));
    return out.text;
}

START_TEST(a_broken_sample_is_refused_in_one_line)
{
    static const struct {
        const char *with;
        bool is_good;
    } cases[] = {
        {"\"sample\":[[0,1.5,1.6],[2,1,1],", true},
        {"\"sample\":[[3,1,1],", false},
        {"\"sample\":[[-1,1,1],", false},
        {"\"sample\":[[0,0,1],", false},
        {"\"sample\":[[0,1,1e999],", false},
        {"\"sample\":[[0,1],", false},
        {"\"sample\":[7,", false},
        {"\"sample\":[[0,1,null],", false},
        {"\"sample_of_another_name\":[", true},
        {"\"sample\":[[\"conv\",1,1],", false},
    };
    nw_hw *hw = load("ne32");
    nw_table *table = measured_table(hw, 30);
    nw_regression *r = fitted_regression(hw, table, 1), *again;
    nw_buf text = {0};
    nw_regression_write(r, &text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *broken = replaced(nw_buf_text(&text), "\"sample\":[", cases[i].with);
        nw_error err;
        nw_status status = nw_regression_parse(broken, strlen(broken), "E.json", &again, &err);
        ck_assert_msg((status == NW_OK) == cases[i].is_good, "%s", cases[i].with);
        if (status == NW_OK) {
            nw_regression_release(again);
        } else {
            ck_assert_str_eq(err.where, "E.json");
            ck_assert_str_eq(err.message,
                             "sample holds something else than [group, measured, predicted]");
        }
        free(broken);
    }
    nw_buf_fini(&text);
    nw_regression_release(r);
    nw_table_free(table);
    nw_hw_free(hw);
}
END_TEST

/* A table in which each shape stands twice. */
START_TEST(no_shape_is_twice_among_the_worst)
{
    nw_hw *hw = load("ne32");
    nw_table *once = measured_table(hw, 40);
    nw_buf text = {0};
    for (int c = 0; c < once->n_columns; c++)
        nw_buf_printf(&text, "%s%s", c ? "," : "", once->names[c]);
    nw_buf_puts(&text, "\n");
    for (int i = 0; i < 2 * once->n_rows; i++)
        for (int c = 0; c < once->n_columns; c++)
            nw_buf_printf(&text, "%s%s", nw_table_cell(once, i / 2, c),
                          c + 1 < once->n_columns ? "," : "\n");
    nw_table *twice;
    nw_error err;
    nw_file *file = nw_file_from_bytes("twice.csv", nw_buf_text(&text), text.length);
    ck_assert_int_eq(nw_table_read(file, &twice, &err), NW_OK);
    nw_file_release(file);
    nw_regression *r = fitted_regression(hw, twice, 1);
    for (int g = 0; g < nw_regression_n_groups(r); g++) {
        const nw_fit_group *group = nw_regression_group_report(r, g);
        ck_assert_int_eq(group->n_worst, NW_N_WORST);
        for (int i = 0; i < group->n_worst; i++)
            for (int k = 0; k < i; k++) /* a row and its twin are neighbours */
                ck_assert_int_ne((group->worst[i].line - 2) / 2, (group->worst[k].line - 2) / 2);
    }
    nw_regression_release(r);
    nw_table_free(once);
    nw_table_free(twice);
    nw_buf_fini(&text);
    nw_hw_free(hw);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fit_sample");
    TCase *c = tcase_create("points");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_small_table_is_kept_whole_a_large_one_in_part);
    tcase_add_test(c, the_points_are_those_that_the_scores_are_of);
    tcase_add_test(c, the_seed_alone_decides_which);
    tcase_add_test(c, a_file_gives_them_back);
    tcase_add_test(c, a_broken_sample_is_refused_in_one_line);
    tcase_add_test(c, no_shape_is_twice_among_the_worst);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
