/* pytorch.h - what the files of the PyTorch writer share; private to src/format.
 *
 * The graph is first written as an ONNX model without weights and read again, so that what is
 * written here is N,C,H,W, float, and of few operators. Blocks that lifting finds and whose every
 * node is accounted for become objects of small classes; what is left of them a ConvNormAct for
 * each convolution with its normalisation and activation; everything else modules and calls, a line
 * a node.
 *
 * The first mistake stays in w->status; functions then go on with text of no meaning.
 */
#ifndef NW_FORMAT_PYTORCH_H
#define NW_FORMAT_PYTORCH_H

#include "src/arch/arch.h"
#include "src/base/arena.h"
#include "src/format/format.h"

typedef enum nw_py_class {
    NW_PY_CONV,
    NW_PY_SQUEEZE,
    NW_PY_SEPARABLE,
    NW_PY_INVERTED,
    NW_PY_FUSED,
    NW_PY_TUCKER,
    NW_PY_CLASSES
} nw_py_class;

/* How a block is written. */
typedef enum nw_py_form { NW_PY_OPEN, NW_PY_AS_CLASS, NW_PY_AS_NODES } nw_py_form;

typedef struct nw_py_writer {
    const nw_graph *graph;
    const nw_arch *arch;
    nw_error *err;
    nw_status status;
    nw_arena arena;
    nw_buf init, forward;
    const char **values; /* per tensor: its variable in forward; NULL: none yet */
    const char **params; /* per stored constant: where its parameter is, "conv1.weight"; or NULL */
    int *unit_of;        /* per node: its convolution's node, where that writes it too; else -1 */
    int *unit_left;      /* per convolution's node: nodes of its unit not passed yet */
    uint8_t *forms;      /* per block: nw_py_form */
    int *n_left;         /* per block: nodes not passed yet */
    uint8_t *is_learned; /* per tensor: read where nw_graph_count looks for parameters */
    uint8_t *is_leaky;   /* per node: an output is read outside its block, or is the network's */
    bool uses[NW_PY_CLASSES];
    int64_t n_params;
    int n_values, n_modules;
} nw_py_writer;

/* A convolution with what stands around it. */
typedef struct nw_py_unit {
    nw_node_id conv, norm; /* norm NW_NONE: none */
    nw_geometry geometry;  /* padding as PyTorch's ZeroPad2d where a Pad node was taken in */
    int64_t pads[4];       /* left, right, top, bottom */
    nw_op act;             /* NW_OP_IDENTITY: none */
    double eps;
    nw_tensor_id in, out;
    nw_node_id nodes[16];
    int n_nodes;
} nw_py_unit;

/* ---- pytorch.c ---- */

void nw_py_fail(nw_py_writer *w, nw_node_id node, const char *why);
/* All that it makes is known: there is nothing to run. */
bool nw_py_is_folded(const nw_graph *graph, nw_node_id node);
/* A new variable for a tensor, or the name given. */
const char *nw_py_name_value(nw_py_writer *w, nw_tensor_id tensor, const char *name);
/* The variable of a computed tensor, or a constant as a parameter, buffer or number. */
const char *nw_py_value(nw_py_writer *w, nw_tensor_id tensor);
/* Enters a parameter of module `path`: counts it, or ties it to the first module with the same
 * stored tensor. */
void nw_py_enter(nw_py_writer *w, nw_tensor_id tensor, const char *path);
/* A line of forward; node says what stands in the comment, NW_NONE: nothing. */
void nw_py_line(nw_py_writer *w, nw_node_id node, const char *format, ...) NW_PRINTF(3, 4);
void nw_py_init(nw_py_writer *w, const char *format, ...) NW_PRINTF(2, 3);
const char *nw_py_text(nw_py_writer *w, const char *format, ...) NW_PRINTF(2, 3);
/* "(1, 3, 224, 224)" */
const char *nw_py_tuple(nw_py_writer *w, const int64_t *values, int n);
const char *nw_py_real(nw_py_writer *w, double value);
const char *nw_py_shape(nw_py_writer *w, nw_tensor_id tensor);
/* Whole numbers of a constant tensor; false: not known. */
bool nw_py_ints(const nw_py_writer *w, nw_tensor_id tensor, const int64_t **values, int *n);
bool nw_py_number(const nw_py_writer *w, nw_tensor_id tensor, double *value);

/* ---- pytorch_block.c ---- */

/* Finds the units of all blocks and decides how each block is written. */
void nw_py_plan(nw_py_writer *w);
/* A convolution's unit as a ConvNormAct. */
void nw_py_write_unit(nw_py_writer *w, nw_node_id conv);
void nw_py_write_block(nw_py_writer *w, const nw_block *block);
/* The classes in use. */
void nw_py_write_classes(const nw_py_writer *w, nw_buf *out);

/* ---- pytorch_node.c ---- */

void nw_py_write_node(nw_py_writer *w, nw_node_id node);
/* A node that takes the mean of each channel of a map, 1 x 1 of it. */
bool nw_py_is_global_mean(const nw_py_writer *w, nw_node_id node);
/* pytorch_layer.c: what has weights or a window. */
void nw_py_write_layer(nw_py_writer *w, nw_node_id node);
/* Left, right, top, bottom of a Pad node that puts zeros round a map; false: it is none. */
bool nw_py_zero_pads(const nw_py_writer *w, nw_node_id node, int64_t *pads);

#endif
