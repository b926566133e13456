/* arch.h - a network as blocks that can be edited.
 *
 * Lifting names the blocks of a sealed graph (an inverted bottleneck is some convolutions,
 * normalisations, activations and an add) and gives them parameters; every node belongs to exactly
 * one block, those that no pattern claims to blocks of kind `op`. An edit is a small value that
 * makes another arch: blocks are written anew from their parameters, channel groups are resized,
 * the graph is sealed again. Lowering is nw_arch_graph: the graph that an arch stands for.
 *
 * An arch is immutable, counted and safe on every thread. Archs share the bytes of the weights of
 * the network they came from; what an edit changes is described (nw_edited in graph.h) and made
 * when the network is exported.
 *
 * All sizes are in elements; in_c, mid_c, out_c are channels.
 */
#ifndef NW_ARCH_H
#define NW_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/text.h"
#include "src/graph/graph.h"

/* ---- blocks ---- */

/* kind, name. timm's names in brackets. k x k is the spatial convolution. */
#define NW_BLOCKS(X)                                                                               \
    X(CONV, "conv")       /* one convolution [cn] */                                               \
    X(DSEP, "dsep")       /* depthwise k x k, 1x1 [ds] */                                          \
    X(IBN, "ibn")         /* inverted bottleneck: 1x1 up, depthwise k x k, 1x1 down [ir] */        \
    X(FUSED, "fused")     /* fused IBN: k x k up, 1x1 down [er] */                                 \
    X(TUCKER, "tucker")   /* 1x1 to the input rank, k x k to the output rank, linear 1x1 [tu] */   \
    X(GROUPED, "grouped") /* IBN with a grouped instead of a depthwise convolution */              \
    X(FUSED_GROUPED, "fused_grouped") /* fused IBN whose k x k is grouped, 64 channels a group */  \
    X(BASIC, "basic")                 /* residual block of two k x k */                            \
    X(BOTTLENECK, "bottleneck") /* 1x1, k x k of the same width, 1x1, add, activation; what has no \
                                 * activation behind the add is tucker or grouped */               \
    X(POOL, "pool")                                                                                \
    X(UPSAMPLE, "upsample") /* resize or transposed convolution */                                 \
    X(HEAD, "head") /* predictor of a detection or segmentation head, its reshapes included */     \
    X(FC, "fc")     /* fully connected, with its activation */                                     \
    X(OP, "op")     /* what no pattern claims */

typedef enum nw_block_kind {
#define X(kind, name) NW_BLOCK_##kind,
    NW_BLOCKS(X)
#undef X
        NW_BLOCK_COUNT
} nw_block_kind;

const char *nw_block_kind_name(nw_block_kind kind);
/* Also aliases of the field: mbconv, ir, er, fused_ibn, ds, cn, tu. NW_BLOCK_COUNT: none. */
nw_block_kind nw_block_kind_find(const char *name);

/* Blocks of convolutions (conv to bottleneck): those that a stage's depth counts and edits write.
 */
bool nw_block_kind_is_main(nw_block_kind kind);
/* Inverted bottlenecks, fused and grouped ones: kinds with an expansion. */
bool nw_block_kind_expands(nw_block_kind kind);

/* Which convolution of a block. */
typedef enum nw_part_role {
    NW_PART_EXPAND,    /* 1x1 up (ibn, grouped), 1x1 to the input rank, 1x1 down of a bottleneck */
    NW_PART_SPATIAL,   /* k x k, depthwise or not; the only one of conv, head, fc, upsample */
    NW_PART_SPATIAL_2, /* the second k x k of basic */
    NW_PART_PROJECT,   /* the last 1x1 */
    NW_PART_SQUEEZE,   /* squeeze-and-excite: the reducing 1x1 */
    NW_PART_EXCITE,    /* squeeze-and-excite: the other 1x1 */
    NW_PART_SHORTCUT,  /* 1x1 on the way round (basic, bottleneck) */
    NW_PART_COUNT
} nw_part_role;

