/* lift_block.c - patterns of several units, the largest first. */
#include "src/arch/lift.h"

/* ---- from unit to unit ---- */

/* The unit that alone reads a tensor; NULL: there is none. */
static nw_unit *unit_behind(const nw_lifter *l, nw_tensor_id tensor)
{
    nw_node_id reader = nw_readers_sole(l->graph, &l->readers, tensor);
    if (reader == NW_NONE || l->unit_of[reader] < 0)
        return NULL;
    nw_unit *unit = &l->units[l->unit_of[reader]];
    return unit->in == tensor && unit->block == LIFT_FREE ? unit : NULL;
}

static bool is_linear(const nw_unit *unit)
{
    return unit->part.act == NW_OP_IDENTITY;
}

static bool is_plain(const nw_unit *unit)
{
    return unit->geometry.stride_h == 1 && unit->geometry.stride_w == 1;
}

static bool is_form(const nw_unit *unit, nw_unit_form form)
{
    return unit && unit->form == form;
}

/* ---- squeeze-and-excite ---- */

typedef struct excite {
    nw_unit *squeeze, *excite;
    nw_act_match act; /* behind the product; IDENTITY: none */
    nw_tensor_id out;
    nw_found found;
} excite;

static bool is_global_mean(const nw_lifter *l, const nw_node *node)
{
    if (node->op != NW_OP_GLOBAL_POOL && node->op != NW_OP_REDUCE && node->op != NW_OP_AVERAGE_POOL)
        return false;
    if (node->op != NW_OP_AVERAGE_POOL && node->attrs.reduce != NW_REDUCE_MEAN)
        return false;
    nw_hwc x = nw_tensor_hwc(l->graph, node->inputs[0]);
    const nw_shape *y = &l->graph->tensors[node->outputs[0]].shape;
    return nw_shape_is_known(y) && nw_shape_elements(y) == x.c &&
           nw_shape_is_known(&l->graph->tensors[node->inputs[0]].shape);
}

/* A unit behind a tensor over reshapes, that works on one pixel. */
static nw_unit *gate_unit(const nw_lifter *l, nw_tensor_id at, nw_found *found)
{
    nw_unit *unit = unit_behind(l, nw_lift_skip(l, at, true, found));
    bool is_one = unit && (unit->form == NW_UNIT_POINTWISE || unit->form == NW_UNIT_PRODUCT);
    return is_one && unit->out_map.h * unit->out_map.w == 1 ? unit : NULL;
}

static bool is_gate_act(nw_op act)
{
    return act == NW_OP_SIGMOID || act == NW_OP_HARD_SIGMOID || act == NW_OP_CLIP;
}

/* What the gate is multiplied as: over reshapes, and a broadcast written out. */
static nw_tensor_id skip_to_product(const nw_lifter *l, nw_tensor_id at, nw_found *found)
{
    at = nw_lift_skip(l, at, true, found);
    nw_node_id id = nw_lift_next(l, at);
    if (id == NW_NONE || l->graph->nodes[id].op != NW_OP_EXPAND)
        return at;
    nw_found_add(found, id);
    return nw_lift_skip(l, l->graph->nodes[id].outputs[0], true, found);
}

/* Of the map in tensor, from its pooling on. */
static bool match_excite_at(const nw_lifter *l, nw_tensor_id tensor, nw_node_id pool,
                            nw_node_id mul, excite *out)
{
    const nw_node *product = &l->graph->nodes[mul];
    if (product->op != NW_OP_MUL || product->n_inputs != 2 ||
        !is_global_mean(l, &l->graph->nodes[pool]) ||
        l->same[l->graph->nodes[pool].inputs[0]] != l->same[tensor])
        return false;
    nw_found_add(&out->found, pool);
    out->squeeze = gate_unit(l, l->graph->nodes[pool].outputs[0], &out->found);
    if (!out->squeeze)
        return false;
    out->excite = gate_unit(l, out->squeeze->part.out, &out->found);
    if (!out->excite || !is_gate_act(out->excite->part.act))
        return false;
    nw_tensor_id gate = skip_to_product(l, out->excite->part.out, &out->found);
    nw_tensor_id a = product->inputs[0], b = product->inputs[1];
    if (nw_readers_sole(l->graph, &l->readers, gate) != mul ||
        !((a == gate && l->same[b] == l->same[tensor]) ||
          (b == gate && l->same[a] == l->same[tensor])))
        return false;
    nw_found_add(&out->found, mul);
    out->out = nw_lift_skip(l, product->outputs[0], false, &out->found);
    out->act.act = nw_lift_act_inside(product->act);
    out->act.node = product->act == NW_ACT_NONE ? NW_NONE : mul;
    return !out->found.is_full;
}

