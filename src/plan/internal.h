/* internal.h - private to src/plan.
 */
#ifndef NW_PLAN_INTERNAL_H
#define NW_PLAN_INTERNAL_H

#include "src/plan/plan.h"

/* totals.c: MACs, params, weight bytes, parts of the score. */
void nw_totals_count(const nw_arch *arch, nw_totals *totals);
bool nw_totals_fit(const nw_hw *hw, int64_t peak_live_bytes);

#endif
