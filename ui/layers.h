/* layers.h - the state behind the Layers screen: a row a block or a kernel, filtered, sorted, with
 * a cursor.
 *
 * Private to view_layers.c, layers_*.c and their tests, but for names and lines of whole items,
 * which the Edit screen uses too. The model takes two points and needs no session; what is drawn is
 * a function of this state alone. A row is known by the operator that its kernel is named after (a
 * block by its nodes), so cursor, marks and open rows survive sorts, filters, edits and other
 * hardware.
 */
#ifndef UI_LAYERS_H
#define UI_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/map.h"
#include "src/session/session.h"
#include "ui/canvas.h"

typedef enum ui_layers_column {
    UI_LAYERS_NUMBER, /* in the order of the schedule */
    UI_LAYERS_KIND,
    UI_LAYERS_OUTPUT,
    UI_LAYERS_NAME,
    UI_LAYERS_TIME,
    UI_LAYERS_DELTA, /* only with a baseline */
    UI_LAYERS_SHARE,
    UI_LAYERS_UTIL,
    UI_LAYERS_BOUND,
    UI_LAYERS_MACS,
    UI_LAYERS_SRAM,
    UI_LAYERS_DRAM,
    UI_LAYERS_NOTE,
    UI_LAYERS_COLUMN_COUNT
} ui_layers_column;

typedef struct ui_layers_row {
    int kernel;        /* index in the estimate; of a block its slowest */
    int block;         /* index in blocks; -1: there are none */
    bool is_block;     /* else a kernel */
    const char *name;  /* whole, one column a character */
    const char *brief; /* without what it shares with all others */
    const char *kind;  /* "conv+act", "host x4" */
    const char *note;  /* why, short */
    int64_t output_elements;
    int64_t delta_ps; /* against the baseline's kernels that do this one's work */
    bool has_delta;   /* false: no baseline, or a cost on either side is unknown */
    bool is_new;      /* a baseline, and nothing in it does this work by itself */
    bool is_open, is_marked;
} ui_layers_row;

/* What is known of a block beside its row. */
typedef struct ui_layers_block {
    const nw_block *block;         /* of the current point's arch; NULL: kernels of no block */
    char label[16];                /* "2.1"; "-" where block is NULL */
    int n_kernels;                 /* without views */
    nw_device_cost cost;           /* sums over its kernels; the bound is the largest of the sums */
    int64_t live_bytes;            /* the most while one of its kernels runs */
    int64_t depthwise_ps, host_ps; /* parts of its time */
    int n_spills, n_outside;
    int64_t idle; /* output lanes that idle in the last step of its channels */
    /* Edits that fuse it, were tried and save time: as the key f does it, then the one with another
     * expansion that saves most, if that is more. */
    nw_whatif_row fuses[2];
    int n_fuses;
} ui_layers_block;

/* A line of the table: a block, a kernel, or one operator of an open kernel. */
typedef struct ui_layers_entry {
    int row;
    int op; /* index in the kernel's nodes; -1: the block or kernel itself */
} ui_layers_entry;

/* ---- filter (layers_filter.c) ---- */
#define UI_LAYERS_MAX_TERMS   8
#define UI_LAYERS_FILTER_SIZE 96

typedef enum ui_layers_test {
    UI_LAYERS_HAS,
    UI_LAYERS_LESS,
    UI_LAYERS_LESS_EQUAL,
    UI_LAYERS_GREATER,
    UI_LAYERS_GREATER_EQUAL,
    UI_LAYERS_EQUAL,
    UI_LAYERS_UNEQUAL
} ui_layers_test;

typedef struct ui_layers_term {
    char source[UI_LAYERS_FILTER_SIZE];
    char text[UI_LAYERS_FILTER_SIZE]; /* lower case */
    ui_layers_column column;          /* NAME with HAS: name or kernel type */
    ui_layers_test test;
    bool is_number, is_unknown; /* "us=?" asks for what has no cost */
    double number;
} ui_layers_term;

typedef struct ui_layers_filter {
    ui_layers_term terms[UI_LAYERS_MAX_TERMS];
    int n_terms;
    char problem[160]; /* what is wrong with a term, which then counts as left out; or "" */
} ui_layers_filter;

