/* nasw measure --cpu: Ctrl-C keeps what is finished, the same command goes on from there. */
#include <stdio.h>
#include <string.h>

#include "src/command/internal.h"
#include "src/measure/measure.h"

#define MAX_TABLE_BYTES ((size_t)256 << 20)

typedef struct rows_progress {
    nw_command_progress progress;
    int64_t n_kept; /* rows that were there from before: no work; -1: not known yet */
} rows_progress;

static bool show_rows(void *context, int64_t done, int64_t total, double seconds_left)
{
    rows_progress *p = context;
    (void)seconds_left;
    p->n_kept = p->n_kept < 0 ? done : p->n_kept;
    int64_t n_all = total - p->n_kept, n_done = done - p->n_kept;
    return p->progress.show(&p->progress, "kernels measured",
                            n_all > 0 ? (double)n_done / (double)n_all : 1);
}

int nw_command_measure_cpu(nw_options *o)
{
    if (o->n_files || o->hw || !o->out || strcmp(o->out, "-") == 0)
        return nw_command_fail_usage("usage: nasw measure --cpu [--shapes F.csv] -o OUT.csv; "
                                     "OUT.csv is a file, so that it can be gone on with");
    rows_progress p = {.n_kept = -1};
    nw_exec_watch watch = {.progress = show_rows, .context = &p};
    nw_measure_counts counts = {0};
    nw_file *table = NULL;
    nw_error err;
    nw_status status = o->shapes ? nw_file_read(o->shapes, MAX_TABLE_BYTES, &table, &err)
                                 : nw_command_plan_shapes(o, "cpu-onednn", &table, &err);
    if (status == NW_CANCELLED)
        return NW_EXIT_USAGE;
    if (status == NW_OK) {
        nw_command_progress_begin(&p.progress, o);
        status = nw_measure_cpu(table, o->out, NULL, &watch, &counts, &err);
        nw_command_progress_end(&p.progress);
    }
    nw_file_release(table);
    if (status != NW_OK)
        return nw_command_fail(&err);
    fprintf(stderr, "nasw: %d kernels measured, %d were there already\n", counts.n_measured,
            counts.n_kept);
    return NW_EXIT_DONE;
}
