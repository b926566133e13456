/* The session: what actions do, undo, files, scripts of the log, background work, what is kept.
 * Estimates are expected to be those of nw_estimate_graph on the same inputs, to the last bit;
 * everything else follows from session.h and action.h. */
#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/format/format.h"
#include "src/session/session.h"
#include "tests/support.h"

#define PRESETS "hw"

/* ---- small helpers ---- */

static char folder[64]; /* a new one for each test */

static void begin_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/test_session_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char inner[512];
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_tree(inner);
    }
    if (dir)
        closedir(dir);
    remove(path);
}

static void end_folder(void)
{
    remove_tree(folder);
}

/* Path in the test's folder; eight are valid at a time. */
static const char *in_folder(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void copy_file(const char *from, const char *to)
{
    char *text = read_text(from, NULL);
    ck_assert_ptr_nonnull(text);
    write_text(to, text);
    free(text);
}

static int count_files(void)
{
    int n = 0;
    DIR *dir = opendir(folder);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static nw_session *begin(const char *data_path, const char *hw, const char *state_path)
{
    nw_error err;
    nw_session *s = NULL;
    nw_session_config config = {data_path, hw, state_path, 2};
    if (nw_session_new(&config, &s, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return s;
}

static nw_session *begin_plain(void)
{
    return begin(PRESETS, NULL, NULL);
}

static nw_status try(nw_session *s, const char *name, const char *value, nw_error *err)
{
    nw_action action = {nw_action_find(name), -1, value};
    ck_assert_msg(action.id != NW_ACTION_COUNT, "%s", name);
    return nw_session_act(s, &action, err);
}

static void act(nw_session *s, const char *name, const char *value)
{
    nw_error err;
    if (try(s, name, value, &err) != NW_OK)
        ck_abort_msg("%s: %s: %s", name, err.where, err.message);
}

static const nw_message *last_message(const nw_session *s)
{
    int n;
    const nw_message *messages = nw_session_messages(s, &n);
    ck_assert_int_gt(n, 0);
    return &messages[n - 1];
}

/* The action is refused with these words, says so in a message, and nothing that counts moves. */
static void refuse(nw_session *s, const char *name, const char *value, const char *words)
{
    nw_error err = {0};
    const nw_point *current = nw_session_current(s), *baseline = nw_session_baseline(s);
    const nw_hw *hw = nw_session_hw(s);
    int n_undo = nw_session_n_undo(s), n_redo = nw_session_n_redo(s);
    ck_assert_int_ne(try(s, name, value, &err), NW_OK);
    ck_assert_msg(strstr(err.message, words), "%s: %s: %s", name, err.where, err.message);
    ck_assert_int_ne(last_message(s)->kind, NW_MESSAGE_INFO);
    ck_assert_msg(strstr(last_message(s)->text, words), "%s", last_message(s)->text);
    ck_assert_ptr_eq(nw_session_current(s), current);
    ck_assert_ptr_eq(nw_session_baseline(s), baseline);
    ck_assert_ptr_eq(nw_session_hw(s), hw);
    ck_assert_int_eq(nw_session_n_undo(s), n_undo);
    ck_assert_int_eq(nw_session_n_redo(s), n_redo);
}

static int64_t latency(const nw_session *s)
{
    return nw_session_current(s)->estimate.latency_ps;
}

/* What the estimator itself says, without a session; -1 if it cannot. */
static int64_t estimate_alone(const char *model, const char *hw_name, const char *precision)
{
    nw_hw *hw;
    nw_graph *graph;
    nw_estimate e;
    ck_assert_int_eq(nw_hw_load(hw_name, PRESETS, &hw, NULL), NW_OK);
    ck_assert_int_eq(nw_model_load(model, NULL, 0, &graph, NULL), NW_OK);
    int64_t ps = -1;
    if (nw_estimate_graph(nw_estimator_find("device"), graph, hw, precision, &e, NULL) == NW_OK) {
        ps = e.latency_ps;
        nw_estimate_fini(&e);
    }
    nw_graph_free(graph);
    nw_hw_free(hw);
    return ps;
}

static void wait_for_jobs(nw_session *s)
{
    for (int i = 0; i < nw_session_n_jobs(s); i++)
        while (nw_session_job(s, i).is_running) {
            struct pollfd fd = {.fd = nw_session_wake_fd(s), .events = POLLIN};
            ck_assert_int_eq(poll(&fd, 1, -1), 1);
            ck_assert(nw_session_poll(s));
        }
}

/* ---- actions ---- */

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
    ck_assert_int_eq(n, 12); /* the descriptions in hw/ */
    ck_assert_str_eq(names[0], "dpu-b4096");
    ck_assert_str_eq(names[11], "u85-1024");
    nw_session_free(s);
    nw_error err;
    nw_session_config bad = {PRESETS, "ne33", NULL, 1};
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
        {true, "export", "x.html", ".json, .csv or .txt"},
        {true, "export", ".json", ".json, .csv or .txt"},
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

START_TEST(next_and_previous_hardware_walk_the_list_and_skip_what_is_broken)
{
    begin_folder();
    copy_file(PRESETS "/ne32.json", in_folder("a.json"));
    copy_file(PRESETS "/ne16.json", in_folder("c.json"));
    copy_file(PRESETS "/ne64.json", in_folder("d.json"));
    write_text(in_folder("b.json"), "{");
    nw_session *s = begin(folder, "a", NULL);
    act(s, "open", "demo");
    static const char *const steps[][2] = {{"hw.next", "c"},     {"hw.next", "d"},
                                           {"hw.next", "a"},     {"hw.previous", "d"},
                                           {"hw.previous", "c"}, {"hw.previous", "a"}};
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
    s = begin(folder, "a", NULL);
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
    ck_assert_str_eq(nw_session_hw(s)->name, "dpu-b4096");
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

/* ---- files ---- */

START_TEST(saving_never_touches_a_file_of_somebody_else)
{
    begin_folder();
    nw_session *s = begin_plain();
    const char *first = in_folder("a.nasw.json"), *foreign = in_folder("foreign.json");
    act(s, "open", "demo");
    act(s, "save", first);
    ck_assert(estimate_alone(first, "ne32", "file") == latency(s));
    act(s, "save", first); /* its own */
    write_text(foreign, "precious");
    refuse(s, "save", foreign, "was not written by this session");
    refuse(s, "save", folder, "is a folder");
    refuse(s, "save", in_folder("no/such/place.json"), "cannot write");
    char *text = read_text(foreign, NULL);
    ck_assert_str_eq(text, "precious");
    free(text);
    ck_assert_int_eq(symlink(first, in_folder("link.json")), 0);
    refuse(s, "save", in_folder("link.json"), "was not written by this session");
    write_text(first, "changed by somebody else");
    refuse(s, "save", first, "was not written by this session");
    ck_assert_int_eq(count_files(), 3); /* nothing temporary is left */
    nw_session_free(s);
    end_folder();
}
END_TEST

START_TEST(the_opened_file_is_never_changed)
{
    begin_folder();
    nw_session *s = begin_plain();
    const char *net = in_folder("net.json");
    act(s, "open", "demo");
    act(s, "save", net);
    act(s, "open", net);
    ck_assert_str_eq(nw_session_current(s)->label, "net");
    refuse(s, "save", net, "is the opened file");
    act(s, "save", NULL); /* beside it */
    ck_assert_int_eq(access(in_folder("net.nasw.json"), R_OK), 0);
    act(s, "open", in_folder("net.nasw.json"));
    ck_assert_str_eq(nw_session_current(s)->label, "net");
    refuse(s, "save", NULL, "is the opened file");
    nw_session_free(s);
    end_folder();
}
END_TEST

START_TEST(the_demo_is_saved_in_the_working_folder)
{
    begin_folder();
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    ck_assert_int_eq(chdir(folder), 0);
    act(s, "save", NULL);
    ck_assert_int_eq(access(in_folder("demo.nasw.json"), R_OK), 0);
    nw_session_free(s);
    end_folder();
}
END_TEST

START_TEST(export_writes_what_the_ending_says)
{
    static const struct {
        const char *name, *begin;
    } rows[] = {{"a.json", "{"}, {"a.csv", "name,"}, {"a.txt", "demo"}};
    begin_folder();
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    for (int i = 0; i < 3; i++) {
        act(s, "export", in_folder(rows[i].name));
        act(s, "export", in_folder(rows[i].name));
        char *text = read_text(in_folder(rows[i].name), NULL);
        ck_assert_msg(strncmp(text, rows[i].begin, strlen(rows[i].begin)) == 0, "%.60s", text);
        free(text);
    }
    write_text(in_folder("b.csv"), "precious");
    refuse(s, "export", in_folder("b.csv"), "was not written by this session");
    ck_assert_int_eq(nw_session_n_undo(s), 1); /* writing is no change */
    nw_session_free(s);
    end_folder();
}
END_TEST

START_TEST(a_copy_is_also_a_file_that_the_message_names)
{
    begin_folder();
    nw_session *s = begin(PRESETS, NULL, folder);
    act(s, "open", "demo");
    act(s, "copy", "row\t1");
    ck_assert_ptr_nonnull(strstr(last_message(s)->text, in_folder("copy.txt")));
    char *text = read_text(in_folder("copy.txt"), NULL);
    ck_assert_str_eq(text, "row\t1\n");
    free(text);
    nw_session_free(s);
    s = begin_plain();
    act(s, "open", "demo");
    act(s, "copy", "row");
    ck_assert_str_eq(last_message(s)->text, "copied (no file: nothing is kept)");
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

/* ---- the log ---- */

/* Reads a Lua string literal by the rules of Lua's manual, section 3.1. */
static const char *read_lua_string(const char *s, char *out, size_t size)
{
    size_t n = 0;
    ck_assert_int_eq(*s++, '"');
    while (*s != '"') {
        ck_assert(*s && *s != '\n' && n + 1 < size);
        if (*s != '\\') {
            out[n++] = *s++;
        } else if (s[1] >= '0' && s[1] <= '9') {
            out[n++] = (char)(100 * (s[1] - '0') + 10 * (s[2] - '0') + s[3] - '0');
            s += 4;
        } else {
            ck_assert(s[1] == '"' || s[1] == '\\');
            out[n++] = s[1];
            s += 2;
        }
    }
    out[n] = '\0';
    return s + 1;
}

/* Does what a log says. */
static void replay(nw_session *s, const char *script)
{
    static const char call[] = "nasw.act(";
    while (*script) {
        char name[64], value[4096];
        bool has_value = false;
        ck_assert_msg(strncmp(script, call, strlen(call)) == 0, "%s", script);
        script = read_lua_string(script + strlen(call), name, sizeof name);
        if (strncmp(script, ", ", 2) == 0) {
            script = read_lua_string(script + 2, value, sizeof value);
            has_value = true;
        }
        ck_assert_msg(strncmp(script, ")\n", 2) == 0, "%s", script);
        script += 2;
        act(s, name, has_value ? value : NULL);
    }
}

START_TEST(the_log_is_a_lua_script)
{
    nw_session *s = begin(PRESETS, "ne64", NULL);
    nw_buf log = {0};
    nw_session_log_lua(s, &log);
    ck_assert_str_eq(nw_buf_text(&log), "");
    act(s, "open", "demo");
    act(s, "hw.next", NULL);
    act(s, "hw.previous", NULL);
    act(s, "undo", NULL);
    act(s, "baseline", NULL);
    act(s, "precision", "int16");
    act(s, "undo", NULL); /* what was undone is not in the log */
    nw_error err;
    (void)!try(s, "open", "/nowhere", &err); /* nor what failed */
    nw_session_log_lua(s, &log);
    ck_assert_str_eq(nw_buf_text(&log), "nasw.act(\"hw\", \"ne64\")\n"
                                        "nasw.act(\"open\", \"demo\")\n"
                                        "nasw.act(\"hw\", \"systolic16-is\")\n"
                                        "nasw.act(\"baseline\")\n");
    nw_buf_fini(&log);
    nw_session_free(s);
}
END_TEST

START_TEST(any_bytes_of_a_path_survive_the_log)
{
    static const char *const names[] = {"plain.json",
                                        "q\"uote\\.json",
                                        "\xc3\xbc.json",
                                        "new\nline\r\x7f.json",
                                        "\xff\xfe\x01"
                                        "23.json",
                                        "]]--%s.json"};
    begin_folder();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        nw_session *s = begin_plain(), *again = begin_plain();
        nw_buf log = {0};
        act(s, "open", "demo");
        act(s, "save", in_folder(names[i]));
        act(s, "open", in_folder(names[i]));
        nw_session_log_lua(s, &log);
        replay(again, nw_buf_text(&log));
        ck_assert_str_eq(nw_session_current(again)->model, in_folder(names[i]));
        ck_assert(latency(again) == latency(s));
        act(s, "save-session", in_folder("log.lua"));
        char *text = read_text(in_folder("log.lua"), NULL);
        ck_assert_str_eq(text, nw_buf_text(&log));
        free(text);
        remove(in_folder("log.lua"));
        nw_buf_fini(&log);
        nw_session_free(again);
        nw_session_free(s);
    }
    end_folder();
}
END_TEST

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static void act_at_random(nw_session *s, unsigned *random)
{
    static const char *const choices[][2] = {
        {"open", "demo"},
        {"open", "/nowhere"},
        {"hw", "ne64"},
        {"hw", "u55-128"},
        {"hw", "dpu-b4096"},
        {"hw", "no such"},
        {"hw.next", 0},
        {"hw.previous", 0},
        {"precision", "int16"},
        {"precision", "file"},
        {"baseline", 0},
        {"undo", 0},
        {"undo", 0},
        {"redo", 0},
        {"repeat", 0},
        {"estimator", "device"},
        {"precision", "int8"},
        {"open", "demo"},
        {"hw.next", 0},
        {"input", "x=1x2"},
    };
    const char *const *c = choices[next_random(random) % (sizeof choices / sizeof *choices)];
    nw_error err;
    (void)!try(s, c[0], c[1], &err);
}

/* Everything that undo and replay must bring back. */
static void describe(const nw_session *s, nw_buf *out)
{
    const nw_point *points[2] = {nw_session_current(s), nw_session_baseline(s)};
    nw_buf_printf(out, "%s %s %s", nw_session_hw(s)->name, nw_session_precision(s),
                  nw_session_estimator(s));
    for (int i = 0; i < 2; i++)
        if (points[i])
            nw_buf_printf(out, " [%s %s %s %lld %lld %lld]", points[i]->model, points[i]->hw->name,
                          points[i]->precision, (long long)points[i]->estimate.latency_ps,
                          (long long)points[i]->estimate.energy_fj,
                          (long long)points[i]->estimate.arena_bytes);
        else
            nw_buf_puts(out, " none");
}

static void expect_same(const nw_session *a, const char *expected)
{
    nw_buf text = {0};
    describe(a, &text);
    ck_assert_str_eq(nw_buf_text(&text), expected);
    nw_buf_fini(&text);
}

START_TEST(any_sequence_replays_and_undoes_and_redoes_to_the_same)
{
    unsigned random = 1u + (unsigned)_i;
    nw_session *s = begin_plain(), *again = begin_plain();
    nw_buf log = {0}, state = {0};
    int n_steps = 1 + (int)(next_random(&random) % 40);
    for (int i = 0; i < n_steps; i++)
        act_at_random(s, &random);
    nw_session_log_lua(s, &log);
    describe(s, &state);
    replay(again, nw_buf_text(&log));
    expect_same(again, nw_buf_text(&state));

    const nw_point *current = nw_session_current(s), *baseline = nw_session_baseline(s);
    int n_undo = nw_session_n_undo(s), n_redo = nw_session_n_redo(s);
    for (int i = 0; i < n_undo; i++)
        act(s, "undo", NULL);
    expect_same(s, "ne32 file device none none");
    for (int i = 0; i < n_undo; i++)
        act(s, "redo", NULL);
    ck_assert_ptr_eq(nw_session_current(s), current);
    ck_assert_ptr_eq(nw_session_baseline(s), baseline);
    ck_assert_int_eq(nw_session_n_redo(s), n_redo);
    expect_same(s, nw_buf_text(&state));
    nw_buf_fini(&state);
    nw_buf_fini(&log);
    nw_session_free(again);
    nw_session_free(s);
}
END_TEST

START_TEST(the_log_is_whole_when_undo_has_forgotten_the_oldest)
{
    nw_session *s = begin_plain(), *again = begin_plain();
    nw_buf log = {0}, state = {0};
    act(s, "open", "demo");
    act(s, "hw", "ne64");
    for (int i = 0; i < 700; i++)
        act(s, "baseline", NULL);
    ck_assert_int_eq(nw_session_n_undo(s), 500); /* NW_MAX_UNDO */
    nw_session_log_lua(s, &log);
    describe(s, &state);
    replay(again, nw_buf_text(&log));
    expect_same(again, nw_buf_text(&state));
    while (nw_session_n_undo(s))
        act(s, "undo", NULL);
    ck_assert_ptr_nonnull(nw_session_current(s));
    ck_assert_int_eq(nw_session_n_redo(s), 500);
    while (nw_session_n_redo(s))
        act(s, "redo", NULL);
    expect_same(s, nw_buf_text(&state));
    nw_buf_fini(&state);
    nw_buf_fini(&log);
    nw_session_free(again);
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

/* ---- background work ---- */

START_TEST(comparing_gives_each_description_its_own_estimate)
{
    nw_session *s = begin_plain();
    act(s, "precision", "int16");
    act(s, "open", "demo");
    act(s, "hw.compare", NULL);
    ck_assert_int_eq(nw_session_n_jobs(s), 1);
    ck_assert(nw_session_job(s, 0).is_running);
    ck_assert_str_eq(nw_session_job(s, 0).name, "demo on 12 descriptions");
    act(s, "hw", "ne64"); /* it goes on with what was open */
    wait_for_jobs(s);
    nw_job_view job = nw_session_job(s, 0);
    ck_assert(!job.is_failed && job.progress >= 1 && job.message[0]);
    int n;
    const nw_hw_row *rows = nw_session_hw_rows(s, &n);
    ck_assert_int_eq(n, 12);
    for (int i = 0; i < n; i++) {
        int64_t alone = estimate_alone("demo", rows[i].hw, "int16");
        ck_assert(rows[i].is_done);
        if (alone < 0)
            ck_assert_ptr_nonnull(strstr(rows[i].error, "does not compute in int16"));
        else
            ck_assert(!rows[i].error[0] && rows[i].latency_ps == alone);
    }
    ck_assert_str_eq(nw_session_hw_rows_point(s)->hw->name, "ne32");
    ck_assert(!nw_session_poll(s));
    nw_session_free(s);
}
END_TEST

START_TEST(a_broken_description_is_a_row_with_its_error)
{
    begin_folder();
    write_text(in_folder("broken.json"), "{\"clock\": 1}");
    nw_session *s = begin(folder, PRESETS "/ne32.json", NULL);
    act(s, "open", "demo");
    act(s, "hw.compare", NULL); /* nothing to do for a worker */
    int n;
    const nw_hw_row *rows = nw_session_hw_rows(s, &n);
    ck_assert_int_eq(n, 1);
    ck_assert(rows[0].is_done);
    ck_assert_ptr_nonnull(strstr(rows[0].error, "clock"));
    ck_assert(!nw_session_job(s, 0).is_running && nw_session_job(s, 0).is_failed);
    nw_session_free(s);
    end_folder();
}
END_TEST

START_TEST(stop_ends_the_newest_job_at_once)
{
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    act(s, "hw.compare", NULL);
    act(s, "stop", NULL); /* before anything was taken in */
    nw_job_view job = nw_session_job(s, 0);
    ck_assert(!job.is_running && !job.is_failed);
    ck_assert_str_eq(job.message, "stopped after 0 of 12");
    refuse(s, "stop", NULL, "nothing is running");
    act(s, "hw.compare", NULL); /* late results of the first do not mix in */
    act(s, "hw.compare", NULL); /* takes the place of the second */
    ck_assert(!nw_session_job(s, 1).is_running);
    wait_for_jobs(s);
    int n;
    const nw_hw_row *rows = nw_session_hw_rows(s, &n);
    for (int i = 0; i < n; i++)
        ck_assert(rows[i].is_done &&
                  rows[i].latency_ps == estimate_alone("demo", rows[i].hw, "file"));
    nw_session_free(s);
}
END_TEST

START_TEST(a_session_may_end_while_its_jobs_run)
{
    for (int i = 0; i < 20; i++) {
        nw_session *s = begin_plain();
        act(s, "open", "demo");
        act(s, "hw.compare", NULL);
        if (i % 2)
            nw_session_poll(s);
        if (i % 3 == 0)
            act(s, "hw.compare", NULL);
        nw_session_free(s);
    }
}
END_TEST

START_TEST(the_list_of_jobs_stays_short)
{
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    for (int i = 0; i < 130; i++) {
        act(s, "hw.compare", NULL);
        if (i % 10 == 0)
            wait_for_jobs(s);
    }
    wait_for_jobs(s);
    ck_assert_int_le(nw_session_n_jobs(s), 130);
    act(s, "hw.compare", NULL);
    ck_assert_int_le(nw_session_n_jobs(s), 100); /* NW_MAX_JOBS */
    nw_session_free(s);
}
END_TEST

/* ---- what is kept ---- */

START_TEST(lines_of_prompts_come_back_next_time)
{
    begin_folder();
    const char *state = in_folder("deep/er/nasw");
    static const char *const lines[] = {"demo", "a b", "two\nlines\\n", "\\", "\xff\xfe"};
    nw_session *s = begin(PRESETS, NULL, state);
    int n;
    nw_session_history(s, "open", &n);
    ck_assert_int_eq(n, 0);
    for (int i = 0; i < 5; i++) {
        nw_session_remember(s, "open", lines[i]);
        nw_session_remember(s, "open", lines[i]); /* the same again counts once */
        nw_session_remember(s, "open", "");
    }
    nw_session_remember(s, "console", "1 + 1");
    nw_session_remember(s, "../evil", "stays in memory");
    nw_session_free(s);
    ck_assert_int_ne(access(in_folder("deep/er/evil"), F_OK), 0);

    s = begin(PRESETS, NULL, state);
    const char *const *back = nw_session_history(s, "open", &n);
    ck_assert_int_eq(n, 5);
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(back[i], lines[i]);
    back = nw_session_history(s, "console", &n);
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(back[0], "1 + 1");
    nw_session_history(s, "../evil", &n);
    ck_assert_int_eq(n, 0);
    nw_session_free(s);
    end_folder();
}
END_TEST

START_TEST(the_last_500_lines_are_kept)
{
    begin_folder();
    char line[32];
    int n;
    nw_session *s = begin(PRESETS, NULL, folder);
    for (int i = 0; i < 1200; i++) {
        snprintf(line, sizeof line, "line %d", i);
        nw_session_remember(s, "open", line);
    }
    for (int run = 0; run < 3; run++) { /* as it was, read again, and read from the short file */
        const char *const *back = nw_session_history(s, "open", &n);
        ck_assert_int_eq(n, 500);
        ck_assert_str_eq(back[0], "line 700");
        ck_assert_str_eq(back[499], "line 1199");
        nw_session_free(s);
        s = begin(PRESETS, NULL, folder);
    }
    nw_session_free(s);
    size_t n_bytes;
    char *text = read_text(in_folder("history-open"), &n_bytes);
    ck_assert(strncmp(text, "line 700\n", 9) == 0);
    free(text);
    end_folder();
}
END_TEST

START_TEST(a_history_file_of_any_bytes_is_read)
{
    begin_folder();
    int n;
    FILE *file = fopen(in_folder("history-open"), "w");
    static const char bytes[] = "good\n\n\0zero\n\\\nlast without end";
    fwrite(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    nw_session *s = begin(PRESETS, NULL, folder);
    nw_session_remember(s, "open", "new"); /* not glued to the line without end */
    nw_session_free(s);
    s = begin(PRESETS, NULL, folder);
    const char *const *back = nw_session_history(s, "open", &n);
    ck_assert_int_eq(n, 4);
    ck_assert_str_eq(back[0], "good");
    ck_assert_str_eq(back[1], "\\");
    ck_assert_str_eq(back[2], "last without end");
    ck_assert_str_eq(back[3], "new");
    nw_session_free(s);
    end_folder();
}
END_TEST

START_TEST(sessions_that_share_the_folder_do_not_spoil_it)
{
    enum { N_SESSIONS = 4, N_LINES = 100 };
    begin_folder();
    for (int i = 0; i < N_SESSIONS; i++) {
        if (fork() != 0)
            continue;
        nw_session *s = begin(PRESETS, NULL, folder);
        char line[64];
        act(s, "open", "demo");
        for (int k = 0; k < N_LINES; k++) {
            snprintf(line, sizeof line, "session %d line %d", i, k);
            nw_session_remember(s, "open", line);
        }
        nw_session_free(s);
        _exit(0);
    }
    for (int i = 0, status; i < N_SESSIONS; i++) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    bool seen[N_SESSIONS][N_LINES] = {{false}};
    nw_session *s = begin(PRESETS, NULL, folder);
    int n, session, line;
    const char *const *back = nw_session_history(s, "open", &n);
    ck_assert_int_eq(n, N_SESSIONS * N_LINES);
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(sscanf(back[i], "session %d line %d", &session, &line), 2);
        seen[session][line] = true;
    }
    for (int i = 0; i < N_SESSIONS * N_LINES; i++)
        ck_assert(seen[i / N_LINES][i % N_LINES]);
    nw_session_free(s);
    char *text = read_text(in_folder("autosave.lua"), NULL);
    ck_assert_str_eq(text, "nasw.act(\"open\", \"demo\")\n");
    free(text);
    end_folder();
}
END_TEST

/* Once at the first change, then every 30 s, and at the end. */
START_TEST(the_log_is_saved_by_itself)
{
    static const char first[] = "nasw.act(\"open\", \"demo\")\n";
    begin_folder();
    nw_session *s = begin(PRESETS, NULL, folder);
    ck_assert_int_ne(access(in_folder("autosave.lua"), F_OK), 0);
    act(s, "open", "demo");
    char *text = read_text(in_folder("autosave.lua"), NULL);
    ck_assert_str_eq(text, first);
    free(text);
    act(s, "hw", "ne64");
    nw_session_free(s);
    text = read_text(in_folder("autosave.lua"), NULL);
    ck_assert_str_eq(text, "nasw.act(\"open\", \"demo\")\nnasw.act(\"hw\", \"ne64\")\n");
    char *before = text;
    nw_session_free(begin(PRESETS, NULL, folder)); /* did nothing: leaves it alone */
    text = read_text(in_folder("autosave.lua"), NULL);
    ck_assert_str_eq(text, before);
    free(text);
    s = begin(PRESETS, NULL, folder);
    act(s, "open", "demo"); /* the one before is not lost */
    text = read_text(in_folder("autosave-previous.lua"), NULL);
    ck_assert_str_eq(text, before);
    free(text);
    free(before);
    nw_session_free(s);
    end_folder();
}
END_TEST

/* Below a file there can be no folder, even for root. */
START_TEST(without_a_place_for_state_everything_else_works)
{
    begin_folder();
    write_text(in_folder("file"), "");
    nw_session *s = begin(PRESETS, NULL, in_folder("file/nasw"));
    int n, n_said = 0;
    nw_session_remember(s, "open", "demo");
    act(s, "open", "demo");
    act(s, "copy", "row");
    nw_session_remember(s, "open", "other");
    const char *const *back = nw_session_history(s, "open", &n);
    ck_assert_int_eq(n, 2);
    ck_assert_str_eq(back[0], "demo");
    const nw_message *messages = nw_session_messages(s, &n);
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(messages[i].kind, NW_MESSAGE_INFO);
        n_said += strstr(messages[i].text, "are not kept") != NULL;
    }
    ck_assert_int_eq(n_said, 1);
    nw_session_free(s);
    end_folder();
}
END_TEST

static void add_tests(TCase *tc)
{
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
    tcase_add_test(tc, saving_never_touches_a_file_of_somebody_else);
    tcase_add_test(tc, the_opened_file_is_never_changed);
    tcase_add_test(tc, the_demo_is_saved_in_the_working_folder);
    tcase_add_test(tc, export_writes_what_the_ending_says);
    tcase_add_test(tc, a_copy_is_also_a_file_that_the_message_names);
    tcase_add_test(tc, the_last_thousand_messages_are_kept_and_all_are_printable);
    tcase_add_test(tc, the_log_is_a_lua_script);
    tcase_add_test(tc, any_bytes_of_a_path_survive_the_log);
    tcase_add_loop_test(tc, any_sequence_replays_and_undoes_and_redoes_to_the_same, 0, 40);
    tcase_add_test(tc, the_log_is_whole_when_undo_has_forgotten_the_oldest);
    tcase_add_test(tc, scripts_act_on_the_session_and_end);
    tcase_add_test(tc, comparing_gives_each_description_its_own_estimate);
    tcase_add_test(tc, a_broken_description_is_a_row_with_its_error);
    tcase_add_test(tc, stop_ends_the_newest_job_at_once);
    tcase_add_test(tc, a_session_may_end_while_its_jobs_run);
    tcase_add_test(tc, the_list_of_jobs_stays_short);
    tcase_add_test(tc, lines_of_prompts_come_back_next_time);
    tcase_add_test(tc, the_last_500_lines_are_kept);
    tcase_add_test(tc, a_history_file_of_any_bytes_is_read);
    tcase_add_test(tc, sessions_that_share_the_folder_do_not_spoil_it);
    tcase_add_test(tc, the_log_is_saved_by_itself);
    tcase_add_test(tc, without_a_place_for_state_everything_else_works);
}

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tc = tcase_create("session");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 120);
    add_tests(tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
