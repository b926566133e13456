/* Sealing and what a sealed graph tells: order, errors, free sizes, counts, geometry. Expectations
 * are worked out by hand from the small graphs written here. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/graph/graph.h"
#include "tests/support_net.h"

static nw_tensor_id add_map(nw_graph *graph, const char *name, int rank, int64_t a, int64_t b,
                            int64_t c, int64_t d)
{
    nw_shape shape = {.rank = rank, .dims = {a, b, c, d}};
    return nw_graph_add_tensor(graph, name, NW_DTYPE_FLOAT32, rank < 0 ? NULL : &shape);
}

static nw_tensor_id add_input(nw_graph *graph, const char *name, int rank, int64_t a, int64_t b,
                              int64_t c, int64_t d)
{
    nw_tensor_id id = add_map(graph, name, rank, a, b, c, d);
    nw_graph_add_input(graph, id);
    return id;
}

static nw_tensor_id add_open(nw_graph *graph, const char *name)
{
    return nw_graph_add_tensor(graph, name, NW_DTYPE_FLOAT32, NULL);
}

static nw_node *add_node(nw_graph *graph, nw_op op, const char *name, nw_tensor_id a,
                         nw_tensor_id b, nw_tensor_id out)
{
    nw_tensor_id in[2] = {a, b};
    return nw_graph_add_node(graph, op, name, nw_op_name(op), in, b == NW_NONE ? 1 : 2, &out, 1);
}

static nw_graph *new_graph(void)
{
    return nw_graph_new("test", NW_LAYOUT_NHWC);
}

/* Sealing fails and the message holds both texts; the graph is freed. */
static void expect_error(nw_graph *graph, const nw_input_size *sizes, int n_sizes,
                         const char *where, const char *message)
{
    nw_error err;
    ck_assert_int_eq(nw_graph_seal(graph, sizes, n_sizes, &err), NW_INVALID);
    ck_assert(!graph->is_sealed);
    ck_assert_msg(strstr(err.where, where) != NULL, "where is '%s'", err.where);
    ck_assert_msg(strstr(err.message, message) != NULL, "message is '%s'", err.message);
    ck_assert_ptr_null(strchr(err.message, '\n'));
    nw_graph_free(graph);
}

