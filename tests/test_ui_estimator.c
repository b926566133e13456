/* What the workbench says of who estimates: the head and the rows of Layers, and the calibration
 * view. The regression is written by hand (support_regression.h), so numbers on the screen have a
 * reason; screens under tests/golden are our own output, read by a person before they were kept.
 * With NASW_WRITE_GOLDEN set they are written anew. */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/report.h"
#include "tests/support.h"
#include "tests/support_golden.h"
#include "tests/support_regression.h"
#include "ui/calibration.h"
#include "ui/layers.h"
#include "ui/plot.h"
#include "ui/view.h"

#define N(array) (int)(sizeof(array) / sizeof *(array))

/* Rows are those of the terminal less header, message and footer. */
static const struct {
    int rows, columns;
    const char *name;
} sizes[] = {{13, 60, "60x16"}, {21, 80, "80x24"}, {33, 120, "120x36"}, {57, 200, "200x60"}};

/* ---- a view on a session ---- */

typedef struct stage {
    const ui_view *view;
    char *folder;
    nw_session *session;
    void *state;
    ui_rect rect;
    ui_canvas canvas;
} stage;

static stage open_stage(const ui_view *view, const char *hw, int rows, int columns, bool ascii)
{
    stage s = {.view = view, .folder = hand_folder_new("ne32"), .rect = {0, 0, rows, columns}};
    nw_session_config config = {.data_path = hand_folder_path(s.folder), .hw = hw, .n_workers = 1};
    nw_error err;
    nw_action open = {NW_ACTION_OPEN, -1, "demo"};
    ck_assert_int_eq(nw_session_new(&config, &s.session, &err), NW_OK);
    ck_assert_int_eq(nw_session_act(s.session, &open, &err), NW_OK);
    s.state = calloc(1, view->state_size);
    if (view->init)
        view->init(s.session, s.state);
    if (view == &ui_view_layers)
        ui_layers_switch(s.state, false); /* kernels: what is predicted one by one */
    ui_canvas_init(&s.canvas, rows, columns, ascii);
    return s;
}

static void close_stage(stage *s)
{
    if (s->view->fini)
        s->view->fini(s->state);
    free(s->state);
    nw_session_free(s->session);
    ui_canvas_fini(&s->canvas);
    hand_folder_free(s->folder);
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
    return s->view->command(command, s->rect, s->session, s->state).kind;
}

static void draw(stage *s)
{
    if (s->view->update)
        s->view->update(s->session, s->state);
    ui_canvas_clear(&s->canvas);
    s->view->draw(&s->canvas, s->rect, s->session, s->state);
}

/* The screen; the caller frees it. The name of the test's folder is always the same there. */
static char *dump(stage *s)
{
    draw(s);
    char *text = ui_canvas_dump(&s->canvas), *at;
    const char *unique = s->folder + strlen(s->folder) - 6;
    while ((at = strstr(text, unique)) != NULL)
        memcpy(at, "XXXXXX", 6);
    return text;
}

static void ck_golden(stage *s, const char *name)
{
    char *screen = dump(s);
    ck_golden_screen(name, screen);
    free(screen);
}

static void ck_screen(stage *s, const char *part, bool is_there)
{
    char *screen = dump(s);
    bool is_found = strstr(screen, part) != NULL;
    if (is_found != is_there)
        printf("%s\n", screen);
    ck_assert_msg(is_found == is_there, "\"%s\" is %s", part, is_there ? "missing" : "there");
    free(screen);
}

/* The first cell where ASCII text begins on the canvas. */
static const ui_cell *find_cell(const stage *s, const char *text)
{
    int n_cells = s->canvas.rows * s->canvas.columns;
    for (int i = 0; i + (int)strlen(text) <= n_cells; i++) {
        size_t n = 0;
        for (uint32_t glyph; text[n]; n++) {
            glyph = s->canvas.cells[i + (int)n].glyph;
            if ((glyph ? glyph : ' ') != (uint32_t)(unsigned char)text[n])
                break;
        }
        if (!text[n])
            return &s->canvas.cells[i];
    }
    ck_abort_msg("%s is nowhere", text);
    return NULL;
}

/* ---- Layers ---- */

