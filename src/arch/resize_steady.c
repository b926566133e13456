/* resize_steady.c - which groups may be given numbers at once, as if one after the other.
 *
 * The graph after some of the numbers is the present one with other sizes. It has the same groups
 * if the operators that a group passes through say the same of its channels whatever their number
 * is; it has the same blocks if all comparisons that lifting makes come out as they do now.
 */
#include <stdlib.h>

#include "src/arch/internal.h"
#include "src/arch/resize.h"

/* Beyond that, networks on the way might be too large although the last one is not. */
#define MAX_STEADY 65536

enum { IS_NUMBER = -1, IS_COMPOUND = -2 };

/* Two sizes that lifting compares. */
typedef struct pair {
    nw_term a, b;
    int var_a, var_b; /* item, or one of the above */
    int sign;
    bool is_equality; /* only whether they are equal matters */
} pair;

struct nw_steady {
    nw_resizer resizer; /* without a graph */
    uint8_t *is_bound;  /* per item: how operators see the variable may depend on its number */
    pair *pairs;
    size_t n_pairs, capacity;
};

/* ---- operators ---- */

/* One axis alone is longer than 1. */
static bool is_list(const nw_shape *shape)
{
    int n_long = 0;
    for (int i = 0; i < shape->rank; i++)
        n_long += shape->dims[i] != 1;
    return shape->rank > 0 && n_long <= 1;
}

static const nw_shape *shape_of(const nw_graph *graph, nw_tensor_id tensor)
{
    static const nw_shape none = {.rank = -1};
    return tensor == NW_NONE ? &none : &graph->tensors[tensor].shape;
}

/* A constant that is added or multiplied is one number, or one a channel. */
static bool has_plain_operands(const nw_graph *graph, const nw_node *node)
{
    for (int i = 0; i < node->n_inputs; i++) {
        const nw_shape *own = shape_of(graph, node->inputs[i]);
        if (own->rank < 0)
            return false;
        if (!graph->tensors[node->inputs[i]].is_const || nw_shape_elements(own) == 1)
            continue;
        int rank = shape_of(graph, node->outputs[0])->rank;
        int axis = rank > 0 ? nw_channel_axis(graph, rank) - (rank - own->rank) : -1;
        if (axis < 0 || axis >= own->rank || !is_list(own) || own->dims[axis] == 1)
            return false;
    }
    return true;
}

/* What it says of sizes does not depend on numbers of channels above 1. */
static bool is_plain(const nw_graph *graph, const nw_node *node)
{
    switch (node->op) {
    case NW_OP_CONV2D:
    case NW_OP_MAX_POOL:
    case NW_OP_AVERAGE_POOL:
    case NW_OP_GLOBAL_POOL:
    case NW_OP_RELU:
    case NW_OP_RELU6:
    case NW_OP_CLIP:
    case NW_OP_HARD_SWISH:
    case NW_OP_HARD_SIGMOID:
    case NW_OP_SIGMOID:
    case NW_OP_SWISH:
    case NW_OP_LEAKY_RELU:
    case NW_OP_TANH:
    case NW_OP_GELU:
    case NW_OP_BATCH_NORM:
    case NW_OP_CONCAT:
    case NW_OP_PAD:
    case NW_OP_RESIZE:
    case NW_OP_QUANTIZE:
    case NW_OP_DEQUANTIZE:
    case NW_OP_CAST:
    case NW_OP_IDENTITY:
    case NW_OP_TRANSPOSE:
        return true;
    case NW_OP_ADD:
    case NW_OP_SUB:
    case NW_OP_MUL:
    case NW_OP_DIV:
        return node->n_inputs == 2 && has_plain_operands(graph, node);
    case NW_OP_REDUCE: { /* over rows and columns alone */
        int rank = shape_of(graph, node->inputs[0])->rank;
        const nw_shape *out = shape_of(graph, node->outputs[0]);
        return rank == 4 && out->rank > 0 && is_list(out) &&
               nw_shape_elements(out) == nw_tensor_hwc(graph, node->inputs[0]).c &&
               node->attrs.keep_dims;
    }
    case NW_OP_RESHAPE:
    case NW_OP_FLATTEN:
    case NW_OP_SQUEEZE:
    case NW_OP_UNSQUEEZE:
        return is_list(shape_of(graph, node->inputs[0])) &&
               is_list(shape_of(graph, node->outputs[0]));
    case NW_OP_FULLY_CONNECTED:
        return shape_of(graph, node->inputs[0])->rank == 2;
    default:
        return false;
    }
}

