/* internal.h - between the commands.
 */
#ifndef NW_COMMAND_INTERNAL_H
#define NW_COMMAND_INTERNAL_H

#include "src/command/command.h"

int nw_command_estimate(nw_options *o);
int nw_command_hw(nw_options *o);
int nw_command_measure(nw_options *o);

/* Writes a result to path, "-" for stdout; says what went wrong and returns the exit status. */
int nw_command_write(const char *path, const nw_buf *buf);

#endif
