#include "src/measure/plan_draw.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"

/* ---- drawing numbers ---- */

int nw_draw_int(nw_draw *d, int low, int high)
{
    return (int)nw_rng_range(&d->rng, low, high);
}

bool nw_draw_chance(nw_draw *d, double probability)
{
    return nw_rng_chance(&d->rng, probability);
}

int nw_draw_one_of(nw_draw *d, const int *values, int n)
{
    return values[nw_draw_int(d, 0, n - 1)];
}

int nw_draw_channels(nw_draw *d, double wanted)
{
    int granule = nw_draw_chance(d, 0.1) ? 1 : d->granule;
    while (granule > 1 && wanted < 0.75 * granule)
        granule /= 2;
    int n = (int)lround(wanted / granule) * granule;
    return n < 1 ? 1 : n;
}

static int round_side(nw_draw *d, double side, int low, int high)
{
    static const double weights[] = {5, 2, 1, 2};
    int step = (const int[]){32, 16, 8, 1}[nw_rng_pick(&d->rng, weights, 4)];
    int rounded = (int)lround(side / step) * step;
    return rounded < low ? low : rounded > high ? high : rounded;
}

int nw_draw_side(nw_draw *d, int low, int high)
{
    return round_side(d, nw_rng_log_uniform(&d->rng, low, high), low, high);
}

/* A map of half the sides and 16 channels holds 4 bytes for each pixel of the image. */
static int filling_side(nw_draw *d, int low, int high)
{
    double side = sqrt(d->sram_bytes / 4 * nw_rng_log_uniform(&d->rng, 0.15, 1.5));
    return round_side(d, fmin(side, high), low, high);
}

void nw_draw_image(nw_draw *d, int low, int high)
{
    static const double aspects[] = {1.5, 0.6667, 1.3333, 0.75, 1.7778, 0.5625};
    int h = nw_draw_chance(d, 0.25) ? filling_side(d, low, high) : nw_draw_side(d, low, high);
    int w = h;
    if (nw_draw_chance(d, 0.3)) {
        double aspect = nw_draw_chance(d, 0.7) ? aspects[nw_draw_int(d, 0, 5)]
                                               : nw_rng_log_uniform(&d->rng, 0.5, 2);
        w = (int)lround(h * aspect);
        w = w < low ? low : w > high ? high : w;
    }
    int c = nw_draw_chance(d, 0.82) ? 3 : NW_DRAW_ONE_OF(d, 1, 1, 1, 4);
    nw_draw_input(d, h, w, c);
}

/* ---- nodes ---- */

static nw_tensor_id add_tensor(nw_draw *d, nw_dtype type, const nw_shape *shape)
{
    char name[24];
    snprintf(name, sizeof name, "t%d", d->graph->n_tensors);
    return nw_graph_add_tensor(d->graph, name, type, shape);
}

nw_tensor_id nw_draw_constant(nw_draw *d, nw_dtype type, int rank, const int64_t *dims)
{
    nw_shape shape = {.rank = rank};
    memcpy(shape.dims, dims, (size_t)rank * sizeof *dims);
    nw_tensor_id id = add_tensor(d, type, &shape);
    nw_graph_set_data(d->graph, id, NULL, 0, -1);
    return id;
}

static nw_node *add_node(nw_draw *d, nw_op op, const nw_tensor_id *inputs, int n, nw_tensor_id out)
{
    char name[40];
    snprintf(name, sizeof name, "%s%d", nw_op_name(op), d->n_layers++);
    return nw_graph_add_node(d->graph, op, name, nw_op_name(op), inputs, n, &out, 1);
}

static void set_quant(nw_draw *d, nw_tensor_id id)
{
    d->graph->tensors[id].quant =
        (nw_quant){.n_channels = 1, .scale = 1.0 / 128 + id * 1e-6, .zero_point = 0};
}

nw_tensor_id nw_draw_convert(nw_draw *d, nw_op op, nw_tensor_id id, nw_dtype type)
{
    nw_tensor_id out = add_tensor(d, type, NULL);
    add_node(d, op, &id, 1, out);
    if (!nw_dtype_is_float(type))
        set_quant(d, out);
    return out;
}

