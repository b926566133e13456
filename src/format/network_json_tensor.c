/* Tensors and constants of the reader of networks as JSON. */
#include <cjson/cJSON.h>
#include <float.h>
#include <string.h>

#include "src/format/network_json.h"

typedef nw_json_reader reader;

nw_status nw_json_shape(reader *in, const void *parsed, nw_shape *shape)
{
    const cJSON *json = parsed;
    *shape = (nw_shape){.rank = -1};
    if (!json || cJSON_IsNull(json))
        return NW_OK;
    if (!cJSON_IsArray(json))
        return nw_json_wrong_type(in, "a list of sizes or null", json);
    int64_t elements = 1;
    shape->rank = 0;
    for (const cJSON *item = json->child; item; item = item->next) {
        int64_t size = 0;
        in->item = shape->rank;
        if (shape->rank == NW_MAX_RANK)
            return nw_json_fail(in, NW_INVALID, "more than %d dimensions", NW_MAX_RANK);
        nw_status status = nw_json_int(in, item, NW_DIM_FREE, NW_MAX_DIM, &size);
        if (status != NW_OK)
            return status;
        shape->dims[shape->rank++] = size;
        elements *= size > 1 ? size : 1;
        if (elements > NW_MAX_ELEMENTS)
            return nw_json_fail(in, NW_INVALID, "over 2^40 elements");
    }
    in->item = -1;
    return NW_OK;
}

/* One for each channel. */
static nw_status check_channels(reader *in, const cJSON *json, int n_channels)
{
    int n = 0;
    if (!cJSON_IsArray(json))
        return nw_json_wrong_type(in, "a list", json);
    for (const cJSON *item = json->child; item; item = item->next)
        n++;
    return n == n_channels && n > 1
               ? NW_OK
               : nw_json_fail(in, NW_INVALID, "has %d values for %d channels", n, n_channels);
}

static nw_status read_scales(reader *in, const cJSON *json, nw_quant *quant)
{
    nw_status status = check_channels(in, json, quant->n_channels);
    if (status != NW_OK)
        return status;
    float *scales = nw_graph_alloc(in->graph, (size_t)quant->n_channels * sizeof *scales);
    in->item = 0;
    for (const cJSON *item = json->child; item; item = item->next, in->item++) {
        double value = 0;
        if ((status = nw_json_real(in, item, FLT_MAX, &value)) != NW_OK)
            return status;
        scales[in->item] = (float)value;
    }
    in->item = -1;
    quant->scales = scales;
    return NW_OK;
}

static nw_status read_zero_points(reader *in, const cJSON *json, nw_quant *quant)
{
    nw_status status = check_channels(in, json, quant->n_channels);
    if (status != NW_OK)
        return status;
    int64_t *points = nw_graph_alloc(in->graph, (size_t)quant->n_channels * sizeof *points);
    in->item = 0;
    for (const cJSON *item = json->child; item; item = item->next, in->item++)
        if ((status = nw_json_int(in, item, INT64_MIN, INT64_MAX, &points[in->item])) != NW_OK)
            return status;
    in->item = -1;
    quant->zero_points = points;
    return NW_OK;
}

nw_status nw_json_quant(reader *in, const void *json, nw_quant *quant)
{
    static const char *const keys[] = {"channels", "axis",        "scale", "zero_point",
                                       "scales",   "zero_points", NULL};
    const void *found[6];
    const char *group = in->group;
    int64_t channels = 0, axis = 0;
    in->group = "quant";
    nw_status status = nw_json_members(in, json, keys, found);
    for (int k = 0; k < 4 && status == NW_OK; k++) {
        in->key = keys[k];
        if (!found[k])
            continue;
        if (k == 0)
            status = nw_json_int(in, found[k], 0, INT32_MAX, &channels);
        else if (k == 1)
            status = nw_json_int(in, found[k], INT32_MIN, INT32_MAX, &axis);
        else if (k == 2)
            status = nw_json_real(in, found[k], DBL_MAX, &quant->scale);
        else
            status = nw_json_int(in, found[k], INT64_MIN, INT64_MAX, &quant->zero_point);
    }
    if (status != NW_OK)
        return status;
    quant->n_channels = (int)channels;
    quant->axis = (int)axis;
    in->key = "scales";
    if (found[4])
        status = read_scales(in, found[4], quant);
    in->key = "zero_points";
    if (found[5] && status == NW_OK)
        status = read_zero_points(in, found[5], quant);
    if (status == NW_OK) {
        in->group = group;
        in->key = NULL;
    }
    return status;
}

