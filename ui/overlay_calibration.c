/* overlay_calibration.c - how right the estimator is: residuals by kernel type, pictures, the worst
 * kernels, where the numbers come from.
 */
#include <stdio.h>

#include "src/report/report.h"
#include "ui/calibration.h"
#include "ui/view.h"
#include "ui/widget.h"

enum { WIDE = 106, SIDE_ROWS = 24, WORDS_ROWS = 9 };

/* ---- where things stand, inside the box ---- */

typedef struct places {
    ui_rect table, upper, lower, worst, words; /* of a wide box; rows 0: not there */
    ui_rect pane;                              /* of a narrow one */
    bool is_wide;
} places;

static int at_least(int value, int low)
{
    return value < low ? low : value;
}

static int at_most(int value, int high)
{
    return value > high ? high : value;
}

static places find_wide(ui_rect in, int n_types)
{
    places p = {.is_wide = true};
    int left = at_most(in.columns * 2 / 5, 80);
    p.upper = (ui_rect){in.row, in.column, in.rows, left};
    if (in.rows >= SIDE_ROWS) {
        p.upper.rows = in.rows * 3 / 5;
        p.lower = (ui_rect){in.row + p.upper.rows, in.column, in.rows - p.upper.rows, left};
    }
    ui_rect right = {in.row, in.column + left + 2, in.rows, in.columns - left - 2};
    int words = at_most(WORDS_ROWS, right.rows / 3) + 1;
    int table = at_most(n_types + 1, at_least(right.rows - words - 7, right.rows / 3));
    p.table = (ui_rect){right.row, right.column, table, right.columns};
    int rest = right.rows - table - words;
    p.worst =
        (ui_rect){right.row + table, right.column, at_most(rest, NW_N_WORST + 2), right.columns};
    int row = p.worst.row + p.worst.rows;
    p.words = (ui_rect){row, right.column, in.row + in.rows - row, right.columns};
    return p;
}

static places find_places(ui_rect in, int n_types)
{
    if (in.columns >= WIDE && in.rows >= 16)
        return find_wide(in, n_types);
    places p = {.is_wide = false};
    int table = at_most(n_types + 1, at_least(in.rows * 2 / 5, 3));
    p.table = (ui_rect){in.row, in.column, at_most(table, in.rows), in.columns};
    p.pane = (ui_rect){in.row + table, in.column, at_least(in.rows - table, 0), in.columns};
    return p;
}

static ui_rect inside(ui_rect box)
{
    return (ui_rect){box.row + 1, box.column + 2, box.rows - 2, box.columns - 4};
}

/* ---- drawing ---- */

/* A part below a rule with its name; returns what is left of rect. */
static ui_rect begin_part(ui_canvas *canvas, ui_rect rect, const char *title)
{
    if (rect.rows < 2)
        return (ui_rect){rect.row, rect.column, 0, rect.columns};
    ui_rule(canvas, rect.row, rect.column, rect.columns);
    ui_printf(canvas, rect.row, rect.column + 2, rect.columns - 4, UI_ROLE_TITLE, " %s ", title);
    return (ui_rect){rect.row + 1, rect.column, rect.rows - 1, rect.columns};
}

/* More words than there is room for: the key that shows them is named. */
static const char *format_more(int lines, char *dst, size_t size)
{
    dst[0] = '\0';
    if (lines > 0)
        snprintf(dst, size, " (PgDn: %d more line%s)", lines, lines == 1 ? "" : "s");
    return dst;
}

static void draw_words(ui_canvas *canvas, ui_rect rect, const nw_estimator *estimator,
                       const nw_session *session, int skip)
{
    ui_rect in = {rect.row + 1, rect.column, rect.rows - 1, rect.columns};
    int n = ui_calibration_draw_words(NULL, in, estimator, session, 0);
    char more[40], title[80];
    snprintf(title, sizeof title, "where this comes from%s",
             format_more(n - skip - in.rows, more, sizeof more));
    ui_calibration_draw_words(canvas, begin_part(canvas, rect, title), estimator, session, skip);
}

