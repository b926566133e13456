/* app.c - the frame: one loop for keys, jobs and timers; screens and overlays; what a key runs.
 */
#include "ui/app.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "ui/signals.h"
#include "ui/term.h"

enum {
    ESCAPE_MS = 25,  /* an ESC that nothing follows is the key */
    DOUBLE_MS = 400, /* between the clicks of a double click */
    RUNNING_MS = 200 /* between looks at the progress of a job */
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void note(app *a, const char *format, ...) NW_PRINTF(2, 3);

static void note(app *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(a->note, sizeof a->note, format, args);
    va_end(args);
    a->has_note = true;
}

static void clear_messages(app *a)
{
    int n;
    const nw_message *messages = nw_session_messages(a->session, &n);
    a->seen = n > 0 ? messages[n - 1].text : NULL;
    a->has_note = false;
}

/* ---- screens and overlays ---- */

static void open_layer(app *a, layer *l, const ui_view *view, const ui_context *context)
{
    *l = (layer){view, nw_zalloc(view->state_size ? view->state_size : 1), UINT64_MAX};
    if (view->init)
        view->init(a->session, l->state);
    if (view->enter && view->enter(context, a->session, l->state))
        view->work(a->session, l->state);
}

static void close_layer(layer *l)
{
    if (l->view && l->view->fini)
        l->view->fini(l->state);
    free(l->state);
    *l = (layer){0};
}

static void pop_overlay(app *a)
{
    if (a->n_overlays)
        close_layer(&a->overlays[--a->n_overlays]);
}

static void push_overlay(app *a, const ui_view *view, nw_action_id asked, int target)
{
    if (app_top(a)->view == view) { /* its key again takes it away */
        pop_overlay(a);
        return;
    }
    if (a->n_overlays == APP_OVERLAYS)
        pop_overlay(a);
    ui_context context = {.below = app_top(a)->view,
                          .below_state = app_top(a)->state,
                          .asked = asked,
                          .target = target,
                          .evaluator = a->options->evaluator};
    open_layer(a, &a->overlays[a->n_overlays], view, &context);
    a->n_overlays++;
}

static void show_screen(app *a)
{
    const layer *l = &a->screens[a->screen];
    if (l->view->works_when_shown)
        l->view->work(a->session, l->state);
}

static void go_to(app *a, screen_id screen)
{
    if (screen == a->screen && a->n_overlays == 0)
        note(a, "%s is this screen", a->screens[screen].view->name);
    while (a->n_overlays)
        pop_overlay(a);
    if (!a->screens[screen].view) {
        note(a, "there is no such screen in this program");
        return;
    }
    if (screen != a->screen)
        a->previous = a->screen;
    a->screen = screen;
    show_screen(a);
}

/* ---- signals ---- */

static void handle_key(app *a, const ui_event *event);

bool ui_is_interrupted(void)
{
    return ui_signals_has_stop();
}

static void fit_canvas(app *a)
{
    int rows, columns;
    ui_term_size(&rows, &columns);
    if (rows == a->canvas.rows && columns == a->canvas.columns)
        return;
    ui_canvas_fini(&a->canvas);
    ui_canvas_init(&a->canvas, rows, columns, ui_term_is_ascii());
    a->canvas.has_color = ui_term_has_color();
}

/* has_stopped: what Ctrl-C was for has heard of it already. */
static void handle_signals(app *a, bool has_stopped)
{
    unsigned seen = ui_signals_take();
    if (seen & UI_SIGNAL_RESIZE) {
        ui_term_resize();
        fit_canvas(a);
    }
    if (seen & UI_SIGNAL_SUSPEND)
        ui_term_suspend();
    if (seen & UI_SIGNAL_STOP && !has_stopped)
        handle_key(a, &(ui_event){.key = UI_KEY_CTRL | 'c'});
    if (seen & UI_SIGNAL_LEAVE)
        a->leaves = true;
}

/* ---- running things ---- */

static void run_command(app *a, ui_command command);
static void ask_screen(app *a, nw_action_id id);

static void quit(app *a)
{
    nw_action action = {NW_ACTION_QUIT, -1, NULL};
    if (nw_session_is_unsaved(a->session) && !a->asks_quit) {
        a->asks_quit = true;
        note(a, "something is unsaved: y leaves without it, any other key stays");
    } else if (nw_session_act(a->session, &action, NULL) == NW_OK) {
        a->leaves = true;
    }
}

static bool is_previewed(nw_action_id id)
{
    return id == NW_ACTION_FUSE_ALL || id == NW_ACTION_ALIGN_ALL;
}

/* Whether an action has to ask, for its value or for leave: saving has a place of its own. */
static bool has_to_ask(const app *a, const nw_action *action)
{
    nw_value_kind value = nw_action_def_of(action->id)->value;
    bool needs_value = value != NW_VALUE_NONE && value != NW_VALUE_WORDS && !action->value &&
                       action->id != NW_ACTION_SAVE;
    return (needs_value || is_previewed(action->id)) &&
           nw_action_is_possible(a->session, action->id, NULL, 0);
}

static void ask(app *a, const nw_action *action)
{
    bool is_dim = nw_action_def_of(action->id)->value == NW_VALUE_DIM;
    const ui_view *view = action->id == NW_ACTION_HW ? &ui_view_hw
                          : is_previewed(action->id) ? &ui_view_recipe
                          : is_dim                   ? &ui_view_dims
                                                     : &ui_view_open;
    push_overlay(a, view, action->id, action->target);
}

static nw_status copy_row(app *a, nw_error *err)
{
    const layer *screen = &a->screens[a->screen];
    char *text = screen->view->copy ? screen->view->copy(a->session, screen->state) : NULL;
    nw_action action = {NW_ACTION_COPY, -1, text};
    nw_status status = nw_session_act(a->session, &action, err);
    if (status == NW_OK && text)
        ui_term_copy(text);
    free(text);
    return status;
}

static void show_from(app *a, screen_id screen)
{
    if (a->screen == screen)
        return;
    a->previous = a->screen;
    a->screen = screen;
    show_screen(a);
}

/* Runs an action that has all it needs. What went wrong is a message already. */
static nw_status act(app *a, nw_action action, nw_error *err)
{
    const layer *screen = &a->screens[a->screen];
    if (action.id == NW_ACTION_QUIT) {
        quit(a);
        return NW_OK;
    }
    if (action.id == NW_ACTION_COPY && !action.value)
        return copy_row(a, err);
    if (action.target < 0 && screen->view->target)
        action.target = screen->view->target(screen->state);
    nw_status status = nw_session_act(a->session, &action, err);
    if (action.id == NW_ACTION_RUN_SCRIPT)
        handle_signals(a, true);
    if (status == NW_OK && action.id == NW_ACTION_OPEN && a->screen != SCREEN_EDIT) {
        a->previous = a->screen;
        a->screen = SCREEN_LAYERS;
    } else if (a->screen == SCREEN_WELCOME && nw_session_current(a->session)) {
        a->screen = SCREEN_LAYERS; /* redo, or a script that opened something */
    }
    if (status == NW_OK && action.id == NW_ACTION_SPACE_OPEN)
        show_from(a, SCREEN_EDIT);
    else if (status == NW_OK && action.id == NW_ACTION_SPACE && a->screen != SCREEN_LANDSCAPE)
        show_from(a, SCREEN_SPACE);
    bool is_typed =
        a->n_overlays || (action.id != NW_ACTION_EDIT && action.id != NW_ACTION_SPACE_OPEN &&
                          action.id != NW_ACTION_LANDSCAPE_START);
    if (status == NW_OK && action.value && action.id != NW_ACTION_COPY && is_typed)
        nw_session_remember(a->session, nw_action_def_of(action.id)->name, action.value);
    return status;
}

/* An action that an overlay chose: the overlay goes, unless it wants to show what went wrong. */
static void act_from_overlay(app *a, layer *l, const nw_action *action)
{
    nw_error err;
    if (!action->value && a->screens[a->screen].view->act) {
        nw_action_id id = action->id;
        pop_overlay(a);
        ask_screen(a, id);
    } else if (has_to_ask(a, action)) {
        nw_action asked = *action;
        pop_overlay(a);
        ask(a, &asked);
    } else if (act(a, *action, &err) == NW_OK || !l->view->failed) {
        pop_overlay(a);
    } else {
        l->view->failed(&err, l->state);
    }
}

static void handle_reply(app *a, layer *l, const ui_reply *reply)
{
    bool is_overlay = a->n_overlays && l == app_top(a);
    nw_error err;
    switch (reply->kind) {
    case UI_REPLY_ACTION:
        if (is_overlay)
            act_from_overlay(a, l, &reply->action);
        else if (has_to_ask(a, &reply->action))
            ask(a, &reply->action);
        else if (act(a, reply->action, &err) != NW_OK)
            break; /* said in the session's messages */
        break;
    case UI_REPLY_COMMAND:
        if (is_overlay)
            pop_overlay(a);
        run_command(a, reply->command);
        break;
    case UI_REPLY_WORK:
        app_draw(a); /* what was typed stands there while it runs */
        ui_term_paint(&a->canvas);
        l->view->work(a->session, l->state);
        handle_signals(a, true);
        if (a->screen == SCREEN_WELCOME && nw_session_current(a->session))
            a->screen = SCREEN_LAYERS;
        break;
    case UI_REPLY_CLOSE:
        if (is_overlay)
            pop_overlay(a);
        else
            go_to(a, a->previous == SCREEN_WELCOME && nw_session_current(a->session) ? SCREEN_LAYERS
                                                                                     : a->previous);
        break;
    case UI_REPLY_IGNORED:
    case UI_REPLY_REFUSED:
    case UI_REPLY_DONE:
        break;
    }
}

/* A command for the view in front. False: it does not know it. */
static bool command_view(app *a, ui_command command)
{
    layer *l = app_top(a);
    if (!l->view->command || (l->view->answers && !l->view->answers(command, l->state)))
        return false;
    ui_reply reply = l->view->command(command, app_body(a), a->session, l->state);
    handle_reply(a, l, &reply);
    return reply.kind != UI_REPLY_IGNORED;
}

static void switch_mouse(app *a)
{
    ui_term_set_mouse(!ui_term_has_mouse());
    note(a, ui_term_has_mouse() ? "the mouse is ours; Shift selects text"
                                : "the mouse is the terminal's");
}

static void run_command(app *a, ui_command command)
{
    switch (command) {
    case UI_COMMAND_HELP:
        push_overlay(a, &ui_view_help, NW_ACTION_COUNT, -1);
        break;
    case UI_COMMAND_PALETTE:
        push_overlay(a, &ui_view_palette, NW_ACTION_COUNT, -1);
        break;
    case UI_COMMAND_MESSAGES:
        push_overlay(a, &ui_view_messages, NW_ACTION_COUNT, -1);
        break;
    case UI_COMMAND_CALIBRATION:
        push_overlay(a, &ui_view_calibration, NW_ACTION_COUNT, -1);
        break;
    case UI_COMMAND_REDRAW:
        ui_term_redraw();
        break;
    case UI_COMMAND_SUSPEND:
        ui_term_suspend();
        break;
    case UI_COMMAND_MOUSE:
        switch_mouse(a);
        break;
    case UI_COMMAND_SCREEN_LANDSCAPE:
        go_to(a, SCREEN_LANDSCAPE);
        break;
    case UI_COMMAND_SCREEN_SPACE:
        go_to(a, SCREEN_SPACE);
        break;
    case UI_COMMAND_SCREEN_LAYERS:
        go_to(a, SCREEN_LAYERS);
        break;
    case UI_COMMAND_SCREEN_EDIT:
        go_to(a, SCREEN_EDIT);
        break;
    case UI_COMMAND_SCREEN_COMPARE:
        go_to(a, SCREEN_COMPARE);
        break;
    case UI_COMMAND_SCREEN_LUA:
        go_to(a, SCREEN_LUA);
        break;
    default:
        if (!command_view(a, command) && command != UI_COMMAND_BACK)
            note(a, "%s does nothing on this screen; ? lists what does",
                 ui_entry_name(ui_entry_of_command(command)));
    }
}

/* An action without a value, as the screen understands it. */
static void ask_screen(app *a, nw_action_id id)
{
    char why[256];
    layer *l = &a->screens[a->screen];
    ui_reply reply = {.kind = UI_REPLY_IGNORED};
    if (l->view->act && (l->view->acts_alone || nw_action_is_possible(a->session, id, NULL, 0)))
        reply = l->view->act(id, why, sizeof why, l->state);
    if (reply.kind == UI_REPLY_REFUSED)
        note(a, "%s", why);
    if (reply.kind == UI_REPLY_IGNORED)
        reply = (ui_reply){UI_REPLY_ACTION, {id, -1, NULL}, UI_COMMAND_NONE};
    handle_reply(a, l, &reply);
}

/* The key of quit backs out of what is in front first. */
static void back_out_or_quit(app *a)
{
    if (a->n_overlays)
        pop_overlay(a);
    else if (app_is_too_small(a) || !command_view(a, UI_COMMAND_BACK))
        quit(a);
}

static void run_entry(app *a, ui_entry entry)
{
    if (entry == (ui_entry)NW_ACTION_QUIT) {
        back_out_or_quit(a);
    } else if (ui_entry_is_action(entry)) {
        ask_screen(a, (nw_action_id)entry);
    } else {
        run_command(a, (ui_command)(entry - NW_ACTION_COUNT));
    }
}

/* ---- events ---- */

/* Text dropped where nobody types is a path to open. */
static bool takes_paste(app *a)
{
    layer *l = app_top(a);
    if (l->view->takes_text && l->view->takes_text(l->state))
        return true;
    if (a->n_overlays)
        return false;
    push_overlay(a, &ui_view_open, NW_ACTION_OPEN, -1);
    return true;
}

/* The view gets what is typed first. False: the key is nobody's yet. */
static bool give_text(app *a, int key)
{
    layer *l = app_top(a);
    if (!l->view->takes_text || !l->view->takes_text(l->state) || !l->view->key)
        return false;
    ui_reply reply = l->view->key(key, app_body(a), a->session, l->state);
    handle_reply(a, l, &reply);
    return reply.kind != UI_REPLY_IGNORED || ui_key_is_text(key);
}

static void handle_key(app *a, const ui_event *event)
{
    char name[32];
    bool was_asked = a->asks_quit;
    clear_messages(a);
    if (was_asked && (event->key == 'y' || event->key == 'Y')) {
        quit(a);
        return;
    }
    a->asks_quit = false;
    if (was_asked)
        return;
    layer *screen = &a->screens[a->screen];
    if (!a->n_overlays && !app_is_too_small(a) && screen->view->takes_key &&
        screen->view->takes_key(event->key, screen->state))
        return;
    ui_entry entry = ui_key_entry(event->key);
    if (app_is_too_small(a)) {
        if (entry == (ui_entry)NW_ACTION_QUIT || entry == (ui_entry)NW_ACTION_STOP)
            run_entry(a, entry);
        return;
    }
    if (event->is_pasted) {
        if (takes_paste(a))
            give_text(a, event->key);
        return;
    }
    if (give_text(a, event->key))
        return;
    if (entry != UI_ENTRY_NONE)
        run_entry(a, entry);
    else
        note(a, "%s is no key here; ? lists those that are",
             ui_key_name(event->key, name, sizeof name));
}

static bool is_double_click(app *a, const ui_mouse *mouse)
{
    int64_t now = now_ms();
    bool is_double = mouse->row == a->last_click.row && mouse->column == a->last_click.column &&
                     now - a->last_click_ms < DOUBLE_MS;
    a->last_click = *mouse;
    a->last_click_ms = is_double ? 0 : now;
    return is_double;
}

static void click_frame(app *a, const ui_mouse *mouse)
{
    for (int i = 0; mouse->row == 0 && i < SCREEN_COUNT; i++)
        if (mouse->column >= a->tabs[i].column &&
            mouse->column < a->tabs[i].column + a->tabs[i].columns)
            go_to(a, (screen_id)i);
    for (int i = 0; mouse->row == a->canvas.rows - 1 && i < a->n_footer; i++) {
        const ui_footer_item *item = &a->footer[i];
        if (mouse->column >= item->column && mouse->column < item->column + item->columns) {
            run_entry(a, item->entry);
            return;
        }
    }
}

static void handle_mouse(app *a, ui_mouse mouse)
{
    layer *l = app_top(a);
    ui_rect body = app_body(a);
    if (app_is_too_small(a) || a->asks_quit)
        return;
    if (mouse.what == UI_MOUSE_CLICK) {
        clear_messages(a);
        if (is_double_click(a, &mouse))
            mouse.what = UI_MOUSE_DOUBLE;
    }
    if (mouse.row < body.row || mouse.row >= body.row + body.rows) {
        if (mouse.what == UI_MOUSE_CLICK)
            click_frame(a, &mouse);
    } else if (l->view->mouse) {
        ui_reply reply = l->view->mouse(mouse, body, a->session, l->state);
        handle_reply(a, l, &reply);
    }
}

/* Keys that came in one go each find what the one before them left. */
static void handle_event(app *a, const ui_event *event)
{
    app_update(a, &a->screens[a->screen]);
    if (a->n_overlays)
        app_update(a, app_top(a));
    if (event->key == UI_KEY_MOUSE)
        handle_mouse(a, event->mouse);
    else
        handle_key(a, event);
}

/* ---- the loop ---- */

static bool is_running(const app *a)
{
    for (int i = nw_session_n_jobs(a->session) - 1; i >= 0; i--)
        if (nw_session_job(a->session, i).is_running)
            return true;
    return false;
}

/* Milliseconds until the screen moves by itself; -1: it does not. */
static int until_tick(app *a)
{
    const layer *l = &a->screens[a->screen];
    int pause = l->view->pause_ms ? l->view->pause_ms(l->state) : -1;
    if (pause < 0) {
        a->tick_ms = 0;
        return -1;
    }
    int64_t now = now_ms();
    if (!a->tick_ms)
        a->tick_ms = now + pause;
    return a->tick_ms > now ? (int)(a->tick_ms - now) : 0;
}

static void tick(app *a)
{
    const layer *l = &a->screens[a->screen];
    if (!a->tick_ms || now_ms() < a->tick_ms || !l->view->tick)
        return;
    a->tick_ms = 0;
    l->view->tick(l->state);
}

/* Waits for something, handles all of it. False: the terminal is gone. */
static bool step(app *a, bool *has_partial_key)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = ui_signals_fd(), .events = POLLIN},
                           {.fd = nw_session_wake_fd(a->session), .events = POLLIN}};
    int timeout = *has_partial_key ? ESCAPE_MS : is_running(a) ? RUNNING_MS : -1;
    int pause = until_tick(a);
    if (pause >= 0 && (timeout < 0 || pause < timeout))
        timeout = pause;
    int n = poll(fds, 3, timeout);
    if (n < 0 && errno != EINTR)
        return false;
    if (n > 0 && fds[1].revents)
        handle_signals(a, false);
    if (n > 0 && fds[0].revents && !ui_term_read())
        return false;
    nw_session_poll(a->session);
    tick(a);
    bool is_late = n == 0 && *has_partial_key;
    ui_event event;
    while (!a->leaves && ui_term_next(is_late, &event))
        handle_event(a, &event);
    *has_partial_key = ui_term_has_partial();
    return true;
}

