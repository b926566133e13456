/* Networks as PyTorch modules. Python, where it is there, parses the file and counts what its
 * constructors make, with modules of its own that know nothing but the sizes of their weights;
 * with PyTorch itself the file checks itself. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_net.h"
#include "tests/support_run.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

/* Stands for torch: the parameters of each layer by PyTorch's documentation, no arithmetic. Prints
 * the sum over different parameters and PARAMS of the file. */
static const char stub[] =
    "import ast, sys, types\n"
    "class Parameter:\n"
    "    def __init__(self, n, requires_grad=True): self.n = getattr(n, 'n', n)\n"
    "class Module:\n"
    "    def register_buffer(self, name, value): setattr(self, name, None)\n"
    "class Values:\n"
    "    def __init__(self, n): self.n = n\n"
    "    def reshape(self, *shape): return self\n"
    "def size(x):\n"
    "    n = 1\n"
    "    for d in (x if isinstance(x, tuple) else (x, x)): n *= d\n"
    "    return n\n"
    "def conv(side):\n"
    "    class Conv(Module):\n"
    "        def __init__(self, i, o, k, stride=1, padding=0, dilation=1, groups=1, bias=True,\n"
    "                     output_padding=0):\n"
    "            k = size(k) if side == 2 or isinstance(k, tuple) else k\n"
    "            assert i % groups == 0 and o % groups == 0\n"
    "            self.weight = Parameter(i // groups * o * k)\n"
    "            if bias: self.bias = Parameter(o)\n"
    "    return Conv\n"
    "class Linear(Module):\n"
    "    def __init__(self, i, o, bias=True):\n"
    "        self.weight = Parameter(i * o)\n"
    "        if bias: self.bias = Parameter(o)\n"
    "class Norm(Module):\n"
    "    def __init__(self, c, eps=1e-5, affine=True):\n"
    "        self.weight, self.bias = Parameter(c), Parameter(c)\n"
    "class PReLU(Module):\n"
    "    def __init__(self, n): self.weight = Parameter(n)\n"
    "class Plain(Module):\n"
    "    def __init__(self, *a, **k): pass\n"
    "torch, nn, F = (types.ModuleType(n) for n in ('torch', 'torch.nn', 'torch.nn.functional'))\n"
    "for name in 'float32 float64 int64 int32 int16 int8 uint8 bool'.split():\n"
    "    setattr(torch, name, name)\n"
    "torch.zeros = lambda shape, dtype=None: Values(size(shape))\n"
    "torch.tensor = lambda values, dtype=None: Values(len(values))\n"
    "nn.Module, nn.Parameter, nn.Linear, nn.PReLU = Module, Parameter, Linear, PReLU\n"
    "nn.Conv2d = nn.ConvTranspose2d = conv(2)\n"
    "nn.Conv1d = conv(1)\n"
    "nn.BatchNorm2d = nn.BatchNorm1d = nn.InstanceNorm2d = nn.InstanceNorm1d = Norm\n"
    "for name in 'ReLU ReLU6 Hardswish SiLU Sigmoid Hardsigmoid Tanh Identity ZeroPad2d'.split():\n"
    "    setattr(nn, name, Plain)\n"
    "torch.nn, nn.functional = nn, F\n"
    "sys.modules.update({'torch': torch, 'torch.nn': nn, 'torch.nn.functional': F})\n"
    "text = open(sys.argv[1]).read()\n"
    "ast.parse(text)\n"
    "space = {'__name__': 'written'}\n"
    "exec(compile(text, sys.argv[1], 'exec'), space)\n"
    "seen, todo = {}, [space['Network']()]\n"
    "while todo:\n"
    "    for value in vars(todo.pop()).values():\n"
    "        if isinstance(value, Parameter): seen[id(value)] = value.n\n"
    "        elif isinstance(value, Module): todo.append(value)\n"
    "print(sum(seen.values()), space['PARAMS'])\n";

static char *folder;

static void set_up(void)
{
    folder = folder_new();
}

static void tear_down(void)
{
    folder_free(folder);
}

static bool has_python(const char *module)
{
    char command[128];
    snprintf(command, sizeof command, "python3 -c 'import %s' >/dev/null 2>&1", module);
    return system(command) == 0;
}

/* The first line of what a command prints; "" if it fails. */
static void first_line(const char *command, char *line, size_t size)
{
    line[0] = '\0';
    FILE *pipe = popen(command, "r");
    if (!pipe || !fgets(line, (int)size, pipe))
        line[0] = '\0';
    if (pipe && pclose(pipe) != 0)
        line[0] = '\0';
}

