/* join.c - which operators run as part of the kernel before them.
 *
 * Each rule looks at the only reader of the kernel's last tensor (the cursor), takes it in, and
 * moves the cursor behind it.
 */
#include <stdio.h>

#include "src/kernel/split.h"

/* Whether a constant that broadcasts over x has a value for each of its channels. */
static bool is_per_channel(const nw_splitter *s, const nw_shape *constant, nw_tensor_id x,
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
static bool is_affine(const nw_splitter *s, const nw_node *node, nw_tensor_id x,
                      const nw_kernel_part *part)
{
    if (node->op == NW_OP_BATCH_NORM)
        return node->inputs[0] == x;
    bool is_arithmetic = node->op == NW_OP_ADD || node->op == NW_OP_SUB || node->op == NW_OP_MUL ||
                         (node->op == NW_OP_DIV && node->inputs[0] == x);
    if (!is_arithmetic || node->n_inputs != 2 || node->inputs[0] == node->inputs[1])
        return false;
    const nw_tensor *other = nw_split_input(s, node, node->inputs[0] == x ? 1 : 0);
    return other && other->is_const &&
           (nw_shape_elements(&other->shape) == 1 || is_per_channel(s, &other->shape, x, part));
}

static bool join_affine(nw_splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    nw_draft *d = &s->drafts[index];
    const nw_node *node = &s->graph->nodes[next];
    const nw_kernel_part *last = &d->shape.parts[d->shape.n_parts - 1];
    if (!nw_split_is_product(last->kind) || d->shape.act != NW_KERNEL_ACT_NONE ||
        d->shape.residual || !is_affine(s, node, *cursor, last))
        return false;
    d->shape.bias_elements = d->first_bias + last->out_c;
    if (node->act != NW_ACT_NONE)
        d->shape.act = NW_KERNEL_ACT_CLAMP;
    nw_split_add_node(s, index, next);
    *cursor = node->outputs[0];
    return true;
}

static void raise_act(nw_kernel_shape *shape, nw_kernel_act act)
{
    if (act > shape->act)
        shape->act = act;
}

/* What the rules allow and joining leaves alone unless it is asked for. */
static void note_asked(nw_draft *d, nw_op op)
{
    if (!d->note[0])
        snprintf(d->note, sizeof d->note, "joined as asked: %s", nw_op_name(op));
}

static bool may_take_act(const nw_splitter *s, const nw_draft *d)
{
    nw_kernel_kind kind = d->shape.parts[0].kind;
    return s->hw->fusion.conv_act &&
           (nw_split_is_product(kind) || kind == NW_KERNEL_ADD || kind == NW_KERNEL_MUL);
}

/* Pooling runs through the array and its output stage as well. */
static bool may_be_asked_for_act(const nw_splitter *s, const nw_draft *d, nw_node_id next)
{
    return s->hw->fusion.conv_act && d->shape.parts[0].kind == NW_KERNEL_POOL &&
           nw_split_is_asked(s, next);
}

static bool join_act(nw_splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    nw_draft *d = &s->drafts[index];
    const nw_node *node = &s->graph->nodes[next];
    nw_op_rule rule = nw_op_rule_of(node->op);
    bool is_asked = may_be_asked_for_act(s, d, next);
    if (rule.kind != NW_KERNEL_ACT || (!may_take_act(s, d) && !is_asked) ||
        !nw_split_is_native(s, node->op) || node->inputs[0] != *cursor)
        return false;
    if (is_asked)
        note_asked(d, node->op);
    raise_act(&d->shape, rule.act);
    nw_split_add_node(s, index, next);
    *cursor = node->outputs[0];
    return true;
}

static bool is_gate(nw_op op)
{
    return op == NW_OP_SIGMOID || op == NW_OP_HARD_SIGMOID;
}

/* x -> sigmoid(x) * x, written as two operators: swish, or hard-swish. */
static bool join_swish(nw_splitter *s, int index, nw_tensor_id *cursor)
{
    nw_draft *d = &s->drafts[index];
    if (nw_split_n_readers(s, *cursor) != 2 || s->graph->tensors[*cursor].is_output ||
        !may_take_act(s, d))
        return false;
    const nw_node_id *readers = &s->readers[s->reader_start[*cursor]];
    for (int i = 0; i < 2; i++) {
        nw_node_id gate = readers[i], product = readers[1 - i];
        const nw_node *g = &s->graph->nodes[gate], *p = &s->graph->nodes[product];
        if (!is_gate(g->op) || p->op != NW_OP_MUL || s->state[gate] != FREE ||
            s->state[product] != FREE || !nw_split_is_native(s, g->op) ||
            !nw_split_is_native(s, NW_OP_MUL) ||
            nw_split_sole_reader(s, g->outputs[0]) != product || p->n_inputs != 2 ||
            nw_split_is_cut(s, gate) || nw_split_is_cut(s, product))
            continue;
        raise_act(&d->shape, NW_KERNEL_ACT_LUT);
        nw_split_add_node(s, index, gate);
        nw_split_add_node(s, index, product);
        *cursor = p->outputs[0];
        return true;
    }
    return false;
}

/* The same where the gate starts the kernel, because nothing before could take it in. */
static bool join_own_swish(nw_splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    nw_draft *d = &s->drafts[index];
    const nw_node *gate = &s->graph->nodes[d->main], *node = &s->graph->nodes[next];
    if (d->n_nodes != 1 || !is_gate(gate->op) || node->op != NW_OP_MUL || node->n_inputs != 2 ||
        !nw_split_is_native(s, NW_OP_MUL))
        return false;
    nw_tensor_id other = node->inputs[node->inputs[0] == *cursor ? 1 : 0];
    if (other != gate->inputs[0])
        return false;
    nw_split_add_node(s, index, next);
    *cursor = node->outputs[0];
    return true;
}

/* Whether a tensor is there when the kernel runs: an input, or made by an earlier kernel. */
static bool is_ready(const nw_splitter *s, nw_tensor_id id)
{
    nw_node_id producer = s->graph->tensors[id].producer;
    while (producer != NW_NONE && nw_split_waits(s, producer)) {
        id = s->graph->nodes[producer].inputs[0];
        producer = s->graph->tensors[id].producer;
    }
    return producer == NW_NONE || s->state[producer] >= 0 || s->state[producer] == FOLDED;
}

/* Whether all that a node reads beside x is there. */
static bool is_rest_ready(const nw_splitter *s, const nw_node *node, nw_tensor_id x)
{
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] != NW_NONE && node->inputs[i] != x && !is_ready(s, node->inputs[i]))
            return false;
    return true;
}

