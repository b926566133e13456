/* Curated spaces: the alignments of chips are found in what their kernels cost, what is dropped
 * was of no use, and the expert has the last word. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/referee_curate.h"
#include "tests/referee_self.h"
#include "tests/support.h"
#include "tests/support_edit.h"
#include "tests/support_split.h"

static const char convolutions[] = "cn_r1_k3_s2_c32\ncn_r1_k3_s2_c64\ncn_r2_k3_s1_c64\n"
                                   "cn_r1_k3_s2_c128\ncn_r1_k1_s1_c256";
static const char bottlenecks[] = "cn_r1_k3_s2_e1_c32\nir_r2_k3_s2_e6_c32\nir_r2_k3_s2_e6_c64\n"
                                  "ir_r1_k3_s2_e6_c96\ncn_r1_k1_s1_e1_c256";

typedef struct scene {
    nw_hw *hw;
    const nw_arch *base;
    nw_space *space;
    const nw_estimator *estimator;
    nw_plan *plan;
} scene;

static void abort_with(const nw_error *err)
{
    ck_abort_msg("%s: %s", err->where, err->message);
}

/* A network at 224 x 224 and no dimension yet; the regression where there is one to be had. */
static scene scene_of(const char *network, const char *hw, bool is_regression)
{
    scene s = {.hw = load_hw(hw), .base = arch_of_text(network, 224)};
    s.space = nw_space_new("test", s.base);
    s.estimator = is_regression ? self_estimator(s.hw) : nw_estimator_device();
    return s;
}

static void add_dim(scene *s, nw_dim_kind kind, const char *where, bool each,
                    const nw_option *options, int n)
{
    nw_error err;
    nw_dim_spec spec = {
        .kind = kind, .where = where, .options = options, .n_options = n, .each = each};
    if (nw_space_add(s->space, &spec, &err) != NW_OK)
        abort_with(&err);
}

/* Every number of channels from 8 to 256. */
static void add_channels(scene *s, const char *where)
{
    nw_option options[249];
    for (int i = 0; i < 249; i++)
        options[i] = (nw_option){.n = 8 + i};
    add_dim(s, NW_DIM_CHANNELS, where, false, options, 249);
}

static void add_variants(scene *s, const char *where)
{
    nw_option options[] = {{.block = NW_BLOCK_IBN}, {.block = NW_BLOCK_FUSED}};
    add_dim(s, NW_DIM_VARIANT, where, true, options, 2);
}

static void start(scene *s)
{
    nw_error err;
    if (nw_space_seal(s->space, &err) != NW_OK ||
        nw_plan_new(s->space, s->hw, s->estimator, "int8", NULL, &s->plan, &err) != NW_OK)
        abort_with(&err);
}

static void close_scene(scene *s)
{
    nw_plan_free(s->plan);
    nw_space_release(s->space);
    nw_arch_release(s->base);
    nw_estimator_release(s->estimator);
    nw_hw_free(s->hw);
}

static nw_curation *curate(scene *s)
{
    nw_curation *curation;
    nw_error err;
    if (nw_curate(s->plan, NULL, &curation, &err) != NW_OK)
        abort_with(&err);
    return curation;
}

static const nw_dim *dim_of(const scene *s, int dim)
{
    int n;
    return &nw_space_dims(s->space, &n)[dim];
}

static char *text_of(const nw_curation *curation, bool with_why)
{
    nw_buf buf = {0};
    nw_curation_write(curation, with_why, &buf);
    return buf.text;
}

/* ---- alignments ---- */

/* ne32: 32 lanes and 32 channels in memory; u55-256: bricks of 16; dpu-b4096: 16 lanes. */
static const struct {
    const char *hw;
    int64_t alignment;
} chips[] = {{"ne32", 32}, {"u55-256", 16}, {"dpu-b4096", 16}};
enum { N_CHIPS = sizeof chips / sizeof *chips };

static void expect_alignment(const scene *s, const nw_curation *curation, int64_t alignment)
{
    const nw_dim *d = dim_of(s, 0);
    char *text = text_of(curation, false);
    ck_assert_msg(nw_curation_n_kept(curation, 0) >= 5, "%s", text);
    ck_assert_msg(nw_curation_step(curation, 0) % alignment == 0, "%s", text);
    for (int i = 0; i < d->n_options; i++)
        if (nw_curation_has(curation, 0, i) && d->options[i].n > alignment)
            ck_assert_msg(d->options[i].n % alignment == 0, "%s", text);
    free(text);
}

