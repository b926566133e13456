#include "src/arch/piece.h"

#include <assert.h>
#include <string.h>

/* ---- finding ---- */

static bool is_data(const nw_graph *graph, nw_tensor_id tensor)
{
    return tensor != NW_NONE && !graph->tensors[tensor].is_const;
}

/* The padding in front of a convolution that belongs to it: what only it reads. */
static nw_tensor_id before_padding(const nw_graph *graph, nw_tensor_id tensor, nw_node_id *pad)
{
    nw_node_id producer = graph->tensors[tensor].producer;
    *pad = NW_NONE;
    if (producer == NW_NONE || graph->nodes[producer].op != NW_OP_PAD)
        return tensor;
    *pad = producer;
    return graph->nodes[producer].inputs[0];
}

typedef struct walk {
    const nw_graph *graph;
    nw_piece *piece;
    nw_node_id conv;
} walk;

static bool has_node(const nw_piece *piece, nw_node_id node)
{
    for (int i = 0; i < piece->n_nodes; i++)
        if (piece->nodes[i] == node)
            return true;
    return false;
}

/* Nodes between the convolution and a tensor, in order; false: it leads past the convolution. */
static bool collect(walk *w, nw_tensor_id tensor, int depth)
{
    nw_node_id id = w->graph->tensors[tensor].producer;
    if (id == NW_NONE || depth > NW_PIECE_NODES)
        return false;
    if (has_node(w->piece, id))
        return true;
    const nw_node *node = &w->graph->nodes[id];
    for (int i = 0; id != w->conv && i < node->n_inputs; i++)
        if (is_data(w->graph, node->inputs[i]) && !collect(w, node->inputs[i], depth + 1))
            return false;
    if (w->piece->n_nodes == NW_PIECE_NODES)
        return false;
    w->piece->nodes[w->piece->n_nodes++] = id;
    return true;
}

/* A bias or scale a channel behind the convolution is no activation; a number for all may be part
 * of one. */
static bool is_affine(const nw_graph *graph, const nw_node *node)
{
    if (node->op == NW_OP_BATCH_NORM)
        return true;
    bool is_arithmetic = node->op == NW_OP_ADD || node->op == NW_OP_SUB || node->op == NW_OP_MUL ||
                         node->op == NW_OP_DIV;
    for (int i = 0; is_arithmetic && i < node->n_inputs; i++)
        if (node->inputs[i] != NW_NONE && graph->tensors[node->inputs[i]].is_const)
            return nw_shape_elements(&graph->tensors[node->inputs[i]].shape) > 1;
    return false;
}

/* The only reader of a tensor that is no end of the network; NW_NONE: there are more, or none. */
static nw_node_id sole_reader(const nw_graph *graph, nw_tensor_id tensor)
{
    nw_node_id found = NW_NONE;
    if (graph->tensors[tensor].is_output)
        return NW_NONE;
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int i = 0; i < graph->nodes[id].n_inputs; i++)
            if (graph->nodes[id].inputs[i] == tensor) {
                if (found != NW_NONE)
                    return NW_NONE;
                found = id;
            }
    return found;
}

/* Without activation, biases and scales behind the last node that lifting names are in the piece
 * too. */
static nw_node_id last_node(const nw_graph *graph, const nw_block_part *part)
{
    nw_node_id last = part->norm == NW_NONE ? part->conv : part->norm;
    if (part->act_node != NW_NONE)
        return part->act_node;
    for (int i = 0; i < 4 && part->act == NW_OP_IDENTITY; i++) {
        nw_node_id next = sole_reader(graph, graph->nodes[last].outputs[0]);
        if (next == NW_NONE || graph->nodes[next].act != NW_ACT_NONE ||
            !is_affine(graph, &graph->nodes[next]))
            break;
        last = next;
    }
    return last;
}

static void find_act(const nw_graph *graph, const nw_block_part *part, nw_piece *piece)
{
    int at = piece->conv_at + 1;
    while (at < piece->n_nodes && is_affine(graph, &graph->nodes[piece->nodes[at]]))
        at++;
    piece->act_at = at;
    piece->act_end = part->act_node == NW_NONE ? at : piece->n_nodes;
}