typedef struct nw_block_part {
    nw_node_id conv;     /* convolution or fully connected; NW_NONE: the block has no such part */
    nw_node_id norm;     /* batch normalisation behind it; NW_NONE */
    nw_op act;           /* activation behind it; NW_OP_IDENTITY: none. NW_OP_SWISH and HARD_SWISH
                          * also where the file builds them of several nodes */
    nw_node_id act_node; /* the last node of the activation; NW_NONE: none, or inside conv */
    nw_tensor_id out;    /* behind convolution, normalisation, activation (and Q/DQ pair) */
} nw_block_part;

/* A stage is a block that changes the map's size or channels and those behind it that do neither
 * and are of its sort (convolutions; blocks of several). Operators that keep the map, and what
 * becomes of predictions, go on the stage before them; the heads of one map are a stage. */
typedef struct nw_block {
    nw_block_kind kind;
    int stage, index;        /* "2.1": the second block of stage 2; all blocks have one */
    const nw_node_id *nodes; /* all its nodes in schedule order, quantisers and views included */
    int n_nodes;
    /* The map that it works on and the one it makes; op: the first input, the last output. Where a
     * file turns maps around every operator they may be in the other order than nw_tensor_hwc
     * reads; in_h .. out_c are right all the same. head: out is behind the reshapes, out_h .. out_c
     * are those of the predictor. */
    nw_tensor_id in, out;
    nw_block_part parts[NW_PART_COUNT];
    nw_node_id add;      /* the residual add; NW_NONE */
    nw_op act;           /* behind the residual add; NW_OP_IDENTITY: none */
    nw_node_id act_node; /* its last node, the add itself where it is inside; NW_NONE: none */
    int64_t in_h, in_w, in_c, mid_c, out_h, out_w, out_c; /* mid_c: expanded, or ranks' input */
    int64_t rank_out;  /* tucker: channels of the k x k; else 0 */
    int64_t squeeze_c; /* squeeze-and-excite's inner channels; 0: none */
    int32_t kernel;    /* not square: the larger side; pooling of a whole map: its height */
    int32_t stride;    /* of rows, all of its convolutions together; upsample: the factor */
    int32_t dilation;  /* of the k x k */
    int32_t groups;    /* of the k x k, depthwise: mid_c */
    double expansion;  /* mid_c / in_c; 1 where nothing expands (basic and bottleneck, too) */
    bool has_residual;
    int64_t macs, params;
} nw_block;

/* "2.1"; dst is returned. */
const char *nw_block_label(const nw_block *block, char *dst, size_t size);
/* "ibn k3 s2 e6 16->24 se4 res": one line for people; dst is returned. */
const char *nw_block_text(const nw_block *block, char *dst, size_t size);

/* ---- archs ---- */

typedef struct nw_arch nw_arch;

/* Lifts a sealed graph, which it owns from then on. Never fails: what is not recognised is `op`.
 * Lines of graph->edits that are no edits are in a warning of the graph, and stay in its list. */
const nw_arch *nw_arch_lift(nw_graph *graph);
const nw_arch *nw_arch_retain(const nw_arch *arch);
void nw_arch_release(const nw_arch *arch); /* NULL is fine */

const nw_graph *nw_arch_graph(const nw_arch *arch); /* sealed */
/* In schedule order of their last node. */
const nw_block *nw_arch_blocks(const nw_arch *arch, int *n);
const nw_block *nw_arch_block_of(const nw_arch *arch, nw_node_id node); /* NULL: none (folded) */
int nw_arch_n_stages(const nw_arch *arch);
/* "2.1"; NULL: there is none. */
const nw_block *nw_arch_find_block(const nw_arch *arch, const char *label);
/* MACs in blocks other than `op`, over all MACs: 0 to 1. */
double nw_arch_recognised(const nw_arch *arch);

/* The same network with the convolutions of every block of kinds conv to bottleneck written anew
 * from the block's parameters: channels, groups, kernel, stride, dilation; weights, activations and
 * what stands between them are kept, and convolutions that no edit can write stay: transposed ones,
 * two sizes of kernel, a transpose before their activation, weights that are not stored. For tests:
 * it is the same network. NW_INVALID: the parameters of a block (err->where) are not those of its
 * nodes. */
