/* The scripting API: what nasw.d.lua documents is there, numbers are those of the program's own
 * output, errors say where, require, the console, the command line. Expectations come from
 * nasw.d.lua, from `nasw estimate --json` and from the Lua 5.4 manual. */
#include <cjson/cJSON.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/report/report.h"
#include "tests/lua_harness.h"
#include "tests/support.h"
#include "tests/support_run.h"

/* ---- the documentation ---- */

typedef struct name_list {
    char text[32768]; /* "|a|b|" */
    int n;
} name_list;

static void add_name(void *context, const char *name)
{
    name_list *list = context;
    size_t length = strlen(list->text);
    snprintf(list->text + length, sizeof list->text - length, "%s|", name);
    list->n++;
}

static bool has_name(const name_list *list, const char *name)
{
    char key[128];
    snprintf(key, sizeof key, "|%s|", name);
    return strstr(list->text, key) != NULL;
}

/* Functions, methods and the fields of the object classes in nasw.d.lua. */
static void read_documented(name_list *list)
{
    char class_name[64] = "", name[128];
    char *text = read_text("lua/nasw.d.lua", NULL);
    ck_assert_ptr_nonnull(text);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        if (sscanf(line, "---@class nasw.%63[A-Za-z]", class_name) == 1)
            continue;
        bool is_object =
            strstr(" Network Hw Estimate Measurements Estimator Session Builder Map Space Genome "
                   "Landscape Plan Curation ",
                   class_name) &&
            class_name[0];
        char field[64];
        if (is_object && sscanf(line, "---@field %63[A-Za-z0-9_]", field) == 1)
            snprintf(name, sizeof name, "%s.%s", class_name, field);
        else if (sscanf(line, "function %127[A-Za-z0-9_.:]", name) != 1)
            continue;
        add_name(list, name);
    }
    free(text);
}

static nw_status no_bind(void *context, const char *key, const char *name, nw_error *err)
{
    (void)context;
    if (strcmp(key, "q") == 0)
        return nw_fail(err, NW_INVALID, "q", "bound to both quit and %s", name);
    return NW_OK;
}

static nw_status no_color(void *context, const char *role, const char *color, nw_error *err)
{
    snprintf(context, 64, "%s=%s", role, color);
    (void)err;
    return NW_OK;
}

START_TEST(every_function_is_documented_and_every_documented_one_is_there)
{
    char color[64];
    lua_face face = {color, no_bind, no_color};
    lua_engine *engine = start((lua_config){.face = &face});
    name_list there = {"|", 0}, documented = {"|", 0};
    lua_engine_each_name(engine, add_name, &there);
    read_documented(&documented);
    ck_assert_int_gt(there.n, 40);
    char *rest, *copy = strdup(there.text);
    for (char *name = strtok_r(copy, "|", &rest); name; name = strtok_r(NULL, "|", &rest))
        ck_assert_msg(has_name(&documented, name), "%s is not in nasw.d.lua", name);
    free(copy);
    copy = strdup(documented.text);
    for (char *name = strtok_r(copy, "|", &rest); name; name = strtok_r(NULL, "|", &rest))
        ck_assert_msg(has_name(&there, name), "nasw.d.lua has %s, which is not registered", name);
    free(copy);
    ck_assert_int_eq(there.n, documented.n);
    lua_engine_free(engine);
}
END_TEST

/* luacheck's list in .luacheckrc is a third one. */
START_TEST(the_globals_of_luacheck_are_those_of_nasw)
{
    lua_engine *engine = start((lua_config){0});
    name_list there = {"|", 0};
    lua_engine_each_name(engine, add_name, &there);
    char *rest, *text = read_text(".luacheckrc", NULL), *copy = strdup(there.text), quoted[80];
    ck_assert_ptr_nonnull(text);
    for (char *name = strtok_r(copy, "|", &rest); name; name = strtok_r(NULL, "|", &rest)) {
        if (strncmp(name, "nasw.", 5) != 0)
            continue;
        snprintf(quoted, sizeof quoted, "\"%.60s\"", strrchr(name, '.') + 1);
        ck_assert_msg(strstr(text, quoted) != NULL, "%s is not in .luacheckrc", name);
    }
    free(copy);
    free(text);
    lua_engine_free(engine);
}
END_TEST

