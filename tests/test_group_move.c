/* Channels through operators that move elements: which group they are of, and which element is
 * which after a change, worked out by hand.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support_group.h"

/* A product of the rows of x with new weights, which keeps the rows. */
static nw_tensor_id project(net *n, nw_tensor_id x, int inner, int columns)
{
    nw_tensor_id in[2] = {x, net_constant(n, NW_DTYPE_FLOAT32, 2, inner, columns, 0, 0)};
    net_layer(n, NW_OP_MATMUL, "MatMul", in, 2);
    return n->at;
}

/* Rows of 12 values as 3 heads of 4, heads outside. */
static nw_tensor_id split_heads(net *n, nw_tensor_id x)
{
    n->at = x;
    net_reshape_list(n, (int64_t[]){1, 16, 3, 4}, 4);
    net_transpose_list(n, (int64_t[]){0, 2, 1, 3}, 4);
    return n->at;
}

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
    group_net b = group_net_end(&n);
    char why[128] = "";
    ck_assert(!are_one_group(&b, first, second));
    ck_assert_int_eq(nw_groups_of(b.groups, both, why, sizeof why), -1);
    ck_assert_str_eq(why, "it is put together from 2 groups of channels");
    nw_graph *wide = resize_channels(&b, first, 4);
    float grown[6] = {0, 1, 2, -1, 3, 4};
    check_shape(wide, weights_of(wide, n.at), 4, 1, 1, 1, 6);
    check_values(wide, weights_of(wide, n.at), 6, grown);
    nw_graph_free(wide);
    nw_graph *narrow = resize_channels(&b, first, 2);
    float shrunk[4] = {0, 1, 3, 4};
    check_values(narrow, weights_of(narrow, n.at), 4, shrunk);
    nw_graph_free(narrow);
    group_net_free(&b);
}
END_TEST

START_TEST(a_split_takes_its_sizes_along)
{
    net n = net_begin(4, 4, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 6, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id whole = n.at;
    nw_tensor_id in[2] = {n.at, net_list(&n, (int64_t[]){4, 2}, 2)};
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
    group_net b = group_net_end(&n);
    ck_assert(are_one_group(&b, parts[1], sum));
    ck_assert(!are_one_group(&b, parts[0], parts[1]));
    nw_graph *wide = resize_channels(&b, parts[0], 5);
    ck_assert_int_eq(wide->tensors[in[1]].ints[0], 5);
    ck_assert_int_eq(wide->tensors[in[1]].ints[1], 2);
    check_shape(wide, weights_of(wide, whole), 4, 7, 1, 1, 3);
    /* filters 0 to 3 of 3 values, a new one, then those of the right part */
    float filters[21] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1, -1, -1, 12, 13, 14, 15, 16, 17};
    check_values(wide, weights_of(wide, whole), 21, filters);
    nw_graph_free(wide);
    group_net_free(&b);
}
END_TEST

START_TEST(slices_of_channels_keep_their_bounds_between_the_same_ones)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id whole = net_grouped_conv(&n, 6, 1);
    nw_tensor_id ends[2], out[2];
    for (int i = 0; i < 2; i++) { /* 0..4 and 4..; the second start is -2 */
        nw_tensor_id in[4] = {whole, net_list(&n, (int64_t[]){i ? -2 : 0}, 1),
                              net_list(&n, (int64_t[]){i ? INT64_MAX : 4}, 1),
                              net_list(&n, (int64_t[]){1}, 1)};
        ends[i] = in[1 + !i];
        net_layer(&n, NW_OP_SLICE, "Slice", in, 4);
        out[i] = n.at;
        n.c = i ? 2 : 4;
        net_grouped_conv(&n, 1, 1);
        out[i] = i ? out[i] : out[0];
        if (!i)
            nw_graph_add_output(n.graph, n.at);
    }
    group_net b = group_net_end(&n);
    ck_assert(!are_one_group(&b, out[0], out[1]));
    nw_graph *first = resize_channels(&b, out[0], 7);
    ck_assert_int_eq(first->tensors[ends[0]].ints[0], 7);
    ck_assert_int_eq(first->tensors[ends[1]].ints[0], -2);
    check_shape(first, whole, 4, 1, 9, 4, 4);
    nw_graph_free(first);
    nw_graph *second = resize_channels(&b, out[1], 3);
    ck_assert_int_eq(second->tensors[ends[0]].ints[0], 4);
    ck_assert_int_eq(second->tensors[ends[1]].ints[0], -3);
    check_shape(second, out[1], 4, 1, 3, 4, 4);
    nw_graph_free(second);
    group_net_free(&b);
}
END_TEST