static bool match_excite(const nw_lifter *l, nw_tensor_id tensor, excite *out)
{
    nw_node_id readers[2];
    nw_found before = {.n = 0};
    *out = (excite){.squeeze = NULL};
    if (nw_lift_readers(l, tensor, readers, 2, &before) != 2)
        return false;
    for (int i = 0; i < 2; i++) {
        out->found = before;
        if (match_excite_at(l, tensor, readers[i], readers[1 - i], out))
            return true;
    }
    out->squeeze = out->excite = NULL;
    return false;
}

/* What goes on behind a unit: its own output, or that of the squeeze-and-excite on it. The
 * activation may stand behind the product. */
static nw_tensor_id behind_excite(const nw_lifter *l, const nw_unit *unit, excite *out)
{
    if (!match_excite(l, unit->part.out, out))
        return unit->part.out;
    nw_act_match act;
    if (is_linear(unit) && out->act.act == NW_OP_IDENTITY && nw_lift_act(l, out->out, &act)) {
        out->act = act;
        out->out = act.after;
    }
    return out->out;
}

/* ---- the residual add ---- */

typedef struct residual {
    nw_node_id add; /* NW_NONE: none */
    nw_unit *shortcut;
    nw_act_match act; /* behind the add */
    nw_tensor_id out;
    nw_found found;
} residual;

/* Whether a tensor is the block's input, or the mean over windows of it that only the shortcut
 * reads (ResNet-D). */
static bool is_shortcut_input(const nw_lifter *l, nw_tensor_id tensor, nw_tensor_id in,
                              nw_found *found)
{
    if (l->same[tensor] == l->same[in])
        return true;
    nw_node_id id = l->graph->tensors[l->same[tensor]].producer;
    if (id == NW_NONE || l->graph->nodes[id].op != NW_OP_AVERAGE_POOL || !nw_lift_is_free(l, id) ||
        nw_readers_count(&l->readers, tensor) != 1 || l->same[tensor] != tensor ||
        l->same[l->graph->nodes[id].inputs[0]] != l->same[in])
        return false;
    nw_found_add(found, id);
    return true;
}

static nw_unit *shortcut_unit(const nw_lifter *l, nw_tensor_id tensor, nw_tensor_id in,
                              nw_node_id add, nw_found *found)
{
    nw_node_id producer = l->graph->tensors[tensor].producer;
    if (producer == NW_NONE || l->unit_of[producer] < 0)
        return NULL;
    nw_unit *unit = &l->units[l->unit_of[producer]];
    bool fits = unit->part.out == tensor && unit->block == LIFT_FREE && is_linear(unit) &&
                unit->form == NW_UNIT_POINTWISE && is_shortcut_input(l, unit->in, in, found);
    return fits && nw_readers_sole(l->graph, &l->readers, tensor) == add ? unit : NULL;
}

/* The quantisers that only the add's other operand is for. */
static void take_operand(const nw_lifter *l, nw_tensor_id at, nw_tensor_id in, nw_found *found)
{
    while (at != in && nw_readers_count(&l->readers, at) == 1) {
        nw_node_id id = l->graph->tensors[at].producer;
        if (id == NW_NONE || !nw_lift_is_free(l, id) || !nw_lift_passes(l->graph, id))
            return;
        nw_found_add(found, id);
        at = l->graph->nodes[id].inputs[0];
    }
}

