/* The simulated device: golden cycles of other people's models, hand-counted kernels, and what
 * must hold whatever the figures. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/device/device.h"
#include "tests/referee_scalesim.h"
#include "tests/referee_vela.h"
#include "tests/support.h"

static const char *const presets[] = {
    "ne16",          "ne32",          "ne64",      "u55-128",       "u55-256",
    "u65-512",       "u85-1024",      "dpu-b4096", "systolic16-ws", "systolic16-os",
    "systolic16-is", "systolic32-ws", "cpu-onednn"};

#define N_PRESETS (int)(sizeof presets / sizeof *presets)

static nw_hw *load(const char *name)
{
    nw_error err;
    nw_hw *hw = NULL;
    if (nw_hw_load(name, "hw", &hw, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return hw;
}

/* A square int8 kernel with SAME padding, everything on chip but the weights. */
static nw_kernel_shape square(nw_kernel_kind kind, int size, int in_c, int out_c, int kernel,
                              int stride)
{
    nw_kernel_shape s;
    memset(&s, 0, sizeof s);
    nw_kernel_part *p = &s.parts[0];
    p->kind = kind;
    p->in_h = p->in_w = size;
    p->in_c = in_c;
    p->out_h = p->out_w = (size + stride - 1) / stride;
    p->out_c = out_c;
    p->kernel_h = p->kernel_w = kernel;
    p->stride_h = p->stride_w = stride;
    p->dilation_h = p->dilation_w = 1;
    p->groups = kind == NW_KERNEL_DWCONV ? in_c : 1;
    s.n_parts = 1;
    s.bits = s.weight_bits = 8;
    s.slow_op = -1;
    s.n_maps = kind == NW_KERNEL_ADD || kind == NW_KERNEL_MUL ? 2 : 1;
    if (kind == NW_KERNEL_CONV || kind == NW_KERNEL_DWCONV || kind == NW_KERNEL_FC ||
        kind == NW_KERNEL_CONV_TRANSPOSE) {
        s.weight_elements =
            (int64_t)kernel * kernel * out_c * (kind == NW_KERNEL_DWCONV ? 1 : in_c);
        s.bias_elements = out_c;
    }
    return s;
}

static nw_device_cost cost_of(const nw_hw *hw, const nw_kernel_shape *shape)
{
    nw_device_cost cost;
    nw_device_estimate(hw, shape, &cost);
    return cost;
}

static int64_t compute_of(const nw_hw *hw, nw_kernel_shape shape)
{
    return cost_of(hw, &shape).cycles[NW_BOUND_COMPUTE];
}

/* ---- systolic arrays: golden cycles of SCALE-Sim v3, CALC mode, SAME padding ---- */

START_TEST(systolic_cycles_equal_scale_sim)
{
    static const struct {
        nw_kernel_kind kind;
        int size, in_c, out_c, kernel, stride;
        long long ws, os, is;
    } golden[] = {
        {NW_KERNEL_CONV, 56, 64, 128, 1, 1, 101823, 147391, 136415},  /* S1, S2, S3 */
        {NW_KERNEL_CONV, 28, 128, 256, 1, 1, 106239, 123871, 118383}, /* S4 */
        {NW_KERNEL_CONV, 14, 96, 576, 1, 1, 52271, 58967, 48515},     /* S5 */
        {NW_KERNEL_CONV, 7, 320, 1280, 1, 1, 151999, 111999, 106079}, /* S6 */
        {NW_KERNEL_CONV, 28, 16, 32, 3, 1, 14939, 17051, 34397},      /* S7 */
        {NW_KERNEL_CONV, 7, 192, 384, 3, 1, 246239, 168767, 185759},  /* S8 */
        {NW_KERNEL_CONV, 112, 3, 16, 3, 2, 6363, 11171, 24303},       /* S9 */
        {NW_KERNEL_FC, 1, 1280, 1000, 1, 1, 236879, 82529, 83679},    /* S10 */
    };
    nw_hw *arrays[] = {load("systolic16-ws"), load("systolic16-os"), load("systolic16-is")};
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        nw_kernel_shape s = square(golden[i].kind, golden[i].size, golden[i].in_c, golden[i].out_c,
                                   golden[i].kernel, golden[i].stride);
        ck_assert_int_eq(compute_of(arrays[0], s), golden[i].ws);
        ck_assert_int_eq(compute_of(arrays[1], s), golden[i].os);
        ck_assert_int_eq(compute_of(arrays[2], s), golden[i].is);
    }
    /* S12: one channel more costs a column more */
    ck_assert_int_eq(compute_of(arrays[0], square(NW_KERNEL_CONV, 14, 64, 64, 1, 1)), 3871);
    ck_assert_int_eq(compute_of(arrays[0], square(NW_KERNEL_CONV, 14, 64, 65, 1, 1)), 4839);
    for (int i = 0; i < 3; i++)
        nw_hw_free(arrays[i]);
}
END_TEST

/* S11, and by hand: 9 taps in 16 rows leave room for one channel, 96 folds of 784 + 46 cycles. */
START_TEST(systolic_depthwise_follows_its_convention)
{
    nw_hw *hw = load("systolic16-ws"), other = *hw;
    nw_kernel_shape s = square(NW_KERNEL_DWCONV, 28, 96, 96, 3, 1);
    other.depthwise.kind = NW_DEPTHWISE_ONE_FILTER;
    ck_assert_int_eq(compute_of(&other, s), 44819);
    ck_assert_int_eq(compute_of(hw, s), 96 * (784 + 46) - 1);
    /* 32 rows take three channels of 9 taps: 32 folds of 784 + 94 */
    other = *hw;
    other.array.rows = other.array.cols = 32;
    ck_assert_int_eq(compute_of(&other, s), 32 * (784 + 94) - 1);
    nw_hw_free(hw);
}
END_TEST

