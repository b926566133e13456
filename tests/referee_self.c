#include "tests/referee_self.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/rng.h"
#include "src/format/format.h"
#include "src/measure/plan.h"
#include "tests/support.h"
#include "tests/support_net.h"

#define OTHER_SEED 20261125u /* training uses 0 */

const nw_estimator *self_estimator(const nw_hw *hw)
{
    const nw_estimator *estimator = NULL;
    nw_error err;
    if (nw_estimator_open("regression", hw, "build/hw", &estimator, NULL, 0, &err) != NW_OK)
        return NULL;
    return estimator;
}

bool self_add(const nw_estimator *estimator, const nw_graph *graph, const nw_hw *hw,
              self_score *score)
{
    nw_estimate ours, truth;
    if (nw_estimate_graph(nw_estimator_device(), graph, hw, NULL, &truth, NULL) != NW_OK)
        return false;
    if (nw_estimate_graph(estimator, graph, hw, NULL, &ours, NULL) != NW_OK) {
        nw_estimate_fini(&truth);
        return false;
    }
    for (int i = 0; i < ours.kernels->n_kernels; i++) {
        double device = (double)truth.costs[i].latency_ps;
        if (!ours.costs[i].is_known || !(device > 0))
            continue;
        score->kernel_mape += fabs((double)ours.costs[i].latency_ps / device - 1);
        score->n_kernels++;
        score->n_outside += ours.latencies[i].is_outside;
    }
    if (truth.latency_ps <= 0 || truth.n_unknown) {
        nw_estimate_fini(&ours);
        nw_estimate_fini(&truth);
        return false;
    }
    double error = fabs((double)ours.latency_ps / (double)truth.latency_ps - 1);
    score->network_mape += error;
    score->worst_network = fmax(score->worst_network, 100 * error);
    score->n_networks++;
    score->n_total_bands += ours.has_band;
    score->n_total_inside +=
        ours.has_band && truth.latency_ps >= ours.low_ps && truth.latency_ps <= ours.high_ps;
    nw_estimate_fini(&ours);
    nw_estimate_fini(&truth);
    return true;
}

void self_finish(self_score *score)
{
    score->kernel_mape *= score->n_kernels ? 100.0 / score->n_kernels : NAN;
    score->network_mape *= score->n_networks ? 100.0 / score->n_networks : NAN;
}

bool self_score_models(const nw_estimator *estimator, const nw_hw *hw, self_score *out)
{
    struct dirent **names;
    char folder[512];
    *out = (self_score){0};
    const char *path = shared_path("models/README.md");
    if (!path)
        return false;
    snprintf(folder, sizeof folder, "%.*s", (int)(strlen(path) - strlen("/README.md")), path);
    int n = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(names[i]->d_name, '.');
        char file[1024];
        nw_graph *graph;
        snprintf(file, sizeof file, "%s/%s", folder, names[i]->d_name);
        bool is_model = dot && (strcmp(dot, ".onnx") == 0 || strcmp(dot, ".tflite") == 0);
        if (is_model && nw_model_load(file, NULL, 0, &graph, NULL) == NW_OK) {
            self_add(estimator, graph, hw, out);
            nw_graph_free(graph);
        }
        free(names[i]);
    }
    free(names);
    self_finish(out);
    return true;
}

/* The latency of a list of kernels by an estimator, with what its band is made of. */
static double sum_of(const nw_kernel_latency *latencies, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)latencies[i].latency_ps;
    return sum;
}

/* Kernels of the split network with a share of them changed, as after edits: the difference by the
 * device against the band of the difference. */
