/* Spaces in a session: opening, curation and the expert's hand, the landscape in the background.
 * Costs are checked against the full path, minima against the values around them. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"
#include "tests/support_session.h"
#include "tests/support_space.h"

static const nw_landscape *land(nw_session *s)
{
    nw_session_follow_landscape(s);
    wait_for_landscape(s);
    const nw_landscape *l = nw_session_landscape(s);
    ck_assert_ptr_nonnull(l);
    ck_assert_msg(l->phase == NW_PHASE_DONE, "%s", l->doing);
    ck_assert_ptr_nonnull(l->panes);
    return l;
}

static int option_at(const nw_dim *dim, int64_t n)
{
    for (int i = 0; i < dim->n_options; i++)
        if (dim->options[i].n == n)
            return i;
    ck_abort_msg("%s has no %lld", dim->name, (long long)n);
}

/* The network with these channels by the full path, without plan and grid. */
static nw_totals full_path(nw_session *s, int64_t c3, int64_t c4)
{
    nw_error err;
    nw_totals totals;
    const nw_arch *arch = small_network(c3, c4);
    const nw_estimator *by = nw_session_open_estimator(s);
    ck_assert_int_eq(
        nw_totals_of(arch, nw_session_hw(s), by, nw_session_precision(s), &totals, &err), NW_OK);
    nw_arch_release(arch);
    nw_estimator_release(by);
    return totals;
}

/* ---- opening ---- */

START_TEST(a_space_opens_and_is_undone_and_done_again)
{
    nw_session *s = begin_plain();
    refuse(s, "space.curate", NULL, "there is no search space yet");
    refuse(s, "landscape.x", "c3", "there is no search space yet");
    refuse(s, "space", SMALL_SPACE, "spaces in Lua are not read here");
    refuse(s, "space", "model", "nothing is open");
    nw_session_set_space_loader(s, small_space_loader());
    refuse(s, "space", "other.lua", "there is no such file");
    ck_assert_ptr_null(nw_session_space(s));
    act(s, "space", SMALL_SPACE);
    ck_assert_str_eq(nw_space_name(nw_session_space(s)), "small");
    ck_assert_ptr_nonnull(
        strstr(last_message(s)->text, "3 dimensions, 30 networks")); /* 3 x 5 x 2 */
    act(s, "undo", NULL);
    ck_assert_ptr_null(nw_session_space(s));
    act(s, "redo", NULL);
    ck_assert_int_eq(nw_space_n_dims(nw_session_space(s)), 3);
    nw_session_free(s);
}
END_TEST

START_TEST(the_usual_space_of_what_is_open)
{
    nw_session *s = begin_plain();
    act(s, "open", "demo");
    act(s, "edit", "channels 3 40");
    act(s, "space", "model");
    const nw_space *space = nw_session_space(s);
    uint16_t genome[NW_MAX_DIMS];
    int n, c3 = nw_space_find_dim(space, "c3");
    ck_assert_int_ge(c3, 0);
    nw_space_base_genome(space, genome);
    ck_assert_int_eq(nw_space_dims(space, &n)[c3].options[genome[c3]].n,
                     40); /* of the edited one */
    nw_session_free(s);
}
END_TEST

/* ---- curation and the hand ---- */

START_TEST(options_are_judged_in_the_background_for_the_hardware_chosen)
{
    nw_session *s = begin_small_space();
    nw_session_follow_curation(s);
    ck_assert_int_eq(nw_session_curation_phase(s), NW_PHASE_RUNNING);
    ck_assert_ptr_null(nw_session_curation(s));
    wait_for_curation(s);
    ck_assert_int_eq(nw_session_curation_phase(s), NW_PHASE_DONE);
    int n;
    const nw_dim *dims = nw_space_dims(nw_session_space(s), &n);
    for (int d = 0; d < n; d++)
        for (int o = 0; o < dims[d].n_options; o++)
            ck_assert_int_eq(nw_session_keeps(s, d, o),
                             nw_curation_has(nw_session_curation(s), d, o));
    ck_assert_ptr_nonnull(nw_session_curated(s));
    act(s, "hw", "ne64");
    ck_assert_int_eq(nw_session_curation_phase(s), NW_PHASE_RUNNING);
    ck_assert_ptr_null(nw_session_curated(s));
    wait_for_curation(s);
    ck_assert_ptr_nonnull(nw_session_curated(s));
    nw_session_free(s);
}
END_TEST

