/* host.c - what the hardware lacks: limits, types, operators that the host processor runs.
 */
#include <stdio.h>

#include "src/kernel/split.h"

static bool breaks_limits(const nw_splitter *s, const nw_kernel_shape *shape, char *note,
                          size_t size)
{
    const nw_kernel_part *p = &shape->parts[0];
    bool has_taps = nw_split_is_product(p->kind) || p->kind == NW_KERNEL_POOL;
    int kernel = p->kernel_h > p->kernel_w ? p->kernel_h : p->kernel_w;
    int stride = p->stride_h > p->stride_w ? p->stride_h : p->stride_w;
    int64_t channels = p->in_c > p->out_c ? p->in_c : p->out_c;
    int pf_in = s->hw->array.pf_in > 0 ? s->hw->array.pf_in : 1;
    int least = p->kernel_h < p->kernel_w ? p->kernel_h : p->kernel_w;
    bool is_window = p->kind != NW_KERNEL_FC && p->kind != NW_KERNEL_MATMUL;
    int64_t volume = (int64_t)p->kernel_h * p->kernel_w * ((p->in_c + pf_in - 1) / pf_in);
    bool is_global = p->kind == NW_KERNEL_POOL && p->kernel_h == p->in_h && p->kernel_w == p->in_w;
    if (!has_taps || is_global)
        return false;
    if (s->hw->limits.max_kernel && kernel > s->hw->limits.max_kernel)
        snprintf(note, size, "kernel %d exceeds the hardware's %d", kernel,
                 s->hw->limits.max_kernel);
    else if (is_window && least < s->hw->limits.min_kernel)
        snprintf(note, size, "kernel %d is below the hardware's %d", least,
                 s->hw->limits.min_kernel);
    else if (s->hw->limits.max_stride && stride > s->hw->limits.max_stride)
        snprintf(note, size, "stride %d exceeds the hardware's %d", stride,
                 s->hw->limits.max_stride);
    else if (s->hw->limits.max_channels && channels > s->hw->limits.max_channels)
        snprintf(note, size, "%lld channels exceed the hardware's %d", (long long)channels,
                 s->hw->limits.max_channels);
    else if (s->hw->limits.max_kernel_volume && p->kind == NW_KERNEL_CONV &&
             volume > s->hw->limits.max_kernel_volume)
        snprintf(note, size, "weights of one output (%lld words) exceed the hardware's %d",
                 (long long)volume, s->hw->limits.max_kernel_volume);
    else
        return false;
    return true;
}

/* A kernel without weights takes whatever weights go with its activations on this hardware. */
void nw_split_settle_weight_bits(const nw_splitter *s, nw_kernel_shape *shape)
{
    if (shape->weight_elements ||
        nw_hw_precision_rate(s->hw, shape->weight_bits, shape->bits, shape->is_float) > 0)
        return;
    for (int i = 0; i < s->hw->n_precisions; i++) {
        const nw_hw_precision *p = &s->hw->precisions[i];
        if (p->activation_bits == shape->bits && p->is_float == (shape->is_float != 0))
            shape->weight_bits = p->weight_bits;
    }
}

static bool lacks_type(const nw_splitter *s, const nw_kernel_shape *shape)
{
    return nw_hw_precision_rate(s->hw, shape->weight_bits, shape->bits, shape->is_float) <= 0;
}

/* Whether an operator has to run on the host, and why. */
bool nw_split_needs_host(const nw_splitter *s, nw_node_id id, const nw_kernel_shape *shape,
                         char *note, size_t size)
{
    const nw_node *node = &s->graph->nodes[id];
    nw_kernel_kind kind = shape->parts[0].kind;
    if (kind == NW_KERNEL_VIEW || kind == NW_KERNEL_OPAQUE)
        return false;
    if (s->hw->ops[node->op].support == NW_OP_HOST) {
        snprintf(note, size, "%s is not native here", nw_op_name(node->op));
        return true;
    }
    if (breaks_limits(s, shape, note, size))
        return true;
    nw_kernel_shape written = *shape;
    nw_tensor_id out = node->outputs[0];
    written.bits = written.weight_bits = s->types->bits[out];
    written.is_float = s->types->is_float[out];
    written.weight_elements = 0;
    nw_split_settle_weight_bits(s, &written);
    bool is_int = !shape->is_float && !written.is_float;
    if (!lacks_type(s, shape) && (kind != NW_KERNEL_QUANTIZE || !lacks_type(s, &written)))
        return false;
    if (!is_int)
        snprintf(note, size, "float island: no float arithmetic here");
    else
        snprintf(note, size, "no arithmetic on %d-bit integers here", (int)shape->bits);
    return true;
}

bool nw_split_is_native(const nw_splitter *s, nw_op op)
{
    return s->hw->ops[op].support == NW_OP_NATIVE;
}
