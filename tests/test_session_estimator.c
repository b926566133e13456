/* Who estimates, in a session: the regression beside the device. The regression is written by hand
 * (support_regression.h), so that its totals can be added up here. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support.h"
#include "tests/support_regression.h"
#include "tests/support_session.h"

static char *folder;

static void set_up(void)
{
    folder = hand_folder_new("ne32");
}

static void tear_down(void)
{
    hand_folder_free(folder);
}

static nw_session *begin_here(const char *hw)
{
    return begin(hand_folder_path(folder), hw, NULL);
}

static const char *said(const nw_session *s)
{
    return last_message(s)->text;
}

/* By the rules of the hand-written model. */
static double total_us(const nw_point *point)
{
    double us = 0;
    const nw_kernels *kernels = point->estimate.kernels;
    for (int i = 0; i < kernels->n_kernels; i++) {
        const nw_kernel *k = &kernels->kernels[i];
        nw_kernel_kind kind = k->shape.parts[0].kind;
        double n =
            k->n_writes ? (double)nw_shape_elements(&point->graph->tensors[k->writes[0]].shape) : 0;
        us += kind == NW_KERNEL_CONV     ? HAND_CONV_US(n)
              : kind == NW_KERNEL_DWCONV ? HAND_DWCONV_US(n)
              : kind == NW_KERNEL_ADD    ? HAND_ADD_US(n)
                                         : 0;
    }
    return us + (double)point->hw->inference_overhead_cycles / point->hw->clock_hz * 1e6;
}

START_TEST(the_regression_estimates_where_there_is_one)
{
    nw_session *s = begin_here("ne32");
    ck_assert_str_eq(nw_session_estimator(s), "regression");
    act(s, "open", "demo");
    ck_assert_str_eq(nw_session_estimator(s), "regression");
    ck_assert_double_eq_tol((double)latency(s) / 1e6, total_us(nw_session_current(s)), 0.01);
    act(s, "hw", "ne64"); /* has none */
    ck_assert_str_eq(nw_session_estimator(s), "device");
    act(s, "hw", "ne32");
    ck_assert_str_eq(nw_session_estimator(s), "regression");
    nw_session_free(s);
}
END_TEST

START_TEST(one_key_goes_to_the_device_and_back)
{
    nw_session *s = begin_here("ne32");
    act(s, "open", "demo");
    int64_t regression = latency(s), device = estimate_alone("demo", "ne32", "file");
    ck_assert_int_ne(regression, device);
    act(s, "estimator.next", NULL);
    ck_assert_str_eq(nw_session_estimator(s), "device");
    ck_assert_int_eq(latency(s), device);
    ck_assert_int_eq(nw_session_baseline(s)->estimate.latency_ps, regression);
    ck_assert(strncmp(said(s), "estimator regression -> device: latency ", 40) == 0);
    act(s, "estimator.next", NULL);
    ck_assert_str_eq(nw_session_estimator(s), "regression");
    ck_assert_int_eq(latency(s), regression);
    ck_assert_int_eq(nw_session_baseline(s)->estimate.latency_ps, device);
    act(s, "undo", NULL);
    ck_assert_int_eq(latency(s), device);
    act(s, "undo", NULL);
    ck_assert_int_eq(latency(s), regression);
    ck_assert_ptr_null(nw_session_baseline(s));
    act(s, "redo", NULL);
    ck_assert_int_eq(latency(s), device);
    nw_session_free(s);
}
END_TEST

/* The band is 1.5 units below and 1.8 above, whatever the unit: so wide here or not, the words
 * follow the numbers. */
START_TEST(the_message_says_whether_the_device_is_in_the_band)
{
    nw_session *s = begin_here("ne32");
    act(s, "open", "demo");
    const nw_estimate *e = &nw_session_current(s)->estimate;
    int64_t device = estimate_alone("demo", "ne32", "file");
    bool is_inside = device >= e->low_ps && device <= e->high_ps;
    ck_assert(e->has_band && e->low_ps < e->latency_ps && e->high_ps > e->latency_ps);
    const char *words = is_inside ? "), inside the regression's 90 % band"
                                  : "), outside the regression's 90 % band";
    act(s, "estimator.next", NULL);
    ck_assert_ptr_nonnull(strstr(said(s), words));
    act(s, "estimator.next", NULL);
    ck_assert_ptr_nonnull(strstr(said(s), words));
    act(s, "hw", "ne64"); /* a device elsewhere says nothing about it */
    ck_assert_ptr_null(strstr(said(s), "band"));
    nw_session_free(s);
}
END_TEST

