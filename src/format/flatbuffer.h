/* flatbuffer.h - bounds-checked reading of FlatBuffers; private to src/format.
 *
 * All integers are little-endian. A table starts with an int32, the
 * distance back to its vtable; a vtable is uint16s: its own size, the table's size, then where in
 * the table each slot's field lies (0: absent). Tables, vectors and strings are referred to by a
 * uint32, the distance forward from where that uint32 lies. A vector is a uint32 count and its
 * elements.
 *
 * The first offset that leads out of the file is remembered and what it led to reads as absent, so
 * callers read a whole table and ask nw_flat_check once. Nothing here follows more than one offset
 * at a time: cycles in a file cannot hang it.
 */
#ifndef NW_FORMAT_FLATBUFFER_H
#define NW_FORMAT_FLATBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"

typedef struct nw_flat {
    const uint8_t *bytes;
    size_t n_bytes;
    const char *problem; /* of the first bad offset; NULL: none so far */
    size_t problem_at;
} nw_flat;

typedef struct nw_flat_table {
    size_t at; /* 0: absent */
    size_t vtable;
    size_t n_bytes, n_vtable_bytes;
} nw_flat_table;

typedef struct nw_flat_vector {
    size_t at; /* of the first element; 0: absent */
    size_t n;
    size_t element_bytes;
} nw_flat_vector;

nw_flat_table nw_flat_root(nw_flat *flat);

/* A field that is absent, or whose table is, has the value `absent`. */
bool nw_flat_has(nw_flat *flat, nw_flat_table table, int slot);
int32_t nw_flat_i8(nw_flat *flat, nw_flat_table table, int slot, int32_t absent);
int32_t nw_flat_i32(nw_flat *flat, nw_flat_table table, int slot, int32_t absent);
uint32_t nw_flat_u32(nw_flat *flat, nw_flat_table table, int slot, uint32_t absent);
uint64_t nw_flat_u64(nw_flat *flat, nw_flat_table table, int slot, uint64_t absent);
float nw_flat_f32(nw_flat *flat, nw_flat_table table, int slot, float absent);

nw_flat_table nw_flat_child(nw_flat *flat, nw_flat_table table, int slot);
nw_flat_vector nw_flat_list(nw_flat *flat, nw_flat_table table, int slot, size_t element_bytes);
const char *nw_flat_text(nw_flat *flat, nw_flat_table table, int slot); /* "" if absent */

/* Elements; i < vector.n. The vector was made with the element's size (tables: 4). */
int32_t nw_flat_i32_at(const nw_flat *flat, nw_flat_vector vector, size_t i);
int64_t nw_flat_i64_at(const nw_flat *flat, nw_flat_vector vector, size_t i);
float nw_flat_f32_at(const nw_flat *flat, nw_flat_vector vector, size_t i);
nw_flat_table nw_flat_table_at(nw_flat *flat, nw_flat_vector vector, size_t i);

/* NW_INVALID, naming the byte, once anything read from flat led out of the file. */
NW_CHECKED nw_status nw_flat_check(const nw_flat *flat, nw_error *err);

#endif
