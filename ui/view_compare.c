/* view_compare.c - networks beside each other: totals, where the time goes, what differs.
 *
 * One list of lines: totals, then latency by stage or block, then the stages whose blocks differ.
 * The first network is the baseline; others scroll sideways where the screen is too narrow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/report.h"
#include "ui/view.h"
#include "ui/widget.h"

enum { LABEL_COLUMNS = 14, CELL_COLUMNS = 24, HEAD_ROWS = 3, WHEEL_LINES = 3 };

typedef enum line_kind { LINE_TOTAL, LINE_TITLE, LINE_ROW, LINE_ARCH } line_kind;

typedef struct line {
    line_kind kind;
    int index;    /* which total; of the rows */
    bool differs; /* some network from the baseline */
} line;

typedef struct compare_state {
    const nw_point *points[NW_MAX_COMPARED]; /* retained */
    nw_comparison *comparison;               /* NULL: fewer than two, or they do not go together */
    char problem[256];
    line *lines;
    int n_lines, n, n_left_out;
    int cursor; /* in lines */
    int first;  /* the first network shown beside the baseline */
    bool shows_blocks, only_differences;
} compare_state;

/* ---- what is compared ---- */

static void drop(compare_state *c)
{
    nw_comparison_free(c->comparison);
    c->comparison = NULL;
    for (int i = 0; i < c->n; i++)
        nw_point_release(c->points[i]);
    c->n = 0;
    free(c->lines);
    c->lines = NULL;
    c->n_lines = 0;
}

static void fini(void *state)
{
    drop(state);
}

static bool is_other(const nw_compare_row *row, int n, bool by_text)
{
    for (int i = 1; i < n; i++)
        if (by_text ? row->cells[i].has_other_text : row->cells[i].has_other_time)
            return true;
    return false;
}

static void add_line(compare_state *c, line_kind kind, int index, bool differs)
{
    if (c->only_differences && !differs && (kind == LINE_ROW || kind == LINE_ARCH))
        return;
    c->lines[c->n_lines++] = (line){kind, index, differs};
}

enum { TOTAL_LATENCY, TOTAL_ENERGY, TOTAL_MACS, TOTAL_PARAMS, TOTAL_WEIGHTS, TOTAL_PEAK, N_TOTALS };

static int64_t total_of(const nw_comparison *cmp, int total, int i)
{
    const nw_estimate *e = cmp->networks[i].estimate;
    const nw_counts *counts = &cmp->totals[i].counts;
    switch (total) {
    case TOTAL_LATENCY:
        return e->latency_ps;
    case TOTAL_ENERGY:
        return e->energy_fj;
    case TOTAL_MACS:
        return e->macs;
    case TOTAL_PARAMS:
        return counts->params;
    case TOTAL_WEIGHTS:
        return counts->weight_bytes;
    default:
        return e->peak_live_bytes;
    }
}

static void list_lines(compare_state *c)
{
    const nw_comparison *cmp = c->comparison;
    free(c->lines);
    c->lines = NULL;
    c->n_lines = 0;
    if (!cmp)
        return;
    int n_rows = c->shows_blocks ? cmp->n_blocks : cmp->n_stages;
    const nw_compare_row *rows = c->shows_blocks ? cmp->blocks : cmp->stages;
    c->lines = nw_alloc((size_t)(N_TOTALS + n_rows + cmp->n_stages + 2) * sizeof *c->lines);
    for (int i = 0; i < N_TOTALS; i++) {
        bool differs = false;
        for (int j = 1; j < cmp->n; j++)
            differs |= total_of(cmp, i, j) != total_of(cmp, i, 0);
        add_line(c, LINE_TOTAL, i, differs);
    }
    add_line(c, LINE_TITLE, 0, false);
    for (int i = 0; i < n_rows; i++)
        add_line(c, LINE_ROW, i, is_other(&rows[i], cmp->n, false));
    add_line(c, LINE_TITLE, 1, false);
    for (int i = 0; i < cmp->n_stages; i++)
        if (is_other(&cmp->stages[i], cmp->n, true))
            add_line(c, LINE_ARCH, i, true);
    c->cursor = ui_list_clamp(c->cursor, c->n_lines);
}

