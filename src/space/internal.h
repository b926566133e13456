/* internal.h - what a space is made of; private to src/space.
 */
#ifndef NW_SPACE_INTERNAL_H
#define NW_SPACE_INTERNAL_H

#include <stdatomic.h>

#include "src/base/arena.h"
#include "src/space/space.h"

#define NW_GENE_LEFT 0xffff /* in the genomes of trials: as the base has it */
#define NW_MAX_TERMS 16     /* of a requirement */

typedef enum nw_comparison {
    NW_LESS,
    NW_AT_MOST,
    NW_EQUAL,
    NW_NOT_EQUAL,
    NW_AT_LEAST,
    NW_MORE
} nw_comparison;

/* The sum of factor x the dimension's number over all terms, plus constant, compared with 0; or one
 * variant compared with a kind. */
typedef struct nw_requirement {
    const char *text, *file;
    int line;
    nw_comparison comparison;
    struct nw_requirement_term {
        int dim;
        double factor;
    } terms[NW_MAX_TERMS];
    int n_terms;
    double constant;
    bool is_kind; /* terms[0].dim is a variant, compared with kind */
    nw_block_kind kind;
} nw_requirement;

typedef struct nw_predicate {
    const char *name, *file;
    int line;
    nw_space_predicate *test;
    nw_space_predicate_problem *problem;
    void *context;
    void (*free_context)(void *context);
} nw_predicate;

/* A block of the base, by the map that it makes. */
typedef struct nw_site {
    const char *map; /* name of the tensor */
    int stage, index;
    nw_block_kind kind;
    int64_t in_c, mid_c, out_c, squeeze_c;
    int depth_dim;   /* the dimension that may drop it; -1: none */
    int64_t depth_n; /* the least depth of the stage at which it is there */
} nw_site;

struct nw_space {
    atomic_int n_owners;
    nw_arena arena; /* names, options, lists */
    const char *name, *source;
    const nw_arch *network, *base; /* retained; as given, and as deep as it can be */
    nw_site *sites;                /* one a block of base */
    int n_sites;
    nw_dim *dims; /* room for NW_MAX_DIMS */
    int n_dims;
    const double **factors; /* per dimension: one a block, of CHANNELS; NULL: all 1 */
    nw_requirement *requirements;
    int n_requirements;
    size_t requirement_capacity;
    nw_predicate *predicates;
    int n_predicates;
    size_t predicate_capacity;
    nw_limit *limits;
    int n_limits;
    size_t limit_capacity;
    bool is_sealed;
    uint64_t hash;
    const nw_space
        *whole; /* of a restricted space: where predicates live; retained, NULL: itself */
};

/* ---- sites (site.c) ---- */
/* Reads the blocks of the base anew; where a stage can be dropped from is said by its dimension. */
void nw_space_find_sites(nw_space *space);
int nw_space_find_site(const nw_space *space, const char *map); /* -1: none */
const char *nw_site_map(const nw_arch *arch, const nw_block *block);
/* Adds every block that the selectors (with "," between) pick; NW_INVALID: one is no selector, or
 * picks nothing. picks has room for all sites; in the order of the base, without repeats. */
NW_CHECKED nw_status nw_space_pick(const nw_space *space, const char *where, int *picks, int *n,
                                   nw_error *err);
/* Whether a block has what the kind of dimension changes. */
bool nw_site_has(const nw_space *space, int site, nw_dim_kind kind);
/* The blocks of a stage that depth counts, and the order in which they go: those of the list that
 * can go, the first to go first. */
int nw_space_stage_blocks(const nw_space *space, int stage, int *list);

/* ---- options (option.c) ---- */
bool nw_option_is_equal(nw_dim_kind kind, const nw_option *a, const nw_option *b);
double nw_option_number(nw_dim_kind kind, const nw_option *option); /* what requirements compare */
NW_CHECKED nw_status nw_option_check(nw_dim_kind kind, const nw_option *option, const char *where,
                                     nw_error *err);

/* ---- requirements (require.c) ---- */
bool nw_requirement_holds(const nw_space *space, const nw_requirement *requirement,
                          const uint16_t *genome);
/* Whether it can hold at all, on the ranges of its dimensions. */
bool nw_requirement_is_possible(const nw_space *space, const nw_requirement *requirement);

/* ---- realising (realise.c) ---- */
typedef struct nw_edit_list {
    nw_edit *edits;
    int *sites; /* the block that each is of; -1: none */
    int n;
    size_t capacity, site_capacity;
} nw_edit_list;

/* seal.c: drops options that break the network by themselves, and dimensions that are left with
 * one.
 */
void nw_space_prune(nw_space *space);
/* What follows from the dimensions alone; the space is sealed then. */
void nw_space_settle(nw_space *space);

/* ---- edits (one_by_one.c) ---- */
void nw_edit_list_fini(nw_edit_list *list);
/* Where the blocks of the space stand in an arch, by the maps they make: index in its blocks, -1.
 */
void nw_space_locate(const nw_space *space, const nw_arch *arch, int *block_of);
/* Gives edits from `first` on the labels that their blocks have in an arch: other channels may have
 * moved the borders of stages. */
void nw_space_relabel(const nw_space *space, const nw_arch *arch, nw_edit_list *list, int first);
/* Applies a list, whose labels are those of *at, one by one, so that it can be done again; *at is
 * replaced. */
NW_CHECKED nw_status nw_space_apply_signed(const nw_space *space, const nw_arch **at,
                                           nw_edit_list *list, nw_error *err);

bool nw_gene_counts(const nw_space *space, const uint16_t *genome, int dim);

/* "FILE:LINE"; dst is returned. */
const char *nw_space_place(const char *file, int line, char *dst, size_t size);

#endif
