/* Networks as text: what timm's strings, the older ones and OFA's descriptions mean, by the counts
 * that their authors publish; what is a trap in them; and that they print and read back. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/rng.h"
#include "src/format/format.h"
#include "src/format/timm.h"
#include "tests/support.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

static nw_graph *load(const char *text)
{
    nw_error err;
    nw_graph *graph = NULL;
    if (nw_model_load(text, NULL, 0, &graph, &err) != NW_OK)
        ck_abort_msg("%s: %s\n%s", err.where, err.message, text);
    return graph;
}

static nw_counts count(const char *text)
{
    nw_counts counts;
    nw_graph *graph = load(text);
    nw_graph_count(graph, &counts);
    nw_graph_free(graph);
    return counts;
}

/* ---- published figures ---- */

/* Definitions of timm (models/efficientnet.py, models/mobilenetv3.py) with their stem and head
 * written as cn; param_count and infer_gmacs of its results, for 1000 classes, which the text
 * leaves out. Its MACs count normalisations and pools too, up to 5 % of the whole. */
static const struct {
    const char *name, *text;
    int features;
    double params_m, macs_g;
} published[] = {
    {"efficientnet_es",
     "cn_r1_k3_s2_c32;er_r1_k3_s1_e4_c24_fc24_noskip;er_r2_k3_s2_e8_c32;er_r4_k3_s2_e8_c48;"
     "ir_r5_k5_s2_e8_c96;ir_r4_k5_s1_e8_c144;ir_r2_k5_s2_e8_c192;cn_r1_k1_s1_c1280",
     1280, 5.44, 1.81},
    {"efficientnet_b0",
     "cn_r1_k3_s2_c32_nsw;ds_r1_k3_s1_e1_c16_se0.25_nsw;ir_r2_k3_s2_e6_c24_se0.25_nsw;"
     "ir_r2_k5_s2_e6_c40_se0.25_nsw;ir_r3_k3_s2_e6_c80_se0.25_nsw;ir_r3_k5_s1_e6_c112_se0.25_nsw;"
     "ir_r4_k5_s2_e6_c192_se0.25_nsw;ir_r1_k3_s1_e6_c320_se0.25_nsw;cn_r1_k1_s1_c1280_nsw",
     1280, 5.29, 0.40},
    {"mobilenetv2_100",
     "cn_r1_k3_s2_c32_nr6;ds_r1_k3_s1_c16_nr6;ir_r2_k3_s2_e6_c24_nr6;ir_r3_k3_s2_e6_c32_nr6;"
     "ir_r4_k3_s2_e6_c64_nr6;ir_r3_k3_s1_e6_c96_nr6;ir_r3_k3_s2_e6_c160_nr6;ir_r1_k3_s1_e6_c320_"
     "nr6;"
     "cn_r1_k1_s1_c1280_nr6",
     1280, 3.50, 0.31},
    {"mnasnet_100",
     "cn_r1_k3_s2_c32;ds_r1_k3_s1_c16_noskip;ir_r3_k3_s2_e3_c24;ir_r3_k5_s2_e3_c40;"
     "ir_r3_k5_s2_e6_c80;ir_r2_k3_s1_e6_c96;ir_r4_k5_s2_e6_c192;ir_r1_k3_s1_e6_c320_noskip;"
     "cn_r1_k1_s1_c1280",
     1280, 4.38, 0.33},
    {"semnasnet_100",
     "cn_r1_k3_s2_c32;ds_r1_k3_s1_e1_c16_noskip;ir_r2_k3_s2_e6_c24;ir_r3_k5_s2_e3_c40_se0.25;"
     "ir_r4_k3_s2_e6_c80;ir_r2_k3_s1_e6_c112_se0.25;ir_r3_k5_s2_e6_c160_se0.25;ir_r1_k3_s1_e6_c320;"
     "cn_r1_k1_s1_c1280",
     1280, 3.89, 0.32},
    {"mnasnet_small",
     "cn_r1_k3_s2_c8;ds_r1_k3_s1_c8;ir_r1_k3_s2_e3_c16;ir_r2_k3_s2_e6_c16;"
     "ir_r4_k5_s2_e6_c32_se0.25;ir_r3_k3_s1_e6_c32_se0.25;ir_r3_k5_s2_e6_c88_se0.25;"
     "ir_r1_k3_s1_e6_c144;cn_r1_k1_s1_c1280",
     1280, 2.03, 0.07},
    {"mixnet_s",
     "cn_r1_k3_s2_c16;ds_r1_k3_s1_e1_c16;ir_r1_k3_a1.1_p1.1_s2_e6_c24 ir_r1_k3_a1.1_p1.1_s1_e3_c24;"
     "ir_r1_k3.5.7_s2_e6_c40_se0.5_nsw ir_r3_k3.5_a1.1_p1.1_s1_e6_c40_se0.5_nsw;"
     "ir_r1_k3.5.7_p1.1_s2_e6_c80_se0.25_nsw ir_r2_k3.5_p1.1_s1_e6_c80_se0.25_nsw;"
     "ir_r1_k3.5.7_a1.1_p1.1_s1_e6_c120_se0.5_nsw ir_r2_k3.5.7.9_a1.1_p1.1_s1_e3_c120_se0.5_nsw;"
     "ir_r1_k3.5.7.9.11_s2_e6_c200_se0.5_nsw ir_r2_k3.5.7.9_p1.1_s1_e6_c200_se0.5_nsw;"
     "cn_r1_k1_s1_c1536",
     1536, 4.13, 0.25},
    {"mobilenetv4_conv_small",
     "cn_r1_k3_s2_c32;cn_r1_k3_s2_e1_c32 cn_r1_k1_s1_e1_c32;cn_r1_k3_s2_e1_c96 cn_r1_k1_s1_e1_c64;"
     "uir_r1_a5_k5_s2_e3_c96 uir_r4_a0_k3_s1_e2_c96 uir_r1_a3_k0_s1_e4_c96;"
     "uir_r1_a3_k3_s2_e6_c128 uir_r1_a5_k5_s1_e4_c128 uir_r1_a0_k5_s1_e4_c128 "
     "uir_r1_a0_k5_s1_e3_c128 uir_r2_a0_k3_s1_e4_c128;cn_r1_k1_s1_c960",
     960, 0, 0.19},
};

