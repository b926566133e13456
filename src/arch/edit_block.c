/* edit_block.c - kernel, stride, activation and residual of one block. */
#include <stdio.h>

#include "src/arch/edit.h"

nw_part_role nw_block_last_role(const nw_block *block)
{
    if (block->parts[NW_PART_PROJECT].conv != NW_NONE)
        return NW_PART_PROJECT;
    return block->parts[NW_PART_SPATIAL_2].conv != NW_NONE ? NW_PART_SPATIAL_2 : NW_PART_SPATIAL;
}

static nw_status refuse_kind(const nw_block *block, const char *what, nw_error *err)
{
    char where[16];
    nw_block_label(block, where, sizeof where);
    return nw_fail(err, NW_INVALID, where, "has no %s: it is a block of kind %s", what,
                   nw_block_kind_name(block->kind));
}

#define REFUSE(err, block, ...)                                                                    \
    nw_fail(err, NW_INVALID, nw_block_label(block, (char[16]){0}, 16), __VA_ARGS__)

/* ---- kernel ---- */

/* Padding for another kernel, so that the output keeps its size. */
static bool pad_for_kernel(nw_window *window, int32_t kernel)
{
    int32_t more = window->dilation * (kernel - window->kernel), before = more / 2;
    window->kernel = kernel;
    if (window->pad_mode == NW_PAD_SAME_UPPER || window->pad_mode == NW_PAD_SAME_LOWER)
        return true;
    window->pad_mode = NW_PAD_EXPLICIT;
    window->top += before;
    window->left += before;
    window->bottom += more - before;
    window->right += more - before;
    return window->top >= 0 && window->left >= 0 && window->bottom >= 0 && window->right >= 0;
}

static bool has_kernel(const nw_block *block)
{
    return nw_block_kind_is_main(block->kind) || block->kind == NW_BLOCK_HEAD;
}

nw_status nw_edit_kernel(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                         nw_edit_note *note, nw_error *err)
{
    static const nw_part_role roles[] = {NW_PART_SPATIAL, NW_PART_SPATIAL_2};
    nw_piece pieces[2];
    nw_piece_form forms[2];
    int n = 0, was = block->kernel;
    if (!has_kernel(block))
        return refuse_kind(block, "kernel to change", err);
    for (int i = 0; i < 2; i++) {
        if (block->parts[roles[i]].conv == NW_NONE && i)
            continue;
        nw_status status = nw_piece_find(draft->arch, block, roles[i], &pieces[n], err);
        if (status != NW_OK)
            return status;
        forms[n] = nw_piece_form_of(draft->old, &pieces[n]);
        if (draft->old->nodes[pieces[n].nodes[pieces[n].conv_at]].op != NW_OP_CONV2D)
            return refuse_kind(block, "kernel to change", err);
        if (!pad_for_kernel(&forms[n].window, (int32_t)edit->count))
            return REFUSE(err, block,
                          "is not padded enough: a kernel of %lld would change its size",
                          (long long)edit->count);
        n++;
    }
    if (was == edit->count) {
        note->is_done = false;
        snprintf(note->text, sizeof note->text, "already k%d", was);
        return NW_OK;
    }
    for (int i = 0; i < n; i++)
        nw_piece_set(draft, &pieces[i], pieces[i].nodes, &forms[i]);
    snprintf(note->text, sizeof note->text, "k%d -> k%lld", was, (long long)edit->count);
    return NW_OK;
}

/* ---- stride ---- */

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Explicit padding along one axis for an output of ceil(size / stride). in: what the convolution
 * reads, size: what the block reads (without padding of its own). */
static void pad_axis(int64_t in, int64_t size, int64_t stride, int64_t taps, int32_t *before,
                     int32_t *after)
{
    int64_t out = ceil_div(size, stride);
    if ((in + *before + *after - taps) / stride + 1 == out)
        return;
    int64_t total = (out - 1) * stride + taps - in;
    if (total < 0)
        total = 0;
    *before = *before <= total ? *before : (int32_t)(total / 2);
    *after = (int32_t)total - *before;
}

