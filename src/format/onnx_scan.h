/* onnx_scan.h - the wire format of an ONNX file, walked before anything is unpacked. Private to
 * onnx*.c.
 *
 * protobuf-c recurses without a limit and copies every byte of every tensor. So a scan comes
 * first: it checks keys, lengths and nesting, and writes a stripped copy of the message with what
 * the importer reads and nothing else. Tensor data stay in the file: the copy of a tensor names
 * its payload by an index, a nested graph keeps names only and its size in the file, both in a
 * field of our own (unknown to protobuf-c, which hands it on). Fields of that number in the file
 * are dropped like every other unknown field, so it cannot be forged.
 */
#ifndef NW_ONNX_SCAN_H
#define NW_ONNX_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/text.h"

#define NW_ONNX_SIDE_FIELD 1000 /* a varint: payload index + 1, or bytes of a nested graph */
#define NW_ONNX_MAX_GRAPHS 64   /* graphs inside graphs (If, Loop, Scan) */

/* Numbers of the fields of TensorProto that hold data. */
enum {
    NW_ONNX_FLOAT_DATA = 4,
    NW_ONNX_INT32_DATA = 5,
    NW_ONNX_INT64_DATA = 7,
    NW_ONNX_RAW_DATA = 9,
    NW_ONNX_DOUBLE_DATA = 10,
    NW_ONNX_UINT64_DATA = 11
};

/* Data of one tensor: a range of the file. Packed lists of floats and doubles are as the tensor
 * wants them; packed integers are varints. */
typedef struct nw_onnx_payload {
    size_t offset, n_bytes;
    int field;
} nw_onnx_payload;

typedef struct nw_onnx_scan {
    nw_buf copy; /* the stripped message */
    nw_onnx_payload *payloads;
    size_t n_payloads, capacity;
} nw_onnx_scan;

/* NW_INVALID: no protobuf message, err->where is the byte; NW_LIMIT: nested too deeply. Release
 * with nw_onnx_scan_fini, after a failure too. */
NW_CHECKED nw_status nw_onnx_scan_file(const nw_file *file, nw_onnx_scan *out, nw_error *err);
void nw_onnx_scan_fini(nw_onnx_scan *scan);

/* Reads a varint of up to ten bytes and moves *at behind it; false at the end or if longer. */
bool nw_onnx_varint(const uint8_t *bytes, size_t end, size_t *at, uint64_t *value);

#endif
