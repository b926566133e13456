/* draft_constant.c - stored values in another shape.
 *
 * Nothing is copied: a constant of another shape says which elements of the stored one it takes
 * (nw_edited). A constant that is dequantised in the network stays so, with scales of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "src/arch/draft.h"
#include "src/base/arena.h"

#define MAX_CHAIN 16 /* nodes between a stored constant and its reader */

/* Element i of the new axis, in the old one; -1: new. */
static int32_t source_of(int64_t i, int64_t old_size, int64_t new_size, bool is_spatial)
{
    if (is_spatial)
        i -= (new_size - old_size) / 2;
    return i >= 0 && i < old_size ? (int32_t)i : -1;
}

/* The map of one axis; NULL: as it is. The caller frees it. */
static int32_t *map_axis(const nw_edited *before, int axis, int64_t old_size, int64_t new_size,
                         bool is_spatial)
{
    const int32_t *old_map = before ? before->maps[axis] : NULL;
    if (old_size == new_size && !old_map)
        return NULL;
    int32_t *map = nw_alloc((size_t)new_size * sizeof *map);
    for (int64_t i = 0; i < new_size; i++) {
        int32_t from = source_of(i, old_size, new_size, is_spatial);
        map[i] = from >= 0 && old_map ? old_map[from] : from;
    }
    return map;
}

static void set_derived(nw_draft *draft, nw_tensor_id id, const nw_tensor *old,
                        const nw_reshaped *to)
{
    nw_edited edited = nw_tensor_edited(old);
    int32_t *maps[NW_MAX_RANK] = {NULL};
    for (int i = 0; i < to->shape.rank; i++) {
        maps[i] =
            map_axis(old->edited, i, old->shape.dims[i], to->shape.dims[i], to->is_spatial[i]);
        edited.maps[i] = maps[i];
        edited.is_spatial[i] = edited.is_spatial[i] || to->is_spatial[i];
    }
    edited.fill = to->fill;
    edited.fan_in = (int32_t)to->fan_in;
    nw_graph_set_edited(draft->graph, id, old->dtype, &to->shape, &edited);
    for (int i = 0; i < to->shape.rank; i++)
        free(maps[i]);
}

static nw_quant new_quant(const nw_quant *like, const nw_reshaped *to)
{
    nw_quant quant = *like;
    quant.scales = NULL;
    quant.zero_points = NULL;
    if (quant.n_channels > 1) {
        quant.axis = to->quant_axis;
        quant.n_channels = (int)to->shape.dims[to->quant_axis];
    }
    return quant;
}

nw_tensor_id nw_draft_new_constant(nw_draft *draft, const char *base, const char *suffix,
                                   nw_dtype dtype, const nw_quant *quant, const nw_reshaped *to)
{
    nw_edited edited = {.dtype = dtype,
                        .shape = to->shape,
                        .quant = new_quant(quant, to),
                        .file_offset = -1,
                        .fill = to->fill,
                        .fan_in = (int32_t)to->fan_in};
    const char *name = nw_draft_name(draft, base, suffix);
    nw_tensor_id id = nw_graph_add_tensor(draft->graph, name, dtype, &to->shape);
    nw_graph_set_edited(draft->graph, id, dtype, &to->shape, &edited);
    return id;
}

static nw_tensor_id remake_leaf(nw_draft *draft, nw_tensor_id old_id, const nw_reshaped *to)
{
    const nw_tensor old = draft->old->tensors[old_id];
    bool has_source = to->keeps && old.shape.rank == to->shape.rank && nw_tensor_is_known(&old);
    if (!has_source)
        return nw_draft_new_constant(draft, old.name, "new", old.dtype, &old.quant, to);
    const char *name = nw_draft_name(draft, old.name, "edited");
    nw_tensor_id id = nw_graph_add_tensor(draft->graph, name, old.dtype, &to->shape);
    set_derived(draft, id, &old, to);
    return id;
}

/* The scale or zero point of a dequantised constant: one a channel, or one for all. */
static nw_tensor_id remake_scale(nw_draft *draft, nw_tensor_id old_id, const nw_reshaped *to,
                                 nw_edit_fill fill)
{
    if (old_id == NW_NONE)
        return NW_NONE;
    const nw_tensor *old = &draft->old->tensors[old_id];
    if (nw_shape_elements(&old->shape) <= 1)
        return old_id;
    int64_t n = to->shape.dims[to->quant_axis];
    nw_reshaped scales = {
        .shape = {.rank = 1, .dims = {n}}, .keeps = to->keeps, .fill = fill, .quant_axis = 0};
    if (old->shape.rank == 1 && old->shape.dims[0] == n && to->keeps)
        return old_id;
    if (old->is_stored)
        return remake_leaf(draft, old_id, &scales);
    return nw_draft_new_constant(draft, old->name, "new", old->dtype, &old->quant, &scales);
}

static nw_tensor_id remake_chain(nw_draft *draft, nw_tensor_id old_id, const nw_reshaped *to,
                                 int depth)
{
    const nw_tensor *old = &draft->old->tensors[old_id];
    const nw_node *node = old->producer == NW_NONE ? NULL : &draft->old->nodes[old->producer];
    if (old->is_stored || !node || depth >= MAX_CHAIN || !nw_op_is_converter(node->op))
        return remake_leaf(draft, old_id, to);
    nw_node_id id = old->producer;
    nw_tensor_id inputs[4] = {NW_NONE, NW_NONE, NW_NONE, NW_NONE};
    inputs[0] = remake_chain(draft, node->inputs[0], to, depth + 1);
    if (node->op == NW_OP_IDENTITY || node->n_inputs > 4)
        return inputs[0];
    if (node->n_inputs > 1)
        inputs[1] = remake_scale(draft, node->inputs[1], to, NW_EDIT_FILL_ONE);
    if (node->n_inputs > 2)
        inputs[2] = remake_scale(draft, node->inputs[2], to, NW_EDIT_FILL_ZERO);
    if (node->n_inputs > 3)
        inputs[3] = node->inputs[3];
    nw_tensor_id out = nw_draft_tensor(draft, old_id, "new");
    nw_node *clone = nw_draft_clone(draft, id, "new", inputs, &out);
    if (clone->op != NW_OP_CAST && nw_shape_elements(&to->shape) > 1)
        clone->attrs.axis = to->quant_axis;
    return out;
}

nw_tensor_id nw_draft_constant(nw_draft *draft, nw_tensor_id old, const nw_reshaped *to)
{
    if (old == NW_NONE ||
        (to->keeps && nw_shape_equal(&draft->old->tensors[old].shape, &to->shape)))
        return old;
    return remake_chain(draft, old, to, 0);
}
