#include "src/format/onnx_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/format/format.h"

#define MAX_GROUPS        64
#define N_FIELDS          26 /* one more than the largest field number in the rules */
#define LENGTH_BYTES      5  /* lengths in the copy are padded varints, filled in afterwards */
#define MAX_STRIPPED_SIZE NW_MAX_MODEL_BYTES

enum { WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_GROUP, WIRE_END, WIRE_32 };

typedef enum kind {
    MODEL,
    GRAPH,
    NODE,
    ATTRIBUTE,
    TENSOR,
    SPARSE,
    VALUE,
    TYPE,
    TYPE_TENSOR,
    TYPE_OTHER, /* which one matters, not what is in it */
    SHAPE,
    DIM,
    OPSET,
    FUNCTION,
    ENTRY,
    INNER_GRAPH, /* the same messages inside If, Loop and Scan: names only */
    INNER_NODE,
    INNER_ATTRIBUTE,
    INNER_TENSOR,
    INNER_SPARSE,
    INNER_VALUE,
    N_KINDS
} kind;

typedef enum action {
    DROP, /* fields that the rules do not name */
    COPY,
    ENTER,      /* a message; may be repeated */
    ENTER_ONCE, /* a message that must not be repeated: protobuf would merge them */
    PAYLOAD
} action;

typedef struct rule {
    uint8_t wires; /* bit mask of the wire types allowed */
    uint8_t action;
    uint8_t child; /* kind of the message */
} rule;

#define ON(wire) (1u << (wire))
#define INTEGER                                                                                    \
    {                                                                                              \
        ON(WIRE_VARINT), COPY, 0                                                                   \
    }
#define INTEGERS                                                                                   \
    {                                                                                              \
        ON(WIRE_VARINT) | ON(WIRE_BYTES), COPY, 0                                                  \
    }
#define FLOAT                                                                                      \
    {                                                                                              \
        ON(WIRE_32), COPY, 0                                                                       \
    }
#define FLOATS                                                                                     \
    {                                                                                              \
        ON(WIRE_32) | ON(WIRE_BYTES), COPY, 0                                                      \
    }
#define BYTES                                                                                      \
    {                                                                                              \
        ON(WIRE_BYTES), COPY, 0                                                                    \
    }
#define ONE(k)                                                                                     \
    {                                                                                              \
        ON(WIRE_BYTES), ENTER_ONCE, k                                                              \
    }
#define MANY(k)                                                                                    \
    {                                                                                              \
        ON(WIRE_BYTES), ENTER, k                                                                   \
    }
#define DATA(w)                                                                                    \
    {                                                                                              \
        (w) | ON(WIRE_BYTES), PAYLOAD, 0                                                           \
    }

