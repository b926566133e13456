/* From trees as they were read to columns, nodes and the vectors of the upper levels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/estimator/trees_layout.h"

enum { COLUMN_THRESHOLDS = 255, PIVOT_STEP = 16 };

/* ---- thresholds to columns ---- */

/* A node that splits. In the order of key: by feature, then by threshold. */
typedef struct split {
    uint64_t key;
    uint32_t node;
} split;

/* Unsigned in the order of the floats; both zeros are one. */
static uint32_t order_of(float value)
{
    uint32_t bits;
    float no_minus = value + 0.0f;
    memcpy(&bits, &no_minus, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/* By the bytes of the key, least significant first; bytes that are all equal cost nothing. */
static split *sort_splits(split *splits, split *spare, size_t n)
{
    static const int n_bytes = 8;
    for (int byte = 0; byte < n_bytes; byte++) {
        size_t counts[257] = {0};
        for (size_t i = 0; i < n; i++)
            counts[((splits[i].key >> 8 * byte) & 255) + 1]++;
        if (n == 0 || counts[((splits[0].key >> 8 * byte) & 255) + 1] == n)
            continue;
        for (int i = 1; i < 257; i++)
            counts[i] += counts[i - 1];
        for (size_t i = 0; i < n; i++)
            spare[counts[(splits[i].key >> 8 * byte) & 255]++] = splits[i];
        split *swap = splits;
        splits = spare;
        spare = swap;
    }
    return splits;
}

/* Room for whole sixteens, and one NAN at least after the last threshold, so that the search for
 * a value above all stays inside. */
static size_t padded(size_t n)
{
    return (n / PIVOT_STEP + 1) * PIVOT_STEP;
}

static void finish_column(nw_trees *trees, size_t *n_thresholds)
{
    if (trees->n_columns == 0)
        return;
    nw_trees_column *column = &trees->columns[trees->n_columns - 1];
    size_t end = column->first + padded(column->n);
    while (*n_thresholds < end)
        trees->thresholds[(*n_thresholds)++] = NAN;
    for (size_t i = 0; i < PIVOT_STEP; i++) {
        size_t last = i * PIVOT_STEP + PIVOT_STEP - 1;
        column->pivots[i] =
            last < padded(column->n) ? trees->thresholds[column->first + last] : NAN;
    }
}

static nw_status too_many_columns(nw_error *err)
{
    return nw_fail(err, NW_LIMIT, "model",
                   "its features have more than %d thresholds; train with a smaller max_bin",
                   NW_TREES_MAX_COLUMNS * COLUMN_THRESHOLDS);
}

/* How many columns and thresholds (padded) sorted splits need. */
static size_t count_columns(const split *splits, size_t n, size_t *n_thresholds)
{
    size_t n_columns = 0, in_column = 0;
    *n_thresholds = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && splits[i].key == splits[i - 1].key)
            continue;
        if (i == 0 || splits[i].key >> 32 != splits[i - 1].key >> 32 ||
            in_column == COLUMN_THRESHOLDS) {
            *n_thresholds += n_columns ? padded(in_column) : 0;
            n_columns++;
            in_column = 0;
        }
        in_column++;
    }
    *n_thresholds += n_columns ? padded(in_column) : 0;
    return n_columns;
}

/* Fills the columns, and column and limit of each node that splits. */
static void fill_columns(nw_trees *trees, const nw_raw_trees *raw, const split *splits, size_t n)
{
    size_t n_thresholds = 0;
    nw_trees_column *column = NULL;
    for (size_t i = 0; i < n; i++) {
        const nw_raw_node *node = &raw->nodes[splits[i].node];
        bool new_feature = i == 0 || splits[i].key >> 32 != splits[i - 1].key >> 32;
        if (i == 0 || splits[i].key != splits[i - 1].key) {
            if (new_feature || column->n == COLUMN_THRESHOLDS) {
                finish_column(trees, &n_thresholds);
                column = &trees->columns[trees->n_columns++];
                column->first = (uint32_t)n_thresholds;
                column->feature = node->feature;
            }
            column->n++;
            trees->thresholds[n_thresholds++] = node->value;
        }
        int index = trees->n_columns - 1 + (node->default_left ? 0 : trees->right);
        trees->nodes[splits[i].node].column = (uint16_t)index;
        trees->nodes[splits[i].node].limit = column->n;
    }
    finish_column(trees, &n_thresholds);
}

static nw_status build_columns(nw_trees *trees, const nw_raw_trees *raw, nw_error *err)
{
    size_t n = 0, n_thresholds;
    nw_status status = NW_OK;
    split *memory = nw_alloc((raw->n_nodes + 1) * 2 * sizeof *memory);
    for (size_t i = 0; i < raw->n_nodes; i++)
        if (raw->nodes[i].left >= 0)
            memory[n++] = (split){
                (uint64_t)raw->nodes[i].feature << 32 | order_of(raw->nodes[i].value), (uint32_t)i};
    const split *splits = sort_splits(memory, memory + raw->n_nodes + 1, n);
    size_t n_columns = count_columns(splits, n, &n_thresholds);
    if (n_columns > NW_TREES_MAX_COLUMNS) {
        status = too_many_columns(err);
    } else {
        trees->right = n_columns > NW_TREES_ROW_COLUMNS ? (int)n_columns : NW_TREES_ROW_COLUMNS;
        trees->columns = nw_zalloc((n_columns + 1) * sizeof *trees->columns);
        trees->thresholds = nw_alloc((n_thresholds + 1) * sizeof *trees->thresholds);
        fill_columns(trees, raw, splits, n);
    }
    free(memory);
    return status;
}

