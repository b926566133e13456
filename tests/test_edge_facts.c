/* The layer lists of Google's Edge TPU networks (../shared/data/edge_tpu_facts): written as block
 * strings they have the multiply-accumulates and weights that their authors publish, and lifting
 * finds the blocks of the list again. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/arch.h"
#include "src/format/format.h"
#include "tests/support.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))
#define FACTS       "data/edge_tpu_facts/"

static csv layers, models;

static bool load_facts(void)
{
    const char *path = shared_path(FACTS "layers.csv");
    if (!path)
        return false;
    ck_assert(csv_load(&layers, path));
    return true;
}

static int64_t number(int row, const char *column)
{
    return (int64_t)csv_number(&layers, row, column);
}

static bool is_block(int row, const char *name)
{
    return strcmp(csv_text(&layers, row, "block"), name) == 0;
}

/* Without an expansion the 1x1 is left out (Sandler et al. 2018: t = 1). */
static bool is_separable(int row)
{
    return is_block(row, "dwsep") ||
           (is_block(row, "ibn") && number(row, "mid") == number(row, "cin"));
}

/* Rows of one model, in order; the number of models is found the same way. */
static bool find_model(int index, int *first, int *end)
{
    int row = 0;
    for (; row < layers.n_rows && index >= 0; index--) {
        *first = row;
        while (row < layers.n_rows &&
               strcmp(csv_text(&layers, row, "model"), csv_text(&layers, *first, "model")) == 0)
            row++;
        *end = row;
    }
    return index < 0;
}

static void read_ranks(int row, int64_t *in, int64_t *out)
{
    long long a = 0, b = 0;
    ck_assert_int_eq(sscanf(csv_text(&layers, row, "groups_or_ranks"), "%lld/%lld", &a, &b), 2);
    *in = a;
    *out = b;
}

/* ---- as strings ---- */

static void write_row(int row, nw_buf *out)
{
    int64_t in_c = number(row, "cin"), mid_c = number(row, "mid"), rank_in, rank_out;
    int64_t groups = number(row, "groups_or_ranks");
    double expansion = (double)mid_c / (double)in_c;
    bool is_equal = in_c == number(row, "cout") && number(row, "stride") == 1;
    nw_buf_puts(out, number(row, "stride") > 1 ? "\n" : " ");
    if (is_block(row, "stem") || is_block(row, "conv"))
        nw_buf_puts(out, "cn");
    else if (is_block(row, "fused"))
        nw_buf_printf(out, "er_e%.12f", expansion);
    else if (is_separable(row))
        nw_buf_puts(out, "ds");
    else if (is_block(row, "ibn"))
        nw_buf_printf(out, "ir_e%.12f", expansion);
    else if (is_block(row, "tucker")) {
        read_ranks(row, &rank_in, &rank_out);
        nw_buf_printf(out, "tu_ir%.12f_or%.12f", (double)rank_in / (double)in_c,
                      (double)rank_out / (double)number(row, "cout"));
    } else {
        ck_abort_msg("row %d: %s", row, csv_text(&layers, row, "block"));
    }
    nw_buf_printf(out, "_r1_k%lld_s%lld_c%lld", (long long)number(row, "kernel"),
                  (long long)number(row, "stride"), (long long)number(row, "cout"));
    if (is_block(row, "fused") && groups > 1)
        nw_buf_printf(out, "_gs%lld", (long long)(mid_c / groups));
    if (is_equal && !number(row, "residual") && !is_block(row, "conv"))
        nw_buf_puts(out, "_noskip");
}

