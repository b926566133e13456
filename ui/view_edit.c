/* Edit: the network's stages and blocks, a key away from their neighbours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/format/format.h"
#include "ui/edit.h"
#include "ui/layers.h"
#include "ui/view.h"
#include "ui/widget.h"

#define WIDE_AT     110 /* columns from which the second pane stands beside the difference */
#define WHEEL_LINES 3

/* ---- where things stand ---- */

typedef struct places {
    ui_rect head, table, below, side, words, past, best; /* rows 0: not there */
    bool is_wide, is_framed;
} places;

static int at_least(int value, int low)
{
    return value < low ? low : value;
}

static places find_places(ui_rect rect, const ui_editor *editor)
{
    places p = {.is_wide = rect.columns >= WIDE_AT, .is_framed = rect.rows >= 18};
    int n_head = 2;
    bool is_list = editor->pane != UI_EDITOR_DIFFERENCE && !editor->is_pricing;
    int n_below = p.is_wide      ? (rect.rows >= 44   ? 18
                                    : rect.rows >= 28 ? 13
                                                      : 6)
                  : !p.is_framed ? 5
                  : is_list      ? 10
                                 : 6;
    int n_best = !p.is_wide && p.is_framed;
    int n_table = at_least(rect.rows - n_head - n_below - n_best, 0);
    int row = rect.row, column = rect.column, columns = rect.columns;
    p.head = (ui_rect){row, column, n_head, columns};
    p.table = (ui_rect){row + n_head, column, n_table, columns};
    row += n_head + n_table;
    p.below = (ui_rect){row, column, n_below, columns};
    if (p.is_wide) {
        int side = at_least(columns / 3, 40);
        p.side = (ui_rect){row, column + columns - side, n_below, side};
        p.below.columns = columns - side - 1;
        int left = n_below - 6, words = left / 2;
        p.below.rows = 6;
        p.words = (ui_rect){row + 6, column, words, p.below.columns};
        p.past = (ui_rect){row + 6 + words, column, left - words, p.below.columns};
    }
    p.best = (ui_rect){rect.row + rect.rows - 1, column, n_best, columns};
    return p;
}

static int table_lines(const places *p)
{
    return at_least(p->table.rows - 1, 0); /* the titles take one */
}

/* What the pane shows: beside the difference it is never the difference. */
static ui_editor_pane pane_of(const ui_editor *editor, const places *p)
{
    return p->is_wide && editor->pane == UI_EDITOR_DIFFERENCE ? UI_EDITOR_WHATIF : editor->pane;
}

/* Where the pane that Tab goes to is drawn. */
static ui_rect pane_rect(const places *p)
{
    ui_rect r = p->is_wide ? p->side : p->below;
    if (p->is_wide || p->is_framed)
        return (ui_rect){r.row + 1, r.column + 2, r.rows - 2, r.columns - 4};
    return (ui_rect){r.row + 1, r.column, r.rows - 1, r.columns};
}

/* ---- drawing ---- */

static ui_rect frame(ui_canvas *canvas, ui_rect rect, bool is_framed, bool is_focused,
                     const char *title)
{
    ui_role role = is_focused ? UI_ROLE_CURSOR : UI_ROLE_TITLE;
    if (is_framed)
        ui_frame(canvas, rect, NULL);
    else
        ui_rule(canvas, rect.row, rect.column, rect.columns);
    ui_printf(canvas, rect.row, rect.column + 2, rect.columns - 4, role, " %s ", title);
    if (is_framed)
        return (ui_rect){rect.row + 1, rect.column + 2, rect.rows - 2, rect.columns - 4};
    return (ui_rect){rect.row + 1, rect.column, rect.rows - 1, rect.columns};
}