NW_CHECKED nw_status nw_arch_rewrite(const nw_arch *arch, const nw_arch **out, nw_error *err);

/* ---- channel groups (group.c) ---- */

/* Channel dimensions that can only change together, all as multiples of one number. Computed
 * from the graph when first asked for. */
typedef struct nw_channel_group {
    int64_t n;        /* the number now: channels of the tensor that it is named after */
    int64_t multiple; /* n must be a multiple of it (convolution groups, shuffles) */
    bool is_fixed;
    const char *why;  /* fixed: the constraint, naming node or tensor; else "" */
    const char *name; /* the tensor it starts from, printable */
    struct nw_group_member {
        nw_tensor_id tensor;
        int axis;
        int64_t factor, divisor; /* the axis is factor * n / divisor, or contains that many */
        bool is_part;            /* the axis is a concatenation of several groups */
    } * members;
    int n_members;
} nw_channel_group;

const nw_channel_group *nw_arch_groups(const nw_arch *arch, int *n);
/* The group that the channels of a tensor belong to; -1: several (a concatenation), or fixed with
 * no group: why (size bytes, may be NULL) says so. */
int nw_arch_group_of(const nw_arch *arch, nw_tensor_id tensor, char *why, size_t size);
/* The group's number times `factor`, rounded to a multiple of `divisor` channels (at least 1) and
 * of the group's own as MobileNet's make_divisible does: the nearest, at least divisor, and one
 * more where that is under 0.9 of what was asked for (tensorflow/models,
 * research/slim/nets/mobilenet; timm, layers/helpers). But at a factor of 1 or less what is
 * narrower than that multiple stays. */
int64_t nw_group_divisible(const nw_channel_group *group, double factor, int64_t divisor);

/* ---- edits (edit.c) ---- */

/* kind, name, what `number`, `count` and `text` mean.
 *
 * VARIANT with number 0: a block without expansion gets 6 (Sandler et al. 2018); a Tucker block
 * ranks of 0.75 times its channels (Xiong et al. 2021), in multiples of 8; grouped blocks have 64
 * expanded channels a group. DEPTH counts blocks of convolutions (conv to bottleneck). WIDTH with
 * count 0 rounds to 8. KERNEL keeps the size of the map. */
#define NW_EDITS(X)                                                                                \
    X(VARIANT, "variant")       /* block: another kind; number: its own expansion, 0: as it is */  \
    X(CHANNELS, "channels")     /* output channels: by mode, count */                              \
    X(EXPANSION, "expansion")   /* expanded channels: number times in_c, or by mode, count */      \
    X(KERNEL, "kernel")         /* count: 1, 3, 5, 7, ... */                                       \
    X(STRIDE, "stride")         /* count: 1, 2 */                                                  \
    X(DEPTH, "depth")           /* count: blocks of the stage */                                   \
    X(WIDTH, "width")           /* number: multiplier of every group; count: rounded to it */      \
    X(RESOLUTION, "resolution") /* count x count2: height, width of the input */                   \
    X(PRECISION, "precision")   /* count: bits; number 1: floating point; 0 bits: the file's */    \
    X(SQUEEZE, "squeeze")       /* number: inner channels over in_c; 0: none */                    \
    X(ACT, "act")               /* act */                                                          \
    X(RESIDUAL, "residual")     /* count: 0 without, 1 with */                                     \
    X(JOIN, "join")   /* run as one kernel what the hardware can; text: the operator, "": all */   \
    X(SPLIT, "split") /* start a kernel at text (an operator of the block), "": at every one */

typedef enum nw_edit_kind {
#define X(kind, name) NW_EDIT_##kind,
    NW_EDITS(X)
#undef X
        NW_EDIT_COUNT
} nw_edit_kind;

const char *nw_edit_kind_name(nw_edit_kind kind);
nw_edit_kind nw_edit_kind_find(const char *name); /* also fuse, align; NW_EDIT_COUNT: none */

