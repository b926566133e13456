/* hint.c - what the user asks of the device beyond its own rules, and why it cannot be.
 */
#include <stdio.h>
#include <string.h>

#include "src/kernel/split.h"

/* ---- element types ---- */

/* Maps of floats or small integers have an element type to choose; indices and truths do not. */
static bool has_choice(nw_dtype dtype)
{
    int bits = nw_dtype_bits(dtype);
    return dtype != NW_DTYPE_BOOL && bits > 0 && (nw_dtype_is_float(dtype) || bits <= 16);
}

static bool is_computed(const nw_tensor *t)
{
    return !t->is_const && !t->ints && !t->floats;
}

static void set_type(const nw_graph *graph, nw_types *types, nw_tensor_id id, int bits,
                     bool is_float)
{
    if (id == NW_NONE || !is_computed(&graph->tensors[id]) || !has_choice(graph->tensors[id].dtype))
        return;
    types->bits[id] = (uint8_t)bits;
    types->is_float[id] = is_float;
    types->is_hinted[id] = 1;
}

/* The hinted input whose type an operator without arithmetic passes on; NW_NONE: none. */
static nw_tensor_id passed_on(const nw_types *types, const nw_node *node)
{
    nw_kernel_kind kind = nw_op_rule_of(node->op).kind;
    bool keeps_type =
        kind == NW_KERNEL_VIEW || kind == NW_KERNEL_COPY || node->op == NW_OP_DEQUANTIZE;
    nw_tensor_id found = NW_NONE;
    int n_joined = node->op == NW_OP_CONCAT || node->op == NW_OP_STACK ? node->n_inputs : 1;
    for (int i = 0; keeps_type && i < n_joined && i < node->n_inputs; i++) {
        nw_tensor_id id = node->inputs[i];
        if (id == NW_NONE || !types->is_hinted[id])
            return NW_NONE;
        bool is_alike = found == NW_NONE || (types->bits[id] == types->bits[found] &&
                                             types->is_float[id] == types->is_float[found]);
        if (!is_alike)
            return NW_NONE;
        found = id;
    }
    return found;
}

static void pass_on(const nw_graph *graph, nw_types *types, const nw_node *node)
{
    nw_tensor_id in = passed_on(types, node);
    for (int i = 0; in != NW_NONE && i < node->n_outputs; i++) {
        nw_tensor_id out = node->outputs[i];
        /* the world, and float operators, read the floats that a dequantisation makes */
        bool is_real = out != NW_NONE && node->op == NW_OP_DEQUANTIZE &&
                       (types->is_float[out] || graph->tensors[out].is_output);
        if (!is_real)
            set_type(graph, types, out, types->bits[in], types->is_float[in]);
    }
}

static bool has_hints(const nw_graph *graph)
{
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        if (graph->nodes[id].hint.bits)
            return true;
    return false;
}

static bool computes_in(const nw_hw *hw, int bits, bool is_float)
{
    return nw_hw_precision_rate(hw, bits, bits, is_float) > 0 ||
           nw_hw_precision_rate(hw, NW_NARROW_BITS, bits, is_float) > 0;
}

nw_status nw_types_apply_hints(const nw_graph *graph, nw_types *types, nw_error *err)
{
    char label[96];
    if (!has_hints(graph))
        return NW_OK;
    types->is_hinted = nw_zalloc((size_t)graph->n_tensors);
    for (int i = 0; i < graph->n_nodes; i++) {
        nw_node_id id = graph->order[i];
        const nw_node *node = &graph->nodes[id];
        if (!node->hint.bits) {
            pass_on(graph, types, node);
            continue;
        }
        if (!computes_in(types->hw, node->hint.bits, node->hint.is_float))
            return nw_fail(err, NW_UNSUPPORTED, nw_node_label(graph, id, label, sizeof label),
                           "%s does not compute in %s%d; choose a type of its description",
                           types->hw->name, node->hint.is_float ? "float" : "int",
                           (int)node->hint.bits);
        for (int k = 0; k < node->n_outputs; k++)
            set_type(graph, types, node->outputs[k], node->hint.bits, node->hint.is_float);
    }
    size_t used = strlen(types->name);
    snprintf(types->name + used, sizeof types->name - used, ", mixed");
    return NW_OK;
}

