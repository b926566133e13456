/* precision.c - element types on the hardware.
 *
 * ONNX writes a quantised network as float operators between DequantizeLinear and QuantizeLinear.
 * Such an operator runs on integers when everything it reads was just dequantised and everything
 * that reads its result quantises it again, perhaps behind an activation. What is left is a real
 * island of float arithmetic.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/kernel/internal.h"

static bool is_small_int(nw_dtype dtype)
{
    return !nw_dtype_is_float(dtype) && nw_dtype_bits(dtype) > 0 && nw_dtype_bits(dtype) <= 16 &&
           dtype != NW_DTYPE_BOOL;
}

static nw_tensor_id output_of(const nw_node *node)
{
    return node->n_outputs > 0 ? node->outputs[0] : NW_NONE;
}

/* wanted[t]: every reader of t quantises it, at once or behind operators that keep its type. */
static void find_wanted(const nw_graph *graph, uint8_t *wanted)
{
    uint8_t *refused = nw_zalloc((size_t)graph->n_tensors);
    memset(wanted, 0, (size_t)graph->n_tensors);
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const nw_node *node = &graph->nodes[graph->order[i]];
        nw_tensor_id out = output_of(node);
        bool is_wanted = node->op == NW_OP_QUANTIZE;
        if (!is_wanted && out != NW_NONE && node->op != NW_OP_DEQUANTIZE)
            is_wanted = wanted[out] && !refused[out] && !graph->tensors[out].is_output;
        for (int k = 0; k < node->n_inputs; k++)
            if (node->inputs[k] != NW_NONE) {
                wanted[node->inputs[k]] |= is_wanted;
                refused[node->inputs[k]] |= !is_wanted;
            }
    }
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
        wanted[id] = wanted[id] && !refused[id] && !graph->tensors[id].is_output;
    free(refused);
}

static void find_quantised_runs(const nw_graph *graph, nw_types *types)
{
    uint8_t *wanted = nw_alloc((size_t)graph->n_tensors);
    find_wanted(graph, wanted);
    for (int i = 0; i < graph->n_nodes; i++) {
        nw_node_id id = graph->order[i];
        const nw_node *node = &graph->nodes[id];
        nw_tensor_id out = output_of(node);
        if (out == NW_NONE || graph->tensors[out].is_const)
            continue;
        if (node->op == NW_OP_DEQUANTIZE && is_small_int(graph->tensors[node->inputs[0]].dtype)) {
            /* A dequantised map counts as integer for whoever can run on integers. */
            types->bits[out] = (uint8_t)nw_dtype_bits(graph->tensors[node->inputs[0]].dtype);
            types->is_float[out] = 0;
            continue;
        }
        bool runs_int = wanted[out] && node->op != NW_OP_QUANTIZE && node->op != NW_OP_OPAQUE &&
                        nw_dtype_is_float(graph->tensors[out].dtype);
        int bits = 0, n_maps = 0;
        for (int k = 0; k < node->n_inputs && runs_int; k++) {
            nw_tensor_id in = node->inputs[k];
            if (in == NW_NONE || graph->tensors[in].is_const)
                continue;
            runs_int = !types->is_float[in];
            bits = types->bits[in] > bits ? types->bits[in] : bits;
            n_maps++;
        }
        if (!runs_int || !n_maps)
            continue;
        types->runs_int[id] = 1;
        types->bits[out] = (uint8_t)bits;
        types->is_float[out] = 0;
    }
    /* Whoever stays in float reads the dequantised values as float after all, and so does the
     * world behind the network; integer readers beside them go by nw_types_source. */
    for (int i = 0; i < graph->n_outputs; i++) {
        const nw_tensor *t = &graph->tensors[graph->outputs[i]];
        if (nw_dtype_is_float(t->dtype)) {
            types->bits[graph->outputs[i]] = (uint8_t)nw_dtype_bits(t->dtype);
            types->is_float[graph->outputs[i]] = 1;
        }
    }
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_node *node = &graph->nodes[id];
        for (int k = 0; k < node->n_inputs; k++) {
            nw_tensor_id in = node->inputs[k];
            if (in == NW_NONE || graph->tensors[in].producer == NW_NONE || types->runs_int[id] ||
                node->op == NW_OP_QUANTIZE)
                continue;
            if (graph->nodes[graph->tensors[in].producer].op == NW_OP_DEQUANTIZE &&
                nw_dtype_is_float(graph->tensors[in].dtype)) {
                types->bits[in] = (uint8_t)nw_dtype_bits(graph->tensors[in].dtype);
                types->is_float[in] = 1;
            }
        }
    }
    free(wanted);
}

