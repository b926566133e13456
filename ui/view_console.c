/* view_console.c - a Lua console on the same session.
 *
 * What is typed goes to ui_options.evaluator; what comes back is lines of text, shown below each
 * other with the newest in sight.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "ui/view.h"
#include "ui/widget.h"

enum { MAX_LINES = 5000, PANE_FROM = 110, PANE_COLUMNS = 36 };
#define PROMPT "console"

typedef struct line {
    char *text;
    ui_role role;
} line;

typedef struct console_state {
    const ui_evaluator *evaluator;
    ui_edit edit;
    nw_buf block; /* lines of a block that is still open */
    nw_buf hint;
    line *lines;
    int n_lines;
    size_t capacity;
    int back; /* rows scrolled up from the newest */
} console_state;

/* ---- what stands above the prompt ---- */

static void add_line(console_state *c, ui_role role, const char *text, size_t length)
{
    if (c->n_lines == MAX_LINES) {
        free(c->lines[0].text);
        memmove(c->lines, c->lines + 1, (size_t)--c->n_lines * sizeof *c->lines);
    }
    c->lines = nw_grow(c->lines, (size_t)c->n_lines, &c->capacity, sizeof *c->lines);
    nw_buf copy = {0};
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\t')
            nw_buf_add(&copy, text + i, 1);
        else /* what print puts between values */
            nw_buf_add(&copy, "        ", 8 - (size_t)ui_text_columns(nw_buf_text(&copy)) % 8);
    }
    nw_buf_add(&copy, "", 0);
    c->lines[c->n_lines++] = (line){copy.text, role};
}

static void add_text(console_state *c, ui_role role, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        add_line(c, role, text, length);
        text += length + (text[length] == '\n');
    }
    c->back = 0;
}

static void add_typed(console_state *c, const char *prompt)
{
    nw_buf shown = {0};
    nw_buf_printf(&shown, "%s%s", prompt, c->edit.text);
    add_line(c, UI_ROLE_TITLE, nw_buf_text(&shown), shown.length);
    nw_buf_fini(&shown);
}

static const char *prompt_of(const console_state *c)
{
    return c->block.length ? ">> " : "> ";
}

/* ---- evaluating ---- */

static bool enter(const ui_context *context, const nw_session *session, void *state)
{
    console_state *c = state;
    (void)session;
    c->evaluator = context->evaluator;
    add_text(c, UI_ROLE_DIM,
             "Lua 5.4 on this session: what changes here shows on the other screens.\n"
             "Tab completes, Up goes back, an empty line ends an open block, Esc leaves.");
    return false;
}

static void fini(void *state)
{
    console_state *c = state;
    for (int i = 0; i < c->n_lines; i++)
        free(c->lines[i].text);
    free(c->lines);
    nw_buf_fini(&c->block);
    nw_buf_fini(&c->hint);
}

/* A block goes on while the evaluator wants more; an empty line gives it up to the evaluator as an
 * error, so that nobody is caught in it. */
static void work(nw_session *session, void *state)
{
    console_state *c = state;
    bool is_error = false, is_incomplete = false;
    nw_buf out = {0};
    bool ends_block = c->edit.length == 0 && c->block.length > 0;
    add_typed(c, prompt_of(c));
    if (c->edit.length)
        nw_session_remember(session, PROMPT, c->edit.text);
    if (c->block.length)
        nw_buf_puts(&c->block, "\n");
    nw_buf_puts(&c->block, c->edit.text);
    ui_edit_set(&c->edit, "");
    c->edit.history = 0;
    if (strspn(nw_buf_text(&c->block), " \n\t") < c->block.length)
        c->evaluator->evaluate(c->evaluator->context, session, nw_buf_text(&c->block), &out,
                               &is_error, &is_incomplete);
    if (is_incomplete && ends_block) {
        is_error = true;
        if (!out.length)
            nw_buf_puts(&out, "the block is not finished; given up");
    }
    if (!is_incomplete || ends_block) {
        add_text(c, is_error ? UI_ROLE_ERROR : UI_ROLE_TEXT, nw_buf_text(&out));
        nw_buf_clear(&c->block);
    }
    nw_buf_clear(&c->hint);
    c->back = 0;
    nw_buf_fini(&out);
}

