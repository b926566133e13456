/* advice.c - why a block is slow on this hardware, and what changes about it help.
 *
 * Fusing: with P multiply-accumulates a cycle, expansion e, C channels and the depthwise
 * convolution using the share d of the array, an inverted bottleneck of stride s computes
 * H W e C (s^2 C + k^2 / d + C) / P cycles and its fused form H W e C (k^2 C + C) / P, so fusing
 * pays while C d < k^2 / (k^2 - s^2). That is compute alone; what is offered and refused here was
 * estimated whole, the rule only says why.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/advise/internal.h"
#include "src/base/arena.h"
#include "src/base/text.h"
#include "src/base/units.h"

#define MAX_KERNEL_FACTS 3

/* A block, its network and what that costs. */
typedef struct scene {
    const nw_subject *subject;
    const nw_estimate *estimate;
    const nw_block *block;
    nw_block_cost cost;
    int *kernels; /* of the block, without views, dearest first */
    int n_kernels;
} scene;

/* ---- looking at a block ---- */

static void look(const nw_subject *subject, const nw_estimate *e, const nw_block *block, scene *out)
{
    int n_blocks, n = e->kernels->n_kernels;
    const nw_block *blocks = nw_arch_blocks(subject->arch, &n_blocks);
    nw_block_cost *costs = nw_alloc(((size_t)n_blocks + 1) * sizeof *costs);
    nw_ranked *order = nw_alloc(((size_t)n + 1) * sizeof *order);
    *out = (scene){.subject = subject, .estimate = e, .block = block};
    nw_block_costs(subject->arch, subject->hw, e, costs);
    out->cost = costs[block - blocks];
    out->kernels = nw_alloc(((size_t)n + 1) * sizeof *out->kernels);
    for (int i = 0; i < n; i++) {
        const nw_kernel *kernel = &e->kernels->kernels[i];
        if (kernel->shape.parts[0].kind != NW_KERNEL_VIEW && kernel->main >= 0 &&
            nw_arch_block_of(subject->arch, kernel->main) == block)
            order[out->n_kernels++] = (nw_ranked){e->costs[i].latency_ps, i};
    }
    qsort(order, (size_t)out->n_kernels, sizeof *order, nw_dearest_first);
    for (int i = 0; i < out->n_kernels; i++)
        out->kernels[i] = order[i].index;
    free(costs);
    free(order);
}

static double peak_macs(const nw_hw *hw, const nw_kernel_shape *shape)
{
    double rate = nw_hw_precision_rate(hw, shape->weight_bits, shape->bits, shape->is_float != 0);
    return (double)nw_hw_macs_per_cycle(hw) * (rate > 0 ? rate : 1);
}

/* The share of the array that the block's depthwise convolution uses while it computes; a
 * pointwise one joined behind it is left out. 0: it has none. */
static double depthwise_share(const scene *s)
{
    for (int i = 0; i < s->n_kernels; i++) {
        nw_kernel_shape shape = s->estimate->kernels->kernels[s->kernels[i]].shape;
        nw_device_cost cost;
        if (shape.parts[0].kind != NW_KERNEL_DWCONV)
            continue;
        shape.n_parts = 1;
        memset(&shape.parts[1], 0, sizeof shape.parts[1]);
        shape.weight_elements =
            (int64_t)shape.parts[0].kernel_h * shape.parts[0].kernel_w * shape.parts[0].out_c;
        nw_device_estimate(s->subject->hw, &shape, &cost);
        double cycles = (double)cost.cycles[NW_BOUND_COMPUTE];
        return cycles > 0 ? (double)cost.macs / (peak_macs(s->subject->hw, &shape) * cycles) : 0;
    }
    return 0;
}

/* Below which C d fusing pays; INFINITY: always (the stride is the kernel or more). */
static double break_even(const nw_block *block)
{
    double taps = (double)block->kernel * block->kernel;
    double strides = (double)block->stride * block->stride;
    return taps > strides ? taps / (taps - strides) : INFINITY;
}

/* ---- facts ---- */

static void say(nw_advice *out, const char *format, ...) NW_PRINTF(2, 3);

static void say(nw_advice *out, const char *format, ...)
{
    va_list args;
    if (out->n_facts == NW_ADVICE_FACTS)
        return;
    va_start(args, format);
    vsnprintf(out->facts[out->n_facts], sizeof out->facts[0], format, args);
    va_end(args);
    out->n_facts++;
}

