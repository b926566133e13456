/* Edits of real networks of both layouts, float, quantised whole and by pairs of nodes: their work
 * counted by hand, what is refused, what becomes of weights. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support_edit.h"

#define QDQ   "tv_mobilenet_v2_w035_224_qdq.onnx"
#define FLOAT "tv_mobilenet_v2_w035_224.onnx"
#define QUANT "mobilenet_v2_1.0_224_quant.tflite"
#define SSD   "tv_ssdlite320_mobilenet_v3_large_2cls.onnx"
#define RES   "mlperf_tiny_resnet_int8.tflite"

/* ---- work ---- */

/* The MACs of the whole network change by those of the block: `before` and `after` are its own, for
 * a stage those of blocks that come or go. 3.1 of the one third wide MobileNetV2 has 16 channels,
 * 96 expanded, on 28 x 28; of the whole one 32 and 192. */
static const struct {
    const char *model, *line;
    int64_t before, after;
} cases[] = {
    {QDQ, "kernel 0.0 5", 12544 * 3 * 9 * 16, 12544 * 3 * 25 * 16},
    {QDQ, "kernel 3.1 5", 784 * 96 * 9, 784 * 96 * 25},
    {QDQ, "kernel 3.1 1", 784 * 96 * 9, 784 * 96},
    {QDQ, "variant 3.1 fused", 784 * (16 * 96 + 96 * 9), 784 * 16 * 9 * 96},
    {QDQ, "variant 3.1 fused e=2", 784 * (16 * 96 + 96 * 9 + 96 * 16),
     784 * (16 * 9 * 32 + 32 * 16)},
    {QDQ, "variant 3.1 dsep", 784 * (16 * 96 + 96 * 9 + 96 * 16), 784 * (16 * 9 + 16 * 16)},
    {QDQ, "variant 3.1 tucker e=0.5", 784 * (16 * 96 + 96 * 9 + 96 * 16),
     784 * (16 * 8 + 8 * 9 * 8 + 8 * 16)},
    {QDQ, "expansion 3.1 4", 784 * (16 * 96 + 96 * 9 + 96 * 16),
     784 * (16 * 64 + 64 * 9 + 64 * 16)},
    {QDQ, "squeeze 3.1 0.25", 0, 2 * 96 * 4},
    {QDQ, "residual 3.1 off", 0, 0},
    {QDQ, "act 3.1 hard_swish", 0, 0},
    {QDQ, "depth 4 2", 2 * 196 * (24 * 144 + 144 * 9 + 144 * 24), 0},
    {QDQ, "depth 4 6", 0, 2 * 196 * (24 * 144 + 144 * 9 + 144 * 24)},
    {QUANT, "kernel 3.1 5", 784 * 192 * 9, 784 * 192 * 25},
    {QUANT, "variant 3.1 fused", 784 * (32 * 192 + 192 * 9), 784 * 32 * 9 * 192},
    {QUANT, "variant 3.1 grouped", 784 * 192 * 9, 784 * 192 * 9 * 64},
    {QUANT, "variant 3.1 tucker", 784 * (32 * 192 + 192 * 9 + 192 * 32),
     784 * (32 * 24 + 24 * 9 * 24 + 24 * 32)},
    {QUANT, "variant 3.1 dsep", 784 * (32 * 192 + 192 * 9 + 192 * 32), 784 * (32 * 9 + 32 * 32)},
    {QUANT, "expansion 3.1 c=128", 784 * (32 * 192 + 192 * 9 + 192 * 32),
     784 * (32 * 128 + 128 * 9 + 128 * 32)},
    {QUANT, "squeeze 3.1 0.25", 0, 2 * 192 * 8},
    {QUANT, "residual 3.1 off", 0, 0},
    {QUANT, "act 3.1 hard_swish", 0, 0},
    {QUANT, "depth 4 2", 2 * 196 * (64 * 384 + 384 * 9 + 384 * 64), 0},
    {QUANT, "depth 4 6", 0, 2 * 196 * (64 * 384 + 384 * 9 + 384 * 64)},
    /* only the last convolutions read and make more: 320 -> 1280 -> 1001 */
    {QUANT, "channels 8.0 640", 49 * 320 * 1280 + 1280 * 1001, 49 * 320 * 640 + 640 * 1001},
};

