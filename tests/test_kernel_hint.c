/* What the user asks of the device beyond its own rules: kernels split, joined, other element
 * types. Expectations are counted by hand from DESIGN.md section 5; on ne32 maps are padded to 32
 * channels, int16 runs at half the rate. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/device/device.h"
#include "tests/support_split.h"

#define FREE_ALL(graph, hw, kernels)                                                               \
    (nw_kernels_free(kernels), nw_hw_free(hw), nw_graph_free(graph))

/* The hint of the layer added last. */
static nw_hint *hint(net *n)
{
    return &n->graph->nodes[n->graph->n_nodes - 1].hint;
}

typedef struct totals {
    int64_t sram_bytes, dram_bytes, total_cycles, compute_cycles;
} totals;

static totals add_up(const nw_hw *hw, const nw_kernels *kernels)
{
    totals sum = {0};
    for (int i = 0; i < kernels->n_kernels; i++) {
        nw_device_cost cost;
        nw_device_estimate(hw, &kernels->kernels[i].shape, &cost);
        ck_assert(cost.is_known);
        sum.sram_bytes += cost.sram_bytes;
        sum.dram_bytes += cost.dram_bytes;
        sum.total_cycles += cost.total_cycles;
        sum.compute_cycles += cost.cycles[NW_BOUND_COMPUTE];
    }
    return sum;
}

/* ---- splitting ---- */

START_TEST(an_activation_split_off_costs_two_maps)
{
    /* the map of 16*16*32 bytes is written and read once more, and a kernel starts (500 cycles) */
    totals sums[2];
    for (int splits = 0; splits < 2; splits++) {
        net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
        net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
        net_unary(&n, NW_OP_RELU);
        hint(&n)->splits = splits;
        nw_graph *graph = net_end(&n);
        nw_hw *hw = load_hw("ne32");
        nw_kernels *kernels = split_on(graph, hw, NULL);
        ck_assert_str_eq(kernel_list(kernels), splits ? "conv act" : "conv+act");
        sums[splits] = add_up(hw, kernels);
        ck_assert_str_eq(kernels->kernels[kernels->n_kernels - 1].note,
                         splits ? "starts a kernel as asked" : "");
        FREE_ALL(graph, hw, kernels);
    }
    ck_assert_int_eq(sums[1].sram_bytes - sums[0].sram_bytes, 2 * 16 * 16 * 32);
    ck_assert_int_ge(sums[1].total_cycles - sums[0].total_cycles, 500);
}
END_TEST

START_TEST(a_sum_split_off_costs_two_maps)
{
    totals sums[2];
    for (int splits = 0; splits < 2; splits++) {
        net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
        net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
        nw_tensor_id skip = n.at;
        net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
        net_add(&n, skip, NW_ACT_NONE);
        hint(&n)->splits = splits;
        nw_graph *graph = net_end(&n);
        nw_hw *hw = load_hw("ne32");
        nw_kernels *kernels = split_on(graph, hw, NULL);
        ck_assert_str_eq(kernel_list(kernels), splits ? "conv conv add" : "conv conv+add");
        sums[splits] = add_up(hw, kernels);
        FREE_ALL(graph, hw, kernels);
    }
    ck_assert_int_eq(sums[1].sram_bytes - sums[0].sram_bytes, 2 * 16 * 16 * 32);
}
END_TEST

/* 1x1 to 128 channels, depthwise, 1x1 back to 32: 16*16*128 = 32 KiB a wide map, 8 KiB a narrow. */
static nw_graph *bottleneck(bool splits)
{
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    net_conv(&n, 128, 1, 1, 1, 1, NW_ACT_RELU6);
    net_depthwise(&n, 3, 1, NW_ACT_RELU6);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    hint(&n)->splits = splits;
    return net_end(&n);
}

START_TEST(what_is_joined_never_leaves_the_tile)
{
    /* joined, 32 + 8 KiB live at most; split, the depthwise map lies beside the expanded one: 64 */
    for (int splits = 0; splits < 2; splits++) {
        nw_graph *graph = bottleneck(splits);
        nw_hw *hw = load_hw("ne32");
        hw->fusion.dw_pw = true;
        nw_kernels *kernels = split_on(graph, hw, NULL);
        ck_assert_str_eq(kernel_list(kernels),
                         splits ? "conv+act dwconv+act conv" : "conv+act dwconv+conv+act");
        ck_assert_int_eq(kernels->memory.peak_live_bytes, splits ? 65536 : 40960);
        FREE_ALL(graph, hw, kernels);
    }
}
END_TEST

