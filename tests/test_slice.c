/* Slices, grids and panels of the built-in detector's space, against the networks themselves. */
#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "src/landscape/landscape.h"
#include "tests/support.h"

/* The detector with the channels of two stages and the variant of a block to choose from. */
typedef struct fixture {
    nw_hw *hw;
    const nw_space *space;
    nw_plan *plan;
    uint16_t genome[NW_MAX_DIMS];
} fixture;

enum { N_X = 11, N_Y = 7 };

static void must(nw_status status, const nw_error *err)
{
    if (status != NW_OK)
        ck_abort_msg("%s: %s", err->where, err->message);
}

static void add_channels(nw_space *space, const char *where, int first, int step, int n)
{
    nw_option options[64] = {{0}};
    nw_error err;
    for (int i = 0; i < n; i++)
        options[i].n = first + step * i;
    nw_dim_spec spec = {
        .kind = NW_DIM_CHANNELS, .where = where, .options = options, .n_options = n};
    must(nw_space_add(space, &spec, &err), &err);
}

static const nw_space *make_space(const char *requirement)
{
    static const nw_option kinds[] = {{.block = NW_BLOCK_IBN}, {.block = NW_BLOCK_FUSED}};
    nw_error err;
    nw_graph *graph;
    must(nw_model_load("demo", NULL, 0, &graph, &err), &err);
    const nw_arch *arch = nw_arch_lift(graph);
    nw_space *space = nw_space_new("detector", arch);
    nw_arch_release(arch);
    add_channels(space, "3", 16, 8, N_X);
    add_channels(space, "4", 32, 16, N_Y);
    nw_dim_spec variant = {
        .kind = NW_DIM_VARIANT, .where = "2.1", .options = kinds, .n_options = 2};
    must(nw_space_add(space, &variant, &err), &err);
    if (requirement)
        must(nw_space_require(space, requirement, "test", 1, &err), &err);
    must(nw_space_seal(space, &err), &err);
    return space;
}

static void setup(fixture *f, const nw_space *space)
{
    nw_error err;
    *f = (fixture){.space = space};
    must(nw_hw_load("ne32", "hw", &f->hw, &err), &err);
    must(nw_plan_new(space, f->hw, nw_estimator_device(), NULL, NULL, &f->plan, &err), &err);
    nw_space_base_genome(space, f->genome);
}

static void teardown(fixture *f)
{
    nw_plan_free(f->plan);
    nw_space_release(f->space);
    nw_hw_free(f->hw);
}

static nw_slice_spec spec_of(const fixture *f, int x, int y, nw_metric metric)
{
    return (nw_slice_spec){.x_dim = x,
                           .y_dim = y,
                           .genome = f->genome,
                           .metric = metric,
                           .objective = nw_plan_objective(f->plan)};
}

static nw_slice *make_slice(const fixture *f, int x, int y, nw_metric metric)
{
    nw_error err;
    nw_slice *slice;
    nw_slice_spec spec = spec_of(f, x, y, metric);
    must(nw_slice_new(f->plan, &spec, &slice, &err), &err);
    return slice;
}

/* What the network of a genome costs, without slice and plan. */
static nw_totals price(const fixture *f, const uint16_t *genome)
{
    nw_error err;
    nw_totals totals;
    const nw_arch *arch;
    must(nw_space_arch(f->space, genome, &arch, &err), &err);
    must(nw_totals_of(arch, f->hw, nw_estimator_device(), NULL, &totals, &err), &err);
    nw_arch_release(arch);
    return totals;
}

START_TEST(every_point_is_its_network_on_the_full_path)
{
    fixture f;
    setup(&f, make_space(NULL));
    nw_slice *slice = make_slice(&f, 0, 1, NW_METRIC_OBJECTIVE);
    nw_objective objective = nw_plan_objective(f.plan);
    nw_slice_fill(slice, NULL, NULL, NULL);
    ck_assert(nw_slice_is_done(slice));
    ck_assert_int_eq(nw_slice_width(slice), N_X);
    ck_assert_int_eq(nw_slice_height(slice), N_Y);
    nw_terrain t = nw_slice_terrain(slice);
    ck_assert_int_eq(t.n_points, N_X * N_Y);
    for (int i = 0; i < N_X * N_Y; i += 5) {
        uint16_t genome[NW_MAX_DIMS];
        bool is_exact;
        nw_slice_genome(slice, i % N_X, i / N_X, genome);
        ck_assert_int_eq(genome[0], i % N_X);
        ck_assert_int_eq(genome[1], i / N_X);
        nw_totals wanted = price(&f, genome);
        double value = nw_totals_metric(&wanted, NW_METRIC_OBJECTIVE, &objective);
        ck_assert_double_eq(nw_slice_value(slice, i % N_X, i / N_X, &is_exact), value);
        ck_assert(is_exact);
        ck_assert_double_eq(t.values[i], value);
        ck_assert_int_eq(nw_slice_totals(slice, i % N_X, i / N_X)->latency_ps, wanted.latency_ps);
    }
    nw_slice_free(slice);
    teardown(&f);
}
END_TEST