START_TEST(an_edit_costs_what_a_hand_count_says)
{
    const nw_arch *arch = arch_of_model(cases[_i].model);
    if (!arch)
        return;
    int64_t before = macs_of(arch);
    arch = edit_arch(arch, cases[_i].line);
    ck_assert_msg(macs_of(arch) - before == cases[_i].after - cases[_i].before, "%s, %s: %lld more",
                  cases[_i].model, cases[_i].line, (long long)(macs_of(arch) - before));
    nw_arch_release(arch);
}
END_TEST

/* Without those that make constants, which an edit may store instead, and what converts: a map that
 * is read twice may be converted once. */
static int count_operators(const nw_graph *graph)
{
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const nw_node *node = &graph->nodes[i];
        bool converts =
            node->op == NW_OP_QUANTIZE || node->op == NW_OP_DEQUANTIZE || node->op == NW_OP_CAST;
        n += !converts && !graph->tensors[node->outputs[0]].is_const;
    }
    return n;
}

/* Weights alone: the float file stores equal biases once. */
START_TEST(there_and_back_is_the_same_work)
{
    static const char *const pairs[][2] = {
        {"kernel 3.1 5", "kernel 3.1 3"},
        {"variant 3.1 fused", "variant 3.1 ibn"},
        {"squeeze 3.1 0.25", "squeeze 3.1 0"},
        {"residual 3.1 off", "residual 3.1 on"},
        {"depth 4 6", "depth 4 4"},
        {"expansion 3.1 4", "expansion 3.1 6"},
        {"variant 3.1 tucker", "variant 3.1 ibn e=6"},
    };
    static const char *const models[] = {QDQ, FLOAT, QUANT};
    for (size_t k = 0; k < sizeof models / sizeof *models; k++)
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
            const nw_arch *arch = arch_of_model(models[k]);
            if (!arch)
                return;
            nw_counts before, after;
            nw_graph_count(nw_arch_graph(arch), &before);
            int n = count_operators(nw_arch_graph(arch));
            arch = edit_arch(edit_arch(arch, pairs[i][0]), pairs[i][1]);
            nw_graph_count(nw_arch_graph(arch), &after);
            int m = count_operators(nw_arch_graph(arch));
            ck_assert_msg(
                before.macs == after.macs && before.weight_params == after.weight_params && n == m,
                "%s: %s, %s: %lld weights of %lld, %d operators of %d", models[k], pairs[i][0],
                pairs[i][1], (long long)after.weight_params, (long long)before.weight_params, m, n);
            nw_arch_release(arch);
        }
}
END_TEST

/* ---- patterns ---- */

