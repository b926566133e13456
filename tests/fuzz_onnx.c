/* Feeds any bytes to the ONNX reader, seals what it makes of them, writes it again and finds its
 * blocks. */
#include <stddef.h>
#include <stdint.h>

#include "src/arch/arch.h"
#include "src/format/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nw_error err;
    nw_graph *graph;
    nw_file *file = nw_file_from_bytes("fuzz.onnx", data, size);
    (void)nw_onnx_is(file);
    nw_status status = nw_onnx_read(file, &graph, &err);
    nw_file_release(file);
    if (status != NW_OK)
        return 0;
    if (nw_graph_seal(graph, NULL, 0, &err) == NW_OK) {
        nw_counts counts;
        nw_graph_count(graph, &counts);
        nw_buf out = {0};
        const nw_onnx_options options = {.bits = size % 2 ? 8 : 0, .refuses_made_up = true};
        (void)!nw_onnx_write(graph, &options, &out, &err);
        nw_buf_fini(&out);
        const nw_arch *arch = nw_arch_lift(graph);
        (void)nw_arch_recognised(arch);
        nw_arch_release(arch);
        return 0;
    }
    nw_graph_free(graph);
    return 0;
}
