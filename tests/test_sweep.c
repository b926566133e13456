/* A figure of the hardware moved: descriptions extended by hand, knees counted by hand, and what a
 * session makes of it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/pool.h"
#include "src/format/format.h"
#include "src/hw/hw.h"
#include "src/session/sweep.h"
#include "tests/support.h"
#include "tests/support_session.h"
#include "tests/support_space.h"

static int64_t latency_on(const nw_graph *graph, const char *json)
{
    nw_error err;
    nw_hw *hw;
    nw_estimate e;
    ck_assert_msg(nw_hw_parse(json, strlen(json), "hand", PRESETS, &hw, &err) == NW_OK, "%s: %s",
                  err.where, err.message);
    ck_assert_int_eq(nw_estimate_graph(nw_estimator_device(), graph, hw, "file", &e, &err), NW_OK);
    ck_assert(e.fits);
    int64_t ps = e.latency_ps;
    nw_estimate_fini(&e);
    nw_hw_free(hw);
    return ps;
}

static nw_graph *demo(void)
{
    nw_graph *graph;
    nw_error err;
    ck_assert_int_eq(nw_model_load("demo", NULL, 0, &graph, &err), NW_OK);
    return graph;
}

static nw_hw *preset(const char *name)
{
    nw_hw *hw;
    nw_error err;
    ck_assert_int_eq(nw_hw_load(name, PRESETS, &hw, &err), NW_OK);
    return hw;
}

static nw_sweep sweep_on(const nw_graph *graph, const char *hw_name, nw_sweep_figure figure)
{
    nw_error err;
    nw_sweep sweep;
    nw_hw *hw = preset(hw_name);
    nw_status status = nw_sweep_run(graph, hw, PRESETS, "file", figure, NULL, &sweep, &err);
    ck_assert_msg(status == NW_OK, "%s", err.message);
    nw_hw_free(hw);
    return sweep;
}

/* ---- latencies ---- */

/* hw/ne32.json: 32 x 32, 1 MiB, 4 bytes a cycle at 1 GHz. */
static const struct {
    nw_sweep_figure figure;
    int row;
    const char *value, *json;
} by_hand[] = {
    {NW_SWEEP_PARALLELISM, 0, "8 x 8",
     "{\"extends\":\"ne32\",\"array\":{\"pf_out\":8,\"pf_in\":8,\"in_chunk\":8,\"in_round\":8,"
     "\"weight_rate\":16},\"out_elements_per_cycle\":8,\"lut_elements_per_cycle\":8,"
     "\"add_elements_per_cycle\":8,\"mul_elements_per_cycle\":8,\"requantise_elements_per_cycle\":"
     "8,"
     "\"sram\":{\"read_bytes_per_cycle\":16,\"write_bytes_per_cycle\":16,\"align_channels\":8}}"},
    {NW_SWEEP_PARALLELISM, 4, "128 x 128",
     "{\"extends\":\"ne32\",\"array\":{\"pf_out\":128,\"pf_in\":128,\"in_chunk\":128,"
     "\"in_round\":128,\"weight_rate\":256},\"out_elements_per_cycle\":128,"
     "\"lut_elements_per_cycle\":128,\"add_elements_per_cycle\":128,\"mul_elements_per_cycle\":128,"
     "\"requantise_elements_per_cycle\":128,\"sram\":{\"read_bytes_per_cycle\":256,"
     "\"write_bytes_per_cycle\":256,\"align_channels\":128}}"},
    {NW_SWEEP_SRAM, 0, "256.0 KiB", "{\"extends\":\"ne32\",\"sram\":{\"bytes\":262144}}"},
    {NW_SWEEP_SRAM, 5, "8.000 MiB", "{\"extends\":\"ne32\",\"sram\":{\"bytes\":8388608}}"},
    {NW_SWEEP_DRAM, 1, "2 GB/s", "{\"extends\":\"ne32\",\"dram\":{\"bytes_per_cycle\":2}}"},
    {NW_SWEEP_DRAM, 5, "32 GB/s", "{\"extends\":\"ne32\",\"dram\":{\"bytes_per_cycle\":32}}"},
    {NW_SWEEP_CLOCK, 0, "0.25 GHz",
     "{\"extends\":\"ne32\",\"clock_hz\":250e6,\"dram\":{\"bytes_per_cycle\":16}}"},
    {NW_SWEEP_CLOCK, 3, "2 GHz",
     "{\"extends\":\"ne32\",\"clock_hz\":2e9,\"dram\":{\"bytes_per_cycle\":2}}"},
};
enum { N_BY_HAND = sizeof by_hand / sizeof *by_hand };