/* Adds what goes into the block to what stands in tensor. takes_shortcut: also by way of a 1x1. */
static bool match_residual(const nw_lifter *l, nw_tensor_id in, nw_tensor_id tensor,
                           bool takes_shortcut, residual *out)
{
    *out = (residual){.add = NW_NONE, .out = tensor};
    nw_node_id id = nw_lift_next(l, tensor);
    if (id == NW_NONE || l->graph->nodes[id].op != NW_OP_ADD || l->graph->nodes[id].n_inputs != 2)
        return false;
    const nw_node *add = &l->graph->nodes[id];
    nw_tensor_id other = add->inputs[0] == tensor ? add->inputs[1] : add->inputs[0];
    if (!nw_shape_equal(&l->graph->tensors[other].shape, &l->graph->tensors[tensor].shape))
        return false;
    if (l->same[other] == l->same[in])
        take_operand(l, other, in, &out->found);
    else if (!takes_shortcut || !(out->shortcut = shortcut_unit(l, other, in, id, &out->found)))
        return false;
    out->add = id;
    nw_found_add(&out->found, id);
    out->out = nw_lift_skip(l, add->outputs[0], false, &out->found);
    out->act.act = nw_lift_act_inside(add->act);
    out->act.node = add->act == NW_ACT_NONE ? NW_NONE : id;
    nw_act_match act;
    if (add->act == NW_ACT_NONE && nw_lift_act(l, out->out, &act)) {
        out->act = act;
        out->out = act.after;
    }
    return true;
}

/* ---- blocks of units ---- */

typedef struct chain {
    nw_block_kind kind;
    nw_unit *expand, *spatial, *spatial_2, *project; /* NULL: the kind has none */
    excite excite;
    residual residual;
} chain;

static nw_unit *last_unit(const chain *c)
{
    if (c->project)
        return c->project;
    return c->spatial_2 ? c->spatial_2 : c->spatial;
}

static nw_unit *first_unit(const chain *c)
{
    return c->expand ? c->expand : c->spatial;
}

static void claim_excite(nw_lifter *l, const chain *c, nw_block *block)
{
    if (!c->excite.squeeze)
        return;
    nw_lift_claim_unit(l, c->excite.squeeze, NW_PART_SQUEEZE);
    nw_lift_claim_unit(l, c->excite.excite, NW_PART_EXCITE);
    nw_lift_claim_found(l, &c->excite.found);
    nw_lift_claim_found(l, &c->excite.act.found);
    block->squeeze_c = c->excite.squeeze->geometry.out_c;
    nw_block_part *spatial = &block->parts[NW_PART_SPATIAL];
    if (spatial->act == NW_OP_IDENTITY && c->excite.act.act != NW_OP_IDENTITY) {
        spatial->act = c->excite.act.act;
        spatial->act_node = c->excite.act.node;
    }
    spatial->out = c->excite.out;
}

static void claim_residual(nw_lifter *l, const chain *c, nw_block *block)
{
    const residual *r = &c->residual;
    block->out = r->out;
    if (r->add == NW_NONE)
        return;
    if (r->shortcut)
        nw_lift_claim_unit(l, r->shortcut, NW_PART_SHORTCUT);
    nw_lift_claim_found(l, &r->found);
    nw_lift_claim_found(l, &r->act.found);
    block->add = r->add;
    block->has_residual = true;
    block->act = r->act.act;
    block->act_node = r->act.node;
}

static int32_t stride_of(const chain *c)
{
    const nw_unit *units[] = {c->expand, c->spatial, c->spatial_2};
    int64_t stride = 1;
    for (int i = 0; i < 3; i++) {
        stride *= units[i] ? units[i]->geometry.stride_h : 1;
        stride = stride < INT32_MAX ? stride : INT32_MAX;
    }
    return (int32_t)stride;
}

static void claim_chain(nw_lifter *l, const chain *c)
{
    const nw_unit *first = first_unit(c), *last = last_unit(c), *spatial = c->spatial;
    nw_block *block = nw_lift_block(l, c->kind);
    if (c->expand)
        nw_lift_claim_unit(l, c->expand, NW_PART_EXPAND);
    nw_lift_claim_unit(l, c->spatial, NW_PART_SPATIAL);
    if (c->spatial_2)
        nw_lift_claim_unit(l, c->spatial_2, NW_PART_SPATIAL_2);
    if (c->project)
        nw_lift_claim_unit(l, c->project, NW_PART_PROJECT);
    block->in = first->in;
    block->in_h = first->in_map.h;
    block->in_w = first->in_map.w;
    block->in_c = first->in_map.c;
    block->out_h = last->out_map.h;
    block->out_w = last->out_map.w;
    block->out_c = last->out_map.c;
    bool expands_itself = !c->expand && c->kind != NW_BLOCK_DSEP;
    block->mid_c = expands_itself ? spatial->geometry.out_c : spatial->geometry.in_c;
    block->rank_out = c->kind == NW_BLOCK_TUCKER ? spatial->geometry.out_c : 0;
    block->groups = (int32_t)spatial->geometry.groups;
    int64_t kernel_h = spatial->geometry.kernel_h, kernel_w = spatial->geometry.kernel_w;
    block->kernel = (int32_t)(kernel_h > kernel_w ? kernel_h : kernel_w);
    block->dilation = spatial->dilation;
    block->stride = stride_of(c);
    bool expands = c->kind != NW_BLOCK_DSEP && c->kind != NW_BLOCK_BASIC &&
                   c->kind != NW_BLOCK_BOTTLENECK && block->in_c > 0;
    block->expansion = expands ? (double)block->mid_c / (double)block->in_c : 1;
    claim_excite(l, c, block);
    claim_residual(l, c, block);
}

