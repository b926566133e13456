/* resize.h - what the files of resizing share; private to src/arch.
 */
#ifndef NW_ARCH_RESIZE_H
#define NW_ARCH_RESIZE_H

#include "src/arch/group_internal.h"
#include "src/arch/names.h"

typedef struct nw_resizer {
    const nw_groups *groups;
    const nw_graph *old; /* sealed */
    nw_graph *graph;     /* its copy, unsealed until the end */
    int64_t *numbers;    /* per item of the terms: what variables are now */
    nw_names names;      /* of tensors of graph, once a new one was asked for */
    nw_error *err;
} nw_resizer;

/* Whether a variable of the term has another number than before. */
bool nw_resizer_changes(const nw_resizer *r, nw_term term);

/* Stored constants (resize_constant.c): those with an axis that changes are edited; a list that
 * several operators read becomes several where they need other lengths. */
void nw_resizer_edit_constants(nw_resizer *r);

/* Numbers in the file that stand for sizes (resize_number.c). */
NW_CHECKED nw_status nw_resizer_write_numbers(nw_resizer *r);

/* An integer input of a node of an unsealed graph becomes `values`: in place if the node is the
 * only reader, else as a constant of its own. Returns the constant. */
nw_tensor_id nw_resize_set_list(nw_graph *graph, nw_names *names, nw_node_id node, int input,
                                int n_readers, const int64_t *values, int n);

/* A new tensor named after another one, under a name that is not taken. */
nw_tensor_id nw_resize_add_like(nw_graph *graph, nw_names *names, nw_tensor_id like,
                                nw_node_id node);

/* ---- several groups as if one after the other (resize_steady.c) ---- */

typedef struct nw_steady nw_steady;

nw_steady *nw_steady_new(const nw_arch *arch);
void nw_steady_free(nw_steady *steady); /* NULL is fine */
/* Whether a group may get a number at once with others that may, whatever comes first. */
bool nw_steady_takes(const nw_steady *steady, nw_resize size);
/* Gives it that number. False: from then on the network has other blocks or labels. */
bool nw_steady_set(nw_steady *steady, nw_resize size);
/* Whether a size of the tensor is another one by the numbers given so far. */
bool nw_steady_changes(const nw_steady *steady, nw_tensor_id tensor);

/* ---- resolution ---- */

/* A size of an axis of tensors of one rank, before and after. */
typedef struct nw_size_pair {
    int rank, axis;
    int64_t before, after; /* after: -1: several */
} nw_size_pair;

typedef struct nw_scaler {
    const nw_graph *old;
    int *n_readers; /* per old tensor */
    nw_size_pair *pairs;
    size_t n_pairs, capacity;
    nw_names names;
    bool is_refused; /* the error says all */
} nw_scaler;

/* An nw_seal_visit (resize_scale.c): rewrites what the node's attributes and lists say of sizes
 * that changed; refuses constants and operators that fit the old ones alone. */
nw_status nw_scale_node(void *ctx, nw_graph *graph, nw_node_id node, nw_error *err);

#endif
