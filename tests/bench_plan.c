/* Compiled plans on one core, beside the full path. The space is that of MobileNetV2's blocks at
 * 224 x 224 (20 of them): the channels of every stage, and kind, kernel and expansion of every
 * inverted bottleneck.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/format/format.h"
#include "src/plan/plan.h"
#include "tests/bench.h"
#include "tests/support.h"

static const char network[] = "cn_r1_k3_s2_c32; ds_r1_k3_s1_c16; ir_r2_k3_s2_e6_c24; "
                              "ir_r3_k3_s2_e6_c32; ir_r4_k3_s2_e6_c64; ir_r3_k3_s1_e6_c96; "
                              "ir_r3_k3_s2_e6_c160; ir_r1_k3_s1_e6_c320; cn_r1_k1_s1_c1280";

enum { BATCH = 4096, MOVES = 20000000 };

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static bool failed(nw_status status, const nw_error *err)
{
    if (status != NW_OK)
        printf("  %s: %s\n", err->where, err->message);
    return status != NW_OK;
}

static const nw_arch *load_network(const char *text)
{
    nw_graph *graph;
    nw_error err;
    nw_input_size size = {"", {4, {1, 3, 224, 224}}};
    bool is_demo = strcmp(text, "demo") == 0;
    if (failed(nw_model_load(text, is_demo ? NULL : &size, is_demo ? 0 : 1, &graph, &err), &err))
        return NULL;
    return nw_arch_lift(graph);
}

static bool add_each(nw_space *space, nw_dim_kind kind, const char *where, const char *const *texts,
                     int n)
{
    nw_option options[16];
    nw_error err;
    for (int i = 0; i < n; i++)
        if (failed(nw_option_read(kind, texts[i], &options[i], &err), &err))
            return false;
    nw_dim_spec spec = {
        .kind = kind, .where = where, .options = options, .n_options = n, .each = true};
    return !failed(nw_space_add(space, &spec, &err), &err);
}

/* Channels of a stage: eight steps from half to one and a half. */
static bool add_channels(nw_space *space, const nw_arch *arch)
{
    static const double factors[] = {0.5, 0.625, 0.75, 0.875, 1, 1.125, 1.25, 1.5};
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < n; i++) {
        char where[16], text[8][16];
        const char *texts[8];
        int n_texts = 0;
        if (blocks[i].index || i == n - 1 || blocks[i].kind > NW_BLOCK_BOTTLENECK)
            continue;
        for (int k = 0; k < 8; k++) {
            int64_t c = llround(factors[k] * (double)blocks[i].out_c / 8) * 8;
            snprintf(text[n_texts], sizeof *text, "%lld", (long long)c);
            if (n_texts && strcmp(text[n_texts], text[n_texts - 1]) == 0)
                continue;
            texts[n_texts] = text[n_texts];
            n_texts++;
        }
        snprintf(where, sizeof where, "%d", blocks[i].stage);
        if (!add_each(space, NW_DIM_CHANNELS, where, texts, n_texts))
            return false;
    }
    return true;
}

static const nw_space *make_space(void)
{
    static const char *const kinds[] = {"ibn", "fused"}, *const kernels[] = {"3", "5"},
                             *const expansions[] = {"3", "4", "6"};
    nw_error err;
    const nw_arch *arch = load_network(network);
    if (!arch)
        return NULL;
    nw_space *space = nw_space_new("bench", arch);
    bool is_fine = add_channels(space, arch) && add_each(space, NW_DIM_VARIANT, "ibn", kinds, 2) &&
                   add_each(space, NW_DIM_KERNEL, "ibn", kernels, 2) &&
                   add_each(space, NW_DIM_EXPANSION, "ibn", expansions, 3) &&
                   !failed(nw_space_seal(space, &err), &err);
    nw_arch_release(arch);
    if (!is_fine)
        nw_space_release(space);
    return is_fine ? space : NULL;
}

/* ---- what is timed ---- */

static void report(const char *what, double ms, double n, double goal)
{
    double rate = n / ms * 1e3;
    printf("  %-46s %9.2f M/s", what, rate / 1e6);
    if (goal > 0)
        printf("  goal %.0f", goal);
    printf("   %.1f ns each\n", 1e6 * ms / n);
}