static void say_kernels(const scene *s, nw_advice *out)
{
    for (int i = 0; i < s->n_kernels && i < MAX_KERNEL_FACTS; i++) {
        const nw_kernel *kernel = &s->estimate->kernels->kernels[s->kernels[i]];
        const nw_device_cost *cost = &s->estimate->costs[s->kernels[i]];
        char name[64], time[32];
        nw_kernel_shape_name(&kernel->shape, name, sizeof name);
        if (!cost->is_known) {
            say(out, "%s: its cost is not known", name);
            continue;
        }
        nw_format_time(cost->latency_ps, time, sizeof time);
        const char *gap = *cost->why && *kernel->note ? "; " : "";
        if (cost->macs)
            say(out, "%s %s, %.2g %% of the peak: %s%s%s", name, time, 100 * cost->utilisation,
                cost->why, gap, kernel->note);
        else
            say(out, "%s %s: %s%s%s", name, time, cost->why, gap, kernel->note);
    }
}

static void say_memory(const scene *s, nw_advice *out)
{
    char a[32], b[32], t[32];
    if (s->cost.n_spills)
        say(out, "spills: %s are live, the SRAM holds %s",
            nw_format_bytes(s->cost.live_bytes, a, sizeof a),
            nw_format_bytes(s->subject->hw->sram.bytes, b, sizeof b));
    if (s->cost.host_ps)
        say(out, "%s of it on the host, where this hardware lacks an operator",
            nw_format_time(s->cost.host_ps, t, sizeof t));
}

static void say_lanes(const scene *s, nw_advice *out)
{
    const nw_hw *hw = s->subject->hw;
    int64_t step = nw_align_step(hw), idle = nw_align_idle(hw, s->block->out_c);
    if (nw_block_has_channels(s->block) && idle)
        say(out, "c%lld leaves %lld lanes idle in its last step: align to %lld",
            (long long)s->block->out_c, (long long)idle, (long long)step);
    idle = nw_align_idle(hw, s->block->mid_c);
    if (nw_block_expands(s->block) && idle)
        say(out, "expanded c%lld leaves %lld lanes idle in its last step: align to %lld",
            (long long)s->block->mid_c, (long long)idle, (long long)step);
}

static void say_depthwise(const scene *s, nw_advice *out)
{
    double share = depthwise_share(s), limit = break_even(s->block);
    if (s->block->kind != NW_BLOCK_IBN || share <= 0 || !isfinite(limit))
        return;
    double product = (double)s->block->in_c * share;
    say(out,
        "the depthwise convolution fills %.2g %% of the array: %lld channels x that = %.3g, "
        "fusing computes less %s %.4g",
        100 * share, (long long)s->block->in_c, product,
        product < limit ? "as it is below" : "below", limit);
}

/* Weights that are read once an inference, against the pixels that use them. */
static bool find_weight_hunger(const nw_hw *hw, const nw_estimate *e, int kernel, double *needed,
                               double *given)
{
    const nw_device_cost *cost = &e->costs[kernel];
    if (!cost->is_known || !cost->weight_bytes || !cost->cycles[NW_BOUND_COMPUTE] ||
        hw->weights.pinned || hw->dram.bytes_per_cycle <= 0)
        return false;
    *needed = (double)cost->weight_bytes / (double)cost->cycles[NW_BOUND_COMPUTE];
    *given = hw->dram.bytes_per_cycle;
    return *needed > *given;
}

/* "90.6 KiB of weights for 49 pixels: ..." */
static void say_hunger(const nw_estimate *e, int kernel, double needed, double given, char *dst,
                       size_t size)
{
    const nw_kernel_part *part = &e->kernels->kernels[kernel].shape.parts[0];
    long long pixels = (long long)(part->out_h * part->out_w);
    char bytes[32];
    snprintf(
        dst, size,
        "%s of weights for %lld pixel%s: the array would take %.3g B a cycle, the memory gives "
        "%.3g",
        nw_format_bytes(e->costs[kernel].weight_bytes, bytes, sizeof bytes), pixels,
        pixels == 1 ? "" : "s", needed, given);
}

static void say_weights(const scene *s, nw_advice *out)
{
    double needed, given;
    char text[160];
    if (s->cost.slowest < 0 ||
        !find_weight_hunger(s->subject->hw, s->estimate, s->cost.slowest, &needed, &given))
        return;
    say_hunger(s->estimate, s->cost.slowest, needed, given, text, sizeof text);
    say(out, "%s", text);
}

