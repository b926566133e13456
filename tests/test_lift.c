/* Lifting: real models against what their papers say, and what holds for every network. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/rng.h"
#include "src/measure/measure.h"
#include "tests/support_lift.h"
#include "tests/support_models.h"
#include "tests/support_split.h"

/* ---- of every network ---- */

static bool is_known(const nw_graph *graph, nw_node_id id)
{
    const nw_node *node = &graph->nodes[id];
    for (int i = 0; i < node->n_outputs; i++) {
        const nw_tensor *t = node->outputs[i] == NW_NONE ? NULL : &graph->tensors[node->outputs[i]];
        if (t && !t->is_const && !t->ints && !t->floats)
            return false;
    }
    return true;
}

static void check_labels(const nw_arch *arch, const nw_block *blocks, int n)
{
    char label[32];
    int *n_blocks = calloc((size_t)nw_arch_n_stages(arch) + 1, sizeof *n_blocks);
    for (int i = 0; i < n; i++) {
        ck_assert(blocks[i].stage >= 0 && blocks[i].stage < nw_arch_n_stages(arch));
        ck_assert_int_eq(blocks[i].index, n_blocks[blocks[i].stage]++);
        nw_block_label(&blocks[i], label, sizeof label);
        ck_assert_ptr_eq(nw_arch_find_block(arch, label), &blocks[i]);
    }
    free(n_blocks);
    ck_assert_ptr_null(nw_arch_find_block(arch, ""));
    ck_assert_ptr_null(nw_arch_find_block(arch, "0"));
    ck_assert_ptr_null(nw_arch_find_block(arch, "0.0x"));
    ck_assert_ptr_null(nw_arch_find_block(arch, "0.999999"));
}

static void check_parts(const nw_arch *arch, const nw_block *block)
{
    for (int role = 0; role < NW_PART_COUNT; role++) {
        const nw_block_part *part = &block->parts[role];
        if (part->conv == NW_NONE)
            continue;
        ck_assert_ptr_eq(nw_arch_block_of(arch, part->conv), block);
        ck_assert_int_ne(part->out, NW_NONE);
        if (part->norm != NW_NONE)
            ck_assert_ptr_eq(nw_arch_block_of(arch, part->norm), block);
        if (part->act_node != NW_NONE)
            ck_assert_ptr_eq(nw_arch_block_of(arch, part->act_node), block);
    }
    if (block->add != NW_NONE)
        ck_assert_ptr_eq(nw_arch_block_of(arch, block->add), block);
    ck_assert_int_eq(block->add != NW_NONE, block->has_residual);
}

/* Every node that runs is in one block, blocks follow their last nodes, and sums are the graph's.
 */
static void check_arch(const nw_arch *arch)
{
    const nw_graph *graph = nw_arch_graph(arch);
    int n, last = -1, *position = calloc((size_t)graph->n_nodes + 1, sizeof *position);
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    uint8_t *is_seen = calloc((size_t)graph->n_nodes + 1, 1);
    int64_t macs = 0, params = 0;
    nw_counts counts;
    for (int i = 0; i < graph->n_nodes; i++)
        position[graph->order[i]] = i;
    for (int i = 0; i < n; i++) {
        int end = -1;
        macs += blocks[i].macs;
        params += blocks[i].params;
        ck_assert_int_gt(blocks[i].n_nodes, 0);
        for (int k = 0; k < blocks[i].n_nodes; k++) {
            nw_node_id id = blocks[i].nodes[k];
            ck_assert(!is_seen[id]++);
            ck_assert_ptr_eq(nw_arch_block_of(arch, id), &blocks[i]);
            ck_assert(k == 0 || position[blocks[i].nodes[k - 1]] < position[id]);
            end = is_known(graph, id) ? end : position[id];
        }
        ck_assert_int_gt(end < 0 ? last + 1 : end, last);
        last = end < 0 ? last : end;
        check_parts(arch, &blocks[i]);
    }
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        ck_assert(is_seen[id] || is_known(graph, id));
    nw_graph_count(graph, &counts);
    ck_assert_int_eq(macs, counts.macs);
    ck_assert_int_eq(params, counts.params);
    check_labels(arch, blocks, n);
    free(is_seen);
    free(position);
}

