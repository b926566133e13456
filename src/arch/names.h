/* names.h - the names that a graph has, for whoever needs another; private to src/arch.
 */
#ifndef NW_ARCH_NAMES_H
#define NW_ARCH_NAMES_H

#include "src/graph/graph.h"

#define NW_NAME_FREE    (-2)
#define NW_NAME_OF_FILE (-1) /* the graph had it when it was looked at */

/* Begins as zeroes. Names are borrowed. */
typedef struct nw_names {
    struct nw_name *list;
    size_t n, capacity;
    int32_t *heads; /* of chains in list, by hash; NULL: nothing was looked at */
    size_t n_heads; /* a power of two */
} nw_names;

void nw_names_find(nw_names *names, const nw_graph *graph, bool with_nodes);
void nw_names_fini(nw_names *names);

int nw_names_owner(const nw_names *names, const char *name); /* or one of the above */
void nw_names_take(nw_names *names, const char *name, int owner);

#endif
