/* What the keys of an edit mean for the cell under the cursor. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/edit.h"

/* What a block can be turned into, one key after the other. */
static const nw_block_kind inner_kinds[] = {NW_BLOCK_IBN, NW_BLOCK_FUSED, NW_BLOCK_GROUPED,
                                            NW_BLOCK_FUSED_GROUPED, NW_BLOCK_TUCKER};
static const nw_block_kind outer_kinds[] = {NW_BLOCK_DSEP, NW_BLOCK_CONV};

static nw_block_kind next_kind(nw_block_kind kind, int direction)
{
    enum { N_INNER = sizeof inner_kinds / sizeof *inner_kinds };
    for (int i = 0; i < N_INNER; i++)
        if (inner_kinds[i] == kind)
            return inner_kinds[(i + direction + N_INNER) % N_INNER];
    for (int i = 0; i < 2; i++)
        if (outer_kinds[i] == kind)
            return outer_kinds[direction ? 1 - i : i];
    return kind;
}

/* The next value of c on the grid of step, in the direction. */
static int64_t step_channels(int64_t c, int64_t step, int direction)
{
    int64_t down = (c - 1) / step * step;
    if (!direction)
        return c;
    return direction > 0 ? c / step * step + step : down > 0 ? down : c;
}

static double step_expansion(double now, int direction)
{
    return !direction ? now : direction > 0 ? floor(now) + 1 : ceil(now) - 1;
}

/* Which blocks an edit of the row is for: of a stage those of its first one's kind, said only where
 * there are others. */
static const char *where_of(const ui_editor *editor, const ui_editor_row *row, char *dst,
                            size_t size)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(editor->current->arch, &n);
    bool is_mixed = false;
    for (int i = 0; i < n; i++)
        is_mixed |= blocks[i].stage == row->stage && blocks[i].kind != row->block->kind;
    if (row->is_block || !is_mixed)
        snprintf(dst, size, "%s", row->label);
    else
        snprintf(dst, size, "%s@%d", nw_block_kind_name(row->block->kind), row->stage);
    return dst;
}

/* The next type that the network lets this row have; the next one, so that its reason is told,
 * where none is possible. */
static nw_block_kind next_type(const ui_editor *editor, const ui_editor_row *row, const char *where,
                               int direction)
{
    enum { N_TRIES = sizeof inner_kinds / sizeof *inner_kinds - 1 };
    nw_block_kind first = next_kind(row->block->kind, direction), kind = first;
    for (int i = 0; direction && i < N_TRIES && kind != row->block->kind; i++) {
        char line[96];
        nw_edit edit;
        const nw_arch *arch;
        snprintf(line, sizeof line, "variant %s %s", where, nw_block_kind_name(kind));
        if (nw_edit_read(line, &edit, NULL) == NW_OK &&
            nw_arch_apply(editor->current->arch, &edit, 1, &arch, NULL, NULL) == NW_OK) {
            nw_arch_release(arch);
            return kind;
        }
        kind = next_kind(kind, direction);
    }
    return first;
}

/* The cell as a line: one value on or back, or as it is. */
static bool write_cell(const ui_editor *editor, int direction, char *dst, size_t size)
{
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    const nw_block *b = row ? row->block : NULL;
    if (!b)
        return false;
    char block[16], where[48];
    nw_block_label(b, block, sizeof block);
    where_of(editor, row, where, sizeof where);
    switch (editor->column) {
    case UI_EDITOR_TYPE:
        snprintf(dst, size, "variant %s %s", where,
                 nw_block_kind_name(next_type(editor, row, where, direction)));
        return true;
    case UI_EDITOR_REP:
        snprintf(dst, size, "depth %d %d", row->stage,
                 ui_editor_depth(editor, row->stage) + direction);
        return true;
    case UI_EDITOR_KERNEL:
        snprintf(dst, size, "kernel %s %d", where, (int)b->kernel + 2 * direction);
        return true;
    case UI_EDITOR_STRIDE: /* the first block of a stage has it */
        snprintf(dst, size, "stride %s %d", block, (int)b->stride + direction);
        return true;
    case UI_EDITOR_EXP:
        snprintf(dst, size, "expansion %s %.6g", where, step_expansion(b->expansion, direction));
        return true;
    default:
        snprintf(dst, size, "channels %s %lld", row->label,
                 (long long)step_channels(row->channels, editor->step, direction));
        return true;
    }
}

static bool answer(ui_editor *editor, nw_action_id id, const char *value, nw_action *out)
{
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    if (value != editor->value)
        snprintf(editor->value, sizeof editor->value, "%s", value);
    *out = (nw_action){id, row ? row->slowest : -1, editor->value};
    return true;
}

