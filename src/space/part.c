/* part.c - spaces with fewer options, and the usual space of any network. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/space/internal.h"

/* ---- restricting ---- */

static nw_status keep_options(nw_space *part, int d, const uint8_t *keep, nw_error *err)
{
    nw_dim *dim = &part->dims[d];
    nw_option *options = nw_arena_alloc(&part->arena, (size_t)dim->n_options * sizeof *options);
    int n = 0, base = -1;
    for (int i = 0; i < dim->n_options; i++)
        if (!keep || keep[i]) {
            if (i == dim->base)
                base = n;
            options[n++] = dim->options[i];
        }
    if (!n)
        return nw_fail(err, NW_INVALID, dim->name, "would have no option left");
    dim->options = options;
    dim->n_options = n;
    dim->base = base;
    return NW_OK;
}

static void *copy_list(const void *list, int n, size_t element)
{
    void *copy = nw_alloc((size_t)n * element + 1);
    if (n)
        memcpy(copy, list, (size_t)n * element);
    return copy;
}

/* A copy whose options may still change. */
static nw_space *begin_part(const nw_space *space, const char *name)
{
    nw_space *part = nw_space_new(name, space->base);
    nw_arch_release(part->network);
    part->network = nw_arch_retain(space->network);
    part->source = nw_arena_strdup(&part->arena, space->source);
    part->whole = nw_space_retain(space->whole ? space->whole : space);
    part->n_dims = space->n_dims;
    memcpy(part->dims, space->dims, (size_t)space->n_dims * sizeof *part->dims);
    memcpy(part->factors, space->factors, (size_t)space->n_dims * sizeof *part->factors);
    part->requirements =
        copy_list(space->requirements, space->n_requirements, sizeof *space->requirements);
    part->n_requirements = space->n_requirements;
    part->predicates = copy_list(space->predicates, space->n_predicates, sizeof *space->predicates);
    part->n_predicates = space->n_predicates;
    part->limits = copy_list(space->limits, space->n_limits, sizeof *space->limits);
    part->n_limits = space->n_limits;
    return part;
}

static nw_status end_part(nw_space *part, nw_status status, const nw_space **out)
{
    if (status != NW_OK) {
        nw_space_release(part);
        return status;
    }
    nw_space_find_sites(part);
    nw_space_settle(part);
    *out = part;
    return NW_OK;
}

nw_status nw_space_restrict(const nw_space *space, const uint8_t *const *keep, const char *name,
                            const nw_space **out, nw_error *err)
{
    nw_space *part = begin_part(space, name);
    nw_status status = NW_OK;
    for (int d = 0; d < part->n_dims && status == NW_OK; d++)
        status = keep_options(part, d, keep ? keep[d] : NULL, err);
    return end_part(part, status, out);
}

/* ---- other options ---- */

static nw_status take_options(nw_space *part, int d, const nw_option *options, int n, nw_error *err)
{
    nw_dim *dim = &part->dims[d];
    int base = -1;
    if (n < 1 || n > NW_MAX_OPTIONS)
        return nw_fail(err, NW_INVALID, dim->name, "%d options; there may be 1 to %d", n,
                       NW_MAX_OPTIONS);
    for (int i = 0; i < n; i++) {
        nw_status status = nw_option_check(dim->kind, &options[i], dim->name, err);
        if (status != NW_OK)
            return status;
        if (dim->base >= 0 && nw_option_is_equal(dim->kind, &options[i], &dim->options[dim->base]))
            base = i;
    }
    nw_option *copy = nw_arena_alloc(&part->arena, (size_t)n * sizeof *copy);
    memcpy(copy, options, (size_t)n * sizeof *copy);
    dim->options = copy;
    dim->n_options = n;
    dim->base = base;
    return NW_OK;
}

nw_status nw_space_replace(const nw_space *space, const nw_option *const *options,
                           const int *n_options, const char *name, const nw_space **out,
                           nw_error *err)
{
    nw_space *part = begin_part(space, name);
    nw_status status = NW_OK;
    for (int d = 0; d < part->n_dims && status == NW_OK; d++)
        if (options[d])
            status = take_options(part, d, options[d], n_options[d], err);
    return end_part(part, status, out);
}

static int find_same(const nw_dim *dim, const nw_option *option)
{
    for (int i = 0; i < dim->n_options; i++)
        if (nw_option_is_equal(dim->kind, &dim->options[i], option))
            return i;
    return -1;
}

void nw_space_widen(const nw_space *part, const nw_space *whole, const uint16_t *genome,
                    uint16_t *out)
{
    for (int d = 0; d < part->n_dims; d++) {
        int option = find_same(&whole->dims[d], &part->dims[d].options[genome[d]]);
        out[d] = (uint16_t)(option < 0 ? 0 : option);
    }
    nw_space_canonical(whole, out);
}

static int find_nearest(const nw_dim *dim, const nw_option *option)
{
    int best = 0;
    double number = nw_option_number(dim->kind, option);
    if (dim->kind == NW_DIM_VARIANT || dim->kind == NW_DIM_PRECISION)
        return 0;
    for (int i = 1; i < dim->n_options; i++)
        if (fabs(nw_option_number(dim->kind, &dim->options[i]) - number) <
            fabs(nw_option_number(dim->kind, &dim->options[best]) - number))
            best = i;
    return best;
}