static void draw_part(ui_canvas *canvas, ui_rect rect, ui_calibration_part part,
                      const nw_estimator *estimator, const nw_session *session,
                      const ui_calibration *c)
{
    const nw_regression *r = estimator->regression;
    const nw_fit_group *group = ui_calibration_group(r, c->cursor);
    char title[160], start[80] = "", rest[80] = "worst kernels";
    if (part == UI_CALIBRATION_WORDS) {
        draw_words(canvas, rect, estimator, session, c->scroll);
        return;
    }
    if (group)
        snprintf(start, sizeof start, "%.60s, ", group->name);
    if (part == UI_CALIBRATION_SCATTER)
        ui_calibration_scatter_title(r, c->cursor, rect.columns, rest, sizeof rest);
    else if (part == UI_CALIBRATION_RESIDUALS)
        ui_calibration_residuals_title(r, c->cursor, rest, sizeof rest);
    snprintf(title, sizeof title, "%s%s", start, rest);
    ui_rect in = begin_part(canvas, rect, title);
    if (part == UI_CALIBRATION_SCATTER)
        ui_calibration_draw_scatter(canvas, in, r, c->cursor);
    else if (part == UI_CALIBRATION_RESIDUALS)
        ui_calibration_draw_residuals(canvas, in, r, c->cursor);
    else
        ui_calibration_draw_worst(canvas, in, r, c->cursor);
}

static void draw_regression(ui_canvas *canvas, ui_rect in, const nw_estimator *estimator,
                            const nw_session *session, const ui_calibration *c)
{
    int n = ui_calibration_rows(estimator->regression);
    ui_calibration state = *c;
    state.cursor = ui_list_clamp(c->cursor, n);
    places p = find_places(in, n);
    ui_calibration_draw_table(canvas, p.table, estimator->regression, state.cursor);
    if (!p.is_wide) {
        draw_part(canvas, p.pane, (ui_calibration_part)(c->pane % UI_CALIBRATION_PARTS), estimator,
                  session, &state);
        return;
    }
    bool is_turned = c->pane % 2; /* beside the table only the pictures take turns */
    draw_part(canvas, p.upper, is_turned ? UI_CALIBRATION_RESIDUALS : UI_CALIBRATION_SCATTER,
              estimator, session, &state);
    if (p.lower.rows)
        draw_part(canvas, p.lower, is_turned ? UI_CALIBRATION_SCATTER : UI_CALIBRATION_RESIDUALS,
                  estimator, session, &state);
    draw_part(canvas, p.worst, UI_CALIBRATION_WORST, estimator, session, &state);
    draw_part(canvas, p.words, UI_CALIBRATION_WORDS, estimator, session, &state);
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const ui_calibration *c = state;
    const nw_estimator *estimator = nw_session_open_estimator(session);
    ui_rect in = inside(rect);
    char name[128], title[192], more[40] = "";
    if (!estimator) {
        ui_box(canvas, rect, "How right: the estimator cannot be opened any more");
        return;
    }
    if (!estimator->regression)
        format_more(ui_calibration_draw_words(NULL, in, estimator, session, 0) - c->scroll -
                        in.rows,
                    more, sizeof more);
    snprintf(title, sizeof title, "How right: %s%s",
             nw_format_estimator(estimator, name, sizeof name), more);
    ui_box(canvas, rect, title);
    if (estimator->regression)
        draw_regression(canvas, in, estimator, session, c);
    else
        ui_calibration_draw_words(canvas, in, estimator, session, c->scroll);
    nw_estimator_release(estimator);
}

/* ---- commands ---- */

/* Lines that the words can still be scrolled by. */
static int find_scroll(ui_rect in, const nw_estimator *estimator, const nw_session *session)
{
    ui_rect at = in;
    if (estimator->regression) {
        places p = find_places(in, ui_calibration_rows(estimator->regression));
        at = p.is_wide ? p.words : p.pane;
        at.rows--;
    }
    return at_least(ui_calibration_draw_words(NULL, at, estimator, session, 0) - at.rows, 0);
}

