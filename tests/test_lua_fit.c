/* Measuring, fitting and estimating from scripts. The numbers are those of `nasw measure`, `nasw
 * fit`, `nasw predict` and `nasw estimate` on the same files, byte for byte; what must not happen
 * is in sandbox.c and nasw.d.lua. */
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lua_harness.h"
#include "tests/support.h"
#include "tests/support_run.h"

/* Enough for small fits; the harness's own is for loops. */
#define BUDGET 500000000

START_TEST(the_spec_of_fitting_holds)
{
    char *text = read_text("tests/lua/fit.lua", NULL);
    ck_assert_ptr_nonnull(text);
    lua_engine *engine = start((lua_config){.budget = BUDGET});
    ck_assert_msg(run_in(engine, text) == NW_OK, "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    free(text);
}
END_TEST

/* ---- the same numbers as the commands ---- */

/* Convolutions of some sizes: "kernel,in_h,...\nconv,7,...". */
static const char *write_shapes(const char *folder)
{
    nw_buf text = {0};
    nw_buf_puts(&text, "kernel,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,stride_w"
                       ",net\n");
    for (int side = 7, n = 0; side <= 28; side += 7)
        for (int c = 16; c <= 160; c += 16, n++)
            nw_buf_printf(&text, "%s,%d,%d,%d,%d,%d,%d,%d,%d,1,1,net%d\n",
                          n % 3 ? "conv+act" : "dwconv", side, side, c, side, side,
                          n % 3 ? 2 * c : c, n % 3 ? 1 : 3, n % 3 ? 1 : 3, n % 7);
    const char *path = folder_write(folder, "shapes.csv", text.text, text.length);
    nw_buf_fini(&text);
    return path;
}

/* Both, in the folder; they must succeed. */
static void run_both(const char *folder, const char *script, const char *const *commands)
{
    const run_setup setup = {.folder = folder};
    for (; *commands; commands++) {
        run_result r = run_nasw(&setup, "%s", *commands);
        ck_assert_msg(r.status == 0, "%s: %s", *commands, r.err);
        run_free(&r);
    }
    folder_write(folder, "t.lua", script, strlen(script));
    run_result r = run_nasw(&setup, "--script t.lua");
    ck_run(run_flaw(&r), &r);
    ck_assert_msg(r.status == 0, "%s", r.err);
    run_free(&r);
}

static char *read_in(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = read_text(path, NULL);
    ck_assert_msg(text != NULL, "%s is not there", name);
    return text;
}

static void same_files(const char *folder, const char *theirs, const char *ours)
{
    char *a = read_in(folder, theirs), *b = read_in(folder, ours);
    ck_assert_msg(strcmp(a, b) == 0, "%s and %s differ", theirs, ours);
    free(a);
    free(b);
}

START_TEST(tables_models_and_predictions_equal_the_commands)
{
    static const char *const commands[] = {
        "measure --hw ne32 --shapes shapes.csv -o m.csv",
        "fit m.csv --hw ne32 --target latency_us --trees 30 --seed 5 -o e.json",
        "predict e.json m.csv -o p.csv",
        NULL,
    };
    static const char script[] =
        "local m = assert(nasw.measure{hw = 'ne32', shapes = 'shapes.csv'})\n"
        "assert(m:write('lua_m.csv'))\n"
        "local est = assert(nasw.fit{data = 'm.csv', hw = 'ne32', target = 'latency_us',\n"
        "  trees = 30, seed = 5})\n"
        "assert(est:write('lua_e.json'))\n"
        "local kept = assert(nasw.estimator('e.json'))\n"
        "assert(kept.path == 'e.json' and kept.target == 'latency_us')\n"
        "assert(kept:write('lua_e2.json'))\n"
        "for i, data in ipairs{'m.csv', m, m:csv(), m:rows()} do\n"
        "  local rows = m:rows()\n"
        "  for k, value in ipairs(assert((i % 2 == 0 and est or kept):predict(data))) do\n"
        "    rows[k].predicted = value\n"
        "  end\n"
        "  local columns = m:columns()\n"
        "  columns[#columns + 1] = 'predicted'\n"
        "  assert(nasw.write('lua_p' .. i .. '.csv', nasw.csv(rows, columns)))\n"
        "end\n"
        "local ours = kept:evaluate('m.csv')\n"
        "local theirs = est:evaluate(m)\n"
        "for name, value in pairs(ours) do assert(theirs[name] == value, name) end\n";
    char *folder = folder_new();
    write_shapes(folder);
    run_both(folder, script, commands);
    same_files(folder, "m.csv", "lua_m.csv");
    same_files(folder, "e.json", "lua_e.json");
    same_files(folder, "e.json", "lua_e2.json");
    char *theirs = read_in(folder, "p.csv");
    for (int i = 1; i <= 4; i++) {
        char name[16], *ours;
        snprintf(name, sizeof name, "lua_p%d.csv", i);
        ours = read_in(folder, name);
        const char *a = theirs, *b = ours;
        for (int row = 0; *a && *b; row++) { /* the last cell of every line */
            size_t n_a = strcspn(a, "\n"), n_b = strcspn(b, "\n");
            const char *end_a = a + n_a, *end_b = b + n_b;
            while (end_a[-1] != ',')
                end_a--;
            while (end_b[-1] != ',')
                end_b--;
            ck_assert_msg(end_a - a > 0 && a + n_a - end_a == b + n_b - end_b &&
                              strncmp(end_a, end_b, (size_t)(a + n_a - end_a)) == 0,
                          "%s, line %d: %.*s, not %.*s", name, row + 1, (int)(b + n_b - end_b),
                          end_b, (int)(a + n_a - end_a), end_a);
            a += n_a + (a[n_a] == '\n');
            b += n_b + (b[n_b] == '\n');
        }
        ck_assert(!*a && !*b);
        free(ours);
    }
    free(theirs);
    folder_free(folder);
}
END_TEST

/* Networks, their totals, a test table, chosen features: the model file and the page. */
START_TEST(fits_with_networks_equal_the_command)
{
    static const char *const commands[] = {
        "measure --hw ne32 --shapes shapes.csv -o m.csv",
        "fit all.csv --hw ne64 --target latency_us --trees 20 --network net --totals totals.csv "
        "--total-target whole_us --test m.csv --features macs,in_c,moved_bytes,kernel_h -o e.json "
        "--json",
        NULL,
    };
    static const char script[] =
        "local est = assert(nasw.fit{data = 'all.csv', hw = 'ne64', target = 'latency_us',\n"
        "  trees = 20, network = 'net', totals = 'totals.csv', total_target = 'whole_us',\n"
        "  test = 'm.csv', features = {'macs', 'in_c', 'moved_bytes', 'kernel_h'}})\n"
        "assert(est:write('lua_e.json'))\n"
        "local page = est:json():gsub('\"model\":\"estimator\"', '\"model\":\"e.json\"')\n"
        "assert(nasw.write('lua_page.json', page))\n"
        "assert(est:report().networks.n == 7 and est:report().test.n == 40)\n"
        "assert(est:report().groups[2].name == 'conv' and est:report().groups[2].trees == 20)\n";
    char *folder = folder_new(), line[256];
    write_shapes(folder);
    nw_buf text = {0}, totals = {0};
    char *shapes = read_in(folder, "shapes.csv");
    int row = 0;
    for (const char *at = shapes; *at; at += strcspn(at, "\n") + 1, row++) {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        if (row)
            nw_buf_printf(&text, "%s,%d.25\n", line, 3 * row + row % 5);
        else
            nw_buf_printf(&text, "%s,latency_us\n", line);
    }
    nw_buf_puts(&totals, "net,whole_us\n");
    for (int i = 0; i < 7; i++)
        nw_buf_printf(&totals, "net%d,%d\n", i, 400 + 21 * i);
    folder_write(folder, "all.csv", text.text, text.length);
    folder_write(folder, "totals.csv", totals.text, totals.length);
    const run_setup setup = {.folder = folder};
    const char *const measure[] = {commands[0], NULL};
    run_both(folder, "", measure);
    run_result r = run_nasw(&setup, "%s", commands[1]);
    ck_assert_msg(r.status == 0, "%s", r.err);
    folder_write(folder, "page.json", r.out, r.n_out);
    run_free(&r);
    run_both(folder, script, commands + 2);
    same_files(folder, "e.json", "lua_e.json");
    same_files(folder, "page.json", "lua_page.json");
    nw_buf_fini(&text);
    nw_buf_fini(&totals);
    free(shapes);
    folder_free(folder);
}
END_TEST

START_TEST(estimates_equal_the_command)
{
    static const char *const commands[] = {
        "measure --hw ne32 --shapes shapes.csv -o m.csv",
        "fit m.csv --hw ne32 --target latency_us --trees 30 -o e.json",
        NULL,
    };
    static const char script[] =
        "local net = assert(nasw.load('demo'))\n"
        "local by_path = assert(nasw.estimate(net, 'ne32', {estimator = 'e.json'}))\n"
        "local est = assert(nasw.estimator('e.json'))\n"
        "local by_object = assert(nasw.estimate(net, 'ne32', {estimator = est}))\n"
        "assert(by_path.estimator == 'regression')\n"
        "for _, name in ipairs{'latency_us', 'latency_low_us', 'latency_high_us', 'energy_uj',\n"
        "  'extrapolated_kernels', 'estimator_source'} do\n"
        "  assert(by_path[name] and by_path[name] == by_object[name], name)\n"
        "end\n"
        "assert(nasw.write('lua.json', by_path:json()))\n"
        "assert(nasw.write('lua2.json', by_object:json()))\n";
    char *folder = folder_new();
    write_shapes(folder);
    run_both(folder, script, commands);
    const run_setup setup = {.folder = folder};
    run_result r = run_nasw(&setup, "estimate demo --hw ne32 --estimator e.json --json");
    ck_assert_msg(r.status == 0, "%s", r.err);
    folder_write(folder, "cli.json", r.out, r.n_out);
    run_free(&r);
    same_files(folder, "cli.json", "lua.json");
    same_files(folder, "cli.json", "lua2.json");
    folder_free(folder);
}
END_TEST

/* Without shapes: the plan of the command; with emit: its models. */
START_TEST(plans_and_models_equal_the_commands)
{
    static const char *const commands[] = {
        "measure --hw ne64 --networks 10 --seed 3 -o plan.csv",
        "measure --hw ne64 --shapes shapes.csv --emit models",
        NULL,
    };
    static const char script[] =
        "local plan = assert(nasw.measure{hw = 'ne64', networks = 10, seed = 3})\n"
        "assert(plan:write('lua_plan.csv'))\n"
        "local models = assert(nasw.measure{hw = 'ne64', shapes = 'shapes.csv', emit = 'mine'})\n"
        "assert(#models == 40 and models:row(1).file:find('%.onnx$'))\n"
        "assert(models:write('lua_manifest.csv') and models:write('lua_models.csv'))\n"
        "local again = assert(nasw.measure{shapes = models, emit = 'mine'})\n"
        "assert(#again == 40 and again:row(7).file == models:row(7).file)\n"
        "for _, folder in ipairs{'../mine', '/tmp/mine', '.mine', 'no/such/folder', ''} do\n"
        "  local nothing, why, code = nasw.measure{shapes = models, emit = folder}\n"
        "  assert(not nothing and #why > 0 and #code > 0, folder)\n"
        "end\n"
        "local nothing, why = nasw.measure{shapes = {{kernel = 'conv'}}, emit = 'other'}\n"
        "assert(not nothing and why:find('shapes: ', 1, true), why)\n";
    char *folder = folder_new(), path[300];
    write_shapes(folder);
    run_both(folder, script, commands);
    same_files(folder, "plan.csv", "lua_plan.csv");
    same_files(folder, "models/manifest.csv", "lua_manifest.csv");
    snprintf(path, sizeof path, "%s/other", folder);
    ck_assert_int_ne(access(path, F_OK), 0);
    folder_free(folder);
}
END_TEST

/* A folder that a link leads out of is none to write to. */
START_TEST(models_do_not_follow_links)
{
    char *folder = folder_new(), *outside = folder_new(), link[300], file[300];
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(file, sizeof file, "%s/manifest.csv", outside);
    ck_assert_int_eq(symlink(outside, link), 0);
    static const char script[] =
        "local nothing, why = nasw.measure{shapes = 'kernel,in_h,in_w,in_c,out_h,out_w,out_c\\n'\n"
        "  .. 'fc,1,1,8,1,1,8\\n', emit = 'link'}\n"
        "assert(not nothing and why:find('symbolic link', 1, true), why)\n";
    static const char *const none[] = {NULL};
    run_both(folder, script, none);
    ck_assert_int_ne(access(file, F_OK), 0);
    folder_free(folder);
    folder_free(outside);
}
END_TEST

START_TEST(kernels_are_timed_on_this_cpu)
{
    static const char script[] =
        "local shapes = {{kernel = 'conv', in_h = 7, in_w = 7, in_c = 16, out_h = 7, out_w = 7,\n"
        "  out_c = 16, kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1}}\n"
        "local m = assert(nasw.measure{cpu = true, shapes = shapes, path = 'cpu.csv'})\n"
        "assert(#m == 1 and m:row(1).latency_us > 0 and m.source:find('oneDNN', 1, true))\n"
        "local again = assert(nasw.measure{cpu = true, shapes = shapes, path = 'cpu.csv'})\n"
        "assert(again:csv() == m:csv())\n" /* kept, not measured */
        "shapes[1].in_c = -1\n"
        "local nothing, why, code = nasw.measure{cpu = true, shapes = shapes, path = 'cpu.csv'}\n"
        "assert(not nothing and why:find('shapes, row 1', 1, true) and code == 'invalid')\n"
        "nothing, why, code = nasw.measure{cpu = true, shapes = m, path = '../cpu.csv'}\n"
        "assert(not nothing and why:find('below the working folder', 1, true), why)\n"
        "nothing, why = nasw.measure{cpu = true, shapes = m, path = 't.lua'}\n"
        "assert(not nothing and why:find('holds something else', 1, true), why)\n";
    static const char *const none[] = {NULL};
    char *folder = folder_new();
    run_both(folder, script, none);
    folder_free(folder);
}
END_TEST

/* ---- model files ---- */

static const char make_model[] =
    "shapes = {}\n"
    "for side = 7, 28, 7 do for c = 16, 160, 16 do\n"
    "  shapes[#shapes + 1] = {kernel = 'conv', in_h = side, in_w = side, in_c = c, out_h = side,\n"
    "    out_w = side, out_c = 32, kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1}\n"
    "end end\n"
    "m = assert(nasw.measure{hw = 'ne32', shapes = shapes})\n"
    "est = assert(nasw.fit{data = m, target = 'latency_us', hw = 'ne32', trees = 10})\n"
    "net, hw = nasw.load('demo'), nasw.hw('ne32')\n";

/* Runs the text behind make_model in the folder; fails the test with the script's problem. */
static void ok_in_folder(const char *folder, const char *text)
{
    char presets[1024], here[512];
    nw_buf script = {0};
    nw_error err;
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    snprintf(presets, sizeof presets, "%s/" PRESETS, here);
    nw_buf_printf(&script, "%s%s", make_model, text);
    nw_session_free(last_run()->session); /* its path of presets begins here */
    nw_session_config session = {.data_path = presets, .n_workers = 1};
    ck_assert_int_eq(nw_session_new(&session, &last_run()->session, &err), NW_OK);
    lua_config config = {.session = last_run()->session, .data_path = presets, .budget = BUDGET};
    lua_engine *engine = lua_engine_new(&config);
    ck_assert_int_eq(chdir(folder), 0);
    nw_status status = run_in(engine, script.text);
    ck_assert_int_eq(chdir(here), 0);
    ck_assert_msg(status == NW_OK, "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    nw_buf_fini(&script);
}

START_TEST(broken_model_files_are_refused_by_name)
{
    char *folder = folder_new();
    ok_in_folder(folder, "assert(est:write('e.json'))");
    char *text = read_in(folder, "e.json");
    size_t n = strlen(text);
    for (int i = 0; i < 12; i++) { /* cut anywhere, the last byte but one among them */
        char name[32];
        snprintf(name, sizeof name, "cut%d.json", i);
        folder_write(folder, name, text, i == 11 ? n - 3 : n * (size_t)i / 11);
    }
    free(text);
    folder_write(folder, "text.json", "no JSON", 7);
    folder_write(folder, "other.json", "{\"schema\":\"nasw.network/1\"}", 27);
    folder_write(folder, "new.json", "{\"schema\":\"nasw.estimator/99\"}", 30);
    ok_in_folder(
        folder,
        "local names = {'text.json', 'other.json', 'new.json'}\n"
        "for i = 0, 11 do names[#names + 1] = 'cut' .. i .. '.json' end\n"
        "for _, name in ipairs(names) do\n"
        "  local nothing, why, code = nasw.estimator(name)\n"
        "  assert(nothing == nil and why:find(name, 1, true) and code == 'invalid', why or name)\n"
        "  local none, reason = nasw.estimate(net, hw, {estimator = name})\n"
        "  assert(none == nil and reason == why, reason)\n"
        "end\n"
        "assert(nasw.estimator('e.json'))\n");
    folder_free(folder);
}
END_TEST

/* A script that fits anew and writes to the same name gets the new model; two estimates from one
 * file have one estimator, so that their difference has a band. */
START_TEST(a_model_file_is_opened_once_and_again_when_it_changes)
{
    char *folder = folder_new();
    ok_in_folder(folder,
                 "assert(est:write('e.json'))\n"
                 "local options = {estimator = 'e.json'}\n"
                 "local a = assert(nasw.estimate(net, hw, options))\n"
                 "local b = assert(nasw.estimate(net, 'ne32', options))\n"
                 "assert(a.latency_us == nasw.estimate(net, hw, {estimator = est}).latency_us)\n"
                 "assert(a:difference(b).low_us == 0 and a:difference(b).high_us == 0)\n"
                 "local rows = m:rows()\n"
                 "for _, row in ipairs(rows) do row.latency_us = 2 * row.latency_us end\n"
                 "local slow = assert(nasw.fit{data = rows, target = 'latency_us', hw = hw,\n"
                 "  trees = 10})\n"
                 "assert(slow:write('e.json'))\n"
                 "local c = assert(nasw.estimate(net, hw, options))\n"
                 "assert(c.latency_us == nasw.estimate(net, hw, {estimator = slow}).latency_us)\n"
                 "assert(c.latency_us > 1.5 * a.latency_us)\n"
                 "assert(a:difference(c).low_us == nil)\n" /* two models */
                 "for i = 1, 30 do\n"                      /* more than are kept */
                 "  local name = 'e' .. i .. '.json'\n"
                 "  assert(slow:write(name))\n"
                 "  assert(nasw.estimate(net, hw, {estimator = name}).latency_us == "
                 "c.latency_us)\n"
                 "end\n"
                 "assert(nasw.estimate(net, hw, options).latency_us == c.latency_us)\n");
    folder_free(folder);
}
END_TEST

/* The model of a preset stands beside the folder of the presets. */
START_TEST(the_regression_of_a_hardware_is_the_default_where_there_is_one)
{
    char *folder = folder_new(), path[300];
    ok_in_folder(folder, "assert(est:write('ne32.json'))");
    char *model = read_in(folder, "ne32.json"), *hw = read_text(PRESETS "/ne32.json", NULL);
    const char *const folders[] = {"hw", "estimators"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        ck_assert_int_eq(mkdir(path, 0755), 0);
    }
    folder_write(folder, "hw/ne32.json", hw, strlen(hw));
    snprintf(path, sizeof path, "%s/hw", folder);
    lua_config config = {.session = last_run()->session, .data_path = path, .budget = BUDGET};
    lua_engine *engine = lua_engine_new(&config);
    ck_assert_int_eq(run_in(engine, "net = nasw.load('demo') hw = nasw.hw('ne32')\n"
                                    "assert(nasw.estimate(net, hw).estimator == 'device')"),
                     NW_OK);
    folder_write(folder, "estimators/ne32.json", model, strlen(model));
    ck_assert_msg(
        run_in(
            engine,
            "local e = assert(nasw.estimate(net, hw))\n"
            "assert(e.estimator == 'regression')\n"
            "assert(nasw.estimate(net, hw, {estimator = 'regression'}).latency_us == "
            "e.latency_us)\n"
            "assert(nasw.estimate(net, hw, {estimator = 'device'}).estimator == 'device')\n"
            "local other = assert(hw:with{name = 'ne32', sram = {bytes = 65536}})\n"
            "assert(nasw.estimate(net, other).estimator == 'device')\n"
            "local none, why, code = nasw.estimate(net, other, {estimator = 'regression'})\n"
            "assert(none == nil and why:find('other figures', 1, true) and code == 'invalid')") ==
            NW_OK,
        "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
    free(model);
    free(hw);
    folder_free(folder);
}
END_TEST

/* ---- the session ---- */

START_TEST(the_sessions_estimator_is_chosen_by_its_action)
{
    char *folder = folder_new();
    ok_in_folder(
        folder,
        "assert(est:write('e.json'))\n"
        "assert(nasw.act('open', 'demo'))\n"
        "local device = nasw.current().latency_us\n"
        "assert(nasw.current().estimator == 'device')\n"
        "assert(nasw.act('estimator', 'e.json'))\n"
        "local ours = nasw.estimate(net, hw, {estimator = est})\n"
        "local now = nasw.current()\n"
        "assert(now.estimator == 'regression' and now.latency_us == ours.latency_us)\n"
        "assert(now.latency_low_us == ours.latency_low_us)\n"
        "assert(now.extrapolated_kernels == ours.extrapolated_kernels)\n"
        "assert(now.estimator_source == ours.estimator_source)\n"
        "assert(nasw.baseline().estimator == 'device')\n"
        "local change = nasw.baseline():difference(now)\n"
        "assert(math.abs(change.latency_us - (now.latency_us - device)) < 1e-6)\n"
        "for _, choice in ipairs{'regression', 'oracle', 'no_such.json', ''} do\n"
        "  local done, why, code = nasw.act('estimator', choice)\n"
        "  assert(done == nil and #why > 0 and #code > 0, choice)\n"
        "  assert(nasw.current().estimator == 'regression')\n"
        "end\n"
        "local done, why = nasw.act('hw', 'ne64')\n" /* the model is of another hardware */
        "assert(done == nil and why:find('other figures', 1, true), why)\n"
        "assert(nasw.current().hw.name == 'ne32')\n"
        "assert(nasw.act('undo'))\n"
        "assert(nasw.current().estimator == 'device' and nasw.current().latency_us == device)\n"
        "assert(nasw.act('redo') and nasw.current().estimator == 'regression')\n"
        "assert(nasw.act('estimator', 'device'))\n"
        "assert(nasw.current().latency_us == device)\n"
        "for _, action in ipairs(nasw.actions()) do\n"
        "  if action.name == 'estimator' then assert(action.value == 'estimator') end\n"
        "end\n");
    folder_free(folder);
}
END_TEST

/* ---- limits ---- */

static bool say_yes_from_the_third(void *context)
{
    int *n_asked = context;
    return ++*n_asked >= 3;
}

START_TEST(a_fit_can_be_interrupted)
{
    int n_asked = 0;
    lua_engine *engine = start((lua_config){.is_interrupted = say_yes_from_the_third,
                                            .interrupt_context = &n_asked,
                                            .budget = INT64_MAX / 2});
    /* Few instructions: it is the fit that asks. */
    nw_buf text = {0};
    nw_buf_puts(&text, "local csv = 'kernel,in_h,in_c,out_c,latency_us\\n");
    for (int i = 0; i < 60; i++)
        nw_buf_printf(&text, "conv,%d,%d,%d,%d\\n", 1 + i % 7, 8 + i, 16, 3 + i);
    nw_buf_puts(&text, "'\npcall(nasw.fit, {data = csv, target = 'latency_us'})\n"
                       "nasw.fit{data = csv, target = 'latency_us'}\nerror('went on')");
    ck_assert_int_eq(run_in(engine, text.text), NW_CANCELLED);
    const char *problem = nw_buf_text(&last_run()->problem);
    ck_assert_msg(strstr(problem, "interrupted") && strstr(problem, "t.lua:2: "), "%s", problem);
    nw_buf_fini(&text);
    lua_engine_free(engine);
}
END_TEST

static const char *const bombs[] = {
    "while true do pcall(nasw.fit, {data = big, target = 'latency_us'}) end",
    "local e = nasw.fit{data = small, target = 'latency_us'} while true do e:predict(big) end",
    "local e = nasw.fit{data = small, target = 'latency_us'} while true do e:evaluate(big) end",
    "local e = nasw.fit{data = small, target = 'latency_us'} while true do e:report() end",
    "local e = nasw.fit{data = small, target = 'latency_us'} while true do e:json() end",
    "local e = nasw.fit{data = small, target = 'latency_us', hw = 'ne32'} local n = "
    "nasw.load('demo') while true do nasw.estimate(n, 'ne32', {estimator = e}) end",
    "while true do nasw.measure{hw = 'ne32', shapes = shapes} end",
    "while true do nasw.measure{hw = 'ne32', networks = 10} end",
    "nasw.measure{hw = 'ne32', shapes = {{kernel = 'fc', in_h = 1, in_w = 1, in_c = 8192, out_h = "
    "1, out_w = 1, out_c = 8192}}, emit = 'never'}",
    "local m = nasw.measure{hw = 'ne32', shapes = shapes} while true do m:rows() end",
    "local m = nasw.measure{hw = 'ne32', shapes = shapes} while true do m:csv() end",
    "while true do nasw.fit{data = small, target = 'none'} end",
    "while true do nasw.estimator('t.json') end",
};

START_TEST(work_without_end_meets_the_budget)
{
    static const char tables[] =
        "shapes = {} for c = 1, 200 do shapes[c] = {kernel = 'conv', in_h = 7, in_w = 7, in_c = c,"
        " out_h = 7, out_w = 7, out_c = 8, kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1,"
        " latency_us = c} end\n"
        "local t = {'kernel,in_h,in_c,latency_us'}\n"
        "for i = 1, 2000 do t[i + 1] = 'conv,7,' .. i .. ',' .. i end\n"
        "big = table.concat(t, '\\n') .. '\\n'\n"
        "small = {shapes[1], shapes[2]}\n";
    nw_buf text = {0};
    nw_buf_printf(&text, "%s%s", tables, bombs[_i]);
    lua_engine *engine = start((lua_config){.budget = 30000000});
    ck_assert_int_eq(run_in(engine, text.text), NW_LIMIT);
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&last_run()->problem), "budget"));
    lua_engine_free(engine);
    nw_buf_fini(&text);
}
END_TEST

