/* hw.h - an accelerator, described by a JSON file.
 *
 * Everything that an estimate depends on is in here, each figure with its source, each key with
 * its unit in the name; rates are per cycle of clock_hz unless the key says _per_s. A file may
 * extend another ("extends": "ne32") and then holds only what differs. Wrong types, unknown keys,
 * values out of range are errors that name the key. A read description is const for everyone.
 */
#ifndef NW_HW_H
#define NW_HW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/graph/graph.h"

typedef enum nw_array_kind { NW_ARRAY_DOT, NW_ARRAY_SYSTOLIC } nw_array_kind;
typedef enum nw_dataflow { NW_DATAFLOW_WS, NW_DATAFLOW_OS, NW_DATAFLOW_IS } nw_dataflow;
typedef enum nw_core_split { NW_SPLIT_OUT_CHANNELS, NW_SPLIT_ROWS } nw_core_split;
typedef enum nw_first_layer { NW_FIRST_PLAIN, NW_FIRST_PART_KERNEL } nw_first_layer;

typedef enum nw_depthwise_kind {
    NW_DEPTHWISE_ARRAY,      /* dot: on the diagonal of the array */
    NW_DEPTHWISE_UNIT,       /* dot: lanes of its own */
    NW_DEPTHWISE_DIAGONAL,   /* systolic: block-diagonal packing */
    NW_DEPTHWISE_ONE_FILTER, /* systolic: SCALE-Sim's convention, one filter over all channels */
    NW_DEPTHWISE_PER_CHANNEL /* systolic: one single-column product a channel */
} nw_depthwise_kind;

typedef enum nw_op_support { NW_OP_NATIVE, NW_OP_SLOW, NW_OP_HOST } nw_op_support;

typedef struct nw_hw_op {
    nw_op_support support;
    double rate; /* slow: elements a cycle */
} nw_hw_op;

typedef struct nw_hw_precision {
    int weight_bits, activation_bits;
    bool is_float;
    double rate; /* relative to int8 x int8 */
} nw_hw_precision;

#define NW_HW_MAX_PRECISIONS 16

typedef struct nw_hw {
    const char *name, *notes;
    const char *path;    /* of the file it came from */
    const char *extends; /* "" if nothing */
    double clock_hz;
    int cores;
    nw_core_split core_split;
    int64_t sync_cycles; /* added per kernel when cores > 1 */

    struct {
        nw_array_kind kind;
        int pf_out, pf_in, px_h, px_w; /* dot */
        int in_chunk, in_round, kernel_group;
        double weight_rate; /* weights decoded per cycle and core */
        int step_bubble_cycles;
        nw_first_layer first_layer;
        int rows, cols; /* systolic */
        nw_dataflow dataflow;
        bool overlap_fold;
    } array;

    struct {
        nw_depthwise_kind kind;
        int taps_per_cycle;
        int channels, pixels; /* unit */
    } depthwise;

    double out_elements_per_cycle, lut_elements_per_cycle, add_elements_per_cycle;
    double mul_elements_per_cycle, requantise_elements_per_cycle;
    double pool_taps_per_cycle;
    int64_t pool_min_cycles;

    struct {
        int max_h, max_w, max_c, max_pixels; /* 0: no limit */
        int64_t buffer_bytes;                /* 0: the tile is cut from the SRAM */
        bool command_limit, bias_fetch;
    } tile;

    nw_hw_precision precisions[NW_HW_MAX_PRECISIONS];
    int n_precisions;
    char default_precision[16]; /* "int8" */

    nw_hw_op ops[NW_OP_COUNT]; /* opaque: always host, since its cost is unknown */
    struct {
        double elements_per_s, bytes_per_s, switch_s;
    } host;
    struct {
        int max_kernel, min_kernel, max_stride, max_channels; /* 0: none */
        int max_kernel_volume; /* largest kernel_h * kernel_w * ceil(in_c / pf_in); 0: none */
    } limits;

    struct {
        int64_t bytes;
        double read_bytes_per_cycle, write_bytes_per_cycle;
        int64_t latency_cycles, burst_bytes;
        bool shared_port; /* weights and activations share the port */
        int align_channels, align_bytes;
        int64_t weight_sram_bytes; /* 0: weights share the SRAM */
        int64_t accumulator_bytes; /* 0: accumulators share the tile buffer */
    } sram;

    struct {
        double bytes_per_cycle;
        double bytes_per_s; /* as the file gave it (bytes_per_cycle follows); 0: per cycle */
        int64_t read_latency_cycles, write_latency_cycles, burst_bytes;
        bool weights_only; /* holds weights but no feature maps (flash) */
    } dram;

    struct {
        bool pinned; /* a kernel's weights up to pinned_bytes stay on chip between inferences; a
                      * rule of the kernel alone: the sum over a network is not checked */
        int64_t pinned_bytes;
        double compression;         /* stored bytes per raw byte, 1: none */
        int sparsity_n, sparsity_m; /* n of m are zero; 0: dense */
        double sparsity_speedup;    /* 1: none */
    } weights;

    bool overlap_compute_dma, prefetch_weights;
    int64_t kernel_overhead_cycles, inference_overhead_cycles;

    struct {
        bool conv_act, conv_add, dw_pw, pool, cascade;
    } fusion;

    struct {
        double mac, sram_read_byte, sram_write_byte, dram_read_byte, dram_write_byte; /* fJ */
        double static_w;
    } energy;

    struct {
        bool present;
        double a, b; /* calibrated latency_us = a * latency_us + b */
        double residual_pct;
        const char *provenance;
    } calibration;

    struct nw_hw_store *store; /* text and the parsed file with its sources; private */
} nw_hw;

