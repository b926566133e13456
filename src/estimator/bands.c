#include "src/estimator/bands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/map.h"
#include "src/base/rng.h"
#include "src/estimator/scores.h"

#define N_DRAWS      400 /* of rows, where no networks are named */
#define DRAWN_ROWS   50
#define FEW_NETWORKS 20 /* below, their quantiles say too little: draws of rows instead */
#define COMMON_SHARE 500.0

void nw_affine_fit(const double *x, const double *y, int n, double *a, double *b)
{
    double xx = 0, x1 = 0, one = 0, xy = 0, y1 = 0;
    for (int i = 0; i < n; i++) {
        double w = 1 / (y[i] * y[i]);
        xx += w * x[i] * x[i];
        x1 += w * x[i];
        one += w;
        xy += w * x[i] * y[i];
        y1 += w * y[i];
    }
    double det = xx * one - x1 * x1;
    if (det > 1e-9 * xx * one) {
        *a = (xy * one - x1 * y1) / det;
        *b = (xx * y1 - x1 * xy) / det;
    } else {
        *a = xx > 0 ? xy / xx : 1;
        *b = 0;
    }
}

double nw_band_unit(double sum, double squares)
{
    double common = sum / COMMON_SHARE;
    return sqrt(squares + common * common);
}

/* A distinct kernel of a network. */
typedef struct term {
    uint64_t hash;
    double predicted, spread;
    int count;
} term;

typedef struct network {
    term *terms;
    int n_terms;
    double measured, predicted, squares; /* sums over rows; measured: of the rows */
    double total;                        /* what counts as the truth */
    bool is_known;                       /* every row was predicted, and the total is there */
} network;

