#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/command/internal.h"
#include "src/estimator/estimator.h"
#include "src/hw/hw.h"
#include "src/report/report.h"

static int screen_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

int nw_command_estimate(nw_options *o)
{
    if (o->n_files != 1 || !o->hw)
        return nw_command_fail_usage(
            "usage: nasw estimate FILE --hw NAME [--precision P] [--estimator "
            "device] [--input NAME=1x3x320x320] [--json|--csv]");
    const nw_estimator *estimator = NULL;
    char note[256] = "";
    nw_error err;
    nw_hw *hw = NULL;
    nw_graph *graph = NULL;
    nw_estimate estimate;
    nw_buf out = {0};
    int code = NW_EXIT_DONE;
    if (nw_hw_load(o->hw, o->data_path, &hw, &err) != NW_OK ||
        nw_model_load(o->files[0], o->sizes, o->n_sizes, &graph, &err) != NW_OK ||
        nw_estimator_open(o->estimator, hw, o->data_path, &estimator, note, sizeof note, &err) !=
            NW_OK ||
        nw_estimate_graph(estimator, graph, hw, o->precision, &estimate, &err) != NW_OK) {
        code = nw_command_fail(&err);
    } else {
        if (*note)
            fprintf(stderr, "nasw: note: %s\n", note);
        nw_breakdown breakdown = {o->files[0], graph, hw, &estimate};
        for (int i = 0; (o->json || o->csv) && i < graph->n_warnings; i++)
            fprintf(stderr, "nasw: warning: %s\n", graph->warnings[i]);
        if (o->json)
            nw_breakdown_json(&breakdown, &out);
        else if (o->csv)
            nw_breakdown_csv(&breakdown, &out);
        else
            nw_breakdown_text(&breakdown, screen_width(), &out);
        code = nw_command_print(&out);
        nw_estimate_fini(&estimate);
    }
    nw_buf_fini(&out);
    nw_estimator_release(estimator);
    nw_graph_free(graph);
    nw_hw_free(hw);
    return code;
}
