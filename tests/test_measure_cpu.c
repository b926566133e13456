/* Tables of shapes measured on this CPU: what is written, what is kept, what is refused. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/measure/measure.h"
#include "tests/support.h"
#include "tests/support_run.h"

#define COLUMNS                                                                                    \
    "kernel,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,stride_w,dilation,groups," \
    "bits,act,residual"

static const char shapes[] = COLUMNS "\n"
                                     "conv+act,7,7,16,7,7,32,1,1,1,1,1,1,32,relu6,0\n"
                                     "reduce,7,7,16,1,1,16,1,1,1,1,1,1,32,,0\n"
                                     "dwconv,7,7,32,4,4,32,3,3,2,2,1,32,8,,0\n"
                                     "conv+act,7,7,16,7,7,32,1,1,1,1,1,1,32,relu6,0\n"
                                     "conv,7,7,16,7,7,32,1,1,1,1,1,1,16,none,0\n";

static const nw_exec_options quick = {.repeats = 1, .processes = 1};

static char *folder;

static void make_folder(void)
{
    folder = folder_new();
}

static void remove_folder(void)
{
    folder_free(folder);
}

static nw_status measure(const char *text, const char *path, const nw_exec_watch *watch,
                         nw_measure_counts *counts, nw_error *err)
{
    nw_file *file = nw_file_from_bytes("shapes.csv", text, strlen(text));
    nw_status status = nw_measure_cpu(file, path, &quick, watch, counts, err);
    nw_file_release(file);
    return status;
}

static nw_measure_counts measure_good(const char *text, const char *path)
{
    nw_error err;
    nw_measure_counts counts;
    if (measure(text, path, NULL, &counts, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return counts;
}

static const char *out_path(void)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/out.csv", folder);
    return path;
}

static char *read_out(void)
{
    char *text = read_text(out_path(), NULL);
    ck_assert_ptr_nonnull(text);
    return text;
}

START_TEST(each_row_gets_its_figures_or_a_reason)
{
    csv t;
    measure_good(shapes, out_path());
    char *text = read_out();
    ck_assert_ptr_eq(strstr(text, "# device="), text);
    ck_assert_ptr_nonnull(strstr(text, " source=\"oneDNN "));
    ck_assert_ptr_nonnull(strstr(text, " 1 thread, "));
    ck_assert_ptr_nonnull(strstr(text, " tool=nasw-"));
    free(text);
    ck_assert(csv_load(&t, out_path()));
    ck_assert_int_eq(t.n_rows, 5);
    ck_assert_str_eq(csv_text(&t, 2, "kernel"), "dwconv");
    ck_assert_str_eq(csv_text(&t, 2, "groups"), "32");
    for (int i = 0; i < t.n_rows; i++) {
        bool is_timed = i != 1 && i != 4;
        ck_assert_int_eq(csv_number(&t, i, "latency_us") > 0, is_timed);
        ck_assert_int_eq(csv_number(&t, i, "latency_median_us") > 0, is_timed);
        ck_assert_int_eq(csv_text(&t, i, "impl")[0] != '\0', is_timed);
        ck_assert_int_eq(csv_text(&t, i, "spread")[0] != '\0', is_timed);
        ck_assert_int_eq(csv_text(&t, i, "note")[0] == '\0', is_timed);
    }
    ck_assert_ptr_nonnull(strstr(csv_text(&t, 4, "note"), "float32 and int8"));
    csv_free(&t);
}
END_TEST

START_TEST(what_was_measured_is_kept_to_the_letter)
{
    nw_measure_counts counts = measure_good(shapes, out_path());
    ck_assert_int_eq(counts.n_rows, 5);
    ck_assert_int_eq(counts.n_measured, 5);
    ck_assert_int_eq(counts.n_kept, 0);
    char *before = read_out();
    counts = measure_good(shapes, out_path());
    ck_assert_int_eq(counts.n_measured, 0);
    ck_assert_int_eq(counts.n_kept, 5);
    char *after = read_out();
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
}
END_TEST

/* Two whole rows and a piece of a third: as a kill in the middle of a write would leave it. */
START_TEST(half_a_row_is_measured_again)
{
    measure_good(shapes, out_path());
    char *text = read_out(), *end = text;
    for (int i = 0; i < 4; i++)
        end = strchr(end, '\n') + 1;
    folder_write(folder, "out.csv", text, (size_t)(end - text) + 12);
    nw_measure_counts counts = measure_good(shapes, out_path());
    ck_assert_int_eq(counts.n_kept, 2);
    ck_assert_int_eq(counts.n_measured, 3);
    char *after = read_out();
    ck_assert_int_eq(strncmp(text, after, (size_t)(end - text)), 0);
    free(text);
    free(after);
}
END_TEST

