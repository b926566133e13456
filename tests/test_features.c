/* Features of kernels: against hand counts and published cycles, and the same from a table. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/estimator/columns.h"
#include "src/estimator/features.h"
#include "src/measure/measure.h"

static nw_hw *load(const char *name)
{
    nw_error err;
    nw_hw *hw = NULL;
    if (nw_hw_load(name, "hw", &hw, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return hw;
}

static double feature(const double *values, nw_feature f)
{
    return values[NW_ROLE_COUNT + f];
}

static void conv(nw_kernel_shape *s, nw_kernel_kind kind, int64_t in, int64_t in_c, int64_t out,
                 int64_t out_c, int kernel, int stride)
{
    memset(s, 0, sizeof *s);
    s->n_parts = 1;
    s->parts[0] = (nw_kernel_part){
        in,     in,     in_c,   out,    out, out_c, kind,
        kernel, kernel, stride, stride, 1,   1,     kind == NW_KERNEL_DWCONV ? (int32_t)in_c : 1};
    s->bits = s->weight_bits = 8;
    s->slow_op = -1;
    s->n_maps = 1;
}

static void values_of(const nw_kernel_shape *s, const nw_hw *hw, double *values)
{
    nw_row row;
    nw_row_from_shape(s, hw, &row);
    nw_row_values(&row, hw, values);
}

/* 56 x 56 x 64 to 128, 1 x 1: 56*56*64*128 multiply-accumulates, 8,192 weights. On 32 x 32 lanes
 * two visits of 32 channels for each of 3,136 pixels and four slices of 32 outputs, every lane
 * busy. */
START_TEST(a_pointwise_convolution_counts_as_by_hand)
{
    nw_kernel_shape s;
    double v[NW_VALUE_COUNT];
    nw_hw *hw = load("ne32");
    conv(&s, NW_KERNEL_CONV, 56, 64, 56, 128, 1, 1);
    values_of(&s, hw, v);
    ck_assert_double_eq(feature(v, NW_FEATURE_MACS), 25690112);
    ck_assert_double_eq(feature(v, NW_FEATURE_WEIGHT_ELEMENTS), 8192);
    ck_assert_double_eq(feature(v, NW_FEATURE_MOVED_BYTES), 200704 + 401408 + 8192);
    ck_assert_double_eq(feature(v, NW_FEATURE_WEIGHTS_PER_PIXEL), 8192.0 / 3136);
    ck_assert_double_eq(feature(v, NW_FEATURE_DEPTH), 64);
    ck_assert_double_eq(feature(v, NW_FEATURE_ARRAY_CYCLES), 2 * 3136 * 4);
    ck_assert_double_eq(feature(v, NW_FEATURE_ARRAY_FILL), 1);
    ck_assert_double_eq(feature(v, NW_FEATURE_IN_LEFT), 32);
    ck_assert_double_eq(feature(v, NW_FEATURE_OUT_FILL_32), 1);
    ck_assert_double_eq(feature(v, NW_FEATURE_WEIGHT_CYCLES), 8192 / 4);
    nw_hw_free(hw);
}
END_TEST

/* One channel more than the lanes: half of a second slice, all but one lane of it idle. */
START_TEST(one_channel_over_the_array_is_seen)
{
    nw_kernel_shape s;
    double v[NW_VALUE_COUNT];
    nw_hw *hw = load("ne32");
    conv(&s, NW_KERNEL_CONV, 56, 64, 56, 129, 1, 1);
    values_of(&s, hw, v);
    ck_assert_double_eq(feature(v, NW_FEATURE_ARRAY_CYCLES), 2 * 3136 * 5);
    ck_assert_double_eq(feature(v, NW_FEATURE_OUT_LEFT), 1);
    ck_assert_double_eq_tol(feature(v, NW_FEATURE_ARRAY_FILL), 129.0 / 160, 1e-12);
    ck_assert_double_eq_tol(feature(v, NW_FEATURE_OUT_FILL_32), 129.0 / 160, 1e-12);
    nw_hw_free(hw);
}
END_TEST

START_TEST(a_depthwise_convolution_counts_as_by_hand)
{
    nw_kernel_shape s;
    double v[NW_VALUE_COUNT];
    conv(&s, NW_KERNEL_DWCONV, 56, 96, 28, 96, 3, 2);
    values_of(&s, NULL, v);
    ck_assert_double_eq(feature(v, NW_FEATURE_MACS), 28 * 28 * 96 * 9);
    ck_assert_double_eq(feature(v, NW_FEATURE_WEIGHT_ELEMENTS), 96 * 9);
    ck_assert_double_eq(feature(v, NW_FEATURE_DEPTH), 9);
    ck_assert(isnan(feature(v, NW_FEATURE_ARRAY_CYCLES)));
}
END_TEST

