/* internal.h - between the files of advise.
 */
#ifndef NW_ADVISE_INTERNAL_H
#define NW_ADVISE_INTERNAL_H

#include "src/advise/advise.h"

/* An effect that counts as faster: less, beyond the band where there is one, and not at the price
 * of a network that fitted before. */
static inline bool nw_effect_helps(const nw_effect *effect, const nw_estimate *before)
{
    return effect->latency.latency_ps < 0 && !effect->is_below && (effect->fits || !before->fits);
}

/* nw_effect_of with the subject's counts at hand. */
NW_CHECKED nw_status nw_effect_beside(const nw_subject *subject, const nw_estimate *estimate,
                                      const nw_counts *counts, const nw_edit *edits, int n_edits,
                                      nw_effect *out, const nw_arch **after, nw_error *err);

/* For qsort: what costs most comes first, then by index. */
typedef struct nw_ranked {
    int64_t cost_ps;
    int index;
} nw_ranked;
int nw_dearest_first(const void *a, const void *b); /* block.c */

/* ---- candidate.c: the edits one key away ---- */

typedef struct nw_candidate {
    nw_edit edit;
    char label[96];
    int64_t cost_ps; /* of the blocks that it edits, now */
    char why[160];   /* impossible from the start; "" : try it */
} nw_candidate;

typedef struct nw_candidate_list {
    nw_candidate *items;
    size_t n, capacity;
} nw_candidate_list;

/* Blocks of kind in a selector's text form: the block alone, its whole stage, everything. */
nw_selector nw_select_block(const nw_block *block);
nw_selector nw_select_stage(int stage, int kind);
bool nw_block_has_channels(const nw_block *block); /* of its output, to change */
bool nw_block_expands(const nw_block *block);
bool nw_selects(const nw_selector *where, const nw_block *block);

/* The variants of a block (as_stage: of all blocks of its kind in the stage), fused or not first.
 */
void nw_candidates_variant(const nw_arch *arch, const nw_block *block, bool as_stage,
                           nw_candidate_list *out);
/* Channels of the block's output, to the next alignment steps. */
void nw_candidates_channels(const nw_arch *arch, const nw_hw *hw, const nw_block *block,
                            nw_candidate_list *out);
void nw_candidates_expansion(const nw_hw *hw, const nw_block *block, bool as_stage,
                             nw_candidate_list *out);
/* Expanded channels that are no multiple of nw_align_step: down, up. */
void nw_candidates_alignment(const nw_hw *hw, const nw_block *block, nw_candidate_list *out);
void nw_candidates_kernel(const nw_block *block, bool as_stage, nw_candidate_list *out);
void nw_candidates_squeeze(const nw_block *block, nw_candidate_list *out);
/* Activations that this hardware runs through its table, slowly or on the host. */
void nw_candidates_act(const nw_hw *hw, const nw_block *block, nw_candidate_list *out);
void nw_candidates_residual(const nw_block *block, nw_candidate_list *out);
/* One block more, one less. */
void nw_candidates_depth(const nw_arch *arch, int stage, nw_candidate_list *out);

/* How this hardware runs an activation; clamps are free behind a convolution. */
typedef enum nw_act_cost {
    NW_ACT_FREE,
    NW_ACT_TABLE,
    NW_ACT_SLOW,
    NW_ACT_HOST,
} nw_act_cost;
nw_act_cost nw_act_cost_of(const nw_hw *hw, nw_op act);
/* The dearest activation of a block; NW_OP_IDENTITY: none, or all are free. */
nw_op nw_block_dear_act(const nw_hw *hw, const nw_block *block);
/* What stands in for it natively; NW_OP_IDENTITY: nothing does. */
nw_op nw_act_replacement(const nw_hw *hw, nw_op act);

#endif
