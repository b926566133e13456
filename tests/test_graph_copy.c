/* Copies of sealed graphs, and constants that edits made. A copy that nothing was done to must be
 * the network it was copied from; real models come from NASW_SHARED/models. */
#include <check.h>
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_net.h"

static void seal(nw_graph *graph)
{
    nw_error err;
    if (nw_graph_seal(graph, NULL, 0, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
}

static nw_graph *resealed_copy(const nw_graph *graph)
{
    nw_graph *copy = nw_graph_copy(graph);
    ck_assert(!copy->is_sealed);
    seal(copy);
    return copy;
}

static void expect_same_values(const nw_tensor *a, const nw_tensor *b)
{
    size_t n = (size_t)nw_shape_elements(&a->shape);
    ck_assert_int_eq(a->ints != NULL, b->ints != NULL);
    ck_assert_int_eq(a->floats != NULL, b->floats != NULL);
    if (a->ints)
        ck_assert_mem_eq(a->ints, b->ints, n * sizeof *a->ints);
    if (a->floats)
        ck_assert_mem_eq(a->floats, b->floats, n * sizeof *a->floats);
}

static void expect_same_tensors(const nw_graph *a, const nw_graph *b)
{
    ck_assert_int_eq(a->n_tensors, b->n_tensors);
    for (int i = 0; i < a->n_tensors; i++) {
        const nw_tensor *x = &a->tensors[i], *y = &b->tensors[i];
        ck_assert_str_eq(x->name, y->name);
        ck_assert_int_eq(x->dtype, y->dtype);
        ck_assert(nw_shape_equal(&x->shape, &y->shape));
        ck_assert_ptr_eq(x->data, y->data);
        ck_assert_int_eq(x->producer, y->producer);
        ck_assert_int_eq(x->is_const, y->is_const);
        ck_assert_int_eq(x->is_stored, y->is_stored);
        expect_same_values(x, y);
    }
}

static void expect_same_nodes(const nw_graph *a, const nw_graph *b)
{
    ck_assert_int_eq(a->n_nodes, b->n_nodes);
    ck_assert_mem_eq(a->order, b->order, (size_t)a->n_nodes * sizeof *a->order);
    for (int i = 0; i < a->n_nodes; i++) {
        const nw_node *x = &a->nodes[i], *y = &b->nodes[i];
        nw_geometry p = {0}, q = {0};
        ck_assert_str_eq(x->name, y->name);
        ck_assert_mem_eq(&x->attrs, &y->attrs, sizeof x->attrs);
        ck_assert_int_eq(nw_node_geometry(a, i, &p), nw_node_geometry(b, i, &q));
        ck_assert_int_eq(p.macs, q.macs);
        ck_assert_int_eq(p.groups, q.groups);
        ck_assert_int_eq(p.pad_top, q.pad_top);
        ck_assert_int_eq(p.pad_right, q.pad_right);
    }
}

static void expect_same_totals(const nw_graph *a, const nw_graph *b)
{
    nw_counts x, y;
    nw_graph_count(a, &x);
    nw_graph_count(b, &y);
    ck_assert_mem_eq(&x, &y, sizeof x);
    ck_assert_int_eq(nw_graph_peak_live_bytes_file_order(a, NULL),
                     nw_graph_peak_live_bytes_file_order(b, NULL));
    ck_assert_int_eq(a->n_warnings, b->n_warnings);
    for (int i = 0; i < a->n_warnings; i++)
        ck_assert_str_eq(a->warnings[i], b->warnings[i]);
}

static void expect_same(const nw_graph *a, const nw_graph *b)
{
    nw_buf first = {0}, second = {0};
    expect_same_tensors(a, b);
    expect_same_nodes(a, b);
    expect_same_totals(a, b);
    nw_network_json_write(a, &first);
    nw_network_json_write(b, &second);
    ck_assert_str_eq(nw_buf_text(&first), nw_buf_text(&second));
    nw_buf_fini(&first);
    nw_buf_fini(&second);
}

static bool is_model(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcmp(dot, ".onnx") == 0 || strcmp(dot, ".tflite") == 0);
}

/* Calls run for every model; the number of them. */
static int each_model(void (*run)(const nw_graph *))
{
    const char *found = shared_path("models");
    char folder[512], path[1024];
    int n = 0;
    if (!found)
        return 0;
    snprintf(folder, sizeof folder, "%s", found);
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        nw_graph *graph;
        nw_error err;
        if (!is_model(entry->d_name))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (nw_model_load(path, NULL, 0, &graph, &err) != NW_OK)
            ck_abort_msg("%s: %s", err.where, err.message);
        run(graph);
        nw_graph_free(graph);
        n++;
    }
    closedir(dir);
    return n;
}

