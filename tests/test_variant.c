/* Every kind of block that another can become, and the edits that reach past one block: costs by
 * hand, weights that stay, patterns on another network. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "src/arch/arch.h"
#include "src/format/format.h"
#include "tests/support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const nw_arch *read_arch(const char *text)
{
    nw_graph *graph;
    nw_error err;
    nw_input_size size = {"", {4, {1, 3, 64, 64}}};
    ck_assert_msg(nw_model_load(text, &size, 1, &graph, &err) == NW_OK, "%s: %s", err.where,
                  err.message);
    return nw_arch_lift(graph);
}

static const nw_arch *read_model(const char *file)
{
    nw_graph *graph;
    nw_error err;
    char name[128];
    snprintf(name, sizeof name, "models/%s", file);
    const char *path = shared_path(name);
    if (!path)
        return NULL;
    ck_assert_int_eq(nw_model_load(path, NULL, 0, &graph, &err), NW_OK);
    return nw_arch_lift(graph);
}

static nw_status try_line(const nw_arch *arch, const char *line, const nw_arch **out,
                          nw_edit_report *report, nw_error *err)
{
    nw_edit edit;
    ck_assert_msg(nw_edit_read(line, &edit, err) == NW_OK, "%s: %s", line, err->message);
    return nw_arch_apply(arch, &edit, 1, out, report, err);
}

/* Takes arch. */
static const nw_arch *apply(const nw_arch *arch, const char *line)
{
    const nw_arch *out;
    nw_error err;
    ck_assert_msg(try_line(arch, line, &out, NULL, &err) == NW_OK, "%s: %s", err.where,
                  err.message);
    nw_arch_release(arch);
    return out;
}

static nw_counts counts_of(const nw_arch *arch)
{
    nw_counts counts;
    nw_graph_count(nw_arch_graph(arch), &counts);
    return counts;
}

/* Weights of one block of 64 channels and its stem, on a map of 32x32: MACs are that often. */
#define PIXELS ((int64_t)32 * 32)
#define STEM   (3 * 9 * 64)
#define FUSED  (64 * 9 * 256 + 256 * 64)
static const char one_ibn[] = "cn_r1_k3_s2_c64 ir_r1_k3_s1_e4_c64";
static const char one_dsep[] = "cn_r1_k3_s2_c64 ds_r1_k3_s1_c64";
static const char one_fused[] = "cn_r1_k3_s2_c64 er_r1_k3_s1_e4_c64";

