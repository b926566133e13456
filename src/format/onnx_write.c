#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/onnx_write.h"

#ifndef NASW_VERSION
#define NASW_VERSION "?"
#endif

#define IR_VERSION      8
#define MAX_MODEL_BYTES ((size_t)2000 << 20) /* protobuf readers refuse 2 GiB */

/* ---- the table ---- */

/* Whatever is not here cannot be written. */
static nw_onnx_rule *const rules[NW_OP_COUNT] = {
    [NW_OP_CONV2D] = nw_onnx_write_conv,
    [NW_OP_CONV_TRANSPOSE] = nw_onnx_write_conv_transpose,
    [NW_OP_MATMUL] = nw_onnx_write_matmul,
    [NW_OP_FULLY_CONNECTED] = nw_onnx_write_fully_connected,
    [NW_OP_MAX_POOL] = nw_onnx_write_pool,
    [NW_OP_AVERAGE_POOL] = nw_onnx_write_pool,
    [NW_OP_GLOBAL_POOL] = nw_onnx_write_global_pool,
    [NW_OP_RELU] = nw_onnx_write_activation,
    [NW_OP_RELU6] = nw_onnx_write_activation,
    [NW_OP_CLIP] = nw_onnx_write_activation,
    [NW_OP_HARD_SWISH] = nw_onnx_write_activation,
    [NW_OP_HARD_SIGMOID] = nw_onnx_write_activation,
    [NW_OP_SIGMOID] = nw_onnx_write_activation,
    [NW_OP_SWISH] = nw_onnx_write_activation,
    [NW_OP_LEAKY_RELU] = nw_onnx_write_activation,
    [NW_OP_PRELU] = nw_onnx_write_prelu,
    [NW_OP_TANH] = nw_onnx_write_activation,
    [NW_OP_GELU] = nw_onnx_write_activation,
    [NW_OP_UNARY] = nw_onnx_write_unary,
    [NW_OP_ADD] = nw_onnx_write_binary,
    [NW_OP_SUB] = nw_onnx_write_binary,
    [NW_OP_MUL] = nw_onnx_write_binary,
    [NW_OP_DIV] = nw_onnx_write_binary,
    [NW_OP_POW] = nw_onnx_write_binary,
    [NW_OP_MIN] = nw_onnx_write_binary,
    [NW_OP_MAX] = nw_onnx_write_binary,
    [NW_OP_MOD] = nw_onnx_write_binary,
    [NW_OP_COMPARE] = nw_onnx_write_compare,
    [NW_OP_WHERE] = nw_onnx_write_where,
    [NW_OP_CONCAT] = nw_onnx_write_concat,
    [NW_OP_STACK] = nw_onnx_write_stack,
    [NW_OP_UNSTACK] = nw_onnx_write_unstack,
    [NW_OP_SPLIT] = nw_onnx_write_split,
    [NW_OP_SLICE] = nw_onnx_write_slice,
    [NW_OP_SLICE_SIZE] = nw_onnx_write_slice,
    [NW_OP_STRIDED_SLICE] = nw_onnx_write_slice,
    [NW_OP_GATHER] = nw_onnx_write_gather,
    [NW_OP_PAD] = nw_onnx_write_pad,
    [NW_OP_RESHAPE] = nw_onnx_write_reshape,
    [NW_OP_FLATTEN] = nw_onnx_write_reshape,
    [NW_OP_SQUEEZE] = nw_onnx_write_reshape,
    [NW_OP_UNSQUEEZE] = nw_onnx_write_reshape,
    [NW_OP_TRANSPOSE] = nw_onnx_write_transpose,
    [NW_OP_EXPAND] = nw_onnx_write_expand,
    [NW_OP_TILE] = nw_onnx_write_expand,
    [NW_OP_RESIZE] = nw_onnx_write_resize,
    [NW_OP_DEPTH_TO_SPACE] = nw_onnx_write_depth_to_space,
    [NW_OP_SPACE_TO_DEPTH] = nw_onnx_write_space_to_depth,
    [NW_OP_SPACE_TO_BATCH] = nw_onnx_write_space_to_batch,
    [NW_OP_BATCH_TO_SPACE] = nw_onnx_write_batch_to_space,
    [NW_OP_CHANNEL_SHUFFLE] = nw_onnx_write_channel_shuffle,
    [NW_OP_REDUCE] = nw_onnx_write_reduce,
    [NW_OP_ARG_MAX] = nw_onnx_write_arg_max,
    [NW_OP_TOP_K] = nw_onnx_write_top_k,
    [NW_OP_SOFTMAX] = nw_onnx_write_softmax,
    [NW_OP_BATCH_NORM] = nw_onnx_write_batch_norm,
    [NW_OP_LAYER_NORM] = nw_onnx_write_layer_norm,
    [NW_OP_INSTANCE_NORM] = nw_onnx_write_instance_norm,
    [NW_OP_QUANTIZE] = nw_onnx_write_quantize,
    [NW_OP_DEQUANTIZE] = nw_onnx_write_dequantize,
    [NW_OP_CAST] = nw_onnx_write_cast,
    [NW_OP_IDENTITY] = nw_onnx_write_identity,
    [NW_OP_CONSTANT] = nw_onnx_write_constant,
    [NW_OP_CONSTANT_OF_SHAPE] = nw_onnx_write_fill,
    [NW_OP_SHAPE] = nw_onnx_write_shape,
    [NW_OP_SIZE] = nw_onnx_write_shape,
    [NW_OP_RANGE] = nw_onnx_write_range,
    [NW_OP_GATHER_ND] = nw_onnx_write_gather,
    [NW_OP_GATHER_ELEMENTS] = nw_onnx_write_gather,
    [NW_OP_SCATTER] = nw_onnx_write_scatter,
    [NW_OP_ONE_HOT] = nw_onnx_write_one_hot,
    [NW_OP_CUM_SUM] = nw_onnx_write_cum_sum,
};

