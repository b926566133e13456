/* Joins and splits in the workbench: what this hardware can is done, what it cannot is refused with
 * the reason. The built-in network has inverted bottlenecks whose projection and sum ne32 runs as
 * one kernel (conv+add), and no hardware here joins a depthwise convolution to the one before. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/arch.h"
#include "tests/support_session.h"

/* The first block with a sum; its label is written to dst. */
static const nw_block *residual_block(const nw_session *s, char *dst, size_t size)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(nw_session_current(s)->arch, &n);
    for (int i = 0; i < n; i++)
        if (blocks[i].add != NW_NONE) {
            nw_block_label(&blocks[i], dst, size);
            return &blocks[i];
        }
    ck_abort_msg("the built-in network has no sums");
    return NULL;
}

static int n_kernels(const nw_session *s)
{
    return nw_session_current(s)->estimate.kernels->n_kernels;
}

START_TEST(a_split_is_one_kernel_more_and_undone_to_the_last_bit)
{
    char label[16], line[64];
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    int64_t before = latency(s);
    int n = n_kernels(s);
    residual_block(s, label, sizeof label);
    snprintf(line, sizeof line, "split %s ADD", label);
    act(s, "edit", line);
    ck_assert_int_eq(n_kernels(s), n + 1);
    ck_assert(latency(s) > before);
    snprintf(line, sizeof line, "join %s ADD", label);
    act(s, "edit", line);
    ck_assert_int_eq(n_kernels(s), n);
    ck_assert(latency(s) == before);
    act(s, "undo", NULL);
    ck_assert_int_eq(n_kernels(s), n + 1);
    act(s, "undo", NULL);
    ck_assert_int_eq(n_kernels(s), n);
    ck_assert(latency(s) == before);
    nw_session_free(s);
}
END_TEST

START_TEST(what_the_hardware_cannot_join_or_split_is_refused_with_the_reason)
{
    char label[16], line[64];
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    residual_block(s, label, sizeof label);
    snprintf(line, sizeof line, "join %s DEPTHWISE_CONV_2D", label);
    refuse(s, "edit", line, "changes nothing on ne32");
    refuse(s, "edit", line, "no rule joins dwconv to conv");
    snprintf(line, sizeof line, "join %s ADD", label);
    refuse(s, "edit", line, "it runs so already");
    snprintf(line, sizeof line, "split %s DEPTHWISE_CONV_2D", label);
    refuse(s, "edit", line, "a kernel starts here already");
    act(s, "hw", "u55-256");
    snprintf(line, sizeof line, "join %s ADD", label);
    refuse(s, "edit", line, "u55-256 has no rule conv+add");
    nw_session_free(s);
}
END_TEST

START_TEST(an_element_type_that_the_hardware_lacks_is_refused_and_names_it)
{
    char label[16], line[64];
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    int64_t before = latency(s);
    residual_block(s, label, sizeof label);
    snprintf(line, sizeof line, "precision %s float16", label);
    refuse(s, "edit", line, "float16");
    snprintf(line, sizeof line, "precision %s int16", label);
    act(s, "edit", line);
    ck_assert(latency(s) > before);
    nw_session_free(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_hint");
    TCase *tests = tcase_create("session_hint");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, a_split_is_one_kernel_more_and_undone_to_the_last_bit);
    tcase_add_test(tests, what_the_hardware_cannot_join_or_split_is_refused_with_the_reason);
    tcase_add_test(tests, an_element_type_that_the_hardware_lacks_is_refused_and_names_it);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
