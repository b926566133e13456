/* graph.h - a network as the file tells it: operators, tensors, shapes.
 *
 * A reader builds a graph (add tensors, data, nodes, inputs, outputs), then seals it: sealing
 * checks it, orders it, fixes free sizes, infers every shape and folds shape arithmetic. A sealed
 * graph is const for everyone and safe on every thread.
 *
 * Tensors keep the dimension order of their file, so reshapes, transposes and slices mean exactly
 * what the file says; `layout` says whether the convolutional operators of this graph read tensors
 * as N,C,H,W or N,H,W,C. Whatever follows the graph (kernels, features, hardware) speaks H, W, C:
 * see nw_geometry. Batch is 1.
 *
 * Import neither folds nor fuses: every node of the file is a node here, under its own name.
 */
#ifndef NW_GRAPH_H
#define NW_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/file.h"
#include "src/graph/op.h"

typedef int32_t nw_node_id;   /* index in file order */
typedef int32_t nw_tensor_id; /* index */
#define NW_NONE (-1)          /* no node, or an optional input left out */

#define NW_MAX_RANK     8
#define NW_DIM_FREE     (-1) /* a size that the file leaves open; gone after sealing */
#define NW_MAX_DIM      ((int64_t)1 << 31) /* larger sizes are refused */
#define NW_MAX_ELEMENTS ((int64_t)1 << 40) /* of one tensor; larger ones are refused */
#define NW_MAX_FOLD     65536 /* elements of the largest tensor whose value is folded */

typedef enum nw_dtype {
    NW_DTYPE_UNKNOWN,
    NW_DTYPE_FLOAT32,
    NW_DTYPE_FLOAT16,
    NW_DTYPE_BFLOAT16,
    NW_DTYPE_FLOAT64,
    NW_DTYPE_INT4,
    NW_DTYPE_UINT4,
    NW_DTYPE_INT8,
    NW_DTYPE_UINT8,
    NW_DTYPE_INT16,
    NW_DTYPE_UINT16,
    NW_DTYPE_INT32,
    NW_DTYPE_UINT32,
    NW_DTYPE_INT64,
    NW_DTYPE_UINT64,
    NW_DTYPE_BOOL, /* stored as a byte */
    NW_DTYPE_STRING,
    NW_DTYPE_COMPLEX64,
    NW_DTYPE_COMPLEX128,
    NW_DTYPE_FLOAT8,
    NW_DTYPE_OPAQUE, /* no tensor: a sequence, a map, an optional value; of unknown shape */
    NW_DTYPE_COUNT
} nw_dtype;

const char *nw_dtype_name(nw_dtype dtype); /* "int8" */
nw_dtype nw_dtype_find(const char *name);  /* NW_DTYPE_UNKNOWN if there is none */
int nw_dtype_bits(nw_dtype dtype);         /* 0 for unknown and string */
bool nw_dtype_is_float(nw_dtype dtype);

/* Element i of values that stand densely, little-endian, 4-bit ones packed low half first. Writing
 * rounds floats to even and cuts a fraction off integers; of types up to 64 bits that are numbers.
 */
double nw_element_read(nw_dtype dtype, const void *bytes, int64_t i);
int64_t nw_element_read_int(nw_dtype dtype, const void *bytes, int64_t i);
void nw_element_write(nw_dtype dtype, void *bytes, int64_t i, double value);
void nw_element_write_int(nw_dtype dtype, void *bytes, int64_t i, int64_t value);

typedef enum nw_layout { NW_LAYOUT_NHWC, NW_LAYOUT_NCHW } nw_layout;

typedef struct nw_shape {
    int rank; /* -1: unknown (below an operator that cannot be analysed); 0: a scalar */
    int64_t dims[NW_MAX_RANK];
} nw_shape;

int64_t nw_shape_elements(const nw_shape *shape); /* 0 if unknown */
bool nw_shape_equal(const nw_shape *a, const nw_shape *b);

/* rank >= 0 and no free dimension. Here, since every pass over a graph asks it for every tensor. */
static inline bool nw_shape_is_known(const nw_shape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0)
            return false;
    return shape->rank >= 0;
}

/* real = scale * (quantised - zero_point) */
typedef struct nw_quant {
    int n_channels;     /* 0: not quantised, 1: per tensor, else a scale a channel */
    int axis;           /* of the channels */
    double scale;       /* of the tensor, or of channel 0 */
    int64_t zero_point; /* likewise */
    /* Of all n_channels > 1; NULL: only the first is known, all zero points are like it. */
    const float *scales;
    const int64_t *zero_points;
} nw_quant;

