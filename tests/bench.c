/* The table of `make bench`: medians, and ratios against something in the same run. Times depend
 * on the machine; the goals are those of the machine the project began on.
 *
 * The yardstick is 5 x 10^7 steps of a linear congruential generator in this process.
 */
#include <math.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/estimator/estimator.h"
#include "src/format/format.h"
#include "tests/bench.h"
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
        if (nw_estimate_graph(nw_estimator_device(), graph, hw, NULL, &estimate, &err) != NW_OK)
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

/* ---- the workbench in a pseudo-terminal ---- */

typedef struct workbench {
    pid_t child;
    int master;
    double first_paint_ms;
} workbench;

/* Reads until nothing comes for quiet_ms, or text went by; returns when the last byte came. */
static double read_until(int fd, const char *text, int quiet_ms)
{
    char bytes[65536 + 16];
    size_t kept = 0;
    double last = now_ms();
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    while (poll(&poller, 1, quiet_ms) > 0) {
        ssize_t n = read(fd, bytes + kept, 65536 - kept);
        if (n <= 0)
            break;
        last = now_ms();
        bytes[kept + (size_t)n] = '\0';
        if (text && strstr(bytes, text))
            break;
        kept = (size_t)n + kept < 8 ? kept + (size_t)n : 0; /* a text cut in two is seen later */
    }
    return last;
}

static bool start_workbench(int rows, int columns, workbench *out)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    const char *program = getenv("NASW_BIN");
    program = program ? program : "build/nasw";
    fflush(stdout);
    double start = now_ms();
    out->child = forkpty(&out->master, NULL, NULL, &size);
    if (out->child == 0) {
        setenv("TERM", "xterm-256color", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        execl(program, program, "--fresh", "demo", (char *)NULL);
        _exit(127);
    }
    if (out->child < 0)
        return false;
    out->first_paint_ms = read_until(out->master, "help", 5000) - start;
    read_until(out->master, NULL, 100);
    return true;
}

static void end_workbench(const workbench *w)
{
    int status;
    if (write(w->master, "\033[21~", 5) == 5)
        read_until(w->master, NULL, 200);
    waitpid(w->child, &status, 0);
    close(w->master);
}

static double key_ms(const workbench *w, const char *keys)
{
    enum { QUIET_MS = 20 };
    double start = now_ms();
    if (write(w->master, keys, strlen(keys)) < 0)
        return NAN;
    return read_until(w->master, NULL, QUIET_MS) - start;
}

static void bench_keys(int rows, int columns)
{
    enum { RUNS = 41 };
    static const struct {
        const char *there, *back, *what;
    } keys[] = {{"j", "k", "j, the next row"},
                {"M", "q", "M, all messages over the screen"},
                {"]", "u", "], everything estimated anew"}};
    workbench w;
    double times[RUNS];
    if (!start_workbench(rows, columns, &w))
        return;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        for (int run = 0; run < RUNS; run++) {
            times[run] = key_ms(&w, keys[i].there);
            key_ms(&w, keys[i].back);
        }
        printf("  %3dx%-3d %-38s %7.2f ms  goal 16\n", columns, rows, keys[i].what,
               median(times, RUNS));
    }
    end_workbench(&w);
}

/* The Edit screen, with what-ifs tried anew behind every edit. */
static void bench_edits(int rows, int columns)
{
    enum { RUNS = 15, WHATIFS_MS = 200 };
    static const struct {
        const char *there, *back, *what;
        int goal;
    } keys[] = {{"j", "k", "Edit: j, the next row", 16},
                {"+", "u", "Edit: +, more channels", 50},
                {"f", "u", "Edit: f, a stage fused", 50},
                {"a", "h", "Edit: a, prices of aligning", 50},
                {"F", "q", "Edit: F, what fusing everywhere gives", 50}};
    workbench w;
    double times[RUNS];
    if (!start_workbench(rows, columns, &w))
        return;
    key_ms(&w, "4jj");
    read_until(w.master, NULL, 2 * WHATIFS_MS);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        for (int run = 0; run < RUNS; run++) {
            times[run] = key_ms(&w, keys[i].there);
            read_until(w.master, NULL, WHATIFS_MS);
            key_ms(&w, keys[i].back);
            read_until(w.master, NULL, WHATIFS_MS);
        }
        printf("  %3dx%-3d %-38s %7.2f ms  goal %d\n", columns, rows, keys[i].what,
               median(times, RUNS), keys[i].goal);
    }
    end_workbench(&w);
}