/* Reads a description: a path (has a slash or ends in .json), else a name looked up as
 * NAME.json in each folder of search_path (colon-separated). Errors name file and key. */
NW_CHECKED nw_status nw_hw_load(const char *name_or_path, const char *search_path, nw_hw **out,
                                nw_error *err);

/* The same from text; name is for messages; "extends" is looked up in search_path and cannot be a
 * path. */
NW_CHECKED nw_status nw_hw_parse(const char *json, size_t n_bytes, const char *name,
                                 const char *search_path, nw_hw **out, nw_error *err);

/* base with what the JSON object patch_json says in its place, checked like a file that extends
 * base: keys left out of both follow the new values, sources of replaced figures are void. Its
 * name is the patch's, else base's with a star. "extends" in the patch names a description of
 * search_path that comes between the two. */
NW_CHECKED nw_status nw_hw_derive(const nw_hw *base, const char *patch_json,
                                  const char *search_path, nw_hw **out, nw_error *err);
void nw_hw_free(nw_hw *hw);

/* The names of the descriptions in the folders of search_path, sorted, each once; not read. NULL if
 * there are none. Release with nw_hw_names_free. */
char **nw_hw_names(const char *search_path, int *n);
void nw_hw_names_free(char **names, int n);

/* Peak multiply-accumulates per cycle of all cores. */
int64_t nw_hw_macs_per_cycle(const nw_hw *hw);

/* The merged description (extends resolved) as printable JSON with its sources; caller frees. */
char *nw_hw_describe(const nw_hw *hw);

/* The same without names, notes and sources: equal text, equal estimates. Caller frees. */
char *nw_hw_figures(const nw_hw *hw);

/* The source line of a key ("sram.bytes", "ops.resize"), or NULL if the file that sets it gives
 * none: a source never survives the figure that it was for. */
const char *nw_hw_source(const nw_hw *hw, const char *key);

/* The known keys by index, NULL behind the last; whether an estimate depends on one (all but name,
 * notes and extends do), and whether it means anything for this description ("array.rows" does for
 * systolic arrays only). */
const char *nw_hw_key(int index);
bool nw_hw_key_is_figure(int index);
bool nw_hw_key_applies(const nw_hw *hw, int index);

/* The rate of a pair of types relative to int8, or 0 if this hardware cannot do it natively. */
double nw_hw_precision_rate(const nw_hw *hw, int weight_bits, int activation_bits, bool is_float);

#endif
