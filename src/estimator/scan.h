/* scan.h - reads JSON text from front to back, value by value, building nothing.
 *
 * For XGBoost's models inside our files: 2 MB of numbers, of which half are not needed. A DOM of
 * them (cJSON) takes five times as long and several times the text's memory. It is strict JSON,
 * but for XGBoost's NaN, Infinity and -Infinity, which are numbers here as they are there. Every
 * byte is looked at, also of what is skipped.
 *
 * The first error stays: err is filled, status is set, and all later calls do nothing and return
 * false or zero, so that a reader may look at the status once, at its end:
 *
 *     nw_scan_begin(&s, '{');
 *     while (nw_scan_key(&s, &key))
 *         if (nw_span_is(key, "trees"))
 *             read_trees(&s);
 *         else
 *             nw_scan_skip(&s);
 *     nw_scan_finish(&s);
 *     return s.status;
 */
#ifndef NW_ESTIMATOR_SCAN_H
#define NW_ESTIMATOR_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"

typedef struct nw_scan {
    const char *begin, *at, *end; /* borrowed text */
    bool fresh;                   /* just inside a bracket: no comma yet */
    nw_status status;
    nw_error *err;
} nw_scan;

/* What stands between a string's quotes, escapes as written; borrowed from the text. */
typedef struct nw_span {
    const char *text;
    size_t length;
} nw_span;

bool nw_span_is(nw_span span, const char *text);

void nw_scan_init(nw_scan *scan, const char *text, size_t n_bytes, nw_error *err);

/* Enters an object ('{') or an array ('['). */
void nw_scan_begin(nw_scan *scan, char bracket);

/* The next key of the object, its value comes next; false at the closing bracket, which is read. */
bool nw_scan_key(nw_scan *scan, nw_span *key);

/* Whether the array has one more value, which comes next; false at the bracket, which is read. */
bool nw_scan_item(nw_scan *scan);

/* The first byte of the value that comes next, '\0' at the end of the text. Reads nothing. */
char nw_scan_peek(nw_scan *scan);

nw_span nw_scan_string(nw_scan *scan);

/* A whole number of at most 18 digits. */
int64_t nw_scan_int(nw_scan *scan);

/* The float nearest to the number as written, in any locale. */
float nw_scan_float(nw_scan *scan);

/* Any value. Returns what was skipped, to be read apart. */
nw_span nw_scan_skip(nw_scan *scan);

/* An array of numbers; returns how many there are. */
size_t nw_scan_skip_numbers(nw_scan *scan);

/* Nothing but white space may follow. */
void nw_scan_finish(nw_scan *scan);

/* Fails at the current byte: "byte N: wanted what, there is 'x'" or that the text ends. */
void nw_scan_fail(nw_scan *scan, const char *wanted);

#endif
