/* referee_foreign.h - fidelity of regressions: trained and tested on other people's measurements
 * (../shared/data), split as a user would meet them. Everything that is chosen is chosen on the
 * training rows.
 */
#ifndef NW_TESTS_REFEREE_FOREIGN_H
#define NW_TESTS_REFEREE_FOREIGN_H

#include <stdbool.h>

/* Mean over splits, and the spread of the splits (largest less smallest). */
typedef struct split_figure {
    double mean, spread;
} split_figure;

/* A phone's GPU: splits by network, four fifths for training. Errors in percent. */
typedef struct phone_score {
    int n_splits, n_rows, n_networks;             /* of the last split's test */
    split_figure op, macs, network, floor, flops; /* floor: sums of measured operators; flops: the
                                                   * network's FLOPs alone, the same affine step */
} phone_score;
bool score_phone(const char *device, int n_splits, phone_score *out);

/* A V100: a fifth of the shapes (all batches of one) held out. */
typedef struct v100_score {
    int n_train, n_test;
    double mape, macs_mape;
    int n_steps;              /* neighbouring channel counts over 5 % apart, as measured */
    double precision, recall; /* of the sign of predicted steps over 5 % */
} v100_score;
bool score_v100(const char *target, v100_score *out);

/* Vela's own estimates of a chip. ops: single operators, a fifth held out, on cyc_total; networks:
 * sums over rows of networks.csv by models of single operators and blocks, against the summary. */
typedef struct vela_fit_score {
    int n_ops, n_networks;
    double ops, ops_macs, networks;
    double encoded; /* networks, with the sizes that each row's weights compress to given */
} vela_fit_score;
bool score_vela_fit(const char *version, const char *chip, vela_fit_score *out);

/* Which granularity predicts best: blocks of vela310 held out by sweep; single operators alone,
 * operators in place, whole blocks. */
typedef struct granularity_score {
    int n_train, n_test;
    double alone, in_place, whole, macs;
} granularity_score;
bool score_granularity(const char *chip, granularity_score *out);

#endif
