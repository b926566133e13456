/* Any bytes as block strings or as an OFA description: an error or a graph, never a crash. Small
 * graphs are sealed, lifted, written as strings that read back, and as a PyTorch module. */
#include <assert.h>
#include <stdint.h>

#include "src/format/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_forms(nw_graph *graph)
{
    nw_error err;
    nw_buf text = {0};
    nw_graph *again = NULL;
    const nw_arch *arch = nw_arch_lift(graph);
    if (nw_timm_write(arch, &text, NULL, &err) == NW_OK) {
        nw_file *file = nw_file_from_bytes("fuzz", text.text, text.length);
        nw_status status = nw_timm_read(file, &again, &err);
        assert(status == NW_OK);
        nw_graph_free(again);
        nw_file_release(file);
    }
    nw_buf_clear(&text);
    (void)!nw_pytorch_write(nw_arch_graph(arch), &text, &err);
    nw_buf_fini(&text);
    nw_arch_release(arch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nw_error err;
    nw_graph *graph = NULL;
    nw_file *file = nw_file_from_bytes("fuzz", data, size);
    nw_input_size input = {.name = "", .shape = {4, {1, 3, 32, 32}}};
    bool is_ofa = nw_ofa_is(file);
    nw_timm_is(file);
    nw_status status = is_ofa ? nw_ofa_read(file, &graph, &err) : nw_timm_read(file, &graph, &err);
    nw_file_release(file);
    if (status != NW_OK)
        return 0;
    if (graph->n_nodes < 200 && nw_graph_seal(graph, &input, 1, &err) == NW_OK)
        write_forms(graph);
    else
        nw_graph_free(graph);
    return 0;
}