static bool has_plain_weights(const nw_graph *graph, const nw_node *conv)
{
    if (conv->n_inputs < 2 || conv->inputs[1] == NW_NONE ||
        !graph->tensors[conv->inputs[1]].is_const)
        return false;
    const nw_shape *shape = &graph->tensors[conv->inputs[1]].shape;
    return (conv->op == NW_OP_CONV2D && shape->rank == 4) ||
           (conv->op == NW_OP_FULLY_CONNECTED && shape->rank == 2);
}

/* Neither space-to-batch nor another convolution (squeeze-and-excite in front of the activation)
 * between a convolution and its activation. */
static bool keeps_shape(const nw_graph *graph, const nw_block *block, const nw_piece *piece)
{
    nw_node_id conv = piece->nodes[piece->conv_at];
    const nw_shape *shape = &graph->tensors[graph->nodes[conv].outputs[0]].shape;
    for (int i = piece->conv_at + 1; i < piece->n_nodes; i++) {
        const nw_node *node = &graph->nodes[piece->nodes[i]];
        if (!nw_shape_equal(&graph->tensors[node->outputs[0]].shape, shape))
            return false;
        for (int role = 0; role < NW_PART_COUNT; role++)
            if (block->parts[role].conv == piece->nodes[i])
                return false;
    }
    return true;
}

nw_status nw_piece_find(const nw_arch *arch, const nw_block *block, nw_part_role role,
                        nw_piece *out, nw_error *err)
{
    const nw_graph *graph = nw_arch_graph(arch);
    const nw_block_part *part = &block->parts[role];
    char label[96], where[16];
    nw_block_label(block, where, sizeof where);
    if (part->conv == NW_NONE)
        return nw_fail(err, NW_INVALID, where, "has no such convolution: it is a %s",
                       nw_block_kind_name(block->kind));
    const nw_node *conv = &graph->nodes[part->conv];
    nw_node_label(graph, part->conv, label, sizeof label);
    *out = (nw_piece){0};
    if (!has_plain_weights(graph, conv) || !nw_node_geometry(graph, part->conv, &out->geometry))
        return nw_fail(err, NW_INVALID, where, "'%s' has no stored weights of two dimensions",
                       label);
    const nw_geometry *g = &out->geometry;
    if (g->kernel_h != g->kernel_w || g->stride_h != g->stride_w || g->dilation_h != g->dilation_w)
        return nw_fail(err, NW_INVALID, where, "is no square convolution: '%s' is %lldx%lld", label,
                       (long long)g->kernel_h, (long long)g->kernel_w);
    nw_node_id pad, last = last_node(graph, part);
    out->in = before_padding(graph, conv->inputs[0], &pad);
    out->out = graph->nodes[last].outputs[0];
    if (pad != NW_NONE && nw_arch_block_of(arch, pad) == block)
        out->nodes[out->n_nodes++] = pad;
    else
        out->in = conv->inputs[0];
    out->conv_at = out->n_nodes;
    walk w = {graph, out, part->conv};
    bool is_chain = collect(&w, out->out, 0) && out->nodes[out->conv_at] == part->conv;
    find_act(graph, part, out);
    if (!is_chain || out->act_end < out->n_nodes || !keeps_shape(graph, block, out))
        return nw_fail(err, NW_INVALID, where,
                       "'%s' and its activation are no chain: other operators stand between",
                       label);
    return NW_OK;
}

nw_piece_form nw_piece_form_of(const nw_graph *graph, const nw_piece *piece)
{
    const nw_attrs *attrs = &graph->nodes[piece->nodes[piece->conv_at]].attrs;
    const nw_geometry *g = &piece->geometry;
    nw_piece_form form = {.in_c = g->in_c,
                          .out_c = g->out_c,
                          .groups = g->groups,
                          .window = {.kernel = (int32_t)g->kernel_h,
                                     .stride = (int32_t)g->stride_h,
                                     .dilation = (int32_t)g->dilation_h,
                                     .pad_mode = attrs->pad_mode,
                                     .top = attrs->pad_top,
                                     .left = attrs->pad_left,
                                     .bottom = attrs->pad_bottom,
                                     .right = attrs->pad_right}};
    return form;
}