static const struct {
    const char *net, *lines[3];
    nw_block_kind kind;
    int64_t weights;
} cases[] = {
    {one_ibn, {"variant 1.0 fused"}, NW_BLOCK_FUSED, STEM + FUSED},
    {one_ibn, {"fuse 1.0 2"}, NW_BLOCK_FUSED, STEM + 64 * 9 * 128 + 128 * 64},
    {one_ibn, {"variant 1.0 dsep"}, NW_BLOCK_DSEP, STEM + 64 * 9 + 64 * 64},
    /* four groups of 64 */
    {one_ibn, {"variant 1.0 grouped"}, NW_BLOCK_GROUPED, STEM + 64 * 256 + 256 * 9 * 64 + 256 * 64},
    {one_ibn,
     {"variant 1.0 fused_grouped"},
     NW_BLOCK_FUSED_GROUPED,
     STEM + 16 * 9 * 256 + 256 * 64},
    /* ranks of 3/4 */
    {one_ibn, {"variant 1.0 tucker"}, NW_BLOCK_TUCKER, STEM + 64 * 48 + 48 * 9 * 48 + 48 * 64},
    {one_ibn,
     {"variant 1.0 tucker e=0.25"},
     NW_BLOCK_TUCKER,
     STEM + 64 * 16 + 16 * 9 * 16 + 16 * 64},
    {one_ibn,
     {"variant 1.0 fused", "variant 1.0 ibn"},
     NW_BLOCK_IBN,
     STEM + 64 * 256 + 256 * 9 + 256 * 64},
    {one_ibn,
     {"variant 1.0 grouped", "variant 1.0 ibn"},
     NW_BLOCK_IBN,
     STEM + 64 * 256 + 256 * 9 + 256 * 64},
    {one_fused, {"variant 1.0 fused_grouped", "variant 1.0 fused"}, NW_BLOCK_FUSED, STEM + FUSED},
    {one_fused, {"variant 1.0 ibn e=6"}, NW_BLOCK_IBN, STEM + 64 * 384 + 384 * 9 + 384 * 64},
    {one_fused,
     {"expansion 1.0 2", "kernel 1.0 5"},
     NW_BLOCK_FUSED,
     STEM + 64 * 25 * 128 + 128 * 64},
    {one_dsep, {"variant 1.0 ibn e=4"}, NW_BLOCK_IBN, STEM + 64 * 256 + 256 * 9 + 256 * 64},
    {one_dsep, {"variant 1.0 conv"}, NW_BLOCK_CONV, STEM + 64 * 9 * 64},
    {one_dsep, {"variant 1.0 conv", "variant 0.1 dsep"}, NW_BLOCK_DSEP, STEM + 64 * 9 + 64 * 64},
    {one_ibn,
     {"squeeze 1.0 0.25", "squeeze 1.0 0"},
     NW_BLOCK_IBN,
     STEM + 64 * 256 + 256 * 9 + 256 * 64},
    {one_ibn,
     {"residual 1.0 off", "variant 1.0 fused", "residual 1.0 on"},
     NW_BLOCK_FUSED,
     STEM + FUSED},
    {one_ibn, {"depth 1 3"}, NW_BLOCK_IBN, STEM + 3 * (64 * 256 + 256 * 9 + 256 * 64)},
    {one_ibn, {"depth 1 3", "depth 1 1"}, NW_BLOCK_IBN, STEM + 64 * 256 + 256 * 9 + 256 * 64},
    {one_ibn,
     {"depth 1 2", "variant 1.0 fused"},
     NW_BLOCK_FUSED,
     STEM + FUSED + 64 * 256 + 256 * 9 + 256 * 64},
};

START_TEST(a_block_becomes_another_of_the_kind_and_cost_asked_for)
{
    const nw_arch *arch = read_arch(cases[_i].net);
    for (int i = 0; i < 3 && cases[_i].lines[i]; i++)
        arch = apply(arch, cases[_i].lines[i]);
    const nw_block *block =
        nw_arch_find_block(arch, cases[_i].kind == NW_BLOCK_CONV ? "0.1" : "1.0");
    ck_assert_ptr_nonnull(block);
    ck_assert_str_eq(nw_block_kind_name(block->kind), nw_block_kind_name(cases[_i].kind));
    ck_assert_int_eq(counts_of(arch).weight_params, cases[_i].weights);
    ck_assert_int_eq(counts_of(arch).macs, PIXELS * cases[_i].weights);
    nw_arch_release(arch);
}
END_TEST

static const struct {
    const char *net, *line, *why;
} refused[] = {
    {"cn_r1_k3_s2_c24 ir_r1_k3_s1_e3_c24", "variant 1.0 grouped",
     "1.0 cannot be grouped: 64 channels a group do not divide 72"},
    {"cn_r1_k3_s2_c16 ir_r1_k3_s1_e4_c16", "variant 1.0 grouped", "make one group of 64"},
    {one_ibn, "variant 0.0 fused", "0.0 has no expansion"},
    {one_ibn, "variant 1.0 conv", "1.0 cannot become"},
    {one_ibn, "variant 1.0 pool", "1.0 cannot become"},
    {one_ibn, "channels 1.0 32", "1.0 keeps its channels"},
    {one_ibn, "stride 0.0 1", "output"},
    {one_ibn, "stride 1.0 2", "adds its input to its output"},
    {one_ibn, "squeeze 0.0 0.25", "0.0 has no 1x1"},
    {one_ibn, "depth 7 2", "picks no block"},
    {one_ibn, "split 1.0 Softmax", "1.0 has no operator 'Softmax'"},
    {one_ibn, "depth 1.4 2", "picks no block: stage 1 has blocks 1.0 to 1.0"},
    {one_ibn, "kernel tucker 5", "picks no block: the network has none of kind tucker"},
    {"cn_r1_k3_s2_c64 ir_r1_k3_s1_e4_c32", "residual 1.0 on", "they cannot be added"},
};