static void update(const nw_session *session, void *state)
{
    compare_state *c = state;
    const nw_point *now[NW_MAX_COMPARED];
    int n = nw_session_compared(session, now, &c->n_left_out);
    bool is_same = n == c->n && c->comparison;
    for (int i = 0; is_same && i < n; i++)
        is_same = now[i] == c->points[i];
    if (is_same)
        return;
    for (int i = 0; i < n; i++)
        nw_point_retain(now[i]);
    drop(c);
    memcpy(c->points, now, (size_t)n * sizeof *now);
    c->n = n;
    c->problem[0] = '\0';
    c->first = c->first < n ? c->first : 1;
    nw_compared networks[NW_MAX_COMPARED];
    for (int i = 0; i < n; i++)
        networks[i] = (nw_compared){now[i]->label, now[i]->arch, &now[i]->estimate};
    nw_error err;
    if (n >= 2 && nw_comparison_new(now[0]->hw, networks, n, &c->comparison, &err) != NW_OK) {
        c->comparison = NULL;
        snprintf(c->problem, sizeof c->problem, "%.250s", err.message);
    }
    list_lines(c);
}

static void init(const nw_session *session, void *state)
{
    compare_state *c = state;
    c->first = 1;
    update(session, state);
}

/* ---- drawing ---- */

/* How many networks fit beside the labels, the baseline among them. */
static int count_shown(const compare_state *c, ui_rect rect)
{
    int n = (rect.columns - LABEL_COLUMNS) / CELL_COLUMNS;
    n = n < 2 ? 2 : n;
    return n < c->n ? n : c->n;
}

/* Which network stands in place i. */
static int network_at(const compare_state *c, int place)
{
    return place == 0 ? 0 : c->first + place - 1;
}

static int column_of(ui_rect rect, int n_shown, int place)
{
    return rect.column + LABEL_COLUMNS + place * ((rect.columns - LABEL_COLUMNS) / n_shown);
}

static void format_total(int total, int64_t value, char *dst, size_t size)
{
    if (total == TOTAL_LATENCY)
        nw_format_time(value, dst, size);
    else if (total == TOTAL_ENERGY)
        nw_format_energy(value, dst, size);
    else if (total == TOTAL_MACS || total == TOTAL_PARAMS)
        nw_format_count(value, dst, size);
    else
        nw_format_bytes(value, dst, size);
}

/* "-8.7 % v", or what the estimator cannot tell. */
static void draw_share(ui_canvas *canvas, int row, int column, const nw_comparison *cmp, int total,
                       int i)
{
    int64_t base = total_of(cmp, total, 0), value = total_of(cmp, total, i);
    bool is_time = total == TOTAL_LATENCY;
    if (value == base || base <= 0)
        return;
    if (is_time && cmp->totals[i].effect.is_below) {
        ui_printf(canvas, row, column, -1, UI_ROLE_DIM, " %+.1f %% too close",
                  100 * ((double)value - (double)base) / (double)base);
        return;
    }
    double share = 100 * ((double)value - (double)base) / (double)base;
    bool is_tiny = share > -0.05 && share < 0.05;
    ui_role role = is_tiny ? UI_ROLE_DIM : value < base ? UI_ROLE_BETTER : UI_ROLE_WORSE;
    int used = ui_printf(canvas, row, column, -1, role, " %+.1f %% ", share);
    if (is_tiny)
        return;
    ui_put(canvas, row, column + used, role,
           ui_glyph(canvas, value < base ? UI_GLYPH_BETTER : UI_GLYPH_WORSE));
}