/* Floats are wider than integers, then more bits are. */
static void widen(nw_kernel_shape *shape, int bits, bool is_float)
{
    if (is_float && !shape->is_float)
        shape->bits = bits;
    else if (is_float == (shape->is_float != 0) && bits > shape->bits)
        shape->bits = bits;
    shape->is_float |= is_float;
}

void nw_types_settle(const nw_graph *graph, const nw_types *types, nw_node_id id,
                     nw_kernel_shape *shape)
{
    const nw_node *node = &graph->nodes[id];
    bool is_hinted = false;
    for (int i = 0; i < node->n_inputs; i++) {
        if (node->inputs[i] == NW_NONE)
            continue;
        nw_tensor_id in = nw_types_source(graph, types, id, node->inputs[i]);
        if (!types->is_hinted[in])
            continue;
        is_hinted = true;
        widen(shape, types->bits[in], types->is_float[in]);
    }
    for (int i = 0; i < node->n_outputs && node->hint.bits; i++)
        if (node->outputs[i] != NW_NONE && types->is_hinted[node->outputs[i]]) {
            is_hinted = true;
            widen(shape, node->hint.bits, node->hint.is_float);
        }
    if (!is_hinted)
        return;
    bool has_pair = nw_hw_precision_rate(types->hw, shape->bits, shape->bits, shape->is_float) > 0;
    shape->weight_bits = has_pair || !shape->weight_elements ? shape->bits : NW_NARROW_BITS;
}

/* ---- reasons ---- */

bool nw_split_is_joined(const nw_splitter *s, nw_node_id id)
{
    const nw_draft *d = s->state[id] >= 0 ? &s->drafts[s->state[id]] : NULL;
    bool is_main_seen = false;
    if (!d || d->shape.parts[0].kind == NW_KERNEL_HOST || s->is_absorbed[id])
        return false;
    for (int i = 0; i < d->n_nodes && d->nodes[i] != id; i++)
        is_main_seen |= d->nodes[i] == d->main;
    return is_main_seen;
}

/* The tensor that a node reads of the latest kernel before it. */
static nw_tensor_id read_last(const nw_splitter *s, const nw_node *node)
{
    nw_tensor_id best = NW_NONE;
    int best_index = -1;
    for (int i = 0; i < node->n_inputs; i++) {
        if (node->inputs[i] == NW_NONE)
            continue;
        nw_tensor_id id = nw_split_before_absorbed(s, node->inputs[i]);
        nw_node_id producer = s->graph->tensors[id].producer;
        int index = producer == NW_NONE ? -1 : s->state[producer];
        if (index > best_index) {
            best = id;
            best_index = index;
        }
    }
    return best;
}

static const char *lacks(const nw_splitter *s, nw_kernel_kind before, const nw_kernel_shape *shape)
{
    switch (shape->parts[0].kind) {
    case NW_KERNEL_ACT:
        return s->hw->fusion.conv_act ? NULL : "conv+act";
    case NW_KERNEL_ADD:
        return nw_split_is_product(before) && !s->hw->fusion.conv_add ? "conv+add" : NULL;
    case NW_KERNEL_CONV:
        return before == NW_KERNEL_DWCONV && !s->hw->fusion.dw_pw ? "dw+pw" : NULL;
    case NW_KERNEL_POOL:
        return before == NW_KERNEL_CONV && !s->hw->fusion.pool ? "pool" : NULL;
    default:
        return NULL;
    }
}

static const char *explain_add(const nw_splitter *s, const nw_draft *before, const nw_node *node,
                               nw_tensor_id read)
{
    if (before->shape.residual)
        return "the kernel before it has a sum already";
    for (int i = 0; i < node->n_inputs; i++) {
        const nw_tensor *t = nw_split_input(s, node, i);
        if (t && t->is_const)
            return "a constant joins only as one value, or one a channel, and before an activation";
        if (t && !nw_shape_equal(&t->shape, &s->graph->tensors[read].shape))
            return "its operands differ in shape";
    }
    return NULL;
}