/* The residual add around a chain, if there is one. */
static bool take_residual(const nw_lifter *l, chain *c, bool takes_shortcut)
{
    return match_residual(l, first_unit(c)->in, last_unit(c)->part.out, takes_shortcut,
                          &c->residual);
}

/* 1x1, k x k, 1x1: which of the blocks. */
static bool match_three(const nw_lifter *l, nw_unit *a, chain *c)
{
    if (a->form != NW_UNIT_POINTWISE)
        return false;
    nw_unit *b = unit_behind(l, a->part.out);
    if (!b ||
        (b->form != NW_UNIT_DEPTHWISE && b->form != NW_UNIT_GROUPED && b->form != NW_UNIT_DENSE))
        return false;
    *c = (chain){.expand = a, .spatial = b};
    nw_unit *last = unit_behind(l, behind_excite(l, b, &c->excite));
    if (!is_form(last, NW_UNIT_POINTWISE) || !is_plain(last))
        return false;
    c->project = last;
    bool dense = b->form == NW_UNIT_DENSE;
    bool is_resnet =
        b->form != NW_UNIT_DEPTHWISE && is_linear(last) && a->geometry.out_c == b->geometry.out_c;
    take_residual(l, c, is_resnet);
    if (is_resnet && c->residual.add != NW_NONE && c->residual.act.act != NW_OP_IDENTITY) {
        c->kind = NW_BLOCK_BOTTLENECK;
        return true;
    }
    if (c->residual.shortcut)
        return false;
    /* 1x1 without activation and a k x k with one is a separable convolution the other way round
     * (YuNet), not the beginning of a bottleneck. */
    if (!is_plain(a) || (is_linear(a) && !is_linear(b)))
        return false;
    bool is_open = c->residual.add == NW_NONE;
    if (!is_linear(last) && is_open && (dense || a->geometry.out_c <= a->geometry.in_c))
        return false;
    if (b->form == NW_UNIT_GROUPED && b->geometry.in_c != b->geometry.out_c)
        return false;
    /* a rank is not above the width that it stands for: rather a 1x1 and a fused block behind it
     * (MobileNetEdgeTPU) */
    if (dense && is_open && b->geometry.out_c > last->out_map.c)
        return false;
    c->kind = dense                          ? NW_BLOCK_TUCKER
              : b->form == NW_UNIT_DEPTHWISE ? NW_BLOCK_IBN
                                             : NW_BLOCK_GROUPED;
    return true;
}

/* k x k up, 1x1 down, without activation; two k x k around which there is a way. */
static bool match_dense_pair(const nw_lifter *l, nw_unit *a, chain *c)
{
    if (a->form != NW_UNIT_DENSE && a->form != NW_UNIT_GROUPED)
        return false;
    *c = (chain){.spatial = a};
    nw_unit *last = unit_behind(l, behind_excite(l, a, &c->excite));
    if (is_form(last, NW_UNIT_POINTWISE) && is_plain(last) && is_linear(last)) {
        c->project = last;
        take_residual(l, c, false);
        bool expands = a->geometry.out_c > a->geometry.in_c || c->excite.squeeze;
        c->kind = a->form == NW_UNIT_DENSE ? NW_BLOCK_FUSED : NW_BLOCK_FUSED_GROUPED;
        bool is_image = l->graph->tensors[l->same[a->in]].is_input;
        return c->residual.add != NW_NONE || (expands && !is_image);
    }
    if (c->excite.squeeze || !is_form(last, NW_UNIT_DENSE) || a->form != NW_UNIT_DENSE)
        return false;
    c->spatial_2 = last;
    c->kind = NW_BLOCK_BASIC;
    return take_residual(l, c, true);
}

