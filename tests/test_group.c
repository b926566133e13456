/* Channel groups: what changes together, and which values stay, worked out by hand for each rule.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support_group.h"

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
    group_net b = group_net_end(&n);
    ck_assert(are_one_group(&b, first, branch) && are_one_group(&b, first, sum));
    ck_assert(!are_one_group(&b, first, inside));
    ck_assert_int_eq(channels_of(&b, first)->n, 16);
    ck_assert_int_eq(channels_of(&b, first)->multiple, 1);
    ck_assert_str_eq(channels_of(&b, sum)->name, "layer0");

    nw_graph *wide = resize_channels(&b, sum, 20);
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
    group_net_free(&b);
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
    group_net b = group_net_end(&n);
    check_fixed(&b, sum_in, "input 'input' of the network");
    check_fixed(&b, n.at, "output 'layer3' of the network");
    ck_assert(!channels_of(&b, middle)->is_fixed);
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
    group_net_free(&b);
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
    group_net b = group_net_end(&n);
    ck_assert(are_one_group(&b, up, deep));
    nw_graph *narrow = resize_channels(&b, deep, 10);
    check_shape(narrow, weights_of(narrow, deep), 4, 1, 3, 3, 10);
    ck_assert_int_eq(narrow->nodes[narrow->tensors[deep].producer].attrs.groups, 10);
    float taps[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17}; /* the second tap begins at 16 */
    check_values(narrow, weights_of(narrow, deep), 12, taps);
    nw_graph_free(narrow);
    group_net_free(&b);
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
    group_net b = group_net_end(&n);
    ck_assert_int_eq(channels_of(&b, deep)->n, 8);
    nw_graph *wide = resize_channels(&b, deep, 12);
    check_shape(wide, in[1], 4, 1, 3, 3, 12);
    check_shape(wide, weights_of(wide, n.at), 4, 2, 1, 1, 12);
    nw_graph_free(wide);
    group_net_free(&b);
}
END_TEST

START_TEST(grouped_convolutions_keep_the_number_of_groups)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id in = net_grouped_conv(&n, 8, 1), out = net_grouped_conv(&n, 12, 4);
    net_grouped_conv(&n, 5, 1);
    group_net b = group_net_end(&n);
    ck_assert_int_eq(channels_of(&b, in)->n, 8);
    ck_assert_int_eq(channels_of(&b, in)->multiple, 4);
    ck_assert_int_eq(channels_of(&b, out)->multiple, 4);
    ck_assert(!are_one_group(&b, in, out));
    check_refused(&b, in, 10, "take 12");
    nw_graph *wide = resize_channels(&b, in, 12);
    ck_assert_int_eq(wide->nodes[1].attrs.groups, 4);
    check_shape(wide, weights_of(wide, out), 4, 12, 3, 1, 1);
    /* two inputs of each filter stay, the third is new */
    float filters[6] = {0, 1, -1, 2, 3, -1};
    check_values(wide, weights_of(wide, out), 6, filters);
    /* the first convolution's filters: new ones at the end of each of the four groups of three */
    float rows[12] = {0, 1, 2, 3, 4, 5, -1, -1, -1, 6, 7, 8};
    check_values(wide, weights_of(wide, in), 12, rows);
    nw_graph_free(wide);
    group_net_free(&b);
}
END_TEST