/* Stages 1 to 3 of both networks: MobileNetV3's have kernels of 3 and 5, and squeeze-and-excite. */
START_TEST(what_was_done_to_one_network_is_done_to_another)
{
    static const char line[] = "variant ibn@1-3 fused e=4";
    const nw_arch *from = arch_of_model(FLOAT), *to = arch_of_model(SSD), *out;
    if (!from || !to)
        return;
    from = edit_arch(from, line);
    int n, n_fused = 0;
    const nw_edit *recorded = nw_arch_edits(from, &n);
    nw_edit_report report;
    nw_error err;
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(nw_arch_apply(to, recorded, n, &out, &report, &err), NW_OK);
    int64_t before = 0, after = 6400 * (16 * 9 * 64 + 64 * 24) + 6400 * (24 * 9 * 96 + 96 * 24) +
                                1600 * (24 * 25 * 96 + 96 * 40) + 2 * 96 * 24 +
                                2 * (1600 * (40 * 25 * 160 + 160 * 40) + 2 * 160 * 32);
    static const char *const labels[] = {"2.0", "2.1", "3.0", "3.1", "3.2"};
    static const char *const notes[] = {"ibn e4 -> fused e4", "ibn e3 -> fused e4",
                                        "ibn e3 -> fused e4", "ibn e3 -> fused e4",
                                        "ibn e3 -> fused e4"};
    ck_assert_int_eq(report.n_notes, 5);
    for (int i = 0; i < 5; i++) {
        before += macs_of_block(to, labels[i]);
        ck_assert_str_eq(report.notes[i].where, labels[i]);
        ck_assert_str_eq(report.notes[i].text, notes[i]);
        ck_assert(report.notes[i].is_done);
    }
    ck_assert_int_eq(macs_of(out) - macs_of(to), after - before);
    const nw_block *blocks = nw_arch_blocks(out, &n);
    for (int i = 0; i < n; i++)
        n_fused += blocks[i].kind == NW_BLOCK_FUSED;
    ck_assert_int_eq(n_fused, 5);
    nw_edit_report_fini(&report);
    nw_arch_release(out);
    nw_arch_release(to);
    nw_arch_release(from);
}
END_TEST

START_TEST(a_pattern_notes_each_block_done_or_why_not)
{
    const nw_arch *arch = arch_of_model(FLOAT);
    if (!arch)
        return;
    int n, n_done = 0;
    nw_edit_report report = {0};
    nw_arch_blocks(arch, &n);
    const nw_arch *out = edit_with_notes(arch, "variant * fused", &report);
    ck_assert_int_eq(report.n_notes, n);
    for (int i = 0; i < n; i++)
        n_done += report.notes[i].is_done;
    ck_assert_int_eq(n_done, 17); /* 16 ibn, 1 dsep; not stem, last convolution, pool, fc */
    ck_assert(!report.notes[0].is_done);
    ck_assert_str_eq(report.notes[0].where, "0.0");
    ck_assert_str_eq(report.notes[0].text,
                     "has no expansion for kind fused: it is a block of kind conv");
    ck_assert_str_eq(report.notes[2].text, "ibn e6 -> fused e6");
    nw_edit_report_fini(&report);
    const nw_arch *same = edit_with_notes(out, "variant 2 fused", &report);
    ck_assert_ptr_eq(same, out);
    ck_assert(!report.notes[0].is_done);
    ck_assert_str_eq(report.notes[0].text, "already fused e6");
    nw_edit_report_fini(&report);
    nw_arch_release(same);
    nw_arch_release(out);
    nw_arch_release(arch);
}
END_TEST

/* ---- refusals ---- */

