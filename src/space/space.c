/* space.c - a space while it is declared, and what it is made of. */
#include "src/space/space.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/space/internal.h"

static const char *const prefixes[] = {
#define X(kind, name, prefix) prefix,
    NW_DIMS(X)
#undef X
};

/* ---- life ---- */

nw_space *nw_space_new(const char *name, const nw_arch *base)
{
    nw_space *space = nw_zalloc(sizeof *space);
    char shown[64];
    atomic_init(&space->n_owners, 1);
    space->name = nw_arena_strdup(&space->arena, nw_text_visible(name, shown, sizeof shown));
    space->source = "";
    space->network = nw_arch_retain(base);
    space->base = nw_arch_retain(base);
    space->dims = nw_zalloc(NW_MAX_DIMS * sizeof *space->dims);
    space->factors = nw_zalloc(NW_MAX_DIMS * sizeof *space->factors);
    nw_space_find_sites(space);
    return space;
}

const nw_space *nw_space_retain(const nw_space *space)
{
    atomic_fetch_add(&((nw_space *)space)->n_owners, 1);
    return space;
}

void nw_space_release(const nw_space *shared)
{
    nw_space *space = (nw_space *)shared;
    if (!space || atomic_fetch_sub(&space->n_owners, 1) > 1)
        return;
    for (int i = 0; i < space->n_predicates; i++)
        if (!space->whole && space->predicates[i].free_context)
            space->predicates[i].free_context(space->predicates[i].context);
    nw_space_release(space->whole);
    nw_arch_release(space->network);
    nw_arch_release(space->base);
    free(space->dims);
    free(space->factors);
    free(space->requirements);
    free(space->predicates);
    free(space->limits);
    nw_arena_fini(&space->arena);
    free(space);
}

const char *nw_space_place(const char *file, int line, char *dst, size_t size)
{
    if (!file || !file[0])
        snprintf(dst, size, "%s", "");
    else if (line > 0)
        snprintf(dst, size, "%s:%d", file, line);
    else
        snprintf(dst, size, "%s", file);
    return dst;
}

/* ---- the options of a dimension ---- */

static bool has_order(nw_dim_kind kind)
{
    return kind != NW_DIM_VARIANT && kind != NW_DIM_PRECISION;
}

static nw_option *copy_sorted(nw_space *space, const nw_dim_spec *spec)
{
    nw_option *options =
        nw_arena_copy(&space->arena, spec->options, (size_t)spec->n_options * sizeof *options);
    for (int i = 1; has_order(spec->kind) && i < spec->n_options; i++) {
        nw_option o = options[i];
        int at = i;
        while (at > 0 &&
               nw_option_number(spec->kind, &options[at - 1]) > nw_option_number(spec->kind, &o)) {
            options[at] = options[at - 1];
            at--;
        }
        options[at] = o;
    }
    return options;
}

static nw_status check_options(const nw_dim_spec *spec, const nw_option *options, const char *where,
                               nw_error *err)
{
    char text[64];
    for (int i = 0; i < spec->n_options; i++) {
        nw_status status = nw_option_check(spec->kind, &options[i], where, err);
        if (status != NW_OK)
            return status;
        int first = has_order(spec->kind) ? (i > 0 ? i - 1 : 0) : 0;
        for (int k = first; k < i; k++)
            if (nw_option_is_equal(spec->kind, &options[i], &options[k]))
                return nw_fail(err, NW_INVALID, where, "the option %s of %s stands there twice",
                               nw_option_text(spec->kind, &options[i], text, sizeof text),
                               nw_dim_kind_name(spec->kind));
    }
    return NW_OK;
}

/* ---- what a dimension is on the base ---- */

static void input_size(const nw_arch *arch, int64_t *h, int64_t *w)
{
    const nw_graph *graph = nw_arch_graph(arch);
    nw_hwc size = graph->n_inputs ? nw_tensor_hwc(graph, graph->inputs[0]) : (nw_hwc){0, 0, 0};
    *h = size.h;
    *w = size.w;
}

