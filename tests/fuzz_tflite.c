/* libFuzzer target of the TFLite reader, of sealing what it read and of writing that as ONNX. The
 * identifier is put in place, so that every input gets past the first check. */
#include <stdlib.h>
#include <string.h>

#include "src/arch/arch.h"
#include "src/format/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes < 8)
        return 0;
    uint8_t *copy = malloc(n_bytes);
    memcpy(copy, bytes, n_bytes);
    memcpy(copy + 4, "TFL3", 4);
    nw_file *file = nw_file_from_bytes("fuzz", copy, n_bytes);
    nw_graph *graph = NULL;
    nw_error err;
    const nw_input_size size = {"", {4, {1, 32, 32, 3}}};
    if (nw_tflite_read(file, &graph, &err) == NW_OK) {
        bool is_open = graph->n_inputs == 1 && graph->tensors[graph->inputs[0]].shape.rank == 4 &&
                       !nw_shape_is_known(&graph->tensors[graph->inputs[0]].shape);
        nw_status status = nw_graph_seal(graph, &size, is_open, &err);
        nw_counts counts;
        if (status == NW_OK) {
            nw_buf out = {0};
            const nw_onnx_options options = {.bits = n_bytes % 2 ? 8 : 0, .refuses_made_up = true};
            nw_graph_count(graph, &counts);
            (void)!nw_onnx_write(graph, &options, &out, &err);
            nw_buf_fini(&out);
            const nw_arch *arch = nw_arch_lift(graph);
            (void)nw_arch_recognised(arch);
            nw_arch_release(arch);
        } else {
            nw_graph_free(graph);
        }
    }
    nw_file_release(file);
    free(copy);
    return 0;
}
