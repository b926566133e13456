/* referee_score.h - zero-cost scores against accuracies that other people trained for.
 */
#ifndef NW_TESTS_REFEREE_SCORE_H
#define NW_TESTS_REFEREE_SCORE_H

#include <stdbool.h>

#include "src/score/score.h"

/* Networks of one table, built as graphs and lifted. */
typedef struct score_rows {
    int n;
    nw_score *scores;
    double *accuracy;       /* percent, as the table has it */
    double *params, *macs;  /* as the table has them, in units; NAN: it has not */
    double *first, *second; /* two trainings under other seeds; NAN: there is one */
} score_rows;

/* Every so many rows. False: the data are not there. Release with score_rows_fini.
 *
 * accel: ImageNet top-1 of networks of inverted bottlenecks, one reduced training each
 * (Accel-NASBench). macro: CIFAR-10, means of three (NAS-Bench-Macro). edge: published ImageNet
 * top-1, each network and input size once (edge_tpu_facts); those with fused blocks alone, or all
 * that have a list of layers. */
bool score_rows_accel(int every, score_rows *out);
bool score_rows_macro(int every, score_rows *out);
bool score_rows_edge(bool is_fused, score_rows *out);
void score_rows_fini(score_rows *rows);

/* One score of every network; free it. */
double *score_column(const score_rows *rows, nw_score_kind kind);
double *score_column_credit(const score_rows *rows, double fusion_credit); /* of the default */

/* How a score orders networks as their accuracies do. */
typedef struct score_rank {
    double spearman, kendall; /* tau-b */
    double top;               /* Spearman within the best tenth by accuracy */
    double bands;             /* mean Spearman within tenths by MACs */
    double worst_band;
} score_rank;

score_rank score_rank_of(const score_rows *rows, const double *column, const double *accuracy);

#endif
