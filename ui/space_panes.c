#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/report/report.h"
#include "ui/space.h"
#include "ui/widget.h"

enum {
    NAME_COLUMNS = 9,
    KIND_COLUMNS = 11,
    BASE_COLUMNS = 8,
    COUNT_COLUMNS = 9,
    EXACT_DIGITS = 18
};

/* ---- the first rows ---- */

/* All digits up to 1e18, "~2.6e+40" above. */
static const char *format_size(const nw_space *space, char *dst, size_t size)
{
    nw_buf digits = {0};
    nw_space_size(space, &digits);
    if (digits.length <= EXACT_DIGITS)
        snprintf(dst, size, "%s", nw_buf_text(&digits));
    else
        snprintf(dst, size, "~%.2g", nw_space_size_approx(space));
    nw_buf_fini(&digits);
    return dst;
}

static void format_curated(const nw_session *session, char *dst, size_t size)
{
    const nw_space *curated = nw_session_curated(session);
    const char *hw = nw_session_hw(session)->name;
    char text[64];
    if (curated)
        snprintf(dst, size, "%s curated for %.24s%s", format_size(curated, text, sizeof text), hw,
                 nw_session_is_curated(session) ? ", in force" : " (C puts them in force)");
    else if (nw_session_curation_phase(session) == NW_PHASE_RUNNING)
        snprintf(dst, size, "curating for %.24s: %s", hw, nw_session_curation_doing(session));
    else if (nw_session_curation_phase(session) == NW_PHASE_FAILED)
        snprintf(dst, size, "not curated: %s", nw_session_curation_doing(session));
    else
        snprintf(dst, size, "not curated yet");
}

void ui_space_draw_head(ui_canvas *canvas, ui_rect rect, const nw_session *session)
{
    const nw_space *space = nw_session_space(session);
    char size[64], curated[256], text[512];
    int end = rect.column + rect.columns, column = rect.column;
    const char *source = nw_space_source(space);
    column += ui_text_cut(canvas, rect.row, column, rect.columns / 3, UI_ROLE_TITLE,
                          nw_space_name(space)) +
              2;
    if (source && *source && strcmp(source, nw_space_name(space)) != 0)
        column += ui_text_cut(canvas, rect.row, column, rect.columns / 3, UI_ROLE_DIM, source) + 2;
    snprintf(text, sizeof text, "%d dimensions, %s networks", nw_space_n_dims(space),
             format_size(space, size, sizeof size));
    ui_text_cut(canvas, rect.row, column, end - column, UI_ROLE_TEXT, text);
    format_curated(session, curated, sizeof curated);
    bool is_failed = nw_session_curation_phase(session) == NW_PHASE_FAILED;
    ui_text_cut(canvas, rect.row + 1, rect.column, rect.columns,
                is_failed ? UI_ROLE_WARNING : UI_ROLE_TEXT, curated);
}

/* ---- dimensions ---- */

static int count_kept(const nw_session *session, int dim, int n_options)
{
    int n = 0;
    for (int i = 0; i < n_options; i++)
        n += nw_session_keeps(session, dim, i);
    return n;
}

/* Options one after the other, those that curation leaves out dim; the last ones give way. */
static void draw_option_row(ui_canvas *canvas, int row, int column, int end,
                            const nw_session *session, const nw_dim *d, int dim)
{
    bool has_curation = nw_session_curation(session) != NULL;
    for (int i = 0; i < d->n_options; i++) {
        char text[64];
        bool is_kept = nw_session_keeps(session, dim, i);
        nw_option_text(d->kind, &d->options[i], text, sizeof text);
        if (!is_kept && has_curation)
            continue;
        if (column + ui_text_columns(text) + (i + 1 < d->n_options ? 2 : 0) > end) {
            ui_put(canvas, row, column < end ? column : end - 1, UI_ROLE_DIM,
                   ui_glyph(canvas, UI_GLYPH_ELLIPSIS));
            return;
        }
        bool is_pinned = nw_session_hand(session, dim, i) == NW_HAND_KEEP;
        column += ui_text(canvas, row, column, end - column,
                          is_pinned ? UI_ROLE_MARK
                          : is_kept ? UI_ROLE_TEXT
                                    : UI_ROLE_DIM,
                          text) +
                  1;
    }
}

