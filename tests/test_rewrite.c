/* Lifting says enough: every block of every real network, written anew from its parameters, gives
 * the same network: counts, shapes of all tensors, kernels, weights. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/arch.h"
#include "src/format/format.h"
#include "src/kernel/kernel.h"
#include "tests/support.h"

static const char *const models[] = {
    "light_squeezenet.onnx",
    "mnist_cntk.onnx",
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
    "mlperf_tiny_vww_96_int8.tflite",
    "mobilenet_v1_0.25_128_quant.tflite",
    "mobilenet_v1_0.25_128_quant_edgetpu.tflite",
    "mobilenet_v2_1.0_224_quant.tflite",
    "person_detect.tflite",
    "person_detect_rpi_fp16.tflite",
    "selfie_segmentation_256.tflite",
    "ultraface_slim_320.tflite",
};

static void check_kernels(const nw_graph *a, const nw_graph *b)
{
    nw_hw *hw;
    nw_kernels *x, *y;
    nw_error err;
    ck_assert_int_eq(nw_hw_load("ne32", "hw", &hw, &err), NW_OK);
    ck_assert_int_eq(nw_kernels_split(a, hw, NULL, &x, &err), NW_OK);
    ck_assert_int_eq(nw_kernels_split(b, hw, NULL, &y, &err), NW_OK);
    ck_assert_int_eq(x->n_kernels, y->n_kernels);
    for (int i = 0; i < x->n_kernels; i++)
        ck_assert_msg(
            memcmp(&x->kernels[i].shape, &y->kernels[i].shape, sizeof x->kernels[i].shape) == 0,
            "kernel %d is another one", i);
    ck_assert_int_eq(x->memory.peak_live_bytes, y->memory.peak_live_bytes);
    nw_kernels_free(x);
    nw_kernels_free(y);
    nw_hw_free(hw);
}

/* Operators in schedule order: the same, on the same bytes of weights. */
static int check_nodes(const nw_graph *a, const nw_graph *b)
{
    int n_anew = 0;
    ck_assert_int_eq(a->n_nodes, b->n_nodes);
    for (int i = 0; i < a->n_nodes; i++) {
        const nw_node *x = &a->nodes[a->order[i]], *y = &b->nodes[b->order[i]];
        ck_assert_int_eq(x->op, y->op);
        ck_assert_int_eq(x->act, y->act);
        ck_assert_int_eq(x->n_inputs, y->n_inputs);
        n_anew += strcmp(x->name, y->name) != 0 ||
                  strcmp(a->tensors[x->outputs[0]].name, b->tensors[y->outputs[0]].name) != 0;
        for (int k = 0; k < x->n_inputs; k++) {
            if (x->inputs[k] == NW_NONE)
                continue;
            const nw_tensor *s = &a->tensors[x->inputs[k]], *t = &b->tensors[y->inputs[k]];
            ck_assert_ptr_eq(s->data, t->data);
            ck_assert_ptr_null(t->edited);
            ck_assert(nw_shape_equal(&s->shape, &t->shape));
        }
    }
    return n_anew;
}

START_TEST(a_network_written_anew_from_its_blocks_is_the_same)
{
    char name[128];
    nw_graph *graph;
    nw_error err;
    const nw_arch *anew;
    snprintf(name, sizeof name, "models/%s", models[_i]);
    const char *path = shared_path(name);
    if (!path)
        return;
    ck_assert_int_eq(nw_model_load(path, NULL, 0, &graph, &err), NW_OK);
    const nw_arch *arch = nw_arch_lift(graph);
    ck_assert_msg(nw_arch_rewrite(arch, &anew, &err) == NW_OK, "%s: %s: %s", models[_i], err.where,
                  err.message);
    nw_counts before, after;
    nw_graph_count(graph, &before);
    nw_graph_count(nw_arch_graph(anew), &after);
    ck_assert_int_eq(before.macs, after.macs);
    ck_assert_int_eq(before.params, after.params);
    ck_assert_int_eq(before.weight_bytes, after.weight_bytes);
    int n_anew = check_nodes(graph, nw_arch_graph(anew));
    check_kernels(graph, nw_arch_graph(anew));
    int n, m;
    const nw_block *x = nw_arch_blocks(arch, &n), *y = nw_arch_blocks(anew, &m);
    ck_assert_int_eq(n, m);
    for (int i = 0; i < n; i++) {
        char a[160], b[160];
        ck_assert_str_eq(nw_block_text(&x[i], a, sizeof a), nw_block_text(&y[i], b, sizeof b));
    }
    /* one has no layers left, in the other every convolution turns its map before its activation */
    ck_assert_int_eq(n_anew == 0, strstr(models[_i], "edgetpu") || strstr(models[_i], "fp16"));
    printf("%s: %d of %d operators written anew\n", models[_i], n_anew, graph->n_nodes);
    nw_arch_release(anew);
    nw_arch_release(arch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rewrite");
    TCase *tcase = tcase_create("rewrite");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_network_written_anew_from_its_blocks_is_the_same, 0,
                        (int)(sizeof models / sizeof *models));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
