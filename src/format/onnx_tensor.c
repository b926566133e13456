#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/arena.h"
#include "src/format/onnx_import.h"

/* Packed integers take up to eight times their bytes once unpacked. */
#define MAX_UNPACKED_BYTES ((size_t)768 << 20)

/* By TensorProto.DataType: our type and the field that holds its values when raw_data does not. */
static const struct {
    nw_dtype dtype;
    int field;
} data_types[] = {
    [1] = {NW_DTYPE_FLOAT32, NW_ONNX_FLOAT_DATA},
    [2] = {NW_DTYPE_UINT8, NW_ONNX_INT32_DATA},
    [3] = {NW_DTYPE_INT8, NW_ONNX_INT32_DATA},
    [4] = {NW_DTYPE_UINT16, NW_ONNX_INT32_DATA},
    [5] = {NW_DTYPE_INT16, NW_ONNX_INT32_DATA},
    [6] = {NW_DTYPE_INT32, NW_ONNX_INT32_DATA},
    [7] = {NW_DTYPE_INT64, NW_ONNX_INT64_DATA},
    [8] = {NW_DTYPE_STRING, 0},
    [9] = {NW_DTYPE_BOOL, NW_ONNX_INT32_DATA},
    [10] = {NW_DTYPE_FLOAT16, NW_ONNX_INT32_DATA},
    [11] = {NW_DTYPE_FLOAT64, NW_ONNX_DOUBLE_DATA},
    [12] = {NW_DTYPE_UINT32, NW_ONNX_UINT64_DATA},
    [13] = {NW_DTYPE_UINT64, NW_ONNX_UINT64_DATA},
    [14] = {NW_DTYPE_COMPLEX64, NW_ONNX_FLOAT_DATA},
    [15] = {NW_DTYPE_COMPLEX128, NW_ONNX_DOUBLE_DATA},
    [16] = {NW_DTYPE_BFLOAT16, NW_ONNX_INT32_DATA},
    [17] = {NW_DTYPE_FLOAT8, NW_ONNX_INT32_DATA}, /* four kinds of float8 */
    [18] = {NW_DTYPE_FLOAT8, NW_ONNX_INT32_DATA},
    [19] = {NW_DTYPE_FLOAT8, NW_ONNX_INT32_DATA},
    [20] = {NW_DTYPE_FLOAT8, NW_ONNX_INT32_DATA},
    [21] = {NW_DTYPE_UINT4, NW_ONNX_INT32_DATA},
    [22] = {NW_DTYPE_INT4, NW_ONNX_INT32_DATA},
    [23] = {NW_DTYPE_UNKNOWN, NW_ONNX_INT32_DATA}, /* float4 */
    [24] = {NW_DTYPE_FLOAT8, NW_ONNX_INT32_DATA},
};

#define N_DATA_TYPES ((int32_t)(sizeof data_types / sizeof *data_types))

nw_dtype nw_onnx_dtype(int32_t data_type)
{
    return data_type > 0 && data_type < N_DATA_TYPES ? data_types[data_type].dtype
                                                     : NW_DTYPE_UNKNOWN;
}

nw_status nw_onnx_shape(const int64_t *dims, size_t n_dims, nw_shape *shape, int64_t *elements,
                        const char *label, nw_error *err)
{
    *shape = (nw_shape){.rank = n_dims > NW_MAX_RANK ? -1 : (int)n_dims};
    *elements = 1;
    for (size_t i = 0; i < n_dims; i++) {
        if (dims[i] < 0)
            return nw_fail(err, NW_INVALID, label, "dimension %zu is negative (%lld)", i,
                           (long long)dims[i]);
        if (dims[i] > NW_MAX_DIM || __builtin_mul_overflow(*elements, dims[i], elements) ||
            *elements > NW_MAX_ELEMENTS)
            return nw_fail(err, NW_INVALID, label, "its dimensions are too large (%zu of them)",
                           n_dims);
        if (shape->rank >= 0)
            shape->dims[i] = dims[i];
    }
    return NW_OK;
}

