#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "src/hw/internal.h"

static const char *const array_kinds[] = {"dot", "systolic", NULL};
static const char *const dataflows[] = {"ws", "os", "is", NULL};
static const char *const core_splits[] = {"out_channels", "rows", NULL};
static const char *const first_layers[] = {"plain", "part_kernel", NULL};
static const char *const depthwise_kinds[] = {"array",      "unit",        "diagonal",
                                              "one_filter", "per_channel", NULL};
static const char *const residences[] = {"streamed", "pinned", NULL};

const char *const nw_hw_fusion_names[] = {"conv+act", "conv+add", "dw+pw", "pool", NULL};

/* Bounds that keep every product of the device's formulas inside int64 and every rate usable. */
#define MAX_LANES  65536
#define MAX_BYTES  1125899906842624.0 /* 2^50 */
#define MAX_CYCLES 1e12
#define MIN_RATE   1e-6
#define MAX_RATE   1e9

#define AT(field) offsetof(nw_hw, field)
#define NEED(path, type, when, field, min, max)                                                    \
    {                                                                                              \
        path, NW_HW_##type, NW_HW_##when, NW_HW_REQUIRED, AT(field), min, max, 0, NULL, NULL       \
    }
#define ELSE(path, type, when, field, min, max, fallback)                                          \
    {                                                                                              \
        path, NW_HW_##type, NW_HW_##when, NW_HW_OPTIONAL, AT(field), min, max, fallback, NULL,     \
            NULL                                                                                   \
    }
#define LIKE(path, type, when, field, min, max, same_as)                                           \
    {                                                                                              \
        path, NW_HW_##type, NW_HW_##when, NW_HW_OPTIONAL, AT(field), min, max, 0, same_as, NULL    \
    }
#define FLAG(path, when, field, fallback) ELSE(path, BOOL, when, field, 0, 1, fallback)
#define NAMES(path, type, when, need, field, names)                                                \
    {                                                                                              \
        path, NW_HW_##type, NW_HW_##when, NW_HW_##need, AT(field), 0, 0, 0, NULL, names            \
    }
#define FORM(path, type, when, need, field)                                                        \
    {                                                                                              \
        path, NW_HW_##type, NW_HW_##when, NW_HW_##need, AT(field), 0, 0, 0, NULL, NULL             \
    }

