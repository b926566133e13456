/* onnx_copy HOW IN OUT.onnx [EDIT...]: reads a model, edits it and writes it as ONNX, for the
 * checks that another runtime makes (make test-runtime). HOW: 0, 8 (bits), or float: quantising
 * nodes are left out. Prints what the model must do: {"macs": 1, "outputs": [[1, 10]]}. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/group.h"
#include "src/base/save.h"
#include "src/format/format.h"

static void print_facts(const nw_graph *graph)
{
    nw_counts counts;
    nw_graph_count(graph, &counts);
    printf("{\"macs\": %" PRId64 ", \"outputs\": [", counts.macs);
    for (int i = 0; i < graph->n_outputs; i++) {
        const nw_shape *shape = &graph->tensors[graph->outputs[i]].shape;
        printf(i ? ", [" : "[");
        for (int k = 0; k < shape->rank; k++)
            printf("%s%" PRId64, k ? ", " : "", shape->dims[k]);
        printf("]");
    }
    printf("]}\n");
}

/* "width 0.5 8", "resolution 160 128". */
static nw_status edit(nw_graph **graph, const char *text, nw_error *err)
{
    double factor;
    int divisor, height, width;
    nw_graph *edited = NULL;
    bool is_size = sscanf(text, "resolution %d %d", &height, &width) == 2;
    if (!is_size && sscanf(text, "width %lf %d", &factor, &divisor) != 2)
        return nw_fail(err, NW_INVALID, text, "is no edit");
    nw_groups *groups = nw_groups_find(*graph);
    nw_status status = is_size ? nw_resize_resolution(*graph, height, width, &edited, err)
                               : nw_resize_width(groups, factor, divisor, &edited, err);
    nw_groups_free(groups);
    if (status == NW_OK) {
        nw_graph_free(*graph);
        *graph = edited;
    }
    return status;
}

int main(int argc, char **argv)
{
    nw_error err;
    nw_graph *graph = NULL;
    nw_buf out = {0};
    if (argc < 4)
        return 2;
    bool to_float = strcmp(argv[1], "float") == 0;
    const nw_onnx_options options = {
        .bits = to_float ? 0 : atoi(argv[1]), .to_float = to_float, .refuses_made_up = true};
    nw_status status = nw_model_load(argv[2], NULL, 0, &graph, &err);
    for (int i = 4; i < argc && status == NW_OK; i++)
        status = edit(&graph, argv[i], &err);
    if (status == NW_OK)
        status = nw_onnx_write(graph, &options, &out, &err);
    if (status == NW_OK)
        status = nw_save(argv[3], &out, NW_SAVE_REPLACE, &err);
    if (status == NW_OK)
        print_facts(graph);
    else
        fprintf(stderr, "%s: %s\n", err.where, err.message);
    nw_buf_fini(&out);
    nw_graph_free(graph);
    return status == NW_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