START_TEST(the_counts_are_those_that_timm_publishes)
{
    nw_counts counts = count(published[_i].text);
    int64_t classifier = (int64_t)(published[_i].features + 1) * 1000;
    double params_m = (double)(counts.params + classifier) / 1e6;
    double macs_g = (double)(counts.macs + classifier) / 1e9;
    if (published[_i].params_m > 0)
        ck_assert_msg(fabs(params_m - published[_i].params_m) <= 0.005, "%s: %.4f M params",
                      published[_i].name, params_m);
    ck_assert_msg(macs_g <= published[_i].macs_g + 0.005 &&
                      macs_g >= 0.95 * published[_i].macs_g - 0.005,
                  "%s: %.4f G MACs", published[_i].name, macs_g);
}
END_TEST

/* The head of MobileNetV4: pooled, then 960 to 1280 with a normalisation (2 x 1280), then 1280 to
 * 1000 with a bias. */
START_TEST(the_universal_bottlenecks_of_mobilenetv4_add_up)
{
    int64_t head = 960 * 1280 + 2 * 1280 + 1281 * 1000;
    double params_m = (double)(count(published[N_OF(published) - 1].text).params + head) / 1e6;
    ck_assert_msg(fabs(params_m - 3.77) <= 0.005, "%.4f", params_m);
}
END_TEST

/* The same network in the grammar of MnasNet's own code (strides twice, i and o, no type). */
START_TEST(the_older_grammar_means_the_same_network)
{
    nw_counts ours = count("ds_r1_k3_s1_c16_se0.25 ir_r2_k3_s2_e6_c24_se0.25 ir_r1_k5_s1_e4_c40");
    nw_counts other = count("cn_r1_k3_s2_c32;r1_k3_s11_e1_i32_o16_se0.25 "
                            "r2_k3_s22_e6_i16_o24_se0.25 r1_k5_s11_e4_i24_o40");
    nw_counts same = count("cn_r1_k3_s2_c32;ds_r1_k3_s1_c16_se0.25;ir_r2_k3_s2_e6_c24_se0.25;"
                           "ir_r1_k5_s1_e4_c40");
    ck_assert_int_eq(other.params, same.params);
    ck_assert_int_eq(other.macs, same.macs);
    ck_assert_int_ne(other.params, ours.params); /* no stem: three channels come in */
    /* EfficientNet-EdgeTPU's own strings: c1 is the fused block, and 24 is not what comes in */
    other = count("cn_r1_k3_s2_c32;r1_k3_s11_e4_i24_o24_c1_noskip r2_k3_s22_e8_i24_o32_c1");
    same = count("cn_r1_k3_s2_c32;er_r1_k3_s1_e4_c24_fc24_noskip;er_r2_k3_s2_e8_c32");
    ck_assert_int_eq(other.params, same.params);
    ck_assert_int_eq(other.macs, same.macs);
}
END_TEST

/* ---- by hand ---- */

