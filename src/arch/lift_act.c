/* lift_act.c - activations, as one operator or as the formula that the file writes out. */
#include <math.h>

#include "src/arch/lift.h"

nw_op nw_lift_act_inside(nw_act act)
{
    switch (act) {
    case NW_ACT_RELU:
        return NW_OP_RELU;
    case NW_ACT_RELU6:
        return NW_OP_RELU6;
    case NW_ACT_RELU_N1_TO_1:
        return NW_OP_CLIP;
    case NW_ACT_TANH:
        return NW_OP_TANH;
    case NW_ACT_SIGN_BIT:
        return NW_OP_UNARY;
    case NW_ACT_NONE:
        break;
    }
    return NW_OP_IDENTITY;
}

/* ---- one operator ---- */

static bool clip_bounds(const nw_lifter *l, const nw_node *node, double *low, double *high)
{
    *low = node->attrs.alpha;
    *high = node->attrs.beta;
    if (node->n_inputs > 1) {
        *low = -INFINITY;
        *high = INFINITY;
    }
    for (int i = 1; i < node->n_inputs && i < 3; i++)
        if (node->inputs[i] != NW_NONE && !nw_lift_number(l, node->inputs[i], i == 1 ? low : high))
            return false;
    return true;
}

/* What a node does as an activation of its first input; NW_OP_IDENTITY: it is none. */
static nw_op single_act(const nw_lifter *l, const nw_node *node)
{
    double low, high;
    switch (node->op) {
    case NW_OP_CLIP:
        if (!clip_bounds(l, node, &low, &high))
            return NW_OP_IDENTITY;
        if (low == 0 && high == 6)
            return NW_OP_RELU6;
        return low == 0 && high >= 3e38 ? NW_OP_RELU : NW_OP_CLIP;
    case NW_OP_MAX: /* max(x, 0) */
        return node->n_inputs == 2 && nw_lift_number(l, node->inputs[1], &low) && low == 0
                   ? NW_OP_RELU
                   : NW_OP_IDENTITY;
    case NW_OP_UNARY:
        return node->attrs.unary == NW_UNARY_ELU || node->attrs.unary == NW_UNARY_SOFTPLUS
                   ? NW_OP_UNARY
                   : NW_OP_IDENTITY;
    case NW_OP_RELU:
    case NW_OP_RELU6:
    case NW_OP_HARD_SWISH:
    case NW_OP_HARD_SIGMOID:
    case NW_OP_SIGMOID:
    case NW_OP_SWISH:
    case NW_OP_LEAKY_RELU:
    case NW_OP_PRELU:
    case NW_OP_TANH:
    case NW_OP_GELU:
        return node->op;
    default:
        return NW_OP_IDENTITY;
    }
}

/* ---- readers over quantisers ---- */

static int gather_readers(const nw_lifter *l, nw_tensor_id tensor, nw_node_id *readers, int n,
                          int max, nw_found *found, int depth)
{
    if (l->graph->tensors[tensor].is_output || depth > 8)
        return -1;
    for (int i = l->readers.start[tensor]; i < l->readers.start[tensor + 1]; i++) {
        nw_node_id id = l->readers.nodes[i];
        const nw_node *node = &l->graph->nodes[id];
        if (!nw_lift_is_free(l, id))
            return -1;
        if (nw_lift_passes(l->graph, id) && node->inputs[0] == tensor) {
            nw_found_add(found, id);
            n = gather_readers(l, node->outputs[0], readers, n, max, found, depth + 1);
            if (n < 0)
                return -1;
        } else if (n == max) {
            return -1;
        } else {
            readers[n++] = id;
        }
    }
    return n;
}

int nw_lift_readers(const nw_lifter *l, nw_tensor_id tensor, nw_node_id *readers, int max,
                    nw_found *found)
{
    return gather_readers(l, tensor, readers, 0, max, found, 0);
}

/* ---- formulas ---- */

static bool is_near(double value, double target)
{
    return fabs(value - target) < 1e-3 * fabs(target);
}

/* The number that a node of two inputs combines its other input with. */
static bool other_number(const nw_lifter *l, const nw_node *node, double *number)
{
    if (node->n_inputs != 2)
        return false;
    return nw_lift_number(l, node->inputs[1], number) ||
           (node->op != NW_OP_DIV && nw_lift_number(l, node->inputs[0], number));
}

/* A division by 6, or the product by its inverse. */
static bool is_sixth(const nw_lifter *l, nw_node_id id)
{
    double number;
    if (id == NW_NONE)
        return false;
    const nw_node *node = &l->graph->nodes[id];
    return (node->op == NW_OP_DIV && other_number(l, node, &number) && is_near(number, 6)) ||
           (node->op == NW_OP_MUL && other_number(l, node, &number) && is_near(number, 1.0 / 6));
}

static bool is_add_three(const nw_lifter *l, nw_node_id id)
{
    double number;
    const nw_node *node = &l->graph->nodes[id];
    return node->op == NW_OP_ADD && other_number(l, node, &number) && is_near(number, 3);
}

