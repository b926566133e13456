#include "src/estimator/scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NESTING = 64, MAX_INT_DIGITS = 18 };

bool nw_span_is(nw_span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.text, text, span.length) == 0;
}

void nw_scan_init(nw_scan *scan, const char *text, size_t n_bytes, nw_error *err)
{
    *scan = (nw_scan){.begin = text, .at = text, .end = text + n_bytes, .err = err};
}

void nw_scan_fail(nw_scan *scan, const char *wanted)
{
    if (scan->status != NW_OK)
        return;
    char where[40];
    snprintf(where, sizeof where, "byte %zu", (size_t)(scan->at - scan->begin));
    if (scan->at >= scan->end)
        scan->status = nw_fail(scan->err, NW_INVALID, where,
                               "the text ends where %s was expected; it is cut short", wanted);
    else
        scan->status = nw_fail(scan->err, NW_INVALID, where,
                               "'%c' is not JSON here, %s was expected", *scan->at, wanted);
    scan->at = scan->end;
}

static inline void skip_space(nw_scan *scan)
{
    if (scan->at<scan->end && * scan->at> ' ')
        return;
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

char nw_scan_peek(nw_scan *scan)
{
    skip_space(scan);
    return scan->at < scan->end ? *scan->at : '\0';
}

/* '\0' once something failed: at stands at the end then. */
static inline bool take(nw_scan *scan, char c)
{
    if (nw_scan_peek(scan) != c || scan->at >= scan->end)
        return false;
    scan->at++;
    return true;
}

void nw_scan_begin(nw_scan *scan, char bracket)
{
    if (!take(scan, bracket))
        nw_scan_fail(scan, bracket == '{' ? "an object" : "an array");
    scan->fresh = true;
}

/* Stands before the next element; false after the closing bracket, and after an error. */
static inline bool next_element(nw_scan *scan, char bracket)
{
    bool fresh = scan->fresh;
    scan->fresh = false;
    if (!fresh && scan->at < scan->end && *scan->at == ',') {
        scan->at++;
        return true;
    }
    if (take(scan, bracket))
        return false;
    if (!fresh && !take(scan, ','))
        nw_scan_fail(scan, bracket == '}' ? "',' or '}'" : "',' or ']'");
    return scan->status == NW_OK;
}

bool nw_scan_key(nw_scan *scan, nw_span *key)
{
    if (!next_element(scan, '}'))
        return false;
    *key = nw_scan_string(scan);
    if (!take(scan, ':'))
        nw_scan_fail(scan, "':'");
    return scan->status == NW_OK;
}

bool nw_scan_item(nw_scan *scan)
{
    return next_element(scan, ']');
}

/* ---- strings ---- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static void skip_escape(nw_scan *scan)
{
    scan->at++;
    if (scan->at >= scan->end || !strchr("\"\\/bfnrtu", *scan->at) || *scan->at == '\0') {
        nw_scan_fail(scan, "an escape");
        return;
    }
    if (*scan->at++ != 'u')
        return;
    for (int i = 0; i < 4; i++, scan->at++)
        if (scan->at >= scan->end || !is_hex(*scan->at)) {
            nw_scan_fail(scan, "four hexadecimal digits");
            return;
        }
}

nw_span nw_scan_string(nw_scan *scan)
{
    if (!take(scan, '"')) {
        nw_scan_fail(scan, "a string");
        return (nw_span){"", 0};
    }
    const char *first = scan->at;
    while (scan->at < scan->end && *scan->at != '"') {
        if ((unsigned char)*scan->at < ' ')
            nw_scan_fail(scan, "a string without control characters");
        else if (*scan->at == '\\')
            skip_escape(scan);
        else
            scan->at++;
    }
    const char *last = scan->at;
    if (!take(scan, '"')) {
        nw_scan_fail(scan, "the end of a string");
        return (nw_span){"", 0};
    }
    return (nw_span){first, (size_t)(last - first)};
}

/* ---- numbers ---- */

static bool is_digit(const nw_scan *scan)
{
    return scan->at < scan->end && (unsigned char)(*scan->at - '0') <= 9;
}

/* The next eight bytes, the first lowest, with digits as 0 to 9; at least eight must be there. */
static inline uint64_t load_eight(const char *text)
{
    const unsigned char *t = (const unsigned char *)text;
    uint64_t bytes = (uint64_t)t[0] | (uint64_t)t[1] << 8 | (uint64_t)t[2] << 16 |
                     (uint64_t)t[3] << 24 | (uint64_t)t[4] << 32 | (uint64_t)t[5] << 40 |
                     (uint64_t)t[6] << 48 | (uint64_t)t[7] << 56;
    return bytes ^ UINT64_C(0x3030303030303030);
}

/* How many of the eight are digits before the first that is none. A byte of 10 or more reaches
 * its highest bit; what it carries falls into later bytes only. */
static inline int count_digits(uint64_t eight)
{
    uint64_t others =
        ((eight + UINT64_C(0x7676767676767676)) | eight) & UINT64_C(0x8080808080808080);
    return others ? __builtin_ctzll(others) / 8 : 8;
}

/* The number that the first n (1 to 8) of the eight digits are: to pairs, to fours, to eight. */
static inline uint64_t join_digits(uint64_t eight, int n)
{
    const uint64_t pair = UINT64_C(0x00ff00ff00ff00ff), four = UINT64_C(0x0000ffff0000ffff);
    eight <<= 8 * (8 - n);
    eight = (eight & pair) * 10 + (eight >> 8 & pair);
    eight = (eight & four) * 100 + (eight >> 16 & four);
    return (eight & UINT64_C(0xffffffff)) * 10000 + (eight >> 32);
}

/* What a number's text says: digits x 10^exponent. */
typedef struct number {
    uint64_t digits; /* the first 18 that count */
    int exponent;
    int n_digits;           /* that count: from the first that is not 0 */
    bool negative, is_long; /* is_long: there are more digits than 18 */
    const char *text;       /* where it starts, and where its exponent starts */
    const char *text_end;
} number;

/* Digit by digit; exponent_step is -1 after the point. */
static void add_digits_slowly(nw_scan *scan, number *n, int exponent_step)
{
    for (; is_digit(scan); scan->at++) {
        if (n->n_digits == MAX_INT_DIGITS) {
            n->is_long = true;
            n->exponent += 1 + exponent_step;
            continue;
        }
        n->digits = n->digits * 10 + (unsigned)(*scan->at - '0');
        n->exponent += exponent_step;
        n->n_digits += n->digits != 0;
    }
}

static inline void add_digits(nw_scan *scan, number *n, int exponent_step)
{
    static const uint32_t powers[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    if (scan->end - scan->at >= 8 && (n->n_digits > 0 || *scan->at != '0')) {
        uint64_t eight = load_eight(scan->at);
        int count = count_digits(eight);
        if (count > 0 && n->n_digits + count <= MAX_INT_DIGITS) {
            n->digits = n->digits * powers[count] + join_digits(eight, count);
            n->exponent += exponent_step * count;
            n->n_digits += count;
            scan->at += count;
            if (count < 8)
                return;
        }
    }
    add_digits_slowly(scan, n, exponent_step);
}

static void read_exponent(nw_scan *scan, number *n)
{
    int value = 0;
    scan->at++;
    bool negative = scan->at < scan->end && *scan->at == '-';
    if (scan->at < scan->end && (*scan->at == '-' || *scan->at == '+'))
        scan->at++;
    if (!is_digit(scan))
        nw_scan_fail(scan, "a digit");
    for (; is_digit(scan); scan->at++)
        if (value < 100000)
            value = value * 10 + (*scan->at - '0');
    n->exponent += negative ? -value : value;
}

/* The number after its sign and before an exponent: 0 or digits without a leading zero. */
static inline void read_whole(nw_scan *scan, number *n)
{
    if (!is_digit(scan)) {
        nw_scan_fail(scan, "a number");
        return;
    }
    if (*scan->at != '0') {
        add_digits(scan, n, 0);
        return;
    }
    scan->at++;
    if (is_digit(scan))
        nw_scan_fail(scan, "a number without leading zeros");
}

static void read_number(nw_scan *scan, number *n)
{
    nw_scan_peek(scan);
    *n = (number){.text = scan->at};
    if (scan->at < scan->end && *scan->at == '-') {
        n->negative = true;
        scan->at++;
    }
    read_whole(scan, n);
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        if (!is_digit(scan))
            nw_scan_fail(scan, "a digit");
        add_digits(scan, n, -1);
    }
    n->text_end = scan->at;
    if (scan->at < scan->end && (*scan->at == 'E' || *scan->at == 'e'))
        read_exponent(scan, n);
}

int64_t nw_scan_int(nw_scan *scan)
{
    number n = {0};
    n.negative = take(scan, '-');
    read_whole(scan, &n);
    if (n.is_long ||
        (scan->at < scan->end && (*scan->at == '.' || *scan->at == 'e' || *scan->at == 'E')))
        nw_scan_fail(scan, "a whole number of at most 18 digits");
    if (scan->status != NW_OK)
        return 0;
    return n.negative ? -(int64_t)n.digits : (int64_t)n.digits;
}

/* strtof on the digits without their point, which depends on the locale. Digits that do not fit
 * are summed up in one that is not zero: halfway between floats lie at most 113 digits. */
static float convert_slowly(const number *n, int exponent)
{
    char text[160];
    int length = 0, n_dropped = 0;
    bool rest = false, started = false;
    for (const char *at = n->text; at < n->text_end; at++) {
        if (*at < '0' || *at > '9' || (*at == '0' && !started))
            continue;
        started = true;
        if (length < 120) {
            text[length++] = *at;
            continue;
        }
        n_dropped++;
        rest = rest || *at != '0';
    }
    if (!started)
        text[length++] = '0';
    if (n->is_long) /* exponent counts from the eighteenth digit, text goes on */
        exponent -= length + n_dropped - MAX_INT_DIGITS;
    exponent += n_dropped;
    if (rest) {
        text[length++] = '1';
        exponent--;
    }
    snprintf(text + length, sizeof text - (size_t)length, "e%d", exponent);
    return strtof(text, NULL);
}

/* Two exact doubles and one rounding give the double nearest to the number (Clinger, "How to read
 * floating point numbers accurately", 1990); rounding that to float is right too unless the double
 * lies halfway between two floats or below the normal ones. */
static float convert(const number *n)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const uint64_t low = (UINT64_C(1) << 29) - 1, half = UINT64_C(1) << 28;
    if (n->digits == 0)
        return 0;
    if (n->is_long || n->digits >> 53 || n->exponent < -22 || n->exponent > 22)
        return convert_slowly(n, n->exponent);
    double value = (double)n->digits;
    value = n->exponent < 0 ? value / powers[-n->exponent] : value * powers[n->exponent];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & low) == half || value < 0x1p-126 ? convert_slowly(n, n->exponent) : (float)value;
}

