/* Compiled plans of the spaces that are shipped: random genomes cost what the full path says of
 * their networks, to the bit, on accelerators of several kinds and where next to nothing fits.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lua/engine.h"
#include "src/plan/plan.h"
#include "tests/support.h"
#include "tests/support_split.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCALE 10 /* sanitizers take their time */
#else
#define SCALE 1
#endif

static const char *const spaces[] = {"camera_classifier",  "camera_classifier_uncurated",
                                     "edge_tpu",           "edge_tpu_uncurated",
                                     "mobiledet",          "mobiledet_uncurated",
                                     "presence_detector",  "presence_detector_uncurated",
                                     "robot_segmentation", "robot_segmentation_uncurated"};

enum { N_SPACES = sizeof spaces / sizeof *spaces };

static const struct {
    const char *hw;
    int64_t sram_bytes; /* 0: its own */
} places[] = {{"ne64", 0}, {"ne32", 0}, {"u55-256", 0}, {"dpu-b4096", 0}, {"u55-256", 100 << 10}};

static const nw_space *load_space(const char *name)
{
    static const lua_config config = {.data_path = "hw"};
    char path[128];
    const nw_space *space;
    nw_error err;
    snprintf(path, sizeof path, "spaces/%s.lua", name);
    if (lua_engine_load_space((void *)(uintptr_t)&config, path, &space, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return space;
}

static void check(const nw_space *space, const nw_hw *hw, int n)
{
    nw_plan *plan;
    nw_error err;
    nw_rng rng = nw_rng_make(3, 9);
    nw_realiser *realiser = nw_realiser_new(space);
    uint16_t *genome = calloc((size_t)nw_space_n_dims(space) + 1, sizeof *genome);
    if (nw_plan_new(space, hw, nw_estimator_device(), NULL, NULL, &plan, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    for (int i = 0; i < n; i++) {
        const nw_arch *arch;
        nw_totals expected, totals;
        nw_space_random(space, &rng, genome);
        nw_status status = nw_realiser_make(realiser, genome, &arch, &err);
        ck_assert_int_eq(nw_plan_evaluate(plan, genome, &totals, &err), status);
        if (status != NW_OK)
            continue;
        ck_assert_int_eq(nw_totals_of(arch, hw, nw_estimator_device(), NULL, &expected, &err),
                         NW_OK);
        ck_assert_int_eq(totals.latency_ps, expected.latency_ps);
        ck_assert_mem_eq(&totals, &expected, sizeof expected);
        nw_arch_release(arch);
    }
    ck_assert_str_eq(nw_plan_get_stats(plan).caught, "");
    nw_realiser_free(realiser);
    nw_plan_free(plan);
    free(genome);
}

START_TEST(shipped_spaces_cost_what_the_full_path_says)
{
    enum { N_PLACES = sizeof places / sizeof *places, GENOMES = 100 };
    if (SCALE > 1 && _i % 4)
        return;
    const nw_space *space = load_space(spaces[_i]);
    for (int i = 0; i < N_PLACES; i++) {
        nw_hw *hw = load_hw(places[i].hw);
        hw->sram.bytes = places[i].sram_bytes ? places[i].sram_bytes : hw->sram.bytes;
        if (SCALE == 1 || i == _i % N_PLACES)
            check(space, hw, GENOMES / SCALE);
        nw_hw_free(hw);
    }
    nw_space_release(space);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lua_plan");
    TCase *tcase = tcase_create("spaces");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, shipped_spaces_cost_what_the_full_path_says, 0, N_SPACES);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? 1 : 0;
}