static void draw_dim(ui_canvas *canvas, int row, ui_rect rect, const nw_session *session, int dim)
{
    int n, column = rect.column, end = rect.column + rect.columns;
    char text[64];
    const nw_dim *d = &nw_space_dims(nw_session_space(session), &n)[dim];
    ui_text_cut(canvas, row, column, NAME_COLUMNS - 1, UI_ROLE_TITLE, d->name);
    column += NAME_COLUMNS;
    ui_text_cut(canvas, row, column, KIND_COLUMNS - 1, UI_ROLE_DIM, nw_dim_kind_name(d->kind));
    column += KIND_COLUMNS;
    if (d->base >= 0)
        nw_option_text(d->kind, &d->options[d->base], text, sizeof text);
    else
        snprintf(text, sizeof text, "-");
    ui_text_cut(canvas, row, column, BASE_COLUMNS - 1, UI_ROLE_TEXT, text);
    column += BASE_COLUMNS;
    if (nw_session_curation(session))
        ui_printf(canvas, row, column, COUNT_COLUMNS - 1, UI_ROLE_TEXT, "%d/%d",
                  count_kept(session, dim, d->n_options), d->n_options);
    else
        ui_printf(canvas, row, column, COUNT_COLUMNS - 1, UI_ROLE_TEXT, "%d", d->n_options);
    column += COUNT_COLUMNS;
    draw_option_row(canvas, row, column, end, session, d, dim);
}

void ui_space_draw_list(ui_canvas *canvas, ui_rect rect, const nw_session *session,
                        const ui_space *state)
{
    int n = nw_space_n_dims(nw_session_space(session)), column = rect.column;
    int lines = rect.rows - 1, top = ui_list_top(state->dim, lines);
    ui_text(canvas, rect.row, column, -1, UI_ROLE_DIM, "name");
    ui_text(canvas, rect.row, column += NAME_COLUMNS, -1, UI_ROLE_DIM, "kind");
    ui_text(canvas, rect.row, column += KIND_COLUMNS, -1, UI_ROLE_DIM, "base");
    ui_text(canvas, rect.row, column += BASE_COLUMNS, -1, UI_ROLE_DIM, "options");
    ui_text(canvas, rect.row, column + COUNT_COLUMNS, rect.columns - 37, UI_ROLE_DIM,
            nw_session_curation(session) ? "worth having here" : "all of them");
    for (int i = 0; i < lines && top + i < n; i++) {
        draw_dim(canvas, rect.row + 1 + i, rect, session, top + i);
        if (top + i == state->dim)
            ui_reverse_row(canvas, rect.row + 1 + i, rect.column, rect.columns);
    }
}

/* ---- options of one of them ---- */

/* The reason of the option under the cursor has the last rows. */
int ui_space_option_lines(ui_rect rect)
{
    int rows = rect.rows - 3;
    return rows >= 6 ? rows - 2 : rows >= 4 ? rows - 1 : rows;
}

static const char *state_word(const nw_session *session, int dim, int option)
{
    const nw_curation *curation = nw_session_curation(session);
    nw_hand hand = nw_session_hand(session, dim, option);
    if (hand != NW_HAND_FREE)
        return hand == NW_HAND_KEEP ? "pinned" : "removed";
    return curation ? nw_verdict_name(nw_curation_verdicts(curation, dim)[option].verdict) : "?";
}

static void format_us(double us, bool is_signed, char *dst, size_t size)
{
    if (isnan(us))
        snprintf(dst, size, "?");
    else if (is_signed)
        nw_format_signed(nw_format_time, (int64_t)llround(us * 1e6), dst, size);
    else
        nw_format_time((int64_t)llround(us * 1e6), dst, size);
}

static void draw_option(ui_canvas *canvas, int row, ui_rect rect, const nw_session *session,
                        int dim, int option)
{
    int n, column = rect.column, end = rect.column + rect.columns;
    char text[64];
    const nw_dim *d = &nw_space_dims(nw_session_space(session), &n)[dim];
    const nw_curation *curation = nw_session_curation(session);
    bool is_kept = nw_session_keeps(session, dim, option);
    ui_role role = is_kept ? UI_ROLE_TEXT : UI_ROLE_DIM;
    ui_printf(canvas, row, column, 12, is_kept ? UI_ROLE_TITLE : UI_ROLE_DIM, "%s%s",
              nw_option_text(d->kind, &d->options[option], text, sizeof text),
              option == d->base ? " base" : "");
    ui_text(canvas, row, column + 13, 10, role, state_word(session, dim, option));
    if (!curation)
        return;
    const nw_option_verdict *v = &nw_curation_verdicts(curation, dim)[option];
    column += 24;
    if (rect.columns >= 70) {
        format_us(v->latency_us, false, text, sizeof text);
        ui_text_right(canvas, row, column + 9, role, text);
        format_us(v->step_us, true, text, sizeof text);
        ui_text_right(canvas, row, column + 20, role, text);
        column += 22;
    }
    ui_text_cut(canvas, row, column, end - column, role, v->why);
}

