/* piece.h - a convolution of a block with its padding, normalisation and activation, as one thing
 * that can be changed in place or written again; private to src/arch.
 *
 * In a network that quantises between its operators, a piece ends before its output is quantised:
 * what stands between two pieces (quantise, dequantise, cast) is `glue`.
 */
#ifndef NW_ARCH_PIECE_H
#define NW_ARCH_PIECE_H

#include "src/arch/draft.h"

#define NW_PIECE_NODES 24

typedef struct nw_piece {
    nw_tensor_id in, out; /* of the padding in front, or the convolution; behind the activation */
    nw_node_id nodes[NW_PIECE_NODES]; /* from in to out */
    int n_nodes;
    int conv_at;         /* place in nodes; those before are padding */
    int act_at, act_end; /* nodes of the activation; empty: where it would stand */
    nw_geometry geometry;
} nw_piece;

/* The window of a convolution; paddings are those of the convolution itself. */
typedef struct nw_window {
    int32_t kernel, stride, dilation;
    uint8_t pad_mode; /* nw_pad_mode */
    int32_t top, left, bottom, right;
} nw_window;

/* What a piece becomes. */
typedef struct nw_piece_form {
    int64_t in_c, out_c, groups; /* groups == in_c > 1: depthwise */
    nw_window window;
    bool is_new;    /* none of the weights is kept */
    bool is_linear; /* written again without activation */
} nw_piece_form;

/* NW_INVALID: the block has no such part, or it is none that can be written anew: why. */
NW_CHECKED nw_status nw_piece_find(const nw_arch *arch, const nw_block *block, nw_part_role role,
                                   nw_piece *out, nw_error *err);
nw_piece_form nw_piece_form_of(const nw_graph *graph, const nw_piece *piece);
bool nw_piece_is_depthwise(const nw_piece_form *form);
/* 1x1, stride 1, in the style of the piece's padding. */
nw_window nw_window_point(const nw_window *like);

/* Gives nodes of the draft (targets: the piece's own, or copies of them) the form: attributes and
 * constants. */
void nw_piece_set(nw_draft *draft, const nw_piece *piece, const nw_node_id *targets,
                  const nw_piece_form *form);

/* Writes a piece again, in another form, from `in` to `out` (NW_NONE: a new tensor) and returns
 * out; has_pad: the padding in front of it too. An old tensor `out` loses its old producer. */
nw_tensor_id nw_piece_emit(nw_draft *draft, const nw_piece *like, const nw_piece_form *form,
                           bool has_pad, const char *suffix, nw_tensor_id in, nw_tensor_id out);

/* Puts another activation behind the piece (NW_OP_IDENTITY: none). */
void nw_piece_set_act(nw_draft *draft, const nw_piece *piece, nw_op act);

/* The tensor behind quantisers that a following piece would read; `tensor` itself without them. */
nw_tensor_id nw_glue_end(const nw_graph *graph, nw_tensor_id tensor);
/* The tensor in front of converters. */
nw_tensor_id nw_glue_begin(const nw_graph *graph, nw_tensor_id tensor);
/* Copies the quantisers behind `like` to stand behind `tensor`; returns what to read. */
nw_tensor_id nw_glue_emit(nw_draft *draft, nw_tensor_id like, nw_tensor_id tensor,
                          const char *suffix);
/* Whether one reader alone reads a tensor, through its quantisers. */
bool nw_glue_is_private(const nw_draft *draft, nw_tensor_id tensor);

#endif