START_TEST(the_parameters_of_each_block_match_hand_counts)
{
    /* behind cn_r1_k1_s1_c16, whose 3 * 16 weights and 2 * 16 of its normalisation are taken off */
    static const struct {
        const char *text;
        int64_t params;
    } rows[] = {
        /* 1x1 16-96, 3x3 depthwise, 1x1 96-24; two for each channel of three normalisations */
        {"ir_r1_k3_s2_e6_c24", 16 * 96 + 9 * 96 + 96 * 24 + 2 * (96 + 96 + 24)},
        /* the ratio is over the block's input: 4 channels, with biases */
        {"ir_r1_k3_s2_e6_c24_se0.25",
         16 * 96 + 9 * 96 + 96 * 24 + 2 * (96 + 96 + 24) + 2 * 96 * 4 + 96 + 4},
        {"ir_r1_k3_s1_e1_c16", 16 * 16 + 9 * 16 + 16 * 16 + 2 * 48},
        {"ds_r1_k3_s1_c16", 9 * 16 + 16 * 16 + 2 * 32},
        {"er_r1_k3_s1_e4_c24", 9 * 16 * 64 + 64 * 24 + 2 * (64 + 24)},
        {"er_r1_k3_s1_e4_c24_gs16", 9 * 4 * 64 + 64 * 24 + 2 * (64 + 24)},
        {"ir_r1_k3_s1_e4_c24_gs32", 16 * 64 + 9 * 32 * 64 + 64 * 24 + 2 * (64 + 64 + 24)},
        {"cn_r1_k5_s1_c24", 25 * 16 * 24 + 2 * 24},
        /* ranks 16 * 0.5 = 8 and 32 * 0.75 = 24 */
        {"tu_r1_k3_s1_ir0.5_or0.75_c32", 16 * 8 + 9 * 8 * 24 + 24 * 32 + 2 * (8 + 24 + 32)},
        /* depthwise 3x3 before, 5x5 inside, 7x7 behind */
        {"uir_r1_a3_k5_p7_s1_e4_c24",
         9 * 16 + 16 * 64 + 25 * 64 + 64 * 24 + 49 * 24 + 2 * (16 + 64 + 64 + 24 + 24)},
        /* 16 * 1.7 = 27.2 is rounded to 24; 0.9 * 27.2 = 24.48 is more, so 32 */
        {"ir_r1_k3_s1_e1.7_c16", 16 * 32 + 9 * 32 + 32 * 16 + 2 * (32 + 32 + 16)},
        /* c20 becomes 24 */
        {"cn_r1_k1_s1_c20", 16 * 24 + 2 * 24},
        /* 32 channels of 3x3, 32 of 5x5 */
        {"ds_r1_k3.5_s1_c8", 9 * 8 + 25 * 8 + 16 * 8 + 2 * 24},
    };
    for (int i = 0; i < N_OF(rows); i++) {
        char text[128];
        snprintf(text, sizeof text, "cn_r1_k1_s1_c16;%s", rows[i].text);
        ck_assert_msg(count(text).params - 3 * 16 - 2 * 16 == rows[i].params, "%s: %lld",
                      rows[i].text, (long long)count(text).params - 80);
    }
}
END_TEST

static int n_adds(const char *text)
{
    nw_graph *graph = load(text);
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].op == NW_OP_ADD;
    nw_graph_free(graph);
    return n;
}

START_TEST(a_residual_stands_where_shapes_allow_it_and_nothing_forbids_it)
{
    ck_assert_int_eq(n_adds("cn_r1_k1_s1_c16;ir_r3_k3_s1_e2_c16"), 3);
    ck_assert_int_eq(n_adds("cn_r1_k1_s1_c16;ir_r3_k3_s2_e2_c16"), 2); /* stride of the first */
    ck_assert_int_eq(n_adds("cn_r1_k1_s1_c16;ir_r3_k3_s1_e2_c24"), 2);
    ck_assert_int_eq(n_adds("cn_r1_k1_s1_c16;ir_r3_k3_s1_e2_c16_noskip"), 0);
    ck_assert_int_eq(n_adds("cn_r1_k1_s1_c16;dsa_r3_k3_s1_c16"), 0);
    ck_assert_int_eq(n_adds("cn_r1_k1_s1_c16;cn_r3_k3_s1_c16"), 0);
    ck_assert_int_eq(n_adds("cn_r1_k1_s1_c16;cn_r3_k3_s1_c16_skip"), 3);
}
END_TEST

START_TEST(the_input_is_224_unless_a_size_is_given)
{
    static const nw_input_size sizes[] = {{"", {4, {1, 3, 96, 160}}}};
    nw_error err;
    nw_graph *graph = load("cn_r1_k3_s2_c8");
    ck_assert_int_eq(graph->tensors[graph->inputs[0]].shape.dims[2], 224);
    ck_assert_int_eq(graph->tensors[graph->outputs[0]].shape.dims[3], 112);
    nw_graph_free(graph);
    ck_assert_int_eq(nw_model_load("cn_r1_k3_s2_c8", sizes, 1, &graph, &err), NW_OK);
    ck_assert_int_eq(graph->tensors[graph->outputs[0]].shape.dims[2], 48);
    ck_assert_int_eq(graph->tensors[graph->outputs[0]].shape.dims[3], 80);
    nw_graph_free(graph);
}
END_TEST

