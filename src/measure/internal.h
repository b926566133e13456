/* internal.h - private to src/measure: reading a table of shapes.
 */
#ifndef NW_MEASURE_INTERNAL_H
#define NW_MEASURE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "src/kernel/kernel.h"
#include "src/measure/measure.h"

#ifndef NASW_VERSION
#define NASW_VERSION "?"
#endif

typedef enum nw_shapes_column {
    NW_COL_KERNEL,
    NW_COL_IN_H,
    NW_COL_IN_W,
    NW_COL_IN_C,
    NW_COL_OUT_H,
    NW_COL_OUT_W,
    NW_COL_OUT_C,
    NW_COL_KERNEL_H,
    NW_COL_KERNEL_W,
    NW_COL_STRIDE_H,
    NW_COL_STRIDE_W,
    NW_COL_DILATION,
    NW_COL_GROUPS,
    NW_COL_BITS,
    NW_COL_ACT,
    NW_COL_RESIDUAL,
    NW_COL_FIRST,
    NW_COL_MAPS,
    NW_COL_IN_DRAM,
    NW_COL_SECOND_DRAM,
    NW_COL_OUT_DRAM,
    NW_N_COLS
} nw_shapes_column;

typedef struct nw_shapes_row {
    int64_t number[NW_N_COLS]; /* the sizes */
    nw_kernel_act act;
    bool is_joined_act;
    bool is_placed;        /* the table says where the maps live */
    nw_kernel_shape shape; /* integers of `bits`, weights as wide; all maps on chip unless placed */
} nw_shapes_row;

/* The table being read; its fields belong to shapes.c. */
typedef struct nw_shapes_reader nw_shapes_reader;

/* Fails at the line being read; message has one %s, for what. */
nw_status nw_shapes_fail(nw_shapes_reader *reader, nw_status status, const char *message,
                         const char *what);
int nw_shapes_line(const nw_shapes_reader *reader); /* from 1 */

/* The cell of the line being read as it stands there; "" if the table has no such column. */
const char *nw_shapes_text(const nw_shapes_reader *reader, nw_shapes_column column);

/* Gets the rows one by one, in order; what it returns ends the reading if it is not NW_OK. */
typedef nw_status (*nw_shapes_take)(void *context, nw_shapes_reader *reader,
                                    const nw_shapes_row *row);

/* Reads and checks a table of shapes, as measure.h describes it. */
NW_CHECKED nw_status nw_shapes_read(const nw_file *table, nw_shapes_take take, void *context,
                                    nw_error *err);

/* The names of the columns, and a row's values in them, separated by commas. */
void nw_shapes_write_names(nw_buf *out);
void nw_shapes_write_row(const nw_shapes_row *row, nw_buf *out);
/* The last of them: first, maps, and the places where the table says them, else empty. */
void nw_shapes_write_surroundings(const nw_shapes_row *row, nw_buf *out);

/* Today, or $SOURCE_DATE_EPOCH: "2025-11-25"; dst is returned. */
const char *nw_shapes_date(char *dst, size_t size);

#endif
