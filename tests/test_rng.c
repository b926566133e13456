/* Random numbers against the published ones, and what the draws promise. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/rng.h"

/* Numbers of the reference C code (prng.di.unimi.it), as the test vectors of Rust's rand_xoshiro
 * state them. */
START_TEST(xoshiro_gives_the_numbers_of_the_reference_code)
{
    static const uint64_t wanted[] = {11520u,
                                      0u,
                                      1509978240u,
                                      1215971899390074240u,
                                      1216172134540287360u,
                                      607988272756665600u,
                                      16172922978634559625u,
                                      8476171486693032832u,
                                      10595114339597558777u,
                                      2904607092377533576u};
    nw_rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        ck_assert_uint_eq(nw_rng_next(&rng), wanted[i]);
}
END_TEST

START_TEST(splitmix_gives_the_numbers_of_the_reference_code)
{
    static const uint64_t wanted[] = {6457827717110365317u, 3203168211198807973u,
                                      9817491932198370423u, 4593380528125082431u,
                                      16408922859458223821u};
    uint64_t state = 1234567;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        ck_assert_uint_eq(nw_rng_splitmix(&state), wanted[i]);
}
END_TEST

START_TEST(streams_of_a_seed_and_seeds_of_a_stream_differ)
{
    nw_rng a = nw_rng_make(1, 2), again = nw_rng_make(1, 2);
    nw_rng b = nw_rng_make(2, 1), c = nw_rng_make(1, 3), zero = nw_rng_make(0, 0);
    uint64_t first = nw_rng_next(&a);
    ck_assert_uint_eq(first, nw_rng_next(&again));
    ck_assert_uint_ne(first, nw_rng_next(&b));
    ck_assert_uint_ne(first, nw_rng_next(&c));
    ck_assert(zero.state[0] | zero.state[1] | zero.state[2] | zero.state[3]);
}
END_TEST

/* Chi-squared with 6 degrees of freedom is below 22.5 in 99.9 % of all cases. */
START_TEST(a_range_has_its_ends_and_is_even)
{
    enum { N = 70000 };
    int counts[7] = {0};
    nw_rng rng = nw_rng_make(5, 0);
    for (int i = 0; i < N; i++) {
        int64_t x = nw_rng_range(&rng, -3, 3);
        ck_assert(x >= -3 && x <= 3);
        counts[x + 3]++;
    }
    double chi = 0;
    for (int i = 0; i < 7; i++)
        chi += pow(counts[i] - N / 7.0, 2) / (N / 7.0);
    ck_assert_double_lt(chi, 22.5);
    ck_assert_int_eq(nw_rng_range(&rng, 9, 9), 9);
    ck_assert(nw_rng_range(&rng, INT64_MIN, INT64_MAX) != nw_rng_range(&rng, INT64_MIN, INT64_MAX));
}
END_TEST

START_TEST(a_unit_stays_below_one_and_averages_one_half)
{
    double sum = 0;
    nw_rng rng = nw_rng_make(6, 0);
    for (int i = 0; i < 100000; i++) {
        double x = nw_rng_unit(&rng);
        ck_assert(x >= 0 && x < 1);
        sum += x;
    }
    ck_assert_double_eq_tol(sum / 100000, 0.5, 4 / sqrt(12.0 * 100000)); /* four deviations */
}
END_TEST

START_TEST(a_log_uniform_draw_is_even_over_the_octaves)
{
    int counts[3] = {0};
    nw_rng rng = nw_rng_make(7, 0);
    for (int i = 0; i < 30000; i++) {
        double x = nw_rng_log_uniform(&rng, 4, 32);
        ck_assert(x >= 4 && x < 32);
        counts[(int)floor(log2(x)) - 2]++;
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_lt(abs(counts[i] - 10000), 400); /* five deviations */
    ck_assert_double_eq(nw_rng_log_uniform(&rng, 3, 3), 3);
}
END_TEST

START_TEST(a_pick_follows_the_weights_and_never_takes_a_zero)
{
    static const double weights[] = {0, 3, 0, 1, 0};
    int counts[5] = {0};
    nw_rng rng = nw_rng_make(8, 0);
    for (int i = 0; i < 40000; i++)
        counts[nw_rng_pick(&rng, weights, 5)]++;
    ck_assert_int_eq(counts[0] + counts[2] + counts[4], 0);
    ck_assert_int_lt(abs(counts[1] - 30000), 450); /* five deviations */
    ck_assert(!nw_rng_chance(&rng, 0));
    ck_assert(nw_rng_chance(&rng, 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rng");
    TCase *tests = tcase_create("rng");
    tcase_add_test(tests, xoshiro_gives_the_numbers_of_the_reference_code);
    tcase_add_test(tests, splitmix_gives_the_numbers_of_the_reference_code);
    tcase_add_test(tests, streams_of_a_seed_and_seeds_of_a_stream_differ);
    tcase_add_test(tests, a_range_has_its_ends_and_is_even);
    tcase_add_test(tests, a_unit_stays_below_one_and_averages_one_half);
    tcase_add_test(tests, a_log_uniform_draw_is_even_over_the_octaves);
    tcase_add_test(tests, a_pick_follows_the_weights_and_never_takes_a_zero);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
