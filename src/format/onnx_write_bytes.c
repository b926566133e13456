/* The bytes of constants: found, made up, turned, dequantised. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/rng.h"
#include "src/format/onnx_write.h"

#define MAX_CONSTANT_BYTES ((size_t)2000 << 20)

/* The elements of `from` in their new order. */
void nw_onnx_move_elements(const nw_onnx_order *order, const uint8_t *from, size_t width,
                           uint8_t *to)
{
    nw_shape shape = nw_onnx_moved_shape(order);
    int rank = shape.rank;
    int64_t strides[NW_MAX_RANK] = {0}, plain[NW_MAX_RANK], index[NW_MAX_RANK] = {0};
    int64_t stride = 1, n = nw_shape_elements(&shape), at = 0;
    for (int i = rank - 1; i >= 0; i--) {
        plain[i] = stride;
        stride *= order->shape.dims[i];
    }
    for (int i = 0; i < rank; i++)
        strides[i] = plain[order->perm[i]];
    for (int64_t k = 0; k < n; k++) {
        memcpy(to + (size_t)k * width, from + (size_t)at * width, width);
        for (int i = rank - 1; i >= 0; i--) {
            at += strides[i];
            if (++index[i] < shape.dims[i])
                break;
            at -= strides[i] * shape.dims[i];
            index[i] = 0;
        }
    }
}

/* ---- bytes ---- */

void *nw_onnx_take_bytes(nw_onnx_writer *w, int64_t n, size_t width)
{
    size_t n_bytes = (size_t)n * width;
    if (w->n_bytes > MAX_CONSTANT_BYTES || n_bytes > MAX_CONSTANT_BYTES - w->n_bytes) {
        nw_onnx_write_fail(w, NW_LIMIT, "the constants take more than %zu MiB",
                           MAX_CONSTANT_BYTES >> 20);
        return NULL;
    }
    w->n_bytes += n_bytes;
    return nw_arena_alloc(&w->arena, n_bytes);
}

/* Weights after He et al. 2015, equation 10: normal, variance 2 / fan_in. */
static void make_up_floats(nw_onnx_writer *w, nw_tensor_id id, int64_t n, float *out)
{
    const nw_onnx_state *state = &w->states[id];
    nw_rng rng = nw_rng_make(w->options.seed, nw_hash(state->name, strlen(state->name)));
    double middle = state->role == NW_ONNX_ROLE_FACTOR ? 1 : 0;
    double reach = state->role == NW_ONNX_ROLE_ANY ? 1 : 0.1;
    double deviation = sqrt(2 / (double)(state->fan_in > 0 ? state->fan_in : 1));
    for (int64_t i = 0; i < n; i++)
        out[i] = state->role == NW_ONNX_ROLE_SLOPE ? 0.25f
                 : state->role == NW_ONNX_ROLE_WEIGHTS
                     ? (float)(deviation * nw_rng_normal(&rng))
                     : (float)(middle + reach * (2 * nw_rng_unit(&rng) - 1));
}

/* The value of a constant as the graph knows it, from ints or floats. */
static const uint8_t *known_bytes(nw_onnx_writer *w, const nw_tensor *tensor, int64_t n,
                                  size_t width)
{
    uint8_t *bytes = nw_onnx_take_bytes(w, n, width);
    for (int64_t i = 0; bytes && i < n; i++) {
        if (tensor->floats)
            nw_element_write(tensor->dtype, bytes, i, tensor->floats[i]);
        else
            nw_element_write_int(tensor->dtype, bytes, i, tensor->ints[i]);
    }
    return bytes;
}

/* A file that constants are in; NULL, as if they had no values, if it is not to be had. A network
 * may name any path: pipes and devices would wait. */
static nw_file *open_side_file(const nw_onnx_writer *w, const char *path)
{
    nw_buf beside = {0};
    nw_file *file = NULL;
    struct stat info;
    nw_buf_printf(&beside, "%s%s", path[0] == '/' ? "" : w->graph->folder, path);
    const char *const places[2] = {nw_buf_text(&beside), path};
    for (int i = 0; i < 2 && !file; i++)
        if (stat(places[i], &info) != 0 || !S_ISREG(info.st_mode) ||
            nw_file_read(places[i], NW_MAX_MODEL_BYTES, &file, NULL) != NW_OK)
            file = NULL;
    nw_buf_fini(&beside);
    return file;
}