static bool join_add(nw_splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    nw_draft *d = &s->drafts[index];
    const nw_node *node = &s->graph->nodes[next];
    bool is_asked = node->op == NW_OP_SUB && nw_split_is_asked(s, next); /* the same unit */
    if ((node->op != NW_OP_ADD && !is_asked) || node->n_inputs != 2 || !s->hw->fusion.conv_add ||
        !nw_split_is_product(d->shape.parts[0].kind) || d->shape.residual ||
        !nw_split_is_native(s, node->op))
        return false;
    nw_tensor_id other = node->inputs[node->inputs[0] == *cursor ? 1 : 0];
    if (other == *cursor || s->graph->tensors[other].is_const ||
        !nw_shape_equal(&s->graph->tensors[other].shape, &s->graph->tensors[*cursor].shape))
        return false;
    if (is_asked)
        note_asked(d, node->op);
    d->shape.residual = 1;
    if (node->act != NW_ACT_NONE)
        raise_act(&d->shape, NW_KERNEL_ACT_CLAMP);
    nw_split_add_node(s, index, next);
    *cursor = node->outputs[0];
    return true;
}

bool nw_split_join_quantise(nw_splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    const nw_node *node = &s->graph->nodes[next];
    bool is_hinted = s->types->is_hinted && s->types->is_hinted[*cursor];
    if (node->op != NW_OP_QUANTIZE || (s->types->is_float[*cursor] && !is_hinted) ||
        !nw_dtype_is_float(s->graph->tensors[*cursor].dtype))
        return false;
    nw_split_add_node(s, index, next);
    *cursor = node->outputs[0];
    return true;
}

bool nw_split_fits_tile(const nw_splitter *s, const nw_kernel_part *pooling)
{
    int64_t h = pooling->in_h, w = pooling->in_w;
    return (!s->hw->tile.max_h || h <= s->hw->tile.max_h) &&
           (!s->hw->tile.max_w || w <= s->hw->tile.max_w) &&
           (!s->hw->tile.max_pixels || h * w <= s->hw->tile.max_pixels);
}

