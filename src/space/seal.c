/* seal.c - a declared space becomes plain data: options tried, genes that depth switches off, size,
 * hash.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/map.h"
#include "src/space/internal.h"

#define MAX_TRIED  24     /* options of a dimension that are all tried; of more, some */
#define MAX_LISTED 100000 /* points of a space that are looked at one by one */

/* ---- which genes count ---- */

/* A dimension whose blocks can all be dropped by one depth. */
static void find_depth_of(nw_space *space, nw_dim *dim)
{
    int depth_dim = dim->n_blocks ? space->sites[dim->blocks[0]].depth_dim : -1;
    int64_t least = INT64_MAX;
    for (int i = 0; i < dim->n_blocks; i++) {
        const nw_site *site = &space->sites[dim->blocks[i]];
        if (site->depth_dim != depth_dim)
            depth_dim = -1;
        least = site->depth_n < least ? site->depth_n : least;
    }
    bool is_dropped = dim->kind != NW_DIM_DEPTH && depth_dim >= 0;
    dim->depth_dim = is_dropped ? depth_dim : -1;
    dim->depth_n = is_dropped ? least : 0;
}

/* ---- trying ---- */

static nw_status refuse_option(const nw_space *space, int d, int option, const nw_error *why,
                               nw_error *err)
{
    const nw_dim *dim = &space->dims[d];
    char place[256], text[64];
    return nw_fail(err, NW_INVALID, nw_space_place(dim->file, dim->line, place, sizeof place),
                   "option %s of dimension '%s' breaks the network: %s: %s",
                   nw_option_text(dim->kind, &dim->options[option], text, sizeof text), dim->name,
                   why->where, why->message);
}

static nw_status try_option(nw_space *space, nw_realiser *realiser, uint16_t *genome, int d,
                            int option, nw_error *err)
{
    const nw_dim *dim = &space->dims[d];
    const nw_arch *arch;
    nw_error why = {.message = ""};
    uint16_t depth = dim->depth_dim >= 0 ? genome[dim->depth_dim] : 0;
    if (dim->depth_dim >= 0)
        genome[dim->depth_dim] = (uint16_t)(space->dims[dim->depth_dim].n_options - 1);
    uint16_t before = genome[d];
    genome[d] = (uint16_t)option;
    nw_status status = nw_realiser_make(realiser, genome, &arch, &why);
    genome[d] = before;
    if (dim->depth_dim >= 0)
        genome[dim->depth_dim] = depth;
    if (status != NW_OK)
        return refuse_option(space, d, option, &why, err);
    nw_arch_release(arch);
    return NW_OK;
}

static bool is_odd(const nw_dim *dim, int option)
{
    return dim->options[option].n % 2 == 1;
}

/* keep (may be NULL): a byte an option, cleared for those that break the network; then that is no
 * failure. */
static nw_status try_dim(nw_space *space, nw_realiser *realiser, uint16_t *genome, int d,
                         uint8_t *keep, nw_error *err)
{
    const nw_dim *dim = &space->dims[d];
    int odd = dim->n_options - 1;
    nw_status status = NW_OK;
    while (odd > 0 && !is_odd(dim, odd))
        odd--;
    for (int i = 0; i < dim->n_options && status == NW_OK; i++) {
        if (dim->n_options > MAX_TRIED && i != 0 && i != dim->n_options - 1 && i != odd &&
            i != dim->n_options / 2)
            continue;
        status = try_option(space, realiser, genome, d, i, err);
        if (!keep || status == NW_OK)
            continue;
        keep[i] = 0;
        status = NW_OK;
    }
    return status;
}

static int keep_options(nw_dim *dim, nw_option *options, const uint8_t *keep)
{
    int n = 0, base = -1;
    for (int i = 0; i < dim->n_options; i++) {
        if (!keep[i])
            continue;
        if (i == dim->base)
            base = n;
        options[n++] = dim->options[i];
    }
    dim->options = options;
    dim->n_options = n;
    dim->base = base;
    return n;
}

void nw_space_prune(nw_space *space)
{
    nw_realiser *realiser = nw_realiser_new(space);
    uint16_t *genome = nw_alloc(((size_t)space->n_dims + 1) * sizeof *genome);
    uint8_t keep[NW_MAX_OPTIONS];
    int n = 0;
    for (int d = 0; d < space->n_dims; d++)
        genome[d] = NW_GENE_LEFT;
    for (int d = 0; d < space->n_dims; d++) {
        nw_dim *dim = &space->dims[d];
        nw_option *options =
            nw_arena_alloc(&space->arena, (size_t)dim->n_options * sizeof *options);
        memset(keep, 1, sizeof keep);
        (void)!try_dim(space, realiser, genome, d, keep, NULL);
        if (keep_options(dim, options, keep) > 1) {
            space->factors[n] = space->factors[d];
            space->dims[n++] = *dim;
        }
    }
    space->n_dims = n;
    free(genome);
    nw_realiser_free(realiser);
    nw_space_find_sites(space);
}

