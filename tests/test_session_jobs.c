/* Background work of a session. Expected rows are those of nw_estimate_graph on the same inputs. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"
#include "tests/support_session.h"

START_TEST(comparing_gives_each_description_its_own_estimate)
{
    nw_session *s = begin_plain();
    act(s, "precision", "int16");
    act(s, "open", "demo");
    act(s, "hw.compare", NULL);
    ck_assert_int_eq(nw_session_n_jobs(s), 1);
    ck_assert(nw_session_job(s, 0).is_running);
    ck_assert_str_eq(nw_session_job(s, 0).name, "demo on 13 descriptions");
    act(s, "hw", "ne64"); /* it goes on with what was open */
    wait_for_jobs(s);
    nw_job_view job = nw_session_job(s, 0);
    ck_assert(!job.is_failed && job.progress >= 1 && job.message[0]);
    int n;
    const nw_hw_row *rows = nw_session_hw_rows(s, &n);
    ck_assert_int_eq(n, 13);
    for (int i = 0; i < n; i++) {
        int64_t alone = estimate_alone("demo", rows[i].hw, "int16");
        ck_assert(rows[i].is_done);
        if (alone < 0)
            ck_assert_ptr_nonnull(strstr(rows[i].error, "does not compute in int16"));
        else
            ck_assert(!rows[i].error[0] && rows[i].latency_ps == alone);
    }
    ck_assert_str_eq(nw_session_hw_rows_point(s)->hw->name, "ne32");
    ck_assert(!nw_session_poll(s));
    nw_session_free(s);
}
END_TEST

START_TEST(a_broken_description_is_a_row_with_its_error)
{
    begin_folder();
    write_text(in_folder("broken.json"), "{\"clock\": 1}");
    nw_session *s = begin(the_folder(), PRESETS "/ne32.json", NULL);
    act(s, "open", "demo");
    act(s, "hw.compare", NULL); /* nothing to do for a worker */
    int n;
    const nw_hw_row *rows = nw_session_hw_rows(s, &n);
    ck_assert_int_eq(n, 1);
    ck_assert(rows[0].is_done);
    ck_assert_ptr_nonnull(strstr(rows[0].error, "clock"));
    ck_assert(!nw_session_job(s, 0).is_running && nw_session_job(s, 0).is_failed);
    nw_session_free(s);
    end_folder();
}
END_TEST

START_TEST(stop_ends_the_newest_job_at_once)
{
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    act(s, "hw.compare", NULL);
    act(s, "stop", NULL); /* before anything was taken in */
    nw_job_view job = nw_session_job(s, 0);
    ck_assert(!job.is_running && !job.is_failed);
    ck_assert_str_eq(job.message, "stopped after 0 of 13");
    refuse(s, "stop", NULL, "nothing is running");
    act(s, "hw.compare", NULL); /* late results of the first do not mix in */
    act(s, "hw.compare", NULL); /* takes the place of the second */
    ck_assert(!nw_session_job(s, 1).is_running);
    wait_for_jobs(s);
    int n;
    const nw_hw_row *rows = nw_session_hw_rows(s, &n);
    for (int i = 0; i < n; i++)
        ck_assert(rows[i].is_done &&
                  rows[i].latency_ps == estimate_alone("demo", rows[i].hw, "file"));
    nw_session_free(s);
}
END_TEST

START_TEST(a_session_may_end_while_its_jobs_run)
{
    for (int i = 0; i < 20; i++) {
        nw_session *s = begin_plain();
        act(s, "open", "demo");
        act(s, "hw.compare", NULL);
        if (i % 2)
            nw_session_poll(s);
        if (i % 3 == 0)
            act(s, "hw.compare", NULL);
        nw_session_free(s);
    }
}
END_TEST

START_TEST(the_list_of_jobs_stays_short)
{
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    for (int i = 0; i < 130; i++) {
        act(s, "hw.compare", NULL);
        if (i % 10 == 0)
            wait_for_jobs(s);
    }
    wait_for_jobs(s);
    ck_assert_int_le(nw_session_n_jobs(s), 130);
    act(s, "hw.compare", NULL);
    ck_assert_int_le(nw_session_n_jobs(s), 100); /* NW_MAX_JOBS */
    nw_session_free(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_jobs");
    TCase *tc = tcase_create("session_jobs");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, comparing_gives_each_description_its_own_estimate);
    tcase_add_test(tc, a_broken_description_is_a_row_with_its_error);
    tcase_add_test(tc, stop_ends_the_newest_job_at_once);
    tcase_add_test(tc, a_session_may_end_while_its_jobs_run);
    tcase_add_test(tc, the_list_of_jobs_stays_short);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
