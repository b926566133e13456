#include "tests/referee_silicon.h"

#include <math.h>
#include <stdlib.h>

#include "src/base/rng.h"
#include "src/estimator/estimator.h"

enum { N_BLOCKS = 7 };

static int cell(const csv *table, int row, int block, const char *what)
{
    char name[16];
    snprintf(name, sizeof name, "b%d_%s", block, what);
    return (int)csv_number(table, row, name);
}

nw_graph *silicon_network(const csv *table, int row)
{
    static const int c_out[N_BLOCKS] = {16, 24, 40, 80, 112, 192, 320};
    static const int stride[N_BLOCKS] = {1, 2, 2, 2, 1, 2, 1};
    net n = net_begin(224, 224, 3, NW_DTYPE_INT8);
    net_conv(&n, 32, 3, 3, 2, 2, NW_ACT_RELU6);
    for (int b = 0; b < N_BLOCKS; b++)
        for (int i = 0; i < cell(table, row, b, "l"); i++) {
            /* MnasNet: a quarter of the block's input channels. */
            int se = cell(table, row, b, "se") ? (n.c + 3) / 4 : 0;
            net_inverted_bottleneck(&n, c_out[b], cell(table, row, b, "e"),
                                    cell(table, row, b, "k"), i ? 1 : stride[b], se);
        }
    net_conv(&n, 1280, 1, 1, 1, 1, NW_ACT_RELU6);
    net_global_pool(&n);
    net_fc(&n, 1000, NW_ACT_NONE);
    return net_end(&n);
}

static bool has_se(const csv *table, int row)
{
    for (int b = 0; b < N_BLOCKS; b++)
        if (cell(table, row, b, "se"))
            return true;
    return false;
}

/* Least squares truth = a x + b, then the mean error in percent. */
static double mape_after_affine(const double *x, const double *truth, int n)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int i = 0; i < n; i++) {
        sx += x[i];
        sy += truth[i];
        sxx += x[i] * x[i];
        sxy += x[i] * truth[i];
    }
    double a = (n * sxy - sx * sy) / (n * sxx - sx * sx), b = (sy - a * sx) / n, sum = 0;
    for (int i = 0; i < n; i++)
        sum += fabs(a * x[i] + b - truth[i]) / truth[i];
    return 100 * sum / n;
}

/* The sum over kernels of the larger of compute and bytes over a port of 16 bytes a cycle, all maps
 * and weights crossing it once. Kernels on the host as the device has them. */
static double streamed_cycles(const nw_estimate *e, const nw_hw *hw)
{
    double cycles = 0;
    for (int i = 0; i < e->kernels->n_kernels; i++) {
        const nw_kernel_shape *shape = &e->kernels->kernels[i].shape;
        const nw_kernel_part *p = &shape->parts[0];
        if (p->kind == NW_KERNEL_HOST) {
            cycles += (double)e->costs[i].latency_ps * hw->clock_hz / 1e12;
            continue;
        }
        double bytes = (double)(p->in_h * p->in_w * p->in_c + p->out_h * p->out_w * p->out_c) +
                       (double)shape->weight_elements;
        if (p->kind != NW_KERNEL_VIEW)
            cycles += fmax((double)e->costs[i].cycles[NW_BOUND_COMPUTE], bytes / 16);
    }
    return cycles;
}

bool silicon_score_rows(const nw_hw *hw, bool with_se, silicon_score *out)
{
    const char *path = shared_path("data/accel_nasbench/networks.csv");
    csv table;
    if (!path || !csv_load(&table, path))
        return false;
    double *ours = malloc((size_t)table.n_rows * sizeof *ours);
    double *truth = malloc((size_t)table.n_rows * sizeof *truth);
    double *macs = malloc((size_t)table.n_rows * sizeof *macs);
    double *streamed = malloc((size_t)table.n_rows * sizeof *streamed);
    int n = 0;
    for (int row = 0; row < table.n_rows; row++) {
        double measured = csv_number(&table, row, "lat_zcu102_ms");
        if (isnan(measured) || (!with_se && has_se(&table, row)))
            continue;
        nw_graph *graph = silicon_network(&table, row);
        nw_estimate estimate;
        if (nw_estimate_graph(nw_estimator_device(), graph, hw, NULL, &estimate, NULL) != NW_OK)
            abort();
        ours[n] = (double)estimate.latency_ps / 1e9;
        macs[n] = (double)estimate.macs;
        streamed[n] = streamed_cycles(&estimate, hw);
        truth[n++] = measured;
        nw_estimate_fini(&estimate);
        nw_graph_free(graph);
    }
    *out = (silicon_score){.n = n,
                           .spearman = spearman(ours, truth, n),
                           .mape = mape(ours, truth, n),
                           .mape_affine = mape_after_affine(ours, truth, n),
                           .macs_spearman = spearman(macs, truth, n),
                           .streamed_spearman = spearman(streamed, truth, n)};
    free(ours);
    free(truth);
    free(macs);
    free(streamed);
    csv_free(&table);
    return true;
}

/* ---- calibrated on a tenth ---- */

enum { CONV, DEPTHWISE, ADDITION, ON_HOST, ONCE, N_TERMS };

typedef struct silicon_row {
    double terms[N_TERMS], latency, macs, measured;
} silicon_row;

/* Cycles of the array by kind of kernel: how memory and compute overlap is the chip's own, and part
 * of the factors. */