/* Whether the block has the option now. */
static bool is_now(const nw_space *space, nw_dim_kind kind, const nw_option *o, int site,
                   double factor)
{
    int n;
    const nw_block *b = &nw_arch_blocks(space->base, &n)[site];
    switch (kind) {
    case NW_DIM_CHANNELS:
        return llround((double)o->n * factor) == b->out_c;
    case NW_DIM_WIDTH:
        return o->number == 1;
    case NW_DIM_VARIANT:
        return o->block == b->kind &&
               (o->number == 0 || llround(o->number * (double)b->in_c) == b->mid_c);
    case NW_DIM_EXPANSION:
        return llround(o->number * (double)b->in_c) == b->mid_c;
    case NW_DIM_EXPANDED:
        return o->n == b->mid_c;
    case NW_DIM_KERNEL:
        return o->n == b->kernel;
    case NW_DIM_SQUEEZE:
        return llround(o->number * (double)b->in_c) == b->squeeze_c;
    case NW_DIM_PRECISION:
        return o->n == 0;
    default:
        return false;
    }
}

static int find_base_option(const nw_space *space, const nw_dim *dim, const double *factors,
                            int64_t depth)
{
    int64_t h, w;
    input_size(space->base, &h, &w);
    for (int i = 0; i < dim->n_options; i++) {
        const nw_option *o = &dim->options[i];
        bool is_base = dim->kind != NW_DIM_DEPTH || o->n == depth;
        if (dim->kind == NW_DIM_RESOLUTION)
            is_base = o->n == h && o->n2 == w;
        for (int k = 0; dim->kind != NW_DIM_DEPTH && k < dim->n_blocks; k++)
            is_base &= is_now(space, dim->kind, o, dim->blocks[k], factors ? factors[k] : 1);
        if (is_base)
            return i;
    }
    return -1;
}

/* ---- who has a parameter already ---- */

static bool is_of_channels(nw_dim_kind kind)
{
    return kind == NW_DIM_CHANNELS || kind == NW_DIM_WIDTH;
}

static bool is_of_inner(nw_dim_kind kind)
{
    return kind == NW_DIM_EXPANSION || kind == NW_DIM_EXPANDED;
}

static int group_of_site(const nw_space *space, int site)
{
    int n;
    return nw_arch_group_of(space->base, nw_arch_blocks(space->base, &n)[site].out, NULL, 0);
}

static bool is_same_parameter(const nw_space *space, nw_dim_kind a, int site_a, nw_dim_kind b,
                              int site_b)
{
    if (is_of_channels(a) && is_of_channels(b))
        return group_of_site(space, site_a) == group_of_site(space, site_b);
    if (is_of_inner(a) && is_of_inner(b))
        return site_a == site_b;
    return a == b && site_a == site_b;
}

/* The dimension that has the parameter of a block already; -1: none. */
static int find_owner(const nw_space *space, nw_dim_kind kind, int site)
{
    for (int d = 0; d < space->n_dims; d++) {
        const nw_dim *dim = &space->dims[d];
        if (kind == NW_DIM_RESOLUTION && dim->kind == kind)
            return d;
        for (int i = 0; kind != NW_DIM_RESOLUTION && i < dim->n_blocks; i++)
            if (is_same_parameter(space, kind, site, dim->kind, dim->blocks[i]))
                return d;
    }
    return -1;
}

/* ---- adding ---- */

typedef struct adding {
    nw_space *space;
    const nw_dim_spec *spec;
    nw_option *options;
    char place[256];
    int *picks, n_picks;
    int n_before; /* dimensions */
    nw_error *err;
} adding;

static nw_status add_dim(adding *a, const char *name, const int *blocks, const double *factors,
                         int n_blocks, int64_t depth)
{
    nw_space *space = a->space;
    char shown[64];
    if (space->n_dims == NW_MAX_DIMS)
        return nw_fail(a->err, NW_LIMIT, a->place, "more than %d dimensions", NW_MAX_DIMS);
    if (strpbrk(name, " \t=@#") || !name[0] || strlen(name) > 31)
        return nw_fail(a->err, NW_INVALID, a->place,
                       "'%s' is no name of a dimension: up to 31 characters, no blanks, no = @ #",
                       nw_text_fit(name, shown, sizeof shown));
    if (nw_space_find_dim(space, name) >= 0)
        return nw_fail(a->err, NW_INVALID, a->place,
                       "there is a dimension '%s' already: give this one another name",
                       nw_text_visible(name, shown, sizeof shown));
    nw_dim *dim = &space->dims[space->n_dims];
    *dim =
        (nw_dim){.kind = a->spec->kind,
                 .name = nw_arena_strdup(&space->arena, nw_text_visible(name, shown, sizeof shown)),
                 .where = nw_arena_strdup(&space->arena, a->spec->where ? a->spec->where : "*"),
                 .options = a->options,
                 .n_options = a->spec->n_options,
                 .blocks = nw_arena_copy(&space->arena, blocks, (size_t)n_blocks * sizeof *blocks),
                 .n_blocks = n_blocks,
                 .file = nw_arena_strdup(&space->arena, a->spec->file ? a->spec->file : ""),
                 .line = a->spec->line,
                 .depth_dim = -1};
    space->factors[space->n_dims] =
        factors ? nw_arena_copy(&space->arena, factors, (size_t)n_blocks * sizeof *factors) : NULL;
    dim->base = find_base_option(space, dim, factors, depth);
    space->n_dims++;
    return NW_OK;
}

