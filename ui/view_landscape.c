/* Landscape: MACs, the metric on the hardware, and what curation leaves of it; a climb over each.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/keys.h"
#include "ui/landscape.h"

enum { STEP_MS = 1000 / 15, PAGE = 8 };

/* ---- drawing ---- */

static void draw_hint(ui_canvas *canvas, ui_rect rect, const ui_landscape *state)
{
    const char *hint = state->has_model
                           ? "No space loaded. Enter: the usual one of what is open   o: open"
                           : "No space loaded. Enter: demo space   o: open";
    int left = (rect.columns - (int)strlen(hint)) / 2;
    ui_text(canvas, rect.row + rect.rows / 2, rect.column + (left < 0 ? 0 : left), -1, UI_ROLE_TEXT,
            hint);
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const ui_landscape *s = state;
    const nw_landscape *l = nw_session_landscape(session);
    if (!l) {
        draw_hint(canvas, rect, s);
        return;
    }
    ui_landscape_places places = ui_landscape_find_places(s, rect);
    ui_landscape_draw_head(canvas, places.head, session);
    ui_landscape_draw_panels(canvas, &places, session, s);
    ui_landscape_draw_legend(canvas, places.legend, session);
    ui_landscape_draw_table(canvas, places.table, session, s);
    ui_landscape_draw_probe(canvas, places.probe, session, s);
}

/* ---- the probe ---- */

static void look(const nw_landscape *l, ui_landscape *s)
{
    nw_error err;
    s->has_probe = false;
    s->trouble[0] = '\0';
    s->value[0] = '\0';
    if (!l || !l->x)
        return;
    char text[64];
    s->axis = l->x;
    s->at_x = l->x->options[s->x];
    if (l->y)
        s->at_y = l->y->options[s->y];
    nw_option_text(l->x->kind, &l->x->options[s->x], s->value, sizeof s->value / 2);
    if (l->y)
        snprintf(s->value + strlen(s->value), sizeof s->value / 2, " %s",
                 nw_option_text(l->y->kind, &l->y->options[s->y], text, sizeof text));
    s->has_probe = nw_landscape_probe(l, s->x, s->y, &s->probe, &err) == NW_OK;
    if (!s->has_probe)
        snprintf(s->trouble, sizeof s->trouble, "no network: %s%s%s", err.where,
                 err.where[0] ? ": " : "", err.message);
}

static int clamp(int value, int n)
{
    return value < 0 ? 0 : value >= n ? n - 1 : value;
}

/* Steps on the grid, or from column to column that curation left. */
static int step_along(int at, int by, int n, const int *kept, int n_kept)
{
    if (!kept)
        return clamp(at + by, n);
    if (!n_kept)
        return at;
    int i = by > 0 ? 0 : n_kept - 1;
    while (by > 0 ? i < n_kept - 1 && kept[i] <= at : i > 0 && kept[i] >= at)
        i += by > 0 ? 1 : -1;
    return kept[clamp(i + by + (by > 0 ? -1 : 1), n_kept)];
}

static bool move(const nw_landscape *l, ui_landscape *s, ui_command command)
{
    bool is_curated = s->pane == NW_PANE_CURATED;
    int n_x = l->x ? l->x->n_options : 1, n_y = l->y ? l->y->n_options : 1;
    int right = 0, up = 0;
    switch (command) {
    case UI_COMMAND_LEFT:
    case UI_COMMAND_RIGHT:
        right = command == UI_COMMAND_RIGHT ? 1 : -1;
        break;
    case UI_COMMAND_UP:
    case UI_COMMAND_DOWN:
        up = command == UI_COMMAND_UP ? 1 : -1;
        break;
    case UI_COMMAND_PAGE_UP:
    case UI_COMMAND_PAGE_DOWN:
        up = command == UI_COMMAND_PAGE_UP ? PAGE : -PAGE;
        break;
    case UI_COMMAND_TOP:
    case UI_COMMAND_BOTTOM:
        right = command == UI_COMMAND_TOP ? -n_x : n_x;
        break;
    default:
        return false;
    }
    if (right)
        s->x = step_along(s->x, right, n_x, is_curated ? l->columns : NULL, l->n_columns);
    if (up)
        s->y = step_along(s->y, up, n_y, is_curated ? l->rows : NULL, l->n_rows);
    s->is_placed = true;
    look(l, s);
    return true;
}

