/* infer.h - what the shape rules and the folding of values share; private to src/graph.
 *
 * A rule sees one node whose needed inputs have known, checked shapes, and calls nw_infer_set for
 * each output that it can tell. It leaves an output alone when a parameter's value is not known:
 * the output then keeps what the file stores, or stays unknown. A rule fails only when the file
 * contradicts itself.
 *
 * No rule checks the sizes it makes: nw_infer_node does so for all outputs at the end. Input sizes
 * are at most NW_MAX_DIM, so the sum of a few and the product of two cannot overflow; sizes from
 * parameters go through nw_bounded first.
 */
#ifndef NW_GRAPH_INFER_H
#define NW_GRAPH_INFER_H

#include "src/graph/internal.h"

typedef struct nw_infer {
    nw_graph *graph;
    nw_node *node;
    nw_node_id id;
    nw_error *err;
} nw_infer;

nw_status nw_infer_fail(const nw_infer *in, const char *format, ...) NW_PRINTF(2, 3);

nw_tensor *nw_infer_input(const nw_infer *in, int i);      /* NULL: left out */
nw_tensor *nw_infer_output(const nw_infer *in, int i);     /* NULL: left out */
const nw_shape *nw_infer_shape(const nw_infer *in, int i); /* of an input that is there */
void nw_infer_set(const nw_infer *in, int output, const nw_shape *shape);

/* Limits a parameter to just beyond the sizes we accept, so that arithmetic on it is safe and a
 * size that was too large still is. */
int64_t nw_bounded(int64_t value);

/* A negative axis counts from the end; fails outside -rank..rank-1. */
NW_CHECKED nw_status nw_infer_axis(const nw_infer *in, int64_t axis, int rank, int *out);

/* The same for a list of axes, as a bit set; fails for an axis named twice if unique. */
typedef struct nw_list {
    const int64_t *values;
    int64_t n;
} nw_list;
NW_CHECKED nw_status nw_infer_axis_set(const nw_infer *in, const nw_list *axes, int rank,
                                       bool unique, uint32_t *out);

typedef enum nw_list_state { NW_LIST_ABSENT, NW_LIST_UNKNOWN, NW_LIST_KNOWN } nw_list_state;

/* A list of integers: the value of an input; or attrs.ints if there are, else that. */
nw_list_state nw_infer_values(const nw_infer *in, int input, nw_list *out);
nw_list_state nw_infer_list(const nw_infer *in, int input, nw_list *out);

/* Widens *shape to what it gives together with other by NumPy's rules. */
NW_CHECKED nw_status nw_infer_broadcast(const nw_infer *in, nw_shape *shape, const nw_shape *other);

/* Axes of height, width and channels in a map of rank 4, or 3 (then h is -1), as the graph lays
 * it out; false for other ranks. */
typedef struct nw_map_axes {
    int h, w, c;
} nw_map_axes;
bool nw_infer_map_axes(const nw_infer *in, int rank, nw_map_axes *out);

/* ---- views (view.c): operators whose output is their input read in another order ---- */

typedef struct nw_view {
    nw_shape shape;               /* rank -1: a parameter is not known */
    int64_t strides[NW_MAX_RANK]; /* elements of the input for a step along each axis */
    int64_t start;                /* the input's element behind the output's first */
} nw_view;

/* Slices, reshapes, transposes, expand, identity: the view that the node takes of input 0. */
NW_CHECKED nw_status nw_infer_view(const nw_infer *in, nw_view *out);

void nw_view_dense(const nw_shape *shape, nw_view *out); /* the tensor itself, row-major */
/* A tensor of this shape broadcast to one of shape `to`, which it must fit. */
void nw_view_broadcast(const nw_shape *shape, const nw_shape *to, nw_view *out);
int64_t nw_view_offset(const nw_view *view, int64_t i); /* of element i in row-major order */

/* ---- parameters that rules and folding read alike ---- */

/* Sizes of a split along *axis into parts[0..n_outputs); parts stays unknown (*is_known false) if
 * the sizes are. parts holds n_outputs numbers. */
NW_CHECKED nw_status nw_infer_split(const nw_infer *in, int *axis, int64_t *parts, bool *is_known);
/* Axes that a reduction runs over, as a bit set. */
NW_CHECKED nw_status nw_infer_reduced(const nw_infer *in, uint32_t *axes, bool *is_known);
/* First and last+1 dimension that a Shape operator gives. */
void nw_infer_shape_range(const nw_infer *in, int *start, int *end);

/* ---- the rules ---- */

typedef nw_status nw_infer_rule(const nw_infer *in);

/* infer_window.c */
nw_infer_rule nw_rule_conv, nw_rule_pool, nw_rule_global_pool;
/* infer_space.c */
nw_infer_rule nw_rule_resize, nw_rule_depth_to_space, nw_rule_space_to_depth,
    nw_rule_space_to_batch, nw_rule_batch_to_space, nw_rule_channel_shuffle, nw_rule_pad,
    nw_rule_tile;
/* infer_math.c */
nw_infer_rule nw_rule_same, nw_rule_same_axis, nw_rule_broadcast, nw_rule_prelu, nw_rule_batch_norm,
    nw_rule_layer_norm, nw_rule_quantize, nw_rule_matmul, nw_rule_fully_connected, nw_rule_reduce,
    nw_rule_arg_max, nw_rule_top_k;
/* infer_move.c */
nw_infer_rule nw_rule_view, nw_rule_concat, nw_rule_stack, nw_rule_unstack, nw_rule_split,
    nw_rule_gather, nw_rule_gather_nd, nw_rule_gather_elements, nw_rule_one_hot, nw_rule_range,
    nw_rule_constant_of_shape, nw_rule_shape, nw_rule_size;

#endif
