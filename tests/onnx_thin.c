/* onnx_thin SEED IN THIN.onnx MASKED.onnx: takes channels out of every group of a model, and writes
 * beside it the whole model in which the elements that were taken out are 0. Both must compute the
 * same, whatever the operators between (make test-runtime). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/group.h"
#include "src/base/arena.h"
#include "src/base/rng.h"
#include "src/base/save.h"
#include "src/format/format.h"

/* Between half of the channels and all of them stay. */
static nw_status thin(const nw_graph *graph, uint64_t seed, nw_graph **out, nw_error *err)
{
    nw_groups *groups = nw_groups_find(graph);
    nw_rng rng = nw_rng_make(seed, 0);
    int n, n_sizes = 0;
    const nw_channel_group *list = nw_groups_list(groups, &n);
    nw_resize *sizes = nw_alloc(((size_t)n + 1) * sizeof *sizes);
    for (int i = 0; i < n; i++) {
        int64_t most = list[i].n / list[i].multiple;
        if (!list[i].is_fixed)
            sizes[n_sizes++] =
                (nw_resize){i, nw_rng_range(&rng, (most + 1) / 2, most) * list[i].multiple};
    }
    nw_status status = nw_resize_groups(groups, sizes, n_sizes, out, err);
    free(sizes);
    nw_groups_free(groups);
    return status;
}

/* Per element of one axis: whether it stayed. */
static uint8_t *find_kept(const nw_edited *edited, int axis, int64_t n_old, int64_t n_new)
{
    uint8_t *kept = nw_zalloc((size_t)n_old + 1);
    for (int64_t i = 0; i < (edited->maps[axis] ? n_new : n_old); i++)
        kept[edited->maps[axis] ? edited->maps[axis][i] : i] = 1;
    return kept;
}

static void mask_constant(nw_graph *whole, nw_tensor_id id, const nw_tensor *thinned)
{
    nw_tensor *tensor = &whole->tensors[id];
    size_t each = (size_t)nw_dtype_bits(tensor->dtype) / 8;
    uint8_t *bytes = nw_graph_alloc(whole, tensor->n_bytes), *kept[NW_MAX_RANK] = {NULL};
    memcpy(bytes, tensor->data, tensor->n_bytes);
    for (int axis = 0; axis < tensor->shape.rank; axis++)
        kept[axis] =
            find_kept(thinned->edited, axis, tensor->shape.dims[axis], thinned->shape.dims[axis]);
    for (int64_t i = 0; i < nw_shape_elements(&tensor->shape); i++) {
        int64_t rest = i;
        bool stays = true;
        for (int axis = tensor->shape.rank - 1; axis >= 0; axis--) {
            stays &= kept[axis][rest % tensor->shape.dims[axis]];
            rest /= tensor->shape.dims[axis];
        }
        if (!stays)
            memset(bytes + (size_t)i * each, 0, each);
    }
    for (int axis = 0; axis < tensor->shape.rank; axis++)
        free(kept[axis]);
    tensor->data = bytes;
    tensor->file_offset = -1;
    tensor->is_local = true;
}

static nw_status save(const nw_graph *graph, const char *path, nw_error *err)
{
    const nw_onnx_options options = {.refuses_made_up = true};
    nw_buf out = {0};
    nw_status status = nw_onnx_write(graph, &options, &out, err);
    if (status == NW_OK)
        status = nw_save(path, &out, NW_SAVE_REPLACE, err);
    nw_buf_fini(&out);
    return status;
}

int main(int argc, char **argv)
{
    nw_error err;
    nw_graph *graph = NULL, *thinned = NULL, *whole = NULL;
    if (argc < 5)
        return 2;
    nw_status status = nw_model_load(argv[2], NULL, 0, &graph, &err);
    if (status == NW_OK)
        status = thin(graph, strtoull(argv[1], NULL, 10), &thinned, &err);
    if (status == NW_OK) {
        whole = nw_graph_copy(graph);
        for (nw_tensor_id id = 0; id < graph->n_tensors; id++)
            if (thinned->tensors[id].edited && whole->tensors[id].data)
                mask_constant(whole, id, &thinned->tensors[id]);
        status = nw_graph_seal(whole, NULL, 0, &err);
    }
    if (status == NW_OK)
        status = save(thinned, argv[3], &err);
    if (status == NW_OK)
        status = save(whole, argv[4], &err);
    if (status != NW_OK)
        fprintf(stderr, "%s: %s\n", err.where, err.message);
    nw_graph_free(whole);
    nw_graph_free(thinned);
    nw_graph_free(graph);
    return status == NW_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