static bool scroll(ui_calibration *c, int most, ui_command id)
{
    int line = c->scroll;
    if (!ui_list_move(&line, most + 1, 4, id))
        return false;
    c->scroll = line;
    return true;
}

/* The words scroll where they are in front: of the device, and on a narrow screen as the pane. */
static bool move(ui_calibration *c, ui_rect in, const nw_estimator *estimator,
                 const nw_session *session, ui_command id)
{
    bool is_wide = in.columns >= WIDE && in.rows >= 16;
    bool is_words = !estimator->regression ||
                    (!is_wide && c->pane % UI_CALIBRATION_PARTS == UI_CALIBRATION_WORDS);
    if (id == UI_COMMAND_PAGE_DOWN || id == UI_COMMAND_PAGE_UP || is_words)
        return scroll(c, find_scroll(in, estimator, session), id);
    c->cursor = ui_list_clamp(c->cursor, ui_calibration_rows(estimator->regression));
    return ui_list_move(&c->cursor, ui_calibration_rows(estimator->regression), 8, id);
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    ui_calibration *c = state;
    if (id == UI_COMMAND_BACK || id == UI_COMMAND_CALIBRATION)
        return (ui_reply){.kind = UI_REPLY_CLOSE};
    const nw_estimator *estimator = nw_session_open_estimator(session);
    bool is_done = false;
    if (estimator && id == UI_COMMAND_PANE_VIEW && estimator->regression) {
        c->pane++;
        c->scroll = 0;
        is_done = true;
    } else if (estimator) {
        is_done = move(c, inside(rect), estimator, session, id);
    }
    nw_estimator_release(estimator);
    return (ui_reply){.kind = is_done ? UI_REPLY_DONE : UI_REPLY_IGNORED};
}

static ui_reply mouse(ui_mouse mouse, ui_rect rect, const nw_session *session, void *state)
{
    ui_calibration *c = state;
    if (mouse.what == UI_MOUSE_WHEEL_UP || mouse.what == UI_MOUSE_WHEEL_DOWN)
        return command(mouse.what == UI_MOUSE_WHEEL_UP ? UI_COMMAND_UP : UI_COMMAND_DOWN, rect,
                       session, state);
    const nw_estimator *estimator = nw_session_open_estimator(session);
    ui_reply_kind kind = UI_REPLY_IGNORED;
    if (estimator && estimator->regression) {
        int n = ui_calibration_rows(estimator->regression);
        places p = find_places(inside(rect), n);
        int row = mouse.row - p.table.row - 1, top = ui_list_top(c->cursor, p.table.rows - 1);
        bool is_in = row >= 0 && row < p.table.rows - 1 && top + row < n &&
                     mouse.column >= p.table.column &&
                     mouse.column < p.table.column + p.table.columns;
        if (is_in) {
            c->cursor = top + row;
            kind = UI_REPLY_DONE;
        }
    }
    nw_estimator_release(estimator);
    return (ui_reply){.kind = kind};
}

static bool answers(ui_command id, const void *state)
{
    (void)state;
    return id <= UI_COMMAND_PAGE_UP ? id != UI_COMMAND_LEFT && id != UI_COMMAND_RIGHT
                                    : id == UI_COMMAND_BACK || id == UI_COMMAND_PANE_VIEW ||
                                          id == UI_COMMAND_CALIBRATION;
}

static const char *const footer[] = {
    "down", "view", "estimator.next", "page.down=scroll", "hw.next", "back", NULL};

const ui_view ui_view_calibration = {
    .name = "Calibration",
    .short_name = "Calibration",
    .help = "how right the estimator is, type by type; v changes the picture, E the estimator",
    .state_size = sizeof(ui_calibration),
    .draw = draw,
    .command = command,
    .mouse = mouse,
    .footer = footer,
    .answers = answers,
};