START_TEST(what_cannot_be_is_refused_with_its_reason)
{
    const nw_arch *arch = read_arch(refused[_i].net), *out = NULL;
    nw_error err;
    nw_edit_report report = {0};
    ck_assert_int_eq(try_line(arch, refused[_i].line, &out, &report, &err), NW_INVALID);
    ck_assert_ptr_null(out);
    ck_assert_ptr_null(report.notes);
    ck_assert_str_eq(err.where, refused[_i].line);
    ck_assert_msg(strstr(err.message, refused[_i].why) != NULL, "%s: %s", refused[_i].line,
                  err.message);
    nw_arch_release(arch);
}
END_TEST

static const char *const idle[] = {"variant 1.0 ibn",  "kernel 1.0 3",  "expansion 1.0 4",
                                   "channels 1.0 64",  "residual 1 on", "squeeze 1.0 0",
                                   "depth 1 1",        "stride 1.0 1",  "align 1.0 32",
                                   "precision 1 file", "act 1.0 relu"};

START_TEST(what_is_so_already_is_a_note_and_no_error)
{
    const nw_arch *arch = read_arch(one_ibn), *out;
    nw_error err;
    nw_edit_report report;
    ck_assert_msg(try_line(arch, idle[_i], &out, &report, &err) == NW_OK, "%s: %s", idle[_i],
                  err.message);
    ck_assert_int_eq(report.n_notes, 1);
    ck_assert(!report.notes[0].is_done);
    ck_assert(report.notes[0].text[0] != '\0');
    ck_assert_int_eq(counts_of(arch).macs, counts_of(out).macs);
    nw_edit_report_fini(&report);
    nw_arch_release(out);
    nw_arch_release(arch);
}
END_TEST

START_TEST(one_edit_that_cannot_be_undoes_those_before_it)
{
    const nw_arch *arch = read_arch(one_ibn), *out = NULL;
    nw_error err;
    nw_edit edits[2];
    ck_assert_int_eq(nw_edit_read("variant 1.0 fused", &edits[0], &err), NW_OK);
    ck_assert_int_eq(nw_edit_read("variant 0.0 fused", &edits[1], &err), NW_OK);
    ck_assert_int_eq(nw_arch_apply(arch, edits, 2, &out, NULL, &err), NW_INVALID);
    ck_assert_str_eq(err.where, "variant 0.0 fused");
    ck_assert_ptr_null(out);
    nw_arch_release(arch);
}
END_TEST

/* ---- weights ---- */

static const nw_tensor *weights_of(const nw_arch *arch, const char *label, nw_part_role role)
{
    const nw_graph *graph = nw_arch_graph(arch);
    const nw_block *block = nw_arch_find_block(arch, label);
    nw_tensor_id id = graph->nodes[block->parts[role].conv].inputs[1];
    return &graph->tensors[nw_graph_stored_root(graph, id)];
}

static void check_fused_weights(const char *model, const char *label)
{
    const nw_arch *before = read_model(model);
    char line[64];
    if (!before)
        return;
    snprintf(line, sizeof line, "variant %s fused", label);
    const nw_arch *after = apply(nw_arch_retain(before), line);
    /* the projection is the file's own, the k x k is new, of the type that the old ones had */
    const nw_tensor *old = weights_of(before, label, NW_PART_PROJECT);
    const nw_tensor *kept = weights_of(after, label, NW_PART_PROJECT);
    const nw_tensor *fresh = weights_of(after, label, NW_PART_SPATIAL);
    ck_assert_ptr_eq(old->data, kept->data);
    ck_assert_ptr_null(kept->edited);
    ck_assert_ptr_nonnull(fresh->edited);
    ck_assert_ptr_null(fresh->edited->data);
    ck_assert_int_eq(nw_tensor_new_elements(fresh), nw_shape_elements(&fresh->shape));
    ck_assert_int_eq(fresh->dtype, weights_of(before, label, NW_PART_SPATIAL)->dtype);
    nw_arch_release(after);
    nw_arch_release(before);
}