static void check_module(const nw_graph *graph, const char *what)
{
    nw_buf text = {0};
    nw_error err;
    nw_counts counts;
    char command[1200], line[256];
    if (nw_pytorch_write(graph, &text, &err) != NW_OK)
        ck_abort_msg("%s: %s: %s", what, err.where, err.message);
    const char *path = folder_write(folder, "net.py", nw_buf_text(&text), text.length);
    const char *counter = folder_write(folder, "count.py", stub, sizeof stub - 1);
    nw_graph_count(graph, &counts);
    snprintf(command, sizeof command, "python3 %s %s 2>&1", counter, path);
    first_line(command, line, sizeof line);
    long long counted = -1, stated = -1;
    ck_assert_msg(sscanf(line, "%lld %lld", &counted, &stated) == 2, "%s: %s", what, line);
    ck_assert_msg(counted == counts.params && stated == counts.params,
                  "%s: %lld parameters in the modules, %lld stated, %lld in the network", what,
                  counted, stated, (long long)counts.params);
    if (has_python("torch")) {
        snprintf(command, sizeof command, "python3 %s 2>&1", path);
        first_line(command, line, sizeof line);
        ck_assert_msg(strstr(line, "parameters, outputs"), "%s: %s", what, line);
    }
    nw_buf_fini(&text);
}

