/* survey.c - from a space and two of its dimensions to the three panels.
 */
#include <stdlib.h>

#include "src/base/arena.h"
#include "src/landscape/landscape.h"

/* Columns and rows of C. */
typedef struct curated_lines {
    int *columns, *rows, n_columns, n_rows;
} curated_lines;

/* The options of one dimension that the curated space has; NULL: not given. The caller frees it. */
static uint8_t *find_kept(const nw_survey_spec *spec, int dim)
{
    int n;
    if (!spec->curated || dim < 0)
        return NULL;
    const nw_dim *whole = &nw_space_dims(spec->space, &n)[dim];
    const nw_dim *part = &nw_space_dims(spec->curated, &n)[dim];
    uint8_t *kept = nw_zalloc((size_t)whole->n_options + 1);
    for (int i = 0; i < whole->n_options; i++)
        for (int k = 0; k < part->n_options; k++)
            kept[i] |= whole->options[i].n == part->options[k].n;
    return kept;
}

static nw_status make_grid(const nw_survey_spec *spec, nw_survey *s, nw_error *err)
{
    uint16_t genome[NW_MAX_DIMS];
    int side = spec->max_side > 0 ? spec->max_side : NW_GRID_SIDE;
    uint8_t *columns = NULL, *rows = NULL;
    nw_space_base_genome(spec->space, genome);
    if (spec->x_dim >= 0 && spec->x_dim < nw_space_n_dims(spec->space) &&
        spec->y_dim < nw_space_n_dims(spec->space)) {
        columns = find_kept(spec, spec->x_dim);
        rows = find_kept(spec, spec->y_dim);
    }
    const uint8_t *const kept[2] = {columns, rows};
    nw_status status =
        nw_grid_space(spec->space, spec->x_dim, spec->y_dim, spec->genome ? spec->genome : genome,
                      side, kept, &s->grid, err);
    free(columns);
    free(rows);
    return status;
}

static nw_status make_slice(const nw_survey_spec *spec, nw_survey *s, nw_error *err)
{
    uint16_t genome[NW_MAX_DIMS];
    nw_status status = make_grid(spec, s, err);
    if (status == NW_OK)
        status = nw_plan_new(s->grid, spec->hw, spec->estimator, spec->precision, spec->cancel,
                             &s->plan, err);
    if (status != NW_OK)
        return status;
    s->x_dim = spec->x_dim;
    s->y_dim = spec->y_dim;
    s->objective = nw_plan_objective(s->plan);
    nw_space_base_genome(s->grid, genome);
    nw_slice_spec slice = {.x_dim = s->x_dim,
                           .y_dim = s->y_dim,
                           .genome = genome,
                           .metric = spec->metric,
                           .objective = s->objective};
    return nw_slice_new(s->plan, &slice, &s->slice, err);
}

static nw_status find_start(const nw_survey_spec *spec, const nw_survey *s, nw_panes_spec *out,
                            nw_error *err)
{
    uint16_t genome[NW_MAX_DIMS];
    char why[192];
    out->start_x = out->start_y = -1;
    if (!spec->start)
        return NW_OK;
    nw_status status = nw_genome_read(s->grid, spec->start, genome, err);
    if (status != NW_OK) {
        nw_error_prefix(err, "start");
        return status;
    }
    if (!nw_space_allows(s->grid, genome, why, sizeof why))
        return nw_fail(err, NW_INVALID, "start", "%s", why);
    out->start_x = genome[s->x_dim];
    out->start_y = s->y_dim < 0 ? 0 : genome[s->y_dim];
    return NW_OK;
}

/* ---- C ---- */

static int find_columns(const nw_survey_spec *spec, const nw_survey *s, const nw_curation *curation,
                        int dim, bool is_y, int **out)
{
    int n, n_kept = 0;
    const nw_dim *dims = nw_space_dims(s->grid, &n);
    *out = nw_zalloc(((size_t)(dim < 0 ? 1 : dims[dim].n_options) + 1) * sizeof **out);
    if (dim < 0)
        return 1;
    if (spec->curated)
        return nw_slice_find_options(s->slice, is_y, &nw_space_dims(spec->curated, &n)[dim], NULL,
                                     *out);
    for (int i = 0; i < dims[dim].n_options; i++)
        if (nw_curation_has(curation, dim, i))
            (*out)[n_kept++] = i;
    return n_kept;
}

static nw_status curate(const nw_survey_spec *spec, nw_survey *s, curated_lines *out, nw_error *err)
{
    nw_curation *curation = NULL;
    nw_curate_options options = {.tolerance = -1, .cancel = spec->cancel};
    if (!spec->has_curated)
        return NW_OK;
    if (!spec->curated) {
        if (spec->progress && !spec->progress(spec->progress_context, "curating", 0.99))
            return NW_CANCELLED;
        nw_status status = nw_curate(s->plan, &options, &curation, err);
        if (status != NW_OK)
            return status;
    }
    out->n_columns = find_columns(spec, s, curation, s->x_dim, false, &out->columns);
    out->n_rows = find_columns(spec, s, curation, s->y_dim, true, &out->rows);
    nw_curation_free(curation);
    return NW_OK;
}

/* ---- all ---- */

static nw_status survey(const nw_survey_spec *spec, nw_survey *s, nw_error *err)
{
    curated_lines c = {0};
    nw_panes_spec panes = {.seed = spec->seed};
    nw_status status = make_slice(spec, s, err);
    if (status == NW_OK)
        status = find_start(spec, s, &panes, err);
    if (status != NW_OK)
        return status;
    nw_slice_fill(s->slice, spec->progress, spec->progress_context, spec->cancel);
    if (!nw_slice_is_done(s->slice))
        return NW_OK;
    status = curate(spec, s, &c, err);
    panes.columns = c.columns;
    panes.rows = c.rows;
    panes.n_columns = c.n_columns;
    panes.n_rows = c.n_rows;
    if (status == NW_OK)
        status = nw_panes_find(s->slice, &panes, &s->panes, err);
    s->has_panes = status == NW_OK;
    free(c.columns);
    free(c.rows);
    return status == NW_CANCELLED ? NW_OK : status;
}

nw_status nw_survey_run(const nw_survey_spec *spec, nw_survey *out, nw_error *err)
{
    nw_survey s = {0};
    nw_status status = survey(spec, &s, err);
    if (status == NW_OK)
        *out = s;
    else
        nw_survey_fini(&s);
    return status;
}

void nw_survey_fini(nw_survey *survey)
{
    if (survey->has_panes)
        nw_panes_fini(&survey->panes);
    nw_slice_free(survey->slice);
    nw_plan_free(survey->plan);
    nw_space_release(survey->grid);
    *survey = (nw_survey){0};
}