static void read_word(nw_scan *scan, const char *word)
{
    for (const char *c = word; *c; c++, scan->at++)
        if (scan->at >= scan->end || *scan->at != *c) {
            nw_scan_fail(scan, word);
            return;
        }
}

/* XGBoost's numbers that are none in JSON. */
static inline bool take_special(nw_scan *scan, float *value)
{
    char c = nw_scan_peek(scan);
    bool is_minus = c == '-' && scan->end - scan->at > 1 && scan->at[1] == 'I';
    if (c != 'N' && c != 'I' && !is_minus)
        return false;
    *value = c == 'N' ? NAN : is_minus ? -INFINITY : INFINITY;
    read_word(scan, c == 'N' ? "NaN" : is_minus ? "-Infinity" : "Infinity");
    return true;
}

float nw_scan_float(nw_scan *scan)
{
    float value;
    if (take_special(scan, &value))
        return value;
    number n;
    read_number(scan, &n);
    if (scan->status != NW_OK)
        return 0;
    value = convert(&n);
    return n.negative ? -value : value;
}

/* ---- skipping ---- */

static void skip_number(nw_scan *scan)
{
    float ignored;
    number n;
    if (!take_special(scan, &ignored))
        read_number(scan, &n);
}

size_t nw_scan_skip_numbers(nw_scan *scan)
{
    size_t n = 0;
    nw_scan_begin(scan, '[');
    for (; nw_scan_item(scan); n++)
        skip_number(scan);
    return n;
}