static void draw_total(ui_canvas *canvas, ui_rect rect, int row, const compare_state *c, int total)
{
    static const char *const names[N_TOTALS] = {"latency", "energy",  "MACs",
                                                "params",  "weights", "peak memory"};
    int n_shown = count_shown(c, rect);
    ui_text(canvas, row, rect.column + 1, LABEL_COLUMNS - 2, UI_ROLE_TEXT, names[total]);
    for (int place = 0; place < n_shown; place++) {
        char text[48];
        int i = network_at(c, place), column = column_of(rect, n_shown, place);
        bool is_known = c->comparison->totals[i].has_cost || total >= TOTAL_MACS;
        format_total(total, total_of(c->comparison, total, i), text, sizeof text);
        int used =
            ui_text(canvas, row, column, CELL_COLUMNS - 1, UI_ROLE_TEXT, is_known ? text : "?");
        if (place && is_known)
            draw_share(canvas, row, column + used, c->comparison, total, i);
    }
}

static int64_t longest(const nw_comparison *cmp, const nw_compare_row *rows, int n_rows)
{
    int64_t most = 1;
    for (int r = 0; r < n_rows; r++)
        for (int i = 0; i < cmp->n; i++)
            if (rows[r].cells[i].is_there && rows[r].cells[i].cost.latency_ps > most)
                most = rows[r].cells[i].cost.latency_ps;
    return most;
}

static void draw_row(ui_canvas *canvas, ui_rect rect, int row, const compare_state *c, int index)
{
    const nw_comparison *cmp = c->comparison;
    const nw_compare_row *rows = c->shows_blocks ? cmp->blocks : cmp->stages;
    int n_rows = c->shows_blocks ? cmp->n_blocks : cmp->n_stages;
    int n_shown = count_shown(c, rect);
    int width = (rect.columns - LABEL_COLUMNS) / n_shown;
    int64_t most = longest(cmp, rows, n_rows);
    ui_printf(canvas, row, rect.column + 1, LABEL_COLUMNS - 2, UI_ROLE_TEXT, "%s%s",
              c->shows_blocks || rows[index].label[0] == 'r' ? "" : "stage ", rows[index].label);
    for (int place = 0; place < n_shown; place++) {
        char time[32];
        int i = network_at(c, place), column = column_of(rect, n_shown, place);
        const nw_compare_cell *cell = &rows[index].cells[i];
        if (!cell->is_there) {
            ui_text(canvas, row, column, width - 1, UI_ROLE_DIM, "-");
            continue;
        }
        nw_format_time(cell->cost.latency_ps, time, sizeof time);
        ui_text(canvas, row, column, 10, UI_ROLE_TEXT, cell->is_known ? time : "?");
        if (place && (cell->has_other_time || cell->has_other_text))
            ui_text(canvas, row, column + 10, 1, UI_ROLE_WARNING, canvas->ascii ? "!" : "≠");
        if (width > 14)
            ui_bar(canvas, row, column + 12, width - 14,
                   (double)cell->cost.latency_ps / (double)most, UI_ROLE_BAR);
    }
}

static void draw_arch(ui_canvas *canvas, ui_rect rect, int row, const compare_state *c, int index)
{
    int n_shown = count_shown(c, rect);
    int width = (rect.columns - LABEL_COLUMNS) / n_shown;
    const nw_compare_row *r = &c->comparison->stages[index];
    ui_printf(canvas, row, rect.column + 1, LABEL_COLUMNS - 2, UI_ROLE_TEXT, "%s%s",
              r->label[0] == 'r' ? "" : "stage ", r->label);
    for (int place = 0; place < n_shown; place++) {
        const nw_compare_cell *cell = &r->cells[network_at(c, place)];
        ui_text_cut(canvas, row, column_of(rect, n_shown, place), width - 1,
                    place && cell->has_other_text ? UI_ROLE_WARNING : UI_ROLE_TEXT,
                    cell->is_there ? cell->text : "-");
    }
}

