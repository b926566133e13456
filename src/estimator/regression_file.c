/* regression_file.c - a fitted estimator as a file: a header that cJSON reads, and XGBoost's own
 * models, which stay text until trees.h reads them. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/file.h"
#include "src/base/guard.h"
#include "src/estimator/regression.h"

#define SCHEMA          "nasw.estimator/1"
#define MAX_MODEL_BYTES ((size_t)512 << 20)
#define MAX_GROUPS      1000

/* ---- writing ---- */

static void write_text(nw_buf *out, const char *key, const char *text)
{
    nw_buf_printf(out, "\"%s\":", key);
    nw_buf_json_string(out, text);
    nw_buf_puts(out, ",");
}

/* null stands for what is not known. */
static void write_value(nw_buf *out, double value)
{
    if (isfinite(value))
        nw_buf_double(out, value);
    else
        nw_buf_puts(out, "null");
}

static void write_number(nw_buf *out, const char *key, double value)
{
    nw_buf_printf(out, "\"%s\":", key);
    write_value(out, value);
    nw_buf_puts(out, ",");
}

/* The comma behind the last member goes. */
static void close_with(nw_buf *out, const char *text)
{
    if (out->length && out->text[out->length - 1] == ',')
        out->text[--out->length] = '\0';
    nw_buf_puts(out, text);
}

static void write_scores(nw_buf *out, const char *key, const nw_scores *s)
{
    nw_buf_printf(out, "\"%s\":{", key);
    write_number(out, "n", s->n);
    write_number(out, "mape_pct", s->mape);
    write_number(out, "rmspe_pct", s->rmspe);
    write_number(out, "within_5_pct", s->within_5);
    write_number(out, "within_10_pct", s->within_10);
    write_number(out, "spearman", s->spearman);
    close_with(out, "},");
}

static void write_band(nw_buf *out, const char *key, const nw_band *band)
{
    nw_buf_printf(out, "\"%s\":{", key);
    write_number(out, "low", band->low);
    write_number(out, "high", band->high);
    write_number(out, "n", band->n);
    nw_buf_printf(out, "\"from\":\"%s\"},", band->is_from_networks ? "networks" : "rows");
}

static void write_report(const nw_regression *r, nw_buf *out)
{
    const nw_fit_report *p = &r->report;
    char hash[24];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)p->data_hash);
    write_text(out, "target", p->target);
    nw_buf_puts(out, "\"provenance\":{");
    write_text(out, "file", p->file);
    write_text(out, "device", p->device);
    write_text(out, "source", p->source);
    write_text(out, "date", p->date);
    write_text(out, "measured_with", p->measured_with);
    write_text(out, "data_hash", hash);
    write_text(out, "tool", p->tool);
    write_number(out, "rows", p->n_rows);
    write_number(out, "skipped", p->n_skipped);
    write_number(out, "seed", p->seed);
    write_number(out, "folds", p->n_folds);
    close_with(out, "},\n");
    write_scores(out, "out_of_fold", &p->all);
    nw_buf_puts(out, "\n\"networks\":{");
    nw_buf_printf(out, "\"known\":%s,", p->has_networks ? "true" : "false");
    nw_buf_printf(out, "\"totals\":%s,", p->has_totals ? "true" : "false");
    write_number(out, "n", p->n_networks);
    write_number(out, "a", p->a);
    write_number(out, "b", p->b);
    write_scores(out, "out_of_fold", &p->networks);
    write_scores(out, "measured_sums", &p->measured_sums);
    write_band(out, "total_band", &p->total);
    write_band(out, "difference_band", &p->difference);
    close_with(out, "},\n\"sample\":[");
    for (int i = 0; i < p->n_sample; i++) {
        nw_buf_printf(out, "[%d,", p->sample[i].group);
        write_value(out, p->sample[i].measured);
        nw_buf_puts(out, ",");
        write_value(out, p->sample[i].predicted);
        nw_buf_puts(out, "],");
    }
    close_with(out, "],\n");
}

static const char *name_of(const nw_regression *r, int value)
{
    return value < 0                ? "constant"
           : value < NW_VALUE_COUNT ? nw_value_name(value)
                                    : r->extras[value - NW_VALUE_COUNT];
}

