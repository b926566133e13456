#include "src/arch/solve.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"

/* ---- slots ---- */

int nw_channel_axis(const nw_graph *graph, int rank)
{
    return graph->layout == NW_LAYOUT_NCHW && rank > 1 ? 1 : rank - 1;
}

nw_tensor_id nw_solve_input(const nw_solver *s, int i)
{
    return i < s->node->n_inputs ? s->node->inputs[i] : NW_NONE;
}

nw_tensor_id nw_solve_output(const nw_solver *s, int i)
{
    return i < s->node->n_outputs ? s->node->outputs[i] : NW_NONE;
}

const nw_shape *nw_solve_shape(const nw_solver *s, nw_tensor_id tensor)
{
    return &s->graph->tensors[tensor].shape;
}

bool nw_solve_is_known(const nw_solver *s, nw_tensor_id tensor)
{
    return tensor != NW_NONE && nw_shape_is_known(nw_solve_shape(s, tensor));
}

static nw_term *slot(const nw_solver *s, nw_tensor_id tensor, int axis)
{
    return &s->slots[s->first[tensor] + axis];
}

nw_term nw_solve_term(const nw_solver *s, nw_tensor_id tensor, int axis)
{
    return *slot(s, tensor, axis);
}

nw_term nw_solve_axis(nw_solver *s, nw_tensor_id tensor, int axis)
{
    nw_term *term = slot(s, tensor, axis);
    if (*term == NW_TERM_NONE) {
        const nw_tensor *t = &s->graph->tensors[tensor];
        int64_t size = t->shape.dims[axis];
        bool is_param = t->is_const && t->dtype != NW_DTYPE_INT64 && t->dtype != NW_DTYPE_BOOL;
        *term = is_param && size > 0 ? nw_term_var(&s->terms, size) : size;
    }
    return *term;
}

void nw_solve_set(nw_solver *s, nw_tensor_id tensor, int axis, nw_term term)
{
    nw_term *at = slot(s, tensor, axis);
    int64_t size = nw_solve_shape(s, tensor)->dims[axis];
    if (nw_term_size(&s->terms, term) != size) {
        nw_term_fix(&s->terms, term);
        term = size;
    }
    if (*at == NW_TERM_NONE)
        *at = term;
    else
        nw_term_equal(&s->terms, *at, term);
}

void nw_solve_carry(nw_solver *s, nw_tensor_id from, int from_axis, nw_tensor_id to, int to_axis)
{
    nw_solve_set(s, to, to_axis, nw_solve_axis(s, from, from_axis));
}

void nw_solve_fix(nw_solver *s, nw_term term, nw_why_kind why)
{
    nw_why old = s->terms.why;
    s->terms.why = (nw_why){why, s->id};
    nw_term_fix(&s->terms, term);
    s->terms.why = old;
}

void nw_solve_fix_axis(nw_solver *s, nw_tensor_id tensor, int axis, nw_why_kind why)
{
    nw_solve_fix(s, nw_solve_axis(s, tensor, axis), why);
}

void nw_solve_fix_inputs(nw_solver *s, nw_why_kind why)
{
    for (int i = 0; i < s->node->n_inputs; i++) {
        nw_tensor_id x = s->node->inputs[i];
        for (int axis = 0; nw_solve_is_known(s, x) && axis < nw_solve_shape(s, x)->rank; axis++)
            nw_solve_fix_axis(s, x, axis, why);
    }
}

/* ---- numbers in the file ---- */

bool nw_solve_list(const nw_solver *s, int i, nw_int_list *out)
{
    const nw_attrs *attrs = &s->node->attrs;
    if (attrs->has_ints) {
        *out = (nw_int_list){attrs->ints, attrs->n_ints, NW_SITE_INTS};
        return true;
    }
    nw_tensor_id x = nw_solve_input(s, i);
    if (x == NW_NONE || !s->graph->tensors[x].ints)
        return false;
    int64_t n = nw_shape_elements(nw_solve_shape(s, x));
    *out = (nw_int_list){s->graph->tensors[x].ints, (int)n, i};
    return true;
}