/* Types that hints set are the kernel's as a whole: it has room for one. */
static bool same_type(const nw_splitter *s, const nw_kernel_shape *a, const nw_kernel_shape *b)
{
    return !s->types->is_hinted || (a->bits == b->bits && a->is_float == b->is_float);
}

/* A second operator that works on the tile of the first: pointwise behind depthwise, or pooling
 * behind a convolution. */
static bool join_part(nw_splitter *s, int index, nw_tensor_id *cursor, nw_node_id next)
{
    nw_draft *d = &s->drafts[index];
    nw_kernel_shape second;
    char note[96];
    if (d->shape.n_parts != 1 || d->shape.residual)
        return false;
    nw_kernel_shape_of_node(s->graph, s->types, next, &second);
    nw_split_settle_weight_bits(s, &second);
    const nw_kernel_part *first = &d->shape.parts[0], *p = &second.parts[0];
    bool is_pointwise = first->kind == NW_KERNEL_DWCONV && p->kind == NW_KERNEL_CONV &&
                        p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 &&
                        p->stride_w == 1 && p->groups == 1 && s->hw->fusion.dw_pw;
    bool is_pooling =
        first->kind == NW_KERNEL_CONV && p->kind == NW_KERNEL_POOL && s->hw->fusion.pool;
    bool is_asked = is_pooling && p->kernel_h >= p->in_h;
    if (is_asked)
        is_pooling = nw_split_is_asked(s, next) && nw_split_fits_tile(s, p);
    if ((!is_pointwise && !is_pooling) || !same_type(s, &d->shape, &second) ||
        s->graph->nodes[next].inputs[0] != *cursor ||
        nw_split_needs_host(s, next, &second, note, sizeof note))
        return false;
    if (is_asked)
        note_asked(d, s->graph->nodes[next].op);
    d->first_bias = d->shape.bias_elements;
    d->shape.parts[d->shape.n_parts++] = *p;
    d->shape.weight_elements += second.weight_elements;
    d->shape.bias_elements += second.bias_elements;
    raise_act(&d->shape, second.act);
    nw_split_add_node(s, index, next);
    *cursor = s->graph->nodes[next].outputs[0];
    return true;
}

static bool join_next(nw_splitter *s, int index, nw_tensor_id *cursor)
{
    nw_node_id next = nw_split_sole_reader(s, *cursor);
    if (next == NW_NONE)
        return join_swish(s, index, cursor);
    if (nw_split_only_output(&s->graph->nodes[next]) == NW_NONE ||
        !is_rest_ready(s, &s->graph->nodes[next], *cursor))
        return false;
    if (nw_split_join_quantise(s, index, cursor, next))
        return true;
    if (nw_split_is_cut(s, next))
        return false;
    return join_affine(s, index, cursor, next) || join_act(s, index, cursor, next) ||
           join_own_swish(s, index, cursor, next) || join_add(s, index, cursor, next) ||
           join_part(s, index, cursor, next);
}

/* ONNX quantises and dequantises between any two operators. On the device that is the arithmetic
 * of the output stage, as it is in files whose operators are integer. */
static bool join_over_quantisation(nw_splitter *s, int index, nw_tensor_id *cursor)
{
    nw_node_id next = nw_split_sole_reader(s, *cursor);
    if (next != NW_NONE && nw_split_is_rename(s, &s->graph->nodes[next]))
        next = nw_split_sole_reader(s, nw_split_only_output(&s->graph->nodes[next]));
    if (next == NW_NONE || !nw_split_is_dequantise(s, &s->graph->nodes[next]))
        return false;
    nw_tensor_id behind = nw_split_only_output(&s->graph->nodes[next]);
    nw_node_id user = nw_split_sole_reader(s, behind);
    bool is_requantisation = user != NW_NONE && s->graph->nodes[user].op == NW_OP_QUANTIZE;
    if (is_requantisation || !join_next(s, index, &behind))
        return false;
    *cursor = behind;
    return true;
}

void nw_split_extend(nw_splitter *s, int index)
{
    nw_tensor_id cursor = nw_split_only_output(&s->graph->nodes[s->drafts[index].main]);
    while (cursor != NW_NONE &&
           (join_next(s, index, &cursor) || join_over_quantisation(s, index, &cursor)))
        ;
}
