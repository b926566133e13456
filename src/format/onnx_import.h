/* onnx_import.h - what the files of the ONNX reader share. Private to onnx*.c.
 */
#ifndef NW_ONNX_IMPORT_H
#define NW_ONNX_IMPORT_H

#include "onnx.pb-c.h"

#include "src/base/map.h"
#include "src/format/format.h"
#include "src/format/onnx_scan.h"

/* A file beside the model that holds weights. */
typedef struct nw_onnx_side_file {
    const char *location; /* as in the model */
    const char *path;     /* NULL: not there */
    int64_t n_bytes;
    bool is_short; /* found too short for a tensor */
} nw_onnx_side_file;

typedef struct nw_onnx_import {
    const nw_file *file;
    const nw_onnx_scan *scan;
    const Onnx__GraphProto *proto;
    nw_graph *graph;
    nw_error *err;
    int64_t opset;
    nw_map tensors;     /* name -> nw_tensor_id */
    nw_map functions;   /* file_type of model-local functions */
    nw_map ops;         /* file_type -> row of the operator table */
    nw_node_id *makers; /* per tensor: the node that writes it, or NW_NONE */
    size_t n_unpacked;  /* bytes of data that did not stay in the file */
    size_t n_scales;    /* of channels, kept so far */
    nw_onnx_side_file *side_files;
    nw_map side_file_index;
    size_t n_side_files, side_file_capacity;
} nw_onnx_import;

/* The varint that the scan left in a message of the stripped copy; 0 if there is none. */
uint64_t nw_onnx_side_value(const ProtobufCMessage *message);

/* "" for NULL. */
const char *nw_onnx_text(const char *text);

/* "MaxPool", "com.microsoft::QGemm"; lives as long as the graph. */
const char *nw_onnx_file_type(nw_graph *graph, const char *domain, const char *op_type);

/* ---- onnx_tensor.c ---- */

nw_dtype nw_onnx_dtype(int32_t data_type); /* NW_DTYPE_UNKNOWN: not one of ours */

/* Type, shape and data of a stored tensor, into tensor `id`. label names it in errors. */
NW_CHECKED nw_status nw_onnx_load_tensor(nw_onnx_import *in, const Onnx__TensorProto *proto,
                                         nw_tensor_id id, const char *label);
NW_CHECKED nw_status nw_onnx_load_sparse(nw_onnx_import *in, const Onnx__SparseTensorProto *proto,
                                         nw_tensor_id id, const char *label);

/* The shape of dims; rank -1 if there are more than NW_MAX_RANK. NW_INVALID if one is negative or
 * they are too large together. */
NW_CHECKED nw_status nw_onnx_shape(const int64_t *dims, size_t n_dims, nw_shape *shape,
                                   int64_t *elements, const char *label, nw_error *err);

/* Element i of stored data as a double; false if there are no data or no number. */
bool nw_onnx_element(const nw_tensor *tensor, int64_t i, double *value);

/* The same for element 0 of a tensor in an attribute. */
bool nw_onnx_first_value(const nw_onnx_import *in, const Onnx__TensorProto *proto, double *value);

/* A copy of bytes that lives as long as the graph. */
void *nw_onnx_keep_bytes(nw_onnx_import *in, const void *bytes, size_t n_bytes);

/* ---- onnx_node.c ---- */

/* A label for node `index` of the file, for errors. */
const char *nw_onnx_node_label(const nw_onnx_import *in, int index, char *dst, size_t size);

/* Gives the output of a Constant node its value. */
NW_CHECKED nw_status nw_onnx_load_constant(nw_onnx_import *in, int index, nw_tensor_id output);

/* Adds node `index` of the file to the graph; all tensors are there already. */
NW_CHECKED nw_status nw_onnx_add_node(nw_onnx_import *in, int index);

/* A node on its way into the graph. The first mistake stays in status; what follows it does not
 * matter. */
typedef struct nw_onnx_draft {
    nw_onnx_import *in;
    const Onnx__NodeProto *proto;
    int index;
    nw_op op;
    nw_act act;
    nw_attrs attrs;
    nw_tensor_id *inputs, *outputs;
    int n_inputs, n_outputs;
    uint64_t *read; /* the attributes looked at, a bit each; those beyond bit 63 are not kept */
    nw_status status;
} nw_onnx_draft;

void nw_onnx_draft_fail(nw_onnx_draft *d, const char *format, ...) NW_PRINTF(2, 3);

/* Attributes by name. One of another type is a mistake. */
bool nw_onnx_has(const nw_onnx_draft *d, const char *name);
int64_t nw_onnx_int(nw_onnx_draft *d, const char *name, int64_t otherwise);
int32_t nw_onnx_int32(nw_onnx_draft *d, const char *name, int32_t otherwise);
float nw_onnx_float(nw_onnx_draft *d, const char *name, float otherwise);
const int64_t *nw_onnx_ints(nw_onnx_draft *d, const char *name, int *n); /* NULL: not there */
const float *nw_onnx_floats(nw_onnx_draft *d, const char *name, int *n);
bool nw_onnx_is_text(const nw_onnx_draft *d, const char *name, const char *value);
const Onnx__TensorProto *nw_onnx_tensor(const nw_onnx_draft *d, const char *name);

/* Whether the node has an attribute that nobody has looked at and that is not at its default: then
 * the draft holds less than the file. */
bool nw_onnx_has_more(const nw_onnx_draft *d);

/* Input i, or NW_NONE. */
nw_tensor_id nw_onnx_input(const nw_onnx_draft *d, int i);

/* Sets attrs.ints (and has_ints) or attrs.floats to a copy. */
void nw_onnx_set_ints(nw_onnx_draft *d, const int64_t *values, int n);
void nw_onnx_set_floats(nw_onnx_draft *d, const float *values, int n);

/* Element i of a tensor that is constant, through Constant, Identity, Cast and ConstantOfShape.
 * n_elements may be NULL; -1: not known. */
bool nw_onnx_value(const nw_onnx_import *in, nw_tensor_id tensor, int64_t i, double *value,
                   int64_t *n_elements);

/* Notes that tensor is quantised with these; unknown scales leave it as it is. */
void nw_onnx_quantise(nw_onnx_import *in, nw_tensor_id tensor, nw_tensor_id scale,
                      nw_tensor_id zero_point, int axis);

/* ---- onnx_ops.c ---- */

/* Fills in->ops. */
void nw_onnx_list_ops(nw_onnx_import *in);

/* Decides the operator of a draft, its attributes, and its inputs in our order. */
void nw_onnx_apply_op(nw_onnx_draft *d, const char *file_type);

#endif
