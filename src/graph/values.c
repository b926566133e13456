/* The values of constants that edits made, from those of their sources. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/base/map.h"
#include "src/base/rng.h"
#include "src/graph/internal.h"

static bool has_source(const nw_edited *edited)
{
    return edited->data || (edited->file_path && edited->file_offset >= 0);
}

bool nw_tensor_is_known(const nw_tensor *tensor)
{
    if (tensor->edited)
        return has_source(tensor->edited);
    return tensor->data || (tensor->file_path && tensor->file_offset >= 0);
}

int64_t nw_tensor_new_elements(const nw_tensor *tensor)
{
    const nw_edited *edited = tensor->edited;
    if (!edited)
        return 0;
    int64_t n = nw_shape_elements(&tensor->shape), n_kept = 1;
    for (int axis = 0; axis < tensor->shape.rank; axis++) {
        int64_t size = tensor->shape.dims[axis], n_old = 0;
        for (int64_t i = 0; edited->maps[axis] && i < size; i++)
            n_old += edited->maps[axis][i] >= 0;
        n_kept *= edited->maps[axis] ? n_old : size;
    }
    return has_source(edited) ? n - n_kept : n;
}

/* ---- walking ---- */

#define IS_NEW  (-1)
#define IS_ZERO (-2) /* new, and 0 whatever fill says */

/* The elements of an edited constant in row-major order. */
typedef struct walk {
    const nw_tensor *tensor;
    int64_t strides[NW_MAX_RANK]; /* of the source */
    int64_t index[NW_MAX_RANK];
    int64_t at; /* element of the source, or IS_NEW, IS_ZERO */
} walk;

static void locate(walk *w)
{
    const nw_edited *edited = w->tensor->edited;
    w->at = has_source(edited) ? 0 : IS_NEW;
    for (int axis = 0; axis < w->tensor->shape.rank; axis++) {
        int64_t from = edited->maps[axis] ? edited->maps[axis][w->index[axis]] : w->index[axis];
        if (from >= 0)
            w->at += w->at >= 0 ? from * w->strides[axis] : 0;
        else if (edited->is_spatial[axis])
            w->at = IS_ZERO;
        else if (w->at >= 0)
            w->at = IS_NEW;
    }
}

static void begin(walk *w, const nw_tensor *tensor)
{
    *w = (walk){.tensor = tensor};
    int64_t stride = 1;
    for (int axis = tensor->shape.rank - 1; axis >= 0; axis--) {
        w->strides[axis] = stride;
        stride *= tensor->edited->shape.dims[axis];
    }
    locate(w);
}

static void step(walk *w)
{
    const nw_shape *shape = &w->tensor->shape;
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        if (++w->index[axis] < shape->dims[axis])
            break;
        w->index[axis] = 0;
    }
    locate(w);
}

/* ---- values ---- */

static double new_value(nw_edit_fill fill, int64_t fan_in, nw_rng *rng)
{
    switch (fill) {
    case NW_EDIT_FILL_ONE:
        return 1;
    case NW_EDIT_FILL_SLOPE:
        return 0.25;
    case NW_EDIT_FILL_HE:
        return sqrt(2 / (double)(fan_in > 0 ? fan_in : 1)) * nw_rng_normal(rng);
    case NW_EDIT_FILL_ZERO:
        break;
    }
    return 0;
}

static double real_value(const nw_quant *quant, int64_t inner, int64_t i, double value)
{
    int64_t channel = quant->n_channels > 1 ? i / inner % quant->n_channels : 0;
    double scale = quant->scales ? (double)quant->scales[channel] : quant->scale;
    int64_t zero = quant->zero_points ? quant->zero_points[channel] : quant->zero_point;
    return quant->n_channels > 0 ? scale * (value - (double)zero) : value;
}

static int64_t elements_behind(const nw_shape *shape, int axis)
{
    int64_t n = 1;
    for (int i = axis + 1; i < shape->rank && i > 0; i++)
        n *= shape->dims[i];
    return n;
}

/* Whether there are new elements that the integers of the source cannot stand for. */
static bool needs_reals(const nw_tensor *tensor)
{
    const nw_edited *edited = tensor->edited;
    bool is_fine = edited->fill == NW_EDIT_FILL_ZERO ||
                   (edited->fill == NW_EDIT_FILL_ONE && edited->quant.n_channels == 0);
    if (nw_dtype_is_float(edited->dtype) || is_fine)
        return false;
    bool is_new = !has_source(edited);
    for (int axis = 0; axis < tensor->shape.rank; axis++)
        for (int64_t i = 0; edited->maps[axis] && i < tensor->shape.dims[axis] && !is_new; i++)
            is_new = edited->maps[axis][i] < 0 && !edited->is_spatial[axis];
    return is_new;
}

static void fill_reals(const nw_tensor *tensor, nw_rng *rng, float *out)
{
    const nw_edited *edited = tensor->edited;
    int64_t n = nw_shape_elements(&tensor->shape);
    int64_t inner = elements_behind(&edited->shape, edited->quant.axis);
    walk w;
    begin(&w, tensor);
    for (int64_t i = 0; i < n; i++, step(&w)) {
        double value = 0;
        if (w.at >= 0)
            value = real_value(&edited->quant, inner, w.at,
                               nw_element_read(edited->dtype, edited->data, w.at));
        else if (w.at == IS_NEW)
            value = new_value(edited->fill, edited->fan_in, rng);
        out[i] = (float)value;
    }
}

