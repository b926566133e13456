/* Single-kernel models: what is written is read again and taken apart as any network is. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/format/format.h"
#include "src/kernel/kernel.h"
#include "src/measure/measure.h"
#include "tests/support.h"
#include "tests/support_run.h"

#define N_OF(list) ((int)(sizeof(list) / sizeof *(list)))

#define HEADER                                                                                     \
    "kernel,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,stride_w,dilation,groups," \
    "bits,act,residual\n"

static nw_status emit(const char *dir, const char *table, nw_measure_emitted *done, nw_error *err)
{
    nw_file *file = nw_file_from_bytes("shapes.csv", table, strlen(table));
    nw_status status = nw_measure_emit(file, dir, NULL, done, err);
    nw_file_release(file);
    return status;
}

static nw_measure_emitted emit_good(const char *dir, const char *table)
{
    nw_measure_emitted done;
    nw_error err;
    if (emit(dir, table, &done, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return done;
}

/* A path below a folder that folder_new made; lives until the next call. */
static const char *below(const char *folder, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static nw_graph *load(const char *dir, const char *file)
{
    nw_graph *graph;
    nw_error err;
    if (nw_model_load(below(dir, file), NULL, 0, &graph, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return graph;
}

static csv load_manifest(const char *dir)
{
    csv table;
    ck_assert(csv_load(&table, below(dir, "manifest.csv")));
    return table;
}

static bool is_there(const char *folder, const char *name)
{
    return access(below(folder, name), F_OK) == 0;
}

/* ---- every kind of kernel ---- */

/* The row, its multiply-accumulates by hand, and what the hardware below makes of its model. */
static const struct {
    const char *row;
    int64_t macs;
    const char *kernel;
} rows[] = {
    {"conv,56,56,64,56,56,128,1,1,1,1,1,1,32,,0", 56 * 56 * 64 * 128, "conv"},
    {"conv,15,15,24,8,8,48,3,3,2,2,1,1,32,,0", 8 * 8 * 9 * 24 * 48, "conv"},
    {"conv,14,14,24,14,14,48,3,3,1,1,2,4,32,,0", 14 * 14 * 9 * 6 * 48, "conv"},
    {"conv,9,14,24,9,6,48,1,5,1,2,1,1,32,,0", 9 * 6 * 5 * 24 * 48, "conv"},
    {"conv+act,14,14,24,14,14,48,3,3,1,1,1,1,32,relu6,0", 14 * 14 * 9 * 24 * 48, "conv+act"},
    {"conv+act+add,14,14,24,14,14,24,3,3,1,1,1,1,32,sigmoid,1", 14 * 14 * 9 * 24 * 24,
     "conv+act+add"},
    {"conv+add+act,14,14,24,14,14,24,3,3,1,1,1,1,32,relu,1", 14 * 14 * 9 * 24 * 24, "conv+act+add"},
    {"dwconv,28,28,32,14,14,32,5,5,2,2,1,,32,,0", 14 * 14 * 25 * 32, "dwconv"},
    {"dwconv,28,28,32,28,28,64,3,3,1,1,1,,32,relu,0", 28 * 28 * 9 * 64, "dwconv+act"},
    {"conv_transpose,8,8,16,16,16,8,2,2,2,2,1,1,32,,0", 8 * 8 * 4 * 16 * 8, "conv_transpose"},
    {"fc,7,7,16,1,1,100,,,,,,,32,,0", 7 * 7 * 16 * 100, "fc"},
    {"fc,1,49,16,1,49,100,,,,,,,32,relu,0", 49 * 16 * 100, "fc+act"},
    {"matmul,4,49,32,4,49,20,,,,,,,32,,0", 4 * 49 * 32 * 20, "matmul"},
    {"pool,14,14,32,7,7,32,3,3,2,2,1,1,32,,0", 0, "pool"},
    {"pool,7,7,32,1,1,32,7,7,1,1,1,1,32,,0", 0, "pool"},
    {"add,14,14,32,14,14,32,,,,,,,32,,0", 0, "add"},
    {"add,14,14,32,14,14,32,,,,,,,32,relu,0", 0, "add+act"},
    {"mul,14,14,32,14,14,32,,,,,,,32,,0", 0, "mul"},
    {"elementwise,14,14,32,14,14,32,,,,,,,32,,0", 0, "elementwise"},
    {"act,14,14,32,14,14,32,,,,,,,32,hard_sigmoid,0", 0, "act"},
    {"act,14,14,32,14,14,32,,,,,,,32,prelu,0", 0, "act"},
    {"quantize,14,14,32,14,14,32,,,,,,,16,,0", 0, "quantize"},
    {"softmax,1,1,1000,1,1,1000,,,,,,,32,,0", 0, "softmax"},
    {"norm,14,14,32,14,14,32,,,,,,,32,,0", 0, "norm"},
    {"reduce,14,14,32,14,14,1,,,,,,,32,,0", 0, "reduce"},
    {"reduce,14,14,32,14,14,32,,,,,,,32,,0", 0, "reduce"},
    {"resize,14,14,32,28,28,32,,,,,,,32,,0", 0, "resize"},
    {"resize,14,14,32,33,17,32,,,,,,,32,,0", 0, "resize"},
    {"copy,14,14,32,14,14,16,,,,,,,32,,0", 0, "copy"},
    {"copy,14,14,32,16,17,32,,,,,,,32,,0", 0, "copy"},
};

static int64_t macs_of(const nw_graph *graph)
{
    nw_counts counts;
    nw_graph_count(graph, &counts);
    ck_assert_int_eq(counts.n_opaque, 0);
    return counts.macs;
}

/* Height, width and channels at the network's ends, whatever the rank. */
static void check_sizes(const nw_graph *graph, const csv *manifest, int row)
{
    static const char *const names[2] = {"in", "out"};
    for (int end = 0; end < 2; end++) {
        char column[16];
        int64_t elements = 1;
        for (const char *axis = "hwc"; *axis; axis++) {
            snprintf(column, sizeof column, "%s_%c", names[end], *axis);
            elements *= (int64_t)csv_number(manifest, row, column);
        }
        const nw_tensor *tensor = &graph->tensors[end ? graph->outputs[0] : graph->inputs[0]];
        ck_assert_int_eq(nw_shape_elements(&tensor->shape), elements);
        ck_assert(tensor->shape.rank < 4 || tensor->shape.dims[0] == 1);
    }
}

START_TEST(a_model_is_the_kernel_of_its_row)
{
    char *folder = folder_new(), table[512];
    nw_error err;
    nw_hw *hw;
    nw_kernels *kernels;
    snprintf(table, sizeof table, HEADER "%s\n", rows[_i].row);
    ck_assert_int_eq(emit_good(folder, table).n_models, 1);
    csv manifest = load_manifest(folder);
    nw_graph *graph = load(folder, csv_text(&manifest, 0, "file"));
    ck_assert_int_eq(macs_of(graph), rows[_i].macs);
    check_sizes(graph, &manifest, 0);
    ck_assert_int_eq(nw_hw_load("ne32", "hw", &hw, &err), NW_OK);
    ck_assert_int_eq(nw_kernels_split(graph, hw, NULL, &kernels, &err), NW_OK);
    int n = 0;
    for (int i = 0; i < kernels->n_kernels; i++) {
        char name[64];
        const nw_kernel_shape *shape = &kernels->kernels[i].shape;
        if (shape->parts[0].kind == NW_KERNEL_VIEW)
            continue;
        ck_assert_str_eq(nw_kernel_shape_name(shape, name, sizeof name), rows[_i].kernel);
        n++;
    }
    ck_assert_int_eq(n, 1);
    nw_kernels_free(kernels);
    nw_hw_free(hw);
    nw_graph_free(graph);
    csv_free(&manifest);
    folder_free(folder);
}
END_TEST

/* bits 8: the same work, between QuantizeLinear and DequantizeLinear. */
START_TEST(int8_models_are_qdq)
{
    char *folder = folder_new(), table[512];
    const char *bits = rows[_i].row + strlen(rows[_i].row);
    for (int commas = 0; commas < 3; commas += *bits == ',')
        bits--; /* bits,act,residual */
    snprintf(table, sizeof table, HEADER "%.*s,8%s\n", (int)(bits - rows[_i].row), rows[_i].row,
             strchr(bits + 1, ','));
    emit_good(folder, table);
    csv manifest = load_manifest(folder);
    nw_graph *graph = load(folder, csv_text(&manifest, 0, "file"));
    ck_assert_str_eq(csv_text(&manifest, 0, "bits"), "8");
    ck_assert_int_eq(macs_of(graph), rows[_i].macs);
    check_sizes(graph, &manifest, 0);
    const nw_node *first = &graph->nodes[0];
    while (first->op == NW_OP_DEQUANTIZE) /* of weights */
        first++;
    ck_assert_int_eq(first->op, NW_OP_QUANTIZE);
    nw_graph_free(graph);
    csv_free(&manifest);
    folder_free(folder);
}
END_TEST

/* ---- the folder ---- */

static const char three[] = HEADER "conv,8,8,16,8,8,32,1,1,1,1,1,1,8,,0\n"
                                   "fc,1,1,64,1,1,10,,,,,,,8,relu,0\n"
                                   "conv,8,8,16,8,8,32,1,1,1,1,,,,none,no\n" /* the first again */
                                   "pool,8,8,16,4,4,16,2,2,2,2,1,1,16,,0\n";

START_TEST(equal_rows_are_written_once)
{
    char *folder = folder_new();
    nw_measure_emitted done = emit_good(folder, three);
    csv manifest = load_manifest(folder);
    ck_assert_int_eq(done.n_rows, 4);
    ck_assert_int_eq(done.n_models, 3);
    ck_assert_int_eq(manifest.n_rows, 3);
    ck_assert_str_eq(csv_text(&manifest, 0, "file"), "k0001_conv_8x8x16_k1s1_32.onnx");
    ck_assert_str_eq(csv_text(&manifest, 1, "file"), "k0002_fc-act_1x1x64_10.onnx");
    ck_assert_str_eq(csv_text(&manifest, 2, "file"), "k0003_pool_8x8x16_k2s2_16_f16.onnx");
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(csv_text(&manifest, i, "latency_us"), "");
        ck_assert(is_there(folder, csv_text(&manifest, i, "file")));
    }
    ck_assert(is_there(folder, "README.txt"));
    csv_free(&manifest);
    folder_free(folder);
}
END_TEST

START_TEST(the_manifest_is_a_table_of_shapes)
{
    char *folder = folder_new();
    nw_error err;
    nw_hw *hw;
    nw_file *file;
    nw_buf out = {0};
    emit_good(folder, three);
    ck_assert_int_eq(nw_hw_load("ne32", "hw", &hw, &err), NW_OK);
    ck_assert_int_eq(nw_file_read(below(folder, "manifest.csv"), 1 << 20, &file, &err), NW_OK);
    if (nw_measure_shapes(file, hw, &out, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    const char *wanted = "\nconv,8,8,16,8,8,32,1,1,1,1,1,1,8,none,0,";
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&out), wanted));
    ck_assert_ptr_nonnull(strstr(nw_buf_text(&out), "\nfc+act,1,1,64,1,1,10,"));
    nw_buf_fini(&out);
    nw_file_release(file);
    nw_hw_free(hw);
    folder_free(folder);
}
END_TEST

/* The file as a string of that many bytes; both folders hold the same ones. */
static void check_same_file(const char *one, const char *other, const char *name)
{
    size_t n, m;
    char *a = read_text(below(one, name), &n), *b = read_text(below(other, name), &m);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_int_eq(n, m);
    ck_assert_mem_eq(a, b, n);
    free(a);
    free(b);
}

START_TEST(the_same_table_gives_the_same_bytes)
{
    char *one = folder_new(), *other = folder_new();
    setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
    emit_good(one, three);
    emit_good(other, three);
    csv manifest = load_manifest(one);
    for (int i = 0; i < manifest.n_rows; i++)
        check_same_file(one, other, csv_text(&manifest, i, "file"));
    check_same_file(one, other, "manifest.csv");
    csv_free(&manifest);
    folder_free(one);
    folder_free(other);
}
END_TEST

/* The nodes that compute, in order. */
static void list_ops(const nw_graph *graph, char *dst, size_t size)
{
    size_t used = 0;
    dst[0] = '\0';
    for (int i = 0; i < graph->n_nodes && used < size; i++)
        used += (size_t)snprintf(dst + used, size - used, "%s ", graph->nodes[i].file_type);
}

START_TEST(joined_operators_stand_as_the_row_has_them)
{
    static const struct {
        const char *row, *run, *ops;
    } runs[] = {
        {"conv+act+add,8,8,16,8,8,16,1,1,1,1,1,1,32,relu,1", "conv+act+add", "Conv Relu Add "},
        {"conv+add+act,8,8,16,8,8,16,1,1,1,1,1,1,32,tanh,1", "conv+add+act", "Conv Add Tanh "},
        {"conv,8,8,16,8,8,16,1,1,1,1,1,1,32,relu6,1", "conv+act+add", "Conv Clip Add "},
        {"conv+hard_swish,8,8,16,8,8,16,1,1,1,1,1,1,32,,0", "conv+act", "Conv HardSigmoid Mul "},
        {"conv+act+pool,8,8,16,4,4,16,3,3,1,1,1,1,32,,0", "conv+act+pool", "Conv Relu MaxPool "},
        {"dwconv+conv,8,8,16,8,8,32,3,3,1,1,1,,32,lut,0", "dwconv+conv+act", "Conv Conv Sigmoid "},
        {"dwconv+act+conv,8,8,16,8,8,32,3,3,1,1,1,,32,relu6,0", "dwconv+act+conv",
         "Conv Clip Conv "}};
    for (int i = 0; i < N_OF(runs); i++) {
        char *folder = folder_new(), table[512], ops[128];
        snprintf(table, sizeof table, HEADER "%s\n", runs[i].row);
        emit_good(folder, table);
        csv manifest = load_manifest(folder);
        nw_graph *graph = load(folder, csv_text(&manifest, 0, "file"));
        list_ops(graph, ops, sizeof ops);
        ck_assert_str_eq(ops, runs[i].ops);
        ck_assert_str_eq(csv_text(&manifest, 0, "kernel"), runs[i].run);
        nw_graph_free(graph);
        csv_free(&manifest);
        folder_free(folder);
    }
}
END_TEST

/* ---- what goes wrong ---- */

static void expect_error(const char *dir, const char *table, nw_status status, const char *where,
                         const char *part)
{
    nw_error err;
    ck_assert_int_eq(emit(dir, table, NULL, &err), status);
    ck_assert_str_eq(err.where, where);
    ck_assert_msg(strstr(err.message, part) != NULL, "\"%s\" lacks \"%s\"", err.message, part);
}

START_TEST(a_row_that_makes_no_model_is_named_and_nothing_is_written)
{
    static const struct {
        const char *row, *part;
    } bad[] = {
        {"conv,8,8,16,5,8,32,1,1,1,1,1,1,8,,0", "conv of this input gives 8x8x32, not 5x8x32"},
        {"conv,8,8,16,8,8,32,1,1,1,1,1,1,4,,0", "bits is 4"},
        {"host,8,8,16,8,8,16,,,,,,,8,,0", "leave the row out"},
        {"act,8,8,16,8,8,32,,,,,,,8,relu,0", "gives 8x8x16"},
        {"add,8,8,16,4,4,16,,,,,,,8,,0", "gives 8x8x16"},
        {"view,8,8,16,1,1,1000,,,,,,,8,,0", "elements"},
        {"copy,8,8,16,16,4,17,,,,,,,8,,0", "gives"},
        {"quantize,8,8,16,8,8,16,,,,,,,8,relu,0", "nothing is joined"},
        {"reduce,8,8,16,8,8,16,,,,,,,16,,0", "float16"},
        {"resize,8,8,16,16,16,32,,,,,,,8,,0", "gives 16x16x16, not 16x16x32"},
        {"fc,1,1,1000000,1,1,1000000,,,,,,,8,,0", "weights"},
        {"conv_transpose,8,8,16,40,40,8,2,2,2,2,1,1,8,,0", "no model has these sizes"}};
    char *folder = folder_new(), table[512];
    const char *dir = strdup(below(folder, "models"));
    for (int i = 0; i < N_OF(bad); i++) {
        snprintf(table, sizeof table, HEADER "fc,1,1,64,1,1,10,,,,,,,8,relu,0\n# a comment\n%s\n",
                 bad[i].row);
        nw_error err;
        ck_assert_msg(emit(dir, table, NULL, &err) != NW_OK, "%s is taken", bad[i].row);
        ck_assert_str_eq(err.where, "shapes.csv:4");
        ck_assert_msg(strstr(err.message, bad[i].part) != NULL, "\"%s\" lacks \"%s\"", err.message,
                      bad[i].part);
        ck_assert(!is_there(folder, "models"));
    }
    expect_error(dir, HEADER, NW_INVALID, "shapes.csv", "lists no kernels");
    free((char *)dir);
    folder_free(folder);
}
END_TEST

START_TEST(a_folder_of_others_is_left_alone)
{
    char *folder = folder_new();
    const char *file = folder_write(folder, "mine.txt", "x", 1);
    expect_error(folder, three, NW_INVALID, folder, "is not empty");
    expect_error(file, three, NW_IO, file, "no folder");
    char *missing = strdup(below(folder, "no/models"));
    expect_error(missing, three, NW_IO, missing, "cannot make the folder: No such file");
    free(missing);
    folder_write(folder, "manifest.csv", "file,latency_us\nmine.txt,\n", 26);
    char *manifest = strdup(below(folder, "manifest.csv"));
    expect_error(folder, three, NW_INVALID, manifest, "was not written by nasw");
    ck_assert(is_there(folder, "mine.txt"));
    free(manifest);
    folder_free(folder);
}
END_TEST

START_TEST(an_earlier_emission_is_replaced_but_results_are_not)
{
    char *folder = folder_new();
    emit_good(folder, three);
    emit_good(folder, HEADER "pool,8,8,16,4,4,16,2,2,2,2,1,1,8,,0\n");
    ck_assert(is_there(folder, "k0001_pool_8x8x16_k2s2_16.onnx"));
    ck_assert(!is_there(folder, "k0001_conv_8x8x16_k1s1_32.onnx"));
    ck_assert(!is_there(folder, "k0002_fc-act_1x1x64_10.onnx"));
    char *manifest = strdup(below(folder, "manifest.csv")), filled[1024];
    char *text = read_text(manifest, NULL);
    const char *gap = strstr(text, ",,k0001");
    ck_assert_ptr_nonnull(gap);
    int n = snprintf(filled, sizeof filled, "%.*s,12.5%s", (int)(gap - text), text, gap + 1);
    folder_write(folder, "manifest.csv", filled, (size_t)n);
    expect_error(folder, three, NW_INVALID, manifest, "holds results");
    ck_assert(is_there(folder, "k0001_pool_8x8x16_k2s2_16.onnx"));
    free(text);
    free(manifest);
    folder_free(folder);
}
END_TEST

/* A manifest may name anything; only what looks like a model of ours, in the folder, is removed. */
START_TEST(only_models_are_removed)
{
    static const char text[] =
        "# device=x source=chip date= tool=nasw-0-emit\nkernel,latency_us,file\n"
        "a,,keep.onnx\nb,,../k0001_x.onnx\nc,,k0001_gone.onnx\n"
        "d,,k0002_x/../../keep.onnx\n";
    char *folder = folder_new();
    char *dir = strdup(below(folder, "models"));
    ck_assert_int_eq(mkdir(dir, 0777), 0);
    folder_write(folder, "k0001_x.onnx", "x", 1);
    folder_write(dir, "keep.onnx", "x", 1);
    folder_write(dir, "k0001_gone.onnx", "x", 1);
    folder_write(dir, "manifest.csv", text, strlen(text));
    emit_good(dir, three);
    ck_assert(is_there(dir, "keep.onnx"));
    ck_assert(is_there(folder, "k0001_x.onnx"));
    ck_assert(!is_there(dir, "k0001_gone.onnx"));
    free(dir);
    folder_free(folder);
}
END_TEST

/* A disk that takes no more, as a limit on the size of files: the manifest fits, a model not. */
START_TEST(a_full_disk_is_said)
{
    char *folder = folder_new();
    struct rlimit limit = {2048, 2048};
    nw_error err;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(emit(folder, HEADER "conv,8,8,64,8,8,64,3,3,1,1,1,1,8,,0\n", NULL, &err),
                     NW_IO);
    ck_assert_ptr_nonnull(strstr(err.where, "k0001_conv_8x8x64_k3s1_64.onnx"));
    ck_assert_ptr_nonnull(strstr(err.message, "cannot write"));
    ck_assert(!is_there(folder, "k0001_conv_8x8x64_k3s1_64.onnx"));
    folder_free(folder);
}
END_TEST

START_TEST(the_command_writes_the_folder)
{
    char *folder = folder_new();
    const char *table = folder_write(folder, "shapes.csv", three, strlen(three));
    run_result r = run_nasw(NULL, "measure --emit %s/models --shapes %s --hw ne32", folder, table);
    ck_run(run_flaw(&r), &r);
    ck_assert_int_eq(r.status, 0);
    ck_assert_ptr_nonnull(strstr(r.err, "3 models of 4 rows"));
    ck_assert(is_there(folder, "models/manifest.csv"));
    run_free(&r);
    r = run_nasw(NULL, "measure --emit %s/models", folder);
    ck_run(run_not_refused(&r, "usage|--emit DIR"), &r);
    run_free(&r);
    folder_free(folder);
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("measure_emit");
    TCase *tc = tcase_create("emit");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, a_model_is_the_kernel_of_its_row, 0, N_OF(rows));
    tcase_add_loop_test(tc, int8_models_are_qdq, 0, N_OF(rows));
    tcase_add_test(tc, equal_rows_are_written_once);
    tcase_add_test(tc, the_manifest_is_a_table_of_shapes);
    tcase_add_test(tc, the_same_table_gives_the_same_bytes);
    tcase_add_test(tc, joined_operators_stand_as_the_row_has_them);
    tcase_add_test(tc, a_row_that_makes_no_model_is_named_and_nothing_is_written);
    tcase_add_test(tc, a_folder_of_others_is_left_alone);
    tcase_add_test(tc, an_earlier_emission_is_replaced_but_results_are_not);
    tcase_add_test(tc, only_models_are_removed);
    tcase_add_test(tc, a_full_disk_is_said);
    tcase_add_test(tc, the_command_writes_the_folder);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