void *nw_onnx_keep_bytes(nw_onnx_import *in, const void *bytes, size_t n_bytes)
{
    void *copy = nw_graph_alloc(in->graph, n_bytes);
    if (n_bytes)
        memcpy(copy, bytes, n_bytes);
    return copy;
}

/* A half float that is no number or infinite is no scale. */
static double read_scale(nw_dtype dtype, const uint8_t *bytes, int64_t i)
{
    double value = nw_element_read(dtype, bytes, i);
    return dtype == NW_DTYPE_FLOAT16 && !isfinite(value) ? 0 : value;
}

static double word_to_double(nw_dtype dtype, uint64_t word)
{
    uint8_t bytes[8];
    for (int k = 0; k < 8; k++)
        bytes[k] = (uint8_t)(word >> 8 * k);
    return read_scale(dtype, bytes, 0);
}

bool nw_onnx_element(const nw_tensor *tensor, int64_t i, double *value)
{
    int bits = nw_dtype_bits(tensor->dtype);
    size_t width = (size_t)bits / 8;
    bool is_nibble = tensor->dtype == NW_DTYPE_INT4 || tensor->dtype == NW_DTYPE_UINT4;
    size_t at = is_nibble ? (size_t)i / 2 : (size_t)i * width;
    if (!tensor->data || bits > 64 || (!width && !is_nibble) || tensor->dtype == NW_DTYPE_FLOAT8 ||
        tensor->dtype == NW_DTYPE_COMPLEX64 || i < 0 ||
        at + (is_nibble ? 1 : width) > tensor->n_bytes)
        return false;
    *value = read_scale(tensor->dtype, tensor->data, i);
    return true;
}

/* ---- data inside the model ---- */

static size_t dense_bytes(nw_dtype dtype, int64_t elements)
{
    return ((size_t)elements * (size_t)nw_dtype_bits(dtype) + 7) / 8;
}

static nw_status fail_length(const char *label, size_t has, const char *unit, size_t wants,
                             nw_error *err)
{
    return nw_fail(err, NW_INVALID, label, "its data have %zu %s, its shape needs %zu", has, unit,
                   wants);
}

static nw_status allow_unpacking(nw_onnx_import *in, size_t n_bytes, const char *label)
{
    in->n_unpacked += n_bytes;
    if (in->n_unpacked > MAX_UNPACKED_BYTES)
        return nw_fail(in->err, NW_LIMIT, label, "unpacked tensors take more than %zu MiB",
                       MAX_UNPACKED_BYTES >> 20);
    return NW_OK;
}

static void put_word(uint8_t *dst, size_t i, size_t width, uint64_t word)
{
    for (size_t k = 0; k < width; k++)
        dst[i * width + k] = (uint8_t)(word >> 8 * k);
}

static nw_status unpack_varints(nw_onnx_import *in, const nw_onnx_payload *payload, size_t n,
                                size_t width, uint8_t *dst, const char *label)
{
    const uint8_t *bytes = in->file->bytes;
    size_t at = payload->offset, end = payload->offset + payload->n_bytes, i = 0;
    uint64_t word;
    for (; at < end; i++) {
        if (!nw_onnx_varint(bytes, end, &at, &word))
            return nw_fail(in->err, NW_INVALID, label, "a number of its data is cut short");
        if (i < n)
            put_word(dst, i, width, word);
    }
    return i == n ? NW_OK : fail_length(label, i, "values", n, in->err);
}

/* A list that protobuf-c unpacked: value i as a little-endian word. */
typedef struct loose_list {
    size_t n;
    const void *values;
    size_t width;
} loose_list;

static loose_list find_loose_list(const Onnx__TensorProto *proto, int field)
{
    switch (field) {
    case NW_ONNX_FLOAT_DATA:
        return (loose_list){proto->n_float_data, proto->float_data, 4};
    case NW_ONNX_INT32_DATA:
        return (loose_list){proto->n_int32_data, proto->int32_data, 4};
    case NW_ONNX_INT64_DATA:
        return (loose_list){proto->n_int64_data, proto->int64_data, 8};
    case NW_ONNX_DOUBLE_DATA:
        return (loose_list){proto->n_double_data, proto->double_data, 8};
    case NW_ONNX_UINT64_DATA:
        return (loose_list){proto->n_uint64_data, proto->uint64_data, 8};
    default:
        return (loose_list){0};
    }
}

