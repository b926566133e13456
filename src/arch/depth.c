/* depth.c - how many blocks a stage has.
 *
 * Counted are blocks of convolutions (conv to bottleneck in NW_BLOCKS). Blocks are taken from the
 * end of the stage, if they make a map like the one they read; more are copies of the last one,
 * with new weights, behind it. A copy of a block that changes the map works at stride 1 on what
 * that one makes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "src/arch/edit.h"

#define MAX_COPIED 256 /* nodes of a block */

/* The tensor at the end of a block, before it is quantised for others. */
static nw_tensor_id end_of(const nw_graph *graph, const nw_block *block, const nw_piece *last)
{
    if (block->act_node != NW_NONE)
        return graph->nodes[block->act_node].outputs[0];
    return block->add != NW_NONE ? graph->nodes[block->add].outputs[0] : last->out;
}

/* What a block is for its neighbours. */
typedef struct link {
    nw_piece first, last; /* its first and last convolution */
    nw_part_role first_role;
    nw_tensor_id end;
    bool keeps_map; /* makes a map of the shape it reads */
} link;

static nw_status find_link(const nw_arch *arch, const nw_block *block, link *out, nw_error *err)
{
    const nw_graph *graph = nw_arch_graph(arch);
    out->first_role =
        block->parts[NW_PART_EXPAND].conv != NW_NONE ? NW_PART_EXPAND : NW_PART_SPATIAL;
    nw_status status = nw_piece_find(arch, block, out->first_role, &out->first, err);
    if (status == NW_OK)
        status = nw_piece_find(arch, block, nw_block_last_role(block), &out->last, err);
    if (status != NW_OK)
        return status;
    out->end = end_of(graph, block, &out->last);
    const nw_tensor *in = &graph->tensors[out->first.in], *end = &graph->tensors[out->end];
    out->keeps_map = nw_shape_equal(&in->shape, &end->shape) && in->dtype == end->dtype;
    return NW_OK;
}

/* ---- fewer ---- */

/* A node outside that reads what a block makes on the way; NW_NONE: there is none. */
static nw_node_id tap_of(const nw_arch *arch, const nw_block *block, nw_tensor_id end)
{
    const nw_graph *graph = nw_arch_graph(arch);
    nw_tensor_id shown = nw_glue_end(graph, end);
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_node *node = &graph->nodes[id];
        if (nw_arch_block_of(arch, id) == block)
            continue;
        for (int i = 0; i < node->n_inputs; i++) {
            if (node->inputs[i] == NW_NONE || node->inputs[i] == end || node->inputs[i] == shown)
                continue;
            nw_node_id producer = graph->tensors[node->inputs[i]].producer;
            if (producer != NW_NONE && !graph->tensors[node->inputs[i]].is_const &&
                nw_arch_block_of(arch, producer) == block &&
                nw_glue_begin(graph, node->inputs[i]) != end)
                return id;
        }
    }
    return NW_NONE;
}

static nw_status check_removable(const nw_arch *arch, const nw_block *block, const link *l,
                                 nw_error *err)
{
    const nw_graph *graph = nw_arch_graph(arch);
    char where[16], reader[96];
    nw_block_label(block, where, sizeof where);
    nw_node_id tap = tap_of(arch, block, l->end);
    if (tap != NW_NONE)
        return nw_fail(err, NW_INVALID, where, "cannot go: '%s' reads a map from inside it",
                       nw_node_label(graph, tap, reader, sizeof reader));
    for (int i = 0; i < graph->n_outputs; i++) {
        nw_node_id producer = graph->tensors[graph->outputs[i]].producer;
        if (producer == NW_NONE || nw_arch_block_of(arch, producer) != block)
            continue;
        if (nw_glue_begin(graph, graph->outputs[i]) != l->end)
            return nw_fail(err, NW_INVALID, where,
                           "cannot go: an output of the network is made inside it");
        nw_tensor_id before = nw_glue_begin(graph, l->first.in);
        if (graph->outputs[i] == l->end &&
            (graph->tensors[before].producer == NW_NONE || graph->tensors[before].is_output))
            return nw_fail(err, NW_INVALID, where,
                           "cannot go: it makes an output of what nothing makes or what is one");
    }
    return NW_OK;
}