START_TEST(the_spec_of_the_api_holds)
{
    char *text = read_text("tests/lua/api.lua", NULL);
    ck_assert_ptr_nonnull(text);
    ok(text);
    free(text);
}
END_TEST

START_TEST(hooks_of_the_workbench_exist_where_there_is_one)
{
    char color[64] = "";
    lua_face face = {color, no_bind, no_color};
    lua_engine *engine = start((lua_config){.face = &face});
    ck_assert_int_eq(run_in(engine, "nasw.bind('f', 'filter') nasw.theme{better = '#00afff'}"),
                     NW_OK);
    ck_assert_str_eq(color, "better=#00afff");
    ck_assert_int_eq(run_in(engine, "\nnasw.bind('q', 'filter')"), NW_INVALID);
    ck_assert_ptr_nonnull(
        strstr(nw_buf_text(&last_run()->problem), "t.lua:2: q: bound to both quit and filter"));
    ck_assert_int_eq(run_in(engine, "nasw.theme{better = 5}"), NW_INVALID);
    lua_engine_free(engine);
}
END_TEST

/* ---- numbers ---- */

static const char *const models[] = {
    "demo",
    "models/mobilenet_v2_1.0_224_quant.tflite",
    "models/tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
};

/* estimate:json() and its relatives are the program's own output, byte for byte. */
START_TEST(pages_equal_the_command_lines)
{
    static const char *const kinds[][2] = {{"--json", "e.json"}, {"--csv", "e.csv"}, {"", "e.txt"}};
    static const char script[] =
        "local e = assert(nasw.estimate(assert(nasw.load(arg[1])), 'ne32'))\n"
        "assert(nasw.write('e.json', e:json())) assert(nasw.write('e.csv', e:csv()))\n"
        "assert(nasw.write('e.txt', e:text()))";
    const char *path = _i == 0 ? models[0] : shared_path(models[_i]);
    if (!path)
        return;
    /* The script runs in the folder where it writes; the page shows the model's path. */
    char *folder = folder_new(), *model = _i == 0 ? strdup(path) : realpath(path, NULL);
    const char *at = folder_write(folder, "t.lua", script, sizeof script - 1);
    const run_setup setup = {.folder = folder};
    run_result lua = run_nasw(&setup, "--script %s -- %s", at, model);
    ck_run(run_flaw(&lua), &lua);
    ck_assert_int_eq(lua.status, 0);
    for (int i = 0; i < 3; i++) {
        char written[512];
        snprintf(written, sizeof written, "%s/%s", folder, kinds[i][1]);
        run_result cli = run_nasw(NULL, "estimate %s --hw ne32 %s", model, kinds[i][0]);
        char *page = read_text(written, NULL);
        ck_assert_ptr_nonnull(page);
        ck_assert_msg(strcmp(page, cli.out) == 0, "%s differs", kinds[i][1]);
        free(page);
        run_free(&cli);
    }
    run_free(&lua);
    free(model);
    folder_free(folder);
}
END_TEST

static void compare(const cJSON *theirs, const cJSON *ours, const char *where)
{
    ck_assert_msg(ours != NULL, "%s is not there", where);
    if (cJSON_IsNumber(theirs)) {
        ck_assert_msg(cJSON_IsNumber(ours) && ours->valuedouble == theirs->valuedouble,
                      "%s: %.17g, not %.17g", where, ours->valuedouble, theirs->valuedouble);
        return;
    }
    if (!cJSON_IsObject(theirs) && !cJSON_IsArray(theirs)) {
        ck_assert_msg(cJSON_Compare(theirs, ours, true), "%s differs", where);
        return;
    }
    int i = 0;
    const cJSON *child;
    cJSON_ArrayForEach(child, theirs)
    {
        char inner[512];
        snprintf(inner, sizeof inner, "%.400s.%.80s", where, child->string ? child->string : "[]");
        const cJSON *other = child->string ? cJSON_GetObjectItemCaseSensitive(ours, child->string)
                                           : cJSON_GetArrayItem(ours, i);
        if (!cJSON_IsNull(child)) /* nil has no place in a table */
            compare(child, other, inner);
        else
            ck_assert_ptr_null(other);
        i++;
    }
    ck_assert_int_le(i, cJSON_GetArraySize(theirs));
}

