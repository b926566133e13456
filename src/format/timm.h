/* timm.h - block strings as a list of blocks; private to src/format.
 *
 * The grammar is that of timm's _efficientnet_builder.py: options behind `_`, a key of letters and
 * what follows from the first digit on. An option that timm would skip or ignore in silence is an
 * error or a warning here. The older grammar of MnasNet and EfficientNet
 * (`r1_k3_s11_e1_i32_o16_se0.25`) has no type; e1 is `ds` there, c1 or f1 `er`, anything else `ir`,
 * and its widths are exact.
 *
 *  - A stage a line; `;` and Python's `]` end one too. Quotes, commas and `[` are blanks, `#`
 * starts a comment.
 *  - Widths in timm's own grammar are rounded as it does: c and the expanded channels to a multiple
 *    of 8, at least 8, not below 0.9 of what was asked for.
 *  - k, a and p may be lists (`k3.5`): the channels are dealt to convolutions of these sizes.
 */
#ifndef NW_FORMAT_TIMM_H
#define NW_FORMAT_TIMM_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/graph/graph.h"

#define NW_TIMM_MAX_BYTES    ((size_t)1 << 20)
#define NW_TIMM_MAX_BLOCKS   4096 /* repeats counted */
#define NW_TIMM_MAX_CHANNELS 65536
#define NW_TIMM_MAX_KERNEL   63
#define NW_TIMM_MAX_KERNELS  8
#define NW_TIMM_INPUT_SIZE   224

typedef enum nw_timm_type {
    NW_TIMM_IR,
    NW_TIMM_DS,
    NW_TIMM_DSA, /* ds with an activation at its end and no residual */
    NW_TIMM_ER,
    NW_TIMM_CN,
    NW_TIMM_TU,
    NW_TIMM_UIR,
    NW_TIMM_TYPES
} nw_timm_type;

extern const char *const nw_timm_type_names[NW_TIMM_TYPES];

/* An activation: its letters behind n and its operator. */
typedef struct nw_timm_act {
    const char *letters;
    nw_op op; /* NW_OP_COUNT: mish, built of three */
    const char *file_type;
} nw_timm_act;

enum { NW_TIMM_RELU, NW_TIMM_RELU6, NW_TIMM_HARD_SWISH, NW_TIMM_SWISH, NW_TIMM_MISH, NW_TIMM_ACTS };
extern const nw_timm_act nw_timm_acts[NW_TIMM_ACTS];

typedef struct nw_timm_kernels {
    int n; /* 0: there is no such convolution (a, p and k of uir) */
    int sizes[NW_TIMM_MAX_KERNELS];
} nw_timm_kernels;

/* One string: n_repeats blocks, the first with the stride. */
typedef struct nw_timm_block {
    nw_timm_type type;
    int n_repeats, stride;
    nw_timm_kernels kernel, start, end;
    double expansion;   /* ir, er, uir */
    double squeeze;     /* inner channels of squeeze-and-excite over the block's input; 0: none */
    int64_t squeeze_c;  /* the same in channels, over squeeze; 0: not given */
    int64_t out_c;      /* as written */
    int64_t forced_c;   /* expand as if so many came in: fc, and i of the older grammar; 0: none */
    int64_t group_size; /* channels a group of the k x k; 0: one group, 1: depthwise */
    double rank_in, rank_out; /* tu: ranks over input and output channels */
    int act;                  /* of nw_timm_acts */
    bool no_skip, skips;      /* skips: cn only */
    bool is_exact;            /* widths are not rounded */
    bool is_hard_gate;        /* the gate of squeeze-and-excite is a hard sigmoid */
    bool starts_stage;
    const char *text; /* as it stands in the file, printable */
    int line;
} nw_timm_block;

typedef struct nw_timm_net {
    nw_timm_block *blocks;
    int n_blocks;
    int64_t input_c;
    const char **warnings;
    int n_warnings;
    bool is_old; /* every block is of the older grammar */
    nw_arena arena;
} nw_timm_net;

/* Reads the blocks; err->where is line and block, the message names the token. Release with
 * nw_timm_fini, also after a failure. */
NW_CHECKED nw_status nw_timm_parse(const nw_file *file, nw_timm_net *out, nw_error *err);
void nw_timm_fini(nw_timm_net *net);

/* The blocks in timm's grammar, a stage a line; blocks of the older grammar too, which is the same
 * network where all widths are multiples of 8. */
void nw_timm_print(const nw_timm_net *net, nw_buf *out);
/* One string without line end. */
void nw_timm_print_block(const nw_timm_block *block, nw_buf *out);

/* max(8, v rounded to a multiple of 8), one more where that is below 0.9 v. */
int64_t nw_timm_divisible(double v);

/* ---- building (timm_build.c) ---- */

/* Appends layers to a graph (N,C,H,W, float32, weights without values) under timm's own names. */
typedef struct nw_timm_builder {
    nw_graph *graph;
    nw_tensor_id at;
    int64_t c;
    char prefix[48]; /* of the names: "blocks.1.0." */
    int act;         /* of nw_timm_acts */
    nw_error *err;
    nw_status status; /* the first failure; what follows does nothing */
} nw_timm_builder;

/* Starts a graph with its input, whose height and width stay open; stored_shape says 224. */
void nw_timm_begin(nw_timm_builder *b, const char *format, int64_t input_c, int64_t image,
                   nw_error *err);
/* All repeats of one string; stage and index name them, index is advanced. */
void nw_timm_add_block(nw_timm_builder *b, const nw_timm_block *block, int stage, int *index);

typedef struct nw_timm_conv {
    const char *name, *norm;       /* norm NULL: a bias instead, "": neither */
    const nw_timm_kernels *kernel; /* NULL: 1x1 */
    int64_t out_c, groups;         /* groups 0: depthwise */
    int stride;
    bool acts;
} nw_timm_conv;

void nw_timm_add_conv(nw_timm_builder *b, const nw_timm_conv *conv);
void nw_timm_add_act(nw_timm_builder *b, const char *name);
/* Any operator of one input at b->at; its node. */
nw_node *nw_timm_add_node(nw_timm_builder *b, nw_op op, const char *name, const char *file_type);
nw_tensor_id nw_timm_add_weights(nw_timm_builder *b, const char *name, const char *part, int rank,
                                 const int64_t *dims);

#endif