static void begin(app *a)
{
    const ui_context context = {.asked = NW_ACTION_COUNT, .evaluator = a->options->evaluator};
    open_layer(a, &a->screens[SCREEN_WELCOME], &ui_view_welcome, &context);
    open_layer(a, &a->screens[SCREEN_LANDSCAPE], &ui_view_landscape, &context);
    open_layer(a, &a->screens[SCREEN_LAYERS], &ui_view_layers, &context);
    open_layer(a, &a->screens[SCREEN_EDIT], &ui_view_edit, &context);
    open_layer(a, &a->screens[SCREEN_SPACE], &ui_view_space, &context);
    open_layer(a, &a->screens[SCREEN_COMPARE], &ui_view_compare, &context);
    if (a->options->evaluator)
        open_layer(a, &a->screens[SCREEN_LUA], &ui_view_console, &context);
    for (int i = 0; a->options->first_screen && i < SCREEN_COUNT; i++)
        if (a->screens[i].view && strcmp(a->screens[i].view->name, a->options->first_screen) == 0)
            a->screen = (screen_id)i;
    show_screen(a);
}

static void end(app *a)
{
    while (a->n_overlays)
        pop_overlay(a);
    for (int i = 0; i < SCREEN_COUNT; i++)
        close_layer(&a->screens[i]);
    ui_canvas_fini(&a->canvas);
}

int ui_run(nw_session *session, const ui_options *options)
{
    char why[160];
    app a = {.session = session, .options = options};
    bool has_partial_key = false, is_there = true;
    if (!ui_term_open(options, why, sizeof why)) {
        fprintf(stderr, "nasw: %s\n", why);
        return 2;
    }
    begin(&a);
    fit_canvas(&a);
    while (is_there && !a.leaves && !nw_session_wants_quit(session)) {
        app_draw(&a);
        ui_term_paint(&a.canvas);
        is_there = step(&a, &has_partial_key);
    }
    int signal_number = ui_signals_number();
    end(&a);
    ui_term_close();
    return signal_number ? 128 + signal_number : is_there ? 0 : 1;
}
