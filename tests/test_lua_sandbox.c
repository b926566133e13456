/* What a script cannot do: known ways out of a Lua sandbox, ways to take all time or memory, wrong
 * use of objects. The tricks are from the discussions of Lua sandboxes (lua-users wiki,
 * "SandBoxes") and from reading Lua 5.4's library for loops that a script controls. */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/lua_harness.h"
#include "tests/support.h"
#include "tests/support_run.h"

/* ---- ways out ---- */

START_TEST(unsafe_names_do_not_exist)
{
    ok("for _, name in ipairs{'io', 'os', 'debug', 'package', 'coroutine', 'load', 'loadstring',\n"
       "    'loadfile', 'dofile', 'module', 'setfenv', 'getfenv', 'newproxy', 'warn', 'bit32'} do\n"
       "  assert(_G[name] == nil, name)\n"
       "end\n"
       "for _, name in ipairs{'dump', 'pack', 'unpack', 'packsize'} do\n"
       "  assert(string[name] == nil, name)\n"
       "  assert((''):len() == 0 and ('')[name] == nil, name)\n"
       "end\n"
       "assert(nasw.read == nil and nasw.bind == nil and nasw.theme == nil)");
}
END_TEST

/* Each must raise an error; the words are a part of it. */
static const struct {
    const char *script, *words;
} refused[] = {
    {"\x1bLua", "only text is run"},
    {"require('../secret')", "letters, digits"},
    {"require('/etc/passwd')", "letters, digits"},
    {"require('a/b')", "letters, digits"},
    {"require('..')", "letters, digits"},
    {"require('a\\0b')", "module"},
    {"require('.hidden')", "letters, digits"},
    {"require(('a'):rep(300))", "too long"},
    {"require('io')", "not in the script's folder"},
    {"require('ffi')", "not in the script's folder"},
    {"getmetatable('').__index = {}", "index a string"},
    {"setmetatable('', {})", "table expected"},
    {"setmetatable({}, {__gc = print})", "__gc"},
    {"setmetatable({}, {__gc = true})", "__gc"},
    {"local t = setmetatable({}, {__metatable = 1}) setmetatable(t, {})", "protected"},
    {"local n = nasw.load('demo') getmetatable(n).__gc(n)", "nil value"},
    {"local n = nasw.load('demo') setmetatable(n, {})", "table expected"},
    {"local n = nasw.load('demo') n.macs = 1", "cannot be changed"},
    {"local n = nasw.load('demo') rawset(n, 'macs', 1)", "table expected"},
    {"local n = nasw.load('demo') print(n.nothing)", "no 'nothing'"},
    {"local n = nasw.load('demo') n.ops_by_type({})", "Network expected"},
    {"local n, h = nasw.load('demo'), nasw.hw('ne32') n.ops(h)", "Network expected"},
    {"local n, h = nasw.load('demo'), nasw.hw('ne32') h.get(n, 'name')", "Hw expected"},
    {"collectgarbage('stop')", "invalid option"},
    {"collectgarbage('generational')", "invalid option"},
    {"string.rep('x', 1 << 40)", "memory limit"},
    {"('x'):rep(1 << 20, ('y'):rep(1 << 20))", "memory limit"},
    {"string.format('%99999d', 1)", "invalid conversion"},
    {"string.format('%.99999f', 1)", "invalid conversion"},
    {"table.unpack({}, 1, 1 << 30)", "too many results"},
    {"table.concat(setmetatable({}, {__index = table.concat}), '', 1, math.maxinteger)",
     "invalid value"},
    {"table.move({}, 1, math.maxinteger - 1, 2)", "budget"},
    {"table.sort({3, 2, 1}, function() error('mine') end)", "mine"},
    {"nasw.json(print)", "no function"},
    {"local t = {} t.t = t nasw.json(t)", "circle"},
    {"nasw.hw('ne32'):with({[1.5] = 2})", "key is a number"},
    {"nasw.hw('ne32'):with(5)", "table expected"},
    {"nasw.hw('ne32'):get('no.such')", "no 'no.such'"},
    {"nasw.estimate()", "Network expected"},
    {"nasw.estimate(nasw.load('demo'))", "Hw expected"},
    {"nasw.estimate(nasw.load('demo'), 'ne32', {estimator = 'oracle'})", "no such estimator"},
    {"nasw.estimate(nasw.load('demo'), 'ne32', {precison = 'int8'})", "precison"},
    {"nasw.load('demo', {inputs = {image = {0}}})", "whole number"},
    {"nasw.load('demo', {inputs = {image = {}}})", "list of 1 to 8"},
    {"nasw.load('demo', {input = {}})", "no option 'input'"},
    {"nasw.act('explode')", "no such action"},
    {"nasw.act('open', 'demo', 0)", "number of a kernel"},
    {"nasw.table({1})", "no table"},
    {"nasw.table({{a = {}}}, {'a'})", "is a table"},
    {"nasw.table({{a = 1}}, {{key = 'a', format = '%d%d'}})", "no value"},
    {"nasw.table({{a = 1}}, {{key = 'a', align = 'up'}})", "align"},
    {"nasw.write('a\\0b', '')", "zero byte"},
    {"nasw.write('a')", "string expected"},
    {"coroutine.yield()", "coroutine"},
    {"local x <close> = 5", "non-closable"},
};