bool nw_piece_is_depthwise(const nw_piece_form *form)
{
    return form->groups > 1 && form->groups == form->in_c;
}

nw_window nw_window_point(const nw_window *like)
{
    bool is_same = like->pad_mode == NW_PAD_SAME_UPPER || like->pad_mode == NW_PAD_SAME_LOWER;
    return (nw_window){.kernel = 1,
                       .stride = 1,
                       .dilation = 1,
                       .pad_mode = is_same ? like->pad_mode : (uint8_t)NW_PAD_EXPLICIT};
}

/* ---- constants ---- */

static uint8_t layout_for(const nw_attrs *attrs, const nw_piece_form *form)
{
    if (attrs->weight_layout == NW_WEIGHTS_HWIO && !nw_piece_is_depthwise(form) && form->in_c > 1)
        return NW_WEIGHTS_OHWI;
    if (attrs->weight_layout == NW_WEIGHTS_OHWI && nw_piece_is_depthwise(form))
        return NW_WEIGHTS_HWIO;
    return attrs->weight_layout;
}

static nw_reshaped weights_for(const nw_piece_form *form, uint8_t layout, int rank)
{
    int64_t o = form->out_c, i = form->in_c / form->groups, k = form->window.kernel;
    nw_reshaped to = {.fill = NW_EDIT_FILL_HE, .fan_in = i * k * k, .quant_axis = 0};
    if (rank == 2) {
        bool inner_first = layout == NW_WEIGHTS_IOHW;
        to.shape = (nw_shape){2, {inner_first ? i : o, inner_first ? o : i}};
        to.quant_axis = inner_first;
        return to;
    }
    int spatial = layout == NW_WEIGHTS_OIHW ? 2 : 1;
    to.is_spatial[spatial] = to.is_spatial[spatial + 1] = true;
    if (layout == NW_WEIGHTS_OIHW) {
        to.shape = (nw_shape){4, {o, i, k, k}};
    } else if (layout == NW_WEIGHTS_HWIO) {
        to.shape = (nw_shape){4, {1, k, k, o}};
        to.quant_axis = 3;
    } else {
        to.shape = (nw_shape){4, {o, k, k, i}};
    }
    return to;
}

static void set_conv(nw_draft *draft, const nw_piece *piece, const nw_node *old, nw_node *node,
                     const nw_piece_form *form)
{
    nw_piece_form was = nw_piece_form_of(draft->old, piece);
    uint8_t layout =
        old->op == NW_OP_CONV2D ? layout_for(&old->attrs, form) : old->attrs.weight_layout;
    int rank = draft->old->tensors[old->inputs[1]].shape.rank;
    nw_reshaped weights = weights_for(form, layout, rank);
    bool is_alike = layout == old->attrs.weight_layout &&
                    nw_piece_is_depthwise(&was) == nw_piece_is_depthwise(form) &&
                    (nw_piece_is_depthwise(form) || was.groups == form->groups);
    weights.keeps = is_alike && !form->is_new;
    nw_reshaped bias = {.shape = {1, {form->out_c}}, .keeps = !form->is_new};
    nw_tensor_id w = nw_draft_constant(draft, old->inputs[1], &weights);
    nw_tensor_id b = old->n_inputs > 2 ? nw_draft_constant(draft, old->inputs[2], &bias) : NW_NONE;
    node->inputs[1] = w;
    if (old->n_inputs > 2)
        node->inputs[2] = b;
    if (old->op != NW_OP_CONV2D)
        return;
    node->attrs.weight_layout = layout;
    node->attrs.groups = layout == NW_WEIGHTS_HWIO ? 0 : (int32_t)form->groups;
    if (layout != old->attrs.weight_layout)
        node->file_type = layout == NW_WEIGHTS_HWIO ? "DEPTHWISE_CONV_2D" : "CONV_2D";
    const nw_window *window = &form->window;
    node->attrs.kernel_h = node->attrs.kernel_w = window->kernel;
    node->attrs.stride_h = node->attrs.stride_w = window->stride;
    node->attrs.dilation_h = node->attrs.dilation_w = window->dilation;
    node->attrs.pad_mode = window->pad_mode;
    node->attrs.pad_top = window->top;
    node->attrs.pad_left = window->left;
    node->attrs.pad_bottom = window->bottom;
    node->attrs.pad_right = window->right;
}

