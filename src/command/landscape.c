#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/command/internal.h"
#include "src/landscape/landscape.h"
#include "src/report/report.h"

/* Everything that a picture is made from. */
typedef struct work {
    const nw_options *o;
    nw_command_progress progress;
    nw_hw *hw;
    const nw_estimator *estimator;
    const nw_space *space;
    int x, y; /* y -1: a line */
    nw_metric metric;
    int64_t seed;
    uint16_t from[NW_MAX_DIMS], to[NW_MAX_DIMS]; /* of a route */
    nw_survey survey;
    nw_route route; /* with --to, instead of the survey */
    char note[256];
} work;

/* ---- what was asked for ---- */

static void list_dims(const nw_space *space, char *dst, size_t size)
{
    int n;
    const nw_dim *dims = nw_space_dims(space, &n);
    size_t used = 0, room = sizeof " ... (nasw space lists them)";
    *dst = '\0';
    for (int d = 0; d < n; d++) {
        if (used + strlen(dims[d].name) + 1 + room > size) {
            snprintf(dst + used, size - used, " ... (nasw space lists them)");
            return;
        }
        used += (size_t)snprintf(dst + used, size - used, "%s%s", d ? " " : "", dims[d].name);
    }
}

static nw_status find_axis(const work *w, const char *option, const char *name, int *out,
                           nw_error *err)
{
    char names[192];
    *out = name ? nw_space_find_dim(w->space, name) : -1;
    if (*out >= 0 || (!name && strcmp(option, "--y") == 0))
        return NW_OK;
    list_dims(w->space, names, sizeof names);
    if (!name)
        return nw_fail(err, NW_INVALID, option, "names a dimension: %s", names);
    return nw_fail(err, NW_INVALID, option, "there is no dimension '%.40s': there are %s", name,
                   names);
}

static nw_status find_metric(work *w, nw_error *err)
{
    char names[256] = "";
    w->metric = w->o->metric ? nw_metric_find(w->o->metric) : NW_METRIC_OBJECTIVE;
    if (w->metric != NW_METRIC_COUNT)
        return NW_OK;
    for (int m = 0; m < NW_METRIC_COUNT; m++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, " %s", nw_metric_name((nw_metric)m));
    }
    return nw_fail(err, NW_INVALID, "--metric", "there is no '%.40s': there are%s", w->o->metric,
                   names);
}

static nw_status read_genome(const work *w, const char *option, const char *text, uint16_t *out,
                             nw_error *err)
{
    char why[192];
    nw_space_base_genome(w->space, out);
    nw_status status = text ? nw_genome_read(w->space, text, out, err) : NW_OK;
    if (status != NW_OK)
        nw_error_prefix(err, option);
    else if (!nw_space_allows(w->space, out, why, sizeof why))
        return nw_fail(err, NW_INVALID, option, "%s", why);
    return status;
}

static nw_status load(work *w, nw_error *err)
{
    const nw_options *o = w->o;
    bool is_auto = o->estimator && strcmp(o->estimator, "auto") == 0;
    nw_status status = nw_hw_load(o->hw, o->data_path, &w->hw, err);
    if (status == NW_OK)
        status = nw_estimator_open(is_auto ? NULL : o->estimator, w->hw, o->data_path,
                                   &w->estimator, w->note, sizeof w->note, err);
    if (status == NW_OK)
        status = find_metric(w, err);
    if (status == NW_OK)
        status = nw_space_load(o->files[0], o->space_loader, &w->space, err);
    if (status == NW_OK && o->to) {
        status = read_genome(w, "--from", o->from, w->from, err);
        return status == NW_OK ? read_genome(w, "--to", o->to, w->to, err) : status;
    }
    if (status == NW_OK)
        status = find_axis(w, "--x", o->x, &w->x, err);
    if (status == NW_OK)
        status = find_axis(w, "--y", o->y, &w->y, err);
    return status;
}

/* ---- the work ---- */

static bool shows(const work *w, nw_pane_id id)
{
    bool is_one = w->o->metric || w->o->is_curated;
    return !is_one || id == (w->o->is_curated ? NW_PANE_CURATED : NW_PANE_SINGLE);
}

static nw_status find_route(work *w, nw_error *err)
{
    nw_route_spec spec = {.space = w->space,
                          .hw = w->hw,
                          .estimator = w->estimator,
                          .precision = w->o->precision,
                          .from = w->from,
                          .to = w->to,
                          .metric = w->metric,
                          .progress = w->progress.show,
                          .progress_context = &w->progress,
                          .cancel = nw_command_cancel()};
    return nw_route_find(&spec, &w->route, err);
}

static nw_status find(work *w, nw_error *err)
{
    if (w->o->to)
        return find_route(w, err);
    nw_survey_spec spec = {.space = w->space,
                           .hw = w->hw,
                           .estimator = w->estimator,
                           .precision = w->o->precision,
                           .x_dim = w->x,
                           .y_dim = w->y,
                           .metric = w->metric,
                           .start = w->o->start,
                           .has_curated = shows(w, NW_PANE_CURATED),
                           .seed = (uint64_t)w->seed,
                           .progress = w->progress.show,
                           .progress_context = &w->progress,
                           .cancel = nw_command_cancel()};
    return nw_survey_run(&spec, &w->survey, err);
}

/* ---- showing ---- */

