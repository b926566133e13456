/* What edits leave in a network as JSON: constants made of others, lines of edits, hints. */
#include <cjson/cJSON.h>
#include <string.h>

#include "src/format/network_json.h"

typedef nw_json_reader reader;

/* A run [first, n] into the map at *used. */
static nw_status read_run(reader *in, const cJSON *json, int64_t old_size, int64_t size,
                          int32_t *map, int64_t *used)
{
    int64_t first = 0, n = 0;
    const cJSON *a = json->child, *b = a ? a->next : NULL;
    if (!cJSON_IsArray(json) || !b || b->next)
        return nw_json_fail(in, NW_INVALID, "must be runs, each [first, n]");
    nw_status status = nw_json_int(in, a, -1, INT32_MAX, &first);
    if (status == NW_OK)
        status = nw_json_int(in, b, 1, size - *used, &n);
    if (status == NW_OK && first >= 0 && first + n > old_size)
        return nw_json_fail(in, NW_INVALID, "names element %lld of %lld",
                            (long long)(first + n - 1), (long long)old_size);
    for (int64_t i = 0; status == NW_OK && i < n; i++)
        map[(*used)++] = (int32_t)(first < 0 ? -1 : first + i);
    return status;
}

static nw_status read_map(reader *in, const cJSON *json, int64_t old_size, int64_t size,
                          const int32_t **out)
{
    nw_status status = NW_OK;
    int64_t used = 0;
    *out = NULL;
    if (cJSON_IsNull(json) && old_size == size)
        return NW_OK;
    if (cJSON_IsNull(json))
        return nw_json_fail(in, NW_INVALID, "has %lld elements, the axis %lld", (long long)old_size,
                            (long long)size);
    if (!cJSON_IsArray(json))
        return nw_json_wrong_type(in, "a list of runs or null", json);
    if (size > NW_JSON_MAX_MAP_ELEMENTS - in->map_elements)
        return nw_json_fail(in, NW_LIMIT, "over %lld elements of maps up to here",
                            (long long)NW_JSON_MAX_MAP_ELEMENTS);
    in->map_elements += size;
    int32_t *map = nw_graph_alloc(in->graph, (size_t)size * sizeof *map);
    for (const cJSON *run = json->child; run && status == NW_OK; run = run->next)
        status = read_run(in, run, old_size, size, map, &used);
    if (status == NW_OK && used != size)
        status = nw_json_fail(in, NW_INVALID, "has %lld elements, the axis %lld", (long long)used,
                              (long long)size);
    *out = map;
    return status;
}

static nw_status read_maps(reader *in, const cJSON *json, const nw_shape *shape, nw_edited *out)
{
    nw_status status = NW_OK;
    int axis = 0;
    in->key = "maps";
    if (!cJSON_IsArray(json) || cJSON_GetArraySize(json) != shape->rank)
        return nw_json_fail(in, NW_INVALID, "must be a list with an entry for each axis");
    for (const cJSON *item = json->child; item && status == NW_OK; item = item->next, axis++) {
        in->item = axis;
        status = read_map(in, item, out->shape.dims[axis], shape->dims[axis], &out->maps[axis]);
    }
    if (status == NW_OK)
        in->item = -1;
    return status;
}

static nw_status read_spatial(reader *in, const cJSON *json, int rank, nw_edited *out)
{
    in->key = "spatial";
    if (!cJSON_IsArray(json))
        return nw_json_wrong_type(in, "a list of axes", json);
    for (const cJSON *item = json->child; item; item = item->next) {
        int64_t axis = 0;
        nw_status status = nw_json_int(in, item, 0, rank - 1, &axis);
        if (status != NW_OK)
            return status;
        out->is_spatial[axis] = true;
    }
    return NW_OK;
}