/* How the values of a constant that an edit made are derived from a stored constant when they are
 * needed (nw_tensor_values). Element i of axis a is element maps[a][i] of the source, or new where
 * that is -1. New elements: weights after He et al. 2015 (normal, variance 2 / fan in), spatial
 * taps of a kernel that grew 0, scales and variances 1, biases and means 0. */
typedef enum nw_edit_fill {
    NW_EDIT_FILL_ZERO,
    NW_EDIT_FILL_ONE,
    NW_EDIT_FILL_HE,
    NW_EDIT_FILL_SLOPE, /* 0.25, of PReLU (He et al. 2015) */
} nw_edit_fill;

typedef struct nw_edited {
    const uint8_t *data; /* of the source; NULL: in a file that is not in memory (file_path), or,
                          * without one, none: all is new. Lives as long as the graph */
    size_t n_bytes;
    nw_dtype dtype;
    nw_shape shape;                   /* of the source, of the rank of the constant */
    nw_quant quant;                   /* of the source */
    int64_t file_offset;              /* as in nw_tensor; -1: none */
    const char *file_path;            /* as in nw_tensor */
    const int32_t *maps[NW_MAX_RANK]; /* NULL: the axis as it is */
    bool is_spatial[NW_MAX_RANK];     /* what is new along it is 0 whatever fill says */
    nw_edit_fill fill;
    int32_t fan_in; /* HE */
} nw_edited;

typedef struct nw_tensor {
    const char *name; /* from the file, raw: show it through nw_text_visible */
    nw_dtype dtype;
    nw_shape shape;
    nw_shape stored_shape; /* what the file claims, a hint only; rank -1: nothing */
    nw_quant quant;
    nw_node_id producer; /* NW_NONE: graph input or constant */
    const uint8_t *data; /* constants: the bytes, little-endian; NULL: none or not stored here */
    size_t n_bytes;
    int64_t file_offset;     /* of data in its file, or -1 if the bytes were made or unpacked */
    const char *file_path;   /* file of file_offset; NULL: the model file itself */
    const nw_edited *edited; /* made by an edit: data is NULL; NULL: the file's own */
    bool is_local; /* data are in this graph's own memory, made by an edit (shape arithmetic) */
    bool is_input, is_output;
    bool is_const;  /* constant, or computed from constants only (after sealing) */
    bool is_stored; /* a constant of the file: initializer, constant buffer, Constant node */
    /* After sealing: the value, for small constants and folded shape arithmetic. Row-major.
     * Integers (and bool) in ints, floats in floats; both NULL if not known. */
    const int64_t *ints;
    const double *floats;
} nw_tensor;

/* What the user wants of the device that runs a node, over its own rules. */
typedef struct nw_hint {
    uint8_t bits;  /* of its output; 0: as the file or the precision asked for says */
    bool is_float; /* with bits */
    bool splits;   /* a kernel starts here though the hardware could join it to the one before */
    bool joins;    /* joined to the kernel before wherever the hardware can at all */
} nw_hint;

typedef struct nw_node {
    nw_op op;
    const char *name;      /* from the file, may be empty or repeated */
    const char *file_type; /* "Conv", "CONV_2D", "CUSTOM:edgetpu-custom-op" */
    int n_inputs, n_outputs;
    nw_tensor_id *inputs; /* NW_NONE where an optional one is left out */
    nw_tensor_id *outputs;
    nw_attrs attrs;
    nw_act act;           /* activation inside this operator in the file (TFLite) */
    int64_t opaque_bytes; /* opaque operators: bytes of code or weights inside the node itself */
    nw_hint hint;
} nw_node;

typedef struct nw_graph {
    const char *name;
    const char *format; /* "onnx opset 13", "tflite 3" */
    const char *folder; /* "weights/": where files of constants (file_path) are looked for before
                         * they are as they stand; "": nowhere else */
    nw_layout layout;
    nw_node *nodes;
    int n_nodes;
    nw_tensor *tensors;
    int n_tensors;
    nw_tensor_id *inputs, *outputs;
    int n_inputs, n_outputs;
    nw_node_id *order;     /* after sealing: a schedule; the file's own order where that is one */
    const char **warnings; /* after sealing: one line each, printable */
    int n_warnings;
    bool is_sealed;
    const char *
        *edits; /* what made it of the network it was imported as, a line an edit (arch.h) */
    int n_edits;
    struct nw_graph_store *store; /* arena, files and capacities; private */
} nw_graph;

/* ---- building ---- */

nw_graph *nw_graph_new(const char *name, nw_layout layout);
void nw_graph_free(nw_graph *graph); /* NULL is fine */