/* Why the cell under the cursor has no next value; false: it has one, or the session says. */
static bool is_stuck(const ui_editor *editor, int direction, char *why, size_t size)
{
    static const char *const names[UI_EDITOR_N_CELLS] = {"type",   "depth",     "kernel",
                                                         "stride", "expansion", "channels"};
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    ui_editor_column column = editor->column;
    if (!row || !row->block) {
        snprintf(why, size, "put the cursor on a stage or a block");
        return true;
    }
    bool has_cell = column == UI_EDITOR_REP ? nw_block_kind_is_main(row->block->kind)
                                            : strcmp(row->cells[column], "-") != 0;
    if (!has_cell) {
        snprintf(why, size, "%s: a block of type %s has no %s to change", row->label,
                 nw_block_kind_name(row->block->kind), names[column]);
        return true;
    }
    if (column == UI_EDITOR_TYPE && next_kind(row->block->kind, direction) == row->block->kind) {
        snprintf(why, size, "%s: there is no other type for a block of type %s", row->label,
                 nw_block_kind_name(row->block->kind));
        return true;
    }
    if (column == UI_EDITOR_CHAN &&
        step_channels(row->channels, editor->step, direction) == row->channels) {
        snprintf(why, size, "%s c%lld: a step of %lld less leaves none; = types a value",
                 row->label, (long long)row->channels, (long long)editor->step);
        return true;
    }
    return false;
}

bool ui_editor_change(ui_editor *editor, int direction, nw_action *out, char *why, size_t size)
{
    if (is_stuck(editor, direction, why, size))
        return false;
    if (editor->column == UI_EDITOR_REP) /* the session knows what may go */
        return ui_editor_repeat_block(editor, direction > 0 ? NW_ACTION_INSERT : NW_ACTION_DROP,
                                      out);
    return write_cell(editor, direction, editor->value, sizeof editor->value) &&
           answer(editor, NW_ACTION_EDIT, editor->value, out);
}

const char *ui_editor_suggest(const ui_editor *editor, char *dst, size_t size)
{
    if (!write_cell(editor, 0, dst, size))
        dst[0] = '\0';
    return dst;
}

bool ui_editor_fuse(ui_editor *editor, nw_action *out)
{
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    char line[96], where[48];
    if (!row || !row->block)
        return false;
    if (row->is_block)
        return answer(editor, NW_ACTION_FUSE, row->label, out);
    static const nw_block_kind other[NW_BLOCK_COUNT] = {
        [NW_BLOCK_IBN] = NW_BLOCK_FUSED,
        [NW_BLOCK_FUSED] = NW_BLOCK_IBN,
        [NW_BLOCK_GROUPED] = NW_BLOCK_FUSED_GROUPED,
        [NW_BLOCK_FUSED_GROUPED] = NW_BLOCK_GROUPED,
    };
    nw_block_kind to = other[row->block->kind];
    if (!to) { /* conv is 0: the session says what there is to say of a block */
        nw_block_label(row->block, line, sizeof line);
        return answer(editor, NW_ACTION_FUSE, line, out);
    }
    snprintf(line, sizeof line, "variant %s %s", where_of(editor, row, where, sizeof where),
             nw_block_kind_name(to));
    return answer(editor, NW_ACTION_EDIT, line, out);
}

bool ui_editor_repeat_block(ui_editor *editor, nw_action_id id, nw_action *out)
{
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    char label[16];
    if (!row || !row->block)
        return false;
    return answer(editor, id, nw_block_label(row->block, label, sizeof label), out);
}

/* ---- prices of alignment ---- */

bool ui_editor_price(ui_editor *editor, char *why, size_t size)
{
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    const nw_point *point = editor->current;
    nw_error err;
    editor->is_pricing = false;
    if (!row || !row->block) {
        snprintf(why, size, "align: put the cursor on a stage or a block");
        return false;
    }
    nw_subject subject = {point->arch, point->hw, point->estimate.estimator, point->precision};
    nw_edit_kind kind = editor->column == UI_EDITOR_EXP ? NW_EDIT_EXPANSION : NW_EDIT_CHANNELS;
    if (nw_align_find(&subject, &point->estimate, row->block, kind, &editor->align, &err) !=
        NW_OK) {
        snprintf(why, size, "align: %.40s%s%.200s", err.where, err.where[0] ? ": " : "",
                 err.message);
        return false;
    }
    editor->is_pricing = true;
    nw_block_label(row->block, editor->priced, sizeof editor->priced);
    const nw_align *a = &editor->align;
    editor->takes_up = a->up.is_possible && (a->nearest_is_up || !a->down.is_possible);
    return true;
}

void ui_editor_take_price(ui_editor *editor, nw_action *out)
{
    const nw_align_price *price = editor->takes_up ? &editor->align.up : &editor->align.down;
    const ui_editor_row *row = ui_editor_row_at_cursor(editor);
    nw_edit edit = price->edit;
    nw_buf line = {0};
    if (row && !row->is_block && edit.kind == NW_EDIT_CHANNELS)
        edit.where.index = -1; /* blocks of a stage have the same channels */
    nw_edit_write(&edit, &line);
    answer(editor, NW_ACTION_EDIT, nw_buf_text(&line), out);
    nw_buf_fini(&line);
    editor->is_pricing = false;
}
