/* onnx_copy BITS IN OUT.onnx: reads a model and writes it as ONNX, for the checks that another
 * runtime makes (make test-runtime). */
#include <stdio.h>
#include <stdlib.h>

#include "src/base/save.h"
#include "src/format/format.h"

int main(int argc, char **argv)
{
    nw_error err;
    nw_graph *graph = NULL;
    nw_buf out = {0};
    if (argc != 4)
        return 2;
    const nw_onnx_options options = {.bits = atoi(argv[1]), .refuses_made_up = true};
    nw_status status = nw_model_load(argv[2], NULL, 0, &graph, &err);
    if (status == NW_OK)
        status = nw_onnx_write(graph, &options, &out, &err);
    if (status == NW_OK)
        status = nw_save(argv[3], &out, NW_SAVE_REPLACE, &err);
    if (status != NW_OK)
        fprintf(stderr, "%s: %s\n", err.where, err.message);
    nw_buf_fini(&out);
    nw_graph_free(graph);
    return status == NW_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