START_TEST(ways_out_are_refused)
{
    fails_with(refused[_i].script, refused[_i].words);
}
END_TEST

START_TEST(metatables_of_objects_and_texts_stay_hidden)
{
    ok("assert(getmetatable('') == 'string')\n"
       "local n = nasw.load('demo')\n"
       "local h = nasw.hw('ne32')\n"
       "assert(getmetatable(n) == 'nasw.Network' and getmetatable(h) == 'nasw.Hw')\n"
       "assert(getmetatable(nasw.estimate(n, h)) == 'nasw.Estimate')");
}
END_TEST

/* A script that replaces the library's functions spoils its own answers, nothing else. */
START_TEST(replaced_library_functions_do_no_harm)
{
    ok("string.format = nil table.sort = nil string.rep = nil tostring = nil _G.type = nil\n"
       "assert(nasw.table({{a = 1.5}}, {{key = 'a', format = '%.2f'}}) == '   a\\n1.50\\n')\n"
       "assert(nasw.json{b = 1, a = 2} == '{\\n  \"a\": 2,\\n  \"b\": 1\\n}\\n')");
}
END_TEST

/* ---- bombs ---- */

/* Each must be stopped by the budget (20 million units here) or by the memory limit, within a
 * second or so of processor time; the test's own time limit would notice an endless one. */
static const char *const bombs[] = {
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "local function f() pcall(f) f() end f()",
    "xpcall(function() while true do end end, function() while true do end end)",
    "xpcall(error, function() while true do end end)",
    "return pcall(function() while true do end end)",
    "local t = setmetatable({}, {__close = function() while true do end end})\n"
    "do local x <close> = t error('a') end",
    "local t = setmetatable({}, {__close = function() while true do end end})\n"
    "pcall(function() local x <close> = t while true do end end)",
    "error(setmetatable({}, {__tostring = function() while true do end end}))",
    "print(setmetatable({}, {__tostring = function() while true do end end}))",
    "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) return t[1]",
    "local t = {} while true do t[#t + 1] = {} end",
    "local t = {} while true do t[#t + 1] = ('x'):rep(10000) .. #t end",
    "local s = 'x' while true do s = s .. s end",
    "local function f() return f() + 1 end f()",
    "while true do pcall(string.rep, 'x', 1 << 22) end",
    "while true do pcall(error, {}) end",
    "while true do collectgarbage() end",
    "local t = {} for i = 1, 50000 do t[i] = {} end while true do pcall(string.rep, 'x', 15 << 20) "
    "end",
    "while true do pcall(string.find, ('a'):rep(30), ('a*'):rep(30) .. 'b') end",
    "local s = ('a'):rep(1 << 20) while true do s:find(('a'):rep(1 << 19) .. 'b', 1, true) end",
    "local s = ('a'):rep(1 << 20) while true do s:find('b') end",
    "local s = ('a'):rep(1 << 20) while true do s:gsub('a', '') end",
    "local s = ('('):rep(1 << 20) s:find('%b()') s:gsub('%b()', '')",
    "local s = ('a'):rep(1 << 20) while true do utf8.len(s) end",
    "local s = ('\\x80'):rep(1 << 20) while true do for _ in utf8.codes(s) do end end",
    "local s = ('1'):rep(1 << 20) while true do tonumber(s) end",
    "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.insert(t, 1, 0) end",
    "local t = {} for i = 1, 1e5 do t[i] = '' end while true do table.concat(t) end",
    "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.sort(t) end",
    "local t = {} for i = 1, 1e5 do t[i] = i end\n"
    "while true do table.sort(t, function() return true end) end",
    "local t = {} for i = 1, 1e5 do t[i] = i end while true do pcall(table.unpack, t) end",
    "local t = {1} for i = 1, 25 do t = {t, t} end nasw.json(t)",
    "while true do nasw.load('demo') end",
    "while true do nasw.hw('ne32') end",
    "local n, h = nasw.load('demo'), nasw.hw('ne32') while true do nasw.estimate(n, h) end",
    "local e = nasw.estimate(nasw.load('demo'), 'ne32') while true do e:kernels() end",
    "local e = nasw.estimate(nasw.load('demo'), 'ne32') while true do e:json() end",
    "local h = nasw.hw('ne32') while true do h:get('sram.bytes') h:describe() end",
    "local h = nasw.hw('ne32') while true do h = h:with({cores = 2}) end",
    "while true do nasw.act('open', 'demo') end",
    "while true do nasw.actions() nasw.hw_names() end",
};

