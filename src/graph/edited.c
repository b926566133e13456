#include <assert.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/graph/internal.h"

void nw_graph_set_ints(nw_graph *graph, nw_tensor_id id, const int64_t *values, int n)
{
    assert(!graph->is_sealed);
    nw_tensor *tensor = &graph->tensors[id];
    size_t element_bytes = (size_t)nw_dtype_bits(tensor->dtype) / 8;
    assert(element_bytes > 0 && !nw_dtype_is_float(tensor->dtype));
    uint8_t *bytes = nw_graph_alloc(graph, (size_t)n * element_bytes);
    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < element_bytes; k++)
            bytes[(size_t)i * element_bytes + k] = (uint8_t)((uint64_t)values[i] >> (8 * k));
    if (nw_shape_elements(&tensor->shape) != n)
        tensor->shape = tensor->stored_shape = (nw_shape){.rank = 1, .dims = {n}};
    tensor->data = bytes;
    tensor->n_bytes = (size_t)n * element_bytes;
    tensor->file_offset = -1;
    tensor->file_path = NULL;
    tensor->edited = NULL;
    tensor->is_local = true;
    tensor->ints = NULL;
    tensor->floats = NULL;
}

static const void *keep(nw_graph *graph, const void *memory, size_t n_bytes)
{
    nw_arena *arena = &graph->store->arena;
    return !memory || nw_arena_holds(arena, memory) ? memory
                                                    : nw_arena_copy(arena, memory, n_bytes);
}

/* The quantisation of what the maps pick; new channels get that of the source's first. */
static nw_quant pick_quant(nw_graph *graph, const nw_edited *edited, const nw_shape *shape)
{
    nw_quant quant = edited->quant;
    int axis = quant.axis;
    if (quant.n_channels <= 1 || axis < 0 || axis >= shape->rank || !edited->maps[axis] ||
        quant.n_channels != edited->shape.dims[axis])
        return quant;
    size_t n = (size_t)shape->dims[axis];
    float *scales = quant.scales ? nw_graph_alloc(graph, n * sizeof *scales) : NULL;
    int64_t *zeros = quant.zero_points ? nw_graph_alloc(graph, n * sizeof *zeros) : NULL;
    for (size_t i = 0; i < n; i++) {
        int32_t from = edited->maps[axis][i] < 0 ? 0 : edited->maps[axis][i];
        if (scales)
            scales[i] = quant.scales[from];
        if (zeros)
            zeros[i] = quant.zero_points[from];
    }
    quant.n_channels = (int)n;
    quant.scales = scales;
    quant.zero_points = zeros;
    if (scales && n)
        quant.scale = (double)scales[0];
    if (zeros && n)
        quant.zero_point = zeros[0];
    return quant;
}

void nw_graph_set_edited(nw_graph *graph, nw_tensor_id id, nw_dtype dtype, const nw_shape *shape,
                         const nw_edited *edited)
{
    assert(!graph->is_sealed);
    nw_edited *kept = nw_graph_alloc(graph, sizeof *kept);
    *kept = *edited;
    for (int i = 0; i < NW_MAX_RANK; i++)
        kept->maps[i] = i < shape->rank ? keep(graph, edited->maps[i],
                                               (size_t)shape->dims[i] * sizeof *edited->maps[i])
                                        : NULL;
    nw_tensor *tensor = &graph->tensors[id];
    nw_quant quant = pick_quant(graph, kept, shape);
    *tensor = (nw_tensor){.name = tensor->name,
                          .dtype = dtype,
                          .shape = *shape,
                          .stored_shape = *shape,
                          .quant = quant,
                          .producer = NW_NONE,
                          .file_offset = -1,
                          .edited = kept,
                          .is_output = tensor->is_output,
                          .is_const = true,
                          .is_stored = true};
}

int64_t nw_tensor_new_elements(const nw_tensor *tensor)
{
    const nw_edited *edited = tensor->edited;
    if (!edited)
        return 0;
    int64_t n = nw_shape_elements(&tensor->shape), n_kept = 1;
    if (!edited->data)
        return n;
    for (int axis = 0; axis < tensor->shape.rank; axis++) {
        int64_t size = tensor->shape.dims[axis], n_old = 0;
        for (int64_t i = 0; edited->maps[axis] && i < size; i++)
            n_old += edited->maps[axis][i] >= 0;
        n_kept *= edited->maps[axis] ? n_old : size;
    }
    return n - n_kept;
}

nw_status nw_tensor_values(const nw_tensor *tensor, uint64_t seed, void **out, size_t *n_bytes,
                           nw_dtype *dtype, nw_error *err)
{
    (void)seed;
    size_t n = (size_t)nw_tensor_bytes(tensor);
    if (tensor->edited)
        return nw_fail(err, NW_UNSUPPORTED, tensor->name,
                       "values of edited constants cannot be made yet");
    if (!tensor->data || tensor->n_bytes < n)
        return nw_fail(err, NW_INVALID, tensor->name, "its values are not in the file");
    *out = nw_alloc(n);
    memcpy(*out, tensor->data, n);
    *n_bytes = n;
    *dtype = tensor->dtype;
    return NW_OK;
}
