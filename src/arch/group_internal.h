/* group_internal.h - what a list of groups is made of; shared by group.c and resize*.c.
 */
#ifndef NW_ARCH_GROUP_INTERNAL_H
#define NW_ARCH_GROUP_INTERNAL_H

#include "src/arch/group.h"
#include "src/arch/solve.h"
#include "src/base/arena.h"

struct nw_groups {
    const nw_graph *graph;
    nw_solver solver;
    nw_arena arena; /* of members and texts */
    nw_channel_group *list;
    int n;
    int *vars;     /* per group: the item of its variable, whose number is n / multiple */
    int *group_of; /* per item: index in list, -1: not a variable of the map of any tensor */
};

#endif
