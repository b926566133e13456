#include "src/arch/term.h"

#include <assert.h>
#include <stdlib.h>

#include "src/base/arena.h"

/* A network of ten thousand operators takes some hundred thousand steps. */
#define MAX_WORK  ((int64_t)8 << 20)
#define MAX_DEPTH 200 /* of terms within terms: recursion stays shallow */

void nw_terms_fini(nw_terms *t)
{
    free(t->items);
    free(t->children);
    free(t->scratch);
    *t = (nw_terms){0};
}

static bool spend(nw_terms *t, int depth)
{
    if (++t->work > MAX_WORK || depth > MAX_DEPTH)
        t->is_lost = true;
    return !t->is_lost;
}

static nw_term add_item(nw_terms *t, const nw_term_item *item)
{
    t->items = nw_grow(t->items, t->n_items, &t->item_capacity, sizeof *t->items);
    t->items[t->n_items] = *item;
    return ~(nw_term)t->n_items++;
}

nw_term nw_term_var(nw_terms *t, int64_t size)
{
    return add_item(t, &(nw_term_item){.kind = NW_TERM_VAR, .size = size, .bound = NW_TERM_NONE});
}

nw_term nw_term_resolve(const nw_terms *t, nw_term term)
{
    while (term < 0 && t->items[~term].kind == NW_TERM_VAR && t->items[~term].bound != NW_TERM_NONE)
        term = t->items[~term].bound;
    return term;
}

/* The same, and the way is shorter the next time. */
static nw_term shorten(nw_terms *t, nw_term term)
{
    nw_term end = nw_term_resolve(t, term);
    while (term != end) {
        nw_term next = t->items[~term].bound;
        t->items[~term].bound = end;
        term = next;
    }
    return end;
}

int64_t nw_term_size(const nw_terms *t, nw_term term)
{
    return term >= 0 ? term : t->items[~term].size;
}

static bool is_kind(const nw_terms *t, nw_term term, nw_term_kind kind)
{
    return term < 0 && t->items[~term].kind == kind;
}

static bool is_const(const nw_terms *t, nw_term term, int depth)
{
    term = nw_term_resolve(t, term);
    if (term >= 0)
        return true;
    const nw_term_item *item = &t->items[~term];
    if (item->kind == NW_TERM_VAR || depth > MAX_DEPTH)
        return false;
    for (int i = 0; i < item->n; i++)
        if (!is_const(t, t->children[item->first + i], depth + 1))
            return false;
    return true;
}

bool nw_term_is_const(const nw_terms *t, nw_term term)
{
    return is_const(t, term, 0);
}

/* ---- making ---- */

void nw_term_push(nw_terms *t, nw_term term)
{
    t->scratch = nw_grow(t->scratch, t->n_scratch, &t->scratch_capacity, sizeof *t->scratch);
    t->scratch[t->n_scratch++] = term;
}

static nw_term pop_children(nw_terms *t, nw_term_kind kind, size_t mark, int64_t size)
{
    nw_term_item item = {.kind = kind,
                         .first = (int)t->n_children,
                         .n = (int)(t->n_scratch - mark),
                         .size = size,
                         .bound = NW_TERM_NONE};
    for (size_t i = mark; i < t->n_scratch; i++) {
        t->children = nw_grow(t->children, t->n_children, &t->child_capacity, sizeof *t->children);
        t->children[t->n_children++] = t->scratch[i];
    }
    t->n_scratch = mark;
    return add_item(t, &item);
}

/* Parts are spliced in, neighbouring numbers become one, neutral ones are left out. */
nw_term nw_term_make(nw_terms *t, nw_term_kind kind, size_t mark)
{
    bool is_product = kind == NW_TERM_PRODUCT;
    size_t end = t->n_scratch, used = mark;
    int64_t neutral = is_product ? 1 : 0, size = neutral;
    for (size_t i = mark; i < end; i++)
        nw_term_push_parts(t, t->scratch[i], kind);
    for (size_t i = end; i < t->n_scratch; i++) {
        nw_term part = t->scratch[i], *last = used > mark ? &t->scratch[used - 1] : NULL;
        int64_t part_size = nw_term_size(t, part);
        if (is_product ? __builtin_mul_overflow(size, part_size, &size)
                       : __builtin_add_overflow(size, part_size, &size)) {
            t->is_lost = true;
            size = neutral;
        }
        if (part == neutral)
            continue;
        if (part >= 0 && last && *last >= 0)
            *last = is_product ? (t->is_lost ? 1 : *last * part) : *last + part;
        else
            t->scratch[used++] = part;
    }
    t->n_scratch = used;
    if (used - mark > 1 && !t->is_lost && size > 0)
        return pop_children(t, kind, mark, size);
    nw_term single = used - mark == 1 && !t->is_lost && size > 0 ? t->scratch[mark] : size;
    t->n_scratch = mark;
    return single;
}

