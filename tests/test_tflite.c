/* Reader of TensorFlow Lite files. Facts about real files come from the truth files beside them
 * (made with a reader that flatc generated from the schema); facts about made files from the
 * description they were made of. */
#include <check.h>
#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_tflite.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

static nw_status read_made(const made_model *model, nw_graph **graph, nw_error *err)
{
    size_t n_bytes;
    uint8_t *bytes = make_tflite(model, &n_bytes);
    nw_file *file = nw_file_from_bytes("test.tflite", bytes, n_bytes);
    nw_status status = nw_tflite_read(file, graph, err);
    nw_file_release(file);
    free(bytes);
    return status;
}

static nw_graph *must_read(const made_model *model)
{
    nw_graph *graph = NULL;
    nw_error err = {0};
    nw_status status = read_made(model, &graph, &err);
    ck_assert_msg(status == NW_OK, "%s: %s", err.where, err.message);
    return graph;
}

/* One operator over these tensors; tensor 0 is the network's input. */
static nw_graph *read_one(const made_tensor *tensors, int n_tensors, const made_op *op)
{
    const made_model model = {tensors, op, n_tensors, 1, 1, {0}, 1, {op->outputs[0]}};
    return must_read(&model);
}

/* ---- made files ---- */

START_TEST(a_small_network_is_read_as_it_was_written)
{
    nw_graph *graph = must_read(&small_model);
    ck_assert_str_eq(graph->name, "main");
    ck_assert_str_eq(graph->format, "tflite 3");
    ck_assert_int_eq(graph->layout, NW_LAYOUT_NHWC);
    ck_assert_int_eq(graph->n_tensors, 5);
    ck_assert_int_eq(graph->n_nodes, 2);
    ck_assert_int_eq(graph->n_inputs, 1);
    ck_assert_int_eq(graph->inputs[0], 0);
    ck_assert_int_eq(graph->outputs[0], 4);
    ck_assert_int_eq(graph->n_warnings, 0);

    const nw_node *conv = &graph->nodes[0];
    ck_assert_int_eq(conv->op, NW_OP_CONV2D);
    ck_assert_str_eq(conv->name, "features");
    ck_assert_str_eq(conv->file_type, "CONV_2D");
    ck_assert_int_eq(conv->n_inputs, 3);
    ck_assert_int_eq(conv->attrs.stride_h, 2);
    ck_assert_int_eq(conv->attrs.stride_w, 2);
    ck_assert_int_eq(conv->attrs.dilation_h, 1);
    ck_assert_int_eq(conv->attrs.pad_mode, NW_PAD_SAME_UPPER);
    ck_assert_int_eq(conv->attrs.weight_layout, NW_WEIGHTS_OHWI);
    ck_assert_int_eq(conv->attrs.groups, 1);
    ck_assert_int_eq(conv->act, NW_ACT_RELU6);
    ck_assert_int_eq(graph->nodes[1].op, NW_OP_ADD);
    ck_assert_int_eq(graph->nodes[1].act, NW_ACT_RELU);
    nw_graph_free(graph);
}
END_TEST

START_TEST(constants_point_into_the_file)
{
    size_t n_bytes;
    uint8_t *bytes = make_tflite(&small_model, &n_bytes);
    nw_file *file = nw_file_from_bytes("m", bytes, n_bytes);
    nw_graph *graph = NULL;
    ck_assert_int_eq(nw_tflite_read(file, &graph, NULL), NW_OK);
    const nw_tensor *weights = &graph->tensors[1];
    ck_assert(weights->is_const && weights->is_stored);
    ck_assert_uint_eq(weights->n_bytes, 72); /* 4 x 3 x 3 x 2 int8 */
    ck_assert_ptr_eq(weights->data, file->bytes + weights->file_offset);
    ck_assert_int_eq((int8_t)weights->data[1], -2);
    nw_file_release(file); /* the graph keeps it */
    ck_assert_int_eq(graph->tensors[2].data[4], 20);
    ck_assert(!graph->tensors[0].is_const && !graph->tensors[3].is_const);
    nw_graph_free(graph);
    free(bytes);
}
END_TEST

START_TEST(shapes_of_results_are_hints_only)
{
    nw_graph *graph = must_read(&small_model);
    ck_assert_int_eq(graph->tensors[0].shape.rank, 4);
    ck_assert_int_eq(graph->tensors[1].shape.rank, 4);
    ck_assert_int_eq(graph->tensors[3].shape.rank, -1);
    ck_assert_int_eq(graph->tensors[3].stored_shape.rank, 4);
    ck_assert_int_eq(graph->tensors[3].stored_shape.dims[3], 4);
    nw_graph_free(graph);
}
END_TEST