static uint64_t loose_word(const loose_list *list, size_t i)
{
    uint32_t narrow;
    uint64_t wide;
    if (list->width == 4) {
        memcpy(&narrow, (const uint8_t *)list->values + 4 * i, 4);
        return narrow;
    }
    memcpy(&wide, (const uint8_t *)list->values + 8 * i, 8);
    return wide;
}

/* Values of a typed list, one entry for each element (two int4, half a complex number). */
static nw_status load_typed(nw_onnx_import *in, const Onnx__TensorProto *proto,
                            const nw_onnx_payload *payload, nw_tensor_id id, size_t n_bytes,
                            const char *label)
{
    int field = data_types[proto->data_type].field;
    bool is_float = field == NW_ONNX_FLOAT_DATA || field == NW_ONNX_DOUBLE_DATA;
    loose_list loose = find_loose_list(proto, field);
    if (payload && payload->field != field)
        return nw_fail(in->err, NW_INVALID, label, "its data are in field %d, its type needs %d",
                       payload->field, field);
    if (payload && is_float) {
        if (payload->n_bytes != n_bytes)
            return fail_length(label, payload->n_bytes, "bytes", n_bytes, in->err);
        nw_graph_set_data(in->graph, id, in->file->bytes + payload->offset, n_bytes,
                          (int64_t)payload->offset);
        return NW_OK;
    }
    int bits = nw_dtype_bits(in->graph->tensors[id].dtype);
    size_t width = is_float ? loose.width : bits < 8 ? 1 : (size_t)bits / 8, n = n_bytes / width;
    if (!payload && loose.n != n)
        return fail_length(label, loose.n, "values", n, in->err);
    if (payload && payload->n_bytes < n)
        return fail_length(label, payload->n_bytes, "values at most", n, in->err);
    nw_status status = allow_unpacking(in, n_bytes, label);
    if (status != NW_OK)
        return status;
    uint8_t *bytes = nw_graph_alloc(in->graph, n_bytes);
    if (payload)
        status = unpack_varints(in, payload, n, width, bytes, label);
    for (size_t i = 0; !payload && i < n; i++)
        put_word(bytes, i, width, loose_word(&loose, i));
    if (status == NW_OK)
        nw_graph_set_data(in->graph, id, bytes, n_bytes, -1);
    return status;
}

bool nw_onnx_first_value(const nw_onnx_import *in, const Onnx__TensorProto *proto, double *value)
{
    uint64_t index = nw_onnx_side_value(&proto->base), word;
    nw_dtype dtype = nw_onnx_dtype(proto->data_type);
    if (nw_dtype_bits(dtype) < 8)
        return false;
    int field = data_types[proto->data_type].field;
    loose_list loose = find_loose_list(proto, field);
    if (!index) {
        if (loose.n)
            *value = word_to_double(dtype, loose_word(&loose, 0));
        return loose.n > 0;
    }
    const nw_onnx_payload *payload = &in->scan->payloads[index - 1];
    size_t at = payload->offset, end = at + payload->n_bytes;
    if (payload->field == NW_ONNX_RAW_DATA || payload->field == NW_ONNX_FLOAT_DATA ||
        payload->field == NW_ONNX_DOUBLE_DATA) {
        nw_tensor view = {
            .dtype = dtype, .data = in->file->bytes + at, .n_bytes = payload->n_bytes};
        return nw_onnx_element(&view, 0, value);
    }
    if (payload->field != field || !nw_onnx_varint(in->file->bytes, end, &at, &word))
        return false;
    *value = word_to_double(dtype, word);
    return true;
}

/* ---- data in files beside the model ---- */

static bool has_unsafe_part(const char *location)
{
    if (!location[0] || location[0] == '/' || location[0] == '\\' ||
        (location[1] == ':' && ((location[0] | 32) >= 'a' && (location[0] | 32) <= 'z')))
        return true;
    for (const char *s = location; *s;) {
        size_t length = strcspn(s, "/\\");
        if (length == 2 && s[0] == '.' && s[1] == '.')
            return true;
        s += length + (s[length] != '\0');
    }
    return false;
}

