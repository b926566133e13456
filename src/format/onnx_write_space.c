/* Operators that change where the values of a map stand: resizing, blocks, shuffling, padding. */
#include <string.h>

#include "src/format/onnx_write.h"

static bool is_map(nw_onnx_writer *w, int rank)
{
    nw_tensor_id id = nw_onnx_id(w, 0);
    const nw_shape *shape = id == NW_NONE ? NULL : &w->graph->tensors[id].shape;
    if (shape && nw_shape_is_known(shape) && shape->rank == rank)
        return true;
    nw_onnx_write_fail(w, NW_UNSUPPORTED, "its input is no map of %d known dimensions", rank);
    return false;
}

/* ---- resizing ---- */

static const char *coordinates(const nw_attrs *a)
{
    return a->align_corners   ? "align_corners"
           : !a->half_pixel   ? "asymmetric"
           : a->one_from_zero ? "pytorch_half_pixel"
                              : "half_pixel";
}

static void put_resize_mode(nw_onnx_writer *w, Onnx__NodeProto *proto, const nw_attrs *a)
{
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                            "ceil"};
    nw_onnx_put_text(w, proto, "mode", modes[a->resize_mode]);
    nw_onnx_put_text(w, proto, "coordinate_transformation_mode", coordinates(a));
    if (a->resize_mode == NW_RESIZE_NEAREST)
        nw_onnx_put_text(w, proto, "nearest_mode", roundings[a->rounding]);
    if (a->resize_mode == NW_RESIZE_CUBIC)
        nw_onnx_put_float(w, proto, "cubic_coeff_a", a->alpha != 0 ? a->alpha : -0.75f);
}

/* in: x, roi, scales, sizes. The file's own scales or sizes where ONNX takes them as they are, else
 * the sizes that come out. */
static bool fill_resize(nw_onnx_writer *w, const nw_node *node, const nw_onnx_edge **in,
                        const nw_shape *out)
{
    const nw_attrs *a = &node->attrs;
    bool by_scales = a->resize_form == NW_RESIZE_SCALES;
    in[1] = in[2] = in[3] = NULL;
    if (by_scales && a->n_floats && !w->is_nhwc) {
        in[2] = nw_onnx_floats_list(w, "/scales", a->floats, a->n_floats);
    } else if (!w->is_nhwc && nw_onnx_id(w, 1) != NW_NONE && !a->has_ints &&
               a->resize_form != NW_RESIZE_SIZE_HW) {
        in[by_scales ? 2 : 3] =
            nw_onnx_cast(w, nw_onnx_in(w, 1), by_scales ? NW_DTYPE_FLOAT32 : NW_DTYPE_INT64);
    } else if (nw_shape_is_known(out)) {
        in[3] = nw_onnx_shape_list(w, "/sizes", out);
    }
    if (in[2] || in[3])
        return true;
    nw_onnx_write_fail(w, NW_UNSUPPORTED, "its sizes are not known");
    return false;
}

void nw_onnx_write_resize(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *in[4];
    in[0] = w->is_nhwc ? nw_onnx_in_first(w, 0) : nw_onnx_in(w, 0);
    nw_onnx_edge *out = nw_onnx_result(w, 0, true);
    if (fill_resize(w, node, in, &out->shape))
        put_resize_mode(w, nw_onnx_put(w, "Resize", out, 4, in), &node->attrs);
}

/* ---- blocks ---- */

void nw_onnx_write_depth_to_space(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *x = nw_onnx_in_first(w, 0);
    Onnx__NodeProto *proto = nw_onnx_put(w, "DepthToSpace", nw_onnx_result(w, 0, true), 1, &x);
    nw_onnx_put_int(w, proto, "blocksize", node->attrs.block);
    nw_onnx_put_text(w, proto, "mode", node->attrs.is_crd ? "CRD" : "DCR");
}

void nw_onnx_write_space_to_depth(nw_onnx_writer *w, const nw_node *node)
{
    const nw_onnx_edge *x = nw_onnx_in_first(w, 0);
    nw_onnx_put_int(w, nw_onnx_put(w, "SpaceToDepth", nw_onnx_result(w, 0, true), 1, &x),
                    "blocksize", node->attrs.block);
}

/* Block sizes and pairs of paddings or crops, for height and width. */
typedef struct blocks {
    int64_t size[2], begin[2], end[2];
} blocks;