/* Bytes that stand in a file which is not in memory; NULL: not to be had. */
static const uint8_t *side_bytes(nw_onnx_writer *w, const char *path, int64_t file_offset,
                                 size_t n_bytes)
{
    if (!path || file_offset < 0)
        return NULL;
    int32_t at = nw_map_get(&w->side_file_index, path);
    if (at == NW_MAP_NONE) {
        nw_file *file = open_side_file(w, path);
        w->side_files =
            nw_grow(w->side_files, w->n_side_files, &w->side_file_capacity, sizeof(nw_file *));
        at = (int32_t)w->n_side_files;
        w->side_files[w->n_side_files++] = file;
        nw_map_put(&w->side_file_index, path, at);
    }
    const nw_file *file = w->side_files[at];
    size_t offset = (size_t)file_offset;
    return file && offset <= file->n_bytes && n_bytes <= file->n_bytes - offset
               ? file->bytes + offset
               : NULL;
}

static const uint8_t *made_up_bytes(nw_onnx_writer *w, nw_tensor_id id, int64_t n, size_t width)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    bool is_float = nw_dtype_is_float(tensor->dtype) && nw_onnx_data_type(tensor->dtype) &&
                    tensor->dtype != NW_DTYPE_COMPLEX64 && tensor->dtype != NW_DTYPE_COMPLEX128;
    if (w->options.refuses_made_up || !is_float) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "the values of constant '%.80s' are not there",
                           w->states[id].name);
        return NULL;
    }
    w->n_made_up++;
    float *floats = nw_onnx_take_bytes(w, n, sizeof *floats);
    uint8_t *bytes = floats && tensor->dtype != NW_DTYPE_FLOAT32 ? nw_onnx_take_bytes(w, n, width)
                                                                 : (uint8_t *)floats;
    if (!bytes)
        return NULL;
    make_up_floats(w, id, n, floats);
    for (int64_t i = 0; bytes != (uint8_t *)floats && i < n; i++)
        nw_element_write(tensor->dtype, bytes, i, (double)floats[i]);
    return bytes;
}

/* What an edit made: its values in *dtype; NULL after a failure. */
static const uint8_t *edited_bytes(nw_onnx_writer *w, nw_tensor_id id, nw_dtype *dtype)
{
    nw_tensor tensor = w->graph->tensors[id];
    nw_edited edited = *tensor.edited;
    nw_tensor source = {.dtype = edited.dtype, .shape = edited.shape};
    nw_error err;
    void *values;
    size_t n_bytes, n = (size_t)nw_shape_elements(&tensor.shape);
    if (n > MAX_CONSTANT_BYTES / sizeof(float)) {
        nw_onnx_write_fail(w, NW_LIMIT, "constant '%.80s' takes more than %zu MiB",
                           w->states[id].name, MAX_CONSTANT_BYTES >> 20);
        return NULL;
    }
    if (!edited.data && edited.file_path) {
        edited.n_bytes = (size_t)nw_tensor_bytes(&source);
        edited.data = side_bytes(w, edited.file_path, edited.file_offset, edited.n_bytes);
        edited.file_path = edited.data ? edited.file_path : NULL;
    }
    tensor.edited = &edited;
    if (nw_tensor_values(&tensor, w->options.seed, &values, &n_bytes, dtype, &err) != NW_OK) {
        nw_onnx_write_fail(w, err.status, "constant '%.80s': %.160s", w->states[id].name,
                           err.message);
        return NULL;
    }
    uint8_t *bytes = nw_onnx_take_bytes(w, (int64_t)n_bytes, 1);
    if (bytes && n_bytes)
        memcpy(bytes, values, n_bytes);
    free(values);
    return bytes;
}

/* Whether the values are not to be those of the graph. */
static bool must_make_up(const nw_onnx_writer *w, nw_tensor_id id)
{
    return w->options.weights == NW_ONNX_WEIGHTS_MADE_UP && w->states[id].role != NW_ONNX_ROLE_ANY;
}

