/* Estimates of networks: sums, calibration, what does not fit, what is unknown, and properties that
 * hold whatever the numbers are. */
#include <check.h>
#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/estimator/estimator.h"
#include "src/report/report.h"
#include "tests/support.h"
#include "tests/support_split.h"

static nw_estimate estimate_on(const nw_graph *graph, const nw_hw *hw)
{
    nw_estimate e;
    nw_error err;
    if (nw_estimate_graph(nw_estimator_device(), graph, hw, NULL, &e, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return e;
}

static int64_t latency_on(const nw_graph *graph, const nw_hw *hw)
{
    nw_estimate e = estimate_on(graph, hw);
    int64_t ps = e.latency_ps;
    nw_estimate_fini(&e);
    return ps;
}

static nw_graph *small_net(void)
{
    net n = net_begin(32, 32, 16, NW_DTYPE_INT8);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_RELU);
    net_inverted_bottleneck(&n, 32, 4, 3, 1, 8);
    net_global_pool(&n);
    net_fc(&n, 10, NW_ACT_NONE);
    net_softmax(&n);
    return net_end(&n);
}

/* Something in the middle that nobody knows. */
static nw_graph *net_with_opaque(void)
{
    net n = net_begin(32, 32, 16, NW_DTYPE_INT8);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_RELU);
    nw_tensor_id in[1] = {n.at};
    nw_shape shape = {.rank = 4, .dims = {1, 32, 32, 32}};
    net_layer(&n, NW_OP_OPAQUE, "CUSTOM:secret", in, 1);
    n.graph->tensors[n.at].shape = n.graph->tensors[n.at].stored_shape = shape;
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    return net_end(&n);
}

/* ---- sums ---- */

START_TEST(totals_are_the_sums_of_the_kernels)
{
    nw_graph *graph = small_net();
    nw_hw *hw = load_hw("ne32");
    hw->inference_overhead_cycles = 12345; /* 1 GHz: 12,345,000 ps */
    nw_estimate e = estimate_on(graph, hw);
    int64_t ps = 0, fj = 0, macs = 0, dram = 0, sram = 0;
    for (int i = 0; i < e.kernels->n_kernels; i++) {
        nw_device_cost again;
        nw_device_estimate(hw, &e.kernels->kernels[i].shape, &again);
        ck_assert_int_eq(again.latency_ps, e.costs[i].latency_ps);
        ps += again.latency_ps;
        fj += again.energy_fj;
        macs += again.macs;
        dram += again.dram_bytes;
        sram += again.sram_bytes;
    }
    ck_assert_int_eq(e.overhead_ps, 12345000);
    ck_assert_int_eq(e.latency_ps, ps + 12345000);
    ck_assert(e.energy_fj == fj && e.macs == macs);
    ck_assert(e.dram_bytes == dram && e.sram_bytes == sram);
    ck_assert_int_eq(e.host_ps, 0);
    ck_assert_int_eq(e.n_unknown, 0);
    nw_estimate_fini(&e);
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

START_TEST(calibration_comes_last_on_the_total)
{
    nw_graph *graph = small_net();
    nw_hw *hw = load_hw("ne32");
    int64_t plain = latency_on(graph, hw);
    hw->calibration.present = true;
    hw->calibration.a = 2;
    hw->calibration.b = 10; /* us */
    nw_estimate e = estimate_on(graph, hw);
    ck_assert_int_eq(e.latency_ps, 2 * plain + 10000000);
    int64_t kernels = 0;
    for (int i = 0; i < e.kernels->n_kernels; i++)
        kernels += e.costs[i].latency_ps;
    ck_assert_int_eq(kernels + e.overhead_ps, e.latency_ps);
    nw_estimate_fini(&e);
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_calibration_never_makes_time_negative)
{
    nw_graph *graph = small_net();
    nw_hw *hw = load_hw("ne32");
    hw->calibration.present = true;
    hw->calibration.a = 1;
    hw->calibration.b = -1e9;
    ck_assert_int_eq(latency_on(graph, hw), 0);
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

/* Static power burns during the fixed cost of an inference too: DEVICE.md, P_static * time. */
START_TEST(static_power_burns_for_the_whole_latency)
{
    nw_graph *graph = small_net();
    nw_hw *hw = load_hw("ne32");
    nw_estimate e = estimate_on(graph, hw);
    int64_t without = e.energy_fj;
    nw_estimate_fini(&e);
    hw->inference_overhead_cycles = 1000000; /* 1 ms at 1 GHz */
    hw->energy.static_w = 0.5;               /* 0.5 W = 500 fJ a ps */
    for (int calibrated = 0; calibrated < 2; calibrated++) {
        hw->calibration.present = calibrated;
        hw->calibration.a = 0.25;
        e = estimate_on(graph, hw);
        ck_assert_int_eq(e.energy_fj, without + 500 * e.latency_ps);
        nw_estimate_fini(&e);
    }
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_calibrated_latency_says_how_far_it_can_be_trusted)
{
    nw_graph *graph = small_net();
    nw_hw *hw = load_hw("ne32");
    hw->calibration.present = true;
    hw->calibration.a = 2;
    hw->calibration.residual_pct = 7.5;
    hw->calibration.provenance = "board\033[7";
    hw->calibration.b = 10;
    nw_estimate e = estimate_on(graph, hw);
    nw_breakdown b = {.model = "m", .graph = graph, .hw = hw, .estimate = &e};
    nw_buf text = {0};
    nw_breakdown_text(&b, 0, &text);
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&text), "calibrated, residual 7.5 %: board"));
    ck_assert_ptr_null(strchr(nw_buf_text(&text), '\033'));
    /* without a fixed cost, what belongs to no kernel is the calibration's alone */
    ck_assert_ptr_null(strstr(nw_buf_text(&text), "fixed cost of an inference"));
    nw_buf_fini(&text);
    nw_estimate_fini(&e);
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

