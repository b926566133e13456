/* A row and 32 trees at a time, half a group: as trees_avx512.c, with bytes of ones for masks and
 * the row's bytes looked up sixteen by sixteen. */
#include "src/estimator/trees_layout.h"

#ifdef __x86_64__
#include <string.h>

#include <immintrin.h>

#define VECTORS       __attribute__((target("avx2,popcnt")))
#define ALWAYS_INLINE static inline __attribute__((always_inline)) VECTORS

enum { LIMITS = NW_TREES_GROUP, NODE = 2 * NW_TREES_GROUP, HALF = 32, SIXTEEN = 16 };

ALWAYS_INLINE unsigned not_above(const float *thresholds, __m256 value)
{
    __m256 low = _mm256_cmp_ps(_mm256_loadu_ps(thresholds), value, _CMP_LE_OQ);
    __m256 high = _mm256_cmp_ps(_mm256_loadu_ps(thresholds + 8), value, _CMP_LE_OQ);
    return (unsigned)__builtin_popcount((unsigned)_mm256_movemask_ps(low) |
                                        (unsigned)_mm256_movemask_ps(high) << 8);
}

/* Both copies of a row's columns; true if a value is missing. */
static VECTORS bool find_columns(const nw_trees *trees, const float *row, uint8_t *columns)
{
    bool is_missing = false;
    for (int i = 0; i < trees->n_columns; i++) {
        const nw_trees_column *column = &trees->columns[i];
        __m256 value = _mm256_set1_ps(row[column->feature]);
        unsigned sixteens = not_above(column->pivots, value);
        const float *last = trees->thresholds + column->first + SIXTEEN * sixteens;
        unsigned n = SIXTEEN * sixteens + not_above(last, value);
        bool is_nan = row[column->feature] != row[column->feature];
        columns[i] = (uint8_t)n;
        columns[i + NW_TREES_ROW_COLUMNS] = (uint8_t)(is_nan ? column->n : n);
        is_missing = is_missing || is_nan;
    }
    return is_missing;
}

/* A row's columns, so that a vector of column numbers can be looked up. */
typedef struct row_bytes {
    const uint8_t *columns;
    int n_sixteens; /* of each copy that must be looked at */
    bool is_missing;
} row_bytes;

/* Bytes of the sixteen from first on; 0 where the column number lies in another. */
ALWAYS_INLINE __m256i look_up_sixteen(const uint8_t *columns, int first, __m256i numbers)
{
    __m256i bytes = _mm256_broadcastsi128_si256(
        _mm_loadu_si128((const __m128i *)(const void *)(columns + first)));
    __m256i within = _mm256_xor_si256(numbers, _mm256_set1_epi8((char)first));
    /* 0..15 keep their lowest four bits, more sets the highest */
    within = _mm256_adds_epu8(within, _mm256_set1_epi8(0x70));
    return _mm256_shuffle_epi8(bytes, within);
}

ALWAYS_INLINE __m256i look_up(row_bytes row, __m256i numbers)
{
    __m256i found = _mm256_setzero_si256();
    if (!row.is_missing) /* both copies are equal */
        numbers = _mm256_and_si256(numbers, _mm256_set1_epi8(NW_TREES_ROW_COLUMNS - 1));
    for (int i = 0; i < row.n_sixteens; i++)
        found = _mm256_or_si256(found, look_up_sixteen(row.columns, SIXTEEN * i, numbers));
    for (int i = 0; row.is_missing && i < row.n_sixteens; i++)
        found = _mm256_or_si256(
            found, look_up_sixteen(row.columns, NW_TREES_ROW_COLUMNS + SIXTEEN * i, numbers));
    return found;
}

/* The way taken at each level, a byte a tree, all ones for right. */
typedef struct ways {
    __m256i a, b, c, d, e;
} ways;

/* choose_N: of 2^N nodes, for each tree the one that its ways of N levels lead to. */
ALWAYS_INLINE __m256i choose_0(const uint8_t *nodes)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)nodes);
}

ALWAYS_INLINE __m256i choose_1(const uint8_t *nodes, const ways *w)
{
    return _mm256_blendv_epi8(choose_0(nodes), choose_0(nodes + NODE), w->a);
}

ALWAYS_INLINE __m256i choose_2(const uint8_t *nodes, const ways *w)
{
    return _mm256_blendv_epi8(choose_1(nodes, w), choose_1(nodes + 2 * NODE, w), w->b);
}