/* The bytes of a constant in its own type; NULL after a failure. */
const uint8_t *nw_onnx_find_bytes(nw_onnx_writer *w, nw_tensor_id id)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    int64_t n = nw_shape_elements(&tensor->shape);
    size_t width = (size_t)nw_dtype_bits(tensor->dtype) / 8;
    size_t n_bytes = (size_t)nw_tensor_bytes(tensor);
    if (!nw_dtype_bits(tensor->dtype)) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "constant '%.80s' is of type %s", w->states[id].name,
                           nw_dtype_name(tensor->dtype));
        return NULL;
    }
    if (n == 0)
        return (const uint8_t *)"";
    if (must_make_up(w, id))
        return made_up_bytes(w, id, n, width);
    if (tensor->data && tensor->n_bytes >= n_bytes)
        return tensor->data;
    if (tensor->edited) {
        nw_dtype dtype;
        const uint8_t *edited = edited_bytes(w, id, &dtype);
        if (edited && dtype == tensor->dtype)
            return edited;
        nw_onnx_write_fail(w, NW_UNSUPPORTED,
                           "constant '%.80s' is quantised and has new values; write it as floats",
                           w->states[id].name);
        return NULL;
    }
    if (tensor->ints || tensor->floats)
        return known_bytes(w, tensor, n, width);
    const uint8_t *bytes = side_bytes(w, tensor->file_path, tensor->file_offset, n_bytes);
    return bytes ? bytes : made_up_bytes(w, id, n, width);
}

/* Scale and zero point of element i. */
static double dequantise(const nw_quant *quant, int64_t inner, int64_t i, double value)
{
    int64_t channel = quant->n_channels > 1 ? i / inner % quant->n_channels : 0;
    double scale = quant->scales ? (double)quant->scales[channel] : quant->scale;
    int64_t zero = quant->zero_points ? quant->zero_points[channel] : quant->zero_point;
    return quant->n_channels > 0 ? scale * (value - (double)zero) : value;
}

bool nw_onnx_check_channels(nw_onnx_writer *w, nw_tensor_id id)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    const nw_quant *quant = &tensor->quant;
    if (quant->n_channels <= 1)
        return true;
    if (quant->scales && quant->axis >= 0 && quant->axis < tensor->shape.rank &&
        tensor->shape.dims[quant->axis] == quant->n_channels)
        return true;
    nw_onnx_write_fail(w, NW_UNSUPPORTED, "the scales of the %d channels of '%.80s' are not known",
                       quant->n_channels, w->states[id].name);
    return false;
}

/* The values of a constant as float32; NULL after a failure. */
float *nw_onnx_find_floats(nw_onnx_writer *w, nw_tensor_id id)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    int64_t n = nw_shape_elements(&tensor->shape), inner = 1;
    bool is_quantised = nw_onnx_is_quantised(w, id);
    float *floats = nw_onnx_take_bytes(w, n, sizeof *floats);
    bool is_all_new = tensor->edited && nw_tensor_new_elements(tensor) == n;
    if (!floats || (!is_all_new && !nw_onnx_check_channels(w, id)))
        return NULL;
    bool has_none = !tensor->data && !tensor->ints && !tensor->edited && tensor->file_offset < 0;
    if (is_quantised && (has_none || must_make_up(w, id)) && !w->options.refuses_made_up) {
        make_up_floats(w, id, n, floats);
        w->n_made_up++;
        return floats;
    }
    nw_dtype dtype = tensor->dtype;
    bool is_edited = tensor->edited && !must_make_up(w, id);
    const uint8_t *bytes = is_edited ? edited_bytes(w, id, &dtype) : nw_onnx_find_bytes(w, id);
    is_quantised &= dtype == tensor->dtype; /* edited ones may be real numbers already */
    for (int i = tensor->quant.axis + 1; i < tensor->shape.rank && i > 0; i++)
        inner *= tensor->shape.dims[i];
    for (int64_t i = 0; bytes && i < n; i++) {
        double value = nw_element_read(dtype, bytes, i);
        floats[i] = (float)(is_quantised ? dequantise(&tensor->quant, inner, i, value) : value);
    }
    return bytes ? floats : NULL;
}