void nw_window_set_stride(const nw_graph *graph, const nw_piece *piece, int32_t stride,
                          nw_window *window)
{
    const nw_geometry *g = &piece->geometry;
    nw_hwc size = nw_tensor_hwc(graph, piece->in);
    int64_t taps = (int64_t)window->dilation * (window->kernel - 1) + 1;
    window->stride = stride;
    if (window->pad_mode == NW_PAD_SAME_UPPER || window->pad_mode == NW_PAD_SAME_LOWER)
        return;
    window->pad_mode = NW_PAD_EXPLICIT;
    pad_axis(g->in_h, size.h, stride, taps, &window->top, &window->bottom);
    pad_axis(g->in_w, size.w, stride, taps, &window->left, &window->right);
}

nw_status nw_edit_stride(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                         nw_edit_note *note, nw_error *err)
{
    nw_piece pieces[2];
    int n = 1;
    if (!nw_block_kind_is_main(block->kind))
        return refuse_kind(block, "stride to change", err);
    nw_status status = nw_piece_find(draft->arch, block, NW_PART_SPATIAL, &pieces[0], err);
    if (status != NW_OK)
        return status;
    bool has_shortcut = block->parts[NW_PART_SHORTCUT].conv != NW_NONE;
    if (has_shortcut &&
        (status = nw_piece_find(draft->arch, block, NW_PART_SHORTCUT, &pieces[n++], err)) != NW_OK)
        return status;
    int64_t was = pieces[0].geometry.stride_h;
    if (block->stride == edit->count) {
        note->is_done = false;
        snprintf(note->text, sizeof note->text, "already s%lld", (long long)edit->count);
        return NW_OK;
    }
    if (block->stride != was)
        return REFUSE(err, block, "has its stride in another convolution than the k x k");
    if (block->has_residual && !has_shortcut)
        return REFUSE(err, block,
                      "adds its input to its output: with stride %lld they would differ in size",
                      (long long)edit->count);
    if (block->dilation > 1 && edit->count > 1)
        return REFUSE(err, block, "is dilated: it keeps stride 1");
    for (int i = 0; i < n; i++) {
        nw_piece_form form = nw_piece_form_of(draft->old, &pieces[i]);
        nw_window_set_stride(draft->old, &pieces[i], (int32_t)edit->count, &form.window);
        nw_piece_set(draft, &pieces[i], pieces[i].nodes, &form);
    }
    snprintf(note->text, sizeof note->text, "s%lld -> s%lld", (long long)was,
             (long long)edit->count);
    return NW_OK;
}

/* ---- activation ---- */

/* Parts that get one although they have none: the expanding and the spatial one, where one block
 * is meant and no pattern. */
static bool takes_act(const nw_block *block, nw_part_role role, bool is_single)
{
    if (block->parts[role].act != NW_OP_IDENTITY)
        return true;
    bool is_inner = role == NW_PART_EXPAND || role == NW_PART_SPATIAL;
    return is_inner && (is_single || block->parts[NW_PART_PROJECT].conv != NW_NONE);
}

/* The one behind the residual add. */
static void set_sum_act(nw_draft *draft, const nw_block *block, nw_op act)
{
    const nw_graph *old = draft->old;
    nw_tensor_id sum = old->nodes[block->add].outputs[0];
    nw_tensor_id out = old->nodes[block->act_node].outputs[0];
    nw_piece piece = {.in = sum, .out = out, .nodes = {block->add, block->act_node}, .n_nodes = 2};
    piece.act_at = 1;
    piece.act_end = block->act_node == block->add ? 1 : 2;
    nw_piece_set_act(draft, &piece, act);
}

nw_status nw_edit_act(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                      nw_edit_note *note, nw_error *err)
{
    static const nw_part_role roles[] = {NW_PART_EXPAND, NW_PART_SPATIAL, NW_PART_SPATIAL_2,
                                         NW_PART_PROJECT};
    nw_piece pieces[4];
    int n = 0, n_acts = 0;
    nw_op was = block->add != NW_NONE ? block->act : NW_OP_IDENTITY;
    for (int i = 0; i < 4; i++) {
        const nw_block_part *part = &block->parts[roles[i]];
        if (part->conv == NW_NONE || !takes_act(block, roles[i], nw_edit_is_single(edit)))
            continue;
        n_acts++;
        was = n_acts == 1 || was == NW_OP_IDENTITY ? part->act : was;
        if (part->act == edit->act)
            continue;
        nw_status status = nw_piece_find(draft->arch, block, roles[i], &pieces[n++], err);
        if (status != NW_OK)
            return status;
    }
    bool has_sum = block->add != NW_NONE && block->act != NW_OP_IDENTITY;
    if (!n_acts && !has_sum)
        return REFUSE(err, block, "has no activation to replace");
    bool changes_sum = has_sum && block->act != edit->act;
    const char *name = edit->act == NW_OP_IDENTITY ? "none" : nw_op_name(edit->act);
    note->is_done = n || changes_sum;
    for (int i = 0; i < n; i++)
        nw_piece_set_act(draft, &pieces[i], edit->act);
    if (changes_sum)
        set_sum_act(draft, block, edit->act);
    if (note->is_done)
        snprintf(note->text, sizeof note->text, "%s -> %s",
                 was == NW_OP_IDENTITY ? "none" : nw_op_name(was), name);
    else
        snprintf(note->text, sizeof note->text, "already %s", name);
    return NW_OK;
}

