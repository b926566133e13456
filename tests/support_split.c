#include "tests/support_split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "tests/support.h"

const char *const model_files[] = {"blazeface_short_range.tflite",
                                   "deeplabv3_mnv2_dm05_pascal_quant.tflite",
                                   "light_squeezenet.onnx",
                                   "mcunet_person_det.tflite",
                                   "mcunet_vww.tflite",
                                   "mlperf_tiny_resnet_int8.tflite",
                                   "mlperf_tiny_vww_96_float.tflite",
                                   "mlperf_tiny_vww_96_int8.tflite",
                                   "mnist_cntk.onnx",
                                   "mobilenet_v1_0.25_128_quant.tflite",
                                   "mobilenet_v1_0.25_128_quant_edgetpu.tflite",
                                   "mobilenet_v2_1.0_224_quant.tflite",
                                   "person_detect.tflite",
                                   "person_detect_rpi.onnx",
                                   "person_detect_rpi_fp16.tflite",
                                   "selfie_segmentation_256.tflite",
                                   "tv_lraspp_mobilenet_v3_small_256.onnx",
                                   "tv_mobilenet_v2_w035_224.onnx",
                                   "tv_mobilenet_v2_w035_224_qdq.onnx",
                                   "tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
                                   "ultraface_slim_320.onnx",
                                   "ultraface_slim_320.tflite",
                                   "yunet_n_320.onnx",
                                   NULL};

static _Noreturn void give_up(const nw_error *err)
{
    fprintf(stderr, "%s: %s\n", err->where, err->message);
    abort();
}

nw_hw *load_hw(const char *name)
{
    nw_hw *hw;
    nw_error err;
    if (nw_hw_load(name, "hw", &hw, &err) != NW_OK)
        give_up(&err);
    return hw;
}

nw_graph *load_model(const char *file)
{
    char relative[256];
    snprintf(relative, sizeof relative, "models/%s", file);
    const char *path = shared_path(relative);
    nw_graph *graph;
    nw_error err;
    if (!path)
        return NULL;
    if (nw_model_load(path, NULL, 0, &graph, &err) != NW_OK)
        give_up(&err);
    return graph;
}

nw_kernels *split_on(const nw_graph *graph, const nw_hw *hw, const char *precision)
{
    nw_kernels *kernels;
    nw_error err;
    if (nw_kernels_split(graph, hw, precision, &kernels, &err) != NW_OK)
        give_up(&err);
    return kernels;
}

const char *kernel_list(const nw_kernels *kernels)
{
    static char text[2048];
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < kernels->n_kernels && used < sizeof text; i++) {
        char name[64];
        if (kernels->kernels[i].shape.parts[0].kind == NW_KERNEL_VIEW)
            continue;
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "",
                             nw_kernel_shape_name(&kernels->kernels[i].shape, name, sizeof name));
    }
    return text;
}

const nw_kernel *kernel_of_kind(const nw_kernels *kernels, nw_kernel_kind kind)
{
    for (int i = 0; i < kernels->n_kernels; i++)
        if (kernels->kernels[i].shape.parts[0].kind == kind)
            return &kernels->kernels[i];
    fprintf(stderr, "no %s kernel\n", nw_kernel_kind_name(kind));
    abort();
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static void random_layer(net *n, unsigned r, unsigned size)
{
    static const nw_op ops[] = {NW_OP_SIGMOID, NW_OP_HARD_SWISH, NW_OP_RELU, NW_OP_TANH};
    net before = *n;
    int width = 4 + (int)(size % 40);
    nw_act act = r & 64 ? NW_ACT_RELU6 : NW_ACT_NONE;
    int stride = r & 128 && n->h > 4 ? 2 : 1;
    switch (r % 10) {
    case 0:
    case 1:
        net_conv(n, width, 3, 3, stride, stride, act);
        break;
    case 2:
        net_conv(n, width, 1, 1, 1, 1, act);
        break;
    case 3:
        net_depthwise(n, 3, stride, act);
        break;
    case 4:
        net_inverted_bottleneck(n, n->c, 3, 3, 1, r & 64 ? 4 : 0);
        break;
    case 5:
        net_unary(n, ops[size % 4]);
        break;
    case 6: /* two branches that meet in a sum */
        net_conv(n, before.c, 3, 3, 1, 1, act);
        net_add(n, before.at, NW_ACT_NONE);
        break;
    case 7: /* x * sigmoid(x) */
        net_unary(n, NW_OP_SIGMOID);
        net_mul(n, before.at);
        break;
    case 8: /* two branches side by side */
        net_conv(n, width, 1, 1, 1, 1, act);
        net_concat(n, before.at, 3);
        n->c += before.c;
        break;
    default:
        net_pad(n, 1, 1, 1, 1);
        if (r & 256)
            net_conv(n, width, 3, 3, 1, 1, act);
    }
}

nw_graph *random_net(unsigned seed, nw_dtype dtype)
{
    unsigned state = seed * 2654435761u + 1;
    int side = 8 + (int)(next_random(&state) % 40);
    net n = net_begin(side, side, 3 + (int)(next_random(&state) % 14), dtype);
    int n_layers = 3 + (int)(next_random(&state) % 12);
    for (int i = 0; i < n_layers; i++) {
        unsigned r = next_random(&state);
        random_layer(&n, r, next_random(&state));
    }
    if (next_random(&state) & 1) {
        net_global_pool(&n);
        net_fc(&n, 10, NW_ACT_NONE);
        net_softmax(&n);
    }
    return net_end(&n);
}
