/* solve.h - the equations between axes that the operators of a graph make; private to src/arch.
 *
 * Every axis of a tensor of known shape has a slot for its term. Slots of stored constants stay
 * empty until an operator says something of them.
 */
#ifndef NW_ARCH_SOLVE_H
#define NW_ARCH_SOLVE_H

#include "src/arch/term.h"
#include "src/graph/graph.h"

#define NW_SITE_INTS   (-1) /* attrs.ints */
#define NW_SITE_GROUPS (-2) /* attrs.groups */

/* A number in the file that stands for a size: plus - minus. */
typedef struct nw_site {
    nw_node_id node;
    int input;   /* of the node, or one of the above */
    int element; /* of the list */
    nw_term plus, minus;
} nw_site;

/* A list of values for channels (a bias, slopes) that several operators read, because the exporter
 * stored equal ones once: the length that one of them needs. It gets a list of its own when the
 * lengths differ. */
typedef struct nw_use {
    nw_node_id node;
    int input, axis; /* of the list */
    nw_term term;
} nw_use;

typedef struct nw_solver {
    const nw_graph *graph;
    nw_terms terms;
    int *first;     /* per tensor: of its slots; one more at the end */
    nw_term *slots; /* NW_TERM_NONE: empty */
    nw_site *sites;
    nw_use *uses;
    size_t n_sites, site_capacity, n_uses, use_capacity;
    int *n_readers;      /* per tensor: inputs of nodes and ends of the network that are it */
    const nw_node *node; /* at hand */
    nw_node_id id;
} nw_solver;

/* Solves all; the graph is borrowed. Release with nw_solve_fini. */
void nw_solve(nw_solver *solver, const nw_graph *graph);
void nw_solve_fini(nw_solver *solver);

/* The axis of the channels in a map as the graph lays it out; rank at least 1. */
int nw_channel_axis(const nw_graph *graph, int rank);

/* NW_TERM_NONE: nothing is known of it, it stays as it is. */
nw_term nw_solve_term(const nw_solver *solver, nw_tensor_id tensor, int axis);

/* Where a number in an integer list comes from, through concatenations and the like: the reader of
 * the stored constant that holds it. False: it is computed otherwise (from shapes, for instance).
 */
bool nw_site_trace(const nw_graph *graph, nw_site *site);

/* ---- what the rules use ---- */

nw_tensor_id nw_solve_input(const nw_solver *s, int i);  /* NW_NONE: left out */
nw_tensor_id nw_solve_output(const nw_solver *s, int i); /* likewise */
const nw_shape *nw_solve_shape(const nw_solver *s, nw_tensor_id tensor);
bool nw_solve_is_known(const nw_solver *s, nw_tensor_id tensor); /* there, and of known shape */

/* The term of an axis; a constant's gets a variable if it has none. */
nw_term nw_solve_axis(nw_solver *s, nw_tensor_id tensor, int axis);
/* The axis is that term. A term of another size is fixed, and the axis a number. */
void nw_solve_set(nw_solver *s, nw_tensor_id tensor, int axis, nw_term term);
void nw_solve_carry(nw_solver *s, nw_tensor_id from, int from_axis, nw_tensor_id to, int to_axis);
void nw_solve_fix(nw_solver *s, nw_term term, nw_why_kind why);
void nw_solve_fix_axis(nw_solver *s, nw_tensor_id tensor, int axis, nw_why_kind why);
void nw_solve_fix_inputs(nw_solver *s, nw_why_kind why);

/* A list of integers of the node: attrs.ints if it has them, else the value of input i; *input is
 * what nw_site wants. False: absent or unknown. */
typedef struct nw_int_list {
    const int64_t *values;
    int n, input;
} nw_int_list;
bool nw_solve_list(const nw_solver *s, int i, nw_int_list *out);
/* A number of it, as the size of an axis if it was taken from a Shape. */
nw_term nw_solve_number(nw_solver *s, const nw_int_list *list, int element);
/* Whether a rewriting of that number in the file is possible at all. */
bool nw_solve_is_open(const nw_solver *s, const nw_int_list *list, int element);
/* That number is plus - minus from now on, if terms are not numbers anyway. */
void nw_solve_site(nw_solver *s, const nw_int_list *list, int element, nw_term plus, nw_term minus);

/* Same elements in a shape `to`: the terms of its axes. list: what the file asks for, by axis of
 * `to`; NULL: it asks for nothing. */
void nw_solve_reshape(nw_solver *s, nw_tensor_id x, const nw_shape *to, const nw_int_list *list,
                      nw_term *out);

/* Input i, a list of one value a channel, has as many as the term. */
void nw_solve_follow(nw_solver *s, int i, nw_term term);

/* attrs.axis, from the front. */
int nw_solve_own_axis(const nw_solver *s, int rank);

/* Rules of operators that move elements (solve_move.c); false: not one of them. */
bool nw_solve_move(nw_solver *s);

/* Single rules: solve_product.c, solve_part.c. False: a parameter is not known. */
void nw_solve_conv(nw_solver *s);
void nw_solve_fully_connected(nw_solver *s);
void nw_solve_matmul(nw_solver *s);
void nw_solve_concat(nw_solver *s);
void nw_solve_stack(nw_solver *s);
void nw_solve_unstack(nw_solver *s);
void nw_solve_split(nw_solver *s);
bool nw_solve_slice(nw_solver *s);
bool nw_solve_slice_size(nw_solver *s);
bool nw_solve_strided_slice(nw_solver *s);

#endif
