/* lift_unit.c - every convolution and product with what belongs to it alone. */
#include "src/arch/lift.h"

static void add_node(nw_lifter *l, nw_unit *unit, nw_node_id id)
{
    l->unit_of[id] = (int)(unit - l->units);
    l->unit_nodes[l->n_unit_nodes++] = id;
    unit->n_nodes++;
}

static void add_found(nw_lifter *l, nw_unit *unit, const nw_found *found)
{
    for (int i = 0; i < found->n; i++)
        add_node(l, unit, found->nodes[i]);
}

/* ---- what it is ---- */

static nw_unit_form form_of(nw_op op, const nw_geometry *g)
{
    if (op == NW_OP_CONV_TRANSPOSE)
        return NW_UNIT_TRANSPOSED;
    if (op != NW_OP_CONV2D)
        return NW_UNIT_PRODUCT;
    if (g->groups > 1)
        return g->is_depthwise && g->in_c == g->out_c ? NW_UNIT_DEPTHWISE : NW_UNIT_GROUPED;
    return g->kernel_h == 1 && g->kernel_w == 1 ? NW_UNIT_POINTWISE : NW_UNIT_DENSE;
}

static bool is_unit(const nw_lifter *l, nw_node_id id, nw_geometry *g)
{
    const nw_node *node = &l->graph->nodes[id];
    if (node->op != NW_OP_CONV2D && node->op != NW_OP_CONV_TRANSPOSE &&
        node->op != NW_OP_FULLY_CONNECTED && node->op != NW_OP_MATMUL)
        return false;
    return nw_node_geometry(l->graph, id, g) && g->weights != NW_NONE &&
           l->graph->tensors[g->weights].is_const && g->groups > 0;
}

static nw_tensor_id data_input(const nw_node *node, const nw_geometry *g)
{
    return node->n_inputs > 1 && node->inputs[0] == g->weights ? node->inputs[1] : node->inputs[0];
}

/* ---- before it ---- */

/* A map whatever the order: is_turned: N,C,H,W in a graph of N,H,W,C. */
static nw_hwc map_of(const nw_lifter *l, nw_tensor_id id, bool is_turned)
{
    const nw_shape *shape = &l->graph->tensors[id].shape;
    if (is_turned && shape->rank == 4)
        return (nw_hwc){shape->dims[2], shape->dims[3], shape->dims[1]};
    return nw_tensor_hwc(l->graph, id);
}

/* Padding of rows and columns alone; pixels sorted into batches for a convolution that dilates. */
static bool is_window_prelude(const nw_lifter *l, const nw_unit *unit, const nw_node *node,
                              bool is_turned)
{
    if (node->n_outputs != 1 || l->graph->tensors[node->outputs[0]].shape.rank != 4 ||
        l->graph->tensors[node->inputs[0]].shape.rank != 4)
        return false;
    if (node->op == NW_OP_SPACE_TO_BATCH) {
        nw_node_id behind = nw_lift_next(l, l->graph->nodes[unit->main].outputs[0]);
        return behind != NW_NONE && l->graph->nodes[behind].op == NW_OP_BATCH_TO_SPACE;
    }
    nw_hwc x = map_of(l, node->inputs[0], is_turned), y = map_of(l, node->outputs[0], is_turned);
    return node->op == NW_OP_PAD && x.c == y.c && x.h <= y.h && x.w <= y.w;
}

static void set_batch_dilation(const nw_lifter *l, nw_unit *unit, const nw_node *node)
{
    if (node->op != NW_OP_SPACE_TO_BATCH || node->n_inputs < 2 || node->inputs[1] == NW_NONE)
        return;
    const nw_tensor *block = &l->graph->tensors[node->inputs[1]];
    if (block->ints && nw_shape_elements(&block->shape) > 0 && block->ints[0] > 0 &&
        block->ints[0] < 1 << 16)
        unit->dilation = (int32_t)block->ints[0];
}

/* Takes in padding and the quantisers in front. Quantisers that whoever made the tensor can take
 * in itself are left to it. */
static void take_before(nw_lifter *l, nw_unit *unit, nw_tensor_id at)
{
    nw_found waiting = {.n = 0};
    const nw_geometry *g = &unit->geometry;
    bool is_product = unit->form == NW_UNIT_PRODUCT, is_turned = false;
    unit->in = at;
    unit->in_map = is_product ? (nw_hwc){g->in_h, g->in_w, g->in_c} : nw_tensor_hwc(l->graph, at);
    while (!waiting.is_full) {
        const nw_tensor *tensor = &l->graph->tensors[at];
        nw_node_id id = tensor->producer;
        bool ends = id == NW_NONE || nw_readers_count(&l->readers, at) != 1 || tensor->is_output;
        if (ends || !nw_lift_is_free(l, id)) {
            unit->in = at;
            add_found(l, unit, &waiting);
            return;
        }
        const nw_node *node = &l->graph->nodes[id];
        bool passes = nw_lift_passes(l->graph, id);
        if (!passes && !is_window_prelude(l, unit, node, is_turned) &&
            !(is_product && nw_lift_is_view(node->op)))
            return;
        nw_found_add(&waiting, id);
        at = node->inputs[0];
        is_turned ^= nw_lift_turns(l->graph, id);
        if (passes)
            continue;
        if (!is_product)
            unit->in_map = map_of(l, at, is_turned);
        set_batch_dilation(l, unit, node);
        unit->in = at;
        add_found(l, unit, &waiting);
        waiting.n = 0;
    }
}