/* S13, S14: layers of two MLPerf Tiny networks summed. */
START_TEST(systolic_networks_equal_scale_sim)
{
    static const struct {
        const char *network, *flow;
        int size;
        long long cycles;
    } golden[] = {
        {"mlperf_tiny_vww", "ws", 16, 144507},       {"mlperf_tiny_vww", "os", 16, 111223},
        {"mlperf_tiny_vww", "ws", 32, 87091},        {"mlperf_tiny_ic_resnet8", "ws", 16, 63130},
        {"mlperf_tiny_ic_resnet8", "os", 16, 58996}, {"mlperf_tiny_ic_resnet8", "ws", 32, 26576},
    };
    csv table;
    const char *path = shared_path("data/scalesim/nets.csv");
    if (!path)
        return;
    ck_assert(csv_load(&table, path));
    nw_hw *base = load("systolic16-ws"), hw;
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        long long sum = 0;
        for (int row = 0; row < table.n_rows; row++) {
            nw_kernel_shape shape;
            if (strcmp(csv_text(&table, row, "network"), golden[i].network) != 0 ||
                strcmp(csv_text(&table, row, "dataflow"), golden[i].flow) != 0 ||
                strcmp(csv_text(&table, row, "bw_mode"), "CALC") != 0 ||
                csv_number(&table, row, "array_rows") != golden[i].size)
                continue;
            ck_assert(scalesim_hw(base, &table, row, &hw));
            scalesim_shape(&table, row, &shape);
            sum += compute_of(&hw, shape);
        }
        ck_assert_int_eq(sum, golden[i].cycles);
    }
    nw_hw_free(base);
    csv_free(&table);
}
END_TEST

START_TEST(systolic_cycles_equal_every_calc_row)
{
    static const char *const files[] = {"golden", "sweep", "nets", "user"};
    nw_hw *hw = load("systolic16-ws");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        scalesim_score score;
        if (scalesim_score_file(hw, files[i], &score))
            ck_assert_msg(score.n_equal == score.n, "%s", score.first_wrong);
    }
    nw_hw_free(hw);
}
END_TEST

/* By hand: 64 folds of 196 streamed cycles, one fill of 46. */
START_TEST(hidden_fills_leave_the_stream)
{
    nw_hw *hw = load("systolic16-ws");
    hw->array.overlap_fold = true;
    ck_assert_int_eq(compute_of(hw, square(NW_KERNEL_CONV, 14, 128, 128, 1, 1)), 64 * 196 + 46 - 1);
    nw_hw_free(hw);
}
END_TEST

/* ---- Ethos-U: golden cycles of Vela 3.10 ---- */

typedef struct golden_vela {
    nw_kernel_kind kind;
    int size, in_c, out_c, kernel;
    double u55_128, u55_256;
} golden_vela;

static const golden_vela golden_velas[] = {
    {NW_KERNEL_CONV, 28, 64, 64, 1, 25984, 13440},      /* V1 */
    {NW_KERNEL_CONV, 28, 64, 65, 1, 29134, 15022},      /* V2 */
    {NW_KERNEL_CONV, 28, 64, 256, 1, 121968, 51072},    /* V3 */
    {NW_KERNEL_CONV, 28, 128, 64, 1, 51072, 26056},     /* V4 */
    {NW_KERNEL_CONV, 28, 256, 64, 1, 101656, 51592},    /* V5 */
    {NW_KERNEL_CONV, 28, 16, 16, 3, 21060, 10660},      /* V6 */
    {NW_KERNEL_CONV, 28, 32, 32, 3, 65404, 31476},      /* V7 */
    {NW_KERNEL_CONV, 28, 33, 33, 3, 183348, 83822},     /* V8 */
    {NW_KERNEL_CONV, 28, 64, 64, 3, 259516, 122952},    /* V9 */
    {NW_KERNEL_CONV, 28, 128, 128, 3, 1034812, 549504}, /* V10 */
    {NW_KERNEL_DWCONV, 28, 16, 16, 3, 12160, 5662},     /* V11 */
    {NW_KERNEL_DWCONV, 28, 64, 64, 3, 46720, 19774},    /* V11 */
    {NW_KERNEL_DWCONV, 28, 128, 128, 3, 92800, 38590},  /* V11 */
    {NW_KERNEL_CONV, 56, 32, 32, 3, 226676, 122196},    /* V12 */
};

START_TEST(own_tiles_are_near_velas_golden_cycles)
{
    nw_hw *small = load("u55-128"), *large = load("u55-256");
    for (size_t i = 0; i < sizeof golden_velas / sizeof *golden_velas; i++) {
        const golden_vela *g = &golden_velas[i];
        nw_kernel_shape s = square(g->kind, g->size, g->in_c, g->out_c, g->kernel, 1);
        ck_assert_double_eq_tol((double)compute_of(small, s), g->u55_128, 0.15 * g->u55_128);
        ck_assert_double_eq_tol((double)compute_of(large, s), g->u55_256, 0.15 * g->u55_256);
    }
    nw_hw_free(small);
    nw_hw_free(large);
}
END_TEST

/* The tiles that Vela 3.10 chose (column ofm_blk of its rows, 28x28): width, height, depth follow
 * from the granules of the buffer and from what is fetched per output. */