/* Coarse to fine: the corner first; unknown points show the nearest coarser one. */
START_TEST(a_picture_is_there_before_it_is_complete)
{
    fixture f;
    setup(&f, make_space(NULL));
    nw_slice *slice = make_slice(&f, 0, 1, NW_METRIC_LATENCY);
    bool is_exact = true;
    ck_assert_double_nan(nw_slice_value(slice, 5, 5, &is_exact));
    ck_assert(!is_exact);
    ck_assert(nw_slice_work(slice, 1, NULL));
    ck_assert_int_eq(nw_slice_n_done(slice), 1);
    double corner = nw_slice_value(slice, 0, 0, &is_exact);
    ck_assert(is_exact && corner > 0);
    nw_totals probe;
    nw_error err;
    must(nw_slice_probe(slice, 5, 5, &probe, &err), &err);
    ck_assert_int_eq(nw_slice_n_done(slice), 1);
    while (nw_slice_work(slice, 3, NULL))
        ;
    ck_assert(nw_slice_is_done(slice));
    ck_assert_double_eq(nw_slice_value(slice, 5, 5, &is_exact), (double)probe.latency_ps / 1e6);
    nw_slice_free(slice);
    teardown(&f);
}
END_TEST

START_TEST(unknown_points_show_the_nearest_coarser_one)
{
    fixture f;
    nw_error err;
    const nw_space *coarse = make_space(NULL), *fine;
    uint16_t genome[NW_MAX_DIMS];
    nw_space_base_genome(coarse, genome);
    must(nw_grid_space(coarse, 0, 1, genome, 1000, NULL, &fine, &err), &err);
    nw_space_release(coarse);
    setup(&f, fine);
    nw_slice *slice = make_slice(&f, 0, -1, NW_METRIC_MACS);
    bool is_exact;
    /* 81 channels: every eighth is in the first picture, in order */
    ck_assert_int_eq(nw_slice_width(slice), 81);
    nw_slice_work(slice, 11, NULL);
    double at_8 = nw_slice_value(slice, 8, 0, &is_exact);
    ck_assert(is_exact);
    ck_assert_double_eq(nw_slice_value(slice, 15, 0, &is_exact), at_8);
    ck_assert(!is_exact);
    nw_slice_free(slice);
    teardown(&f);
}
END_TEST

typedef struct sharer {
    nw_slice *slice;
    nw_cancel *cancel;
} sharer;

static void *share(void *context)
{
    sharer *s = context;
    while (nw_slice_work(s->slice, 2, s->cancel))
        ;
    return NULL;
}

START_TEST(workers_share_a_slice_and_cancelled_work_can_be_taken_up_again)
{
    fixture f;
    setup(&f, make_space(NULL));
    nw_slice *slice = make_slice(&f, 0, 1, NW_METRIC_OBJECTIVE);
    nw_slice *alone = make_slice(&f, 0, 1, NW_METRIC_OBJECTIVE);
    nw_cancel cancel = {0};
    nw_slice_work(slice, 9, &cancel);
    nw_cancel_set(&cancel);
    ck_assert(nw_slice_work(slice, 1000, &cancel));
    ck_assert_int_eq(nw_slice_n_done(slice), 9);
    pthread_t threads[3];
    sharer s = {slice, NULL};
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, share, &s), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    ck_assert(nw_slice_is_done(slice));
    while (nw_slice_work(alone, 64, NULL))
        ;
    ck_assert_mem_eq(nw_slice_terrain(slice).values, nw_slice_terrain(alone).values,
                     N_X * N_Y * sizeof(double));
    nw_slice_free(slice);
    nw_slice_free(alone);
    teardown(&f);
}
END_TEST

