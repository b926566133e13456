#include <stdlib.h>
#include <string.h>

#include "src/hw/internal.h"

typedef struct writer {
    nw_buf text;
    int depth;
    bool is_first; /* in the innermost open object */
} writer;

static void begin_member(writer *out, const char *name)
{
    nw_buf_puts(&out->text, out->is_first ? "\n" : ",\n");
    out->is_first = false;
    for (int i = 0; i < out->depth; i++)
        nw_buf_puts(&out->text, "    ");
    nw_buf_json_string(&out->text, name);
    nw_buf_puts(&out->text, ": ");
}

static void open_object(writer *out)
{
    nw_buf_puts(&out->text, "{");
    out->depth++;
    out->is_first = true;
}

static void close_object(writer *out)
{
    out->depth--;
    if (!out->is_first) {
        nw_buf_puts(&out->text, "\n");
        for (int i = 0; i < out->depth; i++)
            nw_buf_puts(&out->text, "    ");
    }
    nw_buf_puts(&out->text, "}");
    out->is_first = false;
}

static void write_precisions(writer *out, const nw_hw *hw)
{
    nw_buf_puts(&out->text, "[");
    for (int i = 0; i < hw->n_precisions; i++) {
        const nw_hw_precision *p = &hw->precisions[i];
        nw_buf_printf(&out->text,
                      "%s{\"weight_bits\": %d, \"activation_bits\": %d, \"float\": %s, \"rate\": ",
                      i ? ", " : "", p->weight_bits, p->activation_bits,
                      p->is_float ? "true" : "false");
        nw_buf_double(&out->text, p->rate);
        nw_buf_puts(&out->text, "}");
    }
    nw_buf_puts(&out->text, "]");
}

static void write_ops(writer *out, const nw_hw *hw)
{
    open_object(out);
    for (int i = NW_OP_OPAQUE + 1; i < NW_OP_COUNT; i++) {
        const nw_hw_op *op = &hw->ops[i];
        if (op->support == NW_OP_NATIVE && !hw->store->op_sources[i])
            continue;
        begin_member(out, nw_op_name((nw_op)i));
        if (op->support == NW_OP_SLOW) {
            nw_buf_puts(&out->text, "{\"slow\": ");
            nw_buf_double(&out->text, op->rate);
            nw_buf_puts(&out->text, "}");
        } else {
            nw_buf_json_string(&out->text, op->support == NW_OP_HOST ? "host" : "native");
        }
    }
    close_object(out);
}

static void write_fusion(writer *out, const nw_hw *hw)
{
    const char *comma = "";
    nw_hw copy = *hw;
    nw_buf_puts(&out->text, "[");
    for (int i = 0; nw_hw_fusion_names[i]; i++) {
        if (!*nw_hw_fusion_flag(&copy, i))
            continue;
        nw_buf_puts(&out->text, comma);
        nw_buf_json_string(&out->text, nw_hw_fusion_names[i]);
        comma = ", ";
    }
    nw_buf_puts(&out->text, "]");
}

static void write_value(writer *out, const nw_hw *hw, const nw_hw_key_row *row)
{
    const char *text;
    switch (row->type) {
    case NW_HW_TEXT:
        memcpy(&text, (const char *)hw + row->offset, sizeof text);
        nw_buf_json_string(&out->text, text);
        break;
    case NW_HW_WORD:
        nw_buf_json_string(&out->text, (const char *)hw + row->offset);
        break;
    case NW_HW_ENUM:
    case NW_HW_FLAG:
        nw_buf_json_string(&out->text, row->names[(int)nw_hw_get_number(hw, row)]);
        break;
    case NW_HW_BOOL:
        nw_buf_puts(&out->text, nw_hw_get_number(hw, row) != 0 ? "true" : "false");
        break;
    case NW_HW_PRECISIONS:
        write_precisions(out, hw);
        break;
    case NW_HW_OPS:
        write_ops(out, hw);
        break;
    case NW_HW_FUSION:
        write_fusion(out, hw);
        break;
    default:
        nw_buf_double(&out->text, nw_hw_get_number(hw, row));
    }
}

