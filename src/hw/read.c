#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/hw/internal.h"

/* A single description while its keys are read into hw. */
typedef struct reader {
    nw_hw *hw;
    nw_arena *arena;
    nw_error *err;
} reader;

static const char *describe_type(const cJSON *json)
{
    if (cJSON_IsNumber(json))
        return "a number";
    if (cJSON_IsString(json))
        return "a string";
    if (cJSON_IsBool(json))
        return "true or false";
    if (cJSON_IsArray(json))
        return "a list";
    return cJSON_IsObject(json) ? "an object" : "null";
}

static nw_status wrong_type(reader *in, const char *where, const char *wanted, const cJSON *json)
{
    return nw_fail(in->err, NW_INVALID, where, "must be %s, not %s", wanted, describe_type(json));
}

/* Objects of a description are small (unknown keys end the reading), so pairs are compared. */
static nw_status check_no_repeat(reader *in, const cJSON *member, const cJSON *first,
                                 const char *where)
{
    for (const cJSON *other = first; other != member; other = other->next)
        if (strcmp(other->string, member->string) == 0)
            return nw_fail(in->err, NW_INVALID, where, "is given twice");
    return NW_OK;
}

static nw_status read_number(reader *in, const cJSON *json, const char *where, bool is_whole,
                             double min, double max, double *value)
{
    if (!cJSON_IsNumber(json))
        return wrong_type(in, where, "a number", json);
    double x = json->valuedouble;
    if (!isfinite(x))
        return nw_fail(in->err, NW_INVALID, where, "is too large for a number");
    if (is_whole && x != floor(x))
        return nw_fail(in->err, NW_INVALID, where, "must be a whole number, not %.15g", x);
    if (x < min && min > 0 && x <= 0)
        return nw_fail(in->err, NW_INVALID, where, "must be above zero, not %.15g", x);
    if (x < min || x > max)
        return nw_fail(in->err, NW_INVALID, where, "must be from %.15g to %.15g, not %.15g", min,
                       max, x);
    *value = x;
    return NW_OK;
}

static nw_status read_name(reader *in, const cJSON *json, const char *where,
                           const char *const *names, int *index)
{
    nw_buf known = {0};
    for (int i = 0; names[i]; i++) {
        if (cJSON_IsString(json) && strcmp(names[i], json->valuestring) == 0) {
            *index = i;
            nw_buf_fini(&known);
            return NW_OK;
        }
        nw_buf_printf(&known, "%s\"%s\"", i ? ", " : "", names[i]);
    }
    nw_status status = cJSON_IsString(json)
                           ? nw_fail(in->err, NW_INVALID, where, "must be one of %s, not \"%.40s\"",
                                     nw_buf_text(&known), json->valuestring)
                           : nw_fail(in->err, NW_INVALID, where, "must be one of %s, not %s",
                                     nw_buf_text(&known), describe_type(json));
    nw_buf_fini(&known);
    return status;
}

static nw_status read_precision(reader *in, const cJSON *json, const char *where,
                                nw_hw_precision *out)
{
    static const char *const fields[] = {"weight_bits", "activation_bits", "float", "rate", NULL};
    static const double least[] = {1, 1, 0, 1e-6}, most[] = {64, 64, 1, 1e6};
    double values[4] = {0, 0, 0, 0};
    bool given[4] = {false, false, true, false};
    char at[192];
    if (!cJSON_IsObject(json))
        return wrong_type(in, where, "an object", json);
    for (const cJSON *member = json->child; member; member = member->next) {
        snprintf(at, sizeof at, "%s.%.60s", where, member->string);
        int i = 0;
        while (fields[i] && strcmp(fields[i], member->string) != 0)
            i++;
        if (!fields[i])
            return nw_fail(in->err, NW_INVALID, at,
                           "unknown key; known are weight_bits, activation_bits, float, rate");
        nw_status status = check_no_repeat(in, member, json->child, at);
        if (status == NW_OK && i == 2) {
            values[i] = cJSON_IsTrue(member);
            if (!cJSON_IsBool(member))
                status = wrong_type(in, at, "true or false", member);
        } else if (status == NW_OK) {
            status = read_number(in, member, at, i < 2, least[i], most[i], &values[i]);
        }
        if (status != NW_OK)
            return status;
        given[i] = true;
    }
    for (int i = 0; fields[i]; i++)
        if (!given[i])
            return nw_fail(in->err, NW_INVALID, where, "\"%s\" is missing", fields[i]);
    out->weight_bits = (int)values[0];
    out->activation_bits = (int)values[1];
    out->is_float = values[2] != 0;
    out->rate = values[3];
    return NW_OK;
}