static nw_status try_options(nw_space *space, nw_error *err)
{
    nw_realiser *realiser = nw_realiser_new(space);
    uint16_t *genome = nw_alloc(((size_t)space->n_dims + 1) * sizeof *genome);
    uint16_t *base = nw_alloc(((size_t)space->n_dims + 1) * sizeof *base);
    nw_status status = NW_OK;
    nw_space_base_genome(space, base);
    for (int d = 0; d < space->n_dims; d++)
        genome[d] = space->dims[d].kind == NW_DIM_DEPTH ? base[d] : NW_GENE_LEFT;
    for (int d = 0; d < space->n_dims && status == NW_OK; d++)
        status = try_dim(space, realiser, genome, d, NULL, err);
    free(genome);
    free(base);
    nw_realiser_free(realiser);
    return status;
}

/* ---- can requirements be met ---- */

static bool next_genome(const nw_space *space, uint16_t *genome)
{
    for (int d = 0; d < space->n_dims; d++) {
        if (++genome[d] < space->dims[d].n_options)
            return true;
        genome[d] = 0;
    }
    return false;
}

static nw_status check_requirements(const nw_space *space, nw_error *err)
{
    char place[256], why[256] = "";
    for (int i = 0; i < space->n_requirements; i++) {
        const nw_requirement *r = &space->requirements[i];
        if (!nw_requirement_is_possible(space, r))
            return nw_fail(err, NW_INVALID, nw_space_place(r->file, r->line, place, sizeof place),
                           "no genome meets '%s': the options never allow it", r->text);
    }
    double n_points = 1;
    for (int d = 0; d < space->n_dims; d++)
        n_points *= space->dims[d].n_options;
    if ((!space->n_requirements && !space->n_predicates) || n_points > MAX_LISTED)
        return NW_OK;
    uint16_t *genome = nw_zalloc(((size_t)space->n_dims + 1) * sizeof *genome);
    bool is_met = false;
    do
        is_met = nw_space_allows(space, genome, why, sizeof why);
    while (!is_met && next_genome(space, genome));
    free(genome);
    return is_met
               ? NW_OK
               : nw_fail(err, NW_INVALID, space->name,
                         "no genome meets all requirements (the last one failed because %s)", why);
}

/* ---- size ---- */

/* A natural number in digits of 10^9, the smallest first. */
typedef struct big {
    uint32_t *digits;
    int n;
} big;

enum { MAX_DIGITS = 1024, RADIX = 1000000000 };

static void multiply(big *a, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < a->n; i++) {
        carry += (uint64_t)a->digits[i] * factor;
        a->digits[i] = (uint32_t)(carry % RADIX);
        carry /= RADIX;
    }
    if (carry && a->n < MAX_DIGITS)
        a->digits[a->n++] = (uint32_t)carry;
}

static void add(big *a, const big *b)
{
    uint64_t carry = 0;
    for (int i = 0; i < b->n || carry; i++) {
        if (i == a->n)
            a->digits[a->n++] = 0;
        carry += (uint64_t)a->digits[i] + (i < b->n ? b->digits[i] : 0);
        a->digits[i] = (uint32_t)(carry % RADIX);
        carry /= RADIX;
    }
}

/* a becomes a x b. */
static void multiply_big(big *a, const big *b)
{
    uint32_t digits[MAX_DIGITS + 1] = {0};
    for (int i = 0; i < a->n; i++) {
        uint64_t carry = 0;
        for (int k = 0; k < b->n || carry; k++) {
            if (i + k >= MAX_DIGITS)
                break;
            carry += digits[i + k] + (k < b->n ? (uint64_t)a->digits[i] * b->digits[k] : 0);
            digits[i + k] = (uint32_t)(carry % RADIX);
            carry /= RADIX;
        }
    }
    a->n = a->n + b->n > MAX_DIGITS ? MAX_DIGITS : a->n + b->n;
    memcpy(a->digits, digits, (size_t)a->n * sizeof *digits);
    while (a->n > 1 && !a->digits[a->n - 1])
        a->n--;
}

/* Options of the genes that count at one depth of a stage. */
static void count_depth(const nw_space *space, int depth_dim, int64_t depth, big *out)
{
    out->n = 1;
    out->digits[0] = 1;
    for (int d = 0; d < space->n_dims; d++)
        if (space->dims[d].depth_dim == depth_dim && space->dims[d].depth_n <= depth)
            multiply(out, (uint32_t)space->dims[d].n_options);
}

