/* Lifting real networks, beside reading the same file in the same run. */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "src/arch/arch.h"
#include "src/format/format.h"
#include "tests/bench.h"
#include "tests/support.h"

enum { ROUNDS = 21, GOAL_US = 300, GOAL_NODES = 400 };

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void bench_model(const char *model)
{
    char relative[128];
    double load = INFINITY, lift = INFINITY;
    int n_nodes = 0, n_blocks = 0;
    snprintf(relative, sizeof relative, "models/%s", model);
    const char *path = shared_path(relative);
    for (int round = 0; path && round < ROUNDS; round++) {
        nw_graph *graph;
        double start = cpu_us();
        if (nw_model_load(path, NULL, 0, &graph, NULL) != NW_OK)
            return;
        double loaded = cpu_us();
        const nw_arch *arch = nw_arch_lift(graph);
        nw_arch_blocks(arch, &n_blocks);
        double lifted = cpu_us();
        n_nodes = graph->n_nodes;
        nw_arch_release(arch);
        load = fmin(load, loaded - start);
        lift = fmin(lift, lifted - loaded);
    }
    if (path)
        printf("  %-46s %4d nodes, %3d blocks %6.1f us, goal %3.0f; %.3f of reading the file "
               "(%.0f us)\n",
               model, n_nodes, n_blocks, lift, (double)GOAL_US * n_nodes / GOAL_NODES, lift / load,
               load);
}

void bench_lift(void)
{
    printf("\nlifting into blocks, best of %d (goal: %d us for %d nodes)\n", ROUNDS, GOAL_US,
           GOAL_NODES);
    bench_model("mobilenet_v2_1.0_224_quant.tflite");
    bench_model("tv_mobilenet_v2_w035_224_qdq.onnx");
    bench_model("tv_lraspp_mobilenet_v3_small_256.onnx");
    bench_model("tv_ssdlite320_mobilenet_v3_large_2cls.onnx");
    bench_model("person_detect_rpi_fp16.tflite");
}