nw_term nw_term_product(nw_terms *t, nw_term outer, nw_term inner)
{
    size_t mark = t->n_scratch;
    nw_term_push(t, outer);
    nw_term_push(t, inner);
    return nw_term_make(t, NW_TERM_PRODUCT, mark);
}

nw_term nw_term_concat(nw_terms *t, nw_term first, nw_term second)
{
    size_t mark = t->n_scratch;
    nw_term_push(t, first);
    nw_term_push(t, second);
    return nw_term_make(t, NW_TERM_CONCAT, mark);
}

static void push_parts(nw_terms *t, nw_term term, nw_term_kind kind, int depth)
{
    if (!spend(t, depth))
        return;
    term = shorten(t, term);
    if (!is_kind(t, term, kind)) {
        nw_term_push(t, term);
        return;
    }
    int first = t->items[~term].first, n = t->items[~term].n;
    for (int i = 0; i < n; i++)
        push_parts(t, t->children[first + i], kind, depth + 1);
}

void nw_term_push_parts(nw_terms *t, nw_term term, nw_term_kind kind)
{
    push_parts(t, term, kind, 0);
}

/* The product of factors[1..] of a product. */
static nw_term rest_of_product(nw_terms *t, nw_term product)
{
    size_t mark = t->n_scratch;
    int first = t->items[~product].first, n = t->items[~product].n;
    for (int i = 1; i < n; i++)
        nw_term_push(t, t->children[first + i]);
    return nw_term_make(t, NW_TERM_PRODUCT, mark);
}

/* Segments; a product whose outermost factor is a concatenation is one of products. */
static void push_segments(nw_terms *t, nw_term term, int depth)
{
    if (!spend(t, depth))
        return;
    term = shorten(t, term);
    if (is_kind(t, term, NW_TERM_CONCAT)) {
        int first = t->items[~term].first, n = t->items[~term].n;
        for (int i = 0; i < n; i++)
            push_segments(t, t->children[first + i], depth + 1);
        return;
    }
    if (is_kind(t, term, NW_TERM_PRODUCT)) {
        nw_term head = shorten(t, t->children[t->items[~term].first]);
        if (is_kind(t, head, NW_TERM_CONCAT)) {
            nw_term rest = rest_of_product(t, term);
            int first = t->items[~head].first, n = t->items[~head].n;
            for (int i = 0; i < n; i++)
                push_segments(t, nw_term_product(t, t->children[first + i], rest), depth + 1);
            return;
        }
    }
    nw_term_push(t, term);
}

/* ---- fixing ---- */

static void fix(nw_terms *t, nw_term term, int depth)
{
    if (!spend(t, depth))
        return;
    term = shorten(t, term);
    if (term >= 0)
        return;
    nw_term_item *item = &t->items[~term];
    if (item->kind == NW_TERM_VAR) {
        if (item->why.kind == NW_WHY_FREE)
            item->why = t->why;
        return;
    }
    for (int i = 0, first = item->first, n = item->n; i < n; i++)
        fix(t, t->children[first + i], depth + 1);
}

void nw_term_fix(nw_terms *t, nw_term term)
{
    fix(t, term, 0);
}

static bool contains(nw_terms *t, nw_term term, nw_term var, int depth)
{
    if (!spend(t, depth))
        return true;
    term = shorten(t, term);
    if (term == var)
        return true;
    if (term >= 0 || t->items[~term].kind == NW_TERM_VAR)
        return false;
    for (int i = 0, first = t->items[~term].first, n = t->items[~term].n; i < n; i++)
        if (contains(t, t->children[first + i], var, depth + 1))
            return true;
    return false;
}

/* Fixes a term for the reason that fixed a variable. */
static void fix_like(nw_terms *t, nw_term term, nw_term var)
{
    nw_why why = t->why;
    t->why = t->items[~var].why;
    nw_term_fix(t, term);
    t->why = why;
}

/* ---- cutting ---- */

/* Two new variables for one; they share its being fixed. */
static void cut_var(nw_terms *t, nw_term var, int64_t at, nw_term *first, nw_term *rest)
{
    int64_t size = nw_term_size(t, var);
    *first = nw_term_var(t, at);
    *rest = nw_term_var(t, size - at);
    t->items[~*first].why = t->items[~*rest].why = t->items[~var].why;
    nw_term both = nw_term_concat(t, *first, *rest); /* moves the items */
    t->items[~var].bound = both;
}