static void time_full(const nw_plan *plan)
{
    enum { RUNS = 300 };
    const nw_space *space = nw_plan_space(plan);
    uint16_t *genome = calloc((size_t)nw_space_n_dims(space), sizeof *genome);
    nw_realiser *realiser = nw_realiser_new(space);
    nw_rng rng = nw_rng_make(1, 1);
    double start = cpu_ms();
    for (int i = 0; i < RUNS; i++) {
        const nw_arch *arch;
        nw_totals totals;
        nw_space_random(space, &rng, genome);
        if (nw_realiser_make(realiser, genome, &arch, NULL) != NW_OK)
            continue;
        if (nw_totals_of(arch, nw_plan_hw(plan), nw_plan_estimator(plan), NULL, &totals, NULL) !=
            NW_OK)
            printf("  no totals\n");
        nw_arch_release(arch);
    }
    double ms = cpu_ms() - start;
    printf("  %-46s %9.0f networks/s   %.0f us each\n", "the full path, random genomes",
           RUNS / ms * 1e3, 1e3 * ms / RUNS);
    nw_realiser_free(realiser);
    free(genome);
}

static void time_random(nw_plan *plan)
{
    enum { ROUNDS = 500 };
    const nw_space *space = nw_plan_space(plan);
    size_t n_dims = (size_t)nw_space_n_dims(space);
    uint16_t *genomes = calloc(BATCH * n_dims, sizeof *genomes);
    nw_totals *totals = calloc(BATCH, sizeof *totals);
    nw_rng rng = nw_rng_make(2, 1);
    double ms[2];
    int64_t n_good = 0;
    for (int alone = 0; alone < 2; alone++) {
        double start = cpu_ms();
        for (int i = 0; i < ROUNDS; i++)
            n_good += alone ? nw_plan_evaluate_many(plan, genomes, BATCH, totals, NULL, NULL)
                            : nw_plan_sample(plan, &rng, BATCH, genomes, totals, NULL, NULL);
        ms[alone] = cpu_ms() - start;
    }
    report("random genomes, sampled and evaluated", ms[0], ROUNDS * BATCH, 10);
    report("  evaluated alone", ms[1], ROUNDS * BATCH, 0);
    if (n_good < 2 * ROUNDS * BATCH)
        printf("  %lld made no network\n", (long long)(2 * ROUNDS * BATCH - n_good));
    free(genomes);
    free(totals);
}

typedef struct one_move {
    int16_t dim, option;
} one_move;

static void time_moves(nw_plan *plan, bool is_of_blocks, const char *what, double goal)
{
    enum { PREPARED = 1 << 16 };
    const nw_space *space = nw_plan_space(plan);
    int n_dims;
    const nw_dim *dims = nw_space_dims(space, &n_dims);
    nw_rng rng = nw_rng_make(3, 1);
    one_move *moves = calloc(PREPARED, sizeof *moves);
    uint16_t *genome = calloc((size_t)n_dims, sizeof *genome);
    nw_walker *walker;
    nw_error err;
    int64_t sink = 0;
    for (int i = 0; i < PREPARED; i++)
        do {
            moves[i].dim = (int16_t)nw_rng_range(&rng, 0, n_dims - 1);
            moves[i].option = (int16_t)nw_rng_range(&rng, 0, dims[moves[i].dim].n_options - 1);
        } while (is_of_blocks && dims[moves[i].dim].kind == NW_DIM_CHANNELS);
    nw_space_random(space, &rng, genome);
    if (failed(nw_walker_new(plan, genome, &walker, &err), &err))
        return;
    for (int pass = 0; pass < 2; pass++) { /* the first fills what is missing */
        double start = cpu_ms();
        int n = pass ? MOVES : 10 * PREPARED;
        for (int i = 0; i < n; i++) {
            const one_move *m = &moves[i & (PREPARED - 1)];
            if (nw_walker_set(walker, m->dim, m->option, NULL) == NW_OK)
                sink += nw_walker_totals(walker)->latency_ps;
        }
        if (pass)
            report(what, cpu_ms() - start, n, goal);
    }
    nw_totals fresh;
    if (nw_plan_evaluate(plan, nw_walker_genome(walker), &fresh, &err) != NW_OK ||
        memcmp(&fresh, nw_walker_totals(walker), sizeof fresh) != 0 || !sink)
        printf("  the walker is wrong\n");
    nw_walker_free(walker);
    free(genome);
    free(moves);
}

