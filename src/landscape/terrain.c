#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "src/base/arena.h"
#include "src/landscape/internal.h"

void nw_terrain_strides(const nw_terrain *terrain, int64_t strides[NW_MAX_AXES])
{
    int64_t stride = 1;
    for (int a = 0; a < terrain->n_axes; a++) {
        strides[a] = stride;
        stride *= terrain->sizes[a];
    }
    assert(stride == terrain->n_points);
}

int64_t nw_terrain_line(const nw_terrain *terrain, int64_t stride, int axis, int64_t k)
{
    return k / stride * stride * terrain->sizes[axis] + k % stride;
}

int nw_terrain_degree(const nw_terrain *terrain)
{
    int degree = 0;
    for (int a = 0; a < terrain->n_axes; a++)
        degree += terrain->kinds[a] == NW_AXIS_CHOICES ? terrain->sizes[a] - 1 : 2;
    return degree;
}

int nw_terrain_neighbours(const nw_terrain *terrain, int64_t point, int64_t *out)
{
    const double *values = terrain->values;
    int64_t stride = 1;
    int n = 0;
    for (int a = 0; a < terrain->n_axes; a++) {
        int size = terrain->sizes[a], at = (int)(point / stride % size);
        bool is_choice = terrain->kinds[a] == NW_AXIS_CHOICES;
        int low = is_choice ? 0 : at - 1, high = is_choice ? size - 1 : at + 1;
        for (int c = low < 0 ? 0 : low; c <= high && c < size; c++) {
            int64_t other = point + (c - at) * stride;
            if (c != at && !isnan(values[other]))
                out[n++] = other;
        }
        stride *= size;
    }
    return n;
}

/* ---- the way down ---- */

static void offer(const double *values, int64_t *next, int64_t point, int64_t other)
{
    double bound = next[point] < 0 ? values[point] : values[next[point]];
    if (values[other] < bound)
        next[point] = other;
}

static void descend_steps(const double *values, int64_t *next, int64_t line, int64_t stride,
                          int size)
{
    for (int c = 0; c < size; c++) {
        int64_t point = line + c * stride;
        if (c > 0)
            offer(values, next, point, point - stride);
        if (c + 1 < size)
            offer(values, next, point, point + stride);
    }
}

static void descend_choices(const double *values, int64_t *next, int64_t line, int64_t stride,
                            int size)
{
    int64_t lowest = -1;
    for (int c = 0; c < size; c++) {
        int64_t point = line + c * stride;
        if (!isnan(values[point]) && (lowest < 0 || values[point] < values[lowest]))
            lowest = point;
    }
    for (int c = 0; c < size && lowest >= 0; c++)
        offer(values, next, line + c * stride, lowest);
}

void nw_terrain_descend(const nw_terrain *terrain, int64_t *next)
{
    int64_t strides[NW_MAX_AXES];
    nw_terrain_strides(terrain, strides);
    for (int64_t i = 0; i < terrain->n_points; i++)
        next[i] = -1;
    for (int a = 0; a < terrain->n_axes; a++)
        for (int64_t k = 0; k < terrain->n_points / terrain->sizes[a]; k++) {
            int64_t line = nw_terrain_line(terrain, strides[a], a, k);
            if (terrain->kinds[a] == NW_AXIS_CHOICES)
                descend_choices(terrain->values, next, line, strides[a], terrain->sizes[a]);
            else
                descend_steps(terrain->values, next, line, strides[a], terrain->sizes[a]);
        }
}

/* ---- plateaus ---- */

static int64_t find_root(int64_t *root, int64_t point)
{
    while (root[point] != point) {
        root[point] = root[root[point]];
        point = root[point];
    }
    return point;
}

static void join_equal(const double *values, int64_t *root, int64_t a, int64_t b)
{
    if (values[a] != values[b])
        return;
    int64_t x = find_root(root, a), y = find_root(root, b);
    root[x > y ? x : y] = x > y ? y : x;
}

void nw_terrain_plateaus(const nw_terrain *terrain, int64_t *root)
{
    int64_t strides[NW_MAX_AXES];
    nw_terrain_strides(terrain, strides);
    for (int64_t i = 0; i < terrain->n_points; i++)
        root[i] = i;
    for (int a = 0; a < terrain->n_axes; a++)
        for (int64_t k = 0; k < terrain->n_points / terrain->sizes[a]; k++) {
            int64_t line = nw_terrain_line(terrain, strides[a], a, k), stride = strides[a];
            int reach = terrain->kinds[a] == NW_AXIS_CHOICES ? terrain->sizes[a] : 1;
            for (int c = 0; c < terrain->sizes[a]; c++)
                for (int d = c + 1; d < terrain->sizes[a] && d <= c + reach; d++)
                    join_equal(terrain->values, root, line + c * stride, line + d * stride);
        }
    for (int64_t i = 0; i < terrain->n_points; i++)
        root[i] = isnan(terrain->values[i]) ? -1 : find_root(root, i);
}