/* ---- nodes ---- */

/* Depths of a tree's nodes from their order: a child comes after its parent. */
static int depth_of(const nw_raw_node *nodes, size_t n, uint8_t *depths)
{
    int deepest = 0;
    depths[0] = 0;
    for (size_t i = 0; i < n; i++) {
        if (depths[i] > deepest)
            deepest = depths[i];
        if (nodes[i].left >= 0)
            depths[nodes[i].left] = depths[nodes[i].left + 1] = (uint8_t)(depths[i] + 1);
    }
    return deepest;
}

static void build_nodes(nw_trees *trees, const nw_raw_trees *raw)
{
    int deepest = 0;
    uint8_t *depths = nw_alloc(raw->n_nodes + 1);
    trees->nodes = nw_zalloc((raw->n_nodes + 1) * sizeof *trees->nodes);
    trees->values = nw_zalloc((raw->n_nodes + 1) * sizeof *trees->values);
    trees->roots = nw_alloc((raw->n_trees + 1) * sizeof *trees->roots);
    trees->depths = nw_alloc(raw->n_trees + 1);
    for (size_t t = 0; t < raw->n_trees; t++) {
        uint32_t root = raw->roots[t];
        size_t end = t + 1 < raw->n_trees ? raw->roots[t + 1] : raw->n_nodes;
        trees->roots[t] = root;
        int depth = depth_of(raw->nodes + root, end - root, depths);
        trees->depths[t] = (uint8_t)depth;
        deepest = depth > deepest ? depth : deepest;
        for (size_t i = root; i < end; i++) {
            const nw_raw_node *from = &raw->nodes[i];
            bool is_leaf = from->left < 0;
            trees->nodes[i].left = is_leaf ? (uint32_t)i : root + (uint32_t)from->left;
            trees->nodes[i].limit = 256;
            trees->values[i] = is_leaf ? from->value : 0;
        }
    }
    trees->n_levels = deepest < NW_TREES_LEVELS ? deepest : NW_TREES_LEVELS;
    free(depths);
}

/* ---- the complete upper levels ---- */

/* What node becomes at level, path; under a leaf both ways lead to the leaf. */
static void fill_upper(nw_trees *trees, size_t tree, uint32_t node, int level, unsigned path)
{
    const nw_trees_node *at = &trees->nodes[node];
    if (level == trees->n_levels) {
        size_t exit = tree << level | path;
        trees->leaves[exit] = trees->values[node];
        if (trees->exits)
            trees->exits[exit] = node;
        return;
    }
    bool is_leaf = at->left == node;
    uint8_t *vector = trees->table + tree / NW_TREES_GROUP * nw_trees_group_bytes(trees->n_levels) +
                      (((size_t)1 << level) - 1 + path) * 2 * NW_TREES_GROUP +
                      tree % NW_TREES_GROUP;
    vector[0] = is_leaf ? 0 : (uint8_t)at->column;
    vector[NW_TREES_GROUP] = is_leaf ? 0 : (uint8_t)at->limit;
    fill_upper(trees, tree, at->left, level + 1, path);
    fill_upper(trees, tree, is_leaf ? node : at->left + 1, level + 1, path | 1u << level);
}

static void build_upper(nw_trees *trees)
{
    size_t n_groups = nw_trees_n_groups(trees);
    size_t n_exits = (n_groups * NW_TREES_GROUP + 1) << trees->n_levels;
    bool is_deep = false;
    trees->group_steps = nw_zalloc(n_groups + 1);
    for (int t = 0; t < trees->n_trees; t++) {
        uint8_t *steps = &trees->group_steps[t / NW_TREES_GROUP];
        if (trees->depths[t] - trees->n_levels > *steps)
            *steps = (uint8_t)(trees->depths[t] - trees->n_levels);
        is_deep = is_deep || *steps > 0;
    }
    trees->table = nw_zalloc(n_groups * nw_trees_group_bytes(trees->n_levels) + 1);
    trees->leaves = nw_zalloc(n_exits * sizeof *trees->leaves);
    if (is_deep)
        trees->exits = nw_zalloc(n_exits * sizeof *trees->exits);
    for (int t = 0; t < trees->n_trees; t++)
        fill_upper(trees, (size_t)t, trees->roots[t], 0, 0);
}

nw_status nw_trees_build(const nw_raw_trees *raw, nw_trees **out, nw_error *err)
{
    nw_trees *trees = nw_zalloc(sizeof *trees);
    trees->n_features = raw->n_features;
    trees->n_trees = (int)raw->n_trees;
    trees->base_score = raw->base_score;
    build_nodes(trees, raw);
    nw_status status = build_columns(trees, raw, err);
    if (status != NW_OK) {
        nw_trees_free(trees);
        return status;
    }
    if (trees->n_columns <= NW_TREES_ROW_COLUMNS)
        build_upper(trees);
    for (int path = 0; path < NW_TREES_N_PATHS; path++)
        if (nw_trees_can(trees, (nw_trees_path)path))
            trees->fastest = (nw_trees_path)path;
    *out = trees;
    return NW_OK;
}
