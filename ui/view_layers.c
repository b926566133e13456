/* Layers: where a network's time goes, block by block or kernel by kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/layers.h"
#include "ui/view.h"

#define SIDE_AT     110 /* columns from which the charts stand beside the table */
#define WHEEL_LINES 3
#define N_PANES     3

enum { PANE_WHY, PANE_ROOFLINE, PANE_MEMORY };  /* below, on a narrow screen */
enum { SIDE_BOTH, SIDE_ROOFLINE, SIDE_MEMORY }; /* beside, on a wide one */

/* ---- where things stand ---- */

typedef struct places {
    ui_rect head, table, side, pane, status; /* rows or columns 0: not there */
    bool is_wide, has_rule;
} places;

static int at_least(int value, int low)
{
    return value < low ? low : value;
}

static places find_places(ui_rect rect)
{
    places p = {.is_wide = rect.columns >= SIDE_AT};
    int n_head = p.is_wide ? 2 : 3;
    int n_pane = p.is_wide ? (rect.rows >= 44   ? 11
                              : rect.rows >= 28 ? 9
                                                : 6)
                           : (rect.rows >= 30   ? 8
                              : rect.rows >= 20 ? 6
                                                : 2);
    p.has_rule = !p.is_wide && rect.rows >= 20;
    int n_table = at_least(rect.rows - n_head - n_pane - p.has_rule - 1, 0);
    int row = rect.row, columns = rect.columns;
    p.head = (ui_rect){row, rect.column, n_head, columns};
    row += n_head;
    p.table = (ui_rect){row, rect.column, n_table, columns};
    if (p.is_wide) {
        int side = columns * 3 / 10;
        side = side > 64 ? 64 : at_least(side, 36);
        p.table.columns -= side + 1;
        p.side = (ui_rect){row, rect.column + columns - side, n_table, side};
    }
    row += n_table + p.has_rule;
    p.pane = (ui_rect){row, rect.column, n_pane, columns};
    p.status = (ui_rect){rect.row + rect.rows - 1, rect.column, 1, columns};
    return p;
}

static int table_lines(const places *p)
{
    return at_least(p->table.rows - 1, 0); /* the titles take one */
}

static ui_rect inside_pane(const places *p)
{
    ui_rect r = p->pane;
    return p->is_wide ? (ui_rect){r.row + 1, r.column + 1, r.rows - 2, r.columns - 2} : r;
}

/* ---- drawing ---- */

static void draw_side(ui_canvas *canvas, ui_rect side, const ui_layers *layers)
{
    static const char roofline[] = "Roofline: MAC/s by DRAM MAC/B";
    static const char memory[] = "SRAM over the schedule";
    int what = layers->pane % N_PANES;
    if (what == SIDE_ROOFLINE) {
        ui_layers_draw_roofline(canvas, ui_frame(canvas, side, roofline), layers);
    } else if (what == SIDE_MEMORY) {
        ui_layers_draw_memory(canvas, ui_frame(canvas, side, memory), layers);
    } else {
        ui_rect upper = side, lower = side;
        upper.rows = side.rows * 3 / 5;
        lower.row += upper.rows;
        lower.rows -= upper.rows;
        ui_layers_draw_roofline(canvas, ui_frame(canvas, upper, roofline), layers);
        ui_layers_draw_memory(canvas, ui_frame(canvas, lower, memory), layers);
    }
}