/* In a graph that keeps N,H,W,C, or whose quantisation is left out, values of constants are written
 * where they are used. */
static bool is_known_beforehand(const nw_onnx_writer *w, const nw_node *node)
{
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] != NW_NONE && !nw_onnx_has_constant(w, node->outputs[i]))
            return false;
    return w->is_nhwc || w->is_stripped || (node->op == NW_OP_CONSTANT && w->options.bits == 8);
}

static void write_node(nw_onnx_writer *w, nw_node_id id)
{
    const nw_node *node = &w->graph->nodes[id];
    w->at = id;
    if (is_known_beforehand(w, node))
        return;
    w->pending = nw_arena_alloc(&w->arena, (size_t)node->n_outputs * sizeof *w->pending);
    if (!rules[node->op])
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "what it does is not known here");
    else if (node->attrs.is_partial)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "its file says more than the graph keeps of it");
    else if (node->n_outputs < 1 || node->outputs[0] == NW_NONE)
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "it has no first output");
    else
        rules[node->op](w, node);
    if (w->status == NW_OK)
        nw_onnx_finish_node(w);
}

/* ---- before and after the nodes ---- */

static void name_tensors(nw_onnx_writer *w)
{
    char number[32];
    for (nw_tensor_id id = 0; id < w->graph->n_tensors; id++) {
        const char *name = w->graph->tensors[id].name;
        snprintf(number, sizeof number, "tensor_%d", (int)id);
        w->states[id].name = nw_onnx_new_name(w, name[0] ? name : number, "");
    }
}

static void find_users(nw_onnx_writer *w)
{
    for (nw_node_id id = 0; id < w->graph->n_nodes; id++) {
        const nw_node *node = &w->graph->nodes[id];
        for (int i = 0; i < node->n_inputs; i++)
            if (node->inputs[i] != NW_NONE) {
                w->states[node->inputs[i]].n_uses++;
                w->states[node->inputs[i]].user = id;
            }
    }
}