START_TEST(fusing_keeps_the_projection_and_the_element_types)
{
    check_fused_weights("tv_mobilenet_v2_w035_224.onnx", "2.1");
    check_fused_weights("tv_mobilenet_v2_w035_224_qdq.onnx", "2.1");
    check_fused_weights("mobilenet_v2_1.0_224_quant.tflite", "2.1");
    check_fused_weights("selfie_segmentation_256.tflite", "2.1");
}
END_TEST

START_TEST(a_kernel_grows_around_its_middle)
{
    const nw_arch *before = read_model("tv_mobilenet_v2_w035_224.onnx");
    if (!before)
        return;
    const nw_arch *wide = apply(nw_arch_retain(before), "kernel 2.1 7");
    const nw_arch *back = apply(nw_arch_retain(wide), "kernel 2.1 3");
    const nw_edited *grown = weights_of(wide, "2.1", NW_PART_SPATIAL)->edited;
    const nw_edited *shrunk = weights_of(back, "2.1", NW_PART_SPATIAL)->edited;
    static const int32_t wide_map[7] = {-1, -1, 0, 1, 2, -1, -1}, same_map[3] = {0, 1, 2};
    for (int axis = 2; axis < 4; axis++) {
        ck_assert(grown->is_spatial[axis]);
        ck_assert_mem_eq(grown->maps[axis], wide_map, sizeof wide_map);
        ck_assert_mem_eq(shrunk->maps[axis], same_map, sizeof same_map);
    }
    ck_assert_ptr_null(grown->maps[0]);
    nw_arch_release(back);
    nw_arch_release(wide);
    nw_arch_release(before);
}
END_TEST

/* ---- patterns ---- */

START_TEST(edits_of_one_network_are_applied_to_another_by_pattern)
{
    static const char *const lines[] = {"variant ibn@1-3 fused e=4", "channels ibn nearest 16",
                                        "kernel ibn@4-6 5", "act * relu"};
    const nw_arch *arch = read_model("tv_mobilenet_v2_w035_224.onnx"), *out;
    const nw_arch *other = read_model("tv_ssdlite320_mobilenet_v3_large_2cls.onnx");
    nw_error err;
    nw_edit_report report;
    int n_edits, n, n_fused = 0;
    if (!arch || !other)
        return;
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        arch = apply(arch, lines[i]);
    const nw_edit *edits = nw_arch_edits(arch, &n_edits);
    ck_assert_int_eq(n_edits, (int)COUNT_OF(lines));
    ck_assert_msg(nw_arch_apply(other, edits, n_edits, &out, &report, &err) == NW_OK, "%s: %s",
                  err.where, err.message);
    for (int i = 0; i < report.n_notes; i++) {
        ck_assert(report.notes[i].where[0] != '\0');
        ck_assert_msg(report.notes[i].text[0] != '\0', "%s", report.notes[i].where);
    }
    const nw_block *blocks = nw_arch_blocks(out, &n);
    for (int i = 0; i < n; i++)
        n_fused += blocks[i].kind == NW_BLOCK_FUSED && blocks[i].stage >= 1 && blocks[i].stage <= 3;
    ck_assert_int_ge(n_fused, 2);
    ck_assert_int_eq(nw_arch_graph(out)->n_outputs, nw_arch_graph(other)->n_outputs);
    nw_edit_report_fini(&report);
    nw_arch_release(out);
    nw_arch_release(other);
    nw_arch_release(arch);
}
END_TEST

