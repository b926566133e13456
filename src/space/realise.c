/* realise.c - from a genome to a network.
 *
 * Everything but channels is a structure: resolution, depth, kinds of blocks, kernels. Structures
 * are kept. On one, all channels and expanded channels are set at once. What has to look at the new
 * channels comes last: ranks of Tucker blocks, groups of grouped ones, squeeze-and-excite; and
 * element types, since those are of nodes.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/space/internal.h"

#define MAX_STRUCTURES 256

/* A block of a structure that may be resized. */
typedef struct part {
    int site;         /* index in the space's sites */
    int stage, index; /* label here */
    nw_block_kind kind;
    int out_group, in_group; /* -1: none, or several */
    int64_t in_c, mid_c, out_c, squeeze_c;
    int64_t inner_multiple; /* of expanded channels; 0: they cannot be set */
} part;

typedef struct structure {
    uint16_t *key; /* the genome with genes of no structure at 0 */
    const nw_arch *arch;
    part *parts;
    int n_parts;
    int *part_of; /* per site: index in parts, -1: the block is not there */
    int n_groups;
    uint64_t used;
} structure;

struct nw_realiser {
    const nw_space *space;
    structure *structures;
    int n_structures;
    uint64_t clock;
    uint16_t *key;  /* scratch, a gene a dimension */
    int *inner_dim; /* per site: dimension of its expanded channels; -1: none */
    int *squeeze_dim;
    bool is_signed; /* edit by edit: the networks list them */
    bool has_late;  /* Tucker and grouped variants, squeeze-and-excite, element types */
};

/* ---- lists of edits ---- */

static nw_edit *add_edit(nw_edit_list *list, nw_edit_kind kind, int stage, int index, int site)
{
    list->edits = nw_grow(list->edits, (size_t)list->n, &list->capacity, sizeof *list->edits);
    list->sites = nw_grow(list->sites, (size_t)list->n, &list->site_capacity, sizeof *list->sites);
    list->sites[list->n] = site;
    nw_edit *edit = &list->edits[list->n++];
    nw_edit_init(edit, kind);
    edit->where =
        (nw_selector){.kind = -1, .first_stage = stage, .last_stage = stage, .index = index};
    return edit;
}

/* Applies the list and empties it; *at is replaced. */
static nw_status flush(const nw_realiser *r, const nw_arch **at, nw_edit_list *list, nw_error *err)
{
    const nw_arch *next = NULL;
    bool is_of_blocks = list->n && list->edits[0].where.index >= 0;
    nw_status status = NW_OK;
    if (!list->n)
        return NW_OK;
    if (r->is_signed)
        status = nw_space_apply_signed(r->space, at, list, err);
    else if (is_of_blocks)
        status = nw_arch_apply_at_once(*at, list->edits, list->n, &next, err);
    else
        status = nw_arch_apply(*at, list->edits, list->n, &next, NULL, err);
    if (next) {
        nw_arch_release(*at);
        *at = next;
    }
    list->n = 0;
    return status;
}

/* ---- genes ---- */

static const nw_option *option_of(const nw_space *space, const uint16_t *genome, int dim)
{
    if (genome[dim] == NW_GENE_LEFT || !nw_gene_counts(space, genome, dim))
        return NULL;
    return &space->dims[dim].options[genome[dim]];
}

static bool is_late_kind(nw_block_kind kind)
{
    return kind == NW_BLOCK_TUCKER || kind == NW_BLOCK_GROUPED || kind == NW_BLOCK_FUSED_GROUPED;
}

static bool is_structural(const nw_dim *dim, const nw_option *option)
{
    switch (dim->kind) {
    case NW_DIM_RESOLUTION:
    case NW_DIM_DEPTH:
    case NW_DIM_KERNEL:
        return true;
    case NW_DIM_VARIANT:
        return !is_late_kind(option->block);
    default:
        return false;
    }
}

/* ---- structures ---- */

static nw_edit *add_block_edit(nw_edit_list *list, nw_edit_kind kind, const nw_block *block,
                               int site)
{
    return add_edit(list, kind, block->stage, block->index, site);
}