static const char *explain_part(const nw_splitter *s, const nw_draft *before,
                                const nw_kernel_shape *shape)
{
    const nw_kernel_part *p = &shape->parts[0];
    if (before->shape.n_parts > 1 || before->shape.residual)
        return "the kernel before it is complete: it holds two operators or a sum";
    if (p->kind == NW_KERNEL_CONV && before->shape.parts[0].kind == NW_KERNEL_DWCONV &&
        (p->kernel_h != 1 || p->kernel_w != 1 || p->stride_h != 1 || p->groups != 1))
        return "only a dense 1x1 convolution of stride 1 runs in the tile before it";
    if (p->kind == NW_KERNEL_POOL && before->shape.parts[0].kind == NW_KERNEL_CONV &&
        !nw_split_fits_tile(s, p))
        return "the map that it pools does not fit one tile";
    if (shape->bits != before->shape.bits || shape->is_float != before->shape.is_float)
        return "it computes in another type than the kernel before it";
    return NULL;
}

/* Why what runs before cannot keep its result for one reader. */
static bool explain_reading(const nw_splitter *s, nw_tensor_id read, const nw_draft *before,
                            char *why, size_t size)
{
    nw_kernel_kind kind = before->shape.parts[0].kind;
    if (kind == NW_KERNEL_HOST)
        snprintf(why, size, "what runs before it runs on the host");
    else if (kind == NW_KERNEL_VIEW)
        snprintf(why, size, "what is before it (%s) only renames bytes in memory",
                 nw_op_name(s->graph->nodes[before->main].op));
    else if (s->graph->tensors[read].is_output)
        snprintf(why, size, "what it reads is an output of the network");
    else if (nw_split_n_readers(s, read) > 1)
        snprintf(why, size, "what it reads has %d readers, so it has to be written",
                 nw_split_n_readers(s, read));
    else
        return false;
    return true;
}

void nw_split_explain(const nw_splitter *s, nw_node_id id, char *why, size_t size)
{
    const nw_node *node = &s->graph->nodes[id];
    nw_kernel_shape shape;
    nw_kernel_shape_of_node(s->graph, s->types, id, &shape);
    nw_kernel_kind kind = shape.parts[0].kind;
    nw_tensor_id read = read_last(s, node);
    const char *text = NULL;
    if (s->state[id] < 0)
        text = "its values are known beforehand, nothing runs it";
    else if (s->drafts[s->state[id]].shape.parts[0].kind == NW_KERNEL_HOST)
        text = "it runs on the host";
    else if (s->drafts[s->state[id]].main != id)
        text = "it runs with what reads it";
    else if (kind == NW_KERNEL_VIEW)
        text = "it costs nothing, it is no work to join";
    else if (read == NW_NONE)
        text = "it reads only the network's inputs";
    if (text) {
        snprintf(why, size, "%s", text);
        return;
    }
    const nw_draft *before = &s->drafts[s->state[s->graph->tensors[read].producer]];
    if (explain_reading(s, read, before, why, size))
        return;
    nw_kernel_kind kind_before = before->shape.parts[0].kind;
    const char *rule = lacks(s, kind_before, &shape);
    if (rule) {
        snprintf(why, size, "%s has no rule %s", s->hw->name, rule);
        return;
    }
    if (!nw_split_is_native(s, node->op)) {
        snprintf(why, size, "%s is slow here, on a unit of its own", nw_op_name(node->op));
        return;
    }
    if (kind == NW_KERNEL_ADD && nw_split_is_product(kind_before))
        text = explain_add(s, before, node, read);
    else if (kind == NW_KERNEL_CONV || kind == NW_KERNEL_POOL)
        text = explain_part(s, before, &shape);
    if (text)
        snprintf(why, size, "%s", text);
    else
        snprintf(why, size, "no rule joins %s to %s", nw_kernel_kind_name(kind),
                 nw_kernel_kind_name(kind_before));
}

/* ---- asking beforehand ---- */