static void skip_scalar(nw_scan *scan, char first)
{
    if (first == '"')
        nw_scan_string(scan);
    else if (first != 't' && first != 'f' && first != 'n')
        skip_number(scan);
    else
        read_word(scan, first == 't' ? "true" : first == 'f' ? "false" : "null");
}

nw_span nw_scan_skip(nw_scan *scan)
{
    char open[MAX_NESTING];
    int depth = 0;
    nw_span key;
    nw_scan_peek(scan);
    const char *begin = scan->at;
    do {
        char first = nw_scan_peek(scan);
        if (first != '{' && first != '[') {
            skip_scalar(scan, first);
        } else if (depth == MAX_NESTING) {
            nw_scan_fail(scan, "less nesting");
        } else {
            open[depth++] = first;
            nw_scan_begin(scan, first);
        }
        while (depth > 0 &&
               !(open[depth - 1] == '{' ? nw_scan_key(scan, &key) : nw_scan_item(scan)))
            depth--;
    } while (depth > 0 && scan->status == NW_OK);
    if (scan->status != NW_OK)
        return (nw_span){"", 0};
    return (nw_span){begin, (size_t)(scan->at - begin)};
}

void nw_scan_finish(nw_scan *scan)
{
    if (scan->status == NW_OK && nw_scan_peek(scan) != '\0')
        nw_scan_fail(scan, "the end of the text");
    if (scan->status == NW_OK && scan->at < scan->end)
        nw_scan_fail(scan, "the end of the text");
}
