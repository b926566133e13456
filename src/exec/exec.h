/* exec.h - runs kernels on this machine's CPU, through oneDNN: for real, on one thread.
 *
 * A kernel is run as oneDNN would run it inside a network: maps in H, W, C order, weights in
 * whatever layout the library likes best (laid out once, before any timing), what is joined as
 * post-operators of one primitive; two parts are two primitives, one behind the other. Types are
 * float32 (bits 32, is_float) and int8 (bits 8: maps unsigned, weights signed, biases of 32 bits,
 * one scale a tensor, no zero points).
 *
 * What a nw_kernel_shape leaves open is decided here, once:
 *   windows      whatever they reach beyond the input is padding, the smaller half in front
 *   activations  a clamp is a clip to 0 .. 6 (0 .. 255 for int8); one through a table is hard-swish
 *   residuals    added to what stands in the output, before the activation; with two parts the
 *                activation stands behind the first, the residual behind the second
 *   pool         average without the padding        resize   linear
 *   softmax      over the channels                  copy     one plain copy of its bytes
 *   quantize     floats to bytes, or bytes to bytes
 * The other kinds are refused, for their shape does not say what they do; so is what oneDNN lacks,
 * and what it has as a reference implementation only ("ref" in its name): it would be timed in
 * milliseconds what a real runtime does in microseconds. A refusal is data, with its reason.
 *
 * How a kernel is timed. In a loop of its own a kernel finds everything in the cache, and sums
 * over such timings fall short of whole networks. So each run that is timed comes as it would in a
 * network: IN SEQUENCE AFTER ITS PRODUCER.
 *   1. Kernels are taken in list order into companies of up to 24 MiB of weights and maps. Their
 *      maps lie over each other in one piece of memory, as a runtime's arena is reused.
 *   2. A round visits each kernel of the company once. A visit writes the second map if there is
 *      one, then the output's place (in an arena somebody has just used it), then the input from
 *      first to last byte, as its producer would, and then runs the kernel once, between two
 *      readings of the clock. Weights and code have been left alone since the last round, while
 *      everybody else ran.
 *   3. If a round touches less than twice the second-level cache, it ends with a pass over as much
 *      memory as is missing and four small kernels, so that a kernel that is timed alone finds its
 *      weights where it would in a network: in the third-level cache.
 *   4. A sample is a visit; for kernels below 20 us the mean of up to 8 visits, in as many rounds.
 *   5. All of it is done in several processes, one after the other: each gets other pages and with
 *      them other conflicts in the caches.
 * min is the least sample of all processes, median that of the processes' medians, spread the
 * range of the processes' minima over their median. On a quiet core the minima of a network's
 * kernels, timed as a list or one by one, add up to the network's own minimum: on a dozen real
 * networks of both types to between -4 and +5 %, too much where all of a network stays in the
 * second-level cache.
 * No process uses a second thread: each counts its threads before it ends.
 */
#ifndef NW_EXEC_H
#define NW_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/pool.h"
#include "src/graph/graph.h"
#include "src/kernel/kernel.h"

#define NW_EXEC_TEXT          96
#define NW_EXEC_MAX_REPEATS   1000
#define NW_EXEC_MAX_PROCESSES 32

typedef struct nw_exec_options {
    int repeats;   /* samples in a process, at most; slow kernels get fewer, from 5. 0: 25 */
    int processes; /* 0: 5 */
} nw_exec_options;

/* The options with defaults and limits applied; options may be NULL. */
nw_exec_options nw_exec_options_used(const nw_exec_options *options);

typedef struct nw_exec_timing {
    double min_us, median_us; /* 0 if it is not timed */
    double spread;            /* 0.05: the processes' minima are 5 % apart */
    bool is_timed;
    char reason[NW_EXEC_TEXT]; /* why it is not; empty if it is */
    char impl[NW_EXEC_TEXT];   /* oneDNN's name for what ran: "brgconv_1x1:avx512_core" */
} nw_exec_timing;

/* How the caller follows and stops what takes long; each part may be NULL. */
typedef struct nw_exec_watch {
    /* Called by the calling thread some times a second; seconds_left is below 0 while unknown.
     * False: stop. */
    bool (*progress)(void *context, int64_t done, int64_t total, double seconds_left);
    void *context;
    const nw_cancel *cancel;
} nw_exec_watch;

/* Times n kernels in fresh processes, one after the other. options and watch may be NULL. Other
 * threads should run no kernels meanwhile: a fork would copy the library's locks as they stand.
 * NW_CANCELLED: stopped; NW_IO, NW_LIMIT: a process could not be started, died or stood still;
 * out is filled on success only. */
NW_CHECKED nw_status nw_exec_time(const nw_kernel_shape *shapes, int n,
                                  const nw_exec_options *options, const nw_exec_watch *watch,
                                  nw_exec_timing *out, nw_error *err);

typedef struct nw_exec_network_timing {
    nw_exec_timing total;    /* of whole runs without what was left out; impl is empty */
    nw_exec_timing *kernels; /* as in nw_kernels, each between its neighbours */
    int n_kernels;
    int n_run;
    int n_views;       /* cost nothing; not timed, no reason */
    int n_left_out;    /* refused: their outputs are written for them, off the clock */
    double sum_min_us; /* of the kernels' minima */
} nw_exec_network_timing;

/* Times a whole network: the kernels of a split graph (best by hw/cpu-onednn.json) in order, on
 * maps in the arena that kernels->memory plans, with random weights (He's bound) and inputs.
 * Whole runs, timed at their two ends, take turns with runs timed from kernel to kernel. Errors as
 * nw_exec_time; NW_LIMIT also: needs more than 2 GiB. Release with nw_exec_network_timing_fini. */
NW_CHECKED nw_status nw_exec_network(const nw_graph *graph, const nw_kernels *kernels,
                                     const nw_exec_options *options, const nw_exec_watch *watch,
                                     nw_exec_network_timing *out, nw_error *err);
void nw_exec_network_timing_fini(nw_exec_network_timing *timing);

/* One kernel on given data. Maps are H, W, C, dense; a fully connected kernel's rows one by one;
 * matmul's second operand a matrix of in_c rows for each of in_h. Values are floats, or for int8
 * unsigned bytes, weights signed bytes, biases int32. */
typedef struct nw_exec_data {
    const void *in;
    const void *second;                   /* residual or second operand; NULL: none is read.
                                           * Where the shape has n_maps 1: a value a channel */
    const void *weights[NW_KERNEL_PARTS]; /* out channels, in channels of a group, rows, columns;
                                           * NULL: random */
    const void *bias[NW_KERNEL_PARTS];    /* NULL: zero */
    float scale[NW_KERNEL_PARTS];         /* int8: sums times scale are rounded to the even byte */
    void *out;
} nw_exec_data;

/* Runs it in this thread, for which OpenMP is left at one thread. NW_UNSUPPORTED: refused, err says
 * why; NW_INVALID: the second map is missing. */
NW_CHECKED nw_status nw_exec_run(const nw_kernel_shape *shape, const nw_exec_data *data,
                                 nw_error *err);

/* oneDNN's version, "2.6.3"; returns dst. */
const char *nw_exec_version(char *dst, size_t size);

#endif
