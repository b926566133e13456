/* timm_ofa.c - a network cut from the Once-for-All supernet on MobileNetV3 (Cai et al. 2020).
 *
 * Widths, strides, activations and squeeze-and-excite of the stages are those of the project's
 * OFAMobileNetV3 at width 1.0. Its squeeze-and-excite reduces the expanded channels to a quarter,
 * rounded to 8, and gates with a hard sigmoid.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/base/guard.h"
#include "src/format/format.h"
#include "src/format/timm.h"

enum { N_STAGES = 5, N_SLOTS = 4, N_CLASSES = 1000, MAX_IMAGE = 8192 };

typedef struct ofa {
    int kernel[N_STAGES * N_SLOTS], expansion[N_STAGES * N_SLOTS], depth[N_STAGES], image;
} ofa;

static const char *skip_blanks(const char *s, const char *end)
{
    while (s < end && *s && strchr(" \t\r\n", *s))
        s++;
    return s;
}

/* An object that has "ks" among its first bytes, and is no network of our own. */
bool nw_ofa_is(const nw_file *file)
{
    const char *s = (const char *)file->bytes, *end = s + file->n_bytes;
    s = skip_blanks(s, end);
    if (s == end || *s != '{' || file->n_bytes > NW_TIMM_MAX_BYTES)
        return false;
    return strstr(s, "\"ks\"") != NULL;
}

static int place_of(double value, const int *choices)
{
    for (int i = 0; i < 3; i++)
        if (value == choices[i])
            return i;
    return -1;
}

/* Numbers of which the used ones must be among three choices. */
static nw_status read_list(const cJSON *json, const char *key, int n, const int *choices,
                           const int *depth, int *out, nw_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, key), *item;
    int i = 0;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != n)
        return nw_fail(err, NW_INVALID, key, "wanted a list of %d numbers", n);
    cJSON_ArrayForEach(item, list)
    {
        char where[24];
        bool is_used = !depth || i % N_SLOTS < depth[i / N_SLOTS];
        snprintf(where, sizeof where, "%s[%d]", key, i);
        if (!cJSON_IsNumber(item) || (is_used && place_of(item->valuedouble, choices) < 0))
            return nw_fail(err, NW_INVALID, where, "there are %d, %d and %d", choices[0],
                           choices[1], choices[2]);
        out[i++] = is_used ? (int)item->valuedouble : 0;
    }
    return NW_OK;
}

static nw_status read_image(const cJSON *json, int *out, nw_error *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "r");
    if (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 1)
        item = cJSON_GetArrayItem(item, 0);
    *out = NW_TIMM_INPUT_SIZE;
    if (!item)
        return NW_OK;
    if (!cJSON_IsNumber(item) || item->valuedouble < 1 || item->valuedouble > MAX_IMAGE ||
        item->valuedouble != floor(item->valuedouble))
        return nw_fail(err, NW_INVALID, "r", "wanted the size of the image, one whole number");
    *out = (int)item->valuedouble;
    return NW_OK;
}

static nw_status read_description(const cJSON *json, ofa *out, nw_error *err)
{
    static const int kernels[] = {3, 5, 7}, expansions[] = {3, 4, 6}, depths[] = {2, 3, 4};
    nw_status status = read_list(json, "d", N_STAGES, depths, NULL, out->depth, err);
    if (status == NW_OK)
        status = read_list(json, "ks", N_STAGES * N_SLOTS, kernels, out->depth, out->kernel, err);
    if (status == NW_OK)
        status =
            read_list(json, "e", N_STAGES * N_SLOTS, expansions, out->depth, out->expansion, err);
    if (status == NW_OK)
        status = read_image(json, &out->image, err);
    return status;
}