static nw_edit_fill fill_for(nw_op op, int input)
{
    switch (op) {
    case NW_OP_BATCH_NORM: /* scale, bias, mean, variance */
        return input == 1 || input == 4 ? NW_EDIT_FILL_ONE : NW_EDIT_FILL_ZERO;
    case NW_OP_PRELU:
        return NW_EDIT_FILL_SLOPE;
    case NW_OP_MUL:
    case NW_OP_DIV:
        return NW_EDIT_FILL_ONE;
    default:
        return NW_EDIT_FILL_ZERO;
    }
}

/* The axis of a constant that goes with the channels of a map; -1: none does. */
static int channel_axis(const nw_graph *graph, nw_op op, const nw_shape *shape, int64_t channels)
{
    if (op == NW_OP_BATCH_NORM)
        return shape->rank == 1 ? 0 : -1;
    int from_end = graph->layout == NW_LAYOUT_NCHW ? 3 : 1;
    int axis = shape->rank - from_end;
    return axis >= 0 && shape->dims[axis] == channels && channels > 1 ? axis : -1;
}

/* Normalisation, slopes of PReLU, biases and scales of their own behind the convolution. */
static void set_follower(nw_draft *draft, const nw_piece *piece, const nw_node *old,
                         nw_node_id target, const nw_piece_form *form)
{
    bool has_channels =
        old->op == NW_OP_BATCH_NORM || old->op == NW_OP_PRELU || is_affine(draft->old, old);
    for (int i = 0; has_channels && i < old->n_inputs; i++) {
        if (old->inputs[i] == NW_NONE || !draft->old->tensors[old->inputs[i]].is_const)
            continue;
        nw_reshaped to = {.shape = draft->old->tensors[old->inputs[i]].shape,
                          .keeps = !form->is_new,
                          .fill = fill_for(old->op, i)};
        int axis = channel_axis(draft->old, old->op, &to.shape, piece->geometry.out_c);
        if (axis < 0)
            continue;
        to.shape.dims[axis] = form->out_c;
        to.quant_axis = axis;
        nw_tensor_id made = nw_draft_constant(draft, old->inputs[i], &to);
        draft->graph->nodes[target].inputs[i] = made;
    }
}

void nw_piece_set(nw_draft *draft, const nw_piece *piece, const nw_node_id *targets,
                  const nw_piece_form *form)
{
    for (int i = piece->conv_at; i < piece->n_nodes; i++) {
        if (targets[i] == NW_NONE)
            continue;
        const nw_node *old = &draft->old->nodes[piece->nodes[i]];
        if (i > piece->conv_at) {
            set_follower(draft, piece, old, targets[i], form);
            continue;
        }
        nw_node conv = draft->graph->nodes[targets[i]]; /* adding nodes moves the list */
        set_conv(draft, piece, old, &conv, form);
        draft->graph->nodes[targets[i]] = conv;
    }
}

/* ---- writing again ---- */

typedef struct renaming {
    nw_tensor_id from[NW_PIECE_NODES + 1], to[NW_PIECE_NODES + 1];
    int n;
} renaming;

static nw_tensor_id renamed(const renaming *names, nw_tensor_id tensor)
{
    for (int i = 0; i < names->n; i++)
        if (names->from[i] == tensor)
            return names->to[i];
    return tensor;
}

