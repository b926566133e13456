/* The page of `make accuracy`, in parts that are never mixed: fidelity, against other people's
 * figures, and self-consistency, regressions against the simulated device; beside each figure
 * stands what a trivial answer scores. Last, how much of real networks lifting recognises, what
 * scores are worth, and what curating a space costs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/engine.h"
#include "src/estimator/estimator.h"
#include "src/format/format.h"

#include "tests/referee_cpu.h"
#include "tests/referee_curate.h"
#include "tests/referee_foreign.h"
#include "tests/referee_fused.h"
#include "tests/referee_scalesim.h"
#include "tests/referee_score.h"
#include "tests/referee_self.h"
#include "tests/referee_silicon.h"
#include "tests/referee_vela.h"
#include "tests/support_models.h"

#define SELF_NETWORKS 100

static nw_hw *load(const char *name)
{
    nw_hw *hw = NULL;
    nw_error err;
    if (nw_hw_load(name, "hw", &hw, &err) != NW_OK) {
        fprintf(stderr, "%s: %s\n", err.where, err.message);
        return NULL;
    }
    return hw;
}

static void print_scalesim(void)
{
    static const char *const files[] = {"golden", "sweep", "nets", "user"};
    nw_hw *hw = load("systolic16-ws");
    printf("Systolic arrays: cycles of SCALE-Sim v3 without stalls (goal: equal)\n");
    for (size_t i = 0; hw && i < sizeof files / sizeof *files; i++) {
        scalesim_score score;
        if (scalesim_score_file(hw, files[i], &score) && score.n)
            printf("  %-8s %4d of %4d rows equal %s\n", files[i], score.n_equal, score.n,
                   score.first_wrong);
    }
    nw_hw_free(hw);
}

static void print_vela(const char *chip)
{
    static const struct {
        vela_kind kind;
        const char *name;
        double own_goal;
    } kinds[] = {{VELA_CONV, "conv", 8}, {VELA_DW, "depthwise", 8}, {VELA_FC, "fc", 10}};
    nw_hw *hw = load(chip);
    if (!hw)
        return;
    printf("\n%s: compute cycles of Vela 3.10, mean error in percent\n", chip);
    printf("  %-10s %5s  %-18s %-18s %-10s %s\n", "", "rows", "Vela's tile (goal)",
           "own tile (goal)", "max(mac,out)", "own tile / Vela's: median (1.02), 95th (1.15)");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        vela_score s;
        if (vela_score_kind(hw, chip, kinds[i].kind, &s))
            printf("  %-10s %5d  %6.2f (5)%9s %6.2f (%.0f)%9s %6.1f       %.3f %.3f\n",
                   kinds[i].name, s.n, s.given_tile, "", s.own_tile, kinds[i].own_goal, "",
                   s.trivial, s.tile_median, s.tile_p95);
    }
    vela_steps steps;
    if (vela_score_steps(hw, chip, &steps))
        printf(
            "  steps of the sweeps over 5 %%: %d; same direction %.1f %% (97), tile-free %.1f %%\n",
            steps.n, steps.same_way, steps.trivial);
    vela_totals totals;
    if (vela_score_totals(hw, chip, &totals))
        printf("  network totals: %d; Spearman %.3f (.97), error after a factor of %.2f: %.1f %% "
               "(20)\n    with weights that compress as theirs do %.3f, %.1f %%; MACs alone %.3f, "
               "%.1f %%\n",
               totals.n, totals.spearman, totals.factor, totals.mape, totals.encoded_spearman,
               totals.encoded_mape, totals.macs_spearman, totals.macs_mape);
    nw_hw_free(hw);
}

static void print_choice(const char *what, const fused_choice *ours, const fused_choice *never)
{
    printf("  %-10s %-14s %5.1f %% (85)   %5.2f %% (3)     %5.1f %%  %5.2f %%\n", "", what,
           ours->balanced, ours->lost, never->plain, never->lost);
}

static void print_fused(void)
{
    static const char *const chips[] = {"u55-256", "u65-512", "u85-1024"};
    printf(
        "\nFused inverted bottleneck or plain, by Vela's cycles of the same blocks (u85-1024: Vela "
        "5.1)\n  %-25s %-14s %-16s %s\n",
        "", "balanced", "latency lost", "IBN always: right, latency lost");
    for (size_t i = 0; i < sizeof chips / sizeof *chips; i++) {
        fused_score s;
        nw_hw *hw = load(chips[i]);
        if (hw && fused_score_chip(hw, chips[i], &s)) {
            printf("  %-10s %d pairs, fused is faster in %d\n", chips[i], s.n, s.n_fused);
            print_choice("whole blocks", &s.total, &s.never);
            print_choice("the array", &s.compute, &s.never_computed);
        }
        nw_hw_free(hw);
    }
}

static void print_silicon(void)
{
    nw_hw *hw = load("dpu-b4096");
    if (!hw)
        return;
    printf("\nSilicon: measured latency on a DPU (ZCU102, Accel-NASBench), dpu-b4096 from its "
           "public documentation\n");
    printf("  %-36s %5s  %-16s %-14s %-12s %s\n", "", "rows", "Spearman (goal)", "raw error %",
           "after affine", "MACs alone  streamed");
    for (int with_se = 0; with_se < 2; with_se++) {
        silicon_score s;
        if (silicon_score_rows(hw, with_se, &s))
            printf("  %-36s %5d  %.3f (%s)%6s %5.1f %8s %5.1f %6s %.3f       %.3f\n",
                   with_se ? "all, host constants partly fitted" : "without squeeze-and-excite",
                   s.n, s.spearman, with_se ? ".95" : ".97", "", s.mape, "", s.mape_affine, "",
                   s.macs_spearman, s.streamed_spearman);
    }
    printf("  streamed: max(compute, bytes / 16) a kernel, every map through DRAM\n");
    printf(
        "  calibrated on a random tenth of the rows: factors for array cycles by kind of kernel, "
        "for host elements, and a time an inference; five splits\n");
    for (int with_se = 0; with_se < 2; with_se++) {
        silicon_calibrated s;
        if (silicon_score_calibrated(hw, with_se, &s))
            printf("  %-36s %5d  error %.1f %% (%s), worst split %.1f; Spearman %.3f; an affine "
                   "step %.1f %%, MACs %.1f %%\n",
                   with_se ? "all" : "without squeeze-and-excite", s.n_test, s.mape,
                   with_se ? "no goal" : "4", s.worst_mape, s.spearman, s.affine_mape, s.macs_mape);
    }
    nw_hw_free(hw);
}

/* Cycles of a network in a summary of Vela's; NAN if it is not there. */
static double vela_cycles(const csv *summary, const char *network, const char *config)
{
    for (int row = 0; row < summary->n_rows; row++)
        if (strcmp(csv_text(summary, row, "network"), network) == 0 &&
            strcmp(csv_text(summary, row, "hw"), config) == 0)
            return csv_number(summary, row, "total_cycles");
    return NAN;
}

