/* overlay_messages.c - everything that was said, newest last.
 */
#include <time.h>

#include "ui/view.h"
#include "ui/widget.h"

typedef struct messages_state {
    int cursor;
} messages_state;

static void init(const nw_session *session, void *state)
{
    int n;
    nw_session_messages(session, &n);
    ((messages_state *)state)->cursor = ui_list_clamp(n - 1, n);
}

static ui_rect box_of(ui_rect rect)
{
    return ui_box_rect(rect, rect.rows, 116);
}

static ui_role role_of(nw_message_kind kind)
{
    return kind == NW_MESSAGE_ERROR     ? UI_ROLE_ERROR
           : kind == NW_MESSAGE_WARNING ? UI_ROLE_WARNING
                                        : UI_ROLE_TEXT;
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const messages_state *m = state;
    int n;
    const nw_message *messages = nw_session_messages(session, &n);
    ui_rect in = ui_box(canvas, box_of(rect), "Messages");
    if (n == 0)
        ui_text(canvas, in.row, in.column, in.columns, UI_ROLE_DIM, "nothing has been said yet");
    /* The row under the cursor is shown whole, below the list. */
    int list_rows = in.rows - 4;
    int cursor = ui_list_clamp(m->cursor, n), top = ui_list_top(cursor, list_rows);
    for (int i = 0; i < list_rows && top + i < n; i++) {
        const nw_message *message = &messages[top + i];
        char clock[16] = "";
        time_t at = (time_t)message->unix_time_s;
        struct tm local;
        if (localtime_r(&at, &local))
            strftime(clock, sizeof clock, "%H:%M:%S", &local);
        ui_text(canvas, in.row + i, in.column, in.columns, UI_ROLE_DIM, clock);
        ui_text(canvas, in.row + i, in.column + 9, in.columns - 9, role_of(message->kind),
                message->text);
        if (top + i == cursor)
            ui_reverse_row(canvas, in.row + i, in.column, in.columns);
    }
    if (n == 0 || list_rows < 1)
        return;
    ui_rule(canvas, in.row + list_rows, in.column, in.columns);
    ui_text_wrapped(
        canvas, (ui_rect){in.row + list_rows + 1, in.column, in.rows - list_rows - 1, in.columns},
        role_of(messages[cursor].kind), messages[cursor].text);
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    messages_state *m = state;
    int n;
    nw_session_messages(session, &n);
    if (id == UI_COMMAND_BACK || id == UI_COMMAND_MESSAGES)
        return (ui_reply){.kind = UI_REPLY_CLOSE};
    bool is_moved = ui_list_move(&m->cursor, n, rect.rows - 6, id);
    return (ui_reply){.kind = is_moved ? UI_REPLY_DONE : UI_REPLY_IGNORED};
}

static ui_reply mouse(ui_mouse mouse, ui_rect rect, const nw_session *session, void *state)
{
    messages_state *m = state;
    int n;
    nw_session_messages(session, &n);
    if (mouse.what == UI_MOUSE_WHEEL_UP)
        m->cursor--;
    else if (mouse.what == UI_MOUSE_WHEEL_DOWN)
        m->cursor++;
    else
        m->cursor = ui_list_top(m->cursor, rect.rows - 6) + mouse.row - box_of(rect).row - 1;
    m->cursor = ui_list_clamp(m->cursor, n);
    return (ui_reply){.kind = UI_REPLY_DONE};
}

static bool answers(ui_command id, const void *state)
{
    (void)state;
    return id == UI_COMMAND_DOWN || id == UI_COMMAND_UP || id == UI_COMMAND_PAGE_DOWN ||
           id == UI_COMMAND_PAGE_UP || id == UI_COMMAND_TOP || id == UI_COMMAND_BOTTOM ||
           id == UI_COMMAND_BACK || id == UI_COMMAND_MESSAGES;
}

static const char *const footer[] = {"down", "page.down", "back", NULL};

const ui_view ui_view_messages = {
    .name = "Messages",
    .short_name = "Messages",
    .help = "everything that was said, newest last",
    .state_size = sizeof(messages_state),
    .init = init,
    .draw = draw,
    .command = command,
    .mouse = mouse,
    .footer = footer,
    .answers = answers,
};
