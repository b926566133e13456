/* internal.h - between the files of the module.
 */
#ifndef NW_LANDSCAPE_INTERNAL_H
#define NW_LANDSCAPE_INTERNAL_H

#include "src/landscape/landscape.h"

/* Distance in the array between neighbours on each axis. */
void nw_terrain_strides(const nw_terrain *terrain, int64_t strides[NW_MAX_AXES]);

/* The lines along an axis: line k (of n_points / size) begins at this point. */
int64_t nw_terrain_line(const nw_terrain *terrain, int64_t stride, int axis, int64_t k);

/* next[i]: the lowest neighbour of point i, if it is lower than i itself, of equal ones the first;
 * -1: none. */
void nw_terrain_descend(const nw_terrain *terrain, int64_t *next);

/* Connected points of one value. root[i]: one point that stands for all of i's; -1: no point. */
void nw_terrain_plateaus(const nw_terrain *terrain, int64_t *root);

/* next[i] of points that have none lower: the neighbour of equal value that is on the shortest way
 * to one that has; -1 stays where there is no way down. */
void nw_terrain_leave_plateaus(const nw_terrain *terrain, int64_t *next);

/* The most neighbours that a point has. */
int nw_terrain_degree(const nw_terrain *terrain);

#endif
