#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/save.h"
#include "src/command/internal.h"

typedef struct export_work {
    const nw_options *o;
    const nw_arch *arch;
    const nw_graph *graph; /* of arch */
    int n_left_out;        /* blocks that the text has no word for */
    nw_onnx_options onnx;
    nw_onnx_report report;
} export_work;

static nw_status write_onnx(export_work *w, nw_buf *out, nw_error *err)
{
    w->onnx.report = &w->report;
    return nw_onnx_write(w->graph, &w->onnx, out, err);
}

static nw_status write_json(export_work *w, nw_buf *out, nw_error *err)
{
    (void)err;
    bool is_file = strcmp(w->o->out, "-") != 0;
    nw_network_json_write_to(w->graph, is_file ? w->o->out : NULL, NULL, 0, out);
    return NW_OK;
}

static nw_status write_pytorch(export_work *w, nw_buf *out, nw_error *err)
{
    return nw_pytorch_write(w->graph, out, err);
}

static nw_status write_timm(export_work *w, nw_buf *out, nw_error *err)
{
    return nw_timm_write(w->arch, out, &w->n_left_out, err);
}

/* What is written, by the end of the file's name; standard output takes the text that every network
 * can be written as. */
typedef struct export_format {
    const char *suffix, *name;
    nw_status (*write)(export_work *w, nw_buf *out, nw_error *err);
    bool has_weights;
} export_format;

static const export_format export_formats[] = {
    {".onnx", "ONNX model", write_onnx, true},
    {".json", "network JSON", write_json, false},
    {".py", "PyTorch module without weights", write_pytorch, false},
    {".txt", "timm block strings", write_timm, false},
};

static const export_format *find_format(const char *path)
{
    const char *suffix = strrchr(path, '.');
    if (strcmp(path, "-") == 0)
        suffix = ".json";
    for (size_t i = 0; suffix && i < sizeof export_formats / sizeof *export_formats; i++)
        if (strcmp(export_formats[i].suffix, suffix) == 0)
            return &export_formats[i];
    nw_command_fail_usage("-o %s: the end of the name says what is written; there are .onnx, "
                          ".json, .py and .txt",
                          path);
    return NULL;
}

