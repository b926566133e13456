#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/command/internal.h"
#include "src/curate/curate.h"
#include "src/landscape/landscape.h"
#include "src/report/report.h"

/* Everything that a picture is made from. */
typedef struct work {
    const nw_options *o;
    nw_command_progress progress;
    nw_hw *hw;
    const nw_estimator *estimator;
    const nw_space *space, *grid;
    int x, y; /* y -1: a line */
    nw_metric metric;
    nw_plan *plan; /* of the grid */
    nw_slice *slice;
    nw_curation *curation;
    uint16_t genome[NW_MAX_DIMS]; /* of the grid, at its base */
    int start_x, start_y, *columns, *rows, n_columns, n_rows;
    nw_panes panes;
    bool has_panes;
    char note[256];
} work;

/* ---- what was asked for ---- */

static void list_dims(const nw_space *space, char *dst, size_t size)
{
    int n;
    const nw_dim *dims = nw_space_dims(space, &n);
    size_t used = 0;
    *dst = '\0';
    for (int d = 0; d < n && used + 1 < size; d++)
        used += (size_t)snprintf(dst + used, size - used, "%s%s", d ? " " : "", dims[d].name);
}

static nw_status find_axis(const work *w, const char *option, const char *name, int *out,
                           nw_error *err)
{
    char names[320];
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

static nw_status find_start(work *w, nw_error *err)
{
    uint16_t genome[NW_MAX_DIMS];
    w->start_x = w->start_y = -1;
    if (!w->o->start)
        return NW_OK;
    nw_status status = nw_genome_read(w->grid, w->o->start, genome, err);
    if (status != NW_OK) {
        nw_error_prefix(err, "--start");
        return status;
    }
    w->start_x = genome[w->x];
    w->start_y = w->y < 0 ? 0 : genome[w->y];
    return NW_OK;
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
    if (status == NW_OK)
        status = find_axis(w, "--x", o->x, &w->x, err);
    if (status == NW_OK)
        status = find_axis(w, "--y", o->y, &w->y, err);
    return status;
}

/* ---- the grid ---- */

static bool shows(const work *w, nw_pane_id id)
{
    bool is_one = w->o->metric || w->o->is_curated;
    return !is_one || id == (w->o->is_curated ? NW_PANE_CURATED : NW_PANE_SINGLE);
}

static nw_status make_slice(work *w, nw_error *err)
{
    uint16_t base[NW_MAX_DIMS];
    nw_space_base_genome(w->space, base);
    nw_status status = nw_grid_space(w->space, w->x, w->y, base, NW_GRID_SIDE, &w->grid, err);
    if (status == NW_OK)
        status = find_start(w, err);
    if (status == NW_OK)
        status = nw_plan_new(w->grid, w->hw, w->estimator, w->o->precision, nw_command_cancel(),
                             &w->plan, err);
    if (status != NW_OK)
        return status;
    nw_space_base_genome(w->grid, w->genome);
    nw_slice_spec spec = {.x_dim = w->x,
                          .y_dim = w->y,
                          .genome = w->genome,
                          .metric = w->metric,
                          .objective = nw_plan_objective(w->plan)};
    return nw_slice_new(w->plan, &spec, &w->slice, err);
}

static int find_kept(const work *w, int dim, int **out)
{
    int n;
    const nw_dim *dims = nw_space_dims(w->grid, &n);
    *out = nw_zalloc(((size_t)(dim < 0 ? 1 : dims[dim].n_options) + 1) * sizeof **out);
    if (dim < 0)
        return 1;
    n = 0;
    for (int i = 0; i < dims[dim].n_options; i++)
        if (nw_curation_has(w->curation, dim, i))
            (*out)[n++] = i;
    return n;
}

/* What is worth having on this grid: all other genes as they are. */
static nw_status curate(work *w, nw_error *err)
{
    nw_curate_options options = {.tolerance = -1, .cancel = nw_command_cancel()};
    if (!shows(w, NW_PANE_CURATED))
        return NW_OK;
    nw_status status = nw_curate(w->plan, &options, &w->curation, err);
    if (status != NW_OK)
        return status;
    w->n_columns = find_kept(w, w->x, &w->columns);
    w->n_rows = find_kept(w, w->y, &w->rows);
    return NW_OK;
}

static nw_status find(work *w, nw_error *err)
{
    int64_t seed = 1;
    if (!nw_command_parse_count("--seed", w->o->seed, 0, NW_MAX_SEED, &seed))
        return nw_fail(err, NW_INVALID, "--seed", "is no seed");
    nw_status status = make_slice(w, err);
    if (status != NW_OK)
        return status;
    nw_slice_fill(w->slice, w->progress.show, &w->progress, nw_command_cancel());
    if (!nw_slice_is_done(w->slice))
        return NW_OK;
    status = curate(w, err);
    if (status == NW_CANCELLED)
        return NW_OK;
    nw_panes_spec spec = {.start_x = w->start_x,
                          .start_y = w->start_y,
                          .columns = w->columns,
                          .rows = w->rows,
                          .n_columns = w->n_columns,
                          .n_rows = w->n_rows,
                          .seed = (uint64_t)seed};
    if (status == NW_OK)
        status = nw_panes_find(w->slice, &spec, &w->panes, err);
    w->has_panes = status == NW_OK;
    return status;
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

static int print(const work *w)
{
    int n, code = NW_EXIT_DONE;
    const nw_dim *dims = nw_space_dims(w->grid, &n);
    nw_landscape_page page = {.space = nw_space_name(w->space),
                              .hw = w->hw,
                              .estimator = w->estimator,
                              .precision = w->o->precision,
                              .x = &dims[w->x],
                              .y = w->y < 0 ? NULL : &dims[w->y],
                              .slice = w->slice,
                              .panes = w->has_panes ? &w->panes : NULL,
                              .objective = nw_plan_objective(w->plan)};
    for (int id = 0; id <= NW_PANE_CURATED; id++)
        if (shows(w, (nw_pane_id)id) && (w->has_panes || id != NW_PANE_CURATED))
            page.shown[page.n_shown++] = (nw_pane_id)id;
    if (page.n_shown == 0)
        page.shown[page.n_shown++] = NW_PANE_SINGLE;
    if (*w->note)
        fprintf(stderr, "nasw: note: %s\n", w->note);
    if (w->o->svg)
        code = write_svg(w, &page);
    bool is_taken = w->o->svg && strcmp(w->o->svg, "-") == 0;
    nw_buf out = {0};
    if (w->o->json)
        nw_landscape_json(&page, &out);
    else
        nw_landscape_text(&page, nw_command_screen_width(), &out);
    if (code == NW_EXIT_DONE && !is_taken)
        code = nw_command_print(&out);
    nw_buf_fini(&out);
    return code != NW_EXIT_DONE ? code : w->has_panes ? NW_EXIT_DONE : NW_EXIT_INTERRUPTED;
}

static void release(work *w)
{
    if (w->has_panes)
        nw_panes_fini(&w->panes);
    nw_slice_free(w->slice);
    nw_curation_free(w->curation);
    nw_plan_free(w->plan);
    nw_space_release(w->grid);
    nw_space_release(w->space);
    nw_estimator_release(w->estimator);
    nw_hw_free(w->hw);
    free(w->columns);
    free(w->rows);
    free(w);
}

int nw_command_landscape(nw_options *o)
{
    if (o->n_files != 1 || !o->hw)
        return nw_command_fail_usage("usage: nasw landscape SPACE --hw NAME --x DIM [--y DIM] "
                                     "[--metric M] [--curated] [--json] [--svg OUT]");
    work *w = nw_zalloc(sizeof *w);
    nw_error err;
    w->o = o;
    nw_command_progress_begin(&w->progress, o);
    nw_status status = load(w, &err);
    if (status == NW_OK)
        status = find(w, &err);
    nw_command_progress_end(&w->progress);
    int code = status == NW_OK ? print(w) : nw_command_fail(&err);
    release(w);
    return code;
}
