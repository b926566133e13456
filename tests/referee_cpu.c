#include "tests/referee_cpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/save.h"
#include "src/estimator/estimator.h"
#include "src/exec/exec.h"
#include "src/format/format.h"
#include "src/measure/measure.h"
#include "tests/support.h"

#define TABLE      "build/accuracy_cpu.csv"
#define MODEL      "build/accuracy_cpu.json"
#define N_NETWORKS 40

static const nw_estimator *fit_this_machine(const nw_hw *hw, nw_error *err)
{
    nw_sample_options plan = {.n_networks = N_NETWORKS};
    nw_buf text = {0};
    nw_table *table = NULL;
    nw_regression *r = NULL;
    nw_status status = nw_sample_shapes(hw, &plan, &text, err);
    nw_file *shapes = nw_file_from_bytes("the plan", nw_buf_text(&text), text.length);
    if (status == NW_OK)
        status = nw_measure_cpu(shapes, TABLE, NULL, NULL, NULL, err);
    if (status == NW_OK)
        status = nw_table_load(TABLE, &table, err);
    nw_fit_options o = {.target = "latency_us", .hw = hw};
    if (status == NW_OK)
        status = nw_fit(table, &o, &r, err);
    if (status == NW_OK) {
        const nw_fit_report *p = nw_regression_report(r);
        printf("  %s: %d kernels measured; out of fold %.1f %%, Spearman %.3f\n", p->device,
               p->n_rows, p->all.mape, p->all.spearman);
    }
    const nw_estimator *estimator = NULL;
    nw_buf_clear(&text);
    if (status == NW_OK) {
        nw_regression_write(r, &text);
        status = nw_save(MODEL, &text, NW_SAVE_REPLACE, err);
    }
    if (status == NW_OK)
        status = nw_estimator_open(MODEL, hw, "", &estimator, NULL, 0, err);
    nw_regression_release(r);
    nw_table_free(table);
    nw_file_release(shapes);
    nw_buf_fini(&text);
    return status == NW_OK ? estimator : NULL;
}

/* Of the kernels that were run: what the library lacks is in neither sum. */
static double sum_predicted(const nw_estimator *estimator, const nw_hw *hw,
                            const nw_kernels *kernels, const nw_exec_network_timing *timing)
{
    const nw_kernel_shape **shapes = malloc(((size_t)kernels->n_kernels + 1) * sizeof *shapes);
    nw_kernel_latency *latencies = malloc(((size_t)kernels->n_kernels + 1) * sizeof *latencies);
    double sum = 0;
    int n = 0;
    for (int i = 0; i < kernels->n_kernels; i++)
        if (timing->kernels[i].is_timed)
            shapes[n++] = &kernels->kernels[i].shape;
    nw_estimator_latencies(estimator, hw, shapes, n, latencies);
    for (int i = 0; i < n; i++)
        sum += (double)latencies[i].latency_ps / 1e6;
    free(shapes);
    free(latencies);
    return sum;
}

static double print_network(const nw_estimator *estimator, const nw_hw *hw, const char *model)
{
    char name[128];
    nw_graph *graph = NULL;
    nw_kernels *kernels = NULL;
    snprintf(name, sizeof name, "models/%s", model);
    const char *path = shared_path(name);
    double error = NAN;
    if (!path || nw_model_load(path, NULL, 0, &graph, NULL) != NW_OK)
        return error;
    if (nw_kernels_split(graph, hw, NULL, &kernels, NULL) == NW_OK) {
        nw_exec_network_timing timing;
        nw_error err;
        if (nw_exec_network(graph, kernels, NULL, NULL, &timing, &err) == NW_OK) {
            double predicted = sum_predicted(estimator, hw, kernels, &timing);
            error = 100 * (predicted / timing.total.min_us - 1);
            printf("  %-44s %9.1f us measured (+-%.0f %%), %9.1f predicted: %+.1f %%; %d of "
                   "%d kernels run\n",
                   model, timing.total.min_us, 100 * timing.total.spread, predicted, error,
                   timing.n_run, timing.n_kernels - timing.n_views);
            nw_exec_network_timing_fini(&timing);
        } else {
            printf("  %-44s %s: %s\n", model, err.where, err.message);
        }
        nw_kernels_free(kernels);
    }
    nw_graph_free(graph);
    return error;
}

void cpu_print_networks(void)
{
    static const char *const models[] = {"tv_mobilenet_v2_w035_224.onnx",
                                         "ultraface_slim_320.onnx",
                                         "yunet_n_320.onnx",
                                         "light_squeezenet.onnx",
                                         "person_detect_rpi.onnx",
                                         "mlperf_tiny_vww_96_float.tflite",
                                         "mobilenet_v2_1.0_224_quant.tflite",
                                         "mobilenet_v1_0.25_128_quant.tflite",
                                         "mlperf_tiny_resnet_int8.tflite",
                                         "mlperf_tiny_vww_96_int8.tflite",
                                         "person_detect.tflite",
                                         "deeplabv3_mnv2_dm05_pascal_quant.tflite"};
    nw_hw *hw;
    nw_error err;
    double sum = 0;
    int n = 0;
    if (nw_hw_load("cpu-onednn", "hw", &hw, &err) != NW_OK) {
        printf("  %s: %s\n", err.where, err.message);
        return;
    }
    const nw_estimator *estimator = fit_this_machine(hw, &err);
    if (!estimator)
        printf("  %s: %s\n", err.where, err.message);
    for (size_t i = 0; estimator && i < sizeof models / sizeof *models; i++) {
        double error = print_network(estimator, hw, models[i]);
        if (!isnan(error)) {
            sum += fabs(error);
            n++;
        }
    }
    if (n)
        printf("  mean error of %d networks: %.1f %%\n", n, sum / n);
    nw_estimator_release(estimator);
    nw_hw_free(hw);
}