static bool read_blocks(nw_onnx_writer *w, blocks *out)
{
    *out = (blocks){.size = {1, 1}};
    if (!is_map(w, 4))
        return false;
    const nw_graph *graph = w->graph;
    nw_tensor_id sizes = nw_onnx_id(w, 1), pairs = nw_onnx_id(w, 2);
    int64_t n = sizes == NW_NONE ? 0 : nw_shape_elements(&graph->tensors[sizes].shape);
    if (sizes == NW_NONE || pairs == NW_NONE || !graph->tensors[sizes].ints ||
        !graph->tensors[pairs].ints || n > 2 ||
        nw_shape_elements(&graph->tensors[pairs].shape) != 2 * n) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its blocks are not known");
        return false;
    }
    for (int64_t i = 0; i < n; i++) {
        out->size[i] = graph->tensors[sizes].ints[i];
        out->begin[i] = graph->tensors[pairs].ints[2 * i];
        out->end[i] = graph->tensors[pairs].ints[2 * i + 1];
    }
    return true;
}

static bool has_edges(const blocks *b)
{
    return b->begin[0] || b->begin[1] || b->end[0] || b->end[1];
}

/* The batch becomes (block row, block column, batch): pad, part, move, join. */
void nw_onnx_write_space_to_batch(nw_onnx_writer *w, const nw_node *node)
{
    static const int perm[6] = {3, 5, 0, 1, 2, 4};
    blocks b;
    (void)node;
    if (!read_blocks(w, &b))
        return;
    const nw_onnx_edge *x = nw_onnx_in_first(w, 0);
    nw_onnx_edge *out = nw_onnx_result(w, 0, true);
    nw_shape padded = x->shape;
    padded.dims[2] += b.begin[0] + b.end[0];
    padded.dims[3] += b.begin[1] + b.end[1];
    if (has_edges(&b)) {
        const int64_t pads[8] = {0, 0, b.begin[0], b.begin[1], 0, 0, b.end[0], b.end[1]};
        const nw_onnx_edge *in[2] = {x, nw_onnx_list(w, "/pads", pads, 8)};
        nw_onnx_edge *wide = nw_onnx_new_edge(w, out->name, "/Pad", x->dtype, &padded);
        nw_onnx_put(w, "Pad", wide, 2, in);
        x = wide;
    }
    const int64_t *d = padded.dims;
    nw_shape parts = {
        .rank = 6, .dims = {d[0], d[1], d[2] / b.size[0], b.size[0], d[3] / b.size[1], b.size[1]}};
    x = nw_onnx_transposed(w, nw_onnx_reshaped(w, x, &parts), perm);
    nw_onnx_put(w, "Reshape", out, 2,
                (const nw_onnx_edge *const[]){x, nw_onnx_shape_list(w, "/shape", &out->shape)});
}

void nw_onnx_write_batch_to_space(nw_onnx_writer *w, const nw_node *node)
{
    static const int perm[6] = {2, 3, 4, 0, 5, 1};
    blocks b;
    (void)node;
    if (!read_blocks(w, &b))
        return;
    const nw_onnx_edge *x = nw_onnx_in_first(w, 0);
    nw_onnx_edge *out = nw_onnx_result(w, 0, true);
    const int64_t *d = x->shape.dims;
    nw_shape parts = {
        .rank = 6,
        .dims = {b.size[0], b.size[1], d[0] / (b.size[0] * b.size[1]), d[1], d[2], d[3]}};
    x = nw_onnx_transposed(w, nw_onnx_reshaped(w, x, &parts), perm);
    nw_shape whole = {.rank = 4, .dims = {parts.dims[2], d[1], d[2] * b.size[0], d[3] * b.size[1]}};
    const nw_onnx_edge *in[4] = {x, nw_onnx_shape_list(w, "/shape", &whole), NULL, NULL};
    if (!has_edges(&b)) {
        nw_onnx_put(w, "Reshape", out, 2, in);
        return;
    }
    const int64_t starts[2] = {b.begin[0], b.begin[1]}, axes[2] = {2, 3};
    const int64_t ends[2] = {whole.dims[2] - b.end[0], whole.dims[3] - b.end[1]};
    in[0] = nw_onnx_reshaped(w, x, &whole);
    in[1] = nw_onnx_list(w, "/starts", starts, 2);
    in[2] = nw_onnx_list(w, "/ends", ends, 2);
    in[3] = nw_onnx_list(w, "/axes", axes, 2);
    nw_onnx_put(w, "Slice", out, 4, in);
}

