/* The page of `make accuracy`: the device against other people's figures, and beside each what a
 * trivial answer scores. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/estimator/estimator.h"
#include "src/format/format.h"

#include "tests/referee_scalesim.h"
#include "tests/referee_silicon.h"
#include "tests/referee_vela.h"

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

int main(void)
{
    print_scalesim();
    print_vela("u55-128");
    print_vela("u55-256");
    print_whole_files();
    print_silicon();
    return 0;
}