START_TEST(blocks_look_as_they_were_accepted)
{
    char name[80];
    stage s = open_stage(&ui_view_layers, "ne32", sizes[_i].rows, sizes[_i].columns, false);
    ui_layers_switch(s.state, true);
    snprintf(name, sizeof name, "layers_blocks_regression_%s", sizes[_i].name);
    ck_golden(&s, name);
    close_stage(&s);
}
END_TEST

START_TEST(layers_look_as_they_were_accepted)
{
    char name[64];
    for (int ascii = 0; ascii < 2; ascii++) {
        stage s = open_stage(&ui_view_layers, "ne32", sizes[_i].rows, sizes[_i].columns, ascii);
        snprintf(name, sizeof name, "layers_regression_%s%s", sizes[_i].name,
                 ascii ? "_ascii" : "");
        ck_golden(&s, name);
        act(&s, NW_ACTION_PRECISION, "int16");
        snprintf(name, sizeof name, "layers_difference_%s%s", sizes[_i].name,
                 ascii ? "_ascii" : "");
        ck_golden(&s, name);
        act(&s, NW_ACTION_UNDO, NULL);
        act(&s, NW_ACTION_ESTIMATOR_NEXT, NULL);
        snprintf(name, sizeof name, "layers_device_%s%s", sizes[_i].name, ascii ? "_ascii" : "");
        ck_golden(&s, name);
        close_stage(&s);
    }
}
END_TEST

START_TEST(the_estimator_stays_visible_whatever_else_goes)
{
    static const nw_action_id steps[] = {NW_ACTION_BASELINE, NW_ACTION_ESTIMATOR_NEXT,
                                         NW_ACTION_ESTIMATOR_NEXT, NW_ACTION_HW_NEXT};
    stage s = open_stage(&ui_view_layers, "ne32", 13, 60, false);
    for (int i = 0; i < N(steps); i++) {
        act(&s, steps[i], NULL);
        const nw_estimate *e = &nw_session_current(s.session)->estimate;
        char name[128];
        ck_screen(&s, nw_format_estimator(e->estimator, name, sizeof name), true);
        ck_screen(&s, "not calibrated", true);
    }
    close_stage(&s);
}
END_TEST

/* By the model's rules: depthwise over 160 rows and 1280 output channels are beyond its ranges. */
START_TEST(extrapolated_kernels_are_marked_and_counted)
{
    char text[96];
    for (int ascii = 0; ascii < 2; ascii++) {
        stage s = open_stage(&ui_view_layers, "ne32", 57, 200, ascii);
        draw(&s);
        const struct {
            double us;
            bool is_outside;
        } rows[] = {{HAND_DWCONV_US(160 * 160 * 32), true},
                    {HAND_DWCONV_US(80 * 80 * 96), true},
                    {HAND_DWCONV_US(80 * 80 * 144), false},
                    {HAND_CONV_US(160 * 160 * 96), false},
                    {HAND_CONV_US(10 * 10 * 1280), true}};
        double outside_us = 0;
        for (int i = 0; i < N(rows); i++) {
            snprintf(text, sizeof text, " %s%.2f ", rows[i].is_outside ? "~" : "", rows[i].us);
            const ui_cell *cell = find_cell(&s, text) + 1;
            bool is_cursor = rows[i].us == HAND_DWCONV_US(80 * 80 * 144); /* the slowest */
            ck_assert_int_eq(cell->role, rows[i].is_outside ? UI_ROLE_WARNING
                                         : is_cursor        ? UI_ROLE_CURSOR
                                                            : UI_ROLE_TEXT);
            outside_us += rows[i].is_outside ? rows[i].us : 0;
        }
        snprintf(text, sizeof text, "~3 extrapolated (%.1f%%)",
                 100e6 * outside_us / (double)nw_session_current(s.session)->estimate.latency_ps);
        ck_assert_int_eq(find_cell(&s, text)->role, UI_ROLE_WARNING);
        act(&s, NW_ACTION_ESTIMATOR_NEXT, NULL);
        ck_screen(&s, "extrapolated", false);
        ck_screen(&s, "~8", false);
        close_stage(&s);
    }
}
END_TEST

