/* split.h - between the parts of the splitter; private to src/kernel.
 */
#ifndef NW_KERNEL_SPLIT_H
#define NW_KERNEL_SPLIT_H

#include "src/kernel/internal.h"

enum { FREE = -1, WAITS = -2, FOLDED = -3 }; /* states of a node beside its kernel's index */

typedef struct nw_draft {
    nw_kernel_shape shape;
    nw_node_id main;
    nw_node_id *nodes;
    int n_nodes;
    size_t node_capacity;
    char note[96];
    int64_t first_bias; /* elements of shape.bias_elements that belong to earlier parts */
} nw_draft;

typedef struct nw_splitter {
    const nw_graph *graph;
    const nw_hw *hw;
    const nw_types *types;
    int *state;           /* per node: index of its draft, or FREE, WAITS, FOLDED */
    uint8_t *is_absorbed; /* per node: a dequantisation that its readers' kernels take in, or a
                           * renaming in front of one */
    int *reader_start;    /* per tensor: where its readers begin in readers */
    nw_node_id *readers;
    nw_draft *drafts;
    int n_drafts;
    size_t draft_capacity;
    nw_node_id asked; /* counts as hinted to join, whatever its hint; NW_NONE: none */
} nw_splitter;

/* Cuts the whole graph into drafts; release with nw_split_fini. */
void nw_split_run(nw_splitter *s, const nw_graph *graph, const nw_hw *hw, const nw_types *types,
                  nw_node_id asked);
void nw_split_fini(nw_splitter *s);

/* split.c: the graph as the splitter sees it. */
int nw_split_n_readers(const nw_splitter *s, nw_tensor_id tensor);
/* The only reader of a tensor that nobody else sees, still free; NW_NONE otherwise. */
nw_node_id nw_split_sole_reader(const nw_splitter *s, nw_tensor_id tensor);
const nw_tensor *nw_split_input(const nw_splitter *s, const nw_node *node, int i); /* may be NULL */
nw_tensor_id nw_split_only_output(const nw_node *node);
/* What the user wants of a node. */
bool nw_split_is_cut(const nw_splitter *s, nw_node_id id);   /* a kernel starts here */
bool nw_split_is_asked(const nw_splitter *s, nw_node_id id); /* joined wherever that is possible */
/* The integers before a dequantisation that its readers take in. */
nw_tensor_id nw_split_before_absorbed(const nw_splitter *s, nw_tensor_id id);
/* Puts a node, and what waits for it, into a draft. */
void nw_split_add_node(nw_splitter *s, int index, nw_node_id id);
bool nw_split_is_product(nw_kernel_kind kind);
/* Who may wait for its reader's kernel: any of them; a dequantisation; a renaming. */
bool nw_split_waits(const nw_splitter *s, nw_node_id id);
bool nw_split_is_dequantise(const nw_splitter *s, const nw_node *node);
bool nw_split_is_rename(const nw_splitter *s, const nw_node *node);

/* host.c: what the hardware lacks. needs_host says why in note. */
bool nw_split_needs_host(const nw_splitter *s, nw_node_id id, const nw_kernel_shape *shape,
                         char *note, size_t size);
bool nw_split_is_native(const nw_splitter *s, nw_op op);
/* A kernel without weights takes whatever weights go with its activations on this hardware. */
void nw_split_settle_weight_bits(const nw_splitter *s, nw_kernel_shape *shape);

/* hint.c: why a node is in no kernel with what runs before it. */
void nw_split_explain(const nw_splitter *s, nw_node_id id, char *why, size_t size);
/* Whether it is. */
bool nw_split_is_joined(const nw_splitter *s, nw_node_id id);

/* join.c: takes into a draft what follows its main operator, as far as rules and graph allow. */
void nw_split_extend(nw_splitter *s, int index);
/* Only the quantisation behind it. False: there is none to take. */
bool nw_split_join_quantise(nw_splitter *s, int index, nw_tensor_id *cursor, nw_node_id next);
/* Whether the whole map that a global pooling behind a convolution reads fits one tile. */
bool nw_split_fits_tile(const nw_splitter *s, const nw_kernel_part *pooling);

#endif
