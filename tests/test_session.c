/* The session: what actions do and refuse, undo, messages, scripts. Estimates are expected to be
 * those of nw_estimate_graph on the same inputs, to the last bit; everything else follows from
 * session.h and action.h. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"
#include "tests/support_session.h"

START_TEST(actions_have_names_of_their_own_and_keys_of_their_own)
{
    for (int i = 0; i < NW_ACTION_COUNT; i++) {
        const nw_action_def *def = nw_action_def_of((nw_action_id)i);
        ck_assert_int_eq(nw_action_find(def->name), i);
        ck_assert(def->help[0]);
        for (int j = 0; j < i; j++)
            ck_assert(!def->key[0] ||
                      strcmp(def->key, nw_action_def_of((nw_action_id)j)->key) != 0);
    }
    ck_assert_int_eq(nw_action_find("no such"), NW_ACTION_COUNT);
    ck_assert_int_eq(nw_action_find(""), NW_ACTION_COUNT);
}
END_TEST

START_TEST(a_new_session_has_hardware_and_nothing_open)
{
    nw_session *s = begin_plain();
    int n;
    ck_assert_ptr_null(nw_session_current(s));
    ck_assert_ptr_null(nw_session_baseline(s));
    ck_assert_str_eq(nw_session_hw(s)->name, "ne32");
    ck_assert_str_eq(nw_session_precision(s), "file");
    ck_assert_str_eq(nw_session_estimator(s), "device");
    ck_assert_int_eq(nw_session_n_undo(s) + nw_session_n_redo(s) + nw_session_n_jobs(s), 0);
    ck_assert(!nw_session_is_unsaved(s) && !nw_session_wants_quit(s));
    ck_assert_ptr_null(nw_session_hw_rows(s, &n));
    const char *const *names = nw_session_hw_names(s, &n);
    ck_assert_int_eq(n, 13); /* the descriptions in hw/ */
    ck_assert_str_eq(names[0], "cpu-onednn");
    ck_assert_str_eq(names[12], "u85-1024");
    nw_session_free(s);
    nw_error err;
    nw_session_config bad = {.data_path = PRESETS, .hw = "ne33", .n_workers = 1};
    ck_assert_int_eq(nw_session_new(&bad, &s, &err), NW_IO);
    nw_session_free(NULL);
}
END_TEST

START_TEST(opening_estimates_and_clears_the_baseline)
{
    nw_session *s = begin_plain();
    uint64_t version = nw_session_version(s);
    act(s, "open", "demo");
    ck_assert(nw_session_version(s) > version);
    const nw_point *point = nw_session_current(s);
    ck_assert_str_eq(point->model, "demo");
    ck_assert_str_eq(point->label, "demo");
    ck_assert(latency(s) == estimate_alone("demo", "ne32", "file"));
    act(s, "baseline", NULL);
    ck_assert_ptr_eq(nw_session_baseline(s), point);
    act(s, "open", "demo");
    ck_assert_ptr_null(nw_session_baseline(s));
    ck_assert_int_eq(nw_session_n_undo(s), 3);
    nw_session_free(s);
}
END_TEST