START_TEST(they_can_be_filtered_and_are_named_in_copies)
{
    stage s = open_stage(&ui_view_layers, "ne32", 33, 120, false);
    draw(&s);
    ui_layers_set_filter(s.state, "note=extrap");
    ck_assert_int_eq(((ui_layers *)s.state)->n_shown, 3);
    char *copied = s.view->copy(s.session, s.state);
    ck_assert_ptr_nonnull(strstr(copied, "\twhy\textrapolated\n"));
    ck_assert_ptr_nonnull(strstr(copied, "\tyes\n"));
    free(copied);
    close_stage(&s);
}
END_TEST

START_TEST(the_why_pane_has_the_devices_own_figure_beside_the_prediction)
{
    stage s = open_stage(&ui_view_layers, "ne32", 33, 120, false);
    char text[96];
    double us = HAND_DWCONV_US(160 * 160 * 32); /* number 1; the device: 410.52 us */
    draw(&s);
    ui_layers_set_filter(s.state, "b0/depthwise");
    ui_layers_set_filter(s.state, "#=1");
    ck_screen(&s, "predicted 820.20 us, spread 2.0%, extrapolated: outside the range of training",
              true);
    snprintf(text, sizeof text,
             "device 410.52 us (predicted %+.1f%%): waits for DRAM: ", 100 * (us / 410.52 - 1));
    ck_screen(&s, text, true);
    ui_layers_set_filter(s.state, "#=3");
    ck_screen(&s, "predicted 739.28 us, spread 4.0%, not extrapolated", true);
    act(&s, NW_ACTION_ESTIMATOR_NEXT, NULL);
    ck_screen(&s, "predicted", false);
    ck_screen(&s, "820.38 us, 820380 cycles: ", true);
    close_stage(&s);
}
END_TEST

/* Who estimates changes no network: no mark says that it got better or worse. */
START_TEST(another_estimator_is_no_improvement)
{
    stage s = open_stage(&ui_view_layers, "ne32", 33, 120, false);
    act(&s, NW_ACTION_ESTIMATOR_NEXT, NULL);
    draw(&s);
    for (int i = 0; i < s.canvas.rows * s.canvas.columns; i++) {
        ck_assert_int_ne(s.canvas.cells[i].role, UI_ROLE_BETTER);
        ck_assert_int_ne(s.canvas.cells[i].role, UI_ROLE_WORSE);
    }
    ck_screen(&s, "against regression, ", true);
    act(&s, NW_ACTION_HW, "ne64"); /* this does */
    draw(&s);
    ck_assert_int_eq(find_cell(&s, "-4.311 ms")->role, UI_ROLE_BETTER);
    close_stage(&s);
}
END_TEST

/* The differences that the estimator itself gives, on a screen. d is set by hand: 100 us of
 * 7.911 ms, and a band of it. */
START_TEST(a_change_has_its_band_and_small_ones_are_not_told_apart)
{
    static const struct {
        int64_t latency_us, low_us, high_us;
        const char *text, *ascii_text;
        bool is_told;
    } cases[] = {
        {-100, -120, -90, "-100.0 us (-1.3% ±0.3) ▼ against int8 (assumed)",
         "-100.0 us (-1.3% +-0.3) v against int8 (assumed)", true},
        {100, 99, 101, "+100.0 us (+1.26% ±0.01) ▲ against", "+100.0 us (+1.26% +-0.01) ^ against",
         true},
        {-100, -200, 10, "-1.3% ±1.4 against int8 (assumed)  below what this estimator can tell",
         "-1.3% +-1.4 against int8 (assumed)  below what this estimator can tell", false},
        {100, 0, 200, "+1.3% ±1.3 against", "+1.3% +-1.3 against", false},
    };
    for (int ascii = 0; ascii < 2; ascii++) {
        stage s = open_stage(&ui_view_layers, "ne32", 33, 200, ascii);
        act(&s, NW_ACTION_PRECISION, "int16");
        draw(&s);
        ui_layers *l = s.state;
        ck_assert(l->difference.has_band);
        for (int i = 0; i < N(cases); i++) {
            l->difference =
                (nw_difference){cases[i].latency_us * 1000000, cases[i].low_us * 1000000,
                                cases[i].high_us * 1000000, true};
            ck_screen(&s, ascii ? cases[i].ascii_text : cases[i].text, true);
            ck_screen(&s, "below what this estimator can tell", !cases[i].is_told);
        }
        l->difference.has_band = false;
        ck_screen(&s, ascii ? "+100.0 us (+1.3%) ^ against" : "+100.0 us (+1.3%) ▲ against", true);
        close_stage(&s);
    }
}
END_TEST

