/* regression.c - a fitted estimator at work: life, predictions. */
#include "src/estimator/regression.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/map.h"
#include "src/estimator/dataset.h"
#include "src/estimator/scores.h"

#define OUTSIDE 0.05f /* of a feature's range */
#define BLOCK   256

nw_regression *nw_regression_retain(const nw_regression *regression)
{
    nw_regression *r = (nw_regression *)(uintptr_t)regression; /* the count is not its value */
    atomic_fetch_add(&r->n_users, 1);
    return r;
}

void nw_regression_release(nw_regression *r)
{
    if (!r || atomic_fetch_sub(&r->n_users, 1) > 1)
        return;
    for (int i = 0; i < r->n_groups; i++) {
        nw_group *g = &r->groups[i];
        nw_trees_free(g->trees);
        free(g->name);
        free(g->feature);
        free(g->low);
        free(g->high);
        free(g->booster);
    }
    free(r->groups);
    nw_hw_free(r->hw);
    nw_arena_fini(&r->text);
    free(r);
}

const nw_fit_report *nw_regression_report(const nw_regression *r)
{
    return &r->report;
}

double nw_regression_unit_us(const nw_regression *r)
{
    static const struct {
        const char *ending;
        double us;
    } units[] = {{"_us", 1}, {"_ms", 1e3}, {"_ns", 1e-3}, {"_s", 1e6}};
    size_t length = strlen(r->report.target);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t n = strlen(units[i].ending);
        if (length > n && strcmp(r->report.target + length - n, units[i].ending) == 0)
            return units[i].us;
    }
    return 0;
}

/* Trees laid flat take less than the text they come from. */
size_t nw_regression_n_bytes(const nw_regression *r)
{
    size_t n_bytes = sizeof *r;
    for (int i = 0; i < r->n_groups; i++)
        n_bytes += sizeof *r->groups + 2 * r->groups[i].n_booster_bytes;
    return n_bytes;
}

int nw_regression_n_groups(const nw_regression *r)
{
    return r->n_groups;
}

const nw_fit_group *nw_regression_group_report(const nw_regression *r, int index)
{
    return &r->groups[index].report;
}

const nw_group *nw_regression_group(const nw_regression *r, const char *name)
{
    for (int i = 0; i < r->n_groups; i++)
        if (strcmp(r->groups[i].name, name) == 0)
            return &r->groups[i];
    return NULL;
}

static bool is_outside_range(const nw_group *g, const float *features)
{
    for (int f = 0; f < g->n_features; f++) {
        float v = features[f], slack = OUTSIDE * (g->high[f] - g->low[f]);
        if (isnan(g->low[f]) ? !isnan(v) : v < g->low[f] - slack || v > g->high[f] + slack)
            return true;
    }
    return false;
}

void nw_group_predict(const nw_group *g, const float *values, int stride, int n, double *out,
                      bool *is_outside)
{
    float margin[BLOCK] = {0};
    size_t width = (size_t)g->n_features;
    float *x = nw_alloc((BLOCK * width + 1) * sizeof *x);
    for (int begin = 0; begin < n; begin += BLOCK) {
        int count = n - begin < BLOCK ? n - begin : BLOCK;
        const float *rows = values + (size_t)begin * (size_t)stride;
        for (int i = 0; i < count; i++) {
            const float *row = rows + (size_t)i * (size_t)stride;
            for (size_t f = 0; f < width; f++)
                x[(size_t)i * width + f] = row[g->feature[f]];
            if (is_outside)
                is_outside[begin + i] = is_outside_range(g, x + (size_t)i * width);
        }
        if (g->trees)
            nw_trees_run(g->trees, x, count, g->n_features, margin);
        for (int i = 0; i < count; i++)
            out[begin + i] =
                nw_base_of(&g->base, rows + (size_t)i * (size_t)stride) * exp((double)margin[i]);
    }
    free(x);
}

/* ---- tables ---- */

static nw_status read_table(const nw_regression *r, const nw_table *table, const char *target,
                            const char *network, nw_dataset *out, nw_error *err)
{
    nw_columns columns;
    nw_dataset_options options = {target, network, r->hw};
    nw_status status = nw_columns_bind(table, r->group_column, (const char *const *)r->extras,
                                       r->n_extras, &columns, err);
    return status == NW_OK ? nw_dataset_read(table, &columns, &options, out, err) : status;
}

