/* Space: dimensions and their options, which are worth having on the hardware, and why. */
#include <stdio.h>
#include <string.h>

#include "ui/space.h"
#include "ui/widget.h"

enum { WIDE_AT = 100, HEAD_ROWS = 2, SWEEP_ROWS = NW_SWEEP_ROWS + 5 };

/* ---- where things stand ---- */

static ui_space_places find_places(ui_rect rect, const ui_space *state)
{
    bool is_wide = rect.columns >= WIDE_AT, shows_hw = state->shows_hw || state->sweep;
    int n_below = rect.rows >= 28 ? 14 : rect.rows >= 18 ? 9 : 6;
    if (state->sweep && !is_wide && n_below < SWEEP_ROWS) /* bars before dimensions */
        n_below = rect.rows - HEAD_ROWS - 2 < SWEEP_ROWS ? rect.rows - HEAD_ROWS - 2 : SWEEP_ROWS;
    int n_list = rect.rows - HEAD_ROWS - n_below, row = rect.row + HEAD_ROWS;
    int side = is_wide ? 46 : 0;
    ui_space_places p = {.head = {rect.row, rect.column, HEAD_ROWS, rect.columns}};
    p.list = (ui_rect){row, rect.column, n_list, rect.columns - side - (is_wide ? 1 : 0)};
    ui_rect below = {row + n_list, rect.column, n_below, rect.columns};
    if (is_wide)
        p.hw = (ui_rect){row, rect.column + rect.columns - side, n_list, side};
    else if (shows_hw)
        p.hw = below;
    if (is_wide || !shows_hw)
        p.options = below;
    return p;
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const ui_space *s = state;
    if (!nw_session_space(session)) {
        const char *hint = s->has_model
                               ? "No space loaded. Enter: the usual one of what is open   o: open"
                               : "No space loaded. Enter: demo space   o: open";
        int left = (rect.columns - (int)strlen(hint)) / 2;
        ui_text(canvas, rect.row + rect.rows / 2, rect.column + (left < 0 ? 0 : left), -1,
                UI_ROLE_TEXT, hint);
        return;
    }
    ui_space_places p = find_places(rect, s);
    ui_space_draw_head(canvas, p.head, session);
    ui_space_draw_list(canvas, p.list, session, s);
    if (p.options.rows)
        ui_space_draw_options(canvas, p.options, session, s);
    if (p.hw.rows && s->sweep)
        ui_space_draw_sweep(canvas, p.hw, session, s);
    else if (p.hw.rows)
        ui_space_draw_hw(canvas, p.hw, session);
}

/* ---- following the session ---- */

static void look(const nw_session *session, ui_space *s)
{
    int n;
    char text[64];
    const nw_space *space = nw_session_space(session);
    s->value[0] = '\0';
    if (!space || !nw_space_n_dims(space))
        return;
    const nw_dim *dims = nw_space_dims(space, &n);
    s->dim = ui_list_clamp(s->dim, n);
    const nw_dim *d = &dims[s->dim];
    s->option = ui_list_clamp(s->option, d->n_options);
    snprintf(s->value, sizeof s->value, "%.120s=%s", d->name,
             nw_option_text(d->kind, &d->options[s->option], text, sizeof text));
    s->hand = nw_session_hand(session, s->dim, s->option);
    s->is_kept = nw_session_keeps(session, s->dim, s->option);
}

static void go_to_base(const nw_session *session, ui_space *s)
{
    int n;
    const nw_dim *dims = nw_space_dims(nw_session_space(session), &n);
    s->option = s->dim < n && dims[s->dim].base >= 0 ? dims[s->dim].base : 0;
}

static void update(const nw_session *session, void *state)
{
    ui_space *s = state;
    s->has_model = nw_session_current(session) != NULL;
    s->has_curation = nw_session_curation(session) != NULL;
    if (s->space != nw_session_space(session)) {
        s->space = nw_session_space(session);
        s->dim = 0;
        if (s->space)
            go_to_base(session, s);
    }
    look(session, s);
}

static void work(nw_session *session, void *state)
{
    const ui_space *s = state;
    nw_session_follow_curation(session);
    nw_session_follow_sweep(session, s->sweep ? (nw_sweep_figure)(s->sweep - 1) : NW_SWEEP_COUNT);
}

/* ---- commands ---- */

static ui_reply reply(ui_reply_kind kind)
{
    return (ui_reply){.kind = kind, .action = {.target = -1}};
}

static ui_reply reply_action(nw_action_id id, const char *value)
{
    return (ui_reply){UI_REPLY_ACTION, {id, -1, value}, UI_COMMAND_NONE};
}

/* The next or the previous figure; S goes round through none, < and > do not. */
static ui_reply sweep(ui_command id, ui_space *s)
{
    if (id != UI_COMMAND_SWEEP && !s->sweep)
        return reply(UI_REPLY_IGNORED);
    if (id == UI_COMMAND_BACK)
        s->sweep = 0;
    else if (id == UI_COMMAND_SWEEP)
        s->sweep = (s->sweep + 1) % (NW_SWEEP_COUNT + 1);
    else
        s->sweep = 1 + (s->sweep - 1 + (id == UI_COMMAND_SORT_LEFT ? NW_SWEEP_COUNT - 1 : 1)) %
                           NW_SWEEP_COUNT;
    return reply(UI_REPLY_WORK);
}

