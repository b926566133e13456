#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/landscape.h"

enum { NARROW = 78, PANEL_GAP = 1 };

bool ui_landscape_is_one(const ui_landscape *state, ui_rect rect)
{
    return state->is_one || rect.columns < NARROW;
}

/* ---- where things stand ---- */

static int at_least(int value, int low)
{
    return value < low ? low : value;
}

/* One panel with the table to its right. */
static void place_one(ui_landscape_places *p, nw_pane_id pane, ui_rect rect)
{
    int side = rect.columns >= 100 ? 46 : 27;
    p->panels[pane] = (ui_rect){rect.row, rect.column, rect.rows, rect.columns - side - 1};
    p->table = (ui_rect){rect.row, rect.column + rect.columns - side, rect.rows, side};
}

static void place_three(ui_landscape_places *p, ui_rect rect, int n_table)
{
    int columns = (rect.columns - 2 * PANEL_GAP) / UI_N_PANELS;
    for (int i = 0; i < UI_N_PANELS; i++)
        p->panels[i] = (ui_rect){rect.row, rect.column + i * (columns + PANEL_GAP),
                                 at_least(rect.rows - n_table, 3), columns};
    p->table =
        (ui_rect){rect.row + at_least(rect.rows - n_table, 3), rect.column, n_table, rect.columns};
}

ui_landscape_places ui_landscape_find_places(const ui_landscape *state, ui_rect rect)
{
    ui_landscape_places p = {.head = {rect.row, rect.column, 1, rect.columns}};
    bool is_tall = rect.rows >= 28;
    ui_rect middle = {rect.row + 1, rect.column, at_least(rect.rows - 3, 0), rect.columns};
    int last = rect.row + rect.rows - 1;
    p.probe = (ui_rect){last, rect.column, 1, rect.columns};
    if (ui_landscape_is_one(state, rect)) {
        place_one(&p, state->pane, middle);
        p.legend = (ui_rect){last - 1, rect.column, 1, rect.columns};
        return p;
    }
    middle.rows = at_least(rect.rows - 2, 0);
    int n_table = is_tall ? 8 : 6;
    place_three(&p, (ui_rect){middle.row, middle.column, middle.rows - 1, middle.columns}, n_table);
    p.legend = (ui_rect){p.table.row, rect.column, 1, rect.columns};
    p.table.row++;
    return p;
}

/* ---- the panels ---- */

typedef struct source {
    const nw_landscape *landscape;
    nw_pane_id id;
} source;

static double value_of(const void *context, int x, int y)
{
    const source *s = context;
    const nw_landscape *l = s->landscape;
    if (s->id == NW_PANE_MACS)
        return nw_landscape_macs(l, x, y);
    if (s->id == NW_PANE_CURATED)
        return nw_landscape_value(l, l->columns[x], l->rows[y]);
    return nw_landscape_value(l, x, y);
}

const nw_pane *ui_landscape_pane(const nw_landscape *l, nw_pane_id id)
{
    bool is_there = l->panes && l->panes->panes[id].is_there;
    return is_there && (id != NW_PANE_CURATED || l->has_curated) ? &l->panes->panes[id] : NULL;
}

static ui_rect inside(ui_rect rect)
{
    return (ui_rect){rect.row + 1, rect.column + 1, at_least(rect.rows - 2, 0),
                     at_least(rect.columns - 2, 0)};
}

static ui_heat heat_of(const source *s, ui_rect rect)
{
    const nw_landscape *l = s->landscape;
    const nw_pane *pane = ui_landscape_pane(l, s->id);
    bool is_curated = s->id == NW_PANE_CURATED;
    return (ui_heat){.rect = inside(rect),
                     .width = is_curated ? l->n_columns
                              : l->x     ? l->x->n_options
                                         : 0,
                     .height = is_curated ? l->n_rows
                               : l->y     ? l->y->n_options
                                          : 1,
                     .value = value_of,
                     .context = s,
                     .is_minimum = pane ? pane->is_minimum : NULL};
}

static const char *spacing(const nw_landscape *l, char *dst, size_t size)
{
    int64_t x = l->step_x, y = l->y ? l->step_y : l->step_x;
    if (!x && !y)
        return "the space's options";
    if (x == 1 && y == 1)
        return "single steps";
    if (x == y)
        snprintf(dst, size, "every %lld ch", (long long)x);
    else
        snprintf(dst, size, "steps %lld, %lld", (long long)x, (long long)y);
    return dst;
}

static void draw_title(ui_canvas *canvas, ui_rect rect, nw_pane_id id, const nw_landscape *l,
                       const nw_session *session, bool is_focused)
{
    char title[160], steps[48];
    bool is_wide = rect.columns >= 36;
    const char *hw = nw_session_hw(session)->name, *word = ui_landscape_metric_word(l->metric);
    const char *by = spacing(l, steps, sizeof steps);
    if (id == NW_PANE_MACS)
        snprintf(title, sizeof title, " A MACs%s%s (own scale) ", is_wide ? ", " : "",
                 is_wide ? by : "");
    else if (id == NW_PANE_SINGLE)
        snprintf(title, sizeof title, " B %.12s%s%s ", is_wide ? word : "", is_wide ? ", " : "",
                 by);
    else
        snprintf(title, sizeof title, " C %.12s%s%.12s%s ", is_wide ? word : "",
                 is_wide ? ", curated for " : "", hw, is_wide ? "" : " curated");
    ui_text_cut(canvas, rect.row, rect.column + 2, rect.columns - 4,
                is_focused ? UI_ROLE_CURSOR : UI_ROLE_TITLE, title);
}

