/* Edits put to work: what they do to numbers that can be computed by hand, and that no sequence of
 * them leaves an invalid network behind. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/arch.h"
#include "src/base/rng.h"
#include "src/format/format.h"
#include "tests/support_edit.h"
#include "tests/support_net.h"

/* 1x1 up, depthwise 3x3, 1x1 down, residual: [ir] k3 e6 c16 on 32x32, behind a stem. */
static const char two_blocks[] = "cn_r1_k3_s2_c16 ir_r2_k3_s1_e6_c16";

static const nw_arch *read_arch(const char *text)
{
    return arch_of_text(text, 64);
}

/* On a 32x32 map: stem 3*9*16, a block 16*96 + 96*9 + 96*16. */
#define PIXELS (32 * 32)
#define STEM   ((int64_t)PIXELS * 3 * 9 * 16)
#define IBN    ((int64_t)PIXELS * (16 * 96 + 96 * 9 + 96 * 16))

static const struct {
    const char *line;
    int64_t macs;
} cases[] = {
    {"residual ibn off", STEM + 2 * IBN},
    {"variant 1.1 fused", STEM + IBN + (int64_t)PIXELS *(16 * 9 * 96 + 96 * 16)},
    {"variant 1.1 fused e=4", STEM + IBN + (int64_t)PIXELS *(16 * 9 * 64 + 64 * 16)},
    {"variant ibn fused", STEM + 2 * (int64_t)PIXELS *(16 * 9 * 96 + 96 * 16)},
    {"expansion 1.1 3", STEM + IBN + (int64_t)PIXELS *(16 * 48 + 48 * 9 + 48 * 16)},
    {"expansion 1.1 c=64", STEM + IBN + (int64_t)PIXELS *(16 * 64 + 64 * 9 + 64 * 16)},
    {"kernel 1.1 5", STEM + IBN + (int64_t)PIXELS *(16 * 96 + 96 * 25 + 96 * 16)},
    {"squeeze 1.1 0.25", STEM + 2 * IBN + 2 * 96 * 4},
    {"act * hard_swish", STEM + 2 * IBN},
    {"precision 1.1 int16", STEM + 2 * IBN},
};

START_TEST(an_edit_costs_what_a_hand_count_says)
{
    const nw_arch *arch = edit_arch(read_arch(two_blocks), cases[_i].line);
    ck_assert_int_eq(macs_of(arch), cases[_i].macs);
    nw_arch_release(arch);
}
END_TEST

START_TEST(fused_and_back_is_the_same_count)
{
    const nw_arch *arch = read_arch(two_blocks);
    nw_counts before, after;
    nw_graph_count(nw_arch_graph(arch), &before);
    arch = edit_arch(edit_arch(arch, "variant 1.0 fused"), "variant 1.0 ibn");
    nw_graph_count(nw_arch_graph(arch), &after);
    ck_assert_int_eq(before.macs, after.macs);
    ck_assert_int_eq(before.params, after.params);
    nw_arch_release(arch);
}
END_TEST

START_TEST(a_refusal_names_the_block_and_the_reason)
{
    static const struct {
        const char *line, *why;
    } refused[] = {
        {"variant 0.0 fused", "0.0 has no expansion"},
        {"stride 1.1 2", "adds its input to its output"},
        {"kernel 9.9 5", "picks no block: the network has stages 0 to 1"},
    };
    const nw_arch *arch = read_arch(two_blocks);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        refuse_edit(arch, refused[i].line, refused[i].why);
    nw_arch_release(arch);
}
END_TEST

START_TEST(a_network_without_blocks_has_nothing_to_edit)
{
    static const char *const lines[] = {"channels * 24",     "kernel 0 5", "kernel 0.0 5",
                                        "variant ibn fused", "depth 0 2",  "squeeze *.0 0.25"};
    net n = net_begin(8, 8, 3, NW_DTYPE_FLOAT32);
    const nw_arch *arch = nw_arch_lift(net_end(&n));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        refuse_edit(arch, lines[i], "the network has none");
    nw_arch_release(arch);
}
END_TEST

