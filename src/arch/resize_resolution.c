#include <inttypes.h>
#include <stdlib.h>

#include "src/arch/resize.h"
#include "src/base/text.h"

#define MAX_SIDE ((int64_t)1 << 15) /* of an image */

/* Height and width of an image: the axes that are not its channels, which are few. */
static bool find_sides(const nw_graph *graph, const nw_shape *shape, int *h, int *w)
{
    if (shape->rank != 4)
        return false;
    int c = nw_channel_axis(graph, 4);
    if (c == 3 && shape->dims[1] < shape->dims[3])
        c = 1;
    else if (c == 1 && shape->dims[3] < shape->dims[1])
        c = 3;
    *h = c == 1 ? 2 : 1;
    *w = *h + 1;
    return true;
}

static nw_status set_input(const nw_graph *old, nw_graph *graph, int64_t height, int64_t width,
                           nw_tensor_id *out, nw_error *err)
{
    int n_images = 0, h = 0, w = 0;
    nw_tensor_id image = NW_NONE;
    for (int i = 0; i < old->n_inputs; i++)
        if (find_sides(old, &old->tensors[old->inputs[i]].shape, &h, &w)) {
            image = old->inputs[i];
            n_images++;
        }
    if (n_images != 1)
        return nw_fail(err, NW_INVALID, "resolution", "the network has %d image inputs, not one",
                       n_images);
    if (height < 1 || height > MAX_SIDE || width < 1 || width > MAX_SIDE)
        return nw_fail(err, NW_INVALID, "resolution",
                       "%" PRId64 " x %" PRId64 " is not within 1..%" PRId64, height, width,
                       MAX_SIDE);
    nw_tensor *tensor = &graph->tensors[image];
    find_sides(old, &old->tensors[image].shape, &h, &w);
    tensor->shape.dims[h] = height;
    tensor->shape.dims[w] = width;
    tensor->stored_shape = tensor->shape;
    *out = image;
    return NW_OK;
}

/* Sizes that the file only claims are those of the old resolution. */
static void forget_claims(nw_graph *graph)
{
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
        if (!graph->tensors[id].is_const && !graph->tensors[id].is_input)
            graph->tensors[id].stored_shape.rank = -1;
}

static nw_status check_known(const nw_graph *old, const nw_graph *graph, nw_error *err)
{
    for (nw_tensor_id id = 0; id < old->n_tensors; id++)
        if (nw_shape_is_known(&old->tensors[id].shape) &&
            !nw_shape_is_known(&graph->tensors[id].shape)) {
            char clean[96], name[64];
            nw_text_visible(old->tensors[id].name, clean, sizeof clean);
            return nw_fail(err, NW_INVALID, nw_text_fit(clean, name, sizeof name),
                           "its size is only known for the old input size");
        }
    return NW_OK;
}

/* Sizes that strides divide evenly everywhere: the largest ratio of the image to a map, as a power
 * of two. */
static int64_t find_stride(const nw_graph *graph, nw_tensor_id image)
{
    int h, w;
    int64_t stride = 1, ratio = 1;
    if (!find_sides(graph, &graph->tensors[image].shape, &h, &w))
        return 1;
    int64_t height = graph->tensors[image].shape.dims[h];
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++) {
        const nw_tensor *tensor = &graph->tensors[id];
        if (!tensor->is_const && tensor->shape.rank == 4 && tensor->shape.dims[h] > 1 &&
            height / tensor->shape.dims[h] > ratio)
            ratio = height / tensor->shape.dims[h];
    }
    while (stride * 2 <= ratio)
        stride *= 2;
    return stride;
}

/* What does not fit together behind another resolution, with what would. */
static nw_status explain(const nw_graph *graph, nw_tensor_id image, int64_t height, int64_t width,
                         nw_error *err)
{
    int64_t stride = find_stride(graph, image);
    if (!err || stride < 2 || (height % stride == 0 && width % stride == 0))
        return NW_INVALID;
    nw_error old = *err;
    return nw_fail(err, NW_INVALID, old.where,
                   "%.250s; its strides divide multiples of %" PRId64 " evenly, not %" PRId64
                   " x %" PRId64,
                   old.message, stride, height, width);
}

static int *count_readers(const nw_graph *graph)
{
    int *n = nw_zalloc(((size_t)graph->n_tensors + 1) * sizeof *n);
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_inputs; k++)
            if (graph->nodes[i].inputs[k] != NW_NONE)
                n[graph->nodes[i].inputs[k]]++;
    for (int i = 0; i < graph->n_outputs; i++)
        n[graph->outputs[i]]++;
    return n;
}

nw_status nw_resize_resolution(const nw_graph *graph, int64_t height, int64_t width, nw_graph **out,
                               nw_error *err)
{
    nw_scaler sc = {.old = graph, .n_readers = count_readers(graph)};
    nw_graph *copy = nw_graph_copy(graph);
    nw_tensor_id image = NW_NONE;
    nw_status status = set_input(graph, copy, height, width, &image, err);
    forget_claims(copy);
    if (status == NW_OK) {
        status = nw_graph_seal_with(copy, NULL, 0, nw_scale_node, &sc, err);
        if (status != NW_OK && !sc.is_refused)
            status = explain(graph, image, height, width, err);
    }
    if (status == NW_OK)
        status = check_known(graph, copy, err);
    if (status == NW_OK)
        *out = copy;
    else
        nw_graph_free(copy);
    nw_names_fini(&sc.names);
    free(sc.n_readers);
    free(sc.pairs);
    return status;
}