START_TEST(tensors_have_the_names_of_timms_checkpoints)
{
    static const char *const names[] = {
        "blocks.1.1.conv_pw.weight", "blocks.1.1.bn2.running_var", "blocks.1.1.conv_pwl.weight",
        "blocks.1.0.se.conv_reduce.bias", "blocks.1.0.se.conv_expand.weight"};
    nw_graph *graph = load("cn_r1_k3_s2_c32;ir_r2_k3_s2_e6_c24_se0.25");
    for (int k = 0; k < N_OF(names); k++) {
        bool is_there = false;
        for (int i = 0; i < graph->n_tensors; i++)
            is_there |= strcmp(graph->tensors[i].name, names[k]) == 0;
        ck_assert_msg(is_there, "%s", names[k]);
    }
    nw_graph_free(graph);
}
END_TEST

/* ---- traps ---- */

START_TEST(what_timm_would_pass_over_in_silence_is_an_error_that_names_it)
{
    static const struct {
        const char *text, *token;
    } rows[] = {
        {"ir_r1_k3_s1_e6_c24_x5", "x5"},
        {"ir_r1_k3_s1_e6_c24_nrelu", "nrelu"},
        {"ir_r1_k3_s1_e6_i16_o24", "i16"},
        {"ir_r1_k3_s1_e6", "c"},
        {"ir_r1_k3_s3_e6_c24", "s3"},
        {"ir_r1_k3_s0_e6_c24", "s0"},
        {"ir_r1_k3_s1_c24", "e"},
        {"tu_r1_k3_s1_c24_ir0.25", "or"},
        {"mha_r1_k3_s1_d64_h4_c96", "mha"},
        {"mqa_r1_k3_s1_d64_h4_c96", "mqa"},
        {"ir_r1_k3_s1_e6_c24_cc4", "cc4"},
        {"ir_r1_k3_s1_e6_c24_d1", "d1"},
        {"xx_r1_k3_s1_c24", "xx"},
        {"ir_r1_k4_s1_e6_c24", "k4"},
        {"ir_r1_k3_s1_e6_c24_c32", "c32"},
        {"ir_r1_k_s1_e6_c24", "k"},
        {"ir_r1_k3_s1_e6_c24__noskip", "_"},
        {"r1_k3_s12_e6_i3_o24", "s12"},
        {"r1_k3_s11_e6_i3_o24_q1", "q1"},
        {"r1_k3_s11_e6_i3_o24 r1_k3_s11_e6_i16_o24", "i16"},
        {"ir_r1_k3_s1_e6_c99999999", "c99999999"},
        {"ir_r1_k3_s1_e-6_c24", "e has no number"},
        {"ir_r9999_k3_s1_e6_c24", "r9999"},
        {"cn_r1_k3.5_s1_c24", "kernel"},
        {"cn_r1_k3_s1_c24 & ir", "&"},
        {"ir_r1_k3_s1_e6_c24_gs7", "gs7"},
        {"ir_r1_k3_s1_e0_c24", "e0"},
        {"ir_r1_k3_s1_e1e9_c24", "e1e9"},
        {"uir_r1_k0_s2_e4_c24", "s2"},
        {"ir_r4000_k3_s1_e6_c24 ir_r4000_k3_s1_e6_c24", "4096"},
    };
    for (int i = 0; i < N_OF(rows); i++) {
        nw_error err = {0};
        nw_graph *graph = NULL;
        ck_assert_msg(nw_model_load(rows[i].text, NULL, 0, &graph, &err) != NW_OK, "%s",
                      rows[i].text);
        char line[640];
        snprintf(line, sizeof line, "%s: %s", err.where, err.message);
        ck_assert_msg(strstr(err.message, rows[i].token) != NULL && !strchr(line, '\n'), "%s: %s",
                      rows[i].text, line);
    }
}
END_TEST

START_TEST(what_timm_would_change_or_ignore_is_a_warning_that_names_it)
{
    static const struct {
        const char *text, *token;
    } rows[] = {
        {"cn_r1_k3_s1_c20", "c20"},
        {"ds_r1_k3_s1_e6_c24", "e6"},
        {"ir_r1_k3_s1_e6_c24_fc32", "fc32"},
        {"ir_r1_k3_s1_e6_c24_skip", "skip"},
        {"cn_r1_k3_s1_c24_se0.25", "se0.25"},
        {"cn_r1_k3_s1_c24\nir_r1_k3_s1_e6_c24 ir_r1_k3_s2_e6_c24", "s2"},
        {"r1_k3_s11_e6_i32_o24", "i32"},
    };
    for (int i = 0; i < N_OF(rows); i++) {
        nw_graph *graph = load(rows[i].text);
        ck_assert_msg(graph->n_warnings == 1 && strstr(graph->warnings[0], rows[i].token), "%s: %s",
                      rows[i].text, graph->n_warnings ? graph->warnings[0] : "no warning");
        nw_graph_free(graph);
    }
    nw_graph *graph = load("cn_r1_k3_s2_e1_c32_skip ds_r1_k3_s1_e1_c16 ir_r2_k3_s2_e6_c24");
    ck_assert_msg(graph->n_warnings == 0, "%s", graph->warnings[0]);
    nw_graph_free(graph);
}
END_TEST

