/* Channel groups, widths and resolutions of real models: whatever number a group takes, the network
 * stays one; published networks come out where others published them.
 */
#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/group.h"
#include "src/base/arena.h"
#include "src/base/rng.h"
#include "src/format/format.h"
#include "tests/support.h"

enum { MAX_MODELS = 64, TRIES = 3 };

typedef struct model {
    char name[128];
    nw_graph *graph;
    nw_groups *groups;
    const nw_channel_group *list;
    int n;
} model;

static bool load(const char *name, model *out)
{
    char relative[192];
    nw_error err;
    snprintf(relative, sizeof relative, "models/%s", name);
    const char *path = shared_path(relative);
    if (!path)
        return false;
    snprintf(out->name, sizeof out->name, "%s", name);
    if (nw_model_load(path, NULL, 0, &out->graph, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    out->groups = nw_groups_find(out->graph);
    out->list = nw_groups_list(out->groups, &out->n);
    return true;
}

static void drop(model *m)
{
    nw_groups_free(m->groups);
    nw_graph_free(m->graph);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int list_models(char names[][128])
{
    const char *folder = shared_path("models");
    DIR *dir = folder ? opendir(folder) : NULL;
    int n = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir)) && n < MAX_MODELS;) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot && (strcmp(dot, ".onnx") == 0 || strcmp(dot, ".tflite") == 0))
            snprintf(names[n++], 128, "%.120s", entry->d_name);
    }
    if (dir)
        closedir(dir);
    qsort(names, (size_t)n, 128, compare_names);
    return n;
}

/* ---- an account of our own ---- */

/* Channels of a tensor of rank 4, by the order of the convolutions. */
static int64_t channels(const nw_graph *graph, nw_tensor_id id)
{
    const nw_shape *shape = &graph->tensors[id].shape;
    return shape->dims[graph->layout == NW_LAYOUT_NCHW ? 1 : 3];
}

/* Multiply-accumulates from weights and outputs alone: every weight of a filter works once for
 * every element of the output that its filter makes; and all sizes that meet fit. */
static int64_t account(const nw_graph *graph, const char *what)
{
    int64_t macs = 0;
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_node *node = &graph->nodes[id];
        if (node->op != NW_OP_CONV2D)
            continue;
        const nw_shape *w = &graph->tensors[node->inputs[1]].shape;
        const nw_shape *out = &graph->tensors[node->outputs[0]].shape;
        int layout = node->attrs.weight_layout;
        int64_t in_c = channels(graph, node->inputs[0]), out_c = channels(graph, node->outputs[0]);
        int64_t o = layout == NW_WEIGHTS_HWIO ? w->dims[3] : w->dims[0];
        int64_t i = layout == NW_WEIGHTS_HWIO   ? 1
                    : layout == NW_WEIGHTS_OHWI ? w->dims[3]
                                                : w->dims[1];
        ck_assert_msg(o == out_c && i * node->attrs.groups == in_c && o % node->attrs.groups == 0,
                      "%s: %s: %d of %d channels from %d in %d groups", what, node->name, (int)o,
                      (int)out_c, (int)in_c, node->attrs.groups);
        if (node->n_inputs > 2 && node->inputs[2] != NW_NONE)
            ck_assert_int_eq(nw_shape_elements(&graph->tensors[node->inputs[2]].shape), o);
        macs += nw_shape_elements(out) * (nw_shape_elements(w) / o);
    }
    return macs;
}

static void check_ends(const nw_graph *old, const nw_graph *graph)
{
    for (int i = 0; i < old->n_inputs; i++)
        ck_assert(nw_shape_equal(&old->tensors[old->inputs[i]].shape,
                                 &graph->tensors[graph->inputs[i]].shape));
    for (int i = 0; i < old->n_outputs; i++)
        ck_assert(nw_shape_equal(&old->tensors[old->outputs[i]].shape,
                                 &graph->tensors[graph->outputs[i]].shape));
    for (nw_tensor_id id = 0; id < old->n_tensors; id++)
        ck_assert_int_eq(old->tensors[id].shape.rank, graph->tensors[id].shape.rank);
}

/* What an axis of the group should be now. */
static void check_members(const model *m, const nw_graph *graph, int group, int64_t n)
{
    const nw_channel_group *g = &m->list[group];
    for (int i = 0; i < g->n_members; i++) {
        const struct nw_group_member *at = &g->members[i];
        if (graph->nodes == NULL || at->is_part || m->graph->tensors[at->tensor].is_const)
            continue;
        ck_assert_int_eq(graph->tensors[at->tensor].shape.dims[at->axis],
                         at->factor * n / at->divisor);
    }
}