static void draw_pane(ui_canvas *canvas, const places *p, const ui_layers *layers)
{
    static const char *const titles[N_PANES] = {"why", "roofline: MAC/s by MACs a byte of DRAM",
                                                "SRAM over the schedule"};
    char title[200];
    int what = p->is_wide ? PANE_WHY : layers->pane % N_PANES;
    if (what == PANE_WHY)
        ui_layers_why_title(layers, canvas->ascii, title, sizeof title);
    else
        snprintf(title, sizeof title, "%s", titles[what]);
    ui_role role = layers->is_pane_focused ? UI_ROLE_CURSOR : UI_ROLE_TITLE;
    if (p->is_wide)
        ui_frame(canvas, p->pane, NULL);
    else if (p->has_rule)
        ui_rule(canvas, p->pane.row - 1, p->pane.column, p->pane.columns);
    if (p->is_wide || p->has_rule)
        ui_printf(canvas, p->is_wide ? p->pane.row : p->pane.row - 1, p->pane.column + 2,
                  p->pane.columns - 4, role, " %s ", title);
    ui_rect inside = inside_pane(p);
    if (what == PANE_ROOFLINE)
        ui_layers_draw_roofline(canvas, inside, layers);
    else if (what == PANE_MEMORY)
        ui_layers_draw_memory(canvas, inside, layers);
    else
        ui_layers_draw_why(canvas, inside, layers);
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    (void)session;
    const ui_layers *layers = state;
    if (!layers->current) {
        static const char hint[] = "No model is open. Enter: demo   o: open";
        ui_text(canvas, rect.row + rect.rows / 2,
                rect.column + at_least((rect.columns - (int)strlen(hint)) / 2, 0), -1, UI_ROLE_TEXT,
                hint);
        return;
    }
    places p = find_places(rect);
    ui_layers_draw_head(canvas, p.head, layers);
    ui_layers_draw_table(canvas, p.table, layers);
    if (p.is_wide)
        draw_side(canvas, p.side, layers);
    draw_pane(canvas, &p, layers);
    ui_layers_draw_status(canvas, p.status, layers);
}

/* ---- commands ---- */

static ui_reply reply(ui_reply_kind kind)
{
    return (ui_reply){.kind = kind, .action = {.target = -1}};
}

static void move(ui_layers *layers, const places *p, int line)
{
    layers->top = ui_layers_top(layers, table_lines(p));
    ui_layers_move_to(layers, line);
    layers->top = ui_layers_top(layers, table_lines(p));
}

static void scroll_pane(ui_layers *layers, const places *p, int lines)
{
    ui_rect inside = inside_pane(p);
    int most = at_least(ui_layers_draw_why(NULL, inside, layers) - inside.rows, 0);
    int to = at_least(layers->pane_scroll + lines, 0);
    layers->pane_scroll = to > most ? most : to;
}

static bool move_by(ui_layers *layers, const places *p, ui_command command)
{
    int page = at_least(table_lines(p) - 1, 1);
    const struct {
        ui_command command;
        int lines;
    } steps[] = {{UI_COMMAND_DOWN, 1},         {UI_COMMAND_UP, -1},
                 {UI_COMMAND_PAGE_DOWN, page}, {UI_COMMAND_PAGE_UP, -page},
                 {UI_COMMAND_TOP, -(1 << 29)}, {UI_COMMAND_BOTTOM, 1 << 29}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (steps[i].command != command)
            continue;
        if (layers->is_pane_focused)
            scroll_pane(layers, p, steps[i].lines);
        else
            move(layers, p, layers->cursor + steps[i].lines);
        return true;
    }
    return false;
}

/* The next line with a kernel, around the end. */
static void find(ui_layers *layers, const places *p, int direction)
{
    int line = layers->cursor;
    for (int i = 0; i < layers->n_entries; i++) {
        line = (line + direction + layers->n_entries) % layers->n_entries;
        if (layers->entries[line].op < 0)
            break;
    }
    move(layers, p, line);
}

static void set_sort(ui_layers *layers, ui_layers_column column)
{
    if (layers->sort == column)
        layers->is_flipped = !layers->is_flipped;
    else
        layers->is_flipped = false;
    layers->sort = column;
    ui_layers_refresh(layers);
}

static void toggle_mark(ui_layers *layers, const places *p)
{
    ui_layers_row *row = &layers->rows[layers->entries[layers->cursor].row];
    row->is_marked = !row->is_marked;
    int line = layers->cursor + 1; /* on to the next kernel, so that a row of keys marks a row */
    while (line < layers->n_entries && layers->entries[line].op >= 0)
        line++;
    if (line < layers->n_entries)
        move(layers, p, line);
}