/* One step from an element of a node's output to that of an input. */
static bool step_back(const nw_graph *graph, const nw_node *node, int *input, int *element)
{
    int at = 0;
    const int64_t *values;
    switch (node->op) {
    case NW_OP_GATHER: /* of a list */
        values = node->n_inputs > 1 && node->inputs[1] != NW_NONE
                     ? graph->tensors[node->inputs[1]].ints
                     : NULL;
        if (!values || graph->tensors[node->inputs[0]].shape.rank != 1)
            return false;
        *input = 0;
        *element = (int)values[*element];
        *element += *element < 0 ? (int)graph->tensors[node->inputs[0]].shape.dims[0] : 0;
        return true;
    case NW_OP_IDENTITY:
    case NW_OP_CAST:
    case NW_OP_RESHAPE:
    case NW_OP_SQUEEZE:
    case NW_OP_UNSQUEEZE:
        *input = 0;
        return true;
    case NW_OP_CONCAT:
    case NW_OP_STACK:
        for (int i = 0; i < node->n_inputs; i++) {
            if (node->inputs[i] == NW_NONE)
                return false;
            int n = (int)nw_shape_elements(&graph->tensors[node->inputs[i]].shape);
            if (*element < at + n) {
                *input = i;
                *element -= at;
                return true;
            }
            at += n;
        }
        return false;
    default:
        return false;
    }
}

/* Goes back from an element of an integer list to where it stands: true: in a stored constant that
 * site->node reads; else in the output of site->node, a Shape, or (*shape_of NW_NONE) nowhere. */
static bool trace(const nw_graph *graph, nw_site *site, nw_tensor_id *shape_of)
{
    *shape_of = NW_NONE;
    if (site->input < 0)
        return true;
    for (int steps = 0; steps < 32; steps++) {
        nw_tensor_id id = graph->nodes[site->node].inputs[site->input];
        const nw_tensor *tensor = &graph->tensors[id];
        if (tensor->data && tensor->is_const && tensor->ints)
            return true;
        if (tensor->producer == NW_NONE)
            return false;
        const nw_node *node = &graph->nodes[tensor->producer];
        if (node->op == NW_OP_SHAPE && !node->attrs.has_ints && node->inputs[0] != NW_NONE)
            *shape_of = node->inputs[0];
        if (*shape_of != NW_NONE || !step_back(graph, node, &site->input, &site->element))
            return false;
        site->node = tensor->producer;
        if (site->input >= node->n_inputs || node->inputs[site->input] == NW_NONE)
            return false;
    }
    return false;
}

bool nw_site_trace(const nw_graph *graph, nw_site *site)
{
    nw_tensor_id shape_of;
    return trace(graph, site, &shape_of);
}

nw_term nw_solve_number(nw_solver *s, const nw_int_list *list, int element)
{
    nw_site site = {.node = s->id, .input = list->input, .element = element};
    nw_tensor_id x;
    int64_t value = list->values[element];
    if (trace(s->graph, &site, &x) || !nw_solve_is_known(s, x) || site.element < 0 ||
        site.element >= nw_solve_shape(s, x)->rank ||
        nw_solve_shape(s, x)->dims[site.element] != value)
        return value;
    return nw_solve_axis(s, x, site.element);
}

bool nw_solve_is_open(const nw_solver *s, const nw_int_list *list, int element)
{
    nw_site site = {.node = s->id, .input = list->input, .element = element};
    return nw_site_trace(s->graph, &site);
}

static void add_site(nw_solver *s, const nw_site *site)
{
    s->sites = nw_grow(s->sites, s->n_sites, &s->site_capacity, sizeof *s->sites);
    s->sites[s->n_sites++] = *site;
}

