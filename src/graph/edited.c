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
        nw_element_write_int(tensor->dtype, bytes, i, values[i]);
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
    if (!kept->data && !kept->file_path) /* nothing to pick from */
        *kept = (nw_edited){.dtype = dtype,
                            .shape = *shape,
                            .quant = edited->quant,
                            .file_offset = -1,
                            .fill = edited->fill,
                            .fan_in = edited->fan_in};
    for (int i = 0; i < NW_MAX_RANK; i++)
        kept->maps[i] = i < shape->rank ? keep(graph, kept->maps[i],
                                               (size_t)shape->dims[i] * sizeof *kept->maps[i])
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

nw_edited nw_tensor_edited(const nw_tensor *tensor)
{
    if (tensor->edited)
        return *tensor->edited;
    return (nw_edited){.data = tensor->data,
                       .n_bytes = tensor->n_bytes,
                       .dtype = tensor->dtype,
                       .shape = tensor->shape,
                       .quant = tensor->quant,
                       .file_offset = tensor->file_offset,
                       .file_path = tensor->file_path};
}

void nw_graph_map_axis(nw_graph *graph, nw_tensor_id id, int axis, const int32_t *map, int64_t n,
                       bool is_spatial, nw_edit_fill fill, int32_t fan_in)
{
    const nw_tensor *tensor = &graph->tensors[id];
    nw_shape shape = tensor->shape;
    nw_edited edited = nw_tensor_edited(tensor);
    int32_t *composed = nw_graph_alloc(graph, (size_t)n * sizeof *composed);
    const int32_t *before = edited.maps[axis];
    for (int64_t i = 0; i < n; i++) {
        assert(map[i] < shape.dims[axis]);
        composed[i] = map[i] >= 0 && before ? before[map[i]] : map[i];
    }
    edited.maps[axis] = composed;
    edited.is_spatial[axis] |= is_spatial;
    edited.fill = fill;
    edited.fan_in = fan_in;
    shape.dims[axis] = n;
    nw_graph_set_edited(graph, id, tensor->dtype, &shape, &edited);
}
