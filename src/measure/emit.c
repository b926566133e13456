/* Writing the folder of single-kernel models and its manifest. */
#include "src/measure/emit.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/base/map.h"
#include "src/base/save.h"
#include "src/format/format.h"

#define MAX_MODELS         100000
#define MAX_MODEL_WEIGHTS  ((int64_t)256 << 20)
#define MAX_MANIFEST_BYTES ((size_t)256 << 20)
#define TOOL               "tool=nasw-" NASW_VERSION "-emit"
#define MARK               "-emit" /* ends the comment of our manifests */

typedef struct model {
    nw_emit_kernel kernel;
    const char *row;  /* of the manifest, up to the residual */
    const char *name; /* of the file, without .onnx */
} model;

typedef struct plan {
    nw_arena arena;
    nw_map rows; /* those that have a model */
    model *models;
    size_t n_models, capacity;
    int n_rows;
} plan;

/* ---- the models that a table asks for ---- */

/* "k0001_conv_56x56x64_k1s1_128": number, kernel, input, window, output. */
static const char *make_name(plan *p, const nw_emit_kernel *kernel)
{
    const nw_kernel_part *first = &kernel->shape.parts[0];
    const nw_kernel_part *last = &kernel->shape.parts[kernel->shape.n_parts - 1];
    char run[64];
    nw_buf name = {0};
    nw_buf_printf(&name, "k%04zu_%s_%lldx%lldx%lld", p->n_models + 1,
                  nw_emit_name(kernel, run, sizeof run), (long long)first->in_h,
                  (long long)first->in_w, (long long)first->in_c);
    bool has_window = first->kind == NW_KERNEL_CONV || first->kind == NW_KERNEL_DWCONV ||
                      first->kind == NW_KERNEL_CONV_TRANSPOSE || first->kind == NW_KERNEL_POOL;
    bool is_square = first->kernel_h == first->kernel_w && first->stride_h == first->stride_w;
    if (has_window && is_square)
        nw_buf_printf(&name, "_k%ds%d", (int)first->kernel_h, (int)first->stride_h);
    else if (has_window)
        nw_buf_printf(&name, "_k%dx%ds%dx%d", (int)first->kernel_h, (int)first->kernel_w,
                      (int)first->stride_h, (int)first->stride_w);
    if (has_window && first->dilation_h > 1)
        nw_buf_printf(&name, "d%d", (int)first->dilation_h);
    if (first->kind == NW_KERNEL_CONV && first->groups > 1)
        nw_buf_printf(&name, "g%d", (int)first->groups);
    if (has_window || first->kind == NW_KERNEL_FC || first->kind == NW_KERNEL_MATMUL)
        nw_buf_printf(&name, "_%lld", (long long)last->out_c);
    else if (last->out_h != first->in_h || last->out_w != first->in_w || last->out_c != first->in_c)
        nw_buf_printf(&name, "_%lldx%lldx%lld", (long long)last->out_h, (long long)last->out_w,
                      (long long)last->out_c);
    if (kernel->shape.bits != 8)
        nw_buf_printf(&name, "_f%d", (int)kernel->shape.bits);
    char *copy = nw_arena_strdup(&p->arena, nw_buf_text(&name));
    for (char *plus = strchr(copy, '+'); plus; plus = strchr(plus, '+'))
        *plus = '-';
    nw_buf_fini(&name);
    return copy;
}

/* The row as the manifest has it: its own run and function, all columns filled. */
static const char *make_row(plan *p, const nw_shapes_row *row, const nw_emit_kernel *kernel)
{
    char run[64];
    nw_buf text = {0};
    nw_buf_puts(&text, nw_emit_name(kernel, run, sizeof run));
    for (int c = NW_COL_IN_H; c <= NW_COL_BITS; c++)
        nw_buf_printf(
            &text, ",%lld",
            (long long)(c == NW_COL_GROUPS ? row->shape.parts[0].groups : row->number[c]));
    nw_buf_printf(&text, ",%s,%d", kernel->act, (int)row->shape.residual);
    nw_shapes_write_surroundings(row, &text);
    const char *copy = nw_arena_strdup(&p->arena, nw_buf_text(&text));
    nw_buf_fini(&text);
    return copy;
}

static nw_status take_row(void *context, nw_shapes_reader *reader, const nw_shapes_row *row)
{
    plan *p = context;
    model m;
    nw_graph *graph;
    nw_status status = nw_emit_read(reader, row, &m.kernel);
    p->n_rows++;
    if (status != NW_OK)
        return status;
    m.row = make_row(p, row, &m.kernel);
    if (nw_map_get(&p->rows, m.row) != NW_MAP_NONE)
        return NW_OK;
    if (p->n_models == MAX_MODELS)
        return nw_shapes_fail(reader, NW_LIMIT, "more than 100000 distinct rows; take a part%s",
                              "");
    if (row->shape.weight_elements > MAX_MODEL_WEIGHTS)
        return nw_shapes_fail(reader, NW_LIMIT, "more than 2^28 weights in one kernel%s", "");
    m.name = make_name(p, &m.kernel);
    nw_error problem;
    if (nw_emit_build(&m.kernel, m.name, &graph, &problem) != NW_OK)
        return nw_shapes_fail(reader, NW_UNSUPPORTED, "no model has these sizes: %s",
                              problem.message);
    nw_graph_free(graph);
    nw_map_put(&p->rows, m.row, 1);
    p->models = nw_grow(p->models, p->n_models, &p->capacity, sizeof *p->models);
    p->models[p->n_models++] = m;
    return NW_OK;
}