static bool cut(nw_terms *t, nw_term term, int64_t at, nw_term *first, nw_term *rest, int depth);

static bool cut_concat(nw_terms *t, nw_term term, int64_t at, nw_term *first, nw_term *rest,
                       int depth)
{
    int begin = t->items[~term].first, n = t->items[~term].n, i = 0;
    int64_t before = 0, size;
    while ((size = nw_term_size(t, t->children[begin + i])) + before <= at) {
        before += size;
        i++;
    }
    nw_term left = 0, right = t->children[begin + i];
    if (before < at && !cut(t, right, at - before, &left, &right, depth + 1))
        return false;
    size_t mark = t->n_scratch;
    for (int k = 0; k < i; k++)
        nw_term_push(t, t->children[begin + k]);
    nw_term_push(t, left);
    *first = nw_term_make(t, NW_TERM_CONCAT, mark);
    nw_term_push(t, right);
    for (int k = i + 1; k < n; k++)
        nw_term_push(t, t->children[begin + k]);
    *rest = nw_term_make(t, NW_TERM_CONCAT, mark);
    return true;
}

static bool cut_product(nw_terms *t, nw_term term, int64_t at, nw_term *first, nw_term *rest,
                        int depth)
{
    nw_term head = shorten(t, t->children[t->items[~term].first]), left, right;
    nw_term inner = rest_of_product(t, term);
    int64_t size = nw_term_size(t, inner);
    if (at % size == 0) {
        if (!cut(t, head, at / size, &left, &right, depth + 1))
            return false;
        *first = nw_term_product(t, left, inner);
        *rest = nw_term_product(t, right, inner);
        return true;
    }
    /* A number of copies of inner: the cut goes through one of them. */
    if (head < 0 || !cut(t, inner, at % size, &left, &right, depth + 1))
        return false;
    int64_t copies = at / size;
    *first = nw_term_concat(t, copies ? nw_term_product(t, copies, inner) : 0, left);
    nw_term others = head - copies - 1 > 0 ? nw_term_product(t, head - copies - 1, inner) : 0;
    *rest = nw_term_concat(t, right, others);
    return true;
}

static bool cut(nw_terms *t, nw_term term, int64_t at, nw_term *first, nw_term *rest, int depth)
{
    if (!spend(t, depth))
        return false;
    term = shorten(t, term);
    assert(at > 0 && at < nw_term_size(t, term));
    if (term >= 0) {
        *first = at;
        *rest = term - at;
        return true;
    }
    switch (t->items[~term].kind) {
    case NW_TERM_VAR:
        cut_var(t, term, at, first, rest);
        return true;
    case NW_TERM_CONCAT:
        return cut_concat(t, term, at, first, rest, depth);
    case NW_TERM_PRODUCT:
        return cut_product(t, term, at, first, rest, depth);
    }
    return false;
}

bool nw_term_cut(nw_terms *t, nw_term term, int64_t at, nw_term *first, nw_term *rest)
{
    return cut(t, term, at, first, rest, 0);
}

/* ---- equations ---- */

static void equal(nw_terms *t, nw_term a, nw_term b, int depth);

static void equal_vars(nw_terms *t, nw_term a, nw_term b)
{
    nw_term root = a > b ? a : b, other = a > b ? b : a; /* ~: the older one stays */
    t->items[~other].bound = root;
    if (t->items[~root].why.kind == NW_WHY_FREE)
        t->items[~root].why = t->items[~other].why;
}

static void bind(nw_terms *t, nw_term var, nw_term term)
{
    if (t->items[~var].why.kind != NW_WHY_FREE) {
        fix_like(t, term, var);
    } else if (contains(t, term, var, 0)) {
        nw_term_fix(t, var);
        nw_term_fix(t, term);
    } else {
        t->items[~var].bound = term;
    }
}

static void fix_both(nw_terms *t, nw_term a, nw_term b)
{
    nw_term_fix(t, a);
    nw_term_fix(t, b);
}