START_TEST(bombs_are_stopped)
{
    lua_engine *engine = start((lua_config){.is_captured = true});
    nw_status status = run_in(engine, bombs[_i]);
    const char *problem = nw_buf_text(&last_run()->problem);
    ck_assert_msg(status == NW_LIMIT ||
                      (status == NW_INVALID &&
                       (strstr(problem, "stack overflow") || strstr(problem, "memory limit") ||
                        strstr(problem, "too many steps"))),
                  "status %d: %s\n%s", status, problem, bombs[_i]);
    lua_engine_free(engine);
}
END_TEST

/* The pattern of the textbook: each further a doubles the time, 30 take minutes. */
START_TEST(a_backtracking_pattern_stops_within_a_second)
{
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    fails_with("(('a'):rep(30)):find(('a?'):rep(30) .. ('a'):rep(31))", "too many steps");
    fails_with("(('a'):rep(30)):match(('a*'):rep(30) .. 'b')", "too many steps");
    fails_with("(('a'):rep(30)):gsub(('a-'):rep(30) .. 'b', '')", "too many steps");
    fails_with("for _ in (('a'):rep(30)):gmatch(('a+'):rep(15) .. 'b') do end", "too many steps");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    /* Processor time, with the slowness of a sanitizer allowed for. */
    ck_assert_double_lt((double)(to.tv_sec - from.tv_sec), 10);
}
END_TEST

START_TEST(empty_text_repeated_without_end_is_empty)
{
    ok("assert(string.rep('', 1 << 62) == '' and (''):rep(math.maxinteger, '') == '')");
}
END_TEST

/* Lua's own table.insert and its relatives would loop 2^62 times in C here. */
START_TEST(lengths_by_metamethod_do_not_lead_the_library)
{
    ok("local long = setmetatable({}, {__len = function() return 1 << 62 end})\n"
       "table.insert(long, 1, 'x') table.remove(long, 1) table.sort(long)\n"
       "assert(table.concat(long) == '' and select('#', table.unpack(long)) == 0)");
}
END_TEST

START_TEST(processor_time_ends_what_no_count_reaches)
{
    lua_engine *engine = start((lua_config){.budget = INT64_MAX / 2, .cpu_s = 0.3});
    ck_assert_int_eq(run_in(engine, "local s, t = ('x'):rep(1 << 21), ('x'):rep(1 << 20)\n"
                                    "t = t .. t while true do local _ = s == t end"),
                     NW_LIMIT);
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&last_run()->problem), "processor time"));
    lua_engine_free(engine);
}
END_TEST

START_TEST(an_engine_works_on_after_its_limits_were_met)
{
    lua_engine *engine = start((lua_config){0});
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(run_in(engine, "t = {} while true do t[#t + 1] = {} end"), NW_LIMIT);
        ck_assert_int_eq(run_in(engine, "t = nil while true do end"), NW_LIMIT);
        ck_assert_msg(run_in(engine, "assert(nasw.load('demo').n_ops > 0)") == NW_OK, "%s",
                      nw_buf_text(&last_run()->problem));
    }
    lua_engine_free(engine);
}
END_TEST

/* Networks live outside Lua's memory: many of them are counted all the same. */
START_TEST(garbage_networks_are_collected)
{
    lua_engine *engine = start((lua_config){.budget = INT64_MAX / 2});
    ck_assert_int_eq(run_in(engine, "for i = 1, 3000 do assert(nasw.load('demo')) end"), NW_OK);
    lua_engine_free(engine);
}
END_TEST

static bool say_yes(void *context)
{
    return ++*(int *)context > 100;
}

START_TEST(an_interrupt_stops_even_a_loop_of_pcalls)
{
    int n_asked = 0;
    lua_engine *engine = start((lua_config){
        .is_interrupted = say_yes, .interrupt_context = &n_asked, .budget = INT64_MAX / 2});
    ck_assert_int_eq(run_in(engine, "while true do pcall(function() while true do end end) end"),
                     NW_CANCELLED);
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&last_run()->problem), "interrupted"));
    lua_engine_free(engine);
}
END_TEST