/* Space: the other way around; once more, as curation has it. */
static ui_reply turn(const ui_space *s)
{
    nw_action_id id = s->hand != NW_HAND_FREE ? NW_ACTION_OPTION_FREE
                      : s->is_kept            ? NW_ACTION_OPTION_DROP
                                              : NW_ACTION_OPTION_KEEP;
    return reply_action(id, s->value);
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    ui_space *s = state;
    const nw_space *space = nw_session_space(session);
    int dim = s->dim;
    if (!space)
        return id == UI_COMMAND_DRILL
                   ? reply_action(NW_ACTION_SPACE, s->has_model ? "model" : "demo")
                   : reply(UI_REPLY_IGNORED);
    switch (id) {
    case UI_COMMAND_LEFT:
    case UI_COMMAND_RIGHT:
        s->option += id == UI_COMMAND_LEFT ? -1 : 1;
        break;
    case UI_COMMAND_MARK:
        return turn(s);
    case UI_COMMAND_SWEEP:
    case UI_COMMAND_SORT_LEFT:
    case UI_COMMAND_SORT_RIGHT:
    case UI_COMMAND_BACK:
        return sweep(id, s);
    case UI_COMMAND_PANE_VIEW:
        s->shows_hw = !s->shows_hw;
        break;
    default:
        if (!ui_list_move(&s->dim, nw_space_n_dims(space), find_places(rect, s).list.rows - 2, id))
            return reply(UI_REPLY_IGNORED);
        if (s->dim != dim)
            go_to_base(session, s);
    }
    s->option = s->option < 0 ? 0 : s->option;
    look(session, s);
    return reply(UI_REPLY_DONE);
}

static ui_reply act(nw_action_id id, char *why, size_t size, void *state)
{
    ui_space *s = state;
    (void)why, (void)size;
    if (id == NW_ACTION_OPEN)
        return reply_action(NW_ACTION_SPACE, NULL);
    if (!s->value[0])
        return reply(UI_REPLY_IGNORED);
    if (id == NW_ACTION_MORE || id == NW_ACTION_OPTION_KEEP)
        return reply_action(NW_ACTION_OPTION_KEEP, s->value);
    if (id == NW_ACTION_LESS || id == NW_ACTION_OPTION_DROP)
        return reply_action(NW_ACTION_OPTION_DROP, s->value);
    if (id == NW_ACTION_EDIT || id == NW_ACTION_OPTION_FREE)
        return reply_action(NW_ACTION_OPTION_FREE, s->value);
    return reply(UI_REPLY_IGNORED);
}

static ui_reply mouse(ui_mouse mouse, ui_rect rect, const nw_session *session, void *state)
{
    ui_space *s = state;
    const nw_space *space = nw_session_space(session);
    if (!space)
        return reply(UI_REPLY_IGNORED);
    ui_space_places p = find_places(rect, s);
    int n = nw_space_n_dims(space), row = mouse.row - p.list.row - 1;
    if (mouse.what == UI_MOUSE_WHEEL_UP || mouse.what == UI_MOUSE_WHEEL_DOWN) {
        s->dim = ui_list_clamp(s->dim + (mouse.what == UI_MOUSE_WHEEL_UP ? -1 : 1), n);
    } else if (row >= 0 && row < p.list.rows - 1 && mouse.column < p.list.column + p.list.columns) {
        int at = ui_list_top(s->dim, p.list.rows - 1) + row;
        if (at >= n)
            return reply(UI_REPLY_IGNORED);
        s->dim = at;
    } else if (p.options.rows && mouse.row >= p.options.row + 2) {
        int lines = ui_space_option_lines(p.options),
            at = ui_list_top(s->option, lines) + mouse.row - p.options.row - 2;
        s->option = at;
        look(session, s);
        return mouse.what == UI_MOUSE_DOUBLE ? turn(s) : reply(UI_REPLY_DONE);
    } else {
        return reply(UI_REPLY_IGNORED);
    }
    go_to_base(session, s);
    look(session, s);
    return reply(UI_REPLY_DONE);
}

static char *copy(const nw_session *session, const void *state)
{
    (void)session;
    nw_buf text = {0};
    nw_buf_puts(&text, ((const ui_space *)state)->value);
    return text.text;
}

static bool answers(ui_command id, const void *state)
{
    const ui_space *s = state;
    if (!s->space)
        return id == UI_COMMAND_DRILL;
    if (id == UI_COMMAND_SORT_LEFT || id == UI_COMMAND_SORT_RIGHT || id == UI_COMMAND_BACK)
        return s->sweep != 0;
    return id < UI_COMMAND_DRILL || id == UI_COMMAND_MARK || id == UI_COMMAND_PANE_VIEW ||
           id == UI_COMMAND_SWEEP;
}

static const char *const footer[] = {"down=k dimension",
                                     "left=l option",
                                     "mark=in or out",
                                     "more=pin",
                                     "less=remove",
                                     "edit=free",
                                     "space.curate",
                                     "hw",
                                     "view=hardware",
                                     "sweep",
                                     "hw.previous",
                                     "open",
                                     "undo",
                                     "palette",
                                     "help",
                                     "quit",
                                     NULL};

const ui_view ui_view_space = {
    .name = "Space",
    .short_name = "Space",
    .help = "dimensions and their options, which are worth having on this hardware, and why",
    .state_size = sizeof(ui_space),
    .update = update,
    .draw = draw,
    .command = command,
    .mouse = mouse,
    .copy = copy,
    .answers = answers,
    .act = act,
    .acts_alone = true,
    .work = work,
    .works_when_shown = true,
    .footer = footer,
};
