/* arch.c - the life of an arch, and its blocks by number, node and label. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/internal.h"

/* ---- kinds ---- */

static const char *const kind_names[NW_BLOCK_COUNT] = {
#define X(kind, name) [NW_BLOCK_##kind] = name,
    NW_BLOCKS(X)
#undef X
};

static const struct {
    const char *name;
    nw_block_kind kind;
} aliases[] = {
    {"mbconv", NW_BLOCK_IBN},         {"ir", NW_BLOCK_IBN},    {"er", NW_BLOCK_FUSED},
    {"fused_ibn", NW_BLOCK_FUSED},    {"ds", NW_BLOCK_DSEP},   {"cn", NW_BLOCK_CONV},
    {"fused_mbconv", NW_BLOCK_FUSED}, {"tu", NW_BLOCK_TUCKER},
};

const char *nw_block_kind_name(nw_block_kind kind)
{
    return kind_names[kind];
}

bool nw_block_kind_is_main(nw_block_kind kind)
{
    return kind <= NW_BLOCK_BOTTLENECK;
}

bool nw_block_kind_expands(nw_block_kind kind)
{
    return kind == NW_BLOCK_IBN || kind == NW_BLOCK_FUSED || kind == NW_BLOCK_GROUPED ||
           kind == NW_BLOCK_FUSED_GROUPED;
}

nw_block_kind nw_block_kind_find(const char *name)
{
    for (int kind = 0; kind < NW_BLOCK_COUNT; kind++)
        if (strcmp(name, kind_names[kind]) == 0)
            return (nw_block_kind)kind;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(name, aliases[i].name) == 0)
            return aliases[i].kind;
    return NW_BLOCK_COUNT;
}

/* ---- life ---- */

static nw_arch *arch_new(nw_graph *graph)
{
    nw_arch *arch = nw_zalloc(sizeof *arch);
    atomic_init(&arch->n_owners, 1);
    atomic_init(&arch->lifting, NULL);
    atomic_init(&arch->groups, NULL);
    arch->graph = graph;
    return arch;
}

/* Lines that are no edits stay where they are: in graph->edits, for whoever wrote them. */
const nw_arch *nw_arch_lift(nw_graph *graph)
{
    nw_arch *arch = arch_new(graph);
    nw_error err, first = {.message = ""};
    int n_bad = 0;
    if (!graph->n_edits)
        return arch;
    arch->edits = nw_alloc((size_t)graph->n_edits * sizeof *arch->edits);
    for (int i = 0; i < graph->n_edits; i++) {
        if (nw_edit_read(graph->edits[i], &arch->edits[arch->n_edits], &err) == NW_OK)
            arch->n_edits++;
        else if (!n_bad++)
            first = err;
    }
    if (n_bad)
        nw_graph_warn(graph, "%d of %d lines in \"edits\" are no edits: %s: %s", n_bad,
                      graph->n_edits, first.where, first.message);
    return arch;
}

const nw_arch *nw_arch_derive(const nw_arch *from, nw_graph *graph, const nw_edit *edits,
                              int n_edits)
{
    nw_arch *arch = arch_new(graph);
    arch->origin = nw_arch_retain(nw_arch_origin(from));
    arch->n_edits = from->n_edits + n_edits;
    arch->edits = nw_alloc(((size_t)arch->n_edits + 1) * sizeof *arch->edits);
    for (int i = 0; i < from->n_edits; i++)
        arch->edits[i] = from->edits[i];
    for (int i = 0; i < n_edits; i++)
        arch->edits[from->n_edits + i] = edits[i];
    return arch;
}

const nw_arch *nw_arch_retain(const nw_arch *arch)
{
    if (arch)
        atomic_fetch_add_explicit(&((nw_arch *)arch)->n_owners, 1, memory_order_relaxed);
    return arch;
}

void nw_arch_release(const nw_arch *arch)
{
    nw_arch *mine = (nw_arch *)arch;
    if (!mine || atomic_fetch_sub_explicit(&mine->n_owners, 1, memory_order_acq_rel) != 1)
        return;
    nw_lifting_free(atomic_load(&mine->lifting));
    nw_groups_free(atomic_load(&mine->groups));
    nw_arch_release(mine->origin);
    nw_graph_free(mine->graph);
    free(mine->edits);
    free(mine);
}

nw_graph *nw_arch_take_graph(const nw_arch *arch)
{
    nw_arch *mine = (nw_arch *)arch;
    assert(atomic_load(&mine->n_owners) == 1);
    nw_graph *graph = mine->graph;
    mine->graph = NULL;
    return graph;
}

