/* The layer lists of Google's Edge TPU networks (../shared/data/edge_tpu_facts): written as block
 * strings, and made layer by layer, they have the multiply-accumulates and weights that their
 * authors publish, and lifting finds the blocks of the list again. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/arch.h"
#include "src/layer/layer.h"
#include "tests/support_edge.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

static edge_facts facts;

static bool load_facts(void)
{
    return edge_load(&facts);
}

static int64_t number(int row, const char *column)
{
    return edge_number(&facts, row, column);
}

static bool is_block(int row, const char *name)
{
    return edge_is(&facts, row, name);
}

static bool is_separable(int row)
{
    return edge_is_separable(&facts, row);
}

static bool find_model(int index, int *first, int *end)
{
    return edge_find(&facts, index, first, end);
}

static nw_graph *write_strings(int first, int end, int size, int64_t *classifier)
{
    return edge_build(&facts, first, end, size, classifier);
}

/* ---- layer by layer ---- */

static void add_row(nw_layers *network, int row)
{
    nw_layer layer = {.c = number(row, "cout"),
                      .kernel = number(row, "kernel"),
                      .stride = number(row, "stride"),
                      .mid_c = number(row, "mid"),
                      .no_residual = !number(row, "residual")};
    if (is_block(row, "stem") || is_block(row, "conv")) {
        layer.mid_c = 0;
        nw_layer_conv(network, &layer);
    } else if (is_block(row, "fused") && number(row, "groups_or_ranks") > 1) {
        layer.group_c = layer.mid_c / number(row, "groups_or_ranks");
        nw_layer_block(network, NW_BLOCK_FUSED_GROUPED, &layer);
    } else if (is_block(row, "fused")) {
        nw_layer_block(network, NW_BLOCK_FUSED, &layer);
    } else if (is_block(row, "tucker")) {
        edge_ranks(&facts, row, &layer.rank_in_c, &layer.rank_out_c);
        nw_layer_block(network, NW_BLOCK_TUCKER, &layer);
    } else {
        if (is_separable(row))
            layer.mid_c = number(row, "cin");
        nw_layer_block(network, NW_BLOCK_IBN, &layer);
    }
}

static nw_graph *add_layers(int first, int end, int size, int64_t *classifier)
{
    nw_layers *network = nw_layers_new("facts", size, size, 3, NW_OP_RELU6);
    nw_graph *graph = NULL;
    nw_error err;
    *classifier = 0;
    for (int row = first; row < end; row++) {
        if (is_block(row, "fc"))
            *classifier = number(row, "cin") * number(row, "cout");
        else
            add_row(network, row);
    }
    if (nw_layers_end(network, &graph, &err) != NW_OK ||
        nw_graph_seal(graph, NULL, 0, &err) != NW_OK)
        ck_abort_msg("%s: %s: %s", csv_text(&facts.layers, first, "model"), err.where, err.message);
    return graph;
}

/* Both ways to make a listed network. */
static nw_graph *(*const ways[])(int first, int end, int size,
                                 int64_t *classifier) = {write_strings, add_layers};

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
            edge_ranks(&facts, row, &rank_in, &rank_out);
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
            nw_graph *graph = ways[_i](first, end, sizes[i], &classifier);
            nw_counts counts;
            nw_graph_count(graph, &counts);
            ck_assert_msg(counts.macs + classifier == macs_of_list(first, end, sizes[i]),
                          "%s at %d: %lld", csv_text(&facts.layers, first, "model"), sizes[i],
                          (long long)(counts.macs + classifier));
            nw_graph_free(graph);
        }
    }
    ck_assert_int_eq(n, 20);
    edge_fini(&facts);
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
    for (int row = 0; row < facts.models.n_rows; row++) {
        const char *name = csv_text(&facts.models, row, "model");
        double macs_m = csv_number(&facts.models, row, "macs_m");
        double params_m = csv_number(&facts.models, row, "params_m");
        for (int i = 0; find_model(i, &first, &end); i++) {
            int64_t classifier;
            nw_counts counts;
            if (strcmp(csv_text(&facts.layers, first, "model"), name) != 0 || isnan(macs_m))
                continue;
            nw_graph *graph =
                ways[_i](first, end, (int)csv_number(&facts.models, row, "input"), &classifier);
            nw_graph_count(graph, &counts);
            nw_graph_free(graph);
            double ours = (double)(counts.macs + classifier) / 1e6;
            ck_assert_msg(ours >= macs_m - 0.5 && ours < macs_m + 1, "%s at %s: %.2f M, not %.0f",
                          name, csv_text(&facts.models, row, "input"), ours, macs_m);
            ours = (double)(counts.weight_params + classifier) / 1e6;
            ck_assert_msg(fabs(ours - params_m) <= 0.0051, "%s: %.4f M parameters, not %.2f", name,
                          ours, params_m);
            n++;
        }
    }
    printf("%d published networks\n", n);
    ck_assert_int_ge(n, 20);
    ck_assert(find_model(0, &first, &end));
    ck_assert_str_eq(csv_text(&facts.layers, first, "model"), "MobileNetEdgeTPU-dm1.0");
    ck_assert_double_le(fabs((double)macs_of_list(first, end, 224) / 1e6 - 990), 1.5);
    edge_fini(&facts);
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
    ck_assert_msg(condition, "%s %s: %s, not %s", csv_text(&facts.layers, row, "model"),           \
                  csv_text(&facts.layers, row, "index"), #condition, text)
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
        edge_ranks(&facts, row, &rank_in, &rank_out);
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
        const nw_arch *arch = nw_arch_lift(ways[_i](first, end, 224, &classifier));
        const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
        int n_rows = end - first - (classifier > 0);
        ck_assert_msg(n_blocks == n_rows, "%s: %d blocks, %d rows",
                      csv_text(&facts.layers, first, "model"), n_blocks, n_rows);
        for (int k = 0; k < n_rows; k++)
            check_block(&blocks[k], first + k);
        ck_assert_double_eq(nw_arch_recognised(arch), 1);
        nw_arch_release(arch);
    }
    edge_fini(&facts);
}
END_TEST

static Suite *facts_suite(void)
{
    Suite *suite = suite_create("edge_facts");
    TCase *test = tcase_create("edge_facts");
    tcase_set_timeout(test, 60);
    tcase_add_loop_test(test, every_listed_network_has_the_products_of_its_list, 0, N_OF(ways));
    tcase_add_loop_test(test, published_counts_are_met, 0, N_OF(ways));
    tcase_add_loop_test(test, lifting_finds_the_blocks_of_the_list, 0, N_OF(ways));
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