/* Walks along both lists of segments, cutting the longer one. The lists end together. */
static void equal_concats(nw_terms *t, nw_term a, nw_term b, int depth)
{
    size_t mark = t->n_scratch;
    push_segments(t, a, depth);
    size_t j = t->n_scratch, i = mark, i_end = j;
    push_segments(t, b, depth);
    size_t j_end = t->n_scratch;
    nw_term x = 0, y = 0;
    bool is_even = true;
    while (is_even && spend(t, depth)) {
        if (x == 0 && i < i_end)
            x = t->scratch[i++];
        if (y == 0 && j < j_end)
            y = t->scratch[j++];
        int64_t x_size = nw_term_size(t, x), y_size = nw_term_size(t, y);
        if (x == 0 || y == 0)
            break;
        nw_term first;
        if (x_size == y_size) {
            equal(t, x, y, depth + 1);
            x = y = 0;
        } else if (x_size > y_size) {
            is_even = cut(t, x, y_size, &first, &x, depth + 1);
            if (is_even)
                equal(t, first, y, depth + 1);
            y = 0;
        } else {
            is_even = cut(t, y, x_size, &first, &y, depth + 1);
            if (is_even)
                equal(t, x, first, depth + 1);
            x = 0;
        }
    }
    t->n_scratch = mark;
    if (!is_even)
        fix_both(t, a, b);
}

/* Factor x is `outer` times *inner, which is left. */
static bool take_factor(nw_terms *t, nw_term x, nw_term outer, nw_term *inner, int depth)
{
    int64_t size = nw_term_size(t, x), by = nw_term_size(t, outer);
    if (by < 1 || size % by || !spend(t, depth))
        return false;
    if (x >= 0) {
        *inner = size / by;
        nw_term_fix(t, outer);
        return true;
    }
    if (is_kind(t, x, NW_TERM_PRODUCT)) { /* it became one on the way */
        nw_term head = shorten(t, t->children[t->items[~x].first]), rest = rest_of_product(t, x);
        if (nw_term_size(t, head) == by) {
            equal(t, head, outer, depth + 1);
            *inner = rest;
            return true;
        }
        if (!take_factor(t, head, outer, &head, depth + 1))
            return false;
        *inner = nw_term_product(t, head, rest);
        return true;
    }
    if (!is_kind(t, x, NW_TERM_VAR) || contains(t, outer, x, 0))
        return false;
    if (t->items[~x].why.kind != NW_WHY_FREE) {
        *inner = size / by;
        fix_like(t, outer, x);
        return true;
    }
    *inner = nw_term_var(t, size / by);
    nw_term both = nw_term_product(t, outer, *inner); /* moves the items */
    t->items[~x].bound = both;
    return true;
}

/* Walks along both lists of factors, from the outermost, taking the smaller out of the larger. */
static void equal_products(nw_terms *t, nw_term a, nw_term b, int depth)
{
    size_t mark = t->n_scratch;
    push_parts(t, a, NW_TERM_PRODUCT, depth);
    size_t j = t->n_scratch, i = mark, i_end = j;
    push_parts(t, b, NW_TERM_PRODUCT, depth);
    size_t j_end = t->n_scratch;
    nw_term x = 1, y = 1;
    bool is_even = true;
    while (is_even && spend(t, depth)) {
        if (x == 1 && i < i_end)
            x = shorten(t, t->scratch[i++]);
        if (y == 1 && j < j_end)
            y = shorten(t, t->scratch[j++]);
        if (x == 1 && y == 1)
            break;
        int64_t x_size = nw_term_size(t, x), y_size = nw_term_size(t, y);
        if (x_size == y_size) {
            equal(t, x, y, depth + 1);
            x = y = 1;
        } else if (x_size > y_size) {
            is_even = take_factor(t, x, y, &x, depth);
            y = 1;
        } else {
            is_even = take_factor(t, y, x, &y, depth);
            x = 1;
        }
    }
    t->n_scratch = mark;
    if (!is_even)
        fix_both(t, a, b);
}

static void equal(nw_terms *t, nw_term a, nw_term b, int depth)
{
    if (!spend(t, depth))
        return;
    a = shorten(t, a);
    b = shorten(t, b);
    if (a == b)
        return;
    if (a >= 0 || b >= 0 || nw_term_size(t, a) != nw_term_size(t, b)) {
        fix_both(t, a, b);
        return;
    }
    bool a_is_var = is_kind(t, a, NW_TERM_VAR), b_is_var = is_kind(t, b, NW_TERM_VAR);
    if (a_is_var && b_is_var)
        equal_vars(t, a, b);
    else if (a_is_var)
        bind(t, a, b);
    else if (b_is_var)
        bind(t, b, a);
    else if (is_kind(t, a, NW_TERM_CONCAT) || is_kind(t, b, NW_TERM_CONCAT))
        equal_concats(t, a, b, depth);
    else
        equal_products(t, a, b, depth);
}