/* Keys of a group stand together; what a default refers to stands before it. */
const nw_hw_key_row nw_hw_rows[] = {
    FORM("name", TEXT, ALWAYS, LABEL, name),
    FORM("notes", TEXT, ALWAYS, LABEL, notes),
    FORM("extends", TEXT, ALWAYS, LABEL, extends),
    NEED("clock_hz", DOUBLE, ALWAYS, clock_hz, 1, 1e12),
    ELSE("cores", INT, ALWAYS, cores, 1, 1024, 1),
    NAMES("core_split", ENUM, ALWAYS, OPTIONAL, core_split, core_splits),
    ELSE("sync_cycles", INT64, ALWAYS, sync_cycles, 0, MAX_CYCLES, 0),

    NAMES("array.kind", ENUM, ALWAYS, REQUIRED, array.kind, array_kinds),
    NEED("array.pf_out", INT, DOT, array.pf_out, 1, MAX_LANES),
    NEED("array.pf_in", INT, DOT, array.pf_in, 1, MAX_LANES),
    ELSE("array.px_h", INT, DOT, array.px_h, 1, 4096, 1),
    ELSE("array.px_w", INT, DOT, array.px_w, 1, 4096, 1),
    LIKE("array.in_chunk", INT, DOT, array.in_chunk, 1, MAX_LANES, "array.pf_in"),
    LIKE("array.in_round", INT, DOT, array.in_round, 1, MAX_LANES, "array.in_chunk"),
    ELSE("array.kernel_group", INT, DOT, array.kernel_group, 1, 1024, 1),
    NEED("array.weight_rate", DOUBLE, DOT, array.weight_rate, MIN_RATE, MAX_RATE),
    ELSE("array.step_bubble_cycles", INT, DOT, array.step_bubble_cycles, 0, 1e6, 0),
    NAMES("array.first_layer", ENUM, DOT, OPTIONAL, array.first_layer, first_layers),
    NEED("array.rows", INT, SYSTOLIC, array.rows, 1, MAX_LANES),
    NEED("array.cols", INT, SYSTOLIC, array.cols, 1, MAX_LANES),
    NAMES("array.dataflow", ENUM, SYSTOLIC, REQUIRED, array.dataflow, dataflows),
    FLAG("array.overlap_fold", SYSTOLIC, array.overlap_fold, false),

    NAMES("depthwise.kind", ENUM, ALWAYS, OPTIONAL, depthwise.kind, depthwise_kinds),
    ELSE("depthwise.taps_per_cycle", INT, DOT, depthwise.taps_per_cycle, 1, 1024, 1),
    NEED("depthwise.channels", INT, UNIT, depthwise.channels, 1, MAX_LANES),
    NEED("depthwise.pixels", INT, UNIT, depthwise.pixels, 1, MAX_LANES),

    NEED("out_elements_per_cycle", DOUBLE, ALWAYS, out_elements_per_cycle, MIN_RATE, MAX_RATE),
    LIKE("lut_elements_per_cycle", DOUBLE, ALWAYS, lut_elements_per_cycle, MIN_RATE, MAX_RATE,
         "out_elements_per_cycle"),
    LIKE("add_elements_per_cycle", DOUBLE, ALWAYS, add_elements_per_cycle, MIN_RATE, MAX_RATE,
         "out_elements_per_cycle"),
    LIKE("mul_elements_per_cycle", DOUBLE, ALWAYS, mul_elements_per_cycle, MIN_RATE, MAX_RATE,
         "out_elements_per_cycle"),
    LIKE("requantise_elements_per_cycle", DOUBLE, ALWAYS, requantise_elements_per_cycle, MIN_RATE,
         MAX_RATE, "out_elements_per_cycle"),
    ELSE("pool_taps_per_cycle", DOUBLE, ALWAYS, pool_taps_per_cycle, MIN_RATE, MAX_RATE, 1),
    ELSE("pool_min_cycles", INT64, ALWAYS, pool_min_cycles, 0, 1e6, 0),

    ELSE("tile.max_h", INT, ALWAYS, tile.max_h, 0, 1e9, 0),
    ELSE("tile.max_w", INT, ALWAYS, tile.max_w, 0, 1e9, 0),
    ELSE("tile.max_c", INT, ALWAYS, tile.max_c, 0, 1e9, 0),
    ELSE("tile.max_pixels", INT, ALWAYS, tile.max_pixels, 0, 1e9, 0),
    ELSE("tile.buffer_bytes", INT64, ALWAYS, tile.buffer_bytes, 0, MAX_BYTES, 0),
    FLAG("tile.command_limit", ALWAYS, tile.command_limit, false),
    FLAG("tile.bias_fetch", ALWAYS, tile.bias_fetch, false),

    FORM("precisions", PRECISIONS, ALWAYS, REQUIRED, precisions),
    FORM("default_precision", WORD, ALWAYS, OPTIONAL, default_precision),
    FORM("ops", OPS, ALWAYS, OPTIONAL, ops),
    NEED("host.elements_per_s", DOUBLE, ALWAYS, host.elements_per_s, MIN_RATE, 1e18),
    NEED("host.bytes_per_s", DOUBLE, ALWAYS, host.bytes_per_s, MIN_RATE, 1e18),
    NEED("host.switch_s", DOUBLE, ALWAYS, host.switch_s, 0, 1e3),
    ELSE("limits.max_kernel", INT, ALWAYS, limits.max_kernel, 0, 1e9, 0),
    ELSE("limits.min_kernel", INT, ALWAYS, limits.min_kernel, 0, 1e9, 0),
    ELSE("limits.max_stride", INT, ALWAYS, limits.max_stride, 0, 1e9, 0),
    ELSE("limits.max_channels", INT, ALWAYS, limits.max_channels, 0, 1e9, 0),
    ELSE("limits.max_kernel_volume", INT, ALWAYS, limits.max_kernel_volume, 0, 1e9, 0),

    NEED("sram.bytes", INT64, ALWAYS, sram.bytes, 1, MAX_BYTES),
    NEED("sram.read_bytes_per_cycle", DOUBLE, ALWAYS, sram.read_bytes_per_cycle, MIN_RATE,
         MAX_RATE),
    NEED("sram.write_bytes_per_cycle", DOUBLE, ALWAYS, sram.write_bytes_per_cycle, MIN_RATE,
         MAX_RATE),
    ELSE("sram.latency_cycles", INT64, ALWAYS, sram.latency_cycles, 0, 1e9, 0),
    ELSE("sram.burst_bytes", INT64, ALWAYS, sram.burst_bytes, 1, 1e6, 1),
    FLAG("sram.shared_port", ALWAYS, sram.shared_port, true),
    ELSE("sram.align_channels", INT, ALWAYS, sram.align_channels, 1, 4096, 1),
    ELSE("sram.align_bytes", INT, ALWAYS, sram.align_bytes, 1, 65536, 1),
    ELSE("sram.weight_sram_bytes", INT64, ALWAYS, sram.weight_sram_bytes, 0, MAX_BYTES, 0),
    ELSE("sram.accumulator_bytes", INT64, ALWAYS, sram.accumulator_bytes, 0, MAX_BYTES, 0),

    ELSE("dram.bytes_per_cycle", DOUBLE, ALWAYS, dram.bytes_per_cycle, MIN_RATE, MAX_RATE, 0),
    ELSE("dram.bytes_per_s", DOUBLE, ALWAYS, dram.bytes_per_s, MIN_RATE, 1e18, 0),
    ELSE("dram.read_latency_cycles", INT64, ALWAYS, dram.read_latency_cycles, 0, 1e9, 0),
    ELSE("dram.write_latency_cycles", INT64, ALWAYS, dram.write_latency_cycles, 0, 1e9, 0),
    ELSE("dram.burst_bytes", INT64, ALWAYS, dram.burst_bytes, 1, 1e6, 1),
    FLAG("dram.weights_only", ALWAYS, dram.weights_only, false),

    NAMES("weights.residence", FLAG, ALWAYS, OPTIONAL, weights.pinned, residences),
    ELSE("weights.pinned_bytes", INT64, ALWAYS, weights.pinned_bytes, 0, MAX_BYTES, 0),
    ELSE("weights.compression", DOUBLE, ALWAYS, weights.compression, 1e-3, 16, 1),
    ELSE("weights.sparsity_n", INT, ALWAYS, weights.sparsity_n, 0, 1024, 0),
    ELSE("weights.sparsity_m", INT, ALWAYS, weights.sparsity_m, 0, 1024, 0),
    ELSE("weights.sparsity_speedup", DOUBLE, ALWAYS, weights.sparsity_speedup, 1, 1024, 1),

    FLAG("overlap_compute_dma", ALWAYS, overlap_compute_dma, true),
    FLAG("prefetch_weights", ALWAYS, prefetch_weights, true),
    ELSE("kernel_overhead_cycles", INT64, ALWAYS, kernel_overhead_cycles, 0, MAX_CYCLES, 0),
    ELSE("inference_overhead_cycles", INT64, ALWAYS, inference_overhead_cycles, 0, MAX_CYCLES, 0),
    FORM("fusion", FUSION, ALWAYS, OPTIONAL, fusion),
    FLAG("cascade", ALWAYS, fusion.cascade, false),

    NEED("energy_fj.mac", DOUBLE, ALWAYS, energy.mac, 0, 1e9),
    NEED("energy_fj.sram_read_byte", DOUBLE, ALWAYS, energy.sram_read_byte, 0, 1e9),
    NEED("energy_fj.sram_write_byte", DOUBLE, ALWAYS, energy.sram_write_byte, 0, 1e9),
    NEED("energy_fj.dram_read_byte", DOUBLE, ALWAYS, energy.dram_read_byte, 0, 1e9),
    NEED("energy_fj.dram_write_byte", DOUBLE, ALWAYS, energy.dram_write_byte, 0, 1e9),
    ELSE("static_w", DOUBLE, ALWAYS, energy.static_w, 0, 1e6, 0),

    NEED("calibration.a", DOUBLE, CALIBRATED, calibration.a, 1e-6, 1e6),
    NEED("calibration.b", DOUBLE, CALIBRATED, calibration.b, -1e9, 1e9),
    NEED("calibration.residual_pct", DOUBLE, CALIBRATED, calibration.residual_pct, 0, 1e6),
    FORM("calibration.provenance", TEXT, CALIBRATED, REQUIRED, calibration.provenance),
};

