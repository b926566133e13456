#include "src/estimator/trees.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/estimator/trees_layout.h"

void nw_trees_free(nw_trees *trees)
{
    if (!trees)
        return;
    free(trees->columns);
    free(trees->thresholds);
    free(trees->nodes);
    free(trees->values);
    free(trees->roots);
    free(trees->depths);
    free(trees->table);
    free(trees->leaves);
    free(trees->exits);
    free(trees->group_steps);
    free(trees);
}

int nw_trees_n_features(const nw_trees *trees)
{
    return trees->n_features;
}

int nw_trees_n_trees(const nw_trees *trees)
{
    return trees->n_trees;
}

/* ---- what the paths share ---- */

/* Processors load and compare such a step without a branch, so that many trees are under way at
 * once. */
static uint32_t walk(const nw_trees *trees, const uint8_t *columns, uint32_t node, int n_steps)
{
    for (int i = 0; i < n_steps; i++) {
        const nw_trees_node *at = &trees->nodes[node];
        node = at->left + !(columns[at->column] < at->limit);
    }
    return node;
}

/* Four rows at once, so that a sum need not wait for its last addition. */
static void add_to_four(const float *leaves, int n_levels, int n_trees,
                        const uint8_t (*paths)[NW_TREES_GROUP], float *sums)
{
    float a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    for (int i = 0; i < n_trees; i++, leaves += (size_t)1 << n_levels) {
        a += leaves[paths[0][i]];
        b += leaves[paths[1][i]];
        c += leaves[paths[2][i]];
        d += leaves[paths[3][i]];
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

static float add_to_one(const float *leaves, int n_levels, int n_trees, const uint8_t *paths,
                        float sum)
{
    for (int i = 0; i < n_trees; i++, leaves += (size_t)1 << n_levels)
        sum += leaves[paths[i]];
    return sum;
}

static float add_deep(const nw_trees *trees, size_t first, int n_trees, const uint8_t *paths,
                      const uint8_t *columns, float sum)
{
    int n_steps = trees->group_steps[first / NW_TREES_GROUP];
    const uint32_t *exits = trees->exits + (first << trees->n_levels);
    for (int i = 0; i < n_trees; i++, exits += (size_t)1 << trees->n_levels)
        sum += trees->values[walk(trees, columns, exits[paths[i]], n_steps)];
    return sum;
}

void nw_trees_add_group(const nw_trees *trees, size_t group,
                        const uint8_t paths[NW_TREES_BLOCK][NW_TREES_GROUP],
                        const uint8_t columns[NW_TREES_BLOCK][2 * NW_TREES_ROW_COLUMNS], int n_rows,
                        float *sums)
{
    size_t first = group * NW_TREES_GROUP, left = (size_t)trees->n_trees - first;
    int n_trees = left < NW_TREES_GROUP ? (int)left : NW_TREES_GROUP;
    const float *leaves = trees->leaves + (first << trees->n_levels);
    int row = 0;
    if (trees->group_steps[group] > 0) {
        for (; row < n_rows; row++)
            sums[row] = add_deep(trees, first, n_trees, paths[row], columns[row], sums[row]);
        return;
    }
    for (; row + 4 <= n_rows; row += 4)
        add_to_four(leaves, trees->n_levels, n_trees, paths + row, sums + row);
    for (; row < n_rows; row++)
        sums[row] = add_to_one(leaves, trees->n_levels, n_trees, paths[row], sums[row]);
}

/* ---- the portable path ---- */

/* How many of n rising thresholds are not above value; 0 for NAN. */
static int count_not_above(const float *thresholds, int n, float value)
{
    int first = 0;
    while (n > 1) {
        int half = n / 2;
        first += half * (thresholds[first + half - 1] <= value); /* no branch to guess */
        n -= half;
    }
    return first + (thresholds[first] <= value);
}

static void find_columns(const nw_trees *trees, const float *row, uint8_t *columns)
{
    for (int i = 0; i < trees->n_columns; i++) {
        const nw_trees_column *column = &trees->columns[i];
        float value = row[column->feature];
        int n = count_not_above(trees->thresholds + column->first, column->n, value);
        columns[i] = (uint8_t)n;
        columns[i + trees->right] = (uint8_t)(value != value ? column->n : n);
    }
}

enum { NODE_SHIFT = 7 }; /* a node of a group is 2 * NW_TREES_GROUP bytes */

/* One level further on a path that is counted in bytes of the table. */
static inline size_t step(const uint8_t *first, int level, size_t path, const uint8_t *columns)
{
    const uint8_t *node = first + ((((size_t)1 << level) - 1) << NODE_SHIFT) + path;
    return path | (size_t)(columns[node[0]] >= node[NW_TREES_GROUP]) << (level + NODE_SHIFT);
}

/* The paths of one row through the upper levels of a group's trees. */
static void find_paths(const uint8_t *first, int n_levels, int n_trees, const uint8_t *columns,
                       uint8_t *paths)
{
    for (int i = 0; i < n_trees; i++, first++) {
        size_t path = 0;
        if (n_levels > 0)
            path = step(first, 0, path, columns);
        if (n_levels > 1)
            path = step(first, 1, path, columns);
        if (n_levels > 2)
            path = step(first, 2, path, columns);
        if (n_levels > 3)
            path = step(first, 3, path, columns);
        if (n_levels > 4)
            path = step(first, 4, path, columns);
        if (n_levels > 5)
            path = step(first, 5, path, columns);
        paths[i] = (uint8_t)(path >> NODE_SHIFT);
    }
}

/* Where the upper levels are no table for want of room in a row: node by node. */
static void walk_block(const nw_trees *trees, const float *rows, int n_rows, int stride, float *out)
{
    uint8_t columns[2 * NW_TREES_MAX_COLUMNS];
    for (int i = 0; i < n_rows; i++) {
        float sum = trees->base_score;
        find_columns(trees, rows + (size_t)i * (size_t)stride, columns);
        for (int t = 0; t < trees->n_trees; t++)
            sum += trees->values[walk(trees, columns, trees->roots[t], trees->depths[t])];
        out[i] = sum;
    }
}

static void run_block(const nw_trees *trees, const float *rows, int n_rows, int stride, float *out)
{
    uint8_t columns[NW_TREES_BLOCK][2 * NW_TREES_ROW_COLUMNS];
    uint8_t paths[NW_TREES_BLOCK][NW_TREES_GROUP];
    float sums[NW_TREES_BLOCK];
    if (!trees->table) {
        walk_block(trees, rows, n_rows, stride, out);
        return;
    }
    for (int i = 0; i < n_rows; i++) {
        find_columns(trees, rows + (size_t)i * (size_t)stride, columns[i]);
        sums[i] = trees->base_score;
    }
    for (int g = 0; g < (int)nw_trees_n_groups(trees); g++) {
        const uint8_t *table = trees->table + (size_t)g * nw_trees_group_bytes(trees->n_levels);
        int n_trees = trees->n_trees - g * NW_TREES_GROUP;
        n_trees = n_trees < NW_TREES_GROUP ? n_trees : NW_TREES_GROUP;
        for (int i = 0; i < n_rows; i++)
            find_paths(table, trees->n_levels, n_trees, columns[i], paths[i]);
        nw_trees_add_group(trees, (size_t)g, (const uint8_t(*)[NW_TREES_GROUP])paths,
                           (const uint8_t(*)[2 * NW_TREES_ROW_COLUMNS]) columns, n_rows, sums);
    }
    memcpy(out, sums, (size_t)n_rows * sizeof *out);
}

/* ---- which path ---- */

typedef void (*runner)(const nw_trees *trees, const float *rows, int n_rows, int stride,
                       float *out);

static const struct {
    const char *name;
    runner run;
} paths[NW_TREES_N_PATHS] = {
    [NW_TREES_PORTABLE] = {"portable", run_block},
#ifdef __x86_64__
    [NW_TREES_AVX2] = {"avx2", nw_trees_block_avx2},
    [NW_TREES_AVX512] = {"avx512", nw_trees_block_avx512},
#else
    [NW_TREES_AVX2] = {"avx2", NULL},
    [NW_TREES_AVX512] = {"avx512", NULL},
#endif
};

const char *nw_trees_path_name(nw_trees_path path)
{
    return paths[path].name;
}

bool nw_trees_can(const nw_trees *trees, nw_trees_path path)
{
    if (path == NW_TREES_PORTABLE)
        return true;
    if (!trees->table)
        return false;
#ifdef __x86_64__
    if (path == NW_TREES_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
    if (path == NW_TREES_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("popcnt");
#endif
    return false;
}

void nw_trees_run_with(const nw_trees *trees, nw_trees_path path, const float *rows, int n_rows,
                       int stride, float *out)
{
    assert(stride >= trees->n_features);
    for (int i = 0; i < n_rows; i += NW_TREES_BLOCK) {
        int n = n_rows - i < NW_TREES_BLOCK ? n_rows - i : NW_TREES_BLOCK;
        paths[path].run(trees, rows + (size_t)i * (size_t)stride, n, stride, out + i);
    }
}

void nw_trees_run(const nw_trees *trees, const float *rows, int n_rows, int stride, float *out)
{
    nw_trees_run_with(trees, trees->fastest, rows, n_rows, stride, out);
}