/* Every field of nasw.estimate/1 that the objects have, and every field of every kernel, is the
 * number that estimate:json() shows. */
START_TEST(fields_equal_the_json)
{
    static const char *const totals[] = {
        "overhead_us",      "latency_us",     "energy_uj",       "macs",
        "peak_live_bytes",  "arena_bytes",    "dram_bytes",      "sram_bytes",
        "host_us",          "host_switches",  "partitions",      "fits",
        "reason",           "precision",      "estimator",       "calibrated",
        "estimator_source", "latency_low_us", "latency_high_us", "extrapolated_kernels",
    };
    static const char *const hw[] = {"ne32", "u55-128", "systolic16-ws"};
    const char *path = _i == 0 ? models[0] : shared_path(models[_i]);
    if (!path)
        return;
    for (int k = 0; k < 3; k++) {
        char text[2048], *folder = folder_new(), names[512] = "", file[2][300];
        for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
            size_t length = strlen(names);
            snprintf(names + length, sizeof names - length, "'%s', ", totals[i]);
        }
        snprintf(file[0], sizeof file[0], "%s/theirs.json", folder);
        snprintf(file[1], sizeof file[1], "%s/ours.json", folder);
        snprintf(text, sizeof text,
                 "local n = assert(nasw.load('%s'))\n"
                 "local e, t = assert(nasw.estimate(n, '%s')), {}\n"
                 "for _, name in ipairs{%s} do t[name] = e[name] end\n"
                 "for _, name in ipairs{'params', 'weight_params', 'weight_bytes', 'n_ops', "
                 "'peak_live_bytes_file_order', 'format', 'model'} do t[name] = n[name] end\n"
                 "t.ops_by_type = n:ops_by_type() t.inputs = n:inputs() t.outputs = n:outputs()\n"
                 "t.kernels = e:kernels() t.hw = e.hw.name t.unknown_kernels = e.n_unknown\n"
                 "t.warnings = n:warnings()\n"
                 "assert(nasw.write('%s', e:json())) assert(nasw.write('%s', nasw.json(t)))",
                 path, hw[k], names, file[0], file[1]);
        /* Trusted: it writes to the test's folder. */
        lua_engine *engine = start((lua_config){.is_trusted = true});
        ck_assert_msg(run_in(engine, text) == NW_OK, "%s", nw_buf_text(&last_run()->problem));
        lua_engine_free(engine);
        char *page[2] = {read_text(file[0], NULL), read_text(file[1], NULL)};
        cJSON *theirs = cJSON_Parse(page[0]), *ours = cJSON_Parse(page[1]);
        ck_assert(theirs && ours);
        cJSON_DeleteItemFromObject(theirs, "schema");
        cJSON_DeleteItemFromObject(theirs, "live_at_peak"); /* of the page alone */
        compare(theirs, ours, hw[k]);
        cJSON_Delete(theirs);
        cJSON_Delete(ours);
        free(page[0]);
        free(page[1]);
        folder_free(folder);
    }
}
END_TEST

/* ---- errors ---- */

START_TEST(errors_say_file_line_what_and_the_way_there)
{
    const char *problem = problem_of("local function inner(x)\n"
                                     "  return x.field.more\n"
                                     "end\n"
                                     "function outer()\n"
                                     "  inner({})\n"
                                     "end\n"
                                     "outer()\n");
    ck_assert_str_eq(problem, "t.lua:2: attempt to index a nil value (field 'field')\n"
                              "  t.lua:2: in 'inner'\n"
                              "  t.lua:5: in 'outer'\n"
                              "  t.lua:7: in the main chunk\n");
}
END_TEST

