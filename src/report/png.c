/* png.c - a picture as PNG (W3C, Portable Network Graphics, third edition) in base64 (RFC 4648): a
 * palette, and deflate's stored blocks (RFC 1951), so that no compressor is needed.
 */
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/internal.h"

enum { MAX_STORED = 65535 };

static void put_u32(nw_buf *out, uint32_t value)
{
    char bytes[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};
    nw_buf_add(out, bytes, 4);
}

/* The checksum of ISO 3309 that PNG asks for, over text from a position on. */
static uint32_t checksum(const char *text, size_t n)
{
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        c ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
    }
    return ~c;
}

static void put_chunk(nw_buf *out, const char *type, const void *bytes, size_t n)
{
    put_u32(out, (uint32_t)n);
    size_t start = out->length;
    nw_buf_add(out, type, 4);
    nw_buf_add(out, bytes, n);
    put_u32(out, checksum(out->text + start, n + 4));
}

/* Rows with a filter byte each, in zlib's frame (RFC 1950) around stored blocks. */
static void put_pixels(nw_buf *out, const uint8_t *pixels, int width, int height)
{
    size_t n = ((size_t)width + 1) * (size_t)height;
    uint8_t *raw = nw_zalloc(n + 1);
    nw_buf data = {0};
    uint32_t a = 1, b = 0;
    for (int y = 0; y < height; y++)
        memcpy(raw + (size_t)y * ((size_t)width + 1) + 1, pixels + (size_t)y * (size_t)width,
               (size_t)width);
    for (size_t i = 0; i < n; i++) {
        a = (a + raw[i]) % 65521;
        b = (b + a) % 65521;
    }
    nw_buf_add(&data, "\x78\x01", 2);
    for (size_t at = 0; at < n; at += MAX_STORED) {
        size_t part = n - at < MAX_STORED ? n - at : MAX_STORED;
        char head[5] = {at + part == n, (char)part, (char)(part >> 8), (char)~part,
                        (char)(~part >> 8)};
        nw_buf_add(&data, head, 5);
        nw_buf_add(&data, (const char *)raw + at, part);
    }
    put_u32(&data, b << 16 | a);
    put_chunk(out, "IDAT", data.text, data.length);
    nw_buf_fini(&data);
    free(raw);
}

static void put_base64(nw_buf *out, const char *text, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned char bytes[3] = {0};
        memcpy(bytes, text + i, n - i < 3 ? n - i : 3);
        uint32_t v = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63], digits[v >> 6 & 63], digits[v & 63]};
        if (n - i < 3)
            four[3] = '=';
        if (n - i < 2)
            four[2] = '=';
        nw_buf_add(out, four, 4);
    }
}

void nw_png_base64(const uint8_t *pixels, int width, int height, const uint8_t *palette,
                   int n_colours, nw_buf *out)
{
    nw_buf png = {0}, head = {0};
    put_u32(&head, (uint32_t)width);
    put_u32(&head, (uint32_t)height);
    nw_buf_add(&head, "\x08\x03\0\0\0", 5); /* 8 bits, palette, not interlaced */
    nw_buf_add(&png, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&png, "IHDR", head.text, head.length);
    put_chunk(&png, "PLTE", palette, (size_t)n_colours * 3);
    put_pixels(&png, pixels, width, height);
    put_chunk(&png, "IEND", "", 0);
    put_base64(out, png.text, png.length);
    nw_buf_fini(&png);
    nw_buf_fini(&head);
}