static void take_terms(const nw_estimate *e, silicon_row *row)
{
    for (int i = 0; i < e->kernels->n_kernels; i++) {
        const nw_kernel_shape *shape = &e->kernels->kernels[i].shape;
        double cycles = (double)e->costs[i].cycles[NW_BOUND_COMPUTE] / 1e6;
        switch (shape->parts[0].kind) {
        case NW_KERNEL_CONV:
            row->terms[CONV] += cycles;
            break;
        case NW_KERNEL_DWCONV:
            row->terms[DEPTHWISE] += cycles;
            break;
        case NW_KERNEL_ADD:
            row->terms[ADDITION] += cycles;
            break;
        case NW_KERNEL_HOST:
            row->terms[ON_HOST] += (double)shape->host_elements / 1e6;
            break;
        default:
            break;
        }
    }
    row->terms[ONCE] = 1;
    row->latency = (double)e->latency_ps / 1e9;
    row->macs = (double)e->macs;
}

static silicon_row *load_rows(const nw_hw *hw, bool with_se, int *n)
{
    const char *path = shared_path("data/accel_nasbench/networks.csv");
    csv table;
    *n = 0;
    if (!path || !csv_load(&table, path))
        return NULL;
    silicon_row *rows = calloc((size_t)table.n_rows + 1, sizeof *rows);
    for (int row = 0; row < table.n_rows; row++) {
        double measured = csv_number(&table, row, "lat_zcu102_ms");
        if (isnan(measured) || (!with_se && has_se(&table, row)))
            continue;
        nw_graph *graph = silicon_network(&table, row);
        nw_estimate estimate;
        if (nw_estimate_graph(nw_estimator_device(), graph, hw, NULL, &estimate, NULL) != NW_OK)
            abort();
        take_terms(&estimate, &rows[*n]);
        rows[(*n)++].measured = measured;
        nw_estimate_fini(&estimate);
        nw_graph_free(graph);
    }
    csv_free(&table);
    return rows;
}

/* Non-negative least squares of relative errors, by coordinate descent. */
static void learn(const silicon_row *rows, const int *chosen, int n, double *c)
{
    double gram[N_TERMS][N_TERMS] = {{0}}, right[N_TERMS] = {0};
    for (int i = 0; i < n; i++)
        for (int j = 0; j < N_TERMS; j++) {
            double t = rows[chosen[i]].terms[j] / rows[chosen[i]].measured;
            right[j] += t;
            for (int k = 0; k < N_TERMS; k++)
                gram[j][k] += t * rows[chosen[i]].terms[k] / rows[chosen[i]].measured;
        }
    for (int j = 0; j < N_TERMS; j++)
        c[j] = 0;
    for (int round = 0; round < 20000; round++)
        for (int j = 0; j < N_TERMS; j++) {
            double gradient = right[j];
            for (int k = 0; k < N_TERMS; k++)
                gradient -= gram[j][k] * c[k];
            if (gram[j][j] > 0)
                c[j] = fmax(0, c[j] + gradient / gram[j][j]);
        }
}

static double affine_of(double (*of)(const silicon_row *), const silicon_row *rows, const int *part,
                        int n)
{
    double xx = 0, x1 = 0, one = 0, xy = 0, y1 = 0, sum = 0;
    int n_test = 0;
    for (int i = 0; i < n; i++) {
        double x = of(&rows[i]), y = rows[i].measured, w = part[i] ? 1 / (y * y) : 0;
        xx += w * x * x;
        x1 += w * x;
        one += w;
        xy += w * x * y;
        y1 += w * y;
    }
    double det = xx * one - x1 * x1;
    double a = (xy * one - x1 * y1) / det, b = (xx * y1 - x1 * xy) / det;
    for (int i = 0; i < n; i++)
        if (!part[i]) {
            sum += fabs((a * of(&rows[i]) + b) / rows[i].measured - 1);
            n_test++;
        }
    return 100 * sum / n_test;
}

static double latency_of(const silicon_row *row)
{
    return row->latency;
}

static double macs_of(const silicon_row *row)
{
    return row->macs;
}

static void score_split(const silicon_row *rows, int n, uint64_t seed, silicon_calibrated *out)
{
    int *part = malloc((size_t)n * sizeof *part), *chosen = malloc((size_t)n * sizeof *chosen);
    double *ours = malloc((size_t)n * sizeof *ours), *truth = malloc((size_t)n * sizeof *truth);
    double c[N_TERMS];
    nw_rng rng = nw_rng_make(seed, 0);
    int n_train = 0, n_test = 0;
    for (int i = 0; i < n; i++) {
        part[i] = nw_rng_chance(&rng, 0.1);
        if (part[i])
            chosen[n_train++] = i;
    }
    learn(rows, chosen, n_train, c);
    for (int i = 0; i < n; i++) {
        if (part[i])
            continue;
        ours[n_test] = 0;
        for (int j = 0; j < N_TERMS; j++)
            ours[n_test] += c[j] * rows[i].terms[j];
        truth[n_test++] = rows[i].measured;
    }
    double error = mape(ours, truth, n_test);
    out->mape += error / out->n_splits;
    out->worst_mape = fmax(out->worst_mape, error);
    out->spearman += spearman(ours, truth, n_test) / out->n_splits;
    out->affine_mape += affine_of(latency_of, rows, part, n) / out->n_splits;
    out->macs_mape += affine_of(macs_of, rows, part, n) / out->n_splits;
    out->n_train = n_train;
    out->n_test = n_test;
    free(part);
    free(chosen);
    free(ours);
    free(truth);
}

bool silicon_score_calibrated(const nw_hw *hw, bool with_se, silicon_calibrated *out)
{
    int n;
    silicon_row *rows = load_rows(hw, with_se, &n);
    *out = (silicon_calibrated){.n_splits = 5};
    for (int split = 0; rows && split < out->n_splits; split++)
        score_split(rows, n, (uint64_t)split + 1, out);
    free(rows);
    return n > 0;
}
