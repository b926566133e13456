/* internal.h - private to src/kernel.
 */
#ifndef NW_KERNEL_INTERNAL_H
#define NW_KERNEL_INTERNAL_H

#include "src/base/arena.h"
#include "src/kernel/kernel.h"

/* precision.c: the element type that each tensor and operator has on this hardware. */
typedef struct nw_types {
    uint8_t *bits;      /* per tensor */
    uint8_t *is_float;  /* per tensor */
    uint8_t *is_dense;  /* per tensor: kept as the outside world has it, channels not padded: the
                         * network's outputs, and its inputs however often they are only renamed
                         * or requantised */
    uint8_t *runs_int;  /* per node: a float operator of the file that runs on integers, because
                         * dequantisations stand before and a quantisation behind it */
    uint8_t *is_hinted; /* per tensor: its type is what a hint says; NULL: no node has one */
    const nw_hw *hw;
    bool is_quantised; /* the file's own arithmetic is integer */
    bool is_assumed;   /* the precision is not the file's own */
    char name[40];     /* "int8", "int8 (assumed)" */
} nw_types;

NW_CHECKED nw_status nw_types_find(const nw_graph *graph, const nw_hw *hw, const char *precision,
                                   nw_types *out, nw_error *err);
void nw_types_fini(nw_types *types);

/* What a node reads when the file says tensor: the integers before a dequantisation if the node
 * runs on integers, else the tensor itself. */
nw_tensor_id nw_types_source(const nw_graph *graph, const nw_types *types, nw_node_id node,
                             nw_tensor_id tensor);

/* hint.c: the element types that nodes are to write (nw_hint), put in the place of their own and
 * carried on by operators that keep the type of what they read. NW_UNSUPPORTED: the hardware does
 * not compute in one; err names the node. */
NW_CHECKED nw_status nw_types_apply_hints(const nw_graph *graph, nw_types *types, nw_error *err);
/* The type that a node computes in where it, or what it reads, is hinted: the wider of the two. */
void nw_types_settle(const nw_graph *graph, const nw_types *types, nw_node_id node,
                     nw_kernel_shape *shape);
#define NW_NARROW_BITS 8 /* of weights beside wider activations */

/* classify.c: which kind of kernel an operator is by itself, and its shape. */
typedef struct nw_op_rule {
    nw_kernel_kind kind;
    nw_kernel_act act;  /* of activations */
    bool can_overwrite; /* the result may take its input's place in memory */
} nw_op_rule;

nw_op_rule nw_op_rule_of(nw_op op);

/* Whether the node moves or computes nothing on a device that keeps maps as H, W, C. */
bool nw_node_is_view(const nw_graph *graph, const nw_node *node);

/* Fills shape for a kernel of this one node, all tensors on chip. Unknown sizes: OPAQUE. */
void nw_kernel_shape_of_node(const nw_graph *graph, const nw_types *types, nw_node_id node,
                             nw_kernel_shape *out);

/* A part from a geometry, batch folded into the rows. */
nw_kernel_part nw_kernel_part_of(const nw_geometry *geometry, nw_kernel_kind kind);

/* place.c: memory over the kernels' schedule, then where each tensor lives. */
void nw_kernels_place(const nw_graph *graph, const nw_hw *hw, const nw_types *types,
                      nw_kernels *kernels);

typedef struct nw_kernels_store {
    nw_arena arena;
} nw_kernels_store;

#endif