/* ---- copies ---- */

static void check_copy(const nw_graph *graph)
{
    nw_graph *copy = resealed_copy(graph), *again = resealed_copy(copy);
    expect_same(graph, copy);
    expect_same(graph, again);
    nw_graph_free(copy);
    expect_same(graph, again);
    nw_graph_free(again);
}

START_TEST(a_copy_of_every_model_seals_to_the_same_network)
{
    if (shared_path("models"))
        ck_assert_int_ge(each_model(check_copy), 23);
}
END_TEST

START_TEST(a_copy_outlives_the_graph_it_was_made_of)
{
    nw_graph *graph, *copy, *again;
    ck_assert_int_eq(nw_model_load("demo", NULL, 0, &graph, NULL), NW_OK);
    copy = nw_graph_copy(graph);
    nw_graph_free(graph);
    seal(copy);
    again = resealed_copy(copy);
    expect_same(copy, again);
    nw_graph_free(copy);
    nw_buf text = {0};
    nw_network_json_write(again, &text);
    ck_assert_uint_gt(text.length, 0);
    nw_buf_fini(&text);
    nw_graph_free(again);
}
END_TEST

START_TEST(a_copy_keeps_hints_and_the_lines_of_edits)
{
    static const char *const lines[] = {"width 0.75 8", "act * relu"};
    nw_graph *graph, *copy, *again;
    ck_assert_int_eq(nw_model_load("demo", NULL, 0, &graph, NULL), NW_OK);
    copy = nw_graph_copy(graph);
    copy->nodes[3].hint = (nw_hint){.bits = 16, .joins = true};
    nw_graph_set_edits(copy, lines, 2);
    seal(copy);
    again = resealed_copy(copy);
    nw_graph_free(copy);
    nw_graph_free(graph);
    ck_assert_int_eq(again->nodes[3].hint.bits, 16);
    ck_assert(again->nodes[3].hint.joins);
    ck_assert_int_eq(again->n_edits, 2);
    ck_assert_str_eq(again->edits[1], lines[1]);
    nw_graph_free(again);
}
END_TEST

static void *copy_often(void *graph)
{
    for (int i = 0; i < 50; i++) {
        nw_graph *copy = nw_graph_copy(graph);
        nw_graph *again = nw_graph_seal(copy, NULL, 0, NULL) == NW_OK ? nw_graph_copy(copy) : NULL;
        nw_graph_free(copy);
        nw_graph_free(again);
    }
    return NULL;
}

START_TEST(threads_copy_one_graph)
{
    nw_graph *graph;
    pthread_t threads[4];
    ck_assert_int_eq(nw_model_load("demo", NULL, 0, &graph, NULL), NW_OK);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, copy_often, graph), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    nw_graph *copy = resealed_copy(graph);
    expect_same(graph, copy);
    nw_graph_free(graph);
    nw_graph_free(copy);
}
END_TEST

START_TEST(same_padding_follows_a_new_input_size)
{
    /* 3x3 at stride 2: an even size needs one row behind, an odd one a row on each side. */
    net n = net_begin(8, 8, 4, NW_DTYPE_FLOAT32);
    net_conv(&n, 4, 3, 3, 2, 2, NW_ACT_NONE);
    nw_graph *graph = net_end(&n), *copy = nw_graph_copy(graph);
    nw_geometry g;
    ck_assert(nw_node_geometry(graph, 0, &g));
    ck_assert_int_eq(g.pad_top, 0);
    ck_assert_int_eq(g.pad_bottom, 1);
    nw_shape *shape = &copy->tensors[copy->inputs[0]].shape;
    shape->dims[1] = shape->dims[2] = 9;
    seal(copy);
    ck_assert(nw_node_geometry(copy, 0, &g));
    ck_assert_int_eq(g.pad_top, 1);
    ck_assert_int_eq(g.pad_bottom, 1);
    ck_assert_int_eq(g.out_h, 5);
    nw_graph_free(copy);
    nw_graph_free(graph);
}
END_TEST

