/* support_onnx.h - writes small ONNX files in the wire format of protobuf, so that suites know
 * every byte. Field numbers are those of onnx.proto.
 *
 * A message is an nw_buf; whoever puts one into another releases it.
 */
#ifndef NW_TESTS_SUPPORT_ONNX_H
#define NW_TESTS_SUPPORT_ONNX_H

#include <stddef.h>
#include <stdint.h>

#include "src/base/text.h"

enum { ONNX_FLOAT = 1, ONNX_INT8 = 3, ONNX_INT32 = 6, ONNX_INT64 = 7, ONNX_FLOAT16 = 10 };

/* Fields of any message. */
void onnx_put_varint(nw_buf *b, uint64_t value);
void onnx_put_int(nw_buf *b, int field, int64_t value);
void onnx_put_bytes(nw_buf *b, int field, const void *bytes, size_t n);
void onnx_put_text(nw_buf *b, int field, const char *text);
void onnx_put_message(nw_buf *b, int field, nw_buf *message); /* appends it and releases it */

/* Tensors (TensorProto) and values (ValueInfoProto); a size of 0 is an open one called "n". */
nw_buf onnx_tensor(const char *name, int type, int n_dims, const int64_t *dims);
nw_buf onnx_raw_tensor(const char *name, int type, int64_t n, const void *bytes, size_t n_bytes);
nw_buf onnx_float_scalar(const char *name, float value);
nw_buf onnx_value(const char *name, int n_dims, const int64_t *dims);

/* Names are separated by blanks; "-" is an input left out. */
nw_buf onnx_node(const char *type, const char *inputs, const char *outputs);
void onnx_add_ints(nw_buf *node, const char *name, int n, const int64_t *values);
void onnx_add_int(nw_buf *node, const char *name, int64_t value);
void onnx_add_message(nw_buf *node, const char *name, int type, int field, nw_buf *message);

/* Parts of a graph: a node; a value (field 11: input, 12: output); an initializer of floats. */
void onnx_add_node(nw_buf *graph, const char *type, const char *inputs, const char *outputs);
void onnx_add_value(nw_buf *graph, int field, const char *name, int n, const int64_t *dims);
void onnx_add_weights(nw_buf *graph, const char *name, const float *values, int n);

extern const int64_t onnx_image[4]; /* 1 x 3 x 8 x 8 */

/* x [1,3,8,8] in and y out; the caller says what is between. */
nw_buf onnx_graph_of_xy(void);

/* The whole file; releases the graph. */
nw_buf onnx_model(nw_buf *graph, int opset);

#endif