const int nw_hw_n_rows = (int)(sizeof nw_hw_rows / sizeof *nw_hw_rows);

int nw_hw_find_row(const char *path)
{
    for (int i = 0; i < nw_hw_n_rows; i++)
        if (strcmp(nw_hw_rows[i].path, path) == 0)
            return i;
    return -1;
}

bool nw_hw_is_group(const char *group)
{
    size_t length = strlen(group);
    for (int i = 0; i < nw_hw_n_rows; i++)
        if (strncmp(nw_hw_rows[i].path, group, length) == 0 && nw_hw_rows[i].path[length] == '.')
            return true;
    return false;
}

const char *nw_hw_key(int index)
{
    return index >= 0 && index < nw_hw_n_rows ? nw_hw_rows[index].path : NULL;
}

bool nw_hw_key_is_figure(int index)
{
    return nw_hw_rows[index].need != NW_HW_LABEL;
}

bool nw_hw_row_applies(const nw_hw *hw, const nw_hw_key_row *row)
{
    switch (row->when) {
    case NW_HW_DOT:
        return hw->array.kind == NW_ARRAY_DOT;
    case NW_HW_SYSTOLIC:
        return hw->array.kind == NW_ARRAY_SYSTOLIC;
    case NW_HW_UNIT:
        return hw->depthwise.kind == NW_DEPTHWISE_UNIT;
    case NW_HW_CALIBRATED:
        return hw->calibration.present;
    default:
        return true;
    }
}