START_TEST(quantisation_keeps_scale_zero_point_and_axis)
{
    nw_graph *graph = must_read(&small_model);
    ck_assert_int_eq(graph->tensors[1].quant.n_channels, 4);
    ck_assert_int_eq(graph->tensors[1].quant.axis, 0);
    ck_assert_double_eq(graph->tensors[1].quant.scale, 0.5);
    ck_assert_int_eq(graph->tensors[1].quant.zero_point, 3);
    ck_assert_int_eq(graph->tensors[0].quant.n_channels, 1);
    ck_assert_int_eq(graph->tensors[2].quant.n_channels, 0);
    nw_graph_free(graph);
}
END_TEST

START_TEST(depthwise_leaves_its_groups_to_the_shapes)
{
    static const int8_t w[3 * 3 * 4];
    const made_tensor tensors[] = {{"x", 9, 4, {1, 8, 8, 4}},
                                   {"w", 9, 4, {1, 3, 3, 4}, w, sizeof w},
                                   {"y", 9, 4, {1, 6, 6, 4}}};
    /* VALID, stride 1 x 1, multiplier 1, no activation, dilation_w 2, dilation_h 3 */
    const made_op op = {4, NULL, 2, {0, 1}, 1, {2}, 2, "1444144", {1, 1, 1, 1, 0, 2, 3}};
    nw_graph *graph = read_one(tensors, 3, &op);
    const nw_attrs *attrs = &graph->nodes[0].attrs;
    ck_assert_int_eq(attrs->groups, 0);
    ck_assert_int_eq(attrs->weight_layout, NW_WEIGHTS_HWIO);
    ck_assert_int_eq(attrs->pad_mode, NW_PAD_VALID);
    ck_assert_int_eq(attrs->dilation_w, 2);
    ck_assert_int_eq(attrs->dilation_h, 3);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_filter_with_fewer_channels_makes_a_grouped_convolution)
{
    static const int8_t w[8 * 2];
    const made_tensor tensors[] = {{"x", 9, 4, {1, 8, 8, 8}},
                                   {"w", 9, 4, {8, 1, 1, 2}, w, sizeof w},
                                   {"y", 9, 4, {1, 8, 8, 8}}};
    const made_op op = {3, NULL, 2, {0, 1}, 1, {2}, 1, "144", {0, 1, 1}};
    nw_graph *graph = read_one(tensors, 3, &op);
    ck_assert_int_eq(graph->nodes[0].attrs.groups, 4); /* 8 channels / 2 of a filter */
    nw_graph_free(graph);
}
END_TEST

START_TEST(transposed_convolution_gets_our_order_of_inputs)
{
    static const int32_t shape[] = {1, 15, 16, 3};
    static const float w[3 * 2 * 2 * 5];
    const made_tensor tensors[] = {{"x", 0, 4, {1, 8, 8, 5}},
                                   {"shape", 2, 1, {4}, shape, sizeof shape},
                                   {"w", 0, 4, {3, 2, 2, 5}, w, sizeof w},
                                   {"y", 0, 4, {1, 15, 16, 3}}};
    const made_op op = {67, NULL, 3, {1, 2, 0}, 1, {3}, 49, "144", {0, 2, 2}};
    nw_graph *graph = read_one(tensors, 4, &op);
    const nw_node *node = &graph->nodes[0];
    ck_assert_int_eq(node->op, NW_OP_CONV_TRANSPOSE);
    ck_assert_int_eq(node->n_inputs, 2);
    ck_assert_int_eq(node->inputs[0], 0);
    ck_assert_int_eq(node->inputs[1], 2);
    ck_assert(node->attrs.has_ints);
    ck_assert_int_eq(node->attrs.n_ints, 2);
    ck_assert_int_eq(node->attrs.ints[0], 15);
    ck_assert_int_eq(node->attrs.ints[1], 16);
    nw_graph_free(graph);
}
END_TEST

START_TEST(transposed_convolution_keeps_its_bias)
{
    const made_tensor tensors[] = {{"x", 0, 4, {1, 8, 8, 5}},
                                   {"shape", 2, 1, {4}},
                                   {"w", 0, 4, {3, 2, 2, 5}},
                                   {"b", 0, 1, {3}},
                                   {"y", 0, 4, {1, 16, 16, 3}}};
    const made_op op = {67, NULL, 4, {1, 2, 0, 3}, 1, {4}, 49, "144", {0, 2, 2}};
    nw_graph *graph = read_one(tensors, 5, &op);
    const nw_node *node = &graph->nodes[0];
    ck_assert_int_eq(node->n_inputs, 3);
    ck_assert_int_eq(node->inputs[2], 3);
    ck_assert(!node->attrs.has_ints); /* the output's shape is no constant here */
    nw_graph_free(graph);
}
END_TEST

