#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/file.h"
#include "src/base/guard.h"
#include "src/hw/internal.h"

#define MAX_FILE_BYTES ((size_t)1 << 20)
#define MAX_CHAIN      8
#define MAX_PATH_BYTES 4096

/* One file of the chain of extends; [0] is the description asked for. */
typedef struct chain_link {
    char *path;
    cJSON *doc;
} chain_link;

typedef struct chain {
    chain_link links[MAX_CHAIN];
    int n;
    const char *search_path;
    bool is_text; /* from memory: has no folder that a relative path could start from */
} chain;

static const cJSON *find_path(const cJSON *doc, const char *path)
{
    const char *dot = strchr(path, '.');
    if (!dot)
        return cJSON_GetObjectItemCaseSensitive(doc, path);
    char group[64] = "";
    memcpy(group, path, (size_t)(dot - path));
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(doc, group), dot + 1);
}

/* ---- the chain of files ---- */

static nw_status parse_document(const char *text, size_t n_bytes, cJSON **out, nw_error *err)
{
    const char *end = NULL;
    if (memchr(text, '\0', n_bytes))
        return nw_fail(err, NW_INVALID, "", "is not JSON: it holds a zero byte");
    nw_json_lock();
    cJSON *doc = cJSON_ParseWithLengthOpts(text, n_bytes + 1, &end, true);
    nw_json_unlock();
    if (!doc) {
        int line = 1;
        for (const char *s = text; end && s < end && s < text + n_bytes; s++)
            line += *s == '\n';
        return nw_fail(err, NW_INVALID, "", "is not JSON (or nested too deep), see line %d", line);
    }
    if (!cJSON_IsObject(doc)) {
        nw_fail(err, NW_INVALID, "", "must hold an object like {\"extends\": \"ne32\"}");
        cJSON_Delete(doc);
        return NW_INVALID;
    }
    *out = doc;
    return NW_OK;
}

/* Each file is read by itself first, so that an error names the file that is to blame. */
static nw_status check_alone(const cJSON *doc, nw_error *err)
{
    nw_hw *scratch = nw_zalloc(sizeof *scratch);
    nw_arena arena = {0};
    nw_status status = nw_hw_read_keys(scratch, &arena, doc, err);
    if (status == NW_OK && scratch->fusion.cascade)
        status = nw_fail(err, NW_UNSUPPORTED, "cascade",
                         "cascades do not exist yet; leave it out or say false");
    if (status == NW_OK && find_path(doc, "dram.bytes_per_s") &&
        find_path(doc, "dram.bytes_per_cycle"))
        status = nw_fail(err, NW_INVALID, "dram.bytes_per_s",
                         "contradicts dram.bytes_per_cycle; give one of the two");
    nw_arena_fini(&arena);
    free(scratch);
    return status;
}

static nw_status add_link(chain *all, const char *path, const char *text, size_t n_bytes,
                          nw_error *err)
{
    cJSON *doc = NULL;
    nw_status status = parse_document(text, n_bytes, &doc, err);
    if (status == NW_OK)
        status = check_alone(doc, err);
    if (status != NW_OK) {
        nw_error_prefix(err, path);
        cJSON_Delete(doc);
        return status;
    }
    chain_link *added = &all->links[all->n++];
    size_t size = strlen(path) + 1;
    added->path = memcpy(nw_alloc(size), path, size);
    added->doc = doc;
    return NW_OK;
}

static nw_status add_file(chain *all, const char *path, nw_error *err)
{
    nw_file *file;
    nw_status status = nw_file_read(path, MAX_FILE_BYTES, &file, err);
    if (status != NW_OK)
        return status;
    status = add_link(all, path, (const char *)file->bytes, file->n_bytes, err);
    nw_file_release(file);
    return status;
}

static bool is_path(const char *name)
{
    size_t length = strlen(name);
    return strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0);
}