/* From a key to the first byte of what it changes. */
static double first_byte_ms(const workbench *w, const char *keys)
{
    char bytes[65536];
    struct pollfd poller = {.fd = w->master, .events = POLLIN};
    while (poll(&poller, 1, 0) > 0 && read(w->master, bytes, sizeof bytes) > 0)
        continue;
    double start = now_ms();
    if (write(w->master, keys, strlen(keys)) < 0 || poll(&poller, 1, 1000) <= 0)
        return NAN;
    return now_ms() - start;
}

/* The probe moves while workers fill the panels and curate the space. A redraw of what they found,
 * at most ten a second, may be taken for the answer. */
static void bench_landscape_keys(int rows, int columns)
{
    enum { RUNS = 61, BETWEEN_US = 30000 };
    workbench w;
    double times[RUNS];
    if (!start_workbench(rows, columns, &w))
        return;
    key_ms(&w, "1");
    first_byte_ms(&w, "\r");
    for (int run = 0; run < RUNS; run++) {
        usleep(BETWEEN_US);
        times[run] = first_byte_ms(&w, run % 2 ? "h" : "l");
    }
    double middle = median(times, RUNS);
    printf("  %3dx%-3d %-38s %7.2f ms  goal 16  (90 %% within %.2f)\n", columns, rows,
           "Landscape: the probe, while it computes", middle, times[RUNS * 9 / 10]);
    end_workbench(&w);
}

/* Processor time in ms and the number of times that the process woke up. */
static void read_usage(pid_t pid, double *cpu_ms, long *wakes)
{
    char path[64], line[256];
    long user = 0, kernel = 0;
    *wakes = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user,
                       &kernel) != 2)
        user = kernel = 0;
    if (file)
        fclose(file);
    *cpu_ms = 1e3 * (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
            *wakes = strtol(line + 24, NULL, 10);
    if (file)
        fclose(file);
}

static void bench_start_and_idling(double yardstick)
{
    enum { RUNS = 21, IDLE_S = 10 };
    double times[RUNS], before_ms, after_ms;
    long before, after;
    workbench w;
    for (int i = 0; i < RUNS; i++) {
        if (!start_workbench(36, 120, &w))
            return;
        times[i] = w.first_paint_ms;
        end_workbench(&w);
    }
    double ms = median(times, RUNS);
    printf(
        "  start to first paint, demo, 120x36              %7.1f ms  goal 60   %.2f yardsticks\n",
        ms, ms / yardstick);
    if (!start_workbench(36, 120, &w))
        return;
    read_usage(w.child, &before_ms, &before);
    sleep(IDLE_S);
    read_usage(w.child, &after_ms, &after);
    printf("  idle for %d s                                   %7.1f ms of processor, %ld wake-ups, "
           "goal 0\n",
           IDLE_S, after_ms - before_ms, after - before);
    end_workbench(&w);
}

static void bench_lua(void)
{
    const char *program = getenv("NASW_BIN");
    char command[512];
    snprintf(command, sizeof command, "%s --script tests/lua/bench.lua",
             program ? program : "build/nasw");
    printf("\nscripts\n");
    fflush(stdout);
    if (system(command) != 0)
        printf("  the script failed\n");
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
    printf("\nthe workbench, key to the last byte on the terminal, median of 41\n");
    bench_keys(36, 120);
    bench_keys(60, 200);
    bench_edits(36, 120);
    bench_landscape_keys(36, 120);
    bench_start_and_idling(yardstick);
    bench_lua();
    bench_trees();
    bench_estimator();
    bench_edit();
    bench_candidate();
    bench_lift();
    bench_plan();
    bench_landscape();
    return 0;
}
