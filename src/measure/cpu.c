/* cpu.c - a table of shapes measured on this machine, row by row, so that nothing finished is ever
 * lost: the file grows by a line a row, and a second start goes on where the first was stopped.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "src/base/arena.h"
#include "src/base/map.h"
#include "src/base/save.h"
#include "src/measure/internal.h"

#define MAX_ROWS      1000000
#define MAX_OUT_BYTES ((size_t)256 << 20)

#define OWN_COLUMNS ",latency_us,latency_median_us,spread,impl,note"
#define N_COMMAS    (NW_N_COLS + 4) /* in a whole row */

typedef struct cpu_row {
    nw_kernel_shape shape;
    int line;         /* in the table of shapes */
    const char *key;  /* its values in the columns of shapes */
    const char *text; /* the whole line without its end; NULL: not measured yet */
} cpu_row;

typedef struct cpu_table {
    const nw_file *shapes;
    const char *path; /* of the measurements */
    nw_arena arena;
    cpu_row *rows;
    int n_rows, n_kept;
    size_t capacity;
    nw_buf comment; /* the first line, with its end */
    int n_measured;
    double begin_s;
    const nw_exec_watch *watch;
} cpu_table;

/* ---- provenance ---- */

static const char *read_model(char *dst, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "rb");
    struct utsname machine;
    snprintf(dst, size, "%s", uname(&machine) == 0 ? machine.machine : "cpu");
    while (file && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value)
            continue;
        value += 1 + strspn(value + 1, " \t");
        value[strcspn(value, "\r\n")] = '\0';
        nw_text_visible(value, dst, size);
        break;
    }
    if (file)
        fclose(file);
    return dst;
}

/* What comes before and behind the date, which may differ. */
static void write_provenance(const nw_exec_options *options, nw_buf *before, nw_buf *behind)
{
    char model[128], version[32];
    nw_exec_options o = nw_exec_options_used(options);
    nw_buf_printf(before,
                  "# device=\"%s\" source=\"oneDNN %s, 1 thread, least of %d samples in each of "
                  "%d processes, after the producer\" date=",
                  read_model(model, sizeof model), nw_exec_version(version, sizeof version),
                  o.repeats, o.processes);
    nw_buf_printf(behind, " tool=nasw-%s\n", NASW_VERSION);
}

/* ---- what is to be measured ---- */

static nw_status take_shape(void *context, nw_shapes_reader *reader, const nw_shapes_row *row)
{
    cpu_table *t = context;
    nw_buf key = {0};
    if (t->n_rows == MAX_ROWS)
        return nw_shapes_fail(reader, NW_LIMIT, "has more than 1000000 rows; measure it in parts%s",
                              "");
    t->rows = nw_grow(t->rows, (size_t)t->n_rows, &t->capacity, sizeof *t->rows);
    cpu_row *r = &t->rows[t->n_rows++];
    *r = (cpu_row){.shape = row->shape, .line = nw_shapes_line(reader)};
    r->shape.is_float = r->shape.bits == 32;
    nw_shapes_write_row(row, &key);
    r->key = nw_arena_strndup(&t->arena, nw_buf_text(&key), key.length);
    nw_buf_fini(&key);
    return NW_OK;
}

/* ---- what was measured before ---- */

static int count_commas(const char *line, size_t n)
{
    int count = 0;
    for (size_t i = 0; i < n; i++)
        count += line[i] == ',';
    return count;
}

/* The length of a line's part in the columns of shapes. */
static size_t key_length(const char *line)
{
    const char *end = line;
    for (int i = 0; i < NW_N_COLS && end; i++)
        end = strchr(i ? end + 1 : end, ',');
    return end ? (size_t)(end - line) : strlen(line);
}

/* Old lines by key; equal keys are linked in their order. */
typedef struct old_lines {
    nw_map first, last; /* by key: indices into lines */
    const char **lines;
    int32_t *next;
    int n;
    size_t capacity, next_capacity;
} old_lines;