START_TEST(tiles_are_velas)
{
    static const struct {
        int chip; /* 0: u55-128, 1: u55-256 */
        nw_kernel_kind kind;
        int h, w, in_c, out_c, kernel;
        nw_tile tile;
    } golden[] = {
        {0, NW_KERNEL_CONV, 28, 28, 1, 1, 3, {14, 14, 8}},
        {1, NW_KERNEL_CONV, 28, 28, 3, 3, 3, {14, 28, 8}},
        {0, NW_KERNEL_CONV, 28, 28, 17, 17, 3, {5, 10, 24}},
        {1, NW_KERNEL_CONV, 28, 28, 33, 33, 3, {10, 10, 40}},
        {0, NW_KERNEL_CONV, 28, 28, 64, 128, 1, {3, 14, 48}},
        {1, NW_KERNEL_CONV, 28, 28, 64, 128, 1, {2, 28, 64}},
        {0, NW_KERNEL_CONV, 112, 112, 8, 16, 1, {8, 16, 16}},
        {1, NW_KERNEL_CONV, 14, 14, 12, 48, 7, {8, 14, 16}},
        {0, NW_KERNEL_DWCONV, 28, 28, 16, 16, 3, {8, 10, 16}},
        {1, NW_KERNEL_DWCONV, 28, 28, 128, 128, 3, {14, 14, 16}},
        {0, NW_KERNEL_FC, 1, 1, 225, 64, 1, {1, 2, 64}},
        {1, NW_KERNEL_FC, 1, 1, 442, 512, 1, {2, 2, 128}},
    };
    nw_hw *chips[] = {load("u55-128"), load("u55-256")};
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        nw_kernel_shape s = square(golden[i].kind, golden[i].h, golden[i].in_c, golden[i].out_c,
                                   golden[i].kernel, 1);
        nw_tile tile = cost_of(chips[golden[i].chip], &s).tile;
        ck_assert_msg(tile.h == golden[i].tile.h && tile.w == golden[i].tile.w &&
                          tile.c == golden[i].tile.c,
                      "row %d: %dx%dx%d", (int)i, (int)tile.h, (int)tile.w, (int)tile.c);
    }
    nw_hw_free(chips[0]);
    nw_hw_free(chips[1]);
}
END_TEST

static void check_kind(const nw_hw *hw, const char *chip, vela_kind kind, double own_goal)
{
    vela_score s;
    if (!vela_score_kind(hw, chip, kind, &s))
        return;
    ck_assert_int_gt(s.n, 0);
    ck_assert_double_le(s.given_tile, 5);
    ck_assert_double_le(s.own_tile, own_goal);
    ck_assert_double_le(s.tile_median, 1.02);
    ck_assert_double_le(s.tile_p95, 1.15);
    ck_assert_double_lt(s.own_tile, s.trivial);
}

/* The goals of the referee table; the trivial answer is max(array, output) of the whole map. */
START_TEST(vela_rows_are_met)
{
    static const char *const chips[] = {"u55-128", "u55-256"};
    nw_hw *hw = load(chips[_i]);
    check_kind(hw, chips[_i], VELA_CONV, 8);
    check_kind(hw, chips[_i], VELA_DW, 8);
    check_kind(hw, chips[_i], VELA_FC, 10);
    vela_steps steps;
    if (vela_score_steps(hw, chips[_i], &steps)) {
        ck_assert_double_ge(steps.same_way, 97);
        ck_assert_double_gt(steps.same_way, steps.trivial);
    }
    vela_totals totals;
    if (vela_score_totals(hw, chips[_i], &totals)) {
        ck_assert_double_ge(totals.spearman, 0.97);
        ck_assert_double_le(totals.mape, 20);
    }
    nw_hw_free(hw);
}
END_TEST

/* ---- dot arrays, by hand ---- */

/* ne32: 784 pixels, 2 visits of 32 channels, 2 slices of 32 outputs, a step a pixel: 3136 cycles;
 * tiles of 112 pixels; behind the last, 112 * 64 elements leave at 32 a cycle: 224. */
START_TEST(pointwise_on_ne32_is_the_hand_count)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_CONV, 28, 64, 64, 1, 1);
    nw_device_cost cost = cost_of(hw, &s);
    ck_assert_int_eq(cost.array_cycles, 3136);
    ck_assert_int_eq(cost.output_cycles, 784 * 64 / 32);
    ck_assert_int_eq(cost.tile.h * cost.tile.w, 112);
    ck_assert_int_eq(cost.tile.c, 64);
    ck_assert_int_eq(cost.cycles[NW_BOUND_COMPUTE], 3136 + 224);
    ck_assert_int_eq(cost.total_cycles, 3136 + 224 + 500); /* and the fixed cost */
    ck_assert_int_eq(cost.latency_ps, cost.total_cycles * 1000);
    ck_assert_int_eq(cost.macs, 784 * 64 * 64);
    nw_hw_free(hw);
}
END_TEST

/* One channel more than the array is wide: a whole step more. 784 steps a visit and slice. */
START_TEST(a_channel_over_the_width_costs_a_step)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_CONV, 28, 32, 32, 1, 1);
    ck_assert_int_eq(cost_of(hw, &s).array_cycles, 784);
    s = square(NW_KERNEL_CONV, 28, 33, 32, 1, 1);
    ck_assert_int_eq(cost_of(hw, &s).array_cycles, 2 * 784);
    s = square(NW_KERNEL_CONV, 28, 32, 40, 1, 1);
    ck_assert_int_eq(cost_of(hw, &s).array_cycles, 2 * 784);
    ck_assert_str_eq(cost_of(hw, &s).why,
                     "24 of 32 output lanes idle in the last step: c40 = 32 + 8");
    nw_hw_free(hw);
}
END_TEST