static const char *difference_title(const ui_editor *editor, char *dst, size_t size)
{
    const nw_point *base = editor->baseline, *now = editor->current;
    char label[64];
    if (!base) {
        snprintf(dst, size, "no baseline yet (b pins what is open)");
        return dst;
    }
    bool is_other_hw = base->hw != now->hw;
    bool is_other = strcmp(base->estimate.estimator->name, now->estimate.estimator->name) != 0;
    snprintf(
        dst, size, "Δ against baseline %s%s%.20s%s%.20s (b to repin)",
        ui_layers_fit_middle(base->label, is_other_hw || is_other ? 20 : 40, label, sizeof label),
        is_other_hw ? " on " : "", is_other_hw ? base->hw->name : "", is_other ? " by " : "",
        is_other ? base->estimate.estimator->name : "");
    return dst;
}

static void draw_below(ui_canvas *canvas, const places *p, const ui_editor *editor)
{
    char title[240];
    if (editor->is_pricing) {
        ui_editor_draw_prices(canvas, frame(canvas, p->below, p->is_framed, true, "align: prices"),
                              editor);
        return;
    }
    difference_title(editor, title, sizeof title);
    ui_editor_draw_difference(canvas, frame(canvas, p->below, p->is_framed, false, title), editor);
}

static void draw_pane(ui_canvas *canvas, const places *p, const ui_editor *editor)
{
    ui_rect rect = p->is_wide ? p->side : p->below;
    bool is_framed = p->is_wide || p->is_framed, is_focused = editor->is_pane_focused;
    switch (pane_of(editor, p)) {
    case UI_EDITOR_HISTORY:
        ui_editor_draw_history(canvas, frame(canvas, rect, is_framed, is_focused, "history"),
                               editor);
        break;
    case UI_EDITOR_ADVICE:
        ui_editor_draw_advice(
            canvas, frame(canvas, rect, is_framed, is_focused, "advice on the block"), editor);
        break;
    default:
        ui_editor_draw_whatif(
            canvas, frame(canvas, rect, is_framed, is_focused, "What if (one key away)"), editor);
    }
}

static void draw_words(ui_canvas *canvas, const places *p, const ui_editor *editor)
{
    if (p->words.rows < 2)
        return;
    ui_text(canvas, p->words.row, p->words.column, -1, UI_ROLE_TITLE, "timm strings");
    ui_editor_draw_strings(
        canvas,
        (ui_rect){p->words.row + 1, p->words.column + 2, p->words.rows - 1, p->words.columns - 2},
        editor);
    ui_text(canvas, p->past.row, p->past.column, -1, UI_ROLE_TITLE, "history");
    ui_editor still = *editor;
    still.pane_scroll = 0;
    ui_editor_draw_history(
        canvas, (ui_rect){p->past.row + 1, p->past.column, p->past.rows - 1, p->past.columns},
        &still);
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const ui_editor *editor = state;
    if (!editor->current) {
        static const char hint[] = "No model is open. Enter: demo   o: open";
        ui_text(canvas, rect.row + rect.rows / 2,
                rect.column + at_least((rect.columns - (int)strlen(hint)) / 2, 0), -1, UI_ROLE_TEXT,
                hint);
        return;
    }
    places p = find_places(rect, editor);
    ui_editor_draw_head(canvas, p.head, editor, session);
    ui_editor_draw_table(canvas, p.table, editor);
    if (p.is_wide) {
        draw_below(canvas, &p, editor);
        draw_words(canvas, &p, editor);
        draw_pane(canvas, &p, editor);
    } else if (editor->pane == UI_EDITOR_DIFFERENCE || editor->is_pricing) {
        draw_below(canvas, &p, editor);
    } else {
        draw_pane(canvas, &p, editor);
    }
    if (p.best.rows)
        ui_editor_draw_best(canvas, p.best, editor);
}

/* ---- commands ---- */

static ui_reply reply(ui_reply_kind kind)
{
    return (ui_reply){.kind = kind, .action = {.target = -1}};
}

static ui_reply reply_action(nw_action action)
{
    return (ui_reply){UI_REPLY_ACTION, action, UI_COMMAND_NONE};
}

