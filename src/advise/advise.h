/* advise.h - what to change about a network on one accelerator, and what each change would give.
 *
 * Every figure comes from estimating the whole edited network again: nothing is scaled, and what
 * an edit moves elsewhere (spills, joins, channel groups) is in it. A difference in latency has its
 * own 90 % band (nw_estimate_difference); where the band includes 0 the change is below what the
 * estimator can tell, and no other estimator makes it better.
 *
 * Answers depend on arch, hardware, estimator and precision alone. Everything here runs on any
 * thread.
 */
#ifndef NW_ADVISE_H
#define NW_ADVISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/arch/arch.h"
#include "src/base/error.h"
#include "src/base/pool.h"
#include "src/estimator/estimator.h"
#include "src/hw/hw.h"

/* A network on a hardware by an estimator. Borrowed; hw must outlive what is made of it. */
typedef struct nw_subject {
    const nw_arch *arch;
    const nw_hw *hw;
    const nw_estimator *estimator;
    const char *precision; /* as in nw_kernels_split */
} nw_subject;

/* ---- where the time of a network goes, by blocks (block.c) ---- */

/* Sums over the kernels whose main operator is in the block. A kernel joined over a border (a
 * residual add, a host run of several blocks) counts where it is named. */
typedef struct nw_block_cost {
    int64_t latency_ps, energy_fj, macs, dram_bytes, sram_bytes, weight_bytes;
    int64_t host_ps;    /* the part of latency_ps spent in host runs */
    int64_t live_bytes; /* the most that lives while one of its kernels runs */
    int n_kernels;      /* without views */
    int n_spills;       /* kernels while more is live than the SRAM holds */
    int n_unknown;      /* without a cost, left out of the sums */
    int n_outside;      /* extrapolated */
    int slowest;        /* index of its longest kernel; -1: it has none */
    double utilisation; /* of its kernels, weighted by their time */
} nw_block_cost;

/* One a block of arch, in the order of nw_arch_blocks, then one for kernels of no block and the
 * estimate's overhead: n + 1 in all. estimate is of the arch's graph. */
void nw_block_costs(const nw_arch *arch, const nw_hw *hw, const nw_estimate *estimate,
                    nw_block_cost *out);

/* The number of channels that this hardware's lanes and memory are filled by: the least multiple of
 * its output lanes (pf_out, columns of a systolic array) and of its channel alignment. At least 1.
 */
int64_t nw_align_step(const nw_hw *hw);
/* Output lanes that idle in the last step of c channels. */
int64_t nw_align_idle(const nw_hw *hw, int64_t c);

/* ---- one change ---- */

/* After - before: negative is less. */
typedef struct nw_effect {
    nw_difference latency;                         /* picoseconds */
    bool is_below;                                 /* its band includes 0 */
    bool fits;                                     /* the network after it fits the hardware */
    int64_t latency_ps;                            /* after it */
    int64_t energy_fj, macs, params, weight_bytes; /* weight_bytes as in nw_counts */
    int64_t peak_live_bytes, arena_bytes, dram_bytes;
    int n_spills;  /* kernels while more is live than the SRAM holds */
    int n_unknown; /* kernels without a cost */
    int n_outside; /* extrapolated kernels */
} nw_effect;

/* What `after` costs against `before`, both estimated alike. */
nw_effect nw_effect_between(const nw_hw *hw, const nw_arch *before,
                            const nw_estimate *before_estimate, const nw_arch *after,
                            const nw_estimate *after_estimate);

/* What edits in order would do; estimate: of the subject as it is. Errors of nw_arch_apply and
 * nw_estimate_graph. after may be NULL, else the edited arch (release it). */
NW_CHECKED nw_status nw_effect_of(const nw_subject *subject, const nw_estimate *estimate,
                                  const nw_edit *edits, int n_edits, nw_effect *out,
                                  const nw_arch **after, nw_error *err);

/* ---- what if: every edit one key away (whatif.c) ---- */

typedef enum nw_whatif_state {
    NW_WHATIF_WAITING,
    NW_WHATIF_DONE,
    NW_WHATIF_REFUSED, /* the edit is impossible: why */
} nw_whatif_state;

typedef struct nw_whatif_row {
    nw_edit edit;
    char label[96]; /* "fuse 2.1", "3 c40 -> 32", "4 e6 -> 4", "2.0 k3 -> 5": one printable line */
    nw_whatif_state state;
    nw_effect effect; /* DONE */
    char why[160];    /* REFUSED */
} nw_whatif_row;

/* A list of edits, then their evaluation one by one. Counted; every function may be called on any
 * thread at any time. */
typedef struct nw_whatif nw_whatif;

/* Makes the list: block and stage variants, channels of each group, expansions, kernels, depths,
 * squeeze-and-excite, activations, residuals; an edit that comes to the same as another is in it
 * once. where: only blocks of these; NULL: all. Takes an estimate and finds channel groups; what
 * takes longer is left to nw_whatif_step. Errors of nw_estimate_graph. Retains arch and estimator.
 */
NW_CHECKED nw_status nw_whatif_new(const nw_subject *subject, const nw_selector *where,
                                   nw_whatif **out, nw_error *err);
nw_whatif *nw_whatif_retain(nw_whatif *list);
void nw_whatif_release(nw_whatif *list); /* NULL is fine */