/* Prefix and where, but the blanks and signs that names cannot have. */
static const char *default_name(const nw_dim_spec *spec, const char *where, char *dst, size_t size)
{
    const char *prefix = spec->name && spec->each ? spec->name : prefixes[spec->kind];
    if (spec->name && !spec->each)
        where = "", prefix = spec->name;
    snprintf(dst, size, "%s%s", prefix, strcmp(where, "*") == 0 ? "" : where);
    for (char *c = dst; *c; c++)
        if (*c == '@' || *c == ',')
            *c = *c == '@' ? '.' : '_';
    return dst;
}

/* NW_INVALID: another dimension has it. */
static nw_status check_free(adding *a, int site)
{
    int owner = find_owner(a->space, a->spec->kind, site);
    if (owner < 0)
        return NW_OK;
    const nw_dim *dim = &a->space->dims[owner];
    char place[256];
    nw_space_place(dim->file, dim->line, place, sizeof place);
    if (a->spec->kind == NW_DIM_RESOLUTION)
        return nw_fail(a->err, NW_INVALID, a->place,
                       "dimension '%s'%s%s has the resolution already", dim->name,
                       place[0] ? " of " : "", place);
    return nw_fail(a->err, NW_INVALID, a->place,
                   "dimension '%s'%s%s has the %s of block %d.%d already", dim->name,
                   place[0] ? " of " : "", place, nw_dim_kind_name(a->spec->kind),
                   a->space->sites[site].stage, a->space->sites[site].index);
}

static nw_status add_each_block(adding *a)
{
    nw_status status = NW_OK;
    for (int i = 0; i < a->n_picks && status == NW_OK; i++) {
        const nw_site *site = &a->space->sites[a->picks[i]];
        char label[32], name[80];
        snprintf(label, sizeof label, "%d.%d", site->stage, site->index);
        status = check_free(a, a->picks[i]);
        if (status == NW_OK)
            status = add_dim(a, default_name(a->spec, label, name, sizeof name), &a->picks[i], NULL,
                             1, 0);
    }
    return status;
}

/* Takes out blocks whose group this very declaration has given to an earlier stage. */
static int keep_new(adding *a, int *blocks, int n)
{
    int n_kept = 0;
    for (int i = 0; i < n; i++) {
        int owner = find_owner(a->space, a->spec->kind, blocks[i]);
        if (owner < a->n_before)
            blocks[n_kept++] = blocks[i];
    }
    return n_kept;
}

static nw_status add_stage(adding *a, int stage, int *blocks, int n)
{
    char label[32], name[80];
    nw_status status = NW_OK;
    n = keep_new(a, blocks, n);
    for (int i = 0; i < n && status == NW_OK; i++)
        status = check_free(a, blocks[i]);
    if (status != NW_OK || !n)
        return status;
    snprintf(label, sizeof label, "%d", stage);
    return add_dim(a, default_name(a->spec, label, name, sizeof name), blocks, NULL, n, 0);
}

static nw_status add_each_stage(adding *a)
{
    nw_status status = NW_OK;
    int *blocks = nw_alloc(((size_t)a->n_picks + 1) * sizeof *blocks);
    for (int i = 0; i < a->n_picks && status == NW_OK;) {
        int stage = a->space->sites[a->picks[i]].stage, n = 0;
        while (i < a->n_picks && a->space->sites[a->picks[i]].stage == stage)
            blocks[n++] = a->picks[i++];
        status = add_stage(a, stage, blocks, n);
    }
    free(blocks);
    if (status == NW_OK && a->space->n_dims == a->n_before)
        status = check_free(a, a->picks[0]);
    return status;
}