/* The model at size x size, sealed; *classifier is its last layer, which a text does not say. */
static nw_graph *build(int first, int end, int size, int64_t *classifier)
{
    nw_buf text = {0};
    nw_error err;
    nw_graph *graph = NULL;
    nw_input_size input = {.name = "", .shape = {4, {1, 3, size, size}}};
    *classifier = 0;
    for (int row = first; row < end; row++) {
        if (is_block(row, "fc"))
            *classifier = number(row, "cin") * number(row, "cout");
        else
            write_row(row, &text);
    }
    if (nw_model_load(nw_buf_text(&text), &input, 1, &graph, &err) != NW_OK)
        ck_abort_msg("%s: %s: %s\n%s", csv_text(&layers, first, "model"), err.where, err.message,
                     nw_buf_text(&text));
    nw_buf_fini(&text);
    return graph;
}

/* ---- counts ---- */

/* By the list alone: products of each convolution at its own size. */
static int64_t macs_of_list(int first, int end, int64_t size)
{
    int64_t macs = 0;
    for (int row = first; row < end; row++) {
        int64_t in_c = number(row, "cin"), out_c = number(row, "cout"), mid_c = number(row, "mid");
        int64_t area = number(row, "kernel") * number(row, "kernel"), rank_in, rank_out;
        int64_t out = (size + number(row, "stride") - 1) / number(row, "stride");
        int64_t before = size * size, after = out * out;
        if (is_block(row, "fc"))
            macs += in_c * out_c;
        else if (is_block(row, "stem") || is_block(row, "conv"))
            macs += area * in_c * out_c * after;
        else if (is_block(row, "fused"))
            macs += (area * in_c * mid_c / number(row, "groups_or_ranks") + mid_c * out_c) * after;
        else if (is_separable(row))
            macs += (area * in_c + in_c * out_c) * after;
        else if (is_block(row, "ibn"))
            macs += in_c * mid_c * before + (area * mid_c + mid_c * out_c) * after;
        else {
            read_ranks(row, &rank_in, &rank_out);
            macs +=
                in_c * rank_in * before + (area * rank_in * rank_out + rank_out * out_c) * after;
        }
        size = out;
    }
    return macs;
}

START_TEST(every_listed_network_has_the_products_of_its_list)
{
    int first, end, n = 0;
    if (!load_facts())
        return;
    for (; find_model(n, &first, &end); n++) {
        static const int sizes[] = {224, 320, 97};
        for (int i = 0; i < N_OF(sizes); i++) {
            int64_t classifier;
            nw_graph *graph = build(first, end, sizes[i], &classifier);
            nw_counts counts;
            nw_graph_count(graph, &counts);
            ck_assert_msg(counts.macs + classifier == macs_of_list(first, end, sizes[i]),
                          "%s at %d: %lld", csv_text(&layers, first, "model"), sizes[i],
                          (long long)(counts.macs + classifier));
            nw_graph_free(graph);
        }
    }
    ck_assert_int_eq(n, 20);
    csv_free(&layers);
}
END_TEST

/* Published MACs in millions, some rounded and some cut off, and parameters (weights of 1001
 * classes, normalisation left out), from the model zoo of MobileNetV2; the README of the list has
 * MobileNetEdgeTPU. */
START_TEST(published_counts_are_met)
{
    int first, end, n = 0;
    if (!load_facts())
        return;
    ck_assert(csv_load(&models, shared_path(FACTS "models.csv")));
    for (int row = 0; row < models.n_rows; row++) {
        const char *name = csv_text(&models, row, "model");
        double macs_m = csv_number(&models, row, "macs_m");
        double params_m = csv_number(&models, row, "params_m");
        for (int i = 0; find_model(i, &first, &end); i++) {
            int64_t classifier;
            nw_counts counts;
            if (strcmp(csv_text(&layers, first, "model"), name) != 0 || isnan(macs_m))
                continue;
            nw_graph *graph =
                build(first, end, (int)csv_number(&models, row, "input"), &classifier);
            nw_graph_count(graph, &counts);
            nw_graph_free(graph);
            double ours = (double)(counts.macs + classifier) / 1e6;
            ck_assert_msg(ours >= macs_m - 0.5 && ours < macs_m + 1, "%s at %s: %.2f M, not %.0f",
                          name, csv_text(&models, row, "input"), ours, macs_m);
            ours = (double)(counts.weight_params + classifier) / 1e6;
            ck_assert_msg(fabs(ours - params_m) <= 0.0051, "%s: %.4f M parameters, not %.2f", name,
                          ours, params_m);
            n++;
        }
    }
    printf("%d published networks\n", n);
    ck_assert_int_ge(n, 20);
    ck_assert(find_model(0, &first, &end));
    ck_assert_str_eq(csv_text(&layers, first, "model"), "MobileNetEdgeTPU-dm1.0");
    ck_assert_double_le(fabs((double)macs_of_list(first, end, 224) / 1e6 - 990), 1.5);
    csv_free(&models);
    csv_free(&layers);
}
END_TEST