static void rename_to(renaming *names, nw_tensor_id from, nw_tensor_id to)
{
    names->from[names->n] = from;
    names->to[names->n++] = to;
}

/* Drops what writes the tensor in the draft, if that is still what wrote it in the old graph. */
static void drop_producer(nw_draft *draft, nw_tensor_id tensor)
{
    nw_node_id producer =
        tensor < draft->old->n_tensors ? draft->old->tensors[tensor].producer : NW_NONE;
    if (producer != NW_NONE && draft->graph->nodes[producer].outputs[0] == tensor)
        nw_draft_drop(draft, producer);
}

static nw_node_id emit_node(nw_draft *draft, nw_node_id id, const renaming *names, bool is_linear,
                            const char *suffix, nw_tensor_id out)
{
    const nw_node *old = &draft->old->nodes[id];
    nw_tensor_id inputs[8];
    assert(old->n_inputs <= 8 && old->n_outputs == 1);
    for (int k = 0; k < old->n_inputs; k++)
        inputs[k] = renamed(names, old->inputs[k]);
    nw_node *clone = nw_draft_clone(draft, id, suffix, inputs, &out);
    if (is_linear)
        clone->act = NW_ACT_NONE;
    return draft->graph->n_nodes - 1;
}

nw_tensor_id nw_piece_emit(nw_draft *draft, const nw_piece *like, const nw_piece_form *form,
                           bool has_pad, const char *suffix, nw_tensor_id in, nw_tensor_id out)
{
    renaming names = {{like->in}, {in}, 1};
    nw_node_id targets[NW_PIECE_NODES];
    nw_tensor_id linear = draft->old->nodes[like->nodes[like->act_at - 1]].outputs[0];
    nw_tensor_id end = form->is_linear ? linear : like->out;
    if (out != NW_NONE)
        drop_producer(draft, out);
    for (int i = 0; i < NW_PIECE_NODES; i++)
        targets[i] = NW_NONE;
    for (int i = 0; i < like->n_nodes; i++) {
        nw_tensor_id made = draft->old->nodes[like->nodes[i]].outputs[0], next = out;
        bool is_act = i >= like->act_at && i < like->act_end;
        if ((i < like->conv_at && !has_pad) || (is_act && form->is_linear)) {
            rename_to(&names, made, renamed(&names, is_act ? linear : like->in));
            continue;
        }
        if (made != end || out == NW_NONE)
            next = nw_draft_tensor(draft, made, suffix);
        targets[i] = emit_node(draft, like->nodes[i], &names, form->is_linear, suffix, next);
        rename_to(&names, made, next);
    }
    nw_piece_set(draft, like, targets, form);
    return renamed(&names, end);
}

/* ---- activations ---- */

static nw_act act_inside(nw_op op)
{
    switch (op) {
    case NW_OP_RELU:
        return NW_ACT_RELU;
    case NW_OP_RELU6:
        return NW_ACT_RELU6;
    case NW_OP_TANH:
        return NW_ACT_TANH;
    default:
        return NW_ACT_NONE;
    }
}

/* Whether TFLite lets an operator hold its activation. */
static bool holds_acts(nw_op op)
{
    return op == NW_OP_CONV2D || op == NW_OP_FULLY_CONNECTED || op == NW_OP_ADD ||
           op == NW_OP_SUB || op == NW_OP_MUL || op == NW_OP_DIV;
}

