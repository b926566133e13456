/* support_term.h - a program in a pseudo-terminal, its screen read back cell by cell.
 *
 * Waiting ends when the screen shows what is waited for; the limit is only there so that a broken
 * program fails the test.
 */
#ifndef NW_TESTS_SUPPORT_TERM_H
#define NW_TESTS_SUPPORT_TERM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct terminal terminal;

typedef struct terminal_cell {
    uint32_t glyph;       /* 0: nothing was ever written there */
    int red, green, blue; /* of the foreground; -1: the default */
    bool bold, reverse, underline;
} terminal_cell;

/* Starts words (NULL-terminated; the first is the program) with nothing in its environment but
 * environment ("TERM=xterm-256color", NULL-terminated), PATH and a home folder of its own, which is
 * also where it runs. */
terminal *terminal_start(int rows, int columns, const char *const *environment,
                         const char *const *words);
/* The same for a function of this program, in this folder. */
terminal *terminal_start_function(int rows, int columns, const char *const *environment,
                                  int (*run)(void *context), void *context);
void terminal_free(terminal *t); /* kills what still runs */

const char *nasw_program(void); /* $NASW_BIN, default build/nasw */

void terminal_send(terminal *t, const char *bytes);
void terminal_resize(terminal *t, int rows, int columns);
void terminal_signal(terminal *t, int number);
/* Closes the terminal under the program. */
void terminal_hang_up(terminal *t);

/* False after half a minute without it. */
bool terminal_wait_for(terminal *t, const char *text);
bool terminal_wait_gone(terminal *t, const char *text);
/* Until the program has been silent for a while. */
void terminal_settle(terminal *t);

/* The screen as text, a line a row, trailing blanks cut; lives until the next call. */
const char *terminal_text(terminal *t);
const char *terminal_row(terminal *t, int row);
terminal_cell terminal_cell_at(terminal *t, int row, int column);
uint64_t terminal_hash(terminal *t);                  /* of every cell with its attributes */
bool terminal_wait_other(terminal *t, uint64_t hash); /* until it is not that any more */
bool terminal_has_mouse(const terminal *t); /* whether the program asked for mouse events */
/* Where text begins; false: nowhere. */
bool terminal_find(terminal *t, const char *text, int *row, int *column);

/* Waits for the end; exit status, or 256 + the signal that ended it; -1: it did not end. */
int terminal_finish(terminal *t);
/* Whether the modes are those from before the start, the alternate screen left, the cursor seen,
 * the mouse and pastes as ever. Prints what is not. */
bool terminal_is_restored(terminal *t);

#endif
