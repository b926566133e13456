/* A FILE in Lua: wherever the program takes a network, a script that builds one stands for it; what
 * is wrong in it is said in one line with the script's own. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"
#include "tests/support_run.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

static char *folder;

static void set_up(void)
{
    folder = folder_new();
}

static void tear_down(void)
{
    folder_free(folder);
}

static const char *script(const char *text)
{
    return folder_write(folder, "net.lua", text, strlen(text));
}

/* The part of a result that a word begins, to the end of the line. */
static const char *line_of(const char *text, const char *word)
{
    static char line[256];
    const char *at = strstr(text, word);
    snprintf(line, sizeof line, "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
    return line;
}

static void begins(const run_result *r, const char *word, const char *wanted)
{
    ck_run(run_flaw(r), r);
    const char *line = line_of(r->out, word);
    ck_assert_msg(strncmp(line, wanted, strlen(wanted)) == 0, "%s, not %s", line, wanted);
}

#define CONV "return nasw.build('net', {input = {8, 8, 4}}, function(b) b:conv{c = 8} end)\n"

/* 8 x 8 x 3 x 3 x 4 x 8 by hand; the demo's figures are those of the same network in C. */
START_TEST(commands_take_a_network_in_lua)
{
    run_result r = run_nasw(NULL, "estimate %s --hw ne32 --estimator device --json", script(CONV));
    begins(&r, "\"macs\":", "\"macs\": 18432");
    run_free(&r);
    r = run_nasw(NULL, "export %s -o -", script(CONV));
    begins(&r, "nasw.network/1", "nasw.network/1");
    run_free(&r);
    r = run_nasw(NULL, "compare demo spaces/networks/presence.lua --hw ne32 --estimator device "
                       "--json");
    ck_run(run_flaw(&r), &r);
    ck_run(strstr(r.out, "\"difference\": {\"latency_us\": 0,") ? NULL : "presence is not the demo",
           &r);
    run_free(&r);
    r = run_nasw(NULL, "score demo spaces/networks/presence.lua --json");
    ck_run(run_flaw(&r), &r);
    run_free(&r);
}
END_TEST

/* A quarter of 482119680, but for the 160 x 128 of the gate, which is one pixel. */
START_TEST(a_network_in_lua_is_edited_like_any_other)
{
    const char *words[] = {
        "estimate", "spaces/networks/robot.lua", "--hw", "ne32", "--estimator", "device", "--json",
        "--edit",   "resolution 128 128",        NULL};
    run_result r = run_words(NULL, words);
    begins(&r, "\"macs\":", "\"macs\": 120545280");
    run_free(&r);
}
END_TEST

/* The presence detector varies the built-in network. */
START_TEST(a_space_in_lua_stands_for_its_network)
{
    run_result demo = run_nasw(NULL, "score demo --json");
    run_result r = run_nasw(NULL, "score spaces/presence_detector_uncurated.lua --json");
    const char *scores = strstr(demo.out, "\"scores\"");
    ck_assert_int_eq(r.status, 0);
    ck_assert_ptr_ne(scores, NULL);
    ck_assert_str_eq(strstr(r.out, "\"scores\""), scores);
    run_free(&demo);
    run_free(&r);
}
END_TEST

static const struct {
    const char *text, *words;
} mistakes[] = {
    {"", "net.lua|returns nothing, not a network"},
    {"return 5", "net.lua|returns number, not a network"},
    {"return nasw.load('nowhere.onnx')", "net.lua|returns nothing, not a network"},
    {"return assert(nasw.load('nowhere.onnx'))", "net.lua|nowhere.onnx"},
    {"\nreturn nasw.build('n', {input = {8, 8, 4}}, function(b)\nb:conv{c = 0} end)",
     "net.lua:3: conv: c is 0: wanted a whole number from 1"},
    {"\nreturn nasw.bild('n')", "net.lua:2: |bild"},
    {"return )", "net.lua:1: |unexpected symbol"},
    {"while true do end", "net.lua:1: |budget"},
    {"local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end", "net.lua:1: |memory"},
    {"return nasw.load(arg[0])", "net.lua"},
    {"return require('other')", "net.lua:1: |'other' is not in the script's folder"},
    {"\033Lua", "net.lua|compiled"},
    {"local n = nasw.build('n', {input = {8, 8, 4}}, function(b) b:conv{c = 8} end) n:close() "
     "return n",
     "net.lua|the network is closed"},
};

START_TEST(a_script_that_makes_no_network_is_refused)
{
    run_result r =
        run_nasw(NULL, "estimate %s --hw ne32 --estimator device", script(mistakes[_i].text));
    ck_run(run_not_refused(&r, mistakes[_i].words), &r);
    run_free(&r);
}
END_TEST

START_TEST(sizes_belong_to_the_script)
{
    run_result r = run_nasw(NULL, "estimate %s --hw ne32 --input image=1x8x8x4", script(CONV));
    ck_run(run_not_refused(&r, "net.lua|has its sizes; change them by an edit"), &r);
    run_free(&r);
    r = run_nasw(NULL, "estimate %s/none.lua --hw ne32", folder);
    ck_run(run_not_refused(&r, "none.lua"), &r);
    run_free(&r);
}
END_TEST

START_TEST(a_script_loads_networks_in_lua)
{
    script("print(assert(nasw.load('spaces/networks/presence.lua')).macs == "
           "assert(nasw.load('demo')).macs)");
    run_result r = run_nasw(NULL, "--script %s/net.lua", folder);
    begins(&r, "true", "true");
    run_free(&r);
    script("nasw.act('open', 'spaces/networks/camera.lua') "
           "print(nasw.current().network.macs // 1000000)");
    r = run_nasw(NULL, "--script %s/net.lua", folder);
    begins(&r, "26", "26");
    run_free(&r);
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("cli_build");
    TCase *tc = tcase_create("cli");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_space_in_lua_stands_for_its_network);
    tcase_add_test(tc, commands_take_a_network_in_lua);
    tcase_add_test(tc, a_network_in_lua_is_edited_like_any_other);
    tcase_add_loop_test(tc, a_script_that_makes_no_network_is_refused, 0, N_OF(mistakes));
    tcase_add_test(tc, sizes_belong_to_the_script);
    tcase_add_test(tc, a_script_loads_networks_in_lua);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