/* Depthwise on the diagonal of ne32: 9 taps, a tap a cycle for 32 channels: 1/32 of the array. */
START_TEST(depthwise_uses_one_row_of_the_array)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_DWCONV, 28, 64, 64, 3, 1);
    nw_device_cost cost = cost_of(hw, &s);
    ck_assert_int_eq(cost.array_cycles, 784 * 9 * 2);
    ck_assert_str_eq(cost.why, "depthwise: 1 of 32 rows works");
    /* a grouped convolution of one channel a group is the same thing */
    s.parts[0].kind = NW_KERNEL_CONV;
    ck_assert_int_eq(cost_of(hw, &s).array_cycles, 784 * 9 * 2);
    nw_hw_free(hw);
}
END_TEST

/* Packed on the diagonal, 8 groups of 4 channels fill the 32 lanes: 2 units of 9 taps, in
 * part-kernel order 3 groups of taps by 4 chunks of 8 channels = 12, so 9 visits win. */
START_TEST(small_groups_share_the_array)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_CONV, 28, 64, 64, 3, 1);
    s.parts[0].groups = 16;
    s.weight_elements /= 16;
    ck_assert_int_eq(cost_of(hw, &s).array_cycles, 2 * 9 * 784);
    ck_assert_int_eq(cost_of(hw, &s).macs, 784 * 9 * 4 * 64);
    nw_hw_free(hw);
}
END_TEST

/* First layer, 3x3 of 3 channels: 3 groups of 4 taps instead of 9 visits. With `part_kernel` on a
 * DPU, 16 / 3 = 5 taps share a visit: 2 visits instead of 9. */
START_TEST(taps_share_visits_where_channels_are_few)
{
    nw_hw *hw = load("ne32"), *dpu = load("dpu-b4096");
    nw_kernel_shape s = square(NW_KERNEL_CONV, 112, 3, 32, 3, 2);
    ck_assert_int_eq(cost_of(hw, &s).array_cycles, 3 * 56 * 56);
    int64_t plain = cost_of(dpu, &s).array_cycles;
    s.is_first = 1;
    int64_t first = cost_of(dpu, &s).array_cycles;
    ck_assert_int_eq(9 * first, 2 * plain);
    nw_hw_free(hw);
    nw_hw_free(dpu);
}
END_TEST

/* ne32 decodes 64 weights a cycle, a step takes 1,024: 16 cycles for one pixel of a fully
 * connected layer; 40 visits of 32 slices. */
START_TEST(fully_connected_waits_for_weights)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_FC, 1, 1280, 1000, 1, 1);
    nw_device_cost cost = cost_of(hw, &s);
    ck_assert_int_eq(cost.array_cycles, 40 * 32 * 16);
    ck_assert_int_eq(cost.bound, NW_BOUND_WEIGHTS);
    ck_assert_int_eq(cost.weight_bytes, 1280 * 1000 + 4 * 1000);
    /* 1,284,000 bytes at 4 a cycle, in bursts of 64, 100 cycles of latency */
    ck_assert_int_eq(cost.cycles[NW_BOUND_DRAM], 1284032 / 4 + 100);
    ck_assert_int_eq(cost.total_cycles, 1284032 / 4 + 100 + 500);
    nw_hw_free(hw);
}
END_TEST

/* 4x4 taps at stride 2 make 2x2 phases of 2x2 taps: on ne32 4 taps of 32 channels by 4 * 32
 * output channels, a pixel of the input each. */
START_TEST(transposed_convolution_runs_by_sub_pixels)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_CONV_TRANSPOSE, 14, 32, 32, 4, 1);
    s.parts[0].out_h = s.parts[0].out_w = 28;
    s.parts[0].stride_h = s.parts[0].stride_w = 2;
    nw_device_cost cost = cost_of(hw, &s);
    ck_assert_int_eq(cost.macs, 196 * 16 * 32 * 32);
    ck_assert_int_eq(cost.array_cycles, 196 * 4 * 4);
    nw_hw_free(hw);
}
END_TEST

/* A batch of matrix products is one product after another. */
START_TEST(matmul_batches_add_up)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s;
    memset(&s, 0, sizeof s);
    s.parts[0] = (nw_kernel_part){.kind = NW_KERNEL_MATMUL,
                                  .in_h = 1,
                                  .in_w = 64,
                                  .in_c = 32,
                                  .out_h = 1,
                                  .out_w = 64,
                                  .out_c = 96,
                                  .groups = 1};
    s.n_parts = 1;
    s.bits = s.weight_bits = 8;
    s.slow_op = -1;
    s.n_maps = 2;
    ck_assert_int_eq(cost_of(hw, &s).array_cycles, 64 * 3);
    ck_assert_int_eq(cost_of(hw, &s).macs, 64 * 32 * 96);
    s.parts[0].in_h = s.parts[0].out_h = 4;
    ck_assert_int_eq(cost_of(hw, &s).array_cycles, 4 * 64 * 3);
    nw_hw_free(hw);
}
END_TEST

/* What is said is what rules: a depthwise convolution whose maps cross the bus waits for DRAM,
 * however little of the array it uses. */
START_TEST(the_sentence_agrees_with_the_bound)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_DWCONV, 80, 144, 144, 3, 1);
    s.in_place = s.out_place = NW_PLACE_DRAM;
    nw_device_cost cost = cost_of(hw, &s);
    ck_assert_int_eq(cost.bound, NW_BOUND_DRAM);
    /* 2 maps of 80 * 80 * 160: the channels padded to a multiple of 32 */
    ck_assert_str_eq(cost.why, "waits for DRAM: 2.0 MiB at 4 B/cycle");
    s = square(NW_KERNEL_CONV, 56, 64, 64, 7, 1);
    ck_assert_str_eq(cost_of(hw, &s).why, "array 100 % busy");
    nw_hw_free(hw);
}
END_TEST

