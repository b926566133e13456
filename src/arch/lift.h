/* lift.h - between the parts of lifting; private to src/arch.
 *
 * A unit is a convolution or matrix product by constant weights with all that only it is for:
 * padding and dequantisers before it, normalisation, activation, quantisers behind it. Blocks are
 * patterns of units; whatever is left over is made a block by itself.
 */
#ifndef NW_ARCH_LIFT_H
#define NW_ARCH_LIFT_H

#include "src/arch/internal.h"

enum { LIFT_FREE = -1, LIFT_FOLDED = -2, LIFT_ODD = -2 };

typedef enum nw_unit_form {
    NW_UNIT_POINTWISE, /* 1x1 */
    NW_UNIT_DEPTHWISE, /* a filter a channel */
    NW_UNIT_GROUPED,   /* several groups; depthwise with several outputs a channel too */
    NW_UNIT_DENSE,     /* k x k */
    NW_UNIT_TRANSPOSED,
    NW_UNIT_PRODUCT,
} nw_unit_form;

typedef struct nw_unit {
    nw_unit_form form;
    nw_node_id main;
    nw_tensor_id in; /* before the padding and dequantisers that are the unit's own */
    nw_hwc in_map, out_map;
    nw_geometry geometry;
    int32_t dilation; /* space-to-batch around it included */
    nw_block_part part;
    int first, n_nodes; /* in nw_lifter.unit_nodes */
    int block;          /* LIFT_FREE: none yet */
} nw_unit;

typedef struct nw_lifter {
    const nw_graph *graph;
    nw_arena *arena; /* of the result */
    nw_arena own;    /* of the work */
    nw_readers readers;
    nw_tensor_id *same; /* per tensor: the first one of the same values, through quantisers,
                         * casts and identities */
    int *block_of;      /* per node: its block, or LIFT_FREE, LIFT_FOLDED */
    int *unit_of;       /* per node: its unit, LIFT_FREE, or LIFT_ODD: in no pattern */
    nw_unit *units;
    int n_units;
    nw_node_id *unit_nodes;
    int n_unit_nodes;
    nw_block *blocks;
    int n_blocks;
    size_t block_capacity;
} nw_lifter;

/* A few nodes found on the way, not claimed yet. */
typedef struct nw_found {
    nw_node_id nodes[48];
    int n;
    bool is_full; /* there were more: nothing that relies on it may be claimed */
} nw_found;

void nw_found_add(nw_found *found, nw_node_id node);

/* ---- lift.c ---- */

/* Neither claimed nor part of a unit, and of one output and with all the inputs it may need. */
bool nw_lift_is_free(const nw_lifter *l, nw_node_id node);
/* The only reader, if free; NW_NONE otherwise. */
nw_node_id nw_lift_next(const nw_lifter *l, nw_tensor_id tensor);
/* A quantiser, cast or identity: what comes out is what goes in. In a graph of N,H,W,C also a
 * transpose from or to N,C,H,W: files converted from that order turn maps around every operator. */
bool nw_lift_passes(const nw_graph *graph, nw_node_id node);
/* One of those transposes. */
bool nw_lift_turns(const nw_graph *graph, nw_node_id node);
/* Whatever only moves elements: reshapes, squeezes, transposes; quantisers too. */
bool nw_lift_is_view(nw_op op);
/* From a tensor along free sole readers that only pass it on; views: over these too. */
nw_tensor_id nw_lift_skip(const nw_lifter *l, nw_tensor_id tensor, bool views, nw_found *found);
/* The constant's value if it is one number. */
bool nw_lift_number(const nw_lifter *l, nw_tensor_id tensor, double *value);
/* A new block; its units, then any nodes, are claimed for it. */
nw_block *nw_lift_block(nw_lifter *l, nw_block_kind kind);
void nw_lift_claim(nw_lifter *l, nw_node_id node);
void nw_lift_claim_found(nw_lifter *l, const nw_found *found);
void nw_lift_claim_unit(nw_lifter *l, nw_unit *unit, nw_part_role role);

/* ---- lift_act.c ---- */

/* An activation of what stands in tensor, of one node or of several; false: none. *after is behind
 * it and its quantisers. */
typedef struct nw_act_match {
    nw_op act;
    nw_node_id node; /* its last one */
    nw_tensor_id after;
    nw_found found;
} nw_act_match;

bool nw_lift_act(const nw_lifter *l, nw_tensor_id tensor, nw_act_match *out);
/* The operator of an activation inside another one. */
nw_op nw_lift_act_inside(nw_act act);
/* Up to max readers of a tensor, over quantisers (into found); -1: more, or one is not free. */
int nw_lift_readers(const nw_lifter *l, nw_tensor_id tensor, nw_node_id *readers, int max,
                    nw_found *found);

/* ---- lift_unit.c, lift_block.c, lift_head.c ---- */

void nw_lift_units(nw_lifter *l);
void nw_lift_blocks(nw_lifter *l);  /* patterns of several units */
void nw_lift_singles(nw_lifter *l); /* a unit a block */
void nw_lift_heads(nw_lifter *l);   /* turns the last ones into heads */
void nw_lift_windows(nw_lifter *l); /* pooling, resizing */

#endif
