/* support_lift.h - networks as ONNX files have them, and looking at the blocks found in them.
 */
#ifndef NW_TESTS_SUPPORT_LIFT_H
#define NW_TESTS_SUPPORT_LIFT_H

#include "src/arch/arch.h"
#include "tests/support_net.h"

/* A constant of rank 0. */
nw_tensor_id net_number(net *n, float value);

/* N,C,H,W, weights O,I,H,W, SAME padding, no bias; then a normalisation, then an activation node
 * (RELU6: a Clip by constant bounds; IDENTITY: none). */
void net_onnx_conv(net *n, int c_out, int kernel, int stride, int groups);
void net_onnx_norm(net *n);
void net_onnx_conv_norm(net *n, int c_out, int kernel, int stride, int groups, nw_op act);
void net_clip6(net *n);

/* To int8 and back. */
void net_requantize(net *n);

/* Ends and lifts the network. */
const nw_arch *lift_net(net *n);
const nw_block *block_at(const nw_arch *arch, int index);
/* The only block of a network, which has all its nodes. */
const nw_block *only_block(const nw_arch *arch);

/* Fail the test where a text differs: of a block; of the only block of a network, which is ended
 * here; the kinds of all blocks in order. */
void check_block(const nw_block *block, const char *text);
void check_only(net *n, const char *text);
void check_kinds(const nw_arch *arch, const char *names);

#endif