static nw_onnx_role role_of_input(nw_op op, int i)
{
    switch (op) {
    case NW_OP_CONV2D:
    case NW_OP_CONV_TRANSPOSE:
    case NW_OP_FULLY_CONNECTED:
        return i == 1 ? NW_ONNX_ROLE_WEIGHTS : i == 2 ? NW_ONNX_ROLE_BIAS : NW_ONNX_ROLE_ANY;
    case NW_OP_MATMUL:
        return NW_ONNX_ROLE_WEIGHTS;
    case NW_OP_BATCH_NORM:
        return i == 1 || i == 4 ? NW_ONNX_ROLE_FACTOR : NW_ONNX_ROLE_BIAS;
    case NW_OP_LAYER_NORM:
    case NW_OP_INSTANCE_NORM:
        return i == 1 ? NW_ONNX_ROLE_FACTOR : NW_ONNX_ROLE_BIAS;
    case NW_OP_PRELU:
        return i == 1 ? NW_ONNX_ROLE_SLOPE : NW_ONNX_ROLE_ANY;
    default:
        return NW_ONNX_ROLE_ANY;
    }
}

/* What the constants stand for, for those that have no values. */
static void find_roles(nw_onnx_writer *w)
{
    for (nw_node_id id = 0; id < w->graph->n_nodes; id++) {
        const nw_node *node = &w->graph->nodes[id];
        nw_geometry g;
        int64_t fan_in = 1;
        if (nw_node_geometry(w->graph, id, &g))
            fan_in = g.kernel_h * g.kernel_w * (g.groups > 0 ? g.in_c / g.groups : g.in_c);
        for (int i = 0; i < node->n_inputs; i++) {
            nw_tensor_id input = node->inputs[i];
            nw_onnx_role role = role_of_input(node->op, i);
            if (role == NW_ONNX_ROLE_ANY || input == NW_NONE || !w->graph->tensors[input].is_const)
                continue;
            input = nw_graph_stored_root(w->graph, input);
            if (input == NW_NONE || w->states[input].role != NW_ONNX_ROLE_ANY)
                continue;
            w->states[input].role = role;
            w->states[input].fan_in = fan_in > 0 ? fan_in : 1;
        }
    }
}

static bool is_integer_operator(const nw_graph *graph, const nw_node *node)
{
    static const nw_op movers[] = {
        NW_OP_QUANTIZE, NW_OP_DEQUANTIZE, NW_OP_MAX_POOL, NW_OP_RELU,      NW_OP_CLIP,
        NW_OP_CONCAT,   NW_OP_SPLIT,      NW_OP_SLICE,    NW_OP_GATHER,    NW_OP_RESHAPE,
        NW_OP_FLATTEN,  NW_OP_SQUEEZE,    NW_OP_PAD,      NW_OP_UNSQUEEZE, NW_OP_TRANSPOSE,
        NW_OP_IDENTITY, NW_OP_CAST,       NW_OP_SHAPE,    NW_OP_SIZE,      NW_OP_OPAQUE};
    if (strstr(node->file_type, "QLinear") || strstr(node->file_type, "QGemm"))
        return true;
    for (size_t i = 0; i < sizeof movers / sizeof *movers; i++)
        if (node->op == movers[i])
            return false;
    for (int i = 0; i < node->n_inputs; i++) {
        const nw_tensor *x = node->inputs[i] == NW_NONE ? NULL : &graph->tensors[node->inputs[i]];
        if (x && x->quant.n_channels && !nw_dtype_is_float(x->dtype))
            return true;
    }
    return false;
}

