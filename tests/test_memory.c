/* Lifetimes, live memory and the allocator, against hand counts and Vela's own figures. */
#include <check.h>
#include <stdlib.h>

#include "src/estimator/estimator.h"
#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_net.h"

static nw_hw *load_hw(const char *name)
{
    nw_hw *hw;
    nw_error err;
    if (nw_hw_load(name, "hw", &hw, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return hw;
}

static int64_t peak_on(const char *hw_name, const nw_graph *graph, int64_t *arena)
{
    nw_hw *hw = load_hw(hw_name);
    nw_estimate estimate;
    nw_error err;
    if (nw_estimate_graph(nw_estimator_device(), graph, hw, NULL, &estimate, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    int64_t peak = estimate.peak_live_bytes;
    *arena = estimate.arena_bytes;
    nw_estimate_fini(&estimate);
    nw_hw_free(hw);
    return peak;
}

/* Vela 3.10, SRAM-only mode, data/vela310 (DEVICE figures): peak SRAM without weight buffers. */
static const struct {
    const char *model;
    int64_t bytes;
} vela_peaks[] = {
    {"mlperf_tiny_resnet_int8.tflite", 49152},     /* 3 x 32*32*16, the add in place */
    {"mlperf_tiny_vww_96_int8.tflite", 73728},     /* 2 x 48*48*16: 8 channels padded to 16 */
    {"person_detect.tflite", 73728},               /* the same network shape */
    {"mobilenet_v1_0.25_128_quant.tflite", 131072} /* 2 x 64*64*16 */
};

START_TEST(peak_memory_is_what_vela_reports)
{
    char name[128];
    nw_graph *graph;
    nw_error err;
    snprintf(name, sizeof name, "models/%s", vela_peaks[_i].model);
    const char *path = shared_path(name);
    if (!path)
        return;
    ck_assert_int_eq(nw_model_load(path, NULL, 0, &graph, &err), NW_OK);
    int64_t arena;
    ck_assert_int_eq(peak_on("u55-256", graph, &arena), vela_peaks[_i].bytes);
    ck_assert_int_eq(arena, vela_peaks[_i].bytes);
    nw_graph_free(graph);
}
END_TEST

/* MLPerf Tiny DS-CNN: 49x10x1, conv 10x4 stride 2 to 25x5x64, four depthwise separable blocks.
 * Vela: 16,000 = 2 x 25*5*64. */
START_TEST(peak_memory_of_the_keyword_spotter_is_what_vela_reports)
{
    net n = net_begin(49, 10, 1, NW_DTYPE_INT8);
    net_conv(&n, 64, 10, 4, 2, 2, NW_ACT_RELU);
    for (int i = 0; i < 4; i++) {
        net_depthwise(&n, 3, 1, NW_ACT_RELU);
        net_conv(&n, 64, 1, 1, 1, 1, NW_ACT_RELU);
    }
    net_global_pool(&n);
    net_fc(&n, 12, NW_ACT_NONE);
    net_softmax(&n);
    nw_graph *graph = net_end(&n);
    int64_t arena;
    ck_assert_int_eq(peak_on("u55-256", graph, &arena), 16000);
    ck_assert_int_eq(arena, 16000);
    nw_graph_free(graph);
}
END_TEST

/* MobileNetV1 0.5 at 160 (Howard et al. 2017, table 1, halved). Vela: 307,200 = 80*80*16 +
 * 80*80*32. */
START_TEST(peak_memory_of_mobilenet_v1_half_160_is_what_vela_reports)
{
    static const int channels[13] = {32, 64, 64, 128, 128, 256, 256, 256, 256, 256, 256, 512, 512};
    static const int strides[13] = {1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1};
    net n = net_begin(160, 160, 3, NW_DTYPE_INT8);
    net_conv(&n, 16, 3, 3, 2, 2, NW_ACT_RELU6);
    for (int i = 0; i < 13; i++) {
        net_depthwise(&n, 3, strides[i], NW_ACT_RELU6);
        net_conv(&n, channels[i], 1, 1, 1, 1, NW_ACT_RELU6);
    }
    net_global_pool(&n);
    net_fc(&n, 1001, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    int64_t arena;
    ck_assert_int_eq(peak_on("u55-256", graph, &arena), 307200);
    ck_assert_int_eq(arena, 307200);
    nw_graph_free(graph);
}
END_TEST

static nw_tensor_id find_tensor(const nw_graph *graph, const char *name)
{
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
        if (strcmp(graph->tensors[id].name, name) == 0)
            return id;
    return NW_NONE;
}

/* By hand: 4x4x8 floats are 512 bytes; layer0 reads the input (4x4x4: 256) and writes 512; the
 * depthwise layer1 holds 512 + 512; the add holds layer0, layer1 and its result: 3 x 512. */
START_TEST(file_order_peak_matches_hand_count)
{
    net n = net_begin(4, 4, 4, NW_DTYPE_FLOAT32);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id skip = n.at;
    net_depthwise(&n, 3, 1, NW_ACT_NONE);
    net_add(&n, skip, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_node_id at;
    ck_assert_int_eq(nw_graph_peak_live_bytes_file_order(graph, &at), 3 * 512);
    ck_assert_int_eq(at, 2);
    nw_graph_free(graph);
}
END_TEST

/* Steps by hand over tensors of 100, 200 and 300 bytes: in place saves the copy, parts of a
 * concatenation take no room of their own. */
START_TEST(sharing_saves_exactly_the_shared_tensors)
{
    nw_graph *graph = nw_graph_new("t", NW_LAYOUT_NHWC);
    nw_shape s100 = {.rank = 1, .dims = {100}}, s200 = {.rank = 1, .dims = {200}};
    nw_tensor_id in = nw_graph_add_tensor(graph, "in", NW_DTYPE_INT8, &s100);
    nw_graph_add_input(graph, in);
    nw_tensor_id a = nw_graph_add_tensor(graph, "a", NW_DTYPE_INT8, &s100);
    nw_tensor_id b = nw_graph_add_tensor(graph, "b", NW_DTYPE_INT8, &s100);
    nw_tensor_id c = nw_graph_add_tensor(graph, "c", NW_DTYPE_INT8, &s100);
    nw_tensor_id joined = nw_graph_add_tensor(graph, "joined", NW_DTYPE_INT8, &s200);
    nw_tensor_id r0[] = {in}, r1[] = {a}, r2[] = {b}, r3[] = {b, c};
    nw_tensor_id w0[] = {a}, w1[] = {b}, w2[] = {c}, w3[] = {joined};
    nw_step steps[4] = {{r0, w0, 1, 1, NW_NONE, false},
                        {r1, w1, 1, 1, a, false},
                        {r2, w2, 1, 1, NW_NONE, false},
                        {r3, w3, 2, 1, NW_NONE, true}};
    nw_memory_rules rules = {.align_channels = 1, .align_bytes = 1, .in_place = true};
    nw_memory memory;
    nw_memory_plan(graph, steps, 4, &rules, &memory);
    /* in + a = 200 first; b takes a's place; joined holds b and c from the start: never over 300
     * (in + joined at step 0, since a's place is in joined). */
    ck_assert_int_le(memory.peak_live_bytes, 300);
    ck_assert_int_ge(memory.arena_bytes, memory.peak_live_bytes);
    nw_memory_fini(&memory);
    rules.in_place = false;
    for (int i = 0; i < 4; i++)
        steps[i].writes_parts = false;
    nw_memory_plan(graph, steps, 4, &rules, &memory);
    ck_assert_int_eq(memory.peak_live_bytes, 400); /* b, c and joined */
    nw_memory_fini(&memory);
    nw_graph_free(graph);
}
END_TEST

/* Whatever the schedule: no two tensors that live together overlap, unless they share a storage,
 * and the arena is never below the sum of what lives. */
START_TEST(allocations_never_overlap)
{
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    for (int i = 0; i < 6; i++)
        net_inverted_bottleneck(&n, i < 3 ? 8 : 24, 1 + i % 4, 3, 1 + (i == 3), i % 2 ? 4 : 0);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne16");
    nw_kernels *kernels;
    ck_assert_int_eq(nw_kernels_split(graph, hw, NULL, &kernels, NULL), NW_OK);
    const nw_memory *m = &kernels->memory;
    ck_assert_int_gt(m->n_tensors, 10);
    for (int i = 0; i < m->n_tensors; i++)
        for (int k = 0; k < i; k++) {
            const nw_live_tensor *x = &m->tensors[i], *y = &m->tensors[k];
            bool together = x->first <= y->last && y->first <= x->last;
            bool overlap = x->offset < y->offset + y->n_bytes && y->offset < x->offset + x->n_bytes;
            ck_assert(!(together && overlap) || x->storage == y->storage);
            ck_assert_int_le(x->offset + x->n_bytes, m->arena_bytes);
        }
    ck_assert_int_ge(m->arena_bytes, m->peak_live_bytes);
    ck_assert_int_ne(find_tensor(graph, "input"), NW_NONE);
    nw_kernels_free(kernels);
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *tests = tcase_create("memory");
    tcase_add_loop_test(tests, peak_memory_is_what_vela_reports, 0,
                        sizeof vela_peaks / sizeof *vela_peaks);
    tcase_add_test(tests, peak_memory_of_the_keyword_spotter_is_what_vela_reports);
    tcase_add_test(tests, peak_memory_of_mobilenet_v1_half_160_is_what_vela_reports);
    tcase_add_test(tests, file_order_peak_matches_hand_count);
    tcase_add_test(tests, sharing_saves_exactly_the_shared_tensors);
    tcase_add_test(tests, allocations_never_overlap);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