static double our_cycles(const char *model, const nw_hw *hw)
{
    char name[128];
    snprintf(name, sizeof name, "models/%s", model);
    const char *path = shared_path(name);
    nw_graph *graph;
    nw_estimate estimate;
    nw_error err;
    if (!path || nw_model_load(path, NULL, 0, &graph, &err) != NW_OK)
        return NAN;
    double cycles = NAN;
    if (nw_estimate_graph(nw_estimator_device(), graph, hw, NULL, &estimate, &err) == NW_OK) {
        cycles = (double)estimate.latency_ps * hw->clock_hz / 1e12;
        nw_estimate_fini(&estimate);
    }
    nw_graph_free(graph);
    return cycles;
}

/* From the file to the total, our kernels, tiles and placement against Vela's. No goal: Vela
 * compresses weights, caches feature maps from DRAM (U65, U85) and picks the micro-block per
 * operator (U85), none of which a description can express. */
static void print_whole_files(void)
{
    static const struct {
        const char *model, *network;
    } rows[] = {{"mlperf_tiny_resnet_int8.tflite", "pretrainedResnet_quant"},
                {"mlperf_tiny_vww_96_int8.tflite", "vww_96_int8"},
                {"person_detect.tflite", "person_detect"},
                {"mobilenet_v1_0.25_128_quant.tflite", "mobilenet_v1_0.25_128_quant"},
                {"mobilenet_v2_1.0_224_quant.tflite", "mobilenet_v2_1.0_224_quant"},
                {"deeplabv3_mnv2_dm05_pascal_quant.tflite", "deeplabv3_mnv2_dm05_pascal_quant"}};
    static const struct {
        const char *hw, *config, *summary;
    } chips[] = {{"u55-128", "u55-128_hi", "data/vela310/networks_summary.csv"},
                 {"u55-256", "u55-256_hi", "data/vela310/networks_summary.csv"},
                 {"u65-512", "u65-512_cs", "data/vela310/networks_summary.csv"},
                 {"u85-1024", "u85-1024_high", "data/vela510/networks_summary.csv"}};
    enum { N_ROWS = sizeof rows / sizeof *rows, N_CHIPS = sizeof chips / sizeof *chips };
    printf("\nWhole files: our total cycles / Vela's (no goal; u65 and u85 are approximations)\n  "
           "%-42s",
           "");
    for (int k = 0; k < N_CHIPS; k++)
        printf("%10s", chips[k].hw);
    for (int i = 0; i < N_ROWS; i++) {
        printf("\n  %-42s", rows[i].model);
        for (int k = 0; k < N_CHIPS; k++) {
            csv summary;
            const char *path = shared_path(chips[k].summary);
            nw_hw *hw = load(chips[k].hw);
            if (path && hw && csv_load(&summary, path)) {
                double ratio = our_cycles(rows[i].model, hw) /
                               vela_cycles(&summary, rows[i].network, chips[k].config);
                if (isnan(ratio))
                    printf("%10s", "-"); /* not among Vela's rows */
                else
                    printf("%10.2f", ratio);
                csv_free(&summary);
            }
            nw_hw_free(hw);
        }
    }
    printf("\n");
}