START_TEST(totals_that_leave_64_bits_stop_at_the_largest)
{
    /* 2^20 cycles of a clock of 1e-12 Hz are 2^20 * 1e24 ps */
    nw_graph *graph = small_net();
    nw_hw *hw = load_hw("ne32");
    hw->clock_hz = 1e-12;
    hw->inference_overhead_cycles = 1 << 20;
    int64_t ps = latency_on(graph, hw);
    ck_assert_int_gt(ps, (int64_t)1 << 58);
    hw->calibration.present = true;
    hw->calibration.a = 1e6;
    ck_assert_int_gt(latency_on(graph, hw), (int64_t)1 << 58);
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

START_TEST(host_time_is_the_hosts_part_of_the_latency)
{
    nw_graph *graph = small_net(); /* the gate's sigmoid and product, and the softmax */
    nw_hw *hw = load_hw("dpu-b4096");
    nw_estimate e = estimate_on(graph, hw);
    int64_t host = 0;
    for (int i = 0; i < e.kernels->n_kernels; i++)
        if (e.kernels->kernels[i].shape.parts[0].kind == NW_KERNEL_HOST)
            host += e.costs[i].latency_ps;
    ck_assert_int_eq(e.kernels->n_switches, 2);
    ck_assert_int_ge(host, 2 * 50000000ll);
    ck_assert_int_eq(e.host_ps, host);
    nw_estimate_fini(&e);
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

/* ---- unknown, unfit ---- */

START_TEST(unknown_kernels_are_counted_and_totals_are_over_the_rest)
{
    nw_graph *graph = net_with_opaque();
    nw_hw *hw = load_hw("ne32");
    nw_estimate e = estimate_on(graph, hw);
    int64_t ps = 0;
    ck_assert_int_eq(e.n_unknown, 1);
    ck_assert_int_eq(e.kernels->n_kernels, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(e.costs[i].is_known, i != 1);
        ps += i != 1 ? e.costs[i].latency_ps : 0;
    }
    ck_assert_int_gt(ps, 0);
    ck_assert_int_eq(e.latency_ps, ps + e.overhead_ps);
    nw_breakdown b = {.model = "m", .graph = graph, .hw = hw, .estimate = &e};
    nw_buf json = {0}, text = {0};
    nw_breakdown_json(&b, &json);
    cJSON *root = cJSON_Parse(nw_buf_text(&json));
    const cJSON *kernels = cJSON_GetObjectItem(root, "kernels");
    static const char *const keys[] = {"latency_us",   "utilisation", "macs",
                                       "weight_bytes", "dram_bytes",  "sram_bytes"};
    for (int i = 0; i < 3; i++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            ck_assert_int_eq(
                cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetArrayItem(kernels, i), keys[k])), i == 1);
    ck_assert(cJSON_GetObjectItem(root, "unknown_kernels")->valuedouble == 1);
    cJSON_Delete(root);
    nw_breakdown_text(&b, 0, &text);
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&text), "?"));
    /* in the CSV what is unknown, energy and cycles too, is empty: not zero */
    nw_buf_fini(&text);
    nw_breakdown_csv(&b, &text);
    const char *unknown = strstr(nw_buf_text(&text), ",opaque,");
    ck_assert_ptr_nonnull(unknown);
    ck_assert_ptr_nonnull(
        strstr(unknown, ",65536,,,,,,,,,,\"no cost rule for this operator\",\"\",\n"));
    nw_buf_fini(&json);
    nw_buf_fini(&text);
    nw_estimate_fini(&e);
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