static void add_stages(nw_timm_builder *b, const ofa *net)
{
    static const struct {
        int c, stride, act;
        bool squeezes;
    } stages[N_STAGES] = {{24, 2, NW_TIMM_RELU, false},
                          {40, 2, NW_TIMM_RELU, true},
                          {80, 2, NW_TIMM_HARD_SWISH, false},
                          {112, 1, NW_TIMM_HARD_SWISH, true},
                          {160, 2, NW_TIMM_HARD_SWISH, true}};
    for (int stage = 0; stage < N_STAGES; stage++) {
        int index = 0;
        for (int i = 0; i < net->depth[stage]; i++) {
            int slot = stage * N_SLOTS + i;
            nw_timm_block block = {.type = NW_TIMM_IR,
                                   .n_repeats = 1,
                                   .stride = i ? 1 : stages[stage].stride,
                                   .kernel = {1, {net->kernel[slot]}},
                                   .start = {1, {1}},
                                   .end = {1, {1}},
                                   .expansion = net->expansion[slot],
                                   .out_c = stages[stage].c,
                                   .group_size = 1,
                                   .act = stages[stage].act,
                                   .is_hard_gate = true,
                                   .text = "ir"};
            int64_t mid_c = nw_timm_divisible((double)(b->c * net->expansion[slot]));
            if (stages[stage].squeezes)
                block.squeeze_c = nw_timm_divisible((double)(mid_c / 4));
            nw_timm_add_block(b, &block, stage + 1, &index);
        }
    }
}

static void add_classifier(nw_timm_builder *b)
{
    static const int64_t flat[2] = {1, -1};
    b->prefix[0] = '\0';
    b->act = NW_TIMM_HARD_SWISH;
    nw_timm_add_conv(b, &(nw_timm_conv){"final_expand_layer.conv", "final_expand_layer.bn", NULL,
                                        960, 1, 1, true});
    nw_timm_add_node(b, NW_OP_GLOBAL_POOL, "pool", "GlobalAveragePool");
    nw_timm_add_conv(b, &(nw_timm_conv){"feature_mix_layer.conv", "", NULL, 1280, 1, 1, true});
    nw_tensor_id in[3] = {b->at, nw_graph_add_ints(b->graph, "flat", flat, 2), NW_NONE};
    nw_tensor_id rows = nw_graph_add_tensor(b->graph, "flatten", NW_DTYPE_FLOAT32, NULL);
    nw_graph_add_node(b->graph, NW_OP_RESHAPE, "flatten", "Reshape", in, 2, &rows, 1);
    const int64_t dims[2] = {N_CLASSES, 1280};
    in[0] = rows;
    in[1] = nw_timm_add_weights(b, "classifier.linear", "weight", 2, dims);
    in[2] = nw_timm_add_weights(b, "classifier.linear", "bias", 1, dims);
    b->at = nw_graph_add_tensor(b->graph, "classifier.linear", NW_DTYPE_FLOAT32, NULL);
    nw_node *node = nw_graph_add_node(b->graph, NW_OP_FULLY_CONNECTED, "classifier.linear", "Gemm",
                                      in, 3, &b->at, 1);
    node->attrs.weight_layout = NW_WEIGHTS_OIHW;
}

static nw_graph *build(const ofa *net, nw_error *err)
{
    nw_timm_builder b;
    int index = 0;
    nw_timm_block first = {.type = NW_TIMM_DS,
                           .n_repeats = 1,
                           .stride = 1,
                           .kernel = {1, {3}},
                           .end = {1, {1}},
                           .out_c = 16,
                           .group_size = 1,
                           .expansion = 1,
                           .text = "ds"};
    nw_timm_kernels k3 = {1, {3}};
    nw_timm_begin(&b, "OFA description", 3, net->image, err);
    b.act = NW_TIMM_HARD_SWISH;
    nw_timm_add_conv(&b, &(nw_timm_conv){"first_conv.conv", "first_conv.bn", &k3, 16, 1, 2, true});
    nw_timm_add_block(&b, &first, 0, &index);
    add_stages(&b, net);
    add_classifier(&b);
    nw_graph_add_output(b.graph, b.at);
    return b.graph;
}

nw_status nw_ofa_read(const nw_file *file, nw_graph **out, nw_error *err)
{
    ofa net;
    nw_json_lock();
    cJSON *json = cJSON_ParseWithLength((const char *)file->bytes, file->n_bytes);
    nw_json_unlock();
    nw_status status = json ? read_description(json, &net, err)
                            : nw_fail(err, NW_INVALID, "",
                                      "is no JSON: an OFA description is "
                                      "{\"ks\": [...], \"e\": [...], \"d\": "
                                      "[...], \"r\": [224]}");
    cJSON_Delete(json);
    if (status == NW_OK)
        *out = build(&net, err);
    return status;
}