void nw_solve_site(nw_solver *s, const nw_int_list *list, int element, nw_term plus, nw_term minus)
{
    nw_site site = {s->id, list->input, element, plus, minus};
    bool is_number = nw_term_is_const(&s->terms, plus) && nw_term_is_const(&s->terms, minus);
    if (!is_number && nw_site_trace(s->graph, &site))
        add_site(s, &site);
}

/* ---- lists of values for channels ---- */

/* A stored list that several operators read. */
static bool is_shared_list(const nw_solver *s, nw_tensor_id x)
{
    const nw_tensor *tensor = &s->graph->tensors[x];
    int n_long = 0;
    for (int axis = 0; axis < tensor->shape.rank; axis++)
        n_long += tensor->shape.dims[axis] != 1;
    return tensor->is_stored && s->n_readers[x] > 1 && n_long == 1;
}

static void add_use(nw_solver *s, int input, int axis, nw_term term)
{
    s->uses = nw_grow(s->uses, s->n_uses, &s->use_capacity, sizeof *s->uses);
    s->uses[s->n_uses++] = (nw_use){s->id, input, axis, term};
}

/* The axis of the node's constant input is that term. */
static void set_param(nw_solver *s, int input, int axis, nw_term term)
{
    nw_tensor_id x = s->node->inputs[input];
    if (is_shared_list(s, x) && nw_term_size(&s->terms, term) == nw_solve_shape(s, x)->dims[axis]) {
        add_use(s, input, axis, term);
        return;
    }
    nw_solve_axis(s, x, axis);
    nw_solve_set(s, x, axis, term);
}

/* A list of one value a channel. */
void nw_solve_follow(nw_solver *s, int input, nw_term term)
{
    nw_tensor_id list = nw_solve_input(s, input);
    int64_t n = nw_term_size(&s->terms, term);
    if (!nw_solve_is_known(s, list) || nw_shape_elements(nw_solve_shape(s, list)) != n)
        return;
    const nw_shape *shape = nw_solve_shape(s, list);
    for (int axis = 0; axis < shape->rank; axis++)
        if (shape->dims[axis] == n && (n > 1 || axis == shape->rank - 1)) {
            set_param(s, input, axis, term);
            return;
        }
}

/* ---- operators that keep the map ---- */

/* Outputs of one shape with x: axis by axis the same. */
static void carry_same(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0);
    const nw_shape *shape = nw_solve_shape(s, x);
    bool is_shared = is_shared_list(s, x);
    for (int i = 0; i < s->node->n_outputs; i++) {
        nw_tensor_id out = s->node->outputs[i];
        if (!nw_solve_is_known(s, out) || !nw_shape_equal(shape, nw_solve_shape(s, out)))
            continue;
        for (int axis = 0; axis < shape->rank; axis++)
            if (is_shared && shape->dims[axis] > 1)
                add_use(s, 0, axis, nw_solve_axis(s, out, axis));
            else
                nw_solve_carry(s, x, axis, out, axis);
    }
}

/* Axis `axis` of the output is the one of input i that broadcasts to it. */
static void spread_axis(nw_solver *s, int i, nw_tensor_id out, int axis)
{
    nw_tensor_id x = nw_solve_input(s, i);
    const nw_shape *from = nw_solve_shape(s, x), *to = nw_solve_shape(s, out);
    int at = axis - (to->rank - from->rank);
    if (at < 0)
        return;
    bool is_const = s->graph->tensors[x].is_const;
    if (from->dims[at] != to->dims[axis] || (is_const && from->dims[at] == 1)) {
        if (!is_const)
            nw_solve_fix_axis(s, x, at, NW_WHY_BROADCAST);
    } else if (is_const && nw_solve_term(s, out, axis) != NW_TERM_NONE) {
        set_param(s, i, at, nw_solve_term(s, out, axis));
    } else {
        nw_solve_carry(s, x, at, out, axis);
    }
}

