/* Landscapes in Lua: what nasw.d.lua promises of them, conditions in Lua, and that long ones end.
 */
#include "tests/lua_harness.h"
#include "tests/support.h"

#define ENOUGH 4000000000 /* units: sealing tries every option */

static lua_engine *start_rich(int64_t budget)
{
    return start((lua_config){.budget = budget, .memory_bytes = 64 << 20});
}

START_TEST(the_spec_of_landscapes_holds)
{
    char *text = read_text("tests/lua/landscape.lua", NULL);
    ck_assert_ptr_nonnull(text);
    lua_engine *engine = start_rich(ENOUGH);
    ck_assert_msg(run_in(engine, text) == NW_OK, "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    free(text);
}
END_TEST

#define SPACE                                                                                      \
    "local s = nasw.space{network = 'demo'}\n"                                                     \
    "s:channels{where = '3', options = {24, 32}}\n"                                                \
    "s:channels{where = '4', options = {60, 64}}\n"

START_TEST(conditions_in_lua_leave_points_out)
{
    lua_engine *engine = start_rich(ENOUGH);
    ck_assert_msg(run_in(engine,
                         SPACE "s:require(function(genes) return genes.c3 % 2 == 0 end, 'even')\n"
                               "local l = nasw.landscape(s, 'ne32', {x = 'c3', y = 'c4', curated = "
                               "false, estimator = 'device'})\n"
                               "assert(l:values('single')[1][1] and not l:values('single')[1][2])\n"
                               "assert(l:panel('single').figures.points == 5 * 5)\n") == NW_OK,
                  "%s", nw_buf_text(&last_run()->problem));
    ck_assert_int_eq(run_in(engine, SPACE
                            "s:require(function(genes) return genes.c3 < 26 or error('no') end)\n"
                            "nasw.landscape(s, 'ne32', {x = 'c3', curated = false})\n"),
                     NW_INVALID);
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&last_run()->problem), "no"));
    ck_assert_msg(run_in(engine,
                         SPACE "s:require(function(g) return g.c3 ~= 32 or g.c4 ~= 64 end)\n"
                               "local r = nasw.route(s, 'ne32', {from = 'c3=24 c4=64', to = "
                               "'c3=32 c4=60', estimator = 'device'})\n"
                               "assert(#r.path == 3 and not r.path[2].value)\n"
                               "assert(not r.path[3].change and r.path[3].value)\n"
                               "local none, why, code = nasw.route(s, 'ne32', {from = 'c3=24 "
                               "c4=60', to = 'c3=32 c4=64', estimator = 'device'})\n"
                               "assert(not none and code == 'invalid', why)\n"
                               "assert(why:find('to: ', 1, true), why)\n") == NW_OK,
                  "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
}
END_TEST

START_TEST(landscapes_in_a_loop_end_by_the_budget)
{
    lua_engine *engine = start_rich(5000000);
    ck_assert_int_eq(run_in(engine, SPACE "while true do nasw.landscape(s, 'ne32', {x = 'c3', y = "
                                          "'c4', curated = false, estimator = 'device'}) end\n"),
                     NW_LIMIT);
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&last_run()->problem), "budget"));
    lua_engine_free(engine);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lua_landscape");
    TCase *tc = tcase_create("lua");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, begin_session, end_session);
    tcase_add_test(tc, the_spec_of_landscapes_holds);
    tcase_add_test(tc, conditions_in_lua_leave_points_out);
    tcase_add_test(tc, landscapes_in_a_loop_end_by_the_budget);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
