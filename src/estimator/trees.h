/* trees.h - runs the boosted trees that XGBoost trained, without XGBoost.
 *
 * The answer is bit for bit that of XGBoost's in-place prediction of the raw margin: float32, the
 * base score first, then the leaves in the order of the trees, `x < threshold` to the left, a
 * missing value (NAN) where the node says. Read once, it is const and safe on every thread.
 *
 * A threshold that is compared with again and again is looked up once: each value of a row becomes
 * the number of thresholds of its feature that are not above it, a byte, and each node compares
 * bytes. So a vector holds 64 trees, and one row is as fast as many. Features of more than 255
 * different thresholds (max_bin above 256) take several bytes; with more than 64 bytes a row only
 * the portable path remains.
 */
#ifndef NW_ESTIMATOR_TREES_H
#define NW_ESTIMATOR_TREES_H

#include <stdbool.h>
#include <stddef.h>

#include "src/base/error.h"

typedef struct nw_trees nw_trees;

/* Reads the text of XGBoost's JSON model, as versions 1.6 to 1.7 write it, whole.
 * NW_UNSUPPORTED, naming what it is: boosters other than gbtree, objectives other than
 * reg:squarederror, more than one output, categorical splits, leaves that are vectors.
 * NW_INVALID: not JSON, cut short (err->where is the byte), or broken (the tree).
 * NW_LIMIT: a tree deeper than 64, more than 2^20 features, or thresholds for more than 8192 bytes
 * a row.
 * Memory is at most some twenty times the text. Release with nw_trees_free. */
NW_CHECKED nw_status nw_trees_read(const char *json, size_t n_bytes, nw_trees **out, nw_error *err);
void nw_trees_free(nw_trees *trees);

int nw_trees_n_features(const nw_trees *trees);
int nw_trees_n_trees(const nw_trees *trees);

/* out[i] for row i, which starts at rows + i * stride and has nw_trees_n_features values; stride
 * is at least that. Allocates nothing. */
void nw_trees_run(const nw_trees *trees, const float *rows, int n_rows, int stride, float *out);

/* ---- the ways to compute it; all give the same bits ---- */

typedef enum nw_trees_path {
    NW_TREES_PORTABLE,
    NW_TREES_AVX2,
    NW_TREES_AVX512, /* with byte permutes (VBMI): Intel since 2019, AMD since 2022 */
    NW_TREES_N_PATHS
} nw_trees_path;

const char *nw_trees_path_name(nw_trees_path path);

/* Whether this processor and these trees can go that way. nw_trees_run goes the last that can. */
bool nw_trees_can(const nw_trees *trees, nw_trees_path path);

/* nw_trees_run by a path that nw_trees_can. */
void nw_trees_run_with(const nw_trees *trees, nw_trees_path path, const float *rows, int n_rows,
                       int stride, float *out);

#endif
