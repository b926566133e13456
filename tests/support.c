#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *shared_path(const char *relative)
{
    static char path[1024];
    const char *root = getenv("NASW_SHARED");
    snprintf(path, sizeof path, "%s/%s", root && *root ? root : "../shared", relative);
    if (access(path, R_OK) == 0)
        return path;
    printf("skipped: %s is not there\n", relative);
    fflush(stdout);
    return NULL;
}

char *read_text(const char *path, size_t *n_bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    size_t capacity = 65536, used = 0;
    char *text = malloc(capacity);
    while (text) {
        used += fread(text + used, 1, capacity - 1 - used, file);
        if (used < capacity - 1)
            break;
        capacity *= 2;
        text = realloc(text, capacity);
    }
    fclose(file);
    if (!text)
        abort();
    text[used] = '\0';
    if (n_bytes)
        *n_bytes = used;
    return text;
}

static char **split_line(char *line, int *n_cells)
{
    int n = 1;
    for (const char *s = line; *s; s++)
        n += *s == ',';
    char **cells = malloc((size_t)n * sizeof *cells);
    for (int i = 0; i < n; i++) {
        cells[i] = line;
        line += strcspn(line, ",");
        if (*line)
            *line++ = '\0';
    }
    *n_cells = n;
    return cells;
}

bool csv_load(csv *table, const char *path)
{
    memset(table, 0, sizeof *table);
    table->text = read_text(path, NULL);
    if (!table->text)
        return false;
    int capacity = 0;
    for (char *line = table->text; *line;) {
        char *next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        line[strcspn(line, "\r")] = '\0';
        int n_cells;
        if (*line && *line != '#' && !table->header) {
            table->header = split_line(line, &table->n_columns);
        } else if (*line && *line != '#') {
            if (table->n_rows == capacity) {
                capacity = capacity ? 2 * capacity : 256;
                table->rows = realloc(table->rows, (size_t)capacity * sizeof *table->rows);
            }
            char **cells = split_line(line, &n_cells);
            if (n_cells < table->n_columns) { /* a short row: the rest is empty */
                cells = realloc(cells, (size_t)table->n_columns * sizeof *cells);
                for (int i = n_cells; i < table->n_columns; i++)
                    cells[i] = next - 1 > line ? line + strlen(line) : line;
            }
            table->rows[table->n_rows++] = cells;
        }
        line = next;
    }
    return table->header != NULL;
}

void csv_free(csv *table)
{
    for (int i = 0; i < table->n_rows; i++)
        free(table->rows[i]);
    free(table->rows);
    free(table->header);
    free(table->text);
}

int csv_column(const csv *table, const char *name)
{
    for (int i = 0; i < table->n_columns; i++)
        if (strcmp(table->header[i], name) == 0)
            return i;
    return -1;
}

const char *csv_text(const csv *table, int row, const char *column)
{
    int i = csv_column(table, column);
    return i < 0 ? "" : table->rows[row][i];
}

double csv_number(const csv *table, int row, const char *column)
{
    const char *text = csv_text(table, row, column);
    char *end;
    double value = strtod(text, &end);
    return end == text ? NAN : value;
}

static const double *rank_keys;

static int compare_keys(const void *a, const void *b)
{
    double x = rank_keys[*(const int *)a], y = rank_keys[*(const int *)b];
    return (x > y) - (x < y);
}

static double *ranks(const double *values, int n)
{
    int *index = malloc((size_t)n * sizeof *index);
    double *rank = malloc((size_t)n * sizeof *rank);
    for (int i = 0; i < n; i++)
        index[i] = i;
    rank_keys = values;
    qsort(index, (size_t)n, sizeof *index, compare_keys);
    for (int i = 0; i < n;) {
        int j = i;
        while (j < n && values[index[j]] == values[index[i]])
            j++;
        for (int k = i; k < j; k++)
            rank[index[k]] = 0.5 * (i + j - 1);
        i = j;
    }
    free(index);
    return rank;
}

double spearman(const double *a, const double *b, int n)
{
    double *x = ranks(a, n), *y = ranks(b, n);
    double mean = 0.5 * (n - 1), sxy = 0, sxx = 0, syy = 0;
    for (int i = 0; i < n; i++) {
        sxy += (x[i] - mean) * (y[i] - mean);
        sxx += (x[i] - mean) * (x[i] - mean);
        syy += (y[i] - mean) * (y[i] - mean);
    }
    free(x);
    free(y);
    return sxx > 0 && syy > 0 ? sxy / sqrt(sxx * syy) : NAN;
}

double kendall(const double *a, const double *b, int n)
{
    double concordance = 0, n_a = 0, n_b = 0; /* pairs that differ in a, in b */
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++) {
            int x = (a[i] > a[k]) - (a[i] < a[k]), y = (b[i] > b[k]) - (b[i] < b[k]);
            concordance += x * y;
            n_a += x != 0;
            n_b += y != 0;
        }
    return n_a > 0 && n_b > 0 ? concordance / sqrt(n_a * n_b) : NAN;
}

double mape(const double *ours, const double *truth, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += fabs(ours[i] - truth[i]) / fabs(truth[i]);
    return n ? 100 * sum / n : NAN;
}
