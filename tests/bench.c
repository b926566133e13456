/* The table of `make bench`: medians, and ratios against something in the same run. Times depend
 * on the machine; the goals are those of the machine the project began on.
 *
 * The yardstick is 5 x 10^7 steps of a linear congruential generator in this process.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/estimator/estimator.h"
#include "src/format/format.h"
#include "tests/support.h"

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
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

static double yardstick_ms(void)
{
    double times[5];
    for (int i = 0; i < 5; i++) {
        double start = now_ms();
        volatile unsigned seed = 1;
        unsigned x = seed;
        for (int k = 0; k < 50000000; k++)
            x = x * 1664525u + 1013904223u;
        seed = x;
        times[i] = now_ms() - start;
    }
    return median(times, 5);
}

/* Wall time of one run of the program, output thrown away; its peak resident memory. */
static double run_once(const char *program, const char *model, double *rss_mib)
{
    fflush(stdout);
    double start = now_ms();
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(127);
        execl(program, program, "estimate", model, "--hw", "ne32", (char *)NULL);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
        return NAN;
    *rss_mib = (double)usage.ru_maxrss / 1024;
    return now_ms() - start;
}

static void bench_process(const char *model, double goal_ms, double yardstick)
{
    enum { RUNS = 21 };
    const char *program = getenv("NASW_BIN");
    char relative[128];
    double times[RUNS], rss = 0;
    size_t n_bytes = 0;
    snprintf(relative, sizeof relative, "models/%s", model);
    const char *path = strcmp(model, "demo") == 0 ? model : shared_path(relative);
    if (!path)
        return;
    char *bytes = path == model ? NULL : read_text(path, &n_bytes);
    free(bytes);
    for (int i = 0; i < RUNS; i++)
        times[i] = run_once(program ? program : "build/nasw", path, &rss);
    double ms = median(times, RUNS);
    printf("  %-46s %7.1f ms", model, ms);
    if (goal_ms > 0)
        printf("  goal %.0f", goal_ms);
    double file_mib = (double)n_bytes / 1048576;
    printf("   %.2f yardsticks   %.1f MiB resident, goal %.1f\n", ms / yardstick, rss,
           3 * file_mib + 16);
}

static void bench_device(const char *model, const char *hw_name, double yardstick)
{
    enum { RUNS = 21 };
    char relative[128];
    double times[RUNS], per_kernel[RUNS];
    nw_graph *graph;
    nw_hw *hw;
    nw_error err;
    snprintf(relative, sizeof relative, "models/%s", model);
    const char *path = strcmp(model, "demo") == 0 ? model : shared_path(relative);
    if (!path)
        return;
    if (nw_hw_load(hw_name, "hw", &hw, &err) != NW_OK ||
        nw_model_load(path, NULL, 0, &graph, &err) != NW_OK) {
        printf("  %s: %s\n", err.where, err.message);
        return;
    }
    int n_kernels = 0;
    for (int i = 0; i < RUNS; i++) {
        nw_estimate estimate;
        double start = now_ms();
        if (nw_estimate_graph(nw_estimator_find("device"), graph, hw, NULL, &estimate, &err) !=
            NW_OK)
            break;
        times[i] = now_ms() - start;
        n_kernels = estimate.kernels->n_kernels;
        start = now_ms();
        for (int k = 0; k < n_kernels; k++)
            nw_device_estimate(hw, &estimate.kernels->kernels[k].shape, &estimate.costs[k]);
        per_kernel[i] = 1e3 * (now_ms() - start) / n_kernels;
        nw_estimate_fini(&estimate);
    }
    double ms = median(times, RUNS);
    printf("  %-46s %7.2f ms a network (%.3f yardsticks), %d kernels, %.2f us a kernel, goal 20\n",
           model, ms, ms / yardstick, n_kernels, median(per_kernel, RUNS));
    nw_graph_free(graph);
    nw_hw_free(hw);
}

int main(void)
{
    static const char *const hw[] = {"ne32", "u55-256", "systolic16-ws"};
    double yardstick = yardstick_ms();
    printf("yardstick: 5 x 10^7 steps of a linear congruential generator, %.1f ms\n\n", yardstick);
    printf("nasw estimate FILE --hw ne32, whole process, median of 21\n");
    bench_process("demo", 0, yardstick);
    bench_process("mobilenet_v2_1.0_224_quant.tflite", 30, yardstick);
    bench_process("tv_ssdlite320_mobilenet_v3_large_2cls.onnx", 60, yardstick);
    for (size_t i = 0; i < sizeof hw / sizeof *hw; i++) {
        printf("\nthe simulated device on %s, in this process, median of 21\n", hw[i]);
        bench_device("demo", hw[i], yardstick);
        bench_device("mobilenet_v2_1.0_224_quant.tflite", hw[i], yardstick);
        bench_device("tv_ssdlite320_mobilenet_v3_large_2cls.onnx", hw[i], yardstick);
    }
    return 0;
}
