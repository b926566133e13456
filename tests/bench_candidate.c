/* From the list of edits of a candidate to what it costs: made anew of its base, sealed, split,
 * estimated by the simulated device with the kernels remembered, lifted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/arch/arch.h"
#include "src/base/rng.h"
#include "src/estimator/estimator.h"
#include "src/format/format.h"
#include "tests/bench.h"
#include "tests/support.h"

enum { CANDIDATES = 24, ROUNDS = 9, MAX_EDITS = 128, GOAL_CHANNELS_US = 150, GOAL_ALL_US = 300 };

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- candidates ---- */

/* The edits of a candidate, in runs of edits that go at once. */
typedef struct candidate {
    nw_edit edits[MAX_EDITS];
    int n, runs[4], n_runs; /* runs: where each ends */
} candidate;

static void end_run(candidate *c)
{
    c->runs[c->n_runs++] = c->n;
}

/* Whether the network bears all of the edits from `first` on together; else the last is left out.
 */
static void keep(candidate *c, const nw_arch *arch, int first)
{
    const nw_arch *out;
    if (nw_arch_apply_at_once(arch, &c->edits[first], c->n - first, &out, NULL) == NW_OK)
        nw_arch_release(out);
    else
        c->n--;
}

/* At most n blocks of the kinds that can be edited so, each with a value of its own. */
static void add_edits(candidate *c, nw_rng *rng, const nw_arch *arch, nw_edit_kind kind, int n)
{
    static const int64_t kernels[] = {3, 5, 7};
    int n_blocks, first = c->n_runs ? c->runs[c->n_runs - 1] : 0, end = c->n + n;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    for (int i = 0; i < n_blocks && c->n < end; i++) {
        const nw_block *block = &blocks[i];
        bool fits = kind == NW_EDIT_CHANNELS ? block->index == 0 && block->kind <= NW_BLOCK_TUCKER
                                             : nw_block_kind_expands(block->kind);
        if (!fits)
            continue;
        nw_edit *edit = &c->edits[c->n++];
        nw_edit_init(edit, kind);
        edit->where = (nw_selector){-1, block->stage, block->stage, block->index};
        edit->block = nw_rng_chance(rng, 0.5) ? NW_BLOCK_FUSED : NW_BLOCK_IBN;
        if (kind == NW_EDIT_KERNEL)
            edit->count = kernels[nw_rng_range(rng, 0, 2)];
        else if (kind == NW_EDIT_CHANNELS)
            edit->count = (block->out_c + 7) / 8 * 8 + 8 * nw_rng_range(rng, 0, 3);
        else if (kind == NW_EDIT_EXPANSION)
            edit->count = block->in_c * nw_rng_range(rng, 3, 6);
        keep(c, arch, first);
    }
}

static void make_candidate(candidate *c, nw_rng *rng, const nw_arch *base, bool is_all)
{
    static const nw_edit_kind structure[] = {NW_EDIT_VARIANT, NW_EDIT_KERNEL};
    const nw_arch *at = nw_arch_retain(base), *next;
    *c = (candidate){.n = 0};
    for (int i = 0; is_all && i < 2; i++) {
        int first = c->n;
        add_edits(c, rng, at, structure[i], 17);
        end_run(c);
        if (nw_arch_apply_at_once(at, &c->edits[first], c->n - first, &next, NULL) != NW_OK)
            break;
        nw_arch_release(at);
        at = next;
    }
    add_edits(c, rng, at, NW_EDIT_CHANNELS, 8);
    add_edits(c, rng, at, NW_EDIT_EXPANSION, 17);
    end_run(c);
    nw_arch_release(at);
}

/* ---- the way ---- */

static bool apply_runs(const nw_arch *base, const candidate *c, const nw_arch **out)
{
    const nw_arch *at = nw_arch_retain(base), *next;
    for (int i = 0; i < c->n_runs; i++) {
        int first = i ? c->runs[i - 1] : 0;
        if (nw_arch_apply_at_once(at, &c->edits[first], c->runs[i] - first, &next, NULL) != NW_OK) {
            nw_arch_release(at);
            return false;
        }
        nw_arch_release(at);
        at = next;
    }
    *out = at;
    return true;
}

typedef struct bench_target {
    const nw_hw *hw;
    const nw_estimator *estimator;
} bench_target;

typedef struct spent {
    double apply, estimate, lift; /* us */
} spent;