void nw_piece_set_act(nw_draft *draft, const nw_piece *piece, nw_op act)
{
    nw_graph *graph = draft->graph;
    nw_node_id conv = piece->nodes[piece->conv_at], last = piece->nodes[piece->act_at - 1];
    nw_tensor_id before = draft->old->nodes[last].outputs[0];
    bool has_nodes = piece->act_end > piece->act_at;
    bool goes_inside = nw_draft_is_tflite(draft) && !has_nodes &&
                       holds_acts(draft->old->nodes[last].op) &&
                       (act == NW_OP_IDENTITY || act_inside(act) != NW_ACT_NONE);
    graph->nodes[conv].act = NW_ACT_NONE;
    graph->nodes[last].act = goes_inside ? act_inside(act) : NW_ACT_NONE;
    if (goes_inside)
        return;
    if (act == NW_OP_IDENTITY) {
        if (has_nodes)
            nw_draft_merge(draft, before, piece->out);
        return;
    }
    if (has_nodes) {
        drop_producer(draft, piece->out);
    } else { /* what stood last keeps its work, the activation takes over its tensor */
        before = nw_draft_tensor(draft, piece->out, "linear");
        draft->graph->nodes[last].outputs[0] = before;
    }
    const char *base = draft->graph->nodes[conv].name[0] ? draft->graph->nodes[conv].name
                                                         : draft->graph->tensors[before].name;
    nw_draft_node(draft, act, base, nw_op_name(act), &before, 1, piece->out);
}

/* ---- quantisers between pieces ---- */

static nw_node_id next_converter(const nw_graph *graph, nw_tensor_id tensor)
{
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        if (nw_op_is_converter(graph->nodes[id].op) && graph->nodes[id].inputs[0] == tensor)
            return id;
    return NW_NONE;
}

/* Quantise first: a converter of its own kind (a cast that the file has) is no glue. */
static nw_node_id glue_behind(const nw_graph *graph, nw_tensor_id tensor, bool is_first)
{
    nw_node_id id = next_converter(graph, tensor);
    return id != NW_NONE && is_first && graph->nodes[id].op != NW_OP_QUANTIZE ? NW_NONE : id;
}

nw_tensor_id nw_glue_end(const nw_graph *graph, nw_tensor_id tensor)
{
    nw_node_id id = glue_behind(graph, tensor, true);
    for (int i = 0; id != NW_NONE && i < NW_PIECE_NODES; i++) {
        tensor = graph->nodes[id].outputs[0];
        id = graph->nodes[id].op == NW_OP_DEQUANTIZE ? NW_NONE : glue_behind(graph, tensor, false);
    }
    return tensor;
}

nw_tensor_id nw_glue_begin(const nw_graph *graph, nw_tensor_id tensor)
{
    for (int i = 0; i < NW_PIECE_NODES; i++) {
        nw_node_id id = graph->tensors[tensor].producer;
        if (id == NW_NONE || !nw_op_is_converter(graph->nodes[id].op))
            break;
        tensor = graph->nodes[id].inputs[0];
    }
    return tensor;
}

nw_tensor_id nw_glue_emit(nw_draft *draft, nw_tensor_id like, nw_tensor_id tensor,
                          const char *suffix)
{
    nw_node_id id = glue_behind(draft->old, like, true);
    for (int i = 0; id != NW_NONE && i < NW_PIECE_NODES; i++) {
        const nw_node *old = &draft->old->nodes[id];
        nw_tensor_id inputs[8];
        assert(old->n_inputs <= 8);
        memcpy(inputs, old->inputs, (size_t)old->n_inputs * sizeof *inputs);
        inputs[0] = tensor;
        tensor = nw_draft_tensor(draft, old->outputs[0], suffix);
        nw_draft_clone(draft, id, suffix, inputs, &tensor);
        id =
            old->op == NW_OP_DEQUANTIZE ? NW_NONE : glue_behind(draft->old, old->outputs[0], false);
    }
    return tensor;
}

bool nw_glue_is_private(const nw_draft *draft, nw_tensor_id tensor)
{
    nw_node_id id;
    bool is_first = true;
    for (int i = 0; i < NW_PIECE_NODES; i++) {
        if (nw_draft_n_readers(draft, tensor) != 1)
            return false;
        id = glue_behind(draft->old, tensor, is_first);
        if (id == NW_NONE || draft->old->nodes[id].op == NW_OP_DEQUANTIZE)
            return id == NW_NONE ||
                   nw_draft_n_readers(draft, draft->old->nodes[id].outputs[0]) == 1;
        tensor = draft->old->nodes[id].outputs[0];
        is_first = false;
    }
    return false;
}
