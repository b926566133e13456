/* What can be said of a kernel from its shape alone: its name, its multiply-accumulates. */
#include "src/kernel/kernel.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_names[NW_KERNEL_COUNT] = {
#define X(kind, name) [NW_KERNEL_##kind] = name,
    NW_KERNELS(X)
#undef X
};

const char *nw_kernel_kind_name(nw_kernel_kind kind)
{
    return (unsigned)kind < NW_KERNEL_COUNT ? kind_names[kind] : "?";
}

nw_kernel_kind nw_kernel_kind_find(const char *name)
{
    for (int i = 0; i < NW_KERNEL_COUNT; i++)
        if (strcmp(kind_names[i], name) == 0)
            return (nw_kernel_kind)i;
    return NW_KERNEL_COUNT;
}

/* Products of seven sizes from a file may leave 64 bits: they stop at the largest value. */
static int64_t multiply(int64_t a, int64_t b)
{
    int64_t product;
    if (a <= 0 || b <= 0)
        return 0;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

static int64_t part_macs(const nw_kernel_part *part)
{
    int64_t taps = multiply(part->kernel_h, part->kernel_w);
    int64_t outputs = multiply(multiply(part->out_h, part->out_w), part->out_c);
    int64_t inputs = multiply(multiply(part->in_h, part->in_w), part->in_c);
    int32_t groups = part->groups > 0 ? part->groups : 1;
    switch (part->kind) {
    case NW_KERNEL_CONV:
        return multiply(multiply(outputs, taps), part->in_c / groups);
    case NW_KERNEL_DWCONV:
        return multiply(outputs, taps);
    case NW_KERNEL_CONV_TRANSPOSE: /* each input value meets every tap once */
        return multiply(multiply(inputs, taps), part->out_c / groups);
    case NW_KERNEL_FC:
    case NW_KERNEL_MATMUL:
        return multiply(inputs, part->out_c);
    default:
        return 0;
    }
}

int64_t nw_kernel_shape_macs(const nw_kernel_shape *shape)
{
    int64_t sum = 0;
    for (int i = 0; i < shape->n_parts && i < NW_KERNEL_PARTS; i++)
        if (__builtin_add_overflow(sum, part_macs(&shape->parts[i]), &sum))
            return INT64_MAX;
    return sum;
}

const char *nw_kernel_shape_name(const nw_kernel_shape *shape, char *dst, size_t size)
{
    bool is_act = shape->parts[0].kind == NW_KERNEL_ACT;
    bool has_second = shape->n_parts > 1;
    snprintf(dst, size, "%s%s%s%s%s", nw_kernel_kind_name(shape->parts[0].kind),
             has_second ? "+" : "", has_second ? nw_kernel_kind_name(shape->parts[1].kind) : "",
             shape->act != NW_KERNEL_ACT_NONE && !is_act ? "+act" : "",
             shape->residual ? "+add" : "");
    return dst;
}
