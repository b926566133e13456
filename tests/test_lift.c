/* Lifting: real models against what their papers say. */
#include <check.h>
#include <stdlib.h>

#include "src/arch/arch.h"
#include "src/format/format.h"
#include "tests/support.h"

static const nw_arch *lift_file(const char *model)
{
    char name[128];
    nw_graph *graph;
    nw_error err;
    snprintf(name, sizeof name, "models/%s", model);
    const char *path = shared_path(name);
    if (!path)
        return NULL;
    if (nw_model_load(path, NULL, 0, &graph, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return nw_arch_lift(graph);
}

/* Sandler et al. 2018, table 2: t, c, n, s of the bottlenecks; the channels of a file of another
 * width are width * c, rounded to a multiple of 8 and never under 0.9 of it (the authors' rule). */
static const struct {
    int t, c, n, s;
} v2[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
          {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

static int v2_channels(double width, int c)
{
    double wanted = width * c;
    int rounded = (int)(wanted + 4) / 8 * 8;
    rounded = rounded < 8 ? 8 : rounded;
    return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

static void check_mobilenet_v2(const char *model, double width)
{
    const nw_arch *arch = lift_file(model);
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
            ck_assert_int_eq(block->out_c, v2_channels(width, v2[row].c));
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

int main(void)
{
    Suite *suite = suite_create("lift");
    TCase *tests = tcase_create("lift");
    tcase_add_test(tests, mobilenet_v2_has_the_bottlenecks_of_its_paper);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
