/* Reader of our own network format; see network_json.h for its forms. */
#include <cjson/cJSON.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/arena.h"
#include "src/base/guard.h"
#include "src/base/map.h"
#include "src/format/format.h"
#include "src/format/network_json.h"

#define MAX_FILE_BYTES ((size_t)64 << 20)
#define MAX_VALUES     3000000 /* of JSON; each takes some 100 bytes once parsed */

typedef nw_json_reader reader;

/* Tensor ids; null is NW_NONE where one may be left out. The caller frees *ids. */
static nw_status read_ids(reader *in, const cJSON *json, bool may_lack, nw_tensor_id **ids, int *n)
{
    nw_tensor_id *list = NULL;
    size_t used = 0, capacity = 0;
    nw_status status = NW_OK;
    *ids = NULL;
    *n = 0;
    if (!json)
        return NW_OK;
    if (!cJSON_IsArray(json))
        return nw_json_wrong_type(in, "a list", json);
    for (const cJSON *item = json->child; item && status == NW_OK; item = item->next) {
        int64_t id = NW_NONE;
        in->item = (int)used;
        if (in->graph->n_tensors == 0)
            status = nw_json_fail(in, NW_INVALID, "there are no tensors");
        else if (!cJSON_IsNull(item) || !may_lack)
            status = nw_json_int(in, item, 0, in->graph->n_tensors - 1, &id);
        list = nw_grow(list, used, &capacity, sizeof *list);
        list[used++] = (nw_tensor_id)id;
    }
    if (status != NW_OK) {
        free(list);
        return status;
    }
    in->item = -1;
    *ids = list;
    *n = (int)used;
    return NW_OK;
}

/* ---- nodes ---- */

static nw_status read_attr(reader *in, const nw_json_attr *attr, const cJSON *json, nw_attrs *attrs)
{
    char *at = (char *)attrs + attr->offset;
    int64_t whole = 0;
    int index = 0;
    double real = 0;
    nw_status status = NW_OK;
    switch (attr->type) {
    case NW_JSON_INT32:
        status = nw_json_int(in, json, INT32_MIN, INT32_MAX, &whole);
        memcpy(at, &(int32_t){(int32_t)whole}, sizeof(int32_t));
        break;
    case NW_JSON_ENUM:
        status = nw_json_choice(in, json, attr->names, &index);
        memcpy(at, &(uint8_t){(uint8_t)index}, sizeof(uint8_t));
        break;
    case NW_JSON_BOOL:
        if (!cJSON_IsBool(json))
            return nw_json_wrong_type(in, "true or false", json);
        memcpy(at, &(bool){cJSON_IsTrue(json)}, sizeof(bool));
        break;
    default:
        status = nw_json_real(in, json, FLT_MAX, &real);
        memcpy(at, &(float){(float)real}, sizeof(float));
    }
    return status;
}

/* The lists `ints` (is_real false) and `floats`. */
static nw_status read_list(reader *in, const cJSON *json, bool is_real, nw_attrs *attrs)
{
    size_t n = 0;
    if (!cJSON_IsArray(json))
        return nw_json_wrong_type(in, "a list", json);
    for (const cJSON *item = json->child; item; item = item->next)
        n++;
    int64_t *ints = is_real ? NULL : nw_graph_alloc(in->graph, n * sizeof *ints);
    float *floats = is_real ? nw_graph_alloc(in->graph, n * sizeof *floats) : NULL;
    in->item = 0;
    for (const cJSON *item = json->child; item; item = item->next, in->item++) {
        double real = 0;
        nw_status status = is_real ? nw_json_real(in, item, FLT_MAX, &real)
                                   : nw_json_int(in, item, INT64_MIN, INT64_MAX, &ints[in->item]);
        if (status != NW_OK)
            return status;
        if (is_real)
            floats[in->item] = (float)real;
    }
    in->item = -1;
    if (is_real) {
        attrs->floats = floats;
        attrs->n_floats = (int32_t)n;
    } else {
        attrs->ints = ints;
        attrs->n_ints = (int32_t)n;
    }
    return NW_OK;
}

#define MAX_ATTRS 64 /* of the table, and the lists */