static bool go(const nw_arch *base, const candidate *c, const bench_target *target, bool at_once,
               spent *out)
{
    const nw_arch *arch;
    nw_estimate e;
    nw_error err;
    double start = cpu_us();
    bool is_done = at_once ? apply_runs(base, c, &arch)
                           : nw_arch_apply(base, c->edits, c->n, &arch, NULL, &err) == NW_OK;
    if (!is_done)
        return false;
    double applied = cpu_us();
    is_done = nw_estimate_graph(target->estimator, nw_arch_graph(arch), target->hw, NULL, &e,
                                &err) == NW_OK;
    double estimated = cpu_us();
    nw_arch_n_stages(arch);
    double lifted = cpu_us();
    if (is_done)
        nw_estimate_fini(&e);
    nw_arch_release(arch);
    *out = (spent){applied - start, estimated - applied, lifted - estimated};
    return is_done;
}

static int by_sum(const void *a, const void *b)
{
    const spent *x = a, *y = b;
    double s = x->apply + x->estimate + x->lift, t = y->apply + y->estimate + y->lift;
    return (s > t) - (s < t);
}

/* The median after a round that is not counted. */
static bool measure(const nw_arch *base, const candidate *c, const bench_target *target,
                    bool at_once, spent *out)
{
    spent all[CANDIDATES * ROUNDS];
    int n = 0;
    for (int round = 0; round <= ROUNDS; round++)
        for (int i = 0; i < CANDIDATES; i++) {
            if (!go(base, &c[i], target, at_once, &all[n]))
                return false;
            n += round > 0;
        }
    qsort(all, (size_t)n, sizeof *all, by_sum);
    *out = all[n / 2];
    return true;
}

static void bench_network(const char *what, const char *name, const bench_target *target)
{
    nw_graph *graph;
    nw_error err;
    nw_input_size size = {"", {4, {1, 3, 224, 224}}};
    bool is_text = strchr(what, ' ') != NULL;
    if (nw_model_load(what, &size, is_text, &graph, &err) != NW_OK) {
        printf("  %s: %s\n", name, err.message);
        return;
    }
    const nw_arch *base = nw_arch_lift(graph);
    candidate *c = malloc(CANDIDATES * sizeof *c);
    for (int is_all = 0; is_all < 2; is_all++)
        for (int at_once = 1; at_once >= 0; at_once--) {
            nw_rng rng = nw_rng_make(1, (uint64_t)is_all);
            spent s;
            int n = 0;
            for (int i = 0; i < CANDIDATES; i++) {
                make_candidate(&c[i], &rng, base, is_all);
                n += c[i].n;
            }
            if (!measure(base, c, target, at_once, &s)) {
                printf("  %-20s by a list: refused, labels move on the way\n", name);
                continue;
            }
            printf("  %-20s %-12s %2d edits %-10s %6.1f us (apply %6.1f, estimate %5.1f, lift "
                   "%4.1f), goal %d\n",
                   name, is_all ? "everything," : "channels,", n / CANDIDATES,
                   at_once ? "at once" : "by a list", s.apply + s.estimate + s.lift, s.apply,
                   s.estimate, s.lift, is_all ? GOAL_ALL_US : GOAL_CHANNELS_US);
        }
    free(c);
    nw_arch_release(base);
}

void bench_candidate(void)
{
    nw_hw *hw;
    nw_error err;
    printf("\ncandidate to cost: median of %d candidates, %d times each, on ne32 by the device\n",
           CANDIDATES, ROUNDS);
    if (nw_hw_load("ne32", "hw", &hw, &err) != NW_OK)
        return;
    bench_target target = {.hw = hw};
    if (nw_estimator_open("device", hw, NULL, &target.estimator, NULL, 0, &err) != NW_OK) {
        nw_hw_free(hw);
        return;
    }
    bench_network("demo", "demo", &target);
    const char *path = shared_path("models/tv_mobilenet_v2_w035_224.onnx");
    if (path)
        bench_network(path, "tv_mobilenet_v2_w035", &target);
    bench_network("cn_r1_k3_s2_c16 ds_r1_k3_s1_c16 ir_r2_k3_s2_e6_c24 ir_r3_k5_s2_e6_c40 "
                  "er_r4_k3_s2_e4_c80 ir_r4_k5_s1_e6_c112 ir_r3_k5_s2_e6_c192 cn_r1_k1_s1_c960",
                  "timm string", &target);
    nw_estimator_release(target.estimator);
    nw_hw_free(hw);
}