static void update_hint(console_state *c)
{
    nw_buf_clear(&c->hint);
    if (c->edit.length && c->evaluator->hint)
        c->evaluator->hint(c->evaluator->context, c->edit.text, &c->hint);
}

/* Writes out what all candidates begin with, and lists them when there are several. */
static void complete(console_state *c)
{
    char head[UI_EDIT_BYTES], common[UI_EDIT_BYTES];
    nw_buf out = {0};
    size_t from = c->edit.caret, length = 0;
    int n = 0;
    snprintf(head, sizeof head, "%.*s", (int)c->edit.caret, c->edit.text);
    c->evaluator->complete(c->evaluator->context, head, &out, &from);
    const char *first = nw_buf_text(&out);
    for (const char *at = first; *at; n++) {
        size_t here = strcspn(at, "\n");
        if (n == 0)
            length = here;
        while (length > 0 && (length > here || strncmp(first, at, length) != 0))
            length--;
        at += here + (at[here] == '\n');
    }
    if (n > 0 && length < sizeof common) {
        snprintf(common, sizeof common, "%.*s", (int)length, first);
        bool is_longer = from <= c->edit.caret && length > c->edit.caret - from;
        ui_edit_replace(&c->edit, from, common);
        if (n > 1 && !is_longer) {
            for (char *at = out.text; *at; at++)
                if (*at == '\n' && at[1])
                    *at = ' ';
            add_text(c, UI_ROLE_DIM, out.text);
        }
    }
    nw_buf_fini(&out);
    update_hint(c);
}

/* ---- the view ---- */

static int rows_of(const char *text, int columns)
{
    return ui_text_wrapped(NULL, (ui_rect){0, 0, 0, columns}, UI_ROLE_TEXT, text);
}

static int total_rows(const console_state *c, int columns)
{
    int rows = 0;
    for (int i = 0; i < c->n_lines; i++)
        rows += rows_of(c->lines[i].text, columns);
    return rows;
}

/* Lines from the newest up; `back` rows of them are below the edge. */
static void draw_lines(ui_canvas *canvas, ui_rect in, const console_state *c, int bottom)
{
    for (int i = c->n_lines - 1; i >= 0 && bottom > in.row; i--) {
        int rows = rows_of(c->lines[i].text, in.columns);
        bottom -= rows;
        ui_rect at = {bottom, in.column, rows, in.columns};
        ui_text_wrapped(canvas, at, c->lines[i].role, c->lines[i].text);
    }
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const console_state *c = state;
    (void)session;
    ui_rect in = rect;
    if (rect.columns >= PANE_FROM) {
        in.columns -= PANE_COLUMNS + 1;
        ui_rect pane = {rect.row, rect.column + in.columns + 1, rect.rows, PANE_COLUMNS};
        ui_rect text = ui_box(canvas, pane, "Help for the call");
        ui_text_wrapped(canvas, text, c->hint.length ? UI_ROLE_TEXT : UI_ROLE_DIM,
                        c->hint.length ? nw_buf_text(&c->hint)
                                       : "what stands here depends on the line being typed");
    }
    bool has_hint_row = rect.columns < PANE_FROM;
    int list_rows = in.rows - 1 - has_hint_row;
    int total = total_rows(c, in.columns), back = c->back;
    if (back > total - list_rows)
        back = total > list_rows ? total - list_rows : 0;
    int prompt_row = in.row + (total - back < list_rows ? total - back : list_rows);
    ui_rect list = {in.row, in.column, prompt_row - in.row, in.columns};
    ui_canvas_set_clip(canvas, list);
    draw_lines(canvas, list, c, prompt_row + back);
    ui_canvas_set_clip(canvas, rect);
    int used = ui_text(canvas, prompt_row, in.column, -1, UI_ROLE_KEY, prompt_of(c));
    ui_edit_draw(canvas, prompt_row, in.column + used, in.columns - used, &c->edit);
    if (has_hint_row)
        ui_text(canvas, in.row + in.rows - 1, in.column, in.columns, UI_ROLE_DIM,
                nw_buf_text(&c->hint));
}