/* NAME.json in a folder of search_path, into path; false if there is none. */
static bool search_name(const char *name, const char *search_path, char *path, size_t size)
{
    for (const char *s = search_path; *s;) {
        int length = (int)strcspn(s, ":");
        int needed = snprintf(path, size, "%.*s/%s.json", length, s, name);
        if (length > 0 && needed > 0 && (size_t)needed < size && access(path, F_OK) == 0)
            return true;
        s += length + (s[length] == ':');
    }
    return false;
}

static nw_status not_found(const chain *all, const char *name, nw_error *err)
{
    return nw_fail(err, NW_IO, name,
                   "no such hardware description in %.200s; a file is named with its .json",
                   all->search_path[0] ? all->search_path : "an empty search path");
}

/* The file that the last link extends, into path. */
static nw_status resolve_extends(const chain *all, const char *name, char *path, size_t size,
                                 nw_error *err)
{
    const char *from = all->links[all->n - 1].path;
    if (!is_path(name)) {
        if (!search_name(name, all->search_path, path, size))
            return not_found(all, name, err);
        return NW_OK;
    }
    if (all->is_text)
        return nw_fail(err, NW_INVALID, "extends", "must be a name here, not the path \"%.60s\"",
                       name);
    const char *slash = strrchr(from, '/');
    int folder = slash && name[0] != '/' ? (int)(slash - from) + 1 : 0;
    if (snprintf(path, size, "%.*s%s", folder, from, name) >= (int)size)
        return nw_fail(err, NW_INVALID, "extends", "the path is too long");
    return NW_OK;
}

static nw_status follow_extends(chain *all, nw_error *err)
{
    for (;;) {
        const chain_link *last = &all->links[all->n - 1];
        const cJSON *extends = cJSON_GetObjectItemCaseSensitive(last->doc, "extends");
        if (!extends || !extends->valuestring[0])
            return NW_OK;
        char path[MAX_PATH_BYTES];
        nw_status status = resolve_extends(all, extends->valuestring, path, sizeof path, err);
        for (int i = 0; status == NW_OK && i < all->n; i++)
            if (strcmp(all->links[i].path, path) == 0)
                status = nw_fail(err, NW_INVALID, "extends", "leads back to %.120s", path);
        if (status == NW_OK && all->n == MAX_CHAIN)
            status = nw_fail(err, NW_INVALID, "extends", "more than %d files extend each other",
                             MAX_CHAIN);
        if (status != NW_OK) {
            nw_error_prefix(err, last->path);
            return status;
        }
        all->is_text = false;
        status = add_file(all, path, err);
        if (status == NW_IO) /* the file that asks for it is to blame */
            nw_error_prefix(err, last->path);
        if (status != NW_OK)
            return status;
    }
}

static void free_chain(chain *all)
{
    for (int i = 0; i < all->n; i++) {
        free(all->links[i].path);
        cJSON_Delete(all->links[i].doc);
    }
}

/* ---- merging ---- */

static bool differs(const cJSON *base, const cJSON *over, const char *path)
{
    const cJSON *a = find_path(base, path), *b = find_path(over, path);
    return cJSON_IsString(a) && cJSON_IsString(b) && strcmp(a->valuestring, b->valuestring) != 0;
}

static void drop(cJSON *doc, const char *group, const char *key)
{
    if (key)
        doc = cJSON_GetObjectItemCaseSensitive(doc, group);
    cJSON_DeleteItemFromObjectCaseSensitive(doc, key ? key : group);
}

