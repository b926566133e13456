/* Sizes, multiply-accumulates and places of kernels, and what holds for every network. Expectations
 * are worked out by hand from the operators' sizes. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/device/device.h"
#include "tests/support_split.h"

#define FREE_ALL(graph, hw, kernels)                                                               \
    (nw_kernels_free(kernels), nw_hw_free(hw), nw_graph_free(graph))

/* Splits on ne32 (fusion conv+act, conv+add; int8) and compares the kernels. */
static void expect(net *n, const char *list)
{
    nw_graph *graph = net_end(n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), list);
    FREE_ALL(graph, hw, kernels);
}

/* ---- what moves nothing ---- */

START_TEST(reshape_and_flatten_are_free)
{
    net n = net_begin(4, 4, 8, NW_DTYPE_INT8);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    net_reshape(&n, 2, 1, 128, 0, 0);
    net_fc(&n, 10, NW_ACT_NONE);
    expect(&n, "conv fc");
}
END_TEST

START_TEST(turning_an_onnx_map_to_height_width_channels_is_free)
{
    net n = net_begin_nchw(6, 5, 8, NW_DTYPE_FLOAT32);
    net_unary(&n, NW_OP_RELU);
    net_transpose(&n, 0, 2, 3, 1);
    expect(&n, "act");
}
END_TEST

START_TEST(turning_a_map_any_other_way_is_a_copy)
{
    net n = net_begin_nchw(6, 5, 8, NW_DTYPE_FLOAT32);
    net_unary(&n, NW_OP_RELU);
    net_transpose(&n, 0, 1, 3, 2);
    expect(&n, "act copy");
    net m = net_begin(6, 5, 8, NW_DTYPE_INT8);
    net_unary(&m, NW_OP_RELU);
    net_transpose(&m, 0, 2, 3, 1);
    expect(&m, "act copy");
}
END_TEST

START_TEST(a_transpose_that_only_moves_axes_of_size_one_is_free)
{
    net n = net_begin(1, 1, 8, NW_DTYPE_INT8);
    net_unary(&n, NW_OP_RELU);
    net_transpose(&n, 0, 3, 1, 2);
    expect(&n, "act");
}
END_TEST