static nw_status read_attrs(reader *in, const cJSON *json, nw_attrs *attrs)
{
    const char *keys[MAX_ATTRS] = {"ints", "floats"};
    const void *found[MAX_ATTRS];
    nw_status status = NW_OK;
    if (!json)
        return NW_OK;
    for (int k = 0; nw_json_attrs[k].name && k + 3 < MAX_ATTRS; k++)
        keys[k + 2] = nw_json_attrs[k].name;
    in->group = "attrs";
    status = nw_json_members(in, json, keys, found);
    for (int k = 0; keys[k] && status == NW_OK; k++) {
        in->key = keys[k];
        if (found[k] && k < 2)
            status = read_list(in, found[k], k == 1, attrs);
        else if (found[k])
            status = read_attr(in, &nw_json_attrs[k - 2], found[k], attrs);
    }
    in->key = "n_axes"; /* so many begins, ends and axes each are in ints */
    if (status == NW_OK && (attrs->n_axes < 0 || attrs->n_axes > attrs->n_ints / 3))
        status = nw_json_fail(in, NW_INVALID, "ints must hold three times as many numbers");
    if (status == NW_OK)
        in->group = in->key = NULL;
    return status;
}

static nw_status read_op(reader *in, const cJSON *json, nw_op *out)
{
    if (!json)
        return nw_json_fail(in, NW_INVALID, "is missing");
    if (!cJSON_IsString(json))
        return nw_json_wrong_type(in, "the name of an operator", json);
    *out = nw_op_find(json->valuestring);
    if (*out == NW_OP_COUNT)
        return nw_json_fail(in, NW_INVALID, "\"%.40s\" is no operator we know", json->valuestring);
    return NW_OK;
}

/* All of a node but its tensors. */
typedef struct node_head {
    nw_op op;
    const char *name, *file_type;
    nw_attrs attrs;
    int act;
    int64_t opaque_bytes;
    nw_hint hint;
} node_head;

enum {
    NODE_ID,
    NODE_OP,
    NODE_TYPE,
    NODE_NAME,
    NODE_IN,
    NODE_OUT,
    NODE_ATTRS,
    NODE_ACT,
    NODE_BYTES,
    NODE_HINT
};
static const char *const node_keys[] = {"id",    "op",  "type",         "name", "inputs", "outputs",
                                        "attrs", "act", "opaque_bytes", "hint", NULL};
#define N_NODE_KEYS (sizeof node_keys / sizeof *node_keys - 1)

static nw_status read_head(reader *in, const void *const *found, node_head *head)
{
    nw_status status = nw_json_check_id(in, found[NODE_ID]);
    in->key = "op";
    if (status == NW_OK)
        status = read_op(in, found[NODE_OP], &head->op);
    in->key = "type";
    head->file_type = "";
    if (status == NW_OK && found[NODE_TYPE])
        status = nw_json_text(in, found[NODE_TYPE], &head->file_type);
    in->key = "name";
    head->name = "";
    if (status == NW_OK && found[NODE_NAME])
        status = nw_json_text(in, found[NODE_NAME], &head->name);
    in->key = "act";
    if (status == NW_OK && found[NODE_ACT])
        status = nw_json_choice(in, found[NODE_ACT], nw_json_acts, &head->act);
    in->key = "opaque_bytes";
    if (status == NW_OK && found[NODE_BYTES])
        status = nw_json_int(in, found[NODE_BYTES], 0, NW_MAX_ELEMENTS, &head->opaque_bytes);
    if (status == NW_OK && (in->const_bytes += head->opaque_bytes) > NW_JSON_MAX_CONST_BYTES)
        status = nw_json_fail(in, NW_LIMIT, "over 2^60 bytes of constants up to here");
    in->key = NULL;
    if (status == NW_OK && found[NODE_HINT])
        status = nw_json_hint(in, found[NODE_HINT], &head->hint);
    nw_attrs_init(&head->attrs);
    return status == NW_OK ? read_attrs(in, found[NODE_ATTRS], &head->attrs) : status;
}

static nw_status read_node(reader *in, const void *json)
{
    const void *found[N_NODE_KEYS];
    node_head head = {0};
    nw_tensor_id *inputs = NULL, *outputs = NULL;
    int n_inputs = 0, n_outputs = 0;
    nw_status status = nw_json_members(in, json, node_keys, found);
    if (status == NW_OK)
        status = read_head(in, found, &head);
    if (status != NW_OK)
        return status;
    in->key = "inputs";
    status = read_ids(in, found[NODE_IN], true, &inputs, &n_inputs);
    if (status == NW_OK) {
        in->key = "outputs";
        status = read_ids(in, found[NODE_OUT], true, &outputs, &n_outputs);
    }
    if (status == NW_OK) {
        nw_node *node = nw_graph_add_node(in->graph, head.op, head.name, head.file_type, inputs,
                                          n_inputs, outputs, n_outputs);
        node->attrs = head.attrs;
        node->act = (nw_act)head.act;
        node->opaque_bytes = head.opaque_bytes;
        node->hint = head.hint;
        in->key = NULL;
    }
    free(inputs);
    free(outputs);
    return status;
}

