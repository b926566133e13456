/* The compare screen: which networks stand beside each other, what it says of them. Numbers are
 * checked against the estimates they come from; screens under tests/golden are our own output, read
 * by a person before they were kept. With NASW_WRITE_GOLDEN set they are written anew. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/report.h"
#include "tests/support.h"
#include "tests/support_golden.h"
#include "ui/view.h"

/* Rows are those of the terminal less header, message and footer. */
static const struct {
    int rows, columns;
    const char *name;
} sizes[] = {{13, 60, "60x16"}, {21, 80, "80x24"}, {33, 120, "120x36"}};

typedef struct stage {
    nw_session *session;
    void *state;
    ui_rect rect;
    ui_canvas canvas;
} stage;

static const ui_view *const view = &ui_view_compare;

static stage open_stage(int rows, int columns, bool ascii)
{
    stage s = {.rect = {0, 0, rows, columns}};
    nw_session_config config = {.data_path = "hw", .hw = "ne32", .n_workers = 1};
    nw_error err;
    ck_assert_int_eq(nw_session_new(&config, &s.session, &err), NW_OK);
    s.state = calloc(1, view->state_size);
    view->init(s.session, s.state);
    ui_canvas_init(&s.canvas, rows, columns, ascii);
    return s;
}

static void close_stage(stage *s)
{
    view->fini(s->state);
    free(s->state);
    nw_session_free(s->session);
    ui_canvas_fini(&s->canvas);
}

