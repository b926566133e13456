/* The JSON scanner: numbers as strtof reads them, strictness, places of errors. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/estimator/scan.h"

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* strtof is the C library's, which rounds correctly. */
static void expect_float(const char *text)
{
    nw_scan scan;
    nw_error err;
    nw_scan_init(&scan, text, strlen(text), &err);
    float ours = nw_scan_float(&scan), theirs = strtof(text, NULL);
    nw_scan_finish(&scan);
    ck_assert_msg(scan.status == NW_OK, "%s: %s", text, err.message);
    ck_assert_msg(memcmp(&ours, &theirs, sizeof ours) == 0, "%s: %a, not %a", text, (double)ours,
                  (double)theirs);
}

START_TEST(floats_are_those_of_strtof)
{
    uint32_t state = 1;
    char text[400];
    for (int i = 0; i < 200000; i++) {
        uint32_t bits = next_random(&state) << 16 ^ next_random(&state);
        float value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        snprintf(text, sizeof text, i % 2 ? "%.8E" : "%.7g", (double)value);
        expect_float(text);
    }
    for (int i = 0; i < 100000; i++) {
        int length = 0, n_whole = 1 + (int)(next_random(&state) % 20);
        int n_fraction = (int)(next_random(&state) % 25);
        text[length++] = (char)('1' + next_random(&state) % 9);
        for (int k = 1; k < n_whole; k++)
            text[length++] = (char)('0' + next_random(&state) % 10);
        if (n_fraction)
            text[length++] = '.';
        for (int k = 0; k < n_fraction; k++)
            text[length++] = (char)('0' + next_random(&state) % 10);
        snprintf(text + length, 20, "e%d", (int)(next_random(&state) % 100) - 60);
        expect_float(text);
    }
}
END_TEST

/* Numbers halfway between two floats, as they are and a little beside. */
START_TEST(halves_are_rounded_to_even_and_nothing_else_is_a_half)
{
    uint32_t state = 5;
    char text[400];
    for (int i = 0; i < 20000; i++) {
        int exponent = (int)(next_random(&state) % 60) - 40;
        double half = ldexp((double)(1u << 23 | next_random(&state) >> 1) + 0.5, exponent);
        snprintf(text, sizeof text, "%.70f", half);
        expect_float(text);
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%0150d1", 0);
        expect_float(text);
        snprintf(text, sizeof text, "%.17g", nextafter(half, i % 2 ? 0 : INFINITY));
        expect_float(text);
    }
}
END_TEST

START_TEST(floats_at_the_borders)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "-0.0E5",
                                        "0e99999999999",
                                        "0.000000000000000000000000000000000000001e39",
                                        "1e-45",
                                        "7e-46",
                                        "7.1e-46",
                                        "1.1754943508222875e-38",
                                        "1.17549428e-38",
                                        "3.4028235E38",
                                        "3.4028235677973366e38",
                                        "3.4028235677973365e38",
                                        "1e39",
                                        "1e999999999",
                                        "1e-999999999",
                                        "16777217",
                                        "16777216.999999999999999999999999999999999999999999",
                                        "16777219.000000000000000000000000000000000000000001",
                                        "123456789012345678",
                                        "1234567890123456789012345678901234567890",
                                        "0.00000000000000000000000000000000000000000000012345"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_float(texts[i]);
}
END_TEST

START_TEST(infinities_and_nan_are_numbers_as_xgboost_writes_them)
{
    static const char text[] = "[Infinity,-Infinity,NaN]";
    nw_scan scan;
    nw_scan_init(&scan, text, sizeof text - 1, NULL);
    nw_scan_begin(&scan, '[');
    ck_assert(nw_scan_item(&scan));
    ck_assert_float_eq(nw_scan_float(&scan), INFINITY);
    ck_assert(nw_scan_item(&scan));
    ck_assert_float_eq(nw_scan_float(&scan), -INFINITY);
    ck_assert(nw_scan_item(&scan));
    ck_assert_float_nan(nw_scan_float(&scan));
    ck_assert(!nw_scan_item(&scan));
    nw_scan_finish(&scan);
    ck_assert_int_eq(scan.status, NW_OK);
    nw_scan_init(&scan, text, sizeof text - 1, NULL);
    ck_assert_uint_eq(nw_scan_skip_numbers(&scan), 3);
}
END_TEST

