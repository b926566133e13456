/* Above and below the Edit screen's table: the network, what changed against the baseline, prices.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/units.h"
#include "ui/edit.h"
#include "ui/layers.h"

enum { MAX_ITEMS = 12, NAME_COLUMNS = 10 };

/* ---- the head ---- */

typedef struct item_list {
    ui_layers_item items[MAX_ITEMS];
    int n;
} item_list;

static void add(item_list *list, int rank, ui_role role, const char *format, ...) NW_PRINTF(4, 5);

static void add(item_list *list, int rank, ui_role role, const char *format, ...)
{
    ui_layers_item *item = &list->items[list->n++];
    va_list args;
    va_start(args, format);
    vsnprintf(item->text, sizeof item->text, format, args);
    va_end(args);
    item->role = role;
    item->rank = rank;
}

static const char *plural(int n)
{
    return n == 1 ? "" : "s";
}

static bool has_cost(const nw_estimate *e)
{
    return !e->kernels->n_kernels || e->n_unknown < e->kernels->n_kernels;
}

static void add_doubts(const nw_estimate *e, item_list *list)
{
    if (e->n_unknown)
        add(list, 0, UI_ROLE_WARNING, "! %d kernel%s of unknown cost left out", e->n_unknown,
            plural(e->n_unknown));
    if (e->n_outside)
        add(list, 3, UI_ROLE_WARNING, "~%d extrapolated", e->n_outside);
    if (!e->fits)
        add(list, 0, UI_ROLE_WARNING, "DOES NOT FIT");
}

void ui_editor_draw_head(ui_canvas *canvas, ui_rect rect, const ui_editor *editor,
                         const nw_session *session)
{
    const nw_estimate *e = &editor->current->estimate;
    item_list list = {.n = 0};
    char label[64], text[128], edits[48] = "";
    nw_arena arena = {0};
    ui_layers_fit_middle(ui_layers_printable(&arena, editor->current->label), rect.columns / 3,
                         label, sizeof label);
    if (editor->n_edits)
        snprintf(edits, sizeof edits, "%d edit%s%s", editor->n_edits, plural(editor->n_edits),
                 nw_session_is_unsaved(session) ? ", unsaved" : "");
    add(&list, 0, UI_ROLE_TITLE, "%s%s", label, editor->n_edits ? "*" : "");
    add(&list, 0, UI_ROLE_TITLE, "%s",
        has_cost(e) ? nw_format_time(e->latency_ps, text, sizeof text) : "latency ?");
    if (e->has_band)
        add(&list, 4, UI_ROLE_TEXT, "(90%%: %s)",
            nw_format_band(e->latency_ps, e->low_ps, e->high_ps, text, sizeof text));
    if (edits[0])
        add(&list, 1, UI_ROLE_TEXT, "%s", edits);
    if (!editor->baseline)
        add(&list, 5, UI_ROLE_TEXT, "no baseline: the first edit sets it");
    add(&list, 2, UI_ROLE_TEXT, "undo %d · redo %d", nw_session_n_undo(session),
        nw_session_n_redo(session));
    add_doubts(e, &list);
    add(&list, 0, UI_ROLE_DIM, "%s%s %s", nw_format_estimator(e->estimator, text, sizeof text),
        e->estimator->regression ? ";" : ",",
        nw_report_is_calibrated(e, editor->current->hw) ? "calibrated"
        : !nw_report_is_simulated(e->estimator)         ? "sum not calibrated"
                                                        : "not calibrated");
    ui_layers_flow(canvas, rect, list.items, list.n);
    nw_arena_fini(&arena);
}

/* ---- the difference ---- */

/* "1.598 ms -> 1.460 ms", two figures with their units. */
static void format_pair(nw_formatter *format, ui_editor_total total, bool ascii, char *dst,
                        size_t size)
{
    char before[32], after[32];
    format(total.before, before, sizeof before);
    format(total.after, after, sizeof after);
    snprintf(dst, size, "%s %s %s", before, ascii ? "->" : "→", after);
}