static void add_pair(const nw_estimator *estimator, const nw_hw *hw, nw_estimate *e, double share,
                     nw_rng *rng, self_score *score)
{
    int n = e->kernels->n_kernels, n_changed = 0;
    nw_kernels kernels = *e->kernels;
    kernels.kernels = malloc(((size_t)n + 1) * sizeof *kernels.kernels);
    nw_estimate edited = *e;
    edited.kernels = &kernels;
    edited.latencies = malloc(((size_t)n + 1) * sizeof *edited.latencies);
    const nw_kernel_shape **shapes = calloc((size_t)n + 1, sizeof *shapes);
    nw_kernel_latency *truth = malloc(((size_t)n + 1) * sizeof *truth);
    for (int i = 0; i < n; i++) {
        kernels.kernels[i] = e->kernels->kernels[i];
        nw_kernel_shape shape = kernels.kernels[i].shape;
        if (nw_rng_chance(rng, share) &&
            nw_sampling_vary(&shape, hw, rng, &kernels.kernels[i].shape))
            n_changed++;
        else
            kernels.kernels[i].shape = shape;
        shapes[i] = &kernels.kernels[i].shape;
    }
    nw_estimator_latencies(estimator, hw, shapes, n, edited.latencies);
    nw_estimator_latencies(nw_estimator_device(), hw, shapes, n, truth);
    double after = sum_of(truth, n);
    for (int i = 0; i < n; i++)
        shapes[i] = &e->kernels->kernels[i].shape;
    nw_estimator_latencies(nw_estimator_device(), hw, shapes, n, truth);
    double real = after - sum_of(truth, n);
    edited.latency_ps =
        e->latency_ps + (int64_t)(sum_of(edited.latencies, n) - sum_of(e->latencies, n));
    nw_difference d = nw_estimate_difference(e, &edited);
    if (d.has_band && n_changed) {
        score->n_pairs++;
        score->n_pairs_inside += real >= (double)d.low_ps && real <= (double)d.high_ps;
    }
    free(kernels.kernels);
    free(edited.latencies);
    free(shapes);
    free(truth);
}

void self_score_random(const nw_estimator *estimator, const nw_hw *hw, int n, self_score *out)
{
    nw_rng rng = nw_rng_make(OTHER_SEED, 1);
    *out = (self_score){0};
    for (int i = 0; i < n; i++) {
        nw_graph *graph = nw_sampling_network(hw, OTHER_SEED, i, NULL);
        nw_estimate e;
        self_add(estimator, graph, hw, out);
        if (nw_estimate_graph(estimator, graph, hw, NULL, &e, NULL) == NW_OK) {
            add_pair(estimator, hw, &e, 0.2, &rng, out);
            add_pair(estimator, hw, &e, 0.8, &rng, out);
            nw_estimate_fini(&e);
        }
        nw_graph_free(graph);
    }
    self_finish(out);
}

/* ---- variants ---- */

static int scaled(int channels, double width)
{
    int c = (int)lround(channels * width);
    return c < 4 ? 4 : c;
}

/* A backbone of seven stages on 160 x 160: bits of `choice` fuse stages and widen kernels. */
static nw_graph *make_variant(double width, unsigned choice)
{
    static const struct {
        int c, depth, stride;
    } stages[] = {{16, 1, 1}, {24, 2, 2},  {32, 2, 2}, {64, 3, 2},
                  {96, 2, 1}, {160, 2, 2}, {320, 1, 1}};
    net n = net_begin(160, 160, 3, NW_DTYPE_INT8);
    int c = scaled(32, width);
    net_conv(&n, c, 3, 3, 2, 2, NW_ACT_RELU6);
    for (int s = 0; s < 7; s++)
        for (int l = 0; l < stages[s].depth; l++) {
            int out = scaled(stages[s].c, width), stride = l ? 1 : stages[s].stride;
            int expansion = s ? 6 : 1, kernel = choice >> (7 + s) & 1 ? 5 : 3;
            if (s > 0 && (choice >> s & 1))
                net_fused_bottleneck(&n, out, expansion, 3, stride);
            else
                net_inverted_bottleneck(&n, out, expansion, kernel, stride, 0);
            c = out;
        }
    return net_end(&n);
}

