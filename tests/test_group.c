/* Channel groups: what changes together, worked out by hand for each rule.
 *
 * Constants hold 0, 1, 2, ..., so that a value tells which element it was; new weights are random,
 * new biases 0.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/group.h"
#include "tests/support_net.h"

/* ---- networks whose constants number their elements ---- */

static void number_constants(nw_graph *graph)
{
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++) {
        const nw_tensor *tensor = &graph->tensors[id];
        size_t n = (size_t)nw_shape_elements(&tensor->shape);
        if (!tensor->is_const || tensor->data || tensor->dtype != NW_DTYPE_FLOAT32)
            continue;
        float *values = nw_graph_alloc(graph, n * sizeof *values);
        for (size_t i = 0; i < n; i++)
            values[i] = (float)i;
        nw_graph_set_data(graph, id, values, n * sizeof *values, -1);
    }
}

typedef struct bench {
    nw_graph *graph;
    nw_groups *groups;
} bench;

static bench finish(net *n)
{
    number_constants(n->graph);
    nw_graph *graph = net_end(n);
    return (bench){graph, nw_groups_find(graph)};
}

static void drop(bench *b)
{
    nw_groups_free(b->groups);
    nw_graph_free(b->graph);
}

static const nw_channel_group *group_of(const bench *b, nw_tensor_id tensor)
{
    int n, index = nw_groups_of(b->groups, tensor, NULL, 0);
    const nw_channel_group *list = nw_groups_list(b->groups, &n);
    return index < 0 ? NULL : &list[index];
}

static bool are_one(const bench *b, nw_tensor_id x, nw_tensor_id y)
{
    return group_of(b, x) && group_of(b, x) == group_of(b, y);
}