/* ---- behind it ---- */

/* A constant number a channel is added or multiplied: a bias, or a normalisation written out. */
static bool is_affine(const nw_lifter *l, const nw_node *node, const nw_unit *unit)
{
    if ((node->op != NW_OP_ADD && node->op != NW_OP_MUL && node->op != NW_OP_SUB) ||
        node->n_inputs != 2 || unit->geometry.out_c < 2)
        return false;
    const nw_tensor *a = &l->graph->tensors[node->inputs[0]];
    const nw_tensor *b = &l->graph->tensors[node->inputs[1]];
    if (a->is_const == b->is_const || (node->op == NW_OP_SUB && a->is_const))
        return false;
    return nw_shape_elements(a->is_const ? &a->shape : &b->shape) == unit->geometry.out_c;
}

static void take_behind(nw_lifter *l, nw_unit *unit)
{
    const nw_node *main = &l->graph->nodes[unit->main];
    nw_tensor_id at = main->outputs[0];
    nw_found found = {.n = 0};
    bool has_act = unit->part.act != NW_OP_IDENTITY;
    for (;;) {
        nw_act_match match;
        found.n = 0;
        at = nw_lift_skip(l, at, false, &found);
        add_found(l, unit, &found);
        unit->part.out = at;
        nw_node_id next = nw_lift_next(l, at);
        const nw_node *node = next == NW_NONE ? NULL : &l->graph->nodes[next];
        if (!has_act && node && unit->part.norm == NW_NONE && node->op == NW_OP_BATCH_NORM &&
            node->inputs[0] == at) {
            unit->part.norm = next;
            add_node(l, unit, next);
            at = node->outputs[0];
        } else if (!has_act && node && node->op == NW_OP_BATCH_TO_SPACE && node->inputs[0] == at) {
            add_node(l, unit, next);
            at = node->outputs[0];
            unit->out_map = nw_tensor_hwc(l->graph, at);
        } else if (!has_act && nw_lift_act(l, at, &match)) {
            unit->part.act = match.act;
            unit->part.act_node = match.node;
            add_found(l, unit, &match.found);
            unit->part.out = match.after;
            return;
        } else if (!has_act && node && is_affine(l, node, unit)) {
            add_node(l, unit, next);
            unit->part.act = nw_lift_act_inside(node->act);
            unit->part.act_node = node->act == NW_ACT_NONE ? NW_NONE : next;
            has_act = node->act != NW_ACT_NONE;
            at = node->outputs[0];
        } else {
            return;
        }
    }
}

static void build_unit(nw_lifter *l, nw_node_id id, const nw_geometry *geometry)
{
    const nw_node *node = &l->graph->nodes[id];
    nw_unit *unit = &l->units[l->n_units++];
    *unit = (nw_unit){.form = form_of(node->op, geometry),
                      .main = id,
                      .geometry = *geometry,
                      .dilation = (int32_t)geometry->dilation_h,
                      .out_map = {geometry->out_h, geometry->out_w, geometry->out_c},
                      .part = {.conv = id,
                               .norm = NW_NONE,
                               .act = nw_lift_act_inside(node->act),
                               .act_node = NW_NONE},
                      .first = l->n_unit_nodes,
                      .block = LIFT_FREE};
    add_node(l, unit, id);
    take_before(l, unit, data_input(node, geometry));
    take_behind(l, unit);
}

void nw_lift_units(nw_lifter *l)
{
    nw_geometry geometry;
    int n = 0;
    for (nw_node_id id = 0; id < l->graph->n_nodes; id++)
        n += l->block_of[id] == LIFT_FREE;
    l->units = nw_arena_alloc(&l->own, ((size_t)n + 1) * sizeof *l->units);
    l->unit_nodes = nw_arena_alloc(&l->own, ((size_t)n + 1) * sizeof *l->unit_nodes);
    for (int i = 0; i < l->graph->n_nodes; i++) {
        nw_node_id id = l->graph->order[i];
        if (nw_lift_is_free(l, id) && is_unit(l, id, &geometry))
            build_unit(l, id, &geometry);
    }
}