START_TEST(definitions_pasted_from_python_are_read)
{
    nw_counts plain = count("ds_r1_k3_s1_e1_c16\nir_r1_k3_s2_e4_c24 ir_r1_k3_s1_e3_c24\n");
    nw_counts python = count("    # stage 0, 112x112 in\n"
                             "    ['ds_r1_k3_s1_e1_c16'],  # relu\r\n"
                             "    [\"ir_r1_k3_s2_e4_c24\", 'ir_r1_k3_s1_e3_c24'],  # ir_r9\n");
    ck_assert_int_eq(plain.params, python.params);
    ck_assert_int_eq(plain.macs, python.macs);
}
END_TEST

/* ---- print and read again ---- */

static const char *any(nw_rng *rng, const char *const *choices, int n)
{
    return choices[nw_rng_range(rng, 0, n - 1)];
}

/* A block that the grammar allows, its options in any order behind the type. */
static void draw_block(nw_rng *rng, nw_buf *out)
{
    static const char *const types[] = {"ir", "ds", "dsa", "er", "cn", "tu", "uir"};
    static const char *const kernels[] = {"k3", "k5", "k7", "k1", "k11"};
    static const char *const expansions[] = {"e1", "e6", "e3.5", "e0.75", "e2.6667"};
    static const char *const acts[] = {"_nre", "_nr6", "_nhs", "_nsw", "_nmi", ""};
    const char *type = any(rng, types, 7);
    bool is_uir = strcmp(type, "uir") == 0,
         expands = is_uir || !strcmp(type, "ir") || !strcmp(type, "er");
    nw_buf_printf(out, "%s_s%d_c%lld", type, nw_rng_chance(rng, 0.3) ? 2 : 1,
                  (long long)(8 * nw_rng_range(rng, 1, 12)));
    nw_buf_printf(out, "_%s_r%lld", any(rng, kernels, 5), (long long)nw_rng_range(rng, 1, 4));
    if (expands)
        nw_buf_printf(out, "_%s", any(rng, expansions, 5));
    if (strcmp(type, "tu") == 0)
        nw_buf_puts(out, nw_rng_chance(rng, 0.5) ? "_ir0.25_or0.75" : "_or0.5_ir1");
    else if (strcmp(type, "cn") != 0 && nw_rng_chance(rng, 0.3))
        nw_buf_puts(out, nw_rng_chance(rng, 0.5) ? "_se0.25" : "_se0.5");
    if (is_uir && nw_rng_chance(rng, 0.5))
        nw_buf_puts(out, nw_rng_chance(rng, 0.5) ? "_a3" : "_p5");
    if (strcmp(type, "er") == 0 && nw_rng_chance(rng, 0.3))
        nw_buf_puts(out, "_fc32");
    nw_buf_puts(out, any(rng, acts, 6));
    if (nw_rng_chance(rng, 0.2))
        nw_buf_puts(out, strcmp(type, "cn") == 0 ? "_skip" : "_noskip");
}

static void print_again(const char *text, nw_buf *out)
{
    nw_timm_net net;
    nw_error err;
    nw_file *file = nw_file_from_bytes("text", text, strlen(text));
    if (nw_timm_parse(file, &net, &err) != NW_OK)
        ck_abort_msg("%s: %s\n%s", err.where, err.message, text);
    nw_timm_print(&net, out);
    nw_timm_fini(&net);
    nw_file_release(file);
}

START_TEST(a_text_printed_reads_back_as_the_same_network)
{
    for (int seed = 0; seed < 200; seed++) {
        nw_rng rng = nw_rng_make((uint64_t)seed, 0);
        nw_buf text = {0}, once = {0}, twice = {0};
        nw_buf_puts(&text, "cn_r1_k3_s2_c16\n");
        for (int i = 0; i < 6; i++) {
            draw_block(&rng, &text);
            nw_buf_puts(&text, i % 2 ? "\n" : " ");
        }
        print_again(nw_buf_text(&text), &once);
        print_again(nw_buf_text(&once), &twice);
        ck_assert_str_eq(nw_buf_text(&once), nw_buf_text(&twice));
        nw_graph *a = load(nw_buf_text(&text)), *b = load(nw_buf_text(&once));
        ck_assert_int_eq(a->n_nodes, b->n_nodes);
        for (int i = 0; i < a->n_nodes; i++) {
            const nw_tensor *x = &a->tensors[a->nodes[i].outputs[0]];
            const nw_tensor *y = &b->tensors[b->nodes[i].outputs[0]];
            ck_assert_int_eq(a->nodes[i].op, b->nodes[i].op);
            ck_assert_str_eq(x->name, y->name);
            ck_assert(nw_shape_equal(&x->shape, &y->shape));
        }
        nw_counts m, n;
        nw_graph_count(a, &m);
        nw_graph_count(b, &n);
        ck_assert_msg(m.params == n.params && m.macs == n.macs, "%s", nw_buf_text(&text));
        nw_graph_free(a);
        nw_graph_free(b);
        nw_buf_fini(&text);
        nw_buf_fini(&once);
        nw_buf_fini(&twice);
    }
}
END_TEST

