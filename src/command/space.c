#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/command/internal.h"
#include "src/curate/curate.h"
#include "src/report/report.h"

#define N_TRIED 256 /* random networks, against the limits */

/* Everything that a page is made from. */
typedef struct work {
    nw_hw *hw;
    const nw_estimator *estimator;
    const nw_space *space, *curated;
    nw_plan *plan;
    nw_curation *curation;
    nw_limits_kept kept;
    char note[256];
} work;

static nw_status open_hw(const nw_options *o, work *w, nw_error *err)
{
    bool is_auto = o->estimator && strcmp(o->estimator, "auto") == 0;
    nw_status status = nw_hw_load(o->hw, o->data_path, &w->hw, err);
    if (status == NW_OK)
        status = nw_estimator_open(is_auto ? NULL : o->estimator, w->hw, o->data_path,
                                   &w->estimator, w->note, sizeof w->note, err);
    return status;
}

static nw_status curate(const nw_options *o, work *w, nw_error *err)
{
    nw_curate_options options = {.tolerance = -1, .cancel = nw_command_cancel()};
    nw_status status = nw_plan_new(w->space, w->hw, w->estimator, o->precision, nw_command_cancel(),
                                   &w->plan, err);
    if (status == NW_OK)
        nw_limits_try(w->plan, N_TRIED, &w->kept);
    if (status == NW_OK && !o->no_curate)
        status = nw_curate(w->plan, &options, &w->curation, err);
    if (w->curation && status == NW_OK)
        status = nw_curation_space(w->curation, &w->curated, err);
    return status;
}

static nw_status load(const nw_options *o, work *w, nw_error *err)
{
    nw_status status = o->hw ? open_hw(o, w, err) : NW_OK;
    if (status == NW_OK)
        status = nw_space_load(o->files[0], o->space_loader, &w->space, err);
    if (status == NW_OK && o->hw)
        status = curate(o, w, err);
    return status;
}

static int print(const nw_options *o, const work *w)
{
    nw_space_page page = {.space = w->space,
                          .path = o->files[0],
                          .hw = w->hw,
                          .estimator = w->estimator,
                          .precision = o->precision,
                          .base = w->plan ? nw_plan_base(w->plan) : NULL,
                          .kept = w->plan ? &w->kept : NULL,
                          .curation = w->curation,
                          .curated = w->curated};
    nw_buf out = {0};
    if (*w->note)
        fprintf(stderr, "nasw: note: %s\n", w->note);
    if (o->json)
        nw_space_json(&page, &out);
    else
        nw_space_text(&page, nw_command_screen_width(), &out);
    int code = nw_command_print(&out);
    nw_buf_fini(&out);
    return code;
}

int nw_command_space(nw_options *o)
{
    if (o->n_files != 1 || ((o->estimator || o->precision || o->no_curate) && !o->hw))
        return nw_command_fail_usage("usage: nasw space F.lua|MODEL [--hw NAME [--estimator E] "
                                     "[--precision P] [--no-curate]] [--json]");
    work *w = nw_zalloc(sizeof *w);
    nw_error err;
    nw_command_progress progress;
    nw_command_progress_begin(&progress, o);
    nw_status status = load(o, w, &err);
    nw_command_progress_end(&progress);
    int code = status == NW_OK ? print(o, w) : nw_command_fail(&err);
    nw_space_release(w->curated);
    nw_curation_free(w->curation);
    nw_plan_free(w->plan);
    nw_space_release(w->space);
    nw_estimator_release(w->estimator);
    nw_hw_free(w->hw);
    free(w);
    return code;
}
