/* support_edge.h - the published networks of NASW_SHARED/data/edge_tpu_facts as graphs. Rows are
 * those of layers.csv; a network is its rows from first to before end.
 */
#ifndef NW_TESTS_SUPPORT_EDGE_H
#define NW_TESTS_SUPPORT_EDGE_H

#include "src/graph/graph.h"
#include "tests/support.h"

typedef struct edge_facts {
    csv layers, models;
} edge_facts;

/* False: they are not there, which is printed. Release with edge_fini. */
bool edge_load(edge_facts *facts);
void edge_fini(edge_facts *facts);

/* The network of that index in the order of the file; false: there are fewer. */
bool edge_find(const edge_facts *facts, int index, int *first, int *end);

int64_t edge_number(const edge_facts *facts, int row, const char *column);
bool edge_is(const edge_facts *facts, int row, const char *block);
/* Without an expansion the 1x1 is left out (Sandler et al. 2018: t = 1). */
bool edge_is_separable(const edge_facts *facts, int row);
void edge_ranks(const edge_facts *facts, int row, int64_t *in, int64_t *out);

/* The network at size x size, sealed, without its classifier (global mean and a fully connected
 * layer), which block strings do not say: *classifier is the number of its weights. Aborts where
 * the list cannot be built. */
nw_graph *edge_build(const edge_facts *facts, int first, int end, int size, int64_t *classifier);

/* The same network, sealed, with a global mean and a fully connected layer to n behind it, as
 * PyTorch has them; takes graph, which has one output. */
nw_graph *classify(nw_graph *graph, int64_t n);

#endif
