#include "ui/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { FATAL, LATER };

static const struct {
    int number, kind;
    char byte;
} rows[] = {
    {SIGWINCH, LATER, 'r'}, {SIGCONT, LATER, 'r'}, {SIGINT, LATER, 'i'},  {SIGTSTP, LATER, 'z'},
    {SIGTERM, LATER, 'q'},  {SIGHUP, LATER, 'q'},  {SIGQUIT, LATER, 'q'}, {SIGSEGV, FATAL, 0},
    {SIGBUS, FATAL, 0},     {SIGFPE, FATAL, 0},    {SIGILL, FATAL, 0},    {SIGABRT, FATAL, 0},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

/* Handlers take no argument of ours, so what they need stands here. */
static struct {
    bool is_on;
    int pipe[2];
    volatile sig_atomic_t leaving, has_stop;
    char leave[512];
    size_t n_leave;
    struct termios modes;
    struct sigaction before[N_ROWS];
    char stack[65536]; /* a stack overflow has no other */
} state = {.pipe = {-1, -1}};

static void restore_terminal(void)
{
    if (write(STDOUT_FILENO, state.leave, state.n_leave) < 0) {
        /* nobody is there to see it */
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &state.modes);
}

static void handle_later(int number)
{
    int old_errno = errno;
    char byte = 0;
    for (int i = 0; i < N_ROWS; i++)
        if (rows[i].number == number)
            byte = rows[i].byte;
    if (byte == 'q') {
        if (state.leaving) { /* asked twice: the loop does not get to it */
            restore_terminal();
            _exit(128 + number);
        }
        state.leaving = number;
    }
    if (byte == 'i' || byte == 'q')
        state.has_stop = 1;
    if (write(state.pipe[1], &byte, 1) < 0) {
        /* full: a wake-up is under way already */
    }
    errno = old_errno;
}

static void handle_fatal(int number)
{
    restore_terminal();
    for (int i = 0; i < N_ROWS; i++)
        if (rows[i].number == number)
            sigaction(number, &state.before[i], NULL);
    raise(number); /* comes when this handler returns, to whoever had it before */
}

static bool open_pipe(void)
{
    if (pipe(state.pipe) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        fcntl(state.pipe[i], F_SETFL, O_NONBLOCK);
        fcntl(state.pipe[i], F_SETFD, FD_CLOEXEC);
    }
    return true;
}

bool ui_signals_start(const char *leave, const struct termios *modes)
{
    stack_t stack = {.ss_sp = state.stack, .ss_size = sizeof state.stack}, old;
    state.n_leave = strnlen(leave, sizeof state.leave);
    memcpy(state.leave, leave, state.n_leave);
    state.modes = *modes;
    state.leaving = state.has_stop = 0;
    if (!open_pipe())
        return false;
    if (sigaltstack(NULL, &old) == 0 && old.ss_flags & SS_DISABLE)
        sigaltstack(&stack, NULL);
    for (int i = 0; i < N_ROWS; i++) {
        struct sigaction action = {0};
        sigfillset(&action.sa_mask);
        action.sa_handler = rows[i].kind == FATAL ? handle_fatal : handle_later;
        action.sa_flags = rows[i].kind == FATAL ? SA_ONSTACK : SA_RESTART;
        sigaction(rows[i].number, &action, &state.before[i]);
    }
    state.is_on = true;
    return true;
}

void ui_signals_stop(void)
{
    if (!state.is_on)
        return;
    for (int i = 0; i < N_ROWS; i++)
        sigaction(rows[i].number, &state.before[i], NULL);
    close(state.pipe[0]);
    close(state.pipe[1]);
    state.pipe[0] = state.pipe[1] = -1;
    state.is_on = false;
}

int ui_signals_fd(void)
{
    return state.pipe[0];
}

unsigned ui_signals_take(void)
{
    unsigned seen = 0;
    char bytes[64];
    ssize_t n;
    state.has_stop = 0; /* before the bytes are read: what comes now is seen again */
    while ((n = read(state.pipe[0], bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < n; i++)
            seen |= bytes[i] == 'r'   ? UI_SIGNAL_RESIZE
                    : bytes[i] == 'i' ? UI_SIGNAL_STOP
                    : bytes[i] == 'z' ? UI_SIGNAL_SUSPEND
                                      : UI_SIGNAL_LEAVE;
    return seen;
}

bool ui_signals_has_stop(void)
{
    return state.has_stop != 0;
}

int ui_signals_number(void)
{
    return state.leaving;
}
