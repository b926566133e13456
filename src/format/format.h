/* format.h - readers and writers of model files.
 *
 * Readers take any bytes without crashing, hanging or using memory beyond a small multiple of the
 * file. They check structure (offsets, lengths, ranks, names); what the operators mean together is
 * checked when the graph is sealed. Import neither folds nor fuses.
 */
#ifndef NW_FORMAT_H
#define NW_FORMAT_H

#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/graph/graph.h"

#define NW_MAX_MODEL_BYTES ((size_t)768 << 20)

/* Loads and seals a model: a path, "-" for standard input, or "demo" for the built-in network.
 * The format is recognised by content, never by name. sizes fix free input shapes. Errors start
 * with the path. */
NW_CHECKED nw_status nw_model_load(const char *path, const nw_input_size *sizes, int n_sizes,
                                   nw_graph **out, nw_error *err);

/* Each reader returns an unsealed graph that keeps `file` alive where tensors point into it.
 * err->where names the node, tensor or byte, without the file's name. */
NW_CHECKED nw_status nw_onnx_read(const nw_file *file, nw_graph **out, nw_error *err);
NW_CHECKED nw_status nw_tflite_read(const nw_file *file, nw_graph **out, nw_error *err);

/* Our own format, schema "nasw.network/1": the graph as it is, weights by reference (file, offset,
 * bytes), small values inline. Reading what was written gives the same graph and, written again,
 * the same bytes. Weights whose file is missing or has another size are left out with a warning. */
NW_CHECKED nw_status nw_network_json_read(const nw_file *file, nw_graph **out, nw_error *err);
void nw_network_json_write(const nw_graph *graph, nw_buf *out);

/* Whether the bytes look like that format; cheap. */
bool nw_onnx_is(const nw_file *file);
bool nw_tflite_is(const nw_file *file);
bool nw_network_json_is(const nw_file *file);

#endif