void nw_onnx_write_channel_shuffle(nw_onnx_writer *w, const nw_node *node)
{
    static const int perm[5] = {0, 2, 1, 3, 4};
    int64_t groups = node->attrs.groups;
    if (!is_map(w, 4))
        return;
    const nw_onnx_edge *x = nw_onnx_in_first(w, 0);
    const int64_t *d = x->shape.dims;
    if (groups < 1 || d[1] % groups) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "%lld channels do not divide into %lld groups",
                           (long long)d[1], (long long)groups);
        return;
    }
    nw_shape parts = {.rank = 5, .dims = {d[0], groups, d[1] / groups, d[2], d[3]}};
    nw_onnx_edge *out = nw_onnx_result(w, 0, true);
    nw_shape whole = x->shape;
    x = nw_onnx_transposed(w, nw_onnx_reshaped(w, x, &parts), perm);
    nw_onnx_put(w, "Reshape", out, 2,
                (const nw_onnx_edge *const[]){x, nw_onnx_shape_list(w, "/shape", &whole)});
}

/* ---- padding ---- */

/* Begins and ends in the order of the form at hand; false: not known. */
static bool read_pads(nw_onnx_writer *w, const nw_node *node, int rank, bool is_first,
                      int64_t *pads)
{
    const int64_t *values, *axes = NULL;
    int64_t n, n_axes = rank;
    nw_tensor_id named = nw_onnx_id(w, 3);
    memset(pads, 0, 2 * NW_MAX_RANK * sizeof *pads);
    if (!nw_onnx_known(w, 1, &values, &n))
        return false;
    if (named != NW_NONE) {
        axes = w->graph->tensors[named].ints;
        n_axes = nw_shape_elements(&w->graph->tensors[named].shape);
        if (!axes)
            return false;
    }
    if (n != 2 * n_axes || rank < 0)
        return false;
    for (int64_t i = 0; i < n_axes; i++) {
        int64_t axis = axes ? axes[i] + (axes[i] < 0 ? rank : 0) : i;
        if (axis < 0 || axis >= rank)
            return false;
        int at = is_first ? nw_onnx_first_axis(rank, (int)axis) : (int)axis;
        pads[at] = values[node->attrs.pads_paired ? 2 * i : i];
        pads[rank + at] = values[node->attrs.pads_paired ? 2 * i + 1 : n_axes + i];
    }
    return true;
}

void nw_onnx_write_pad(nw_onnx_writer *w, const nw_node *node)
{
    static const char *const fills[] = {"constant", "edge", "reflect"};
    static const nw_shape scalar = {.rank = 0};
    const nw_onnx_edge *in[3] = {NULL, NULL, NULL};
    int64_t pads[2 * NW_MAX_RANK];
    bool is_first = nw_onnx_in_any(w, in);
    int rank = in[0]->shape.rank;
    if (node->attrs.fill == NW_FILL_SYMMETRIC) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it mirrors the last element too");
        return;
    }
    if (read_pads(w, node, rank, is_first, pads)) {
        in[1] = nw_onnx_list(w, "/pads", pads, 2 * rank);
    } else if (is_first || node->attrs.pads_paired || nw_onnx_id(w, 3) != NW_NONE) {
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its paddings are not known");
        return;
    } else {
        in[1] = nw_onnx_cast(w, nw_onnx_in(w, 1), NW_DTYPE_INT64);
    }
    in[2] = nw_onnx_in_maybe(w, 2);
    if (in[2] && in[2]->shape.rank > 0)
        in[2] = nw_onnx_reshaped(w, in[2], &scalar);
    if (!in[2] && node->attrs.alpha != 0)
        in[2] = nw_onnx_scalar(w, "/value", in[0]->dtype, (double)node->attrs.alpha);
    nw_onnx_edge *out = nw_onnx_result(w, 0, is_first);
    nw_onnx_put_text(w, nw_onnx_put(w, "Pad", out, 3, in), "mode", fills[node->attrs.fill]);
}