START_TEST(every_node_of_every_model_is_in_one_block_and_sums_add_up)
{
    int n_models;
    const lift_model *models = lift_models(&n_models);
    for (int i = 0; i < n_models; i++) {
        const nw_arch *arch = lift_model_file(models[i].name);
        if (!arch)
            return;
        check_arch(arch);
        printf("  %-44s MACs in recognised blocks %5.1f %%, of several convolutions %5.1f %%\n",
               models[i].name, 100 * nw_arch_recognised(arch), 100 * lift_share_of_several(arch));
        if (models[i].is_ibn)
            ck_assert_double_ge(nw_arch_recognised(arch), 0.9);
        nw_arch_release(arch);
    }
}
END_TEST

/* Networks of every family that real ones come from, as the sampling plan draws them. */
START_TEST(random_networks_of_every_family_are_lifted)
{
    nw_hw *hw = load_hw("ne32");
    for (int i = 0; i < 300; i++) {
        const nw_arch *arch = nw_arch_lift(nw_sampling_network(hw, 11, i, NULL));
        check_arch(arch);
        nw_arch_release(arch);
    }
    nw_hw_free(hw);
}
END_TEST

/* An operator on maps drawn at random, so that patterns begin anywhere, break anywhere and share
 * what they are made of. */
static void draw_layer(net *n, nw_rng *rng, const nw_tensor_id *maps, int n_maps, int full)
{
    static const nw_op ops[] = {NW_OP_RELU,     NW_OP_SIGMOID,    NW_OP_HARD_SIGMOID, NW_OP_SWISH,
                                NW_OP_QUANTIZE, NW_OP_DEQUANTIZE, NW_OP_IDENTITY,     NW_OP_CAST};
    nw_tensor_id other = maps[nw_rng_range(rng, 0, n_maps - 1)];
    n->h = n->w = full;
    n->c = 8;
    switch (nw_rng_range(rng, 0, 11)) {
    case 0:
    case 1:
        net_onnx_conv(n, 8, 1, 1, 1);
        break;
    case 2:
        net_onnx_conv(n, 8, 3, 1, nw_rng_chance(rng, 0.5) ? 8 : 1);
        break;
    case 3:
        net_two(n, NW_OP_ADD, n->at, other);
        break;
    case 4:
        net_two(n, NW_OP_MUL, n->at, other);
        break;
    case 5:
        net_two(n, NW_OP_ADD, n->at, net_number(n, 3));
        break;
    case 6:
        net_clip6(n);
        break;
    case 7:
        net_two(n, NW_OP_DIV, n->at, net_number(n, 6));
        break;
    case 8:
        net_onnx_norm(n);
        break;
    case 9: { /* the end of a squeeze-and-excite, or of something that only looks like one */
        net_global_pool(n);
        net_onnx_conv(n, 4, 1, 1, 1);
        net_onnx_conv(n, 8, 1, 1, 1);
        net_one(n, NW_OP_SIGMOID);
        net_two(n, NW_OP_MUL, n->at, other);
        break;
    }
    default:
        net_one(n, ops[nw_rng_range(rng, 0, (int64_t)(sizeof ops / sizeof *ops) - 1)]);
    }
}

START_TEST(graphs_of_random_operators_are_lifted)
{
    enum { N_GRAPHS = 3000, N_LAYERS = 24, SIDE = 6 };
    nw_rng rng = nw_rng_make(3, 0);
    for (int i = 0; i < N_GRAPHS; i++) {
        nw_tensor_id maps[N_LAYERS + 1];
        net n = net_begin_nchw(SIDE, SIDE, 8, NW_DTYPE_FLOAT32);
        maps[0] = n.at;
        for (int k = 0; k < N_LAYERS; k++) {
            n.at = maps[nw_rng_chance(&rng, 0.75) ? k : nw_rng_range(&rng, 0, k)];
            draw_layer(&n, &rng, maps, k + 1, SIDE);
            maps[k + 1] = n.at;
            if (nw_rng_chance(&rng, 0.05) && k + 1 < N_LAYERS)
                nw_graph_add_output(n.graph, n.at);
        }
        const nw_arch *arch = lift_net(&n);
        check_arch(arch);
        nw_arch_release(arch);
    }
}
END_TEST