/* ---- constants that edits made ---- */

/* Every second channel of the input of a depthwise convolution, by hand. */
START_TEST(an_edited_constant_counts_as_its_new_shape)
{
    static const int32_t map[] = {0, 2, 4, -1};
    net n = net_begin(8, 8, 6, NW_DTYPE_FLOAT32);
    net_depthwise(&n, 3, 1, NW_ACT_NONE);
    nw_graph *graph = net_end(&n), *copy = nw_graph_copy(graph);
    for (int i = 1; i < 3; i++) {
        nw_tensor *old = &copy->tensors[copy->nodes[0].inputs[i]];
        nw_shape shape = old->shape;
        nw_edited edited = {.data = (const uint8_t *)"never read", .shape = shape};
        edited.dtype = old->dtype;
        edited.maps[shape.rank - 1] = map;
        shape.dims[shape.rank - 1] = 4;
        nw_graph_set_edited(copy, copy->nodes[0].inputs[i], old->dtype, &shape, &edited);
    }
    copy->tensors[copy->inputs[0]].shape.dims[3] = 4;
    seal(copy);
    nw_graph *again = resealed_copy(copy);
    nw_graph_free(copy);
    nw_counts counts;
    nw_graph_count(again, &counts);
    ck_assert_int_eq(counts.params, 4 * 9 + 4);
    ck_assert_int_eq(counts.weight_params, 4 * 9);
    ck_assert_int_eq(counts.weight_bytes, 4 * (4 * 9 + 4));
    ck_assert_int_eq(counts.constant_bytes, 4 * (4 * 9 + 4));
    ck_assert_int_eq(counts.macs, 8 * 8 * 9 * 4);
    const nw_tensor *weights = &again->tensors[again->nodes[0].inputs[1]];
    ck_assert_int_eq(nw_tensor_new_elements(weights), 9);
    ck_assert_int_eq(weights->edited->maps[3][2], 4);
    ck_assert_int_eq(nw_graph_stored_root(again, again->nodes[0].inputs[1]),
                     again->nodes[0].inputs[1]);
    nw_graph_free(again);
    nw_graph_free(graph);
}
END_TEST

START_TEST(rewritten_integers_steer_the_shapes)
{
    net n = net_begin(2, 3, 4, NW_DTYPE_FLOAT32);
    nw_tensor_id target = nw_graph_add_ints(n.graph, "target", (const int64_t[]){1, 24}, 2);
    net_two(&n, NW_OP_RESHAPE, n.at, target);
    nw_graph *graph = net_end(&n), *copy = nw_graph_copy(graph);
    nw_graph_set_ints(copy, copy->nodes[0].inputs[1], (const int64_t[]){1, 4, 6}, 3);
    seal(copy);
    nw_graph *again = resealed_copy(copy);
    nw_graph_free(copy);
    const nw_shape *shape = &again->tensors[again->outputs[0]].shape;
    ck_assert_int_eq(shape->rank, 3);
    ck_assert_int_eq(shape->dims[2], 6);
    nw_graph_free(again);
    nw_graph_free(graph);
}
END_TEST