/* ---- the folder as it is ---- */

static const char *join_path(plan *p, const char *dir, const char *name)
{
    nw_buf path = {0};
    nw_buf_printf(&path, "%s/%s", dir, name);
    const char *copy = nw_arena_strdup(&p->arena, nw_buf_text(&path));
    nw_buf_fini(&path);
    return copy;
}

static bool is_model_name(const char *name, size_t length)
{
    if (length < 10 || name[0] != 'k' || strncmp(name + length - 5, ".onnx", 5) != 0)
        return false;
    for (size_t i = 1; i < 5; i++)
        if (!isdigit((unsigned char)name[i]))
            return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("_-.", name[i]))
            return false;
    return true;
}

/* Cell number `column` of a line, without quotes and blanks. */
static const char *find_cell(const char *line, int column, size_t *length)
{
    const char *end = line + strcspn(line, "\n");
    for (; column > 0; column--) {
        line += strcspn(line, ",\n");
        line += *line == ',';
    }
    *length = line < end ? strcspn(line, ",\n") : 0;
    while (*length && strchr(" \t\r\"", line[*length - 1]))
        --*length;
    for (; *length && strchr(" \t\"", *line); line++)
        --*length;
    return line;
}

static int find_column(const char *header, const char *name)
{
    size_t n_columns = 1, length;
    for (const char *s = header; *s && *s != '\n'; s++)
        n_columns += *s == ',';
    for (size_t i = 0; i < n_columns; i++) {
        const char *cell = find_cell(header, (int)i, &length);
        if (length == strlen(name) && strncmp(cell, name, length) == 0)
            return (int)i;
    }
    return -1;
}

/* Calls visit for each row of a manifest, with the file's name and the latency; true: one said so.
 */
static bool any_row(plan *p, const char *text, const char *dir,
                    bool (*visit)(plan *p, const char *dir, const char *file, size_t n_file,
                                  size_t n_latency))
{
    const char *header = NULL;
    int file_column = -1, latency_column = -1;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (*line == '#' || *line == '\n')
            continue;
        if (!header) {
            header = line;
            file_column = find_column(header, "file");
            latency_column = find_column(header, "latency_us");
            continue;
        }
        size_t n_file = 0, n_latency = 0;
        const char *file = file_column < 0 ? "" : find_cell(line, file_column, &n_file);
        if (latency_column >= 0)
            find_cell(line, latency_column, &n_latency);
        if (visit(p, dir, file, n_file, n_latency))
            return true;
    }
    return false;
}

static bool has_result(plan *p, const char *dir, const char *file, size_t n_file, size_t n_latency)
{
    (void)p;
    (void)dir;
    (void)file;
    (void)n_file;
    return n_latency > 0;
}

/* Only what has the name of a model of ours, in this folder. */
static bool remove_model(plan *p, const char *dir, const char *file, size_t n_file,
                         size_t n_latency)
{
    (void)n_latency;
    if (is_model_name(file, n_file))
        unlink(join_path(p, dir, nw_arena_strndup(&p->arena, file, n_file)));
    return false;
}

/* Checks a manifest that is there and takes its models away. */
static nw_status replace_earlier(plan *p, const char *dir, const char *path, nw_error *err)
{
    nw_file *file;
    nw_status status = nw_file_read(path, MAX_MANIFEST_BYTES, &file, err);
    if (status != NW_OK)
        return status;
    const char *text = (const char *)file->bytes, *mark = strstr(text, MARK);
    if (text[0] != '#' || !mark || mark > text + strcspn(text, "\n"))
        status = nw_fail(err, NW_INVALID, path, "was not written by nasw; give another folder");
    else if (any_row(p, text, dir, has_result))
        status =
            nw_fail(err, NW_INVALID, path, "holds results; give another folder, or move it away");
    else
        any_row(p, text, dir, remove_model);
    nw_file_release(file);
    return status;
}

static bool is_empty_folder(const char *dir)
{
    DIR *folder = opendir(dir);
    bool is_empty = folder != NULL;
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder))
        is_empty &= strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (folder)
        closedir(folder);
    return is_empty;
}

