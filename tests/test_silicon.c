/* Measured silicon: 3,923 networks on a DPU (ZCU102), data/accel_nasbench. The goals are those set
 * beforehand: Spearman .97 without squeeze-and-excite, where documentation alone describes the
 * chip; .95 over all rows, where two constants of the host are partly fitted. MACs alone reach .88
 * and .72. */
#include <check.h>
#include <stdlib.h>

#include "tests/referee_silicon.h"

static void check_rows(bool with_se, double goal, double macs_alone)
{
    nw_hw *hw;
    nw_error err;
    silicon_score score;
    if (nw_hw_load("dpu-b4096", "hw", &hw, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    if (silicon_score_rows(hw, with_se, &score)) {
        ck_assert_int_eq(score.n, with_se ? 3923 : 1418);
        ck_assert_double_ge(score.spearman, goal);
        ck_assert_double_eq_tol(score.macs_spearman, macs_alone, 0.006);
    }
    nw_hw_free(hw);
}

START_TEST(latencies_without_squeeze_and_excite_rank_as_measured)
{
    check_rows(false, .97, .88);
}
END_TEST

START_TEST(latencies_with_squeeze_and_excite_rank_as_measured)
{
    check_rows(true, .95, .72);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("silicon");
    TCase *tests = tcase_create("dpu");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, latencies_without_squeeze_and_excite_rank_as_measured);
    tcase_add_test(tests, latencies_with_squeeze_and_excite_rank_as_measured);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