static void *find_blocks(void *arch)
{
    int n;
    return (void *)nw_arch_blocks(arch, &n);
}

START_TEST(threads_that_ask_at_once_get_the_same_blocks)
{
    enum { N_THREADS = 4, ROUNDS = 20 };
    nw_hw *hw = load_hw("ne32");
    for (int round = 0; round < ROUNDS; round++) {
        const nw_arch *arch = nw_arch_lift(nw_sampling_network(hw, 5, round, NULL));
        pthread_t threads[N_THREADS];
        void *found[N_THREADS];
        for (int i = 0; i < N_THREADS; i++)
            ck_assert_int_eq(pthread_create(&threads[i], NULL, find_blocks, (void *)arch), 0);
        for (int i = 0; i < N_THREADS; i++)
            pthread_join(threads[i], &found[i]);
        for (int i = 0; i < N_THREADS; i++)
            ck_assert_ptr_eq(found[i], found[0]);
        nw_arch_release(nw_arch_retain(arch));
        nw_arch_release(arch);
    }
    nw_hw_free(hw);
}
END_TEST

/* ---- MobileNets ---- */

/* The channels of a network of another width: width * c, rounded to a multiple of 8 and never under
 * 0.9 of it (the authors' rule). */
static int scaled(double width, int c)
{
    double wanted = width * c;
    int rounded = (int)(wanted + 4) / 8 * 8;
    rounded = rounded < 8 ? 8 : rounded;
    return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

/* Howard et al. 2017, table 1: stride and output channels of the separable convolutions; the last
 * stride, 2 in the table, is 1 in every published network (the sizes in the table agree). */
static void check_mobilenet_v1(const char *model, double width)
{
    static const struct {
        int s, c;
    } v1[] = {{1, 64},  {2, 128}, {1, 128}, {2, 256}, {1, 256},  {2, 512}, {1, 512},
              {1, 512}, {1, 512}, {1, 512}, {1, 512}, {2, 1024}, {1, 1024}};
    const nw_arch *arch = lift_model_file(model);
    int n_blocks;
    if (!arch)
        return;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    ck_assert_int_gt(n_blocks, 14);
    ck_assert_int_eq(blocks[0].kind, NW_BLOCK_CONV);
    ck_assert_int_eq(blocks[0].stride, 2);
    for (int i = 0; i < 13; i++) {
        const nw_block *block = &blocks[i + 1];
        ck_assert_int_eq(block->kind, NW_BLOCK_DSEP);
        ck_assert_int_eq(block->stride, v1[i].s);
        ck_assert_int_eq(block->kernel, 3);
        ck_assert_int_eq(block->in_c, blocks[i].out_c);
        ck_assert_int_eq(block->out_c, scaled(width, v1[i].c));
        ck_assert(!block->has_residual);
        ck_assert_int_eq(block->stage == blocks[i].stage,
                         v1[i].s == 1 && i > 0 && v1[i].c == v1[i - 1].c);
    }
    ck_assert_int_eq(blocks[14].kind, NW_BLOCK_POOL);
    nw_arch_release(arch);
}

START_TEST(mobilenet_v1_has_the_separable_convolutions_of_its_paper)
{
    check_mobilenet_v1("mobilenet_v1_0.25_128_quant.tflite", 0.25);
    check_mobilenet_v1("mlperf_tiny_vww_96_float.tflite", 0.25);
    check_mobilenet_v1("mlperf_tiny_vww_96_int8.tflite", 0.25);
}
END_TEST

/* Sandler et al. 2018, table 2: t, c, n, s of the bottlenecks. */
static const struct {
    int t, c, n, s;
} v2[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
          {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

static void check_mobilenet_v2(const char *model, double width)
{
    const nw_arch *arch = lift_model_file(model);
    int n_blocks, at = 1;
    if (!arch)
        return;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    ck_assert_int_ge(n_blocks, 20);
    ck_assert_int_eq(blocks[0].kind, NW_BLOCK_CONV);
    ck_assert_int_eq(blocks[0].stride, 2);
    int64_t in_c = blocks[0].out_c;
    for (size_t row = 0; row < sizeof v2 / sizeof *v2; row++)
        for (int i = 0; i < v2[row].n; i++, at++) {
            const nw_block *block = &blocks[at];
            ck_assert_int_eq(block->kind, v2[row].t == 1 ? NW_BLOCK_DSEP : NW_BLOCK_IBN);
            ck_assert_int_eq(block->in_c, in_c);
            ck_assert_int_eq(block->mid_c, v2[row].t * in_c);
            ck_assert_int_eq(block->out_c, scaled(width, v2[row].c));
            ck_assert_int_eq(block->kernel, 3);
            ck_assert_int_eq(block->stride, i ? 1 : v2[row].s);
            ck_assert_int_eq(block->has_residual, i > 0);
            ck_assert_int_eq(block->stage, (int)row + 1);
            ck_assert_int_eq(block->index, i);
            in_c = block->out_c;
        }
    ck_assert_int_eq(blocks[at].kind, NW_BLOCK_CONV);
    ck_assert_int_eq(blocks[at].out_c, 1280);
    ck_assert_int_eq(blocks[at + 1].kind, NW_BLOCK_POOL);
    nw_arch_release(arch);
}

START_TEST(mobilenet_v2_has_the_bottlenecks_of_its_paper)
{
    check_mobilenet_v2("mobilenet_v2_1.0_224_quant.tflite", 1);
    check_mobilenet_v2("tv_mobilenet_v2_w035_224.onnx", 0.35);
    check_mobilenet_v2("tv_mobilenet_v2_w035_224_qdq.onnx", 0.35);
}
END_TEST

/* Howard et al. 2019: kernel, expanded and output channels, squeeze-and-excite, hard swish, stride.
 * Inner channels of the squeeze: a quarter of the expanded, rounded as above. */
typedef struct v3_row {
    int k, exp, out;
    bool se, hs;
    int s;
} v3_row;

static void check_v3_row(const nw_block *block, const v3_row *row, int dilation)
{
    nw_op act = row->hs ? NW_OP_HARD_SWISH : NW_OP_RELU;
    ck_assert_int_eq(block->kind, row->exp == block->in_c ? NW_BLOCK_DSEP : NW_BLOCK_IBN);
    ck_assert_int_eq(block->kernel, row->k);
    ck_assert_int_eq(block->mid_c, row->exp);
    ck_assert_int_eq(block->out_c, row->out);
    ck_assert_int_eq(block->squeeze_c, row->se ? scaled(0.25, row->exp) : 0);
    ck_assert_int_eq(block->stride, row->s);
    ck_assert_int_eq(block->dilation, dilation);
    ck_assert_int_eq(block->parts[NW_PART_SPATIAL].act, act);
    if (block->kind == NW_BLOCK_IBN)
        ck_assert_int_eq(block->parts[NW_PART_EXPAND].act, act);
    ck_assert_int_eq(block->parts[NW_PART_PROJECT].act, NW_OP_IDENTITY);
    ck_assert_int_eq(block->has_residual, row->s == 1 && block->in_c == row->out);
}

/* Table 1, as torchvision builds it for SSDLite: its reduced tail halves the channels of the last
 * three blocks (160 to 80, 960 to 480), and the detector reads the expansion of the first of them,
 * which is a convolution by itself then and leaves a separable one. */
START_TEST(mobilenet_v3_large_has_the_bottlenecks_of_its_paper)
{
    static const v3_row rows[] = {
        {3, 16, 16, 0, 0, 1},  {3, 64, 24, 0, 0, 2},   {3, 72, 24, 0, 0, 1},
        {5, 72, 40, 1, 0, 2},  {5, 120, 40, 1, 0, 1},  {5, 120, 40, 1, 0, 1},
        {3, 240, 80, 0, 1, 2}, {3, 200, 80, 0, 1, 1},  {3, 184, 80, 0, 1, 1},
        {3, 184, 80, 0, 1, 1}, {3, 480, 112, 1, 1, 1}, {3, 672, 112, 1, 1, 1},
        {5, 672, 80, 1, 1, 2}, {5, 480, 80, 1, 1, 1},  {5, 480, 80, 1, 1, 1}};
    const nw_arch *arch = lift_model_file("tv_ssdlite320_mobilenet_v3_large_2cls.onnx");
    int n, n_heads = 0;
    if (!arch)
        return;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    const nw_block *block = blocks;
    ck_assert_int_eq(block->kind, NW_BLOCK_CONV);
    ck_assert_int_eq(block->out_c, 16);
    ck_assert_int_eq(block->parts[NW_PART_SPATIAL].act, NW_OP_HARD_SWISH);
    for (int i = 0; i < 15; i++) {
        block++;
        if (i == 12) {
            ck_assert_int_eq(block->kind, NW_BLOCK_CONV);
            ck_assert_int_eq(block->in_c, 112);
            ck_assert_int_eq(block->out_c, 672);
            block++;
            ck_assert_int_eq(block->kind, NW_BLOCK_DSEP);
        }
        check_v3_row(block, &rows[i], 1);
    }
    /* a head of boxes and one of classes on each of six maps: 6 anchors of 4 or 2 numbers */
    for (int i = 0; i < n; i++)
        if (blocks[i].kind == NW_BLOCK_HEAD) {
            ck_assert_int_eq(blocks[i].out_c, n_heads < 6 ? 24 : 12);
            ck_assert_int_ne(blocks[i].parts[NW_PART_PROJECT].conv, NW_NONE);
            n_heads++;
        }
    ck_assert_int_eq(n_heads, 12);
    nw_arch_release(arch);
}
END_TEST

/* Table 2, as torchvision builds it for segmentation: the last stride is a dilation of the three
 * blocks from there on. */
START_TEST(mobilenet_v3_small_has_the_bottlenecks_of_its_paper)
{
    static const v3_row rows[] = {
        {3, 16, 16, 1, 0, 2},  {3, 72, 24, 0, 0, 2},  {3, 88, 24, 0, 0, 1},  {5, 96, 40, 1, 1, 2},
        {5, 240, 40, 1, 1, 1}, {5, 240, 40, 1, 1, 1}, {5, 120, 48, 1, 1, 1}, {5, 144, 48, 1, 1, 1},
        {5, 288, 96, 1, 1, 1}, {5, 576, 96, 1, 1, 1}, {5, 576, 96, 1, 1, 1}};
    const nw_arch *arch = lift_model_file("tv_lraspp_mobilenet_v3_small_256.onnx");
    int n, n_heads = 0;
    if (!arch)
        return;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < 11; i++)
        check_v3_row(&blocks[i + 1], &rows[i], i < 8 ? 1 : 2);
    ck_assert_int_eq(blocks[12].kind, NW_BLOCK_CONV);
    ck_assert_int_eq(blocks[12].out_c, 576);
    for (int i = 0; i < n; i++)
        if (blocks[i].kind == NW_BLOCK_HEAD) { /* of the coarse and the fine map, 19 classes */
            ck_assert_int_eq(blocks[i].out_c, 19);
            n_heads++;
        }
    ck_assert_int_eq(n_heads, 2);
    nw_arch_release(arch);
}
END_TEST

/* ---- others ---- */

/* Lin et al. 2020: kernels 3, 5, 7; expansions up to 6. */
START_TEST(mcunet_is_of_inverted_bottlenecks_of_its_search_space)
{
    static const char *const names[] = {"mcunet_vww.tflite", "mcunet_person_det.tflite"};
    for (int k = 0; k < 2; k++) {
        const nw_arch *arch = lift_model_file(names[k]);
        int n, n_ibn = 0;
        if (!arch)
            return;
        const nw_block *blocks = nw_arch_blocks(arch, &n);
        for (int i = 0; i < n; i++) {
            if (blocks[i].kind != NW_BLOCK_IBN)
                continue;
            n_ibn++;
            ck_assert(blocks[i].kernel == 3 || blocks[i].kernel == 5 || blocks[i].kernel == 7);
            ck_assert(blocks[i].expansion > 1 && blocks[i].expansion <= 6);
        }
        ck_assert_int_ge(n_ibn, 14);
        ck_assert_double_ge(lift_share_of_several(arch), 0.8);
        nw_arch_release(arch);
    }
}
END_TEST

/* MLPerf Tiny's ResNet-8: three residual blocks of 16, 32, 64 channels; the latter two halve the
 * map and have a 1x1 on the way round. */
START_TEST(resnet_8_is_three_basic_blocks)
{
    const nw_arch *arch = lift_model_file("mlperf_tiny_resnet_int8.tflite");
    int n;
    if (!arch)
        return;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < 3; i++) {
        const nw_block *block = &blocks[i + 1];
        ck_assert_int_eq(block->kind, NW_BLOCK_BASIC);
        ck_assert_int_eq(block->out_c, 16 << i);
        ck_assert_int_eq(block->stride, i ? 2 : 1);
        ck_assert_int_eq(block->parts[NW_PART_SHORTCUT].conv != NW_NONE, i > 0);
        ck_assert_int_eq(block->act, NW_OP_RELU);
    }
    nw_arch_release(arch);
}
END_TEST

/* The same network in N,C,H,W and with a transpose around every operator. */
START_TEST(a_converted_file_has_the_blocks_of_its_original)
{
    const nw_arch *a = lift_model_file("person_detect_rpi.onnx");
    const nw_arch *b = lift_model_file("person_detect_rpi_fp16.tflite");
    if (!a || !b)
        return;
    int n_a, n_b, count_a[NW_BLOCK_COUNT] = {0}, count_b[NW_BLOCK_COUNT] = {0};
    const nw_block *in_a = nw_arch_blocks(a, &n_a), *in_b = nw_arch_blocks(b, &n_b);
    for (int i = 0; i < n_a; i++)
        count_a[in_a[i].kind]++;
    for (int i = 0; i < n_b; i++)
        count_b[in_b[i].kind]++;
    for (int kind = 0; kind < NW_BLOCK_OP; kind++)
        ck_assert_msg(count_a[kind] == count_b[kind], "%s: %d, %d",
                      nw_block_kind_name((nw_block_kind)kind), count_a[kind], count_b[kind]);
    nw_arch_release(a);
    nw_arch_release(b);
}
END_TEST

START_TEST(kinds_are_found_by_name_and_alias)
{
    for (int kind = 0; kind < NW_BLOCK_COUNT; kind++)
        ck_assert_int_eq(nw_block_kind_find(nw_block_kind_name((nw_block_kind)kind)), kind);
    ck_assert_int_eq(nw_block_kind_find("mbconv"), NW_BLOCK_IBN);
    ck_assert_int_eq(nw_block_kind_find("ir"), NW_BLOCK_IBN);
    ck_assert_int_eq(nw_block_kind_find("er"), NW_BLOCK_FUSED);
    ck_assert_int_eq(nw_block_kind_find("fused_ibn"), NW_BLOCK_FUSED);
    ck_assert_int_eq(nw_block_kind_find("ds"), NW_BLOCK_DSEP);
    ck_assert_int_eq(nw_block_kind_find("cn"), NW_BLOCK_CONV);
    ck_assert_int_eq(nw_block_kind_find("tu"), NW_BLOCK_TUCKER);
    ck_assert_int_eq(nw_block_kind_find(""), NW_BLOCK_COUNT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lift");
    TCase *tests = tcase_create("lift");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, every_node_of_every_model_is_in_one_block_and_sums_add_up);
    tcase_add_test(tests, random_networks_of_every_family_are_lifted);
    tcase_add_test(tests, graphs_of_random_operators_are_lifted);
    tcase_add_test(tests, threads_that_ask_at_once_get_the_same_blocks);
    tcase_add_test(tests, mobilenet_v1_has_the_separable_convolutions_of_its_paper);
    tcase_add_test(tests, mobilenet_v2_has_the_bottlenecks_of_its_paper);
    tcase_add_test(tests, mobilenet_v3_large_has_the_bottlenecks_of_its_paper);
    tcase_add_test(tests, mobilenet_v3_small_has_the_bottlenecks_of_its_paper);
    tcase_add_test(tests, mcunet_is_of_inverted_bottlenecks_of_its_search_space);
    tcase_add_test(tests, resnet_8_is_three_basic_blocks);
    tcase_add_test(tests, a_converted_file_has_the_blocks_of_its_original);
    tcase_add_test(tests, kinds_are_found_by_name_and_alias);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
