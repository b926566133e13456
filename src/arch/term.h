/* term.h - sizes of axes as terms, and solving equations between them; private to src/arch.
 *
 * A term is a number, a variable of a known present size, an ordered product (the first factor is
 * the outermost, as in a row-major reshape) or a concatenation. Equating two terms of one size
 * binds variables; where that is not possible without mixing elements up, all variables of both
 * are fixed at their present sizes, and keep the first reason why.
 */
#ifndef NW_ARCH_TERM_H
#define NW_ARCH_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From 0 on: the number itself. Below: item ~term. */
typedef int64_t nw_term;
#define NW_TERM_NONE INT64_MIN

/* Why a variable is fixed; who: a node or tensor, by kind. */
typedef enum nw_why_kind {
    NW_WHY_FREE,
    NW_WHY_INPUT,     /* a tensor, input of the network */
    NW_WHY_OUTPUT,    /* a tensor, output of the network */
    NW_WHY_NEEDS,     /* a node takes just this number */
    NW_WHY_OPAQUE,    /* a node is not understood */
    NW_WHY_MIXES,     /* a node mixes them with positions */
    NW_WHY_PICKS,     /* a node picks single ones */
    NW_WHY_ORDER,     /* a node puts them in another order */
    NW_WHY_BROADCAST, /* a node spreads the only one over many */
    NW_WHY_LIMIT,     /* the equations grew too large */
} nw_why_kind;

typedef struct nw_why {
    nw_why_kind kind;
    int32_t who;
} nw_why;

typedef enum nw_term_kind { NW_TERM_VAR, NW_TERM_PRODUCT, NW_TERM_CONCAT } nw_term_kind;

typedef struct nw_term_item {
    nw_term_kind kind;
    int first, n;  /* children of products and concatenations: terms->children[first..] */
    int64_t size;  /* now */
    nw_term bound; /* variables: the term it is; NW_TERM_NONE: itself */
    nw_why why;    /* variables: of being fixed */
} nw_term_item;

typedef struct nw_terms {
    nw_term_item *items;
    nw_term *children, *scratch;
    size_t n_items, n_children, n_scratch;
    size_t item_capacity, child_capacity, scratch_capacity;
    nw_why why;   /* of what is fixed from now on */
    int64_t work; /* steps so far; beyond a limit is_lost, and nothing is solved any more */
    bool is_lost;
} nw_terms;

void nw_terms_fini(nw_terms *terms);

nw_term nw_term_var(nw_terms *terms, int64_t size);

/* A product or concatenation of all that was pushed since mark = terms->n_scratch. */
void nw_term_push(nw_terms *terms, nw_term term);
nw_term nw_term_make(nw_terms *terms, nw_term_kind kind, size_t mark);
nw_term nw_term_product(nw_terms *terms, nw_term outer, nw_term inner);
nw_term nw_term_concat(nw_terms *terms, nw_term first, nw_term second);

/* What a variable is bound to, in the end: a number, a free or fixed variable, or a compound. */
nw_term nw_term_resolve(const nw_terms *terms, nw_term term);
int64_t nw_term_size(const nw_terms *terms, nw_term term); /* now */
bool nw_term_is_const(const nw_terms *terms, nw_term term);

/* Pushes the parts of a resolved term: its factors, or its segments; itself if it is neither. */
void nw_term_push_parts(nw_terms *terms, nw_term term, nw_term_kind kind);

void nw_term_fix(nw_terms *terms, nw_term term);
void nw_term_equal(nw_terms *terms, nw_term a, nw_term b);

/* term as two parts, the first of `at` elements, 0 < at < size; false: it cannot be cut there. */
bool nw_term_cut(nw_terms *terms, nw_term term, int64_t at, nw_term *first, nw_term *rest);

/* ---- after solving: numbers holds one for each item, of which those of variables count ---- */

/* Calls visit for every variable of a term: its item, and how many elements of the term each of
 * its own stands for. Counts as work. */
typedef void nw_term_visit(void *ctx, int var, int64_t factor);
void nw_term_walk(nw_terms *terms, nw_term term, nw_term_visit *visit, void *ctx);

int64_t nw_term_eval(const nw_terms *terms, nw_term term, const int64_t *numbers);

/* out[i], for each of the new elements: the present element that it was, -1: it is new. */
void nw_term_map(const nw_terms *terms, nw_term term, const int64_t *numbers, int32_t *out);

#endif
