#include "src/measure/measure.h"

#include "src/command/internal.h"

#define MAX_TABLE_BYTES ((size_t)256 << 20)

static bool read_sample_options(const nw_options *o, nw_sample_options *sample)
{
    int64_t seed = 0, n_networks = 0;
    if (!nw_command_parse_count("--seed", o->seed, 0, NW_MAX_SEED, &seed) ||
        !nw_command_parse_count("--networks", o->networks, 10, 100000, &n_networks))
        return false;
    *sample = (nw_sample_options){.seed = (uint32_t)seed, .n_networks = (int)n_networks};
    return true;
}

nw_status nw_command_plan_shapes(nw_options *o, const char *hw_name, nw_file **out, nw_error *err)
{
    nw_sample_options sample;
    nw_buf text = {0};
    nw_hw *hw;
    if (!read_sample_options(o, &sample))
        return NW_CANCELLED;
    nw_status status = nw_hw_load(hw_name, o->data_path, &hw, err);
    if (status != NW_OK)
        return status;
    status = nw_sample_shapes(hw, &sample, &text, err);
    if (status == NW_OK)
        *out = nw_file_from_bytes("the plan", nw_buf_text(&text), text.length);
    nw_buf_fini(&text);
    nw_hw_free(hw);
    return status;
}

/* Without a list: the sampling plan that estimators are built from. */
static int measure_plan(nw_options *o)
{
    nw_error err;
    nw_hw *hw;
    nw_sample_options sample;
    if (!read_sample_options(o, &sample))
        return NW_EXIT_USAGE;
    if (nw_hw_load(o->hw, o->data_path, &hw, &err) != NW_OK)
        return nw_command_fail(&err);
    nw_command_progress progress;
    nw_command_progress_begin(&progress, o);
    sample.progress = progress.show;
    sample.progress_context = &progress;
    nw_buf out = {0};
    nw_status status = nw_sample_device(hw, &sample, &out, &err);
    nw_command_progress_end(&progress);
    int code = status == NW_OK ? nw_command_write(o->out, &out) : nw_command_fail(&err);
    nw_buf_fini(&out);
    nw_hw_free(hw);
    return code;
}

int nw_command_measure(nw_options *o)
{
    if (o->emit)
        return nw_command_measure_emit(o);
    if (o->is_cpu)
        return nw_command_measure_cpu(o);
    if (!o->n_files && o->hw && !o->shapes && o->out)
        return measure_plan(o);
    if (o->n_files || !o->hw || !o->shapes || !o->out)
        return nw_command_fail_usage("usage: nasw measure --hw NAME|--cpu [--shapes F.csv] "
                                     "[--networks N] [--seed N] -o OUT.csv");
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