/* Padded to 32 channels (ne32), 32 elements a cycle: 784 * 2 cycles for 40 channels. */
START_TEST(elementwise_counts_padded_elements)
{
    nw_hw *hw = load("ne32");
    ck_assert_int_eq(compute_of(hw, square(NW_KERNEL_ADD, 28, 40, 40, 1, 1)), 784 * 2);
    nw_kernel_shape view = square(NW_KERNEL_VIEW, 28, 40, 40, 1, 1);
    nw_device_cost cost = cost_of(hw, &view);
    ck_assert(cost.is_known && cost.total_cycles == 0 && cost.energy_fj == 0);
    nw_kernel_shape opaque = square(NW_KERNEL_OPAQUE, 28, 40, 40, 1, 1);
    cost = cost_of(hw, &opaque);
    ck_assert(!cost.is_known && cost.total_cycles == 0);
    nw_hw_free(hw);
}
END_TEST

/* 1e6 elements at 1e9/s, 4e6 bytes at 4e9/s, a switch of 20 us: 1 + 1 + 0.02 ms. */
START_TEST(the_host_takes_elements_bytes_and_a_switch)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_HOST, 1, 1, 1, 1, 1);
    s.host_elements = 1000000;
    s.host_bytes = 4000000;
    nw_device_cost cost = cost_of(hw, &s);
    ck_assert_int_eq(cost.latency_ps, 2020000000LL);
    ck_assert_int_eq(cost.bound, NW_BOUND_HOST);
    nw_hw_free(hw);
}
END_TEST

START_TEST(slow_operators_go_at_their_own_rate)
{
    nw_hw *hw = load("ne32");
    hw->ops[NW_OP_RESIZE] = (nw_hw_op){.support = NW_OP_SLOW, .rate = 0.5};
    nw_kernel_shape s = square(NW_KERNEL_RESIZE, 14, 32, 32, 1, 1);
    s.slow_op = NW_OP_RESIZE;
    ck_assert_int_eq(compute_of(hw, s), 196 * 32 * 2);
    nw_hw_free(hw);
}
END_TEST

/* ---- memory ---- */

/* 3x3x256x512 weights (1.1 MiB) do not stay in the 1 MiB of ne32. With the maps in SRAM they pass
 * once, in slices; with no room for slices, once for each of the tiles. */
START_TEST(weights_pass_once_or_once_a_tile)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_CONV, 28, 256, 512, 3, 1);
    int64_t weights = 9 * 256 * 512 + 4 * 512;
    nw_device_cost cost = cost_of(hw, &s);
    ck_assert_int_eq(cost.dram_bytes, weights);
    hw->sram.bytes = 784 * (256 + 512) + 1000; /* the two maps and next to nothing */
    cost = cost_of(hw, &s);
    int64_t rows = (28 + cost.tile.h - 1) / cost.tile.h;
    int64_t columns = (28 + cost.tile.w - 1) / cost.tile.w;
    ck_assert_int_gt(rows * columns, 1);
    ck_assert_int_eq(cost.dram_bytes, rows * columns * weights);
    ck_assert_int_eq(cost.bound, NW_BOUND_WEIGHTS);
    char expected[64];
    snprintf(expected, sizeof expected, "weights are re-read %d times: 1.1 MiB do not stay on chip",
             (int)(rows * columns));
    ck_assert_str_eq(cost.why, expected);
    nw_hw_free(hw);
}
END_TEST

START_TEST(maps_in_dram_cross_its_bus)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_ADD, 56, 32, 32, 1, 1);
    ck_assert_int_eq(cost_of(hw, &s).dram_bytes, 0);
    s.in_place = s.residual_place = s.out_place = NW_PLACE_DRAM;
    nw_device_cost cost = cost_of(hw, &s);
    ck_assert_int_eq(cost.dram_bytes, 3 * 56 * 56 * 32);
    /* at 4 bytes a cycle, 100 cycles of latency each way */
    ck_assert_int_eq(cost.cycles[NW_BOUND_DRAM], 3 * 56 * 56 * 32 / 4 + 200);
    ck_assert_int_eq(cost.bound, NW_BOUND_DRAM);
    ck_assert_str_eq(cost.why, "waits for DRAM: 294 KiB at 4 B/cycle");
    nw_hw_free(hw);
}
END_TEST

/* Without overlap, transfers and computing add up. */
START_TEST(without_overlap_times_add_up)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_CONV, 28, 64, 64, 3, 1);
    nw_device_cost with = cost_of(hw, &s);
    int64_t largest = with.cycles[NW_BOUND_COMPUTE];
    for (int i = 0; i < NW_BOUND_OVERHEAD; i++)
        largest = with.cycles[i] > largest ? with.cycles[i] : largest;
    ck_assert_int_eq(with.total_cycles, largest + 500);
    hw->overlap_compute_dma = false;
    nw_device_cost without = cost_of(hw, &s);
    ck_assert_int_eq(without.total_cycles, with.cycles[NW_BOUND_COMPUTE] +
                                               with.cycles[NW_BOUND_SRAM] +
                                               with.cycles[NW_BOUND_DRAM] + 500);
    nw_hw_free(hw);
}
END_TEST

