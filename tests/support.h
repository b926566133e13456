/* support.h - what the suites share.
 *
 * A suite is a libcheck program tests/test_NAME.c, linked with everything here.
 */
#ifndef NW_TESTS_SUPPORT_H
#define NW_TESTS_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Path of a file below $NASW_SHARED (default ../shared), or NULL after printing
 * "skipped: ..." once if it is not there. The string lives until the next call. */
const char *shared_path(const char *relative);

/* The whole file as a terminated string; NULL if unreadable. The caller frees it. */
char *read_text(const char *path, size_t *n_bytes);

/* A CSV with a header line, comma-separated, no quoting (all the data files are so); comment
 * lines start with '#'. */
typedef struct csv {
    char *text;
    char **header;
    int n_columns;
    char ***rows; /* [row][column] */
    int n_rows;
} csv;

bool csv_load(csv *table, const char *path);
void csv_free(csv *table);
int csv_column(const csv *table, const char *name);                  /* -1: none */
const char *csv_text(const csv *table, int row, const char *column); /* "" if absent */
double csv_number(const csv *table, int row, const char *column);    /* NAN if empty */

/* Statistics for the referees. */
double spearman(const double *a, const double *b, int n);    /* ties get their mean rank */
double kendall(const double *a, const double *b, int n);     /* tau-b; NAN: all equal */
double mape(const double *ours, const double *truth, int n); /* percent */

#endif