/* Sign, amount, share, and a word where less is better. */
static void draw_change(ui_canvas *canvas, int row, int column, int columns,
                        const ui_editor *editor, nw_formatter *format, ui_editor_total total,
                        const char *note)
{
    char amount[40], share[32] = "";
    int64_t delta = total.after - total.before;
    if (!delta) {
        ui_text(canvas, row, column, columns, UI_ROLE_DIM, "the same");
        return;
    }
    bool is_less = delta < 0;
    ui_role role = editor->is_same_thing ? UI_ROLE_TEXT : is_less ? UI_ROLE_BETTER : UI_ROLE_WORSE;
    double percent = total.before > 0 ? 100 * (double)delta / (double)total.before : 0;
    if (total.before > 0 && percent > -0.05 && percent < 0.05) {
        ui_printf(canvas, row, column, columns, UI_ROLE_DIM, "%s, hardly any",
                  nw_format_signed(format, delta, amount, sizeof amount));
        return;
    }
    bool is_short = columns < 36 && total.before > 0; /* the share says it all */
    nw_format_signed(format, delta, amount, sizeof amount);
    if (total.before > 0)
        snprintf(share, sizeof share, is_short ? "%+.1f%%" : " (%+.1f%%)", percent);
    ui_printf(canvas, row, column, columns, role, "%s%s%s%s%s%s", is_short ? "" : amount, share,
              editor->is_same_thing ? ""
              : is_less             ? " ▼"
                                    : " ▲",
              editor->is_same_thing ? ""
              : is_less             ? " better"
                                    : " worse",
              *note ? ", " : "", note);
}

static void draw_latency(ui_canvas *canvas, int row, int column, int columns,
                         const ui_editor *editor, ui_editor_total total)
{
    const nw_difference *d = &editor->difference;
    if (!editor->has_difference) {
        ui_text(canvas, row, column, columns, UI_ROLE_WARNING, "? costs are unknown");
    } else if (d->latency_ps && d->has_band && d->low_ps <= 0 && d->high_ps >= 0) {
        char share[32] = "";
        double percent = total.before > 0 ? 100 * (double)d->latency_ps / (double)total.before : 0;
        if (percent <= -0.05 || percent >= 0.05)
            snprintf(share, sizeof share, "%+.1f%%, ", percent);
        ui_printf(canvas, row, column, columns, UI_ROLE_DIM, "%s%s", share,
                  columns < 44 ? "too close to tell" : "below what this estimator can tell");
    } else {
        draw_change(canvas, row, column, columns, editor, nw_format_time, total, "");
    }
}

static const char *spill_note(const ui_editor *editor)
{
    return editor->spilled && !editor->spills   ? "spill gone"
           : !editor->spilled && editor->spills ? "now spills"
           : editor->spills                     ? "spills"
                                                : "";
}

void ui_editor_draw_difference(ui_canvas *canvas, ui_rect rect, const ui_editor *editor)
{
    static const char *const names[] = {"MACs", "weights", "SRAM peak"};
    static nw_formatter *const formats[] = {nw_format_count, nw_format_bytes, nw_format_bytes};
    const nw_estimate *now = &editor->current->estimate;
    const nw_estimate *base = editor->baseline ? &editor->baseline->estimate : now;
    int first = rect.column + NAME_COLUMNS, wide = rect.columns >= 80 ? 26 : 23;
    char text[96];
    for (int i = -1; i < UI_EDITOR_N_TOTALS && i + 1 < rect.rows; i++) {
        int row = rect.row + i + 1;
        nw_formatter *format = i < 0 ? nw_format_time : formats[i];
        ui_editor_total total =
            i < 0 ? (ui_editor_total){base->latency_ps, now->latency_ps} : editor->totals[i];
        ui_text(canvas, row, rect.column, NAME_COLUMNS - 1, UI_ROLE_TEXT,
                i < 0 ? "latency" : names[i]);
        if (!editor->baseline) {
            bool is_known = i >= 0 || has_cost(now);
            ui_text(canvas, row, first, -1, UI_ROLE_TEXT,
                    is_known ? format(total.after, text, sizeof text) : "?");
            if (i == UI_EDITOR_PEAK && editor->spills)
                ui_text(canvas, row, first + wide, -1, UI_ROLE_WARNING, "spills");
            continue;
        }
        format_pair(format, total, canvas->ascii, text, sizeof text);
        ui_text(canvas, row, first, wide, UI_ROLE_TEXT, text);
        int column = first + wide, columns = rect.columns - NAME_COLUMNS - wide;
        if (i < 0)
            draw_latency(canvas, row, column, columns, editor, total);
        else
            draw_change(canvas, row, column, columns, editor, format, total,
                        i == UI_EDITOR_PEAK ? spill_note(editor) : "");
    }
}

/* ---- prices ---- */

