#include "tests/referee_scalesim.h"

#include <string.h>

static int number(const csv *table, int row, const char *column)
{
    return (int)csv_number(table, row, column);
}

void scalesim_shape(const csv *table, int row, nw_kernel_shape *shape)
{
    memset(shape, 0, sizeof *shape);
    nw_kernel_part *part = &shape->parts[0];
    const char *op = csv_text(table, row, "op");
    part->kind = strcmp(op, "dwconv") == 0 ? NW_KERNEL_DWCONV
                 : strcmp(op, "fc") == 0   ? NW_KERNEL_FC
                                           : NW_KERNEL_CONV;
    part->in_h = number(table, row, "in_h");
    part->in_w = number(table, row, "in_w");
    part->in_c = number(table, row, "in_c");
    part->out_h = number(table, row, "out_h");
    part->out_w = number(table, row, "out_w");
    part->out_c = number(table, row, "out_c");
    part->kernel_h = number(table, row, "kh");
    part->kernel_w = number(table, row, "kw");
    part->stride_h = part->stride_w = number(table, row, "stride");
    part->dilation_h = part->dilation_w = 1;
    part->groups = part->kind == NW_KERNEL_DWCONV ? (int32_t)part->in_c : 1;
    shape->n_parts = 1;
    shape->bits = shape->weight_bits = 8;
    shape->slow_op = -1;
    shape->n_maps = 1;
    shape->weight_elements = (int64_t)part->kernel_h * part->kernel_w * part->out_c *
                             (part->kind == NW_KERNEL_DWCONV ? 1 : part->in_c);
}

bool scalesim_hw(const nw_hw *base, const csv *table, int row, nw_hw *hw)
{
    static const char *const flows[] = {
        [NW_DATAFLOW_WS] = "ws", [NW_DATAFLOW_OS] = "os", [NW_DATAFLOW_IS] = "is"};
    *hw = *base;
    hw->array.rows = number(table, row, "array_rows");
    hw->array.cols = number(table, row, "array_cols");
    hw->array.overlap_fold = false;
    hw->depthwise.kind = NW_DEPTHWISE_ONE_FILTER;
    for (int i = 0; i < 3; i++)
        if (strcmp(csv_text(table, row, "dataflow"), flows[i]) == 0) {
            hw->array.dataflow = (nw_dataflow)i;
            return true;
        }
    return false;
}

bool scalesim_score_file(const nw_hw *base, const char *file, scalesim_score *out)
{
    char name[96];
    csv table;
    snprintf(name, sizeof name, "data/scalesim/%s.csv", file);
    const char *path = shared_path(name);
    if (!path || !csv_load(&table, path))
        return false;
    memset(out, 0, sizeof *out);
    for (int row = 0; row < table.n_rows; row++) {
        nw_kernel_shape shape;
        nw_device_cost cost;
        nw_hw hw;
        if (strcmp(csv_text(&table, row, "bw_mode"), "CALC") != 0 ||
            !scalesim_hw(base, &table, row, &hw))
            continue;
        scalesim_shape(&table, row, &shape);
        nw_device_estimate(&hw, &shape, &cost);
        long long ours = cost.cycles[NW_BOUND_COMPUTE];
        long long truth = (long long)csv_number(&table, row, "cycles_total");
        out->n++;
        out->n_equal += ours == truth;
        if (ours != truth && !out->first_wrong[0])
            snprintf(out->first_wrong, sizeof out->first_wrong, "%s %s %s %dx%d: %lld, not %lld",
                     name, csv_text(&table, row, "layer"), csv_text(&table, row, "dataflow"),
                     hw.array.rows, hw.array.cols, ours, truth);
    }
    csv_free(&table);
    return true;
}