/* Tables of 8 MiB that nobody keeps: together more than objects may hold. */
START_TEST(tables_that_are_not_kept_are_collected)
{
    lua_engine *engine = start((lua_config){.budget = INT64_MAX / 2, .memory_bytes = 64 << 20});
    ck_assert_msg(run_in(engine,
                         "local csv = '#' .. ('x'):rep(8 << 20) .. '\\nkernel,in_c,latency_us\\n"
                         "conv,1,2\\n'\n"
                         "local e = assert(nasw.fit{data = csv, target = 'latency_us'})\n"
                         "for i = 1, 100 do assert(e:predict(csv)) end") == NW_OK,
                  "%s", nw_buf_text(&last_run()->problem));
    lua_engine_free(engine);
}
END_TEST

/* ---- the shipped script ---- */

/* With one width of the networks instead of five. */
static const char *write_reduced(const char *folder)
{
    static const char widths[] = "local WIDTHS = { 0.5, 0.75, 1, 1.5, 2 }",
                      one[] = "local WIDTHS = { 1 }";
    char *script = read_text("scripts/bring_your_chip.lua", NULL);
    ck_assert_ptr_nonnull(script);
    const char *at = strstr(script, widths);
    ck_assert_msg(at != NULL, "the widths of bring_your_chip.lua are others");
    nw_buf text = {0};
    nw_buf_add(&text, script, (size_t)(at - script));
    nw_buf_puts(&text, one);
    nw_buf_puts(&text, at + strlen(widths));
    const char *path = folder_write(folder, "chip.lua", text.text, text.length);
    nw_buf_fini(&text);
    free(script);
    return path;
}

