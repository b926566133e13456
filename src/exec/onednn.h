/* onednn.h - between the two files that know oneDNN; private to src/exec.
 */
#ifndef NW_EXEC_ONEDNN_H
#define NW_EXEC_ONEDNN_H

#include <oneapi/dnnl/dnnl.h>

#include "src/exec/internal.h"

enum { NW_ARG_IN, NW_ARG_SECOND, NW_ARG_WEIGHTS, NW_ARG_BIAS, NW_ARG_OUT, NW_N_ARGS };

/* A primitive for one part of a kernel: described and chosen, not yet made. */
typedef struct nw_exec_plan {
    const nw_kernel_part *part;
    dnnl_memory_desc_t memories[NW_N_ARGS]; /* of no dimensions: no such argument */
    dnnl_memory_desc_t plain_weights;       /* as the caller has them */
    dnnl_primitive_desc_t chosen;
} nw_exec_plan;

/* describe.c. scale: of int8 sums; NULL: one that keeps sums of random values within a byte.
 * Returns NULL, or why the part is refused. impl, of NW_EXEC_TEXT bytes, gets the name of the
 * implementation added, if there is one. Release with nw_exec_plan_fini either way. */
const char *nw_exec_plan_init(nw_exec_plan *plan, dnnl_engine_t engine,
                              const nw_kernel_shape *shape, int part, const float *scale,
                              char *impl);
void nw_exec_plan_fini(nw_exec_plan *plan);

/* Whether a kernel may be tried at all: NULL or why not. */
const char *nw_exec_check_shape(const nw_kernel_shape *shape);

#endif