nw_tensor_id nw_types_source(const nw_graph *graph, const nw_types *types, nw_node_id node,
                             nw_tensor_id tensor)
{
    nw_node_id producer = graph->tensors[tensor].producer;
    if (producer == NW_NONE || graph->nodes[producer].op != NW_OP_DEQUANTIZE ||
        (!types->runs_int[node] && graph->nodes[node].op != NW_OP_QUANTIZE))
        return tensor;
    nw_tensor_id source = graph->nodes[producer].inputs[0];
    return is_small_int(graph->tensors[source].dtype) ? source : tensor;
}

static void find_dense(const nw_graph *graph, uint8_t *is_dense)
{
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
        is_dense[id] = graph->tensors[id].is_input || graph->tensors[id].is_output;
    for (int i = 0; i < graph->n_nodes; i++) {
        const nw_node *node = &graph->nodes[graph->order[i]];
        nw_kernel_kind kind = nw_op_rule_of(node->op).kind;
        bool keeps_layout = kind == NW_KERNEL_QUANTIZE || kind == NW_KERNEL_VIEW;
        if (keeps_layout && node->n_inputs && node->inputs[0] != NW_NONE &&
            output_of(node) != NW_NONE && is_dense[node->inputs[0]] &&
            !graph->tensors[node->inputs[0]].is_output)
            is_dense[output_of(node)] = 1;
    }
}

static bool is_product(nw_op op)
{
    return op == NW_OP_CONV2D || op == NW_OP_CONV_TRANSPOSE || op == NW_OP_FULLY_CONNECTED ||
           op == NW_OP_MATMUL;
}

/* The type that most multiply-accumulates of the file run in; without any, the first input's. */
static nw_dtype main_type(const nw_graph *graph, const nw_types *types)
{
    int64_t macs[NW_DTYPE_COUNT] = {0};
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_node *node = &graph->nodes[id];
        nw_geometry geometry;
        if (!is_product(node->op) || !nw_node_geometry(graph, id, &geometry))
            continue;
        const nw_tensor *in = &graph->tensors[node->inputs[0]];
        nw_dtype dtype = in->dtype;
        if (types->runs_int[id] && in->producer != NW_NONE &&
            graph->nodes[in->producer].op == NW_OP_DEQUANTIZE)
            dtype = graph->tensors[graph->nodes[in->producer].inputs[0]].dtype;
        else if (types->runs_int[id])
            dtype = NW_DTYPE_INT8;
        macs[dtype] += geometry.macs;
    }
    nw_dtype best = NW_DTYPE_UNKNOWN;
    for (int i = 0; i < NW_DTYPE_COUNT; i++)
        if (macs[i] > macs[best])
            best = (nw_dtype)i;
    if (best == NW_DTYPE_UNKNOWN && graph->n_inputs)
        best = graph->tensors[graph->inputs[0]].dtype;
    return best;
}

typedef struct precision_name {
    const char *name;
    int bits;
    bool is_float;
} precision_name;

static const precision_name precisions[] = {
    {"int4", 4, false},    {"int8", 8, false}, {"uint8", 8, false},    {"int16", 16, false},
    {"float16", 16, true}, {"fp16", 16, true}, {"bfloat16", 16, true}, {"bf16", 16, true},
    {"float32", 32, true}, {"fp32", 32, true}, {"float", 32, true},
};