/* Pinned weights never cross the bus; 2 of 4 zero halves them. */
START_TEST(pinned_and_sparse_weights_move_less)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_CONV, 14, 64, 64, 3, 1);
    s.bias_elements = 0;
    nw_device_cost dense = cost_of(hw, &s);
    ck_assert_int_eq(dense.dram_bytes, 36864);
    hw->weights.sparsity_n = 2;
    hw->weights.sparsity_m = 4;
    hw->weights.sparsity_speedup = 2;
    nw_device_cost sparse = cost_of(hw, &s);
    ck_assert_int_eq(sparse.weight_bytes, 18432);
    ck_assert_int_eq(2 * sparse.array_cycles, dense.array_cycles);
    hw->weights.pinned = true;
    hw->weights.pinned_bytes = 20000;
    ck_assert_int_eq(cost_of(hw, &s).dram_bytes, 0);
    nw_hw_free(hw);
}
END_TEST

/* Figures of the literature in ne32: 40 fJ a MAC, 1,600 and 1,500 an SRAM byte. */
START_TEST(energy_is_the_sum_of_its_parts)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_ADD, 28, 32, 32, 1, 1);
    ck_assert_int_eq(cost_of(hw, &s).energy_fj, 784 * 32 * (2 * 1600 + 1500));
    hw->energy.static_w = 0.5;
    nw_device_cost cost = cost_of(hw, &s);
    ck_assert_int_eq(cost.energy_fj, 784 * 32 * (2 * 1600 + 1500) + cost.latency_ps * 500);
    nw_hw_free(hw);
}
END_TEST

/* ---- joined kernels ---- */

START_TEST(joined_parts_add_their_computing_and_save_the_map_between)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape dw = square(NW_KERNEL_DWCONV, 14, 64, 64, 3, 1);
    nw_kernel_shape pw = square(NW_KERNEL_CONV, 14, 64, 96, 1, 1), both = dw;
    both.parts[1] = pw.parts[0];
    both.n_parts = 2;
    both.weight_elements += pw.weight_elements;
    both.bias_elements += pw.bias_elements;
    nw_device_cost a = cost_of(hw, &dw), b = cost_of(hw, &pw), c = cost_of(hw, &both);
    ck_assert_int_eq(c.cycles[NW_BOUND_COMPUTE],
                     a.cycles[NW_BOUND_COMPUTE] + b.cycles[NW_BOUND_COMPUTE]);
    ck_assert_int_eq(c.macs, a.macs + b.macs);
    ck_assert_int_lt(c.sram_bytes, a.sram_bytes + b.sram_bytes);
    ck_assert_int_lt(c.total_cycles, a.total_cycles + b.total_cycles);
    nw_hw_free(hw);
}
END_TEST

START_TEST(a_joined_add_reads_one_map_more_and_a_table_slows_the_output)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_CONV, 14, 64, 64, 1, 1);
    nw_device_cost alone = cost_of(hw, &s);
    s.residual = 1;
    nw_device_cost with = cost_of(hw, &s);
    ck_assert_int_eq(with.cycles[NW_BOUND_COMPUTE], alone.cycles[NW_BOUND_COMPUTE]);
    ck_assert_int_eq(with.sram_bytes, alone.sram_bytes + 196 * 64);
    s.residual = 0;
    s.act = NW_KERNEL_ACT_CLAMP;
    ck_assert_int_eq(cost_of(hw, &s).total_cycles, alone.total_cycles);
    s.act = NW_KERNEL_ACT_LUT;
    hw->lut_elements_per_cycle = 4;
    ck_assert_int_eq(cost_of(hw, &s).output_cycles, 196 * 64 / 4);
    nw_hw_free(hw);
}
END_TEST

/* ---- whatever the figures ---- */

static const int sizes[][4] = {{7, 64, 64, 3},  {14, 96, 576, 1}, {28, 33, 65, 3}, {56, 24, 24, 5},
                               {112, 3, 32, 3}, {1, 512, 512, 1}, {13, 17, 19, 7}, {20, 256, 8, 1}};

#define N_SIZES (int)(sizeof sizes / sizeof *sizes)

START_TEST(a_faster_machine_is_never_slower)
{
    nw_hw *hw = load(presets[_i]);
    for (int i = 0; i < N_SIZES; i++)
        for (int kind = 0; kind < 2; kind++) {
            nw_kernel_shape s =
                square(kind ? NW_KERNEL_DWCONV : NW_KERNEL_CONV, sizes[i][0], sizes[i][1],
                       kind ? sizes[i][1] : sizes[i][2], sizes[i][3], 1);
            s.in_place = s.out_place = i % 2 ? NW_PLACE_DRAM : NW_PLACE_SRAM;
            nw_device_cost base = cost_of(hw, &s);
            nw_hw better = *hw;
            better.dram.bytes_per_cycle *= 2;
            ck_assert_int_le(cost_of(&better, &s).total_cycles, base.total_cycles);
            better = *hw;
            better.sram.read_bytes_per_cycle *= 2;
            better.sram.write_bytes_per_cycle *= 2;
            ck_assert_int_le(cost_of(&better, &s).total_cycles, base.total_cycles);
            better = *hw;
            better.out_elements_per_cycle *= 2;
            better.array.weight_rate *= 2;
            ck_assert_int_le(cost_of(&better, &s).total_cycles, base.total_cycles);
        }
    nw_hw_free(hw);
}
END_TEST

START_TEST(no_kernel_beats_the_peak)
{
    nw_hw *hw = load(presets[_i]);
    for (int i = 0; i < N_SIZES; i++) {
        nw_kernel_shape s =
            square(NW_KERNEL_CONV, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], 1);
        nw_device_cost cost = cost_of(hw, &s);
        ck_assert(cost.is_known);
        ck_assert_double_gt(cost.utilisation, 0);
        ck_assert_double_le(cost.utilisation, 1);
        ck_assert_int_ge(cost.total_cycles, cost.cycles[cost.bound]);
        for (int b = 0; b < NW_BOUND_COUNT; b++)
            ck_assert_int_le(cost.cycles[b], cost.cycles[cost.bound]);
        ck_assert_int_gt((int)strlen(cost.why), 0);
    }
    nw_hw_free(hw);
}
END_TEST