START_TEST(convolutions_show_the_alignment_of_every_chip)
{
    for (int stage = 1; stage <= 2; stage++) {
        char where[8];
        scene s = scene_of(convolutions, chips[_i].hw, false);
        snprintf(where, sizeof where, "%d", stage);
        add_channels(&s, where);
        start(&s);
        nw_curation *curation = curate(&s);
        expect_alignment(&s, curation, chips[_i].alignment);
        nw_curation_free(curation);
        close_scene(&s);
    }
}
END_TEST

START_TEST(regressions_show_the_same_step)
{
    scene s = scene_of(convolutions, chips[_i].hw, true);
    if (!s.estimator) {
        printf("skipped: no regression of %s is built\n", chips[_i].hw);
        return;
    }
    add_channels(&s, "1");
    start(&s);
    nw_curation *curation = curate(&s);
    ck_assert_int_eq(nw_curation_step(curation, 0) % chips[_i].alignment, 0);
    nw_curation_free(curation);
    close_scene(&s);
}
END_TEST

/* Expanded channels fill the array at smaller numbers, too: the step is that above the first. */
START_TEST(bottlenecks_show_the_step_above_the_first_numbers)
{
    static const char *const stages[N_CHIPS] = {"1", "2", "1"};
    scene s = scene_of(bottlenecks, chips[_i].hw, false);
    add_channels(&s, stages[_i]);
    start(&s);
    nw_curation *curation = curate(&s);
    char *text = text_of(curation, false);
    ck_assert_msg(nw_curation_step(curation, 0) % chips[_i].alignment == 0, "%s", text);
    free(text);
    nw_curation_free(curation);
    close_scene(&s);
}
END_TEST

/* ---- what is lost ---- */

static void expect_little_loss(scene *s)
{
    curate_row row;
    nw_buf report = {0};
    ck_assert(curate_row_find(s->plan, 3000, 12, &row, &report));
    ck_assert_msg(row.edges.n > 100 && row.edges.n_monotone >= 0.99 * (double)row.edges.n,
                  "%lld of %lld edges rise\n%s", (long long)row.edges.n_monotone,
                  (long long)row.edges.n, nw_buf_text(&report));
    ck_assert_msg(row.curated_us <= 1.02 * row.whole_us, "%.1f us in the curated space, %.1f\n%s",
                  row.curated_us, row.whole_us, nw_buf_text(&report));
    ck_assert_msg(row.curated_us <= row.random_us, "%.1f us, of random subsets %.1f",
                  row.curated_us, row.random_us);
    ck_assert_msg(row.curated_us <= row.misaligned_us, "%.1f us, misaligned %.1f", row.curated_us,
                  row.misaligned_us);
    ck_assert_double_lt(row.curated_size, row.size / 500);
    nw_buf_fini(&report);
}

START_TEST(the_best_stays_and_costs_rise_along_what_is_kept)
{
    scene s = scene_of(bottlenecks, chips[_i].hw, false);
    add_channels(&s, "1");
    add_channels(&s, "2");
    add_channels(&s, "3");
    add_variants(&s, "ibn");
    start(&s);
    expect_little_loss(&s);
    close_scene(&s);
}
END_TEST

START_TEST(so_they_do_by_a_regression)
{
    scene s = scene_of(bottlenecks, "ne32", true);
    if (!s.estimator) {
        printf("skipped: no regression of ne32 is built\n");
        return;
    }
    add_channels(&s, "1");
    add_channels(&s, "2");
    start(&s);
    expect_little_loss(&s);
    close_scene(&s);
}
END_TEST

/* ---- choices ---- */

/* DEVICE.md's rule: on 32 lanes a fused block wins below about 36 channels, late blocks lose. */
START_TEST(variants_are_judged_where_they_stand)
{
    scene s = scene_of("cn_r1_k3_s2_e1_c16\nir_r1_k3_s2_e6_c16\nir_r2_k3_s2_e6_c24\n"
                       "ir_r2_k3_s2_e6_c96\nir_r2_k3_s2_e6_c256",
                       "ne32", false);
    add_variants(&s, "2");
    add_variants(&s, "4");
    start(&s);
    nw_curation *curation = curate(&s);
    for (int d = 0; d < 4; d++) {
        const nw_option_verdict *v = nw_curation_verdicts(curation, d);
        int dropped = d < 2 ? 0 : 1; /* ibn early, fused late */
        ck_assert_msg(v[dropped].verdict == NW_VERDICT_SLOWER, "%s: %s %s", dim_of(&s, d)->name,
                      nw_verdict_name(v[dropped].verdict), v[dropped].why);
        ck_assert_int_eq(v[dropped].by, 1 - dropped);
        ck_assert_msg(strstr(v[dropped].why, "is faster at the same score in") != NULL, "%s",
                      v[dropped].why);
        ck_assert_int_eq(v[1 - dropped].verdict, NW_VERDICT_KEPT);
    }
    nw_curation_free(curation);
    close_scene(&s);
}
END_TEST

