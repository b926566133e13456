/* place.c - where tensors live while the kernels run.
 *
 * The rule is local (reach: block): a tensor stays on chip when the bytes live while its producer
 * runs and while each of its readers runs fit. Nothing else about the network matters, so tables
 * over few choices stay exact.
 */
#include <stdlib.h>
#include <string.h>

#include "src/kernel/internal.h"

static nw_tensor_id overwritten(const nw_graph *graph, const nw_kernel *kernel,
                                const int *last_reader, int index)
{
    const nw_op_rule rule = nw_op_rule_of(graph->nodes[kernel->main].op);
    bool is_host = kernel->shape.parts[0].kind == NW_KERNEL_HOST;
    if ((!rule.can_overwrite && !kernel->shape.residual) || is_host || !kernel->n_writes)
        return NW_NONE;
    int64_t n = nw_shape_elements(&graph->tensors[kernel->writes[0]].shape);
    /* From the back: a joined add's second input comes after the convolution's. */
    for (int i = kernel->n_reads - 1; i >= 0; i--) {
        const nw_tensor *t = &graph->tensors[kernel->reads[i]];
        bool is_conv_input = kernel->shape.residual && i == 0; /* its window still reads it */
        if (!is_conv_input && last_reader[kernel->reads[i]] == index && !t->is_input &&
            !t->is_output && nw_shape_elements(&t->shape) == n)
            return kernel->reads[i];
    }
    return NW_NONE;
}

static nw_step *make_steps(const nw_graph *graph, const nw_kernels *kernels)
{
    int *last_reader = nw_alloc((size_t)graph->n_tensors * sizeof *last_reader);
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
        last_reader[id] = -1;
    for (int i = 0; i < kernels->n_kernels; i++)
        for (int k = 0; k < kernels->kernels[i].n_reads; k++)
            last_reader[kernels->kernels[i].reads[k]] = i;
    nw_step *steps = nw_alloc((size_t)kernels->n_kernels * sizeof *steps);
    for (int i = 0; i < kernels->n_kernels; i++) {
        const nw_kernel *kernel = &kernels->kernels[i];
        steps[i] = (nw_step){.reads = kernel->reads,
                             .writes = kernel->writes,
                             .n_reads = kernel->n_reads,
                             .n_writes = kernel->n_writes,
                             .in_place = overwritten(graph, kernel, last_reader, i),
                             .writes_parts = kernel->shape.parts[0].kind == NW_KERNEL_VIEW &&
                                             graph->nodes[kernel->main].op == NW_OP_CONCAT};
    }
    free(last_reader);
    return steps;
}

/* spilled[t]: some kernel that touches t has more live than fits. */
static void find_spilled(const nw_hw *hw, nw_kernels *kernels, uint8_t *spilled)
{
    for (int i = 0; i < kernels->n_kernels; i++) {
        nw_kernel *kernel = &kernels->kernels[i];
        kernel->live_bytes = kernels->memory.live_bytes[i];
        if (kernel->live_bytes <= hw->sram.bytes)
            continue;
        for (int k = 0; k < kernel->n_reads; k++)
            spilled[kernel->reads[k]] = 1;
        for (int k = 0; k < kernel->n_writes; k++)
            spilled[kernel->writes[k]] = 1;
    }
}

/* A view's result is its input under another name, so both live in one place. Whether anything
 * changed. */
static bool spread_over_view(const nw_kernel *kernel, uint8_t *spilled)
{
    if (kernel->shape.parts[0].kind != NW_KERNEL_VIEW)
        return false;
    bool any = false, all = true;
    for (int k = 0; k < kernel->n_reads + kernel->n_writes; k++) {
        uint8_t is_spilled =
            spilled[k < kernel->n_reads ? kernel->reads[k] : kernel->writes[k - kernel->n_reads]];
        any |= is_spilled;
        all &= is_spilled;
    }
    for (int k = 0; any && k < kernel->n_reads; k++)
        spilled[kernel->reads[k]] = 1;
    for (int k = 0; any && k < kernel->n_writes; k++)
        spilled[kernel->writes[k]] = 1;
    return any && !all;
}

/* Forwards and backwards: several views of one tensor may hang on each other. */
static void spread_over_views(const nw_kernels *kernels, uint8_t *spilled)
{
    bool has_changed = true;
    while (has_changed) {
        has_changed = false;
        for (int i = 0; i < kernels->n_kernels; i++)
            has_changed |= spread_over_view(&kernels->kernels[i], spilled);
        for (int i = kernels->n_kernels - 1; i >= 0; i--)
            has_changed |= spread_over_view(&kernels->kernels[i], spilled);
    }
}

/* Kernels that read two maps: the joined add's, an elementwise operator's, a matrix product's. */
static bool reads_second(const nw_kernel_shape *shape)
{
    nw_kernel_kind kind = shape->parts[0].kind;
    return shape->residual || kind == NW_KERNEL_ADD || kind == NW_KERNEL_MUL ||
           kind == NW_KERNEL_ELEMENTWISE || kind == NW_KERNEL_MATMUL;
}

/* Which read is the map that in_place speaks of: that of the first operator, or an elementwise
 * operator's first whole map, which need not be its first operand. */
static int find_map_read(const nw_graph *graph, const nw_kernel *kernel)
{
    nw_kernel_kind kind = kernel->shape.parts[0].kind;
    int best = 0;
    if (kind != NW_KERNEL_ADD && kind != NW_KERNEL_MUL && kind != NW_KERNEL_ELEMENTWISE)
        return 0;
    for (int k = 1; k < kernel->n_reads; k++)
        if (nw_shape_elements(&graph->tensors[kernel->reads[k]].shape) >
            nw_shape_elements(&graph->tensors[kernel->reads[best]].shape))
            best = k;
    return best;
}

static void place_kernel(const nw_graph *graph, const uint8_t *spilled, nw_kernel *kernel)
{
    nw_kernel_shape *shape = &kernel->shape;
    shape->in_place = shape->out_place = shape->residual_place = NW_PLACE_SRAM;
    if (!kernel->n_writes)
        return;
    int map = find_map_read(graph, kernel);
    for (int k = 0; k < kernel->n_writes; k++)
        if (spilled[kernel->writes[k]])
            shape->out_place = NW_PLACE_DRAM;
    for (int k = 0; k < kernel->n_reads; k++) {
        if (!spilled[kernel->reads[k]])
            continue;
        if (k != map && reads_second(shape))
            shape->residual_place = NW_PLACE_DRAM;
        else
            shape->in_place = NW_PLACE_DRAM;
    }
    if (kernel->n_reads == 1 && reads_second(shape)) /* x + conv(x), x * x: read twice */
        shape->residual_place = shape->in_place;
}

void nw_kernels_place(const nw_graph *graph, const nw_hw *hw, const nw_types *types,
                      nw_kernels *kernels)
{
    nw_step *steps = make_steps(graph, kernels);
    nw_memory_rules rules = {.align_channels = hw->sram.align_channels,
                             .align_bytes = hw->sram.align_bytes,
                             .in_place = true,
                             .is_dense = types->is_dense,
                             .tensor_bits = types->bits};
    nw_memory_plan(graph, steps, kernels->n_kernels, &rules, &kernels->memory);
    uint8_t *spilled = nw_zalloc((size_t)graph->n_tensors);
    find_spilled(hw, kernels, spilled);
    spread_over_views(kernels, spilled);
    for (int i = 0; i < kernels->n_kernels; i++)
        place_kernel(graph, spilled, &kernels->kernels[i]);
    free(spilled);
    free(steps);
}
