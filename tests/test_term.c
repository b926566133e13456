/* Equations between sizes of axes: what was equated stays equal, element by element, whatever
 * numbers the free variables take.
 */
#include <check.h>
#include <stdlib.h>

#include "src/arch/term.h"
#include "src/base/arena.h"
#include "src/base/rng.h"

static nw_term product(nw_terms *t, nw_term a, nw_term b)
{
    return nw_term_product(t, a, b);
}

START_TEST(a_variable_takes_the_form_of_what_it_equals)
{
    nw_terms t = {0};
    nw_term v = nw_term_var(&t, 12), w = nw_term_var(&t, 6);
    nw_term_equal(&t, v, product(&t, 2, w));
    int64_t numbers[16] = {0};
    for (size_t i = 0; i < t.n_items; i++)
        numbers[i] = t.items[i].size;
    numbers[~w] = 5;
    ck_assert_int_eq(nw_term_eval(&t, v, numbers), 10);
    int32_t map[10], expected[10] = {0, 1, 2, 3, 4, 6, 7, 8, 9, 10};
    nw_term_map(&t, v, numbers, map);
    ck_assert_mem_eq(map, expected, sizeof map);
    nw_terms_fini(&t);
}
END_TEST

START_TEST(concatenations_are_cut_where_they_meet)
{
    nw_terms t = {0};
    nw_term a = nw_term_var(&t, 3), b = nw_term_var(&t, 5), c = nw_term_var(&t, 6),
            d = nw_term_var(&t, 2);
    nw_term_equal(&t, nw_term_concat(&t, a, b), nw_term_concat(&t, c, d));
    nw_term part_of_b = nw_term_resolve(&t, b);
    ck_assert(part_of_b < 0 && t.items[~part_of_b].kind == NW_TERM_CONCAT); /* 3 of c, then d */
    ck_assert_int_eq(t.items[~part_of_b].n, 2);
    ck_assert(nw_term_resolve(&t, t.children[t.items[~part_of_b].first + 1]) ==
              nw_term_resolve(&t, d));
    ck_assert(!nw_term_is_const(&t, a));
    nw_terms_fini(&t);
}
END_TEST

START_TEST(a_shuffled_order_that_must_equal_the_plain_one_is_refined)
{
    nw_terms t = {0};
    nw_term v = nw_term_var(&t, 6), w = nw_term_var(&t, 6);
    t.why = (nw_why){NW_WHY_NEEDS, 0};
    nw_term_equal(&t, product(&t, 2, v), product(&t, w, 2)); /* [2][u][2] both */
    int64_t numbers[16] = {0};
    nw_term u = NW_TERM_NONE;
    for (size_t i = 0; i < t.n_items; i++) {
        numbers[i] = t.items[i].size;
        if (t.items[i].kind == NW_TERM_VAR && t.items[i].bound == NW_TERM_NONE &&
            t.items[i].why.kind == NW_WHY_FREE)
            u = ~(nw_term)i;
    }
    ck_assert_int_eq(nw_term_size(&t, u), 3);
    numbers[~u] = 4;
    ck_assert_int_eq(nw_term_eval(&t, v, numbers), 8);
    ck_assert_int_eq(nw_term_eval(&t, w, numbers), 8);
    nw_terms_fini(&t);
}
END_TEST

START_TEST(what_contains_itself_is_fixed_and_the_first_reason_stays)
{
    nw_terms t = {0};
    nw_term v = nw_term_var(&t, 4), one = nw_term_var(&t, 1);
    t.why = (nw_why){NW_WHY_NEEDS, 7};
    nw_term_equal(&t, v, product(&t, v, one));
    ck_assert_int_eq(t.items[~v].why.kind, NW_WHY_NEEDS);
    ck_assert_int_eq(t.items[~v].why.who, 7);
    t.why = (nw_why){NW_WHY_OUTPUT, 9};
    nw_term_fix(&t, v);
    ck_assert_int_eq(t.items[~v].why.who, 7);
    nw_terms_fini(&t);
}
END_TEST

/* ---- random systems ---- */

enum { N_TERMS = 40, N_EQUATIONS = 12 };