/* What one key more or less than a block has comes to; such values cannot be written as a line. */
START_TEST(values_that_no_line_can_say_are_refused)
{
    static const struct {
        nw_edit_kind kind;
        nw_count_mode mode;
        int64_t count;
        double number;
    } refused[] = {
        {NW_EDIT_KERNEL, NW_COUNT_SET, -1, 0},       {NW_EDIT_KERNEL, NW_COUNT_SET, 4, 0},
        {NW_EDIT_STRIDE, NW_COUNT_SET, 0, 0},        {NW_EDIT_STRIDE, NW_COUNT_SET, 3, 0},
        {NW_EDIT_DEPTH, NW_COUNT_SET, 0, 0},         {NW_EDIT_CHANNELS, NW_COUNT_SET, 0, 0},
        {NW_EDIT_CHANNELS, NW_COUNT_NEAREST, 0, 0},  {NW_EDIT_EXPANSION, NW_COUNT_UP, 0, 0},
        {NW_EDIT_EXPANSION, NW_COUNT_SET, 0, 0},     {NW_EDIT_EXPANSION, NW_COUNT_SET, 0, -1},
        {NW_EDIT_WIDTH, NW_COUNT_SET, 8, 0.0 / 0.0}, {NW_EDIT_SQUEEZE, NW_COUNT_SET, 0, -0.25},
        {NW_EDIT_RESOLUTION, NW_COUNT_SET, 0, 0},    {NW_EDIT_PRECISION, NW_COUNT_SET, 7, 0},
        {NW_EDIT_COUNT, NW_COUNT_SET, 1, 0},
    };
    const nw_arch *arch = read_arch(two_blocks), *out;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        nw_edit edit;
        nw_error err;
        nw_edit_init(&edit, refused[i].kind);
        edit.where.first_stage = edit.where.last_stage = 1;
        edit.where.index = refused[i].kind == NW_EDIT_DEPTH ? -1 : 0;
        edit.mode = refused[i].mode;
        edit.count = refused[i].count;
        edit.number = refused[i].number;
        ck_assert_msg(nw_arch_apply(arch, &edit, 1, &out, NULL, &err) == NW_INVALID,
                      "row %zu was done", i);
    }
    nw_arch_release(arch);
}
END_TEST

START_TEST(edits_are_listed_and_lead_from_the_origin_to_here)
{
    const nw_arch *origin = read_arch(two_blocks), *again;
    const nw_arch *arch = edit_arch(nw_arch_retain(origin), "variant 1.0 fused");
    arch = edit_arch(arch, "expansion 1.1 4");
    int n;
    nw_error err;
    const nw_edit *edits = nw_arch_edits(arch, &n);
    ck_assert_int_eq(n, 2);
    ck_assert_ptr_eq(nw_arch_origin(arch), origin);
    ck_assert_int_eq(nw_arch_apply(origin, edits, n, &again, NULL, &err), NW_OK);
    nw_buf a = {0}, b = {0};
    nw_network_json_write(nw_arch_graph(arch), &a);
    nw_network_json_write(nw_arch_graph(again), &b);
    ck_assert_str_eq(nw_buf_text(&a), nw_buf_text(&b));
    nw_buf_fini(&a);
    nw_buf_fini(&b);
    nw_arch_release(again);
    nw_arch_release(arch);
    nw_arch_release(origin);
}
END_TEST

/* ---- random sequences on real networks ---- */

static const char *const models[] = {
    "light_squeezenet.onnx",
    "person_detect_rpi.onnx",
    "tv_lraspp_mobilenet_v3_small_256.onnx",
    "tv_mobilenet_v2_w035_224.onnx",
    "tv_mobilenet_v2_w035_224_qdq.onnx",
    "tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
    "ultraface_slim_320.onnx",
    "yunet_n_320.onnx",
    "blazeface_short_range.tflite",
    "deeplabv3_mnv2_dm05_pascal_quant.tflite",
    "mcunet_person_det.tflite",
    "mcunet_vww.tflite",
    "mlperf_tiny_resnet_int8.tflite",
    "mlperf_tiny_vww_96_float.tflite",
    "mobilenet_v1_0.25_128_quant.tflite",
    "mobilenet_v2_1.0_224_quant.tflite",
    "person_detect_rpi_fp16.tflite",
    "selfie_segmentation_256.tflite",
    "ultraface_slim_320.tflite",
};

/* A line about a block, or the network, drawn from everything that can be asked. */
static void draw_line(nw_rng *rng, const nw_arch *arch, char *dst, size_t size)
{
    static const char *const forms[] = {
        "variant %s fused",   "variant %s ibn",  "variant %s dsep",      "variant %s tucker",
        "variant %s grouped", "variant %s conv", "channels %s 24",       "channels %s up 16",
        "channels %s 40",     "expansion %s 4",  "expansion %s c=64",    "kernel %s 5",
        "kernel %s 3",        "kernel %s 7",     "stride %s 2",          "stride %s 1",
        "squeeze %s 0.25",    "squeeze %s 0",    "act %s relu",          "act %s hard_swish",
        "act %s swish",       "residual %s off", "residual %s on",       "precision %s int16",
        "split %s",           "join %s",         "variant %s fused e=4", "variant %s fused_grouped",
    };
    static const char *const wide[] = {"depth %d 2", "depth %d 4", "depth %d 1"};
    char label[16];
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    const nw_block *block = &blocks[nw_rng_range(rng, 0, n - 1)];
    int64_t at = nw_rng_range(rng, 0, 32);
    if (at < 28)
        snprintf(dst, size, forms[at], nw_block_label(block, label, sizeof label));
    else if (at < 31)
        snprintf(dst, size, wide[at - 28], block->stage);
    else
        snprintf(dst, size, "width %s 8", at == 31 ? "0.75" : "1.25");
}