START_TEST(a_path_changes_a_gene_at_a_time)
{
    fixture f;
    setup(&f, make_space(NULL));
    nw_error err;
    nw_slice *slice;
    uint16_t to[] = {5, 3, 1}, genome[NW_MAX_DIMS];
    f.genome[0] = 2;
    f.genome[1] = 3;
    f.genome[2] = 0;
    nw_slice_spec spec = spec_of(&f, 0, 1, NW_METRIC_MACS);
    spec.to = to;
    must(nw_slice_new(f.plan, &spec, &slice, &err), &err);
    ck_assert_int_eq(nw_slice_width(slice), 3);
    ck_assert_int_eq(nw_slice_height(slice), 1);
    nw_slice_genome(slice, 1, 0, genome);
    ck_assert(genome[0] == 5 && genome[1] == 3 && genome[2] == 0);
    nw_slice_genome(slice, 2, 0, genome);
    ck_assert(genome[0] == 5 && genome[1] == 3 && genome[2] == 1);
    nw_slice_fill(slice, NULL, NULL, NULL);
    nw_totals end = price(&f, to);
    ck_assert_double_eq(nw_slice_value(slice, 2, 0, NULL), (double)end.parts.macs);
    nw_slice_free(slice);
    ck_assert_int_eq(nw_slice_new(f.plan, &(nw_slice_spec){.genome = to, .to = to}, &slice, &err),
                     NW_INVALID);
    teardown(&f);
}
END_TEST

START_TEST(slices_that_cannot_be_are_refused)
{
    fixture f;
    setup(&f, make_space(NULL));
    nw_error err;
    nw_slice *slice;
    static const int bad[][2] = {{-1, 0}, {3, 0}, {0, 3}, {0, 0}, {0, -2}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nw_slice_spec spec = spec_of(&f, bad[i][0], bad[i][1], NW_METRIC_MACS);
        ck_assert_int_eq(nw_slice_new(f.plan, &spec, &slice, &err), NW_INVALID);
    }
    f.genome[2] = 2;
    nw_slice_spec spec = spec_of(&f, 0, 1, NW_METRIC_MACS);
    ck_assert_int_eq(nw_slice_new(f.plan, &spec, &slice, &err), NW_INVALID);
    ck_assert_str_eq(err.where, "v2.1");
    teardown(&f);
}
END_TEST

/* Stage 3 has 16, 24, ... channels, stage 4 has 32, 48, ... */
START_TEST(what_a_requirement_rules_out_is_no_point)
{
    fixture f;
    setup(&f, make_space("c3 <= c4"));
    nw_slice *slice = make_slice(&f, 0, 1, NW_METRIC_MACS);
    nw_totals totals;
    nw_error err;
    bool is_exact;
    ck_assert_double_nan(nw_slice_value(slice, N_X - 1, 0, &is_exact));
    ck_assert(is_exact);
    ck_assert_int_eq(nw_slice_probe(slice, N_X - 1, 0, &totals, &err), NW_INVALID);
    nw_slice_fill(slice, NULL, NULL, NULL);
    nw_terrain t = nw_slice_terrain(slice);
    for (int i = 0; i < N_X * N_Y; i++)
        ck_assert_int_eq(isnan(t.values[i]), 16 + 8 * (i % N_X) > 32 + 16 * (i / N_X));
    nw_slice_free(slice);
    teardown(&f);
}
END_TEST

START_TEST(variants_are_choices_and_a_score_is_better_the_higher)
{
    fixture f;
    setup(&f, make_space(NULL));
    nw_slice *slice = make_slice(&f, 0, 2, NW_METRIC_SCORE);
    nw_slice_fill(slice, NULL, NULL, NULL);
    nw_terrain t = nw_slice_terrain(slice);
    ck_assert_int_eq(t.kinds[0], NW_AXIS_STEPS);
    ck_assert_int_eq(t.kinds[1], NW_AXIS_CHOICES);
    double scores[2 * N_X];
    nw_slice_values(slice, NW_METRIC_SCORE, scores);
    for (int i = 0; i < 2 * N_X; i++) {
        ck_assert_double_eq(t.values[i], -scores[i]);
        ck_assert_double_eq(nw_slice_value(slice, i % N_X, i / N_X, NULL), scores[i]);
    }
    ck_assert_double_gt(scores[N_X - 1], scores[0]);
    nw_slice_free(slice);
    teardown(&f);
}
END_TEST