static nw_graph *resize(const model *m, const nw_resize *sizes, int n)
{
    nw_error err;
    nw_graph *out;
    if (nw_resize_groups(m->groups, sizes, n, &out, &err) != NW_OK)
        ck_abort_msg("%s: %s: %s", m->name, err.where, err.message);
    return out;
}

static int64_t random_number(nw_rng *rng, const nw_channel_group *g, int64_t least)
{
    return nw_rng_range(rng, least, 2 * g->n / g->multiple + 1) * g->multiple;
}

START_TEST(any_number_for_any_group_of_any_model_leaves_it_whole)
{
    char names[MAX_MODELS][128];
    int n_models = list_models(names);
    for (int k = 0; k < n_models; k++) {
        model m;
        ck_assert(load(names[k], &m));
        nw_rng rng = nw_rng_make(5, (uint64_t)k);
        nw_counts before, after;
        nw_graph_count(m.graph, &before);
        int n_fixed = 0;
        int64_t macs = account(m.graph, m.name);
        for (int i = 0; i < m.n; i++) {
            n_fixed += m.list[i].is_fixed;
            for (int t = 0; t < TRIES && !m.list[i].is_fixed; t++) {
                nw_resize size = {i, random_number(&rng, &m.list[i], 1)};
                nw_graph *graph = resize(&m, &size, 1);
                check_ends(m.graph, graph);
                check_members(&m, graph, i, size.n);
                nw_graph_count(graph, &after);
                int way = (size.n > m.list[i].n) - (size.n < m.list[i].n);
                ck_assert_msg(
                    (after.macs > before.macs) - (after.macs < before.macs) == way &&
                        (after.params > before.params) - (after.params < before.params) == way,
                    "%s: %s: %d of %d channels, %lld of %lld MACs", m.name, m.list[i].name,
                    (int)size.n, (int)m.list[i].n, (long long)after.macs, (long long)before.macs);
                int64_t own = account(graph, m.name); /* convolutions alone */
                ck_assert_int_le(own, after.macs);
                if (macs == before.macs)
                    ck_assert_int_eq(own, after.macs);
                nw_graph_free(graph);
            }
        }
        printf("  %s: %d groups free, %d fixed\n", m.name, m.n - n_fixed, n_fixed);
        drop(&m);
    }
}
END_TEST

START_TEST(random_numbers_for_all_groups_at_once_leave_every_model_whole)
{
    char names[MAX_MODELS][128];
    int n_models = list_models(names);
    for (int k = 0; k < n_models; k++) {
        model m;
        ck_assert(load(names[k], &m));
        nw_rng rng = nw_rng_make(9, (uint64_t)k);
        nw_resize *sizes = nw_alloc(((size_t)m.n + 1) * sizeof *sizes);
        for (int t = 0; t < 10; t++) {
            int n = 0; /* a depthwise convolution of one channel could be an ordinary one */
            for (int i = 0; i < m.n; i++)
                if (!m.list[i].is_fixed)
                    sizes[n++] = (nw_resize){i, random_number(&rng, &m.list[i], 2)};
            nw_graph *graph = resize(&m, sizes, n);
            check_ends(m.graph, graph);
            account(graph, m.name);
            /* and again from there, back to the old numbers: the same sizes everywhere */
            nw_groups *again = nw_groups_find(graph);
            int n_again;
            const nw_channel_group *list = nw_groups_list(again, &n_again);
            ck_assert_msg(n_again == m.n, "%s: %d groups, not %d", m.name, n_again, m.n);
            n = 0;
            for (int i = 0; i < m.n; i++) {
                ck_assert_str_eq(list[i].name, m.list[i].name);
                if (!m.list[i].is_fixed)
                    sizes[n++] = (nw_resize){i, m.list[i].n};
            }
            nw_graph *back;
            nw_error err;
            ck_assert_int_eq(nw_resize_groups(again, sizes, n, &back, &err), NW_OK);
            for (nw_tensor_id id = 0; id < m.graph->n_tensors; id++)
                ck_assert(nw_shape_equal(&m.graph->tensors[id].shape, &back->tensors[id].shape) ||
                          m.graph->tensors[id].is_const);
            nw_groups_free(again);
            nw_graph_free(graph);
            nw_graph_free(back);
        }
        free(sizes);
        drop(&m);
    }
}
END_TEST

/* ---- values ---- */

