/* Terrains against models whose figures are known: NK landscapes, OneMax, traps, NAS-Bench-201 as
 * published, and grids small enough to do by hand. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/rng.h"
#include "src/landscape/landscape.h"
#include "tests/support.h"

enum { N_BITS = 10, N_STRINGS = 1 << N_BITS };

static nw_terrain make_terrain(int n_axes, int size, nw_axis_kind kind, const double *values)
{
    nw_terrain t = {.n_axes = n_axes, .n_points = 1, .values = values};
    for (int a = 0; a < n_axes; a++) {
        t.sizes[a] = size;
        t.kinds[a] = kind;
        t.n_points *= size;
    }
    return t;
}

static nw_terrain make_grid(int width, int height, const double *values)
{
    return (nw_terrain){
        2, {width, height}, {NW_AXIS_STEPS, NW_AXIS_STEPS}, (int64_t)width * height, values};
}

static nw_figures figures_of(const nw_terrain *terrain)
{
    nw_figures f;
    nw_figures_find(terrain, 0, &f);
    return f;
}

static int n_ones(int bits)
{
    return __builtin_popcount((unsigned)bits);
}

/* ---- NK (Kauffman and Weinberger 1989): the mean of N parts, each random in a bit and the K that
 * follow it; maximised, so the terrain is its negative ---- */

static void fill_nk(int k, uint64_t seed, double *values)
{
    static double parts[N_BITS][2 * N_STRINGS];
    nw_rng rng = nw_rng_make(seed, (uint64_t)k);
    int n_states = 1 << (k + 1);
    for (int i = 0; i < N_BITS; i++)
        for (int s = 0; s < n_states; s++)
            parts[i][s] = nw_rng_unit(&rng);
    for (int x = 0; x < N_STRINGS; x++) {
        int twice = x | x << N_BITS;
        values[x] = 0;
        for (int i = 0; i < N_BITS; i++)
            values[x] -= parts[i][(twice >> i) & (n_states - 1)] / N_BITS;
    }
}

/* Means over instances; returns r1, *n_optima the count of optima. */
static double mean_nk(int k, int n_instances, double *n_optima)
{
    static double values[N_STRINGS];
    double r1 = 0;
    *n_optima = 0;
    for (int i = 0; i < n_instances; i++) {
        fill_nk(k, (uint64_t)i, values);
        nw_terrain t = make_terrain(N_BITS, 2, NW_AXIS_CHOICES, values);
        nw_figures f = figures_of(&t);
        ck_assert_int_eq(f.n_points, N_STRINGS);
        ck_assert_int_eq(f.n_edges, N_STRINGS * N_BITS / 2);
        r1 += f.r1 / n_instances;
        *n_optima += (double)f.n_minima / n_instances;
    }
    return r1;
}

START_TEST(additive_nk_landscapes_have_one_optimum_and_exactly_1_minus_2_over_n)
{
    static double values[N_STRINGS];
    for (uint64_t seed = 0; seed < 20; seed++) {
        fill_nk(0, seed, values);
        nw_terrain t = make_terrain(N_BITS, 2, NW_AXIS_CHOICES, values);
        nw_figures f = figures_of(&t);
        ck_assert_int_eq(f.n_minima, 1);
        ck_assert_double_eq_tol(f.r1, 1 - 2.0 / N_BITS, 1e-12);
        ck_assert_double_eq(f.share_1pct, 1);
    }
}
END_TEST

/* Every string is an optimum of its N + 1 with the same chance. */
START_TEST(random_nk_landscapes_have_2_to_the_n_over_n_plus_1_optima)
{
    double n_optima, r1 = mean_nk(9, 200, &n_optima);
    ck_assert_double_eq_tol(n_optima, N_STRINGS / (N_BITS + 1.0), 1.5);
    ck_assert_double_eq_tol(r1, 0, 0.01);
}
END_TEST

/* Counts as another program found them over 1000 instances (8.83, 34.95); r1 follows from the Walsh
 * coefficients, all of one variance: 1 - 2 (K + 1) 2^K / ((2^(K + 1) - 1) N). */
START_TEST(nk_landscapes_between_have_the_known_optima_and_correlation)
{
    double n_optima, r1 = mean_nk(2, 300, &n_optima);
    ck_assert_double_eq_tol(n_optima, 8.83, 0.5);
    ck_assert_double_eq_tol(r1, 1 - 24.0 / 70, 0.01);
    r1 = mean_nk(5, 200, &n_optima);
    ck_assert_double_eq_tol(n_optima, 34.95, 1);
    ck_assert_double_eq_tol(r1, 1 - 384.0 / 630, 0.01);
}
END_TEST