static void act(stage *s, nw_action_id id, const char *value)
{
    nw_error err;
    nw_action action = {id, -1, value};
    if (nw_session_act(s->session, &action, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
}

static ui_reply_kind press(stage *s, ui_command command)
{
    view->update(s->session, s->state);
    return view->command(command, s->rect, s->session, s->state).kind;
}

/* The screen; the caller frees it. */
static char *dump(stage *s)
{
    view->update(s->session, s->state);
    ui_canvas_clear(&s->canvas);
    view->draw(&s->canvas, s->rect, s->session, s->state);
    return ui_canvas_dump(&s->canvas);
}

static void ck_screen(stage *s, const char *part, bool is_there)
{
    char *screen = dump(s);
    bool found = strstr(screen, part) != NULL;
    if (found != is_there)
        printf("%s\n", screen);
    ck_assert_msg(found == is_there, "'%s' is%s on the screen", part, found ? "" : " not");
    free(screen);
}

static void ck_golden(stage *s, const char *name)
{
    char *screen = dump(s);
    ck_golden_screen(name, screen);
    free(screen);
}

START_TEST(one_network_is_nothing_to_compare)
{
    stage s = open_stage(21, 80, true);
    ck_screen(&s, "Nothing to compare yet", true);
    act(&s, NW_ACTION_OPEN, "demo");
    ck_screen(&s, "Nothing to compare yet", true);
    close_stage(&s);
}
END_TEST

START_TEST(an_edit_stands_beside_what_was_opened)
{
    char before[32], after[32];
    stage s = open_stage(33, 120, true);
    act(&s, NW_ACTION_OPEN, "demo");
    nw_format_time(nw_session_current(s.session)->estimate.latency_ps, before, sizeof before);
    act(&s, NW_ACTION_EDIT, "act * none");
    act(&s, NW_ACTION_EDIT, "width 0.5 8");
    nw_format_time(nw_session_current(s.session)->estimate.latency_ps, after, sizeof after);
    ck_screen(&s, "2 networks on ne32", true);
    ck_screen(&s, "demo*, 2 edits", true);
    ck_screen(&s, before, true);
    ck_screen(&s, after, true);
    ck_assert_int_eq(press(&s, UI_COMMAND_BOTTOM), UI_REPLY_DONE);
    ck_screen(&s, "stages that differ", true);
    ck_assert_int_eq(press(&s, UI_COMMAND_TOP), UI_REPLY_DONE);
    act(&s, NW_ACTION_UNDO, NULL);
    ck_screen(&s, "demo*, 1 edit", true);
    act(&s, NW_ACTION_UNDO, NULL);
    ck_screen(&s, "Nothing to compare yet", true);
    close_stage(&s);
}
END_TEST

START_TEST(what_is_kept_stays_and_the_oldest_goes)
{
    stage s = open_stage(33, 120, true);
    act(&s, NW_ACTION_OPEN, "demo");
    for (int i = 0; i < 4; i++) {
        static const char *const edits[] = {"width 0.9 8", "width 0.8 8", "width 0.7 8",
                                            "width 0.6 8"};
        act(&s, NW_ACTION_EDIT, edits[i]);
        act(&s, NW_ACTION_KEEP, NULL);
    }
    const nw_point *points[NW_MAX_COMPARED];
    int n_left_out, n = nw_session_compared(s.session, points, &n_left_out);
    ck_assert_int_eq(n, 4); /* the baseline and three kept, of which the last is open */
    ck_assert_int_eq(n_left_out, 0);
    int n_edits;
    nw_arch_edits(points[1]->arch, &n_edits);
    ck_assert_int_eq(n_edits, 2);
    nw_action again = {NW_ACTION_KEEP, -1, NULL};
    ck_assert_int_eq(nw_session_act(s.session, &again, NULL), NW_INVALID);
    ck_screen(&s, "4 networks on ne32", true);
    close_stage(&s);
}
END_TEST

START_TEST(networks_on_other_hardware_are_left_out)
{
    stage s = open_stage(21, 80, true);
    act(&s, NW_ACTION_OPEN, "demo");
    act(&s, NW_ACTION_EDIT, "width 0.5 8");
    act(&s, NW_ACTION_KEEP, NULL);
    act(&s, NW_ACTION_HW, "ne64");
    const nw_point *points[NW_MAX_COMPARED];
    int n_left_out;
    ck_assert_int_eq(nw_session_compared(s.session, points, &n_left_out), 1);
    ck_assert_int_gt(n_left_out, 0);
    ck_screen(&s, "by another estimator", true);
    close_stage(&s);
}
END_TEST

START_TEST(only_differences_hides_rows_that_are_alike_and_n_finds_the_others)
{
    stage s = open_stage(33, 120, true);
    act(&s, NW_ACTION_OPEN, "demo");
    act(&s, NW_ACTION_EDIT, "kernel 1.0 5");
    char *all = dump(&s);
    ck_assert_int_eq(press(&s, UI_COMMAND_DIFFERENCES), UI_REPLY_DONE);
    char *some = dump(&s);
    ck_assert_uint_lt(strlen(some), strlen(all));
    ck_assert_int_eq(press(&s, UI_COMMAND_DIFFERENCES), UI_REPLY_DONE);
    char *again = dump(&s);
    ck_assert_str_eq(all, again);
    ck_assert_int_eq(press(&s, UI_COMMAND_TOP), UI_REPLY_DONE);
    ck_assert_int_eq(press(&s, UI_COMMAND_FIND_NEXT), UI_REPLY_DONE);
    ck_assert_int_eq(press(&s, UI_COMMAND_PANE_VIEW), UI_REPLY_DONE);
    ck_screen(&s, "latency by block", true);
    free(all);
    free(some);
    free(again);
    close_stage(&s);
}
END_TEST

START_TEST(enter_edits_what_is_open)
{
    stage s = open_stage(33, 120, true);
    act(&s, NW_ACTION_OPEN, "demo");
    act(&s, NW_ACTION_EDIT, "kernel 1.0 5");
    view->update(s.session, s.state);
    ui_reply reply = view->command(UI_COMMAND_DRILL, s.rect, s.session, s.state);
    ck_assert_int_eq(reply.kind, UI_REPLY_COMMAND);
    ck_assert_int_eq(reply.command, UI_COMMAND_SCREEN_EDIT);
    close_stage(&s);
}
END_TEST

/* The row that begins with the mark of the cursor; -1: none. */
static int cursor_row(stage *s)
{
    char *screen = dump(s), *rest = screen;
    int row = 0;
    for (; rest && rest[0] != '>'; row++) {
        rest = strchr(rest, '\n');
        rest = rest ? rest + 1 : NULL;
    }
    free(screen);
    return rest ? row : -1;
}

START_TEST(clicks_and_the_wheel_move_the_cursor_to_a_line)
{
    stage s = open_stage(33, 120, true);
    act(&s, NW_ACTION_OPEN, "demo");
    act(&s, NW_ACTION_EDIT, "kernel 1.0 5");
    view->update(s.session, s.state);
    ui_mouse mouse = {8, 20, UI_MOUSE_CLICK};
    ck_assert_int_eq(view->mouse(mouse, s.rect, s.session, s.state).kind, UI_REPLY_DONE);
    ck_assert_int_eq(cursor_row(&s), 8);
    mouse.what = UI_MOUSE_WHEEL_DOWN;
    ck_assert_int_eq(view->mouse(mouse, s.rect, s.session, s.state).kind, UI_REPLY_DONE);
    ck_assert_int_eq(cursor_row(&s), 11);
    mouse = (ui_mouse){0, 3, UI_MOUSE_CLICK};
    ck_assert_int_eq(view->mouse(mouse, s.rect, s.session, s.state).kind, UI_REPLY_IGNORED);
    ck_assert_int_eq(cursor_row(&s), 11);
    close_stage(&s);
}
END_TEST

START_TEST(screens_are_as_they_were_read)
{
    for (int ascii = 0; ascii < 2; ascii++) {
        char name[64];
        stage s = open_stage(sizes[_i].rows, sizes[_i].columns, ascii != 0);
        act(&s, NW_ACTION_OPEN, "demo");
        act(&s, NW_ACTION_EDIT, "kernel 1.0 5");
        act(&s, NW_ACTION_KEEP, NULL);
        act(&s, NW_ACTION_EDIT, "width 0.75 8");
        snprintf(name, sizeof name, "compare_demo_%s%s", sizes[_i].name, ascii ? "_ascii" : "");
        ck_golden(&s, name);
        close_stage(&s);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ui_compare");
    TCase *tcase = tcase_create("ui_compare");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, one_network_is_nothing_to_compare);
    tcase_add_test(tcase, an_edit_stands_beside_what_was_opened);
    tcase_add_test(tcase, what_is_kept_stays_and_the_oldest_goes);
    tcase_add_test(tcase, networks_on_other_hardware_are_left_out);
    tcase_add_test(tcase, only_differences_hides_rows_that_are_alike_and_n_finds_the_others);
    tcase_add_test(tcase, enter_edits_what_is_open);
    tcase_add_test(tcase, clicks_and_the_wheel_move_the_cursor_to_a_line);
    tcase_add_loop_test(tcase, screens_are_as_they_were_read, 0,
                        (int)(sizeof sizes / sizeof *sizes));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
