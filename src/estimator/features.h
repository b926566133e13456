/* features.h - what a regression sees of a kernel: one table, for our own kernels and foreign CSVs.
 *
 * A kernel is first a set of roles (sizes, strides, types, places), taken from a kernel's shape or
 * from the columns of a table by their names; the features are functions of the roles, and of the
 * hardware's description where there is one. A missing value is NAN all the way; a feature that
 * needs a missing role is NAN. Sizes in elements; cycles are the description's.
 */
#ifndef NW_ESTIMATOR_FEATURES_H
#define NW_ESTIMATOR_FEATURES_H

#include <stdbool.h>

#include "src/base/table.h"
#include "src/hw/hw.h"
#include "src/kernel/kernel.h"

/* id, name, other names that columns of tables have, what it is.
 * "in_hw", "kernel", "stride" and their relatives set two roles at once. */
#define NW_ROLES(X)                                                                                \
    X(IN_H, "in_h", "ih h in_hw hw input_h", "rows of the input map")                              \
    X(IN_W, "in_w", "iw w in_hw hw input_w", "columns of the input map")                           \
    X(IN_C, "in_c", "ic cin c_in in_channels", "channels of the input")                            \
    X(OUT_H, "out_h", "oh out_hw output_h", "rows of the output map")                              \
    X(OUT_W, "out_w", "ow out_hw output_w", "columns of the output map")                           \
    X(OUT_C, "out_c", "oc cout c_out filters out_channels", "channels of the output")              \
    X(KERNEL_H, "kernel_h", "kh kernel k ks kernel_size", "rows of the window")                    \
    X(KERNEL_W, "kernel_w", "kw kernel k ks kernel_size", "columns of the window")                 \
    X(STRIDE_H, "stride_h", "sh stride s", "step of the window, rows")                             \
    X(STRIDE_W, "stride_w", "sw stride s", "step of the window, columns")                          \
    X(DILATION, "dilation", "dilation_h", "spacing of the taps; 1")                                \
    X(GROUPS, "groups", "group", "groups of channels; 1, for depthwise the channels")              \
    X(BATCH, "batch", "n batch_size", "images at once; 1")                                         \
    X(EXPAND, "expand", "expansion expand_ratio", "expansion of a block")                          \
    X(BITS, "bits", "", "of an activation; 8")                                                     \
    X(WEIGHT_BITS, "weight_bits", "", "of a weight; those of the activations")                     \
    X(WEIGHT_BYTES, "weight_bytes", "weights_enc", "stored, where their compression is known")     \
    X(IS_FLOAT, "float", "is_float", "1: floating point")                                          \
    X(ACT, "act", "fused_act activation", "0 none, 1 a clamp, 2 through a table")                  \
    X(RESIDUAL, "residual", "fused_add", "1: an addition is joined behind")                        \
    X(IS_FIRST, "first", "is_first", "1: reads the network's input")                               \
    X(MAPS, "maps", "n_maps", "maps read by an elementwise kernel")                                \
    X(IN_DRAM, "in_dram", "", "1: the input lives off chip")                                       \
    X(SECOND_DRAM, "second_dram", "", "1: the second input does")                                  \
    X(OUT_DRAM, "out_dram", "", "1: the output does")                                              \
    X(SLOW_RATE, "slow_rate", "", "elements a cycle of an operator without native support")        \
    X(HOST_ELEMENTS, "host_elements", "", "elements of the host's largest tensor, and its MACs")   \
    X(HOST_BYTES, "host_bytes", "", "bytes to the host and back")

typedef enum nw_role {
#define X(id, name, aliases, what) NW_ROLE_##id,
    NW_ROLES(X)
#undef X
        NW_ROLE_COUNT
} nw_role;

const char *nw_role_name(nw_role role);
const char *nw_role_help(nw_role role);

/* What the roles are of. Kinds that tables name otherwise ("CONV_2D", "D", "Depthwise...") are
 * recognised by nw_row_kind. */
typedef struct nw_row {
    nw_kernel_kind kind;   /* NW_KERNEL_COUNT: not known, taken as a convolution */
    nw_kernel_kind second; /* joined behind; NW_KERNEL_COUNT: nothing */
    double role[NW_ROLE_COUNT];
} nw_row;

/* The kind behind a table's own word for it, NW_KERNEL_COUNT if none comes close. */
nw_kernel_kind nw_row_kind(const char *word);

/* A kernel of a network. hw: for the rate of a slow operator; may be NULL. */
void nw_row_from_shape(const nw_kernel_shape *shape, const nw_hw *hw, nw_row *out);

/* Where a table does not say where the maps live: on chip as far as they fit beside each other, the
 * input first, then the second input, then the output, as nw_measure_shapes has it; on chip without
 * a description. */
void nw_row_place(nw_row *row, const nw_hw *hw);

/* What "type" a kernel is trained under: its kind with what is joined by a product ("dwconv+conv",
 * "conv+pool"); activations and residuals are features. dst is returned. */
const char *nw_row_group(const nw_kernel_shape *shape, char *dst, size_t size);

/* The features: id, name, unit, formula. Those of the second list need a description. c_in, K and
 * the like: in_c per group, kernel_h * kernel_w * in_c / groups. */
