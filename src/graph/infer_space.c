#include <inttypes.h>
#include <math.h>

#include "src/graph/infer.h"

/* ---- resize ---- */

/* ONNX Runtime multiplies in float32 and cuts: 7 x 0.43 (float32) may differ from the double. */
static nw_status scale_size(const nw_infer *in, int axis, int64_t size, double scale, int64_t *out)
{
    float scaled = (float)size * (float)scale;
    if (!(scale > 0) || !(scaled <= (float)NW_MAX_DIM))
        return nw_infer_fail(in, "size %" PRId64 " of axis %d cannot be scaled by %g", size, axis,
                             scale);
    *out = (int64_t)floorf(scaled);
    return NW_OK;
}

static nw_status resize_by_scales(const nw_infer *in, nw_shape *shape)
{
    const nw_attrs *attrs = &in->node->attrs;
    const nw_tensor *param = nw_infer_input(in, 1);
    const double *values = param ? param->floats : NULL;
    int64_t n = attrs->n_floats;
    if (n == 0 && values)
        n = nw_shape_elements(&param->shape);
    if (n == 0) {
        shape->rank = -1;
        return NW_OK;
    }
    if (n != shape->rank)
        return nw_infer_fail(in, "%" PRId64 " scales for %d dimensions", n, shape->rank);
    for (int i = 0; i < shape->rank; i++) {
        double scale = attrs->n_floats ? (double)attrs->floats[i] : values[i];
        nw_status status = scale_size(in, i, shape->dims[i], scale, &shape->dims[i]);
        if (status != NW_OK)
            return status;
    }
    return NW_OK;
}

static nw_status resize_to_sizes(const nw_infer *in, nw_shape *shape)
{
    bool only_hw = in->node->attrs.resize_form == NW_RESIZE_SIZE_HW;
    nw_list sizes;
    nw_map_axes axes;
    if (nw_infer_list(in, 1, &sizes) != NW_LIST_KNOWN ||
        (only_hw && !nw_infer_map_axes(in, shape->rank, &axes))) {
        shape->rank = -1;
        return NW_OK;
    }
    int n_expected = only_hw ? 2 : shape->rank;
    if (sizes.n != n_expected)
        return nw_infer_fail(in, "%" PRId64 " sizes given, %d expected", sizes.n, n_expected);
    for (int i = 0; i < n_expected; i++) {
        int axis = !only_hw ? i : i == 0 ? axes.h : axes.w;
        if (axis >= 0)
            shape->dims[axis] = nw_bounded(sizes.values[i]);
    }
    return NW_OK;
}

nw_status nw_rule_resize(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    bool by_scales = in->node->attrs.resize_form == NW_RESIZE_SCALES;
    nw_status status = (by_scales ? resize_by_scales : resize_to_sizes)(in, &shape);
    if (status == NW_OK && shape.rank >= 0)
        nw_infer_set(in, 0, &shape);
    return status;
}

/* ---- trading space for channels or batch ---- */

static nw_status divide_size(const nw_infer *in, int axis, int64_t by, nw_shape *shape)
{
    if (by < 1 || shape->dims[axis] % by)
        return nw_infer_fail(in, "size %" PRId64 " of axis %d does not divide by %" PRId64,
                             shape->dims[axis], axis, by);
    shape->dims[axis] /= by;
    return NW_OK;
}

