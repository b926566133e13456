/* split.c - cutting a graph into the kernels that a device runs.
 *
 * One walk in schedule order. An operator starts a kernel and then takes in what follows while the
 * hardware's fusion rules and the graph allow: whoever is joined must be the only reader. Some
 * operators wait for their reader instead (dequantisations that an integer kernel absorbs, spatial
 * padding in front of a window). Neighbouring operators that the hardware lacks form one host run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/text.h"
#include "src/kernel/internal.h"

enum { FREE = -1, WAITS = -2, FOLDED = -3 }; /* states of a node beside its kernel's index */

typedef struct draft {
    nw_kernel_shape shape;
    nw_node_id main;
    nw_node_id *nodes;
    int n_nodes;
    size_t node_capacity;
    char note[96];
    int64_t first_bias; /* elements of shape.bias_elements that belong to earlier parts */
} draft;

typedef struct splitter {
    const nw_graph *graph;
    const nw_hw *hw;
    const nw_types *types;
    int *state;           /* per node: index of its draft, or FREE, WAITS, FOLDED */
    uint8_t *is_absorbed; /* per node: a dequantisation that its readers' kernels take in, or a
                           * renaming in front of one */
    int *reader_start;    /* per tensor: where its readers begin in readers */
    nw_node_id *readers;
    draft *drafts;
    int n_drafts;
    size_t draft_capacity;
} splitter;

/* ---- the graph, seen from here ---- */

static void index_readers(splitter *s)
{
    const nw_graph *graph = s->graph;
    s->reader_start = nw_zalloc(((size_t)graph->n_tensors + 2) * sizeof *s->reader_start);
    int *start = s->reader_start + 1, total = 0;
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int k = 0; s->state[id] != FOLDED && k < graph->nodes[id].n_inputs; k++)
            if (graph->nodes[id].inputs[k] != NW_NONE) {
                start[graph->nodes[id].inputs[k] + 1]++;
                total++;
            }
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
        start[id + 1] += start[id];
    s->readers = nw_alloc((size_t)total * sizeof *s->readers);
    /* start[t] moves up to the beginning of t + 1 while filling, which leaves reader_start right.
     */
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int k = 0; s->state[id] != FOLDED && k < graph->nodes[id].n_inputs; k++)
            if (graph->nodes[id].inputs[k] != NW_NONE)
                s->readers[start[graph->nodes[id].inputs[k]]++] = id;
}

static int n_readers(const splitter *s, nw_tensor_id tensor)
{
    return s->reader_start[tensor + 1] - s->reader_start[tensor];
}

/* The only reader of a tensor that nobody else sees, still free; NW_NONE otherwise. */
static nw_node_id sole_reader(const splitter *s, nw_tensor_id tensor)
{
    if (n_readers(s, tensor) != 1 || s->graph->tensors[tensor].is_output)
        return NW_NONE;
    nw_node_id reader = s->readers[s->reader_start[tensor]];
    return s->state[reader] == FREE ? reader : NW_NONE;
}

static const nw_tensor *input_tensor(const splitter *s, const nw_node *node, int i)
{
    if (i >= node->n_inputs || node->inputs[i] == NW_NONE)
        return NULL;
    return &s->graph->tensors[node->inputs[i]];
}

static nw_tensor_id only_output(const nw_node *node)
{
    nw_tensor_id found = NW_NONE;
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] == NW_NONE)
            continue;
        if (found != NW_NONE)
            return NW_NONE;
        found = node->outputs[i];
    }
    return found;
}

static bool is_folded(const splitter *s, const nw_node *node)
{
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] == NW_NONE)
            continue;
        const nw_tensor *t = &s->graph->tensors[node->outputs[i]];
        if (!t->is_const && !t->ints && !t->floats)
            return false;
    }
    return node->n_outputs > 0;
}

/* ---- who waits for its reader ---- */