/* A model of convolutions alone: depthwise kernels have no cost by it. */
START_TEST(totals_over_different_kernels_are_not_compared)
{
    nw_session *s = begin_here("ne32");
    char path[160], *text, *at;
    snprintf(path, sizeof path, "%s/estimators/ne32.json", folder);
    text = read_text(path, NULL);
    while ((at = strstr(text, "\"name\":\"dwconv\"")) != NULL)
        memcpy(at, "\"name\":\"xwconv\"", 15);
    ck_assert_int_eq(unlink(path), 0);
    write_text(path, text);
    free(text);
    act(s, "open", "demo");
    ck_assert_int_eq(nw_session_current(s)->estimate.n_unknown, 33);
    ck_assert(nw_session_current(s)->estimate.latency_ps > 0);
    act(s, "estimator.next", NULL);
    ck_assert_ptr_nonnull(strstr(said(s), ", not comparable: costs are unknown"));
    ck_assert_ptr_null(strstr(said(s), "band"));
    nw_session_free(s);
}
END_TEST

START_TEST(without_a_regression_the_key_is_refused_and_says_what_makes_one)
{
    nw_session *s = begin_here("ne64");
    act(s, "open", "demo");
    refuse(s, "estimator.next", NULL, "ne64 has no regression, only the device; nasw measure");
    ck_assert_str_eq(said(s), "estimator.next: ne64 has no regression, only the device; nasw "
                              "measure and nasw fit make one");
    ck_assert_str_eq(nw_session_estimator(s), "device");
    nw_session_free(s);
}
END_TEST

START_TEST(a_broken_model_is_named_and_nothing_changes)
{
    nw_session *s = begin_here("ne32");
    char path[160];
    act(s, "open", "demo");
    act(s, "estimator", "device");
    snprintf(path, sizeof path, "%s/estimators/ne32.json", folder);
    write_text(path, "{\"schema\":\"nasw.estimator/1\"");
    refuse(s, "estimator.next", NULL, "is not a model file of nasw fit, or is cut short");
    ck_assert_ptr_nonnull(strstr(said(s), "/estimators/ne32.json: "));
    nw_session_free(s);
}
END_TEST

START_TEST(the_key_goes_back_to_the_file_that_was_chosen)
{
    nw_session *s = begin_here("ne32");
    char own[160], other[160];
    snprintf(own, sizeof own, "%s/estimators/ne32.json", folder);
    snprintf(other, sizeof other, "%s/mine.json", folder);
    copy_file(own, other);
    act(s, "open", "demo");
    act(s, "estimator", other);
    act(s, "estimator.next", NULL);
    act(s, "estimator.next", NULL);
    ck_assert_str_eq(nw_session_current(s)->estimate.estimator->path, other);
    act(s, "estimator.next", NULL);
    act(s, "hw", "ne64"); /* the file is of another hardware: nothing to go back to */
    refuse(s, "estimator.next", NULL, "ne64 has no regression");
    nw_session_free(s);
}
END_TEST

START_TEST(after_the_key_other_descriptions_still_open)
{
    nw_session *s = begin_here("ne32");
    act(s, "open", "demo");
    act(s, "estimator.next", NULL);
    act(s, "estimator.next", NULL);
    act(s, "hw.next", NULL); /* without a regression of its own */
    ck_assert_str_eq(nw_session_hw(s)->name, "ne64");
    ck_assert_str_eq(nw_session_estimator(s), "device");
    nw_session_free(s);
}
END_TEST

START_TEST(the_key_is_logged_as_what_it_led_to)
{
    nw_session *s = begin_here("ne32");
    nw_buf log = {0};
    act(s, "open", "demo");
    act(s, "estimator.next", NULL);
    act(s, "estimator.next", NULL);
    nw_session_log_lua(s, &log);
    ck_assert_str_eq(nw_buf_text(&log), "nasw.act(\"open\", \"demo\")\n"
                                        "nasw.act(\"estimator\", \"device\")\n"
                                        "nasw.act(\"estimator\", \"auto\")\n");
    nw_buf_fini(&log);
    nw_session_free(s);
}
END_TEST