START_TEST(the_list_of_hardware_says_who_estimated_on_each)
{
    stage s = open_stage(&ui_view_hw, "ne32", 33, 120, false);
    act(&s, NW_ACTION_COMPARE_HW, NULL);
    while (nw_session_job(s.session, 0).is_running)
        nw_session_poll(s.session);
    ck_screen(&s, "│ > ne32               7.911 ms             2.109 mJ regression", true);
    ck_screen(&s, "│   ne64               2.125 ms    -73.1% ▼ 994.3 uJ device", true);
    close_stage(&s);
}
END_TEST

/* ---- calibration ---- */

START_TEST(the_calibration_looks_as_it_was_accepted)
{
    char name[64];
    for (int ascii = 0; ascii < 2; ascii++) {
        stage s =
            open_stage(&ui_view_calibration, "ne32", sizes[_i].rows, sizes[_i].columns, ascii);
        snprintf(name, sizeof name, "calibration_%s%s", sizes[_i].name, ascii ? "_ascii" : "");
        ck_golden(&s, name);
        close_stage(&s);
    }
}
END_TEST

START_TEST(its_panes_take_turns_where_there_is_no_room)
{
    static const char *const panes[] = {"scatter", "errors", "worst", "words"};
    char name[64];
    for (int i = 0; i < 2; i++) {
        stage s = open_stage(&ui_view_calibration, "ne32", sizes[i].rows, sizes[i].columns, false);
        press(&s, UI_COMMAND_DOWN); /* conv */
        for (int k = 0; k < N(panes); k++) {
            snprintf(name, sizeof name, "calibration_conv_%s_%s", panes[k], sizes[i].name);
            ck_golden(&s, name);
            ck_assert_int_eq(press(&s, UI_COMMAND_PANE_VIEW), UI_REPLY_DONE);
        }
        ck_assert_int_eq(((ui_calibration *)s.state)->pane % N(panes), 0);
        close_stage(&s);
    }
}
END_TEST

START_TEST(of_the_device_it_says_what_was_checked)
{
    static const struct {
        const char *hw, *marked;
    } cases[] = {{"systolic32-ws", "> systolic arrays: compute cycles of SCALE-Sim v3"},
                 {"u55-256", "> u55-128, u55-256: compute cycles of Arm's Vela 3.10"},
                 {"dpu-b4096", "> dpu-b4096: measured latencies of 3,923 networks"},
                 {"u65-512", "u65-512 is none of these"}};
    for (int i = 0; i < N(cases); i++) {
        stage s = open_stage(&ui_view_calibration, cases[i].hw, 21, 80, false);
        ck_screen(&s, "How right: device", true);
        ck_screen(&s, "a model of", true);
        ck_screen(&s, cases[i].marked, true);
        ck_screen(&s, "Not calibrated against a chip.", true);
        ck_screen(&s, "is none of these", i == 3);
        close_stage(&s);
    }
    stage s = open_stage(&ui_view_calibration, "ne64", 13, 60, false);
    ck_golden(&s, "calibration_device_60x16");
    press(&s, UI_COMMAND_BOTTOM);
    ck_screen(&s, "make accuracy", true);
    close_stage(&s);
    /* what it says stands in README too, where the figures are */
    char *readme = read_text("README.md", NULL);
    ck_assert_ptr_nonnull(strstr(readme, "agrees with SCALE-Sim v3 on every row without\nstalls"));
    ck_assert_ptr_nonnull(strstr(readme, "Vela 3.10 within 2 %"));
    ck_assert_ptr_nonnull(strstr(readme, "3,923 networks on a DPU"));
    free(readme);
}
END_TEST