/* ---- closed objects ---- */

START_TEST(closed_objects_raise_and_do_not_crash)
{
    ok("local function fails(words, f, ...)\n"
       "  local ok, why = pcall(f, ...)\n"
       "  assert(not ok and why:find(words, 1, true), tostring(why))\n"
       "end\n"
       "local n, h = nasw.load('demo'), nasw.hw('ne32')\n"
       "local e = nasw.estimate(n, h)\n"
       "local ops = n:ops() ops()\n"
       "n:close() n:close()\n"
       "fails('closed', function() return n.macs end)\n"
       "fails('closed', n.ops, n) fails('closed', ops)\n"
       "fails('network is closed', function() return e.latency_us end)\n"
       "fails('closed', nasw.estimate, n, h)\n"
       "assert(tostring(n) == 'network (closed)' and tostring(e) == 'estimate (closed)')\n"
       "n = nasw.load('demo') e = nasw.estimate(n, h)\n"
       "h:close()\n"
       "fails('closed', h.get, h, 'name') fails('hardware is closed', e.kernels, e)\n"
       "e:close() fails('estimate is closed', e.json, e)\n"
       "do local m <close> = nasw.load('demo') n = m end\n"
       "fails('closed', function() return n.name end)");
}
END_TEST

START_TEST(an_estimate_keeps_what_it_was_made_from)
{
    ok("local e = nasw.estimate(nasw.load('demo'), nasw.hw('ne32'))\n"
       "local kernels = e:kernels()\n"
       "collectgarbage() collectgarbage()\n"
       "assert(e.latency_us > 0 and e.network.n_ops > 0 and e.hw.name == 'ne32')\n"
       "local next_op = e.network:ops() e = nil collectgarbage() collectgarbage()\n"
       "assert(next_op().index == 1 and #kernels > 0)");
}
END_TEST

/* ---- files ---- */

START_TEST(files_are_written_below_the_working_folder_alone)
{
    char *folder = folder_new();
    static char outside[64] = "/tmp/nasw_test_outside";
    /* The presets are named relative to the old folder. */
    lua_engine *engine = start((lua_config){0});
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(mkdir("sub", 0755), 0);
    ck_assert_int_eq(symlink("/tmp", "link"), 0);
    ck_assert_int_eq(symlink(outside, "file_link"), 0);
    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    nw_status status =
        run_in(engine,
               "local function refused(path)\n"
               "  local ok, message, code = nasw.write(path, 'x')\n"
               "  assert(ok == nil and message and (code == 'invalid' or code == 'io'), path)\n"
               "end\n"
               "assert(nasw.write('a.txt', 'one')) assert(nasw.write('a.txt', 'two\\0'))\n"
               "assert(nasw.write('./sub/b.txt', 'three'))\n"
               "for _, path in ipairs{'', '/', '/tmp/nasw_test_outside', '../x', 'sub/../../x', "
               "'sub/..',\n"
               "    '.', './', 'sub', 'sub/', 'sub//x', 'link/x', 'file_link', 'fifo', '.hidden',\n"
               "    'sub/.git', '.git/config', 'no/such', ('x'):rep(300), 'a.txt/x'} do "
               "refused(path) end");
    ck_assert_msg(status == NW_OK, "%s", nw_buf_text(&last_run()->problem));
    size_t n;
    char *text = read_text("a.txt", &n);
    ck_assert_uint_eq(n, 4);
    ck_assert_str_eq(text, "two");
    free(text);
    text = read_text("sub/b.txt", NULL);
    ck_assert_str_eq(text, "three");
    free(text);
    ck_assert_int_ne(access(outside, F_OK), 0);
    lua_engine_free(engine);
    ck_assert_int_eq(chdir("/"), 0);
    folder_free(folder);
}
END_TEST

START_TEST(actions_write_below_the_working_folder_alone)
{
    char *folder = folder_new();
    lua_engine *engine = start((lua_config){0});
    ck_assert_int_eq(run_in(engine, "assert(nasw.act('open', 'demo'))"), NW_OK);
    ck_assert_int_eq(chdir(folder), 0);
    nw_status status =
        run_in(engine, "for _, name in ipairs{'save', 'export', 'save-session', "
                       "'script'} do\n"
                       "  for _, path in ipairs{'/tmp/nasw_test_x.json', '../x.json', "
                       "'.x.json'} do\n"
                       "    local ok, _, code = nasw.act(name, path)\n"
                       "    assert(ok == nil and code == 'invalid', name .. path)\n"
                       "  end\n"
                       "  assert(not nasw.act(name))\n"
                       "end\n"
                       "assert(nasw.act('export', 'b.json'))");
    ck_assert_msg(status == NW_OK, "%s", nw_buf_text(&last_run()->problem));
    ck_assert_int_eq(access("b.json", F_OK), 0);
    lua_engine_free(engine);
    ck_assert_int_eq(chdir("/"), 0);
    folder_free(folder);
}
END_TEST