/* A dequantisation whose result every reader takes as integers. */
static bool is_absorbed_dequantise(const splitter *s, const nw_node *node)
{
    nw_tensor_id out = only_output(node);
    return node->op == NW_OP_DEQUANTIZE && out != NW_NONE && !s->types->is_float[out] &&
           !s->graph->tensors[out].is_output && n_readers(s, out) > 0;
}

/* A cast to the same type or an identity in front of dequantisations alone. */
static bool is_absorbed_rename(const splitter *s, const nw_node *node)
{
    nw_tensor_id out = only_output(node);
    bool is_rename = node->op == NW_OP_IDENTITY || node->op == NW_OP_CAST;
    if (!is_rename || out == NW_NONE || n_readers(s, out) == 0 ||
        s->graph->tensors[out].is_output || !nw_node_is_view(s->graph, node))
        return false;
    for (int i = s->reader_start[out]; i < s->reader_start[out + 1]; i++)
        if (!is_absorbed_dequantise(s, &s->graph->nodes[s->readers[i]]))
            return false;
    return true;
}

static bool is_absorbed_whole(const splitter *s, const nw_node *node)
{
    return is_absorbed_dequantise(s, node) || is_absorbed_rename(s, node);
}

static bool has_window(nw_op op)
{
    return op == NW_OP_CONV2D || op == NW_OP_AVERAGE_POOL || op == NW_OP_MAX_POOL;
}

/* Padding by zeros of rows and columns only, read by one convolution or pooling: the device's
 * address generator does that while it reads. */
static bool is_absorbed_pad(const splitter *s, const nw_node *node)
{
    nw_tensor_id out = only_output(node);
    if (node->op != NW_OP_PAD || out == NW_NONE || !input_tensor(s, node, 0))
        return false;
    nw_node_id reader = sole_reader(s, out);
    if (reader == NW_NONE || !has_window(s->graph->nodes[reader].op) ||
        s->graph->nodes[reader].inputs[0] != out)
        return false;
    nw_hwc x = nw_tensor_hwc(s->graph, node->inputs[0]), y = nw_tensor_hwc(s->graph, out);
    return x.c == y.c && x.h <= y.h && x.w <= y.w && input_tensor(s, node, 0)->shape.rank == 4;
}

/* Whether a node comes with its reader: it waits already, or would once the walk gets there (a
 * file may put a dequantisation anywhere before its reader). */
static bool waits(const splitter *s, nw_node_id id)
{
    return s->state[id] == WAITS ||
           (s->state[id] == FREE && is_absorbed_whole(s, &s->graph->nodes[id]));
}

/* ---- drafts ---- */

static void add_node(splitter *s, int index, nw_node_id id)
{
    draft *d = &s->drafts[index];
    const nw_node *node = &s->graph->nodes[id];
    for (int k = 0; k < node->n_inputs; k++) {
        if (node->inputs[k] == NW_NONE)
            continue;
        nw_node_id producer = s->graph->tensors[node->inputs[k]].producer;
        if (producer == NW_NONE || !waits(s, producer))
            continue;
        s->is_absorbed[producer] = s->graph->nodes[producer].op != NW_OP_PAD;
        add_node(s, index, producer); /* a cast, a dequantisation, a pad: three deep at most */
    }
    d = &s->drafts[index];
    d->nodes = nw_grow(d->nodes, (size_t)d->n_nodes, &d->node_capacity, sizeof *d->nodes);
    d->nodes[d->n_nodes++] = id;
    s->state[id] = index;
}

static int new_draft(splitter *s, nw_node_id main)
{
    s->drafts = nw_grow(s->drafts, (size_t)s->n_drafts, &s->draft_capacity, sizeof *s->drafts);
    s->drafts[s->n_drafts] = (draft){.main = main};
    return s->n_drafts++;
}

static bool is_product(nw_kernel_kind kind)
{
    return kind == NW_KERNEL_CONV || kind == NW_KERNEL_DWCONV || kind == NW_KERNEL_CONV_TRANSPOSE ||
           kind == NW_KERNEL_FC || kind == NW_KERNEL_MATMUL;
}

/* ---- what the hardware lacks ---- */