START_TEST(split_axes_become_attributes)
{
    static const int32_t axis = -1, sizes[] = {1, 3};
    const made_tensor tensors[] = {
        {"x", 0, 2, {1, 4}}, {"axis", 2, 0, {0}, &axis, 4}, {"sizes", 2, 1, {2}, sizes, 8},
        {"y", 0, 2, {1, 2}}, {"z", 0, 2, {1, 2}},
    };
    const made_op split = {49, NULL, 2, {1, 0}, 2, {3, 4}, 35, "4", {2}};
    nw_graph *graph = read_one(tensors, 5, &split);
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_SPLIT);
    ck_assert_int_eq(graph->nodes[0].n_inputs, 1);
    ck_assert_int_eq(graph->nodes[0].inputs[0], 0);
    ck_assert_int_eq(graph->nodes[0].attrs.axis, -1);
    nw_graph_free(graph);

    const made_op split_v = {102, NULL, 3, {0, 2, 1}, 2, {3, 4}, 79, "4", {2}};
    graph = read_one(tensors, 5, &split_v);
    ck_assert_int_eq(graph->nodes[0].n_inputs, 2);
    ck_assert_int_eq(graph->nodes[0].inputs[1], 2);
    ck_assert_int_eq(graph->nodes[0].attrs.axis, -1);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_split_along_a_computed_axis_is_opaque)
{
    const made_tensor tensors[] = {{"x", 0, 2, {1, 4}}, {"axis", 2, 0, {0}}, {"y", 0, 2, {1, 4}}};
    const made_op op = {49, NULL, 2, {1, 0}, 1, {2}, 35, "4", {1}};
    nw_graph *graph = read_one(tensors, 3, &op);
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_OPAQUE);
    ck_assert_int_eq(graph->nodes[0].n_inputs, 2);
    nw_graph_free(graph);
}
END_TEST

START_TEST(a_reshape_takes_its_shape_from_input_or_options)
{
    static const int32_t shape[] = {-1, 2};
    const made_tensor tensors[] = {
        {"x", 0, 2, {1, 4}}, {"shape", 2, 1, {2}, shape, 8}, {"y", 0, 2, {2, 2}}};
    made_op op = {22, NULL, 2, {0, 1}, 1, {2}, 17, "4", {0}, 2, {9, 9}};
    nw_graph *graph = read_one(tensors, 3, &op);
    ck_assert(!graph->nodes[0].attrs.has_ints);
    ck_assert(graph->nodes[0].attrs.allow_zero); /* a 0 copies nothing in TFLite */
    nw_graph_free(graph);

    op.n_inputs = 1;
    graph = read_one(tensors, 3, &op);
    ck_assert_int_eq(graph->nodes[0].attrs.n_ints, 2);
    ck_assert_int_eq(graph->nodes[0].attrs.ints[1], 9);
    nw_graph_free(graph);

    op.n_list = 1;
    op.list[0] = 0; /* how old converters wrote a scalar */
    graph = read_one(tensors, 3, &op);
    ck_assert(graph->nodes[0].attrs.has_ints);
    ck_assert_int_eq(graph->nodes[0].attrs.n_ints, 0);
    nw_graph_free(graph);
}
END_TEST

START_TEST(strided_slice_keeps_its_masks)
{
    const made_tensor tensors[] = {{"x", 0, 2, {4, 4}}, {"y", 0, 1, {4}}};
    made_op op = {45, NULL, 4, {0, 0, 0, 0}, 1, {1}, 32, "444441", {1, 2, 3, 4, 5, 0}};
    nw_graph *graph = read_one(tensors, 2, &op);
    const nw_attrs *attrs = &graph->nodes[0].attrs;
    ck_assert_int_eq(attrs->begin_mask, 1);
    ck_assert_int_eq(attrs->end_mask, 2);
    ck_assert_int_eq(attrs->ellipsis_mask, 3);
    ck_assert_int_eq(attrs->new_axis_mask, 4);
    ck_assert_int_eq(attrs->shrink_mask, 5);
    nw_graph_free(graph);
    op.options[5] = 1; /* ends relative to begins: not ours */
    graph = read_one(tensors, 2, &op);
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_OPAQUE);
    nw_graph_free(graph);
}
END_TEST

START_TEST(fill_keeps_its_value)
{
    static const float value = 2.5f;
    const made_tensor tensors[] = {
        {"shape", 2, 1, {2}}, {"value", 0, 0, {0}, &value, 4}, {"y", 0, 2, {2, 2}}};
    const made_op op = {94, NULL, 2, {0, 1}, 1, {2}};
    nw_graph *graph = read_one(tensors, 3, &op);
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_CONSTANT_OF_SHAPE);
    ck_assert_int_eq(graph->nodes[0].n_inputs, 1);
    ck_assert_int_eq(graph->nodes[0].attrs.n_floats, 1);
    ck_assert_float_eq(graph->nodes[0].attrs.floats[0], 2.5f);
    nw_graph_free(graph);
}
END_TEST