const nw_graph *nw_arch_graph(const nw_arch *arch)
{
    return arch->graph;
}

const nw_edit *nw_arch_edits(const nw_arch *arch, int *n)
{
    *n = arch->n_edits;
    return arch->edits;
}

const nw_arch *nw_arch_origin(const nw_arch *arch)
{
    return arch->origin ? arch->origin : arch;
}

/* ---- blocks ---- */

const nw_lifting *nw_arch_lifting(const nw_arch *arch)
{
    nw_arch *mine = (nw_arch *)arch;
    nw_lifting *lifting = atomic_load_explicit(&mine->lifting, memory_order_acquire);
    if (lifting)
        return lifting;
    nw_lifting *found = nw_lifting_find(arch->graph);
    if (atomic_compare_exchange_strong(&mine->lifting, &lifting, found))
        return found;
    nw_lifting_free(found);
    return lifting;
}

void nw_lifting_free(nw_lifting *lifting)
{
    if (!lifting)
        return;
    nw_arena_fini(&lifting->arena);
    free(lifting);
}

const nw_block *nw_arch_blocks(const nw_arch *arch, int *n)
{
    const nw_lifting *lifting = nw_arch_lifting(arch);
    *n = lifting->n_blocks;
    return lifting->blocks;
}

const nw_block *nw_arch_block_of(const nw_arch *arch, nw_node_id node)
{
    const nw_lifting *lifting = nw_arch_lifting(arch);
    int index = lifting->block_of[node];
    return index < 0 ? NULL : &lifting->blocks[index];
}

int nw_arch_n_stages(const nw_arch *arch)
{
    return nw_arch_lifting(arch)->n_stages;
}

const nw_block *nw_arch_find_block(const nw_arch *arch, const char *label)
{
    const nw_lifting *lifting = nw_arch_lifting(arch);
    char *end, own[32];
    long stage = strtol(label, &end, 10);
    long index = *end == '.' ? strtol(end + 1, NULL, 10) : -1;
    for (int i = 0; i < lifting->n_blocks; i++) {
        const nw_block *block = &lifting->blocks[i];
        if (block->stage == stage && block->index == index)
            return strcmp(nw_block_label(block, own, sizeof own), label) == 0 ? block : NULL;
    }
    return NULL;
}

double nw_arch_recognised(const nw_arch *arch)
{
    return nw_arch_lifting(arch)->recognised;
}

/* ---- blocks as text ---- */

const char *nw_block_label(const nw_block *block, char *dst, size_t size)
{
    snprintf(dst, size, "%d.%d", block->stage, block->index);
    return dst;
}

/* Where it is the block's own to choose, and says more than its kind. */
static bool shows_expansion(nw_block_kind kind)
{
    return kind == NW_BLOCK_IBN || kind == NW_BLOCK_FUSED || kind == NW_BLOCK_GROUPED ||
           kind == NW_BLOCK_FUSED_GROUPED || kind == NW_BLOCK_TUCKER;
}

static void add_kernel(nw_buf *text, const nw_block *block)
{
    bool is_upsample = block->kind == NW_BLOCK_UPSAMPLE;
    if (block->kind == NW_BLOCK_FC || block->kind == NW_BLOCK_OP)
        return;
    if (!is_upsample || block->parts[NW_PART_SPATIAL].conv != NW_NONE)
        nw_buf_printf(text, " k%d", (int)block->kernel);
    nw_buf_printf(text, " %s%d", is_upsample ? "x" : "s", (int)block->stride);
}

const char *nw_block_text(const nw_block *block, char *dst, size_t size)
{
    nw_buf text = {0};
    nw_buf_puts(&text, nw_block_kind_name(block->kind));
    add_kernel(&text, block);
    if (block->dilation > 1)
        nw_buf_printf(&text, " d%d", (int)block->dilation);
    if (shows_expansion(block->kind))
        nw_buf_printf(&text, " e%.3g", block->expansion);
    if (block->groups > 1 && block->groups != block->mid_c)
        nw_buf_printf(&text, " g%d", (int)block->groups);
    nw_buf_printf(&text, " %lld->%lld", (long long)block->in_c, (long long)block->out_c);
    if (block->squeeze_c)
        nw_buf_printf(&text, " se%lld", (long long)block->squeeze_c);
    if (block->has_residual)
        nw_buf_puts(&text, " res");
    nw_text_fit(nw_buf_text(&text), dst, size);
    nw_buf_fini(&text);
    return dst;
}