/* How count gives a number of channels: n itself, or the present ones rounded to a multiple of it.
 */
typedef enum nw_count_mode {
    NW_COUNT_SET,
    NW_COUNT_DOWN,
    NW_COUNT_UP,
    NW_COUNT_NEAREST /* halves go up */
} nw_count_mode;

/* Which blocks. Text: "2.1" a block, "2" a stage, "1-3" stages, "ibn" every one of a kind,
 * "ibn@1-3", "*" all. */
typedef struct nw_selector {
    int kind;                    /* nw_block_kind, or -1: any */
    int first_stage, last_stage; /* -1: any */
    int index;                   /* in the stage; -1: every */
} nw_selector;

typedef struct nw_edit {
    nw_edit_kind kind;
    nw_selector where;
    nw_block_kind block; /* VARIANT */
    nw_count_mode mode;
    int64_t count, count2;
    double number;
    nw_op act;     /* NW_OP_RELU, RELU6, HARD_SWISH, SWISH, ... ; NW_OP_IDENTITY: none */
    char text[64]; /* JOIN, SPLIT: a file type ("Add") or node name */
} nw_edit;

/* One line that reads back to the same edit: "variant 2.1 fused", "variant ibn@1-3 fused e=4",
 * "channels 3 64", "channels * nearest 32", "expansion 2.1 4", "expansion 2.1 c=96",
 * "kernel 3.0 5", "depth 4 3", "width 0.75 8", "resolution 256 256", "precision 2.1 int16",
 * "squeeze 3 0.25", "act * relu", "residual 2.1 off", "join 2.1", "split 2.1 Add". */
void nw_edit_write(const nw_edit *edit, nw_buf *out);
NW_CHECKED nw_status nw_edit_read(const char *text, nw_edit *out, nw_error *err);
void nw_edit_init(nw_edit *edit, nw_edit_kind kind); /* of all blocks, values 0 */

/* What an edit did, block by block. */
typedef struct nw_edit_note {
    char where[16]; /* label before the edit */
    bool is_done;
    char text[160]; /* "ibn e6 -> fused e6", or why not */
} nw_edit_note;

typedef struct nw_edit_report {
    nw_edit_note *notes; /* the caller frees them with nw_edit_report_fini */
    int n_notes;
} nw_edit_report;

void nw_edit_report_fini(nw_edit_report *report);

/* Applies edits in order; all or nothing. Every edit names blocks of what the edits before it made.
 * Neighbours that cannot tell are done at once, which makes the same network: edits of one kind of
 * different single blocks, depths of different stages, channels and expansions of different groups.
 * A selector of one block or stage that cannot be edited is NW_INVALID with the reason; one of many
 * leaves out those that cannot, with a note each, and is NW_INVALID where none can. err->where is
 * the edit. report may be NULL. */
NW_CHECKED nw_status nw_arch_apply(const nw_arch *arch, const nw_edit *edits, int n_edits,
                                   const nw_arch **out, nw_edit_report *report, nw_error *err);

/* The same for edits that do not depend on each other, each of one block ("2.1") of `arch` as it is
 * now, all in one go: CHANNELS and EXPANSION together, or edits of one kind that is a block's
 * (VARIANT, KERNEL, STRIDE, PRECISION, SQUEEZE, ACT, RESIDUAL, JOIN, SPLIT) of different blocks.
 * For whoever makes thousands: any refusal refuses all, nothing is reported, and the result does
 * not list the edits, whose labels would not be those that nw_arch_apply goes by. */
NW_CHECKED nw_status nw_arch_apply_at_once(const nw_arch *arch, const nw_edit *edits, int n_edits,
                                           const nw_arch **out, nw_error *err);

/* The edits that led here, oldest first: those that the lifted graph came with (graph->edits, kept
 * in a network JSON), then those applied to it. */
const nw_edit *nw_arch_edits(const nw_arch *arch, int *n);
/* The lifted network that the first edit was applied to; itself if none was. */
const nw_arch *nw_arch_origin(const nw_arch *arch);

#endif
