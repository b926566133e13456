/* kernel.h - what a device executes as one: fused runs of a graph's operators.
 *
 * A kernel is the unit that is measured, simulated and predicted. Its cost depends on its shape
 * alone (nw_kernel_shape): sizes, types, and where its tensors live. Batch 1; all sizes in
 * elements, H, W, C.
 */
#ifndef NW_KERNEL_H
#define NW_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/graph/graph.h"
#include "src/hw/hw.h"

/* kind, name in the measurement CSV and on screens */
#define NW_KERNELS(X)                                                                              \
    X(CONV, "conv")     /* dense or grouped convolution */                                         \
    X(DWCONV, "dwconv") /* depthwise; out_c may be a multiple of in_c */                           \
    X(CONV_TRANSPOSE, "conv_transpose")                                                            \
    X(FC, "fc")         /* in_h = 1, in_w = rows */                                                \
    X(MATMUL, "matmul") /* both operands computed: in_w rows, in_c inner, out_c columns */         \
    X(POOL, "pool")     /* max or average window, or global */                                     \
    X(ADD, "add")       /* elementwise sum or difference of two maps */                            \
    X(MUL, "mul")       /* elementwise product, quotient; second may be one value a channel */     \
    X(ELEMENTWISE, "elementwise") /* other elementwise functions of one or more maps */            \
    X(ACT, "act")                 /* an activation on its own; act says whether it is a table */   \
    X(QUANTIZE, "quantize")       /* quantise, dequantise, requantise, cast */                     \
    X(SOFTMAX, "softmax")                                                                          \
    X(NORM, "norm")     /* batch, layer, instance normalisation on its own */                      \
    X(REDUCE, "reduce") /* reductions, arg max, top k */                                           \
    X(RESIZE, "resize")                                                                            \
    X(COPY, "copy")     /* moves bytes: concat, split, slice, pad, transpose, gather, ... */       \
    X(VIEW, "view")     /* costs nothing: reshape and relatives */                                 \
    X(HOST, "host")     /* a run of operators on the host processor */                             \
    X(OPAQUE, "opaque") /* cost unknown */

typedef enum nw_kernel_kind {
#define X(kind, name) NW_KERNEL_##kind,
    NW_KERNELS(X)
#undef X
        NW_KERNEL_COUNT
} nw_kernel_kind;

const char *nw_kernel_kind_name(nw_kernel_kind kind);
nw_kernel_kind nw_kernel_kind_find(const char *name); /* NW_KERNEL_COUNT: none */

typedef enum nw_kernel_act {
    NW_KERNEL_ACT_NONE,
    NW_KERNEL_ACT_CLAMP, /* relu, relu6, clip: free in the output stage */
    NW_KERNEL_ACT_LUT,   /* sigmoid, swish, tanh, hard-swish, ...: through the table */
} nw_kernel_act;

typedef enum nw_place { NW_PLACE_SRAM, NW_PLACE_DRAM } nw_place;

/* One operator with a window or a product, or one pass over a map. */
typedef struct nw_kernel_part {
    int64_t in_h, in_w, in_c, out_h, out_w, out_c;
    nw_kernel_kind kind;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int32_t groups; /* 1 dense, in_c depthwise */
} nw_kernel_part;

#define NW_KERNEL_PARTS 2

/* All that the cost depends on; clear before filling (memset), since it is hashed by its bytes. */
typedef struct nw_kernel_shape {
    nw_kernel_part parts[NW_KERNEL_PARTS]; /* [1]: the pointwise convolution behind a depthwise
                                            * one, or the pooling behind a convolution, joined */
    int32_t n_parts;
    int32_t bits; /* of activations */
    int32_t weight_bits;
    int32_t is_float;  /* 1: floating-point arithmetic */
    nw_kernel_act act; /* joined, or for ACT kernels what it is */
    int32_t residual;  /* 1: an elementwise add joined behind, reading a map of the output's size */
    int32_t is_first;  /* 1: reads the network's input (rule for the first layer) */
    int32_t n_maps;    /* elementwise, copy: full-size maps read (second operand broadcast: 1) */
    int32_t slow_op;   /* nw_op whose rate in hw->ops applies, when that is `slow`; else -1 */
    nw_place in_place; /* where the inputs live */
    nw_place residual_place; /* the joined add's second input, or an elementwise second input */
    nw_place out_place;
    int64_t weight_elements; /* stored weights, without bias */
    int64_t bias_elements;
    int64_t host_elements; /* HOST: elements of the largest tensor of the run, and its MACs */
    int64_t host_bytes;    /* HOST: bytes across, both ways */
} nw_kernel_shape;