static bool is_open(const ui_layers *layers)
{
    const ui_layers_row *row = ui_layers_cursor_row(layers);
    return row && row->is_open;
}

/* On a line below the row that was opened. */
static bool is_below(const ui_layers *layers)
{
    const ui_layers_row *row = ui_layers_cursor_row(layers);
    return row && (layers->entries[layers->cursor].op >= 0 || ui_layers_is_inside(layers, row));
}

/* Takes back one thing; false: there is nothing left to take back. */
static bool back(ui_layers *layers)
{
    if (layers->filter_text[0])
        ui_layers_set_filter(layers, "");
    else if (layers->is_pane_focused)
        layers->is_pane_focused = false;
    else if (is_below(layers))
        ui_layers_open(layers, false);
    else
        return false;
    return true;
}

static bool change_list(ui_layers *layers, const places *p, ui_command command)
{
    switch (command) {
    case UI_COMMAND_DRILL:
        ui_layers_open(layers, !is_open(layers));
        return true;
    case UI_COMMAND_LEFT:
        ui_layers_open(layers, false);
        return true;
    case UI_COMMAND_RIGHT:
        ui_layers_open(layers, true);
        return true;
    case UI_COMMAND_MARK:
        toggle_mark(layers, p);
        return true;
    case UI_COMMAND_FIND_NEXT:
        find(layers, p, 1);
        return true;
    case UI_COMMAND_FIND_PREVIOUS:
        find(layers, p, -1);
        return true;
    default:
        return false;
    }
}

static bool change_view(ui_layers *layers, ui_command command)
{
    switch (command) {
    case UI_COMMAND_SORT_LEFT:
        set_sort(layers, ui_layers_next_sort(layers, -1));
        return true;
    case UI_COMMAND_SORT_RIGHT:
        set_sort(layers, ui_layers_next_sort(layers, 1));
        return true;
    case UI_COMMAND_SORT_FLIP:
        set_sort(layers, layers->sort);
        return true;
    case UI_COMMAND_FILTER:
        layers->is_typing = true;
        return true;
    case UI_COMMAND_BLOCKS:
        ui_layers_switch(layers, !layers->is_by_blocks);
        return true;
    case UI_COMMAND_PANE_VIEW:
        layers->pane = (layers->pane + 1) % N_PANES;
        layers->pane_scroll = 0;
        return true;
    case UI_COMMAND_NEXT_PANE:
    case UI_COMMAND_PREVIOUS_PANE:
        layers->is_pane_focused = !layers->is_pane_focused;
        return true;
    default:
        return false;
    }
}

static ui_reply open_demo(void)
{
    return (ui_reply){.kind = UI_REPLY_ACTION, .action = {NW_ACTION_OPEN, -1, "demo"}};
}

static ui_reply command_layers(ui_command command, ui_rect rect, const nw_session *session,
                               void *state)
{
    (void)session;
    ui_layers *layers = state;
    if (!layers->current)
        return command == UI_COMMAND_DRILL ? open_demo() : reply(UI_REPLY_IGNORED);
    places p = find_places(rect);
    layers->top = ui_layers_top(layers, table_lines(&p));
    bool is_done = command == UI_COMMAND_BACK
                       ? back(layers)
                       : move_by(layers, &p, command) || change_view(layers, command);
    if (!is_done && layers->n_entries)
        is_done = change_list(layers, &p, command);
    layers->top = ui_layers_top(layers, table_lines(&p));
    return reply(is_done ? UI_REPLY_DONE : UI_REPLY_IGNORED);
}

/* ---- typing a filter ---- */

static bool takes_text(const void *state)
{
    return ((const ui_layers *)state)->is_typing;
}