START_TEST(a_split_that_no_longer_fits_pays_dram_for_both_wide_maps)
{
    /* 48 KiB hold the joined kernels (40); split, the step with 64 spills what it reads and writes:
     * two wide maps, each written once and read once */
    totals sums[2];
    for (int splits = 0; splits < 2; splits++) {
        nw_graph *graph = bottleneck(splits);
        nw_hw *hw = load_hw("ne32");
        hw->fusion.dw_pw = true;
        hw->sram.bytes = 48 << 10;
        nw_kernels *kernels = split_on(graph, hw, NULL);
        sums[splits] = add_up(hw, kernels);
        FREE_ALL(graph, hw, kernels);
    }
    ck_assert_int_eq(sums[1].dram_bytes - sums[0].dram_bytes, 4 * 16 * 16 * 128);
}
END_TEST

START_TEST(swish_is_cut_before_its_gate_or_behind_it)
{
    static const char *const lists[] = {"conv+act", "conv act", "conv act mul"};
    for (int cut = 0; cut < 3; cut++) {
        net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
        net_conv(&n, 16, 3, 3, 1, 1, NW_ACT_NONE);
        nw_tensor_id x = n.at;
        net_unary(&n, NW_OP_SIGMOID);
        hint(&n)->splits = cut == 1;
        net_mul(&n, x);
        hint(&n)->splits = cut == 2;
        nw_graph *graph = net_end(&n);
        nw_hw *hw = load_hw("ne32");
        nw_kernels *kernels = split_on(graph, hw, NULL);
        ck_assert_str_eq(kernel_list(kernels), lists[cut]);
        FREE_ALL(graph, hw, kernels);
    }
}
END_TEST

START_TEST(padding_that_a_split_keeps_out_is_a_copy)
{
    for (int splits = 0; splits < 2; splits++) {
        net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
        net_pad(&n, 1, 1, 1, 1);
        net_conv(&n, 16, 3, 3, 1, 1, NW_ACT_NONE);
        hint(&n)->splits = splits;
        nw_graph *graph = net_end(&n);
        nw_hw *hw = load_hw("ne32");
        nw_kernels *kernels = split_on(graph, hw, NULL);
        ck_assert_str_eq(kernel_list(kernels), splits ? "copy conv" : "conv");
        FREE_ALL(graph, hw, kernels);
    }
}
END_TEST

START_TEST(a_quantisation_stays_in_the_output_stage_before_it)
{
    net n = net_begin(8, 8, 8, NW_DTYPE_FLOAT32);
    net_quantize(&n, NW_DTYPE_INT8, 0.5, 0);
    net_dequantize(&n, NW_DTYPE_FLOAT32);
    net_conv_quantized(&n, NW_DTYPE_INT8, 8, 3, 1);
    net_unary(&n, NW_OP_RELU);
    hint(&n)->splits = true;
    net_quantize(&n, NW_DTYPE_INT8, 0.5, 0);
    hint(&n)->splits = true;
    nw_node_id last = n.graph->n_nodes - 1;
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    /* the relu runs on the convolution's integers; the input's quantisation is the host's */
    ck_assert_str_eq(kernel_list(kernels), "host conv act");
    const nw_kernel *act = kernel_of_kind(kernels, NW_KERNEL_ACT);
    ck_assert_int_eq(act->nodes[act->n_nodes - 1], last);
    char why[96];
    ck_assert(!nw_kernel_can_split(graph, act, last, why, sizeof why));
    ck_assert_str_eq(why, "it is the output stage of what runs before it");
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(what_a_kernel_can_be_split_at_is_known_before)
{
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id skip = n.at;
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE); /* node 1 */
    net_add(&n, skip, NW_ACT_NONE);            /* node 2 */
    net_unary(&n, NW_OP_RELU);                 /* node 3 */
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    const nw_kernel *last = &kernels->kernels[1];
    ck_assert_str_eq(kernel_list(kernels), "conv conv+act+add");
    char why[96] = "";
    ck_assert(nw_kernel_can_split(graph, last, 2, why, sizeof why));
    ck_assert(nw_kernel_can_split(graph, last, 3, NULL, 0));
    ck_assert(!nw_kernel_can_split(graph, last, 1, why, sizeof why));
    ck_assert_str_eq(why, "a kernel starts here already");
    ck_assert(!nw_kernel_can_split(graph, last, 0, why, sizeof why));
    ck_assert_str_eq(why, "it is not in this kernel");
    FREE_ALL(graph, hw, kernels);
}
END_TEST

/* ---- joining ---- */