/* ---- functions of the number of ones ---- */

static void fill_by_ones(const double *fitness, double *values)
{
    for (int x = 0; x < N_STRINGS; x++)
        values[x] = -fitness[n_ones(x)];
}

START_TEST(onemax_points_to_its_best_everywhere)
{
    static double values[N_STRINGS];
    double fitness[N_BITS + 1];
    for (int i = 0; i <= N_BITS; i++)
        fitness[i] = i;
    fill_by_ones(fitness, values);
    nw_terrain t = make_terrain(N_BITS, 2, NW_AXIS_CHOICES, values);
    nw_figures f = figures_of(&t);
    ck_assert_double_eq_tol(f.fdc, -1, 1e-12);
    ck_assert_double_eq_tol(f.r1, 0.8, 1e-12);
    ck_assert_int_eq(f.n_minima, 1);
    ck_assert_int_eq(f.best_point, N_STRINGS - 1);
    ck_assert_double_eq(f.neutral, 0);
    ck_assert_double_eq_tol(f.mean_step, 1.0 / N_BITS, 1e-12);
    ck_assert_double_eq_tol(f.mean_moves, N_BITS / 2.0, 1e-12);
}
END_TEST

/* Deb and Goldberg's: all ones are best, every other slope leads to all zeros. */
START_TEST(a_trap_misleads)
{
    static double values[N_STRINGS];
    double fitness[N_BITS + 1];
    for (int i = 0; i < N_BITS; i++)
        fitness[i] = 0.1 * (N_BITS - 1 - i);
    fitness[N_BITS] = 1;
    fill_by_ones(fitness, values);
    nw_terrain t = make_terrain(N_BITS, 2, NW_AXIS_CHOICES, values);
    nw_figures f = figures_of(&t);
    ck_assert_double_gt(f.fdc, 0.9);
    ck_assert_int_eq(f.n_minima, 2);
    /* strings of nine ones tie a step down with all ones, which is better */
    ck_assert_double_eq_tol(f.share_1pct, 11.0 / N_STRINGS, 1e-12);
}
END_TEST

/* Either of two best points is near: all zeros and all ones. */
START_TEST(distance_is_to_the_nearest_of_several_best_points)
{
    static double values[N_STRINGS];
    double fitness[N_BITS + 1];
    for (int i = 0; i <= N_BITS; i++)
        fitness[i] = abs(2 * i - N_BITS);
    fill_by_ones(fitness, values);
    nw_terrain t = make_terrain(N_BITS, 2, NW_AXIS_STEPS, values);
    ck_assert_double_eq_tol(figures_of(&t).fdc, -1, 1e-12);
}
END_TEST

/* ---- NAS-Bench-201: the visible rows of NATS-Bench's accuracy after 200 epochs ---- */

enum { N_CELLS = 15625, N_EDGES = 6, N_OPS = 5 };

static void check_cells(const csv *table, const char *column, int n_strict, int n_minima,
                        double fdc, double r1, double mean_step, int best_id)
{
    static double values[N_CELLS];
    static int ids[N_CELLS];
    for (int i = 0; i < N_CELLS; i++)
        values[i] = NAN;
    for (int row = 0; row < table->n_rows; row++) {
        const char *ops = csv_text(table, row, "ops");
        int at = 0;
        for (int e = N_EDGES - 1; e >= 0; e--)
            at = at * N_OPS + ops[e] - '0';
        values[at] = -csv_number(table, row, column);
        ids[at] = atoi(csv_text(table, row, "id"));
    }
    nw_terrain t = make_terrain(N_EDGES, N_OPS, NW_AXIS_CHOICES, values);
    nw_figures f;
    nw_figures_find(&t, 1, &f);
    ck_assert_int_eq(f.n_points, table->n_rows);
    ck_assert_int_eq(f.n_minima - f.n_plateaus, n_strict);
    ck_assert_int_eq(f.n_minima, n_minima);
    ck_assert_double_eq_tol(f.fdc, fdc, 0.00005);
    ck_assert_double_eq_tol(f.r1, r1, 0.00005);
    ck_assert_double_eq_tol(f.mean_step, mean_step, 0.0005);
    ck_assert_int_eq(ids[f.best_point], best_id);
}

/* 44, 38 and 45 strict optima are known of accuracies as they were computed, whose last bits differ
 * between cells that are equally good. In these rows, rounded to four digits, two of the 38 are one
 * plateau beside each other, and two of the 45 are as good as a neighbour that has a better one. */