static bool breaks_limits(const splitter *s, const nw_kernel_shape *shape, char *note, size_t size)
{
    const nw_kernel_part *p = &shape->parts[0];
    bool has_taps = is_product(p->kind) || p->kind == NW_KERNEL_POOL;
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
static void settle_weight_bits(const splitter *s, nw_kernel_shape *shape)
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

static bool lacks_type(const splitter *s, const nw_kernel_shape *shape)
{
    return nw_hw_precision_rate(s->hw, shape->weight_bits, shape->bits, shape->is_float) <= 0;
}

/* Whether an operator has to run on the host, and why. */
static bool needs_host(const splitter *s, nw_node_id id, const nw_kernel_shape *shape, char *note,
                       size_t size)
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
    settle_weight_bits(s, &written);
    bool is_int = !shape->is_float && !written.is_float;
    if (!lacks_type(s, shape) && (kind != NW_KERNEL_QUANTIZE || !lacks_type(s, &written)))
        return false;
    if (!is_int)
        snprintf(note, size, "float island: no float arithmetic here");
    else
        snprintf(note, size, "no arithmetic on %d-bit integers here", (int)shape->bits);
    return true;
}

static bool is_native(const splitter *s, nw_op op)
{
    return s->hw->ops[op].support == NW_OP_NATIVE;
}

/* ---- joining ---- */

/* Whether a constant that broadcasts over x has a value for each of its channels. */
static bool is_per_channel(const splitter *s, const nw_shape *constant, nw_tensor_id x,
                           const nw_kernel_part *part)
{
    int rank = s->graph->tensors[x].shape.rank;
    bool is_last = s->graph->layout == NW_LAYOUT_NHWC || part->kind == NW_KERNEL_FC ||
                   part->kind == NW_KERNEL_MATMUL;
    int axis = (is_last ? rank - 1 : 1) - rank + constant->rank; /* shapes align at their ends */
    return axis >= 0 && axis < constant->rank && constant->dims[axis] == part->out_c &&
           nw_shape_elements(constant) == part->out_c;
}

/* x op constant, the constant one value or one a channel: goes into weights and bias. */
static bool is_affine(const splitter *s, const nw_node *node, nw_tensor_id x,
                      const nw_kernel_part *part)
{
    if (node->op == NW_OP_BATCH_NORM)
        return node->inputs[0] == x;
    bool is_arithmetic = node->op == NW_OP_ADD || node->op == NW_OP_SUB || node->op == NW_OP_MUL ||
                         (node->op == NW_OP_DIV && node->inputs[0] == x);
    if (!is_arithmetic || node->n_inputs != 2 || node->inputs[0] == node->inputs[1])
        return false;
    const nw_tensor *other = input_tensor(s, node, node->inputs[0] == x ? 1 : 0);
    return other && other->is_const &&
           (nw_shape_elements(&other->shape) == 1 || is_per_channel(s, &other->shape, x, part));
}

static bool join_affine(splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    draft *d = &s->drafts[index];
    const nw_node *node = &s->graph->nodes[next];
    const nw_kernel_part *last = &d->shape.parts[d->shape.n_parts - 1];
    if (!is_product(last->kind) || d->shape.act != NW_KERNEL_ACT_NONE || d->shape.residual ||
        !is_affine(s, node, *cursor, last))
        return false;
    d->shape.bias_elements = d->first_bias + last->out_c;
    if (node->act != NW_ACT_NONE)
        d->shape.act = NW_KERNEL_ACT_CLAMP;
    add_node(s, index, next);
    *cursor = node->outputs[0];
    return true;
}

static void raise_act(nw_kernel_shape *shape, nw_kernel_act act)
{
    if (act > shape->act)
        shape->act = act;
}

static bool may_take_act(const splitter *s, const draft *d)
{
    nw_kernel_kind kind = d->shape.parts[0].kind;
    return s->hw->fusion.conv_act &&
           (is_product(kind) || kind == NW_KERNEL_ADD || kind == NW_KERNEL_MUL);
}