START_TEST(whole_numbers)
{
    static const struct {
        const char *text;
        int64_t value;
        nw_status status;
    } cases[] = {{"0", 0, NW_OK},
                 {" -17 ", -17, NW_OK},
                 {"2147483647", 2147483647, NW_OK},
                 {"999999999999999999", 999999999999999999, NW_OK},
                 {"1000000000000000000", 0, NW_INVALID},
                 {"1.0", 0, NW_INVALID},
                 {"1e3", 0, NW_INVALID},
                 {"01", 0, NW_INVALID},
                 {"+1", 0, NW_INVALID},
                 {"-", 0, NW_INVALID}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_scan scan;
        nw_scan_init(&scan, cases[i].text, strlen(cases[i].text), NULL);
        int64_t value = nw_scan_int(&scan);
        nw_scan_finish(&scan);
        ck_assert_msg(scan.status == cases[i].status, "%s", cases[i].text);
        ck_assert_msg(scan.status != NW_OK || value == cases[i].value, "%s", cases[i].text);
    }
}
END_TEST

static nw_status skip(const char *text, size_t n_bytes, nw_error *err)
{
    nw_scan scan;
    nw_scan_init(&scan, text, n_bytes, err);
    nw_scan_skip(&scan);
    nw_scan_finish(&scan);
    return scan.status;
}

static const char all_of_json[] =
    " { \"a\" : [ ] , \"b\\u00e9\\n\" : { } , \"c\" : [ -1.5E+3 , 0 , true , false , null , "
    "[ [ \"\" ] ] ] }\r\n\t";

START_TEST(good_json_is_skipped_whole)
{
    ck_assert_int_eq(skip(all_of_json, sizeof all_of_json - 1, NULL), NW_OK);
    nw_scan scan;
    nw_scan_init(&scan, " [1, {\"a\": 2}] ", 15, NULL);
    nw_span span = nw_scan_skip(&scan);
    ck_assert(nw_span_is(span, "[1, {\"a\": 2}]"));
}
END_TEST

START_TEST(json_cut_anywhere_is_refused_where_it_ends)
{
    size_t whole = strlen(all_of_json) - 3; /* up to the last bracket */
    for (size_t n = 0; n < whole; n++) {
        char where[40], *exact = malloc(n + 1); /* a byte read past the end is seen */
        nw_error err;
        memcpy(exact, all_of_json, n);
        exact = realloc(exact, n ? n : 1);
        nw_status status = skip(exact, n, &err);
        free(exact);
        ck_assert_msg(status == NW_INVALID, "cut at %zu", n);
        snprintf(where, sizeof where, "byte %zu", n);
        ck_assert_msg(strcmp(err.where, where) == 0, "cut at %zu: %s: %s", n, err.where,
                      err.message);
        ck_assert_ptr_nonnull(strstr(err.message, "the text ends"));
    }
}
END_TEST

START_TEST(bad_json_is_refused_at_its_byte)
{
    static const struct {
        const char *text, *where;
    } cases[] = {{"[1,]", "byte 3"},          {"[,1]", "byte 1"},       {"[1 2]", "byte 3"},
                 {"{\"a\":1,}", "byte 7"},    {"{a:1}", "byte 1"},      {"{\"a\" 1}", "byte 5"},
                 {"[1}", "byte 2"},           {"{\"a\":1]", "byte 6"},  {"1 1", "byte 2"},
                 {"[01]", "byte 2"},          {"[1.]", "byte 3"},       {"[.5]", "byte 1"},
                 {"[1e]", "byte 3"},          {"[-]", "byte 2"},        {"[\"\\x\"]", "byte 3"},
                 {"[\"\\u12g4\"]", "byte 6"}, {"[\"a\nb\"]", "byte 3"}, {"[nul]", "byte 4"},
                 {"[--1]", "byte 2"},         {"[Inf]", "byte 4"},      {"[nan]", "byte 2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_error err;
        ck_assert_msg(skip(cases[i].text, strlen(cases[i].text), &err) == NW_INVALID, "%s",
                      cases[i].text);
        ck_assert_msg(strcmp(err.where, cases[i].where) == 0, "%s: %s: %s", cases[i].text,
                      err.where, err.message);
    }
}
END_TEST

START_TEST(nesting_without_end_is_refused)
{
    enum { N = 100000 };
    char *text = malloc(N);
    nw_error err;
    memset(text, '[', N);
    ck_assert_int_eq(skip(text, N, &err), NW_INVALID);
    ck_assert_str_eq(err.where, "byte 64");
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *tc = tcase_create("json");
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, floats_are_those_of_strtof);
    tcase_add_test(tc, halves_are_rounded_to_even_and_nothing_else_is_a_half);
    tcase_add_test(tc, floats_at_the_borders);
    tcase_add_test(tc, infinities_and_nan_are_numbers_as_xgboost_writes_them);
    tcase_add_test(tc, whole_numbers);
    tcase_add_test(tc, good_json_is_skipped_whole);
    tcase_add_test(tc, json_cut_anywhere_is_refused_where_it_ends);
    tcase_add_test(tc, bad_json_is_refused_at_its_byte);
    tcase_add_test(tc, nesting_without_end_is_refused);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
