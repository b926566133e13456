/* referee_vela.h - rows of the Vela data as kernels of the device.
 */
#ifndef NW_TESTS_REFEREE_VELA_H
#define NW_TESTS_REFEREE_VELA_H

#include <stdbool.h>

#include "src/device/device.h"
#include "tests/support.h"

typedef enum vela_kind { VELA_CONV, VELA_DW, VELA_FC, VELA_POOL, VELA_EW, VELA_OTHER } vela_kind;

vela_kind vela_kind_of(const csv *table, int row);

/* A row of ops_*, blocks_* or networks.csv (3.10) as a kernel: int8, feature maps in SRAM, weights
 * in DRAM (flash). False for what the device has no kernel for (tiny shift and count steps of a
 * softmax come out as elementwise kernels, copies as copies). */
bool vela_shape(const csv *table, int row, nw_kernel_shape *shape);

/* Vela's own output tile. */
bool vela_tile(const csv *table, int row, nw_tile *tile);

/* The trivial answer: the whole map as one tile, max(array, output stage). */
double vela_trivial_cycles(const nw_hw *hw, const nw_kernel_shape *shape);

/* How the device does against the column cyc_compute on one chip. */
typedef struct vela_score {
    int n;
    double given_tile, own_tile, trivial; /* MAPE, percent */
    double tile_median, tile_p95;         /* our tile's cost against Vela's, by the block formula */
} vela_score;

typedef struct vela_steps {
    int n;                    /* neighbouring sweep steps where Vela moves over 5 % */
    double same_way, trivial; /* percent of them where we move the same way */
} vela_steps;

/* chip: "u55-128" or "u55-256". False if the data is not there. */
bool vela_score_kind(const nw_hw *hw, const char *chip, vela_kind kind, vela_score *out);
bool vela_score_steps(const nw_hw *hw, const char *chip, vela_steps *out);

/* Totals of whole networks, sums over their rows, against total_cycles of networks_summary.csv;
 * MAPE after one factor (that which makes the median ratio 1). From the shapes alone, and with the
 * size that each row's weights compress to, which their values decide. */
typedef struct vela_totals {
    int n;
    double spearman, mape, factor;
    double macs_spearman, macs_mape;
    double encoded_spearman, encoded_mape;
} vela_totals;

bool vela_score_totals(const nw_hw *hw, const char *chip, vela_totals *out);

#endif