/* ---- the whole ---- */

/* Walked by ->next: cJSON's access by index makes long lists quadratic. */
static nw_status read_each(reader *in, const char *list, const cJSON *json,
                           nw_status (*read)(reader *, const void *))
{
    in->key = list;
    if (!json)
        return nw_json_fail(in, NW_INVALID, "is missing");
    if (!cJSON_IsArray(json))
        return nw_json_wrong_type(in, "a list", json);
    in->key = NULL;
    in->list = list;
    in->index = 0;
    for (const cJSON *item = json->child; item; item = item->next, in->index++) {
        nw_status status = read(in, item);
        if (status != NW_OK)
            return status;
    }
    in->list = NULL;
    return NW_OK;
}

static nw_status read_ends(reader *in, const char *key, const cJSON *json,
                           void (*add)(nw_graph *, nw_tensor_id))
{
    nw_tensor_id *ids;
    int n;
    in->key = key;
    nw_status status = read_ids(in, json, false, &ids, &n);
    if (status != NW_OK)
        return status;
    for (int i = 0; i < n; i++)
        add(in->graph, ids[i]);
    free(ids);
    return NW_OK;
}

/* The size of a file that a network names, looked for beside the network, then as it stands. */
static bool find_size(const reader *in, const char *path, int64_t *size)
{
    struct stat info;
    nw_buf beside = {0};
    nw_buf_printf(&beside, "%s%s", path[0] == '/' ? "" : in->graph->folder, path);
    bool is_there = (stat(nw_buf_text(&beside), &info) == 0 && S_ISREG(info.st_mode)) ||
                    (stat(path, &info) == 0 && S_ISREG(info.st_mode));
    nw_buf_fini(&beside);
    *size = is_there ? (int64_t)info.st_size : 0;
    return is_there;
}

static void warn_of_files(reader *in)
{
    for (int i = 0; i < in->n_files; i++) {
        const nw_json_file *file = &in->files[i];
        int64_t size = 0;
        if (!find_size(in, file->path, &size))
            nw_graph_warn(in->graph, "%.200s is not there: the values of %d constants are unknown",
                          file->path, file->n_tensors);
        else if (size < file->end)
            nw_graph_warn(in->graph,
                          "%.200s has %lld bytes where %lld are needed: it is not the file whose "
                          "%d constants this network names",
                          file->path, (long long)size, (long long)file->end, file->n_tensors);
    }
}

enum { SCHEMA, NAME, FORMAT, LAYOUT, FILE_PATH, INPUTS, OUTPUTS, TENSORS, NODES, EDITS, N_KEYS };
static const char *const top_keys[] = {"schema",  "name",    "format", "layout", "file", "inputs",
                                       "outputs", "tensors", "nodes",  "edits",  NULL};

static nw_status read_header(reader *in, const void *const *found)
{
    const char *name = "", *format = "", *file = NULL;
    int layout = 0;
    nw_status status = NW_OK;
    in->graph = nw_graph_new("", NW_LAYOUT_NHWC);
    in->key = "name";
    if (found[NAME])
        status = nw_json_text(in, found[NAME], &name);
    in->key = "format";
    if (status == NW_OK && found[FORMAT])
        status = nw_json_text(in, found[FORMAT], &format);
    in->key = "layout";
    if (status == NW_OK)
        status = found[LAYOUT] ? nw_json_choice(in, found[LAYOUT], nw_json_layouts, &layout)
                               : nw_json_fail(in, NW_INVALID, "is missing");
    in->key = "file";
    if (status == NW_OK && found[FILE_PATH])
        status = nw_json_text(in, found[FILE_PATH], &file);
    in->graph->name = nw_graph_strdup(in->graph, name);
    in->graph->format = nw_graph_strdup(in->graph, format);
    in->graph->layout = (nw_layout)layout;
    const char *slash = strrchr(in->json_path, '/');
    char *folder = nw_graph_strdup(in->graph, slash ? in->json_path : "");
    folder[slash ? slash - in->json_path + 1 : 0] = '\0';
    in->graph->folder = folder;
    in->file = file ? nw_graph_strdup(in->graph, file) : NULL;
    if (status == NW_OK && found[EDITS])
        status = nw_json_edits(in, found[EDITS]);
    return status;
}