START_TEST(nas_bench_201_has_its_published_figures)
{
    const char *path = shared_path("data/nats_tss_200ep/accuracy.csv");
    csv table;
    if (!path)
        return;
    ck_assert(csv_load(&table, path));
    check_cells(&table, "c10_test_ep200", 44, 44, -0.2208, 0.5763, 4.331, 6111);
    check_cells(&table, "c100_test_ep200", 37, 38, -0.2605, 0.6193, 5.168, 3888);
    check_cells(&table, "in16_test_ep200", 43, 43, -0.3080, 0.6880, 4.725, 3888);
    csv_free(&table);
}
END_TEST

/* ---- by hand ---- */

/* 5 4 3     edges along x: 5-4 4-3 6-2 2-1 7-8 8-9, along y: 5-6 6-7 4-2 2-8 3-1 1-9
 * 6 2 1     differences:   1 1 4 1 1 1              1 1 2 6 2 8
 * 7 8 9     the rows fall, fall, rise; the columns rise, then fall and rise twice */
START_TEST(figures_of_nine_points_by_hand)
{
    static const double values[] = {5, 4, 3, 6, 2, 1, 7, 8, 9};
    nw_terrain t = make_grid(3, 3, values);
    nw_figures f = figures_of(&t);
    ck_assert_int_eq(f.n_edges, 12);
    ck_assert_double_eq_tol(f.mean_step, 29.0 / 12 / 8, 1e-12);
    ck_assert_double_eq_tol(f.monotone, 10.0 / 12, 1e-12);
    ck_assert_double_eq(f.neutral, 0);
    ck_assert_int_eq(f.n_minima, 1);
    ck_assert_int_eq(f.best_point, 5);
    ck_assert_double_eq(f.best, 1);
    ck_assert_double_eq(f.worst, 9);
    ck_assert_double_eq(f.mean, 5);
    ck_assert_double_eq(f.median, 5);
    ck_assert_double_eq_tol(f.p5, 1.4, 1e-12);
    ck_assert_double_eq_tol(f.p95, 8.6, 1e-12);
    ck_assert_double_eq(f.share_1pct, 1);
    /* Of 5 4 3 6 2 1 7 8 9: moves 3 2 1 2 1 0 3 2 1; looks, e.g. of 5: 5 4 6, 3 2, 8 1, 9 */
    ck_assert_double_eq_tol(f.mean_moves, 15.0 / 9, 1e-12);
    ck_assert_double_eq_tol(f.mean_evaluations, (8 + 8 + 5 + 9 + 7 + 4 + 9 + 8 + 5) / 9.0, 1e-12);
    nw_figures_find(&t, 16, &f);
    ck_assert_double_eq_tol(f.mean_step, 29.0 / 12 / 16, 1e-12);
}
END_TEST

START_TEST(a_plateau_is_one_minimum_and_said_to_be_a_plateau)
{
    static const double values[] = {1, 1, 3, 2, /* a plateau of three, a strict minimum 2 */
                                    1, 4, 4, 4, /* 4 4 4 4 has lower neighbours: no minimum */
                                    5, 4, 0, 0};
    static const uint8_t minima[] = {1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1};
    uint8_t is_minimum[12];
    nw_terrain t = make_grid(4, 3, values);
    nw_figures f = figures_of(&t);
    ck_assert_int_eq(f.n_minima, 3);
    ck_assert_int_eq(f.n_plateaus, 2);
    ck_assert_double_eq(f.density, 0.25);
    nw_terrain_minima(&t, is_minimum);
    ck_assert_mem_eq(is_minimum, minima, sizeof minima);
    ck_assert_double_eq_tol(f.neutral, 6.0 / 17, 1e-12);
}
END_TEST

START_TEST(a_constant_terrain_is_one_plateau_and_has_no_correlation)
{
    static const double values[6] = {7, 7, 7, 7, 7, 7};
    nw_terrain t = make_grid(3, 2, values);
    nw_figures f = figures_of(&t);
    ck_assert_int_eq(f.n_minima, 1);
    ck_assert_int_eq(f.n_plateaus, 1);
    ck_assert_double_eq(f.neutral, 1);
    ck_assert_double_eq(f.mean_step, 0);
    ck_assert_double_nan(f.r1);
    ck_assert_double_nan(f.fdc);
    ck_assert_double_nan(f.monotone);
    ck_assert_double_eq(f.share_1pct, 1);
}
END_TEST