static const char *const ibn_models[] = {
    "tv_mobilenet_v2_w035_224.onnx",
    "tv_mobilenet_v2_w035_224_qdq.onnx",
    "tv_lraspp_mobilenet_v3_small_256.onnx",
    "tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
    "mobilenet_v2_1.0_224_quant.tflite",
    "deeplabv3_mnv2_dm05_pascal_quant.tflite",
    "mcunet_vww.tflite",
    "mcunet_person_det.tflite",
    "selfie_segmentation_256.tflite",
};

START_TEST(every_block_fused_and_back_costs_what_it_did)
{
    const nw_arch *arch = read_model(ibn_models[_i]);
    int n, n_done = 0;
    if (!arch)
        return;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    nw_counts before = counts_of(arch);
    for (int i = 0; i < n; i++) {
        char line[64], label[16];
        const nw_arch *fused, *back;
        nw_error err;
        if (blocks[i].kind != NW_BLOCK_IBN)
            continue;
        snprintf(line, sizeof line, "fuse %s", nw_block_label(&blocks[i], label, sizeof label));
        if (try_line(arch, line, &fused, NULL, &err) != NW_OK) {
            ck_assert_msg(strstr(err.message, "read elsewhere") || strstr(err.message, "between"),
                          "%s: %s: %s", ibn_models[_i], line, err.message);
            continue;
        }
        const nw_block *block = nw_arch_find_block(fused, label);
        if (block && block->kind == NW_BLOCK_FUSED) { /* narrow ones are two convolutions now */
            snprintf(line, sizeof line, "variant %s ibn", label);
            back = apply(nw_arch_retain(fused), line);
            nw_counts after = counts_of(back);
            ck_assert_int_eq(before.macs, after.macs);
            ck_assert_int_eq(before.weight_params, after.weight_params);
            ck_assert_int_ge(after.params, before.params); /* biases that a file shares part */
            nw_arch_release(back);
            n_done++;
        }
        nw_arch_release(fused);
    }
    printf("%s: %d blocks fused and back\n", ibn_models[_i], n_done);
    ck_assert_int_gt(n_done, 2);
    nw_arch_release(arch);
}
END_TEST

START_TEST(a_stride_moves_the_sizes_behind_it)
{
    const nw_arch *before = read_model("tv_mobilenet_v2_w035_224.onnx");
    if (!before)
        return;
    const nw_arch *after = apply(nw_arch_retain(before), "stride 3.0 1");
    int n, m;
    const nw_block *a = nw_arch_blocks(before, &n), *b = nw_arch_blocks(after, &m);
    ck_assert_int_eq(n, m);
    for (int i = 0; i < n; i++) {
        bool is_behind = a[i].stage > 3 || (a[i].stage == 3 && a[i].index > 0);
        int64_t factor = is_behind && a[i].in_h > 1 ? 2 : 1;
        ck_assert_int_eq(b[i].in_h, factor * a[i].in_h);
        ck_assert_int_eq(b[i].in_w, factor * a[i].in_w);
    }
    ck_assert_int_eq(counts_of(before).params, counts_of(after).params);
    nw_arch_release(after);
    nw_arch_release(before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("variant");
    TCase *tcase = tcase_create("variant");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_block_becomes_another_of_the_kind_and_cost_asked_for, 0,
                        (int)COUNT_OF(cases));
    tcase_add_loop_test(tcase, what_cannot_be_is_refused_with_its_reason, 0,
                        (int)COUNT_OF(refused));
    tcase_add_loop_test(tcase, what_is_so_already_is_a_note_and_no_error, 0, (int)COUNT_OF(idle));
    tcase_add_test(tcase, one_edit_that_cannot_be_undoes_those_before_it);
    tcase_add_test(tcase, fusing_keeps_the_projection_and_the_element_types);
    tcase_add_test(tcase, a_kernel_grows_around_its_middle);
    tcase_add_test(tcase, edits_of_one_network_are_applied_to_another_by_pattern);
    tcase_add_loop_test(tcase, every_block_fused_and_back_costs_what_it_did, 0,
                        (int)COUNT_OF(ibn_models));
    tcase_add_test(tcase, a_stride_moves_the_sizes_behind_it);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
