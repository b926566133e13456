/* internal.h - private to src/exec.
 *
 * op.c and describe.c make one kernel ready to run, and are the only ones that know oneDNN (through
 * onednn.h); the others know what stands here.
 */
#ifndef NW_EXEC_INTERNAL_H
#define NW_EXEC_INTERNAL_H

#include <stdatomic.h>
#include <sys/types.h>

#include "src/exec/exec.h"

/* ---- op.c: one kernel ---- */

typedef struct nw_exec_engine nw_exec_engine;
typedef struct nw_exec_op nw_exec_op;

/* Makes the calling thread run oneDNN alone (OpenMP starts no others). NW_UNSUPPORTED: oneDNN
 * refuses to work here. Each thread has an engine of its own. */
NW_CHECKED nw_status nw_exec_engine_new(nw_exec_engine **out, nw_error *err);
void nw_exec_engine_free(nw_exec_engine *engine); /* NULL is fine */

/* A kernel ready to run. constants: its weights, biases and scales (maps are not looked at); NULL:
 * drawn at random. NULL is returned for a kernel that is refused; why, of NW_EXEC_TEXT bytes, says
 * so. Must not outlive its engine. */
nw_exec_op *nw_exec_op_new(nw_exec_engine *engine, const nw_kernel_shape *shape,
                           const nw_exec_data *constants, char *why);
void nw_exec_op_free(nw_exec_op *op); /* NULL is fine */

typedef struct nw_exec_sizes {
    size_t in_bytes, out_bytes;
    size_t second_bytes; /* 0: no second map is read */
    size_t weight_bytes;
    bool is_in_place; /* the second map is a residual, added to what stands in the output */
    bool in_is_float, out_is_float;
} nw_exec_sizes;

const nw_exec_sizes *nw_exec_op_sizes(const nw_exec_op *op);
const char *nw_exec_op_impl(const nw_exec_op *op);

/* Where its maps stand. second is NULL without one; a residual that does not stand in out is
 * copied there by each run. */
void nw_exec_op_bind(nw_exec_op *op, const void *in, const void *second, void *out);

/* False: oneDNN failed. */
bool nw_exec_op_run(nw_exec_op *op);

/* ---- buffer.c: memory and what stands in it ---- */

size_t nw_exec_align(size_t n_bytes); /* up to whole cache lines */

void *nw_exec_buffer(size_t n_bytes); /* starts a cache line, not cleared; release with free() */

/* Uniform values: floats between -bound and bound; bytes of all values. */
void nw_exec_fill_floats(float *to, size_t n, float bound, uint64_t seed);
void nw_exec_fill_bytes(void *to, size_t n_bytes, uint64_t seed);

/* Writes a map as the kernel before would have: each element once, in order, by plain stores that
 * leave it in the cache. Values are moderate. */
void nw_exec_produce(void *to, size_t n_bytes, bool is_float);

/* Lets this thread take denormal floats for zero: values must not cost time. */
void nw_exec_ignore_denormals(void);

/* ---- sample.c: from visits to figures ---- */

double nw_exec_now_us(void);

/* How many visits make a sample, and how many samples a kernel gets, from what one visit takes. */
int nw_exec_visits_per_sample(double visit_us);
int nw_exec_sample_count(double visit_us, int repeats);

#define NW_EXEC_MAX_VISITS_PER_SAMPLE 8

/* What one process found of one kernel. */
typedef struct nw_exec_reading {
    double min_us, median_us;
    bool is_timed;
    char reason[NW_EXEC_TEXT], impl[NW_EXEC_TEXT];
} nw_exec_reading;

double nw_exec_least(const double *visits, int n);

/* Means of n_mean neighbours are the samples; changes visits. */
void nw_exec_read_visits(double *visits, int n_visits, int n_mean, nw_exec_reading *out);

/* readings[p * stride] is what process p found. */
void nw_exec_sum_up(const nw_exec_reading *readings, int stride, int n_processes,
                    nw_exec_timing *out);

/* ---- process.c: work in processes of its own ---- */

/* Shared by the parent and the process at work. */
typedef struct nw_exec_board {
    _Atomic int64_t done;  /* of total, over all processes */
    _Atomic int64_t pulse; /* moves while there is life */
    pid_t parent;
    nw_error error; /* status not NW_OK: what went wrong */
} nw_exec_board;

typedef struct nw_exec_work {
    /* In a process of its own, on its only thread. Results go to shared memory, failures to
     * board->error. */
    void (*run)(void *context, int process, nw_exec_board *board);
    void *context;
    int n_processes;
    int64_t total; /* what board->done counts up to */
} nw_exec_work;

/* Runs the work in one process after the other. A process that dies, or shows no pulse for two
 * minutes, is an error. */
NW_CHECKED nw_status nw_exec_in_processes(const nw_exec_work *work, const nw_exec_watch *watch,
                                          nw_error *err);

/* Shows that there is life. */
void nw_exec_beat(nw_exec_board *board);

/* Ends this process if its parent is gone: nobody waits for the result. */
void nw_exec_leave_if_alone(const nw_exec_board *board);

/* Zeroed memory that processes share. NULL: the system has none to give. */
void *nw_exec_share(size_t n_bytes);
void nw_exec_unshare(void *memory, size_t n_bytes);

/* Threads of this process, 0 where the system does not tell. */
int nw_exec_count_threads(void);

#endif