static bool join_act(splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    draft *d = &s->drafts[index];
    const nw_node *node = &s->graph->nodes[next];
    nw_op_rule rule = nw_op_rule_of(node->op);
    if (rule.kind != NW_KERNEL_ACT || !may_take_act(s, d) || !is_native(s, node->op) ||
        node->inputs[0] != *cursor)
        return false;
    raise_act(&d->shape, rule.act);
    add_node(s, index, next);
    *cursor = node->outputs[0];
    return true;
}

static bool is_gate(nw_op op)
{
    return op == NW_OP_SIGMOID || op == NW_OP_HARD_SIGMOID;
}

/* x -> sigmoid(x) * x, written as two operators: swish, or hard-swish. */
static bool join_swish(splitter *s, int index, nw_tensor_id *cursor)
{
    draft *d = &s->drafts[index];
    if (n_readers(s, *cursor) != 2 || s->graph->tensors[*cursor].is_output || !may_take_act(s, d))
        return false;
    const nw_node_id *readers = &s->readers[s->reader_start[*cursor]];
    for (int i = 0; i < 2; i++) {
        nw_node_id gate = readers[i], product = readers[1 - i];
        const nw_node *g = &s->graph->nodes[gate], *p = &s->graph->nodes[product];
        if (!is_gate(g->op) || p->op != NW_OP_MUL || s->state[gate] != FREE ||
            s->state[product] != FREE || !is_native(s, g->op) || !is_native(s, NW_OP_MUL) ||
            sole_reader(s, g->outputs[0]) != product || p->n_inputs != 2)
            continue;
        raise_act(&d->shape, NW_KERNEL_ACT_LUT);
        add_node(s, index, gate);
        add_node(s, index, product);
        *cursor = p->outputs[0];
        return true;
    }
    return false;
}

/* The same where the gate starts the kernel, because nothing before could take it in. */
static bool join_own_swish(splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    draft *d = &s->drafts[index];
    const nw_node *gate = &s->graph->nodes[d->main], *node = &s->graph->nodes[next];
    if (d->n_nodes != 1 || !is_gate(gate->op) || node->op != NW_OP_MUL || node->n_inputs != 2 ||
        !is_native(s, NW_OP_MUL))
        return false;
    nw_tensor_id other = node->inputs[node->inputs[0] == *cursor ? 1 : 0];
    if (other != gate->inputs[0])
        return false;
    add_node(s, index, next);
    *cursor = node->outputs[0];
    return true;
}

/* Whether a tensor is there when the kernel runs: an input, or made by an earlier kernel. */
static bool is_ready(const splitter *s, nw_tensor_id id)
{
    nw_node_id producer = s->graph->tensors[id].producer;
    while (producer != NW_NONE && waits(s, producer)) {
        id = s->graph->nodes[producer].inputs[0];
        producer = s->graph->tensors[id].producer;
    }
    return producer == NW_NONE || s->state[producer] >= 0 || s->state[producer] == FOLDED;
}

/* Whether all that a node reads beside x is there. */
static bool is_rest_ready(const splitter *s, const nw_node *node, nw_tensor_id x)
{
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] != NW_NONE && node->inputs[i] != x && !is_ready(s, node->inputs[i]))
            return false;
    return true;
}

static bool join_add(splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    draft *d = &s->drafts[index];
    const nw_node *node = &s->graph->nodes[next];
    if (node->op != NW_OP_ADD || node->n_inputs != 2 || !s->hw->fusion.conv_add ||
        !is_product(d->shape.parts[0].kind) || d->shape.residual || !is_native(s, NW_OP_ADD))
        return false;
    nw_tensor_id other = node->inputs[node->inputs[0] == *cursor ? 1 : 0];
    if (other == *cursor || s->graph->tensors[other].is_const ||
        !nw_shape_equal(&s->graph->tensors[other].shape, &s->graph->tensors[*cursor].shape))
        return false;
    d->shape.residual = 1;
    if (node->act != NW_ACT_NONE)
        raise_act(&d->shape, NW_KERNEL_ACT_CLAMP);
    add_node(s, index, next);
    *cursor = node->outputs[0];
    return true;
}