/* ONNX's way: whoever reads integers reads them through a dequantisation, one for all readers. */
static nw_tensor_id as_read(nw_draw *d, nw_tensor_id id)
{
    const nw_tensor *t = &d->graph->tensors[id];
    if (d->quantised == NW_DTYPE_UNKNOWN || t->dtype != d->quantised)
        return id;
    while (d->n_dequantised <= (size_t)id) {
        d->dequantised = nw_grow(d->dequantised, d->n_dequantised, &d->dequantised_capacity,
                                 sizeof *d->dequantised);
        d->dequantised[d->n_dequantised++] = NW_NONE;
    }
    if (d->dequantised[id] == NW_NONE) {
        nw_tensor_id twin = nw_draw_convert(d, NW_OP_DEQUANTIZE, id, NW_DTYPE_FLOAT32);
        d->dequantised[id] = twin;
    }
    return d->dequantised[id];
}

nw_node *nw_draw_node(nw_draw *d, nw_op op, const nw_tensor_id *inputs, int n)
{
    nw_tensor_id read[64];
    assert(n <= (int)(sizeof read / sizeof *read));
    for (int i = 0; i < n; i++)
        read[i] = as_read(d, inputs[i]);
    nw_tensor_id out = add_tensor(d, d->type, NULL);
    if (!nw_dtype_is_float(d->type))
        set_quant(d, out);
    d->at.id = out;
    return add_node(d, op, read, n, out);
}

void nw_draw_settle(nw_draw *d)
{
    if (d->quantised != NW_DTYPE_UNKNOWN)
        d->at.id = nw_draw_convert(d, NW_OP_QUANTIZE, d->at.id, d->quantised);
}

void nw_draw_ints(nw_draw *d, nw_node *node, const int64_t *values, int n)
{
    int64_t *copy = nw_graph_alloc(d->graph, (size_t)n * sizeof *copy);
    memcpy(copy, values, (size_t)n * sizeof *copy);
    node->attrs.has_ints = true;
    node->attrs.ints = copy;
    node->attrs.n_ints = n;
}

nw_node *nw_draw_unary(nw_draw *d, nw_op op)
{
    return nw_draw_node(d, op, &d->at.id, 1);
}

/* ---- beginning and end ---- */

static bool runs(const nw_hw *hw, int weight_bits, int bits)
{
    return nw_hw_precision_rate(hw, weight_bits, bits, false) > 0;
}

/* Half of the files are float and run in whatever the hardware assumes for them. */
static void draw_types(nw_draw *d, const nw_hw *hw)
{
    enum { FLOAT, INT8, UINT8, FLOAT_ENDS, ONNX_INT8, INT16, N_KINDS };
    double weights[N_KINDS] = {[FLOAT] = 50,
                               [INT8] = runs(hw, 8, 8) ? 16 : 0,
                               [UINT8] = runs(hw, 8, 8) ? 6 : 0,
                               [FLOAT_ENDS] = runs(hw, 8, 8) ? 12 : 0,
                               [ONNX_INT8] = runs(hw, 8, 8) ? 10 : 0,
                               [INT16] = runs(hw, 8, 16) ? 6 : 0};
    int kind = nw_rng_pick(&d->rng, weights, N_KINDS);
    d->quantised = NW_DTYPE_UNKNOWN;
    d->type = d->weight_type = NW_DTYPE_FLOAT32;
    if (kind == ONNX_INT8)
        d->quantised = NW_DTYPE_INT8;
    else if (kind == INT16)
        d->type = NW_DTYPE_INT16, d->weight_type = NW_DTYPE_INT8;
    else if (kind != FLOAT)
        d->type = d->weight_type = kind == UINT8 ? NW_DTYPE_UINT8 : NW_DTYPE_INT8;
    d->has_float_ends = kind == FLOAT_ENDS;
    if (kind == ONNX_INT8)
        d->style = NW_DRAW_NCHW;
    else if (kind == FLOAT)
        d->style = (nw_draw_style)nw_rng_pick(&d->rng, (const double[]){40, 54, 6}, 3);
    else
        d->style = NW_DRAW_NHWC;
    d->has_batch_norm = kind == FLOAT && d->style == NW_DRAW_NCHW && nw_draw_chance(d, 0.3);
}