static void write_group(const nw_regression *r, const nw_group *g, nw_buf *out)
{
    const nw_fit_group *p = &g->report;
    nw_buf_puts(out, "{");
    write_text(out, "name", g->name);
    write_number(out, "rows", p->n_rows);
    write_number(out, "distinct", p->n_distinct);
    write_number(out, "trees", p->n_trees);
    nw_buf_puts(out, "\"link\":\"base x exp(margin)\",\"base\":[");
    for (int i = 0; i < g->base.n_terms; i++) {
        nw_buf_puts(out, "{");
        write_text(out, "value", name_of(r, g->base.value[i]));
        write_number(out, "coefficient", g->base.coefficient[i]);
        close_with(out, "},");
    }
    close_with(out, "],");
    write_number(out, "least", g->base.least);
    nw_buf_puts(out, "\n \"features\":[");
    for (int f = 0; f < g->n_features; f++) {
        nw_buf_puts(out, "{");
        write_text(out, "name", name_of(r, g->feature[f]));
        write_text(out, "unit", g->feature[f] < NW_VALUE_COUNT ? nw_value_unit(g->feature[f]) : "");
        write_number(out, "low", g->low[f]);
        write_number(out, "high", g->high[f]);
        close_with(out, "},");
    }
    close_with(out, "],\n ");
    write_scores(out, "out_of_fold", &p->scores);
    write_scores(out, "macs_alone", &p->macs);
    write_scores(out, "roofline", &p->roofline);
    write_number(out, "noise_pct", p->noise_pct);
    write_number(out, "noisy_rows", p->n_noisy);
    write_number(out, "spread", p->spread);
    nw_buf_puts(out, "\"quantiles\":[");
    for (int q = 0; q < NW_N_QUANTILES; q++) {
        write_value(out, g->quantile[q]);
        nw_buf_puts(out, ",");
    }
    close_with(out, "],\n \"worst\":[");
    for (int i = 0; i < p->n_worst; i++) {
        nw_buf_puts(out, "{");
        write_number(out, "line", p->worst[i].line);
        write_number(out, "measured", p->worst[i].measured);
        write_number(out, "predicted", p->worst[i].predicted);
        write_text(out, "what", p->worst[i].what);
        close_with(out, "},");
    }
    close_with(out, "]}");
}

void nw_regression_write(const nw_regression *r, nw_buf *out)
{
    nw_buf_puts(out, "{\"schema\":\"" SCHEMA "\",\n");
    write_report(r, out);
    nw_buf_puts(out, "\"group_column\":");
    if (r->group_column)
        nw_buf_json_string(out, r->group_column);
    else
        nw_buf_puts(out, "null");
    nw_buf_puts(out, ",\"columns\":[");
    for (int i = 0; i < r->n_extras; i++) {
        nw_buf_json_string(out, r->extras[i]);
        nw_buf_puts(out, ",");
    }
    close_with(out, "],\n\"hw\":");
    if (r->hw) {
        char *text = nw_hw_describe(r->hw);
        nw_buf_puts(out, text);
        free(text);
    } else {
        nw_buf_puts(out, "null");
    }
    nw_buf_puts(out, ",\n\"groups\":[");
    for (int i = 0; i < r->n_groups; i++) {
        nw_buf_puts(out, i ? ",\n" : "\n");
        write_group(r, &r->groups[i], out);
    }
    nw_buf_puts(out, "],\n\"boosters\":[");
    for (int i = 0; i < r->n_groups; i++) {
        nw_buf_puts(out, i ? ",\n" : "\n");
        if (r->groups[i].booster)
            nw_buf_add(out, r->groups[i].booster, r->groups[i].n_booster_bytes);
        else
            nw_buf_puts(out, "null");
    }
    nw_buf_puts(out, "]}\n");
}

/* ---- reading ---- */

typedef struct reader {
    nw_regression *r;
    const char *path;
    nw_error *err;
    bool has_failed;
} reader;

static nw_status fail(reader *in, const char *format, const char *what)
{
    in->has_failed = true;
    char shown[96];
    return nw_fail(in->err, NW_INVALID, in->path, format, nw_text_fit(what, shown, sizeof shown));
}

