/* view_welcome.c - what is there before anything is open.
 */
#include "ui/keys.h"
#include "ui/view.h"

static const struct {
    const char *key, *text;
} lines[] = {
    {"Enter", "the built-in network: where its time goes, block by block"},
    {"1", "three landscapes: MACs, hardware, curated; a climb over each"},
    {"o", "open a model: ONNX, TFLite or network JSON, or drop a path here"},
    {"H", "choose the hardware"},
    {":", "every command by name"},
    {"?", "help          q   quit"},
};
enum { N_LINES = sizeof lines / sizeof *lines };

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    (void)state;
    int columns = rect.columns < 72 ? rect.columns : 72;
    int column = rect.column + (rect.columns - columns) / 2;
    int row = rect.row + (rect.rows - N_LINES - 6) / 2;
    row = row < rect.row ? rect.row : row;
    ui_text(canvas, row, column, -1, UI_ROLE_TITLE,
            "nasw explores how network shape meets accelerator shape.");
    for (int i = 0; i < N_LINES; i++) {
        ui_text(canvas, row + 2 + i, column, -1, UI_ROLE_KEY, lines[i].key);
        ui_text(canvas, row + 2 + i, column + 8, -1, UI_ROLE_TEXT, lines[i].text);
    }
    row += N_LINES + 3;
    int used = ui_text(canvas, row, column, -1, UI_ROLE_TEXT, "hardware ");
    const nw_hw *hw = nw_session_hw(session);
    used += ui_text(canvas, row, column + used, -1, UI_ROLE_TITLE, hw->name);
    ui_printf(canvas, row, column + used, -1, UI_ROLE_TEXT, ", %lld MAC a cycle at %.2f GHz",
              (long long)nw_hw_macs_per_cycle(hw), hw->clock_hz / 1e9);
    ui_text(canvas, row + 2, column, -1, UI_ROLE_DIM,
            "Nothing is written outside the state folder until you save.");
}

static ui_reply open_demo(void)
{
    return (ui_reply){UI_REPLY_ACTION, {NW_ACTION_OPEN, -1, "demo"}, UI_COMMAND_NONE};
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    (void)rect, (void)session, (void)state;
    return id == UI_COMMAND_DRILL ? open_demo() : (ui_reply){.kind = UI_REPLY_IGNORED};
}

static bool answers(ui_command id, const void *state)
{
    (void)state;
    return id == UI_COMMAND_DRILL;
}

static const char *const footer[] = {"drill=demo", "open", "hw", "palette", "quit", "help", NULL};

const ui_view ui_view_welcome = {
    .name = "Welcome",
    .short_name = "Welcome",
    .help = "nothing is open yet: Enter shows the built-in network",
    .state_size = 1,
    .draw = draw,
    .command = command,
    .footer = footer,
    .answers = answers,
};