typedef struct ui_layers {
    const nw_point *current, *baseline; /* borrowed */
    nw_arena arena;                     /* of the rows' text */
    nw_counts counts;
    ui_layers_row *rows; /* n_rows kernels, then n_blocks blocks in the order of blocks */
    int n_rows, n_views;
    ui_layers_block *blocks;     /* those with kernels, in the order of the schedule */
    int n_blocks, n_lost_blocks; /* lost: of the baseline, without one that makes their map now */
    int n_tried;                 /* edits that had been when notes were written */
    bool is_by_blocks;           /* wanted by the user; without an arch there are kernels only */
    int *row_of_kernel;          /* -1: a view, hidden */
    nw_map words;                /* how many names hold a word, for what to abbreviate first */
    int n_lost;                  /* kernels of the baseline whose work no kernel does now */
    bool is_same_thing; /* the baseline differs by who estimated: nothing got better or worse */
    nw_difference difference;           /* of the totals, with a baseline: now less that */
    bool has_cost;                      /* false: everything that could cost is unknown */
    int widths[UI_LAYERS_COLUMN_COUNT]; /* of the longest text of each column */
    int shortest_name;                  /* columns from which names stay apart */
    double max_us, max_share;

    ui_layers_entry *entries; /* what the table shows */
    int n_entries, n_shown;   /* lines; blocks or kernels that match */
    ui_layers_column sort;
    bool is_flipped; /* the other way than the column's own */
    char filter_text[UI_LAYERS_FILTER_SIZE];
    ui_layers_filter filter;
    bool is_typing;

    int cursor, top;        /* lines */
    ui_layers_entry wanted; /* where the user put the cursor; a filter may hide it for a while */
    int pane;               /* what the second pane shows */
    bool is_pane_focused;
    int pane_scroll;
} ui_layers;

/* ---- rows (layers_rows.c) ---- */

/* Starts; the rest of a zeroed state is fine as it is. */
void ui_layers_init(ui_layers *layers);
void ui_layers_fini(ui_layers *layers);

/* Takes new points, either may be NULL; they are borrowed until the next call, which also reads
 * the old ones. */
void ui_layers_set(ui_layers *layers, const nw_point *current, const nw_point *baseline);

/* Builds the list of entries again after filter, sort or open rows changed. */
void ui_layers_refresh(ui_layers *layers);

void ui_layers_set_filter(ui_layers *layers, const char *text);
void ui_layers_move_to(ui_layers *layers, int line); /* clamped */
void ui_layers_open(ui_layers *layers, bool open);   /* the cursor's row */

/* First line shown in a window of n lines: the cursor is always inside. */
int ui_layers_top(const ui_layers *layers, int n);

/* Blocks, or every kernel by itself; the cursor goes along. */
void ui_layers_switch(ui_layers *layers, bool by_blocks);

const ui_layers_row *ui_layers_cursor_row(const ui_layers *layers); /* NULL: nothing shown */
/* Of a block its slowest. */
const nw_kernel *ui_layers_kernel(const ui_layers *layers, const ui_layers_row *row);
const nw_device_cost *ui_layers_cost(const ui_layers *layers, const ui_layers_row *row);
bool ui_layers_spills(const ui_layers *layers, const ui_layers_row *row);
bool ui_layers_is_extrapolated(const ui_layers *layers, const ui_layers_row *row);

/* ---- blocks (layers_blocks.c) ---- */

/* Fills blocks and their rows, behind those of kernels, when these are complete. */
void ui_layers_build_blocks(ui_layers *layers);
/* What has been tried so far says about fusing; true: anything shown changed. list may be NULL, and
 * counts only where it is of the current point's network. */
bool ui_layers_set_whatif(ui_layers *layers, const nw_whatif *list);
bool ui_layers_by_blocks(const ui_layers *layers); /* what rows are now */
/* The rows that filter and sort work on: [first, end). */
int ui_layers_first(const ui_layers *layers);
int ui_layers_end(const ui_layers *layers);
/* A kernel shown below its block. */
bool ui_layers_is_inside(const ui_layers *layers, const ui_layers_row *row);
/* "2.1", or, where rows are kernels, the name in at most columns; dst is returned. */
const char *ui_layers_where(const ui_layers *layers, const ui_layers_row *row, int columns,
                            char *dst, size_t size);

/* ---- values of columns (layers_sort.c) ---- */
typedef enum ui_layers_value {
    UI_LAYERS_UNKNOWN, /* shown as ?, first in order */
    UI_LAYERS_KNOWN,
    UI_LAYERS_NO_VALUE /* the column means nothing here: last in order */
} ui_layers_value;

