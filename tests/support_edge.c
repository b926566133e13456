#include "tests/support_edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"

#define FACTS "data/edge_tpu_facts/"

static void fail(const char *what, const nw_error *err)
{
    fprintf(stderr, "%s: %s: %s\n", what, err->where, err->message);
    abort();
}

bool edge_load(edge_facts *facts)
{
    const char *path = shared_path(FACTS "layers.csv");
    *facts = (edge_facts){0};
    if (!path || !csv_load(&facts->layers, path))
        return false;
    path = shared_path(FACTS "models.csv");
    return path && csv_load(&facts->models, path);
}

void edge_fini(edge_facts *facts)
{
    csv_free(&facts->layers);
    csv_free(&facts->models);
}

int64_t edge_number(const edge_facts *facts, int row, const char *column)
{
    return (int64_t)csv_number(&facts->layers, row, column);
}

bool edge_is(const edge_facts *facts, int row, const char *block)
{
    return strcmp(csv_text(&facts->layers, row, "block"), block) == 0;
}

bool edge_is_separable(const edge_facts *facts, int row)
{
    return edge_is(facts, row, "dwsep") ||
           (edge_is(facts, row, "ibn") &&
            edge_number(facts, row, "mid") == edge_number(facts, row, "cin"));
}

bool edge_find(const edge_facts *facts, int index, int *first, int *end)
{
    const csv *layers = &facts->layers;
    int row = 0;
    for (; row < layers->n_rows && index >= 0; index--) {
        *first = row;
        while (row < layers->n_rows &&
               strcmp(csv_text(layers, row, "model"), csv_text(layers, *first, "model")) == 0)
            row++;
        *end = row;
    }
    return index < 0;
}

void edge_ranks(const edge_facts *facts, int row, int64_t *in, int64_t *out)
{
    long long a = 0, b = 0;
    if (sscanf(csv_text(&facts->layers, row, "groups_or_ranks"), "%lld/%lld", &a, &b) != 2)
        abort();
    *in = a;
    *out = b;
}

/* ---- as strings ---- */

static void write_row(const edge_facts *facts, int row, nw_buf *out)
{
    int64_t in_c = edge_number(facts, row, "cin"), out_c = edge_number(facts, row, "cout");
    int64_t mid_c = edge_number(facts, row, "mid"), stride = edge_number(facts, row, "stride");
    int64_t groups = edge_number(facts, row, "groups_or_ranks"), rank_in, rank_out;
    double expansion = (double)mid_c / (double)in_c;
    bool is_equal = in_c == out_c && stride == 1;
    nw_buf_puts(out, stride > 1 ? "\n" : " ");
    if (edge_is(facts, row, "stem") || edge_is(facts, row, "conv"))
        nw_buf_puts(out, "cn");
    else if (edge_is(facts, row, "fused"))
        nw_buf_printf(out, "er_e%.12f", expansion);
    else if (edge_is_separable(facts, row))
        nw_buf_puts(out, "ds");
    else if (edge_is(facts, row, "ibn"))
        nw_buf_printf(out, "ir_e%.12f", expansion);
    else if (edge_is(facts, row, "tucker")) {
        edge_ranks(facts, row, &rank_in, &rank_out);
        nw_buf_printf(out, "tu_ir%.12f_or%.12f", (double)rank_in / (double)in_c,
                      (double)rank_out / (double)out_c);
    } else {
        abort();
    }
    nw_buf_printf(out, "_r1_k%lld_s%lld_c%lld", (long long)edge_number(facts, row, "kernel"),
                  (long long)stride, (long long)out_c);
    if (edge_is(facts, row, "fused") && groups > 1)
        nw_buf_printf(out, "_gs%lld", (long long)(mid_c / groups));
    if (is_equal && !edge_number(facts, row, "residual") && !edge_is(facts, row, "conv"))
        nw_buf_puts(out, "_noskip");
}

nw_graph *edge_build(const edge_facts *facts, int first, int end, int size, int64_t *classifier)
{
    nw_buf text = {0};
    nw_error err;
    nw_graph *graph = NULL;
    nw_input_size input = {.name = "", .shape = {4, {1, 3, size, size}}};
    *classifier = 0;
    for (int row = first; row < end; row++) {
        if (edge_is(facts, row, "fc"))
            *classifier = edge_number(facts, row, "cin") * edge_number(facts, row, "cout");
        else
            write_row(facts, row, &text);
    }
    if (nw_model_load(nw_buf_text(&text), &input, 1, &graph, &err) != NW_OK)
        fail(nw_buf_text(&text), &err);
    nw_buf_fini(&text);
    return graph;
}

/* ---- a classifier ---- */

static nw_tensor_id add_constant(nw_graph *graph, const char *name, nw_shape shape)
{
    nw_tensor_id id = nw_graph_add_tensor(graph, name, NW_DTYPE_FLOAT32, &shape);
    nw_graph_set_data(graph, id, NULL, 0, -1);
    return id;
}

nw_graph *classify(nw_graph *graph, int64_t n)
{
    nw_graph *copy = nw_graph_copy(graph);
    nw_error err;
    nw_tensor_id end = graph->outputs[0];
    int64_t c = nw_tensor_hwc(graph, end).c;
    copy->tensors[end].is_output = false;
    copy->n_outputs = 0;
    nw_tensor_id mean = nw_graph_add_tensor(copy, "mean", NW_DTYPE_FLOAT32, NULL);
    nw_node *node =
        nw_graph_add_node(copy, NW_OP_GLOBAL_POOL, "mean", "GlobalAveragePool", &end, 1, &mean, 1);
    node->attrs.reduce = NW_REDUCE_MEAN;
    nw_tensor_id inputs[] = {mean, add_constant(copy, "classifier.weight", (nw_shape){2, {n, c}}),
                             add_constant(copy, "classifier.bias", (nw_shape){1, {n}})};
    nw_tensor_id out = nw_graph_add_tensor(copy, "classes", NW_DTYPE_FLOAT32, NULL);
    node = nw_graph_add_node(copy, NW_OP_FULLY_CONNECTED, "classifier", "Gemm", inputs, 3, &out, 1);
    node->attrs.keep_dims = false;
    nw_graph_add_output(copy, out);
    if (nw_graph_seal(copy, NULL, 0, &err) != NW_OK)
        fail("classifier", &err);
    nw_graph_free(graph);
    return copy;
}
