/* Edits of what is open: by name, by key, again, back and forth to the last bit, saved, replayed,
 * and brought back after a kill. What an edit does to a network is tests/test_edit.c's. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_session.h"

/* Inverted bottlenecks in stage 1, another stage of them behind it. */
static const char network[] =
    "cn_r1_k3_s2_c16; ir_r3_k3_s2_e6_c24; ir_r2_k5_s2_e3_c40; cn_r1_k1_s1_c64";

static nw_session *begin_network(void)
{
    nw_session *s = begin_plain();
    act(s, "open", network);
    return s;
}

/* The network that is open as its file would have it; the caller frees it. */
static char *now(const nw_session *s)
{
    nw_buf text = {0};
    nw_network_json_write(nw_session_current(s)->graph, &text);
    return text.text;
}

static void ck_now(const nw_session *s, const char *expected)
{
    char *text = now(s);
    ck_assert(strcmp(text, expected) == 0);
    free(text);
}

static const nw_block *block_of(const nw_session *s, const char *label)
{
    const nw_block *block = nw_arch_find_block(nw_session_current(s)->arch, label);
    ck_assert_msg(block != NULL, "there is no block %s", label);
    return block;
}

/* A kernel of the block: what the cursor of a view stands on. */
static int kernel_of(const nw_session *s, const char *label)
{
    const nw_point *point = nw_session_current(s);
    const nw_block *block = block_of(s, label);
    const nw_kernels *kernels = point->estimate.kernels;
    for (int i = 0; i < kernels->n_kernels; i++)
        if (nw_arch_block_of(point->arch, kernels->kernels[i].main) == block)
            return i;
    ck_abort_msg("no kernel runs %s", label);
    return -1;
}