static bool join_quantise(splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    const nw_node *node = &s->graph->nodes[next];
    if (node->op != NW_OP_QUANTIZE || s->types->is_float[*cursor] ||
        !nw_dtype_is_float(s->graph->tensors[*cursor].dtype))
        return false;
    add_node(s, index, next);
    *cursor = node->outputs[0];
    return true;
}

/* A second operator that works on the tile of the first: pointwise behind depthwise, or pooling
 * behind a convolution. */
static bool join_part(splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    draft *d = &s->drafts[index];
    nw_kernel_shape second;
    char note[96];
    if (d->shape.n_parts != 1 || d->shape.residual)
        return false;
    nw_kernel_shape_of_node(s->graph, s->types, next, &second);
    settle_weight_bits(s, &second);
    const nw_kernel_part *first = &d->shape.parts[0], *p = &second.parts[0];
    bool is_pointwise = first->kind == NW_KERNEL_DWCONV && p->kind == NW_KERNEL_CONV &&
                        p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 &&
                        p->stride_w == 1 && p->groups == 1 && s->hw->fusion.dw_pw;
    bool is_pooling = first->kind == NW_KERNEL_CONV && p->kind == NW_KERNEL_POOL &&
                      s->hw->fusion.pool && p->kernel_h < p->in_h;
    if ((!is_pointwise && !is_pooling) || s->graph->nodes[next].inputs[0] != *cursor ||
        needs_host(s, next, &second, note, sizeof note))
        return false;
    d->first_bias = d->shape.bias_elements;
    d->shape.parts[d->shape.n_parts++] = *p;
    d->shape.weight_elements += second.weight_elements;
    d->shape.bias_elements += second.bias_elements;
    raise_act(&d->shape, second.act);
    add_node(s, index, next);
    *cursor = s->graph->nodes[next].outputs[0];
    return true;
}

static bool join_next(splitter *s, int index, nw_tensor_id *cursor)
{
    nw_node_id next = sole_reader(s, *cursor);
    if (next == NW_NONE)
        return join_swish(s, index, cursor);
    if (only_output(&s->graph->nodes[next]) == NW_NONE ||
        !is_rest_ready(s, &s->graph->nodes[next], *cursor))
        return false;
    return join_quantise(s, index, cursor, next) || join_affine(s, index, cursor, next) ||
           join_act(s, index, cursor, next) || join_own_swish(s, index, cursor, next) ||
           join_add(s, index, cursor, next) || join_part(s, index, cursor, next);
}

/* ONNX quantises and dequantises between any two operators. On the device that is the arithmetic
 * of the output stage, as it is in files whose operators are integer. */
static bool join_over_quantisation(splitter *s, int index, nw_tensor_id *cursor)
{
    nw_node_id next = sole_reader(s, *cursor);
    if (next != NW_NONE && is_absorbed_rename(s, &s->graph->nodes[next]))
        next = sole_reader(s, only_output(&s->graph->nodes[next]));
    if (next == NW_NONE || !is_absorbed_dequantise(s, &s->graph->nodes[next]))
        return false;
    nw_tensor_id behind = only_output(&s->graph->nodes[next]);
    nw_node_id user = sole_reader(s, behind);
    bool is_requantisation = user != NW_NONE && s->graph->nodes[user].op == NW_OP_QUANTIZE;
    if (is_requantisation || !join_next(s, index, &behind))
        return false;
    *cursor = behind;
    return true;
}

static void extend(splitter *s, int index)
{
    nw_tensor_id cursor = only_output(&s->graph->nodes[s->drafts[index].main]);
    while (cursor != NW_NONE &&
           (join_next(s, index, &cursor) || join_over_quantisation(s, index, &cursor)))
        ;
}

