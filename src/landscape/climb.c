#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "src/base/arena.h"
#include "src/landscape/internal.h"

typedef struct climber {
    const nw_terrain *terrain;
    uint8_t *is_seen; /* looked at */
    int64_t *near;    /* neighbours of one point */
    int64_t *queue;   /* points of a plateau in the order reached */
    int64_t *came;    /* from which they were reached; of points not in the queue meaningless */
    uint8_t *is_queued;
    nw_climb *climb;
    size_t path_capacity;
} climber;

static void look(climber *c, int64_t point)
{
    c->climb->n_evaluations += !c->is_seen[point];
    c->is_seen[point] = 1;
}

static void move(climber *c, int64_t point)
{
    c->climb->path = nw_grow(c->climb->path, (size_t)c->climb->n_path, &c->path_capacity,
                             sizeof *c->climb->path);
    c->climb->path[c->climb->n_path++] = point;
}

/* Looks at all neighbours; the lowest if it is lower than point, else -1. */
static int64_t lower_neighbour(climber *c, int64_t point, int *n_near)
{
    const double *values = c->terrain->values;
    int64_t best = -1;
    *n_near = nw_terrain_neighbours(c->terrain, point, c->near);
    for (int k = 0; k < *n_near; k++) {
        look(c, c->near[k]);
        if (values[c->near[k]] < values[best < 0 ? point : best])
            best = c->near[k];
    }
    return best;
}

/* Goes from the last point of the path, which has no lower neighbour, to the nearest of its plateau
 * that has one. False: there is none. */
static bool cross_plateau(climber *c)
{
    int64_t start = c->climb->path[c->climb->n_path - 1], n_queue = 0, exit = -1;
    int n_near;
    c->queue[n_queue++] = start;
    c->is_queued[start] = 1;
    for (int64_t at = 0; at < n_queue && exit < 0; at++) {
        int64_t point = c->queue[at];
        if (lower_neighbour(c, point, &n_near) >= 0)
            exit = point;
        for (int k = 0; k < n_near && exit < 0; k++)
            if (!c->is_queued[c->near[k]] &&
                c->terrain->values[c->near[k]] == c->terrain->values[point]) {
                c->is_queued[c->near[k]] = 1;
                c->came[c->near[k]] = point;
                c->queue[n_queue++] = c->near[k];
            }
    }
    for (int64_t at = 0; at < n_queue; at++)
        c->is_queued[c->queue[at]] = 0;
    if (exit < 0)
        return false;
    int64_t n_way = 0;
    for (int64_t point = exit; point != start; point = c->came[point])
        c->queue[n_way++] = point;
    while (n_way > 0)
        move(c, c->queue[--n_way]);
    return true;
}

void nw_climb_run(const nw_terrain *terrain, int64_t start, bool walks_plateaus, nw_climb *out)
{
    size_t n = (size_t)terrain->n_points;
    assert(start >= 0 && start < terrain->n_points && !isnan(terrain->values[start]));
    *out = (nw_climb){0};
    climber c = {.terrain = terrain, .climb = out};
    c.is_seen = nw_zalloc(n);
    c.is_queued = nw_zalloc(n);
    c.near = nw_alloc(((size_t)nw_terrain_degree(terrain) + 1) * sizeof *c.near);
    c.queue = walks_plateaus ? nw_alloc(n * sizeof *c.queue) : NULL;
    c.came = walks_plateaus ? nw_alloc(n * sizeof *c.came) : NULL;
    look(&c, start);
    move(&c, start);
    for (;;) {
        int n_near;
        int64_t lower = lower_neighbour(&c, out->path[out->n_path - 1], &n_near);
        if (lower >= 0)
            move(&c, lower);
        else if (!walks_plateaus || !cross_plateau(&c))
            break;
    }
    free(c.is_seen);
    free(c.is_queued);
    free(c.near);
    free(c.queue);
    free(c.came);
}

void nw_climb_fini(nw_climb *climb)
{
    free(climb->path);
    *climb = (nw_climb){0};
}