static bool is_base_kind(const nw_block *block, const nw_option *option)
{
    return block->kind == option->block && option->number == 0;
}

/* Edits of every block of a kind of dimension. */
static void ask_blocks(const nw_realiser *r, const uint16_t *genome, nw_dim_kind kind,
                       const nw_arch *arch, const int *block_of, nw_edit_list *list)
{
    const nw_space *space = r->space;
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int d = 0; d < space->n_dims; d++) {
        const nw_dim *dim = &space->dims[d];
        const nw_option *o = dim->kind == kind ? option_of(space, genome, d) : NULL;
        for (int i = 0; o && i < dim->n_blocks; i++) {
            int b = block_of[dim->blocks[i]];
            if (b < 0)
                continue;
            if (kind == NW_DIM_VARIANT && !is_late_kind(o->block) && !is_base_kind(&blocks[b], o)) {
                nw_edit *edit = add_block_edit(list, NW_EDIT_VARIANT, &blocks[b], dim->blocks[i]);
                edit->block = o->block;
                edit->number = o->number;
            } else if (kind == NW_DIM_KERNEL && o->n != blocks[b].kernel) {
                add_block_edit(list, NW_EDIT_KERNEL, &blocks[b], dim->blocks[i])->count = o->n;
            }
        }
    }
}

static void ask_resolution(const nw_realiser *r, const uint16_t *genome, nw_edit_list *list)
{
    const nw_graph *graph = nw_arch_graph(r->space->base);
    nw_hwc now = graph->n_inputs ? nw_tensor_hwc(graph, graph->inputs[0]) : (nw_hwc){0, 0, 0};
    for (int d = 0; d < r->space->n_dims; d++) {
        const nw_option *o =
            r->space->dims[d].kind == NW_DIM_RESOLUTION ? option_of(r->space, genome, d) : NULL;
        if (!o || (o->n == now.h && o->n2 == now.w))
            continue;
        nw_edit *edit = add_edit(list, NW_EDIT_RESOLUTION, -1, -1, -1);
        edit->count = o->n;
        edit->count2 = o->n2;
    }
}

static void ask_depth(const nw_realiser *r, const uint16_t *genome, nw_edit_list *list)
{
    for (int d = 0; d < r->space->n_dims; d++) {
        const nw_dim *dim = &r->space->dims[d];
        const nw_option *o = dim->kind == NW_DIM_DEPTH ? option_of(r->space, genome, d) : NULL;
        if (o && o->n != dim->n_blocks)
            add_edit(list, NW_EDIT_DEPTH, r->space->sites[dim->blocks[0]].stage, -1, -1)->count =
                o->n;
    }
}

static int group_of(const nw_arch *arch, nw_tensor_id map)
{
    int n, group = map == NW_NONE ? -1 : nw_arch_group_of(arch, map, NULL, 0);
    const nw_channel_group *groups = nw_arch_groups(arch, &n);
    return group >= 0 && !groups[group].is_fixed ? group : -1;
}

static int64_t inner_multiple(const nw_arch *arch, const nw_block *block)
{
    int n;
    const nw_block_part *expand = &block->parts[NW_PART_EXPAND];
    bool has_inner = expand->conv != NW_NONE || nw_block_kind_expands(block->kind) ||
                     block->kind == NW_BLOCK_BASIC;
    if (!has_inner)
        return 0;
    int group =
        group_of(arch, expand->conv != NW_NONE ? expand->out : block->parts[NW_PART_SPATIAL].out);
    const nw_channel_group *groups = nw_arch_groups(arch, &n);
    if (group < 0 || groups[group].n <= 0)
        return 0;
    int64_t multiple = groups[group].multiple * block->mid_c / groups[group].n;
    return multiple > 0 ? multiple : 1;
}

