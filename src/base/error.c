#include "src/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/text.h"

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
    char clean_where[sizeof err->where];
    nw_text_visible(where ? where : "", clean_where, sizeof clean_where);
    err->status = status;
    memcpy(err->where, clean_where, sizeof err->where);
    nw_text_visible(raw, err->message, sizeof err->message);
    return status;
}

void nw_error_prefix(nw_error *err, const char *file)
{
    if (!err)
        return;
    char joined[2 * sizeof err->where + 4];
    char clean[sizeof err->where];
    nw_text_visible(file, clean, sizeof clean);
    snprintf(joined, sizeof joined, "%s%s%s", clean, err->where[0] ? ": " : "", err->where);
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