static nw_status prepare_folder(plan *p, const char *dir, const char *manifest, nw_error *err)
{
    struct stat info;
    if (mkdir(dir, 0777) == 0)
        return NW_OK;
    int problem = errno;
    if (problem != EEXIST)
        return nw_fail(err, NW_IO, dir, "cannot make the folder: %s", strerror(problem));
    if (stat(dir, &info) != 0 || !S_ISDIR(info.st_mode))
        return nw_fail(err, NW_IO, dir, "is there and no folder");
    if (access(manifest, F_OK) == 0)
        return replace_earlier(p, dir, manifest, err);
    if (is_empty_folder(dir))
        return NW_OK;
    return nw_fail(err, NW_INVALID, dir,
                   "is not empty and has no manifest.csv of nasw; give another folder");
}

/* ---- writing ---- */

static const char readme[] =
    "Single-kernel models, written by nasw, to be measured on a real chip.\n"
    "\n"
    "1. Compile and run each k*.onnx with the chip's own tools, one inference at a time\n"
    "   (batch 1).\n"
    "2. Write its latency in microseconds into the column latency_us of manifest.csv: the\n"
    "   minimum over repeats (20 or more, after some to warm up), the time on the chip alone.\n"
    "   Transfers from and to the host, loading, and conversions of the model's input and output\n"
    "   do not count.\n"
    "3. Leave the latency of models that the chip cannot run empty. Name the chip in the first\n"
    "   line (device=...).\n"
    "4. nasw fit manifest.csv -o CHIP.json --target latency_us\n"
    "\n"
    "Inputs and outputs are N,C,H,W. bits 8: QuantizeLinear and DequantizeLinear around every\n"
    "operator, with plausible scales; bits 16 and 32: float16 and float32. Weights are random:\n"
    "only time and energy mean something. A second input is the second operand or the residual.\n";

static nw_status write_text(const char *path, const char *text, nw_error *err)
{
    nw_buf out = {0};
    nw_buf_puts(&out, text);
    nw_status status = nw_save(path, &out, NW_SAVE_REPLACE, err);
    nw_buf_fini(&out);
    return status;
}

static nw_status write_manifest(const plan *p, const char *path, const nw_hw *hw, nw_error *err)
{
    char date[16], name[64] = "unknown";
    nw_buf out = {0};
    if (hw)
        nw_text_visible(hw->name, name, sizeof name);
    nw_buf_printf(&out, "# device=%s source=chip date=%s " TOOL "\n", name,
                  nw_shapes_date(date, sizeof date));
    nw_shapes_write_names(&out);
    nw_buf_puts(&out, ",latency_us,file\n");
    for (size_t i = 0; i < p->n_models; i++)
        nw_buf_printf(&out, "%s,,%s.onnx\n", p->models[i].row, p->models[i].name);
    nw_status status = nw_save(path, &out, NW_SAVE_REPLACE, err);
    nw_buf_fini(&out);
    return status;
}

static nw_status write_model(plan *p, const model *m, const char *dir, int64_t *n_bytes,
                             nw_error *err)
{
    const nw_onnx_options options = {.bits = m->kernel.shape.bits == 8 ? 8 : 0};
    nw_buf name = {0}, out = {0};
    nw_graph *graph;
    nw_status status = nw_emit_build(&m->kernel, m->name, &graph, err);
    if (status != NW_OK)
        return status;
    nw_buf_printf(&name, "%s.onnx", m->name);
    status = nw_onnx_write(graph, &options, &out, err);
    if (status != NW_OK)
        nw_error_prefix(err, m->name);
    else
        status = nw_save(join_path(p, dir, nw_buf_text(&name)), &out, NW_SAVE_NOTE, err);
    *n_bytes += (int64_t)out.length;
    nw_buf_fini(&out);
    nw_buf_fini(&name);
    nw_graph_free(graph);
    return status;
}

/* The manifest first: a folder that was left half-way may be written again. */
static nw_status write_folder(plan *p, const char *dir, const nw_hw *hw, nw_measure_emitted *done,
                              nw_error *err)
{
    const char *manifest = join_path(p, dir, "manifest.csv");
    nw_measure_emitted emitted = {.n_rows = p->n_rows, .n_models = (int)p->n_models};
    nw_status status = prepare_folder(p, dir, manifest, err);
    if (status == NW_OK)
        status = write_manifest(p, manifest, hw, err);
    if (status == NW_OK)
        status = write_text(join_path(p, dir, "README.txt"), readme, err);
    for (size_t i = 0; i < p->n_models && status == NW_OK; i++)
        status = write_model(p, &p->models[i], dir, &emitted.n_bytes, err);
    if (status == NW_OK && done)
        *done = emitted;
    return status;
}

nw_status nw_measure_emit(const nw_file *table, const char *dir, const nw_hw *hw,
                          nw_measure_emitted *done, nw_error *err)
{
    plan p = {0};
    nw_status status = nw_shapes_read(table, take_row, &p, err);
    if (status == NW_OK && p.n_models == 0)
        status = nw_fail(err, NW_INVALID, table->path, "lists no kernels");
    if (status == NW_OK)
        status = write_folder(&p, dir, hw, done, err);
    free(p.models);
    nw_map_fini(&p.rows);
    nw_arena_fini(&p.arena);
    return status;
}
