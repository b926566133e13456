/* Networks built by scripts: what nasw.d.lua promises of nasw.build, that every mistake is said
 * with the script's line, that no script builds beyond its memory and its budget, and that the
 * networks of the shipped spaces are what they are called. Counts: tests/lua/build.lua. */
#include <unistd.h>

#include "src/base/text.h"
#include "tests/lua_harness.h"
#include "tests/support.h"

START_TEST(the_spec_of_building_holds)
{
    char *text = read_text("tests/lua/build.lua", NULL);
    nw_buf all = {0};
    ck_assert_ptr_nonnull(text);
    const char *vww = shared_path("models/mlperf_tiny_vww_96_float.tflite");
    if (vww) /* before the first line, so that lines keep their numbers */
        nw_buf_printf(&all, "arg = {'%.*s'} ", (int)(strrchr(vww, '/') - vww + 1), vww);
    nw_buf_puts(&all, text);
    lua_engine *engine = start((lua_config){.budget = 400000000});
    ck_assert_msg(run_in(engine, nw_buf_text(&all)) == NW_OK, "%s",
                  nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    nw_buf_fini(&all);
    free(text);
}
END_TEST

START_TEST(the_networks_of_the_spaces_are_what_they_say)
{
    char *text = read_text("tests/lua/networks.lua", NULL);
    ck_assert_ptr_nonnull(text);
    lua_engine *engine = start((lua_config){.budget = 400000000, .folder = "spaces"});
    ck_assert_msg(run_in(engine, text) == NW_OK, "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    free(text);
}
END_TEST

START_TEST(random_layers_are_built_or_refused)
{
    char *text = read_text("tests/lua/random_build.lua", NULL);
    ck_assert_ptr_nonnull(text);
    lua_engine *engine = start((lua_config){.budget = 2000000000});
    ck_assert_msg(run_in(engine, text) == NW_OK, "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    free(text);
}
END_TEST

/* The layer stands in line 2. */
static const struct {
    const char *layer, *words;
} mistakes[] = {
    {"b:conv{}", "t.lua:2: conv0: c is missing: wanted 1 to 65536"},
    {"b:conv{c = 0}", "t.lua:2: conv: c is 0: wanted a whole number from 1"},
    {"b:conv{c = 1.5}", "t.lua:2: conv: c is 1.5: wanted a whole number"},
    {"b:conv{c = '8'}", "t.lua:2: conv: c is '8': wanted a whole number"},
    {"b:conv{c = {}}", "t.lua:2: conv: c is a table: wanted"},
    {"b:conv{c = 65537}", "t.lua:2: conv0: c is 65537: wanted 1 to 65536"},
    {"b:conv{c = 8, k = 64}", "t.lua:2: conv0: kernel is 64: wanted 1 to 63"},
    {"b:conv{c = 8, s = 17}", "t.lua:2: conv0: stride is 17: wanted 1 to 16"},
    {"b:conv{c = 8, n = 257}", "t.lua:2: conv0: n is 257: wanted 1 to 256"},
    {"b:conv{c = 8, kernel = 3}", "t.lua:2: conv has no 'kernel'; it takes name c k s d groups n"},
    {"b:conv{c = 8, e = 3}", "t.lua:2: conv has no 'e'"},
    {"b:conv{c = 8, [2] = b.input}", "t.lua:2: conv has no '2'"},
    {"b:conv{c = 8, groups = 3}", "t.lua:2: conv0: 8 channels cannot be divided into 3 groups"},
    {"b:conv{c = 8, act = 'rely'}", "t.lua:2: conv: act is 'rely': wanted relu6, relu"},
    {"b:conv{c = 8, act = true}", "t.lua:2: conv: act is true: wanted"},
    {"b:conv{c = 8, name = 5}", "t.lua:2: conv: name is 5: wanted a text"},
    {"b:conv{c = 8, name = 'a b'}", "t.lua:2: a b: a name is 1 to 48 letters"},
    {"b:conv{c = 8, name = ('x'):rep(49)}", "a name is 1 to 48 letters"},
    {"b:conv{c = 8, name = ''}", "a name is 1 to 48 letters"},
    {"b:conv{c = 8, name = 'a'} b:conv{c = 8, name = 'a'}",
     "t.lua:2: a: another layer has that name"},
    {"b:conv(8)", "t.lua:2: conv takes one table: conv{...}"},
    {"b:conv{5, c = 8}", "t.lua:2: conv: wanted a map that a layer returned, not a number"},
    {"b:conv{b.input, b.input, c = 8}", "t.lua:2: conv reads at most 1 map, not 2"},
    {"b:ibn{c = 8, e = 0}", "t.lua:2: ibn: e is 0: wanted a number above 0"},
    {"b:ibn{c = 8, e = 0/0}", "wanted a number above 0"},
    {"b:ibn{c = 8, e = 1e300}", "t.lua:2: block0: e is 1e+300: of 8 channels wanted 1 to 65536"},
    {"b:ibn{c = 8, e = 1/0}", "t.lua:2: ibn: e is inf: wanted a number above 0"},
    {"b:ibn{c = 8, se = -1}", "t.lua:2: ibn: se is -1: wanted a number from 0"},
    {"b:ibn{c = 8, se = 0.5, gate = 'relu'}", "t.lua:2: block0: gate: wanted sigmoid or hard_"},
    {"b:ibn{c = 8, residual = 1}", "t.lua:2: ibn: residual is 1: wanted true or false"},
    {"b:grouped{c = 8}", "t.lua:2: block0: 48 expanded channels cannot be divided into groups of "},
    {"b:add{b.input}", "t.lua:2: add takes two maps: add{a, b}"},
    {"b:add{b.input, b:conv{c = 16}}", "t.lua:2: add0: 8 x 8 x 8 and 8 x 8 x 16 do not fit"},
    {"b:mul{b.input, b:pool{}}", "t.lua:2: mul0: 8 x 8 x 8 and 4 x 4 x 8 do not fit together"},
    {"b:concat{}", "t.lua:2: concat takes maps: concat{a, b, ...}"},
    {"b:concat{b.input, maps = {b.input}}", "t.lua:2: concat takes its maps by position or as"},
    {"b:concat{b.input, b:pool{}}", "t.lua:2: concat0: map 2 is 4 x 4, the first one 8 x 8"},
    {"b:pool{kind = 'min'}", "t.lua:2: pool: kind is 'min': wanted max or mean"},
    {"b:resize{}", "t.lua:2: resize takes like = MAP, or factor = N, or h = N, w = N"},
    {"b:resize{factor = 2, h = 4, w = 4}", "t.lua:2: resize takes like = MAP"},
    {"b:resize{h = 4}", "t.lua:2: resize takes like = MAP"},
    {"b:resize{factor = 2049}", "t.lua:2: resize0: height is 16392: wanted 1 to 16384"},
    {"b:resize{like = 3}", "t.lua:2: resize: wanted a map that a layer returned, not a number"},
    {"b:act{act = 'none'}", "t.lua:2: act0: says no activation"},
    {"b:fc{}", "t.lua:2: fc0: c is missing"},
    {"b:fc{c = 8} b:conv{c = 8}", "t.lua:2: conv0: 'fc0' is no map of height, width and channels"},
    {"b:classifier{}", "t.lua:2: classifier0: c is missing"},
    {"b:ssd_head{b.input, anchors = 6}", "t.lua:2: ssd_head: classes is missing"},
    {"b:ssd_head{b.input, classes = 2}", "t.lua:2: ssd_head: anchors is missing"},
    {"b:ssd_head{b.input, classes = 2, anchors = {3, 6}}",
     "t.lua:2: ssd_head: anchors is a list of 2 numbers, there are 1 maps"},
    {"b:ssd_head{b.input, classes = 2, anchors = 65536}",
     "t.lua:2: class0: 65536 anchors of 2 values: over 65536 channels"},
    {"b:lraspp{classes = 2}", "t.lua:2: lraspp takes two maps: high"},
    {"b:lraspp{high = b.input, low = b.input}", "t.lua:2: lraspp0: classes is missing"},
    {"b:ibnn{}", "t.lua:2: Builder has no 'ibnn'"},
    {"return 5", "t.lua:1: build: wanted a map that a layer returned, not a number"},
    {"return b.input", "image: the network's input is no output of it"},
    {"local x = b:pool{} return x, x", "pool0: is an output twice"},
    {"", "image: the network's input is no output of it"},
    {"error('own')", "t.lua:2: own"},
};

START_TEST(a_mistake_is_said_with_its_line)
{
    char text[512];
    snprintf(text, sizeof text, "nasw.build('n', {input = {8, 8, 8}}, function(b)\n%s\nend)",
             mistakes[_i].layer);
    fails_with(text, mistakes[_i].words);
}
END_TEST

START_TEST(wrong_arguments_of_build_are_refused)
{
    fails_with("nasw.build()", "string expected");
    fails_with("nasw.build('n', {}, print)",
               "t.lua:1: build: input: wanted {height, width, channels}");
    fails_with("nasw.build('n', {input = {8, 8}}, print)", "input: wanted {height");
    fails_with("nasw.build('n', {input = {8, 8, 0}}, print)",
               "t.lua:1: build: input is 0: wanted a whole");
    fails_with("nasw.build('n', {input = {8, 16385, 3}}, print)",
               "image: width is 16385: wanted 1 to 16384");
    fails_with("nasw.build('n', {input = {8, 8, 3}, ack = 1}, print)", "no option 'ack'");
    fails_with("nasw.build('n', {input = {8, 8, 3}, act = 'x'}, print)",
               "t.lua:1: build: act is 'x': wanted");
    fails_with("nasw.build('n', {input = {8, 8, 3}})", "function expected");
    fails_with("nasw.build('', {input = {8, 8, 3}}, print)", "1 to 64 bytes");
    fails_with("nasw.build(('n'):rep(65), {input = {8, 8, 3}}, print)", "1 to 64 bytes");
}
END_TEST

#define BUILD "nasw.build('n', {input = {8, 8, 8}}, function(b) "

START_TEST(a_builder_ends_with_its_network)
{
    fails_with("local own\n" BUILD "own = b b:conv{c = 8} end)\nown:conv{c = 8}",
               "t.lua:3: calling 'conv' on bad self (the network is finished)");
    fails_with("local x\n" BUILD "x = b:conv{c = 8} end)\n" BUILD "b:conv{x, c = 8} end)",
               "t.lua:3: conv: the map is another network's");
    fails_with(BUILD "pcall(b.conv, b, {c = 0, k = 64})\npcall(b.conv, b, {c = 8, k = 64})\n"
                     "b:conv{c = 8} end)",
               "t.lua:3: conv0: kernel is 64"); /* the first mistake stays */
    ok("local x " BUILD "x = b:conv{c = 24} end) assert(x.c == 24 and tostring(x) == "
       "'map 8 x 8 x 24')");
    ok("local n = " BUILD
       "local m = nasw.build('m', {input = {4, 4, 4}}, function(c) c:pool{} end) "
       "assert(m.n_ops == 1) b:conv{c = 8} end) assert(n.n_ops == 1 and n.format == 'built by a "
       "script' and n.model == 'n')");
}
END_TEST

static const char *const endless[] = {
    "while true do " BUILD "b:conv{c = 8} end) end",
    "while true do " BUILD "for i = 1, 100 do b:ibn{c = 8, n = 3, se = 1} end end) end",
    "while true do pcall(nasw.build, 'n', {input = {8, 8, 8}}, function(b) b:conv{c = 0} end) end",
    BUILD "while true do b:conv{c = 8, k = 1} b:conv{c = 0} end end)",
    "local function deep() " BUILD "for i = 1, 60 do b:ibn{c = 8, n = 60} end deep() end) end "
    "deep()",
    "local kept = {} while true do kept[#kept + 1] = " BUILD "b:ibn{c = 8, n = 100} end) end",
};

START_TEST(no_script_builds_without_end)
{
    (void)problem_of(endless[_i]);
}
END_TEST

START_TEST(a_network_has_a_largest_size)
{
    lua_engine *engine = start((lua_config){.budget = 4000000000});
    ck_assert_int_eq(run_in(engine, BUILD "while true do b:conv{c = 8, n = 256} end end)"),
                     NW_INVALID);
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&last_run()->problem), "has at most 16384 operators"));
    ck_assert_int_eq(run_in(engine, BUILD "b:resize{h = 16384, w = 16384} b:conv{c = 65536} end)"),
                     NW_INVALID);
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&last_run()->problem), "more than"));
    lua_engine_free(engine);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lua_build");
    TCase *tc = tcase_create("lua");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, begin_session, end_session);
    tcase_add_test(tc, the_spec_of_building_holds);
    tcase_add_test(tc, the_networks_of_the_spaces_are_what_they_say);
    tcase_add_test(tc, random_layers_are_built_or_refused);
    tcase_add_loop_test(tc, a_mistake_is_said_with_its_line, 0,
                        (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_test(tc, wrong_arguments_of_build_are_refused);
    tcase_add_test(tc, a_builder_ends_with_its_network);
    tcase_add_loop_test(tc, no_script_builds_without_end, 0,
                        (int)(sizeof endless / sizeof *endless));
    tcase_add_test(tc, a_network_has_a_largest_size);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