nw_status nw_json_edited(reader *in, const void *parsed, const nw_shape *shape, nw_edited *out)
{
    static const char *const keys[] = {"dtype",   "shape", "quant",  "maps",
                                       "spatial", "fill",  "fan_in", NULL};
    enum { DTYPE, SHAPE, QUANT, MAPS, SPATIAL, FILL, FAN_IN, N };
    const void *found[N];
    const char *group = in->group;
    int64_t fan_in = 0;
    int fill = 0;
    *out = (nw_edited){.file_offset = -1};
    in->group = "edited";
    nw_status status = nw_json_members(in, parsed, keys, found);
    if (status == NW_OK && (!found[DTYPE] || !found[SHAPE] || !found[MAPS]))
        status = nw_json_fail(in, NW_INVALID, "needs dtype, shape and maps");
    in->key = "dtype";
    if (status == NW_OK)
        status = nw_json_dtype(in, found[DTYPE], &out->dtype);
    in->key = "shape";
    if (status == NW_OK)
        status = nw_json_shape(in, found[SHAPE], &out->shape);
    if (status == NW_OK && (!nw_shape_is_known(shape) || !nw_shape_is_known(&out->shape) ||
                            shape->rank != out->shape.rank))
        status = nw_json_fail(in, NW_INVALID, "must be known, with as many axes as the constant");
    if (status == NW_OK && found[QUANT])
        status = nw_json_quant(in, found[QUANT], &out->quant);
    if (status == NW_OK)
        status = read_maps(in, found[MAPS], shape, out);
    if (status == NW_OK && found[SPATIAL])
        status = read_spatial(in, found[SPATIAL], shape->rank, out);
    in->key = "fill";
    if (status == NW_OK && found[FILL])
        status = nw_json_choice(in, found[FILL], nw_json_edit_fills, &fill);
    in->key = "fan_in";
    if (status == NW_OK && found[FAN_IN])
        status = nw_json_int(in, found[FAN_IN], 0, INT32_MAX, &fan_in);
    out->fill = (nw_edit_fill)fill;
    out->fan_in = (int32_t)fan_in;
    in->group = group;
    in->key = NULL;
    return status;
}

nw_status nw_json_edits(reader *in, const void *parsed)
{
    const cJSON *json = parsed;
    int n = 0;
    in->key = "edits";
    if (!cJSON_IsArray(json))
        return nw_json_wrong_type(in, "a list of lines", json);
    for (const cJSON *item = json->child; item; item = item->next)
        n++;
    const char **lines = nw_graph_alloc(in->graph, (size_t)n * sizeof *lines);
    in->item = 0;
    for (const cJSON *item = json->child; item; item = item->next, in->item++) {
        const char *line;
        nw_status status = nw_json_text(in, item, &line);
        if (status != NW_OK)
            return status;
        lines[in->item] = nw_graph_strdup(in->graph, line);
    }
    in->item = -1;
    in->key = NULL;
    in->graph->edits = lines;
    in->graph->n_edits = n;
    return NW_OK;
}

nw_status nw_json_hint(reader *in, const void *parsed, nw_hint *hint)
{
    static const char *const keys[] = {"bits", "float", "splits", "joins", NULL};
    const void *found[4];
    bool *const flags[] = {NULL, &hint->is_float, &hint->splits, &hint->joins};
    int64_t bits = 0;
    in->group = "hint";
    nw_status status = nw_json_members(in, parsed, keys, found);
    in->key = keys[0];
    if (status == NW_OK && found[0])
        status = nw_json_int(in, found[0], 0, 64, &bits);
    if (status == NW_OK && bits != 0 && bits != 4 && bits != 8 && bits != 16 && bits != 32)
        status = nw_json_fail(in, NW_INVALID, "must be 0, 4, 8, 16 or 32, not %d", (int)bits);
    hint->bits = (uint8_t)bits;
    for (int k = 1; k < 4 && status == NW_OK; k++) {
        in->key = keys[k];
        if (found[k] && !cJSON_IsBool((const cJSON *)found[k]))
            status = nw_json_wrong_type(in, "true or false", found[k]);
        else
            *flags[k] = found[k] && cJSON_IsTrue((const cJSON *)found[k]);
    }
    if (status == NW_OK)
        in->group = in->key = NULL;
    return status;
}