/* ---- items ---- */

static void write_price(const nw_effect *e, char *dst, size_t size)
{
    char t[3][40], macs[40], params[40], memory[40];
    nw_buf text = {0};
    nw_buf_puts(&text, nw_format_signed(nw_format_time, e->latency.latency_ps, t[0], sizeof t[0]));
    if (e->latency.has_band)
        nw_buf_printf(&text, " (90 %%: %s to %s)",
                      nw_format_signed(nw_format_time, e->latency.low_ps, t[1], sizeof t[1]),
                      nw_format_signed(nw_format_time, e->latency.high_ps, t[2], sizeof t[2]));
    nw_buf_printf(&text, ", MACs %s, params %s, memory %s",
                  nw_format_signed(nw_format_count, e->macs, macs, sizeof macs),
                  nw_format_signed(nw_format_count, e->params, params, sizeof params),
                  nw_format_signed(nw_format_bytes, e->peak_live_bytes, memory, sizeof memory));
    snprintf(dst, size, "%s", nw_buf_text(&text));
    nw_buf_fini(&text);
}

/* Why the fused form of a block takes as long or longer; then: the network with it. */
static void explain_fused(const scene *s, const scene *then, char *dst, size_t size)
{
    char a[32], b[32];
    double needed, given, share = depthwise_share(s), limit = break_even(s->block);
    double product = (double)s->block->in_c * share;
    const nw_hw *hw = s->subject->hw;
    if (then->cost.n_spills > s->cost.n_spills) {
        snprintf(dst, size, "it would spill: %s live, the SRAM holds %s",
                 nw_format_bytes(then->cost.live_bytes, a, sizeof a),
                 nw_format_bytes(hw->sram.bytes, b, sizeof b));
    } else if (then->cost.slowest >= 0 &&
               find_weight_hunger(hw, then->estimate, then->cost.slowest, &needed, &given)) {
        say_hunger(then->estimate, then->cost.slowest, needed, given, dst, size);
    } else if (share > 0 && product >= limit) {
        snprintf(dst, size,
                 "the depthwise convolution fills %.2g %% of the array already: %lld channels x "
                 "that = %.3g, fusing computes less only below %.4g",
                 100 * share, (long long)s->block->in_c, product, limit);
    } else {
        snprintf(dst, size, "%.3g times the MACs at %.2g %% of the peak, now %.2g %%",
                 s->cost.macs ? (double)then->cost.macs / (double)s->cost.macs : 0,
                 100 * then->cost.utilisation, 100 * s->cost.utilisation);
    }
}

static void say_not_faster(const scene *s, const nw_candidate *c, const nw_arch *after,
                           nw_advice_item *item)
{
    char price[160], label[32], why[160] = "";
    nw_estimate estimate;
    write_price(&item->effect, price, sizeof price);
    nw_block_label(s->block, label, sizeof label);
    const nw_block *block = nw_arch_find_block(after, label);
    bool is_fusing = c->edit.kind == NW_EDIT_VARIANT && c->edit.block == NW_BLOCK_FUSED;
    nw_subject there = *s->subject;
    there.arch = after;
    if (is_fusing && block &&
        nw_estimate_graph(there.estimator, nw_arch_graph(after), there.hw, there.precision,
                          &estimate, NULL) == NW_OK) {
        scene then;
        look(&there, &estimate, block, &then);
        explain_fused(s, &then, why, sizeof why);
        free(then.kernels);
        nw_estimate_fini(&estimate);
    }
    snprintf(item->text, sizeof item->text, "%s, %.150s%s%s",
             item->effect.is_below ? "not faster as far as can be told" : "not faster", price,
             *why ? ": " : "", why);
}

/* What is worth showing though it does not help: what people expect to. */
static bool is_expected(const nw_candidate *c)
{
    return (c->edit.kind == NW_EDIT_VARIANT && c->edit.block == NW_BLOCK_FUSED) ||
           c->edit.kind == NW_EDIT_ACT;
}

