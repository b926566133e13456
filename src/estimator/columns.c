#include "src/estimator/columns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name, *aliases;
} roles[NW_ROLE_COUNT] = {
#define X(id, name, aliases, what) {name, aliases},
    NW_ROLES(X)
#undef X
};

static bool is_word_in(const char *word, const char *list)
{
    size_t length = strlen(word);
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (n == length && strncasecmp(at, word, n) == 0)
            return true;
        at += n;
    }
    return false;
}

/* Whether any of the first rows of a column is neither empty nor a number. */
static bool holds_words(const nw_table *table, int column)
{
    for (int row = 0; row < table->n_rows && row < 100; row++) {
        double value;
        if (nw_table_number(table, row, column, &value, NULL) != NW_OK)
            return true;
    }
    return false;
}

static void find_roles(const nw_table *table, nw_columns *out)
{
    for (int r = 0; r < NW_ROLE_COUNT; r++) {
        out->role[r] = nw_table_find(table, roles[r].name);
        for (int c = 0; c < table->n_columns && out->role[r] < 0; c++)
            if (c != out->kernel && c != out->group &&
                is_word_in(table->names[c], roles[r].aliases))
                out->role[r] = c;
    }
}

static nw_status require(const nw_table *table, const char *name, int *column, nw_error *err)
{
    *column = nw_table_find(table, name);
    if (*column < 0)
        return nw_fail(err, NW_INVALID, table->path, "has no column %s", name);
    return NW_OK;
}

nw_status nw_columns_bind(const nw_table *table, const char *group, const char *const *extras,
                          int n_extras, nw_columns *out, nw_error *err)
{
    *out = (nw_columns){.group = -1, .kernel = nw_table_find(table, "kernel")};
    if (out->kernel >= 0 && !holds_words(table, out->kernel))
        out->kernel = -1;
    nw_status status = NW_OK;
    if (group)
        status = require(table, group, &out->group, err);
    else
        out->group = out->kernel;
    if (status == NW_OK && n_extras > NW_MAX_EXTRAS)
        status =
            nw_fail(err, NW_LIMIT, table->path, "more than %d columns as features", NW_MAX_EXTRAS);
    for (int i = 0; i < n_extras && status == NW_OK; i++)
        status = require(table, extras[i], &out->extra[out->n_extras++], err);
    if (status != NW_OK)
        return status;
    out->is_measurement = out->kernel >= 0 && out->group == out->kernel;
    find_roles(table, out);
    bool has_any = n_extras > 0;
    for (int r = 0; r < NW_ROLE_COUNT; r++)
        has_any |= out->role[r] >= 0;
    if (!has_any)
        return nw_fail(err, NW_INVALID, table->path,
                       "no column has a known role (in_h, in_c, out_c, kernel_h, stride, ...); "
                       "name the columns with --features");
    return NW_OK;
}

const char *nw_columns_group(const nw_columns *columns, const nw_table *table, int row, char *dst,
                             size_t size)
{
    dst[0] = '\0';
    if (columns->group < 0)
        return dst;
    const char *word = nw_table_cell(table, row, columns->group);
    if (!columns->is_measurement) {
        snprintf(dst, size, "%s", word);
        return dst;
    }
    size_t used = 0;
    while (*word && used + 1 < size) {
        size_t n = strcspn(word, "+");
        nw_kernel_kind kind = NW_KERNEL_COUNT;
        char piece[32];
        snprintf(piece, sizeof piece, "%.*s", (int)n, word);
        kind = nw_kernel_kind_find(piece);
        bool is_joined =
            used > 0 && (kind == NW_KERNEL_COUNT || kind == NW_KERNEL_ADD || kind == NW_KERNEL_ACT);
        if (!is_joined)
            used += (size_t)snprintf(dst + used, size - used, "%s%s", used ? "+" : "", piece);
        word += n + (word[n] == '+');
    }
    return dst;
}

/* "relu6" and the like; a number stays one. */
static double read_act(const char *text)
{
    static const char *const free_acts[] = {"", "0", "none", "linear"};
    for (size_t i = 0; i < sizeof free_acts / sizeof *free_acts; i++)
        if (strcasecmp(text, free_acts[i]) == 0)
            return NW_KERNEL_ACT_NONE;
    if (strncasecmp(text, "relu", 4) == 0 || strncasecmp(text, "cl", 2) == 0 ||
        strcmp(text, "1") == 0)
        return NW_KERNEL_ACT_CLAMP;
    return NW_KERNEL_ACT_LUT;
}

static void fill_missing(double *r, int dst, double value)
{
    if (isnan(r[dst]))
        r[dst] = value;
}

