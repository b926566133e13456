/* Kernels run on this CPU: what they compute, what is refused, how they are timed. Values are
 * worked out by hand; where every input and weight is one, a convolution counts the taps that fall
 * on the map. */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/exec/internal.h"
#include "tests/support.h"
#include "tests/support_split.h"

/* Square maps and windows; act and residual are set by the test. */
static nw_kernel_shape shape_of(nw_kernel_kind kind, int in, int in_c, int out, int out_c,
                                int kernel, int stride, int groups)
{
    nw_kernel_shape s;
    memset(&s, 0, sizeof s);
    s.n_parts = s.n_maps = s.is_float = 1;
    s.bits = s.weight_bits = 32;
    s.slow_op = -1;
    s.parts[0] = (nw_kernel_part){.kind = kind,
                                  .in_h = in,
                                  .in_w = in,
                                  .in_c = in_c,
                                  .out_h = out,
                                  .out_w = out,
                                  .out_c = out_c,
                                  .kernel_h = kernel,
                                  .kernel_w = kernel,
                                  .stride_h = stride,
                                  .stride_w = stride,
                                  .dilation_h = 1,
                                  .dilation_w = 1,
                                  .groups = groups};
    return s;
}

static nw_kernel_shape as_int8(nw_kernel_shape s)
{
    s.is_float = 0;
    s.bits = s.weight_bits = 8;
    return s;
}

static void fill(float *to, int n, float value)
{
    for (int i = 0; i < n; i++)
        to[i] = value;
}