static double number_in(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

/* A count that fits an int; others are -1. */
static int count_in(const cJSON *object, const char *key)
{
    double value = number_in(object, key);
    return value >= 0 && value <= 2e9 ? (int)value : -1;
}

static const char *text_in(reader *in, const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    const char *raw = cJSON_IsString(item) ? item->valuestring : "";
    char clean[512];
    return nw_arena_strdup(&in->r->text, nw_text_visible(raw, clean, sizeof clean));
}

static nw_scores scores_in(const cJSON *object, const char *key)
{
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(object, key);
    int n = count_in(o, "n");
    return (nw_scores){n < 0 ? 0 : n,
                       number_in(o, "mape_pct"),
                       number_in(o, "rmspe_pct"),
                       number_in(o, "within_5_pct"),
                       number_in(o, "within_10_pct"),
                       number_in(o, "spearman")};
}

static nw_band band_in(reader *in, const cJSON *object, const char *key)
{
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(object, key);
    nw_band band = {number_in(o, "low"), number_in(o, "high"), count_in(o, "n"),
                    strcmp(text_in(in, o, "from"), "networks") == 0};
    if (band.n < 0 || !isfinite(band.low) || !isfinite(band.high) || band.low > band.high)
        fail(in, "the %s is missing or upside down", key);
    return band;
}

static void read_report(reader *in, const cJSON *root)
{
    nw_fit_report *p = &in->r->report;
    const cJSON *from = cJSON_GetObjectItemCaseSensitive(root, "provenance");
    const cJSON *nets = cJSON_GetObjectItemCaseSensitive(root, "networks");
    p->target = text_in(in, root, "target");
    p->file = text_in(in, from, "file");
    p->device = text_in(in, from, "device");
    p->source = text_in(in, from, "source");
    p->date = text_in(in, from, "date");
    p->measured_with = text_in(in, from, "measured_with");
    p->tool = text_in(in, from, "tool");
    p->data_hash = strtoull(text_in(in, from, "data_hash"), NULL, 16);
    p->n_rows = count_in(from, "rows");
    p->n_skipped = count_in(from, "skipped");
    double seed = number_in(from, "seed");
    p->seed = seed >= 0 && seed <= 0xffffffffu ? (uint32_t)seed : 0;
    p->n_folds = count_in(from, "folds");
    p->all = scores_in(root, "out_of_fold");
    p->has_networks = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(nets, "known"));
    p->has_totals = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(nets, "totals"));
    p->n_networks = count_in(nets, "n");
    p->a = number_in(nets, "a");
    p->b = number_in(nets, "b");
    p->networks = scores_in(nets, "out_of_fold");
    p->measured_sums = scores_in(nets, "measured_sums");
    p->total = band_in(in, nets, "total_band");
    p->difference = band_in(in, nets, "difference_band");
    if (!*p->target || !isfinite(p->a) || !isfinite(p->b))
        fail(in, "target or networks.a, .b are missing%s", "");
}

/* The index of a value by its name in the file; -2: unknown. */
static int find_value(const nw_regression *r, const char *name)
{
    int value = nw_value_find(name);
    for (int i = 0; value < 0 && i < r->n_extras; i++)
        if (strcmp(r->extras[i], name) == 0)
            return NW_VALUE_COUNT + i;
    return value < 0 ? -2 : value;
}

static void read_base(reader *in, const cJSON *object, nw_base *base)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "base"), *term;
    base->least = number_in(object, "least");
    if (!(base->least > 0))
        fail(in, "a group's base has no least value%s", "");
    cJSON_ArrayForEach(term, list)
    {
        const char *name = text_in(in, term, "value");
        int value = strcmp(name, "constant") == 0 ? -1 : find_value(in->r, name);
        double coefficient = number_in(term, "coefficient");
        if (value < -1 || base->n_terms == NW_MAX_TERMS) {
            fail(in, "the base names the unknown feature %s", name);
            return;
        }
        if (!(coefficient >= 0) || !isfinite(coefficient)) {
            fail(in, "the base has no coefficient for %s", name);
            return;
        }
        base->value[base->n_terms] = value;
        base->coefficient[base->n_terms++] = coefficient;
    }
}

static void read_features(reader *in, const cJSON *object, nw_group *g)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "features"), *item;
    size_t n = (size_t)cJSON_GetArraySize(list);
    if (n > (size_t)NW_MAX_VALUES) {
        fail(in, "a group has more features than there are%s", "");
        return;
    }
    g->feature = nw_alloc((n + 1) * sizeof *g->feature);
    g->low = nw_alloc((n + 1) * sizeof *g->low);
    g->high = nw_alloc((n + 1) * sizeof *g->high);
    cJSON_ArrayForEach(item, list)
    {
        const char *name = text_in(in, item, "name");
        int value = find_value(in->r, name);
        if (value < 0) {
            fail(in, "unknown feature %s; the file may be from a newer nasw", name);
            return;
        }
        g->low[g->n_features] = (float)number_in(item, "low");
        g->high[g->n_features] = (float)number_in(item, "high");
        g->feature[g->n_features++] = value;
    }
}

static void read_worst(reader *in, const cJSON *object, nw_fit_group *p)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "worst"), *item;
    cJSON_ArrayForEach(item, list)
    {
        if (p->n_worst == NW_N_WORST)
            break;
        p->worst[p->n_worst++] =
            (nw_worst){count_in(item, "line"), number_in(item, "measured"),
                       number_in(item, "predicted"), text_in(in, item, "what")};
    }
}

