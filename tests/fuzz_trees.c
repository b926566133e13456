/* Any bytes as a model of XGBoost: an error or trees, never a crash; and trees give the same bits
 * by every path. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/estimator/trees.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_ROWS = 11, MAX_FEATURES = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const float values[] = {0,   1,         NAN,   -1,   0.5f, INFINITY,
                                   100, -INFINITY, -0.0f, 0.6f, 1e20f};
    nw_error err;
    nw_trees *trees = NULL;
    if (nw_trees_read((const char *)data, size, &trees, &err) != NW_OK)
        return 0;
    int n_features = nw_trees_n_features(trees);
    if (n_features <= MAX_FEATURES) {
        float *rows = malloc((size_t)(N_ROWS * n_features + 1) * sizeof *rows);
        float first[N_ROWS], other[N_ROWS];
        for (int i = 0; i < N_ROWS * n_features; i++)
            rows[i] = values[(i * 7 + i / 11 + data[(size_t)i % size]) % 11];
        nw_trees_run_with(trees, NW_TREES_PORTABLE, rows, N_ROWS, n_features, first);
        for (int path = 0; path < NW_TREES_N_PATHS; path++) {
            if (!nw_trees_can(trees, (nw_trees_path)path))
                continue;
            nw_trees_run_with(trees, (nw_trees_path)path, rows, N_ROWS, n_features, other);
            assert(memcmp(first, other, sizeof first) == 0);
        }
        free(rows);
    }
    nw_trees_free(trees);
    return 0;
}
