/* The rules of curation over latencies that are written down: staircases whose steps are known,
 * noise, cliffs, choices. The expected numbers follow from the formulas beside them. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/rng.h"
#include "src/curate/internal.h"

#define FIRST      8
#define LAST       256
#define N_NUMBERS  (LAST - FIRST + 1)
#define N_CONTEXTS 16

static const nw_curate_options defaults = {
    .n_contexts = N_CONTEXTS, .tolerance = 0.01, .nearly_all = 0.9, .ratio = 1.14};

/* Of the kernels concerned; those of the rest of the network cost 500 us. */
typedef double cost_of(int context, double n);

typedef struct scene {
    nw_samples samples;
    nw_curate_options options;
    nw_trial trial;
    double values[N_NUMBERS];
    char names[N_NUMBERS][32];
    nw_option_verdict verdicts[N_NUMBERS];
} scene;

/* Every number from 8 to 256, known in every context; larger ones have the higher score. */
static scene *scene_of(cost_of *cost)
{
    scene *s = nw_zalloc(sizeof *s);
    nw_samples_init(&s->samples, N_NUMBERS, N_CONTEXTS, N_CONTEXTS);
    s->options = defaults;
    for (int i = 0; i < N_NUMBERS; i++) {
        s->values[i] = FIRST + i;
        snprintf(s->names[i], sizeof s->names[i], "%d", FIRST + i);
        s->verdicts[i] = (nw_option_verdict){.by = -1, .share = 1};
        for (int k = 0; k < N_CONTEXTS; k++) {
            s->samples.latency_us[k * N_NUMBERS + i] = 500 + cost(k, FIRST + i);
            s->samples.score[k * N_NUMBERS + i] = log(FIRST + i);
            s->samples.fixed_us[k] = 500;
        }
    }
    s->trial = (nw_trial){.samples = &s->samples,
                          .options = &s->options,
                          .values = s->values,
                          .names = (const char(*)[32])s->names,
                          .verdicts = s->verdicts};
    return s;
}

static void free_scene(scene *s)
{
    nw_samples_fini(&s->samples);
    free(s);
}

static void judge(scene *s)
{
    nw_judge_unfit(&s->trial);
    nw_judge_dominated(&s->trial);
    if (s->trial.values) {
        nw_judge_uneven(&s->trial, false);
        nw_judge_thinned(&s->trial, false);
        nw_judge_monotone(&s->trial);
    }
    nw_judge_finish(&s->trial, 0);
}

static const char *kept_of(const scene *s, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < s->samples.n_options; i++)
        if (s->verdicts[i].verdict == NW_VERDICT_KEPT && used < size)
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", s->names[i]);
    return text;
}

static void expect_kept(cost_of *cost, const char *expected)
{
    char text[1024];
    scene *s = scene_of(cost);
    judge(s);
    ck_assert_str_eq(kept_of(s, text, sizeof text), expected);
    free_scene(s);
}

/* ---- staircases ---- */

static double stairs_of_32(int context, double n)
{
    return (10 + context) * ceil(n / 32);
}

START_TEST(a_staircase_keeps_the_ends_of_its_steps)
{
    expect_kept(stairs_of_32, "32 64 96 128 160 192 224 256");
}
END_TEST

/* A weight a channel comes on top: 2 % of a step from one end to the other, so that the ends of
 * steps are within the tolerance of the 16 numbers before them only; what is left of a step lies
 * above the line of its neighbours' ends. */
static double leaning_stairs(int context, double n)
{
    return (10 + context) * (ceil(n / 32) + 0.02 * n / 32);
}

START_TEST(steps_that_lean_keep_their_ends_still)
{
    char text[1024];
    scene *s = scene_of(leaning_stairs);
    judge(s);
    kept_of(s, text, sizeof text);
    ck_assert_msg(strstr(text, "32 64 96 128 160 192 224 256") != NULL, "%s", text);
    for (int i = 33 - FIRST; i < N_NUMBERS; i++)
        ck_assert_msg(s->verdicts[i].verdict != NW_VERDICT_KEPT || (i + FIRST) % 32 == 0, "%d",
                      i + FIRST);
    free_scene(s);
}
END_TEST

