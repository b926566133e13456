/* draft.h - a network while it is being edited; private to src/arch.
 *
 * A draft is a copy of an arch's graph in which nodes are added, rewired and taken out. Until it is
 * sealed, node and tensor ids of the arch name the same things in the draft. What nothing reads any
 * more after the changes is taken out when the draft is sealed.
 *
 * Callers check first and change then: a function that refuses has changed nothing.
 */
#ifndef NW_ARCH_DRAFT_H
#define NW_ARCH_DRAFT_H

#include "src/arch/arch.h"
#include "src/arch/names.h"

typedef struct nw_draft {
    const nw_arch *arch;
    const nw_graph *old; /* of arch, sealed */
    nw_graph *graph;     /* unsealed */
    uint8_t *is_gone;    /* per node of graph */
    nw_node_id *anchor;  /* per node of graph: the old node whose place it takes; NW_NONE: behind
                          * what it reads */
    size_t n_room;       /* of is_gone and anchor */
    nw_names names;      /* of all nodes and tensors, once a new one was asked for */
    int16_t writer;      /* which of several edits is at work, from 0 */
    int16_t *writer_of;  /* per node of graph */
    bool is_mixed;       /* names or places of nodes depend on there being several: each alone, one
                          * upon the other, would make another graph. Known once it is sealed */
} nw_draft;

void nw_draft_init(nw_draft *draft, const nw_arch *arch);
void nw_draft_fini(nw_draft *draft); /* also after sealing */

/* Takes out what nothing reads any more, puts new nodes where they belong in the file's order
 * (which is the schedule), seals, hands the graph over. */
NW_CHECKED nw_status nw_draft_seal(nw_draft *draft, nw_graph **out, nw_error *err);

/* "base.suffix", with a number behind it if that is taken; lives as long as the graph. */
const char *nw_draft_name(nw_draft *draft, const char *base, const char *suffix);

/* ---- nodes and tensors ---- */

/* A computed tensor of the element type and quantisation of another, of unknown shape. */
nw_tensor_id nw_draft_tensor(nw_draft *draft, nw_tensor_id like, const char *suffix);

/* A copy of an old node, under a name of its own, with other inputs and outputs. */
nw_node *nw_draft_clone(nw_draft *draft, nw_node_id node, const char *suffix,
                        const nw_tensor_id *inputs, const nw_tensor_id *outputs);

/* A node of one output that the file does not have, with its format's name for the operator. */
nw_node *nw_draft_node(nw_draft *draft, nw_op op, const char *base, const char *suffix,
                       const nw_tensor_id *inputs, int n_inputs, nw_tensor_id output);

void nw_draft_drop(nw_draft *draft, nw_node_id node);

/* Lets all readers of one tensor read another; ends of the network stay. `except` keeps its own;
 * NW_NONE: all change. */
void nw_draft_reroute(nw_draft *draft, nw_tensor_id from, nw_tensor_id to, nw_node_id except);

/* What produced `from` produces `to` instead (whose producer is dropped), and readers of `from`
 * read `to`. */
void nw_draft_merge(nw_draft *draft, nw_tensor_id from, nw_tensor_id to);

/* How many nodes of the old graph, and ends of it, read a tensor. */
int nw_draft_n_readers(const nw_draft *draft, nw_tensor_id tensor);

bool nw_draft_is_tflite(const nw_draft *draft);
bool nw_op_is_converter(nw_op op); /* quantise, dequantise, cast, identity */

/* ---- constants ---- */

/* Another shape for a constant. The first channels stay where the axis is as before or `keeps` is
 * set; else all values are new. */
typedef struct nw_reshaped {
    nw_shape shape;
    bool keeps;
    bool is_spatial[NW_MAX_RANK]; /* the axis grows and shrinks around its middle */
    nw_edit_fill fill;
    int64_t fan_in;
    int quant_axis; /* of scales, where there is one a channel */
} nw_reshaped;

/* The constant, or what dequantises it, in another shape; the same tensor if nothing changes. */
nw_tensor_id nw_draft_constant(nw_draft *draft, nw_tensor_id old, const nw_reshaped *to);

/* A new constant of a type, without a source. */
nw_tensor_id nw_draft_new_constant(nw_draft *draft, const char *base, const char *suffix,
                                   nw_dtype dtype, const nw_quant *quant, const nw_reshaped *to);

#endif