/* False: not worth a line. */
static bool judge(const scene *s, const nw_counts *counts, const nw_candidate *c,
                  nw_advice_item *item)
{
    const nw_arch *after;
    nw_error err;
    *item = (nw_advice_item){.edit = c->edit, .verdict = NW_ADVICE_REFUSED};
    memcpy(item->label, c->label, sizeof item->label);
    if (*c->why || nw_effect_beside(s->subject, s->estimate, counts, &c->edit, 1, &item->effect,
                                    &after, &err) != NW_OK) {
        snprintf(item->text, sizeof item->text, "%.200s", *c->why ? c->why : err.message);
        return is_expected(c);
    }
    const nw_effect *e = &item->effect;
    bool is_faster = e->latency.latency_ps < 0, is_fit = e->fits || !s->estimate->fits;
    item->verdict = nw_effect_helps(e, s->estimate) ? NW_ADVICE_HELPS
                    : is_faster && is_fit           ? NW_ADVICE_UNSURE
                                                    : NW_ADVICE_NO_GAIN;
    if (item->verdict == NW_ADVICE_NO_GAIN && is_faster)
        snprintf(item->text, sizeof item->text, "does not fit this hardware any more");
    else if (item->verdict == NW_ADVICE_NO_GAIN)
        say_not_faster(s, c, after, item);
    else
        write_price(e, item->text, sizeof item->text);
    if (item->verdict == NW_ADVICE_UNSURE)
        snprintf(item->text + strlen(item->text), sizeof item->text - strlen(item->text),
                 ": below what this estimator can tell");
    nw_arch_release(after);
    return item->verdict != NW_ADVICE_NO_GAIN || is_expected(c);
}

static int best_first(const void *a, const void *b)
{
    const nw_advice_item *x = a, *y = b;
    if (x->verdict != y->verdict)
        return (int)x->verdict - (int)y->verdict;
    int64_t p = x->effect.latency.latency_ps, q = y->effect.latency.latency_ps;
    return p != q ? (p < q ? -1 : 1) : strcmp(x->label, y->label);
}

static void collect(const scene *s, nw_candidate_list *out)
{
    const nw_hw *hw = s->subject->hw;
    if (!nw_block_has_channels(s->block))
        return;
    nw_candidates_variant(s->subject->arch, s->block, false, out);
    nw_candidates_channels(s->subject->arch, hw, s->block, out);
    nw_candidates_expansion(hw, s->block, false, out);
    nw_candidates_kernel(s->block, false, out);
    nw_candidates_squeeze(s->block, out);
    nw_candidates_act(hw, s->block, out);
    nw_candidates_residual(s->block, out);
}

static nw_status judge_all(const scene *s, const nw_cancel *cancel, nw_advice *out, nw_error *err)
{
    nw_candidate_list list = {NULL, 0, 0};
    nw_counts counts;
    nw_status status = NW_OK;
    collect(s, &list);
    nw_graph_count(nw_arch_graph(s->subject->arch), &counts);
    nw_advice_item *items = nw_alloc((list.n + 1) * sizeof *items);
    int n = 0;
    for (size_t i = 0; i < list.n && status == NW_OK; i++) {
        if (nw_cancel_is_set(cancel))
            status = nw_fail(err, NW_CANCELLED, "advice", "stopped");
        else
            n += judge(s, &counts, &list.items[i], &items[n]);
    }
    qsort(items, (size_t)n, sizeof *items, best_first);
    out->n_items = n < NW_ADVICE_ITEMS ? n : NW_ADVICE_ITEMS;
    memcpy(out->items, items, (size_t)out->n_items * sizeof *items);
    free(items);
    free(list.items);
    return status;
}

nw_status nw_advise_block(const nw_subject *subject, const nw_estimate *estimate,
                          const nw_block *block, const nw_cancel *cancel, nw_advice *out,
                          nw_error *err)
{
    scene s;
    nw_advice *advice = nw_zalloc(sizeof *advice);
    look(subject, estimate, block, &s);
    nw_block_label(block, advice->label, sizeof advice->label);
    nw_block_text(block, advice->block, sizeof advice->block);
    advice->cost = s.cost;
    advice->share =
        estimate->latency_ps > 0 ? (double)s.cost.latency_ps / (double)estimate->latency_ps : 0;
    say_kernels(&s, advice);
    say_memory(&s, advice);
    say_weights(&s, advice);
    say_depthwise(&s, advice);
    say_lanes(&s, advice);
    nw_status status = judge_all(&s, cancel, advice, err);
    if (status == NW_OK)
        memcpy(out, advice, sizeof *out);
    free(s.kernels);
    free(advice);
    return status;
}