void nw_term_equal(nw_terms *t, nw_term a, nw_term b)
{
    equal(t, a, b, 0);
}

/* ---- after solving ---- */

static void walk(nw_terms *t, nw_term term, int64_t factor, nw_term_visit *visit, void *ctx,
                 int depth)
{
    if (!spend(t, depth))
        return;
    term = nw_term_resolve(t, term);
    if (term >= 0)
        return;
    const nw_term_item *item = &t->items[~term];
    if (item->kind == NW_TERM_VAR) {
        visit(ctx, (int)~term, factor);
        return;
    }
    for (int i = 0; i < item->n; i++) {
        nw_term child = t->children[item->first + i];
        int64_t size = nw_term_size(t, child);
        int64_t others = item->kind == NW_TERM_PRODUCT && size ? item->size / size : 1;
        walk(t, child, factor * others, visit, ctx, depth + 1);
    }
}

void nw_term_walk(nw_terms *t, nw_term term, nw_term_visit *visit, void *ctx)
{
    walk(t, term, 1, visit, ctx, 0);
}

int64_t nw_term_eval(const nw_terms *t, nw_term term, const int64_t *numbers)
{
    term = nw_term_resolve(t, term);
    if (term >= 0)
        return term;
    const nw_term_item *item = &t->items[~term];
    if (item->kind == NW_TERM_VAR)
        return numbers[~term];
    bool is_product = item->kind == NW_TERM_PRODUCT;
    int64_t size = is_product ? 1 : 0;
    for (int i = 0; i < item->n; i++) {
        int64_t part = nw_term_eval(t, t->children[item->first + i], numbers);
        if (is_product ? __builtin_mul_overflow(size, part, &size)
                       : __builtin_add_overflow(size, part, &size))
            return INT64_MAX / 2;
    }
    return size;
}

/* Children first.. of a product: the outermost has `inner` elements of the others behind each. */
static int32_t *map_product(const nw_terms *t, const nw_term *factors, int n,
                            const int64_t *numbers, int64_t *n_new, int64_t *n_old)
{
    *n_new = nw_term_eval(t, factors[0], numbers);
    *n_old = nw_term_size(t, factors[0]);
    int32_t *map = nw_alloc((size_t)(*n_new ? *n_new : 1) * sizeof *map);
    nw_term_map(t, factors[0], numbers, map);
    for (int i = 1; i < n; i++) {
        int64_t inner_new = nw_term_eval(t, factors[i], numbers);
        int64_t inner_old = nw_term_size(t, factors[i]);
        int32_t *inner = nw_alloc((size_t)(inner_new ? inner_new : 1) * sizeof *inner);
        int32_t *both = nw_alloc((size_t)(*n_new * inner_new + 1) * sizeof *both);
        nw_term_map(t, factors[i], numbers, inner);
        for (int64_t a = 0; a < *n_new; a++)
            for (int64_t b = 0; b < inner_new; b++)
                both[a * inner_new + b] =
                    map[a] < 0 || inner[b] < 0 ? -1 : (int32_t)(map[a] * inner_old + inner[b]);
        free(map);
        free(inner);
        map = both;
        *n_new *= inner_new;
        *n_old *= inner_old;
    }
    return map;
}

void nw_term_map(const nw_terms *t, nw_term term, const int64_t *numbers, int32_t *out)
{
    term = nw_term_resolve(t, term);
    int64_t now = nw_term_size(t, term), n = nw_term_eval(t, term, numbers);
    if (term >= 0 || t->items[~term].kind == NW_TERM_VAR) {
        for (int64_t i = 0; i < n; i++)
            out[i] = i < now ? (int32_t)i : -1;
        return;
    }
    const nw_term_item *item = &t->items[~term];
    const nw_term *children = &t->children[item->first];
    if (item->kind == NW_TERM_PRODUCT) {
        int64_t n_new, n_old;
        int32_t *map = map_product(t, children, item->n, numbers, &n_new, &n_old);
        for (int64_t i = 0; i < n; i++)
            out[i] = map[i];
        free(map);
        return;
    }
    int32_t old = 0;
    for (int i = 0; i < item->n; i++) {
        int64_t part = nw_term_eval(t, children[i], numbers);
        nw_term_map(t, children[i], numbers, out);
        for (int64_t k = 0; k < part; k++)
            if (out[k] >= 0)
                out[k] += old;
        out += part;
        old += (int32_t)nw_term_size(t, children[i]);
    }
}
