/* Edits that a network brings along from its file, and what hints of edits do to its kernels. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/text.h"
#include "src/format/format.h"
#include "src/kernel/kernel.h"
#include "tests/support_edit.h"

static const char two_blocks[] = "cn_r1_k3_s2_c16 ir_r2_k3_s1_e6_c16";

static nw_graph *reopen(const char *json)
{
    nw_graph *graph;
    nw_error err;
    nw_file *file = nw_file_from_bytes("edited.nasw.json", json, strlen(json));
    ck_assert_msg(nw_network_json_read(file, &graph, &err) == NW_OK, "%s: %s", err.where,
                  err.message);
    ck_assert_msg(nw_graph_seal(graph, NULL, 0, &err) == NW_OK, "%s: %s", err.where, err.message);
    nw_file_release(file);
    return graph;
}

static void assert_edits(const nw_arch *arch, const char *const *lines, int n_lines)
{
    int n;
    const nw_edit *edits = nw_arch_edits(arch, &n);
    ck_assert_int_eq(n, n_lines);
    for (int i = 0; i < n; i++) {
        nw_buf line = {0};
        nw_edit_write(&edits[i], &line);
        ck_assert_str_eq(nw_buf_text(&line), lines[i]);
        nw_buf_fini(&line);
    }
}

START_TEST(a_saved_network_opens_with_its_edits_and_goes_on_from_there)
{
    static const char *const lines[] = {"variant 1.0 fused", "width 1.5 8", "split 1.1 Add",
                                        "kernel 1.1 5"};
    const nw_arch *arch = arch_of_text(two_blocks, 64);
    for (int i = 0; i < 3; i++)
        arch = edit_arch(arch, lines[i]);
    char *json = json_of(arch);
    const nw_arch *opened = nw_arch_lift(reopen(json));
    assert_edits(opened, lines, 3);
    ck_assert_ptr_eq(nw_arch_origin(opened), opened);
    ck_assert_int_eq(nw_arch_graph(opened)->n_warnings, 0);
    char *again = json_of(opened);
    ck_assert_str_eq(json, again);
    free(again);

    const nw_arch *next = edit_arch(nw_arch_retain(opened), lines[3]);
    assert_edits(next, lines, 4);
    ck_assert_int_eq(nw_arch_graph(next)->n_edits, 4);
    ck_assert_str_eq(nw_arch_graph(next)->edits[3], lines[3]);
    ck_assert_ptr_eq(nw_arch_origin(next), opened);
    char *both = json_of(next);
    const nw_arch *third = nw_arch_lift(reopen(both));
    assert_edits(third, lines, 4);
    ck_assert_int_eq(macs_of(third), macs_of(next));
    free(both);
    free(json);
    nw_arch_release(third);
    nw_arch_release(next);
    nw_arch_release(opened);
    nw_arch_release(arch);
}
END_TEST

START_TEST(lines_that_are_no_edits_are_kept_and_warned_of)
{
    static const char *const lines[] = {"variant 1.0 fused", "polish 1.0", "kernel 1.1 5", ""};
    static const char *const good[] = {"variant 1.0 fused", "kernel 1.1 5", "act * relu6"};
    const nw_arch *plain = arch_of_text(two_blocks, 64);
    nw_buf text = {0};
    nw_network_json_write_to(nw_arch_graph(plain), NULL, lines, 4, &text);
    const nw_arch *arch = nw_arch_lift(reopen(nw_buf_text(&text)));
    const nw_graph *graph = nw_arch_graph(arch);
    assert_edits(arch, good, 2);
    ck_assert_int_eq(graph->n_edits, 4);
    ck_assert_int_eq(graph->n_warnings, 1);
    ck_assert_msg(strstr(graph->warnings[0], "2 of 4 lines") &&
                      strstr(graph->warnings[0], "polish"),
                  "%s", graph->warnings[0]);
    arch = edit_arch(arch, good[2]);
    assert_edits(arch, good, 3);
    ck_assert_int_eq(nw_arch_graph(arch)->n_edits, 5);
    ck_assert_str_eq(nw_arch_graph(arch)->edits[1], "polish 1.0");
    nw_buf_fini(&text);
    nw_arch_release(arch);
    nw_arch_release(plain);
}
END_TEST

/* ---- hints in kernels ---- */

static nw_kernels *kernels_of(const nw_arch *arch, const nw_hw *hw)
{
    nw_kernels *kernels;
    nw_error err;
    ck_assert_msg(nw_kernels_split(nw_arch_graph(arch), hw, "int8", &kernels, &err) == NW_OK,
                  "%s: %s", err.where, err.message);
    return kernels;
}

static int kernels_with_bits(const nw_arch *arch, const nw_hw *hw, int bits)
{
    nw_kernels *kernels = kernels_of(arch, hw);
    int n = 0;
    for (int i = 0; i < kernels->n_kernels; i++)
        n += kernels->kernels[i].shape.bits == bits;
    nw_kernels_free(kernels);
    return n;
}

static int n_kernels(const nw_arch *arch, const nw_hw *hw)
{
    nw_kernels *kernels = kernels_of(arch, hw);
    int n = kernels->n_kernels;
    nw_kernels_free(kernels);
    return n;
}

static nw_hw *load_hw(const char *name)
{
    nw_hw *hw;
    nw_error err;
    ck_assert_msg(nw_hw_load(name, "hw", &hw, &err) == NW_OK, "%s: %s", err.where, err.message);
    return hw;
}

START_TEST(a_precision_edit_sets_the_bits_of_the_blocks_kernels_and_file_takes_them_back)
{
    nw_hw *hw = load_hw("u85-1024");
    const nw_arch *arch = arch_of_text(two_blocks, 64);
    int n = n_kernels(arch, hw);
    ck_assert_int_eq(kernels_with_bits(arch, hw, 16), 0);
    arch = edit_arch(arch, "precision 1.0 int16");
    int n_wide = kernels_with_bits(arch, hw, 16);
    ck_assert_int_ge(n_wide, 2); /* up, depthwise (with the pointwise joined or not) */
    ck_assert_int_lt(n_wide, n_kernels(arch, hw));
    arch = edit_arch(arch, "precision 1.0 file");
    ck_assert_int_eq(kernels_with_bits(arch, hw, 16), 0);
    ck_assert_int_eq(n_kernels(arch, hw), n);
    nw_arch_release(arch);
    nw_hw_free(hw);
}
END_TEST

START_TEST(a_split_makes_kernels_and_a_join_takes_them_back)
{
    nw_hw *hw = load_hw("ne32");
    const nw_arch *arch = arch_of_text(two_blocks, 64);
    int n = n_kernels(arch, hw);
    arch = edit_arch(arch, "split 1.1 Add");
    ck_assert_int_eq(n_kernels(arch, hw), n + 1);
    arch = edit_arch(arch, "split 1.1");
    int n_split = n_kernels(arch, hw);
    ck_assert_int_gt(n_split, n + 1);
    arch = edit_arch(arch, "join 1.1");
    ck_assert_int_eq(n_kernels(arch, hw), n);
    nw_arch_release(arch);
    nw_hw_free(hw);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edit_saved");
    TCase *tcase = tcase_create("edit_saved");
    tcase_add_test(tcase, a_saved_network_opens_with_its_edits_and_goes_on_from_there);
    tcase_add_test(tcase, lines_that_are_no_edits_are_kept_and_warned_of);
    tcase_add_test(tcase,
                   a_precision_edit_sets_the_bits_of_the_blocks_kernels_and_file_takes_them_back);
    tcase_add_test(tcase, a_split_makes_kernels_and_a_join_takes_them_back);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
