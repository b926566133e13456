/* The console screen with an evaluator made up here, and what happens when the program dies of
 * itself while it has the terminal. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/error.h"
#include "tests/support_term.h"
#include "ui/ui.h"

/* "do" opens a block that "end" ends, "bad" is an error, "die" ends the program, "switch" acts on
 * the session; anything else comes back behind an equals sign. */
static void evaluate(void *context, nw_session *session, const char *line, nw_buf *out,
                     bool *is_error, bool *is_incomplete)
{
    (void)context;
    if (strcmp(line, "die") == 0)
        nw_die("out of memory");
    if (strcmp(line, "crash") == 0)
        abort();
    if (strcmp(line, "exit") == 0)
        exit(7);
    while (strcmp(line, "loop") == 0 && !ui_is_interrupted())
        usleep(1000);
    if (strncmp(line, "do", 2) == 0 && !strstr(line, "end")) {
        *is_incomplete = true;
        return;
    }
    if (strcmp(line, "switch") == 0) {
        nw_action action = {NW_ACTION_HW, -1, "ne64"};
        *is_error = nw_session_act(session, &action, NULL) != NW_OK;
    }
    if (strcmp(line, "quit") == 0) {
        nw_action action = {NW_ACTION_QUIT, -1, NULL};
        *is_error = nw_session_act(session, &action, NULL) != NW_OK;
    }
    for (int i = 0; strcmp(line, "many") == 0 && i < 100; i++)
        nw_buf_printf(out, "row %d\n", i);
    if (strcmp(line, "bad") == 0) {
        *is_error = true;
        nw_buf_puts(out, "console:1: stage 9 does not exist\nin a \033[2Jfunction");
        return;
    }
    nw_buf_printf(out, "= ");
    for (const char *c = line; *c; c++)
        nw_buf_printf(out, "%s%.1s", *c == '\n' ? "|" : "", *c == '\n' ? "" : c);
    nw_buf_puts(out, "\n1\t2\n");
}

static void complete(void *context, const char *line, nw_buf *out, size_t *replace_from)
{
    (void)context;
    if (strcmp(line, "na") == 0) {
        nw_buf_puts(out, "nasw.\n");
        *replace_from = 0;
    } else if (strcmp(line, "nasw.h") == 0) {
        nw_buf_puts(out, "nasw.hw\nnasw.hardware\n");
        *replace_from = 0;
    }
}

static void hint(void *context, const char *line, nw_buf *out)
{
    (void)context;
    if (strstr(line, "estimate("))
        nw_buf_puts(out, "estimate(graph, hw) -> estimate");
}

static int run_console(void *first_screen)
{
    ui_evaluator evaluator = {NULL, evaluate, complete, hint};
    ui_options options = {.evaluator = &evaluator, .first_screen = first_screen};
    nw_session_config config = {.data_path = "hw", .n_workers = 1};
    nw_session *session;
    if (nw_session_new(&config, &session, NULL) != NW_OK)
        return 99;
    int status = ui_run(session, &options);
    nw_session_free(session);
    return status;
}

static terminal *start(int rows, int columns)
{
    static const char *const environment[] = {"TERM=xterm-256color", "LANG=C.UTF-8", NULL};
    char lua[] = "Lua";
    terminal *t = terminal_start_function(rows, columns, environment, run_console, lua);
    ck_assert(terminal_wait_for(t, columns >= 100 ? "[7 Lua]" : "[7Lua]"));
    terminal_settle(t);
    return t;
}

static void leave(terminal *t)
{
    terminal_send(t, "\033[21~"); /* F10: q is text here */
    ck_assert(terminal_wait_gone(t, "Lua]"));
    terminal_send(t, "q");
    ck_assert_int_eq(terminal_finish(t), 0);
    ck_assert(terminal_is_restored(t));
    terminal_free(t);
}

START_TEST(results_and_errors_stand_below_what_was_typed)
{
    terminal *t = start(24, 80);
    terminal_send(t, "quick\r");
    ck_assert(terminal_wait_for(t, "> quick\n= quick\n1       2\n>"));
    terminal_send(t, "bad\r");
    ck_assert(terminal_wait_for(t, "console:1: stage 9 does not exist\nin a \\x1b[2Jfunction\n>"));
    int row, column;
    ck_assert(terminal_find(t, "console:1:", &row, &column));
    ck_assert(terminal_cell_at(t, row, column).bold);
    ck_assert(terminal_wait_for(t, "F1 help"));
    leave(t);
}
END_TEST

START_TEST(a_block_goes_on_until_it_ends)
{
    terminal *t = start(24, 80);
    terminal_send(t, "do\r");
    ck_assert(terminal_wait_for(t, "> do\n>>"));
    terminal_send(t, "x\rend\r");
    ck_assert(terminal_wait_for(t, ">> x\n>> end\n= do|x|end\n"));
    terminal_send(t, "do\r\r"); /* an empty line gives it up */
    ck_assert(terminal_wait_for(t, "the block is not finished; given up\n>"));
    terminal_send(t, "\033[200~do\r y\rend\r\033[201~"); /* pasted lines are lines */
    ck_assert(terminal_wait_for(t, "= do| y|end\n"));
    leave(t);
}
END_TEST