/* The table may change: rows follow its order, and a row listed twice needs two measurements. */
START_TEST(kept_rows_follow_the_table)
{
    csv t;
    measure_good(COLUMNS "\nfc,1,1,16,1,1,8,,,,,,,32,,\n", out_path());
    char *before = read_out();
    nw_measure_counts counts = measure_good(COLUMNS "\n"
                                                    "fc,1,1,16,1,1,9,,,,,,,32,,\n"
                                                    "fc,1,1,16,1,1,8,,,,,,,32,,\n"
                                                    "fc,1,1,16,1,1,8,,,,,,,32,,\n",
                                            out_path());
    ck_assert_int_eq(counts.n_kept, 1);
    ck_assert_int_eq(counts.n_measured, 2);
    ck_assert(csv_load(&t, out_path()));
    ck_assert_str_eq(csv_text(&t, 0, "out_c"), "9");
    ck_assert_str_eq(csv_text(&t, 1, "out_c"), "8");
    ck_assert_ptr_nonnull(strstr(before, csv_text(&t, 1, "latency_us")));
    csv_free(&t);
    free(before);
}
END_TEST

static bool stop_in_the_third(void *context, int64_t done, int64_t total, double seconds_left)
{
    (void)context;
    (void)seconds_left;
    ck_assert_int_eq(total, 5);
    return done < 2;
}

START_TEST(what_is_stopped_goes_on)
{
    nw_error err;
    nw_measure_counts counts;
    nw_exec_watch watch = {.progress = stop_in_the_third};
    ck_assert_int_eq(measure(shapes, out_path(), &watch, &counts, &err), NW_CANCELLED);
    ck_assert_ptr_nonnull(strstr(err.message, "2 of 5"));
    ck_assert_int_eq(counts.n_measured, 2);
    counts = measure_good(shapes, out_path());
    ck_assert_int_eq(counts.n_kept, 2);
    ck_assert_int_eq(counts.n_measured, 3);
}
END_TEST

static void expect_invalid(const char *text, const char *path, const char *where, const char *part)
{
    nw_error err;
    ck_assert_int_eq(measure(text, path, NULL, NULL, &err), NW_INVALID);
    ck_assert_str_eq(err.where, where);
    ck_assert_msg(strstr(err.message, part) != NULL, "\"%s\" lacks \"%s\"", err.message, part);
}

START_TEST(other_peoples_files_are_left_alone)
{
    static const char *const others[] = {"letter to a friend\n",
                                         "# device=x source=y date=z tool=nasw-0\n" COLUMNS "\n"};
    for (int i = 0; i < 2; i++) {
        const char *path = folder_write(folder, "other.csv", others[i], strlen(others[i]));
        expect_invalid(shapes, path, path, "another name");
        char *after = read_text(path, NULL);
        ck_assert_str_eq(after, others[i]);
        free(after);
    }
    expect_invalid(shapes, "/dev/null", "/dev/null", "no file");
    expect_invalid(shapes, folder, folder, "no file");
}
END_TEST

START_TEST(a_wrong_table_is_refused_before_anything_is_written)
{
    expect_invalid(COLUMNS "\nconv,7,7,16,7,7,32,1,1,1,1,1,1,32,,\nconv,7,7\n", out_path(),
                   "shapes.csv:3", "3 cells");
    ck_assert_int_ne(access(out_path(), F_OK), 0);
    nw_error err;
    ck_assert_int_eq(measure(shapes, "/nowhere/out.csv", NULL, NULL, &err), NW_IO);
}
END_TEST

START_TEST(the_command_measures_and_says_how_much)
{
    const char *path = folder_write(folder, "shapes.csv", shapes, strlen(shapes));
    run_result r =
        run_nasw(NULL, "measure --cpu --shapes %s -o %s --progress=json", path, out_path());
    ck_assert_int_eq(r.status, 0);
    ck_assert_str_eq(r.out, "");
    ck_assert_ptr_nonnull(strstr(r.err, "nasw: 5 kernels measured, 0 were there already\n"));
    run_free(&r);
    r = run_nasw(NULL, "measure --cpu --shapes %s -o %s", path, out_path());
    ck_assert_str_eq(r.err, "nasw: 0 kernels measured, 5 were there already\n");
    run_free(&r);
    r = run_nasw(NULL, "measure --cpu --shapes %s -o -", path);
    ck_assert_int_eq(r.status, 2);
    run_free(&r);
    r = run_nasw(NULL, "measure --cpu --hw ne32 --shapes %s -o %s", path, out_path());
    ck_assert_int_eq(r.status, 2);
    run_free(&r);
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("measure_cpu");
    TCase *tc = tcase_create("cpu");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, make_folder, remove_folder);
    tcase_add_test(tc, each_row_gets_its_figures_or_a_reason);
    tcase_add_test(tc, what_was_measured_is_kept_to_the_letter);
    tcase_add_test(tc, half_a_row_is_measured_again);
    tcase_add_test(tc, kept_rows_follow_the_table);
    tcase_add_test(tc, what_is_stopped_goes_on);
    tcase_add_test(tc, other_peoples_files_are_left_alone);
    tcase_add_test(tc, a_wrong_table_is_refused_before_anything_is_written);
    tcase_add_test(tc, the_command_measures_and_says_how_much);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