/* ---- lifting ---- */

static nw_block_kind kind_of(int row)
{
    bool is_grouped = number(row, "groups_or_ranks") > 1;
    if (is_block(row, "fused"))
        return is_grouped ? NW_BLOCK_FUSED_GROUPED : NW_BLOCK_FUSED;
    if (is_separable(row))
        return NW_BLOCK_DSEP;
    if (is_block(row, "ibn"))
        return NW_BLOCK_IBN;
    return is_block(row, "tucker") ? NW_BLOCK_TUCKER : NW_BLOCK_CONV;
}

static void check_block(const nw_block *block, int row)
{
    char text[128];
    bool expands = is_block(row, "fused") || (is_block(row, "ibn") && !is_separable(row));
    nw_block_text(block, text, sizeof text);
#define CHECK(condition)                                                                           \
    ck_assert_msg(condition, "%s %s: %s, not %s", csv_text(&layers, row, "model"),                 \
                  csv_text(&layers, row, "index"), #condition, text)
    CHECK(block->kind == kind_of(row) ||
          (is_block(row, "conv") && block->kind == NW_BLOCK_HEAD)); /* the end of a text */
    CHECK(block->in_c == number(row, "cin"));
    CHECK(block->out_c == number(row, "cout"));
    CHECK(block->kernel == number(row, "kernel"));
    CHECK(block->stride == number(row, "stride"));
    CHECK(!expands || block->mid_c == number(row, "mid"));
    CHECK(!is_block(row, "fused") || block->groups == number(row, "groups_or_ranks"));
    CHECK(is_block(row, "conv") || is_block(row, "stem") ||
          block->has_residual == (number(row, "residual") != 0));
    if (is_block(row, "tucker")) {
        int64_t rank_in, rank_out;
        read_ranks(row, &rank_in, &rank_out);
        CHECK(block->mid_c == rank_in && block->rank_out == rank_out);
    }
#undef CHECK
}

START_TEST(lifting_finds_the_blocks_of_the_list)
{
    int first, end;
    if (!load_facts())
        return;
    for (int i = 0; find_model(i, &first, &end); i++) {
        int64_t classifier;
        int n_blocks;
        const nw_arch *arch = nw_arch_lift(build(first, end, 224, &classifier));
        const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
        int n_rows = end - first - (classifier > 0);
        ck_assert_msg(n_blocks == n_rows, "%s: %d blocks, %d rows",
                      csv_text(&layers, first, "model"), n_blocks, n_rows);
        for (int k = 0; k < n_rows; k++)
            check_block(&blocks[k], first + k);
        ck_assert_double_eq(nw_arch_recognised(arch), 1);
        nw_arch_release(arch);
    }
    csv_free(&layers);
}
END_TEST

static Suite *facts_suite(void)
{
    Suite *suite = suite_create("edge_facts");
    TCase *test = tcase_create("edge_facts");
    tcase_set_timeout(test, 60);
    tcase_add_test(test, every_listed_network_has_the_products_of_its_list);
    tcase_add_test(test, published_counts_are_met);
    tcase_add_test(test, lifting_finds_the_blocks_of_the_list);
    suite_add_tcase(suite, test);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(facts_suite());
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
