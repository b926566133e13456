/* Plans and curation by script: the spec, and that no loop of them outlives its budget,
 * whatever a function of the script does in between. Expectations are in tests/lua/curate.lua
 * and in the sandbox's own limits. */
#include "tests/lua_harness.h"
#include "tests/support.h"

static lua_engine *start_rich(void)
{
    return start((lua_config){.budget = 4000000000, .memory_bytes = 64 << 20});
}

START_TEST(the_spec_of_plans_and_curation_holds)
{
    char *text = read_text("tests/lua/curate.lua", NULL);
    ck_assert_ptr_nonnull(text);
    lua_engine *engine = start_rich();
    ck_assert_msg(run_in(engine, text) == NW_OK, "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    free(text);
}
END_TEST

#define SPACE                                                                                      \
    "local s = nasw.space{network = 'cn_r1_k3_s2_c16 ir_r2_k3_s1_e6_c16 ir_r1_k3_s2_e6_c24 "       \
    "cn_r1_k1_s1_c32'} "                                                                           \
    "s:channels('1', {8, 16, 24}) s:channels('2', {16, 24, 32}) "

static const char *const endless[] = {
    "while true do s:plan('ne32') end",
    "local p = assert(s:plan('ne32')) while true do p:evaluate() end",
    "local p = assert(s:plan('ne32')) while true do p:cells() end",
    "while true do s:curate('ne32', {contexts = 2}) end",
    "local c = assert(s:curate('ne32', {contexts = 2})) while true do c:space() end",
    "local c = assert(s:curate('ne32', {contexts = 2})) while true do c:report(true) end",
};

START_TEST(loops_of_plans_and_curation_end_by_the_budget)
{
    char text[512];
    snprintf(text, sizeof text, "%s%s", SPACE, endless[_i]);
    lua_engine *engine = start((lua_config){.budget = 20000000});
    ck_assert_msg(run_in(engine, text) != NW_OK, "nothing ended %s", text);
    ck_assert_msg(strstr(nw_buf_text(&last_run()->problem), "budget") != NULL, "%s\nof %s",
                  nw_buf_text(&last_run()->problem), text);
    lua_engine_free(engine);
}
END_TEST

/* Plans, curations and spaces that keep a space with conditions in Lua end with the engine. */
START_TEST(plans_of_conditions_in_lua_end_with_their_engine)
{
    lua_engine *engine = start_rich();
    ck_assert_msg(run_in(engine,
                         SPACE "s:require(function(g) return g.c1 <= g.c2 end) "
                               "plan = assert(s:plan('ne32')) part = s:restrict{c1 = {8, 16}} "
                               "curation = assert(s:curate(plan, {contexts = 2})) "
                               "rest = curation:space() assert(rest.hooks == 1)") == NW_OK,
                  "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lua_curate");
    TCase *tc = tcase_create("lua");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, begin_session, end_session);
    tcase_add_test(tc, the_spec_of_plans_and_curation_holds);
    tcase_add_loop_test(tc, loops_of_plans_and_curation_end_by_the_budget, 0,
                        (int)(sizeof endless / sizeof *endless));
    tcase_add_test(tc, plans_of_conditions_in_lua_end_with_their_engine);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