START_TEST(a_row_is_the_description_extended_by_hand)
{
    nw_graph *graph = demo();
    nw_sweep sweep = sweep_on(graph, "ne32", by_hand[_i].figure);
    const nw_sweep_row *row = &sweep.rows[by_hand[_i].row];
    ck_assert_str_eq(row->value, by_hand[_i].value);
    ck_assert_int_eq(row->latency_ps, latency_on(graph, by_hand[_i].json));
    ck_assert_int_eq(sweep.rows[NW_SWEEP_NOW].latency_ps, estimate_alone("demo", "ne32", "file"));
    nw_graph_free(graph);
}
END_TEST

/* A DRAM described in bytes a second stays so, and a systolic array has rows and columns. */
START_TEST(other_descriptions_move_the_same_way)
{
    nw_graph *graph = demo();
    nw_sweep s = sweep_on(graph, "systolic16-ws", NW_SWEEP_PARALLELISM);
    ck_assert_str_eq(s.rows[0].value, "4 x 4");
    ck_assert_str_eq(s.rows[5].value, "128 x 128");
    for (int i = 1; i < NW_SWEEP_ROWS; i++)
        ck_assert_int_lt(s.rows[i].latency_ps, s.rows[i - 1].latency_ps);
    s = sweep_on(graph, "u85-1024", NW_SWEEP_DRAM);
    ck_assert_str_eq(s.rows[1].value, "12 GB/s"); /* of 24 */
    ck_assert_int_gt(s.rows[1].latency_ps, s.rows[NW_SWEEP_NOW].latency_ps);
    nw_graph_free(graph);
}
END_TEST

/* Feature maps of 3000 KiB at the peak; u55's flash holds none. */
START_TEST(where_the_network_does_not_fit_a_row_says_so)
{
    char text[96];
    nw_graph *graph = demo();
    nw_sweep s = sweep_on(graph, "u55-128", NW_SWEEP_SRAM);
    ck_assert_int_eq(s.rows[1].latency_ps, 0);
    ck_assert_ptr_nonnull(strstr(s.rows[1].why, "3000.0 KiB"));
    ck_assert_int_gt(s.rows[2].latency_ps, 0);
    ck_assert_int_eq(s.knee, 2);
    ck_assert_str_eq(nw_sweep_verdict(&s, text, sizeof text),
                     "knee 4.000 MiB: doublings from there save < 10 %");
    nw_graph_free(graph);
}
END_TEST

START_TEST(an_array_that_cannot_be_quartered_has_no_such_row)
{
    nw_error err;
    nw_hw *hw;
    const char *json = "{\"extends\":\"ne32\",\"array\":{\"pf_out\":6}}";
    ck_assert_int_eq(nw_hw_parse(json, strlen(json), "six", PRESETS, &hw, &err), NW_OK);
    ck_assert_ptr_null(nw_sweep_patch(hw, NW_SWEEP_PARALLELISM, 0)); /* 1.5 */
    char *patch = nw_sweep_patch(hw, NW_SWEEP_PARALLELISM, 1);
    ck_assert_ptr_nonnull(strstr(patch, "\"pf_out\":3,\"pf_in\":16"));
    free(patch);
    nw_hw_free(hw);
}
END_TEST

/* ---- the knee ---- */