static void bind(nw_steady *s, nw_term term)
{
    const nw_terms *t = &s->resizer.groups->solver.terms;
    if (term == NW_TERM_NONE)
        return;
    term = nw_term_resolve(t, term);
    if (term >= 0)
        return;
    const nw_term_item *item = &t->items[~term];
    if (item->kind == NW_TERM_VAR)
        s->is_bound[~term] = 1;
    for (int i = 0; item->kind != NW_TERM_VAR && i < item->n; i++)
        bind(s, t->children[item->first + i]);
}

static void bind_tensor(nw_steady *s, nw_tensor_id tensor)
{
    const nw_solver *solver = &s->resizer.groups->solver;
    for (int i = 0; tensor != NW_NONE && i < solver->first[tensor + 1] - solver->first[tensor]; i++)
        bind(s, nw_solve_term(solver, tensor, i));
}

static void bind_operators(nw_steady *s)
{
    const nw_graph *graph = s->resizer.old;
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_node *node = &graph->nodes[id];
        if (node->n_inputs && node->n_outputs && node->inputs[0] != NW_NONE &&
            is_plain(graph, node))
            continue;
        for (int i = 0; i < node->n_inputs; i++)
            bind_tensor(s, node->inputs[i]);
        for (int i = 0; i < node->n_outputs; i++)
            bind_tensor(s, node->outputs[i]);
    }
}

/* Lists that are split where readers need other lengths, and numbers that stand for several sizes,
 * come out another way where one size changes before the other. */
static void bind_lists(nw_steady *s)
{
    const nw_solver *solver = &s->resizer.groups->solver;
    for (size_t i = 0; i < solver->n_uses; i++)
        bind(s, solver->uses[i].term);
    for (size_t i = 0; i < solver->n_sites; i++) {
        const nw_site *a = &solver->sites[i];
        bool is_shared =
            a->input >= 0 && solver->n_readers[s->resizer.old->nodes[a->node].inputs[a->input]] > 1;
        for (size_t k = 0; k < solver->n_sites && !is_shared && a->input != NW_SITE_GROUPS; k++) {
            const nw_site *b = &solver->sites[k];
            is_shared =
                k != i && a->node == b->node && a->input == b->input && a->element == b->element;
        }
        if (is_shared) {
            bind(s, a->plus);
            bind(s, a->minus);
        }
    }
}

/* ---- comparisons ---- */

static int var_of(const nw_terms *t, nw_term term)
{
    if (term >= 0)
        return IS_NUMBER;
    return t->items[~term].kind == NW_TERM_VAR ? (int)~term : IS_COMPOUND;
}

static int compare(const nw_steady *s, const pair *p)
{
    const nw_terms *t = &s->resizer.groups->solver.terms;
    int64_t a = nw_term_eval(t, p->a, s->resizer.numbers);
    int64_t b = nw_term_eval(t, p->b, s->resizer.numbers);
    return p->is_equality ? a != b : (a > b) - (a < b);
}

/* The channels of two maps. */
static void add_pair(nw_steady *s, nw_tensor_id a, nw_tensor_id b, bool is_equality)
{
    const nw_graph *graph = s->resizer.old;
    const nw_solver *solver = &s->resizer.groups->solver;
    int rank_a = shape_of(graph, a)->rank, rank_b = shape_of(graph, b)->rank;
    if (rank_a < 1 || rank_b < 1)
        return;
    nw_term terms[2] = {nw_solve_term(solver, a, nw_channel_axis(graph, rank_a)),
                        nw_solve_term(solver, b, nw_channel_axis(graph, rank_b))};
    if (terms[0] == NW_TERM_NONE || terms[1] == NW_TERM_NONE)
        return;
    pair p = {.a = nw_term_resolve(&solver->terms, terms[0]),
              .b = nw_term_resolve(&solver->terms, terms[1]),
              .is_equality = is_equality};
    if (p.a == p.b || (p.a >= 0 && p.b >= 0))
        return;
    p.var_a = var_of(&solver->terms, p.a);
    p.var_b = var_of(&solver->terms, p.b);
    p.sign = compare(s, &p);
    s->pairs = nw_grow(s->pairs, s->n_pairs, &s->capacity, sizeof *s->pairs);
    s->pairs[s->n_pairs++] = p;
}

