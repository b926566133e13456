#include "src/format/format.h"

#include <string.h>

#include "src/format/demo.h"

typedef struct format {
    const char *name;
    bool (*is)(const nw_file *file);
    nw_status (*read)(const nw_file *file, nw_graph **out, nw_error *err);
} format;

/* In this order: the first that recognises the bytes reads them. To add one, add its row. */
static const format formats[] = {
    {"TFLite", nw_tflite_is, nw_tflite_read},
    {"nasw network JSON", nw_network_json_is, nw_network_json_read},
    {"ONNX", nw_onnx_is, nw_onnx_read},
};

static nw_status read_file(const nw_file *file, nw_graph **out, nw_error *err)
{
    if (!file->n_bytes)
        return nw_fail(err, NW_INVALID, "", "the file is empty");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].is(file))
            return formats[i].read(file, out, err);
    return nw_fail(err, NW_INVALID, "",
                   "is no model file that nasw knows: its bytes are neither ONNX nor TFLite nor a "
                   "nasw network");
}

nw_status nw_model_load(const char *path, const nw_input_size *sizes, int n_sizes, nw_graph **out,
                        nw_error *err)
{
    nw_graph *graph = NULL;
    nw_file *file = NULL;
    nw_status status = NW_OK;
    if (strcmp(path, "demo") == 0) {
        graph = nw_demo_build();
    } else {
        status = nw_file_read(path, NW_MAX_MODEL_BYTES, &file, err);
        if (status != NW_OK)
            return status; /* names the path already */
        status = read_file(file, &graph, err);
    }
    if (status == NW_OK)
        status = nw_graph_seal(graph, sizes, n_sizes, err);
    nw_file_release(file);
    if (status != NW_OK) {
        nw_graph_free(graph);
        nw_error_prefix(err, path);
        return status;
    }
    *out = graph;
    return NW_OK;
}