static void draw_price(ui_canvas *canvas, ui_rect rect, int row, const ui_editor *editor, bool up)
{
    const nw_align *a = &editor->align;
    const nw_align_price *price = up ? &a->up : &a->down;
    bool is_nearest = !a->is_aligned && a->nearest_is_up == up;
    bool is_chosen = editor->takes_up == up;
    char head[64], time[40], macs[40], peak[40];
    char channels[24] = "";
    if (price->n > 0)
        snprintf(channels, sizeof channels, "c%lld", (long long)price->n);
    snprintf(head, sizeof head, "%c %-4s %-6s%s", is_chosen ? '>' : ' ', up ? "up" : "down",
             channels, is_nearest ? "nearest" : "");
    ui_text(canvas, row, rect.column, 22, is_chosen ? UI_ROLE_TITLE : UI_ROLE_TEXT, head);
    int column = rect.column + 22, columns = rect.columns - 22;
    if (!price->is_possible) {
        ui_text_cut(canvas, row, column, columns, UI_ROLE_WARNING, price->why);
        return;
    }
    const nw_effect *e = &price->effect;
    bool is_less = e->latency.latency_ps < 0;
    ui_role role = e->is_below ? UI_ROLE_DIM : is_less ? UI_ROLE_BETTER : UI_ROLE_WORSE;
    if (!e->latency.latency_ps)
        role = UI_ROLE_TEXT;
    column += ui_printf(canvas, row, column, columns, role, "%-10s %s",
                        nw_format_signed(nw_format_time, e->latency.latency_ps, time, sizeof time),
                        !e->latency.latency_ps ? " "
                        : is_less              ? "▼"
                                               : "▲");
    nw_format_signed(nw_format_bytes, e->peak_live_bytes, peak, sizeof peak);
    ui_printf(canvas, row, column, rect.column + rect.columns - column, UI_ROLE_TEXT,
              "%s%s  %s MACs%s%s", e->is_below ? " too close to tell" : "",
              e->fits ? "" : "  does not fit",
              nw_format_signed(nw_format_count, e->macs, macs, sizeof macs),
              e->peak_live_bytes ? "  peak " : "", e->peak_live_bytes ? peak : "");
}

void ui_editor_draw_prices(ui_canvas *canvas, ui_rect rect, const ui_editor *editor)
{
    const nw_align *a = &editor->align;
    char line[200];
    snprintf(line, sizeof line, "%s c%lld, step %lld%s; with it %s", editor->priced,
             (long long)a->n, (long long)a->step, a->is_aligned ? ", aligned" : "", a->members);
    ui_text_cut(canvas, rect.row, rect.column, rect.columns, UI_ROLE_TEXT, line);
    draw_price(canvas, rect, rect.row + 1, editor, false);
    draw_price(canvas, rect, rect.row + 2, editor, true);
    if (rect.rows > 3)
        ui_text_cut(canvas, rect.row + 3, rect.column, rect.columns, UI_ROLE_DIM,
                    "a: the other one   Enter: take it   Esc: leave it");
}

/* ---- the best next edit ---- */

void ui_editor_draw_best(ui_canvas *canvas, ui_rect rect, const ui_editor *editor)
{
    char time[40], macs[40];
    int column = rect.column, end = rect.column + rect.columns;
    bool is_ready = editor->n_whatif && editor->n_ready == editor->n_whatif;
    if (!editor->follows || !editor->n_whatif || editor->is_whatif_old) {
        ui_text(canvas, rect.row, column, rect.columns, UI_ROLE_DIM, "best next: being tried");
        return;
    }
    const nw_whatif_row *best = editor->n_done ? &editor->whatif[0] : NULL;
    bool helps = best && best->effect.latency.latency_ps < 0;
    if (helps) {
        column += ui_printf(canvas, rect.row, column, end - column, UI_ROLE_TEXT, "best next: %s ",
                            best->label);
        column += ui_printf(
            canvas, rect.row, column, end - column,
            best->effect.is_below ? UI_ROLE_DIM : UI_ROLE_BETTER, "%s ▼",
            nw_format_signed(nw_format_time, best->effect.latency.latency_ps, time, sizeof time));
        column +=
            ui_printf(canvas, rect.row, column, end - column, UI_ROLE_TEXT, ", %s MACs",
                      nw_format_signed(nw_format_count, best->effect.macs, macs, sizeof macs));
    } else {
        column += ui_text(canvas, rect.row, column, end - column, UI_ROLE_TEXT,
                          is_ready ? "best next: nothing one key away is faster"
                                   : "best next: nothing faster yet");
    }
    if (!is_ready)
        ui_printf(canvas, rect.row, column, end - column, UI_ROLE_DIM, "   %d of %d tried",
                  editor->n_ready, editor->n_whatif);
    else
        ui_text(canvas, rect.row, column, end - column, UI_ROLE_DIM, "   (v: all)");
}
