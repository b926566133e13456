/* text.h - text that grows, and text from files made safe to show.
 */
#ifndef NW_TEXT_H
#define NW_TEXT_H

#include <stdarg.h>
#include <stddef.h>

#include "src/base/error.h"

/* A growing, always terminated string. Zero-initialise; nw_buf_fini releases. */
typedef struct nw_buf {
    char *text; /* NULL while empty and never written; use nw_buf_text */
    size_t length;
    size_t capacity;
} nw_buf;

void nw_buf_add(nw_buf *buf, const char *bytes, size_t n_bytes);
void nw_buf_puts(nw_buf *buf, const char *text);
void nw_buf_printf(nw_buf *buf, const char *format, ...) NW_PRINTF(2, 3);

/* A finite number with the fewest digits (15 or 17) that read back exactly, in any locale. */
void nw_buf_double(nw_buf *buf, double value);

/* text in JSON's double quotes; it must be UTF-8. */
void nw_buf_json_string(nw_buf *buf, const char *text);

const char *nw_buf_text(const nw_buf *buf); /* "" for an empty one */
void nw_buf_clear(nw_buf *buf);
void nw_buf_fini(nw_buf *buf);

/* Copies text with control characters, escapes, DEL, C1 controls, orders to write backwards, and
 * bytes that are not UTF-8 shown as \xNN, cut at a character border to fit size (which must be at
 * least 1). Names from files go through here before they reach a terminal. Returns dst. */
char *nw_text_visible(const char *text, char *dst, size_t size);

/* Copies text, cutting the middle out with "..." at character borders when it does not fit size
 * (at least 1). Returns dst. */
char *nw_text_fit(const char *text, char *dst, size_t size);

#endif
