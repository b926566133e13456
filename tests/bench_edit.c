/* From an edit to the new estimate, the kernels that it leaves alone remembered; beside reading the
 * file and estimating it with nothing remembered. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/arch/group.h"
#include "src/estimator/estimator.h"
#include "src/format/format.h"
#include "tests/bench.h"
#include "tests/support.h"

enum { ROUNDS = 301, GOAL_US = 300 };

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

typedef struct bench_case {
    const nw_graph *graph;
    const nw_hw *hw;
    const nw_estimator *estimator;
    const nw_groups *groups; /* of graph */
    int n_kernels;
} bench_case;

/* The estimate of a graph, which is freed; false after a failure, which is printed. */
static bool estimate(bench_case *c, nw_graph *graph)
{
    nw_estimate e;
    nw_error err;
    bool is_done = nw_estimate_graph(c->estimator, graph, c->hw, NULL, &e, &err) == NW_OK;
    if (is_done) {
        c->n_kernels = e.kernels->n_kernels;
        nw_estimate_fini(&e);
    } else {
        printf("  %s: %s\n", err.where, err.message);
    }
    nw_graph_free(graph);
    return is_done;
}

/* Another window, written into a copy: a kernel that no round before has seen. */
static bool edit_by_hand(bench_case *c, int round)
{
    nw_graph *graph = nw_graph_copy(c->graph);
    int n_seen = 0, by = 1 + round / 16;
    nw_error err;
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        nw_node *node = &graph->nodes[id];
        if (node->op != NW_OP_CONV2D || node->attrs.kernel_h < 3 || n_seen++ != round % 16)
            continue;
        nw_shape *weights = &graph->tensors[node->inputs[1]].shape;
        weights->dims[2] += 2 * by;
        weights->dims[3] += 2 * by;
        node->attrs.kernel_h += 2 * by;
        node->attrs.kernel_w += 2 * by;
        node->attrs.pad_top += by;
        node->attrs.pad_left += by;
        node->attrs.pad_bottom += by;
        node->attrs.pad_right += by;
        break;
    }
    if (nw_graph_seal(graph, NULL, 0, &err) == NW_OK)
        return estimate(c, graph);
    printf("  %s: %s\n", err.where, err.message);
    nw_graph_free(graph);
    return false;
}

/* Other channels for a group, its members and their constants resized; every round another number.
 */
static bool resize_group(bench_case *c, int round)
{
    int n_groups;
    const nw_channel_group *list = nw_groups_list(c->groups, &n_groups);
    for (int i = 0; i < n_groups; i++) {
        const nw_channel_group *group = &list[(round + i) % n_groups];
        if (group->is_fixed)
            continue;
        nw_resize size = {(round + i) % n_groups,
                          group->n + (1 + round / n_groups) * group->multiple};
        nw_graph *graph;
        nw_error err;
        if (nw_resize_groups(c->groups, &size, 1, &graph, &err) == NW_OK)
            return estimate(c, graph);
        printf("  %s: %s\n", err.where, err.message);
        return false;
    }
    return false;
}

static bool read_anew(bench_case *c, const char *path)
{
    nw_graph *graph;
    nw_estimator_forget(c->estimator);
    return nw_model_load(path, NULL, 0, &graph, NULL) == NW_OK && estimate(c, graph);
}

static double median_us(bench_case *c, bool (*edit)(bench_case *, int))
{
    double times[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double start = cpu_us();
        if (!edit(c, i))
            return NAN;
        times[i] = cpu_us() - start;
    }
    return median(times, ROUNDS);
}

static void bench_model(bench_case *c, const char *path, const char *name)
{
    enum { READINGS = 21 };
    double times[READINGS];
    for (int i = 0; i < READINGS; i++) {
        double start = cpu_us();
        if (!read_anew(c, path))
            return;
        times[i] = cpu_us() - start;
    }
    double anew = median(times, READINGS), window = median_us(c, edit_by_hand),
           channels = median_us(c, resize_group);
    printf(
        "  %-46s %3d kernels: a window %6.1f us, channels of a group %6.1f us, goal %d; read and "
        "estimated anew %8.1f us (%.1f times)\n",
        name, c->n_kernels, window, channels, GOAL_US, anew, anew / channels);
}

void bench_edit(void)
{
    static const char *const models[] = {"tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
                                         "tv_mobilenet_v2_w035_224.onnx"};
    nw_hw *hw;
    nw_error err;
    bench_case c = {0};
    printf("\nedit to new estimate: copy, edit, seal, split, estimate by ne32's regression; median "
           "of %d\n",
           ROUNDS);
    if (nw_hw_load("ne32", "hw", &hw, &err) != NW_OK)
        return;
    if (nw_estimator_open("regression", hw, "build/hw", &c.estimator, NULL, 0, &err) != NW_OK) {
        printf("  %s\n", err.message);
        nw_hw_free(hw);
        return;
    }
    c.hw = hw;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char path[512], relative[128];
        nw_graph *graph;
        snprintf(relative, sizeof relative, "models/%s", models[i]);
        const char *found = shared_path(relative);
        if (!found)
            continue;
        snprintf(path, sizeof path, "%s", found);
        if (nw_model_load(path, NULL, 0, &graph, &err) != NW_OK)
            continue;
        c.graph = graph;
        nw_groups *groups = nw_groups_find(graph);
        c.groups = groups;
        bench_model(&c, path, models[i]);
        nw_groups_free(groups);
        nw_graph_free(graph);
    }
    nw_estimator_release(c.estimator);
    nw_hw_free(hw);
}