/* Keeps file alive as long as the graph. */
void nw_graph_keep_file(nw_graph *graph, const nw_file *file);

/* The first file kept: the model's own. NULL: none. */
const nw_file *nw_graph_file(const nw_graph *graph);

/* Memory that lives as long as the graph, for names, attribute lists and unpacked data. */
void *nw_graph_alloc(nw_graph *graph, size_t n_bytes);
char *nw_graph_strdup(nw_graph *graph, const char *text);

/* Pointers to tensors and nodes are valid until the next add. name is copied; shape may be NULL
 * (unknown). Readers check ranks, sizes and names before they call. */
nw_tensor_id nw_graph_add_tensor(nw_graph *graph, const char *name, nw_dtype dtype,
                                 const nw_shape *shape);

/* Marks a tensor as a stored constant. bytes must live as long as the graph (a kept file, or
 * nw_graph_alloc) and may be NULL when the values are not in reach (external data left out). */
void nw_graph_set_data(nw_graph *graph, nw_tensor_id tensor, const void *bytes, size_t n_bytes,
                       int64_t file_offset);

/* A small int64 constant made by a reader, for a list that one format keeps as an attribute and
 * another as a tensor; it is no stored constant of the file. */
nw_tensor_id nw_graph_add_ints(nw_graph *graph, const char *name, const int64_t *values, int n);

void nw_graph_add_input(nw_graph *graph, nw_tensor_id tensor);
void nw_graph_add_output(nw_graph *graph, nw_tensor_id tensor);

/* Copies names and lists. The returned node's attrs are the defaults of nw_attrs_init. */
nw_node *nw_graph_add_node(nw_graph *graph, nw_op op, const char *name, const char *file_type,
                           const nw_tensor_id *inputs, int n_inputs, const nw_tensor_id *outputs,
                           int n_outputs);

/* A name for a free dimension of an input ("height"), used when asking for it. */
void nw_graph_name_free_dim(nw_graph *graph, nw_tensor_id tensor, int axis, const char *name);

void nw_graph_warn(nw_graph *graph, const char *format, ...) NW_PRINTF(2, 3);

/* Keeps copies of the lines in graph->edits, in place of those that are there. */
void nw_graph_set_edits(nw_graph *graph, const char *const *edits, int n);

/* An unsealed copy of a sealed graph with the same ids, to be changed and sealed again. The lists
 * of nodes and of their inputs and outputs are the copy's own and may be written to; what else the
 * graph points to (names, attribute lists, bytes) is shared with the graph that was read from the
 * file, which stays alive as long as a copy of it or a copy of a copy does. Folded values and
 * inferred shapes of computed tensors are dropped. Sealing resolves padding modes, kernel sizes
 * and the groups of depthwise operators that have no number of groups in their file anew; other
 * numbers of groups and free sizes stay as they were sealed. */
nw_graph *nw_graph_copy(const nw_graph *graph);

/* Takes nodes out of an unsealed graph (is_gone: a byte a node; NULL: none), and all tensors that
 * no node and no end of the network uses then; the others keep their order, ids change.
 * new_tensor_ids may be NULL; else room for an id a tensor: its new one, NW_NONE if it is gone. */
void nw_graph_drop_nodes(nw_graph *graph, const uint8_t *is_gone, nw_tensor_id *new_tensor_ids);

/* New values for an integer constant of an unsealed copy (a reshape's target, the sizes of a
 * split), in the tensor's own type; of another number than it has elements: a list of n. */
void nw_graph_set_ints(nw_graph *graph, nw_tensor_id tensor, const int64_t *values, int n);

/* Makes an axis of a constant of an unsealed copy n long: element i of it is then element map[i] of
 * what it is now, or new where that is -1 (as is_spatial, fill and fan_in say, which stand for all
 * that is new in it from then on). What earlier edits made of the constant is taken into account;
 * scales of channels go along. */
void nw_graph_map_axis(nw_graph *graph, nw_tensor_id tensor, int axis, const int32_t *map,
                       int64_t n, bool is_spatial, nw_edit_fill fill, int32_t fan_in);

/* What a constant is derived from now: its own edits, or its stored bytes as they are. */
nw_edited nw_tensor_edited(const nw_tensor *tensor);

/* Makes a tensor of an unsealed copy a constant that is derived from another one as *edited says
 * (its struct and maps are copied; a map is as long as its axis in shape), of that type and shape.
 * What edited points to besides lives as long as the graph. */
void nw_graph_set_edited(nw_graph *graph, nw_tensor_id tensor, nw_dtype dtype,
                         const nw_shape *shape, const nw_edited *edited);

/* ---- sealing ---- */

