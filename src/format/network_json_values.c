/* Errors and single values of the reader of networks as JSON. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/text.h"
#include "src/format/network_json.h"

typedef nw_json_reader reader;

nw_status nw_json_fail(reader *in, nw_status status, const char *format, ...)
{
    char message[256], where[160];
    nw_buf path = {0};
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (in->list)
        nw_buf_printf(&path, "%s[%d]", in->list, in->index);
    if (in->group)
        nw_buf_printf(&path, "%s%s", path.length ? "." : "", in->group);
    if (in->key)
        nw_buf_printf(&path, "%s%.60s", path.length ? "." : "", in->key);
    if (in->item >= 0)
        nw_buf_printf(&path, "[%d]", in->item);
    nw_text_fit(nw_buf_text(&path), where, sizeof where);
    nw_buf_fini(&path);
    return nw_fail(in->err, status, where, "%s", message);
}

nw_status nw_json_wrong_type(reader *in, const char *wanted, const void *parsed)
{
    const cJSON *json = parsed;
    const char *is = cJSON_IsNumber(json)   ? "a number"
                     : cJSON_IsString(json) ? "a string"
                     : cJSON_IsBool(json)   ? "true or false"
                     : cJSON_IsArray(json)  ? "a list"
                     : cJSON_IsObject(json) ? "an object"
                                            : "null";
    return nw_json_fail(in, NW_INVALID, "must be %s, not %s", wanted, is);
}

nw_status nw_json_int(reader *in, const void *parsed, int64_t min, int64_t max, int64_t *out)
{
    const cJSON *json = parsed;
    int64_t value = 0;
    if (cJSON_IsString(json)) { /* beyond what a JSON number holds exactly */
        char *end = NULL;
        errno = 0;
        value = strtoll(json->valuestring, &end, 10);
        if (errno || end == json->valuestring || *end)
            return nw_json_fail(in, NW_INVALID, "must be a whole number, not \"%.30s\"",
                                json->valuestring);
    } else if (!cJSON_IsNumber(json)) {
        return nw_json_wrong_type(in, "a whole number", json);
    } else if (!(fabs(json->valuedouble) <= (double)NW_JSON_MAX_EXACT) ||
               json->valuedouble != floor(json->valuedouble)) {
        return nw_json_fail(in, NW_INVALID,
                            "must be a whole number (in quotes beyond 2^53), not %.17g",
                            json->valuedouble);
    } else {
        value = (int64_t)json->valuedouble;
    }
    if (value < min || value > max)
        return nw_json_fail(in, NW_INVALID, "must be from %lld to %lld, not %lld", (long long)min,
                            (long long)max, (long long)value);
    *out = value;
    return NW_OK;
}

nw_status nw_json_real(reader *in, const void *parsed, double limit, double *out)
{
    const cJSON *json = parsed;
    static const struct {
        const char *name;
        double value;
    } names[] = {{"nan", NAN}, {"inf", INFINITY}, {"-inf", -INFINITY}};
    for (size_t i = 0; cJSON_IsString(json) && i < sizeof names / sizeof *names; i++)
        if (strcmp(json->valuestring, names[i].name) == 0) {
            *out = names[i].value;
            return NW_OK;
        }
    if (!cJSON_IsNumber(json))
        return nw_json_wrong_type(in, "a number, \"nan\", \"inf\" or \"-inf\"", json);
    if (!(fabs(json->valuedouble) <= limit))
        return nw_json_fail(in, NW_INVALID, "must be within %g, not %g", limit, json->valuedouble);
    *out = json->valuedouble;
    return NW_OK;
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

nw_status nw_json_base64(reader *in, const char *text, uint8_t **bytes, size_t *n_bytes)
{
    size_t length = strlen(text);
    size_t n_padding = 0;
    while (n_padding < 2 && n_padding < length && text[length - 1 - n_padding] == '=')
        n_padding++;
    bool is_good = length % 4 == 0;
    uint8_t *data = is_good ? nw_graph_alloc(in->graph, length / 4 * 3 + 1) : NULL;
    size_t used = 0;
    uint32_t word = 0;
    for (size_t i = 0; is_good && i < length - n_padding; i++) {
        int value = digit_value(text[i]);
        is_good = value >= 0;
        word = word << 6 | (uint32_t)(value & 63);
        if (i % 4 > 0)
            data[used++] = (uint8_t)(word >> (6 - 2 * (i % 4)));
    }
    if (!is_good)
        return nw_json_fail(in, NW_INVALID, "is not base64");
    *bytes = data;
    *n_bytes = used;
    return NW_OK;
}

nw_status nw_json_text(reader *in, const void *parsed, const char **out)
{
    const cJSON *json = parsed;
    uint8_t *bytes;
    size_t n_bytes, mark = strlen(NW_JSON_BASE64);
    if (!cJSON_IsString(json))
        return nw_json_wrong_type(in, "a string", json);
    *out = json->valuestring;
    if (strncmp(json->valuestring, NW_JSON_BASE64, mark) != 0)
        return NW_OK;
    nw_status status = nw_json_base64(in, json->valuestring + mark, &bytes, &n_bytes);
    if (status == NW_OK && memchr(bytes, '\0', n_bytes))
        return nw_json_fail(in, NW_INVALID, "holds a zero byte");
    if (status == NW_OK)
        *out = (const char *)bytes;
    return status;
}

nw_status nw_json_choice(reader *in, const void *parsed, const char *const *names, int *out)
{
    const cJSON *json = parsed;
    if (!cJSON_IsString(json))
        return nw_json_wrong_type(in, "a name", json);
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], json->valuestring) == 0) {
            *out = i;
            return NW_OK;
        }
    return nw_json_fail(in, NW_INVALID, "\"%.40s\" is not known here", json->valuestring);
}

/* Unknown and repeated keys are errors, so no more members are walked than there are keys. */
nw_status nw_json_members(reader *in, const void *parsed, const char *const *keys,
                          const void **found)
{
    const cJSON *json = parsed;
    for (int k = 0; keys[k]; k++)
        found[k] = NULL;
    if (!cJSON_IsObject(json))
        return nw_json_wrong_type(in, "an object", json);
    for (const cJSON *member = json->child; member; member = member->next) {
        int k = 0;
        while (keys[k] && strcmp(keys[k], member->string) != 0)
            k++;
        in->key = member->string;
        if (!keys[k])
            return nw_json_fail(in, NW_INVALID, "unknown key");
        if (found[k])
            return nw_json_fail(in, NW_INVALID, "is given twice");
        found[k] = member;
    }
    in->key = NULL;
    return NW_OK;
}

nw_status nw_json_check_id(reader *in, const void *json)
{
    int64_t id;
    in->key = "id";
    return json ? nw_json_int(in, json, in->index, in->index, &id) : NW_OK;
}