/* What a reader of the description needs; of the two ways to give the DRAM's rate, the one used. */
static bool is_described(const nw_hw *hw, const nw_hw_key_row *row)
{
    if (strcmp(row->path, "extends") == 0)
        return false;
    if (strcmp(row->path, "dram.bytes_per_cycle") == 0)
        return hw->dram.bytes_per_s == 0;
    if (strcmp(row->path, "dram.bytes_per_s") == 0)
        return hw->dram.bytes_per_s != 0;
    return nw_hw_row_applies(hw, row);
}

bool nw_hw_key_applies(const nw_hw *hw, int index)
{
    return is_described(hw, &nw_hw_rows[index]);
}

static void write_row(writer *out, const nw_hw *hw, const nw_hw_key_row *row, const char *name)
{
    begin_member(out, name);
    write_value(out, hw, row);
}

static void write_op_sources(writer *out, const nw_hw *hw, const char *all)
{
    open_object(out);
    if (all) {
        begin_member(out, "all");
        nw_buf_json_string(&out->text, all);
    }
    for (int i = NW_OP_OPAQUE + 1; i < NW_OP_COUNT; i++) {
        if (!hw->store->op_sources[i])
            continue;
        begin_member(out, nw_op_name((nw_op)i));
        nw_buf_json_string(&out->text, hw->store->op_sources[i]);
    }
    close_object(out);
}

static void write_source(writer *out, const nw_hw *hw, const nw_hw_key_row *row, const char *name)
{
    const char *source = hw->store->sources[row - nw_hw_rows];
    bool has_op_sources = false;
    for (int i = 0; row->type == NW_HW_OPS && i < NW_OP_COUNT; i++)
        has_op_sources |= hw->store->op_sources[i] != NULL;
    if (!source && !has_op_sources)
        return;
    begin_member(out, name);
    if (has_op_sources)
        write_op_sources(out, hw, source);
    else
        nw_buf_json_string(&out->text, source);
}

/* Walks the rows, opening an object for each group. */
static void write_rows(writer *out, const nw_hw *hw,
                       void (*write)(writer *, const nw_hw *, const nw_hw_key_row *, const char *))
{
    char open_group[64] = "";
    for (int i = 0; i < nw_hw_n_rows; i++) {
        const nw_hw_key_row *row = &nw_hw_rows[i];
        const char *dot = strchr(row->path, '.');
        char group[64] = "";
        if (dot)
            memcpy(group, row->path, (size_t)(dot - row->path));
        if (!is_described(hw, row))
            continue;
        if (strcmp(group, open_group) != 0) {
            if (open_group[0])
                close_object(out);
            if (group[0]) {
                begin_member(out, group);
                open_object(out);
            }
            memcpy(open_group, group, sizeof group);
        }
        write(out, hw, row, dot ? dot + 1 : row->path);
    }
    if (open_group[0])
        close_object(out);
}

char *nw_hw_describe(const nw_hw *hw)
{
    writer out = {0};
    open_object(&out);
    write_rows(&out, hw, write_row);
    begin_member(&out, "sources");
    open_object(&out);
    write_rows(&out, hw, write_source);
    close_object(&out);
    close_object(&out);
    nw_buf_puts(&out.text, "\n");
    return out.text.text;
}

static void write_figure(writer *out, const nw_hw *hw, const nw_hw_key_row *row, const char *name)
{
    if (nw_hw_key_is_figure((int)(row - nw_hw_rows)))
        write_row(out, hw, row, name);
}

char *nw_hw_figures(const nw_hw *hw)
{
    writer out = {0};
    open_object(&out);
    write_rows(&out, hw, write_figure);
    close_object(&out);
    return out.text.text;
}