void self_score_variants(const nw_estimator *estimator, const nw_hw *hw, self_variants *out)
{
    enum { N = 60 };
    static const double widths[] = {0.35, 0.5, 0.65, 0.75, 0.9, 1.0};
    nw_estimate ours[N], truth[N];
    double a[N], b[N], macs[N];
    int n = 0;
    *out = (self_variants){0};
    for (int i = 0; i < N; i++) {
        nw_graph *graph = make_variant(widths[i % 6], (unsigned)i * 2654435761u >> 18);
        if (nw_estimate_graph(estimator, graph, hw, NULL, &ours[n], NULL) == NW_OK &&
            nw_estimate_graph(nw_estimator_device(), graph, hw, NULL, &truth[n], NULL) == NW_OK) {
            a[n] = (double)ours[n].latency_ps;
            b[n] = (double)truth[n].latency_ps;
            macs[n] = (double)truth[n].macs;
            n++;
        }
        nw_graph_free(graph);
    }
    int n_clear = 0, n_same = 0;
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++) {
            nw_difference d = nw_estimate_difference(&ours[i], &ours[k]);
            double real = b[k] - b[i];
            out->n_pairs++;
            out->n_inside += d.has_band && real >= (double)d.low_ps && real <= (double)d.high_ps;
            if (fabs(real) > 0.01 * b[i]) {
                n_clear++;
                n_same += (real > 0) == (d.latency_ps > 0);
            }
        }
    out->n = n;
    out->spearman = spearman(a, b, n);
    out->macs_spearman = spearman(macs, b, n);
    out->same_way = n_clear ? 100.0 * n_same / n_clear : NAN;
    for (int i = 0; i < n; i++) {
        nw_estimate_fini(&ours[i]);
        nw_estimate_fini(&truth[i]);
    }
}

/* ---- steps ---- */

static void sweep_shape(nw_kernel_shape *s, nw_kernel_kind kind, int map, int in_c, int out_c,
                        int kernel)
{
    memset(s, 0, sizeof *s);
    s->n_parts = 1;
    s->parts[0] = (nw_kernel_part){
        map,    map,    in_c, map, map, out_c, kind,
        kernel, kernel, 1,    1,   1,   1,     kind == NW_KERNEL_DWCONV ? in_c : 1};
    s->bits = s->weight_bits = 8;
    s->slow_op = -1;
    s->n_maps = 1;
    s->act = NW_KERNEL_ACT_CLAMP;
    s->weight_elements = (int64_t)kernel * kernel * out_c * (kind == NW_KERNEL_DWCONV ? 1 : in_c);
    s->bias_elements = out_c;
}

static void add_sweep(const nw_estimator *estimator, const nw_hw *hw, int sweep, int map,
                      self_steps *out)
{
    double ours = 0, truth = 0, work = 0;
    for (int c = 8; c <= 264; c++) {
        nw_kernel_shape s;
        nw_kernel_latency a, b;
        const nw_kernel_shape *list[] = {&s};
        if (sweep == 0)
            sweep_shape(&s, NW_KERNEL_CONV, map, 64, c, 1);
        else if (sweep == 1)
            sweep_shape(&s, NW_KERNEL_CONV, map, c, 64, 1);
        else if (sweep == 2)
            sweep_shape(&s, NW_KERNEL_CONV, map, c, c, 3);
        else
            sweep_shape(&s, NW_KERNEL_DWCONV, map, c, c, 3);
        nw_estimator_latencies(estimator, hw, list, 1, &a);
        nw_estimator_latencies(nw_estimator_device(), hw, list, 1, &b);
        double now = (double)a.latency_ps, real = (double)b.latency_ps;
        double macs = (double)nw_kernel_shape_macs(&s);
        if (c > 8 && fabs(real / truth - 1) > 0.05) {
            out->n++;
            out->same_way += (real > truth) == (now > ours);
            out->macs_same_way += (real > truth) == (macs > work);
        }
        ours = now;
        truth = real;
        work = macs;
    }
}

void self_score_steps(const nw_estimator *estimator, const nw_hw *hw, self_steps *out)
{
    static const int maps[] = {7, 14, 28, 56};
    *out = (self_steps){0};
    for (int sweep = 0; sweep < 4; sweep++)
        for (int i = 0; i < 4; i++)
            add_sweep(estimator, hw, sweep, maps[i], out);
    out->same_way *= out->n ? 100.0 / out->n : NAN;
    out->macs_same_way *= out->n ? 100.0 / out->n : NAN;
}