/* Breadth first from all points that have a way down, then every other one takes its first
 * neighbour that is nearer: where a search from that point alone would go. */
void nw_terrain_leave_plateaus(const nw_terrain *terrain, int64_t *next)
{
    size_t n = (size_t)terrain->n_points;
    int64_t *queue = nw_alloc((n + 1) * sizeof *queue), n_queue = 0;
    int64_t *distance = nw_alloc((n + 1) * sizeof *distance);
    int64_t *near = nw_alloc(((size_t)nw_terrain_degree(terrain) + 1) * sizeof *near);
    for (int64_t i = 0; i < terrain->n_points; i++) {
        distance[i] = next[i] >= 0 ? 0 : -1;
        if (next[i] >= 0)
            queue[n_queue++] = i;
    }
    for (int64_t at = 0; at < n_queue; at++) {
        int64_t point = queue[at];
        int n_near = nw_terrain_neighbours(terrain, point, near);
        for (int k = 0; k < n_near; k++)
            if (distance[near[k]] < 0 && terrain->values[near[k]] == terrain->values[point]) {
                distance[near[k]] = distance[point] + 1;
                queue[n_queue++] = near[k];
            }
    }
    for (int64_t i = 0; i < terrain->n_points; i++) {
        if (distance[i] < 1)
            continue;
        int n_near = nw_terrain_neighbours(terrain, i, near);
        for (int k = 0; k < n_near && next[i] < 0; k++)
            if (distance[near[k]] == distance[i] - 1 &&
                terrain->values[near[k]] == terrain->values[i])
                next[i] = near[k];
    }
    free(queue);
    free(distance);
    free(near);
}

void nw_terrain_ends(const nw_terrain *terrain, bool walks_plateaus, int64_t *ends)
{
    size_t n = (size_t)terrain->n_points;
    int64_t *next = nw_alloc((n + 1) * sizeof *next);
    nw_terrain_descend(terrain, next);
    if (walks_plateaus)
        nw_terrain_leave_plateaus(terrain, next);
    for (size_t i = 0; i < n; i++)
        ends[i] = -1;
    for (size_t i = 0; i < n; i++) {
        if (isnan(terrain->values[i]))
            continue;
        int64_t end = (int64_t)i;
        while (next[end] >= 0 && ends[end] < 0)
            end = next[end];
        end = ends[end] < 0 ? end : ends[end];
        for (int64_t at = (int64_t)i; at >= 0 && ends[at] < 0; at = next[at])
            ends[at] = end;
    }
    free(next);
}

void nw_terrain_minima(const nw_terrain *terrain, uint8_t *is_minimum)
{
    size_t n = (size_t)terrain->n_points;
    int64_t *next = nw_alloc((n + 1) * sizeof *next), *root = nw_alloc((n + 1) * sizeof *root);
    nw_terrain_descend(terrain, next);
    nw_terrain_plateaus(terrain, root);
    for (size_t i = 0; i < n; i++)
        is_minimum[i] = root[i] >= 0;
    for (size_t i = 0; i < n; i++)
        if (root[i] >= 0 && next[i] >= 0)
            is_minimum[root[i]] = 0;
    for (size_t i = 0; i < n; i++)
        is_minimum[i] = root[i] >= 0 && is_minimum[root[i]];
    free(next);
    free(root);
}

/* ---- distribution ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void nw_terrain_quantiles(const nw_terrain *terrain, const double *shares, int n, double *out)
{
    double *sorted = nw_alloc(((size_t)terrain->n_points + 1) * sizeof *sorted);
    int64_t n_sorted = 0;
    for (int64_t i = 0; i < terrain->n_points; i++)
        if (!isnan(terrain->values[i]))
            sorted[n_sorted++] = terrain->values[i];
    qsort(sorted, (size_t)n_sorted, sizeof *sorted, by_value);
    for (int k = 0; k < n; k++) {
        double at = shares[k] * (double)(n_sorted - 1), whole = floor(at), part = at - whole;
        int64_t i = (int64_t)whole;
        out[k] = n_sorted == 0                    ? NAN
                 : i + 1 >= n_sorted || part == 0 ? sorted[i]
                                                  : sorted[i] + part * (sorted[i + 1] - sorted[i]);
    }
    free(sorted);
}