typedef struct predicted {
    double *value; /* a row of the dataset each; NAN: unseen group */
    nw_prediction summary;
} predicted;

static void predict_rows(const nw_regression *r, const nw_dataset *d, predicted *out)
{
    out->value = nw_alloc(((size_t)d->n_rows + 1) * sizeof *out->value);
    out->summary = (nw_prediction){.n_rows = d->n_rows};
    for (int i = 0; i < d->n_rows; i++) {
        const char *name = d->group_names[d->group[i]];
        const nw_group *g = nw_regression_group(r, name);
        bool is_outside = false;
        out->value[i] = NAN;
        if (g) {
            nw_group_predict(g, d->values + (size_t)i * (size_t)d->stride, d->stride, 1,
                             &out->value[i], &is_outside);
            out->summary.n_outside += is_outside;
        } else if (out->summary.n_unseen++ == 0) {
            snprintf(out->summary.unseen, sizeof out->summary.unseen, "%s", name);
        }
    }
}

static void write_rows(const nw_table *table, const predicted *p, nw_buf *out)
{
    for (int c = 0; c < table->n_columns; c++) {
        nw_table_write_cell(out, table->names[c]);
        nw_buf_puts(out, ",");
    }
    nw_buf_puts(out, "predicted\n");
    for (int row = 0; row < table->n_rows; row++) {
        for (int c = 0; c < table->n_columns; c++) {
            nw_table_write_cell(out, nw_table_cell(table, row, c));
            nw_buf_puts(out, ",");
        }
        if (!isnan(p->value[row]))
            nw_buf_double(out, p->value[row]);
        nw_buf_puts(out, "\n");
    }
}

/* A network with a row that cannot be predicted has no sum. */
static void write_networks(const nw_regression *r, const nw_dataset *d, const predicted *p,
                           const char *network, nw_buf *out)
{
    double *sums = nw_zalloc(((size_t)d->n_networks + 1) * sizeof *sums);
    for (int i = 0; i < d->n_rows; i++)
        if (d->network[i] >= 0)
            sums[d->network[i]] += p->value[i];
    nw_table_write_cell(out, network);
    nw_buf_puts(out, ",predicted\n");
    for (int k = 0; k < d->n_networks; k++) {
        nw_table_write_cell(out, d->network_names[k]);
        nw_buf_puts(out, ",");
        if (!isnan(sums[k]))
            nw_buf_double(out, r->report.a * sums[k] + r->report.b);
        nw_buf_puts(out, "\n");
    }
    free(sums);
}

nw_status nw_regression_predict(const nw_regression *r, const nw_table *table, const char *network,
                                nw_buf *out, nw_prediction *summary, nw_error *err)
{
    nw_dataset data;
    predicted p;
    if (!network && nw_table_find(table, "predicted") >= 0)
        return nw_fail(err, NW_INVALID, table->path,
                       "already has a column `predicted`; rename it or leave it out");
    nw_status status = read_table(r, table, NULL, network, &data, err);
    if (status != NW_OK)
        return status;
    predict_rows(r, &data, &p);
    if (network)
        write_networks(r, &data, &p, network, out);
    else
        write_rows(table, &p, out);
    *summary = p.summary;
    free(p.value);
    nw_dataset_fini(&data);
    return NW_OK;
}

nw_status nw_regression_rows(const nw_regression *r, const nw_table *table, double *out,
                             nw_error *err)
{
    nw_dataset data;
    predicted p;
    nw_status status = read_table(r, table, NULL, NULL, &data, err);
    if (status != NW_OK)
        return status;
    predict_rows(r, &data, &p);
    memcpy(out, p.value, (size_t)data.n_rows * sizeof *out);
    free(p.value);
    nw_dataset_fini(&data);
    return NW_OK;
}

nw_status nw_regression_evaluate(const nw_regression *r, const nw_table *table, const char *target,
                                 nw_scores *out, nw_error *err)
{
    nw_dataset data;
    predicted p;
    nw_status status = read_table(r, table, target, NULL, &data, err);
    if (status != NW_OK)
        return status;
    predict_rows(r, &data, &p);
    nw_scores_find(data.target, p.value, data.n_rows, out);
    free(p.value);
    nw_dataset_fini(&data);
    return NW_OK;
}