static nw_status add_tied(adding *a)
{
    nw_status status = NW_OK;
    char name[80];
    double *factors = nw_alloc(((size_t)a->n_picks + 1) * sizeof *factors);
    int at = -1, stage = -1;
    for (int i = 0; i < a->n_picks && status == NW_OK; i++) {
        const nw_site *site = &a->space->sites[a->picks[i]];
        at += site->stage != stage;
        stage = site->stage;
        factors[i] = a->spec->factors ? a->spec->factors[at] : 1;
        status = check_free(a, a->picks[i]);
        if (status == NW_OK && !(factors[i] > 0 && factors[i] <= 1024))
            status =
                nw_fail(a->err, NW_INVALID, a->place, "a factor of %g makes no sense", factors[i]);
    }
    if (status == NW_OK)
        status = add_dim(
            a, default_name(a->spec, a->spec->where ? a->spec->where : "*", name, sizeof name),
            a->picks, a->spec->factors ? factors : NULL, a->n_picks, 0);
    free(factors);
    return status;
}

/* ---- depth ---- */

/* A stage grows between its last block and that block's map, so blocks that can be repeated are
 * known by their labels here, others by their maps. */
static void settle_blocks(nw_space *space, const nw_site *old)
{
    for (int d = 0; d < space->n_dims; d++) {
        nw_dim *dim = &space->dims[d];
        int *blocks = nw_arena_alloc(&space->arena, (size_t)dim->n_blocks * sizeof *blocks + 1);
        for (int i = 0; i < dim->n_blocks; i++) {
            const nw_site *site = &old[dim->blocks[i]];
            blocks[i] = nw_space_find_site(space, site->map);
            for (int k = 0; nw_block_kind_is_main(site->kind) && k < space->n_sites; k++)
                if (space->sites[k].stage == site->stage && space->sites[k].index == site->index)
                    blocks[i] = k;
        }
        dim->blocks = blocks;
    }
}

static nw_status grow_stage(adding *a, int stage, int64_t depth)
{
    nw_space *space = a->space;
    nw_edit edit;
    const nw_arch *next;
    nw_error why;
    nw_edit_init(&edit, NW_EDIT_DEPTH);
    edit.where = (nw_selector){.kind = -1, .first_stage = stage, .last_stage = stage, .index = -1};
    edit.count = depth;
    if (nw_arch_apply(space->base, &edit, 1, &next, NULL, &why) != NW_OK)
        return nw_fail(a->err, NW_INVALID, a->place,
                       "stage %d cannot have %" PRId64 " blocks: %s: %s", stage, depth, why.where,
                       why.message);
    const nw_site *old = space->sites;
    const nw_arch *old_base = space->base;
    space->base = next;
    nw_space_find_sites(space);
    settle_blocks(space, old);
    nw_space_find_sites(space);
    nw_arch_release(old_base);
    return NW_OK;
}

static nw_status add_depth_of(adding *a, int stage)
{
    nw_space *space = a->space;
    char label[32], name[80];
    int *blocks = nw_alloc(((size_t)space->n_sites + 1) * sizeof *blocks);
    int n = nw_space_stage_blocks(space, stage, blocks);
    int64_t now = n, most = a->options[a->spec->n_options - 1].n;
    nw_status status =
        n ? check_free(a, blocks[0])
          : nw_fail(a->err, NW_INVALID, a->place, "stage %d has no blocks of convolutions", stage);
    if (status == NW_OK && most > n) {
        status = grow_stage(a, stage, most);
        blocks = nw_realloc(blocks, ((size_t)space->n_sites + 1) * sizeof *blocks);
        n = nw_space_stage_blocks(space, stage, blocks);
    }
    snprintf(label, sizeof label, "%d", stage);
    if (status == NW_OK)
        status = add_dim(a, default_name(a->spec, label, name, sizeof name), blocks, NULL, n, now);
    free(blocks);
    if (status == NW_OK)
        nw_space_find_sites(space);
    return status;
}