static int draw_granule(nw_draw *d, const nw_hw *hw)
{
    bool is_dot = hw->array.kind == NW_ARRAY_DOT;
    int pf_out = is_dot ? hw->array.pf_out : hw->array.cols;
    int pf_in = is_dot ? hw->array.pf_in : hw->array.rows;
    int granules[] = {8, 4, 16, 1, pf_out, pf_in};
    int n = granules[nw_rng_pick(&d->rng, (const double[]){32, 10, 8, 28, 12, 10}, 6)];
    return n < 1 ? 1 : n > 256 ? 256 : n;
}

void nw_draw_begin(nw_draw *d, const nw_hw *hw, nw_rng rng, const char *name)
{
    *d = (nw_draw){.rng = rng, .act = NW_OP_RELU};
    draw_types(d, hw);
    d->granule = draw_granule(d, hw);
    d->sram_bytes = (double)hw->sram.bytes;
    d->splits_swish = nw_draw_chance(d, d->style == NW_DRAW_NHWC ? 0.3 : 0.6);
    d->pads_apart = d->style == NW_DRAW_TURNED || nw_draw_chance(d, 0.15);
    d->graph = nw_graph_new(name, d->style == NW_DRAW_NCHW ? NW_LAYOUT_NCHW : NW_LAYOUT_NHWC);
    d->graph->format = "random";
}

nw_graph *nw_draw_seal(nw_draw *d)
{
    nw_error err;
    free(d->dequantised);
    if (nw_graph_seal(d->graph, NULL, 0, &err) != NW_OK)
        nw_die("random network %s: %s: %s", d->graph->name, err.where, err.message);
    return d->graph;
}

static nw_shape map_shape(const nw_draw *d, int h, int w, int c)
{
    if (d->style == NW_DRAW_NHWC)
        return (nw_shape){.rank = 4, .dims = {1, h, w, c}};
    return (nw_shape){.rank = 4, .dims = {1, c, h, w}};
}

/* Where dimensions of a map stand in its tensor. */
int nw_draw_channel_axis(const nw_draw *d)
{
    return d->style == NW_DRAW_NHWC ? 3 : 1;
}

int nw_draw_height_axis(const nw_draw *d)
{
    return d->style == NW_DRAW_NHWC ? 1 : 2;
}

void nw_draw_input(nw_draw *d, int h, int w, int c)
{
    nw_shape shape = map_shape(d, h, w, c);
    bool is_float = d->has_float_ends || d->quantised != NW_DTYPE_UNKNOWN;
    nw_dtype inner = d->quantised != NW_DTYPE_UNKNOWN ? d->quantised : d->type;
    bool is_unsigned = inner == NW_DTYPE_INT8 && !is_float && nw_draw_chance(d, 0.3);
    nw_dtype outer = is_float ? NW_DTYPE_FLOAT32 : is_unsigned ? NW_DTYPE_UINT8 : inner;
    d->at = (nw_draw_map){add_tensor(d, outer, &shape), h, w, c};
    nw_graph_add_input(d->graph, d->at.id);
    if (outer != inner)
        d->at.id = nw_draw_convert(d, NW_OP_QUANTIZE, d->at.id, inner);
    if (nw_draw_chance(d, 0.04)) { /* scaled inside the network */
        nw_op op = nw_draw_chance(d, 0.5) ? NW_OP_MUL : NW_OP_SUB;
        nw_draw_scale(d, op, (const int64_t[]){1}, 1);
    }
}

void nw_draw_output(nw_draw *d)
{
    nw_dtype type = d->graph->tensors[d->at.id].dtype;
    nw_tensor_id id = as_read(d, d->at.id);
    if (d->has_float_ends && type == d->type)
        id = nw_draw_convert(d, NW_OP_DEQUANTIZE, id, NW_DTYPE_FLOAT32);
    nw_graph_add_output(d->graph, id);
}
