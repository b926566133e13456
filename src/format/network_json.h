/* network_json.h - what the writer and the reader of our own format share; private to src/format.
 *
 * One object: schema, name, format, layout, file, inputs, outputs, tensors, nodes; what has its
 * default is left out. Tensors are named by their place in the list (their "id").
 *
 *  - A text that is printable UTF-8 stands as it is; any other, and one that starts with "base64:",
 *    as "base64:" and its bytes in base64, so every byte string survives.
 *  - A whole number beyond 2^53 stands as a string of digits; NaN and the infinities as "nan",
 *    "inf", "-inf".
 *  - A constant of a file stands as {"file", "offset", "bytes"}; without "file" it is the one named
 *    at the top. Small ones, and those that stand nowhere in a file, carry their bytes, as "values"
 *    or as "base64", little-endian. Large ones beyond NW_JSON_INLINE_TOTAL in sum lose theirs.
 *  - Warnings and names of open sizes are not written: they are about the reading of a file.
 */
#ifndef NW_FORMAT_NETWORK_JSON_H
#define NW_FORMAT_NETWORK_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "src/graph/op.h"

#define NW_JSON_SCHEMA "nasw.network/1"
#define NW_JSON_BASE64 "base64:"

#define NW_JSON_SMALL_ELEMENTS 1024
#define NW_JSON_SMALL_BYTES    ((size_t)16 << 10)
#define NW_JSON_MAX_VALUES     32 /* elements of an integer constant that is written as numbers */
#define NW_JSON_INLINE_TOTAL   ((size_t)32 << 20)

#define NW_JSON_MAX_EXACT ((int64_t)1 << 53) /* whole numbers that a double holds */

typedef enum nw_json_attr_type {
    NW_JSON_INT32,
    NW_JSON_ENUM, /* uint8_t, one of names */
    NW_JSON_BOOL,
    NW_JSON_FLOAT
} nw_json_attr_type;

/* An attribute of nw_attrs; the lists (ints, floats) have forms of their own. */
typedef struct nw_json_attr {
    const char *name;
    nw_json_attr_type type;
    size_t offset;
    const char *const *names; /* NULL-terminated */
} nw_json_attr;

extern const nw_json_attr nw_json_attrs[]; /* ends with a NULL name */
extern const char *const nw_json_acts[];   /* by nw_act, NULL-terminated */
extern const char *const nw_json_layouts[];

#endif