/* ---- the climbs as they are shown ---- */

static bool is_moving(const ui_landscape *s)
{
    for (int i = 0; i < UI_N_PANELS; i++)
        if (s->climbs[i].shown < s->climbs[i].n)
            return true;
    return false;
}

static void advance(ui_landscape *s, int by)
{
    for (int i = 0; i < UI_N_PANELS; i++) {
        ui_landscape_climb *c = &s->climbs[i];
        c->shown = c->shown + by > c->n ? c->n : c->shown + by;
    }
}

static int pause_ms(const void *state)
{
    return is_moving(state) ? STEP_MS : -1;
}

static void tick(void *state)
{
    advance(state, 1);
}

/* `.` goes on by a step, any other key to the end. */
static bool takes_key(int key, void *state)
{
    ui_landscape *s = state;
    if (!is_moving(s))
        return false;
    bool is_step = ui_key_entry(key) == (ui_entry)NW_ACTION_REPEAT;
    advance(s, is_step ? 1 : 1 << 20);
    return is_step || ui_key_entry(key) == ui_entry_of_command(UI_COMMAND_BACK);
}

static void take_climb(const nw_pane *pane, ui_landscape_climb *shown)
{
    if (!pane) {
        *shown = (ui_landscape_climb){.n = 0};
        return;
    }
    const nw_climb *climb = &pane->climb;
    int64_t start = climb->path[0], end = climb->path[climb->n_path - 1];
    if (shown->start != start || shown->end != end || shown->n != climb->n_path)
        *shown = (ui_landscape_climb){start, end, climb->n_path, 1};
}

/* ---- following the session ---- */