/* Whole numbers as the little-endian bytes of the tensor's type. */
static nw_status read_values(reader *in, const cJSON *json, const nw_tensor *tensor,
                             uint8_t **bytes, size_t *n_bytes)
{
    int bits = nw_dtype_bits(tensor->dtype), width = bits / 8;
    bool is_unsigned =
        strncmp(nw_dtype_name(tensor->dtype), "uint", 4) == 0 || tensor->dtype == NW_DTYPE_BOOL;
    if (!cJSON_IsArray(json))
        return nw_json_wrong_type(in, "a list", json);
    if (bits < 8 || nw_dtype_is_float(tensor->dtype) || tensor->dtype == NW_DTYPE_UINT64)
        return nw_json_fail(in, NW_INVALID, "are for integers up to int64; use base64 for %s",
                            nw_dtype_name(tensor->dtype));
    int64_t max = bits == 64 ? INT64_MAX : ((int64_t)1 << (bits - !is_unsigned)) - 1;
    int64_t min = is_unsigned ? 0 : -max - 1;
    int64_t n = 0;
    for (const cJSON *item = json->child; item; item = item->next)
        n++;
    if (!nw_shape_is_known(&tensor->shape) || n != nw_shape_elements(&tensor->shape))
        return nw_json_fail(in, NW_INVALID, "are %lld, the shape has %lld elements", (long long)n,
                            (long long)nw_shape_elements(&tensor->shape));
    uint8_t *data = nw_graph_alloc(in->graph, (size_t)n * (size_t)width);
    size_t used = 0;
    in->item = 0;
    for (const cJSON *item = json->child; item; item = item->next, in->item++) {
        int64_t value = 0;
        nw_status status = nw_json_int(in, item, min, max, &value);
        if (status != NW_OK)
            return status;
        for (int i = 0; i < width; i++)
            data[used++] = (uint8_t)((uint64_t)value >> (8 * i));
    }
    in->item = -1;
    *bytes = data;
    *n_bytes = used;
    return NW_OK;
}

/* Remembers that a file must reach to `end`. */
static void note_file(reader *in, const char *path, int64_t end)
{
    int32_t id = nw_map_get(&in->file_ids, path);
    if (id == NW_MAP_NONE && in->n_files < NW_JSON_MAX_FILES) {
        id = in->n_files++;
        in->files[id] = (nw_json_file){.path = path};
        nw_map_put(&in->file_ids, path, id);
    }
    if (id == NW_MAP_NONE)
        return;
    in->files[id].n_tensors++;
    if (end > in->files[id].end)
        in->files[id].end = end;
}

enum { BYTES, VALUES, BASE64, STORED, FILE_PATH, OFFSET, EDITED, N_CONST_KEYS };
static const char *const const_keys[] = {"bytes", "values", "base64", "stored",
                                         "file",  "offset", "edited", NULL};

/* A constant's bytes, from the JSON itself or nowhere: those of other files are not read, since no
 * estimate needs them and a network from elsewhere must not make us open files. */
static nw_status read_bytes(reader *in, const void *const *found, const nw_tensor *tensor,
                            uint8_t **bytes, int64_t *n_bytes)
{
    static const char *const names[] = {"bytes", "values", "base64"};
    size_t length = 0;
    nw_status status = NW_OK;
    int n_given = 0, which = BYTES;
    for (int k = 0; k < 3; k++)
        if (found[k]) {
            n_given++;
            which = k;
        }
    in->key = NULL;
    if (n_given != 1)
        return nw_json_fail(in, NW_INVALID, "needs one of \"bytes\", \"values\" and \"base64\"");
    in->key = names[which];
    if (which == BYTES)
        return nw_json_int(in, found[BYTES], 0, NW_MAX_ELEMENTS * 16, n_bytes);
    if (which == VALUES)
        status = read_values(in, found[VALUES], tensor, bytes, &length);
    else if (!cJSON_IsString(found[BASE64]))
        status = nw_json_wrong_type(in, "a string", found[BASE64]);
    else
        status = nw_json_base64(in, ((const cJSON *)found[BASE64])->valuestring, bytes, &length);
    *n_bytes = (int64_t)length;
    if (status == NW_OK && *n_bytes < nw_tensor_bytes(tensor))
        return nw_json_fail(in, NW_INVALID, "has %lld bytes, the tensor needs %lld",
                            (long long)*n_bytes, (long long)nw_tensor_bytes(tensor));
    return status;
}

/* Where in a file the values are; *path stays NULL where they are in none. */
static nw_status read_place(reader *in, const void *const *found, const char **path,
                            int64_t *offset)
{
    nw_status status = NW_OK;
    const char *file = in->file;
    in->key = "offset";
    if (found[OFFSET])
        status = nw_json_int(in, found[OFFSET], 0, NW_JSON_MAX_EXACT, offset);
    in->key = "file";
    if (status == NW_OK && found[FILE_PATH] && !found[OFFSET])
        status = nw_json_fail(in, NW_INVALID, "needs an offset beside it");
    if (status == NW_OK && found[FILE_PATH])
        status = nw_json_text(in, found[FILE_PATH], &file);
    if (status == NW_OK && *offset >= 0 && file)
        *path = file == in->file ? file : nw_graph_strdup(in->graph, file);
    return status;
}

