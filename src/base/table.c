#include "src/base/table.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/map.h"

typedef struct nw_table_store {
    char *path, *text; /* text: the file, cut into cells by zero bytes */
    size_t *cells;     /* offsets into text, row by row */
    int *lines;        /* of the rows */
    nw_buf comment;
    size_t cell_capacity, line_capacity;
} store;

typedef struct reader {
    nw_table *table;
    store *store;
    int line;
    nw_error *err;
} reader;

static nw_status fail(reader *r, nw_status status, const char *format, const char *what)
{
    char where[192], shown[96];
    snprintf(where, sizeof where, "%.150s:%d", r->table->path, r->line);
    return nw_fail(r->err, status, where, format, nw_text_fit(what, shown, sizeof shown));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static char *trim(char *begin, char *end)
{
    while (begin < end && is_blank(*begin))
        begin++;
    while (end > begin && is_blank(end[-1]))
        end--;
    *end = '\0';
    return begin;
}

/* A cell in quotes that begins at text, cut in place; *end is behind the closing quote, NULL:
 * there is none. */
static char *unquote(char *text, char **end)
{
    char *from = text + 1, *to = text + 1;
    for (; *from; from++) {
        if (*from == '"' && from[1] != '"')
            break;
        from += *from == '"';
        *to++ = *from;
    }
    *end = *from ? from + 1 : NULL;
    *to = '\0';
    return text + 1;
}

/* Hands the cells of a line to add, which counts them. */
static nw_status cut_line(reader *r, char *line, char *cells[], int *n)
{
    *n = 0;
    for (char *next = line; next;) {
        char *cell = next, *comma;
        while (is_blank(*cell))
            cell++;
        if (*n == NW_TABLE_MAX_COLUMNS)
            return fail(r, NW_LIMIT, "has more than 256 columns; keep those that matter%s", "");
        if (*cell == '"') {
            char *end;
            cells[(*n)++] = unquote(cell, &end);
            if (!end)
                return fail(r, NW_INVALID, "a quote is not closed%s", "");
            while (is_blank(*end))
                end++;
            if (*end && *end != ',')
                return fail(r, NW_INVALID, "text behind a closing quote: %s", end);
            next = *end ? end + 1 : NULL;
            continue;
        }
        comma = strchr(cell, ',');
        cells[(*n)++] = trim(cell, comma ? comma : cell + strlen(cell));
        next = comma ? comma + 1 : NULL;
    }
    return NW_OK;
}

static nw_status read_header(reader *r, char *line)
{
    char *cells[NW_TABLE_MAX_COLUMNS];
    nw_map seen = {0};
    nw_status status = cut_line(r, line, cells, &r->table->n_columns);
    for (int i = 0; status == NW_OK && i < r->table->n_columns; i++) {
        r->table->names[i] = cells[i];
        if (!*cells[i])
            status = fail(r, NW_INVALID, "a column of the header line has no name%s", "");
        else if (nw_map_put(&seen, cells[i], i) != NW_MAP_NONE)
            status = fail(r, NW_INVALID, "has the column %s twice", cells[i]);
    }
    nw_map_fini(&seen);
    return status;
}

static nw_status read_row(reader *r, char *line)
{
    char *cells[NW_TABLE_MAX_COLUMNS], text[64];
    nw_table *t = r->table;
    store *s = r->store;
    int n;
    nw_status status = cut_line(r, line, cells, &n);
    if (status != NW_OK)
        return status;
    if (n != t->n_columns) {
        snprintf(text, sizeof text, "%d cells, the header line has %d", n, t->n_columns);
        return fail(r, NW_INVALID, "the line has %s", text);
    }
    size_t used = (size_t)t->n_rows * (size_t)t->n_columns;
    while (used + (size_t)n > s->cell_capacity) {
        s->cell_capacity = s->cell_capacity ? 2 * s->cell_capacity : 1024;
        s->cells = nw_realloc(s->cells, s->cell_capacity * sizeof *s->cells);
    }
    for (int i = 0; i < n; i++)
        s->cells[used + (size_t)i] = (size_t)(cells[i] - s->text);
    s->lines = nw_grow(s->lines, (size_t)t->n_rows, &s->line_capacity, sizeof *s->lines);
    s->lines[t->n_rows++] = r->line;
    return NW_OK;
}

static nw_status read_lines(reader *r, char *next)
{
    nw_status status = NW_OK;
    bool has_header = false;
    while (status == NW_OK && *next) {
        char *line = next;
        next += strcspn(next, "\n");
        char *end = next;
        if (*next)
            next++;
        r->line++;
        line = trim(line, end);
        if (*line == '#') {
            nw_buf_puts(&r->store->comment, line + 1);
            nw_buf_puts(&r->store->comment, "\n");
        } else if (*line) {
            status = has_header ? read_row(r, line) : read_header(r, line);
            has_header = true;
        }
    }
    if (status == NW_OK && !has_header)
        status = nw_fail(r->err, NW_INVALID, r->table->path,
                         "has no header line; the first line names the columns");
    return status;
}

nw_status nw_table_read(const nw_file *file, nw_table **out, nw_error *err)
{
    static const char bom[] = "\xef\xbb\xbf";
    nw_table *t = nw_zalloc(sizeof *t);
    store *s = t->store = nw_zalloc(sizeof *s);
    s->path = nw_alloc(strlen(file->path) + 1);
    memcpy(s->path, file->path, strlen(file->path) + 1);
    t->path = s->path;
    s->text = nw_alloc(file->n_bytes + 1);
    memcpy(s->text, file->bytes, file->n_bytes);
    s->text[file->n_bytes] = '\0';
    reader r = {.table = t, .store = s, .line = 1, .err = err};
    nw_status status;
    if (memchr(s->text, '\0', file->n_bytes)) {
        status = fail(&r, NW_INVALID, "holds zero bytes: not a CSV%s", "");
    } else {
        r.line = 0;
        status = read_lines(&r, s->text + (strncmp(s->text, bom, 3) == 0 ? 3 : 0));
    }
    t->comment = nw_buf_text(&s->comment);
    if (status == NW_OK)
        *out = t;
    else
        nw_table_free(t);
    return status;
}

nw_status nw_table_load(const char *path, nw_table **out, nw_error *err)
{
    nw_file *file;
    nw_status status = nw_file_read(path, NW_TABLE_MAX_BYTES, &file, err);
    if (status != NW_OK)
        return status;
    status = nw_table_read(file, out, err);
    nw_file_release(file);
    return status;
}

void nw_table_free(nw_table *table)
{
    if (!table)
        return;
    free(table->store->path);
    free(table->store->text);
    free(table->store->cells);
    free(table->store->lines);
    nw_buf_fini(&table->store->comment);
    free(table->store);
    free(table);
}

int nw_table_find(const nw_table *table, const char *column)
{
    for (int i = 0; i < table->n_columns; i++)
        if (strcmp(table->names[i], column) == 0)
            return i;
    return -1;
}

const char *nw_table_cell(const nw_table *table, int row, int column)
{
    size_t at = (size_t)row * (size_t)table->n_columns + (size_t)column;
    return table->store->text + table->store->cells[at];
}

int nw_table_line(const nw_table *table, int row)
{
    return table->store->lines[row];
}

const char *nw_table_where(const nw_table *table, int row, char *dst, size_t size)
{
    snprintf(dst, size, "%.150s:%d", table->path, table->store->lines[row]);
    return dst;
}

nw_status nw_table_number(const nw_table *table, int row, int column, double *value, nw_error *err)
{
    const char *text = nw_table_cell(table, row, column);
    char *end, where[192], shown[96];
    if (!*text) {
        *value = NAN;
        return NW_OK;
    }
    double number = strtod(text, &end);
    if (end != text && !*end && isfinite(number) && text[strspn(text, "0123456789+-.eE")] == '\0') {
        *value = number;
        return NW_OK;
    }
    return nw_fail(err, NW_INVALID, nw_table_where(table, row, where, sizeof where),
                   "%s is \"%s\", not a number", table->names[column],
                   nw_text_fit(text, shown, sizeof shown));
}

const char *nw_table_comment_value(const nw_table *table, const char *key, char *dst, size_t size)
{
    size_t length = strlen(key);
    dst[0] = '\0';
    for (const char *at = table->comment; (at = strstr(at, key)); at += length) {
        bool begins = at == table->comment || at[-1] == ' ' || at[-1] == '\n';
        if (!begins || at[length] != '=')
            continue;
        const char *value = at + length + 1;
        bool is_quoted = *value == '"';
        value += is_quoted;
        snprintf(dst, size, "%.*s", (int)strcspn(value, is_quoted ? "\"\n" : " \n"), value);
        break;
    }
    return dst;
}

void nw_table_write_cell(nw_buf *out, const char *text)
{
    size_t length = strlen(text);
    bool is_plain = !strpbrk(text, ",\"\n\r#") &&
                    (!length || (!is_blank(text[0]) && !is_blank(text[length - 1])));
    if (is_plain) {
        nw_buf_add(out, text, length);
        return;
    }
    nw_buf_puts(out, "\"");
    for (; *text; text++) {
        if (*text == '"')
            nw_buf_puts(out, "\"");
        nw_buf_add(out, *text == '\n' || *text == '\r' ? " " : text, 1);
    }
    nw_buf_puts(out, "\"");
}
