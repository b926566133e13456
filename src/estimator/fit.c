#include "src/estimator/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/estimator/bands.h"
#include "src/estimator/booster.h"
#include "src/estimator/dataset.h"
#include "src/estimator/scores.h"

#ifndef NASW_VERSION
#define NASW_VERSION "?"
#endif

#define N_FOLDS  5
#define FEW_ROWS 24 /* below, no trees: the base alone */

/* One group at work. Rows are positions in the dataset. */
typedef struct work {
    const nw_dataset *data;
    const nw_fit_options *options;
    nw_group *group;
    int *rows, n;       /* of the group */
    double *oof;        /* predictions, a row of the dataset each; NAN: not yet */
    double done, share; /* of the whole fit: before this group, this group */
    nw_error *err;
} work;

static const float *values_of(const nw_dataset *d, int row)
{
    return d->values + (size_t)row * (size_t)d->stride;
}

/* ---- features ---- */

static bool varies(const work *w, int value)
{
    float first = values_of(w->data, w->rows[0])[value];
    for (int i = 1; i < w->n; i++) {
        float next = values_of(w->data, w->rows[i])[value];
        if (next != first && !(isnan(next) && isnan(first)))
            return true;
    }
    return false;
}

static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        at += strspn(at, " ");
        if (strncmp(at, name, length) == 0 && at[length + strspn(at + length, " ")] == '\0')
            return true;
        if (strncmp(at, name, length) == 0 && at[length + strspn(at + length, " ")] == ',')
            return true;
    }
    return false;
}

static void choose_features(work *w, const nw_columns *columns, const nw_table *table)
{
    nw_group *g = w->group;
    g->feature = nw_alloc((size_t)w->data->stride * sizeof *g->feature);
    for (int v = 0; v < w->data->stride; v++) {
        const char *name = v < NW_VALUE_COUNT ? nw_value_name(v)
                                              : table->names[columns->extra[v - NW_VALUE_COUNT]];
        if ((!w->options->features || is_listed(w->options->features, name)) && varies(w, v))
            g->feature[g->n_features++] = v;
    }
    g->low = nw_alloc(((size_t)g->n_features + 1) * sizeof *g->low);
    g->high = nw_alloc(((size_t)g->n_features + 1) * sizeof *g->high);
    for (int f = 0; f < g->n_features; f++) {
        float low = NAN, high = NAN;
        for (int i = 0; i < w->n; i++) {
            float v = values_of(w->data, w->rows[i])[g->feature[f]];
            low = fminf(low, v); /* ignores NAN */
            high = fmaxf(high, v);
        }
        g->low[f] = low;
        g->high[f] = high;
    }
}

/* ---- training ---- */

/* Deeper and more trees where there are rows for them; slow learning where there are few. */
nw_booster_params nw_fit_params(int n, int n_trees, uint32_t seed)
{
    nw_booster_params p = nw_booster_defaults();
    p.seed = seed;
    p.base_score = 0;
    p.max_bin = 256;
    p.lambda = 1;
    p.min_child_weight = 1;
    p.max_depth = n < 10000 ? 6 : 8;
    p.n_trees = n_trees > 0 ? n_trees : 300;
    p.eta = fmin(0.3, 15.0 / p.n_trees); /* as far in the end, whatever the number */
    p.subsample = 0.8;
    p.colsample = 0.5;
    return p;
}

static void fill_features(const nw_group *g, const float *values, float *to)
{
    for (int f = 0; f < g->n_features; f++)
        to[f] = values[g->feature[f]];
}

/* The base of the given rows, then the trees; an exact repetition of a row counts once. */
static nw_status train(const work *w, const int *rows, int n, nw_base *base, nw_buf *booster,
                       int *n_trees)
{
    const nw_dataset *d = w->data;
    const nw_group *g = w->group;
    float *values = nw_alloc(((size_t)n * (size_t)d->stride + 1) * sizeof *values);
    double *targets = nw_alloc(((size_t)n + 1) * sizeof *targets);
    for (int i = 0; i < n; i++) {
        memcpy(values + (size_t)i * (size_t)d->stride, values_of(d, rows[i]),
               (size_t)d->stride * sizeof *values);
        targets[i] = d->target[rows[i]];
    }
    nw_base_fit(values, d->stride, targets, n, base);
    nw_status status = NW_OK;
    nw_booster_params params = nw_fit_params(n, w->options->n_trees, w->options->seed);
    *n_trees = 0;
    if (n >= FEW_ROWS && g->n_features > 0) {
        size_t width = (size_t)g->n_features;
        float *x = nw_alloc((size_t)n * width * sizeof *x);
        float *y = nw_alloc((size_t)n * sizeof *y);
        for (int i = 0; i < n; i++) {
            const float *row = values + (size_t)i * (size_t)d->stride;
            fill_features(g, row, x + (size_t)i * width);
            y[i] = (float)log(targets[i] / nw_base_of(base, row));
        }
        status = nw_booster_train(x, n, g->n_features, y, NULL, &params, booster, w->err);
        *n_trees = params.n_trees;
        free(x);
        free(y);
    }
    free(values);
    free(targets);
    return status;
}