/* The option nearest to one of another grid. */
static int find_nearest(const nw_dim *dim, const nw_option *option)
{
    int best = 0;
    double least = INFINITY;
    for (int i = 0; i < dim->n_options; i++) {
        const nw_option *o = &dim->options[i];
        double distance = fabs((double)(o->n - option->n)) + fabs(o->number - option->number) +
                          (o->block == option->block ? 0 : 1);
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

/* The probe stays on its options when the grid is another one. */
static void place_probe(const nw_landscape *l, ui_landscape *s)
{
    if (!s->is_placed) {
        s->x = l->start_x;
        s->y = l->start_y;
        s->is_placed = true;
    } else if (s->axis != l->x) {
        s->x = find_nearest(l->x, &s->at_x);
        s->y = l->y ? find_nearest(l->y, &s->at_y) : 0;
    }
    s->x = clamp(s->x, l->x->n_options);
    s->y = clamp(s->y, l->y ? l->y->n_options : 1);
}

static void update(const nw_session *session, void *state)
{
    ui_landscape *s = state;
    const nw_landscape *l = nw_session_landscape(session);
    s->has_model = nw_session_current(session) != NULL;
    if (!l) {
        s->space = NULL;
        return;
    }
    if (s->space != nw_session_space(session) || s->x_dim != l->x_dim || s->y_dim != l->y_dim) {
        s->is_placed = false;
        s->space = nw_session_space(session);
        s->x_dim = l->x_dim;
        s->y_dim = l->y_dim;
    }
    if (l->x)
        place_probe(l, s);
    look(l, s);
    for (int i = 0; i < UI_N_PANELS; i++)
        take_climb(ui_landscape_pane(l, (nw_pane_id)i), &s->climbs[i]);
}

static void work(nw_session *session, void *state)
{
    (void)state;
    nw_session_follow_landscape(session);
}

static void fini(void *state)
{
    free(((ui_landscape *)state)->text);
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

static ui_reply open_point(const nw_landscape *l, ui_landscape *s)
{
    free(s->text);
    s->text = nw_landscape_point_text(l, s->x, s->y);
    return s->text ? reply_action(NW_ACTION_SPACE_OPEN, s->text) : reply(UI_REPLY_DONE);
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    (void)rect;
    ui_landscape *s = state;
    const nw_landscape *l = nw_session_landscape(session);
    if (!l)
        return id == UI_COMMAND_DRILL
                   ? reply_action(NW_ACTION_SPACE, s->has_model ? "model" : "demo")
                   : reply(UI_REPLY_IGNORED);
    switch (id) {
    case UI_COMMAND_DRILL:
        return open_point(l, s);
    case UI_COMMAND_NEXT_PANE:
        s->pane = (nw_pane_id)(((int)s->pane + 1) % UI_N_PANELS);
        return reply(UI_REPLY_DONE);
    case UI_COMMAND_PREVIOUS_PANE:
        s->pane = (nw_pane_id)(((int)s->pane + UI_N_PANELS - 1) % UI_N_PANELS);
        return reply(UI_REPLY_DONE);
    case UI_COMMAND_PANELS:
        s->is_one = !s->is_one;
        return reply(UI_REPLY_DONE);
    case UI_COMMAND_PANE_VIEW:
        s->shows_figures = !s->shows_figures;
        return reply(UI_REPLY_DONE);
    default:
        return reply(l->x && move(l, s, id) ? UI_REPLY_DONE : UI_REPLY_IGNORED);
    }
}

/* The prompt of open asks for a space here; running begins at the probe. */
static ui_reply act(nw_action_id id, char *why, size_t size, void *state)
{
    ui_landscape *s = state;
    if (id == NW_ACTION_OPEN)
        return reply_action(NW_ACTION_SPACE, NULL);
    if (id == NW_ACTION_REPEAT) {
        snprintf(why, size, "the climbs are at their ends; r runs from the probe");
        return reply(UI_REPLY_REFUSED);
    }
    if (id != NW_ACTION_LANDSCAPE_START || !s->value[0])
        return reply(UI_REPLY_IGNORED);
    return reply_action(id, s->value);
}

static ui_reply mouse(ui_mouse mouse, ui_rect rect, const nw_session *session, void *state)
{
    ui_landscape *s = state;
    const nw_landscape *l = nw_session_landscape(session);
    nw_pane_id panel;
    int x, y;
    if (!l || !l->x || (mouse.what != UI_MOUSE_CLICK && mouse.what != UI_MOUSE_DOUBLE))
        return reply(UI_REPLY_IGNORED);
    ui_landscape_places places = ui_landscape_find_places(s, rect);
    if (!ui_landscape_point_at(&places, session, mouse.row, mouse.column, &panel, &x, &y))
        return reply(UI_REPLY_IGNORED);
    s->pane = panel;
    s->x = x;
    s->y = y;
    look(l, s);
    return mouse.what == UI_MOUSE_DOUBLE ? open_point(l, s) : reply(UI_REPLY_DONE);
}

static char *copy(const nw_session *session, const void *state)
{
    const ui_landscape *s = state;
    const nw_landscape *l = nw_session_landscape(session);
    return l ? nw_landscape_point_text(l, s->x, s->y) : NULL;
}

static bool answers(ui_command id, const void *state)
{
    const ui_landscape *s = state;
    if (!s->space)
        return id == UI_COMMAND_DRILL;
    return id <= UI_COMMAND_DRILL || id == UI_COMMAND_NEXT_PANE || id == UI_COMMAND_PREVIOUS_PANE ||
           id == UI_COMMAND_PANELS || id == UI_COMMAND_PANE_VIEW;
}

static const char *const footer[] = {
    "left=jkl probe",  "drill=edit",  "landscape.x",   "landscape.metric",
    "landscape.start", "repeat=step", "panels=1 or 3", "view=figures",
    "pane.next",       "hw.previous", "space.curate",  "open",
    "palette",         "help",        "quit",          NULL};

const ui_view ui_view_landscape = {
    .name = "Landscape",
    .short_name = "Land",
    .help = "what a search walks over: MACs, the hardware in single steps, what curation leaves",
    .state_size = sizeof(ui_landscape),
    .fini = fini,
    .update = update,
    .draw = draw,
    .command = command,
    .mouse = mouse,
    .footer = footer,
    .copy = copy,
    .answers = answers,
    .work = work,
    .works_when_shown = true,
    .act = act,
    .acts_alone = true,
    .takes_key = takes_key,
    .pause_ms = pause_ms,
    .tick = tick,
};
