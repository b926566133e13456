/* The Landscape screen: its panels, its keys, what it says while the picture comes. Screens under
 * tests/golden are our own output, read by a person before they were kept; with NASW_WRITE_GOLDEN
 * set they are written anew. Which options are curated is decided by hand, so that they are about
 * the screen alone. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"
#include "tests/support_golden.h"
#include "tests/support_session.h"
#include "tests/support_space.h"
#include "tests/support_term.h"
#include "ui/keys.h"
#include "ui/landscape.h"
#include "ui/ui.h"

/* Rows are those of the terminal less header, message and footer. */
static const struct {
    int rows, columns;
    const char *name;
} sizes[] = {{13, 60, "60x16"}, {21, 80, "80x24"}, {33, 120, "120x36"}, {57, 200, "200x60"}};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

typedef struct stage {
    nw_session *session;
    ui_landscape *state;
    ui_rect rect;
    ui_canvas canvas;
} stage;

static const ui_view *const view = &ui_view_landscape;

static stage open_stage(nw_session *session, int rows, int columns)
{
    stage s = {.session = session, .rect = {0, 0, rows, columns}};
    s.state = calloc(1, view->state_size);
    ui_canvas_init(&s.canvas, rows, columns, true);
    view->update(s.session, s.state);
    return s;
}

/* Complete, all climbs at their ends. */
static stage open_complete(int rows, int columns)
{
    nw_session *session = begin_small_space();
    choose_by_hand(session);
    nw_session_follow_landscape(session);
    wait_for_landscape(session);
    stage s = open_stage(session, rows, columns);
    view->takes_key('\t', s.state);
    return s;
}

static void close_stage(stage *s)
{
    view->fini(s->state);
    free(s->state);
    nw_session_free(s->session);
    ui_canvas_fini(&s->canvas);
}