/* By message and field number, from onnx.proto. */
static const rule rules[N_KINDS][N_FIELDS] = {
    [MODEL] = {[1] = INTEGER, [7] = ONE(GRAPH), [8] = MANY(OPSET), [25] = MANY(FUNCTION)},
    [GRAPH] = {[1] = MANY(NODE),
               [2] = BYTES,
               [5] = MANY(TENSOR),
               [11] = MANY(VALUE),
               [12] = MANY(VALUE),
               [13] = MANY(VALUE),
               [15] = MANY(SPARSE)},
    [NODE] =
        {[1] = BYTES, [2] = BYTES, [3] = BYTES, [4] = BYTES, [5] = MANY(ATTRIBUTE), [7] = BYTES},
    [ATTRIBUTE] = {[1] = BYTES,
                   [2] = FLOAT,
                   [3] = INTEGER,
                   [4] = BYTES,
                   [5] = ONE(TENSOR),
                   [6] = ONE(INNER_GRAPH),
                   [7] = FLOATS,
                   [8] = INTEGERS,
                   [9] = BYTES,
                   [10] = MANY(TENSOR),
                   [11] = MANY(INNER_GRAPH),
                   [20] = INTEGER,
                   [22] = ONE(SPARSE)},
    [TENSOR] = {[1] = INTEGERS,
                [2] = INTEGER,
                [NW_ONNX_FLOAT_DATA] = DATA(ON(WIRE_32)),
                [NW_ONNX_INT32_DATA] = DATA(ON(WIRE_VARINT)),
                [NW_ONNX_INT64_DATA] = DATA(ON(WIRE_VARINT)),
                [8] = BYTES,
                [NW_ONNX_RAW_DATA] = DATA(0),
                [NW_ONNX_DOUBLE_DATA] = DATA(ON(WIRE_64)),
                [NW_ONNX_UINT64_DATA] = DATA(ON(WIRE_VARINT)),
                [13] = MANY(ENTRY),
                [14] = INTEGER},
    [SPARSE] = {[1] = ONE(TENSOR), [2] = ONE(TENSOR), [3] = INTEGERS},
    [VALUE] = {[1] = BYTES, [2] = ONE(TYPE)},
    [TYPE] = {[1] = ONE(TYPE_TENSOR),
              [4] = ONE(TYPE_OTHER),
              [5] = ONE(TYPE_OTHER),
              [8] = ONE(TYPE_OTHER),
              [9] = ONE(TYPE_OTHER)},
    [TYPE_TENSOR] = {[1] = INTEGER, [2] = ONE(SHAPE)},
    [SHAPE] = {[1] = MANY(DIM)},
    [DIM] = {[1] = INTEGER, [2] = BYTES},
    [OPSET] = {[1] = BYTES, [2] = INTEGER},
    [FUNCTION] = {[1] = BYTES, [10] = BYTES},
    [ENTRY] = {[1] = BYTES, [2] = BYTES},
    [INNER_GRAPH] = {[1] = MANY(INNER_NODE),
                     [5] = MANY(INNER_TENSOR),
                     [11] = MANY(INNER_VALUE),
                     [12] = MANY(INNER_VALUE),
                     [15] = MANY(INNER_SPARSE)},
    [INNER_NODE] = {[1] = BYTES, [2] = BYTES, [5] = MANY(INNER_ATTRIBUTE)},
    [INNER_ATTRIBUTE] = {[6] = ONE(INNER_GRAPH), [11] = MANY(INNER_GRAPH)},
    [INNER_TENSOR] = {[8] = BYTES},
    [INNER_SPARSE] = {[1] = ONE(INNER_TENSOR)},
    [INNER_VALUE] = {[1] = BYTES},
};

static const char *const kind_names[N_KINDS] = {
    "ModelProto",         "GraphProto",        "NodeProto",
    "AttributeProto",     "TensorProto",       "SparseTensorProto",
    "ValueInfoProto",     "TypeProto",         "TypeProto.Tensor",
    "TypeProto",          "TensorShapeProto",  "Dimension",
    "OperatorSetIdProto", "FunctionProto",     "StringStringEntryProto",
    "GraphProto",         "NodeProto",         "AttributeProto",
    "TensorProto",        "SparseTensorProto", "ValueInfoProto"};

typedef struct field {
    uint32_t number;
    int wire;
    size_t start;      /* of its key */
    size_t value, end; /* the value's bytes; without the length in front */
} field;

typedef struct scanner {
    const nw_file *file;
    nw_onnx_scan *out;
    nw_error *err;
} scanner;

bool nw_onnx_varint(const uint8_t *bytes, size_t end, size_t *at, uint64_t *value)
{
    uint64_t result = 0;
    for (int shift = 0; shift < 70 && *at < end; shift += 7) {
        uint8_t byte = bytes[(*at)++];
        result |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        if (byte < 0x80) {
            *value = result;
            return true;
        }
    }
    return false;
}

static nw_status fail_at(const scanner *s, size_t at, const char *what)
{
    char where[48];
    snprintf(where, sizeof where, "byte %zu", at);
    return nw_fail(s->err, NW_INVALID, where, "%s; the file is damaged or no ONNX model", what);
}

/* Reads the key at *at and finds the extent of the value, of anything but a group. */
static nw_status read_flat(const scanner *s, size_t *at, size_t end, field *f)
{
    const uint8_t *bytes = s->file->bytes;
    uint64_t key, length;
    f->start = *at;
    if (!nw_onnx_varint(bytes, end, at, &key) || key > UINT32_MAX || key >> 3 == 0)
        return fail_at(s, f->start, "no field of a protobuf message starts here");
    f->number = (uint32_t)(key >> 3);
    f->wire = (int)(key & 7);
    f->value = *at;
    switch (f->wire) {
    case WIRE_VARINT:
        if (!nw_onnx_varint(bytes, end, at, &length))
            return fail_at(s, f->value, "a number runs past its end");
        break;
    case WIRE_64:
    case WIRE_32:
        length = f->wire == WIRE_64 ? 8 : 4;
        if (end - *at < length)
            return fail_at(s, f->value, "a value runs past the end of its message");
        *at += (size_t)length;
        break;
    case WIRE_BYTES:
        if (!nw_onnx_varint(bytes, end, at, &length) || length > end - *at)
            return fail_at(s, f->value, "a length runs past the end of its message");
        f->value = *at;
        *at += (size_t)length;
        break;
    case WIRE_GROUP:
    case WIRE_END:
        break;
    default:
        return fail_at(s, f->start, "unknown wire type");
    }
    f->end = *at;
    return NW_OK;
}

