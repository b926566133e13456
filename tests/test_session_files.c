/* What a session writes: only over its own files; what it keeps for the next one. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support.h"
#include "tests/support_session.h"

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
    refuse(s, "save", the_folder(), "is a folder");
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
    ck_assert_int_eq(chdir(the_folder()), 0);
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
    nw_session *s = begin(PRESETS, NULL, the_folder());
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
    nw_session *s = begin(PRESETS, NULL, the_folder());
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
        s = begin(PRESETS, NULL, the_folder());
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
    nw_session *s = begin(PRESETS, NULL, the_folder());
    nw_session_remember(s, "open", "new"); /* not glued to the line without end */
    nw_session_free(s);
    s = begin(PRESETS, NULL, the_folder());
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
        nw_session *s = begin(PRESETS, NULL, the_folder());
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
    nw_session *s = begin(PRESETS, NULL, the_folder());
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
    nw_session *s = begin(PRESETS, NULL, the_folder());
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
    nw_session_free(begin(PRESETS, NULL, the_folder())); /* did nothing: leaves it alone */
    text = read_text(in_folder("autosave.lua"), NULL);
    ck_assert_str_eq(text, before);
    free(text);
    s = begin(PRESETS, NULL, the_folder());
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

int main(void)
{
    Suite *suite = suite_create("session_files");
    TCase *tc = tcase_create("session_files");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, saving_never_touches_a_file_of_somebody_else);
    tcase_add_test(tc, the_opened_file_is_never_changed);
    tcase_add_test(tc, the_demo_is_saved_in_the_working_folder);
    tcase_add_test(tc, export_writes_what_the_ending_says);
    tcase_add_test(tc, a_copy_is_also_a_file_that_the_message_names);
    tcase_add_test(tc, lines_of_prompts_come_back_next_time);
    tcase_add_test(tc, the_last_500_lines_are_kept);
    tcase_add_test(tc, a_history_file_of_any_bytes_is_read);
    tcase_add_test(tc, sessions_that_share_the_folder_do_not_spoil_it);
    tcase_add_test(tc, the_log_is_saved_by_itself);
    tcase_add_test(tc, without_a_place_for_state_everything_else_works);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