static void fill_in(nw_row *row, bool is_ours)
{
    double *r = row->role;
    if (row->kind == NW_KERNEL_REDUCE &&
        !is_ours) { /* over the map, whatever its output is called */
        r[NW_ROLE_OUT_H] = r[NW_ROLE_OUT_W] = 1;
        r[NW_ROLE_OUT_C] = r[NW_ROLE_IN_C];
        fill_missing(r, NW_ROLE_KERNEL_H, r[NW_ROLE_IN_H]);
    }
    bool is_multiplier =
        !is_ours && row->kind == NW_KERNEL_DWCONV && r[NW_ROLE_OUT_C] < r[NW_ROLE_IN_C];
    if (is_multiplier) /* a table of multipliers of depthwise channels */
        r[NW_ROLE_OUT_C] *= r[NW_ROLE_IN_C];
    fill_missing(r, NW_ROLE_IN_W, r[NW_ROLE_IN_H]);
    fill_missing(r, NW_ROLE_KERNEL_W, r[NW_ROLE_KERNEL_H]);
    fill_missing(r, NW_ROLE_STRIDE_H, 1);
    fill_missing(r, NW_ROLE_STRIDE_W, r[NW_ROLE_STRIDE_H]);
    fill_missing(r, NW_ROLE_OUT_H, ceil(r[NW_ROLE_IN_H] / r[NW_ROLE_STRIDE_H]));
    fill_missing(r, NW_ROLE_OUT_W, ceil(r[NW_ROLE_IN_W] / r[NW_ROLE_STRIDE_W]));
    fill_missing(r, NW_ROLE_OUT_C, r[NW_ROLE_IN_C]);
    if (row->kind == NW_KERNEL_DWCONV)
        fill_missing(r, NW_ROLE_GROUPS, r[NW_ROLE_IN_C]);
    fill_missing(r, NW_ROLE_GROUPS, 1);
    fill_missing(r, NW_ROLE_DILATION, 1);
    fill_missing(r, NW_ROLE_BATCH, 1);
    fill_missing(r, NW_ROLE_BITS, 8);
    fill_missing(r, NW_ROLE_WEIGHT_BITS, r[NW_ROLE_BITS]);
    fill_missing(r, NW_ROLE_IS_FLOAT, r[NW_ROLE_BITS] >= 32);
    static const nw_role zeros[] = {NW_ROLE_ACT, NW_ROLE_RESIDUAL, NW_ROLE_IS_FIRST,
                                    NW_ROLE_HOST_ELEMENTS, NW_ROLE_HOST_BYTES};
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        fill_missing(r, zeros[i], 0);
    bool is_pair = row->kind == NW_KERNEL_ADD || row->kind == NW_KERNEL_MUL;
    fill_missing(r, NW_ROLE_MAPS, is_pair ? 2 : 1);
}

static nw_status read_roles(const nw_columns *columns, const nw_table *table, int row, double *r,
                            nw_error *err)
{
    for (int i = 0; i < NW_ROLE_COUNT; i++) {
        char where[192];
        r[i] = NAN;
        if (columns->role[i] < 0)
            continue;
        if (i == NW_ROLE_ACT) {
            r[i] = read_act(nw_table_cell(table, row, columns->role[i]));
            continue;
        }
        nw_status status = nw_table_number(table, row, columns->role[i], &r[i], err);
        if (status != NW_OK)
            return status;
        if (r[i] < 0)
            return nw_fail(err, NW_INVALID, nw_table_where(table, row, where, sizeof where),
                           "%s is %g; sizes are not negative", table->names[columns->role[i]],
                           r[i]);
    }
    return NW_OK;
}

nw_status nw_columns_row(const nw_columns *columns, const nw_table *table, int row, nw_row *out,
                         double *extras, nw_error *err)
{
    nw_status status = read_roles(columns, table, row, out->role, err);
    const char *word = "";
    if (columns->kernel >= 0)
        word = nw_table_cell(table, row, columns->kernel);
    else if (columns->group >= 0)
        word = nw_table_cell(table, row, columns->group);
    out->kind = *word ? nw_row_kind(word) : NW_KERNEL_CONV;
    out->second = NW_KERNEL_COUNT;
    const char *plus = columns->is_measurement ? strchr(word, '+') : NULL;
    if (plus && strncmp(plus, "+conv", 5) == 0)
        out->second = NW_KERNEL_CONV;
    if (plus && strncmp(plus, "+pool", 5) == 0)
        out->second = NW_KERNEL_POOL;
    fill_in(out, columns->is_measurement);
    for (int i = 0; i < columns->n_extras && status == NW_OK; i++)
        status = nw_table_number(table, row, columns->extra[i], &extras[i], err);
    return status;
}