static int write_svg(const work *w, const nw_landscape_page *page)
{
    nw_buf out = {0};
    nw_landscape_svg(page, &out);
    int code = nw_command_write(w->o->svg, &out);
    nw_buf_fini(&out);
    return code;
}

static nw_landscape_page make_route_page(const work *w)
{
    int n_limits;
    nw_space_limits(w->space, &n_limits);
    return (nw_landscape_page){.space = nw_space_name(w->space),
                               .hw = w->hw,
                               .estimator = w->estimator,
                               .precision = w->o->precision,
                               .slice = w->route.slice,
                               .base = nw_space_base(w->space),
                               .n_limits = n_limits,
                               .route = &w->route,
                               .objective = w->route.objective,
                               .shown = {NW_PANE_SINGLE},
                               .n_shown = 1};
}

static nw_landscape_page make_page(const work *w)
{
    int n, n_limits;
    const nw_survey *s = &w->survey;
    nw_space_limits(w->space, &n_limits);
    const nw_dim *dims = nw_space_dims(s->grid, &n);
    nw_landscape_page page = {.space = nw_space_name(w->space),
                              .hw = w->hw,
                              .estimator = w->estimator,
                              .precision = w->o->precision,
                              .x = &dims[s->x_dim],
                              .y = s->y_dim < 0 ? NULL : &dims[s->y_dim],
                              .slice = s->slice,
                              .n_limits = n_limits,
                              .base = nw_space_base(s->grid),
                              .panes = s->has_panes ? &s->panes : NULL,
                              .objective = s->objective};
    for (int id = 0; id <= NW_PANE_CURATED; id++)
        if (shows(w, (nw_pane_id)id) &&
            (s->has_panes ? s->panes.panes[id].is_there : id != NW_PANE_CURATED))
            page.shown[page.n_shown++] = (nw_pane_id)id;
    if (page.n_shown == 0)
        page.shown[page.n_shown++] = NW_PANE_SINGLE;
    return page;
}

/* Only what has been found can be missing. */
static nw_status check_curated(const work *w, nw_error *err)
{
    bool is_missing =
        w->survey.has_panes && w->o->is_curated && !w->survey.panes.panes[NW_PANE_CURATED].is_there;
    return is_missing ? nw_fail(err, NW_INVALID, "--curated",
                                "the conditions of %s allow nothing that curation keeps",
                                nw_space_name(w->space))
                      : NW_OK;
}

static int print(const work *w)
{
    int code = NW_EXIT_DONE;
    nw_landscape_page page = w->o->to ? make_route_page(w) : make_page(w);
    bool is_taken = w->o->svg && strcmp(w->o->svg, "-") == 0;
    nw_buf out = {0};
    if (*w->note)
        fprintf(stderr, "nasw: note: %s\n", w->note);
    if (w->o->svg)
        code = write_svg(w, &page);
    if (w->o->json)
        nw_landscape_json(&page, &out);
    else
        nw_landscape_text(&page, nw_command_screen_width(), &out);
    if (code == NW_EXIT_DONE && !is_taken)
        code = nw_command_print(&out);
    nw_buf_fini(&out);
    bool is_stopped = !w->o->to && !w->survey.has_panes;
    return code == NW_EXIT_DONE && is_stopped ? NW_EXIT_INTERRUPTED : code;
}

static bool check_usage(const nw_options *o)
{
    if (o->n_files != 1 || !o->hw)
        nw_command_fail_usage("usage: nasw landscape SPACE --hw NAME --x DIM [--y DIM]|--to GENOME "
                              "[--metric M] [--curated] [--json] [--svg OUT]");
    else if (o->json && o->svg && strcmp(o->svg, "-") == 0)
        nw_command_fail_usage("--json and --svg - both want standard output");
    else if (o->x && o->y && strcmp(o->x, o->y) == 0)
        nw_command_fail_usage("--x and --y both name %.40s: a slice takes two dimensions", o->x);
    else if (o->from && !o->to)
        nw_command_fail_usage("--from is where the line to a genome begins: it needs --to");
    else if (o->to && (o->x || o->y))
        nw_command_fail_usage("--to is a line between two genomes, --%s a dimension: choose one",
                              o->x ? "x" : "y");
    else if (o->to && (o->start || o->is_curated || o->seed))
        nw_command_fail_usage("--to knows no --%s: nothing descends there, nothing is curated",
                              o->start        ? "start"
                              : o->is_curated ? "curated"
                                              : "seed");
    else
        return true;
    return false;
}

int nw_command_landscape(nw_options *o)
{
    int64_t seed = 1;
    if (!check_usage(o) || !nw_command_parse_count("--seed", o->seed, 0, NW_MAX_SEED, &seed))
        return NW_EXIT_USAGE;
    work *w = nw_zalloc(sizeof *w);
    nw_error err;
    w->o = o;
    w->seed = seed;
    nw_command_progress_begin(&w->progress, o);
    nw_status status = load(w, &err);
    if (status == NW_OK)
        status = find(w, &err);
    if (status == NW_OK)
        status = check_curated(w, &err);
    nw_command_progress_end(&w->progress);
    int code = status == NW_OK ? print(w) : nw_command_fail(&err);
    nw_survey_fini(&w->survey);
    nw_route_fini(&w->route);
    nw_space_release(w->space);
    nw_estimator_release(w->estimator);
    nw_hw_free(w->hw);
    free(w);
    return code;
}