static nw_term random_term(nw_terms *t, nw_rng *rng, const nw_term *terms, int n)
{
    static const int64_t sizes[] = {1, 2, 3, 4, 6, 8, 12};
    if (n < 6 || nw_rng_chance(rng, 0.4)) {
        int64_t size = sizes[nw_rng_range(rng, 0, 6)];
        return nw_rng_chance(rng, 0.3) ? size : nw_term_var(t, size);
    }
    nw_term a = terms[nw_rng_range(rng, 0, n - 1)], b = terms[nw_rng_range(rng, 0, n - 1)];
    bool fits = nw_term_size(t, a) * nw_term_size(t, b) <= 4096;
    return fits && nw_rng_chance(rng, 0.5) ? nw_term_product(t, a, b) : nw_term_concat(t, a, b);
}

static void check_equal(const nw_terms *t, nw_term a, nw_term b, const int64_t *numbers)
{
    int64_t n = nw_term_eval(t, a, numbers);
    ck_assert_int_eq(n, nw_term_eval(t, b, numbers));
    if (n > 1 << 20)
        return;
    int32_t *left = nw_alloc((size_t)(n + 1) * sizeof *left);
    int32_t *right = nw_alloc((size_t)(n + 1) * sizeof *right);
    nw_term_map(t, a, numbers, left);
    nw_term_map(t, b, numbers, right);
    for (int64_t i = 0; i < n; i++)
        ck_assert_int_eq(left[i], right[i]);
    free(left);
    free(right);
}

static bool try_system(uint64_t seed)
{
    nw_terms t = {0};
    nw_rng rng = nw_rng_make(seed, 3);
    nw_term terms[N_TERMS], left[N_EQUATIONS], right[N_EQUATIONS];
    int n_equations = 0;
    bool has_free = false;
    for (int i = 0; i < N_TERMS; i++)
        terms[i] = random_term(&t, &rng, terms, i);
    t.why = (nw_why){NW_WHY_NEEDS, 0};
    for (int tries = 0; tries < 2000 && n_equations < N_EQUATIONS; tries++) {
        nw_term a = terms[nw_rng_range(&rng, 0, N_TERMS - 1)];
        nw_term b = terms[nw_rng_range(&rng, 0, N_TERMS - 1)];
        if (a == b || nw_term_size(&t, a) != nw_term_size(&t, b))
            continue;
        nw_term_equal(&t, a, b);
        left[n_equations] = a;
        right[n_equations++] = b;
    }
    ck_assert(!t.is_lost);
    int64_t *numbers = nw_alloc(t.n_items * sizeof *numbers);
    for (size_t i = 0; i < t.n_items; i++) {
        const nw_term_item *item = &t.items[i];
        bool is_free = item->kind == NW_TERM_VAR && item->bound == NW_TERM_NONE &&
                       item->why.kind == NW_WHY_FREE;
        numbers[i] = is_free ? nw_rng_range(&rng, 1, 2 * item->size) : item->size;
        has_free |= is_free;
    }
    for (int i = 0; i < n_equations; i++)
        check_equal(&t, left[i], right[i], numbers);
    free(numbers);
    nw_terms_fini(&t);
    return has_free;
}

START_TEST(whatever_was_equated_stays_equal_element_by_element)
{
    int n_free = 0;
    for (uint64_t seed = 0; seed < 3000; seed++)
        n_free += try_system(seed);
    ck_assert_int_gt(n_free, 1500); /* else the systems say nothing */
}
END_TEST

START_TEST(systems_that_grow_without_end_are_given_up)
{
    nw_terms t = {0};
    nw_term whole = nw_term_var(&t, 1);
    for (int i = 0; i < 28; i++) {
        nw_term half = nw_term_var(&t, nw_term_size(&t, whole));
        nw_term next = nw_term_concat(&t, half, half);
        nw_term_equal(&t, half, whole);
        whole = next;
    }
    size_t mark = t.n_scratch;
    nw_term_push_parts(&t, whole, NW_TERM_CONCAT);
    t.n_scratch = mark;
    ck_assert(t.is_lost);
    nw_terms_fini(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("term");
    TCase *tests = tcase_create("equations");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, a_variable_takes_the_form_of_what_it_equals);
    tcase_add_test(tests, concatenations_are_cut_where_they_meet);
    tcase_add_test(tests, a_shuffled_order_that_must_equal_the_plain_one_is_refined);
    tcase_add_test(tests, what_contains_itself_is_fixed_and_the_first_reason_stays);
    tcase_add_test(tests, whatever_was_equated_stays_equal_element_by_element);
    tcase_add_test(tests, systems_that_grow_without_end_are_given_up);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
