/* referee_fused.h - fused inverted bottlenecks against plain ones: does the device choose as Vela's
 * own estimates of the same blocks do?
 */
#ifndef NW_TESTS_REFEREE_FUSED_H
#define NW_TESTS_REFEREE_FUSED_H

#include <stdbool.h>

#include "src/hw/hw.h"

/* Over the pairs of blocks with the same channels, expansion, kernel and stride. */
typedef struct fused_choice {
    double balanced; /* mean of the shares of either side that are told, percent */
    double plain;    /* share of all pairs, percent */
    double lost;     /* cycles above the better block's, over all pairs, percent */
} fused_choice;

typedef struct fused_score {
    int n, n_fused;                     /* pairs; those where Vela's fused block is faster */
    fused_choice total, compute;        /* whole blocks; the array alone, of ours and of Vela */
    fused_choice never, never_computed; /* the answer "IBN always" */
} fused_score;

/* chip: u55-256, u65-512 (Vela 3.10), u85-1024 (Vela 5.1). False if the data is not there. */
bool fused_score_chip(const nw_hw *hw, const char *chip, fused_score *out);

#endif