static void merge_into(cJSON *base, const cJSON *over)
{
    for (const cJSON *member = over->child; member; member = member->next) {
        cJSON *old = cJSON_GetObjectItemCaseSensitive(base, member->string);
        if (cJSON_IsObject(old) && cJSON_IsObject(member)) {
            merge_into(old, member);
            continue;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(base, member->string);
        cJSON_AddItemToObject(base, member->string, cJSON_Duplicate(member, true));
    }
}

/* What a file says replaces what it extends. Another kind of array starts the array and the
 * depthwise unit anew, since the old kind's keys mean nothing to it. */
static void merge_link(cJSON *base, const cJSON *over)
{
    bool is_other_array = differs(base, over, "array.kind");
    if (is_other_array)
        drop(base, "array", NULL);
    if (is_other_array || differs(base, over, "depthwise.kind"))
        drop(base, "depthwise", NULL);
    if (find_path(over, "dram.bytes_per_s"))
        drop(base, "dram", "bytes_per_cycle");
    if (find_path(over, "dram.bytes_per_cycle"))
        drop(base, "dram", "bytes_per_s");
    if (cJSON_IsObject(find_path(base, "ops")) && cJSON_IsObject(find_path(over, "ops")))
        for (const cJSON *op = find_path(over, "ops")->child; op; op = op->next)
            drop(base, "ops", op->string); /* {"slow": 1} over {"slow": 2} is one value */
    drop(base, "name", NULL);
    drop(base, "extends", NULL);
    merge_into(base, over);
}

static cJSON *merge_chain(const chain *all)
{
    cJSON *merged = cJSON_Duplicate(all->links[all->n - 1].doc, true);
    for (int i = all->n - 2; i >= 0; i--)
        merge_link(merged, all->links[i].doc);
    drop(merged, "sources", NULL);
    return merged;
}

/* ---- sources ---- */

static const char *string_or_null(const cJSON *json)
{
    return cJSON_IsString(json) ? json->valuestring : NULL;
}

/* The line that one file gives for a key itself; for its group; for everything. */
static const char *own_source(const cJSON *doc, const char *group, const char *key)
{
    const cJSON *sources = cJSON_GetObjectItemCaseSensitive(doc, "sources");
    if (group[0])
        sources = cJSON_GetObjectItemCaseSensitive(sources, group);
    const cJSON *own = cJSON_GetObjectItemCaseSensitive(sources, key);
    return string_or_null(cJSON_IsObject(own) ? cJSON_GetObjectItemCaseSensitive(own, "all") : own);
}

static const char *group_source(const cJSON *doc, const char *group)
{
    const cJSON *sources = cJSON_GetObjectItemCaseSensitive(doc, "sources");
    const cJSON *of_group = group[0] ? cJSON_GetObjectItemCaseSensitive(sources, group) : NULL;
    const char *source = string_or_null(of_group);
    if (!source)
        source = string_or_null(cJSON_GetObjectItemCaseSensitive(of_group, "all"));
    if (!source)
        source = string_or_null(cJSON_GetObjectItemCaseSensitive(sources, "all"));
    return source;
}

/* From the file asked for towards what it extends: the first that names a source for the key, or
 * that sets the key and so makes older sources void. */
static const char *find_source(const chain *all, const char *path)
{
    const char *dot = strchr(path, '.');
    char group[64] = "";
    if (dot)
        memcpy(group, path, (size_t)(dot - path));
    for (int i = 0; i < all->n; i++) {
        const cJSON *doc = all->links[i].doc;
        const char *source = own_source(doc, group, dot ? dot + 1 : path);
        if (source)
            return source;
        if (find_path(doc, path) || i == all->n - 1)
            return group_source(doc, group);
    }
    return NULL;
}

static void collect_sources(const chain *all, nw_hw *hw)
{
    nw_hw_store *store = hw->store;
    store->sources = nw_arena_alloc(&store->arena, (size_t)nw_hw_n_rows * sizeof *store->sources);
    for (int i = 0; i < nw_hw_n_rows; i++) {
        const char *source = find_source(all, nw_hw_rows[i].path);
        if (nw_hw_rows[i].need != NW_HW_LABEL && source)
            store->sources[i] = nw_hw_copy_visible(&store->arena, source);
    }
    for (int i = NW_OP_OPAQUE + 1; i < NW_OP_COUNT; i++) {
        for (int k = 0; k < all->n && !store->op_sources[i]; k++) {
            const cJSON *doc = all->links[k].doc;
            const char *source = own_source(doc, "ops", nw_op_name((nw_op)i));
            if (source)
                store->op_sources[i] = nw_hw_copy_visible(&store->arena, source);
            if (cJSON_GetObjectItemCaseSensitive(find_path(doc, "ops"), nw_op_name((nw_op)i)))
                break;
        }
    }
}

/* ---- defaults and what keys mean together ---- */

static void set_defaults(nw_hw *hw)
{
    for (int i = 0; i < nw_hw_n_rows; i++)
        if (nw_hw_rows[i].type <= NW_HW_FLAG)
            nw_hw_set_number(hw, &nw_hw_rows[i], nw_hw_rows[i].fallback);
    hw->ops[NW_OP_OPAQUE].support = NW_OP_HOST;
    hw->notes = hw->extends = hw->calibration.provenance = "";
    snprintf(hw->default_precision, sizeof hw->default_precision, "int8");
}

static nw_depthwise_kind default_depthwise(const nw_hw *hw)
{
    if (hw->array.kind == NW_ARRAY_DOT)
        return NW_DEPTHWISE_ARRAY;
    return hw->array.dataflow == NW_DATAFLOW_WS ? NW_DEPTHWISE_DIAGONAL : NW_DEPTHWISE_PER_CHANNEL;
}

static void derive(nw_hw *hw, const cJSON *doc)
{
    for (int i = 0; i < nw_hw_n_rows; i++) {
        const nw_hw_key_row *row = &nw_hw_rows[i];
        if (row->same_as && !find_path(doc, row->path)) {
            const nw_hw_key_row *other = &nw_hw_rows[nw_hw_find_row(row->same_as)];
            nw_hw_set_number(hw, row, nw_hw_get_number(hw, other));
        }
    }
    if (!find_path(doc, "depthwise.kind"))
        hw->depthwise.kind = default_depthwise(hw);
    if (hw->dram.bytes_per_s > 0)
        hw->dram.bytes_per_cycle = hw->dram.bytes_per_s / hw->clock_hz;
}

static nw_status check_presence(const nw_hw *hw, const cJSON *doc, nw_error *err)
{
    for (int i = 0; i < nw_hw_n_rows; i++) {
        const nw_hw_key_row *row = &nw_hw_rows[i];
        bool is_there = find_path(doc, row->path) != NULL;
        bool applies = nw_hw_row_applies(hw, row);
        if (is_there && !applies && row->when == NW_HW_UNIT)
            return nw_fail(err, NW_INVALID, row->path, "is only for depthwise.kind \"unit\"");
        if (is_there && !applies)
            return nw_fail(err, NW_INVALID, row->path, "means nothing for array.kind \"%s\"",
                           hw->array.kind == NW_ARRAY_DOT ? "dot" : "systolic");
        if (!is_there && applies && row->need == NW_HW_REQUIRED)
            return nw_fail(err, NW_INVALID, row->path, "is missing");
    }
    if (hw->dram.bytes_per_cycle <= 0)
        return nw_fail(err, NW_INVALID, "dram.bytes_per_cycle", "is missing");
    return NW_OK;
}

static bool has_precision(const nw_hw *hw, const char *name)
{
    for (int i = 0; i < hw->n_precisions; i++) {
        const nw_hw_precision *p = &hw->precisions[i];
        char known[24];
        snprintf(known, sizeof known, "%s%d", p->is_float ? "float" : "int", p->activation_bits);
        if (strcmp(known, name) == 0)
            return true;
    }
    return false;
}

/* Each rule: what must hold, and what to say otherwise. */
static nw_status check_together(const nw_hw *hw, nw_error *err)
{
    bool is_dot = hw->array.kind == NW_ARRAY_DOT;
    bool is_dot_depthwise =
        hw->depthwise.kind == NW_DEPTHWISE_ARRAY || hw->depthwise.kind == NW_DEPTHWISE_UNIT;
    double lanes = is_dot ? (double)hw->array.pf_out * hw->array.pf_in * hw->array.px_h *
                                hw->array.px_w * hw->cores
                          : (double)hw->array.rows * hw->array.cols * hw->cores;
    int n = hw->weights.sparsity_n, m = hw->weights.sparsity_m;
    const struct {
        bool holds;
        const char *key, *message;
    } rules[] = {
        {lanes <= 1099511627776.0, "array", "more than 2^40 multiply-accumulates a cycle"},
        {!is_dot || hw->array.in_chunk >= hw->array.pf_in, "array.in_chunk",
         "must be at least array.pf_in"},
        {!is_dot || hw->array.in_round <= hw->array.in_chunk, "array.in_round",
         "must be at most array.in_chunk"},
        {!is_dot || hw->array.kernel_group <= hw->array.in_chunk, "array.kernel_group",
         "must be at most array.in_chunk"},
        {is_dot == is_dot_depthwise, "depthwise.kind",
         is_dot ? "must be \"array\" or \"unit\" for array.kind \"dot\""
                : "must be \"diagonal\", \"one_filter\" or \"per_channel\" for array.kind "
                  "\"systolic\""},
        {!hw->limits.max_kernel || hw->limits.min_kernel <= hw->limits.max_kernel,
         "limits.min_kernel", "is larger than limits.max_kernel"},
        {n == 0 ? m == 0 : n < m, "weights.sparsity_n", "must be less than weights.sparsity_m"},
        {n > 0 || hw->weights.sparsity_speedup == 1, "weights.sparsity_speedup",
         "needs weights.sparsity_n and weights.sparsity_m"},
        {hw->weights.pinned == (hw->weights.pinned_bytes > 0), "weights.pinned_bytes",
         hw->weights.pinned ? "is missing: how many bytes can be pinned"
                            : "needs weights.residence \"pinned\""},
        {has_precision(hw, hw->default_precision), "default_precision",
         "is not among precisions (\"int8\": eight-bit integer activations)"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!rules[i].holds)
            return nw_fail(err, NW_INVALID, rules[i].key, "%s", rules[i].message);
    return NW_OK;
}

/* ---- the door ---- */

/* "ne32" of "hw/ne32.json". */
static const char *copy_stem(nw_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *stem = slash ? slash + 1 : path;
    size_t length = strlen(stem);
    if (length > 5 && strcmp(stem + length - 5, ".json") == 0)
        length -= 5;
    return nw_hw_copy_visible(arena, nw_arena_strndup(arena, stem, length));
}

static nw_status build(const chain *all, nw_hw **out, nw_error *err)
{
    cJSON *merged = merge_chain(all);
    nw_hw *hw = nw_zalloc(sizeof *hw);
    hw->store = nw_zalloc(sizeof *hw->store);
    set_defaults(hw);
    hw->path = nw_arena_strdup(&hw->store->arena, all->links[0].path);
    hw->name = copy_stem(&hw->store->arena, hw->path);
    nw_status status = nw_hw_read_keys(hw, &hw->store->arena, merged, err);
    hw->calibration.present = cJSON_GetObjectItemCaseSensitive(merged, "calibration") != NULL;
    if (status == NW_OK) {
        derive(hw, merged);
        status = check_presence(hw, merged, err);
    }
    if (status == NW_OK)
        status = check_together(hw, err);
    hw->store->merged = merged;
    if (status != NW_OK) {
        nw_error_prefix(err, all->links[0].path);
        nw_hw_free(hw);
        return status;
    }
    collect_sources(all, hw);
    *out = hw;
    return NW_OK;
}

nw_status nw_hw_load(const char *name_or_path, const char *search_path, nw_hw **out, nw_error *err)
{
    chain all = {.search_path = search_path ? search_path : ""};
    char path[MAX_PATH_BYTES];
    nw_status status = NW_OK;
    if (is_path(name_or_path))
        status = add_file(&all, name_or_path, err);
    else if (search_name(name_or_path, all.search_path, path, sizeof path))
        status = add_file(&all, path, err);
    else
        status = not_found(&all, name_or_path, err);
    if (status == NW_OK)
        status = follow_extends(&all, err);
    if (status == NW_OK)
        status = build(&all, out, err);
    free_chain(&all);
    return status;
}

nw_status nw_hw_parse(const char *json, size_t n_bytes, const char *name, const char *search_path,
                      nw_hw **out, nw_error *err)
{
    chain all = {.search_path = search_path ? search_path : "", .is_text = true};
    if (n_bytes > MAX_FILE_BYTES)
        return nw_fail(err, NW_LIMIT, name, "larger than the limit of 1 MiB");
    char *text = nw_alloc(n_bytes + 1); /* the parser wants a zero behind */
    if (n_bytes)
        memcpy(text, json, n_bytes);
    text[n_bytes] = '\0';
    nw_status status = add_link(&all, name, text, n_bytes, err);
    if (status == NW_OK)
        status = follow_extends(&all, err);
    if (status == NW_OK)
        status = build(&all, out, err);
    free(text);
    free_chain(&all);
    return status;
}

/* A source for every key, as if the file had given it, so that it goes when its figure does. */
static void add_sources(const nw_hw *hw, cJSON *doc)
{
    cJSON *sources = cJSON_AddObjectToObject(doc, "sources");
    cJSON *ops = cJSON_AddObjectToObject(sources, "ops");
    for (int i = 0; i < nw_hw_n_rows; i++) {
        const char *path = nw_hw_rows[i].path, *dot = strchr(path, '.');
        const char *source = hw->store->sources[i];
        char group[64] = "";
        if (!source)
            continue;
        memcpy(group, path, dot ? (size_t)(dot - path) : 0);
        if (strcmp(path, "ops") == 0) {
            cJSON_AddStringToObject(ops, "all", source);
            continue;
        }
        cJSON *home = dot ? cJSON_GetObjectItemCaseSensitive(sources, group) : sources;
        if (!home)
            home = cJSON_AddObjectToObject(sources, group);
        cJSON_AddStringToObject(home, dot ? dot + 1 : path, source);
    }
    for (int i = NW_OP_OPAQUE + 1; i < NW_OP_COUNT; i++)
        if (hw->store->op_sources[i])
            cJSON_AddStringToObject(ops, nw_op_name((nw_op)i), hw->store->op_sources[i]);
}

/* Behind the chain, as the file that it all extends. */
static nw_status add_base(chain *all, const nw_hw *base, nw_error *err)
{
    if (all->n == MAX_CHAIN)
        return nw_fail(err, NW_INVALID, "extends", "more than %d files extend each other",
                       MAX_CHAIN - 1);
    cJSON *doc = cJSON_Duplicate(base->store->merged, true);
    drop(doc, "extends", NULL);
    add_sources(base, doc);
    size_t size = strlen(base->path) + 1;
    all->links[all->n++] = (chain_link){memcpy(nw_alloc(size), base->path, size), doc};
    return NW_OK;
}

nw_status nw_hw_derive(const nw_hw *base, const char *patch_json, const char *search_path,
                       nw_hw **out, nw_error *err)
{
    chain all = {.search_path = search_path ? search_path : "", .is_text = true};
    nw_buf name = {0};
    bool has_star = base->name[0] && base->name[strlen(base->name) - 1] == '*';
    nw_buf_printf(&name, "%s%s", base->name, has_star ? "" : "*");
    nw_status status =
        strlen(patch_json) > MAX_FILE_BYTES
            ? nw_fail(err, NW_LIMIT, nw_buf_text(&name), "larger than 1 MiB")
            : add_link(&all, nw_buf_text(&name), patch_json, strlen(patch_json), err);
    if (status == NW_OK)
        status = follow_extends(&all, err);
    if (status == NW_OK)
        status = add_base(&all, base, err);
    if (status == NW_OK)
        status = build(&all, out, err);
    if (status == NW_OK) {
        nw_arena *arena = &(*out)->store->arena;
        if (!cJSON_GetObjectItemCaseSensitive(all.links[0].doc, "name"))
            (*out)->name = nw_arena_strdup(arena, nw_buf_text(&name));
        (*out)->path = nw_arena_strdup(arena, base->path);
    }
    nw_buf_fini(&name);
    free_chain(&all);
    return status;
}

void nw_hw_free(nw_hw *hw)
{
    if (!hw)
        return;
    nw_arena_fini(&hw->store->arena);
    cJSON_Delete(hw->store->merged);
    free(hw->store);
    free(hw);
}