static nw_graph *resize(const bench *b, nw_tensor_id tensor, int64_t n)
{
    nw_error err;
    nw_graph *out;
    nw_resize size = {nw_groups_of(b->groups, tensor, NULL, 0), n};
    if (nw_resize_groups(b->groups, &size, 1, &out, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return out;
}

static void check_refused(const bench *b, nw_tensor_id tensor, int64_t n, const char *part)
{
    nw_error err;
    nw_graph *out;
    nw_resize size = {nw_groups_of(b->groups, tensor, NULL, 0), n};
    ck_assert_int_eq(nw_resize_groups(b->groups, &size, 1, &out, &err), NW_INVALID);
    ck_assert_msg(strstr(err.message, part), "'%s' lacks '%s'", err.message, part);
}

static void check_fixed(const bench *b, nw_tensor_id tensor, const char *why)
{
    const nw_channel_group *group = group_of(b, tensor);
    ck_assert(group && group->is_fixed);
    ck_assert_str_eq(group->why, why);
}

static void check_shape(const nw_graph *graph, nw_tensor_id id, int rank, int64_t a, int64_t b,
                        int64_t c, int64_t d)
{
    nw_shape shape = {.rank = rank, .dims = {a, b, c, d}};
    ck_assert_msg(nw_shape_equal(&graph->tensors[id].shape, &shape), "%s: %d: %d %d %d %d",
                  graph->tensors[id].name, graph->tensors[id].shape.rank,
                  (int)graph->tensors[id].shape.dims[0], (int)graph->tensors[id].shape.dims[1],
                  (int)graph->tensors[id].shape.dims[2], (int)graph->tensors[id].shape.dims[3]);
}

/* The first n values of a constant of the resized graph; -1 stands for any new one. */
static void check_values(const nw_graph *graph, nw_tensor_id id, int n, const float *expected)
{
    void *bytes;
    size_t n_bytes;
    nw_dtype dtype;
    nw_error err;
    if (nw_tensor_values(&graph->tensors[id], 1, &bytes, &n_bytes, &dtype, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    ck_assert_uint_ge(n_bytes, (size_t)n * sizeof(float));
    const float *values = bytes;
    for (int i = 0; i < n; i++)
        if (expected[i] >= 0)
            ck_assert_msg(values[i] == expected[i], "%s: value %d is %g, not %g",
                          graph->tensors[id].name, i, (double)values[i], (double)expected[i]);
        else /* He's weights are small, no number of an element */
            ck_assert_msg(values[i] != (float)(int)values[i], "%s: value %d is not new: %g",
                          graph->tensors[id].name, i, (double)values[i]);
    free(bytes);
}

/* The weights that the operator writing a tensor reads, in any graph of these ids. */
static nw_tensor_id weights_of(const nw_graph *graph, nw_tensor_id out)
{
    return graph->nodes[graph->tensors[out].producer].inputs[1];
}

/* ---- the rules ---- */

START_TEST(a_residual_chain_is_one_group_and_what_is_inside_is_not)
{
    net n = net_begin(8, 8, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 16, 3, 3, 1, 1, NW_ACT_RELU);
    nw_tensor_id first = n.at;
    net_conv(&n, 24, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id inside = n.at;
    net_conv(&n, 16, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id branch = n.at;
    net_add(&n, first, NW_ACT_NONE);
    nw_tensor_id sum = n.at;
    net_conv(&n, 10, 1, 1, 1, 1, NW_ACT_NONE);
    bench b = finish(&n);
    ck_assert(are_one(&b, first, branch) && are_one(&b, first, sum));
    ck_assert(!are_one(&b, first, inside));
    ck_assert_int_eq(group_of(&b, first)->n, 16);
    ck_assert_int_eq(group_of(&b, first)->multiple, 1);
    ck_assert_str_eq(group_of(&b, sum)->name, "layer0");

    nw_graph *wide = resize(&b, sum, 20);
    check_shape(wide, weights_of(wide, first), 4, 20, 3, 3, 3);
    check_shape(wide, weights_of(wide, inside), 4, 24, 1, 1, 20);
    check_shape(wide, weights_of(wide, branch), 4, 20, 1, 1, 24);
    check_shape(wide, weights_of(wide, n.at), 4, 10, 1, 1, 20);
    check_shape(wide, sum, 4, 1, 8, 8, 20);
    /* 24 outputs of 20 inputs: the old 16 of the first output, 4 new ones, then the second's */
    float row[21] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, -1, -1, -1, -1, 16};
    check_values(wide, weights_of(wide, inside), 21, row);
    nw_tensor_id bias = wide->nodes[wide->tensors[branch].producer].inputs[2];
    float biases[20] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 0};
    check_values(wide, bias, 20, biases);
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

START_TEST(ends_of_the_network_are_fixed_and_say_so)
{
    net n = net_begin(8, 8, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id input = n.at;
    net_conv(&n, 3, 3, 3, 1, 1, NW_ACT_NONE);
    nw_tensor_id sum_in = n.at;
    net_add(&n, input, NW_ACT_NONE);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id middle = n.at;
    net_conv(&n, 5, 1, 1, 1, 1, NW_ACT_NONE);
    bench b = finish(&n);
    check_fixed(&b, sum_in, "input 'input' of the network");
    check_fixed(&b, n.at, "output 'layer3' of the network");
    ck_assert(!group_of(&b, middle)->is_fixed);
    check_refused(&b, n.at, 6, "output 'layer3' of the network");
    check_refused(&b, middle, 0, "not within");
    check_refused(&b, middle, (int64_t)1 << 40, "not within");
    nw_error err;
    nw_graph *out;
    nw_resize two[2] = {{nw_groups_of(b.groups, middle, NULL, 0), 4},
                        {nw_groups_of(b.groups, middle, NULL, 0), 6}};
    ck_assert_int_eq(nw_resize_groups(b.groups, two, 2, &out, &err), NW_INVALID);
    two[0].group = 99;
    ck_assert_int_eq(nw_resize_groups(b.groups, two, 1, &out, &err), NW_INVALID);
    drop(&b);
}
END_TEST

START_TEST(depthwise_convolutions_follow_their_input)
{
    net n = net_begin(8, 8, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 16, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id up = n.at;
    net_depthwise(&n, 3, 1, NW_ACT_RELU);
    nw_tensor_id deep = n.at;
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    bench b = finish(&n);
    ck_assert(are_one(&b, up, deep));
    nw_graph *narrow = resize(&b, deep, 10);
    check_shape(narrow, weights_of(narrow, deep), 4, 1, 3, 3, 10);
    ck_assert_int_eq(narrow->nodes[narrow->tensors[deep].producer].attrs.groups, 10);
    float taps[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17}; /* the second tap begins at 16 */
    check_values(narrow, weights_of(narrow, deep), 12, taps);
    nw_graph_free(narrow);
    drop(&b);
}
END_TEST

START_TEST(filters_of_a_depthwise_multiplier_are_a_group_of_their_own)
{
    net n = net_begin(8, 8, 1, NW_DTYPE_FLOAT32);
    nw_tensor_id in[2] = {n.at, net_constant(&n, NW_DTYPE_FLOAT32, 4, 1, 3, 3, 8)};
    nw_node *node = net_layer(&n, NW_OP_CONV2D, "DEPTHWISE_CONV_2D", in, 2);
    node->attrs.weight_layout = NW_WEIGHTS_HWIO;
    node->attrs.groups = 0;
    nw_tensor_id deep = n.at;
    n.h = n.w = 6;
    n.c = 8;
    net_conv(&n, 2, 1, 1, 1, 1, NW_ACT_NONE);
    bench b = finish(&n);
    ck_assert_int_eq(group_of(&b, deep)->n, 8);
    nw_graph *wide = resize(&b, deep, 12);
    check_shape(wide, in[1], 4, 1, 3, 3, 12);
    check_shape(wide, weights_of(wide, n.at), 4, 2, 1, 1, 12);
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

static nw_tensor_id grouped_conv(net *n, int c_out, int groups)
{
    nw_tensor_id in[2] = {n->at, net_constant(n, NW_DTYPE_FLOAT32, 4, c_out, n->c / groups, 1, 1)};
    nw_node *node = net_layer(n, NW_OP_CONV2D, "Conv", in, 2);
    node->attrs.weight_layout = NW_WEIGHTS_OIHW;
    node->attrs.groups = groups;
    n->c = c_out;
    return n->at;
}

START_TEST(grouped_convolutions_keep_the_number_of_groups)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id in = grouped_conv(&n, 8, 1), out = grouped_conv(&n, 12, 4);
    grouped_conv(&n, 5, 1);
    bench b = finish(&n);
    ck_assert_int_eq(group_of(&b, in)->n, 8);
    ck_assert_int_eq(group_of(&b, in)->multiple, 4);
    ck_assert_int_eq(group_of(&b, out)->multiple, 4);
    ck_assert(!are_one(&b, in, out));
    check_refused(&b, in, 10, "take 12");
    nw_graph *wide = resize(&b, in, 12);
    ck_assert_int_eq(wide->nodes[1].attrs.groups, 4);
    check_shape(wide, weights_of(wide, out), 4, 12, 3, 1, 1);
    /* two inputs of each filter stay, the third is new */
    float filters[6] = {0, 1, -1, 2, 3, -1};
    check_values(wide, weights_of(wide, out), 6, filters);
    /* the first convolution's filters: new ones at the end of each of the four groups of three */
    float rows[12] = {0, 1, 2, 3, 4, 5, -1, -1, -1, 6, 7, 8};
    check_values(wide, weights_of(wide, in), 12, rows);
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

START_TEST(groups_of_64_channels_stay_that_wide)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id in = grouped_conv(&n, 128, 1), out = grouped_conv(&n, 128, 2);
    grouped_conv(&n, 5, 1);
    bench b = finish(&n);
    ck_assert(are_one(&b, in, out));
    ck_assert_int_eq(group_of(&b, in)->multiple, 64);
    nw_graph *wide = resize(&b, in, 192);
    ck_assert_int_eq(wide->nodes[1].attrs.groups, 3);
    check_shape(wide, weights_of(wide, out), 4, 192, 64, 1, 1);
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

START_TEST(concatenated_groups_move_by_their_offsets)
{
    net n = net_begin(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id input = n.at;
    net_conv(&n, 3, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id first = n.at;
    n.at = input;
    n.c = 3;
    net_conv(&n, 2, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id second = n.at;
    net_concat(&n, first, 3);
    nw_tensor_id both = n.at;
    n.c = 5;
    net_conv(&n, 1, 1, 1, 1, 1, NW_ACT_NONE);
    bench b = finish(&n);
    char why[128] = "";
    ck_assert(!are_one(&b, first, second));
    ck_assert_int_eq(nw_groups_of(b.groups, both, why, sizeof why), -1);
    ck_assert_str_eq(why, "it is put together from 2 groups of channels");
    nw_graph *wide = resize(&b, first, 4);
    float grown[6] = {0, 1, 2, -1, 3, 4};
    check_shape(wide, weights_of(wide, n.at), 4, 1, 1, 1, 6);
    check_values(wide, weights_of(wide, n.at), 6, grown);
    nw_graph_free(wide);
    nw_graph *narrow = resize(&b, first, 2);
    float shrunk[4] = {0, 1, 3, 4};
    check_values(narrow, weights_of(narrow, n.at), 4, shrunk);
    nw_graph_free(narrow);
    drop(&b);
}
END_TEST

static nw_tensor_id add_list(net *n, const int64_t *values, int count)
{
    return nw_graph_add_ints(n->graph, "list", values, count);
}

START_TEST(a_split_takes_its_sizes_along)
{
    net n = net_begin(4, 4, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 6, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id whole = n.at;
    nw_tensor_id in[2] = {n.at, add_list(&n, (int64_t[]){4, 2}, 2)};
    nw_tensor_id parts[2] = {nw_graph_add_tensor(n.graph, "left", NW_DTYPE_FLOAT32, NULL),
                             nw_graph_add_tensor(n.graph, "right", NW_DTYPE_FLOAT32, NULL)};
    nw_graph_add_node(n.graph, NW_OP_SPLIT, "split", "Split", in, 2, parts, 2)->attrs.axis = 3;
    n.at = parts[0];
    n.c = 4;
    net_conv(&n, 2, 1, 1, 1, 1, NW_ACT_NONE);
    net_add(&n, parts[1], NW_ACT_NONE);
    nw_tensor_id sum = n.at;
    n.c = 2;
    net_conv(&n, 1, 1, 1, 1, 1, NW_ACT_NONE);
    bench b = finish(&n);
    ck_assert(are_one(&b, parts[1], sum));
    ck_assert(!are_one(&b, parts[0], parts[1]));
    nw_graph *wide = resize(&b, parts[0], 5);
    ck_assert_int_eq(wide->tensors[in[1]].ints[0], 5);
    ck_assert_int_eq(wide->tensors[in[1]].ints[1], 2);
    check_shape(wide, weights_of(wide, whole), 4, 7, 1, 1, 3);
    /* filters 0 to 3 of 3 values, a new one, then those of the right part */
    float filters[21] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1, -1, -1, 12, 13, 14, 15, 16, 17};
    check_values(wide, weights_of(wide, whole), 21, filters);
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

START_TEST(slices_of_channels_keep_their_bounds_between_the_same_ones)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id whole = grouped_conv(&n, 6, 1);
    nw_tensor_id ends[2], out[2];
    for (int i = 0; i < 2; i++) { /* 0..4 and 4..; the second start is -2 */
        nw_tensor_id in[4] = {whole, add_list(&n, (int64_t[]){i ? -2 : 0}, 1),
                              add_list(&n, (int64_t[]){i ? INT64_MAX : 4}, 1),
                              add_list(&n, (int64_t[]){1}, 1)};
        ends[i] = in[1 + !i];
        net_layer(&n, NW_OP_SLICE, "Slice", in, 4);
        out[i] = n.at;
        n.c = i ? 2 : 4;
        grouped_conv(&n, 1, 1);
        out[i] = i ? out[i] : out[0];
        if (!i)
            nw_graph_add_output(n.graph, n.at);
    }
    bench b = finish(&n);
    ck_assert(!are_one(&b, out[0], out[1]));
    nw_graph *first = resize(&b, out[0], 7);
    ck_assert_int_eq(first->tensors[ends[0]].ints[0], 7);
    ck_assert_int_eq(first->tensors[ends[1]].ints[0], -2);
    check_shape(first, whole, 4, 1, 9, 4, 4);
    nw_graph_free(first);
    nw_graph *second = resize(&b, out[1], 3);
    ck_assert_int_eq(second->tensors[ends[0]].ints[0], 4);
    ck_assert_int_eq(second->tensors[ends[1]].ints[0], -3);
    check_shape(second, out[1], 4, 1, 3, 4, 4);
    nw_graph_free(second);
    drop(&b);
}
END_TEST

static void reshape5(net *n, const int64_t *dims, int rank)
{
    nw_tensor_id in[2] = {n->at, add_list(n, dims, rank)};
    net_layer(n, NW_OP_RESHAPE, "Reshape", in, 2);
}

static void transpose5(net *n, const int64_t *perm, int rank)
{
    nw_tensor_id in[2] = {n->at, add_list(n, perm, rank)};
    net_layer(n, NW_OP_TRANSPOSE, "Transpose", in, 2);
}

START_TEST(a_channel_shuffle_moves_whole_columns)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id before = grouped_conv(&n, 6, 1);
    reshape5(&n, (int64_t[]){1, 2, 3, 4, 4}, 5);
    transpose5(&n, (int64_t[]){0, 2, 1, 3, 4}, 5);
    reshape5(&n, (int64_t[]){1, 6, 4, 4}, 4);
    nw_tensor_id after = n.at;
    nw_tensor_id last = grouped_conv(&n, 1, 1);
    bench b = finish(&n);
    ck_assert(are_one(&b, before, after));
    ck_assert_int_eq(group_of(&b, before)->n, 6);
    ck_assert_int_eq(group_of(&b, before)->multiple, 2);
    nw_graph *wide = resize(&b, before, 8);
    check_shape(wide, after, 4, 1, 8, 4, 4);
    /* before: 0 1 2 new | 3 4 5 new, each a filter of 3 values */
    float rows[24] = {0, 1,  2,  3,  4,  5,  6,  7,  8,  -1, -1, -1,
                      9, 10, 11, 12, 13, 14, 15, 16, 17, -1, -1, -1};
    check_values(wide, weights_of(wide, before), 24, rows);
    /* after: 0 3 1 4 2 5 new new; the last convolution keeps its order */
    float columns[8] = {0, 1, 2, 3, 4, 5, -1, -1};
    check_values(wide, weights_of(wide, last), 8, columns);
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

START_TEST(squeeze_and_excite_follows_its_map_and_has_a_group_inside)
{
    net n = net_begin(8, 8, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 16, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id map = n.at;
    net_squeeze_excite(&n, 4);
    nw_tensor_id gated = n.at;
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    bench b = finish(&n);
    nw_tensor_id pooled = b.graph->nodes[1].outputs[0], inner = b.graph->nodes[2].outputs[0];
    nw_tensor_id gate = b.graph->nodes[4].outputs[0];
    ck_assert(are_one(&b, map, gated) && are_one(&b, map, pooled) && are_one(&b, map, gate));
    ck_assert(!are_one(&b, map, inner));
    ck_assert_int_eq(group_of(&b, inner)->n, 4);
    nw_graph *wide = resize(&b, inner, 6);
    check_shape(wide, weights_of(wide, inner), 4, 6, 1, 1, 16);
    check_shape(wide, gated, 4, 1, 8, 8, 16);
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

START_TEST(a_head_that_is_shared_ties_the_maps_it_reads)
{
    net n = net_begin(8, 8, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 16, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id fine = n.at;
    net_conv(&n, 16, 3, 3, 2, 2, NW_ACT_RELU);
    nw_tensor_id coarse = n.at;
    nw_tensor_id w = net_constant(&n, NW_DTYPE_FLOAT32, 4, 5, 1, 1, 16), heads[2];
    for (int i = 0; i < 2; i++) {
        nw_tensor_id in[2] = {i ? coarse : fine, w};
        net_layer(&n, NW_OP_CONV2D, "CONV_2D", in, 2)->attrs.weight_layout = NW_WEIGHTS_OHWI;
        heads[i] = n.at;
    }
    nw_graph_add_output(n.graph, heads[0]);
    bench b = finish(&n);
    ck_assert(are_one(&b, fine, coarse));
    ck_assert(are_one(&b, heads[0], heads[1]));
    ck_assert(group_of(&b, heads[1])->is_fixed);
    drop(&b);
}
END_TEST

START_TEST(equal_biases_that_an_exporter_stored_once_tie_nothing)
{
    net n = net_begin(8, 8, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id bias = net_constant(&n, NW_DTYPE_FLOAT32, 1, 4, 0, 0, 0), outs[2], w[2];
    for (int i = 0; i < 2; i++) {
        w[i] = net_constant(&n, NW_DTYPE_FLOAT32, 4, 4, 1, 1, n.c);
        nw_tensor_id in[3] = {n.at, w[i], bias};
        net_layer(&n, NW_OP_CONV2D, "CONV_2D", in, 3)->attrs.weight_layout = NW_WEIGHTS_OHWI;
        outs[i] = n.at;
        n.c = 4;
    }
    net_conv(&n, 2, 1, 1, 1, 1, NW_ACT_NONE);
    bench b = finish(&n);
    ck_assert(!are_one(&b, outs[0], outs[1]));
    nw_graph *wide = resize(&b, outs[0], 6);
    nw_tensor_id own = wide->nodes[0].inputs[2];
    ck_assert_int_ne(own, bias);
    ck_assert_int_eq(wide->nodes[1].inputs[2], bias);
    check_shape(wide, own, 1, 6, 0, 0, 0);
    check_shape(wide, bias, 1, 4, 0, 0, 0);
    float values[6] = {0, 1, 2, 3, 0, 0};
    check_values(wide, own, 6, values);
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

START_TEST(boxes_fix_their_channels_and_name_the_reshape)
{
    net n = net_begin(4, 4, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 16, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id map = n.at;
    net_conv(&n, 24, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id boxes = n.at;
    net_reshape(&n, 3, 1, 4 * 4 * 6, 4, 0);
    bench b = finish(&n);
    check_fixed(&b, boxes, "Reshape 'layer2' mixes them with positions");
    ck_assert(!group_of(&b, map)->is_fixed);
    drop(&b);
}
END_TEST

START_TEST(a_flattened_map_keeps_the_order_of_its_file)
{
    net n = net_begin(1, 2, 3, NW_DTYPE_FLOAT32); /* positions outside, channels inside */
    net_conv(&n, 2, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id map = n.at;
    net_fc(&n, 1, NW_ACT_NONE);
    n.graph->nodes[1].attrs.keep_dims = false;
    bench b = finish(&n);
    nw_graph *wide = resize(&b, map, 3);
    float inside[6] = {0, 1, -1, 2, 3, -1};
    check_shape(wide, weights_of(wide, n.at), 2, 1, 6, 0, 0);
    check_values(wide, weights_of(wide, n.at), 6, inside);
    nw_graph_free(wide);
    drop(&b);

    net m = net_begin_nchw(1, 2, 3, NW_DTYPE_FLOAT32); /* channels outside */
    nw_tensor_id first = grouped_conv(&m, 2, 1);
    net_reshape(&m, 2, 1, -1, 0, 0);
    m.h = 1;
    m.w = 2;
    net_fc(&m, 1, NW_ACT_NONE);
    b = finish(&m);
    wide = resize(&b, first, 3);
    float outside[6] = {0, 1, 2, 3, -1, -1};
    check_values(wide, weights_of(wide, m.at), 6, outside);
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

START_TEST(padded_channels_are_a_group_whose_number_is_the_padding)
{
    net n = net_begin(8, 8, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 4, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id narrow = n.at;
    nw_tensor_id in[2] = {n.at, add_list(&n, (int64_t[]){0, 0, 0, 0, 0, 0, 0, 2}, 8)};
    net_layer(&n, NW_OP_PAD, "PAD", in, 2)->attrs.pads_paired = true;
    nw_tensor_id padded = n.at;
    n.at = narrow;
    n.c = 4;
    net_conv(&n, 6, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id wide = n.at;
    net_add(&n, padded, NW_ACT_NONE);
    n.c = 6;
    net_conv(&n, 1, 1, 1, 1, 1, NW_ACT_NONE);
    bench b = finish(&n);
    nw_graph *more = resize(&b, narrow, 5);
    check_shape(more, wide, 4, 1, 8, 8, 7);
    ck_assert_int_eq(more->tensors[in[1]].ints[7], 2);
    /* the wide one: 4 channels beside the narrow one, a new one, 2 beside the padding */
    float rows[7] = {0, 1, 2, 3, 0, 4, 5};
    check_values(more, more->nodes[more->tensors[wide].producer].inputs[2], 7, rows);
    nw_graph_free(more);
    drop(&b);
}
END_TEST

START_TEST(new_channels_of_a_normalisation_change_nothing)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id map = grouped_conv(&n, 2, 1), in[5] = {map};
    for (int i = 1; i < 5; i++)
        in[i] = net_constant(&n, NW_DTYPE_FLOAT32, 1, 2, 0, 0, 0);
    net_layer(&n, NW_OP_BATCH_NORM, "BatchNormalization", in, 5);
    nw_tensor_id slope = net_constant(&n, NW_DTYPE_FLOAT32, 3, 2, 1, 1, 0);
    nw_tensor_id act[2] = {n.at, slope};
    net_layer(&n, NW_OP_PRELU, "PRelu", act, 2);
    grouped_conv(&n, 1, 1);
    bench b = finish(&n);
    nw_graph *wide = resize(&b, map, 3);
    check_values(wide, in[1], 3, (float[]){0, 1, 1});
    check_values(wide, in[2], 3, (float[]){0, 1, 0});
    check_values(wide, in[3], 3, (float[]){0, 1, 0});
    check_values(wide, in[4], 3, (float[]){0, 1, 1});
    void *bytes;
    size_t n_bytes;
    nw_dtype dtype;
    ck_assert_int_eq(nw_tensor_values(&wide->tensors[slope], 0, &bytes, &n_bytes, &dtype, NULL),
                     NW_OK);
    ck_assert_uint_eq(n_bytes, 3 * sizeof(float));
    ck_assert(((float *)bytes)[2] == 0.25f); /* He et al. 2015 */
    free(bytes);
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

START_TEST(a_number_that_several_nodes_share_is_copied)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id target = add_list(&n, (int64_t[]){1, 6, 16}, 3), maps[2];
    for (int i = 0; i < 2; i++) {
        maps[i] = grouped_conv(&n, 6, 1);
        nw_tensor_id in[2] = {n.at, target};
        net_layer(&n, NW_OP_RESHAPE, "Reshape", in, 2);
        reshape5(&n, (int64_t[]){1, -1, 4, 4}, 4);
        n.c = 6;
    }
    grouped_conv(&n, 1, 1);
    bench b = finish(&n);
    nw_graph *wide = resize(&b, maps[0], 9);
    const nw_node *first = &wide->nodes[1], *second = &wide->nodes[4];
    ck_assert_int_eq(wide->tensors[first->inputs[1]].ints[1], 9);
    ck_assert_int_eq(wide->tensors[second->inputs[1]].ints[1], 6);
    ck_assert_int_eq(second->inputs[1], target);
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

START_TEST(scales_of_channels_are_cut_with_them)
{
    net n = net_begin(8, 8, 3, NW_DTYPE_INT8);
    net_conv(&n, 4, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id map = n.at, w = n.graph->nodes[0].inputs[1];
    static const float scales[4] = {0.5f, 0.25f, 0.125f, 0.0625f};
    static const int8_t bytes[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    nw_graph_set_data(n.graph, w, bytes, sizeof bytes, -1);
    n.graph->tensors[w].quant = (nw_quant){.n_channels = 4, .scale = 0.5, .scales = scales};
    net_conv(&n, 1, 1, 1, 1, 1, NW_ACT_NONE);
    bench b = finish(&n);
    nw_graph *narrow = resize(&b, map, 3);
    const nw_quant *quant = &narrow->tensors[w].quant;
    ck_assert_int_eq(quant->n_channels, 3);
    ck_assert_mem_eq(quant->scales, scales, 3 * sizeof *scales);
    void *values;
    size_t n_bytes;
    nw_dtype dtype;
    ck_assert_int_eq(nw_tensor_values(&narrow->tensors[w], 0, &values, &n_bytes, &dtype, NULL),
                     NW_OK);
    ck_assert_int_eq(dtype, NW_DTYPE_INT8);
    ck_assert_uint_eq(n_bytes, 9);
    ck_assert_mem_eq(values, bytes, 9);
    free(values);
    nw_graph_free(narrow);
    drop(&b);
}
END_TEST

START_TEST(what_is_resized_twice_comes_from_the_first_source)
{
    net n = net_begin(8, 8, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 4, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id map = n.at;
    net_conv(&n, 1, 1, 1, 1, 1, NW_ACT_NONE);
    bench b = finish(&n);
    nw_graph *narrow = resize(&b, map, 2);
    bench again = {narrow, nw_groups_find(narrow)};
    nw_graph *wide = resize(&again, map, 3);
    check_values(wide, weights_of(wide, n.at), 3, (float[]){0, 1, -1});
    check_values(wide, weights_of(wide, map), 9, (float[]){0, 1, 2, 3, 4, 5, -1, -1, -1});
    drop(&again);
    check_values(wide, weights_of(wide, map), 9, (float[]){0, 1, 2, 3, 4, 5, -1, -1, -1});
    nw_graph_free(wide);
    drop(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("group");
    TCase *tests = tcase_create("rules");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, a_residual_chain_is_one_group_and_what_is_inside_is_not);
    tcase_add_test(tests, ends_of_the_network_are_fixed_and_say_so);
    tcase_add_test(tests, depthwise_convolutions_follow_their_input);
    tcase_add_test(tests, filters_of_a_depthwise_multiplier_are_a_group_of_their_own);
    tcase_add_test(tests, grouped_convolutions_keep_the_number_of_groups);
    tcase_add_test(tests, groups_of_64_channels_stay_that_wide);
    tcase_add_test(tests, concatenated_groups_move_by_their_offsets);
    tcase_add_test(tests, a_split_takes_its_sizes_along);
    tcase_add_test(tests, slices_of_channels_keep_their_bounds_between_the_same_ones);
    tcase_add_test(tests, a_channel_shuffle_moves_whole_columns);
    tcase_add_test(tests, squeeze_and_excite_follows_its_map_and_has_a_group_inside);
    tcase_add_test(tests, a_head_that_is_shared_ties_the_maps_it_reads);
    tcase_add_test(tests, equal_biases_that_an_exporter_stored_once_tie_nothing);
    tcase_add_test(tests, boxes_fix_their_channels_and_name_the_reshape);
    tcase_add_test(tests, a_flattened_map_keeps_the_order_of_its_file);
    tcase_add_test(tests, padded_channels_are_a_group_whose_number_is_the_padding);
    tcase_add_test(tests, new_channels_of_a_normalisation_change_nothing);
    tcase_add_test(tests, a_number_that_several_nodes_share_is_copied);
    tcase_add_test(tests, scales_of_channels_are_cut_with_them);
    tcase_add_test(tests, what_is_resized_twice_comes_from_the_first_source);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