/* In the unit of the column: us, %, MACs, KiB. */
ui_layers_value ui_layers_number(const ui_layers *layers, const ui_layers_row *row,
                                 ui_layers_column column, double *out);
const char *ui_layers_text(const ui_layers *layers, const ui_layers_row *row,
                           ui_layers_column column);
bool ui_layers_is_text(ui_layers_column column);

void ui_layers_sort(const ui_layers *layers, int *rows, int n);
bool ui_layers_is_ascending(const ui_layers *layers);
/* The next column to sort by, to the left (-1) or right (+1). */
ui_layers_column ui_layers_next_sort(const ui_layers *layers, int direction);

/* ---- filter (layers_filter.c) ---- */
void ui_layers_parse_filter(const char *text, ui_layers_filter *out);
/* "kernel name us % ...": the columns a term can name. */
const char *ui_layers_filter_columns(char *dst, size_t size);
bool ui_layers_matches(const ui_layers *layers, const ui_layers_row *row);
/* "0 of 78 match `us>900` (maximum 219.0). Esc clears."; dst is returned. */
const char *ui_layers_no_match(const ui_layers *layers, char *dst, size_t size);
/* Where needle (lower case) stands in text, ignoring case; NULL: nowhere. */
const char *ui_layers_find(const char *text, const char *needle);

/* ---- names (layers_names.c) ---- */
/* Text from a file as shown: every character one column wide. */
const char *ui_layers_printable(nw_arena *arena, const char *text);
/* Fills brief of all rows, and words. */
void ui_layers_name_rows(ui_layers *layers);
/* brief in at most columns characters: words become letters, digits stay. dst is returned. */
const char *ui_layers_fit_name(const ui_layers *layers, const char *brief, int columns, char *dst,
                               size_t size);
/* What is left of brief when words are letters; it still tells rows apart. */
int ui_layers_shortest_name(const ui_layers *layers, const char *brief);
/* The middle gives way to an ellipsis. */
const char *ui_layers_fit_middle(const char *text, int columns, char *dst, size_t size);
/* Cut before a word, never within a number. */
const char *ui_layers_fit_words(const char *text, int columns, char *dst, size_t size);

/* ---- drawing ---- */
/* "56²×24", "56x40×24"; ASCII has no square: "56x56x24". */
const char *ui_layers_map(const ui_layers *layers, const ui_layers_row *row, bool ascii, char *dst,
                          size_t size);
/* layers_head.c: totals above, counts below. */
void ui_layers_draw_head(ui_canvas *canvas, ui_rect rect, const ui_layers *layers);
void ui_layers_draw_status(ui_canvas *canvas, ui_rect rect, const ui_layers *layers);
/* layers_table.c: header line and rows; widths and maxima of what is in them. */
void ui_layers_measure(ui_layers *layers);
void ui_layers_draw_table(ui_canvas *canvas, ui_rect rect, const ui_layers *layers);
/* The cursor's row, tab-separated below a line of titles with units; the caller frees it. NULL:
 * nothing is shown. */
char *ui_layers_copy(const ui_layers *layers);
/* The column whose header stands at this canvas column, or COLUMN_COUNT. */
ui_layers_column ui_layers_column_at(const ui_layers *layers, ui_rect rect, int column);
/* layers_charts.c */
void ui_layers_draw_roofline(ui_canvas *canvas, ui_rect rect, const ui_layers *layers);
void ui_layers_draw_memory(ui_canvas *canvas, ui_rect rect, const ui_layers *layers);
/* layers_why.c: the cursor's block or kernel; lines before `pane_scroll` are left out. Returns all
 * lines there are at that width; canvas NULL only counts. */
int ui_layers_draw_why(ui_canvas *canvas, ui_rect rect, const ui_layers *layers);
const char *ui_layers_why_title(const ui_layers *layers, bool ascii, char *dst, size_t size);

/* A piece of a line that is shown whole or not at all. */
typedef struct ui_layers_item {
    char text[160];
    ui_role role;
    int rank; /* the highest goes first when there is no room */
} ui_layers_item;
/* Items one behind the other, over the lines of rect; those of highest rank are left out until the
 * rest fits. Returns lines used; canvas NULL only counts, leaving nothing out. */
int ui_layers_flow(ui_canvas *canvas, ui_rect rect, const ui_layers_item *items, int n);

#endif
