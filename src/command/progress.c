/* How far a long command is, on stderr: a line that is written over where that is a terminal, a
 * JSON object a line with --progress=json, else nothing. Ctrl-C stops the work where it is safe. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/command/internal.h"

static nw_cancel stop; /* a signal handler has nowhere else to write */

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_stop(int signal_number)
{
    (void)signal_number;
    atomic_store(&stop.is_set, true);
}

const nw_cancel *nw_command_cancel(void)
{
    return &stop;
}

static bool show(void *context, const char *what, double done)
{
    nw_command_progress *p = context;
    double now = now_s(), left = done > 0 ? (now - p->began_s) * (1 - done) / done : 0;
    if (nw_cancel_is_set(&stop))
        return false;
    if ((!p->is_json && !isatty(STDERR_FILENO)) || now - p->shown_s < 0.1)
        return true;
    p->shown_s = now;
    p->is_shown = true;
    if (p->is_json)
        fprintf(stderr, "{\"what\":\"%s\",\"done\":%.4f,\"seconds_left\":%.1f}\n", what, done,
                left);
    else
        fprintf(stderr, "\r\033[Knasw: %s %3.0f %%, %.0f s left", what, 100 * done, left);
    return true;
}

void nw_command_progress_begin(nw_command_progress *p, const nw_options *o)
{
    *p = (nw_command_progress){.show = show,
                               .is_json = o->progress && strcmp(o->progress, "json") == 0,
                               .began_s = now_s()};
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void nw_command_progress_end(nw_command_progress *p)
{
    if (p->is_shown && !p->is_json)
        fprintf(stderr, "\r\033[K");
    p->is_shown = false;
}
