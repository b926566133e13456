/* error.h - how a function of the core says that something in the outside world is wrong.
 *
 * A bug is an assert, memory running out is nw_die(), a network that does not fit its hardware is
 * ordinary data. Everything else, bad files and bad input above all, is an nw_status that the
 * caller must look at and an nw_error that a person can act on.
 */
#ifndef NW_ERROR_H
#define NW_ERROR_H

#include <stddef.h>

typedef enum nw_status {
    NW_OK = 0,
    NW_INVALID,     /* the input breaks its format's or our rules */
    NW_UNSUPPORTED, /* the input is fine, we cannot handle it */
    NW_IO,          /* the operating system said no */
    NW_LIMIT,       /* would need more memory or time than we allow */
    NW_CANCELLED,
} nw_status;

/* One line for a person: "<where>: <message>". Both fields hold printable text only: control
 * characters from files are replaced by visible escapes when the error is made. */
typedef struct nw_error {
    nw_status status;
    char where[192]; /* file, node, tensor, key or line; may be empty */
    char message[384];
} nw_error;

#define NW_CHECKED                    __attribute__((warn_unused_result))
#define NW_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

/* Fills err (may be NULL) and returns status, so that callers can `return nw_fail(...)`.
 * where may be NULL. */
nw_status nw_fail(nw_error *err, nw_status status, const char *where, const char *format, ...)
    NW_PRINTF(4, 5);

/* Puts "file: " in front of err->where, for a reader that knows the file only on the way out. */
void nw_error_prefix(nw_error *err, const char *file);

/* For what nobody can handle: prints the message, calls the hook, exits with status 1. */
_Noreturn void nw_die(const char *format, ...) NW_PRINTF(1, 2);

/* The hook restores the terminal; called by nw_die before it prints. NULL: none. */
void nw_set_die_hook(void (*hook)(void));

#endif
