#include "tests/support_models.h"

#include <stdio.h>

#include "src/format/format.h"
#include "tests/support.h"

static const lift_model models[] = {
    {"blazeface_short_range.tflite", false},
    {"deeplabv3_mnv2_dm05_pascal_quant.tflite", true},
    {"light_squeezenet.onnx", false},
    {"mcunet_person_det.tflite", true},
    {"mcunet_vww.tflite", true},
    {"mlperf_tiny_resnet_int8.tflite", false},
    {"mlperf_tiny_vww_96_float.tflite", false},
    {"mlperf_tiny_vww_96_int8.tflite", false},
    {"mnist_cntk.onnx", false},
    {"mobilenet_v1_0.25_128_quant.tflite", false},
    {"mobilenet_v1_0.25_128_quant_edgetpu.tflite", false},
    {"mobilenet_v2_1.0_224_quant.tflite", true},
    {"person_detect.tflite", false},
    {"person_detect_rpi.onnx", false},
    {"person_detect_rpi_fp16.tflite", false},
    {"selfie_segmentation_256.tflite", true},
    {"tv_lraspp_mobilenet_v3_small_256.onnx", true},
    {"tv_mobilenet_v2_w035_224.onnx", true},
    {"tv_mobilenet_v2_w035_224_qdq.onnx", true},
    {"tv_ssdlite320_mobilenet_v3_large_2cls.onnx", true},
    {"ultraface_slim_320.onnx", false},
    {"ultraface_slim_320.tflite", false},
    {"yunet_n_320.onnx", false},
};

const lift_model *lift_models(int *n)
{
    *n = (int)(sizeof models / sizeof *models);
    return models;
}

const nw_arch *lift_model_file(const char *name)
{
    char relative[128];
    nw_graph *graph;
    nw_error err;
    snprintf(relative, sizeof relative, "models/%s", name);
    const char *path = shared_path(relative);
    if (!path)
        return NULL;
    if (nw_model_load(path, NULL, 0, &graph, &err) == NW_OK)
        return nw_arch_lift(graph);
    fprintf(stderr, "%s: %s\n", err.where, err.message);
    return NULL;
}

double lift_share_of_several(const nw_arch *arch)
{
    int n;
    int64_t macs = 0, all = 0;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    for (int i = 0; i < n; i++) {
        int n_parts = 0;
        for (int role = 0; role < NW_PART_COUNT; role++)
            n_parts += blocks[i].parts[role].conv != NW_NONE;
        all += blocks[i].macs;
        macs += n_parts > 1 ? blocks[i].macs : 0;
    }
    return all ? (double)macs / (double)all : 0;
}
