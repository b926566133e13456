/* signals.h - signals while the workbench has the terminal.
 *
 * What can wait becomes a byte on a pipe that the frame polls. What cannot (a crash, an abort)
 * restores the terminal with strings made beforehand and goes on as it would have.
 */
#ifndef UI_SIGNALS_H
#define UI_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

enum {
    UI_SIGNAL_RESIZE = 1,  /* SIGWINCH, SIGCONT */
    UI_SIGNAL_STOP = 2,    /* SIGINT: Ctrl-C */
    UI_SIGNAL_SUSPEND = 4, /* SIGTSTP */
    UI_SIGNAL_LEAVE = 8    /* SIGTERM, SIGHUP, SIGQUIT */
};

/* leave: what a terminal has to get to be as before; modes: what it is set to. Both are copied. */
bool ui_signals_start(const char *leave, const struct termios *modes);
void ui_signals_stop(void); /* the handlers from before are back */

int ui_signals_fd(void);
unsigned ui_signals_take(void); /* UI_SIGNAL_*, or-ed; empties the pipe */
bool ui_signals_has_stop(void); /* SIGINT, or a signal to leave, that was not taken yet */
int ui_signals_number(void);    /* the signal that said to leave, or 0 */

#endif