START_TEST(long_tracebacks_are_folded)
{
    const char *problem = problem_of("local function f(n)\n"
                                     "  if n == 0 then error('deep') end\n"
                                     "  return f(n - 1) + 1\n"
                                     "end\n"
                                     "f(1000)");
    ck_assert_int_eq(strncmp(problem, "t.lua:2: deep\n", 14), 0);
    ck_assert_ptr_nonnull(strstr(problem, "levels\n"));
    ck_assert_ptr_nonnull(strstr(problem, "t.lua:5: in the main chunk\n"));
    ck_assert_uint_lt(strlen(problem), 1000);
}
END_TEST

START_TEST(errors_of_all_kinds_have_words)
{
    fails_with("error({})", "t.lua:1: the error is a table");
    fails_with("error()", "an error without a value");
    fails_with("error('plain', 0)", "plain\n");
    fails_with("error(setmetatable({}, {__tostring = function() return 'mine' end}))", "mine");
    fails_with("error(setmetatable({}, {__tostring = function() error('worse') end}))", "worse");
    fails_with("error(setmetatable({}, {__tostring = function() return {} end}))", "__tostring");
    fails_with("x = = 1", "t.lua:1: unexpected symbol near '='");
    fails_with("error('a\\nb\\27[31m')", "t.lua:1: a b\\x1b[31m");
    fails_with("assert(nasw.load('no_such'))", "no_such: ");
    fails_with("nasw.load({})", "t.lua:1: bad argument #1 to 'load' (string expected, got table)");
    fails_with("local n = nasw.load('demo') n:json(1).x()", "t.lua:1:");
}
END_TEST

START_TEST(memory_errors_name_the_line)
{
    fails_with("local t = {}\nfor i = 1, 1e9 do\n  t[i] = {}\nend", "t.lua:3: not enough memory");
    fails_with("local t = {}\nwhile true do\n  t[#t + 1] = ('x'):rep(9999)\nend",
               "t.lua:3: not enough memory");
}
END_TEST

/* ---- require ---- */

START_TEST(modules_come_from_the_scripts_folder)
{
    char *folder = folder_new(), sub[300];
    snprintf(sub, sizeof sub, "%s/lib", folder);
    mkdir(sub, 0755);
    static const char module[] = "n = (n or 0) + 1\nreturn {name = ..., n = n}";
    static const char broken[] = "\n\nlocal x = ";
    static const char circle[] = "require 'circle'";
    static const char fails[] = "error('inside')";
    static const char bytecode[] = "\x1bLua";
    static const char script[] =
        "local a = require 'module'\n"
        "assert(a.name == 'module' and a == require 'module' and n == 1)\n"
        "assert(require('lib.inner').name == 'lib.inner')\n"
        "assert(require 'silent' == true)\n"
        "local function fails(name, words)\n"
        "  local ok, why = pcall(require, name)\n"
        "  assert(not ok and why:find(words, 1, true), name .. ': ' .. tostring(why))\n"
        "end\n"
        "fails('missing', \"'missing' is not in the script's folder\")\n"
        "fails('broken', 'broken.lua:3:') fails('circle', 'circle') fails('fails', 'inside')\n"
        "fails('fails', 'fails.lua:1: inside') fails('bytecode', 'binary chunk')\n"
        "fails('link', 'not in') fails('lib', 'not in') fails('folder', 'cannot be read')\n"
        "print('done')\n";
    folder_write(folder, "module.lua", module, sizeof module - 1);
    folder_write(folder, "lib/inner.lua", module, sizeof module - 1);
    folder_write(folder, "broken.lua", broken, sizeof broken - 1);
    folder_write(folder, "circle.lua", circle, sizeof circle - 1);
    folder_write(folder, "fails.lua", fails, sizeof fails - 1);
    folder_write(folder, "silent.lua", "", 0);
    folder_write(folder, "bytecode.lua", bytecode, sizeof bytecode - 1);
    char link[300], directory[300];
    snprintf(link, sizeof link, "%s/link.lua", folder);
    ck_assert_int_eq(symlink("module.lua", link), 0);
    snprintf(directory, sizeof directory, "%s/folder.lua", folder);
    mkdir(directory, 0755);
    const char *path = folder_write(folder, "main.lua", script, sizeof script - 1);
    for (int i = 0; i < 2; i++) { /* by its path, and from inside the folder */
        const run_setup inside = {.folder = folder};
        run_result r =
            i ? run_nasw(&inside, "--script main.lua") : run_nasw(NULL, "--script %s", path);
        ck_run(run_flaw(&r), &r);
        ck_assert_msg(r.status == 0, "%s", r.err);
        ck_assert_str_eq(r.out, "done\n");
        run_free(&r);
    }
    folder_free(folder);
}
END_TEST

