#include <stdio.h>
#include <stdlib.h>

#include "src/command/internal.h"
#include "src/report/report.h"

static nw_status score_file(const nw_options *o, int i, nw_scored *out, nw_error *err)
{
    const nw_arch *arch;
    nw_status status =
        nw_model_load_arch(o->files[i], o->sizes, o->n_sizes, o->model_loader, &arch, err);
    if (status != NW_OK)
        return status;
    const nw_graph *graph = nw_arch_graph(arch);
    for (int k = 0; k < graph->n_warnings; k++) {
        char clean[192];
        fprintf(stderr, "nasw: warning: %s: %s\n",
                nw_text_visible(o->files[i], clean, sizeof clean), graph->warnings[k]);
    }
    out->name = o->files[i];
    out->recognised = nw_arch_recognised(arch);
    nw_score_of(arch, &out->score);
    nw_arch_release(arch);
    return NW_OK;
}

int nw_command_score(nw_options *o)
{
    if (o->n_files < 1)
        return nw_command_fail_usage("usage: nasw score FILE... [--json]");
    nw_scored *networks = nw_zalloc((size_t)o->n_files * sizeof *networks);
    nw_error err;
    nw_status status = NW_OK;
    for (int i = 0; i < o->n_files && status == NW_OK; i++)
        status = score_file(o, i, &networks[i], &err);
    int code;
    if (status == NW_OK) {
        nw_buf out = {0};
        if (o->json)
            nw_score_json(networks, o->n_files, &out);
        else
            nw_score_text(networks, o->n_files, nw_command_screen_width(), &out);
        code = nw_command_print(&out);
        nw_buf_fini(&out);
    } else {
        code = nw_command_fail(&err);
    }
    free(networks);
    return code;
}