static void add_old(old_lines *old, nw_arena *arena, const char *line, size_t n)
{
    const char *copy = nw_arena_strndup(arena, line, n);
    const char *key = nw_arena_strndup(arena, copy, key_length(copy));
    old->lines = nw_grow(old->lines, (size_t)old->n, &old->capacity, sizeof *old->lines);
    old->next = nw_grow(old->next, (size_t)old->n, &old->next_capacity, sizeof *old->next);
    old->lines[old->n] = copy;
    old->next[old->n] = NW_MAP_NONE;
    int32_t before = nw_map_put(&old->last, key, old->n);
    if (before == NW_MAP_NONE)
        nw_map_put(&old->first, key, old->n);
    else
        old->next[before] = old->n;
    old->n++;
}

static const char *take_old(old_lines *old, const char *key)
{
    int32_t i = nw_map_get(&old->first, key);
    if (i == NW_MAP_NONE || i < 0)
        return NULL;
    nw_map_put(&old->first, key, old->next[i] == NW_MAP_NONE ? -1 : old->next[i]);
    return old->lines[i];
}

/* What stands behind start; NULL: text does not begin so. */
static const char *skip(const char *text, const nw_buf *start)
{
    return text && strncmp(text, nw_buf_text(start), start->length) == 0 ? text + start->length
                                                                         : NULL;
}

/* The lines behind the header; NULL: the file is not of this provenance. */
static const char *skip_header(const nw_file *file, const nw_buf *before, const nw_buf *behind)
{
    nw_buf names = {0};
    nw_shapes_write_names(&names);
    nw_buf_puts(&names, OWN_COLUMNS "\n");
    const char *text = skip((const char *)file->bytes, before);
    if (text)
        text += strcspn(text, " \n"); /* the date */
    text = skip(skip(text, behind), &names);
    nw_buf_fini(&names);
    return text;
}

/* A line that has no end was cut off by a crash: it is measured again. */
static void keep_rows(cpu_table *t, const char *text)
{
    old_lines old = {0};
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1)
        if (count_commas(text, (size_t)(end - text)) == N_COMMAS)
            add_old(&old, &t->arena, text, (size_t)(end - text));
    for (int i = 0; i < t->n_rows; i++) {
        t->rows[i].text = take_old(&old, t->rows[i].key);
        t->n_kept += t->rows[i].text != NULL;
    }
    nw_map_fini(&old.first);
    nw_map_fini(&old.last);
    free(old.lines);
    free(old.next);
}

static nw_status read_kept(cpu_table *t, const nw_exec_options *options, nw_error *err)
{
    nw_buf before = {0}, behind = {0};
    nw_file *file = NULL;
    struct stat info;
    char date[16];
    nw_status status = NW_OK;
    bool exists = stat(t->path, &info) == 0;
    write_provenance(options, &before, &behind);
    nw_buf_printf(&t->comment, "%s%s%s", nw_buf_text(&before), nw_shapes_date(date, sizeof date),
                  nw_buf_text(&behind));
    if (exists && !S_ISREG(info.st_mode))
        status = nw_fail(err, NW_INVALID, t->path, "is no file that rows can be added to");
    else if (exists && info.st_size > 0)
        status = nw_file_read(t->path, MAX_OUT_BYTES, &file, err);
    if (status == NW_OK && file) {
        const char *rows = skip_header(file, &before, &behind);
        if (rows) {
            keep_rows(t, rows);
            nw_buf_clear(&t->comment); /* the day it was begun on stays */
            nw_buf_add(&t->comment, (const char *)file->bytes,
                       strcspn((const char *)file->bytes, "\n") + 1);
        } else {
            status = nw_fail(err, NW_INVALID, t->path,
                             "holds something else than measurements of this machine by this "
                             "version with these settings; remove it or give another name");
        }
    }
    nw_file_release(file);
    nw_buf_fini(&before);
    nw_buf_fini(&behind);
    return status;
}

/* ---- writing ---- */

/* All that is known, in the order of the table. */
static nw_status save_rows(const cpu_table *t, nw_error *err)
{
    nw_buf out = {0};
    nw_buf_puts(&out, nw_buf_text(&t->comment));
    nw_shapes_write_names(&out);
    nw_buf_puts(&out, OWN_COLUMNS "\n");
    for (int i = 0; i < t->n_rows; i++)
        if (t->rows[i].text)
            nw_buf_printf(&out, "%s\n", t->rows[i].text);
    nw_status status = nw_save(t->path, &out, NW_SAVE_REPLACE, err);
    nw_buf_fini(&out);
    return status;
}

