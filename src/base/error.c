#include "src/base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/text.h"

#define MAX_WHERE_BYTES 4096 /* paths are cut to fit, their middle first */

static void (*die_hook)(void);

nw_status nw_fail(nw_error *err, nw_status status, const char *where, const char *format, ...)
{
    if (!err)
        return status;
    char raw[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    char clean_where[MAX_WHERE_BYTES]; /* first: where may be err->where */
    nw_text_visible(where ? where : "", clean_where, sizeof clean_where);
    err->status = status;
    nw_text_fit(clean_where, err->where, sizeof err->where);
    nw_text_visible(raw, err->message, sizeof err->message);
    return status;
}

void nw_error_prefix(nw_error *err, const char *file)
{
    if (!err)
        return;
    char clean[MAX_WHERE_BYTES], place[sizeof err->where], shown[sizeof err->where];
    nw_text_visible(file, clean, sizeof clean);
    bool is_long = strlen(clean) + 2 + strlen(err->where) >= sizeof err->where;
    nw_text_fit(err->where, place, is_long ? sizeof place / 2 : sizeof place);
    nw_text_fit(clean, shown, sizeof shown - 2 - strlen(place));
    char joined[2 * sizeof err->where + 4];
    snprintf(joined, sizeof joined, "%s%s%s", shown, place[0] ? ": " : "", place);
    nw_text_fit(joined, err->where, sizeof err->where);
}

_Noreturn void nw_die(const char *format, ...)
{
    if (die_hook)
        die_hook();
    va_list args;
    va_start(args, format);
    fputs("nasw: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void nw_set_die_hook(void (*hook)(void))
{
    die_hook = hook;
}