START_TEST(the_cursor_chooses_the_type_for_picture_and_list)
{
    stage s = open_stage(&ui_view_calibration, "ne32", 33, 120, false);
    ck_screen(&s, " predicted: 120 of 1200 rows ", true);
    ck_screen(&s, " worst kernels ", true);
    for (int g = 0; g < 3; g++) {
        static const char *const titles[][2] = {
            {" conv, predicted: 40 of 400 rows ", " conv, worst kernels "},
            {" dwconv, predicted: 40 of 400 rows ", " dwconv, worst kernels "},
            {" add, predicted: 40 of 400 rows ", " add, worst kernels "}};
        ck_assert_int_eq(press(&s, UI_COMMAND_DOWN), UI_REPLY_DONE);
        ck_screen(&s, titles[g][0], true);
        ck_screen(&s, titles[g][1], true);
    }
    press(&s, UI_COMMAND_DOWN); /* the last stays */
    ck_screen(&s, " add, worst kernels ", true);
    press(&s, UI_COMMAND_TOP);
    ck_screen(&s, " predicted: 120 of 1200 rows ", true);
    ui_mouse click = {.row = 3, .column = 60, .what = UI_MOUSE_CLICK}; /* second row of the table */
    ck_assert_int_eq(s.view->mouse(click, s.rect, s.session, s.state).kind, UI_REPLY_DONE);
    ck_screen(&s, " conv, worst kernels ", true);
    close_stage(&s);
}
END_TEST

/* Six of the 120 rows are 35 % off, the others 12 at most: nine of ten are within 20. */
START_TEST(errors_beyond_the_picture_are_counted)
{
    stage s = open_stage(&ui_view_calibration, "ne32", 33, 120, false);
    ck_screen(&s, " errors: 6 beyond 20% at the edges ", true);
    ck_screen(&s, "  +20% ", true);
    close_stage(&s);
}
END_TEST

START_TEST(another_estimator_shows_at_once)
{
    stage s = open_stage(&ui_view_calibration, "ne32", 33, 120, false);
    ck_screen(&s, "How right: regression on ne32, simulated", true);
    ck_screen(&s, "Self-consistency: the rows are of the simulated device", true);
    act(&s, NW_ACTION_ESTIMATOR_NEXT, NULL);
    ck_screen(&s, "How right: device", true);
    ck_screen(&s, "Self-consistency", false);
    act(&s, NW_ACTION_UNDO, NULL);
    ck_screen(&s, "How right: regression on ne32, simulated", true);
    ck_assert_int_eq(press(&s, UI_COMMAND_BACK), UI_REPLY_CLOSE);
    close_stage(&s);
}
END_TEST

/* The real thing: fitted here to a few dozen measurements of the device. */
START_TEST(a_model_fitted_here_is_shown_with_its_scores)
{
    stage s = open_stage(&ui_view_calibration, "ne32", 33, 120, false);
    nw_hw *hw;
    nw_error err;
    char path[160], text[96];
    nw_buf model = {0};
    ck_assert_int_eq(nw_hw_load("ne32", hand_folder_path(s.folder), &hw, &err), NW_OK);
    nw_table *table = measured_table(hw, 40);
    nw_regression *r = fitted_regression(hw, table, 1);
    nw_regression_write(r, &model);
    snprintf(path, sizeof path, "%s/fitted.json", s.folder);
    FILE *file = fopen(path, "w");
    ck_assert(file && fwrite(nw_buf_text(&model), 1, model.length, file) == model.length);
    fclose(file);
    act(&s, NW_ACTION_ESTIMATOR, path);
    ck_screen(&s, " predicted: 120 of 120 rows ", true);
    ck_screen(&s, "latency_us from 120 rows of measured.csv: device ne32, source", true);
    for (int g = 0; g < nw_regression_n_groups(r); g++) {
        const nw_fit_group *group = nw_regression_group_report(r, g);
        snprintf(text, sizeof text, "%7d%6.1f%7.1f%6.1f%6.1f%6.3f", group->n_rows,
                 group->scores.mape, group->scores.rmspe, group->scores.within_5,
                 group->scores.within_10, group->scores.spearman);
        ck_screen(&s, text, true);
    }
    nw_buf_fini(&model);
    nw_regression_release(r);
    nw_table_free(table);
    nw_hw_free(hw);
    close_stage(&s);
}
END_TEST

START_TEST(no_size_of_screen_is_too_small)
{
    const ui_view *const views[] = {&ui_view_calibration, &ui_view_layers};
    for (int v = 0; v < 2; v++) {
        stage s = open_stage(views[v], "ne32", 60, 220, false);
        for (int rows = 0; rows < 60; rows += 5)
            for (int columns = 0; columns < 220; columns += 13) {
                s.rect = (ui_rect){0, 0, rows, columns};
                press(&s, UI_COMMAND_PANE_VIEW);
                press(&s, UI_COMMAND_DOWN);
                press(&s, UI_COMMAND_PAGE_DOWN);
                draw(&s);
            }
        close_stage(&s);
    }
}
END_TEST

