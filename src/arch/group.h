/* group.h - channel groups of a sealed graph, and other numbers for them; private to src/arch.
 *
 * Every axis of every tensor is a term: a number, a variable, a product or a concatenation of
 * terms. The operators say which terms are equal; solving that leaves the variables that may take
 * any number. Those are the groups.
 *
 * An arch finds its groups when first asked: struct nw_arch has a field
 * `_Atomic(nw_groups *) groups`, NULL at first; nw_arch_group_table fills it, arch.c frees it with
 * nw_groups_free.
 */
#ifndef NW_ARCH_GROUP_H
#define NW_ARCH_GROUP_H

#include "src/arch/arch.h"

typedef struct nw_groups nw_groups;

/* Never fails: what is not understood is fixed, with the reason. Borrows the sealed graph, which
 * must outlive it. */
nw_groups *nw_groups_find(const nw_graph *graph);
void nw_groups_free(nw_groups *groups); /* NULL is fine */

/* As nw_arch_groups and nw_arch_group_of. */
const nw_channel_group *nw_groups_list(const nw_groups *groups, int *n);
int nw_groups_of(const nw_groups *groups, nw_tensor_id tensor, char *why, size_t size);

/* The number of a group for which a tensor of it has so many channels; 0: there is none, because
 * several groups share the axis or the channels do not divide. */
int64_t nw_groups_number(const nw_groups *groups, int group, nw_tensor_id tensor, int64_t channels);

/* Of an arch, found when first asked for. */
const nw_groups *nw_arch_group_table(const nw_arch *arch);

/* ---- resizing (resize.c): each makes another sealed graph, with the same ids ---- */

typedef struct nw_resize {
    int group; /* index in nw_groups_list */
    int64_t n; /* as nw_channel_group.n: at least 1, a multiple of the group's `multiple` */
} nw_resize;

/* The network of `groups` with other numbers for some of them, all at once. The first channels
 * stay, further ones are new (see nw_edited). NW_INVALID: a group is fixed, named twice, or its
 * number is out of range; err->where names the group. The caller frees *out. */
NW_CHECKED nw_status nw_resize_groups(const nw_groups *groups, const nw_resize *sizes, int n_sizes,
                                      nw_graph **out, nw_error *err);

/* Every free group times `factor`, rounded as nw_group_divisible does. NW_INVALID: no group is
 * free. */
NW_CHECKED nw_status nw_resize_width(const nw_groups *groups, double factor, int64_t divisor,
                                     nw_graph **out, nw_error *err);

/* The network for a map of height x width as its only image input; numbers in the file that
 * followed from the old size are changed with it. NW_INVALID: the network has no such input, or a
 * constant fits the old size alone (err->where names it). */
NW_CHECKED nw_status nw_resize_resolution(const nw_graph *graph, int64_t height, int64_t width,
                                          nw_graph **out, nw_error *err);

#endif