START_TEST(a_channel_shuffle_moves_whole_columns)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id before = net_grouped_conv(&n, 6, 1);
    net_reshape_list(&n, (int64_t[]){1, 2, 3, 4, 4}, 5);
    net_transpose_list(&n, (int64_t[]){0, 2, 1, 3, 4}, 5);
    net_reshape_list(&n, (int64_t[]){1, 6, 4, 4}, 4);
    nw_tensor_id after = n.at;
    nw_tensor_id last = net_grouped_conv(&n, 1, 1);
    group_net b = group_net_end(&n);
    ck_assert(are_one_group(&b, before, after));
    ck_assert_int_eq(channels_of(&b, before)->n, 6);
    ck_assert_int_eq(channels_of(&b, before)->multiple, 2);
    nw_graph *wide = resize_channels(&b, before, 8);
    check_shape(wide, after, 4, 1, 8, 4, 4);
    /* before: 0 1 2 new | 3 4 5 new, each a filter of 3 values */
    float rows[24] = {0, 1,  2,  3,  4,  5,  6,  7,  8,  -1, -1, -1,
                      9, 10, 11, 12, 13, 14, 15, 16, 17, -1, -1, -1};
    check_values(wide, weights_of(wide, before), 24, rows);
    /* after: 0 3 1 4 2 5 new new; the last convolution keeps its order */
    float columns[8] = {0, 1, 2, 3, 4, 5, -1, -1};
    check_values(wide, weights_of(wide, last), 8, columns);
    nw_graph_free(wide);
    group_net_free(&b);
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
    group_net b = group_net_end(&n);
    check_fixed(&b, boxes, "Reshape 'layer2' mixes them with positions");
    ck_assert(!channels_of(&b, map)->is_fixed);
    group_net_free(&b);
}
END_TEST