START_TEST(points_that_do_not_exist_have_no_edges)
{
    static const double values[] = {3, NAN, 1, 2, NAN, 5}, none[] = {NAN, NAN};
    int64_t near[8];
    nw_terrain t = make_grid(3, 2, values);
    nw_figures f = figures_of(&t);
    ck_assert_int_eq(f.n_points, 4);
    ck_assert_int_eq(f.n_edges, 2);
    ck_assert_int_eq(f.n_minima, 2);
    ck_assert_int_eq(nw_terrain_neighbours(&t, 0, near), 1);
    ck_assert_int_eq(near[0], 3);
    ck_assert_double_eq(f.share_1pct, 0.5);
    t = make_grid(2, 1, none);
    f = figures_of(&t);
    ck_assert_int_eq(f.n_points, 0);
    ck_assert_int_eq(f.best_point, -1);
    ck_assert_double_nan(f.best);
    t = make_grid(1, 1, values);
    f = figures_of(&t);
    ck_assert_int_eq(f.n_minima, 1);
    ck_assert_double_nan(f.mean_step);
    ck_assert_double_eq(f.mean_evaluations, 1);
}
END_TEST

START_TEST(neighbours_are_steps_or_any_other_choice_lower_coordinates_first)
{
    double values[12] = {0};
    int64_t near[8];
    nw_terrain t = {2, {4, 3}, {NW_AXIS_CHOICES, NW_AXIS_STEPS}, 12, values};
    static const int64_t wanted[] = {4, 6, 7, 1, 9};
    ck_assert_int_eq(nw_terrain_neighbours(&t, 5, near), 5);
    ck_assert_mem_eq(near, wanted, sizeof wanted);
}
END_TEST

/* ---- climbs ---- */

static void expect_path(const nw_climb *climb, const int64_t *path, int n, int64_t n_evaluations)
{
    ck_assert_int_eq(climb->n_path, n);
    ck_assert_mem_eq(climb->path, path, (size_t)n * sizeof *path);
    ck_assert_int_eq(climb->n_evaluations, n_evaluations);
}

START_TEST(a_climb_takes_the_steepest_way_and_the_first_of_equal_ones)
{
    static const double values[] = {9, 5, 9, /* 1 and 3 tie, 1 is first */
                                    5, 4, 2, /* then 4, 5, 8 */
                                    9, 9, 1};
    static const int64_t path[] = {0, 1, 4, 5, 8};
    nw_terrain t = make_grid(3, 3, values);
    nw_climb climb;
    nw_climb_run(&t, 0, false, &climb);
    expect_path(&climb, path, 5, 8);
    nw_climb_fini(&climb);
}
END_TEST

START_TEST(a_climb_that_walks_plateaus_takes_the_shortest_way_off)
{
    static const double values[] = {3, 3, 3, 3, /* from 0 two steps down, or three to the right */
                                    3, 9, 9, 1, /* 8 leads to 0 */
                                    3, 0, 9, 9};
    static const int64_t stays[] = {0}, path[] = {0, 4, 8, 9};
    nw_terrain t = make_grid(4, 3, values);
    nw_climb climb;
    nw_climb_run(&t, 0, false, &climb);
    expect_path(&climb, stays, 1, 3);
    nw_climb_fini(&climb);
    /* from 0: 1 4; of 1: 2 5; of 4: 8; of 2: 3 6; of 8: 9; of 9: 10 */
    nw_climb_run(&t, 0, true, &climb);
    expect_path(&climb, path, 4, 10);
    nw_climb_fini(&climb);
    nw_figures f = figures_of(&t);
    ck_assert_double_eq_tol(f.share_1pct, 4.0 / 12, 1e-12);   /* from 5 8 9 10 */
    ck_assert_double_eq_tol(f.walking_1pct, 6.0 / 12, 1e-12); /* and from 0 4 */
}
END_TEST

/* A terrain of mixed axes with few values, so with many ties, and holes. */
static nw_terrain make_mixed(uint64_t seed, double *values)
{
    nw_rng rng = nw_rng_make(seed, 0);
    nw_terrain t = {.n_axes = 3, .n_points = 1, .values = values};
    for (int a = 0; a < 3; a++) {
        t.sizes[a] = (int)nw_rng_range(&rng, 1, 9);
        t.kinds[a] = nw_rng_chance(&rng, 0.3) ? NW_AXIS_CHOICES : NW_AXIS_STEPS;
        t.n_points *= t.sizes[a];
    }
    int64_t n_values = nw_rng_range(&rng, 1, seed % 3 ? 5 : 1000);
    for (int64_t i = 0; i < t.n_points; i++)
        values[i] =
            nw_rng_chance(&rng, 0.1) ? NAN : (double)nw_rng_range(&rng, 0, n_values) / 7 - 0.5;
    return t;
}

