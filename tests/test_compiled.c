/* Compiled plans: whatever way a genome is asked for, the answer is the full path's, to the bit.
 * Expected are the totals of the genome's network, made anew and estimated whole.
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "src/plan/plan.h"
#include "tests/support.h"
#include "tests/support_edit.h"
#include "tests/support_regression.h"
#include "tests/support_split.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCALE 20 /* sanitizers take their time */
#else
#define SCALE 1
#endif

static const nw_space *space_of(const nw_arch *base)
{
    nw_space *space;
    nw_error err;
    if (nw_space_of_model(base, 8, &space, &err) != NW_OK || nw_space_seal(space, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_arch_release(base);
    return space;
}

static const nw_arch *demo_arch(void)
{
    nw_graph *graph;
    nw_error err;
    if (nw_model_load("demo", NULL, 0, &graph, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return nw_arch_lift(graph);
}

/* At most n options a dimension, spread over those that there are; takes the space. */
static const nw_space *thin(const nw_space *space, int n)
{
    int n_dims;
    const nw_dim *dims = nw_space_dims(space, &n_dims);
    uint8_t **keep = calloc((size_t)n_dims + 1, sizeof *keep);
    for (int d = 0; d < n_dims; d++) {
        keep[d] = calloc((size_t)dims[d].n_options, 1);
        for (int i = 0; i < n; i++)
            keep[d][n > 1 ? i * (dims[d].n_options - 1) / (n - 1) : 0] = 1;
    }
    const nw_space *part;
    nw_error err;
    if (nw_space_restrict(space, (const uint8_t *const *)keep, "thin", &part, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    for (int d = 0; d < n_dims; d++)
        free(keep[d]);
    free(keep);
    nw_space_release(space);
    return part;
}

static nw_plan *plan_of(const nw_space *space, const nw_hw *hw, const nw_estimator *estimator)
{
    nw_plan *plan;
    nw_error err;
    if (nw_plan_new(space, hw, estimator, NULL, NULL, &plan, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return plan;
}

static uint16_t *genome_of(const nw_space *space)
{
    return calloc((size_t)nw_space_n_dims(space) + 1, sizeof(uint16_t));
}

static nw_status full_path(const nw_plan *plan, const uint16_t *genome, nw_totals *out)
{
    const nw_arch *arch;
    nw_error err;
    nw_realiser *realiser = nw_realiser_new(nw_plan_space(plan));
    nw_status status = nw_realiser_make(realiser, genome, &arch, &err);
    nw_realiser_free(realiser);
    if (status != NW_OK)
        return status;
    status = nw_totals_of(arch, nw_plan_hw(plan), nw_plan_estimator(plan), nw_plan_precision(plan),
                          out, &err);
    nw_arch_release(arch);
    return status;
}

static void expect_same(const nw_totals *expected, const nw_totals *totals)
{
    ck_assert_int_eq(totals->latency_ps, expected->latency_ps);
    ck_assert_int_eq(totals->energy_fj, expected->energy_fj);
    ck_assert_int_eq(totals->peak_live_bytes, expected->peak_live_bytes);
    ck_assert_mem_eq(totals, expected, sizeof *expected);
}

static void check_random(nw_plan *plan, int n)
{
    const nw_space *space = nw_plan_space(plan);
    nw_rng rng = nw_rng_make(7, 7);
    uint16_t *genome = genome_of(space);
    for (int i = 0; i < n; i++) {
        nw_totals expected, totals;
        nw_error err;
        nw_space_random(space, &rng, genome);
        nw_status status = full_path(plan, genome, &expected);
        ck_assert_int_eq(nw_plan_evaluate(plan, genome, &totals, &err), status);
        if (status == NW_OK)
            expect_same(&expected, &totals);
    }
    ck_assert_str_eq(nw_plan_get_stats(plan).caught, "");
    free(genome);
}

/* One gene a move; every so often, and at the end, the walker is compared with the full path. */
static void check_walk(nw_plan *plan, int64_t n_moves, int64_t every)
{
    const nw_space *space = nw_plan_space(plan);
    int n_dims;
    const nw_dim *dims = nw_space_dims(space, &n_dims);
    nw_rng rng = nw_rng_make(11, 1);
    uint16_t *genome = genome_of(space);
    nw_walker *walker;
    nw_error err;
    nw_space_random(space, &rng, genome);
    ck_assert_int_eq(nw_walker_new(plan, genome, &walker, &err), NW_OK);
    for (int64_t i = 1; i <= n_moves; i++) {
        int d = (int)(nw_rng_next(&rng) % (uint64_t)n_dims);
        int option = (int)(nw_rng_next(&rng) % (uint64_t)dims[d].n_options);
        if (nw_walker_set(walker, d, option, &err) == NW_OK)
            genome[d] = (uint16_t)option;
        if (i % 1000 == 0) {
            nw_totals fresh;
            ck_assert_mem_eq(nw_walker_genome(walker), genome, (size_t)n_dims * sizeof *genome);
            ck_assert_int_eq(nw_plan_evaluate(plan, genome, &fresh, &err), NW_OK);
            expect_same(&fresh, nw_walker_totals(walker));
        }
        if (i % every == 0 || i == n_moves) {
            nw_totals expected;
            ck_assert_int_eq(full_path(plan, genome, &expected), NW_OK);
            expect_same(&expected, nw_walker_totals(walker));
        }
    }
    ck_assert_str_eq(nw_plan_get_stats(plan).caught, "");
    nw_walker_free(walker);
    free(genome);
}

static const char *const presets[] = {"ne64", "ne32", "u55-256", "dpu-b4096"};

START_TEST(random_genomes_cost_what_the_full_path_says)
{
    if (SCALE > 1 && _i)
        return;
    const nw_space *space = space_of(demo_arch());
    nw_hw *hw = load_hw(presets[_i]);
    nw_plan *plan = plan_of(space, hw, nw_estimator_device());
    check_random(plan, 120 / SCALE);
    nw_plan_free(plan);
    nw_hw_free(hw);
    nw_space_release(space);
}
END_TEST

START_TEST(maps_spill_together_wherever_they_cross)
{
    static const int64_t kib[] = {256, 1024, 64};
    if (SCALE > 1 && _i)
        return;
    const nw_space *space = thin(space_of(demo_arch()), 3);
    nw_hw *hw = load_hw("ne32");
    hw->sram.bytes = kib[_i] * 1024;
    nw_plan *plan = plan_of(space, hw, nw_estimator_device());
    check_random(plan, 60 / SCALE);
    check_walk(plan, 30000 / SCALE, 5000);
    nw_plan_free(plan);
    nw_hw_free(hw);
    nw_space_release(space);
}
END_TEST

START_TEST(ten_million_moves_leave_no_trace)
{
    const nw_space *space = thin(space_of(demo_arch()), 3);
    nw_hw *hw = load_hw("ne64");
    nw_plan *plan = plan_of(space, hw, nw_estimator_device());
    check_walk(plan, 10000000 / SCALE, 1000000);
    nw_plan_free(plan);
    nw_hw_free(hw);
    nw_space_release(space);
}
END_TEST

static const char *const models[] = {"mobilenet_v2_1.0_224_quant.tflite",
                                     "tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
                                     "tv_lraspp_mobilenet_v3_small_256.onnx"};

START_TEST(imported_networks_have_plans)
{
    const nw_arch *arch = SCALE > 1 && _i ? NULL : arch_of_model(models[_i]);
    if (!arch)
        return;
    const nw_space *space = space_of(arch);
    nw_hw *hw = load_hw("ne32");
    nw_plan *plan = plan_of(space, hw, nw_estimator_device());
    check_random(plan, 60 / SCALE);
    nw_plan_free(plan);
    nw_hw_free(hw);
    nw_space_release(space);
}
END_TEST

START_TEST(regressions_have_plans)
{
    const nw_space *space = thin(space_of(demo_arch()), 3);
    nw_hw *hw = load_hw("ne32");
    nw_table *table = measured_table(hw, 60);
    nw_regression *regression = fitted_regression(hw, table, 1);
    const nw_estimator *estimator;
    nw_error err;
    ck_assert_int_eq(nw_estimator_of(regression, "", hw, &estimator, &err), NW_OK);
    nw_plan *plan = plan_of(space, hw, estimator);
    check_random(plan, 100 / SCALE);
    check_walk(plan, 20000 / SCALE, 5000);
    nw_plan_free(plan);
    nw_estimator_release(estimator);
    nw_regression_release(regression);
    nw_table_free(table);
    nw_hw_free(hw);
    nw_space_release(space);
}
END_TEST

START_TEST(a_calibration_comes_last)
{
    const nw_space *space = thin(space_of(demo_arch()), 2);
    nw_hw *hw = load_hw("ne32");
    hw->calibration.present = true;
    hw->calibration.a = 1.07;
    hw->calibration.b = 3.3;
    hw->inference_overhead_cycles = 12345;
    nw_plan *plan = plan_of(space, hw, nw_estimator_device());
    check_random(plan, 50 / SCALE);
    nw_plan_free(plan);
    nw_hw_free(hw);
    nw_space_release(space);
}
END_TEST

/* ---- threads ---- */

typedef struct asker {
    pthread_t thread;
    nw_plan *plan;
    const uint16_t *genomes;
    int n;
    nw_totals *totals;
} asker;

static void *ask_all(void *context)
{
    asker *a = context;
    nw_plan_evaluate_many(a->plan, a->genomes, a->n, a->totals, NULL, NULL);
    return NULL;
}

START_TEST(threads_get_the_same_totals)
{
    enum { N = 400 / SCALE, THREADS = 2 };
    const nw_space *space = thin(space_of(demo_arch()), 3);
    nw_hw *hw = load_hw("ne32");
    nw_plan *shared = plan_of(space, hw, nw_estimator_device()),
            *own = plan_of(space, hw, nw_estimator_device());
    size_t n_dims = (size_t)nw_space_n_dims(space);
    uint16_t *genomes = calloc(N * n_dims, sizeof *genomes);
    nw_totals *expected = calloc(N, sizeof *expected);
    nw_rng rng = nw_rng_make(5, 5);
    ck_assert_int_eq(nw_plan_sample(own, &rng, N, genomes, expected, NULL, NULL), N);
    asker askers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        askers[i] = (asker){
            .plan = shared, .genomes = genomes, .n = N, .totals = calloc(N, sizeof *expected)};
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask_all, &askers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(askers[i].thread, NULL);
        ck_assert_mem_eq(askers[i].totals, expected, N * sizeof *expected);
        free(askers[i].totals);
    }
    ck_assert_str_eq(nw_plan_get_stats(shared).caught, "");
    free(genomes);
    free(expected);
    nw_plan_free(shared);
    nw_plan_free(own);
    nw_hw_free(hw);
    nw_space_release(space);
}
END_TEST

/* ---- odd spaces ---- */

START_TEST(a_space_of_one_point_has_a_plan)
{
    nw_error err;
    const nw_space *space = thin(space_of(demo_arch()), 1);
    nw_hw *hw = load_hw("ne64");
    nw_plan *plan = plan_of(space, hw, nw_estimator_device());
    nw_totals expected, totals;
    uint16_t *none = genome_of(space);
    int n;
    ck_assert_int_eq(full_path(plan, none, &expected), NW_OK);
    ck_assert_int_eq(nw_plan_evaluate(plan, none, &totals, &err), NW_OK);
    expect_same(&expected, &totals);
    expect_same(&expected, nw_plan_base(plan));
    (void)nw_plan_cells(plan, &n);
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(nw_plan_warm(plan, 1000, NULL, &err), NW_OK);
    free(none);
    nw_plan_free(plan);
    nw_hw_free(hw);
    nw_space_release(space);
}
END_TEST

/* 2 options for the channels of one stage, 3 kernels in a block before it and 2 behind it: the
 * kernels and the maps between depend on these and on nothing else, whatever is found must be
 * within that, and warming makes all of it. */
START_TEST(a_warm_plan_needs_no_network)
{
    const nw_arch *arch =
        arch_of_text("cn_r1_k3_s2_c16; ir_r1_k3_s2_e4_c24; ir_r2_k3_s2_e4_c32", 64);
    nw_space *space = nw_space_new("small", arch);
    nw_arch_release(arch);
    static const struct {
        nw_dim_kind kind;
        const char *where, *texts[3];
        int n;
    } dims[] = {{NW_DIM_CHANNELS, "1", {"16", "32", ""}, 2},
                {NW_DIM_KERNEL, "1.0", {"3", "5", "7"}, 3},
                {NW_DIM_KERNEL, "2.0", {"3", "5", ""}, 2}};
    nw_error err;
    for (int i = 0; i < 3; i++) {
        nw_option options[3];
        for (int k = 0; k < dims[i].n; k++)
            ck_assert_int_eq(nw_option_read(dims[i].kind, dims[i].texts[k], &options[k], &err),
                             NW_OK);
        nw_dim_spec spec = {.kind = dims[i].kind,
                            .where = dims[i].where,
                            .options = options,
                            .n_options = dims[i].n};
        ck_assert_msg(nw_space_add(space, &spec, &err) == NW_OK, "%s", err.message);
    }
    ck_assert_msg(nw_space_seal(space, &err) == NW_OK, "%s", err.message);
    nw_hw *hw = load_hw("ne64");
    nw_plan *plan = plan_of(space, hw, nw_estimator_device());
    ck_assert_int_eq(nw_plan_warm(plan, 1000, NULL, &err), NW_OK);
    int n;
    const nw_cell *cells = nw_plan_cells(plan, &n);
    for (int i = 0; i < n; i++) {
        ck_assert(cells[i].n_dims < 3);
        ck_assert(cells[i].n_filled == (int64_t)cells[i].n_entries);
    }
    int64_t n_full = nw_plan_get_stats(plan).n_full;
    for (uint16_t i = 0; i < 12; i++) {
        uint16_t genome[3] = {i & 1, i / 2 % 3, i / 6};
        nw_totals expected, totals;
        ck_assert_int_eq(full_path(plan, genome, &expected), NW_OK);
        ck_assert_int_eq(nw_plan_evaluate(plan, genome, &totals, &err), NW_OK);
        expect_same(&expected, &totals);
    }
    ck_assert_int_eq(nw_plan_get_stats(plan).n_full, n_full);
    nw_plan_free(plan);
    nw_hw_free(hw);
    nw_space_release(space);
}
END_TEST

START_TEST(cancelling_ends_the_making_of_a_plan)
{
    const nw_space *space = space_of(demo_arch());
    nw_hw *hw = load_hw("ne64");
    nw_plan *plan;
    nw_error err;
    nw_cancel cancel = {0};
    nw_cancel_set(&cancel);
    ck_assert_int_eq(nw_plan_new(space, hw, nw_estimator_device(), NULL, &cancel, &plan, &err),
                     NW_CANCELLED);
    nw_hw_free(hw);
    nw_space_release(space);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compiled");
    TCase *tcase = tcase_create("plans");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, random_genomes_cost_what_the_full_path_says, 0, 4);
    tcase_add_loop_test(tcase, maps_spill_together_wherever_they_cross, 0, 3);
    tcase_add_test(tcase, ten_million_moves_leave_no_trace);
    tcase_add_loop_test(tcase, imported_networks_have_plans, 0, 3);
    tcase_add_test(tcase, regressions_have_plans);
    tcase_add_test(tcase, a_calibration_comes_last);
    tcase_add_test(tcase, a_space_of_one_point_has_a_plan);
    tcase_add_test(tcase, a_warm_plan_needs_no_network);
    tcase_add_test(tcase, cancelling_ends_the_making_of_a_plan);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("threads");
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, threads_get_the_same_totals);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? 1 : 0;
}
