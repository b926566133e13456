#include "src/base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"

void nw_buf_add(nw_buf *buf, const char *bytes, size_t n_bytes)
{
    if (buf->capacity - buf->length <= n_bytes) {
        size_t capacity = buf->capacity ? buf->capacity : 128;
        while (capacity - buf->length <= n_bytes)
            capacity *= 2;
        buf->text = nw_realloc(buf->text, capacity);
        buf->capacity = capacity;
    }
    if (n_bytes)
        memcpy(buf->text + buf->length, bytes, n_bytes);
    buf->length += n_bytes;
    buf->text[buf->length] = '\0';
}

void nw_buf_puts(nw_buf *buf, const char *text)
{
    nw_buf_add(buf, text, strlen(text));
}

void nw_buf_printf(nw_buf *buf, const char *format, ...)
{
    char small[256];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (length < (int)sizeof small) {
        nw_buf_add(buf, small, (size_t)length);
        return;
    }
    char *large = nw_alloc((size_t)length + 1);
    va_start(args, format);
    vsnprintf(large, (size_t)length + 1, format, args);
    va_end(args);
    nw_buf_add(buf, large, (size_t)length);
    free(large);
}

void nw_buf_double(nw_buf *buf, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    for (char *s = text; *s; s++)
        if (*s == ',')
            *s = '.';
    nw_buf_puts(buf, text);
}

void nw_buf_json_string(nw_buf *buf, const char *text)
{
    nw_buf_add(buf, "\"", 1);
    for (const char *s = text; *s; s++) {
        if (*s == '"' || *s == '\\')
            nw_buf_printf(buf, "\\%c", *s);
        else if ((unsigned char)*s < 0x20 || *s == 0x7f)
            nw_buf_printf(buf, "\\u%04x", *s);
        else
            nw_buf_add(buf, s, 1);
    }
    nw_buf_add(buf, "\"", 1);
}

const char *nw_buf_text(const nw_buf *buf)
{
    return buf->text ? buf->text : "";
}

void nw_buf_clear(nw_buf *buf)
{
    buf->length = 0;
    if (buf->text)
        buf->text[0] = '\0';
}

void nw_buf_fini(nw_buf *buf)
{
    free(buf->text);
    *buf = (nw_buf){0};
}

/* Length of the well-formed, printable UTF-8 sequence at s, or 0. */
static size_t utf8_length(const unsigned char *s)
{
    if (s[0] >= 0x20 && s[0] < 0x7f)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf && (s[1] & 0xc0) == 0x80) {
        bool is_c1 = s[0] == 0xc2 && s[1] < 0xa0;    /* terminal commands */
        bool is_mark = s[0] == 0xd8 && s[1] == 0x9c; /* Arabic letter mark, see below */
        return is_c1 || is_mark ? 0 : 2;
    }
    if ((s[0] & 0xf0) == 0xe0 && (s[1] & 0xc0) == 0x80 && (s[2] & 0xc0) == 0x80) {
        unsigned code = (unsigned)(s[0] & 15) << 12 | (unsigned)(s[1] & 63) << 6 | (s[2] & 63u);
        if (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))
            return 0;
        /* Bidirectional overrides, isolates and marks reorder what a person reads. */
        if (code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
            (code >= 0x2066 && code <= 0x2069) || code == 0x2028 || code == 0x2029)
            return 0;
        return 3;
    }
    if (s[0] >= 0xf0 && s[0] <= 0xf4 && (s[1] & 0xc0) == 0x80 && (s[2] & 0xc0) == 0x80 &&
        (s[3] & 0xc0) == 0x80) {
        unsigned code = (unsigned)(s[0] & 7) << 18 | (unsigned)(s[1] & 63) << 12;
        return code < 0x10000 || code >= 0x110000 ? 0 : 4;
    }
    return 0;
}

char *nw_text_visible(const char *text, char *dst, size_t size)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t at = 0;
    while (*s) {
        size_t n = utf8_length(s);
        char escape[8];
        const char *piece = (const char *)s;
        size_t piece_length = n;
        if (n == 0) {
            piece_length = (size_t)snprintf(escape, sizeof escape, "\\x%02x", *s);
            piece = escape;
            n = 1;
        }
        if (at + piece_length + 1 > size)
            break;
        memcpy(dst + at, piece, piece_length);
        at += piece_length;
        s += n;
    }
    dst[at] = '\0';
    return dst;
}

static bool is_inside_character(const char *at)
{
    return ((unsigned char)*at & 0xc0) == 0x80;
}

char *nw_text_fit(const char *text, char *dst, size_t size)
{
    size_t length = strlen(text);
    if (length < size) {
        memcpy(dst, text, length + 1);
        return dst;
    }
    size_t dots = size < 8 ? 0 : 3;
    size_t head = dots ? (size - 1 - dots) / 2 : size - 1;
    size_t tail = dots ? length - (size - 1 - dots - head) : length;
    while (head && is_inside_character(text + head))
        head--;
    while (is_inside_character(text + tail)) /* ends at the terminator */
        tail++;
    memcpy(dst, text, head);
    memcpy(dst + head, "...", dots);
    memcpy(dst + head + dots, text + tail, length - tail + 1);
    return dst;
}