static const precision_name *find_precision(const char *name)
{
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++)
        if (strcmp(precisions[i].name, name) == 0)
            return &precisions[i];
    return NULL;
}

/* Every map of floats or small integers becomes the given type. */
static void assume(const nw_graph *graph, const nw_hw *hw, const precision_name *wanted,
                   nw_types *types)
{
    /* Where wide activations go with narrow weights only, weights are narrow. */
    bool has_pair = nw_hw_precision_rate(hw, wanted->bits, wanted->bits, wanted->is_float) > 0;
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++) {
        bool is_island = types->is_quantised && types->is_float[id];
        if ((nw_dtype_is_float(graph->tensors[id].dtype) ||
             is_small_int(graph->tensors[id].dtype)) &&
            !is_island) {
            bool is_narrow = !has_pair && graph->tensors[id].is_const;
            types->bits[id] = is_narrow ? NW_NARROW_BITS : (uint8_t)wanted->bits;
            types->is_float[id] = wanted->is_float;
        }
    }
    types->is_assumed = true;
    snprintf(types->name, sizeof types->name, "%s%s (assumed)", wanted->name,
             has_pair ? "" : " with int8 weights");
}

static nw_status choose(const nw_graph *graph, const nw_hw *hw, const char *asked, nw_types *types,
                        nw_error *err)
{
    nw_dtype own = main_type(graph, types);
    types->is_quantised = is_small_int(own);
    snprintf(types->name, sizeof types->name, "%s", nw_dtype_name(own));
    bool is_file = !asked || !*asked || strcmp(asked, "file") == 0;
    const precision_name *wanted = find_precision(is_file ? hw->default_precision : asked);
    if (!wanted)
        return nw_fail(err, NW_INVALID, is_file ? hw->name : "--precision",
                       "'%s' is no precision; known are file, int4, int8, int16, float16, "
                       "bfloat16, float32",
                       is_file ? hw->default_precision : asked);
    int own_bits = nw_dtype_bits(own);
    bool is_own = wanted->bits == own_bits && wanted->is_float == nw_dtype_is_float(own);
    if (!is_file && is_own)
        return NW_OK;
    if (!is_file && nw_hw_precision_rate(hw, wanted->bits, wanted->bits, wanted->is_float) <= 0 &&
        nw_hw_precision_rate(hw, NW_NARROW_BITS, wanted->bits, wanted->is_float) <= 0)
        return nw_fail(err, NW_UNSUPPORTED, hw->name, "this hardware does not compute in %s",
                       wanted->name);
    bool own_runs = nw_hw_precision_rate(hw, own_bits, own_bits, nw_dtype_is_float(own)) > 0;
    if (is_file && (own_runs || types->is_quantised || own == NW_DTYPE_UNKNOWN))
        return NW_OK;
    assume(graph, hw, wanted, types);
    return NW_OK;
}

nw_status nw_types_find(const nw_graph *graph, const nw_hw *hw, const char *precision,
                        nw_types *out, nw_error *err)
{
    size_t n = (size_t)graph->n_tensors;
    nw_types types = {.bits = nw_zalloc(n),
                      .is_float = nw_zalloc(n),
                      .is_dense = nw_zalloc(n),
                      .runs_int = nw_zalloc((size_t)graph->n_nodes),
                      .hw = hw};
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++) {
        types.bits[id] = (uint8_t)nw_dtype_bits(graph->tensors[id].dtype);
        types.is_float[id] = nw_dtype_is_float(graph->tensors[id].dtype);
    }
    find_dense(graph, types.is_dense);
    find_quantised_runs(graph, &types);
    nw_status status = choose(graph, hw, precision, &types, err);
    if (status == NW_OK)
        status = nw_types_apply_hints(graph, &types, err);
    if (status == NW_OK)
        *out = types;
    else
        nw_types_fini(&types);
    return status;
}

void nw_types_fini(nw_types *types)
{
    free(types->bits);
    free(types->is_float);
    free(types->is_dense);
    free(types->runs_int);
    free(types->is_hinted);
    *types = (nw_types){0};
}