/* ---- regressions on other people's measurements ---- */

static void print_phones(void)
{
    static const struct {
        const char *name;
        double op_goal;
        int n_splits;
    } phones[] = {{"pixel4", 6.0, 5}, {"s10", 8.5, 5},   {"mi8se", 0, 3},
                  {"a03s", 0, 3},     {"iphone7", 0, 3}, {"iphonexs", 0, 3}};
    printf("\nPhone GPUs (mobile_gpu, TensorFlow Lite): random splits by network, four fifths for "
           "training; mean error %%, +- spread of the splits\n"
           "  %-10s %6s  %-22s %-10s  %-16s %-16s %s\n",
           "", "splits", "operators (goal)", "MACs alone", "networks", "measured ops",
           "FLOPs alone");
    for (size_t i = 0; i < sizeof phones / sizeof *phones; i++) {
        phone_score s;
        char goal[16] = "";
        if (!score_phone(phones[i].name, phones[i].n_splits, &s))
            return;
        if (phones[i].op_goal > 0)
            snprintf(goal, sizeof goal, "(%.1f)", phones[i].op_goal);
        printf("  %-10s %6d  %5.1f +-%4.1f %-9s %5.1f      %5.1f +-%4.1f     %5.1f +-%4.1f     "
               "%5.1f\n",
               phones[i].name, s.n_splits, s.op.mean, s.op.spread, goal, s.macs.mean,
               s.network.mean, s.network.spread, s.floor.mean, s.floor.spread, s.flops.mean);
    }
    printf("  networks: sums of predicted operators after an affine step learned on training "
           "networks; goal: within 1 point of\n  the same step on *measured* operators, the floor. "
           "A random forest on a split of its own: pixel4 6.9, s10 9.0.\n");
}

static void print_v100(void)
{
    static const struct {
        const char *target;
        double goal, raw;
    } rows[] = {{"int8_ms", 5.0, 5.8}, {"fp16_ms", 8.5, 9.8}};
    printf("\nV100 with TensorRT (v100_conv): a fifth of the shapes held out\n");
    for (size_t i = 0; i < 2; i++) {
        v100_score s;
        if (score_v100(rows[i].target, &s))
            printf("  %-8s %5d rows: error %.1f %% (%.1f; XGBoost on the raw columns %.1f, MACs "
                   "alone %.0f); steps of channels over 5 %%: %d, precision %.0f %%, recall %.0f "
                   "%% of the sign\n",
                   rows[i].target, s.n_test, s.mape, rows[i].goal, rows[i].raw, s.macs_mape,
                   s.n_steps, s.precision, s.recall);
    }
}