/* Rows for training: one of each (shape, target); without the shapes of the fold, -1: all. */
typedef struct keyed {
    uint64_t hash;
    double target;
    int row, fold;
} keyed;

static int compare_keyed(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int compare_ints(const void *a, const void *b)
{
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

static keyed *sort_by_shape(const work *w)
{
    keyed *keys = nw_alloc((size_t)w->n * sizeof *keys);
    for (int i = 0; i < w->n; i++) {
        int row = w->rows[i];
        keys[i] = (keyed){w->data->hash[row], w->data->target[row], row, w->data->fold[row]};
    }
    qsort(keys, (size_t)w->n, sizeof *keys, compare_keyed);
    return keys;
}

static int choose_rows(const keyed *keys, int n, int fold, int *rows)
{
    int n_rows = 0;
    for (int i = 0; i < n;) {
        int end = i, first = n_rows;
        bool is_held_out = false;
        for (; end < n && keys[end].hash == keys[i].hash; end++) {
            is_held_out |= keys[end].fold == fold;
            if (end == i || keys[end].target != keys[end - 1].target)
                rows[n_rows++] = keys[end].row;
        }
        if (is_held_out)
            n_rows = first;
        i = end;
    }
    qsort(rows, (size_t)n_rows, sizeof *rows, compare_ints);
    return n_rows;
}

static nw_status predict_fold(const work *w, const keyed *keys, int fold, int *rows)
{
    const nw_dataset *d = w->data;
    nw_base base;
    nw_buf booster = {0};
    nw_booster *loaded = NULL;
    int n_trees, n = choose_rows(keys, w->n, fold, rows), n_out = 0;
    if (n == 0)
        return NW_OK; /* every shape is in this fold: no row can be held out */
    nw_status status = train(w, rows, n, &base, &booster, &n_trees);
    size_t width = (size_t)w->group->n_features;
    float *x = nw_alloc(((size_t)w->n * width + 1) * sizeof *x);
    float *margin = nw_zalloc(((size_t)w->n + 1) * sizeof *margin);
    for (int i = 0; i < w->n; i++)
        if (d->fold[w->rows[i]] == fold) {
            fill_features(w->group, values_of(d, w->rows[i]), x + (size_t)n_out * width);
            rows[n_out++] = w->rows[i];
        }
    if (status == NW_OK && n_trees > 0 && n_out > 0) {
        status = nw_booster_load(nw_buf_text(&booster), booster.length, &loaded, w->err);
        if (status == NW_OK)
            status = nw_booster_run(loaded, x, n_out, w->group->n_features, margin, w->err);
    }
    for (int i = 0; i < n_out && status == NW_OK; i++)
        w->oof[rows[i]] = nw_base_of(&base, values_of(d, rows[i])) * exp((double)margin[i]);
    nw_booster_free(loaded);
    nw_buf_fini(&booster);
    free(x);
    free(margin);
    return status;
}

/* ---- what the out-of-fold predictions say ---- */

typedef struct judged {
    double measured, predicted, error;
    int row;
} judged;

static int compare_judged(const void *a, const void *b)
{
    double x = ((const judged *)a)->error, y = ((const judged *)b)->error;
    return (x < y) - (x > y);
}

static const char *describe_row(const nw_columns *columns, const nw_table *table, int row,
                                nw_arena *arena)
{
    nw_buf text = {0};
    for (int r = 0; r <= NW_ROLE_GROUPS && text.length < 120; r++) {
        int c = columns->role[r];
        bool is_twin = r > 0 && c == columns->role[r - 1];
        if (c < 0 || is_twin || !*nw_table_cell(table, row, c))
            continue;
        nw_buf_printf(&text, "%s%s=%s", text.length ? " " : "", nw_role_name((nw_role)r),
                      nw_table_cell(table, row, c));
    }
    char clean[160];
    const char *copy =
        nw_arena_strdup(arena, nw_text_visible(nw_buf_text(&text), clean, sizeof clean));
    nw_buf_fini(&text);
    return copy;
}

/* Baselines, each with the best factor (and constant) over the group in relative least squares. */
static void score_baselines(const work *w, const double *measured, nw_fit_group *report)
{
    const nw_dataset *d = w->data;
    int macs = NW_ROLE_COUNT + NW_FEATURE_MACS, ops = NW_ROLE_COUNT + NW_FEATURE_WINDOW_OPS;
    int roofline = NW_ROLE_COUNT + NW_FEATURE_ROOFLINE_CYCLES;
    int bytes = NW_ROLE_COUNT + NW_FEATURE_MOVED_BYTES;
    double *work_of = nw_alloc((size_t)w->n * sizeof *work_of);
    double *bound = nw_alloc((size_t)w->n * sizeof *bound);
    double *guess = nw_alloc((size_t)w->n * sizeof *guess);
    double best_ops = 0, best_bytes = 0;
    for (int i = 0; i < w->n; i++) {
        const float *v = values_of(d, w->rows[i]);
        work_of[i] = v[macs] > 0 ? v[macs] : v[ops];
        best_ops = fmax(best_ops, work_of[i] / measured[i]);
        best_bytes = fmax(best_bytes, (double)v[bytes] / measured[i]);
    }
    for (int i = 0; i < w->n; i++) {
        const float *v = values_of(d, w->rows[i]);
        bound[i] = !isnan(v[roofline]) ? (double)v[roofline]
                                       : fmax(work_of[i] / best_ops, (double)v[bytes] / best_bytes);
    }
    double a, b;
    nw_affine_fit(work_of, measured, w->n, &a, &b);
    for (int i = 0; i < w->n; i++)
        guess[i] = fmax(a * work_of[i] + b, 1e-12);
    nw_scores_find(measured, guess, w->n, &report->macs);
    nw_affine_fit(bound, measured, w->n, &a, &b);
    for (int i = 0; i < w->n; i++)
        guess[i] = fmax(a * bound[i] + b, 1e-12);
    nw_scores_find(measured, guess, w->n, &report->roofline);
    free(work_of);
    free(bound);
    free(guess);
}

/* Equal shapes with different targets: nothing can predict better than their mean. */
static void find_noise(const keyed *keys, int n, nw_fit_group *report)
{
    double sum = 0;
    for (int i = 0; i < n;) {
        int end = i;
        double mean = 0;
        for (; end < n && keys[end].hash == keys[i].hash; end++)
            mean += keys[end].target;
        mean /= end - i;
        for (int k = i; k < end && end - i > 1; k++)
            sum += fabs(mean / keys[k].target - 1);
        report->n_noisy += end - i > 1 ? end - i : 0;
        i = end;
    }
    report->noise_pct = report->n_noisy ? 100 * sum / report->n_noisy : 0;
}

/* Of equal shapes the one with the largest error. */
static void list_worst(work *w, const nw_columns *columns, const nw_table *table,
                       const judged *order, int n, nw_arena *arena)
{
    nw_fit_group *report = &w->group->report;
    uint64_t listed[NW_N_WORST];
    for (int i = 0; i < n && report->n_worst < NW_N_WORST; i++) {
        int row = order[i].row, k = 0;
        while (k < report->n_worst && listed[k] != w->data->hash[row])
            k++;
        if (k < report->n_worst)
            continue;
        listed[k] = w->data->hash[row];
        report->worst[report->n_worst++] =
            (nw_worst){w->data->line[row], order[i].measured, order[i].predicted,
                       describe_row(columns, table, w->data->row[row], arena)};
    }
}

static void judge(work *w, const nw_columns *columns, const nw_table *table, nw_arena *arena)
{
    nw_fit_group *report = &w->group->report;
    double *measured = nw_alloc((size_t)w->n * sizeof *measured);
    double *predicted = nw_alloc((size_t)w->n * sizeof *predicted);
    double *logs = nw_alloc((size_t)w->n * sizeof *logs), squares = 0;
    judged *order = nw_alloc((size_t)w->n * sizeof *order);
    int n = 0;
    for (int i = 0; i < w->n; i++) {
        measured[i] = w->data->target[w->rows[i]];
        predicted[i] = w->oof[w->rows[i]];
        if (isnan(predicted[i]))
            continue;
        logs[n] = log(measured[i] / predicted[i]);
        squares += logs[n] * logs[n];
        order[n++] =
            (judged){measured[i], predicted[i], fabs(predicted[i] / measured[i] - 1), w->rows[i]};
    }
    report->spread = n ? sqrt(squares / n) : NAN;
    for (int q = 0; q < NW_N_QUANTILES; q++)
        w->group->quantile[q] = nw_quantile(logs, n, (q + 1) * 0.05);
    nw_scores_find(measured, predicted, w->n, &report->scores);
    score_baselines(w, measured, report);
    qsort(order, (size_t)n, sizeof *order, compare_judged);
    list_worst(w, columns, table, order, n, arena);
    free(measured);
    free(predicted);
    free(logs);
    free(order);
}

static int folds_of(const nw_fit_options *o)
{
    return o->n_folds > 1 ? o->n_folds : N_FOLDS;
}

static nw_status fit_group(work *w, const nw_columns *columns, const nw_table *table,
                           nw_arena *arena)
{
    nw_group *g = w->group;
    nw_buf booster = {0};
    int *rows = nw_alloc(((size_t)w->n + 1) * sizeof *rows);
    choose_features(w, columns, table);
    keyed *keys = sort_by_shape(w);
    find_noise(keys, w->n, &g->report);
    nw_status status = NW_OK;
    int n_folds = folds_of(w->options);
    for (int fold = 0; fold < n_folds && status == NW_OK; fold++) {
        bool goes_on = !w->options->progress ||
                       w->options->progress(w->options->progress_context, g->name,
                                            w->done + w->share * fold / (n_folds + 1));
        status = goes_on ? predict_fold(w, keys, fold, rows)
                         : nw_fail(w->err, NW_CANCELLED, NULL, "stopped");
    }
    if (status == NW_OK) {
        g->report.n_rows = w->n;
        g->report.n_distinct = choose_rows(keys, w->n, -1, rows);
        status = train(w, rows, g->report.n_distinct, &g->base, &booster, &g->report.n_trees);
    }
    if (status == NW_OK && g->report.n_trees > 0) {
        g->n_booster_bytes = booster.length;
        g->booster = booster.text;
        booster = (nw_buf){0};
        status = nw_trees_read(g->booster, g->n_booster_bytes, &g->trees, w->err);
    }
    if (status == NW_OK)
        judge(w, columns, table, arena);
    nw_buf_fini(&booster);
    free(keys);
    free(rows);
    return status;
}

/* ---- the whole table ---- */

static nw_status fit_groups(nw_regression *r, const nw_dataset *d, const nw_columns *columns,
                            const nw_table *table, const nw_fit_options *o, double *oof,
                            nw_error *err)
{
    int *rows = nw_alloc(((size_t)d->n_rows + 1) * sizeof *rows);
    nw_status status = NW_OK;
    double n_done = 0;
    r->groups = nw_zalloc((size_t)d->n_groups * sizeof *r->groups);
    for (int g = 0; g < d->n_groups && status == NW_OK; g++) {
        work w = {
            .data = d, .options = o, .group = &r->groups[g], .rows = rows, .oof = oof, .err = err};
        for (int i = 0; i < d->n_rows; i++)
            if (d->group[i] == g)
                rows[w.n++] = i;
        w.done = n_done / d->n_rows;
        w.share = (double)w.n / d->n_rows;
        n_done += w.n;
        r->n_groups++;
        w.group->name = nw_alloc(strlen(d->group_names[g]) + 1);
        memcpy(w.group->name, d->group_names[g], strlen(d->group_names[g]) + 1);
        w.group->report.name = w.group->name;
        status = fit_group(&w, columns, table, &r->text);
    }
    free(rows);
    return status;
}

static void keep_sample(nw_regression *r, const nw_dataset *d, const double *oof)
{
    int rows[NW_N_SAMPLE], n = nw_dataset_draw(d, r->report.seed, rows, NW_N_SAMPLE);
    nw_fit_point *points = nw_arena_alloc(&r->text, ((size_t)n + 1) * sizeof *points);
    for (int i = 0; i < n; i++)
        if (!isnan(oof[rows[i]]))
            points[r->report.n_sample++] =
                (nw_fit_point){d->group[rows[i]], d->target[rows[i]], oof[rows[i]]};
    r->report.sample = points;
}

static const char *keep(nw_regression *r, const char *text)
{
    char clean[512];
    return nw_arena_strdup(&r->text, nw_text_visible(text ? text : "", clean, sizeof clean));
}

static void describe_origin(nw_regression *r, const nw_table *table, const nw_dataset *d,
                            const nw_fit_options *o)
{
    char text[192];
    nw_fit_report *p = &r->report;
    const char *slash = strrchr(table->path, '/');
    p->target = keep(r, o->target);
    p->file = keep(r, nw_text_visible(slash ? slash + 1 : table->path, text, sizeof text));
    p->device = keep(r, nw_table_comment_value(table, "device", text, sizeof text));
    p->source = keep(r, nw_table_comment_value(table, "source", text, sizeof text));
    p->date = keep(r, nw_table_comment_value(table, "date", text, sizeof text));
    p->measured_with = keep(r, nw_table_comment_value(table, "tool", text, sizeof text));
    p->tool = keep(r, "nasw-" NASW_VERSION);
    p->data_hash = d->data_hash;
    p->seed = o->seed;
    p->n_rows = d->n_rows;
    p->n_skipped = d->n_skipped;
    p->n_folds = folds_of(o);
}

/* Names in --features that are columns but no values of ours. */
static int list_extras(const nw_table *table, const char *features, const char **extras,
                       nw_arena *arena, const char **unknown)
{
    int n = 0;
    *unknown = NULL;
    for (const char *at = features; at && *at;) {
        size_t length = strcspn(at, ",");
        while (length && *at == ' ')
            at++, length--;
        size_t end = length;
        while (end && at[end - 1] == ' ')
            end--;
        const char *name = nw_arena_strndup(arena, at, end);
        bool is_value = nw_value_find(name) >= 0;
        if (!is_value && nw_table_find(table, name) < 0)
            *unknown = name;
        else if (!is_value && n < NW_MAX_EXTRAS)
            extras[n++] = name;
        at += length + (at[length] == ',');
    }
    return n;
}

static nw_status bind(nw_regression *r, const nw_table *table, const nw_fit_options *o,
                      nw_columns *columns, nw_error *err)
{
    const char *extras[NW_MAX_EXTRAS], *unknown;
    if (!o->target || nw_table_find(table, o->target) < 0)
        return nw_fail(err, NW_INVALID, table->path, "has no column %s",
                       o->target ? o->target : "(no target named)");
    int n = list_extras(table, o->features, extras, &r->text, &unknown);
    if (unknown)
        return nw_fail(err, NW_INVALID, table->path,
                       "has no column %s, and no feature is called so", unknown);
    nw_status status = nw_columns_bind(table, o->group, extras, n, columns, err);
    if (status != NW_OK)
        return status;
    for (int i = 0; i < n; i++)
        r->extras[r->n_extras++] = nw_arena_strdup(&r->text, extras[i]);
    if (columns->group >= 0)
        r->group_column = nw_arena_strdup(&r->text, table->names[columns->group]);
    return NW_OK;
}

static nw_status copy_hw(nw_regression *r, const nw_hw *hw, nw_error *err)
{
    if (!hw)
        return NW_OK;
    char *text = nw_hw_describe(hw);
    nw_status status = nw_hw_parse(text, strlen(text), hw->name, "", &r->hw, err);
    free(text);
    return status;
}

nw_status nw_fit_keeping(const nw_table *table, const nw_fit_options *o, double *kept,
                         nw_regression **out, nw_error *err)
{
    nw_regression *r = nw_zalloc(sizeof *r);
    atomic_init(&r->n_users, 1);
    nw_columns columns;
    nw_dataset data = {0};
    double *oof = NULL;
    nw_status status = bind(r, table, o, &columns, err);
    if (status == NW_OK)
        status = copy_hw(r, o->hw, err);
    if (status == NW_OK) {
        nw_dataset_options read = {o->target, o->network, o->hw};
        status = nw_dataset_read(table, &columns, &read, &data, err);
    }
    if (status == NW_OK && data.n_rows == 0)
        status = nw_fail(err, NW_INVALID, table->path, "no row has a value of %s", o->target);
    if (status == NW_OK) {
        oof = nw_alloc((size_t)data.n_rows * sizeof *oof);
        for (int i = 0; i < data.n_rows; i++)
            oof[i] = NAN;
        describe_origin(r, table, &data, o);
        nw_dataset_fold(&data, folds_of(o), o->seed);
        status = fit_groups(r, &data, &columns, table, o, oof, err);
    }
    if (status == NW_OK) {
        nw_scores_find(data.target, oof, data.n_rows, &r->report.all);
        keep_sample(r, &data, oof);
        status = nw_fit_networks(r, &data, o, oof, err);
    }
    if (status == NW_OK && o->test)
        status = nw_regression_evaluate(r, o->test, o->target, &r->report.test, err);
    for (int i = 0; i < table->n_rows && kept; i++)
        kept[i] = NAN;
    for (int i = 0; i < data.n_rows && kept && oof; i++)
        kept[data.row[i]] = oof[i];
    if (data.values)
        nw_dataset_fini(&data);
    free(oof);
    if (status == NW_OK)
        *out = r;
    else
        nw_regression_release(r);
    return status;
}

nw_status nw_fit(const nw_table *table, const nw_fit_options *o, nw_regression **out, nw_error *err)
{
    return nw_fit_keeping(table, o, NULL, out, err);
}