/* Expected operators and options: the schema's own description of each operator. */
static const struct simple_case {
    made_op op;
    const char *type;
    nw_op expected;
    int32_t value; /* of the attribute that check_attr looks at */
} simple_cases[] = {
    {{1, NULL, 1, {0}, 1, {1}, 5, "144441", {1, 1, 2, 3, 4, 1}},
     "AVERAGE_POOL_2D",
     NW_OP_AVERAGE_POOL,
     4},
    {{17, NULL, 1, {0}, 1, {1}, 5, "144441", {1, 1, 2, 3, 5, 1}}, "MAX_POOL_2D", NW_OP_MAX_POOL, 5},
    {{2, NULL, 2, {0, 0}, 1, {1}, 10, "41", {-1, 0}}, "CONCATENATION", NW_OP_CONCAT, -1},
    {{83, NULL, 2, {0, 0}, 1, {1}, 59, "44", {2, 1}}, "PACK", NW_OP_STACK, 1},
    {{88, NULL, 1, {0}, 1, {1}, 64, "44", {1, 3}}, "UNPACK", NW_OP_UNSTACK, 3},
    {{36, NULL, 2, {0, 0}, 1, {1}, 23, "4", {2}}, "GATHER", NW_OP_GATHER, 2},
    {{40, NULL, 2, {0, 0}, 1, {1}, 27, "1", {1}}, "MEAN", NW_OP_REDUCE, NW_REDUCE_MEAN},
    {{82, NULL, 2, {0, 0}, 1, {1}, 27, "1", {1}}, "REDUCE_MAX", NW_OP_REDUCE, NW_REDUCE_MAX},
    {{25, NULL, 1, {0}, 1, {1}}, "SOFTMAX", NW_OP_SOFTMAX, -1},
    {{5, NULL, 1, {0}, 1, {1}, 94, "4", {2}}, "DEPTH_TO_SPACE", NW_OP_DEPTH_TO_SPACE, 2},
    {{26, NULL, 1, {0}, 1, {1}, 19, "4", {4}}, "SPACE_TO_DEPTH", NW_OP_SPACE_TO_DEPTH, 4},
    {{76, NULL, 1, {0}, 1, {1}}, "RSQRT", NW_OP_UNARY, NW_UNARY_RSQRT},
    {{61, NULL, 2, {0, 0}, 1, {1}}, "GREATER", NW_OP_COMPARE, NW_COMPARE_GREATER},
    {{126, NULL, 2, {0, 0}, 1, {1}, 101, "11", {0, 1}}, "BATCH_MATMUL", NW_OP_MATMUL, 1},
    {{9, NULL, 2, {0, 0}, 1, {1}, 8, "111", {1, 0, 1}},
     "FULLY_CONNECTED",
     NW_OP_FULLY_CONNECTED,
     1},
    {{9, NULL, 2, {0, 0}, 1, {1}, 8, "111", {1, 1, 1}}, "FULLY_CONNECTED", NW_OP_OPAQUE, 0},
    {{23, NULL, 2, {0, 0}, 1, {1}, 15, "0011", {0, 0, 0, 1}}, "RESIZE_BILINEAR", NW_OP_RESIZE, 1},
    {{97, NULL, 2, {0, 0}, 1, {1}, 74, "11", {0, 1}}, "RESIZE_NEAREST_NEIGHBOR", NW_OP_RESIZE, 1},
    {{60, NULL, 3, {0, 0, 0}, 1, {1}}, "PADV2", NW_OP_PAD, 1},
    {{123, NULL, 3, {0, 0, 0}, 1, {1}}, "SELECT_V2", NW_OP_WHERE, 0},
    {{124, NULL, 1, {0}, 1, {1}}, "DENSIFY", NW_OP_IDENTITY, 0},
    {{128, NULL, 2, {0, 0}, 1, {1}}, "CUMSUM", NW_OP_CUM_SUM, 0},
    {{150, NULL, 1, {0}, 1, {1}}, "GELU", NW_OP_GELU, 0},
    {{119, NULL, 1, {0}, 1, {1}, 93, "44", {1, 2}}, "WHILE", NW_OP_OPAQUE, 0},
    {{206, NULL, 1, {0}, 1, {1}}, "STABLEHLO_COMPOSITE", NW_OP_OPAQUE, 0},
    {{4711, NULL, 1, {0}, 1, {1}}, "BUILTIN_4711", NW_OP_OPAQUE, 0},
};