static const struct {
    const char *model, *line, *words;
} refused[] = {
    {FLOAT, "variant 9.0 fused", "9.0 cannot become kind fused: it is a block of kind pool"},
    {FLOAT, "variant 10.0 fused", "10.0 cannot become kind fused: it is a block of kind fc"},
    {FLOAT, "variant 3.1 basic", "3.1 cannot become kind basic: it is a block of kind ibn"},
    {FLOAT, "variant 3.1 grouped", "64 channels a group do not divide 96"},
    {FLOAT, "kernel 9.0 5", "9.0 has no kernel to change: it is a block of kind pool"},
    {FLOAT, "kernel 10.0 3", "10.0 has no kernel to change: it is a block of kind fc"},
    {FLOAT, "stride 9.0 1", "9.0 has no stride to change: it is a block of kind pool"},
    {FLOAT, "stride 3.1 2", "3.1 adds its input to its output"},
    {FLOAT, "channels 9.0 8", "9.0 has no channels of its own: it is a block of kind pool"},
    {FLOAT, "channels 10.0 500", "10.0 keeps its channels: output '536' of the network"},
    {FLOAT, "expansion 1.0 4", "1.0 has no expansion to change: it is a block of kind dsep"},
    {FLOAT, "depth 9 2", "9 is a stage without blocks of convolutions"},
    {FLOAT, "squeeze 0.0 0.25", "it is a block of kind conv"},
    {FLOAT, "act 9.0 relu", "9.0 has no activation to replace"},
    {FLOAT, "residual 9.0 on", "9.0 has no way for a residual: it is a block of kind pool"},
    {FLOAT, "residual 2.0 on", "2.0 makes 56x56x8 of 112x112x8: they cannot be added"},
    {FLOAT, "join 0.0 Softmax", "0.0 has no operator 'Softmax'"},
    {FLOAT, "kernel 99.0 5", "picks no block: the network has stages 0 to 10"},
    {FLOAT, "depth 11 5", "picks no block: the network has stages 0 to 10"},
    {FLOAT, "kernel 3.3 5", "picks no block: stage 3 has blocks 3.0 to 3.2"},
    {FLOAT, "variant tucker fused", "picks no block: the network has none of kind tucker"},
    {FLOAT, "channels conv@2-4 8", "picks no block: these stages have none of kind conv"},
    {FLOAT, "kernel *.7 5", "picks no block: none of them is number 7 of its stage"},
    {QUANT, "variant 3.1 fused_grouped", "32 input channels are no multiple of 3 groups"},
    {QUANT, "stride 6.0 1", "6.0 does not fit the rest"},
    {QUANT, "channels 10.0 10", "10.0 keeps its channels: output "},
    {SSD, "variant 17.0 fused", "17.0 cannot become kind fused: it is a block of kind head"},
    {SSD, "stride 17.0 2", "17.0 has no stride to change: it is a block of kind head"},
    {SSD, "channels 17.0 8", "17.0 keeps its channels: output '921' of the network"},
    {SSD, "residual 17.0 on", "17.0 has no way for a residual: it is a block of kind head"},
    {SSD, "depth 17 2", "17 is a stage without blocks of convolutions"},
    {SSD, "squeeze 17.0 0.25", "it is a block of kind head"},
    {RES, "variant 1.0 fused", "1.0 cannot become kind fused: it is a block of kind basic"},
    {RES, "squeeze 1.0 0.25", "it is a block of kind basic"},
};

START_TEST(a_refusal_names_the_block_and_the_reason)
{
    const nw_arch *arch = arch_of_model(refused[_i].model);
    if (!arch)
        return;
    refuse_edit(arch, refused[_i].line, refused[_i].words);
    nw_arch_release(arch);
}
END_TEST

START_TEST(edits_are_done_all_or_not_at_all)
{
    const nw_arch *arch = arch_of_model(QDQ), *out = NULL;
    if (!arch)
        return;
    nw_edit edits[] = {edit_of("variant 3.1 fused"), edit_of("depth 4 2"), edit_of("stride 3.1 2")};
    nw_edit_report report = {.n_notes = -1};
    nw_error err;
    char *before = json_of(arch);
    ck_assert_int_eq(nw_arch_apply(arch, edits, 3, &out, &report, &err), NW_INVALID);
    ck_assert_str_eq(err.where, "stride 3.1 2");
    ck_assert_ptr_null(out);
    ck_assert_int_eq(report.n_notes, -1);
    char *after = json_of(arch);
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(nw_arch_apply(arch, edits, 2, &out, NULL, &err), NW_OK);
    free(before);
    free(after);
    nw_arch_release(out);
    nw_arch_release(arch);
}
END_TEST

/* ---- weights ---- */

static const nw_tensor *weights_of(const nw_arch *arch, const char *label, nw_part_role role)
{
    const nw_graph *graph = nw_arch_graph(arch);
    const nw_block *block = nw_arch_find_block(arch, label);
    ck_assert_msg(block != NULL, "no block %s", label);
    nw_node_id conv = block->parts[role].conv;
    ck_assert_int_ne(conv, NW_NONE);
    return &graph->tensors[nw_graph_stored_root(graph, graph->nodes[conv].inputs[1])];
}

