/* trees_layout.h - how trees lie in memory, and what their readers and runners share.
 *
 * Private to trees*.c. A row becomes bytes, one a column (a feature, or 255 of its thresholds):
 * how many thresholds of the column are not above the value. Each column is there twice, because a
 * missing value is 0 where nodes send it left and the column's number of thresholds where they
 * send it right: the second copies lie `right` bytes after the first.
 *
 * The upper levels of all trees (at most 6) are complete, in groups of 64 trees: a node of 64
 * trees is 64 bytes of columns and 64 bytes of limits, a byte goes left if it is below the limit.
 * Node p of level d is vector 2^d - 1 + p, where bit j of p is the way taken at level j (1 right);
 * what the path p through all levels leads to is `leaves[tree << n_levels | p]`, or where trees
 * of a group are deeper, goes on in `nodes` at `exits[tree << n_levels | p]`.
 *
 * `nodes` has every tree whole: the children of a node lie side by side, a leaf is its own left
 * child and goes left always.
 */
#ifndef NW_ESTIMATOR_TREES_LAYOUT_H
#define NW_ESTIMATOR_TREES_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/estimator/trees.h"

enum {
    NW_TREES_MAX_DEPTH = 64,
    NW_TREES_MAX_COLUMNS = 8192,
    NW_TREES_GROUP = 64,       /* trees in a vector */
    NW_TREES_LEVELS = 6,       /* complete levels at most */
    NW_TREES_ROW_COLUMNS = 64, /* columns that the vector paths can hold */
    NW_TREES_BLOCK = 8,        /* rows that go through the trees together */
};

/* A tree as it was read. Children lie side by side, the root is first. */
typedef struct nw_raw_node {
    float value;     /* threshold or leaf, finite */
    int32_t left;    /* from the root of the tree; -1: a leaf */
    int32_t feature; /* of a node that is no leaf */
    bool default_left;
} nw_raw_node;

typedef struct nw_raw_trees {
    nw_raw_node *nodes; /* of all trees, one after the other */
    size_t n_nodes, nodes_capacity;
    uint32_t *roots; /* one a tree */
    size_t n_trees, roots_capacity;
    int n_features;
    float base_score;
} nw_raw_trees;

typedef struct nw_trees_column {
    float pivots[16]; /* the last threshold of each 16, NAN where there are none */
    uint32_t first;   /* its thresholds, rising, then NAN to the end of the last 16 */
    uint16_t n;       /* 1 to 255 */
    int32_t feature;
} nw_trees_column;

typedef struct nw_trees_node {
    uint32_t left;
    uint16_t column; /* index into a row's bytes */
    uint16_t limit;  /* below it left; 256 in a leaf */
} nw_trees_node;

struct nw_trees {
    int n_features, n_trees, n_columns, n_levels;
    int right; /* from the first copy of a column to the second */
    float base_score;
    nw_trees_path fastest;
    nw_trees_column *columns;
    float *thresholds;
    nw_trees_node *nodes;
    float *values;   /* of the leaves among nodes */
    uint32_t *roots; /* one a tree */
    uint8_t *depths; /* one a tree */
    /* the upper levels, whole groups of trees; NULL if there are more than ROW_COLUMNS */
    uint8_t *table;
    float *leaves;
    uint32_t *exits;      /* NULL: no tree is deeper than n_levels */
    uint8_t *group_steps; /* one a group: levels below n_levels */
};

/* Takes what was read (borrowed) apart into the layout. NW_LIMIT: too many columns. */
NW_CHECKED nw_status nw_trees_build(const nw_raw_trees *raw, nw_trees **out, nw_error *err);

static inline size_t nw_trees_n_groups(const nw_trees *trees)
{
    return ((size_t)trees->n_trees + NW_TREES_GROUP - 1) / NW_TREES_GROUP;
}

static inline size_t nw_trees_group_bytes(int n_levels)
{
    return (((size_t)1 << n_levels) - 1) * 2 * NW_TREES_GROUP;
}

/* Adds the leaves of a group's trees to the sums of n_rows rows, in order. paths[row][tree] is the
 * way through the complete levels, columns the rows' bytes. */
void nw_trees_add_group(const nw_trees *trees, size_t group,
                        const uint8_t paths[NW_TREES_BLOCK][NW_TREES_GROUP],
                        const uint8_t columns[NW_TREES_BLOCK][2 * NW_TREES_ROW_COLUMNS], int n_rows,
                        float *sums);

/* At most NW_TREES_BLOCK rows. */
void nw_trees_block_avx2(const nw_trees *trees, const float *rows, int n_rows, int stride,
                         float *out);
void nw_trees_block_avx512(const nw_trees *trees, const float *rows, int n_rows, int stride,
                           float *out);

#endif
