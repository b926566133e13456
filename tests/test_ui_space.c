/* The Space screen: dimensions, options and why, the expert's hand. Screens under tests/golden are
 * our own output, read by a person before they were kept; with NASW_WRITE_GOLDEN set they are
 * written anew. They are of a space that nobody has curated: what curation says is not this
 * suite's. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/report.h"
#include "tests/support.h"
#include "tests/support_golden.h"
#include "tests/support_session.h"
#include "tests/support_space.h"
#include "tests/support_term.h"
#include "ui/space.h"
#include "ui/ui.h"

/* Rows are those of the terminal less header, message and footer. */
static const struct {
    int rows, columns;
    const char *name;
} sizes[] = {{13, 60, "60x16"}, {21, 80, "80x24"}, {33, 120, "120x36"}, {57, 200, "200x60"}};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

typedef struct stage {
    nw_session *session;
    ui_space *state;
    ui_rect rect;
    ui_canvas canvas;
} stage;

static const ui_view *const view = &ui_view_space;

static stage open_stage(nw_session *session, int rows, int columns)
{
    stage s = {.session = session, .rect = {0, 0, rows, columns}};
    s.state = calloc(1, view->state_size);
    ui_canvas_init(&s.canvas, rows, columns, true);
    view->update(s.session, s.state);
    return s;
}

static stage open_curated(int rows, int columns)
{
    nw_session *session = begin_small_space();
    nw_session_follow_curation(session);
    wait_for_curation(session);
    return open_stage(session, rows, columns);
}

static void close_stage(stage *s)
{
    free(s->state);
    nw_session_free(s->session);
    ui_canvas_fini(&s->canvas);
}

static void press(stage *s, ui_command command)
{
    ui_reply reply = view->command(command, s->rect, s->session, s->state);
    ck_assert_int_ne(reply.kind, UI_REPLY_IGNORED);
    if (reply.kind == UI_REPLY_ACTION)
        ck_assert_int_eq(nw_session_act(s->session, &reply.action, NULL), NW_OK);
    if (reply.kind == UI_REPLY_WORK)
        view->work(s->session, s->state);
    view->update(s->session, s->state);
}

