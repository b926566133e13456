/* overlay_recipe.c - what fusing or aligning everywhere would do, step by step, before it is done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/units.h"
#include "ui/view.h"
#include "ui/widget.h"

enum { BOX_COLUMNS = 100, MAX_ROWS = 30, FIXED_ROWS = 6 };

typedef struct recipe_state {
    nw_action_id asked;
    nw_recipe recipe;
    const nw_point *point; /* that it is for; retained */
    bool has_recipe;
    int cursor;
    char *value;
    char error[600];
} recipe_state;

static bool enter(const ui_context *context, const nw_session *session, void *state)
{
    recipe_state *r = state;
    nw_error err;
    r->asked = context->asked;
    r->point = nw_session_current(session);
    if (!r->point)
        return false;
    nw_point_retain(r->point);
    const nw_point *p = r->point;
    nw_subject subject = {p->arch, p->hw, p->estimate.estimator, p->precision};
    nw_recipe_kind kind = r->asked == NW_ACTION_FUSE_ALL ? NW_RECIPE_FUSE : NW_RECIPE_ALIGN;
    if (nw_recipe_make(kind, &subject, &p->estimate, NULL, &r->recipe, &err) == NW_OK)
        r->has_recipe = true;
    else
        snprintf(r->error, sizeof r->error, "%s", err.message);
    return false;
}

static void fini(void *state)
{
    recipe_state *r = state;
    if (r->has_recipe)
        nw_recipe_fini(&r->recipe);
    free(r->value);
    nw_point_release(r->point);
}

/* ---- drawing ---- */

static ui_rect box_of(ui_rect rect, const recipe_state *r)
{
    int n = r->recipe.n_steps < MAX_ROWS ? r->recipe.n_steps : MAX_ROWS;
    return ui_box_rect(rect, n + FIXED_ROWS, BOX_COLUMNS);
}

static int list_rows(ui_rect rect, const recipe_state *r)
{
    return box_of(rect, r).rows - FIXED_ROWS + 1;
}

static ui_role role_of(const nw_effect *e)
{
    return e->is_below || !e->latency.latency_ps ? UI_ROLE_DIM
           : e->latency.latency_ps < 0           ? UI_ROLE_BETTER
                                                 : UI_ROLE_WORSE;
}

static const char *mark_of(const nw_effect *e)
{
    return !e->latency.latency_ps ? "" : e->is_below ? "~" : e->latency.latency_ps < 0 ? "▼" : "▲";
}

/* Time and MACs of an effect, in columns of their own. */
static void draw_effect(ui_canvas *canvas, int row, int column, const nw_effect *e)
{
    char text[40];
    ui_text_right(canvas, row, column + 11, role_of(e),
                  nw_format_signed(nw_format_time, e->latency.latency_ps, text, sizeof text));
    ui_text(canvas, row, column + 12, 1, role_of(e), mark_of(e));
    ui_text_right(canvas, row, column + 23, UI_ROLE_TEXT,
                  nw_format_signed(nw_format_count, e->macs, text, sizeof text));
}

static void draw_step(ui_canvas *canvas, ui_rect in, int row, const nw_recipe_step *step)
{
    bool has_note = in.columns >= 70;
    int label = has_note ? 26 : in.columns - 26;
    ui_text(canvas, row, in.column, 1, UI_ROLE_KEY, step->is_taken ? "+" : "");
    ui_text_cut(canvas, row, in.column + 2, label - 1, step->is_taken ? UI_ROLE_TEXT : UI_ROLE_DIM,
                step->label);
    int column = in.column + 2 + label;
    if (step->is_taken || step->effect.latency_ps)
        draw_effect(canvas, row, column, &step->effect);
    if (!step->is_taken && has_note)
        ui_text_cut(canvas, row, column + 25, in.columns - label - 27, UI_ROLE_DIM, step->why);
}

