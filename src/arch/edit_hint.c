/* edit_hint.c - what the user wants of the device that runs a block (nw_hint). */
#include <stdio.h>
#include <string.h>

#include "src/arch/edit.h"

static bool is_named(const nw_node *node, const char *text)
{
    return !text[0] || strcmp(node->file_type, text) == 0 || strcmp(node->name, text) == 0;
}

static nw_hint hint_for(const nw_edit *edit, nw_hint was, bool is_first)
{
    if (edit->kind == NW_EDIT_PRECISION) {
        was.bits = (uint8_t)edit->count;
        was.is_float = edit->count && edit->number != 0;
    } else if (edit->kind == NW_EDIT_SPLIT) {
        was.splits = true;
        was.joins = false;
    } else if (edit->text[0] || !is_first) { /* "join 2.1" joins inside the block */
        was.joins = true;
        was.splits = false;
    }
    return was;
}

/* Place of the first convolution among the block's nodes: what stands before it (padding,
 * dequantisers) begins the block too. */
static int first_operator(const nw_block *block)
{
    for (int i = 0; i < block->n_nodes; i++)
        for (int role = 0; role < NW_PART_COUNT; role++)
            if (block->parts[role].conv == block->nodes[i])
                return i;
    return 0;
}

static bool is_equal(nw_hint a, nw_hint b)
{
    return a.bits == b.bits && a.is_float == b.is_float && a.splits == b.splits &&
           a.joins == b.joins;
}

static void describe(const nw_edit *edit, int n, nw_edit_note *note)
{
    const char *of = edit->text[0] ? edit->text : "";
    if (!note->is_done)
        snprintf(note->text, sizeof note->text, "is so already");
    else if (edit->kind == NW_EDIT_PRECISION && !edit->count)
        snprintf(note->text, sizeof note->text, "element type of the file");
    else if (edit->kind == NW_EDIT_PRECISION)
        snprintf(note->text, sizeof note->text, "%s%d", edit->number != 0 ? "float" : "int",
                 (int)edit->count);
    else
        snprintf(note->text, sizeof note->text, "%s at %d operator%s%s%.40s",
                 edit->kind == NW_EDIT_JOIN ? "joined" : "split", n, n == 1 ? "" : "s",
                 of[0] ? " " : "", of);
}

nw_status nw_edit_hint(nw_draft *draft, const nw_block *block, const nw_edit *edit,
                       nw_edit_note *note, nw_error *err)
{
    char where[16];
    bool is_named_op = edit->kind != NW_EDIT_PRECISION;
    int n_named = 0, n_changed = 0, first = first_operator(block);
    for (int i = 0; i < block->n_nodes; i++) {
        nw_node *node = &draft->graph->nodes[block->nodes[i]];
        if (is_named_op && !is_named(node, edit->text))
            continue;
        nw_hint hint = hint_for(edit, node->hint, i <= first);
        n_named++;
        n_changed += !is_equal(hint, node->hint);
        node->hint = hint;
    }
    if (!n_named)
        return nw_fail(err, NW_INVALID, nw_block_label(block, where, sizeof where),
                       "has no operator '%s'", edit->text);
    note->is_done = n_changed > 0;
    describe(edit, n_changed, note);
    return NW_OK;
}