START_TEST(a_flattened_map_keeps_the_order_of_its_file)
{
    net n = net_begin(1, 2, 3, NW_DTYPE_FLOAT32); /* positions outside, channels inside */
    net_conv(&n, 2, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id map = n.at;
    net_fc(&n, 1, NW_ACT_NONE);
    n.graph->nodes[1].attrs.keep_dims = false;
    group_net b = group_net_end(&n);
    nw_graph *wide = resize_channels(&b, map, 3);
    float inside[6] = {0, 1, -1, 2, 3, -1};
    check_shape(wide, weights_of(wide, n.at), 2, 1, 6, 0, 0);
    check_values(wide, weights_of(wide, n.at), 6, inside);
    nw_graph_free(wide);
    group_net_free(&b);

    net m = net_begin_nchw(1, 2, 3, NW_DTYPE_FLOAT32); /* channels outside */
    nw_tensor_id first = net_grouped_conv(&m, 2, 1);
    net_reshape(&m, 2, 1, -1, 0, 0);
    m.h = 1;
    m.w = 2;
    net_fc(&m, 1, NW_ACT_NONE);
    b = group_net_end(&m);
    wide = resize_channels(&b, first, 3);
    float outside[6] = {0, 1, 2, 3, -1, -1};
    check_values(wide, weights_of(wide, m.at), 6, outside);
    nw_graph_free(wide);
    group_net_free(&b);
}
END_TEST

START_TEST(padded_channels_are_a_group_whose_number_is_the_padding)
{
    net n = net_begin(8, 8, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 4, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id narrow = n.at;
    nw_tensor_id in[2] = {n.at, net_list(&n, (int64_t[]){0, 0, 0, 0, 0, 0, 0, 2}, 8)};
    net_layer(&n, NW_OP_PAD, "PAD", in, 2)->attrs.pads_paired = true;
    nw_tensor_id padded = n.at;
    n.at = narrow;
    n.c = 4;
    net_conv(&n, 6, 1, 1, 1, 1, NW_ACT_NONE);
    nw_tensor_id wide = n.at;
    net_add(&n, padded, NW_ACT_NONE);
    n.c = 6;
    net_conv(&n, 1, 1, 1, 1, 1, NW_ACT_NONE);
    group_net b = group_net_end(&n);
    nw_graph *more = resize_channels(&b, narrow, 5);
    check_shape(more, wide, 4, 1, 8, 8, 7);
    ck_assert_int_eq(more->tensors[in[1]].ints[7], 2);
    /* the wide one: 4 channels beside the narrow one, a new one, 2 beside the padding */
    float rows[7] = {0, 1, 2, 3, 0, 4, 5};
    check_values(more, more->nodes[more->tensors[wide].producer].inputs[2], 7, rows);
    nw_graph_free(more);
    group_net_free(&b);
}
END_TEST

START_TEST(a_number_that_several_nodes_share_is_copied)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id target = net_list(&n, (int64_t[]){1, 6, 16}, 3), maps[2];
    for (int i = 0; i < 2; i++) {
        maps[i] = net_grouped_conv(&n, 6, 1);
        nw_tensor_id in[2] = {n.at, target};
        net_layer(&n, NW_OP_RESHAPE, "Reshape", in, 2);
        net_reshape_list(&n, (int64_t[]){1, -1, 4, 4}, 4);
        n.c = 6;
    }
    net_grouped_conv(&n, 1, 1);
    group_net b = group_net_end(&n);
    nw_graph *wide = resize_channels(&b, maps[0], 9);
    const nw_node *first = &wide->nodes[1], *second = &wide->nodes[4];
    ck_assert_int_eq(wide->tensors[first->inputs[1]].ints[1], 9);
    ck_assert_int_eq(wide->tensors[second->inputs[1]].ints[1], 6);
    ck_assert_int_eq(second->inputs[1], target);
    nw_graph_free(wide);
    group_net_free(&b);
}
END_TEST

START_TEST(attention_keeps_its_heads_and_parts_values_from_keys)
{
    net n = net_begin(4, 4, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 8, 1, 1, 1, 1, NW_ACT_NONE);
    net_reshape_list(&n, (int64_t[]){1, 16, 8}, 3);
    nw_tensor_id rows = n.at, q = project(&n, rows, 8, 12), k = project(&n, rows, 8, 12),
                 v = project(&n, rows, 8, 12);
    nw_tensor_id heads[3] = {split_heads(&n, q), split_heads(&n, k), split_heads(&n, v)};
    nw_tensor_id pair[2] = {heads[0], heads[1]};
    net_layer(&n, NW_OP_MATMUL, "MatMul", pair, 2)->attrs.transpose_b = true;
    nw_tensor_id scores = n.at;
    net_softmax(&n);
    pair[0] = n.at;
    pair[1] = heads[2];
    net_layer(&n, NW_OP_MATMUL, "MatMul", pair, 2);
    net_transpose_list(&n, (int64_t[]){0, 2, 1, 3}, 4);
    net_reshape_list(&n, (int64_t[]){1, 16, 12}, 3);
    nw_tensor_id out = project(&n, n.at, 12, 8);
    nw_tensor_id sum[2] = {rows, out};
    net_layer(&n, NW_OP_ADD, "Add", sum, 2);
    project(&n, n.at, 8, 5);
    group_net b = group_net_end(&n);
    ck_assert(are_one_group(&b, q, k) && !are_one_group(&b, q, v) && are_one_group(&b, rows, out));
    ck_assert_int_eq(channels_of(&b, q)->n, 12);
    ck_assert_int_eq(channels_of(&b, q)->multiple, 3);
    nw_graph *wide = resize_channels(&b, v, 15);
    check_shape(wide, scores, 4, 1, 3, 16, 16);
    check_shape(wide, heads[2], 4, 1, 3, 16, 5);
    check_shape(wide, weights_of(wide, out), 2, 15, 8, 0, 0);
    /* the fifth row of 8 is new: the fifth value of the first head */
    float first[48];
    for (int i = 0; i < 48; i++)
        first[i] = i < 32 ? (float)i : i < 40 ? -1 : (float)(i - 8);
    check_values(wide, weights_of(wide, out), 48, first);
    nw_graph_free(wide);
    group_net_free(&b);
}
END_TEST

START_TEST(equal_parts_stay_equal)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id whole = net_grouped_conv(&n, 6, 1), in[1] = {whole};
    nw_tensor_id parts[2] = {nw_graph_add_tensor(n.graph, "left", NW_DTYPE_FLOAT32, NULL),
                             nw_graph_add_tensor(n.graph, "right", NW_DTYPE_FLOAT32, NULL)};
    nw_graph_add_node(n.graph, NW_OP_SPLIT, "split", "Split", in, 1, parts, 2)->attrs.axis = 1;
    n.at = parts[0];
    n.c = 3;
    nw_tensor_id left = net_grouped_conv(&n, 7, 1);
    nw_tensor_id both[2] = {left, parts[1]};
    net_layer(&n, NW_OP_CONCAT, "Concat", both, 2)->attrs.axis = 1;
    n.c = 10;
    nw_tensor_id last = net_grouped_conv(&n, 1, 1);
    group_net b = group_net_end(&n);
    ck_assert(are_one_group(&b, whole, parts[1]) && are_one_group(&b, parts[0], parts[1]));
    ck_assert_int_eq(channels_of(&b, whole)->multiple, 2);
    check_refused(&b, whole, 7, "take 8");
    nw_graph *wide = resize_channels(&b, whole, 8);
    check_shape(wide, parts[1], 4, 1, 4, 4, 4);
    check_shape(wide, weights_of(wide, left), 4, 7, 4, 1, 1);
    float columns[11] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1};
    check_values(wide, weights_of(wide, last), 11, columns);
    nw_graph_free(wide);
    group_net_free(&b);
}
END_TEST