/* SCALE-Sim v3, CALC mode: cycles of a 16 x 16 array. */
static const struct {
    const char *hw;
    int map, in_c, out_c, kernel;
    double cycles;
} scalesim[] = {
    {"systolic16-ws", 56, 64, 128, 1, 101823},  {"systolic16-os", 56, 64, 128, 1, 147391},
    {"systolic16-is", 56, 64, 128, 1, 136415},  {"systolic16-ws", 14, 96, 576, 1, 52271},
    {"systolic16-os", 7, 320, 1280, 1, 111999}, {"systolic16-is", 28, 16, 32, 3, 34397},
    {"systolic16-ws", 7, 192, 384, 3, 246239},
};

START_TEST(cycles_of_systolic_arrays_are_those_of_scale_sim)
{
    nw_kernel_shape s;
    double v[NW_VALUE_COUNT];
    nw_hw *hw = load(scalesim[_i].hw);
    conv(&s, NW_KERNEL_CONV, scalesim[_i].map, scalesim[_i].in_c, scalesim[_i].map,
         scalesim[_i].out_c, scalesim[_i].kernel, 1);
    values_of(&s, hw, v);
    ck_assert_double_eq(feature(v, NW_FEATURE_ARRAY_CYCLES), scalesim[_i].cycles);
    nw_hw_free(hw);
}
END_TEST

