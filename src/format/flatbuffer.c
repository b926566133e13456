#include "src/format/flatbuffer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Byte by byte: fields of a damaged file lie at any address, and hosts may be big-endian. */
static uint64_t load(const nw_flat *flat, size_t at, size_t n_bytes)
{
    uint64_t value = 0;
    for (size_t i = n_bytes; i > 0; i--)
        value = value << 8 | flat->bytes[at + i - 1];
    return value;
}

static bool fits(const nw_flat *flat, size_t at, size_t n_bytes)
{
    return at <= flat->n_bytes && n_bytes <= flat->n_bytes - at;
}

static void complain(nw_flat *flat, size_t at, const char *problem)
{
    if (flat->problem)
        return;
    flat->problem = problem;
    flat->problem_at = at;
}

static nw_flat_table open_table(nw_flat *flat, size_t at)
{
    const nw_flat_table none = {0};
    if (!fits(flat, at, 4)) {
        complain(flat, at, "a table lies outside the file");
        return none;
    }
    int64_t back = (int32_t)(uint32_t)load(flat, at, 4);
    int64_t vtable = (int64_t)at - back;
    if (vtable < 0 || !fits(flat, (size_t)vtable, 4)) {
        complain(flat, at, "a table's vtable lies outside the file");
        return none;
    }
    nw_flat_table table = {.at = at, .vtable = (size_t)vtable};
    table.n_vtable_bytes = (size_t)load(flat, table.vtable, 2);
    table.n_bytes = (size_t)load(flat, table.vtable + 2, 2);
    if (table.n_vtable_bytes < 4 || !fits(flat, table.vtable, table.n_vtable_bytes)) {
        complain(flat, table.vtable, "a vtable has an impossible size");
        return none;
    }
    if (table.n_bytes < 4 || !fits(flat, at, table.n_bytes)) {
        complain(flat, at, "a table has an impossible size");
        return none;
    }
    return table;
}

/* The place of a field of n_bytes, or 0 if it is absent. */
static size_t find_field(nw_flat *flat, nw_flat_table table, int slot, size_t n_bytes)
{
    size_t entry = 4 + 2 * (size_t)slot;
    if (table.at == 0 || entry + 2 > table.n_vtable_bytes)
        return 0;
    size_t offset = (size_t)load(flat, table.vtable + entry, 2);
    if (offset == 0)
        return 0;
    if (offset < 4 || offset + n_bytes > table.n_bytes) {
        complain(flat, table.vtable + entry, "a field lies outside its table");
        return 0;
    }
    return table.at + offset;
}

/* Where the uint32 at `at` points; 0 if that is outside the file. */
static size_t follow(nw_flat *flat, size_t at)
{
    size_t target = at + (size_t)load(flat, at, 4);
    if (target == at || !fits(flat, target, 4)) {
        complain(flat, at, "an offset leads out of the file");
        return 0;
    }
    return target;
}

static uint64_t read_scalar(nw_flat *flat, nw_flat_table table, int slot, size_t n_bytes,
                            uint64_t absent)
{
    size_t at = find_field(flat, table, slot, n_bytes);
    return at ? load(flat, at, n_bytes) : absent;
}

static float to_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

nw_flat_table nw_flat_root(nw_flat *flat)
{
    if (!fits(flat, 0, 8)) {
        complain(flat, 0, "the file is too short to hold anything");
        return (nw_flat_table){0};
    }
    size_t at = follow(flat, 0);
    return at ? open_table(flat, at) : (nw_flat_table){0};
}

bool nw_flat_has(nw_flat *flat, nw_flat_table table, int slot)
{
    return find_field(flat, table, slot, 1) != 0;
}

int32_t nw_flat_i8(nw_flat *flat, nw_flat_table table, int slot, int32_t absent)
{
    size_t at = find_field(flat, table, slot, 1);
    return at ? (int8_t)flat->bytes[at] : absent;
}

int32_t nw_flat_i32(nw_flat *flat, nw_flat_table table, int slot, int32_t absent)
{
    return (int32_t)(uint32_t)read_scalar(flat, table, slot, 4, (uint32_t)absent);
}

uint32_t nw_flat_u32(nw_flat *flat, nw_flat_table table, int slot, uint32_t absent)
{
    return (uint32_t)read_scalar(flat, table, slot, 4, absent);
}

uint64_t nw_flat_u64(nw_flat *flat, nw_flat_table table, int slot, uint64_t absent)
{
    return read_scalar(flat, table, slot, 8, absent);
}

float nw_flat_f32(nw_flat *flat, nw_flat_table table, int slot, float absent)
{
    size_t at = find_field(flat, table, slot, 4);
    return at ? to_float((uint32_t)load(flat, at, 4)) : absent;
}

nw_flat_table nw_flat_child(nw_flat *flat, nw_flat_table table, int slot)
{
    size_t at = find_field(flat, table, slot, 4);
    if (at)
        at = follow(flat, at);
    return at ? open_table(flat, at) : (nw_flat_table){0};
}

nw_flat_vector nw_flat_list(nw_flat *flat, nw_flat_table table, int slot, size_t element_bytes)
{
    const nw_flat_vector none = {.element_bytes = element_bytes};
    size_t at = find_field(flat, table, slot, 4);
    if (at)
        at = follow(flat, at);
    if (!at)
        return none;
    size_t n = (size_t)load(flat, at, 4);
    if (n > (flat->n_bytes - at - 4) / element_bytes) {
        complain(flat, at, "a list reaches beyond the end of the file");
        return none;
    }
    return (nw_flat_vector){.at = at + 4, .n = n, .element_bytes = element_bytes};
}

const char *nw_flat_text(nw_flat *flat, nw_flat_table table, int slot)
{
    nw_flat_vector text = nw_flat_list(flat, table, slot, 1);
    if (!text.at)
        return "";
    if (!fits(flat, text.at + text.n, 1) || flat->bytes[text.at + text.n] != 0) {
        complain(flat, text.at, "a name has no end");
        return "";
    }
    return (const char *)flat->bytes + text.at;
}

int32_t nw_flat_i32_at(const nw_flat *flat, nw_flat_vector vector, size_t i)
{
    assert(i < vector.n && vector.element_bytes == 4);
    return (int32_t)(uint32_t)load(flat, vector.at + 4 * i, 4);
}

int64_t nw_flat_i64_at(const nw_flat *flat, nw_flat_vector vector, size_t i)
{
    assert(i < vector.n && vector.element_bytes == 8);
    return (int64_t)load(flat, vector.at + 8 * i, 8);
}

float nw_flat_f32_at(const nw_flat *flat, nw_flat_vector vector, size_t i)
{
    assert(i < vector.n && vector.element_bytes == 4);
    return to_float((uint32_t)load(flat, vector.at + 4 * i, 4));
}

nw_flat_table nw_flat_table_at(nw_flat *flat, nw_flat_vector vector, size_t i)
{
    assert(i < vector.n && vector.element_bytes == 4);
    size_t at = follow(flat, vector.at + 4 * i);
    return at ? open_table(flat, at) : (nw_flat_table){0};
}

nw_status nw_flat_check(const nw_flat *flat, nw_error *err)
{
    if (!flat->problem)
        return NW_OK;
    char where[40];
    snprintf(where, sizeof where, "byte %zu", flat->problem_at);
    return nw_fail(err, NW_INVALID, where, "%s; the file is damaged or cut short", flat->problem);
}