static void count_size(const nw_space *space, big *total)
{
    uint32_t one_digits[MAX_DIGITS + 2], sum_digits[MAX_DIGITS + 2];
    total->n = 1;
    total->digits[0] = 1;
    for (int d = 0; d < space->n_dims; d++) {
        const nw_dim *dim = &space->dims[d];
        big sum = {sum_digits, 1}, one = {one_digits, 1};
        if (dim->depth_dim >= 0)
            continue;
        if (dim->kind != NW_DIM_DEPTH) {
            multiply(total, (uint32_t)dim->n_options);
            continue;
        }
        sum.digits[0] = 0;
        for (int i = 0; i < dim->n_options; i++) {
            count_depth(space, d, dim->options[i].n, &one);
            add(&sum, &one);
        }
        multiply_big(total, &sum);
    }
}

void nw_space_size(const nw_space *space, nw_buf *out)
{
    uint32_t digits[MAX_DIGITS + 2];
    big total = {digits, 0};
    count_size(space, &total);
    nw_buf_printf(out, "%" PRIu32, total.digits[total.n - 1]);
    for (int i = total.n - 2; i >= 0; i--)
        nw_buf_printf(out, "%09" PRIu32, total.digits[i]);
}

double nw_space_size_approx(const nw_space *space)
{
    uint32_t digits[MAX_DIGITS + 2];
    big total = {digits, 0};
    double size = 0;
    count_size(space, &total);
    for (int i = total.n - 1; i >= 0; i--)
        size = size * RADIX + total.digits[i];
    return size;
}

/* ---- hash ---- */

static uint64_t mix(uint64_t hash, const void *bytes, size_t n)
{
    return (hash ^ nw_hash(bytes, n)) * 0x9e3779b97f4a7c15u + (hash >> 29);
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
    return mix(hash, text, strlen(text));
}

static uint64_t mix_base(uint64_t hash, const nw_graph *graph)
{
    for (nw_node_id i = 0; i < graph->n_nodes; i++) {
        const nw_node *node = &graph->nodes[i];
        hash = mix_text(mix_text(hash, node->name), node->file_type);
        for (int k = 0; k < node->n_inputs + node->n_outputs; k++) {
            nw_tensor_id id =
                k < node->n_inputs ? node->inputs[k] : node->outputs[k - node->n_inputs];
            if (id == NW_NONE)
                continue;
            const nw_shape *shape = &graph->tensors[id].shape;
            hash = mix(hash, shape->dims,
                       (size_t)(shape->rank > 0 ? shape->rank : 0) * sizeof *shape->dims);
            hash = mix(hash, &graph->tensors[id].dtype, sizeof graph->tensors[id].dtype);
        }
    }
    return hash;
}

static uint64_t find_hash(const nw_space *space)
{
    uint64_t hash = mix_base(mix_text(1, space->name), nw_arch_graph(space->base));
    char text[64];
    for (int d = 0; d < space->n_dims; d++) {
        const nw_dim *dim = &space->dims[d];
        hash = mix_text(mix_text(hash, dim->name), nw_dim_kind_name(dim->kind));
        for (int i = 0; i < dim->n_options; i++)
            hash = mix_text(hash, nw_option_text(dim->kind, &dim->options[i], text, sizeof text));
        for (int i = 0; i < dim->n_blocks; i++) {
            double factor = space->factors[d] ? space->factors[d][i] : 1;
            hash = mix(mix_text(hash, space->sites[dim->blocks[i]].map), &factor, sizeof factor);
        }
    }
    for (int i = 0; i < space->n_requirements; i++)
        hash = mix_text(hash, space->requirements[i].text);
    return hash;
}

/* ---- sealing ---- */

void nw_space_settle(nw_space *space)
{
    for (int d = 0; d < space->n_dims; d++)
        find_depth_of(space, &space->dims[d]);
    space->hash = find_hash(space);
    space->is_sealed = true;
}

nw_status nw_space_seal(nw_space *space, nw_error *err)
{
    if (!space->n_dims)
        return nw_fail(err, NW_INVALID, space->name, "has no dimension: nothing varies");
    nw_space_find_sites(space);
    for (int d = 0; d < space->n_dims; d++)
        find_depth_of(space, &space->dims[d]);
    nw_status status = try_options(space, err);
    if (status == NW_OK)
        status = check_requirements(space, err);
    if (status == NW_OK)
        nw_space_settle(space);
    return status;
}