static nw_status add_depth(adding *a)
{
    nw_status status = NW_OK;
    int n = 0, *stages = nw_alloc(((size_t)a->n_picks + 1) * sizeof *stages);
    for (int i = 0; i < a->n_picks; i++) {
        int stage = a->space->sites[a->picks[i]].stage;
        if (!n || stages[n - 1] != stage)
            stages[n++] = stage;
    }
    if (n > 1 && !a->spec->each)
        status = nw_fail(a->err, NW_INVALID, a->place,
                         "a depth is of one stage: name one, or ask for one each");
    for (int i = 0; i < n && status == NW_OK; i++)
        status = add_depth_of(a, stages[i]);
    free(stages);
    return status;
}

/* ---- what is asked for ---- */

static nw_status refuse_picks(adding *a, int site)
{
    const nw_space *space = a->space;
    const nw_site *s = &space->sites[site];
    int n;
    char why[160] = "";
    const nw_block *block = &nw_arch_blocks(space->base, &n)[site];
    if (is_of_channels(a->spec->kind)) {
        int group = nw_arch_group_of(space->base, block->out, why, sizeof why);
        if (group >= 0)
            snprintf(why, sizeof why, "%.159s", nw_arch_groups(space->base, &n)[group].why);
        return nw_fail(a->err, NW_INVALID, a->place, "the channels of block %d.%d are fixed: %s",
                       s->stage, s->index, why[0] ? why : "it has none of its own");
    }
    return nw_fail(a->err, NW_INVALID, a->place, "block %d.%d of kind %s has no %s to vary",
                   s->stage, s->index, nw_block_kind_name(s->kind),
                   nw_dim_kind_name(a->spec->kind));
}

/* Those of the picks that have what varies; one that was named alone must. */
static nw_status keep_able(adding *a)
{
    int n_kept = 0, refused = -1;
    for (int i = 0; i < a->n_picks; i++) {
        if (nw_site_has(a->space, a->picks[i], a->spec->kind))
            a->picks[n_kept++] = a->picks[i];
        else
            refused = a->picks[i];
    }
    if (!n_kept)
        return refuse_picks(a, refused);
    a->n_picks = n_kept;
    return NW_OK;
}

static bool is_of_stages(nw_dim_kind kind)
{
    return is_of_channels(kind) || kind == NW_DIM_DEPTH;
}

static nw_status add_resolution(adding *a)
{
    char name[80];
    nw_status status = check_free(a, 0);
    if (status == NW_OK && a->spec->where && strcmp(a->spec->where, "*") != 0)
        status = nw_fail(a->err, NW_INVALID, a->place,
                         "the resolution is of the whole network: leave `where` out");
    if (status == NW_OK)
        status = add_dim(a, default_name(a->spec, "*", name, sizeof name), NULL, NULL, 0, 0);
    return status;
}

static nw_status add_all(adding *a)
{
    if (a->spec->kind == NW_DIM_RESOLUTION)
        return add_resolution(a);
    nw_error why = {.message = ""};
    nw_status status =
        nw_space_pick(a->space, a->spec->where ? a->spec->where : "*", a->picks, &a->n_picks, &why);
    if (status != NW_OK)
        return nw_fail(a->err, status, a->place, "%s", why.message);
    status = keep_able(a);
    if (status != NW_OK)
        return status;
    if (a->spec->kind == NW_DIM_DEPTH)
        return add_depth(a);
    if (!a->spec->each)
        return add_tied(a);
    return is_of_stages(a->spec->kind) ? add_each_stage(a) : add_each_block(a);
}

nw_status nw_space_add(nw_space *space, const nw_dim_spec *spec, nw_error *err)
{
    adding a = {.space = space, .spec = spec, .n_before = space->n_dims, .err = err};
    nw_space_place(spec->file, spec->line, a.place, sizeof a.place);
    if (spec->kind >= NW_DIM_COUNT)
        return nw_fail(err, NW_INVALID, a.place, "there is no such kind of dimension");
    if (spec->n_options < 1)
        return nw_fail(err, NW_INVALID, a.place,
                       "a dimension of %s needs options: the list is empty",
                       nw_dim_kind_name(spec->kind));
    if (spec->n_options > NW_MAX_OPTIONS)
        return nw_fail(err, NW_LIMIT, a.place, "%d options: at most %d", spec->n_options,
                       NW_MAX_OPTIONS);
    a.options = copy_sorted(space, spec);
    nw_status status = check_options(spec, a.options, a.place, err);
    if (status != NW_OK)
        return status;
    a.picks = nw_alloc(((size_t)space->n_sites + 1) * sizeof *a.picks);
    const nw_arch *before = nw_arch_retain(space->base);
    status = add_all(&a);
    if (status != NW_OK) {
        bool has_grown = space->base != before;
        space->n_dims = a.n_before;
        if (has_grown) {
            const nw_site *grown = space->sites;
            const nw_arch *dropped = space->base;
            space->base = nw_arch_retain(before);
            nw_space_find_sites(space);
            settle_blocks(space, grown);
            nw_arch_release(dropped);
        }
        nw_space_find_sites(space);
    }
    nw_arch_release(before);
    free(a.picks);
    return status;
}