static void draw_total(ui_canvas *canvas, ui_rect in, const recipe_state *r)
{
    const nw_effect *e = &r->recipe.total;
    int row = in.row + in.rows - 2, before = (int)(r->point->estimate.latency_ps > 0);
    char time[40], macs[40], weights[40], peak[40], share[40] = "";
    if (!r->recipe.n_edits) {
        ui_text_cut(canvas, row, in.column, in.columns, UI_ROLE_WARNING,
                    r->asked == NW_ACTION_FUSE_ALL
                        ? "no block is faster fused on this hardware"
                        : "no group of channels is faster at a multiple of this hardware's step");
        return;
    }
    if (before)
        snprintf(share, sizeof share, " (%+.1f %%)",
                 100 * (double)e->latency.latency_ps / (double)r->point->estimate.latency_ps);
    int used = ui_printf(canvas, row, in.column, in.columns, role_of(e), "together %s%s %s",
                         nw_format_signed(nw_format_time, e->latency.latency_ps, time, sizeof time),
                         share, mark_of(e));
    char rest[160];
    bool has_room = in.columns >= 90;
    nw_format_signed(nw_format_bytes, e->weight_bytes, weights, sizeof weights);
    snprintf(rest, sizeof rest, "  %s MACs%s%s  peak %s%s",
             nw_format_signed(nw_format_count, e->macs, macs, sizeof macs),
             has_room ? "  weights " : "", has_room ? weights : "",
             nw_format_signed(nw_format_bytes, e->peak_live_bytes, peak, sizeof peak),
             e->fits ? "" : "  DOES NOT FIT");
    ui_text_cut(canvas, row, in.column + used, in.columns - used, UI_ROLE_TEXT, rest);
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const recipe_state *r = state;
    (void)session;
    ui_rect in = ui_box(canvas, box_of(rect, r),
                        r->asked == NW_ACTION_FUSE_ALL
                            ? "Fuse what is faster fused: nothing is done yet"
                            : "Align what is faster aligned: nothing is done yet");
    int shown = list_rows(rect, r), top = ui_list_top(r->cursor, shown);
    if (r->error[0]) {
        ui_text_wrapped(canvas, in, UI_ROLE_ERROR, r->error);
        return;
    }
    for (int i = 0; i < shown && top + i < r->recipe.n_steps; i++) {
        draw_step(canvas, in, in.row + i, &r->recipe.steps[top + i]);
        if (top + i == r->cursor)
            ui_reverse_row(canvas, in.row + i, in.column, in.columns);
    }
    ui_rule(canvas, in.row + in.rows - 3, in.column, in.columns);
    draw_total(canvas, in, r);
    ui_printf(canvas, in.row + in.rows - 1, in.column, in.columns, UI_ROLE_DIM,
              r->recipe.n_edits ? "Enter does %d of %d   Esc leaves the network as it is"
                                : "Esc leaves; %d of %d steps are faster",
              r->recipe.n_edits, r->recipe.n_steps);
}

/* ---- keys ---- */

static ui_reply apply(recipe_state *r)
{
    nw_buf line = {0};
    if (!r->has_recipe || !r->recipe.n_edits)
        return (ui_reply){.kind = UI_REPLY_CLOSE};
    for (int i = 0; i < r->recipe.n_edits; i++) {
        if (i)
            nw_buf_puts(&line, "; ");
        nw_edit_write(&r->recipe.edits[i], &line);
    }
    free(r->value);
    r->value = line.text;
    return (ui_reply){UI_REPLY_ACTION, {NW_ACTION_EDIT, -1, r->value}, UI_COMMAND_NONE};
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    recipe_state *r = state;
    (void)session;
    if (id == UI_COMMAND_BACK)
        return (ui_reply){.kind = UI_REPLY_CLOSE};
    if (id == UI_COMMAND_DRILL)
        return apply(r);
    bool is_moved = ui_list_move(&r->cursor, r->recipe.n_steps, list_rows(rect, r), id);
    return (ui_reply){.kind = is_moved ? UI_REPLY_DONE : UI_REPLY_IGNORED};
}

static ui_reply mouse(ui_mouse event, ui_rect rect, const nw_session *session, void *state)
{
    recipe_state *r = state;
    (void)session;
    ui_rect box = box_of(rect, r);
    int row = event.row - box.row - 1 + ui_list_top(r->cursor, list_rows(rect, r));
    if (event.what == UI_MOUSE_WHEEL_UP || event.what == UI_MOUSE_WHEEL_DOWN)
        row = r->cursor + (event.what == UI_MOUSE_WHEEL_UP ? -1 : 1);
    else if (event.row <= box.row || event.row > box.row + list_rows(rect, r))
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    r->cursor = ui_list_clamp(row, r->recipe.n_steps);
    return (ui_reply){.kind = UI_REPLY_DONE};
}

static void failed(const nw_error *err, void *state)
{
    recipe_state *r = state;
    snprintf(r->error, sizeof r->error, "%s%s%s", err->where, err->where[0] ? ": " : "",
             err->message);
}

static bool answers(ui_command id, const void *state)
{
    (void)state;
    return id == UI_COMMAND_BACK || id == UI_COMMAND_DRILL ||
           (id <= UI_COMMAND_PAGE_UP && id != UI_COMMAND_LEFT && id != UI_COMMAND_RIGHT);
}

static const char *const footer[] = {"drill=do it", "back=leave", "down", NULL};

const ui_view ui_view_recipe = {
    .name = "Preview",
    .short_name = "Preview",
    .help = "what fusing or aligning everywhere would do; Enter does it",
    .state_size = sizeof(recipe_state),
    .fini = fini,
    .draw = draw,
    .command = command,
    .mouse = mouse,
    .footer = footer,
    .enter = enter,
    .answers = answers,
    .failed = failed,
};