static void seal(nw_graph *graph, const nw_input_size *sizes, int n_sizes)
{
    nw_error err;
    if (nw_graph_seal(graph, sizes, n_sizes, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    ck_assert(graph->is_sealed);
}

/* ---- order ---- */

START_TEST(a_cycle_is_an_error_that_names_a_node_of_it)
{
    nw_graph *graph = new_graph();
    nw_tensor_id x = add_input(graph, "x", 2, 1, 4, 0, 0);
    nw_tensor_id a = add_open(graph, "a"), b = add_open(graph, "b");
    add_node(graph, NW_OP_ADD, "first", x, b, a);
    add_node(graph, NW_OP_RELU, "second", a, NW_NONE, b);
    nw_graph_add_output(graph, b);
    expect_error(graph, NULL, 0, "", "cycle");
}
END_TEST

START_TEST(a_node_that_reads_its_own_output_is_a_cycle)
{
    nw_graph *graph = new_graph();
    nw_tensor_id x = add_input(graph, "x", 2, 1, 4, 0, 0), a = add_open(graph, "a");
    add_node(graph, NW_OP_ADD, "selfish", x, a, a);
    nw_graph_add_output(graph, a);
    expect_error(graph, NULL, 0, "selfish", "cycle");
}
END_TEST

START_TEST(unsorted_nodes_are_put_in_order)
{
    nw_graph *graph = new_graph();
    nw_tensor_id x = add_input(graph, "x", 2, 1, 4, 0, 0);
    nw_tensor_id a = add_open(graph, "a"), b = add_open(graph, "b"), c = add_open(graph, "c");
    add_node(graph, NW_OP_TANH, "last", b, NW_NONE, c);
    add_node(graph, NW_OP_RELU, "first", x, NW_NONE, a);
    add_node(graph, NW_OP_SIGMOID, "middle", a, NW_NONE, b);
    nw_graph_add_output(graph, c);
    seal(graph, NULL, 0);
    static const nw_node_id order[] = {1, 2, 0};
    ck_assert_mem_eq(graph->order, order, sizeof order);
    ck_assert_int_eq(graph->tensors[c].shape.dims[1], 4);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_sorted_file_keeps_its_order)
{
    nw_graph *graph = new_graph();
    nw_tensor_id x = add_input(graph, "x", 2, 1, 4, 0, 0), sums[20];
    /* two interleaved chains: any depth-first or breadth-first order from the end differs */
    for (int i = 0; i < 20; i++) {
        sums[i] = add_open(graph, "t");
        add_node(graph, NW_OP_RELU, "n", i < 2 ? x : sums[i - 2], NW_NONE, sums[i]);
    }
    nw_graph_add_output(graph, sums[18]);
    nw_graph_add_output(graph, sums[19]);
    seal(graph, NULL, 0);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(graph->order[i], i);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_hundred_thousand_nodes_in_reverse_are_sealed)
{
    enum { N = 100000 };
    nw_graph *graph = new_graph();
    nw_tensor_id first = add_input(graph, "x", 2, 1, 4, 0, 0);
    for (int i = 1; i <= N; i++)
        add_open(graph, "t");
    for (int i = N; i >= 1; i--)
        add_node(graph, NW_OP_RELU, "n", first + i - 1, NW_NONE, first + i);
    nw_graph_add_output(graph, first + N);
    seal(graph, NULL, 0);
    ck_assert_int_eq(graph->order[0], N - 1);
    ck_assert_int_eq(graph->order[N - 1], 0);
    nw_graph_free(graph);
}
END_TEST

/* ---- sources ---- */

START_TEST(a_tensor_that_nothing_produces_is_named_with_its_reader)
{
    nw_graph *graph = new_graph();
    nw_tensor_id x = add_input(graph, "x", 2, 1, 4, 0, 0);
    nw_tensor_id lost = add_open(graph, "lost"), out = add_open(graph, "out");
    add_node(graph, NW_OP_ADD, "reader", x, lost, out);
    nw_graph_add_output(graph, out);
    expect_error(graph, NULL, 0, "reader", "'lost'");
}
END_TEST

START_TEST(an_output_that_nothing_produces_is_an_error)
{
    nw_graph *graph = new_graph();
    add_input(graph, "x", 2, 1, 4, 0, 0);
    nw_graph_add_output(graph, add_open(graph, "lost"));
    expect_error(graph, NULL, 0, "lost", "nothing produces it");
}
END_TEST

START_TEST(a_network_without_outputs_is_an_error)
{
    nw_graph *graph = new_graph();
    add_input(graph, "x", 2, 1, 4, 0, 0);
    expect_error(graph, NULL, 0, "", "no outputs");
}
END_TEST

START_TEST(a_tensor_with_two_writers_is_named_with_the_second)
{
    nw_graph *graph = new_graph();
    nw_tensor_id x = add_input(graph, "x", 2, 1, 4, 0, 0), out = add_open(graph, "twice");
    add_node(graph, NW_OP_RELU, "one", x, NW_NONE, out);
    add_node(graph, NW_OP_TANH, "two", x, NW_NONE, out);
    nw_graph_add_output(graph, out);
    expect_error(graph, NULL, 0, "two", "'twice'");
}
END_TEST

START_TEST(inputs_and_stored_constants_have_no_writer)
{
    for (int is_stored = 0; is_stored < 2; is_stored++) {
        nw_graph *graph = new_graph();
        nw_tensor_id x = add_input(graph, "x", 2, 1, 4, 0, 0),
                     c = add_map(graph, "c", 1, 4, 0, 0, 0);
        nw_graph_set_data(graph, c, NULL, 0, -1);
        add_node(graph, NW_OP_RELU, "writer", x, NW_NONE, is_stored ? c : x);
        nw_graph_add_output(graph, x);
        expect_error(graph, NULL, 0, "writer", "one writer");
    }
}
END_TEST

START_TEST(a_tensor_read_by_nobody_and_an_input_that_is_an_output_are_fine)
{
    nw_graph *graph = new_graph();
    nw_tensor_id x = add_input(graph, "x", 2, 1, 4, 0, 0), unused = add_open(graph, "unused");
    add_node(graph, NW_OP_RELU, "n", x, NW_NONE, unused);
    nw_graph_add_output(graph, x);
    seal(graph, NULL, 0);
    nw_graph_free(graph);
}
END_TEST

/* ---- free sizes ---- */

static nw_graph *open_graph(int64_t n, int64_t h, int64_t w)
{
    nw_graph *graph = new_graph();
    nw_tensor_id x = add_input(graph, "image", 4, n, h, w, 3), out = add_open(graph, "out");
    nw_graph_name_free_dim(graph, x, 1, "height");
    add_node(graph, NW_OP_RELU, "n", x, NW_NONE, out);
    nw_graph_add_output(graph, out);
    return graph;
}

START_TEST(a_free_batch_is_one)
{
    nw_graph *graph = open_graph(NW_DIM_FREE, 8, 8);
    seal(graph, NULL, 0);
    ck_assert_int_eq(graph->tensors[graph->outputs[0]].shape.dims[0], 1);
    nw_graph_free(graph);
}
END_TEST

START_TEST(the_error_asks_for_every_open_size_by_axis_and_name)
{
    expect_error(open_graph(NW_DIM_FREE, NW_DIM_FREE, NW_DIM_FREE), NULL, 0, "image",
                 "axis 1 ('height'), axis 2");
    expect_error(open_graph(NW_DIM_FREE, NW_DIM_FREE, 8), NULL, 0, "image",
                 "--input image=1xNx8x3");
}
END_TEST

START_TEST(given_sizes_close_the_open_ones)
{
    nw_input_size by_name = {"image", {.rank = 4, .dims = {1, 20, 30, 3}}};
    nw_input_size by_itself = {"", {.rank = 4, .dims = {1, 20, 30, 3}}};
    for (int i = 0; i < 2; i++) {
        nw_graph *graph = open_graph(NW_DIM_FREE, NW_DIM_FREE, NW_DIM_FREE);
        seal(graph, i ? &by_itself : &by_name, 1);
        ck_assert_int_eq(graph->tensors[graph->outputs[0]].shape.dims[1], 20);
        ck_assert_int_eq(graph->tensors[graph->outputs[0]].shape.dims[2], 30);
        nw_graph_free(graph);
    }
}
END_TEST

START_TEST(sizes_that_do_not_match_the_file_are_errors)
{
    nw_input_size fixed = {"image", {.rank = 4, .dims = {1, 20, 30, 4}}};
    nw_input_size rank = {"image", {.rank = 2, .dims = {20, 30}}};
    nw_input_size name = {"picture", {.rank = 4, .dims = {1, 20, 30, 3}}};
    expect_error(open_graph(-1, -1, -1), &fixed, 1, "image", "axis 3 is fixed to 3");
    expect_error(open_graph(-1, -1, -1), &rank, 1, "image", "2 dimensions, the file's has 4");
    expect_error(open_graph(-1, -1, -1), &name, 1, "picture", "the network has image");
}
END_TEST

START_TEST(a_size_given_as_open_or_huge_is_refused)
{
    nw_input_size open = {"image", {.rank = 4, .dims = {1, NW_DIM_FREE, 30, 3}}};
    nw_input_size huge = {"image", {.rank = 4, .dims = {1, NW_MAX_DIM, NW_MAX_DIM, 3}}};
    expect_error(open_graph(-1, -1, -1), &open, 1, "image", "axis 1");
    expect_error(open_graph(-1, -1, -1), &huge, 1, "image", "large");
}
END_TEST

START_TEST(an_input_without_any_shape_is_asked_for)
{
    for (int is_given = 0; is_given < 2; is_given++) {
        nw_graph *graph = new_graph();
        nw_tensor_id x = add_input(graph, "x", -1, 0, 0, 0, 0), out = add_open(graph, "out");
        nw_input_size size = {"x", {.rank = 2, .dims = {1, 4}}};
        add_node(graph, NW_OP_RELU, "n", x, NW_NONE, out);
        nw_graph_add_output(graph, out);
        if (!is_given) {
            expect_error(graph, NULL, 0, "x", "--input x=");
            continue;
        }
        seal(graph, &size, 1);
        ck_assert_int_eq(graph->tensors[out].shape.dims[1], 4);
        nw_graph_free(graph);
    }
}
END_TEST

/* ---- constants ---- */

static nw_tensor_id add_stored(nw_graph *graph, const char *name, nw_dtype dtype, int rank,
                               int64_t a, int64_t b)
{
    nw_shape shape = {.rank = rank, .dims = {a, b}};
    nw_tensor_id id = nw_graph_add_tensor(graph, name, dtype, &shape);
    nw_graph_set_data(graph, id, NULL, 0, -1);
    return id;
}

START_TEST(the_stored_root_is_found_behind_what_moves_or_converts)
{
    /* int8 weights -> dequantise -> transpose -> reshape -> product; a sum of constants is none */
    nw_graph *graph = new_graph();
    nw_tensor_id x = add_input(graph, "x", 2, 1, 6, 0, 0);
    nw_tensor_id w = add_stored(graph, "w", NW_DTYPE_INT8, 2, 4, 6);
    nw_tensor_id chain[3], out = add_open(graph, "out");
    static const nw_op ops[] = {NW_OP_DEQUANTIZE, NW_OP_IDENTITY, NW_OP_TRANSPOSE};
    for (int i = 0; i < 3; i++) {
        chain[i] = add_open(graph, "c");
        add_node(graph, ops[i], "n", i ? chain[i - 1] : w, NW_NONE, chain[i]);
    }
    add_node(graph, NW_OP_MATMUL, "product", x, chain[2], out);
    nw_graph_add_output(graph, out);
    seal(graph, NULL, 0);
    ck_assert_int_eq(nw_graph_stored_root(graph, w), w);
    ck_assert_int_eq(nw_graph_stored_root(graph, chain[2]), w);
    ck_assert_int_eq(nw_graph_stored_root(graph, x), NW_NONE);
    ck_assert_int_eq(nw_graph_stored_root(graph, out), NW_NONE);
    ck_assert_int_eq(nw_graph_stored_root(graph, NW_NONE), NW_NONE);
    ck_assert(graph->tensors[chain[2]].is_const && !graph->tensors[chain[2]].is_stored);
    nw_graph_free(graph);
}
END_TEST

START_TEST(counts_are_each_stored_parameter_once)
{
    /* Two products share 6x6 int8 weights: 2 * 36 MACs, 36 weights once; one bias of 6 float32
     * added, one scalar of a formula that is no parameter. Bytes: 36 + 6 * 4. */
    nw_graph *graph = new_graph();
    nw_tensor_id x = add_input(graph, "x", 2, 1, 6, 0, 0);
    nw_tensor_id w = add_stored(graph, "w", NW_DTYPE_INT8, 2, 6, 6);
    nw_tensor_id b = add_stored(graph, "b", NW_DTYPE_FLOAT32, 1, 6, 0);
    nw_tensor_id three = add_stored(graph, "three", NW_DTYPE_FLOAT32, 0, 0, 0);
    nw_tensor_id d = add_open(graph, "d"), t[4];
    for (int i = 0; i < 4; i++)
        t[i] = add_open(graph, "t");
    add_node(graph, NW_OP_DEQUANTIZE, "dequantise", w, NW_NONE, d);
    add_node(graph, NW_OP_MATMUL, "one", x, d, t[0]);
    add_node(graph, NW_OP_ADD, "bias", t[0], b, t[1]);
    add_node(graph, NW_OP_MATMUL, "two", t[1], d, t[2]);
    add_node(graph, NW_OP_MUL, "scale", t[2], three, t[3]);
    nw_graph_add_output(graph, t[3]);
    seal(graph, NULL, 0);
    nw_counts counts;
    nw_graph_count(graph, &counts);
    ck_assert_int_eq(counts.macs, 72);
    ck_assert_int_eq(counts.weight_params, 36);
    ck_assert_int_eq(counts.params, 42);
    ck_assert_int_eq(counts.weight_bytes, 36 + 24);
    ck_assert_int_eq(counts.constant_bytes, 36 + 24 + 4);
    ck_assert(counts.n_ops == 5 && counts.n_opaque == 0 && counts.opaque_bytes == 0);
    int n_types;
    nw_op_count *rows = nw_graph_count_ops(graph, &n_types);
    ck_assert_int_eq(n_types, 4);
    ck_assert_str_eq(rows[0].file_type, "matmul"); /* most first, then by name */
    ck_assert_str_eq(rows[1].file_type, "add");
    ck_assert_int_eq(rows[0].n, 2);
    free(rows);
    nw_graph_free(graph);
}
END_TEST

START_TEST(an_opaque_operator_is_counted_with_what_it_hides)
{
    nw_graph *graph = new_graph();
    nw_tensor_id x = add_input(graph, "x", 2, 1, 4, 0, 0), a = add_open(graph, "a");
    nw_tensor_id b = add_open(graph, "b"), w = add_stored(graph, "w", NW_DTYPE_INT8, 2, 10, 10);
    add_node(graph, NW_OP_OPAQUE, "secret", x, w, a)->opaque_bytes = 900;
    add_node(graph, NW_OP_RELU, "n", a, NW_NONE, b);
    nw_graph_add_output(graph, b);
    seal(graph, NULL, 0);
    nw_counts counts;
    nw_graph_count(graph, &counts);
    ck_assert_int_eq(counts.n_opaque, 1);
    ck_assert_int_eq(counts.opaque_bytes, 1000);
    ck_assert_int_eq(counts.constant_bytes, 1000);
    ck_assert_int_eq(graph->tensors[b].shape.rank, -1);
    ck_assert_int_eq(graph->n_warnings, 2); /* of the operator, and of sizes unknown behind it */
    ck_assert_ptr_nonnull(strstr(graph->warnings[0], "100 %"));
    nw_graph_free(graph);
}
END_TEST

/* ---- geometry ---- */

static nw_geometry geometry_of(const nw_graph *graph, nw_node_id node)
{
    nw_geometry g;
    ck_assert(nw_node_geometry(graph, node, &g));
    return g;
}

START_TEST(a_strided_convolution_has_the_geometry_of_its_formula)
{
    /* SAME: ceil(31/2) = 16, ceil(20/2) = 10; total padding (16-1)*2+3-31 = 2, (10-1)*2+3-20 = 1,
     * the odd one below and right; MACs 160 * 9 * 8 * 12 */
    net n = net_begin(31, 20, 8, NW_DTYPE_INT8);
    net_conv(&n, 12, 3, 3, 2, 2, NW_ACT_RELU);
    nw_graph *graph = net_end(&n);
    nw_geometry g = geometry_of(graph, 0);
    ck_assert(g.batch == 1 && g.in_h == 31 && g.in_w == 20 && g.in_c == 8);
    ck_assert(g.out_h == 16 && g.out_w == 10 && g.out_c == 12);
    ck_assert(g.kernel_h == 3 && g.kernel_w == 3 && g.stride_h == 2 && g.stride_w == 2);
    ck_assert(g.pad_top == 1 && g.pad_bottom == 1 && g.pad_left == 0 && g.pad_right == 1);
    ck_assert(g.groups == 1 && !g.is_depthwise && g.has_bias);
    ck_assert_int_eq(g.macs, 160 * 9 * 8 * 12);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_depthwise_convolution_is_one_group_a_channel)
{
    net n = net_begin(16, 16, 24, NW_DTYPE_INT8);
    net_depthwise(&n, 5, 2, NW_ACT_NONE);
    nw_graph *graph = net_end(&n);
    nw_geometry g = geometry_of(graph, 0);
    ck_assert(g.is_depthwise && g.groups == 24 && g.out_c == 24);
    ck_assert_int_eq(g.macs, 8 * 8 * 24 * 25);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_fully_connected_layer_flattens_to_rows_of_its_inner_size)
{
    net n = net_begin(4, 5, 6, NW_DTYPE_INT8);
    net_fc(&n, 10, NW_ACT_NONE);
    n.graph->nodes[0].attrs.keep_dims = false;
    nw_graph *graph = net_end(&n);
    nw_geometry g = geometry_of(graph, 0);
    ck_assert(g.in_h == 1 && g.in_w == 1 && g.in_c == 120 && g.out_c == 10);
    ck_assert_int_eq(g.macs, 1200);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_matrix_product_has_the_rows_of_all_batches)
{
    /* [3,4,5] x [3,5,6]: 12 rows of 5 by 6 columns, 12*5*6 MACs; both computed: no weights */
    nw_graph *graph = new_graph();
    nw_tensor_id a = add_input(graph, "a", 3, 3, 4, 5, 0), b = add_input(graph, "b", 3, 3, 5, 6, 0);
    nw_tensor_id out = add_open(graph, "out");
    add_node(graph, NW_OP_MATMUL, "n", a, b, out);
    nw_graph_add_output(graph, out);
    seal(graph, NULL, 0);
    nw_geometry g = geometry_of(graph, 0);
    ck_assert(g.in_h == 1 && g.in_w == 12 && g.in_c == 5 && g.out_c == 6);
    ck_assert_int_eq(g.macs, 360);
    ck_assert_int_eq(g.weights, NW_NONE);
    nw_graph_free(graph);
}
END_TEST

START_TEST(global_pooling_has_the_whole_map_as_its_window)
{
    net n = net_begin(7, 9, 24, NW_DTYPE_INT8);
    net_global_pool(&n);
    net_softmax(&n);
    nw_graph *graph = net_end(&n);
    nw_geometry g = geometry_of(graph, 0), none;
    ck_assert(g.kernel_h == 7 && g.kernel_w == 9 && g.out_h == 1 && g.out_w == 1);
    ck_assert_int_eq(g.macs, 0);
    ck_assert(!nw_node_geometry(graph, 1, &none));
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_map_is_height_width_channels_in_either_layout)
{
    static const struct {
        nw_layout layout;
        int rank;
        int64_t dims[5];
        nw_hwc map;
    } rows[] = {
        {NW_LAYOUT_NHWC, 4, {1, 5, 6, 7}, {5, 6, 7}},
        {NW_LAYOUT_NCHW, 4, {1, 5, 6, 7}, {6, 7, 5}},
        {NW_LAYOUT_NHWC, 3, {1, 5, 6}, {1, 5, 6}},
        {NW_LAYOUT_NCHW, 3, {1, 5, 6}, {1, 6, 5}},
        {NW_LAYOUT_NCHW, 2, {1, 5}, {1, 1, 5}},
        {NW_LAYOUT_NCHW, 0, {0}, {1, 1, 1}},
        {NW_LAYOUT_NCHW, 5, {1, 2, 3, 4, 5}, {1, 1, 120}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_graph *graph = nw_graph_new("test", rows[i].layout);
        nw_shape shape = {.rank = rows[i].rank};
        memcpy(shape.dims, rows[i].dims, sizeof rows[i].dims);
        nw_tensor_id x = nw_graph_add_tensor(graph, "x", NW_DTYPE_INT8, &shape);
        nw_graph_add_input(graph, x);
        nw_graph_add_output(graph, x);
        seal(graph, NULL, 0);
        nw_hwc map = nw_tensor_hwc(graph, x);
        ck_assert_msg(map.h == rows[i].map.h && map.w == rows[i].map.w && map.c == rows[i].map.c,
                      "row %d: %dx%dx%d", (int)i, (int)map.h, (int)map.w, (int)map.c);
        nw_graph_free(graph);
    }
}
END_TEST

START_TEST(sizes_beyond_all_reason_are_refused)
{
    nw_graph *graph = nw_graph_new("test", NW_LAYOUT_NHWC);
    nw_tensor_id x = add_input(graph, "x", 4, 1, 1 << 15, 1 << 15, 1 << 10);
    nw_shape w = {.rank = 4, .dims = {1 << 10, 3, 3, 1 << 10}};
    nw_tensor_id weights = nw_graph_add_tensor(graph, "w", NW_DTYPE_INT8, &w);
    nw_graph_set_data(graph, weights, NULL, 0, -1);
    for (int i = 0; i < 400; i++) {
        nw_tensor_id out = add_open(graph, "t");
        nw_node *node = add_node(graph, NW_OP_CONV2D, "n", x, weights, out);
        node->attrs.weight_layout = NW_WEIGHTS_OHWI;
        node->attrs.pad_mode = NW_PAD_SAME_UPPER;
        x = out;
    }
    nw_graph_add_output(graph, x);
    /* 2^30 pixels * 9 * 2^20 pairs = 1.1e16 MACs a layer; 2^60 = 1.15e18 after 103 of 400 layers */
    expect_error(graph, NULL, 0, "n", "2^60 MACs");
}
END_TEST

int main(void)
{
    const TTest *const list[] = {
        a_cycle_is_an_error_that_names_a_node_of_it,
        a_node_that_reads_its_own_output_is_a_cycle,
        unsorted_nodes_are_put_in_order,
        a_sorted_file_keeps_its_order,
        a_hundred_thousand_nodes_in_reverse_are_sealed,
        a_tensor_that_nothing_produces_is_named_with_its_reader,
        an_output_that_nothing_produces_is_an_error,
        a_network_without_outputs_is_an_error,
        a_tensor_with_two_writers_is_named_with_the_second,
        inputs_and_stored_constants_have_no_writer,
        a_tensor_read_by_nobody_and_an_input_that_is_an_output_are_fine,
        a_free_batch_is_one,
        the_error_asks_for_every_open_size_by_axis_and_name,
        given_sizes_close_the_open_ones,
        sizes_that_do_not_match_the_file_are_errors,
        a_size_given_as_open_or_huge_is_refused,
        an_input_without_any_shape_is_asked_for,
        the_stored_root_is_found_behind_what_moves_or_converts,
        counts_are_each_stored_parameter_once,
        an_opaque_operator_is_counted_with_what_it_hides,
        a_strided_convolution_has_the_geometry_of_its_formula,
        a_depthwise_convolution_is_one_group_a_channel,
        a_fully_connected_layer_flattens_to_rows_of_its_inner_size,
        a_matrix_product_has_the_rows_of_all_batches,
        global_pooling_has_the_whole_map_as_its_window,
        a_map_is_height_width_channels_in_either_layout,
        sizes_beyond_all_reason_are_refused,
    };
    Suite *suite = suite_create("graph");
    TCase *tests = tcase_create("graph");
    tcase_set_timeout(tests, 120);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        tcase_add_test(tests, list[i]);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