/* ---- residual ---- */

void nw_residual_emit(nw_draft *draft, nw_tensor_id like, nw_tensor_id raw, nw_tensor_id in,
                      nw_tensor_id out)
{
    nw_tensor_id ends[2] = {nw_glue_emit(draft, like, raw, "main"), in};
    nw_draft_node(draft, NW_OP_ADD, draft->old->tensors[like].name, "add", ends, 2, out);
}

static nw_status drop_residual(nw_draft *draft, const nw_block *block, const nw_piece *last,
                               nw_error *err)
{
    const nw_node *add = &draft->old->nodes[block->add];
    nw_node_id end = last->nodes[last->n_nodes - 1];
    if (add->act != NW_ACT_NONE &&
        (draft->old->nodes[end].act != NW_ACT_NONE || !nw_draft_is_tflite(draft)))
        return REFUSE(err, block, "has an activation inside its add and one before it");
    if (draft->old->tensors[last->out].is_output)
        return REFUSE(err, block, "has an output of the network before its add");
    if (add->act != NW_ACT_NONE)
        draft->graph->nodes[end].act = add->act;
    nw_draft_merge(draft, last->out, add->outputs[0]);
    return NW_OK;
}

static nw_status put_residual(nw_draft *draft, const nw_block *block, const nw_piece *last,
                              nw_error *err)
{
    bool has_expand = block->parts[NW_PART_EXPAND].conv != NW_NONE;
    nw_piece first;
    nw_status status = nw_piece_find(draft->arch, block,
                                     has_expand ? NW_PART_EXPAND : NW_PART_SPATIAL, &first, err);
    if (status != NW_OK)
        return status;
    const nw_tensor *in = &draft->old->tensors[first.in], *out = &draft->old->tensors[last->out];
    if (!nw_shape_equal(&in->shape, &out->shape))
        return REFUSE(err, block, "makes %lldx%lldx%lld of %lldx%lldx%lld: they cannot be added",
                      (long long)block->out_h, (long long)block->out_w, (long long)block->out_c,
                      (long long)block->in_h, (long long)block->in_w, (long long)block->in_c);
    if (in->dtype != out->dtype)
        return REFUSE(err, block, "reads %s and writes %s: they cannot be added",
                      nw_dtype_name(in->dtype), nw_dtype_name(out->dtype));
    nw_node_id end = last->nodes[last->n_nodes - 1];
    nw_tensor_id raw = nw_draft_tensor(draft, last->out, "main");
    draft->graph->nodes[end].outputs[0] = raw;
    nw_residual_emit(draft, last->out, raw, first.in, last->out);
    return NW_OK;
}

nw_status nw_edit_residual(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                           nw_edit_note *note, nw_error *err)
{
    nw_piece last;
    if (!nw_block_kind_is_main(block->kind))
        return refuse_kind(block, "way for a residual", err);
    if (block->has_residual == (edit->count != 0)) {
        note->is_done = false;
        snprintf(note->text, sizeof note->text, "already %s a residual",
                 edit->count ? "with" : "without");
        return NW_OK;
    }
    nw_status status = nw_piece_find(draft->arch, block, nw_block_last_role(block), &last, err);
    if (status == NW_OK)
        status = edit->count ? put_residual(draft, block, &last, err)
                             : drop_residual(draft, block, &last, err);
    snprintf(note->text, sizeof note->text, edit->count ? "residual added" : "residual removed");
    return status;
}