/* ---- the console ---- */

START_TEST(the_console_shows_results_as_tables)
{
    lua_engine *engine = start((lua_config){0});
    bool is_error, is_incomplete;
    ck_assert_str_eq(console(engine, "1 + 1", &is_error, &is_incomplete), "2\n");
    ck_assert(!is_error && !is_incomplete);
    ck_assert_str_eq(console(engine, "x = 5", &is_error, &is_incomplete), "");
    ck_assert_str_eq(console(engine, "x, 'text'", &is_error, &is_incomplete), "5\n\"text\"\n");
    ck_assert_str_eq(console(engine, "{1, 2, {}}", &is_error, &is_incomplete), "{1, 2, {...}}\n");
    ck_assert_str_eq(console(engine, "{}", &is_error, &is_incomplete), "{}\n");
    ck_assert_str_eq(console(engine, "{{a = 1, b = 'x'}, {a = 22}}", &is_error, &is_incomplete),
                     " a  b\n 1  x\n22  ?\n");
    ck_assert_str_eq(console(engine, "{one = 1, b = {}}", &is_error, &is_incomplete),
                     "b    {...}\none  1\n");
    ck_assert_str_eq(console(engine, "print('a', 1) return 2", &is_error, &is_incomplete),
                     "a\t1\n2\n");
    ck_assert_str_eq(console(engine, "nil", &is_error, &is_incomplete), "");
    ck_assert_str_eq(console(engine, "'\\27[31m'", &is_error, &is_incomplete), "\"\\x1b[31m\"\n");
    const char *out =
        console(engine, "nasw.estimate(nasw.load('demo'), 'ne32')", &is_error, &is_incomplete);
    ck_assert(!is_error && strstr(out, "estimate of demo on ne32") && strstr(out, "latency_us"));
    out = console(engine, "nasw.estimate(nasw.load('demo'), 'ne32'):kernels()", &is_error,
                  &is_incomplete);
    ck_assert(!is_error && strstr(out, "latency_us") && strstr(out, "block1/expand"));
    lua_engine_free(engine);
}
END_TEST

START_TEST(the_console_survives_errors_and_waits_for_blocks)
{
    lua_engine *engine = start((lua_config){0});
    bool is_error, is_incomplete;
    console(engine, "for i = 1, 3 do", &is_error, &is_incomplete);
    ck_assert(!is_error && is_incomplete);
    console(engine, "for i = 1, 3 do\nprint(i)\nend", &is_error, &is_incomplete);
    ck_assert(!is_error && !is_incomplete);
    console(engine, "f(", &is_error, &is_incomplete);
    ck_assert(!is_error && is_incomplete);
    const char *out = console(engine, "x = = 1", &is_error, &is_incomplete);
    ck_assert(is_error && !is_incomplete && strncmp(out, "console:1: ", 11) == 0);
    out = console(engine, "error('no')", &is_error, &is_incomplete);
    ck_assert(is_error && strncmp(out, "console:1: no\n  console:1:", 26) == 0);
    console(engine, "while true do end", &is_error, &is_incomplete);
    ck_assert(is_error);
    console(engine, "t = {} while true do t[#t + 1] = {} end", &is_error, &is_incomplete);
    ck_assert(is_error);
    console(engine, "t = nil", &is_error, &is_incomplete);
    ck_assert(!is_error);
    console(engine, "table.sort = nil string.format = nil _G.type = nil", &is_error,
            &is_incomplete);
    out = console(engine, "{a = 1}", &is_error, &is_incomplete);
    ck_assert_str_eq(out, "a  1\n");
    console(engine, "nasw.act('open', 'demo')", &is_error, &is_incomplete);
    ck_assert_ptr_nonnull(nw_session_current(last_run()->session));
    lua_engine_free(engine);
}
END_TEST