bool nw_space_narrow(const nw_space *part, const nw_space *whole, const uint16_t *genome,
                     bool nearest, uint16_t *out)
{
    bool is_all = true;
    for (int d = 0; d < part->n_dims; d++) {
        const nw_option *option = &whole->dims[d].options[genome[d]];
        int at = find_same(&part->dims[d], option);
        if (at < 0)
            is_all = false;
        out[d] = (uint16_t)(at >= 0 ? at : nearest ? find_nearest(&part->dims[d], option) : 0);
    }
    nw_space_canonical(part, out);
    return is_all || nearest;
}

/* ---- the usual space ---- */

enum { MAX_USUAL = 64 };

static void add_usual(nw_space *space, nw_dim_kind kind, const char *where,
                      const nw_option *options, int n, bool each)
{
    nw_dim_spec spec = {
        .kind = kind, .where = where, .options = options, .n_options = n, .each = each};
    nw_error err;
    (void)!nw_space_add(space, &spec, &err); /* what a network cannot vary is left out */
}

/* Multiples of step from a quarter of n to twice n, and n itself; every second of them, and so on,
 * where that are too many. */
static int usual_channels(int64_t n, int64_t step, nw_option *out)
{
    int n_out = 0;
    int64_t low = (n / 4 + step - 1) / step * step, high = 2 * n / step * step;
    low = low < step ? step : low;
    while ((high - low) / step >= MAX_USUAL - 2)
        step *= 2;
    bool has_n = false;
    for (int64_t c = low; c <= high; c += step) {
        if (!has_n && c > n)
            out[n_out++] = (nw_option){.n = n};
        has_n |= c >= n;
        out[n_out++] = (nw_option){.n = c};
    }
    if (!has_n)
        out[n_out++] = (nw_option){.n = n};
    return n_out;
}

static void add_stage_channels(nw_space *space, int stage, int64_t step)
{
    nw_option options[MAX_USUAL + 2];
    int *blocks = nw_alloc(((size_t)space->n_sites + 1) * sizeof *blocks);
    char where[16];
    int n = nw_space_stage_blocks(space, stage, blocks);
    snprintf(where, sizeof where, "%d", stage);
    for (int i = 0; i < n; i++)
        if (nw_site_has(space, blocks[i], NW_DIM_CHANNELS)) {
            int n_options = usual_channels(space->sites[blocks[i]].out_c, step, options);
            add_usual(space, NW_DIM_CHANNELS, where, options, n_options, true);
            break;
        }
    free(blocks);
}

static void add_stage_depth(nw_space *space, int stage)
{
    nw_option options[8];
    int *blocks = nw_alloc(((size_t)space->n_sites + 1) * sizeof *blocks), n_blocks;
    const nw_block *list = nw_arch_blocks(space->base, &n_blocks);
    char where[16];
    int n = nw_space_stage_blocks(space, stage, blocks), n_fixed = 0;
    for (int i = 0; i < n; i++) {
        const nw_block *b = &list[blocks[i]];
        n_fixed += i == 0 || b->in_c != b->out_c || b->in_h != b->out_h || b->in_w != b->out_w;
    }
    free(blocks);
    int least = n_fixed > n - 7 ? n_fixed : n - 7;
    for (int i = least; i <= n; i++)
        options[i - least] = (nw_option){.n = i};
    snprintf(where, sizeof where, "%d", stage);
    if (n > 1 && least < n)
        add_usual(space, NW_DIM_DEPTH, where, options, n - least + 1, true);
}

nw_status nw_space_of_model(const nw_arch *base, int64_t step, nw_space **out, nw_error *err)
{
    static const nw_option kinds[] = {{.block = NW_BLOCK_IBN}, {.block = NW_BLOCK_FUSED}};
    static const nw_option kernels[] = {{.n = 3}, {.n = 5}};
    static const nw_option expansions[] = {{.number = 3}, {.number = 4}, {.number = 6}};
    const char *name = nw_arch_graph(base)->name;
    nw_space *space = nw_space_new(name && name[0] ? name : "model", base);
    int n_stages = nw_arch_n_stages(base);
    for (int stage = 0; stage < n_stages; stage++)
        add_stage_channels(space, stage, step < 1 ? 8 : step);
    for (int stage = 0; stage < n_stages; stage++)
        add_stage_depth(space, stage);
    add_usual(space, NW_DIM_VARIANT, "ibn", kinds, 2, true);
    add_usual(space, NW_DIM_KERNEL, "ibn", kernels, 2, true);
    add_usual(space, NW_DIM_EXPANSION, "ibn", expansions, 3, true);
    nw_space_prune(space);
    nw_status status = space->n_dims
                           ? nw_space_seal(space, err)
                           : nw_fail(err, NW_INVALID, space->name,
                                     "has no channels, kernels or blocks that could vary");
    if (status == NW_OK)
        *out = space;
    else
        nw_space_release(space);
    return status;
}