static void find_parts(const nw_realiser *r, structure *s)
{
    const nw_space *space = r->space;
    int n, n_sites = space->n_sites;
    const nw_block *blocks = nw_arch_blocks(s->arch, &n);
    int *block_of = nw_alloc(((size_t)n_sites + 1) * sizeof *block_of);
    s->parts = nw_zalloc(((size_t)n_sites + 1) * sizeof *s->parts);
    s->part_of = nw_alloc(((size_t)n_sites + 1) * sizeof *s->part_of);
    nw_space_locate(space, s->arch, block_of);
    for (int i = 0; i < n_sites; i++) {
        s->part_of[i] = -1;
        if (block_of[i] < 0)
            continue;
        const nw_block *b = &blocks[block_of[i]];
        s->part_of[i] = s->n_parts;
        s->parts[s->n_parts++] = (part){.site = i,
                                        .stage = b->stage,
                                        .index = b->index,
                                        .kind = b->kind,
                                        .out_group = group_of(s->arch, b->out),
                                        .in_group = group_of(s->arch, b->in),
                                        .in_c = b->in_c,
                                        .mid_c = b->mid_c,
                                        .out_c = b->out_c,
                                        .squeeze_c = b->squeeze_c,
                                        .inner_multiple = inner_multiple(s->arch, b)};
    }
    nw_arch_groups(s->arch, &s->n_groups);
    free(block_of);
}

static nw_status build_structure(nw_realiser *r, const uint16_t *genome, structure *out,
                                 nw_error *err)
{
    nw_edit_list list = {0};
    int *block_of = nw_alloc(((size_t)r->space->n_sites + 1) * sizeof *block_of);
    out->arch = nw_arch_retain(r->space->base);
    ask_resolution(r, genome, &list);
    nw_status status = flush(r, &out->arch, &list, err);
    if (status == NW_OK) {
        ask_depth(r, genome, &list);
        status = flush(r, &out->arch, &list, err);
    }
    static const nw_dim_kind kinds[] = {NW_DIM_VARIANT, NW_DIM_KERNEL};
    for (int k = 0; k < 2 && status == NW_OK; k++) {
        nw_space_locate(r->space, out->arch, block_of);
        ask_blocks(r, genome, kinds[k], out->arch, block_of, &list);
        status = flush(r, &out->arch, &list, err);
    }
    if (status == NW_OK)
        find_parts(r, out);
    free(block_of);
    nw_edit_list_fini(&list);
    return status;
}

static void free_structure(structure *s)
{
    nw_arch_release(s->arch);
    free(s->key);
    free(s->parts);
    free(s->part_of);
    *s = (structure){0};
}

static void make_key(const nw_realiser *r, const uint16_t *genome, uint16_t *key)
{
    for (int d = 0; d < r->space->n_dims; d++) {
        const nw_option *o = option_of(r->space, genome, d);
        key[d] = o && is_structural(&r->space->dims[d], o) ? genome[d] : NW_GENE_LEFT;
    }
}

static structure *oldest(nw_realiser *r)
{
    if (r->n_structures < MAX_STRUCTURES)
        return &r->structures[r->n_structures++];
    structure *old = &r->structures[0];
    for (int i = 1; i < r->n_structures; i++)
        if (r->structures[i].used < old->used)
            old = &r->structures[i];
    free_structure(old);
    return old;
}

static nw_status find_structure(nw_realiser *r, const uint16_t *genome, const structure **out,
                                nw_error *err)
{
    size_t n_bytes = (size_t)r->space->n_dims * sizeof *r->key;
    make_key(r, genome, r->key);
    for (int i = 0; i < r->n_structures; i++)
        if (memcmp(r->structures[i].key, r->key, n_bytes) == 0) {
            r->structures[i].used = ++r->clock;
            *out = &r->structures[i];
            return NW_OK;
        }
    structure made = {.used = ++r->clock};
    nw_status status = build_structure(r, genome, &made, err);
    if (status != NW_OK) {
        free_structure(&made);
        return status;
    }
    made.key = nw_alloc(n_bytes + 1);
    memcpy(made.key, r->key, n_bytes);
    structure *slot = oldest(r);
    *slot = made;
    *out = slot;
    return NW_OK;
}

/* ---- channels ---- */