/* What is read from any bytes is a graph or a one-line error. */
START_TEST(broken_texts_are_refused_and_never_crash)
{
    static const char good[] = "cn_r1_k3_s2_c32\nir_r2_k3.5_s2_e6_c24_se0.25_nsw uir_r1_a3_k5_s1_"
                               "e4_c24\ntu_r1_k3_s1_ir0.25_or0.75_c24 r1_k3_s11_e6_i24_o32\n";
    for (int seed = 0; seed < 3000; seed++) {
        nw_rng rng = nw_rng_make((uint64_t)seed, 1);
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        int n_changes = (int)nw_rng_range(&rng, 1, 4);
        size_t length = sizeof good - 1;
        for (int i = 0; i < n_changes; i++)
            text[nw_rng_range(&rng, 0, (int64_t)length - 1)] =
                nw_rng_chance(&rng, 0.5) ? (char)nw_rng_range(&rng, 1, 255)
                                         : good[nw_rng_range(&rng, 0, (int64_t)length - 1)];
        if (nw_rng_chance(&rng, 0.3))
            length = (size_t)nw_rng_range(&rng, 1, (int64_t)length);
        nw_error err = {0};
        nw_graph *graph = NULL;
        nw_file *file = nw_file_from_bytes("text", text, length);
        nw_timm_is(file);
        nw_status status = nw_timm_read(file, &graph, &err);
        ck_assert(status == NW_OK ? graph != NULL : err.message[0] != '\0');
        if (status == NW_OK)
            nw_graph_free(graph);
        nw_file_release(file);
    }
}
END_TEST

/* ---- graph -> blocks -> text ---- */

static void write_lifted(const char *source, nw_buf *out, int *n_left_out)
{
    nw_error err;
    const nw_arch *arch = nw_arch_lift(load(source));
    if (nw_timm_write(arch, out, n_left_out, &err) != NW_OK)
        ck_abort_msg("%s: %s\n%s", err.where, err.message, source);
    nw_arch_release(arch);
}

static void check_written(const char *source, const char *wanted)
{
    nw_buf text = {0};
    int n_left_out = -1;
    write_lifted(source, &text, &n_left_out);
    ck_assert_msg(n_left_out == 0, "%s\n%s", source, nw_buf_text(&text));
    if (wanted)
        ck_assert_str_eq(nw_buf_text(&text), wanted);
    nw_counts a = count(source), b = count(nw_buf_text(&text));
    ck_assert_msg(a.macs == b.macs && a.params == b.params, "%s\n%s", source, nw_buf_text(&text));
    nw_buf_fini(&text);
}

START_TEST(blocks_found_in_a_graph_are_written_as_the_strings_it_came_from)
{
    check_written("cn_r1_k3_s2_c32_nr6;ds_r1_k3_s1_c16_nr6;ir_r2_k3_s2_e6_c24_nr6;"
                  "ir_r3_k3_s2_e6_c32_nr6;cn_r1_k1_s1_c1280_nr6",
                  "cn_r1_k3_s2_c32_nr6\nds_r1_k3_s1_c16_nr6\nir_r2_k3_s2_e6_c24_nr6\n"
                  "ir_r3_k3_s2_e6_c32_nr6\ncn_r1_k1_s1_c1280_nr6\n");
    check_written("cn_r1_k3_s2_c32;er_r2_k3_s2_e8_c32;ir_r3_k5_s2_e6_c40_se0.25_nhs;"
                  "tu_r2_k3_s2_ir0.25_or0.75_c64;cn_r1_k1_s1_c8",
                  NULL);
    check_written("cn_r1_k3_s2_c32;er_r2_k3_s1_e4_c64_gs64;ir_r2_k3_s1_e2_c64_gs32;"
                  "ir_r2_k3_s1_e4_c64_noskip ir_r2_k3_s1_e4_c64;cn_r1_k1_s1_c8",
                  NULL);
}
END_TEST

/* Left out: mish and universal bottlenecks, which are several blocks here, and blocks that are
 * others too: 1x1 in the place of k x k, an expansion of 1 or less. Where lifting sees other blocks
 * than were written (an expansion that ends below the output is none), it must say so. */
START_TEST(chains_of_blocks_survive_the_way_through_the_graph)
{
    int n_chains = 0, n_whole = 0;
    for (int seed = 0; seed < 3000; seed++) {
        nw_rng rng = nw_rng_make((uint64_t)seed, 2);
        nw_buf text = {0}, again = {0};
        int n_left_out = -1;
        nw_buf_puts(&text, "cn_r1_k3_s2_c16;");
        for (int i = 0; i < 4; i++) {
            draw_block(&rng, &text);
            nw_buf_puts(&text, ";");
        }
        nw_buf_puts(&text, "cn_c8_r1_s1_k1");
        const char *source = nw_buf_text(&text);
        if (!strstr(source, "uir") && !strstr(source, "nmi") && !strstr(source, "_k1_") &&
            !strstr(source, "_e1") && !strstr(source, "_e0")) {
            write_lifted(source, &again, &n_left_out);
            nw_counts a = count(source), b = count(nw_buf_text(&again));
            bool is_same = a.macs == b.macs && a.params == b.params;
            ck_assert_msg(is_same == (n_left_out == 0), "%s\n%s", source, nw_buf_text(&again));
            n_whole += is_same;
            n_chains++;
        }
        nw_buf_fini(&text);
        nw_buf_fini(&again);
    }
    ck_assert_msg(n_chains >= 20 && n_whole >= 0.8 * n_chains, "%d of %d", n_whole, n_chains);
}
END_TEST