START_TEST(maps_that_exceed_the_sram_of_a_flash_system_do_not_fit)
{
    nw_graph *graph = small_net();
    nw_hw *hw = load_hw("u55-128"); /* its external memory holds weights only */
    nw_estimate e = estimate_on(graph, hw);
    ck_assert(e.fits);
    ck_assert_str_eq(e.reason, "");
    int64_t peak = e.peak_live_bytes;
    nw_estimate_fini(&e);
    for (int less = 0; less < 2; less++) {
        hw->sram.bytes = peak - less;
        e = estimate_on(graph, hw);
        ck_assert_int_eq(e.fits, !less);
        ck_assert_int_eq(e.reason[0] != '\0', less);
        nw_estimate_fini(&e);
    }
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

START_TEST(kernels_of_one_network_can_be_told_apart_in_the_text)
{
    /* names of 80 characters that differ in the middle only */
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    char name[2][128];
    for (int i = 0; i < 2; i++) {
        net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
        snprintf(name[i], sizeof name[i], "%s/%s%d/%s", "/features/features/features/block/block",
                 "block", i, "conv/conv.0/conv.0.0/convolution/Convolution");
        n.graph->nodes[n.graph->n_nodes - 1].name = nw_graph_strdup(n.graph, name[i]);
    }
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_estimate e = estimate_on(graph, hw);
    nw_breakdown b = {.model = "m", .graph = graph, .hw = hw, .estimate = &e};
    nw_buf text = {0};
    nw_breakdown_text(&b, 0, &text);
    char *rows[2] = {NULL, NULL}, *save = NULL;
    int n_rows = 0;
    char *copy = strdup(nw_buf_text(&text));
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (strstr(line, "16x16x8") && n_rows < 2)
            rows[n_rows++] = line;
    ck_assert_int_eq(n_rows, 2);
    ck_assert_str_ne(rows[0], rows[1]);
    free(copy);
    nw_buf_fini(&text);
    nw_estimate_fini(&e);
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

/* ---- properties ---- */

static const char *const hw_names[] = {"ne16",    "ne32",     "ne64",      "u55-256",
                                       "u65-512", "u85-1024", "dpu-b4096", "systolic16-ws"};
#define N_HW    ((int)(sizeof hw_names / sizeof *hw_names))
#define N_SEEDS 60

typedef void (*change)(nw_hw *hw, int step);

static void more_dram(nw_hw *hw, int step)
{
    hw->dram.bytes_per_cycle = 0.5 * (1 << step);
}

/* The memories keep pace with the clock, as all rates are per cycle. */
static void more_clock(nw_hw *hw, int step)
{
    hw->clock_hz = 1e8 * (1 << step);
}

static const struct {
    const char *name;
    change apply;
} changes[] = {{"DRAM bandwidth", more_dram}, {"clock", more_clock}};
#define N_CHANGES ((int)(sizeof changes / sizeof *changes))

static void check_never_slower(const nw_graph *graph, nw_hw *hw, int which, const char *what)
{
    int64_t before = INT64_MAX;
    for (int step = 0; step < 10; step++) {
        changes[which].apply(hw, step);
        int64_t now = latency_on(graph, hw);
        ck_assert_msg(now <= before, "%s on %s: step %d of %s takes %lld ps instead of %lld", what,
                      hw->name, step, changes[which].name, (long long)now, (long long)before);
        before = now;
    }
}

START_TEST(more_of_a_resource_is_never_slower)
{
    for (int k = 0; k < N_HW; k++) {
        for (unsigned seed = 0; seed < N_SEEDS; seed++) {
            nw_hw *hw = load_hw(hw_names[k]);
            nw_graph *graph = random_net(seed + 1000, NW_DTYPE_INT8);
            char what[32];
            snprintf(what, sizeof what, "random network %u", seed);
            check_never_slower(graph, hw, _i, what);
            nw_graph_free(graph);
            nw_hw_free(hw);
        }
    }
}
END_TEST

START_TEST(more_of_a_resource_is_never_slower_for_real_networks)
{
    static const char *const models[] = {"mlperf_tiny_vww_96_int8.tflite", "mcunet_vww.tflite",
                                         "tv_mobilenet_v2_w035_224_qdq.onnx",
                                         "selfie_segmentation_256.tflite"};
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        nw_graph *graph = load_model(models[m]);
        for (int k = 0; graph && k < N_HW; k++) {
            nw_hw *hw = load_hw(hw_names[k]);
            check_never_slower(graph, hw, _i, models[m]);
            nw_hw_free(hw);
        }
        nw_graph_free(graph);
    }
}
END_TEST

/* Kernels whose maps live in DRAM, and the bytes of theirs that cross. */
static void count_spilled(const nw_graph *graph, const nw_hw *hw, int *n_spilled, int64_t *ps)
{
    nw_estimate e = estimate_on(graph, hw);
    *n_spilled = 0;
    for (int i = 0; i < e.kernels->n_kernels; i++) {
        const nw_kernel_shape *shape = &e.kernels->kernels[i].shape;
        *n_spilled += (shape->in_place == NW_PLACE_DRAM) + (shape->out_place == NW_PLACE_DRAM) +
                      (shape->residual_place == NW_PLACE_DRAM);
    }
    *ps = e.latency_ps;
    nw_estimate_fini(&e);
}

/* The tile search goes for the fewest bytes, not for the least time (DEVICE, tiling), and a map on
 * chip loads the SRAM's port instead of the DRAM's. So time may rise a little where a larger SRAM
 * leads to another tile: up to 16 % was seen on these networks, at sizes far below the presets'. */
#define WORSE_TILE 1.25

START_TEST(more_sram_never_spills_more_and_is_never_much_slower)
{
    for (unsigned seed = 0; seed < N_SEEDS; seed++) {
        nw_hw *hw = load_hw(hw_names[_i]);
        nw_graph *graph = random_net(seed + 1000, NW_DTYPE_INT8);
        int before = INT32_MAX;
        int64_t ps = INT64_MAX / 2;
        for (int step = 0; step < 12; step++) {
            hw->sram.bytes = (int64_t)4096 << step;
            int n_spilled;
            int64_t now;
            count_spilled(graph, hw, &n_spilled, &now);
            ck_assert_int_le(n_spilled, before);
            ck_assert_msg((double)now <= WORSE_TILE * (double)ps,
                          "seed %u, step %d: %lld after %lld ps", seed, step, (long long)now,
                          (long long)ps);
            before = n_spilled;
            ps = now;
        }
        ck_assert_int_eq(before, 0); /* 8 MiB hold all of them */
        nw_graph_free(graph);
        nw_hw_free(hw);
    }
}
END_TEST

typedef struct job {
    const nw_graph *graph;
    const nw_hw *hw;
    nw_estimate estimate;
    bool ok;
} job;

static void *run_job(void *arg)
{
    job *j = arg;
    nw_error err;
    j->ok = nw_estimate_graph(nw_estimator_device(), j->graph, j->hw, NULL, &j->estimate, &err) ==
            NW_OK;
    return NULL;
}

static void check_same(const nw_estimate *a, const nw_estimate *b)
{
    ck_assert_int_eq(a->kernels->n_kernels, b->kernels->n_kernels);
    ck_assert_int_eq(a->latency_ps, b->latency_ps);
    ck_assert_int_eq(a->energy_fj, b->energy_fj);
    ck_assert_int_eq(a->peak_live_bytes, b->peak_live_bytes);
    ck_assert_int_eq(a->arena_bytes, b->arena_bytes);
    for (int i = 0; i < a->kernels->n_kernels; i++) {
        ck_assert_mem_eq(&a->kernels->kernels[i].shape, &b->kernels->kernels[i].shape,
                         sizeof a->kernels->kernels[i].shape);
        ck_assert_int_eq(a->costs[i].latency_ps, b->costs[i].latency_ps);
        ck_assert_str_eq(a->costs[i].why, b->costs[i].why);
    }
}

/* The list is of storages: what is overwritten in place, or written straight into a concatenation,
 * takes its room once. */
START_TEST(what_lives_at_the_peak_adds_up_to_it)
{
    static const char *const descriptions[] = {"ne32", "u55-256", "dpu-b4096"};
    int n_shared = 0;
    for (unsigned seed = 0; seed < 60; seed++) {
        nw_graph *graph = seed ? random_net(seed, NW_DTYPE_INT8) : small_net();
        nw_hw *hw = load_hw(descriptions[seed % 3]);
        nw_estimate e = estimate_on(graph, hw);
        nw_breakdown b = {.model = "m", .graph = graph, .hw = hw, .estimate = &e};
        nw_buf json = {0};
        nw_breakdown_json(&b, &json);
        cJSON *root = cJSON_Parse(nw_buf_text(&json));
        const cJSON *item, *list = cJSON_GetObjectItem(root, "live_at_peak");
        double sum = 0;
        cJSON_ArrayForEach(item, list)
        {
            double n_bytes = cJSON_GetObjectItem(item, "bytes")->valuedouble;
            sum += n_bytes;
            ck_assert(cJSON_GetObjectItem(item, "offset")->valuedouble + n_bytes <=
                      (double)e.arena_bytes);
            n_shared += cJSON_GetArraySize(cJSON_GetObjectItem(item, "shared_with"));
        }
        ck_assert_int_eq((int64_t)sum, e.peak_live_bytes);
        cJSON_Delete(root);
        nw_buf_fini(&json);
        nw_estimate_fini(&e);
        nw_hw_free(hw);
        nw_graph_free(graph);
    }
    ck_assert_int_gt(n_shared, 0); /* or nothing was tried */
}
END_TEST

START_TEST(four_threads_at_once_get_what_one_gets)
{
    nw_hw *hw = load_hw("ne32");
    for (unsigned seed = 0; seed < 20; seed++) {
        nw_graph *graph = random_net(seed, NW_DTYPE_INT8);
        nw_estimate alone = estimate_on(graph, hw);
        job jobs[4];
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
            jobs[i] = (job){.graph = graph, .hw = hw};
            ck_assert_int_eq(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            ck_assert(jobs[i].ok);
            check_same(&alone, &jobs[i].estimate);
            nw_estimate_fini(&jobs[i].estimate);
        }
        nw_estimate_fini(&alone);
        nw_graph_free(graph);
    }
    nw_hw_free(hw);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("estimate");
    TCase *tests = tcase_create("estimate");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, totals_are_the_sums_of_the_kernels);
    tcase_add_test(tests, calibration_comes_last_on_the_total);
    tcase_add_test(tests, a_calibration_never_makes_time_negative);
    tcase_add_test(tests, static_power_burns_for_the_whole_latency);
    tcase_add_test(tests, a_calibrated_latency_says_how_far_it_can_be_trusted);
    tcase_add_test(tests, totals_that_leave_64_bits_stop_at_the_largest);
    tcase_add_test(tests, host_time_is_the_hosts_part_of_the_latency);
    tcase_add_test(tests, unknown_kernels_are_counted_and_totals_are_over_the_rest);
    tcase_add_test(tests, maps_that_exceed_the_sram_of_a_flash_system_do_not_fit);
    tcase_add_test(tests, kernels_of_one_network_can_be_told_apart_in_the_text);
    tcase_add_loop_test(tests, more_of_a_resource_is_never_slower, 0, N_CHANGES);
    tcase_add_loop_test(tests, more_of_a_resource_is_never_slower_for_real_networks, 0, N_CHANGES);
    tcase_add_loop_test(tests, more_sram_never_spills_more_and_is_never_much_slower, 0, N_HW);
    tcase_add_test(tests, what_lives_at_the_peak_adds_up_to_it);
    tcase_add_test(tests, four_threads_at_once_get_what_one_gets);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