START_TEST(tab_completes_and_up_goes_back)
{
    terminal *t = start(24, 80);
    terminal_send(t, "na\t");
    ck_assert(terminal_wait_for(t, "> nasw.\n"));
    terminal_send(t, "h\t");
    ck_assert(terminal_wait_for(t, "nasw.hw nasw.hardware\n> nasw.h\n"));
    terminal_send(t, "\x15one\rtwo\r\033[A\033[A");
    ck_assert(terminal_wait_for(t, "= two\n1       2\n> one\n"));
    terminal_send(t, "\033[B\033[B\r"); /* back to the empty line; nothing runs */
    terminal_settle(t);
    ck_assert_ptr_null(strstr(terminal_text(t), "= \n"));
    terminal_send(t, "estimate(");
    ck_assert(terminal_wait_for(t, "estimate(graph, hw) -> estimate"));
    terminal_resize(t, 36, 120);
    ck_assert(terminal_wait_for(t, "─ Help for the call ─"));
    ck_assert(terminal_wait_for(t, "│ estimate(graph, hw) -> estimate"));
    leave(t);
}
END_TEST

START_TEST(ctrl_c_reaches_what_keeps_the_program_busy)
{
    terminal *t = start(24, 80);
    terminal_send(t, "loop\r");
    ck_assert(terminal_wait_for(t, "> loop\n"));
    terminal_send(t, "\x03");
    ck_assert(terminal_wait_for(t, "= loop\n"));
    ck_assert_ptr_null(strstr(terminal_text(t), "nothing is running"));
    terminal_send(t, "loop\r");
    ck_assert(terminal_wait_for(t, "> loop\n= loop\n1       2\n> loop\n"));
    terminal_signal(t, SIGTERM);
    ck_assert_int_eq(terminal_finish(t), 128 + SIGTERM);
    ck_assert(terminal_is_restored(t));
    terminal_free(t);
}
END_TEST

START_TEST(long_results_scroll)
{
    terminal *t = start(24, 80);
    terminal_send(t, "many\r");
    ck_assert(terminal_wait_for(t, "row 99"));
    ck_assert_ptr_null(strstr(terminal_text(t), "row 60\n"));
    terminal_send(t, "\033[5~\033[5~");
    ck_assert(terminal_wait_for(t, "row 60\n"));
    ck_assert(terminal_wait_gone(t, "row 99"));
    terminal_send(t, "\033[<65;5;5M\033[6~\033[6~\033[6~");
    ck_assert(terminal_wait_for(t, "row 99"));
    for (int i = 0; i < 30; i++)
        terminal_send(t, "\033[<64;5;5M");
    ck_assert(terminal_wait_for(t, "> many\nrow 0\n"));
    terminal_send(t, "\x0c");
    ck_assert(terminal_wait_gone(t, "row 0"));
    leave(t);
}
END_TEST

START_TEST(the_console_and_the_screens_share_one_session)
{
    terminal *t = start(24, 80);
    terminal_send(t, "switch\r");
    ck_assert(terminal_wait_for(t, "hw ne64"));
    ck_assert(terminal_wait_for(t, " ne64\n")); /* the header's right end */
    terminal_send(t, "\033");
    ck_assert(terminal_wait_for(t, "hardware ne64"));
    terminal_send(t, "7");
    ck_assert(terminal_wait_for(t, "> switch"));
    terminal_send(t, "\0333"); /* Alt-3 acts where text is typed */
    ck_assert(terminal_wait_for(t, "[3Layers]"));
    terminal_send(t, "7quit\r");
    ck_assert_int_eq(terminal_finish(t), 0);
    ck_assert(terminal_is_restored(t));
    terminal_free(t);
}
END_TEST

static const struct {
    const char *line, *said;
    int status;
} ends[] = {{"die\r", "nasw: out of memory", 1}, {"crash\r", "", 256 + 6}, {"exit\r", "", 7}};

START_TEST(the_terminal_is_restored_when_the_program_dies_of_itself)
{
    terminal *t = start(24, 80);
    terminal_send(t, ends[_i].line);
    ck_assert_int_eq(terminal_finish(t), ends[_i].status);
    ck_assert(terminal_is_restored(t));
    ck_assert_ptr_nonnull(strstr(terminal_text(t), ends[_i].said));
    terminal_free(t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ui_console");
    TCase *c = tcase_create("console");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, results_and_errors_stand_below_what_was_typed);
    tcase_add_test(c, a_block_goes_on_until_it_ends);
    tcase_add_test(c, tab_completes_and_up_goes_back);
    tcase_add_test(c, ctrl_c_reaches_what_keeps_the_program_busy);
    tcase_add_test(c, long_results_scroll);
    tcase_add_test(c, the_console_and_the_screens_share_one_session);
    tcase_add_loop_test(c, the_terminal_is_restored_when_the_program_dies_of_itself, 0, 3);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