/* Sandler et al. 2018, table 2. */
START_TEST(a_real_network_is_written_as_its_paper_has_it)
{
    const char *path = shared_path("models/mobilenet_v2_1.0_224_quant.tflite");
    static const char wanted[] =
        "cn_r1_k3_s2_c32_nr6\nds_r1_k3_s1_c16_nr6\nir_r2_k3_s2_e6_c24_nr6\n"
        "ir_r3_k3_s2_e6_c32_nr6\nir_r4_k3_s2_e6_c64_nr6\nir_r3_k3_s1_e6_c96_nr6\n"
        "ir_r3_k3_s2_e6_c160_nr6\nir_r1_k3_s1_e6_c320_nr6\ncn_r1_k1_s1_c1280_nr6\n";
    nw_buf text = {0};
    int n_left_out = 0;
    if (!path)
        return;
    write_lifted(path, &text, &n_left_out);
    ck_assert_msg(strstr(nw_buf_text(&text), wanted), "%s", nw_buf_text(&text));
    ck_assert_int_eq(n_left_out, 3); /* pool, classifier, softmax */
    ck_assert(strstr(nw_buf_text(&text), "# not the whole network: 3 of 22"));
    nw_buf_fini(&text);
}
END_TEST

/* ---- OFA ---- */

/* Layers of one network of ofa_phone_lut as a description; false: not of width 1. */
static bool describe(const csv *layers, const char *net, int image, nw_buf *out)
{
    static const int widths[] = {24, 40, 80, 112, 160};
    int kernel[20] = {0}, expansion[20] = {0}, depth[5] = {0}, stage = -1, last_c = 0;
    for (int row = 0; row < layers->n_rows; row++) {
        if (strcmp(csv_text(layers, row, "net"), net) != 0 ||
            strcmp(csv_text(layers, row, "type"), "ibn") != 0)
            continue;
        int in_c = (int)csv_number(layers, row, "cin"),
            out_c = (int)csv_number(layers, row, "cout");
        if (stage < 0 && out_c == 16) {
            stage = 0;
            last_c = 24;
            continue;
        }
        if (out_c != last_c) {
            stage++;
            last_c = out_c;
        }
        if (stage < 0 || stage > 4 || out_c != widths[stage])
            return false;
        int slot = 4 * stage + depth[stage]++;
        kernel[slot] = (int)csv_number(layers, row, "kernel");
        expansion[slot] = (int)csv_number(layers, row, "mid") / in_c;
    }
    nw_buf_puts(out, "{\"ks\": [");
    for (int i = 0; i < 20; i++)
        nw_buf_printf(out, "%s%d", i ? ", " : "", kernel[i]);
    nw_buf_puts(out, "], \"e\": [");
    for (int i = 0; i < 20; i++)
        nw_buf_printf(out, "%s%d", i ? ", " : "", expansion[i]);
    nw_buf_puts(out, "], \"d\": [");
    for (int i = 0; i < 5; i++)
        nw_buf_printf(out, "%s%d", i ? ", " : "", depth[i]);
    nw_buf_printf(out, "], \"r\": [%d]}", image);
    return stage == 4;
}

/* The README of once-for-all gives parameters to 0.1 M and FLOPs (which are MACs) to 1 M, in one
 * row cut off. One row does not belong to its own layers: note10_lat-8ms, 79 M, of which the layers
 * at 160 x 160 give 75.8. */
START_TEST(ofa_descriptions_have_the_published_parameters_and_macs)
{
    const char *path = shared_path("data/ofa_phone_lut/networks.csv");
    csv networks, layers;
    if (!path)
        return;
    ck_assert(csv_load(&networks, path));
    ck_assert(csv_load(&layers, shared_path("data/ofa_phone_lut/network_layers.csv")));
    int n = 0;
    for (int row = 0; row < networks.n_rows; row++) {
        nw_buf text = {0};
        if (strcmp(csv_text(&networks, row, "family"), "MobileNetV3") == 0 &&
            strcmp(csv_text(&networks, row, "net"), "note10_lat-8ms_top1-71.4_finetune-25") != 0 &&
            describe(&layers, csv_text(&networks, row, "net"),
                     (int)csv_number(&networks, row, "image"), &text)) {
            nw_counts counts = count(nw_buf_text(&text));
            double params = atof(csv_text(&networks, row, "params"));
            double macs = atof(csv_text(&networks, row, "flops"));
            ck_assert_msg(fabs((double)counts.params / 1e6 - params) <= 0.0501 &&
                              fabs((double)counts.macs / 1e6 - macs) <= 0.6,
                          "%s: %.3f M params of %.1f, %.2f M MACs of %.0f",
                          csv_text(&networks, row, "net"), (double)counts.params / 1e6, params,
                          (double)counts.macs / 1e6, macs);
            n++;
        }
        nw_buf_fini(&text);
    }
    printf("%d networks of once-for-all\n", n);
    ck_assert_int_ge(n, 20);
    csv_free(&networks);
    csv_free(&layers);
}
END_TEST