int nw_whatif_n(const nw_whatif *list);       /* rows */
int nw_whatif_n_ready(const nw_whatif *list); /* not WAITING any more; counts up as steps end */

/* Evaluates one row that nobody has begun, those of the dearest blocks first; false: none is left.
 * Several threads may step the same list. */
bool nw_whatif_step(nw_whatif *list);
/* Steps until none is left. NW_CANCELLED: cancel (may be NULL) was set. */
NW_CHECKED nw_status nw_whatif_run(nw_whatif *list, const nw_cancel *cancel);

/* Copies up to max rows as they are now and returns how many: done ones by rising latency after
 * the edit (what saves most comes first), then waiting ones, refused ones last. */
int nw_whatif_rows(const nw_whatif *list, nw_whatif_row *out, int max);
/* The network that all rows are compared with; lives as long as the list. */
const nw_arch *nw_whatif_arch(const nw_whatif *list);
const nw_estimate *nw_whatif_estimate(const nw_whatif *list);

/* ---- what alignment costs (align.c) ---- */

typedef struct nw_align_price {
    nw_edit edit;     /* channels (or expansion) of the block to n */
    int64_t n;        /* after it */
    bool is_possible; /* else why */
    nw_effect effect;
    char why[160];
} nw_align_price;

typedef struct nw_align {
    int64_t n, step, idle; /* channels now; nw_align_step; lanes that idle in the last step */
    nw_align_price down, up;
    bool nearest_is_up; /* halves go up */
    bool is_aligned;    /* n is a multiple of step: prices are of the next ones down and up */
    char members[96];   /* what changes with it: "2.0, 2.1, 3.0" blocks whose channels these are */
} nw_align;

/* kind: NW_EDIT_CHANNELS, the block's output channels and all that must equal them, or
 * NW_EDIT_EXPANSION, its expanded channels. estimate: of the subject as it is. NW_UNSUPPORTED: the
 * block has no such channels. */
NW_CHECKED nw_status nw_align_find(const nw_subject *subject, const nw_estimate *estimate,
                                   const nw_block *block, nw_edit_kind kind, nw_align *out,
                                   nw_error *err);

/* ---- advice on a block (advice.c) ---- */

#define NW_ADVICE_FACTS 8
#define NW_ADVICE_ITEMS 16

typedef enum nw_advice_verdict {
    NW_ADVICE_HELPS,   /* faster, and the band is below 0 (or there is no band) */
    NW_ADVICE_UNSURE,  /* faster, below what this estimator can tell */
    NW_ADVICE_NO_GAIN, /* not faster: text says why */
    NW_ADVICE_REFUSED, /* impossible: text says why */
} nw_advice_verdict;

typedef struct nw_advice_item {
    nw_edit edit;
    nw_advice_verdict verdict;
    nw_effect effect; /* not REFUSED */
    char label[96];   /* as in nw_whatif_row */
    char text[352];   /* gain and price, or why not: one printable line */
} nw_advice_item;

typedef struct nw_advice {
    char label[16]; /* "2.1" */
    char block[96]; /* nw_block_text */
    nw_block_cost cost;
    double share;                     /* of the network's latency */
    char facts[NW_ADVICE_FACTS][192]; /* why it is slow here, dearest first */
    int n_facts;
    nw_advice_item items[NW_ADVICE_ITEMS]; /* HELPS first, by what they save */
    int n_items;
} nw_advice;

/* estimate: of the subject as it is. cancel may be NULL. NW_CANCELLED. */
NW_CHECKED nw_status nw_advise_block(const nw_subject *subject, const nw_estimate *estimate,
                                     const nw_block *block, const nw_cancel *cancel, nw_advice *out,
                                     nw_error *err);

/* ---- recipes: many edits, each taken only where it helps (recipe.c) ---- */

typedef enum nw_recipe_kind {
    NW_RECIPE_FUSE,   /* fuse inverted bottlenecks, with their own expansion or a published one */
    NW_RECIPE_ALIGN,  /* channels and expanded channels to a multiple of nw_align_step, up or down,
                       * whichever is faster; two thirds of them stay at least */
    NW_RECIPE_NATIVE, /* activations that this hardware runs on the host or slowly */
} nw_recipe_kind;

typedef struct nw_recipe_step {
    nw_edit edit;
    bool is_taken;
    nw_effect effect; /* against the network with the steps taken before */
    char label[96];
    char why[160]; /* not taken: why */
} nw_recipe_step;

typedef struct nw_recipe {
    nw_recipe_step *steps;
    int n_steps;
    nw_edit *edits; /* those taken, in order: for nw_arch_apply */
    int n_edits;
    nw_effect total;     /* against the subject */
    const nw_arch *arch; /* with all of them */
} nw_recipe;

/* Greedy, block by block, the dearest first, each step estimated exactly on top of those taken.
 * Taken is what is faster beyond the band (where there is one). estimate: of the subject as it is.
 * Release with nw_recipe_fini. NW_CANCELLED. */
NW_CHECKED nw_status nw_recipe_make(nw_recipe_kind kind, const nw_subject *subject,
                                    const nw_estimate *estimate, const nw_cancel *cancel,
                                    nw_recipe *out, nw_error *err);
void nw_recipe_fini(nw_recipe *recipe);

#endif
