/* What to change and what it gives: effects against estimates made apart, prices counted by hand,
 * lists that are the same whoever steps them, recipes that hold what they promise. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/advise/internal.h"
#include "src/base/arena.h"
#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_net.h"
#include "tests/support_regression.h"
#include "tests/support_split.h"

typedef struct scene {
    nw_hw *hw;
    nw_subject subject;
    nw_estimate estimate;
} scene;

static void estimate(const nw_subject *subject, nw_estimate *out)
{
    nw_error err;
    if (nw_estimate_graph(subject->estimator, nw_arch_graph(subject->arch), subject->hw,
                          subject->precision, out, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
}

static scene open_on(const char *hw, nw_graph *graph)
{
    scene s = {.hw = load_hw(hw)};
    s.subject = (nw_subject){nw_arch_lift(graph), s.hw, nw_estimator_device(), "file"};
    estimate(&s.subject, &s.estimate);
    return s;
}

static void close_scene(scene *s)
{
    nw_estimate_fini(&s->estimate);
    nw_arch_release(s->subject.arch);
    nw_hw_free(s->hw);
}

/* 56x56: a convolution, an inverted bottleneck of stride 2 and two with residuals, a classifier. */
static nw_graph *small_net(int c, int expansion)
{
    net n = net_begin(56, 56, 3, NW_DTYPE_INT8);
    net_conv(&n, 16, 3, 3, 1, 1, NW_ACT_RELU6);
    net_inverted_bottleneck(&n, c, expansion, 3, 2, 0);
    net_inverted_bottleneck(&n, c, expansion, 3, 1, 0);
    net_inverted_bottleneck(&n, c, expansion, 3, 1, 0);
    net_global_pool(&n);
    net_fc(&n, 10, NW_ACT_NONE);
    return net_end(&n);
}

static const nw_block *block_of_kind(const nw_arch *arch, nw_block_kind kind, int skip)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < n; i++)
        if (blocks[i].kind == kind && skip-- == 0)
            return &blocks[i];
    ck_abort_msg("no block %s", nw_block_kind_name(kind));
    return NULL;
}

/* ---- alignment ---- */