/* One write: it is there whole or, after a crash, without its end. */
static nw_status append_row(const cpu_table *t, const cpu_row *row, nw_error *err)
{
    FILE *file = fopen(t->path, "ab");
    bool is_written = file && fprintf(file, "%s\n", row->text) > 0;
    if (file && fclose(file) != 0)
        is_written = false;
    if (!is_written)
        return nw_fail(err, NW_IO, t->path, "cannot write: %s", strerror(errno));
    return NW_OK;
}

static void write_row(cpu_table *t, cpu_row *row, const nw_exec_timing *timing)
{
    nw_buf line = {0};
    nw_buf_puts(&line, row->key);
    if (timing->is_timed)
        nw_buf_printf(&line, ",%.3f,%.3f,%.4f,%s,", timing->min_us, timing->median_us,
                      timing->spread, timing->impl);
    else
        nw_buf_printf(&line, ",,,,,%s", timing->reason);
    char *text = nw_arena_strndup(&t->arena, nw_buf_text(&line), line.length);
    /* no cell of ours has a comma of its own */
    int excess = count_commas(text, line.length) - N_COMMAS;
    for (size_t i = line.length; i-- > 0 && excess > 0;)
        if (text[i] == ',') {
            text[i] = ';';
            excess--;
        }
    row->text = text;
    nw_buf_fini(&line);
}

/* ---- measuring ---- */

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* A row's own progress as a part of the table's. */
static bool pass_progress(void *context, int64_t done, int64_t total, double seconds_left)
{
    const cpu_table *t = context;
    const nw_exec_watch *watch = t->watch;
    (void)seconds_left;
    if (!watch || !watch->progress)
        return true;
    double part = total > 0 ? (double)done / (double)total : 0;
    double elapsed_s = now_s() - t->begin_s;
    int n_left = t->n_rows - t->n_kept - t->n_measured;
    double fraction = t->n_measured + part;
    double left = fraction > 0 ? elapsed_s * (n_left - part) / fraction : -1;
    return watch->progress(watch->context, t->n_kept + t->n_measured, t->n_rows, left);
}

static nw_status measure_row(cpu_table *t, cpu_row *row, const nw_exec_options *options,
                             nw_error *err)
{
    nw_exec_watch watch = {
        .progress = pass_progress, .context = t, .cancel = t->watch ? t->watch->cancel : NULL};
    nw_exec_timing timing;
    nw_error problem;
    nw_status status = nw_exec_time(&row->shape, 1, options, &watch, &timing, &problem);
    if (status == NW_OK) {
        write_row(t, row, &timing);
        t->n_measured++;
        return append_row(t, row, err);
    }
    if (status == NW_CANCELLED)
        return nw_fail(err, status, t->path,
                       "stopped after %d of %d rows; the same command goes on from there",
                       t->n_kept + t->n_measured, t->n_rows);
    char where[192];
    snprintf(where, sizeof where, "%.150s:%d", t->shapes->path, row->line);
    return nw_fail(err, status, where, "%.300s", problem.message);
}

static nw_status measure_rows(cpu_table *t, const nw_exec_options *options, nw_error *err)
{
    nw_status status = save_rows(t, err);
    for (int i = 0; i < t->n_rows && status == NW_OK; i++)
        if (!t->rows[i].text)
            status = measure_row(t, &t->rows[i], options, err);
    /* Rows kept from before may stand behind new ones. */
    if (t->n_measured) {
        nw_status saved = save_rows(t, status == NW_OK ? err : NULL);
        status = status == NW_OK ? saved : status;
    }
    return status;
}

nw_status nw_measure_cpu(const nw_file *table, const char *path, const nw_exec_options *options,
                         const nw_exec_watch *watch, nw_measure_counts *counts, nw_error *err)
{
    cpu_table t = {.shapes = table, .path = path, .watch = watch, .begin_s = now_s()};
    nw_status status = nw_shapes_read(table, take_shape, &t, err);
    if (status == NW_OK)
        status = read_kept(&t, options, err);
    if (status == NW_OK)
        status = measure_rows(&t, options, err);
    if (counts)
        *counts = (nw_measure_counts){t.n_rows, t.n_kept, t.n_measured};
    nw_buf_fini(&t.comment);
    nw_arena_fini(&t.arena);
    free(t.rows);
    return status;
}