/* First of all, so that a later schema is called that and not its new keys unknown. */
static nw_status check_schema(reader *in, const cJSON *doc)
{
    const cJSON *schema = cJSON_GetObjectItemCaseSensitive(doc, "schema");
    if (!cJSON_IsObject(doc))
        return nw_json_wrong_type(in, "an object", doc);
    if (cJSON_IsString(schema) && strcmp(schema->valuestring, NW_JSON_SCHEMA) == 0)
        return NW_OK;
    in->key = "schema";
    return nw_json_fail(in, NW_UNSUPPORTED,
                        "must be \"" NW_JSON_SCHEMA "\", which this program reads");
}

static nw_status read_graph(reader *in, const cJSON *doc)
{
    const void *found[N_KEYS];
    nw_status status = check_schema(in, doc);
    if (status == NW_OK)
        status = nw_json_members(in, doc, top_keys, found);
    if (status == NW_OK)
        status = read_header(in, found);
    if (status == NW_OK)
        status = read_each(in, "tensors", found[TENSORS], nw_json_read_tensor);
    if (status == NW_OK)
        status = read_each(in, "nodes", found[NODES], read_node);
    if (status == NW_OK)
        status = read_ends(in, "inputs", found[INPUTS], nw_graph_add_input);
    if (status == NW_OK)
        status = read_ends(in, "outputs", found[OUTPUTS], nw_graph_add_output);
    return status;
}

/* What parsing would need, before it is spent: every value has a separator or a bracket. */
static nw_status check_size(const nw_file *file, nw_error *err)
{
    size_t n_values = 0;
    bool is_in_string = false;
    if (file->n_bytes > MAX_FILE_BYTES)
        return nw_fail(err, NW_LIMIT, "", "larger than the limit of 64 MiB for a network as JSON");
    for (size_t i = 0; i < file->n_bytes; i++) {
        uint8_t c = file->bytes[i];
        if (c == 0)
            return nw_fail(err, NW_INVALID, "", "is not JSON: zero byte at byte %zu", i);
        if (c == '\\' && is_in_string)
            i++;
        else if (c == '"')
            is_in_string = !is_in_string;
        else if (!is_in_string && (c == ',' || c == '[' || c == '{'))
            n_values++;
    }
    if (n_values > MAX_VALUES)
        return nw_fail(err, NW_LIMIT, "", "holds over %d values", MAX_VALUES);
    return NW_OK;
}

nw_status nw_network_json_read(const nw_file *file, nw_graph **out, nw_error *err)
{
    const char *end = NULL, *text = (const char *)file->bytes;
    nw_status status = check_size(file, err);
    if (status != NW_OK)
        return status;
    nw_json_lock();
    cJSON *doc = cJSON_ParseWithLengthOpts(text, file->n_bytes + 1, &end, true);
    nw_json_unlock();
    if (!doc)
        return nw_fail(err, NW_INVALID, "", "is not JSON (or nested too deep), see byte %zu",
                       end ? (size_t)(end - text) : 0);
    reader in = {.err = err, .json_path = file->path, .item = -1};
    status = read_graph(&in, doc);
    if (status == NW_OK)
        warn_of_files(&in);
    nw_map_fini(&in.file_ids);
    cJSON_Delete(doc);
    if (status != NW_OK) {
        nw_graph_free(in.graph);
        return status;
    }
    *out = in.graph;
    return NW_OK;
}

bool nw_network_json_is(const nw_file *file)
{
    static const char schema[] = "\"nasw.network/";
    size_t n = file->n_bytes < 4096 ? file->n_bytes : 4096;
    size_t i = 0;
    while (i < n && strchr(" \t\r\n\xef\xbb\xbf", file->bytes[i]) && file->bytes[i])
        i++;
    if (i == n || file->bytes[i] != '{')
        return false;
    for (; i + sizeof schema - 1 <= n; i++)
        if (memcmp(file->bytes + i, schema, sizeof schema - 1) == 0)
            return true;
    return false;
}
