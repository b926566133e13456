/* edit.h - between the files that edit archs; private to src/arch.
 */
#ifndef NW_ARCH_EDIT_H
#define NW_ARCH_EDIT_H

#include "src/arch/internal.h"
#include "src/arch/piece.h"

/* Text as in nw_selector. err->where is the text. */
NW_CHECKED nw_status nw_selector_read(const char *text, nw_selector *out, nw_error *err);
void nw_selector_write(const nw_selector *where, nw_buf *out);
bool nw_selector_matches(const nw_selector *where, const nw_block *block);

/* One edit on its way. */
typedef struct nw_edit_work {
    const nw_arch *arch;
    const nw_edit *edit;
    const nw_block **picks; /* what the selector picks, in the arch's order */
    int n_picks;
    nw_edit_report *report; /* notes go here */
} nw_edit_work;

/* What a kind of edit does to one block of a draft. NW_INVALID: it cannot, nothing is changed;
 * err->where is the block's label, err->message goes on from there ("has no expansion"). note: what
 * was done; is_done false: the block is so already. */
typedef nw_status (*nw_edit_block_fn)(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                                      nw_edit_note *note, nw_error *err);
/* The same for edits that are not a block's: *out is a sealed graph, or NULL where nothing
 * changes. */
typedef nw_status (*nw_edit_net_fn)(nw_edit_work *work, nw_graph **out, nw_error *err);

nw_status nw_edit_variant(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                          nw_edit_note *note, nw_error *err);
nw_status nw_edit_kernel(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                         nw_edit_note *note, nw_error *err);
nw_status nw_edit_stride(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                         nw_edit_note *note, nw_error *err);
nw_status nw_edit_act(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                      nw_edit_note *note, nw_error *err);
nw_status nw_edit_residual(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                           nw_edit_note *note, nw_error *err);
nw_status nw_edit_squeeze(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                          nw_edit_note *note, nw_error *err);
nw_status nw_edit_hint(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                       nw_edit_note *note, nw_error *err);

nw_status nw_edit_channels(nw_edit_work *work, nw_graph **out, nw_error *err);
nw_status nw_edit_expansion(nw_edit_work *work, nw_graph **out, nw_error *err);
nw_status nw_edit_width(nw_edit_work *work, nw_graph **out, nw_error *err);
nw_status nw_edit_resolution(nw_edit_work *work, nw_graph **out, nw_error *err);
nw_status nw_edit_depth(nw_edit_work *work, nw_graph **out, nw_error *err);
/* DEPTH of one stage of draft->arch; refusals and notes as of nw_edit_block_fn, note->where is the
 * stage. */
nw_status nw_edit_depth_of_stage(nw_draft *draft, int stage, const nw_edit *edit,
                                 nw_edit_note *note, nw_error *err);

/* CHANNELS and EXPANSION of blocks of one arch, all in one resize. *out: NULL where nothing
 * changes. */
NW_CHECKED nw_status nw_edit_resize_at_once(const nw_arch *arch, const nw_edit *edits,
                                            const nw_block *const *blocks, int n, nw_graph **out,
                                            nw_error *err);

/* What a kind does to one block; NULL: it is not a block's. */
nw_edit_block_fn nw_edit_block_doer(nw_edit_kind kind);

/* ---- runs (edit_run.c, edit_net.c) ----
 *
 * Neighbouring edits done at once, where that makes the very graph that each upon the one before
 * makes, with the same notes. Whatever might differ ends the run, or there is none. */
typedef struct nw_edit_run {
    const nw_arch *arch;
    const nw_edit *edits;
    int n;            /* in: how many there are; out: how many of them were done, 0: no run */
    int n_alone;      /* out, where n is 0: how many are to be done one by one */
    uint8_t *is_done; /* per edit: it changed something */
    nw_edit_report *report;
} nw_edit_run;

/* How many edits from the first may be a run by what they are. */
int nw_edit_run_length(const nw_edit *edits, int n);
/* A sealed graph, or NULL where nothing changes or nothing is done. */
nw_graph *nw_edit_run_blocks(nw_edit_run *run);
nw_graph *nw_edit_run_net(nw_edit_run *run);
/* Whether the blocks that two archs have are the same for whoever picks some by label or kind, all
 * but the kinds, or the numbers in a stage, that `edits` gave them. */
bool nw_edit_keeps_labels(const nw_arch *before, const nw_arch *after, const nw_edit *edits, int n);

/* NW_INVALID: no line says the edit. */
NW_CHECKED nw_status nw_edit_check(const nw_edit *edit, nw_error *err);

/* A note of the report; text may be filled by the caller. */
nw_edit_note *nw_edit_add_note(nw_edit_work *work, const char *where, bool is_done);
/* NW_INVALID: the selector picks nothing, with what there is. */
nw_status nw_edit_refuse_nothing(const nw_edit_work *work, nw_error *err);
/* Whether a refusal of one pick refuses the edit: the selector names one block. */
bool nw_edit_is_single(const nw_edit *edit);

/* Seals a draft, with the ends of the network in the shapes they had. */
NW_CHECKED nw_status nw_edit_seal(nw_draft *draft, nw_graph **out, nw_error *err);

/* Another stride, padded so that the output is the input's size over it, rounded up. */
void nw_window_set_stride(const nw_graph *graph, const nw_piece *piece, int32_t stride,
                          nw_window *window);

/* The piece that makes the block's map before a residual is added: the last one. */
nw_part_role nw_block_last_role(const nw_block *block);
/* Squeeze-and-excite's two convolutions for other numbers of channels: outer, inner. */
NW_CHECKED nw_status nw_squeeze_check(const nw_draft *draft, const nw_block *block,
                                      nw_piece squeeze[2], nw_error *err);
void nw_squeeze_set(nw_draft *draft, const nw_piece squeeze[2], int64_t outer, int64_t inner);
/* An add of the block's input behind `like` (an old tensor): from what is now computed in `raw` to
 * the tensor `out`. */
void nw_residual_emit(nw_draft *draft, nw_tensor_id like, nw_tensor_id raw, nw_tensor_id in,
                      nw_tensor_id out);

#endif