/* The tensor that is left where blocks in front go too. */
static nw_tensor_id left_of(nw_tensor_id begin, const nw_tensor_id *ends,
                            const nw_tensor_id *begins, int n)
{
    for (int i = 0; i < n; i++)
        if (begin == ends[i])
            begin = begins[i]; /* blocks are taken from the last to the first */
    return begin;
}

static nw_status take_blocks(nw_draft *draft, const nw_block **blocks, int n, int n_less,
                             nw_error *err)
{
    char where[16];
    int n_taken = 0;
    nw_tensor_id *ends = nw_alloc((size_t)n * sizeof *ends),
                 *begins = nw_alloc((size_t)n * sizeof *begins);
    nw_status status = NW_OK;
    for (int i = n - 1; i > 0 && n_taken < n_less && status == NW_OK; i--) {
        link l;
        status = find_link(draft->arch, blocks[i], &l, err);
        if (status != NW_OK || !l.keeps_map)
            continue;
        status = check_removable(draft->arch, blocks[i], &l, err);
        ends[n_taken] = l.end;
        begins[n_taken++] = nw_glue_begin(draft->old, l.first.in);
    }
    if (status == NW_OK && n_taken < n_less)
        status =
            nw_fail(err, NW_INVALID, nw_block_label(blocks[0], where, sizeof where),
                    "and others of its stage change their map: %d of %d blocks can go", n_taken, n);
    for (int i = 0; status == NW_OK && i < n_taken; i++)
        nw_draft_reroute(draft, ends[i], begins[i], NW_NONE);
    for (int i = 0; status == NW_OK && i < n_taken; i++)
        if (draft->old->tensors[ends[i]].is_output)
            nw_draft_merge(draft, left_of(begins[i], ends, begins, n_taken), ends[i]);
    free(ends);
    free(begins);
    return status;
}

/* ---- more ---- */

typedef struct copier {
    nw_draft *draft;
    nw_tensor_id from[MAX_COPIED], to[MAX_COPIED];
    int n;
    nw_node_id node[MAX_COPIED], copy[MAX_COPIED];
    int n_nodes;
} copier;

static void map_to(copier *c, nw_tensor_id from, nw_tensor_id to)
{
    c->from[c->n] = from;
    c->to[c->n++] = to;
}

/* A copy of what makes a tensor, back to tensors that have a copy. */
static nw_tensor_id copy_tensor(copier *c, nw_tensor_id tensor)
{
    const nw_graph *old = c->draft->old;
    if (tensor == NW_NONE || old->tensors[tensor].is_const)
        return tensor;
    for (int i = 0; i < c->n; i++)
        if (c->from[i] == tensor)
            return c->to[i];
    nw_node_id id = old->tensors[tensor].producer;
    if (id == NW_NONE)
        return tensor;
    nw_tensor_id inputs[8], out;
    const nw_node *node = &old->nodes[id];
    for (int i = 0; i < node->n_inputs; i++)
        inputs[i] = copy_tensor(c, node->inputs[i]);
    out = nw_draft_tensor(c->draft, tensor, "more");
    nw_draft_clone(c->draft, id, "more", inputs, &out);
    c->node[c->n_nodes] = id;
    c->copy[c->n_nodes++] = c->draft->graph->n_nodes - 1;
    map_to(c, tensor, out);
    return out;
}

static nw_node_id copy_of(const copier *c, nw_node_id node)
{
    for (int i = 0; i < c->n_nodes; i++)
        if (c->node[i] == node)
            return c->copy[i];
    return NW_NONE;
}

typedef struct repeat {
    const nw_block *block;
    link link;
    nw_piece pieces[NW_PART_COUNT];
    bool has[NW_PART_COUNT];
    bool needs_add; /* the copies get a residual that the block has not */
} repeat;