static void move(ui_editor *editor, const places *p, int row)
{
    editor->top = ui_editor_top(editor, table_lines(p));
    ui_editor_move_to(editor, row);
    editor->top = ui_editor_top(editor, table_lines(p));
}

static void open_stage(ui_editor *editor, bool open)
{
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    if (!row || row->stage < 0 || row->stage >= editor->n_stages)
        return;
    editor->is_open[row->stage] = open;
    ui_editor_refresh(editor);
    ui_editor_move_to(editor, editor->cursor);
}

static bool is_stage_open(const ui_editor *editor)
{
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    return row && row->stage >= 0 && row->stage < editor->n_stages && editor->is_open[row->stage];
}

/* The edit under the pane's cursor; NULL: there is none. */
static const nw_edit *edit_in_pane(const ui_editor *editor, const places *p)
{
    int at = editor->pane_cursor;
    if (pane_of(editor, p) == UI_EDITOR_WHATIF)
        return at < editor->n_whatif && !editor->is_whatif_old ? &editor->whatif[at].edit : NULL;
    if (pane_of(editor, p) == UI_EDITOR_ADVICE)
        return editor->advice && at < editor->advice->n_items ? &editor->advice->items[at].edit
                                                              : NULL;
    return NULL;
}

static ui_reply take_from_pane(ui_editor *editor, const places *p)
{
    const nw_edit *edit = edit_in_pane(editor, p);
    if (!edit)
        return reply(UI_REPLY_DONE);
    nw_buf line = {0};
    nw_edit_write(edit, &line);
    snprintf(editor->value, sizeof editor->value, "%s", nw_buf_text(&line));
    nw_buf_fini(&line);
    return reply_action((nw_action){NW_ACTION_EDIT, -1, editor->value});
}

static ui_reply drill(ui_editor *editor, const places *p)
{
    if (editor->is_pricing) {
        nw_action action;
        const nw_align_price *price = editor->takes_up ? &editor->align.up : &editor->align.down;
        if (!price->is_possible)
            return reply(UI_REPLY_DONE);
        ui_editor_take_price(editor, &action);
        return reply_action(action);
    }
    if (editor->is_pane_focused)
        return take_from_pane(editor, p);
    open_stage(editor, !is_stage_open(editor));
    return reply(UI_REPLY_DONE);
}

/* Takes back one thing; false: there is nothing left to take back. */
static bool back(ui_editor *editor)
{
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    if (editor->is_pricing)
        editor->is_pricing = false;
    else if (editor->is_pane_focused)
        editor->is_pane_focused = false;
    else if (row && row->is_block)
        open_stage(editor, false);
    else
        return false;
    return true;
}

static bool move_pane(ui_editor *editor, const places *p, ui_command command)
{
    ui_rect rect = pane_rect(p);
    int page = at_least(rect.rows - 2, 1);
    if (pane_of(editor, p) == UI_EDITOR_WHATIF)
        return ui_list_move(&editor->pane_cursor, editor->n_whatif, page, command);
    if (pane_of(editor, p) == UI_EDITOR_ADVICE)
        return ui_list_move(&editor->pane_cursor, editor->advice ? editor->advice->n_items : 0, 3,
                            command);
    int last = at_least(ui_editor_draw_history(NULL, rect, editor) - rect.rows, 0);
    return ui_list_move(&editor->pane_scroll, last + 1, page, command);
}

static bool move_table(ui_editor *editor, const places *p, ui_command command)
{
    int row = editor->cursor, n = UI_EDITOR_N_CELLS;
    if (command == UI_COMMAND_LEFT || command == UI_COMMAND_RIGHT) {
        int column = (int)editor->column + (command == UI_COMMAND_LEFT ? -1 : 1);
        editor->column = (ui_editor_column)(column < 0 ? 0 : column >= n ? n - 1 : column);
        return true;
    }
    if (!ui_list_move(&row, editor->n_rows, at_least(table_lines(p) - 1, 1), command))
        return false;
    move(editor, p, row);
    return true;
}