static nw_status refuse_location(nw_onnx_import *in, const char *label, const char *location)
{
    return nw_fail(in->err, NW_INVALID, label,
                   "its data are outside the model's folder (location '%s'); keep the weights "
                   "beside the model",
                   location);
}

/* Whether path, all links followed, is inside folder. */
static bool is_inside(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || folder[n - 1] == '/');
}

static nw_status find_side_file(nw_onnx_import *in, nw_onnx_side_file *side, const char *label)
{
    const char *model = in->file->path, *slash = strrchr(model, '/');
    char folder[PATH_MAX], path[PATH_MAX], real_folder[PATH_MAX], real_path[PATH_MAX];
    int n = slash ? (int)(slash - model) + 1 : 0;
    if (snprintf(folder, sizeof folder, "%.*s", n, model) >= (int)sizeof folder ||
        snprintf(path, sizeof path, "%s%s", folder, side->location) >= (int)sizeof path)
        return nw_fail(in->err, NW_INVALID, label, "the path of its data is too long");
    struct stat info;
    side->path = NULL;
    if (!realpath(n ? folder : ".", real_folder) || !realpath(path, real_path)) {
        nw_graph_warn(in->graph, "weights are missing: '%s' (of %s) is not there: %s",
                      side->location, label, strerror(errno));
    } else if (!is_inside(real_path, real_folder)) {
        return refuse_location(in, label, side->location);
    } else if (stat(real_path, &info) != 0 || !S_ISREG(info.st_mode)) {
        nw_graph_warn(in->graph, "weights are missing: '%s' (of %s) is no regular file",
                      side->location, label);
    } else {
        side->path = nw_graph_strdup(in->graph, path);
        side->n_bytes = info.st_size;
    }
    return NW_OK;
}

/* *out is valid until the next call. */
static nw_status get_side_file(nw_onnx_import *in, const char *location, const char *label,
                               nw_onnx_side_file **out)
{
    if (has_unsafe_part(location))
        return refuse_location(in, label, location);
    int32_t known = nw_map_get(&in->side_file_index, location);
    if (known == NW_MAP_NONE) {
        nw_onnx_side_file side = {.location = location};
        nw_status status = find_side_file(in, &side, label);
        if (status != NW_OK)
            return status;
        in->side_files = nw_grow(in->side_files, in->n_side_files, &in->side_file_capacity,
                                 sizeof *in->side_files);
        known = (int32_t)in->n_side_files;
        nw_map_put(&in->side_file_index, location, known);
        in->side_files[in->n_side_files++] = side;
    }
    *out = &in->side_files[known];
    return NW_OK;
}

static nw_status parse_size(nw_onnx_import *in, const char *label, const char *key,
                            const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number < 0 || text[0] < '0' || text[0] > '9')
        return nw_fail(in->err, NW_INVALID, label, "%s of its external data is no size: '%s'", key,
                       text);
    *value = number;
    return NW_OK;
}

static nw_status load_external(nw_onnx_import *in, const Onnx__TensorProto *proto, nw_tensor_id id,
                               size_t n_bytes, bool size_known, const char *label)
{
    const char *location = NULL;
    int64_t offset = 0, length = (int64_t)n_bytes;
    nw_status status = NW_OK;
    for (size_t i = 0; i < proto->n_external_data && status == NW_OK; i++) {
        const char *key = nw_onnx_text(proto->external_data[i]->key);
        const char *value = nw_onnx_text(proto->external_data[i]->value);
        if (strcmp(key, "location") == 0)
            location = value;
        else if (strcmp(key, "offset") == 0)
            status = parse_size(in, label, key, value, &offset);
        else if (strcmp(key, "length") == 0)
            status = parse_size(in, label, key, value, &length);
    }
    if (status != NW_OK)
        return status;
    if (!location)
        return nw_fail(in->err, NW_INVALID, label, "its data are external without a location");
    if (size_known && (size_t)length != n_bytes)
        return fail_length(label, (size_t)length, "external bytes", n_bytes, in->err);
    nw_onnx_side_file *side = NULL;
    if ((status = get_side_file(in, location, label, &side)) != NW_OK)
        return status;
    nw_graph_set_data(in->graph, id, NULL, (size_t)length, -1);
    if (!side->path)
        return NW_OK;
    if (offset > side->n_bytes || length > side->n_bytes - offset) {
        if (!side->is_short) /* one warning a file */
            nw_graph_warn(in->graph, "weights are missing: '%s' is too short for %s", location,
                          label);
        side->is_short = true;
        return NW_OK;
    }
    in->graph->tensors[id].file_path = side->path;
    in->graph->tensors[id].file_offset = offset;
    return NW_OK;
}