START_TEST(trust_lifts_the_sandbox)
{
    lua_engine *engine = start((lua_config){.is_trusted = true});
    ck_assert_int_eq(run_in(engine,
                            "assert(io.open and os.time() > 0 and load('return 1')() == 1)\n"
                            "assert(coroutine and debug and string.dump)\n"
                            "local t = ('x'):rep(64 << 20)\n"
                            "for i = 1, 3e7 do end\n"
                            "assert(nasw.load('demo').n_ops > 0)\n"
                            "setmetatable({}, {__gc = function() error('late') end})\n"
                            "collectgarbage()"),
                     NW_OK);
    ck_assert_int_eq(run_in(engine, "local f = string.dump(function() end)\n"
                                    "setmetatable({}, {__gc = function() error('late') end})"),
                     NW_OK);
    lua_engine_free(engine);
}
END_TEST

/* ---- our library against Lua's own ---- */

static char *printed_by(const char *path, bool is_trusted)
{
    lua_engine *engine = start((lua_config){.is_trusted = is_trusted,
                                            .is_captured = true,
                                            .budget = INT64_MAX / 2,
                                            .memory_bytes = 64 << 20});
    char line[256];
    bool is_error, is_incomplete;
    /* By the console, which hands over what was printed. */
    char *text = read_text(path, NULL);
    ck_assert_ptr_nonnull(text);
    const char *out = console(engine, text, &is_error, &is_incomplete);
    snprintf(line, sizeof line, "%.200s", out);
    ck_assert_msg(!is_error && !is_incomplete, "%s: %s", path, line);
    free(text);
    lua_engine_free(engine);
    return strdup(out);
}

START_TEST(random_patterns_match_as_in_the_standard_library)
{
    char *ours = printed_by("tests/lua/random_patterns.lua", false);
    char *theirs = printed_by("tests/lua/random_patterns.lua", true);
    ck_assert_uint_gt(strlen(ours), 100000);
    ck_assert(strcmp(ours, theirs) == 0);
    free(ours);
    free(theirs);
}
END_TEST

static const char *const specs[] = {"tests/lua/patterns.lua", "tests/lua/tables.lua"};

START_TEST(specs_hold_here_and_in_the_standard_library)
{
    free(printed_by(specs[_i], false));
    free(printed_by(specs[_i], true));
}
END_TEST

START_TEST(misuse_of_every_function_is_survived)
{
    free(printed_by("tests/lua/misuse.lua", false));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lua_sandbox");
    TCase *tc = tcase_create("sandbox");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, begin_session, end_session);
    tcase_add_test(tc, unsafe_names_do_not_exist);
    tcase_add_loop_test(tc, ways_out_are_refused, 0, sizeof refused / sizeof *refused);
    tcase_add_test(tc, metatables_of_objects_and_texts_stay_hidden);
    tcase_add_test(tc, replaced_library_functions_do_no_harm);
    tcase_add_loop_test(tc, bombs_are_stopped, 0, sizeof bombs / sizeof *bombs);
    tcase_add_test(tc, a_backtracking_pattern_stops_within_a_second);
    tcase_add_test(tc, empty_text_repeated_without_end_is_empty);
    tcase_add_test(tc, lengths_by_metamethod_do_not_lead_the_library);
    tcase_add_test(tc, processor_time_ends_what_no_count_reaches);
    tcase_add_test(tc, an_engine_works_on_after_its_limits_were_met);
    tcase_add_test(tc, garbage_networks_are_collected);
    tcase_add_test(tc, an_interrupt_stops_even_a_loop_of_pcalls);
    tcase_add_test(tc, closed_objects_raise_and_do_not_crash);
    tcase_add_test(tc, an_estimate_keeps_what_it_was_made_from);
    tcase_add_test(tc, files_are_written_below_the_working_folder_alone);
    tcase_add_test(tc, actions_write_below_the_working_folder_alone);
    tcase_add_test(tc, trust_lifts_the_sandbox);
    tcase_add_test(tc, random_patterns_match_as_in_the_standard_library);
    tcase_add_loop_test(tc, specs_hold_here_and_in_the_standard_library, 0, 2);
    tcase_add_test(tc, misuse_of_every_function_is_survived);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