/* The integers before a dequantisation that its readers take in. */
static nw_tensor_id before_absorbed(const splitter *s, nw_tensor_id id)
{
    nw_node_id producer = s->graph->tensors[id].producer;
    while (producer != NW_NONE && s->is_absorbed[producer]) {
        id = s->graph->nodes[producer].inputs[0];
        producer = s->graph->tensors[id].producer;
    }
    return id;
}

/* What a node really reads where the file says id. */
static nw_tensor_id what_is_read(const splitter *s, nw_node_id node, nw_tensor_id id)
{
    return before_absorbed(s, nw_types_source(s->graph, s->types, node, id));
}

/* A concatenation whose inputs nobody else reads is written in place by their producers. */
static bool is_free_concat(const splitter *s, const nw_node *node)
{
    if (node->op != NW_OP_CONCAT || !is_native(s, NW_OP_CONCAT))
        return false;
    for (int i = 0; i < node->n_inputs; i++) {
        if (!input_tensor(s, node, i) || n_readers(s, node->inputs[i]) != 1)
            return false;
        nw_tensor_id written = before_absorbed(s, node->inputs[i]);
        const nw_tensor *t = &s->graph->tensors[written];
        if (t->is_const || t->is_input || t->is_output || n_readers(s, written) != 1)
            return false;
    }
    return true;
}

static void start_kernel(splitter *s, nw_node_id id)
{
    const nw_node *node = &s->graph->nodes[id];
    nw_kernel_shape shape;
    char note[96] = "";
    nw_kernel_shape_of_node(s->graph, s->types, id, &shape);
    settle_weight_bits(s, &shape);
    if (is_free_concat(s, node))
        shape.parts[0].kind = NW_KERNEL_VIEW;
    bool on_host = needs_host(s, id, &shape, note, sizeof note);
    bool is_view = shape.parts[0].kind == NW_KERNEL_VIEW;
    bool after_host =
        s->n_drafts && s->drafts[s->n_drafts - 1].shape.parts[0].kind == NW_KERNEL_HOST;
    if (after_host && (on_host || is_view)) {
        add_node(s, s->n_drafts - 1, id);
        return;
    }
    int index = new_draft(s, id);
    draft *d = &s->drafts[index];
    d->shape = shape;
    memcpy(d->note, note, sizeof d->note);
    if (on_host)
        d->shape.parts[0].kind = NW_KERNEL_HOST;
    else if (s->hw->ops[node->op].support == NW_OP_SLOW)
        d->shape.slow_op = (int32_t)node->op;
    add_node(s, index, id);
    if (!on_host && !is_view && shape.parts[0].kind != NW_KERNEL_OPAQUE)
        extend(s, index);
    /* Parts written in place are written in the scale of the whole. */
    nw_node_id next =
        node->op == NW_OP_CONCAT && is_view ? sole_reader(s, node->outputs[0]) : NW_NONE;
    nw_tensor_id cursor = node->outputs[0];
    if (next != NW_NONE)
        (void)join_quantise(s, index, &cursor, next);
}

static void walk(splitter *s)
{
    for (int i = 0; i < s->graph->n_nodes; i++) {
        nw_node_id id = s->graph->order[i];
        const nw_node *node = &s->graph->nodes[id];
        if (s->state[id] != FREE)
            continue;
        s->is_absorbed[id] = is_absorbed_whole(s, node);
        if (s->is_absorbed[id] || is_absorbed_pad(s, node))
            s->state[id] = WAITS;
        else
            start_kernel(s, id);
    }
    /* Whoever still waits was waiting for an operator that was folded away. */
    for (int i = 0; i < s->graph->n_nodes; i++)
        if (s->state[s->graph->order[i]] == WAITS) {
            s->is_absorbed[s->graph->order[i]] = 0;
            start_kernel(s, s->graph->order[i]);
        }
}

/* ---- from drafts to kernels ---- */