START_TEST(what_costs_more_and_scores_more_stays)
{
    nw_option kernels[] = {{.n = 3}, {.n = 5}}, depths[] = {{.n = 1}, {.n = 2}};
    nw_option sizes[] = {{.n = 160, .n2 = 160}, {.n = 224, .n2 = 224}};
    nw_option types[] = {{.n = 8}, {.n = 16}};
    scene s = scene_of(bottlenecks, "ne32", false);
    add_dim(&s, NW_DIM_KERNEL, "2.1", false, kernels, 2);
    add_dim(&s, NW_DIM_DEPTH, "1", false, depths, 2);
    add_dim(&s, NW_DIM_RESOLUTION, "*", false, sizes, 2);
    add_dim(&s, NW_DIM_PRECISION, "3.0", false, types, 2);
    start(&s);
    nw_curation *curation = curate(&s);
    char *text = text_of(curation, true);
    for (int d = 0; d < 4; d++)
        ck_assert_msg(nw_curation_n_kept(curation, d) == 2, "%s", text);
    free(text);
    nw_curation_free(curation);
    close_scene(&s);
}
END_TEST

/* ---- the rest of the interface ---- */

static scene channels_on_ne32(void)
{
    scene s = scene_of(convolutions, "ne32", false);
    add_channels(&s, "1");
    start(&s);
    return s;
}

START_TEST(a_seed_says_what_comes_out)
{
    scene s = scene_of(bottlenecks, "dpu-b4096", false);
    add_channels(&s, "1");
    add_channels(&s, "2");
    start(&s);
    nw_curation *a = curate(&s), *b = curate(&s);
    char *one = text_of(a, true), *two = text_of(b, true);
    ck_assert_str_eq(one, two);
    ck_assert_int_gt(nw_curation_n_evaluations(a), 0);
    free(one);
    free(two);
    nw_curation_free(a);
    nw_curation_free(b);
    close_scene(&s);
}
END_TEST

START_TEST(the_restricted_space_has_what_is_kept)
{
    scene s = channels_on_ne32();
    nw_curation *curation = curate(&s);
    const nw_space *part;
    nw_error err;
    if (nw_curation_space(curation, &part, &err) != NW_OK)
        abort_with(&err);
    int n;
    const nw_dim *d = nw_space_dims(part, &n);
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(d->n_options, nw_curation_n_kept(curation, 0));
    for (int i = 0, j = 0; i < dim_of(&s, 0)->n_options; i++)
        if (nw_curation_has(curation, 0, i))
            ck_assert_int_eq(d->options[j++].n, dim_of(&s, 0)->options[i].n);
    ck_assert_double_eq(nw_space_size_approx(part), d->n_options);
    ck_assert_msg(strstr(nw_space_name(part), "curated for ne32") != NULL, "%s",
                  nw_space_name(part));
    nw_space_release(part);
    nw_curation_free(curation);
    close_scene(&s);
}
END_TEST

START_TEST(every_verdict_has_a_reason)
{
    scene s = channels_on_ne32();
    nw_curation *curation = curate(&s);
    const nw_option_verdict *v = nw_curation_verdicts(curation, 0);
    for (int i = 0; i < dim_of(&s, 0)->n_options; i++) {
        ck_assert_msg(v[i].why[0] != '\0', "%d", 8 + i);
        ck_assert(v[i].share >= 0 && v[i].share <= 1);
        if (v[i].verdict == NW_VERDICT_DOMINATED)
            ck_assert_int_gt(v[i].by, i);
    }
    /* 40 channels take the lanes of 64, and fewer weights */
    ck_assert_int_eq(v[40 - 8].verdict, NW_VERDICT_UNEVEN);
    ck_assert_msg(strstr(v[40 - 8].why, "above the line of 32 and 64, in") != NULL, "%s",
                  v[40 - 8].why);
    ck_assert_msg(strstr(v[64 - 8].why, "fills 2 x 32 lanes") != NULL, "%s", v[64 - 8].why);
    nw_curation_free(curation);
    close_scene(&s);
}
END_TEST