/* Whether quantisation is in nodes with scales, and nothing else computes on integers. */
static void find_quantisation(nw_onnx_writer *w)
{
    bool has_nodes = false, has_operators = false, must_be_float = w->options.to_float;
    for (nw_node_id id = 0; id < w->graph->n_nodes; id++) {
        const nw_node *node = &w->graph->nodes[id];
        bool is_dynamic = strcmp(node->file_type, "DynamicQuantizeLinear") == 0;
        has_nodes |= (node->op == NW_OP_QUANTIZE || node->op == NW_OP_DEQUANTIZE) &&
                     (node->n_inputs > 1 || is_dynamic);
        has_operators |= is_integer_operator(w->graph, node);
    }
    for (nw_tensor_id id = 0; id < w->graph->n_tensors; id++)
        must_be_float |= w->graph->tensors[id].edited != NULL;
    must_be_float |= w->options.weights != NW_ONNX_WEIGHTS_KEPT;
    w->is_explicit = has_nodes && !has_operators && !must_be_float;
    w->is_stripped = has_nodes && !has_operators && must_be_float;
    if (w->is_explicit)
        w->options.bits = 0;
    for (nw_tensor_id id = 0; id < w->graph->n_tensors; id++) {
        const nw_tensor *tensor = &w->graph->tensors[id];
        w->is_dequantised |= w->options.bits == 0 && nw_onnx_is_quantised(w, id);
        w->has_scales |= !w->is_explicit && !tensor->is_const && tensor->quant.n_channels == 1 &&
                         (tensor->dtype == NW_DTYPE_INT8 || tensor->dtype == NW_DTYPE_UINT8);
    }
}

static Onnx__ValueInfoProto *make_value_info(nw_onnx_writer *w, const nw_onnx_edge *edge)
{
    Onnx__ValueInfoProto *info = nw_arena_alloc(&w->arena, sizeof *info);
    Onnx__TypeProto *type = nw_arena_alloc(&w->arena, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = nw_arena_alloc(&w->arena, sizeof *tensor);
    onnx__value_info_proto__init(info);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    info->name = (char *)edge->name;
    info->type = type;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    tensor->has_elem_type = 1;
    tensor->elem_type = nw_onnx_data_type(edge->dtype);
    if (!nw_shape_is_known(&edge->shape))
        return info;
    Onnx__TensorShapeProto *shape = nw_arena_alloc(&w->arena, sizeof *shape);
    onnx__tensor_shape_proto__init(shape);
    shape->n_dim = (size_t)edge->shape.rank;
    shape->dim = nw_arena_alloc(&w->arena, shape->n_dim * sizeof *shape->dim);
    for (size_t i = 0; i < shape->n_dim; i++) {
        Onnx__TensorShapeProto__Dimension *dim = nw_arena_alloc(&w->arena, sizeof *dim);
        onnx__tensor_shape_proto__dimension__init(dim);
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        dim->dim_value = edge->shape.dims[i];
        shape->dim[i] = dim;
    }
    tensor->shape = shape;
    return info;
}

static Onnx__ValueInfoProto *put_input(nw_onnx_writer *w, nw_tensor_id id)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    nw_onnx_edge *edge = nw_arena_alloc(&w->arena, sizeof *edge);
    *edge = (nw_onnx_edge){
        .name = w->states[id].name, .dtype = nw_onnx_wire_type(w, id), .shape = tensor->shape};
    if (!nw_onnx_data_type(edge->dtype))
        nw_onnx_write_fail(w, NW_UNSUPPORTED, "input '%.80s' is of type %s", edge->name,
                           nw_dtype_name(edge->dtype));
    w->states[id].is_name_used = true;
    if (!w->states[id].plain) /* an input that is listed twice */
        nw_onnx_put_input(w, id, edge);
    return make_value_info(w, edge);
}

/* The plain edge under the tensor's own name. */
static Onnx__ValueInfoProto *put_output(nw_onnx_writer *w, nw_tensor_id id)
{
    nw_onnx_state *state = &w->states[id];
    w->at = w->graph->tensors[id].producer;
    const nw_onnx_edge *edge = nw_onnx_plain(w, id);
    bool is_there = edge->name == state->name && !state->is_put_out;
    if (!is_there && w->status == NW_OK) {
        bool is_taken = state->is_name_used || state->is_put_out;
        nw_onnx_edge *out = nw_arena_alloc(&w->arena, sizeof *out);
        *out = (nw_onnx_edge){.dtype = edge->dtype, .shape = edge->shape};
        out->name = is_taken ? nw_onnx_new_name(w, state->name, "_output") : state->name;
        state->is_name_used = true;
        nw_onnx_put(w, "Identity", out, 1, &edge);
        w->nodes[w->n_nodes - 1].is_spare = false;
        edge = out;
    }
    state->is_put_out = true;
    return make_value_info(w, edge);
}