static nw_status find_repeat(const nw_arch *arch, const nw_block *block, repeat *out, nw_error *err)
{
    const nw_graph *graph = nw_arch_graph(arch);
    char where[16];
    *out = (repeat){.block = block};
    nw_block_label(block, where, sizeof where);
    nw_status status = find_link(arch, block, &out->link, err);
    for (int role = 0; role < NW_PART_COUNT && status == NW_OK; role++) {
        out->has[role] = block->parts[role].conv != NW_NONE;
        if (out->has[role])
            status = nw_piece_find(arch, block, (nw_part_role)role, &out->pieces[role], err);
    }
    if (status != NW_OK)
        return status;
    bool is_plain = block->n_nodes <= MAX_COPIED / 2;
    for (int i = 0; i < block->n_nodes; i++)
        is_plain &= graph->nodes[block->nodes[i]].n_outputs == 1 &&
                    graph->nodes[block->nodes[i]].n_inputs <= 8;
    if (!is_plain)
        return nw_fail(err, NW_INVALID, where, "has operators that cannot be repeated");
    const nw_tensor *in = &graph->tensors[out->link.first.in],
                    *end = &graph->tensors[out->link.end];
    if (in->dtype != end->dtype ||
        (!out->link.keeps_map && (block->add != NW_NONE || block->dilation > 1)))
        return nw_fail(err, NW_INVALID, where,
                       "cannot be repeated: it makes another map than it reads");
    out->needs_add =
        !out->link.keeps_map && block->kind != NW_BLOCK_CONV && block->kind != NW_BLOCK_DSEP;
    return NW_OK;
}

/* The convolutions of a copy: new weights; at stride 1 on as many channels as the block makes. */
static void set_copy(const copier *c, const repeat *r)
{
    const nw_block *block = r->block;
    bool is_dsep = block->kind == NW_BLOCK_DSEP;
    for (int role = 0; role < NW_PART_COUNT; role++) {
        nw_node_id targets[NW_PIECE_NODES];
        const nw_piece *piece = &r->pieces[role];
        if (!r->has[role])
            continue;
        for (int i = 0; i < piece->n_nodes; i++)
            targets[i] = copy_of(c, piece->nodes[i]);
        nw_piece_form form = nw_piece_form_of(c->draft->old, piece);
        form.is_new = true;
        if (!r->link.keeps_map) {
            bool reads_in = (nw_part_role)role == r->link.first_role;
            if (reads_in || (is_dsep && (role == NW_PART_PROJECT || role == NW_PART_SQUEEZE)))
                form.in_c = block->out_c;
            if (is_dsep && (role == NW_PART_SPATIAL || role == NW_PART_EXCITE))
                form.out_c = block->out_c;
            if (is_dsep && role == NW_PART_SPATIAL)
                form.groups = block->out_c;
            nw_window_set_stride(c->draft->old, piece, 1, &form.window);
        }
        nw_piece_set(c->draft, piece, targets, &form);
    }
}

/* Behind `in`, a tensor like the one that the block's first convolution reads; returns its end. */
static nw_tensor_id put_copy(nw_draft *draft, const repeat *r, nw_tensor_id in)
{
    const nw_block *block = r->block;
    copier c = {.draft = draft};
    map_to(&c, r->link.first.in, in);
    if (r->has[NW_PART_SHORTCUT])
        map_to(&c, r->pieces[NW_PART_SHORTCUT].in, in);
    for (int i = 0; block->add != NW_NONE && !r->has[NW_PART_SHORTCUT] && i < 2; i++) {
        nw_tensor_id operand = draft->old->nodes[block->add].inputs[i];
        if (nw_glue_begin(draft->old, operand) != r->link.last.out)
            map_to(&c, operand, in);
    }
    nw_tensor_id end = copy_tensor(&c, r->link.end);
    set_copy(&c, r);
    if (!r->needs_add)
        return end;
    nw_tensor_id sum = nw_draft_tensor(draft, r->link.end, "sum");
    nw_residual_emit(draft, r->link.end, end, in, sum);
    return sum;
}

static nw_status put_blocks(nw_draft *draft, const nw_block *block, int n_more, nw_error *err)
{
    repeat r;
    nw_status status = find_repeat(draft->arch, block, &r, err);
    if (status != NW_OK)
        return status;
    nw_tensor_id end = r.link.end, at = nw_draft_tensor(draft, end, "inner");
    nw_node_id producer = draft->old->tensors[end].producer;
    draft->graph->nodes[producer].outputs[0] = at;
    for (int i = 0; i < n_more; i++)
        at = put_copy(draft, &r, nw_glue_emit(draft, end, at, "inner"));
    nw_draft_merge(draft, at, end);
    return NW_OK;
}