/* The next field; a group is one field, whatever is in it. */
static nw_status read_field(const scanner *s, size_t *at, size_t end, field *f)
{
    uint32_t open[MAX_GROUPS];
    nw_status status = read_flat(s, at, end, f);
    if (status != NW_OK || (f->wire != WIRE_GROUP && f->wire != WIRE_END))
        return status;
    if (f->wire == WIRE_END)
        return fail_at(s, f->start, "a group ends that never began");
    int depth = 0;
    open[depth++] = f->number;
    while (depth) {
        field inner;
        if ((status = read_flat(s, at, end, &inner)) != NW_OK)
            return status;
        if (inner.wire == WIRE_END && open[--depth] != inner.number)
            return fail_at(s, inner.start, "groups overlap");
        if (inner.wire == WIRE_GROUP && depth == MAX_GROUPS)
            return fail_at(s, inner.start, "groups are nested too deeply");
        if (inner.wire == WIRE_GROUP)
            open[depth++] = inner.number;
    }
    f->end = *at;
    return NW_OK;
}

static void write_varint(nw_buf *copy, uint64_t value)
{
    char bytes[10];
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (char)(value | 0x80);
    bytes[n++] = (char)value;
    nw_buf_add(copy, bytes, n);
}

static void write_key(nw_buf *copy, uint32_t number, int wire)
{
    write_varint(copy, (uint64_t)number << 3 | (unsigned)wire);
}

static void write_side_value(nw_buf *copy, uint64_t value)
{
    write_key(copy, NW_ONNX_SIDE_FIELD, WIRE_VARINT);
    write_varint(copy, value);
}

static void copy_field(const scanner *s, const field *f)
{
    nw_buf *copy = &s->out->copy;
    write_key(copy, f->number, f->wire);
    if (f->wire == WIRE_BYTES)
        write_varint(copy, f->end - f->value);
    nw_buf_add(copy, (const char *)s->file->bytes + f->value, f->end - f->value);
}

/* How often each payload field of a tensor occurs. A list in one packed piece stays in the file;
 * in several pieces, or an element at a time, it is left to protobuf-c. */
typedef struct payload_count {
    int n[N_FIELDS];
} payload_count;

static nw_status count_payloads(const scanner *s, size_t at, size_t end, payload_count *count)
{
    int n_kinds = 0;
    while (at < end) {
        field f;
        nw_status status = read_field(s, &at, end, &f);
        if (status != NW_OK)
            return status;
        if (f.number >= N_FIELDS || rules[TENSOR][f.number].action != PAYLOAD || f.end == f.value)
            continue;
        n_kinds += count->n[f.number] == 0;
        count->n[f.number] += count->n[f.number] < 2;
        if (n_kinds > 1 || (f.number == NW_ONNX_RAW_DATA && count->n[f.number] > 1))
            return fail_at(s, f.start, "a tensor holds its data twice");
    }
    return NW_OK;
}

static void take_payload(const scanner *s, const field *f, const payload_count *count)
{
    nw_onnx_scan *out = s->out;
    if (f->end == f->value)
        return;
    if (f->wire != WIRE_BYTES || count->n[f->number] > 1) {
        copy_field(s, f);
        return;
    }
    out->payloads = nw_grow(out->payloads, out->n_payloads, &out->capacity, sizeof *out->payloads);
    out->payloads[out->n_payloads++] = (nw_onnx_payload){
        .offset = f->value, .n_bytes = f->end - f->value, .field = (int)f->number};
    write_side_value(&out->copy, out->n_payloads);
}

static nw_status scan_message(const scanner *s, kind k, size_t at, size_t end, int n_graphs);