static void act_on(nw_session *s, nw_action_id id, const char *value, const char *label)
{
    nw_error err;
    nw_action action = {id, kernel_of(s, label), value};
    if (nw_session_act(s, &action, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
}

START_TEST(an_edit_changes_what_is_open_and_pins_what_was_opened)
{
    nw_session *s = begin_network();
    const nw_point *opened = nw_session_current(s);
    ck_assert(!nw_session_is_unsaved(s) && nw_session_baseline(s) == NULL);
    act(s, "edit", "variant 1.1 fused");
    ck_assert_int_eq(block_of(s, "1.1")->kind, NW_BLOCK_FUSED);
    ck_assert_ptr_eq(nw_session_baseline(s), opened);
    ck_assert(nw_session_is_unsaved(s));
    ck_assert(strstr(last_message(s)->text, "variant 1.1 fused: latency ") != NULL);
    ck_assert(strstr(last_message(s)->text, "u undoes it") != NULL);
    nw_session_free(s);
}
END_TEST

/* Lines of one action are done together or not at all. */
START_TEST(edits_of_one_action_are_one_change)
{
    nw_session *s = begin_network();
    char *before = now(s);
    act(s, "edit", "variant 1.1 fused; kernel 2.0 3");
    ck_assert_int_eq(nw_session_n_undo(s), 2); /* open, edit */
    ck_assert_int_eq(block_of(s, "2.0")->kernel, 3);
    act(s, "undo", NULL);
    ck_now(s, before);
    refuse(s, "edit", "kernel 2.0 3; kernel 9.9 3", "picks no block");
    ck_now(s, before);
    refuse(s, "edit", "fuze 1.1", "fuze");
    refuse(s, "edit", " ; ", "say which edit");
    refuse(s, "edit", NULL, "say which");
    ck_now(s, before);
    free(before);
    nw_session_free(s);
}
END_TEST

START_TEST(undo_and_redo_are_exact_to_the_last_bit)
{
    static const char *const lines[] = {"variant 1.1 fused",  "channels 2.0 48", "depth 1 2",
                                        "width 0.75 8",       "act * relu6",     "squeeze 2.0 0.25",
                                        "residual 1.1 off",   "expansion 2.1 4", "kernel 2.1 3",
                                        "precision 1.0 int16"};
    enum { N = sizeof lines / sizeof *lines };
    nw_session *s = begin_network();
    char *texts[N + 1];
    int64_t times[N + 1];
    texts[0] = now(s);
    times[0] = latency(s);
    for (int i = 0; i < N; i++) {
        act(s, "edit", lines[i]);
        texts[i + 1] = now(s);
        times[i + 1] = latency(s);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = N - 1; i >= 0; i--) {
            act(s, "undo", NULL);
            ck_now(s, texts[i]);
            ck_assert_int_eq(latency(s), times[i]);
        }
        ck_assert(!nw_session_is_unsaved(s));
        for (int i = 1; i <= N; i++) {
            act(s, "redo", NULL);
            ck_now(s, texts[i]);
            ck_assert_int_eq(latency(s), times[i]);
        }
    }
    for (int i = 0; i <= N; i++)
        free(texts[i]);
    nw_session_free(s);
}
END_TEST

START_TEST(keys_edit_the_block_under_the_cursor)
{
    nw_session *s = begin_network();
    act_on(s, NW_ACTION_FUSE, NULL, "1.1");
    ck_assert_int_eq(block_of(s, "1.1")->kind, NW_BLOCK_FUSED);
    act_on(s, NW_ACTION_FUSE, NULL, "1.1");
    ck_assert_int_eq(block_of(s, "1.1")->kind, NW_BLOCK_IBN);
    act_on(s, NW_ACTION_MORE, "kernel", "1.1");
    ck_assert_int_eq(block_of(s, "1.1")->kernel, 5);
    act_on(s, NW_ACTION_LESS, "kernel", "2.1");
    ck_assert_int_eq(block_of(s, "2.1")->kernel, 3);
    act_on(s, NW_ACTION_ALIGN, NULL, "1.1"); /* 24 to a multiple of 32 lanes */
    ck_assert_int_eq(block_of(s, "1.1")->out_c, 32);
    act_on(s, NW_ACTION_MORE, NULL, "1.1");
    ck_assert_int_eq(block_of(s, "1.1")->out_c, 64);
    act_on(s, NW_ACTION_INSERT, NULL, "1.1");
    ck_assert_ptr_nonnull(nw_arch_find_block(nw_session_current(s)->arch, "1.3"));
    act_on(s, NW_ACTION_DROP, NULL, "1.1");
    ck_assert_ptr_null(nw_arch_find_block(nw_session_current(s)->arch, "1.3"));
    int n;
    nw_arch_edits(nw_session_current(s)->arch, &n);
    ck_assert_int_eq(n, 8);
    nw_session_free(s);
}
END_TEST

START_TEST(a_key_without_a_block_is_refused)
{
    nw_session *s = begin_network();
    char *before = now(s);
    refuse(s, "fuse", NULL, "put the cursor on a block");
    refuse(s, "fuse", "7.7", "no such block");
    refuse(s, "fuse", "0.0", "nothing to fuse");
    refuse(s, "more", "act 1.1", "no next value");
    ck_now(s, before);
    free(before);
    nw_session_free(s);
}
END_TEST

/* The smallest and the largest value stay where they are; what is so already is no step to undo. */
START_TEST(keys_at_the_end_of_a_range_change_nothing)
{
    static const struct {
        const char *key, *value, *words;
    } refused[] = {
        {"less", "kernel 3.0", "the kernel is \"-1\""},
        {"more", "stride 1.0", "the stride is \"3\""},
        {"less", "stride 1.1", "the stride is \"0\""},
        {"less", "depth 3.0", "has one block, which stays"},
        {"less", "squeeze 1.1", "changes nothing"},
        {"more", "residual 1.1", "already with a residual"},
        {"less", "channels 3.1", "no such block"},
    };
    nw_session *s = begin_network();
    char *before = now(s);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        refuse(s, refused[i].key, refused[i].value, refused[i].words);
    refuse(s, "edit", "kernel 1 3; act ibn relu", "changes nothing: 1.0 is already k3");
    ck_assert_int_eq(nw_session_n_undo(s), 1); /* open */
    ck_now(s, before);
    free(before);
    nw_session_free(s);
}
END_TEST

START_TEST(repeat_aims_at_the_block_under_the_cursor)
{
    nw_session *s = begin_network();
    act_on(s, NW_ACTION_FUSE, NULL, "1.0");
    act_on(s, NW_ACTION_REPEAT, NULL, "2.1");
    ck_assert_int_eq(block_of(s, "2.1")->kind, NW_BLOCK_FUSED);
    ck_assert_int_eq(block_of(s, "1.1")->kind, NW_BLOCK_IBN);
    nw_session_free(s);
}
END_TEST

START_TEST(the_log_of_edits_gives_the_same_network)
{
    nw_session *s = begin_network();
    act_on(s, NW_ACTION_FUSE, NULL, "1.0");
    act_on(s, NW_ACTION_ALIGN, "down", "2.0");
    act(s, "fuse.all", NULL);
    nw_buf log = {0};
    nw_session_log_lua(s, &log);
    ck_assert(strstr(nw_buf_text(&log), "nasw.act(\"edit\", \"variant 1.0 fused\")\n") != NULL);
    ck_assert(strstr(nw_buf_text(&log), "nasw.act(\"fuse") == NULL);
    nw_session *other = begin_plain();
    for (char *at = log.text; (at = strstr(at, "nasw.act(\"")) != NULL;) {
        char name[32], value[512];
        ck_assert_int_eq(sscanf(at, "nasw.act(\"%31[a-z]\", \"%511[^\"]\")", name, value), 2);
        act(other, name, value);
        at++;
    }
    char *expected = now(s);
    ck_now(other, expected);
    free(expected);
    nw_buf_fini(&log);
    nw_session_free(other);
    nw_session_free(s);
}
END_TEST

START_TEST(a_saved_network_keeps_its_edits)
{
    begin_folder();
    nw_session *s = begin_network();
    act(s, "edit", "variant 1.1 fused");
    act(s, "save", in_folder("edited.nasw.json"));
    ck_assert(!nw_session_is_unsaved(s));
    act(s, "edit", "kernel 2.1 3");
    ck_assert(nw_session_is_unsaved(s));
    act(s, "undo", NULL);
    ck_assert(!nw_session_is_unsaved(s));
    int64_t time = latency(s);
    nw_session *other = begin_plain();
    act(other, "open", in_folder("edited.nasw.json"));
    ck_assert(!nw_session_is_unsaved(other));
    ck_assert_int_eq(latency(other), time);
    ck_assert_int_eq(block_of(other, "1.1")->kind, NW_BLOCK_FUSED);
    ck_assert_int_eq(nw_session_current(other)->graph->n_edits, 1);
    ck_assert_str_eq(nw_session_current(other)->graph->edits[0], "variant 1.1 fused");
    nw_session_free(other);
    nw_session_free(s);
    end_folder();
}
END_TEST

/* Runs a file of nasw.act lines, as the face with Lua would. */
static nw_status run_lines(void *context, nw_session *s, const char *path, nw_error *err)
{
    (void)context, (void)err;
    char *text = read_text(path, NULL);
    ck_assert_ptr_nonnull(text);
    for (char *at = text; (at = strstr(at, "nasw.act(\"")) != NULL; at++) {
        char name[32], value[512];
        ck_assert_int_eq(sscanf(at, "nasw.act(\"%31[a-z]\", \"%511[^\"]\")", name, value), 2);
        act(s, name, value);
    }
    free(text);
    return NW_OK;
}

START_TEST(what_a_killed_session_did_comes_back)
{
    begin_folder();
    pid_t child = fork();
    if (child == 0) {
        nw_session *s = begin(PRESETS, NULL, the_folder());
        act(s, "open", network);
        act(s, "edit", "variant 1.1 fused");
        act(s, "edit", "kernel 2.1 3");
        raise(SIGKILL);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    nw_session *s = begin(PRESETS, NULL, the_folder());
    ck_assert(strstr(last_message(s)->text, "was killed") != NULL);
    nw_session_set_script_runner(s, run_lines, NULL);
    act(s, "recover", NULL);
    ck_assert_int_eq(block_of(s, "1.1")->kind, NW_BLOCK_FUSED);
    ck_assert_int_eq(block_of(s, "2.1")->kernel, 3);
    nw_session_free(s);
    s = begin(PRESETS, NULL, the_folder()); /* this one left properly */
    int n;
    nw_session_messages(s, &n);
    ck_assert_int_eq(n, 0);
    nw_session_free(s);
    end_folder();
}
END_TEST

/* The list follows what is open; an old one is dropped. */
START_TEST(what_if_follows_the_network)
{
    nw_session *s = begin_network();
    nw_session_follow_whatif(s);
    static const char *const lines[] = {"variant 1.1 fused", "kernel 2.0 3", "width 0.5 8"};
    for (int i = 0; i < 3; i++) {
        act(s, "edit", lines[i]);
        (void)nw_session_poll(s);
    }
    const nw_whatif *list = NULL;
    for (int i = 0; i < 3000 && !(list && nw_whatif_n_ready(list) == nw_whatif_n(list)); i++) {
        usleep(10000);
        (void)nw_session_poll(s);
        list = nw_session_whatif(s);
    }
    ck_assert_ptr_nonnull(list);
    ck_assert_int_eq(nw_whatif_n_ready(list), nw_whatif_n(list));
    ck_assert_ptr_eq(nw_whatif_arch(list), nw_session_current(s)->arch);
    act(s, "undo", NULL);
    ck_assert_ptr_null(nw_session_whatif(s));
    nw_session_free(s);
}
END_TEST

/* Lists begun and dropped while they are worked on, with what they were begun of; under
 * SAN=thread this is also a test of who may touch what. */
START_TEST(quick_edits_and_undo_leave_no_old_list)
{
    static const char *const lines[] = {"variant 1.1 fused", "kernel 2.0 3", "channels 2.0 up 16",
                                        "act 1.0 relu6"};
    nw_session *s = begin_network();
    nw_session_follow_whatif(s);
    for (int i = 0; i < 60; i++) {
        if (i % 8 < 4)
            act(s, "edit", lines[i % 4]);
        else
            act(s, "undo", NULL);
        if (i % 3 == 0)
            usleep(2000);
        (void)nw_session_poll(s);
        const nw_whatif *list = nw_session_whatif(s);
        ck_assert(!list || nw_whatif_arch(list) == nw_session_current(s)->arch);
    }
    act(s, "open", "demo");
    ck_assert_ptr_null(nw_session_whatif(s));
    nw_session_free(s); /* in the midst of the work */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_edit");
    TCase *tcase = tcase_create("session_edit");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, an_edit_changes_what_is_open_and_pins_what_was_opened);
    tcase_add_test(tcase, edits_of_one_action_are_one_change);
    tcase_add_test(tcase, undo_and_redo_are_exact_to_the_last_bit);
    tcase_add_test(tcase, keys_edit_the_block_under_the_cursor);
    tcase_add_test(tcase, a_key_without_a_block_is_refused);
    tcase_add_test(tcase, keys_at_the_end_of_a_range_change_nothing);
    tcase_add_test(tcase, repeat_aims_at_the_block_under_the_cursor);
    tcase_add_test(tcase, the_log_of_edits_gives_the_same_network);
    tcase_add_test(tcase, a_saved_network_keeps_its_edits);
    tcase_add_test(tcase, what_a_killed_session_did_comes_back);
    tcase_add_test(tcase, what_if_follows_the_network);
    tcase_add_test(tcase, quick_edits_and_undo_leave_no_old_list);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