START_TEST(the_step_fills_lanes_and_bricks)
{
    static const struct {
        const char *hw;
        int64_t step;
    } cases[] = {
        {"ne32", 32},          /* pf_out 32, channels in memory by 32 */
        {"u55-256", 16},       /* 8 lanes, bricks of 16 */
        {"systolic16-ws", 16}, /* 16 columns */
        {"dpu-b4096", 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_hw *hw = load_hw(cases[i].hw);
        ck_assert_msg(nw_align_step(hw) == cases[i].step, "%s: %lld", cases[i].hw,
                      (long long)nw_align_step(hw));
        nw_hw_free(hw);
    }
}
END_TEST

START_TEST(idle_lanes_are_those_of_the_last_step)
{
    nw_hw *hw = load_hw("ne32");
    ck_assert_int_eq(nw_align_idle(hw, 24), 8);
    ck_assert_int_eq(nw_align_idle(hw, 40), 24);
    ck_assert_int_eq(nw_align_idle(hw, 112), 16);
    ck_assert_int_eq(nw_align_idle(hw, 64), 0);
    nw_hw_free(hw);
}
END_TEST

START_TEST(prices_of_alignment_are_those_counted_by_hand)
{
    net n = net_begin(28, 28, 8, NW_DTYPE_INT8);
    net_conv(&n, 40, 3, 3, 1, 1, NW_ACT_RELU);
    net_conv(&n, 16, 3, 3, 1, 1, NW_ACT_RELU);
    net_global_pool(&n);
    net_fc(&n, 10, NW_ACT_NONE);
    scene s = open_on("ne32", net_end(&n));
    nw_align a;
    nw_error err;
    int n_blocks;
    const nw_block *first = &nw_arch_blocks(s.subject.arch, &n_blocks)[0];
    if (nw_align_find(&s.subject, &s.estimate, first, NW_EDIT_CHANNELS, &a, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    ck_assert_int_eq(a.n, 40);
    ck_assert_int_eq(a.idle, 24);
    ck_assert(!a.is_aligned && !a.nearest_is_up); /* 8 down, 24 up */
    ck_assert_msg(a.down.is_possible, "%s", a.down.why);
    ck_assert_msg(a.up.is_possible, "%s", a.up.why);
    ck_assert_int_eq(a.down.n, 32);
    ck_assert_int_eq(a.up.n, 64);
    /* 28 x 28 x 9 x (8 in and 16 out) a channel; its weights and a bias */
    int64_t macs = 28 * 28 * 9 * (8 + 16), params = 9 * (8 + 16) + 1;
    ck_assert_int_eq(a.down.effect.macs, -8 * macs);
    ck_assert_int_eq(a.up.effect.macs, 24 * macs);
    ck_assert_int_eq(a.down.effect.params, -8 * params);
    ck_assert_int_eq(a.up.effect.params, 24 * params);
    /* 40 channels and 64 take the same 64 in memory, 32 half of it */
    ck_assert_int_eq(a.up.effect.peak_live_bytes, 0);
    ck_assert_int_eq(a.down.effect.peak_live_bytes, -28 * 28 * 32);
    ck_assert_int_lt(a.down.effect.latency.latency_ps, 0);
    close_scene(&s);
}
END_TEST

START_TEST(what_cannot_be_aligned_says_why)
{
    net n = net_begin(28, 28, 40, NW_DTYPE_INT8);
    net_conv(&n, 20, 3, 3, 1, 1, NW_ACT_RELU); /* the network's output */
    scene s = open_on("ne32", net_end(&n));
    nw_align a;
    nw_error err;
    int n_blocks;
    const nw_block *first = &nw_arch_blocks(s.subject.arch, &n_blocks)[0];
    ck_assert_int_eq(nw_align_find(&s.subject, &s.estimate, first, NW_EDIT_EXPANSION, &a, &err),
                     NW_UNSUPPORTED);
    ck_assert_int_eq(nw_align_find(&s.subject, &s.estimate, first, NW_EDIT_CHANNELS, &a, &err),
                     NW_OK);
    ck_assert(!a.down.is_possible && *a.down.why); /* none is less than one step */
    ck_assert(!a.up.is_possible && *a.up.why);     /* outputs are fixed */
    close_scene(&s);
}
END_TEST

/* ---- what if ---- */

static nw_whatif *whatif_of(const nw_subject *subject, const nw_selector *where)
{
    nw_whatif *list;
    nw_error err;
    if (nw_whatif_new(subject, where, &list, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return list;
}

static nw_whatif_row *rows_of(const nw_whatif *list, int *n)
{
    nw_whatif_row *rows = nw_alloc(((size_t)nw_whatif_n(list) + 1) * sizeof *rows);
    *n = nw_whatif_rows(list, rows, nw_whatif_n(list));
    return rows;
}

START_TEST(every_row_is_the_estimate_of_the_edited_network)
{
    scene s = open_on("ne32", small_net(24, 6));
    nw_whatif *list = whatif_of(&s.subject, NULL);
    ck_assert_int_eq(nw_whatif_run(list, NULL), NW_OK);
    ck_assert_int_eq(nw_whatif_n_ready(list), nw_whatif_n(list));
    int n, n_done = 0;
    nw_whatif_row *rows = rows_of(list, &n);
    int64_t before = INT64_MIN;
    for (int i = 0; i < n; i++) {
        nw_error err;
        nw_subject edited = s.subject;
        nw_estimate e;
        ck_assert(rows[i].state == NW_WHATIF_DONE || rows[i].state == NW_WHATIF_REFUSED);
        if (rows[i].state == NW_WHATIF_REFUSED) {
            ck_assert_msg(*rows[i].why, "%s", rows[i].label);
            continue;
        }
        ck_assert_int_eq(nw_arch_apply(s.subject.arch, &rows[i].edit, 1, &edited.arch, NULL, &err),
                         NW_OK);
        estimate(&edited, &e);
        ck_assert_int_eq(rows[i].effect.latency_ps, e.latency_ps);
        ck_assert_int_eq(rows[i].effect.latency.latency_ps, e.latency_ps - s.estimate.latency_ps);
        ck_assert_int_eq(rows[i].effect.macs, e.macs - s.estimate.macs);
        ck_assert_int_ge(rows[i].effect.latency.latency_ps, before);
        before = rows[i].effect.latency.latency_ps;
        nw_estimate_fini(&e);
        nw_arch_release(edited.arch);
        n_done++;
    }
    ck_assert_int_gt(n_done, 10);
    free(rows);
    nw_whatif_release(list);
    close_scene(&s);
}
END_TEST

START_TEST(rows_have_no_edit_twice)
{
    scene s = open_on("ne32", small_net(24, 6));
    nw_whatif *list = whatif_of(&s.subject, NULL);
    int n;
    nw_whatif_row *rows = rows_of(list, &n);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++) {
            nw_buf a = {0}, b = {0};
            nw_edit_write(&rows[i].edit, &a);
            nw_edit_write(&rows[k].edit, &b);
            ck_assert_str_ne(nw_buf_text(&a), nw_buf_text(&b));
            ck_assert_str_ne(rows[i].label, rows[k].label);
            nw_buf_fini(&a);
            nw_buf_fini(&b);
        }
    free(rows);
    nw_whatif_release(list);
    close_scene(&s);
}
END_TEST

static void *step_all(void *list)
{
    while (nw_whatif_step(list))
        nw_whatif_n_ready(list);
    return NULL;
}

START_TEST(four_threads_make_the_list_of_one)
{
    scene s = open_on("ne32", small_net(40, 4));
    nw_whatif *alone = whatif_of(&s.subject, NULL), *shared = whatif_of(&s.subject, NULL);
    pthread_t threads[4];
    step_all(alone);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, step_all, shared), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    int n, m;
    nw_whatif_row *a = rows_of(alone, &n), *b = rows_of(shared, &m);
    ck_assert_int_eq(n, m);
    for (int i = 0; i < n; i++) {
        ck_assert_str_eq(a[i].label, b[i].label);
        ck_assert_int_eq(a[i].state, b[i].state);
        ck_assert_int_eq(a[i].effect.latency_ps, b[i].effect.latency_ps);
    }
    free(a);
    free(b);
    nw_whatif_release(alone);
    nw_whatif_release(shared);
    close_scene(&s);
}
END_TEST

START_TEST(a_list_that_is_cancelled_keeps_what_it_has)
{
    scene s = open_on("ne32", small_net(24, 6));
    nw_whatif *list = whatif_of(&s.subject, NULL);
    nw_cancel cancel = {0};
    int ready = nw_whatif_n_ready(list);
    ck_assert(nw_whatif_step(list));
    ck_assert_int_eq(nw_whatif_n_ready(list), ready + 1);
    nw_cancel_set(&cancel);
    ck_assert_int_eq(nw_whatif_run(list, &cancel), NW_CANCELLED);
    ck_assert_int_eq(nw_whatif_n_ready(list), ready + 1);
    nw_whatif_row first;
    ck_assert_int_eq(nw_whatif_rows(list, &first, 1), 1);
    ck_assert_int_ne(first.state, NW_WHATIF_WAITING);
    nw_whatif_release(list);
    close_scene(&s);
}
END_TEST

START_TEST(a_selector_keeps_the_list_to_its_blocks)
{
    scene s = open_on("ne32", small_net(24, 6));
    const nw_block *block = block_of_kind(s.subject.arch, NW_BLOCK_IBN, 1);
    nw_selector where = nw_select_block(block);
    nw_whatif *list = whatif_of(&s.subject, &where);
    int n;
    nw_whatif_row *rows = rows_of(list, &n);
    ck_assert_int_gt(n, 3);
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(rows[i].edit.where.first_stage, block->stage);
        ck_assert_int_eq(rows[i].edit.where.index, block->index);
    }
    free(rows);
    nw_whatif_release(list);
    close_scene(&s);
}
END_TEST

START_TEST(a_change_within_the_band_is_below_what_can_be_told)
{
    char *folder = hand_folder_new("ne32"), path[160];
    scene s = open_on("ne32", small_net(24, 6));
    nw_error err;
    snprintf(path, sizeof path, "%s/mine.json", folder);
    write_hand_model(path, s.hw, "simulated");
    if (nw_estimator_open(path, s.hw, "", &s.subject.estimator, NULL, 0, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_whatif *list = whatif_of(&s.subject, NULL);
    ck_assert_int_eq(nw_whatif_run(list, NULL), NW_OK);
    int n, n_below = 0;
    nw_whatif_row *rows = rows_of(list, &n);
    for (int i = 0; i < n && rows[i].state == NW_WHATIF_DONE; i++) {
        const nw_effect *e = &rows[i].effect;
        ck_assert(e->latency.has_band);
        if (e->latency.low_ps == 0 && e->latency.high_ps == 0)
            continue;
        ck_assert_int_eq(e->is_below, e->latency.low_ps <= 0 && e->latency.high_ps >= 0);
        n_below += e->is_below;
    }
    ck_assert_int_gt(n_below, 0);
    free(rows);
    nw_whatif_release(list);
    nw_estimator_release(s.subject.estimator);
    hand_folder_free(folder);
    close_scene(&s);
}
END_TEST

/* ---- advice ---- */

static nw_advice *advise(const scene *s, const nw_block *block)
{
    nw_error err;
    nw_advice *a = nw_alloc(sizeof *a);
    if (nw_advise_block(&s->subject, &s->estimate, block, NULL, a, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return a;
}

static const nw_advice_item *find_item(const nw_advice *a, const char *label)
{
    for (int i = 0; i < a->n_items; i++)
        if (strcmp(a->items[i].label, label) == 0)
            return &a->items[i];
    return NULL;
}

static bool has_fact(const nw_advice *a, const char *words)
{
    for (int i = 0; i < a->n_facts; i++)
        if (strstr(a->facts[i], words))
            return true;
    return false;
}

/* ne32 runs one of 32 rows for a depthwise convolution: d is 1/32 at most, so that fusing 24
 * channels computes less (24/32 < 1.125). */
START_TEST(fusing_is_offered_where_it_is_faster)
{
    scene s = open_on("ne32", small_net(24, 6));
    const nw_block *block = block_of_kind(s.subject.arch, NW_BLOCK_IBN, 1);
    char label[24], fuse[40];
    snprintf(fuse, sizeof fuse, "fuse %s", nw_block_label(block, label, sizeof label));
    nw_advice *a = advise(&s, block);
    const nw_advice_item *item = find_item(a, fuse);
    ck_assert_ptr_nonnull(item);
    ck_assert_msg(item->verdict == NW_ADVICE_HELPS, "%s", item->text);
    ck_assert_int_lt(item->effect.latency.latency_ps, 0);
    ck_assert_int_gt(item->effect.macs, 0);
    ck_assert(has_fact(a, "depthwise: 1 of 32 rows works"));
    ck_assert(has_fact(a, "fusing computes less as it is below 1.125"));
    ck_assert(has_fact(a, "c24 leaves 8 lanes idle"));
    free(a);
    close_scene(&s);
}
END_TEST

/* The U55 uses 9/96 of its array for 3x3 depthwise: fusing pays below 12 channels by computing
 * (DEVICE.md, checked against Vela: 3.0 times slower at 96 channels and more). */
START_TEST(fusing_that_is_slower_says_why)
{
    scene s = open_on("u55-256", small_net(96, 4));
    const nw_block *block = block_of_kind(s.subject.arch, NW_BLOCK_IBN, 1);
    char label[24], fuse[40];
    snprintf(fuse, sizeof fuse, "fuse %s", nw_block_label(block, label, sizeof label));
    nw_advice *a = advise(&s, block);
    const nw_advice_item *item = find_item(a, fuse);
    ck_assert_ptr_nonnull(item);
    ck_assert_int_eq(item->verdict, NW_ADVICE_NO_GAIN);
    ck_assert_msg(strstr(item->text, "not faster") &&
                      (strstr(item->text, "depthwise") || strstr(item->text, "weights for")),
                  "%s", item->text);
    free(a);
    close_scene(&s);
}
END_TEST

START_TEST(advice_is_what_estimates_say)
{
    static const char *const chips[] = {"ne32", "u55-256", "u85-1024"};
    for (size_t k = 0; k < sizeof chips / sizeof *chips; k++) {
        scene s = open_on(chips[k], small_net(24, 6));
        int n;
        const nw_block *blocks = nw_arch_blocks(s.subject.arch, &n);
        for (int i = 0; i < n; i++) {
            nw_advice *a = advise(&s, &blocks[i]);
            for (int m = 0; m < a->n_items; m++) {
                nw_effect e;
                nw_error err;
                const nw_advice_item *item = &a->items[m];
                ck_assert_msg(*item->text, "%s", item->label);
                if (item->verdict == NW_ADVICE_REFUSED)
                    continue;
                ck_assert_int_eq(
                    nw_effect_of(&s.subject, &s.estimate, &item->edit, 1, &e, NULL, &err), NW_OK);
                ck_assert_int_eq(e.latency_ps, item->effect.latency_ps);
                ck_assert_int_eq(item->verdict == NW_ADVICE_HELPS, e.latency.latency_ps < 0);
            }
            free(a);
        }
        close_scene(&s);
    }
}
END_TEST

START_TEST(host_activations_get_a_native_one)
{
    net n = net_begin(56, 56, 16, NW_DTYPE_FLOAT32);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_unary(&n, NW_OP_HARD_SWISH);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_unary(&n, NW_OP_HARD_SWISH);
    net_global_pool(&n);
    net_fc(&n, 10, NW_ACT_NONE);
    scene s = open_on("dpu-b4096", net_end(&n));
    ck_assert_int_gt(s.estimate.host_ps, 0);
    nw_recipe r;
    nw_error err;
    if (nw_recipe_make(NW_RECIPE_NATIVE, &s.subject, &s.estimate, NULL, &r, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    ck_assert_int_eq(r.n_edits, 2);
    ck_assert_int_lt(r.total.latency.latency_ps, 0);
    nw_subject after = s.subject;
    nw_estimate e;
    after.arch = r.arch;
    estimate(&after, &e);
    ck_assert_int_eq(e.host_ps, 0);
    nw_estimate_fini(&e);
    nw_recipe_fini(&r);
    close_scene(&s);
}
END_TEST

/* ---- recipes ---- */

START_TEST(a_recipe_is_its_edits_applied_at_once)
{
    static const nw_recipe_kind kinds[] = {NW_RECIPE_FUSE, NW_RECIPE_ALIGN, NW_RECIPE_NATIVE};
    for (int k = 0; k < 3; k++) {
        scene s = open_on("ne32", small_net(40, 6));
        nw_recipe r;
        nw_error err;
        if (nw_recipe_make(kinds[k], &s.subject, &s.estimate, NULL, &r, &err) != NW_OK)
            ck_abort_msg("%s: %s", err.where, err.message);
        int64_t sum = 0;
        int n_taken = 0;
        for (int i = 0; i < r.n_steps; i++) {
            ck_assert(r.steps[i].is_taken != (*r.steps[i].why != '\0'));
            if (!r.steps[i].is_taken)
                continue;
            n_taken++;
            ck_assert_int_lt(r.steps[i].effect.latency.latency_ps, 0);
            sum += r.steps[i].effect.latency.latency_ps;
        }
        ck_assert_int_eq(n_taken, r.n_edits);
        ck_assert_int_eq(sum, r.total.latency.latency_ps);
        ck_assert(kinds[k] == NW_RECIPE_NATIVE || r.n_edits > 0);
        if (r.n_edits) {
            nw_effect e;
            ck_assert_int_eq(
                nw_effect_of(&s.subject, &s.estimate, r.edits, r.n_edits, &e, NULL, &err), NW_OK);
            ck_assert_int_eq(e.latency_ps, r.total.latency_ps);
            ck_assert_int_eq(e.macs, r.total.macs);
        }
        nw_recipe_fini(&r);
        close_scene(&s);
    }
}
END_TEST

START_TEST(after_aligning_all_no_group_that_may_change_saves_by_it)
{
    scene s = open_on("ne32", small_net(40, 6));
    nw_recipe r;
    nw_error err;
    ck_assert_int_eq(nw_recipe_make(NW_RECIPE_ALIGN, &s.subject, &s.estimate, NULL, &r, &err),
                     NW_OK);
    for (int i = 0; i < 3; i++) {
        const nw_block *block = block_of_kind(r.arch, NW_BLOCK_IBN, i);
        ck_assert_int_eq(block->out_c % 32, 0);
        ck_assert_int_eq(block->mid_c % 32, 0);
    }
    nw_recipe_fini(&r);
    close_scene(&s);
}
END_TEST

START_TEST(a_recipe_can_be_stopped)
{
    scene s = open_on("ne32", small_net(24, 6));
    nw_recipe r;
    nw_error err;
    nw_cancel cancel = {0};
    nw_cancel_set(&cancel);
    ck_assert_int_eq(nw_recipe_make(NW_RECIPE_FUSE, &s.subject, &s.estimate, &cancel, &r, &err),
                     NW_CANCELLED);
    close_scene(&s);
}
END_TEST

/* ---- real networks ---- */

START_TEST(time_by_blocks_adds_up_to_the_total)
{
    nw_graph *graph = load_model(model_files[_i]);
    if (!graph)
        return;
    scene s = open_on("ne32", graph);
    int n;
    nw_arch_blocks(s.subject.arch, &n);
    nw_block_cost *costs = nw_alloc(((size_t)n + 1) * sizeof *costs);
    nw_block_costs(s.subject.arch, s.hw, &s.estimate, costs);
    int64_t sum = 0;
    for (int i = 0; i <= n; i++)
        sum += costs[i].latency_ps;
    ck_assert_int_eq(sum, s.estimate.latency_ps);
    free(costs);
    close_scene(&s);
}
END_TEST

START_TEST(lists_of_real_networks_are_made_to_the_end)
{
    nw_graph *graph = load_model(model_files[_i]);
    if (!graph)
        return;
    scene s = open_on("ne32", graph);
    nw_whatif *list = whatif_of(&s.subject, NULL);
    for (int i = 0; i < 40 && nw_whatif_step(list); i++)
        ;
    int n;
    nw_whatif_row *rows = rows_of(list, &n);
    for (int i = 0; i < n; i++)
        ck_assert(rows[i].state != NW_WHATIF_REFUSED || *rows[i].why);
    free(rows);
    nw_whatif_release(list);
    close_scene(&s);
}
END_TEST

int main(void)
{
    int n_models = 0;
    while (model_files[n_models])
        n_models++;
    Suite *suite = suite_create("advise");
    TCase *made = tcase_create("made");
    tcase_set_timeout(made, 60);
    tcase_add_test(made, the_step_fills_lanes_and_bricks);
    tcase_add_test(made, idle_lanes_are_those_of_the_last_step);
    tcase_add_test(made, prices_of_alignment_are_those_counted_by_hand);
    tcase_add_test(made, what_cannot_be_aligned_says_why);
    tcase_add_test(made, every_row_is_the_estimate_of_the_edited_network);
    tcase_add_test(made, rows_have_no_edit_twice);
    tcase_add_test(made, four_threads_make_the_list_of_one);
    tcase_add_test(made, a_list_that_is_cancelled_keeps_what_it_has);
    tcase_add_test(made, a_selector_keeps_the_list_to_its_blocks);
    tcase_add_test(made, a_change_within_the_band_is_below_what_can_be_told);
    tcase_add_test(made, fusing_is_offered_where_it_is_faster);
    tcase_add_test(made, fusing_that_is_slower_says_why);
    tcase_add_test(made, advice_is_what_estimates_say);
    tcase_add_test(made, host_activations_get_a_native_one);
    tcase_add_test(made, a_recipe_is_its_edits_applied_at_once);
    tcase_add_test(made, after_aligning_all_no_group_that_may_change_saves_by_it);
    tcase_add_test(made, a_recipe_can_be_stopped);
    suite_add_tcase(suite, made);
    TCase *real = tcase_create("real");
    tcase_set_timeout(real, 120);
    tcase_add_loop_test(real, time_by_blocks_adds_up_to_the_total, 0, n_models);
    tcase_add_loop_test(real, lists_of_real_networks_are_made_to_the_end, 0, n_models);
    suite_add_tcase(suite, real);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
