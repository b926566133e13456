/* option.c - one value of a dimension, as text and as a number. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/space/internal.h"

#define MAX_CHANNELS 65536
#define MAX_FACTOR   64.0
#define MAX_KERNEL   31
#define MAX_DEPTH    64
#define MAX_SIZE     16384

static const struct {
    const char *name;
    int sense;
} metric_rows[] = {
#define X(kind, name, sense) {name, sense},
    NW_METRICS(X)
#undef X
};

static const struct {
    const char *name;
    nw_metric metric;
} metric_aliases[] = {{"latency", NW_METRIC_LATENCY},    {"energy", NW_METRIC_ENERGY},
                      {"memory", NW_METRIC_PEAK_LIVE},   {"size", NW_METRIC_WEIGHT_BYTES},
                      {"cost", NW_METRIC_OBJECTIVE},     {"flops", NW_METRIC_MACS},
                      {"peak_live", NW_METRIC_PEAK_LIVE}};

static const struct {
    const char *name;
    int64_t bits;
    bool is_float;
} precisions[] = {{"file", 0, false},   {"int4", 4, false},    {"int8", 8, false},
                  {"int16", 16, false}, {"float16", 16, true}, {"float32", 32, true}};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

const char *nw_metric_name(nw_metric metric)
{
    return metric < NW_METRIC_COUNT ? metric_rows[metric].name : "?";
}

int nw_metric_sense(nw_metric metric)
{
    return metric < NW_METRIC_COUNT ? metric_rows[metric].sense : 0;
}

nw_metric nw_metric_find(const char *name)
{
    for (int i = 0; i < NW_METRIC_COUNT; i++)
        if (strcmp(metric_rows[i].name, name) == 0)
            return (nw_metric)i;
    for (size_t i = 0; i < COUNT_OF(metric_aliases); i++)
        if (strcmp(metric_aliases[i].name, name) == 0)
            return metric_aliases[i].metric;
    return NW_METRIC_COUNT;
}

static const char *const dim_names[] = {
#define X(kind, name, prefix) name,
    NW_DIMS(X)
#undef X
};

const char *nw_dim_kind_name(nw_dim_kind kind)
{
    return kind < NW_DIM_COUNT ? dim_names[kind] : "?";
}

nw_dim_kind nw_dim_kind_find(const char *name)
{
    for (int i = 0; i < NW_DIM_COUNT; i++)
        if (strcmp(dim_names[i], name) == 0)
            return (nw_dim_kind)i;
    return NW_DIM_COUNT;
}

/* ---- text ---- */

static void write_precision(const nw_option *o, char *dst, size_t size)
{
    for (size_t i = 0; i < COUNT_OF(precisions); i++)
        if (precisions[i].bits == o->n &&
            (o->n == 0 || precisions[i].is_float == (o->number != 0))) {
            snprintf(dst, size, "%s", precisions[i].name);
            return;
        }
    snprintf(dst, size, "%s%" PRId64, o->number != 0 ? "float" : "int", o->n);
}

static void write_number(double number, char *dst, size_t size)
{
    nw_buf text = {0};
    nw_buf_double(&text, number);
    snprintf(dst, size, "%s", nw_buf_text(&text));
    nw_buf_fini(&text);
}

const char *nw_option_text(nw_dim_kind kind, const nw_option *o, char *dst, size_t size)
{
    char number[40];
    write_number(o->number, number, sizeof number);
    switch (kind) {
    case NW_DIM_CHANNELS:
    case NW_DIM_EXPANDED:
    case NW_DIM_KERNEL:
    case NW_DIM_DEPTH:
        snprintf(dst, size, "%" PRId64, o->n);
        break;
    case NW_DIM_WIDTH:
        if (o->n)
            snprintf(dst, size, "%s/%" PRId64, number, o->n);
        else
            snprintf(dst, size, "%s", number);
        break;
    case NW_DIM_VARIANT:
        snprintf(dst, size, "%s%s%s", nw_block_kind_name(o->block), o->number > 0 ? ":" : "",
                 o->number > 0 ? number : "");
        break;
    case NW_DIM_RESOLUTION:
        snprintf(dst, size, "%" PRId64 "x%" PRId64, o->n, o->n2);
        break;
    case NW_DIM_PRECISION:
        write_precision(o, dst, size);
        break;
    case NW_DIM_EXPANSION:
    case NW_DIM_SQUEEZE:
    case NW_DIM_COUNT:
        snprintf(dst, size, "%s", number);
        break;
    }
    return dst;
}

static bool scan_count(const char *text, int64_t *out, const char **end)
{
    char *stop;
    if (text[0] < '0' || text[0] > '9')
        return false;
    *out = strtoll(text, &stop, 10);
    *end = stop;
    return true;
}

static bool scan_number(const char *text, double *out, const char **end)
{
    char *stop;
    if ((text[0] < '0' || text[0] > '9') && text[0] != '.')
        return false;
    *out = strtod(text, &stop);
    *end = stop;
    return isfinite(*out);
}

static bool read_variant(const char *text, nw_option *out, const char **end)
{
    char name[32];
    size_t length = strcspn(text, ":");
    *end = text;
    if (length >= sizeof name)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    out->block = nw_block_kind_find(name);
    *end = text + length;
    return out->block != NW_BLOCK_COUNT &&
           (text[length] != ':' || scan_number(text + length + 1, &out->number, end));
}