static void append_key(char *text, size_t size, int key)
{
    char utf8[5] = "";
    unsigned code = (unsigned)key;
    if (code < 0x80)
        snprintf(utf8, sizeof utf8, "%c", key);
    else if (code < 0x800)
        snprintf(utf8, sizeof utf8, "%c%c", (int)(0xc0 | code >> 6), (int)(0x80 | (code & 63)));
    else if (code < 0x10000)
        snprintf(utf8, sizeof utf8, "%c%c%c", (int)(0xe0 | code >> 12),
                 (int)(0x80 | (code >> 6 & 63)), (int)(0x80 | (code & 63)));
    if (strlen(text) + strlen(utf8) < size)
        strncat(text, utf8, size - strlen(text) - 1);
}

static void drop_last(char *text)
{
    size_t n = strlen(text);
    while (n && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
        n--;
    text[n ? n - 1 : 0] = '\0';
}

static ui_reply key_layers(int key, ui_rect rect, const nw_session *session, void *state)
{
    ui_layers *layers = state;
    char text[UI_LAYERS_FILTER_SIZE];
    snprintf(text, sizeof text, "%s", layers->filter_text);
    switch (key) {
    case UI_KEY_UP:
        return command_layers(UI_COMMAND_UP, rect, session, state);
    case UI_KEY_DOWN:
        return command_layers(UI_COMMAND_DOWN, rect, session, state);
    case UI_KEY_PAGE_UP:
        return command_layers(UI_COMMAND_PAGE_UP, rect, session, state);
    case UI_KEY_PAGE_DOWN:
        return command_layers(UI_COMMAND_PAGE_DOWN, rect, session, state);
    case UI_KEY_ESCAPE:
        text[0] = '\0';
        layers->is_typing = false;
        break;
    case UI_KEY_ENTER:
        layers->is_typing = false;
        return reply(UI_REPLY_DONE);
    case UI_KEY_CTRL | 'u':
        text[0] = '\0';
        break;
    case UI_KEY_BACKSPACE:
        layers->is_typing = text[0] != '\0'; /* once more leaves the filter */
        drop_last(text);
        break;
    default:
        if (key < ' ' || key >= UI_KEY_UP)
            return reply(UI_REPLY_IGNORED);
        append_key(text, sizeof text, key);
        break;
    }
    ui_layers_set_filter(layers, text);
    return reply(UI_REPLY_DONE);
}

/* ---- mouse ---- */

static bool is_in(ui_rect rect, int row, int column)
{
    return row >= rect.row && row < rect.row + rect.rows && column >= rect.column &&
           column < rect.column + rect.columns;
}

/* Scrolls the lines under the cursor; the cursor goes along only where it would leave the window.
 */
static void scroll_table(ui_layers *layers, const places *p, int lines)
{
    int n = table_lines(p), last = at_least(layers->n_entries - n, 0);
    int top = at_least(ui_layers_top(layers, n) + lines, 0);
    layers->top = top > last ? last : top;
    if (layers->cursor < layers->top)
        ui_layers_move_to(layers, layers->top);
    else if (n > 0 && layers->cursor >= layers->top + n)
        ui_layers_move_to(layers, layers->top + n - 1);
}

static ui_reply click_table(ui_layers *layers, const places *p, ui_mouse mouse)
{
    if (mouse.row == p->table.row) {
        ui_layers_column column = ui_layers_column_at(layers, p->table, mouse.column);
        if (column == UI_LAYERS_COLUMN_COUNT)
            return reply(UI_REPLY_IGNORED);
        set_sort(layers, column);
        return reply(UI_REPLY_DONE);
    }
    int line = ui_layers_top(layers, table_lines(p)) + mouse.row - p->table.row - 1;
    if (line >= layers->n_entries)
        return reply(UI_REPLY_IGNORED);
    layers->is_pane_focused = false;
    move(layers, p, line);
    if (mouse.what == UI_MOUSE_DOUBLE)
        ui_layers_open(layers, !is_open(layers));
    return reply(UI_REPLY_DONE);
}

static ui_reply mouse_layers(ui_mouse mouse, ui_rect rect, const nw_session *session, void *state)
{
    (void)session;
    ui_layers *layers = state;
    if (!layers->current)
        return reply(UI_REPLY_IGNORED);
    places p = find_places(rect);
    bool is_wheel = mouse.what == UI_MOUSE_WHEEL_UP || mouse.what == UI_MOUSE_WHEEL_DOWN;
    int lines = mouse.what == UI_MOUSE_WHEEL_UP ? -WHEEL_LINES : WHEEL_LINES;
    if (is_in(p.table, mouse.row, mouse.column)) {
        if (!is_wheel)
            return click_table(layers, &p, mouse);
        scroll_table(layers, &p, lines);
        return reply(UI_REPLY_DONE);
    }
    if (is_in(p.pane, mouse.row, mouse.column)) {
        if (is_wheel)
            scroll_pane(layers, &p, lines);
        else
            layers->is_pane_focused = true;
        return reply(UI_REPLY_DONE);
    }
    return reply(UI_REPLY_IGNORED);
}

/* ---- the rest ---- */

static void init(const nw_session *session, void *state)
{
    (void)session;
    ui_layers_init(state);
}

/* The points shown are held until others come: what is drawn never dangles. */
static void take_points(const nw_session *session, ui_layers *layers)
{
    const nw_point *current = nw_session_current(session), *baseline = nw_session_baseline(session);
    const nw_point *old_current = layers->current, *old_baseline = layers->baseline;
    if (current == old_current && (baseline == old_baseline || !current))
        return;
    if (current)
        nw_point_retain(current);
    if (current && baseline)
        nw_point_retain(baseline);
    ui_layers_set(layers, current, baseline);
    nw_point_release(old_current);
    nw_point_release(old_baseline);
}

static void update(const nw_session *session, void *state)
{
    ui_layers *layers = state;
    take_points(session, layers);
    if (ui_layers_set_whatif(layers, nw_session_whatif(session)) &&
        (layers->sort == UI_LAYERS_NOTE || layers->filter.n_terms))
        ui_layers_refresh(layers);
}

static void fini(void *state)
{
    ui_layers *layers = state;
    const nw_point *current = layers->current, *baseline = layers->baseline;
    ui_layers_fini(layers);
    nw_point_release(current);
    nw_point_release(baseline);
}

static int target(const void *state)
{
    const ui_layers_row *row = ui_layers_cursor_row(state);
    return row ? row->kernel : -1;
}

static char *copy(const nw_session *session, const void *state)
{
    (void)session;
    return ui_layers_copy(state);
}

/* Whether a command would do something now. */
static bool answers(ui_command command, const void *state)
{
    const ui_layers *layers = state;
    if (!layers->current)
        return command == UI_COMMAND_DRILL;
    switch (command) {
    case UI_COMMAND_BACK:
        return layers->filter_text[0] || layers->is_pane_focused || is_below(layers);
    case UI_COMMAND_BLOCKS:
        return layers->n_blocks > 0;
    case UI_COMMAND_DRILL:
    case UI_COMMAND_LEFT:
    case UI_COMMAND_RIGHT:
    case UI_COMMAND_MARK:
    case UI_COMMAND_FIND_NEXT:
    case UI_COMMAND_FIND_PREVIOUS:
        return layers->n_entries > 0;
    default:
        return command <= UI_COMMAND_PANE_VIEW;
    }
}

static const char *const footer[] = {
    "down",        "drill",     "blocks",   "fuse",   "filter",         "sort.left",
    "sort.right",  "hw.next",   "baseline", "view",   "estimator.next", "calibration",
    "screen.edit", "mark",      "copy",     "export", "undo",           "open",
    "hw",          "precision", "palette",  "help",   "quit",           NULL};

const ui_view ui_view_layers = {
    .name = "Layers",
    .short_name = "Layers",
    .help = "where the time goes, block by block or kernel by kernel",
    .state_size = sizeof(ui_layers),
    .init = init,
    .fini = fini,
    .update = update,
    .draw = draw,
    .command = command_layers,
    .takes_text = takes_text,
    .key = key_layers,
    .mouse = mouse_layers,
    .target = target,
    .footer = footer,
    .copy = copy,
    .answers = answers,
};