/* Computed operands first: constants follow them. */
static void spread(nw_solver *s, int n_inputs)
{
    nw_tensor_id out = nw_solve_output(s, 0);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n_inputs; i++) {
            nw_tensor_id x = nw_solve_input(s, i);
            if (!nw_solve_is_known(s, x) || s->graph->tensors[x].is_const != (pass == 1))
                continue;
            for (int axis = 0; axis < nw_solve_shape(s, out)->rank; axis++)
                spread_axis(s, i, out, axis);
        }
}

static void norm(nw_solver *s, int n_params)
{
    nw_tensor_id x = nw_solve_input(s, 0);
    int rank = nw_solve_shape(s, x)->rank;
    carry_same(s);
    if (rank < 1)
        return;
    nw_term channels = nw_solve_axis(s, x, nw_channel_axis(s->graph, rank));
    if (s->node->op == NW_OP_INSTANCE_NORM && s->node->attrs.groups > 1) {
        int64_t groups = s->node->attrs.groups, n = nw_term_size(&s->terms, channels);
        if (n % groups)
            nw_solve_fix(s, channels, NW_WHY_NEEDS);
        else
            nw_term_equal(&s->terms, channels,
                          nw_term_product(&s->terms, groups, nw_term_var(&s->terms, n / groups)));
    }
    for (int i = 1; i <= n_params; i++)
        nw_solve_follow(s, i, channels);
    for (int i = 1; s->node->op == NW_OP_BATCH_NORM && i < s->node->n_outputs; i++)
        if (nw_solve_is_known(s, nw_solve_output(s, i)))
            nw_solve_set(s, s->node->outputs[i], 0, channels);
}

/* Scale and bias have the shape of x from attrs.axis on. */
static void layer_norm(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0);
    carry_same(s);
    for (int i = 1; i < 3; i++) {
        nw_tensor_id param = nw_solve_input(s, i);
        if (!nw_solve_is_known(s, param))
            continue;
        const nw_shape *from = nw_solve_shape(s, param), *to = nw_solve_shape(s, x);
        for (int axis = 0; axis < from->rank && from->rank <= to->rank; axis++) {
            int at = axis + to->rank - from->rank;
            if (from->dims[axis] == to->dims[at])
                nw_solve_carry(s, x, at, param, axis);
        }
    }
}

static void prelu(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0), slope = nw_solve_input(s, 1);
    int rank = nw_solve_shape(s, x)->rank;
    carry_same(s);
    if (!nw_solve_is_known(s, slope) || rank < 1)
        return;
    int c = nw_channel_axis(s->graph, rank);
    const nw_shape *shape = nw_solve_shape(s, slope);
    int64_t n = nw_shape_elements(shape);
    if (shape->rank == 1 && n > 1 && n == nw_solve_shape(s, x)->dims[c])
        nw_solve_follow(s, 1, nw_solve_axis(s, x, c));
    else
        for (int axis = 0; axis < rank && n > 1; axis++)
            spread_axis(s, 1, nw_solve_output(s, 0), axis);
}

static void quantise(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0);
    int rank = nw_solve_shape(s, x)->rank, axis = s->node->attrs.axis;
    carry_same(s);
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis >= rank || nw_solve_shape(s, x)->dims[axis] < 2)
        return;
    for (int i = 1; i < 3; i++)
        nw_solve_follow(s, i, nw_solve_axis(s, x, axis));
}

/* Channels go through a window as they are, positions become other ones. */
static void pool(nw_solver *s)
{
    nw_tensor_id x = nw_solve_input(s, 0);
    int rank = nw_solve_shape(s, x)->rank;
    if (rank < 3) {
        nw_solve_fix_inputs(s, NW_WHY_OPAQUE);
        return;
    }
    int c = nw_channel_axis(s->graph, rank);
    for (int axis = 0; axis < rank; axis++)
        if (axis != c && axis != 0)
            nw_solve_fix_axis(s, x, axis, NW_WHY_MIXES);
    for (int i = 0; i < s->node->n_outputs; i++)
        if (nw_solve_is_known(s, nw_solve_output(s, i)))
            nw_solve_carry(s, x, c, s->node->outputs[i], c);
}