static void draw_line(ui_canvas *canvas, ui_rect rect, int row, const compare_state *c, int at)
{
    const line *l = &c->lines[at];
    switch (l->kind) {
    case LINE_TOTAL:
        draw_total(canvas, rect, row, c, l->index);
        break;
    case LINE_TITLE:
        ui_rule(canvas, row, rect.column, rect.columns);
        ui_printf(canvas, row, rect.column + 1, -1, UI_ROLE_TITLE, " %s ",
                  l->index          ? "stages that differ"
                  : c->shows_blocks ? "latency by block, one scale"
                                    : "latency by stage, one scale");
        break;
    case LINE_ROW:
        draw_row(canvas, rect, row, c, l->index);
        break;
    case LINE_ARCH:
        draw_arch(canvas, rect, row, c, l->index);
        break;
    }
    if (at == c->cursor)
        ui_put(canvas, row, rect.column, UI_ROLE_CURSOR, '>');
}

static void draw_names(ui_canvas *canvas, ui_rect rect, const compare_state *c)
{
    int n_shown = count_shown(c, rect);
    int width = (rect.columns - LABEL_COLUMNS) / n_shown;
    for (int place = 0; place < n_shown; place++) {
        char name[160];
        int i = network_at(c, place), n_edits;
        nw_arch_edits(c->points[i]->arch, &n_edits);
        if (n_edits)
            snprintf(name, sizeof name, "%.120s*, %d edit%s", c->points[i]->label, n_edits,
                     n_edits == 1 ? "" : "s");
        else
            snprintf(name, sizeof name, "%.140s", c->points[i]->label);
        ui_text_cut(canvas, rect.row + 2, column_of(rect, n_shown, place), width - 1, UI_ROLE_TITLE,
                    name);
    }
    if (n_shown < c->n)
        ui_printf(canvas, rect.row + 1, rect.column, -1, UI_ROLE_DIM,
                  "%d of %d networks shown; Tab shows the next", n_shown, c->n);
}

static void draw_empty(ui_canvas *canvas, ui_rect rect, const compare_state *c)
{
    ui_rect text = {rect.row + 1, rect.column + 2, rect.rows - 2, rect.columns - 4};
    const char *what =
        c->problem[0] ? c->problem
        : c->n_left_out
            ? "What was kept is on other hardware or by another estimator: only what is estimated "
              "alike can be compared. b pins what is open as the baseline."
            : "Nothing to compare yet: edit what is open (its baseline is what was opened), or "
              "keep "
              "it with c and open another.";
    ui_text_wrapped(canvas, text, UI_ROLE_TEXT, what);
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const compare_state *c = state;
    (void)session;
    if (!c->comparison) {
        draw_empty(canvas, rect, c);
        return;
    }
    char estimator[96];
    ui_printf(canvas, rect.row, rect.column, rect.columns, UI_ROLE_TEXT,
              "%d networks on %s by %s, the first is the baseline%s", c->n, c->points[0]->hw->name,
              nw_format_estimator(c->points[0]->estimate.estimator, estimator, sizeof estimator),
              c->n_left_out ? "; others are not estimated alike" : "");
    draw_names(canvas, rect, c);
    int rows = rect.rows - HEAD_ROWS;
    int top = ui_list_top(c->cursor, rows);
    for (int i = 0; i < rows && top + i < c->n_lines; i++)
        draw_line(canvas, rect, rect.row + HEAD_ROWS + i, c, top + i);
}

/* ---- commands ---- */

