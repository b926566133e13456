/* costs.h - what the description says of kernels, remembered between estimates; private to
 * src/estimator.
 */
#ifndef NW_ESTIMATOR_COSTS_H
#define NW_ESTIMATOR_COSTS_H

#include <stddef.h>
#include <stdint.h>

#include "src/device/device.h"

typedef struct nw_cost_slot nw_cost_slot;

/* Begins as zeroes; the owner guards it with a lock. Two generations of at most 2^13 kernels (and
 * those of one network more) are kept: the older one goes when the younger is full, but for what
 * was asked for since. */
typedef struct nw_costs {
    nw_hw *hw; /* the description that they are for, its bytes; NULL: none yet */
    nw_cost_slot *slots, *old_slots;
    size_t n_slots, n_old_slots; /* powers of two, or 0 */
    size_t n_used;               /* of slots */
} nw_costs;

/* What nw_device_estimate says of n shapes, as far as it is remembered. Returns how many are not,
 * and which in misses (room for n): for the caller to compute and hand over. */
int nw_costs_look_up(nw_costs *costs, const nw_hw *hw, const nw_kernel_shape *const *shapes, int n,
                     nw_device_cost *out, int *misses);
void nw_costs_remember(nw_costs *costs, const nw_hw *hw, const nw_kernel_shape *const *shapes,
                       const nw_device_cost *known, const int *misses, int n_misses);
void nw_costs_forget(nw_costs *costs);

uint64_t nw_shape_hash(const nw_kernel_shape *shape); /* never 0 */

#endif