static bool is_read_outside(const splitter *s, nw_tensor_id id, int index)
{
    if (s->graph->tensors[id].is_output)
        return true;
    for (int i = s->reader_start[id]; i < s->reader_start[id + 1]; i++) {
        nw_node_id reader = s->readers[i];
        if (s->state[reader] >= 0 && s->state[reader] != index)
            return true;
        /* one kernel here holds the dequantisation, others read the integers before it */
        nw_tensor_id out = only_output(&s->graph->nodes[reader]);
        bool is_passed = s->is_absorbed[reader] || s->graph->nodes[reader].op == NW_OP_DEQUANTIZE;
        if (is_passed && out != NW_NONE && is_read_outside(s, out, index))
            return true;
    }
    return false;
}

static bool holds(const nw_tensor_id *list, int n, nw_tensor_id id)
{
    for (int i = 0; i < n; i++)
        if (list[i] == id)
            return true;
    return false;
}

static bool is_border_read(const splitter *s, nw_tensor_id id, int index)
{
    const nw_tensor *t = &s->graph->tensors[id];
    return !t->is_const && !t->ints && !t->floats &&
           (t->producer == NW_NONE || s->state[t->producer] != index);
}

#define MAX_SEARCHED_READS 64 /* beyond that (a huge concatenation) repeats are kept */

/* Activations that cross the kernel's border. A kernel writes at least what its last node does. */
static void find_border(const splitter *s, int index, nw_arena *arena, nw_kernel *out)
{
    const draft *d = &s->drafts[index];
    size_t n_in = 0, n_out = 0;
    for (int i = 0; i < d->n_nodes; i++) {
        n_in += (size_t)s->graph->nodes[d->nodes[i]].n_inputs;
        n_out += (size_t)s->graph->nodes[d->nodes[i]].n_outputs;
    }
    nw_tensor_id *reads = nw_arena_alloc(arena, n_in * sizeof *reads);
    nw_tensor_id *writes = nw_arena_alloc(arena, n_out * sizeof *writes);
    for (int i = 0; i < d->n_nodes; i++) {
        const nw_node *node = &s->graph->nodes[d->nodes[i]];
        if (s->is_absorbed[d->nodes[i]])
            continue;
        for (int k = 0; k < node->n_inputs; k++) {
            if (node->inputs[k] == NW_NONE)
                continue;
            nw_tensor_id id = what_is_read(s, d->nodes[i], node->inputs[k]);
            int n_searched = out->n_reads < MAX_SEARCHED_READS ? out->n_reads : MAX_SEARCHED_READS;
            if (is_border_read(s, id, index) && !holds(reads, n_searched, id))
                reads[out->n_reads++] = id;
        }
        for (int k = 0; k < node->n_outputs; k++)
            if (node->outputs[k] != NW_NONE &&
                (is_read_outside(s, node->outputs[k], index) || i == d->n_nodes - 1))
                writes[out->n_writes++] = node->outputs[k];
    }
    out->reads = reads;
    out->writes = writes;
}

static int64_t bytes_of(const splitter *s, nw_tensor_id id)
{
    return (nw_shape_elements(&s->graph->tensors[id].shape) * s->types->bits[id] + 7) / 8;
}

static void fill_host(const splitter *s, const nw_kernel *kernel, nw_kernel_shape *shape)
{
    nw_kernel_shape host = {.n_parts = 1,
                            .slow_op = -1,
                            .bits = shape->bits,
                            .weight_bits = shape->weight_bits,
                            .is_float = shape->is_float};
    host.parts[0].kind = NW_KERNEL_HOST;
    host.parts[0].out_h = host.parts[0].out_w = 1;
    int64_t products = 0;
    for (int i = 0; i < kernel->n_nodes; i++) {
        const nw_node *node = &s->graph->nodes[kernel->nodes[i]];
        nw_geometry geometry;
        if (nw_node_geometry(s->graph, kernel->nodes[i], &geometry))
            products += geometry.macs;
        for (int k = 0; k < node->n_inputs + node->n_outputs; k++) {
            nw_tensor_id id =
                k < node->n_inputs ? node->inputs[k] : node->outputs[k - node->n_inputs];
            if (id == NW_NONE || s->graph->tensors[id].is_const)
                continue;
            int64_t n = nw_shape_elements(&s->graph->tensors[id].shape);
            host.host_elements = n > host.host_elements ? n : host.host_elements;
        }
    }
    for (int i = 0; i < kernel->n_reads; i++)
        host.host_bytes += bytes_of(s, kernel->reads[i]);
    for (int i = 0; i < kernel->n_writes; i++)
        host.host_bytes += bytes_of(s, kernel->writes[i]);
    host.parts[0].out_c = host.host_elements;
    /* A product costs a processor its multiply-accumulates, however small the map. */
    host.host_elements += products;
    *shape = host;
}

