/* Any bytes as a network in JSON: an error or a graph, never a crash. What was read is written in
 * a way that reads back and is then written the same; and it can be sealed or refused, and what is
 * sealed is written as ONNX and for PyTorch, or refused, and has blocks. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "src/arch/arch.h"
#include "src/format/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nw_error err;
    nw_graph *graph = NULL, *again = NULL;
    nw_file *file = nw_file_from_bytes("fuzz", data, size);
    nw_network_json_is(file);
    nw_status status = nw_network_json_read(file, &graph, &err);
    nw_file_release(file);
    if (status != NW_OK)
        return 0;
    nw_buf first = {0}, second = {0};
    nw_network_json_write(graph, &first);
    file = nw_file_from_bytes("fuzz", first.text, first.length);
    status = nw_network_json_read(file, &again, &err);
    assert(status == NW_OK);
    nw_network_json_write(again, &second);
    assert(strcmp(first.text, second.text) == 0);
    status = nw_graph_seal(again, NULL, 0, &err);
    nw_buf_clear(&second);
    if (status == NW_OK)
        nw_network_json_write(again, &second);
    nw_counts counts;
    if (status == NW_OK)
        nw_graph_count(again, &counts);
    nw_buf_clear(&second);
    if (status == NW_OK && counts.constant_bytes < 1 << 20 && counts.n_ops < 100)
        (void)!nw_onnx_write(again, NULL, &second, &err);
    nw_buf_clear(&second);
    if (status == NW_OK && counts.constant_bytes < 1 << 20 && counts.n_ops < 100)
        (void)!nw_pytorch_write(again, &second, &err);
    nw_file_release(file);
    nw_graph_free(graph);
    if (status == NW_OK) {
        const nw_arch *arch = nw_arch_lift(again);
        (void)nw_arch_recognised(arch);
        nw_arch_release(arch);
    } else {
        nw_graph_free(again);
    }
    nw_buf_fini(&first);
    nw_buf_fini(&second);
    return 0;
}