/* What the groups of a structure become: channels `wanted` where there were `now`; 0: as it is. */
typedef struct resizing {
    const nw_realiser *r;
    const structure *s;
    int64_t *wanted, *now;
    nw_edit_list *list;
} resizing;

static int64_t wanted_channels(const resizing *z, int dim, int at, const nw_option *o,
                               const part *p)
{
    const nw_space *space = z->r->space;
    int n;
    if (space->dims[dim].kind == NW_DIM_CHANNELS) {
        double factor = space->factors[dim] ? space->factors[dim][at] : 1;
        int64_t channels = llround((double)o->n * factor);
        return channels > 0 ? channels : 1;
    }
    if (o->number == 1)
        return p->out_c;
    const nw_channel_group *group = &nw_arch_groups(z->s->arch, &n)[p->out_group];
    return p->out_c * nw_group_divisible(group, o->number, o->n > 0 ? o->n : 8) / group->n;
}

static void ask_channels(resizing *z, const uint16_t *genome)
{
    const nw_space *space = z->r->space;
    for (int d = 0; d < space->n_dims; d++) {
        const nw_dim *dim = &space->dims[d];
        bool is_of_channels = dim->kind == NW_DIM_CHANNELS || dim->kind == NW_DIM_WIDTH;
        const nw_option *o = is_of_channels ? option_of(space, genome, d) : NULL;
        for (int i = 0; o && i < dim->n_blocks; i++) {
            int at = z->s->part_of[dim->blocks[i]];
            const part *p = at < 0 ? NULL : &z->s->parts[at];
            if (!p || p->out_group < 0 || z->wanted[p->out_group])
                continue;
            int64_t channels = wanted_channels(z, d, i, o, p);
            z->wanted[p->out_group] = channels;
            z->now[p->out_group] = p->out_c;
            if (channels != p->out_c)
                add_edit(z->list, NW_EDIT_CHANNELS, p->stage, p->index, p->site)->count = channels;
        }
    }
}

static int64_t channels_in(const resizing *z, const part *p)
{
    if (p->in_group < 0 || !z->wanted[p->in_group])
        return p->in_c;
    return p->in_c * z->wanted[p->in_group] / z->now[p->in_group];
}

static int64_t to_multiple(int64_t n, int64_t multiple)
{
    int64_t rounded = (n + multiple / 2) / multiple * multiple;
    return rounded < multiple ? multiple : rounded;
}

static void ask_inner(resizing *z, const uint16_t *genome, const part *p)
{
    int dim = z->r->inner_dim[p->site];
    const nw_option *o = dim >= 0 ? option_of(z->r->space, genome, dim) : NULL;
    int64_t in_c = channels_in(z, p), wanted = p->mid_c;
    if (!p->inner_multiple || p->kind == NW_BLOCK_TUCKER)
        return;
    if (o && z->r->space->dims[dim].kind == NW_DIM_EXPANDED)
        wanted = o->n;
    else if (o)
        wanted = llround(o->number * (double)in_c);
    else if (in_c != p->in_c && p->in_c > 0)
        wanted = (p->mid_c * in_c + p->in_c / 2) / p->in_c;
    wanted = to_multiple(wanted, p->inner_multiple);
    if (wanted != p->mid_c)
        add_edit(z->list, NW_EDIT_EXPANSION, p->stage, p->index, p->site)->count = wanted;
}

/* ---- what looks at the new channels ---- */

static const nw_option *find_gene(const nw_space *space, const uint16_t *genome, nw_dim_kind kind,
                                  int site)
{
    for (int d = 0; d < space->n_dims; d++) {
        const nw_dim *dim = &space->dims[d];
        for (int i = 0; dim->kind == kind && i < dim->n_blocks; i++)
            if (dim->blocks[i] == site)
                return option_of(space, genome, d);
    }
    return NULL;
}