START_TEST(the_hand_decides_whatever_curation_says)
{
    nw_session *s = begin_small_space();
    nw_session_follow_curation(s);
    wait_for_curation(s);
    choose_by_hand(s);
    ck_assert_double_eq(nw_space_size_approx(nw_session_curated(s)), 2 * 3 * 1);
    ck_assert(nw_session_hand(s, 0, 0) == NW_HAND_DROP && !nw_session_keeps(s, 0, 0));
    act(s, "option.free", "c3=24");
    ck_assert_int_eq(nw_session_hand(s, 0, 0), NW_HAND_FREE);
    act(s, "undo", NULL);
    ck_assert_int_eq(nw_session_hand(s, 0, 0), NW_HAND_DROP);
    act(s, "option.drop", "c3=32");
    refuse(s, "option.drop", "c3=40", "it is the last option that is left");
    refuse(s, "option.keep", "c3=41", "c3 has no such option");
    refuse(s, "option.keep", "c9=41", "small has no such dimension");
    refuse(s, "option.keep", "c3", "say the dimension and the option");
    refuse(s, "option.keep", "c3=many", "");
    act(s, "space.curate", NULL);
    ck_assert(nw_session_is_curated(s));
    act(s, "space.curate", NULL);
    ck_assert(!nw_session_is_curated(s));
    nw_session_free(s);
}
END_TEST

/* ---- the landscape ---- */

START_TEST(values_are_those_of_the_full_path)
{
    static const int64_t points[][2] = {{24, 48}, {25, 80}, {32, 64}, {33, 65}, {40, 79}};
    nw_session *s = begin_small_space();
    const nw_landscape *l = land(s);
    ck_assert_str_eq(l->x->name, "c4");
    ck_assert_str_eq(l->y->name, "c3");
    ck_assert_int_eq(l->x->n_options, 80 - 48 + 1); /* single steps */
    ck_assert_int_eq(l->y->n_options, 40 - 24 + 1);
    nw_totals base = full_path(s, 32, 64);
    double base_score = nw_score_default(&base.parts, 0);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        nw_totals t = full_path(s, points[i][0], points[i][1]), probed;
        int x = option_at(l->x, points[i][1]), y = option_at(l->y, points[i][0]);
        double gain = nw_score_default(&t.parts, 0) - base_score;
        double expected =
            (double)t.latency_ps / (double)base.latency_ps * exp(-l->objective.weight * gain);
        ck_assert_double_eq_tol(nw_landscape_value(l, x, y), expected, 1e-12);
        ck_assert_double_eq(nw_landscape_macs(l, x, y), (double)t.parts.macs);
        ck_assert_int_eq(nw_landscape_probe(l, x, y, &probed, NULL), NW_OK);
        ck_assert_int_eq(probed.latency_ps, t.latency_ps);
        ck_assert_int_eq(probed.energy_fj, t.energy_fj);
        ck_assert_int_eq(probed.peak_live_bytes, t.peak_live_bytes);
    }
    nw_session_free(s);
}
END_TEST

static double around(const nw_landscape *l, int x, int y)
{
    bool is_there = x >= 0 && y >= 0 && x < l->x->n_options && y < l->y->n_options;
    return is_there ? nw_landscape_value(l, x, y) : INFINITY;
}

START_TEST(climbs_end_where_nothing_near_is_lower)
{
    nw_session *s = begin_small_space();
    nw_session_follow_curation(s);
    choose_by_hand(s);
    const nw_landscape *l = land(s);
    const nw_pane *b = &l->panes->panes[NW_PANE_SINGLE];
    double end = nw_landscape_value(l, b->end_x, b->end_y);
    ck_assert(end <= around(l, b->end_x - 1, b->end_y) && end <= around(l, b->end_x + 1, b->end_y));
    ck_assert(end <= around(l, b->end_x, b->end_y - 1) && end <= around(l, b->end_x, b->end_y + 1));
    const nw_pane *a = &l->panes->panes[NW_PANE_MACS]; /* fewer channels, fewer MACs */
    ck_assert(a->end_x == 0 && a->end_y == 0);
    ck_assert_int_eq(a->figures.n_minima, 1);
    const nw_pane *c = &l->panes->panes[NW_PANE_CURATED];
    ck_assert(c->is_there && l->has_curated);
    ck_assert_int_eq(c->width, 3);
    ck_assert_int_eq(c->height, 2);
    ck_assert_int_eq(l->x->options[l->columns[1]].n, 64);
    ck_assert_int_eq(l->y->options[l->rows[1]].n, 40);
    nw_session_free(s);
}
END_TEST