/* What a panel says in its middle while, or since, there is nothing to see. */
static void draw_words(ui_canvas *canvas, ui_rect rect, const char *text)
{
    ui_rect in = inside(rect);
    ui_rect words = {in.row + in.rows / 2 - 1, in.column + 1, at_least(in.rows / 2 + 1, 1),
                     in.columns - 2};
    ui_text_wrapped(canvas, words, UI_ROLE_DIM, text);
}

static int find_nearest(const int *at, int n, int wanted)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (abs(at[i] - wanted) < abs(at[best] - wanted))
            best = i;
    return best;
}

static void draw_probe_mark(ui_canvas *canvas, const ui_heat *heat, const source *s,
                            const ui_landscape *state)
{
    const nw_landscape *l = s->landscape;
    int row, column, x = state->x, y = state->y;
    if (s->id == NW_PANE_CURATED) {
        x = find_nearest(l->columns, l->n_columns, x);
        y = find_nearest(l->rows, l->n_rows, y);
    }
    if (ui_heat_cell(heat, x, y, &row, &column))
        ui_put(canvas, row, column, UI_ROLE_CURSOR, '+');
}

static void draw_panel(ui_canvas *canvas, ui_rect rect, const source *s, const ui_scale *scale,
                       const ui_landscape *state)
{
    const nw_landscape *l = s->landscape;
    const nw_pane *pane = ui_landscape_pane(l, s->id);
    const ui_landscape_climb *climb = &state->climbs[s->id];
    bool is_curated = s->id == NW_PANE_CURATED;
    ui_heat heat = heat_of(s, rect);
    if (!heat.width || !heat.height) {
        draw_words(canvas, rect,
                   is_curated && l->columns                    ? "curation leaves nothing here"
                   : is_curated && l->phase != NW_PHASE_FAILED ? "curating"
                                                               : l->doing);
        return;
    }
    ui_heat_draw(canvas, &heat, scale);
    if (pane && ui_scale_is_flat(scale)) {
        draw_words(canvas, rect, "it is the same over these axes: X and Y change them");
        return;
    }
    if (is_curated)
        ui_heat_values(canvas, &heat, scale, l->metric == NW_METRIC_OBJECTIVE ? 3 : 0);
    if (pane && climb->n == pane->climb.n_path)
        ui_heat_path(canvas, &heat, pane->climb.path, climb->shown, climb->shown == climb->n);
    draw_probe_mark(canvas, &heat, s, state);
}

/* A has a scale of its own, B and C share theirs. */
void ui_landscape_draw_panels(ui_canvas *canvas, const ui_landscape_places *places,
                              const nw_session *session, const ui_landscape *state)
{
    const nw_landscape *l = nw_session_landscape(session);
    ui_scale own = {0}, shared = {0};
    source sources[UI_N_PANELS];
    for (int i = 0; i < UI_N_PANELS; i++) {
        sources[i] = (source){l, (nw_pane_id)i};
        /* what is not shown counts all the same, as large as what is */
        ui_heat heat =
            heat_of(&sources[i], places->panels[places->panels[i].rows ? i : (int)state->pane]);
        ui_scale_add(i == NW_PANE_MACS ? &own : &shared, canvas, &heat);
    }
    ui_scale_end(&own);
    ui_scale_end(&shared);
    for (int i = 0; i < UI_N_PANELS; i++) {
        if (!places->panels[i].rows)
            continue;
        ui_frame(canvas, places->panels[i], NULL);
        draw_title(canvas, places->panels[i], (nw_pane_id)i, l, session,
                   state->pane == (nw_pane_id)i);
        draw_panel(canvas, places->panels[i], &sources[i], i == NW_PANE_MACS ? &own : &shared,
                   state);
    }
    ui_scale_fini(&own);
    ui_scale_fini(&shared);
}

bool ui_landscape_point_at(const ui_landscape_places *places, const nw_session *session, int row,
                           int column, nw_pane_id *panel, int *x, int *y)
{
    const nw_landscape *l = nw_session_landscape(session);
    for (int i = 0; l && i < UI_N_PANELS; i++) {
        source s = {l, (nw_pane_id)i};
        if (!places->panels[i].rows)
            continue;
        ui_heat heat = heat_of(&s, places->panels[i]);
        if (!ui_heat_point(&heat, row, column, x, y))
            continue;
        *panel = (nw_pane_id)i;
        if (i == NW_PANE_CURATED) {
            *x = l->columns[*x];
            *y = l->rows[*y];
        }
        return true;
    }
    return false;
}