#define NW_FEATURES_PLAIN(X)                                                                       \
    X(MACS, "macs", "1", "multiply-accumulates, batch included; 0 without weights")                \
    X(WINDOW_OPS, "window_ops", "1", "output elements x taps of the window")                       \
    X(IN_ELEMENTS, "in_elements", "1", "batch x in_h x in_w x in_c")                               \
    X(OUT_ELEMENTS, "out_elements", "1", "batch x out_h x out_w x out_c")                          \
    X(WEIGHT_ELEMENTS, "weight_elements", "1", "K x out_c")                                        \
    X(MOVED_BYTES, "moved_bytes", "B", "input, output, second input and weights, once each")       \
    X(INTENSITY, "intensity", "1/B", "macs (window_ops without weights) / moved_bytes")            \
    X(TAPS, "taps", "1", "kernel_h x kernel_w")                                                    \
    X(OUT_PIXELS, "out_pixels", "1", "batch x out_h x out_w")                                      \
    X(DEPTH, "depth", "1", "K = kernel_h x kernel_w x in_c / groups")                              \
    X(WEIGHTS_PER_PIXEL, "weights_per_pixel", "1", "weight_elements / out_pixels")                 \
    X(OUT_IN_RATIO, "out_in_ratio", "1", "out_elements / in_elements")                             \
    X(IN_FILL_4, "in_fill_4", "1", "in_c / groups over the next multiple of 4")                    \
    X(IN_FILL_8, "in_fill_8", "1", "of 8")                                                         \
    X(IN_FILL_16, "in_fill_16", "1", "of 16")                                                      \
    X(IN_FILL_32, "in_fill_32", "1", "of 32")                                                      \
    X(IN_FILL_64, "in_fill_64", "1", "of 64")                                                      \
    X(OUT_FILL_4, "out_fill_4", "1", "out_c over the next multiple of 4")                          \
    X(OUT_FILL_8, "out_fill_8", "1", "of 8")                                                       \
    X(OUT_FILL_16, "out_fill_16", "1", "of 16")                                                    \
    X(OUT_FILL_32, "out_fill_32", "1", "of 32")                                                    \
    X(OUT_FILL_64, "out_fill_64", "1", "of 64")                                                    \
    X(OUT_FILL_128, "out_fill_128", "1", "of 128")                                                 \
    X(DRAM_ELEMENTS, "dram_elements", "1", "of maps that live off chip")                           \
    X(TILES_32, "tiles_32", "1", "ceil(out_pixels / 32) x ceil(out_c / 32)")                       \
    X(TILES_64, "tiles_64", "1", "ceil(out_pixels / 64) x ceil(out_c / 64)")                       \
    X(TILES_128, "tiles_128", "1", "ceil(out_pixels / 128) x ceil(out_c / 128)")

#define NW_FEATURES_HW(X)                                                                          \
    X(ARRAY_CYCLES, "array_cycles", "cycles", "channels and pixels padded to the array, one tile") \
    X(ARRAY_FILL, "array_fill", "1", "macs / (peak x array_cycles)")                               \
    X(IN_LEFT, "in_left", "1", "in_c per group in the last visit of the array")                    \
    X(OUT_LEFT, "out_left", "1", "out_c in the last visit of the array")                           \
    X(PIXEL_FILL, "pixel_fill", "1", "out_h x out_w over what the array's pixels cover")           \
    X(OUTPUT_CYCLES, "output_cycles", "cycles", "output elements / rate of the output stage")      \
    X(SRAM_CYCLES, "sram_cycles", "cycles", "maps and weights over the SRAM's ports, once")        \
    X(DRAM_CYCLES, "dram_cycles", "cycles", "what lives off chip over its bus, once")              \
    X(WEIGHT_CYCLES, "weight_cycles", "cycles", "stored weights over the DRAM bus, once")          \
    X(DECODE_CYCLES, "decode_cycles", "cycles", "weights / decoder rate, once")                    \
    X(TILES, "tiles", "1", "at least, by the limits of a tile and its accumulators")               \
    X(COMMAND_CYCLES, "command_cycles", "cycles", "of all tiles, four commands in flight")         \
    X(WORK_CYCLES, "work_cycles", "cycles", "array, output stage and commands of all tiles")       \
    X(ROOFLINE_CYCLES, "roofline_cycles", "cycles", "the largest of the above, and fixed cost")    \
    X(COMPUTE_SHARE, "compute_share", "1", "array_cycles / roofline_cycles")                       \
    X(DRAM_SHARE, "dram_share", "1", "dram_cycles / roofline_cycles")                              \
    X(ON_CHIP, "on_chip", "1", "bytes of maps on chip and weights / SRAM")                         \
    X(TILE_PRESSURE, "tile_pressure", "1", "bytes of input, accumulators / tile buffer")           \
    X(HOST_US, "host_us", "us", "host_elements and host_bytes at the host's rates, a switch")

typedef enum nw_feature {
#define X(id, name, unit, formula) NW_FEATURE_##id,
    NW_FEATURES_PLAIN(X) NW_FEATURES_HW(X)
#undef X
        NW_FEATURE_COUNT
} nw_feature;

/* The matrix's columns: the roles first, then the features. */
#define NW_VALUE_COUNT ((int)NW_ROLE_COUNT + (int)NW_FEATURE_COUNT)

const char *nw_value_name(int index);
const char *nw_value_unit(int index);
const char *nw_value_formula(int index);
int nw_value_find(const char *name); /* -1: none */

/* Fills out[NW_VALUE_COUNT]; hw NULL: the features that need one are NAN. */
void nw_row_values(const nw_row *row, const nw_hw *hw, double *out);

#endif