/* c and 6 c both fill lanes of 32: steps at every 32 / 6, higher ones at every 32. */
static double two_stairs(int context, double n)
{
    return 20 * ceil(n / 32) + (3 + 0.1 * context) * ceil(6 * n / 32);
}

START_TEST(of_steps_within_steps_the_higher_stay)
{
    char text[1024];
    scene *s = scene_of(two_stairs);
    judge(s);
    kept_of(s, text, sizeof text);
    for (int i = 32 - FIRST; i < N_NUMBERS; i++)
        ck_assert_msg((s->verdicts[i].verdict == NW_VERDICT_KEPT) == ((i + FIRST) % 32 == 0), "%s",
                      text);
    free_scene(s);
}
END_TEST

/* Up to 0.4 % of noise, another in every context, as regressions have it. */
static double noisy_stairs(int context, double n)
{
    nw_rng rng = nw_rng_make(11, (uint64_t)context * 1000 + (uint64_t)n);
    return stairs_of_32(context, n) * (1 + 0.008 * (nw_rng_unit(&rng) - 0.5));
}

START_TEST(noise_below_the_tolerance_changes_nothing)
{
    expect_kept(noisy_stairs, "32 64 96 128 160 192 224 256");
}
END_TEST

START_TEST(what_makes_an_option_superfluous_is_said_with_numbers)
{
    scene *s = scene_of(stairs_of_32);
    judge(s);
    const nw_option_verdict *v = &s->verdicts[40 - FIRST];
    ck_assert_int_eq(v->verdict, NW_VERDICT_DOMINATED);
    ck_assert_int_eq(v->by, 64 - FIRST);
    ck_assert_double_eq(v->share, 1);
    ck_assert_str_eq(v->why, "64 costs no more in 16 of 16 contexts (mean +0.0 %)");
    /* contexts 0..15 of stairs 10..25 us high: 17.5 us a step on average */
    v = &s->verdicts[64 - FIRST];
    ck_assert_double_eq_tol(v->latency_us, 500 + 2 * 17.5, 1e-9);
    ck_assert_double_eq_tol(v->step_us, 0, 1e-9);
    ck_assert_double_eq_tol(s->verdicts[65 - FIRST].step_us, 17.5, 1e-9);
    ck_assert_msg(strstr(v->why, "+17.50 us") && strstr(v->why, "+50.0 % of its kernels"), "%s",
                  v->why);
    free_scene(s);
}
END_TEST

/* ---- smooth costs, chains, cliffs ---- */

static double square(int context, double n)
{
    return (1 + context) * n * n;
}

START_TEST(a_smooth_cost_is_thinned_to_the_ratio)
{
    scene *s = scene_of(square);
    judge(s);
    int last = -1, n = 0;
    for (int i = 0; i < N_NUMBERS; i++) {
        ck_assert_int_ne(s->verdicts[i].verdict, NW_VERDICT_UNEVEN);
        if (s->verdicts[i].verdict != NW_VERDICT_KEPT)
            continue;
        ck_assert(last < 0 || s->values[i] >= 1.14 * s->values[last] - 1e-6);
        last = i;
        n++;
    }
    ck_assert_int_eq(s->verdicts[0].verdict, NW_VERDICT_KEPT);
    ck_assert_int_eq(last, N_NUMBERS - 1);
    /* at most ln 32 / ln 1.14 = 26 steps; a gap of two ratios would have room for another */
    ck_assert_int_ge(n, 13);
    ck_assert_int_le(n, 27);
    free_scene(s);
}
END_TEST

static double creeping(int context, double n)
{
    (void)context;
    return 100 * pow(1.004, n - FIRST);
}

START_TEST(a_chain_of_tolerances_gives_nothing_away)
{
    scene *s = scene_of(creeping);
    nw_judge_dominated(&s->trial);
    for (int i = 0; i < N_NUMBERS; i++) {
        const nw_option_verdict *v = &s->verdicts[i];
        if (v->verdict == NW_VERDICT_KEPT)
            continue;
        ck_assert_int_eq(s->verdicts[v->by].verdict, NW_VERDICT_KEPT);
        ck_assert_double_le(creeping(0, s->values[v->by]), 1.01 * creeping(0, s->values[i]) + 1e-9);
    }
    free_scene(s);
}
END_TEST

/* Behind 128 something spills in one context of 16: dropping 128 for 160 would cost 3 times as
 * much there. */