static void next_pane_view(ui_editor *editor, const places *p)
{
    int n = p->is_wide ? UI_EDITOR_DIFFERENCE : UI_EDITOR_N_PANES;
    editor->pane = (ui_editor_pane)(((int)pane_of(editor, p) + 1) % n);
    editor->pane_scroll = editor->pane_cursor = 0;
}

static void focus_pane(ui_editor *editor)
{
    editor->is_pane_focused = !editor->is_pane_focused;
    if (editor->is_pane_focused && editor->pane == UI_EDITOR_DIFFERENCE)
        editor->pane = UI_EDITOR_WHATIF;
}

static void look_around(ui_editor *editor)
{
    if (editor->current && editor->pane == UI_EDITOR_ADVICE)
        ui_editor_seek_advice(editor);
}

static ui_reply command_edit(ui_command command, ui_rect rect, const nw_session *session,
                             void *state)
{
    (void)session;
    ui_editor *editor = state;
    places p = find_places(rect, editor);
    if (!editor->current)
        return command == UI_COMMAND_DRILL ? reply_action((nw_action){NW_ACTION_OPEN, -1, "demo"})
                                           : reply(UI_REPLY_IGNORED);
    switch (command) {
    case UI_COMMAND_DRILL: {
        ui_reply answer = drill(editor, &p);
        look_around(editor);
        return answer;
    }
    case UI_COMMAND_BACK: {
        bool is_back = back(editor);
        look_around(editor);
        return reply(is_back ? UI_REPLY_DONE : UI_REPLY_IGNORED);
    }
    case UI_COMMAND_NEXT_PANE:
    case UI_COMMAND_PREVIOUS_PANE:
        focus_pane(editor);
        return reply(UI_REPLY_DONE);
    case UI_COMMAND_PANE_VIEW:
        next_pane_view(editor, &p);
        look_around(editor);
        return reply(UI_REPLY_DONE);
    default:
        break;
    }
    bool is_done =
        editor->is_pane_focused ? move_pane(editor, &p, command) : move_table(editor, &p, command);
    if (is_done && !editor->is_pane_focused)
        editor->is_pricing = false;
    look_around(editor);
    return reply(is_done ? UI_REPLY_DONE : UI_REPLY_IGNORED);
}

/* ---- actions by key ---- */

static ui_reply price(ui_editor *editor, char *why, size_t size)
{
    const nw_align *a = &editor->align;
    if (editor->is_pricing) {
        bool other = !editor->takes_up;
        if (other ? a->up.is_possible : a->down.is_possible)
            editor->takes_up = other;
        return reply(UI_REPLY_DONE);
    }
    return reply(ui_editor_price(editor, why, size) ? UI_REPLY_DONE : UI_REPLY_REFUSED);
}

static ui_reply act_edit(nw_action_id id, char *why, size_t size, void *state)
{
    ui_editor *editor = state;
    nw_action action;
    bool is_mine = false;
    if (!editor->current)
        return reply(UI_REPLY_IGNORED);
    if (id == NW_ACTION_ALIGN)
        return price(editor, why, size);
    editor->is_pricing = false;
    if (id == NW_ACTION_MORE || id == NW_ACTION_LESS) {
        int direction = id == NW_ACTION_MORE ? 1 : -1;
        return ui_editor_change(editor, direction, &action, why, size) ? reply_action(action)
                                                                       : reply(UI_REPLY_REFUSED);
    }
    if (id == NW_ACTION_FUSE)
        is_mine = ui_editor_fuse(editor, &action);
    else if (id == NW_ACTION_INSERT || id == NW_ACTION_DROP)
        is_mine = ui_editor_repeat_block(editor, id, &action);
    return is_mine ? reply_action(action) : reply(UI_REPLY_IGNORED);
}