/* ---- leaving out what nobody reads ---- */

static void prune(nw_onnx_writer *w)
{
    nw_map used = {0};
    size_t n = 0;
    for (int i = 0; i < w->graph->n_outputs; i++)
        nw_map_put(&used, w->states[w->graph->outputs[i]].name, 1);
    for (size_t i = w->n_nodes; i > 0; i--) {
        nw_onnx_made *made = &w->nodes[i - 1];
        bool is_read = !made->is_spare;
        for (size_t k = 0; k < made->proto->n_output; k++)
            is_read |= nw_map_get(&used, made->proto->output[k]) != NW_MAP_NONE;
        for (size_t k = 0; k < made->proto->n_input && is_read; k++)
            nw_map_put(&used, made->proto->input[k], 1);
        if (!is_read)
            made->proto = NULL;
    }
    for (size_t i = 0; i < w->n_nodes; i++)
        if (w->nodes[i].proto)
            w->nodes[n++] = w->nodes[i];
    w->n_nodes = n;
    n = 0;
    for (size_t i = 0; i < w->n_constants; i++)
        if (nw_map_get(&used, w->constants[i]->name) != NW_MAP_NONE)
            w->constants[n++] = w->constants[i];
    w->n_constants = n;
    nw_map_fini(&used);
}

/* ---- the whole ---- */

static void fill_nodes(nw_onnx_writer *w, Onnx__GraphProto *graph)
{
    nw_map outputs = {0};
    graph->n_node = w->n_nodes;
    graph->node = nw_arena_alloc(&w->arena, w->n_nodes * sizeof *graph->node);
    size_t n_edges = 0;
    for (size_t i = 0; i < w->n_nodes; i++) {
        graph->node[i] = w->nodes[i].proto;
        n_edges += w->nodes[i].proto->n_output;
    }
    for (size_t i = 0; i < graph->n_output; i++)
        nw_map_put(&outputs, graph->output[i]->name, 1);
    graph->value_info = nw_arena_alloc(&w->arena, n_edges * sizeof *graph->value_info);
    for (size_t i = 0; i < w->n_nodes; i++)
        for (size_t k = 0; k < w->nodes[i].proto->n_output; k++) {
            const nw_onnx_edge *edge = w->nodes[i].outputs[k];
            if (edge->name[0] && nw_shape_is_known(&edge->shape) &&
                nw_onnx_data_type(edge->dtype) && nw_map_get(&outputs, edge->name) == NW_MAP_NONE)
                graph->value_info[graph->n_value_info++] = make_value_info(w, edge);
        }
    graph->n_initializer = w->n_constants;
    graph->initializer = w->constants;
    nw_map_fini(&outputs);
}

static void fill_model(nw_onnx_writer *w, Onnx__ModelProto *model)
{
    static char producer[] = "nasw", version[] = NASW_VERSION, domain[] = "";
    static char made_up[] = "nasw.made_up_constants";
    Onnx__OperatorSetIdProto *opset = nw_arena_alloc(&w->arena, sizeof *opset);
    onnx__operator_set_id_proto__init(opset);
    opset->domain = domain;
    opset->has_version = 1;
    opset->version = NW_ONNX_OPSET;
    model->has_ir_version = 1;
    model->ir_version = IR_VERSION;
    model->n_opset_import = 1;
    model->opset_import = nw_arena_copy(&w->arena, &opset, sizeof opset);
    model->producer_name = producer;
    model->producer_version = version;
    if (!w->n_made_up)
        return;
    Onnx__StringStringEntryProto *entry = nw_arena_alloc(&w->arena, sizeof *entry);
    onnx__string_string_entry_proto__init(entry);
    entry->key = made_up;
    entry->value = nw_arena_alloc(&w->arena, 16);
    snprintf(entry->value, 16, "%d", w->n_made_up);
    model->n_metadata_props = 1;
    model->metadata_props = nw_arena_copy(&w->arena, &entry, sizeof entry);
}