/* The values stand as those of *source, of which an edited constant is made; else the tensor's. */
static nw_status read_source(reader *in, const void *const *found, nw_tensor *source)
{
    int64_t n_bytes = 0;
    uint8_t *bytes = NULL;
    nw_status status = read_bytes(in, found, source, &bytes, &n_bytes);
    source->file_offset = -1;
    if (status == NW_OK)
        status = read_place(in, found, &source->file_path, &source->file_offset);
    in->key = "stored";
    if (status == NW_OK && found[STORED] && !cJSON_IsBool(found[STORED]))
        status = nw_json_wrong_type(in, "true or false", found[STORED]);
    in->key = NULL;
    if (status == NW_OK && (in->const_bytes += n_bytes) > NW_JSON_MAX_CONST_BYTES)
        status = nw_json_fail(in, NW_LIMIT, "over 2^60 bytes of constants up to here");
    if (status == NW_OK && source->file_path)
        note_file(in, source->file_path, source->file_offset + n_bytes);
    source->data = bytes;
    source->n_bytes = (size_t)n_bytes;
    return status;
}

static nw_status read_constant(reader *in, const cJSON *json, nw_tensor_id id)
{
    const void *found[N_CONST_KEYS];
    nw_edited edited = {0};
    nw_tensor *tensor = &in->graph->tensors[id];
    nw_tensor source = {.dtype = tensor->dtype, .shape = tensor->shape};
    in->group = "const";
    nw_status status = nw_json_members(in, json, const_keys, found);
    if (status == NW_OK && found[EDITED])
        status = nw_json_edited(in, found[EDITED], &tensor->shape, &edited);
    if (found[EDITED]) {
        source.dtype = edited.dtype;
        source.shape = edited.shape;
    }
    if (status == NW_OK)
        status = read_source(in, found, &source);
    if (status != NW_OK)
        return status;
    if (found[EDITED]) {
        edited.data = source.data;
        edited.n_bytes = source.n_bytes;
        edited.file_offset = source.file_offset;
        edited.file_path = source.file_path;
        nw_graph_set_data(in->graph, id, NULL, 0, -1);
        nw_edited *kept = nw_graph_alloc(in->graph, sizeof *kept);
        *kept = edited;
        tensor->edited = kept;
    } else {
        nw_graph_set_data(in->graph, id, source.data, source.n_bytes, source.file_offset);
        tensor->file_path = source.file_path;
    }
    tensor->is_stored = !found[STORED] || cJSON_IsTrue(found[STORED]);
    in->group = NULL;
    return NW_OK;
}

nw_status nw_json_dtype(reader *in, const void *parsed, nw_dtype *out)
{
    const cJSON *json = parsed;
    if (!cJSON_IsString(json))
        return nw_json_wrong_type(in, "the name of a type", json);
    *out = nw_dtype_find(json->valuestring);
    if (*out == NW_DTYPE_UNKNOWN && strcmp(json->valuestring, nw_dtype_name(*out)) != 0)
        return nw_json_fail(in, NW_INVALID, "\"%.40s\" is no type we know", json->valuestring);
    return NW_OK;
}

nw_status nw_json_read_tensor(reader *in, const void *json)
{
    static const char *const keys[] = {"id",           "name",  "dtype", "shape",
                                       "stored_shape", "quant", "const", NULL};
    enum { ID, NAME, DTYPE, SHAPE, STORED_SHAPE, QUANT, CONST, N };
    const void *found[N];
    const char *name = "";
    nw_dtype dtype = NW_DTYPE_UNKNOWN;
    nw_shape shape, stored_shape;
    nw_quant quant = {0};
    nw_status status = nw_json_members(in, json, keys, found);
    if (status == NW_OK)
        status = nw_json_check_id(in, found[ID]);
    in->key = "name";
    if (status == NW_OK && found[NAME])
        status = nw_json_text(in, found[NAME], &name);
    in->key = "dtype";
    if (status == NW_OK)
        status = found[DTYPE] ? nw_json_dtype(in, found[DTYPE], &dtype)
                              : nw_json_fail(in, NW_INVALID, "is missing");
    in->key = "shape";
    if (status == NW_OK)
        status = nw_json_shape(in, found[SHAPE], &shape);
    in->key = "stored_shape";
    if (status == NW_OK)
        status = nw_json_shape(in, found[STORED_SHAPE] ? found[STORED_SHAPE] : found[SHAPE],
                               &stored_shape);
    in->key = NULL;
    if (status == NW_OK && found[QUANT])
        status = nw_json_quant(in, found[QUANT], &quant);
    if (status != NW_OK)
        return status;
    nw_tensor_id id = nw_graph_add_tensor(in->graph, name, dtype, &shape);
    in->graph->tensors[id].stored_shape = stored_shape;
    in->graph->tensors[id].quant = quant;
    return found[CONST] ? read_constant(in, found[CONST], id) : NW_OK;
}
