/* demo.h - the built-in network, private to src/format.
 */
#ifndef NW_DEMO_H
#define NW_DEMO_H

#include "src/graph/graph.h"

/* Unsealed; float, NHWC, weights without values. */
nw_graph *nw_demo_build(void);

#endif
