/* Edits by script: what nasw.d.lua promises of blocks, groups, edits and advice, and that no loop
 * of them outlives its budget or its memory. Expectations are hand counts and the sandbox's own
 * limits. */
#include "tests/lua_harness.h"
#include "tests/support.h"

START_TEST(the_spec_of_edits_holds)
{
    char *text = read_text("tests/lua/edit.lua", NULL);
    ck_assert_ptr_nonnull(text);
    lua_engine *engine = start((lua_config){.budget = 400000000});
    ck_assert_msg(run_in(engine, text) == NW_OK, "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    free(text);
}
END_TEST

#define NETWORK "local n = assert(nasw.load('cn_r1_k3_s2_c16 ir_r2_k3_s1_e6_c16')) "

/* Each of them, again and again, ends by the budget and by nothing else. */
static const char *const endless[] = {
    "while true do n:edit('kernel 1.0 5') end",
    "while true do n:edit('kernel 9.9 5') end",
    "while true do n = assert(n:edit('kernel 1.0 5')) n = assert(n:edit('kernel 1.0 3')) end",
    "while true do n:apply({'kernel 1.0 5', 'kernel 9.9 5'}) end",
    "while true do n:origin() end",
    "while true do n:blocks() n:groups() end",
    "while true do n:timm() end",
    "while true do n:whatif('ne32') end",
    "while true do n:advise('ne32') end",
    "while true do n:recipe('fuse', 'ne32') end",
    "while true do n:align('1.0', 'ne32') end",
    "while true do pcall(n.edit, n, 5) end",
    "nasw.act('open', 'cn_r1_k3_s2_c16 ir_r2_k3_s1_e6_c16') "
    "while true do nasw.act('edit', 'kernel 1.0 5') nasw.act('edit', 'kernel 1.0 3') end",
};

START_TEST(loops_of_edits_end_by_the_budget)
{
    char text[512];
    snprintf(text, sizeof text, "%s%s", NETWORK, endless[_i]);
    fails_with(text, "budget");
}
END_TEST

/* Networks that are kept count as memory; those that are dropped are given back. */
START_TEST(edited_networks_that_are_kept_are_counted)
{
    lua_engine *engine = start((lua_config){.budget = 4000000000});
    ck_assert_int_ne(run_in(engine, NETWORK "local kept = {} while true do kept[#kept + 1] = "
                                            "assert(n:edit('kernel 1.0 5')) end"),
                     NW_OK);
    ck_assert_msg(strstr(nw_buf_text(&last_run()->problem), "memory") != NULL, "%s",
                  nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    engine = start((lua_config){.budget = 4000000000});
    ck_assert_msg(run_in(engine, NETWORK "for i = 1, 3000 do assert(n:edit('kernel 1.0 5')) end "
                                         "for i = 1, 3000 do assert(n:edit('kernel 1.0 5')):close()"
                                         " end") == NW_OK,
                  "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
}
END_TEST

START_TEST(long_lists_of_edits_are_refused_or_paid_for)
{
    fails_with(NETWORK "local t = {} for i = 1, 100001 do t[i] = 'kernel 1.0 5' end n:edit(t)",
               "too many edits");
    fails_with(NETWORK "local t = {} for i = 1, 20000 do t[i] = 'kernel 1.0 5' end n:edit(t)",
               "budget");
    fails_with(NETWORK "n:edit(('kernel '):rep(100000))", "is no kind of block");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lua_edit");
    TCase *tc = tcase_create("lua");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, begin_session, end_session);
    tcase_add_test(tc, the_spec_of_edits_holds);
    tcase_add_loop_test(tc, loops_of_edits_end_by_the_budget, 0,
                        (int)(sizeof endless / sizeof *endless));
    tcase_add_test(tc, edited_networks_that_are_kept_are_counted);
    tcase_add_test(tc, long_lists_of_edits_are_refused_or_paid_for);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