/* ---- grids ---- */

START_TEST(a_grid_has_single_steps_and_everything_else_fixed)
{
    nw_error err;
    const nw_space *space = make_space(NULL), *grid;
    uint16_t genome[NW_MAX_DIMS];
    int n;
    nw_space_base_genome(space, genome);
    genome[2] = 1;
    must(nw_grid_space(space, 0, 1, genome, 1000, NULL, &grid, &err), &err);
    const nw_dim *dims = nw_space_dims(grid, &n);
    ck_assert_int_eq(n, 3);
    ck_assert_int_eq(dims[0].n_options, 81);
    for (int i = 0; i < 81; i++)
        ck_assert_int_eq(dims[0].options[i].n, 16 + i);
    ck_assert_int_eq(dims[1].n_options, 97);
    ck_assert_int_eq(dims[2].n_options, 1);
    ck_assert_int_eq(dims[2].options[0].block, NW_BLOCK_FUSED);
    nw_space_release(grid);
    /* 32 to 128 in steps of 8 with 16 a side at most: the space's own options are there anyway */
    must(nw_grid_space(space, 1, -1, genome, 22, NULL, &grid, &err), &err);
    dims = nw_space_dims(grid, &n);
    ck_assert_int_eq(dims[0].n_options, 1);
    ck_assert_int_eq(dims[1].n_options, 13);
    ck_assert_int_eq(dims[1].options[1].n, 40);
    nw_space_release(grid);
    /* own options 16, 24, ... 96 are too many for 10 a side: multiples of 16, the base's 32 */
    static const uint8_t odd[N_X] = {[1] = 1};
    const uint8_t *const kept[2] = {odd, NULL};
    must(nw_grid_space(space, 0, -1, genome, 10, kept, &grid, &err), &err);
    static const int64_t wanted[] = {16, 24, 32, 48, 64, 80, 96};
    dims = nw_space_dims(grid, &n);
    ck_assert_int_eq(dims[0].n_options, 7);
    for (int i = 0; i < 7; i++)
        ck_assert_int_eq(dims[0].options[i].n, wanted[i]);
    nw_space_release(grid);
    ck_assert_int_eq(nw_grid_space(space, 0, 0, genome, 9, NULL, &grid, &err), NW_INVALID);
    nw_space_release(space);
}
END_TEST

/* ---- panels ---- */

START_TEST(panels_are_the_same_grid_and_every_end_is_priced_on_the_hardware)
{
    static const int columns[] = {0, 2, 4, 8}, rows[] = {0, 2, 4, 6};
    fixture f;
    nw_error err;
    nw_panes panes;
    setup(&f, make_space(NULL));
    nw_slice *slice = make_slice(&f, 0, 1, NW_METRIC_OBJECTIVE);
    nw_objective objective = nw_plan_objective(f.plan);
    nw_slice_fill(slice, NULL, NULL, NULL);
    nw_panes_spec spec = {.start_x = -1,
                          .start_y = -1,
                          .columns = columns,
                          .rows = rows,
                          .n_columns = 4,
                          .n_rows = 4};
    must(nw_panes_find(slice, &spec, &panes, &err), &err);
    ck_assert_int_eq(panes.start_x, 7);
    ck_assert_int_eq(panes.start_y, 4);
    for (int i = 0; i < NW_PANE_COUNT; i++) {
        const nw_pane *p = &panes.panes[i];
        uint16_t genome[NW_MAX_DIMS];
        ck_assert(p->is_there);
        nw_slice_genome(slice, p->end_x, p->end_y, genome);
        nw_totals end = price(&f, genome);
        ck_assert_int_eq(p->end.latency_ps, end.latency_ps);
        double value = nw_totals_metric(&end, NW_METRIC_OBJECTIVE, &objective);
        ck_assert_double_eq(p->end_value, value);
        ck_assert_double_eq_tol(p->gap, value / panes.best_value - 1, 1e-12);
        ck_assert_double_ge(p->gap, 0);
    }
    /* MACs fall all the way to the smallest network */
    ck_assert_int_eq(panes.panes[NW_PANE_MACS].end_x, 0);
    ck_assert_int_eq(panes.panes[NW_PANE_MACS].end_y, 0);
    ck_assert_int_eq(panes.panes[NW_PANE_MACS].figures.n_minima, 1);
    ck_assert_double_eq(panes.panes[NW_PANE_MACS].figures.monotone, 1);
    const nw_pane *c = &panes.panes[NW_PANE_CURATED], *shifted = &panes.panes[NW_PANE_SHIFTED];
    ck_assert_int_eq(c->width, 4);
    ck_assert_double_eq(c->values[5], nw_slice_value(slice, 2, 2, NULL));
    ck_assert_int_eq(c->climb.path[0], 2 * 4 + 3); /* 7, 4 is nearest to column 8, row 4 */
    static const int x[] = {1, 3, 6, 10}, y[] = {1, 3, 5};
    ck_assert_int_eq(shifted->width, 4);
    ck_assert_int_eq(shifted->height, 3); /* row 7 would leave the slice */
    ck_assert_mem_eq(shifted->at_x, x, sizeof x);
    ck_assert_mem_eq(shifted->at_y, y, sizeof y);
    ck_assert_int_eq(panes.restarts.n_evaluations, c->climb.n_evaluations);
    ck_assert_double_ge(panes.restarts.mean_gap, 0);
    nw_panes_fini(&panes);
    nw_slice_free(slice);
    teardown(&f);
}
END_TEST