START_TEST(a_wrong_ofa_description_names_the_slot)
{
#define TWENTY(x)                                                                                  \
    x ", " x ", " x ", " x ", " x ", " x ", " x ", " x ", " x ", " x ", " x ", " x ", " x ", " x   \
      ", " x ", " x ", " x ", " x ", " x ", " x
    static const struct {
        const char *text, *where;
    } rows[] = {
        {"{\"ks\": [" TWENTY("3") "], \"e\": [" TWENTY("3") "], \"d\": [2, 2, 2, 2, 5]}", "d[4]"},
        {"{\"ks\": [" TWENTY("4") "], \"e\": [" TWENTY("3") "], \"d\": [2, 2, 2, 2, 2]}", "ks[0]"},
        {"{\"ks\": [" TWENTY("3") "], \"e\": [" TWENTY("5") "], \"d\": [2, 2, 2, 2, 2]}", "e[0]"},
        {"{\"ks\": [3, 3], \"e\": [" TWENTY("3") "], \"d\": [2, 2, 2, 2, 2]}", "ks"},
        {"{\"ks\": [" TWENTY("3") "], \"e\": [" TWENTY("3") "]}", "d"},
        {"{\"ks\": [" TWENTY("3") "], \"e\": [" TWENTY("3") "], \"d\": [2, 2, 2, 2, 2], \"r\": 0}",
         "r"},
        {"{\"ks\": [" TWENTY("3") "]", "block string"},
    };
    for (int i = 0; i < N_OF(rows); i++) {
        nw_error err;
        nw_graph *graph = NULL;
        ck_assert_int_ne(nw_model_load(rows[i].text, NULL, 0, &graph, &err), NW_OK);
        ck_assert_msg(strstr(err.where, rows[i].where), "%s: %s", err.where, err.message);
    }
    /* slots beyond the depth may hold anything */
    nw_graph *graph =
        load("{\"ks\": [3,3,0,0, 3,3,0,0, 3,3,9,9, 3,3,0,0, 3,3,0,0], \"e\": [3,3,0,0, "
             "3,3,0,0, 3,3,0,0, 3,3,0,0, 3,3,0,0], \"d\": [2,2,2,2,2], \"r\": 128}");
    ck_assert_int_eq(graph->tensors[graph->inputs[0]].shape.dims[3], 128);
    nw_graph_free(graph);
}
END_TEST

static Suite *timm_suite(void)
{
    Suite *suite = suite_create("timm");
    TCase *counts = tcase_create("counts"), *text = tcase_create("text"),
          *ofa = tcase_create("ofa");
    tcase_add_loop_test(counts, the_counts_are_those_that_timm_publishes, 0, N_OF(published));
    tcase_add_test(counts, the_universal_bottlenecks_of_mobilenetv4_add_up);
    tcase_add_test(counts, the_older_grammar_means_the_same_network);
    tcase_add_test(counts, the_parameters_of_each_block_match_hand_counts);
    tcase_add_test(counts, a_residual_stands_where_shapes_allow_it_and_nothing_forbids_it);
    tcase_add_test(text, the_input_is_224_unless_a_size_is_given);
    tcase_add_test(text, tensors_have_the_names_of_timms_checkpoints);
    tcase_add_test(text, what_timm_would_pass_over_in_silence_is_an_error_that_names_it);
    tcase_add_test(text, what_timm_would_change_or_ignore_is_a_warning_that_names_it);
    tcase_add_test(text, definitions_pasted_from_python_are_read);
    tcase_add_test(text, a_text_printed_reads_back_as_the_same_network);
    tcase_add_test(text, broken_texts_are_refused_and_never_crash);
    tcase_add_test(text, blocks_found_in_a_graph_are_written_as_the_strings_it_came_from);
    tcase_add_test(text, chains_of_blocks_survive_the_way_through_the_graph);
    tcase_add_test(text, a_real_network_is_written_as_its_paper_has_it);
    tcase_add_test(ofa, ofa_descriptions_have_the_published_parameters_and_macs);
    tcase_add_test(ofa, a_wrong_ofa_description_names_the_slot);
    suite_add_tcase(suite, counts);
    suite_add_tcase(suite, text);
    suite_add_tcase(suite, ofa);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(timm_suite());
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