static void suggest(nw_action_id asked, const void *state, char *dst, size_t size)
{
    dst[0] = '\0';
    if (asked == NW_ACTION_EDIT && ((const ui_editor *)state)->current)
        ui_editor_suggest(state, dst, size);
}

/* ---- mouse ---- */

static bool is_in(ui_rect rect, int row, int column)
{
    return row >= rect.row && row < rect.row + rect.rows && column >= rect.column &&
           column < rect.column + rect.columns;
}

static ui_reply click_table(ui_editor *editor, const places *p, ui_mouse mouse)
{
    int row = ui_editor_top(editor, table_lines(p)) + mouse.row - p->table.row - 1;
    if (mouse.row == p->table.row || row >= editor->n_rows)
        return reply(UI_REPLY_IGNORED);
    ui_editor_column column = ui_editor_column_at(editor, p->table, mouse.column);
    editor->is_pane_focused = editor->is_pricing = false;
    if (column != UI_EDITOR_COLUMN_COUNT)
        editor->column = column;
    move(editor, p, row);
    if (mouse.what == UI_MOUSE_DOUBLE)
        open_stage(editor, !is_stage_open(editor));
    look_around(editor);
    return reply(UI_REPLY_DONE);
}

static ui_reply click_pane(ui_editor *editor, const places *p, ui_mouse mouse)
{
    ui_rect rect = pane_rect(p);
    bool was_focused = editor->is_pane_focused;
    if (!p->is_wide && (editor->pane == UI_EDITOR_DIFFERENCE || editor->is_pricing))
        return reply(UI_REPLY_IGNORED);
    editor->is_pane_focused = true;
    int top = was_focused ? ui_list_top(editor->pane_cursor, rect.rows - 1) : 0;
    int row = top + mouse.row - rect.row;
    if (pane_of(editor, p) == UI_EDITOR_WHATIF && row >= 0 && row < editor->n_whatif) {
        editor->pane_cursor = row;
        if (mouse.what == UI_MOUSE_DOUBLE)
            return take_from_pane(editor, p);
    }
    return reply(UI_REPLY_DONE);
}

static ui_reply mouse_edit(ui_mouse mouse, ui_rect rect, const nw_session *session, void *state)
{
    (void)session;
    ui_editor *editor = state;
    if (!editor->current)
        return reply(UI_REPLY_IGNORED);
    places p = find_places(rect, editor);
    bool is_wheel = mouse.what == UI_MOUSE_WHEEL_UP || mouse.what == UI_MOUSE_WHEEL_DOWN;
    int lines = mouse.what == UI_MOUSE_WHEEL_UP ? -WHEEL_LINES : WHEEL_LINES;
    if (is_in(p.table, mouse.row, mouse.column)) {
        if (!is_wheel)
            return click_table(editor, &p, mouse);
        move(editor, &p, editor->cursor + lines);
        look_around(editor);
        return reply(UI_REPLY_DONE);
    }
    if (is_in(p.is_wide ? p.side : p.below, mouse.row, mouse.column)) {
        if (!is_wheel)
            return click_pane(editor, &p, mouse);
        move_pane(editor, &p, lines < 0 ? UI_COMMAND_UP : UI_COMMAND_DOWN);
        return reply(UI_REPLY_DONE);
    }
    return reply(UI_REPLY_IGNORED);
}

/* ---- the rest ---- */

static void init(const nw_session *session, void *state)
{
    (void)session;
    ui_editor *editor = state;
    editor->pane = UI_EDITOR_DIFFERENCE;
    editor->column = UI_EDITOR_CHAN;
}

