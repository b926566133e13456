/* table.h - tables in CSV: a header line and a row a line.
 *
 * Cells are separated by commas and may stand in double quotes ("" is a quote inside; no line
 * breaks). Blanks around a cell are cut. Empty lines are skipped; lines that begin with # are
 * comments, and "key=value" words in them say where the numbers come from ("# device=X source=Y").
 * Any bytes can be read: what is wrong is said with "FILE:LINE".
 */
#ifndef NW_TABLE_H
#define NW_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/text.h"

#define NW_TABLE_MAX_COLUMNS 256
#define NW_TABLE_MAX_BYTES   ((size_t)1 << 30) /* of a file to read */

typedef struct nw_table {
    const char *path; /* as given; lives with the table */
    int n_columns, n_rows;
    const char *names[NW_TABLE_MAX_COLUMNS]; /* distinct, not empty */
    const char *comment;                     /* the comment lines, joined by newlines */
    struct nw_table_store *store;
} nw_table;

/* Reads a whole table; the file may be released afterwards. NW_INVALID: zero bytes, no header line,
 * an empty or repeated column name, a row with another number of cells; NW_LIMIT: more than 256
 * columns. Release with nw_table_free. */
NW_CHECKED nw_status nw_table_read(const nw_file *file, nw_table **out, nw_error *err);
NW_CHECKED nw_status nw_table_load(const char *path, nw_table **out, nw_error *err);
void nw_table_free(nw_table *table); /* NULL is fine */

int nw_table_find(const nw_table *table, const char *column);          /* -1: no such column */
const char *nw_table_cell(const nw_table *table, int row, int column); /* "" if empty */
int nw_table_line(const nw_table *table, int row);                     /* from 1 */

/* A finite number; *value is NAN for an empty cell. NW_INVALID: text, "nan" and "inf" included. */
NW_CHECKED nw_status nw_table_number(const nw_table *table, int row, int column, double *value,
                                     nw_error *err);

/* "FILE:LINE" for errors; dst is returned. */
const char *nw_table_where(const nw_table *table, int row, char *dst, size_t size);

/* The value of "key=value" in the comment lines: up to the next blank, or in double quotes; ""
 * if there is none. dst is returned. */
const char *nw_table_comment_value(const nw_table *table, const char *key, char *dst, size_t size);

/* A cell for a CSV line: in quotes where it needs them. */
void nw_table_write_cell(nw_buf *out, const char *text);

#endif