static bool match_separable(const nw_lifter *l, nw_unit *a, chain *c)
{
    if (a->form != NW_UNIT_DEPTHWISE)
        return false;
    *c = (chain){.kind = NW_BLOCK_DSEP, .spatial = a};
    c->project = unit_behind(l, behind_excite(l, a, &c->excite));
    if (!is_form(c->project, NW_UNIT_POINTWISE) || !is_plain(c->project))
        return false;
    take_residual(l, c, false);
    return true;
}

void nw_lift_blocks(nw_lifter *l)
{
    chain c;
    for (int i = 0; i < l->n_units; i++) {
        nw_unit *unit = &l->units[i];
        if (unit->block != LIFT_FREE)
            continue;
        if (match_three(l, unit, &c) || match_dense_pair(l, unit, &c) ||
            match_separable(l, unit, &c))
            claim_chain(l, &c);
    }
}

/* ---- what stands alone ---- */

static nw_block_kind kind_of_unit(const nw_unit *unit)
{
    if (unit->form == NW_UNIT_PRODUCT)
        return NW_BLOCK_FC;
    return unit->form == NW_UNIT_TRANSPOSED ? NW_BLOCK_UPSAMPLE : NW_BLOCK_CONV;
}

static void claim_unit_alone(nw_lifter *l, nw_unit *unit)
{
    chain c = {.kind = kind_of_unit(unit), .spatial = unit};
    if (c.kind == NW_BLOCK_CONV)
        take_residual(l, &c, false);
    else
        c.residual = (residual){.add = NW_NONE, .out = unit->part.out};
    claim_chain(l, &c);
    nw_block *block = &l->blocks[l->n_blocks - 1];
    block->mid_c = block->in_c;
    block->expansion = 1;
}

static bool is_pool(const nw_lifter *l, const nw_node *node)
{
    return node->op == NW_OP_MAX_POOL || node->op == NW_OP_AVERAGE_POOL ||
           node->op == NW_OP_GLOBAL_POOL || (node->op == NW_OP_REDUCE && is_global_mean(l, node));
}

static void claim_window(nw_lifter *l, nw_node_id id, nw_block_kind kind)
{
    const nw_node *node = &l->graph->nodes[id];
    nw_geometry g;
    nw_found found = {.n = 0};
    nw_block *block = nw_lift_block(l, kind);
    nw_lift_claim(l, id);
    nw_hwc in = nw_tensor_hwc(l->graph, node->inputs[0]);
    nw_hwc out = nw_tensor_hwc(l->graph, node->outputs[0]);
    block->in = node->inputs[0];
    block->out = nw_lift_skip(l, node->outputs[0], false, &found);
    nw_lift_claim_found(l, &found);
    bool has_window = kind == NW_BLOCK_POOL && nw_node_geometry(l->graph, id, &g);
    block->kernel = has_window ? (int32_t)g.kernel_h : kind == NW_BLOCK_POOL ? (int32_t)in.h : 1;
    block->stride = has_window ? (int32_t)g.stride_h : 1;
    if (kind == NW_BLOCK_UPSAMPLE && in.h > 0)
        block->stride = (int32_t)(out.h / in.h);
    block->in_h = in.h;
    block->in_w = in.w;
    block->in_c = block->mid_c = in.c;
    block->out_h = out.h;
    block->out_w = out.w;
    block->out_c = out.c;
}

void nw_lift_singles(nw_lifter *l)
{
    for (int i = 0; i < l->n_units; i++)
        if (l->units[i].block == LIFT_FREE)
            claim_unit_alone(l, &l->units[i]);
}

void nw_lift_windows(nw_lifter *l)
{
    for (int i = 0; i < l->graph->n_nodes; i++) {
        nw_node_id id = l->graph->order[i];
        const nw_node *node = &l->graph->nodes[id];
        if (!nw_lift_is_free(l, id))
            continue;
        if (is_pool(l, node))
            claim_window(l, id, NW_BLOCK_POOL);
        else if (node->op == NW_OP_RESIZE)
            claim_window(l, id, NW_BLOCK_UPSAMPLE);
    }
}
