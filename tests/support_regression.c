#include "tests/support_regression.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/measure/measure.h"
#include "tests/support.h"

static void expect(bool holds, const char *format, ...) NW_PRINTF(2, 3);

static void expect(bool holds, const char *format, ...)
{
    if (holds)
        return;
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    abort();
}

/* ---- fitted ---- */

/* Sizes that step through what mobile networks have, each row another. */
static void add_shapes(nw_buf *out, int n)
{
    static const int sides[] = {7, 10, 14, 20, 28, 40, 56, 80};
    static const int channels[] = {16, 24, 32, 48, 64, 96, 128, 192, 256, 320};
    for (int i = 0; i < n; i++) {
        int side = sides[i % 8], in = channels[i % 10], to = channels[(i * 7 + i / 10) % 10];
        int kernel = i % 3 ? 1 : 3, stride = i % 6 ? 1 : 2, half = (side + stride - 1) / stride;
        nw_buf_printf(out, "conv,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d\n", side, side, in, half, half, to,
                      kernel, kernel, stride, stride);
        nw_buf_printf(out, "dwconv,%d,%d,%d,%d,%d,%d,3,3,%d,%d\n", side, side, to, half, half, to,
                      stride, stride);
        nw_buf_printf(out, "add,%d,%d,%d,%d,%d,%d,,,,\n", side, side, to, side, side, to);
    }
}

nw_table *measured_table(const nw_hw *hw, int n)
{
    nw_buf shapes = {0}, measured = {0};
    nw_error err;
    nw_table *table;
    nw_buf_puts(&shapes, "kernel,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,"
                         "stride_w\n");
    add_shapes(&shapes, n);
    nw_file *file = nw_file_from_bytes("shapes.csv", nw_buf_text(&shapes), shapes.length);
    expect(nw_measure_shapes(file, hw, &measured, &err) == NW_OK, "%s: %s", err.where, err.message);
    nw_file_release(file);
    file = nw_file_from_bytes("measured.csv", nw_buf_text(&measured), measured.length);
    expect(nw_table_read(file, &table, &err) == NW_OK, "%s: %s", err.where, err.message);
    nw_file_release(file);
    nw_buf_fini(&shapes);
    nw_buf_fini(&measured);
    return table;
}

nw_regression *fitted_regression(const nw_hw *hw, const nw_table *table, uint32_t seed)
{
    nw_fit_options options = {.target = "latency_us", .hw = hw, .seed = seed};
    nw_regression *regression;
    nw_error err;
    expect(nw_fit(table, &options, &regression, &err) == NW_OK, "%s: %s", err.where, err.message);
    return regression;
}

/* ---- by hand ---- */

#define SCORES(n, mape, rmspe, five, ten, spearman)                                                \
    "{\"n\":" #n ",\"mape_pct\":" #mape ",\"rmspe_pct\":" #rmspe ",\"within_5_pct\":" #five        \
    ",\"within_10_pct\":" #ten ",\"spearman\":" #spearman "}"

static void add_worst(nw_buf *out, int line, double measured, double predicted, const char *what)
{
    nw_buf_printf(out, "{\"line\":%d,\"measured\":%g,\"predicted\":%g,\"what\":\"%s\"}", line,
                  measured, predicted, what);
}

/* constant: at 8 bits. */
static void add_group(nw_buf *out, const char *name, const char *scores, double spread,
                      double constant, double per_bit, double per_element, const char *feature,
                      int high)
{
    nw_buf_printf(out,
                  "{\"name\":\"%s\",\"rows\":400,\"distinct\":390,\"trees\":0,\"base\":["
                  "{\"value\":\"constant\",\"coefficient\":%g},{\"value\":\"bits\","
                  "\"coefficient\":%g},{\"value\":\"out_elements\",\"coefficient\":%g}],",
                  name, constant - 8 * per_bit, per_bit, per_element);
    nw_buf_printf(out,
                  "\"least\":0.01,\"features\":[{\"name\":\"%s\",\"unit\":\"1\",\"low\":1,"
                  "\"high\":%d}],\"out_of_fold\":%s,",
                  feature, high, scores);
    nw_buf_printf(
        out,
        "\"macs_alone\":" SCORES(400, 36.3, 44.0, 10.5, 21.0, 0.952) ",\"roofline\":" SCORES(
            400, 15.4, 20.1, 40.0, 55.5, 0.976) ",\"noise_pct\":0,\"noisy_rows\":0,"
                                                "\"spread\":%g,\"quantiles\":[],\"worst\":[",
        spread);
    add_worst(out, 12, 100, strcmp(name, "conv") == 0 ? 123.4 : 91.5,
              "in_h=56 in_w=56 in_c=320 out_h=56 out_w=56 out_c=24 kernel_h=1");
    nw_buf_puts(out, ",");
    add_worst(out, 345, 8.25, strcmp(name, "conv") == 0 ? 7.24 : 8.8,
              "in_h=7 in_w=7 in_c=576 out_h=7 out_w=7 out_c=160 kernel_h=3");
    nw_buf_puts(out, "]}");
}