START_TEST(a_line_without_curation_has_no_third_panel)
{
    fixture f;
    nw_error err;
    nw_panes panes;
    setup(&f, make_space(NULL));
    nw_slice *slice = make_slice(&f, 1, -1, NW_METRIC_LATENCY);
    nw_slice_fill(slice, NULL, NULL, NULL);
    nw_panes_spec spec = {.start_x = N_Y - 1, .start_y = 0};
    must(nw_panes_find(slice, &spec, &panes, &err), &err);
    ck_assert(panes.panes[NW_PANE_SINGLE].is_there);
    ck_assert(!panes.panes[NW_PANE_CURATED].is_there && !panes.panes[NW_PANE_SHIFTED].is_there);
    ck_assert_int_eq(panes.restarts.n_runs, 0);
    nw_panes_fini(&panes);
    nw_slice_free(slice);
    teardown(&f);
}
END_TEST

START_TEST(options_of_another_dimension_are_found_on_a_slice)
{
    static const uint8_t keep[] = {1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1};
    fixture f;
    nw_error err;
    const nw_space *space = make_space(NULL), *grid;
    uint16_t genome[NW_MAX_DIMS];
    int n, at[N_X];
    nw_space_base_genome(space, genome);
    must(nw_grid_space(space, 0, 1, genome, 1000, NULL, &grid, &err), &err);
    setup(&f, grid);
    nw_slice *slice = make_slice(&f, 0, 1, NW_METRIC_MACS);
    const nw_dim *dims = nw_space_dims(space, &n);
    ck_assert_int_eq(nw_slice_find_options(slice, false, &dims[0], keep, at), 3);
    ck_assert(at[0] == 0 && at[1] == 16 && at[2] == 80);
    ck_assert_int_eq(nw_slice_find_options(slice, true, &dims[1], NULL, at), N_Y);
    nw_slice_free(slice);
    nw_space_release(space);
    teardown(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slice");
    TCase *c = tcase_create("slices");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, every_point_is_its_network_on_the_full_path);
    tcase_add_test(c, a_picture_is_there_before_it_is_complete);
    tcase_add_test(c, unknown_points_show_the_nearest_coarser_one);
    tcase_add_test(c, workers_share_a_slice_and_cancelled_work_can_be_taken_up_again);
    tcase_add_test(c, a_path_changes_a_gene_at_a_time);
    tcase_add_test(c, slices_that_cannot_be_are_refused);
    tcase_add_test(c, what_a_requirement_rules_out_is_no_point);
    tcase_add_test(c, variants_are_choices_and_a_score_is_better_the_higher);
    tcase_add_test(c, a_grid_has_single_steps_and_everything_else_fixed);
    tcase_add_test(c, panels_are_the_same_grid_and_every_end_is_priced_on_the_hardware);
    tcase_add_test(c, a_line_without_curation_has_no_third_panel);
    tcase_add_test(c, options_of_another_dimension_are_found_on_a_slice);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