/* Whether bytes of `small` are those of `big` at the same indices, which are its first. */
static bool is_prefix(const uint8_t *big, const nw_shape *big_shape, const uint8_t *small,
                      const nw_shape *small_shape, size_t each)
{
    int64_t n = nw_shape_elements(small_shape);
    for (int64_t i = 0; i < n; i++) {
        int64_t rest = i, offset = 0, stride = 1;
        for (int axis = small_shape->rank - 1; axis >= 0; axis--) {
            offset += rest % small_shape->dims[axis] * stride;
            rest /= small_shape->dims[axis];
            stride *= big_shape->dims[axis];
        }
        if (memcmp(small + (size_t)i * each, big + (size_t)offset * each, each) != 0)
            return false;
    }
    return true;
}

static int check_prefixes(const model *m, const nw_graph *narrow, int group)
{
    const nw_channel_group *g = &m->list[group];
    int n_checked = 0;
    for (int i = 0; i < g->n_members; i++) {
        nw_tensor_id id = g->members[i].tensor;
        const nw_tensor *old = &m->graph->tensors[id], *new = &narrow->tensors[id];
        bool is_plain = true;
        for (int k = 0; k < g->n_members; k++)
            if (g->members[k].tensor == id)
                is_plain &= g->members[k].factor == g->members[k].divisor && !g->members[k].is_part;
        size_t each = (size_t)nw_dtype_bits(old->dtype) / 8, n_old, n_new;
        if (!is_plain || !new->edited || !old->data || each == 0)
            continue;
        void *a, *b;
        nw_dtype dtype;
        ck_assert_int_eq(nw_tensor_values(old, 0, &a, &n_old, &dtype, NULL), NW_OK);
        ck_assert_int_eq(nw_tensor_values(new, 0, &b, &n_new, &dtype, NULL), NW_OK);
        ck_assert_uint_eq(n_new, (size_t)nw_shape_elements(&new->shape) * each);
        ck_assert_msg(is_prefix(a, &old->shape, b, &new->shape, each), "%s: %s", m->name,
                      old->name);
        ck_assert_int_eq(nw_tensor_new_elements(new), 0);
        free(a);
        free(b);
        n_checked++;
    }
    return n_checked;
}

START_TEST(fewer_channels_are_the_first_ones_to_the_last_byte)
{
    char names[MAX_MODELS][128];
    int n_models = list_models(names), n_checked = 0;
    for (int k = 0; k < n_models; k++) {
        model m;
        ck_assert(load(names[k], &m));
        for (int i = 0; i < m.n; i++) {
            int64_t n = m.list[i].n / m.list[i].multiple / 2 * m.list[i].multiple;
            if (m.list[i].is_fixed || n < 1)
                continue;
            nw_resize size = {i, n};
            nw_graph *graph = resize(&m, &size, 1);
            n_checked += check_prefixes(&m, graph, i);
            nw_graph_free(graph);
        }
        drop(&m);
    }
    ck_assert(n_models == 0 || n_checked > 500);
}
END_TEST

/* ---- what an expert knows ---- */

static int count_free(const model *m)
{
    int n = 0;
    for (int i = 0; i < m->n; i++)
        n += !m->list[i].is_fixed;
    return n;
}

START_TEST(a_mobilenet_v2_has_its_expansions_and_its_residual_chains)
{
    /* Sandler et al. 2018, table 2: the stem, 17 bottlenecks of which 16 expand by 6, 7 widths and
     * the last 1280 channels; 1001 classes and the image are fixed. */
    static const struct {
        int64_t channels;
        int n;
    } expected[] = {{16, 1},   {24, 1},  {64, 1},  {160, 1}, {320, 1},
                    {1280, 1}, {32, 2},  {96, 2}, /* a width and the first expansion */
                    {144, 2},  {192, 3}, {384, 4}, {576, 3}, {960, 3}};
    model m;
    if (!load("mobilenet_v2_1.0_224_quant.tflite", &m))
        return;
    ck_assert_int_eq(count_free(&m), 9 + 16);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        int n = 0;
        for (int k = 0; k < m.n; k++)
            n += m.list[k].n == expected[i].channels && !m.list[k].is_fixed;
        ck_assert_msg(n == expected[i].n, "%d groups of %d", n, (int)expected[i].channels);
    }
    drop(&m);
}
END_TEST