/* Errors between -12 and +12 % that do not depend on the size, over four decades; the last of
 * every twenty is 35 %. */
static void add_sample(nw_buf *out)
{
    double measured = 0.8;
    for (int i = 0; i < 120; i++, measured *= 1.08)
        nw_buf_printf(out, "%s[%d,%.6g,%.6g]", i ? "," : "", i % 3, measured,
                      measured * (1 + (i % 20 == 19 ? 0.35 : 0.01 * (i * 7 % 25 - 12))));
}

void write_hand_model(const char *path, const nw_hw *hw, const char *source)
{
    nw_buf out = {0};
    char *figures = nw_hw_describe(hw);
    nw_buf_printf(&out,
                  "{\"schema\":\"nasw.estimator/1\",\"target\":\"latency_us\",\"provenance\":{"
                  "\"file\":\"M.csv\",\"device\":\"%s\",\"source\":\"%s\",\"date\":\"2026-11-25\","
                  "\"measured_with\":\"nasw-0.1\",\"data_hash\":\"0123456789abcdef\",\"tool\":"
                  "\"nasw-0.1\",\"rows\":1200,\"skipped\":0,\"seed\":7,\"folds\":5},"
                  "\"out_of_fold\":" SCORES(1200, 4.3, 6.5, 71.0, 93.2, 0.997) ",",
                  hw->name, source);
    nw_buf_printf(
        &out,
        "\"networks\":{\"known\":true,\"totals\":false,\"n\":40,\"a\":1,\"b\":0,"
        "\"out_of_fold\":" SCORES(
            40, 2.1, 2.8, 95.0, 100,
            0.998) ","
                   "\"total_band\":{\"low\":%g,\"high\":%g,\"n\":40,\"from\":\"networks\"},"
                   "\"difference_band\":{\"low\":%g,\"high\":%g,\"n\":120,\"from\":\"networks\"}},"
                   "\"sample\":[",
        HAND_TOTAL_LOW, HAND_TOTAL_HIGH, -HAND_DIFFERENCE, HAND_DIFFERENCE);
    add_sample(&out);
    nw_buf_printf(&out, "],\"group_column\":\"kernel\",\"columns\":[],\"hw\":%s,\"groups\":[",
                  figures);
    add_group(&out, "conv", SCORES(400, 5.4, 7.9, 61.0, 88.5, 0.996), HAND_CONV_SPREAD,
              HAND_CONV_US(0), HAND_CONV_BIT_US, 0.0003, "out_c", HAND_CONV_MAX_OUT_C);
    nw_buf_puts(&out, ",");
    add_group(&out, "dwconv", SCORES(400, 1.9, 2.6, 94.0, 99.5, 0.999), HAND_DWCONV_SPREAD,
              HAND_DWCONV_US(0), 0, 0.001, "in_h", HAND_DWCONV_MAX_IN_H);
    nw_buf_puts(&out, ",");
    add_group(&out, "add", SCORES(400, 5.6, 7.1, 58.0, 91.5, 0.994), 0.07, HAND_ADD_US(0), 0,
              0.0002, "in_h", 320);
    nw_buf_puts(&out, "],\"boosters\":[null,null,null]}\n");
    free(figures);
    FILE *file = fopen(path, "w");
    expect(file && fwrite(nw_buf_text(&out), 1, out.length, file) == out.length &&
               fclose(file) == 0,
           "%s is not written", path);
    nw_buf_fini(&out);
}

/* ---- a folder ---- */

char *hand_folder_new(const char *hw_name)
{
    char *folder = strdup("/tmp/nasw-hand-XXXXXX"), path[160];
    nw_hw *hw;
    nw_error err;
    expect(mkdtemp(folder) != NULL, "no folder");
    for (const char *const *name = (const char *const[]){"hw", "estimators", NULL}; *name; name++) {
        snprintf(path, sizeof path, "%s/%s", folder, *name);
        expect(mkdir(path, 0700) == 0, "%s", path);
    }
    expect(nw_hw_load(hw_name, "hw", &hw, &err) == NW_OK, "%s: %s", err.where, err.message);
    snprintf(path, sizeof path, "%s/estimators/%s.json", folder, hw_name);
    write_hand_model(path, hw, "simulated");
    nw_hw_free(hw);
    char command[256];
    snprintf(command, sizeof command, "cp hw/*.json %s/hw", folder);
    expect(system(command) == 0, "%s", command);
    return folder;
}

const char *hand_folder_path(const char *folder)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/hw", folder);
    return path;
}

void hand_folder_free(char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    expect(system(command) == 0, "%s", command);
    free(folder);
}