nw_status nw_rule_depth_to_space(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    int64_t block = in->node->attrs.block;
    nw_map_axes axes;
    if (shape.rank != 4 || !nw_infer_map_axes(in, 4, &axes))
        return NW_OK;
    nw_status status = divide_size(in, axes.c, block > 0 ? block * block : block, &shape);
    if (status != NW_OK)
        return status;
    shape.dims[axes.h] *= block;
    shape.dims[axes.w] *= block;
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

nw_status nw_rule_space_to_depth(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    int64_t block = in->node->attrs.block;
    nw_map_axes axes;
    if (shape.rank != 4 || !nw_infer_map_axes(in, 4, &axes))
        return NW_OK;
    nw_status status = divide_size(in, axes.h, block, &shape);
    if (status == NW_OK)
        status = divide_size(in, axes.w, block, &shape);
    if (status != NW_OK)
        return status;
    for (int i = 0; i < 2; i++)
        shape.dims[axes.c] = nw_bounded(shape.dims[axes.c] * block);
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

/* Block shape and the pairs of paddings or crops; *first: the axis that block[0] is for. */
static nw_status read_blocks(const nw_infer *in, int rank, nw_list *blocks, nw_list *pairs,
                             int *first, bool *is_known)
{
    *is_known = nw_infer_values(in, 1, blocks) == NW_LIST_KNOWN &&
                nw_infer_values(in, 2, pairs) == NW_LIST_KNOWN;
    if (!*is_known)
        return NW_OK;
    *first = in->graph->layout == NW_LAYOUT_NCHW ? 2 : 1;
    if (blocks->n > rank - *first || pairs->n != 2 * blocks->n)
        return nw_infer_fail(in,
                             "%" PRId64 " block sizes and %" PRId64
                             " paddings do not fit a tensor of %d dimensions",
                             blocks->n, pairs->n, rank);
    for (int64_t i = 0; i < blocks->n; i++)
        if (blocks->values[i] < 1 || blocks->values[i] > NW_MAX_DIM)
            return nw_infer_fail(in, "block size %" PRId64 " of axis %d is out of range",
                                 blocks->values[i], (int)(*first + i));
    return NW_OK;
}

nw_status nw_rule_space_to_batch(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    nw_list blocks, pads;
    int first;
    bool is_known;
    nw_status status = read_blocks(in, shape.rank, &blocks, &pads, &first, &is_known);
    if (status != NW_OK || !is_known)
        return status;
    for (int i = 0; i < blocks.n; i++) {
        int64_t *size = &shape.dims[first + i];
        *size += nw_bounded(pads.values[2 * i]) + nw_bounded(pads.values[2 * i + 1]);
        status = divide_size(in, first + i, blocks.values[i], &shape);
        if (status != NW_OK)
            return status;
        shape.dims[0] = nw_bounded(shape.dims[0] * blocks.values[i]);
    }
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

nw_status nw_rule_batch_to_space(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    nw_list blocks, crops;
    int first;
    bool is_known;
    nw_status status = read_blocks(in, shape.rank, &blocks, &crops, &first, &is_known);
    if (status != NW_OK || !is_known)
        return status;
    for (int i = 0; i < blocks.n; i++) {
        status = divide_size(in, 0, blocks.values[i], &shape);
        if (status != NW_OK)
            return status;
        shape.dims[first + i] = shape.dims[first + i] * blocks.values[i] -
                                nw_bounded(crops.values[2 * i]) -
                                nw_bounded(crops.values[2 * i + 1]);
    }
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

nw_status nw_rule_channel_shuffle(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0), groups = shape;
    nw_map_axes axes;
    if (nw_infer_map_axes(in, shape.rank, &axes)) {
        nw_status status = divide_size(in, axes.c, in->node->attrs.groups, &groups);
        if (status != NW_OK)
            return status;
    }
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

/* ---- pad, tile ---- */

/* The axes that a Pad names in its fourth input: begins and ends of those alone follow. */
static nw_status read_pad_axes(const nw_infer *in, int rank, int *axes, int *n, bool *is_known)
{
    nw_list named;
    nw_list_state state = nw_infer_values(in, 3, &named);
    uint32_t set;
    *is_known = state != NW_LIST_UNKNOWN;
    *n = rank;
    for (int i = 0; i < rank; i++)
        axes[i] = i;
    if (state != NW_LIST_KNOWN)
        return NW_OK;
    nw_status status = nw_infer_axis_set(in, &named, rank, true, &set);
    if (status != NW_OK)
        return status;
    *n = (int)named.n; /* at most rank: no axis is named twice */
    for (int i = 0; i < *n; i++)
        axes[i] = (int)(named.values[i] < 0 ? named.values[i] + rank : named.values[i]);
    return NW_OK;
}

nw_status nw_rule_pad(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    bool is_paired = in->node->attrs.pads_paired, is_known;
    int axes[NW_MAX_RANK], n;
    nw_list pads;
    if (nw_infer_list(in, 1, &pads) != NW_LIST_KNOWN)
        return NW_OK;
    nw_status status = read_pad_axes(in, shape.rank, axes, &n, &is_known);
    if (status != NW_OK || !is_known)
        return status;
    if (pads.n != 2 * n)
        return nw_infer_fail(in, "%" PRId64 " paddings for %d axes", pads.n, n);
    for (int i = 0; i < n; i++) {
        int64_t begin = nw_bounded(pads.values[is_paired ? 2 * i : i]);
        int64_t end = nw_bounded(pads.values[is_paired ? 2 * i + 1 : n + i]);
        shape.dims[axes[i]] += begin + end;
    }
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}

nw_status nw_rule_tile(const nw_infer *in)
{
    nw_shape shape = *nw_infer_shape(in, 0);
    nw_list repeats;
    if (nw_infer_list(in, 1, &repeats) != NW_LIST_KNOWN)
        return NW_OK;
    if (repeats.n != shape.rank)
        return nw_infer_fail(in, "%" PRId64 " repeats for %d dimensions", repeats.n, shape.rank);
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] *= nw_bounded(repeats.values[i]);
    nw_infer_set(in, 0, &shape);
    return NW_OK;
}
