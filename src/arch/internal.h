/* internal.h - what an arch is made of; private to src/arch.
 */
#ifndef NW_ARCH_INTERNAL_H
#define NW_ARCH_INTERNAL_H

#include <stdatomic.h>

#include "src/arch/arch.h"
#include "src/arch/group.h"
#include "src/base/arena.h"

/* The blocks of a graph. */
typedef struct nw_lifting {
    nw_arena arena; /* of blocks, their nodes and block_of */
    nw_block *blocks;
    int n_blocks, n_stages;
    int *block_of; /* per node: index in blocks, -1: none */
    double recognised;
} nw_lifting;

/* Everything but the lists that are found when first asked for is set before an arch is shared.
 * Two threads may find a list at the same time; the one that is late throws its own away. */
struct nw_arch {
    atomic_int n_owners;
    nw_graph *graph;       /* sealed, owned */
    const nw_arch *origin; /* retained; NULL: itself */
    nw_edit *edits;        /* from origin to here; owned */
    int n_edits;
    _Atomic(nw_lifting *) lifting;
    _Atomic(nw_groups *) groups; /* group.c */
};

/* An arch of a sealed graph, which it owns from then on, that n_edits edits made of another arch.
 * It keeps the origin of `from` alive, and copies the edits behind those of `from`. */
const nw_arch *nw_arch_derive(const nw_arch *from, nw_graph *graph, const nw_edit *edits,
                              int n_edits);

/* The graph of an arch that nobody else holds; the arch can only be released then. */
nw_graph *nw_arch_take_graph(const nw_arch *arch);

/* The blocks, found when first asked for. */
const nw_lifting *nw_arch_lifting(const nw_arch *arch);

/* lift.c: linear in the size of the graph. */
nw_lifting *nw_lifting_find(const nw_graph *graph);
void nw_lifting_free(nw_lifting *lifting); /* NULL is fine */

/* stage.c: stage and index of every block, in the order of the list; in and out are set. */
void nw_lifting_number(const nw_graph *graph, nw_lifting *lifting);

/* ---- who reads what (reader.c) ---- */

/* Nodes that read each tensor, in node order; once for every input that is the tensor. Nodes that
 * sealing folded are not among them. */
typedef struct nw_readers {
    int *start; /* per tensor and one more: where its readers begin in nodes */
    nw_node_id *nodes;
    uint8_t *is_folded; /* per node: all it makes is known or constant after sealing */
    int *position;      /* per node: its place in graph->order */
} nw_readers;

void nw_readers_find(const nw_graph *graph, nw_arena *arena, nw_readers *out);
int nw_readers_count(const nw_readers *readers, nw_tensor_id tensor);
/* The only reader of a tensor that is no output of the network; NW_NONE: there is none. */
nw_node_id nw_readers_sole(const nw_graph *graph, const nw_readers *readers, nw_tensor_id tensor);

#endif