/* ---- the two kinds of tensors ---- */

static nw_status load_inline(nw_onnx_import *in, const Onnx__TensorProto *proto, nw_tensor_id id,
                             size_t n_bytes, bool size_known, const char *label)
{
    uint64_t index = nw_onnx_side_value(&proto->base);
    const nw_onnx_payload *payload = index ? &in->scan->payloads[index - 1] : NULL;
    bool is_raw = payload && payload->field == NW_ONNX_RAW_DATA;
    if (!size_known || n_bytes == 0) {
        bool is_text = in->graph->tensors[id].dtype == NW_DTYPE_STRING;
        if (payload && size_known && !is_text)
            return fail_length(label, payload->n_bytes, "bytes", n_bytes, in->err);
        nw_graph_set_data(in->graph, id, payload ? in->file->bytes + payload->offset : NULL,
                          payload ? payload->n_bytes : 0, payload ? (int64_t)payload->offset : -1);
        return NW_OK;
    }
    if (!is_raw)
        return load_typed(in, proto, payload, id, n_bytes, label);
    if (payload->n_bytes != n_bytes)
        return fail_length(label, payload->n_bytes, "bytes", n_bytes, in->err);
    nw_graph_set_data(in->graph, id, in->file->bytes + payload->offset, n_bytes,
                      (int64_t)payload->offset);
    return NW_OK;
}

nw_status nw_onnx_load_tensor(nw_onnx_import *in, const Onnx__TensorProto *proto, nw_tensor_id id,
                              const char *label)
{
    int64_t elements;
    nw_shape shape;
    nw_status status = nw_onnx_shape(proto->dims, proto->n_dims, &shape, &elements, label, in->err);
    if (status != NW_OK)
        return status;
    if (proto->data_type < 1 || proto->data_type >= N_DATA_TYPES)
        return nw_fail(in->err, NW_UNSUPPORTED, label, "has element type %d, which is unknown",
                       (int)proto->data_type);
    nw_tensor *tensor = &in->graph->tensors[id];
    tensor->dtype = nw_onnx_dtype(proto->data_type);
    tensor->shape = tensor->stored_shape = shape;
    size_t n_bytes = dense_bytes(tensor->dtype, elements);
    bool size_known = nw_dtype_bits(tensor->dtype) > 0;
    if (proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return load_external(in, proto, id, n_bytes, size_known, label);
    return load_inline(in, proto, id, n_bytes, size_known, label);
}

/* Sparse values are not spread out: the shape is what counts here. */
nw_status nw_onnx_load_sparse(nw_onnx_import *in, const Onnx__SparseTensorProto *proto,
                              nw_tensor_id id, const char *label)
{
    int64_t elements;
    nw_shape shape;
    nw_status status = nw_onnx_shape(proto->dims, proto->n_dims, &shape, &elements, label, in->err);
    if (status != NW_OK)
        return status;
    nw_tensor *tensor = &in->graph->tensors[id];
    tensor->dtype = proto->values ? nw_onnx_dtype(proto->values->data_type) : NW_DTYPE_UNKNOWN;
    tensor->shape = tensor->stored_shape = shape;
    nw_graph_set_data(in->graph, id, NULL, dense_bytes(tensor->dtype, elements), -1);
    return NW_OK;
}