static void print_vela_fits(void)
{
    static const char *const chips[][2] = {
        {"vela310", "u55-128_hi"}, {"vela310", "u55-256_hi"},  {"vela310", "u65-256_mid"},
        {"vela310", "u65-512_cs"}, {"vela510", "u85-256_mid"}, {"vela510", "u85-1024_high"}};
    printf("\nVela's totals (cyc_total) by regressions: single operators, a fifth held out (goal 5 "
           "%%); whole networks summed (goal 10 %%)\n  which maps live in DRAM is Vela's own "
           "allocation, "
           "and an input here\n");
    for (size_t i = 0; i < sizeof chips / sizeof *chips; i++) {
        vela_fit_score s;
        if (!score_vela_fit(chips[i][0], chips[i][1], &s))
            continue;
        printf("  %-14s operators %5.1f %% of %d (MACs alone %.0f)", chips[i][1], s.ops, s.n_ops,
               s.ops_macs);
        if (s.n_networks)
            printf(";  networks %5.1f %% of %d, %.1f %% with the sizes that weights compress to",
                   s.networks, s.n_networks, s.encoded);
        printf("\n");
    }
    printf(
        "\nWhich granularity: blocks of vela310 held out by sweep, error %% of the whole block's "
        "total\n");
    for (size_t i = 0; i < 4; i++) {
        granularity_score g;
        if (score_granularity(chips[i][1], &g))
            printf("  %-14s operators measured alone %5.1f, in place %5.1f, whole blocks %5.1f; "
                   "MACs alone %5.1f (%d for training, %d held out)\n",
                   chips[i][1], g.alone, g.in_place, g.whole, g.macs, g.n_train, g.n_test);
    }
}

/* This machine: networks timed whole against the sum of predicted kernels. Never asserted. */
static void print_cpu(void)
{
    printf("\nThis CPU (oneDNN, one thread): networks timed whole against the sum of predictions "
           "(goal 10 %% on a quiet machine)\n");
    fflush(stdout);
    cpu_print_networks();
}

/* ---- self-consistency ---- */

static void print_self(void)
{
    int n;
    char **names = nw_hw_names("hw", &n);
    printf("\nSELF-CONSISTENCY: regressions against the simulated device that they learned from "
           "(build/estimators)\n"
           "  held out: %d random networks under another seed; real: every file of shared/models; "
           "errors in %%\n"
           "  %-14s %-15s %-17s %-8s %-19s %-22s %-20s %s\n",
           SELF_NETWORKS, "", "kernels (5)", "networks (3)", "worst", "variants: Spearman",
           "steps the same way", "90 % bands hold", "extrapolated");
    printf("  %-14s %-15s %-17s %-8s %-19s %-22s %-20s\n", "", "held out  real", "held out  real",
           "real", "(.99), MACs alone", "(95), MACs alone", "total  difference");
    for (int i = 0; i < n; i++) {
        nw_hw *hw = load(names[i]);
        const nw_estimator *e = hw ? self_estimator(hw) : NULL;
        self_score random, real = {0};
        self_variants v;
        self_steps steps;
        if (e) {
            self_score_random(e, hw, SELF_NETWORKS, &random);
            self_score_models(e, hw, &real);
            self_score_variants(e, hw, &v);
            self_score_steps(e, hw, &steps);
            printf("  %-14s %5.1f %7.1f   %5.1f %7.1f     %5.1f    %.4f  %.4f      %5.1f  %5.1f "
                   "(%3d)      %3.0f %%  %3.0f %%         %.1f %%\n",
                   names[i], random.kernel_mape, real.kernel_mape, random.network_mape,
                   real.network_mape, real.worst_network, v.spearman, v.macs_spearman,
                   steps.same_way, steps.macs_same_way, steps.n,
                   100.0 * random.n_total_inside / random.n_total_bands,
                   100.0 * random.n_pairs_inside / random.n_pairs,
                   100.0 * random.n_outside / random.n_kernels);
        }
        nw_estimator_release(e);
        nw_hw_free(hw);
    }
    nw_hw_names_free(names, n);
}

/* Whether blocks that can be edited are found at all; those of a single convolution are recognised,
 * too, so the share of blocks of several stands beside it. */