/* ---- the plot ---- */

START_TEST(dots_share_cells_eight_to_one)
{
    ui_canvas canvas;
    ui_plot plot;
    ui_canvas_init(&canvas, 2, 4, false);
    ui_plot_begin(&plot, (ui_rect){0, 0, 2, 4}, (ui_axis){0, 8, false}, (ui_axis){0, 8, false});
    ui_plot_dot(&plot, 0.5, 0.5, true);   /* lower left: dot 7 of braille */
    ui_plot_dot(&plot, 1.5, 3.5, true);   /* the same cell, upper right: dot 4 */
    ui_plot_dot(&plot, 99, 99, true);     /* beyond: upper right corner, dot 4 */
    ui_plot_dot(&plot, -99, 99, false);   /* behind: a mark */
    ui_plot_dot(&plot, 0 / 0.0, 1, true); /* nothing */
    ui_plot_draw(&plot, &canvas);
    char *text = ui_canvas_dump(&canvas);
    ck_assert_str_eq(text, "·  ⠈\n⡈\n");
    free(text);
    ui_canvas_fini(&canvas);
    ui_canvas_init(&canvas, 2, 4, true);
    ui_plot_draw(&plot, &canvas);
    text = ui_canvas_dump(&canvas);
    ck_assert_str_eq(text, ".  o\n8\n");
    free(text);
    ui_plot_fini(&plot);
    ui_canvas_fini(&canvas);
}
END_TEST

START_TEST(a_logarithmic_axis_gives_each_decade_the_same_room)
{
    ui_axis axis = {1, 1000, true};
    ck_assert_int_eq(ui_axis_cell(&axis, 1, 30), 0);
    ck_assert_int_eq(ui_axis_cell(&axis, 10.01, 30), 10);
    ck_assert_int_eq(ui_axis_cell(&axis, 100.1, 30), 20);
    ck_assert_int_eq(ui_axis_cell(&axis, 1000, 30), 29);
    ck_assert_int_eq(ui_axis_cell(&axis, 0.99, 30), -1);
    ck_assert_int_eq(ui_axis_cell(&axis, 0, 30), -1);
    ck_assert_int_eq(ui_axis_cell(&axis, 1001, 30), 30);
}
END_TEST

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    Suite *suite = suite_create("ui_estimator");
    TCase *c = tcase_create("layers");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, blocks_look_as_they_were_accepted, 0, N(sizes));
    tcase_add_loop_test(c, layers_look_as_they_were_accepted, 0, N(sizes));
    tcase_add_test(c, the_estimator_stays_visible_whatever_else_goes);
    tcase_add_test(c, extrapolated_kernels_are_marked_and_counted);
    tcase_add_test(c, they_can_be_filtered_and_are_named_in_copies);
    tcase_add_test(c, the_why_pane_has_the_devices_own_figure_beside_the_prediction);
    tcase_add_test(c, another_estimator_is_no_improvement);
    tcase_add_test(c, a_change_has_its_band_and_small_ones_are_not_told_apart);
    tcase_add_test(c, the_list_of_hardware_says_who_estimated_on_each);
    suite_add_tcase(suite, c);
    c = tcase_create("calibration");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, the_calibration_looks_as_it_was_accepted, 0, N(sizes));
    tcase_add_test(c, its_panes_take_turns_where_there_is_no_room);
    tcase_add_test(c, of_the_device_it_says_what_was_checked);
    tcase_add_test(c, the_cursor_chooses_the_type_for_picture_and_list);
    tcase_add_test(c, errors_beyond_the_picture_are_counted);
    tcase_add_test(c, another_estimator_shows_at_once);
    tcase_add_test(c, a_model_fitted_here_is_shown_with_its_scores);
    tcase_add_test(c, no_size_of_screen_is_too_small);
    tcase_add_test(c, dots_share_cells_eight_to_one);
    tcase_add_test(c, a_logarithmic_axis_gives_each_decade_the_same_room);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