static int32_t interesting_attr(const nw_node *node)
{
    const nw_attrs *attrs = &node->attrs;
    switch (node->op) {
    case NW_OP_AVERAGE_POOL:
    case NW_OP_MAX_POOL:
        return attrs->kernel_h;
    case NW_OP_CONCAT:
    case NW_OP_STACK:
    case NW_OP_UNSTACK:
    case NW_OP_GATHER:
    case NW_OP_SOFTMAX:
        return attrs->axis;
    case NW_OP_REDUCE:
        return attrs->keep_dims ? attrs->reduce : -1;
    case NW_OP_DEPTH_TO_SPACE:
    case NW_OP_SPACE_TO_DEPTH:
        return attrs->block;
    case NW_OP_UNARY:
        return attrs->unary;
    case NW_OP_COMPARE:
        return attrs->compare;
    case NW_OP_MATMUL:
        return !attrs->transpose_a && attrs->transpose_b;
    case NW_OP_FULLY_CONNECTED:
        return attrs->keep_dims && node->act == NW_ACT_RELU;
    case NW_OP_RESIZE:
        return attrs->half_pixel && !attrs->align_corners &&
               attrs->resize_form == NW_RESIZE_SIZE_HW;
    case NW_OP_PAD:
        return attrs->pads_paired;
    default:
        return 0;
    }
}

START_TEST(operators_carry_their_options)
{
    const struct simple_case *row = &simple_cases[_i];
    const made_tensor tensors[] = {{"x", 0, 4, {1, 8, 8, 8}}, {"y", 0, 4, {1, 8, 8, 8}}};
    nw_graph *graph = read_one(tensors, 2, &row->op);
    ck_assert_str_eq(graph->nodes[0].file_type, row->type);
    ck_assert_int_eq(graph->nodes[0].op, row->expected);
    ck_assert_int_eq(interesting_attr(&graph->nodes[0]), row->value);
    nw_graph_free(graph);
}
END_TEST

START_TEST(options_of_another_operator_are_ignored)
{
    const made_tensor tensors[] = {{"x", 0, 1, {8}}, {"y", 0, 1, {8}}};
    const made_op op = {0, NULL, 2, {0, 0}, 1, {1}, 21, "1", {1}}; /* ADD with MulOptions */
    nw_graph *graph = read_one(tensors, 2, &op);
    ck_assert_int_eq(graph->nodes[0].act, NW_ACT_NONE);
    nw_graph_free(graph);
}
END_TEST

START_TEST(custom_operators_are_opaque_and_weigh_their_options)
{
    const made_tensor tensors[] = {{"x", 0, 1, {8}}, {"y", 0, 1, {8}}};
    const made_op op = {32, "my-op", 2, {0, -1}, 1, {1}, .n_custom_bytes = 123};
    nw_graph *graph = read_one(tensors, 2, &op);
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_OPAQUE);
    ck_assert_str_eq(graph->nodes[0].file_type, "CUSTOM:my-op");
    ck_assert_int_eq(graph->nodes[0].inputs[1], NW_NONE);
    ck_assert_int_eq(graph->nodes[0].opaque_bytes, 123);
    nw_graph_free(graph);
}
END_TEST

/* ---- tensors out of the ordinary ---- */

static const made_op relu = {19, NULL, 1, {0}, 1, {1}};

START_TEST(open_sizes_of_inputs_stay_open)
{
    const made_tensor tensors[] = {{"x", 0, 4, {1, -1, 0, 3}}, {"y", 0, 4, {1, 1, 1, 3}}};
    nw_graph *graph = read_one(tensors, 2, &relu);
    const nw_shape *shape = &graph->tensors[0].shape;
    ck_assert_int_eq(shape->dims[0], 1);
    ck_assert_int_eq(shape->dims[1], NW_DIM_FREE);
    ck_assert_int_eq(shape->dims[2], NW_DIM_FREE);
    ck_assert_int_eq(shape->dims[3], 3);
    nw_graph_free(graph);
}
END_TEST

START_TEST(data_behind_the_tables_are_found)
{
    static const int32_t values[] = {7, 8, 9};
    const made_tensor tensors[] = {
        {"x", 2, 1, {3}}, {"c", 2, 1, {3}, values, 12, .is_behind = true}, {"y", 2, 1, {3}}};
    const made_op op = {0, NULL, 2, {0, 1}, 1, {2}};
    nw_graph *graph = read_one(tensors, 3, &op);
    ck_assert_uint_eq(graph->tensors[1].n_bytes, 12);
    ck_assert_int_eq(graph->tensors[1].data[8], 9);
    nw_graph_free(graph);
}
END_TEST

START_TEST(sparse_constants_are_stored_without_values)
{
    const made_tensor tensors[] = {{"x", 0, 2, {4, 4}},
                                   {"w", 0, 2, {4, 4}, "\1\2\3\4", 4, .is_sparse = true},
                                   {"y", 0, 2, {4, 4}}};
    const made_op op = {9, NULL, 2, {0, 1}, 1, {2}};
    nw_graph *graph = read_one(tensors, 3, &op);
    ck_assert(graph->tensors[1].is_stored);
    ck_assert_ptr_null(graph->tensors[1].data);
    ck_assert_int_eq(graph->tensors[1].shape.dims[1], 4);
    nw_graph_free(graph);
}
END_TEST