START_TEST(a_concatenation_is_free_when_nobody_else_reads_its_inputs)
{
    net n = net_begin(8, 8, 8, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id left = n.at;
    n.at = input;
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    net_concat(&n, left, 3);
    expect(&n, "conv conv");
}
END_TEST

START_TEST(a_concatenation_of_a_network_input_is_a_copy)
{
    net n = net_begin(8, 8, 32, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_conv(&n, 64, 1, 1, 1, 1, NW_ACT_NONE);
    net_concat(&n, input, 3);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv copy");
    /* it moves all 32 + 64 channels in and out: 2 x 8*8*96 bytes */
    nw_device_cost cost;
    nw_device_estimate(hw, &kernel_of_kind(kernels, NW_KERNEL_COPY)->shape, &cost);
    ck_assert_int_eq(cost.sram_bytes, 2 * 8 * 8 * 96);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_split_writes_as_much_as_it_reads)
{
    net n = net_begin(8, 8, 64, NW_DTYPE_INT8);
    nw_tensor_id parts[2], in[1] = {n.at};
    for (int i = 0; i < 2; i++)
        parts[i] = nw_graph_add_tensor(n.graph, i ? "right" : "left", NW_DTYPE_INT8, NULL);
    nw_graph_add_node(n.graph, NW_OP_SPLIT, "split", "SPLIT", in, 1, parts, 2)->attrs.axis = 3;
    nw_graph_add_output(n.graph, parts[0]);
    n.at = parts[1];
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_device_cost cost;
    nw_device_estimate(hw, &kernels->kernels[0].shape, &cost);
    ck_assert_int_eq(cost.sram_bytes, 2 * 8 * 8 * 64);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_slice_reads_only_what_it_keeps)
{
    net n = net_begin(64, 8, 32, NW_DTYPE_INT8);
    int64_t ends[12] = {0, 0, 0, 0, 1, 16, 8, 32, 0, 1, 2, 3};
    nw_tensor_id in[1] = {n.at};
    nw_node *node = net_layer(&n, NW_OP_SLICE, "Slice", in, 1);
    int64_t *copy = nw_graph_alloc(n.graph, sizeof ends);
    memcpy(copy, ends, sizeof ends);
    node->attrs.has_ints = true;
    node->attrs.ints = copy;
    node->attrs.n_ints = 12;
    node->attrs.n_axes = 4;
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_device_cost cost;
    nw_device_estimate(hw, &kernel_of_kind(kernels, NW_KERNEL_COPY)->shape, &cost);
    ck_assert_int_eq(cost.sram_bytes, 2 * 16 * 8 * 32); /* 16 of 64 rows, in and out */
    FREE_ALL(graph, hw, kernels);
}
END_TEST

/* ---- shapes ---- */

START_TEST(a_product_of_two_maps_is_sized_by_the_larger)
{
    /* squeeze-and-excite, with the gate as first or as second factor: one full map is read */
    for (int gate_first = 0; gate_first < 2; gate_first++) {
        net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
        nw_tensor_id map = n.at;
        net_global_pool(&n);
        nw_tensor_id gate = n.at;
        net_two(&n, NW_OP_MUL, gate_first ? gate : map, gate_first ? map : gate);
        nw_graph *graph = net_end(&n);
        nw_hw *hw = load_hw("ne32");
        nw_kernels *kernels = split_on(graph, hw, NULL);
        const nw_kernel_part *part = &kernel_of_kind(kernels, NW_KERNEL_MUL)->shape.parts[0];
        ck_assert(part->in_h == 16 && part->in_w == 16 && part->in_c == 32);
        ck_assert_int_eq(kernel_of_kind(kernels, NW_KERNEL_MUL)->shape.n_maps, 1);
        FREE_ALL(graph, hw, kernels);
    }
}
END_TEST

START_TEST(each_head_of_an_attention_has_operands_of_its_own)
{
    /* 4 heads of 10 x 16 times 16 x 10: 4 * 10*16*10 MACs, second operand 4 * 16*10 bytes */
    net n = net_begin_nchw(10, 16, 4, NW_DTYPE_FLOAT32);
    nw_tensor_id a = n.at;
    net_transpose(&n, 0, 1, 3, 2);
    net_two(&n, NW_OP_MATMUL, a, n.at);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    const nw_kernel_part *part = &kernel_of_kind(kernels, NW_KERNEL_MATMUL)->shape.parts[0];
    ck_assert(part->in_h == 4 && part->in_w == 10 && part->in_c == 16 && part->out_c == 10);
    ck_assert_int_eq(nw_kernel_shape_macs(&kernel_of_kind(kernels, NW_KERNEL_MATMUL)->shape),
                     4 * 10 * 16 * 10);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

static int64_t kernel_macs(const nw_kernels *kernels)
{
    int64_t sum = 0;
    for (int i = 0; i < kernels->n_kernels; i++)
        sum += nw_kernel_shape_macs(&kernels->kernels[i].shape);
    return sum;
}

/* A network of one product: input sizes, weight sizes (O,I,H,W; transposed I,O,H,W), MACs. */
static const struct {
    nw_op op;
    int x_rank;
    int64_t x[4];
    int w_rank;
    int64_t w[4];
    int groups, stride;
    int64_t macs;
} products[] = {
    /* batch 3: 3 * 8*8 pixels * 9 taps * 4*5 */
    {NW_OP_CONV2D, 4, {3, 4, 8, 8}, 4, {5, 4, 3, 3}, 1, 1, 3 * 64 * 9 * 20},
    /* 2 groups of 4 -> 6: 64 pixels * 9 taps * 12 outputs * 4 inputs */
    {NW_OP_CONV2D, 4, {1, 8, 8, 8}, 4, {12, 4, 3, 3}, 2, 1, 64 * 9 * 12 * 4},
    /* depthwise with multiplier 2: 64 * 9 * 16 */
    {NW_OP_CONV2D, 4, {1, 8, 8, 8}, 4, {16, 1, 3, 3}, 8, 1, 64 * 9 * 16},
    /* a row of 50 samples, 8 -> 12 channels, 5 taps */
    {NW_OP_CONV2D, 3, {1, 8, 50}, 3, {12, 8, 5}, 1, 1, 50 * 5 * 96},
    /* each of 8*8 inputs meets 16 taps and 6 outputs */
    {NW_OP_CONV_TRANSPOSE, 4, {1, 8, 8, 8}, 4, {8, 6, 4, 4}, 1, 2, 64 * 8 * 16 * 6},
    /* two groups of it */
    {NW_OP_CONV_TRANSPOSE, 4, {1, 8, 8, 8}, 4, {8, 3, 4, 4}, 2, 2, 64 * 8 * 16 * 3},
};

START_TEST(multiply_accumulates_of_unusual_products_add_up)
{
    net n = {.graph = nw_graph_new("test", NW_LAYOUT_NCHW), .dtype = NW_DTYPE_FLOAT32};
    nw_shape x = {.rank = products[_i].x_rank};
    memcpy(x.dims, products[_i].x, sizeof products[_i].x);
    n.at = nw_graph_add_tensor(n.graph, "input", NW_DTYPE_FLOAT32, &x);
    nw_graph_add_input(n.graph, n.at);
    const int64_t *w = products[_i].w;
    nw_tensor_id in[2] = {
        n.at, net_constant(&n, NW_DTYPE_FLOAT32, products[_i].w_rank, w[0], w[1], w[2], w[3])};
    nw_node *node = net_layer(&n, products[_i].op, "Conv", in, 2);
    node->attrs.groups = products[_i].groups;
    node->attrs.stride_h = node->attrs.stride_w = products[_i].stride;
    node->attrs.pad_mode = NW_PAD_SAME_UPPER;
    if (products[_i].op == NW_OP_CONV_TRANSPOSE)
        node->attrs.weight_layout = NW_WEIGHTS_IOHW;
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_counts counts;
    nw_graph_count(graph, &counts);
    ck_assert_int_eq(counts.macs, products[_i].macs);
    ck_assert_int_eq(kernel_macs(kernels), products[_i].macs);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

/* ---- properties ---- */

static void check_every_node_has_one_kernel(const nw_graph *graph, const nw_kernels *kernels)
{
    int *n_kernels = calloc((size_t)graph->n_nodes + 1, sizeof *n_kernels);
    for (int i = 0; i < kernels->n_kernels; i++)
        for (int k = 0; k < kernels->kernels[i].n_nodes; k++)
            n_kernels[kernels->kernels[i].nodes[k]]++;
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        bool is_known = true;
        for (int k = 0; k < graph->nodes[id].n_outputs; k++)
            if (graph->nodes[id].outputs[k] != NW_NONE) {
                const nw_tensor *t = &graph->tensors[graph->nodes[id].outputs[k]];
                is_known = is_known && (t->is_const || t->ints || t->floats);
            }
        ck_assert_msg(n_kernels[id] == !is_known, "%s: node %d is in %d kernels", graph->name,
                      (int)id, n_kernels[id]);
    }
    free(n_kernels);
}

static void check_reads_follow_writes(const nw_graph *graph, const nw_kernels *kernels)
{
    uint8_t *is_there = calloc((size_t)graph->n_tensors + 1, 1);
    for (int i = 0; i < graph->n_inputs; i++)
        is_there[graph->inputs[i]] = 1;
    for (int i = 0; i < kernels->n_kernels; i++) {
        const nw_kernel *kernel = &kernels->kernels[i];
        for (int k = 0; k < kernel->n_reads; k++)
            ck_assert_msg(is_there[kernel->reads[k]], "%s: kernel %d reads '%s' too early",
                          graph->name, i, graph->tensors[kernel->reads[k]].name);
        for (int k = 0; k < kernel->n_writes; k++) {
            ck_assert(!is_there[kernel->writes[k]]);
            is_there[kernel->writes[k]] = 1;
        }
    }
    for (int i = 0; i < graph->n_outputs; i++) {
        const nw_tensor *t = &graph->tensors[graph->outputs[i]];
        ck_assert(is_there[graph->outputs[i]] || t->is_const || t->ints || t->floats);
    }
    free(is_there);
}

static const char *const hw_names[] = {"ne16",          "ne32",         "ne64",     "u55-128",
                                       "u55-256",       "u65-512",      "u85-1024", "dpu-b4096",
                                       "systolic16-ws", "systolic16-os"};
#define N_HW ((int)(sizeof hw_names / sizeof *hw_names))

static void check_properties(const nw_graph *graph, const nw_hw *hw)
{
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_counts counts;
    int64_t host_macs = 0;
    check_every_node_has_one_kernel(graph, kernels);
    check_reads_follow_writes(graph, kernels);
    nw_graph_count(graph, &counts);
    for (int i = 0; i < kernels->n_kernels; i++) {
        nw_geometry g;
        for (int k = 0; k < kernels->kernels[i].n_nodes; k++)
            if (kernels->kernels[i].shape.parts[0].kind == NW_KERNEL_HOST &&
                nw_node_geometry(graph, kernels->kernels[i].nodes[k], &g))
                host_macs += g.macs;
    }
    ck_assert_int_eq(kernel_macs(kernels) + host_macs, counts.macs);
    nw_kernels_free(kernels);
}

START_TEST(kernels_cover_real_networks_exactly)
{
    nw_hw *hw = load_hw(hw_names[_i]);
    for (int i = 0; model_files[i]; i++) {
        nw_graph *graph = load_model(model_files[i]);
        if (!graph)
            continue;
        check_properties(graph, hw);
        nw_graph_free(graph);
    }
    nw_hw_free(hw);
}
END_TEST

START_TEST(kernels_cover_random_networks_exactly)
{
    nw_hw *hw = load_hw(hw_names[_i]);
    for (int rules = 0; rules < 4; rules++) {
        hw->fusion.dw_pw = rules & 1;
        hw->fusion.conv_add = rules & 2;
        hw->fusion.pool = rules & 1;
        for (unsigned seed = 0; seed < 150; seed++) {
            nw_graph *graph = random_net(seed, seed & 1 ? NW_DTYPE_INT8 : NW_DTYPE_FLOAT32);
            check_properties(graph, hw);
            nw_graph_free(graph);
        }
    }
    nw_hw_free(hw);
}
END_TEST

START_TEST(kernels_cover_randomly_hinted_networks_exactly)
{
    nw_hw *hw = load_hw(hw_names[_i]);
    hw->fusion.dw_pw = hw->fusion.conv_add = hw->fusion.pool = true;
    const int bits = nw_hw_precision_rate(hw, 8, 16, false) > 0 ? 16 : 8;
    for (unsigned seed = 0; seed < 150; seed++) {
        nw_graph *graph = random_net(seed, seed & 1 ? NW_DTYPE_INT8 : NW_DTYPE_FLOAT32);
        unsigned random = seed + 1;
        for (nw_node_id id = 0; id < graph->n_nodes; id++) {
            random = random * 1664525u + 1013904223u;
            graph->nodes[id].hint = (nw_hint){.splits = random >> 28 < 4,
                                              .joins = (random >> 20 & 3) == 0,
                                              .bits = (random >> 16 & 7) == 0 ? (uint8_t)bits : 0};
        }
        check_properties(graph, hw);
        nw_graph_free(graph);
    }
    nw_hw_free(hw);
}
END_TEST

/* ---- where tensors live ---- */

START_TEST(what_does_not_fit_lives_in_dram_and_costs_traffic)
{
    /* 3 maps of 32*32*32 = 32 KiB: conv a -> b -> c. With room for two and the weights all stays on
     * chip; with room for one and a half everything spills; each byte then crosses once per reader,
     * writer */
    net n = net_begin(32, 32, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    for (int fits = 0; fits < 2; fits++) {
        hw->sram.bytes = fits ? 76 << 10 : 48 << 10;
        nw_kernels *kernels = split_on(graph, hw, NULL);
        for (int i = 0; i < 2; i++) {
            const nw_kernel *k = &kernels->kernels[i];
            ck_assert_int_eq(k->live_bytes, 64 << 10);
            ck_assert_int_eq(k->shape.in_place, fits ? NW_PLACE_SRAM : NW_PLACE_DRAM);
            ck_assert_int_eq(k->shape.out_place, fits ? NW_PLACE_SRAM : NW_PLACE_DRAM);
            nw_device_cost cost;
            nw_device_estimate(hw, &k->shape, &cost);
            /* weights 9*32*32 and 32 biases of 4 bytes, streamed once when they fit beside */
            if (fits)
                ck_assert_int_eq(cost.dram_bytes, 9 * 32 * 32 + 128);
            else
                ck_assert_int_ge(cost.dram_bytes, (64 << 10) + 9 * 32 * 32 + 128);
        }
        nw_kernels_free(kernels);
    }
    nw_hw_free(hw);
    nw_graph_free(graph);
}
END_TEST

static void check_spilled_operands(nw_op op, int64_t traffic)
{
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id left = n.at;
    n.at = input;
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_two(&n, op, left, n.at);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    hw->fusion.conv_add = false;
    hw->sram.bytes = 4096;
    nw_kernels *kernels = split_on(graph, hw, NULL);
    nw_device_cost cost;
    nw_device_estimate(hw, &kernels->kernels[kernels->n_kernels - 1].shape, &cost);
    ck_assert_int_eq(cost.dram_bytes, traffic);
    FREE_ALL(graph, hw, kernels);
}

START_TEST(spilled_operands_are_all_fetched)
{
    /* maps of 16*16*32 = 8 KiB: two read, one written */
    check_spilled_operands(NW_OP_ADD, 3 * 8192);
    check_spilled_operands(NW_OP_MUL, 3 * 8192);
    check_spilled_operands(NW_OP_MAX, 3 * 8192);
}
END_TEST

START_TEST(both_operands_of_a_spilled_matrix_product_are_fetched)
{
    /* 16 rows * 64 by 64 * 16 columns, twice: 1 x 2 x 16 x 64 */
    net n = net_begin_nchw(64, 64, 2, NW_DTYPE_FLOAT32);
    nw_tensor_id a = n.at;
    net_unary(&n, NW_OP_RELU);
    net_two(&n, NW_OP_MATMUL, a, n.at);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    hw->sram.bytes = 4096;
    nw_kernels *kernels = split_on(graph, hw, NULL);
    const nw_kernel_shape *shape = &kernel_of_kind(kernels, NW_KERNEL_MATMUL)->shape;
    ck_assert_int_eq(shape->in_place, NW_PLACE_DRAM);
    ck_assert_int_eq(shape->residual_place, NW_PLACE_DRAM);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(a_residual_that_is_also_the_convolutions_input_is_not_overwritten)
{
    /* x + conv3x3(x): the convolution still reads rows of x below the one it writes, so input map
     * and result are both live: 2 x 16*16*32 at the convolution */
    net n = net_begin(16, 16, 32, NW_DTYPE_INT8);
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id x = n.at;
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_add(&n, x, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv conv+add");
    ck_assert_int_eq(kernels->kernels[1].live_bytes, 2 * 16 * 16 * 32);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

START_TEST(only_what_reads_the_networks_input_is_first)
{
    /* the second convolution reads an output of the network, the third adds the input at its end:
     * neither reads the input as its map */
    net n = net_begin(16, 16, 8, NW_DTYPE_INT8);
    nw_tensor_id input = n.at;
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    nw_graph_add_output(n.graph, n.at);
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    net_conv(&n, 8, 3, 3, 1, 1, NW_ACT_NONE);
    net_add(&n, input, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_hw *hw = load_hw("ne32");
    nw_kernels *kernels = split_on(graph, hw, NULL);
    ck_assert_str_eq(kernel_list(kernels), "conv conv conv+add");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(kernels->kernels[i].shape.is_first, i == 0);
    FREE_ALL(graph, hw, kernels);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel_shape");
    TCase *tests = tcase_create("kernel_shape");
    tcase_set_timeout(tests, 300);
    const TTest *const list[] = {
        reshape_and_flatten_are_free,
        turning_an_onnx_map_to_height_width_channels_is_free,
        turning_a_map_any_other_way_is_a_copy,
        a_transpose_that_only_moves_axes_of_size_one_is_free,
        a_concatenation_is_free_when_nobody_else_reads_its_inputs,
        a_concatenation_of_a_network_input_is_a_copy,
        a_split_writes_as_much_as_it_reads,
        a_slice_reads_only_what_it_keeps,
        a_product_of_two_maps_is_sized_by_the_larger,
        each_head_of_an_attention_has_operands_of_its_own,
        what_does_not_fit_lives_in_dram_and_costs_traffic,
        spilled_operands_are_all_fetched,
        both_operands_of_a_spilled_matrix_product_are_fetched,
        a_residual_that_is_also_the_convolutions_input_is_not_overwritten,
        only_what_reads_the_networks_input_is_first,
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        tcase_add_test(tests, list[i]);
    tcase_add_loop_test(tests, multiply_accumulates_of_unusual_products_add_up, 0,
                        (int)(sizeof products / sizeof *products));
    tcase_add_loop_test(tests, kernels_cover_real_networks_exactly, 0, N_HW);
    tcase_add_loop_test(tests, kernels_cover_random_networks_exactly, 0, N_HW);
    tcase_add_loop_test(tests, kernels_cover_randomly_hinted_networks_exactly, 0, N_HW);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
