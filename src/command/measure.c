#include "src/measure/measure.h"

#include "src/command/internal.h"

#define MAX_TABLE_BYTES ((size_t)256 << 20)

int nw_command_measure(nw_options *o)
{
    if (o->emit)
        return nw_command_measure_emit(o);
    if (o->is_cpu)
        return nw_command_measure_cpu(o);
    if (o->n_files || !o->hw || !o->shapes || !o->out)
        return nw_command_fail_usage(
            "usage: nasw measure --hw NAME|--cpu --shapes F.csv -o OUT.csv");
    nw_error err;
    nw_hw *hw;
    if (nw_hw_load(o->hw, o->data_path, &hw, &err) != NW_OK)
        return nw_command_fail(&err);
    nw_buf out = {0};
    nw_file *table = NULL;
    int code;
    if (nw_file_read(o->shapes, MAX_TABLE_BYTES, &table, &err) != NW_OK ||
        nw_measure_shapes(table, hw, &out, &err) != NW_OK)
        code = nw_command_fail(&err);
    else
        code = nw_command_write(o->out, &out);
    nw_file_release(table);
    nw_buf_fini(&out);
    nw_hw_free(hw);
    return code;
}