START_TEST(the_knee_is_where_doubling_stops_to_save_a_tenth)
{
    static const struct {
        int64_t ps[6];
        int knee;
    } lists[] = {
        {{1000, 500, 300, 280, 270, 265}, 2},  /* 50, 40, 7, 4, 2 % */
        {{1000, 500, 480, 240, 230, 230}, 3},  /* 4 % in between does not count */
        {{1000, 950, 940, 930, 930, 960}, 0},  /* nothing saves, the last one costs */
        {{1000, 900, 900, 900, 900, 900}, 1},  /* a tenth is not less than a tenth */
        {{1000, 800, 600, 400, 300, 200}, -1}, /* the last one saves a third */
        {{0, 0, 1000, 990, 980, 970}, 2},      /* not below what is not known */
        {{1000, 500, 490, 480, 0, 0}, 1},      {{1000, 500, 490, 0, 480, 479}, 4},
        {{1000, 0, 0, 0, 0, 0}, -1},           {{0}, -1},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        ck_assert_msg(nw_sweep_knee(lists[i].ps, 6) == lists[i].knee, "list %zu", i);
}
END_TEST

START_TEST(a_verdict_states_knee_and_rule)
{
    char text[96];
    nw_sweep s = {.knee = -1};
    for (int i = 0; i < NW_SWEEP_ROWS; i++) {
        snprintf(s.rows[i].value, sizeof s.rows[i].value, "%d GB/s", 1 << i);
        s.rows[i].latency_ps = 1024 >> i;
    }
    ck_assert_str_eq(nw_sweep_verdict(&s, text, sizeof text),
                     "no knee up to 32 GB/s: the last doubling saves 50 %");
    s.knee = 3;
    ck_assert_str_eq(nw_sweep_verdict(&s, text, sizeof text),
                     "knee 8 GB/s: doublings from there save < 10 %");
    s.knee = 0;
    ck_assert_str_eq(nw_sweep_verdict(&s, text, sizeof text),
                     "knee at most 1 GB/s: doublings from there save < 10 %");
    nw_sweep none = {.knee = -1};
    ck_assert_str_eq(nw_sweep_verdict(&none, text, sizeof text),
                     "no knee: no two values to compare");
}
END_TEST

/* ---- in a session ---- */

static const nw_sweep *wait_for_sweep(nw_session *s)
{
    const char *why;
    const nw_sweep *sweep;
    while (!(sweep = nw_session_sweep(s, &why)) && !*why)
        wait_a_moment(s);
    ck_assert_str_eq(why, "");
    return sweep;
}

START_TEST(a_session_sweeps_what_is_open_on_the_hardware_chosen)
{
    const char *why;
    nw_session *s = begin_plain();
    ck_assert_ptr_null(nw_session_sweep(s, &why));
    nw_session_follow_sweep(s, NW_SWEEP_SRAM);
    ck_assert_ptr_null(nw_session_sweep(s, &why));
    ck_assert_str_eq(why, "no network is open");
    act(s, "open", "demo");
    const nw_sweep *sweep = wait_for_sweep(s);
    ck_assert_int_eq(sweep->rows[NW_SWEEP_NOW].latency_ps, latency(s));
    act(s, "edit", "channels 3 40");
    ck_assert_ptr_null(nw_session_sweep(s, &why));
    ck_assert_int_eq(wait_for_sweep(s)->rows[NW_SWEEP_NOW].latency_ps, latency(s));
    act(s, "hw", "ne64");
    sweep = wait_for_sweep(s);
    ck_assert_str_eq(sweep->rows[NW_SWEEP_NOW].value, "2.000 MiB");
    act(s, "estimator", "device");
    ck_assert_int_eq(wait_for_sweep(s)->rows[NW_SWEEP_NOW].latency_ps, latency(s));
    nw_session_follow_sweep(s, NW_SWEEP_COUNT);
    ck_assert_ptr_null(nw_session_sweep(s, &why));
    ck_assert_str_eq(why, "");
    nw_session_free(s);
}
END_TEST

START_TEST(a_space_alone_is_swept_by_its_network)
{
    nw_session *s = begin_small_space(); /* over the demo */
    ck_assert_ptr_null(nw_session_current(s));
    nw_session_follow_sweep(s, NW_SWEEP_DRAM);
    ck_assert_int_eq(wait_for_sweep(s)->rows[NW_SWEEP_NOW].latency_ps,
                     estimate_alone("demo", "ne32", "file"));
    nw_session_follow_sweep(s, NW_SWEEP_CLOCK);
    nw_session_free(s); /* while it is under way */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sweep");
    TCase *tcase = tcase_create("sweep");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_row_is_the_description_extended_by_hand, 0, N_BY_HAND);
    tcase_add_test(tcase, other_descriptions_move_the_same_way);
    tcase_add_test(tcase, where_the_network_does_not_fit_a_row_says_so);
    tcase_add_test(tcase, an_array_that_cannot_be_quartered_has_no_such_row);
    tcase_add_test(tcase, the_knee_is_where_doubling_stops_to_save_a_tenth);
    tcase_add_test(tcase, a_verdict_states_knee_and_rule);
    tcase_add_test(tcase, a_session_sweeps_what_is_open_on_the_hardware_chosen);
    tcase_add_test(tcase, a_space_alone_is_swept_by_its_network);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
