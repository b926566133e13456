#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/command/internal.h"
#include "src/estimator/estimator.h"
#include "src/hw/hw.h"
#include "src/report/report.h"

/* Everything that an answer is made from. */
typedef struct work {
    nw_hw *hw;
    const nw_arch *arch;
    const nw_graph *graph;                 /* of arch */
    const nw_estimator *estimator, *other; /* other: the one beside it, for --verify */
    nw_estimate estimate, verified;
    char note[256];
} work;

static nw_status open_other(const nw_options *o, work *w, nw_error *err)
{
    if (w->estimator->regression) {
        w->other = nw_estimator_device();
        return NW_OK;
    }
    char clean[64];
    nw_status status =
        nw_estimator_open("regression", w->hw, o->data_path, &w->other, NULL, 0, err);
    if (status != NW_OK && strncmp(err->where, "--estimator", 11) == 0)
        return nw_fail(err, NW_INVALID, "--verify",
                       "there is no regression for %s to put beside the device; make one: nasw "
                       "measure --hw F -o M.csv, nasw fit M.csv --hw F --target latency_us -o "
                       "E.json, then --estimator E.json",
                       nw_text_visible(w->hw->name, clean, sizeof clean));
    return status;
}

static nw_status estimate(const nw_options *o, work *w, nw_error *err)
{
    bool is_auto = o->estimator && strcmp(o->estimator, "auto") == 0;
    nw_status status = nw_hw_load(o->hw, o->data_path, &w->hw, err);
    if (status == NW_OK)
        status = nw_command_load(o, &w->arch, err);
    if (status == NW_OK) {
        w->graph = nw_arch_graph(w->arch);
        status = nw_estimator_open(is_auto ? NULL : o->estimator, w->hw, o->data_path,
                                   &w->estimator, w->note, sizeof w->note, err);
    }
    if (status == NW_OK && o->verify)
        status = open_other(o, w, err);
    if (status == NW_OK)
        status = nw_estimate_graph(w->estimator, w->graph, w->hw, o->precision, &w->estimate, err);
    if (status == NW_OK && o->verify)
        status = nw_estimate_graph(w->other, w->graph, w->hw, o->precision, &w->verified, err);
    return status;
}

static int print(const nw_options *o, const work *w)
{
    nw_buf out = {0};
    nw_breakdown breakdown = {o->files[0], w->graph, w->hw, &w->estimate};
    if (*w->note)
        fprintf(stderr, "nasw: note: %s\n", w->note);
    for (int i = 0; (o->json || o->csv) && i < w->graph->n_warnings; i++)
        fprintf(stderr, "nasw: warning: %s\n", w->graph->warnings[i]);
    if (o->json && o->verify)
        nw_verify_json(&breakdown, &w->verified, &out);
    else if (o->json)
        nw_breakdown_json(&breakdown, &out);
    else if (o->csv)
        nw_breakdown_csv(&breakdown, &out);
    else
        nw_breakdown_text(&breakdown, nw_command_screen_width(), &out);
    if (o->verify && !o->json)
        nw_verify_text(&breakdown, &w->verified, nw_command_screen_width(), &out);
    int code = nw_command_print(&out);
    nw_buf_fini(&out);
    return code;
}

int nw_command_estimate(nw_options *o)
{
    if (o->n_files != 1 || !o->hw)
        return nw_command_fail_usage("usage: nasw estimate FILE --hw NAME [--precision P] "
                                     "[--estimator regression|device|E.json] [--verify] "
                                     "[--input NAME=1x3x320x320] [--edit E]... [--edits FILE] "
                                     "[--json|--csv]");
    work w = {.hw = NULL};
    nw_error err;
    int code = estimate(o, &w, &err) == NW_OK ? print(o, &w) : nw_command_fail(&err);
    if (w.verified.kernels)
        nw_estimate_fini(&w.verified);
    if (w.estimate.kernels)
        nw_estimate_fini(&w.estimate);
    nw_estimator_release(w.other);
    nw_estimator_release(w.estimator);
    nw_arch_release(w.arch);
    nw_hw_free(w.hw);
    return code;
}
