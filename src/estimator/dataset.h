/* dataset.h - the rows of a table as a matrix, cut into groups and folds.
 */
#ifndef NW_ESTIMATOR_DATASET_H
#define NW_ESTIMATOR_DATASET_H

#include "src/estimator/regression.h"

typedef struct nw_dataset {
    int n_rows, n_skipped, stride; /* stride: values a row */
    float *values;
    double *target; /* NAN throughout when read without one */
    int *line;      /* of the table */
    int *row;       /* of the table */
    int *group;     /* index into group_names */
    int *network;   /* index into network_names; -1 without */
    uint64_t *hash; /* of group and values: equal shapes have equal hashes */
    int *fold;      /* 0 to n_folds - 1 */
    char **group_names, **network_names;
    int n_groups, n_networks;
    uint64_t data_hash;
} nw_dataset;

typedef struct nw_dataset_options {
    const char *target;  /* NULL: none; rows without a value are skipped and counted */
    const char *network; /* NULL: none */
    const nw_hw *hw;
} nw_dataset_options;

NW_CHECKED nw_status nw_dataset_read(const nw_table *table, const nw_columns *columns,
                                     const nw_dataset_options *options, nw_dataset *out,
                                     nw_error *err);
void nw_dataset_fini(nw_dataset *data);

/* Deals shapes, or networks where there are some (kin together), to folds, seeded. */
void nw_dataset_fold(nw_dataset *data, int n_folds, uint32_t seed);

/* Draws rows without putting any back, all as likely, seeded; ascending. Returns how many. */
int nw_dataset_draw(const nw_dataset *data, uint32_t seed, int *rows, int max_rows);

#endif