/* ---- all of them ---- */

/* True: the rule was run. */
static bool solve_math(nw_solver *s)
{
    switch (s->node->op) {
    case NW_OP_CONV2D:
    case NW_OP_CONV_TRANSPOSE:
        nw_solve_conv(s);
        return true;
    case NW_OP_FULLY_CONNECTED:
        nw_solve_fully_connected(s);
        return true;
    case NW_OP_MATMUL:
        nw_solve_matmul(s);
        return true;
    case NW_OP_MAX_POOL:
    case NW_OP_AVERAGE_POOL:
    case NW_OP_GLOBAL_POOL:
        pool(s);
        return true;
    case NW_OP_PRELU:
        prelu(s);
        return true;
    case NW_OP_BATCH_NORM:
        norm(s, 4);
        return true;
    case NW_OP_INSTANCE_NORM:
        norm(s, 2);
        return true;
    case NW_OP_LAYER_NORM:
        layer_norm(s);
        return true;
    case NW_OP_QUANTIZE:
    case NW_OP_DEQUANTIZE:
        quantise(s);
        return true;
    case NW_OP_GELU:
    case NW_OP_ADD:
    case NW_OP_SUB:
    case NW_OP_MUL:
    case NW_OP_DIV:
    case NW_OP_POW:
    case NW_OP_MIN:
    case NW_OP_MAX:
    case NW_OP_MOD:
    case NW_OP_COMPARE:
    case NW_OP_WHERE:
        spread(s, s->node->n_inputs);
        return true;
    case NW_OP_RELU:
    case NW_OP_RELU6:
    case NW_OP_CLIP:
    case NW_OP_HARD_SWISH:
    case NW_OP_HARD_SIGMOID:
    case NW_OP_SIGMOID:
    case NW_OP_SWISH:
    case NW_OP_LEAKY_RELU:
    case NW_OP_TANH:
    case NW_OP_UNARY:
    case NW_OP_SOFTMAX:
    case NW_OP_CAST:
    case NW_OP_IDENTITY:
    case NW_OP_CUM_SUM:
        carry_same(s);
        return true;
    case NW_OP_CONSTANT:
    case NW_OP_SHAPE:
    case NW_OP_SIZE:
        return true;
    default:
        return false;
    }
}

static bool has_variable(const nw_solver *s, nw_tensor_id x)
{
    for (int i = s->first[x]; i < s->first[x + 1]; i++)
        if (s->slots[i] < 0 && s->slots[i] != NW_TERM_NONE)
            return true;
    return false;
}

/* Arithmetic with shapes says nothing of channels. */
static bool is_shape_arithmetic(const nw_solver *s)
{
    for (int i = 0; i < s->node->n_outputs; i++) {
        nw_tensor_id out = s->node->outputs[i];
        const nw_tensor *tensor = out == NW_NONE ? NULL : &s->graph->tensors[out];
        if (tensor && (!tensor->ints || tensor->quant.n_channels))
            return false;
    }
    if (s->node->op == NW_OP_CONSTANT || s->node->op == NW_OP_CONSTANT_OF_SHAPE)
        return false;
    for (int i = 0; i < s->node->n_inputs && s->node->op != NW_OP_SHAPE; i++)
        if (s->node->inputs[i] != NW_NONE && has_variable(s, s->node->inputs[i]))
            return false;
    return true;
}

