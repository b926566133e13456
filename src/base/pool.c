#include "src/base/pool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/arena.h"

typedef struct queue {
    nw_task *first, *last;
    int n;
} queue;

struct nw_pool {
    pthread_mutex_t lock; /* of everything below but the threads, which the owner alone sees */
    pthread_cond_t has_work;
    queue waiting, ended;
    int n_idle;
    bool is_stopping;
    int wake[2]; /* holds one byte as long as `ended` is not empty */
    pthread_t *threads;
    int n_threads, n_workers;
};

void nw_cancel_set(nw_cancel *cancel)
{
    atomic_store(&cancel->is_set, true);
}

bool nw_cancel_is_set(const nw_cancel *cancel)
{
    return cancel && atomic_load(&cancel->is_set);
}

static void push(queue *to, nw_task *task)
{
    task->next = NULL;
    if (to->last)
        to->last->next = task;
    else
        to->first = task;
    to->last = task;
    to->n++;
}

static nw_task *pop(queue *from)
{
    nw_task *task = from->first;
    if (!task)
        return NULL;
    from->first = task->next;
    if (!from->first)
        from->last = NULL;
    from->n--;
    task->next = NULL;
    return task;
}

/* With the lock held, so that the byte in the pipe and the queue always agree. The pipe is empty
 * then, so that the write never blocks. */
static void hand_back(nw_pool *pool, nw_task *task)
{
    bool was_empty = !pool->ended.first;
    push(&pool->ended, task);
    while (was_empty && write(pool->wake[1], "", 1) < 0 && errno == EINTR)
        ;
}

static void run_task(nw_task *task)
{
    task->was_run = !nw_cancel_is_set(task->cancel);
    if (task->was_run)
        task->run(task);
}

static void *work(void *context)
{
    nw_pool *pool = context;
    pthread_mutex_lock(&pool->lock);
    while (!pool->is_stopping) {
        nw_task *task = pop(&pool->waiting);
        if (!task) {
            pool->n_idle++;
            pthread_cond_wait(&pool->has_work, &pool->lock);
            pool->n_idle--;
            continue;
        }
        pthread_mutex_unlock(&pool->lock);
        run_task(task);
        pthread_mutex_lock(&pool->lock);
        hand_back(pool, task);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static bool make_wake_pipe(int wake[2])
{
    if (pipe(wake) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        fcntl(wake[i], F_SETFD, FD_CLOEXEC);
        fcntl(wake[i], F_SETFL, O_NONBLOCK);
    }
    return true;
}

nw_status nw_pool_new(int n_workers, nw_pool **out, nw_error *err)
{
    int wake[2];
    if (!make_wake_pipe(wake))
        return nw_fail(err, NW_IO, "", "no pipe for the background work: %s", strerror(errno));
    if (n_workers <= 0) {
        long n = sysconf(_SC_NPROCESSORS_ONLN) - 1;
        n_workers = n < 1 ? 1 : n > 256 ? 256 : (int)n;
    }
    nw_pool *pool = nw_zalloc(sizeof *pool);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->has_work, NULL);
    memcpy(pool->wake, wake, sizeof wake);
    pool->threads = nw_zalloc((size_t)n_workers * sizeof *pool->threads);
    pool->n_workers = n_workers;
    *out = pool;
    return NW_OK;
}

/* Signals are for the main thread: it sits in poll and owns the terminal. */
static void start_worker(nw_pool *pool)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(&pool->threads[pool->n_threads], NULL, work, pool) == 0)
        pool->n_threads++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void nw_pool_submit(nw_pool *pool, nw_task *task)
{
    task->was_run = false;
    pthread_mutex_lock(&pool->lock);
    assert(!pool->is_stopping);
    push(&pool->waiting, task);
    bool is_short_of_hands = pool->waiting.n > pool->n_idle;
    pthread_cond_signal(&pool->has_work);
    pthread_mutex_unlock(&pool->lock);
    if (is_short_of_hands && pool->n_threads < pool->n_workers)
        start_worker(pool);
    if (pool->n_threads)
        return;
    pthread_mutex_lock(&pool->lock);
    nw_task *own = pop(&pool->waiting);
    pthread_mutex_unlock(&pool->lock);
    run_task(own);
    pthread_mutex_lock(&pool->lock);
    hand_back(pool, own);
    pthread_mutex_unlock(&pool->lock);
}

nw_task *nw_pool_take(nw_pool *pool)
{
    char byte;
    pthread_mutex_lock(&pool->lock);
    nw_task *task = pop(&pool->ended);
    if (task && !pool->ended.first)
        while (read(pool->wake[0], &byte, 1) < 0 && errno == EINTR)
            ;
    pthread_mutex_unlock(&pool->lock);
    return task;
}

int nw_pool_wake_fd(const nw_pool *pool)
{
    return pool->wake[0];
}

void nw_pool_stop(nw_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->is_stopping = true;
    pthread_cond_broadcast(&pool->has_work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);
    pool->n_threads = 0;
    pthread_mutex_lock(&pool->lock);
    for (nw_task *task; (task = pop(&pool->waiting));)
        hand_back(pool, task);
    pthread_mutex_unlock(&pool->lock);
}

void nw_pool_free(nw_pool *pool)
{
    if (!pool)
        return;
    nw_pool_stop(pool);
    assert(!pool->ended.first);
    close(pool->wake[0]);
    close(pool->wake[1]);
    pthread_cond_destroy(&pool->has_work);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}