static ui_reply press(stage *s, ui_command command)
{
    ui_reply reply = view->command(command, s->rect, s->session, s->state);
    ck_assert_int_ne(reply.kind, UI_REPLY_IGNORED);
    return reply;
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

static int count(const char *text, char wanted)
{
    int n = 0;
    for (; *text; text++)
        n += *text == wanted;
    return n;
}

/* ---- what is seen ---- */

START_TEST(screens_are_as_they_were_read)
{
    stage s = open_complete(sizes[_i].rows, sizes[_i].columns);
    ck_golden(&s, "landscape", sizes[_i].name);
    press(&s, UI_COMMAND_PANE_VIEW);
    ck_golden(&s, "landscape_figures", sizes[_i].name);
    press(&s, UI_COMMAND_PANE_VIEW);
    press(&s, UI_COMMAND_NEXT_PANE);
    press(&s, UI_COMMAND_NEXT_PANE);
    press(&s, UI_COMMAND_PANELS);
    ck_golden(&s, "landscape_one", sizes[_i].name);
    close_stage(&s);
}
END_TEST

START_TEST(nothing_is_open_and_the_screen_says_how)
{
    stage s = open_stage(begin_plain(), 21, 80);
    ck_screen(&s, "No space loaded. Enter: demo space   o: open", true);
    ui_reply reply = press(&s, UI_COMMAND_DRILL);
    ck_assert_int_eq(reply.action.id, NW_ACTION_SPACE);
    ck_assert_str_eq(reply.action.value, "demo");
    char why[64];
    reply = view->act(NW_ACTION_OPEN, why, sizeof why, s.state); /* o asks for a space here */
    ck_assert_int_eq(reply.action.id, NW_ACTION_SPACE);
    ck_assert_ptr_null(reply.action.value);
    act(s.session, "open", "demo");
    ck_screen(&s, "Enter: the usual one of what is open", true);
    reply = press(&s, UI_COMMAND_DRILL);
    ck_assert_str_eq(reply.action.value, "model");
    close_stage(&s);
}
END_TEST

START_TEST(what_the_numbers_are_is_said)
{
    stage s = open_complete(33, 120);
    ck_screen(&s, "objective latency/base * exp(-", true);
    ck_screen(&s, "device, not calibrated", true);
    ck_screen(&s, "(own scale)", true);
    ck_screen(&s, "curated for ne32", true);
    act(s.session, "landscape.metric", "latency");
    wait_for_landscape(s.session);
    ck_screen(&s, "latency alone: a staircase, no valley", true);
    close_stage(&s);
}
END_TEST

START_TEST(every_cost_in_the_table_is_that_of_the_hardware)
{
    char text[64];
    stage s = open_complete(33, 120);
    const nw_landscape *l = nw_session_landscape(s.session);
    for (int i = 0; i < UI_N_PANELS; i++) {
        nw_totals probed;
        const nw_pane *pane = &l->panes->panes[i];
        ck_assert_int_eq(nw_landscape_probe(l, pane->end_x, pane->end_y, &probed, NULL), NW_OK);
        double cost = nw_totals_metric(&probed, NW_METRIC_OBJECTIVE, &l->objective);
        snprintf(text, sizeof text, "%.3f (%+.1f%%)", cost,
                 100 * (cost / l->panes->best_value - 1));
        ck_screen(&s, text, true);
    }
    close_stage(&s);
}
END_TEST

START_TEST(before_the_plan_is_there_the_screen_says_what_goes_on)
{
    nw_session *session = begin_small_space();
    stage s = open_stage(session, 21, 80);
    view->work(session, s.state);
    ck_screen(&s, "compiling the plan", true);
    for (int i = 0; i < 6000 && !nw_session_landscape(session)->x; i++)
        wait_a_moment(session);
    ck_screen(&s, "looking at points", true);
    ck_screen(&s, "+ c4=", true); /* the probe answers already */
    press(&s, UI_COMMAND_RIGHT);
    ck_assert(s.state->has_probe);
    close_stage(&s);
}
END_TEST

START_TEST(a_plain_is_said_to_be_one)
{
    stage s = open_complete(21, 80);
    act(s.session, "landscape.x", "v4.1"); /* macs and weights change, peak memory need not */
    act(s.session, "landscape.metric", "memory");
    wait_for_landscape(s.session);
    const nw_landscape *l = nw_session_landscape(s.session);
    double first = nw_landscape_value(l, 0, 0);
    bool is_flat = true;
    for (int y = 0; y < l->y->n_options; y++)
        for (int x = 0; x < l->x->n_options; x++)
            is_flat &= nw_landscape_value(l, x, y) == first;
    ck_screen(&s, "it is the same over", is_flat);
    close_stage(&s);
}
END_TEST

/* ---- keys ---- */

START_TEST(the_probe_moves_a_step_at_a_time_and_stays_inside)
{
    stage s = open_complete(33, 120);
    const nw_landscape *l = nw_session_landscape(s.session);
    int x = s.state->x, y = s.state->y;
    press(&s, UI_COMMAND_RIGHT);
    press(&s, UI_COMMAND_UP);
    ck_assert(s.state->x == x + 1 && s.state->y == y + 1); /* up is more */
    press(&s, UI_COMMAND_LEFT);
    press(&s, UI_COMMAND_DOWN);
    ck_assert(s.state->x == x && s.state->y == y);
    press(&s, UI_COMMAND_BOTTOM);
    press(&s, UI_COMMAND_RIGHT);
    ck_assert_int_eq(s.state->x, l->x->n_options - 1);
    press(&s, UI_COMMAND_TOP);
    ck_assert_int_eq(s.state->x, 0);
    for (int i = 0; i < 9; i++)
        press(&s, UI_COMMAND_PAGE_DOWN);
    ck_assert_int_eq(s.state->y, 0);
    ck_screen(&s, "+ c4=48 c3=24", true);
    close_stage(&s);
}
END_TEST

START_TEST(in_the_curated_panel_it_moves_from_option_to_option)
{
    stage s = open_complete(33, 120);
    press(&s, UI_COMMAND_PREVIOUS_PANE); /* C */
    press(&s, UI_COMMAND_TOP);
    press(&s, UI_COMMAND_RIGHT);
    ck_screen(&s, "+ c4=64 ", true);
    press(&s, UI_COMMAND_RIGHT);
    ck_screen(&s, "+ c4=80 ", true);
    press(&s, UI_COMMAND_RIGHT);
    ck_screen(&s, "+ c4=80 ", true);
    close_stage(&s);
}
END_TEST

START_TEST(enter_opens_the_probe_and_run_begins_there)
{
    char why[64];
    stage s = open_complete(33, 120);
    press(&s, UI_COMMAND_TOP);
    press(&s, UI_COMMAND_RIGHT);
    ui_reply reply = view->act(NW_ACTION_LANDSCAPE_START, why, sizeof why, s.state);
    ck_assert_str_eq(reply.action.value, "49 36"); /* three quarters of 24 to 40 */
    ck_assert_int_eq(nw_session_act(s.session, &reply.action, NULL), NW_OK);
    wait_for_landscape(s.session);
    ck_screen(&s, "start c4=49 c3=36", true);
    reply = press(&s, UI_COMMAND_DRILL);
    ck_assert_int_eq(reply.action.id, NW_ACTION_SPACE_OPEN);
    ck_assert_int_eq(nw_session_act(s.session, &reply.action, NULL), NW_OK);
    ck_assert_int_eq(latency(s.session), s.state->probe.latency_ps);
    close_stage(&s);
}
END_TEST

START_TEST(climbs_are_shown_step_by_step)
{
    stage s = open_complete(33, 120);
    ck_assert_int_eq(view->pause_ms(s.state), -1); /* at their ends */
    act(s.session, "landscape.start", "80 40");
    wait_for_landscape(s.session);
    view->update(s.session, s.state);
    const ui_landscape_climb *climb = &s.state->climbs[NW_PANE_MACS];
    ck_assert_int_eq(climb->shown, 1);
    ck_assert_int_eq(view->pause_ms(s.state), 66); /* 15 steps a second */
    view->tick(s.state);
    ck_assert_int_eq(climb->shown, 2);
    ck_assert(view->takes_key('.', s.state)); /* one step, and nothing else */
    ck_assert_int_eq(climb->shown, 3);
    ck_assert(!view->takes_key('m', s.state)); /* to the end, and what the key does */
    ck_assert_int_eq(climb->shown, climb->n);
    ck_assert(!view->takes_key('.', s.state));
    char *screen = dump(&s);
    ck_assert_int_ge(count(screen, '<') + count(screen, 'v'), 10); /* arrows */
    free(screen);
    close_stage(&s);
}
END_TEST

START_TEST(a_click_places_the_probe)
{
    stage s = open_complete(33, 120);
    ui_landscape_places places = ui_landscape_find_places(s.state, s.rect);
    ui_rect b = places.panels[NW_PANE_SINGLE];
    ui_mouse at = {b.row + b.rows - 2, b.column + 1, UI_MOUSE_CLICK}; /* bottom left */
    ck_assert_int_eq(view->mouse(at, s.rect, s.session, s.state).kind, UI_REPLY_DONE);
    ck_assert_int_eq(s.state->pane, NW_PANE_SINGLE);
    ck_assert_int_eq(s.state->x, 0);
    ck_assert_int_eq(s.state->y, 0);
    at = (ui_mouse){b.row + 1, b.column + b.columns - 2, UI_MOUSE_DOUBLE}; /* top right */
    ui_reply reply = view->mouse(at, s.rect, s.session, s.state);
    ck_assert_int_eq(reply.action.id, NW_ACTION_SPACE_OPEN);
    ck_screen(&s, "+ c4=80 c3=40", true);
    close_stage(&s);
}
END_TEST

/* ---- colours ---- */

START_TEST(colours_go_by_rank_and_hold_two_points_a_cell)
{
    stage s = open_complete(13, 80); /* fewer rows than points */
    s.canvas.ascii = false;
    s.canvas.has_color = true;
    free(dump(&s));
    ui_rect a = ui_landscape_find_places(s.state, s.rect).panels[NW_PANE_MACS];
    bool is_seen[UI_RAMP_STEPS] = {false};
    int n_halves = 0;
    for (int row = a.row + 1; row < a.row + a.rows - 1; row++)
        for (int column = a.column + 1; column < a.column + a.columns - 1; column++) {
            const ui_cell *cell = &s.canvas.cells[row * s.canvas.columns + column];
            if (cell->back >= UI_ROLE_RAMP)
                is_seen[cell->back - UI_ROLE_RAMP] = true;
            if (cell->glyph == ui_glyph(&s.canvas, UI_GLYPH_HALF)) {
                n_halves++;
                ck_assert_int_ge(cell->role, cell->back); /* more channels above: more MACs */
            }
        }
    ck_assert_int_gt(n_halves, 0);
    int n_seen = 0;
    for (int i = 0; i < UI_RAMP_STEPS; i++)
        n_seen += is_seen[i];
    ck_assert_int_ge(n_seen, UI_RAMP_STEPS - 3); /* the climb hides some */
    close_stage(&s);
}
END_TEST

/* ---- in a terminal ---- */

static int run_small(void *context)
{
    (void)context;
    nw_session *session = begin_small_space();
    choose_by_hand(session);
    const ui_options options = {.first_screen = "Landscape"};
    int code = ui_run(session, &options);
    nw_session_free(session);
    return code;
}

static terminal *start_terminal(int rows, int columns, const char *const *environment)
{
    terminal *t = terminal_start_function(rows, columns, environment, run_small, NULL);
    ck_assert(terminal_wait_for(t, columns >= 100 ? "[1 Landscape]" : "[1Land]"));
    ck_assert(terminal_wait_for(t, "minimum")); /* the legend: all is there */
    terminal_send(t, "\t\t\t");                 /* climbs at their ends */
    terminal_settle(t);
    return t;
}

static void leave(terminal *t)
{
    terminal_send(t, "q");
    ck_assert_int_eq(terminal_finish(t), 0);
    ck_assert(terminal_is_restored(t));
    terminal_free(t);
}

static const struct {
    const char *terminal, *more;
    bool has_color;
} tiers[] = {{"TERM=xterm-direct", "A=a", true},           {"TERM=xterm-256color", "A=a", true},
             {"TERM=xterm-16color", "A=a", true},          {"TERM=xterm", "A=a", true},
             {"TERM=xterm-256color", "NO_COLOR=1", false}, {"TERM=vt100", "A=a", false}};
enum { N_TIERS = sizeof tiers / sizeof *tiers };

START_TEST(every_terminal_shows_the_panels)
{
    const char *const environment[] = {tiers[_i].terminal, tiers[_i].more, "LANG=C.UTF-8", NULL};
    terminal *t = start_terminal(36, 120, environment);
    bool has_color = false;
    for (int row = 3; row < 20; row++)
        for (int column = 1; column < 38; column++)
            has_color |= terminal_cell_at(t, row, column).red >= 0;
    ck_assert_int_eq(has_color, tiers[_i].has_color);
    ck_assert_ptr_nonnull(strstr(terminal_text(t), "C objective, curated for ne32"));
    leave(t);
}
END_TEST

START_TEST(a_storm_of_sizes_leaves_the_picture_whole)
{
    const char *const environment[] = {"TERM=xterm-256color", "LANG=C.UTF-8", NULL};
    terminal *t = start_terminal(36, 120, environment);
    uint64_t before = terminal_hash(t);
    for (int i = 0; i < 40; i++)
        terminal_resize(t, 5 + i * 7 % 50, 20 + i * 31 % 150);
    terminal_resize(t, 36, 120);
    terminal_settle(t);
    ck_assert(terminal_wait_for(t, "curated for ne32"));
    terminal_settle(t);
    ck_assert_int_eq(terminal_hash(t) == before, true);
    terminal_resize(t, 10, 30);
    ck_assert(terminal_wait_for(t, "too small"));
    leave(t);
}
END_TEST

START_TEST(keys_go_from_screen_to_screen)
{
    const char *const environment[] = {"TERM=xterm-256color", "LANG=C.UTF-8", NULL};
    terminal *t = start_terminal(24, 80, environment);
    terminal_send(t, "X");
    ck_assert(terminal_wait_for(t, "To the right: Enter picks"));
    terminal_send(t, "jj\r"); /* past y, which would change places */
    ck_assert(terminal_wait_for(t, "landscape over"));
    terminal_send(t, "m");
    ck_assert(terminal_wait_for(t, "landscape of latency_us"));
    ck_assert(terminal_wait_for(t, "latency alone"));
    ck_assert(terminal_wait_for(t, "minimum")); /* the legend: all is there */
    terminal_send(t, "\r");
    ck_assert(terminal_wait_for(t, "[4Edit]"));
    ck_assert(terminal_wait_for(t, "opened a network of small"));
    terminal_send(t, "6");
    ck_assert(terminal_wait_for(t, "[6Space]"));
    terminal_send(t, "1");
    ck_assert(terminal_wait_for(t, "[1Land]"));
    terminal_send(t, "q");
    ck_assert(terminal_wait_for(t, "something is unsaved"));
    terminal_send(t, "y");
    ck_assert_int_eq(terminal_finish(t), 0);
    terminal_free(t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ui_landscape");
    TCase *tcase = tcase_create("ui_landscape");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, screens_are_as_they_were_read, 0, N_SIZES);
    tcase_add_test(tcase, nothing_is_open_and_the_screen_says_how);
    tcase_add_test(tcase, what_the_numbers_are_is_said);
    tcase_add_test(tcase, every_cost_in_the_table_is_that_of_the_hardware);
    tcase_add_test(tcase, before_the_plan_is_there_the_screen_says_what_goes_on);
    tcase_add_test(tcase, a_plain_is_said_to_be_one);
    tcase_add_test(tcase, the_probe_moves_a_step_at_a_time_and_stays_inside);
    tcase_add_test(tcase, in_the_curated_panel_it_moves_from_option_to_option);
    tcase_add_test(tcase, enter_opens_the_probe_and_run_begins_there);
    tcase_add_test(tcase, climbs_are_shown_step_by_step);
    tcase_add_test(tcase, a_click_places_the_probe);
    tcase_add_test(tcase, colours_go_by_rank_and_hold_two_points_a_cell);
    tcase_add_loop_test(tcase, every_terminal_shows_the_panels, 0, N_TIERS);
    tcase_add_test(tcase, a_storm_of_sizes_leaves_the_picture_whole);
    tcase_add_test(tcase, keys_go_from_screen_to_screen);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