START_TEST(absurd_shapes_stay_finite)
{
    static const int64_t extremes[] = {1, 0, -1, (int64_t)1 << 31, INT64_MAX, 65537};
    nw_hw *hw = load(presets[_i]);
    for (int kind = 0; kind < NW_KERNEL_COUNT; kind++)
        for (size_t a = 0; a < sizeof extremes / sizeof *extremes; a++)
            for (size_t b = 0; b < sizeof extremes / sizeof *extremes; b++) {
                nw_kernel_shape s = square((nw_kernel_kind)kind, 1, 1, 1, 1, 1);
                nw_kernel_part *p = &s.parts[0];
                p->in_h = p->out_h = p->in_c = extremes[a];
                p->in_w = p->out_w = p->out_c = extremes[b];
                p->kernel_h = (int32_t)(a % 2 ? INT32_MAX : 3);
                p->kernel_w = (int32_t)(b % 2 ? INT32_MAX : 1);
                p->dilation_h = b % 3 ? 1 : INT32_MAX;
                p->stride_h = a % 2 ? 2 : INT32_MAX;
                p->stride_w = b % 2 ? INT32_MAX : 0;
                p->groups = a % 3 ? 1 : INT32_MAX;
                s.weight_elements = s.bias_elements = s.host_elements = extremes[a];
                s.host_bytes = extremes[b];
                s.residual = 1;
                s.in_place = b % 2 ? NW_PLACE_DRAM : NW_PLACE_SRAM;
                nw_device_cost cost = cost_of(hw, &s);
                ck_assert_int_ge(cost.total_cycles, 0);
                ck_assert_int_le(cost.latency_ps, (int64_t)1 << 59);
                ck_assert_int_ge(cost.latency_ps, 0);
                ck_assert_int_ge(cost.energy_fj, 0);
                ck_assert(isfinite(cost.utilisation));
            }
    nw_hw_free(hw);
}
END_TEST

/* Two cores with a slice each take half the array time of one. */
START_TEST(cores_share_channels_or_rows)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_CONV, 28, 64, 64, 3, 1);
    nw_device_cost one = cost_of(hw, &s);
    hw->cores = 2;
    hw->sync_cycles = 100;
    nw_device_cost channels = cost_of(hw, &s);
    ck_assert_int_eq(2 * channels.array_cycles, one.array_cycles);
    ck_assert_int_eq(channels.cycles[NW_BOUND_OVERHEAD], 600);
    hw->core_split = NW_SPLIT_ROWS;
    ck_assert_int_eq(2 * cost_of(hw, &s).array_cycles, one.array_cycles);
    nw_hw_free(hw);
}
END_TEST

/* 80 channels fill ten rows of 8 lanes, but are cut into tiles of 48, the last of which takes as
 * long with 32 as with 48 (Vela counts whole blocks). */
START_TEST(no_sentence_says_that_none_is_idle)
{
    nw_hw *hw = load("u55-256");
    nw_kernel_shape s = square(NW_KERNEL_CONV, 20, 184, 80, 1, 1);
    nw_device_cost cost = cost_of(hw, &s);
    ck_assert_int_eq(cost.tile.c, 48);
    ck_assert_str_eq(cost.why, "the last of 2 tiles of 48 output channels holds 32: c80");
    nw_hw_free(hw);
}
END_TEST

/* What a depthwise convolution leaves idle: of 32 rows, three windows of 9 taps fit, so three
 * columns work; of 16, one. Where outputs stay there is one column; where inputs stay, the columns
 * hold pixels, and filling for a stream of one filter (1 of 1 + 2 * 16 + 16 - 2 = 47 cycles) is the
 * cost. A dot array that takes 4 taps at a time uses 4 rows, if a chunk is one visit. */