static bool read_precision(const char *text, nw_option *out, const char **end)
{
    for (size_t i = 0; i < COUNT_OF(precisions); i++)
        if (strcmp(precisions[i].name, text) == 0) {
            out->n = precisions[i].bits;
            out->number = precisions[i].is_float;
            *end = text + strlen(text);
            return true;
        }
    return false;
}

static bool read_option(nw_dim_kind kind, const char *text, nw_option *out, const char **end)
{
    switch (kind) {
    case NW_DIM_CHANNELS:
    case NW_DIM_EXPANDED:
    case NW_DIM_KERNEL:
    case NW_DIM_DEPTH:
        return scan_count(text, &out->n, end);
    case NW_DIM_WIDTH:
        return scan_number(text, &out->number, end) &&
               (**end != '/' || scan_count(*end + 1, &out->n, end));
    case NW_DIM_VARIANT:
        return read_variant(text, out, end);
    case NW_DIM_RESOLUTION:
        if (!scan_count(text, &out->n, end))
            return false;
        out->n2 = out->n;
        return **end != 'x' || scan_count(*end + 1, &out->n2, end);
    case NW_DIM_PRECISION:
        return read_precision(text, out, end);
    case NW_DIM_EXPANSION:
    case NW_DIM_SQUEEZE:
        return scan_number(text, &out->number, end);
    case NW_DIM_COUNT:
        break;
    }
    return false;
}

nw_status nw_option_read(nw_dim_kind kind, const char *text, nw_option *out, nw_error *err)
{
    static const char *const forms[NW_DIM_COUNT] = {
        "a number of channels",  "a factor, such as 0.75",  "a kind of block, such as fused",
        "a factor, such as 6",   "a number of channels",    "an odd kernel size",
        "a number of blocks",    "a size, such as 224x224", "an element type, such as int8",
        "a factor, such as 0.25"};
    nw_option option = {0};
    const char *end = text;
    char shown[64];
    if (!read_option(kind, text, &option, &end) || *end)
        return nw_fail(err, NW_INVALID, nw_text_fit(text, shown, sizeof shown), "is not %s",
                       kind < NW_DIM_COUNT ? forms[kind] : "known");
    *out = option;
    return NW_OK;
}

/* ---- values ---- */

bool nw_option_is_equal(nw_dim_kind kind, const nw_option *a, const nw_option *b)
{
    if (kind == NW_DIM_VARIANT)
        return a->block == b->block && a->number == b->number;
    return a->n == b->n && a->n2 == b->n2 && a->number == b->number;
}

double nw_option_number(nw_dim_kind kind, const nw_option *option)
{
    switch (kind) {
    case NW_DIM_WIDTH:
    case NW_DIM_EXPANSION:
    case NW_DIM_SQUEEZE:
        return option->number;
    case NW_DIM_VARIANT:
        return (double)option->block;
    default:
        return (double)option->n;
    }
}

static bool is_between(int64_t n, int64_t least, int64_t most)
{
    return n >= least && n <= most;
}

/* What nw_option_check lets pass, for people. */
static const char *wanted_of(nw_dim_kind kind)
{
    switch (kind) {
    case NW_DIM_CHANNELS:
    case NW_DIM_EXPANDED:
        return "1 to 65536";
    case NW_DIM_KERNEL:
        return "odd sizes from 1 to 31";
    case NW_DIM_DEPTH:
        return "1 to 64 blocks";
    case NW_DIM_RESOLUTION:
        return "sides from 1 to 16384";
    case NW_DIM_WIDTH:
    case NW_DIM_EXPANSION:
        return "above 0, at most 64";
    case NW_DIM_SQUEEZE:
    case NW_DIM_VARIANT:
        return "0 to 64";
    default:
        return "file, int4, int8, int16, float16, float32";
    }
}

nw_status nw_option_check(nw_dim_kind kind, const nw_option *o, const char *where, nw_error *err)
{
    char text[64];
    bool is_good = true;
    switch (kind) {
    case NW_DIM_CHANNELS:
    case NW_DIM_EXPANDED:
        is_good = is_between(o->n, 1, MAX_CHANNELS);
        break;
    case NW_DIM_KERNEL:
        is_good = is_between(o->n, 1, MAX_KERNEL) && o->n % 2 == 1;
        break;
    case NW_DIM_DEPTH:
        is_good = is_between(o->n, 1, MAX_DEPTH);
        break;
    case NW_DIM_RESOLUTION:
        is_good = is_between(o->n, 1, MAX_SIZE) && is_between(o->n2, 1, MAX_SIZE);
        break;
    case NW_DIM_WIDTH:
        is_good = o->number > 0 && o->number <= MAX_FACTOR && is_between(o->n, 0, MAX_CHANNELS);
        break;
    case NW_DIM_EXPANSION:
        is_good = o->number > 0 && o->number <= MAX_FACTOR;
        break;
    case NW_DIM_SQUEEZE:
        is_good = o->number >= 0 && o->number <= MAX_FACTOR;
        break;
    case NW_DIM_VARIANT:
        is_good = o->block < NW_BLOCK_COUNT && o->number >= 0 && o->number <= MAX_FACTOR;
        break;
    case NW_DIM_PRECISION:
        is_good = o->n == 0 || o->n == 4 || o->n == 8 || o->n == 16 || o->n == 32;
        break;
    case NW_DIM_COUNT:
        is_good = false;
        break;
    }
    if (is_good)
        return NW_OK;
    return nw_fail(err, NW_INVALID, where, "%s is no value of a dimension of %s: wanted %s",
                   nw_option_text(kind, o, text, sizeof text), nw_dim_kind_name(kind),
                   wanted_of(kind));
}