static float *values_of(const nw_tensor *tensor)
{
    void *values;
    size_t n_bytes;
    nw_dtype dtype;
    nw_error err;
    ck_assert_msg(nw_tensor_values(tensor, 1, &values, &n_bytes, &dtype, &err) == NW_OK, "%s: %s",
                  err.where, err.message);
    ck_assert_int_eq(dtype, NW_DTYPE_FLOAT32);
    ck_assert_uint_eq(n_bytes, sizeof(float) * (size_t)nw_shape_elements(&tensor->shape));
    return values;
}

/* Depthwise, O1HW: `large` is `small` with a border of zeros, or, cropped, contains it. */
static void assert_centred(const float *small, int k, const float *large, int n, int channels,
                           bool has_zeros)
{
    int border = (n - k) / 2;
    for (int i = 0; i < channels * n * n; i++) {
        int y = i / n % n - border, x = i % n - border, c = i / (n * n);
        bool is_inside = y >= 0 && y < k && x >= 0 && x < k;
        if (is_inside)
            ck_assert_float_eq(large[i], small[(c * k + y) * k + x]);
        else if (has_zeros)
            ck_assert_float_eq(large[i], 0);
    }
}

START_TEST(a_kernel_grows_by_zeros_around_it_and_shrinks_to_its_centre)
{
    const nw_arch *arch = arch_of_model(FLOAT);
    if (!arch)
        return;
    const nw_arch *grown = edit_arch(nw_arch_retain(arch), "kernel 3.1 7");
    const nw_arch *back = edit_arch(nw_arch_retain(grown), "kernel 3.1 3");
    const nw_arch *small = edit_arch(nw_arch_retain(arch), "kernel 3.1 1");
    float *old = values_of(weights_of(arch, "3.1", NW_PART_SPATIAL));
    float *large = values_of(weights_of(grown, "3.1", NW_PART_SPATIAL));
    float *again = values_of(weights_of(back, "3.1", NW_PART_SPATIAL));
    float *point = values_of(weights_of(small, "3.1", NW_PART_SPATIAL));
    assert_centred(old, 3, large, 7, 96, true);
    assert_centred(point, 1, old, 3, 96, false);
    ck_assert_int_eq(memcmp(old, again, 96 * 9 * sizeof *old), 0);
    free(old);
    free(large);
    free(again);
    free(point);
    nw_arch_release(small);
    nw_arch_release(back);
    nw_arch_release(grown);
    nw_arch_release(arch);
}
END_TEST

/* The middle of 5 x 5 in N,C,H,W. */
START_TEST(a_kernel_of_5_keeps_its_middle_3)
{
    const nw_arch *arch = arch_of_model(SSD);
    if (!arch)
        return;
    const nw_arch *small = edit_arch(nw_arch_retain(arch), "kernel 3.1 3");
    const nw_tensor *was = weights_of(arch, "3.1", NW_PART_SPATIAL);
    float *old = values_of(was), *new = values_of(weights_of(small, "3.1", NW_PART_SPATIAL));
    assert_centred(new, 3, old, 5, (int)was->shape.dims[0], false);
    free(old);
    free(new);
    nw_arch_release(small);
    nw_arch_release(arch);
}
END_TEST

START_TEST(a_fused_block_has_a_new_kxk_and_the_projection_that_it_had)
{
    static const char *const models[] = {FLOAT, QDQ, QUANT};
    for (int i = 0; i < 3; i++) {
        const nw_arch *arch = arch_of_model(models[i]);
        if (!arch)
            return;
        const nw_arch *fused = edit_arch(nw_arch_retain(arch), "variant 3.1 fused");
        const nw_tensor *spatial = weights_of(fused, "3.1", NW_PART_SPATIAL);
        const nw_tensor *project = weights_of(fused, "3.1", NW_PART_PROJECT);
        ck_assert_int_eq(nw_tensor_new_elements(spatial), nw_shape_elements(&spatial->shape));
        ck_assert_ptr_eq(project->data, weights_of(arch, "3.1", NW_PART_PROJECT)->data);
        ck_assert_ptr_null(project->edited);
        nw_arch_release(fused);
        nw_arch_release(arch);
    }
}
END_TEST