/* The next line that differs, in a direction; false: there is none. */
static bool find_difference(compare_state *c, int step)
{
    for (int i = c->cursor + step; i >= 0 && i < c->n_lines; i += step)
        if (c->lines[i].differs) {
            c->cursor = i;
            return true;
        }
    return false;
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    compare_state *c = state;
    ui_reply done = {.kind = UI_REPLY_DONE}, ignored = {.kind = UI_REPLY_IGNORED};
    (void)session;
    switch (id) {
    case UI_COMMAND_DRILL:
        return (ui_reply){.kind = UI_REPLY_COMMAND, .command = UI_COMMAND_SCREEN_EDIT};
    case UI_COMMAND_DIFFERENCES:
        c->only_differences = !c->only_differences;
        list_lines(c);
        return done;
    case UI_COMMAND_PANE_VIEW:
        c->shows_blocks = !c->shows_blocks;
        list_lines(c);
        return done;
    case UI_COMMAND_FIND_NEXT:
    case UI_COMMAND_FIND_PREVIOUS:
        return find_difference(c, id == UI_COMMAND_FIND_NEXT ? 1 : -1) ? done : ignored;
    case UI_COMMAND_NEXT_PANE:
    case UI_COMMAND_RIGHT:
        c->first = c->first + count_shown(c, rect) - 1 < c->n ? c->first + 1 : 1;
        return done;
    case UI_COMMAND_PREVIOUS_PANE:
    case UI_COMMAND_LEFT:
        c->first = c->first > 1 ? c->first - 1 : 1;
        return done;
    default:
        return ui_list_move(&c->cursor, c->n_lines, rect.rows - HEAD_ROWS, id) ? done : ignored;
    }
}

static bool answers(ui_command id, const void *state)
{
    (void)state;
    switch (id) {
    case UI_COMMAND_DRILL:
    case UI_COMMAND_DIFFERENCES:
    case UI_COMMAND_PANE_VIEW:
    case UI_COMMAND_FIND_NEXT:
    case UI_COMMAND_FIND_PREVIOUS:
    case UI_COMMAND_NEXT_PANE:
    case UI_COMMAND_PREVIOUS_PANE:
    case UI_COMMAND_LEFT:
    case UI_COMMAND_RIGHT:
    case UI_COMMAND_DOWN:
    case UI_COMMAND_UP:
    case UI_COMMAND_TOP:
    case UI_COMMAND_BOTTOM:
    case UI_COMMAND_PAGE_DOWN:
    case UI_COMMAND_PAGE_UP:
        return true;
    default:
        return false;
    }
}

static ui_reply mouse_compare(ui_mouse mouse, ui_rect rect, const nw_session *session, void *state)
{
    compare_state *c = state;
    int rows = rect.rows - HEAD_ROWS;
    int at = ui_list_top(c->cursor, rows) + mouse.row - rect.row - HEAD_ROWS;
    bool is_wheel = mouse.what == UI_MOUSE_WHEEL_UP || mouse.what == UI_MOUSE_WHEEL_DOWN;
    if (!c->n_lines || (!is_wheel && (mouse.row < rect.row + HEAD_ROWS || at >= c->n_lines)))
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    if (is_wheel)
        at = c->cursor + (mouse.what == UI_MOUSE_WHEEL_UP ? -WHEEL_LINES : WHEEL_LINES);
    c->cursor = ui_list_clamp(at, c->n_lines);
    if (mouse.what == UI_MOUSE_DOUBLE)
        return command(UI_COMMAND_DRILL, rect, session, state);
    return (ui_reply){.kind = UI_REPLY_DONE};
}

static char *copy(const nw_session *session, const void *state)
{
    const compare_state *c = state;
    nw_buf text = {0};
    (void)session;
    if (!c->comparison)
        return NULL;
    nw_compare_text(c->comparison, 0, &text);
    return text.text;
}

static const char *const footer[] = {"down",        "find.next=next difference",
                                     "differences", "view=blocks",
                                     "drill=edit",  "pane.next=network",
                                     "keep",        "baseline",
                                     "export",      "copy",
                                     "undo",        "palette",
                                     "help",        NULL};

const ui_view ui_view_compare = {
    .name = "Compare",
    .short_name = "Comp",
    .help = "networks beside each other: the baseline, what was kept, what is open",
    .state_size = sizeof(compare_state),
    .init = init,
    .fini = fini,
    .update = update,
    .draw = draw,
    .command = command,
    .mouse = mouse_compare,
    .footer = footer,
    .copy = copy,
    .answers = answers,
};
