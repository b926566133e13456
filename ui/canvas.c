#define _XOPEN_SOURCE 700 /* wcwidth */

#include "ui/canvas.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "src/base/arena.h"
#include "src/base/text.h"

/* ---- glyphs ---- */

typedef struct twin {
    uint32_t glyph;
    char ascii;
} twin;

/* In the order of ui_glyph_id; then what frames, bars and charts are made of. */
static const twin twins[] = {
    {0x25bc, 'v'}, {0x25b2, '^'}, {0x00d7, 'x'},  {0x00b7, '.'},  {0x25cf, '@'},  {0x00b2, '2'},
    {0x0394, 'd'}, {0x2192, '>'}, {0x25b6, '>'},  {0x2026, '~'},  {0x2500, '-'},  {0x2571, '/'},
    {0x2605, '*'}, {0x2580, '#'}, {0x2196, '\\'}, {0x2197, '/'},  {0x2198, '\\'}, {0x2199, '/'},
    {0x250c, '+'}, {0x2510, '+'}, {0x2514, '+'},  {0x2518, '+'},  {0x2502, '|'},  {0x2014, '-'},
    {0x2191, '^'}, {0x2193, 'v'}, {0x2190, '<'},  {0x2260, '!'},  {0x2265, '>'},  {0x2264, '<'},
    {0x2581, '.'}, {0x2582, ':'}, {0x2583, '-'},  {0x2584, '='},  {0x2585, '+'},  {0x2586, '*'},
    {0x2587, '#'}, {0x2588, '#'}, {0x258f, ' '},  {0x258e, ' '},  {0x258d, ' '},  {0x258c, '#'},
    {0x258b, '#'}, {0x258a, '#'}, {0x2589, '#'},  {0x2575, '\''}, {0x2212, '-'},  {0x00b1, '~'},
    {0x28ff, '#'}, /* stands for all of braille */
};
enum { N_TWINS = sizeof twins / sizeof *twins };

enum {
    CORNER_TOP_LEFT = 0x250c,
    CORNER_TOP_RIGHT = 0x2510,
    CORNER_BOTTOM_LEFT = 0x2514,
    CORNER_BOTTOM_RIGHT = 0x2518,
    EDGE = 0x2502,
    LEVEL_ONE = 0x2581,
    FULL_BLOCK = 0x2588
};

static const twin *find_twin(uint32_t glyph)
{
    for (int i = 0; i < N_TWINS; i++)
        if (twins[i].glyph == glyph)
            return &twins[i];
    return NULL;
}

static uint32_t for_canvas(const ui_canvas *canvas, uint32_t glyph)
{
    if (!canvas->ascii || glyph < 0x80)
        return glyph;
    const twin *found = find_twin(glyph);
    return found ? (uint32_t)(unsigned char)found->ascii : '?';
}

uint32_t ui_glyph(const ui_canvas *canvas, ui_glyph_id id)
{
    assert(id < UI_GLYPH_COUNT);
    return for_canvas(canvas, twins[id].glyph);
}

uint32_t ui_level_glyph(const ui_canvas *canvas, int level)
{
    level = level < 1 ? 1 : level > 8 ? 8 : level;
    return for_canvas(canvas, (uint32_t)(LEVEL_ONE + level - 1));
}

uint32_t ui_arrow_glyph(const ui_canvas *canvas, int right, int down)
{
    static const uint16_t arrows[3][3] = {
        {0x2196, 0x2191, 0x2197}, {0x2190, 0x00b7, 0x2192}, {0x2199, 0x2193, 0x2198}};
    right = right < 0 ? 0 : right > 0 ? 2 : 1;
    down = down < 0 ? 0 : down > 0 ? 2 : 1;
    return for_canvas(canvas, arrows[down][right]);
}

uint32_t ui_ramp_glyph(int step)
{
    static const char glyphs[] = " .:-=+*#";
    step = step < 0 ? 0 : step >= UI_RAMP_STEPS ? UI_RAMP_STEPS - 1 : step;
    return (uint32_t)glyphs[step * (int)(sizeof glyphs - 1) / UI_RAMP_STEPS];
}