START_TEST(the_expert_has_the_last_word)
{
    scene s = channels_on_ne32();
    nw_curation *curation = curate(&s);
    nw_error err;
    int n = dim_of(&s, 0)->n_options;
    ck_assert_int_eq(nw_curation_pin(curation, 0, 40 - 8, &err), NW_OK);
    ck_assert(nw_curation_has(curation, 0, 40 - 8));
    const nw_option_verdict *v = &nw_curation_verdicts(curation, 0)[40 - 8];
    ck_assert_int_eq(v->verdict, NW_VERDICT_PINNED);
    ck_assert_msg(strstr(v->why, "by hand; it was uneven: ") == v->why, "%s", v->why);
    char *text = text_of(curation, false);
    ck_assert_msg(strstr(text, " 40! ") != NULL, "%s", text);
    free(text);
    for (int i = 0; i < n; i++)
        if (i != 40 - 8)
            ck_assert_int_eq(nw_curation_remove(curation, 0, i, &err), NW_OK);
    ck_assert_int_eq(nw_curation_n_kept(curation, 0), 1);
    ck_assert_int_eq(nw_curation_remove(curation, 0, 40 - 8, &err), NW_INVALID);
    ck_assert_int_eq(nw_curation_pin(curation, 1, 0, &err), NW_INVALID);
    ck_assert_int_eq(nw_curation_pin(curation, 0, n, &err), NW_INVALID);
    ck_assert_int_eq(nw_curation_remove(curation, -1, 0, &err), NW_INVALID);
    nw_curation_free(curation);
    close_scene(&s);
}
END_TEST

START_TEST(a_cancelled_curation_says_so)
{
    scene s = channels_on_ne32();
    nw_cancel cancel = {0};
    nw_curate_options options = {.tolerance = -1, .cancel = &cancel};
    nw_curation *curation = NULL;
    nw_error err;
    nw_cancel_set(&cancel);
    ck_assert_int_eq(nw_curate(s.plan, &options, &curation, &err), NW_CANCELLED);
    ck_assert_ptr_null(curation);
    close_scene(&s);
}
END_TEST

START_TEST(one_option_is_kept_whatever_it_costs)
{
    nw_option only[] = {{.n = 40}};
    scene s = scene_of(convolutions, "ne32", false);
    add_dim(&s, NW_DIM_CHANNELS, "1", false, only, 1);
    start(&s);
    nw_curation *curation = curate(&s);
    ck_assert_int_eq(nw_curation_n_kept(curation, 0), 1);
    ck_assert_int_eq(nw_curation_step(curation, 0), 1);
    nw_curation_free(curation);
    close_scene(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("curate");
    TCase *steps = tcase_create("alignments");
    tcase_set_timeout(steps, 300);
    tcase_add_loop_test(steps, convolutions_show_the_alignment_of_every_chip, 0, N_CHIPS);
    tcase_add_loop_test(steps, regressions_show_the_same_step, 0, N_CHIPS);
    tcase_add_loop_test(steps, bottlenecks_show_the_step_above_the_first_numbers, 0, N_CHIPS);
    suite_add_tcase(suite, steps);
    TCase *loss = tcase_create("loss");
    tcase_set_timeout(loss, 600);
    tcase_add_loop_test(loss, the_best_stays_and_costs_rise_along_what_is_kept, 0, N_CHIPS);
    tcase_add_test(loss, so_they_do_by_a_regression);
    suite_add_tcase(suite, loss);
    TCase *rest = tcase_create("rest");
    tcase_set_timeout(rest, 300);
    tcase_add_test(rest, variants_are_judged_where_they_stand);
    tcase_add_test(rest, what_costs_more_and_scores_more_stays);
    tcase_add_test(rest, a_seed_says_what_comes_out);
    tcase_add_test(rest, the_restricted_space_has_what_is_kept);
    tcase_add_test(rest, every_verdict_has_a_reason);
    tcase_add_test(rest, the_expert_has_the_last_word);
    tcase_add_test(rest, a_cancelled_curation_says_so);
    tcase_add_test(rest, one_option_is_kept_whatever_it_costs);
    suite_add_tcase(suite, rest);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