static int compare_terms(const void *a, const void *b)
{
    const term *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static double square(double x)
{
    return x * x;
}

static void close_network(network *net)
{
    int kept = 0;
    qsort(net->terms, (size_t)net->n_terms, sizeof *net->terms, compare_terms);
    for (int i = 0; i < net->n_terms; i++) {
        if (kept && net->terms[kept - 1].hash == net->terms[i].hash)
            net->terms[kept - 1].count++;
        else
            net->terms[kept++] = net->terms[i];
    }
    net->n_terms = kept;
    for (int i = 0; i < kept; i++) {
        const term *t = &net->terms[i];
        net->predicted += t->count * t->predicted;
        net->squares += square(t->count * t->predicted * t->spread);
    }
}

static network *collect(const nw_regression *r, const nw_dataset *d, const double *oof)
{
    network *nets = nw_zalloc(((size_t)d->n_networks + 1) * sizeof *nets);
    int *sizes = nw_zalloc(((size_t)d->n_networks + 1) * sizeof *sizes);
    for (int i = 0; i < d->n_rows; i++)
        if (d->network[i] >= 0)
            sizes[d->network[i]]++;
    for (int k = 0; k < d->n_networks; k++) {
        nets[k].terms = nw_alloc(((size_t)sizes[k] + 1) * sizeof *nets[k].terms);
        nets[k].is_known = true;
    }
    for (int i = 0; i < d->n_rows; i++) {
        if (d->network[i] < 0)
            continue;
        network *net = &nets[d->network[i]];
        double spread = r->groups[d->group[i]].report.spread;
        net->measured += d->target[i];
        net->is_known &= !isnan(oof[i]);
        net->terms[net->n_terms++] = (term){d->hash[i], oof[i], isnan(spread) ? 0 : spread, 1};
    }
    for (int k = 0; k < d->n_networks; k++) {
        nets[k].total = nets[k].measured;
        close_network(&nets[k]);
    }
    free(sizes);
    return nets;
}

/* Totals of networks from a table of their own. */
static nw_status read_totals(network *nets, const nw_dataset *d, const nw_fit_options *o,
                             nw_error *err)
{
    int name = nw_table_find(o->totals, o->network);
    int total = o->total_target ? nw_table_find(o->totals, o->total_target) : -1;
    if (name < 0 || total < 0)
        return nw_fail(err, NW_INVALID, o->totals->path, "has no column %s",
                       name < 0          ? o->network
                       : o->total_target ? o->total_target
                                         : "(no target)");
    nw_map rows = {0};
    for (int row = 0; row < o->totals->n_rows; row++)
        nw_map_put(&rows, nw_table_cell(o->totals, row, name), row);
    nw_status status = NW_OK;
    int n_found = 0;
    for (int k = 0; k < d->n_networks && status == NW_OK; k++) {
        int32_t row = nw_map_get(&rows, d->network_names[k]);
        double value = NAN;
        char where[192];
        if (row != NW_MAP_NONE)
            status = nw_table_number(o->totals, row, total, &value, err);
        if (status == NW_OK && value <= 0)
            status = nw_fail(err, NW_INVALID, nw_table_where(o->totals, row, where, sizeof where),
                             "%s is %g; a measured total is positive", o->total_target, value);
        nets[k].total = value;
        nets[k].is_known &= !isnan(value);
        n_found += nets[k].is_known;
    }
    nw_map_fini(&rows);
    if (status == NW_OK && n_found < 3)
        status = nw_fail(err, NW_INVALID, o->totals->path,
                         "has a %s for %d of the %d networks; the affine step needs at least 3",
                         o->total_target, n_found, d->n_networks);
    return status;
}

/* Scores of a x + b with a, b learned on the other folds. */
static void score_affine(const double *x, const double *y, int n, nw_scores *out)
{
    enum { FOLDS = 5 };
    double *guess = nw_alloc(((size_t)n + 1) * sizeof *guess);
    double *train_x = nw_alloc(((size_t)n + 1) * sizeof *train_x);
    double *train_y = nw_alloc(((size_t)n + 1) * sizeof *train_y);
    for (int fold = 0; fold < FOLDS; fold++) {
        double a, b;
        int n_train = 0;
        for (int i = 0; i < n; i++)
            if (i % FOLDS != fold || n < 2 * FOLDS) {
                train_x[n_train] = x[i];
                train_y[n_train++] = y[i];
            }
        nw_affine_fit(train_x, train_y, n_train, &a, &b);
        for (int i = fold; i < n; i += FOLDS)
            guess[i] = a * x[i] + b;
    }
    nw_scores_find(y, guess, n, out);
    free(guess);
    free(train_x);
    free(train_y);
}

static void learn_affine(nw_regression *r, const network *nets, int n_networks, bool has_totals)
{
    nw_fit_report *p = &r->report;
    size_t room = ((size_t)n_networks + 1) * sizeof(double);
    double *total = nw_alloc(room), *predicted = nw_alloc(room), *measured = nw_alloc(room);
    int n = 0;
    for (int k = 0; k < n_networks; k++) {
        if (!nets[k].is_known)
            continue;
        total[n] = nets[k].total;
        predicted[n] = nets[k].predicted;
        measured[n++] = nets[k].measured;
    }
    p->n_networks = n;
    if (has_totals) {
        nw_affine_fit(predicted, total, n, &p->a, &p->b);
        score_affine(predicted, total, n, &p->networks);
        score_affine(measured, total, n, &p->measured_sums);
    } else {
        nw_scores_find(total, predicted, n, &p->networks);
    }
    free(total);
    free(predicted);
    free(measured);
}

/* ---- bands ---- */

static void set_band(double *z, int n, bool is_from_networks, nw_band *out)
{
    double margin = 1.0 / (n + 1); /* finite samples: a step further out on either side */
    out->n = n;
    out->is_from_networks = is_from_networks;
    out->low = nw_quantile(z, n, fmax(0, 0.05 - margin));
    out->high = nw_quantile(z, n, fmin(1, 0.95 + margin));
}

static void band_of_totals(nw_regression *r, const network *nets, int n_networks)
{
    double *z = nw_alloc(((size_t)n_networks + 1) * sizeof *z);
    int n = 0;
    for (int k = 0; k < n_networks; k++) {
        const network *net = &nets[k];
        double unit = r->report.a * nw_band_unit(net->predicted, net->squares);
        double predicted = r->report.a * net->predicted + r->report.b;
        if (net->is_known && unit > 0)
            z[n++] = (net->total - predicted) / unit;
    }
    if (n >= FEW_NETWORKS)
        set_band(z, n, true, &r->report.total);
    free(z);
}

/* z of one pair; false: nothing differs. */
static bool find_difference(const nw_regression *r, const network *x, const network *y, double *z)
{
    double squares = 0, sum = 0;
    int i = 0, k = 0;
    while (i < x->n_terms || k < y->n_terms) {
        bool from_x = k >= y->n_terms || (i < x->n_terms && x->terms[i].hash <= y->terms[k].hash);
        bool from_y = i >= x->n_terms || (k < y->n_terms && y->terms[k].hash <= x->terms[i].hash);
        const term *t = from_x ? &x->terms[i] : &y->terms[k];
        int count = (from_x ? x->terms[i].count : 0) - (from_y ? y->terms[k].count : 0);
        squares += square(count * t->predicted * t->spread);
        sum += abs(count) * t->predicted;
        i += from_x;
        k += from_y;
    }
    double unit = r->report.a * nw_band_unit(sum, squares);
    double predicted = r->report.a * (x->predicted - y->predicted);
    *z = (x->total - y->total - predicted) / unit;
    return unit > 0;
}

static bool are_kin(const char *a, const char *b)
{
    size_t length = strcspn(a, "/");
    return length == strcspn(b, "/") && strncmp(a, b, length) == 0;
}

/* Both signs of every pair of kin, at most eight a network. */
static void band_of_differences(nw_regression *r, const nw_dataset *d, const network *nets)
{
    double *z = nw_alloc((16 * (size_t)d->n_networks + 1) * sizeof *z);
    int n = 0;
    for (int i = 0; i < d->n_networks; i++)
        for (int k = i + 1, pairs = 0; k < d->n_networks && pairs < 8; k++) {
            double found;
            if (!are_kin(d->network_names[i], d->network_names[k]) || !nets[i].is_known ||
                !nets[k].is_known || !find_difference(r, &nets[i], &nets[k], &found))
                continue;
            z[n++] = found;
            z[n++] = -found;
            pairs++;
        }
    if (n >= 2 * FEW_NETWORKS)
        set_band(z, n, true, &r->report.difference);
    free(z);
}

/* Without networks: sums of rows drawn at random stand in for them. */
static void band_of_draws(const nw_regression *r, const nw_dataset *d, const double *oof,
                          nw_band *out)
{
    double z[N_DRAWS];
    uint64_t state = r->report.seed;
    int n = 0;
    for (int draw = 0; draw < N_DRAWS; draw++) {
        double measured = 0, predicted = 0, squares = 0;
        for (int i = 0; i < DRAWN_ROWS; i++) {
            size_t row = nw_rng_splitmix(&state) % (uint64_t)d->n_rows;
            double spread = r->groups[d->group[row]].report.spread;
            if (isnan(oof[row]))
                continue;
            measured += d->target[row];
            predicted += oof[row];
            squares += square(oof[row] * spread);
        }
        if (predicted > 0)
            z[n++] = (measured - predicted) / nw_band_unit(predicted, squares);
    }
    if (n > 0)
        set_band(z, n, false, out);
}

nw_status nw_fit_networks(nw_regression *r, const nw_dataset *d, const nw_fit_options *o,
                          const double *oof, nw_error *err)
{
    nw_status status = NW_OK;
    r->report.a = 1;
    if (o->network) {
        network *nets = collect(r, d, oof);
        if (o->totals)
            status = read_totals(nets, d, o, err);
        if (status == NW_OK) {
            r->report.has_networks = true;
            r->report.has_totals = o->totals != NULL;
            learn_affine(r, nets, d->n_networks, o->totals != NULL);
            band_of_totals(r, nets, d->n_networks);
            band_of_differences(r, d, nets);
        }
        for (int k = 0; k < d->n_networks; k++)
            free(nets[k].terms);
        free(nets);
    }
    if (status == NW_OK && !r->report.total.n)
        band_of_draws(r, d, oof, &r->report.total);
    if (!r->report.difference.n)
        r->report.difference = r->report.total;
    return status;
}
