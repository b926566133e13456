#include "tests/referee_silicon.h"

#include <math.h>
#include <stdlib.h>

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
