/* Tables of shapes measured on the simulated device. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/hw/hw.h"
#include "src/measure/measure.h"
#include "tests/support.h"

#define HEADER                                                                                     \
    "kernel,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,stride_w,dilation,groups," \
    "bits,act,residual\n"

static nw_hw *load(const char *name)
{
    nw_error err;
    nw_hw *hw = NULL;
    if (nw_hw_load(name, "hw", &hw, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return hw;
}

static nw_status measure(const char *hw_name, const char *text, nw_buf *out, nw_error *err)
{
    nw_hw *hw = load(hw_name);
    nw_file *file = nw_file_from_bytes("shapes.csv", text, strlen(text));
    nw_status status = nw_measure_shapes(file, hw, out, err);
    nw_file_release(file);
    nw_hw_free(hw);
    return status;
}

/* The rows of the answer, without comment and header. The caller frees. */
static csv measure_good(const char *hw_name, const char *text)
{
    nw_error err;
    nw_buf out = {0};
    csv table;
    if (measure(hw_name, text, &out, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    FILE *file = fopen("build/test_measure.csv", "wb");
    ck_assert_ptr_nonnull(file);
    fwrite(out.text, 1, out.length, file);
    fclose(file);
    ck_assert(csv_load(&table, "build/test_measure.csv"));
    remove("build/test_measure.csv");
    nw_buf_fini(&out);
    return table;
}

static void expect_error(const char *text, nw_status status, const char *where, const char *part)
{
    nw_error err;
    nw_buf out = {0};
    nw_buf_puts(&out, "before");
    ck_assert_int_eq(measure("ne32", text, &out, &err), status);
    ck_assert_str_eq(err.where, where);
    ck_assert_msg(strstr(err.message, part) != NULL, "\"%s\" lacks \"%s\"", err.message, part);
    ck_assert_str_eq(nw_buf_text(&out), "before");
    nw_buf_fini(&out);
}

/* Golden cycles of SCALE-Sim v3 (S4, S5, S10 of the golden checks). */
START_TEST(systolic_rows_are_scale_sim_cycles_in_order)
{
    csv t =
        measure_good("systolic16-ws", HEADER "conv,28,28,128,28,28,256,1,1,1,1,1,1,8,,0\n"
                                             "# a comment between\n"
                                             "fc,1,1,1280,1,1,1000,,,,,,,,,\n"
                                             "conv+act,14,14,96,14,14,576,1,1,1,1,1,1,8,relu,0\n");
    ck_assert_int_eq(t.n_rows, 3);
    ck_assert_str_eq(csv_text(&t, 0, "compute_cycles"), "106239");
    ck_assert_str_eq(csv_text(&t, 1, "compute_cycles"), "236879");
    ck_assert_str_eq(csv_text(&t, 2, "compute_cycles"), "52271");
    ck_assert_str_eq(csv_text(&t, 0, "kernel"), "conv");
    ck_assert_str_eq(csv_text(&t, 2, "kernel"), "conv+act");
    ck_assert_str_eq(csv_text(&t, 0, "tile"), "-");
    csv_free(&t);
}
END_TEST

/* V1 and V6 of the golden checks (Vela 3.10, U55-256, own tile within 15 %). */
START_TEST(ethos_rows_are_near_velas_compute_cycles)
{
    csv t = measure_good("u55-256", HEADER "conv+act,28,28,64,28,28,64,1,1,1,1,1,1,8,relu6,0\n"
                                           "conv+act,28,28,16,28,28,16,3,3,1,1,1,1,8,relu6,0\n");
    ck_assert_double_eq_tol(csv_number(&t, 0, "compute_cycles"), 13440, 0.15 * 13440);
    ck_assert_double_eq_tol(csv_number(&t, 1, "compute_cycles"), 10660, 0.15 * 10660);
    csv_free(&t);
}
END_TEST

START_TEST(columns_come_in_any_order_and_strangers_are_ignored)
{
    csv a = measure_good("ne32", HEADER "dwconv,14,14,64,14,14,64,3,3,1,1,1,64,8,none,0\n");
    csv b =
        measure_good("ne32", "\xef\xbb\xbf# a spreadsheet wrote this\r\n"
                             "stride_w,stride_h,kernel_w,kernel_h,out_c,out_w,out_h,in_c,in_w,in_h,"
                             "latency_us,\"kernel\"\r\n"
                             "1,1,3,3,64,14,14, 64 ,14,14,12.5,\"dwconv\"\r\n");
    ck_assert_str_eq(csv_text(&a, 0, "total_cycles"), csv_text(&b, 0, "total_cycles"));
    ck_assert_str_eq(csv_text(&b, 0, "groups"), "64");
    ck_assert_str_eq(csv_text(&a, 0, "latency_us"), csv_text(&b, 0, "latency_us"));
    csv_free(&a);
    csv_free(&b);
}
END_TEST

/* 1e9 cycles a second: latency_us is total_cycles / 1000 exactly. */
START_TEST(latency_is_the_total_at_the_clock)
{
    csv t = measure_good("ne32", HEADER "conv,14,14,64,14,14,64,3,3,1,1,,,,,\n");
    ck_assert_double_eq(csv_number(&t, 0, "latency_us"), csv_number(&t, 0, "total_cycles") / 1000);
    csv_free(&t);
}
END_TEST

START_TEST(the_header_comment_has_device_and_date)
{
    nw_error err;
    nw_buf out = {0};
    setenv("SOURCE_DATE_EPOCH", "86400", 1);
    ck_assert_int_eq(measure("ne32", HEADER, &out, &err), NW_OK);
    unsetenv("SOURCE_DATE_EPOCH");
    ck_assert_ptr_nonnull(strstr(out.text, "# device=ne32 source=simulated date=1970-01-02 tool="));
    nw_buf_fini(&out);
}
END_TEST

/* The table that comes out goes in again. */
START_TEST(a_measured_table_is_a_table_of_shapes)
{
    nw_error err;
    nw_buf first = {0}, second = {0};
    setenv("SOURCE_DATE_EPOCH", "86400", 1);
    ck_assert_int_eq(measure("ne64",
                             HEADER "conv+act+add,14,14,40,14,14,40,3,3,1,1,1,1,8,swish,1\n"
                                    "dwconv+conv,14,14,64,7,7,96,5,5,2,2,1,64,8,relu,0\n"
                                    "conv+pool,28,28,16,14,14,32,3,3,1,1,1,1,8,,0\n"
                                    "softmax,1,1,1000,1,1,1000,1,1,1,1,1,1,8,,0\n"
                                    "add,56,56,24,56,56,24,1,1,1,1,1,1,8,,0\n",
                             &first, &err),
                     NW_OK);
    ck_assert_int_eq(measure("ne64", nw_buf_text(&first), &second, &err), NW_OK);
    unsetenv("SOURCE_DATE_EPOCH");
    ck_assert_str_eq(nw_buf_text(&first), nw_buf_text(&second));
    nw_buf_fini(&first);
    nw_buf_fini(&second);
}
END_TEST

/* ne32 has 1 MiB: 112 x 112 x 32 bytes in and out fit, twice 112 x 112 x 64 do not. */
START_TEST(maps_that_do_not_fit_live_in_dram)
{
    csv t = measure_good("ne32", HEADER "act,112,112,32,112,112,32,,,,,,,8,relu,\n"
                                        "act,112,112,64,112,112,64,,,,,,,8,relu,\n");
    ck_assert_str_eq(csv_text(&t, 0, "dram_bytes"), "0");
    ck_assert_str_eq(csv_text(&t, 1, "dram_bytes"), "802816"); /* the output: 112*112*64 */
    csv_free(&t);
}
END_TEST

START_TEST(errors_name_file_and_line)
{
    static const struct {
        const char *row, *part;
    } rows[] = {
        {"conv,14,14,64,14,14,nan,1,1,1,1,,,,,", "out_c is \"nan\", not a whole number"},
        {"conv,14,14,6x,14,14,64,1,1,1,1,,,,,", "in_c is \"6x\""},
        {"conv,14,14,1e3,14,14,64,1,1,1,1,,,,,", "in_c is \"1e3\""},
        {"conv,-14,14,64,14,14,64,1,1,1,1,,,,,", "in_h is -14; it must be at least 1"},
        {"conv,14,14,64,0,14,64,1,1,1,1,,,,,", "out_h is 0"},
        {"conv,14,14,99999999999999999999,14,14,64,1,1,1,1,,,,,", "the largest size"},
        {"conv,14,14,2147483648,14,14,64,1,1,1,1,,,,,", "the largest size"},
        {"conv,14,,64,14,14,64,1,1,1,1,,,,,", "in_w is missing"},
        {"conv,14,14,64,14,14,64,,,1,1,,,,,", "kernel_h is missing"},
        {"convolution,14,14,64,14,14,64,1,1,1,1,,,,,", "unknown kernel \"convolution\""},
        {"conv+fc,14,14,64,14,14,64,1,1,1,1,,,,,", "conv+fc"},
        {"conv+,14,14,64,14,14,64,1,1,1,1,,,,,", "conv+"},
        {"opaque,14,14,64,14,14,64,1,1,1,1,,,,,", "unknown kernel"},
        {"conv,14,14,64,14,14,64,1,1,1,1,,3,,,", "groups is 3"},
        {"dwconv,14,14,64,14,14,96,3,3,1,1,,,,,", "out_c is 96"},
        {"conv,14,14,64,14,14,64,1,1,1,1,,,,blorp,", "unknown act \"blorp\""},
        {"conv,14,14,64,14,14,64,1,1,1,1,,,,,maybe", "residual is \"maybe\""},
        {"conv,14,14,64,14,14,64,1,1,1,1,,,999,,", "bits is 999"},
        {"conv,14,14", "3 cells, the header line has 16"},
        {"conv,28,28,8,280,28,8,3,3,1,1,,,,,", "out_h is 280 from in_h 28"},
        {"dwconv,28,28,8,28,31,8,3,3,1,1,,,,,", "out_w is 31 from in_w 28"},
        {"pool,28,28,64,14,14,128,2,2,2,2,,,,,", "out_c is 128; a pool keeps its channels"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        snprintf(text, sizeof text, "# comment\n" HEADER "%s\n", rows[i].row);
        expect_error(text, NW_INVALID, "shapes.csv:3", rows[i].part);
    }
    expect_error(HEADER "conv,14,14,64,14,14,64,1,1,1,1,,,4,,\n", NW_UNSUPPORTED, "shapes.csv:2",
                 "4-bit");
}
END_TEST

/* 28 with 3x3: full padding (2 on either side) gives 30, and one more would see nothing. */
START_TEST(full_padding_is_possible)
{
    csv t = measure_good("ne32", HEADER "conv,28,28,8,30,30,8,3,3,1,1,,,,,\n");
    ck_assert_int_eq(t.n_rows, 1);
    csv_free(&t);
}
END_TEST

START_TEST(errors_of_the_header_line)
{
    expect_error("kernel,in_h,in_w,out_h,out_w,out_c\n", NW_INVALID, "shapes.csv:1",
                 "the column in_c is missing");
    expect_error("kernel,in_h,in_h,in_w,in_c,out_h,out_w,out_c\n", NW_INVALID, "shapes.csv:1",
                 "in_h twice");
    expect_error("", NW_INVALID, "shapes.csv", "no header line");
    expect_error("# only a comment\n", NW_INVALID, "shapes.csv", "no header line");
}
END_TEST

START_TEST(absurd_sizes_are_finite)
{
    csv t = measure_good("ne32", HEADER
                         "conv,2147483647,2147483647,2147483647,2147483647,2147483647,2147483647,"
                         "2147483647,2147483647,1,1,2147483647,1,8,,1\n");
    ck_assert_double_gt(csv_number(&t, 0, "latency_us"), 1e9);
    ck_assert_double_lt(csv_number(&t, 0, "latency_us"), 1e13);
    csv_free(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("measure");
    TCase *tc = tcase_create("shapes");
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, systolic_rows_are_scale_sim_cycles_in_order);
    tcase_add_test(tc, ethos_rows_are_near_velas_compute_cycles);
    tcase_add_test(tc, columns_come_in_any_order_and_strangers_are_ignored);
    tcase_add_test(tc, latency_is_the_total_at_the_clock);
    tcase_add_test(tc, the_header_comment_has_device_and_date);
    tcase_add_test(tc, a_measured_table_is_a_table_of_shapes);
    tcase_add_test(tc, maps_that_do_not_fit_live_in_dram);
    tcase_add_test(tc, errors_name_file_and_line);
    tcase_add_test(tc, full_padding_is_possible);
    tcase_add_test(tc, errors_of_the_header_line);
    tcase_add_test(tc, absurd_sizes_are_finite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
