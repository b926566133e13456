/* format.h - readers and writers of model files.
 *
 * Readers take any bytes without crashing, hanging or using memory beyond a small multiple of the
 * file. They check structure (offsets, lengths, ranks, names); what the operators mean together is
 * checked when the graph is sealed. Import neither folds nor fuses.
 */
#ifndef NW_FORMAT_H
#define NW_FORMAT_H

#include "src/arch/arch.h"
#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/graph/graph.h"

#define NW_MAX_MODEL_BYTES ((size_t)768 << 20)

/* Loads and seals a model: a path, "-" for standard input, "demo" for the built-in network, or,
 * where there is no file of that name, block strings or an OFA description themselves. The format
 * is recognised by content, never by name. sizes fix free input shapes; a text form's is 224 x 224
 * unless they say otherwise. Errors start with the path. */
NW_CHECKED nw_status nw_model_load(const char *path, const nw_input_size *sizes, int n_sizes,
                                   nw_graph **out, nw_error *err);

/* Makes networks of scripts, which src/ cannot run: loads what the file at path builds; release
 * *out. Errors start with the path. Called on the main thread. */
typedef struct nw_model_loader {
    void *context;
    nw_status (*load)(void *context, const char *path, const nw_arch **out, nw_error *err);
} nw_model_loader;

/* Whether a path names a script: it ends in .lua. */
bool nw_model_is_script(const char *path);

/* A model as above, lifted, or the network that a script builds; loader NULL: scripts are refused.
 * A script's network has its sizes: with sizes it is refused. Release *out. */
NW_CHECKED nw_status nw_model_load_arch(const char *path, const nw_input_size *sizes, int n_sizes,
                                        const nw_model_loader *loader, const nw_arch **out,
                                        nw_error *err);

/* Each reader returns an unsealed graph that keeps `file` alive where tensors point into it.
 * err->where names the node, tensor or byte, without the file's name. */
NW_CHECKED nw_status nw_onnx_read(const nw_file *file, nw_graph **out, nw_error *err);
NW_CHECKED nw_status nw_tflite_read(const nw_file *file, nw_graph **out, nw_error *err);

/* Our own format, schema "nasw.network/1": the graph as it is, weights by reference (file, offset,
 * bytes), small values inline,
 * constants that edits made by what they are made of, hints, and the lines of edits that led here
 * (graph->edits). Reading what was written gives the same graph and, written again,
 * the same bytes. Weights whose file is missing or has another size are left out with a warning. */
NW_CHECKED nw_status nw_network_json_read(const nw_file *file, nw_graph **out, nw_error *err);
void nw_network_json_write(const nw_graph *graph, nw_buf *out);
/* The same for a file that will be at path: files of weights below its folder are named from there,
 * others so that they are found from wherever (NULL: as the graph names them); and with these lines
 * of edits (NULL: graph->edits). */
void nw_network_json_write_to(const nw_graph *graph, const char *path, const char *const *edits,
                              int n_edits, nw_buf *out);

/* A network as text: timm's block strings, the older ones of MnasNet and EfficientNet (grammar and
 * traps: timm.h), a stage a line. The text is the whole network: no stem and no head is added. N,C,
 * H,W, float32, weights without values, tensors named as timm names them; height and width of the
 * input stay open. */
NW_CHECKED nw_status nw_timm_read(const nw_file *file, nw_graph **out, nw_error *err);
/* Appends the blocks of an arch as timm's strings, a stage a line, runs of equal ones as repeats.
 * Strings are a chain: a block that timm has no word for (an op, a head, a kernel that is not odd,
 * a width that is no multiple of 8, one that reads another map than the last string makes) is a
 * comment with the reason, counted in *n_left_out (may be NULL). Where that is 0 the text is the
 * whole network: read again it has the same MACs and, where no comment says otherwise of
 * normalisations, the same parameters. NW_UNSUPPORTED: no block can be said. */
NW_CHECKED nw_status nw_timm_write(const nw_arch *arch, nw_buf *out, int *n_left_out,
                                   nw_error *err);
/* An OFA description {"ks": [20], "e": [20], "d": [5], "r": [1]}: the whole MobileNetV3 that Cai et
 * al. 2020 cut from their supernet of width 1, with its stem and classifier. */
NW_CHECKED nw_status nw_ofa_read(const nw_file *file, nw_graph **out, nw_error *err);

/* What to write for weights, biases and what normalises (not for the constants of formulas). */
typedef enum nw_onnx_weight_rule {
    NW_ONNX_WEIGHTS_KEPT,     /* the graph's; what edits left open after He et al. 2015 */
    NW_ONNX_WEIGHTS_MADE_UP,  /* all after He et al. 2015 */
    NW_ONNX_WEIGHTS_LEFT_OUT, /* none: a small file whose ConstantOfShape nodes give the shapes, all
                               * weights 0 */
} nw_onnx_weight_rule;

/* What the model is, beyond the graph. Which constants are new: nw_graph_list_constants. */
typedef struct nw_onnx_report {
    int n_made_up;       /* constants of which no value was to be had, or wanted */
    bool is_dequantised; /* the graph is quantised, the model computes in float */
} nw_onnx_report;

typedef struct nw_onnx_options {
    int bits;      /* 0: float32, but for what the graph quantises by nodes of its own; 8: QDQ, that
                    * is QuantizeLinear and DequantizeLinear around every map and int8 weights, with
                    * the graph's scales or, where it has none, with plausible ones */
    uint64_t seed; /* of made-up weights */
    bool refuses_made_up; /* a constant without values is an error; what edits left open is not */
    bool to_float; /* quantising nodes are left out; done of itself where constants were edited, or
                    * weights are not kept */
    nw_onnx_weight_rule weights;
    nw_onnx_report *report; /* filled on success; NULL: not wanted */
} nw_onnx_options;

/* Appends a sealed graph as an ONNX model: opset 13, IR 8, the graph's names (made unique), inputs
 * and outputs in its own dimension order, weights inside. Operators of later opsets are written as
 * what they are made of. A graph that keeps N,H,W,C is turned to ONNX's order: weights are written
 * turned, maps are transposed at the network's ends and at reshapes. Integer operators of TFLite
 * and of QLinear* are written dequantised. Constants that edits made are worked out; those that
 * have no values get random ones after He et al. 2015 that follow from seed and name. The same
 * graph gives the same bytes. options may be NULL. NW_UNSUPPORTED: err->where is a node that ONNX
 * cannot express, or of whose attributes the graph keeps too few; NW_LIMIT: over 2 GB, protobuf's
 * limit. */
NW_CHECKED nw_status nw_onnx_write(const nw_graph *graph, const nw_onnx_options *options,
                                   nw_buf *out, nw_error *err);

/* Appends a sealed graph as a Python module of torch.nn, for people to read and train: its blocks
 * as objects of small classes where lifting finds them, a line a node for the rest, float, N,C,H,W
 * inside, inputs and outputs in the graph's own order. Weights are not included; the number of
 * parameters is that of nw_graph_count, and the file, run by itself, checks it and its shapes.
 * NW_UNSUPPORTED: err->where is a node that ONNX or PyTorch has nothing for. */
NW_CHECKED nw_status nw_pytorch_write(const nw_graph *graph, nw_buf *out, nw_error *err);

/* Whether the bytes look like that format; cheap. */
bool nw_onnx_is(const nw_file *file);
bool nw_tflite_is(const nw_file *file);
bool nw_network_json_is(const nw_file *file);
bool nw_timm_is(const nw_file *file);
bool nw_ofa_is(const nw_file *file);

#endif
