/* process.c - work in processes of its own, watched.
 *
 * Each process gets other pages, and with them other conflicts in the caches; and whatever goes
 * wrong in generated code stays in there.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/exec/internal.h"

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

#define TICK_MS     100   /* between looks at the process */
#define MAX_TICK_US 10e6  /* that count as one */
#define PATIENCE_US 120e6 /* without a pulse */

void *nw_exec_share(size_t n_bytes)
{
    void *memory = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void nw_exec_beat(nw_exec_board *board)
{
    atomic_fetch_add(&board->pulse, 1);
}

void nw_exec_leave_if_alone(const nw_exec_board *board)
{
    if (getppid() != board->parent)
        _exit(1);
}

void nw_exec_unshare(void *memory, size_t n_bytes)
{
    if (memory)
        munmap(memory, n_bytes);
}

int nw_exec_count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int n = 0;
    if (!folder)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(folder);
    return n;
}

/* The process at work. pipe closes when it ends, which wakes the parent. */
typedef struct child {
    pid_t pid;
    int pipe;
} child;

static _Noreturn void work_alone(const nw_exec_work *work, int process, nw_exec_board *board)
{
    nw_set_die_hook(NULL);    /* the terminal is the parent's */
    signal(SIGINT, SIG_IGN);  /* so is what the user interrupts */
    signal(SIGTERM, SIG_DFL); /* a handler of the parent's has no business here */
    signal(SIGHUP, SIG_DFL);
    signal(SIGWINCH, SIG_DFL);
    nw_exec_ignore_denormals();
    int n_threads = nw_exec_count_threads(); /* one, but for what a sanitizer has */
    work->run(work->context, process, board);
    n_threads = nw_exec_count_threads() - n_threads;
    if (n_threads > 0 && board->error.status == NW_OK)
        (void)nw_fail(&board->error, NW_UNSUPPORTED, "oneDNN",
                      "started %d threads beside the one it was asked to run on", n_threads);
    _exit(0);
}

static nw_status start(const nw_exec_work *work, int process, nw_exec_board *board, child *out,
                       nw_error *err)
{
    int ends[2];
    if (pipe(ends) != 0)
        return nw_fail(err, NW_IO, "", "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        work_alone(work, process, board);
    }
    int problem = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return nw_fail(err, NW_IO, "", "cannot start a process: %s", strerror(problem));
    }
    *out = (child){pid, ends[0]};
    return NW_OK;
}

/* Waits for the end of the process, killing it first if it is still at work. */
static nw_status finish(const child *c, bool is_over, const nw_exec_board *board, nw_error *err)
{
    int status = 0;
    pid_t got;
    if (!is_over)
        kill(c->pid, SIGKILL);
    while ((got = waitpid(c->pid, &status, 0)) < 0 && errno == EINTR)
        ;
    close(c->pipe);
    if (!is_over)
        return NW_OK; /* the caller knows why */
    if (board->error.status != NW_OK) {
        if (err)
            *err = board->error;
        return board->error.status;
    }
    if (got == c->pid && WIFSIGNALED(status))
        return nw_fail(err, NW_IO, "oneDNN", "the process that ran the kernels died of signal %d",
                       WTERMSIG(status));
    if (got != c->pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return nw_fail(err, NW_IO, "oneDNN", "the process that ran the kernels got lost");
    return NW_OK;
}

static bool is_stopped(const nw_exec_watch *watch, int64_t done, int64_t total, double elapsed_s)
{
    if (!watch)
        return false;
    if (watch->cancel && nw_cancel_is_set(watch->cancel))
        return true;
    double left = done > 0 ? elapsed_s * (double)(total - done) / (double)done : -1;
    return watch->progress && !watch->progress(watch->context, done, total, left);
}

static nw_status watch_one(const nw_exec_work *work, const child *c, nw_exec_board *board,
                           const nw_exec_watch *watch, double begin_us, nw_error *err)
{
    int64_t pulse = -1;
    double silent_us = 0, looked_us = nw_exec_now_us();
    for (;;) {
        struct pollfd ends = {.fd = c->pipe, .events = POLLIN};
        int n = poll(&ends, 1, TICK_MS);
        double now_us = nw_exec_now_us(), tick_us = now_us - looked_us;
        int64_t done = atomic_load(&board->done), beat = atomic_load(&board->pulse);
        if (n > 0)
            return finish(c, true, board, err);
        /* A long tick: both were suspended. */
        silent_us = beat != pulse ? 0 : silent_us + (tick_us < MAX_TICK_US ? tick_us : 0);
        pulse = beat;
        looked_us = now_us;
        bool is_stuck = silent_us > PATIENCE_US;
        if (!is_stuck && !is_stopped(watch, done, work->total, (now_us - begin_us) / 1e6))
            continue;
        (void)finish(c, false, board, err);
        if (is_stuck)
            return nw_fail(err, NW_LIMIT, "oneDNN", "a kernel has been running for two minutes");
        return nw_fail(err, NW_CANCELLED, "", "stopped");
    }
}

nw_status nw_exec_in_processes(const nw_exec_work *work, const nw_exec_watch *watch, nw_error *err)
{
    nw_exec_board *board = nw_exec_share(sizeof *board);
    if (!board)
        return nw_fail(err, NW_IO, "", "cannot share memory with a process: %s", strerror(errno));
    board->parent = getpid();
    double begin_us = nw_exec_now_us();
    nw_status status = NW_OK;
    for (int p = 0; p < work->n_processes && status == NW_OK; p++) {
        child c = {0};
        double elapsed_s = (nw_exec_now_us() - begin_us) / 1e6;
        if (is_stopped(watch, atomic_load(&board->done), work->total, elapsed_s)) {
            status = nw_fail(err, NW_CANCELLED, "", "stopped");
            break;
        }
        status = start(work, p, board, &c, err);
        if (status == NW_OK)
            status = watch_one(work, &c, board, watch, begin_us, err);
    }
    nw_exec_unshare(board, sizeof *board);
    return status;
}