START_TEST(variables_are_constants_with_a_warning)
{
    const made_tensor tensors[] = {
        {"x", 0, 1, {4}}, {"state", 0, 1, {4}, .is_variable = true}, {"y", 0, 1, {4}}};
    const made_op op = {27, NULL, 2, {0, 1}, 1, {2}};
    nw_graph *graph = read_one(tensors, 3, &op);
    ck_assert(graph->tensors[1].is_const && !graph->tensors[1].data);
    ck_assert_int_eq(graph->n_warnings, 1);
    ck_assert_ptr_nonnull(strstr(graph->warnings[0], "state"));
    nw_graph_free(graph);
}
END_TEST

START_TEST(constants_without_elements_are_constants)
{
    const made_tensor tensors[] = {{"x", 0, 1, {1}}, {"shape", 2, 1, {0}}, {"y", 0, 0, {0}}};
    const made_op op = {22, NULL, 2, {0, 1}, 1, {2}};
    nw_graph *graph = read_one(tensors, 3, &op);
    ck_assert(graph->tensors[1].is_const && graph->tensors[1].is_stored);
    ck_assert_uint_eq(graph->tensors[1].n_bytes, 0);
    ck_assert(!graph->tensors[2].is_const);
    nw_graph_free(graph);
}
END_TEST

START_TEST(ranks_beyond_eight_are_unknown_shapes)
{
    const made_tensor tensors[] = {{"x", 0, 1, {4}}, {"y", 0, 9, {1, 1, 1, 1, 1, 1, 1, 1, 4}}};
    nw_graph *graph = read_one(tensors, 2, &relu);
    ck_assert_int_eq(graph->tensors[1].stored_shape.rank, -1);
    nw_graph_free(graph);
}
END_TEST

START_TEST(an_empty_shape_is_a_scalar_only_where_the_file_says_so)
{
    const made_tensor tensors[] = {
        {"x", 0, 0, {0}}, {"y", 0, 0, {0}}, {"z", 0, 0, {0}, .has_rank = true}};
    const made_op ops[] = {relu, {19, NULL, 1, {1}, 1, {2}}};
    const made_model model = {tensors, ops, 3, 2, 1, {0}, 1, {2}};
    nw_graph *graph = must_read(&model);
    ck_assert_int_eq(graph->tensors[0].shape.rank, 0);
    ck_assert_int_eq(graph->tensors[1].stored_shape.rank, -1);
    ck_assert_int_eq(graph->tensors[2].stored_shape.rank, 0);
    nw_graph_free(graph);
}
END_TEST

START_TEST(further_subgraphs_are_left_out_with_a_warning)
{
    made_model model = small_model;
    model.n_subgraphs = 3;
    nw_graph *graph = must_read(&model);
    ck_assert_int_eq(graph->n_nodes, 2);
    ck_assert_int_eq(graph->n_warnings, 1);
    ck_assert_int_eq(graph->warnings[0][0], '2');
    nw_graph_free(graph);
}
END_TEST

/* ---- real files ---- */

static const char *const real_files[] = {
    "blazeface_short_range",
    "deeplabv3_mnv2_dm05_pascal_quant",
    "mcunet_person_det",
    "mcunet_vww",
    "mlperf_tiny_resnet_int8",
    "mlperf_tiny_vww_96_float",
    "mlperf_tiny_vww_96_int8",
    "mobilenet_v1_0.25_128_quant",
    "mobilenet_v1_0.25_128_quant_edgetpu",
    "mobilenet_v2_1.0_224_quant",
    "person_detect",
    "person_detect_rpi_fp16",
    "selfie_segmentation_256",
    "ultraface_slim_320",
};

static int truth_int(const cJSON *truth, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(truth, key);
    ck_assert_msg(cJSON_IsNumber(item), "%s", key);
    return item->valueint;
}

/* Reads a real file and its truth; false if they are not there. */
static bool load_real(int i, nw_graph **graph, cJSON **truth)
{
    char name[128];
    snprintf(name, sizeof name, "models/%s.tflite.truth.json", real_files[i]);
    const char *path = shared_path(name);
    if (!path)
        return false;
    char *text = read_text(path, NULL);
    *truth = cJSON_Parse(text);
    free(text);
    ck_assert_ptr_nonnull(*truth);
    snprintf(name, sizeof name, "models/%s.tflite", real_files[i]);
    path = shared_path(name);
    ck_assert_ptr_nonnull(path);
    nw_file *file = NULL;
    nw_error err = {0};
    ck_assert_int_eq(nw_file_read(path, NW_MAX_MODEL_BYTES, &file, &err), NW_OK);
    nw_status status = nw_tflite_read(file, graph, &err);
    ck_assert_msg(status == NW_OK, "%s: %s: %s", name, err.where, err.message);
    nw_file_release(file);
    return true;
}