START_TEST(the_picture_follows_what_is_chosen)
{
    nw_session *s = begin_small_space();
    const nw_landscape *l = land(s);
    uint64_t version = l->version;
    act(s, "landscape.start", "50 26");
    wait_for_landscape(s);
    l = nw_session_landscape(s);
    ck_assert_int_ne(l->version, version);
    ck_assert_int_eq(l->panes->start_x, 2);
    ck_assert_int_eq(l->panes->start_y, 2);
    act(s, "landscape.metric", "latency");
    wait_for_landscape(s);
    l = nw_session_landscape(s);
    nw_totals t = full_path(s, 32, 64);
    double us = nw_landscape_value(l, option_at(l->x, 64), option_at(l->y, 32));
    ck_assert_double_eq_tol(us, (double)t.latency_ps / 1e6, 1e-9);
    act(s, "landscape.metric", NULL);
    ck_assert_int_eq(nw_session_landscape(s)->metric, NW_METRIC_ENERGY);
    act(s, "landscape.x", "c3"); /* they change places */
    wait_for_landscape(s);
    l = nw_session_landscape(s);
    ck_assert_str_eq(l->x->name, "c3");
    ck_assert_str_eq(l->y->name, "c4");
    act(s, "landscape.y", "v4.1");
    wait_for_landscape(s);
    ck_assert_int_eq(nw_session_landscape(s)->y->n_options, 2);
    int64_t ne32 = full_path(s, 32, 64).latency_ps;
    act(s, "hw", "ne64");
    wait_for_landscape(s);
    nw_totals probed;
    l = nw_session_landscape(s);
    ck_assert_int_eq(nw_landscape_probe(l, option_at(l->x, 32), 0, &probed, NULL), NW_OK);
    ck_assert_int_eq(probed.latency_ps, full_path(s, 32, 64).latency_ps);
    ck_assert_int_ne(probed.latency_ps, ne32);
    refuse(s, "landscape.x", "c9", "small has no such dimension");
    refuse(s, "landscape.metric", "beauty", "no such height");
    refuse(s, "landscape.start", "32", "say both");
    nw_session_free(s);
}
END_TEST

START_TEST(a_probe_answers_before_the_picture_is_complete)
{
    nw_session *s = begin_small_space();
    nw_totals probed;
    nw_error err;
    nw_session_follow_landscape(s);
    const nw_landscape *l = nw_session_landscape(s);
    ck_assert_int_eq(nw_landscape_probe(l, 0, 0, &probed, &err), NW_UNSUPPORTED); /* no plan yet */
    for (int i = 0; i < 6000 && !nw_session_landscape(s)->x; i++)
        wait_a_moment(s);
    l = nw_session_landscape(s);
    ck_assert_ptr_nonnull(l->x);
    ck_assert_double_lt(l->done, 1);
    int x = l->x->n_options - 1, y = 1;
    ck_assert_int_eq(nw_landscape_probe(l, x, y, &probed, &err), NW_OK);
    ck_assert_int_eq(probed.latency_ps, full_path(s, 25, 80).latency_ps);
    nw_session_free(s);
}
END_TEST