static nw_status read_precisions(reader *in, const cJSON *json, const char *where)
{
    nw_hw *hw = in->hw;
    char at[96];
    if (!cJSON_IsArray(json))
        return wrong_type(in, where, "a list of objects", json);
    hw->n_precisions = 0;
    for (const cJSON *item = json->child; item; item = item->next) {
        snprintf(at, sizeof at, "%s[%d]", where, hw->n_precisions);
        if (hw->n_precisions == NW_HW_MAX_PRECISIONS)
            return nw_fail(in->err, NW_INVALID, at, "more than %d precisions",
                           NW_HW_MAX_PRECISIONS);
        nw_hw_precision *precision = &hw->precisions[hw->n_precisions];
        nw_status status = read_precision(in, item, at, precision);
        if (status != NW_OK)
            return status;
        if (nw_hw_precision_rate(hw, precision->weight_bits, precision->activation_bits,
                                 precision->is_float) > 0)
            return nw_fail(in->err, NW_INVALID, at, "this pair of types is given twice");
        hw->n_precisions++;
    }
    if (hw->n_precisions == 0)
        return nw_fail(in->err, NW_INVALID, where, "is empty: name at least one");
    return NW_OK;
}

static nw_status read_op(reader *in, const cJSON *json, const char *where, nw_hw_op *out)
{
    static const char *const supports[] = {"native", "host", NULL};
    int index = 0;
    double rate = 0;
    if (cJSON_IsObject(json)) {
        const cJSON *slow = json->child;
        if (!slow || slow->next || strcmp(slow->string, "slow") != 0)
            return nw_fail(in->err, NW_INVALID, where,
                           "must be \"native\", \"host\" or {\"slow\": elements a cycle}");
        nw_status status = read_number(in, slow, where, false, 1e-6, 1e9, &rate);
        out->support = NW_OP_SLOW;
        out->rate = rate;
        return status;
    }
    nw_status status = read_name(in, json, where, supports, &index);
    out->support = index ? NW_OP_HOST : NW_OP_NATIVE;
    out->rate = 0;
    return status;
}

/* The operator that a member of `ops` names. */
static nw_status find_op(reader *in, const cJSON *member, const char *where, nw_op *op)
{
    *op = nw_op_find(member->string);
    if (*op == NW_OP_OPAQUE)
        return nw_fail(in->err, NW_INVALID, where, "opaque operators have no known cost");
    if (*op != NW_OP_COUNT)
        return NW_OK;
    const char *near = nw_hw_nearest_op(member->string);
    if (near)
        return nw_fail(in->err, NW_INVALID, where, "unknown operator; did you mean \"%s\"?", near);
    return nw_fail(in->err, NW_INVALID, where, "unknown operator");
}

static nw_status read_ops(reader *in, const cJSON *json, const char *where)
{
    char at[96];
    if (!cJSON_IsObject(json))
        return wrong_type(in, where, "an object", json);
    for (const cJSON *member = json->child; member; member = member->next) {
        nw_op op;
        snprintf(at, sizeof at, "%s.%.60s", where, member->string);
        nw_status status = find_op(in, member, at, &op);
        if (status == NW_OK)
            status = check_no_repeat(in, member, json->child, at);
        if (status == NW_OK)
            status = read_op(in, member, at, &in->hw->ops[op]);
        if (status != NW_OK)
            return status;
    }
    return NW_OK;
}

static nw_status read_fusion(reader *in, const cJSON *json, const char *where)
{
    if (!cJSON_IsArray(json))
        return wrong_type(in, where, "a list of names", json);
    for (const cJSON *item = json->child; item; item = item->next) {
        int index;
        nw_status status = read_name(in, item, where, nw_hw_fusion_names, &index);
        if (status != NW_OK)
            return status;
        if (*nw_hw_fusion_flag(in->hw, index))
            return nw_fail(in->err, NW_INVALID, where, "\"%s\" is given twice",
                           nw_hw_fusion_names[index]);
        *nw_hw_fusion_flag(in->hw, index) = true;
    }
    return NW_OK;
}