static nw_graph *load(const char *what)
{
    nw_graph *graph = NULL;
    nw_error err;
    if (nw_model_load(what, NULL, 0, &graph, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return graph;
}

static void skip_without_python(void)
{
    printf("skipped: there is no python3\n");
}

static const char *const models[] = {
    "light_squeezenet.onnx",
    "mnist_cntk.onnx",
    "person_detect_rpi.onnx",
    "tv_lraspp_mobilenet_v3_small_256.onnx",
    "tv_mobilenet_v2_w035_224.onnx",
    "tv_mobilenet_v2_w035_224_qdq.onnx",
    "tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
    "ultraface_slim_320.onnx",
    "yunet_n_320.onnx",
    "blazeface_short_range.tflite",
    "deeplabv3_mnv2_dm05_pascal_quant.tflite",
    "mcunet_person_det.tflite",
    "mcunet_vww.tflite",
    "mlperf_tiny_resnet_int8.tflite",
    "mlperf_tiny_vww_96_float.tflite",
    "mobilenet_v1_0.25_128_quant.tflite",
    "mobilenet_v2_1.0_224_quant.tflite",
    "person_detect_rpi_fp16.tflite",
    "selfie_segmentation_256.tflite",
    "ultraface_slim_320.tflite",
};

START_TEST(a_real_network_keeps_its_parameters)
{
    char name[128];
    snprintf(name, sizeof name, "models/%s", models[_i]);
    const char *path = shared_path(name);
    if (!has_python("ast")) {
        skip_without_python();
        return;
    }
    if (!path)
        return;
    nw_graph *graph = load(path);
    check_module(graph, models[_i]);
    nw_graph_free(graph);
}
END_TEST

START_TEST(block_strings_keep_their_parameters)
{
    static const char *const texts[] = {
        "demo",
        "cn_r1_k3_s2_c32 er_r2_k3_s2_e4_c24_noskip ir_r2_k3_s2_e6_c24_se0.25_nhs ds_r2_k3_s1_c24",
        "cn_r1_k3_s2_c16 uir_r1_a3_k5_s2_e4_c64 tu_r2_k3_s1_ir0.25_or0.75_c64 dsa_r1_k3_s1_c24",
        "cn_r1_k3_s2_c32 ir_r1_k3.5.7_s1_e6_c24_nmi_se0.25 er_r1_k3_s1_e4_c64_gs16 "
        "ir_r2_k3_s1_e2_c64_gs32",
    };
    if (!has_python("ast")) {
        skip_without_python();
        return;
    }
    nw_graph *graph = load(texts[_i]);
    check_module(graph, texts[_i]);
    nw_graph_free(graph);
}
END_TEST

static bool writes(const nw_graph *graph, const char *part)
{
    nw_buf text = {0};
    nw_error err;
    if (nw_pytorch_write(graph, &text, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    bool is_there = strstr(nw_buf_text(&text), part) != NULL;
    nw_buf_fini(&text);
    return is_there;
}

/* Sandler et al. 2018, table 2, and timm's names of the others. */
START_TEST(blocks_are_objects_of_the_class_that_they_are)
{
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"cn_r1_k3_s2_c16 ir_r1_k3_s2_e6_c24_nr6",
         "InvertedResidual(16, 96, 24, kernel=3, stride=2, act=nn.ReLU6)"},
        {"cn_r1_k3_s2_c16 ir_r1_k5_s1_e6_c16_se0.25_nhs",
         "InvertedResidual(16, 96, 16, kernel=5, act=nn.Hardswish, squeeze=SqueezeExcite(96, 4, "
         "nn.Hardswish, nn.Sigmoid, norm=False), residual=True)"},
        {"cn_r1_k3_s2_c16 er_r1_k3_s2_e4_c24",
         "FusedInvertedResidual(16, 64, 24, kernel=3, stride=2, act=nn.ReLU)"},
        {"cn_r1_k3_s2_c16 ds_r1_k3_s1_c24 cn_r1_k1_s1_c8",
         "DepthwiseSeparable(16, 24, kernel=3, act=nn.ReLU)"},
        {"cn_r1_k3_s2_c16 tu_r1_k3_s1_ir0.5_or0.75_c32",
         "TuckerResidual(16, 8, 24, 32, kernel=3, act=nn.ReLU)"},
        {"cn_r1_k3_s2_c16", "ConvNormAct(3, 16, kernel=3, stride=2, act=nn.ReLU)"},
    };
    for (int i = 0; i < N_OF(rows); i++) {
        nw_graph *graph = load(rows[i].text);
        ck_assert_msg(writes(graph, rows[i].part), "%s: no %s", rows[i].text, rows[i].part);
        ck_assert(writes(graph, "The weights are not included"));
        nw_graph_free(graph);
    }
}
END_TEST

/* A map that somebody else reads too cannot stay inside an object. */
START_TEST(a_block_whose_inside_is_read_elsewhere_is_written_in_parts)
{
    net n = net_begin(32, 32, 16, NW_DTYPE_FLOAT32);
    net_conv(&n, 96, 1, 1, 1, 1, NW_ACT_RELU6);
    nw_tensor_id inside = n.at;
    net_depthwise(&n, 3, 1, NW_ACT_RELU6);
    net_conv(&n, 24, 1, 1, 1, 1, NW_ACT_NONE);
    nw_graph_add_output(n.graph, inside);
    nw_graph *graph = net_end(&n);
    ck_assert(!writes(graph, "InvertedResidual(16"));
    ck_assert(writes(graph, "ConvNormAct(16, 96, norm=False, act=nn.ReLU6)"));
    if (has_python("ast"))
        check_module(graph, "two outputs");
    nw_graph_free(graph);
}
END_TEST

START_TEST(names_of_a_file_are_no_code)
{
    net n = net_begin(8, 8, 4, NW_DTYPE_FLOAT32);
    net_unary(&n, NW_OP_RELU);
    n.graph->nodes[0].name = "relu\n        import os  # \"\"\"";
    n.graph->name = "\"\"\"\nimport os\n\\";
    nw_graph *graph = net_end(&n);
    ck_assert(!writes(graph, "\nimport os") && !writes(graph, "\n        import os"));
    if (has_python("ast"))
        check_module(graph, "hostile names");
    nw_graph_free(graph);
}
END_TEST

START_TEST(what_has_no_form_in_pytorch_is_refused_by_name)
{
    const char *path = shared_path("models/mobilenet_v1_0.25_128_quant_edgetpu.tflite");
    nw_buf text = {0};
    nw_error err;
    if (!path)
        return;
    nw_graph *graph = load(path);
    ck_assert_int_eq(nw_pytorch_write(graph, &text, &err), NW_UNSUPPORTED);
    ck_assert_msg(strstr(err.message, "edgetpu-custom-op"), "%s", err.message);
    ck_assert_uint_eq(text.length, 0);
    nw_graph_free(graph);
}
END_TEST

static Suite *pytorch_suite(void)
{
    Suite *suite = suite_create("pytorch");
    TCase *test = tcase_create("pytorch");
    tcase_add_checked_fixture(test, set_up, tear_down);
    tcase_set_timeout(test, 120);
    tcase_add_loop_test(test, a_real_network_keeps_its_parameters, 0, N_OF(models));
    tcase_add_loop_test(test, block_strings_keep_their_parameters, 0, 4);
    tcase_add_test(test, blocks_are_objects_of_the_class_that_they_are);
    tcase_add_test(test, a_block_whose_inside_is_read_elsewhere_is_written_in_parts);
    tcase_add_test(test, names_of_a_file_are_no_code);
    tcase_add_test(test, what_has_no_form_in_pytorch_is_refused_by_name);
    suite_add_tcase(suite, test);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(pytorch_suite());
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