START_TEST(predictors_of_boxes_are_fixed_in_every_detector)
{
    /* Channels of the convolutions before the reshapes: boxes and scores of each anchor. */
    static const struct {
        const char *model;
        int64_t channels[2];
        int n;
    } detectors[] = {{"tv_ssdlite320_mobilenet_v3_large_2cls.onnx", {24, 12}, 12},
                     {"blazeface_short_range.tflite", {2, 6}, 2},
                     {"ultraface_slim_320.onnx", {6, 12}, 4}};
    for (size_t k = 0; k < sizeof detectors / sizeof *detectors; k++) {
        model m;
        int n = 0;
        if (!load(detectors[k].model, &m))
            return;
        for (int i = 0; i < m.n; i++) {
            bool is_predictor = m.list[i].is_fixed && (m.list[i].n == detectors[k].channels[0] ||
                                                       m.list[i].n == detectors[k].channels[1]);
            n += is_predictor;
            if (m.list[i].is_fixed)
                ck_assert(strlen(m.list[i].why) > 0);
        }
        ck_assert_msg(n >= detectors[k].n, "%s: %d", m.name, n);
        drop(&m);
    }
}
END_TEST

/* ---- width ---- */

START_TEST(numbers_are_rounded_as_make_divisible_rounds_them)
{
    /* MobileNetV2 of width 0.35 and 1.4 as torchvision and TensorFlow build them, and v3's. */
    static const struct {
        int64_t n, divisor, multiple, expected;
        double factor;
    } cases[] = {{32, 8, 1, 16, 0.35},   {16, 8, 1, 8, 0.35},     {24, 8, 1, 8, 0.35},
                 {64, 8, 1, 24, 0.35},   {96, 8, 1, 32, 0.35},    {160, 8, 1, 56, 0.35},
                 {320, 8, 1, 112, 0.35}, {32, 8, 1, 48, 1.4},     {24, 8, 1, 32, 1.4},
                 {160, 8, 1, 224, 1.4},  {1280, 8, 1, 1792, 1.4}, {3, 8, 1, 3, 0.5},
                 {58, 8, 2, 32, 0.5},    {128, 8, 64, 128, 0.6},  {116, 1, 2, 58, 0.5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_channel_group group = {.n = cases[i].n, .multiple = cases[i].multiple};
        ck_assert_int_eq(nw_group_divisible(&group, cases[i].factor, cases[i].divisor),
                         cases[i].expected);
    }
}
END_TEST

/* Millions of MACs and parameters: Howard et al. 2017, tables 6 and 7; for V2 those published with
 * the checkpoints (tensorflow/models, research/slim/nets/mobilenet/README.md). */
static void check_published(const char *name, double width, int size, double macs, double params)
{
    model m;
    nw_error err;
    nw_graph *wide, *graph;
    nw_counts counts;
    if (!load(name, &m))
        return;
    if (nw_resize_width(m.groups, width, 8, &wide, &err) != NW_OK ||
        nw_resize_resolution(wide, size, size, &graph, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    nw_graph_count(graph, &counts);
    ck_assert_msg(fabs((double)counts.macs / 1e6 - macs) <= 0.6 + 0.005 * macs,
                  "%s x %g at %d: %.1f of %g million MACs", name, width, size,
                  (double)counts.macs / 1e6, macs);
    if (params > 0)
        ck_assert_msg(fabs((double)counts.params / 1e6 - params) <= 0.051,
                      "%s x %g: %.3f of %g million parameters", name, width,
                      (double)counts.params / 1e6, params);
    nw_graph_free(wide);
    nw_graph_free(graph);
    drop(&m);
}

START_TEST(published_widths_and_resolutions_come_out_of_one_file)
{
    check_published("mobilenet_v1_0.25_128_quant.tflite", 1, 224, 41, 0.5);
    check_published("mobilenet_v1_0.25_128_quant.tflite", 2, 224, 149, 1.3);
    check_published("mobilenet_v1_0.25_128_quant.tflite", 3, 224, 325, 2.6);
    check_published("mobilenet_v1_0.25_128_quant.tflite", 4, 224, 569, 4.2);
    check_published("mobilenet_v1_0.25_128_quant.tflite", 4, 192, 418, 4.2);
    check_published("mobilenet_v1_0.25_128_quant.tflite", 4, 160, 290, 4.2);
    check_published("mobilenet_v1_0.25_128_quant.tflite", 4, 128, 186, 4.2);
    check_published("mobilenet_v2_1.0_224_quant.tflite", 1, 192, 221, 0);
    check_published("mobilenet_v2_1.0_224_quant.tflite", 1, 160, 154, 0);
    check_published("mobilenet_v2_1.0_224_quant.tflite", 1, 128, 99, 0);
    check_published("mobilenet_v2_1.0_224_quant.tflite", 1, 96, 56, 0);
}
END_TEST

/* ---- resolution ---- */

START_TEST(the_same_resolution_changes_nothing_and_another_no_weight)
{
    char names[MAX_MODELS][128];
    int n_models = list_models(names), n_scaled = 0;
    for (int k = 0; k < n_models; k++) {
        model m;
        nw_error err;
        nw_graph *graph;
        nw_counts before, after;
        ck_assert(load(names[k], &m));
        const nw_shape *in = &m.graph->tensors[m.graph->inputs[0]].shape;
        bool is_nchw = in->dims[1] < in->dims[3];
        int64_t h = in->dims[is_nchw ? 2 : 1], w = in->dims[is_nchw ? 3 : 2];
        nw_graph_count(m.graph, &before);
        nw_status status = nw_resize_resolution(m.graph, h, w, &graph, &err);
        if (status == NW_OK) {
            for (nw_tensor_id id = 0; id < m.graph->n_tensors; id++)
                ck_assert(nw_shape_equal(&m.graph->tensors[id].shape, &graph->tensors[id].shape));
            nw_graph_free(graph);
        }
        if (nw_resize_resolution(m.graph, 2 * h, 2 * w, &graph, &err) == NW_OK) {
            nw_graph_count(graph, &after);
            ck_assert_int_eq(after.params, before.params);
            ck_assert_double_ge((double)after.macs, 3.5 * (double)before.macs);
            ck_assert_double_le((double)after.macs, 4.4 * (double)before.macs);
            nw_graph_free(graph);
            n_scaled++;
        } else {
            printf("  %s: %s: %s\n", m.name, err.where, err.message);
        }
        drop(&m);
    }
    ck_assert(n_models == 0 || n_scaled >= n_models - 2);
}
END_TEST

START_TEST(a_segmentation_returns_to_the_size_of_its_image)
{
    static const char *const names[] = {"tv_lraspp_mobilenet_v3_small_256.onnx",
                                        "deeplabv3_mnv2_dm05_pascal_quant.tflite",
                                        "selfie_segmentation_256.tflite"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        model m;
        nw_error err;
        nw_graph *graph;
        if (!load(names[k], &m))
            return;
        if (nw_resize_resolution(m.graph, 320, 256, &graph, &err) != NW_OK)
            ck_abort_msg("%s: %s: %s", names[k], err.where, err.message);
        const nw_shape *out = &graph->tensors[graph->outputs[0]].shape;
        int h = graph->layout == NW_LAYOUT_NCHW ? 2 : 1;
        ck_assert_int_eq(out->dims[h], 320);
        ck_assert_int_eq(out->dims[h + 1], 256);
        nw_graph_free(graph);
        drop(&m);
    }
}
END_TEST

START_TEST(a_constant_that_fits_one_resolution_alone_is_named)
{
    model m;
    nw_error err;
    nw_graph *graph;
    if (!load("mnist_cntk.onnx", &m))
        return;
    ck_assert_int_eq(nw_resize_resolution(m.graph, 56, 56, &graph, &err), NW_INVALID);
    ck_assert_str_eq(err.where, "Parameter193");
    ck_assert_ptr_nonnull(strstr(err.message, "axis 0 has 256"));
    drop(&m);
    if (!load("yunet_n_320.onnx", &m))
        return;
    ck_assert_int_eq(nw_resize_resolution(m.graph, 240, 240, &graph, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "multiples of 32"));
    ck_assert_int_eq(nw_resize_resolution(m.graph, 0, 320, &graph, &err), NW_INVALID);
    ck_assert_int_eq(nw_resize_resolution(m.graph, 320, (int64_t)1 << 40, &graph, &err),
                     NW_INVALID);
    drop(&m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("group_models");
    TCase *tests = tcase_create("models");
    tcase_set_timeout(tests, 240);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, any_number_for_any_group_of_any_model_leaves_it_whole);
    tcase_add_test(tests, random_numbers_for_all_groups_at_once_leave_every_model_whole);
    tcase_add_test(tests, fewer_channels_are_the_first_ones_to_the_last_byte);
    tcase_add_test(tests, a_mobilenet_v2_has_its_expansions_and_its_residual_chains);
    tcase_add_test(tests, predictors_of_boxes_are_fixed_in_every_detector);
    tcase_add_test(tests, numbers_are_rounded_as_make_divisible_rounds_them);
    tcase_add_test(tests, published_widths_and_resolutions_come_out_of_one_file);
    tcase_add_test(tests, the_same_resolution_changes_nothing_and_another_no_weight);
    tcase_add_test(tests, a_segmentation_returns_to_the_size_of_its_image);
    tcase_add_test(tests, a_constant_that_fits_one_resolution_alone_is_named);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