static bool read_weights(const nw_options *o, nw_onnx_weight_rule *out)
{
    static const char *const names[] = {"keep", "new", "none"};
    *out = NW_ONNX_WEIGHTS_KEPT;
    if (!o->weights)
        return true;
    for (int i = 0; i < 3; i++)
        if (strcmp(o->weights, names[i]) == 0) {
            *out = (nw_onnx_weight_rule)i;
            return true;
        }
    nw_command_fail_usage("--weights %s: there are keep, new and none", o->weights);
    return false;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Beside the network or as it stands: see nw_graph.folder. */
static bool is_weight_file(const nw_graph *graph, const char *path, const char *out)
{
    nw_buf beside = {0};
    nw_buf_printf(&beside, "%s%s", path[0] == '/' ? "" : graph->folder, path);
    bool is_same = is_same_file(out, nw_buf_text(&beside)) || is_same_file(out, path);
    nw_buf_fini(&beside);
    return is_same;
}

/* The input, and files that its weights are in, stay as they are. */
static nw_status spare_input(const export_work *w, nw_error *err)
{
    const char *out = w->o->out, *taken = is_same_file(out, w->o->files[0]) ? w->o->files[0] : NULL;
    const char *last = NULL;
    for (int i = 0; i < w->graph->n_tensors && !taken; i++) {
        const char *path = w->graph->tensors[i].file_path;
        if (path && path != last && is_weight_file(w->graph, path, out))
            taken = path;
        last = path;
    }
    if (!taken)
        return NW_OK;
    return nw_fail(err, NW_INVALID, out,
                   "is the file that the network comes from; write to another");
}

/* What writing would put a file in the place of: pipes and devices stay what they are. */
static nw_status spare_device(const char *out, nw_error *err)
{
    struct stat info;
    if (strcmp(out, "-") == 0 || stat(out, &info) != 0 || S_ISREG(info.st_mode))
        return NW_OK;
    return nw_fail(err, NW_INVALID, out,
                   "is %s, which is not written over; give the name of a file, or - for standard "
                   "output",
                   S_ISDIR(info.st_mode) ? "a folder" : "a pipe or a device");
}

static bool is_edited(const nw_graph *graph)
{
    for (int i = 0; i < graph->n_tensors; i++)
        if (graph->tensors[i].edited)
            return true;
    return false;
}

#define MAX_NEW_LINES 12 /* of tensors that have values which are in no file */

/* "nasw: new: conv1.weight (128 of 3456 elements)". */
static void tell_new(const nw_graph *graph, const nw_constant_row *rows, int n_rows)
{
    char clean[128];
    int n = 0;
    for (int i = 0; i < n_rows; i++) {
        bool is_new = rows[i].origin == NW_CONSTANT_NEW || rows[i].origin == NW_CONSTANT_EXTENDED;
        if (!is_new || ++n > MAX_NEW_LINES)
            continue;
        fprintf(stderr, "nasw: new: %s (%lld of %lld elements)\n",
                nw_text_visible(graph->tensors[rows[i].tensor].name, clean, sizeof clean),
                (long long)rows[i].n_new, (long long)rows[i].n_elements);
    }
    if (n > MAX_NEW_LINES)
        fprintf(stderr, "nasw: new: and %d more\n", n - MAX_NEW_LINES);
}

/* "nasw: 52 weights and biases kept, 4 sliced, 2 new". */
static void tell_weights(const export_work *w)
{
    int n_rows, counts[NW_CONSTANT_ORIGINS] = {0};
    nw_constant_row *rows = nw_graph_list_constants(w->graph, &n_rows);
    for (int i = 0; i < n_rows; i++)
        counts[rows[i].origin]++;
    nw_buf line = {0};
    for (int i = 0; i < NW_CONSTANT_ORIGINS; i++)
        if (counts[i] && i != NW_CONSTANT_ABSENT)
            nw_buf_printf(&line, "%s%d %s", line.length ? ", " : "", counts[i],
                          nw_constant_origin_name((nw_constant_origin)i));
    bool are_kept = w->onnx.weights == NW_ONNX_WEIGHTS_KEPT;
    if (are_kept && line.length)
        fprintf(stderr, "nasw: stored tensors: %s\n", nw_buf_text(&line));
    if (are_kept)
        tell_new(w->graph, rows, n_rows);
    if (w->onnx.weights == NW_ONNX_WEIGHTS_LEFT_OUT)
        fprintf(stderr, "nasw: weights left out: all are 0\n");
    else if (w->report.n_made_up)
        fprintf(stderr, "nasw: %d tensors made up after He et al. 2015%s\n", w->report.n_made_up,
                are_kept ? ": the file has no values of them" : "");
    if (w->report.is_dequantised)
        fprintf(stderr, "nasw: exported as float: %s quantised network\n",
                is_edited(w->graph) ? "edited" : "a");
    free(rows);
    nw_buf_fini(&line);
}

static void tell(const export_work *w, const export_format *format)
{
    nw_counts counts;
    char clean[256];
    nw_graph_count(w->graph, &counts);
    for (int i = 0; i < w->graph->n_warnings; i++)
        fprintf(stderr, "nasw: warning: %s\n", w->graph->warnings[i]);
    fprintf(stderr, "nasw: %s: %s, %lld MACs, %lld params\n",
            strcmp(w->o->out, "-") == 0 ? "standard output"
                                        : nw_text_visible(w->o->out, clean, sizeof clean),
            format->name, (long long)counts.macs, (long long)counts.params);
    if (format->has_weights)
        tell_weights(w);
    if (w->n_left_out)
        fprintf(stderr,
                "nasw: not the whole network: %d blocks that timm's strings cannot say are "
                "comments\n",
                w->n_left_out);
}

static nw_status save(const export_work *w, const nw_buf *bytes, nw_error *err)
{
    if (strcmp(w->o->out, "-") != 0)
        return nw_save(w->o->out, bytes, NW_SAVE_REPLACE, err);
    return nw_command_print(bytes) == NW_EXIT_DONE ? NW_OK : NW_CANCELLED;
}

static nw_status export_network(export_work *w, const export_format *format, nw_error *err)
{
    nw_buf bytes = {0};
    nw_status status = spare_device(w->o->out, err);
    if (status == NW_OK)
        status = nw_command_load(w->o, &w->arch, err);
    if (status == NW_OK)
        w->graph = nw_arch_graph(w->arch);
    if (status == NW_OK)
        status = spare_input(w, err);
    if (status == NW_OK) {
        status = format->write(w, &bytes, err);
        if (status != NW_OK)
            nw_error_prefix(err, w->o->files[0]);
    }
    if (status == NW_OK)
        status = save(w, &bytes, err);
    nw_buf_fini(&bytes);
    return status;
}

int nw_command_export(nw_options *o)
{
    export_work w = {.o = o};
    if (o->n_files != 1 || !o->out)
        return nw_command_fail_usage(
            "usage: nasw export FILE -o F.onnx|.json|.py|.txt [--edit E]... "
            "[--edits FILE] [--weights keep|new|none] "
            "[--input NAME=1x3x320x320]");
    const export_format *format = find_format(o->out);
    if (!format || !read_weights(o, &w.onnx.weights))
        return NW_EXIT_USAGE;
    nw_error err;
    nw_status status = export_network(&w, format, &err);
    int code = NW_EXIT_DONE;
    if (status == NW_OK)
        tell(&w, format);
    else
        code = status == NW_CANCELLED ? NW_EXIT_BAD_FILE : nw_command_fail(&err);
    nw_arch_release(w.arch);
    return code;
}
