/* nasw measure --emit: single-kernel models for a real chip. */
#include <stdio.h>

#include "src/command/internal.h"
#include "src/measure/measure.h"

#define MAX_TABLE_BYTES ((size_t)256 << 20)

int nw_command_measure_emit(nw_options *o)
{
    nw_error err;
    nw_hw *hw = NULL;
    nw_file *table = NULL;
    nw_measure_emitted done;
    if (o->n_files || (!o->shapes && !o->hw) || o->out)
        return nw_command_fail_usage("usage: nasw measure --emit DIR [--shapes F.csv] [--hw NAME]; "
                                     "one of them says which kernels");
    nw_status status = NW_OK;
    if (o->hw)
        status = nw_hw_load(o->hw, o->data_path, &hw, &err);
    if (status == NW_OK && o->shapes)
        status = nw_file_read(o->shapes, MAX_TABLE_BYTES, &table, &err);
    else if (status == NW_OK)
        status = nw_command_plan_shapes(o, o->hw, &table, &err);
    if (status == NW_CANCELLED) {
        nw_hw_free(hw);
        return NW_EXIT_USAGE;
    }
    bool is_good = status == NW_OK && nw_measure_emit(table, o->emit, hw, &done, &err) == NW_OK;
    nw_file_release(table);
    nw_hw_free(hw);
    if (!is_good)
        return nw_command_fail(&err);
    fprintf(stderr, "nasw: %d models of %d rows, %.1f MiB\n", done.n_models, done.n_rows,
            (double)done.n_bytes / 0x1p20);
    return NW_EXIT_DONE;
}