typedef struct nw_input_size {
    const char *name; /* "" matches the only input */
    nw_shape shape;
} nw_input_size;

/* Fixes free sizes (batch becomes 1, others from sizes), orders, infers, folds. A free batch axis
 * is axis 0 of an input. NW_INVALID: cycle, missing or doubly produced tensor, shapes that do not
 * fit together, an open size that nobody gave (err names input, axis and its name in the file).
 * On failure the graph stays unsealed and can only be freed. */
NW_CHECKED nw_status nw_graph_seal(nw_graph *graph, const nw_input_size *sizes, int n_sizes,
                                   nw_error *err);

/* The same, with a look at every node in schedule order, when shapes and small values of what it
 * reads are known and before its own rule: visit may change the node's attributes, add constants
 * for it to read, and give integer constants that it alone reads other values. */
typedef nw_status nw_seal_visit(void *ctx, nw_graph *graph, nw_node_id node, nw_error *err);
NW_CHECKED nw_status nw_graph_seal_with(nw_graph *graph, const nw_input_size *sizes, int n_sizes,
                                        nw_seal_visit *visit, void *ctx, nw_error *err);

/* ---- reading a sealed graph ---- */

/* "name" of a node for people: its name, else file_type and index ("Conv #12"). dst is returned. */
const char *nw_node_label(const nw_graph *graph, nw_node_id node, char *dst, size_t size);

/* Bytes of a tensor as stored densely: elements x bits, rounded up to a byte. 0 if unknown. */
int64_t nw_tensor_bytes(const nw_tensor *tensor);

/* A tensor as a map of height x width x channels (batch 1), the way its graph lays it out: rank 4
 * by layout; rank 3 as 1 x W x C (N,C,L or N,L,C); rank 2 as 1 x 1 x C; other ranks and unknown
 * shapes: h = w = 1, c = elements. */
typedef struct nw_hwc {
    int64_t h, w, c;
} nw_hwc;
nw_hwc nw_tensor_hwc(const nw_graph *graph, nw_tensor_id tensor);

/* What an operator with a window or with multiply-accumulates does, format-free. */
typedef struct nw_geometry {
    int64_t batch;            /* 1, but behind space-to-batch and in files with a fixed batch */
    int64_t in_h, in_w, in_c; /* in_c: all input channels, not per group */
    int64_t out_h, out_w, out_c;
    int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int64_t pad_top, pad_left, pad_bottom, pad_right;
    int64_t groups;
    int64_t macs;      /* 0 for pooling */
    bool is_depthwise; /* groups == in_c and groups > 1, or in_c == 1 == groups with a
                        * depthwise operator in the file */
    bool has_bias;
    nw_tensor_id weights; /* NW_NONE: both operands are computed (matmul), or pooling */
    nw_tensor_id bias;    /* NW_NONE: none */
} nw_geometry;

/* False if the node is no convolution, transposed convolution, matmul, fully connected or pooling,
 * or its shapes are unknown. Matmul: in_h = 1, in_w = rows of all batches, in_c = inner size. */
bool nw_node_geometry(const nw_graph *graph, nw_node_id node, nw_geometry *out);

/* The values of a constant, as the file has them or as an edit derives them, row-major in its own
 * shape, little-endian, 4-bit ones packed low half first. *dtype is the source's, but float32 (real
 * values) where the source has integers and the constant floats or new elements other than 0. seed:
 * of new ones, which follow from it and the tensor's name. The caller frees *out. NW_INVALID: the
 * values are not in reach, or there are fewer than the shape says. */
NW_CHECKED nw_status nw_tensor_values(const nw_tensor *tensor, uint64_t seed, void **out,
                                      size_t *n_bytes, nw_dtype *dtype, nw_error *err);
/* Whether a stored constant, or what an edited one is made of, has values, in memory or in a file.
 */
bool nw_tensor_is_known(const nw_tensor *tensor);
/* Elements of an edited constant that are in no source; 0 for others. */
int64_t nw_tensor_new_elements(const nw_tensor *tensor);

/* What became of the constants of a file. */
typedef enum nw_constant_origin {
    NW_CONSTANT_KEPT,     /* as the file has it */
    NW_CONSTANT_SLICED,   /* elements of the file's */
    NW_CONSTANT_EXTENDED, /* elements of the file's and new ones */
    NW_CONSTANT_NEW,
    NW_CONSTANT_ABSENT, /* the file has no values of it */
    NW_CONSTANT_ORIGINS
} nw_constant_origin;

const char *nw_constant_origin_name(nw_constant_origin origin); /* "kept" */

typedef struct nw_constant_row {
    nw_tensor_id tensor;
    nw_constant_origin origin;
    int64_t n_elements, n_new;
} nw_constant_row;

