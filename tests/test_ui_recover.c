/* Edits in a pseudo-terminal: undone and done again the screen is as it was, cell by cell, and what
 * a killed workbench did is there again. The network is the built-in one. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support_session.h"
#include "tests/support_term.h"

static terminal *start(const char *model)
{
    char state[512];
    const char *const words[] = {nasw_program(), model, NULL};
    snprintf(state, sizeof state, "XDG_STATE_HOME=%s", the_folder());
    return terminal_start(
        36, 120, (const char *const[]){"TERM=xterm-256color", "LANG=C.UTF-8", state, NULL}, words);
}

static void show_edit(terminal *t)
{
    terminal_send(t, "4");
    ck_assert(terminal_wait_for(t, "[4 Edit]"));
}

/* Bytes of the first cells of a row. */
static int cut_columns(const char *row, int columns)
{
    int n = 0;
    for (; row[n]; n++)
        if ((row[n] & 0xc0) != 0x80 && columns-- == 0)
            break;
    return n;
}

/* The table of stages and the differences below it: neither messages, nor the count of undos, nor
 * the list beside them that fills in the background. */
static char *stages(terminal *t)
{
    enum { FIRST = 3, DIFFERENCES = 20, END = 26, COLUMNS = 120, LEFT_COLUMNS = 78 };
    size_t size = 1 << 15, n = 0;
    char *text = malloc(size);
    text[0] = '\0';
    terminal_settle(t);
    for (int row = FIRST; row < END; row++) {
        const char *cells = terminal_row(t, row);
        int length = cut_columns(cells, row < DIFFERENCES ? COLUMNS : LEFT_COLUMNS);
        n += (size_t)snprintf(text + n, size - n, "%.*s\n", length, cells);
    }
    return text;
}

START_TEST(undo_and_redo_bring_the_table_back_cell_by_cell)
{
    begin_folder();
    terminal *t = start("demo");
    ck_assert(terminal_wait_for(t, "[3 Layers]"));
    show_edit(t);
    terminal_send(t, "b"); /* so that undo leaves a baseline to compare with */
    ck_assert(terminal_wait_for(t, "gainst baseline demo"));
    char *opened = stages(t);
    terminal_send(t, "jj+");
    ck_assert(terminal_wait_for(t, "1 edit, unsaved"));
    char *edited = stages(t);
    ck_assert_str_ne(opened, edited);
    terminal_send(t, "ukk");
    ck_assert(terminal_wait_gone(t, "1 edit, unsaved"));
    char *undone = stages(t);
    ck_assert_str_eq(opened, undone);
    terminal_send(t, "jj\x12"); /* Ctrl-R */
    ck_assert(terminal_wait_for(t, "1 edit, unsaved"));
    char *again = stages(t);
    ck_assert_str_eq(edited, again);
    free(opened);
    free(edited);
    free(undone);
    free(again);
    terminal_free(t);
    end_folder();
}
END_TEST

START_TEST(keys_ahead_of_the_screen_do_what_they_do_one_by_one)
{
    begin_folder();
    terminal *t = start("demo");
    ck_assert(terminal_wait_for(t, "[3 Layers]"));
    terminal_send(t, "4jj++kk");
    ck_assert(terminal_wait_for(t, "2 edits, unsaved"));
    char *at_once = stages(t);
    terminal_send(t, "uu");
    ck_assert(terminal_wait_for(t, "redo 2"));
    static const char *const keys[] = {"j", "j", "+", "+", "k", "k"};
    for (int i = 0; i < 6; i++) {
        terminal_send(t, keys[i]);
        terminal_settle(t);
    }
    ck_assert(terminal_wait_for(t, "2 edits, unsaved"));
    char *one_by_one = stages(t);
    ck_assert_str_eq(at_once, one_by_one);
    free(at_once);
    free(one_by_one);
    terminal_free(t);
    end_folder();
}
END_TEST

START_TEST(edits_of_a_killed_workbench_are_recovered)
{
    begin_folder();
    terminal *t = start("demo");
    ck_assert(terminal_wait_for(t, "[3 Layers]"));
    show_edit(t);
    terminal_send(t, "jj+j+");
    ck_assert(terminal_wait_for(t, "2 edits, unsaved"));
    char *killed = stages(t);
    terminal_signal(t, SIGKILL);
    ck_assert_int_eq(terminal_finish(t), 256 + SIGKILL);
    terminal_free(t);

    t = start(NULL);
    ck_assert(terminal_wait_for(t, "the session before was killed"));
    terminal_send(t, ":recover\r");
    ck_assert(terminal_wait_gone(t, "nasw explores"));
    show_edit(t);
    ck_assert(terminal_wait_for(t, "2 edits, unsaved"));
    terminal_send(t, "jjj");
    char *recovered = stages(t);
    ck_assert_str_eq(killed, recovered);
    free(killed);
    free(recovered);
    terminal_free(t);
    end_folder();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ui_recover");
    TCase *tcase = tcase_create("ui_recover");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, undo_and_redo_bring_the_table_back_cell_by_cell);
    tcase_add_test(tcase, keys_ahead_of_the_screen_do_what_they_do_one_by_one);
    tcase_add_test(tcase, edits_of_a_killed_workbench_are_recovered);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
