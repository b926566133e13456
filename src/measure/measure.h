/* measure.h - tables of measured kernels.
 *
 * A table is CSV: comment lines ("# device=... source=... date=... tool=..."), a header line, a
 * kernel a line. Columns, in any order: kernel in_h in_w in_c out_h out_w out_c (required),
 * kernel_h kernel_w stride_h stride_w (required where the kernel has a window), dilation (1),
 * groups (1; the channels for dwconv), bits (8), act (none), residual (0). Sizes are in elements,
 * from 1 to 2^31 - 1; padding follows from them. Other columns are ignored, so a table of
 * measurements is a table of shapes too.
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
#include "src/hw/hw.h"
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

#endif
