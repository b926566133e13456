/* libFuzzer target of the TFLite reader. The identifier is put in place, so that every input gets
 * past the first check. */
#include <stdlib.h>
#include <string.h>

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
    if (nw_tflite_read(file, &graph, &err) == NW_OK)
        nw_graph_free(graph);
    nw_file_release(file);
    free(copy);
    return 0;
}