static void ask_late_variants(const resizing *z, const uint16_t *genome)
{
    for (int i = 0; i < z->s->n_parts; i++) {
        const part *p = &z->s->parts[i];
        const nw_option *o = find_gene(z->r->space, genome, NW_DIM_VARIANT, p->site);
        bool is_resized =
            p->kind == NW_BLOCK_TUCKER &&
            (channels_in(z, p) != p->in_c ||
             (p->out_group >= 0 && z->wanted[p->out_group] && z->wanted[p->out_group] != p->out_c));
        if (!(o && is_late_kind(o->block)) && !is_resized)
            continue;
        nw_edit *edit = add_edit(z->list, NW_EDIT_VARIANT, p->stage, p->index, p->site);
        edit->block = o ? o->block : p->kind;
        edit->number = o ? o->number : 0;
        if (edit->block == NW_BLOCK_TUCKER && edit->number == 0 && p->kind == NW_BLOCK_TUCKER)
            edit->number = (double)p->mid_c / (double)p->in_c;
    }
}

static void ask_squeeze(const resizing *z, const uint16_t *genome)
{
    for (int i = 0; i < z->s->n_parts; i++) {
        const part *p = &z->s->parts[i];
        int dim = z->r->squeeze_dim[p->site];
        const nw_option *o = dim >= 0 ? option_of(z->r->space, genome, dim) : NULL;
        if (!o && (!p->squeeze_c || channels_in(z, p) == p->in_c))
            continue;
        add_edit(z->list, NW_EDIT_SQUEEZE, p->stage, p->index, p->site)->number =
            o ? o->number : (double)p->squeeze_c / (double)p->in_c;
    }
}

static void ask_precision(const resizing *z, const uint16_t *genome)
{
    const nw_space *space = z->r->space;
    for (int d = 0; d < space->n_dims; d++) {
        const nw_dim *dim = &space->dims[d];
        const nw_option *o = dim->kind == NW_DIM_PRECISION ? option_of(space, genome, d) : NULL;
        for (int i = 0; o && o->n && i < dim->n_blocks; i++) {
            int at = z->s->part_of[dim->blocks[i]];
            if (at < 0)
                continue;
            nw_edit *edit = add_edit(z->list, NW_EDIT_PRECISION, z->s->parts[at].stage,
                                     z->s->parts[at].index, dim->blocks[i]);
            edit->count = o->n;
            edit->number = o->number;
        }
    }
}

static nw_status finish(resizing *z, const uint16_t *genome, const nw_arch **at, nw_error *err)
{
    static void (*const asks[])(const resizing *z, const uint16_t *genome) = {
        ask_late_variants, ask_squeeze, ask_precision};
    ask_channels(z, genome);
    for (int i = 0; i < z->s->n_parts; i++)
        ask_inner(z, genome, &z->s->parts[i]);
    nw_status status = flush(z->r, at, z->list, err);
    for (int i = 0; z->r->has_late && i < 3 && status == NW_OK; i++) {
        asks[i](z, genome);
        if (z->list->n)
            nw_space_relabel(z->r->space, *at, z->list, 0);
        status = flush(z->r, at, z->list, err);
    }
    return status;
}

/* ---- realisers ---- */

static bool can_be_late(const nw_space *space)
{
    for (int i = 0; i < space->n_sites; i++)
        if (space->sites[i].squeeze_c || space->sites[i].kind == NW_BLOCK_TUCKER)
            return true;
    for (int d = 0; d < space->n_dims; d++) {
        const nw_dim *dim = &space->dims[d];
        if (dim->kind == NW_DIM_SQUEEZE || dim->kind == NW_DIM_PRECISION)
            return true;
        for (int i = 0; dim->kind == NW_DIM_VARIANT && i < dim->n_options; i++)
            if (is_late_kind(dim->options[i].block))
                return true;
    }
    return false;
}

static int *dims_of_sites(const nw_space *space, nw_dim_kind a, nw_dim_kind b)
{
    int *of = nw_alloc(((size_t)space->n_sites + 1) * sizeof *of);
    for (int i = 0; i < space->n_sites; i++)
        of[i] = -1;
    for (int d = 0; d < space->n_dims; d++)
        for (int i = 0; i < space->dims[d].n_blocks; i++)
            if (space->dims[d].kind == a || space->dims[d].kind == b)
                of[space->dims[d].blocks[i]] = d;
    return of;
}