/* The whole loop: models for the chip, measured elsewhere, come back as a table. */
START_TEST(a_chip_is_brought_by_a_table)
{
    char *folder = folder_new();
    const run_setup setup = {.folder = folder};
    write_reduced(folder);
    run_result r = run_nasw(&setup, "--script chip.lua");
    ck_run(run_flaw(&r), &r);
    ck_assert_msg(r.status == 0, "%s", r.err);
    ck_assert_ptr_nonnull(strstr(r.out, "measured on ne32 (simulated)"));
    ck_assert_ptr_nonnull(strstr(r.out, "dwconv"));
    run_result emitted = run_nasw(&setup, "--script chip.lua -- emit models");
    ck_run(run_flaw(&emitted), &emitted);
    ck_assert_msg(emitted.status == 0 && strstr(emitted.out, "models/manifest.csv"), "%s",
                  emitted.err);
    run_result measured = /* the device in the part of the chip */
        run_nasw(&setup, "measure --hw ne32 --shapes models/manifest.csv -o results.csv");
    ck_assert_msg(measured.status == 0, "%s", measured.err);
    run_result again = run_nasw(&setup, "--script chip.lua -- results.csv ne32 demo chip.json");
    ck_run(run_flaw(&again), &again);
    ck_assert_msg(again.status == 0, "%s", again.err);
    ck_assert_ptr_nonnull(strstr(again.out, "rows measured on ne32"));
    ck_assert_ptr_nonnull(strstr(again.out, "  fitted"));
    run_result estimate = run_nasw(&setup, "estimate demo --hw ne32 --estimator chip.json");
    ck_assert_msg(estimate.status == 0 && strstr(estimate.out, "regression"), "%s", estimate.err);
    run_free(&r);
    run_free(&emitted);
    run_free(&measured);
    run_free(&again);
    run_free(&estimate);
    r = run_nasw(&setup, "--script chip.lua -- no_such.csv");
    ck_run(run_flaw(&r), &r);
    ck_assert(r.status == 1 && strstr(r.err, "no_such.csv: "));
    run_free(&r);
    folder_free(folder);
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("lua_fit");
    TCase *tc = tcase_create("lua");
    tcase_set_timeout(tc, 180);
    tcase_add_checked_fixture(tc, begin_session, end_session);
    tcase_add_test(tc, the_spec_of_fitting_holds);
    tcase_add_test(tc, tables_models_and_predictions_equal_the_commands);
    tcase_add_test(tc, fits_with_networks_equal_the_command);
    tcase_add_test(tc, estimates_equal_the_command);
    tcase_add_test(tc, plans_and_models_equal_the_commands);
    tcase_add_test(tc, models_do_not_follow_links);
    tcase_add_test(tc, kernels_are_timed_on_this_cpu);
    tcase_add_test(tc, broken_model_files_are_refused_by_name);
    tcase_add_test(tc, a_model_file_is_opened_once_and_again_when_it_changes);
    tcase_add_test(tc, the_regression_of_a_hardware_is_the_default_where_there_is_one);
    tcase_add_test(tc, the_sessions_estimator_is_chosen_by_its_action);
    tcase_add_test(tc, a_fit_can_be_interrupted);
    tcase_add_loop_test(tc, work_without_end_meets_the_budget, 0, sizeof bombs / sizeof *bombs);
    tcase_add_test(tc, tables_that_are_not_kept_are_collected);
    tcase_add_test(tc, a_chip_is_brought_by_a_table);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