static void read_group(reader *in, const cJSON *object, nw_group *g)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(object, "name");
    if (!cJSON_IsString(name)) {
        fail(in, "a group has no name%s", "");
        return;
    }
    g->name = nw_alloc(strlen(name->valuestring) + 1);
    memcpy(g->name, name->valuestring, strlen(name->valuestring) + 1);
    nw_fit_group *p = &g->report;
    p->name = g->name;
    p->n_rows = count_in(object, "rows");
    p->n_distinct = count_in(object, "distinct");
    p->n_trees = count_in(object, "trees");
    p->scores = scores_in(object, "out_of_fold");
    p->macs = scores_in(object, "macs_alone");
    p->roofline = scores_in(object, "roofline");
    p->noise_pct = number_in(object, "noise_pct");
    p->n_noisy = count_in(object, "noisy_rows");
    p->spread = number_in(object, "spread");
    const cJSON *quantiles = cJSON_GetObjectItemCaseSensitive(object, "quantiles");
    for (int q = 0; q < NW_N_QUANTILES; q++) {
        const cJSON *item = cJSON_GetArrayItem(quantiles, q);
        g->quantile[q] = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    }
    read_base(in, object, &g->base);
    read_features(in, object, g);
    read_worst(in, object, p);
}

static bool is_positive(const cJSON *item)
{
    return cJSON_IsNumber(item) && item->valuedouble > 0 && isfinite(item->valuedouble);
}

/* [group, measured, predicted] each; a file without them has no picture. */
static void read_sample(reader *in, const cJSON *root)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "sample"), *item;
    nw_fit_report *p = &in->r->report;
    nw_fit_point *points = nw_arena_alloc(&in->r->text, NW_N_SAMPLE * sizeof *points);
    p->sample = points;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *group = cJSON_GetArrayItem(item, 0), *measured = cJSON_GetArrayItem(item, 1);
        const cJSON *predicted = cJSON_GetArrayItem(item, 2);
        bool is_group = cJSON_IsNumber(group) && group->valuedouble >= 0 &&
                        group->valuedouble < in->r->n_groups;
        if (p->n_sample == NW_N_SAMPLE || !is_group || !is_positive(measured) ||
            !is_positive(predicted)) {
            fail(in, "sample holds something else than [group, measured, predicted]%s", "");
            return;
        }
        points[p->n_sample++] =
            (nw_fit_point){(int)group->valuedouble, measured->valuedouble, predicted->valuedouble};
    }
}

static void read_hw(reader *in, const cJSON *root)
{
    const cJSON *hw = cJSON_GetObjectItemCaseSensitive(root, "hw");
    if (!cJSON_IsObject(hw))
        return;
    char *text = cJSON_PrintUnformatted(hw);
    if (nw_hw_parse(text, strlen(text), "the model's hw", "", &in->r->hw, in->err) != NW_OK) {
        in->has_failed = true;
        nw_error_prefix(in->err, in->path);
    }
    cJSON_free(text);
}

static void read_header(reader *in, const cJSON *root)
{
    const cJSON *column = cJSON_GetObjectItemCaseSensitive(root, "group_column");
    const cJSON *extras = cJSON_GetObjectItemCaseSensitive(root, "columns");
    const cJSON *groups = cJSON_GetObjectItemCaseSensitive(root, "groups"), *item;
    if (cJSON_IsString(column))
        in->r->group_column = nw_arena_strdup(&in->r->text, column->valuestring);
    cJSON_ArrayForEach(item, extras)
    {
        if (cJSON_IsString(item) && in->r->n_extras < NW_MAX_EXTRAS)
            in->r->extras[in->r->n_extras++] = nw_arena_strdup(&in->r->text, item->valuestring);
    }
    read_report(in, root);
    if (!in->has_failed)
        read_hw(in, root);
    int n = cJSON_GetArraySize(groups);
    if (!in->has_failed && (n < 1 || n > MAX_GROUPS))
        fail(in, "has no groups, or more than a thousand%s", "");
    if (in->has_failed)
        return;
    in->r->groups = nw_zalloc((size_t)n * sizeof *in->r->groups);
    cJSON_ArrayForEach(item, groups)
    {
        if (!in->has_failed)
            read_group(in, item, &in->r->groups[in->r->n_groups++]);
    }
    if (!in->has_failed)
        read_sample(in, root);
}

/* Behind a JSON value that begins at text, found by its brackets and quotes; NULL: it has no
 * end. */
