#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/command/internal.h"
#include "src/report/report.h"

/* Everything that an answer is made from. */
typedef struct work {
    nw_hw *hw;
    const nw_estimator *estimator;
    const nw_arch *archs[NW_MAX_FILES];
    nw_estimate estimates[NW_MAX_FILES];
    nw_compared networks[NW_MAX_FILES];
    nw_comparison *comparison;
    char note[256];
} work;

static nw_status add_network(const nw_options *o, work *w, int i, nw_error *err)
{
    nw_status status =
        nw_model_load_arch(o->files[i], o->sizes, o->n_sizes, o->model_loader, &w->archs[i], err);
    if (status != NW_OK)
        return status;
    status = nw_estimate_graph(w->estimator, nw_arch_graph(w->archs[i]), w->hw, o->precision,
                               &w->estimates[i], err);
    w->networks[i] = (nw_compared){o->files[i], w->archs[i], &w->estimates[i]};
    return status;
}

static nw_status compare(const nw_options *o, work *w, nw_error *err)
{
    bool is_auto = o->estimator && strcmp(o->estimator, "auto") == 0;
    nw_status status = nw_hw_load(o->hw, o->data_path, &w->hw, err);
    if (status == NW_OK)
        status = nw_estimator_open(is_auto ? NULL : o->estimator, w->hw, o->data_path,
                                   &w->estimator, w->note, sizeof w->note, err);
    for (int i = 0; i < o->n_files && status == NW_OK; i++)
        status = add_network(o, w, i, err);
    if (status == NW_OK)
        status = nw_comparison_new(w->hw, w->networks, o->n_files, &w->comparison, err);
    return status;
}

static int print(const nw_options *o, const work *w)
{
    nw_buf out = {0};
    if (*w->note)
        fprintf(stderr, "nasw: note: %s\n", w->note);
    for (int i = 0; i < o->n_files; i++) {
        const nw_graph *graph = nw_arch_graph(w->archs[i]);
        for (int k = 0; k < graph->n_warnings; k++) {
            char clean[192];
            fprintf(stderr, "nasw: warning: %s: %s\n",
                    nw_text_visible(o->files[i], clean, sizeof clean), graph->warnings[k]);
        }
    }
    if (o->json)
        nw_compare_json(w->comparison, &out);
    else if (o->csv)
        nw_compare_csv(w->comparison, &out);
    else if (o->md)
        nw_compare_md(w->comparison, &out);
    else
        nw_compare_text(w->comparison, nw_command_screen_width(), &out);
    int code = nw_command_print(&out);
    nw_buf_fini(&out);
    return code;
}

int nw_command_compare(nw_options *o)
{
    if (o->n_files < 2 || !o->hw)
        return nw_command_fail_usage("usage: nasw compare A B [...] --hw NAME [--precision P] "
                                     "[--estimator regression|device|E.json] [--json|--csv|--md]");
    work *w = nw_zalloc(sizeof *w);
    nw_error err;
    int code = compare(o, w, &err) == NW_OK ? print(o, w) : nw_command_fail(&err);
    nw_comparison_free(w->comparison);
    for (int i = 0; i < o->n_files; i++) {
        if (w->estimates[i].kernels)
            nw_estimate_fini(&w->estimates[i]);
        nw_arch_release(w->archs[i]);
    }
    nw_estimator_release(w->estimator);
    nw_hw_free(w->hw);
    free(w);
    return code;
}
