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
 *  - A constant that an edit made stands as its source does, with {"edited": {"dtype", "shape",
 *    "quant", "maps", "spatial", "fill", "fan_in"}} beside it (nw_edited in graph.h): maps has an
 *    entry an axis, null or runs [first, n] of elements of the source that follow each other, first
 *    -1 for n new ones; spatial lists the axes along which new ones are 0.
 *  - "edits" at the top lists the lines of the edits that led to the network (arch.h); nobody needs
 *    them to read it.
 *  - Warnings and names of open sizes are not written: they are about the reading of a file.
 */
#ifndef NW_FORMAT_NETWORK_JSON_H
#define NW_FORMAT_NETWORK_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "src/base/map.h"
#include "src/graph/graph.h"

#define NW_JSON_SCHEMA "nasw.network/1"
#define NW_JSON_BASE64 "base64:"

#define NW_JSON_SMALL_ELEMENTS 1024
#define NW_JSON_SMALL_BYTES    ((size_t)16 << 10)
#define NW_JSON_MAX_VALUES     32 /* elements of an integer constant that is written as numbers */
#define NW_JSON_INLINE_TOTAL   ((size_t)32 << 20)

#define NW_JSON_MAX_CONST_BYTES  ((int64_t)1 << 60)
#define NW_JSON_MAX_MAP_ELEMENTS ((int64_t)16 << 20) /* of all maps of edited constants */

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
extern const char *const nw_json_edit_fills[]; /* by nw_edit_fill */

/* ---- reading ---- */

#define NW_JSON_MAX_FILES 64 /* weight files that are looked for */

/* A weight file that constants refer to. */
typedef struct nw_json_file {
    const char *path;
    int64_t end; /* of the last byte referred to */
    int n_tensors;
} nw_json_file;

typedef struct nw_json_reader {
    nw_graph *graph;
    nw_error *err;
    const char *json_path;
    const char *file; /* of references that name none; NULL: not known */
    /* Where we are: list[index].group.key[item], each part optional. */
    const char *list, *group, *key;
    int index, item;
    int64_t const_bytes, map_elements;
    nw_map file_ids;
    nw_json_file files[NW_JSON_MAX_FILES];
    int n_files;
} nw_json_reader;

/* network_json_values.c: errors and single values. `parsed` is a value of the JSON library,
 * which no header names.
 *
 * Fails with the reader's place: "nodes[12].inputs[0]". */
nw_status nw_json_fail(nw_json_reader *in, nw_status status, const char *format, ...)
    NW_PRINTF(3, 4);
nw_status nw_json_wrong_type(nw_json_reader *in, const char *wanted, const void *parsed);

NW_CHECKED nw_status nw_json_int(nw_json_reader *in, const void *parsed, int64_t min, int64_t max,
                                 int64_t *out);
/* A number up to limit in size, or "nan", "inf", "-inf". */
NW_CHECKED nw_status nw_json_real(nw_json_reader *in, const void *parsed, double limit,
                                  double *out);
/* The bytes, with a zero behind, in the graph's memory. */
NW_CHECKED nw_status nw_json_base64(nw_json_reader *in, const char *text, uint8_t **bytes,
                                    size_t *n_bytes);
/* A text as the writer puts it; it lives with the graph or with the JSON. */
NW_CHECKED nw_status nw_json_text(nw_json_reader *in, const void *parsed, const char **out);
NW_CHECKED nw_status nw_json_choice(nw_json_reader *in, const void *parsed,
                                    const char *const *names, int *out);

/* The members of an object, by keys (NULL-terminated): found[k] is NULL for one left out. */
NW_CHECKED nw_status nw_json_members(nw_json_reader *in, const void *parsed,
                                     const char *const *keys, const void **found);

/* The id in a list is for people; it says again what the place says. NULL is fine. */
NW_CHECKED nw_status nw_json_check_id(nw_json_reader *in, const void *parsed);

/* network_json_tensor.c; NULL and null are an unknown shape */
NW_CHECKED nw_status nw_json_shape(nw_json_reader *in, const void *parsed, nw_shape *shape);
NW_CHECKED nw_status nw_json_quant(nw_json_reader *in, const void *parsed, nw_quant *quant);
NW_CHECKED nw_status nw_json_dtype(nw_json_reader *in, const void *parsed, nw_dtype *out);
NW_CHECKED nw_status nw_json_read_tensor(nw_json_reader *in, const void *parsed);

/* network_json_edited.c: all but the source's bytes; shape: of the constant. */
NW_CHECKED nw_status nw_json_edited(nw_json_reader *in, const void *parsed, const nw_shape *shape,
                                    nw_edited *out);
/* Graph.edits, hints. */
NW_CHECKED nw_status nw_json_edits(nw_json_reader *in, const void *parsed);
NW_CHECKED nw_status nw_json_hint(nw_json_reader *in, const void *parsed, nw_hint *hint);

#endif
