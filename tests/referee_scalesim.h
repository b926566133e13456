/* referee_scalesim.h - rows of the SCALE-Sim data as kernels of the device.
 */
#ifndef NW_TESTS_REFEREE_SCALESIM_H
#define NW_TESTS_REFEREE_SCALESIM_H

#include <stdbool.h>

#include "src/device/device.h"
#include "tests/support.h"

/* A row's layer, and a copy of base (a systolic preset) with the row's array and dataflow. */
void scalesim_shape(const csv *table, int row, nw_kernel_shape *shape);
bool scalesim_hw(const nw_hw *base, const csv *table, int row, nw_hw *hw);

typedef struct scalesim_score {
    int n, n_equal; /* CALC rows */
    char first_wrong[160];
} scalesim_score;

/* file: "golden", "sweep", "nets" or "user". False if the data is not there. */
bool scalesim_score_file(const nw_hw *base, const char *file, scalesim_score *out);

#endif