START_TEST(dropping_nodes_drops_what_only_they_used)
{
    net n = net_begin(8, 8, 4, NW_DTYPE_FLOAT32);
    net_conv(&n, 4, 3, 3, 1, 1, NW_ACT_NONE);
    net_unary(&n, NW_OP_RELU);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    nw_graph *graph = net_end(&n), *copy = nw_graph_copy(graph);
    uint8_t is_gone[3] = {1, 0, 0};
    copy->nodes[1].inputs[0] = copy->inputs[0];
    nw_tensor_id ids[16];
    ck_assert_int_le(graph->n_tensors, 16);
    nw_tensor_id weights = copy->nodes[0].inputs[1], kept = copy->nodes[2].inputs[1];
    nw_graph_drop_nodes(copy, is_gone, ids);
    seal(copy);
    ck_assert_int_eq(copy->n_nodes, 2);
    ck_assert_int_eq(copy->n_tensors, graph->n_tensors - 3); /* weights, bias, output */
    ck_assert_int_eq(ids[weights], NW_NONE);
    ck_assert_str_eq(copy->tensors[ids[kept]].name, graph->tensors[kept].name);
    nw_counts counts;
    nw_graph_count(copy, &counts);
    ck_assert_int_eq(counts.params, 4 * 8 + 8);
    nw_graph_free(copy);
    nw_graph_free(graph);
}
END_TEST

/* ---- their values ---- */

/* A constant of a copied network, before and after. */
typedef struct bench {
    nw_graph *graph, *copy;
    nw_tensor_id id;
} bench;

static bench bench_begin(nw_dtype dtype, const nw_quant *quant, int rank, int64_t a, int64_t b,
                         const void *bytes, size_t n_bytes)
{
    net n = net_begin(1, 1, 1, NW_DTYPE_FLOAT32);
    nw_tensor_id id = net_constant(&n, dtype, rank, a, b, 0, 0);
    nw_graph_set_data(n.graph, id, bytes, n_bytes, -1);
    if (quant)
        n.graph->tensors[id].quant = *quant;
    net_unary(&n, NW_OP_RELU);
    bench result = {.graph = net_end(&n), .id = id};
    result.copy = nw_graph_copy(result.graph);
    return result;
}

static void bench_end(bench *b)
{
    nw_graph_free(b->copy);
    nw_graph_free(b->graph);
}