/* ---- limits and predicates ---- */

nw_status nw_space_limit(nw_space *space, nw_metric metric, bool is_least, double limit,
                         const char *file, int line, nw_error *err)
{
    char place[256];
    nw_space_place(file, line, place, sizeof place);
    if (metric >= NW_METRIC_OBJECTIVE || !isfinite(limit) ||
        (metric != NW_METRIC_SCORE && limit < 0))
        return nw_fail(err, NW_INVALID, place, "%s %s %g is no limit that a network can keep",
                       nw_metric_name(metric), is_least ? "at least" : "at most", limit);
    for (int i = 0; i < space->n_limits; i++) {
        const nw_limit *other = &space->limits[i];
        double most = is_least ? other->limit : limit, least = is_least ? limit : other->limit;
        if (other->metric == metric && other->is_least != is_least && least > most)
            return nw_fail(err, NW_INVALID, place,
                           "no network has %s at least %.10g and at most %.10g",
                           nw_metric_name(metric), least, most);
    }
    space->limits = nw_grow(space->limits, (size_t)space->n_limits, &space->limit_capacity,
                            sizeof *space->limits);
    space->limits[space->n_limits++] =
        (nw_limit){metric, is_least, limit, nw_arena_strdup(&space->arena, file ? file : ""), line};
    return NW_OK;
}

void nw_space_add_predicate(nw_space *space, const char *name, nw_space_predicate *test,
                            nw_space_predicate_problem *problem, void *context,
                            void (*free_context)(void *context), const char *file, int line)
{
    char shown[64];
    space->predicates = nw_grow(space->predicates, (size_t)space->n_predicates,
                                &space->predicate_capacity, sizeof *space->predicates);
    space->predicates[space->n_predicates++] =
        (nw_predicate){nw_arena_strdup(&space->arena, nw_text_visible(name, shown, sizeof shown)),
                       nw_arena_strdup(&space->arena, file ? file : ""),
                       line,
                       test,
                       problem,
                       context,
                       free_context};
}

/* ---- reading ---- */

const char *nw_space_name(const nw_space *space)
{
    return space->name;
}

const char *nw_space_source(const nw_space *space)
{
    return space->source;
}

void nw_space_set_source(nw_space *space, const char *source)
{
    space->source = nw_arena_strdup(&space->arena, source);
}

const nw_arch *nw_space_base(const nw_space *space)
{
    return space->base;
}

const nw_arch *nw_space_network(const nw_space *space)
{
    return space->network;
}

const nw_dim *nw_space_dims(const nw_space *space, int *n)
{
    if (n)
        *n = space->n_dims;
    return space->dims;
}

int nw_space_n_dims(const nw_space *space)
{
    return space->n_dims;
}

int nw_space_find_dim(const nw_space *space, const char *name)
{
    for (int d = 0; d < space->n_dims; d++)
        if (strcmp(space->dims[d].name, name) == 0)
            return d;
    return -1;
}

const nw_limit *nw_space_limits(const nw_space *space, int *n)
{
    *n = space->n_limits;
    return space->limits;
}

int nw_space_n_predicates(const nw_space *space)
{
    return space->n_predicates;
}

int nw_space_n_conditions(const nw_space *space)
{
    return space->n_requirements + space->n_predicates;
}

nw_condition nw_space_condition(const nw_space *space, int index)
{
    if (index < space->n_requirements) {
        const nw_requirement *r = &space->requirements[index];
        return (nw_condition){r->text, false, r->file, r->line};
    }
    const nw_predicate *p = &space->predicates[index - space->n_requirements];
    return (nw_condition){p->name, true, p->file, p->line};
}

uint64_t nw_space_hash(const nw_space *space)
{
    return space->hash;
}
