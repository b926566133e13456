/* The worker pool: every task comes back once, cancelled ones do not start, the wake pipe tells the
 * truth. What is expected follows from the header alone. */
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "src/base/pool.h"

typedef struct number_task {
    nw_task task; /* first */
    int input, square;
    int n_times_back;
} number_task;

static void square(nw_task *task)
{
    number_task *t = (number_task *)task;
    t->square = t->input * t->input;
}

static nw_pool *make_pool(int n_workers)
{
    nw_error err;
    nw_pool *pool = NULL;
    if (nw_pool_new(n_workers, &pool, &err) != NW_OK)
        ck_abort_msg("%s", err.message);
    return pool;
}

static bool is_readable(const nw_pool *pool, int timeout_ms)
{
    struct pollfd fd = {.fd = nw_pool_wake_fd(pool), .events = POLLIN};
    return poll(&fd, 1, timeout_ms) == 1;
}

static nw_task *wait_for_task(nw_pool *pool)
{
    ck_assert(is_readable(pool, -1));
    nw_task *task = nw_pool_take(pool);
    ck_assert_ptr_nonnull(task);
    return task;
}

START_TEST(every_task_comes_back_once_with_any_number_of_workers)
{
    static const int n_workers[] = {0, 1, 2, 7};
    enum { N = 500 };
    static number_task tasks[N];
    nw_pool *pool = make_pool(n_workers[_i]);
    for (int i = 0; i < N; i++) {
        tasks[i] = (number_task){.task.run = square, .input = i};
        nw_pool_submit(pool, &tasks[i].task);
    }
    for (int i = 0; i < N; i++) {
        number_task *t = (number_task *)wait_for_task(pool);
        ck_assert(t->task.was_run);
        ck_assert_int_eq(t->square, t->input * t->input);
        ck_assert_int_eq(t->n_times_back++, 0);
    }
    ck_assert_ptr_null(nw_pool_take(pool));
    nw_pool_free(pool);
}
END_TEST

START_TEST(one_worker_hands_back_in_the_order_of_submission)
{
    number_task tasks[20];
    nw_pool *pool = make_pool(1);
    for (int i = 0; i < 20; i++) {
        tasks[i] = (number_task){.task.run = square, .input = i};
        nw_pool_submit(pool, &tasks[i].task);
    }
    for (int i = 0; i < 20; i++)
        ck_assert_ptr_eq(wait_for_task(pool), &tasks[i].task);
    nw_pool_free(pool);
}
END_TEST

/* Waits for its flag, so that the test decides when it ends. */
typedef struct gate_task {
    nw_task task;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool is_begun, is_open;
} gate_task;

static void pass_gate(nw_task *task)
{
    gate_task *t = (gate_task *)task;
    pthread_mutex_lock(&t->lock);
    t->is_begun = true;
    pthread_cond_broadcast(&t->moved);
    while (!t->is_open)
        pthread_cond_wait(&t->moved, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

static void begin_gate(nw_pool *pool, gate_task *t)
{
    *t = (gate_task){.task.run = pass_gate};
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->moved, NULL);
    nw_pool_submit(pool, &t->task);
    pthread_mutex_lock(&t->lock);
    while (!t->is_begun)
        pthread_cond_wait(&t->moved, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

static void open_gate(gate_task *t)
{
    pthread_mutex_lock(&t->lock);
    t->is_open = true;
    pthread_cond_broadcast(&t->moved);
    pthread_mutex_unlock(&t->lock);
}

START_TEST(a_task_cancelled_before_its_turn_is_not_run)
{
    gate_task gate;
    nw_cancel cancel = {0};
    number_task other = {.task = {.run = square, .cancel = &cancel}, .input = 3};
    nw_pool *pool = make_pool(1);
    begin_gate(pool, &gate);
    nw_pool_submit(pool, &other.task);
    nw_cancel_set(&cancel);
    open_gate(&gate);
    ck_assert_ptr_eq(wait_for_task(pool), &gate.task);
    ck_assert_ptr_eq(wait_for_task(pool), &other.task);
    ck_assert(gate.task.was_run);
    ck_assert(!other.task.was_run);
    ck_assert_int_eq(other.square, 0);
    nw_pool_free(pool);
}
END_TEST

START_TEST(the_wake_pipe_is_readable_exactly_while_something_ended)
{
    gate_task gate;
    number_task tasks[3];
    nw_pool *pool = make_pool(1);
    ck_assert(!is_readable(pool, 0));
    begin_gate(pool, &gate);
    ck_assert(!is_readable(pool, 0));
    for (int i = 0; i < 3; i++) {
        tasks[i] = (number_task){.task.run = square};
        nw_pool_submit(pool, &tasks[i].task);
    }
    open_gate(&gate);
    for (int i = 0; i < 4; i++)
        wait_for_task(pool);
    ck_assert(!is_readable(pool, 0));
    ck_assert_ptr_null(nw_pool_take(pool));
    nw_pool_free(pool);
}
END_TEST

START_TEST(stopping_gives_back_every_task_run_or_not)
{
    enum { N = 100 };
    static number_task tasks[N];
    nw_cancel cancel = {0};
    nw_pool *pool = make_pool(2);
    for (int i = 0; i < N; i++) {
        tasks[i] = (number_task){.task = {.run = square, .cancel = &cancel}, .input = 2};
        nw_pool_submit(pool, &tasks[i].task);
    }
    nw_cancel_set(&cancel);
    nw_pool_stop(pool);
    for (int i = 0; i < N; i++) {
        number_task *t = (number_task *)nw_pool_take(pool);
        ck_assert_ptr_nonnull(t);
        ck_assert_int_eq(t->square, t->task.was_run ? 4 : 0);
        ck_assert_int_eq(t->n_times_back++, 0);
    }
    ck_assert_ptr_null(nw_pool_take(pool));
    nw_pool_free(pool);
}
END_TEST

typedef struct signal_task {
    nw_task task;
    sigset_t blocked;
} signal_task;

static void look_at_signals(nw_task *task)
{
    pthread_sigmask(SIG_BLOCK, NULL, &((signal_task *)task)->blocked);
}

/* The main thread owns the terminal, so a resize or Ctrl-C must find it and nobody else. */
START_TEST(signals_are_not_for_workers)
{
    signal_task t = {.task.run = look_at_signals};
    nw_pool *pool = make_pool(1);
    nw_pool_submit(pool, &t.task);
    wait_for_task(pool);
    ck_assert(sigismember(&t.blocked, SIGINT) == 1);
    ck_assert(sigismember(&t.blocked, SIGWINCH) == 1);
    sigset_t own;
    pthread_sigmask(SIG_BLOCK, NULL, &own);
    ck_assert(sigismember(&own, SIGINT) == 0);
    nw_pool_free(pool);
}
END_TEST

START_TEST(a_pool_that_was_never_used_ends)
{
    nw_pool_free(make_pool(4));
    nw_pool_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool");
    TCase *tc = tcase_create("pool");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_task_comes_back_once_with_any_number_of_workers, 0, 4);
    tcase_add_test(tc, one_worker_hands_back_in_the_order_of_submission);
    tcase_add_test(tc, a_task_cancelled_before_its_turn_is_not_run);
    tcase_add_test(tc, the_wake_pipe_is_readable_exactly_while_something_ended);
    tcase_add_test(tc, stopping_gives_back_every_task_run_or_not);
    tcase_add_test(tc, signals_are_not_for_workers);
    tcase_add_test(tc, a_pool_that_was_never_used_ends);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