static nw_status scan_child(const scanner *s, kind child, const field *f, int n_graphs)
{
    nw_buf *copy = &s->out->copy;
    if (child == INNER_GRAPH && n_graphs == NW_ONNX_MAX_GRAPHS) {
        char where[48];
        snprintf(where, sizeof where, "byte %zu", f->start);
        return nw_fail(s->err, NW_LIMIT, where, "graphs are nested deeper than %d",
                       NW_ONNX_MAX_GRAPHS);
    }
    write_key(copy, f->number, WIRE_BYTES);
    size_t length_at = copy->length;
    nw_buf_add(copy, "\x80\x80\x80\x80", LENGTH_BYTES); /* the last one is the terminating 0 */
    if (child == INNER_GRAPH)
        write_side_value(copy, f->end - f->value);
    nw_status status = scan_message(s, child, f->value, f->end, n_graphs + (child == INNER_GRAPH));
    size_t length = copy->length - length_at - LENGTH_BYTES;
    for (int i = 0; i < LENGTH_BYTES; i++, length >>= 7)
        copy->text[length_at + (size_t)i] =
            (char)((length & 0x7f) | (i < LENGTH_BYTES - 1 ? 0x80 : 0));
    return status;
}

static nw_status apply_rule(const scanner *s, kind k, const field *f, const payload_count *count,
                            int n_graphs)
{
    const rule *r = &rules[k][f->number];
    if (!(r->wires & ON(f->wire))) {
        char what[96];
        snprintf(what, sizeof what, "field %u of %s has wire type %d", f->number, kind_names[k],
                 f->wire);
        return fail_at(s, f->start, what);
    }
    switch (r->action) {
    case COPY:
        copy_field(s, f);
        return NW_OK;
    case PAYLOAD:
        take_payload(s, f, count);
        return NW_OK;
    default:
        return scan_child(s, (kind)r->child, f, n_graphs);
    }
}

/* Recursion is bounded: messages other than graphs do not contain themselves here, and the number
 * of graphs inside graphs is limited. */
static nw_status scan_message(const scanner *s, kind k, size_t at, size_t end, int n_graphs)
{
    payload_count count = {{0}};
    uint32_t seen = 0;
    nw_status status = k == TENSOR ? count_payloads(s, at, end, &count) : NW_OK;
    while (at < end && status == NW_OK) {
        field f;
        if ((status = read_field(s, &at, end, &f)) != NW_OK)
            break;
        if (f.number >= N_FIELDS || rules[k][f.number].action == DROP)
            continue;
        if (rules[k][f.number].action == ENTER_ONCE && (seen & ON(f.number)))
            return fail_at(s, f.start, "a part that may be there once is there twice");
        seen |= ON(f.number);
        status = apply_rule(s, k, &f, &count, n_graphs);
        if (status == NW_OK && s->out->copy.length > MAX_STRIPPED_SIZE)
            return nw_fail(s->err, NW_LIMIT, "", "the model without its weights is too large");
    }
    return status;
}

nw_status nw_onnx_scan_file(const nw_file *file, nw_onnx_scan *out, nw_error *err)
{
    *out = (nw_onnx_scan){0};
    scanner s = {.file = file, .out = out, .err = err};
    return scan_message(&s, MODEL, 0, file->n_bytes, 0);
}

void nw_onnx_scan_fini(nw_onnx_scan *scan)
{
    nw_buf_fini(&scan->copy);
    free(scan->payloads);
    *scan = (nw_onnx_scan){0};
}

/* The first fields decide: a model starts with small numbers and short strings, and holds a
 * graph. A file cut short still counts, so that its reader can say where it ends. */
bool nw_onnx_is(const nw_file *file)
{
    static const uint32_t model_fields = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 |
                                         1u << 7 | 1u << 8 | 1u << 14 | 1u << 20 | 1u << 25 |
                                         1u << 26;
    const uint8_t *bytes = file->bytes;
    bool has_version = false, has_graph = false;
    for (size_t at = 0; at < file->n_bytes && !(has_version && has_graph);) {
        uint64_t key, value;
        if (!nw_onnx_varint(bytes, file->n_bytes, &at, &key))
            return false;
        uint64_t number = key >> 3, wire = key & 7;
        bool is_number = number == 1 || number == 5;
        if (number > 31 || !(model_fields >> number & 1) ||
            wire != (is_number ? WIRE_VARINT : WIRE_BYTES) ||
            !nw_onnx_varint(bytes, file->n_bytes, &at, &value))
            return false;
        has_version |= number == 1 && value >= 1 && value < 256;
        has_graph |= number == 7;
        if (is_number)
            continue;
        if (value > file->n_bytes - at)
            return has_version && has_graph;
        at += (size_t)value;
    }
    return has_version && has_graph;
}
