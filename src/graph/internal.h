/* internal.h - private to src/graph.
 */
#ifndef NW_GRAPH_INTERNAL_H
#define NW_GRAPH_INTERNAL_H

#include <stdatomic.h>

#include "src/base/arena.h"
#include "src/graph/graph.h"

typedef struct nw_free_dim {
    nw_tensor_id tensor;
    int axis;
    const char *name;
} nw_free_dim;

/* One number, many times: the value of tensors that are full of it, as far as they are long. */
typedef struct nw_filled {
    const int64_t *ints; /* one of the two is set */
    const double *floats;
    int64_t n;
} nw_filled;

#define NW_MAX_FILLED 8

typedef struct nw_graph_store {
    nw_arena arena;
    const nw_graph *root; /* a copy: the graph whose memory and files it shares; NULL */
    atomic_int n_users;   /* its owner, and the copies that share its memory */
    nw_file **files;
    nw_free_dim *free_dims;
    size_t n_files, file_capacity, n_free_dims, free_dim_capacity;
    size_t node_capacity, tensor_capacity, input_capacity, output_capacity, warning_capacity;
    nw_filled fills[NW_MAX_FILLED];
    int n_fills;
    int64_t fold_work;     /* elements folded so far; fold.c stops at a limit */
    int n_reader_warnings; /* those before sealing */
} nw_graph_store;

/* infer.c: the shapes (and types, where the file leaves them open) of a node's outputs from its
 * inputs, and resolved pads, kernel sizes and groups in its attrs. An input of unknown shape makes
 * the outputs unknown, unless the file stores their shape. */
NW_CHECKED nw_status nw_infer_node(nw_graph *graph, nw_node_id node, nw_error *err);

/* fold.c: loads a small constant's value into ints or floats; nothing if it is not small. */
void nw_fold_load(nw_graph *graph, nw_tensor_id tensor);

/* fold.c: the values of a node's outputs where they follow from known values (or, for Shape and
 * Size, from shapes). Never fails: what it cannot fold stays unknown. Runs after nw_infer_node. */
void nw_fold_node(nw_graph *graph, nw_node_id node);

#endif