START_TEST(counts_match_the_truth_file)
{
    nw_graph *graph;
    cJSON *truth;
    if (!load_real(_i, &graph, &truth))
        return;
    int n_constants = 0, n_per_channel = 0;
    int64_t constant_bytes = 0;
    for (int i = 0; i < graph->n_tensors; i++) {
        n_constants += graph->tensors[i].is_stored;
        n_per_channel += graph->tensors[i].quant.n_channels > 1;
        constant_bytes += (int64_t)graph->tensors[i].n_bytes;
    }
    ck_assert_int_eq(n_per_channel, truth_int(truth, "per_channel_quantized_tensors"));
    ck_assert_int_eq(graph->n_nodes, truth_int(truth, "node_count"));
    ck_assert_int_eq(graph->n_tensors, truth_int(truth, "tensor_count"));
    ck_assert_int_eq(n_constants, truth_int(truth, "constant_tensors"));
    ck_assert_int_eq(constant_bytes, truth_int(truth, "constant_bytes"));
    int n_types = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(truth, "nodes_by_op"))
    {
        int n = 0;
        for (int i = 0; i < graph->n_nodes; i++)
            n += strcmp(graph->nodes[i].file_type, row->string) == 0;
        ck_assert_msg(n == row->valueint, "%s: %d, not %d", row->string, n, row->valueint);
        n_types += n;
    }
    ck_assert_int_eq(n_types, graph->n_nodes);
    nw_graph_free(graph);
    cJSON_Delete(truth);
}
END_TEST