static void number_partitions(nw_kernels *kernels)
{
    int side = -1;
    for (int i = 0; i < kernels->n_kernels; i++) {
        nw_kernel *kernel = &kernels->kernels[i];
        nw_kernel_kind kind = kernel->shape.parts[0].kind;
        bool is_host = kind == NW_KERNEL_HOST;
        if (kind != NW_KERNEL_VIEW && side != (int)is_host) {
            side = is_host;
            kernels->n_partitions++;
            kernels->n_switches += is_host;
        }
        kernel->partition = kernels->n_partitions ? kernels->n_partitions - 1 : 0;
    }
}

static void finish(const splitter *s, nw_kernels *out)
{
    nw_arena *arena = &out->store->arena;
    out->kernels = nw_arena_alloc(arena, (size_t)s->n_drafts * sizeof *out->kernels);
    out->n_kernels = s->n_drafts;
    for (int i = 0; i < s->n_drafts; i++) {
        const draft *d = &s->drafts[i];
        nw_kernel *kernel = &out->kernels[i];
        kernel->shape = d->shape;
        kernel->main = d->main;
        kernel->nodes = nw_arena_copy(arena, d->nodes, (size_t)d->n_nodes * sizeof *d->nodes);
        kernel->n_nodes = d->n_nodes;
        memcpy(kernel->note, d->note, sizeof kernel->note);
        find_border(s, i, arena, kernel);
        if (d->shape.parts[0].kind == NW_KERNEL_HOST)
            fill_host(s, kernel, &kernel->shape);
        if (kernel->n_reads && is_product(d->shape.parts[0].kind))
            kernel->shape.is_first = s->types->is_dense[kernel->reads[0]] &&
                                     !s->graph->tensors[kernel->reads[0]].is_output;
    }
    number_partitions(out);
    snprintf(out->precision, sizeof out->precision, "%s", s->types->name);
}

static void splitter_fini(splitter *s)
{
    for (int i = 0; i < s->n_drafts; i++)
        free(s->drafts[i].nodes);
    free(s->drafts);
    free(s->state);
    free(s->is_absorbed);
    free(s->reader_start);
    free(s->readers);
}

nw_status nw_kernels_split(const nw_graph *graph, const nw_hw *hw, const char *precision,
                           nw_kernels **out, nw_error *err)
{
    nw_types types;
    nw_status status = nw_types_find(graph, hw, precision, &types, err);
    if (status != NW_OK)
        return status;
    nw_kernels *kernels = nw_zalloc(sizeof *kernels);
    kernels->store = nw_zalloc(sizeof *kernels->store);
    splitter s = {.graph = graph,
                  .hw = hw,
                  .types = &types,
                  .state = nw_alloc((size_t)graph->n_nodes * sizeof *s.state),
                  .is_absorbed = nw_zalloc((size_t)graph->n_nodes)};
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        s.state[id] = is_folded(&s, &graph->nodes[id]) ? FOLDED : FREE;
    index_readers(&s);
    walk(&s);
    finish(&s, kernels);
    splitter_fini(&s);
    nw_kernels_place(graph, hw, &types, kernels);
    kernels->is_assumed = types.is_assumed;
    nw_types_fini(&types);
    *out = kernels;
    return NW_OK;
}

void nw_kernels_free(nw_kernels *kernels)
{
    if (!kernels)
        return;
    nw_memory_fini(&kernels->memory);
    nw_arena_fini(&kernels->store->arena);
    free(kernels->store);
    free(kernels);
}