static void completes(lua_engine *engine, const char *line, size_t from, const char *wanted)
{
    nw_buf out = {0};
    size_t replace_from;
    lua_engine_complete(engine, line, &out, &replace_from);
    ck_assert_msg(strcmp(nw_buf_text(&out), wanted) == 0, "%s: %s", line, nw_buf_text(&out));
    ck_assert_uint_eq(replace_from, from);
    nw_buf_fini(&out);
}

START_TEST(the_console_completes_names)
{
    lua_engine *engine = start((lua_config){0});
    bool is_error, is_incomplete;
    console(engine, "net = nasw.load('demo') est = nasw.estimate(net, 'ne32')", &is_error,
            &is_incomplete);
    completes(engine, "x = nasw.hw", 9, "hw\nhw_names\n");
    completes(engine, "nas", 0, "nasw\n");
    completes(engine, "net.weight_", 4, "weight_bytes\nweight_params\n");
    completes(engine, "net:ops", 4, "ops\nops_by_type\n");
    completes(engine, "est.network:op", 12, "ops\nops_by_type\n");
    completes(engine, "f(est.util", 6, "utilisation\n");
    completes(engine, "no.such.thing", 8, "");
    completes(engine, "whi", 0, "while\n");
    completes(engine, "est.hw.nam", 7, "name\n");
    console(engine, "trap = setmetatable({}, {__index = function() error('run') end})", &is_error,
            &is_incomplete);
    completes(engine, "trap.x.y", 7, "");
    lua_engine_free(engine);
}
END_TEST

START_TEST(the_console_hints_at_calls)
{
    static const struct {
        const char *line, *begins;
    } rows[] = {
        {"nasw.load(", "nasw.load(path"},
        {"x = nasw.load(\"a(b\", ", "nasw.load(path"},
        {"h:with{sram = {bytes = ", "hw:with{"},
        {"nasw.table(e:kernels(), {", "nasw.table(rows"},
        {"nasw.estimate(nasw.load('x'), nasw.hw(", "nasw.hw("},
        {"net:ops", "for op in network:ops()"},
        {"print(1", ""},
        {"", ""},
        {")))", ""},
    };
    lua_engine *engine = start((lua_config){0});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_buf out = {0};
        lua_engine_hint(engine, rows[i].line, &out);
        ck_assert_msg(strncmp(nw_buf_text(&out), rows[i].begins, strlen(rows[i].begins)) == 0 &&
                          (*rows[i].begins || !out.length),
                      "%s: %s", rows[i].line, nw_buf_text(&out));
        nw_buf_fini(&out);
    }
    lua_engine_free(engine);
}
END_TEST

/* ---- scripts run by an action ---- */

START_TEST(an_action_runs_a_script_on_the_same_session)
{
    char *folder = folder_new();
    static const char good[] = "assert(nasw.act('open', 'demo')) print('hello') x = 1";
    static const char bad[] = "\nerror('wrong')";
    static const char again[] = "assert(nasw.act('script', 'again.lua'))";
    folder_write(folder, "good.lua", good, sizeof good - 1);
    folder_write(folder, "bad.lua", bad, sizeof bad - 1);
    folder_write(folder, "again.lua", again, sizeof again - 1);
    lua_engine *engine = start((lua_config){.is_captured = true});
    nw_session_set_script_runner(last_run()->session, lua_engine_run_script, engine);
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_msg(run_in(engine,
                         "assert(nasw.act('script', 'good.lua'))\n"
                         "assert(nasw.current() and x == nil)\n"
                         "local said = false\n"
                         "for _, m in ipairs(nasw.messages()) do\n"
                         "  said = said or m.text == 'hello'\n"
                         "end\n"
                         "assert(said)\n"
                         "local ok, why = nasw.act('script', 'bad.lua')\n"
                         "assert(not ok and why:find('bad.lua:2: wrong', 1, true), why)\n"
                         "ok, why = nasw.act('script', 'again.lua')\n"
                         "assert(not ok and why:find('each other', 1, true), why)") == NW_OK,
                  "%s", nw_buf_text(&last_run()->problem));
    nw_session_set_script_runner(last_run()->session, NULL, NULL);
    lua_engine_free(engine);
    ck_assert_int_eq(chdir("/"), 0);
    folder_free(folder);
}
END_TEST