/* The stored constants of more than one element that operators read, in the order of the graph;
 * the caller frees the list. */
nw_constant_row *nw_graph_list_constants(const nw_graph *graph, int *n);

/* The stored constant behind a constant tensor, through identities, casts, dequantisation,
 * reshapes and transposes; the tensor itself if it is stored; NW_NONE if there is none. */
nw_tensor_id nw_graph_stored_root(const nw_graph *graph, nw_tensor_id tensor);

typedef struct nw_op_count {
    const char *file_type;
    int n, n_opaque;
} nw_op_count;

/* Counts over the whole graph. macs: one per multiply-accumulate of convolutions, depthwise and
 * transposed convolutions and matrix products. params: each stored weight and bias of the
 * network's operators once (of batch normalisation scale and bias, not its statistics);
 * weight_params: only the weights of the operators that macs counts, each stored tensor once;
 * weight_bytes: those params in the file's own types. */
typedef struct nw_counts {
    int64_t macs, params, weight_params, weight_bytes;
    int n_ops; /* the file's own nodes */
    int n_opaque;
    int64_t constant_bytes; /* all stored constants, and what opaque nodes carry */
    int64_t opaque_bytes;   /* the part of constant_bytes that only opaque operators use */
} nw_counts;

void nw_graph_count(const nw_graph *graph, nw_counts *out);

/* Adds the macs, params, weight_params and weight_bytes of one node to *counts; seen is a byte a
 * tensor, 0 before the first call, and keeps what nodes share from being counted twice. */
void nw_graph_count_node(const nw_graph *graph, nw_node_id node, uint8_t *seen, nw_counts *counts);

/* Sorted by count, then name; the caller frees the list. */
nw_op_count *nw_graph_count_ops(const nw_graph *graph, int *n_types);

/* ---- memory over time (memory.c) ---- */

/* One step of a schedule: tensors it reads and writes. A kernel, or a single node. */
typedef struct nw_step {
    const nw_tensor_id *reads, *writes;
    int n_reads, n_writes;
    nw_tensor_id in_place; /* a read whose storage writes[0] may take over, if nothing reads it
                            * later; NW_NONE */
    bool writes_parts;     /* a concatenation or split on the outermost axis: its reads may be
                            * written straight into the output */
} nw_step;

typedef struct nw_memory_rules {
    int align_channels; /* channels of inner rank-4 tensors are padded to this. 1: dense */
    int align_bytes;    /* start and size of every tensor; 1: none */
    bool in_place;
    const uint8_t *is_dense;    /* per tensor: channels are not padded; NULL: inputs and outputs */
    const uint8_t *tensor_bits; /* per tensor: bits of an element here; NULL: the file's types */
} nw_memory_rules;

typedef struct nw_live_tensor {
    nw_tensor_id tensor;
    int64_t n_bytes;
    int64_t offset;       /* in the arena */
    int first, last;      /* steps */
    nw_tensor_id storage; /* itself, or the tensor whose storage it shares */
} nw_live_tensor;

/* Who shares whose storage, and when storages live. */
typedef struct nw_storages {
    int64_t *live_bytes;   /* per step */
    nw_tensor_id *storage; /* per tensor: the one that has the storage; NW_NONE: never lives */
    int64_t *n_bytes;      /* per tensor, of the storage that it has */
    int *first, *last;     /* steps, likewise */
} nw_storages;

typedef struct nw_memory {
    int64_t peak_live_bytes; /* largest sum of live tensors over the schedule: the lower bound */
    int64_t arena_bytes;     /* what the allocator achieves */
    int peak_step;
    nw_live_tensor *tensors; /* all that live; sharers of a storage share its offset */
    int n_tensors;
    int64_t *live_bytes; /* per step, of the layout taken */
    /* No part is written into its concatenation, and all that can be: the plan takes the layout
     * with the lower peak, the first where they are equal. */
    nw_storages layouts[2];
    bool takes_parts; /* the second is taken */
    int n_steps;
} nw_memory;

/* Plans the memory of a schedule. Constants take none. Release with nw_memory_fini. */
void nw_memory_plan(const nw_graph *graph, const nw_step *steps, int n_steps,
                    const nw_memory_rules *rules, nw_memory *out);
void nw_memory_fini(nw_memory *memory);

/* Plain liveness in file order with the file's own types: every output allocated at its operator,
 * every tensor freed after its last reader, inputs counted, constants not. peak_node may be NULL.
 */
int64_t nw_graph_peak_live_bytes_file_order(const nw_graph *graph, nw_node_id *peak_node);

#endif
