/* emit.h - one kernel as a network; private to src/measure.
 */
#ifndef NW_MEASURE_EMIT_H
#define NW_MEASURE_EMIT_H

#include "src/measure/internal.h"

typedef enum nw_emit_step {
    NW_EMIT_MAIN,
    NW_EMIT_SECOND, /* parts[1] */
    NW_EMIT_ACT,
    NW_EMIT_ADD
} nw_emit_step;

#define NW_EMIT_STEPS 4

typedef struct nw_emit_kernel {
    nw_kernel_shape shape;
    nw_emit_step steps[NW_EMIT_STEPS];
    int n_steps;
    const char *act; /* its function, as the column says it; "none" */
} nw_emit_kernel;

/* What a row asks for; NW_UNSUPPORTED: no operator does that. */
NW_CHECKED nw_status nw_emit_read(nw_shapes_reader *reader, const nw_shapes_row *row,
                                  nw_emit_kernel *out);

/* "conv+act+add", the steps in their order; dst is returned. */
const char *nw_emit_name(const nw_emit_kernel *kernel, char *dst, size_t size);

/* The sealed network of that name; NW_UNSUPPORTED: its sizes fit no operator. */
NW_CHECKED nw_status nw_emit_build(const nw_emit_kernel *kernel, const char *name, nw_graph **out,
                                   nw_error *err);

#endif
