/* onnx_copy HOW IN OUT.onnx [EDIT...]: reads a model, edits it and writes it as ONNX, for the
 * checks that another runtime makes (make test-runtime). HOW: 0, 8 (bits), float: quantising
 * nodes are left out, or anew: every block is written anew after the edits. Prints what the model
 * must do: {"macs": 1, "outputs": [[1, 10]]}. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/arch.h"
#include "src/base/arena.h"
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

/* Lines as nw_edit_read reads them. */
static nw_status apply(nw_graph *graph, char *const *lines, int n, const nw_arch **out,
                       nw_error *err)
{
    nw_edit *edits = nw_alloc((size_t)n * sizeof *edits);
    const nw_arch *arch = nw_arch_lift(graph);
    nw_status status = NW_OK;
    for (int i = 0; i < n && status == NW_OK; i++)
        status = nw_edit_read(lines[i], &edits[i], err);
    if (status == NW_OK && n)
        status = nw_arch_apply(arch, edits, n, out, NULL, err);
    else if (status == NW_OK)
        *out = nw_arch_retain(arch);
    nw_arch_release(arch);
    free(edits);
    return status;
}

static nw_status write_anew(const nw_arch **arch, nw_error *err)
{
    const nw_arch *anew;
    nw_status status = nw_arch_rewrite(*arch, &anew, err);
    if (status != NW_OK)
        return status;
    nw_arch_release(*arch);
    *arch = anew;
    return NW_OK;
}

int main(int argc, char **argv)
{
    nw_error err;
    nw_graph *graph = NULL;
    const nw_arch *arch = NULL;
    nw_buf out = {0};
    if (argc < 4)
        return 2;
    bool to_float = strcmp(argv[1], "float") == 0, is_anew = strcmp(argv[1], "anew") == 0;
    const nw_onnx_options options = {
        .bits = to_float ? 0 : atoi(argv[1]), .to_float = to_float, .refuses_made_up = true};
    nw_status status = nw_model_load(argv[2], NULL, 0, &graph, &err);
    if (status == NW_OK)
        status = apply(graph, argv + 4, argc - 4, &arch, &err);
    if (status == NW_OK && is_anew)
        status = write_anew(&arch, &err);
    if (status == NW_OK)
        status = nw_onnx_write(nw_arch_graph(arch), &options, &out, &err);
    if (status == NW_OK)
        status = nw_save(argv[3], &out, NW_SAVE_REPLACE, &err);
    if (status == NW_OK)
        print_facts(nw_arch_graph(arch));
    else
        fprintf(stderr, "%s: %s\n", err.where, err.message);
    nw_buf_fini(&out);
    nw_arch_release(arch);
    return status == NW_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
