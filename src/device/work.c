/* Turns a part of a kernel into the loops that an array runs. */
#include "src/device/internal.h"

#include <string.h>

static int64_t size(int64_t value)
{
    return nw_max64(1, nw_min64(value, NW_SIZE_MAX));
}

static int64_t extent(int64_t kernel, int64_t dilation)
{
    return (kernel - 1) * nw_min64(dilation, NW_SIZE_MAX / kernel + 1) + 1;
}

static void take_sizes(const nw_kernel_part *part, nw_work *work)
{
    work->out_h = size(part->out_h);
    work->out_w = size(part->out_w);
    work->out_c = size(part->out_c);
    work->in_h = size(part->in_h);
    work->in_w = size(part->in_w);
    work->in_c = size(part->in_c);
    work->kernel_h = size(part->kernel_h);
    work->kernel_w = size(part->kernel_w);
    work->stride_h = size(part->stride_h);
    work->stride_w = size(part->stride_w);
    work->extent_h = extent(work->kernel_h, size(part->dilation_h));
    work->extent_w = extent(work->kernel_w, size(part->dilation_w));
    work->units = 1;
}

/* Groups that leave lanes free share the array: block-diagonal weights, as many groups as both
 * sides take. One channel a group, that is a depthwise convolution, so costs what it should. */
static void pack_groups(const nw_hw *hw, int64_t groups, nw_work *work)
{
    int64_t in_c = nw_ceil_div(work->in_c, groups), out_c = nw_ceil_div(work->out_c, groups);
    int64_t packed = 1;
    if (hw->array.kind == NW_ARRAY_DOT)
        packed = nw_min64(hw->array.pf_out / out_c, hw->array.in_chunk / in_c);
    packed = nw_max64(1, nw_min64(packed, groups));
    work->units = nw_ceil_div(groups, packed);
    work->in_c = in_c * packed;
    work->out_c = out_c * packed;
}

/* Sub-pixel form: every phase of the stride is a convolution with its share of the taps over the
 * input map; the phases read the same window, so they run as channels. */
static void make_sub_pixel(nw_work *work)
{
    work->out_h = nw_ceil_div(work->out_h, work->stride_h);
    work->out_w = nw_ceil_div(work->out_w, work->stride_w);
    work->out_c = nw_min64(
        work->out_c * nw_min64(work->stride_h, 64) * nw_min64(work->stride_w, 64), NW_SIZE_MAX);
    work->kernel_h = work->extent_h = nw_ceil_div(work->kernel_h, work->stride_h);
    work->kernel_w = work->extent_w = nw_ceil_div(work->kernel_w, work->stride_w);
    work->stride_h = work->stride_w = 1;
}

static void make_product(const nw_kernel_part *part, nw_work *work)
{
    work->kind = NW_WORK_VECTOR;
    work->kernel_h = work->kernel_w = work->extent_h = work->extent_w = 1;
    work->stride_h = work->stride_w = 1;
    /* A product's rows lie in a line, whatever map the graph wrote them as. A batch of a matmul
     * has operands of its own, so it is a product each. */
    if (part->kind == NW_KERNEL_MATMUL)
        work->units = work->in_h;
    else
        work->in_w = size((int64_t)fmin((double)work->in_h * (double)work->in_w, 0x1p31));
    work->in_h = work->out_h = 1;
    work->out_w = work->in_w;
}

static double mac_rate(const nw_hw *hw, const nw_kernel_shape *shape, bool has_weights)
{
    double rate = nw_hw_precision_rate(hw, shape->weight_bits, shape->bits, shape->is_float != 0);
    if (has_weights && hw->weights.sparsity_n > 0 && hw->weights.sparsity_speedup > 0)
        rate *= hw->weights.sparsity_speedup;
    return rate;
}

static double output_rate(const nw_hw *hw, const nw_kernel_shape *shape)
{
    double rate = hw->out_elements_per_cycle;
    if (shape->act == NW_KERNEL_ACT_LUT && hw->lut_elements_per_cycle > 0)
        rate = fmin(rate, hw->lut_elements_per_cycle);
    return rate > 0 ? rate : 1;
}

static bool take_kind(const nw_hw *hw, const nw_kernel_part *part, nw_work *work)
{
    int64_t groups = nw_min64(size(part->groups), nw_min64(work->in_c, work->out_c));
    switch (part->kind) {
    case NW_KERNEL_CONV:
        work->kind = NW_WORK_DENSE;
        if (groups > 1 && groups == work->in_c)
            work->kind = NW_WORK_DEPTHWISE;
        else if (groups > 1)
            pack_groups(hw, groups, work);
        break;
    case NW_KERNEL_DWCONV:
        work->kind = NW_WORK_DEPTHWISE;
        break;
    case NW_KERNEL_CONV_TRANSPOSE:
        work->kind = NW_WORK_DENSE;
        make_sub_pixel(work);
        if (groups > 1)
            pack_groups(hw, groups, work);
        break;
    case NW_KERNEL_FC:
    case NW_KERNEL_MATMUL:
        make_product(part, work);
        break;
    case NW_KERNEL_POOL:
        work->kind = NW_WORK_POOL;
        break;
    default:
        return false;
    }
    return true;
}

static double stored_weight_bytes(const nw_hw *hw, const nw_kernel_shape *shape)
{
    double raw = (double)nw_max64(shape->weight_elements, 0) * shape->weight_bits / 8;
    if (hw->weights.compression > 0)
        raw *= hw->weights.compression;
    if (hw->weights.sparsity_n > 0 && hw->weights.sparsity_m > hw->weights.sparsity_n)
        raw *= (double)(hw->weights.sparsity_m - hw->weights.sparsity_n) / hw->weights.sparsity_m;
    /* Vela stores 10 bytes of bias and scale a channel, others a bias of 4. */
    double bias = (double)nw_max64(shape->bias_elements, 0) * (hw->tile.bias_fetch ? 10 : 4);
    return ceil(raw) + bias;
}

bool nw_work_make(const nw_hw *hw, const nw_kernel_shape *shape, int part_index, nw_work *out)
{
    const nw_kernel_part *part = &shape->parts[part_index];
    memset(out, 0, sizeof *out);
    take_sizes(part, out);
    if (!take_kind(hw, part, out))
        return false;
    bool is_last = part_index + 1 >= shape->n_parts;
    out->has_weights = part->kind != NW_KERNEL_POOL && part->kind != NW_KERNEL_MATMUL;
    out->is_first = shape->is_first && part_index == 0;
    out->rate = out->kind == NW_WORK_POOL ? 1 : mac_rate(hw, shape, out->has_weights);
    out->out_rate = is_last ? output_rate(hw, shape) : fmax(hw->out_elements_per_cycle, 1e-6);
    out->element_bytes = (double)nw_max64(shape->bits, 1) / 8;
    out->in_dram = part_index == 0 && shape->in_place == NW_PLACE_DRAM;
    out->out_dram = is_last && shape->out_place == NW_PLACE_DRAM;
    if (part_index == 0)
        out->weight_bytes = stored_weight_bytes(hw, shape);
    return true;
}
