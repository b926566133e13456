/* support_split.h - networks cut into kernels, for the suites of kernels and estimates.
 */
#ifndef NW_TESTS_SUPPORT_SPLIT_H
#define NW_TESTS_SUPPORT_SPLIT_H

#include "src/kernel/kernel.h"
#include "tests/support_net.h"

/* A description from hw/; aborts the test program if it cannot be read. The caller frees it. */
nw_hw *load_hw(const char *name);

/* A real network, sealed; NULL (after printing so) where it is not there. */
nw_graph *load_model(const char *file);

/* All of them, NULL behind the last. */
extern const char *const model_files[];

nw_kernels *split_on(const nw_graph *graph, const nw_hw *hw, const char *precision);

/* "conv+act dwconv copy": all kernels but views, in order. The text is static. */
const char *kernel_list(const nw_kernels *kernels);

/* The first kernel of a kind; aborts the test program if there is none. */
const nw_kernel *kernel_of_kind(const nw_kernels *kernels, nw_kernel_kind kind);

/* A small network of random layers, as int8 or float32, branches included. */
nw_graph *random_net(unsigned seed, nw_dtype dtype);

#endif
