/* pool.h - worker threads that run tasks beside the main thread.
 *
 * One thread, the owner, submits tasks and takes them back when they ended; a byte on a pipe wakes
 * its poll loop. A task gets immutable inputs and writes only to itself, so nothing is shared
 * unlocked; progress and cancel flags are C11 atomics. Workers start when there is work for them.
 */
#ifndef NW_POOL_H
#define NW_POOL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "src/base/error.h"

/* Set by the owner, looked at by workers. Zero-initialise. */
typedef struct nw_cancel {
    atomic_bool is_set;
} nw_cancel;

void nw_cancel_set(nw_cancel *cancel);
bool nw_cancel_is_set(const nw_cancel *cancel); /* NULL: false */

/* The first member of whatever the owner wants done. */
typedef struct nw_task {
    void (*run)(struct nw_task *task); /* on a worker */
    const nw_cancel *cancel;           /* set before the task starts: it is not run; may be NULL */
    bool was_run;                      /* when it comes back */
    struct nw_task *next;              /* the pool's */
} nw_task;

typedef struct nw_pool nw_pool;

/* n_workers: the most threads at a time; 0: one less than the processors, at least one. */
NW_CHECKED nw_status nw_pool_new(int n_workers, nw_pool **out, nw_error *err);

/* Lends the task to the pool until nw_pool_take returns it. If the system has no thread to give at
 * all, the task is run here and now. */
void nw_pool_submit(nw_pool *pool, nw_task *task);

/* A task that ended, in the order in which they did; NULL: none at the moment. Never blocks. */
nw_task *nw_pool_take(nw_pool *pool);

/* Readable as long as nw_pool_take has something to return. */
int nw_pool_wake_fd(const nw_pool *pool);

/* Waits for the tasks that are running; those not started come back from nw_pool_take with was_run
 * false. Nothing may be submitted afterwards. Set their cancel flags first to be quick. */
void nw_pool_stop(nw_pool *pool);

/* Stops it. Every task must have been taken back. NULL is fine. */
void nw_pool_free(nw_pool *pool);

#endif