static void print_lifting(void)
{
    int n;
    const lift_model *models = lift_models(&n);
    printf(
        "\n\nLIFTING: MACs in recognised blocks, percent (goal: 90 where inverted bottlenecks are "
        "most of the network)\n\n");
    printf("  %-46s %-14s %s\n", "", "recognised", "in blocks of several convolutions");
    for (int i = 0; i < n; i++) {
        const nw_arch *arch = lift_model_file(models[i].name);
        if (!arch)
            return;
        printf("  %-46s %5.1f %-8s %5.1f\n", models[i].name, 100 * nw_arch_recognised(arch),
               models[i].is_ibn ? "(90)" : "", 100 * lift_share_of_several(arch));
        nw_arch_release(arch);
    }
}

static void print_rank(const char *name, const char *goal, const score_rows *rows, double *column)
{
    score_rank rank = score_rank_of(rows, column, rows->accuracy);
    printf("  %-22s %6.3f %-6s %6.3f    %6.3f      %6.3f (%.3f)\n", name, rank.spearman, goal,
           rank.kendall, rank.top, rank.bands, rank.worst_band);
    free(column);
}

static void print_ranks(const char *title, const score_rows *rows, const char *default_goal,
                        const char *mae_det_goal)
{
    printf("\n%s: %d networks\n  %-22s %-13s %-9s %-11s %s\n", title, rows->n, "",
           "Spearman (goal)", "Kendall", "best tenth", "tenths by MACs: mean (worst)");
    for (int kind = 0; kind < NW_SCORE_COUNT; kind++)
        print_rank(nw_score_name((nw_score_kind)kind),
                   kind == NW_SCORE_DEFAULT   ? default_goal
                   : kind == NW_SCORE_MAE_DET ? mae_det_goal
                                              : "",
                   rows, score_column(rows, (nw_score_kind)kind));
}

static void print_edge_scores(bool is_fused, const char *title)
{
    score_rows rows;
    if (!score_rows_edge(is_fused, &rows))
        return;
    printf("\n%s: %d networks\n  %-22s %-15s %s\n", title, rows.n, "", "Spearman", "Kendall");
    for (int i = -3; i < NW_SCORE_COUNT; i++) {
        static const double credits[] = {1, 0.5, 0.25};
        char name[40] = "";
        double *column =
            i < 0 ? score_column_credit(&rows, credits[i + 3]) : score_column(&rows, i);
        if (i < 0)
            snprintf(name, sizeof name, "default, credit %g", credits[i + 3]);
        printf("  %-22s %6.3f %15.3f\n", i < 0 ? name : nw_score_name(i),
               spearman(column, rows.accuracy, rows.n), kendall(column, rows.accuracy, rows.n));
        free(column);
    }
    score_rows_fini(&rows);
}

/* What a score of form alone tells of accuracies that somebody trained for. */
static void print_scores(void)
{
    score_rows rows;
    printf("\n\nSCORES: zero-cost scores against other people's accuracies\n");
    if (score_rows_accel(1, &rows)) {
        print_ranks("Accel-NASBench, ImageNet top-1 after a reduced training", &rows, "(.88)", "");
        score_rows_fini(&rows);
    }
    if (score_rows_macro(1, &rows)) {
        print_ranks("NAS-Bench-Macro, CIFAR-10, means of three trainings", &rows, "", "(.75)");
        score_rank seeds = score_rank_of(&rows, rows.second, rows.first);
        printf("  %-22s %6.3f %-6s %6.3f    %6.3f\n", "one training, another", seeds.spearman, "",
               seeds.kendall, seeds.top);
        score_rows_fini(&rows);
    }
    print_edge_scores(true, "Published networks with fused blocks (Edge TPU), ImageNet top-1");
    print_edge_scores(false, "The same and MobileNetV2 by width and input size");
}

static void print_curation(void)
{
    lua_config config = {.data_path = "hw"};
    const nw_space_loader loader = {&config, lua_engine_load_space};
    curate_print(&loader);
}

/* No argument: everything; "curation": that part alone. */
int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "curation") == 0) {
        print_curation();
        return 0;
    }
    printf("FIDELITY: against other people's figures\n\n");
    print_scalesim();
    print_vela("u55-128");
    print_vela("u55-256");
    print_whole_files();
    print_fused();
    print_silicon();
    print_phones();
    print_v100();
    print_vela_fits();
    print_cpu();
    print_self();
    print_lifting();
    print_scores();
    print_curation();
    return 0;
}