/* ---- the command line ---- */

START_TEST(the_command_line_runs_scripts)
{
    static const char script[] =
        "#!/usr/bin/env nasw\nprint(#arg, arg[1], arg[2]) nasw.log('talk')";
    char *folder = folder_new();
    const char *path = folder_write(folder, "a.lua", script, sizeof script - 1);
    run_result r = run_nasw(NULL, "--script %s -- one --two", path);
    ck_assert_int_eq(r.status, 0);
    ck_assert_str_eq(r.out, "2\tone\t--two\n");
    ck_assert_str_eq(r.err, "talk\n");
    run_free(&r);
    const run_setup piped = {.input = script, .n_input = sizeof script - 1};
    r = run_nasw(&piped, "--script -");
    ck_assert_int_eq(r.status, 0);
    ck_assert_str_eq(r.out, "0\tnil\tnil\n");
    run_free(&r);
    r = run_nasw(NULL, "--script=%s --trust", path);
    ck_assert_int_eq(r.status, 0);
    run_free(&r);
    folder_free(folder);
}
END_TEST

START_TEST(wrong_words_are_refused)
{
    static const char *const rows[][2] = {
        {"--script", "--script F.lua"},
        {"--script a.lua b", "b: a script's own arguments"},
        {"--script a.lua --no", "--no"},
        {"--trust --script", "--script F.lua"},
        {"--script no_such.lua", "no_such.lua: "},
        {"--script /", "/: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run_result r = run_nasw(NULL, "%s", rows[i][0]);
        ck_run(run_not_refused(&r, rows[i][1]), &r);
        run_free(&r);
    }
}
END_TEST

/* Each ends with status 1 and lines that name what is wrong, no signal. */
static const struct {
    const char *script, *words;
    run_stdout to;
} broken[] = {
    {"error('x')", "nasw: stdin:1: x\n", RUN_KEPT},
    {"print('x')", "standard output", RUN_FULL},
    {"print('x')", "standard output", RUN_BROKEN_PIPE},
    {"for i = 1, 1e6 do print(i) end", "standard output", RUN_FULL},
    {"while true do pcall(print, ('x'):rep(1000)) end", "standard output", RUN_FULL},
    {"local t = {} while true do t[#t + 1] = {} end", "not enough memory", RUN_KEPT},
    {"local s = ('x'):rep(1 << 20) while true do s:find('y') end", "budget", RUN_KEPT},
    {"coroutine.yield()", "coroutine", RUN_KEPT},
    {"setmetatable({}, {__gc = error})", "__gc", RUN_KEPT},
    {"nasw.hw('ne32').nothing()", "nothing", RUN_KEPT},
    {"\x1bLuaS", "only text", RUN_KEPT},
    {"error('\\27]0;title\\7')", "\\x1b]0;title\\x07", RUN_KEPT},
};

START_TEST(broken_scripts_end_with_status_1)
{
    const run_setup setup = {
        .input = broken[_i].script, .n_input = strlen(broken[_i].script), .to = broken[_i].to};
    run_result r = run_nasw(&setup, "--script -");
    ck_run(run_flaw(&r), &r);
    ck_assert_msg(r.status == 1 && strstr(r.err, broken[_i].words), "status %d: %s", r.status,
                  r.err);
    run_free(&r);
}
END_TEST

START_TEST(a_closed_stdout_or_stdin_is_no_crash)
{
    const run_setup closed = {.input = "print(1)", .n_input = 8, .to = RUN_CLOSED};
    run_result r = run_nasw(&closed, "--script -");
    ck_run(run_flaw(&r), &r);
    run_free(&r);
    const run_setup no_input = {.is_stdin_closed = true};
    r = run_nasw(&no_input, "--script -");
    ck_run(run_flaw(&r), &r);
    run_free(&r);
}
END_TEST

START_TEST(interrupts_end_with_status_130)
{
    int err[2];
    char text[512];
    const char *program = getenv("NASW_BIN");
    ck_assert_int_eq(pipe(err), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(err[1], 2);
        execl(program && *program ? program : "build/nasw", "nasw", "--script",
              "tests/lua/endless.lua", (char *)NULL);
        _exit(127);
    }
    close(err[1]);
    ssize_t n = read(err[0], text, sizeof text - 1); /* its "ready" */
    ck_assert_int_gt(n, 0);
    kill(child, SIGINT);
    n = read(err[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    int status;
    waitpid(child, &status, 0);
    ck_assert_ptr_nonnull(strstr(text, "interrupted"));
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 130);
    close(err[0]);
}
END_TEST

/* The shipped scripts run on the demo and name what they are for. */
START_TEST(shipped_scripts_run)
{
    run_result r = run_nasw(NULL, "--script scripts/breakdown.lua -- demo");
    ck_run(run_flaw(&r), &r);
    ck_assert_msg(r.status == 0, "%s", r.err);
    int n_names;
    const char *const *names = nw_session_hw_names(last_run()->session, &n_names);
    for (int i = 0; i < n_names; i++)
        ck_assert_msg(strstr(r.out, names[i]) != NULL, "%s is not in the table", names[i]);
    run_free(&r);
    r = run_nasw(NULL, "--script scripts/breakdown.lua");
    ck_run(run_flaw(&r), &r);
    ck_assert(r.status == 1 && strstr(r.err, "usage"));
    run_free(&r);
    r = run_nasw(NULL, "--script scripts/parallelism_sweep.lua");
    ck_run(run_flaw(&r), &r);
    ck_assert_msg(r.status == 0, "%s", r.err);
    ck_assert(strstr(r.out, "knee at ") && strstr(r.out, "utilisation") && strstr(r.out, "energy"));
    run_free(&r);
    r = run_nasw(NULL, "--script scripts/expert_recipe.lua -- ne64 demo");
    ck_run(run_flaw(&r), &r);
    ck_assert_msg(r.status == 0, "%s", r.err);
    ck_assert(strstr(r.out, "fuse where it helps") && strstr(r.out, "\n  variant "));
    run_free(&r);
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("lua_api");
    TCase *tc = tcase_create("lua");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, begin_session, end_session);
    tcase_add_test(tc, every_function_is_documented_and_every_documented_one_is_there);
    tcase_add_test(tc, the_globals_of_luacheck_are_those_of_nasw);
    tcase_add_test(tc, the_spec_of_the_api_holds);
    tcase_add_test(tc, hooks_of_the_workbench_exist_where_there_is_one);
    tcase_add_loop_test(tc, pages_equal_the_command_lines, 0, 3);
    tcase_add_loop_test(tc, fields_equal_the_json, 0, 3);
    tcase_add_test(tc, errors_say_file_line_what_and_the_way_there);
    tcase_add_test(tc, long_tracebacks_are_folded);
    tcase_add_test(tc, errors_of_all_kinds_have_words);
    tcase_add_test(tc, memory_errors_name_the_line);
    tcase_add_test(tc, modules_come_from_the_scripts_folder);
    tcase_add_test(tc, the_console_shows_results_as_tables);
    tcase_add_test(tc, the_console_survives_errors_and_waits_for_blocks);
    tcase_add_test(tc, the_console_completes_names);
    tcase_add_test(tc, the_console_hints_at_calls);
    tcase_add_test(tc, an_action_runs_a_script_on_the_same_session);
    tcase_add_test(tc, the_command_line_runs_scripts);
    tcase_add_test(tc, wrong_words_are_refused);
    tcase_add_loop_test(tc, broken_scripts_end_with_status_1, 0, sizeof broken / sizeof *broken);
    tcase_add_test(tc, a_closed_stdout_or_stdin_is_no_crash);
    tcase_add_test(tc, interrupts_end_with_status_130);
    tcase_add_test(tc, shipped_scripts_run);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