static void solve_node(nw_solver *s)
{
    bool is_understood = s->node->n_outputs < 1 || is_shape_arithmetic(s);
    if (!is_understood && s->node->op != NW_OP_OPAQUE) {
        bool needs_input = s->node->n_inputs > 0;
        bool is_known = nw_solve_is_known(s, nw_solve_output(s, 0)) &&
                        (!needs_input || nw_solve_is_known(s, nw_solve_input(s, 0)));
        is_understood = is_known && (solve_math(s) || nw_solve_move(s));
    }
    if (!is_understood)
        nw_solve_fix_inputs(s, NW_WHY_OPAQUE);
    if (s->node->op == NW_OP_CONSTANT)
        return;
    for (int i = 0; i < s->node->n_outputs; i++) {
        nw_tensor_id out = s->node->outputs[i];
        for (int axis = 0; nw_solve_is_known(s, out) && axis < nw_solve_shape(s, out)->rank; axis++)
            if (*slot(s, out, axis) == NW_TERM_NONE)
                *slot(s, out, axis) = nw_solve_shape(s, out)->dims[axis];
    }
}

/* The channels of an image are those of its few, or of its layout's axis. */
static void open_input(nw_solver *s, nw_tensor_id id)
{
    const nw_shape *shape = nw_solve_shape(s, id);
    if (!nw_shape_is_known(shape))
        return;
    int c = shape->rank > 1 ? nw_channel_axis(s->graph, shape->rank) : -1;
    for (int axis = 1; axis < shape->rank; axis++)
        if (shape->dims[axis] < shape->dims[c])
            c = axis;
    for (int axis = 0; axis < shape->rank; axis++) {
        nw_term term = shape->dims[axis];
        if (axis == c && term > 0) {
            term = nw_term_var(&s->terms, term);
            nw_solve_fix(s, term, NW_WHY_INPUT);
        }
        *slot(s, id, axis) = term;
    }
}

static void close_output(nw_solver *s, nw_tensor_id id)
{
    for (int axis = 0; nw_solve_is_known(s, id) && axis < nw_solve_shape(s, id)->rank; axis++)
        nw_solve_fix_axis(s, id, axis, NW_WHY_OUTPUT);
}

static void count_readers(nw_solver *s)
{
    s->n_readers = nw_zalloc(((size_t)s->graph->n_tensors + 1) * sizeof *s->n_readers);
    for (int i = 0; i < s->graph->n_nodes; i++)
        for (int k = 0; k < s->graph->nodes[i].n_inputs; k++)
            if (s->graph->nodes[i].inputs[k] != NW_NONE)
                s->n_readers[s->graph->nodes[i].inputs[k]]++;
    for (int i = 0; i < s->graph->n_outputs; i++)
        s->n_readers[s->graph->outputs[i]]++;
}

static void number_slots(nw_solver *s)
{
    size_t n_slots = 0;
    s->first = nw_alloc(((size_t)s->graph->n_tensors + 1) * sizeof *s->first);
    for (int i = 0; i < s->graph->n_tensors; i++) {
        s->first[i] = (int)n_slots;
        if (nw_shape_is_known(&s->graph->tensors[i].shape))
            n_slots += (size_t)s->graph->tensors[i].shape.rank;
    }
    s->first[s->graph->n_tensors] = (int)n_slots;
    s->slots = nw_alloc((n_slots + 1) * sizeof *s->slots);
    for (size_t i = 0; i < n_slots; i++)
        s->slots[i] = NW_TERM_NONE;
}

void nw_solve(nw_solver *s, const nw_graph *graph)
{
    *s = (nw_solver){.graph = graph};
    number_slots(s);
    count_readers(s);
    for (int i = 0; i < graph->n_inputs; i++) {
        s->id = graph->inputs[i];
        open_input(s, graph->inputs[i]);
    }
    for (int i = 0; i < graph->n_nodes; i++) {
        s->id = graph->order[i];
        s->node = &graph->nodes[s->id];
        s->terms.why = (nw_why){NW_WHY_NEEDS, s->id};
        solve_node(s);
    }
    for (int i = 0; i < graph->n_outputs; i++) {
        s->id = graph->outputs[i];
        close_output(s, graph->outputs[i]);
    }
}

void nw_solve_fini(nw_solver *s)
{
    nw_terms_fini(&s->terms);
    free(s->first);
    free(s->slots);
    free(s->sites);
    free(s->uses);
    free(s->n_readers);
}