static double cliff_in_one(int context, double n)
{
    double flat = 10 * ceil(n / 80);
    return context == 5 && n > 128 ? 3 * flat : flat;
}

START_TEST(a_cliff_in_one_context_is_not_given_away)
{
    scene *s = scene_of(cliff_in_one);
    nw_judge_dominated(&s->trial);
    ck_assert_int_eq(s->verdicts[128 - FIRST].verdict, NW_VERDICT_KEPT);
    ck_assert_int_eq(s->verdicts[127 - FIRST].verdict, NW_VERDICT_DOMINATED);
    free_scene(s);
}
END_TEST

/* 128 costs a little less than 96 in 4 contexts of 16, a little more in the others. */
static double dip(int context, double n)
{
    double flat = 100 + 10 * ceil(n / 32);
    return n > 96 && n <= 128 ? flat - (context < 4 ? 12 : 8.5) : flat;
}

START_TEST(costs_rise_along_what_is_kept)
{
    char text[1024];
    scene *s = scene_of(dip);
    judge(s);
    kept_of(s, text, sizeof text);
    ck_assert_msg(!strstr(text, "96") && strstr(text, "128"), "%s", text);
    free_scene(s);
}
END_TEST

START_TEST(what_fits_nowhere_is_dropped_unless_nothing_fits)
{
    scene *s = scene_of(stairs_of_32);
    for (int k = 0; k < N_CONTEXTS; k++)
        for (int i = 200 - FIRST; i < N_NUMBERS; i++)
            s->samples.is_unfit[k * N_NUMBERS + i] = 1;
    judge(s);
    ck_assert_int_eq(s->verdicts[256 - FIRST].verdict, NW_VERDICT_UNFIT);
    ck_assert_int_eq(s->verdicts[199 - FIRST].verdict, NW_VERDICT_KEPT);
    free_scene(s);
    s = scene_of(stairs_of_32);
    memset(s->samples.is_unfit, 1, N_CONTEXTS * N_NUMBERS);
    judge(s);
    ck_assert_int_eq(s->verdicts[256 - FIRST].verdict, NW_VERDICT_KEPT);
    free_scene(s);
}
END_TEST

/* ---- choices ---- */

/* Three options named a, b, c with these costs beside 500 us and these scores, in all contexts but
 * the first n_odd, where `odd` costs are those. */
static scene *choices_of(const double *costs, const double *scores, int n_odd, const double *odd)
{
    scene *s = scene_of(stairs_of_32);
    nw_samples_fini(&s->samples);
    nw_samples_init(&s->samples, 3, N_CONTEXTS, N_CONTEXTS);
    for (int i = 0; i < 3; i++) {
        snprintf(s->names[i], sizeof s->names[i], "%c", 'a' + i);
        for (int k = 0; k < N_CONTEXTS; k++) {
            s->samples.latency_us[k * 3 + i] = 500 + (k < n_odd ? odd[i] : costs[i]);
            s->samples.score[k * 3 + i] = scores[i];
            s->samples.fixed_us[k] = 500;
        }
    }
    s->trial.values = NULL;
    return s;
}

static void expect_choices(scene *s, const char *expected)
{
    char text[64];
    judge(s);
    ck_assert_str_eq(kept_of(s, text, sizeof text), expected);
    free_scene(s);
}

START_TEST(a_slower_variant_at_the_same_score_is_dropped)
{
    scene *s = choices_of((double[]){100, 130, 100.5}, (double[]){1, 1, 1}, 0, NULL);
    judge(s);
    ck_assert_int_eq(s->verdicts[1].verdict, NW_VERDICT_SLOWER);
    ck_assert_int_eq(s->verdicts[1].by, 2);
    /* 29.5 us of 130 */
    ck_assert_str_eq(s->verdicts[1].why,
                     "c is faster at the same score in 16 of 16 contexts (mean -22.7 %)");
    ck_assert_int_eq(s->verdicts[2].verdict, NW_VERDICT_KEPT); /* a near tie */
    ck_assert_str_eq(s->verdicts[0].why, "nothing as good is faster in 16 of 16 contexts");
    ck_assert_str_eq(s->verdicts[2].why,
                     "+0.50 us (+0.1 %) over a; nothing as good is faster in 0 of "
                     "16 contexts");
    free_scene(s);
}
END_TEST