typedef struct sink {
    ProtobufCBuffer base;
    nw_buf *out;
} sink;

static void append(ProtobufCBuffer *buffer, size_t n_bytes, const uint8_t *bytes)
{
    nw_buf_add(((sink *)buffer)->out, (const char *)bytes, n_bytes);
}

static void pack(nw_onnx_writer *w, Onnx__GraphProto *graph, nw_buf *out)
{
    Onnx__ModelProto model;
    onnx__model_proto__init(&model);
    prune(w);
    fill_nodes(w, graph);
    fill_model(w, &model);
    model.graph = graph;
    sink to = {.base = {.append = append}, .out = out};
    w->at = NW_NONE;
    if (onnx__model_proto__get_packed_size(&model) > MAX_MODEL_BYTES)
        nw_onnx_write_fail(w, NW_LIMIT, "it takes more than %zu MiB", MAX_MODEL_BYTES >> 20);
    else
        onnx__model_proto__pack_to_buffer(&model, &to.base);
}

static void write_graph(nw_onnx_writer *w, nw_buf *out)
{
    const nw_graph *graph = w->graph;
    Onnx__GraphProto proto;
    onnx__graph_proto__init(&proto);
    name_tensors(w);
    find_users(w);
    find_roles(w);
    find_quantisation(w);
    proto.name = graph->name[0] ? nw_onnx_clean_text(w, graph->name) : (char[]){"network"};
    proto.input = nw_arena_alloc(&w->arena, (size_t)graph->n_inputs * sizeof *proto.input);
    proto.output = nw_arena_alloc(&w->arena, (size_t)graph->n_outputs * sizeof *proto.output);
    for (int i = 0; i < graph->n_inputs && w->status == NW_OK; i++)
        proto.input[proto.n_input++] = put_input(w, graph->inputs[i]);
    for (int i = 0; i < graph->n_nodes && w->status == NW_OK; i++)
        write_node(w, graph->order[i]);
    for (int i = 0; i < graph->n_outputs && w->status == NW_OK; i++)
        proto.output[proto.n_output++] = put_output(w, graph->outputs[i]);
    if (w->status == NW_OK)
        pack(w, &proto, out);
}

nw_status nw_onnx_write(const nw_graph *graph, const nw_onnx_options *options, nw_buf *out,
                        nw_error *err)
{
    nw_onnx_writer w = {.graph = graph, .err = err, .at = NW_NONE};
    if (options)
        w.options = *options;
    if (w.options.bits != 0 && w.options.bits != 8)
        return nw_fail(err, NW_INVALID, "bits", "%d: there are 0 (float) and 8", w.options.bits);
    if (w.options.bits && (w.options.to_float || w.options.weights == NW_ONNX_WEIGHTS_LEFT_OUT))
        return nw_fail(err, NW_INVALID, "bits", "%d bits go with weights, and not with float",
                       w.options.bits);
    w.is_nhwc = graph->layout == NW_LAYOUT_NHWC;
    w.states = nw_zalloc((size_t)graph->n_tensors * sizeof *w.states);
    write_graph(&w, out);
    if (w.status == NW_OK && w.options.report)
        *w.options.report =
            (nw_onnx_report){.n_made_up = w.n_made_up, .is_dequantised = w.is_dequantised};
    for (size_t i = 0; i < w.n_side_files; i++)
        nw_file_release(w.side_files[i]);
    free(w.side_files);
    free(w.states);
    free(w.nodes);
    free(w.constants);
    free(w.constant_edges);
    nw_map_fini(&w.names);
    nw_map_fini(&w.node_names);
    nw_map_fini(&w.made_constants);
    nw_map_fini(&w.made_weights);
    free(w.weight_edges);
    nw_map_fini(&w.side_file_index);
    nw_arena_fini(&w.arena);
    return w.status;
}
