/* support_group.h - networks whose constants number their elements, and checks of their groups.
 *
 * Constants of float32 hold 0, 1, 2, ..., so that a value tells which element it was.
 */
#ifndef NW_TESTS_SUPPORT_GROUP_H
#define NW_TESTS_SUPPORT_GROUP_H

#include "src/arch/group.h"
#include "tests/support_net.h"

typedef struct group_net {
    nw_graph *graph;
    nw_groups *groups;
} group_net;

/* Numbers the constants, ends the network and finds its groups. */
group_net group_net_end(net *n);
void group_net_free(group_net *b);

const nw_channel_group *channels_of(const group_net *b, nw_tensor_id tensor); /* NULL: none */
bool are_one_group(const group_net *b, nw_tensor_id x, nw_tensor_id y);

/* The network with n for the group of a tensor; a failure ends the test. */
nw_graph *resize_channels(const group_net *b, nw_tensor_id tensor, int64_t n);

void check_refused(const group_net *b, nw_tensor_id tensor, int64_t n, const char *part);
void check_fixed(const group_net *b, nw_tensor_id tensor, const char *why);
void check_shape(const nw_graph *graph, nw_tensor_id id, int rank, int64_t a, int64_t b, int64_t c,
                 int64_t d);

/* The first n values of a constant; -1 stands for any new one (He's: no whole number). */
void check_values(const nw_graph *graph, nw_tensor_id id, int n, const float *expected);

/* What the operator writing a tensor reads as input 1, in any graph of these ids. */
nw_tensor_id weights_of(const nw_graph *graph, nw_tensor_id out);

/* ---- layers of N,C,H,W ---- */

/* 1x1, without bias. */
nw_tensor_id net_grouped_conv(net *n, int c_out, int groups);
nw_tensor_id net_list(net *n, const int64_t *values, int count); /* int64 */
void net_reshape_list(net *n, const int64_t *dims, int rank);
void net_transpose_list(net *n, const int64_t *perm, int rank);

#endif
