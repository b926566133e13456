#include <stdlib.h>

#include "src/arch/resize.h"

/* What a constant is to the operator that uses it, through dequantisations and the like. */
typedef struct role {
    bool is_known;
    nw_edit_fill fill;
    nw_node_id node; /* HE: whose weights, */
    int input;       /* as this input */
} role;

static nw_edit_fill fill_of(nw_op op, int input)
{
    switch (op) {
    case NW_OP_CONV2D:
    case NW_OP_CONV_TRANSPOSE:
    case NW_OP_FULLY_CONNECTED:
        return input == 1 ? NW_EDIT_FILL_HE : NW_EDIT_FILL_ZERO;
    case NW_OP_MATMUL:
    case NW_OP_GATHER:
        return NW_EDIT_FILL_HE;
    case NW_OP_BATCH_NORM:
        return input == 1 || input == 4 ? NW_EDIT_FILL_ONE : NW_EDIT_FILL_ZERO;
    case NW_OP_INSTANCE_NORM:
    case NW_OP_LAYER_NORM:
    case NW_OP_QUANTIZE:
    case NW_OP_DEQUANTIZE:
        return input == 1 ? NW_EDIT_FILL_ONE : NW_EDIT_FILL_ZERO;
    case NW_OP_PRELU:
        return NW_EDIT_FILL_SLOPE;
    case NW_OP_MUL:
    case NW_OP_DIV:
    case NW_OP_POW:
        return NW_EDIT_FILL_ONE;
    default:
        return NW_EDIT_FILL_ZERO;
    }
}

/* From the users back to the constants; the first user in the schedule has the last word. */
static role *find_roles(const nw_graph *graph)
{
    role *roles = nw_zalloc(((size_t)graph->n_tensors + 1) * sizeof *roles);
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        nw_node_id id = graph->order[i];
        const nw_node *node = &graph->nodes[id];
        nw_tensor_id out = node->n_outputs ? node->outputs[0] : NW_NONE;
        bool hands_on = out != NW_NONE && graph->tensors[out].is_const && roles[out].is_known;
        for (int k = 0; k < node->n_inputs; k++) {
            nw_tensor_id x = node->inputs[k];
            if (x == NW_NONE || !graph->tensors[x].is_const)
                continue;
            roles[x] = hands_on && k == 0 ? roles[out] : (role){true, fill_of(node->op, k), id, k};
        }
    }
    return roles;
}

static int64_t new_size(const nw_resizer *r, nw_tensor_id tensor, int axis)
{
    const nw_solver *s = &r->groups->solver;
    nw_term term = nw_solve_term(s, tensor, axis);
    return term == NW_TERM_NONE ? r->old->tensors[tensor].shape.dims[axis]
                                : nw_term_eval(&s->terms, term, r->numbers);
}

/* Inputs of one output: what a weight tensor has besides its axis of outputs. */
static int64_t find_fan_in(const nw_resizer *r, const role *use)
{
    const nw_node *node = &r->old->nodes[use->node];
    nw_tensor_id w = node->inputs[use->input];
    int rank = r->old->tensors[w].shape.rank, o = 0;
    bool is_conv = node->op == NW_OP_CONV2D || node->op == NW_OP_CONV_TRANSPOSE;
    if (is_conv || node->op == NW_OP_FULLY_CONNECTED)
        o = node->attrs.weight_layout == NW_WEIGHTS_IOHW   ? 1
            : node->attrs.weight_layout == NW_WEIGHTS_HWIO ? rank - 1
                                                           : 0;
    else if (rank > 1) /* a matrix: rows are inputs */
        o = node->op == NW_OP_MATMUL && use->input == 1 && !node->attrs.transpose_b ? rank - 1
                                                                                    : rank - 2;
    int64_t fan_in = 1;
    for (int axis = 0; axis < rank; axis++)
        if (axis != o && (is_conv || axis >= rank - 2) &&
            __builtin_mul_overflow(fan_in, new_size(r, w, axis), &fan_in))
            return INT32_MAX;
    if (is_conv && node->attrs.weight_layout == NW_WEIGHTS_IOHW && node->attrs.groups > 1)
        fan_in /= node->attrs.groups;
    return fan_in < 1 ? 1 : fan_in > INT32_MAX ? INT32_MAX : fan_in;
}

/* ---- one constant ---- */

/* maps[axis][i] of the edit that the constant comes from, of its source if there was none. */
static void add_map(nw_resizer *r, nw_edited *edited, int axis, nw_term term)
{
    const nw_terms *t = &r->groups->solver.terms;
    int64_t n = nw_term_eval(t, term, r->numbers);
    int32_t *map = nw_graph_alloc(r->graph, (size_t)(n + 1) * sizeof *map);
    nw_term_map(t, term, r->numbers, map);
    const int32_t *before = edited->maps[axis];
    for (int64_t i = 0; before && i < n; i++)
        map[i] = map[i] < 0 ? -1 : before[map[i]];
    edited->maps[axis] = map;
}

/* Without values there is nothing to derive: only the shape changes. */
static void set_bare_shape(nw_tensor *tensor, const nw_shape *shape)
{
    nw_quant *quant = &tensor->quant;
    if (quant->n_channels > 1 && quant->axis >= 0 && quant->axis < shape->rank &&
        quant->n_channels == tensor->shape.dims[quant->axis] &&
        shape->dims[quant->axis] != quant->n_channels) {
        quant->n_channels = (int)shape->dims[quant->axis];
        quant->scales = NULL;
        quant->zero_points = NULL;
    }
    tensor->shape = tensor->stored_shape = *shape;
    tensor->n_bytes = 0;
    tensor->file_offset = -1;
    tensor->ints = NULL;
    tensor->floats = NULL;
}

