/* measure.h - tables of measured kernels.
 *
 * A table is CSV: comment lines ("# device=... source=... date=... tool=..."), a header line, a
 * kernel a line. Columns, in any order: kernel in_h in_w in_c out_h out_w out_c (required),
 * kernel_h kernel_w stride_h stride_w (required where the kernel has a window), dilation (1),
 * groups (1; the channels for dwconv), bits (8), act (none), residual (0), first (reads the
 * network's input: a convolution of up to 4 channels), maps (read by an elementwise kernel: 2 for
 * add and mul), in_dram, second_dram, out_dram (1: that map lives off chip; both in_dram and
 * out_dram, or the hardware's rule decides). Sizes are in elements, from 1 to 2^31 - 1; padding
 * follows from them. Other columns are ignored, so a table of measurements is a table of shapes
 * too.
 *
 * `kernel` is a name of NW_KERNELS or a joined run: "conv+act", "conv+act+add" (add: a residual of
 * the output's size), "dwconv+conv" (a pointwise convolution behind), "conv+pool" (windows without
 * overlap, behind a convolution that keeps ceil(in / stride)). `act` is empty, 0, none, relu,
 * relu6, clip (free in the output stage) or the name of a function that goes through a table.
 */
#ifndef NW_MEASURE_H
#define NW_MEASURE_H

#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/exec/exec.h"
#include "src/hw/hw.h"
#include "src/kernel/kernel.h"
#include "src/measure/plan.h" /* which kernels to measure */

/* Costs the listed kernels on the simulated device: appends a table with a row for each row, in
 * the same order, with latency_us, compute_cycles, sram_cycles, dram_cycles, total_cycles, tile
 * (HxWxC of the output, "-" where there is none), dram_bytes and sram_bytes. compute_cycles is the
 * array with its output stage, without memory time and fixed costs. Maps are on chip as far as
 * they fit, the input first, then the residual, then the output; a convolution of up to 4
 * channels counts as a network's first layer. NW_INVALID, NW_UNSUPPORTED: err->where is
 * "FILE:LINE", and out is as it was. */
NW_CHECKED nw_status nw_measure_shapes(const nw_file *table, const nw_hw *hw, nw_buf *out,
                                       nw_error *err);

typedef struct nw_measure_counts {
    int n_rows, n_kept, n_measured; /* of the table; found measured already; measured now */
} nw_measure_counts;

/* Times the listed kernels on this machine's CPU (src/exec: how, and what bits and act mean there;
 * bits 32 are floats) and writes path: a table with a row for each row, in the same order, with
 * latency_us (the least), latency_median_us, spread, impl (oneDNN's name for it) and note. A
 * kernel that is refused has no latency and its reason as note.
 *
 * Rows that path holds already, measured on this machine by this version with these options, are
 * kept and not measured again; each finished row is written at once, so that what is stopped or
 * killed can be gone on with. options, watch (progress counts rows) and counts may be NULL.
 * NW_INVALID: the table (err->where is "FILE:LINE"; nothing was measured), or path holds something
 * else; NW_CANCELLED: stopped, finished rows are written; NW_IO, NW_LIMIT: a kernel killed its
 * process or stood still (err->where is its line). */
NW_CHECKED nw_status nw_measure_cpu(const nw_file *table, const char *path,
                                    const nw_exec_options *options, const nw_exec_watch *watch,
                                    nw_measure_counts *counts, nw_error *err);

typedef struct nw_measure_emitted {
    int n_rows, n_models; /* rows of the table; models, one for each distinct row */
    int64_t n_bytes;
} nw_measure_emitted;

/* Writes a single-kernel ONNX model for each distinct row into folder dir, to be measured with a
 * chip's own tools: k0001_conv_56x56x64_k1s1_128.onnx, ..., README.txt, and manifest.csv, the
 * columns of a measurement with latency_us empty and `file`: filled in, it is a table for fitting.
 * hw names the device there; NULL: unknown.
 *
 * A model has batch 1, N,C,H,W, input x, and y for a second operand or a residual, random weights.
 * Joined operators stand in the order of `kernel`; `act` says which function (act: relu, lut:
 * sigmoid). bits 8: QDQ with plausible scales, 16: float16, 32: float32; others are refused. A pool
 * whose window is the map is a global average, others take the maximum; a resize by whole factors
 * takes the nearest, others are linear; norm is a batch normalisation; elementwise a maximum with a
 * value a channel; reduce a mean over the axes that become 1, else a running sum; copy joins two
 * maps, or slices, pads, transposes, as its sizes say; quantize gives int8 (bits 16, 32: a cast).
 *
 * NW_INVALID, NW_UNSUPPORTED: a row that makes no model (err->where is "FILE:LINE"; nothing is
 * written then), or dir holds something else, or a manifest with results. NW_IO: dir or a file in
 * it cannot be made. The models of an earlier manifest without results are replaced. */
NW_CHECKED nw_status nw_measure_emit(const nw_file *table, const char *dir, const nw_hw *hw,
                                     nw_measure_emitted *done, nw_error *err);

/* A table of kernels as networks have them: beside the columns above `network`, weight_bits, float,
 * first (reads the network's input), maps, in_dram, second_dram, out_dram (1: off chip), slow_rate,
 * host_elements, host_bytes, and latency_us (empty where latency_ps is negative). Comment and
 * header line, then a line a kernel. */
void nw_measure_write_head(const nw_hw *hw, nw_buf *out);
void nw_measure_write_kernel(const nw_hw *hw, const char *network, const nw_kernel_shape *shape,
                             int64_t latency_ps, nw_buf *out);

#endif