uint32_t ui_glyph_used(int index)
{
    return index < N_TWINS ? twins[index].glyph : 0;
}

/* ---- reading text ---- */

/* Decodes one well-formed UTF-8 sequence; returns its bytes, or 0 if there is none. */
static int decode(const unsigned char *s, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    int n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (n == 0 || s[0] > 0xf4)
        return 0;
    uint32_t value = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (int i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (s[i] & 0x3fu);
    }
    if (value < smallest[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return n;
}

/* A piece of text as it is painted: one glyph, or an ASCII mark for what has no glyph of width
 * one. */
typedef struct piece {
    uint32_t glyph; /* 0: see mark */
    char mark[12];
    int columns, bytes;
} piece;

static bool reorders_text(uint32_t code)
{
    return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static piece next_piece(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    piece p = {0};
    uint32_t code = 0;
    p.bytes = decode(s, &code);
    if (p.bytes == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0)) {
        if (p.bytes == 0)
            p.bytes = 1;
        for (int i = 0; i < p.bytes && i < 2; i++)
            snprintf(p.mark + 4 * i, sizeof p.mark - 4 * (size_t)i, "\\x%02x", s[i]);
        p.columns = 4 * p.bytes;
    } else if (code < 0x7f || find_twin(code) ||
               (wcwidth((wchar_t)code) == 1 && !reorders_text(code))) {
        p.glyph = code;
        p.columns = 1;
    } else {
        p.columns = snprintf(p.mark, sizeof p.mark, "\\u%04x", (unsigned)code);
    }
    return p;
}

int ui_text_columns(const char *text)
{
    int columns = 0;
    while (*text) {
        piece p = next_piece(text);
        columns += p.columns;
        text += p.bytes;
    }
    return columns;
}

/* ---- the canvas ---- */

void ui_canvas_init(ui_canvas *canvas, int rows, int columns, bool ascii)
{
    *canvas = (ui_canvas){
        .rows = rows < 0 ? 0 : rows, .columns = columns < 0 ? 0 : columns, .ascii = ascii};
    size_t n = (size_t)canvas->rows * (size_t)canvas->columns;
    canvas->cells = nw_zalloc((n ? n : 1) * sizeof *canvas->cells);
    ui_canvas_no_clip(canvas);
}

void ui_canvas_fini(ui_canvas *canvas)
{
    free(canvas->cells);
    *canvas = (ui_canvas){0};
}

void ui_canvas_clear(ui_canvas *canvas)
{
    memset(canvas->cells, 0,
           (size_t)canvas->rows * (size_t)canvas->columns * sizeof *canvas->cells);
    ui_canvas_no_clip(canvas);
}

void ui_canvas_no_clip(ui_canvas *canvas)
{
    canvas->clip = (ui_rect){0, 0, canvas->rows, canvas->columns};
}

void ui_canvas_set_clip(ui_canvas *canvas, ui_rect rect)
{
    int top = rect.row < 0 ? 0 : rect.row;
    int left = rect.column < 0 ? 0 : rect.column;
    int bottom = rect.row + rect.rows;
    int right = rect.column + rect.columns;
    bottom = bottom > canvas->rows ? canvas->rows : bottom;
    right = right > canvas->columns ? canvas->columns : right;
    canvas->clip =
        (ui_rect){top, left, bottom > top ? bottom - top : 0, right > left ? right - left : 0};
}

static ui_cell *cell_at(ui_canvas *canvas, int row, int column)
{
    const ui_rect *clip = &canvas->clip;
    if (row < clip->row || row >= clip->row + clip->rows || column < clip->column ||
        column >= clip->column + clip->columns)
        return NULL;
    return &canvas->cells[(size_t)row * (size_t)canvas->columns + (size_t)column];
}

void ui_put(ui_canvas *canvas, int row, int column, ui_role role, uint32_t glyph)
{
    ui_cell *cell = cell_at(canvas, row, column);
    if (cell)
        *cell = (ui_cell){.glyph = for_canvas(canvas, glyph), .role = (uint8_t)role};
}

void ui_put_on(ui_canvas *canvas, int row, int column, ui_role role, ui_role back, uint32_t glyph)
{
    ui_cell *cell = cell_at(canvas, row, column);
    if (cell)
        *cell = (ui_cell){
            .glyph = for_canvas(canvas, glyph), .role = (uint8_t)role, .back = (uint8_t)back};
}

int ui_text(ui_canvas *canvas, int row, int column, int max_columns, ui_role role, const char *text)
{
    int room = canvas->clip.column + canvas->clip.columns - column;
    if (max_columns >= 0 && max_columns < room)
        room = max_columns;
    int used = 0;
    while (*text && used < room) {
        piece p = next_piece(text);
        for (int i = 0; i < p.columns && used < room; i++, used++)
            ui_put(canvas, row, column + used, role,
                   p.glyph ? p.glyph : (uint32_t)(unsigned char)p.mark[i]);
        text += p.bytes;
    }
    return used;
}

int ui_text_cut(ui_canvas *canvas, int row, int column, int max_columns, ui_role role,
                const char *text)
{
    int used = ui_text(canvas, row, column, max_columns, role, text);
    if (used > 0 && used < ui_text_columns(text))
        ui_put(canvas, row, column + used - 1, role, ui_glyph(canvas, UI_GLYPH_ELLIPSIS));
    return used;
}

static int word_columns(const char *text)
{
    int columns = 0;
    while (*text && *text != ' ') {
        piece p = next_piece(text);
        columns += p.columns;
        text += p.bytes;
    }
    return columns;
}

int ui_text_wrapped(ui_canvas *canvas, ui_rect rect, ui_role role, const char *text)
{
    int row = 0, column = 0;
    bool is_word_start = true;
    while (*text && rect.columns > 0) {
        piece p = next_piece(text);
        int needs = is_word_start && *text != ' ' ? word_columns(text) : p.columns;
        if (needs > rect.columns) /* no row has room for this word, so it is cut */
            needs = p.columns;
        if (column > 0 && column + needs > rect.columns) {
            row++;
            column = 0;
        }
        is_word_start = *text == ' ';
        text += p.bytes;
        if (is_word_start && column == 0 && row > 0)
            continue; /* the space where the row was broken */
        for (int i = 0; i < p.columns && column < rect.columns; i++, column++)
            if (canvas && row < rect.rows)
                ui_put(canvas, rect.row + row, rect.column + column, role,
                       p.glyph ? p.glyph : (uint32_t)(unsigned char)p.mark[i]);
    }
    return row + 1;
}

int ui_printf(ui_canvas *canvas, int row, int column, int max_columns, ui_role role,
              const char *format, ...)
{
    char text[1024]; /* wider than any screen; names beyond are cut */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return ui_text(canvas, row, column, max_columns, role, text);
}

void ui_text_right(ui_canvas *canvas, int row, int column, ui_role role, const char *text)
{
    ui_text(canvas, row, column - ui_text_columns(text), -1, role, text);
}

void ui_fill(ui_canvas *canvas, ui_rect rect, ui_role role, uint32_t glyph)
{
    for (int row = rect.row; row < rect.row + rect.rows; row++)
        for (int column = rect.column; column < rect.column + rect.columns; column++)
            ui_put(canvas, row, column, role, glyph);
}

void ui_reverse_row(ui_canvas *canvas, int row, int column, int columns)
{
    for (int i = 0; i < columns; i++) {
        ui_cell *cell = cell_at(canvas, row, column + i);
        if (cell)
            cell->reverse = true;
    }
}

/* ---- shapes ---- */

void ui_rule(ui_canvas *canvas, int row, int column, int columns)
{
    ui_fill(canvas, (ui_rect){row, column, 1, columns}, UI_ROLE_FRAME,
            ui_glyph(canvas, UI_GLYPH_RULE));
}

ui_rect ui_frame(ui_canvas *canvas, ui_rect rect, const char *title)
{
    ui_rect inside = {rect.row + 1, rect.column + 1, rect.rows > 2 ? rect.rows - 2 : 0,
                      rect.columns > 2 ? rect.columns - 2 : 0};
    if (rect.rows < 2 || rect.columns < 2)
        return inside;
    int bottom = rect.row + rect.rows - 1, right = rect.column + rect.columns - 1;
    ui_rule(canvas, rect.row, rect.column + 1, rect.columns - 2);
    ui_rule(canvas, bottom, rect.column + 1, rect.columns - 2);
    for (int row = rect.row + 1; row < bottom; row++) {
        ui_put(canvas, row, rect.column, UI_ROLE_FRAME, EDGE);
        ui_put(canvas, row, right, UI_ROLE_FRAME, EDGE);
    }
    ui_put(canvas, rect.row, rect.column, UI_ROLE_FRAME, CORNER_TOP_LEFT);
    ui_put(canvas, rect.row, right, UI_ROLE_FRAME, CORNER_TOP_RIGHT);
    ui_put(canvas, bottom, rect.column, UI_ROLE_FRAME, CORNER_BOTTOM_LEFT);
    ui_put(canvas, bottom, right, UI_ROLE_FRAME, CORNER_BOTTOM_RIGHT);
    if (title && *title && rect.columns > 6) {
        ui_put(canvas, rect.row, rect.column + 2, UI_ROLE_FRAME, ' ');
        int used =
            ui_text(canvas, rect.row, rect.column + 3, rect.columns - 6, UI_ROLE_TITLE, title);
        ui_put(canvas, rect.row, rect.column + 3 + used, UI_ROLE_FRAME, ' ');
    }
    return inside;
}

void ui_bar(ui_canvas *canvas, int row, int column, int columns, double length, ui_role role)
{
    if (!(length > 0) || columns <= 0) /* NaN too */
        return;
    length = length > 1 ? 1 : length;
    int per_cell = canvas->ascii ? 1 : 8;
    int steps = (int)lround(length * columns * per_cell);
    if (steps == 0)
        steps = canvas->ascii ? 0 : 1; /* something is there, so it shows */
    int full = steps / per_cell, rest = steps % per_cell;
    for (int i = 0; i < full; i++)
        ui_put(canvas, row, column + i, role, FULL_BLOCK);
    if (rest)
        ui_put(canvas, row, column + full, role, (uint32_t)(FULL_BLOCK + 8 - rest));
}

/* ---- as text ---- */

static void add_utf8(nw_buf *out, uint32_t code)
{
    char bytes[4];
    size_t n = 0;
    if (code < 0x80) {
        bytes[n++] = (char)code;
    } else if (code < 0x800) {
        bytes[n++] = (char)(0xc0 | code >> 6);
        bytes[n++] = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        bytes[n++] = (char)(0xe0 | code >> 12);
        bytes[n++] = (char)(0x80 | (code >> 6 & 0x3f));
        bytes[n++] = (char)(0x80 | (code & 0x3f));
    } else {
        bytes[n++] = (char)(0xf0 | code >> 18);
        bytes[n++] = (char)(0x80 | (code >> 12 & 0x3f));
        bytes[n++] = (char)(0x80 | (code >> 6 & 0x3f));
        bytes[n++] = (char)(0x80 | (code & 0x3f));
    }
    nw_buf_add(out, bytes, n);
}

char *ui_canvas_dump(const ui_canvas *canvas)
{
    nw_buf out = {0};
    for (int row = 0; row < canvas->rows; row++) {
        const ui_cell *cells = canvas->cells + (size_t)row * (size_t)canvas->columns;
        int end = canvas->columns;
        while (end > 0 && (cells[end - 1].glyph == 0 || cells[end - 1].glyph == ' '))
            end--;
        for (int column = 0; column < end; column++)
            add_utf8(&out, cells[column].glyph ? cells[column].glyph : ' ');
        nw_buf_add(&out, "\n", 1);
    }
    if (!out.text)
        nw_buf_puts(&out, "");
    return out.text;
}