static const char *skip_value(const char *text, const char *end)
{
    int depth = 0;
    bool is_in_text = false;
    for (; text < end; text++) {
        if (is_in_text) {
            if (*text == '\\')
                text++;
            else if (*text == '"')
                is_in_text = false;
            continue;
        }
        if (*text == '"')
            is_in_text = true;
        else if (*text == '{' || *text == '[')
            depth++;
        else if (*text == '}' || *text == ']')
            depth--;
        if (depth < 0 || (depth == 0 && (*text == ',' || *text == '}' || *text == ']')))
            return depth < 0 || *text == ',' ? text : text + 1;
    }
    return NULL;
}

static void read_booster(reader *in, nw_group *g, const char *text, size_t length)
{
    nw_error inner;
    g->booster = nw_alloc(length + 1);
    memcpy(g->booster, text, length);
    g->booster[length] = '\0';
    g->n_booster_bytes = length;
    if (nw_trees_read(g->booster, length, &g->trees, &inner) == NW_OK) {
        if (nw_trees_n_features(g->trees) <= g->n_features)
            return;
        snprintf(inner.message, sizeof inner.message, "it uses features that are not listed");
    }
    char what[256];
    snprintf(what, sizeof what, "%.60s: %.180s", g->name, inner.message);
    in->has_failed = true;
    nw_fail(in->err, NW_INVALID, in->path, "the trees of group %s", what);
}

static void read_boosters(reader *in, const char *at, const char *end)
{
    for (int i = 0; i < in->r->n_groups && !in->has_failed; i++) {
        at += strspn(at, " \t\r\n,");
        const char *stop = at < end && *at != ']' ? skip_value(at, end) : NULL;
        if (!stop) {
            fail(in, "the trees of group %s are missing: the file is cut short",
                 in->r->groups[i].name);
            return;
        }
        size_t length = (size_t)(stop - at);
        bool is_null = length >= 4 && strncmp(at, "null", 4) == 0;
        if (!is_null)
            read_booster(in, &in->r->groups[i], at, length);
        at = stop;
    }
    at += strspn(at, " \t\r\n");
    bool is_closed = *at == ']';
    at += is_closed;
    at += strspn(at, " \t\r\n");
    is_closed = is_closed && *at == '}';
    at += is_closed;
    if (!in->has_failed && (!is_closed || at + strspn(at, " \t\r\n") != end))
        fail(in, "does not end behind the list of trees: it is cut short or something follows%s",
             "");
}

/* The boosters are the last member; what stands before them is closed and read as a whole. */
static nw_status parse(reader *in, const char *json, size_t n_bytes)
{
    static const char key[] = "\"boosters\":[";
    const char *end = json + n_bytes, *boosters = strstr(json, key);
    cJSON *root = NULL;
    if (boosters) {
        nw_buf header = {0};
        nw_buf_add(&header, json, (size_t)(boosters - json));
        nw_buf_puts(&header, "\"boosters\":0}");
        nw_json_lock();
        root = cJSON_ParseWithLength(nw_buf_text(&header), header.length);
        nw_json_unlock();
        nw_buf_fini(&header);
    }
    const cJSON *schema = cJSON_GetObjectItemCaseSensitive(root, "schema");
    if (root && cJSON_IsString(schema) && strcmp(schema->valuestring, SCHEMA) != 0)
        fail(in, "has the schema %s; this nasw reads " SCHEMA, schema->valuestring);
    else if (!root || !cJSON_IsString(schema))
        fail(in, "is not a model file of nasw fit, or is cut short%s", "");
    if (!in->has_failed)
        read_header(in, root);
    cJSON_Delete(root);
    if (!in->has_failed)
        read_boosters(in, boosters + sizeof key - 1, end);
    return in->has_failed ? NW_INVALID : NW_OK;
}

nw_status nw_regression_parse(const char *json, size_t n_bytes, const char *path,
                              nw_regression **out, nw_error *err)
{
    reader in = {.path = path, .err = err, .r = nw_zalloc(sizeof *in.r)};
    atomic_init(&in.r->n_users, 1);
    nw_status status = strlen(json) == n_bytes ? parse(&in, json, n_bytes)
                                               : fail(&in, "holds zero bytes: not JSON%s", "");
    if (status == NW_OK)
        *out = in.r;
    else
        nw_regression_release(in.r);
    return status;
}

nw_status nw_regression_load(const char *path, nw_regression **out, nw_error *err)
{
    nw_file *file;
    nw_status status = nw_file_read(path, MAX_MODEL_BYTES, &file, err);
    if (status != NW_OK)
        return status;
    status = nw_regression_parse((const char *)file->bytes, file->n_bytes, file->path, out, err);
    nw_file_release(file);
    return status;
}
