/* columns.h - from the columns of a table to the rows that a regression takes.
 */
#ifndef NW_ESTIMATOR_COLUMNS_H
#define NW_ESTIMATOR_COLUMNS_H

#include "src/estimator/features.h"

#define NW_MAX_EXTRAS 64

/* Which column plays which part. Extras are columns taken as they are, by name. */
typedef struct nw_columns {
    int role[NW_ROLE_COUNT]; /* -1: no such column */
    int group;               /* -1: all rows are one group */
    int kernel;              /* holds names of kernels in words; -1 */
    int extra[NW_MAX_EXTRAS];
    int n_extras;
    bool is_measurement; /* the schema of nw_measure: `kernel` is "conv+act" */
} nw_columns;

/* Finds the roles by the names of the columns. group: the column's name, or NULL: `kernel` if it
 * holds words, else none. extras: names of further columns. NW_INVALID: a named column is missing,
 * or no column has a role. */
NW_CHECKED nw_status nw_columns_bind(const nw_table *table, const char *group,
                                     const char *const *extras, int n_extras, nw_columns *out,
                                     nw_error *err);

/* The word that names a row's group: "" without a group. Kernels of our own schema lose what is a
 * feature ("conv+act+add" is "conv"). dst is returned. */
const char *nw_columns_group(const nw_columns *columns, const nw_table *table, int row, char *dst,
                             size_t size);

/* A row's roles, what is missing filled in where it follows: square maps and windows, the output
 * from input and stride, groups of a depthwise convolution. extras: room for n_extras numbers.
 * NW_INVALID: text where a number belongs ("FILE:LINE"), negative sizes. */
NW_CHECKED nw_status nw_columns_row(const nw_columns *columns, const nw_table *table, int row,
                                    nw_row *out, double *extras, nw_error *err);

#endif
