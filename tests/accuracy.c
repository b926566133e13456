/* The page of `make accuracy`: the device against other people's figures, and beside each what a
 * trivial answer scores. */
#include <stdio.h>

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
        if (scalesim_score_file(hw, files[i], &score))
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
           "after affine", "MACs alone");
    for (int with_se = 0; with_se < 2; with_se++) {
        silicon_score s;
        if (silicon_score_rows(hw, with_se, &s))
            printf("  %-36s %5d  %.3f (%s)%6s %5.1f %8s %5.1f %6s %.3f\n",
                   with_se ? "all, host constants partly fitted" : "without squeeze-and-excite",
                   s.n, s.spearman, with_se ? ".95" : ".97", "", s.mape, "", s.mape_affine, "",
                   s.macs_spearman);
    }
    nw_hw_free(hw);
}

int main(void)
{
    print_scalesim();
    print_vela("u55-128");
    print_vela("u55-256");
    print_silicon();
    return 0;
}