START_TEST(copies_of_a_block_have_new_weights_and_the_block_its_own)
{
    static const char *const models[] = {FLOAT, QDQ, QUANT};
    static const nw_part_role roles[] = {NW_PART_EXPAND, NW_PART_SPATIAL, NW_PART_PROJECT};
    for (int i = 0; i < 3; i++) {
        const nw_arch *arch = arch_of_model(models[i]);
        if (!arch)
            return;
        const nw_arch *deep = edit_arch(nw_arch_retain(arch), "depth 3 5");
        for (int k = 0; k < 3; k++) {
            const nw_tensor *kept = weights_of(deep, "3.2", roles[k]);
            ck_assert_ptr_eq(kept->data, weights_of(arch, "3.2", roles[k])->data);
            for (int copy = 3; copy < 5; copy++) {
                char label[16];
                snprintf(label, sizeof label, "3.%d", copy);
                const nw_tensor *made = weights_of(deep, label, roles[k]);
                ck_assert_int_eq(nw_tensor_new_elements(made), nw_shape_elements(&made->shape));
                ck_assert_str_ne(made->name, kept->name);
            }
        }
        nw_arch_release(deep);
        nw_arch_release(arch);
    }
}
END_TEST

START_TEST(new_weights_are_drawn_after_he_and_two_copies_are_not_alike)
{
    const nw_arch *arch = arch_of_model(FLOAT);
    if (!arch)
        return;
    arch = edit_arch(arch, "depth 3 5");
    float *a = values_of(weights_of(arch, "3.3", NW_PART_EXPAND));
    float *b = values_of(weights_of(arch, "3.4", NW_PART_EXPAND));
    double sum = 0, squares = 0;
    int n = 96 * 16, n_equal = 0;
    for (int i = 0; i < n; i++) {
        sum += a[i];
        squares += (double)a[i] * a[i];
        n_equal += a[i] == b[i];
    }
    /* He et al. 2015: variance 2 / fan in; 1536 draws: within a sixth */
    ck_assert_double_eq_tol(squares / n, 2.0 / 16, 2.0 / 16 / 6);
    ck_assert_double_eq_tol(sum / n, 0, 0.05);
    ck_assert_int_lt(n_equal, n / 100);
    free(a);
    free(b);
    nw_arch_release(arch);
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
    Suite *suite = suite_create("edit_models");
    TCase *tcase = tcase_create("edit_models");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, an_edit_costs_what_a_hand_count_says, 0, COUNT_OF(cases));
    tcase_add_test(tcase, there_and_back_is_the_same_work);
    tcase_add_test(tcase, what_was_done_to_one_network_is_done_to_another);
    tcase_add_test(tcase, a_pattern_notes_each_block_done_or_why_not);
    tcase_add_loop_test(tcase, a_refusal_names_the_block_and_the_reason, 0, COUNT_OF(refused));
    tcase_add_test(tcase, edits_are_done_all_or_not_at_all);
    tcase_add_test(tcase, a_kernel_grows_by_zeros_around_it_and_shrinks_to_its_centre);
    tcase_add_test(tcase, a_kernel_of_5_keeps_its_middle_3);
    tcase_add_test(tcase, a_fused_block_has_a_new_kxk_and_the_projection_that_it_had);
    tcase_add_test(tcase, copies_of_a_block_have_new_weights_and_the_block_its_own);
    tcase_add_test(tcase, new_weights_are_drawn_after_he_and_two_copies_are_not_alike);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