START_TEST(what_cannot_be_done_is_refused_and_changes_nothing)
{
    static const struct {
        bool with_model;
        const char *name, *value, *words;
    } rows[] = {
        {false, "open", NULL, "say which file"},
        {false, "open", "", "say which file"},
        {false, "open", "/nowhere/x.onnx", "cannot open"},
        {true, "open", "hw/ne32.json", "no model file"},
        {false, "hw", NULL, "say which description"},
        {false, "hw", "ne33", "no such hardware description"},
        {true, "hw", "Makefile.json", "cannot open"},
        {false, "precision", "int7", "is no precision"},
        {true, "precision", "int7", "is no precision"},
        {false, "precision", "int888888888888888888888888888888888", "is no precision"},
        {false, "estimator", "oracle", "no such estimator"},
        {false, "input", "x=", "wanted NAME="},
        {false, "input", "x=1x0", "wanted NAME="},
        {false, "input", "x=1x2x", "wanted NAME="},
        {false, "input", "1x99999999999999999999", "wanted NAME="},
        {false, "baseline", NULL, "nothing is open"},
        {false, "undo", NULL, "nothing to undo"},
        {false, "redo", NULL, "nothing to redo"},
        {false, "repeat", NULL, "nothing to repeat"},
        {false, "save", NULL, "nothing is open"},
        {false, "export", "x.json", "nothing is open"},
        {true, "export", NULL, "say where"},
        {true, "export", "x.html", ".json, .csv, .txt or .md"},
        {true, "export", ".json", ".json, .csv, .txt or .md"},
        {true, "export", "/nowhere/at/all.json", "cannot write"},
        {true, "copy", NULL, "no row to copy"},
        {false, "hw.compare", NULL, "nothing is open"},
        {false, "script", "x.lua", "cannot be run here"},
        {false, "save-session", "x.lua", "nothing to write"},
        {false, "stop", NULL, "nothing is running"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_session *s = begin_plain();
        if (rows[i].with_model)
            act(s, "open", "demo");
        refuse(s, rows[i].name, rows[i].value, rows[i].words);
        ck_assert_str_eq(nw_session_precision(s), "file");
        nw_session_free(s);
    }
    nw_session *s = begin_plain();
    nw_action none = {NW_ACTION_COUNT, -1, NULL};
    ck_assert_int_eq(nw_session_act(s, &none, NULL), NW_INVALID);
    char why[64];
    ck_assert(!nw_action_is_possible(s, NW_ACTION_UNDO, why, sizeof why));
    ck_assert_str_eq(why, "nothing to undo");
    ck_assert(!nw_action_is_possible(s, NW_ACTION_SAVE, NULL, 0));
    ck_assert(nw_action_is_possible(s, NW_ACTION_OPEN, why, sizeof why));
    nw_session_free(s);
}
END_TEST

START_TEST(other_hardware_makes_the_old_numbers_the_baseline)
{
    nw_session *s = begin_plain();
    act(s, "hw", "ne16"); /* nothing open: just set */
    ck_assert_ptr_null(nw_session_baseline(s));
    ck_assert_str_eq(last_message(s)->text, "hw ne16");
    act(s, "hw", "ne32");
    act(s, "open", "demo");
    const nw_point *old = nw_session_current(s);
    act(s, "hw", "ne64");
    ck_assert_ptr_eq(nw_session_baseline(s), old);
    ck_assert_str_eq(nw_session_hw(s)->name, "ne64");
    ck_assert_ptr_eq(nw_session_current(s)->hw, nw_session_hw(s));
    ck_assert(latency(s) == estimate_alone("demo", "ne64", "file"));
    char expected[160];
    double a = (double)old->estimate.latency_ps, b = (double)latency(s);
    snprintf(expected, sizeof expected, "hw ne32 -> ne64: latency %.3f -> %.3f ms (%+.1f %%)",
             a / 1e9, b / 1e9, 100 * (b / a - 1));
    ck_assert_str_eq(last_message(s)->text, expected);
    act(s, "hw", PRESETS "/u55-128.json"); /* by path */
    ck_assert(latency(s) == estimate_alone("demo", "u55-128", "file"));
    nw_session_free(s);
}
END_TEST

START_TEST(precision_and_estimator_estimate_anew)
{
    nw_session *s = begin_plain();
    act(s, "precision", "int16");
    act(s, "open", "demo");
    ck_assert(latency(s) == estimate_alone("demo", "ne32", "int16"));
    const nw_point *old = nw_session_current(s);
    act(s, "precision", "int8");
    ck_assert(latency(s) == estimate_alone("demo", "ne32", "int8"));
    ck_assert_ptr_eq(nw_session_baseline(s), old);
    old = nw_session_current(s);
    act(s, "estimator", "device");
    ck_assert_ptr_eq(nw_session_baseline(s), old);
    /* the DPU has no arithmetic of 16 bits: UG1313 names INT8 alone */
    act(s, "hw", "dpu-b4096");
    refuse(s, "precision", "int16", "does not compute in int16");
    ck_assert_str_eq(nw_session_precision(s), "int8");
    nw_session_free(s);
}
END_TEST

/* a.json gives itself the name ne32, as the file that it is a copy of. */
START_TEST(next_and_previous_hardware_walk_the_list_and_skip_what_is_broken)
{
    begin_folder();
    copy_file(PRESETS "/ne32.json", in_folder("a.json"));
    write_text(in_folder("c.json"), "{\"extends\": \"a\", \"clock_hz\": 2e9}");
    write_text(in_folder("d.json"), "{\"extends\": \"a\", \"clock_hz\": 5e8}");
    write_text(in_folder("b.json"), "{");
    nw_session *s = begin(the_folder(), "a", NULL);
    act(s, "open", "demo");
    static const char *const steps[][2] = {{"hw.next", "c"},     {"hw.next", "d"},
                                           {"hw.next", "ne32"},  {"hw.previous", "d"},
                                           {"hw.previous", "c"}, {"hw.previous", "ne32"}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        act(s, steps[i][0], NULL);
        ck_assert_str_eq(nw_session_hw(s)->name, steps[i][1]);
    }
    int n, n_warnings = 0;
    const nw_message *messages = nw_session_messages(s, &n);
    for (int i = 0; i < n; i++)
        n_warnings += messages[i].kind == NW_MESSAGE_WARNING &&
                      strstr(messages[i].text, "skipped b: ") == messages[i].text;
    ck_assert_int_eq(n_warnings, 2);
    nw_session_free(s);

    remove(in_folder("c.json"));
    remove(in_folder("d.json"));
    s = begin(the_folder(), "a", NULL);
    refuse(s, "hw.next", NULL, "no other description");
    nw_session_free(s);
    end_folder();
}
END_TEST

START_TEST(hardware_from_a_path_steps_to_the_ends_of_the_list)
{
    begin_folder();
    copy_file(PRESETS "/ne32.json", in_folder("mine.json"));
    nw_session *s = begin(PRESETS, in_folder("mine.json"), NULL);
    act(s, "hw.previous", NULL);
    ck_assert_str_eq(nw_session_hw(s)->name, "u85-1024");
    act(s, "undo", NULL);
    act(s, "hw.next", NULL);
    ck_assert_str_eq(nw_session_hw(s)->name, "cpu-onednn");
    nw_session_free(s);
    end_folder();
}
END_TEST

START_TEST(undo_and_redo_bring_back_the_same_objects)
{
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    act(s, "hw", "ne64");
    const nw_point *current = nw_session_current(s), *baseline = nw_session_baseline(s);
    const nw_hw *hw = nw_session_hw(s);
    act(s, "precision", "int16");
    act(s, "undo", NULL);
    ck_assert_ptr_eq(nw_session_current(s), current);
    ck_assert_ptr_eq(nw_session_baseline(s), baseline);
    ck_assert_ptr_eq(nw_session_hw(s), hw);
    ck_assert_str_eq(nw_session_precision(s), "file");
    act(s, "undo", NULL);
    ck_assert_ptr_eq(nw_session_current(s), baseline);
    act(s, "undo", NULL);
    ck_assert_ptr_null(nw_session_current(s));
    ck_assert_str_eq(nw_session_hw(s)->name, "ne32");
    ck_assert_int_eq(nw_session_n_redo(s), 3);
    act(s, "redo", NULL);
    act(s, "redo", NULL);
    ck_assert_ptr_eq(nw_session_current(s), current);
    ck_assert_ptr_eq(nw_session_hw(s), hw);
    act(s, "baseline", NULL); /* a new change: nothing to redo any more */
    ck_assert_int_eq(nw_session_n_redo(s), 0);
    refuse(s, "redo", NULL, "nothing to redo");
    nw_session_free(s);
}
END_TEST

START_TEST(a_point_outlives_its_session_for_whoever_holds_it)
{
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    const nw_point *point = nw_point_retain(nw_session_current(s));
    int64_t before = latency(s);
    nw_session_free(s);
    ck_assert(point->estimate.latency_ps == before);
    ck_assert_str_eq(point->hw->name, "ne32");
    ck_assert_int_gt(point->graph->n_nodes, 0);
    nw_point_release(point);
    nw_point_release(NULL);
}
END_TEST

START_TEST(repeat_does_the_last_change_again)
{
    nw_session *s = begin_plain();
    int n;
    const char *const *names = nw_session_hw_names(s, &n);
    act(s, "hw", names[0]);
    act(s, "hw.next", NULL);
    act(s, "repeat", NULL);
    act(s, "repeat", NULL);
    ck_assert_str_eq(nw_session_hw(s)->name, names[3]);
    act(s, "undo", NULL); /* no change by itself: repeat still steps */
    act(s, "repeat", NULL);
    ck_assert_str_eq(nw_session_hw(s)->name, names[3]);
    act(s, "open", "demo");
    act(s, "repeat", NULL);
    ck_assert_str_eq(nw_session_current(s)->model, "demo");
    nw_session_free(s);
}
END_TEST

static const char *const open_network =
    "{\"schema\": \"nasw.network/1\", \"name\": \"open\", \"format\": \"\", \"layout\": \"nhwc\","
    "\"inputs\": [0], \"outputs\": [3], \"tensors\": ["
    "{\"id\": 0, \"name\": \"image\", \"dtype\": \"int8\", \"shape\": [1, -1, -1, 3]},"
    "{\"id\": 1, \"name\": \"w\", \"dtype\": \"int8\", \"shape\": [4, 3, 3, 3],"
    " \"const\": {\"bytes\": 0}},"
    "{\"id\": 2, \"name\": \"b\", \"dtype\": \"int32\", \"shape\": [4], \"const\": {\"bytes\": 0}},"
    "{\"id\": 3, \"name\": \"y\", \"dtype\": \"int8\", \"shape\": null, \"stored_shape\": null}],"
    "\"nodes\": [{\"id\": 0, \"op\": \"conv2d\", \"type\": \"CONV_2D\", \"name\": \"y\","
    "\"inputs\": [0, 1, 2], \"outputs\": [3], \"attrs\": {\"kernel_h\": 3, \"kernel_w\": 3,"
    "\"pad_mode\": \"same_upper\", \"weight_layout\": \"ohwi\"}}]}";

/* 8 x 8 x 4 outputs of 3 x 3 x 3 products: 6912 MACs; four times that at 16 x 16. */
START_TEST(input_sizes_are_for_the_next_model_alone)
{
    begin_folder();
    const char *path = in_folder("open.json");
    write_text(path, open_network);
    nw_session *s = begin_plain();
    refuse(s, "open", path, "image");
    act(s, "input", "image=1x4x4x3");
    act(s, "input", "image=1x8x8x3"); /* the same input: in the place of the first */
    act(s, "open", path);
    ck_assert_int_eq(nw_session_current(s)->estimate.macs, 6912);
    refuse(s, "open", path, "image"); /* used up */
    act(s, "input", "1,16,16,3");
    act(s, "undo", NULL);
    refuse(s, "open", path, "image");
    act(s, "redo", NULL);
    act(s, "open", path);
    ck_assert_int_eq(nw_session_current(s)->estimate.macs, 4 * 6912);
    nw_session_free(s);
    end_folder();
}
END_TEST

/* ---- messages ---- */

START_TEST(the_last_thousand_messages_are_kept_and_all_are_printable)
{
    nw_session *s = begin_plain();
    for (int i = 0; i < 1005; i++)
        nw_session_say(s, NW_MESSAGE_INFO, "message %d", i);
    int n;
    const nw_message *messages = nw_session_messages(s, &n);
    ck_assert_int_eq(n, 1000);
    ck_assert_str_eq(messages[0].text, "message 5");
    ck_assert_str_eq(messages[999].text, "message 1004");
    nw_session_say(s, NW_MESSAGE_WARNING, "%s", "a\033[2Jb\nc\xff");
    ck_assert_str_eq(last_message(s)->text, "a\\x1b[2Jb\\x0ac\\xff");
    refuse(s, "open", "\033]0;x\007", "cannot open");
    ck_assert_ptr_null(strchr(last_message(s)->text, '\033'));
    char *large = malloc(100001);
    memset(large, 'x', 100000);
    large[100000] = '\0';
    nw_session_say(s, NW_MESSAGE_INFO, "%s", large);
    ck_assert_uint_gt(strlen(last_message(s)->text), 500);
    free(large);
    nw_session_free(s);
}
END_TEST

/* ---- scripts ---- */

static nw_status run_fake(void *context, nw_session *s, const char *path, nw_error *err)
{
    ++*(int *)context;
    if (strcmp(path, "bad.lua") == 0)
        return nw_fail(err, NW_INVALID, "bad.lua:3", "no such thing");
    if (strcmp(path, "itself.lua") == 0) {
        nw_action same = {NW_ACTION_RUN_SCRIPT, -1, path};
        return nw_session_act(s, &same, err);
    }
    nw_action open = {NW_ACTION_OPEN, -1, "demo"};
    return nw_session_act(s, &open, err);
}

START_TEST(scripts_act_on_the_session_and_end)
{
    int n_runs = 0;
    nw_session *s = begin_plain();
    nw_session_set_script_runner(s, run_fake, &n_runs);
    refuse(s, "script", NULL, "say which file");
    refuse(s, "script", "bad.lua", "no such thing");
    act(s, "script", "good.lua");
    ck_assert_ptr_nonnull(nw_session_current(s));
    ck_assert_int_eq(nw_session_n_undo(s), 1); /* what the script did, not the script */
    n_runs = 0;
    refuse(s, "script", "itself.lua", "run each other");
    ck_assert_int_eq(n_runs, 8);
    ck_assert(!nw_session_wants_quit(s));
    act(s, "quit", NULL);
    ck_assert(nw_session_wants_quit(s));
    nw_session_free(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tc = tcase_create("session");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, actions_have_names_of_their_own_and_keys_of_their_own);
    tcase_add_test(tc, a_new_session_has_hardware_and_nothing_open);
    tcase_add_test(tc, opening_estimates_and_clears_the_baseline);
    tcase_add_test(tc, what_cannot_be_done_is_refused_and_changes_nothing);
    tcase_add_test(tc, other_hardware_makes_the_old_numbers_the_baseline);
    tcase_add_test(tc, precision_and_estimator_estimate_anew);
    tcase_add_test(tc, next_and_previous_hardware_walk_the_list_and_skip_what_is_broken);
    tcase_add_test(tc, hardware_from_a_path_steps_to_the_ends_of_the_list);
    tcase_add_test(tc, undo_and_redo_bring_back_the_same_objects);
    tcase_add_test(tc, a_point_outlives_its_session_for_whoever_holds_it);
    tcase_add_test(tc, repeat_does_the_last_change_again);
    tcase_add_test(tc, input_sizes_are_for_the_next_model_alone);
    tcase_add_test(tc, the_last_thousand_messages_are_kept_and_all_are_printable);
    tcase_add_test(tc, scripts_act_on_the_session_and_end);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