static nw_table *read_good(const char *text)
{
    nw_table *table = NULL;
    nw_error err;
    nw_file *file = nw_file_from_bytes("t.csv", text, strlen(text));
    if (nw_table_read(file, &table, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_file_release(file);
    return table;
}

static void first_row(const char *text, const char *group, nw_row *row, char *name, size_t size)
{
    nw_columns columns;
    nw_error err;
    nw_table *t = read_good(text);
    double extras[NW_MAX_EXTRAS];
    ck_assert_int_eq(nw_columns_bind(t, group, NULL, 0, &columns, &err), NW_OK);
    ck_assert_int_eq(nw_columns_row(&columns, t, 0, row, extras, &err), NW_OK);
    nw_row_place(row, NULL);
    nw_columns_group(&columns, t, 0, name, size);
    nw_table_free(t);
}

/* Other people's headers: names of columns and of operators as they publish them. */
START_TEST(columns_of_other_people_find_their_roles)
{
    nw_row row;
    char name[64];
    first_row("model,op,in_hw,cin,out_hw,stride,kernel,filters,groups,fused_act\n"
              "net,DEPTHWISE_CONV_2D,112,32,56,2,3,32,,1\n",
              "op", &row, name, sizeof name);
    ck_assert_str_eq(name, "DEPTHWISE_CONV_2D");
    ck_assert_int_eq(row.kind, NW_KERNEL_DWCONV);
    ck_assert_double_eq(row.role[NW_ROLE_IN_H], 112);
    ck_assert_double_eq(row.role[NW_ROLE_IN_W], 112);
    ck_assert_double_eq(row.role[NW_ROLE_OUT_W], 56);
    ck_assert_double_eq(row.role[NW_ROLE_KERNEL_W], 3);
    ck_assert_double_eq(row.role[NW_ROLE_OUT_C], 32);
    ck_assert_double_eq(row.role[NW_ROLE_GROUPS], 32);
    ck_assert_double_eq(row.role[NW_ROLE_ACT], 1);
    first_row("type,batch,cin,in_hw,cout,kernel,stride,fused_add\nR,32,8,7,16,3,2,1\n", "type",
              &row, name, sizeof name);
    ck_assert_int_eq(row.kind, NW_KERNEL_CONV);
    ck_assert_double_eq(row.role[NW_ROLE_BATCH], 32);
    ck_assert_double_eq(row.role[NW_ROLE_OUT_H], 4); /* ceil(7 / 2) */
    ck_assert_double_eq(row.role[NW_ROLE_RESIDUAL], 1);
    first_row("op,ih,iw,ic,oh,ow,oc,kh,kw,sh,sw,act\nConv2DBias,8,6,4,8,6,4,3,1,1,1,Relu6\n", "op",
              &row, name, sizeof name);
    ck_assert_double_eq(row.role[NW_ROLE_KERNEL_H] * row.role[NW_ROLE_KERNEL_W], 3);
    ck_assert_double_eq(row.role[NW_ROLE_ACT], 1);
}
END_TEST

static const char measured[] =
    "kernel,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,stride_w,dilation,groups,"
    "bits,act,residual\n";

/* A row of our own table means what its kernel means: the same features from both. */
START_TEST(a_row_and_its_kernel_have_the_same_features)
{
    nw_kernel_shape s;
    nw_row row;
    nw_buf text = {0};
    char name[64], group[64];
    double from_shape[NW_VALUE_COUNT], from_row[NW_VALUE_COUNT];
    nw_hw *hw = load("ne32");
    nw_buf_printf(&text, "%s%s", measured, "conv+act+add,28,28,96,28,28,24,1,1,1,1,1,1,8,relu,1\n");
    first_row(nw_buf_text(&text), NULL, &row, group, sizeof group);
    conv(&s, NW_KERNEL_CONV, 28, 96, 28, 24, 1, 1);
    s.act = NW_KERNEL_ACT_CLAMP;
    s.residual = 1;
    values_of(&s, hw, from_shape);
    nw_row_values(&row, hw, from_row);
    ck_assert_str_eq(group, nw_row_group(&s, name, sizeof name));
    for (int i = 0; i < NW_VALUE_COUNT; i++)
        ck_assert_msg(from_shape[i] == from_row[i] || (isnan(from_shape[i]) && isnan(from_row[i])),
                      "%s: %g from the kernel, %g from the table", nw_value_name(i), from_shape[i],
                      from_row[i]);
    nw_buf_fini(&text);
    nw_hw_free(hw);
}
END_TEST

/* 512 KiB of input fit into 1 MiB, 768 KiB of output no more beside them. */
START_TEST(maps_of_a_table_that_does_not_place_them_are_placed_as_they_fit)
{
    nw_row row;
    nw_buf text = {0};
    char group[64];
    nw_hw *hw = load("ne32");
    nw_columns columns;
    nw_error err;
    double extras[NW_MAX_EXTRAS];
    nw_buf_printf(&text, "%s%s", measured, "conv,128,128,32,128,128,48,1,1,1,1,1,1,8,none,0\n");
    nw_table *t = read_good(nw_buf_text(&text));
    ck_assert_int_eq(nw_columns_bind(t, NULL, NULL, 0, &columns, &err), NW_OK);
    ck_assert_int_eq(nw_columns_row(&columns, t, 0, &row, extras, &err), NW_OK);
    nw_row_place(&row, hw);
    ck_assert_double_eq(row.role[NW_ROLE_IN_DRAM], 0);
    ck_assert_double_eq(row.role[NW_ROLE_OUT_DRAM], 1);
    nw_columns_group(&columns, t, 0, group, sizeof group);
    ck_assert_str_eq(group, "conv");
    nw_table_free(t);
    nw_buf_fini(&text);
    nw_hw_free(hw);
}
END_TEST

START_TEST(negative_sizes_and_tables_without_roles_are_refused)
{
    nw_columns columns;
    nw_row row;
    nw_error err;
    nw_table *t = read_good("kernel,in_c\nconv,8\nconv,-8\n");
    double extras[NW_MAX_EXTRAS];
    ck_assert_int_eq(nw_columns_bind(t, NULL, NULL, 0, &columns, &err), NW_OK);
    ck_assert_int_eq(nw_columns_row(&columns, t, 1, &row, extras, &err), NW_INVALID);
    ck_assert_str_eq(err.where, "t.csv:3");
    nw_table_free(t);
    t = read_good("apples,pears\n1,2\n");
    ck_assert_int_eq(nw_columns_bind(t, NULL, NULL, 0, &columns, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "--features"));
    ck_assert_int_eq(nw_columns_bind(t, "plums", NULL, 0, &columns, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "no column plums"));
    nw_table_free(t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("features");
    TCase *tc = tcase_create("features");
    tcase_add_test(tc, a_pointwise_convolution_counts_as_by_hand);
    tcase_add_test(tc, one_channel_over_the_array_is_seen);
    tcase_add_test(tc, a_depthwise_convolution_counts_as_by_hand);
    tcase_add_loop_test(tc, cycles_of_systolic_arrays_are_those_of_scale_sim, 0,
                        sizeof scalesim / sizeof *scalesim);
    tcase_add_test(tc, columns_of_other_people_find_their_roles);
    tcase_add_test(tc, a_row_and_its_kernel_have_the_same_features);
    tcase_add_test(tc, maps_of_a_table_that_does_not_place_them_are_placed_as_they_fit);
    tcase_add_test(tc, negative_sizes_and_tables_without_roles_are_refused);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