static void time_plan(const nw_space *space, const char *hw_name)
{
    nw_hw *hw;
    nw_plan *plan;
    nw_error err;
    if (failed(nw_hw_load(hw_name, "hw", &hw, &err), &err))
        return;
    double start = cpu_ms();
    if (failed(nw_plan_new(space, hw, nw_estimator_device(), NULL, NULL, &plan, &err), &err))
        return;
    double made = cpu_ms();
    int64_t n_full = nw_plan_get_stats(plan).n_full;
    int n_cells;
    printf("\ncompiled plans: %d genes on %s, one core\n", nw_space_n_dims(space), hw_name);
    if (failed(nw_plan_warm(plan, 100000, NULL, &err), &err))
        return;
    double warm = cpu_ms();
    nw_plan_stats stats = nw_plan_get_stats(plan);
    (void)nw_plan_cells(plan, &n_cells);
    printf("  found what %d cells depend on in %.0f ms, %lld looks\n", n_cells, made - start,
           (long long)n_full);
    printf("  filled the tables in %.0f ms: %.0f fills/s, %.1f MiB; %s\n", warm - made,
           1e3 * (double)(stats.n_full - n_full) / (warm - made), (double)stats.n_bytes / 1048576,
           stats.is_exact ? "exact" : stats.caught);
    time_full(plan);
    time_random(plan);
    time_moves(plan, false, "single genes of any kind moved", 30);
    time_moves(plan, true, "genes of one block moved", 100);
    nw_plan_free(plan);
    nw_hw_free(hw);
}

/* ---- a slice ---- */

static void time_slice(void)
{
    enum { SIDE = 256 };
    nw_hw *hw;
    nw_plan *plan;
    nw_error err;
    const nw_arch *arch = load_network("demo");
    nw_space *space = arch ? nw_space_new("slice", arch) : NULL;
    nw_option *options = calloc(SIDE, sizeof *options);
    uint16_t *genomes = calloc((size_t)SIDE * SIDE * 2, sizeof *genomes);
    nw_totals *totals = calloc((size_t)SIDE * SIDE, sizeof *totals);
    for (int i = 0; i < SIDE; i++)
        options[i].n = i + 1;
    nw_dim_spec spec = {
        .kind = NW_DIM_CHANNELS, .where = "3", .options = options, .n_options = SIDE};
    nw_dim_spec other = spec;
    other.where = "4";
    if (!space || failed(nw_space_add(space, &spec, &err), &err) ||
        failed(nw_space_add(space, &other, &err), &err) ||
        failed(nw_space_seal(space, &err), &err) ||
        failed(nw_hw_load("ne32", "hw", &hw, &err), &err))
        return;
    if (failed(nw_plan_new(space, hw, nw_estimator_device(), NULL, NULL, &plan, &err), &err))
        return;
    for (int i = 0; i < SIDE * SIDE; i++) {
        genomes[2 * i] = (uint16_t)(i / SIDE);
        genomes[2 * i + 1] = (uint16_t)(i % SIDE);
    }
    printf("\n256 x 256 points of the detector over the widths of two stages, ne32, one core\n");
    for (int pass = 0; pass < 3; pass++) {
        double start = cpu_ms();
        int64_t n = nw_plan_evaluate_many(plan, genomes, SIDE * SIDE, totals, NULL, NULL);
        double ms = cpu_ms() - start;
        if (pass != 1)
            printf("  %-46s %9.1f ms%s   %lld networks\n", pass ? "after warm-up" : "at first", ms,
                   pass ? "  goal 100" : "", (long long)n);
    }
    nw_plan_free(plan);
    nw_hw_free(hw);
    nw_space_release(space);
    nw_arch_release(arch);
    free(options);
    free(genomes);
    free(totals);
}

void bench_plan(void)
{
    const nw_space *space = make_space();
    if (!space)
        return;
    time_plan(space, "ne64");
    time_plan(space, "ne32");
    nw_space_release(space);
    time_slice();
}
