/* A row and 64 trees at a time: each level is one permutation of the row's bytes, one comparison,
 * and a choice of the next level's nodes by the masks of the levels above. */
#include "src/estimator/trees_layout.h"

#ifdef __x86_64__
#include <string.h>

#include <immintrin.h>

#define VECTORS       __attribute__((target("avx512f,avx512bw,avx512vbmi,popcnt")))
#define ALWAYS_INLINE static inline __attribute__((always_inline)) VECTORS

enum { LIMITS = NW_TREES_GROUP, NODE = 2 * NW_TREES_GROUP }; /* bytes, see trees_layout.h */

/* Both copies of a row's columns. */
static VECTORS void find_columns(const nw_trees *trees, const float *row, uint8_t *columns)
{
    for (int i = 0; i < trees->n_columns; i++) {
        const nw_trees_column *column = &trees->columns[i];
        __m512 value = _mm512_set1_ps(row[column->feature]);
        const float *thresholds = trees->thresholds + column->first;
        int sixteens = __builtin_popcount(
            _mm512_cmp_ps_mask(_mm512_loadu_ps(column->pivots), value, _CMP_LE_OQ));
        __m512 last = _mm512_loadu_ps(thresholds + 16 * sixteens);
        int n = 16 * sixteens + __builtin_popcount(_mm512_cmp_ps_mask(last, value, _CMP_LE_OQ));
        columns[i] = (uint8_t)n;
        columns[i + NW_TREES_ROW_COLUMNS] =
            (uint8_t)(row[column->feature] != row[column->feature] ? column->n : n);
    }
}

/* The way taken at each level, a bit a tree, 1 for right. */
typedef struct ways {
    __mmask64 a, b, c, d, e;
} ways;

/* choose_N: of 2^N nodes, for each tree the one that its ways of N levels lead to. */
ALWAYS_INLINE __m512i choose_0(const uint8_t *nodes)
{
    return _mm512_loadu_si512(nodes);
}

ALWAYS_INLINE __m512i choose_1(const uint8_t *nodes, ways w)
{
    return _mm512_mask_blend_epi8(w.a, choose_0(nodes), choose_0(nodes + NODE));
}

ALWAYS_INLINE __m512i choose_2(const uint8_t *nodes, ways w)
{
    return _mm512_mask_blend_epi8(w.b, choose_1(nodes, w), choose_1(nodes + 2 * NODE, w));
}

ALWAYS_INLINE __m512i choose_3(const uint8_t *nodes, ways w)
{
    return _mm512_mask_blend_epi8(w.c, choose_2(nodes, w), choose_2(nodes + 4 * NODE, w));
}

ALWAYS_INLINE __m512i choose_4(const uint8_t *nodes, ways w)
{
    return _mm512_mask_blend_epi8(w.d, choose_3(nodes, w), choose_3(nodes + 8 * NODE, w));
}

ALWAYS_INLINE __m512i choose_5(const uint8_t *nodes, ways w)
{
    return _mm512_mask_blend_epi8(w.e, choose_4(nodes, w), choose_4(nodes + 16 * NODE, w));
}

/* Who goes right at nodes. */
ALWAYS_INLINE __mmask64 compare(__m512i left_copy, __m512i right_copy, __m512i columns,
                                __m512i limits)
{
    __m512i values = _mm512_permutex2var_epi8(left_copy, columns, right_copy);
    return _mm512_cmpge_epu8_mask(values, limits);
}

/* The paths of one row through a group's upper levels. */
static VECTORS void find_paths(const uint8_t *t, int n_levels, const uint8_t *columns,
                               uint8_t *paths)
{
    ways w = {0};
    __mmask64 last = 0;
    __m512i lo = _mm512_loadu_si512(columns);
    __m512i hi = _mm512_loadu_si512(columns + NW_TREES_ROW_COLUMNS);
    if (n_levels > 0)
        w.a = compare(lo, hi, choose_0(t), choose_0(t + LIMITS));
    if (n_levels > 1)
        w.b = compare(lo, hi, choose_1(t + NODE, w), choose_1(t + NODE + LIMITS, w));
    if (n_levels > 2)
        w.c = compare(lo, hi, choose_2(t + 3 * NODE, w), choose_2(t + 3 * NODE + LIMITS, w));
    if (n_levels > 3)
        w.d = compare(lo, hi, choose_3(t + 7 * NODE, w), choose_3(t + 7 * NODE + LIMITS, w));
    if (n_levels > 4)
        w.e = compare(lo, hi, choose_4(t + 15 * NODE, w), choose_4(t + 15 * NODE + LIMITS, w));
    if (n_levels > 5)
        last = compare(lo, hi, choose_5(t + 31 * NODE, w), choose_5(t + 31 * NODE + LIMITS, w));
    __m512i path = _mm512_maskz_set1_epi8(w.a, 1);
    path = _mm512_mask_add_epi8(path, w.b, path, _mm512_set1_epi8(2));
    path = _mm512_mask_add_epi8(path, w.c, path, _mm512_set1_epi8(4));
    path = _mm512_mask_add_epi8(path, w.d, path, _mm512_set1_epi8(8));
    path = _mm512_mask_add_epi8(path, w.e, path, _mm512_set1_epi8(16));
    path = _mm512_mask_add_epi8(path, last, path, _mm512_set1_epi8(32));
    _mm512_storeu_si512(paths, path);
}

VECTORS void nw_trees_block_avx512(const nw_trees *trees, const float *rows, int n_rows, int stride,
                                   float *out)
{
    uint8_t columns[NW_TREES_BLOCK][2 * NW_TREES_ROW_COLUMNS] = {0};
    uint8_t paths[NW_TREES_BLOCK][NW_TREES_GROUP];
    float sums[NW_TREES_BLOCK];
    size_t n_groups = nw_trees_n_groups(trees);
    for (int i = 0; i < n_rows; i++) {
        find_columns(trees, rows + (size_t)i * (size_t)stride, columns[i]);
        sums[i] = trees->base_score;
    }
    for (size_t g = 0; g < n_groups; g++) {
        const uint8_t *table = trees->table + g * nw_trees_group_bytes(trees->n_levels);
        for (int i = 0; i < n_rows; i++)
            find_paths(table, trees->n_levels, columns[i], paths[i]);
        nw_trees_add_group(trees, g, (const uint8_t(*)[NW_TREES_GROUP])paths,
                           (const uint8_t(*)[2 * NW_TREES_ROW_COLUMNS]) columns, n_rows, sums);
    }
    memcpy(out, sums, (size_t)n_rows * sizeof *out);
}

#endif