START_TEST(channels_that_become_positions_go_in_blocks)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id deep = net_grouped_conv(&n, 12, 1);
    nw_tensor_id in[1] = {n.at};
    net_layer(&n, NW_OP_DEPTH_TO_SPACE, "DepthToSpace", in, 1)->attrs.block = 2;
    nw_tensor_id flat = n.at;
    n.c = 3;
    net_grouped_conv(&n, 1, 1);
    group_net b = group_net_end(&n);
    ck_assert(are_one_group(&b, deep, flat));
    ck_assert_int_eq(channels_of(&b, deep)->multiple, 4);
    nw_graph *narrow = resize_channels(&b, deep, 8);
    check_shape(narrow, flat, 4, 1, 2, 8, 8);
    /* blocks outside: filters 0 1, 3 4, 6 7, 9 10 of 3 values each stay */
    float rows[24] = {0,  1,  2,  3,  4,  5,  9,  10, 11, 12, 13, 14,
                      18, 19, 20, 21, 22, 23, 27, 28, 29, 30, 31, 32};
    check_values(narrow, weights_of(narrow, deep), 24, rows);
    nw_graph_free(narrow);
    group_net_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("group_move");
    TCase *tests = tcase_create("rules");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, concatenated_groups_move_by_their_offsets);
    tcase_add_test(tests, a_split_takes_its_sizes_along);
    tcase_add_test(tests, slices_of_channels_keep_their_bounds_between_the_same_ones);
    tcase_add_test(tests, a_channel_shuffle_moves_whole_columns);
    tcase_add_test(tests, boxes_fix_their_channels_and_name_the_reshape);
    tcase_add_test(tests, a_flattened_map_keeps_the_order_of_its_file);
    tcase_add_test(tests, padded_channels_are_a_group_whose_number_is_the_padding);
    tcase_add_test(tests, a_number_that_several_nodes_share_is_copied);
    tcase_add_test(tests, attention_keeps_its_heads_and_parts_values_from_keys);
    tcase_add_test(tests, equal_parts_stay_equal);
    tcase_add_test(tests, channels_that_become_positions_go_in_blocks);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