/* ---- the edit ---- */

static nw_status edit_stage(nw_draft *draft, const nw_block **blocks, int n, const nw_edit *edit,
                            nw_edit_note *note, nw_error *err)
{
    int wanted = (int)edit->count;
    note->is_done = wanted != n;
    snprintf(note->text, sizeof note->text, wanted == n ? "already %d" : "%d blocks -> %d", n,
             wanted);
    if (wanted < n)
        return take_blocks(draft, blocks, n, n - wanted, err);
    return wanted > n ? put_blocks(draft, blocks[n - 1], wanted - n, err) : NW_OK;
}

/* The blocks of a stage that count, first to last. */
static int blocks_of_stage(const nw_arch *arch, int stage, const nw_block **list)
{
    int n_all, n = 0;
    const nw_block *blocks = nw_arch_blocks(arch, &n_all);
    for (int i = 0; i < n_all; i++)
        if (blocks[i].stage == stage && nw_block_kind_is_main(blocks[i].kind))
            list[n++] = &blocks[i];
    return n;
}

nw_status nw_edit_depth_of_stage(nw_draft *draft, int stage, const nw_edit *edit,
                                 nw_edit_note *note, nw_error *err)
{
    int n_all;
    nw_arch_blocks(draft->arch, &n_all);
    const nw_block **blocks = nw_alloc(((size_t)n_all + 1) * sizeof *blocks);
    int n = blocks_of_stage(draft->arch, stage, blocks);
    snprintf(note->where, sizeof note->where, "%d", stage);
    nw_status status =
        n ? edit_stage(draft, blocks, n, edit, note, err)
          : nw_fail(err, NW_INVALID, note->where,
                    "is a stage without blocks of convolutions, from conv to bottleneck");
    free(blocks);
    return status;
}

static bool picks_stage(const nw_edit_work *work, int stage)
{
    for (int i = 0; i < work->n_picks; i++)
        if (work->picks[i]->stage == stage)
            return true;
    return false;
}

/* One stage, in a draft of its own; what cannot be sealed is refused. */
static nw_status try_stage(nw_edit_work *work, int stage, const nw_arch **at, bool *changed,
                           nw_error *err)
{
    nw_edit_note note = {.is_done = true};
    nw_draft draft;
    nw_graph *graph;
    nw_draft_init(&draft, *at);
    nw_status status = nw_edit_depth_of_stage(&draft, stage, work->edit, &note, err);
    if (status == NW_OK && note.is_done) {
        status = nw_edit_seal(&draft, &graph, err);
        if (status == NW_OK) {
            const nw_arch *next = nw_arch_derive(*at, graph, NULL, 0);
            nw_arch_release(*at);
            *at = next;
            *changed = true;
        }
    }
    nw_draft_fini(&draft);
    if (status == NW_OK)
        snprintf(nw_edit_add_note(work, note.where, note.is_done)->text, sizeof note.text, "%s",
                 note.text);
    return status;
}

nw_status nw_edit_depth(nw_edit_work *work, nw_graph **out, nw_error *err)
{
    const nw_arch *at = nw_arch_retain(work->arch);
    nw_error reason = {.message = ""}, first = {.message = ""};
    nw_status status = NW_OK;
    bool changed = false;
    int n_done = 0, n_refused = 0;
    for (int stage = 0; stage < nw_arch_n_stages(work->arch); stage++) {
        if (!picks_stage(work, stage))
            continue;
        status = try_stage(work, stage, &at, &changed, &reason);
        if (status == NW_OK) {
            n_done++;
            continue;
        }
        first = n_refused++ ? first : reason;
        nw_edit_note *note = nw_edit_add_note(work, reason.where, false);
        snprintf(note->text, sizeof note->text, "%.159s", reason.message);
    }
    if (!work->n_picks)
        status = nw_edit_refuse_nothing(work, err);
    else if (!n_done)
        status = nw_fail(err, NW_INVALID, first.where, "%s", first.message);
    else
        status = NW_OK;
    *out = NULL;
    if (status == NW_OK && changed)
        *out = nw_arch_take_graph(at);
    nw_arch_release(at);
    return status;
}