static void run(const nw_kernel_shape *shape, const nw_exec_data *data)
{
    nw_error err;
    if (nw_exec_run(shape, data, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
}

static void expect(const float *got, const float *wanted, int n)
{
    for (int i = 0; i < n; i++)
        ck_assert_msg(fabsf(got[i] - wanted[i]) <= 1e-5f * (1 + fabsf(wanted[i])),
                      "[%d] is %g instead of %g", i, (double)got[i], (double)wanted[i]);
}

static void expect_refusal(const nw_kernel_shape *shape, const char *why)
{
    static uint8_t memory[1 << 16];
    nw_error err;
    nw_exec_data data = {.in = memory, .second = memory, .out = memory};
    ck_assert_int_eq(nw_exec_run(shape, &data, &err), NW_UNSUPPORTED);
    ck_assert_msg(strstr(err.message, why) != NULL, "\"%s\" lacks \"%s\"", err.message, why);
}

/* ---- values ---- */

/* 3 x 3 ones on 4 x 4 ones with a pixel of padding: 4 taps in the corners, 6 on the edges, 9
 * inside, times 16 channels. */
START_TEST(a_convolution_counts_its_taps)
{
    static float in[4 * 4 * 16], weights[16 * 16 * 9], bias[16], out[4 * 4 * 16];
    static const int taps[16] = {4, 6, 6, 4, 6, 9, 9, 6, 6, 9, 9, 6, 4, 6, 6, 4};
    nw_kernel_shape s = shape_of(NW_KERNEL_CONV, 4, 16, 4, 16, 3, 1, 1);
    fill(in, 4 * 4 * 16, 1);
    fill(weights, 16 * 16 * 9, 1);
    for (int c = 0; c < 16; c++)
        bias[c] = (float)c;
    run(&s, &(nw_exec_data){.in = in, .weights = {weights}, .bias = {bias}, .out = out});
    for (int i = 0; i < 16; i++)
        for (int c = 0; c < 16; c++)
            ck_assert_float_eq(out[i * 16 + c], (float)(16 * taps[i] + c));
}
END_TEST

/* One weight in a corner of the window picks a neighbour: it shows the order of rows and columns,
 * and that of an odd padding the larger half stands behind (3 x 3 at stride 2 on 4 x 4: none in
 * front, one behind). */
START_TEST(windows_lie_where_they_should)
{
    static float in[4 * 4], weights[8 * 9], out[2 * 2 * 8];
    nw_kernel_shape s = shape_of(NW_KERNEL_CONV, 4, 1, 2, 8, 3, 2, 1);
    for (int i = 0; i < 16; i++)
        in[i] = (float)(i + 1);
    weights[0 * 9 + 0] = 1; /* channel 0: row 0, column 0 */
    weights[1 * 9 + 2] = 1; /* channel 1: row 0, column 2 */
    weights[2 * 9 + 6] = 1; /* channel 2: row 2, column 0 */
    run(&s, &(nw_exec_data){.in = in, .weights = {weights}, .out = out});
    static const float wanted[4][3] = {{1, 3, 9}, {3, 0, 11}, {9, 11, 0}, {11, 0, 0}};
    for (int i = 0; i < 4; i++)
        expect(&out[i * 8], wanted[i], 3);
}
END_TEST

/* Channel c of a depthwise convolution with weights of c + 1 sees itself only. */
START_TEST(depthwise_channels_do_not_mix)
{
    static float in[3 * 3 * 16], weights[16 * 9], out[3 * 3 * 16];
    nw_kernel_shape s = shape_of(NW_KERNEL_DWCONV, 3, 16, 3, 16, 3, 1, 16);
    fill(in, 3 * 3 * 16, 1);
    for (int c = 0; c < 16; c++)
        fill(&weights[c * 9], 9, (float)(c + 1));
    run(&s, &(nw_exec_data){.in = in, .weights = {weights}, .out = out});
    for (int c = 0; c < 16; c++) {
        ck_assert_float_eq(out[c], (float)(4 * (c + 1)));
        ck_assert_float_eq(out[4 * 16 + c], (float)(9 * (c + 1)));
    }
}
END_TEST

/* Two groups of 16: each output sums the 16 channels of its own group, 1 or 10 each. */
START_TEST(groups_see_their_own_channels)
{
    static float in[32], weights[32 * 16], out[32];
    nw_kernel_shape s = shape_of(NW_KERNEL_CONV, 1, 32, 1, 32, 1, 1, 2);
    for (int c = 0; c < 32; c++)
        in[c] = c < 16 ? 1 : 10;
    fill(weights, 32 * 16, 1);
    run(&s, &(nw_exec_data){.in = in, .weights = {weights}, .out = out});
    for (int c = 0; c < 32; c++)
        ck_assert_float_eq(out[c], c < 16 ? 16 : 160);
}
END_TEST

/* Taps two apart on 5 x 5 with two pixels of padding: 4, 6 and 9 taps as without dilation. */
START_TEST(dilation_spreads_the_taps)
{
    static float in[5 * 5 * 16], weights[16 * 16 * 9], out[5 * 5 * 16];
    nw_kernel_shape s = shape_of(NW_KERNEL_CONV, 5, 16, 5, 16, 3, 1, 1);
    s.parts[0].dilation_h = s.parts[0].dilation_w = 2;
    fill(in, 5 * 5 * 16, 1);
    fill(weights, 16 * 16 * 9, 1);
    run(&s, &(nw_exec_data){.in = in, .weights = {weights}, .out = out});
    ck_assert_float_eq(out[0], 16 * 4);
    ck_assert_float_eq(out[2 * 16], 16 * 6);
    ck_assert_float_eq(out[(2 * 5 + 2) * 16], 16 * 9);
}
END_TEST

/* Each input pixel at stride 2 becomes a 2 x 2 block. */
START_TEST(a_transposed_convolution_spreads_pixels)
{
    static float in[2 * 2 * 16], weights[16 * 16 * 4], out[4 * 4 * 16];
    nw_kernel_shape s = shape_of(NW_KERNEL_CONV_TRANSPOSE, 2, 16, 4, 16, 2, 2, 1);
    for (int i = 0; i < 4; i++)
        fill(&in[i * 16], 16, (float)(i + 1));
    fill(weights, 16 * 16 * 4, 1);
    run(&s, &(nw_exec_data){.in = in, .weights = {weights}, .out = out});
    static const float wanted[16] = {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4};
    for (int i = 0; i < 16; i++)
        ck_assert_float_eq(out[i * 16 + 5], 16 * wanted[i]);
}
END_TEST

START_TEST(a_fully_connected_kernel_is_a_product_of_rows)
{
    const float in[2 * 3] = {1, 2, 3, 4, 5, 6}, weights[2 * 3] = {1, 0, -1, 2, 2, 2};
    const float bias[2] = {10, 0}, wanted[4] = {8, 12, 8, 30};
    float out[4];
    nw_kernel_shape s = shape_of(NW_KERNEL_FC, 1, 3, 1, 2, 1, 1, 1);
    s.parts[0].in_w = s.parts[0].out_w = 2;
    run(&s, &(nw_exec_data){.in = in, .weights = {weights}, .bias = {bias}, .out = out});
    expect(out, wanted, 4);
}
END_TEST

START_TEST(a_matrix_product_has_a_matrix_for_each_of_a_batch)
{
    const float in[2 * 2] = {1, 2, 3, 4}, second[2 * 2 * 2] = {1, 0, 0, 1, 0, 1, 1, 0};
    const float wanted[4] = {1, 2, 4, 3};
    float out[4];
    nw_kernel_shape s = shape_of(NW_KERNEL_MATMUL, 1, 2, 1, 2, 1, 1, 1);
    s.parts[0].in_h = s.parts[0].out_h = 2;
    run(&s, &(nw_exec_data){.in = in, .second = second, .out = out});
    expect(out, wanted, 4);
}
END_TEST

/* Sums of -2, 1, 3 and 8: clamped to 0, 1, 3, 6; hard-swish is x * (x + 3) / 6 between -3 and 3. */
START_TEST(activations_are_joined)
{
    const float in[4] = {-2, 1, 3, 8}, clamped[4] = {0, 1, 3, 6};
    const float swished[4] = {-2 * 1 / 6.f, 1 * 4 / 6.f, 3, 8};
    float weights[16] = {0}, out[4];
    for (int i = 0; i < 4; i++)
        weights[i * 4 + i] = 1;
    nw_kernel_shape s = shape_of(NW_KERNEL_CONV, 1, 4, 1, 4, 1, 1, 1);
    nw_exec_data data = {.in = in, .weights = {weights}, .out = out};
    s.act = NW_KERNEL_ACT_CLAMP;
    run(&s, &data);
    expect(out, clamped, 4);
    s.act = NW_KERNEL_ACT_LUT;
    run(&s, &data);
    expect(out, swished, 4);
    s = shape_of(NW_KERNEL_ACT, 1, 4, 1, 4, 1, 1, 1);
    s.act = NW_KERNEL_ACT_LUT;
    run(&s, &data);
    expect(out, swished, 4);
}
END_TEST

/* The residual is added first, wherever it stands, then comes the clamp. */
START_TEST(residuals_are_added_before_the_activation)
{
    const float in[4] = {-2, 1, 3, 5}, other[4] = {1, 1, -4, 5}, wanted[4] = {0, 2, 0, 6};
    float weights[16] = {0}, out[4], place[4];
    for (int i = 0; i < 4; i++)
        weights[i * 4 + i] = 1;
    nw_kernel_shape s = shape_of(NW_KERNEL_CONV, 1, 4, 1, 4, 1, 1, 1);
    s.residual = 1;
    s.act = NW_KERNEL_ACT_CLAMP;
    run(&s, &(nw_exec_data){.in = in, .second = other, .weights = {weights}, .out = out});
    expect(out, wanted, 4);
    memcpy(place, other, sizeof place);
    run(&s, &(nw_exec_data){.in = in, .second = place, .weights = {weights}, .out = place});
    expect(place, wanted, 4);
}
END_TEST

/* Depthwise 3 x 3 counts 4, 6, 9 taps; a clamp makes that 4, 6, 6; 16 channels are summed. */
START_TEST(two_parts_run_one_behind_the_other)
{
    static float in[3 * 3 * 16], taps[16 * 9], ones[8 * 16], second[3 * 3 * 8], out[3 * 3 * 8];
    nw_kernel_shape s = shape_of(NW_KERNEL_DWCONV, 3, 16, 3, 16, 3, 1, 16);
    s.parts[1] = shape_of(NW_KERNEL_CONV, 3, 16, 3, 8, 1, 1, 1).parts[0];
    s.n_parts = 2;
    s.act = NW_KERNEL_ACT_CLAMP;
    s.residual = 1;
    fill(in, 3 * 3 * 16, 1);
    fill(taps, 16 * 9, 1);
    fill(ones, 8 * 16, 1);
    fill(second, 3 * 3 * 8, -100);
    run(&s, &(nw_exec_data){
                .in = in, .second = second, .weights = {taps, ones}, .scale = {1, 1}, .out = out});
    ck_assert_float_eq(out[0], 4 * 16 - 100);
    ck_assert_float_eq(out[1 * 8], 6 * 16 - 100);
    ck_assert_float_eq(out[4 * 8], 6 * 16 - 100);
}
END_TEST

START_TEST(maps_are_added_and_multiplied)
{
    const float a[4] = {1, 2, 3, 4}, b[4] = {10, 20, -30, 40};
    const float sums[4] = {6, 6, 0, 6}, products[4] = {10, 40, 30, 80};
    float out[4];
    nw_kernel_shape s = shape_of(NW_KERNEL_ADD, 2, 1, 2, 1, 1, 1, 1);
    s.n_maps = 2;
    s.act = NW_KERNEL_ACT_CLAMP;
    run(&s, &(nw_exec_data){.in = a, .second = b, .out = out});
    expect(out, sums, 4);
    s = shape_of(NW_KERNEL_MUL, 1, 2, 1, 2, 1, 1, 1); /* two pixels of two channels, a value each */
    s.parts[0].in_w = s.parts[0].out_w = 2;
    run(&s, &(nw_exec_data){.in = a, .second = b, .out = out});
    expect(out, products, 4);
}
END_TEST

/* 1 2 / 3 4 : the mean of all; of what the windows of 3 x 3 see, without the padding. */
START_TEST(pools_average_without_the_padding)
{
    const float in[4] = {1, 2, 3, 4}, wanted[4] = {2.5f, 2.5f, 2.5f, 2.5f};
    float out[4];
    nw_kernel_shape s = shape_of(NW_KERNEL_POOL, 2, 1, 1, 1, 2, 1, 1);
    run(&s, &(nw_exec_data){.in = in, .out = out});
    expect(out, wanted, 1);
    s = shape_of(NW_KERNEL_POOL, 2, 1, 2, 1, 3, 1, 1);
    run(&s, &(nw_exec_data){.in = in, .out = out});
    expect(out, wanted, 4);
}
END_TEST

START_TEST(the_other_kinds_compute_what_the_header_says)
{
    const float in[4] = {0, 4, 1, 3}, ones[4] = {1, 1, 1, 1}, quarter[4] = {.25f, .25f, .25f, .25f};
    const float wide[4] = {0, 1, 3, 4};
    float out[16];
    uint8_t bytes[4];
    nw_kernel_shape s = shape_of(NW_KERNEL_COPY, 2, 1, 2, 1, 1, 1, 1);
    run(&s, &(nw_exec_data){.in = in, .out = out});
    expect(out, in, 4);
    s = shape_of(NW_KERNEL_SOFTMAX, 1, 4, 1, 4, 1, 1, 1);
    run(&s, &(nw_exec_data){.in = ones, .out = out});
    expect(out, quarter, 4);
    /* 0 4 to four columns: halfway between the pixels' middles */
    s = shape_of(NW_KERNEL_RESIZE, 1, 1, 1, 1, 1, 1, 1);
    s.parts[0].in_w = 2;
    s.parts[0].out_w = 4;
    run(&s, &(nw_exec_data){.in = in, .out = out});
    expect(out, wide, 4);
    s = shape_of(NW_KERNEL_QUANTIZE, 2, 1, 2, 1, 1, 1, 1);
    run(&s, &(nw_exec_data){.in = in, .scale = {50}, .out = bytes});
    ck_assert_mem_eq(bytes, ((uint8_t[]){0, 200, 50, 150}), 4);
}
END_TEST

/* 16 x 2 x 3 + 4 = 100; 16 x 2 x -3 + 4 = -92; halves: 50 and 0, for bytes have no sign. A scale of
 * a tenth makes 100 ten; 2.5 is rounded to the even two, 3.5 to four; what is too large is 255. */
START_TEST(integers_are_scaled_rounded_and_cut)
{
    static uint8_t in[16], out[16];
    static int8_t weights[16 * 16];
    static int32_t bias[16];
    nw_kernel_shape s = as_int8(shape_of(NW_KERNEL_CONV, 1, 16, 1, 16, 1, 1, 1));
    memset(in, 2, sizeof in);
    memset(weights, 3, 16);
    memset(weights + 16, -3, 16);
    bias[0] = bias[1] = 4;
    bias[2] = 5;
    bias[3] = 7;
    bias[4] = 10000;
    run(&s, &(nw_exec_data){
                .in = in, .weights = {weights}, .bias = {bias}, .scale = {.5f}, .out = out});
    ck_assert_mem_eq(out, ((uint8_t[]){50, 0, 2, 4, 255}), 5);
    uint8_t other[16] = {100, 100, 0, 1, 0};
    s.residual = 1;
    run(&s, &(nw_exec_data){.in = in,
                            .second = other,
                            .weights = {weights},
                            .bias = {bias},
                            .scale = {.5f},
                            .out = out});
    ck_assert_mem_eq(out, ((uint8_t[]){150, 54, 2, 4, 255}), 5);
}
END_TEST

START_TEST(a_missing_second_map_is_an_error)
{
    float in[4] = {0}, out[4];
    nw_error err;
    nw_kernel_shape s = shape_of(NW_KERNEL_ADD, 2, 1, 2, 1, 1, 1, 1);
    ck_assert_int_eq(nw_exec_run(&s, &(nw_exec_data){.in = in, .out = out}, &err), NW_INVALID);
    ck_assert_str_eq(err.where, "add");
}
END_TEST

/* ---- refusals ---- */

START_TEST(what_does_not_run_is_refused)
{
    nw_kernel_shape s = shape_of(NW_KERNEL_REDUCE, 4, 4, 1, 4, 1, 1, 1);
    expect_refusal(&s, "does not say");
    s = shape_of(NW_KERNEL_CONV, 4, 16, 4, 16, 3, 1, 1);
    s.bits = s.weight_bits = 16;
    expect_refusal(&s, "float32 and int8");
    s = shape_of(NW_KERNEL_CONV, 4, 16, 4, 16, 3, 1, 3);
    expect_refusal(&s, "groups");
    s = shape_of(NW_KERNEL_CONV, 9, 16, 2, 16, 3, 2, 1);
    expect_refusal(&s, "no window sees");
    s = shape_of(NW_KERNEL_CONV, 5, 16, 5, 16, 3, 2, 1); /* 11 rows for 5 outputs: 3 in front */
    expect_refusal(&s, "nothing but padding");
    s = shape_of(NW_KERNEL_CONV, 5, 16, 5, 16, 2, 1, 1);
    s.parts[0].dilation_w = 6;
    expect_refusal(&s, "nothing but padding");
    s = shape_of(NW_KERNEL_CONV, 1, 1, 1, 1, 1, 1, 1);
    s.parts[1] = shape_of(NW_KERNEL_POOL, 2, 1, 1, 1, 2, 2, 1).parts[0];
    s.n_parts = 2;
    expect_refusal(&s, "the second part");
    s = shape_of(NW_KERNEL_MATMUL, 1, 16, 1, 16, 1, 1, 1);
    s.residual = 1;
    expect_refusal(&s, "not two");
    s = as_int8(shape_of(NW_KERNEL_ACT, 4, 16, 4, 16, 1, 1, 1));
    s.act = NW_KERNEL_ACT_LUT;
    expect_refusal(&s, "integers");
}
END_TEST

START_TEST(absurd_sizes_are_refused)
{
    static const int big[] = {40000, 1 << 20, INT32_MAX};
    for (int i = 0; i < 3; i++) {
        nw_kernel_shape s = shape_of(NW_KERNEL_CONV, 2, big[i], 2, big[i], 1, 1, 1);
        expect_refusal(&s, "512 MiB");
        s = shape_of(NW_KERNEL_CONV, big[i], big[i], big[i], big[i], big[i], big[i], 1);
        expect_refusal(&s, "512 MiB");
        s = shape_of(NW_KERNEL_POOL, 1, 1, 1, 1, 3, 1, 1);
        s.parts[0].dilation_h = s.parts[0].dilation_w = big[i];
        expect_refusal(&s, "65536");
    }
    nw_kernel_shape s = shape_of(NW_KERNEL_CONV, 512, 256, 512, 256, 5, 1, 1);
    expect_refusal(&s, "too much work");
    s = shape_of(NW_KERNEL_POOL, 8192, 1, 8192, 1, 129, 1, 1);
    expect_refusal(&s, "too much work");
    s = shape_of(NW_KERNEL_CONV, 0, 16, 4, 16, 3, 1, 1);
    expect_refusal(&s, "empty");
}
END_TEST

/* On a processor of 2008 the library has nothing but a reference for a softmax of bytes. */
START_TEST(reference_kernels_are_refused_and_never_timed)
{
    ck_assert_int_eq(setenv("ONEDNN_MAX_CPU_ISA", "SSE41", 1), 0);
    nw_exec_timing timing;
    nw_error err;
    nw_kernel_shape s = as_int8(shape_of(NW_KERNEL_SOFTMAX, 1, 10, 1, 10, 1, 1, 1));
    expect_refusal(&s, "reference kernel: ref");
    nw_exec_options options = {.repeats = 1, .processes = 1};
    ck_assert_int_eq(nw_exec_time(&s, 1, &options, NULL, &timing, &err), NW_OK);
    ck_assert(!timing.is_timed && timing.min_us == 0 && timing.median_us == 0);
    ck_assert_ptr_nonnull(strstr(timing.reason, "reference kernel"));
}
END_TEST

/* ---- timing ---- */

static bool count_calls(void *context, int64_t done, int64_t total, double seconds_left)
{
    int *n = context;
    ck_assert(done >= 0 && done <= total && total > 0 && !isnan(seconds_left));
    ++*n;
    return true;
}

START_TEST(kernels_are_timed_in_order)
{
    nw_kernel_shape shapes[4] = {shape_of(NW_KERNEL_CONV, 28, 32, 28, 64, 3, 1, 1),
                                 shape_of(NW_KERNEL_REDUCE, 4, 4, 1, 4, 1, 1, 1),
                                 as_int8(shape_of(NW_KERNEL_CONV, 28, 32, 28, 32, 1, 1, 1)),
                                 shape_of(NW_KERNEL_ADD, 8, 8, 8, 8, 1, 1, 1)};
    shapes[2].residual = 1;
    shapes[3].n_maps = 2;
    int n_calls = 0;
    nw_exec_options options = {.repeats = 3, .processes = 2};
    nw_exec_watch watch = {.progress = count_calls, .context = &n_calls};
    nw_exec_timing t[4];
    nw_error err;
    if (nw_exec_time(shapes, 4, &options, &watch, t, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(t[i].is_timed, i != 1);
        ck_assert_int_eq(t[i].min_us > 0, i != 1);
        ck_assert_int_eq(t[i].impl[0] != '\0', i != 1);
        ck_assert_int_eq(t[i].reason[0] != '\0', i == 1);
        ck_assert(t[i].median_us >= t[i].min_us && t[i].spread >= 0);
    }
    ck_assert_int_ge(n_calls, 2);
    ck_assert_int_eq(nw_exec_time(shapes, 0, NULL, NULL, t, &err), NW_OK);
}
END_TEST

/* Samples of two visits each: 3, 5, 4, 2; the odd visit is left over. */
START_TEST(short_visits_are_averaged_before_the_least_is_taken)
{
    double visits[] = {1, 5, 4, 6, 4, 4, 3, 1, 0};
    nw_exec_reading reading = {0};
    nw_exec_read_visits(visits, 9, 2, &reading);
    ck_assert(reading.is_timed);
    ck_assert_double_eq(reading.min_us, 2);
    ck_assert_double_eq(reading.median_us, 3.5);
    ck_assert_int_eq(nw_exec_visits_per_sample(20), 1);
    ck_assert_int_eq(nw_exec_visits_per_sample(7), 3);
    ck_assert_int_eq(nw_exec_visits_per_sample(0), 8);
    ck_assert_int_eq(nw_exec_sample_count(1e6, 25), 5);
    ck_assert_int_eq(nw_exec_sample_count(1e6, 3), 3);
    ck_assert_int_eq(nw_exec_sample_count(10, 25), 25);
}
END_TEST

/* Minima 10, 12, 11: least 10, range 2 over the middle one; medians 30, 20, 40. */
START_TEST(processes_are_summed_up)
{
    nw_exec_reading readings[3] = {{.min_us = 10, .median_us = 30, .is_timed = true},
                                   {.min_us = 12, .median_us = 20, .is_timed = true},
                                   {.min_us = 11, .median_us = 40, .is_timed = true}};
    nw_exec_timing t;
    nw_exec_sum_up(readings, 1, 3, &t);
    ck_assert_double_eq(t.min_us, 10);
    ck_assert_double_eq(t.median_us, 30);
    ck_assert_double_eq_tol(t.spread, 2 / 11., 1e-12);
}
END_TEST

/* Every element is written, none behind the last; floats are moderate and no denormals. */
START_TEST(producers_write_the_whole_map)
{
    static const size_t lengths[] = {1, 1000, 1024, 4096, 5001};
    static float floats[5002];
    static uint8_t bytes[5002];
    for (int i = 0; i < 5; i++) {
        size_t n = lengths[i];
        fill(floats, 5002, 99);
        memset(bytes, 0xee, sizeof bytes);
        nw_exec_produce(floats, n * sizeof *floats, true);
        nw_exec_produce(bytes, n, false);
        for (size_t k = 0; k < n; k++)
            ck_assert(fabsf(floats[k]) <= 1 && (floats[k] == 0 || fabsf(floats[k]) > 0.01f));
        ck_assert_float_eq(floats[n], 99);
        ck_assert_uint_eq(bytes[n], 0xee);
        size_t n_left = 0;
        for (size_t k = 0; k < n; k++)
            n_left += bytes[k] == 0xee;
        ck_assert_uint_le(n_left, n / 256 + 1);
    }
}
END_TEST

START_TEST(one_thread_is_enough)
{
    static float in[56 * 56 * 64], out[56 * 56 * 64];
    nw_kernel_shape s = shape_of(NW_KERNEL_CONV, 56, 64, 56, 64, 3, 1, 1);
    int n = nw_exec_count_threads();
    run(&s, &(nw_exec_data){.in = in, .out = out});
    ck_assert_int_eq(nw_exec_count_threads(), n);
    if (n == 0)
        puts("skipped: no /proc/self/task");
}
END_TEST

/* ---- processes ---- */

static void die(void *context, int process, nw_exec_board *board)
{
    (void)board;
    if (process == *(const int *)context)
        raise(SIGKILL);
}

static void leave(void *context, int process, nw_exec_board *board)
{
    (void)context;
    (void)process;
    (void)board;
    _exit(3);
}

static void complain(void *context, int process, nw_exec_board *board)
{
    (void)context;
    (void)nw_fail(&board->error, NW_LIMIT, "here", "process %d has enough", process);
}

static void sleep_long(void *context, int process, nw_exec_board *board)
{
    (void)context;
    (void)process;
    (void)board;
    for (;;)
        pause();
}

START_TEST(a_process_that_dies_is_an_error)
{
    int which = 1;
    nw_error err;
    nw_exec_work work = {.run = die, .context = &which, .n_processes = 3, .total = 3};
    ck_assert_int_eq(nw_exec_in_processes(&work, NULL, &err), NW_IO);
    ck_assert_str_eq(err.message, "the process that ran the kernels died of signal 9");
    which = 7;
    ck_assert_int_eq(nw_exec_in_processes(&work, NULL, &err), NW_OK);
    work.run = leave;
    ck_assert_int_eq(nw_exec_in_processes(&work, NULL, &err), NW_IO);
    work.run = complain;
    ck_assert_int_eq(nw_exec_in_processes(&work, NULL, &err), NW_LIMIT);
    ck_assert_str_eq(err.where, "here");
    ck_assert_str_eq(err.message, "process 0 has enough");
}
END_TEST

static bool stop_at_once(void *context, int64_t done, int64_t total, double seconds_left)
{
    (void)done;
    (void)total;
    (void)seconds_left;
    return --*(int *)context > 0;
}

START_TEST(work_can_be_stopped)
{
    nw_error err;
    int calls_left = 3;
    nw_cancel cancel = {0};
    nw_exec_work work = {.run = sleep_long, .n_processes = 1, .total = 1};
    nw_exec_watch watch = {.progress = stop_at_once, .context = &calls_left};
    ck_assert_int_eq(nw_exec_in_processes(&work, &watch, &err), NW_CANCELLED);
    nw_exec_watch other = {.cancel = &cancel};
    nw_cancel_set(&cancel);
    ck_assert_int_eq(nw_exec_in_processes(&work, &other, &err), NW_CANCELLED);
    nw_exec_timing t;
    nw_kernel_shape s = shape_of(NW_KERNEL_CONV, 56, 64, 56, 64, 3, 1, 1);
    ck_assert_int_eq(nw_exec_time(&s, 1, NULL, &other, &t, &err), NW_CANCELLED);
}
END_TEST

/* ---- networks ---- */

static void check_network(const nw_graph *graph, int n_left_out)
{
    nw_hw *hw = load_hw("cpu-onednn");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_exec_options options = {.repeats = 1, .processes = 2};
    nw_exec_network_timing t;
    nw_error err;
    if (nw_exec_network(graph, kernels, &options, NULL, &t, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    double sum = 0;
    ck_assert_int_eq(t.n_kernels, kernels->n_kernels);
    ck_assert_int_eq(t.n_run + t.n_views + t.n_left_out, t.n_kernels);
    ck_assert_int_eq(t.n_left_out, n_left_out);
    for (int i = 0; i < t.n_kernels; i++) {
        bool is_view = kernels->kernels[i].shape.parts[0].kind == NW_KERNEL_VIEW;
        ck_assert_msg(t.kernels[i].is_timed || is_view || t.kernels[i].reason[0],
                      "kernel %d is left out without a reason", i);
        ck_assert_int_eq(t.kernels[i].is_timed, t.kernels[i].min_us > 0);
        sum += t.kernels[i].min_us;
    }
    ck_assert_double_eq_tol(t.sum_min_us, sum, 1e-9 * sum);
    ck_assert(t.total.is_timed && t.total.min_us > 0 && t.total.median_us >= t.total.min_us);
    nw_exec_network_timing_fini(&t);
    nw_kernels_free(kernels);
    nw_hw_free(hw);
}

START_TEST(a_network_is_timed_kernel_by_kernel)
{
    nw_dtype dtype = _i ? NW_DTYPE_INT8 : NW_DTYPE_FLOAT32;
    net n = net_begin(16, 16, 8, dtype);
    net_conv(&n, 16, 3, 3, 2, 2, NW_ACT_RELU6);
    net_inverted_bottleneck(&n, 16, 4, 3, 1, 8);
    net_inverted_bottleneck(&n, 16, 4, 3, 1, 0);
    net_global_pool(&n);
    net_fc(&n, 10, NW_ACT_NONE);
    net_softmax(&n);
    nw_graph *graph = net_end(&n);
    check_network(graph, 0);
    nw_graph_free(graph);
}
END_TEST

START_TEST(random_networks_run_within_their_arena)
{
    nw_graph *graph = random_net((unsigned)_i, _i % 2 ? NW_DTYPE_INT8 : NW_DTYPE_FLOAT32);
    nw_hw *hw = load_hw(_i % 3 ? "cpu-onednn" : "ne32"); /* any splitting will do */
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_exec_options options = {.repeats = 1, .processes = 1};
    nw_exec_network_timing t;
    nw_error err;
    if (nw_exec_network(graph, kernels, &options, NULL, &t, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_exec_network_timing_fini(&t);
    nw_kernels_free(kernels);
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

/* None of the operators of this network is beyond oneDNN. */
START_TEST(a_real_network_runs_whole)
{
    nw_graph *graph = load_model("mlperf_tiny_vww_96_float.tflite");
    if (!graph)
        return;
    check_network(graph, 0);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_network_that_is_too_big_is_refused)
{
    net n = net_begin(8192, 8192, 8, NW_DTYPE_FLOAT32);
    net_unary(&n, NW_OP_RELU);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("cpu-onednn");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_exec_network_timing t;
    nw_error err;
    ck_assert_int_eq(nw_exec_network(graph, kernels, NULL, NULL, &t, &err), NW_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "MiB"));
    nw_kernels_free(kernels);
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec");
    TCase *values = tcase_create("values"), *timing = tcase_create("timing");
    suite_add_tcase(suite, values);
    suite_add_tcase(suite, timing);
    tcase_set_timeout(values, 60);
    tcase_set_timeout(timing, 120);
    tcase_add_test(values, a_convolution_counts_its_taps);
    tcase_add_test(values, windows_lie_where_they_should);
    tcase_add_test(values, depthwise_channels_do_not_mix);
    tcase_add_test(values, groups_see_their_own_channels);
    tcase_add_test(values, dilation_spreads_the_taps);
    tcase_add_test(values, a_transposed_convolution_spreads_pixels);
    tcase_add_test(values, a_fully_connected_kernel_is_a_product_of_rows);
    tcase_add_test(values, a_matrix_product_has_a_matrix_for_each_of_a_batch);
    tcase_add_test(values, activations_are_joined);
    tcase_add_test(values, residuals_are_added_before_the_activation);
    tcase_add_test(values, two_parts_run_one_behind_the_other);
    tcase_add_test(values, maps_are_added_and_multiplied);
    tcase_add_test(values, pools_average_without_the_padding);
    tcase_add_test(values, the_other_kinds_compute_what_the_header_says);
    tcase_add_test(values, integers_are_scaled_rounded_and_cut);
    tcase_add_test(values, a_missing_second_map_is_an_error);
    tcase_add_test(values, what_does_not_run_is_refused);
    tcase_add_test(values, absurd_sizes_are_refused);
    tcase_add_test(values, reference_kernels_are_refused_and_never_timed);
    tcase_add_test(timing, kernels_are_timed_in_order);
    tcase_add_test(timing, short_visits_are_averaged_before_the_least_is_taken);
    tcase_add_test(timing, processes_are_summed_up);
    tcase_add_test(timing, producers_write_the_whole_map);
    tcase_add_test(timing, one_thread_is_enough);
    tcase_add_test(timing, a_process_that_dies_is_an_error);
    tcase_add_test(timing, work_can_be_stopped);
    tcase_add_loop_test(timing, a_network_is_timed_kernel_by_kernel, 0, 2);
    tcase_add_loop_test(timing, random_networks_run_within_their_arena, 0, 12);
    tcase_add_test(timing, a_real_network_runs_whole);
    tcase_add_test(timing, a_network_that_is_too_big_is_refused);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