/* relu6(x + 3), from the addition on; has_sixth: a sixth of it followed. Returns what it makes,
 * over its quantisers; NW_NONE: it is something else. */
static nw_tensor_id walk_gate(const nw_lifter *l, nw_node_id add, nw_node_id *last, bool *has_sixth,
                              nw_found *found)
{
    const nw_node *node = &l->graph->nodes[add];
    nw_found_add(found, add);
    *last = add;
    nw_tensor_id at = nw_lift_skip(l, node->outputs[0], false, found);
    if (node->act != NW_ACT_RELU6) {
        nw_node_id clip = nw_lift_next(l, at);
        if (node->act != NW_ACT_NONE || clip == NW_NONE ||
            single_act(l, &l->graph->nodes[clip]) != NW_OP_RELU6)
            return NW_NONE;
        nw_found_add(found, clip);
        *last = clip;
        at = nw_lift_skip(l, l->graph->nodes[clip].outputs[0], false, found);
    }
    nw_node_id sixth = nw_lift_next(l, at);
    *has_sixth = is_sixth(l, sixth);
    if (*has_sixth) {
        nw_found_add(found, sixth);
        *last = sixth;
        at = nw_lift_skip(l, l->graph->nodes[sixth].outputs[0], false, found);
    }
    return at;
}

static bool is_product_of(const nw_lifter *l, const nw_node *mul, nw_tensor_id a, nw_tensor_id b)
{
    const nw_tensor_id *same = l->same;
    if (mul->op != NW_OP_MUL || mul->n_inputs != 2 || mul->act != NW_ACT_NONE)
        return false;
    nw_tensor_id x = same[mul->inputs[0]], y = same[mul->inputs[1]];
    return (x == same[a] && y == same[b]) || (x == same[b] && y == same[a]);
}

/* x times a gate of x: swish by sigmoid, hard swish by hard sigmoid or relu6(x + 3) / 6. */
static bool match_gated(const nw_lifter *l, nw_tensor_id x, nw_node_id gate, nw_node_id mul,
                        nw_act_match *out)
{
    const nw_node *node = &l->graph->nodes[gate];
    nw_tensor_id at;
    bool has_sixth = true;
    out->act = NW_OP_HARD_SWISH;
    if (node->op == NW_OP_SIGMOID || node->op == NW_OP_HARD_SIGMOID) {
        if (node->op == NW_OP_SIGMOID)
            out->act = NW_OP_SWISH;
        else if (!is_near(node->attrs.alpha, 1.0 / 6))
            return false;
        nw_found_add(&out->found, gate);
        at = nw_lift_skip(l, node->outputs[0], false, &out->found);
    } else if (is_add_three(l, gate)) {
        nw_node_id last;
        at = walk_gate(l, gate, &last, &has_sixth, &out->found);
    } else {
        return false;
    }
    if (at == NW_NONE || nw_lift_next(l, at) != mul ||
        !is_product_of(l, &l->graph->nodes[mul], x, at))
        return false;
    nw_found_add(&out->found, mul);
    out->node = mul;
    out->after = nw_lift_skip(l, l->graph->nodes[mul].outputs[0], false, &out->found);
    if (!has_sixth) {
        nw_node_id sixth = nw_lift_next(l, out->after);
        if (!is_sixth(l, sixth))
            return false;
        nw_found_add(&out->found, sixth);
        out->node = sixth;
        out->after = nw_lift_skip(l, l->graph->nodes[sixth].outputs[0], false, &out->found);
    }
    return true;
}

static bool match_one(const nw_lifter *l, nw_tensor_id x, nw_node_id id, nw_act_match *out)
{
    const nw_node *node = &l->graph->nodes[id];
    out->act = single_act(l, node);
    if (out->act != NW_OP_IDENTITY && node->n_outputs == 1 &&
        l->same[node->inputs[0]] == l->same[x]) {
        nw_found_add(&out->found, id);
        out->node = id;
        out->after = nw_lift_skip(l, node->outputs[0], false, &out->found);
        return true;
    }
    bool has_sixth;
    if (!is_add_three(l, id))
        return false;
    out->act = NW_OP_HARD_SIGMOID;
    out->after = walk_gate(l, id, &out->node, &has_sixth, &out->found);
    return out->after != NW_NONE && has_sixth;
}

bool nw_lift_act(const nw_lifter *l, nw_tensor_id tensor, nw_act_match *out)
{
    nw_node_id readers[2];
    out->found = (nw_found){.n = 0};
    int n = nw_lift_readers(l, tensor, readers, 2, &out->found);
    if (n == 1)
        return match_one(l, tensor, readers[0], out) && !out->found.is_full;
    if (n != 2)
        return false;
    nw_found before = out->found;
    for (int i = 0; i < 2; i++) {
        out->found = before;
        if (match_gated(l, tensor, readers[i], readers[1 - i], out))
            return !out->found.is_full;
    }
    return false;
}