START_TEST(the_depthwise_sentence_counts_what_works)
{
    static const struct {
        const char *hw, *why;
        int taps;
    } rows[] = {
        {"systolic32-ws", "depthwise: 3 of 32 columns work", 1},
        {"systolic16-ws", "depthwise: 1 of 16 columns works", 1},
        {"systolic16-os", "depthwise: 1 of 16 columns works", 1},
        {"systolic16-is", "filling and draining a 16x16 array: 2 % of the cycles stream", 1},
        {"ne32", "depthwise: 1 of 32 rows works", 1},
        {"ne32", "depthwise: 4 of 32 rows work", 4},
        {"u55-256", "depthwise: 1 of 8 rows works", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_hw *hw = load(rows[i].hw);
        hw->depthwise.taps_per_cycle = rows[i].taps;
        nw_kernel_shape s = square(NW_KERNEL_DWCONV, 56, 96, 96, 3, 1);
        ck_assert_str_eq(cost_of(hw, &s).why, rows[i].why);
        nw_hw_free(hw);
    }
}
END_TEST

/* The peak is that of the types and the sparsity that the kernel runs with: 56 x 56 x 64 x 64 x 7 x
 * 7 keep a 32 x 32 array full (above) at any rate. */
START_TEST(a_full_array_is_full_at_any_rate)
{
    nw_hw *hw = load("ne32");
    nw_kernel_shape s = square(NW_KERNEL_CONV, 56, 64, 64, 7, 1);
    double dense = cost_of(hw, &s).utilisation;
    ck_assert_double_gt(dense, 0.95);
    hw->weights.sparsity_n = 2;
    hw->weights.sparsity_m = 4;
    hw->weights.sparsity_speedup = 2;
    nw_device_cost cost = cost_of(hw, &s);
    ck_assert_double_le(cost.utilisation, 1);
    ck_assert_double_eq_tol(cost.utilisation, dense, 0.02);
    hw->weights.sparsity_n = 0;
    s.bits = s.weight_bits = 16; /* at half the rate, with room for twice the bytes */
    hw->sram.bytes *= 2;
    cost = cost_of(hw, &s);
    ck_assert_double_eq_tol(cost.utilisation, dense, 0.02);
    ck_assert_str_eq(cost.why, "array 100 % busy");
    nw_hw_free(hw);
}
END_TEST

/* A pool of 2x2 to 7 x 7 x 64 on 4 arrays of 16 columns: 16 channels each where the channels are
 * shared, 2 of the 7 rows at most where the rows are; 4 taps a pixel, one at a time. */
START_TEST(cores_of_systolic_arrays_share_pools_too)
{
    nw_hw *hw = load("systolic16-ws");
    nw_kernel_shape s = square(NW_KERNEL_POOL, 14, 64, 64, 2, 2);
    ck_assert_int_eq(cost_of(hw, &s).array_cycles, 4 * 7 * 7 * 4);
    hw->cores = 4;
    ck_assert_int_eq(cost_of(hw, &s).array_cycles, 4 * 7 * 7);
    hw->core_split = NW_SPLIT_ROWS; /* two rows of seven */
    ck_assert_int_eq(cost_of(hw, &s).array_cycles, 4 * 2 * 7 * 4);
    nw_hw_free(hw);
}
END_TEST

START_TEST(names_read_back)
{
    char name[64];
    nw_kernel_shape s = square(NW_KERNEL_CONV, 28, 64, 64, 3, 1);
    s.act = NW_KERNEL_ACT_CLAMP;
    ck_assert_str_eq(nw_kernel_shape_name(&s, name, sizeof name), "conv+act");
    s.residual = 1;
    ck_assert_str_eq(nw_kernel_shape_name(&s, name, sizeof name), "conv+act+add");
    s = square(NW_KERNEL_DWCONV, 28, 64, 64, 3, 1);
    ck_assert_str_eq(nw_kernel_shape_name(&s, name, sizeof name), "dwconv");
    for (int i = 0; i < NW_KERNEL_COUNT; i++)
        ck_assert_int_eq(nw_kernel_kind_find(nw_kernel_kind_name((nw_kernel_kind)i)), i);
    ck_assert_int_eq(nw_kernel_kind_find("convolution"), NW_KERNEL_COUNT);
}
END_TEST

static Suite *device_suite(void)
{
    Suite *suite = suite_create("device");
    TCase *tc = tcase_create("referees");
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, systolic_cycles_equal_scale_sim);
    tcase_add_test(tc, systolic_depthwise_follows_its_convention);
    tcase_add_test(tc, systolic_networks_equal_scale_sim);
    tcase_add_test(tc, systolic_cycles_equal_every_calc_row);
    tcase_add_test(tc, hidden_fills_leave_the_stream);
    tcase_add_test(tc, own_tiles_are_near_velas_golden_cycles);
    tcase_add_test(tc, tiles_are_velas);
    tcase_add_loop_test(tc, vela_rows_are_met, 0, 2);

    tc = tcase_create("by hand");
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, pointwise_on_ne32_is_the_hand_count);
    tcase_add_test(tc, a_channel_over_the_width_costs_a_step);
    tcase_add_test(tc, depthwise_uses_one_row_of_the_array);
    tcase_add_test(tc, small_groups_share_the_array);
    tcase_add_test(tc, taps_share_visits_where_channels_are_few);
    tcase_add_test(tc, fully_connected_waits_for_weights);
    tcase_add_test(tc, transposed_convolution_runs_by_sub_pixels);
    tcase_add_test(tc, matmul_batches_add_up);
    tcase_add_test(tc, the_sentence_agrees_with_the_bound);
    tcase_add_test(tc, elementwise_counts_padded_elements);
    tcase_add_test(tc, the_host_takes_elements_bytes_and_a_switch);
    tcase_add_test(tc, slow_operators_go_at_their_own_rate);
    tcase_add_test(tc, weights_pass_once_or_once_a_tile);
    tcase_add_test(tc, maps_in_dram_cross_its_bus);
    tcase_add_test(tc, without_overlap_times_add_up);
    tcase_add_test(tc, pinned_and_sparse_weights_move_less);
    tcase_add_test(tc, energy_is_the_sum_of_its_parts);
    tcase_add_test(tc, joined_parts_add_their_computing_and_save_the_map_between);
    tcase_add_test(tc, a_joined_add_reads_one_map_more_and_a_table_slows_the_output);
    tcase_add_test(tc, cores_share_channels_or_rows);
    tcase_add_test(tc, no_sentence_says_that_none_is_idle);
    tcase_add_test(tc, the_depthwise_sentence_counts_what_works);
    tcase_add_test(tc, a_full_array_is_full_at_any_rate);
    tcase_add_test(tc, cores_of_systolic_arrays_share_pools_too);
    tcase_add_test(tc, names_read_back);

    tc = tcase_create("whatever the figures");
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    tcase_add_loop_test(tc, a_faster_machine_is_never_slower, 0, N_PRESETS);
    tcase_add_loop_test(tc, no_kernel_beats_the_peak, 0, N_PRESETS);
    tcase_add_loop_test(tc, absurd_shapes_stay_finite, 0, N_PRESETS);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(device_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
