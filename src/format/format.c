#include "src/format/format.h"

#include <string.h>
#include <unistd.h>

#include "src/format/demo.h"

typedef struct format {
    const char *name;
    bool (*is)(const nw_file *file);
    nw_status (*read)(const nw_file *file, nw_graph **out, nw_error *err);
    bool is_text; /* of a network whose input's size is a choice: stored_shape has the usual one */
} format;

/* In this order: the first that recognises the bytes reads them. To add one, add its row. */
static const format formats[] = {
    {"TFLite", nw_tflite_is, nw_tflite_read, false},
    {"nasw network JSON", nw_network_json_is, nw_network_json_read, false},
    {"OFA description", nw_ofa_is, nw_ofa_read, true},
    {"block strings", nw_timm_is, nw_timm_read, true},
    {"ONNX", nw_onnx_is, nw_onnx_read, false},
};

/* NULL after an error. */
static const format *find_format(const nw_file *file, nw_error *err)
{
    if (!file->n_bytes) {
        nw_fail(err, NW_INVALID, "", "the file is empty");
        return NULL;
    }
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].is(file))
            return &formats[i];
    nw_fail(err, NW_INVALID, "",
            "is no model file that nasw knows: its bytes are neither ONNX nor TFLite nor a "
            "nasw network nor timm block strings");
    return NULL;
}

static nw_status read_and_seal(const nw_file *file, const nw_input_size *sizes, int n_sizes,
                               nw_graph **out, nw_error *err)
{
    const format *found = find_format(file, err);
    nw_status status = found ? found->read(file, out, err) : NW_INVALID;
    nw_input_size usual = {.name = ""};
    if (status != NW_OK)
        return status;
    if (found->is_text && !n_sizes) {
        usual.shape = (*out)->tensors[(*out)->inputs[0]].stored_shape;
        sizes = &usual;
        n_sizes = 1;
    }
    return nw_graph_seal(*out, sizes, n_sizes, err);
}

/* Not a path but the text of a network itself. */
static nw_file *file_of_text(const char *path)
{
    size_t length = strlen(path);
    if (length < 8 || access(path, F_OK) == 0)
        return NULL;
    nw_file *file = nw_file_from_bytes(path, path, length);
    if (nw_timm_is(file) || nw_ofa_is(file))
        return file;
    nw_file_release(file);
    return NULL;
}

bool nw_model_is_script(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".lua") == 0;
}

nw_status nw_model_load(const char *path, const nw_input_size *sizes, int n_sizes, nw_graph **out,
                        nw_error *err)
{
    nw_graph *graph = NULL;
    nw_file *file = file_of_text(path);
    const char *name = file ? "block string" : path;
    nw_status status = NW_OK;
    if (nw_model_is_script(path))
        return nw_fail(err, NW_UNSUPPORTED, path, "networks in Lua are not read here");
    if (strcmp(path, "demo") == 0) {
        graph = nw_demo_build();
        status = nw_graph_seal(graph, sizes, n_sizes, err);
    } else {
        if (!file)
            status = nw_file_read(path, NW_MAX_MODEL_BYTES, &file, err);
        if (status != NW_OK)
            return status; /* names the path already */
        status = read_and_seal(file, sizes, n_sizes, &graph, err);
    }
    nw_file_release(file);
    if (status != NW_OK) {
        nw_graph_free(graph);
        nw_error_prefix(err, name);
        return status;
    }
    *out = graph;
    return NW_OK;
}

nw_status nw_model_load_arch(const char *path, const nw_input_size *sizes, int n_sizes,
                             const nw_model_loader *loader, const nw_arch **out, nw_error *err)
{
    nw_graph *graph;
    if (!loader || !loader->load || !nw_model_is_script(path)) {
        nw_status status = nw_model_load(path, sizes, n_sizes, &graph, err);
        if (status == NW_OK)
            *out = nw_arch_lift(graph);
        return status;
    }
    if (n_sizes)
        return nw_fail(err, NW_INVALID, path,
                       "a network in Lua has its sizes; change them by an edit: resolution H W");
    return loader->load(loader->context, path, out, err);
}