START_TEST(a_point_opens_as_the_network_that_was_probed)
{
    nw_session *s = begin_small_space();
    const nw_landscape *l = land(s);
    nw_totals probed;
    static const int64_t points[][2] = {{40, 72}, {37, 71}}; /* of the space, between its options */
    for (int i = 0; i < 2; i++) {
        l = nw_session_landscape(s);
        int x = option_at(l->x, points[i][1]), y = option_at(l->y, points[i][0]);
        ck_assert_int_eq(nw_landscape_probe(l, x, y, &probed, NULL), NW_OK);
        char *text = nw_landscape_point_text(l, x, y);
        ck_assert_ptr_nonnull(text);
        act(s, "space.open", text);
        free(text);
        ck_assert_int_eq(nw_session_current(s)->estimate.latency_ps, probed.latency_ps);
        ck_assert_int_eq(nw_session_baseline(s)->estimate.latency_ps,
                         full_path(s, 32, 64).latency_ps);
        ck_assert_str_eq(nw_session_current(s)->label, "small");
    }
    act(s, "undo", NULL);
    act(s, "space.open", "c3=24");
    ck_assert_int_eq(latency(s), full_path(s, 24, 64).latency_ps);
    refuse(s, "space.open", "c3=25", "");
    refuse(s, "space.open", "; channels 3 none", "");
    nw_session_free(s);
}
END_TEST

START_TEST(what_is_computed_stops_and_begins_anew)
{
    nw_session *s = begin_small_space();
    refuse(s, "stop", NULL, "nothing is running");
    nw_session_follow_landscape(s);
    ck_assert(nw_session_is_exploring(s));
    act(s, "stop", NULL);
    wait_for_landscape(s);
    ck_assert(!nw_session_is_exploring(s));
    ck_assert_str_eq(nw_session_landscape(s)->doing, "stopped; r begins anew");
    for (int i = 0; i < 3; i++)
        wait_a_moment(s);
    ck_assert_ptr_null(nw_session_landscape(s)->panes);
    act(s, "landscape.start", NULL);
    wait_for_landscape(s);
    ck_assert_ptr_nonnull(nw_session_landscape(s)->panes);
    nw_session_free(s);
}
END_TEST

/* ---- the log, the end ---- */

START_TEST(the_log_says_what_was_chosen)
{
    nw_buf log = {0};
    nw_session *s = begin_small_space();
    act(s, "option.drop", "c3=24");
    act(s, "landscape.x", "c3");
    act(s, "landscape.metric", NULL);
    act(s, "landscape.start", "32 64");
    act(s, "space.open", "c4=48");
    nw_session_log_lua(s, &log);
    static const char *const lines[] = {"nasw.act(\"space\", \"small.lua\")\n",
                                        "nasw.act(\"option.drop\", \"c3=24\")\n",
                                        "nasw.act(\"landscape.x\", \"c3\")\n",
                                        "nasw.act(\"landscape.metric\", \"latency_us\")\n",
                                        "nasw.act(\"landscape.start\", \"32 64\")\n",
                                        "nasw.act(\"space.open\", \"c4=48\")\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(strstr(nw_buf_text(&log), lines[i]) != NULL, "no %s in\n%s", lines[i],
                      nw_buf_text(&log));
    nw_buf_fini(&log);
    nw_session_free(s);
}
END_TEST

START_TEST(a_session_ends_whatever_is_under_way)
{
    for (int moments = 0; moments < 6; moments++) {
        nw_session *s = begin_small_space();
        nw_session_follow_landscape(s);
        for (int i = 0; i < moments; i++)
            wait_a_moment(s);
        act(s, "landscape.metric", NULL);
        if (moments % 2)
            act(s, "space", "demo");
        nw_session_free(s);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_space");
    TCase *tcase = tcase_create("session_space");
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, a_space_opens_and_is_undone_and_done_again);
    tcase_add_test(tcase, the_usual_space_of_what_is_open);
    tcase_add_test(tcase, options_are_judged_in_the_background_for_the_hardware_chosen);
    tcase_add_test(tcase, the_hand_decides_whatever_curation_says);
    tcase_add_test(tcase, values_are_those_of_the_full_path);
    tcase_add_test(tcase, climbs_end_where_nothing_near_is_lower);
    tcase_add_test(tcase, the_picture_follows_what_is_chosen);
    tcase_add_test(tcase, a_probe_answers_before_the_picture_is_complete);
    tcase_add_test(tcase, a_point_opens_as_the_network_that_was_probed);
    tcase_add_test(tcase, what_is_computed_stops_and_begins_anew);
    tcase_add_test(tcase, the_log_says_what_was_chosen);
    tcase_add_test(tcase, a_session_ends_whatever_is_under_way);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
