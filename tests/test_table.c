/* Tables in CSV: what is read, and what is refused. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/table.h"

static nw_status read_table(const char *text, nw_table **out, nw_error *err)
{
    nw_file *file = nw_file_from_bytes("t.csv", text, strlen(text));
    nw_status status = nw_table_read(file, out, err);
    nw_file_release(file);
    return status;
}

static nw_table *read_good(const char *text)
{
    nw_table *table = NULL;
    nw_error err;
    if (read_table(text, &table, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return table;
}

START_TEST(cells_blanks_quotes_and_comments_are_read)
{
    nw_table *t = read_good("\xef\xbb\xbf# device=phone source=\"a b\" date=2026-01-02\n"
                            " a , b,\"c,d\"\r\n\n1, 2.5 ,\"x \"\"y\"\", z\"\n# more\n,,\n");
    char text[32];
    double number;
    ck_assert_int_eq(t->n_columns, 3);
    ck_assert_int_eq(t->n_rows, 2);
    ck_assert_str_eq(t->names[2], "c,d");
    ck_assert_str_eq(nw_table_cell(t, 0, 2), "x \"y\", z");
    ck_assert_int_eq(nw_table_line(t, 0), 4);
    ck_assert_int_eq(nw_table_line(t, 1), 6);
    ck_assert_int_eq(nw_table_number(t, 0, 1, &number, NULL), NW_OK);
    ck_assert_double_eq(number, 2.5);
    ck_assert_int_eq(nw_table_number(t, 1, 1, &number, NULL), NW_OK);
    ck_assert(isnan(number));
    ck_assert_str_eq(nw_table_comment_value(t, "source", text, sizeof text), "a b");
    ck_assert_str_eq(nw_table_comment_value(t, "device", text, sizeof text), "phone");
    ck_assert_str_eq(nw_table_comment_value(t, "evice", text, sizeof text), "");
    nw_table_free(t);
}
END_TEST

static const struct {
    const char *text, *where, *part;
} broken[] = {
    {"", "t.csv", "no header line"},
    {"# only talk\n", "t.csv", "no header line"},
    {"a,b\n1,2,3\n", "t.csv:2", "3 cells, the header line has 2"},
    {"a,b\n1\n", "t.csv:2", "1 cells, the header line has 2"},
    {"a,a\n", "t.csv:1", "has the column a twice"},
    {"a,,b\n", "t.csv:1", "has no name"},
    {"a,b\n1,\"2\n", "t.csv:2", "a quote is not closed"},
    {"a,b\n1,\"2\"x\n", "t.csv:2", "text behind a closing quote"},
};

START_TEST(what_is_no_table_is_refused_with_its_line)
{
    nw_table *table = NULL;
    nw_error err;
    ck_assert_int_eq(read_table(broken[_i].text, &table, &err), NW_INVALID);
    ck_assert_str_eq(err.where, broken[_i].where);
    ck_assert_msg(strstr(err.message, broken[_i].part) != NULL, "%s", err.message);
}
END_TEST

START_TEST(zero_bytes_and_too_many_columns_are_refused)
{
    nw_table *table = NULL;
    nw_error err;
    nw_file *file = nw_file_from_bytes("t.csv", "a,b\n1\0,2\n", 9);
    ck_assert_int_eq(nw_table_read(file, &table, &err), NW_INVALID);
    nw_file_release(file);
    nw_buf text = {0};
    for (int i = 0; i < 300; i++)
        nw_buf_printf(&text, "%sc%d", i ? "," : "", i);
    ck_assert_int_eq(read_table(nw_buf_text(&text), &table, &err), NW_LIMIT);
    nw_buf_fini(&text);
}
END_TEST

static const char *const no_numbers[] = {"abc", "1x", "nan", "inf", "0x10", "1e999", "--1"};

START_TEST(text_in_a_number_is_named_with_its_line_and_column)
{
    char text[64];
    double number;
    nw_error err;
    snprintf(text, sizeof text, "a,size\n1,2\n3,%s\n", no_numbers[_i]);
    nw_table *t = read_good(text);
    ck_assert_int_eq(nw_table_number(t, 1, 1, &number, &err), NW_INVALID);
    ck_assert_str_eq(err.where, "t.csv:3");
    ck_assert_msg(strstr(err.message, "size is \"") != NULL, "%s", err.message);
    nw_table_free(t);
}
END_TEST

START_TEST(a_cell_that_needs_quotes_reads_back)
{
    static const char *const cells[] = {"plain", "a,b", "say \"hi\"", " blank ", "#no comment", ""};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        nw_buf text = {0};
        nw_buf_puts(&text, "a,b\n1,");
        nw_table_write_cell(&text, cells[i]);
        nw_buf_puts(&text, "\n");
        nw_table *t = read_good(nw_buf_text(&text));
        ck_assert_str_eq(nw_table_cell(t, 0, 1), cells[i]);
        nw_table_free(t);
        nw_buf_fini(&text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *tc = tcase_create("table");
    tcase_add_test(tc, cells_blanks_quotes_and_comments_are_read);
    tcase_add_loop_test(tc, what_is_no_table_is_refused_with_its_line, 0,
                        sizeof broken / sizeof *broken);
    tcase_add_test(tc, zero_bytes_and_too_many_columns_are_refused);
    tcase_add_loop_test(tc, text_in_a_number_is_named_with_its_line_and_column, 0,
                        sizeof no_numbers / sizeof *no_numbers);
    tcase_add_test(tc, a_cell_that_needs_quotes_reads_back);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