nw_realiser *nw_realiser_new(const nw_space *space)
{
    nw_realiser *r = nw_zalloc(sizeof *r);
    r->space = nw_space_retain(space);
    r->structures = nw_zalloc(MAX_STRUCTURES * sizeof *r->structures);
    r->key = nw_zalloc(((size_t)space->n_dims + 1) * sizeof *r->key);
    r->inner_dim = dims_of_sites(space, NW_DIM_EXPANSION, NW_DIM_EXPANDED);
    r->squeeze_dim = dims_of_sites(space, NW_DIM_SQUEEZE, NW_DIM_SQUEEZE);
    r->has_late = can_be_late(space);
    return r;
}

void nw_realiser_free(nw_realiser *r)
{
    if (!r)
        return;
    for (int i = 0; i < r->n_structures; i++)
        free_structure(&r->structures[i]);
    free(r->structures);
    free(r->key);
    free(r->inner_dim);
    free(r->squeeze_dim);
    nw_space_release(r->space);
    free(r);
}

nw_status nw_realiser_make(nw_realiser *r, const uint16_t *genome, const nw_arch **out,
                           nw_error *err)
{
    const structure *s;
    nw_status status = find_structure(r, genome, &s, err);
    if (status != NW_OK)
        return status;
    nw_edit_list list = {0};
    int64_t *numbers = nw_zalloc(2 * ((size_t)s->n_groups + 1) * sizeof *numbers);
    resizing z = {r, s, numbers, numbers + s->n_groups, &list};
    const nw_arch *at = nw_arch_retain(s->arch);
    status = finish(&z, genome, &at, err);
    free(numbers);
    nw_edit_list_fini(&list);
    if (status == NW_OK)
        *out = at;
    else
        nw_arch_release(at);
    return status;
}

static nw_status make_signed(const nw_space *space, const uint16_t *genome, const nw_arch **out,
                             nw_error *err)
{
    nw_realiser *r = nw_realiser_new(space);
    r->is_signed = true;
    nw_status status = nw_realiser_make(r, genome, out, err);
    nw_realiser_free(r);
    return status;
}

/* The same network with the lines of another one's edits. */
static nw_status sign(const nw_arch *arch, const nw_arch *from, const nw_arch **out, nw_error *err)
{
    nw_graph *graph = nw_graph_copy(nw_arch_graph(arch));
    const nw_graph *lines = nw_arch_graph(from);
    nw_graph_set_edits(graph, lines->edits, lines->n_edits);
    nw_status status = nw_graph_seal(graph, NULL, 0, err);
    if (status == NW_OK)
        *out = nw_arch_lift(graph);
    else
        nw_graph_free(graph);
    return status;
}

nw_status nw_space_arch(const nw_space *space, const uint16_t *genome, const nw_arch **out,
                        nw_error *err)
{
    const nw_arch *arch, *slow = NULL;
    nw_realiser *r = nw_realiser_new(space);
    nw_status status = nw_realiser_make(r, genome, &arch, err);
    nw_realiser_free(r);
    if (status != NW_OK)
        return status;
    if (make_signed(space, genome, &slow, NULL) != NW_OK) {
        *out = arch;
        return NW_OK;
    }
    status = sign(arch, slow, out, err);
    nw_arch_release(slow);
    nw_arch_release(arch);
    return status;
}

nw_status nw_space_edits(const nw_space *space, const uint16_t *genome, nw_edit **out, int *n,
                         nw_error *err)
{
    const nw_arch *arch;
    nw_status status = make_signed(space, genome, &arch, err);
    if (status != NW_OK)
        return status;
    int n_before;
    nw_arch_edits(space->base, &n_before);
    const nw_edit *edits = nw_arch_edits(arch, n);
    *n -= n_before;
    *out = nw_alloc(((size_t)*n + 1) * sizeof **out);
    memcpy(*out, edits + n_before, (size_t)*n * sizeof **out);
    nw_arch_release(arch);
    return NW_OK;
}