ALWAYS_INLINE __m256i choose_3(const uint8_t *nodes, const ways *w)
{
    return _mm256_blendv_epi8(choose_2(nodes, w), choose_2(nodes + 4 * NODE, w), w->c);
}

ALWAYS_INLINE __m256i choose_4(const uint8_t *nodes, const ways *w)
{
    return _mm256_blendv_epi8(choose_3(nodes, w), choose_3(nodes + 8 * NODE, w), w->d);
}

ALWAYS_INLINE __m256i choose_5(const uint8_t *nodes, const ways *w)
{
    return _mm256_blendv_epi8(choose_4(nodes, w), choose_4(nodes + 16 * NODE, w), w->e);
}

/* Who goes right. */
ALWAYS_INLINE __m256i compare(row_bytes row, __m256i columns, __m256i limits)
{
    __m256i values = look_up(row, columns);
    return _mm256_cmpeq_epi8(_mm256_max_epu8(values, limits), values);
}

ALWAYS_INLINE __m256i bit(__m256i way, int value)
{
    return _mm256_and_si256(way, _mm256_set1_epi8((char)value));
}

/* The paths of one row through the upper levels of 32 trees. */
static VECTORS void find_paths(const uint8_t *t, int n_levels, row_bytes row, uint8_t *paths)
{
    __m256i none = _mm256_setzero_si256(), last = none;
    ways w = {none, none, none, none, none};
    if (n_levels > 0)
        w.a = compare(row, choose_0(t), choose_0(t + LIMITS));
    if (n_levels > 1)
        w.b = compare(row, choose_1(t + NODE, &w), choose_1(t + NODE + LIMITS, &w));
    if (n_levels > 2)
        w.c = compare(row, choose_2(t + 3 * NODE, &w), choose_2(t + 3 * NODE + LIMITS, &w));
    if (n_levels > 3)
        w.d = compare(row, choose_3(t + 7 * NODE, &w), choose_3(t + 7 * NODE + LIMITS, &w));
    if (n_levels > 4)
        w.e = compare(row, choose_4(t + 15 * NODE, &w), choose_4(t + 15 * NODE + LIMITS, &w));
    if (n_levels > 5)
        last = compare(row, choose_5(t + 31 * NODE, &w), choose_5(t + 31 * NODE + LIMITS, &w));
    __m256i low = _mm256_or_si256(_mm256_or_si256(bit(w.a, 1), bit(w.b, 2)), bit(w.c, 4));
    __m256i high = _mm256_or_si256(_mm256_or_si256(bit(w.d, 8), bit(w.e, 16)), bit(last, 32));
    _mm256_storeu_si256((__m256i *)(void *)paths, _mm256_or_si256(low, high));
}

VECTORS void nw_trees_block_avx2(const nw_trees *trees, const float *rows, int n_rows, int stride,
                                 float *out)
{
    uint8_t columns[NW_TREES_BLOCK][2 * NW_TREES_ROW_COLUMNS] = {0};
    uint8_t paths[NW_TREES_BLOCK][NW_TREES_GROUP];
    bool is_missing[NW_TREES_BLOCK];
    float sums[NW_TREES_BLOCK];
    size_t n_groups = nw_trees_n_groups(trees);
    int n_sixteens = (trees->n_columns + SIXTEEN - 1) / SIXTEEN;
    for (int i = 0; i < n_rows; i++) {
        is_missing[i] = find_columns(trees, rows + (size_t)i * (size_t)stride, columns[i]);
        sums[i] = trees->base_score;
    }
    for (size_t g = 0; g < n_groups; g++) {
        const uint8_t *table = trees->table + g * nw_trees_group_bytes(trees->n_levels);
        bool second = (size_t)trees->n_trees - g * NW_TREES_GROUP > HALF;
        for (int i = 0; i < n_rows; i++) {
            row_bytes row = {columns[i], n_sixteens, is_missing[i]};
            find_paths(table, trees->n_levels, row, paths[i]);
            if (second)
                find_paths(table + HALF, trees->n_levels, row, paths[i] + HALF);
        }
        nw_trees_add_group(trees, g, (const uint8_t(*)[NW_TREES_GROUP])paths,
                           (const uint8_t(*)[2 * NW_TREES_ROW_COLUMNS]) columns, n_rows, sums);
    }
    memcpy(out, sums, (size_t)n_rows * sizeof *out);
}

#endif
