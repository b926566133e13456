/* From an edit to the new estimate, the kernels that it leaves alone remembered; beside reading the
 * file and estimating it with nothing remembered. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/arch/arch.h"
#include "src/estimator/estimator.h"
#include "src/format/format.h"
#include "tests/bench.h"
#include "tests/support.h"

enum { ROUNDS = 201, GOAL_US = 300, MAX_BLOCKS = 64 };

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return n ? values[n / 2] : NAN;
}

typedef struct bench_case {
    const nw_hw *hw;
    const nw_estimator *estimator;
    const nw_arch *arch;
    nw_edit edits[MAX_BLOCKS]; /* that can be done */
    int n_edits, n_kernels;
} bench_case;

static bool estimate(bench_case *c, const nw_graph *graph)
{
    nw_estimate e;
    nw_error err;
    if (nw_estimate_graph(c->estimator, graph, c->hw, NULL, &e, &err) != NW_OK) {
        printf("  %s: %s\n", err.where, err.message);
        return false;
    }
    c->n_kernels = e.kernels->n_kernels;
    nw_estimate_fini(&e);
    return true;
}

/* An edit and the estimate of what it makes, which is *out; the time of both, NAN: refused. */
static double edit_us(bench_case *c, const nw_arch *arch, const nw_edit *edit, const nw_arch **out)
{
    double start = cpu_us();
    *out = NULL;
    if (nw_arch_apply(arch, edit, 1, out, NULL, NULL) != NW_OK)
        return NAN;
    bool is_done = estimate(c, nw_arch_graph(*out));
    return is_done ? cpu_us() - start : NAN;
}

/* One edit of a kind for every block that can be edited so. */
static void find_edits(bench_case *c, nw_edit_kind kind)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(c->arch, &n);
    c->n_edits = 0;
    for (int i = 0; i < n && c->n_edits < MAX_BLOCKS; i++) {
        const nw_arch *edited;
        nw_edit *edit = &c->edits[c->n_edits];
        nw_edit_init(edit, kind);
        edit->where.first_stage = edit->where.last_stage = blocks[i].stage;
        edit->where.index = blocks[i].index;
        edit->block = NW_BLOCK_FUSED;
        edit->count = kind == NW_EDIT_KERNEL ? 7 : blocks[i].out_c + 8;
        double us = edit_us(c, c->arch, edit, &edited);
        c->n_edits += !isnan(us) && edited != c->arch;
        nw_arch_release(edited);
    }
}

/* Every round another block, and channels that no round before has seen. */
static nw_edit edit_of_round(const bench_case *c, int round)
{
    nw_edit edit = c->edits[round % c->n_edits];
    if (edit.kind == NW_EDIT_CHANNELS)
        edit.count += 8 * (round / c->n_edits);
    return edit;
}

/* Edits of one arch, whose blocks and groups are known: the "what if" of a screen. */
static double beside_each_other_us(bench_case *c)
{
    double times[ROUNDS];
    int n = 0;
    for (int i = 0; c->n_edits && i < ROUNDS; i++) {
        const nw_arch *edited;
        nw_edit edit = edit_of_round(c, i);
        times[n] = edit_us(c, c->arch, &edit, &edited);
        n += !isnan(times[n]);
        nw_arch_release(edited);
    }
    return median(times, n);
}

/* Each edit upon what the one before made: blocks and groups are found anew. */
static double upon_each_other_us(bench_case *c)
{
    double times[ROUNDS];
    const nw_arch *arch = nw_arch_retain(c->arch);
    int n = 0;
    for (int i = 0; c->n_edits && i < ROUNDS; i++) {
        const nw_arch *edited;
        nw_edit edit = edit_of_round(c, i);
        times[n] = edit_us(c, arch, &edit, &edited);
        n += !isnan(times[n]);
        if (!edited)
            continue;
        nw_arch_release(arch);
        arch = edited;
    }
    nw_arch_release(arch);
    return median(times, n);
}

static double anew_us(bench_case *c, const char *path)
{
    enum { READINGS = 21 };
    double times[READINGS];
    for (int i = 0; i < READINGS; i++) {
        nw_graph *graph;
        double start = cpu_us();
        nw_estimator_forget(c->estimator);
        if (nw_model_load(path, NULL, 0, &graph, NULL) != NW_OK)
            return NAN;
        bool is_done = estimate(c, graph);
        times[i] = is_done ? cpu_us() - start : NAN;
        nw_graph_free(graph);
    }
    return median(times, READINGS);
}

static void bench_model(bench_case *c, const char *path, const char *name)
{
    static const nw_edit_kind kinds[] = {NW_EDIT_CHANNELS, NW_EDIT_VARIANT, NW_EDIT_KERNEL};
    double anew = anew_us(c, path);
    printf("  %s, %d kernels; read and estimated anew %.0f us\n", name, c->n_kernels, anew);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        find_edits(c, kinds[i]);
        if (!c->n_edits)
            continue;
        double beside = beside_each_other_us(c);
        printf("    %-10s of %2d blocks: %6.1f us, goal %d (%.1f times faster)",
               nw_edit_kind_name(kinds[i]), c->n_edits, beside, GOAL_US, anew / beside);
        if (kinds[i] == NW_EDIT_CHANNELS)
            printf("; one upon another %6.1f us", upon_each_other_us(c));
        printf("\n");
    }
}

void bench_edit(void)
{
    static const char *const models[] = {"tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
                                         "mobilenet_v2_1.0_224_quant.tflite"};
    nw_hw *hw;
    nw_error err;
    bench_case c = {0};
    printf("\nedit to new estimate: apply, seal, split, estimate by ne32's regression with other "
           "kernels remembered; median of %d\n",
           ROUNDS);
    if (nw_hw_load("ne32", "hw", &hw, &err) != NW_OK)
        return;
    if (nw_estimator_open("regression", hw, "build/hw", &c.estimator, NULL, 0, &err) != NW_OK) {
        printf("  %s\n", err.message);
        nw_hw_free(hw);
        return;
    }
    c.hw = hw;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char path[512], relative[128];
        nw_graph *graph;
        snprintf(relative, sizeof relative, "models/%s", models[i]);
        const char *found = shared_path(relative);
        if (!found)
            continue;
        snprintf(path, sizeof path, "%s", found);
        if (nw_model_load(path, NULL, 0, &graph, &err) != NW_OK)
            continue;
        c.arch = nw_arch_lift(graph);
        bench_model(&c, path, models[i]);
        nw_arch_release(c.arch);
    }
    nw_estimator_release(c.estimator);
    nw_hw_free(hw);
}