static void check_end(const nw_graph *graph, nw_tensor_id id, const cJSON *truth)
{
    const nw_tensor *tensor = &graph->tensors[id];
    ck_assert_int_eq(id, truth_int(truth, "index"));
    ck_assert_str_eq(tensor->name, cJSON_GetObjectItem(truth, "name")->valuestring);
    char dtype[32];
    snprintf(dtype, sizeof dtype, "%s", nw_dtype_name(tensor->dtype));
    for (char *c = dtype; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    ck_assert_str_eq(dtype, cJSON_GetObjectItem(truth, "dtype")->valuestring);
    const cJSON *shape = cJSON_GetObjectItem(truth, "shape");
    ck_assert_int_eq(tensor->stored_shape.rank, cJSON_GetArraySize(shape));
    for (int i = 0; i < tensor->stored_shape.rank; i++)
        ck_assert_int_eq(tensor->stored_shape.dims[i], cJSON_GetArrayItem(shape, i)->valueint);
    const cJSON *scale = cJSON_GetObjectItem(truth, "scale");
    ck_assert_int_eq(tensor->quant.n_channels, scale ? 1 : 0);
    if (!scale)
        return;
    ck_assert_double_eq(tensor->quant.scale, scale->valuedouble);
    ck_assert_int_eq(tensor->quant.zero_point, truth_int(truth, "zero_point"));
}

START_TEST(inputs_and_outputs_match_the_truth_file)
{
    nw_graph *graph;
    cJSON *truth;
    if (!load_real(_i, &graph, &truth))
        return;
    const cJSON *inputs = cJSON_GetObjectItem(truth, "inputs");
    const cJSON *outputs = cJSON_GetObjectItem(truth, "outputs");
    ck_assert_int_eq(graph->n_inputs, cJSON_GetArraySize(inputs));
    ck_assert_int_eq(graph->n_outputs, cJSON_GetArraySize(outputs));
    for (int i = 0; i < graph->n_inputs; i++) {
        check_end(graph, graph->inputs[i], cJSON_GetArrayItem(inputs, i));
        ck_assert(nw_shape_is_known(&graph->tensors[graph->inputs[i]].shape));
    }
    for (int i = 0; i < graph->n_outputs; i++)
        check_end(graph, graph->outputs[i], cJSON_GetArrayItem(outputs, i));
    nw_graph_free(graph);
    cJSON_Delete(truth);
}
END_TEST

/* Each computing layer of the truth file against the node of the same index. */
START_TEST(layers_match_the_truth_file)
{
    nw_graph *graph;
    cJSON *truth;
    if (!load_real(_i, &graph, &truth))
        return;
    static const char *const acts[] = {"NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"};
    const cJSON *layer;
    cJSON_ArrayForEach(layer, cJSON_GetObjectItem(truth, "layers"))
    {
        const nw_node *node = &graph->nodes[truth_int(layer, "index")];
        ck_assert_str_eq(node->file_type, cJSON_GetObjectItem(layer, "op")->valuestring);
        const cJSON *act = cJSON_GetObjectItem(layer, "activation");
        if (act)
            ck_assert_str_eq(acts[node->act], act->valuestring);
        const cJSON *stride = cJSON_GetObjectItem(layer, "stride");
        const cJSON *dilation = cJSON_GetObjectItem(layer, "dilation");
        if (!stride || node->op == NW_OP_OPAQUE)
            continue;
        ck_assert_int_eq(node->attrs.stride_h, cJSON_GetArrayItem(stride, 0)->valueint);
        ck_assert_int_eq(node->attrs.stride_w, cJSON_GetArrayItem(stride, 1)->valueint);
        if (dilation) {
            ck_assert_int_eq(node->attrs.dilation_h, cJSON_GetArrayItem(dilation, 0)->valueint);
            ck_assert_int_eq(node->attrs.dilation_w, cJSON_GetArrayItem(dilation, 1)->valueint);
        }
        const char *padding = cJSON_GetObjectItem(layer, "padding")->valuestring;
        ck_assert_int_eq(node->attrs.pad_mode,
                         strcmp(padding, "SAME") == 0 ? NW_PAD_SAME_UPPER : NW_PAD_VALID);
        const cJSON *weight = cJSON_GetObjectItem(layer, "weight");
        const nw_shape *shape = &graph->tensors[node->inputs[1]].stored_shape;
        ck_assert_int_eq(shape->rank, cJSON_GetArraySize(weight));
        for (int i = 0; i < shape->rank; i++)
            ck_assert_int_eq(shape->dims[i], cJSON_GetArrayItem(weight, i)->valueint);
    }
    nw_graph_free(graph);
    cJSON_Delete(truth);
}
END_TEST

/* The file's note: one custom operator that holds the whole compiled network, about 800 KB. */
START_TEST(a_compiled_network_is_one_heavy_opaque_operator)
{
    nw_graph *graph;
    cJSON *truth;
    if (!load_real(8, &graph, &truth))
        return;
    ck_assert_int_eq(graph->nodes[0].op, NW_OP_OPAQUE);
    ck_assert_int_gt(graph->nodes[0].opaque_bytes, 700000);
    nw_graph_free(graph);
    cJSON_Delete(truth);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("tflite");
    TCase *made = tcase_create("made");
    tcase_add_test(made, a_small_network_is_read_as_it_was_written);
    tcase_add_test(made, constants_point_into_the_file);
    tcase_add_test(made, shapes_of_results_are_hints_only);
    tcase_add_test(made, quantisation_keeps_scale_zero_point_and_axis);
    tcase_add_test(made, depthwise_leaves_its_groups_to_the_shapes);
    tcase_add_test(made, a_filter_with_fewer_channels_makes_a_grouped_convolution);
    tcase_add_test(made, transposed_convolution_gets_our_order_of_inputs);
    tcase_add_test(made, transposed_convolution_keeps_its_bias);
    tcase_add_test(made, split_axes_become_attributes);
    tcase_add_test(made, a_split_along_a_computed_axis_is_opaque);
    tcase_add_test(made, a_reshape_takes_its_shape_from_input_or_options);
    tcase_add_test(made, strided_slice_keeps_its_masks);
    tcase_add_test(made, fill_keeps_its_value);
    tcase_add_loop_test(made, operators_carry_their_options, 0, N_OF(simple_cases));
    tcase_add_test(made, options_of_another_operator_are_ignored);
    tcase_add_test(made, custom_operators_are_opaque_and_weigh_their_options);
    tcase_add_test(made, open_sizes_of_inputs_stay_open);
    tcase_add_test(made, data_behind_the_tables_are_found);
    tcase_add_test(made, sparse_constants_are_stored_without_values);
    tcase_add_test(made, variables_are_constants_with_a_warning);
    tcase_add_test(made, constants_without_elements_are_constants);
    tcase_add_test(made, ranks_beyond_eight_are_unknown_shapes);
    tcase_add_test(made, an_empty_shape_is_a_scalar_only_where_the_file_says_so);
    tcase_add_test(made, further_subgraphs_are_left_out_with_a_warning);
    suite_add_tcase(suite, made);

    TCase *real = tcase_create("real");
    tcase_set_timeout(real, 60);
    tcase_add_loop_test(real, counts_match_the_truth_file, 0, N_OF(real_files));
    tcase_add_loop_test(real, inputs_and_outputs_match_the_truth_file, 0, N_OF(real_files));
    tcase_add_loop_test(real, layers_match_the_truth_file, 0, N_OF(real_files));
    tcase_add_test(real, a_compiled_network_is_one_heavy_opaque_operator);
    suite_add_tcase(suite, real);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? 1 : 0;
}