static void take_whatifs(ui_editor *editor, const nw_session *session)
{
    const nw_whatif *list = nw_session_whatif(session);
    char label[96] = "";
    if (editor->pane_cursor < editor->n_whatif)
        snprintf(label, sizeof label, "%s", editor->whatif[editor->pane_cursor].label);
    editor->is_whatif_old = !list && editor->current && editor->n_whatif;
    if (editor->is_whatif_old)
        return;
    free(editor->whatif);
    editor->whatif = NULL;
    editor->n_whatif = editor->n_done = editor->n_ready = 0;
    if (!list)
        return;
    int n = nw_whatif_n(list);
    editor->whatif = nw_alloc(((size_t)n + 1) * sizeof *editor->whatif);
    editor->n_whatif = nw_whatif_rows(list, editor->whatif, n);
    for (int i = 0; i < editor->n_whatif; i++) {
        editor->n_done += editor->whatif[i].state == NW_WHATIF_DONE;
        editor->n_ready += editor->whatif[i].state != NW_WHATIF_WAITING;
        if (editor->is_pane_focused && editor->pane != UI_EDITOR_ADVICE &&
            strcmp(editor->whatif[i].label, label) == 0)
            editor->pane_cursor = i; /* the cursor stays on its edit while others come in */
    }
    if (editor->pane != UI_EDITOR_ADVICE)
        editor->pane_cursor = ui_list_clamp(editor->pane_cursor, editor->n_whatif);
}

static void update(const nw_session *session, void *state)
{
    ui_editor *editor = state;
    const nw_point *current = nw_session_current(session), *baseline = nw_session_baseline(session);
    if (current != editor->current || (current && baseline != editor->baseline))
        ui_editor_set(editor, current, baseline);
    look_around(editor);
    take_whatifs(editor, session);
}

static void fini(void *state)
{
    ui_editor_fini(state);
}

/* Once the screen is seen, edits are tried in the background. */
static void work(nw_session *session, void *state)
{
    ui_editor *editor = state;
    nw_session_follow_whatif(session);
    editor->follows = true;
}

static int target(const void *state)
{
    const ui_editor_row *row = ui_editor_row_at_cursor(state);
    return row ? row->slowest : -1;
}

static char *copy(const nw_session *session, const void *state)
{
    (void)session;
    const ui_editor *editor = state;
    nw_buf text = {0};
    if (!editor->current || nw_timm_write(editor->current->arch, &text, NULL, NULL) != NW_OK) {
        nw_buf_fini(&text);
        return NULL;
    }
    return text.text;
}

static bool answers(ui_command command, const void *state)
{
    const ui_editor *editor = state;
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    if (!editor->current)
        return command == UI_COMMAND_DRILL;
    switch (command) {
    case UI_COMMAND_BACK:
        return editor->is_pricing || editor->is_pane_focused || (row && row->is_block);
    case UI_COMMAND_DRILL:
    case UI_COMMAND_LEFT:
    case UI_COMMAND_RIGHT:
    case UI_COMMAND_NEXT_PANE:
    case UI_COMMAND_PREVIOUS_PANE:
    case UI_COMMAND_PANE_VIEW:
        return true;
    default:
        return command <= UI_COMMAND_PAGE_UP;
    }
}

static const char *const footer[] = {"left",
                                     "more",
                                     "edit=type",
                                     "fuse",
                                     "align",
                                     "undo",
                                     "view=what if",
                                     "drill=blocks",
                                     "fuse.all=fuse all",
                                     "align.all=align all",
                                     "insert",
                                     "drop",
                                     "pane.next",
                                     "baseline",
                                     "save",
                                     "keep",
                                     "export",
                                     "palette",
                                     "help",
                                     "quit",
                                     NULL};

const ui_view ui_view_edit = {
    .name = "Edit",
    .short_name = "Edit",
    .help = "the network's stages and blocks: a key changes a cell, the effect stands beside it",
    .state_size = sizeof(ui_editor),
    .init = init,
    .fini = fini,
    .update = update,
    .draw = draw,
    .command = command_edit,
    .mouse = mouse_edit,
    .target = target,
    .footer = footer,
    .copy = copy,
    .answers = answers,
    .work = work,
    .works_when_shown = true,
    .act = act_edit,
    .suggest = suggest,
};
