/* onnx_ops.h - how groups of operators read their nodes: rows of the table in onnx_ops.c name
 * these functions. Private to onnx*.c.
 */
#ifndef NW_ONNX_OPS_H
#define NW_ONNX_OPS_H

#include "src/format/onnx_import.h"

/* The type of output i, unless it is NW_DTYPE_UNKNOWN. */
void nw_onnx_set_type(nw_onnx_draft *d, int i, nw_dtype dtype);

/* ---- onnx_window.c ---- */

void nw_onnx_read_conv(nw_onnx_draft *d, int weight_layout);
void nw_onnx_read_conv_transpose(nw_onnx_draft *d, int weight_layout);
void nw_onnx_read_pool(nw_onnx_draft *d, int arg);
void nw_onnx_read_global_pool(nw_onnx_draft *d, int reduce);
void nw_onnx_read_gemm(nw_onnx_draft *d, int arg);
void nw_onnx_read_matmul(nw_onnx_draft *d, int arg);
void nw_onnx_read_upsample(nw_onnx_draft *d, int arg);
void nw_onnx_read_resize(nw_onnx_draft *d, int arg);

/* ---- onnx_quant.c ---- */

/* Moves scales and zero points from the inputs to the tensors that they belong to. A letter an
 * input: d data, s and z scale and zero point of the data in front, S and Z those of the output,
 * - left out; what comes after ( repeats. */
void nw_onnx_apply_roles(nw_onnx_draft *d, const char *roles);
void nw_onnx_read_quantise(nw_onnx_draft *d, int arg);
void nw_onnx_read_dequantise(nw_onnx_draft *d, int arg);
void nw_onnx_read_dynamic_quantise(nw_onnx_draft *d, int arg);

#endif