START_TEST(a_variant_that_wins_somewhere_stays)
{
    /* in 2 of 16 contexts b is the fastest: more than one in ten */
    expect_choices(
        choices_of((double[]){100, 130, 200}, (double[]){1, 1, 1}, 2, (double[]){100, 50, 200}),
        "a b");
    /* in 1 of 16 as well, where dropping it would cost much */
    expect_choices(
        choices_of((double[]){100, 130, 200}, (double[]){1, 1, 1}, 1, (double[]){100, 50, 200}),
        "a b");
    expect_choices(
        choices_of((double[]){100, 130, 200}, (double[]){1, 1, 1}, 1, (double[]){100, 99, 200}),
        "a");
}
END_TEST

START_TEST(a_slower_option_of_higher_score_stays_and_a_cheaper_one_given_away_goes)
{
    expect_choices(choices_of((double[]){100, 130, 160}, (double[]){1, 2, 3}, 0, NULL), "a b c");
    expect_choices(choices_of((double[]){100, 160, 160}, (double[]){1, 2, 3}, 0, NULL), "a c");
    expect_choices(choices_of((double[]){100, 130, 160}, (double[]){3, 2, 1}, 0, NULL), "a");
}
END_TEST

START_TEST(fewer_bits_stay_where_they_take_less_memory)
{
    scene *s = choices_of((double[]){100, 100, 100}, (double[]){16, 32, 32}, 0, NULL);
    s->trial.counts_bytes = true;
    for (int k = 0; k < N_CONTEXTS; k++)
        s->samples.bytes[k * 3] = 8, s->samples.bytes[k * 3 + 1] = s->samples.bytes[k * 3 + 2] = 16;
    expect_choices(s, "a b c");
    s = choices_of((double[]){100, 100, 300}, (double[]){16, 32, 33}, 0, NULL);
    s->trial.counts_bytes = true;
    expect_choices(s, "b c");
}
END_TEST

START_TEST(rules_cope_with_contexts_that_know_little)
{
    scene *s = scene_of(stairs_of_32);
    for (int k = 0; k < N_CONTEXTS; k++)
        for (int i = 0; i < N_NUMBERS; i++)
            if (k > 0 || i % 7)
                s->samples.latency_us[k * N_NUMBERS + i] = NAN;
    judge(s);
    free_scene(s);
    s = scene_of(stairs_of_32);
    for (int i = 0; i < N_CONTEXTS * N_NUMBERS; i++)
        s->samples.latency_us[i] = i % 3 ? 0 : 1e300;
    judge(s);
    free_scene(s);
}
END_TEST

int main(void)
{
    TCase *numbers = tcase_create("numbers");
    tcase_set_timeout(numbers, 120);
    tcase_add_test(numbers, a_staircase_keeps_the_ends_of_its_steps);
    tcase_add_test(numbers, steps_that_lean_keep_their_ends_still);
    tcase_add_test(numbers, of_steps_within_steps_the_higher_stay);
    tcase_add_test(numbers, noise_below_the_tolerance_changes_nothing);
    tcase_add_test(numbers, what_makes_an_option_superfluous_is_said_with_numbers);
    tcase_add_test(numbers, a_smooth_cost_is_thinned_to_the_ratio);
    tcase_add_test(numbers, a_chain_of_tolerances_gives_nothing_away);
    tcase_add_test(numbers, a_cliff_in_one_context_is_not_given_away);
    tcase_add_test(numbers, costs_rise_along_what_is_kept);
    tcase_add_test(numbers, what_fits_nowhere_is_dropped_unless_nothing_fits);
    TCase *choices = tcase_create("choices");
    tcase_add_test(choices, a_slower_variant_at_the_same_score_is_dropped);
    tcase_add_test(choices, a_variant_that_wins_somewhere_stays);
    tcase_add_test(choices,
                   a_slower_option_of_higher_score_stays_and_a_cheaper_one_given_away_goes);
    tcase_add_test(choices, fewer_bits_stay_where_they_take_less_memory);
    tcase_add_test(choices, rules_cope_with_contexts_that_know_little);
    Suite *suite = suite_create("curate_rules");
    suite_add_tcase(suite, numbers);
    suite_add_tcase(suite, choices);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
