/* fit.h - regressions: trained on a table of measurements, kept in a file, asked for predictions.
 *
 * A model per kernel type (group). Its prediction is
 *     base(values) x exp(trees(values))
 * where base is a non-negative sum of a few features (base.h) and the trees are XGBoost's, trained
 * on ln(measured / base) with squared error, so relative errors are what is minimised. The link is
 * ours; what XGBoost's file holds is the raw margin. Whole networks: the sum over their rows, then
 * an affine step learned on out-of-fold sums. Nothing here asserts or depends on time; the same
 * table, options and seed give the same bytes.
 */
#ifndef NW_FIT_H
#define NW_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/table.h"
#include "src/base/text.h"
#include "src/hw/hw.h"

/* Errors in percent of what was measured. */
typedef struct nw_scores {
    int n;
    double mape, rmspe;         /* mean, root mean square */
    double within_5, within_10; /* percent of rows whose error is at most that */
    double spearman;            /* rank correlation; NAN without variation */
} nw_scores;

#define NW_N_WORST 10

typedef struct nw_worst {
    int line; /* of the table */
    double measured, predicted;
    const char *what; /* its sizes, for people */
} nw_worst;

#define NW_N_SAMPLE 200

/* A row that the models which predict it have not seen. */
typedef struct nw_fit_point {
    int group;
    double measured, predicted;
} nw_fit_point;

/* How one model of a fit does, out of fold: every row predicted by models that have not seen its
 * shape, nor its network. */
typedef struct nw_fit_group {
    const char *name;
    int n_rows, n_distinct; /* used in training */
    int n_trees;
    nw_scores scores, macs, roofline; /* ours; c x macs + d; c x roofline (see fit.c) */
    double noise_pct;           /* equal shapes that disagree: mean distance from their mean */
    int n_noisy;                /* rows that have an equal one; 0: noise is not known */
    double spread;              /* root mean square of ln(measured / predicted) */
    nw_worst worst[NW_N_WORST]; /* distinct shapes, the largest error first */
    int n_worst;
} nw_fit_group;

/* The 90 % band of a sum of predictions: multiples of its unit (bands.c), from networks (n > 0) or
 * from draws of rows. */
typedef struct nw_band {
    double low, high;
    int n;
    bool is_from_networks;
} nw_band;

typedef struct nw_fit_report {
    const char *target;                                        /* column, its unit in its name */
    const char *file, *device, *source, *date, *measured_with; /* "" where not known */
    const char *tool;
    uint64_t data_hash; /* of the table's bytes as they were used */
    uint32_t seed;
    int n_rows, n_skipped; /* used; without a target */
    int n_folds;
    nw_scores all;     /* out of fold, every group */
    bool has_networks; /* rows name their network */
    bool has_totals;   /* networks were measured whole: a and b were learned */
    int n_networks;
    double a, b;                       /* network = a x sum + b */
    nw_scores networks, measured_sums; /* out of fold after that step; sums of measured rows after
                                        * a step of their own: the floor */
    nw_band total, difference;
    nw_scores test;             /* --test; n 0: none */
    const nw_fit_point *sample; /* for pictures: up to NW_N_SAMPLE rows, drawn by the seed */
    int n_sample;
} nw_fit_report;

typedef struct nw_regression nw_regression; /* immutable, shared */

/* Long tasks say how far they are; false from it: stop (NW_CANCELLED). done of total, 0 to 1. */
typedef bool (*nw_progress)(void *context, const char *what, double done);

typedef struct nw_fit_options {
    const char *target;     /* a column of positive numbers */
    const char *group;      /* column; NULL: `kernel` if it holds words, else none */
    const char *features;   /* names of values and columns, by commas; NULL: all that vary */
    const char *network;    /* column: the network of a row; "base/variant" are kin */
    const nw_table *totals; /* with the same column and total_target; NULL: none */
    const char *total_target;
    const nw_table *test; /* rows to score besides; NULL: none */
    const nw_hw *hw;      /* for the features that need a description; NULL: none */
    uint32_t seed;
    int n_folds, n_trees; /* 0: five, and as many trees as the rows ask for */
    nw_progress progress;
    void *progress_context;
} nw_fit_options;

/* What to measure on the simulated device so that any network can be predicted: random networks of
 * the families that real ones come from (src/measure/plan.h). Of two in three the kernels alone,
 * and neighbours of those that a quick model errs most on; every third is named in the column
 * `network`, with kin of it that have some ("/edited") or most ("/variant") kernels changed: the
 * error bands are calibrated on them. Appends a table of measurements to out. A function of
 * hardware, seed and n_networks. */
typedef struct nw_sample_options {
    uint32_t seed;
    int n_networks; /* 0: as many as the presets are built from */
    nw_progress progress;
    void *progress_context;
} nw_sample_options;
NW_CHECKED nw_status nw_sample_device(const nw_hw *hw, const nw_sample_options *options,
                                      nw_buf *out, nw_error *err);

/* The kernels of such networks as a table of shapes, each once, without a latency: what to measure
 * elsewhere. hw decides what is joined. n_networks 0: sixty. */
NW_CHECKED nw_status nw_sample_shapes(const nw_hw *hw, const nw_sample_options *options,
                                      nw_buf *out, nw_error *err);

/* Trains. NW_INVALID: a column is missing, text in numbers, a target that is not positive (err
 * says where); no row with a target. Release with nw_regression_release. */
NW_CHECKED nw_status nw_fit(const nw_table *table, const nw_fit_options *options,
                            nw_regression **out, nw_error *err);

const nw_fit_report *nw_regression_report(const nw_regression *regression);
int nw_regression_n_groups(const nw_regression *regression);
size_t nw_regression_n_bytes(const nw_regression *regression); /* of memory it takes, about */
/* Microseconds in a unit of the target, by the end of its name (_us _ms _ns _s); 0: no time. */
double nw_regression_unit_us(const nw_regression *regression);
const nw_fit_group *nw_regression_group_report(const nw_regression *regression, int index);

/* A model file: JSON, schema "nasw.estimator/1". Reading refuses other versions, truncated files,
 * unknown features, broken trees, in one line. */
void nw_regression_write(const nw_regression *regression, nw_buf *out);
NW_CHECKED nw_status nw_regression_parse(const char *json, size_t n_bytes, const char *path,
                                         nw_regression **out, nw_error *err);
NW_CHECKED nw_status nw_regression_load(const char *path, nw_regression **out, nw_error *err);
nw_regression *nw_regression_retain(const nw_regression *regression);
void nw_regression_release(nw_regression *regression); /* NULL is fine */

/* Appends the table's columns and `predicted` to out; with network (a column) the columns of the
 * network and `predicted`, a line a network, affine step included. A row of a group that training
 * has not seen gets an empty prediction; n_unseen counts them, unseen names the first.
 * Errors as in nw_fit. */
typedef struct nw_prediction {
    int n_rows, n_unseen, n_outside;
    char unseen[64];
} nw_prediction;
NW_CHECKED nw_status nw_regression_predict(const nw_regression *regression, const nw_table *table,
                                           const char *network, nw_buf *out, nw_prediction *summary,
                                           nw_error *err);

/* The same numbers as an array (NAN: unseen group), a row each; and scored against a column. */
NW_CHECKED nw_status nw_regression_rows(const nw_regression *regression, const nw_table *table,
                                        double *out, nw_error *err);
NW_CHECKED nw_status nw_regression_evaluate(const nw_regression *regression, const nw_table *table,
                                            const char *target, nw_scores *out, nw_error *err);

#endif
