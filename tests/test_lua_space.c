/* Spaces in Lua: what nasw.d.lua promises of declaring and reading them, that every mistake is one
 * line with the declaration's place and what to do, files as spaces, conditions in Lua, and what
 * ends when. Expectations are counted by hand from the declarations. */
#include "tests/lua_harness.h"
#include "tests/support.h"
#include "tests/support_run.h"

#define ENOUGH 4000000000 /* units: sealing tries every option */

static lua_engine *start_rich(void)
{
    return start((lua_config){.budget = ENOUGH, .memory_bytes = 64 << 20});
}

START_TEST(the_spec_of_spaces_holds)
{
    char *text = read_text("tests/lua/space.lua", NULL);
    ck_assert_ptr_nonnull(text);
    lua_engine *engine = start_rich();
    ck_assert_msg(run_in(engine, text) == NW_OK, "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    free(text);
}
END_TEST

/* ---- mistakes ---- */

#define SPACE "local s = nasw.space{network = 'demo'}\n"

/* The declaration is in line 2 (the first stands in line 1); then what is said, '|' between. */
static const struct {
    const char *text, *words;
} mistakes[] = {
    /* dimensions that do not exist */
    {SPACE "s:channels('99', {8, 16})", "'99' picks no block|stages 0 to 22"},
    {SPACE "s:kernel('3.9', {3, 5})", "'3.9' picks no block"},
    {SPACE "s:kernel('basic', {3, 5})", "'basic' picks no block"},
    {SPACE "s:kernel('3;4', {3, 5})", "names no blocks"},
    {SPACE "s:channels('17', {8, 16})", "the channels of block 17|are fixed"},
    {SPACE "s:channels{wher = '3', options = {8}}", "no setting 'wher'; there are where, options"},
    {SPACE "s:channels{where = '3', stage = '3', options = {8}}", "both where and stage"},
    {SPACE "s:channels{where = {}, options = {8}}", "where is an empty list"},
    {SPACE "s:channels{where = true, options = {8}}", "where must be a text, not a boolean"},
    {SPACE "s:channels('3')", "wanted s:channels{where = \"3\", options = {...}}"},
    {SPACE "s:channels()", "wanted s:channels{where"},
    {SPACE "s:channel('3', {8})", "Space has no 'channel'"},
    /* empty, repeated and wrong options */
    {SPACE "s:channels('3', {})", "no options: list what it may be"},
    {SPACE "s:channels{where = '3'}", "no options: say options = {...}, range ="},
    {SPACE "s:variant{where = '3'}", "no options: say options = {...}"},
    {SPACE "s:channels('3', {8, 16, 8})", "8 of channels stands there twice"},
    {SPACE "s:variant('3', {'ibn', 'mbconv'})", "ibn of variant stands there twice"},
    {SPACE "s:channels('3', {8.5})", "8.5 is no whole number"},
    {SPACE "s:channels('3', {-8})", "-8 is not a number of channels"},
    {SPACE "s:channels('3', {0})", "0 is no value"},
    {SPACE "s:channels('3', {'many'})", "many is not a number of channels"},
    {SPACE "s:channels('3', {1e300})", "is no whole number"},
    {SPACE "s:channels('3', {0/0})", "is no whole number"},
    {SPACE "s:channels('3', {{}})", "an option must be a text, not a table"},
    {SPACE "s:channels{where = '3', options = 8}", "options must be a list"},
    {SPACE "s:channels{where = '3', range = 8}", "wanted range = {from, to, step}"},
    {SPACE "s:channels{where = '3', range = {8}}", "'to' must be a whole number"},
    {SPACE "s:channels{where = '3', range = {8, 4}}", "nothing is in the range from 8 to 4"},
    {SPACE "s:channels{where = '3', range = {1, 1000000}}", "more than 4096 options"},
    {SPACE "s:channels{where = '3', range = {8, 64, 0}}", "'step' must be a whole number"},
    {SPACE "s:channels{where = '3', multiples = {to = 64}}", "'of' must be a whole number"},
    {SPACE "s:width{range = {1, 2}}", "range is for whole numbers"},
    {SPACE "s:width{options = {1, 0.5}, divisor = 0}", "divisor is what width rounds to"},
    {SPACE "s:kernel{where = '3', options = {3}, divisor = 8}", "divisor is what width rounds to"},
    {SPACE "s:kernel('3', {3, 4})",
     "4 is no value of a dimension of kernel: wanted odd sizes from 1 to 31"},
    {SPACE "s:variant('3', {'ibn', 'fusd'})", "fusd is not a kind of block"},
    {SPACE "s:resolution{options = {{320}}}", "a size is {height, width}"},
    {SPACE "s:kernel{where = '3', options = {3, 5}, each = 1}", "each must be true or false"},
    {SPACE "s:kernel{where = '3', options = {3, 5}, name = ''}", "name is empty"},
    {SPACE "s:kernel{ties = {'3'}, where = '3', options = {3}}", "ties is a list with an entry"},
    {SPACE "s:channels{where = '3,4', options = {8}, factors = {1, -1}}", "factor 2 is no number"},
    /* options that break the network: the line is the declaration's */
    {SPACE "s:variant('0', {'conv', 'fused'})\ns:seal()", "option fused|v0|breaks the network"},
    {SPACE "s:kernel{where = '3', options = {3, 5}} s:kernel('3.1', {5})",
     "of t.lua:2 has the kernel of block 3.1 already"},
    {SPACE "s:kernel('3', {3}) s:kernel{where = '4', name = 'k3', options = {5}}",
     "there is a dimension 'k3' already"},
    /* conditions that nothing meets, or that are none */
    {"local s = nasw.space{network = 'demo'} s:channels('3', {8, 16}) s:channels('4', {32})\n"
     "s:require('c3 > c4') s:seal()",
     "no genome meets 'c3 > c4'"},
    {SPACE "s:require('c3 <')", "requirement 'c3 <'"},
    {SPACE "s:require(5)", "wanted a text as \"c2 <= c3\", or a function"},
    {SPACE "s:limit{latency = 5}", "no metric 'latency'; there are latency_us, latency_ms"},
    {SPACE "s:limit{latency_us = 'fast'}", "latency_us must be a number, or {min"},
    {SPACE "s:limit{macs = {}}", "macs must be a number, or {min"},
    {SPACE "s:limit{latency_us = -1}", "no limit that a network can keep"},
    {SPACE "s:limit{macs = {min = 10, max = 1}}", "no network has macs at least 10 and at most 1"},
    {SPACE "s:limit(5)", "limit: wanted a table"},
    /* errors inside the declaration */
    {SPACE "error('stop here')", "stop here"},
    {SPACE "s:require(function(g) return g.x.y end) s:kernel('3', {3, 5}) s:seal()",
     "attempt to index a nil value"},
    {SPACE "s:require(function() while true do end end) s:kernel('3', {3, 5}) s:seal()", "budget"},
    {SPACE "s:seal()", "has no dimension"},
    {"local s = nasw.space{network = 'demo'} s:kernel('3', {3, 5}) s:seal()\ns:kernel('4', {3, 5})",
     "the space is in use since t.lua:1"},
};

/* "t.lua:2: ", one line, all of the words. */
static const char *flaw_of(const char *problem, const char *words, int line)
{
    char start[32], word[160];
    snprintf(start, sizeof start, "t.lua:%d: ", line);
    if (strncmp(problem, start, strlen(start)) != 0)
        return "does not begin with its place";
    size_t length = strcspn(problem, "\n");
    for (const char *at = words; *at;) {
        size_t n = strcspn(at, "|");
        snprintf(word, sizeof word, "%.*s", (int)n, at);
        const char *found = strstr(problem, word);
        if (!found || found > problem + length)
            return "does not say it in its first line";
        at += n + (at[n] == '|');
    }
    return NULL;
}

START_TEST(mistakes_are_one_line_with_their_place_and_what_to_do)
{
    lua_engine *engine = start((lua_config){.budget = 400000000});
    ck_assert_msg(run_in(engine, mistakes[_i].text) != NW_OK, "nothing was wrong with %s",
                  mistakes[_i].text);
    const char *problem = nw_buf_text(&last_run()->problem);
    const char *flaw = flaw_of(problem, mistakes[_i].words, 2);
    ck_assert_msg(!flaw, "%s: %s\nof %s", flaw, problem, mistakes[_i].text);
    lua_engine_free(engine);
}
END_TEST

START_TEST(networks_that_are_none_are_refused_where_the_space_begins)
{
    static const char *const texts[][2] = {
        {"nasw.space{network = 'nosuch.onnx'}", "nosuch.onnx: cannot open"},
        {"nasw.space{}", "no network: say network = "},
        {"nasw.space{network = 5}", "must be a file's name or a nasw.Network, not a number"},
        {"nasw.space{network = 'demo', size = 4}", "no setting 'size'; there are name and network"},
        {"nasw.space('demo')", "wanted nasw.space{name = "},
        {"nasw.space()", "wanted nasw.space{name = "},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *problem = problem_of(texts[i][0]), *flaw = flaw_of(problem, texts[i][1], 1);
        ck_assert_msg(!flaw, "%s: %s", flaw, problem);
    }
}
END_TEST

/* ---- sizes ---- */

START_TEST(spaces_of_one_point_and_beyond_64_bits_are_counted_exactly)
{
    lua_engine *engine = start_rich();
    /* one point: its size is 1 and its only genome the network */
    ck_assert_msg(run_in(engine, SPACE "s:kernel('3', {3}) assert(s:size() == '1') "
                                       "assert(s:random(1).text == s:genome().text)") == NW_OK,
                  "%s", nw_buf_text(&last_run()->problem));
    /* 11 dimensions of 249 options: 249^11 = 228 135 472 299 766 291 637 190 249, above 2^64 */
    static const char large[] = "local s = nasw.space{network = 'demo'}\n"
                                "s:channels{where = '0-8', each = true, range = {8, 256}}\n"
                                "s:expanded{ties = {'2.0', '3.0'}, range = {8, 256}}\n"
                                "assert(#s:dims() == 11, #s:dims())\n"
                                "assert(s:size() == '228135472299766291637190249', s:size())\n"
                                "assert(s:genome(s:random(1).text).text == s:random(1).text)";
    ck_assert_msg(run_in(engine, large) == NW_OK, "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
}
END_TEST

/* ---- files ---- */

typedef struct loaded {
    char *folder;
    nw_status status;
    const nw_space *space;
    nw_error err;
} loaded;

static loaded load_text(const char *name, const char *text)
{
    static lua_config config = {.data_path = PRESETS, .budget = 50000000};
    loaded l = {.folder = folder_new()};
    const char *path = folder_write(l.folder, name, text, strlen(text));
    const nw_space_loader loader = {&config, lua_engine_load_space};
    l.status = nw_space_load(path, &loader, &l.space, &l.err);
    return l;
}

static void unload(loaded *l)
{
    nw_space_release(l->space);
    folder_free(l->folder);
}

START_TEST(a_file_is_the_space_that_it_returns)
{
    loaded l = load_text("good.lua", "local s = nasw.space{name = 'two', network = 'demo'}\n"
                                     "s:kernel('3', {3, 5})\nprint('quiet')\nreturn s");
    ck_assert_msg(l.status == NW_OK, "%s: %s", l.err.where, l.err.message);
    ck_assert_str_eq(nw_space_name(l.space), "two");
    int n;
    const nw_dim *dims = nw_space_dims(l.space, &n);
    ck_assert_int_eq(n, 1);
    ck_assert_ptr_nonnull(strstr(dims[0].file, "/good.lua"));
    ck_assert_int_eq(dims[0].line, 2);
    ck_assert_ptr_nonnull(strstr(nw_space_source(l.space), "/good.lua"));
    unload(&l);
    /* a network returned is its usual space */
    l = load_text("net.lua", "return assert(nasw.load('cn_r1_k3_s2_c16 ir_r2_k3_s1_e6_c16'))");
    ck_assert_msg(l.status == NW_OK, "%s: %s", l.err.where, l.err.message);
    ck_assert_int_gt(nw_space_n_dims(l.space), 1);
    unload(&l);
}
END_TEST

START_TEST(files_that_return_no_space_say_so)
{
    static const char *const files[][2] = {
        {"local s = nasw.space{network = 'demo'} s:kernel('3', {3, 5})", "returns nothing, not a"},
        {"return 5", "returns number, not a space: end it with `return space`"},
        {"return {}", "returns table"},
        {"", "returns nothing"},
        {"return nasw.space{network = 'demo'}", "has no dimension"},
        {"local s = nasw.space{network = 'demo'}\ns:kernel('77', {3, 5})\nreturn s",
         "'77' picks no block"},
        {"x =", "unexpected symbol"},
        {"while true do end", "budget"},
        {"io.open('/etc/passwd')", "global 'io'"},
        {"nasw.space = nil return 5", "returns number"},
        {"nasw.space = nil return nasw.load('demo')", "attempt to index a nil value"},
        {"return setmetatable({}, {__name = 'nasw.Space'})", "returns table"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        loaded l = load_text("bad.lua", files[i][0]);
        char whole[600];
        snprintf(whole, sizeof whole, "%s: %s", l.err.where, l.err.message);
        ck_assert_msg(l.status != NW_OK && !l.space, "%s", files[i][0]);
        ck_assert_msg(strstr(whole, files[i][1]) && strstr(whole, "bad.lua"), "%s\nof %s", whole,
                      files[i][0]);
        unload(&l);
    }
}
END_TEST

/* The engine that a hook needs lives as long as the space, and no longer (a leak checker sees). */
START_TEST(conditions_in_lua_outlive_the_file_that_declares_them)
{
    loaded l =
        load_text("hook.lua", "local s = nasw.space{network = 'demo'}\n"
                              "local other = nasw.space{network = 'demo'}\n"
                              "other:require(function() return false end)\n"
                              "s:channels('3', {16, 32, 48})\ns:channels('4', {32, 48, 64})\n"
                              "s:require(function(g) return g.c3 < g.c4 end, 'c3 below c4')\n"
                              "keep = {s, other}\nreturn s");
    ck_assert_msg(l.status == NW_OK, "%s: %s", l.err.where, l.err.message);
    ck_assert_int_eq(nw_space_n_predicates(l.space), 1);
    char why[160] = "";
    uint16_t genome[2];
    ck_assert_int_eq(nw_genome_read(l.space, "c3=48 c4=64", genome, &l.err), NW_OK);
    ck_assert(nw_space_allows(l.space, genome, why, sizeof why));
    ck_assert_int_eq(nw_genome_read(l.space, "c3=48 c4=48", genome, &l.err), NW_OK);
    ck_assert(!nw_space_allows(l.space, genome, why, sizeof why));
    ck_assert_msg(strstr(why, "c3 below c4") != NULL, "%s", why);
    unload(&l);
}
END_TEST

START_TEST(a_condition_that_hangs_later_refuses_and_ends)
{
    loaded l = load_text("hang.lua", "local s = nasw.space{network = 'demo'}\n"
                                     "s:channels{where = '3', range = {1, 4000}}\n"
                                     "s:require(function(g) while g.c3 == 7 do end return true end)"
                                     "\nreturn s");
    ck_assert_msg(l.status == NW_OK, "%s: %s", l.err.where, l.err.message);
    uint16_t genome[1] = {8};
    ck_assert(nw_space_allows(l.space, genome, NULL, 0));
    genome[0] = 6; /* 7 channels */
    ck_assert(!nw_space_allows(l.space, genome, NULL, 0));
    unload(&l);
}
END_TEST

START_TEST(files_that_load_each_other_end)
{
    char *folder = folder_new(), text[600];
    const char *path = folder_write(folder, "circle.lua", "", 0);
    snprintf(text, sizeof text, "return assert(nasw.load_space('%s'))", path);
    folder_write(folder, "circle.lua", text, strlen(text));
    lua_engine *engine = start_rich();
    snprintf(text, sizeof text, "assert(nasw.load_space('%s/circle.lua'))", folder);
    ck_assert_int_ne(run_in(engine, text), NW_OK);
    ck_assert_msg(strstr(nw_buf_text(&last_run()->problem), "load each other more than") != NULL,
                  "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    folder_free(folder);
}
END_TEST

/* ---- budget and memory ---- */

static const char *const endless[] = {
    "while true do nasw.space{network = 'demo'} end",
    "local s = nasw.space{network = 'demo'} s:kernel('3', {3, 5}) "
    "while true do s:network{k3 = 5} end",
    "local s = nasw.space{network = 'demo'} s:kernel('3', {3, 5}) while true do s:random(1) end",
    "local s = nasw.space{network = 'demo'} s:kernel('3', {3, 5}) while true do s:dims() end",
    "local s = nasw.space{network = 'demo'} s:kernel('3', {3, 5}) while true do s:allows() end",
    "local s = nasw.space{network = 'demo'} s:kernel('3', {3, 5}) "
    "while true do s:restrict{k3 = 5} end",
    "while true do nasw.space.from_model('cn_r1_k3_s2_c16 ir_r2_k3_s1_e6_c16') end",
    "while true do nasw.load_space('cn_r1_k3_s2_c16 ir_r2_k3_s1_e6_c16') end",
    "local s = nasw.space{network = 'demo'} while true do pcall(s.kernel, s, '99', {3}) end",
};

START_TEST(loops_of_spaces_end_by_the_budget)
{
    fails_with(endless[_i], "budget");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lua_space");
    TCase *tc = tcase_create("lua");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, begin_session, end_session);
    tcase_add_test(tc, the_spec_of_spaces_holds);
    tcase_add_loop_test(tc, mistakes_are_one_line_with_their_place_and_what_to_do, 0,
                        (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_test(tc, networks_that_are_none_are_refused_where_the_space_begins);
    tcase_add_test(tc, spaces_of_one_point_and_beyond_64_bits_are_counted_exactly);
    tcase_add_test(tc, a_file_is_the_space_that_it_returns);
    tcase_add_test(tc, files_that_return_no_space_say_so);
    tcase_add_test(tc, conditions_in_lua_outlive_the_file_that_declares_them);
    tcase_add_test(tc, a_condition_that_hangs_later_refuses_and_ends);
    tcase_add_test(tc, files_that_load_each_other_end);
    tcase_add_loop_test(tc, loops_of_spaces_end_by_the_budget, 0,
                        (int)(sizeof endless / sizeof *endless));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