/* An action by its key. */
static void hit(stage *s, nw_action_id id)
{
    char why[64];
    ui_reply reply = view->act(id, why, sizeof why, s->state);
    ck_assert_int_eq(reply.kind, UI_REPLY_ACTION);
    ck_assert_int_eq(nw_session_act(s->session, &reply.action, NULL), NW_OK);
    view->update(s->session, s->state);
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

static void ck_golden(stage *s, const char *name, const char *size)
{
    char full[96];
    char *screen = dump(s);
    snprintf(full, sizeof full, "%s_%s", name, size);
    ck_golden_screen(full, screen);
    free(screen);
}

/* Until it is computed. */
static void follow_sweep(stage *s)
{
    const char *why;
    while (!nw_session_sweep(s->session, &why) && !*why)
        wait_a_moment(s->session);
    ck_assert_str_eq(why, "");
}

/* ---- what is seen ---- */

START_TEST(screens_are_as_they_were_read)
{
    stage s = open_stage(begin_small_space(), sizes[_i].rows, sizes[_i].columns);
    act(s.session, "option.keep", "c4=64");
    act(s.session, "option.drop", "c4=56");
    press(&s, UI_COMMAND_DOWN);
    ck_golden(&s, "space", sizes[_i].name);
    press(&s, UI_COMMAND_PANE_VIEW);
    ck_golden(&s, "space_hw", sizes[_i].name);
    nw_session_follow_sweep(s.session, NW_SWEEP_SRAM); /* by the key it would be curated, too */
    s.state->sweep = 1 + NW_SWEEP_SRAM;
    follow_sweep(&s);
    ck_golden(&s, "space_sweep", sizes[_i].name);
    close_stage(&s);
}
END_TEST

START_TEST(nothing_is_open_and_the_screen_says_how)
{
    stage s = open_stage(begin_plain(), 21, 80);
    ck_screen(&s, "No space loaded. Enter: demo space   o: open", true);
    press(&s, UI_COMMAND_DRILL);
    ck_screen(&s, "demo  ", true);
    ck_screen(&s, "dimensions, ~", true); /* more than 1e18 */
    close_stage(&s);
}
END_TEST

START_TEST(sizes_are_exact)
{
    stage s = open_curated(33, 120);
    char text[64];
    ck_screen(&s, "3 dimensions, 30 networks", true); /* 3 x 5 x 2 */
    snprintf(text, sizeof text, "%.0f curated for ne32",
             nw_space_size_approx(nw_session_curated(s.session)));
    ck_screen(&s, text, true);
    close_stage(&s);
}
END_TEST

START_TEST(every_option_has_its_verdict_and_the_one_under_the_cursor_its_reason)
{
    char line[256];
    stage s = open_curated(33, 120);
    press(&s, UI_COMMAND_DOWN); /* c4, on its base */
    ck_screen(&s, "c4: channels of 4, small.lua:2", true);
    ck_screen(&s, "64 base", true);
    for (int i = 0; i < 5; i++) {
        const nw_option_verdict *v = &nw_curation_verdicts(nw_session_curation(s.session), 1)[i];
        while (s.state->option < i)
            press(&s, UI_COMMAND_RIGHT);
        while (s.state->option > i)
            press(&s, UI_COMMAND_LEFT);
        snprintf(line, sizeof line, "%.60s", v->why);
        ck_screen(&s, line, true);
        ck_screen(&s, nw_verdict_name(v->verdict), true);
    }
    close_stage(&s);
}
END_TEST

START_TEST(while_it_is_curated_the_screen_says_so)
{
    stage s = open_stage(begin_small_space(), 21, 80);
    ck_screen(&s, "not curated yet", true);
    view->work(s.session, s.state);
    ck_screen(&s, "curating for ne32", true);
    wait_for_curation(s.session);
    ck_screen(&s, "curated for ne32 (C puts them in force)", true);
    act(s.session, "space.curate", NULL);
    ck_screen(&s, "curated for ne32, in force", true);
    act(s.session, "hw", "ne64");
    ck_screen(&s, "curating for ne64", true);
    close_stage(&s);
}
END_TEST

/* ---- keys ---- */

START_TEST(the_hand_pins_removes_and_lets_go)
{
    stage s = open_curated(33, 120);
    press(&s, UI_COMMAND_DOWN);
    press(&s, UI_COMMAND_LEFT); /* c4=56 */
    ck_assert_str_eq(s.state->value, "c4=56");
    hit(&s, NW_ACTION_MORE);
    ck_assert_int_eq(nw_session_hand(s.session, 1, 1), NW_HAND_KEEP);
    ck_screen(&s, "56           pinned", true);
    hit(&s, NW_ACTION_LESS);
    ck_assert_int_eq(nw_session_hand(s.session, 1, 1), NW_HAND_DROP);
    ck_screen(&s, "56           removed", true);
    hit(&s, NW_ACTION_EDIT);
    ck_assert_int_eq(nw_session_hand(s.session, 1, 1), NW_HAND_FREE);
    bool was_kept = nw_session_keeps(s.session, 1, 1);
    press(&s, UI_COMMAND_MARK); /* the other way around, then as it was */
    ck_assert_int_eq(nw_session_keeps(s.session, 1, 1), !was_kept);
    press(&s, UI_COMMAND_MARK);
    ck_assert_int_eq(nw_session_keeps(s.session, 1, 1), was_kept);
    ck_assert_int_eq(nw_session_hand(s.session, 1, 1), NW_HAND_FREE);
    close_stage(&s);
}
END_TEST

START_TEST(cursors_stay_inside_and_a_click_moves_them)
{
    stage s = open_curated(33, 120);
    for (int i = 0; i < 9; i++)
        press(&s, UI_COMMAND_DOWN);
    ck_assert_int_eq(s.state->dim, 2);
    for (int i = 0; i < 9; i++)
        press(&s, UI_COMMAND_RIGHT);
    ck_assert_str_eq(s.state->value, "v4.1=fused");
    for (int i = 0; i < 9; i++)
        press(&s, UI_COMMAND_LEFT);
    ck_assert_str_eq(s.state->value, "v4.1=ibn");
    ui_mouse first = {3, 4, UI_MOUSE_CLICK}; /* two rows of head, one of titles */
    view->mouse(first, s.rect, s.session, s.state);
    ck_assert_str_eq(s.state->value, "c3=32"); /* its base */
    char *text = view->copy(s.session, s.state);
    ck_assert_str_eq(text, "c3=32");
    free(text);
    close_stage(&s);
}
END_TEST

/* ---- a figure swept ---- */

/* The row of a value on the screen, from its mark to its end. */
static void ck_bar(stage *s, int row, bool is_now)
{
    const char *why;
    char part[96], time[32];
    const nw_sweep_row *r = &nw_session_sweep(s->session, &why)->rows[row];
    nw_format_time(r->latency_ps, time, sizeof time);
    snprintf(part, sizeof part, "%c %-12s%9s #", is_now ? '>' : ' ', r->value, time);
    ck_screen(s, part, true);
}

START_TEST(a_figure_is_swept_in_bars_with_the_knee_named)
{
    static const char *const titles[] = {"Sweep parallelism (S)", "Sweep SRAM (S)",
                                         "Sweep DRAM (S)", "Sweep clock (S)"};
    const bool is_wide = sizes[_i].columns >= 100;
    stage s = open_stage(begin_small_space(), sizes[_i].rows, sizes[_i].columns);
    ck_screen(&s, "Hardware: ne32 (H)", is_wide);
    for (int f = 0; f < NW_SWEEP_COUNT; f++) {
        press(&s, UI_COMMAND_SWEEP);
        ck_screen(&s, "estimating ...", true);
        follow_sweep(&s);
        ck_screen(&s, titles[f], true);
        ck_screen(&s, "latency by device", true);
        ck_screen(&s, "Hardware: ne32 (H)", false);
        for (int i = 0; i < NW_SWEEP_ROWS; i++)
            ck_bar(&s, i, i == NW_SWEEP_NOW);
        ck_screen(&s, "knee", true);
        ck_screen(&s, f == NW_SWEEP_DRAM ? "no knee up to 32 GB/s" : "doublings from", true);
        ck_screen(&s, "c3       channels", true); /* the list is still there */
    }
    press(&s, UI_COMMAND_SWEEP); /* round */
    ck_screen(&s, "Sweep", false);
    ck_screen(&s, "Hardware: ne32 (H)", is_wide);
    close_stage(&s);
}
END_TEST

START_TEST(a_sweep_goes_to_and_fro_and_ends)
{
    stage s = open_stage(begin_small_space(), sizes[_i].rows, sizes[_i].columns);
    ui_reply ignored = view->command(UI_COMMAND_BACK, s.rect, s.session, s.state);
    ck_assert_int_eq(ignored.kind, UI_REPLY_IGNORED);
    ck_assert(!view->answers(UI_COMMAND_SORT_LEFT, s.state));
    press(&s, UI_COMMAND_SWEEP);
    press(&s, UI_COMMAND_SORT_LEFT);
    follow_sweep(&s);
    ck_screen(&s, "Sweep clock", true);
    press(&s, UI_COMMAND_SORT_RIGHT);
    press(&s, UI_COMMAND_SORT_RIGHT);
    follow_sweep(&s);
    ck_screen(&s, "Sweep SRAM", true);
    ck_screen(&s, "> 1.000 MiB", true);
    act(s.session, "hw", "ne64");
    follow_sweep(&s);
    ck_screen(&s, "> 2.000 MiB", true);
    press(&s, UI_COMMAND_BACK);
    ck_screen(&s, "Sweep", false);
    if (sizes[_i].columns < 100)
        press(&s, UI_COMMAND_PANE_VIEW);
    ck_screen(&s, "Hardware: ne64 (H)", true);
    close_stage(&s);
}
END_TEST

/* ---- in a terminal ---- */

static int run_small(void *context)
{
    (void)context;
    nw_session *session = begin_small_space();
    const ui_options options = {.first_screen = "Space"};
    int code = ui_run(session, &options);
    nw_session_free(session);
    return code;
}

START_TEST(keys_reach_the_screen_at_any_size)
{
    const char *const environment[] = {"TERM=xterm-256color", "LANG=C.UTF-8", NULL};
    terminal *t = terminal_start_function(sizes[_i].rows + 3, sizes[_i].columns, environment,
                                          run_small, NULL);
    ck_assert(terminal_wait_for(t, "curated for ne32"));
    terminal_send(t, "jl+"); /* c4, 72 */
    ck_assert(terminal_wait_for(t, "c4=72 is kept, whatever curation says"));
    ck_assert(terminal_wait_for(t, "pinned"));
    terminal_send(t, "u");
    ck_assert(terminal_wait_gone(t, "pinned"));
    terminal_send(t, "C");
    ck_assert(terminal_wait_for(t, "in force"));
    terminal_send(t, "]");
    ck_assert(terminal_wait_gone(t, "curated for ne32"));
    terminal_send(t, "SS");
    ck_assert(terminal_wait_for(t, "Sweep SRAM"));
    ck_assert(terminal_wait_for(t, "knee"));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "Sweep SRAM"));
    terminal_resize(t, 16, 60);
    ck_assert(terminal_wait_for(t, "channels of 4"));
    terminal_send(t, "q");
    ck_assert_int_eq(terminal_finish(t), 0);
    ck_assert(terminal_is_restored(t));
    terminal_free(t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ui_space");
    TCase *tcase = tcase_create("ui_space");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, screens_are_as_they_were_read, 0, N_SIZES);
    tcase_add_test(tcase, nothing_is_open_and_the_screen_says_how);
    tcase_add_test(tcase, sizes_are_exact);
    tcase_add_test(tcase, every_option_has_its_verdict_and_the_one_under_the_cursor_its_reason);
    tcase_add_test(tcase, while_it_is_curated_the_screen_says_so);
    tcase_add_test(tcase, the_hand_pins_removes_and_lets_go);
    tcase_add_test(tcase, cursors_stay_inside_and_a_click_moves_them);
    tcase_add_loop_test(tcase, a_figure_is_swept_in_bars_with_the_knee_named, 0, N_SIZES);
    tcase_add_loop_test(tcase, a_sweep_goes_to_and_fro_and_ends, 0, N_SIZES);
    tcase_add_loop_test(tcase, keys_reach_the_screen_at_any_size, 0, N_SIZES);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
