/* The hardware descriptions: reading, extending, errors, and the shipped presets. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/hw/hw.h"
#include "tests/support.h"

#define PRESETS "hw"

static const char *const presets[] = {
    "ne16",          "ne32",          "ne64",      "u55-128",       "u55-256",
    "u65-512",       "u85-1024",      "dpu-b4096", "systolic16-ws", "systolic16-os",
    "systolic16-is", "systolic32-ws", "cpu-onednn"};

#define N_PRESETS (int)(sizeof presets / sizeof *presets)

static nw_hw *load(const char *name)
{
    nw_error err;
    nw_hw *hw = NULL;
    if (nw_hw_load(name, PRESETS, &hw, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return hw;
}

static nw_status parse(const char *json, nw_hw **out, nw_error *err)
{
    return nw_hw_parse(json, strlen(json), "mine.json", PRESETS, out, err);
}

static nw_hw *parse_good(const char *json)
{
    nw_error err;
    nw_hw *hw = NULL;
    if (parse(json, &hw, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return hw;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fabs(b);
}

/* MACs a cycle and the rest of the two preset tables of the documentation of the device model:
 * "representative dot engines" and "documented engines". */
START_TEST(presets_carry_the_figures_of_the_tables)
{
    static const struct {
        const char *name;
        int64_t macs;
        double clock_hz;
        int pf_out, pf_in, px_h, px_w, cores, in_chunk, in_round, kernel_group;
        double weight_rate, out, add, mul;
        int64_t sram;
        double sram_rate;
        int64_t sram_latency;
        double dram_rate;
        int64_t read_latency, write_latency, burst;
        int align, bubble, taps;
        int64_t overhead;
    } rows[] = {
        {"ne16", 1024, 1e9,     16, 16, 2, 2,   1,   16, 16, 4, 64, 32,
         32,     32,   1 << 20, 64, 16, 8, 100, 100, 64, 16, 0, 1,  500},
        {"ne32", 1024, 1e9,     32, 32, 1, 1,   1,   32, 32, 4, 64, 32,
         32,     32,   1 << 20, 64, 16, 4, 100, 100, 64, 32, 0, 1,  500},
        {"ne64", 4096, 0.8e9,   64,  64, 1,  1,   1,   64, 64, 4, 64, 64,
         64,     64,   2 << 20, 128, 16, 16, 100, 100, 64, 16, 0, 1,  500},
        {"u55-128", 128,      0.5e9,   8, 8,  1, 2,  1,  32,  32, 4, 8, 2,
         1 / 1.5,   1 / 0.75, 4 << 20, 8, 32, 1, 64, 64, 128, 16, 2, 4, 0},
        {"u55-256", 256,       0.5e9,   8, 8,  2, 2,  1,  32,  32, 4, 8, 4,
         1 / 0.75,  1 / 0.375, 4 << 20, 8, 32, 1, 64, 64, 128, 16, 2, 4, 0},
        {"u65-512", 512,        1e9,       8,  8,  2,  2,   2,   32,  32, 4, 8, 8,
         1 / 0.375, 1 / 0.1875, 512 << 10, 16, 32, 12, 500, 250, 128, 16, 2, 4, 0},
        {"u85-1024", 1024, 1e9,       32, 8,  2,  2,   1,   32,  8,  4, 32, 16,
         16,         16,   512 << 10, 64, 32, 24, 500, 250, 128, 16, 2, 4,  0},
        {"dpu-b4096", 2048, 281e6,     16,  16, 1,  8, 1, 16, 16, 1, 256, 128,
         64,          64,   512 << 10, 128, 0,  16, 0, 0, 1,  16, 0, 1,   0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_hw *hw = load(rows[i].name);
        ck_assert_str_eq(hw->name, rows[i].name);
        ck_assert_int_eq(nw_hw_macs_per_cycle(hw), rows[i].macs);
        ck_assert(hw->clock_hz == rows[i].clock_hz);
        ck_assert_int_eq(hw->array.pf_out, rows[i].pf_out);
        ck_assert_int_eq(hw->array.pf_in, rows[i].pf_in);
        ck_assert_int_eq(hw->array.px_h, rows[i].px_h);
        ck_assert_int_eq(hw->array.px_w, rows[i].px_w);
        ck_assert_int_eq(hw->cores, rows[i].cores);
        ck_assert_int_eq(hw->array.in_chunk, rows[i].in_chunk);
        ck_assert_int_eq(hw->array.in_round, rows[i].in_round);
        ck_assert_int_eq(hw->array.kernel_group, rows[i].kernel_group);
        ck_assert(hw->array.weight_rate == rows[i].weight_rate);
        ck_assert(hw->out_elements_per_cycle == rows[i].out);
        ck_assert(near(hw->add_elements_per_cycle, rows[i].add));
        ck_assert(near(hw->mul_elements_per_cycle, rows[i].mul));
        ck_assert_int_eq(hw->sram.bytes, rows[i].sram);
        ck_assert(hw->sram.read_bytes_per_cycle == rows[i].sram_rate);
        ck_assert(hw->sram.write_bytes_per_cycle == rows[i].sram_rate);
        ck_assert_int_eq(hw->sram.latency_cycles, rows[i].sram_latency);
        ck_assert(hw->dram.bytes_per_cycle == rows[i].dram_rate);
        ck_assert_int_eq(hw->dram.read_latency_cycles, rows[i].read_latency);
        ck_assert_int_eq(hw->dram.write_latency_cycles, rows[i].write_latency);
        ck_assert_int_eq(hw->dram.burst_bytes, rows[i].burst);
        ck_assert_int_eq(hw->sram.align_channels, rows[i].align);
        ck_assert_int_eq(hw->array.step_bubble_cycles, rows[i].bubble);
        ck_assert_int_eq(hw->depthwise.taps_per_cycle, rows[i].taps);
        ck_assert_int_eq(hw->kernel_overhead_cycles, rows[i].overhead);
        nw_hw_free(hw);
    }
}
END_TEST

/* Tile limits of the same tables: banks of 1 KiB less 4; 16 KiB beside 64 KiB of accumulators. */
START_TEST(presets_carry_the_tile_limits_of_the_tables)
{
    static const struct {
        const char *name;
        int h, w, c, pixels;
        int64_t buffer, accumulators;
        bool is_limited;
    } rows[] = {
        {"ne16", 0, 0, 0, 128, 0, 0, false},
        {"ne32", 0, 0, 0, 128, 0, 0, false},
        {"ne64", 0, 0, 0, 128, 0, 0, false},
        {"u55-128", 32, 64, 128, 0, 20 * 1024, 0, true},
        {"u55-256", 32, 64, 128, 0, 44 * 1024, 0, true},
        {"u65-512", 32, 64, 128, 0, 44 * 1024, 0, true},
        {"u85-1024", 128, 128, 1024, 0, 16 * 1024, 64 * 1024, true},
        {"dpu-b4096", 0, 0, 0, 0, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_hw *hw = load(rows[i].name);
        ck_assert_int_eq(hw->tile.max_h, rows[i].h);
        ck_assert_int_eq(hw->tile.max_w, rows[i].w);
        ck_assert_int_eq(hw->tile.max_c, rows[i].c);
        ck_assert_int_eq(hw->tile.max_pixels, rows[i].pixels);
        ck_assert_int_eq(hw->tile.buffer_bytes, rows[i].buffer);
        ck_assert_int_eq(hw->sram.accumulator_bytes, rows[i].accumulators);
        ck_assert_int_eq(hw->tile.command_limit, rows[i].is_limited);
        ck_assert_int_eq(hw->tile.bias_fetch, rows[i].is_limited);
        nw_hw_free(hw);
    }
}
END_TEST

/* The line "host; limits" and the depthwise unit of the table's DPU column. */
START_TEST(the_dpu_runs_squeeze_and_excite_on_its_host)
{
    nw_hw *hw = load("dpu-b4096");
    ck_assert_int_eq(hw->ops[NW_OP_SIGMOID].support, NW_OP_HOST);
    ck_assert_int_eq(hw->ops[NW_OP_HARD_SIGMOID].support, NW_OP_HOST);
    ck_assert_int_eq(hw->ops[NW_OP_MUL].support, NW_OP_HOST);
    ck_assert_int_eq(hw->ops[NW_OP_GLOBAL_POOL].support, NW_OP_NATIVE);
    ck_assert_int_eq(hw->ops[NW_OP_CONV2D].support, NW_OP_NATIVE);
    ck_assert(hw->host.elements_per_s == 4e8);
    ck_assert(hw->host.switch_s == 50e-6);
    ck_assert_int_eq(hw->limits.min_kernel, 1);
    ck_assert_int_eq(hw->limits.max_kernel, 16);
    ck_assert_int_eq(hw->limits.max_stride, 8);
    ck_assert_int_eq(hw->limits.max_channels, 4096);
    ck_assert_int_eq(hw->limits.max_kernel_volume, 2048);
    ck_assert_int_eq(hw->depthwise.kind, NW_DEPTHWISE_UNIT);
    ck_assert_int_eq(hw->depthwise.channels, 16);
    ck_assert_int_eq(hw->depthwise.pixels, 4);
    ck_assert_int_eq(hw->sram.weight_sram_bytes, 512 * 1024);
    ck_assert_int_eq(hw->array.first_layer, NW_FIRST_PART_KERNEL);
    ck_assert_ptr_nonnull(strstr(nw_hw_source(hw, "host.switch_s"), "fitted"));
    nw_hw_free(hw);
}
END_TEST

/* SCALE-Sim's convention: weights (ws), outputs (os) or inputs (is) stay in the array. */
START_TEST(systolic_presets_differ_in_dataflow_and_size)
{
    static const struct {
        const char *name;
        int side;
        nw_dataflow dataflow;
        nw_depthwise_kind depthwise;
    } rows[] = {
        {"systolic16-ws", 16, NW_DATAFLOW_WS, NW_DEPTHWISE_DIAGONAL},
        {"systolic16-os", 16, NW_DATAFLOW_OS, NW_DEPTHWISE_PER_CHANNEL},
        {"systolic16-is", 16, NW_DATAFLOW_IS, NW_DEPTHWISE_PER_CHANNEL},
        {"systolic32-ws", 32, NW_DATAFLOW_WS, NW_DEPTHWISE_DIAGONAL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_hw *hw = load(rows[i].name);
        ck_assert_int_eq(hw->array.kind, NW_ARRAY_SYSTOLIC);
        ck_assert_int_eq(hw->array.rows, rows[i].side);
        ck_assert_int_eq(hw->array.cols, rows[i].side);
        ck_assert_int_eq(hw->array.dataflow, rows[i].dataflow);
        ck_assert_int_eq(hw->depthwise.kind, rows[i].depthwise);
        ck_assert(!hw->array.overlap_fold);
        ck_assert_int_eq(nw_hw_macs_per_cycle(hw), rows[i].side * rows[i].side);
        nw_hw_free(hw);
    }
}
END_TEST

START_TEST(every_figure_of_a_preset_has_a_source)
{
    for (int i = 0; i < N_PRESETS; i++) {
        nw_hw *hw = load(presets[i]);
        for (int key = 0; nw_hw_key(key); key++)
            if (nw_hw_key_is_figure(key) && nw_hw_key_applies(hw, key) &&
                !nw_hw_source(hw, nw_hw_key(key)))
                ck_abort_msg("%s: %s has no source", presets[i], nw_hw_key(key));
        ck_assert_msg(hw->notes[0], "%s has no notes", presets[i]);
        ck_assert_msg(!hw->calibration.present, "%s claims a calibration", presets[i]);
        nw_hw_free(hw);
    }
}
END_TEST

/* Nothing in the presets may hide behind a default: every key that means anything is written. */
START_TEST(presets_spell_out_every_figure)
{
    static const char *const roots[] = {"ne32",      "u55-128",       "u85-1024",
                                        "dpu-b4096", "systolic16-ws", "cpu-onednn"};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        nw_hw *hw = load(roots[i]);
        char path[64];
        snprintf(path, sizeof path, PRESETS "/%s.json", roots[i]);
        char *text = read_text(path, NULL);
        ck_assert_ptr_nonnull(text);
        *strstr(text, "\"sources\"") = '\0';
        for (int key = 0; nw_hw_key(key); key++) {
            const char *dot = strchr(nw_hw_key(key), '.');
            char quoted[64];
            snprintf(quoted, sizeof quoted, "\"%s\"", dot ? dot + 1 : nw_hw_key(key));
            if (nw_hw_key_is_figure(key) && nw_hw_key_applies(hw, key) && !strstr(text, quoted))
                ck_abort_msg("%s does not spell out %s", roots[i], nw_hw_key(key));
        }
        free(text);
        nw_hw_free(hw);
    }
}
END_TEST

/* Clears what differs by nature: pointers and where the text came from. */
static void strip(nw_hw *hw)
{
    hw->name = hw->notes = hw->path = hw->extends = hw->calibration.provenance = NULL;
    hw->store = NULL;
}

static void check_round_trip(const nw_hw *hw)
{
    char *text = nw_hw_describe(hw);
    nw_hw *again = parse_good(text);
    char *text_again = nw_hw_describe(again);
    ck_assert_str_eq(text, text_again);
    ck_assert_str_eq(hw->name, again->name);
    ck_assert_str_eq(hw->notes, again->notes);
    for (int key = 0; nw_hw_key(key); key++) {
        const char *a = nw_hw_source(hw, nw_hw_key(key));
        const char *b = nw_hw_source(again, nw_hw_key(key));
        if (nw_hw_key_applies(hw, key))
            ck_assert_msg(a == b || (a && b && strcmp(a, b) == 0), "%s", nw_hw_key(key));
    }
    nw_hw one = *hw, other = *again;
    strip(&one);
    strip(&other);
    ck_assert_mem_eq(&one, &other, sizeof one);
    free(text);
    free(text_again);
    nw_hw_free(again);
}

START_TEST(a_described_preset_reads_back_the_same)
{
    for (int i = 0; i < N_PRESETS; i++) {
        nw_hw *hw = load(presets[i]);
        check_round_trip(hw);
        nw_hw_free(hw);
    }
}
END_TEST

START_TEST(a_description_with_every_form_reads_back_the_same)
{
    nw_hw *hw = parse_good(
        "{\"extends\": \"ne32\", \"notes\": \"a \\\"quoted\\\" \\u001b[31m line\","
        "\"ops\": {\"resize\": \"host\", \"softmax\": {\"slow\": 0.125}},"
        "\"dram\": {\"bytes_per_s\": 3.2e9}, \"fusion\": [\"pool\", \"dw+pw\"],"
        "\"precisions\": [{\"weight_bits\": 4, \"activation_bits\": 16, \"float\": true,"
        "                  \"rate\": 0.1}], \"default_precision\": \"float16\","
        "\"weights\": {\"residence\": \"pinned\", \"pinned_bytes\": 5000, \"sparsity_n\": 2,"
        "              \"sparsity_m\": 4, \"sparsity_speedup\": 1.9},"
        "\"calibration\": {\"a\": 1.25, \"b\": -3, \"residual_pct\": 7.5,"
        "                  \"provenance\": \"board 3\"},"
        "\"sources\": {\"ops\": {\"resize\": \"manual p. 3\"}, \"fusion\": \"guess\"}}");
    ck_assert_int_eq(hw->ops[NW_OP_RESIZE].support, NW_OP_HOST);
    ck_assert_int_eq(hw->ops[NW_OP_SOFTMAX].support, NW_OP_SLOW);
    ck_assert(hw->ops[NW_OP_SOFTMAX].rate == 0.125);
    ck_assert(near(hw->dram.bytes_per_cycle, 3.2)); /* 3.2e9 bytes/s at 1e9 cycles/s */
    ck_assert(hw->fusion.pool && hw->fusion.dw_pw && !hw->fusion.conv_act && !hw->fusion.conv_add);
    ck_assert(nw_hw_precision_rate(hw, 4, 16, true) == 0.1);
    ck_assert(nw_hw_precision_rate(hw, 8, 8, false) == 0);
    ck_assert(hw->weights.pinned && hw->weights.pinned_bytes == 5000);
    ck_assert(hw->calibration.present && hw->calibration.b == -3);
    ck_assert_str_eq(hw->calibration.provenance, "board 3");
    ck_assert_str_eq(hw->notes, "a \"quoted\" \\x1b[31m line"); /* safe to print */
    ck_assert_str_eq(nw_hw_source(hw, "ops.resize"), "manual p. 3");
    ck_assert_str_eq(nw_hw_source(hw, "fusion"), "guess");
    check_round_trip(hw);
    nw_hw_free(hw);
}
END_TEST

START_TEST(three_lines_make_a_variant)
{
    nw_hw *base = load("ne32");
    nw_hw *hw = parse_good("{\"extends\": \"ne32\",\n\"array\": {\"pf_out\": 64},\n"
                           "\"sources\": {\"array\": {\"pf_out\": \"design review\"}}}");
    ck_assert_int_eq(hw->array.pf_out, 64);
    ck_assert_int_eq(hw->array.pf_in, 32);
    ck_assert_int_eq(hw->sram.bytes, base->sram.bytes);
    ck_assert_int_eq(nw_hw_macs_per_cycle(hw), 64 * 32);
    ck_assert_str_eq(hw->name, "mine");
    ck_assert_str_eq(hw->extends, "ne32");
    ck_assert_str_eq(nw_hw_source(hw, "array.pf_out"), "design review");
    ck_assert_str_eq(nw_hw_source(hw, "sram.bytes"), nw_hw_source(base, "sram.bytes"));
    nw_hw_free(hw);
    nw_hw_free(base);
}
END_TEST

START_TEST(a_source_does_not_outlive_its_figure)
{
    nw_hw *hw =
        parse_good("{\"extends\": \"u55-128\", \"clock_hz\": 1e9, \"sram\": {\"bytes\": 4096},"
                   " \"ops\": {\"resize\": \"host\"}}");
    ck_assert_ptr_null(nw_hw_source(hw, "clock_hz"));
    ck_assert_ptr_null(nw_hw_source(hw, "sram.bytes"));
    ck_assert_ptr_null(nw_hw_source(hw, "ops.resize"));
    ck_assert_ptr_nonnull(nw_hw_source(hw, "sram.latency_cycles"));
    nw_hw_free(hw);
}
END_TEST

START_TEST(another_kind_of_array_starts_anew)
{
    nw_hw *hw =
        parse_good("{\"extends\": \"ne32\", \"array\": {\"kind\": \"systolic\", \"rows\": 8,"
                   " \"cols\": 4, \"dataflow\": \"ws\"}, \"cores\": 2}");
    ck_assert_int_eq(nw_hw_macs_per_cycle(hw), 8 * 4 * 2);
    ck_assert_int_eq(hw->depthwise.kind, NW_DEPTHWISE_DIAGONAL); /* the default of ws */
    nw_hw_free(hw);
}
END_TEST

/* Defaults of the documentation: in_chunk pf_in, in_round in_chunk, kernel_group 1, rates the out
 * rate, pool_taps_per_cycle 1. */
START_TEST(left_out_keys_have_the_documented_defaults)
{
    nw_hw *hw = parse_good(
        "{\"clock_hz\": 1e9, \"array\": {\"kind\": \"dot\", \"pf_out\": 8, \"pf_in\": 24,"
        " \"weight_rate\": 8}, \"out_elements_per_cycle\": 6,"
        " \"precisions\": [{\"weight_bits\": 8, \"activation_bits\": 8, \"rate\": 1}],"
        " \"host\": {\"elements_per_s\": 1e9, \"bytes_per_s\": 1e9, \"switch_s\": 0},"
        " \"sram\": {\"bytes\": 1024, \"read_bytes_per_cycle\": 8, \"write_bytes_per_cycle\": 8},"
        " \"dram\": {\"bytes_per_cycle\": 2},"
        " \"energy_fj\": {\"mac\": 1, \"sram_read_byte\": 1, \"sram_write_byte\": 1,"
        " \"dram_read_byte\": 1, \"dram_write_byte\": 1}}");
    ck_assert_int_eq(hw->array.in_chunk, 24);
    ck_assert_int_eq(hw->array.in_round, 24);
    ck_assert_int_eq(hw->array.kernel_group, 1);
    ck_assert(hw->lut_elements_per_cycle == 6 && hw->add_elements_per_cycle == 6);
    ck_assert(hw->mul_elements_per_cycle == 6 && hw->requantise_elements_per_cycle == 6);
    ck_assert(hw->pool_taps_per_cycle == 1);
    ck_assert_int_eq(hw->depthwise.kind, NW_DEPTHWISE_ARRAY);
    ck_assert_int_eq(hw->ops[NW_OP_CONV2D].support, NW_OP_NATIVE);
    ck_assert_int_eq(hw->ops[NW_OP_OPAQUE].support, NW_OP_HOST);
    ck_assert_int_eq(nw_hw_macs_per_cycle(hw), 8 * 24);
    ck_assert_str_eq(hw->default_precision, "int8");
    ck_assert(hw->overlap_compute_dma && hw->prefetch_weights && !hw->fusion.conv_act);
    check_round_trip(hw);
    nw_hw_free(hw);
}
END_TEST

#define NE32(rest) "{\"extends\": \"ne32\", " rest "}"

START_TEST(errors_name_the_key_and_say_what_to_do)
{
    static const struct {
        const char *json, *where, *message;
    } rows[] = {
        {NE32("\"clock_khz\": 1"), "clock_khz", "did you mean \"clock_hz\""},
        {NE32("\"sram\": {\"byte\": 1}"), "sram.byte", "did you mean \"sram.bytes\""},
        {NE32("\"pf_in\": 1"), "pf_in", "did you mean \"array.pf_in\""},
        {NE32("\"zzzzzzzz\": 1"), "zzzzzzzz", "unknown key"},
        {NE32("\"array\": {\"kind\": {\"x\": 1}}"), "array.kind", "\"dot\", \"systolic\""},
        {NE32("\"array\": {\"kind\": \"dots\"}"), "array.kind", "not \"dots\""},
        {NE32("\"array\": 3"), "array", "must be an object, not a number"},
        {NE32("\"clock_hz\": \"1e9\""), "clock_hz", "must be a number, not a string"},
        {NE32("\"clock_hz\": null"), "clock_hz", "not null"},
        {NE32("\"clock_hz\": 0"), "clock_hz", "above zero"},
        {NE32("\"clock_hz\": 1e999"), "clock_hz", "too large"},
        {NE32("\"clock_hz\": -1e999"), "clock_hz", "too large"},
        {NE32("\"clock_hz\": NaN"), "mine.json", "not JSON"},
        {NE32("\"clock_hz\": inf"), "mine.json", "not JSON"},
        {NE32("\"sram\": {\"bytes\": 0}"), "sram.bytes", "above zero"},
        {NE32("\"sram\": {\"bytes\": -4096}"), "sram.bytes", "above zero, not -4096"},
        {NE32("\"sram\": {\"bytes\": 1.5}"), "sram.bytes", "whole number"},
        {NE32("\"sram\": {\"bytes\": 1e300}"), "sram.bytes", "must be from 1 to"},
        {NE32("\"array\": {\"pf_out\": 4294967297}"), "array.pf_out", "must be from 1 to 65536"},
        {NE32("\"array\": {\"pf_out\": true}"), "array.pf_out", "not true or false"},
        {NE32("\"tile\": {\"max_h\": -1}"), "tile.max_h", "must be from 0"},
        {NE32("\"clock_hz\": 1, \"clock_hz\": 2"), "clock_hz", "given twice"},
        {NE32("\"sram\": {\"bytes\": 1, \"bytes\": 2}"), "sram.bytes", "given twice"},
        {NE32("\"cascade\": true"), "cascade", "cascades do not exist yet"},
        {NE32("\"cascade\": 1"), "cascade", "must be true or false"},
        {NE32("\"fusion\": [\"conv+relu\"]"), "fusion", "\"conv+act\""},
        {NE32("\"fusion\": [\"pool\", \"pool\"]"), "fusion", "twice"},
        {NE32("\"fusion\": \"pool\""), "fusion", "a list"},
        {NE32("\"ops\": {\"resizes\": \"host\"}"), "ops.resizes", "did you mean \"resize\""},
        {NE32("\"ops\": {\"opaque\": \"native\"}"), "ops.opaque", "no known cost"},
        {NE32("\"ops\": {\"add\": \"fast\"}"), "ops.add", "\"native\", \"host\""},
        {NE32("\"ops\": {\"add\": {\"slow\": 0}}"), "ops.add", "above zero"},
        {NE32("\"ops\": {\"add\": {\"rate\": 1}}"), "ops.add", "{\"slow\": elements a cycle}"},
        {NE32("\"ops\": []"), "ops", "must be an object"},
        {NE32("\"precisions\": []"), "precisions", "empty"},
        {NE32("\"precisions\": [{\"weight_bits\": 8, \"activation_bits\": 8}]"), "precisions[0]",
         "\"rate\" is missing"},
        {NE32("\"precisions\": [{\"bits\": 8}]"), "precisions[0].bits", "unknown key"},
        {NE32("\"precisions\": [{\"weight_bits\": 8, \"activation_bits\": 8, \"rate\": 1},"
              "{\"weight_bits\": 8, \"activation_bits\": 8, \"rate\": 2}]"),
         "precisions[1]", "twice"},
        {NE32("\"default_precision\": \"float32\""), "default_precision", "not among precisions"},
        {NE32("\"default_precision\": \"a very long word indeed\""), "default_precision", "name"},
        {NE32("\"array\": {\"in_chunk\": 16}"), "array.in_chunk", "at least array.pf_in"},
        {NE32("\"array\": {\"in_round\": 64}"), "array.in_round", "at most array.in_chunk"},
        {NE32("\"array\": {\"rows\": 16}"), "array.rows", "means nothing"},
        {NE32("\"array\": {\"kind\": \"systolic\"}"), "array.rows", "is missing"},
        {NE32("\"depthwise\": {\"channels\": 16}"), "depthwise.channels", "only for"},
        {NE32("\"depthwise\": {\"kind\": \"unit\"}"), "depthwise.channels", "is missing"},
        {NE32("\"depthwise\": {\"kind\": \"diagonal\"}"), "depthwise.kind", "must be \"array\""},
        {NE32("\"array\": {\"pf_out\": 65536, \"pf_in\": 65536, \"px_h\": 4096, \"px_w\": 4096,"
              "\"in_chunk\": 65536}"),
         "array", "2^40"},
        {NE32("\"dram\": {\"bytes_per_cycle\": 1, \"bytes_per_s\": 1}"), "dram.bytes_per_s",
         "contradicts"},
        {NE32("\"weights\": {\"residence\": \"pinned\"}"), "weights.pinned_bytes", "is missing"},
        {NE32("\"weights\": {\"sparsity_n\": 4, \"sparsity_m\": 4}"), "weights.sparsity_n", "less"},
        {NE32("\"calibration\": {\"a\": 1}"), "calibration.b", "is missing"},
        {NE32("\"sources\": {\"clock\": \"x\"}"), "clock", "did you mean \"clock_hz\""},
        {NE32("\"sources\": {\"clock_hz\": 1}"), "sources.clock_hz", "must be a string"},
        {NE32("\"sources\": {\"sram\": {\"size\": \"x\"}}"), "sram.size", "unknown key"},
        {NE32("\"sources\": [\"x\"]"), "sources", "must be an object"},
        {"{}", "clock_hz", "is missing"},
        {"[1, 2]", "mine.json", "must hold an object"},
        {"7", "mine.json", "must hold an object"},
        {"", "mine.json", "not JSON"},
        {"{\"extends\": \"ne32\"} x", "mine.json", "not JSON"},
        {"{\"extends\": \"ne32\",\n\n\"clock_hz\" 3}", "mine.json", "line 3"},
        {"{\"extends\": \"nonsuch\"}", "nonsuch", "no such hardware description in hw"},
        {"{\"extends\": 3}", "extends", "must be a string"},
        {"{\"extends\": \"../ne32.json\"}", "extends", "must be a name here"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_error err = {0};
        nw_hw *hw = NULL;
        ck_assert_msg(parse(rows[i].json, &hw, &err) != NW_OK, "accepted: %s", rows[i].json);
        ck_assert_msg(strncmp(err.where, "mine.json", 9) == 0, "%s: %s: %s", rows[i].json,
                      err.where, err.message);
        size_t n = strlen(err.where), m = strlen(rows[i].where);
        ck_assert_msg(n >= m && strcmp(err.where + n - m, rows[i].where) == 0, "%s: %s: %s",
                      rows[i].json, err.where, err.message);
        ck_assert_msg(strstr(err.message, rows[i].message), "%s: %s: %s", rows[i].json, err.where,
                      err.message);
        ck_assert_ptr_null(hw);
    }
}
END_TEST

START_TEST(a_zero_byte_and_deep_nesting_are_no_json)
{
    nw_error err;
    nw_hw *hw = NULL;
    ck_assert_int_eq(nw_hw_parse("{}\0{", 4, "zero", "", &hw, &err), NW_INVALID);
    char deep[5001];
    memset(deep, '[', 5000);
    deep[5000] = '\0';
    ck_assert_int_eq(parse(deep, &hw, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "nested too deep"));
}
END_TEST

/* What hw:with{...} means is what a file that extends the description means. */
START_TEST(a_derived_description_is_that_of_a_file_extending_it)
{
    static const char *const patches[] = {
        "",
        "\"clock_hz\": 2e9",
        "\"array\": {\"pf_in\": 64}",
        "\"array\": {\"pf_in\": 16, \"in_chunk\": 32}",
        "\"dram\": {\"bytes_per_s\": 3e9}, \"notes\": \"mine\"",
        "\"ops\": {\"softmax\": {\"slow\": 2}}, \"sources\": {\"clock_hz\": \"a guess\"}",
        "\"sram\": {\"bytes\": 65536}, \"sources\": {\"sram\": \"a guess\"}",
        "\"array\": {\"kind\": \"systolic\", \"rows\": 8, \"cols\": 8, \"dataflow\": \"ws\"}",
        "\"depthwise\": {\"kind\": \"unit\", \"channels\": 8, \"pixels\": 2}",
        "\"calibration\": {\"a\": 1.1, \"b\": 2, \"residual_pct\": 3, \"provenance\": \"x\"}",
    };
    for (size_t i = 0; i < sizeof patches / sizeof *patches; i++)
        for (int k = 0; k < N_PRESETS; k++) {
            char file[640], patch[512];
            nw_hw *base = load(presets[k]), *by_file = NULL, *derived = NULL;
            nw_error err, derived_err;
            snprintf(patch, sizeof patch, "{\"name\": \"x\"%s%s}", patches[i][0] ? ", " : "",
                     patches[i]);
            snprintf(file, sizeof file, "{\"extends\": \"%s\", %s", presets[k], patch + 1);
            nw_status status = parse(file, &by_file, &err);
            ck_assert_int_eq(nw_hw_derive(base, patch, PRESETS, &derived, &derived_err), status);
            if (status == NW_OK) {
                char *a = nw_hw_describe(by_file), *b = nw_hw_describe(derived);
                ck_assert_str_eq(a, b);
                free(a);
                free(b);
            } else {
                ck_assert_str_eq(derived_err.message, err.message);
            }
            nw_hw_free(base); /* the derived one holds on to nothing of it */
            nw_hw_free(by_file);
            nw_hw_free(derived);
        }
}
END_TEST

START_TEST(derived_descriptions_have_a_star_and_drop_sources_of_what_they_replace)
{
    nw_error err;
    nw_hw *base = load("ne32"), *once, *twice, *other;
    ck_assert_int_eq(nw_hw_derive(base, "{\"clock_hz\": 2e9}", "", &once, &err), NW_OK);
    ck_assert_int_eq(nw_hw_derive(once, "{\"cores\": 2}", "", &twice, &err), NW_OK);
    ck_assert_str_eq(once->name, "ne32*");
    ck_assert_str_eq(twice->name, "ne32*");
    ck_assert_str_eq(twice->path, base->path);
    ck_assert(twice->clock_hz == 2e9 && twice->cores == 2 && base->cores == 1);
    ck_assert_ptr_nonnull(nw_hw_source(base, "clock_hz"));
    ck_assert_ptr_null(nw_hw_source(twice, "clock_hz"));
    ck_assert_str_eq(nw_hw_source(twice, "sram.bytes"), nw_hw_source(base, "sram.bytes"));
    ck_assert_int_eq(
        nw_hw_derive(base, "{\"extends\": \"ne64\", \"cores\": 2}", PRESETS, &other, &err), NW_OK);
    ck_assert_int_eq(other->array.pf_in, 64); /* ne64's, which comes between */
    nw_hw_free(other);

    static const struct {
        const char *patch, *where, *words;
    } bad[] = {
        {"", "ne32*", "is not JSON"},
        {"[]", "ne32*", "must hold an object"},
        {"{\"clok_hz\": 1}", "ne32*: clok_hz", "did you mean \"clock_hz\""},
        {"{\"sram\": {\"bytes\": -1}}", "ne32*: sram.bytes", "above zero"},
        {"{\"sram\": {\"bytes\": \"1\"}}", "ne32*: sram.bytes", "must be a number"},
        {"{\"array\": {\"rows\": 4}}", "ne32*: array.rows", "means nothing"},
        {"{\"extends\": \"../ne64.json\"}", "ne32*: extends", "must be a name here"},
        {"{\"extends\": \"no such\"}", "", "no such hardware description"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        other = NULL;
        ck_assert_int_ne(nw_hw_derive(base, bad[i].patch, PRESETS, &other, &err), NW_OK);
        ck_assert_ptr_null(other);
        ck_assert_msg(strncmp(err.where, bad[i].where, strlen(bad[i].where)) == 0, "%s", err.where);
        ck_assert_msg(strstr(err.message, bad[i].words), "%s", err.message);
    }
    nw_hw_free(twice);
    nw_hw_free(once);
    nw_hw_free(base);
}
END_TEST

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* a <- b <- c by name and by a path relative to the extending file. */
START_TEST(files_extend_by_name_and_by_relative_path)
{
    char folder[] = "/tmp/test_hw_XXXXXX", inner[64], search[128], path[128], name[32];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(inner, sizeof inner, "%s/inner", folder);
    ck_assert_int_eq(mkdir(inner, 0700), 0);
    write_file(folder, "b.json",
               "{\"extends\": \"ne32\", \"clock_hz\": 2e9, \"name\": \"other\","
               "\"sources\": {\"clock_hz\": \"from b\"}}");
    write_file(inner, "a.json", "{\"extends\": \"../b.json\", \"cores\": 3}");
    snprintf(search, sizeof search, "%s:%s", inner, PRESETS);
    nw_error err;
    nw_hw *hw;
    if (nw_hw_load("a", search, &hw, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    ck_assert(hw->clock_hz == 2e9);
    ck_assert_int_eq(hw->cores, 3);
    ck_assert_str_eq(hw->name, "a"); /* a name is not inherited */
    ck_assert_str_eq(nw_hw_source(hw, "clock_hz"), "from b");
    nw_hw_free(hw);

    write_file(folder, "b.json", "{\"extends\": \"a\"}"); /* a -> b -> a */
    ck_assert_int_ne(nw_hw_load("a", search, &hw, &err), NW_OK);
    ck_assert_ptr_nonnull(strstr(err.message, "leads back"));

    write_file(folder, "b.json", "{\"clock_hz\": \"fast\"}"); /* the guilty file is named */
    ck_assert_int_eq(nw_hw_load("a", search, &hw, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.where, "b.json: clock_hz"));

    for (int i = 0; i < 9; i++) { /* ten files in a row */
        char text[64];
        snprintf(name, sizeof name, "c%d.json", i);
        snprintf(text, sizeof text, "{\"extends\": \"c%d.json\"}", i + 1);
        write_file(inner, name, text);
    }
    snprintf(path, sizeof path, "%s/c0.json", inner);
    ck_assert_int_eq(nw_hw_load(path, search, &hw, &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "more than 8 files"));
    ck_assert_int_eq(nw_hw_load("nonsuch", search, &hw, &err), NW_IO);
    ck_assert_int_eq(nw_hw_load("./nonsuch.json", search, &hw, &err), NW_IO);
    for (int i = 0; i < 9; i++) {
        snprintf(path, sizeof path, "%s/c%d.json", inner, i);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/a.json", inner);
    unlink(path);
    snprintf(path, sizeof path, "%s/b.json", folder);
    unlink(path);
    rmdir(inner);
    rmdir(folder);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("hw");
    tcase_add_test(tests, presets_carry_the_figures_of_the_tables);
    tcase_add_test(tests, presets_carry_the_tile_limits_of_the_tables);
    tcase_add_test(tests, the_dpu_runs_squeeze_and_excite_on_its_host);
    tcase_add_test(tests, systolic_presets_differ_in_dataflow_and_size);
    tcase_add_test(tests, every_figure_of_a_preset_has_a_source);
    tcase_add_test(tests, presets_spell_out_every_figure);
    tcase_add_test(tests, a_described_preset_reads_back_the_same);
    tcase_add_test(tests, a_description_with_every_form_reads_back_the_same);
    tcase_add_test(tests, three_lines_make_a_variant);
    tcase_add_test(tests, a_source_does_not_outlive_its_figure);
    tcase_add_test(tests, another_kind_of_array_starts_anew);
    tcase_add_test(tests, left_out_keys_have_the_documented_defaults);
    tcase_add_test(tests, errors_name_the_key_and_say_what_to_do);
    tcase_add_test(tests, a_zero_byte_and_deep_nesting_are_no_json);
    tcase_add_test(tests, a_derived_description_is_that_of_a_file_extending_it);
    tcase_add_test(tests, derived_descriptions_have_a_star_and_drop_sources_of_what_they_replace);
    tcase_add_test(tests, files_extend_by_name_and_by_relative_path);
    Suite *suite = suite_create("hw");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