/* The values are these bytes of that type; the copy of the copy has the same. */
static void expect_bytes(bench *b, nw_dtype dtype, const void *wanted, size_t n_wanted)
{
    seal(b->copy);
    nw_graph *again = nw_graph_copy(b->copy);
    nw_graph_free(b->copy);
    b->copy = again;
    void *values;
    size_t n_bytes;
    nw_dtype found;
    nw_error err;
    if (nw_tensor_values(&again->tensors[b->id], 1, &values, &n_bytes, &found, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    ck_assert_str_eq(nw_dtype_name(found), nw_dtype_name(dtype));
    ck_assert_uint_eq(n_bytes, n_wanted);
    ck_assert_mem_eq(values, wanted, n_wanted);
    free(values);
}

START_TEST(maps_of_two_edits_are_one)
{
    /* 3 x 3; rows 2, 0, 1, then the first two of those and a new one; columns 2, 1 */
    static const float values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const float wanted[] = {9, 8, 3, 2, 1, 1};
    static const int32_t rows[] = {2, 0, 1}, again[] = {0, 1, -1}, columns[] = {2, 1};
    bench b = bench_begin(NW_DTYPE_FLOAT32, NULL, 2, 3, 3, values, sizeof values);
    nw_graph_map_axis(b.copy, b.id, 0, rows, 3, false, NW_EDIT_FILL_ONE, 0);
    nw_graph_map_axis(b.copy, b.id, 1, columns, 2, false, NW_EDIT_FILL_ONE, 0);
    nw_graph_map_axis(b.copy, b.id, 0, again, 3, false, NW_EDIT_FILL_ONE, 0);
    ck_assert_int_eq(nw_tensor_new_elements(&b.copy->tensors[b.id]), 2);
    expect_bytes(&b, NW_DTYPE_FLOAT32, wanted, sizeof wanted);
    bench_end(&b);
}
END_TEST

START_TEST(new_taps_of_a_kernel_are_zero)
{
    static const float values[] = {1, 2}, wanted[] = {0, 1, 0, 0, 2, 0, 0, 1, 0};
    static const int32_t taps[] = {-1, 0, -1}, rows[] = {0, 1, -1};
    bench b = bench_begin(NW_DTYPE_FLOAT32, NULL, 2, 2, 1, values, sizeof values);
    nw_graph_map_axis(b.copy, b.id, 1, taps, 3, true, NW_EDIT_FILL_HE, 1);
    nw_graph_map_axis(b.copy, b.id, 0, rows, 3, false, NW_EDIT_FILL_ONE, 0);
    expect_bytes(&b, NW_DTYPE_FLOAT32, wanted, sizeof wanted);
    bench_end(&b);
}
END_TEST

START_TEST(half_floats_stay_half_floats)
{
    /* 1, 2, 0.25 */
    static const uint16_t values[] = {0x3c00, 0x4000}, wanted[] = {0x4000, 0x3400};
    static const int32_t map[] = {1, -1};
    bench b = bench_begin(NW_DTYPE_FLOAT16, NULL, 1, 2, 0, values, sizeof values);
    nw_graph_map_axis(b.copy, b.id, 0, map, 2, false, NW_EDIT_FILL_SLOPE, 0);
    expect_bytes(&b, NW_DTYPE_FLOAT16, wanted, sizeof wanted);
    bench_end(&b);
}
END_TEST

START_TEST(four_bits_are_picked_out_of_bytes)
{
    /* 1, -2, 3, -4, 5 */
    static const uint8_t values[] = {0xe1, 0xc3, 0x05}, wanted[] = {0x15, 0x0c};
    static const int32_t map[] = {4, 0, 3};
    bench b = bench_begin(NW_DTYPE_INT4, NULL, 1, 5, 0, values, sizeof values);
    nw_graph_map_axis(b.copy, b.id, 0, map, 3, false, NW_EDIT_FILL_HE, 1);
    expect_bytes(&b, NW_DTYPE_INT4, wanted, sizeof wanted);
    bench_end(&b);
}
END_TEST

static const float scales[] = {0.5f, 2, 4};
static const int64_t zeros[] = {10, 20, 30};
static const nw_quant by_row = {.n_channels = 3,
                                .axis = 0,
                                .scale = 0.5,
                                .zero_point = 10,
                                .scales = scales,
                                .zero_points = zeros};

START_TEST(slices_of_integers_keep_their_type_and_scales)
{
    static const uint8_t values[] = {11, 12, 21, 22, 31, 32}, wanted[] = {32, 30, 12, 10};
    static const int32_t rows[] = {2, 0}, columns[] = {1, -1};
    bench b = bench_begin(NW_DTYPE_UINT8, &by_row, 2, 3, 2, values, sizeof values);
    nw_graph_map_axis(b.copy, b.id, 0, rows, 2, false, NW_EDIT_FILL_ZERO, 0);
    nw_graph_map_axis(b.copy, b.id, 1, columns, 2, true, NW_EDIT_FILL_HE, 1);
    expect_bytes(&b, NW_DTYPE_UINT8, wanted, sizeof wanted);
    const nw_quant *quant = &b.copy->tensors[b.id].quant;
    ck_assert_int_eq(quant->n_channels, 2);
    ck_assert_double_eq((double)quant->scales[0], 4);
    ck_assert_int_eq(quant->zero_points[1], 10);
    bench_end(&b);
}
END_TEST

START_TEST(integers_with_new_values_become_real_numbers)
{
    static const uint8_t values[] = {11, 12, 21, 22, 31, 32};
    static const float wanted[] = {8, 4, 1, 1}; /* 4 * (32 - 30), 4 * (31 - 30) */
    static const int32_t rows[] = {2, -1}, columns[] = {1, 0};
    bench b = bench_begin(NW_DTYPE_UINT8, &by_row, 2, 3, 2, values, sizeof values);
    nw_graph_map_axis(b.copy, b.id, 0, rows, 2, false, NW_EDIT_FILL_ONE, 0);
    nw_graph_map_axis(b.copy, b.id, 1, columns, 2, false, NW_EDIT_FILL_ONE, 0);
    expect_bytes(&b, NW_DTYPE_FLOAT32, wanted, sizeof wanted);
    bench_end(&b);
}
END_TEST

/* He et al. 2015: mean 0, variance 2 / fan in; here 2 / 50 over 16384 values. */
START_TEST(new_weights_are_drawn_after_he)
{
    static int32_t rows[128], columns[128];
    for (int i = 0; i < 128; i++)
        rows[i] = columns[i] = -1;
    bench b = bench_begin(NW_DTYPE_FLOAT32, NULL, 2, 1, 1, "\0\0\0", 4);
    nw_graph_map_axis(b.copy, b.id, 0, rows, 128, false, NW_EDIT_FILL_HE, 50);
    nw_graph_map_axis(b.copy, b.id, 1, columns, 128, false, NW_EDIT_FILL_HE, 50);
    void *values, *other;
    size_t n_bytes;
    nw_dtype dtype;
    double sum = 0, squares = 0;
    const nw_tensor *tensor = &b.copy->tensors[b.id];
    ck_assert_int_eq(nw_tensor_values(tensor, 3, &values, &n_bytes, &dtype, NULL), NW_OK);
    ck_assert_int_eq(nw_tensor_values(tensor, 3, &other, &n_bytes, &dtype, NULL), NW_OK);
    ck_assert_uint_eq(n_bytes, 128 * 128 * 4);
    ck_assert_mem_eq(values, other, n_bytes);
    for (int i = 0; i < 128 * 128; i++) {
        double x = (double)((float *)values)[i];
        sum += x;
        squares += x * x;
    }
    ck_assert_double_lt(fabs(sum / 16384), 0.01);
    ck_assert_double_lt(fabs(squares / 16384 * 25 - 1), 0.05);
    free(other);
    ck_assert_int_eq(nw_tensor_values(tensor, 4, &other, &n_bytes, &dtype, NULL), NW_OK);
    ck_assert_mem_ne(values, other, n_bytes);
    free(values);
    free(other);
    bench_end(&b);
}
END_TEST

START_TEST(too_few_bytes_are_an_error)
{
    static const int32_t map[] = {1, 0};
    bench b = bench_begin(NW_DTYPE_FLOAT32, NULL, 1, 2, 0, "1234", 4);
    void *values;
    size_t n_bytes;
    nw_dtype dtype;
    nw_error err;
    ck_assert_int_eq(nw_tensor_values(&b.copy->tensors[b.id], 1, &values, &n_bytes, &dtype, &err),
                     NW_INVALID);
    nw_graph_map_axis(b.copy, b.id, 0, map, 2, false, NW_EDIT_FILL_ZERO, 0);
    ck_assert_int_eq(nw_tensor_values(&b.copy->tensors[b.id], 1, &values, &n_bytes, &dtype, &err),
                     NW_INVALID);
    bench_end(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph_copy");
    TCase *copies = tcase_create("copies");
    tcase_set_timeout(copies, 60);
    tcase_add_test(copies, a_copy_of_every_model_seals_to_the_same_network);
    tcase_add_test(copies, a_copy_outlives_the_graph_it_was_made_of);
    tcase_add_test(copies, a_copy_keeps_hints_and_the_lines_of_edits);
    tcase_add_test(copies, threads_copy_one_graph);
    tcase_add_test(copies, same_padding_follows_a_new_input_size);
    suite_add_tcase(suite, copies);
    TCase *edited = tcase_create("edited");
    tcase_add_test(edited, an_edited_constant_counts_as_its_new_shape);
    tcase_add_test(edited, rewritten_integers_steer_the_shapes);
    tcase_add_test(edited, dropping_nodes_drops_what_only_they_used);
    suite_add_tcase(suite, edited);
    TCase *values = tcase_create("values");
    tcase_add_test(values, maps_of_two_edits_are_one);
    tcase_add_test(values, new_taps_of_a_kernel_are_zero);
    tcase_add_test(values, half_floats_stay_half_floats);
    tcase_add_test(values, four_bits_are_picked_out_of_bytes);
    tcase_add_test(values, slices_of_integers_keep_their_type_and_scales);
    tcase_add_test(values, integers_with_new_values_become_real_numbers);
    tcase_add_test(values, new_weights_are_drawn_after_he);
    tcase_add_test(values, too_few_bytes_are_an_error);
    suite_add_tcase(suite, values);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
