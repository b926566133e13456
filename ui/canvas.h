/* canvas.h - cells to paint on. Views draw here; ui/term.c alone sends cells to the terminal.
 *
 * A cell has one character of width one and one style. Text from outside may hold anything: the
 * canvas shows control characters and what is not one cell wide as visible marks. Painting outside
 * the canvas, or outside the clip rectangle, is ignored.
 */
#ifndef UI_CANVAS_H
#define UI_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

/* What a piece of text is; ui/theme.c says how that looks on this terminal. */
typedef enum ui_role {
    UI_ROLE_TEXT,
    UI_ROLE_DIM,    /* units, rules, what is not important */
    UI_ROLE_TITLE,  /* bold */
    UI_ROLE_CURSOR, /* the row under the cursor */
    UI_ROLE_MARK,   /* marked rows */
    UI_ROLE_KEY,    /* a key in the footer or the help */
    UI_ROLE_BAR,    /* bars in tables */
    UI_ROLE_BETTER,
    UI_ROLE_WORSE,
    UI_ROLE_WARNING,
    UI_ROLE_ERROR,
    UI_ROLE_FRAME,
    UI_ROLE_HEADER, /* first row */
    UI_ROLE_FOOTER, /* last row */
    UI_ROLE_MATCH,  /* the part of a text that a filter matched */
    UI_ROLE_RAMP,   /* UI_ROLE_RAMP + i, i < UI_RAMP_STEPS: cost, low to high */
    UI_ROLE_COUNT = UI_ROLE_RAMP + 16
} ui_role;
#define UI_RAMP_STEPS 16

typedef struct ui_cell {
    uint32_t glyph; /* Unicode; 0 is a space */
    uint8_t role;   /* ui_role */
    uint8_t back; /* the role whose colour is behind the glyph; UI_ROLE_TEXT: the terminal's own */
    bool reverse;
} ui_cell;

typedef struct ui_rect {
    int row, column, rows, columns;
} ui_rect;

typedef struct ui_canvas {
    int rows, columns;
    ui_cell *cells; /* rows x columns */
    ui_rect clip;
    bool ascii;     /* draw with ASCII glyphs only */
    bool has_color; /* roles of the ramp can be told apart */
} ui_canvas;

void ui_canvas_init(ui_canvas *canvas, int rows, int columns, bool ascii);
void ui_canvas_fini(ui_canvas *canvas);
void ui_canvas_clear(ui_canvas *canvas);
void ui_canvas_set_clip(ui_canvas *canvas, ui_rect rect); /* clipped to the canvas */
void ui_canvas_no_clip(ui_canvas *canvas);

/* Paints UTF-8 text, cut at max_columns (negative: to the clip's edge); returns columns used. */
int ui_text(ui_canvas *canvas, int row, int column, int max_columns, ui_role role,
            const char *text);
/* The same; what had to be cut ends in an ellipsis. */
int ui_text_cut(ui_canvas *canvas, int row, int column, int max_columns, ui_role role,
                const char *text);
int ui_printf(ui_canvas *canvas, int row, int column, int max_columns, ui_role role,
              const char *format, ...) __attribute__((format(printf, 6, 7)));
/* The same, ending at column - 1. */
void ui_text_right(ui_canvas *canvas, int row, int column, ui_role role, const char *text);

/* Over as many rows as it takes, broken between words where it can be, cut below rect; returns how
 * many it takes. canvas NULL: only counts. */
int ui_text_wrapped(ui_canvas *canvas, ui_rect rect, ui_role role, const char *text);

void ui_put(ui_canvas *canvas, int row, int column, ui_role role, uint32_t glyph);
/* The same with another role's colour behind it. */
void ui_put_on(ui_canvas *canvas, int row, int column, ui_role role, ui_role back, uint32_t glyph);
void ui_fill(ui_canvas *canvas, ui_rect rect, ui_role role, uint32_t glyph);
void ui_reverse_row(ui_canvas *canvas, int row, int column, int columns);

/* A frame with a title in its upper edge; returns the inside. */
ui_rect ui_frame(ui_canvas *canvas, ui_rect rect, const char *title);
void ui_rule(ui_canvas *canvas, int row, int column, int columns);

/* A horizontal bar of length (0 to 1) x columns, in eighths of a cell where glyphs allow. */
void ui_bar(ui_canvas *canvas, int row, int column, int columns, double length, ui_role role);

/* Columns that text takes as painted. */
int ui_text_columns(const char *text);

/* The canvas as text, a line a row, trailing spaces cut, for tests. The caller frees it. */
char *ui_canvas_dump(const ui_canvas *canvas);

/* Glyphs with their ASCII twins. */
typedef enum ui_glyph_id {
    UI_GLYPH_BETTER,   /* ▼ v */
    UI_GLYPH_WORSE,    /* ▲ ^ */
    UI_GLYPH_TIMES,    /* × x */
    UI_GLYPH_DOT,      /* · . */
    UI_GLYPH_BULLET,   /* ● @ */
    UI_GLYPH_SQUARED,  /* ² 2 */
    UI_GLYPH_DELTA,    /* Δ d */
    UI_GLYPH_ARROW,    /* → > */
    UI_GLYPH_RUNNING,  /* ▶ > */
    UI_GLYPH_ELLIPSIS, /* … ~ */
    UI_GLYPH_RULE,     /* ─ - */
    UI_GLYPH_SLOPE,    /* ╱ / */
    UI_GLYPH_STAR,     /* ★ * */
    UI_GLYPH_HALF,     /* ▀ # */
    UI_GLYPH_COUNT
} ui_glyph_id;
uint32_t ui_glyph(const ui_canvas *canvas, ui_glyph_id id);

/* Column i of 8 of a bar chart's cell: ▁▂▃▄▅▆▇█, in ASCII . : - = + * # #. level 1 to 8. */
uint32_t ui_level_glyph(const ui_canvas *canvas, int level);

/* An arrow one cell to the right (-1, 0, 1) and down (-1, 0, 1): ←↑→↓↖↗↘↙, in ASCII < ^ > v and
 * \\ /; none of both: a dot. */
uint32_t ui_arrow_glyph(const ui_canvas *canvas, int right, int down);

/* Step i of the ramp as a glyph, low to high: " .:-=+*#". */
uint32_t ui_ramp_glyph(int step);

/* Every glyph beyond ASCII that the canvas itself uses, by index; 0 behind the last. The terminal
 * checks them for their width. */
uint32_t ui_glyph_used(int index);

#endif