/* terms: per axis, NW_TERM_NONE where it stays. */
static void edit_constant(nw_resizer *r, nw_tensor_id id, const nw_term *terms, const role *use)
{
    const nw_terms *t = &r->groups->solver.terms;
    const nw_tensor *old = &r->graph->tensors[id];
    nw_shape shape = old->shape;
    for (int axis = 0; axis < shape.rank; axis++)
        if (nw_resizer_changes(r, terms[axis]))
            shape.dims[axis] = nw_term_eval(t, terms[axis], r->numbers);
    if (!old->edited && !nw_tensor_is_known(old)) {
        set_bare_shape(&r->graph->tensors[id], &shape);
        return;
    }
    nw_edited edited = nw_tensor_edited(old);
    for (int axis = 0; axis < shape.rank; axis++)
        if (nw_resizer_changes(r, terms[axis]))
            add_map(r, &edited, axis, terms[axis]);
    edited.fill = use->is_known ? use->fill : NW_EDIT_FILL_ZERO;
    if (edited.fill == NW_EDIT_FILL_HE)
        edited.fan_in = (int32_t)find_fan_in(r, use);
    nw_graph_set_edited(r->graph, id, old->dtype, &shape, &edited);
}

/* ---- lists that several operators read ---- */

/* Whether all readers of a list need the same new length: it can stay one. */
static bool uses_agree(const nw_resizer *r, const nw_use *uses, size_t n, nw_tensor_id list)
{
    const nw_solver *s = &r->groups->solver;
    for (size_t i = 1; i < n; i++)
        if (nw_term_resolve(&s->terms, uses[i].term) != nw_term_resolve(&s->terms, uses[0].term) ||
            uses[i].axis != uses[0].axis)
            return false;
    return (int)n == s->n_readers[list];
}

static void edit_use(nw_resizer *r, nw_tensor_id list, const nw_use *use, const role *given)
{
    nw_term terms[NW_MAX_RANK];
    for (int axis = 0; axis < NW_MAX_RANK; axis++)
        terms[axis] = axis == use->axis ? use->term : NW_TERM_NONE;
    edit_constant(r, list, terms, given);
}

static nw_tensor_id list_of(const nw_graph *graph, const nw_use *use)
{
    return graph->nodes[use->node].inputs[use->input];
}

/* uses[0..n): all of one list. */
static void edit_shared_list(nw_resizer *r, const nw_use *uses, size_t n, const role *roles)
{
    nw_tensor_id list = list_of(r->old, &uses[0]);
    if (uses_agree(r, uses, n, list)) {
        if (nw_resizer_changes(r, uses[0].term))
            edit_use(r, list, &uses[0], &roles[list]);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const nw_node *node = &r->old->nodes[uses[i].node];
        if (!nw_resizer_changes(r, uses[i].term))
            continue;
        nw_tensor_id own = nw_resize_add_like(r->graph, &r->names, list, uses[i].node);
        r->graph->nodes[uses[i].node].inputs[uses[i].input] = own;
        nw_tensor_id out = node->outputs[0];
        bool hands_on = r->old->tensors[out].is_const && roles[out].is_known;
        role use =
            hands_on ? roles[out]
                     : (role){true, fill_of(node->op, uses[i].input), uses[i].node, uses[i].input};
        edit_use(r, own, &uses[i], &use);
    }
}

typedef struct listed_use {
    nw_tensor_id list;
    nw_use use;
} listed_use;

static int compare_lists(const void *a, const void *b)
{
    const listed_use *x = a, *y = b;
    if (x->list != y->list)
        return x->list < y->list ? -1 : 1;
    return x->use.node != y->use.node ? (x->use.node < y->use.node ? -1 : 1)
                                      : x->use.input - y->use.input;
}

static void edit_shared_lists(nw_resizer *r, const role *roles)
{
    const nw_solver *s = &r->groups->solver;
    listed_use *all = nw_alloc((s->n_uses + 1) * sizeof *all);
    nw_use *uses = nw_alloc((s->n_uses + 1) * sizeof *uses);
    for (size_t i = 0; i < s->n_uses; i++)
        all[i] = (listed_use){list_of(r->old, &s->uses[i]), s->uses[i]};
    qsort(all, s->n_uses, sizeof *all, compare_lists);
    for (size_t i = 0; i < s->n_uses; i++)
        uses[i] = all[i].use;
    for (size_t i = 0, end; i < s->n_uses; i = end) {
        for (end = i + 1; end < s->n_uses && all[end].list == all[i].list;)
            end++;
        edit_shared_list(r, &uses[i], end - i, roles);
    }
    free(all);
    free(uses);
}

void nw_resizer_edit_constants(nw_resizer *r)
{
    const nw_solver *s = &r->groups->solver;
    role *roles = find_roles(r->old);
    for (nw_tensor_id id = 0; id < r->old->n_tensors; id++) {
        const nw_tensor *tensor = &r->old->tensors[id];
        nw_term terms[NW_MAX_RANK];
        bool changes = false;
        for (int axis = 0; tensor->is_stored && axis < s->first[id + 1] - s->first[id]; axis++) {
            terms[axis] = nw_solve_term(s, id, axis);
            changes |= nw_resizer_changes(r, terms[axis]);
        }
        if (changes)
            edit_constant(r, id, terms, &roles[id]);
    }
    edit_shared_lists(r, roles);
    free(roles);
}