static nw_status read_text(reader *in, const nw_hw_key_row *row, const cJSON *json)
{
    char *at = (char *)in->hw + row->offset;
    if (!cJSON_IsString(json))
        return wrong_type(in, row->path, "a string", json);
    if (row->type == NW_HW_TEXT) {
        const char *copy = nw_hw_copy_visible(in->arena, json->valuestring);
        memcpy(at, &copy, sizeof copy);
        return NW_OK;
    }
    if (strlen(json->valuestring) >= sizeof in->hw->default_precision)
        return nw_fail(in->err, NW_INVALID, row->path, "must be a name like \"int8\"");
    nw_text_visible(json->valuestring, at, sizeof in->hw->default_precision);
    return NW_OK;
}

static nw_status read_row(reader *in, const nw_hw_key_row *row, const cJSON *json)
{
    nw_status status = NW_OK;
    double value = 0;
    int index = 0;
    switch (row->type) {
    case NW_HW_TEXT:
    case NW_HW_WORD:
        return read_text(in, row, json);
    case NW_HW_PRECISIONS:
        return read_precisions(in, json, row->path);
    case NW_HW_OPS:
        return read_ops(in, json, row->path);
    case NW_HW_FUSION:
        return read_fusion(in, json, row->path);
    case NW_HW_BOOL:
        if (!cJSON_IsBool(json))
            return wrong_type(in, row->path, "true or false", json);
        value = cJSON_IsTrue(json);
        break;
    case NW_HW_ENUM:
    case NW_HW_FLAG:
        status = read_name(in, json, row->path, row->names, &index);
        value = index;
        break;
    default:
        status =
            read_number(in, json, row->path, row->type != NW_HW_DOUBLE, row->min, row->max, &value);
    }
    if (status == NW_OK)
        nw_hw_set_number(in->hw, row, value);
    return status;
}

static nw_status unknown_key(reader *in, const char *path)
{
    const char *near = nw_hw_nearest_key(path);
    if (near)
        return nw_fail(in->err, NW_INVALID, path, "unknown key; did you mean \"%s\"?", near);
    return nw_fail(in->err, NW_INVALID, path, "unknown key");
}

/* Sources: a string, or an object with the same keys and "all" for those not named. */
static nw_status check_sources(reader *in, const cJSON *json, const char *group)
{
    char path[128], where[160];
    for (const cJSON *member = json->child; member; member = member->next) {
        snprintf(path, sizeof path, "%s%s%.50s", group, group[0] ? "." : "", member->string);
        snprintf(where, sizeof where, "sources.%s", path);
        nw_status status = check_no_repeat(in, member, json->child, where);
        bool is_group = !group[0] && (nw_hw_is_group(path) || strcmp(path, "ops") == 0);
        nw_op op;
        if (status == NW_OK && strcmp(group, "ops") == 0 && strcmp(member->string, "all") != 0)
            status = find_op(in, member, where, &op);
        else if (status == NW_OK && strcmp(member->string, "all") != 0 && !is_group &&
                 nw_hw_find_row(path) < 0)
            status = unknown_key(in, path);
        if (status == NW_OK && is_group && cJSON_IsObject(member))
            status = check_sources(in, member, path);
        else if (status == NW_OK && !cJSON_IsString(member))
            status = wrong_type(in, where, "a string", member);
        if (status != NW_OK)
            return status;
    }
    return NW_OK;
}

/* Reads every key of an object; group is its name with the dot, "" for the whole description. */
static nw_status read_keys(reader *in, const cJSON *json, const char *group)
{
    char path[128];
    for (const cJSON *member = json->child; member; member = member->next) {
        snprintf(path, sizeof path, "%s%.60s", group, member->string);
        int row = nw_hw_find_row(path);
        bool is_sources = strcmp(path, "sources") == 0;
        bool is_group = !group[0] && row < 0 && !is_sources && nw_hw_is_group(path);
        nw_status status = NW_OK;
        if (row < 0 && !is_sources && !is_group)
            return unknown_key(in, path);
        status = check_no_repeat(in, member, json->child, path);
        if (status == NW_OK && (is_sources || is_group) && !cJSON_IsObject(member))
            status = wrong_type(in, path, "an object", member);
        if (status == NW_OK && row >= 0) {
            status = read_row(in, &nw_hw_rows[row], member);
        } else if (status == NW_OK && is_sources) {
            status = check_sources(in, member, "");
        } else if (status == NW_OK) {
            snprintf(path, sizeof path, "%.60s.", member->string);
            status = read_keys(in, member, path);
        }
        if (status != NW_OK)
            return status;
    }
    return NW_OK;
}

nw_status nw_hw_read_keys(nw_hw *hw, nw_arena *arena, const void *json, nw_error *err)
{
    reader in = {hw, arena, err};
    return read_keys(&in, json, "");
}