void ui_space_draw_options(ui_canvas *canvas, ui_rect rect, const nw_session *session,
                           const ui_space *state)
{
    int n;
    char title[256];
    const nw_dim *d = &nw_space_dims(nw_session_space(session), &n)[state->dim];
    snprintf(title, sizeof title, "%.40s: %s of %.40s%s%.80s", d->name, nw_dim_kind_name(d->kind),
             d->where && *d->where ? d->where : "the network", d->file && *d->file ? ", " : "",
             d->file && *d->file ? d->file : "");
    if (d->file && *d->file)
        snprintf(title + strlen(title), sizeof title - strlen(title), ":%d", d->line);
    ui_rect in = ui_frame(canvas, rect, title);
    in = (ui_rect){in.row, in.column + 1, in.rows, in.columns - 2};
    int lines = ui_space_option_lines(rect), top = ui_list_top(state->option, lines);
    ui_text(canvas, in.row, in.column, in.columns, UI_ROLE_DIM,
            in.columns >= 70 ? "option       verdict       latency       step   why"
                             : "option       verdict    why");
    for (int i = 0; i < lines && top + i < d->n_options; i++) {
        draw_option(canvas, in.row + 1 + i, in, session, state->dim, top + i);
        if (top + i == state->option)
            ui_reverse_row(canvas, in.row + 1 + i, in.column, in.columns);
    }
    const nw_curation *curation = nw_session_curation(session);
    if (curation && in.rows > 1 + lines)
        ui_text_wrapped(
            canvas, (ui_rect){in.row + 1 + lines, in.column, in.rows - 1 - lines, in.columns},
            UI_ROLE_TEXT, nw_curation_verdicts(curation, state->dim)[state->option].why);
}

/* ---- the hardware ---- */

typedef struct lines {
    ui_canvas *canvas;
    ui_rect rect;
    int n;
} lines;

static void add_line(lines *l, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add_line(lines *l, const char *name, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (l->n >= l->rect.rows)
        return;
    int row = l->rect.row + l->n++;
    ui_text(l->canvas, row, l->rect.column, 13, UI_ROLE_DIM, name);
    ui_text_cut(l->canvas, row, l->rect.column + 13, l->rect.columns - 13, UI_ROLE_TEXT, text);
}

static void add_array(lines *l, const nw_hw *hw)
{
    double macs = (double)nw_hw_macs_per_cycle(hw);
    char cores[24] = "";
    if (hw->cores > 1)
        snprintf(cores, sizeof cores, ", %d cores", hw->cores);
    if (hw->array.kind == NW_ARRAY_SYSTOLIC)
        add_line(l, "array", "systolic %d x %d%s", hw->array.rows, hw->array.cols, cores);
    else
        add_line(l, "array", "out %d x in %d x pixels %d%s", hw->array.pf_out, hw->array.pf_in,
                 hw->array.px_h * hw->array.px_w, cores);
    add_line(l, "peak", "%.4g GMAC/s at %.4g GHz", macs * hw->clock_hz / 1e9, hw->clock_hz / 1e9);
}

static void add_memory(lines *l, const nw_hw *hw)
{
    char sram[32];
    add_line(l, "SRAM", "%s, channels by %d", nw_format_bytes(hw->sram.bytes, sram, sizeof sram),
             hw->sram.align_channels);
    add_line(l, "DRAM", "%.4g GB/s", hw->dram.bytes_per_cycle * hw->clock_hz / 1e9);
    add_line(l, "overhead", "%lld cycles a kernel", (long long)hw->kernel_overhead_cycles);
}

void ui_space_draw_hw(ui_canvas *canvas, ui_rect rect, const nw_session *session)
{
    const nw_hw *hw = nw_session_hw(session);
    const nw_estimator *by = nw_session_open_estimator(session);
    const nw_estimate estimate = {.estimator = by};
    char title[96], text[160];
    snprintf(title, sizeof title, "Hardware: %.60s (H)", hw->name);
    ui_rect in = ui_frame(canvas, rect, title);
    lines l = {canvas, {in.row, in.column + 1, in.rows, in.columns - 2}, 0};
    add_array(&l, hw);
    add_memory(&l, hw);
    add_line(&l, "element type", "%s: %s", nw_session_precision(session), hw->default_precision);
    if (by) {
        add_line(&l, "estimator", "%s", nw_format_estimator(by, text, sizeof text));
        add_line(&l, "calibrated", "%s", nw_format_calibration(&estimate, hw, text, sizeof text));
    }
    nw_estimator_release(by);
    if (hw->notes && *hw->notes)
        ui_text_wrapped(
            canvas, (ui_rect){in.row + l.n + 1, l.rect.column, in.rows - l.n - 1, l.rect.columns},
            UI_ROLE_DIM, hw->notes);
}
