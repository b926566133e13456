/* frame.c - what is around the screens: header, messages, footer, and the notice of a small
 * terminal.
 */
#include <stdio.h>
#include <string.h>

#include "src/session/explore.h"
#include "ui/app.h"

ui_rect app_body(const app *a)
{
    int rows = a->canvas.rows - 3;
    return (ui_rect){1, 0, rows < 0 ? 0 : rows, a->canvas.columns};
}

bool app_is_too_small(const app *a)
{
    return a->canvas.rows < APP_ROWS || a->canvas.columns < APP_COLUMNS;
}

layer *app_top(app *a)
{
    return a->n_overlays ? &a->overlays[a->n_overlays - 1] : &a->screens[a->screen];
}

/* ---- the first row ---- */

/* The number of a screen is the key that goes there. */
static const struct {
    screen_id id;
    ui_command command;
} tabs[] = {{SCREEN_LANDSCAPE, UI_COMMAND_SCREEN_LANDSCAPE},
            {SCREEN_LAYERS, UI_COMMAND_SCREEN_LAYERS},
            {SCREEN_EDIT, UI_COMMAND_SCREEN_EDIT},
            {SCREEN_SPACE, UI_COMMAND_SCREEN_SPACE},
            {SCREEN_LUA, UI_COMMAND_SCREEN_LUA},
            {SCREEN_COMPARE, UI_COMMAND_SCREEN_COMPARE}};

static int draw_tabs(app *a)
{
    ui_canvas *canvas = &a->canvas;
    bool is_wide = canvas->columns >= 100;
    int column = ui_text(canvas, 0, 0, -1, UI_ROLE_TITLE, "nasw") + 1;
    for (size_t i = 0; i < sizeof tabs / sizeof *tabs; i++) {
        char key[16], text[48];
        const ui_view *view = a->screens[tabs[i].id].view;
        if (!view)
            continue;
        bool is_here = a->screen == tabs[i].id;
        ui_key_name(ui_entry_first_key(ui_entry_of_command(tabs[i].command)), key, sizeof key);
        snprintf(text, sizeof text, "%c%s%s%s%c", is_here ? '[' : ' ', key, is_wide ? " " : "",
                 is_wide ? view->name : view->short_name, is_here ? ']' : ' ');
        a->tabs[tabs[i].id].column = column;
        a->tabs[tabs[i].id].columns =
            ui_text(canvas, 0, column, -1, is_here ? UI_ROLE_TITLE : UI_ROLE_HEADER, text);
        column += a->tabs[tabs[i].id].columns;
    }
    return column;
}

/* "▶32%" of what has run longest; "" when nothing runs. */
static void format_jobs(const app *a, char *out, size_t size)
{
    out[0] = '\0';
    int n_running = 0;
    double progress = -1;
    for (int i = 0; i < nw_session_n_jobs(a->session); i++) {
        nw_job_view job = nw_session_job(a->session, i);
        if (job.is_running && n_running++ == 0)
            progress = job.progress;
    }
    const nw_landscape *landscape = nw_session_landscape(a->session);
    if (n_running == 0 && !nw_session_is_exploring(a->session))
        return;
    if (n_running == 0 && landscape && landscape->phase == NW_PHASE_RUNNING && landscape->done < 1)
        progress = landscape->done;
    n_running = n_running ? n_running : 1;
    const char *mark = a->canvas.ascii ? ">" : "\u25b6";
    if (progress >= 0)
        snprintf(out, size, "%s%d%%  ", mark, (int)(100 * progress));
    else
        snprintf(out, size, "%s%d  ", mark, n_running);
}

static void draw_header(app *a)
{
    ui_canvas *canvas = &a->canvas;
    char jobs[32], right[320];
    memset(a->tabs, 0, sizeof a->tabs);
    int column = draw_tabs(a) + 2;
    const nw_point *point = nw_session_current(a->session);
    const char *hw = nw_session_hw(a->session)->name;
    format_jobs(a, jobs, sizeof jobs);
    snprintf(right, sizeof right, "%s%s%s%.200s", jobs, hw, point ? " \u00b7 " : "",
             point ? point->label : "");
    if (ui_text_columns(right) > canvas->columns - column)
        snprintf(right, sizeof right, "%s%s", jobs, hw);
    ui_text_right(canvas, 0, canvas->columns, UI_ROLE_HEADER, right);
}

/* ---- the last two rows ---- */

/* The worst that was said since the last key, of these the latest; NULL: nothing was. What a file
 * opened well says does not hide what is wrong in init.lua. */
static const nw_message *find_message(const app *a)
{
    int n;
    const nw_message *messages = nw_session_messages(a->session, &n), *worst = NULL;
    for (int i = n - 1; i >= 0 && messages[i].text != a->seen; i--)
        if (!worst || messages[i].kind > worst->kind)
            worst = &messages[i];
    return worst;
}

static void draw_message(app *a)
{
    ui_canvas *canvas = &a->canvas;
    int row = canvas->rows - 2;
    const nw_message *message = find_message(a);
    if (a->has_note)
        ui_text_cut(canvas, row, 0, -1, UI_ROLE_WARNING, a->note);
    else if (message)
        ui_text_cut(canvas, row, 0, -1,
                    message->kind == NW_MESSAGE_ERROR     ? UI_ROLE_ERROR
                    : message->kind == NW_MESSAGE_WARNING ? UI_ROLE_WARNING
                                                          : UI_ROLE_TEXT,
                    message->text);
}

static void draw_footer(app *a)
{
    ui_canvas *canvas = &a->canvas;
    const layer *top = app_top(a);
    bool is_typing = top->view->takes_text && top->view->takes_text(top->state);
    a->n_footer = ui_footer(top->view, is_typing, canvas->columns, a->footer, APP_FOOTER);
    for (int i = 0; i < a->n_footer; i++) {
        const ui_footer_item *item = &a->footer[i];
        int used = ui_text(canvas, canvas->rows - 1, item->column, -1, UI_ROLE_KEY, item->key);
        ui_text(canvas, canvas->rows - 1, item->column + used + 1, -1, UI_ROLE_FOOTER, item->label);
    }
}

/* ---- all of it ---- */

void app_update(app *a, layer *l)
{
    uint64_t version = nw_session_version(a->session);
    if (l->version != version && l->view->update)
        l->view->update(a->session, l->state);
    l->version = version;
}

static void draw_layer(app *a, layer *l)
{
    app_update(a, l);
    ui_canvas_set_clip(&a->canvas, app_body(a));
    l->view->draw(&a->canvas, app_body(a), a->session, l->state);
    ui_canvas_no_clip(&a->canvas);
}

static void draw_notice(app *a)
{
    ui_canvas *canvas = &a->canvas;
    if (a->has_note)
        ui_text(canvas, 0, 0, -1, UI_ROLE_WARNING, a->note);
    else
        ui_printf(canvas, 0, 0, -1, UI_ROLE_TEXT, "%dx%d: too small, nasw needs %dx%d; q quits",
                  canvas->columns, canvas->rows, APP_COLUMNS, APP_ROWS);
}

void app_draw(app *a)
{
    ui_canvas_clear(&a->canvas);
    if (app_is_too_small(a)) {
        draw_notice(a);
        return;
    }
    draw_layer(a, &a->screens[a->screen]);
    for (int i = 0; i < a->n_overlays; i++)
        draw_layer(a, &a->overlays[i]);
    draw_header(a);
    draw_message(a);
    draw_footer(a);
}