static void assert_valid(const nw_arch *arch, const nw_graph *origin, const char *line)
{
    const nw_graph *graph = nw_arch_graph(arch);
    ck_assert(graph->is_sealed);
    ck_assert_int_eq(graph->n_outputs, origin->n_outputs);
    for (int i = 0; i < graph->n_outputs; i++)
        ck_assert_msg(nw_shape_equal(&graph->tensors[graph->outputs[i]].shape,
                                     &origin->tensors[origin->outputs[i]].shape),
                      "%s changed output %d", line, i);
    int n, n_nodes = 0;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    int64_t macs = 0;
    for (int i = 0; i < n; i++) {
        n_nodes += blocks[i].n_nodes;
        macs += blocks[i].macs;
    }
    ck_assert_msg(macs == macs_of(arch), "%s: the blocks' MACs", line);
    ck_assert_int_le(n_nodes, graph->n_nodes);
}

/* What an edit made is lifted into blocks that say enough to write it again. */
static void assert_lifts(const nw_arch *arch, const char *line)
{
    const nw_arch *anew;
    nw_error err;
    ck_assert_msg(nw_arch_rewrite(arch, &anew, &err) == NW_OK, "after %s: %s: %s", line, err.where,
                  err.message);
    ck_assert_msg(macs_of(anew) == macs_of(arch), "%s: not the same work", line);
    nw_arch_release(anew);
}

/* n edits drawn at random; how many were done. */
static int edit_at_random(const char *model, int n, uint64_t seed)
{
    char line[96];
    const nw_arch *first = arch_of_model(model), *arch = nw_arch_retain(first), *next;
    nw_rng rng = nw_rng_make(seed, 0);
    int n_done = 0;
    for (int i = 0; first && i < n; i++) {
        nw_error err = {.message = ""};
        draw_line(&rng, arch, line, sizeof line);
        nw_edit edit = edit_of(line);
        char *before = json_of(arch);
        nw_status status = nw_arch_apply(arch, &edit, 1, &next, NULL, &err);
        char *after = json_of(arch);
        ck_assert_msg(strcmp(before, after) == 0, "%s: %s changed its source", model, line);
        free(before);
        free(after);
        if (status != NW_OK) {
            ck_assert_msg(err.message[0] != '\0', "%s: refused without a reason", line);
            continue;
        }
        assert_valid(next, nw_arch_graph(first), line);
        nw_arch_release(arch);
        arch = next;
        if (n_done++ % 4 == 0)
            assert_lifts(arch, line);
    }
    if (first)
        printf("%s: %d of %d random edits done\n", model, n_done, n);
    nw_arch_release(arch);
    nw_arch_release(first);
    return first ? n_done : n;
}

START_TEST(random_edits_leave_a_valid_network_and_their_source_as_it_was)
{
    ck_assert_int_gt(edit_at_random(models[_i], 60, (uint64_t)_i + 1), 5);
}
END_TEST

static const char *const long_models[] = {
    "tv_mobilenet_v2_w035_224_qdq.onnx",
    "tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
    "yunet_n_320.onnx",
    "mcunet_vww.tflite",
    "mlperf_tiny_resnet_int8.tflite",
    "selfie_segmentation_256.tflite",
};

START_TEST(two_hundred_edits_one_upon_another_are_borne)
{
    ck_assert_int_gt(edit_at_random(long_models[_i], 200, (uint64_t)_i + 100), 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edit");
    TCase *tcase = tcase_create("edit");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, an_edit_costs_what_a_hand_count_says, 0,
                        (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tcase, fused_and_back_is_the_same_count);
    tcase_add_test(tcase, a_refusal_names_the_block_and_the_reason);
    tcase_add_test(tcase, a_network_without_blocks_has_nothing_to_edit);
    tcase_add_test(tcase, values_that_no_line_can_say_are_refused);
    tcase_add_test(tcase, edits_are_listed_and_lead_from_the_origin_to_here);
    tcase_add_loop_test(tcase, random_edits_leave_a_valid_network_and_their_source_as_it_was, 0,
                        (int)(sizeof models / sizeof *models));
    tcase_add_loop_test(tcase, two_hundred_edits_one_upon_another_are_borne, 0,
                        (int)(sizeof long_models / sizeof *long_models));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