START_TEST(groups_of_64_channels_stay_that_wide)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id in = net_grouped_conv(&n, 128, 1), out = net_grouped_conv(&n, 128, 2);
    net_grouped_conv(&n, 5, 1);
    group_net b = group_net_end(&n);
    ck_assert(are_one_group(&b, in, out));
    ck_assert_int_eq(channels_of(&b, in)->multiple, 64);
    nw_graph *wide = resize_channels(&b, in, 192);
    ck_assert_int_eq(wide->nodes[1].attrs.groups, 3);
    check_shape(wide, weights_of(wide, out), 4, 192, 64, 1, 1);
    nw_graph_free(wide);
    group_net_free(&b);
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
    group_net b = group_net_end(&n);
    nw_tensor_id pooled = b.graph->nodes[1].outputs[0], inner = b.graph->nodes[2].outputs[0];
    nw_tensor_id gate = b.graph->nodes[4].outputs[0];
    ck_assert(are_one_group(&b, map, gated) && are_one_group(&b, map, pooled) &&
              are_one_group(&b, map, gate));
    ck_assert(!are_one_group(&b, map, inner));
    ck_assert_int_eq(channels_of(&b, inner)->n, 4);
    nw_graph *wide = resize_channels(&b, inner, 6);
    check_shape(wide, weights_of(wide, inner), 4, 6, 1, 1, 16);
    check_shape(wide, gated, 4, 1, 8, 8, 16);
    nw_graph_free(wide);
    group_net_free(&b);
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
    group_net b = group_net_end(&n);
    ck_assert(are_one_group(&b, fine, coarse));
    ck_assert(are_one_group(&b, heads[0], heads[1]));
    ck_assert(channels_of(&b, heads[1])->is_fixed);
    group_net_free(&b);
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
    group_net b = group_net_end(&n);
    ck_assert(!are_one_group(&b, outs[0], outs[1]));
    nw_graph *wide = resize_channels(&b, outs[0], 6);
    nw_tensor_id own = wide->nodes[0].inputs[2];
    ck_assert_int_ne(own, bias);
    ck_assert_int_eq(wide->nodes[1].inputs[2], bias);
    check_shape(wide, own, 1, 6, 0, 0, 0);
    check_shape(wide, bias, 1, 4, 0, 0, 0);
    float values[6] = {0, 1, 2, 3, 0, 0};
    check_values(wide, own, 6, values);
    nw_graph_free(wide);
    group_net_free(&b);
}
END_TEST

START_TEST(new_channels_of_a_normalisation_change_nothing)
{
    net n = net_begin_nchw(4, 4, 3, NW_DTYPE_FLOAT32);
    nw_tensor_id map = net_grouped_conv(&n, 2, 1), in[5] = {map};
    for (int i = 1; i < 5; i++)
        in[i] = net_constant(&n, NW_DTYPE_FLOAT32, 1, 2, 0, 0, 0);
    net_layer(&n, NW_OP_BATCH_NORM, "BatchNormalization", in, 5);
    nw_tensor_id slope = net_constant(&n, NW_DTYPE_FLOAT32, 3, 2, 1, 1, 0);
    nw_tensor_id act[2] = {n.at, slope};
    net_layer(&n, NW_OP_PRELU, "PRelu", act, 2);
    net_grouped_conv(&n, 1, 1);
    group_net b = group_net_end(&n);
    nw_graph *wide = resize_channels(&b, map, 3);
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
    group_net_free(&b);
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
    group_net b = group_net_end(&n);
    nw_graph *narrow = resize_channels(&b, map, 3);
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
    group_net_free(&b);
}
END_TEST

START_TEST(what_is_resized_twice_comes_from_the_first_source)
{
    net n = net_begin(8, 8, 3, NW_DTYPE_FLOAT32);
    net_conv(&n, 4, 1, 1, 1, 1, NW_ACT_RELU);
    nw_tensor_id map = n.at;
    net_conv(&n, 1, 1, 1, 1, 1, NW_ACT_NONE);
    group_net b = group_net_end(&n);
    nw_graph *narrow = resize_channels(&b, map, 2);
    group_net again = {narrow, nw_groups_find(narrow)};
    nw_graph *wide = resize_channels(&again, map, 3);
    check_values(wide, weights_of(wide, n.at), 3, (float[]){0, 1, -1});
    check_values(wide, weights_of(wide, map), 9, (float[]){0, 1, 2, 3, 4, 5, -1, -1, -1});
    group_net_free(&again);
    check_values(wide, weights_of(wide, map), 9, (float[]){0, 1, 2, 3, 4, 5, -1, -1, -1});
    nw_graph_free(wide);
    group_net_free(&b);
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
    tcase_add_test(tests, squeeze_and_excite_follows_its_map_and_has_a_group_inside);
    tcase_add_test(tests, a_head_that_is_shared_ties_the_maps_it_reads);
    tcase_add_test(tests, equal_biases_that_an_exporter_stored_once_tie_nothing);
    tcase_add_test(tests, new_channels_of_a_normalisation_change_nothing);
    tcase_add_test(tests, scales_of_channels_are_cut_with_them);
    tcase_add_test(tests, what_is_resized_twice_comes_from_the_first_source);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
