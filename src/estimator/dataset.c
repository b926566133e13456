#include "src/estimator/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/map.h"

/* Distinct words, numbered as they come. */
typedef struct name_list {
    nw_map map;
    char **list;
    size_t capacity;
    int n;
} name_list;

static int number_of(name_list *names, const char *word)
{
    int32_t index = nw_map_get(&names->map, word);
    if (index != NW_MAP_NONE)
        return index;
    names->list = nw_grow(names->list, (size_t)names->n, &names->capacity, sizeof *names->list);
    char *copy = nw_alloc(strlen(word) + 1);
    memcpy(copy, word, strlen(word) + 1);
    names->list[names->n] = copy;
    nw_map_put(&names->map, copy, names->n);
    return names->n++;
}

static nw_status read_target(const nw_table *table, int row, int column, double *out, nw_error *err)
{
    char where[192];
    *out = NAN;
    if (column < 0)
        return NW_OK;
    nw_status status = nw_table_number(table, row, column, out, err);
    if (status == NW_OK && *out <= 0)
        return nw_fail(err, NW_INVALID, nw_table_where(table, row, where, sizeof where),
                       "%s is %g; what was measured is positive, an empty cell skips the row",
                       table->names[column], *out);
    return status;
}

/* -0 and 0 are one shape, and so are all NANs. */
static uint64_t hash_row(const float *values, int n, int group)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ (uint64_t)group;
    for (int i = 0; i < n; i++) {
        float value = isnan(values[i]) ? -1e30f : values[i] + 0.0f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        hash = (hash ^ bits) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return hash;
}

static void allocate(nw_dataset *d, const nw_table *table)
{
    size_t n = (size_t)table->n_rows + 1;
    d->values = nw_alloc(n * (size_t)d->stride * sizeof *d->values);
    d->target = nw_alloc(n * sizeof *d->target);
    d->hash = nw_alloc(n * sizeof *d->hash);
    int **ints[] = {&d->line, &d->row, &d->group, &d->network, &d->fold};
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        *ints[i] = nw_zalloc(n * sizeof **ints[i]);
}

static nw_status read_row(const nw_table *table, const nw_columns *columns, const nw_hw *hw,
                          int row, nw_dataset *d, nw_error *err)
{
    double values[NW_MAX_VALUES];
    nw_row kernel;
    nw_status status = nw_columns_row(columns, table, row, &kernel, values + NW_VALUE_COUNT, err);
    if (status != NW_OK)
        return status;
    nw_row_place(&kernel, hw);
    nw_row_values(&kernel, hw, values);
    float *to = d->values + (size_t)d->n_rows * (size_t)d->stride;
    for (int i = 0; i < d->stride; i++)
        to[i] = isfinite(values[i]) ? (float)values[i] : NAN;
    return NW_OK;
}

nw_status nw_dataset_read(const nw_table *table, const nw_columns *columns,
                          const nw_dataset_options *options, nw_dataset *out, nw_error *err)
{
    nw_dataset d = {.stride = NW_VALUE_COUNT + columns->n_extras,
                    .data_hash = 14695981039346656037u};
    name_list groups = {0}, networks = {0};
    int target = options->target ? nw_table_find(table, options->target) : -1;
    int network = options->network ? nw_table_find(table, options->network) : -1;
    const char *missing = options->target && target < 0     ? options->target
                          : options->network && network < 0 ? options->network
                                                            : NULL;
    if (missing)
        return nw_fail(err, NW_INVALID, table->path, "has no column %s", missing);
    allocate(&d, table);
    nw_status status = NW_OK;
    for (int row = 0; row < table->n_rows && status == NW_OK; row++) {
        char word[96];
        double *y = &d.target[d.n_rows];
        status = read_target(table, row, target, y, err);
        if (status != NW_OK)
            break;
        if (target >= 0 && isnan(*y)) {
            d.n_skipped++;
            continue;
        }
        status = read_row(table, columns, options->hw, row, &d, err);
        d.group[d.n_rows] =
            number_of(&groups, nw_columns_group(columns, table, row, word, sizeof word));
        const char *name = network >= 0 ? nw_table_cell(table, row, network) : "";
        d.network[d.n_rows] = *name ? number_of(&networks, name) : -1;
        d.hash[d.n_rows] =
            hash_row(d.values + (size_t)d.n_rows * (size_t)d.stride, d.stride, d.group[d.n_rows]);
        d.data_hash = (d.data_hash ^ d.hash[d.n_rows] ^ nw_hash(y, sizeof *y)) * 1099511628211u;
        d.line[d.n_rows] = nw_table_line(table, row);
        d.row[d.n_rows] = row;
        d.n_rows++;
    }
    d.group_names = groups.list;
    d.n_groups = groups.n;
    d.network_names = networks.list;
    d.n_networks = networks.n;
    nw_map_fini(&groups.map);
    nw_map_fini(&networks.map);
    if (status == NW_OK)
        *out = d;
    else
        nw_dataset_fini(&d);
    return status;
}

void nw_dataset_fini(nw_dataset *d)
{
    free(d->values);
    free(d->target);
    free(d->hash);
    free(d->line);
    free(d->row);
    free(d->group);
    free(d->network);
    free(d->fold);
    for (int i = 0; i < d->n_groups; i++)
        free(d->group_names[i]);
    for (int i = 0; i < d->n_networks; i++)
        free(d->network_names[i]);
    free(d->group_names);
    free(d->network_names);
    *d = (nw_dataset){0};
}

/* ---- folds ---- */

typedef struct dealt {
    uint64_t order, key;
    int row;
} dealt;

static int compare_dealt(const void *a, const void *b)
{
    const dealt *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return (x->key > y->key) - (x->key < y->key);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u; /* splitmix64's finaliser */
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Rows that share a key share a fold; keys are dealt round-robin in a seeded order. */
void nw_dataset_fold(nw_dataset *d, int n_folds, uint32_t seed)
{
    dealt *cards = nw_alloc(((size_t)d->n_rows + 1) * sizeof *cards);
    for (int i = 0; i < d->n_rows; i++) {
        uint64_t key = d->hash[i];
        if (d->network[i] >= 0) {
            const char *name = d->network_names[d->network[i]];
            key = nw_hash(name, strcspn(name, "/"));
        }
        cards[i] = (dealt){mix(key + seed * 0x9e3779b97f4a7c15u), key, i};
    }
    qsort(cards, (size_t)d->n_rows, sizeof *cards, compare_dealt);
    int fold = -1;
    for (int i = 0; i < d->n_rows; i++) {
        if (i == 0 || cards[i].key != cards[i - 1].key)
            fold = (fold + 1) % n_folds;
        d->fold[cards[i].row] = fold;
    }
    free(cards);
}

static int compare_rows(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int nw_dataset_draw(const nw_dataset *d, uint32_t seed, int *rows, int max_rows)
{
    int n = d->n_rows < max_rows ? d->n_rows : max_rows;
    dealt *cards = nw_alloc(((size_t)d->n_rows + 1) * sizeof *cards);
    for (int i = 0; i < d->n_rows; i++) {
        uint64_t key = (uint64_t)i;
        cards[i] = (dealt){mix(mix(key + 1) + seed * 0x9e3779b97f4a7c15u), key, i};
    }
    qsort(cards, (size_t)d->n_rows, sizeof *cards, compare_dealt);
    for (int i = 0; i < n; i++)
        rows[i] = cards[i].row;
    qsort(rows, (size_t)n, sizeof *rows, compare_rows);
    free(cards);
    return n;
}