/* In the type of the source; a new 0 of a quantised constant is its channel's zero point. */
static void fill_own(const nw_tensor *tensor, nw_rng *rng, uint8_t *out)
{
    const nw_edited *edited = tensor->edited;
    const nw_quant *quant = &tensor->quant;
    size_t width = (size_t)nw_dtype_bits(edited->dtype) / 8;
    int64_t n = nw_shape_elements(&tensor->shape),
            inner = elements_behind(&tensor->shape, quant->axis);
    walk w;
    begin(&w, tensor);
    for (int64_t i = 0; i < n; i++, step(&w)) {
        if (w.at >= 0 && width) {
            memcpy(out + (size_t)i * width, edited->data + (size_t)w.at * width, width);
            continue;
        }
        double value = 0;
        if (w.at >= 0)
            value = nw_element_read(edited->dtype, edited->data, w.at);
        else if (w.at == IS_NEW)
            value = new_value(edited->fill, edited->fan_in, rng);
        if (w.at < 0 && quant->n_channels > 0 && !nw_dtype_is_float(edited->dtype))
            value += (double)(quant->zero_points && quant->n_channels > 1
                                  ? quant->zero_points[i / inner % quant->n_channels]
                                  : quant->zero_point);
        nw_element_write(edited->dtype, out, i, value);
    }
}

static bool fits_source(const nw_tensor *tensor)
{
    const nw_edited *edited = tensor->edited;
    if (edited->shape.rank != tensor->shape.rank)
        return false;
    for (int axis = 0; axis < tensor->shape.rank; axis++) {
        const int32_t *map = edited->maps[axis];
        if (!map && edited->shape.dims[axis] != tensor->shape.dims[axis])
            return !has_source(edited);
        for (int64_t i = 0; map && i < tensor->shape.dims[axis]; i++)
            if (map[i] >= edited->shape.dims[axis])
                return false;
    }
    return true;
}

static nw_status derive_values(const nw_tensor *tensor, uint64_t seed, void **out, size_t *n_bytes,
                               nw_dtype *dtype, nw_error *err)
{
    const nw_edited *edited = tensor->edited;
    int64_t n = nw_shape_elements(&tensor->shape);
    nw_tensor source = {.dtype = edited->dtype, .shape = edited->shape};
    bool is_real = needs_reals(tensor) ||
                   (nw_dtype_is_float(tensor->dtype) && !nw_dtype_is_float(edited->dtype));
    int bits = is_real ? 32 : nw_dtype_bits(edited->dtype);
    if (has_source(edited) && (!edited->data || edited->n_bytes < (size_t)nw_tensor_bytes(&source)))
        return nw_fail(err, NW_INVALID, tensor->name, "the values it is made of are not in reach");
    if (!bits || bits > 64 || !nw_shape_is_known(&tensor->shape) || !fits_source(tensor))
        return nw_fail(err, NW_INVALID, tensor->name,
                       "its values cannot be made of those of its source");
    size_t size = ((size_t)n * (size_t)bits + 7) / 8;
    uint8_t *values = nw_zalloc(size);
    nw_rng rng = nw_rng_make(seed, nw_hash(tensor->name, strlen(tensor->name)));
    if (n > 0 && is_real)
        fill_reals(tensor, &rng, (float *)(void *)values);
    else if (n > 0)
        fill_own(tensor, &rng, values);
    *out = values;
    *n_bytes = size;
    *dtype = is_real ? NW_DTYPE_FLOAT32 : edited->dtype;
    return NW_OK;
}

nw_status nw_tensor_values(const nw_tensor *tensor, uint64_t seed, void **out, size_t *n_bytes,
                           nw_dtype *dtype, nw_error *err)
{
    size_t n = (size_t)nw_tensor_bytes(tensor);
    if (tensor->edited)
        return derive_values(tensor, seed, out, n_bytes, dtype, err);
    if (!tensor->data || tensor->n_bytes < n)
        return nw_fail(err, NW_INVALID, tensor->name, "its values are not in the file");
    *out = nw_alloc(n);
    memcpy(*out, tensor->data, n);
    *n_bytes = n;
    *dtype = tensor->dtype;
    return NW_OK;
}

/* ---- all of them ---- */

const char *nw_constant_origin_name(nw_constant_origin origin)
{
    static const char *const names[NW_CONSTANT_ORIGINS] = {"kept", "sliced", "extended", "new",
                                                           "absent"};
    return names[origin];
}

static nw_constant_row describe_constant(const nw_graph *graph, nw_tensor_id id)
{
    const nw_tensor *tensor = &graph->tensors[id];
    nw_constant_row row = {.tensor = id,
                           .n_elements = nw_shape_elements(&tensor->shape),
                           .n_new = nw_tensor_new_elements(tensor)};
    bool has_values = tensor->data || tensor->ints || tensor->floats || tensor->file_offset >= 0;
    if (!tensor->edited)
        row.origin = has_values ? NW_CONSTANT_KEPT : NW_CONSTANT_ABSENT;
    else if (row.n_new == 0)
        row.origin = NW_CONSTANT_SLICED;
    else
        row.origin = row.n_new < row.n_elements ? NW_CONSTANT_EXTENDED : NW_CONSTANT_NEW;
    return row;
}

nw_constant_row *nw_graph_list_constants(const nw_graph *graph, int *n)
{
    uint8_t *is_read = nw_zalloc((size_t)graph->n_tensors);
    nw_constant_row *rows = nw_alloc((size_t)graph->n_tensors * sizeof *rows);
    *n = 0;
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        for (int i = 0; i < graph->nodes[id].n_inputs; i++)
            if (graph->nodes[id].inputs[i] != NW_NONE)
                is_read[graph->nodes[id].inputs[i]] = 1;
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
        if (is_read[id] && graph->tensors[id].is_stored &&
            nw_shape_elements(&graph->tensors[id].shape) > 1)
            rows[(*n)++] = describe_constant(graph, id);
    free(is_read);
    return rows;
}