static void scroll(console_state *c, ui_rect rect, int rows)
{
    int columns = rect.columns >= PANE_FROM ? rect.columns - PANE_COLUMNS - 1 : rect.columns;
    int most = total_rows(c, columns) - (rect.rows - 2);
    c->back += rows;
    c->back = c->back > most ? most : c->back;
    c->back = c->back < 0 ? 0 : c->back;
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    console_state *c = state;
    switch (id) {
    case UI_COMMAND_DRILL:
        return (ui_reply){.kind = UI_REPLY_WORK};
    case UI_COMMAND_BACK:
        return (ui_reply){.kind = UI_REPLY_CLOSE};
    case UI_COMMAND_NEXT_PANE:
        complete(c);
        break;
    case UI_COMMAND_UP:
    case UI_COMMAND_DOWN:
        ui_edit_history(&c->edit, session, PROMPT, id == UI_COMMAND_UP ? 1 : -1);
        update_hint(c);
        break;
    case UI_COMMAND_PAGE_UP:
    case UI_COMMAND_PAGE_DOWN:
        scroll(c, rect, id == UI_COMMAND_PAGE_UP ? rect.rows - 3 : 3 - rect.rows);
        break;
    default:
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    }
    return (ui_reply){.kind = UI_REPLY_DONE};
}

static bool takes_text(const void *state)
{
    (void)state;
    return true;
}

static ui_reply key(int pressed, ui_rect rect, const nw_session *session, void *state)
{
    console_state *c = state;
    (void)rect, (void)session;
    if (pressed == '\n') /* pasted: a line of its own */
        return (ui_reply){.kind = UI_REPLY_WORK};
    if (pressed == (UI_KEY_CTRL | 'l')) {
        c->back = 0;
        while (c->n_lines)
            free(c->lines[--c->n_lines].text);
        return (ui_reply){.kind = UI_REPLY_IGNORED}; /* and everything is drawn again */
    }
    if (!ui_edit_key(&c->edit, pressed))
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    update_hint(c);
    return (ui_reply){.kind = UI_REPLY_DONE};
}

static ui_reply mouse(ui_mouse event, ui_rect rect, const nw_session *session, void *state)
{
    (void)session;
    if (event.what == UI_MOUSE_WHEEL_UP || event.what == UI_MOUSE_WHEEL_DOWN)
        scroll(state, rect, event.what == UI_MOUSE_WHEEL_UP ? 3 : -3);
    return (ui_reply){.kind = UI_REPLY_DONE};
}

static bool answers(ui_command id, const void *state)
{
    (void)state;
    return id == UI_COMMAND_DRILL || id == UI_COMMAND_BACK || id == UI_COMMAND_NEXT_PANE ||
           id == UI_COMMAND_UP || id == UI_COMMAND_DOWN || id == UI_COMMAND_PAGE_UP ||
           id == UI_COMMAND_PAGE_DOWN;
}

static const char *const footer[] = {
    "drill=run", "pane.next=complete", "up=earlier", "page.up=scroll", "stop", "back", NULL};

const ui_view ui_view_console = {
    .name = "Lua",
    .short_name = "Lua",
    .help = "Enter runs a line, Tab completes, Up and Down go through what was typed before",
    .state_size = sizeof(console_state),
    .fini = fini,
    .draw = draw,
    .command = command,
    .takes_text = takes_text,
    .key = key,
    .mouse = mouse,
    .footer = footer,
    .enter = enter,
    .answers = answers,
    .work = work,
};