/* conv, then one operator that the rule allows and joining leaves alone unless asked. */
static nw_graph *preference(int which, bool joins)
{
    net n = net_begin(8, 8, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id skip = n.at;
    if (which == 0) {
        net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
        net_two(&n, NW_OP_SUB, skip, n.at);
    } else if (which == 1) {
        net_global_pool(&n);
    } else {
        nw_tensor_id in[1] = {n.at};
        nw_node *node = net_layer(&n, NW_OP_AVERAGE_POOL, "AVERAGE_POOL_2D", in, 1);
        node->attrs.kernel_h = node->attrs.kernel_w = 2;
        node->attrs.stride_h = node->attrs.stride_w = 2;
        net_unary(&n, NW_OP_RELU);
    }
    hint(&n)->joins = joins;
    return net_end(&n);
}

static const struct {
    const char *apart, *joined, *note;
    bool pool_rule;
} preferences[] = {
    {"conv conv add", "conv conv+add", "joined as asked: sub", false},
    {"conv pool", "conv+pool", "joined as asked: global_pool", true},
    {"conv pool act", "conv pool+act", "joined as asked: relu", false},
};

START_TEST(what_the_rules_can_and_joining_leaves_alone_is_joined_when_asked)
{
    for (int joins = 0; joins < 2; joins++) {
        nw_graph *graph = preference(_i, joins);
        nw_hw *hw = load_hw("ne32");
        hw->fusion.pool = preferences[_i].pool_rule;
        nw_kernels *kernels = split_on(graph, hw, NULL);
        const nw_kernel *last = &kernels->kernels[kernels->n_kernels - 1];
        ck_assert_str_eq(kernel_list(kernels),
                         joins ? preferences[_i].joined : preferences[_i].apart);
        ck_assert_str_eq(last->note, joins ? preferences[_i].note : "");
        ck_assert(nw_kernel_can_join(graph, hw, graph->n_nodes - 1, NULL, 0));
        FREE_ALL(graph, hw, kernels);
    }
}
END_TEST

START_TEST(a_difference_joined_saves_two_maps)
{
    totals sums[2];
    for (int joins = 0; joins < 2; joins++) {
        nw_graph *graph = preference(0, joins);
        nw_hw *hw = load_hw("ne32");
        nw_kernels *kernels = split_on(graph, hw, NULL);
        sums[joins] = add_up(hw, kernels);
        FREE_ALL(graph, hw, kernels);
    }
    ck_assert_int_eq(sums[0].sram_bytes - sums[1].sram_bytes, 2 * 8 * 8 * 32);
}
END_TEST

/* Asks for a join at the last node of a network; it must fail with the reason, twice over. */
static void expect_refusal(net *n, nw_hw *hw, const char *reason)
{
    char why[96] = "", note[128];
    hint(n)->joins = true;
    nw_graph *graph = net_end(n);
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert(!nw_kernel_can_join(graph, hw, graph->n_nodes - 1, why, sizeof why));
    ck_assert_str_eq(why, reason);
    snprintf(note, sizeof note, "not joined: %s", reason);
    ck_assert_str_eq(kernels->kernels[kernels->n_kernels - 1].note, note);
    FREE_ALL(graph, hw, kernels);
}

START_TEST(without_a_rule_nothing_is_joined)
{
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    net_depthwise(&n, 3, 1, NW_ACT_NONE);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    expect_refusal(&n, load_hw("ne32"), "ne32 has no rule dw+pw");

    n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    nw_tensor_id skip = n.at;
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_add(&n, skip, NW_ACT_NONE);
    expect_refusal(&n, load_hw("u55-256"), "u55-256 has no rule conv+add");

    n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    expect_refusal(&n, load_hw("ne32"), "no rule joins conv to conv");
}
END_TEST

START_TEST(what_the_device_cannot_hold_is_not_joined)
{
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    net_global_pool(&n);
    nw_hw *hw = load_hw("ne32"); /* tiles of 128 pixels at most */
    hw->fusion.pool = true;
    expect_refusal(&n, hw, "the map that it pools does not fit one tile");

    n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    nw_tensor_id skip = n.at;
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    net_add(&n, skip, NW_ACT_NONE);
    net_add(&n, skip, NW_ACT_NONE);
    expect_refusal(&n, load_hw("ne32"), "the kernel before it has a sum already");

    n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    hw = load_hw("ne32");
    hw->fusion.dw_pw = true;
    net_depthwise(&n, 3, 1, NW_ACT_NONE);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    expect_refusal(&n, hw, "only a dense 1x1 convolution of stride 1 runs in the tile before it");
}
END_TEST

START_TEST(what_others_read_too_is_not_joined)
{
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id x = n.at;
    net_unary(&n, NW_OP_RELU);
    nw_tensor_id y = n.at;
    n.at = x;
    net_unary(&n, NW_OP_TANH);
    net_concat(&n, y, 3);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    char why[96];
    ck_assert(!nw_kernel_can_join(graph, hw, 1, why, sizeof why));
    ck_assert_str_eq(why, "what it reads has 2 readers, so it has to be written");
    ck_assert(!nw_kernel_can_join(graph, hw, 0, why, sizeof why));
    ck_assert_str_eq(why, "it reads only the network's inputs");
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

START_TEST(what_runs_on_the_host_is_not_joined)
{
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    net_unary(&n, NW_OP_TANH);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    hw->ops[NW_OP_TANH].support = NW_OP_HOST;
    char why[96];
    ck_assert(!nw_kernel_can_join(graph, hw, 1, why, sizeof why));
    ck_assert_str_eq(why, "it runs on the host");
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_split_can_be_taken_back)
{
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_unary(&n, NW_OP_RELU);
    hint(&n)->splits = true;
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    ck_assert(nw_kernel_can_join(graph, hw, 1, NULL, 0));
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

/* ---- element types ---- */

/* Three convolutions, the middle one writes the hinted type. */
static nw_graph *three(int bits, bool is_float, nw_dtype dtype)
{
    net n = net_begin(16, 16, 32, dtype);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    hint(&n)->bits = (uint8_t)bits;
    hint(&n)->is_float = is_float;
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    return net_end(&n);
}

static void expect_types(const char *hw_name, const char *precision, int hint_bits,
                         const int *activations, const int *weights)
{
    nw_graph *graph = three(hint_bits, false, NW_DTYPE_INT8);
    nw_hw *hw = load_hw(hw_name);
    nw_kernels *kernels = split_on(graph, hw, precision);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(kernels->kernels[i].shape.bits, activations[i]);
        ck_assert_int_eq(kernels->kernels[i].shape.weight_bits, weights[i]);
    }
    FREE_ALL(graph, hw, kernels);
}

START_TEST(a_wider_type_is_computed_by_its_operator_and_read_by_the_next)
{
    expect_types("ne32", NULL, 16, (int[]){8, 16, 16}, (int[]){8, 16, 16});
    /* weights of 8 bits are all that this one has beside activations of 16 */
    expect_types("u55-256", NULL, 16, (int[]){8, 16, 16}, (int[]){8, 8, 8});
    expect_types("ne32", NULL, 8, (int[]){8, 8, 8}, (int[]){8, 8, 8});
}
END_TEST

START_TEST(a_narrower_type_saves_what_reads_it_the_wide_arithmetic)
{
    /* int16 all over, but for what the middle one writes: it still reads 16 bits */
    expect_types("ne32", "int16", 8, (int[]){16, 16, 8}, (int[]){16, 16, 8});
}
END_TEST

START_TEST(sixteen_bits_double_the_map_and_halve_the_array)
{
    /* live at most: two maps of 8 KiB; with the middle one's of 16 KiB: 8 + 16 */
    int64_t array_cycles[2];
    for (int wide = 0; wide < 2; wide++) {
        nw_graph *graph = three(wide ? 16 : 0, false, NW_DTYPE_INT8);
        nw_hw *hw = load_hw("ne32");
        nw_kernels *kernels = split_on(graph, hw, NULL);
        nw_device_cost cost;
        ck_assert_int_eq(kernels->memory.peak_live_bytes, wide ? 24576 : 16384);
        ck_assert_str_eq(kernels->precision, wide ? "int8, mixed" : "int8");
        nw_device_estimate(hw, &kernels->kernels[1].shape, &cost);
        array_cycles[wide] = cost.array_cycles;
        FREE_ALL(graph, hw, kernels);
    }
    ck_assert_int_eq(array_cycles[1], 2 * array_cycles[0]);
}
END_TEST

START_TEST(a_type_that_the_hardware_lacks_is_refused_and_names_the_operator)
{
    nw_graph *graph = three(16, true, NW_DTYPE_INT8);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels;
    nw_error err;
    ck_assert_int_eq(nw_kernels_split(graph, hw, NULL, &kernels, &err), NW_UNSUPPORTED);
    ck_assert_str_eq(err.where, "layer1");
    ck_assert_ptr_nonnull(strstr(err.message, "float16"));
    nw_hw_free(hw);
    nw_graph_free(graph);
    for (int bits = 1; bits < 256; bits++) { /* whatever a byte holds */
        graph = three(bits, bits & 1, NW_DTYPE_FLOAT32);
        hw = load_hw("ne32");
        nw_status status = nw_kernels_split(graph, hw, NULL, &kernels, &err);
        ck_assert_int_eq(status, bits == 8 || bits == 16 ? NW_OK : NW_UNSUPPORTED);
        if (status == NW_OK)
            nw_kernels_free(kernels);
        nw_hw_free(hw);
        nw_graph_free(graph);
    }
}
END_TEST

START_TEST(renamed_and_copied_bytes_keep_their_type)
{
    net n = net_begin(4, 4, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    hint(&n)->bits = 16;
    net_reshape(&n, 2, 1, 512, 0, 0);
    n.h = n.w = 1;
    n.c = 512;
    net_fc(&n, 16, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    const nw_kernel *fc = kernel_of_kind(kernels, NW_KERNEL_FC);
    ck_assert_int_eq(fc->shape.bits, 16);
    ck_assert_int_eq(fc->shape.weight_bits, 16);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_sum_of_two_types_runs_in_the_wider)
{
    for (int order = 0; order < 2; order++) {
        net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
        nw_tensor_id narrow = n.at;
        net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
        hint(&n)->bits = 16;
        nw_tensor_id wide = n.at;
        net_two(&n, NW_OP_ADD, order ? wide : narrow, order ? narrow : wide);
        hint(&n)->splits = true;
        nw_graph *graph = net_end(&n);
        nw_hw *hw = load_hw("ne32");
        nw_kernels *kernels = split_on(graph, hw, NULL);
        ck_assert_int_eq(kernel_of_kind(kernels, NW_KERNEL_ADD)->shape.bits, 16);
        FREE_ALL(graph, hw, kernels);
    }
}
END_TEST

START_TEST(a_quantised_onnx_layer_takes_its_type_from_the_quantisation_behind_it)
{
    /* convolution and its quantisation hinted, as an edit of the block does: the next layer's
     * integers are those, across quantisation and dequantisation */
    net n = net_begin(8, 8, 8, NW_DTYPE_INT8);
    net_dequantize(&n, NW_DTYPE_FLOAT32);
    for (int layer = 0; layer < 2; layer++) {
        net_conv_quantized(&n, NW_DTYPE_INT8, 8, 3, 1);
        hint(&n)->bits = layer ? 0 : 16;
        net_quantize(&n, NW_DTYPE_INT8, 0.5, 0);
        hint(&n)->bits = layer ? 0 : 16;
        if (layer == 0)
            net_dequantize(&n, NW_DTYPE_FLOAT32);
    }
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv conv");
    for (int i = 0; i < kernels->n_kernels; i++)
        if (kernels->kernels[i].shape.parts[0].kind == NW_KERNEL_CONV) {
            ck_assert_int_eq(kernels->kernels[i].shape.bits, 16);
            ck_assert_int_eq(kernels->kernels[i].shape.weight_bits, 16);
        }
    FREE_ALL(graph, hw, kernels);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel_hint");
    TCase *tests = tcase_create("kernel_hint");
    tcase_set_timeout(tests, 300);
    const TTest *const list[] = {
        an_activation_split_off_costs_two_maps,
        a_sum_split_off_costs_two_maps,
        what_is_joined_never_leaves_the_tile,
        a_split_that_no_longer_fits_pays_dram_for_both_wide_maps,
        swish_is_cut_before_its_gate_or_behind_it,
        padding_that_a_split_keeps_out_is_a_copy,
        a_quantisation_stays_in_the_output_stage_before_it,
        what_a_kernel_can_be_split_at_is_known_before,
        a_difference_joined_saves_two_maps,
        without_a_rule_nothing_is_joined,
        what_the_device_cannot_hold_is_not_joined,
        what_others_read_too_is_not_joined,
        what_runs_on_the_host_is_not_joined,
        a_split_can_be_taken_back,
        a_wider_type_is_computed_by_its_operator_and_read_by_the_next,
        a_narrower_type_saves_what_reads_it_the_wide_arithmetic,
        sixteen_bits_double_the_map_and_halve_the_array,
        a_type_that_the_hardware_lacks_is_refused_and_names_the_operator,
        renamed_and_copied_bytes_keep_their_type,
        a_sum_of_two_types_runs_in_the_wider,
        a_quantised_onnx_layer_takes_its_type_from_the_quantisation_behind_it,
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        tcase_add_test(tests, list[i]);
    tcase_add_loop_test(tests, what_the_rules_can_and_joining_leaves_alone_is_joined_when_asked, 0,
                        sizeof preferences / sizeof *preferences);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