bool nw_kernel_can_join(const nw_graph *graph, const nw_hw *hw, nw_node_id node, char *why,
                        size_t size)
{
    nw_types types;
    nw_error err;
    char unused[8];
    if (!why)
        why = unused, size = sizeof unused;
    if (nw_types_find(graph, hw, NULL, &types, &err) != NW_OK) {
        snprintf(why, size, "%s", err.message);
        return false;
    }
    nw_splitter s;
    nw_split_run(&s, graph, hw, &types, node);
    bool is_joined = nw_split_is_joined(&s, node);
    if (!is_joined)
        nw_split_explain(&s, node, why, size);
    nw_split_fini(&s);
    nw_types_fini(&types);
    return is_joined;
}

static const char *explain_whole(const nw_graph *graph, const nw_kernel *kernel, nw_node_id id)
{
    int at = -1, main = -1;
    bool has_pad = false;
    for (int i = 0; i < kernel->n_nodes; i++) {
        at = kernel->nodes[i] == id ? i : at;
        main = kernel->nodes[i] == kernel->main ? i : main;
        has_pad |= main < 0 && graph->nodes[kernel->nodes[i]].op == NW_OP_PAD;
    }
    nw_op op = graph->nodes[id].op;
    bool is_passed = op == NW_OP_DEQUANTIZE || op == NW_OP_IDENTITY || op == NW_OP_CAST;
    if (at < 0)
        return "it is not in this kernel";
    if (kernel->shape.parts[0].kind == NW_KERNEL_HOST)
        return "a run on the host is one switch, it is not cut";
    if (at == main && !has_pad)
        return "a kernel starts here already";
    if (at < main || (at > main && is_passed))
        return "it runs with what reads it";
    if (op == NW_OP_QUANTIZE)
        return "it is the output stage of what runs before it";
    return NULL;
}

bool nw_kernel_can_split(const nw_graph *graph, const nw_kernel *kernel, nw_node_id node, char *why,
                         size_t size)
{
    const char *text = explain_whole(graph, kernel, node);
    if (text && why)
        snprintf(why, size, "%s", text);
    return !text;
}

static bool is_same_cut(const nw_kernels *a, const nw_kernels *b)
{
    bool is_same = a->n_kernels == b->n_kernels;
    for (int i = 0; is_same && i < a->n_kernels; i++) {
        const nw_kernel *x = &a->kernels[i], *y = &b->kernels[i];
        is_same = x->n_nodes == y->n_nodes &&
                  memcmp(x->nodes, y->nodes, (size_t)x->n_nodes * sizeof *x->nodes) == 0;
    }
    return is_same;
}

static const nw_kernel *kernel_of(const nw_kernels *kernels, nw_node_id id)
{
    for (int i = 0; i < kernels->n_kernels; i++)
        for (int k = 0; k < kernels->kernels[i].n_nodes; k++)
            if (kernels->kernels[i].nodes[k] == id)
                return &kernels->kernels[i];
    return NULL;
}

bool nw_kernels_stay(const nw_graph *before, const nw_kernels *kernels_before,
                     const nw_graph *after, const nw_kernels *kernels_after, const nw_hw *hw,
                     char *why, size_t size)
{
    char label[64], reason[96] = "it runs so already";
    if (before->n_nodes != after->n_nodes || !is_same_cut(kernels_before, kernels_after))
        return false;
    for (int i = 0; i < after->n_nodes; i++) {
        nw_node_id id = after->order[i];
        const nw_hint *old = &before->nodes[id].hint, *now = &after->nodes[id].hint;
        bool is_split = now->splits && !old->splits, is_join = now->joins && !old->joins;
        const nw_kernel *kernel = is_split ? kernel_of(kernels_before, id) : NULL;
        if (!is_split && !is_join)
            continue;
        if (is_split && !kernel)
            snprintf(reason, sizeof reason, "its values are known beforehand, nothing runs it");
        else if (is_split)
            (void)nw_kernel_can_split(before, kernel, id, reason, sizeof reason);
        else
            (void)nw_kernel_can_join(before, hw, id, reason, sizeof reason);
        if (why && size)
            snprintf(why, size, "%s: %s", nw_node_label(after, id, label, sizeof label), reason);
        return true;
    }
    return false;
}