double nw_hw_get_number(const nw_hw *hw, const nw_hw_key_row *row)
{
    const char *at = (const char *)hw + row->offset;
    int small;
    int64_t large;
    double real;
    bool flag;
    switch (row->type) {
    case NW_HW_INT:
    case NW_HW_ENUM:
        memcpy(&small, at, sizeof small);
        return small;
    case NW_HW_INT64:
        memcpy(&large, at, sizeof large);
        return (double)large;
    case NW_HW_DOUBLE:
        memcpy(&real, at, sizeof real);
        return real;
    default:
        memcpy(&flag, at, sizeof flag);
        return flag;
    }
}

void nw_hw_set_number(nw_hw *hw, const nw_hw_key_row *row, double value)
{
    char *at = (char *)hw + row->offset;
    switch (row->type) {
    case NW_HW_INT:
    case NW_HW_ENUM:
        memcpy(at, &(int){(int)value}, sizeof(int));
        break;
    case NW_HW_INT64:
        memcpy(at, &(int64_t){(int64_t)value}, sizeof(int64_t));
        break;
    case NW_HW_DOUBLE:
        memcpy(at, &value, sizeof value);
        break;
    default:
        memcpy(at, &(bool){value != 0}, sizeof(bool));
        break;
    }
}

bool *nw_hw_fusion_flag(nw_hw *hw, int i)
{
    bool *flags[] = {&hw->fusion.conv_act, &hw->fusion.conv_add, &hw->fusion.dw_pw,
                     &hw->fusion.pool};
    return flags[i];
}

#define MAX_WORD 64

/* Levenshtein's distance; words are cut at MAX_WORD. */
static int edit_distance(const char *a, const char *b)
{
    int row[MAX_WORD + 1];
    int n_a = (int)strnlen(a, MAX_WORD), n_b = (int)strnlen(b, MAX_WORD);
    for (int j = 0; j <= n_b; j++)
        row[j] = j;
    for (int i = 1; i <= n_a; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n_b; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[n_b];
}

static const char *after_dot(const char *path)
{
    const char *dot = strchr(path, '.');
    return dot ? dot + 1 : path;
}

static bool is_near(const char *word, int distance)
{
    return distance <= 1 + (int)strnlen(word, MAX_WORD) / 3;
}

const char *nw_hw_nearest_key(const char *path)
{
    const char *best = NULL;
    int best_distance = MAX_WORD;
    for (int i = 0; i < nw_hw_n_rows; i++) {
        const char *known = nw_hw_rows[i].path;
        int distance = edit_distance(path, known);
        if (strcmp(after_dot(path), after_dot(known)) == 0)
            distance = 1; /* the right key in the wrong place */
        if (strncmp(path, known, strlen(path)) == 0 && strlen(path) > 3 && distance > 2)
            distance = 2; /* "clock" */
        if (distance < best_distance) {
            best = known;
            best_distance = distance;
        }
    }
    return is_near(path, best_distance) ? best : NULL;
}

const char *nw_hw_nearest_op(const char *name)
{
    const char *best = NULL;
    int best_distance = MAX_WORD;
    for (int i = NW_OP_OPAQUE + 1; i < NW_OP_COUNT; i++) {
        int distance = edit_distance(name, nw_op_name((nw_op)i));
        if (distance < best_distance) {
            best = nw_op_name((nw_op)i);
            best_distance = distance;
        }
    }
    return is_near(name, best_distance) ? best : NULL;
}
