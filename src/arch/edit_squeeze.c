/* edit_squeeze.c - squeeze-and-excite (Hu et al. 2018) behind the spatial convolution: mean over
 * the map, 1x1 down, activation, 1x1 up, gate, product. */
#include <math.h>
#include <stdio.h>

#include "src/arch/edit.h"

/* The gate of MobileNetV3 where the network has hard swishes or hard gates. */
static nw_op gate_of(const nw_graph *graph)
{
    for (nw_node_id id = 0; id < graph->n_nodes; id++)
        if (graph->nodes[id].op == NW_OP_HARD_SIGMOID || graph->nodes[id].op == NW_OP_HARD_SWISH)
            return NW_OP_HARD_SIGMOID;
    return NW_OP_SIGMOID;
}

nw_status nw_squeeze_check(const nw_draft *draft, const nw_block *block, nw_piece squeeze[2],
                           nw_error *err)
{
    nw_status status = nw_piece_find(draft->arch, block, NW_PART_SQUEEZE, &squeeze[0], err);
    return status == NW_OK ? nw_piece_find(draft->arch, block, NW_PART_EXCITE, &squeeze[1], err)
                           : status;
}

void nw_squeeze_set(nw_draft *draft, const nw_piece squeeze[2], int64_t outer, int64_t inner)
{
    for (int i = 0; i < 2; i++) {
        nw_piece_form form = nw_piece_form_of(draft->old, &squeeze[i]);
        form.in_c = i ? inner : outer;
        form.out_c = i ? outer : inner;
        nw_piece_set(draft, &squeeze[i], squeeze[i].nodes, &form);
    }
}

static nw_tensor_id emit_node(nw_draft *draft, nw_op op, const nw_piece *like, const char *suffix,
                              nw_tensor_id a, nw_tensor_id b)
{
    nw_tensor_id inputs[2] = {a, b};
    nw_tensor_id out = nw_draft_tensor(draft, like->out, suffix);
    nw_draft_node(draft, op, draft->old->tensors[like->out].name, suffix, inputs,
                  b == NW_NONE ? 1 : 2, out);
    return nw_glue_emit(draft, like->out, out, suffix);
}

static void put_squeeze(nw_draft *draft, const nw_piece *spatial, const nw_piece *project,
                        int64_t inner)
{
    int64_t outer = spatial->geometry.out_c;
    nw_tensor_id map = project->in;
    nw_piece_form down = nw_piece_form_of(draft->old, spatial), up;
    down.window = nw_window_point(&down.window);
    down.groups = 1;
    down.is_new = true;
    up = down;
    down.in_c = up.out_c = outer;
    down.out_c = up.in_c = inner;
    up.is_linear = true;
    nw_tensor_id at = emit_node(draft, NW_OP_GLOBAL_POOL, spatial, "mean", map, NW_NONE);
    at = nw_piece_emit(draft, spatial, &down, false, "squeeze", at, NW_NONE);
    at = nw_glue_emit(draft, spatial->out, at, "squeeze");
    at = nw_piece_emit(draft, spatial, &up, false, "excite", at, NW_NONE);
    at = nw_glue_emit(draft, spatial->out, at, "excite");
    at = emit_node(draft, gate_of(draft->old), spatial, "gate", at, NW_NONE);
    at = emit_node(draft, NW_OP_MUL, spatial, "scaled", map, at);
    draft->graph->nodes[project->nodes[0]].inputs[0] = at;
}

/* The map that the gate multiplies goes straight on. */
static nw_status drop_squeeze(nw_draft *draft, const nw_piece *spatial, const nw_piece *project)
{
    draft->graph->nodes[project->nodes[0]].inputs[0] = nw_glue_end(draft->old, spatial->out);
    return NW_OK;
}

static nw_status change_squeeze(nw_draft *draft, const nw_block *block, int64_t inner,
                                nw_error *err)
{
    nw_piece squeeze[2];
    nw_status status = nw_squeeze_check(draft, block, squeeze, err);
    if (status == NW_OK)
        nw_squeeze_set(draft, squeeze, squeeze[0].geometry.in_c, inner);
    return status;
}

nw_status nw_edit_squeeze(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                          nw_edit_note *note, nw_error *err)
{
    char where[16];
    nw_piece spatial, project;
    int64_t inner = 0;
    nw_block_label(block, where, sizeof where);
    if (block->parts[NW_PART_PROJECT].conv == NW_NONE || block->kind == NW_BLOCK_HEAD)
        return nw_fail(err, NW_INVALID, where,
                       "has no 1x1 behind a spatial convolution to squeeze in front of: it is a "
                       "block of kind %s",
                       nw_block_kind_name(block->kind));
    if (edit->number > 0)
        inner = llround(edit->number * (double)block->in_c);
    if (edit->number > 0 && inner < 1)
        inner = 1;
    if (inner == block->squeeze_c) {
        note->is_done = false;
        snprintf(note->text, sizeof note->text, inner ? "already se%lld" : "has none already",
                 (long long)inner);
        return NW_OK;
    }
    snprintf(note->text, sizeof note->text, "se%lld -> se%lld", (long long)block->squeeze_c,
             (long long)inner);
    if (inner && block->squeeze_c)
        return change_squeeze(draft, block, inner, err);
    nw_status status = nw_piece_find(draft->arch, block, NW_PART_SPATIAL, &spatial, err);
    if (status == NW_OK)
        status = nw_piece_find(draft->arch, block, NW_PART_PROJECT, &project, err);
    if (status != NW_OK)
        return status;
    if (!inner)
        return drop_squeeze(draft, &spatial, &project);
    put_squeeze(draft, &spatial, &project, inner);
    return NW_OK;
}