START_TEST(figures_of_climbs_are_those_of_every_climb)
{
    double values[729];
    for (uint64_t seed = 0; seed < 200; seed++) {
        nw_terrain t = make_mixed(seed, values);
        nw_figures f = figures_of(&t);
        double looks = 0, moves = 0, ends[2][2] = {{0}};
        int64_t at_end[2][729];
        nw_terrain_ends(&t, false, at_end[0]);
        nw_terrain_ends(&t, true, at_end[1]);
        for (int64_t i = 0; i < t.n_points; i++)
            for (int walks = 0; walks < 2 && !isnan(values[i]); walks++) {
                nw_climb climb;
                nw_climb_run(&t, i, walks, &climb);
                double end = values[climb.path[climb.n_path - 1]];
                ck_assert_int_eq(at_end[walks][i], climb.path[climb.n_path - 1]);
                looks += walks ? 0 : (double)climb.n_evaluations;
                moves += walks ? 0 : climb.n_path - 1;
                ends[walks][0] += end <= f.best + 0.01 * fabs(f.best);
                ends[walks][1] += end <= f.best + 0.05 * fabs(f.best);
                nw_climb_fini(&climb);
            }
        double n = (double)f.n_points;
        if (f.n_points == 0)
            continue;
        ck_assert_double_eq_tol(f.mean_evaluations, looks / n, 1e-9);
        ck_assert_double_eq_tol(f.mean_moves, moves / n, 1e-9);
        ck_assert_double_eq_tol(f.share_1pct, ends[0][0] / n, 1e-12);
        ck_assert_double_eq_tol(f.share_5pct, ends[0][1] / n, 1e-12);
        ck_assert_double_eq_tol(f.walking_1pct, ends[1][0] / n, 1e-12);
        ck_assert_double_eq_tol(f.walking_5pct, ends[1][1] / n, 1e-12);
    }
}
END_TEST

/* A ramp: from (x, y) the climb goes straight down x, of equal ways the first, then y. */
START_TEST(a_ramp_is_walked_to_its_corner)
{
    enum { SIZE = 64 };
    static double values[SIZE * SIZE];
    for (int i = 0; i < SIZE * SIZE; i++)
        values[i] = i % SIZE + i / SIZE;
    nw_terrain t = make_grid(SIZE, SIZE, values);
    nw_figures f = figures_of(&t);
    ck_assert_int_eq(f.n_minima, 1);
    ck_assert_double_eq(f.monotone, 1);
    ck_assert_double_eq(f.share_1pct, 1);
    ck_assert_double_eq_tol(f.fdc, -1, 1e-12);
    ck_assert_double_eq_tol(f.mean_moves, SIZE - 1, 1e-9);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("landscape");
    TCase *c = tcase_create("terrains");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, additive_nk_landscapes_have_one_optimum_and_exactly_1_minus_2_over_n);
    tcase_add_test(c, random_nk_landscapes_have_2_to_the_n_over_n_plus_1_optima);
    tcase_add_test(c, nk_landscapes_between_have_the_known_optima_and_correlation);
    tcase_add_test(c, onemax_points_to_its_best_everywhere);
    tcase_add_test(c, a_trap_misleads);
    tcase_add_test(c, distance_is_to_the_nearest_of_several_best_points);
    tcase_add_test(c, nas_bench_201_has_its_published_figures);
    tcase_add_test(c, figures_of_nine_points_by_hand);
    tcase_add_test(c, a_plateau_is_one_minimum_and_said_to_be_a_plateau);
    tcase_add_test(c, a_constant_terrain_is_one_plateau_and_has_no_correlation);
    tcase_add_test(c, points_that_do_not_exist_have_no_edges);
    tcase_add_test(c, neighbours_are_steps_or_any_other_choice_lower_coordinates_first);
    tcase_add_test(c, a_climb_takes_the_steepest_way_and_the_first_of_equal_ones);
    tcase_add_test(c, a_climb_that_walks_plateaus_takes_the_shortest_way_off);
    tcase_add_test(c, figures_of_climbs_are_those_of_every_climb);
    tcase_add_test(c, a_ramp_is_walked_to_its_corner);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