/* Bands of differences need the two estimates to be by one estimator. */
START_TEST(the_same_file_is_the_same_estimator_until_it_changes)
{
    nw_session *s = begin_here("ne32");
    char path[160], text[64] = "";
    act(s, "open", "demo");
    const nw_estimator *first = nw_session_current(s)->estimate.estimator;
    act(s, "estimator.next", NULL);
    act(s, "estimator.next", NULL);
    ck_assert_ptr_eq(nw_session_current(s)->estimate.estimator, first);
    act(s, "estimator", "regression");
    ck_assert_ptr_eq(nw_session_current(s)->estimate.estimator, first);
    act(s, "precision", "int16");
    nw_difference d =
        nw_estimate_difference(&nw_session_baseline(s)->estimate, &nw_session_current(s)->estimate);
    ck_assert(d.has_band);

    act(s, "estimator", "device");
    snprintf(path, sizeof path, "%s/estimators/ne32.json", folder);
    nw_hw *hw;
    ck_assert_int_eq(nw_hw_load("ne32", "hw", &hw, NULL), NW_OK);
    ck_assert_int_eq(unlink(path), 0);
    write_hand_model(path, hw, "elsewhere");
    nw_hw_free(hw);
    act(s, "estimator", "regression");
    snprintf(text, sizeof text, "%s",
             nw_regression_report(nw_session_current(s)->estimate.estimator->regression)->source);
    ck_assert_str_eq(text, "elsewhere");
    nw_session_free(s);
}
END_TEST

START_TEST(more_files_than_are_remembered_still_work)
{
    nw_session *s = begin_here("ne32");
    char own[160], other[160];
    snprintf(own, sizeof own, "%s/estimators/ne32.json", folder);
    act(s, "open", "demo");
    int64_t expected = latency(s);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 12; i++) {
            snprintf(other, sizeof other, "%s/%d.json", folder, i);
            copy_file(own, other);
            act(s, "estimator", other);
            ck_assert_int_eq(latency(s), expected);
        }
    nw_session_free(s);
}
END_TEST

START_TEST(with_nothing_open_the_key_chooses_for_later)
{
    nw_session *s = begin_here("ne32");
    act(s, "estimator.next", NULL);
    ck_assert_str_eq(nw_session_estimator(s), "device");
    ck_assert_str_eq(said(s), "estimator device");
    const nw_estimator *estimator = nw_session_open_estimator(s);
    ck_assert_str_eq(estimator->name, "device");
    ck_assert_ptr_null(estimator->regression);
    nw_estimator_release(estimator);
    act(s, "estimator.next", NULL);
    estimator = nw_session_open_estimator(s);
    ck_assert_ptr_nonnull(estimator->regression);
    nw_estimator_release(estimator);
    nw_session_free(s);
}
END_TEST

START_TEST(a_comparison_names_who_estimated_on_each)
{
    nw_session *s = begin_here("ne32");
    act(s, "open", "demo");
    ck_assert(!nw_session_hw_rows_are_of_current(s));
    act(s, "hw.compare", NULL);
    wait_for_jobs(s);
    ck_assert(nw_session_hw_rows_are_of_current(s));
    int n;
    const nw_hw_row *rows = nw_session_hw_rows(s, &n);
    for (int i = 0; i < n; i++) {
        bool is_ne32 = strcmp(rows[i].hw, "ne32") == 0;
        ck_assert_str_eq(rows[i].estimator, is_ne32 ? "regression" : "device");
        ck_assert(!is_ne32 || rows[i].latency_ps == latency(s));
    }
    act(s, "estimator.next", NULL); /* now they are by another */
    ck_assert(!nw_session_hw_rows_are_of_current(s));
    nw_session_free(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_estimator");
    TCase *c = tcase_create("estimator");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, the_regression_estimates_where_there_is_one);
    tcase_add_test(c, one_key_goes_to_the_device_and_back);
    tcase_add_test(c, the_message_says_whether_the_device_is_in_the_band);
    tcase_add_test(c, totals_over_different_kernels_are_not_compared);
    tcase_add_test(c, without_a_regression_the_key_is_refused_and_says_what_makes_one);
    tcase_add_test(c, a_broken_model_is_named_and_nothing_changes);
    tcase_add_test(c, the_key_goes_back_to_the_file_that_was_chosen);
    tcase_add_test(c, after_the_key_other_descriptions_still_open);
    tcase_add_test(c, the_key_is_logged_as_what_it_led_to);
    tcase_add_test(c, the_same_file_is_the_same_estimator_until_it_changes);
    tcase_add_test(c, more_files_than_are_remembered_still_work);
    tcase_add_test(c, with_nothing_open_the_key_chooses_for_later);
    tcase_add_test(c, a_comparison_names_who_estimated_on_each);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