/* Hashed and compared by their bytes: no holes. */
_Static_assert(sizeof(nw_kernel_part) == 6 * sizeof(int64_t) + 8 * sizeof(int32_t),
               "nw_kernel_part has holes");
_Static_assert(sizeof(nw_kernel_shape) == NW_KERNEL_PARTS * sizeof(nw_kernel_part) +
                                              12 * sizeof(int32_t) + 4 * sizeof(int64_t),
               "nw_kernel_shape has holes");

/* The device's MACs for the shape: one per multiply-accumulate. */
int64_t nw_kernel_shape_macs(const nw_kernel_shape *shape);

/* "conv+act", "dwconv", "conv+act+add"; dst is returned. */
const char *nw_kernel_shape_name(const nw_kernel_shape *shape, char *dst, size_t size);

typedef struct nw_kernel {
    nw_kernel_shape shape;
    nw_node_id main;         /* the operator that it is named after */
    const nw_node_id *nodes; /* all that it runs, in order */
    int n_nodes;
    const nw_tensor_id *reads, *writes; /* activations across its border */
    int n_reads, n_writes;
    int64_t live_bytes; /* live on this hardware while it runs */
    int partition;      /* index of the run of device or host kernels it belongs to */
    char note[96];      /* why it is on the host, a float island, what a hint did or could not
                         * do, ...; empty: nothing to say */
} nw_kernel;

typedef struct nw_kernels {
    nw_kernel *kernels;
    int n_kernels;
    int n_partitions;   /* runs of neighbours on device and host */
    int n_switches;     /* from device to host and back: one a host run */
    char precision[40]; /* "int8", "int8 (assumed)", "float32" */
    nw_memory memory;   /* on this hardware, a step a kernel */
    bool is_assumed;    /* the precision is not the file's own */
    struct nw_kernels_store *store;
} nw_kernels;

/* Splits a sealed graph into the kernels that hw would run, and places their tensors by the local
 * rule: a tensor is on chip when the bytes live at its producer and at its consumers fit. Nodes
 * whose values are known beforehand (constants, shape arithmetic) are in no kernel.
 * precision: NULL or "file" for the file's own, else a name ("int8", "int16", "float16").
 * NW_INVALID: no such precision; NW_UNSUPPORTED: the hardware lacks it, or what a node's hint asks
 * for (err->where is the node). Borrows both inputs: they must outlive the result.
 *
 * Hints (nw_hint in graph.h). splits: a kernel starts at the node; what comes with its reader
 * (dequantisations, a quantisation in the output stage before it) stays where it is. joins: also
 * what the rules of `fusion` can but joining leaves alone by itself: a difference behind a
 * convolution (conv+add), an activation behind a pooling (conv+act), a global pooling behind a
 * convolution if its whole map fits one tile (pool). The kernel's note says what was done, or why
 * not. bits, is_float: what the node's operator writes. It computes in the wider of that and what
 * it reads, its readers likewise; weights have that type too, or 8 bits where the hardware has
 * only those beside it. Operators that move bytes keep the type of what they read. */
NW_CHECKED nw_status nw_kernels_split(const nw_graph *graph, const nw_hw *hw, const char *precision,
                                      nw_kernels **out, nw_error *err);
void nw_kernels_free(nw_kernels *kernels);

/* Whether hw can run a node in one kernel with what runs before it: as it is, or with the hint
 * joins. why (size bytes, may be NULL): the reason if not. Costs a split. */
bool nw_kernel_can_join(const nw_graph *graph, const nw_hw *hw, nw_node_id node, char *why,
                        size_t size);
/* Whether the hint splits at a node of a kernel makes two of it; why as above. */
bool nw_kernel_can_split(const nw_graph *graph, const nw_kernel *kernel, nw_node_id node, char *why,
                         size_t size);
/* Whether the joins and splits that `after`, an edited copy of `before` with the same nodes, asks
 * for beyond those of `before` leave the kernels on hw as they were; why names the first one's
 * node and reason. False as well where it asks for none. */
bool nw_kernels_stay(const nw_graph *before, const nw_kernels *kernels_before,
                     const nw_graph *after, const nw_kernels *kernels_after, const nw_hw *hw,
                     char *why, size_t size);

#endif