/* What a convolution makes of what it reads. */
static void add_part(nw_steady *s, const nw_block *block, nw_part_role role)
{
    nw_node_id id = block->parts[role].conv;
    if (id == NW_NONE)
        return;
    const nw_node *conv = &s->resizer.old->nodes[id];
    if (conv->op == NW_OP_CONV2D)
        add_pair(s, conv->inputs[0], conv->outputs[0], false);
}

/* lift_block.c asks whether a dense or grouped convolution and the 1x1 behind it make more or less
 * than they read, and whether the 1x1 before a block with an activation at its end does; stage.c,
 * whether a block keeps its map. */
static void add_block(nw_steady *s, const nw_block *block)
{
    bool keeps_size = block->in_h == block->out_h && block->in_w == block->out_w;
    bool is_depthwise = block->kind == NW_BLOCK_IBN || block->kind == NW_BLOCK_DSEP;
    if (block->kind <= NW_BLOCK_BOTTLENECK || block->kind == NW_BLOCK_HEAD) {
        if (!is_depthwise || block->parts[NW_PART_PROJECT].act != NW_OP_IDENTITY)
            add_part(s, block, NW_PART_EXPAND);
        add_part(s, block, NW_PART_SPATIAL);
        if (!is_depthwise)
            add_part(s, block, NW_PART_PROJECT);
    }
    if (keeps_size && (block->kind <= NW_BLOCK_BOTTLENECK || block->kind == NW_BLOCK_OP))
        add_pair(s, block->in, block->out, true);
}

/* Channels where the graph lays them out: else the terms are not those of the block. */
static bool is_turned(const nw_graph *graph, const nw_block *block)
{
    if (block->in == NW_NONE || block->kind == NW_BLOCK_HEAD || block->kind == NW_BLOCK_FC)
        return false;
    return nw_tensor_hwc(graph, block->in).c != block->in_c ||
           nw_tensor_hwc(graph, block->out).c != block->out_c;
}

/* ---- from outside ---- */

nw_steady *nw_steady_new(const nw_arch *arch)
{
    nw_steady *s = nw_zalloc(sizeof *s);
    const nw_groups *groups = nw_arch_group_table(arch);
    const nw_terms *t = &groups->solver.terms;
    const nw_lifting *lifting = nw_arch_lifting(arch);
    s->resizer = (nw_resizer){.groups = groups, .old = groups->graph};
    s->resizer.numbers = nw_alloc((t->n_items + 1) * sizeof *s->resizer.numbers);
    s->is_bound = nw_zalloc(t->n_items + 1);
    for (size_t i = 0; i < t->n_items; i++)
        s->resizer.numbers[i] = t->items[i].size;
    bind_operators(s);
    bind_lists(s);
    bool is_odd = false;
    for (int i = 0; i < lifting->n_blocks; i++) {
        is_odd |= is_turned(groups->graph, &lifting->blocks[i]);
        add_block(s, &lifting->blocks[i]);
    }
    for (size_t i = 0; is_odd && i < t->n_items; i++)
        s->is_bound[i] = 1;
    return s;
}

void nw_steady_free(nw_steady *s)
{
    if (!s)
        return;
    free(s->resizer.numbers);
    free(s->is_bound);
    free(s->pairs);
    free(s);
}

bool nw_steady_takes(const nw_steady *s, nw_resize size)
{
    const nw_groups *g = s->resizer.groups;
    int var = g->vars[size.group];
    int64_t number = size.n / g->list[size.group].multiple;
    return !s->is_bound[var] && g->solver.terms.items[var].size > 1 && number > 1 &&
           size.n <= MAX_STEADY;
}

bool nw_steady_set(nw_steady *s, nw_resize size)
{
    int var = s->resizer.groups->vars[size.group];
    s->resizer.numbers[var] = size.n / s->resizer.groups->list[size.group].multiple;
    for (size_t i = 0; i < s->n_pairs; i++) {
        const pair *p = &s->pairs[i];
        bool is_met = p->var_a == var || p->var_b == var || p->var_a == IS_COMPOUND ||
                      p->var_b == IS_COMPOUND;
        if (is_met && compare(s, p) != p->sign)
            return false;
    }
    return true;
}

bool nw_steady_changes(const nw_steady *s, nw_tensor_id tensor)
{
    const nw_solver *solver = &s->resizer.groups->solver;
    int rank = tensor == NW_NONE ? 0 : solver->first[tensor + 1] - solver->first[tensor];
    for (int axis = 0; axis < rank; axis++)
        if (nw_resizer_changes(&s->resizer, nw_solve_term(solver, tensor, axis)))
            return true;
    return false;
}
