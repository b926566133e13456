/* referee_curate.h - does curation keep what is good? What the best network of a curated space
 * costs beside the best of the whole, of random subsets and of misaligned ones of the same sizes,
 * all found by one local search.
 */
#ifndef NW_TESTS_REFEREE_CURATE_H
#define NW_TESTS_REFEREE_CURATE_H

#include "src/curate/curate.h"

/* Options of a space, a byte each, by dimension. */
typedef struct option_set {
    int n_dims;
    uint8_t **keep;
} option_set;

option_set curate_kept(const nw_space *space, const nw_curation *curation);
/* As many options of every dimension, drawn evenly. */
option_set curate_random(const nw_space *space, const option_set *like, uint64_t seed);
/* Every kept number moved half-way to the one below it, to an option that was not kept; other
 * dimensions and the smallest numbers stay. */
option_set curate_misaligned(const nw_space *space, const option_set *like);
void curate_set_free(option_set *set);

/* The least latency at a score of at least the base's, less a hundredth, and within the limits of
 * the space: what annealing with restarts finds in so many networks. It moves one gene, or two, by
 * 1, 2, 4, ... options or to any choice. from: a genome to begin with, NULL: the base, as near as
 * the set has it. us; INFINITY: none. */
typedef struct curate_best {
    double latency_us;
    uint16_t *genome; /* the caller frees it */
} curate_best;
curate_best curate_search(nw_plan *plan, const option_set *set, const uint16_t *from, int budget,
                          uint64_t seed);

/* Over random networks of the set: neighbouring options of numbers (kernels, depths and
 * resolutions among them); of them how many cost no less than the smaller one. */
typedef struct curate_edges {
    int64_t n, n_monotone;
} curate_edges;
curate_edges curate_count_edges(nw_plan *plan, const option_set *set, int n_networks,
                                uint64_t seed);

typedef struct curate_row {
    double size, curated_size; /* networks */
    int64_t n_evaluations;
    double seconds; /* of processor time, for curating alone */
    curate_edges edges;
    /* What searches of so many networks find: */
    double plain_us, first_us;       /* in the whole space, in the curated one */
    double whole_us, curated_us;     /* the best of each: of all these searches, and of others that
                                      * begin     where they ended */
    double random_us, misaligned_us; /* means of CURATE_SUBSETS and of as many seeds */
} curate_row;

enum { CURATE_SUBSETS = 2 };

/* False: it cannot be curated (printed). report (may be NULL): what is kept. */
bool curate_row_find(nw_plan *plan, int budget, int n_networks, curate_row *out, nw_buf *report);

/* The table over spaces and chips; loader: of files in spaces/. */
void curate_print(const nw_space_loader *loader);

#endif
